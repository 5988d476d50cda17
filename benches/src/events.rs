//! Streams of events: decoders, filters, counts into frames and a pipeline, each beside who else can do it.
//!
//! A decoder fills a buffer of 4,096 events again and again, as [`foveola::Recording`] does. The stream is a million events of
//! the simulated sensor, 640 x 480 pixels, with noise.

#[cfg(feature = "peers")]
mod peers;

use foveola::scene::{self, BarAndGrating, SensorParameters, Simulation};
use foveola::{
    EventFilters, EventWriter, Format, Frames, Geometry, Model, Polarity, Recording, Resolution, Result, SmoothConv,
    WriteOptions,
};
use foveola_cli::bench::Contestant;
use foveola_core::events::{Accumulator, Dat, Decode, Event, EventStream, Evt2, Evt3, Evt21, NMnist, Push};
use std::hint::black_box;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
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
        let setup = scene::Setup { geometry: SENSOR, duration: Duration::from_secs(3600), ..scene::Setup::default() };
        let scene = BarAndGrating::filling(SENSOR.rows, SENSOR.cols);
        Ok(Self { events: Simulation::new(scene, setup, &SensorParameters::default())?.take(events).collect() })
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
        let (evt2, small) = (self.bytes(Format::Evt2)?, self.small());
        let mut entrants = vec![
            self.decode("decode evt2", Evt2::new, evt2.clone()),
            self.decode("decode evt21", Evt21::new, self.bytes(Format::Evt21)?),
            self.decode("decode evt3", Evt3::new, self.bytes(Format::Evt3)?),
            self.decode("decode dat", Dat::new, self.bytes(Format::Dat)?),
            self.decode("decode es", EventStream::new, self.bytes(Format::EventStream)?),
            small.decode("decode nmnist", NMnist::new, small.bytes(Format::NMnist)?),
        ];
        for (workload, spec) in filters {
            entrants.push(self.filter(workload, spec)?);
        }
        entrants.push(self.counts());
        entrants.push(self.pipeline(evt2.clone())?);
        #[cfg(feature = "peers")]
        {
            entrants.extend(peers::decoders(self, &evt2, &self.bytes(Format::Evt3)?));
            entrants.push(peers::noise_filter(self, TAU));
        }
        Ok(entrants)
    }

    /// Those events that N-MNIST can hold: 240 x 240 pixels.
    fn small(&self) -> Self {
        let fits = |event: &&Event| event.x < 240 && event.y < 240;
        Self { events: self.events.iter().filter(fits).copied().collect() }
    }

    /// The stream in a format.
    fn bytes(&self, format: Format) -> Result<Vec<u8>> {
        let (sender, pieces) = channel();
        let mut writer =
            EventWriter::to_writer(format.name(), Pieces(sender), format, Some(SENSOR), WriteOptions::default())?;
        self.events.iter().try_for_each(|event| writer.push(*event))?;
        writer.finish()?;
        Ok(pieces.try_iter().flatten().collect())
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
        let mut model = Model::new().then(smooth).with_threads(1);
        let length = bytes.len();
        let bytes: std::sync::Arc<[u8]> = bytes.into();
        Ok(self.entrant("pipeline: evt2, noise filter, frames of 1 ms, SmoothConv", OURS, length, move || {
            let recording = Recording::from_reader("stream", Cursor::new(bytes.clone()), Format::Evt2.into())?;
            let filters = EventFilters::new(SENSOR).with(&"stcf:k=2,tau=5ms".parse()?)?;
            let events = filters.filter(recording.events()?);
            let mut frames = Frames::new(events, SENSOR, Polarity::Signed, 1_000)?;
            model.clear_state();
            while let Some(piece) = frames.next_chunk(8)? {
                black_box(model.process(piece)?);
            }
            Ok(())
        }))
    }
}

/// Sends what is written.
struct Pieces(Sender<Vec<u8>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.send(bytes.to_vec()).map_err(std::io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
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
        let stream = Stream { events: read(&path)? };
        let bytes = std::fs::metadata(&path).map_or(0, |metadata| metadata.len()) as usize;
        let ours = path.clone();
        entrants.push(stream.entrant(workload, OURS, bytes, move || {
            black_box(read(&ours)?);
            Ok(())
        }));
        #[cfg(feature = "peers")]
        if workload == "read aedat4" {
            entrants.extend(peers::aedat4(&stream, workload, bytes, &path));
        }
    }
    Ok(entrants)
}

/// The events of a file.
fn read(path: &Path) -> Result<Vec<Event>> {
    let (mut events, mut all) = (Recording::open(path)?.events()?, Vec::new());
    loop {
        let slice = events.next_slice()?;
        if slice.is_empty() {
            return Ok(all);
        }
        all.extend_from_slice(slice);
    }
}
