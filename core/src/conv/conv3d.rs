//! Convolution of a stream of frames with a spatio-temporal kernel.
//!
//! ```text
//! out[o, t, r, c] = bias[o] + sum_i sum_a sum_b sum_e
//!     w[o, i, a, b, e] * x[i, st t - dil_t (kt-1-a), sr r + dil_r b - top, sc c + dil_c e - left]
//! ```
//! The weight is in **correlation order**: its last temporal tap multiplies the present frame, its first row and column
//! the pixels above and to the left. An impulse response is the same kernel with all three axes reversed
//! ([`flip_kernels`]). `top = floor(k'/2)` of the dilated size `k' = dil (k - 1) + 1` with a border, 0 without.
//!
//! - State: `dil_t (kt-1) + 1` frames, each row with its left and right border: `channels x rows x (cols + k'w - 1)`
//!   samples per frame. A kernel of one frame has no state; it needs such rows in scratch instead, those of one
//!   [band](super::bands) at a time. If its rows have no border, it reads the input in place.
//! - Cost: `out x in/groups x kt x kh x kw` multiply-adds per output pixel; [fewer](super::sparse) where the input is zero nearly
//!   everywhere.
//! - A kernel that is 1 x 1 in space (`Conv1d` of the host) processes several frames of a chunk at once, each as one
//!   long row, in place. Its state is filled for the next chunk. It needs no scratch.
//!
//! Without temporal padding (`pad: None`) a stream yields its first frame after `dil_t (kt-1) + 1` frames. The state
//! continues from chunk to chunk, so the output does not depend on the chunk size.

use super::bands::{BAND, BAND_OF_FACTORS};
use super::lines::{Frames, Lines, Stored};
use super::taps::cases_of;
use super::tile::Correlation;
use super::time::InTime;
use super::{Border, Factors};
use crate::cases::Cases;
use crate::engine::{Engine, SingleThread, WorkSplitter};
use crate::error::{all_finite, all_finite_samples, exact, nonempty};
use crate::filter::{copy, piece_mut};
use crate::lanes::Lanes;
use crate::{Error, Filter, First, PadMode, Rate, Sample, Scratch, Shape, Signature};

/// Weights `(out, in / groups, time, row, col)` in correlation order, and one bias for each output channel (or none).
#[derive(Clone, Copy, Debug)]
pub struct Kernel<'w, T = f32> {
    /// The weights, row-major.
    pub weights: &'w [T],
    /// Their shape: `[out, in / groups, time, row, col]`.
    pub shape: [usize; 5],
    /// One bias for each output channel; empty for none.
    pub bias: &'w [T],
}

impl<'w, T> Kernel<'w, T> {
    /// A kernel of `[out, in / groups, time, row, col]` without bias.
    pub const fn new(weights: &'w [T], shape: [usize; 5]) -> Self {
        Self { weights, shape, bias: &[] }
    }

    pub(crate) const fn check(&self) -> Result<(), Error> {
        let [o, i, t, r, c] = self.shape;
        let len = o.saturating_mul(i).saturating_mul(t).saturating_mul(r).saturating_mul(c);
        if len == 0 {
            return Err(Error::EmptyKernel { kernel: self.shape });
        }
        if let Err(error) = exact("the weight", self.weights.len(), len) {
            return Err(error);
        }
        if self.bias.is_empty() { Ok(()) } else { exact("the bias", self.bias.len(), o) }
    }
}

impl Kernel<'_> {
    pub(super) const fn check_numbers(&self) -> Result<(), Error> {
        match all_finite("the weight", self.weights) {
            Ok(()) => all_finite("the bias", self.bias),
            error => error,
        }
    }
}

