//! Rows of panels, curves and images, on one page.

use super::canvas::Canvas;
use super::color::INK;
use super::curves::{CurvePanel, GAP};
use super::image::ImagePanel;
use super::no_picture;
use super::text::{Align, Type, Weight};
use crate::Error;
use crate::error::in_range;
use std::path::Path;

/// One set of axes of [`panels`].
#[derive(Debug, Clone, PartialEq)]
pub enum PlotPanel {
    /// Curves over a quantity.
    Curves(CurvePanel),
    /// An array over two quantities.
    Image(ImagePanel),
}

impl From<CurvePanel> for PlotPanel {
    fn from(panel: CurvePanel) -> Self {
        Self::Curves(panel)
    }
}

impl From<ImagePanel> for PlotPanel {
    fn from(panel: ImagePanel) -> Self {
        Self::Image(panel)
    }
}

impl PlotPanel {
    fn check(&self) -> Result<(), Error> {
        match self {
            Self::Curves(panel) => panel.check(),
            Self::Image(panel) => panel.check(),
        }
    }

    fn head(&self, width: f32) -> f32 {
        match self {
            Self::Curves(panel) => panel.head(width),
            Self::Image(panel) => panel.head(),
        }
    }

    fn draw(&self, page: &mut Canvas, corner: (f32, f32), size: (f32, f32), head: f32) {
        match self {
            Self::Curves(panel) => panel.draw(page, corner, size, head),
            Self::Image(panel) => panel.draw(page, corner, size, head),
        }
    }
}

const TITLE: Type = Type::new(Weight::Bold, 28.0);
const NOTE: Type = Type::new(Weight::Regular, 19.0);
const MARGIN: f32 = 30.0;
/// Between two rows.
const BETWEEN: f32 = 26.0;

/// Writes a PNG of 1600 pixels in width: a title, lines of notes, and rows of panels, each row with its number of columns,
/// of which the last ones may stay empty, and its height in pixels.
///
/// ```
/// use foveola::picture::{Curve, CurvePanel, ImagePanel, panels};
/// use ndarray::Array2;
///
/// let decay: Vec<_> = (0..100).map(|t| (f64::from(t), (f64::from(t) / -20.0).exp())).collect();
/// let field = Array2::from_shape_fn((9, 9), |(r, c)| if r == 4 && c == 4 { 1.0 } else { -0.0125 });
/// let row = vec![
///     CurvePanel::new("in time", "time [ms]", "response", [Curve::new("", decay)]).into(),
///     ImagePanel { square: true, ..ImagePanel::new("in space", "column [px]", "row [px]", field) }.into(),
/// ];
/// let path = std::env::temp_dir().join(format!("foveola-doc-panels-{}.png", std::process::id()));
/// panels(&path, "A receptive field", &[], &[(2, 420, row)])?;
/// # std::fs::remove_file(path).expect("written above");
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// [`Error::Picture`] without a panel; [`Error::Parameter`] for rows of no column or less than 200 pixels, and panels that
/// cannot be drawn (nothing is written then); [`Error::Io`] where the file cannot be written.
pub fn panels(
    path: impl AsRef<Path>,
    title: &str,
    notes: &[String],
    rows: &[(usize, usize, Vec<PlotPanel>)],
) -> Result<(), Error> {
    const WIDTH: usize = 1600;
    let path = path.as_ref();
    if rows.iter().all(|(.., panels)| panels.is_empty()) {
        return Err(no_picture(path, "no panels"));
    }
    for (columns, height, panels) in rows {
        in_range(
            "panels",
            "columns",
            columns,
            (1..=8).contains(columns) && *columns >= panels.len(),
            "1 to 8, and a column for each panel",
        )?;
        in_range("panels", "height", height, (200..=4_000).contains(height), "200 to 4000 pixels")?;
        panels.iter().try_for_each(PlotPanel::check)?;
    }
    let room = WIDTH as f32 - 2.0 * MARGIN;
    let notes: Vec<String> = notes.iter().flat_map(|note| lines(note, room)).collect();
    let head = MARGIN + 50.0 + 26.0 * notes.len() as f32;
    let all: f32 = rows.iter().map(|(_, height, _)| *height as f32 + BETWEEN).sum();
    let mut page = Canvas::new(path, WIDTH, (head + all + MARGIN - BETWEEN).ceil() as usize)?;
    page.text((MARGIN, MARGIN + 22.0), TITLE, Align::Left, INK, &TITLE.fit(title, room));
    for (line, note) in notes.iter().enumerate() {
        page.text((MARGIN, MARGIN + 54.0 + 26.0 * line as f32), NOTE, Align::Left, super::color::MUTED, note);
    }
    let mut top = head;
    for (columns, height, panels) in rows {
        let width = (room - GAP * (columns - 1) as f32) / *columns as f32;
        let head = panels.iter().map(|panel| panel.head(width)).fold(0.0, f32::max);
        for (column, panel) in panels.iter().enumerate() {
            let left = MARGIN + (width + GAP) * column as f32;
            panel.draw(&mut page, (left, top), (width, *height as f32), head);
        }
        top += *height as f32 + BETWEEN;
    }
    page.save_small(path)
}

