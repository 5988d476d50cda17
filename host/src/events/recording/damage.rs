//! When too much of a recording cannot be read.
//!
//! ```text
//! unreadable / read > 1 %      in bytes, or in lines of text
//! ```
//! Unreadable are bytes of garbage and of events outside of a camera's sensor; an unfinished last word is not. It is judged at
//! the end. While reading, a file is given up as soon as 1 % of its length are unreadable, which no good rest can mend; a pipe,
//! whose length is not known, every 16 MB. So damage in the first kilobytes of a good recording does not end the reading.

use super::assumption::Assumption;
use super::decoder::Decoder;
use crate::Error;
use std::fmt::Write as _;
use std::path::Path;

/// One in so many bytes, or lines, may be unreadable.
const MOST: u64 = 100;
/// Bytes of a pipe between two looks.
const LOOK: u64 = 16 << 20;
/// Bytes of a word of AEDAT 2, whose decoder counts events outside.
const WORD: u64 = 8;
/// Bytes shown of the first bad place, of binary recordings and of text.
const SHOWN: usize = 16;
const LINE: usize = 60;

/// Judges what a decoder could not read.
pub(super) struct Judge {
    /// Bytes of the whole recording, when that is known.
    whole: Option<u64>,
    /// Where a pipe is looked at next.
    next: u64,
    /// What lies at the first bad place, once there is one.
    shown: Option<String>,
}

impl Judge {
    pub(super) fn new(whole: Option<u64>) -> Self {
        Self { whole, next: LOOK, shown: None }
    }

    /// Keeps what lies at byte `at`, the first bad one, for the message: of `bytes`, which begin at byte `start`.
    pub(super) fn see(&mut self, at: u64, start: u64, bytes: &[u8], is_text: bool) {
        if self.shown.is_some() {
            return;
        }
        let place = at.checked_sub(start).and_then(|at| bytes.get(usize::try_from(at).ok()?..));
        self.shown = Some(match place {
            None | Some([]) => String::new(),
            Some(bytes) if is_text => {
                let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or(bytes).trim_ascii_end();
                let cut = line.len() > LINE;
                let text = line.get(..LINE).unwrap_or(line).escape_ascii();
                format!(", '{text}{}'", if cut { "..." } else { "" })
            }
            Some(bytes) => bytes.iter().take(SHOWN).fold(String::from(","), |mut text, byte| {
                let _ = write!(text, " {byte:02x}"); // a String takes all
                text
            }),
        });
    }

    /// Whether to judge now, when `read` bytes were read.
    pub(super) fn is_due(&mut self, decoder: &dyn Decoder, read: u64) -> bool {
        match self.whole {
            Some(whole) => unreadable(decoder) * MOST > whole.max(read),
            None if read >= self.next => {
                self.next = read + LOOK;
                true
            }
            None => false,
        }
    }

    /// The error, if too much of `read` bytes could not be read; the first bad byte is `at`.
    pub(super) fn error(
        &self,
        path: &Path,
        decoder: &dyn Decoder,
        read: u64,
        at: Option<u64>,
        assumed: &[Assumption],
    ) -> Option<Error> {
        let bytes = (unreadable(decoder), read, "bytes");
        let lines = decoder.lines().map(|[bad, all, _]| (bad, all, "lines"));
        let (unreadable, read, unit) =
            lines.into_iter().chain([bytes]).find(|(unreadable, read, _)| unreadable * MOST > *read)?;
        let at = at.unwrap_or(0);
        let line = decoder.lines().map_or_else(String::new, |[_, _, line]| format!("line {line}, "));
        let place = format!("{line}byte {at}{}", self.shown.as_deref().unwrap_or_default());
        let other = assumed.iter().find(|assumption| matches!(assumption.what, "camera" | "order"));
        let hint = other.map_or_else(String::new, |assumption| {
            let Assumption { what, value, .. } = assumption;
            format!("; the {what} was taken for {value}, and can be given (--{what})")
        });
        Some(Error::Damaged { path: path.into(), unreadable, read, unit, at, place, hint })
    }
}

/// Bytes that could not be read.
fn unreadable(decoder: &dyn Decoder) -> u64 {
    let skipped = decoder.skipped();
    u64::from(skipped.garbage) + WORD * u64::from(skipped.outside)
}
