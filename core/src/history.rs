//! The ring of `TimePadding` and `Delay`: the last `delay + length` frames, in the order of their arrival.
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
    pub(crate) const fn slots(&self) -> usize {
        self.delay.saturating_add(self.length)
    }

    pub(crate) const fn signature(&self) -> Signature {
        let mut signature = Signature::same(self.shape, self.slots().saturating_mul(self.shape.len()));
        signature.lead = self.length;
        signature
    }

    /// Slot of the frame that came `back` frames before frame `t`; `back <= slots`.
    pub(crate) fn slot(&self, t: u64, back: usize) -> usize {
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

#[cfg(test)]
mod tests {
    extern crate std;
    use crate::{Delay, Filter, PadFrame, PadMode, Shape, TimePadding};
    use std::{vec, vec::Vec};

    const SHAPE: Shape = Shape::new(1, 1, 2);

    /// Frame `t` is `[t + 1, -(t + 1)]`, so that no two are alike and none is zero.
    fn frame(t: usize) -> [f32; 2] {
        [t as f32 + 1.0, -(t as f32 + 1.0)]
    }

    /// All chunks that `filter` yields for a stream in chunks of the lengths `cuts`. The state holds NaN before.
    fn chunks(filter: &dyn Filter, cuts: &[usize]) -> Vec<Vec<f32>> {
        let signature = filter.signature();
        let (mut state, mut t) = (vec![f32::NAN; signature.state], 0);
        let chunk = |frames: &usize| {
            let input: Vec<f32> = (t..t + frames).flat_map(frame).collect();
            let mut output = vec![f32::NAN; (signature.lead + frames) * SHAPE.len()];
            let written = filter.run(t as u64, &mut state, &mut [], &input, &mut output).unwrap();
            assert_eq!(written, signature.frames_out(t as u64, *frames), "frames out");
            t += frames;
            output
        };
        cuts.iter().map(chunk).collect()
    }

    const CUTS: [&[usize]; 6] = [&[9], &[1; 9], &[4, 1, 3, 1], &[2, 7], &[5, 5, 5], &[1, 12]];

    /// `TimePadding`: the last `length` frames of the stream and of what was before it, then the chunk.
    #[test]
    fn padding_repeats_the_last_frames() {
        for (_, mode) in PadMode::NAMES {
            for length in 0..8 {
                for cuts in CUTS {
                    let first = cuts[0];
                    // Over the first chunk: t + 1 and its negative cancel.
                    let before = |back: usize| match mode.frame(back, first) {
                        PadFrame::Frame(t) => frame(t),
                        PadFrame::Mean | PadFrame::Zero => [0.0; 2],
                        PadFrame::One => [1.0; 2],
                    };
                    let padding = TimePadding::new(SHAPE, length, mode);
                    let mut t = 0;
                    for (found, frames) in chunks(&padding, cuts).into_iter().zip(cuts) {
                        let range = t as isize - length as isize..(t + frames) as isize;
                        let of = |t: isize| usize::try_from(t).map_or_else(|_| before(t.unsigned_abs()), frame);
                        assert_eq!(found, range.flat_map(of).collect::<Vec<_>>(), "{mode:?}, {length}, {cuts:?}, {t}");
                        t += frames;
                    }
                }
            }
        }
    }

    /// `Delay`: frames `t - delay - length .. t - delay + T` of the stream, zeros before it.
    #[test]
    fn a_delay_yields_earlier_frames() {
        for delay in 0..7 {
            for length in 0..5 {
                for cuts in CUTS {
                    let mut t = 0;
                    for (found, frames) in chunks(&Delay::new(SHAPE, delay, length), cuts).into_iter().zip(cuts) {
                        let from = t as isize - (delay + length) as isize;
                        let range = from..from + (length + frames) as isize;
                        let of = |t: isize| usize::try_from(t).map_or([0.0; 2], frame);
                        assert_eq!(found, range.flat_map(of).collect::<Vec<_>>(), "{delay}, {length}, {cuts:?}, {t}");
                        t += frames;
                    }
                }
            }
        }
    }
}
