//! Adjoint of a delay for each pixel: `gx[t, r, c] = g[t + D[r, c], r, c]`, 0 after the end.
//!
//! The same delay, backward in time. State and cost: those of the filter.

use super::{Adjoint, Chunk, Memory, Needs, reversed_slot};
use crate::{Error, Filter, Sample, VariableDelay};

impl<T: Sample> Adjoint<T> for VariableDelay<'_> {
    fn needs(&self) -> Needs {
        Needs::of(self.signature(), self.signature().state)
    }

    fn retreat(&self, chunk: Chunk<'_, T>, memory: Memory<'_, T>) -> Result<(), Error> {
        let Memory { state, grad_in, .. } = memory;
        let len = self.signature().input.len().max(1);
        let slots = state.len() / len;
        for (i, (g, x)) in chunk.grad_out.chunks_exact(len).zip(grad_in.chunks_exact_mut(len)).enumerate().rev() {
            self.advance(reversed_slot(chunk.t.wrapping_add(i as u64), slots), state, &mut [], g, x)?;
        }
        Ok(())
    }
}
