//! Adjoint of a receptive field: its weight, times each output's gradient, on the frames that the output read.
//!
//! ```text
//! gx[i, t, r, c] = sum_o sum_a w[o, i, a, r, c] g[o, t + kt-1-a]
//! dw[o, i, a, r, c] = sum_t g[o, t] x[i, t - (kt-1-a), r, c],   dbias[o] = sum_t g[o, t]
//! ```
//! Pixels of the frame that the weight does not cover have a gradient of 0, and so have weights outside the frame. The uniform
//! weight is no parameter.
//!
//! - State: the gradients of the next `kt` outputs. Scratch: a frame, for [`Adjoint::finish`].
//! - Cost: that of the filter for the input, and again for the weights. Four frames share each weight that is loaded.
//! - The gradient of a weight is summed in chains of at most 16 multiply-adds, whose results are added in `f64`.

use super::{Adjoint, Chunk, FirstGradient, Lengths, Memory, Needs, Parameters};
use crate::engine::{Engine, Pieces, WorkSplitter};
use crate::filter::{copy, piece, piece_mut};
use crate::lanes::{Lanes, MOST_LANES, load_part, store_part};
use crate::{Error, Rf, Sample, Scratch};

/// Frames that share each weight.
const TOGETHER: usize = 4;

/// Vectors of weights whose gradients are summed together.
const VECTORS: usize = 4;

/// Frames whose products are summed before they are added in `f64`.
const CHAIN: usize = 16;

/// Gradients of outputs: of a chunk, and of the frames after it in a ring of `slots`.
#[derive(Clone, Copy)]
struct Outputs<'a, T> {
    chunk: &'a [T],
    /// Frames of the chunk, and how many of them yield no output: its first ones.
    frames: usize,
    skipped: usize,
    ring: &'a [T],
    /// The slot of the chunk's first frame.
    now: usize,
    slots: usize,
    outs: usize,
}

impl<T: Sample> Outputs<'_, T> {
    /// That of output `o` after frame `at` of the chunk; 0 before the chunk.
    #[inline(always)]
    fn at(&self, at: isize, o: usize) -> T {
        let found = match usize::try_from(at) {
            Ok(at) if at < self.frames => {
                at.checked_sub(self.skipped).and_then(|at| self.chunk.get(at * self.outs + o))
            }
            Ok(at) => self.ring.get((self.now + at) % self.slots.max(1) * self.outs + o),
            Err(_) => None,
        };
        found.copied().unwrap_or_else(T::zero)
    }
}

impl<T> Rf<'_, T> {
    /// What the [adjoint](self) takes and needs.
    pub const fn adjoint_needs(&self) -> Needs {
        let [outs, _, kt, ..] = self.kernel().shape;
        let mut needs = Needs { grad_in: false, ..Needs::of(self.signature(), outs.saturating_mul(kt)) };
        needs.scratch = Scratch::NONE.and(self.signature().input.len());
        let weights = if self.is_empty() { 0 } else { self.kernel().weights.len() };
        needs.parameters = Lengths { weights, bias: self.kernel().bias.len(), ..Lengths::NONE };
        needs
    }
}

