//! The model that an argument names, and the parts of it that `foveola run` draws.

use super::input::DT;
use crate::args::RunArgs;
use foveola::{Device, Geometry, Model, ModelFile, Precision, Result, models, movie, shown};
use foveola_core::Shape;
use std::path::Path;

/// A model and its parts, with the device and precision given by the arguments.
pub(crate) struct Models {
    pub(crate) whole: Model,
    pub(crate) parts: Vec<(String, Model)>,
}

/// Reads a ready model by its name, or a file, with the changes of `--set`.
pub(crate) fn read(model: &Path, set: &[(String, String)]) -> Result<ModelFile> {
    let mut file = models::open(model)?;
    set.iter().try_for_each(|(key, value)| file.set(key, value))?;
    Ok(file)
}

/// The model of a file, with the parameters of `--weights`.
pub(crate) fn build(file: &ModelFile, weights: Option<&Path>) -> Result<Model> {
    let mut model = file.model()?;
    weights.map_or(Ok(()), |path| model.load_weights(path))?;
    Ok(model)
}

/// The name of a model, or of its file if it has none.
fn name(file: &ModelFile, path: &Path) -> String {
    match file.name() {
        "" => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        name => name.into(),
    }
}

/// The name of the model, or of its file, and what it does, on one line.
pub(crate) fn title(file: &ModelFile, path: &Path) -> String {
    let name = name(file, path);
    shown(if file.about().is_empty() { name } else { format!("{name}: {}", file.about()) })
}

/// The frames of the file, with the size that was asked for, or of 64 x 64 pixels and one channel where it allows any.
pub(crate) fn frames(file: &ModelFile, size: Option<Geometry>) -> Result<Shape> {
    let input = file.input();
    let rows = size.map(|size| size.rows).or(input.rows).unwrap_or(64);
    let cols = size.map(|size| size.cols).or(input.cols).unwrap_or(64);
    file.frames(Shape::new(input.channels.unwrap_or(1), rows, cols))
}

impl RunArgs {
    /// The arguments with the model read, and what it says of the input where the arguments are silent.
    pub(crate) fn with_file(mut self) -> Result<Self> {
        let file = read(Path::new(&self.model), &self.set)?;
        self.model = name(&file, Path::new(&self.model));
        let movie = match &self.input {
            Some(path) if self.common.format.is_none() => movie::kind(path)?.is_some(),
            _ => false,
        };
        if !movie {
            self.polarity = self.polarity.or(file.input().polarity);
            self.common.filter.splice(..0, file.input().events.iter().cloned());
        }
        self.file = Some(file);
        Ok(self)
    }

    /// Microseconds of a frame unless the input has a time of its own, and who says so.
    pub(crate) fn frame_time(&self) -> Result<(u64, &'static str)> {
        Ok(match (self.dt, &self.file) {
            (Some(dt), _) => (dt, "given"),
            (None, file) => (file.as_ref().map_or(Ok(DT), |file| file.input().microseconds())?, "the model's"),
        })
    }

    /// What the first output is called in pictures: like the model, unless there are several.
    pub(crate) fn output(&self) -> &str {
        let outputs: Vec<_> = self.file.iter().flat_map(|file| file.outputs()).collect();
        if let [(first, _), _, ..] = outputs[..] { first } else { &self.model }
    }

    /// One line on what the model does.
    pub(crate) fn about(&self) -> &str {
        self.file.as_ref().map_or("", |file| file.about())
    }
}

impl Models {
    /// Builds the model for frames of `dt` microseconds.
    pub(crate) fn build(args: &RunArgs, device: &Device, dt: u64) -> Result<Self> {
        let precision = if args.reproducible { Precision::Reproducible } else { Precision::Fast };
        let there = |model: Model| model.with_precision(precision).to(device);
        let Some(file) = &args.file else { return Self::build(&args.clone().with_file()?, device, dt) };
        let mut file = file.clone();
        file.set("input.dt", &format!("{dt}us"))?;
        let whole = build(&file, args.weights.as_deref())?;
        let parts = drawn(&file).into_iter().filter_map(|name| Some((name.to_owned(), there(whole.part(name)?))));
        Ok(Self { parts: parts.collect(), whole: there(whole) })
    }
}

/// The layers that are drawn beside the first output: those that it reads, and the other outputs. Of a layer that only names a
/// sum, what it reads.
fn drawn(file: &ModelFile) -> Vec<&str> {
    let outputs: Vec<&str> = file.outputs().map(|(_, layer)| layer).collect();
    let first = outputs.first().copied().unwrap_or_default();
    let is_sum = |name: &str| file.layers().iter().any(|layer| layer.name() == name && layer.kind() == "Identity");
    let summed = |name| if is_sum(name) { file.reads(name).collect() } else { vec![name] };
    let mut names = Vec::new();
    for name in file.reads(first).flat_map(summed).chain(outputs) {
        if name != "input" && name != first && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
