//! Properties of every event filter, and streams to test them on.
//!
//! - One by one, in chunks of any length, or as a whole: the events are the same, and so is the state.
//! - After the state was copied away and back, the filter continues as before.
//! - The events are those of a naive twin, which keeps times in 64 bits and looks them up in a map.

extern crate std;
use super::EventFilter;
use super::stamps::LONGEST;
use crate::events::{Event, Geometry};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::{vec, vec::Vec};

/// The last event of each pixel, in 64 bits.
#[derive(Default)]
pub(crate) struct Past {
    base: i64,
    times: BTreeMap<(i64, i64), i64>,
}

impl Past {
    /// Advances time to `t`. Forgets the past when the clock restarted, and returns whether it did.
    pub(crate) fn reach(&mut self, t: u64) -> bool {
        let ahead = t as i64 - self.base;
        let anew = ahead < -(1 << 30);
        if anew {
            self.times.clear();
        }
        if !(-(1 << 30)..1 << 31).contains(&ahead) {
            self.base = t as i64;
        }
        anew
    }

    /// How long ago the last event was at a place; `None` when there was none, or it lies ahead.
    pub(crate) fn age(&self, x: i64, y: i64, t: u64) -> Option<u64> {
        self.times.get(&(x, y)).and_then(|then| u64::try_from(t as i64 - then).ok())
    }

    pub(crate) fn remember(&mut self, x: i64, y: i64, t: u64) {
        self.times.insert((x, y), t as i64);
    }
}

/// Microseconds from one event to the next: mostly short, sometimes backwards, past the end of 32 bits, or days.
fn step() -> impl Strategy<Value = i64> {
    prop_oneof![
        12 => 0_i64..30,
        4 => Just(0),
        2 => -20_i64..0,
        1 => (30_u32..35, -9_i64..9).prop_map(|(bits, jitter)| (1 << bits) + jitter),
        1 => (28_u32..36, -9_i64..9).prop_map(|(bits, jitter)| jitter - (1 << bits)),
        1 => 0_i64..400_000_000_000,
    ]
}

/// A small sensor, down to a single pixel, and events on it and just outside.
pub(crate) fn sensor_and_events() -> impl Strategy<Value = (Geometry, Vec<Event>)> {
    (1_usize..6, 1_usize..5).prop_flat_map(|(cols, rows)| {
        let event = (step(), 0..=cols as u16, 0..=rows as u16, any::<bool>());
        (prop_oneof![Just(0_i64), 0..1_i64 << 33], prop::collection::vec(event, 0..120)).prop_map(
            move |(start, raw)| {
                let mut t = start;
                let events = raw.into_iter().map(|(step, x, y, on)| {
                    t = (t + step).max(0);
                    Event { t: t as u64, x, y, on }
                });
                (Geometry { cols, rows }, events.collect())
            },
        )
    })
}

/// Of the size of the steps, or of any other.
pub(crate) fn time_constant() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 1_u32..60, 1 => 1..=LONGEST, 1 => Just(LONGEST)]
}

/// Lengths of chunks, and after how many events the state is saved.
pub(crate) fn cut() -> impl Strategy<Value = (usize, usize)> {
    (1_usize..9, 0_usize..60)
}

/// Events outside `sensor` are dropped and do not change the state; the others go through `twin`.
pub(crate) fn hold(
    filter: &dyn EventFilter,
    events: &[Event],
    (piece, saved): (usize, usize),
    twin: impl FnMut(Event) -> Option<Event>,
    sensor: Geometry,
) -> Result<(), TestCaseError> {
    let expected: Vec<_> = events.iter().copied().filter(|event| sensor.contains(event)).filter_map(twin).collect();

    let mut whole = (events.to_vec(), vec![0; filter.state_len()]);
    let kept = filter.retain(&mut whole.1, &mut whole.0).unwrap();
    whole.0.truncate(kept);
    prop_assert_eq!(&whole.0, &expected, "the twin's events");

    let mut pieces = (Vec::new(), vec![0; filter.state_len()]);
    for events in events.chunks(piece) {
        let mut events = events.to_vec();
        let kept = filter.retain(&mut pieces.1, &mut events).unwrap();
        pieces.0.extend_from_slice(&events[..kept]);
    }
    prop_assert!(pieces == whole, "cut into pieces of {}", piece);

    let mut single = (Vec::new(), vec![0; filter.state_len()]);
    for (i, event) in events.iter().enumerate() {
        if i == saved {
            // Something else happens in between.
            let copy = single.1.clone();
            for event in events.iter().rev() {
                let _ = filter.step(&mut single.1, *event).unwrap();
            }
            single.1 = copy;
        }
        single.0.extend(filter.step(&mut single.1, *event).unwrap());
    }
    prop_assert!(single == whole, "one by one, saved behind {}", saved);

    let mut long = vec![0; filter.state_len() + 1];
    prop_assert!(filter.retain(&mut long, &mut events.to_vec()).is_err(), "state that is too long");
    prop_assert!(long.iter().all(|word| *word == 0), "refused state is not touched");
    Ok(())
}
