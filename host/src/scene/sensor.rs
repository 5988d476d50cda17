//! A simulated event sensor: luminance in, frame by frame, events out.
//!
//! A pixel remembers the logarithm of luminance `r` at its last event. With `l(t) = ln L(t)`, linear between two
//! samples, and the pixel's own thresholds, it sends
//! - an ON event when `l(t) - r` reaches `+threshold_on`,
//! - an OFF event when `l(t) - r` reaches `-threshold_off`.
//!
//! Then it is blind for the refractory period, and wakes with `r = l(wake)`. Each pixel's thresholds deviate from the
//! nominal ones by a nearly Gaussian factor. Background noise is a Poisson process of single events, independent of
//! the pixels' state. Everything random follows from one seed, and logarithms come from `libm`, so a seed gives the
//! same events on every platform.
//!
//! Cost: two comparisons per pixel and sample, and a logarithm where a threshold is crossed; 32 bytes per pixel.
//! Reference: Lichtsteiner, Posch and Delbruck 2008, A 128x128 120 dB 15 us latency asynchronous temporal contrast
//! vision sensor, doi:10.1109/JSSC.2007.914337; Rebecq, Gehrig and Scaramuzza 2018, ESIM: an open event camera
//! simulator (interpolation between samples).

use crate::Error;
use crate::samples::{generator, in_range, index_below};
use core::time::Duration;
use foveola_core::events::Event;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::Rng;

/// What a [`Sensor`] is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SensorParameters {
    /// Rise of the natural logarithm of luminance that makes an ON event, 0.01 to 10. Default 0.25.
    pub threshold_on: f32,
    /// Fall of the natural logarithm of luminance that makes an OFF event, 0.01 to 10. Default 0.25.
    pub threshold_off: f32,
    /// Standard deviation of the thresholds between pixels, as a part of them, 0 to 0.3. Default 0.03.
    pub mismatch: f32,
    /// Time after an event in which a pixel is blind, at most 10 s. Default 500 us.
    pub refractory: Duration,
    /// Background events per pixel and second, 0 to 1000. Default 0.2.
    pub noise_rate: f32,
    /// Same seed, same events, on every platform. Default 0.
    pub seed: u64,
}

impl Default for SensorParameters {
    fn default() -> Self {
        Self {
            threshold_on: 0.25,
            threshold_off: 0.25,
            mismatch: 0.03,
            refractory: Duration::from_micros(500),
            noise_rate: 0.2,
            seed: 0,
        }
    }
}

/// One pixel of a [`Sensor`]; the comparisons that every sample needs lie apart, in [`Sensor::bounds`].
#[derive(Debug, Clone, Copy)]
struct Pixel {
    /// Logarithm of luminance at the last event.
    reference: f32,
    threshold_on: f32,
    threshold_off: f32,
    /// Luminance of the last sample.
    before: f32,
    /// Time in microseconds until which the pixel is blind.
    wake: f64,
}

/// A simulated event sensor: luminance in, frame by frame; events out.
#[derive(Debug, Clone)]
pub struct Sensor {
    cols: usize,
    pixels: Vec<Pixel>,
    /// Luminances between which a pixel keeps silent; empty (low above high) for a blind pixel.
    bounds: Vec<(f32, f32)>,
    refractory: f64,
    /// Mean microseconds from one noise event to the next in the whole sensor.
    noise_interval: f64,
    next_noise: f64,
    /// Time of the last sample.
    now: Option<u64>,
    random: Pcg64Mcg,
}

/// Luminance that a sensor tells from darkness, and from everything brighter.
const LUMINANCE: (f32, f32) = (1e-4, 1e6);

/// Bounds of a pixel that has to be looked at in every sample.
const LOOK: (f32, f32) = (f32::INFINITY, f32::NEG_INFINITY);

