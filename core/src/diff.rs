//! Difference in time: `out[t] = x[t] - x[t-1]`, 0 for the first frame.
//!
//! State: the last frame. Cost: 1 operation per sample.

use crate::engine::{Engine, WorkSplitter};
use crate::filter::copy;
use crate::lanes::Lanes;
use crate::scan::scan;
use crate::{Error, Filter, First, Sample, Shape, Signature};

/// Difference of successive frames; see the [equation](self).
///
/// ```
/// use foveola_core::{Diff, Filter, Shape};
/// const DIFF: Diff = Diff::new(Shape::new(1, 1, 1));
/// let (mut state, mut out) = ([0.0_f32], [0.0; 3]);
/// DIFF.run(0, &mut state, &mut [], &[5.0, 7.0, 4.0], &mut out).unwrap();
/// assert_eq!(out, [0.0, 2.0, -3.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Diff {
    shape: Shape,
}

impl Diff {
    /// Differences of frames of `shape`.
    pub const fn new(shape: Shape) -> Self {
        Self { shape }
    }

    /// What the filter takes, yields and needs.
    pub const fn signature(&self) -> Signature {
        Signature::same(self.shape, self.shape.len())
    }

    /// [`Filter::advance`] with given vectors and threads.
    #[inline(always)]
    pub fn advance_with<T: Sample, L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        state: &mut [T],
        input: &[T],
        output: &mut [T],
    ) -> usize {
        scan(
            engine,
            self.shape.len(),
            [state],
            input,
            output,
            #[inline(always)]
            |_, x, [last], out| {
                for ((x, last), out) in x.iter().zip(last).zip(out) {
                    *out = *x - *last;
                    *last = *x;
                }
            },
        )
    }
}

impl<T: Sample> Filter<T> for Diff {
    fn signature(&self) -> Signature {
        Self::signature(self)
    }

    fn start(&self, state: &mut [T], first: First<'_, T>) {
        copy(state, first.frames);
    }

    fn advance(&self, _: u64, state: &mut [T], _: &mut [T], input: &[T], output: &mut [T]) -> Result<usize, Error> {
        Ok(self.advance_with(Engine::single_thread(T::LANES), state, input, output))
    }
}
