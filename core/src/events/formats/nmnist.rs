//! N-MNIST and N-Caltech101 `.bin`: big-endian words of 40 bits, no header.
//!
//! | byte 0 | byte 1 | byte 2, bit 7 | 23 bits |
//! |---|---|---|---|
//! | x | y | 1 ON, 0 OFF | t in microseconds |
//!
//! A word with `y = 240` is not an event: the sensor's clock overflowed, and 2^13 us are added to all later times. The
//! ATIS sensor has 240 rows, so `y > 240` is impossible.
//!
//! **Damage** shows as an impossible row, or as a time 1 s or more before the last one; the format has no other
//! redundancy. Such a word is held back, and the next ones show what it was, as in [`stamped`](super::stamped). One
//! that continues from the last event within 8.2 ms shows that the alignment is right, so only the words between are
//! lost. Three plausible words in a row, each within 8.2 ms of the one before, are a reset of the clock, whose
//! overflows are counted anew, if no two words at another alignment are plausible there; else the reset costs some 20
//! words. After 5 words of which none is plausible, and where words are implausible too often, everything is skipped up
//! to the plausible byte alignment: the one that had 16 words in a row with a possible row and times that grow by less
//! than 8.2 ms, and no fewer than any other. After a lost byte, words at the wrong alignment are decoded as events
//! until one of them is impossible: usually a few words, up to 33 ms where four of every five bytes fit by chance.
//! Times that go back by less than 1 s are delivered and counted as [`Skipped::backward`]. A foreign word that looks
//! like an overflow shifts later times by 2^13 us: it cannot be distinguished from a true one.
//!
//! Cost: about 10 operations per event. State: 80 bytes.
//! Reference: Orchard et al., Converting static image datasets to spiking neuromorphic datasets using saccades, 2015,
//! doi:10.3389/fnins.2015.00437.

use super::align::{Alignments, Trouble};
use super::burst::{self, Burst};
use super::clock::Clock;
use crate::events::decode::count;
use crate::events::{Decode, Event, Skipped};
use core::ops::Range;

/// Bytes of a word.
const WORD: usize = 5;
/// Implausible words, after a first one, before the alignment is lost.
const DOUBT: u8 = 4;
/// The row that indicates a clock overflow.
pub(super) const OVERFLOW_ROW: u16 = 240;
/// Microseconds added by an overflow.
pub(super) const OVERFLOW: u64 = 1 << 13;
/// The 23 bits of a word's time.
pub(super) const RAW_TIME: u64 = 0x7F_FFFF;
/// Microseconds back in time that no camera's recording has.
pub(super) const FAR_BACK: u64 = 1_000_000;
/// Microseconds between neighbouring words in a plausible sequence.
const STEP: u64 = 1 << 13;

/// Streaming decoder of N-MNIST's format; see the [format](self).
///
/// ```
/// use foveola_core::events::{Decode, Event, NMnist};
/// let mut decoder = NMnist::new();
/// let events: Vec<_> = decoder.events(&[7, 15, 0x80, 0x02, 0x8e, 0, 240, 0, 0, 0, 7, 15, 0, 0, 1]).collect();
/// assert_eq!(events[0], Event { t: 654, x: 7, y: 15, on: true });
/// assert_eq!(events[1], Event { t: 8192 + 1, x: 7, y: 15, on: false });
/// ```
#[derive(Clone, Debug)]
pub struct NMnist {
    /// The last bytes, newest at the bottom: three words, and a byte before them.
    words: u128,
    /// How many bytes belong to an unfinished word.
    held: u8,
    place: Place,
    /// Overflows of the clock so far.
    overflows: u32,
    /// The last event's time.
    last: Clock,
    trouble: Trouble,
    skipped: Skipped,
}

/// Where in the stream the next byte lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Words,
    /// After implausible words, so many before the alignment is lost.
    Doubt(u8),
    /// After so many words that are still to be decoded: the newest.
    Again(u8),
    /// Unknown.
    Lost(Alignments<WORD>),
}

