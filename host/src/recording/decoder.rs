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
    damage: Option<u64>,
}

impl<D: Decode + Clone> Watched<D> {
    pub(super) fn new(decoder: D, assumed: Vec<Assumption>) -> Self {
        Self { decoder, assumed, position: 0, damage: None }
    }

    /// Where garbage began, after `bytes` were fed to a decoder that was in the state `before`.
    fn locate(&self, mut before: D, bytes: &[u8]) -> u64 {
        let counted = before.skipped().garbage;
        for (end, byte) in (self.position + 1..).zip(bytes) {
            let mut piece = std::slice::from_ref(byte);
            while before.next_event(&mut piece).is_some() {}
            let garbage = before.skipped().garbage - counted;
            if garbage > 0 {
                return end.saturating_sub(garbage.into());
            }
        }
        self.position
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
        if self.decoder.skipped().garbage > before.skipped().garbage {
            self.damage = Some(self.locate(before, fed));
        }
        self.position += fed.len() as u64;
        written
    }

    fn finish(&mut self) {
        let before = self.decoder.skipped().tail;
        self.decoder.finish();
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
