//! Text: lines in Noto Sans (SIL Open Font License 1.1), which is bundled with the program.

use ab_glyph::{Font, FontRef, GlyphId, PxScale, ScaleFont, point};
use std::sync::LazyLock;

/// Regular or bold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// The position of a line of text relative to its anchor point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Middle,
    Right,
}

static REGULAR: LazyLock<FontRef<'static>> =
    LazyLock::new(|| FontRef::try_from_slice(notosans::REGULAR_TTF).expect("the bundled font is whole"));
static BOLD: LazyLock<FontRef<'static>> =
    LazyLock::new(|| FontRef::try_from_slice(notosans::BOLD_TTF).expect("the bundled font is whole"));

/// A weight at a size: the height of capital letters is about 0.71 of `size` pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Type {
    pub(super) weight: Weight,
    pub(super) size: f32,
}

impl Type {
    pub(super) const fn new(weight: Weight, size: f32) -> Self {
        Self { weight, size }
    }

    fn font(self) -> &'static FontRef<'static> {
        match self.weight {
            Weight::Regular => &REGULAR,
            Weight::Bold => &BOLD,
        }
    }

    /// Pixels per em in the rasteriser's units: its scale is the height from ascent to descent.
    fn scale(self) -> PxScale {
        let font = self.font();
        let units = font.units_per_em().unwrap_or(1000.0);
        PxScale::from(self.size * font.height_unscaled() / units)
    }

    /// Width of a line in pixels.
    pub(super) fn width(self, line: &str) -> f32 {
        self.glyphs(line).1
    }

    /// The glyphs of a line, each with its distance from the start, and the width of the line.
    fn glyphs(self, line: &str) -> (Vec<(GlyphId, f32)>, f32) {
        let font = self.font().as_scaled(self.scale());
        let (mut at, mut last) = (0.0, None);
        let mut glyphs = Vec::new();
        for letter in line.chars() {
            let id = font.glyph_id(letter);
            if let Some(last) = last.replace(id) {
                at += font.kern(last, id);
            }
            glyphs.push((id, at));
            at += font.h_advance(id);
        }
        (glyphs, at)
    }

    /// Truncates a line to at most `width` pixels, with an ellipsis where text was removed.
    pub(super) fn fit(self, line: &str, width: f32) -> String {
        if self.width(line) <= width {
            return line.to_owned();
        }
        let mut letters: Vec<char> = line.chars().collect();
        while letters.pop().is_some() {
            let cut: String = letters.iter().collect::<String>().trim_end().to_owned() + "\u{2026}";
            if self.width(&cut) <= width {
                return cut;
            }
        }
        String::new()
    }

    /// Calls `put(x, y, coverage)` for every pixel that the line touches, with coverage 0 to 1; `(x, y)` is the start,
    /// middle or end of the baseline.
    pub(super) fn draw(self, (x, y): (f32, f32), align: Align, line: &str, mut put: impl FnMut(i32, i32, f32)) {
        let (glyphs, width) = self.glyphs(line);
        let start = match align {
            Align::Left => x,
            Align::Middle => x - width / 2.0,
            Align::Right => x - width,
        };
        for (id, at) in glyphs {
            let glyph = id.with_scale_and_position(self.scale(), point(start.round() + at, y.round()));
            if let Some(outline) = self.font().outline_glyph(glyph) {
                let corner = outline.px_bounds().min;
                outline.draw(|dx, dy, coverage| {
                    put(corner.x as i32 + dx as i32, corner.y as i32 + dy as i32, coverage.clamp(0.0, 1.0));
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_the_signs_we_use() {
        for weight in [Weight::Regular, Weight::Bold] {
            let font = Type::new(weight, 20.0).font();
            for sign in "09azAZ\u{2212}\u{d7}\u{b5}\u{2026}\u{2013}.,()[]/%".chars() {
                assert_ne!(font.glyph_id(sign), GlyphId(0), "{sign} in {weight:?}");
            }
        }
    }

    #[test]
    fn lines_are_drawn_inside_their_width() {
        let face = Type::new(Weight::Regular, 40.0);
        let width = face.width("Hello 123");
        assert!((150.0..250.0).contains(&width), "{width} pixels");
        for (align, start) in
            [(Align::Left, 100.0), (Align::Middle, 100.0 + width / 2.0), (Align::Right, 100.0 + width)]
        {
            let (mut left, mut right, mut ink) = (i32::MAX, i32::MIN, 0.0);
            face.draw((start, 50.0), align, "Hello 123", |x, y, coverage| {
                if coverage > 0.0 {
                    (left, right) = (left.min(x), right.max(x));
                    ink += coverage;
                    assert!((10..65).contains(&y), "row {y}");
                }
            });
            assert!(left >= 99 && right <= 101 + width as i32, "{left}..{right}");
            assert!(ink > 500.0, "{ink} pixels of ink");
        }
    }

    #[test]
    fn long_lines_are_cut() {
        let face = Type::new(Weight::Bold, 20.0);
        assert_eq!(face.fit("short", 100.0), "short", "fits");
        let cut = face.fit("a name that is much too long", 100.0);
        assert!(cut.ends_with('\u{2026}') && face.width(&cut) <= 100.0, "{cut}");
        assert_eq!(face.fit("abc", 1.0), "", "no room at all");
    }
}
