//! A budget of events per window: excess events are thinned, uniformly over the sensor and in time, and counted.
//!
//! ```text
//! keep event i of a window with probability  min(1, budget / max(n, i))      n: events of the window before
//! ```
//! A steady stream of `n` events per window keeps `budget` of them on average, with a standard deviation of less than
//! `sqrt(budget)`. At a sudden onset, `n` is still small. The first window then keeps about
//! `budget (1 + ln(i / budget))`, its first events rather than its last; never more than `2 budget`, which is the bound
//! for any window. A stream within its budget is unchanged. Whether an event is kept does not depend on its position: a
//! congruential generator decides. It begins with the cleared state, so the same stream gives the same events.
//!
//! A window lasts `window` microseconds, 1 to 2^31 - 1, and follows the previous one. After a pause of a window or more
//! it begins with an event, and `n` is 0. Late events belong to the current window; when time jumps back by more than a
//! window, a new one begins. `budget` is 1 to 2^30 events.
//!
//! ```text
//! word   0       1 once there is a window
//!        1, 2    when it began, the lower half first
//!        3       its events so far, i
//!        4       events kept of them
//!        5       n
//!        6       the generator
//!        7, 8    events dropped, the lower half first
//! ```
//! Cost: about 50 operations per event. State: 9 words.
//! Reference: the generator's factors are those of W. Press et al., Numerical Recipes, 1992, section 7.1.

use super::EventFilter;
use crate::Error;
use crate::events::Event;
use crate::words::{halves, long};

/// Thins events that are over a budget; see the [definition](self).
///
/// ```
/// use foveola_core::events::Event;
/// use foveola_core::events::filters::{EventFilter, RateLimit};
///
/// let filter = RateLimit::new(100, 1_000)?; // 100 events per millisecond
/// let mut state = [0; RateLimit::STATE];
/// let mut events: Vec<_> = (0..200_000).map(|i| Event { t: i / 2, x: 0, y: 0, on: true }).collect(); // 2,000 a millisecond
/// let kept = filter.retain(&mut state, &mut events)?;
/// assert!((9_900..10_200).contains(&kept)); // in 100 ms
/// assert_eq!(filter.dropped(&state), 200_000 - kept as u64);
/// # Ok::<(), foveola_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    budget: u32,
    window: u32,
}

impl RateLimit {
    /// Words of state.
    pub const STATE: usize = 9;

    /// `budget` events every `window` microseconds.
    ///
    /// # Errors
    /// [`Error::Parameter`] when `budget` or `window` is out of range.
    pub const fn new(budget: u32, window: u32) -> Result<Self, Error> {
        if budget == 0 || budget > 1 << 30 {
            return Err(Error::Parameter {
                name: "budget",
                value: budget as f64,
                expected: "1 to 2^30 events a window",
            });
        }
        if window == 0 || window >= 1 << 31 {
            return Err(Error::Parameter {
                name: "window",
                value: window as f64,
                expected: "1 us or more, and less than 2^31 us",
            });
        }
        Ok(Self { budget, window })
    }

    /// Words of state.
    pub const fn state_len(&self) -> usize {
        Self::STATE
    }

    /// Its numbers, for a checksum.
    pub(super) const fn numbers(&self) -> [u32; 5] {
        [self.budget, self.window, 0, 0, 0]
    }

    /// Events dropped since the state was cleared.
    pub const fn dropped(&self, state: &[u32]) -> u64 {
        match state {
            [.., low, high] => long([*low, *high]),
            _ => 0,
        }
    }
}

impl EventFilter for RateLimit {
    fn state_len(&self) -> usize {
        Self::STATE
    }

