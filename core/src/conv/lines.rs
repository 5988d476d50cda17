//! Where a convolution finds the rows of its input: rows of frames with their borders, or frames of a chunk as rows in
//! time.

use super::Border;
use crate::Sample;
use crate::cases::Cases;
use crate::lanes::{Lanes, Scalar};

/// A ring of frames.
#[derive(Clone, Copy)]
pub(crate) struct Frames<'a, T> {
    pub(crate) samples: &'a [T],
    pub(crate) slots: usize,
    /// The slot of the latest one.
    pub(crate) now: usize,
}

/// The present frame and those before it: the latest `held` frames in one ring, the others in another.
#[derive(Clone, Copy)]
pub(crate) struct Stored<'a, T> {
    pub(crate) frames: Frames<'a, T>,
    pub(crate) held: usize,
    pub(crate) past: Frames<'a, T>,
}

impl<'a, T: Copy> Stored<'a, T> {
    /// All in one ring.
    pub(crate) const fn in_ring(frames: Frames<'a, T>) -> Self {
        Self { frames, held: usize::MAX, past: frames }
    }

    /// The same without the first samples of each frame.
    pub(crate) fn from(self, first: usize) -> Self {
        let cut = |frames: Frames<'a, T>| Frames { samples: frames.samples.get(first..).unwrap_or(&[]), ..frames };
        Self { frames: cut(self.frames), past: cut(self.past), ..self }
    }
}

/// Where the rows of the input lie.
#[derive(Clone, Copy)]
pub(crate) enum Lines<'a, T> {
    /// In frames: channels x rows, or rows x channels, of rows with their borders.
    Space {
        frames: Stored<'a, T>,
        /// Samples from one slot, channel and row to the next.
        pitch: [usize; 3],
        rows: usize,
        /// Rows of a channel in memory, if there are fewer: row `r` lies where row `r mod held` would.
        held: usize,
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

/// A channel. In space: its samples in a frame from the first row on. In time: the chunk, and where the channel begins
/// in a frame.
#[derive(Clone, Copy)]
pub(super) struct Plane<'a, T> {
    samples: &'a [T],
    at: usize,
}

impl<'a, T: Sample> Lines<'a, T> {
    /// One frame, its channels and rows at the given distances.
    pub(crate) const fn of_frame(samples: &'a [T], pitch: [usize; 2], rows: usize, border: Border) -> Self {
        Self::of_part(samples, pitch, [rows, rows], border)
    }

    /// The same, of which only `held` rows of each channel are in memory.
    pub(crate) const fn of_part(
        samples: &'a [T],
        [channel, row]: [usize; 2],
        [rows, held]: [usize; 2],
        border: Border,
    ) -> Self {
        let frames = Stored::in_ring(Frames { samples, slots: 1, now: 0 });
        Self::Space { frames, pitch: [samples.len(), channel, row], rows, held, border, dilation: 1 }
    }

