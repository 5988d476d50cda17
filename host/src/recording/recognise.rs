//! Which format a recording has, by its first bytes.

use super::format::{Format, TABLE};
use foveola_core::events::{Decode, Encoding, Evt2, NMnist};

/// The first bytes of a recording.
pub(super) struct Head<'a> {
    pub(super) bytes: &'a [u8],
    /// Bytes of all of it, when that is known.
    pub(super) whole: Option<u64>,
}

/// Things that people try, which are no recordings: first bytes, and what they are.
const FOREIGN: [(&[u8], &str); 5] = [
    (
        b"\x89HDF\r\n\x1a\n",
        "an HDF5 file, which is not read; convert it as the README says under 'What can I feed it?'",
    ),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture, not events; as a movie, give the folder of all pictures to foveola run"),
    (b"GIF8", "a GIF, not events"),
    (b"#!AER-DAT", "an AEDAT recording of a version that is not read"),
    (b"\x93NUMPY", "a .npy array, not events"),
];

/// The format of a recording.
pub(super) fn recognise(head: &Head<'_>) -> Result<Format, String> {
    let rows = const { &TABLE };
    if let Some(row) = rows.iter().find(|row| (row.says)(head.bytes)) {
        return Ok(row.format());
    }
    if encoding(head.bytes).is_some() {
        return Err(format!("its header names a format that is not read; {}", known()));
    }
    if let Some((_, what)) = FOREIGN.iter().find(|(magic, _)| head.bytes.starts_with(magic)) {
        return Err(format!("{what}; {}", known()));
    }
    if let Some(row) = rows.iter().find(|row| (row.looks)(head)) {
        return Ok(row.format());
    }
    let what = if head.is_text() { "text, but not of events" } else { "of no format that is known" };
    Err(format!("{what}; {}; of a damaged one, name the format (--format)", known()))
}

/// What could have been there.
fn known() -> String {
    let rows = const { &TABLE };
    let all: Vec<_> = rows.iter().map(|row| format!("{} ({})", row.format().about(), row.format().name())).collect();
    format!("expected one of: {}", all.join(", "))
}

/// What a header of lines `% key value` says of the events.
pub(super) fn encoding(head: &[u8]) -> Option<Encoding> {
    let mut decoder = Evt2::new(); // which reads these headers
    decoder.events(head).next();
    decoder.header().encoding()
}

impl Head<'_> {
    /// Whether it is text.
    pub(super) fn is_text(&self) -> bool {
        self.bytes.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
    }

    /// Whether `decoder` finds events and can make sense of nearly all of it.
    pub(super) fn sensible(&self, mut decoder: impl Decode) -> bool {
        let events = decoder.events(self.bytes).count();
        events > 0 && !self.is_text() && decoder.skipped().bytes() * 16 < self.bytes.len() as u64
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
