//! The front of a text: its dialect, the names of its columns, and its first rows.

use super::super::events::BYTES;
use super::super::table::{HINT, LOOK, Named, Table};
use super::dialect::Dialect;
use super::{content, geometry};
use std::collections::BTreeMap;

/// Largest number of characters of a line in a message.
const QUOTE: usize = 40;

/// The information in the first lines.
pub(super) struct Front {
    pub(super) dialect: Dialect,
    pub(super) table: Table,
    /// Byte position of the line with the names.
    pub(super) names_at: Option<u64>,
    /// Fields per line; none without lines.
    pub(super) width: Option<usize>,
}

/// Names of columns.
struct Names {
    at: u64,
    names: Vec<String>,
    told: Named,
}

impl Names {
    fn read(at: u64, line: &[u8], dialect: Dialect) -> Self {
        let names = dialect.names(line);
        Self { at, told: Named::read(&names), names }
    }

    fn is_complete(&self) -> bool {
        matches!(self.told, Named::All(_))
    }

    /// Whether there is a name for each of `columns`, or for each of `fields`, which includes empty fields at the end.
    fn suits(&self, columns: usize, fields: usize) -> bool {
        let named = self.names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
        self.names.len() == fields || named == columns
    }
}

impl Front {
    /// Reads the front of a text that begins with `head`. Names need not match the rows if the order is `given`.
    pub(super) fn read(head: &[u8], given: bool) -> Result<Self, String> {
        let mut lines = Vec::new();
        let mut at = 0;
        for line in head.split_inclusive(|byte| *byte == b'\n').take(LOOK) {
            // The last line may continue after the head.
            if line.ends_with(b"\n") || head.len() < BYTES {
                lines.push((at, line));
            }
            at += line.len() as u64;
        }
        if let [(_, line)] = &lines[..]
            && line.trim_ascii().contains(&b'\r')
        {
            return Err("lines that end in CR alone; expected LF or CRLF".into());
        }
        let (mut comments, mut others) = (Vec::new(), Vec::new());
        for (at, line) in lines {
            match content(line) {
                None => {}
                Some([b'#' | b'%', comment @ ..]) => comments.push((at, comment)),
                Some(content) => others.push((at, content, line.ends_with(b"\n"))),
            }
        }
        let dialect = Dialect::of(&others.iter().map(|(_, line, _)| *line).collect::<Vec<_>>());
        let mut names = comments.iter().map(|(at, line)| Names::read(*at, line, dialect)).find(Names::is_complete);
        let (mut rows, mut odd) = (Vec::new(), None);
        for (at, line, ended) in others {
            if rows.is_empty() && geometry(line).is_some() {
                continue;
            }
            let fields = || dialect.fields(line);
            let row: Vec<f64> = fields().map(|field| dialect.number(field).map_or(f64::NAN, |it| it.value())).collect();
            let numbers = row.iter().filter(|number| !number.is_nan()).count();
            // Other columns may hold text.
            if numbers >= 4 || (numbers > 0 && numbers == fields().filter(|field| !field.is_empty()).count()) {
                rows.push((row, ended));
            } else if rows.is_empty() {
                if names.as_ref().is_none_or(|names| !names.is_complete()) {
                    names = Some(Names::read(at, line, dialect));
                } else if ended {
                    odd.get_or_insert(line);
                }
            }
        }
        // The only row may be truncated if its line has no end.
        if let ([(row, false)], Some(names)) = (&rows[..], &names)
            && (names.names.len() != row.len() || row.iter().any(|number| number.is_nan()))
        {
            rows.clear();
        }
        let rows: Vec<Vec<f64>> = rows.into_iter().map(|(row, _)| row).collect();
        let front = Self { dialect, table: Table { rows, ..Table::default() }, names_at: None, width: None };
        front.finish(names, odd, given)
    }

    /// Keeps the rows of the usual width, and the names if they match. `odd` is a line after the names that is not a row.
    fn finish(mut self, names: Option<Names>, odd: Option<&[u8]>, given: bool) -> Result<Self, String> {
        let rows = &mut self.table.rows;
        let names = match (names, odd) {
            (Some(names), Some(odd)) if rows.is_empty() && names.is_complete() => {
                return Err(format!("the first line below the names is '{}'; expected numbers", quote(odd)));
            }
            (Some(names), _) if rows.is_empty() && names.told == Named::Nothing => {
                return Err(format!(
                    "no line of numbers; the last one is '{}'",
                    quote(names.names.join(" ").as_bytes())
                ));
            }
            (None, _) if rows.is_empty() && !given => return Err("no line of numbers".into()),
            (names, _) => names,
        };
        // Rows with the most frequent number of fields: the others are damaged.
        let mut counts = BTreeMap::new();
        rows.iter().for_each(|row| *counts.entry(row.len()).or_insert(0) += 1);
        let fields = counts.iter().max_by_key(|(_, count)| **count).map(|(fields, _)| *fields);
        rows.retain(|row| Some(row.len()) == fields);
        let filled = |row: &Vec<f64>| row.iter().rposition(|number| !number.is_nan()).map_or(0, |last| last + 1);
        let columns = rows.iter().map(filled).max();
        let suits = |names: &Names| fields.zip(columns).is_none_or(|(fields, columns)| names.suits(columns, fields));
        let names = match names {
            Some(names) if !suits(&names) && names.is_complete() && !given => {
                let (names, fields) = (names.names.len(), fields.unwrap_or(0));
                return Err(format!(
                    "{names} names of columns, but {fields} fields in a line; {HINT}{}",
                    if fields > names { self.dialect.comma_hint() } else { "" }
                ));
            }
            names => names.filter(suits),
        };
        self.width = fields.max(names.as_ref().map(|names| names.names.len()));
        if names.is_none() {
            // Separators after the last number.
            rows.iter_mut().for_each(|row| row.truncate(columns.unwrap_or(0)));
        }
        if let Some(names) = names {
            self.names_at = Some(names.at);
            self.table.names = Some(names.names);
        }
        Ok(self)
    }
}

/// The start of a line, for a message.
fn quote(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let cut: String = text.chars().take(QUOTE).collect();
    if cut.len() < text.len() { format!("{cut}...") } else { cut }
}
