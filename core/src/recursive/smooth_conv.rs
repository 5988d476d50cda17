//! Recursive smoothing in time, then convolution in space: a spatio-temporal kernel at the cost of a few spatial ones.
//!
//! ```text
//! y_0 = e_0(x),  y_i = e_i(y_{i-1})        e_i: exponential low-pass with its own time constant
//! out = g_0(y_0) + … + g_{n-1}(y_{n-1})    g_i: same-size 2-D convolution
//! ```
//! The components `g_i(y_i)` can also be separate channels (channel `c n + i` for input channel `c`).
//!
//! - `spatial` holds the `n` kernels, `n x kh x kw`, in correlation order.
//! - State: `y_0 … y_{n-1}` of every channel, rows stored with their borders:
//!   `channels x rows x (n + m) x (cols + kw - 1)`. The stages of a row are neighbours, so the chain passes through
//!   each row once. After them come the remainders of the `m` stages whose time constant is so long that they are
//!   [compensated](super), in the same order. The remainders outside the pixels have no meaning.
//! - A constant input is multiplied by the gain of the kernels, to 1e-4 of `sum_i (i + 1) |g_i|`. [`recursive`](super)
//!   has the bounds of each stage and the treatment of small numbers.
//! - Cost: `n (kh kw + 3)` operations per sample, 5 more for a compensated stage.
//! - In blocks ([`SmoothConv::in_blocks`]), the chain processes a row through several frames and writes its stages to
//!   scratch. Then the kernels process the frames. Threads share the rows, then the frames. The result is
//!   bit-identical.

use super::Decay;
use super::update::{
    due, flush, is_copy, plain, scaled, smooth, smooth_amplified, smooth_once, smooth_thrice, smooth_twice,
};
use crate::cases::Cases;
use crate::conv::conv3d::pad_row;
use crate::conv::lines::Lines;
use crate::conv::separable::Spatial;
use crate::conv::taps::cases_of;
use crate::conv::tile::Correlation;
use crate::conv::{Border, Factors};
use crate::eights::in_eights;
use crate::engine::{Engine, Pieces, WorkSplitter};
use crate::error::{all_finite, all_finite_samples, exact, nonempty};
use crate::filter::{copy, piece, piece_mut};
use crate::graph::MOVE;
use crate::lanes::Lanes;
use crate::sample::Scaled;
use crate::{Error, Filter, Sample, Scratch, Shape, Signature};
use core::ops::Range;

/// Samples of a row whose sums pass through the stages together.
const TOGETHER: usize = 64;

/// Stages whose gains are computed once for all rows.
const GAINS: usize = 8;
type Gains<T> = [Scaled<T>; GAINS];

/// Samples as sums.
#[inline(always)]
fn hold<T: Sample>(sums: &mut [T::Sum], x: &[T]) {
    sums.iter_mut().zip(x).for_each(|(sum, x)| *sum = x.to_sum());
}

/// A chain of exponentials, each followed by its own kernel; see the [equation](self).
///
/// ```
/// use foveola_core::{constant, Border, Decay, Filter, Shape, SmoothConv};
/// static DECAYS: [Decay; 2] = [constant!(Decay::new(0.01, 1000.0)), constant!(Decay::new(0.02, 1000.0))];
/// static SPATIAL: [f32; 18] = [1.0 / 18.0; 18];
/// const SMOOTH: SmoothConv =
///     constant!(SmoothConv::new(Shape::new(1, 4, 4), &DECAYS, &SPATIAL, [3, 3], Border::Replicate));
/// let mut state = [0.0; SMOOTH.signature().state];
/// let mut out = [0.0; 16];
/// for t in 0..1000 {
///     SMOOTH.step(t, &mut state, &mut [], &[1.0; 16], &mut out).unwrap();
/// }
/// assert!((out[0] - 1.0).abs() < 1e-4);
/// ```
#[must_use]
#[derive(Clone, Copy, Debug)]
pub struct SmoothConv<'w, T = f32> {
    shape: Shape,
    decays: &'w [Decay],
    /// Stages that are compensated.
    remainders: usize,
    /// Frames after which small numbers become zero: the shortest period of the other stages; 0 if there are none.
    period: u32,
    spatial: &'w [T],
    /// They count `2^shift` times.
    shift: i8,
    /// The same for the factors along rows and along columns.
    factor_shifts: [i8; 2],
    /// The first stage reads `2^amplification` times the input: for integers alone.
    amplification: i8,
    size: [usize; 2],
    border: Border,
    components: bool,
    factors: Option<Factors<'w, T>>,
    /// Frames of a block.
    block: usize,
}

