//! Every workload of events beside its competitors and its target, as one Markdown table:
//! `cargo run --release -p foveola-benches --features peers --bin events`.

use clap::Parser;
use foveola_benches::MEASURED;
use foveola_benches::events::{Entrant, OURS, Stream, files, target};
use foveola_cli::bench::{Contestant, Machine, Timing, measure_all};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Measures the workloads of events beside their competitors, and writes a Markdown table.
#[derive(Parser)]
struct Args {
    /// The file of which the table becomes the last section
    #[arg(long, default_value = "docs/events.md")]
    out: PathBuf,

    /// A folder with one recording in many formats, as benches/peers/events.sh makes it: how fast files are read
    #[arg(long)]
    files: Option<PathBuf>,

    /// What benches/peers/events.py printed
    #[arg(long)]
    peers: Option<PathBuf>,

    /// Only the workloads whose names contain this
    #[arg(long, default_value = "")]
    only: String,

    /// Time for each who takes part in a workload, in seconds
    #[arg(long, default_value_t = 0.5)]
    seconds: f64,
}

/// What one did.
struct Row {
    workload: String,
    who: String,
    /// Bytes an event.
    bytes: f64,
    /// Events a second of the recording itself.
    live: f64,
    timing: Timing,
}

fn main() -> ExitCode {
    foveola_benches::exit(report(&Args::parse()))
}

fn report(args: &Args) -> Result<(), String> {
    let peers = args.peers.as_deref().map(read_peers).transpose()?.unwrap_or_default();
    let mut entrants =
        Stream::new(1_000_000).and_then(|stream| stream.entrants()).map_err(|error| error.to_string())?;
    if let Some(folder) = &args.files {
        entrants.extend(files(folder).map_err(|error| error.to_string())?);
    }
    entrants.retain(|entrant| entrant.workload.contains(&args.only));
    let mut rows: Vec<Row> = Vec::new();
    while let Some(first) = entrants.first() {
        // All of a workload take turns.
        let name = first.workload;
        let (these, others) = entrants.into_iter().partition(|entrant| entrant.workload == name);
        entrants = others;
        rows.extend(measured(these, args.seconds).map_err(|error| format!("{name}: {error}"))?);
    }
    let text = markdown(&rows, &peers);
    print!("{text}");
    foveola_benches::write_measured(&args.out, &text)
}

fn measured(entrants: Vec<Entrant>, seconds: f64) -> foveola::Result<Vec<Row>> {
    let mut contestants: Vec<Contestant<'_>> = Vec::new();
    let mut rows = Vec::new();
    for Entrant { workload, who, bytes, events, seconds, contestant } in entrants {
        rows.push((workload, who, bytes as f64 / events as f64, events as f64 / seconds));
        contestants.push(contestant);
    }
    let timings = measure_all(&mut contestants, seconds)?;
    let row = |((workload, who, bytes, live), timing): ((&str, &str, f64, f64), Timing)| Row {
        workload: workload.into(),
        who: who.into(),
        bytes,
        live,
        timing,
    };
    Ok(rows.into_iter().zip(timings).map(row).collect())
}

/// `(workload, who, events a second)` of competitors in Python.
type Peers = Vec<(String, String, f64)>;

fn read_peers(path: &Path) -> Result<Peers, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    let list: Vec<Value> = serde_json::from_str(&text).map_err(|error| failed(&error))?;
    let peer = |entry: &Value| {
        let text = |key: &str| Some(entry[key].as_str()?.to_owned());
        Some((text("workload")?, text("peer")?, entry["events_per_second"].as_f64()?))
    };
    let wrong = |entry: &Value| failed(&format!("expected a workload, a peer and events_per_second in {entry}"));
    list.iter().map(|entry| peer(entry).ok_or_else(|| wrong(entry))).collect()
}

fn markdown(rows: &[Row], peers: &Peers) -> String {
    let mut text = format!(
        "{MEASURED}\n\n{}; one thread. Made by\n\n```sh\nbenches/peers/events.sh\n```\n\n\
         The recording has a million events of the built-in scene: 640 x 480 pixels, {:.1} million events/s in real time. Files are\n\
         read from the page cache. Implementations of the same workload take turns; numbers are medians with quartiles. Python\n\
         packages ran separately, on the same files. A peer that returned other events than were written has no row. \"times as\n\
         fast\" is foveola's speed relative to the peer's.\n\n\
         | workload | implementation | million events/s | MB/s | target | times as fast |\n| --- | --- | --: | --: | --- | --: |\n",
        Machine::this(),
        rows.first().map_or(0.0, |row| row.live * 1e-6),
    );
    for (i, row) in rows.iter().enumerate() {
        let rate = |seconds: f64| 1e-6 / seconds;
        let [median, slow, fast] = [row.timing.median, row.timing.upper, row.timing.lower].map(rate);
        let ours = rows.iter().find(|ours| ours.workload == row.workload && ours.who == OURS);
        let times = ours.filter(|_| row.who != OURS).map(|ours| row.timing.median / ours.timing.median);
        let goal = target(&row.workload).filter(|_| row.who == OURS);
        let goal = goal.map(|goal| format!("{goal}: {}", if median >= goal { "met" } else { "**missed**" }));
        let _ = writeln!(
            text,
            "| {} | {} | {median:.1} ({slow:.1}-{fast:.1}) | {:.0} | {} | {} |",
            row.workload,
            row.who,
            row.bytes * median,
            goal.unwrap_or_default(),
            times.map_or_else(String::new, |times| format!("{times:.1}")),
        );
        if rows.get(i + 1).is_none_or(|next| next.workload != row.workload) {
            for (_, who, rate) in peers.iter().filter(|(workload, ..)| *workload == row.workload) {
                let times = ours.map_or_else(String::new, |ours| format!("{:.1}", 1.0 / ours.timing.median / rate));
                let _ = writeln!(text, "| {} | {who} | {:.1} | | | {times} |", row.workload, rate * 1e-6);
            }
        }
    }
    let pipeline = rows.iter().find(|row| row.workload.starts_with("pipeline") && row.who == OURS);
    if let Some(row) = pipeline {
        let factor = 1.0 / row.timing.median / row.live;
        let _ = writeln!(text, "\nThe pipeline runs {factor:.1} times as fast as real time.");
    }
    text
}
