//! A single event whose time is far ahead of its neighbours': damage, in formats that give each event its time.
//!
//! ```text
//! alone   t[i] > t[i-1] + JUMP, and t[i+1] < (t[i-1] + t[i]) / 2
//! ```
//! Such an event is delivered at the time before it and counted as
//! [`Skipped::unconfirmed`](foveola_core::events::Skipped::unconfirmed). A jump that the next event confirms is believed: a
//! pause, or a clock that was set. The decoders of other formats do so themselves. A single event far back is late, as always ([`RESET`](super::RESET)).

use crate::JUMP;
use foveola_core::events::Event;

/// Watches the times of a stream of events.
#[derive(Debug, Default)]
pub(super) struct Lone {
    /// The time of the last event that was checked.
    last: Option<u64>,
    /// An event that waits for the one after it.
    held: Option<Event>,
    /// Events whose time was not believed.
    pub(super) count: u32,
}

impl Lone {
    /// How many places at the front of a buffer to leave for an event that waits.
    pub(super) fn room(&self) -> usize {
        self.held.is_some().into()
    }

    /// Corrects `events`, of which the first [`Lone::room`] are still to be filled; returns how many of them to deliver: all,
    /// or all but the last one, which waits.
    pub(super) fn check(&mut self, events: &mut [Event]) -> usize {
        if let (Some(held), Some(first)) = (self.held.take(), events.first_mut()) {
            *first = held;
        }
        let mut last = self.last.unwrap_or(u64::MAX);
        for i in 0..events.len() {
            let [event, rest @ ..] = events.get_mut(i..).unwrap_or_default() else { break };
            if event.t > last.saturating_add(JUMP) {
                match rest.first() {
                    Some(next) if next.t < last + (event.t - last) / 2 => {
                        event.t = last;
                        self.count = self.count.saturating_add(1);
                    }
                    Some(_) => {}
                    None => {
                        (self.held, self.last) = (Some(*event), Some(last));
                        return i;
                    }
                }
            }
            last = event.t;
        }
        self.last = if events.is_empty() { self.last } else { Some(last) };
        events.len()
    }

    /// The event that waits when no other follows: it is believed.
    pub(super) fn finish(&mut self) -> Option<Event> {
        self.held.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same in buffers of any length.
    #[test]
    fn a_single_event_far_ahead_has_the_time_before() {
        const FAR: u64 = 4 * JUMP;
        type Case<'a> = (&'a [u64], &'a [u64], u32);
        let cases: [Case<'_>; 7] = [
            (&[], &[], 0),
            (&[5, 7, FAR, 9], &[5, 7, 7, 9], 1),
            (&[5, 7, FAR, FAR + 1], &[5, 7, FAR, FAR + 1], 0),
            (&[5, FAR, 6, 2 * FAR, 7], &[5, 5, 6, 6, 7], 2),
            // Two in a row are a jump, and a reset; a last one may be right; so may the first.
            (&[5, FAR, FAR, 6], &[5, FAR, FAR, 6], 0),
            (&[5, 7, FAR], &[5, 7, FAR], 0),
            (&[FAR, 7, 8, u64::MAX, 9], &[FAR, 7, 8, 8, 9], 1),
        ];
        let event = |t: &u64| Event { t: *t, x: 0, y: 0, on: true };
        for (times, expected, count) in cases {
            for length in 1..6 {
                let (mut lone, mut found) = (Lone::default(), Vec::new());
                for piece in times.chunks(length) {
                    let mut events = vec![event(&0); lone.room()];
                    events.extend(piece.iter().map(event));
                    let n = lone.check(&mut events);
                    found.extend(events[..n].iter().map(|event| event.t));
                }
                found.extend(lone.finish().map(|event| event.t));
                assert_eq!((&found[..], lone.count), (expected, count), "{times:?} in buffers of {length}");
            }
        }
    }
}
