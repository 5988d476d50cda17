//! Clock resets: a recording whose time goes back consists of several segments.
//!
//! ```text
//! reset   t[i] + RESET <= latest, and t[i+1] <= (t[i] + latest) / 2      latest: max t of the segment before i
//! ```
//! A **reset** is a step back by 200 ms or more, unless the next event is closer to the time before: then that single event
//! is late, or its time is damaged. Smaller steps are disorder: cameras and their drivers deliver events some milliseconds
//! late, merged recordings some tens of milliseconds. The shortest recordings in the field that are concatenated are those
//! of N-MNIST, with 300 ms. Clock wraps that a format defines are not resets, since its decoder continues the time. A reset
//! that sets the clock forwards, or back by less, is not detected.

use crate::Result;
use foveola_core::events::Event;

/// The smallest step back in time that counts as a clock reset, in microseconds: 200 ms before the latest event, unless the
/// next event is closer to the time before. Smaller steps are disorder. Clock wraps that a format defines do not count.
pub const RESET: u64 = 200_000;

/// Whether `t` is so far before `latest` that it may be a reset.
fn is_back(t: u64, latest: u64) -> bool {
    t.saturating_add(RESET) <= latest
}

/// Whether the event at `t`, far before `latest`, is a single late event, given the time `next` of the next one.
fn is_alone(t: u64, latest: u64, next: u64) -> bool {
    next > t + (latest - t) / 2
}

/// Counts resets, and the total time of all segments.
#[derive(Clone, Debug, Default)]
pub(super) struct Resets {
    /// Earliest and latest time of the segment.
    segment: Option<(u64, u64)>,
    /// The same for the previous segment, while the current one has a single event.
    before: Option<(u64, u64)>,
    /// Microseconds of all earlier segments: may exceed any clock.
    elapsed: u128,
    count: u64,
}

impl Resets {
    /// Adds an event at `t`.
    pub(super) fn add(&mut self, t: u64) {
        if let (Some(before), Some((alone, _))) = (self.before.take(), self.segment)
            && is_alone(alone, before.1, t)
        {
            self.segment = Some((before.0.min(alone), before.1));
            self.elapsed -= u128::from(before.1 - before.0);
            self.count -= 1;
        }
        self.segment = Some(match self.segment {
            None => (t, t),
            Some(segment) if is_back(t, segment.1) => {
                self.before = Some(segment);
                self.elapsed += u128::from(segment.1 - segment.0);
                self.count += 1;
                (t, t)
            }
            Some((first, last)) => (first.min(t), last.max(t)),
        });
    }

    /// The number of resets so far.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The total duration of all segments in microseconds.
    pub(super) fn duration(&self) -> u128 {
        self.elapsed + self.segment.map_or(0, |(first, last)| u128::from(last - first))
    }
}

/// Events, each with a flag that is set if it starts a new segment at a clock reset: see [`RESET`]. After a step back, the
/// next event is read ahead.
///
/// ```
/// use foveola::Segmented;
/// use foveola_core::events::Event;
/// let events = [9_000_000, 9_000_100, 40, 90].map(|t| Ok(Event { t, x: 0, y: 0, on: true }));
/// let mut events = Segmented::new(events.into_iter());
/// let begins: foveola::Result<Vec<bool>> = events.by_ref().map(|event| Ok(event?.1)).collect();
/// assert_eq!((begins?, events.resets()), (vec![false, false, true, false], 1));
/// # Ok::<(), foveola::Error>(())
/// ```
pub struct Segmented<I: Iterator> {
    events: I,
    /// The event that was read ahead.
    ahead: Option<Option<I::Item>>,
    /// Latest time of the segment.
    latest: u64,
    /// Time of the segment's first event, and the time from the first event of the first segment to it.
    origin: Option<u64>,
    before: u64,
    resets: u64,
}

impl<I: Iterator> std::fmt::Debug for Segmented<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { latest, origin, resets, .. } = self;
        f.debug_struct("Segmented")
            .field("latest", latest)
            .field("origin", origin)
            .field("resets", resets)
            .finish_non_exhaustive()
    }
}

