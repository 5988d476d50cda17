//! Gradient of a convolution's weights: the correlation of its input and the gradient of its output.
//!
//! ```text
//! dw[o, i, a, b, e] = sum_t sum_r sum_c g[o, t, r, c] x[i, st t - dil_t (kt-1-a), sr r + dil_r b - top, sc c + dil_c e - left]
//! dbias[o] = sum_t sum_r sum_c g[o, t, r, c]
//! ```
//! A [tile](super::taps) of taps is summed in registers, over all pixels of some frames.
//!
//! - The frames before the chunk are those of the filter's state.
//! - Scratch: a ring of the frames that the kernel reads and of those that are processed together, with borders on all sides, so
//!   that a frame is one run of samples; the gradients of the output, `stride` pixels apart, with zeros between and around.
//! - Cost: `out x in/groups x kt x kh x kw` multiply-adds per output pixel, times the strides in space.

use super::sums::sum_of;
use super::taps::Taps;
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
        let frames = self.slots().saturating_mul(bordered(self.conv));
        Scratch::NONE.and(frames.saturating_add(gradients.saturating_mul(self.together)))
    }

    /// Frames in the ring.
    const fn slots(&self) -> usize {
        self.together.saturating_add(self.conv.extent(0) - 1)
    }
}

/// Rows of a frame with its borders.
const fn rows_of<T>(conv: &Conv3d<'_, T>) -> usize {
    layout(conv)[0].saturating_add(conv.border(1).1)
}

/// Samples of a frame with borders on all sides.
const fn bordered<T>(conv: &Conv3d<'_, T>) -> usize {
    conv.signature().input.channels.saturating_mul(rows_of(conv)).saturating_mul(conv.stride())
}

/// A ring of frames with borders on all sides, the first frame of the chunk in the slot after those before it.
struct Ring<'s, T> {
    samples: &'s mut [T],
    slots: usize,
}

impl<T: Sample> Ring<'_, T> {
    /// The slot of frame `at` of the chunk, whose number is negative before the chunk.
    fn slot(&self, conv: &Conv3d<'_, T>, at: isize) -> usize {
        (at + conv.extent(0) as isize - 1).unsigned_abs().checked_rem(self.slots).unwrap_or(0)
    }

    /// Stores frame `at`, whose channels' rows `write` writes with their left and right borders.
    fn store(&mut self, conv: &Conv3d<'_, T>, at: isize, mut write: impl FnMut(usize, &mut [T])) -> Result<(), Error> {
        let (stride, rows, slot) = (conv.stride(), layout(conv)[0], self.slot(conv, at));
        let (top, border) = (conv.border(1).0, conv.options().border.unwrap_or(Border::Zeros));
        let frame = piece_mut(self.samples, slot, bordered(conv))?;
        for (channel, to) in frame.chunks_exact_mut((rows_of(conv) * stride).max(1)).enumerate() {
            write(channel, to.get_mut(top * stride..(top + rows) * stride).unwrap_or_default());
            for row in (0..top).chain(top + rows..rows_of(conv)) {
                let begin = row * stride;
                match border.index(row as isize - top as isize, rows) {
                    Some(from) => {
                        let from = (top + from) * stride;
                        to.copy_within(from..from + stride, begin);
                    }
                    None => to.get_mut(begin..begin + stride).unwrap_or_default().fill(T::zero()),
                }
            }
        }
        Ok(())
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
        let conv = self.conv;
        let (signature, slots) = (conv.signature(), self.slots());
        let (len, out) = (signature.input.len().max(1), signature.output.len());
        let (samples, scratch) = scratch.split_at_mut_checked(slots * bordered(conv)).unwrap_or_default();
        let mut ring = Ring { samples, slots };
        let plane = layout(conv)[0] * conv.stride();
        for back in 1..conv.extent(0) {
            let now = chunk.t.checked_rem(conv.extent(0) as u64).unwrap_or(0) as usize;
            let before = piece(state, slot(now, back, conv.extent(0)), conv.frame())?;
            ring.store(conv, -(back as isize), |channel, to| {
                copy(to, piece(before, channel, plane).unwrap_or(&[]));
            })?;
        }
        let (mut first, mut grad_out) = (0, chunk.grad_out);
        for input in chunk.input.chunks(self.together.saturating_mul(len)) {
            for (i, x) in input.chunks_exact(len).enumerate() {
                ring.store(conv, (first + i) as isize, |channel, to| {
                    let pixels = signature.input.pixels();
                    conv.store(engine.splitter, piece(x, channel, pixels).unwrap_or(&[]), to);
                })?;
            }
            let t = chunk.t.wrapping_add(first as u64);
            let written = signature.rate.frames(t, input.len() / len);
            let (now, later) = grad_out.split_at_checked(written.saturating_mul(out)).unwrap_or_default();
            self.block(engine, (t, first, input.len() / len), &ring, now, (scratch, gradient.weights))?;
            (first, grad_out) = (first + input.len() / len, later);
        }
        Ok(())
    }

    /// Adds the products of `frames` frames from frame `begin` of the chunk on, the first of which has number `t`.
    fn block<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        (t, begin, frames): (u64, usize, usize),
        ring: &Ring<'_, T>,
        grad_out: &[T],
        (scratch, weights): (&mut [T], &mut [f64]),
    ) -> Result<(), Error> {
        let (conv, signature) = (self.conv, self.conv.signature());
        let [outs, ins, kt, kh, kw] = conv.kernel().shape;
        let (shape, of_plane) = (spread(conv), plane(conv));
        let count = signature.rate.frames(t, frames);
        let g = piece_mut(scratch, 0, count * outs * of_plane)?;
        self.store_gradients(grad_out, g);
        let g = &*g;

        // The frames that yield an output.
        let first = (0..frames).find(|i| signature.rate.yields(t.saturating_add(*i as u64))).unwrap_or(0);
        let every = conv.options().stride[0];
        let pieces = Pieces {
            range: 0..outs * ins * kt,
            work: count * shape[0] * shape[1] * kh * kw,
            scratch: &mut [],
            size: kh * kw,
            output: weights,
        };
        let (samples, of_channel) = (&*ring.samples, rows_of(conv) * conv.stride());
        pieces.share(engine, &|engine, k, _, to| {
            let (o, i, a) = (k / (ins * kt), k / kt % ins, k % kt);
            let channel = (o * conv.options().groups).checked_div(outs).unwrap_or(0) * ins + i;
            let back = conv.options().dilation[0] * (kt - 1 - a);
            let taps = Taps {
                size: [kh, kw],
                dilation: [conv.options().dilation[1], conv.options().dilation[2]],
                shape,
                pitch: conv.stride(),
            };
            let pairs = (0..count).map(|j| {
                let at = (begin + first + j * every) as isize - back as isize;
                let x = samples.get(ring.slot(conv, at) * bordered(conv) + channel * of_channel..);
                (x.unwrap_or(&[]), piece(g, j * outs + o, of_plane).unwrap_or(&[]))
            });
            taps.add(engine.lanes, pairs, to);
        });
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
