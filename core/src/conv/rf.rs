//! Receptive field: one output pixel, a weighted sum over the frame and its recent past.
//!
//! ```text
//! out[o, t] = bias[o] + sum_i sum_a sum_r sum_c w[o, i, a, r, c] * x[i, t - (kt-1-a), r, c]
//! ```
//! The weight is in correlation order and lies on the top left corner of the frame. Where it is larger than the frame,
//! its right and bottom are cropped; where it is smaller, the pixels beyond it count as zero. A weight of 1 x 1 pixels
//! counts as empty and stands for the uniform weight over the whole frame with sum 1,
//! `w = 1 / (out x in x kt x rows x cols)`.
//!
//! - State: `kt` frames of the pixels under the weight. Cost: `out x in x kt x rows x cols`. The uniform weight sums
//!   each frame of a chunk once; it alone needs scratch, one sample per frame and channel.
//! - Four frames of a chunk share each weight that is loaded: reading the weights limits the speed of a large field.
//! - The pixels of a frame are summed in two vectors. Their lanes are added one after the other, then the frames. The
//!   reproducible vectors have the same width everywhere, so the result is bit-identical on every CPU.
//! - Rounding: with `n` pixels of a frame under the weight, the error of a sum is at most `(80 + n / 512 + in kt) u` of
//!   `sum |w x|`, `u` = 6e-8 in single precision. Chains of 64 multiply-adds run through each part of a vector, then
//!   their results are added. The uniform weight adds those results in chains of at most 64 again:
//!   `64 (3 + log_64(n in kt)) u`.

use super::Kernel;
use super::tile::ROWS;
use crate::engine::{Engine, Pieces, WorkSplitter};
use crate::error::{exact, nonempty};
use crate::filter::{copy, halves, piece, piece_mut};
use crate::graph::MOVE;
use crate::lanes::{Lanes, MOST_LANES, load_part};
use crate::sums::{CHAIN, of_blocks, sum};
use crate::{Error, Filter, First, PadMode, Rate, Sample, Scratch, Shape, Signature};

/// A receptive field; see the [equation](self).
///
/// ```
/// use foveola_core::{constant, Filter, Kernel, PadMode, Rf, Shape};
/// static WEIGHTS: [f32; 4] = [1.0, 2.0, 3.0, 4.0]; // 2 x 2 pixels of the present frame
/// const FIELD: Rf = constant!(Rf::new(
///     Shape::new(1, 3, 3),
///     Kernel::new(&WEIGHTS, [1, 1, 1, 2, 2]),
///     Some(PadMode::Mirror),
/// ));
/// let mut state = [0.0; FIELD.signature().state];
/// let mut out = [0.0];
/// FIELD.step(0, &mut state, &mut [], &[1.0; 9], &mut out).unwrap();
/// assert_eq!(out, [10.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Rf<'w, T = f32> {
    input: Shape,
    kernel: Kernel<'w, T>,
    pad: Option<PadMode>,
    /// Weights and biases count `2^shift` times.
    shift: i8,
}

impl<'w> Rf<'w> {
    /// A receptive field over frames of `input`; `pad` as in [`ConvOptions`](super::ConvOptions).
    ///
    /// # Errors
    /// An empty frame or kernel, a weight or bias of the wrong length or that is not finite, or channels that do not fit.
    pub const fn new(input: Shape, kernel: Kernel<'w>, pad: Option<PadMode>) -> Result<Self, Error> {
        match (Self::from_checked(input, kernel, pad), kernel.check_numbers()) {
            (Ok(_), Err(error)) => Err(error),
            (field, _) => field,
        }
    }
}

impl<'w, T> Rf<'w, T> {
    /// [`Rf::new`] for samples of any type, and for weights that were checked before ([`Kernel::check_finite`]): their values
    /// are not read.
    ///
    /// # Errors
    /// As [`Rf::new`], but for weights that are not finite.
    pub const fn from_checked(input: Shape, kernel: Kernel<'w, T>, pad: Option<PadMode>) -> Result<Self, Error> {
        if let Err(error) = nonempty(input) {
            return Err(error);
        }
        let [out, ins, kt, kh, kw] = kernel.shape;
        if kh == 1 && kw == 1 {
            // Empty: only the numbers of channels and frames count.
            if out == 0 || ins == 0 || kt == 0 {
                return Err(Error::EmptyKernel { kernel: kernel.shape });
            }
            if !kernel.bias.is_empty()
                && let Err(error) = exact("the bias", kernel.bias.len(), out)
            {
                return Err(error);
            }
        } else if let Err(error) = kernel.check() {
            return Err(error);
        }
        if ins != input.channels {
            return Err(Error::Channels { found: ins, expected: input.channels });
        }
        Ok(Self { input, kernel, pad, shift: 0 })
    }