/// The name of the kernels in errors.
const SPATIAL: &str = "the spatial filter";

impl<'w> SmoothConv<'w> {
    /// A filter with one stage for each of `decays`, whose kernels of `size` (rows, columns) lie in `spatial`.
    ///
    /// # Errors
    /// An empty frame, no stages, an empty kernel, or kernels of the wrong length or that are not finite.
    pub const fn new(
        shape: Shape,
        decays: &'w [Decay],
        spatial: &'w [f32],
        size: [usize; 2],
        border: Border,
    ) -> Result<Self, Error> {
        match (Self::from_checked(shape, decays, spatial, size, border), all_finite(SPATIAL, spatial)) {
            (Ok(_), Err(error)) => Err(error),
            (smooth, _) => smooth,
        }
    }

    /// The same filter, whose spatial kernels are computed by `factors` of `(stage, 1, 1, row, col)`, each a sum of products:
    /// see [`separable`](crate::conv::separable).
    ///
    /// # Errors
    /// Factors of the wrong lengths or that are not finite.
    pub const fn separable(self, factors: Factors<'w>) -> Result<Self, Error> {
        match factors.check_numbers() {
            Ok(()) => self.with_checked_factors(factors),
            Err(error) => Err(error),
        }
    }
}

impl<T: Sample> SmoothConv<'_, T> {
    /// Checks that all weights are finite: for samples of any type, and for a table that may be damaged.
    ///
    /// # Errors
    /// [`Error::NonFiniteWeight`] for the first one that is not.
    pub fn check_finite(&self) -> Result<(), Error> {
        all_finite_samples(SPATIAL, self.spatial)
    }
}

impl<'w, T> SmoothConv<'w, T> {
    /// [`SmoothConv::new`] for samples of any type, and for kernels that were checked before: their values are not read.
    /// [`SmoothConv::check_finite`] checks them.
    ///
    /// # Errors
    /// As [`SmoothConv::new`], but for kernels that are not finite.
    pub const fn from_checked(
        shape: Shape,
        decays: &'w [Decay],
        spatial: &'w [T],
        size: [usize; 2],
        border: Border,
    ) -> Result<Self, Error> {
        if let Err(error) = nonempty(shape) {
            return Err(error);
        }
        let len = decays.len().saturating_mul(size[0]).saturating_mul(size[1]);
        if len == 0 {
            return Err(Error::EmptyKernel { kernel: [decays.len(), 1, 1, size[0], size[1]] });
        }
        if let Err(error) = exact(SPATIAL, spatial.len(), len) {
            return Err(error);
        }
        let (mut remainders, mut period, mut stage) = (0, 0, 0);
        while stage < decays.len() {
            let own = decays[stage].period;
            remainders += decays[stage].is_compensated() as usize;
            period = if period == 0 || own != 0 && own < period { own } else { period };
            stage += 1;
        }
        let (components, factors) = (false, None);
        Ok(Self {
            shape,
            decays,
            remainders,
            period,
            spatial,
            shift: 0,
            factor_shifts: [0; 2],
            amplification: 0,
            size,
            border,
            components,
            factors,
            block: 1,
        })
    }

