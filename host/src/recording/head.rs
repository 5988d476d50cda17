//! The first bytes of a recording: all of the text in front, however long, and as many bytes behind it as are looked at.

use super::events::BYTES;
use super::format::{Format, rows};
use super::recognise;
use crate::{Error, Result};
use std::io::Read;
use std::path::Path;

/// Bytes of a text in front at most: it is held in memory.
const MOST: usize = 16 << 20;

/// The first bytes of a recording that is not empty: [`BYTES`] behind its text.
///
/// # Errors
/// [`Error::Io`]; [`Error::Data`] for one that is empty, or whose text does not end.
pub(super) fn read(name: &Path, reader: &mut impl Read, format: Option<Format>) -> Result<Vec<u8>> {
    let data = |reason: &str| Err(Error::Data { path: name.into(), reason: reason.into() });
    let (mut head, mut wanted) = (Vec::new(), BYTES);
    loop {
        let missing = wanted.saturating_sub(head.len());
        let read = reader.by_ref().take(missing as u64).read_to_end(&mut head);
        read.map_err(|source| Error::Io { path: name.into(), source })?;
        if head.len() < wanted {
            break; // that is all
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

/// Bytes in front of the first word, as far as the format is known; none where they go on behind `head`.
fn front(head: &[u8], format: Option<Format>) -> Option<usize> {
    let row = format.map(Format::row).or_else(|| rows().iter().find(|row| (row.says)(head)));
    row.map_or_else(|| recognise::lines(head), |row| (row.front)(head))
}
