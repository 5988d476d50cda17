//! Text in columns, which stay readable in a narrow terminal.

use foveola::shown;

/// A column.
pub(crate) struct Column {
    pub(crate) cells: Vec<String>,
    /// Whether its cells end at the same place: numbers.
    pub(crate) right: bool,
}

/// The columns side by side, or in blocks that are no wider than `width`, each of which begins with the first column.
pub(crate) fn side_by_side(columns: &[Column], width: usize) -> String {
    let on_one_line = |column: &Column| Column { cells: column.cells.iter().map(shown).collect(), ..*column };
    let columns: Vec<Column> = columns.iter().map(on_one_line).collect();
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
        assert_eq!(side_by_side(&columns, usize::MAX), wide);
        assert_eq!(side_by_side(&columns, 35), wide);
        let two = "layer   reads  state\ncentre  input  1,000\n\nlayer   a wide column\ncentre              -\n";
        assert_eq!(side_by_side(&columns, 34), two);
        assert_eq!(side_by_side(&columns, 1).matches("centre").count(), 3, "one column each");
    }
}