impl Default for NMnist {
    fn default() -> Self {
        Self::new()
    }
}

impl NMnist {
    /// At the start of a recording.
    pub const fn new() -> Self {
        Self {
            words: 0,
            held: 0,
            place: Place::Words,
            overflows: 0,
            last: Clock::NEVER,
            trouble: Trouble::NONE,
            skipped: Skipped::NOTHING,
        }
    }

    #[inline]
    fn word(&mut self, word: u64) -> Option<Event> {
        let t = self.time_of(word);
        let back = self.last.get().map_or(0, |last| last.saturating_sub(t));
        if row(word) > OVERFLOW_ROW || back >= FAR_BACK {
            self.words = word.into();
            self.place = if self.trouble.add() { Place::Lost(Alignments::new()) } else { Place::Doubt(DOUBT) };
            count(&mut self.skipped.garbage, WORD);
            return None;
        }
        self.trouble.less(1);
        self.event(word)
    }

    /// The newest word, after an implausible one.
    fn doubted(&mut self, left: u8) -> Option<Event> {
        let (word, first) = (self.newest(), self.back(2 * WORD));
        let ahead = self.last.get().and_then(|last| self.time_of(word).checked_sub(last));
        if row(word) <= OVERFLOW_ROW && ahead.is_some_and(|ahead| ahead < STEP) {
            self.place = Place::Words;
            return self.event(word);
        }
        let is_row = left < DOUBT && row(first) < OVERFLOW_ROW && self.follows(0) && self.follows(WORD);
        if is_row && !(1..WORD).any(|shift| row(self.back(shift + WORD)) <= OVERFLOW_ROW && self.follows(shift)) {
            self.skipped.garbage = self.skipped.garbage.saturating_sub(2 * WORD as u32);
            self.place = Place::Again(2);
            self.trouble.fill();
            if self.last.get().is_some_and(|last| last.saturating_sub(self.time_of(first)) >= FAR_BACK) {
                self.overflows = 0;
            }
            return self.event(first);
        }
        count(&mut self.skipped.garbage, WORD);
        self.place = if left > 1 { Place::Doubt(left - 1) } else { Place::Lost(Alignments::new()) };
        None
    }

    /// Whether the word that ends `shift` bytes before the newest byte can be one, and follows the one before it.
    fn follows(&self, shift: usize) -> bool {
        let (before, word) = (self.back(shift + WORD), self.back(shift));
        row(word) <= OVERFLOW_ROW && raw_time(word).checked_sub(raw_time(before)).is_some_and(|step| step < STEP)
    }

    fn newest(&self) -> u64 {
        self.back(0)
    }

    /// The word that ends `shift` bytes before the newest byte.
    fn back(&self, shift: usize) -> u64 {
        (self.words >> (8 * shift)) as u64 & 0xFF_FFFF_FFFF
    }

    /// The event of a plausible word.
    #[inline]
    fn event(&mut self, word: u64) -> Option<Event> {
        if row(word) == OVERFLOW_ROW {
            count(&mut self.overflows, 1);
            return None;
        }
        let t = self.time_of(word);
        if self.last.set(t) {
            count(&mut self.skipped.backward, 1);
        }
        Some(Event { t, x: (word >> 32 & 0xFF) as u16, y: row(word), on: word >> 23 & 1 == 1 })
    }

    /// The time of a word, overflows included.
    #[inline]
    fn time_of(&self, word: u64) -> u64 {
        OVERFLOW * u64::from(self.overflows) + raw_time(word)
    }

