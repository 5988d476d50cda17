//! Prophesee DAT, version 2: lines `% key value`, two bytes, then little-endian words of 64 bits.
//!
//! | bytes 0..4 | bytes 4..8, bits 31..28 | 27..14 | 13..0 |
//! |---|---|---|---|
//! | t in microseconds | 1 ON, 0 OFF; others impossible | y | x |
//!
//! The **two bytes** are the type of the events and their size. The size tells them from an event, since files without
//! them exist: they are there when the second byte is 8, and, where no line came before, the first is 0x00 or 0x0C. Any
//! type of size 8 is read as pixels, for the types of such files vary, but 0x0E, triggers, which are read over and
//! counted as [`Skipped::other`](crate::events::Skipped::other). Nothing tells a file without them whose first time has 8
//! as its second byte (2048 to 2303 us, modulo 65536 us); its first event is lost in the search for the place.
//!
//! Coordinates are delivered as they stand. Where the place was lost, those outside the geometry, or above 2047 where no
//! header tells it, are not believed. A line of another header is an impossible word, so that joined recordings are read on
//! without loss. Version 1, whose words are others, is not read.
//!
//! **Time, damage, cost**: as in [`stamped`](super::stamped). Time runs on over the wrap after 71.6 min.
//! Reference: Prophesee, Metavision documentation, "DAT file format".

use super::frame::Start;
use super::stamped::{Address, Stamped, WORD};
use crate::events::{Geometry, Header};

/// Types of events in front of the words.
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
