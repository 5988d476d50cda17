//! `foveola info`: describes a recording.

use super::chosen::{self, Chosen};
use crate::args::InfoArgs;
use crate::text::{Lines, Reason, decoder_reasons, filtered_as_json, outside_events, print, reasons_as_json};
use crate::units::{seconds, thousands};
use foveola::{Assumption, Error, Geometry, Recording, Summary};
use foveola_core::events::Event;
use serde_json::{Map, Value, json};
use sha3::{Digest, Sha3_224};

pub(crate) fn info(args: &InfoArgs) -> Result<(), Error> {
    let recording = chosen::open(&args.file, &args.common)?;
    let mut events = Chosen::new(&recording, &args.common)?;
    let mut digest = args.digest.then(Columns::default);
    let given = events.filtered_geometry().or(args.common.geometry);
    let mut summary = Summary::default();
    while let Some(event) = events.next().transpose()? {
        summary.header = given.or_else(|| events.events().geometry());
        summary.add(&event);
        if let Some(digest) = &mut digest {
            digest.add(&event);
        }
    }
    summary.told(events.events());
    // The length of the whole file, even if the end was not read or the positions are those of an archive's content.
    summary.bytes = recording.bytes().unwrap_or(summary.bytes);
    if summary.events == 0 {
        return Err(events.nothing(&recording, &args.common));
    }
    summary.resets = events.resets();
    let skipped: Vec<Reason> =
        decoder_reasons(&summary.skipped).chain([outside_events(summary.outside, &summary.skipped)]).collect();
    let digest = digest.map(Columns::finish);
    let geometry = given.or(summary.geometry());
    let filtered = events.filtered();
    if args.common.json {
        print(&format!("{:#}\n", as_json(args, &recording, &summary, geometry, &skipped, &filtered, digest)))
    } else {
        print(&as_text(args, &recording, &summary, geometry, &skipped, &filtered, digest))
    }
}

fn as_json(
    args: &InfoArgs,
    recording: &Recording,
    summary: &Summary,
    geometry: Option<Geometry>,
    skipped: &[Reason],
    filtered: &[(String, u64)],
    digest: Option<[(&str, String); 4]>,
) -> Value {
    let (first, last) = summary.span.unwrap_or_default();
    let mut value = json!({
        "file": args.file.display().to_string(),
        "format": recording.format().name(),
        "bytes": summary.bytes,
        "n": summary.events,
        "on": summary.on,
        "t": [first, last],
        "seconds": summary.seconds(),
        "resets": summary.resets,
        "cols": geometry.map(|geometry| geometry.cols),
        "rows": geometry.map(|geometry| geometry.rows),
        "geometry_from": geometry_from(args, recording, summary),
        "assumed": assumed_as_json(recording.assumed()),
        "skipped": reasons_as_json(skipped),
        "skipped_bytes": summary.skipped.bytes(),
        "damage_at": summary.damage,
        "filtered": filtered_as_json(filtered),
    });
    if let Some(digest) = digest {
        value["digest"] =
            digest.into_iter().map(|(column, hex)| (column.into(), hex.into())).collect::<Map<_, _>>().into();
    }
    value
}

fn as_text(
    args: &InfoArgs,
    recording: &Recording,
    summary: &Summary,
    geometry: Option<Geometry>,
    skipped: &[Reason],
    filtered: &[(String, u64)],
    digest: Option<[(&str, String); 4]>,
) -> String {
    let mut lines = Lines::default();
    let on = 100.0 * summary.on as f64 / summary.events.max(1) as f64;
    let (first, last) = summary.span.unwrap_or_default();
    lines.push("file", args.file.display());
    lines.push(
        "format",
        format!("{} ({}), {} bytes", recording.format().name(), recording.format().about(), thousands(summary.bytes)),
    );
    for Assumption { what, value, reason, .. } in recording.assumed() {
        lines.push(what, format!("{value} ({reason})"));
    }
    if let Some(Geometry { cols, rows }) = geometry {
        lines
            .push("geometry", format!("{cols} x {rows} (columns x rows, {})", geometry_from(args, recording, summary)));
    }
    lines.push("duration", format!("{} ({first} to {last} us)", seconds(summary.seconds())));
    lines.push("events", format!("{}, {on:.1} % ON", thousands(summary.events)));
    if summary.seconds() > 0.0 {
        lines.push("rate", format!("{} events/s", thousands((summary.events as f64 / summary.seconds()) as u64)));
    }
    lines.push_resets(summary.resets);
    lines.push_left_out(skipped, summary.damage, filtered);
    let mut text = lines.0;
    if let Some(digest) = digest {
        // On separate lines: beside the names above they would be too long for a narrow terminal.
        text.push_str("SHA3-224 of the columns\n");
        digest.iter().for_each(|(column, hex)| text.push_str(&format!("{column:2} {hex}\n")));
    }
    text
}

fn assumed_as_json(assumed: &[Assumption]) -> Value {
    let entry = |a: &Assumption| json!({ "what": a.what, "value": a.value, "reason": a.reason });
    assumed.iter().map(entry).collect()
}

fn geometry_from(args: &InfoArgs, recording: &Recording, summary: &Summary) -> &'static str {
    let is_camera = args.common.camera.is_some() || recording.assumed().iter().any(|found| found.what == "camera");
    match (args.common.geometry, summary.header) {
        _ if !args.common.filter.is_empty() => "behind the filters",
        (Some(_), _) => "given",
        (None, Some(_)) if is_camera => "of the camera",
        (None, Some(_)) => "from the header",
        (None, None) => "from the events",
    }
}

/// Digests of the columns, over all events.
#[derive(Default)]
struct Columns {
    t: Sha3_224,
    x: Sha3_224,
    y: Sha3_224,
    on: Sha3_224,
}

impl Columns {
    fn add(&mut self, event: &Event) {
        self.t.update(event.t.to_le_bytes());
        self.x.update(event.x.to_le_bytes());
        self.y.update(event.y.to_le_bytes());
        self.on.update([u8::from(event.on)]);
    }

    fn finish(self) -> [(&'static str, String); 4] {
        let hex = |digest: Sha3_224| digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        [("t", hex(self.t)), ("x", hex(self.x)), ("y", hex(self.y)), ("on", hex(self.on))]
    }
}
