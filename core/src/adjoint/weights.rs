//! Gradient of a convolution's weights: the correlation of its input and the gradient of its output.
//!
//! ```text
//! dw[o, i, a, b, e] = sum_t sum_r sum_c g[o, t, r, c] x[i, st t - dil_t (kt-1-a), sr r + dil_r b - top, sc c + dil_c e - left]
//! dbias[o] = sum_t sum_r sum_c g[o, t, r, c]
//! ```
//! A [tile](super::taps) of taps is summed in registers, over all pixels of some frames.
//!
//! - The frames before the chunk are those of the filter's state, which the chunk advances.
//! - Scratch: some frames, stored with their borders; the gradients of their output, `stride` pixels apart, with zeros between and
//!   around.
//! - Cost: `out x in/groups x kt x kh x kw` multiply-adds per output pixel, times the strides in space.

use super::sums::sum_of;
use super::taps::{Frame, Taps};
use super::{Chunk, Lengths, Parameters};
use crate::conv::lines::slot;
use crate::engine::{Engine, Pieces, WorkSplitter};
use crate::filter::{copy, piece, piece_mut};
use crate::lanes::Lanes;
use crate::{Border, Conv3d, Error, Sample, Scratch, Shape};

/// A convolution whose weights have a gradient.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a, 'w, T> {
    conv: &'a Conv3d<'w, T>,
    /// Frames that are processed together.
    together: usize,
}

impl<'a, 'w, T> Weights<'a, 'w, T> {
    pub(super) const fn of(conv: &'a Conv3d<'w, T>, together: usize) -> Self {
        Self { conv, together }
    }

    pub(super) const fn lengths(&self) -> Lengths {
        let kernel = self.conv.kernel();
        Lengths { weights: kernel.weights.len(), bias: kernel.bias.len(), ..Lengths::NONE }
    }

    pub(super) const fn scratch(&self) -> Scratch {
        let gradients = self.conv.kernel().shape[0].saturating_mul(plane(self.conv));
        Scratch::NONE.and(self.conv.frame().saturating_add(gradients).saturating_mul(self.together))
    }
}

/// Rows and columns of the frame, as the convolution processes it.
const fn layout<T>(conv: &Conv3d<'_, T>) -> [usize; 2] {
    let Shape { rows, cols, .. } = conv.signature().input;
    if conv.is_pointwise() { [1, rows.saturating_mul(cols)] } else { [rows, cols] }
}

/// Rows and columns of the output with its strides.
const fn spread<T>(conv: &Conv3d<'_, T>) -> [usize; 2] {
    if conv.is_pointwise() {
        return layout(conv);
    }
    let (Shape { rows, cols, .. }, [_, step, along]) = (conv.signature().output, conv.options().stride);
    [(rows - 1).saturating_mul(step).saturating_add(1), (cols - 1).saturating_mul(along).saturating_add(1)]
}

/// Samples of a plane of gradients, with the zeros around them.
const fn plane<T>(conv: &Conv3d<'_, T>) -> usize {
    let around = 2 * Taps::above(conv.kernel().shape[3], conv.options().dilation[1]);
    spread(conv)[0].saturating_add(around).saturating_mul(conv.stride())
}

