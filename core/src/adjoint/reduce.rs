//! Adjoint of a sum over an axis: every term has the gradient of its sum. No state.

use super::{Adjoint, Chunk, Memory, Needs};
use crate::filter::copy;
use crate::{Error, Sample, Sum};

impl<T: Sample> Adjoint<T> for Sum {
    fn needs(&self) -> Needs {
        Needs::of(self.signature(), 0)
    }

    fn retreat(&self, chunk: Chunk<'_, T>, memory: Memory<'_, T>) -> Result<(), Error> {
        let (n, inner) = self.axis();
        let terms = memory.grad_in.chunks_exact_mut(n.saturating_mul(inner).max(1));
        for (terms, g) in terms.zip(chunk.grad_out.chunks_exact(inner.max(1))) {
            if let ([g], 1) = (g, inner) {
                terms.fill(*g);
            } else {
                terms.chunks_exact_mut(inner.max(1)).for_each(|term| copy(term, g));
            }
        }
        Ok(())
    }
}
