//! `foveola record`: the built-in scene, seen by the simulated sensor, as a recording.

use super::units::{plural, seconds, thousands};
use super::{Lines, RecordArgs, print};
use foveola::scene::{self, BarAndGrating, SensorParameters, Simulation};
use foveola::{Error, Result};
use foveola_core::events::Evt2Encoder;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::time::Duration;

/// Pixels along a side that a coordinate of 11 bits reaches.
const MOST_SIDE: usize = 2048;

pub(super) fn record(args: &RecordArgs) -> Result<()> {
    let failed = |reason: String| Error::Data { path: args.file.clone(), reason };
    let default = scene::Geometry::default();
    let (cols, rows) = args.geometry.map_or((default.cols, default.rows), |size| (size.cols, size.rows));
    if cols.max(rows) > MOST_SIDE {
        return Err(failed(format!("{cols} x {rows} pixels; EVT 2.0 has no more than {MOST_SIDE} x {MOST_SIDE}")));
    }
    let geometry = scene::Geometry { cols, rows, duration: Duration::from_micros(args.duration), ..default };
    let sensor = SensorParameters { seed: args.seed, ..SensorParameters::default() };
    let simulation = Simulation::new(BarAndGrating::filling(rows, cols), geometry, &sensor)?;

    let mut bytes = format!("% evt 2.0\n% geometry {cols}x{rows}\n% end\n").into_bytes();
    let (mut written, mut events, mut encoder) = (0, 0_u64, Evt2Encoder::new());
    let unwritten = |error| failed(format!("cannot be written: {error}"));
    let mut file = BufWriter::new(File::create(&args.file).map_err(unwritten)?);
    for event in simulation {
        // Never refused: the sides were checked.
        let _ = encoder.encode(event, |word| bytes.extend(word));
        events += 1;
        written += bytes.len() as u64;
        file.write_all(&bytes).map_err(unwritten)?;
        bytes.clear();
    }
    written += bytes.len() as u64; // the header, where nothing happened
    file.write_all(&bytes).and_then(|()| file.flush()).map_err(unwritten)?;

    let mut lines = Lines::default();
    lines.push("wrote", format!("{}, {} bytes", args.file.display(), thousands(written)));
    lines.push("geometry", format!("{cols} x {rows} (columns x rows)"));
    lines.push("events", format!("{} in {}", plural(events, "event"), seconds(args.duration as f64 * 1e-6)));
    print(&lines.0);
    Ok(())
}
