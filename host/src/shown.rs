//! Text from outside, such as names of files and arrays, on one line and without what a terminal or a source file obeys.

use std::ffi::OsStr;
use std::fmt::Write;

/// The text with each control character, end of line and mark of direction as its escape: `\n`, `\u{1b}`. Bytes that are no text
/// become U+FFFD. Messages of [`Error`](crate::Error) show names in this way.
///
/// ```
/// assert_eq!(foveola::shown("a\nb\u{1b}[2J"), r"a\nb\u{1b}[2J");
/// assert_eq!(foveola::shown(std::path::Path::new("größe 1.raw")), "größe 1.raw");
/// ```
pub fn shown(text: impl AsRef<OsStr>) -> String {
    let text = text.as_ref().to_string_lossy();
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if is_obeyed(c) {
            write!(line, "{}", c.escape_default()).expect("a String grows");
        } else {
            line.push(c);
        }
    }
    line
}

/// Whether a character moves the cursor, ends a line or reorders what is beside it.
fn is_obeyed(c: char) -> bool {
    // C0, DEL and C1; ends of lines and paragraphs; marks, embeddings, overrides and isolates of direction.
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_one_line_that_nothing_obeys() {
        for (text, expected) in [
            ("", ""),
            ("été \u{301}e's \"x\" \\n", "été \u{301}e's \"x\" \\n"),
            ("a\r\n\tb", "a\\r\\n\\tb"),
            ("\u{7f}\u{9b}2J", "\\u{7f}\\u{9b}2J"),
            ("\u{202e}gpj.exe\u{2028}", "\\u{202e}gpj.exe\\u{2028}"),
        ] {
            assert_eq!(shown(text), expected);
        }
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt;
            assert_eq!(shown(OsStr::from_bytes(b"a\xff\n")), "a\u{fffd}\\n");
        }
    }
}
