//! Filters of events: one event in, one or none out. They keep noise from the link and from the model.
//!
//! As with filters of frames, a filter is a constant and its state a slice that the caller lends, here of words of 32 bits.
//! **Cleared state is zeros**; saving and restoring it is a copy. There is no other memory, so a stream cut into pieces
//! anywhere gives the same events.
//!
//! Times in the state are the low 32 bits of microseconds, which come again after 71.6 minutes; every filter says how it keeps
//! an old time from looking new.

use super::{Event, Geometry};
use crate::Error;

/// Keeps, moves or drops events.
///
/// Dyn-compatible; through a `&dyn EventFilter`, [`EventFilter::retain`] costs one virtual call a buffer.
pub trait EventFilter {
    /// Words of state.
    fn state_len(&self) -> usize;

    /// Size of the sensor that the events seem to come from behind the filter, where `input` goes in.
    fn output(&self, input: Geometry) -> Geometry {
        input
    }

    /// The event that goes on: as it was, or moved. None when it is dropped.
    ///
    /// # Errors
    /// [`Error::Length`] when `state` has another length than [`EventFilter::state_len`]; nothing is changed then.
    fn step(&self, state: &mut [u32], event: Event) -> Result<Option<Event>, Error>;

    /// [`EventFilter::step`] for each of `events`, in order: those that go on stand in front afterwards, and their number is returned.
    ///
    /// # Errors
    /// As of [`EventFilter::step`].
    fn retain(&self, state: &mut [u32], events: &mut [Event]) -> Result<usize, Error> {
        let mut kept = 0;
        for i in 0..events.len() {
            let Some(event) = events.get(i).copied() else { break };
            if let Some(event) = self.step(state, event)?
                && let Some(slot) = events.get_mut(kept)
            {
                *slot = event;
                kept += 1;
            }
        }
        Ok(kept)
    }
}
