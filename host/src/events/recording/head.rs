//! The first bytes of a recording, and guesses about its format.

use super::ReadOptions;
use foveola_core::events::{Decode, NMnist};

/// The first bytes of a recording.
pub(super) struct Head<'a> {
    pub(super) bytes: &'a [u8],
    /// Length of the whole recording in bytes, if known.
    pub(super) whole: Option<u64>,
    /// The options given by the caller.
    pub(super) options: ReadOptions,
}

impl Head<'_> {
    /// Whether it is UTF-8 text; the last character may be truncated.
    pub(super) fn is_text(&self) -> bool {
        let text = match std::str::from_utf8(self.bytes) {
            Ok(text) => Some(text),
            Err(error) if error.error_len().is_none() => {
                self.bytes.get(..error.valid_up_to()).and_then(|front| std::str::from_utf8(front).ok())
            }
            Err(_) => None,
        };
        text.is_some_and(|text| text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace()))
    }

    /// Whether `decoder` finds events and can decode nearly all of it.
    pub(super) fn sensible(&self, mut decoder: impl Decode) -> bool {
        let events = decoder.events(self.bytes).count();
        events > 0 && !self.is_text() && decoder.skipped().bytes() * 16 < self.bytes.len() as u64
    }

    /// Whether `decoder` can decode it and finds at least 32 events in order, at more than one time and within less than an
    /// hour, with coordinates below 2048.
    pub(super) fn ordered(&self, mut decoder: impl Decode + Clone) -> bool {
        let again = decoder.clone();
        let (mut events, mut first, mut last, mut inside) = (0, None, 0, true);
        for event in decoder.events(self.bytes) {
            events += 1;
            first.get_or_insert(event.t);
            last = event.t;
            inside &= event.x < 2048 && event.y < 2048;
        }
        let span = last.saturating_sub(first.unwrap_or(0));
        let plausible = events >= 32 && inside && (1..3_600_000_000).contains(&span) && decoder.skipped().backward == 0;
        plausible && self.sensible(again)
    }

    /// Whether it looks like N-MNIST: events in order.
    pub(super) fn nmnist(&self) -> bool {
        let (mut decoder, mut events, mut last) = (NMnist::new(), 0, 0);
        let ordered = decoder.events(self.bytes).all(|event| {
            events += 1;
            std::mem::replace(&mut last, event.t) <= event.t
        });
        // A long ordered sequence is not a coincidence, even if the last word is truncated.
        let whole = self.whole.is_some_and(|bytes| bytes.is_multiple_of(5)) || events >= 32;
        ordered && last > 0 && whole && self.sensible(NMnist::new())
    }
}
