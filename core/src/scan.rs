//! Filters with one or two samples of state per pixel. A block of pixels passes through several frames of a chunk while
//! its state stays in the first-level cache. A chunk then costs its input and output, and little for the state.

use crate::Sample;
use crate::engine::{Engine, WorkSplitter};
use crate::filter::halves;
use crate::graph::MOVE;
use crate::lanes::Lanes;

/// Samples in a block: 4 kB, so that state, input and output share a first-level cache of 16 kB or more.
const BLOCK: usize = 1 << 10;

/// Frames that a block of pixels passes through at a time.
const TOGETHER: usize = 16;

/// Where a block lies: its frame in the chunk, and its first pixel.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) frame: usize,
    pub(crate) pixel: usize,
}

/// Calls `step(place, x, y, out)` for each frame of `len` samples, and returns the number of frames. `y` is the state,
/// `W` words for each sample.
#[inline(always)]
pub(crate) fn scan<T: Sample, L: Lanes<T>, F: WorkSplitter, const W: usize>(
    engine: Engine<L, F>,
    len: usize,
    state: [&mut [T]; W],
    input: &[T],
    output: &mut [T],
    step: impl Fn(Place, &[T], [&mut [T]; W], &mut [T]) + Copy + Send + Sync,
) -> usize {
    let len = len.max(1);
    let mut state = state;
    let size = TOGETHER.saturating_mul(len).max(1); // above 0, which the compiler does not see
    for (i, (x, outputs)) in input.chunks(size).zip(output.chunks_mut(size)).enumerate() {
        let mut outputs = outputs.chunks_exact_mut(len);
        let outputs: [&mut [T]; TOGETHER] = core::array::from_fn(|_| outputs.next().unwrap_or_default());
        let first = Place { frame: i * TOGETHER, pixel: 0 };
        share(engine, (x, len), first, state.each_mut().map(|word| &mut **word), outputs, step);
    }
    input.len() / len
}

/// The pixels of some frames from that of `first` on, split in halves when that is worthwhile.
fn share<T: Sample, L: Lanes<T>, F: WorkSplitter, const W: usize>(
    engine: Engine<L, F>,
    (input, len): (&[T], usize),
    first: Place,
    state: [&mut [T]; W],
    mut outputs: [&mut [T]; TOGETHER],
    step: impl Fn(Place, &[T], [&mut [T]; W], &mut [T]) + Copy + Send + Sync,
) {
    let pixels = state.first().map_or(0, |word| word.len());
    let half = pixels / 2;
    let work = pixels.saturating_mul(input.len() / len).saturating_mul(3 * MOVE);
    if let Some(engine) = engine.halve(work).filter(|_| half > 0) {
        let (y, y_rest) = halves(state, half);
        let (out, out_rest) = halves(outputs, half);
        let middle = Place { pixel: first.pixel + half, ..first };
        engine.splitter.join(
            || share(engine, (input, len), first, y, out, step),
            || share(engine, (input, len), middle, y_rest, out_rest, step),
        );
        return;
    }
    engine.lanes.vectorize(
        #[inline(always)]
        || {
            let mut words = state.map(|word| word.chunks_mut(BLOCK));
            for block in 0..pixels.div_ceil(BLOCK) {
                let mut y: [&mut [T]; W] = words.each_mut().map(|word| word.next().unwrap_or_default());
                let pixels = block * BLOCK..block * BLOCK + y.first().map_or(0, |word| word.len());
                for (i, (x, out)) in input.chunks_exact(len).zip(&mut outputs).enumerate() {
                    let x = x.get(first.pixel..).and_then(|x| x.get(pixels.clone()));
                    if let (Some(x), Some(out)) = (x, out.get_mut(pixels.clone())) {
                        let place = Place { frame: first.frame + i, pixel: first.pixel + pixels.start };
                        step(place, x, y.each_mut().map(|word| &mut **word), out);
                    }
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::engine::{Halves, SingleThread};
    use crate::lanes::Scalar;
    use std::vec;

    /// Every sample is processed once, with its place: some filters process the pixels in turn, by their place.
    #[test]
    fn places_are_those_of_the_samples() {
        fn check<F: WorkSplitter>(splitter: F, len: usize) {
            let frames = 2 * TOGETHER + 3;
            let input: vec::Vec<f32> = (0..frames * len).map(|i| i as f32).collect();
            let (mut state, mut output) = (vec![0.0_f32; len], vec![0.0_f32; frames * len]);
            let engine = Engine { lanes: Scalar, splitter };
            let step = |place: Place, x: &[f32], [y]: [&mut [f32]; 1], out: &mut [f32]| {
                for (i, ((x, y), out)) in x.iter().zip(y).zip(out).enumerate() {
                    assert_eq!(*x, (place.frame * len + place.pixel + i) as f32, "frame and pixel");
                    *y += 1.0;
                    *out = *x + *y;
                }
            };
            assert_eq!(scan(engine, len, [&mut state[..]], &input, &mut output, step), frames);
            for (i, (found, x)) in output.iter().zip(&input).enumerate() {
                assert_eq!(*found, x + (i / len + 1) as f32, "sample {i} of {len} a frame");
            }
        }
        for len in [1, 2, 7, BLOCK - 1, BLOCK, 2 * BLOCK + 5] {
            check(SingleThread, len);
            check(Halves(3), len);
        }
    }
}
