//! Every golden case through the host's API, and through `core` alone, frame by frame.
//!
//! `GOLDEN_DIR=PATH cargo test -p foveola-tests --test golden` runs another folder of the same form. A case passes when
//! the largest difference, relative to the largest magnitude of the expected output, is within the tolerance in its file.
//! At the end stands the worst error of each layer.

use foveola_tests::golden::{Case, run_core, run_host};
use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::exit;
use std::sync::{Arc, Mutex};

/// Cases and worst errors (host, core) of each layer.
type Table = BTreeMap<String, (usize, f64, Option<f64>)>;

fn main() {
    let dir = std::env::var_os("GOLDEN_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden"), PathBuf::from);
    let mut files: Vec<PathBuf> = match std::fs::read_dir(&dir) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(error) => {
            eprintln!("{}: {error}", dir.display());
            exit(1);
        }
    };
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    if files.is_empty() {
        eprintln!("{}: no golden cases (*.json)", dir.display());
        exit(1);
    }
    let table = Arc::new(Mutex::new(Table::new()));
    let trials = files.into_iter().map(|file| {
        let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let table = Arc::clone(&table);
        Trial::test(name, move || run(&file, &table).map_err(Failed::from))
    });
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials.collect());
    let table = table.lock().expect("a case that panics is counted as failed before it locks");
    println!("{:32} {:>6} {:>12} {:>12}", "layer", "cases", "worst, host", "worst, core");
    let mut cases = 0;
    for (layer, (count, host, core)) in table.iter() {
        let core = core.map_or_else(|| "-".into(), |core| format!("{core:.1e}"));
        println!("{layer:32} {count:>6} {host:>12.1e} {core:>12}");
        cases += count;
    }
    let worst = table.values().map(|(_, host, core)| host.max(core.unwrap_or(0.0))).fold(0.0, f64::max);
    println!("{cases} golden cases ran, worst relative error {worst:.1e}\n");
    conclusion.exit();
}

fn run(file: &Path, table: &Mutex<Table>) -> Result<(), String> {
    let case = Case::read(file)?;
    let host = run_host(&case)?;
    let core = run_core(&case)?;
    let worst = host.max(core.unwrap_or(0.0));
    let mut table = table.lock().map_err(|_| "another case panicked")?;
    let row = table.entry(case.layer.clone()).or_insert((0, 0.0, None));
    row.0 += 1;
    row.1 = row.1.max(host);
    row.2 = match (row.2, core) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    };
    if worst <= case.tolerance {
        return Ok(());
    }
    let core = core.map_or_else(|| "none".into(), |core| format!("{core:.2e}"));
    Err(format!("relative error {host:.2e} on the host, {core} in core; tolerance {:.0e}", case.tolerance))
}
