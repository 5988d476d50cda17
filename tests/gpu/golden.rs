//! Every golden case that is a stream of frames, within the tolerance in its file: that leaves room for sums of `f32` in any
//! order, with fused products or without.

use foveola::Device;
use foveola_tests::device::trial;
use foveola_tests::golden::{Case, Feed, run_on};
use libtest_mimic::Trial;
use std::path::{Path, PathBuf};

pub(crate) fn trials() -> Vec<Trial> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&dir).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    assert!(!files.is_empty(), "{}: no golden cases (*.json)", dir.display());
    let cases = files.into_iter().map(|file| {
        let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        (name, Case::read(&file))
    });
    let streams = cases.filter(|(_, case)| !case.as_ref().is_ok_and(|case| case.is_stream() == Ok(false)));
    streams.map(|(name, case)| trial(format!("golden::{name}"), move |device| run(&case?, device))).collect()
}

fn run(case: &Case, device: &Device) -> Result<(), String> {
    for feed in [Feed::Chunks, Feed::Frames, Feed::Batch] {
        let error = run_on(case, device, feed).map_err(|error| format!("{feed:?}: {error}"))?;
        if error.is_nan() || error > case.tolerance {
            return Err(format!("{feed:?}: relative error {error:.2e}; tolerance {:.0e}", case.tolerance));
        }
    }
    Ok(())
}
