//! Refractory period: after an event, a pixel is silent for a while.
//!
//! ```text
//! drop  when  0 <= t - t[j] < dead        t[j]: the last event at the same pixel that restarted the clock
//! ```
//! `dead` is in microseconds, 1 to 2^30 - 1. Kept events restart the clock, so a pixel gives at most one event every
//! `dead` microseconds; or all events do ([`Restart::All`]), so a pixel that never rests gives one event and then none.
//!
//! Late events, with a time before `t[j]`, are kept and restart the clock at their own time. Events outside the sensor
//! are dropped and do not change the state. For long pauses and clocks that restart see [`super::stamps`].
//!
//! Cost: about 15 operations per event. State: one word per pixel and a border: `3 + (cols + 1) (rows + 2)`.
//! Reference: the refractory period of a pixel, P. Lichtsteiner, C. Posch and T. Delbruck, A 128x128 120 dB 15 us
//! latency asynchronous temporal contrast vision sensor, IEEE JSSC 43(2), 2008, doi:10.1109/JSSC.2007.914337.

use super::EventFilter;
use super::stamps::{self, Stamps};
use crate::Error;
use crate::events::{Event, Geometry};

/// Which events restart a pixel's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Restart {
    /// Kept events.
    Kept,
    /// All events, also dropped ones.
    All,
}

/// Silences a pixel for a while after an event; see the [equation](self).
///
/// ```
/// use foveola_core::events::filters::{EventFilter, Refractory, Restart};
/// use foveola_core::events::{Event, Geometry};
///
/// let sensor = Geometry { cols: 2, rows: 1 };
/// let mut events = [0, 400, 900, 1_300, 2_400].map(|t| Event { t, x: 0, y: 0, on: true });
///
/// let filter = Refractory::new(sensor, 1_000, Restart::All)?;
/// assert_eq!(filter.retain(&mut [0; 12], &mut events.clone())?, 2); // the first, and that after 1,100 us of silence
///
/// let filter = Refractory::new(sensor, 1_000, Restart::Kept)?;
/// assert_eq!(filter.retain(&mut [0; 12], &mut events)?, 3);
/// assert_eq!(events[1].t, 1_300);
/// # Ok::<(), foveola_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refractory {
    stamps: Stamps,
    dead: u32,
    restart: Restart,
}

impl Refractory {
    /// For a sensor of this size: `dead` microseconds.
    ///
    /// # Errors
    /// [`Error::EmptyFrame`] without pixels; [`Error::Parameter`] for too many of them, and when `dead` is out of
    /// range.
    pub const fn new(geometry: Geometry, dead: u32, restart: Restart) -> Result<Self, Error> {
        match (Stamps::new(geometry), stamps::checked("dead", dead)) {
            (Ok(stamps), Ok(dead)) => Ok(Self { stamps, dead, restart }),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }

    /// The sensor's size.
    pub const fn geometry(&self) -> Geometry {
        self.stamps.geometry()
    }

    /// Words of state.
    pub const fn state_len(&self) -> usize {
        self.stamps.len()
    }

    /// Its numbers, for a checksum.
    pub(super) const fn numbers(&self) -> [u32; 5] {
        let Geometry { cols, rows } = self.geometry();
        [cols as u32, rows as u32, self.dead, self.restart as u32, 0]
    }
}

impl EventFilter for Refractory {
    fn state_len(&self) -> usize {
        Self::state_len(self)
    }

    #[inline(always)]
    fn pass(&self, state: &mut [u32], event: &mut Event) -> bool {
        let Some(place) = self.stamps.place(event) else { return false };
        let Some((now, stamps)) = stamps::split(state, event.t) else { return false };
        let Some(stamp) = stamps.get_mut(place) else { return false };
        let rested = now.wrapping_sub(*stamp) >= self.dead;
        // No branch: it is unpredictable.
        *stamp = if rested | (self.restart == Restart::All) { now } else { *stamp };
        rested
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::events::filters::laws::{self, Past};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        #[test]
        fn equals_a_twin_with_64_bit_times(
            (sensor, events) in laws::sensor_and_events(),
            dead in laws::time_constant(),
            restart in prop_oneof![Just(Restart::Kept), Just(Restart::All)],
            cut in laws::cut(),
        ) {
            let mut past = Past::default();
            laws::hold(&Refractory::new(sensor, dead, restart).unwrap(), &events, cut, |event| {
                let Event { t, x, y, .. } = event;
                let _ = past.reach(t);
                let rested = past.age(x.into(), y.into(), t).is_none_or(|age| age >= dead.into());
                if rested || restart == Restart::All {
                    past.remember(x.into(), y.into(), t);
                }
                rested.then_some(event)
            }, sensor)?;
        }
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let one = Geometry { cols: 1, rows: 1 };
        for (geometry, dead, message) in [
            (one, 0, "dead is 0; expected 1 us or more, and less than 2^30 us"),
            (one, 1 << 30, "dead is 1073741824; expected 1 us or more, and less than 2^30 us"),
            (
                Geometry { cols: 0, rows: 1 },
                1,
                "a frame of 1 x 1 x 0 (channels x rows x columns) is empty; every axis needs a length of 1 or more",
            ),
            (
                Geometry { cols: 1, rows: 65537 },
                1,
                "pixels is 65537; expected as many as memory can hold, and 65536 a side",
            ),
        ] {
            let error = Refractory::new(geometry, dead, Restart::Kept).unwrap_err();
            assert_eq!(std::format!("{error}"), message);
        }
    }
}
