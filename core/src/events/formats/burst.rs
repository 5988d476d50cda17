//! Events in a row: a loop that keeps a decoder's state in registers, and the forms of [`Decode`] that are built on it.
//!
//! A decoder's [`Burst`] takes the words that make up nearly all of a stream and leaves the rest to
//! [`Decode::next_event`]. It can therefore be short, and the two never disagree about the meaning of a word.

use crate::events::{Decode, Event};
use core::ops::Range;

/// A decoder with a loop for events in a row.
pub(super) trait Burst: Decode {
    /// Takes words from the front of `bytes` while they are simple, their times lie in `times` and there is `room` for
    /// their events. Gives each event to `sink` and returns their number. An event that is not `real` does not exist
    /// and is not counted: a sink may store it where the next one goes, and needs no branch.
    fn burst(&mut self, bytes: &mut &[u8], times: Range<u64>, room: usize, sink: impl FnMut(Event, bool)) -> usize;
}

/// For [`Decode::fill`].
#[inline]
pub(super) fn fill(decoder: &mut impl Burst, bytes: &mut &[u8], events: &mut [Event]) -> usize {
    let mut written = 0;
    loop {
        let room = events.len().saturating_sub(written);
        let mut at = written;
        written += decoder.burst(bytes, 0..u64::MAX, room, |Event { t, x, y, on }, real| {
            if let Some(slot) = events.get_mut(at) {
                // Field by field: copied as a whole, an event goes through memory.
                (slot.t, slot.x, slot.y, slot.on) = (t, x, y, on);
                at += usize::from(real);
            }
        });
        let Some(slot) = events.get_mut(written) else { return written };
        let Some(event) = decoder.next_event(bytes) else { return written };
        *slot = event;
        written += 1;
    }
}

/// For [`Decode::feed`].
#[inline]
pub(super) fn feed(decoder: &mut impl Burst, mut bytes: &[u8], mut sink: impl FnMut(Event)) {
    loop {
        decoder.burst(&mut bytes, 0..u64::MAX, usize::MAX, |event, real| {
            if real {
                sink(event);
            }
        });
        match decoder.next_event(&mut bytes) {
            Some(event) => sink(event),
            None => return,
        }
    }
}

/// For [`Decode::run`].
#[inline]
pub(super) fn run(
    decoder: &mut impl Burst,
    bytes: &mut &[u8],
    times: Range<u64>,
    mut sink: impl FnMut(u16, u16, bool),
) -> usize {
    decoder.burst(bytes, times, usize::MAX, |Event { x, y, on, .. }, real| {
        if real {
            sink(x, y, on);
        }
    })
}
