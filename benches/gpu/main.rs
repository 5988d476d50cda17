//! Speed of the workloads on a GPU, relative to its peak, its transfers, the CPU and `PyTorch`, as one Markdown table:
//! `cargo run --release -p foveola-benches --features gpu --bin gpu`, or with `PyTorch` on the same card `benches/gpu.sh`.

mod cases;
mod page;
mod targets;
mod turns;

use clap::Parser;
use foveola::{Device, DeviceInfo};
use foveola_benches::peers;
use foveola_cli::bench::Machine;
use page::{Head, Page};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// Measures the workloads on a GPU, and prints a Markdown table.
#[derive(Parser)]
struct Args {
    /// A part of the device's name [default: the first GPU, or else one in software]
    #[arg(long)]
    device: Option<String>,

    /// Only the workloads whose names contain this
    #[arg(long, default_value = "")]
    only: String,

    /// Numbers of peers on the same card: what benches/peers/gpu.py printed
    #[arg(long)]
    peers: Option<PathBuf>,

    /// Tiny frames: shows that everything runs, and claims no speed. A device in software is always measured so
    #[arg(long)]
    quick: bool,

    /// Time for everything, in seconds, about
    #[arg(long, default_value_t = 100.0)]
    seconds: f64,

    /// A file for the numbers, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Write the table to a file too, as its last section
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "docs/gpu.md")]
    write: Option<PathBuf>,
}

fn main() -> ExitCode {
    foveola_benches::exit(report(&Args::parse()))
}

fn report(args: &Args) -> Result<(), String> {
    let began = Instant::now();
    let peers = args.peers.as_deref().map(peers::read).transpose()?.unwrap_or_default();
    let said = |error: foveola::Error| error.to_string();
    // Two hands on the same card: one with a clock on it, whose reading costs a little, and one without.
    let clocked = open(args.device.as_deref()).map_err(said)?;
    let Some(info) = clocked.info().cloned() else { return Err("the processor is no GPU".into()) };
    let plain = Device::named(&info.name).map_err(said)?;
    let quick = args.quick || !info.kind.is_hardware();
    let cases: Vec<_> = cases::all(quick).map_err(said)?;
    let cases: Vec<_> = cases.into_iter().filter(|case| case.name.contains(&args.only)).collect();
    if cases.is_empty() {
        return Err(format!("no workload has '{}' in its name", args.only));
    }
    let peaks = clocked.peaks().map_err(said)?;
    let head = Head { device: info, machine: Machine::this(), peaks, quick, command: command() };
    let mut page = Page::new(head, peers);
    print!("{}", page.text());
    let mut failed = Vec::new();
    let count = cases.len();
    for (i, case) in cases.into_iter().enumerate() {
        let share = (args.seconds - began.elapsed().as_secs_f64()) / (count - i) as f64;
        let name = case.name.clone();
        match turns::measured(case, &clocked, &plain, quick, share) {
            Ok(row) => print!("{}", page.push(row)),
            Err(error) => {
                eprintln!("{name}: {error}");
                failed.push(name);
            }
        }
    }
    print!("{}", page.finish());
    let written = |path: &PathBuf, text: String| {
        std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
    };
    if let Some(path) = &args.json {
        written(path, format!("{:#}\n", page.as_json()))?;
    }
    if let Some(path) = &args.write {
        foveola_benches::write_measured(path, page.text())?;
    }
    eprintln!("{:.0} s", began.elapsed().as_secs_f64());
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

/// The device that is meant.
fn open(name: Option<&str>) -> foveola::Result<Device> {
    match name {
        Some(name) => Device::named(name),
        None => Device::gpu().or_else(|error| match &Device::list()[..] {
            [DeviceInfo { name, .. }, ..] => Device::named(name),
            [] => Err(error),
        }),
    }
}

/// The command that made the table.
fn command() -> String {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    format!("cargo run --release -p foveola-benches --features gpu --bin gpu -- {}", arguments.join(" "))
        .trim_end()
        .into()
}
