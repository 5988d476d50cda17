//! Where an event came from: what the accuracy of filters is measured against.

use foveola_core::events::Event;

/// Why a simulated pixel sent an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Light changed.
    Signal,
    /// The reference drifted: an ON event at whose time the reference moved faster than the light.
    Leak,
    /// Shot noise.
    Shot,
}

impl Origin {
    /// Whether it is anything but signal.
    pub fn is_noise(self) -> bool {
        self != Self::Signal
    }
}

/// What a [`Sensor`](super::Sensor) writes down of an event: the event alone, or with its origin.
///
/// The choice is made by the compiler, so an origin that nobody asks for costs nothing.
pub trait Sighting: Copy {
    /// Writes down.
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
