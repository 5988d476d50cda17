//! The source of frames: the built-in scene, a recording, or a movie.

use super::applies::{self, Kind};
use super::chosen::{self, Chosen};
use super::resume::{Inside, Position};
use crate::args::RunArgs;
use crate::text::{Reason, decoder_reasons, outside_events};
use crate::units::{plural, seconds};
use foveola::movie::Scale;
use foveola::picture::{Map, Shrink, Stage};
use foveola::scene::{self, BarAndGrating, Simulation};
use foveola::{Error, EventFilters, Filtered, Format, Frames, Geometry, Polarity, Recording, Result, movie};
use foveola_core::Shape;
use foveola_core::events::Event;
use ndarray::{ArrayView4, ArrayView5, Axis};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Time per frame in microseconds, if neither the arguments nor the input give it.
pub(super) const DT: u64 = 1_000;

/// The frames that a model runs on.
pub(crate) struct Input {
    source: Source,
    name: String,
    /// Time per frame in microseconds, and the origin of that value.
    dt: u64,
    dt_from: &'static str,
}

enum Source {
    Events { frames: Box<Frames<Counted>>, polarity: Polarity },
    Movie { movie: Box<movie::Reader>, part: Part, buffer: Vec<f32> },
}

/// The part of a movie that the arguments select.
struct Part {
    /// The first frame, and the one after the last, unless that is the end of the movie.
    first: u64,
    end: Option<u64>,
}

/// The source of events.
enum Events {
    Scene {
        events: Box<Filtered<Scene>>,
        duration: f64,
    },
    Recording {
        events: Chosen,
        recording: Box<Recording>,
    },
    /// Kept events, and the number already returned.
    Kept(Arc<[Event]>, usize),
}

/// Adapts the events of the scene to the item type of a file's events.
type Scene = std::iter::Map<Simulation<BarAndGrating>, fn(Event) -> Result<Event>>;

impl Iterator for Events {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Result<Event>> {
        match self {
            Self::Scene { events, .. } => events.next(),
            Self::Recording { events, .. } => events.next(),
            Self::Kept(events, taken) => {
                *taken += 1;
                events.get(*taken - 1).copied().map(Ok)
            }
        }
    }
}

/// The largest number of events that are kept of an input: 16 MB.
const KEPT: usize = 1 << 20;

/// Counts the events that pass, and keeps them up to a limit.
struct Counted {
    events: Events,
    count: u64,
    kept: Option<Vec<Event>>,
}

impl Iterator for Counted {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Result<Event>> {
        let item = self.events.next();
        self.count += u64::from(item.is_some());
        if let Some(Ok(event)) = item {
            match &mut self.kept {
                Some(kept) if kept.len() < KEPT => kept.push(event),
                kept => *kept = None,
            }
        }
        item
    }
}

/// All events of an input, from which the same frames can be computed again.
pub(crate) struct Kept {
    events: Arc<[Event]>,
    geometry: Geometry,
    polarity: Polarity,
    dt: u64,
}

impl Source {
    /// Frames of `dt` microseconds, with the polarity given by the arguments.
    fn events(args: &RunArgs, events: Events, geometry: Geometry, dt: u64) -> Result<Self> {
        let (start, end) = match &events {
            Events::Recording { events, .. } => events.frames(),
            Events::Scene { .. } | Events::Kept(..) => (None, None),
        };
        let polarity = args.polarity.unwrap_or(Polarity::Signed);
        // They are for the second run, which follows the most variable pixel.
        let kept = (!args.no_pictures && args.pixel.is_none()).then(Vec::new);
        let counted = Counted { events, count: 0, kept };
        let frames = Frames::new(counted, geometry, polarity, dt)?;
        let frames = start.into_iter().fold(frames, Frames::starting_at);
        let frames = end.into_iter().fold(frames, Frames::ending_at);
        Ok(Self::Events { frames: Box::new(frames), polarity })
    }
}

impl Input {
    /// Opens the input given by the arguments.
    pub(crate) fn open(args: &RunArgs) -> Result<Self> {
        let name = args.input.as_deref().map_or_else(String::new, |path| {
            path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
        });
        let (dt, dt_from) = args.frame_time()?;
        let source = match &args.input {
            None => Self::scene(args, dt)?,
            Some(path) => match if args.common.format.is_none() { movie::kind(path)? } else { None } {
                Some(kind) => return Self::movie(args, path, kind, name),
                None => Self::recording(args, path, dt, &name)?,
            },
        };
        Ok(Self { source, name, dt, dt_from })
    }

