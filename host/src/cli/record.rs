//! `foveola record`: the built-in scene, seen by the simulated sensor, as a recording.

use super::units::{plural, seconds, thousands};
use super::{Lines, RecordArgs, print};
use foveola::scene::{self, BarAndGrating, SensorParameters, Simulation};
use foveola::{EventWriter, Format, Geometry, Result, Written};
use std::time::Duration;

pub(super) fn record(args: &RecordArgs) -> Result<()> {
    let default = scene::Geometry::default();
    let (cols, rows) = args.geometry.map_or((default.cols, default.rows), |size| (size.cols, size.rows));
    let geometry = scene::Geometry { cols, rows, duration: Duration::from_micros(args.duration), ..default };
    let sensor = SensorParameters { seed: args.seed, ..SensorParameters::default() };
    let simulation = Simulation::new(BarAndGrating::filling(rows, cols), geometry, &sensor)?;

    let format = Format::by_name(&args.file).unwrap_or(Format::Evt2);
    let mut writer = EventWriter::create(&args.file, format, Some(Geometry { cols, rows }))?;
    for event in simulation {
        writer.push(event)?;
    }
    let Written { events, bytes } = writer.finish()?;

    let mut lines = Lines::default();
    lines.push("wrote", format!("{}, {} bytes", args.file.display(), thousands(bytes)));
    lines.push("geometry", format!("{cols} x {rows} (columns x rows)"));
    lines.push("events", format!("{} in {}", plural(events, "event"), seconds(args.duration as f64 * 1e-6)));
    print(&lines.0);
    Ok(())
}