/// A uniform number from 0 to just below 1.
fn uniform(random: &mut Pcg64Mcg) -> f64 {
    (random.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// A number with mean 0, variance 1 and nearly Gaussian density: the sum of four uniform ones (at most 3.5).
fn nearly_gaussian(random: &mut Pcg64Mcg) -> f64 {
    let sum: f64 = (0..4).map(|_| uniform(random) - 0.5).sum();
    sum * libm::sqrt(3.0)
}

fn logarithm(luminance: f32) -> f32 {
    libm::logf(luminance.clamp(LUMINANCE.0, LUMINANCE.1))
}

impl Sensor {
    /// A sensor of `rows` x `cols` pixels.
    ///
    /// # Errors
    /// [`Error::Parameter`] where a parameter is outside the range of [`SensorParameters`], or the geometry is empty,
    /// larger than 65536 on a side or than 2^26 pixels; [`Error::Memory`].
    pub fn new(rows: usize, cols: usize, parameters: &SensorParameters) -> Result<Self, Error> {
        const ITEM: &str = "sensor";
        let &SensorParameters { threshold_on, threshold_off, mismatch, refractory, noise_rate, seed } = parameters;
        in_range(ITEM, "rows", rows, (1..=65_536).contains(&rows), "1 to 65536 pixels")?;
        in_range(ITEM, "cols", cols, (1..=65_536).contains(&cols), "1 to 65536 pixels")?;
        let count = rows.checked_mul(cols).filter(|&count| count <= 1 << 26).ok_or_else(|| Error::Parameter {
            item: ITEM,
            name: "rows x cols",
            value: format!("{rows} x {cols}"),
            expected: "at most 2^26 pixels",
        })?;
        for (name, value) in [("threshold_on", threshold_on), ("threshold_off", threshold_off)] {
            in_range(ITEM, name, value, (0.01..=10.0).contains(&value), "a number from 0.01 to 10")?;
        }
        in_range(ITEM, "mismatch", mismatch, (0.0..=0.3).contains(&mismatch), "a number from 0 to 0.3")?;
        let short = refractory <= Duration::from_secs(10);
        in_range(ITEM, "refractory", format!("{refractory:?}"), short, "at most 10 s")?;
        in_range(ITEM, "noise_rate", noise_rate, (0.0..=1e3).contains(&noise_rate), "a number from 0 to 1000")?;

        let mut random = generator(seed);
        let mut threshold = |nominal: f32| {
            let factor = 1.0 + f64::from(mismatch) * nearly_gaussian(&mut random);
            (f64::from(nominal) * factor).max(0.01) as f32
        };
        let memory = |_| Error::Memory { what: "the sensor", samples: 7 * count };
        let (mut pixels, mut bounds) = (Vec::new(), Vec::new());
        pixels.try_reserve_exact(count).map_err(memory)?;
        bounds.try_reserve_exact(count).map_err(memory)?;
        bounds.resize(count, LOOK);
        pixels.extend((0..count).map(|_| Pixel {
            reference: 0.0,
            threshold_on: threshold(threshold_on),
            threshold_off: threshold(threshold_off),
            before: 0.0,
            wake: 0.0,
        }));
        Ok(Self {
            cols,
            pixels,
            bounds,
            refractory: refractory.as_micros() as f64,
            noise_interval: 1e6 / (f64::from(noise_rate) * count as f64),
            next_noise: 0.0,
            now: None,
            random,
        })
    }

    /// Shows the sensor a frame at time `t` in microseconds, and appends to `events` what happened since the frame
    /// before, in order of time.
    ///
    /// The first frame makes no event: the pixels adapt to it, each to a random place between its thresholds.
    /// Luminance is cut to 1e-4 ..= 1e6; a pixel that is not a number keeps its last luminance.
    ///
    /// # Errors
    /// [`Error::Parameter`] where the frame has another number of pixels or `t` is not after the last one; the sensor
    /// is then unchanged.
    pub fn sample(&mut self, t: u64, luminance: &[f32], events: &mut Vec<Event>) -> Result<(), Error> {
        const ITEM: &str = "sensor";
        let len = luminance.len();
        in_range(ITEM, "luminance", len, len == self.pixels.len(), "as many samples as the sensor has pixels")?;
        let before = self.now;
        in_range(ITEM, "t", t, before.is_none_or(|before| before < t), "a time after the last sample")?;
        self.now = Some(t);
        let Some(before) = before else {
            self.adapt(t as f64, luminance);
            return Ok(());
        };

        let first = events.len();
        let (before, now) = (before as f64, t as f64);
        for (index, (&value, bounds)) in luminance.iter().zip(&mut self.bounds).enumerate() {
            let pixel = &mut self.pixels[index];
            if value > bounds.0 && value < bounds.1 {
                pixel.before = value;
                continue;
            }
            let place = ((index % self.cols) as u16, (index / self.cols) as u16);
            let value = if value.is_nan() { pixel.before } else { value };
            *bounds = pixel.follow(value, before, now, self.refractory, |t, on| {
                events.push(Event { t, x: place.0, y: place.1, on });
            });
        }
        while self.next_noise <= now {
            let index = index_below(&mut self.random, self.pixels.len());
            let on = self.random.next_u64() >> 63 == 1;
            let (x, y) = ((index % self.cols) as u16, (index / self.cols) as u16);
            events.push(Event { t: self.next_noise as u64, x, y, on });
            self.await_noise();
        }
        events[first..].sort_unstable_by_key(|event| (event.t, event.y, event.x, event.on));
        Ok(())
    }

    /// The first frame.
    fn adapt(&mut self, now: f64, luminance: &[f32]) {
        for ((pixel, bounds), &value) in self.pixels.iter_mut().zip(&mut self.bounds).zip(luminance) {
            let share = uniform(&mut self.random) as f32;
            pixel.before = if value.is_nan() { LUMINANCE.0 } else { value };
            pixel.reference =
                logarithm(pixel.before) - 0.98 * (share - 0.5) * pixel.threshold_on.min(pixel.threshold_off);
            pixel.wake = now;
            *bounds = pixel.bounds();
        }
        self.next_noise = now;
        self.await_noise();
    }

    /// Draws the time of the next noise event; never, where there is no noise.
    fn await_noise(&mut self) {
        self.next_noise -= self.noise_interval * libm::log(1.0 - uniform(&mut self.random));
        if self.next_noise.is_nan() {
            self.next_noise = f64::INFINITY;
        }
    }
}

impl Pixel {
    /// Luminances at which the next events come.
    fn bounds(&self) -> (f32, f32) {
        (libm::expf(self.reference - self.threshold_off), libm::expf(self.reference + self.threshold_on))
    }

    /// Follows the luminance from the last sample, at time `start`, to `value` at time `end`, and gives the new bounds.
    fn follow(
        &mut self,
        value: f32,
        start: f64,
        end: f64,
        refractory: f64,
        mut event: impl FnMut(u64, bool),
    ) -> (f32, f32) {
        let (from, to) = (logarithm(self.before), logarithm(value));
        let slope = f64::from(to - from) / (end - start);
        self.before = value;
        loop {
            if self.wake > start {
                if self.wake > end {
                    return LOOK;
                }
                self.reference = (f64::from(from) + slope * (self.wake - start)) as f32;
            }
            let (level, on) = if to - self.reference >= self.threshold_on {
                (self.reference + self.threshold_on, true)
            } else if self.reference - to >= self.threshold_off {
                (self.reference - self.threshold_off, false)
            } else {
                return self.bounds();
            };
            // Rounding may put the crossing a little outside, never before the pixel is awake.
            let t = (start + f64::from(level - from) / slope).max(self.wake.max(start)).min(end);
            let t = if t.is_nan() { end } else { t };
            event(t as u64, on);
            self.reference = level;
            self.wake = t + refractory;
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Without mismatch, refractory period and noise.
    pub(in crate::scene) const IDEAL: SensorParameters = SensorParameters {
        threshold_on: 0.25,
        threshold_off: 0.25,
        mismatch: 0.0,
        refractory: Duration::ZERO,
        noise_rate: 0.0,
        seed: 0,
    };

    #[test]
    fn bad_frames_leave_the_sensor_unchanged() {
        let mut sensor = Sensor::new(1, 2, &IDEAL).expect("good");
        let mut events = Vec::new();
        sensor.sample(10, &[1.0, 1.0], &mut events).expect("good");
        assert!(sensor.sample(20, &[1.0], &mut events).is_err(), "too short");
        assert!(sensor.sample(10, &[1.0, 1.0], &mut events).is_err(), "not after the last");
        sensor.sample(20, &[9.0, f32::NAN], &mut events).expect("good");
        assert!(events.len() >= 8 && events.iter().all(|e| e.x == 0), "{events:?}");
    }

    #[test]
    fn bad_parameters_are_named() {
        for (name, bad) in [
            ("threshold_on", SensorParameters { threshold_on: 0.0, ..IDEAL }),
            ("threshold_off", SensorParameters { threshold_off: f32::NAN, ..IDEAL }),
            ("mismatch", SensorParameters { mismatch: -0.1, ..IDEAL }),
            ("refractory", SensorParameters { refractory: Duration::from_secs(11), ..IDEAL }),
            ("noise_rate", SensorParameters { noise_rate: f32::INFINITY, ..IDEAL }),
        ] {
            let error = Sensor::new(2, 2, &bad).expect_err(name).to_string();
            assert!(error.contains(name), "{error} names {name}");
        }
        for (rows, cols) in [(0, 1), (1, 0), (65_537, 1), (1, usize::MAX), (65_536, 65_536)] {
            assert!(Sensor::new(rows, cols, &IDEAL).is_err(), "{rows} x {cols}");
        }
    }
}
