//! Where a convolution finds the rows of its input: rows of frames with their borders, or frames of a chunk as rows of time.

use super::Border;

/// Where the rows of the input lie.
#[derive(Clone, Copy)]
pub(crate) enum Lines<'a, T> {
    /// In a ring of frames: slots x channels x rows, or slots x rows x channels, of rows with their borders.
    Space {
        frames: &'a [T],
        slots: usize,
        /// The slot of the present frame.
        now: usize,
        /// Samples from one slot, channel and row to the next.
        pitch: [usize; 3],
        rows: usize,
        border: Border,
        /// Frames between the kernel's taps in time.
        dilation: usize,
    },
    /// Each row is a frame: of the present chunk, or of the ring of those before it.
    Time {
        chunk: &'a [T],
        ring: &'a [T],
        slots: usize,
        /// The slot of the chunk's first frame.
        now: usize,
        channels: usize,
        pixels: usize,
    },
}

impl<'a, T> Lines<'a, T> {
    /// Where channel `channel`, `back` taps ago, begins.
    #[inline(always)]
    pub(super) fn plane(&self, channel: usize, back: usize) -> usize {
        match *self {
            Self::Space { slots, now, pitch, dilation, .. } => {
                let back = back * dilation;
                let slot = if now >= back { now - back } else { (now + slots).saturating_sub(back) };
                slot * pitch[0] + channel * pitch[1]
            }
            Self::Time { pixels, .. } => channel * pixels,
        }
    }

    /// Rows `at`, `at + step`, … of a plane from column `col` on, up to `count` of them: as many as lie at equal distances, that
    /// distance, and the samples from the first one on (with whatever lies behind the last). No samples where the border is
    /// zero.
    #[inline(always)]
    pub(super) fn run(
        &self,
        plane: usize,
        at: isize,
        step: usize,
        count: usize,
        col: usize,
    ) -> (usize, usize, Option<&'a [T]>) {
        match *self {
            Self::Space { frames, pitch, rows, border, .. } => {
                let Some(row) = border.index(at, rows) else { return (1, 0, None) };
                let run = if at >= 0 && (at as usize) < rows { steps(rows - 1 - row, step) } else { 1 };
                (run.min(count), step * pitch[2], Some(frames.get(plane + row * pitch[2] + col..).unwrap_or(&[])))
            }
            Self::Time { chunk, ring, slots, now, channels, pixels } => {
                let frame = channels * pixels;
                if at >= 0 {
                    let samples = chunk.get(at as usize * frame + plane + col..).unwrap_or(&[]);
                    return (count, step * frame, Some(samples));
                }
                let back = at.unsigned_abs();
                let slot = if now >= back { now - back } else { (now + slots).saturating_sub(back) };
                // Up to the end of the ring, or to the chunk.
                let run = steps((slots - slot).min(back) - 1, step);
                (run.min(count), step * frame, Some(ring.get(slot * frame + plane + col..).unwrap_or(&[])))
            }
        }
    }
}

/// How many of 0, `step`, `2 step`, … are at most `most`.
#[inline(always)]
const fn steps(most: usize, step: usize) -> usize {
    // A division is dearer than to ask for the usual case.
    if step == 1 { most + 1 } else { most / step + 1 }
}
