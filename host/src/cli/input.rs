//! Where frames come from: the built-in scene, a recording, a movie.

use super::chosen::{self, Chosen};
use super::units::plural;
use super::{Reason, RunArgs, decoder_reasons, outside_events};
use foveola::scene::{self, BarAndGrating, Simulation};
use foveola::{Error, EventFilters, Filtered, Format, Frames, Geometry, Recording, Result, movie};
use foveola_core::events::{Dropped, Event, Skipped};
use ndarray::{ArrayView4, ArrayView5, Axis};

/// Wraps the events of the scene as the events of a file come.
type Scene = std::iter::Map<Simulation<BarAndGrating>, fn(Event) -> Result<Event>>;

/// Frames to run a model over.
pub(super) enum Input {
    Scene { frames: Box<Frames<Counted<Filtered<Scene>>>>, duration: f64 },
    Recording { frames: Box<Frames<Counted<Chosen>>>, recording: Box<Recording>, name: String },
    Movie { movie: Box<movie::Reader>, buffer: Vec<f32>, name: String },
}

/// Counts what passes.
pub(super) struct Counted<I> {
    inner: I,
    count: u64,
}

impl<I: Iterator> Iterator for Counted<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        let item = self.inner.next();
        self.count += u64::from(item.is_some());
        item
    }
}

impl Input {
    /// Opens what the arguments name.
    pub(super) fn open(args: &RunArgs) -> Result<Self> {
        let Some(path) = &args.input else {
            let size = scene::Geometry::default();
            let geometry = args.common.geometry.unwrap_or(Geometry { cols: size.cols, rows: size.rows });
            let scene = BarAndGrating::filling(geometry.rows, geometry.cols);
            let sensor = scene::SensorParameters { seed: args.seed, ..Default::default() };
            let size = scene::Geometry { cols: geometry.cols, rows: geometry.rows, ..size };
            let events: Scene = Simulation::new(scene, size, &sensor)?.map(Ok);
            let filters = EventFilters::of(geometry, &args.common.filter)?;
            let geometry = filters.output();
            let events = Counted { inner: filters.filter(events), count: 0 };
            let frames = Frames::new(events, geometry, args.polarity, args.dt)?;
            return Ok(Self::Scene { frames: Box::new(frames), duration: size.duration.as_secs_f64() });
        };
        let name =
            path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        if args.common.format.is_none() && movie::is_movie(path)? {
            if !args.common.filter.is_empty() {
                let reason = "a movie, which no filter of events (--filter) takes".into();
                return Err(Error::Data { path: path.clone(), reason });
            }
            return Ok(Self::Movie { movie: Box::new(movie::open(path)?), buffer: Vec::new(), name });
        }
        let recording = chosen::open(path, &args.common)?;
        let events = Chosen::new(&recording, &args.common)?;
        let geometry = events.geometry(&recording, &args.common)?;
        let frames = Frames::new(Counted { inner: events, count: 0 }, geometry, args.polarity, args.dt)?;
        Ok(Self::Recording { frames: Box::new(frames), recording: Box::new(recording), name })
    }

