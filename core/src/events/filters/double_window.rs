//! Double window filter: keeps an event when enough of the latest events, at any place and time, lie near it.
//!
//! ```text
//! keep  when  #{ events (x', y') of both windows : |x' - x| + |y' - y| <= distance } >= k
//! signal window   the last `length` events that were kept
//! noise window    the last `length` events that were dropped
//! ```
//! Noise fills only its own window, so it does not push signal out of memory: for sparse scenes, and boards without
//! memory for a whole sensor. Time plays no part, so no clock error affects the filter. An event at the same pixel
//! counts: a hot pixel is kept. `length` is 1 to 65535, `k` 1 to `2 length`.
//!
//! ```text
//! word   0       events in the signal window; length or more when it is full, and then the oldest is word - length
//!        1       the same of the noise window
//!        2 …     the signal window, then the noise window: y in the upper half of a word, x in the lower
//! ```
//! Cost: `2 length` comparisons of 6 operations per event. State: `2 + 2 length` words: 288 bytes for a `length` of 35.
//! Reference: S. Guo and T. Delbruck, Low cost and latency event camera background activity denoising, IEEE Trans. PAMI
//! 45(1), 2023, doi:10.1109/TPAMI.2022.3152999.

use super::EventFilter;
use crate::Error;
use crate::events::Event;

/// Keeps events near the latest events; see the [equation](self).
///
/// ```
/// use foveola_core::constant;
/// use foveola_core::events::Event;
/// use foveola_core::events::filters::{DoubleWindow, EventFilter};
///
/// const FILTER: DoubleWindow = constant!(DoubleWindow::new(35, 3, 1));
/// let mut state = [0; FILTER.state_len()];
/// let event = |x, y| Event { t: 0, x, y, on: true };
/// assert_eq!(FILTER.step(&mut state, event(10, 10))?, None);
/// assert_eq!(FILTER.step(&mut state, event(11, 12))?, Some(event(11, 12)));
/// assert_eq!(FILTER.step(&mut state, event(13, 14))?, None); // four pixels from one, seven from the other
/// # Ok::<(), foveola_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoubleWindow {
    length: u32,
    distance: u32,
    k: u32,
}

impl DoubleWindow {
    /// `k` of twice `length` events within a city-block `distance` of pixels.
    ///
    /// # Errors
    /// [`Error::Parameter`] when `length` or `k` is out of range.
    pub const fn new(length: u16, distance: u16, k: u32) -> Result<Self, Error> {
        if length == 0 {
            return Err(Error::Parameter { name: "length", value: 0.0, expected: "1 to 65535 events" });
        }
        let length = length as u32;
        if k == 0 || k > 2 * length {
            return Err(Error::Parameter { name: "k", value: k as f64, expected: "1 to twice the windows' length" });
        }
        Ok(Self { length, distance: distance as u32, k })
    }

    /// Words of state.
    pub const fn state_len(&self) -> usize {
        2 + 2 * self.length as usize
    }

    /// Its numbers, for a checksum.
    pub(super) const fn numbers(&self) -> [u32; 5] {
        [self.length, self.distance, self.k, 0, 0]
    }

    #[inline(always)]
    fn supported(&self, state: &mut [u32], event: &Event) -> Option<bool> {
        let ([in_signal, in_noise], windows) = state.split_first_chunk_mut()?;
        let (signal, noise) = windows.split_at_mut_checked(self.length as usize)?;
        let near = |place: &u32| {
            let (x, y) = (*place as u16, (*place >> 16) as u16);
            u32::from(u32::from(x.abs_diff(event.x)) + u32::from(y.abs_diff(event.y)) <= self.distance)
        };
        // Windows that are not full yet end where their events do.
        let among = |window: &[u32], events: u32| window.iter().take(events as usize).map(near).sum::<u32>();
        let supported = among(signal, *in_signal) + among(noise, *in_noise) >= self.k;
        let (events, window) = if supported { (in_signal, signal) } else { (in_noise, noise) };
        let oldest = if *events < self.length { *events } else { *events - self.length };
        *window.get_mut(oldest as usize)? = u32::from(event.y) << 16 | u32::from(event.x);
        *events = if *events + 1 < 2 * self.length { *events + 1 } else { self.length };
        Some(supported)
    }
}

impl EventFilter for DoubleWindow {
    fn state_len(&self) -> usize {
        Self::state_len(self)
    }

    #[inline(always)]
    fn pass(&self, state: &mut [u32], event: &mut Event) -> bool {
        self.supported(state, event) == Some(true)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::events::Geometry;
    use crate::events::filters::laws;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        #[test]
        fn equals_a_twin_with_queues(
            (_, events) in laws::sensor_and_events(),
            (length, k) in (1_u16..7).prop_flat_map(|length| (Just(length), 1..=2 * u32::from(length))),
            distance in 0_u16..4,
            cut in laws::cut(),
        ) {
            let mut windows = [VecDeque::new(), VecDeque::new()];
            laws::hold(&DoubleWindow::new(length, distance, k).unwrap(), &events, cut, |event| {
                let (x, y) = (i32::from(event.x), i32::from(event.y));
                let near = |(a, b): &&(i32, i32)| (a - x).abs() + (b - y).abs() <= distance.into();
                let supported = windows.iter().flatten().filter(near).count() >= k as usize;
                let window = &mut windows[usize::from(supported)];
                window.push_back((x, y));
                if window.len() > length.into() {
                    window.pop_front();
                }
                supported.then_some(event)
            }, Geometry { cols: 65536, rows: 65536 })?;
        }
    }

    #[test]
    fn the_corners_are_far_apart() {
        let filter = DoubleWindow::new(1, 65535, 1).unwrap();
        let (mut state, event) = ([0; 4], |x, y| Event { t: 0, x, y, on: true });
        assert_eq!(filter.step(&mut state, event(0, 0)), Ok(None), "an empty place is no event at the origin");
        assert_eq!(filter.step(&mut state, event(65535, 1)), Ok(None));
        assert_eq!(filter.step(&mut state, event(0, 1)), Ok(Some(event(0, 1))));
        assert!(
            DoubleWindow::new(0, 1, 1).is_err()
                && DoubleWindow::new(1, 1, 3).is_err()
                && DoubleWindow::new(1, 1, 0).is_err()
        );
    }
}
