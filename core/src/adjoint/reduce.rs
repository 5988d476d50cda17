//! Adjoint of a sum over an axis: every term has the gradient of its sum. No state.

use super::{Adjoint, Chunk, Needs, Parameters};
use crate::error::exact;
use crate::filter::copy;
use crate::{Error, Sample, Sum};

impl<T: Sample> Adjoint<T> for Sum {
    fn needs(&self) -> Needs {
        Needs::of(self.signature(), 0)
    }

    fn retreat(
        &self,
        chunk: Chunk<'_, T>,
        _: &mut [T],
        _: &mut [T],
        grad_in: &mut [T],
        _: Parameters<'_, T>,
    ) -> Result<(), Error> {
        exact("the gradient of the input", grad_in.len(), chunk.input.len())?;
        let (n, inner) = self.axis();
        let terms = grad_in.chunks_exact_mut(n.saturating_mul(inner).max(1));
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
