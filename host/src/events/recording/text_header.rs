//! The text header of a recording: `% key value` of Prophesee, `# text` of jAER.

use foveola_core::events::{Aedat2, Decode, Encoding, Evt2, Header};

/// Length of the header lines `% text` or `# text`; none if they are longer than `head`.
pub(super) fn lines(head: &[u8]) -> Option<usize> {
    match head {
        [b'%', ..] => Evt2::front(head),
        [b'#', ..] => Aedat2::front(head),
        _ => Some(0),
    }
}

/// The header lines.
pub(super) fn text(head: &[u8]) -> &[u8] {
    head.get(..lines(head).unwrap_or(head.len())).unwrap_or(head)
}

/// The content of the header lines.
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

/// Whether a header is that of DAT: it names a data file instead of an encoding, or words of 8 bytes follow.
pub(super) fn says_dat(head: &[u8]) -> bool {
    let lines = text(head);
    let names_it = lines.windows(11).any(|window| window == b"% Data file");
    let sized = matches!(head.get(lines.len()..), Some([0 | 0x0C | 0x0E, 8, ..]));
    lines.starts_with(b"%") && encoding(head).is_none() && (names_it || sized)
}

/// Why a DAT recording is not read: its header states an unsupported version.
pub(super) fn refused_dat(head: &[u8]) -> Option<String> {
    let mut versions = text(head).split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"% Version"));
    let version = std::str::from_utf8(versions.next_back()?).ok()?.trim();
    (!matches!(version, "" | "2"))
        .then(|| format!("DAT of version {version}, whose words are others; expected version 2"))
}