    /// Channel `channel`, `back` taps ago.
    #[inline(always)]
    pub(super) fn plane<L: Lanes<T>>(&self, channel: usize, back: usize) -> Plane<'a, T> {
        match *self {
            Self::Time { chunk, pixels, .. } if L::asks(Cases::IN_TIME, true) => {
                Plane { samples: chunk, at: channel * pixels }
            }
            Self::Space { frames, pitch, .. } if !L::asks(Cases::IN_FRAMES.and(Cases::IN_FRAMES_BY_FACTORS), true) => {
                Plane { samples: frames.frames.samples.get(channel * pitch[1]..).unwrap_or(&[]), at: 0 }
            }
            Self::Space { frames: Stored { frames, held, past }, pitch, dilation, .. } => {
                let back = back * dilation;
                let (Frames { samples, slots, now }, back) =
                    if back < held { (frames, back) } else { (past, back - held) };
                let slot = slot(now, back, slots);
                Plane { samples: samples.get(slot * pitch[0] + channel * pitch[1]..).unwrap_or(&[]), at: 0 }
            }
            Self::Time { .. } => Plane { samples: &[], at: 0 },
        }
    }

    /// The samples of [`Self::plane`].
    #[inline(always)]
    pub(super) fn samples(&self, channel: usize, back: usize) -> &'a [T] {
        self.plane::<Scalar>(channel, back).samples
    }

    /// Offsets in a plane of `count` rows from row `at` on; `None` where one of them is a border of zeros, or where
    /// rows are frames.
    #[inline(always)]
    pub(super) fn starts<const N: usize>(&self, at: isize, count: usize) -> Option<[usize; N]> {
        let Self::Space { pitch, rows, held, border, .. } = *self else { return None };
        let mut starts = [0; N];
        for (start, at) in starts.iter_mut().take(count).zip(at..) {
            *start = place(border.index(at, rows)?, held) * pitch[2];
        }
        Some(starts)
    }

    /// Rows `at`, `at + step`, … of a plane from column `col` on. Returns how many of them, up to `count`, lie at equal
    /// distances, that distance, and the samples from the first row on (with whatever follows the last row). No samples
    /// where the border is zero.
    #[inline(always)]
    pub(super) fn run<L: Lanes<T>>(
        &self,
        plane: Plane<'a, T>,
        at: isize,
        step: usize,
        count: usize,
        col: usize,
    ) -> (usize, usize, Option<&'a [T]>) {
        match *self {
            Self::Space { pitch, rows, held, border, .. } => {
                let Some(row) = border.index(at, rows) else { return (1, 0, None) };
                let place = place(row, held);
                // Up to the end of the frame, or of the memory.
                let most = (rows - 1 - row).min((held - 1).saturating_sub(place));
                let run = if at >= 0 && (at as usize) < rows { steps(most, step) } else { 1 };
                let samples = plane.samples.get(place * pitch[2] + col..).unwrap_or(&[]);
                (run.min(count), step * pitch[2], Some(samples))
            }
            Self::Time { ring, slots, now, channels, pixels, .. } if L::asks(Cases::IN_TIME, true) => {
                let frame = channels * pixels;
                if at >= 0 {
                    let samples = plane.samples.get(at as usize * frame + plane.at + col..).unwrap_or(&[]);
                    return (count, step * frame, Some(samples));
                }
                let back = at.unsigned_abs();
                let slot = slot(now, back, slots);
                // Up to the end of the ring, or to the chunk.
                let run = steps((slots - slot).min(back) - 1, step);
                (run.min(count), step * frame, Some(ring.get(slot * frame + plane.at + col..).unwrap_or(&[])))
            }
            Self::Time { .. } => (count, 0, None),
        }
    }
}

impl<T> Lines<'_, T> {
    /// Samples from one row of a plane to the next, where rows are those of a frame.
    #[inline(always)]
    pub(super) const fn row_pitch(&self) -> usize {
        match *self {
            Self::Space { pitch, .. } => pitch[2],
            Self::Time { .. } => 0,
        }
    }

    /// How many times rows `at` to `at + span` can be moved down by `step`, and lie as far from each other in memory as they do: 0
    /// if they reach a border.
    #[inline(always)]
    pub(super) fn further(&self, at: isize, span: usize, step: usize) -> usize {
        let (Self::Space { rows, held, .. }, Ok(at)) = (self, usize::try_from(at)) else { return 0 };
        let end = place(at, *held).saturating_add(span);
        let below = rows.checked_sub(at.saturating_add(span) + 1).zip(held.checked_sub(end + 1));
        below.and_then(|(of_frame, of_memory)| of_frame.min(of_memory).checked_div(step)).unwrap_or(0)
    }
}

/// Where row `row` lies among the `held` rows in memory.
#[inline(always)]
pub(super) const fn place(row: usize, held: usize) -> usize {
    if row < held { row } else { row % if held == 0 { 1 } else { held } }
}

/// How many of 0, `step`, `2 step`, … are at most `most`.
#[inline(always)]
const fn steps(most: usize, step: usize) -> usize {
    // A test for the usual case is cheaper than a division.
    match most.checked_div(step) {
        _ if step == 1 => most + 1,
        Some(steps) => steps + 1,
        None => 1,
    }
}

/// The slot of the frame `back` frames before that of slot `now`, in a ring of `slots`.
#[inline(always)]
pub(crate) const fn slot(now: usize, back: usize, slots: usize) -> usize {
    if now >= back { now - back } else { (now + slots).saturating_sub(back) }
}
