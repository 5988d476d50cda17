//! The predicted time of a convolution in the frequency domain, and the transform sizes with the least time.
//!
//! ```text
//! frame = channels * forward + outs * (ins * taps * product + inverse)
//! forward = in_cols/W * (vertical + M (LOAD + TILE)) + M/W * (horizontal + cols * spill)        M = rows/2
//! inverse = out_cols/W * (vertical + M (STORE + TILE)) + M/W * (horizontal + cols * spill)
//! product = M/W * cols * (PRODUCT + spill)
//! ```
//! (quotients rounded up) with the times of [`Transform::cost`]. The constants are nanoseconds per vector of complex
//! numbers. Each part was measured with AVX-512 on one Zen 4 core at its full clock, on frames of 64 to 256 pixels, and
//! `spill` on frames of up to 1000. For frames in chunks the prediction is within a fifth of the measured time, if no other
//! program uses the caches (`cargo bench --bench fft`). Narrower vectors take less time each.

use super::transform::Transform;

/// Loading a row of a block of columns of the frame, and rotating it by half a frequency.
const LOAD: f64 = 3.7;
/// Storing such a row.
const STORE: f64 = 5.5;
/// Transposing lanes into vectors.
const TILE: f64 = 2.9;
/// Adding a product of spectra to a sum, for four frames or more at a time. For one frame it takes twice as long.
const PRODUCT: f64 = 1.5;
/// The additional time per vector of a spectrum for each complex number above `FITS`: spectra beyond a second-level cache of
/// 1 MiB are loaded and stored. The addition is at most `MOST`, and in a product, which only reads, `MOST_PRODUCT`.
const SPILL: f64 = 1.0 / 22_400.0;
const FITS: f64 = 32_768.0;
const MOST: f64 = 22.0;
const MOST_PRODUCT: f64 = 5.0;

/// A convolution of frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Problem {
    /// Input channels of all groups, output channels, and products of spectra per output frame.
    pub(super) channels: usize,
    pub(super) outs: usize,
    pub(super) products: usize,
    /// Rows and columns of an output frame, and of the dilated kernel.
    pub(super) out: [usize; 2],
    pub(super) extent: [usize; 2],
    /// Lanes of a vector.
    pub(super) width: usize,
}

impl Problem {
    pub(super) fn new(shape: [usize; 5], groups: usize, dilation: [usize; 2], out: [usize; 2], width: usize) -> Self {
        let [outs, ins, taps, kernel @ ..] = shape;
        let extent = std::array::from_fn(|axis| dilation[axis] * (kernel[axis] - 1) + 1);
        Self { channels: ins * groups, outs, products: outs * ins * taps, out, extent, width }
    }

    /// Rows and columns of a frame with its border.
    pub(super) fn in_size(&self) -> [usize; 2] {
        [0, 1].map(|axis| self.out[axis].saturating_add(self.extent[axis] - 1))
    }

    /// Whether frames of this size can be transformed.
    pub(super) fn is_possible(&self) -> bool {
        self.in_size().iter().all(|len| *len <= LONGEST)
    }

    /// Rows and columns of the transform with the least time, and nanoseconds per frame.
    pub(super) fn best(&self) -> ([usize; 2], f64) {
        let [rows, cols] = self.in_size();
        let lengths = |least: usize| {
            let all = (least..).filter_map(|len| Transform::cost(len).map(|cost| (len, cost)));
            all.take(CHOICE).collect::<Vec<_>>()
        };
        let (halves, cols) = (lengths(rows.div_ceil(2)), lengths(cols));
        let sizes = halves.iter().flat_map(|half| cols.iter().map(move |cols| (*half, *cols)));
        let times = sizes.map(|(half, cols)| ([2 * half.0, cols.0], self.time(half, cols)));
        times.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or(([2, 1], 0.0))
    }

    fn time(&self, (half, vertical): (usize, f64), (cols, horizontal): (usize, f64)) -> f64 {
        let blocks = half.div_ceil(self.width) as f64;
        let [_, in_cols] = self.in_size();
        let spill = SPILL * (blocks * (self.width * cols) as f64 - FITS).max(0.0);
        let part = |columns: usize, point: f64| {
            columns.div_ceil(self.width) as f64 * (vertical + half as f64 * (point + TILE))
                + blocks * (horizontal + cols as f64 * spill.min(MOST))
        };
        // The time for a vector with fewer lanes: an operation on one of 16 occupies a unit of Zen 4 twice.
        let narrow = match self.width {
            16 => 1.0,
            8 => 0.66,
            _ => 0.61,
        };
        let product = blocks * cols as f64 * (PRODUCT + spill.min(MOST_PRODUCT));
        let [channels, outs, products] = [self.channels, self.outs, self.products].map(|count| count as f64);
        narrow * (channels * part(in_cols, LOAD) + products * product + outs * part(self.out[1], STORE))
    }
}

/// The largest number of rows or columns of a frame with its border: up to here, transform lengths are dense enough to be
/// tried in turn.
const LONGEST: usize = 1 << 17;

/// Lengths that are tried for each axis: beyond the eighth, the transform is a quarter longer than necessary.
const CHOICE: usize = 8;