impl<T: Sample> Weights<'_, '_, T> {
    /// Adds to the gradients that are asked for.
    pub(super) fn add<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        chunk: Chunk<'_, T>,
        scratch: &mut [T],
        parameters: Parameters<'_, T>,
    ) -> Result<(), Error> {
        let Parameters { state, gradient } = parameters;
        let outs = self.conv.kernel().shape[0];
        if !gradient.bias.is_empty() {
            let planes = chunk.grad_out.chunks_exact(self.conv.signature().output.pixels().max(1));
            for (k, plane) in planes.enumerate() {
                if let Some(bias) = gradient.bias.get_mut(k % outs) {
                    *bias += sum_of(engine.lanes, [plane], |[g]| g);
                }
            }
        }
        if gradient.weights.is_empty() {
            return Ok(());
        }
        let (len, out) = (self.conv.signature().input.len().max(1), self.conv.signature().output.len());
        let (mut t, mut grad_out) = (chunk.t, chunk.grad_out);
        for input in chunk.input.chunks(self.together.saturating_mul(len)) {
            let frames = input.len() / len;
            let written = self.conv.signature().rate.frames(t, frames);
            let (now, later) = grad_out.split_at_checked(written.saturating_mul(out)).unwrap_or_default();
            self.block(engine, Chunk { t, input, grad_out: now }, state, scratch, gradient.weights)?;
            (t, grad_out) = (t.wrapping_add(frames as u64), later);
        }
        Ok(())
    }

    fn block<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        chunk: Chunk<'_, T>,
        state: &mut [T],
        scratch: &mut [T],
        weights: &mut [f64],
    ) -> Result<(), Error> {
        let (conv, signature) = (self.conv, self.conv.signature());
        let [outs, ins, kt, kh, kw] = conv.kernel().shape;
        let (frame, slots, frames) = (conv.frame(), conv.extent(0), chunk.input.len() / signature.input.len().max(1));
        let (stored, scratch) = scratch.split_at_mut_checked(frames * frame).unwrap_or_default();
        conv.store(engine.splitter, chunk.input, stored);
        let stored = &*stored;

        let (shape, of_plane) = (spread(conv), plane(conv));
        let count = signature.rate.frames(chunk.t, frames);
        let g = piece_mut(scratch, 0, count * outs * of_plane)?;
        self.store_gradients(chunk.grad_out, g);

        // The frames that yield an output.
        let first = (0..frames).find(|i| signature.rate.yields(chunk.t.saturating_add(*i as u64))).unwrap_or(0);
        let every = conv.options().stride[0];
        let now = chunk.t.checked_rem(slots as u64).unwrap_or(0) as usize;
        let [rows_in, _] = layout(conv);
        let (g, ring) = (&*g, &*state);
        let pieces = Pieces {
            range: 0..outs * ins * kt,
            work: count * shape[0] * shape[1] * kh * kw,
            scratch: &mut [],
            size: kh * kw,
            output: weights,
        };
        pieces.share(engine, &|engine, k, _, to| {
            let (o, i, a) = (k / (ins * kt), k / kt % ins, k % kt);
            let channel = (o * conv.options().groups).checked_div(outs).unwrap_or(0) * ins + i;
            let back = conv.options().dilation[0] * (kt - 1 - a);
            let taps = Taps {
                size: [kh, kw],
                dilation: [conv.options().dilation[1], conv.options().dilation[2]],
                shape,
                pitch: conv.stride(),
                top: conv.border(1).0,
                border: conv.options().border.unwrap_or(Border::Zeros),
            };
            let pairs = (0..count).map(|j| {
                let at = first + j * every;
                let (frames, index) = match at.checked_sub(back) {
                    Some(index) => (stored, index),
                    None => (ring, slot(now, back - at, slots)),
                };
                let plane = rows_in * conv.stride();
                let x = frames.get(index * frame + channel * plane..).unwrap_or(&[]);
                (Frame { samples: x, rows: rows_in }, piece(g, j * outs + o, of_plane).unwrap_or(&[]))
            });
            taps.add(engine.lanes, pairs, to);
        });
        if slots > 1 {
            for i in frames.saturating_sub(slots)..frames {
                let slot = chunk.t.wrapping_add(i as u64).checked_rem(slots as u64).unwrap_or(0) as usize;
                copy(piece_mut(state, slot, frame)?, piece(stored, i, frame)?);
            }
        }
        Ok(())
    }

    /// Copies gradients, `stride` rows and columns apart, into planes of zeros.
    fn store_gradients(&self, from: &[T], to: &mut [T]) {
        let (size, [_, step, along]) = (self.conv.signature().output, self.conv.options().stride);
        let cols = if self.conv.is_pointwise() { size.pixels() } else { size.cols };
        let above = Taps::above(self.conv.kernel().shape[3], self.conv.options().dilation[1]);
        to.fill(T::zero());
        for (from, to) in from.chunks_exact(size.pixels().max(1)).zip(to.chunks_exact_mut(plane(self.conv))) {
            let rows = to.chunks_exact_mut(self.conv.stride()).skip(above).step_by(step);
            for (from, to) in from.chunks_exact(cols).zip(rows) {
                to.iter_mut().step_by(along).zip(from).for_each(|(to, g)| *to = *g);
            }
        }
    }
}
