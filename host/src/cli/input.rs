//! Where frames come from: the built-in scene, a recording, a movie.

use super::units::{seconds, thousands};
use super::{RunArgs, info};
use foveola::scene::{self, BarAndGrating, Simulation};
use foveola::{Error, Events, Frames, Geometry, Result, npy};
use foveola_core::events::Event;
use ndarray::{Array5, ArrayView5, Axis, s};

/// Wraps the events of the scene as the events of a file come.
type Scene = std::iter::Map<Simulation<BarAndGrating>, fn(Event) -> Result<Event>>;

/// Frames to run a model over.
pub(super) enum Input {
    Scene { frames: Frames<Counted<Scene>>, duration: f64 },
    Recording { frames: Box<Frames<Counted<Events>>>, bytes: u64, name: String },
    Movie { movie: Array5<f32>, at: usize, name: String },
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
            let frames = Frames::new(Counted { inner: events, count: 0 }, geometry, args.polarity, args.dt)?;
            return Ok(Self::Scene { frames, duration: size.duration.as_secs_f64() });
        };
        let name =
            path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy")) {
            let movie = npy::read_movie(path)?;
            if movie.is_empty() {
                let reason = format!("a movie of shape {:?} has no samples; expected frames", movie.shape());
                return Err(Error::Data { path: path.clone(), reason });
            }
            return Ok(Self::Movie { movie, at: 0, name });
        }
        let recording = info::open(path, &args.common)?;
        let header = {
            // The header comes before the first event.
            let mut events = recording.events()?;
            events.next().transpose()?;
            events.geometry()
        };
        let geometry = match args.common.geometry.or(header) {
            Some(geometry) => geometry,
            None => recording.scan(|_| ())?.geometry().ok_or_else(|| Error::Data {
                path: path.clone(),
                reason: format!("no events in {} bytes of {}", recording.bytes(), recording.format().name()),
            })?,
        };
        let frames = Frames::new(Counted { inner: recording.events()?, count: 0 }, geometry, args.polarity, args.dt)?;
        Ok(Self::Recording { frames: Box::new(frames), bytes: recording.bytes(), name })
    }

    /// The next frames, `(batch, channel, time, row, col)`; none at the end.
    pub(super) fn next_piece(&mut self, frames: usize) -> Result<Option<ArrayView5<'_, f32>>> {
        match self {
            Self::Scene { frames: source, .. } => source.next_piece(frames),
            Self::Recording { frames: source, .. } => source.next_piece(frames),
            Self::Movie { movie, at, .. } => {
                let (from, to) = (*at, (*at + frames).min(movie.len_of(Axis(2))));
                *at = to;
                Ok((from < to).then(|| movie.slice(s![.., .., from..to, .., ..])))
            }
        }
    }

    /// Samples of a frame, over batch and channels.
    pub(super) fn frame_len(&self) -> usize {
        match self {
            Self::Scene { frames, .. } => frames.shape().len(),
            Self::Recording { frames, .. } => frames.shape().len(),
            Self::Movie { movie, .. } => movie.len() / movie.len_of(Axis(2)).max(1),
        }
    }

    /// How far through the input, 0 to 1.
    pub(super) fn progress(&self) -> f64 {
        match self {
            Self::Scene { frames, duration } => frames.time().map_or(0.0, |t| t as f64 * 1e-6 / duration),
            Self::Recording { frames, bytes, .. } => frames.events().inner.position() as f64 / (*bytes).max(1) as f64,
            Self::Movie { movie, at, .. } => *at as f64 / movie.len_of(Axis(2)) as f64,
        }
    }

    /// What it is, in a line.
    pub(super) fn describe(&self, recorded: f64) -> String {
        let events = |shape: foveola_core::Shape, count: u64| {
            format!("{} x {} pixels, {} events in {}", shape.cols, shape.rows, thousands(count), seconds(recorded))
        };
        match self {
            Self::Scene { frames, .. } => {
                format!("built-in scene, {}", events(frames.shape(), frames.events().count))
            }
            Self::Recording { frames, name, .. } => {
                format!("{name}, {}", events(frames.shape(), frames.events().count))
            }
            Self::Movie { movie, name, .. } => {
                let (batch, channels, frames, rows, cols) = movie.dim();
                let more =
                    if batch * channels > 1 { format!(", batch {batch}, {channels} channels") } else { String::new() };
                format!("{name}, {} frames of {cols} x {rows} pixels{more}", thousands(frames as u64))
            }
        }
    }

    /// Events so far; none for a movie.
    pub(super) fn events(&self) -> Option<u64> {
        match self {
            Self::Scene { frames, .. } => Some(frames.events().count),
            Self::Recording { frames, .. } => Some(frames.events().count),
            Self::Movie { .. } => None,
        }
    }

    /// What was left out so far, and why.
    pub(super) fn skipped(&self) -> Vec<(&'static str, u64)> {
        let dropped = match self {
            Self::Scene { frames, .. } => frames.dropped(),
            Self::Recording { frames, .. } => frames.dropped(),
            Self::Movie { .. } => return Vec::new(),
        };
        let mut all = vec![
            ("events behind their bin (time ran backwards)", dropped.late),
            ("events outside the geometry", dropped.outside),
        ];
        if let Self::Recording { frames, .. } = self {
            let reasons = frames.events().inner.skipped().reasons();
            all.extend(reasons.map(|(reason, count)| (reason, u64::from(count))));
        }
        all.retain(|(_, count)| *count > 0);
        all
    }
}
