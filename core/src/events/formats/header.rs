//! The text header of recordings: lines `% key value` (Prophesee) or `# Key: value` (AEDAT), ended by a line feed.
//!
//! ```text
//! % Date 2020-09-25 07:48:31
//! % evt 2.0                               or   % format EVT2;height=480;width=640
//! % geometry 640x480                           % Height 480, % Width 640 (DAT)
//! % format EVT21;endianness=legacy        or   % endianness legacy
//! % end                                   often missing, as is the geometry
//!
//! # AEChip: ch.unizh.ini.jaer.chip.retina.DVS128    (AEDAT 2)
//! #Source 1: DAVIS346                               (AEDAT 3.1)
//! ```
//! `% end` is missing in real files, and data may start with a `%`. Lines are therefore distinguished from data by
//! their content: a `%` and three printable characters ([`Header::begins`]). Read as a word of EVT 2.0, these have a
//! type that the format does not know, so there is no ambiguity. A control character inside a line means that the line
//! is damaged. A line longer than 80 bytes is skipped. State: 80 bytes of line buffer and the values of the lines.
//! Reference: Prophesee, Metavision documentation, "RAW file format" and "EVT 2.0 format"; iniVation, "AEDAT file
//! formats".

use super::{Camera, Order};
use crate::events::Geometry;
use core::fmt;
use heapless::Vec;

/// Largest coordinate in the words of EVT 2.0, 2.1 and 3.0.
pub(super) const PIXEL: u16 = 0x7FF;

/// Bytes of a line that are kept. The longest line of use, `% format EVT21;height=1280;width=1280`, needs 38.
const LINE: usize = 80;

/// How a recording's events are written, as far as its header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// EVT 2.0: words of 32 bits, one event each.
    Evt2,
    /// EVT 2.1: words of 64 bits, vectors of up to 32 events.
    Evt21,
    /// EVT 3.0: words of 16 bits.
    Evt3,
}

/// The effect of a byte on the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// The line goes on.
    Open,
    /// The line is complete.
    Complete,
    /// No line contains this byte: the line's end was lost.
    Damaged,
}

/// Reader of a header, byte by byte.
///
/// ```
/// use foveola_core::events::{Encoding, Geometry, Header, Line};
/// let mut header = Header::new();
/// assert!(Header::begins(*b"% ev") && !Header::begins([b'%', 0x20, 0x41, 0x10]));
/// for byte in *b"% evt 2.0\r\n% geometry 640x480\n" {
///     assert_ne!(header.push(byte), Line::Damaged);
/// }
/// assert_eq!(header.encoding(), Some(Encoding::Evt2));
/// assert_eq!(header.geometry(), Some(Geometry { cols: 640, rows: 480 }));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Header {
    line: Vec<u8, LINE>,
    /// Bytes of the line, kept or not.
    length: usize,
    cols: Option<usize>,
    rows: Option<usize>,
    encoding: Option<Encoding>,
    order: Option<Order>,
    camera: Option<Camera>,
}

/// Whether a decoder reads lines of text before the words: [`Header`], or [`NoHeader`] where a live sensor sends none. A program
/// that names only decoders without has no code for text.
pub trait Lines: Clone + fmt::Debug + sealed::Sealed {
    /// Whether lines are read at all.
    const READ: bool;
    /// What tells saved words of a decoder with and without lines apart.
    const FORM: u32;
    /// Number of words that [`Lines::save`] writes.
    const SAVED: usize;

    /// Before the first line.
    fn start() -> Self;

    /// Whether a line starts with these bytes.
    fn begins(bytes: [u8; 4]) -> bool;

    /// Bytes of the lines before the words; `None` when they continue after `bytes`.
    fn front(bytes: &[u8]) -> Option<usize>;

    /// Takes the next byte of a line.
    fn push(&mut self, byte: u8) -> Line;

    /// Bytes of the partial line.
    fn begun(&self) -> usize;

    /// Discards the partial line and returns its length in bytes.
    fn discard(&mut self) -> usize;

    /// Size of the sensor, if given.
    fn geometry(&self) -> Option<Geometry>;

    /// Byte order in words of EVT 2.1, if given.
    fn order(&self) -> Option<Order>;

