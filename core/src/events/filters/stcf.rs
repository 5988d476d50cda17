//! Spatio-temporal correlation filter: an event is kept when enough of its neighbours had one shortly before.
//!
//! ```text
//! keep  when  #{ neighbours j : 0 <= t - t[j] <= tau } >= k        t[j]: the last event at pixel j, kept or not
//! ```
//! With `k = 1` it is the background-activity filter. Noise is alone, edges are not: `k = 2` of 8 and a `tau` of the time in
//! which an edge crosses a few pixels are a good start. `tau` is in microseconds, 1 to 2^30 - 1; `k` is 1 to the number of neighbours.
//! The pixel itself is no neighbour: so a hot pixel alone is dropped.
//!
//! Events that come late, with a time before a neighbour's last event, are not supported by it; their own time is remembered
//! as if they had come in order. Events outside of the sensor are dropped, and leave no trace.
//! Long pauses and clocks that start anew: see [`stamps`](super::stamps).
//!
//! Cost: 3 operations a neighbour and 20 more an event, no branch in between. State: a word a pixel and a border:
//! `3 + (cols + 1) (rows + 2)`.
//! References: T. Delbruck, Frame-free dynamic digital vision, Proc. Intl. Symp. on Secure-Life Electronics, 2008 (`k = 1`);
//! S. Guo and T. Delbruck, Low cost and latency event camera background activity denoising, IEEE Trans. PAMI 45(1), 2023,
//! doi:10.1109/TPAMI.2022.3152999.

use super::EventFilter;
use super::stamps::{self, Stamps};
use crate::Error;
use crate::events::{Event, Geometry};

/// Which pixels are neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Neighbours {
    /// The pixels above, below, to the left and to the right.
    Four,
    /// The diagonal ones, too.
    Eight,
}

impl Neighbours {
    /// How many they are.
    pub const fn count(self) -> u32 {
        match self {
            Self::Four => 4,
            Self::Eight => 8,
        }
    }
}

/// Keeps what `k` neighbours support; see the [equation](self).
///
/// ```
/// use foveola_core::constant;
/// use foveola_core::events::filters::{EventFilter, Neighbours, Stcf};
/// use foveola_core::events::{Event, Geometry};
///
/// const FILTER: Stcf = constant!(Stcf::new(Geometry { cols: 320, rows: 320 }, Neighbours::Eight, 1, 5_000));
/// let mut state = [0; FILTER.state_len()]; // a static on a board
///
/// let event = |t, x| Event { t, x, y: 7, on: true };
/// assert_eq!(FILTER.step(&mut state, event(1_000, 10))?, None); // alone
/// assert_eq!(FILTER.step(&mut state, event(6_000, 11))?, Some(event(6_000, 11))); // 5 ms later, beside it
/// assert_eq!(FILTER.step(&mut state, event(6_000, 13))?, None); // two pixels away
/// assert_eq!(FILTER.step(&mut state, event(11_001, 12))?, None); // too late
/// # Ok::<(), foveola_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stcf {
    stamps: Stamps,
    neighbours: Neighbours,
    k: u32,
    tau: u32,
}

impl Stcf {
    /// For a sensor of this size: `k` of the neighbours within `tau` microseconds.
    ///
    /// # Errors
    /// [`Error::EmptyFrame`] without pixels; [`Error::Parameter`] for too many of them, and when `k` or `tau` is out of range.
    pub const fn new(geometry: Geometry, neighbours: Neighbours, k: u32, tau: u32) -> Result<Self, Error> {
        if k == 0 || k > neighbours.count() {
            return Err(Error::Parameter { name: "k", value: k as f64, expected: "1 to the number of neighbours" });
        }
        match (Stamps::new(geometry), stamps::checked("tau", tau)) {
            (Ok(stamps), Ok(tau)) => Ok(Self { stamps, neighbours, k, tau }),
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

impl EventFilter for Stcf {
    fn state_len(&self) -> usize {
        Self::state_len(self)
    }

    #[inline(always)]
    fn pass(&self, state: &mut [u32], event: Event) -> Option<Event> {
        let corner = self.stamps.corner(&event)?;
        let (clock, stamps) = state.split_first_chunk_mut()?;
        let now = stamps::now(clock, stamps, event.t);
        let stride = self.stamps.stride();
        let [a, b, c] = *stamps.get(corner..)?.first_chunk()?;
        let [f, g, h] = *stamps.get(corner + 2 * stride..)?.first_chunk()?;
        let [d, own, e] = stamps.get_mut(corner + stride..)?.first_chunk_mut()?;
        *own = now;
        let supports = |stamp: u32| u32::from(now.wrapping_sub(stamp) <= self.tau);
        let beside = supports(b) + supports(*d) + supports(*e) + supports(g);
        let supporters = match self.neighbours {
            Neighbours::Four => beside,
            Neighbours::Eight => beside + supports(a) + supports(c) + supports(f) + supports(h),
        };
        (supporters >= self.k).then_some(event)
    }
}
