//! `foveola convert`: converts a recording to another format.

use super::applies;
use super::chosen::{self, Chosen};
use crate::args::ConvertArgs;
use crate::text::{Lines, complain, decoder_reasons, filtered_as_json, outside_events, print, reasons_as_json};
use crate::units::{plural, seconds, thousands};
use foveola::{Error, EventWriter, Format, Geometry, Result, Segmented, WriteOptions, Written};
use foveola_core::events::Event;
use serde_json::json;

pub(crate) fn convert(args: &ConvertArgs) -> Result<()> {
    let format = match args.to_format {
        Some(format) => format,
        None => Format::by_name(&args.output).ok_or_else(|| {
            let mut endings: Vec<_> = Format::written().flat_map(|format| format.extensions().first()).collect();
            endings.dedup(); // several are .raw
            let endings = endings.iter().map(|ending| format!(".{ending}")).collect::<Vec<_>>().join(", ");
            let reason = format!("a name that tells no format; expected one that ends in {endings}, or --to-format");
            Error::Data { path: args.output.clone(), reason }
        })?,
    };
    applies::to_written(args, format);
    let same = |path: &std::path::PathBuf| path.canonicalize().ok();
    if same(&args.input).is_some_and(|input| same(&args.output) == Some(input)) {
        let reason = "this is what is read; expected another file".into();
        return Err(Error::Data { path: args.output.clone(), reason });
    }
    let recording = chosen::open(&args.input, &args.common)?;
    let mut events = Chosen::new(&recording, &args.common)?;
    let geometry = if format.needs_geometry() {
        Some(events.geometry(&recording, &args.common)?)
    } else {
        events.filtered_geometry().or(args.common.geometry).or(events.events().geometry())
    };
    let default = WriteOptions::default();
    let options = WriteOptions {
        columns: args.to_columns.unwrap_or(default.columns),
        unit: args.to_unit.unwrap_or(default.unit),
        order: args.to_order.unwrap_or(default.order),
    };
    let to_stdout = args.output.as_os_str() == "-";
    let mut writer = if to_stdout {
        EventWriter::to_writer("standard output", std::io::stdout(), format, geometry, options)?
    } else {
        EventWriter::create_with(&args.output, format, geometry, options)?
    };
    let mut copied = Copied::default();
    let sensor = geometry.filter(|_| format.needs_geometry());
    let done = copy(args, &mut events, &mut writer, sensor, &mut copied).and_then(|()| {
        // No events out of a non-empty input are an error; a recording without any events is converted.
        if copied.read == 0 && (events.events().skipped().bytes() > 0 || args.common.from.or(args.common.to).is_some())
        {
            return Err(events.nothing(&recording, &args.common));
        }
        writer.finish()
    });
    let written = match done {
        // A closed pipe on the reader's side is not an error.
        Err(Error::Io { source, .. }) if to_stdout && source.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
        written => written?,
    };
    report(args, &events, format, geometry, &copied, written)
}

/// The outcome of the conversion.
#[derive(Default)]
struct Copied {
    read: u64,
    /// Events outside the sensor size in the header.
    outside: u64,
    /// Microseconds since the first event, over all segments.
    elapsed: u64,
}

/// Writes the events.
fn copy(
    args: &ConvertArgs,
    events: &mut Chosen,
    writer: &mut EventWriter,
    sensor: Option<Geometry>,
    copied: &mut Copied,
) -> Result<()> {
    let mut events = Segmented::new(events);
    while let Some((event, _)) = events.next().transpose()? {
        // If time runs backwards to before the first event, it stops at 0.
        let elapsed = events.elapsed(event.t);
        copied.elapsed = copied.elapsed.max(elapsed);
        copied.read += 1;
        if sensor.is_some_and(|sensor| !sensor.contains(&event)) {
            copied.outside += 1;
            continue;
        }
        let t = if args.zero_time { elapsed } else { event.t };
        writer.push(Event { t, ..event }).map_err(|error| match error {
            // Usually the reason is the time, which counts from 1970, or goes back at a clock reset.
            Error::Event { path, format, event, expected }
                if !args.zero_time && (event.t > 1 << 32 || events.resets() > 0) =>
            {
                let expected = format!(
                    "{expected} (--zero-time lets time begin with the first event, and go on where the clock was reset)"
                );
                Error::Event { path, format, event, expected }
            }
            other => other,
        })?;
    }
    Ok(())
}

fn report(
    args: &ConvertArgs,
    events: &Chosen,
    format: Format,
    geometry: Option<Geometry>,
    copied: &Copied,
    Written { events: count, bytes }: Written,
) -> Result<()> {
    let source = events.events();
    let skipped = source.skipped();
    let skipped: Vec<_> = decoder_reasons(&skipped).chain([outside_events(copied.outside, &skipped)]).collect();
    let text = if args.common.json {
        let value = json!({
            "wrote": args.output.display().to_string(),
            "format": format.name(),
            "n": count,
            "bytes": bytes,
            "cols": geometry.map(|geometry| geometry.cols),
            "rows": geometry.map(|geometry| geometry.rows),
            "resets": events.resets(),
            "skipped": reasons_as_json(&skipped),
            "damage_at": source.damage(),
            "filtered": filtered_as_json(&events.filtered()),
        });
        format!("{value:#}\n")
    } else {
        let mut lines = Lines::default();
        lines.push("wrote", format!("{}, {} bytes", args.output.display(), thousands(bytes)));
        lines.push("format", format!("{} ({})", format.name(), format.about()));
        if let Some(Geometry { cols, rows }) = geometry {
            lines.push("geometry", format!("{cols} x {rows} (columns x rows)"));
        }
        lines.push("events", format!("{} in {}", plural(count, "event"), seconds(copied.elapsed as f64 * 1e-6)));
        lines.push_resets(events.resets());
        lines.push_left_out(&skipped, source.damage(), &events.filtered());
        lines.0
    };
    // The standard output may carry the recording.
    if args.output.as_os_str() != "-" {
        return print(&text);
    }
    complain(&text);
    Ok(())
}
