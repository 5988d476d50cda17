//! `foveola model weights`: the parameters of a model.

use super::models::read;
use crate::args::model::WeightsArgs;
use crate::text::print;
use crate::units::plural;
use foveola::{Parameter, Result};

/// Prints names and shapes of all parameters, and writes their values.
pub(super) fn weights(args: &WeightsArgs) -> Result<()> {
    let model = read(&args.file, &args.set)?.model()?;
    let parameters = model.parameters();
    if let Some(path) = &args.out {
        model.save_weights(path)?;
    }
    let width = parameters.iter().map(|parameter| parameter.name.chars().count()).max().unwrap_or(0);
    let line = |parameter: &Parameter| format!("{:width$}  {}\n", parameter.name, size(parameter));
    let mut text: String = parameters.iter().map(line).collect();
    if let Some(path) = &args.out {
        text += &format!("wrote {}: {}\n", path.display(), plural(parameters.len() as u64, "array"));
    }
    print(&text);
    Ok(())
}

/// The shape of an array, or the value of a number.
fn size(parameter: &Parameter) -> String {
    match (parameter.shape(), parameter.value.first()) {
        ([], Some(number)) => number.to_string(),
        (sides, _) => sides.iter().map(usize::to_string).collect::<Vec<_>>().join(" x "),
    }
}
