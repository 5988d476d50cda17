//! Which format a recording has, by its first bytes.

use super::ReadOptions;
use super::csv;
use super::foreign;
use super::format::{Format, rows};
use foveola_core::events::{Decode, Encoding, Header, NMnist};

/// The first bytes of a recording.
pub(super) struct Head<'a> {
    pub(super) bytes: &'a [u8],
    /// Bytes of all of it, when that is known.
    pub(super) whole: Option<u64>,
    /// What is known otherwise.
    pub(super) options: ReadOptions,
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

/// Bytes of the lines `% text` or `# text` in front.
pub(super) fn lines_len(head: &[u8]) -> usize {
    let mut len = 0;
    while let Some(rest @ [b'%' | b'#', a, b, c, ..]) = head.get(len..)
        && Header::begins([b'%', *a, *b, *c])
        && let Some(end) = rest.iter().position(|byte| *byte == b'\n')
    {
        len += end + 1;
    }
    len
}

/// What these lines say.
pub(super) fn header(head: &[u8]) -> Header {
    let mut header = Header::new();
    head.iter().take(lines_len(head)).for_each(|byte| {
        header.push(*byte);
    });
    header
}

/// The encoding of events that a header of lines `% key value` names.
pub(super) fn encoding(head: &[u8]) -> Option<Encoding> {
    header(head).encoding()
}

/// Bytes in front of the words of DAT: lines, and two bytes that tell the size of a word.
pub(super) fn dat_len(head: &[u8]) -> usize {
    let lines = lines_len(head);
    lines + if matches!(head.get(lines..), Some([_, 8, ..])) { 2 } else { 0 }
}

/// Whether a header is that of DAT: it names no encoding, but a data file; or words of 8 bytes follow.
pub(super) fn says_dat(head: &[u8]) -> bool {
    let lines = head.get(..lines_len(head)).unwrap_or_default();
    let names_it = lines.windows(11).any(|window| window == b"% Data file");
    let sized = matches!(head.get(lines.len()..), Some([0 | 0x0C | 0x0E, 8, ..]));
    lines.starts_with(b"%") && encoding(head).is_none() && (names_it || sized)
}

impl Head<'_> {
    /// Whether it is text in UTF-8, whose last character may be cut.
    pub(super) fn is_text(&self) -> bool {
        let text = match std::str::from_utf8(self.bytes) {
            Ok(text) => Some(text),
            Err(error) if error.error_len().is_none() => {
                self.bytes.get(..error.valid_up_to()).and_then(|front| std::str::from_utf8(front).ok())
            }
            Err(_) => None,
        };
        text.is_some_and(|text| text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace()))
    }

    /// Whether `decoder` finds events and can make sense of nearly all of it.
    pub(super) fn sensible(&self, mut decoder: impl Decode) -> bool {
        let events = decoder.events(self.bytes).count();
        events > 0 && !self.is_text() && decoder.skipped().bytes() * 16 < self.bytes.len() as u64
    }

    /// Whether `decoder` can make sense of it, and finds at least 32 events in order, at more than one time and in less than
    /// an hour, with coordinates below 2048.
    pub(super) fn ordered(&self, mut decoder: impl Decode + Clone) -> bool {
        let again = decoder.clone();
        let (mut events, mut first, mut last, mut inside) = (0, None, 0, true);
        for event in decoder.events(self.bytes) {
            events += 1;
            first.get_or_insert(event.t);
            last = event.t;
            inside &= event.x < 2048 && event.y < 2048;
        }
        let span = last.saturating_sub(first.unwrap_or(0));
        let plausible = events >= 32 && inside && (1..3_600_000_000).contains(&span) && decoder.skipped().backward == 0;
        plausible && self.sensible(again)
    }

    /// Whether it looks like N-MNIST: events in order.
    pub(super) fn nmnist(&self) -> bool {
        let (mut decoder, mut events, mut last) = (NMnist::new(), 0, 0);
        let ordered = decoder.events(self.bytes).all(|event| {
            events += 1;
            std::mem::replace(&mut last, event.t) <= event.t
        });
        // Many in order are no chance, even where the last word is cut.
        let whole = self.whole.is_some_and(|bytes| bytes.is_multiple_of(5)) || events >= 32;
        ordered && last > 0 && whole && self.sensible(NMnist::new())
    }
}
