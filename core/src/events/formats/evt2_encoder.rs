//! Writes EVT 2.0, the inverse of [`Evt2`](super::Evt2): for simulated sensors, conversions and tests.
//!
//! Times are written modulo 2^34 us. A decoder follows them over the wrap if no gap there is longer than 8.4 s;
//! decoders of other programs follow less. [`Evt2Encoder::lead`] shows the wrap to all.
//! Cost: 4 or 8 bytes per event. State: 16 bytes.

use super::clock::{is_far, lead};
use super::evt2::{HIGH, NEAR, OFF, ON, SURE, TIME_HIGH};
use super::header::{PIXEL, write_raw};
use crate::events::{Event, Geometry};

/// Encoder of EVT 2.0 words.
///
/// ```
/// use foveola_core::events::{Decode, Event, Evt2, Evt2Encoder};
/// let event = Event { t: 1_000_000, x: 319, y: 239, on: true };
/// let mut bytes = Vec::new();
/// Evt2Encoder::new().encode(event, |word| bytes.extend(word)).unwrap();
/// assert_eq!(Evt2::new().events(&bytes).collect::<Vec<_>>(), [event]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Evt2Encoder {
    high: Option<u64>,
}

impl Evt2Encoder {
    /// At the start of the words, after the header if there is one.
    pub const fn new() -> Self {
        Self { high: None }
    }

    /// Gives a header's bytes to `sink`.
    ///
    /// ```
    /// use foveola_core::events::{Evt2Encoder, Geometry};
    /// let mut text = Vec::new();
    /// Evt2Encoder::header(Geometry { cols: 640, rows: 480 }, |bytes| text.extend_from_slice(bytes));
    /// assert!(text.starts_with(b"% evt 2.0\n% format EVT2;height=480;width=640\n"));
    /// ```
    pub fn header(geometry: Geometry, sink: impl FnMut(&[u8])) {
        write_raw("2.0", "EVT2", "", geometry, sink);
    }

    /// Gives to `sink` the times high that lead a decoder over the wraps up to `t`, if there are any; before the event
    /// at `t`. Returns false, and gives nothing, if `t` cannot be reached: it lies before the last wrap, or 71 years
    /// ahead.
    ///
    /// ```
    /// use foveola_core::events::{Decode, Event, Evt2, Evt2Encoder};
    /// let event = Event { t: 4, x: 3, y: 2, on: true };
    /// let later = Event { t: (1 << 34) + 60_000_000, ..event }; // a minute behind the wrap
    /// let (mut encoder, mut bytes) = (Evt2Encoder::new(), Vec::new());
    /// for event in [event, later] {
    ///     assert!(encoder.lead(event.t, |word| bytes.extend(word)));
    ///     encoder.encode(event, |word| bytes.extend(word)).unwrap();
    /// }
    /// assert_eq!(Evt2::new().events(&bytes).collect::<Vec<_>>(), [event, later]);
    /// ```
    #[cold]
    pub fn lead(&mut self, t: u64, mut sink: impl FnMut([u8; 4])) -> bool {
        let high = t >> 6;
        if self.high.is_some_and(|last| last >> 28 == high >> 28) {
            return true;
        }
        let led = lead::<28>(self.high, high, [NEAR, SURE], |told| {
            sink((TIME_HIGH << 28 | told as u32 & HIGH).to_le_bytes());
        });
        if led {
            self.high = Some(high);
        }
        led
    }

    /// Gives the words of `event` to `sink`: a time high when it changed, two when it jumped, and the event.
    ///
    /// # Errors
    /// Returns the event, and writes nothing, when a coordinate is above 2047.
    pub fn encode(&mut self, event: Event, mut sink: impl FnMut([u8; 4])) -> Result<(), Event> {
        let Event { t, x, y, on } = event;
        if x > PIXEL || y > PIXEL {
            return Err(event);
        }
        let high = t >> 6;
        if self.high != Some(high) {
            let word = TIME_HIGH << 28 | high as u32 & HIGH;
            if self.high.is_some_and(|last| is_far::<28>(last, (word & HIGH).into(), [NEAR, SURE])) {
                sink(word.to_le_bytes()); // a decoder believes a jump that is told twice
            }
            self.high = Some(high);
            sink(word.to_le_bytes());
        }
        let kind = if on { ON } else { OFF };
        let low = (t & 0x3F) as u32;
        sink((kind << 28 | low << 22 | u32::from(x) << 11 | u32::from(y)).to_le_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coordinate_that_does_not_fit_is_given_back() {
        for (x, y) in [(2048, 0), (0, 2048), (u16::MAX, u16::MAX)] {
            let event = Event { t: u64::MAX, x, y, on: true };
            assert_eq!(Evt2Encoder::new().encode(event, |_| unreachable!("nothing is written")), Err(event));
        }
    }
}
