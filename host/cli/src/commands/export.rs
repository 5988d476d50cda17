//! `foveola model export`: a model file as Rust source for a microcontroller.

use super::boards::on_boards;
use super::guard::Guard;
use super::models::{build, frames, read, title};
use crate::args::model::{ExportArgs, Target};
use crate::columns::{Column, side_by_side};
use crate::text::{complain, print, width};
use crate::units::thousands;
use foveola::{Error, Exported, ExportedLayer, Result, shown, write_file};
use std::array;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

pub(super) fn export(args: &ExportArgs) -> Result<()> {
    let Target::Firmware = args.to;
    let file = read(&args.file, &args.set)?;
    let shape = frames(&file, args.size)?;
    let model = build(&file, args.weights.as_deref())?;
    let exported = file.to_firmware_with(&model, [shape.rows, shape.cols], args.binning)?;
    let path = args.folder.join("model.rs");
    Guard::new("model export", Some(&file), &args.weights).check("model.rs", &path, "a file that is not read")?;
    std::fs::create_dir_all(&args.folder).map_err(|source| Error::Io { path: args.folder.clone(), source })?;
    let text = format!("// {}\n// Written by `foveola model export`.\n\n{}", title(&file, &args.file), exported.source);
    let text = formatted(&text, &args.folder).unwrap_or_else(|reason| {
        complain(&format!("warning: {} is not formatted: rustfmt: {reason}\n", shown(&path)));
        text
    });
    write_file(&path, text)?;
    print(&format!("{}\nwrote     {}\n", report(&exported), shown(&path)))
}

/// The source as rustfmt writes it with the options of the project in `folder`, or why it does not.
fn formatted(source: &str, folder: &Path) -> std::result::Result<String, String> {
    let mut command = Command::new("rustfmt");
    command.args(["--edition", "2024"]).current_dir(folder);
    let mut rustfmt = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    if let Some(mut stdin) = rustfmt.stdin.take() {
        // If it ends early, its status tells.
        let _ = stdin.write_all(source.as_bytes());
    }
    let output = rustfmt.wait_with_output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim_end().to_owned());
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}

/// Bytes and instructions by layer, and those of the whole model.
fn report(exported: &Exported) -> String {
    let number = |number: usize| thousands(number as u64);
    let row = |layer: &ExportedLayer| {
        let instructions = layer.instructions.map_or_else(|| "?".into(), thousands);
        [layer.name.clone(), number(layer.tables), number(layer.state), number(layer.frame), instructions]
    };
    let rows: Vec<_> = [["bytes", "flash", "state", "a frame", "instructions"].map(str::to_owned)]
        .into_iter()
        .chain(exported.layers.iter().map(row))
        .collect();
    let columns: [Column; 5] = array::from_fn(|column| Column {
        cells: rows.iter().map(|row| row[column].clone()).collect(),
        right: column > 0,
    });
    let mut text = side_by_side(&columns, width());
    let what = ["for an input frame", "for an output frame", "of state", "of scratch", "for event filters"];
    let parts = exported.ram.into_iter().chain([exported.event_filters]);
    let parts: Vec<(usize, &str)> = parts.zip(what).filter(|(bytes, _)| *bytes > 0).collect();
    text += &format!(
        "\nflash     {} bytes of weights and other tables\nRAM       {} bytes:\n",
        thousands(exported.tables as u64),
        thousands(exported.ram_in_all() as u64),
    );
    for (bytes, what) in parts {
        text += &format!("          {} {what}\n", thousands(bytes as u64));
    }
    text + "\n" + &on_boards(exported)
}
