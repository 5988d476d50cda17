//! A model of an event sensor (DVS): converts luminance, frame by frame, into events.
//!
//! Each pixel has a photoreceptor, a reference and two comparators. The logarithm of luminance `L` is linear in time from
//! one frame to the next:
//!
//! ```text
//! light     l(t) = ln(L(t) + dark)                              dark: the dark current, as luminance
//! receptor  tau y' = l - y,  tau = 1 / (2 pi cutoff(L))         y = l where the cutoff is infinite
//!           cutoff(L) = cutoff (cutoff_dark + (1 - cutoff_dark) min(L, 1))
//! reference r' = -leak,  leak = leak_rate threshold_on          so that a still pixel emits ON events at leak_rate
//! ON event  when y - r reaches +threshold_on                    then r = y after a blind time
//! OFF event when y - r reaches -threshold_off                   (refractory) without events
//! shot      events of either sign, a Poisson process of rate
//!           shot_rate (1 - (1 - shot_bright) min(L, 1))         independent; the reference is unchanged
//! ```
//!
//! Thresholds and leak of each pixel are multiplied by nearly Gaussian random factors. [`SensorParameters`] has units,
//! ranges and defaults; with [`SensorParameters::IDEAL`] every threshold crossing is an event at exactly that microsecond.
//! All random numbers follow from one seed, and logarithms come from `libm`, so a seed gives the same events on every
//! platform. Thresholds and initial references do not depend on the noise settings.
//!
//! Not modelled: the sensor's readout (no timestamp jitter, no limit of the event rate), hot pixels, thresholds and leak
//! that depend on temperature, and shot noise that shifts the reference.
//!
//! Cost for a pixel and frame without an event: two comparisons; with a cutoff, a logarithm and a few operations; with
//! `cutoff_dark` below 1, also an exponential. An event costs two logarithms and two exponentials. 40 bytes per pixel.
//!
//! References: Lichtsteiner, Posch and Delbruck 2008, A 128x128 120 dB 15 us latency asynchronous temporal contrast vision
//! sensor, doi:10.1109/JSSC.2007.914337 (the pixel); Rebecq, Gehrig and Scaramuzza 2018, ESIM: an open event camera
//! simulator (lines between samples); Hu, Liu and Delbruck 2021, v2e: from video frames to realistic DVS events,
//! doi:10.1109/CVPRW53098.2021.00144 (bandwidth, leak and shot noise that depend on light).

use super::low_pass::LowPass;
use super::origin::{Origin, Sighting};
use super::parameters::SensorParameters;
use super::pixel::{Bounds, LOOK, Pixel};
use crate::Error;
use crate::error::in_range;
use crate::stimuli::samples::{generator, index_below};
use foveola_core::events::Event;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::Rng;

/// A simulated event sensor: converts luminance, frame by frame, into events.
#[derive(Debug, Clone)]
pub struct Sensor {
    cols: usize,
    pixels: Vec<Pixel>,
    /// Bounds within which the pixel need not be processed; levels if there is a low-pass, else luminance.
    bounds: Vec<Bounds>,
    low_pass: Option<LowPass>,
    dark: f32,
    refractory: f64,
    /// Microseconds for which bounds are valid, and the end of the present ones: references decrease in the meantime.
    lookahead: f64,
    horizon: f64,
    /// Mean microseconds between shot-noise events in the whole sensor, if all pixels were dark.
    shot_interval: f64,
    shot_bright: f64,
    next_shot: f64,
    /// Time of the last sample.
    now: Option<u64>,
    random: Pcg64Mcg,
}

/// The smallest and the largest luminance that a sensor distinguishes.
const LUMINANCE: (f32, f32) = (1e-4, 1e6);

/// Makes the leak's random generator different from that of the thresholds.
const LEAK_SEED: u64 = 0x6c65_616b;

/// Share of a threshold by which references may decrease before all bounds are updated.
const FALL: f64 = 0.02;

/// A time that is never reached, and finite: a leak of 0 until then is 0.
const NEVER: f64 = f64::MAX;

