//! The table of layers of `foveola model show`.

use super::model::dims;
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

/// A column of the table.
struct Column {
    cells: Vec<String>,
    /// Whether its cells end at the same place: numbers.
    right: bool,
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
    let in_words = |shape: Shape| dims(shape).map(|n| n.to_string()).join(" x ");
    let [parameters, state, work] =
        [sum(|layer| layer.parameters), sum(|layer| layer.state), sum(|layer| layer.multiply_adds)];
    let algorithm = |i: usize| layers[i].algorithm.map_or_else(String::new, |plan| plan.to_string());
    let mut columns = vec![
        column("layer", "input", "all", false, &|i| layers[i].name.clone()),
        column("reads", "", "", false, &|i| layers[i].inputs.to_string()),
        column("kind", "", "", false, &|i| layers[i].kind.to_owned()),
        column("output", &in_words(input), "", false, &|i| in_words(layers[i].output)),
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
    blocks(&columns, width)
}

/// The columns side by side, or in blocks that are as wide as they may be, each of which begins with the first column.
fn blocks(columns: &[Column], width: usize) -> String {
    let widths: Vec<usize> =
        columns.iter().map(|column| column.cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0)).collect();
    let Some(first) = widths.first() else { return String::new() };
    let mut blocks: Vec<Vec<usize>> = vec![vec![0]];
    let mut used = *first;
    for (column, needed) in widths.iter().enumerate().skip(1) {
        let last = blocks.len() - 1;
        if blocks[last].len() > 1 && used + 2 + needed > width {
            blocks.push(vec![0, column]);
            used = first + 2 + needed;
        } else {
            blocks[last].push(column);
            used += 2 + needed;
        }
    }
    let line = |block: &[usize], row: usize| {
        let cells = block.iter().map(|&column| {
            let (cell, width) = (&columns[column].cells[row], widths[column]);
            if columns[column].right { format!("{cell:>width$}") } else { format!("{cell:width$}") }
        });
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    let rows = columns[0].cells.len();
    let block = |block: &Vec<usize>| (0..rows).map(|row| line(block, row)).collect::<String>();
    blocks.iter().map(block).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(cells: [&str; 2], right: bool) -> Column {
        Column { cells: cells.map(str::to_owned).to_vec(), right }
    }

    #[test]
    fn a_narrow_table_has_blocks() {
        let columns = [
            column(["layer", "centre"], false),
            column(["reads", "input"], false),
            column(["state", "1,000"], true),
            column(["a wide column", "-"], true),
        ];
        let wide = "layer   reads  state  a wide column\ncentre  input  1,000              -\n";
        assert_eq!(blocks(&columns, usize::MAX), wide);
        assert_eq!(blocks(&columns, 35), wide);
        let two = "layer   reads  state\ncentre  input  1,000\n\nlayer   a wide column\ncentre              -\n";
        assert_eq!(blocks(&columns, 34), two);
        assert_eq!(blocks(&columns, 1).matches("centre").count(), 3, "one column each");
    }
}
