//! `foveola record`: the built-in scene, or a movie, seen by the simulated sensor, as a recording.

use super::sensor::SensorArgs;
use super::units::{self, plural, seconds, thousands};
use super::{Lines, print, refuse};
use clap::Args;
use foveola::scene::{self, BarAndGrating, Film, Origin, Simulation};
use foveola::{EventWriter, Format, Geometry, Result, Written, movie};
use foveola_core::events::Event;
use std::path::{Path, PathBuf};
use std::time::Duration;

const HELP: &str = "\
The format is that of the file's name, or EVT2.

Examples:
  foveola record scene.raw
  foveola record a.raw --geometry 64x64 --duration 200ms
  foveola record a.raw --movie frames/ --rate 240
  foveola record dim.raw --movie a.gif --threshold 0.2 \\
      --leak 0.2 --shot 5 --cutoff 100 --cutoff-dark 0.1";

#[derive(Args, Clone)]
#[command(after_help = HELP)]
pub(super) struct RecordArgs {
    /// The file to write
    file: PathBuf,

    /// A movie to look at: a folder of PNGs, a GIF, an array in .npy or .npz [default: the built-in scene]
    #[arg(long, value_name = "PATH")]
    movie: Option<PathBuf>,

    /// Frames of the movie in a second: of a GIF, each picture is one then [default: its own, or 30]
    #[arg(long, value_name = "HZ", requires = "movie", value_parser = units::number, allow_hyphen_values = true)]
    rate: Option<f32>,

    /// Samples of an array: unit (0 to 1, parts of the largest of their type) or raw (as they stand) [default: unit for u1
    /// and u2, raw for floats]
    #[arg(long, requires = "movie", value_parser = units::scale, value_name = "HOW")]
    scale: Option<movie::Scale>,

    /// Exponent that makes luminance of the movie's samples: 2.2 for most pictures, 1 leaves them as they are
    #[arg(long, value_name = "X", default_value = "1", requires = "movie", value_parser = units::number, allow_hyphen_values = true)]
    gamma: f32,

    /// Size of the sensor [default: the movie's, or 128x96]
    #[arg(long, value_name = "COLSxROWS", conflicts_with = "movie", value_parser = units::geometry)]
    geometry: Option<Geometry>,

    /// How long it looks [default: to the movie's end, or 2s]
    #[arg(long, value_name = "TIME", value_parser = units::microseconds, allow_hyphen_values = true)]
    duration: Option<u64>,

    #[command(flatten)]
    sensor: SensorArgs,
}

/// Frames of a movie that does not tell how many there are in a second.
const RATE: f64 = 30.0;

/// Dark current before a movie: a step of 1 in 255 from black is then below the usual threshold, `ln(1 + 1 / 255 / 0.02) = 0.18`.
const MOVIE_DARK: f32 = 0.02;

pub(super) fn record(args: &RecordArgs) -> Result<()> {
    let Some(path) = &args.movie else {
        let default = scene::Geometry::default();
        let Geometry { cols, rows } = args.geometry.unwrap_or(Geometry { cols: default.cols, rows: default.rows });
        let duration = args.duration.map_or(default.duration, Duration::from_micros);
        let size = scene::Geometry { cols, rows, duration, ..default };
        let simulation = Simulation::new(BarAndGrating::filling(rows, cols), size, &args.sensor.parameters(0.0))?;
        let recorded = write(&args.file, Geometry { cols, rows }, simulation.labelled().map(Ok))?;
        recorded.report(&args.file, duration.as_secs_f64(), None);
        return Ok(());
    };
    if args.scale.is_some()
        && let Some(kind @ (movie::Kind::Pngs | movie::Kind::Gif)) = movie::kind(path)?
    {
        refuse(&format!("--scale is for movies that are arrays, and {} is {}", path.display(), kind.about()));
    }
    let reader = movie::open_with(path, movie::Options { scale: args.scale, untimed: args.rate.is_some() })?;
    let (rate, rate_from) = match (args.rate, reader.rate()) {
        (Some(rate), _) => (f64::from(rate), "given"),
        (None, Some(rate)) => (rate, "the GIF's own"),
        (None, None) => (RATE, "default: the movie tells none"),
    };
    let gamma = args.gamma;
    let luminance = reader.map(move |frame| Ok(frame?.mapv_into(|sample| libm::powf(sample, gamma))));
    let mut film = Film::new(luminance, rate, &args.sensor.parameters(MOVIE_DARK))?.labelled();
    let end = args.duration.unwrap_or(u64::MAX);
    let late = |event: &Result<(Event, Origin)>| event.as_ref().is_ok_and(|(event, _)| event.t > end);
    let geometry = film.geometry();
    let events = film.by_ref().take_while(|event| !late(event));
    let recorded = write(&args.file, geometry, events)?;
    let rate = format!("{rate:.6}");
    let rate = format!("{} frames/s ({rate_from})", rate.trim_end_matches('0').trim_end_matches('.'));
    recorded.report(&args.file, film.time().min(end) as f64 * 1e-6, Some(rate));
    Ok(())
}

/// What was written.
struct Recorded {
    geometry: Geometry,
    written: Written,
    leak: u64,
    shot: u64,
}

fn write(file: &Path, geometry: Geometry, events: impl Iterator<Item = Result<(Event, Origin)>>) -> Result<Recorded> {
    let format = Format::by_name(file).unwrap_or(Format::Evt2);
    let mut writer = EventWriter::create(file, format, Some(geometry))?;
    let (mut leak, mut shot) = (0, 0);
    for event in events {
        let (event, origin) = event?;
        leak += u64::from(origin == Origin::Leak);
        shot += u64::from(origin == Origin::Shot);
        writer.push(event)?;
    }
    Ok(Recorded { geometry, written: writer.finish()?, leak, shot })
}

impl Recorded {
    fn report(&self, file: &Path, duration: f64, movie: Option<String>) {
        let Self { geometry: Geometry { cols, rows }, written: Written { events, bytes }, leak, shot } = *self;
        let mut lines = Lines::default();
        lines.push("wrote", format!("{}, {} bytes", file.display(), thousands(bytes)));
        lines.push("geometry", format!("{cols} x {rows} (columns x rows)"));
        movie.into_iter().for_each(|rate| lines.push("movie", rate));
        lines.push("events", format!("{} in {}", plural(events, "event"), seconds(duration)));
        lines.push("of noise", format!("{} of leak, {} of shot noise", thousands(leak), thousands(shot)));
        print(&lines.0);
    }
}
