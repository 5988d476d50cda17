//! Receptive field: one output pixel, a weighted sum over the frame and its recent past.
//!
//! ```text
//! out[o, t] = bias[o] + sum_i sum_a sum_r sum_c w[o, i, a, r, c] * x[i, t - (kt-1-a), r, c]
//! ```
//! The weight is in correlation order and lies on the frame's top left corner: where it is larger its right and bottom are
//! cropped, where it is smaller the pixels beyond it count as zero. A weight of 1 x 1 pixels counts as empty and stands
//! for the uniform one over the whole frame with sum 1, `w = 1 / (out x in x kt x rows x cols)`.
//!
//! - State: `kt` frames of the pixels under the weight (none of scratch). Cost: `out x in x kt x rows x cols`.
//! - Sums are made in four vectors, whose lanes are added one after the other at the end. The reproducible vectors are equally
//!   wide everywhere, so that they give the same bits on every CPU.

use super::Kernel;
use crate::engine::{Engine, Fork};
use crate::error::{exact, nonempty};
use crate::filter::{copy, piece, piece_mut};
use crate::graph::MOVE;
use crate::lanes::{Lanes, MOST_LANES, load_part};
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
}

impl<'w, T> Rf<'w, T> {
    /// A receptive field over frames of `input`; `pad` as in [`ConvOptions`](super::ConvOptions).
    ///
    /// # Errors
    /// An empty frame or kernel, a weight or bias of the wrong length, or channels that do not fit.
    pub const fn new(input: Shape, kernel: Kernel<'w, T>, pad: Option<PadMode>) -> Result<Self, Error> {
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
        Ok(Self { input, kernel, pad })
    }

    /// The uniform receptive field of `out` channels over `frames` frames: a [`Kernel`] of 1 x 1 pixels.
    ///
    /// # Errors
    /// An empty frame, no channels, or no frames.
    pub const fn uniform(input: Shape, out: usize, frames: usize, pad: Option<PadMode>) -> Result<Self, Error> {
        Self::new(input, Kernel::new(&[], [out, input.channels, frames, 1, 1]), pad)
    }

    const fn is_empty(&self) -> bool {
        self.kernel.shape[3] == 1 && self.kernel.shape[4] == 1
    }

