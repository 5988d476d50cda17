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
//! - Scratch: `in/groups x K` frames for each of the first two lines; a [few rows](super::bands) of them for a kernel of one
//!   frame.
//! - The state is that of the direct convolution, so a stream can continue with the other algorithm.
//! - Rounding: the taps are those of the products, `w` to within their error, and three short sums replace a long one.

use super::Border;
use super::conv3d::Conv3d;
use super::lines::{Lines, Stored};
use super::tile::Correlation;
use crate::engine::{Engine, WorkSplitter};
use crate::error::{all_finite, all_finite_samples, exact};
use crate::lanes::Lanes;
use crate::{Error, Sample};
use core::ops::Range;

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

const TIME: &str = "the temporal factors";
const ROWS: &str = "the factors along rows";
const COLS: &str = "the factors along columns";

impl<T> Factors<'_, T> {
    pub(crate) const fn check(&self, [out, ins, t, r, c]: [usize; 5]) -> Result<(), Error> {
        let terms = out.saturating_mul(ins).saturating_mul(self.terms);
        if terms == 0 {
            return Err(Error::EmptyKernel { kernel: [out, ins, t, r, c] });
        }
        if let Err(error) = exact(TIME, self.time.len(), terms.saturating_mul(t)) {
            return Err(error);
        }
        if let Err(error) = exact(ROWS, self.rows.len(), terms.saturating_mul(r)) {
            return Err(error);
        }
        exact(COLS, self.cols.len(), terms.saturating_mul(c))
    }
}

impl Factors<'_> {
    pub(crate) const fn check_numbers(&self) -> Result<(), Error> {
        if let Err(error) = all_finite(TIME, self.time) {
            return Err(error);
        }
        match all_finite(ROWS, self.rows) {
            Ok(()) => all_finite(COLS, self.cols),
            error => error,
        }
    }
}

impl<T: Sample> Factors<'_, T> {
    /// Checks that all factors are finite: for samples of any type.
    ///
    /// # Errors
    /// [`Error::NonFiniteWeight`] for the first one that is not.
    pub fn check_finite(&self) -> Result<(), Error> {
        all_finite_samples(TIME, self.time)?;
        all_finite_samples(ROWS, self.rows)?;
        all_finite_samples(COLS, self.cols)
    }
}

impl<T: Sample> Conv3d<'_, T> {
    /// [`Conv3d::output`] with factors.
    #[inline(always)]
    pub(super) fn output_by<L: Lanes<T>, F: WorkSplitter>(
        &self,
        factors: &Factors<'_, T>,
        engine: Engine<L, F>,
        frames: Stored<'_, T>,
        scratch: &mut [T],
        output: &mut [T],
    ) {
        let [outs, ins, kt, ..] = self.kernel().shape;
        let (rows, stride, planes) = (self.input.rows, self.stride(), self.planes());
        let plane = rows.saturating_mul(stride);
        let size = self.output_shape();
        let (past, scratch) =
            scratch.split_at_mut_checked(if kt == 1 { 0 } else { planes * plane }).unwrap_or_default();
        let border = self.options.border.unwrap_or_default();
        for (o, output) in output.chunks_exact_mut(size.pixels().max(1)).enumerate() {
            let of = |k: usize| o * planes * k..(o + 1) * planes * k;
            let first = (o * self.options.groups).checked_div(outs).unwrap_or(0) * ins;
            let frames = frames.from(first * plane);
            let (mut lines, mut inputs) = (self.lines(frames, rows), ins);
            if kt > 1 {
                // Every sample of a frame, borders too, as one long row.
                let in_time = Correlation {
                    may_be_sparse: false,
                    lines: self.lines(frames, 1),
                    weights: factors.time.get(of(kt)).unwrap_or(&[]),
                    bias: &[],
                    shift: self.factor_shifts[0],
                    kernel: [planes, 1, kt, 1, 1],
                    groups: ins,
                    step: [1; 2],
                    dilation: [1; 2],
                    top: 0,
                    rows: 1,
                    cols: plane,
                    pitch: [plane, plane],
                };
                in_time.run(engine, past);
                (lines, inputs) = (Lines::of_frame(past, [plane, stride], rows, border), planes);
            }
            self.spatial(factors, o, lines, inputs).run(engine, scratch, output);
        }
    }

    /// The spatial factors of output channel `o`, applied to `inputs` channels in `lines`.
    pub(super) fn spatial<'a>(
        &'a self,
        factors: &Factors<'a, T>,
        o: usize,
        lines: Lines<'a, T>,
        inputs: usize,
    ) -> Spatial<'a, T> {
        let [.., kh, kw] = self.kernel().shape;
        let (planes, size) = (self.planes(), self.output_shape());
        let of = |k: usize| o * planes * k..(o + 1) * planes * k;
        Spatial {
            lines,
            may_be_sparse: self.kernel().shape[2] == 1,
            inputs,
            planes,
            rows: factors.rows.get(of(kh)).unwrap_or(&[]),
            cols: factors.cols.get(of(kw)).unwrap_or(&[]),
            outs: 1,
            bias: self.kernel().bias.get(o..=o).unwrap_or(&[]),
            shifts: [self.factor_shifts[1], self.factor_shifts[2]],
            dilation: [self.options.dilation[1], self.options.dilation[2]],
            border: self.options.border.unwrap_or_default(),
            top: self.border(1).0,
            rows_in: self.input.rows,
            size: [size.rows, size.cols],
        }
    }
}