    /// The next frames, `(batch, channel, time, row, col)`; none at the end.
    pub(super) fn next_piece(&mut self, frames: usize) -> Result<Option<ArrayView5<'_, f32>>> {
        match self {
            Self::Scene { frames: source, .. } => source.next_piece(frames),
            Self::Recording { frames: source, .. } => source.next_piece(frames),
            Self::Movie { movie, buffer, .. } => {
                let shape = movie.shape();
                buffer.clear();
                let read = movie.next_frames(frames, buffer)?;
                let piece = ArrayView4::from_shape((read, shape.channels, shape.rows, shape.cols), buffer);
                // Always of this shape.
                Ok(piece.ok().filter(|_| read > 0).map(|piece| piece.permuted_axes([1, 0, 2, 3]).insert_axis(Axis(0))))
            }
        }
    }

    /// Samples of a frame, over batch and channels.
    pub(super) fn frame_len(&self) -> usize {
        match self {
            Self::Scene { frames, .. } => frames.shape().len(),
            Self::Recording { frames, .. } => frames.shape().len(),
            Self::Movie { movie, .. } => movie.shape().len(),
        }
    }

    /// How far through the input, 0 to 1.
    pub(super) fn progress(&self) -> f64 {
        match self {
            Self::Scene { frames, duration } => frames.time().map_or(0.0, |t| t as f64 * 1e-6 / duration),
            // Not known of a pipe; and of an archive, what is read is not what the file holds.
            Self::Recording { frames, recording, .. } => recording
                .bytes()
                .filter(|_| recording.format() != Format::Npz)
                .map_or(0.0, |bytes| frames.events().inner.events().position() as f64 / bytes.max(1) as f64),
            Self::Movie { movie, .. } => {
                movie.frames().map_or(0.0, |frames| movie.frames_read() as f64 / frames.max(1) as f64)
            }
        }
    }

    /// What it is, in a line.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Scene { .. } => format!("built-in scene, {}", self.pixels()),
            Self::Recording { name, .. } => format!("{name}, {}", self.pixels()),
            Self::Movie { movie, name, .. } => {
                let channels = movie.shape().channels;
                let more = if channels > 1 { format!(", {channels} channels") } else { String::new() };
                format!("{name}, {}{more}", self.pixels())
            }
        }
    }

    /// Size of a frame.
    fn pixels(&self) -> String {
        let (rows, cols) = match self {
            Self::Scene { frames, .. } => (frames.shape().rows, frames.shape().cols),
            Self::Recording { frames, .. } => (frames.shape().rows, frames.shape().cols),
            Self::Movie { movie, .. } => (movie.shape().rows, movie.shape().cols),
        };
        format!("{cols} x {rows} pixels")
    }

    /// Events so far; none for a movie.
    pub(super) fn events(&self) -> Option<u64> {
        match self {
            Self::Scene { frames, .. } => Some(frames.events().count),
            Self::Recording { frames, .. } => Some(frames.events().count),
            Self::Movie { .. } => None,
        }
    }

    /// What was left out so far, and why; the counts that this input can have.
    pub(super) fn skipped(&self) -> Vec<Reason> {
        let Some((dropped, jumps)) = self.dropped() else { return Vec::new() };
        let late = ("late_events", "events behind their bin (time ran backwards)", dropped.late);
        let jumps = ("jumps", "jumps of the clock by over a minute, not filled", u64::from(jumps));
        let skipped = match self {
            Self::Recording { frames, .. } => frames.events().inner.events().skipped(),
            _ => Skipped::default(),
        };
        let mut all = vec![late, outside_events(dropped.outside, &skipped), jumps];
        if let Self::Recording { .. } = self {
            all.extend(decoder_reasons(&skipped));
        }
        all
    }

    /// How often the clock was reset so far.
    pub(super) fn resets(&self) -> u64 {
        match self {
            Self::Recording { frames, .. } => frames.events().inner.resets(),
            Self::Scene { .. } | Self::Movie { .. } => 0,
        }
    }

    /// What each filter of events dropped so far.
    pub(super) fn filtered(&self) -> Vec<(String, u64)> {
        match self {
            Self::Scene { frames, .. } => chosen::dropped(frames.events().inner.filters()),
            Self::Recording { frames, .. } => frames.events().inner.filtered(),
            Self::Movie { .. } => Vec::new(),
        }
    }

    /// Events that are in no frame, and how often time jumped.
    fn dropped(&self) -> Option<(Dropped, u32)> {
        match self {
            Self::Scene { frames, .. } => Some((frames.dropped(), frames.jumps())),
            Self::Recording { frames, .. } => Some((frames.dropped(), frames.jumps())),
            Self::Movie { .. } => None,
        }
    }

    /// At the end: why there was nothing to see.
    pub(super) fn nothing_seen(&self, args: &RunArgs) -> Option<Error> {
        let (events, (dropped, _)) = (self.events()?, self.dropped()?);
        let path = || args.input.clone().unwrap_or_else(|| "built-in scene".into());
        match self {
            Self::Recording { frames, recording, .. } if events == 0 => {
                return Some(frames.events().inner.nothing(recording, &args.common));
            }
            _ if events == 0 => return Some(Error::Data { path: path(), reason: "no events".into() }),
            _ => {}
        }
        (dropped.outside == events).then(|| {
            let why = "expected events inside the geometry (--geometry, or the header's)";
            let reason = format!("none of {} lies inside {}; {why}", plural(events, "event"), self.pixels());
            Error::Data { path: path(), reason }
        })
    }
}
