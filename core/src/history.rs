//! The ring behind `TimePadding` and `Delay`: the last `delay + length` frames, in the order of their arrival.
//!
//! Frame `t` lies in slot `t mod (delay + length)`. A chunk that starts at `t` yields the frames
//! `t - delay - length .. t - delay + T` of the stream: those before `t` from the ring, the others from the chunk itself. Then
//! the chunk's last frames go into the ring.

use crate::filter::{copy, piece, piece_mut};
use crate::{Error, First, PadMode, Sample, Shape, Signature};

#[derive(Clone, Copy, Debug)]
pub(crate) struct History {
    pub(crate) shape: Shape,
    pub(crate) delay: usize,
    pub(crate) length: usize,
    pub(crate) mode: PadMode,
}

impl History {
    const fn slots(&self) -> usize {
        self.delay.saturating_add(self.length)
    }

    pub(crate) const fn signature(&self) -> Signature {
        let mut signature = Signature::same(self.shape, self.slots().saturating_mul(self.shape.len()));
        signature.lead = self.length;
        signature
    }

    /// Slot of the frame that came `back` frames before frame `t`; `back <= slots`.
    fn slot(&self, t: u64, back: usize) -> usize {
        let slots = self.slots().max(1);
        let now = (t % slots as u64) as usize;
        if now >= back { now - back } else { slots.saturating_sub(back).saturating_add(now) }
    }

    pub(crate) fn start<T: Sample>(&self, state: &mut [T], first: First<'_, T>) {
        let frame = self.shape.len();
        self.mode.fill(self.slots(), frame, first, |back, source| {
            if let Ok(slot) = piece_mut(state, self.slot(0, back), frame) {
                match source {
                    Ok(x) => copy(slot, x),
                    Err(value) => slot.fill(value),
                }
            }
        });
    }

    pub(crate) fn advance<T: Sample>(
        &self,
        t: u64,
        state: &mut [T],
        input: &[T],
        output: &mut [T],
    ) -> Result<usize, Error> {
        let (len, slots) = (self.shape.len().max(1), self.slots());
        let frames = input.len() / len;
        for (i, y) in output.chunks_exact_mut(len).take(self.length.saturating_add(frames)).enumerate() {
            // Frame i of the output came `slots` frames before frame i of the chunk.
            match i.checked_sub(slots) {
                Some(i) => copy(y, piece(input, i, len)?),
                None => copy(y, piece(state, self.slot(t, slots - i), len)?),
            }
        }
        for (i, x) in input.chunks_exact(len).enumerate().skip(frames.saturating_sub(slots)) {
            copy(piece_mut(state, self.slot(t.saturating_add(i as u64), 0), len)?, x);
        }
        Ok(self.length.saturating_add(frames))
    }
}
