//! The refractory period after the low-pass, compared with the equations of [`Sensor`](super::Sensor): the receptor in `f64`
//! in steps of 0.1 us, and the prediction of each event from the previous one.
//!
//! An event at `t` leaves the pixel blind until `t + R`. Then its reference is the receptor's level at `t + R`, regardless
//! of threshold crossings in the meantime. The next event occurs when the level is first a threshold away from it.

use super::{Sensor, SensorParameters};
use core::time::Duration;
use foveola_core::events::Event;

const CUTOFF: f32 = 100.0;
const ON: f32 = 0.2;
const OFF: f32 = 0.3;
/// Duration in microseconds.
const END: usize = 150_000;

/// The logarithm of luminance at `us`: rises or falls by 2.4 within 1.5 ms, every 12 ms, plus a sine of 7 ms.
fn level(us: usize) -> f64 {
    let sine = |period: f64| libm::sin(core::f64::consts::TAU * us as f64 / period);
    (6.0 * sine(24_000.0)).clamp(-1.2, 1.2) + 0.8 * sine(7_000.0)
}

/// The receptor signal at each microsecond for frames every `step`: `tau y' = l - y` with straight lines `l`.
fn receptor(step: usize) -> Vec<f64> {
    let tau = 1e6 / (core::f64::consts::TAU * f64::from(CUTOFF));
    let (mut y, mut all) = (level(0), vec![level(0)]);
    for us in 0..END {
        let (from, to) = (level(us / step * step), level((us / step + 1) * step));
        for tenth in 0..10 {
            let share = ((us % step) as f64 + 0.05 + 0.1 * f64::from(tenth)) / step as f64;
            y += 0.1 / tau * (from + (to - from) * share - y);
        }
        all.push(y);
    }
    all
}

/// Events of 16 pixels that see the same, each with a different initial reference.
fn events(step: usize, refractory: usize) -> Vec<Event> {
    let parameters = SensorParameters {
        cutoff: CUTOFF,
        threshold_on: ON,
        threshold_off: OFF,
        refractory: Duration::from_micros(refractory as u64),
        ..SensorParameters::IDEAL
    };
    let mut sensor = Sensor::new(1, 16, &parameters).expect("good");
    let mut events = Vec::new();
    for us in (0..=END).step_by(step) {
        sensor.sample(us as u64, &[libm::exp(level(us)) as f32; 16], &mut events).expect("good");
    }
    events
}

/// Frames every 100 us, where the lines between samples of the receptor match the curve; and every 2 ms, where their error
/// is a little more than 1 % of the remaining transient.
#[test]
fn the_next_event_follows_from_the_last_one() {
    for (step, tolerance) in [(100, 0.008), (2_000, 0.05)] {
        let y = receptor(step);
        for refractory in [0, 30, 700, 2_500, 6_000] {
            let events = events(step, refractory);
            // Successive events, changes of polarity, and threshold crossings of each polarity that a blind pixel missed.
            let (mut followers, mut turns, mut hidden) = (0, 0, [0; 2]);
            for x in 0..16 {
                let of_pixel: Vec<_> = events.iter().filter(|event| event.x == x).collect();
                for (i, event) in of_pixel.iter().enumerate() {
                    let at = event.t as usize;
                    let wake = (at + refractory).min(END);
                    let blind = &y[at..=wake];
                    let next = of_pixel.get(i + 1);
                    let end = next.map_or(END, |next| next.t as usize);
                    let which = format!("{event:?}, then {next:?}, with {refractory} us and frames every {step} us");
                    assert!(wake <= end, "the pixel is blind: {which}");
                    let reached = |us: usize| [y[us] - y[wake] - f64::from(ON), y[wake] - y[us] - f64::from(OFF)];
                    // Both ends of the microsecond of the event.
                    for us in wake..=end {
                        let early = reached(us).into_iter().any(|beyond| beyond > tolerance);
                        assert!(!early, "an event was due at {us}: {which}");
                    }
                    if let Some(next) = next {
                        let most = [end, (end + 1).min(END)].map(|us| reached(us)[usize::from(!next.on)]);
                        assert!(most[0].max(most[1]) > -tolerance, "no threshold was reached: {which}");
                        followers += 1;
                        turns += usize::from(next.on != event.on);
                    }
                    let (low, high) = blind.iter().fold((y[at], y[at]), |(low, high), y| (low.min(*y), high.max(*y)));
                    hidden[0] += usize::from(high - y[at] > f64::from(ON));
                    hidden[1] += usize::from(y[at] - low > f64::from(OFF));
                }
            }
            assert!(followers >= 300 && turns >= 80, "{followers} followers, {turns} of another polarity");
            let few = if refractory < 700 { 0 } else { 16 * 4 };
            assert!(hidden.iter().all(|count| *count >= few), "{hidden:?} thresholds hidden in {refractory} us");
        }
    }
}

/// In numbers: the logarithm of luminance jumps by 2, and `tau` is 1000 us to 0.002 %, so `y = 2 - d` with
/// `d = 2 exp(-t / 1000 us)`. After an event the level continues unseen to `d exp(-R / tau)`; the next event is 0.2 after
/// that.
#[test]
fn a_jump_makes_fewer_events_the_longer_a_pixel_is_blind() {
    const JUMP: u64 = 10_000;
    for (refractory, expected) in [(0, 9), (100, 6), (250, 5), (500, 3), (1_000, 2)] {
        let parameters = SensorParameters {
            cutoff: 159.155,
            threshold_on: 0.2,
            refractory: Duration::from_micros(refractory),
            ..SensorParameters::IDEAL
        };
        let mut sensor = Sensor::new(1, 1, &parameters).expect("good");
        let mut events: Vec<Event> = Vec::new();
        sensor.sample(0, &[1.0], &mut events).expect("good");
        sensor.sample(JUMP - 1, &[1.0], &mut events).expect("good");
        for t in (JUMP..JUMP + 12_000).step_by(50) {
            sensor.sample(t, &[libm::exp(2.0) as f32], &mut events).expect("good");
        }
        assert!(events.iter().all(|event| event.on) && events.len() == expected, "{refractory} us: {events:?}");
        // Times relative to the middle of the microsecond of the jump and of the event.
        let since = |event: &Event| (event.t - JUMP) as f64 + 1.0;
        let behind = |d: f64| d * libm::exp(-(refractory as f64) / 1_000.0) - 0.2;
        let mut d = 2.0 * libm::exp(-since(&events[0]) / 1_000.0);
        for event in &events[1..] {
            d = behind(d);
            let due = -1_000.0 * libm::log(d / 2.0);
            // A microsecond, and the error of the lines.
            let tolerance = 1.0 + 1.0 / d;
            assert!((since(event) - due).abs() < tolerance, "{refractory} us: {event:?}, due {due} us after the jump");
        }
        assert!(behind(d) < 0.01, "{refractory} us: {d} is left behind the last event");
    }
}
