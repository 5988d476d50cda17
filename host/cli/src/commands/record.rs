//! `foveola record`: records the built-in scene or a movie with the simulated sensor.

use crate::args::record::RecordArgs;
use crate::args::refuse;
use crate::text::{Lines, print};
use crate::units::{plural, seconds, thousands};
use foveola::scene::{self, BarAndGrating, Film, Origin, Simulation};
use foveola::{EventWriter, Format, Geometry, Result, Written, movie};
use foveola_core::events::Event;
use std::path::Path;
use std::time::Duration;

/// Frame rate of a movie that does not state one.
const RATE: f64 = 30.0;

/// Dark current for a movie: a step of 1 in 255 from black is then below the default threshold,
/// `ln(1 + 1 / 255 / 0.02) = 0.18`.
const MOVIE_DARK: f32 = 0.02;

pub(crate) fn record(args: &RecordArgs) -> Result<()> {
    let Some(path) = &args.movie else {
        let default = scene::Setup::default();
        let geometry = args.geometry.unwrap_or(default.geometry);
        let duration = args.duration.map_or(default.duration, Duration::from_micros);
        let setup = scene::Setup { geometry, duration, ..default };
        let simulation =
            Simulation::new(BarAndGrating::filling(geometry.rows, geometry.cols), setup, &args.sensor.parameters(0.0))?;
        let recorded = write(&args.file, geometry, simulation.labelled().map(Ok))?;
        return recorded.report(&args.file, duration.as_secs_f64(), None);
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
    recorded.report(&args.file, film.time().min(end) as f64 * 1e-6, Some(rate))
}

/// The outcome of a recording.
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
    fn report(&self, file: &Path, duration: f64, movie: Option<String>) -> Result<()> {
        let Self { geometry: Geometry { cols, rows }, written: Written { events, bytes }, leak, shot } = *self;
        let mut lines = Lines::default();
        lines.push("wrote", format!("{}, {} bytes", file.display(), thousands(bytes)));
        lines.push("geometry", format!("{cols} x {rows} (columns x rows)"));
        movie.into_iter().for_each(|rate| lines.push("movie", rate));
        lines.push("events", format!("{} in {}", plural(events, "event"), seconds(duration)));
        lines.push("of noise", format!("{} of leak, {} of shot noise", thousands(leak), thousands(shot)));
        print(&lines.0)
    }
}