impl<T: Sample> Rf<'_, T> {
    fn outputs<'a>(&self, chunk: Chunk<'a, T>, ring: &'a [T]) -> Outputs<'a, T> {
        let ([outs, _, slots, ..], signature) = (self.kernel().shape, self.signature());
        let frames = chunk.input.len() / signature.input.len().max(1);
        let skipped = frames - signature.rate.frames(chunk.t, frames).min(frames);
        let now = chunk.t.checked_rem(slots as u64).unwrap_or(0) as usize;
        Outputs { chunk: chunk.grad_out, frames, skipped, ring, now, slots, outs }
    }

    /// The gradients of `Q` frames from frame `at` of the chunk on, one after another in `to`.
    #[inline(always)]
    fn frames<L: Lanes<T>, const Q: usize>(&self, lanes: L, outputs: Outputs<'_, T>, at: isize, to: &mut [T]) {
        let [outs, ins, kt, kh, kw] = self.kernel().shape;
        let (input, (rows, cols)) = (self.signature().input, self.area());
        to.fill(T::zero());
        if self.is_empty() {
            let count = [outs, ins, kt, rows, cols].into_iter().fold(1, usize::saturating_mul);
            let weight = T::from_f64(1.0 / count as f64);
            for (q, to) in to.chunks_exact_mut(input.len()).enumerate() {
                let all = (0..kt).flat_map(|back| (0..outs).map(move |o| (back, o)));
                let sum = all.fold(T::zero(), |sum, (back, o)| sum + outputs.at(at + (q + back) as isize, o));
                to.fill(sum * weight);
            }
            return;
        }
        let mut frames = to.chunks_exact_mut(input.len());
        let mut frames: [&mut [T]; Q] = core::array::from_fn(|_| frames.next().unwrap_or_default());
        for i in 0..ins {
            for r in 0..rows {
                let first = (i * input.rows + r) * input.cols;
                let mut lines = frames.each_mut().map(|frame| frame.get_mut(first..first + cols).unwrap_or_default());
                for o in 0..outs {
                    for a in 0..kt {
                        let w = piece(self.kernel().weights, ((o * ins + i) * kt + a) * kh + r, kw).unwrap_or(&[]);
                        let back = kt - 1 - a;
                        let g = core::array::from_fn(|q| outputs.at(at + (q + back) as isize, o));
                        add_scaled(lanes, w.get(..cols).unwrap_or(&[]), g, &mut lines);
                    }
                }
            }
        }
    }

    /// Adds to the gradient of the weights.
    fn weights<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        chunk: Chunk<'_, T>,
        ring: &[T],
        weights: &mut [f64],
    ) {
        let [outs, ins, kt, kh, kw] = self.kernel().shape;
        let (input, (rows, cols), frame) = (self.signature().input, self.area(), self.frame());
        let outputs = self.outputs(chunk, &[]);
        let work = outputs.frames * rows * cols;
        let pieces = Pieces { range: 0..outs * ins * kt, work, scratch: &mut [], size: kh * kw, output: weights };
        pieces.share(engine, &|engine: Engine<L, F>, k, _, to| {
            let (o, i, back) = (k / (ins * kt), k / kt % ins, kt - 1 - k % kt);
            // A channel of a frame, and the distance of its rows.
            let plane = |at: usize| match at.checked_sub(back) {
                Some(at) => (chunk.input.get((at * ins + i) * input.pixels()..).unwrap_or(&[]), input.cols),
                None => {
                    let slot = (outputs.now + kt + at - back) % kt;
                    (ring.get(slot * frame + i * rows * cols..).unwrap_or(&[]), cols)
                }
            };
            engine.lanes.vectorize(
                #[inline(always)]
                || {
                    let mut from = outputs.skipped;
                    while from < outputs.frames {
                        let count = CHAIN.min(outputs.frames - from);
                        let mut planes: [(&[T], usize); CHAIN] = [(&[], 0); CHAIN];
                        let mut g = [T::zero(); CHAIN];
                        for (at, (plane_at, g)) in (from..from + count).zip(planes.iter_mut().zip(&mut g)) {
                            (*plane_at, *g) = (plane(at), outputs.at(at as isize, o));
                        }
                        let (planes, g) = (planes.get(..count).unwrap_or(&[]), g.get(..count).unwrap_or(&[]));
                        for (r, to) in to.chunks_exact_mut(kw).take(rows).enumerate() {
                            let to = to.get_mut(..cols).unwrap_or_default();
                            for (v, to) in to.chunks_mut(VECTORS * L::WIDTH).enumerate() {
                                let col = v * VECTORS * L::WIDTH;
                                let x = planes.iter().map(|(plane, pitch)| plane.get(r * pitch + col..).unwrap_or(&[]));
                                add_frames(engine.lanes, x, g, to);
                            }
                        }
                        from += count;
                    }
                },
            );
        });
    }

    /// [`Adjoint::retreat`] with given vectors and threads.
    ///
    /// # Errors
    /// [`Error::Length`] when called with wrong lengths.
    #[inline(always)]
    pub fn retreat_with<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        chunk: Chunk<'_, T>,
        memory: Memory<'_, T>,
    ) -> Result<(), Error> {
        let ([outs, _, kt, ..], len) = (self.kernel().shape, self.signature().input.len().max(1));
        let Memory { state, grad_in, parameters: Parameters { state: ring, gradient }, .. } = memory;
        if !gradient.bias.is_empty() {
            for g in chunk.grad_out.chunks_exact(outs) {
                gradient.bias.iter_mut().zip(g).for_each(|(bias, g)| *bias += g.to_f64());
            }
        }
        if !gradient.weights.is_empty() {
            self.weights(engine, chunk, ring, gradient.weights);
            let frames = chunk.input.chunks_exact(len);
            for (i, x) in frames.enumerate().skip((chunk.input.len() / len).saturating_sub(kt)) {
                let slot = chunk.t.wrapping_add(i as u64).checked_rem(kt as u64).unwrap_or(0) as usize;
                self.store(x, piece_mut(ring, slot, self.frame())?);
            }
        }
        if grad_in.is_empty() {
            return Ok(());
        }
        let outputs = self.outputs(chunk, state);
        let pieces = Pieces {
            range: 0..outputs.frames.div_ceil(TOGETHER),
            work: self.work().saturating_mul(TOGETHER),
            scratch: &mut [],
            size: TOGETHER * len,
            output: grad_in,
        };
        pieces.share(engine, &|engine: Engine<L, F>, k, _, to| {
            engine.lanes.vectorize(
                #[inline(always)]
                || {
                    let at = (k * TOGETHER) as isize;
                    if to.len() == TOGETHER * len {
                        return self.frames::<L, TOGETHER>(engine.lanes, outputs, at, to);
                    }
                    for (q, to) in to.chunks_exact_mut(len).enumerate() {
                        self.frames::<L, 1>(engine.lanes, outputs, at + q as isize, to);
                    }
                },
            );
        });
        let (now, frames, skipped) = (outputs.now, outputs.frames, outputs.skipped);
        for at in 0..frames.min(kt) {
            let to = piece_mut(state, (now + at) % kt, outs)?;
            match at.checked_sub(skipped) {
                Some(at) => copy(to, piece(chunk.grad_out, at, outs)?),
                None => to.fill(T::zero()),
            }
        }
        Ok(())
    }
}

