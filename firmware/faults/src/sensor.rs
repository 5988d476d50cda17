//! Events from a seed, as EVT 2.0: half of them go round all pixels, half of them are at an edge that crosses the frame.

use crate::model::{DT, SHAPE};
use foveola_core::events::{Event, Evt2Encoder};

/// Events of a frame.
pub const EVENTS: u64 = 128;
/// Frames in which every pixel has an event.
pub const ROUND: u64 = SHAPE.len() as u64 / (EVENTS / 2);
/// Frames in which the events of every pixel settle both stages of the retina's chains, one after the other.
pub const SETTLED: usize = 2 * ROUND as usize;
/// When the stream begins, in microseconds.
pub const ORIGIN: u64 = 20_000_000;
/// Bytes that any frame takes, unless it has a burst.
pub const MOST: usize = 1_024;

/// Number `i` of a sequence of random numbers (splitmix64). Reference: Steele, Lea and Flood, OOPSLA 2014.
pub const fn random(seed: u64, i: u64) -> u64 {
    let x = seed.wrapping_add(i.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let x = (x ^ x >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ x >> 31
}

/// A simulated sensor.
#[derive(Clone, Debug)]
pub struct Sensor {
    seed: u64,
    encoder: Evt2Encoder,
    /// By how much its clock is wrong, in microseconds.
    pub shift: i64,
}

impl Sensor {
    /// At its start.
    pub const fn new(seed: u64) -> Self {
        Self { seed, encoder: Evt2Encoder::new(), shift: 0 }
    }

    /// A random number of this sensor, for a fault.
    pub const fn random(&self, i: u64) -> u64 {
        random(!self.seed, i)
    }

    /// The events of a frame.
    pub fn frame(&self, frame: usize) -> impl Iterator<Item = Event> + use<> {
        let (seed, frame) = (self.seed, frame as u64);
        (0..EVENTS).map(move |i| {
            let random = random(seed, frame * EVENTS + i);
            let (cols, rows) = (SHAPE.cols as u64, SHAPE.rows as u64);
            // The next pixel, in an order that jumps: 389 and 1024 have no common factor.
            let next = (frame * EVENTS + i) / 2 * 389 % (cols * rows);
            let edge = (frame / 3 + random % 3) % cols;
            let (x, y) = if i.is_multiple_of(2) { (next % cols, next / cols) } else { (edge, (random >> 8) % rows) };
            let on = random >> 63 == 1 || !i.is_multiple_of(2);
            Event { t: ORIGIN + frame * DT + i * DT / EVENTS, x: x as u16, y: y as u16, on }
        })
    }

    /// The words of `events`, as many as `buffer` takes.
    pub fn encode<'b>(&mut self, events: impl Iterator<Item = Event>, buffer: &'b mut [u8; MOST]) -> &'b [u8] {
        let mut len = 0;
        for event in events {
            let event = Event { t: event.t.wrapping_add_signed(self.shift), ..event };
            // Never refused: the coordinates are small.
            let _ = self.encoder.encode(event, |word| {
                if let Some(to) = buffer.get_mut(len..len + word.len()) {
                    to.copy_from_slice(&word);
                    len += word.len();
                }
            });
        }
        buffer.get(..len).unwrap_or_default()
    }
}
