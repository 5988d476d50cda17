//! Fits of models beside their targets and their peers, as one Markdown table:
//! `cargo run --release -p foveola-benches --bin fit`.
//!
//! Each task runs in a process of its own, so that its memory can be told.

mod conv;
mod data;
mod glm;
mod gradient;
mod hidden_kernel;
mod markdown;
mod retina;
mod rfest;
mod row;

use clap::Parser;
use row::Row;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Measures fits beside their peers, and writes a Markdown table.
#[derive(Parser)]
struct Args {
    /// The file of which the table becomes the last section; without it, the table is only printed
    #[arg(long)]
    out: Option<PathBuf>,

    /// A file for the numbers, as a JSON list
    #[arg(long)]
    json: Option<PathBuf>,

    /// A folder for the data of the tasks, as .npy, which the peers read
    #[arg(long)]
    data: Option<PathBuf>,

    /// What benches/peers/fit.py printed
    #[arg(long)]
    peers: Option<PathBuf>,

    /// Only the tasks whose names contain this
    #[arg(long, default_value = "")]
    only: String,

    /// Repetitions of a fit: times are medians of these
    #[arg(long, default_value_t = 3)]
    repeats: usize,

    /// Seeds of the retina's spikes
    #[arg(long, default_value_t = 10)]
    seeds: u64,

    /// Runs one task in this process, and prints its rows as JSON
    #[arg(long, hide = true)]
    task: Option<String>,
}

/// What a task is asked to do.
pub(crate) struct Setting {
    /// Where the data go.
    pub(crate) data: Option<PathBuf>,
    pub(crate) repeats: usize,
    pub(crate) seeds: u64,
}

type Task = fn(&Setting) -> foveola::Result<Vec<Row>>;

/// All tasks, by name.
const TASKS: [(&str, Task); 12] = [
    ("hidden_kernel", |setting| hidden_kernel::fit(setting, true, 1)),
    ("hidden_kernel, 2 threads", |setting| hidden_kernel::fit(setting, true, 2)),
    ("hidden_kernel, without border", |setting| hidden_kernel::fit(setting, false, 1)),
    ("sta", hidden_kernel::average),
    ("rfest", rfest::fit),
    ("poisson_glm", glm::fit),
    ("gradient cascade_conv_rf", |setting| gradient::of_workload(setting, "cascade_conv_rf")),
    ("gradient smooth_conv_n6_10x10", |setting| gradient::of_workload(setting, "smooth_conv_n6_10x10")),
    ("adjoint conv3d_10x10x10", |setting| conv::adjoint(setting, "conv3d_10x10x10")),
    ("adjoint conv3d_5x5x5", |setting| conv::adjoint(setting, "conv3d_5x5x5")),
    ("retina, rates", retina::rates),
    ("retina, spikes", retina::spikes),
];

fn main() -> ExitCode {
    let args = Args::parse();
    foveola_benches::exit(match &args.task {
        Some(task) => run(task, &args),
        None => report(&args),
    })
}

/// Runs a task here.
fn run(name: &str, args: &Args) -> Result<(), String> {
    let Some((_, task)) = TASKS.iter().find(|(known, _)| *known == name) else {
        return Err(format!("unknown task '{name}'"));
    };
    let setting = Setting { data: args.data.clone(), repeats: args.repeats.max(1), seeds: args.seeds };
    let mut rows = task(&setting).map_err(|error| error.to_string())?;
    if let Some(peak) = row::peak_memory() {
        let memory = Row::new("peak memory", peak as f64 / 1e6, "MB");
        rows.push(if name.starts_with("hidden_kernel") { memory.at_most(64.0) } else { memory });
    }
    rows.iter_mut().for_each(|row| row.task = name.into());
    println!("{}", Value::Array(rows.iter().map(Row::json).collect()));
    Ok(())
}

/// Runs each task in a process of its own.
fn report(args: &Args) -> Result<(), String> {
    let failed = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let peers = match &args.peers {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| failed(path, &error))?;
            row::read(&text).map_err(|error| failed(path, &error))?
        }
        None => Vec::new(),
    };
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut rows = Vec::new();
    for (name, _) in TASKS.iter().filter(|(name, _)| name.contains(&args.only)) {
        eprintln!("{name}");
        let mut child = Command::new(&this);
        child.args(["--task", name, "--repeats", &args.repeats.to_string(), "--seeds", &args.seeds.to_string()]);
        if let Some(data) = &args.data {
            child.arg("--data").arg(data);
        }
        let output = child.stderr(Stdio::inherit()).output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(format!("{name}: {}", output.status));
        }
        rows.extend(row::read(&String::from_utf8_lossy(&output.stdout)).map_err(|error| format!("{name}: {error}"))?);
    }
    if let Some(path) = &args.json {
        let list = Value::Array(rows.iter().map(Row::json).collect());
        std::fs::write(path, format!("{list:#}\n")).map_err(|error| failed(path, &error))?;
    }
    let text = markdown::table(&rows, &peers);
    print!("{text}");
    args.out.as_deref().map_or(Ok(()), |path| foveola_benches::write_measured(path, &text))
}
