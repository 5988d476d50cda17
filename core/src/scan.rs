//! Filters that keep one sample for each pixel: a block of pixels goes through several frames of a chunk while its state stays
//! in the first-level cache. So a chunk costs its input and output, and little for the state.

use crate::Sample;
use crate::engine::{Engine, Fork};
use crate::filter::halves;
use crate::graph::MOVE;
use crate::lanes::Lanes;

/// Samples in a block: 4 kB, so that state, input and output share a first-level cache of 16 kB or more.
const BLOCK: usize = 1 << 10;

/// Frames that a block of pixels goes through at a time.
const TOGETHER: usize = 16;

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
    let size = TOGETHER.saturating_mul(len).max(1); // which no compiler sees
    for (x, outputs) in input.chunks(size).zip(output.chunks_mut(size)) {
        let mut outputs = outputs.chunks_exact_mut(len);
        let outputs: [&mut [T]; TOGETHER] = core::array::from_fn(|_| outputs.next().unwrap_or_default());
        share(engine, (x, len), 0, state, outputs, step);
    }
    input.len() / len
}

/// The pixels from `from` on of some frames, in halves where that is worth it.
fn share<T: Sample, L: Lanes<T>, F: Fork>(
    engine: Engine<L, F>,
    (input, len): (&[T], usize),
    from: usize,
    state: &mut [T],
    mut outputs: [&mut [T]; TOGETHER],
    step: impl Fn(&[T], &mut [T], &mut [T]) + Copy + Send + Sync,
) {
    let half = state.len() / 2;
    let work = state.len().saturating_mul(input.len() / len).saturating_mul(3 * MOVE);
    if let Some(engine) = engine.halve(work).filter(|_| half > 0) {
        let (y, y_rest) = state.split_at_mut(half);
        let (out, out_rest) = halves(outputs, half);
        engine.fork.join(
            || share(engine, (input, len), from, y, out, step),
            || share(engine, (input, len), from + half, y_rest, out_rest, step),
        );
        return;
    }
    engine.lanes.vectorize(
        #[inline(always)]
        || {
            for (block, y) in state.chunks_mut(BLOCK).enumerate() {
                let pixels = block * BLOCK..block * BLOCK + y.len();
                for (x, out) in input.chunks_exact(len).zip(&mut outputs) {
                    let x = x.get(from..).and_then(|x| x.get(pixels.clone()));
                    if let (Some(x), Some(out)) = (x, out.get_mut(pixels.clone())) {
                        step(x, y, out);
                    }
                }
            }
        },
    );
}
