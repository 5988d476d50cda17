//! Recognises the format of a recording by its first bytes: the whole text header, however long, and a fixed number of bytes
//! after it.

use super::csv;
use super::events::BYTES;
use super::foreign;
use super::format::{Format, rows};
use super::head::Head;
use super::text_header;
use crate::{Error, Result};
use std::io::Read;
use std::path::Path;

/// The largest text header in bytes: it is kept in memory.
const MOST: usize = 16 << 20;

/// The first bytes of a recording that is not empty: [`BYTES`] after its text header.
///
/// # Errors
/// [`Error::Io`]; [`Error::Data`] for an empty recording, or one whose text header does not end.
pub(super) fn read(name: &Path, reader: &mut impl Read, format: Option<Format>) -> Result<Vec<u8>> {
    let data = |reason: &str| Err(Error::Data { path: name.into(), reason: reason.into() });
    let (mut head, mut wanted) = (Vec::new(), BYTES);
    loop {
        let missing = wanted.saturating_sub(head.len());
        let read = reader.by_ref().take(missing as u64).read_to_end(&mut head);
        read.map_err(|source| Error::Io { path: name.into(), source })?;
        if head.len() < wanted {
            break; // end of the recording
        }
        wanted = match front(&head, format) {
            Some(front) if front + BYTES <= head.len() => break,
            Some(front) => front + BYTES,
            None if head.len() < MOST => 2 * head.len(),
            None => return data("its header is longer than 16 MB; expected events behind it"),
        };
    }
    if head.is_empty() {
        return data("it is empty; expected events (was a download or a recording cut short?)");
    }
    Ok(head)
}

/// Number of bytes before the first word, if the format is known; none if they are longer than `head`.
fn front(head: &[u8], format: Option<Format>) -> Option<usize> {
    let row = format.map(Format::row).or_else(|| rows().iter().find(|row| (row.says)(head)));
    row.map_or_else(|| text_header::lines(head), |row| (row.front)(head))
}

/// The format of a recording.
pub(super) fn recognise(head: &Head<'_>) -> Result<Format, String> {
    if let Some(row) = rows().iter().find(|row| (row.says)(head.bytes)) {
        return Ok(row.format);
    }
    if let Some(what) = foreign::describe(head.bytes) {
        return Err(what.into());
    }
    if let Some(row) = rows().iter().find(|row| (row.looks)(head)) {
        return Ok(row.format);
    }
    match csv::Layout::detect(head.bytes, head.options.columns, head.options.unit) {
        Err(reason) if head.is_text() => Err(format!("text, but not read as events: {reason}")),
        _ => Err(format!(
            "of no format that is known; expected one of: {}; of a damaged recording, or one without a header, name the format \
             (--format)",
            known()
        )),
    }
}

/// All formats.
fn known() -> String {
    let all: Vec<_> = rows().iter().map(|row| format!("{} ({})", row.format.about(), row.format.name())).collect();
    all.join(", ")
}
