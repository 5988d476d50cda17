//! The size of a receptive field and its place in the frame.

use crate::error::in_range;
use crate::{Error, Result};

/// The extent of a receptive field: `taps` frames of the whole frame, or of a window.
///
/// A window of `rows x cols` around the pixel `[row, col]` covers the rows from `row - rows / 2` and the columns from
/// `col - cols / 2` (rounded down), as a kernel of this size does in [`Conv3d`](crate::Conv3d). It must lie within the
/// frame: the pixels beyond the border tell nothing about the neuron.
///
/// ```
/// use foveola::fit::direct::{Field, spike_triggered_average};
/// use ndarray::{Array2, Array3};
/// // The pixel at row 4, column 5 is lit one frame before the spike.
/// let stimulus = Array3::from_shape_fn((20, 9, 9), |index| f32::from(u8::from(index == (10, 4, 5))));
/// let spikes = Array2::from_shape_fn((20, 1), |(t, _)| f32::from(u8::from(t == 11)));
/// let kernel = spike_triggered_average(&stimulus, spikes.view(), Field::around(3, [4, 4], [3, 5]))?;
/// assert_eq!(kernel.dim(), (1, 1, 3, 3, 5));
/// assert!(kernel[(0, 0, 1, 1, 1)] > 0.9); // tap 1; columns are mirrored, as in every impulse response
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    taps: usize,
    window: Option<Window>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Window {
    pixel: [usize; 2],
    size: [usize; 2],
}

/// A field in frames of a known size, checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) taps: usize,
    /// Row and column of the top left pixel.
    pub(super) corner: [usize; 2],
    /// Rows and columns.
    pub(super) size: [usize; 2],
}

impl Field {
    /// The whole frame over `taps` frames, 1 or more.
    #[must_use]
    pub const fn frame(taps: usize) -> Self {
        Self { taps, window: None }
    }

    /// A window of `size` (rows, columns) around the pixel `[row, col]` over `taps` frames.
    #[must_use]
    pub const fn around(taps: usize, pixel: [usize; 2], size: [usize; 2]) -> Self {
        Self { taps, window: Some(Window { pixel, size }) }
    }

    /// The extent in a recording of `frames` frames of `size`.
    pub(super) fn within(self, item: &'static str, frames: usize, size: [usize; 2]) -> Result<Extent> {
        let Self { taps, window } = self;
        in_range(item, "taps", taps, taps > 0, "1 or more")?;
        if taps > frames {
            let value = format!("{taps} in a recording of {frames} frames");
            return Err(Error::Parameter { item, name: "taps", value, expected: "at most the frames of the stimulus" });
        }
        let Some(window) = window else {
            return Ok(Extent { taps, corner: [0, 0], size });
        };
        let corner: [Option<usize>; 2] = std::array::from_fn(|axis| {
            let corner = window.pixel[axis].checked_sub(window.size[axis] / 2)?;
            let end = corner.checked_add(window.size[axis])?;
            (window.size[axis] > 0 && end <= size[axis]).then_some(corner)
        });
        match corner {
            [Some(row), Some(col)] => Ok(Extent { taps, corner: [row, col], size: window.size }),
            _ => {
                let ([r, c], [h, w], [rows, cols]) = (window.pixel, window.size, size);
                let value = format!("{h} x {w} around row {r}, column {c} in a frame of {rows} x {cols}");
                Err(Error::Parameter { item, name: "window", value, expected: "a window within the frame" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{random_kernel, white};
    use super::super::{Shrinkage, ridge};
    use super::*;
    use crate::{Conv3d, Model};
    use ndarray::{Array2, Axis};

    /// What a convolution computes at a pixel is recovered from the window of its size around that pixel.
    #[test]
    fn the_kernel_of_a_window_is_the_weight_of_a_convolution() {
        let stimulus = white(1, [2, 300, 6, 7]);
        for (pixel, size) in [([2, 3], [3, 5]), ([3, 4], [4, 2]), ([3, 3], [6, 7])] {
            let weight = random_kernel(2, [1, 2, 3, size[0], size[1]]);
            let conv = Conv3d::new(2, 1, [3, size[0], size[1]]).and_then(|conv| conv.with_weight(&weight));
            let out = Model::of(conv.expect("a convolution")).run(&stimulus, 300).expect("responses");
            let responses = Array2::from_shape_fn((300, 1), |(t, _)| out[(0, 0, t, pixel[0], pixel[1])]);
            let field = Field::around(3, pixel, size);
            let found = ridge(&stimulus, responses.view(), field, Shrinkage::Fixed(0.0)).expect("a fit").kernels;
            let worst = (&found - &weight).iter().fold(0.0_f32, |most, error| most.max(error.abs()));
            assert!(worst < 1e-5, "{worst}: {size:?} around {pixel:?}");
            if size == [6, 7] {
                let whole = ridge(&stimulus, responses.view(), Field::frame(3), Shrinkage::Fixed(0.0)).expect("a fit");
                assert_eq!(whole.kernels.index_axis(Axis(0), 0), found.index_axis(Axis(0), 0), "the whole frame");
            }
        }
    }

    #[test]
    fn a_window_begins_half_its_size_before_its_pixel() {
        for (pixel, size, corner) in [([4, 5], [3, 5], [3, 3]), ([4, 5], [4, 2], [2, 4]), ([0, 0], [1, 1], [0, 0])] {
            let extent = Field::around(2, pixel, size).within("test", 2, [8, 9]).expect("within the frame");
            assert_eq!((extent.corner, extent.size), (corner, size), "{pixel:?} {size:?}");
        }
    }

    #[test]
    fn windows_beyond_the_frame_are_refused() {
        for (pixel, size) in [([0, 4], [3, 3]), ([7, 4], [3, 3]), ([4, 8], [1, 3]), ([4, 4], [9, 9]), ([4, 4], [0, 1])]
        {
            let error = Field::around(1, pixel, size).within("test", 5, [8, 9]).expect_err("beyond").to_string();
            assert!(error.contains("in a frame of 8 x 9") && error.contains(&format!("row {}", pixel[0])), "{error}");
        }
        let error = Field::around(1, [usize::MAX; 2], [1, 1]).within("test", 5, [8, 9]);
        assert!(error.is_err(), "the end of the window overflows");
    }

    #[test]
    fn taps_without_frames_are_refused() {
        let error = |taps| Field::frame(taps).within("test", 5, [8, 9]).expect_err("taps").to_string();
        assert!(error(0).contains("taps is 0"), "{}", error(0));
        assert!(error(6).contains("6 in a recording of 5 frames"), "{}", error(6));
    }
}
