//! Events from light: scenes and movies, seen by a simulated event sensor.
//!
//! The parts are independent of each other:
//! - a [`Scene`] is luminance as a function of position and time: [`BarAndGrating`], [`Discs`], [`Uniform`], or a custom
//!   one;
//! - a [`Sensor`] converts luminance, frame by frame, into the events of an event camera, each with its [`Origin`] on
//!   request.
//!
//! [`Simulation`] combines a scene and a sensor, [`Film`] a movie and a sensor, into an iterator of events in order of time.
//! They hold one frame and the events of one sampling step, so memory does not depend on the duration.
//!
//! ```
//! use foveola::scene::Simulation;
//!
//! let events: Vec<_> = Simulation::built_in(0)?.take(1000).collect();
//! assert!(events.is_sorted_by_key(|event| event.t));
//! # Ok::<(), foveola::Error>(())
//! ```

mod bar_and_grating;
mod discs;
mod film;
mod low_pass;
mod origin;
mod parameters;
mod pixel;
#[cfg(test)]
mod refractory_tests;
mod sensor;
mod uniform;

pub use bar_and_grating::BarAndGrating;
pub use discs::{Disc, Discs};
pub use film::Film;
pub use origin::{Origin, Sighting};
pub use parameters::SensorParameters;
pub use sensor::Sensor;
pub use uniform::Uniform;

use crate::{Error, Geometry};
use core::time::Duration;
use foveola_core::events::Event;

/// Luminance as a function of position and time.
pub trait Scene {
    /// Luminance, above 0, at column `x` and row `y` in pixels (the centre of the first pixel is 0) and time `t` in
    /// seconds.
    fn luminance(&self, x: f64, y: f64, t: f64) -> f32;

    /// Luminance of a whole frame of rows of `cols` pixels at time `t`.
    ///
    /// Override it if a whole frame is cheaper than its single pixels.
    fn frame(&self, cols: usize, t: f64, luminance: &mut [f32]) {
        for (y, row) in luminance.chunks_mut(cols.max(1)).enumerate() {
            for (x, sample) in row.iter_mut().enumerate() {
                *sample = self.luminance(x as f64, y as f64, t);
            }
        }
    }
}

/// The size and duration of a [`Simulation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    /// Columns and rows of the sensor. Default 128 x 96.
    pub geometry: Geometry,
    /// Duration. Default 2 s.
    pub duration: Duration,
    /// Time from one luminance sample to the next, at least 1 us. Default 1 ms.
    pub step: Duration,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            geometry: Geometry { cols: 128, rows: 96 },
            duration: Duration::from_secs(2),
            step: Duration::from_millis(1),
        }
    }
}

/// The events of a scene, in order of time, computed on demand.
///
/// Times run from 0 to the duration, in microseconds.
///
/// ```
/// use core::time::Duration;
/// use foveola::Geometry;
/// use foveola::scene::{BarAndGrating, SensorParameters, Setup, Simulation};
///
/// let geometry = Geometry { cols: 32, rows: 24 };
/// let setup = Setup { geometry, duration: Duration::from_millis(200), ..Setup::default() };
/// let scene = BarAndGrating::filling(geometry.rows, geometry.cols);
/// let quiet = SensorParameters { shot_rate: 0.0, ..SensorParameters::default() };
/// for event in Simulation::new(scene, setup, &quiet)? {
///     assert!(event.x < 32 && event.y < 24 && event.t <= 200_000);
/// }
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Simulation<S, E = Event> {
    scene: S,
    sensor: Sensor,
    geometry: Geometry,
    step: u64,
    end: u64,
    /// Time of the next sample.
    next: u64,
    luminance: Vec<f32>,
    /// Events of the last step, and the number already returned.
    events: Vec<E>,
    taken: usize,
}

impl Simulation<BarAndGrating> {
    /// The built-in scene of `foveola run`: 2 s of [`BarAndGrating`] on 128 x 96 pixels.
    ///
    /// # Errors
    /// None with these parameters; the signature is that of [`Simulation::new`].
    pub fn built_in(seed: u64) -> Result<Self, Error> {
        let setup = Setup::default();
        let scene = BarAndGrating::filling(setup.geometry.rows, setup.geometry.cols);
        Self::new(scene, setup, &SensorParameters { seed, ..SensorParameters::default() })
    }
}

