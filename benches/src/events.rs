//! Streams of events: decoders, filters, counts into frames and a pipeline, each beside who else can do it.
//!
//! A decoder fills a buffer of 4,096 events again and again, as [`foveola::Recording`] does. The stream is a million events of
//! the simulated sensor, 640 x 480 pixels, with noise.

#[cfg(feature = "peers")]
mod peers;

use foveola::bench::Contestant;
use foveola::scene::{self, BarAndGrating, SensorParameters, Simulation};
use foveola::{
    EventFilters, Format, Frames, Geometry, Model, Order, Polarity, Recording, Resolution, Result, SmoothConv,
};
use foveola_core::events::{
    Accumulator, Dat, DatEncoder, Decode, Event, EventStream, EventStreamEncoder, Evt2, Evt2Encoder, Evt3, Evt3Encoder,
    Evt21, Evt21Encoder, NMnist, NMnistEncoder, Push,
};
use std::hint::black_box;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The sensor.
pub const SENSOR: Geometry = Geometry { cols: 640, rows: 480 };
/// Events decoded at a time.
const BUFFER: usize = 4096;
/// Time constant of the noise filter of others, in microseconds: that of ours.
#[cfg(feature = "peers")]
const TAU: u64 = 5_000;

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
        ("read aedat4", 60.0),
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
        let filters = [
            ("noise filter, k = 1", "stcf:k=1,tau=5ms"),
            ("noise filter, k = 2", "stcf:k=2,tau=5ms"),
            ("refractory period", "refractory:1ms"),
            ("hot pixels", "hot"),
            ("row-column filter", "rowcol:tau=5ms"),
            ("double window", "dwf"),
            ("rate limit", "limit:1000"),
        ];
        let [evt2, evt3, es] = [self.evt2(), self.evt3(), self.es()];
        let mut entrants = vec![
            self.decode("decode evt2", Evt2::new, evt2.clone()),
            self.decode("decode evt21", Evt21::new, self.evt21()),
            self.decode("decode evt3", Evt3::new, evt3.clone()),
            self.decode("decode dat", Dat::new, self.dat()),
            self.decode("decode es", EventStream::new, es),
            self.small().nmnist(),
        ];
        for (workload, spec) in filters {
            entrants.push(self.filter(workload, spec)?);
        }
        entrants.push(self.counts());
        entrants.push(self.pipeline(evt2.clone())?);
        #[cfg(feature = "peers")]
        {
            entrants.extend(peers::decoders(self, &evt2, &evt3));
            entrants.push(peers::noise_filter(self, TAU));
        }
        Ok(entrants)
    }

    /// Those events that N-MNIST can hold: 240 x 240 pixels.
    fn small(&self) -> Self {
        let fits = |event: &&Event| event.x < 240 && event.y < 240;
        Self { events: self.events.iter().filter(fits).copied().collect() }
    }

    fn evt2(&self) -> Vec<u8> {
        let (mut bytes, mut encoder) = (Vec::new(), Evt2Encoder::new());
        for event in &self.events {
            encoder.encode(*event, |word| bytes.extend(word)).expect("640 x 480 pixels fit");
        }
        bytes
    }

    fn evt21(&self) -> Vec<u8> {
        let (mut bytes, mut encoder) = (Vec::new(), Evt21Encoder::new(Order::Little));
        Evt21Encoder::header(Order::Little, SENSOR, |line| bytes.extend(line));
        for event in &self.events {
            encoder.encode(*event, |word| bytes.extend(word)).expect("640 x 480 pixels fit");
        }
        encoder.finish(|word| bytes.extend(word));
        bytes
    }

    fn evt3(&self) -> Vec<u8> {
        let (mut bytes, mut encoder) = (Vec::new(), Evt3Encoder::new());
        for event in &self.events {
            encoder.encode(*event, |word| bytes.extend(word)).expect("640 x 480 pixels fit");
        }
        encoder.finish(|word| bytes.extend(word));
        bytes
    }

    fn dat(&self) -> Vec<u8> {
        let (mut bytes, mut encoder) = (Vec::new(), DatEncoder::new());
        DatEncoder::header(SENSOR, |line| bytes.extend(line));
        for event in &self.events {
            encoder.encode(*event, |word| bytes.extend(word)).expect("640 x 480 pixels fit");
        }
        bytes
    }

    fn es(&self) -> Vec<u8> {
        let (mut bytes, mut encoder) = (Vec::new(), EventStreamEncoder::new(SENSOR.cols as u16, SENSOR.rows as u16));
        encoder.header(|header| bytes.extend(header));
        for event in &self.events {
            encoder.encode(*event, |word| bytes.extend(word)).expect("640 x 480 pixels fit");
        }
        bytes
    }

    fn nmnist(&self) -> Entrant {
        let (mut bytes, mut encoder) = (Vec::new(), NMnistEncoder::new());
        for event in &self.events {
            encoder.encode(*event, |word| bytes.extend(word)).expect("240 x 240 pixels fit");
        }
        self.decode("decode nmnist", NMnist::new, bytes)
    }

    /// A filter of events over buffers as a decoder fills them.
    fn filter(&self, workload: &'static str, spec: &str) -> Result<Entrant> {
        let mut filters = EventFilters::new(SENSOR).with(&spec.parse()?)?;
        let (events, mut buffer) = (self.events.clone(), Vec::with_capacity(BUFFER));
        Ok(self.entrant(workload, OURS, size_of_val(&events[..]), move || {
            filters.clear();
            for events in black_box(&events).chunks(BUFFER) {
                buffer.clear();
                buffer.extend_from_slice(events);
                filters.retain(&mut buffer)?;
                black_box(&mut buffer);
            }
            Ok(())
        }))
    }

    /// Counts ON minus OFF in bins of 10 ms.
    fn counts(&self) -> Entrant {
        let events = self.events.clone();
        let mut frame = vec![0.0_f32; SENSOR.rows * SENSOR.cols];
        self.entrant("counts into frames", OURS, size_of_val(&events[..]), move || {
            let mut bins = Accumulator::new(SENSOR.rows, SENSOR.cols, Polarity::Signed, 10_000).expect("a good size");
            for event in black_box(&events) {
                while let Push::FrameComplete { .. } = bins.push(*event, &mut frame) {
                    black_box(&mut frame);
                }
            }
            Ok(())
        })
    }

    /// From bytes to the smoothed frames of 1 ms, as a user writes it.
    fn pipeline(&self, bytes: Vec<u8>) -> Result<Entrant> {
        let smooth = SmoothConv::gaussian(3, 0.005, 0.05, Resolution::DEFAULT)?; // a centre of the default retina
        let mut model = Model::new().then(smooth).threads(1);
        let length = bytes.len();
        let bytes: Arc<[u8]> = bytes.into();
        Ok(self.entrant("pipeline: evt2, noise filter, frames of 1 ms, SmoothConv", OURS, length, move || {
            let recording = Recording::from_reader("stream", Cursor::new(Arc::clone(&bytes)), Format::Evt2.into())?;
            let filters = EventFilters::new(SENSOR).with(&"stcf:k=2,tau=5ms".parse()?)?;
            let events = filters.filter(recording.events()?);
            let mut frames = Frames::new(events, SENSOR, Polarity::Signed, 1_000)?;
            model.clear_state();
            while let Some(piece) = frames.next_piece(8)? {
                black_box(model.process(piece)?);
            }
            Ok(())
        }))
    }
}