    /// Writes the partial line, and all values of the lines that Prophesee's formats use, in words.
    fn save(&self, put: &mut impl FnMut(u32));

    /// Reads what [`Lines::save`] wrote.
    fn restore(take: &mut impl FnMut() -> u32) -> Self;
}

/// Only these two.
mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Header {}
    impl Sealed for super::NoHeader {}
}

/// No text: every byte belongs to a word. For live sensors; in a recording, the text would be damage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoHeader;

impl Lines for NoHeader {
    const READ: bool = false;
    const FORM: u32 = 1 << 8;
    const SAVED: usize = 0;

    fn start() -> Self {
        Self
    }

    fn begins(_: [u8; 4]) -> bool {
        false
    }

    fn front(_: &[u8]) -> Option<usize> {
        Some(0)
    }

    fn push(&mut self, _: u8) -> Line {
        Line::Damaged
    }

    fn begun(&self) -> usize {
        0
    }

    fn discard(&mut self) -> usize {
        0
    }

    fn geometry(&self) -> Option<Geometry> {
        None
    }

    fn order(&self) -> Option<Order> {
        None
    }

    fn save(&self, _: &mut impl FnMut(u32)) {}

    fn restore(_: &mut impl FnMut() -> u32) -> Self {
        Self
    }
}

impl Lines for Header {
    const READ: bool = true;
    const FORM: u32 = 0;
    const SAVED: usize = 5 + LINE / 4;

    fn start() -> Self {
        Self::new()
    }

    fn begins(bytes: [u8; 4]) -> bool {
        Self::begins(bytes)
    }

    fn front(bytes: &[u8]) -> Option<usize> {
        front(bytes)
    }

    fn push(&mut self, byte: u8) -> Line {
        self.push(byte)
    }

    fn begun(&self) -> usize {
        self.length
    }

    fn discard(&mut self) -> usize {
        self.discard()
    }

    fn geometry(&self) -> Option<Geometry> {
        self.geometry()
    }

    fn order(&self) -> Option<Order> {
        self.order()
    }

    fn save(&self, put: &mut impl FnMut(u32)) {
        let Self { line, length, cols, rows, encoding, order, camera: _ } = self;
        let encoding = match encoding {
            None => 0,
            Some(Encoding::Evt2) => 1,
            Some(Encoding::Evt21) => 2,
            Some(Encoding::Evt3) => 3,
        };
        [*length, cols.unwrap_or(0), rows.unwrap_or(0), line.len()].into_iter().for_each(|n| put(n as u32));
        put(Order::save(*order) << 8 | encoding);
        for i in (0..LINE).step_by(4) {
            let byte = |at: usize| line.get(i + at).copied().unwrap_or(0);
            put(u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)]));
        }
    }

    fn restore(take: &mut impl FnMut() -> u32) -> Self {
        let [length, cols, rows, kept] = core::array::from_fn(|_| take() as usize);
        let values = take();
        let encoding = match values & 0xFF {
            1 => Some(Encoding::Evt2),
            2 => Some(Encoding::Evt21),
            3 => Some(Encoding::Evt3),
            _ => None,
        };
        let order = Order::restore(values >> 8);
        let side = |pixels| if pixels == 0 { None } else { Some(pixels) };
        let mut header = Self { length, cols: side(cols), rows: side(rows), encoding, order, ..Self::new() };
        for bytes in (0..LINE / 4).map(|_| take().to_le_bytes()) {
            for byte in bytes.into_iter().take(kept.saturating_sub(header.line.len())) {
                let _ = header.line.push(byte); // never refused: no more than it holds
            }
        }
        header
    }
}

impl Header {
    /// Before the first line.
    pub const fn new() -> Self {
        Self { line: Vec::new(), length: 0, cols: None, rows: None, encoding: None, order: None, camera: None }
    }

    /// Whether a line of a header starts with these bytes.
    pub const fn begins(bytes: [u8; 4]) -> bool {
        let [percent, a, b, c] = bytes;
        percent == b'%' && is_printable(a) && is_printable(b) && is_printable(c)
    }

