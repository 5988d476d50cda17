//! A decoder that knows where damage began.

use super::assumption::Assumption;
use foveola_core::events::{Decode, Event, Geometry, Skipped};

/// A streaming decoder of a recording.
pub(crate) trait Decoder: Decode + Send {
    /// Where in the bytes fed so far damage began: the first byte that was garbage, or an unfinished word at the end.
    fn damage(&self) -> Option<u64>;

    /// What was assumed because the recording leaves it open.
    fn assumed(&self) -> Vec<Assumption> {
        Vec::new()
    }

    /// Why reading stopped: a value that no assumption explains, and its place. No event follows.
    fn refused(&self) -> Option<&str> {
        None
    }

    /// Lines that could not be read, all lines, and the first that could not, counted from 1: of text.
    fn lines(&self) -> Option<[u64; 3]> {
        None
    }

    /// This many places of [`Places`](super::seek::Places) are left out behind the header.
    fn omit(&mut self, _places: u64) {}

    /// At the end of the recording, before [`Decode::finish`]: an event that only the end completes.
    fn last_event(&mut self) -> Option<Event> {
        None
    }
}

/// Adds to a decoder where damage began: a copy of it from before goes once more, byte by byte, through the bytes in which
/// garbage was counted for the first time. Until then it costs a copy of the decoder for each buffer of events.
pub(super) struct Watched<D> {
    decoder: D,
    assumed: Vec<Assumption>,
    /// Bytes fed before the first damage.
    position: u64,
    /// Where damage seems to have begun, while the decoder [holds words back](Decode::holds_back).
    suspected: Option<u64>,
    damage: Option<u64>,
}

impl<D: Decode + Clone> Watched<D> {
    pub(super) fn new(decoder: D, assumed: Vec<Assumption>) -> Self {
        Self { decoder, assumed, position: 0, suspected: None, damage: None }
    }

    /// Finds where garbage began, after `bytes` were fed to a decoder that was in the state `before`.
    fn locate(&mut self, mut before: D, bytes: &[u8]) {
        for (end, byte) in (self.position + 1..).zip(bytes) {
            let mut chunk = std::slice::from_ref(byte);
            while before.next_event(&mut chunk).is_some() {}
            // None was counted before this place, but for what is held back.
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

    /// Where a recording is cut: the first byte of the word that is not whole.
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
