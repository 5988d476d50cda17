//! `foveola model`: checks and describes model files.

use super::boards::{as_json, on_boards};
use super::export::export;
use super::models::{frames, read, title};
use crate::args::model::{CheckArgs, ModelArgs, ModelCommand, ShowArgs};
use crate::text::{complain, print};
use crate::units::{plural, thousands};
use foveola::{Error, LayerSummary, ModelFile, Result};
use foveola_core::Shape;
use serde_json::json;
use std::path::Path;

pub(crate) fn model(args: &ModelArgs) -> Result<()> {
    match &args.command {
        ModelCommand::Check(args) => check(args),
        ModelCommand::Show(args) => show(args),
        ModelCommand::Export(args) => export(args),
    }
}

/// Builds each model, for the frames of the file or of 64 x 64 pixels; fails with the last mistake, and prints those before.
fn check(args: &CheckArgs) -> Result<()> {
    let mut failed = None;
    for path in &args.files {
        let checked =
            ModelFile::read(path).and_then(|file| Ok((file.model()?.summary(frames(&file, args.size)?)?, file)));
        match checked {
            Ok((layers, file)) => {
                let (layers, outputs) = (plural(layers.len() as u64, "layer"), file.outputs().count());
                let unused = match &file.unused()[..] {
                    [] => String::new(),
                    names => format!("; no output needs {}", names.join(", ")),
                };
                print(&format!("{}: {layers}, {}{unused}\n", path.display(), plural(outputs as u64, "output")));
            }
            Err(error) => {
                let error = placed(error, path);
                if let Some(earlier) = failed.replace(error) {
                    complain(&format!("error: {earlier}\n"));
                }
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

/// An error that does not name the file with its name.
fn placed(error: Error, path: &Path) -> Error {
    match error {
        Error::ModelFile(_) | Error::Io { .. } | Error::Data { .. } => error,
        other => Error::Data { path: path.into(), reason: other.to_string() },
    }
}

fn show(args: &ShowArgs) -> Result<()> {
    let file = read(&args.file, &args.set)?;
    let model = file.model()?;
    let input = frames(&file, args.size)?;
    let layers = model.summary(input)?;
    if args.toml {
        print(&file.to_toml());
        return Ok(());
    }
    let outputs: Vec<(&str, &str)> = file.outputs().collect();
    if args.json {
        let layers = layers.iter().map(|layer| {
            json!({
                "name": layer.name, "kind": layer.kind, "inputs": layer.inputs.to_string(), "output": dims(layer.output),
                "parameters": layer.parameters, "state": layer.state, "multiply_adds": layer.multiply_adds,
                "algorithm": layer.algorithm.map(|plan| plan.to_string()),
            })
        });
        let exported = model.to_rust(input).ok();
        let value = json!({
            "name": file.name(), "about": file.about(), "input": dims(input),
            "layers": layers.collect::<Vec<_>>(), "outputs": outputs, "ram": exported.as_ref().map(|exported| exported.ram),
            "boards": exported.as_ref().map(as_json),
        });
        print(&format!("{value:#}\n"));
        return Ok(());
    }
    let mut text = format!("{}\n\n", title(&file, &args.file));
    let mut rows =
        vec![["layer", "reads", "kind", "output", "parameters", "state", "mult-adds", "algorithm"].map(str::to_owned)];
    rows.push([
        "input".into(),
        String::new(),
        String::new(),
        in_words(input),
        String::new(),
        String::new(),
        String::new(),
        String::new(),
    ]);
    rows.extend(layers.iter().map(row));
    let sum = |of: fn(&LayerSummary) -> usize| thousands(layers.iter().map(of).sum::<usize>() as u64);
    let [parameters, state, work] =
        [sum(|layer| layer.parameters), sum(|layer| layer.state), sum(|layer| layer.multiply_adds)];
    rows.push(["all".into(), String::new(), String::new(), String::new(), parameters, state, work, String::new()]);
    text += &table(&rows);
    let names = outputs
        .iter()
        .map(|(name, layer)| if name == layer { (*name).to_owned() } else { format!("{name} ({layer})") });
    text += &format!("\noutputs   {}\n", names.collect::<Vec<_>>().join(", "));
    text += &match model.to_rust(input) {
        Ok(exported) => format!("\n{}", on_boards(&exported)),
        Err(error) => format!("on boards {error}\n"),
    };
    print(&text);
    Ok(())
}

fn row(layer: &LayerSummary) -> [String; 8] {
    let number = |n: usize| if n == 0 { "-".into() } else { thousands(n as u64) };
    let inputs = layer.inputs.to_string();
    [
        layer.name.clone(),
        inputs,
        layer.kind.into(),
        in_words(layer.output),
        number(layer.parameters),
        number(layer.state),
        number(layer.multiply_adds),
        layer.algorithm.map_or_else(String::new, |plan| plan.to_string()),
    ]
}

fn dims(shape: Shape) -> [usize; 3] {
    [shape.channels, shape.rows, shape.cols]
}

fn in_words(shape: Shape) -> String {
    dims(shape).map(|n| n.to_string()).join(" x ")
}

/// Columns that are as wide as their widest cell; numbers are at the right.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| match column {
            4..7 => format!("{cell:>width$}"),
            _ => format!("{cell:width$}"),
        });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}
