//! Convolution of a chunk in blocks of frames. Threads share the frames of a block: one hand-over per block instead of
//! one per frame.
//!
//! The scratch holds a ring with the frames of a block and the earlier frames that its kernels reach, stored as in the
//! state. The state provides the frames before the chunk, and receives the last frames of the chunk at its end. The
//! output is bit-identical to that of one frame after another.

use super::Conv3d;
use super::conv3d::pad_row;
use super::lines::{Frames, Stored};
use crate::engine::{Engine, Pieces, WorkSplitter};
use crate::filter::{copy, piece, piece_mut};
use crate::graph::MOVE;
use crate::lanes::Lanes;
use crate::{Error, Rate, Sample};

impl<T> Conv3d<'_, T> {
    /// Frames in the scratch of a block: a multiple of the block length, so that no block is split.
    pub(super) const fn slots_of_blocks(&self) -> usize {
        let past = self.extent(0) - 1;
        past.div_ceil(self.block).saturating_add(1).saturating_mul(self.block)
    }
}

impl<T: Sample> Conv3d<'_, T> {
    #[inline(always)]
    pub(super) fn advance_in_blocks<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        t: u64,
        state: &mut [T],
        scratch: &mut [T],
        input: &[T],
        output: &mut [T],
    ) -> Result<usize, Error> {
        let signature = self.signature();
        let (frame, slots, len) = (self.frame(), self.extent(0), self.input.len().max(1));
        let all = self.slots_of_blocks();
        let (ring, scratch) = scratch.split_at_mut_checked(all.saturating_mul(frame)).unwrap_or_default();
        // The frame before the chunk.
        let past = t.saturating_add(slots as u64 - 1).checked_rem(slots as u64).unwrap_or(0) as usize;
        let mut written = 0;
        for (i, chunk) in input.chunks(self.block.saturating_mul(len)).enumerate() {
            let (before, frames) = (i * self.block, chunk.len() / len);
            let first = before.checked_rem(all).unwrap_or(0);
            self.store(
                engine.splitter,
                chunk,
                piece_mut(ring.get_mut(first * frame..).unwrap_or(&mut []), 0, frames * frame)?,
            );
            let t = t.saturating_add(before as u64);
            let count = signature.rate.frames(t, frames);
            let output = output.get_mut(written * signature.output.len()..).unwrap_or(&mut []);
            let size = signature.output.len();
            let pieces = Pieces {
                range: 0..count,
                work: self.work(),
                scratch,
                size,
                output: piece_mut(output, 0, count.saturating_mul(size))?,
            };
            let ring = &*ring;
            pieces.share(engine, &|engine, n, scratch, output| {
                // The frame that yields output n of the block, counted from the first frame of the chunk.
                let Rate { first, every } = signature.rate;
                let due = first.saturating_add(signature.rate.count(t).saturating_add(n as u64).saturating_mul(every));
                let at = due.saturating_sub(t) as usize + before;
                let stored = Stored {
                    frames: Frames { samples: ring, slots: all, now: at.checked_rem(all).unwrap_or(0) },
                    held: at + 1,
                    past: Frames { samples: state, slots, now: past },
                };
                self.output(engine, stored, scratch, output);
            });
            written += count;
        }
        let frames = input.len() / len;
        if slots > 1 {
            for i in frames.saturating_sub(slots)..frames {
                let slot = t.saturating_add(i as u64).checked_rem(slots as u64).unwrap_or(0) as usize;
                copy(piece_mut(state, slot, frame)?, piece(ring, i.checked_rem(all).unwrap_or(0), frame)?);
            }
        }
        Ok(written)
    }

    /// Copies frames into adjacent slots, with the left and right border of every row; split in halves when that is
    /// worthwhile.
    pub fn store<F: WorkSplitter>(&self, splitter: F, from: &[T], slots: &mut [T]) {
        let (cols, stride, left) = (self.layout().1.max(1), self.stride().max(1), self.border(2).0);
        let rows = from.len() / cols;
        if let Some(splitter) = splitter.halve(from.len().saturating_mul(2 * MOVE)).filter(|_| rows > 1) {
            let (from, from_rest) = from.split_at_checked(rows / 2 * cols).unwrap_or_default();
            let (slots, slots_rest) = slots.split_at_mut_checked(rows / 2 * stride).unwrap_or_default();
            splitter.join(|| self.store(splitter, from, slots), || self.store(splitter, from_rest, slots_rest));
            return;
        }
        for (from, row) in from.chunks_exact(cols).zip(slots.chunks_exact_mut(stride)) {
            if let Some(to) = row.get_mut(left..) {
                copy(to, from);
            }
            pad_row(row, left, cols, self.options.border.unwrap_or_default());
        }
    }
}