impl<T: Sample> Kernel<'_, T> {
    /// Checks that all weights and biases are finite: for samples of any type, and for a table that may be damaged.
    ///
    /// ```
    /// use foveola_core::{Error, Kernel};
    /// let kernel = Kernel::new(&[0.5_f64, f64::INFINITY], [1, 1, 1, 1, 2]);
    /// let error = Error::NonFiniteWeight { what: "the weight", index: 1, value: f64::INFINITY };
    /// assert_eq!(kernel.check_finite(), Err(error));
    /// ```
    ///
    /// # Errors
    /// [`Error::NonFiniteWeight`] for the first one that is not.
    pub fn check_finite(&self) -> Result<(), Error> {
        all_finite_samples("the weight", self.weights)?;
        all_finite_samples("the bias", self.bias)
    }
}

/// How a kernel slides over the frames. The default yields frames of the same size and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvOptions {
    /// The border in space; `None` keeps only the pixels for which the kernel lies inside the frame.
    pub border: Option<Border>,
    /// The temporal padding; `None` yields no output until the kernel is filled.
    pub pad: Option<PadMode>,
    /// Steps `[time, row, col]` from one output to the next. In time, the frames whose number is a multiple are kept;
    /// without temporal padding (`pad: None`), every `stride`-th frame from the first one that fills the kernel.
    pub stride: [usize; 3],
    /// Distances `[time, row, col]` between the kernel's taps.
    pub dilation: [usize; 3],
    /// Number of groups of channels; each group has its own inputs and outputs.
    pub groups: usize,
}

impl ConvOptions {
    /// Same size, `Replicate` in space and `Mirror` in time, no stride, no dilation, one group.
    pub const DEFAULT: Self = Self {
        border: Some(Border::Replicate),
        pad: Some(PadMode::Mirror),
        stride: [1; 3],
        dilation: [1; 3],
        groups: 1,
    };
}

impl Default for ConvOptions {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The ring of frames in the state of a [`Conv3d`]. Frame `t` lies in slot `t mod slots`: channels x rows x `stride`
/// samples, each row with its borders.
#[doc(hidden)] // a part of `engine`
#[derive(Clone, Copy, Debug)]
pub struct Ring {
    /// Frames from the first to the last tap of the kernel.
    pub slots: usize,
    /// Samples of a frame.
    pub frame: usize,
    /// Frames from one tap to the next.
    pub dilation: usize,
    rows: usize,
    stride: usize,
    border: Border,
    top: usize,
}

impl Ring {
    /// Row `row` of a channel of a stored frame, counted from the first row that the kernel reads; `None` where the
    /// border is zero.
    pub fn line<'a, T>(&self, frame: &'a [T], channel: usize, row: usize) -> Option<&'a [T]> {
        let row = self.border.index((row as isize).saturating_sub(self.top as isize), self.rows)?;
        let first = channel.saturating_mul(self.rows).saturating_add(row).saturating_mul(self.stride);
        frame.get(first..)?.get(..self.stride)
    }
}

/// Keeps every index into a border far from overflow, on 32-bit machines too.
const MAX_EXTENT: usize = 1 << 20;

/// A convolution in space and time; see the [equation](self).
///
/// ```
/// use foveola_core::{constant, Conv3d, ConvOptions, Filter, Kernel, Shape};
/// static WEIGHTS: [f32; 9] = [1.0 / 9.0; 9];
/// const BLUR: Conv3d = constant!(Conv3d::new(
///     Shape::new(1, 4, 4),
///     Kernel::new(&WEIGHTS, [1, 1, 1, 3, 3]),
///     ConvOptions::DEFAULT,
/// ));
/// let mut scratch = [0.0; BLUR.signature().scratch.len(1)];
/// let mut out = [0.0; 16];
/// BLUR.step(0, &mut [], &mut scratch, &[9.0; 16], &mut out).unwrap();
/// assert!(out.iter().all(|y| (y - 9.0).abs() < 1e-5));
/// ```
#[doc(alias = "Conv1d")]
#[doc(alias = "Conv2d")]
#[must_use]
#[derive(Clone, Copy, Debug)]
pub struct Conv3d<'w, T = f32> {
    pub(super) input: Shape,
    kernel: Kernel<'w, T>,
    pub(super) options: ConvOptions,
    factors: Option<Factors<'w, T>>,
    /// Weights and biases count `2^shift` times.
    shift: i8,
    /// The same for the factors in time, along rows (with the biases) and along columns.
    pub(super) factor_shifts: [i8; 3],
    /// Frames of a block, which threads share.
    pub(super) block: usize,
    /// Output rows of a band; 0 for the default.
    band: usize,
}

