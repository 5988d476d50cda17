//! Spatio-temporal correlation filter: keeps an event when enough of its neighbours had one shortly before.
//!
//! ```text
//! keep  when  #{ neighbours j : 0 <= t - t[j] <= tau } >= k        t[j]: the last event at pixel j, kept or not
//! ```
//! With `k = 1` it is the background-activity filter. Noise events are isolated, events of edges are not. A good start
//! is `k = 2` of 8, and for `tau` the time in which an edge crosses a few pixels. `tau` is in microseconds, 1 to 2^30 -
//! 1; `k` is 1 to the number of neighbours. The pixel itself is not a neighbour, so an isolated hot pixel is dropped.
//!
//! A late event, with a time before a neighbour's last event, is not supported by that neighbour; its own time is
//! stored as if it had come in order. Events outside the sensor are dropped and do not change the state. For long
//! pauses and clocks that restart see [`super::stamps`].
//!
//! Cost: 3 operations per neighbour and 20 more per event, without a branch in between. State: one word per pixel and a
//! border: `3 + (cols + 1) (rows + 2)`.
//! References: T. Delbruck, Frame-free dynamic digital vision, Proc. Intl. Symp. on Secure-Life Electronics, 2008
//! (`k = 1`); S. Guo and T. Delbruck, Low cost and latency event camera background activity denoising, IEEE Trans. PAMI
//! 45(1), 2023, doi:10.1109/TPAMI.2022.3152999.

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
    /// Number of neighbours.
    pub const fn count(self) -> u32 {
        match self {
            Self::Four => 4,
            Self::Eight => 8,
        }
    }
}

/// Keeps events that `k` neighbours support; see the [equation](self).
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
    /// [`Error::EmptyFrame`] without pixels; [`Error::Parameter`] for too many of them, and when `k` or `tau` is out of
    /// range.
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

    /// Its numbers, for a checksum.
    pub(super) const fn numbers(&self) -> [u32; 5] {
        let Geometry { cols, rows } = self.geometry();
        [cols as u32, rows as u32, self.neighbours.count(), self.k, self.tau]
    }
}

impl Stcf {
    /// How many neighbours support the event; `None` outside the sensor.
    #[inline(always)]
    fn supporters(&self, state: &mut [u32], event: &Event) -> Option<u32> {
        let corner = self.stamps.corner(event)?;
        let (now, stamps) = stamps::split(state, event.t)?;
        let stride = self.stamps.stride();
        let [a, b, c] = *stamps.get(corner..)?.first_chunk()?;
        let [f, g, h] = *stamps.get(corner + 2 * stride..)?.first_chunk()?;
        let [d, own, e] = stamps.get_mut(corner + stride..)?.first_chunk_mut()?;
        *own = now;
        let supports = |stamp: u32| u32::from(now.wrapping_sub(stamp) <= self.tau);
        let beside = supports(b) + supports(*d) + supports(*e) + supports(g);
        Some(match self.neighbours {
            Neighbours::Four => beside,
            Neighbours::Eight => beside + supports(a) + supports(c) + supports(f) + supports(h),
        })
    }
}

impl EventFilter for Stcf {
    fn state_len(&self) -> usize {
        Self::state_len(self)
    }

    #[inline(always)]
    fn pass(&self, state: &mut [u32], event: &mut Event) -> bool {
        self.supporters(state, event).is_some_and(|supporters| supporters >= self.k)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::events::filters::laws::{self, Past};
    use proptest::prelude::*;

    const EIGHT: [(i64, i64); 8] = [(-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (1, -1), (-1, 1), (1, 1)];

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        #[test]
        fn equals_a_twin_with_64_bit_times(
            (sensor, events) in laws::sensor_and_events(),
            tau in laws::time_constant(),
            (neighbours, k) in prop_oneof![
                (1_u32..=4).prop_map(|k| (Neighbours::Four, k)),
                (1_u32..=8).prop_map(|k| (Neighbours::Eight, k)),
            ],
            cut in laws::cut(),
        ) {
            let mut past = Past::default();
            laws::hold(&Stcf::new(sensor, neighbours, k, tau).unwrap(), &events, cut, |event| {
                let (t, x, y) = (event.t, event.x.into(), event.y.into());
                let _ = past.reach(t);
                let around = &EIGHT[..neighbours.count() as usize];
                let supports = |(dx, dy): &&(i64, i64)| past.age(x + dx, y + dy, t).is_some_and(|age| age <= tau.into());
                let supporters = around.iter().filter(supports).count();
                past.remember(x, y, t);
                (supporters >= k as usize).then_some(event)
            }, sensor)?;
        }
    }

    /// Exactly 2^32 us later, and a little more, the low halves of the times are close, but the events are not.
    #[test]
    fn old_events_do_not_look_new_when_32_bits_come_again() {
        let sensor = Geometry { cols: 2, rows: 1 };
        let filter = Stcf::new(sensor, Neighbours::Eight, 1, 1_000).unwrap();
        for gap in [1 << 31, 1 << 32, (1 << 32) + 5, (1 << 33) + 999, 86_400_000_000, 200 * 86_400_000_000, 1 << 62] {
            for start in [0, 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 3, 1 << 40] {
                let mut state = [0; 12];
                let mut step = |t, x| filter.step(&mut state, Event { t, x, y: 0, on: true }).unwrap().is_some();
                assert!(!step(start, 0), "the first is alone");
                assert!(!step(start + gap, 1), "{gap} us after {start}");
                assert!(step(start + gap + 1_000, 0), "1 ms is not too late, {gap} us after {start}");
            }
        }
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let one = Geometry { cols: 1, rows: 1 };
        for (neighbours, k, tau, message) in [
            (Neighbours::Eight, 0, 1, "k is 0; expected 1 to the number of neighbours"),
            (Neighbours::Four, 5, 1, "k is 5; expected 1 to the number of neighbours"),
            (Neighbours::Eight, 8, 0, "tau is 0; expected 1 us or more, and less than 2^30 us"),
        ] {
            let error = Stcf::new(one, neighbours, k, tau).unwrap_err();
            assert_eq!(std::format!("{error}"), message);
        }
    }
}