impl<S: Scene> Simulation<S> {
    /// The events of `scene`, seen by a sensor.
    ///
    /// # Errors
    /// [`Error::Parameter`] where the step is shorter than 1 us, the duration is longer than 2^63 us, or the sensor's
    /// parameters or setup are invalid.
    pub fn new(scene: S, setup: Setup, sensor: &SensorParameters) -> Result<Self, Error> {
        let Setup { geometry, duration, step } = setup;
        const ITEM: &str = "recording";
        let sensor = Sensor::new(geometry.rows, geometry.cols, sensor)?;
        let micros = |time: Duration| i64::try_from(time.as_micros()).ok().map(i64::cast_unsigned);
        let bad = |name, time: Duration, expected| Error::Parameter {
            item: ITEM,
            name,
            value: format!("{time:?}"),
            expected,
        };
        let step = micros(step).filter(|&step| step > 0);
        let step = step.ok_or_else(|| bad("step", setup.step, "1 us to 2^63 us"))?;
        let end = micros(duration).ok_or_else(|| bad("duration", duration, "up to 2^63 us"))?;
        let (mut luminance, samples) = (Vec::new(), geometry.rows * geometry.cols);
        luminance.try_reserve_exact(samples).map_err(|_| Error::Memory { what: "the scene", samples })?;
        luminance.resize(samples, 0.0);
        Ok(Self { scene, sensor, geometry, step, end, next: 0, luminance, events: Vec::new(), taken: 0 })
    }

    /// The same events, each with its origin. Call this first: remaining events of the last step are lost.
    ///
    /// ```
    /// use foveola::scene::{Origin, Simulation};
    ///
    /// let noise = Simulation::built_in(0)?.labelled().filter(|(_, origin)| *origin == Origin::Shot).count();
    /// assert!((4_500..5_300).contains(&noise)); // 128 x 96 pixels x 2 s x 0.2 Hz, and its deviation of 70
    /// # Ok::<(), foveola::Error>(())
    /// ```
    pub fn labelled(self) -> Simulation<S, (Event, Origin)> {
        let Self { scene, sensor, geometry, step, end, next, luminance, .. } = self;
        Simulation { scene, sensor, geometry, step, end, next, luminance, events: Vec::new(), taken: 0 }
    }
}

impl<S: Scene, E: Sighting> Simulation<S, E> {
    /// Size of the sensor.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// Samples the scene once more; false at the end.
    fn advance(&mut self) -> bool {
        if self.next > self.end {
            return false;
        }
        self.events.clear();
        self.taken = 0;
        self.scene.frame(self.geometry.cols, self.next as f64 * 1e-6, &mut self.luminance);
        let good = self.sensor.sample(self.next, &self.luminance, &mut self.events).is_ok();
        debug_assert!(good, "frames of the right size in order of time");
        self.next = if self.next == self.end { self.end + 1 } else { (self.next + self.step).min(self.end) };
        true
    }
}

impl<S: Scene, E: Sighting> Iterator for Simulation<S, E> {
    type Item = E;

