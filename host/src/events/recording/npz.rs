//! Events in a `.npz` file: a ZIP archive with one array of events, or with one array per column, stored or deflated.
//!
//! The arrays follow each other in the archive, so columns are read from several positions at once, which requires a file.
//! They are assembled into the records of a structured [`.npy`](super::npy) array whose fields have the names of the arrays,
//! and decoded there. Positions in the recording are bytes of that array. Arrays that are not needed become fields of zero
//! bytes. Memory: 64 kB and a Deflate window per column, for any size. Checksums of the archive are not checked here. Reference:
//! PKWARE, APPNOTE 6.3.10; `NumPy` documentation, `numpy.savez`.

use super::table::{Columns, HINT, MOST, Named};
use crate::npy::header::{self, Element, Header, Kind, NUMBERS, Scalar};
#[cfg(feature = "compression")]
use flate2::read::DeflateDecoder;
use foveola_core::Checksum;
use std::fs::File;
use std::io::{BufReader, Cursor, Error, ErrorKind, Read, Result, Seek, SeekFrom};
use std::path::Path;

/// The first bytes of an archive.
pub(crate) const MAGIC: &[u8] = b"PK\x03\x04";
/// The largest archive directory in bytes.
const MOST_DIRECTORY: u64 = 1 << 20;
/// The largest number of other files in a message.
const MOST_NAMED: usize = 4;
/// Number of records assembled at a time.
const RECORDS: usize = 1 << 10;

/// An array in an archive.
pub(crate) struct Member {
    name: String,
    deflated: bool,
    packed: u64,
    at: u64,
    /// CRC-32 of the content.
    sum: u32,
}

/// The largest number of characters in an array's name.
const NAME: usize = 64;

/// The archive's events as the bytes of a `.npy` file; `columns` gives the meaning of the arrays, in order.
pub(super) fn open(path: &Path, columns: Option<Columns>) -> Result<Box<dyn Read + Send>> {
    let members = members(path)?;
    if let [member] = &members[..] {
        return member.open(path);
    }
    let members = members.get(..MOST).unwrap_or(&members);
    let names: Vec<_> = members.iter().map(|member| &member.name[..]).collect();
    let columns = match (columns, Named::read(&names)) {
        (Some(columns), _) | (None, Named::All(columns)) => columns,
        (None, Named::Some(reason)) => return Err(bad(format!("{reason}; {HINT}"))),
        (None, Named::Nothing) => {
            let expected = format!("expected one of events, or t, x, y and p; or {HINT}");
            return Err(bad(format!("arrays {}; {expected}", names.join(", "))));
        }
    };
    let needed: Vec<usize> = columns.roles().map(|(column, _)| column).collect();
    if needed.iter().any(|column| *column >= members.len()) {
        return Err(bad(format!("{} arrays: {}; expected those of {columns}", members.len(), names.join(", "))));
    }
    let (mut arrays, mut fields) = (Vec::new(), Vec::new());
    for (column, member) in members.iter().enumerate() {
        // In the form that the header of a structured array allows.
        let name: String = member.name.chars().filter(|c| !matches!(c, '\'' | '\\')).take(NAME).collect();
        let name = if name.is_empty() { "-" } else { &name };
        if !needed.contains(&column) {
            fields.push(format!("('{name}', '|V0')"));
            continue;
        }
        let mut array = member.open(path)?;
        let header = Header::from_reader(&mut array)?.map_err(bad)?;
        match (&header.element, &header.shape[..]) {
            // Arrays that are not numbers may have any size.
            (Element::Scalar(scalar), [len] | [len, 1]) if !matches!(scalar.kind, Kind::Other(_)) => {
                fields.push(format!("('{name}', {scalar})"));
                arrays.push((*len, *scalar, array));
            }
            (Element::Scalar(scalar), shape) => {
                let found = format!("the array '{name}' has shape {shape:?} and type {scalar}");
                return Err(bad(format!("{found}; expected one axis, and {NUMBERS}")));
            }
            (Element::Record(..), _) => return Err(bad(format!("the array '{name}' has records; expected numbers"))),
        }
    }
    let len = arrays.iter().map(|(len, ..)| *len).min().unwrap_or(0);
    if arrays.iter().any(|(other, ..)| *other != len) {
        return Err(bad("arrays of different lengths; expected a number in each for every event"));
    }
    let (descr, shape) = (format!("[{}]", fields.join(", ")), format!("({len},)"));
    let head = header::write(&descr, &shape, (descr.len() + shape.len() + 128).next_multiple_of(64));
    let columns = arrays.into_iter().map(|(_, scalar, array)| (scalar, array, Vec::new())).collect();
    Ok(Box::new(Cursor::new(head).chain(Records { columns, left: len, bytes: Vec::new(), read: 0 })))
}

