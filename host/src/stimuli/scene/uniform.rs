//! A constant scene: all events of a sensor are noise.

use super::{Scene, SensorParameters, Setup, Simulation};
use crate::Result;

/// The same luminance everywhere and always, above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Uniform(pub f32);

impl Scene for Uniform {
    fn luminance(&self, _: f64, _: f64, _: f64) -> f32 {
        self.0
    }

    fn frame(&self, _: usize, _: f64, luminance: &mut [f32]) {
        luminance.fill(self.0);
    }
}

impl Simulation<Uniform> {
    /// Noise only: the events of a sensor that sees uniform grey.
    ///
    /// Leak and shot noise are those of the sensor. Mixed into clean events, they are noise of known amount.
    ///
    /// # Errors
    /// As for [`Simulation::new`].
    ///
    /// ```
    /// use core::time::Duration;
    /// use foveola::Geometry;
    /// use foveola::scene::{SensorParameters, Setup, Simulation};
    ///
    /// let sensor = SensorParameters { leak_rate: 0.2, leak_jitter: 0.1, shot_rate: 10.0, ..SensorParameters::IDEAL };
    /// let geometry = Geometry { cols: 100, rows: 100 };
    /// let second = Setup { geometry, duration: Duration::from_secs(1), ..Setup::default() };
    /// let count = Simulation::noise(second, &sensor)?.count();
    /// assert!((100_000..104_000).contains(&count)); // 10,000 pixels of 10.2 Hz
    /// # Ok::<(), foveola::Error>(())
    /// ```
    pub fn noise(setup: Setup, sensor: &SensorParameters) -> Result<Self> {
        Self::new(Uniform(0.5), setup, sensor)
    }
}