    #[inline(always)]
    fn pass(&self, state: &mut [u32], event: &mut Event) -> bool {
        let Some([begun, low, high, events, kept, before, random, dropped, dropped_high]) = state.first_chunk_mut()
        else {
            return false;
        };
        let (began, window) = (long([*low, *high]), i64::from(self.window));
        let ahead = event.t.wrapping_sub(began).cast_signed();
        if *begun == 0 || ahead >= window || ahead < -window {
            let follows = *begun == 1 && (window..2 * window).contains(&ahead);
            let began = if follows { began.wrapping_add(self.window.into()) } else { event.t };
            // A clock that restarts is not a pause.
            *before = if follows || ahead < 0 { *events } else { 0 };
            ([*low, *high], *begun, *events, *kept) = (halves(began), 1, 0, 0);
        }
        *events = events.saturating_add(1);
        *random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Uniform from 0 to one less than expected; within the budget it is always below the budget.
        let drawn = ((u64::from(*random) * u64::from((*before).max(*events))) >> 32) as u32;
        let keep = drawn < self.budget && *kept < 2 * self.budget;
        *kept += u32::from(keep);
        [*dropped, *dropped_high] = halves(long([*dropped, *dropped_high]).wrapping_add((!keep).into()));
        keep
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::events::Geometry;
    use crate::events::filters::laws;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// `n` events per window for `windows` windows of 1 ms, row by row as a sensor reads them, 100 x 50 pixels.
    fn stream(n: u64, windows: u64) -> Vec<Event> {
        let event = |i: u64| Event {
            t: i * 1_000 / n,
            x: (i * 7 % 100) as u16,
            y: (i / 100 % 50) as u16,
            on: i.is_multiple_of(3),
        };
        (0..n * windows).map(event).collect()
    }

    fn kept(filter: &RateLimit, state: &mut [u32], mut events: Vec<Event>) -> Vec<Event> {
        let kept = filter.retain(state, &mut events).unwrap();
        events.truncate(kept);
        events
    }

    fn histogram(bins: usize, of: impl Iterator<Item = usize>) -> Vec<u32> {
        let mut counts = std::vec![0; bins];
        of.for_each(|bin| counts[bin] += 1);
        counts
    }

    /// The number of kept events is that of the budget, and no row, column, polarity or part of a window is preferred:
    /// every count lies within 5 standard deviations of its expectation (1 in 2 million; some 400 counts are checked).
    #[test]
    fn thinning_is_uniform_in_space_and_time() {
        for (n, budget) in [(2_000, 100), (10_000, 1_000), (3_000, 2_000)] {
            let windows = 200;
            let mut state = [0; 9];
            let filter = RateLimit::new(budget, 1_000).unwrap();
            let _ = kept(&filter, &mut state, stream(n, 1)); // the onset
            let after = |event: Event| Event { t: event.t + 1_000, ..event };
            let events: Vec<_> = stream(n, windows).into_iter().map(after).collect();
            let kept = kept(&filter, &mut state, events.clone());
            let p = f64::from(budget) / n as f64;
            let fair = |what: &str, bins: usize, bin: &dyn Fn(&Event) -> usize| {
                let (all, kept) = (histogram(bins, events.iter().map(bin)), histogram(bins, kept.iter().map(bin)));
                for (bin, (all, kept)) in all.iter().zip(&kept).enumerate() {
                    let (mean, deviation) = (p * f64::from(*all), (p * (1.0 - p) * f64::from(*all)).sqrt());
                    let off = (f64::from(*kept) - mean).abs();
                    assert!(off <= 5.0 * deviation, "{what} {bin}: {kept} of {all}, expected {mean} +- {deviation}");
                }
            };
            fair("all", 1, &|_| 0);
            fair("row", 50, &|event| event.y.into());
            fair("column", 100, &|event| event.x.into());
            fair("polarity", 2, &|event| event.on.into());
            fair("part of a window", 20, &|event| (event.t % 1_000 / 50) as usize);
            fair("window", windows as usize + 1, &|event| (event.t / 1_000) as usize);
        }
    }

    /// At an onset of `n` events: `budget (1 + ln(n / budget))`, and twice the budget at most.
    #[test]
    fn an_onset_stays_within_its_bound() {
        let filter = RateLimit::new(1_000, 1_000).unwrap();
        for (n, expected) in [(999, 999), (1_000, 1_000), (2_000, 1_693), (2_500, 1_916), (100_000, 2_000)] {
            let found = kept(&filter, &mut [0; 9], stream(n, 1)).len() as i64;
            // The variance is that of the events beyond the budget, p (1 - p) each: below 1000 ln(n / 1000) < 30^2.
            let tolerance = if (1_001..2_600).contains(&n) { 100 } else { 0 };
            assert!((found - expected).abs() <= tolerance, "{found} of {n}, expected {expected}");
        }
    }

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        /// With times in 128 bits and probabilities compared as fractions.
        #[test]
        fn equals_a_twin(
            (_, events) in laws::sensor_and_events(),
            budget in 1_u32..5,
            window in prop_oneof![8 => 1_u32..200, 1 => Just((1 << 31) - 1)],
            cut in laws::cut(),
        ) {
            let filter = RateLimit::new(budget, window).unwrap();
            let (mut began, mut counts, mut before, mut random, mut dropped) = (None, (0, 0), 0, 0_u64, 0);
            laws::hold(&filter, &events, cut, |event| {
                let t = i128::from(event.t);
                let start = *began.get_or_insert(t);
                let windows = (t - start).div_euclid(window.into());
                if !(-1..1).contains(&windows) && t - start != -i128::from(window) {
                    (began, before) = match windows {
                        1 => (Some(start + i128::from(window)), counts.0),
                        2.. => (Some(t), 0),
                        _ => (Some(t), counts.0),
                    };
                    counts = (0, 0);
                }
                counts.0 += 1;
                random = (random * 1_664_525 + 1_013_904_223) % (1 << 32);
                let keep = random * before.max(counts.0) < u64::from(budget) << 32 && counts.1 < 2 * budget;
                counts.1 += u32::from(keep);
                dropped += u64::from(!keep);
                keep.then_some(event)
            }, Geometry { cols: 65536, rows: 65536 })?;
            let mut state = [0; 9];
            let _ = filter.retain(&mut state, &mut events.clone());
            prop_assert_eq!(filter.dropped(&state), dropped);
        }

        /// Streams within the budget are unchanged.
        #[test]
        fn what_is_within_the_budget_passes((_, events) in laws::sensor_and_events(), window in 1_u32..200) {
            let filter = RateLimit::new(120, window).unwrap();
            prop_assert_eq!(kept(&filter, &mut [0; 9], events.clone()), events);
        }
    }

    #[test]
    fn what_was_dropped_is_counted_beyond_32_bits() {
        let filter = RateLimit::new(1, 1_000).unwrap();
        let mut state = [0, 0, 0, 0, 0, 0, 0, u32::MAX, 0];
        assert_eq!(filter.retain(&mut state, &mut [Event { t: 5, x: 0, y: 0, on: true }; 100]), Ok(2));
        assert_eq!(filter.dropped(&state), (1 << 32) - 1 + 98);
        assert!(RateLimit::new(0, 1).is_err() && RateLimit::new(1, 0).is_err() && RateLimit::new(1, 1 << 31).is_err());
    }
}
