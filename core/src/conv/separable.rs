//! A convolution with a kernel that is a sum of products: `w[a, b, e] = sum_k u_k[a] v_k[b] h_k[e]`.
//!
//! ```text
//! p_k = sum_a u_k[a] x[t - dil_t (kt-1-a)]      time: the frames of the ring, with their borders
//! q_k = sum_e h_k[e] p_k[.., c + dil_c e]       columns
//! out = bias + sum_k sum_b v_k[b] q_k[r + dil_r b - top]
//! ```
//! Each line is a correlation of its own (`tile.rs`). An axis of length 1 is left out.
//!
//! - Cost: `K (kt + kh + kw)` multiply-adds per output pixel and pair of channels, instead of `kt kh kw`.
//! - Scratch: `in/groups x K` frames for each of the first two lines.
//! - The state is that of the direct convolution, so a stream can continue with the other algorithm.
//! - Rounding: the taps are those of the products, `w` to within their error, and three short sums replace a long one.

use super::Border;
use super::lines::Lines;
use super::tile::Correlation;
use crate::engine::{Engine, WorkSplitter};
use crate::error::exact;
use crate::lanes::Lanes;
use crate::{Error, Sample};

/// A kernel `(out, in / groups, time, row, col)` in correlation order as a sum of `terms` products for each pair of channels.
#[derive(Clone, Copy, Debug)]
pub struct Factors<'w, T = f32> {
    /// Products in the sum, `K`.
    pub terms: usize,
    /// `u`: `(out, in / groups, K, time)`; ones where the kernel has one frame.
    pub time: &'w [T],
    /// `v`: `(out, in / groups, K, row)`.
    pub rows: &'w [T],
    /// `h`: `(out, in / groups, K, col)`.
    pub cols: &'w [T],
}

impl<T> Factors<'_, T> {
    pub(crate) const fn check(&self, [out, ins, t, r, c]: [usize; 5]) -> Result<(), Error> {
        let terms = out.saturating_mul(ins).saturating_mul(self.terms);
        if terms == 0 {
            return Err(Error::EmptyKernel { kernel: [out, ins, t, r, c] });
        }
        if let Err(error) = exact("the temporal factors", self.time.len(), terms.saturating_mul(t)) {
            return Err(error);
        }
        if let Err(error) = exact("the factors along rows", self.rows.len(), terms.saturating_mul(r)) {
            return Err(error);
        }
        exact("the factors along columns", self.cols.len(), terms.saturating_mul(c))
    }
}

/// The second and third line of the equation: columns, then rows.
#[derive(Clone, Copy)]
pub(crate) struct Spatial<'a, T> {
    /// `inputs` channels of rows with their borders.
    pub(crate) lines: Lines<'a, T>,
    pub(crate) inputs: usize,
    /// Number of products, the same for each input: `planes x kh` and `planes x kw` factors.
    pub(crate) planes: usize,
    pub(crate) rows: &'a [T],
    pub(crate) cols: &'a [T],
    /// Output channels; the products are distributed among them in order.
    pub(crate) outs: usize,
    pub(crate) bias: &'a [T],
    pub(crate) dilation: [usize; 2],
    /// Border of the rows, and how many lie above the frame.
    pub(crate) border: Border,
    pub(crate) top: usize,
    /// Rows of the input; rows and columns of the output.
    pub(crate) rows_in: usize,
    pub(crate) size: [usize; 2],
}

impl<T: Sample> Spatial<'_, T> {
    /// Writes `outs` channels; scratch holds `planes` frames of the input's rows and the output's columns.
    #[inline(always)]
    pub(crate) fn run<L: Lanes<T>, F: WorkSplitter>(&self, engine: Engine<L, F>, scratch: &mut [T], output: &mut [T]) {
        let [rows, cols] = self.size;
        let (kh, kw) = (self.rows.len() / self.planes.max(1), self.cols.len() / self.planes.max(1));
        let columns = Correlation {
            lines: self.lines,
            weights: self.cols,
            bias: &[],
            kernel: [self.planes, 1, 1, 1, kw],
            groups: self.inputs,
            step: [1; 2],
            dilation: [1, self.dilation[1]],
            top: 0,
            rows: self.rows_in,
            cols,
            pitch: [self.rows_in * cols, cols],
        };
        columns.run(engine, scratch);
        let lines = Lines::of_frame(scratch, [self.rows_in * cols, cols], self.rows_in, self.border);
        let along_rows = Correlation {
            lines,
            weights: self.rows,
            bias: self.bias,
            kernel: [self.outs, self.planes / self.outs.max(1), 1, kh, 1],
            groups: self.outs,
            step: [1; 2],
            dilation: [self.dilation[0], 1],
            top: self.top as isize,
            rows,
            cols,
            pitch: [rows * cols, cols],
        };
        along_rows.run(engine, output);
    }
}
