//! `foveola model export`: a model file as Rust source for a microcontroller.

use super::models::{frames, read, title};
use crate::args::model::{ExportArgs, Target};
use crate::text::{complain, print};
use crate::units::thousands;
use foveola::{Error, Exported, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) fn export(args: &ExportArgs) -> Result<()> {
    let Target::Firmware = args.to;
    let file = read(&args.file, &args.set)?;
    let shape = frames(&file, args.size)?;
    let exported = file.to_firmware([shape.rows, shape.cols], args.binning)?;
    let path = args.folder.join("model.rs");
    let failed = |path: &Path| {
        let path = PathBuf::from(path);
        |source| Error::Io { path, source }
    };
    std::fs::create_dir_all(&args.folder).map_err(failed(&args.folder))?;
    let text = format!("// {}\n// Written by `foveola model export`.\n\n{}", title(&file, &args.file), exported.source);
    std::fs::write(&path, text).map_err(failed(&path))?;
    // In its folder, where it finds the options of the project.
    match Command::new("rustfmt").args(["--edition", "2024", "model.rs"]).current_dir(&args.folder).output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => complain(&format!("warning: rustfmt: {}\n", String::from_utf8_lossy(&output.stderr).trim_end())),
        Err(error) => complain(&format!("warning: {} is not formatted: rustfmt: {error}\n", path.display())),
    }
    print(&format!("{}\nwrote     {}\n", report(&exported), path.display()));
    Ok(())
}

/// Bytes by layer, and those of the whole model.
fn report(exported: &Exported) -> String {
    let width = exported.layers.iter().map(|layer| layer.name.chars().count()).max().unwrap_or(0);
    let row = |name: &str, numbers: [String; 3]| {
        let [flash, state, frame] = numbers;
        format!("{name:width$}  {flash:>9}  {state:>9}  {frame:>9}\n")
    };
    let mut text = row("bytes", ["flash", "state", "a frame"].map(str::to_owned));
    for layer in &exported.layers {
        text += &row(&layer.name, [layer.tables, layer.state, layer.frame].map(|bytes| thousands(bytes as u64)));
    }
    let what = ["for an input frame", "for an output frame", "of state", "of scratch", "for event filters"];
    let parts = exported.ram.into_iter().chain([exported.event_filters]);
    let parts: Vec<(usize, &str)> = parts.zip(what).filter(|(bytes, _)| *bytes > 0).collect();
    text += &format!(
        "\nflash     {} bytes of weights and other tables\nRAM       {} bytes:\n",
        thousands(exported.tables as u64),
        thousands(parts.iter().map(|(bytes, _)| bytes).sum::<usize>() as u64),
    );
    for (bytes, what) in parts {
        text += &format!("          {} {what}\n", thousands(bytes as u64));
    }
    text
}
