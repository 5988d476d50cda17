//! Filters that keep one sample for each pixel: a block of pixels goes through all frames of a chunk while its state stays in
//! the first-level cache. So a chunk costs its input and output, and nothing for the state.

use crate::Sample;
use crate::engine::{Engine, Fork};
use crate::filter::piece;
use crate::graph::MOVE;
use crate::lanes::Lanes;

/// Samples in a block: 4 kB, so that state, input and output share a first-level cache of 16 kB or more.
const BLOCK: usize = 1 << 10;

/// Calls `step(x, y, out)` for each frame of `len` samples, `y` being the state, and returns the number of frames.
#[inline(always)]
pub(crate) fn scan<T: Sample, L: Lanes<T>, F: Fork>(
    engine: Engine<L, F>,
    len: usize,
    state: &mut [T],
    input: &[T],
    output: &mut [T],
    step: impl Fn(&[T], &mut [T], &mut [T]) + Copy + Send + Sync,
) -> usize {
    let len = len.max(1);
    let frames = input.len() / len;
    if engine.halve(len.saturating_mul(3 * MOVE)).is_some() {
        for (x, out) in input.chunks_exact(len).zip(output.chunks_exact_mut(len)) {
            share(engine, x, state, out, step);
        }
        return frames;
    }
    engine.lanes.vectorize(
        #[inline(always)]
        || {
            for (block, y) in state.chunks_mut(BLOCK).enumerate() {
                let from = block * BLOCK;
                for (frame, out) in output.chunks_exact_mut(len).take(frames).enumerate() {
                    let x = piece(input, frame, len).ok().and_then(|x| x.get(from..from + y.len()));
                    if let (Some(x), Some(out)) = (x, out.get_mut(from..from + y.len())) {
                        step(x, y, out);
                    }
                }
            }
        },
    );
    frames
}

/// `step` of samples that do not depend on each other, in halves where that is worth it. Without state `y` is empty.
pub(crate) fn share<T: Sample, L: Lanes<T>, F: Fork>(
    engine: Engine<L, F>,
    x: &[T],
    y: &mut [T],
    out: &mut [T],
    step: impl Fn(&[T], &mut [T], &mut [T]) + Copy + Send + Sync,
) {
    let Some(engine) = engine.halve(x.len().saturating_mul(3 * MOVE)).filter(|_| x.len() > 1) else {
        return engine.lanes.vectorize(
            #[inline(always)]
            || step(x, y, out),
        );
    };
    let half = x.len() / 2;
    let (x, x_rest) = x.split_at_checked(half).unwrap_or_default();
    let (y, y_rest) = y.split_at_mut(half.min(y.len()));
    let (out, out_rest) = out.split_at_mut(half.min(out.len()));
    engine.fork.join(|| share(engine, x, y, out, step), || share(engine, x_rest, y_rest, out_rest, step));
}
