//! Writes Event Stream `.es`, the inverse of [`EventStream`](super::EventStream): for conversions and tests.
//!
//! Cost: 5 bytes per event, and 1 byte for each 127 us of silence, also those before the first event: 8 kB per second.
//! State: 16 bytes.

use super::event_stream::{DVS, SIGNATURE, SILENCE, SILENT, VERSION};
use crate::events::Event;

/// Microseconds of the longest silence that is written: 17.9 min in 8.5 MB.
const LONGEST: u64 = 1 << 30;

/// Encoder of `.es` events of a DVS.
///
/// ```
/// use foveola_core::events::{Decode, Event, EventStream, EventStreamEncoder};
/// let event = Event { t: 1_000, x: 319, y: 239, on: true };
/// let (mut encoder, mut bytes) = (EventStreamEncoder::new(320, 240), Vec::new());
/// encoder.header(|header| bytes.extend_from_slice(header));
/// encoder.encode(event, |words| bytes.extend_from_slice(words)).unwrap();
/// assert_eq!(EventStream::new().events(&bytes).collect::<Vec<_>>(), [event]);
/// ```
#[derive(Clone, Debug)]
pub struct EventStreamEncoder {
    cols: u16,
    rows: u16,
    t: u64,
}

impl EventStreamEncoder {
    /// At the start of a recording by a sensor of `cols` x `rows` pixels.
    pub const fn new(cols: u16, rows: u16) -> Self {
        Self { cols, rows, t: 0 }
    }

    /// Gives the header's bytes to `sink`.
    pub fn header(&self, mut sink: impl FnMut(&[u8])) {
        sink(&SIGNATURE);
        sink(&[VERSION, 0, 0, DVS]);
        sink(&self.cols.to_le_bytes());
        sink(&self.rows.to_le_bytes());
    }

    /// Gives the bytes of `event` to `sink`, and those of the silence before it.
    ///
    /// # Errors
    /// Returns the event, and writes nothing, when it lies outside the sensor, before the last one, or 17.9 min or more
    /// after it.
    pub fn encode(&mut self, event: Event, mut sink: impl FnMut(&[u8])) -> Result<(), Event> {
        let Event { t, x, y, on } = event;
        let Some(mut silent) = t.checked_sub(self.t).filter(|silent| *silent < LONGEST) else { return Err(event) };
        let stored = match self.rows.checked_sub(y) {
            Some(above @ 1..) if x < self.cols => above - 1,
            _ => return Err(event),
        };
        while silent >= SILENT {
            sink(&[SILENCE]);
            silent -= SILENT;
        }
        let ([a, b], [c, d]) = (x.to_le_bytes(), stored.to_le_bytes());
        sink(&[(silent as u8) << 1 | u8::from(on), a, b, c, d]);
        self.t = t;
        Ok(())
    }
}
