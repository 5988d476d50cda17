//! Any movie as events: its frames, seen by a simulated sensor.

use super::{Origin, Sensor, SensorParameters, Sighting};
use crate::error::in_range;
use crate::{Error, Geometry, Result};
use foveola_core::events::Event;
use ndarray::Array2;

/// The events of a movie, in order of time, computed on demand.
///
/// Frames are rows x columns of luminance, with 1 for white. Frame `n` is seen at `n / rate` seconds, to the microsecond.
/// Between frames the logarithm of luminance is linear, so that a step between two frames becomes evenly spaced events. An
/// object that moves farther than its own size from one frame to the next fades out at one position and in at the other. Use
/// a movie with a high frame rate.
///
/// Only one frame and the events of one interval are in memory.
///
/// ```
/// use foveola::scene::{Film, SensorParameters};
/// use ndarray::Array2;
///
/// // A bright column that moves over 8 columns, at 30 frames per second.
/// let frame = |t| Ok(Array2::from_shape_fn((4, 8), |(_, col)| if col == t { 1.0 } else { 0.2 }));
/// let film = Film::new((0..8).map(frame), 30.0, &SensorParameters::IDEAL)?;
/// let events = film.collect::<foveola::Result<Vec<_>>>()?;
/// assert!(events.is_sorted_by_key(|event| event.t) && events.last().unwrap().t <= 233_333);
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Film<F, E = Event> {
    frames: F,
    rate: f64,
    sensor: Sensor,
    geometry: Geometry,
    /// Number of the next frame.
    next: u64,
    /// Events of the last interval, and the number already returned.
    events: Vec<E>,
    taken: usize,
}

impl<F: Iterator<Item = Result<Array2<f32>>>> Film<F> {
    /// The events of `frames`, at `rate` frames per second, seen by a sensor of their size.
    ///
    /// # Errors
    /// [`Error::Parameter`] without a frame, for a rate that is not above 0 and up to 1,000,000, and for invalid sensor
    /// parameters; the first error of `frames`.
    pub fn new(mut frames: F, rate: f64, sensor: &SensorParameters) -> Result<Self> {
        const ITEM: &str = "film";
        in_range(ITEM, "rate", rate, rate > 0.0 && rate <= 1e6, "a number above 0, up to 1000000")?;
        let first = frames.next().transpose()?;
        let none = || Error::Parameter { item: ITEM, name: "frames", value: "0".into(), expected: "at least one" };
        let first = first.ok_or_else(none)?;
        let (rows, cols) = first.dim();
        let sensor = Sensor::new(rows, cols, sensor)?;
        let geometry = Geometry { cols, rows };
        let mut film = Self { frames, rate, sensor, geometry, next: 0, events: Vec::new(), taken: 0 };
        film.expose(&first)?;
        Ok(film)
    }

    /// The same events, each with its origin. Call this first: remaining events of the last interval are lost.
    pub fn labelled(self) -> Film<F, (Event, Origin)> {
        let Self { frames, rate, sensor, geometry, next, .. } = self;
        Film { frames, rate, sensor, geometry, next, events: Vec::new(), taken: 0 }
    }
}

impl<F: Iterator<Item = Result<Array2<f32>>>, E: Sighting> Film<F, E> {
    /// Size of the frames and of the sensor.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// Time of the last frame, in microseconds.
    pub fn time(&self) -> u64 {
        self.at(self.next.saturating_sub(1))
    }

    /// The time at which a frame is seen.
    fn at(&self, frame: u64) -> u64 {
        (frame as f64 * 1e6 / self.rate + 0.5) as u64
    }

    /// Shows the sensor the next frame.
    fn expose(&mut self, frame: &Array2<f32>) -> Result<()> {
        self.events.clear();
        self.taken = 0;
        let (rows, cols) = frame.dim();
        if (Geometry { cols, rows }) != self.geometry {
            let expected = "as many rows and columns as the first frame has";
            return Err(Error::Parameter { item: "film", name: "frame", value: format!("{cols} x {rows}"), expected });
        }
        let frame = frame.as_standard_layout();
        self.sensor.sample(self.at(self.next), frame.as_slice().unwrap_or_default(), &mut self.events)?;
        self.next += 1;
        Ok(())
    }
}

impl<F: Iterator<Item = Result<Array2<f32>>>, E: Sighting> Iterator for Film<F, E> {
    type Item = Result<E>;