impl<I: Iterator<Item = Result<Event>>> Segmented<I> {
    /// The state before the first event.
    pub fn new(events: I) -> Self {
        Self { events, ahead: None, latest: 0, origin: None, before: 0, resets: 0 }
    }

    /// The source of the events.
    pub fn events(&self) -> &I {
        &self.events
    }

    /// Whether the event at `t`, which is far back, is a single late event; reads the next one.
    #[cold]
    fn is_alone(&mut self, t: u64) -> bool {
        let next = self.ahead.insert(self.events.next());
        matches!(next, Some(Ok(next)) if is_alone(t, self.latest, next.t))
    }

    /// The number of resets so far.
    pub fn resets(&self) -> u64 {
        self.resets
    }

    /// Microseconds from the first event to time `t` of the segment's clock, in a time that continues over clock resets: a
    /// segment begins when the one before ended.
    pub fn elapsed(&self, t: u64) -> u64 {
        self.before.saturating_add(t.saturating_sub(self.origin.unwrap_or(t)))
    }

    /// The latest time of the segment so far, in microseconds of its clock.
    pub fn latest(&self) -> u64 {
        self.latest
    }
}

impl<I: Iterator<Item = Result<Event>>> Iterator for Segmented<I> {
    type Item = Result<(Event, bool)>;

    #[inline]
    fn next(&mut self) -> Option<Result<(Event, bool)>> {
        let event = match self.ahead.take().unwrap_or_else(|| self.events.next())? {
            Ok(event) => event,
            Err(error) => return Some(Err(error)),
        };
        let begins = is_back(event.t, self.latest) && !self.is_alone(event.t);
        if begins {
            self.before = self.elapsed(self.latest);
            self.origin = Some(event.t);
        }
        self.origin.get_or_insert(event.t);
        self.latest = if begins { event.t } else { self.latest.max(event.t) };
        self.resets += u64::from(begins);
        Some(Ok((event, begins)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Number of resets, total time of the segments, and the events that start one, by both implementations.
    fn follow(times: &[u64]) -> (u64, u128, Vec<usize>) {
        let mut resets = Resets::default();
        times.iter().for_each(|t| resets.add(*t));
        let mut events = Segmented::new(times.iter().map(|t| Ok(Event { t: *t, x: 0, y: 0, on: true })));
        let begins: Vec<bool> = events.by_ref().map(|event| event.expect("good").1).collect();
        let begins: Vec<usize> = (0..times.len()).filter(|i| begins[*i]).collect();
        assert_eq!(begins.len() as u64, events.resets(), "{times:?}");
        assert_eq!(events.resets(), resets.count(), "{times:?}");
        (resets.count(), resets.duration(), begins)
    }

    #[test]
    fn what_a_reset_is() {
        const BACK: u64 = 10_000_000 - RESET;
        let cases: [(&[u64], u64, u128, &[usize]); 9] = [
            (&[], 0, 0, &[]),
            (&[5, 7, 6, 9], 0, 4, &[]),
            (&[9_000_000, 10_000_000, 10_000, 20_000, 30_000], 1, 1_020_000, &[2]),
            (&[9_000_000, 10_000_000, BACK, BACK + 1, BACK + 2], 1, 1_000_002, &[2]),
            (&[9_000_000, 10_000_000, BACK + 1, BACK + 2, BACK + 3], 0, 1_000_000, &[]),
            // A single late or damaged event, and one at the end, which cannot be known to be single.
            (&[9_000_000, 10_000_000, 7, 10_000_001, 10_000_002], 0, 9_999_995, &[]),
            (&[9_000_000, 10_000_000, 7], 1, 1_000_000, &[2]),
            // Two resets, and another one after a single late event.
            (&[5_000_000, 6, 7, 2_000_000, 1, 2], 2, 1_999_994 + 1, &[1, 4]),
            (&[5_000_000, 1, 5_000_001, 2, 3], 1, 4_999_999 + 1 + 1, &[3]),
        ];
        for (times, count, duration, begins) in cases {
            assert_eq!(follow(times), (count, duration, begins.to_vec()), "{times:?}");
        }
    }
}
