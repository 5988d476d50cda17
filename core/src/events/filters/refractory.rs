//! Refractory period: after an event, a pixel is silent for a while.
//!
//! ```text
//! drop  when  0 <= t - t[j] < dead        t[j]: the last event at the same pixel that restarted the clock
//! ```
//! `dead` is in microseconds, 1 to 2^30 - 1. Kept events restart the clock, so that a pixel gives at most one event every `dead`
//! microseconds; or all events do ([`Restart::All`]), so that a pixel that never rests gives one event and then none.
//!
//! Events that come late, with a time before `t[j]`, are kept and restart the clock at their own time. Events outside of the
//! sensor are dropped, and leave no trace. Long pauses and clocks that start anew: see [`stamps`](super::stamps).
//!
//! Cost: about 15 operations an event. State: a word a pixel and a border: `3 + (cols + 1) (rows + 2)`.
//! Reference: the refractory period of a pixel, P. Lichtsteiner, C. Posch and T. Delbruck, A 128x128 120 dB 15 us latency
//! asynchronous temporal contrast vision sensor, IEEE JSSC 43(2), 2008, doi:10.1109/JSSC.2007.914337.

use super::EventFilter;
use super::stamps::{self, Stamps};
use crate::Error;
use crate::events::{Event, Geometry};

/// Which events restart a pixel's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Restart {
    /// Those that are kept.
    Kept,
    /// Dropped ones, too.
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
    /// [`Error::EmptyFrame`] without pixels; [`Error::Parameter`] for too many of them, and when `dead` is out of range.
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
}

impl EventFilter for Refractory {
    fn state_len(&self) -> usize {
        Self::state_len(self)
    }

    #[inline(always)]
    fn pass(&self, state: &mut [u32], event: Event) -> Option<Event> {
        let place = self.stamps.place(&event)?;
        let (clock, stamps) = state.split_first_chunk_mut()?;
        let now = stamps::now(clock, stamps, event.t);
        let stamp = stamps.get_mut(place)?;
        let rested = now.wrapping_sub(*stamp) >= self.dead;
        if rested || self.restart == Restart::All {
            *stamp = now;
        }
        rested.then_some(event)
    }
}
