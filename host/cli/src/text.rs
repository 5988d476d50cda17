//! The output of commands: lines of two columns, and counts of omitted data.

use crate::units::{plural, thousands};
use foveola::{Error, Result, shown};
use foveola_core::events::Skipped;
use serde_json::{Map, Value, json};
use std::fmt::{Display, Write as _};
use std::io::Write as _;

/// Prints to stdout; a closed pipe is not an error.
///
/// # Errors
/// [`Error::Io`] where it cannot be written, as on a full disk.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout();
    // A part of a line would wait until the program ends, where errors are lost.
    written(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// The outcome of writing to stdout: a closed pipe is not an error.
pub(crate) fn written(outcome: std::io::Result<()>) -> Result<()> {
    match outcome {
        Err(source) if source.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::Io { path: "the standard output".into(), source })
        }
        _ => Ok(()),
    }
}

/// Prints to stderr, as far as that is possible.
pub(crate) fn complain(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// A reason to omit data: its key in JSON, its name in words, and the count.
pub(crate) type Reason = (&'static str, &'static str, u64);

/// The data that a decoder skipped.
pub(crate) fn decoder_reasons(skipped: &Skipped) -> impl Iterator<Item = Reason> {
    let keys =
        ["garbage_bytes", "untimed_bytes", "other_bytes", "tail_bytes", "backward", "unconfirmed", "early_events"];
    keys.into_iter().zip(skipped.reasons()).map(|(key, (words, count))| (key, words, count.into()))
}

/// Events outside the geometry, including those that the decoder could not deliver.
pub(crate) fn outside_events(count: u64, skipped: &Skipped) -> Reason {
    ("outside_events", "events outside the geometry", count + u64::from(skipped.outside))
}

/// All reasons as JSON.
pub(crate) fn reasons_as_json(reasons: &[Reason]) -> Value {
    reasons.iter().map(|(key, _, count)| ((*key).into(), json!(count))).collect::<Map<_, _>>().into()
}

/// The reasons with a count, as lines.
pub(crate) fn reasons_as_text(reasons: &[Reason]) -> Vec<String> {
    let some = reasons.iter().filter(|(_, _, count)| *count > 0);
    let lines: Vec<String> = some.map(|(_, words, count)| format!("{} {words}", thousands(*count))).collect();
    if lines.is_empty() { vec!["nothing".into()] } else { lines }
}

/// The events that filters dropped, as lines.
fn filtered_as_text(filtered: &[(String, u64)]) -> Vec<String> {
    filtered.iter().map(|(name, count)| format!("{} by {name}", plural(*count, "event"))).collect()
}

/// The events that filters dropped, as JSON: a list, since a filter may occur twice.
pub(crate) fn filtered_as_json(filtered: &[(String, u64)]) -> Value {
    filtered.iter().map(|(name, count)| json!({ "filter": name, "dropped": count })).collect()
}

/// Lines `name value` in two columns: the text, and its width, which is the terminal's width if the output is a terminal.
pub(crate) struct Lines(pub(crate) String, usize);

/// Columns of the terminal; without a terminal there is no limit.
pub(crate) fn width() -> usize {
    terminal_size::terminal_size_of(std::io::stdout()).map_or(usize::MAX, |(width, _)| width.0.into())
}

impl Default for Lines {
    fn default() -> Self {
        Self(String::new(), width())
    }
}

impl Lines {
    /// No lines yet, for a terminal of some columns.
    pub(crate) fn of_width(width: usize) -> Self {
        Self(String::new(), width)
    }

    pub(crate) fn push(&mut self, name: &str, value: impl Display) {
        let (name, value) = (shown(name), shown(value.to_string()));
        let _ = write!(self.0, "{name:9}");
        // The current line; it has at least one word.
        let mut column = 9_usize;
        for word in value.split(' ') {
            let needed = 1 + word.chars().count();
            if column > 9 && column + needed > self.1 {
                let _ = write!(self.0, "\n{:9}", "");
                column = 9;
            }
            let _ = write!(self.0, " {word}");
            column += needed;
        }
        self.0.push('\n');
    }

    /// Number of clock resets, if there were any.
    pub(crate) fn push_resets(&mut self, resets: u64) {
        if resets > 0 {
            self.push("resets", format!("{}, at which the clock began anew", thousands(resets)));
        }
    }

    /// Skipped data, the position of the first damage, and the events that filters dropped.
    pub(crate) fn push_left_out(&mut self, skipped: &[Reason], damage: Option<u64>, filtered: &[(String, u64)]) {
        self.push_all("skipped", reasons_as_text(skipped));
        if let Some(at) = damage {
            self.push("damage", format!("from byte {} on", thousands(at)));
        }
        self.push_all("filtered", filtered_as_text(filtered));
    }

    /// Several values of one name, which precedes the first.
    pub(crate) fn push_all(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        for (i, value) in values.into_iter().enumerate() {
            self.push(if i == 0 { name } else { "" }, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_wide_as_the_terminal() {
        let mut lines = Lines(String::new(), 40);
        lines.push("model ran", "480,317 frames/s, 480.32 x real time");
        lines.push("", "stages.png  input, centre, surround, retina");
        lines.push("file", "a_name_that_is_longer_than_the_terminal_is_wide.raw of 3 bytes");
        let expected = "\
model ran 480,317 frames/s, 480.32 x
          real time
          stages.png  input, centre,
          surround, retina
file      a_name_that_is_longer_than_the_terminal_is_wide.raw
          of 3 bytes
";
        assert_eq!(lines.0, expected);
        lines = Lines(String::new(), usize::MAX);
        lines.push("", "stages.png  input, centre, surround, retina");
        assert_eq!(lines.0, "          stages.png  input, centre, surround, retina\n", "no terminal");
    }
}
