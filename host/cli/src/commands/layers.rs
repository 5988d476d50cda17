//! The table of layers of `foveola model show`.

use crate::columns::{Column, side_by_side};
use crate::units::thousands;
use foveola::{Flash, LayerSummary, Model, Result};
use foveola_core::Shape;

/// The most multiply-adds that are spent on delays: about a second.
const MOST_WORK: usize = 1_500_000_000;
/// Rows and columns that are enough for delays: they depend on the frame only at its border.
const SIDE: usize = 32;

/// The delay of each layer in frames ([`Response::delay`](foveola::Response::delay)); none if that is too much to compute for
/// a table.
pub(super) fn delays(model: &Model, frame: Shape) -> Result<Option<Vec<Option<f64>>>> {
    let small = Shape::new(frame.channels, frame.rows.min(SIDE), frame.cols.min(SIDE));
    // Some models fit only frames of their own size, such as one with a delay for each pixel.
    let flash = Flash::new(if model.signature(small).is_ok() { small } else { frame });
    match model.delays_work(&flash)? {
        Some(work) if work <= MOST_WORK => model.delays(&flash).map(Some),
        _ => Ok(None),
    }
}

/// Milliseconds of some frames, to a hundredth of a frame.
pub(super) fn milliseconds(frames: f64, dt: f64) -> f64 {
    (frames * 100.0).round() / 100.0 * dt * 1e3
}

/// One line for the input, for each layer, and for all of them. A table that is wider than `width` becomes several, one
/// below the other, each with the names of the layers.
pub(super) fn layer_table(
    layers: &[LayerSummary],
    input: Shape,
    delays: Option<&[Option<f64>]>,
    dt: f64,
    width: usize,
) -> String {
    let number = |n: usize| if n == 0 { "-".into() } else { thousands(n as u64) };
    let column = |title: &str, first: &str, last: &str, right: bool, cell: &dyn Fn(usize) -> String| {
        let cells = (0..layers.len()).map(cell);
        let cells = [title.to_owned(), first.to_owned()].into_iter().chain(cells).chain([last.to_owned()]);
        Column { cells: cells.collect(), right }
    };
    let sum = |of: fn(&LayerSummary) -> usize| thousands(layers.iter().map(of).sum::<usize>() as u64);
    let [parameters, state, work] =
        [sum(|layer| layer.parameters), sum(|layer| layer.state), sum(|layer| layer.multiply_adds)];
    let algorithm = |i: usize| layers[i].algorithm.map_or_else(String::new, |plan| plan.to_string());
    let mut columns = vec![
        column("layer", "input", "all", false, &|i| layers[i].name.clone()),
        column("reads", "", "", false, &|i| layers[i].inputs.to_string()),
        column("kind", "", "", false, &|i| layers[i].kind.to_owned()),
        column("output", &input.to_string(), "", false, &|i| layers[i].output.to_string()),
        column("parameters", "", &parameters, true, &|i| number(layers[i].parameters)),
        column("state", "", &state, true, &|i| number(layers[i].state)),
        column("mult-adds", "", &work, true, &|i| number(layers[i].multiply_adds)),
    ];
    if let Some(delays) = delays {
        let delay = |i: usize| match delays.get(i) {
            Some(Some(frames)) => format!("{:.1} ms", milliseconds(*frames, dt)),
            _ => "-".into(),
        };
        columns.push(column("delay", "", "", true, &delay));
    }
    columns.push(column("algorithm", "", "", false, &algorithm));
    side_by_side(&columns, width)
}