    fn next(&mut self) -> Option<E> {
        loop {
            if let Some(&event) = self.events.get(self.taken) {
                self.taken += 1;
                return Some(event);
            }
            if !self.advance() {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDEAL: SensorParameters = SensorParameters::IDEAL;

    /// The same luminance everywhere, given by a function of time.
    struct Light<F: Fn(f64) -> f32>(F);

    impl<F: Fn(f64) -> f32> Scene for Light<F> {
        fn luminance(&self, _: f64, _: f64, t: f64) -> f32 {
            (self.0)(t)
        }
    }

    fn small(millis: u64) -> Setup {
        let geometry = Geometry { cols: 7, rows: 5 };
        Setup { geometry, duration: Duration::from_millis(millis), ..Setup::default() }
    }

    #[test]
    fn events_come_in_order_inside_the_geometry() {
        let geometry = Geometry { cols: 40, rows: 30 };
        let setup = Setup { geometry, duration: Duration::from_micros(300_500), ..Setup::default() };
        let scene = BarAndGrating::filling(30, 40);
        let events: Vec<Event> = Simulation::new(scene, setup, &SensorParameters::default()).expect("good").collect();
        assert!(events.len() > 1000, "{} events", events.len());
        assert!(events.is_sorted_by_key(|event| event.t), "in order");
        assert!(events.iter().all(|e| e.x < 40 && e.y < 30 && e.t <= 300_500), "inside");
        let on = events.iter().filter(|event| event.on).count();
        assert!((events.len() / 4..events.len() * 3 / 4).contains(&on), "{on} of {} are ON", events.len());
    }

    #[test]
    fn a_constant_scene_is_silent_without_noise() {
        for luminance in [0.0, 0.3, 5.0, f32::INFINITY, f32::NAN] {
            let events = Simulation::new(Light(|_| luminance), small(100), &IDEAL).expect("good");
            assert_eq!(events.count(), 0, "luminance {luminance}");
        }
    }

    #[test]
    fn noise_has_its_rate() {
        let noisy = SensorParameters { shot_rate: 20.0, ..IDEAL };
        let count = Simulation::new(Light(|_| 1.0), small(2000), &noisy).expect("good").count();
        // 7 x 5 pixels x 20 Hz x 2 s = 1400, standard deviation 37.
        assert!((1250..1550).contains(&count), "{count} events");
    }

    #[test]
    fn thresholds_count_the_change() {
        // Luminance rises by a factor e in 100 ms: ln L rises by 1, four thresholds of 0.25.
        let rising = Light(|t| libm::exp(10.0 * t) as f32);
        let events: Vec<Event> = Simulation::new(rising, small(100), &IDEAL).expect("good").collect();
        assert!(events.iter().all(|event| event.on), "only ON");
        assert!((35 * 3..=35 * 5).contains(&events.len()), "{} events", events.len());
        let times: Vec<u64> = events.iter().filter(|e| (e.x, e.y) == (3, 2)).map(|e| e.t).collect();
        for pair in times.windows(2) {
            assert!((pair[1] - pair[0]).abs_diff(25_000) <= 2, "every 25 ms: {times:?}");
        }
        let falling = Light(|t| libm::exp(-10.0 * t) as f32);
        let mut events = Simulation::new(falling, small(100), &IDEAL).expect("good");
        assert!(events.all(|event| !event.on), "only OFF");
    }

    #[test]
    fn a_blind_pixel_keeps_silent() {
        let parameters = SensorParameters { refractory: Duration::from_micros(2700), mismatch: 0.1, ..IDEAL };
        let flicker = Light(|t| libm::exp(libm::sin(t * 200.0)) as f32);
        let events: Vec<Event> = Simulation::new(flicker, small(200), &parameters).expect("good").collect();
        let mut last = [None; 35];
        for event in &events {
            let last = &mut last[usize::from(event.y) * 7 + usize::from(event.x)];
            if let Some(before) = last.replace(event.t) {
                assert!(event.t - before >= 2699, "{} us after the last event", event.t - before);
            }
        }
        assert!(events.len() > 35 * 10, "{} events", events.len());
    }

    #[test]
    fn a_seed_gives_the_same_events_everywhere() {
        let digest = |seed| {
            let scene = BarAndGrating::filling(24, 32);
            let geometry = Geometry { cols: 32, rows: 24 };
            let setup = Setup { geometry, duration: Duration::from_millis(100), ..Setup::default() };
            let sensor = SensorParameters { seed, shot_rate: 5.0, ..SensorParameters::default() };
            Simulation::new(scene, setup, &sensor).expect("good").fold(0xcbf2_9ce4_8422_2325, |hash, event| {
                let Event { t, x, y, on } = event;
                [t, u64::from(x), u64::from(y), u64::from(on)]
                    .into_iter()
                    .fold(hash, |hash: u64, v| (hash ^ v).wrapping_mul(0x0100_0000_01b3))
            })
        };
        assert_eq!(digest(1), 0xc852_31d7_052c_4da9, "digest");
        assert_ne!(digest(1), digest(2), "another seed, other events");
    }

    #[test]
    fn impossible_durations_are_errors() {
        let setup = Setup { step: Duration::from_nanos(10), ..small(1) };
        assert!(Simulation::new(Light(|_| 1.0), setup, &IDEAL).is_err(), "no step");
        let setup = Setup { duration: Duration::MAX, ..small(1) };
        assert!(Simulation::new(Light(|_| 1.0), setup, &IDEAL).is_err(), "for ever");
    }
}