    fn byte(&mut self, byte: u8) -> Option<Event> {
        self.words = self.words << 8 | u128::from(byte);
        match self.place {
            Place::Words | Place::Again(_) | Place::Doubt(_) => {
                self.held += 1; // 5 at most
                if usize::from(self.held) < WORD {
                    return None;
                }
                self.held = 0;
                match self.place {
                    Place::Doubt(left) => self.doubted(left),
                    _ => self.word(self.newest()),
                }
            }
            Place::Lost(mut alignments) => {
                if alignments.believe(self.follows(0)) {
                    // The first bytes of this word were counted as garbage.
                    self.skipped.garbage = self.skipped.garbage.saturating_sub(WORD as u32 - 1);
                    self.place = Place::Words;
                    return self.event(self.newest());
                }
                self.place = Place::Lost(alignments);
                count(&mut self.skipped.garbage, 1);
                None
            }
        }
    }
}

/// The row of a word.
const fn row(word: u64) -> u16 {
    (word >> 24 & 0xFF) as u16
}

/// The time of a word, without overflows.
const fn raw_time(word: u64) -> u64 {
    word & RAW_TIME
}

impl Burst for NMnist {
    #[inline]
    fn burst(&mut self, bytes: &mut &[u8], times: Range<u64>, room: usize, mut sink: impl FnMut(Event, bool)) -> usize {
        let (0, Place::Words, Some(mut last)) = (self.held, self.place, self.last.get()) else { return 0 };
        let (len, before) = (times.end.saturating_sub(times.start), self.time_of(0));
        let (mut left, mut events) = (*bytes, 0);
        while events < room
            && let Some((&[x, y, a, b, c], rest)) = left.split_first_chunk()
            && u16::from(y) < OVERFLOW_ROW
            && let t = before.wrapping_add(u32::from_be_bytes([0, a & 0x7F, b, c]).into())
            && t >= last
            && t.wrapping_sub(times.start) < len
        {
            last = t;
            sink(Event { t, x: x.into(), y: y.into(), on: a >> 7 == 1 }, true);
            events += 1;
            left = rest;
        }
        *bytes = left;
        self.last.set(last);
        self.trouble.less(events);
        events
    }
}

impl Decode for NMnist {
    #[inline]
    fn next_event(&mut self, bytes: &mut &[u8]) -> Option<Event> {
        loop {
            while let Place::Again(left @ 1..) = self.place {
                self.place = if left > 1 { Place::Again(left - 1) } else { Place::Words };
                // Their times follow each other, so that none is damage.
                if let event @ Some(_) = self.event(self.back(WORD * usize::from(left - 1))) {
                    return event;
                }
            }
            while self.held == 0
                && self.place == Place::Words
                && let Some((&[x, y, a, b, c], rest)) = bytes.split_first_chunk()
            {
                *bytes = rest;
                if let event @ Some(_) = self.word(u64::from_be_bytes([0, 0, 0, x, y, a, b, c])) {
                    return event;
                }
            }
            let (byte, rest) = bytes.split_first()?;
            *bytes = rest;
            if let event @ Some(_) = self.byte(*byte) {
                return event;
            }
        }
    }

    fn fill(&mut self, bytes: &mut &[u8], events: &mut [Event]) -> usize {
        burst::fill(self, bytes, events)
    }

    fn feed(&mut self, bytes: &[u8], sink: impl FnMut(Event)) {
        burst::feed(self, bytes, sink);
    }

    fn run(&mut self, bytes: &mut &[u8], times: Range<u64>, sink: impl FnMut(u16, u16, bool)) -> usize {
        burst::run(self, bytes, times, sink)
    }

    fn finish(&mut self) {
        count(&mut self.skipped.tail, usize::from(self.held));
        self.held = 0;
        if matches!(self.place, Place::Doubt(_)) {
            self.place = Place::Words;
        }
    }

    fn holds_back(&self) -> bool {
        matches!(self.place, Place::Doubt(_))
    }

    fn skipped(&self) -> Skipped {
        self.skipped
    }

