//! Writes N-MNIST's format, the inverse of [`NMnist`](super::NMnist): for conversions and tests.
//!
//! Cost: 5 bytes per event, and after 8.4 s 5 bytes more for each 8.2 ms. State: 16 bytes.

use super::nmnist::{FAR_BACK, OVERFLOW, OVERFLOW_ROW, RAW_TIME};
use crate::events::Event;

/// Microseconds of the longest gap that is written: 71.6 min in 2.6 MB.
const LONGEST: u64 = 1 << 32;

/// Encoder of N-MNIST's words; there is no header.
///
/// ```
/// use foveola_core::events::{Decode, Event, NMnist, NMnistEncoder};
/// let event = Event { t: 10_000_000, x: 33, y: 32, on: true };
/// let mut bytes = Vec::new();
/// NMnistEncoder::new().encode(event, |word| bytes.extend(word)).unwrap();
/// assert_eq!(NMnist::new().events(&bytes).collect::<Vec<_>>(), [event]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct NMnistEncoder {
    /// The last event's time.
    last: u64,
    /// Microseconds that overflowed.
    before: u64,
}

impl NMnistEncoder {
    /// At the start of a recording.
    pub const fn new() -> Self {
        Self { last: 0, before: 0 }
    }

    /// Gives the words of `event` to `sink`: overflows where its time needs them, and the event.
    ///
    /// # Errors
    /// Returns the event, and writes nothing, when a decoder would not reproduce it: its column is above 255, its row
    /// above 239, or its time is 1 s or more back, before the last overflow, or 71.6 min ahead.
    pub fn encode(&mut self, event: Event, mut sink: impl FnMut([u8; 5])) -> Result<(), Event> {
        let Event { t, x, y, on } = event;
        let is_far = t.saturating_sub(self.last) >= LONGEST || self.last.saturating_sub(t) >= FAR_BACK;
        let (Ok(x), Ok(y)) = (u8::try_from(x), u8::try_from(y)) else { return Err(event) };
        if u16::from(y) >= OVERFLOW_ROW || is_far || t < self.before {
            return Err(event);
        }
        let word = |x, y, on, t: u64| {
            let [.., a, b, c] = t.to_be_bytes();
            [x, y, u8::from(on) << 7 | a, b, c]
        };
        while t - self.before > RAW_TIME {
            // At the time of the event before, so that it goes neither back nor ahead.
            sink(word(0, OVERFLOW_ROW as u8, false, self.last.saturating_sub(self.before)));
            self.before += OVERFLOW;
        }
        sink(word(x, y, on, t - self.before));
        self.last = t;
        Ok(())
    }
}