    /// The same frames again, from kept events.
    pub(crate) fn again(kept: &Kept) -> Result<Self> {
        let Kept { events, geometry, polarity, dt } = kept;
        let counted = Counted { events: Events::Kept(events.clone(), 0), count: 0, kept: None };
        let frames = Box::new(Frames::new(counted, *geometry, *polarity, *dt)?);
        Ok(Self { source: Source::Events { frames, polarity: *polarity }, name: String::new(), dt: *dt, dt_from: "" })
    }

    /// At the end: all events of the input; none if there were too many or it is a movie.
    pub(crate) fn kept(&self) -> Option<Kept> {
        let Source::Events { frames, polarity } = &self.source else { return None };
        let Shape { rows, cols, .. } = frames.shape();
        let events = frames.events().kept.as_deref()?.into();
        Some(Kept { events, geometry: Geometry { cols, rows }, polarity: *polarity, dt: self.dt })
    }

    /// Whether the input can be read again: anything except a pipe.
    pub(crate) fn is_there_again(args: &RunArgs) -> bool {
        let file = |path: &Path| std::fs::metadata(path).is_ok_and(|file| file.is_file() || file.is_dir());
        args.input.as_deref().is_none_or(|path| path.as_os_str() != "-" && file(path))
    }

    fn scene(args: &RunArgs, dt: u64) -> Result<Source> {
        applies::to_run(args, Kind::Scene, "");
        let default = scene::Setup::default();
        let geometry = args.common.geometry.unwrap_or(default.geometry);
        let scene = BarAndGrating::filling(geometry.rows, geometry.cols);
        let sensor = scene::SensorParameters { seed: args.seed.unwrap_or(0), ..Default::default() };
        let setup = scene::Setup { geometry, ..default };
        let events: Scene = Simulation::new(scene, setup, &sensor)?.map(Ok);
        let filters = EventFilters::of(geometry, &args.common.filter)?;
        args.refuse_filters_with_state(&filters)?;
        args.cut(dt)?;
        let geometry = filters.output();
        let events = Box::new(filters.filter(events));
        Source::events(args, Events::Scene { events, duration: setup.duration.as_secs_f64() }, geometry, dt)
    }

    fn recording(args: &RunArgs, path: &Path, dt: u64, name: &str) -> Result<Source> {
        let recording = chosen::open(path, &args.common)?;
        applies::to_run(args, Kind::Events(recording.format()), name);
        let events = Chosen::cut(&recording, &args.common, args.cut(dt)?)?;
        events.filters().map_or(Ok(()), |filters| args.refuse_filters_with_state(filters))?;
        let geometry = events.geometry(&recording, &args.common)?;
        let recording = Box::new(recording);
        Source::events(args, Events::Recording { events, recording }, geometry, dt)
    }

    fn movie(args: &RunArgs, path: &Path, kind: movie::Kind, name: String) -> Result<Self> {
        applies::to_run(args, Kind::Movie(kind), &name);
        let options = movie::Options { scale: args.scale, untimed: args.dt.is_some() };
        let mut movie = movie::open_with(path, options)?;
        let own = movie.frame_time().map(|time| time.as_micros() as u64);
        let (dt, dt_from) = match (args.dt, own) {
            (Some(dt), _) => (dt, "given"),
            (None, Some(dt)) => (dt, "the GIF's own"),
            (None, None) => args.frame_time()?,
        };
        // The frames that start in the selected time range.
        let from = args.cut(dt)?.and_then(|cut| cut.next).or(args.common.from);
        let part = Part { first: from.unwrap_or(0).div_ceil(dt), end: args.common.to.map(|to| to.div_ceil(dt)) };
        let data = |reason: String| Error::Data { path: path.into(), reason };
        if part.end.is_some_and(|end| end <= part.first) {
            let reason = format!("no frame of {} begins between --from and --to", seconds(dt as f64 * 1e-6));
            return Err(data(format!("{reason}; expected times that are farther apart")));
        }
        if movie.skip_frames(part.first)? < part.first || movie.frames() == Some(part.first) {
            let reason = format!(
                "{} of {} end at {}; expected an earlier --from",
                plural(movie.frames_read(), "frame"),
                seconds(dt as f64 * 1e-6),
                seconds(movie.frames_read() as f64 * dt as f64 * 1e-6)
            );
            return Err(data(reason));
        }
        let source = Source::Movie { movie: Box::new(movie), part, buffer: Vec::new() };
        Ok(Self { source, name, dt, dt_from })
    }