/// A uniform number from 0 to just below 1.
fn uniform(random: &mut Pcg64Mcg) -> f64 {
    (random.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// A number with mean 0, variance 1 and nearly Gaussian density: the sum of four uniform numbers (at most 3.5).
fn nearly_gaussian(random: &mut Pcg64Mcg) -> f64 {
    let sum: f64 = (0..4).map(|_| uniform(random) - 0.5).sum();
    sum * libm::sqrt(3.0)
}

fn logarithm(luminance: f32, dark: f32) -> f32 {
    libm::logf(luminance.clamp(LUMINANCE.0, LUMINANCE.1) + dark)
}

impl Sensor {
    /// A sensor of `rows` x `cols` pixels.
    ///
    /// # Errors
    /// [`Error::Parameter`] where a parameter is outside the range of [`SensorParameters`], or the geometry is empty, larger
    /// than 65536 on a side or than 2^26 pixels; [`Error::Memory`].
    pub fn new(rows: usize, cols: usize, parameters: &SensorParameters) -> Result<Self, Error> {
        const ITEM: &str = "sensor";
        let &SensorParameters { threshold_on, mismatch, leak_rate, leak_jitter, seed, .. } = parameters;
        in_range(ITEM, "rows", rows, (1..=65_536).contains(&rows), "1 to 65536 pixels")?;
        in_range(ITEM, "cols", cols, (1..=65_536).contains(&cols), "1 to 65536 pixels")?;
        let count = rows.checked_mul(cols).filter(|&count| count <= 1 << 26).ok_or_else(|| Error::Parameter {
            item: ITEM,
            name: "rows x cols",
            value: format!("{rows} x {cols}"),
            expected: "at most 2^26 pixels",
        })?;
        parameters.check()?;

        let mut random = generator(seed);
        let mut threshold = |nominal: f32| {
            let factor = 1.0 + f64::from(mismatch) * nearly_gaussian(&mut random);
            (f64::from(nominal) * factor).max(0.01) as f32
        };
        let leak = f64::from(leak_rate) * f64::from(threshold_on) * 1e-6;
        let mut leak_random = generator(seed ^ LEAK_SEED);
        let memory = |_| Error::Memory { what: "the sensor", samples: 10 * count };
        let (mut pixels, mut bounds) = (Vec::new(), Vec::new());
        pixels.try_reserve_exact(count).map_err(memory)?;
        bounds.try_reserve_exact(count).map_err(memory)?;
        bounds.resize(count, LOOK);
        pixels.extend((0..count).map(|_| Pixel {
            reference: 0.0,
            threshold_on: threshold(threshold_on),
            threshold_off: threshold(parameters.threshold_off),
            before: 0.0,
            unfiltered: 0.0,
            leak: (leak * (1.0 + f64::from(leak_jitter) * nearly_gaussian(&mut leak_random)).max(0.0)) as f32,
            wake: 0.0,
        }));
        Ok(Self {
            cols,
            pixels,
            bounds,
            low_pass: LowPass::new(parameters.cutoff, parameters.cutoff_dark),
            dark: parameters.dark,
            refractory: parameters.refractory.as_micros() as f64,
            lookahead: if leak_rate > 0.0 { FALL * 1e6 / f64::from(leak_rate) } else { NEVER },
            horizon: NEVER,
            shot_interval: 1e6 / (f64::from(parameters.shot_rate) * count as f64),
            shot_bright: f64::from(parameters.shot_bright),
            next_shot: 0.0,
            now: None,
            random,
        })
    }

    /// Exposes the sensor to a frame at time `t` in microseconds, and appends to `events` the events since the previous
    /// frame, in order of time: [`Event`]s, or pairs `(Event, Origin)`.
    ///
    /// The first frame causes no event: the pixels adapt to it, each to a random level between its thresholds, as if the
    /// scene had been constant before. Luminance is limited to 1e-4 ..= 1e6; a pixel that is NaN keeps its last luminance.
    ///
    /// # Errors
    /// [`Error::Parameter`] where the frame has another number of pixels or `t` is not after the last frame; the sensor is
    /// then unchanged.
    pub fn sample<E: Sighting>(&mut self, t: u64, luminance: &[f32], events: &mut Vec<E>) -> Result<(), Error> {
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
        let span = (before as f64, t as f64);
        if span.1 > self.horizon {
            self.horizon = span.1 + self.lookahead;
            self.bounds.fill(LOOK);
        }
        match self.low_pass.take() {
            None => self.follow(span, luminance, events),
            Some(mut low_pass) => {
                low_pass.prepare(span.1 - span.0);
                self.follow_filtered(span, luminance, &low_pass, events);
                self.low_pass = Some(low_pass);
            }
        }
        self.shoot(span.1, luminance, events);
        events[first..].sort_unstable_by_key(|sighting| {
            let event = sighting.event();
            (event.t, event.y, event.x, event.on)
        });
        Ok(())
    }

    /// The first frame.
    fn adapt(&mut self, now: f64, luminance: &[f32]) {
        self.horizon = if self.lookahead < NEVER { now + self.lookahead } else { NEVER };
        for ((pixel, bounds), &value) in self.pixels.iter_mut().zip(&mut self.bounds).zip(luminance) {
            let share = uniform(&mut self.random) as f32;
            pixel.before = if value.is_nan() { LUMINANCE.0 } else { value };
            let level = logarithm(pixel.before, self.dark);
            (pixel.reference, pixel.wake) = if pixel.leak > 0.0 {
                // At a random time between two leak events.
                (level, now - f64::from(share * pixel.threshold_on) / f64::from(pixel.leak))
            } else {
                (level - 0.98 * (share - 0.5) * pixel.threshold_on.min(pixel.threshold_off), now)
            };
            *bounds = pixel.bounds(now, self.horizon);
            if self.low_pass.is_some() {
                (pixel.before, pixel.unfiltered) = (level, level);
            } else {
                *bounds = as_luminance(*bounds, self.dark);
            }
        }
        self.next_shot = now;
        self.await_shot();
    }

    /// Processes the pixels from frame to frame, without a low-pass.
    fn follow<E: Sighting>(&mut self, (start, end): (f64, f64), luminance: &[f32], events: &mut Vec<E>) {
        for (index, (&value, bounds)) in luminance.iter().zip(&mut self.bounds).enumerate() {
            let pixel = &mut self.pixels[index];
            if value > bounds.0 && value < bounds.1 {
                pixel.before = value;
                continue;
            }
            let value = if value.is_nan() { pixel.before } else { value };
            let (from, to) = (logarithm(pixel.before, self.dark), logarithm(value, self.dark));
            pixel.before = value;
            pixel.follow((start, from), (end, to), self.refractory, writer(index, self.cols, events));
            *bounds = if pixel.is_blind(end) { LOOK } else { as_luminance(pixel.bounds(end, self.horizon), self.dark) };
        }
    }

    /// The same with a low-pass.
    fn follow_filtered<E: Sighting>(
        &mut self,
        (start, end): (f64, f64),
        luminance: &[f32],
        low_pass: &LowPass,
        events: &mut Vec<E>,
    ) {
        for (index, (&value, bounds)) in luminance.iter().zip(&mut self.bounds).enumerate() {
            let pixel = &mut self.pixels[index];
            let (filtered, from) = (pixel.before, pixel.unfiltered);
            let to = if value.is_nan() { from } else { logarithm(value, self.dark) };
            // The luminance at the end of a line sets the cutoff; without a value, the brightest does.
            let answer = low_pass.answer(filtered, from, to, if value.is_nan() { 1.0 } else { value });
            (pixel.before, pixel.unfiltered) = (answer.end, to);
            // The filtered level stays between its previous value and the unfiltered levels.
            let inside = |level: f32| level > bounds.0 && level < bounds.1;
            if inside(filtered) && inside(from) && inside(to) {
                continue;
            }
            let mut last = (start, filtered);
            for (dt, level) in answer.points() {
                let next = (start + dt, level);
                pixel.follow(last, next, self.refractory, writer(index, self.cols, events));
                last = next;
            }
            *bounds = if pixel.is_blind(end) { LOOK } else { pixel.bounds(end, self.horizon) };
        }
    }

    /// Shot noise until time `end`: events are drawn as if all pixels were dark; each is kept with the probability given by
    /// its pixel's rate.
    fn shoot<E: Sighting>(&mut self, end: f64, luminance: &[f32], events: &mut Vec<E>) {
        while self.next_shot <= end {
            let index = index_below(&mut self.random, self.pixels.len());
            let on = self.random.next_u64() >> 63 == 1;
            let value = f64::from(luminance[index]).clamp(0.0, 1.0);
            let rate = 1.0 - (1.0 - self.shot_bright) * if value.is_nan() { 0.0 } else { value };
            if self.shot_bright >= 1.0 || uniform(&mut self.random) < rate {
                writer(index, self.cols, events)(self.next_shot as u64, on, Origin::Shot);
            }
            self.await_shot();
        }
    }

    /// Draws the time of the next shot-noise event; never if there is no shot noise.
    fn await_shot(&mut self) {
        self.next_shot -= self.shot_interval * libm::log(1.0 - uniform(&mut self.random));
        if self.next_shot.is_nan() {
            self.next_shot = f64::INFINITY;
        }
    }
}

/// The luminances of two levels.
fn as_luminance((low, high): Bounds, dark: f32) -> Bounds {
    (libm::expf(low) - dark, libm::expf(high) - dark)
}

/// Appends the events of the pixel with this index.
fn writer<E: Sighting>(index: usize, cols: usize, events: &mut Vec<E>) -> impl FnMut(u64, bool, Origin) {
    let (x, y) = ((index % cols) as u16, (index / cols) as u16);
    move |t, on, origin| events.push(E::new(Event { t, x, y, on }, origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDEAL: SensorParameters = SensorParameters::IDEAL;

    #[test]
    fn bad_frames_leave_the_sensor_unchanged() {
        let mut sensor = Sensor::new(1, 2, &IDEAL).expect("good");
        let mut events: Vec<Event> = Vec::new();
        sensor.sample(10, &[1.0, 1.0], &mut events).expect("good");
        assert!(sensor.sample(20, &[1.0], &mut events).is_err(), "too short");
        assert!(sensor.sample(10, &[1.0, 1.0], &mut events).is_err(), "not after the last");
        sensor.sample(20, &[9.0, f32::NAN], &mut events).expect("good");
        assert!(events.len() >= 8 && events.iter().all(|e| e.x == 0), "{events:?}");
    }

    #[test]
    fn impossible_sizes_are_errors() {
        for (rows, cols) in [(0, 1), (1, 0), (65_537, 1), (1, usize::MAX), (65_536, 65_536)] {
            assert!(Sensor::new(rows, cols, &IDEAL).is_err(), "{rows} x {cols}");
        }
    }

    /// The events of pixels that all see `luminance`, a function of time in seconds, sampled every `step` microseconds.
    fn watch(
        (rows, cols): (usize, usize),
        parameters: &SensorParameters,
        (step, end): (u64, u64),
        luminance: impl Fn(f64) -> f32,
    ) -> Vec<(Event, Origin)> {
        let mut sensor = Sensor::new(rows, cols, parameters).expect("good");
        let mut events = Vec::new();
        for t in (0..=end).step_by(step as usize) {
            sensor.sample(t, &vec![luminance(t as f64 * 1e-6); rows * cols], &mut events).expect("good");
        }
        events
    }

    /// Number of events of each pixel.
    fn counts(cols: usize, len: usize, events: &[(Event, Origin)]) -> Vec<f64> {
        let mut counts = vec![0.0; len];
        for (event, _) in events {
            counts[usize::from(event.y) * cols + usize::from(event.x)] += 1.0;
        }
        counts
    }

    fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / values.len() as f64;
        (mean, libm::sqrt(variance))
    }

    #[test]
    fn leak_has_its_rate_and_jitter() {
        for (step, luminance) in [(1_000, 0.3), (500_000, 50.0), (20_000_000, 1e-3)] {
            let leaky = SensorParameters { leak_rate: 1.0, leak_jitter: 0.1, ..IDEAL };
            let events = watch((32, 32), &leaky, (step, 20_000_000), |_| luminance);
            assert!(events.iter().all(|(event, origin)| event.on && *origin == Origin::Leak), "ON, and labelled");
            assert!(events.is_sorted_by_key(|(event, _)| event.t), "in order");
            let (mean, deviation) = mean_and_deviation(&counts(32, 1024, &events));
            // Of 1024 pixels, each 20 +- 2 events, and the count of a random phase: +- sqrt(1/6) or so, 0.42. Five standard
            // errors.
            assert!((mean - 20.0).abs() < 5.0 * 2.04 / 32.0, "{mean} events in 20 s at steps of {step} us");
            assert!((deviation - 2.04).abs() < 5.0 * 2.04 / libm::sqrt(2048.0), "{deviation} between pixels");
        }
    }

    #[test]
    fn leak_is_as_regular_as_a_clock() {
        let leaky = SensorParameters { leak_rate: 4.0, ..IDEAL };
        for (event, next) in {
            let events = watch((1, 1), &leaky, (1_000, 5_000_000), |_| 1.0);
            assert_eq!(events.len(), 20, "4 Hz in 5 s");
            events.clone().into_iter().zip(events.into_iter().skip(1)).collect::<Vec<_>>()
        } {
            // The threshold has single precision.
            assert!((next.0.t - event.0.t).abs_diff(250_000) <= 2, "{event:?}, then {next:?}");
        }
    }

    #[test]
    fn leak_helps_on_and_hinders_off() {
        // ln L rises or falls by 1 in a second: 4 thresholds of 0.25, plus one of leak. In 4 s that causes 20 ON events, and
        // 11 OFF events, since references start up to a threshold below.
        let leaky = SensorParameters { leak_rate: 1.0, ..IDEAL };
        for (direction, expected, on) in [(1.0, 20.0, true), (-1.0, 11.0, false)] {
            let events = watch((16, 16), &leaky, (10_000, 4_000_000), |t| libm::exp(direction * t) as f32);
            let (mean, deviation) = mean_and_deviation(&counts(16, 256, &events));
            assert!((mean - expected).abs() < 0.05 && deviation < 0.1, "{mean} events in direction {direction}");
            let signal = |(event, origin): &(Event, Origin)| event.on == on && *origin == Origin::Signal;
            assert!(events.iter().all(signal), "light moves faster than the reference");
        }
    }

    #[test]
    fn shot_noise_has_its_rate_in_the_dark_and_in_the_light() {
        let noisy = SensorParameters { shot_rate: 20.0, shot_bright: 0.25, ..IDEAL };
        for (luminance, rate) in [(0.0, 20.0), (0.5, 12.5), (1.0, 5.0), (7.0, 5.0), (f32::NAN, 20.0)] {
            let events = watch((10, 10), &noisy, (1_000, 10_000_000), |_| luminance);
            let expected = 100.0 * 10.0 * rate;
            let within = |count: usize, expected: f64| (count as f64 - expected).abs() < 5.0 * libm::sqrt(expected);
            assert!(within(events.len(), expected), "{} of {expected} events", events.len());
            let on = events.iter().filter(|(event, _)| event.on).count();
            assert!(within(on, expected / 2.0), "{on} of {expected} are ON");
            // A Poisson process: the variance of the counts is their mean (relative error sqrt(2 / 100), three of them).
            let (mean, deviation) = mean_and_deviation(&counts(10, 100, &events));
            assert!((deviation * deviation / mean - 1.0).abs() < 0.43, "{deviation} beside {mean}");
            assert!(events.iter().all(|(_, origin)| *origin == Origin::Shot), "labelled");
        }
    }

    #[test]
    fn thresholds_spread_as_the_mismatch_says() {
        // On a ramp of one unit per second, the time between events is the threshold.
        let uneven = SensorParameters { mismatch: 0.1, ..IDEAL };
        let events = watch((40, 40), &uneven, (1_000, 2_000_000), |t| libm::exp(t) as f32);
        let mut times = vec![Vec::new(); 1600];
        for (event, _) in &events {
            times[usize::from(event.y) * 40 + usize::from(event.x)].push(event.t as f64 * 1e-6);
        }
        let threshold = |times: &Vec<f64>| (times[times.len() - 1] - times[0]) / (times.len() - 1) as f64;
        let (mean, deviation) = mean_and_deviation(&times.iter().map(threshold).collect::<Vec<_>>());
        // 1600 pixels: standard errors of 0.025 / 40 and 0.025 / sqrt(3200); five of them.
        assert!((mean - 0.25).abs() < 0.0032, "{mean} on average");
        assert!((deviation - 0.025).abs() < 0.0022, "{deviation} between pixels");
    }

    #[test]
    fn a_step_of_light_is_answered_at_the_pace_of_the_receptor() {
        // ln L steps by 2 in the microsecond before 10 ms: y = 2 (1 - exp(-t / tau)), tau = 15.9 ms; thresholds are crossed
        // when y has grown by k / 20 from the initial reference.
        let slow = SensorParameters { cutoff: 10.0, threshold_on: 0.05, threshold_off: 0.05, ..IDEAL };
        let tau = 1.0 / (core::f64::consts::TAU * 10.0);
        for step in [1, 10, 100] {
            let mut sensor = Sensor::new(1, 64, &slow).expect("good");
            let mut events: Vec<Event> = Vec::new();
            let (dark, light) = (vec![1.0; 64], vec![libm::exp(2.0) as f32; 64]);
            sensor.sample(0, &dark, &mut events).expect("good");
            sensor.sample(9_999, &dark, &mut events).expect("good");
            for t in (10_000..200_000).step_by(step * 1_000) {
                sensor.sample(t, &light, &mut events).expect("good");
            }
            for x in 0..64 {
                let mut levels = events.iter().filter(|event| event.x == x).map(|event| {
                    assert!(event.on, "only ON");
                    2.0 * (1.0 - libm::exp(-(event.t as f64 * 1e-6 - 0.01) / tau))
                });
                let mut last = levels.next().expect("events");
                assert!((0.025..0.1).contains(&last), "the first at {last}");
                for level in levels.by_ref() {
                    // Lines are below the curve by at most 1.2 % of the step, 0.024; neighbouring lines differ by less.
                    assert!((level - last - 0.05).abs() < 0.025, "from {last} to {level} at steps of {step} ms");
                    last = level;
                }
                assert!(last > 1.93, "the last at {last}");
            }
        }
    }

    #[test]
    fn without_a_limit_of_bandwidth_a_high_one_makes_no_difference() {
        let flicker = |t: f64| libm::exp(libm::sin(t * 20.0)) as f32;
        let fast = SensorParameters { cutoff: 1e5, ..IDEAL };
        let (ideal, fast) =
            (watch((4, 4), &IDEAL, (1_000, 500_000), flicker), watch((4, 4), &fast, (1_000, 500_000), flicker));
        assert!(ideal.len() > 100 && ideal.len().abs_diff(fast.len()) <= 16, "{} and {}", ideal.len(), fast.len());
    }

    #[test]
    fn dark_current_hides_what_happens_in_the_dark() {
        let flicker = |t: f64| if libm::sin(t * 300.0) > 0.0 { 0.001 } else { 0.004 };
        assert!(!watch((2, 2), &IDEAL, (1_000, 100_000), flicker).is_empty(), "seen");
        let dark = SensorParameters { dark: 0.1, ..IDEAL };
        assert!(watch((2, 2), &dark, (1_000, 100_000), flicker).len() <= 4, "hidden");
    }

    /// Skipping pixels between frames loses no event: processing every step or none gives the same result.
    #[test]
    fn bounds_change_nothing() {
        let parameters = SensorParameters {
            leak_rate: 2.0,
            mismatch: 0.1,
            refractory: core::time::Duration::from_micros(700),
            dark: 0.05,
            ..SensorParameters::IDEAL
        };
        for cutoff in [f32::INFINITY, 50.0] {
            let mut sensor = Sensor::new(3, 5, &SensorParameters { cutoff, ..parameters }).expect("good");
            let mut twin = sensor.clone();
            let (mut events, mut expected): (Vec<Event>, Vec<Event>) = (Vec::new(), Vec::new());
            for t in 0..2_000_u64 {
                let frame: Vec<f32> =
                    (0..15).map(|i| libm::exp(libm::sin(t as f64 * 0.01 * (1 + i) as f64)) as f32).collect();
                sensor.sample(t * 1_000, &frame, &mut events).expect("good");
                twin.bounds.fill(LOOK);
                twin.sample(t * 1_000, &frame, &mut expected).expect("good");
            }
            // At a bound, luminance and its logarithm may round to different sides: an event is then a step later.
            let close = |(a, b): (&Event, &Event)| a.t.abs_diff(b.t) <= 1_000;
            assert!(events.len() > 1_000 && events.len() == expected.len(), "{} {}", events.len(), expected.len());
            assert!(events.iter().zip(&expected).all(close), "the same events");
        }
    }
}