    fn next(&mut self) -> Option<Result<E>> {
        loop {
            if let Some(&event) = self.events.get(self.taken) {
                self.taken += 1;
                return Some(Ok(event));
            }
            if let Err(error) = self.frames.next()?.and_then(|frame| self.expose(&frame)) {
                return Some(Err(error));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stimuli::scene::{self, Scene, Simulation};
    use core::time::Duration;

    /// Luminance between two frames: its logarithm is linear; nothing moves in the last column.
    fn between(t: f64, x: usize) -> f32 {
        let level = |frame: f64| if x == 3 { 0.0 } else { libm::sin(frame * 0.7 + x as f64) };
        let (first, share) = (libm::floor(t), t - libm::floor(t));
        libm::exp(level(first) * (1.0 - share) + level(first + 1.0) * share) as f32
    }

    struct Lines;

    impl Scene for Lines {
        fn luminance(&self, x: f64, _: f64, t: f64) -> f32 {
            between(t * 40.0, x as usize)
        }
    }

    fn frame(t: usize) -> Result<Array2<f32>> {
        Ok(Array2::from_shape_fn((3, 4), |(_, col)| between(t as f64, col)))
    }

    /// A film of 40 frames per second equals the scene sampled 25 times as often, with straight lines in between.
    #[test]
    fn frames_are_joined_by_lines() {
        let parameters =
            SensorParameters { mismatch: 0.1, leak_rate: 1.0, leak_jitter: 0.1, ..SensorParameters::IDEAL };
        let film = Film::new((0..41).map(frame), 40.0, &parameters).expect("good");
        assert_eq!((film.geometry(), film.time()), (Geometry { cols: 4, rows: 3 }, 0));
        let film = film.collect::<Result<Vec<Event>>>().expect("good");
        let second = scene::Setup {
            geometry: Geometry { cols: 4, rows: 3 },
            duration: Duration::from_secs(1),
            ..scene::Setup::default()
        };
        let scene: Vec<Event> = Simulation::new(Lines, second, &parameters).expect("good").collect();
        assert!(film.len() > 500 && film.len() == scene.len(), "{} events and {}", film.len(), scene.len());
        for x in 0..4 {
            for y in 0..3 {
                let of = |events: &[Event]| -> Vec<Event> {
                    events.iter().filter(|event| (event.x, event.y) == (x, y)).copied().collect()
                };
                for (a, b) in of(&film).iter().zip(of(&scene)) {
                    // Logarithms of single precision, at slopes of a few per second.
                    assert!(a.on == b.on && a.t.abs_diff(b.t) <= 5, "{a:?} and {b:?}");
                }
            }
        }
    }

    #[test]
    fn labels_change_nothing() {
        let noisy = SensorParameters { leak_rate: 5.0, shot_rate: 10.0, ..SensorParameters::default() };
        let film = || Film::new((0..41).map(frame), 40.0, &noisy).expect("good");
        let labelled = film().labelled().collect::<Result<Vec<_>>>().expect("good");
        assert!(
            film().map(|event| event.expect("good")).eq(labelled.iter().map(|(event, _)| *event)),
            "the same events"
        );
        for origin in [Origin::Signal, Origin::Leak, Origin::Shot] {
            assert!(labelled.iter().any(|(_, found)| *found == origin), "{origin:?}");
        }
    }

    #[test]
    fn odd_frames() {
        let ideal = SensorParameters::IDEAL;
        for (rate, name) in [(0.0, "rate"), (f64::NAN, "rate"), (1e7, "rate"), (30.0, "frames")] {
            let error = Film::new(std::iter::empty(), rate, &ideal).expect_err(name).to_string();
            assert!(error.contains(name), "{error} names {name}");
        }
        let broken = || Err(Error::NoSavedState);
        assert!(Film::new([broken()].into_iter(), 30.0, &ideal).is_err(), "the first frame is needed");
        let other = Array2::from_elem((2, 6), 1.0); // as many pixels
        let mut film = Film::new([frame(0), broken(), Ok(other), frame(2)].into_iter(), 1.0, &ideal).expect("good");
        assert!(matches!(film.next(), Some(Err(Error::NoSavedState))), "of the frames");
        assert!(matches!(film.next(), Some(Err(Error::Parameter { name: "frame", .. }))), "another size");
        assert!(film.next().is_some_and(|event| event.is_ok()), "it goes on");
    }
}
