//! Adjoint of a difference in time: `gx[t] = g[t] - g[t+1]`, without `g[0]`, whose output is always 0.
//!
//! The filter's state begins as a copy of frame 0, so [`Adjoint::finish`] subtracts `g[0]` there.
//! State: the gradient of the next output frame.

use super::{Adjoint, Chunk, FirstGradient, Memory, Needs};
use crate::filter::copy;
use crate::{Diff, Error, Sample};

impl<T: Sample> Adjoint<T> for Diff {
    fn needs(&self) -> Needs {
        Needs::of(self.signature(), self.signature().state)
    }

    fn retreat(&self, chunk: Chunk<'_, T>, memory: Memory<'_, T>) -> Result<(), Error> {
        let Memory { state, grad_in, .. } = memory;
        let len = self.signature().input.len().max(1);
        let next = chunk.grad_out.get(len..).unwrap_or(&[]);
        let next = next.iter().chain(&*state);
        for (x, (g, next)) in grad_in.iter_mut().zip(chunk.grad_out.iter().zip(next)) {
            *x = *g - *next;
        }
        copy(state, chunk.grad_out);
        Ok(())
    }

    fn finish(&self, state: &mut [T], _: &mut [T], mut first: FirstGradient<'_, T>) -> Result<(), Error> {
        for (x, g) in first.frames().iter_mut().zip(state) {
            *x = *x - *g;
        }
        Ok(())
    }
}