    /// One decay for each stage.
    pub const fn decays(&self) -> &'w [Decay] {
        self.decays
    }

    /// The kernels, `stage x row x col`, and their size.
    pub const fn weights(&self) -> (&'w [T], [usize; 2]) {
        (self.spatial, self.size)
    }

    /// What the kernels read outside the frame.
    pub const fn border(&self) -> Border {
        self.border
    }

    /// Whether every component is a separate channel.
    pub const fn yields_components(&self) -> bool {
        self.components
    }

    /// The factors of the kernels, if there are any.
    pub const fn factors(&self) -> Option<&Factors<'w, T>> {
        self.factors.as_ref()
    }

    /// What the kernels count: `2^shift` times. 0 but for samples that are [integers](crate::fixed).
    pub const fn shift(&self) -> i8 {
        self.shift
    }

    /// The same for the factors along rows and along columns.
    pub const fn factor_shifts(&self) -> [i8; 2] {
        self.factor_shifts
    }

    /// The power of two by which the input counts in the first stage: 0 but for integers.
    pub const fn amplification(&self) -> i8 {
        self.amplification
    }

    /// The same filter, with this power of two.
    pub(crate) const fn amplify(self, amplification: i8) -> Self {
        Self { amplification, ..self }
    }

    /// The same filter, with these shifts.
    pub(crate) const fn scaled(self, shift: i8, factor_shifts: [i8; 2]) -> Self {
        Self { shift, factor_shifts, ..self }
    }

    /// The same filter, yielding every component as a channel instead of their sum.
    pub const fn components(self) -> Self {
        Self { components: true, ..self }
    }

    /// [`SmoothConv::separable`] for samples of any type, and for factors that were checked before
    /// ([`Factors::check_finite`]).
    ///
    /// # Errors
    /// As [`SmoothConv::separable`], but for factors that are not finite.
    pub const fn with_checked_factors(self, factors: Factors<'w, T>) -> Result<Self, Error> {
        match factors.check([self.decays.len(), 1, 1, self.size[0], self.size[1]]) {
            Ok(()) => Ok(Self { factors: Some(factors), ..self }),
            Err(error) => Err(error),
        }
    }

    /// Processes blocks of `frames` frames when there are threads to share them, with correspondingly more scratch.
    pub const fn in_blocks(self, frames: usize) -> Self {
        Self { block: if frames == 0 { 1 } else { frames }, ..self }
    }

    const fn planes(&self) -> usize {
        match &self.factors {
            Some(factors) => factors.terms.saturating_mul(self.decays.len()),
            None => 0,
        }
    }

    /// Samples of a stored row: its left border (half the kernel), its pixels, its right border.
    pub const fn stride(&self) -> usize {
        self.shape.cols.saturating_add(self.size[1] - 1)
    }

    /// Samples of a row of all stages.
    const fn row(&self) -> usize {
        self.decays.len().saturating_mul(self.stride())
    }

    /// Samples of a row of the state: the stages, then the remainders.
    const fn stored(&self) -> usize {
        self.decays.len().saturating_add(self.remainders).saturating_mul(self.stride())
    }

    /// What the filter takes, yields and needs.
    pub const fn signature(&self) -> Signature {
        let rows = self.shape.channels.saturating_mul(self.shape.rows);
        let mut signature = Signature::same(self.shape, rows.saturating_mul(self.stored()));
        if self.components {
            signature.output.channels = self.shape.channels.saturating_mul(self.decays.len());
        }
        let planes = self.planes().saturating_mul(self.shape.pixels());
        signature.scratch = Scratch::NONE.and(match self.block {
            ..2 => planes,
            _ => {
                let stages = rows.saturating_mul(self.row());
                stages.saturating_add(planes.saturating_mul(self.shape.channels)).saturating_mul(self.block)
            }
        });
        signature
    }
}