impl<'w> Conv3d<'w> {
    /// A convolution of frames of `input`.
    ///
    /// ```compile_fail
    /// use foveola_core::{constant, Conv3d, ConvOptions, Kernel, Shape};
    /// const KERNEL: Kernel = Kernel::new(&[0.5, f32::NAN], [1, 1, 1, 1, 2]);
    /// // number 1 of the weight is NaN; expected ..
    /// const WRONG: Conv3d = constant!(Conv3d::new(Shape::new(1, 4, 4), KERNEL, ConvOptions::DEFAULT));
    /// ```
    ///
    /// # Errors
    /// An empty frame or kernel, a weight or bias of the wrong length or that is not finite, channels or groups that do not
    /// fit, a stride or dilation of 0, or (without a border) a kernel larger than the frame.
    pub const fn new(input: Shape, kernel: Kernel<'w>, options: ConvOptions) -> Result<Self, Error> {
        match (Self::from_checked(input, kernel, options), kernel.check_numbers()) {
            (Ok(_), Err(error)) => Err(error),
            (conv, _) => conv,
        }
    }

    /// The same convolution, computed with `factors`, whose products sum to the kernel: see
    /// [`separable`](super::separable).
    ///
    /// # Errors
    /// Factors of the wrong lengths or that are not finite; a stride in space; a kernel of one pixel, which has nothing to
    /// separate.
    pub const fn separable(self, factors: Factors<'w>) -> Result<Self, Error> {
        match factors.check_numbers() {
            Ok(()) => self.with_checked_factors(factors),
            Err(error) => Err(error),
        }
    }
}

impl<'w, T> Conv3d<'w, T> {
    /// [`Conv3d::new`] for samples of any type, and for weights that were checked before ([`Kernel::check_finite`]): their
    /// values are not read.
    ///
    /// # Errors
    /// As [`Conv3d::new`], but for weights that are not finite.
    pub const fn from_checked(input: Shape, kernel: Kernel<'w, T>, options: ConvOptions) -> Result<Self, Error> {
        if let Err(error) = nonempty(input) {
            return Err(error);
        }
        if let Err(error) = kernel.check() {
            return Err(error);
        }
        let (groups, [out, ins, ..]) = (options.groups, kernel.shape);
        if groups == 0 || !out.is_multiple_of(groups) {
            return Err(Error::Groups { groups, channels: out });
        }
        if ins.saturating_mul(groups) != input.channels {
            return Err(Error::Channels { found: ins.saturating_mul(groups), expected: input.channels });
        }
        let mut axis = 0;
        while axis < 3 {
            if options.stride[axis] == 0 {
                return Err(Error::Parameter { name: "stride", value: 0.0, expected: "1 or more" });
            }
            if options.dilation[axis] == 0 {
                return Err(Error::Parameter { name: "dilation", value: 0.0, expected: "1 or more" });
            }
            axis += 1;
        }
        let conv = Self { input, kernel, options, factors: None, shift: 0, factor_shifts: [0; 3], block: 1, band: 0 };
        let mut axis = 0;
        while axis < 3 {
            if conv.extent(axis) > MAX_EXTENT {
                let value = conv.extent(axis) as f64;
                let (name, expected) = ("size of the dilated kernel", "at most 2^20 frames, rows and columns");
                return Err(Error::Parameter { name, value, expected });
            }
            axis += 1;
        }
        let size = [conv.extent(1), conv.extent(2)];
        if options.border.is_none() && (size[0] > input.rows || size[1] > input.cols) {
            return Err(Error::KernelTooLarge { kernel: size, frame: [input.rows, input.cols] });
        }
        Ok(conv)
    }

