//! The header of a `.npy` file: the type of its elements, their order, and the shape.
//!
//! ```text
//! "\x93NUMPY", u8 major, u8 minor, u16 or (from version 2 on) u32 bytes of the text, little-endian
//! {'descr': '<f4' or [('t', '<i8'), ('x', '<u2'), ...], 'fortran_order': False, 'shape': (10, 4), }
//! ```
//! Reference: `NumPy` documentation, `numpy.lib.format`.

use super::literal::Literal;
use std::io::{self, Read};

/// The first bytes of a file.
pub(crate) const MAGIC: &[u8] = b"\x93NUMPY";
/// The largest header text in bytes: one byte per field and axis, and padding.
pub(crate) const MOST: usize = 1 << 20;

/// The supported types of numbers, in words.
pub(crate) const NUMBERS: &str = "b1, i1 to i8, u1 to u8, f4 or f8";

/// The content of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Length of the header, where the elements begin.
    pub(crate) len: usize,
    pub(crate) element: Element,
    /// Whether the first index changes fastest (column-major).
    pub(crate) fortran_order: bool,
    pub(crate) shape: Vec<u64>,
}

/// Type of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Scalar(Scalar),
    /// A structured type: fields, and the size of a record in bytes.
    Record(Vec<Field>, usize),
}

/// A field of a structured type. A field with fields of its own is listed as those.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// The name, preceded by the names of the enclosing fields (`stamp.secs`); empty for padding.
    pub(crate) name: String,
    /// Offset in the record.
    pub(crate) offset: usize,
    pub(crate) scalar: Scalar,
}

/// Type of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scalar {
    pub(crate) kind: Kind,
    /// Size in bytes.
    pub(crate) size: usize,
    pub(crate) big_endian: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Unsigned,
    Signed,
    Float,
    /// Types that are not supported: padding, text, numbers of other sizes, dates, objects, with the letter of `NumPy`.
    Other(u8),
}

impl Header {
    /// Bytes needed for the next step of [`Header::read`]: the whole header if `bytes` has 12 or more of it.
    fn needs(bytes: &[u8]) -> Result<usize, String> {
        let Some((head, _)) = bytes.split_first_chunk::<12>() else { return Ok(12) };
        let [_, _, _, _, _, _, major, _, a, b, c, d] = *head;
        if !head.starts_with(MAGIC) {
            return Err("not a .npy array: other first bytes".into());
        }
        let (start, text) = match major {
            1 => (10, usize::from(u16::from_le_bytes([a, b]))),
            2 | 3 => (12, u32::from_le_bytes([a, b, c, d]) as usize),
            _ => return Err(format!("not a .npy array: version {major}; expected 1, 2 or 3")),
        };
        if text > MOST {
            return Err(format!("not a .npy array: a header of {text} bytes; expected at most {MOST}"));
        }
        Ok(start + text)
    }

    /// Reads the header at the start of `bytes`.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let len = Self::needs(bytes)?;
        let ends = || "not a .npy array: it ends before its header does".to_owned();
        let start = if bytes.get(6) == Some(&1) { 10 } else { 12 };
        let text = bytes.get(start..len).ok_or_else(ends)?;
        let text = std::str::from_utf8(text).ok();
        let parsed = text.and_then(Literal::read).ok_or("not a .npy array: its header is no dictionary")?;
        let entry = |name: &str| parsed.get(name).ok_or(format!("not a .npy array: its header has no '{name}'"));
        let shape = entry("shape")?.list().and_then(|sides| sides.iter().map(Literal::number).collect());
        Ok(Self {
            len,
            element: Element::read(entry("descr")?).ok_or("not a .npy array: its 'descr' is no type")?,
            fortran_order: entry("fortran_order")? == &Literal::Truth(true),
            shape: shape.ok_or("not a .npy array: its 'shape' is no list of numbers")?,
        })
    }

    /// Reads a header, and no byte after it.
    pub(crate) fn from_reader(reader: &mut impl Read) -> io::Result<Result<Self, String>> {
        let mut head = Vec::new();
        for _ in 0..2 {
            match Self::needs(&head) {
                Ok(needs) => reader.by_ref().take(needs.saturating_sub(head.len()) as u64).read_to_end(&mut head)?,
                Err(reason) => return Ok(Err(reason)),
            };
        }
        Ok(Self::read(&head))
    }

    /// The type of the elements, if they are numbers; otherwise the reason.
    pub(crate) fn numbers(&self) -> Result<Scalar, String> {
        match self.element {
            Element::Scalar(scalar) if !matches!(scalar.kind, Kind::Other(_)) => Ok(scalar),
            Element::Scalar(scalar) => Err(format!("numbers of type {scalar}; expected {NUMBERS}")),
            Element::Record(..) => Err(format!("an array of records; expected {NUMBERS}")),
        }
    }

    /// Number of elements.
    pub(crate) fn elements(&self) -> u64 {
        self.shape.iter().fold(1, |all, side| all.saturating_mul(*side))
    }
}

