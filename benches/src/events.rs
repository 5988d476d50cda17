//! Streams of events: decoders, filters, counts into frames and a pipeline, each beside who else can do it.
//!
//! A decoder fills a buffer of 4,096 events again and again, as [`foveola::Recording`] does. The stream is a million events of
//! the simulated sensor, 640 x 480 pixels, with noise.

use foveola::bench::Contestant;
use foveola::scene::{self, BarAndGrating, SensorParameters, Simulation};
use foveola::{Geometry, Polarity, Result};
use foveola_core::events::filters::{EventFilter, Neighbours, Refractory, Restart, Stcf};
use foveola_core::events::{Accumulator, Decode, Event, Evt2, Evt2Encoder, Push};
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

/// The sensor.
pub const SENSOR: Geometry = Geometry { cols: 640, rows: 480 };
/// Events decoded at a time.
const BUFFER: usize = 4096;
/// Microseconds of a bin.
const BIN: u64 = 10_000;
/// Time constant of the noise filters, in microseconds.
const TAU: u32 = 5_000;

/// One who takes part in a workload.
pub struct Entrant {
    /// What is done.
    pub workload: &'static str,
    /// By whom.
    pub who: &'static str,
    /// Bytes of the stream.
    pub bytes: usize,
    /// Events of the stream.
    pub events: usize,
    /// Seconds of the stream.
    pub seconds: f64,
    /// What is measured; its work is in events.
    pub contestant: Contestant<'static>,
}

/// The name of this library among those who take part.
pub const OURS: &str = "foveola";

/// Millions of events a second that a workload should reach with one thread, if it has such a target.
pub fn target(workload: &str) -> Option<f64> {
    let targets = [
        ("decode evt2", 300.0),
        ("decode evt3", 150.0),
        ("decode nmnist", 300.0),
        ("decode dat", 300.0),
        ("noise filter, k = 2", 80.0),
        ("refractory period", 200.0),
        ("counts into frames", 300.0),
    ];
    targets.iter().find(|(name, _)| *name == workload).map(|(_, target)| *target)
}

/// A stream and its workloads.
pub struct Stream {
    events: Vec<Event>,
}

impl Stream {
    /// The first events of the built-in scene.
    ///
    /// # Errors
    /// None: the scene is a good one.
    pub fn new(events: usize) -> Result<Self> {
        let Geometry { cols, rows } = SENSOR;
        let size = scene::Geometry { cols, rows, duration: Duration::from_secs(3600), ..scene::Geometry::default() };
        let scene = BarAndGrating::filling(rows, cols);
        Ok(Self { events: Simulation::new(scene, size, &SensorParameters::default())?.take(events).collect() })
    }

    /// Its events.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    fn entrant(
        &self,
        workload: &'static str,
        who: &'static str,
        bytes: usize,
        call: impl FnMut() -> Result<()> + 'static,
    ) -> Entrant {
        let span = |events: &[Event]| Some(events.last()?.t - events.first()?.t);
        Entrant {
            workload,
            who,
            bytes,
            events: self.events.len(),
            seconds: span(&self.events).unwrap_or(0) as f64 * 1e-6,
            contestant: Contestant::new(who, self.events.len() as f64, call),
        }
    }

    /// A decoder of ours. It must give back what was written.
    fn decode<D: Decode + 'static>(&self, workload: &'static str, new: fn() -> D, bytes: Vec<u8>) -> Entrant {
        let decoded: Vec<Event> = new().events(&bytes).collect();
        assert!(decoded == self.events, "{workload} gives {} other events", decoded.len());
        let mut buffer = vec![Event { t: 0, x: 0, y: 0, on: false }; BUFFER];
        self.entrant(workload, OURS, bytes.len(), move || {
            let (mut decoder, mut rest) = (new(), black_box(&bytes[..]));
            while decoder.fill(&mut rest, &mut buffer) > 0 {
                black_box(&mut buffer);
            }
            Ok(())
        })
    }
}

impl Stream {
    /// Everyone who takes part, workload by workload.
    ///
    /// # Errors
    /// A model that cannot be built.
    pub fn entrants(&self) -> Result<Vec<Entrant>> {
        Ok(vec![
            self.decode("decode evt2", Evt2::new, self.evt2()),
            self.filter("noise filter, k = 1", Stcf::new(SENSOR, Neighbours::Eight, 1, TAU).expect("good")),
            self.filter("noise filter, k = 2", Stcf::new(SENSOR, Neighbours::Eight, 2, TAU).expect("good")),
            self.filter("refractory period", Refractory::new(SENSOR, 1_000, Restart::Kept).expect("good")),
            self.counts(),
        ])
    }

    /// A filter of events over buffers as a decoder fills them.
    fn filter(&self, workload: &'static str, filter: impl EventFilter + 'static) -> Entrant {
        let (events, mut state) = (self.events.clone(), vec![0; filter.state_len()]);
        let mut buffer = vec![Event { t: 0, x: 0, y: 0, on: false }; BUFFER];
        self.entrant(workload, OURS, size_of_val(&events[..]), move || {
            for events in black_box(&events).chunks(BUFFER) {
                let buffer = &mut buffer[..events.len()];
                buffer.copy_from_slice(events);
                black_box(filter.retain(&mut state, buffer).expect("as much state as it needs"));
            }
            Ok(())
        })
    }

    fn evt2(&self) -> Vec<u8> {
        let (mut bytes, mut encoder) = (Vec::new(), Evt2Encoder::new());
        for event in &self.events {
            encoder.encode(*event, |word| bytes.extend(word)).expect("640 x 480 pixels fit");
        }
        bytes
    }

    /// Counts ON minus OFF in bins of 1 ms.
    fn counts(&self) -> Entrant {
        let events = self.events.clone();
        let mut frame = vec![0.0_f32; SENSOR.rows * SENSOR.cols];
        self.entrant("counts into frames", OURS, size_of_val(&events[..]), move || {
            let mut bins = Accumulator::new(SENSOR.rows, SENSOR.cols, Polarity::Signed, BIN).expect("a good size");
            for event in black_box(&events) {
                while let Push::FrameComplete { .. } = bins.push(*event, &mut frame) {
                    black_box(&mut frame);
                }
            }
            Ok(())
        })
    }
}
