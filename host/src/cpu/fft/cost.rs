//! What a convolution in the frequency domain takes, and the sizes of transforms that take least.
//!
//! ```text
//! frame = channels * forward + outs * (ins * taps * product + inverse)
//! forward = in_cols/W * (vertical + M (LOAD + TILE)) + M/W * (horizontal + cols * spill)        M = rows/2
//! inverse = out_cols/W * (vertical + M (STORE + TILE)) + M/W * (horizontal + cols * spill)
//! product = M/W * cols * (PRODUCT + spill)
//! ```
//! (quotients rounded up) with the times of [`Transform::cost`]. The constants are nanoseconds for each vector of complex
//! numbers, measured part by part with AVX-512 on one Zen 4 core at its full clock, on frames of 64 to 256 pixels, and
//! `spill` on frames of up to 1000. For frames in chunks the sum is within a fifth of what they take, as long as nobody
//! else uses the caches (`cargo bench --bench fft`). Narrower vectors take less time each.

use super::transform::Transform;

/// A row of a block of columns of the frame is loaded, and turned by half a frequency.
const LOAD: f64 = 3.7;
/// And back.
const STORE: f64 = 5.5;
/// Lanes become vectors.
const TILE: f64 = 2.9;
/// A product of spectra is added to a sum, for four frames or more at a time. For one it takes twice as long.
const PRODUCT: f64 = 1.5;
/// What a vector of a spectrum takes more for each complex number by which it exceeds `FITS`, as it comes and goes beyond
/// a second-level cache of 1 MiB; never more than `MOST`, and in a product, which only reads, `MOST_PRODUCT`.
const SPILL: f64 = 1.0 / 22_400.0;
const FITS: f64 = 32_768.0;
const MOST: f64 = 22.0;
const MOST_PRODUCT: f64 = 5.0;

/// A convolution of frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Problem {
    /// Input channels of all groups, output channels, and products of spectra that go into a frame.
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

    /// Whether the frame is of a size to be transformed.
    pub(super) fn is_possible(&self) -> bool {
        self.in_size().iter().all(|len| *len <= LONGEST)
    }

    /// Rows and columns of the transform that takes least, and nanoseconds a frame.
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
        // What a vector of fewer lanes takes: an operation on one of 16 occupies a unit of Zen 4 twice.
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

/// Rows or columns of a frame with its border, at most: lengths of transforms lie close enough below it to be tried in turn.
const LONGEST: usize = 1 << 17;

/// Lengths that are tried for each axis: beyond the eighth, the transform is a quarter longer than it need be.
const CHOICE: usize = 8;