    /// The kernel.
    pub const fn kernel(&self) -> &Kernel<'w, T> {
        &self.kernel
    }

    /// How it slides.
    pub const fn options(&self) -> &ConvOptions {
        &self.options
    }

    /// The factors of the kernel, if there are any.
    pub const fn factors(&self) -> Option<&Factors<'w, T>> {
        self.factors.as_ref()
    }

    /// [`Conv3d::separable`] for samples of any type, and for factors that were checked before ([`Factors::check_finite`]).
    ///
    /// # Errors
    /// As [`Conv3d::separable`], but for factors that are not finite.
    pub const fn with_checked_factors(self, factors: Factors<'w, T>) -> Result<Self, Error> {
        if let Err(error) = factors.check(self.kernel.shape) {
            return Err(error);
        }
        let [_, rows, cols] = self.options.stride;
        if rows != 1 || cols != 1 {
            let value = if rows != 1 { rows } else { cols } as f64;
            return Err(Error::Parameter { name: "stride", value, expected: "1 along rows and columns" });
        }
        if self.is_pointwise() {
            let (name, expected) = ("pixels of the kernel", "2 or more, to separate rows from columns");
            return Err(Error::Parameter { name, value: 1.0, expected });
        }
        Ok(Self { factors: Some(factors), ..self })
    }

    /// Processes blocks of `frames` frames when there are threads to share them, with correspondingly more scratch: see
    /// [`block`](super::block). A kernel that is 1 x 1 in space always processes whole chunks.
    pub const fn in_blocks(self, frames: usize) -> Self {
        Self { block: if frames == 0 || self.is_pointwise() { 1 } else { frames }, ..self }
    }

    /// Processes `rows` output rows at a time (by default 16, or 8 with factors), if the kernel has one frame: see
    /// [`bands`](super::bands). More rows take more scratch; with all of them in one band, threads share whole frames.
    pub const fn in_bands(self, rows: usize) -> Self {
        Self { band: if rows == 0 { 1 } else { rows }, ..self }
    }

    /// Output rows that are processed at a time, if [the scratch holds some rows](Self::is_in_bands).
    pub const fn band(&self) -> usize {
        match (self.band, &self.factors) {
            (0, None) => BAND,
            (0, Some(_)) => BAND_OF_FACTORS,
            (rows, _) => rows,
        }
    }

    /// Intermediate frames that the factors make of each input frame.
    pub(super) const fn planes(&self) -> usize {
        match &self.factors {
            Some(factors) => factors.terms.saturating_mul(self.kernel.shape[1]),
            None => 0,
        }
    }

    /// Dilated size of the kernel: frames, rows, columns.
    ///
    /// ```
    /// use foveola_core::{Conv3d, ConvOptions, Kernel, Shape};
    /// let options = ConvOptions { dilation: [1, 2, 2], ..ConvOptions::DEFAULT };
    /// let conv = Conv3d::new(Shape::new(1, 8, 8), Kernel::new(&[1.0; 30], [1, 1, 2, 3, 5]), options)?;
    /// assert_eq!(conv.extents(), [2, 5, 9]);
    /// assert_eq!(conv.borders(), [(2, 4), (4, 8)]);
    /// # Ok::<(), foveola_core::Error>(())
    /// ```
    pub const fn extents(&self) -> [usize; 3] {
        [self.extent(0), self.extent(1), self.extent(2)]
    }

    /// Border before the frame and in total: along rows, along columns.
    pub const fn borders(&self) -> [(usize, usize); 2] {
        [self.border(1), self.border(2)]
    }

    /// What weights and biases count: `2^shift` times. 0 but for samples that are [integers](crate::fixed).
    pub const fn shift(&self) -> i8 {
        self.shift
    }

    /// The same for the factors in time, along rows (with the biases) and along columns.
    pub const fn factor_shifts(&self) -> [i8; 3] {
        self.factor_shifts
    }

    /// The same filter, with these shifts.
    pub(crate) const fn scaled(self, shift: i8, factor_shifts: [i8; 3]) -> Self {
        Self { shift, factor_shifts, ..self }
    }

    /// Dilated size of the kernel along time (0), rows (1) or columns (2).
    #[cfg_attr(target_os = "none", inline(never))]
    pub(crate) const fn extent(&self, axis: usize) -> usize {
        self.options.dilation[axis].saturating_mul(self.kernel.shape[axis + 2] - 1).saturating_add(1)
    }

    /// Whether the kernel reads one pixel at a time, so that a frame can be processed as one long row.
    pub const fn is_pointwise(&self) -> bool {
        let [_, rows, cols] = self.options.stride;
        rows == 1 && cols == 1 && self.kernel.shape[3] == 1 && self.kernel.shape[4] == 1
    }

    /// Whether the input is read where it lies: a kernel of one frame that needs no border beside the rows.
    pub const fn is_in_place(&self) -> bool {
        self.extent(0) == 1 && self.border(2).1 == 0 && self.factors.is_none() && self.block < 2
    }

    /// Rows and columns in which the frame is processed.
    pub(super) const fn layout(&self) -> (usize, usize) {
        if self.is_pointwise() { (1, self.input.pixels()) } else { (self.input.rows, self.input.cols) }
    }

    /// Border before the frame and in total, along rows (1) or columns (2).
    pub(crate) const fn border(&self, axis: usize) -> (usize, usize) {
        let extent = self.extent(axis);
        if self.options.border.is_some() { (extent / 2, extent - 1) } else { (0, 0) }
    }

    /// Samples of a stored row: its left border, its pixels, its right border.
    pub const fn stride(&self) -> usize {
        self.layout().1.saturating_add(self.border(2).1)
    }

    /// Samples of a stored frame.
    pub const fn frame(&self) -> usize {
        self.input.channels.saturating_mul(self.layout().0).saturating_mul(self.stride())
    }

    const fn out_size(&self, axis: usize, pixels: usize) -> usize {
        let last = pixels.saturating_add(self.border(axis).1).saturating_sub(self.extent(axis));
        match last.checked_div(self.options.stride[axis]) {
            Some(steps) => steps.saturating_add(1),
            None => 0,
        }
    }

    /// Frames that are stored in scratch.
    const fn stored(&self) -> usize {
        match self.block {
            ..2 if self.extent(0) == 1 && !self.is_pointwise() && !self.is_in_place() => 1,
            ..2 => 0,
            _ => self.slots_of_blocks(),
        }
    }

    const fn rate(&self) -> Rate {
        Rate {
            first: if self.options.pad.is_some() { 0 } else { self.extent(0) as u64 - 1 },
            every: self.options.stride[0] as u64,
        }
    }

    /// Shape of an output frame.
    pub(super) const fn output_shape(&self) -> Shape {
        Shape::new(self.kernel.shape[0], self.out_size(1, self.input.rows), self.out_size(2, self.input.cols))
    }

    /// What the filter takes, yields and needs.
    pub const fn signature(&self) -> Signature {
        let (slots, frame, output) = (self.extent(0), self.frame(), self.output_shape());
        // Intermediate samples that the factors make of a channel.
        let in_time = if self.kernel.shape[2] == 1 { 0 } else { self.input.rows.saturating_mul(self.stride()) };
        let columns = self.input.rows.saturating_mul(output.cols);
        Signature {
            input: self.input,
            output,
            state: if slots == 1 { 0 } else { slots.saturating_mul(frame) },
            scratch: Scratch::NONE.and(if self.is_in_bands() {
                self.scratch_of_bands()
            } else {
                let planes = self.block.saturating_mul(self.planes()).saturating_mul(in_time.saturating_add(columns));
                self.stored().saturating_mul(frame).saturating_add(planes)
            }),
            rate: self.rate(),
            lead: 0,
        }
    }
}