impl<T> SmoothConv<'_, T> {
    /// Whether [`Self::replace_with`] runs the filter: its output has the shape of the input, and it does not process blocks of
    /// frames.
    pub(crate) const fn is_in_place(&self) -> bool {
        !self.components && self.block < 2
    }

    /// Whether an output pixel is a sum of one pixel of each of three stages.
    pub const fn is_sum_of_stages(&self) -> bool {
        let is_pixel = self.size[0] == 1 && self.size[1] == 1;
        is_pixel && self.decays.len() == 3 && !self.components && self.factors.is_none()
    }

    /// What the filter asks for.
    pub(crate) const fn cases(&self) -> Cases {
        let (stages, cols, of_factors) = (self.decays.len(), self.shape.cols, self.factors.is_some());
        let (mut others, mut stage) = (self.amplification != 0, 0);
        while stage < stages {
            // A gain near 1 may be rounded to it.
            others = others || self.decays[stage].is_compensated() || self.decays[stage].gain > 0.99;
            stage += 1;
        }
        // A microcontroller has nothing but lanes without vectors.
        let is_sum = self.is_sum_of_stages() && cfg!(target_os = "none");
        let kernels = if of_factors { Cases::BY_FACTORS.and(cases_of(1, 1, 1, cols)) } else { Cases::DIRECT };
        kernels
            .and(cases_of(self.size[1], 1, 1, cols))
            .when(!is_sum)
            .and(Cases::SUM_OF_STAGES.when(self.is_sum_of_stages()))
            .and(Cases::OTHER_STAGES.when(others))
            .and(Cases::PLAIN_STAGES.when(self.remainders == 0))
            .and(Cases::THREE_STAGES.when(stages >= 3))
            .and(Cases::TWO_STAGES.when(stages % 3 == 2))
            .and(Cases::ONE_STAGE.when(stages % 3 == 1))
    }

    /// Multiply-adds for a frame.
    pub const fn work(&self) -> usize {
        let taps = match &self.factors {
            Some(_) => self.planes().saturating_mul(self.size[0].saturating_add(self.size[1])),
            None => self.spatial.len(),
        };
        self.shape.len().saturating_mul(taps.saturating_add(self.decays.len().saturating_mul(MOVE)))
    }
}