/// The second and third line of the equation: columns, then rows.
#[derive(Clone, Copy)]
pub(crate) struct Spatial<'a, T> {
    /// `inputs` channels of rows with their borders.
    pub(crate) lines: Lines<'a, T>,
    /// Whether they may be zero nearly everywhere.
    pub(crate) may_be_sparse: bool,
    pub(crate) inputs: usize,
    /// Number of products, the same for each input: `planes x kh` and `planes x kw` factors.
    pub(crate) planes: usize,
    pub(crate) rows: &'a [T],
    pub(crate) cols: &'a [T],
    /// Output channels; the products are distributed among them in order.
    pub(crate) outs: usize,
    pub(crate) bias: &'a [T],
    /// `2^shift` of the factors along rows and of those along columns.
    pub(crate) shifts: [i8; 2],
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
        self.columns(engine, self.rows_in, self.rows_in, scratch);
        self.along_rows(engine, scratch, self.rows_in, 0..self.size[0], output);
    }

    /// The second line of the equation for the first `rows` rows of [`Self::lines`], into planes that have room for `held`.
    #[inline(always)]
    pub(super) fn columns<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        rows: usize,
        held: usize,
        planes: &mut [T],
    ) {
        let [_, cols] = self.size;
        let columns = Correlation {
            may_be_sparse: self.may_be_sparse,
            lines: self.lines,
            weights: self.cols,
            bias: &[],
            shift: self.shifts[1],
            kernel: [self.planes, 1, 1, 1, self.cols.len() / self.planes.max(1)],
            groups: self.inputs,
            step: [1; 2],
            dilation: [1, self.dilation[1]],
            top: 0,
            rows,
            cols,
            pitch: [held * cols, cols],
        };
        columns.run(engine, planes);
    }

    /// The third line for output rows `band`, which `output` begins with; `held` rows of the planes are in memory.
    #[inline(always)]
    pub(super) fn along_rows<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        planes: &[T],
        held: usize,
        band: Range<usize>,
        output: &mut [T],
    ) {
        let [rows, cols] = self.size;
        let along_rows = Correlation {
            // Vectors add the samples that each has become sooner than they find them.
            may_be_sparse: L::PLAIN && self.may_be_sparse,
            lines: Lines::of_part(planes, [held * cols, cols], [self.rows_in, held], self.border),
            weights: self.rows,
            bias: self.bias,
            shift: self.shifts[0],
            kernel: [self.outs, self.planes / self.outs.max(1), 1, self.rows.len() / self.planes.max(1), 1],
            groups: self.outs,
            step: [1; 2],
            dilation: [self.dilation[0], 1],
            top: self.top as isize - band.start as isize,
            rows: band.len(),
            cols,
            pitch: [rows * cols, cols],
        };
        along_rows.run(engine, output);
    }
}
