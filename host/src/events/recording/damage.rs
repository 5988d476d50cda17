//! The limit of unreadable data in a recording.
//!
//! ```text
//! unreadable / read > 1 %      in bytes, or in lines of text
//! ```
//! Unreadable data are garbage bytes and events outside of a camera's sensor; an unfinished last word does not count. The
//! limit is checked at the end. During reading, a file is rejected as soon as 1 % of its length is unreadable, since the
//! rest cannot change the result. A pipe, whose length is unknown, is checked every 16 MB. So damage in the first kilobytes
//! of a good recording does not stop the reading.

use super::assumption::Assumption;
use super::decoder::Decoder;
use crate::Error;
use std::fmt::Write as _;
use std::path::Path;

/// One byte or line in this many may be unreadable.
const MOST: u64 = 100;
/// Bytes of a pipe between two checks.
const LOOK: u64 = 16 << 20;
/// Bytes per word of AEDAT 2, whose decoder counts events outside the sensor.
const WORD: u64 = 8;
/// Bytes shown of the first unreadable position, for binary recordings and for text.
const SHOWN: usize = 16;
const LINE: usize = 60;

/// Checks how much a decoder could not read.
pub(super) struct Judge {
    /// Length of the whole recording in bytes, if known.
    whole: Option<u64>,
    /// The position of the next check of a pipe.
    next: u64,
    /// The content at the first unreadable position, once there is one.
    shown: Option<String>,
}

impl Judge {
    pub(super) fn new(whole: Option<u64>) -> Self {
        Self { whole, next: LOOK, shown: None }
    }

    /// Stores the content at `at`, the first unreadable byte, for the message; `bytes` begin at `start`.
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
                let _ = write!(text, " {byte:02x}"); // writing to a String cannot fail
                text
            }),
        });
    }

    /// Whether to check after `read` bytes.
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

    /// The error if too much of `read` bytes is unreadable; the first unreadable byte is `at`.
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

/// The number of unreadable bytes.
fn unreadable(decoder: &dyn Decoder) -> u64 {
    let skipped = decoder.skipped();
    u64::from(skipped.garbage) + WORD * u64::from(skipped.outside)
}