impl<T: Sample> SmoothConv<'_, T> {
    /// The chain of exponentials for rows `rows` of frame `t` (as far as a `usize` holds it), whose stages are in
    /// `state`. With room in `stages` it processes the frames of a block, and writes the stages of a row after each
    /// frame there, one after another.
    #[cfg_attr(target_os = "none", inline(never))] // keeps its stack apart from that of the kernels
    fn chain<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        t: usize,
        rows: Range<usize>,
        input: &[T],
        state: &mut [T],
        stages: &mut [T],
    ) {
        let (count, row, stored) = (rows.len(), self.row().max(1), self.stored().max(1));
        let frames = stages.len().checked_div(count * row).unwrap_or(0);
        let work = row.saturating_mul(MOVE).saturating_mul(frames.max(1));
        if let Some(engine) = engine.halve(work.saturating_mul(count)).filter(|_| count > 1) {
            let (half, middle) = (count / 2, rows.start + count / 2);
            let (y, y_below) = state.split_at_mut_checked(half * stored).unwrap_or_default();
            let (s, s_below) = stages.split_at_mut(half * row * frames);
            engine.splitter.join(
                || self.chain(engine, t, rows.start..middle, input, y, s),
                || self.chain(engine, t, middle..rows.end, input, y_below, s_below),
            );
            return;
        }
        engine.lanes.vectorize(
            #[inline(always)]
            || {
                let cols = self.shape.cols.max(1);
                let plain = L::asks(Cases::PLAIN_STAGES, self.is_plain()) || !L::asks(Cases::OTHER_STAGES, true);
                let mut gains = [Scaled { value: T::zero(), shift: 0 }; GAINS];
                gains.iter_mut().zip(self.decays).for_each(|(gain, decay)| *gain = scaled(*decay));
                if frames == 0 {
                    for r in due(t, self.period, rows.clone()) {
                        self.flush_row(piece_mut(state, r - rows.start, stored).unwrap_or_default());
                    }
                    let x = input.get(rows.start * cols..).unwrap_or(&[]).chunks_exact(cols);
                    for (x, state) in x.zip(state.chunks_exact_mut(stored)) {
                        self.chain_row::<L>(plain, &gains, x, state);
                    }
                    return;
                }
                let state = state.chunks_exact_mut(stored);
                for (r, (state, stages)) in rows.zip(state.zip(stages.chunks_exact_mut(row * frames))) {
                    for (f, to) in stages.chunks_exact_mut(row).enumerate() {
                        if due(t.wrapping_add(f), self.period, r..r + 1).next().is_some() {
                            self.flush_row(state);
                        }
                        self.chain_row::<L>(
                            plain,
                            &gains,
                            piece(input, f * (self.shape.len() / cols) + r, cols).unwrap_or(&[]),
                            state,
                        );
                        copy(to, state);
                    }
                }
            },
        );
    }

    /// The chain for frame `t`, all channels, without the kernels.
    pub(crate) fn chain_of_frame<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        t: u64,
        x: &[T],
        state: &mut [T],
    ) {
        self.chain(engine, t as usize, 0..self.shape.channels.saturating_mul(self.shape.rows), x, state, &mut []);
    }

    /// The pixels of stage `stage` in row `row` of the state, counted over all channels.
    pub(crate) fn stage_row<'s>(&self, state: &'s [T], row: usize, stage: usize) -> &'s [T] {
        let first = row * self.stored() + stage * self.stride() + self.size[1] / 2;
        state.get(first..first + self.shape.cols).unwrap_or(&[])
    }

    /// [`SmoothConv::advance_with`] in blocks.
    #[inline(always)]
    fn advance_in_blocks<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        t: u64,
        state: &mut [T],
        scratch: &mut [T],
        input: &[T],
        output: &mut [T],
    ) -> Result<usize, Error> {
        let (len, channels) = (self.shape.len().max(1), self.shape.channels.max(1));
        let size = self.signature().output.len() / channels;
        for (i, x) in input.chunks(self.block.saturating_mul(len)).enumerate() {
            let (frames, rows) = (x.len() / len, channels.saturating_mul(self.shape.rows));
            let t = (t as usize).wrapping_add(i.saturating_mul(self.block));
            let stages = rows.saturating_mul(self.row()).saturating_mul(frames);
            let (stages, scratch) = scratch.split_at_mut_checked(stages).unwrap_or_default();
            self.chain(engine, t, 0..rows, x, state, stages);
            let stages = &*stages;
            let output = output.get_mut(i.saturating_mul(self.block).saturating_mul(size * channels)..);
            let pieces = Pieces {
                range: 0..frames * channels,
                work: self.work() / channels,
                scratch,
                size,
                output: piece_mut(output.unwrap_or_default(), 0, frames.saturating_mul(size * channels))?,
            };
            let of_row = self.row().saturating_mul(frames);
            // The k-th plane of the block belongs to frame k / channels and channel k mod channels.
            pieces.share(engine, &|engine, k, scratch, output| {
                let first = (k % channels) * self.shape.rows * of_row + k / channels * self.row();
                self.spatial(engine, stages.get(first..).unwrap_or(&[]), of_row, scratch, output);
            });
        }
        Ok(input.len() / len)
    }

    /// Makes small numbers of a row of the state zero.
    #[inline(always)]
    fn flush_row(&self, state: &mut [T]) {
        for (decay, y) in self.decays.iter().zip(state.chunks_exact_mut(self.stride().max(1))) {
            if !decay.is_compensated() {
                flush(y);
            }
        }
    }

    /// Whether all stages compute `y += (1-a) (x - y)` directly.
    fn is_plain(&self) -> bool {
        (!T::HAS_WIDE_SUMS || self.amplification == 0) && self.decays.iter().all(|decay| plain::<T>(*decay).is_some())
    }

    /// One row of the chain, three stages at a time where all are `plain`.
    #[inline(always)]
    fn chain_row<L: Lanes<T>>(&self, plain: bool, gains: &Gains<T>, x: &[T], state: &mut [T]) {
        let (cols, stride, left) = (self.shape.cols, self.stride(), self.size[1] / 2);
        let (stages, remainders) = state.split_at_mut_checked(self.row()).unwrap_or_default();
        for first in (0..if plain { self.decays.len() } else { 0 }).step_by(3) {
            let gain = |stage: usize| self.gain(gains, first + stage);
            let (before, rest) = stages.split_at_mut_checked(first * stride).unwrap_or_default();
            let x = match before.len().checked_sub(stride) {
                None => x,
                Some(last) => before.get(last + left..).unwrap_or(&[]),
            };
            let mut rows = rest.chunks_exact_mut(stride.max(1));
            let mut row = || rows.next().and_then(|row| row.get_mut(left..)?.get_mut(..cols)).unwrap_or_default();
            match self.decays.len() - first {
                1 if L::asks(Cases::ONE_STAGE, true) => smooth_once(gain(0), x, row()),
                2 if L::asks(Cases::TWO_STAGES, true) => smooth_twice([0, 1].map(gain), x, [row(), row()]),
                3.. if L::asks(Cases::THREE_STAGES, true) => {
                    smooth_thrice([0, 1, 2].map(gain), x, [row(), row(), row()]);
                }
                _ => {}
            }
        }
        if !plain {
            self.any_stages(gains, x, stages, remainders);
        }
        for row in stages.chunks_exact_mut(stride.max(1)) {
            pad_row(row, left, cols, self.border);
        }
    }

    /// The gain of a stage.
    #[inline(always)]
    fn gain(&self, gains: &Gains<T>, stage: usize) -> Scaled<T> {
        let zero = Scaled { value: T::zero(), shift: 0 };
        gains.get(stage).copied().unwrap_or_else(|| self.decays.get(stage).map_or(zero, |decay| scaled(*decay)))
    }

    /// A row of stages of any kind, one after the other.
    #[inline(always)]
    fn any_stages(&self, gains: &Gains<T>, x: &[T], stages: &mut [T], remainders: &mut [T]) {
        if T::HAS_WIDE_SUMS {
            return self.stages_of_sums(gains, x, stages, remainders);
        }
        let (cols, stride, left) = (self.shape.cols, self.stride().max(1), self.size[1] / 2);
        let (mut x, mut remainders) = (x, remainders.chunks_exact_mut(stride));
        for (decay, y) in self.decays.iter().zip(stages.chunks_exact_mut(stride)) {
            let c = if decay.is_compensated() { remainders.next() } else { None };
            let y = y.get_mut(left..left + cols).unwrap_or_default();
            smooth(*decay, x, y, c.unwrap_or_default());
            x = y;
        }
    }

    /// The same of integers. A stage with a remainder reads all that the one before it holds.
    fn stages_of_sums(&self, gains: &Gains<T>, x: &[T], stages: &mut [T], remainders: &mut [T]) {
        let (cols, stride, left) = (self.shape.cols, self.stride().max(1), self.size[1] / 2);
        let mut sums = [T::zero().to_sum(); TOGETHER];
        for (mut x, col) in x.chunks(TOGETHER).zip((0..cols).step_by(TOGETHER)) {
            let sums = sums.get_mut(..x.len()).unwrap_or_default();
            let mut remainders = remainders.chunks_exact_mut(stride);
            let mut amplification = self.amplification;
            if amplification == 0 {
                hold(sums, x);
            }
            for (i, (decay, y)) in self.decays.iter().zip(stages.chunks_exact_mut(stride)).enumerate() {
                let gain = || self.gain(gains, i);
                let y = y.get_mut(left + col..).and_then(|y| y.get_mut(..x.len())).unwrap_or_default();
                let c = if decay.is_compensated() { remainders.next() } else { None };
                match c.filter(|_| !is_copy::<T>(*decay)).and_then(|c| c.get_mut(col..)) {
                    Some(c) if amplification != 0 => {
                        T::approach_amplified_row(x, sums, [y, c], gain(), amplification);
                    }
                    Some(c) => T::approach_row(sums, y, c, gain()),
                    None => {
                        if amplification == 0 {
                            smooth(*decay, x, y, &mut []);
                        } else {
                            smooth_amplified(*decay, amplification, x, y);
                        }
                        hold(sums, y);
                    }
                }
                (x, amplification) = (y, 0);
            }
        }
    }

    /// The kernels of one channel's stages, whose rows lie `of_row` samples apart.
    #[inline(always)]
    fn spatial<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        stages: &[T],
        of_row: usize,
        scratch: &mut [T],
        output: &mut [T],
    ) {
        let (n, [kh, kw]) = (self.decays.len(), self.size);
        let Shape { rows, cols, .. } = self.shape;
        let lines = Lines::of_frame(stages, [self.stride(), of_row], rows, self.border);
        if let Some(factors) = self.factors.as_ref().filter(|_| L::asks(Cases::BY_FACTORS, true)) {
            let spatial = Spatial {
                may_be_sparse: false,
                lines,
                inputs: n,
                planes: self.planes(),
                rows: factors.rows,
                cols: factors.cols,
                outs: if self.components { n } else { 1 },
                bias: &[],
                shifts: self.factor_shifts,
                dilation: [1; 2],
                border: self.border,
                top: kh / 2,
                rows_in: rows,
                size: [rows, cols],
            };
            return spatial.run(engine, scratch, output);
        }
        if L::PLAIN && L::asks(Cases::SUM_OF_STAGES, self.is_sum_of_stages()) {
            return self.sum_of_stages(stages, of_row, output);
        }
        if !L::asks(Cases::DIRECT, true) {
            return;
        }
        let correlation = Correlation {
            may_be_sparse: false,
            lines,
            weights: self.spatial,
            bias: &[],
            shift: self.shift,
            kernel: if self.components { [n, 1, 1, kh, kw] } else { [1, n, 1, kh, kw] },
            groups: if self.components { n } else { 1 },
            step: [1; 2],
            dilation: [1; 2],
            top: (kh / 2) as isize,
            rows,
            cols,
            pitch: [self.shape.pixels(), cols],
        };
        correlation.run(engine, output);
    }

    /// The same for three kernels of one pixel, row by row: without vectors, where to set up the rows and tiles of a convolution costs
    /// more than these sums.
    #[cfg_attr(target_os = "none", inline(never))]
    fn sum_of_stages(&self, stages: &[T], of_row: usize, output: &mut [T]) {
        let cols = self.shape.cols.max(1);
        let &[a, b, c] = self.spatial else { return };
        for (stages, out) in stages.chunks(of_row.max(1)).zip(output.chunks_exact_mut(cols)) {
            let mut stages = stages.chunks_exact(cols);
            let [x, y, z] = [(); 3].map(|()| stages.next().unwrap_or(&[]));
            in_eights((((x, y), z), out), |(((x, y), z), out)| {
                for (((out, x), y), z) in out.iter_mut().zip(x).zip(y).zip(z) {
                    let sum = T::add_product(T::add_product(T::zero().to_sum(), *x, a), *y, b);
                    *out = T::from_sum(T::add_product(sum, *z, c), self.shift);
                }
            });
        }
    }

    /// [`Filter::advance`] with given vectors and threads.
    ///
    /// # Errors
    /// [`Error::Length`] when called with wrong lengths.
    #[inline(always)]
    pub fn advance_with<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        t: u64,
        state: &mut [T],
        scratch: &mut [T],
        input: &[T],
        output: &mut [T],
    ) -> Result<usize, Error> {
        let together = self.block.min(input.len() / self.shape.len().max(1));
        if together > 1 && engine.halve(self.work().saturating_mul(together)).is_some() {
            return self.advance_in_blocks(engine, t, state, scratch, input, output);
        }
        let out = self.signature().output.len() / self.shape.channels.max(1);
        for (k, x) in input.chunks_exact(self.shape.pixels().max(1)).enumerate() {
            let state = self.chain_of_plane(engine, t, k, x, state)?;
            self.spatial(engine, state, self.stored(), scratch, piece_mut(output, k, out)?);
        }
        Ok(input.len() / self.shape.len().max(1))
    }

    /// Replaces frames by the filter's output, with given vectors and threads. The kernels read the stages in the state, so the
    /// frame is free once the chain has passed through it.
    ///
    /// # Errors
    /// [`Error::Length`] when called with wrong lengths.
    #[inline(always)]
    pub fn replace_with<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        t: u64,
        state: &mut [T],
        scratch: &mut [T],
        frames: &mut [T],
    ) -> Result<(), Error> {
        for (k, plane) in frames.chunks_exact_mut(self.shape.pixels().max(1)).enumerate() {
            let state = self.chain_of_plane(engine, t, k, plane, state)?;
            self.spatial(engine, state, self.stored(), scratch, plane);
        }
        Ok(())
    }

    /// Runs the chain for plane `k` of the chunk from frame `t` on (frame by frame, channel by channel), and returns its state.
    #[inline(always)]
    fn chain_of_plane<'s, L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        t: u64,
        k: usize,
        x: &[T],
        state: &'s mut [T],
    ) -> Result<&'s [T], Error> {
        let (channels, rows) = (self.shape.channels.max(1), self.shape.rows);
        let channel = k % channels;
        let state = piece_mut(state, channel, rows.saturating_mul(self.stored()))?;
        // The count of rows continues from channel to channel.
        let t = (t as usize).wrapping_add(k / channels + channel * rows);
        self.chain(engine, t, 0..rows, x, state, &mut []);
        Ok(state)
    }
}