fn bad(reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidData, reason.into())
}

/// The arrays in the archive.
pub(crate) fn members(path: &Path) -> Result<Vec<Member>> {
    directory(&mut File::open(path)?)
}

/// Whether the arrays have the names of event columns.
pub(crate) fn are_columns(members: &[Member]) -> bool {
    let names: Vec<_> = members.iter().map(|member| &member.name[..]).collect();
    matches!(Named::read(&names), Named::All(_))
}

impl Member {
    /// The name, without `.npy`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// [`Member::open`], with an error at the end if the bytes are damaged.
    pub(crate) fn checked(&self, path: &Path) -> Result<impl Read + use<>> {
        Ok(Checked { content: self.open(path)?, sum: Checksum::new(), expected: self.sum })
    }

    /// The content, as the bytes of a `.npy` file. Its checksum is not checked.
    pub(crate) fn open(&self, path: &Path) -> Result<Box<dyn Read + Send>> {
        let mut file = BufReader::new(File::open(path)?);
        file.seek(SeekFrom::Start(self.at))?;
        let mut local = [0; 30];
        file.read_exact(&mut local)?;
        let more = u64::from(short(&local, 26)) + u64::from(short(&local, 28));
        if !local.starts_with(MAGIC) {
            return Err(bad("the archive's directory does not fit its content"));
        }
        file.seek(SeekFrom::Current(more as i64))?;
        let packed = file.take(self.packed);
        #[cfg(feature = "compression")]
        if self.deflated {
            return Ok(Box::new(DeflateDecoder::new(packed)));
        }
        #[cfg(not(feature = "compression"))]
        if self.deflated {
            let name = &self.name;
            return Err(bad(format!(
                "'{name}' is compressed; this build reads none: it needs the feature `compression`"
            )));
        }
        Ok(Box::new(packed))
    }
}

/// The content of a file in the archive. Its end is an error if the checksum is not that of the directory.
struct Checked<R> {
    content: R,
    sum: Checksum,
    expected: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let read = self.content.read(buffer)?;
        self.sum = self.sum.bytes(buffer.get(..read).unwrap_or_default());
        let found = self.sum.value();
        if read == 0 && !buffer.is_empty() && found != self.expected {
            return Err(bad(format!(
                "damaged: the checksum of an array is {found:08x}; expected {:08x}",
                self.expected
            )));
        }
        Ok(read)
    }
}

/// The files in the archive.
fn directory(file: &mut File) -> Result<Vec<Member>> {
    // The end of the archive: 22 bytes, and a comment of up to 64 kB after them.
    let bytes = file.metadata()?.len();
    let mut end = Vec::new();
    file.seek(SeekFrom::Start(bytes.saturating_sub(22 + 65_535)))?;
    file.by_ref().take(22 + 65_535).read_to_end(&mut end)?;
    let found = end.windows(22).rposition(|window| window.starts_with(b"PK\x05\x06"));
    let end = found.and_then(|at| end.get(at..)).ok_or_else(|| bad("an archive without its end"))?;
    let (size, at) = (u64::from(long(end, 12)), u64::from(long(end, 16)));
    if size > MOST_DIRECTORY {
        return Err(bad("an archive of too many files"));
    }
    let mut directory = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.by_ref().take(size).read_to_end(&mut directory)?;
    let (mut members, mut others, mut rest) = (Vec::new(), Vec::new(), &directory[..]);
    while let Some(entry) = rest.get(..46).filter(|entry| entry.starts_with(b"PK\x01\x02")) {
        let [name, extra, comment] = [28, 30, 32].map(|at| usize::from(short(entry, at)));
        let text = rest.get(46..46 + name).unwrap_or_default();
        let text = String::from_utf8_lossy(text);
        let method = short(entry, 10);
        let (packed, at) = (long(entry, 20), long(entry, 42));
        if let Some(name) = text.strip_suffix(".npy") {
            if packed == u32::MAX || at == u32::MAX {
                return Err(bad("an archive of 4 GB or more; expected a smaller one, or .npy"));
            }
            if !matches!(method, 0 | 8) {
                return Err(bad(format!("'{name}' is packed by method {method}; expected none or Deflate")));
            }
            let (name, deflated, sum) = (name.into(), method == 8, long(entry, 16));
            members.push(Member { name, deflated, packed: packed.into(), at: at.into(), sum });
        } else if others.len() < MOST_NAMED && !text.ends_with('/') {
            others.push(text.into_owned());
        }
        rest = rest.get(46 + name + extra + comment..).unwrap_or_default();
    }
    if members.is_empty() {
        let what = if others.is_empty() { "nothing".into() } else { others.join(", ") };
        return Err(bad(format!(
            "a ZIP archive without arrays of NumPy: it holds {what}; unpack it and give a file of events"
        )));
    }
    Ok(members)
}

