//! Finds the alignment in a stream of words of `N` bytes after bytes were lost or damaged.
//!
//! All `N` alignments are watched at once: after each byte, the last `N` bytes are a word of one alignment, which is
//! possible or not. The right alignment never has an impossible word once the damage is over; wrong ones soon do. A
//! word is believed when its alignment has been plausible for [`SENSIBLE`] words, and for no fewer than any other.
//! Cost: a few operations per byte. State: `N + 1` bytes.

/// Words in a row that must be plausible. In noise a word of EVT 2.0 is possible in 6 of 16 cases, so a false alignment
/// is believed once in 10^8 bytes; the true one costs 64 bytes.
const SENSIBLE: u8 = 16;

/// For how many words each alignment has been plausible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Alignments<const N: usize> {
    runs: [u8; N],
    phase: u8,
}

impl<const N: usize> Alignments<N> {
    /// Nothing is known.
    pub(super) const fn new() -> Self {
        Self { runs: [0; N], phase: 0 }
    }

    /// Number of words that [`Alignments::save`] writes.
    pub(super) const SAVED: usize = N + 1;

    /// All that is known, in words.
    pub(super) fn save(&self, put: &mut impl FnMut(u32)) {
        let Self { runs, phase } = self;
        runs.iter().chain([phase]).for_each(|byte| put((*byte).into()));
    }

    /// Reads what [`Alignments::save`] wrote.
    pub(super) fn restore(take: &mut impl FnMut() -> u32) -> Self {
        let runs = core::array::from_fn(|_| take() as u8);
        Self { runs, phase: (take() % N as u32) as u8 }
    }

    /// The next byte completes a word that is `possible` or not; returns whether to believe in its alignment.
    pub(super) fn believe(&mut self, possible: bool) -> bool {
        self.phase = if usize::from(self.phase) + 1 < N { self.phase + 1 } else { 0 };
        let longest = self.runs.iter().copied().max().unwrap_or(0);
        let Some(run) = self.runs.get_mut(usize::from(self.phase)) else { return false };
        *run = if possible { run.saturating_add(1) } else { 0 };
        *run >= SENSIBLE && *run >= longest
    }
}

/// The same for events of `N` bytes among others of one byte, which move the alignments: for how many events each has
/// been plausible, in the order in which their next events begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Phases<const N: usize> {
    runs: [u8; N],
}

impl<const N: usize> Phases<N> {
    /// Nothing is known.
    pub(super) const fn new() -> Self {
        Self { runs: [0; N] }
    }

    /// The next byte is `single` where an event begins with it, and completes `N` bytes that are a `possible` event or
    /// not; returns whether to believe in that event.
    pub(super) fn step(&mut self, single: bool, possible: bool) -> bool {
        self.runs.rotate_left(1);
        let longest = self.runs.iter().copied().max().unwrap_or(0);
        let [completed, .., began] = self.runs.as_mut_slice() else { return false };
        *completed = if possible { completed.saturating_add(1) } else { 0 };
        let run = *completed;
        if single {
            // The alignment that began an event here does so again with the next byte, and a new one takes its place.
            *completed = run.max(core::mem::take(began));
        }
        run >= SENSIBLE && run >= longest
    }
}

/// How often words were implausible recently, for formats in which most words at a wrong alignment look like events.
/// Each implausible word counts 16, and each plausible one takes 1 off (in some formats only words with the time). One
/// in a hundred is forgotten, one in ten is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trouble(u8);

impl Trouble {
    const WORD: u8 = 16;
    const MOST: u8 = 3 * Self::WORD;

    pub(super) const NONE: Self = Self(0);

    /// A word is implausible; returns whether that is too often.
    pub(super) const fn add(&mut self) -> bool {
        let is_much = self.0 > Self::MOST - Self::WORD;
        self.0 = if is_much { 0 } else { self.0 + Self::WORD };
        is_much
    }

    /// `words` words were plausible.
    pub(super) fn less(&mut self, words: usize) {
        self.0 -= words.min(self.0.into()) as u8;
    }

    /// Number of words that [`Trouble::save`] writes.
    pub(super) const SAVED: usize = 1;

    /// All that is known, in words.
    pub(super) fn save(self, put: &mut impl FnMut(u32)) {
        put(self.0.into());
    }

    /// Reads what [`Trouble::save`] wrote.
    pub(super) fn restore(take: &mut impl FnMut() -> u32) -> Self {
        Self(take() as u8)
    }

    /// Words are believed that contradict what came before: the next ones must all be plausible.
    pub(super) const fn fill(&mut self) {
        self.0 = Self::MOST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alignment_that_makes_sense_for_longest_wins() {
        let mut alignments = Alignments::<4>::new();
        for word in 1..=20 {
            let believed = [false, word >= 3, true, word % 7 != 0].map(|possible| alignments.believe(possible));
            // The third is never wrong; the second is wrong at first and always two words late.
            assert_eq!(believed, [false, false, word >= 16, false], "word {word}");
        }
    }

    #[test]
    fn single_bytes_move_the_phases() {
        let mut phases = Phases::<3>::new();
        // Events of three bytes that end with the byte given; every second is followed by a single byte.
        for event in 1..=20 {
            let believed = [false, false, true].map(|possible| phases.step(false, possible));
            assert_eq!(believed, [false, false, event >= 16], "event {event}");
            if event % 2 == 0 {
                assert!(!phases.step(true, false), "a single byte after event {event}");
            }
        }
    }
}
