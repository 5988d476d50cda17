//! `foveola model weights`: the parameters of a model.

use super::guard::Guard;
use super::models::read;
use crate::args::model::WeightsArgs;
use crate::columns::{Column, side_by_side};
use crate::text::{print, width};
use crate::units::plural;
use foveola::{Parameter, Result, shown};

/// Prints names and shapes of all parameters, and writes their values.
pub(super) fn weights(args: &WeightsArgs) -> Result<()> {
    let file = read(&args.file, &args.set)?;
    let model = file.model()?;
    let parameters = model.parameters();
    if let Some(path) = &args.out {
        Guard::new("model weights", Some(&file), []).check("--out", path, "a file that the model does not read")?;
        model.save_weights(path)?;
    }
    let column = |cell: fn(&Parameter) -> String| Column { cells: parameters.iter().map(cell).collect(), right: false };
    let mut text = side_by_side(&[column(|parameter| parameter.name.clone()), column(size)], width());
    if let Some(path) = &args.out {
        text += &format!("wrote {}: {}\n", shown(path), plural(parameters.len() as u64, "array"));
    }
    print(&text)
}

/// The shape of an array, or the value of a number.
fn size(parameter: &Parameter) -> String {
    match (parameter.shape(), parameter.value.first()) {
        ([], Some(number)) => number.to_string(),
        (sides, _) => sides.iter().map(usize::to_string).collect::<Vec<_>>().join(" x "),
    }
}
