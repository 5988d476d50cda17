//! AER of the `GenX320`: one word of 19 bits per event on the parallel port, without a time.
//!
//! | bit 18 | 17..9 | 8..0 |
//! |---|---|---|
//! | 1 ON, 0 OFF | x | y |
//!
//! The bits above are not used. How the port's bytes become words depends on its wiring. The caller, who sees an event
//! arrive, gives its time; therefore this is not a [`Decode`](crate::events::Decode). Every word is an event. The only
//! damage that can be detected is a pixel outside the sensor, which is delivered unchanged.
//!
//! Cost: 4 operations per event. State: none.
//! Reference: Prophesee, Metavision documentation, "AER format".

use crate::events::Event;

/// Bits of a coordinate.
const PIXEL: u32 = 0x1FF;

/// A word of the sensor; see the [format](self).
///
/// ```
/// use foveola_core::events::{Aer, Event};
/// let event = Event { t: 1_000, x: 319, y: 5, on: true };
/// assert_eq!(Aer(1 << 18 | 319 << 9 | 5).at(1_000), event);
/// assert_eq!(Aer::of(event), Ok(Aer(0x4_0000 | 0x2_7E00 | 5)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Aer(pub u32);

impl Aer {
    /// The event of this word, seen at `t` microseconds.
    #[inline]
    pub const fn at(self, t: u64) -> Event {
        Event { t, x: (self.0 >> 9 & PIXEL) as u16, y: (self.0 & PIXEL) as u16, on: self.0 >> 18 & 1 == 1 }
    }

    /// The word of `event`, without its time.
    ///
    /// # Errors
    /// Returns the event when a coordinate is above 511.
    pub const fn of(event: Event) -> Result<Self, Event> {
        let Event { x, y, on, .. } = event;
        if x as u32 > PIXEL || y as u32 > PIXEL {
            return Err(event);
        }
        Ok(Self((on as u32) << 18 | (x as u32) << 9 | y as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_comes_back() {
        for word in 0..1 << 19 {
            assert_eq!(Aer::of(Aer(word).at(7)), Ok(Aer(word)));
            assert_eq!(Aer(word | 0xFFF8_0000).at(7), Aer(word).at(7), "bits above are not used");
        }
        for (x, y) in [(512, 0), (0, 512), (u16::MAX, u16::MAX)] {
            let event = Event { t: 0, x, y, on: true };
            assert_eq!(Aer::of(event), Err(event));
        }
    }
}
