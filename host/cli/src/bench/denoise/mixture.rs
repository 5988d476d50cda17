//! Clean events mixed with labelled noise.

use core::time::Duration;
use foveola::scene::{self, SensorParameters, Simulation};
use foveola::{Geometry, Result};
use foveola_core::events::Event;
use foveola_core::events::filters::EventStage;

/// The rates of noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// ON events per pixel and second, at regular intervals, with 10 % of deviation between pixels.
    pub leak: f32,
    /// Events of either polarity per pixel and second, at random times.
    pub shot: f32,
    /// The random seed: the same seed gives the same noise.
    pub seed: u64,
}

/// Events in order of time, each labelled as signal or noise.
///
/// 17 bytes per event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mixture {
    geometry: Geometry,
    events: Vec<Event>,
    noise: Vec<bool>,
}

/// The number of signal events and of noise events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Clean events.
    pub signal: u64,
    /// Noise events.
    pub noise: u64,
}

impl Mixture {
    /// Mixes noise into `clean` events in order of time. The noise is that of the simulated sensor in front of uniform grey.
    /// It starts at the first clean event and lasts for `duration`; later events are omitted.
    ///
    /// The noise does not affect the sensor's pixels: it causes no blind time and does not change their reference.
    ///
    /// # Errors
    /// [`Error::Parameter`](foveola::Error::Parameter) for rates and sizes that a sensor does not support.
    pub fn new(
        clean: impl IntoIterator<Item = Event>,
        geometry: Geometry,
        duration: Duration,
        noise: Noise,
    ) -> Result<Self> {
        let sensor = SensorParameters {
            leak_rate: noise.leak,
            leak_jitter: 0.1,
            shot_rate: noise.shot,
            seed: noise.seed,
            ..SensorParameters::IDEAL
        };
        let Geometry { cols, rows } = geometry;
        let wall = scene::Setup { geometry, duration, step: Duration::from_millis(10) };
        let mut noise = Simulation::noise(wall, &sensor)?.peekable();
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let mut mixture = Self { geometry, events: Vec::new(), noise: Vec::new() };
        let mut start = None;
        for event in clean {
            let start = *start.get_or_insert(event.t);
            let since = event.t.saturating_sub(start);
            if since > micros {
                break;
            }
            if usize::from(event.x) >= cols || usize::from(event.y) >= rows {
                continue;
            }
            while let Some(noisy) = noise.next_if(|noisy| noisy.t < since) {
                mixture.push(Event { t: start + noisy.t, ..noisy }, true);
            }
            mixture.push(event, false);
        }
        let start = start.unwrap_or(0);
        noise.for_each(|noisy| mixture.push(Event { t: start + noisy.t, ..noisy }, true));
        Ok(mixture)
    }

    fn push(&mut self, event: Event, noise: bool) {
        self.events.push(event);
        self.noise.push(noise);
    }

    /// Size of the sensor.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// The events, each with a flag that is set for noise.
    pub fn iter(&self) -> impl Iterator<Item = (Event, bool)> + '_ {
        self.events.iter().copied().zip(self.noise.iter().copied())
    }

    /// The counts of all events.
    pub fn counts(&self) -> Counts {
        let noise = self.noise.iter().filter(|&&noise| noise).count() as u64;
        Counts { signal: self.noise.len() as u64 - noise, noise }
    }

    /// The counts after a chain of filters, whose state is cleared first.
    pub fn kept(&self, chain: &[EventStage<'_>]) -> Counts {
        let mut stages: Vec<_> = chain.iter().map(|stage| (stage.as_filter(), vec![0; stage.state_len()])).collect();
        let mut kept = Counts::default();
        for (mut event, noise) in self.iter() {
            if stages.iter_mut().all(|(filter, state)| filter.pass(state, &mut event)) {
                kept.noise += u64::from(noise);
                kept.signal += u64::from(!noise);
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use foveola_core::events::filters::PolarityOnly;

    const SIZE: Geometry = Geometry { cols: 20, rows: 10 };
    const NOISE: Noise = Noise { leak: 2.0, shot: 20.0, seed: 3 };

    /// An event every millisecond, starting at 5 s.
    fn clean(count: u64) -> impl Iterator<Item = Event> {
        (0..count).map(|i| Event { t: 5_000_000 + 1_000 * i, x: (i % 20) as u16, y: 3, on: i % 2 == 0 })
    }

    #[test]
    fn noise_is_mixed_in_and_known() {
        let second = Duration::from_secs(1);
        let mixture = Mixture::new(clean(3_000), SIZE, second, NOISE).expect("good");
        assert!(mixture.iter().map(|(event, _)| event.t).is_sorted(), "in order of time");
        let signal = mixture.iter().filter(|(_, noise)| !noise).map(|(event, _)| event);
        assert!(signal.eq(clean(1_001)), "the clean events of the first second");
        // 200 pixels at 22 Hz; half of the 20 Hz and all of the 2 Hz are ON: deviations of 63 and 45 for the shot noise.
        let noise: Vec<Event> = mixture.iter().filter(|(_, noise)| *noise).map(|(event, _)| event).collect();
        assert!(noise.len().abs_diff(4_400) < 5 * 63, "{} noise events", noise.len());
        assert!(noise.iter().filter(|event| event.on).count().abs_diff(2_400) < 5 * 45, "ON");
        assert!(noise.iter().all(|event| (5_000_000..=6_000_000).contains(&event.t)), "as long as the signal");
        assert_eq!(mixture.counts(), Counts { signal: 1_001, noise: noise.len() as u64 });
    }

    #[test]
    fn filters_are_counted() {
        let mixture = Mixture::new(clean(100), SIZE, Duration::from_secs(1), NOISE).expect("good");
        assert_eq!(mixture.kept(&[]), mixture.counts(), "no filter keeps all");
        let kept = mixture.kept(&[EventStage::PolarityOnly(PolarityOnly::On); 2]);
        let on = mixture.iter().filter(|(event, noise)| event.on && *noise).count() as u64;
        assert_eq!(kept, Counts { signal: 50, noise: on });
    }

    #[test]
    fn odd_mixtures() {
        let rate = Noise { shot: -1.0, ..NOISE };
        assert!(Mixture::new(clean(3), SIZE, Duration::from_secs(1), rate).is_err(), "no sensor has such a rate");
        let empty = Mixture::new([], SIZE, Duration::from_secs(1), NOISE).expect("noise alone");
        assert!(empty.counts().signal == 0 && empty.counts().noise > 4_000, "noise alone");
        let outside = [Event { t: 0, x: 20, y: 0, on: true }];
        let mixture = Mixture::new(outside, SIZE, Duration::from_secs(1), NOISE).expect("good");
        assert_eq!(mixture.counts(), empty.counts(), "what is outside of the sensor is left out");
    }
}
