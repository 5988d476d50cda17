//! Prophesee DAT, version 2: lines `% key value`, two bytes, then little-endian words of 64 bits.
//!
//! | bytes 0..4 | bytes 4..8, bits 31..28 | 27..14 | 13..0 |
//! |---|---|---|---|
//! | t in microseconds | 1 ON, 0 OFF; others impossible | y | x |
//!
//! The **two bytes** are the type of the events and their size. Files without them exist, so the size distinguishes
//! them from an event: they are there when the second byte is 8, and, where no line came before, the first is 0x00 or
//! 0x0C. Any type of size 8 is read as pixels, because the types of such files vary. The exception is 0x0E, triggers,
//! which are skipped and counted as [`Skipped::other`](crate::events::Skipped::other). A file without the two bytes
//! whose first time has 8 as its second byte (2048 to 2303 us, modulo 65536 us) cannot be recognised; its first events
//! are lost in the search for the alignment.
//!
//! Coordinates are delivered unchanged. While the alignment is lost, those outside the geometry, or above 2047 where no
//! header gives it, are not believed. A line of another header is an impossible word, so joined recordings are read on
//! without loss. Version 1, which has other words, is not read.
//!
//! **Time, damage, cost**: as in [`stamped`](super::stamped). Time continues over the wrap after 71.6 min.
//! Reference: Prophesee, Metavision documentation, "DAT file format".

use super::frame::Start;
use super::stamped::{Address, Stamped, WORD};
use crate::events::{Geometry, Header};

/// Types of events, before the words.
pub(super) const PIXELS: u8 = 0x0C;
const PIXELS_OF_OLD: u8 = 0x00;
const TRIGGERS: u8 = 0x0E;
/// Largest coordinate of Prophesee's formats on the wire.
const LARGEST: u32 = 0x7FF;

/// Streaming decoder of DAT; see the [format](self).
///
/// ```
/// use foveola_core::events::{Dat, Decode, Event, Geometry};
/// let mut decoder = Dat::new();
/// let text = b"% Version 2\n% Width 304\n% Height 240\n";
/// let recording = [&text[..], &[0x0C, 8], &[10, 0, 0, 0, 5, 0x80, 1, 0x10]].concat();
/// let events: Vec<_> = decoder.events(&recording).collect();
/// assert_eq!(events, [Event { t: 10, x: 5, y: 6, on: true }]);
/// assert_eq!(decoder.geometry(), Some(Geometry { cols: 304, rows: 240 }));
/// ```
pub type Dat = Stamped<DatAddress>;

/// Addresses of DAT.
#[derive(Clone, Debug, Default)]
pub struct DatAddress {
    triggers: bool,
    lines: bool,
}

impl Dat {
    /// At the start of a recording.
    pub const fn new() -> Self {
        Self::of(DatAddress { triggers: false, lines: false })
    }
}

impl Default for Dat {
    fn default() -> Self {
        Self::new()
    }
}

