//! A delay of whole frames: `out[t] = in[t - d]`, 0 before the start.
//!
//! With a `length` of `L`, the output of every chunk begins with the `L` frames before it: `L + T` frames for a chunk
//! of `T`, the frames `t - d - L .. t - d + T` of the stream. Units: frames. State: `d + L` frames. Cost: one copy in
//! and one out.

use crate::history::History;
use crate::{Error, Filter, First, PadMode, Sample, Shape, Signature};

/// Delay by `delay` frames; see the [equation](self).
///
/// ```
/// use foveola_core::{Delay, Filter, Shape};
/// const DELAY: Delay = Delay::new(Shape::new(1, 1, 1), 2, 0);
/// let mut state = [0.0_f32; DELAY.signature().state];
/// let mut out = [0.0; 4];
/// DELAY.run(0, &mut state, &mut [], &[1.0, 2.0, 3.0, 4.0], &mut out).unwrap();
/// assert_eq!(out, [0.0, 0.0, 1.0, 2.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Delay {
    history: History,
}

impl Delay {
    /// A delay of `delay` frames, with `length` earlier frames before every chunk.
    pub const fn new(shape: Shape, delay: usize, length: usize) -> Self {
        Self { history: History { shape, delay, length, mode: PadMode::Zeros } }
    }

    /// The delay in frames, and the number of earlier frames before every chunk.
    pub const fn frames(&self) -> (usize, usize) {
        (self.history.delay, self.history.length)
    }

    pub(crate) const fn history(&self) -> &History {
        &self.history
    }

    /// What the filter takes, yields and needs.
    pub const fn signature(&self) -> Signature {
        self.history.signature()
    }
}

impl<T: Sample> Filter<T> for Delay {
    fn signature(&self) -> Signature {
        self.history.signature()
    }

    fn start(&self, state: &mut [T], first: First<'_, T>) {
        self.history.start(state, first);
    }

    fn advance(&self, t: u64, state: &mut [T], _: &mut [T], input: &[T], output: &mut [T]) -> Result<usize, Error> {
        self.history.advance(t, state, input, output)
    }
}