impl<T: Sample> Filter<T> for SmoothConv<'_, T> {
    fn signature(&self) -> Signature {
        Self::signature(self)
    }

    fn advance(
        &self,
        t: u64,
        state: &mut [T],
        scratch: &mut [T],
        input: &[T],
        output: &mut [T],
    ) -> Result<usize, Error> {
        self.advance_with(Engine::single_thread(T::LANES), t, state, scratch, input, output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Q15;
    use crate::cases::tests::Known;
    use crate::lanes::{OF_F32, Plain};
    extern crate std;
    use std::{vec, vec::Vec};

    /// The bits of 4 frames of samples that are zero here and there.
    fn run<T: Sample, L: Lanes<T>>(smooth: &SmoothConv<'_, T>, lanes: L) -> Vec<u64> {
        let (signature, mut bits) = (smooth.signature(), Vec::new());
        let (mut state, mut out) = (vec![T::zero(); signature.state], vec![T::zero(); signature.output.len()]);
        let mut scratch = vec![T::zero(); signature.scratch.len(1)];
        for t in 0..4 {
            let number = |i: usize| (((i + 7 * t) * 37) % 29) as f64 / 64.0 - 0.2;
            let x: Vec<T> =
                (0..signature.input.len()).map(|i| T::from_f64(if i % 5 == t { 0.0 } else { number(i) })).collect();
            smooth
                .advance_with(Engine::single_thread(lanes), t as u64, &mut state, &mut scratch, &x, &mut out)
                .unwrap();
            bits.extend(out.iter().map(|y| y.to_raw_bits()));
        }
        bits
    }

    /// A microcontroller adds the stages by themselves: the sums are those of tiles, for every number of stages.
    #[test]
    fn kernels_of_one_pixel_have_the_same_bits() {
        let decays = [0.5, 0.25, 0.125, 0.3, 0.7, 0.9].map(|gain| Decay::from_gain(gain).unwrap());
        let of_stages = Cases::ONE_STAGE.and(Cases::TWO_STAGES).and(Cases::THREE_STAGES).and(Cases::PLAIN_STAGES);
        let by_tiles = of_stages.and(Cases::DIRECT).and(Cases::taps(1)).and(Cases::REST);
        for stages in 1..=decays.len() {
            for (rows, cols) in [(1, 1), (3, 7), (2, 8), (2, 21), (3, 64)] {
                let (shape, decays) = (Shape::new(2, rows, cols), &decays[..stages]);
                let weights: Vec<f32> = (0..stages).map(|i| 0.3 - 0.11 * i as f32).collect();
                let smooth = SmoothConv::new(shape, decays, &weights, [1, 1], Border::Zeros).unwrap();
                for smooth in [smooth, smooth.components()] {
                    let expected = run(&smooth, OF_F32);
                    assert_eq!(run(&smooth, Plain::<8, false>), expected, "{stages} stages, {shape}");
                    assert_eq!(run(&smooth, Plain::<8, true>), expected, "{stages} stages, {shape}, in loops");
                }
                let weights: Vec<Q15> = weights.iter().map(|w| Q15::from_f64(f64::from(*w))).collect();
                let smooth = SmoothConv::from_checked(shape, decays, &weights, [1, 1], Border::Zeros)
                    .unwrap()
                    .scaled(-1, [0; 2]);
                let expected = run(&smooth, Known::of(by_tiles, Plain::<8, false>));
                assert_eq!(run(&smooth, Plain::<8, false>), expected, "{stages} stages, {shape} of integers");
            }
        }
    }
}
