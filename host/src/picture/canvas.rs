//! A page of pixels with areas, lines, text and frames, and the PNG file written from it.

use super::color::{NOT_FINITE, PAGE, Rgb, Scale, blend};
use super::shrink::{Shrink, shrink};
use super::text::{Align, Type};
use super::{io_error, no_picture};
use crate::Error;
use crate::draft::Draft;
use ndarray::{Array2, ArrayView2};
use std::io::BufWriter;
use std::path::Path;

/// The largest number of pixels of a page: each takes three bytes.
const PAGE_LIMIT: usize = 1 << 27;

/// A page of pixels, rows from the top.
#[derive(Debug, Clone)]
pub(super) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<Rgb>,
}

impl Canvas {
    /// An empty page, for the file at `path`.
    pub(super) fn new(path: &Path, width: usize, height: usize) -> Result<Self, Error> {
        let count = width.checked_mul(height).filter(|count| (1..=PAGE_LIMIT).contains(count));
        let count = count.ok_or_else(|| no_picture(path, format!("{width} x {height} pixels are too many")))?;
        Ok(Self { width, height, pixels: vec![PAGE; count] })
    }

    /// Mixes a colour into a pixel; has no effect outside the page.
    pub(super) fn put(&mut self, x: i32, y: i32, color: Rgb, share: f32) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x < self.width && y < self.height {
            let pixel = &mut self.pixels[y * self.width + x];
            *pixel = blend(*pixel, color, share);
        }
    }

    /// Fills the area of `width` x `height` pixels at the corner `(x, y)`.
    pub(super) fn area(&mut self, (x, y): (usize, usize), (width, height): (usize, usize), color: Rgb) {
        for row in y..y.saturating_add(height).min(self.height) {
            let end = x.saturating_add(width).min(self.width);
            if x < end {
                self.pixels[row * self.width + x..row * self.width + end].fill(color);
            }
        }
    }

    /// A line of text; `(x, y)` is the start, middle or end of its baseline.
    pub(super) fn text(&mut self, at: (f32, f32), face: Type, align: Align, color: Rgb, line: &str) {
        face.draw(at, align, line, |x, y, coverage| self.put(x, y, color, coverage));
    }

    /// A line through `points`, `thick` pixels wide, with round joints.
    ///
    /// Every pixel is painted once with its largest coverage, so joints are not visible.
    pub(super) fn line(&mut self, points: &[(f32, f32)], thick: f32, color: Rgb) {
        let reach = thick / 2.0 + 1.0;
        let clip = |value: f32, limit: usize| value.clamp(0.0, limit as f32) as usize;
        let span = |low: f32, high: f32, limit| clip(low - reach, limit)..clip(high + reach + 1.0, limit);
        let (mut low, mut high) = ((f32::MAX, f32::MAX), (f32::MIN, f32::MIN));
        for &(x, y) in points {
            (low, high) = ((low.0.min(x), low.1.min(y)), (high.0.max(x), high.1.max(y)));
        }
        let (all_columns, all_rows) = (span(low.0, high.0, self.width), span(low.1, high.1, self.height));
        let width = all_columns.len();
        let mut coverage = vec![0.0_f32; width * all_rows.len()];
        let dot = (points.len() == 1).then(|| (points[0], points[0]));
        for ((ax, ay), (bx, by)) in points.windows(2).map(|pair| (pair[0], pair[1])).chain(dot) {
            let (dx, dy) = (bx - ax, by - ay);
            let square = (dx * dx + dy * dy).max(1e-12);
            for y in span(ay.min(by), ay.max(by), self.height) {
                for x in span(ax.min(bx), ax.max(bx), self.width) {
                    let (px, py) = (x as f32 + 0.5 - ax, y as f32 + 0.5 - ay);
                    let along = ((px * dx + py * dy) / square).clamp(0.0, 1.0);
                    let (ox, oy) = (px - along * dx, py - along * dy);
                    let share = (thick / 2.0 + 0.5 - (ox * ox + oy * oy).sqrt()).clamp(0.0, 1.0);
                    let pixel = &mut coverage[(y - all_rows.start) * width + x - all_columns.start];
                    *pixel = pixel.max(share);
                }
            }
        }
        for (index, share) in coverage.into_iter().enumerate().filter(|(_, share)| *share > 0.0) {
            let (x, y) = (all_columns.start + index % width, all_rows.start + index / width);
            self.put(x as i32, y as i32, color, share);
        }
    }

    /// Draws a frame that was shrunk to its size on the page, with its corner at `(x, y)`.
    pub(super) fn frame(
        &mut self,
        corner: (usize, usize),
        frame: &ArrayView2<'_, f32>,
        zoom: Zoom,
        scale: &Scale,
        colors: &[Rgb],
    ) {
        let color = |value: f32| scale.index(value, colors.len()).map_or(NOT_FINITE, |index| colors[index]);
        paint(&mut self.pixels, self.width, corner, frame, zoom.grow, color);
    }

    /// Writes the page as a PNG file.
    pub(super) fn save(&self, path: &Path) -> Result<(), Error> {
        self.write(path, |encoder| encoder.set_compression(png::Compression::Fast))
    }

    /// [`Canvas::save`] in a smaller file that takes longer: without prediction, which large areas of one colour do not need.
    pub(super) fn save_small(&self, path: &Path) -> Result<(), Error> {
        self.write(path, |encoder| {
            encoder.set_compression(png::Compression::High);
            encoder.set_filter(png::Filter::NoFilter);
        })
    }

    fn write(
        &self,
        path: &Path,
        compress: impl FnOnce(&mut png::Encoder<'_, &mut BufWriter<Draft>>),
    ) -> Result<(), Error> {
        let mut file = Draft::buffered(path).map_err(|source| io_error(path, source))?;
        let encoding = |error: png::EncodingError| match error {
            png::EncodingError::IoError(source) => io_error(path, source),
            other => no_picture(path, other.to_string()),
        };
        let mut encoder = png::Encoder::new(&mut file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        compress(&mut encoder);
        let mut writer = encoder.write_header().map_err(encoding)?;
        writer.write_image_data(self.pixels.as_flattened()).map_err(encoding)?;
        writer.finish().map_err(encoding)?;
        Draft::commit_buffered(file).map_err(|source| io_error(path, source))
    }
}

/// Paints each sample of a frame as a rectangle of `grow` rows and columns on a page with rows of `width` pixels; parts
/// outside the page are omitted.
pub(super) fn paint<P: Copy>(
    page: &mut [P],
    width: usize,
    (x, y): (usize, usize),
    frame: &ArrayView2<'_, f32>,
    grow: (usize, usize),
    color: impl Fn(f32) -> P,
) {
    let mut line = Vec::new();
    let page = page.get_mut(y * width..).unwrap_or_default();
    for (samples, rows) in frame.outer_iter().zip(page.chunks_mut(width * grow.0)) {
        line.clear();
        line.extend(samples.iter().flat_map(|&sample| core::iter::repeat_n(color(sample), grow.1)));
        for row in rows.chunks_mut(width) {
            let free = row.get_mut(x..).unwrap_or_default();
            let len = line.len().min(free.len());
            free[..len].copy_from_slice(&line[..len]);
        }
    }
}

/// The scale at which a frame is drawn: only whole factors, so that pixels stay sharp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Zoom {
    /// Rows and columns of the page per sample.
    grow: (usize, usize),
    /// Samples per pixel of the page in both directions.
    shrink: usize,
}