    /// The uniform receptive field of `out` channels over `frames` frames: a [`Kernel`] of 1 x 1 pixels.
    ///
    /// # Errors
    /// An empty frame, no channels, or no frames.
    pub const fn uniform(input: Shape, out: usize, frames: usize, pad: Option<PadMode>) -> Result<Self, Error> {
        Self::from_checked(input, Kernel::new(&[], [out, input.channels, frames, 1, 1]), pad)
    }

    /// What weights and biases count: `2^shift` times. 0 but for samples that are [integers](crate::fixed).
    pub const fn shift(&self) -> i8 {
        self.shift
    }

    /// The same field, with this shift.
    pub(crate) const fn scaled(self, shift: i8) -> Self {
        Self { shift, ..self }
    }

    /// The kernel.
    pub const fn kernel(&self) -> &Kernel<'w, T> {
        &self.kernel
    }

    /// Whether the weight is empty, that is uniform.
    pub const fn is_empty(&self) -> bool {
        self.kernel.shape[3] == 1 && self.kernel.shape[4] == 1
    }

    /// Rows and columns of the frame under the weight.
    pub const fn area(&self) -> (usize, usize) {
        let [.., kh, kw] = self.kernel.shape;
        if self.is_empty() {
            return (self.input.rows, self.input.cols);
        }
        (
            if kh < self.input.rows { kh } else { self.input.rows },
            if kw < self.input.cols { kw } else { self.input.cols },
        )
    }

    /// Samples of a stored frame: the pixels under the weight.
    pub const fn frame(&self) -> usize {
        self.input.channels.saturating_mul(self.area().0).saturating_mul(self.area().1)
    }

    /// The temporal padding.
    pub const fn pad(&self) -> Option<PadMode> {
        self.pad
    }

    /// What the filter takes, yields and needs.
    pub const fn signature(&self) -> Signature {
        let [out, ins, kt, ..] = self.kernel.shape;
        Signature {
            input: self.input,
            output: Shape::new(out, 1, 1),
            state: kt.saturating_mul(self.frame()),
            scratch: if self.is_empty() {
                Scratch { fixed: ins.saturating_mul(kt - 1), per_frame: ins }
            } else {
                Scratch::NONE
            },
            rate: Rate { first: if self.pad.is_some() { 0 } else { kt as u64 - 1 }, every: 1 },
            lead: 0,
        }
    }
}

impl<T> Rf<'_, T> {
    /// Multiply-adds for an output frame; each reads its weight and its pixel from memory.
    pub const fn work(&self) -> usize {
        self.kernel.shape[0].saturating_mul(self.signature().state).saturating_mul(MOVE / 2)
    }
}

