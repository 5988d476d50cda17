//! Writes DAT version 2, the inverse of [`Dat`](super::Dat): for conversions and tests.
//!
//! Cost: 8 bytes per event. State: 16 bytes.

use super::clock::continued;
use super::dat::PIXELS;
use super::header::write;
use super::stamped::{FAR_BACK, NEAR};
use crate::events::{Event, Geometry};

/// Largest coordinate.
const LARGEST: u16 = 0x3FFF;

/// Encoder of DAT words.
///
/// ```
/// use foveola_core::events::{Dat, DatEncoder, Decode, Event, Geometry};
/// let event = Event { t: 1_000_000, x: 319, y: 239, on: true };
/// let mut bytes = Vec::new();
/// DatEncoder::header(Geometry { cols: 320, rows: 240 }, |header| bytes.extend_from_slice(header));
/// DatEncoder::new().encode(event, |word| bytes.extend(word)).unwrap();
/// assert_eq!(Dat::new().events(&bytes).collect::<Vec<_>>(), [event]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct DatEncoder {
    t: Option<u64>,
}

impl DatEncoder {
    /// At the start of the words, after the header.
    pub const fn new() -> Self {
        Self { t: None }
    }

    /// Gives a header's bytes to `sink`: lines, and the two bytes after them.
    pub fn header(Geometry { cols, rows }: Geometry, mut sink: impl FnMut(&[u8])) {
        let text = format_args!("% Data file containing CD events\n% Version 2\n% Width {cols}\n% Height {rows}\n");
        write(text, &mut sink);
        sink(&[PIXELS, 8]);
    }

    /// Gives the word of `event` to `sink`.
    ///
    /// # Errors
    /// Returns the event, and writes nothing, when a decoder would not reproduce it: a coordinate is above 16383, the
    /// first time is 2^32 us (71.6 min) or more, or a later one is 1 s or more back, or far after a wrap.
    pub fn encode(&mut self, event: Event, mut sink: impl FnMut([u8; 8])) -> Result<(), Event> {
        let Event { t, x, y, on } = event;
        let told = t as u32; // modulo 2^32
        let read = self.t.map_or(told.into(), |last| continued::<32>(last, told.into(), NEAR));
        let is_back = self.t.is_some_and(|last| last.saturating_sub(t) >= FAR_BACK);
        if x > LARGEST || y > LARGEST || read != t || is_back {
            return Err(event);
        }
        self.t = Some(t);
        let address = u32::from(on) << 28 | u32::from(y) << 14 | u32::from(x);
        sink(((address as u64) << 32 | u64::from(told)).to_le_bytes());
        Ok(())
    }
}