/// A header of `len` bytes (a multiple of 64, as the format requires) for elements of type `descr` in an array of `shape`,
/// both in Python notation.
pub(crate) fn write(descr: &str, shape: &str, len: usize) -> Vec<u8> {
    let mut header = [MAGIC, &[1, 0], &((len - 10) as u16).to_le_bytes()].concat();
    header.extend(format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}").bytes());
    header.resize(len - 1, b' ');
    header.push(b'\n');
    header
}

impl Element {
    fn read(descr: &Literal) -> Option<Self> {
        if let Some(text) = descr.text() {
            return Scalar::read(text).map(Self::Scalar);
        }
        let mut fields = Vec::new();
        let size = Self::read_fields(descr.list()?, "", 0, &mut fields)?;
        Some(Self::Record(fields, size))
    }

    /// Adds the fields of a structured type at offset `start`, and returns its size in bytes.
    fn read_fields(descr: &[Literal], prefix: &str, start: usize, fields: &mut Vec<Field>) -> Option<usize> {
        let mut size = 0_usize;
        for field in descr {
            let (name, kind, shape) = match field.list()? {
                [name, kind] => (name, kind, &[][..]),
                [name, kind, shape] => (name, kind, shape.list()?),
                _ => return None,
            };
            // A name may be preceded by a title.
            let name = name.text().or_else(|| name.list()?.last()?.text())?;
            let name = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
            let times = shape.iter().try_fold(1_u64, |all, side| all.checked_mul(side.number()?))?;
            let (offset, before) = (start.checked_add(size)?, fields.len());
            let one = match kind.text() {
                Some(text) => {
                    let scalar = Scalar::read(text)?;
                    fields.push(Field { name: name.clone(), offset, scalar });
                    scalar.size
                }
                None => Self::read_fields(kind.list()?, &name, offset, fields)?,
            };
            let all = one.checked_mul(usize::try_from(times).ok()?)?;
            if times != 1 {
                // A field of several numbers is not a column.
                fields.truncate(before);
                fields.push(Field {
                    name,
                    offset,
                    scalar: Scalar { kind: Kind::Other(b'V'), size: all, big_endian: false },
                });
            }
            size = size.checked_add(all)?;
        }
        Some(size)
    }
}

impl Scalar {
    fn read(text: &str) -> Option<Self> {
        let (order, text) = text.split_at_checked(1)?;
        let (kind, size) = text.split_at_checked(1)?;
        // Dates are followed by a unit.
        let size = size.split('[').next().unwrap_or(size);
        let size = if kind == "O" { 8 } else { size.parse::<usize>().ok()? };
        let (kind, size) = match (kind, size) {
            ("b", 1) => (Kind::Bool, 1),
            ("u", 1 | 2 | 4 | 8) => (Kind::Unsigned, size),
            ("i", 1 | 2 | 4 | 8) => (Kind::Signed, size),
            ("f", 4 | 8) => (Kind::Float, size),
            ("U", _) => (Kind::Other(b'U'), size.checked_mul(4)?),
            _ => (Kind::Other(*kind.as_bytes().first()?), size),
        };
        matches!(order, "<" | ">" | "|" | "=").then_some(Self { kind, size, big_endian: order == ">" })
    }

    /// The number at the start of `bytes`, exact for integers below 2^53.
    pub(crate) fn number(self, bytes: &[u8]) -> Option<f64> {
        if self.kind == Kind::Float {
            let bits = self.bits(bytes)?;
            return Some(if self.size == 4 { f32::from_bits(bits as u32).into() } else { f64::from_bits(bits) });
        }
        self.whole(bytes).map(|whole| whole as f64)
    }

    /// The next `count` numbers. Memory grows with what is there: a header cannot ask for more.
    pub(crate) fn read_numbers(self, count: u64, reader: &mut impl Read) -> io::Result<Vec<f64>> {
        let (mut numbers, mut bytes) = (Vec::new(), [0; 8]);
        for _ in 0..count {
            let bytes = &mut bytes[..self.size.min(8)];
            reader.read_exact(bytes)?;
            numbers.push(self.number(bytes).unwrap_or(f64::NAN));
        }
        Ok(numbers)
    }

    /// The integer at the start of `bytes`; none for floats.
    #[inline]
    pub(crate) fn whole(self, bytes: &[u8]) -> Option<i128> {
        let bits = self.bits(bytes)?;
        match self.kind {
            Kind::Bool => Some((bits != 0).into()),
            Kind::Unsigned => Some(bits.into()),
            Kind::Signed => {
                let unused = 64 - 8 * self.size as u32; // of 1, 2, 4 or 8 bytes
                Some((bits.cast_signed() << unused >> unused).into())
            }
            Kind::Float | Kind::Other(_) => None,
        }
    }

