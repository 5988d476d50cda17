//! Which format a recording has, by its first bytes.

use super::ReadOptions;
use super::csv;
use super::foreign;
use super::format::{Format, rows};
use foveola_core::events::{Aedat2, Decode, Encoding, Evt2, Header, NMnist};

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

/// Bytes of the lines `% text` or `# text` in front; none where they go on behind `head`.
pub(super) fn lines(head: &[u8]) -> Option<usize> {
    match head {
        [b'%', ..] => Evt2::front(head),
        [b'#', ..] => Aedat2::front(head),
        _ => Some(0),
    }
}

/// These lines.
pub(super) fn text(head: &[u8]) -> &[u8] {
    head.get(..lines(head).unwrap_or(head.len())).unwrap_or(head)
}

/// What these lines say.
pub(super) fn header(head: &[u8]) -> Header {
    let mut header = Header::new();
    text(head).iter().for_each(|byte| {
        header.push(*byte);
    });
    header
}

/// The encoding of events that a header of lines `% key value` names.
pub(super) fn encoding(head: &[u8]) -> Option<Encoding> {
    header(head).encoding()
}

/// Whether a header is that of DAT: it names no encoding, but a data file; or words of 8 bytes follow.
pub(super) fn says_dat(head: &[u8]) -> bool {
    let lines = text(head);
    let names_it = lines.windows(11).any(|window| window == b"% Data file");
    let sized = matches!(head.get(lines.len()..), Some([0 | 0x0C | 0x0E, 8, ..]));
    lines.starts_with(b"%") && encoding(head).is_none() && (names_it || sized)
}

/// Why a recording of DAT is not read: its header tells another version than the one that is.
pub(super) fn refused_dat(head: &[u8]) -> Option<String> {
    let mut versions = text(head).split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"% Version"));
    let version = std::str::from_utf8(versions.next_back()?).ok()?.trim();
    (!matches!(version, "" | "2"))
        .then(|| format!("DAT of version {version}, whose words are others; expected version 2"))
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