/// The number of 16 or 32 bits at a position; 0 after the end.
fn short(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u16::from_le_bytes(*bytes))
}

fn long(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// Assembles columns into records.
struct Records {
    columns: Vec<(Scalar, Box<dyn Read + Send>, Vec<u8>)>,
    /// Records still to come.
    left: u64,
    bytes: Vec<u8>,
    read: usize,
}

impl Read for Records {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.read == self.bytes.len() && self.left > 0 {
            let records = self.left.min(RECORDS as u64) as usize;
            self.left -= records as u64;
            for (scalar, array, column) in &mut self.columns {
                column.resize(records * scalar.size, 0);
                array.read_exact(column)?;
            }
            self.bytes.clear();
            self.read = 0;
            for i in 0..records {
                for (Scalar { size, .. }, _, column) in &self.columns {
                    self.bytes.extend(column.get(i * size..(i + 1) * size).unwrap_or_default());
                }
            }
        }
        let rest = self.bytes.get(self.read..).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(from);
        }
        self.read += n;
        Ok(n)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::{Format, ReadOptions, Recording};
    use foveola_core::events::Event;
    use std::io::Write;

    /// An archive as `zipfile` writes it, with every second file deflated.
    pub(crate) fn archive(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let (mut bytes, mut directory) = (Vec::new(), Vec::new());
        for (i, (name, content)) in files.iter().enumerate() {
            let deflated = i % 2 == 1;
            let packed = if deflated {
                let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(content).and_then(|()| encoder.finish()).expect("memory")
            } else {
                content.clone()
            };
            let name = if name.contains('.') { (*name).to_owned() } else { format!("{name}.npy") };
            let method: u16 = if deflated { 8 } else { 0 };
            let common = [
                &method.to_le_bytes()[..],
                &[0; 4], // date
                &foveola_core::Checksum::new().bytes(content).value().to_le_bytes(),
                &(packed.len() as u32).to_le_bytes(),
                &(content.len() as u32).to_le_bytes(),
                &(name.len() as u16).to_le_bytes(),
            ]
            .concat();
            directory.extend(
                [
                    b"PK\x01\x02\x14\0\x14\0\0\0",
                    &common[..],
                    &[0; 12],
                    &(bytes.len() as u32).to_le_bytes(),
                    name.as_bytes(),
                ]
                .concat(),
            );
            bytes.extend(
                [b"PK\x03\x04\x14\0\0\0", &common[..], &4_u16.to_le_bytes(), name.as_bytes(), b"more", &packed]
                    .concat(),
            );
        }
        let end = [(directory.len() as u32).to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat();
        let count = (files.len() as u16).to_le_bytes();
        [&bytes[..], &directory, b"PK\x05\x06\0\0\0\0", &count, &count, &end, &[0, 0]].concat()
    }

    fn array<const N: usize>(descr: &str, numbers: impl Iterator<Item = [u8; N]>) -> Vec<u8> {
        let data: Vec<_> = numbers.collect();
        [crate::npy::header::write(descr, &format!("({},)", data.len()), 128), data.concat()].concat()
    }

    fn read(bytes: &[u8]) -> crate::Result<Vec<Event>> {
        read_with(bytes, None)
    }

    fn read_with(bytes: &[u8], columns: Option<&str>) -> crate::Result<Vec<Event>> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(bytes).expect("written");
        let columns = columns.map(|columns| columns.parse().expect("an order"));
        let recording = Recording::open_with(file.path(), ReadOptions { columns, ..ReadOptions::default() })?;
        assert_eq!(recording.format(), Format::Npz);
        recording.events()?.collect()
    }

    /// The elements of a column have at most 8 bytes; otherwise a file of 500 bytes could exhaust memory.
    #[test]
    fn elements_that_are_no_numbers_are_refused_before_they_are_read() {
        for descr in ["'|V99999999999'", "'|S8'"] {
            let column = || array("'<u2'", [[1, 0]].into_iter());
            let strange = array(descr, [[0; 8]].into_iter());
            let columns = [("t", strange), ("x", column()), ("y", column()), ("p", column())];
            let error = read(&archive(&columns)).expect_err("no numbers").to_string();
            assert!(error.contains("the array 't' has shape [1] and type "), "{error}");
        }
    }

    /// Names and contents.
    type Files<'a> = &'a [(&'a str, &'a Vec<u8>)];

    #[test]
    fn columns_by_name_unit_and_order() {
        let column = |numbers: [u32; 2]| array("'<u4'", numbers.iter().map(|number| number.to_le_bytes()));
        let (t, ns, secs) = (column([3_811, 3_820]), column([3_811_000, 3_820_000]), column([0, 0]));
        let (x, y, p) = (column([96, 11]), column([133, 9]), column([0, 1]));
        let expected = [Event { t: 3_811, x: 96, y: 133, on: false }, Event { t: 3_820, x: 11, y: 9, on: true }];
        let with = |files: &[(&str, &Vec<u8>)], columns| {
            let files: Vec<_> = files.iter().map(|(name, content)| (*name, (*content).clone())).collect();
            read_with(&archive(&files), columns).map_err(|error| error.to_string())
        };
        let good: [Files; 3] = [
            &[("x", &x), ("y", &y), ("t", &t), ("p", &p)],
            &[("p", &p), ("t_ns", &ns), ("y", &y), ("x", &x)],
            &[("secs", &secs), ("nsecs", &ns), ("x", &x), ("y", &y), ("p", &p)],
        ];
        for files in good {
            assert_eq!(with(files, None), Ok(expected.to_vec()), "{:?}", files.iter().map(|(name, _)| name));
        }
        // Arrays without their own names, and an unneeded entry that is not an array.
        let none = b"?".to_vec();
        let unnamed = [("arr_0", &x), ("arr_1", &y), ("arr_2", &none), ("arr_3", &p), ("arr_4", &t)];
        assert_eq!(with(&unnamed, Some("x,y,-,p,t")), Ok(expected.to_vec()), "in this order");
        let half = array("'<f2'", [[0; 2]; 2].into_iter());
        let words = b"words".to_vec();
        let bad: [(Files, _, &str); 6] = [
            (&unnamed, None, "arrays arr_0, arr_1, arr_2, arr_3, arr_4; expected one of events, or t, x, y and p"),
            (
                &unnamed,
                Some("x,y,p,-,-,t"),
                "5 arrays: arr_0, arr_1, arr_2, arr_3, arr_4; expected those of x,y,p,-,-,t",
            ),
            (&good[0][..3], None, "columns named x, y, t without polarity (p)"),
            (
                &[("x", &x), ("y", &half), ("t", &t), ("p", &p)],
                None,
                "the array 'y' has shape [2] and type '<f2'; expected one axis, and b1, i1 to i8",
            ),
            (
                &[("x", &x), ("y", &y), ("t", &t), ("time", &t), ("p", &p)],
                None,
                "columns named t and time, which mean the same",
            ),
            (
                &[("notes.txt", &words), ("a/events.csv", &words)],
                None,
                "a ZIP archive without arrays of NumPy: it holds notes.txt, a/events.csv; unpack it",
            ),
        ];
        for (files, columns, told) in bad {
            let error = with(files, columns).expect_err(told);
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn columns_and_records() {
        let events: Vec<Event> =
            (0..5_000).map(|i| Event { t: 10 * i, x: (i % 346) as u16, y: (i % 260) as u16, on: i % 3 == 0 }).collect();
        let columns = [
            ("x", array("'<u2'", events.iter().map(|e| e.x.to_le_bytes()))),
            ("y", array("'>i4'", events.iter().map(|e| i32::from(e.y).to_be_bytes()))),
            ("polarity", array("'|b1'", events.iter().map(|e| [u8::from(e.on)]))),
            ("timestamps", array("'<f8'", events.iter().map(|e| (e.t as f64 * 1e-6).to_le_bytes()))),
            ("notes", array("'<u2'", std::iter::once([0, 0]))),
        ];
        assert_eq!(read(&archive(&columns)).expect("an archive"), events);
        let record = |e: &Event| {
            let mut bytes = [0; 13];
            bytes[..8].copy_from_slice(&e.t.to_le_bytes());
            bytes[8..10].copy_from_slice(&e.x.to_le_bytes());
            bytes[10..12].copy_from_slice(&e.y.to_le_bytes());
            bytes[12] = e.on.into();
            bytes
        };
        let records = array("[('t', '<u8'), ('x', '<u2'), ('y', '<u2'), ('p', '|u1')]", events.iter().map(record));
        assert_eq!(read(&archive(&[("arr_0", records)])).expect("an archive"), events);

        let error = read(&archive(&columns[..3])).expect_err("no times").to_string();
        assert!(error.contains("columns named x, y, polarity without time (t)"), "{error}");
        let short = ("timestamps", array("'<f8'", std::iter::once([0; 8])));
        let uneven = [columns[0].clone(), columns[1].clone(), columns[2].clone(), short];
        assert!(read(&archive(&uneven)).expect_err("uneven").to_string().contains("different lengths"), "lengths");
        let whole = archive(&columns);
        for cut in [5, 100, whole.len() - 30, whole.len() - 1] {
            assert!(read(&whole[..cut]).is_err(), "cut at {cut}");
        }
        for at in (0..whole.len()).step_by(997) {
            let mut bad = whole.clone();
            bad[at] ^= 0x55;
            let _ = read(&bad); // must not panic
        }
    }
}
