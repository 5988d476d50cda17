//! Tests of model files.

mod from_model;
mod mistakes;
mod random;
mod ready;
mod reference;
mod tables;
mod weights;

use super::ModelFile;
use crate::model::inputs::Join;
use crate::{Model, Result};
use ndarray::{Array3, Array5, ArrayD, Axis, concatenate};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models")
}

fn parse(text: &str) -> Result<ModelFile> {
    ModelFile::parse(text, "/nowhere")
}

/// The message of an error, or that there is none.
fn told<T>(result: Result<T>) -> String {
    result.map_or_else(|error| error.to_string(), |_| "no mistake".into())
}

/// A file of one layer.
fn layer(text: &str) -> String {
    format!("version = 1\n[[layer]]\nname = \"a\"\n{text}\n")
}

/// Computes each layer alone: the naive twin of a network.
fn outputs(file: &ModelFile, movie: &Array3<f32>) -> HashMap<String, ArrayD<f32>> {
    let input = movie.clone().insert_axis(Axis(0)).insert_axis(Axis(0));
    let mut frames: HashMap<String, Array5<f32>> = HashMap::from([("input".into(), input)]);
    for built in file.build(file.resolution()).unwrap_or_else(|error| panic!("{error}")) {
        let terms: Vec<_> = built.inputs.terms.iter().map(|(name, weight)| &frames[name] * *weight as f32).collect();
        let views: Vec<_> = terms.iter().map(|term| term.view()).collect();
        let joined = match built.inputs.join {
            Join::Sum => terms.iter().skip(1).fold(terms[0].clone(), |sum, term| sum + term),
            Join::Product => terms.iter().skip(1).fold(terms[0].clone(), |product, term| product * term),
            Join::Concat => concatenate(Axis(1), &views).expect("frames of one size"),
        };
        let out = Model::new()
            .then(built.layer)
            .run(&joined, movie.dim().0)
            .unwrap_or_else(|error| panic!("{}: {error}", built.name));
        frames.insert(built.name, out);
    }
    file.outputs().map(|(name, layer)| (name.into(), frames[layer].clone().into_dyn())).collect()
}