/// Adds the sums of `x g`, sample by sample, to up to [`VECTORS`] vectors of weights.
#[inline(always)]
fn add_frames<'x, T: Sample, L: Lanes<T>>(lanes: L, x: impl Iterator<Item = &'x [T]>, g: &[T], to: &mut [f64]) {
    let mut acc = [lanes.splat(T::zero()); VECTORS];
    for (x, g) in x.zip(g) {
        let (x, g) = (x.get(..to.len()).unwrap_or(&[]), lanes.splat(*g));
        if to.len() == VECTORS * L::WIDTH {
            for (v, acc) in acc.iter_mut().enumerate() {
                *acc = lanes.multiply_add(*acc, lanes.load(x.get(v * L::WIDTH..).unwrap_or(&[])), g);
            }
        } else {
            for (x, acc) in x.chunks(L::WIDTH).zip(&mut acc) {
                *acc = lanes.multiply_add(*acc, load_part(lanes, x), g);
            }
        }
    }
    for (acc, to) in acc.into_iter().zip(to.chunks_mut(L::WIDTH)) {
        let mut sums = [T::zero(); MOST_LANES];
        lanes.store(acc, &mut sums);
        to.iter_mut().zip(sums).for_each(|(to, sum)| *to += sum.to_f64());
    }
}

/// Adds `w`, times each of `g`, to each line.
#[inline(always)]
fn add_scaled<T: Sample, L: Lanes<T>, const Q: usize>(lanes: L, w: &[T], g: [T; Q], lines: &mut [&mut [T]; Q]) {
    let (g, len) = (g.map(|g| lanes.splat(g)), w.len());
    let mut at = 0;
    while at < len {
        let w = w.get(at..).unwrap_or(&[]);
        let whole = w.len() >= L::WIDTH;
        let vector = load_part(lanes, w);
        for (line, g) in lines.iter_mut().zip(g) {
            let line = line.get_mut(at..).unwrap_or_default();
            let sum = lanes.multiply_add(load_part(lanes, line), vector, g);
            if whole { lanes.store(sum, line) } else { store_part(lanes, sum, line) }
        }
        at += L::WIDTH;
    }
}

impl<T: Sample> Adjoint<T> for Rf<'_, T> {
    fn needs(&self) -> Needs {
        self.adjoint_needs()
    }

    fn retreat(&self, chunk: Chunk<'_, T>, memory: Memory<'_, T>) -> Result<(), Error> {
        self.retreat_with(Engine::single_thread(T::LANES), chunk, memory)
    }

    fn finish(&self, state: &mut [T], scratch: &mut [T], mut first: FirstGradient<'_, T>) -> Result<(), Error> {
        let Some(mode) = self.pad() else { return Ok(()) };
        let frame = piece_mut(scratch, 0, self.signature().input.len())?;
        // Before the chunk of no frames, whose later outputs are in the ring.
        let outputs = self.outputs(Chunk { t: 0, input: &[], grad_out: &[] }, state);
        for back in 1..self.kernel().shape[2] {
            self.frames::<T::Lanes, 1>(T::LANES, outputs, -(back as isize), frame);
            first.add(mode, back, frame);
        }
        first.spread();
        Ok(())
    }
}