    #[inline]
    fn bits(self, bytes: &[u8]) -> Option<u64> {
        let mut word = [0; 8];
        let bytes = bytes.get(..self.size)?;
        if self.big_endian {
            word.iter_mut().zip(bytes.iter().rev()).for_each(|(to, from)| *to = *from);
        } else {
            word.get_mut(..self.size)?.copy_from_slice(bytes);
        }
        Some(u64::from_le_bytes(word))
    }
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, size) = match self.kind {
            Kind::Bool => ('b', self.size),
            Kind::Unsigned => ('u', self.size),
            Kind::Signed => ('i', self.size),
            Kind::Float => ('f', self.size),
            Kind::Other(b'O') => return f.write_str("'|O'"),
            Kind::Other(b'U') => ('U', self.size / 4),
            Kind::Other(code) => (code.into(), self.size),
        };
        let order =
            if self.size == 1 || matches!(kind, 'V' | 'S') { '|' } else { ['<', '>'][usize::from(self.big_endian)] };
        write!(f, "'{order}{kind}{size}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(version: u8, text: &str) -> Vec<u8> {
        let len = (text.len() as u32).to_le_bytes();
        let len = if version == 1 { &len[..2] } else { &len };
        [MAGIC, &[version, 0], len, text.as_bytes()].concat()
    }

    #[test]
    fn records_have_offsets() {
        let text = "{'descr': [('t', '<i8'), ('', '|V3'), ('xy', '>u2', (2,)), ('p', '|b1')], 'fortran_order': False, 'shape': (7,)}";
        for version in 1..4 {
            let header = Header::read(&file(version, text)).expect("a header");
            let Element::Record(fields, size) = &header.element else { panic!("a record") };
            let names: Vec<_> = fields.iter().map(|field| (&field.name[..], field.offset)).collect();
            assert_eq!((names, *size, header.elements()), (vec![("t", 0), ("", 8), ("xy", 11), ("p", 15)], 16, 7));
        }
        let text = "{'descr': [('ts', [('secs', '<u4'), ('nsecs', '<u4')]), ('xy', [('x', '<u2')], (2,)), ('p', '|b1')], \
                    'fortran_order': False, 'shape': (7,)}";
        let Element::Record(fields, size) = Header::read(&file(1, text)).expect("a header").element else {
            panic!("a record")
        };
        let names: Vec<_> = fields.iter().map(|field| (&field.name[..], field.offset, field.scalar.size)).collect();
        assert_eq!((names, size), (vec![("ts.secs", 0, 4), ("ts.nsecs", 4, 4), ("xy", 8, 4), ("p", 12, 1)], 13));
    }

    #[test]
    fn what_is_not_read_keeps_its_name_and_size() {
        let cases = [
            ("<f2", 2, "'<f2'"),
            (">f16", 16, "'>f16'"),
            ("<c8", 8, "'<c8'"),
            ("<U8", 32, "'<U8'"),
            ("|S8", 8, "'|S8'"),
            ("|V3", 3, "'|V3'"),
            ("|O", 8, "'|O'"),
            ("<M8[us]", 8, "'<M8'"),
        ];
        for (name, size, told) in cases {
            let scalar = Scalar::read(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!((scalar.size, &scalar.to_string()[..]), (size, told), "{name}");
            assert_eq!(scalar.number(&[0; 32]), None, "{name}");
        }
        for name in ["", "<", "<f", "f4", "?u1", "<U99999999999999999999"] {
            assert!(Scalar::read(name).is_none(), "{name}");
        }
    }

    #[test]
    fn numbers_of_every_type() {
        let cases: [(&str, &[u8], f64); 7] = [
            ("<i2", &[0xFE, 0xFF], -2.0),
            (">i2", &[0xFF, 0xFE], -2.0),
            ("|u1", &[200], 200.0),
            ("|b1", &[1], 1.0),
            (">f4", &[0x3F, 0xC0, 0, 0], 1.5),
            ("<f8", &[0, 0, 0, 0, 0, 0, 0xF8, 0xBF], -1.5),
            ("<u8", &[0, 0, 0, 0, 0, 0, 0, 1], 72_057_594_037_927_936.0),
        ];
        for (name, bytes, expected) in cases {
            let scalar = Scalar::read(name).expect("a type");
            assert_eq!((scalar.number(bytes), scalar.to_string()), (Some(expected), format!("'{name}'")));
            assert_eq!(scalar.number(&bytes[1..]), None, "cut");
        }
    }

    #[test]
    fn what_is_no_header_is_told() {
        for (bytes, word) in [
            (b"no array at all".to_vec(), "first bytes"),
            (file(9, "{}"), "version 9"),
            (file(1, "{'descr': '<f4', 'shape': (1,)}"), "no 'fortran_order'"),
            (file(1, "{'descr': 4, 'fortran_order': False, 'shape': ()}"), "no type"),
            (file(1, "['shape']"), "no 'shape'"),
            (MAGIC.to_vec(), "ends before"),
        ] {
            let error = Header::read(&bytes).expect_err("no header");
            assert!(error.contains(word), "{error}");
        }
    }
}
