//! A bar that sweeps over the field: a stimulus for direction selectivity.
//!
//! The bar is a rectangle of size `width` in the direction of motion and `length` across it. The luminance of a pixel is
//! `background + (foreground - background) * c` with its coverage `c = overlap(u, width) * overlap(v, length)`. `(u, v)` is
//! the distance of the pixel's centre from the centre of the bar along and across the motion, and `overlap` is the part of a
//! pixel-wide window that is inside the bar. So edges are smooth, and the bar moves by fractions of a pixel without jumps.

use super::{Size, finite, positive, unit_vector};
use crate::Error;
use crate::error::in_range;
use ndarray::Array5;

/// The parameters of a [`moving_bar`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MovingBar {
    /// Direction of motion in degrees: 0 is right, 90 is up. The bar is perpendicular to it. Default 0.
    pub direction: f32,
    /// Extent in the direction of motion in pixels, above 0. Default 4.
    pub width: f32,
    /// Extent across the motion in pixels, above 0; an infinite bar spans the whole field. Default infinite.
    pub length: f32,
    /// Pixels per frame, not 0; negative moves backwards. Default 0.5.
    pub speed: f32,
    /// Luminance of the bar. Default 1.
    pub foreground: f32,
    /// Luminance around it. Default 0.
    pub background: f32,
}

impl Default for MovingBar {
    fn default() -> Self {
        Self { direction: 0.0, width: 4.0, length: f32::INFINITY, speed: 0.5, foreground: 1.0, background: 0.0 }
    }
}

/// A bar that enters the field, crosses it, leaves it, and starts again.
///
/// In the first frame the bar touches the field from outside. One sweep takes `(extent + width) / |speed|` frames, where
/// `extent` is that of the field in the direction of motion.
///
/// ```
/// use foveola::samples::{MovingBar, Size, moving_bar};
///
/// let movie = moving_bar(Size::new(8, 1, 8), &MovingBar { width: 2.0, speed: 1.5, ..MovingBar::default() })?;
/// let row = |t| (0..8).map(|col| movie[[0, 0, t, 0, col]]).collect::<Vec<_>>();
/// assert_eq!(row(0), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
/// assert_eq!(row(1), [1.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
/// assert_eq!(row(2), [0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] where a number is not finite (the length may be infinite), width or length are not above 0, the
/// speed is 0, or the movie is empty or larger than memory.
pub fn moving_bar(size: Size, bar: &MovingBar) -> Result<Array5<f32>, Error> {
    const ITEM: &str = "moving_bar";
    let &MovingBar { direction, width, length, speed, foreground, background } = bar;
    finite(ITEM, "direction", direction)?;
    positive(ITEM, "width", width)?;
    in_range(ITEM, "length", length, length > 0.0, "a number above 0, or infinity")?;
    finite(ITEM, "speed", speed)?;
    in_range(ITEM, "speed", speed, speed != 0.0, "a number other than 0, or the bar never enters")?;
    finite(ITEM, "foreground", foreground)?;
    finite(ITEM, "background", background)?;

    let (cos, sin) = unit_vector(direction);
    let (width, length, speed) = (f64::from(width), f64::from(length), f64::from(speed));
    let (row_middle, col_middle) = ((size.rows as f64 - 1.0) / 2.0, (size.cols as f64 - 1.0) / 2.0);
    let sweep = size.cols as f64 * libm::fabs(cos) + size.rows as f64 * libm::fabs(sin) + width;
    let step = f64::from(foreground) - f64::from(background);
    size.movie(ITEM, |t, frame| {
        let way = (speed * t as f64) % sweep;
        let way = if way < 0.0 { way + sweep } else { way };
        let centre = way - sweep / 2.0;
        for (row, line) in frame.chunks_exact_mut(size.cols).enumerate() {
            for (col, sample) in line.iter_mut().enumerate() {
                let (right, up) = (col as f64 - col_middle, row_middle - row as f64);
                let along = right * cos + up * sin - centre;
                let across = up * cos - right * sin;
                let coverage = overlap(along, width) * overlap(across, length);
                *sample = (f64::from(background) + step * coverage) as f32;
            }
        }
    })
}