impl<T> Conv3d<'_, T> {
    /// What the filter asks for.
    pub(crate) const fn cases(&self) -> Cases {
        let (rows, cols, of_factors) = (self.input.rows, self.output_shape().cols, self.factors.is_some());
        let [_, _, kt, _, kw] = self.kernel.shape;
        let (stride, dilation) = (self.options.stride, self.options.dilation);
        let frames = match (self.is_pointwise(), self.is_in_bands(), of_factors) {
            (true, _, _) => Cases::IN_TIME,
            (_, true, false) => Cases::IN_BANDS,
            (_, true, true) => Cases::IN_BANDS_BY_FACTORS,
            (_, false, false) => Cases::IN_FRAMES,
            (_, false, true) => Cases::IN_FRAMES_BY_FACTORS,
        };
        let in_time = cases_of(1, 1, 1, rows.saturating_mul(self.stride())).when(of_factors && kt > 1);
        let rows = if self.is_pointwise() {
            cases_of(1, 1, 1, self.input.pixels())
        } else {
            cases_of(kw, stride[2], dilation[2], cols).and(cases_of(1, 1, 1, cols).when(of_factors))
        };
        frames.and(in_time).and(rows).and(Cases::RATE.when(!self.rate().equals(Rate::EACH)))
    }

    /// Multiply-adds for an output frame.
    pub const fn work(&self) -> usize {
        let [_, ins, kt, kh, kw] = self.kernel.shape;
        let taps = match &self.factors {
            Some(factors) => ins.saturating_mul(factors.terms).saturating_mul(kt.saturating_add(kh).saturating_add(kw)),
            None => ins.saturating_mul(kt).saturating_mul(kh).saturating_mul(kw),
        };
        self.signature().output.len().saturating_mul(taps)
    }
}

