//! Event filters: one event in, one or none out. They keep noise from the link and from the model.
//!
//! As with filters of frames, a filter is a constant, and its state is a slice that the caller lends, here of 32-bit
//! words. **Cleared state is zeros**; a copy saves and restores it. There is no other memory, so the events are the
//! same for any chunking of the stream. All arithmetic is in integers.
//!
//! | filter | keeps | words of state | instructions |
//! |---|---|---|---|
//! | [`Stcf`] | events supported by `k` neighbours | 1 per pixel | 97 |
//! | [`RowColumn`] | events supported by the last event of a nearby row or column | 2 per row and column | 165 |
//! | [`DoubleWindow`] | events supported by `k` of the latest events | `2 length` | 50 + 32 `length` |
//! | [`Refractory`] | events outside the pixel's refractory period | 1 per pixel | 45 |
//! | [`HotPixels`] | events of pixels that are not hot | 1/4 per pixel | 94 |
//! | [`PolarityOnly`] | ON events, or OFF events | none | 12 |
//! | [`Region`] | events in a rectangle | none | 19 |
//! | [`Downsample`] | events, or every so many, of cells of pixels | none, or 1/4 per cell | 30, or 70 |
//! | [`RateLimit`] | as many events as a budget allows | 9 | 71 |
//!
//! Instructions are per event, in [`EventFilter::retain`] on an emulated Cortex-M7, beyond those of a filter that keeps
//! everything (about 20). Without a buffer between decoder and filter an event takes fewer: words of EVT 2.0, nearly
//! all of them events, are decoded and filtered by [`Stcf`] in 100 instructions each.
//!
//! A table of event filters is an [`EventChain`], which counts what each drops.
//!
//! Timestamps in the state have 32 bits; stale ones are never taken for recent ([`stamps`]).

mod bytes;
pub mod chain;
pub mod double_window;
pub mod downsample;
pub mod hot_pixels;
#[cfg(test)]
pub(crate) mod laws;
pub mod polarity;
pub mod rate_limit;
pub mod refractory;
pub mod region;
pub mod row_column;
pub mod stamps;
pub mod stcf;

pub use chain::{CustomStage, EventChain, EventStage};
pub use double_window::DoubleWindow;
pub use downsample::Downsample;
pub use hot_pixels::{HotPixels, Learning};
pub use polarity::PolarityOnly;
pub use rate_limit::RateLimit;
pub use refractory::{Refractory, Restart};
pub use region::Region;
pub use row_column::RowColumn;
pub use stcf::{Neighbours, Stcf};

use super::{Event, Geometry};
use crate::Error;
use crate::error::exact;
use core::cell::Cell;

/// Keeps, moves or drops events.
///
/// Your own filter defines the size of its state and what happens to one event:
/// ```
/// use foveola_core::events::{Event, EventFilter};
///
/// /// Every second event.
/// struct Alternate;
///
/// impl EventFilter for Alternate {
///     fn state_len(&self) -> usize {
///         1
///     }
///     fn pass(&self, state: &mut [u32], _: &mut Event) -> bool {
///         let [odd] = state else { return false };
///         *odd ^= 1;
///         *odd == 1
///     }
/// }
///
/// let mut events = [1, 2, 3, 4, 5].map(|t| Event { t, x: 0, y: 0, on: true });
/// assert_eq!(Alternate.retain(&mut [0], &mut events), Ok(3));
/// assert_eq!(events[..3].iter().map(|event| event.t).collect::<Vec<_>>(), [1, 3, 5]);
/// assert!(Alternate.retain(&mut [], &mut events).is_err());
/// ```
/// Dyn-compatible; through a `&dyn EventFilter`, [`EventFilter::retain`] costs one virtual call per buffer.
pub trait EventFilter {
    /// Words of state.
    fn state_len(&self) -> usize;

    /// Size of the sensor after the filter, for a sensor of size `input`.
    fn output(&self, input: Geometry) -> Geometry {
        input
    }

    /// The rule: whether the event is kept. The filter may change the event, for example move it.
    ///
    /// [`EventFilter::step`] and [`EventFilter::retain`] ensure that `state` has the right length. With another length,
    /// events may be lost, but nothing panics.
    fn pass(&self, state: &mut [u32], event: &mut Event) -> bool;

    /// [`EventFilter::pass`] of one event.
    ///
    /// # Errors
    /// [`Error::Length`] when `state` has another length than [`EventFilter::state_len`]; nothing is changed then.
    fn step(&self, state: &mut [u32], event: Event) -> Result<Option<Event>, Error> {
        check(self, state)?;
        let mut event = event;
        Ok(self.pass(state, &mut event).then_some(event))
    }

    /// [`EventFilter::pass`] of each of `events`, in order. Moves the kept events to the front and returns their
    /// number.
    ///
    /// # Errors
    /// As for [`EventFilter::step`].
    fn retain(&self, state: &mut [u32], events: &mut [Event]) -> Result<usize, Error> {
        check(self, state)?;
        let events = Cell::from_mut(events).as_slice_of_cells();
        let mut kept = 0;
        for event in events {
            let mut event = event.get();
            let goes_on = self.pass(state, &mut event);
            // Always written: no CPU can predict whether an event is noise. And field by field: as a whole, an event
            // would go through memory.
            if let Some(slot) = events.get(kept) {
                let Event { t, x, y, on } = event;
                slot.set(Event { t, x, y, on });
            }
            kept += usize::from(goes_on);
        }
        Ok(kept)
    }
}

/// So that an [`EventStage`] can be printed: nothing is known of the filter.
impl core::fmt::Debug for dyn EventFilter + Sync + '_ {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("dyn EventFilter")
    }
}

/// `Ok` for state of the right length.
fn check(filter: &(impl EventFilter + ?Sized), state: &[u32]) -> Result<(), Error> {
    exact("the state of an event filter", state.len(), filter.state_len())
}