/// The part, 0 to 1, of the window `distance - 0.5 ..= distance + 0.5` that lies in `-extent / 2 ..= extent / 2`.
fn overlap(distance: f64, extent: f64) -> f64 {
    let (low, high) = ((distance - 0.5).max(-extent / 2.0), (distance + 0.5).min(extent / 2.0));
    (high - low).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stimuli::samples::tests::hash;

    #[test]
    fn coverage_is_exact_along_the_axes() {
        for (direction, axis) in [(0.0, 4), (90.0, 3), (180.0, 4), (270.0, 3)] {
            let bar = MovingBar { direction, width: 2.5, speed: 0.25, ..MovingBar::default() };
            let movie = moving_bar(Size::new(30, 9, 9), &bar).expect("good");
            for t in 10..30 {
                let frame = movie.index_axis(ndarray::Axis(2), t);
                // From frame 10 on the whole bar is inside: the sum of a line along the motion is its width.
                let sum: f32 = frame.sum() / 9.0;
                assert!((sum - 2.5).abs() < 1e-5, "direction {direction}, axis {axis}, frame {t}: {sum}");
            }
        }
    }

    #[test]
    fn moves_where_it_says() {
        for (direction, row, col) in [(0.0, 4, 0), (90.0, 8, 4), (180.0, 4, 8), (270.0, 0, 4)] {
            let bar = MovingBar { direction, width: 2.0, speed: 1.0, ..MovingBar::default() };
            let movie = moving_bar(Size::new(2, 9, 9), &bar).expect("good");
            assert!((movie[[0, 0, 1, row, col]] - 1.0).abs() < 1e-6, "{direction} enters at ({row}, {col})");
            assert_eq!(movie[[0, 0, 1, 8 - row, 8 - col]], 0.0, "{direction} has not crossed the field");
        }
    }

    #[test]
    fn re_enters_and_runs_backwards() {
        let size = Size::new(40, 3, 8);
        let forth = moving_bar(size, &MovingBar { width: 2.0, speed: 1.0, ..MovingBar::default() }).expect("good");
        let back = moving_bar(size, &MovingBar { width: 2.0, speed: -1.0, ..MovingBar::default() }).expect("good");
        for t in 0..20 {
            for col in 0..8 {
                assert_eq!(forth[[0, 0, t, 1, col]], forth[[0, 0, t + 10, 1, col]], "a sweep is 8 + 2 frames");
                assert_eq!(forth[[0, 0, t, 1, col]], back[[0, 0, t, 1, 7 - col]], "mirrored");
            }
        }
    }

    #[test]
    fn a_short_bar_has_an_area() {
        let bar = MovingBar { direction: 30.0, width: 3.0, length: 6.0, speed: 1.0, ..MovingBar::default() };
        let movie = moving_bar(Size::new(40, 32, 32), &bar).expect("good");
        let area = movie.index_axis(ndarray::Axis(2), 20).sum();
        assert!((area - 18.0).abs() < 0.5, "3 x 6 pixels, got {area}");
    }

    #[test]
    fn the_same_bits_everywhere() {
        let bar = MovingBar { direction: 33.0, ..MovingBar::default() };
        assert_eq!(hash(&moving_bar(Size::new(30, 5, 6), &bar).expect("good")), 0x2cc4_0c8b_5cfd_853e, "digest");
    }

    #[test]
    fn bad_parameters_are_named() {
        let good = MovingBar::default();
        for (name, bad) in [
            ("direction", MovingBar { direction: f32::NAN, ..good }),
            ("width", MovingBar { width: 0.0, ..good }),
            ("width", MovingBar { width: f32::INFINITY, ..good }),
            ("length", MovingBar { length: f32::NAN, ..good }),
            ("length", MovingBar { length: -1.0, ..good }),
            ("speed", MovingBar { speed: f32::INFINITY, ..good }),
            ("speed", MovingBar { speed: 0.0, ..good }),
            ("foreground", MovingBar { foreground: f32::NAN, ..good }),
            ("background", MovingBar { background: f32::NAN, ..good }),
        ] {
            let error = moving_bar(Size::new(2, 2, 2), &bad).expect_err(name).to_string();
            assert!(error.contains(name), "{error} names {name}");
        }
    }
}
