//! `foveola model`: checks and describes model files.

use super::boards::{as_json, on_boards};
use super::export::export;
use super::layers::{delays, layer_table, milliseconds};
use super::layers_svg::draw;
use super::models::{build, frames, read, title};
use super::plot::plot;
use super::quantise::quantise;
use super::weights::weights;
use crate::args::model::{CheckArgs, ModelArgs, ModelCommand, ShowArgs};
use crate::text::{complain, print, width};
use crate::units::plural;
use foveola::{Error, Result, Samples, shown};
use foveola_core::Shape;
use serde_json::json;
use std::path::Path;

pub(crate) fn model(args: &ModelArgs) -> Result<()> {
    match &args.command {
        ModelCommand::Check(args) => check(args),
        ModelCommand::Show(args) => show(args),
        ModelCommand::Plot(args) => plot(args),
        ModelCommand::Weights(args) => weights(args),
        ModelCommand::Export(args) => export(args),
        ModelCommand::Quantise(args) => quantise(args),
    }
}

/// Builds each model, for the frames of the file or of 64 x 64 pixels; fails with the last mistake, and prints those before.
fn check(args: &CheckArgs) -> Result<()> {
    let mut failed = None;
    for path in &args.files {
        let checked = read(path, &[]).and_then(|file| Ok((file.model()?.summary(frames(&file, args.size)?)?, file)));
        match checked {
            Ok((layers, file)) => {
                let (layers, outputs) = (plural(layers.len() as u64, "layer"), file.outputs().count());
                let mut text = format!("{}: {layers}, {}", shown(path), plural(outputs as u64, "output"));
                let unused =
                    [(file.unused(), "no output needs"), (file.unused_parameters(), "no layer uses the parameter")];
                for (names, what) in unused.iter().filter(|(names, _)| !names.is_empty()) {
                    text += &format!("; {what} {}", names.join(", "));
                }
                print(&format!("{text}\n"))?;
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
    let model = build(&file, args.weights.as_deref())?;
    let input = frames(&file, args.size)?;
    let layers = model.summary(input)?;
    if args.toml {
        return print(&file.to_toml());
    }
    if let Some(path) = &args.svg {
        return draw(&file, &title(&file, &args.file), &layers, input, path);
    }
    let outputs: Vec<(&str, &str)> = file.outputs().collect();
    if args.json {
        let mut delays = delays(&model, input)?.unwrap_or_default().into_iter();
        let layers = layers.iter().map(|layer| {
            json!({
                "name": layer.name, "kind": layer.kind, "inputs": layer.inputs.to_string(), "output": dims(layer.output),
                "full_scale": model.full_scale(&*layer.name), "inner_scale": model.inner_scale(&*layer.name),
                "parameters": layer.parameters, "state": layer.state, "multiply_adds": layer.multiply_adds,
                "algorithm": layer.algorithm.map(|plan| plan.to_string()),
                "delay_ms": delays.next().flatten().map(|frames| milliseconds(frames, file.input().dt)),
            })
        });
        let exported = model.to_rust(input).ok();
        let value = json!({
            "name": file.name(), "about": file.about(), "input": dims(input),
            "sample": if model.samples() == Samples::F32 { "f32" } else { "q15" },
            "layers": layers.collect::<Vec<_>>(), "outputs": outputs, "ram": exported.as_ref().map(|exported| exported.ram),
            "boards": exported.as_ref().map(as_json),
        });
        return print(&format!("{value:#}\n"));
    }
    let mut text = format!("{}\n\n", title(&file, &args.file));
    let delays = delays(&model, input)?;
    text += &layer_table(&layers, input, delays.as_deref(), file.input().dt, width());
    if delays.is_none() {
        text += "\ndelays    not computed: the responses are too much for a table\n";
    }
    let names = outputs
        .iter()
        .map(|(name, layer)| if name == layer { (*name).to_owned() } else { format!("{name} ({layer})") });
    text += &format!("\noutputs   {}\n", names.collect::<Vec<_>>().join(", "));
    if let Samples::Q15 { full_scale } = model.samples() {
        text += &format!("samples   integers of 16 bits; the full scale of the input is {full_scale}\n");
        let scales: Vec<String> = layers
            .iter()
            .filter_map(|layer| Some(format!("{} {}", layer.name, model.full_scale(&*layer.name)?)))
            .collect();
        text +=
            &format!("          of the layers: {}\n", if scales.is_empty() { "-".into() } else { scales.join(", ") });
    }
    text += &match model.to_rust(input) {
        Ok(exported) => format!("\n{}", on_boards(&exported)),
        Err(error) => format!("on boards {error}\n"),
    };
    if !file.input().events.is_empty() {
        text += "The event filters in front are not counted; model export tells their memory.\n";
    }
    print(&text)
}

fn dims(shape: Shape) -> [usize; 3] {
    [shape.channels, shape.rows, shape.cols]
}
