//! Every workload beside its competitors, its limits and its targets, as one Markdown table:
//! `cargo run --release -p foveola-benches --bin report`.

mod markdown;
mod run;
mod targets;

use clap::Parser;
use foveola_benches::peers;
use foveola_cli::bench::{self, Limits, Machine};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Measures every workload of foveola beside its competitors, and writes one Markdown table.
#[derive(Parser)]
struct Args {
    /// The file to write
    #[arg(long, default_value = "docs/performance.md")]
    out: PathBuf,

    /// Numbers of competitors in other languages: a JSON list, as benches/src/peers.rs says
    #[arg(long)]
    peers: Option<PathBuf>,

    /// Only the workloads whose names contain this
    #[arg(long, default_value = "")]
    only: String,

    /// Time for each who takes part in a workload, in seconds
    #[arg(long, default_value_t = 0.5)]
    seconds: f64,
}

fn main() -> ExitCode {
    foveola_benches::exit(report(&Args::parse()))
}

fn report(args: &Args) -> Result<(), String> {
    let peers = args.peers.as_deref().map(peers::read).transpose()?.unwrap_or_default();
    let workloads: Vec<_> = bench::table().into_iter().filter(|of| of.name.contains(&args.only)).collect();
    if workloads.is_empty() {
        return Err(format!("no workload has '{}' in its name", args.only));
    }
    let threads: &[usize] = if bench::cores() == 1 { &[1] } else { &[1, 2] };
    let limits = Limits::measure(threads, args.seconds).map_err(|error| error.to_string())?;
    let mut all = Vec::new();
    for workload in workloads {
        eprintln!("{}", workload.name);
        let name = workload.name.clone();
        all.push(run::run(workload, threads, args.seconds).map_err(|error| format!("{name}: {error}"))?);
    }
    let head = markdown::Head { machine: Machine::this(), compiler: compiler(), command: command(), limits };
    let text = markdown::report(&head, &all, &peers);
    std::fs::write(&args.out, text).map_err(|error| format!("{}: {error}", args.out.display()))
}

/// The compiler, as it calls itself.
fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output();
    let text = output.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).unwrap_or_else(|| "an unknown rustc".into())
}

/// The command that made the report.
fn command() -> String {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut command = "cargo run --release -p foveola-benches --bin report".to_owned();
    if !arguments.is_empty() {
        command = format!("{command} -- {}", arguments.join(" "));
    }
    command
}
