//! One polarity: only ON events, or only OFF events.
//!
//! Cost: one comparison per event. No state.

use super::EventFilter;
use crate::events::Event;

/// Keeps the events of one polarity.
///
/// ```
/// use foveola_core::events::Event;
/// use foveola_core::events::filters::{EventFilter, PolarityOnly};
/// let mut events = [true, false, true].map(|on| Event { t: 0, x: 0, y: 0, on });
/// assert_eq!(PolarityOnly::Off.retain(&mut [], &mut events)?, 1);
/// assert!(!events[0].on);
/// # Ok::<(), foveola_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PolarityOnly {
    /// The pixel became brighter.
    On,
    /// The pixel became darker.
    Off,
}

impl EventFilter for PolarityOnly {
    fn state_len(&self) -> usize {
        0
    }

    #[inline(always)]
    fn pass(&self, _: &mut [u32], event: &mut Event) -> bool {
        event.on == (*self == Self::On)
    }
}