    /// The next frames, `(batch, channel, time, row, col)`; none at the end.
    pub(crate) fn next_chunk(&mut self, frames: usize) -> Result<Option<ArrayView5<'_, f32>>> {
        match &mut self.source {
            Source::Events { frames: source, .. } => source.next_chunk(frames),
            Source::Movie { movie, part, buffer, .. } => {
                let shape = movie.shape();
                buffer.clear();
                let left = part.end.map_or(u64::MAX, |end| end.saturating_sub(movie.frames_read()));
                let read = movie.next_frames(frames.min(usize::try_from(left).unwrap_or(usize::MAX)), buffer)?;
                let piece = ArrayView4::from_shape((read, shape.channels, shape.rows, shape.cols), buffer);
                // The length always matches this shape.
                Ok(piece.ok().filter(|_| read > 0).map(|piece| piece.permuted_axes([1, 0, 2, 3]).insert_axis(Axis(0))))
            }
        }
    }

    /// At the end: where the next frame is.
    pub(crate) fn position(&self, path: Option<&Path>) -> Result<Position> {
        let inside = match &self.source {
            Source::Events { .. } => self.recording_events().and_then(Chosen::place),
            Source::Movie { movie, part, .. } => match part.end {
                Some(end) if movie.frames_read() < end => {
                    let path = path.map_or_else(PathBuf::new, Into::into);
                    let found = plural(movie.frames_read(), "frame");
                    let reason =
                        format!("{found}, fewer than before --to; expected an earlier --to for a state, or none");
                    return Err(Error::Data { path, reason });
                }
                Some(end) if movie.frames().is_none_or(|frames| end < frames) => {
                    Some(Inside { next: end.saturating_mul(self.dt), first: None })
                }
                _ => None,
            },
        };
        Ok(Position::new(self.dt, inside))
    }

    /// The number of the first frame in its movie.
    fn first(&self) -> u64 {
        if let Source::Movie { part, .. } = &self.source { part.first } else { 0 }
    }

    /// An error of a model; names the file if one of its samples is not finite.
    pub(crate) fn blame(&self, error: Error, path: Option<&Path>) -> Error {
        match (error, path) {
            (Error::NonFinite { batch: _, channel, frame, row, col, value }, Some(path)) => {
                let frame = frame + self.first();
                let place = format!("the sample at channel {channel}, frame {frame}, row {row}, column {col}");
                Error::Data { path: path.into(), reason: format!("{place} is {value}; expected a finite number") }
            }
            (error, _) => error,
        }
    }

    /// Channels, rows and columns of a frame.
    pub(crate) fn shape(&self) -> Shape {
        match &self.source {
            Source::Events { frames, .. } => frames.shape(),
            Source::Movie { movie, .. } => movie.shape(),
        }
    }

    /// Time per frame in microseconds.
    pub(crate) fn dt(&self) -> u64 {
        self.dt
    }

    /// The origin of the time per frame.
    pub(crate) fn dt_from(&self) -> &'static str {
        self.dt_from
    }

    /// How the input is displayed.
    pub(crate) fn stage(&self) -> Stage {
        let stage = Stage::new("input").unit(self.unit());
        match &self.source {
            Source::Events { polarity: Polarity::Signed, .. } => stage.ends("OFF", "ON").map(Map::Polar).counts(),
            Source::Events { .. } => stage.channels(self.channels()).map(Map::Ember).counts(),
            Source::Movie { movie, .. } if movie.scale() == Scale::Unit => stage.map(Map::Gray).shrink(Shrink::Mean),
            Source::Movie { .. } => stage.shrink(Shrink::Mean),
        }
    }

    /// The unit of the samples; a model's response has the same unit.
    pub(crate) fn unit(&self) -> String {
        match &self.source {
            Source::Events { .. } => format!("events in {}", seconds(self.dt as f64 * 1e-6)),
            Source::Movie { movie, .. } if movie.scale() == Scale::Unit => "brightness".into(),
            Source::Movie { .. } => "sample values".into(),
        }
    }

    /// Names of the channels, if they have names.
    pub(crate) fn channels(&self) -> Vec<&'static str> {
        let split = matches!(self.source, Source::Events { polarity: Polarity::Split, .. });
        if split { vec!["ON", "OFF"] } else { Vec::new() }
    }

    /// Progress through the input, 0 to 1.
    pub(crate) fn progress(&self) -> f64 {
        match &self.source {
            Source::Events { frames, .. } => match &frames.events().events {
                Events::Scene { duration, .. } => frames.time().map_or(0.0, |t| t as f64 * 1e-6 / duration),
                // Unknown for a pipe; for an archive, the positions read are not those of the file.
                Events::Recording { events, recording } => recording
                    .bytes()
                    .filter(|_| recording.format() != Format::Npz)
                    .map_or(0.0, |bytes| events.events().position() as f64 / bytes.max(1) as f64),
                Events::Kept(..) => 0.0,
            },
            Source::Movie { movie, part, .. } => {
                let end = part.end.unwrap_or(u64::MAX).min(movie.frames().unwrap_or(u64::MAX));
                movie.frames_read().saturating_sub(part.first) as f64 / end.saturating_sub(part.first).max(1) as f64
            }
        }
    }

    /// A description in one line.
    pub(crate) fn describe(&self) -> String {
        let name = if self.name.is_empty() { "built-in scene" } else { &self.name };
        let channels = match &self.source {
            Source::Movie { movie, .. } if movie.shape().channels > 1 => {
                format!(", {} channels", movie.shape().channels)
            }
            _ => String::new(),
        };
        format!("{name}, {}{channels}", self.pixels())
    }

    /// An additional note in one line.
    pub(crate) fn note(&self) -> Option<String> {
        let Source::Movie { movie, .. } = &self.source else { return None };
        let short = movie.short_delays();
        (short > 0).then(|| format!("{} of 0 or 10 ms count as 100 ms", plural(short, "delay")))
    }

    /// Size of a frame.
    fn pixels(&self) -> String {
        let Shape { rows, cols, .. } = self.shape();
        format!("{cols} x {rows} pixels")
    }

    /// Number of events so far; none for a movie.
    pub(crate) fn events(&self) -> Option<u64> {
        match &self.source {
            Source::Events { frames, .. } => Some(frames.events().count),
            Source::Movie { .. } => None,
        }
    }

    /// The recording that is the source of the events.
    fn recording_events(&self) -> Option<&Chosen> {
        match &self.source {
            Source::Events { frames, .. } => match &frames.events().events {
                Events::Recording { events, .. } => Some(events),
                Events::Scene { .. } | Events::Kept(..) => None,
            },
            Source::Movie { .. } => None,
        }
    }

    /// The data omitted so far, by reason; only the counts that apply to this input.
    pub(crate) fn skipped(&self) -> Vec<Reason> {
        let Source::Events { frames, .. } = &self.source else { return Vec::new() };
        let (dropped, jumps) = (frames.dropped(), u64::from(frames.jumps()));
        let late = ("late_events", "events behind their bin (time ran backwards)", dropped.late);
        let jumps = ("jumps", "jumps of the clock by over a minute, not filled", jumps);
        let read = self.recording_events().map(|events| events.events().skipped());
        let mut all = vec![late, outside_events(dropped.outside, &read.unwrap_or_default()), jumps];
        if let Some(skipped) = read {
            all.extend(decoder_reasons(&skipped));
        }
        all
    }

    /// Number of clock resets so far.
    pub(crate) fn resets(&self) -> u64 {
        self.recording_events().map_or(0, Chosen::resets)
    }

    /// The number of events that each event filter has dropped so far.
    pub(crate) fn filtered(&self) -> Vec<(String, u64)> {
        let Source::Events { frames, .. } = &self.source else { return Vec::new() };
        match &frames.events().events {
            Events::Scene { events, .. } => chosen::dropped(events.filters()),
            Events::Recording { events, .. } => events.filtered(),
            Events::Kept(..) => Vec::new(),
        }
    }

    /// At the end: the reason why there were no frames.
    pub(crate) fn nothing_seen(&self, args: &RunArgs) -> Option<Error> {
        let Source::Events { frames, .. } = &self.source else { return None };
        let (counted, outside) = (frames.events(), frames.dropped().outside);
        let path = || args.input.clone().unwrap_or_else(|| "built-in scene".into());
        let events = counted.count;
        if events == 0 {
            return Some(match &counted.events {
                Events::Recording { events, recording } => events.nothing(recording, &args.common),
                _ => Error::Data { path: path(), reason: "no events".into() },
            });
        }
        (outside == events).then(|| {
            let why = "expected events inside the geometry (--geometry, or the header's)";
            let reason = format!("none of {} lies inside {}; {why}", plural(events, "event"), self.pixels());
            Error::Data { path: path(), reason }
        })
    }
}