    /// Takes the next byte of a line.
    pub fn push(&mut self, byte: u8) -> Line {
        if byte == b'\n' {
            self.read_line();
            self.discard();
            return Line::Complete;
        }
        if byte.is_ascii_control() && byte != b'\t' && byte != b'\r' {
            return Line::Damaged;
        }
        self.length = self.length.saturating_add(1);
        // Refused when the buffer is full; `length` tells so.
        let _ = self.line.push(byte);
        Line::Open
    }

    /// Bytes of the partial line.
    pub(super) const fn begun(&self) -> usize {
        self.length
    }

    /// Discards the partial line and returns its length in bytes.
    pub fn discard(&mut self) -> usize {
        self.line.clear();
        core::mem::take(&mut self.length)
    }

    /// Size of the sensor, if given.
    pub const fn geometry(&self) -> Option<Geometry> {
        match (self.cols, self.rows) {
            (Some(cols), Some(rows)) => Some(Geometry { cols, rows }),
            _ => None,
        }
    }

    /// Encoding of the events, if given.
    pub const fn encoding(&self) -> Option<Encoding> {
        self.encoding
    }

    /// Byte order in words of EVT 2.1, if given.
    pub const fn order(&self) -> Option<Order> {
        self.order
    }

    /// The camera of an AEDAT recording, if given: [`Camera::Unknown`] when its addresses are not known.
    pub const fn camera(&self) -> Option<Camera> {
        self.camera
    }

    fn read_line(&mut self) {
        if self.length > LINE {
            return; // A number may have been cut.
        }
        // Bytes instead of `str`, whose searches can panic as far as the linker knows.
        if let Some(text) = self.line.strip_prefix(b"#") {
            if let Some((key, value)) = split(text.trim_ascii(), b':')
                && (key == b"AEChip" || key.starts_with(b"Source ") && self.camera.is_none())
            {
                let camera = Camera::named(value);
                self.camera = Some(camera);
                let size = camera.geometry();
                (self.cols, self.rows) = (size.map(|size| size.cols), size.map(|size| size.rows));
            }
            return;
        }
        let text = self.line.strip_prefix(b"%").unwrap_or_default().trim_ascii();
        let Some((key, value)) = split(text, b' ') else { return };
        match key {
            b"geometry" => {
                if let Some((cols, rows)) = split(value, b'x') {
                    (self.cols, self.rows) = (size(cols), size(rows));
                }
            }
            b"evt" => self.encoding = encoding(value).or(self.encoding),
            b"endianness" => self.order = order(value),
            b"format" => {
                for field in value.split(|byte| *byte == b';') {
                    match split(field, b'=') {
                        Some((b"width", cols)) => self.cols = size(cols),
                        Some((b"height", rows)) => self.rows = size(rows),
                        Some((b"endianness", name)) => self.order = order(name),
                        Some(_) => {}
                        None => self.encoding = encoding(field).or(self.encoding),
                    }
                }
            }
            b"Width" => self.cols = size(value),
            b"Height" => self.rows = size(value),
            _ => {}
        }
    }
}

/// Bytes of the lines `% key value` before the words; `None` when they continue after `bytes`.
fn front(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match bytes.get(at..)? {
            [b'%', a, b, c, rest @ ..] if Header::begins([b'%', *a, *b, *c]) => {
                at += 4 + rest.iter().position(|byte| *byte == b'\n')? + 1;
            }
            [] | [b'%'] | [b'%', _] | [b'%', _, _] => return None,
            _ => return Some(at),
        }
    }
}

/// Writes the header of a `.raw` file of a version and a format, of whose fields `more` are the first.
pub(super) fn write_raw(version: &str, format: &str, more: &str, geometry: Geometry, mut sink: impl FnMut(&[u8])) {
    let Geometry { cols, rows } = geometry;
    let format = format_args!("% evt {version}\n% format {format};{more}height={rows};width={cols}\n");
    write(format, &mut sink);
    write(format_args!("% geometry {cols}x{rows}\n% end\n"), &mut sink);
}

/// Gives `text` to `sink`.
pub(super) fn write(text: fmt::Arguments<'_>, sink: &mut impl FnMut(&[u8])) {
    struct Sink<F>(F);
    impl<F: FnMut(&[u8])> fmt::Write for Sink<F> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0(text.as_bytes());
            Ok(())
        }
    }
    // A sink of bytes refuses nothing.
    let _ = fmt::write(&mut Sink(sink), text);
}