impl<T: Sample> Rf<'_, T> {
    /// Copies the pixels under the weight.
    pub(crate) fn store(&self, from: &[T], slot: &mut [T]) {
        let (rows, cols) = self.area();
        let planes = from.chunks_exact(self.input.pixels().max(1)).zip(slot.chunks_exact_mut((rows * cols).max(1)));
        for (from, to) in planes {
            for (from, to) in from.chunks_exact(self.input.cols.max(1)).zip(to.chunks_exact_mut(cols.max(1))) {
                copy(to, from);
            }
        }
    }

    /// The pixels of channel `i` under the weight, in frame `at` of the chunk.
    #[inline(always)]
    fn plane<'a>(&self, frames: Frames<'a, T>, at: isize, i: usize) -> &'a [T] {
        let [_, ins, kt, ..] = self.kernel.shape;
        let (samples, frame) = match usize::try_from(at) {
            Ok(at) => (frames.chunk, at),
            Err(_) => {
                let (now, back) = (frames.now, at.unsigned_abs());
                (frames.ring, if now >= back { now - back } else { now.saturating_add(kt).saturating_sub(back) })
            }
        };
        let index = frame.saturating_mul(ins).saturating_add(i);
        piece(samples, index, self.area().0.saturating_mul(self.area().1)).unwrap_or(&[])
    }

    /// The weighted sums of output channel `o` for `Q` frames from frame `at` on. The frames share each weight that is
    /// loaded.
    #[inline(always)]
    fn sums<L: Lanes<T>, const Q: usize>(&self, lanes: L, frames: Frames<'_, T>, at: isize, o: usize) -> [T; Q] {
        let [_, ins, kt, kh, kw] = self.kernel.shape;
        let (rows, cols) = self.area();
        let mut sums = [self.kernel.bias.get(o).copied().unwrap_or_else(T::zero); Q];
        for i in 0..ins {
            for a in 0..kt {
                let kernel = piece(self.kernel.weights, (o * ins + i) * kt + a, kh * kw).unwrap_or(&[]);
                let first = at - (kt - 1 - a) as isize;
                let planes: [&[T]; Q] = core::array::from_fn(|q| self.plane(frames, first + q as isize, i));
                let mut chains = Chains::new(lanes);
                if kw == cols {
                    chains.add(planes, kernel.get(..rows * cols).unwrap_or(&[]));
                } else {
                    for (r, w) in kernel.chunks_exact(kw.max(1)).take(rows).enumerate() {
                        let lines = planes.map(|plane| piece(plane, r, cols).unwrap_or(&[]));
                        chains.add(lines, w.get(..cols).unwrap_or(&[]));
                    }
                }
                for (sum, parts) in sums.iter_mut().zip(chains.finish()) {
                    *sum = *sum + total(lanes, parts);
                }
            }
        }
        sums
    }

    /// [`Self::sums`] in sums wider than a sample, whose order does not matter.
    fn sum(&self, frames: Frames<'_, T>, at: isize, o: usize) -> T {
        let [_, ins, kt, kh, kw] = self.kernel.shape;
        let (rows, cols) = self.area();
        let mut sum = self.kernel.bias.get(o).copied().unwrap_or_else(T::zero).to_sum();
        for i in 0..ins {
            for a in 0..kt {
                let kernel = piece(self.kernel.weights, (o * ins + i) * kt + a, kh * kw).unwrap_or(&[]);
                let plane = self.plane(frames, at - (kt - 1 - a) as isize, i);
                for (x, w) in plane.chunks_exact(cols.max(1)).zip(kernel.chunks_exact(kw.max(1))).take(rows) {
                    sum = x.iter().zip(w).fold(sum, |sum, (x, w)| T::add_product(sum, *x, *w));
                }
            }
        }
        T::from_sum(sum, self.shift)
    }

    /// The output channels from `first` on of up to [`TOGETHER`] frames, split in halves when that is worthwhile.
    fn channels<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        frames: Frames<'_, T>,
        at: isize,
        first: usize,
        mut output: [&mut [T]; TOGETHER],
    ) {
        let count = output.iter().filter(|output| !output.is_empty()).count();
        let channels = output[0].len();
        let work = (self.work() / self.kernel.shape[0].max(1)).saturating_mul(channels * count);
        if let Some(engine) = engine.halve(work).filter(|_| channels > 1) {
            let (begin, rest) = halves(output, channels / 2);
            engine.splitter.join(
                || self.channels(engine, frames, at, first, begin),
                || self.channels(engine, frames, at, first + channels / 2, rest),
            );
            return;
        }
        engine.lanes.vectorize(
            #[inline(always)]
            || {
                for o in 0..channels {
                    let together: [T; TOGETHER] = if T::HAS_WIDE_SUMS {
                        core::array::from_fn(|q| match q < count {
                            true => self.sum(frames, at + q as isize, first + o),
                            false => T::zero(),
                        })
                    } else if count == TOGETHER {
                        self.sums::<L, TOGETHER>(engine.lanes, frames, at, first + o)
                    } else {
                        let mut sums = [T::zero(); TOGETHER];
                        for (q, sum) in sums.iter_mut().take(count).enumerate() {
                            [*sum] = self.sums::<L, 1>(engine.lanes, frames, at + q as isize, first + o);
                        }
                        sums
                    };
                    for (output, sum) in output.iter_mut().zip(together) {
                        if let Some(y) = output.get_mut(o) {
                            *y = sum;
                        }
                    }
                }
            },
        );
    }

    /// The uniform weight: every frame is summed once, then the sums of as many frames as the weight has are added.
    fn averages<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        frames: Frames<'_, T>,
        at: isize,
        scratch: &mut [T],
        output: &mut [T],
    ) {
        let [outs, ins, kt, ..] = self.kernel.shape.map(|len| len.max(1));
        let count = [outs, ins, kt, self.area().0, self.area().1].into_iter().fold(1, usize::saturating_mul);
        let weight = T::from_f64(1.0 / count as f64);
        let needed = (output.len() / outs).saturating_add(kt - 1);
        let sums = scratch.get_mut(..needed.saturating_mul(ins)).unwrap_or(&mut []);
        engine.lanes.vectorize(
            #[inline(always)]
            || {
                for (k, sum) in sums.iter_mut().enumerate() {
                    let frame = at - (kt - 1) as isize + (k / ins) as isize;
                    let plane = self.plane(frames, frame, k % ins);
                    *sum = if T::HAS_WIDE_SUMS { T::mean(plane) } else { add(engine.lanes, plane) };
                }
            },
        );
        for (sums, output) in sums.windows(kt.saturating_mul(ins).max(1)).step_by(ins).zip(output.chunks_mut(outs)) {
            // A sum of samples of 16 bits would not fit one: their mean.
            let (sum, weight) =
                if T::HAS_WIDE_SUMS { (T::mean(sums), T::from_f64(1.0 / outs as f64)) } else { (sum(sums), weight) };
            for (o, y) in output.iter_mut().enumerate() {
                *y = self.kernel.bias.get(o).copied().unwrap_or_else(T::zero) + sum * weight;
            }
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
        let [outs, _, kt, ..] = self.kernel.shape;
        let (rate, len, frame) = (self.signature().rate, self.input.len().max(1), self.frame());
        let now = |t: u64| (t % kt.max(1) as u64) as usize;
        // Whole frames are read in place; cropped ones are stored first, one by one.
        let whole = frame == self.input.len();
        let mut written = 0_usize;
        for (k, part) in input.chunks(if whole { input.len().max(1) } else { len }).enumerate() {
            let t = t.saturating_add(k as u64);
            let count = rate.frames(t, part.len() / len);
            let first = (part.len() / len - count) as isize;
            if !whole {
                self.store(part, piece_mut(state, now(t), frame)?);
            }
            let (frames, at) = if whole {
                (Frames { chunk: part, ring: state, now: now(t) }, first)
            } else {
                (Frames { chunk: &[], ring: state, now: now(t.saturating_add(1)) }, first - 1)
            };
            let range = written.saturating_mul(outs)..(written + count).saturating_mul(outs);
            let output = output.get_mut(range).unwrap_or(&mut []);
            if self.is_empty() {
                self.averages(engine, frames, at, scratch, output);
            } else {
                let size = outs.saturating_mul(TOGETHER);
                let range = 0..count.div_ceil(TOGETHER);
                let work = self.work().saturating_mul(TOGETHER);
                Pieces { range, work, scratch: &mut [], size, output }.share(engine, &|engine, group, _, output| {
                    let mut rows = output.chunks_mut(outs.max(1));
                    let output = core::array::from_fn(|_| rows.next().unwrap_or(&mut []));
                    self.channels(engine, frames, at + (group * TOGETHER) as isize, 0, output);
                });
            }
            if whole {
                let frames = part.chunks_exact(len).enumerate();
                for (i, x) in frames.skip((part.len() / len).saturating_sub(kt)) {
                    copy(piece_mut(state, now(t.saturating_add(i as u64)), frame)?, x);
                }
            }
            written += count;
        }
        Ok(written)
    }
}

