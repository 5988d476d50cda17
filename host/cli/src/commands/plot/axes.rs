//! Positions in space around a flash, and the part of the frame that is drawn.

use foveola::{Peak, Response};
use std::ops::Range;

/// The axes of a response.
pub(super) struct Axes<'a> {
    pub(super) response: &'a Response,
    /// Degrees of visual angle of a pixel.
    pub(super) degrees: f64,
}

impl Axes<'_> {
    /// Position of a row (axis 0) or column (1), in pixels of the input from the flash.
    pub(super) fn at(&self, axis: usize, index: usize) -> f64 {
        self.response.origin[axis] + self.response.pitch[axis] * index as f64
    }

    /// Position of the first index of a range, and distance from one to the next.
    pub(super) fn steps(&self, axis: usize, range: &Range<usize>) -> (f64, f64) {
        (self.at(axis, range.start), self.response.pitch[axis])
    }
}

/// The share of the peak that is drawn.
const SHARE: f32 = 0.005;
/// Pixels that are drawn on each side of the flash, if the frame has them.
const LEAST: usize = 4;

/// Rows and columns around the flash, as many on each side, as far as there is a response, and one more.
pub(super) fn crop(response: &Response, peak: Option<Peak>) -> [Range<usize>; 2] {
    let (_, _, rows, cols) = response.bright.dim();
    let middle = |axis: usize, len: usize| {
        let at = (-response.origin[axis] / response.pitch[axis]).round().clamp(0.0, (len - 1) as f64);
        at as usize
    };
    let middle = [middle(0, rows), middle(1, cols)];
    let most = peak.map_or(0.0, |peak| SHARE * peak.value.abs());
    let mut reach = [LEAST; 2];
    for samples in [&response.bright, &response.dark] {
        for ((_, _, row, col), _) in samples.indexed_iter().filter(|(_, y)| y.abs() > most) {
            reach = [reach[0].max(row.abs_diff(middle[0]) + 1), reach[1].max(col.abs_diff(middle[1]) + 1)];
        }
    }
    // Equally far in both directions, so that shapes are seen as they are.
    let reach = reach[0].max(reach[1]);
    let range = |middle: usize, len: usize| middle.saturating_sub(reach)..(middle + reach + 1).min(len);
    [range(middle[0], rows), range(middle[1], cols)]
}