/// The smallest side of a frame on the page in pixels: frames of one row or column would hardly be visible.
const THIN: usize = 24;

impl Zoom {
    /// The largest zoom at which frames of up to `rows` x `cols` fit into `height` x `width` pixels.
    pub(super) fn fit((rows, cols): (usize, usize), (height, width): (usize, usize)) -> Self {
        let (rows, cols, height, width) = (rows.max(1), cols.max(1), height.max(1), width.max(1));
        let grow = (width / cols).min(height / rows).max(1);
        let shrink = cols.div_ceil(width).max(rows.div_ceil(height));
        let side = |len: usize, room: usize| {
            let len = len.div_ceil(shrink);
            if len * grow < THIN { THIN.min(room) / len } else { grow }
        };
        Self { grow: (side(rows, height).max(grow), side(cols, width).max(grow)), shrink }
    }

    /// Rows and columns of the page that a frame covers.
    pub(super) fn size(self, (rows, cols): (usize, usize)) -> (usize, usize) {
        (rows.div_ceil(self.shrink) * self.grow.0, cols.div_ceil(self.shrink) * self.grow.1)
    }

    /// Rows and columns of the page per sample.
    pub(super) fn grow(self) -> (usize, usize) {
        self.grow
    }

    /// A frame reduced to the samples that are drawn.
    pub(super) fn shrink(self, frame: &ArrayView2<'_, f32>, how: Shrink) -> Array2<f32> {
        shrink(frame, self.shrink, how)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::color::INK;

    #[test]
    fn zoom_is_whole() {
        for (frame, room, size) in [
            ((96, 128), (200, 300), (192, 256)),
            ((1, 1), (200, 300), (200, 200)),
            ((480, 640), (200, 300), (160, 214)),
            ((1, 1000), (200, 300), (24, 250)),
            ((300, 2), (300, 300), (300, 24)),
            ((0, 0), (0, 0), (0, 0)),
        ] {
            assert_eq!(Zoom::fit(frame, room).size(frame), size, "{frame:?} into {room:?}");
        }
    }

    #[test]
    fn nothing_is_drawn_outside() {
        let mut canvas = Canvas::new(Path::new("page"), 20, 10).expect("small");
        canvas.area((15, 8), (100, 100), INK);
        canvas.area((100, 100), (1, 1), INK);
        canvas.line(&[(-50.0, -50.0), (500.0, 300.0)], 3.0, INK);
        canvas.put(-1, 5, INK, 1.0);
        canvas.put(5, 10, INK, 1.0);
        assert_eq!(canvas.pixels.len(), 200, "still the same page");
        assert!(Canvas::new(Path::new("page"), 1 << 20, 1 << 20).is_err(), "too large");
        assert!(Canvas::new(Path::new("page"), 0, 5).is_err(), "too small");
    }

    #[test]
    fn a_line_covers_its_width() {
        let mut canvas = Canvas::new(Path::new("page"), 40, 20).expect("small");
        canvas.line(&[(5.0, 10.0), (20.0, 10.0), (35.0, 10.0)], 2.0, INK);
        let column: Vec<bool> = (0..20).map(|y| canvas.pixels[y * 40 + 20] != PAGE).collect();
        assert_eq!(column.iter().filter(|&&ink| ink).count(), 2, "two pixels thick: {column:?}");
    }
}