/// A note in lines of a width.
fn lines(note: &str, width: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in note.split(' ') {
        match lines.last_mut() {
            Some(line) if NOTE.width(&format!("{line} {word}")) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::color::{NOT_FINITE, OKABE_ITO};
    use crate::picture::stages::tests::Scratch;
    use crate::picture::{Curve, Map};
    use ndarray::{Array2, array};

    fn curve(points: impl Into<Vec<(f64, f64)>>) -> CurvePanel {
        CurvePanel::new("title", "x [px]", "y", [Curve::new("name", points)])
    }

    fn image(values: Array2<f32>) -> ImagePanel {
        ImagePanel::new("title", "column [px]", "row [px]", values)
    }

    /// Number of pixels of a colour, and their lowest and highest columns and rows.
    fn area_of(file: &Scratch, color: [u8; 3]) -> (usize, [usize; 4]) {
        let (width, _, pixels) = file.png();
        let places =
            pixels.chunks(3).enumerate().filter(|(_, pixel)| **pixel == color).map(|(i, _)| (i % width, i / width));
        places.fold((0, [usize::MAX, 0, usize::MAX, 0]), |(n, [a, b, c, d]), (x, y)| {
            (n + 1, [a.min(x), b.max(x), c.min(y), d.max(y)])
        })
    }

    #[test]
    fn samples_are_cells_in_their_order() {
        let cells = |image: ImagePanel| {
            let file = Scratch::new("png");
            panels(file.path(), "title", &[], &[(2, 500, vec![image.into()])]).expect("drawn");
            let brightest = Map::Ember.colors(256)[255];
            area_of(&file, brightest)
        };
        let values = array![[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]];
        let (count, [left, right, top, bottom]) = cells(ImagePanel { square: true, ..image(values.clone()) });
        // The top of the colour bar has the same colour.
        assert!((right - left) > 100 && count > 10_000, "{count} pixels from {left} to {right}");
        let (_, [.., low, high]) = cells(ImagePanel { upwards: true, square: true, ..image(values.clone()) });
        assert!(low <= top && high > bottom, "row 0 at the bottom: {low} to {high}, and {top} to {bottom}");
        // A peak among more samples than pixels.
        let mut many = Array2::zeros((3, 5_000));
        many[(1, 4_321)] = 1.0;
        assert!(cells(image(many)).0 > 50, "not lost");
        let file = Scratch::new("png");
        let broken = image(array![[f32::NAN, 1.0]]);
        panels(file.path(), "", &[], &[(1, 300, vec![broken.into()])]).expect("drawn");
        assert!(area_of(&file, NOT_FINITE).0 > 1_000, "not finite");
    }

    #[test]
    fn a_second_unit_is_above_the_axes() {
        let file = Scratch::new("png");
        let plain = vec![curve([(0.0, 0.0), (9.0, 1.0)]).into()];
        panels(file.path(), "title", &[], &[(1, 400, plain)]).expect("drawn");
        let (_, [left, right, top, _]) = area_of(&file, OKABE_ITO[0]);
        let with = vec![curve([(0.0, 0.0), (9.0, 1.0)]).second("degrees", 0.1).into()];
        panels(file.path(), "title", &[], &[(1, 400, with)]).expect("drawn");
        let (_, second) = area_of(&file, OKABE_ITO[0]);
        // The legend is above both.
        assert_eq!((second[0], second[1], second[2]), (left, right, top), "as wide");
    }

    #[test]
    fn odd_panels_are_no_trouble_and_bad_ones_no_file() {
        let file = Scratch::new("png");
        let good: PlotPanel = curve([(0.0, 1.0)]).into();
        let odd: Vec<PlotPanel> = vec![
            image(Array2::zeros((1, 1))).into(),
            ImagePanel { numbers: true, square: true, ..image(Array2::from_elem((300, 1), -1e30)) }.into(),
            ImagePanel { numbers: true, ..image(array![[1.0, -0.5], [0.25, 0.0]]) }.into(),
            ImagePanel { title: "long ".repeat(99), y: "long ".repeat(99), ..image(Array2::ones((2, 2))) }.into(),
        ];
        let notes = ["word ".repeat(100), String::new(), "w".repeat(500)];
        panels(file.path(), &"t".repeat(300), &notes, &[(4, 200, odd.clone()), (8, 300, odd)]).expect("drawn");
        assert_eq!(file.png().0, 1600);
        let step = ImagePanel { rows: (0.0, 0.0), ..image(Array2::zeros((2, 2))) };
        let range = ImagePanel { range: Some((1.0, 1.0)), ..image(Array2::zeros((2, 2))) };
        let second = ImagePanel { second: Some((String::new(), 0.0)), ..image(Array2::zeros((2, 2))) };
        for (rows, word) in [
            (vec![], "no panels"),
            (vec![(1, 300, vec![])], "no panels"),
            (vec![(1, 300, vec![good.clone(), good.clone()])], "columns"),
            (vec![(1, 10, vec![good.clone()])], "height"),
            (vec![(1, 300, vec![image(Array2::zeros((0, 3))).into()])], "values"),
            (vec![(1, 300, vec![step.into()])], "rows"),
            (vec![(1, 300, vec![range.into()])], "range"),
            (vec![(1, 300, vec![second.into()])], "second"),
            (vec![(1, 300, vec![curve([(0.0, 1.0)]).logarithmic().into()])], "logarithmic"),
            (vec![(1, 300, vec![curve([(0.0, 1.0)]).second("", f64::NAN).into()])], "second"),
        ] {
            let file = Scratch::new("png");
            let error = panels(file.path(), "title", &[], &rows).expect_err(word).to_string();
            assert!(error.contains(word) && !file.path().exists(), "{error} says {word}");
        }
    }
}