/// What comes before and after the first `separator`.
fn split(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == separator)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

const fn is_printable(byte: u8) -> bool {
    byte == b' ' || byte.is_ascii_graphic()
}

/// A number of pixels that a coordinate of 16 bits can reach.
fn size(text: &[u8]) -> Option<usize> {
    let text = core::str::from_utf8(text.trim_ascii()).ok()?;
    text.parse().ok().filter(|size| (1..=1 << 16).contains(size))
}

fn encoding(text: &[u8]) -> Option<Encoding> {
    match text.trim_ascii() {
        b"2.0" | b"EVT2" => Some(Encoding::Evt2),
        b"2.1" | b"EVT21" => Some(Encoding::Evt21),
        b"3.0" | b"EVT3" => Some(Encoding::Evt3),
        _ => None,
    }
}

fn order(text: &[u8]) -> Option<Order> {
    match text.trim_ascii() {
        b"little" => Some(Order::Little),
        b"legacy" => Some(Order::Legacy),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    fn read(text: &[u8]) -> (Option<(usize, usize)>, Option<Encoding>) {
        let mut header = Header::new();
        for byte in text {
            let _ = header.push(*byte);
        }
        (header.geometry().map(|geometry| (geometry.cols, geometry.rows)), header.encoding())
    }

    #[test]
    fn what_lines_say() {
        let long = [&b"% format EVT2;note="[..], &[b'a'; 70], b";width=640;height=480\n% evt 2.1\n"].concat();
        let cases: [(&[u8], _); 12] = [
            (b"% geometry 640x480\n", (Some((640, 480)), None)),
            (b"% format EVT2;width=1280;height=720\n", (Some((1280, 720)), Some(Encoding::Evt2))),
            (b"% format EVT21;endianness=legacy;height=720;width=1280\r\n", (Some((1280, 720)), Some(Encoding::Evt21))),
            (b"% evt 3.0\n% end\n", (None, Some(Encoding::Evt3))),
            (b"% Width 304\n% Height 240\n", (Some((304, 240)), None)),
            (b"% Date 2020-09-25 07:48:31\n% owner Andr\xc3\xa9\n", (None, None)),
            (b"% geometry 640x\n", (None, None)),
            (b"% geometry 0x480\n", (None, None)),
            (b"% geometry 65536x99999999999999999999\n", (None, None)),
            (b"% geometry 640x480", (None, None)),
            (b"%\n\n% \n%geometry\n% evt\n", (None, None)),
            (&long, (None, Some(Encoding::Evt21))),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{:?}", text.escape_ascii());
        }
    }

    #[test]
    fn what_other_lines_say() {
        let cases: [(&[u8], _, _); 6] = [
            (b"% format EVT21;endianness=legacy;height=720;width=1280\n", Some(Order::Legacy), None),
            (b"% endianness little\r\n", Some(Order::Little), None),
            (b"% endianness big\n", None, None),
            (b"# AEChip: ch.unizh.ini.jaer.chip.retina.DVS128\r\n", None, Some(Camera::Dvs128)),
            (b"#Source 1: DAVIS240C\r\n", None, Some(Camera::Davis240)),
            (b"# AEChip: org.ine.telluride.cochlea\r\n", None, Some(Camera::Unknown)),
        ];
        for (text, order, camera) in cases {
            let mut header = Header::new();
            assert!(text.iter().all(|byte| header.push(*byte) != Line::Damaged), "{:?}", text.escape_ascii());
            assert_eq!((header.order(), header.camera()), (order, camera), "{:?}", text.escape_ascii());
            if let Some(camera) = camera {
                assert_eq!(header.geometry(), camera.geometry(), "{camera:?}");
            }
        }
    }

    #[test]
    fn a_line_of_any_length_is_read_over() {
        let mut header = Header::new();
        assert!((0..1000).all(|_| header.push(b'a') == Line::Open), "a line without end");
        assert_eq!(header.push(0), Line::Damaged);
        assert_eq!(header.discard(), 1000);
    }
}
