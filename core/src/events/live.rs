//! Decoders of a live sensor: bytes are lost on the way, the board is reset, and time is told all along.
//!
//! These are [`Evt2`](super::Evt2), [`Evt21`](super::Evt21) and [`Evt3`](super::Evt3), and [`LiveEvt2`](super::LiveEvt2),
//! [`LiveEvt21`](super::LiveEvt21) and [`LiveEvt3`](super::LiveEvt3) without code for a header, which no sensor sends. The formats of archives (DAT, AEDAT, Event Stream, N-MNIST) come from files, which neither lose bytes nor restart.

use super::Decode;
use core::fmt;

/// A decoder of a sensor's stream, which can say that bytes were lost, account for every byte, and go on after a reset of the board.
///
/// ```
/// use foveola_core::events::{Decode, Evt3, Live};
/// let words = [0x8001_u16, 0x6002, 0x0007, 0x2803, 0x2804].map(u16::to_le_bytes); // time high and low, row, two events
/// let (before, after) = words.as_flattened().split_at(9); // in the middle of the last word
/// let mut decoder = Evt3::new();
/// assert_eq!(decoder.events(before).count(), 1);
///
/// let mut saved = Vec::new(); // on a board: memory that keeps its content over a reset
/// decoder.save(&mut |word| saved.push(word));
/// assert_eq!(saved.len(), Evt3::SAVED);
/// let mut saved = saved.into_iter();
/// let mut restored = Evt3::restore(&mut || saved.next().unwrap())?;
/// assert_eq!(restored.events(after).next().map(|event| (event.t, event.x, event.y)), Some((4098, 4, 7)));
///
/// restored.lost(); // from here on it searches for alignment, time and row
/// assert_eq!(restored.events(&0x2805_u16.to_le_bytes()).next(), None);
/// assert_eq!(restored.skipped().garbage, 2);
/// # Ok::<(), foveola_core::events::OtherState>(())
/// ```
pub trait Live: Decode + Clone + fmt::Debug {
    /// The format and the form of the words that [`Live::save`] writes; the first of them.
    const FORM: u32;

    /// Whether a word may hold several events, so that some may be left when all bytes are taken.
    const VECTORS: bool;

    /// Number of words that [`Live::save`] writes.
    const SAVED: usize;

    /// At the start of a sensor's stream.
    fn start() -> Self;

    /// Believes a step of the clock at once only up to about `us` microseconds: see [`Evt2::largest_step`](super::Evt2::largest_step).
    #[must_use]
    fn largest_step(self, us: u64) -> Self;

    /// Reports that bytes of the stream are missing before those that come next, as when a queue was full. They are
    /// treated like damage that was detected at once: a held part of a word is garbage, and the decoder searches for
    /// alignment and time. Events of a vector that was whole are still given.
    fn lost(&mut self);

    /// Bytes that were understood, as events, times, rows and lines of a header, when `events` events were given. With them, every
    /// byte is accounted for until a counter of [`Skipped`](super::Skipped) stops at its largest number:
    ///
    /// ```text
    /// bytes fed = understood + skipped().bytes() + held
    /// ```
    fn understood(&self, events: u64) -> u64;

    /// Bytes that wait for the rest of their word or line.
    fn held(&self) -> usize;

    /// Passes all that the decoder remembers to `put`, in [`Live::SAVED`] words: for memory that survives a reset. Not
    /// among them: what it was built with ([`Live::largest_step`]).
    fn save(&self, put: &mut impl FnMut(u32));

    /// A decoder that continues where another one was when [`Live::save`] wrote these words. Words of the right form give a
    /// decoder, also damaged ones: the caller must check that they are intact.
    ///
    /// # Errors
    /// [`OtherState`] when the first word is not [`Live::FORM`]; no other is taken.
    fn restore(take: &mut impl FnMut() -> u32) -> Result<Self, OtherState>;
}

/// Saved words are another decoder's, or of another form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct OtherState {
    /// The first of the words.
    pub found: u32,
    /// [`Live::FORM`] of the decoder.
    pub expected: u32,
}

impl OtherState {
    /// An error unless `found` is `expected`.
    pub(super) const fn check(found: u32, expected: u32) -> Result<(), Self> {
        if found == expected { Ok(()) } else { Err(Self { found, expected }) }
    }
}

impl fmt::Display for OtherState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { found, expected } = self;
        write!(
            f,
            "the saved state is of form {found:08x}, expected {expected:08x}: it is of another decoder or version"
        )
    }
}

impl core::error::Error for OtherState {}