/// One recording in several formats, read from files: `read FORMAT`.
///
/// # Errors
/// A file that cannot be opened.
pub fn files(folder: &Path) -> Result<Vec<Entrant>> {
    const FILES: [(&str, &str); 7] = [
        ("read evt2", "scene_evt2.raw"),
        ("read evt3", "scene_evt3.raw"),
        ("read dat", "scene.dat"),
        ("read es", "scene.es"),
        ("read csv", "scene.csv"),
        ("read nmnist", "scene.nmnist"),
        ("read aedat4", "scene.aedat4"),
    ];
    let mut entrants = Vec::new();
    for (workload, file) in FILES {
        let path = folder.join(file);
        if !path.exists() {
            continue;
        }
        let summary = Recording::open(&path)?.scan(|_| ())?;
        let entrant = |who, call: Box<dyn FnMut() -> Result<()>>| Entrant {
            workload,
            who,
            bytes: std::fs::metadata(&path).map_or(0, |metadata| metadata.len()) as usize,
            events: summary.events as usize,
            seconds: summary.seconds(),
            contestant: Contestant::new(who, summary.events as f64, call),
        };
        let file = path.clone();
        let ours = move || {
            let (mut events, mut all) = (Recording::open(&file)?.events()?, Vec::new());
            loop {
                let slice = events.next_slice()?;
                if slice.is_empty() {
                    break;
                }
                all.extend_from_slice(slice);
            }
            black_box(all);
            Ok(())
        };
        entrants.push(entrant(OURS, Box::new(ours)));
        #[cfg(feature = "peers")]
        if workload == "read aedat4" {
            let file = path.clone();
            if peers::aedat4(&path) == Some(summary.events as usize) {
                entrants.push(entrant(
                    "aedat 1.3",
                    Box::new(move || {
                        black_box(peers::aedat4(&file));
                        Ok(())
                    }),
                ));
            } else {
                eprintln!("the crate aedat finds other events in {}: left out", path.display());
            }
        }
    }
    Ok(entrants)
}
