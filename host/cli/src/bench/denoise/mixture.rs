//! Clean events with known noise between them.

use core::time::Duration;
use foveola::scene::{self, SensorParameters, Simulation};
use foveola::{Geometry, Result};
use foveola_core::events::Event;
use foveola_core::events::filters::EventStage;

/// How much noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// ON events per pixel and second, regular, with 10 % of deviation between pixels.
    pub leak: f32,
    /// Events of either sign per pixel and second, at random.
    pub shot: f32,
    /// Same seed, same noise.
    pub seed: u64,
}

/// Events in order of time, of each of which is known whether it is noise.
///
/// 17 bytes an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mixture {
    geometry: Geometry,
    events: Vec<Event>,
    noise: Vec<bool>,
}

/// Events, and how many of them are noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Clean events.
    pub signal: u64,
    /// Noise.
    pub noise: u64,
}

impl Mixture {
    /// Mixes noise, as the simulated sensor makes it of a grey wall, into `clean` events in order of time. It begins with the
    /// first of them and lasts for `duration`; what comes later is left out.
    ///
    /// The sensor's pixels do not know of the noise: it neither silences them nor moves their reference.
    ///
    /// # Errors
    /// [`Error::Parameter`](foveola::Error::Parameter) for rates and sizes that a sensor cannot have.
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

    /// The events, each with whether it is noise.
    pub fn iter(&self) -> impl Iterator<Item = (Event, bool)> + '_ {
        self.events.iter().copied().zip(self.noise.iter().copied())
    }

    /// All events.
    pub fn counts(&self) -> Counts {
        let noise = self.noise.iter().filter(|&&noise| noise).count() as u64;
        Counts { signal: self.noise.len() as u64 - noise, noise }
    }

    /// What is left behind a chain of filters, whose state is cleared at first.
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

    /// An event every millisecond, from 5 s on.
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
        // 200 pixels of 22 Hz, of which half of 20 Hz and all of 2 Hz are ON: deviations of 63 and 45 for the shots.
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
