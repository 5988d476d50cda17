//! Writes EVT 3.0, the inverse of [`Evt3`](super::Evt3): for simulated sensors, conversions and tests.
//!
//! More than 4 events that follow each other with the same time, row and polarity, from left to right within 32
//! columns, are written as vectors of 12, 12 and 8, always all three, and inside the sensor: other programs read only
//! such vectors. The last events therefore wait for the next one: [`Evt3Encoder::finish`] writes them. A decoder gets
//! the events in their order, at their times. Times high are inserted where it could not follow a gap or a wrap, or
//! does not know of those before the first event: 6 bytes for each 16.8 s. Cost: 2 to 8 bytes per event, less in
//! vectors. State: 32 bytes.

use super::clock::lead;
use super::evt3::{BASE, EVENT, NEAR, POLARITY, ROW, SURE, TIME_HIGH, TIME_LOW, VECTOR_8, VECTOR_12};
use super::header::{PIXEL, write_raw};
use crate::events::{Event, Geometry};

/// Pixels of two vectors of 12 and one of 8.
const PIXELS: u16 = 32;
/// Words of these, and of the base before them.
const WORDS: u32 = 4;

/// Encoder of EVT 3.0 words.
///
/// ```
/// use foveola_core::events::{Decode, Event, Evt3, Evt3Encoder};
/// let event = Event { t: 1_000_000, x: 310, y: 239, on: true };
/// let events = [310, 311, 312, 315, 319].map(|x| Event { x, ..event });
/// let (mut encoder, mut bytes) = (Evt3Encoder::with_width(320), Vec::new());
/// for event in events {
///     encoder.encode(event, |word| bytes.extend(word)).unwrap();
/// }
/// encoder.finish(|word| bytes.extend(word));
/// assert_eq!(bytes.len(), 2 * 7); // time high, time low, row, base (288), three vectors
/// assert_eq!(Evt3::new().events(&bytes).collect::<Vec<_>>(), events);
/// ```
#[derive(Clone, Debug)]
pub struct Evt3Encoder {
    /// Columns of the sensor.
    cols: u16,
    /// The time last written.
    t: Option<u64>,
    /// The row last written.
    y: Option<u16>,
    /// The waiting pixels, at that time and in that row: the first one's column, and a bit for each from there on.
    first: u16,
    mask: u32,
    on: bool,
}

impl Default for Evt3Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Evt3Encoder {
    /// At the start of the words, after the header if there is one, for a sensor of any width.
    pub const fn new() -> Self {
        Self::with_width(PIXEL + 1)
    }

    /// The same for a sensor of `cols` columns, beyond which no vector reaches.
    pub const fn with_width(cols: u16) -> Self {
        Self { cols, t: None, y: None, first: 0, mask: 0, on: false }
    }

    /// Gives a header's bytes to `sink`.
    ///
    /// ```
    /// use foveola_core::events::{Evt3Encoder, Geometry};
    /// let mut text = Vec::new();
    /// Evt3Encoder::header(Geometry { cols: 1280, rows: 720 }, |bytes| text.extend_from_slice(bytes));
    /// assert!(text.starts_with(b"% evt 3.0\n% format EVT3;height=720;width=1280\n"));
    /// ```
    pub fn header(geometry: Geometry, sink: impl FnMut(&[u8])) {
        write_raw("3.0", "EVT3", "", geometry, sink);
    }

    /// Takes `event` and gives the complete words to `sink`.
    ///
    /// # Errors
    /// Returns the event, and writes nothing, when a coordinate is above 2047, or its time is so far back that a
    /// decoder takes it for a wrap (16.7 s or more, or over one), or 25 days ahead.
    pub fn encode(&mut self, event: Event, mut sink: impl FnMut([u8; 2])) -> Result<(), Event> {
        let Event { t, x, y, on } = event;
        if x > PIXEL || y > PIXEL {
            return Err(event);
        }
        let i = x.wrapping_sub(self.first);
        if self.t == Some(t)
            && self.y == Some(y)
            && self.on == on
            && self.mask != 0
            && i < PIXELS
            && self.mask >> i == 0
        {
            self.mask |= 1 << i;
            return Ok(());
        }
        let high = self.t.map(|t| t >> 12);
        // The waiting pixels come before the time, which is written only if it can be reached.
        let mut before = self.clone();
        let led = lead::<12>(high, t >> 12, [NEAR, SURE], |told| {
            before.finish(&mut sink);
            sink((TIME_HIGH << 12 | told as u16 & 0xFFF).to_le_bytes());
        });
        if !led {
            return Err(event);
        }
        before.finish(&mut sink);
        if self.t != Some(t) {
            sink((TIME_LOW << 12 | (t & 0xFFF) as u16).to_le_bytes());
        }
        if self.y != Some(y) {
            sink((ROW << 12 | y).to_le_bytes());
        }
        *self = Self { cols: self.cols, t: Some(t), y: Some(y), first: x, mask: 1, on };
        Ok(())
    }

    /// Gives the last words to `sink`.
    pub fn finish(&mut self, mut sink: impl FnMut([u8; 2])) {
        let (mask, first) = (core::mem::take(&mut self.mask), self.first);
        let polarity = if self.on { POLARITY } else { 0 };
        let base = first.min(self.cols.saturating_sub(PIXELS));
        // The bits that the move to the left would lose are not inside the sensor.
        let fits = self.cols >= PIXELS && mask.leading_zeros() >= u32::from(first - base);
        if mask.count_ones() <= WORDS || !fits {
            let mut left = mask;
            while left != 0 {
                sink((EVENT << 12 | polarity | (first + left.trailing_zeros() as u16)).to_le_bytes());
                left &= left - 1;
            }
            return;
        }
        let mask = mask << (first - base);
        sink((BASE << 12 | polarity | base).to_le_bytes());
        for (kind, at, bits) in [(VECTOR_12, 0, 0xFFF), (VECTOR_12, 12, 0xFFF), (VECTOR_8, 24, 0xFF)] {
            sink((kind << 12 | (mask >> at) as u16 & bits).to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::events::{Decode, Evt3};
    use std::vec::Vec;

    /// What `encode` accepts is written, inside of the width or not, where vectors are moved to the left or cannot be.
    #[test]
    fn events_at_the_right_border_are_kept() {
        for (cols, xs) in [
            (40, [8, 15, 22, 30, 39]),
            (40, [20, 25, 30, 35, 39]),
            (40, [20, 25, 30, 39, 51]),
            (40, [45, 46, 47, 48, 49]),
            (31, [0, 1, 2, 3, 30]),
            (2048, [2016, 2017, 2020, 2030, 2047]),
        ] {
            let (mut encoder, mut bytes) = (Evt3Encoder::with_width(cols), Vec::new());
            let events: Vec<_> = xs.iter().map(|x| Event { t: 5_000, x: *x, y: 3, on: true }).collect();
            for event in &events {
                encoder.encode(*event, |word| bytes.extend(word)).unwrap();
            }
            encoder.finish(|word| bytes.extend(word));
            assert_eq!(Evt3::new().events(&bytes).collect::<Vec<_>>(), events, "{cols} columns");
        }
    }
}
