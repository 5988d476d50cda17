//! The table of a page.

use crate::row::{Row, Target};
use foveola_benches::MEASURED;
use foveola_cli::bench::Machine;
use std::fmt::Write as _;

/// All numbers, those of peers beside those of foveola in the same task.
pub(crate) fn table(rows: &[Row], peers: &[Row]) -> String {
    let mut text = format!(
        "{MEASURED}\n\n{}. Made by\n\n```sh\nbenches/peers/fit.sh\n```\n\n\
         | task | quantity | foveola | target | peers |\n| --- | --- | --: | --- | --- |\n",
        Machine::this()
    );
    for (i, row) in rows.iter().enumerate() {
        let is_new = i == 0 || rows[i - 1].task != row.task;
        let goal = row.target.map(|target| {
            let (sign, limit) = match target {
                Target::AtMost(limit) => ("≤", limit),
                Target::AtLeast(limit) => ("≥", limit),
            };
            format!("{sign} {}: {}", number(limit), if target.is_met(row.value) { "met" } else { "**missed**" })
        });
        let own = peers.iter().filter(|peer| peer.task == row.task && peer.quantity == row.quantity);
        let beside: Vec<String> = own.map(|peer| format!("{}: {}", peer.peer, told(peer))).collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            if is_new { row.task.as_str() } else { "" },
            row.quantity,
            told(row),
            goal.unwrap_or_default(),
            beside.join("; ")
        );
    }
    let others: Vec<&Row> = peers
        .iter()
        .filter(|peer| !rows.iter().any(|row| row.task == peer.task && row.quantity == peer.quantity))
        .collect();
    if !others.is_empty() {
        text += "\nOf peers alone:\n\n| task | peer | quantity | |\n| --- | --- | --- | --: |\n";
        for peer in others {
            let _ = writeln!(text, "| {} | {} | {} | {} |", peer.task, peer.peer, peer.quantity, told(peer));
        }
    }
    text
}

/// A number with its unit, or the note that says why there is none.
fn told(row: &Row) -> String {
    if row.value.is_nan() && !row.note.is_empty() {
        return row.note.clone();
    }
    let digits = if row.quantity == "loss" { format!("{:.9}", row.value) } else { number(row.value) };
    format!("{digits} {}", row.unit).trim().to_owned()
}

/// Three digits.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if !(1e-3..1e6).contains(&size) => format!("{value:.1e}"),
        _ if value.fract() == 0.0 => format!("{value}"),
        size => format!("{value:.*}", (2.0 - size.log10().floor()).max(0.0) as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        for (value, expected) in [
            (0.0, "0"),
            (1.5, "1.50"),
            (0.0123, "0.0123"),
            (57.0, "57"),
            (123.4, "123"),
            (1234.5, "1234"),
            (3e-10, "3.0e-10"),
        ] {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn peers_stand_beside() {
        let of = |peer: &str, quantity: &str, value, note: &str| Row {
            task: "fit".into(),
            peer: peer.into(),
            note: note.into(),
            ..Row::new(quantity, value, "s")
        };
        let rows = [of("", "time", 3.0, "").at_most(2.0)];
        let peers =
            [of("P", "time", 30.0, ""), of("Q", "time", f64::NAN, "not installed"), of("P", "to build", 1.5, "")];
        let text = table(&rows, &peers);
        let line = "| fit | time | 3 s | ≤ 2: **missed** | P: 30 s; Q: not installed |";
        assert!(text.lines().any(|found| found == line), "{text}");
        assert!(text.ends_with("| fit | P | to build | 1.50 s |\n"), "{text}");
    }
}