    fn time(&self) -> Option<u64> {
        self.last.get()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn decode(bytes: &[u8]) -> (Vec<Event>, Skipped) {
        let mut decoder = NMnist::new();
        let events = decoder.events(bytes).collect();
        decoder.finish();
        (events, decoder.skipped())
    }

    fn word(t: u64, x: u8, y: u8, on: bool) -> [u8; 5] {
        let [.., a, b, c] = t.to_be_bytes();
        [x, y, a | u8::from(on) << 7, b, c]
    }

    fn encode(events: &[Event]) -> Vec<u8> {
        events.iter().flat_map(|event| word(event.t, event.x as u8, event.y as u8, event.on)).collect()
    }

    /// `n` events of a sensor of 34 x 34, every 71 us.
    fn stream(n: u64) -> Vec<Event> {
        let pixel = |i: u64| ((i * 7919 % 34) as u16, (i * 104_729 % 34) as u16);
        (0..n).map(|i| Event { t: 1000 + 71 * i, x: pixel(i).0, y: pixel(i).1, on: i % 3 == 0 }).collect()
    }

    #[test]
    fn overflows_add_up() {
        let bytes = [word(9, 1, 2, true), word(8000, 0, 240, false), word(8, 0, 240, true), word(7, 1, 239, false)];
        let (events, skipped) = decode(bytes.as_flattened());
        assert_eq!(events[1], Event { t: 2 * 8192 + 7, x: 1, y: 239, on: false });
        assert_eq!((events.len(), skipped), (2, Skipped::default()));
    }

    #[test]
    fn small_steps_back_are_delivered_and_counted() {
        let bytes = [word(999_999, 1, 2, true), word(0, 1, 2, true), word(0x7F_FFFF, 255, 0, false)];
        let (events, skipped) = decode(bytes.as_flattened());
        assert_eq!(events.iter().map(|event| event.t).collect::<Vec<_>>(), [999_999, 0, 0x7F_FFFF]);
        assert_eq!(skipped, Skipped { backward: 1, ..Skipped::default() });
    }

    /// A time one second back is damage: the word costs only itself.
    #[test]
    fn a_second_back_is_not_delivered() {
        let bytes = [word(1_000_000, 1, 2, true), word(0, 1, 2, true), word(1_000_001, 3, 4, true)];
        let (events, skipped) = decode(bytes.as_flattened());
        assert_eq!(events.iter().map(|event| event.t).collect::<Vec<_>>(), [1_000_000, 1_000_001]);
        assert_eq!(skipped, Skipped { garbage: 5, ..Skipped::default() });
    }

    #[test]
    fn the_tail_is_counted() {
        let (events, skipped) = decode(&[&word(5, 6, 7, true)[..], &[1, 2, 3]].concat());
        assert_eq!((events.len(), skipped), (1, Skipped { tail: 3, ..Skipped::default() }));
    }

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        #[test]
        fn what_is_in_order_is_decoded_whole(mut raw in prop::collection::vec((0_u64..1 << 23, 0_u16..256, 0_u16..240, any::<bool>()), 0..60)) {
            raw.sort_by_key(|event| event.0);
            let events: Vec<_> = raw.iter().map(|&(t, x, y, on)| Event { t, x, y, on }).collect();
            prop_assert_eq!(decode(&encode(&events)), (events, Skipped::default()));
        }

        #[test]
        fn the_place_is_found_again(cut in 0_usize..2000, lost in 0_usize..9, foreign in prop::collection::vec(any::<u8>(), 0..40)) {
            let events = stream(4000);
            let mut bytes = encode(&events);
            bytes.splice(cut..cut + lost, foreign);
            let (decoded, skipped) = decode(&bytes);
            let before = events.iter().zip(&decoded).take_while(|(a, b)| a == b).count();
            prop_assert!(before >= cut / WORD, "{before} events before byte {cut}");
            // A foreign row of 240 shifts what follows.
            let unshifted = |event: &Event| Event { t: event.t % OVERFLOW, ..*event };
            let pairs = events.iter().rev().zip(decoded.iter().rev());
            let after = pairs.take_while(|(a, b)| unshifted(a) == unshifted(b)).count();
            // Up to 33 ms of events at the wrong alignment.
            prop_assert!(before + after + 600 > events.len(), "{before} + {after} events, {skipped:?}");
        }
    }
}