    /// Rows and columns of the frame under the weight.
    const fn area(&self) -> (usize, usize) {
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
    const fn frame(&self) -> usize {
        self.input.channels.saturating_mul(self.area().0).saturating_mul(self.area().1)
    }

    /// What the filter takes, yields and needs.
    pub const fn signature(&self) -> Signature {
        let [out, _, kt, ..] = self.kernel.shape;
        Signature {
            input: self.input,
            output: Shape::new(out, 1, 1),
            state: kt.saturating_mul(self.frame()),
            scratch: Scratch::NONE,
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
    fn store(&self, from: &[T], slot: &mut [T]) {
        let (rows, cols) = self.area();
        let planes = from.chunks_exact(self.input.pixels().max(1)).zip(slot.chunks_exact_mut((rows * cols).max(1)));
        for (from, to) in planes {
            for (from, to) in from.chunks_exact(self.input.cols.max(1)).zip(to.chunks_exact_mut(cols.max(1))) {
                copy(to, from);
            }
        }
    }

    /// The weighted sum over one stored channel, added to `sums`.
    #[inline(always)]
    fn dot<L: Lanes<T>>(&self, lanes: L, plane: &[T], kernel: &[T], sums: &mut [L::Vector; SUMS]) {
        let (rows, cols) = self.area();
        let kw = self.kernel.shape[4].max(1);
        if kw == cols {
            return dot(lanes, plane, kernel.get(..rows * cols).unwrap_or(&[]), sums);
        }
        for (x, w) in plane.chunks_exact(cols.max(1)).zip(kernel.chunks_exact(kw)) {
            dot(lanes, x, w.get(..cols).unwrap_or(&[]), sums);
        }
    }

    /// One output channel.
    #[inline(always)]
    fn field<L: Lanes<T>>(&self, lanes: L, ring: &[T], now: usize, o: usize) -> Result<T, Error> {
        let [outs, ins, kt, kh, kw] = self.kernel.shape;
        let plane = (self.area().0 * self.area().1).max(1);
        let mut sums = [lanes.splat(T::zero()); SUMS];
        for i in 0..ins {
            for a in 0..kt {
                let back = kt - 1 - a;
                let slot = if now >= back { now - back } else { now + (kt - back) };
                let x = piece(ring, slot * ins + i, plane)?;
                if self.is_empty() {
                    add(lanes, x, &mut sums);
                } else {
                    self.dot(lanes, x, piece(self.kernel.weights, (o * ins + i) * kt + a, kh * kw)?, &mut sums);
                }
            }
        }
        let sum = total(lanes, sums);
        let bias = self.kernel.bias.get(o).copied().unwrap_or_else(T::zero);
        if self.is_empty() {
            let count = outs.saturating_mul(ins).saturating_mul(kt).saturating_mul(plane);
            return Ok(bias + sum * T::from_f64(1.0 / count as f64));
        }
        Ok(bias + sum)
    }

    /// The output channels from `first` on, in halves where that is worth it.
    fn fields<L: Lanes<T>, F: Fork>(
        &self,
        engine: Engine<L, F>,
        ring: &[T],
        now: usize,
        first: usize,
        output: &mut [T],
    ) -> Result<(), Error> {
        let half = output.len() / 2;
        let work = self.work() / self.kernel.shape[0].max(1) * output.len();
        if let Some(engine) = engine.halve(work).filter(|_| half > 0) {
            let (y, y_rest) = output.split_at_mut(half);
            let (a, b) = engine.fork.join(
                || self.fields(engine, ring, now, first, y),
                || self.fields(engine, ring, now, first + half, y_rest),
            );
            return a.and(b);
        }
        engine.lanes.vectorize(
            #[inline(always)]
            || {
                for (o, y) in output.iter_mut().enumerate() {
                    *y = self.field(engine.lanes, ring, now, first + o)?;
                }
                Ok(())
            },
        )
    }

    /// [`Filter::advance`] with given vectors and threads.
    ///
    /// # Errors
    /// [`Error::Length`] when called with wrong lengths.
    #[inline(always)]
    pub fn advance_with<L: Lanes<T>, F: Fork>(
        &self,
        engine: Engine<L, F>,
        t: u64,
        state: &mut [T],
        input: &[T],
        output: &mut [T],
    ) -> Result<usize, Error> {
        let signature = self.signature();
        let (frame, slots) = (self.frame(), self.kernel.shape[2]);
        let mut written = 0;
        for (i, x) in input.chunks_exact(self.input.len().max(1)).enumerate() {
            let t = t.saturating_add(i as u64);
            let now = (t % slots.max(1) as u64) as usize;
            self.store(x, piece_mut(state, now, frame)?);
            if signature.rate.yields(t) {
                self.fields(engine, state, now, 0, piece_mut(output, written, signature.output.len())?)?;
                written += 1;
            }
        }
        Ok(written)
    }
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

    fn advance(&self, t: u64, state: &mut [T], _: &mut [T], input: &[T], output: &mut [T]) -> Result<usize, Error> {
        self.advance_with(Engine::alone(T::LANES), t, state, input, output)
    }
}

/// Independent sums, so that one need not wait for the other.
const SUMS: usize = 4;

/// Adds `x w`, vector by vector, to the sums in turn.
#[inline(always)]
fn dot<T: Sample, L: Lanes<T>>(lanes: L, x: &[T], w: &[T], sums: &mut [L::Vector; SUMS]) {
    let block = SUMS * L::WIDTH;
    let (whole_x, whole_w) = (x.chunks_exact(block), w.chunks_exact(block));
    let (rest_x, rest_w) = (whole_x.remainder(), whole_w.remainder());
    for (x, w) in whole_x.zip(whole_w) {
        let load = |from: &[T], v: usize| lanes.load(from.get(v * L::WIDTH..).unwrap_or(&[]));
        *sums = core::array::from_fn(|v| lanes.multiply_add(sums[v], load(x, v), load(w, v)));
    }
    for ((x, w), sum) in rest_x.chunks(L::WIDTH).zip(rest_w.chunks(L::WIDTH)).zip(sums) {
        *sum = lanes.multiply_add(*sum, load_part(lanes, x), load_part(lanes, w));
    }
}

/// Adds `x`, vector by vector, to the sums in turn.
#[inline(always)]
fn add<T: Sample, L: Lanes<T>>(lanes: L, x: &[T], sums: &mut [L::Vector; SUMS]) {
    let one = lanes.splat(T::one());
    let whole = x.chunks_exact(SUMS * L::WIDTH);
    let rest = whole.remainder();
    for x in whole {
        *sums = core::array::from_fn(|v| {
            lanes.multiply_add(sums[v], lanes.load(x.get(v * L::WIDTH..).unwrap_or(&[])), one)
        });
    }
    for (x, sum) in rest.chunks(L::WIDTH).zip(sums) {
        *sum = lanes.multiply_add(*sum, load_part(lanes, x), one);
    }
}

/// The sum over all lanes.
#[inline(always)]
fn total<T: Sample, L: Lanes<T>>(lanes: L, [a, b, c, d]: [L::Vector; SUMS]) -> T {
    let one = lanes.splat(T::one());
    let (ab, cd) = (lanes.multiply_add(a, b, one), lanes.multiply_add(c, d, one));
    let mut samples = [T::zero(); MOST_LANES];
    if let Some(samples) = samples.get_mut(..L::WIDTH) {
        lanes.store(lanes.multiply_add(ab, cd, one), samples);
    }
    samples.iter().take(L::WIDTH).fold(T::zero(), |sum, x| sum + *x)
}
