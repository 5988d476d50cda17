//! The origin of an event: the reference for the accuracy of event filters.

use foveola_core::events::Event;

/// Why a simulated pixel emitted an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Light changed.
    Signal,
    /// The reference drifted: an ON event at a time when the reference moved faster than the light.
    Leak,
    /// Shot noise.
    Shot,
}

impl Origin {
    /// Whether the origin is not signal.
    pub fn is_noise(self) -> bool {
        self != Self::Signal
    }
}

/// The output of a [`Sensor`](super::Sensor) per event: the event alone, or with its origin.
///
/// The choice is made at compile time, so an unused origin costs nothing.
pub trait Sighting: Copy {
    /// Builds the output.
    fn new(event: Event, origin: Origin) -> Self;

    /// The event.
    fn event(&self) -> Event;
}

impl Sighting for Event {
    fn new(event: Event, _: Origin) -> Self {
        event
    }

    fn event(&self) -> Event {
        *self
    }
}

impl Sighting for (Event, Origin) {
    fn new(event: Event, origin: Origin) -> Self {
        (event, origin)
    }

    fn event(&self) -> Event {
        self.0
    }
}