impl Address for DatAddress {
    #[inline]
    fn split([a, b, c, d, e, f, g, h]: [u8; WORD]) -> (u32, u32) {
        (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
    }

    fn start(&mut self, first: &[u8], _: &Header) -> Start {
        match first {
            [_] | [b'%', _] | [b'%', _, _] => Start::Open,
            [b'%', a, b, c, ..] if Header::begins([b'%', *a, *b, *c]) => {
                self.lines = true;
                Start::Line
            }
            [kind, 8, ..] if self.lines || matches!(*kind, PIXELS | PIXELS_OF_OLD | TRIGGERS) => {
                self.triggers = *kind == TRIGGERS;
                Start::Words(2)
            }
            _ => Start::Words(0),
        }
    }

    #[inline]
    fn is_text(&self, word: [u8; WORD]) -> bool {
        let [percent, a, b, c, ..] = word;
        percent == b'%' && Header::begins([percent, a, b, c]) && !self.is_possible(Self::split(word).1)
    }

    #[inline]
    fn is_possible(&self, address: u32) -> bool {
        address >> 28 <= 1
    }

    fn is_likely(&self, address: u32, geometry: Option<Geometry>) -> bool {
        let (x, y) = (address & 0x3FFF, address >> 14 & 0x3FFF);
        let inside = match geometry {
            Some(Geometry { cols, rows }) => (x as usize) < cols && (y as usize) < rows,
            None => x <= LARGEST && y <= LARGEST,
        };
        self.is_possible(address) && inside
    }

    #[inline]
    fn pixel(&self, address: u32) -> Option<(u16, u16, bool)> {
        let pixel = ((address & 0x3FFF) as u16, (address >> 14 & 0x3FFF) as u16, address >> 28 == 1);
        if self.is_possible(address) && !self.triggers { Some(pixel) } else { None }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::events::{Decode, Event, Skipped};
    use std::{vec, vec::Vec};

    fn decode(bytes: &[u8]) -> (Vec<Event>, Skipped) {
        let mut decoder = Dat::new();
        let events = decoder.events(bytes).collect();
        decoder.finish();
        (events, decoder.skipped())
    }

    fn word(t: u32, on: u32, y: u32, x: u32) -> [u8; 8] {
        (u64::from(on << 28 | y << 14 | x) << 32 | u64::from(t)).to_le_bytes()
    }

    #[test]
    fn bits_are_where_the_table_says() {
        let bytes = [0x78, 0x56, 0x34, 0x12, 0xFF, 0x7F, 0x00, 0x10];
        assert_eq!(decode(&bytes).0, [Event { t: 0x1234_5678, x: 0x3FFF, y: 1, on: true }]);
        assert_eq!(word(0x1234_5678, 1, 1, 0x3FFF), bytes);
        let corner = decode(&[0, 0, 0, 0, 0, 0xC0, 0xFF, 0x0F]).0;
        assert_eq!(corner, [Event { t: 0, x: 0, y: 0x3FFF, on: false }]);
    }

    #[test]
    fn the_two_bytes_are_read_if_they_are_there() {
        let event = Event { t: 10, x: 5, y: 6, on: true };
        let data = word(10, 1, 6, 5);
        let lines = &b"% Data file containing CD events\n% Version 2\n% Width 304\n% Height 240\n"[..];
        let cases: [(&str, &[&[u8]], usize, u32); 7] = [
            ("events of contrast", &[lines, &[0x0C, 8], &data], 1, 0),
            ("events of old", &[lines, &[0x00, 8], &data], 1, 0),
            ("another type", &[lines, &[0x28, 8], &data], 1, 0),
            ("none", &[lines, &data], 1, 0),
            ("without lines", &[&[0x0C, 8], &data], 1, 0),
            ("nothing in front", &[&data], 1, 0),
            ("triggers", &[lines, &[0x0E, 8], &data], 0, 8),
        ];
        for (name, parts, events, other) in cases {
            let (decoded, skipped) = decode(&parts.concat());
            assert_eq!(decoded, vec![event; events], "{name}");
            assert_eq!(skipped, Skipped { other, ..Skipped::default() }, "{name}");
        }
        let mut decoder = Dat::new();
        decoder.feed(lines, |_| ());
        assert_eq!(decoder.geometry(), Some(Geometry { cols: 304, rows: 240 }));
    }

    #[test]
    fn time_goes_on_over_the_wrap() {
        let words = [u32::MAX - 9, u32::MAX, 0, 5, 3, 1_000_000].map(|t| word(t, 0, 1, 2));
        let (events, skipped) = decode(words.as_flattened());
        const WRAP: u64 = 1 << 32;
        let times: Vec<_> = events.iter().map(|event| event.t).collect();
        assert_eq!(times, [WRAP - 10, WRAP - 1, WRAP, WRAP + 5, WRAP + 3, WRAP + 1_000_000]);
        assert_eq!(skipped, Skipped { backward: 1, ..Skipped::default() });
    }

    /// With a header or without, and whatever the time does.
    #[test]
    fn joined_recordings_are_read_on() {
        let data: Vec<u8> = (0..100).flat_map(|i| word(9_000_000 + 100 * i, i & 1, i % 240, i)).collect();
        let early: Vec<u8> = (0..100).flat_map(|i| word(100 * i, i & 1, i % 240, i)).collect();
        let (events, skipped) = decode(&[&data[..], &early].concat());
        assert_eq!((events.len(), skipped), (200, Skipped { backward: 1, ..Skipped::default() }));
        assert_eq!(events.iter().map(|event| event.t).nth(100), Some(0));
        let header = b"% Version 2\n% Width 304\n\x0C\x08";
        let (events, skipped) = decode(&[header, &early[..], header, &early].concat());
        assert_eq!((events.len(), skipped), (200, Skipped { backward: 1, ..Skipped::default() }));
    }

    /// One flipped bit of a time, in each of its 32 places, costs that event and moves no other.
    #[test]
    fn a_flipped_bit_does_not_move_time() {
        let words: Vec<[u8; 8]> = (0..60).map(|i| word(9_000_000 + 1000 * i, i & 1, 3, i)).collect();
        let (whole, _) = decode(words.as_flattened());
        for place in 0..32 {
            let mut damaged = words.clone();
            damaged[30][place / 8] ^= 1 << (place % 8);
            let (events, skipped) = decode(damaged.as_flattened());
            let others: Vec<_> = events.iter().filter(|event| event.x != 30).copied().collect();
            assert_eq!(others, [&whole[..30], &whole[31..]].concat(), "bit {place}");
            let step = (damaged[30][3] as i64 - words[30][3] as i64) * (1 << 24);
            let is_garbage = step >= 1 << 26 || place == 23;
            assert_eq!(skipped.garbage > 0, is_garbage, "bit {place}: {skipped:?}");
        }
    }

    /// A silence of minutes: the first event after it waits for the second.
    #[test]
    fn a_long_silence_is_read() {
        let times = [10, 20, 600_000_000, 660_000_000, 660_000_010];
        let words = times.map(|t| word(t, 1, 3, 4));
        let (events, skipped) = decode(words.as_flattened());
        assert_eq!(events.iter().map(|event| event.t as u32).collect::<Vec<_>>(), times);
        assert_eq!(skipped, Skipped::default());
    }

    /// Words that are impossible, or have a wrong time, cost only themselves, any number of them and wherever they lie.
    #[test]
    fn an_impossible_word_costs_itself() {
        let good = |i: u32| word(5_000_000 + 10 * i, i & 1, 3, i);
        let wrong: [fn(u32) -> [u8; 8]; 3] =
            [|i| word(5_000_000 + 10 * i, 2, 3, i), |i| word(7, 1, 3, i), |_| [0xFF; 8]];
        for (kind, wrong) in wrong.into_iter().enumerate() {
            for (first, n) in [(0, 1), (20, 1), (20, 2), (20, 3), (20, 9), (48, 2)] {
                let is_wrong = |i: u32| (first..first + n).contains(&i);
                let words: Vec<[u8; 8]> = (0..50).map(|i| if is_wrong(i) { wrong(i) } else { good(i) }).collect();
                let (events, skipped) = decode(words.as_flattened());
                // Two early times in a row are those of a clock that restarted, and the first of all times is right.
                if kind == 1 && (n > 1 || first == 0) {
                    assert_eq!((events.len(), skipped.bytes()), (50, 0), "{kind}: {n} from {first} on");
                    continue;
                }
                let expected: Vec<u64> =
                    (0..50).filter(|i| !is_wrong(*i)).map(|i| (5_000_000 + 10 * i).into()).collect();
                let times: Vec<u64> = events.iter().map(|event| event.t).collect();
                assert_eq!(times, expected, "{kind}: {n} from {first} on");
                assert_eq!(skipped, Skipped { garbage: 8 * n, ..Skipped::default() }, "{kind}: {n} from {first} on");
            }
        }
    }
}
