//! Writes EVT 2.1, the inverse of [`Evt21`](super::Evt21): for simulated sensors, conversions and tests.
//!
//! Events that follow each other with the same time, row and polarity, from left to right, share a word, whose columns
//! begin at a multiple of 32, like those of sensors. The last word therefore waits for the next event:
//! [`Evt21Encoder::finish`] writes it. A decoder gets the events in their order, at their times. Times high are
//! inserted where it could not follow a gap or a wrap, or does not know of those before the first event. Cost: 8 or 16
//! bytes per event, less where they share words. State: 32 bytes.

use super::Order;
use super::clock::lead;
use super::evt2::{HIGH, NEAR, OFF, ON, SURE, TIME_HIGH};
use super::header::{PIXEL, write_raw};
use crate::events::{Event, Geometry};

/// Pixels of a word.
const PIXELS: u16 = 32;

/// Encoder of EVT 2.1 words.
///
/// ```
/// use foveola_core::events::{Decode, Event, Evt21, Evt21Encoder, Order};
/// let event = Event { t: 1_000_000, x: 310, y: 239, on: true };
/// let events = [event, Event { x: 319, ..event }];
/// let (mut encoder, mut bytes) = (Evt21Encoder::new(Order::Little), Vec::new());
/// for event in events {
///     encoder.encode(event, |word| bytes.extend(word)).unwrap();
/// }
/// encoder.finish(|word| bytes.extend(word));
/// assert_eq!(bytes.len(), 16); // a time high and a vector
/// assert_eq!(Evt21::new().events(&bytes).collect::<Vec<_>>(), events);
/// ```
#[derive(Clone, Debug)]
pub struct Evt21Encoder {
    order: Order,
    high: Option<u64>,
    /// The waiting word, if its mask is not empty.
    word: [u32; 2],
}

impl Evt21Encoder {
    /// At the start of the words, after the header if there is one.
    pub const fn new(order: Order) -> Self {
        Self { order, high: None, word: [0; 2] }
    }

    /// Gives a header's bytes to `sink`.
    ///
    /// ```
    /// use foveola_core::events::{Evt21Encoder, Geometry, Order};
    /// let mut text = Vec::new();
    /// Evt21Encoder::header(Order::Legacy, Geometry { cols: 1280, rows: 720 }, |bytes| text.extend_from_slice(bytes));
    /// assert!(text.starts_with(b"% evt 2.1\n% format EVT21;endianness=legacy;height=720;width=1280\n"));
    /// ```
    pub fn header(order: Order, geometry: Geometry, sink: impl FnMut(&[u8])) {
        let endianness = match order {
            Order::Little => "endianness=little;",
            Order::Legacy => "endianness=legacy;",
        };
        write_raw("2.1", "EVT21", endianness, geometry, sink);
    }

    /// Takes `event` and gives the complete words to `sink`.
    ///
    /// # Errors
    /// Returns the event, and writes nothing, when a coordinate is above 2047, or its time is so far back that a
    /// decoder takes it for a wrap, or 71 years ahead.
    pub fn encode(&mut self, event: Event, mut sink: impl FnMut([u8; 8])) -> Result<(), Event> {
        let Event { t, x, y, on } = event;
        if x > PIXEL || y > PIXEL {
            return Err(event);
        }
        let high = t >> 6;
        let kind = if on { ON } else { OFF };
        let (first, i) = (u32::from(x / PIXELS * PIXELS), x % PIXELS);
        let upper = kind << 28 | ((t & 0x3F) as u32) << 22 | first << 11 | u32::from(y);
        // After all pixels of the waiting word.
        if let [waits, mask] = self.word
            && self.high == Some(high)
            && waits == upper
            && mask != 0
            && mask >> i == 0
        {
            self.word = [upper, mask | 1 << i];
            return Ok(());
        }
        // The waiting word comes before the time, which is written only if it can be reached.
        let mut before = self.clone();
        let led = lead::<28>(self.high, high, [NEAR, SURE], |told| {
            before.finish(&mut sink);
            sink(self.order.bytes([TIME_HIGH << 28 | told as u32 & HIGH, 0]));
        });
        if !led {
            return Err(event);
        }
        before.finish(sink);
        (self.high, self.word) = (Some(high), [upper, 1 << i]);
        Ok(())
    }

    /// Gives the last word to `sink`.
    pub fn finish(&mut self, mut sink: impl FnMut([u8; 8])) {
        let word = core::mem::take(&mut self.word);
        if word[1] != 0 {
            sink(self.order.bytes(word));
        }
    }
}