impl<T: Sample> Conv3d<'_, T> {
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
        if L::asks(Cases::IN_TIME, self.is_pointwise()) {
            return self.advance_pointwise(engine, t, state, input, output);
        }
        let together = self.block.min(input.len() / self.input.len().max(1));
        if together > 1 && engine.halve(self.work().saturating_mul(together)).is_some() {
            return self.advance_in_blocks(engine, t, state, scratch, input, output);
        }
        let whole = Cases::IN_FRAMES.and(Cases::IN_FRAMES_BY_FACTORS);
        if !L::asks(whole, !self.is_in_bands()) {
            return self.advance_in_bands(engine, t, scratch, input, output);
        }
        let signature = self.signature();
        let (frame, slots, in_place) = (self.frame(), self.extent(0), self.is_in_place());
        let (ring, planes) =
            if slots == 1 { scratch.split_at_mut_checked(frame).unwrap_or_default() } else { (state, scratch) };
        let mut written = 0;
        for (i, x) in input.chunks_exact(self.input.len().max(1)).enumerate() {
            let t = t.saturating_add(i as u64);
            let now = t.checked_rem(slots as u64).unwrap_or(0) as usize;
            if !in_place {
                self.store(engine.splitter, x, piece_mut(ring, now, frame)?);
            }
            if !L::asks(Cases::RATE, !signature.rate.yields(t)) {
                let samples = if in_place { x } else { &*ring };
                let frames = Stored::in_ring(Frames { samples, slots, now });
                self.output(engine, frames, planes, piece_mut(output, written, signature.output.len())?);
                written += 1;
            }
        }
        Ok(written)
    }

    /// [`Conv3d::advance_with`] of a kernel that is 1 x 1 in space.
    #[inline(always)]
    fn advance_pointwise<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        t: u64,
        state: &mut [T],
        input: &[T],
        output: &mut [T],
    ) -> Result<usize, Error> {
        let rate = self.rate();
        let [out, ins, kt, ..] = self.kernel.shape;
        let (slots, pixels, len) = (self.extent(0), self.input.pixels(), self.input.len().max(1));
        let frames = input.len() / len;
        let count = rate.frames(t, frames);
        let output = piece_mut(output, 0, count.saturating_mul(out).saturating_mul(pixels))?;
        // The chunk's first frame that yields an output.
        let Rate { first, every } = rate;
        let start = rate.count(t).saturating_mul(every).saturating_add(first).saturating_sub(t);
        let Shape { channels, .. } = self.input;
        let now = t.checked_rem(slots as u64).unwrap_or(0) as usize;
        let in_time = InTime {
            chunk: input,
            ring: &*state,
            slots,
            now,
            len,
            pixels,
            weights: self.kernel.weights,
            bias: self.kernel.bias,
            kernel: [out, ins, kt],
            groups: self.options.groups,
            dilation: self.options.dilation[0],
            shift: self.shift,
        };
        let every = self.options.stride[0];
        if L::PLAIN && (!T::HAS_WIDE_SUMS || in_time.is_signal(every)) {
            in_time.run(start as usize, every, output);
        } else if count > 0 {
            let correlation = Correlation {
                may_be_sparse: false,
                lines: Lines::Time { chunk: input, ring: state, slots, now, channels, pixels },
                weights: self.kernel.weights,
                bias: self.kernel.bias,
                shift: self.shift,
                kernel: [out, ins, 1, kt, 1],
                groups: self.options.groups,
                step: [self.options.stride[0], 1],
                dilation: [self.options.dilation[0], 1],
                top: (slots - 1) as isize - start as isize,
                rows: count,
                cols: pixels,
                pitch: if out == 1 {
                    [count.saturating_mul(pixels), pixels]
                } else {
                    [pixels, out.saturating_mul(pixels)]
                },
            };
            correlation.run(engine, output);
        }
        if slots > 1 {
            // The last frames: up to the end of the ring, then from its start.
            let skipped = frames.saturating_sub(slots);
            let slot = (now + skipped).checked_rem(slots).unwrap_or(0);
            let (begin, end) = state.split_at_mut_checked(slot.saturating_mul(len)).unwrap_or_default();
            let last = input.get(skipped.saturating_mul(len)..).unwrap_or(&[]);
            let (last, rest) = last.split_at_checked(end.len()).unwrap_or((last, &[]));
            copy(end, last);
            copy(begin, rest);
        }
        Ok(count)
    }

    /// Where the frames of the state lie, for other algorithms that keep the same state.
    pub const fn ring(&self) -> Ring {
        Ring {
            slots: self.extent(0),
            frame: self.frame(),
            dilation: self.options.dilation[0],
            rows: self.input.rows,
            stride: self.stride(),
            border: match self.options.border {
                Some(border) => border,
                None => Border::Zeros,
            },
            top: self.border(1).0,
        }
    }

    /// All output channels of the present frame.
    #[inline(always)]
    pub(super) fn output<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        frames: Stored<'_, T>,
        scratch: &mut [T],
        output: &mut [T],
    ) {
        match &self.factors {
            Some(factors) if L::asks(Cases::IN_FRAMES_BY_FACTORS, true) => {
                self.output_by(factors, engine, frames, scratch, output);
            }
            _ if L::asks(Cases::IN_FRAMES, true) => {
                self.correlation(self.lines(frames, self.input.rows)).run(engine, output);
            }
            _ => {}
        }
    }

    /// The rows of stored frames, or all samples of a channel as one row.
    pub(super) fn lines<'a>(&self, frames: Stored<'a, T>, rows: usize) -> Lines<'a, T> {
        let pitch = [self.frame(), self.input.rows.saturating_mul(self.stride()), self.stride()];
        let border = self.options.border.unwrap_or_default();
        Lines::Space { frames, pitch, rows, held: rows, border, dilation: self.options.dilation[0] }
    }

    /// The whole output, without factors.
    pub(super) fn correlation<'a>(&'a self, lines: Lines<'a, T>) -> Correlation<'a, T> {
        let output = self.output_shape();
        Correlation {
            lines,
            may_be_sparse: true,
            weights: self.kernel.weights,
            bias: self.kernel.bias,
            shift: self.shift,
            kernel: self.kernel.shape,
            groups: self.options.groups,
            step: [self.options.stride[1], self.options.stride[2]],
            dilation: [self.options.dilation[1], self.options.dilation[2]],
            top: self.border(1).0 as isize,
            rows: output.rows,
            cols: output.cols,
            pitch: [output.pixels(), output.cols],
        }
    }
}

