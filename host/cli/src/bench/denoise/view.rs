//! Clean events: the output of the simulated sensor without noise.

use core::time::Duration;
use foveola::scene::{self, BarAndGrating, Discs, SensorParameters, Simulation};
use foveola::{Geometry, Result};
use foveola_core::events::Event;

/// A scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// The built-in scene: half of the field moves.
    BarAndGrating,
    /// A few small discs on an empty background.
    Discs,
}

impl View {
    /// All scenes.
    pub const ALL: [Self; 2] = [Self::BarAndGrating, Self::Discs];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::BarAndGrating => "bar and grating",
            Self::Discs => "discs",
        }
    }

    /// The events of a sensor with the default mismatch and refractory period, and no noise.
    ///
    /// # Errors
    /// As for [`Simulation::new`].
    pub fn events(self, size: Geometry, duration: Duration) -> Result<Box<dyn Iterator<Item = Event> + Send>> {
        let Geometry { cols, rows } = size;
        let setup = scene::Setup { geometry: size, duration, ..scene::Setup::default() };
        let quiet = SensorParameters { shot_rate: 0.0, ..SensorParameters::default() };
        Ok(match self {
            Self::BarAndGrating => Box::new(Simulation::new(BarAndGrating::filling(rows, cols), setup, &quiet)?),
            Self::Discs => Box::new(Simulation::new(Discs::filling(rows, cols), setup, &quiet)?),
        })
    }
}