/// The frames of the chunk, and those before it in the ring, where slot `now` is that of frame 0.
#[derive(Clone, Copy)]
struct Frames<'a, T> {
    chunk: &'a [T],
    ring: &'a [T],
    now: usize,
}

impl<T: Sample> Filter<T> for Rf<'_, T> {
    fn signature(&self) -> Signature {
        Self::signature(self)
    }

    fn start(&self, state: &mut [T], first: First<'_, T>) {
        let (frame, slots) = (self.frame(), self.kernel.shape[2]);
        let mode = self.pad.unwrap_or(PadMode::Zeros);
        mode.fill(slots - 1, self.input.len(), first, |back, source| {
            if let Ok(slot) = piece_mut(state, slots - back, frame) {
                match source {
                    Ok(x) => self.store(x, slot),
                    Err(value) => slot.fill(value),
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

/// Frames that share each weight that is loaded.
const TOGETHER: usize = ROWS;

/// Parts of a sum, so that one multiply-add need not wait for the other.
const PARTS: usize = 2;

/// Sums of products `x w` for some `x` each: chains of [`CHAIN`] multiply-adds, whose results are added.
struct Chains<T, L: Lanes<T>, const Q: usize> {
    lanes: L,
    parts: [[L::Vector; PARTS]; Q],
    /// Multiply-adds left in the present chains.
    room: usize,
    /// The results of the chains before.
    before: Option<[[L::Vector; PARTS]; Q]>,
}

impl<T: Sample, L: Lanes<T>, const Q: usize> Chains<T, L, Q> {
    #[inline(always)]
    fn new(lanes: L) -> Self {
        Self { lanes, parts: [[lanes.splat(T::zero()); PARTS]; Q], room: CHAIN, before: None }
    }

    #[inline(always)]
    fn add(&mut self, x: [&[T]; Q], w: &[T]) {
        let step = PARTS * L::WIDTH;
        for (i, w) in w.chunks(CHAIN * step).enumerate() {
            let steps = w.len().div_ceil(step);
            if steps > self.room {
                self.before = Some(self.finish());
                (self.parts, self.room) = ([[self.lanes.splat(T::zero()); PARTS]; Q], CHAIN);
            }
            self.room -= steps;
            dot(self.lanes, x.map(|x| x.get(i * CHAIN * step..).unwrap_or(&[])), w, &mut self.parts);
        }
    }

    /// The sums so far.
    #[inline(always)]
    fn finish(&self) -> [[L::Vector; PARTS]; Q] {
        let Some(before) = self.before else { return self.parts };
        let one = self.lanes.splat(T::one());
        core::array::from_fn(|q| core::array::from_fn(|v| self.lanes.multiply_add(before[q][v], self.parts[q][v], one)))
    }
}

/// Adds `x w`, vector by vector, to the parts in turn, for each `x`.
#[inline(always)]
fn dot<T: Sample, L: Lanes<T>, const Q: usize>(lanes: L, x: [&[T]; Q], w: &[T], parts: &mut [[L::Vector; PARTS]; Q]) {
    let block = PARTS * L::WIDTH;
    let whole = w.len() / block * block;
    // All have one length, so that it is compared once.
    let x = x.map(|x| x.get(..w.len()).unwrap_or(&[]));
    if x.iter().any(|x| x.len() != w.len()) {
        return;
    }
    let mut at = 0;
    while at < whole {
        for v in 0..PARTS {
            let part =
                |samples: &'_ [T]| samples.get(at + v * L::WIDTH..).map_or(lanes.splat(T::zero()), |x| lanes.load(x));
            let w = part(w);
            for (x, parts) in x.iter().zip(parts.iter_mut()) {
                parts[v] = lanes.multiply_add(parts[v], part(x), w);
            }
        }
        at += block;
    }
    let mut v = 0;
    // Less than a block is left.
    while at < w.len() && v < PARTS {
        let part = |samples: &'_ [T]| load_part(lanes, samples.get(at..).unwrap_or(&[]));
        let w = part(w);
        for (x, parts) in x.iter().zip(parts.iter_mut()) {
            parts[v] = lanes.multiply_add(parts[v], part(x), w);
        }
        (at, v) = (at + L::WIDTH, v + 1);
    }
}

/// The sum of `x`: chains of [`CHAIN`] additions go through each lane of four vectors, and their results are added as
/// [`sums`](crate::sums) says.
#[inline(always)]
fn add<T: Sample, L: Lanes<T>>(lanes: L, x: &[T]) -> T {
    let block = 4 * L::WIDTH * CHAIN;
    if x.len() <= block {
        return add_chains(lanes, x);
    }
    let chains = x.chunks(block).map(
        #[inline(always)]
        |x| add_chains(lanes, x),
    );
    of_blocks(T::zero(), chains, |a, b| a + b)
}

/// The sum of `x`, one chain for each lane of four vectors.
#[inline(always)]
fn add_chains<T: Sample, L: Lanes<T>>(lanes: L, x: &[T]) -> T {
    let (one, zero) = (lanes.splat(T::one()), lanes.splat(T::zero()));
    let mut parts = [zero; 4];
    let whole = x.chunks_exact(4 * L::WIDTH);
    let rest = whole.remainder();
    for x in whole {
        parts = core::array::from_fn(|v| {
            lanes.multiply_add(parts[v], lanes.load(x.get(v * L::WIDTH..).unwrap_or(&[])), one)
        });
    }
    for (x, part) in rest.chunks(L::WIDTH).zip(&mut parts) {
        *part = lanes.multiply_add(*part, load_part(lanes, x), one);
    }
    let [a, b, c, d] = parts;
    total(lanes, [lanes.multiply_add(a, b, one), lanes.multiply_add(c, d, one)])
}

/// The sum over all lanes.
#[inline(always)]
fn total<T: Sample, L: Lanes<T>>(lanes: L, [a, b]: [L::Vector; PARTS]) -> T {
    let mut samples = [T::zero(); MOST_LANES];
    if let Some(samples) = samples.get_mut(..L::WIDTH) {
        lanes.store(lanes.multiply_add(a, b, lanes.splat(T::one())), samples);
    }
    samples.iter().take(L::WIDTH).fold(T::zero(), |sum, x| sum + *x)
}