impl<T: Sample> Filter<T> for Conv3d<'_, T> {
    fn signature(&self) -> Signature {
        Self::signature(self)
    }

    fn start(&self, state: &mut [T], first: First<'_, T>) {
        let (frame, slots) = (self.frame(), self.extent(0));
        let mode = self.options.pad.unwrap_or(PadMode::Zeros);
        // Frame 0 goes into slot 0; the frames before it go into the slots slots - 1, slots - 2, …
        mode.fill(slots - 1, self.input.len(), first, |back, source| {
            if let Ok(slot) = piece_mut(state, slots - back, frame) {
                match source {
                    Ok(x) => self.store(SingleThread, x, slot),
                    Err(value) => {
                        let (cols, stride) = (self.layout().1.max(1), self.stride().max(1));
                        slot.fill(value);
                        for row in slot.chunks_exact_mut(stride) {
                            pad_row(row, self.border(2).0, cols, self.options.border.unwrap_or_default());
                        }
                    }
                }
            }
        });
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

/// Fills the borders of a row whose `cols` pixels start at `left`.
#[cfg_attr(target_os = "none", inline(never))]
pub(crate) fn pad_row<T: Sample>(row: &mut [T], left: usize, cols: usize, border: Border) {
    if border == Border::Replicate
        && let Some((before, rest)) = row.split_at_mut_checked(left)
        && let Some((pixels, behind)) = rest.split_at_mut_checked(cols)
        && let (Some(first), Some(last)) = (pixels.first(), pixels.last())
    {
        // The most common border, and the fastest.
        before.fill(*first);
        behind.fill(*last);
        return;
    }
    pad_slowly(row, left, cols, border);
}

/// [`pad_row`] for any border, sample by sample.
#[cfg_attr(target_os = "none", inline(never))]
fn pad_slowly<T: Sample>(row: &mut [T], left: usize, cols: usize, border: Border) {
    let right = left + cols;
    for at in (0..left).chain(right..row.len()) {
        let from = border.index(at as isize - left as isize, cols);
        let value = from.and_then(|i| row.get(left + i).copied()).unwrap_or_else(T::zero);
        if let Some(to) = row.get_mut(at) {
            *to = value;
        }
    }
}

/// Reverses each kernel of `taps` samples (`time x row x col`): an impulse response into correlation order, and back.
///
/// ```
/// use foveola_core::conv::flip_kernels;
/// static WEIGHTS: [f32; 4] = flip_kernels([1.0, 2.0, 3.0, 4.0], 2);
/// assert_eq!(WEIGHTS, [2.0, 1.0, 4.0, 3.0]);
/// ```
pub const fn flip_kernels<T: Copy, const N: usize>(weights: [T; N], taps: usize) -> [T; N] {
    let (mut flipped, mut i) = (weights, 0);
    while taps > 0 && i < N {
        let (kernel, tap) = (i / taps, i % taps);
        let from = kernel * taps + taps - 1 - tap;
        if from < N {
            flipped[i] = weights[from];
        }
        i += 1;
    }
    flipped
}
