//! Adjoints of temporal padding and delays: each gradient goes back to the frame that was copied.
//!
//! ```text
//! out[j] = x[t - d - L + j], j = 0 .. L + T        gx[s] = sum of g[j] over all chunks and j with t - d - L + j = s
//! ```
//! State: the gradients of the `d + L` frames before the chunk so far, frame `s` in slot `s mod (d + L)`, as in the
//! [filters](crate::delay). After the first chunk they are those of the temporal padding.

use super::{Adjoint, Chunk, FirstGradient, Memory, Needs, add};
use crate::filter::{copy, piece, piece_mut};
use crate::history::History;
use crate::{Delay, Error, Sample, TimePadding};

impl History {
    const fn needs(&self) -> Needs {
        Needs::of(self.signature(), self.signature().state)
    }

    fn retreat<T: Sample>(&self, chunk: Chunk<'_, T>, memory: Memory<'_, T>) -> Result<(), Error> {
        let Memory { state, grad_in, .. } = memory;
        let (len, slots) = (self.shape.len().max(1), self.slots());
        let frames = chunk.input.len() / len;
        for (i, x) in grad_in.chunks_exact_mut(len).enumerate() {
            if frames - i > slots {
                x.fill(T::zero());
                continue;
            }
            // What later chunks contribute. The slot is then that of a frame before the chunk.
            let slot = piece_mut(state, self.slot(chunk.t.wrapping_add(i as u64), 0), len)?;
            copy(x, slot);
            slot.fill(T::zero());
        }
        for (j, g) in chunk.grad_out.chunks_exact(len).enumerate() {
            let to = match j.checked_sub(slots) {
                Some(i) => piece_mut(grad_in, i, len)?,
                None => piece_mut(state, self.slot(chunk.t, slots - j), len)?,
            };
            add(to, g);
        }
        Ok(())
    }

    fn finish<T: Sample>(&self, state: &[T], mut first: FirstGradient<'_, T>) -> Result<(), Error> {
        let len = self.shape.len();
        for back in 1..=(if len == 0 { 0 } else { self.slots() }) {
            first.add(self.mode, back, piece(state, self.slot(0, back), len)?);
        }
        first.spread();
        Ok(())
    }
}

macro_rules! adjoint {
    ($filter:ty) => {
        impl<T: Sample> Adjoint<T> for $filter {
            fn needs(&self) -> Needs {
                self.history().needs()
            }

            fn retreat(&self, chunk: Chunk<'_, T>, memory: Memory<'_, T>) -> Result<(), Error> {
                self.history().retreat(chunk, memory)
            }

            fn finish(&self, state: &mut [T], _: &mut [T], first: FirstGradient<'_, T>) -> Result<(), Error> {
                self.history().finish(state, first)
            }
        }
    };
}

adjoint!(TimePadding);
adjoint!(Delay);
