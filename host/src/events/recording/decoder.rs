//! A decoder that records where damage began.

use super::assumption::Assumption;
use foveola_core::events::{Decode, Event, Geometry, Skipped};

/// A streaming decoder of a recording.
pub(crate) trait Decoder: Decode + Send {
    /// Position where damage began: the first garbage byte, or the start of an unfinished word at the end.
    fn damage(&self) -> Option<u64>;

    /// The assumptions about properties that the recording does not state.
    fn assumed(&self) -> Vec<Assumption> {
        Vec::new()
    }

    /// Why reading stopped: an invalid value and its position. No event follows.
    fn refused(&self) -> Option<&str> {
        None
    }

    /// For text: the number of unreadable lines, of all lines, and of the first unreadable line, counted from 1.
    fn lines(&self) -> Option<[u64; 3]> {
        None
    }

    /// States that this many [`Places`](super::seek::Places) after the header are skipped.
    fn omit(&mut self, _places: u64) {}

    /// Called at the end of the recording, before [`Decode::finish`]: an event that only the end completes.
    fn last_event(&mut self) -> Option<Event> {
        None
    }
}

/// Adds the position of the first damage to a decoder. When garbage is counted for the first time, an earlier copy of the
/// decoder processes these bytes again, one at a time. Until then this costs a copy of the decoder per buffer of events.
pub(super) struct Watched<D> {
    decoder: D,
    assumed: Vec<Assumption>,
    /// Bytes fed before the first damage.
    position: u64,
    /// The suspected start of damage, while the decoder [holds words back](Decode::holds_back).
    suspected: Option<u64>,
    damage: Option<u64>,
}

impl<D: Decode + Clone> Watched<D> {
    pub(super) fn new(decoder: D, assumed: Vec<Assumption>) -> Self {
        Self { decoder, assumed, position: 0, suspected: None, damage: None }
    }

    /// Finds where garbage began, after `bytes` were fed to a decoder in the state `before`.
    fn locate(&mut self, mut before: D, bytes: &[u8]) {
        for (end, byte) in (self.position + 1..).zip(bytes) {
            let mut chunk = std::slice::from_ref(byte);
            while before.next_event(&mut chunk).is_some() {}
            // No garbage before this position, except for words held back.
            match before.skipped().garbage {
                0 => self.suspected = None,
                garbage => {
                    self.suspected.get_or_insert(end.saturating_sub(garbage.into()));
                }
            }
            if self.suspected.is_some() && !before.holds_back() {
                self.damage = self.suspected;
                return;
            }
        }
    }
}

impl<D: Decode + Clone> Decode for Watched<D> {
    fn next_event(&mut self, bytes: &mut &[u8]) -> Option<Event> {
        let mut one = [Event { t: 0, x: 0, y: 0, on: false }];
        (self.fill(bytes, &mut one) == 1).then_some(one[0])
    }

    fn fill(&mut self, bytes: &mut &[u8], events: &mut [Event]) -> usize {
        if self.damage.is_some() {
            return self.decoder.fill(bytes, events);
        }
        let (before, all) = (self.decoder.clone(), *bytes);
        let written = self.decoder.fill(bytes, events);
        let fed = all.get(..all.len() - bytes.len()).unwrap_or(all);
        if self.decoder.skipped().garbage > 0 || self.suspected.is_some() {
            self.locate(before, fed);
        }
        self.position += fed.len() as u64;
        written
    }

    fn finish(&mut self) {
        let before = self.decoder.skipped().tail;
        self.decoder.finish();
        self.damage = self.damage.or(self.suspected);
        let tail = self.decoder.skipped().tail - before;
        if tail > 0 {
            self.damage = self.damage.or(Some(self.position.saturating_sub(tail.into())));
        }
    }

    fn skipped(&self) -> Skipped {
        self.decoder.skipped()
    }

    fn time(&self) -> Option<u64> {
        self.decoder.time()
    }

    fn geometry(&self) -> Option<Geometry> {
        self.decoder.geometry()
    }

    fn begin_words(&mut self) {
        self.decoder.begin_words();
    }
}

impl<D: Decode + Clone + Send> Decoder for Watched<D> {
    fn damage(&self) -> Option<u64> {
        self.damage
    }

    fn assumed(&self) -> Vec<Assumption> {
        self.assumed.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use foveola_core::events::Evt2;

    /// The position of a truncated recording's damage: the first byte of the incomplete word.
    #[test]
    fn a_tail_is_damage_where_it_begins() {
        let words = [0x8000_0001_u32, 0x1000_0000, 0x1000_0001].map(u32::to_le_bytes).concat();
        for tail in 0..4 {
            let bytes = [&words[..], &[7; 3][..tail]].concat();
            for piece in [1, 5, bytes.len()] {
                let mut decoder = Watched::new(Evt2::new(), Vec::new());
                let mut events = 0;
                for mut piece in bytes.chunks(piece) {
                    while decoder.next_event(&mut piece).is_some() {
                        events += 1;
                    }
                }
                decoder.finish();
                assert_eq!(
                    (events, decoder.damage()),
                    (2, (tail > 0).then_some(12)),
                    "{tail} bytes, {piece} at a time"
                );
            }
        }
    }
}
