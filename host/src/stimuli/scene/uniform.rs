//! A scene in which nothing happens: what a sensor makes of it is noise.

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
    /// Noise alone: what a sensor sends that sees nothing but grey.
    ///
    /// Leak and shot noise are the sensor's; mixed into clean events they are noise that one can count.
    ///
    /// # Errors
    /// As of [`Simulation::new`].
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
