//! An array of frames, read one by one: a `.npy` file, or the only array of frames in a `.npz` archive.
//!
//! `(time, row, column)` and `(time, channel, row, column)` are stored frame by frame and read from one position.
//! `(1, channel, time, row, column)` is stored channel by channel: a frame is read from one position per channel.

use super::{About, Scale, Source};
use crate::events::recording::{self, Member};
use crate::npy::header::{Element, Header, Kind, MAGIC, Scalar};
use crate::{Error, Result};
use foveola_core::Shape;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

pub(super) struct Array {
    path: PathBuf,
    scalar: Scalar,
    /// The factor that samples are multiplied by.
    factor: f64,
    /// The positions where the parts of a frame are read: the whole frame from one position, or each channel from its own.
    places: Vec<Place>,
    /// Samples of a frame that are read from one position.
    part: usize,
    frames: u64,
    at: u64,
    bytes: Vec<u8>,
}

/// A position in the bytes of the array.
enum Place {
    File(BufReader<File>),
    /// In an archive, possibly deflated: it is read forwards only.
    Packed(Box<dyn Read + Send>),
}

impl Place {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        match self {
            Self::File(file) => file.read_exact(bytes),
            Self::Packed(reader) => reader.read_exact(bytes),
        }
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        match self {
            Self::File(file) => file.seek(SeekFrom::Current(i64::try_from(bytes).unwrap_or(i64::MAX))).map(drop),
            Self::Packed(reader) => {
                let skipped = io::copy(&mut reader.take(bytes), &mut io::sink())?;
                if skipped == bytes { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
            }
        }
    }
}

/// The first bytes of a file.
pub(super) fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(1 << 16).read_to_end(&mut head)?;
    Ok(head)
}

/// Whether a file that begins with `head` is an array of frames, or an unreadable `.npy` file; tables of events are not.
pub(super) fn is_movie(path: &Path, head: &[u8]) -> bool {
    if head.starts_with(recording::ARCHIVE_MAGIC) {
        return recording::members(path).is_ok_and(|members| !movies(path, &members).is_empty());
    }
    match Header::read(head) {
        Ok(header) => matches!(header.element, Element::Scalar(_)) && !is_table(&header.shape),
        Err(_) => {
            head.starts_with(MAGIC) || path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy"))
        }
    }
}

/// Whether an array of this shape has one row per event.
fn is_table(shape: &[u64]) -> bool {
    matches!(shape, [_, _])
}

/// The arrays in an archive that have the axes of frames; none if its arrays are the columns of events.
fn movies<'a>(path: &Path, members: &'a [Member]) -> Vec<&'a Member> {
    if recording::are_columns(members) {
        return Vec::new();
    }
    let frames = |member: &&Member| {
        let header = member.open(path).and_then(|mut array| Header::from_reader(&mut array));
        header.is_ok_and(|header| {
            header.is_ok_and(|header| matches!(header.element, Element::Scalar(_)) && header.shape.len() >= 3)
        })
    };
    members.iter().filter(frames).collect()
}

pub(super) fn open(path: &Path, scale: Option<Scale>) -> Result<(Array, About)> {
    let data = |reason: String| Error::Data { path: path.into(), reason };
    let io = |source| Error::Io { path: path.into(), source };
    let mut file = File::open(path).map_err(io)?;
    let packed = head(path).map_err(io)?.starts_with(recording::ARCHIVE_MAGIC);
    let members = if packed { recording::members(path).map_err(|error| failed(path, error))? } else { Vec::new() };
    let member = match &movies(path, &members)[..] {
        [] if packed => {
            return Err(data("an archive without an array of frames; expected one of 3 axes or more".into()));
        }
        [] => None,
        [member] => Some(*member),
        several => {
            let names: Vec<_> = several.iter().map(|member| member.name()).collect();
            return Err(data(format!(
                "an archive of {} arrays of frames: {}; expected one",
                names.len(),
                names.join(", ")
            )));
        }
    };
    let header = match member {
        Some(member) => Header::from_reader(&mut member.open(path).map_err(|error| failed(path, error))?),
        None => Header::from_reader(&mut file),
    };
    let header = header.map_err(|error| failed(path, error))?.map_err(data)?;
    let Element::Scalar(scalar) = header.element else {
        return Err(data("a record for each element, as events have; expected samples of frames".into()));
    };
    let (scale, factor) = scaled(scalar, scale).map_err(data)?;
    if header.fortran_order {
        return Err(data("in Fortran order; expected C order, as numpy.ascontiguousarray gives".into()));
    }
    let samples = header.elements();
    if samples == 0 {
        return Err(data(format!("a movie of shape {:?} has no samples; expected frames", header.shape)));
    }
    if member.is_none() {
        let bytes = file.metadata().map_err(io)?.len();
        let (declared, have) = (samples.saturating_mul(scalar.size as u64), bytes.saturating_sub(header.len as u64));
        if declared > have {
            return Err(data(format!(
                "cut off: its header tells of {samples} samples, but the file has {bytes} bytes"
            )));
        }
        if declared < have {
            return Err(data(format!("{} bytes more than its header tells of", have - declared)));
        }
    }
    let (frames, channels, rows, cols, by_channel) = match header.shape[..] {
        [frames, rows, cols] => (frames, 1, rows, cols, false),
        [frames, channels, rows, cols] => (frames, channels, rows, cols, false),
        [1, channels, frames, rows, cols] => (frames, channels, rows, cols, channels > 1),
        [batch, _, _, _, _] => {
            return Err(data(format!("a batch of {batch} movies; expected one, (time, row, column)")));
        }
        _ => {
            return Err(data(format!(
                "an array of {} axes; expected 3 (time, row, column), 4 (time, channel, row, column) or 5 (1, channel, \
                 time, row, column)",
                header.shape.len()
            )));
        }
    };
    let side = |side: u64| usize::try_from(side).unwrap_or(usize::MAX);
    let shape = Shape::new(side(channels), side(rows), side(cols));
    let plane = shape.rows.saturating_mul(shape.cols);
    let (count, part) = if by_channel { (channels, plane) } else { (1, plane.saturating_mul(shape.channels)) };
    let mut places = Vec::new();
    for channel in 0..count {
        let before = channel.saturating_mul(frames).saturating_mul((plane as u64).saturating_mul(scalar.size as u64));
        let place = match member {
            Some(member) => member.open(path).map(Place::Packed),
            None => File::open(path).map(|file| Place::File(BufReader::new(file))),
        };
        let place = place.and_then(|mut place| place.skip(before.saturating_add(header.len as u64)).map(|()| place));
        places.push(place.map_err(|error| failed(path, error))?);
    }
    let about = About { shape, scale, frame_time: None, short_delays: 0, frames: Some(frames) };
    Ok((Array { path: path.into(), scalar, factor, places, part, frames, at: 0, bytes: Vec::new() }, about))
}

/// Whether the numbers are 16-bit floating point, which events never use.
fn is_half(scalar: Scalar) -> bool {
    (scalar.kind, scalar.size) == (Kind::Other(b'f'), 2)
}

/// The number stored in `bytes`.
fn number(scalar: Scalar, bytes: &[u8]) -> Option<f64> {
    match bytes {
        [a, b] if is_half(scalar) => {
            Some(half(if scalar.big_endian { u16::from_be_bytes([*a, *b]) } else { u16::from_le_bytes([*a, *b]) }))
        }
        _ => scalar.number(bytes),
    }
}

/// The value of 16 bits of IEEE 754: a sign, 5 bits of exponent and 10 of fraction.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1F), f64::from(bits & 0x3FF) / 1024.0);
    let size = match exponent {
        0 => fraction * 2_f64.powi(-14),
        0x1F if fraction == 0.0 => f64::INFINITY,
        0x1F => f64::NAN,
        _ => (1.0 + fraction) * 2_f64.powi(exponent - 15),
    };
    if bits >> 15 == 0 { size } else { -size }
}

/// The meaning of samples of a type, and the factor that converts its numbers to them.
fn scaled(scalar: Scalar, scale: Option<Scale>) -> Result<(Scale, f64), String> {
    let part = || 1.0 / (2_f64.powi(8 * scalar.size as i32) - 1.0);
    let kind = if is_half(scalar) { Kind::Float } else { scalar.kind };
    let what = match (kind, scale) {
        (Kind::Bool, _) => return Ok((Scale::Unit, 1.0)),
        (Kind::Unsigned, Some(Scale::Unit)) => return Ok((Scale::Unit, part())),
        (Kind::Unsigned, None) if scalar.size <= 2 => return Ok((Scale::Unit, part())),
        (Kind::Float, None) | (Kind::Unsigned | Kind::Signed | Kind::Float, Some(Scale::Raw)) => {
            return Ok((Scale::Raw, 1.0));
        }
        (Kind::Unsigned, None) => {
            "which do not tell what is white; expected --scale raw (as they stand) or --scale unit (parts of the largest of \
             the type)"
        }
        (Kind::Signed, None) => "which do not tell what is white; expected --scale raw (as they stand)",
        (Kind::Float | Kind::Signed, Some(Scale::Unit)) => {
            "which do not tell what is white; expected no --scale unit, which is for bool and u1 to u8"
        }
        (Kind::Other(_), _) => {
            "which are no samples; expected bool, whole numbers (i1 to i8, u1 to u8) or floats (f2, f4, f8)"
        }
    };
    Err(format!("numbers of type {scalar}, {what}"))
}

impl Source for Array {
    fn next(&mut self, frame: &mut [f32]) -> Result<bool> {
        if self.at == self.frames {
            return Ok(false);
        }
        let size = self.scalar.size;
        self.bytes.resize(self.part * size, 0);
        for (place, samples) in self.places.iter_mut().zip(frame.chunks_exact_mut(self.part)) {
            place.read(&mut self.bytes).map_err(|error| failed(&self.path, error))?;
            for (to, from) in samples.iter_mut().zip(self.bytes.chunks_exact(size)) {
                *to = (number(self.scalar, from).unwrap_or(0.0) * self.factor) as f32;
            }
        }
        self.at += 1;
        Ok(true)
    }

    fn skip(&mut self, frames: u64) -> Result<u64> {
        let frames = frames.min(self.frames - self.at);
        let bytes = frames.saturating_mul((self.part * self.scalar.size) as u64);
        for place in &mut self.places {
            place.skip(bytes).map_err(|error| failed(&self.path, error))?;
        }
        self.at += frames;
        Ok(frames)
    }
}

/// An error of reading: the damage, or the system's message.
fn failed(path: &Path, error: io::Error) -> Error {
    let data = |reason: String| Error::Data { path: path.into(), reason };
    match error.kind() {
        ErrorKind::UnexpectedEof => data("cut off: its header tells of more samples".into()),
        ErrorKind::InvalidData | ErrorKind::InvalidInput => data(error.to_string()),
        _ => Error::Io { path: path.into(), source: error },
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Options, Reader, kind, open, open_with};
    use super::*;
    use crate::npy::header;
    use ndarray::{Array3, Array5, s};

    /// An array as the bytes of a `.npy` file.
    fn array(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
        [header::write(&format!("'{descr}'"), shape, 128), bytes.to_vec()].concat()
    }

    fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        (folder, path)
    }

    /// Two samples, or a word that names the reason why there are none.
    type Expected = Result<[f32; 2], &'static str>;

    /// Every type of number, in both byte orders: samples by default, with `raw` and with `unit`, or the reason for an
    /// error.
    #[test]
    fn every_type_is_read_or_refused_by_name() {
        let cases: [(&str, Vec<u8>, [Expected; 3]); 20] = [
            ("|u1", vec![0, 255], [Ok([0.0, 1.0]), Ok([0.0, 255.0]), Ok([0.0, 1.0])]),
            (
                "<u2",
                [0_u16, 65535].map(u16::to_le_bytes).concat(),
                [Ok([0.0, 1.0]), Ok([0.0, 65535.0]), Ok([0.0, 1.0])],
            ),
            (
                ">u2",
                [1_u16, 65535].map(u16::to_be_bytes).concat(),
                [Ok([1.0 / 65535.0, 1.0]), Ok([1.0, 65535.0]), Ok([1.0 / 65535.0, 1.0])],
            ),
            ("|b1", vec![0, 1], [Ok([0.0, 1.0]), Ok([0.0, 1.0]), Ok([0.0, 1.0])]),
            (
                "<u4",
                [3_u32, u32::MAX].map(u32::to_le_bytes).concat(),
                [
                    Err("'<u4', which do not tell what is white; expected --scale raw"),
                    Ok([3.0, 4_294_967_295.0]),
                    Ok([3.0 / 4_294_967_295.0, 1.0]),
                ],
            ),
            (
                ">u8",
                [3_u64, 1 << 40].map(u64::to_be_bytes).concat(),
                [
                    Err("'>u8', which do not tell what is white"),
                    Ok([3.0, 1_099_511_627_776.0]),
                    Ok([3.0 / u64::MAX as f32, (1_u64 << 40) as f32 / u64::MAX as f32]),
                ],
            ),
            ("|i1", vec![128, 5], [Err("'|i1'"), Ok([-128.0, 5.0]), Err("no --scale unit")]),
            (
                "<i2",
                [-3_i16, 7].map(i16::to_le_bytes).concat(),
                [Err("'<i2'"), Ok([-3.0, 7.0]), Err("no --scale unit")],
            ),
            (
                ">i2",
                [-3_i16, 7].map(i16::to_be_bytes).concat(),
                [Err("'>i2'"), Ok([-3.0, 7.0]), Err("no --scale unit")],
            ),
            (
                "<i4",
                [-3_i32, 7].map(i32::to_le_bytes).concat(),
                [Err("'<i4'"), Ok([-3.0, 7.0]), Err("no --scale unit")],
            ),
            (
                ">i8",
                [-3_i64, 7].map(i64::to_be_bytes).concat(),
                [Err("'>i8'"), Ok([-3.0, 7.0]), Err("no --scale unit")],
            ),
            (
                "<f2",
                [0x3C00_u16, 0xC180].map(u16::to_le_bytes).concat(),
                [Ok([1.0, -2.75]), Ok([1.0, -2.75]), Err("no --scale unit")],
            ),
            (
                ">f2",
                [0x3C00_u16, 0xC180].map(u16::to_be_bytes).concat(),
                [Ok([1.0, -2.75]), Ok([1.0, -2.75]), Err("no --scale unit")],
            ),
            (
                "<f4",
                [1.5_f32, -2.0].map(f32::to_le_bytes).concat(),
                [Ok([1.5, -2.0]), Ok([1.5, -2.0]), Err("no --scale unit")],
            ),
            (
                ">f8",
                [1.5_f64, -2.0].map(f64::to_be_bytes).concat(),
                [Ok([1.5, -2.0]), Ok([1.5, -2.0]), Err("no --scale unit")],
            ),
            ("<f16", vec![0; 32], [Err("'<f16', which are no samples"), Err("'<f16'"), Err("'<f16'")]),
            ("<c8", vec![0; 16], [Err("'<c8', which are no samples"), Err("'<c8'"), Err("'<c8'")]),
            ("<U1", vec![0; 2], [Err("'<U1', which are no samples"), Err("'<U1'"), Err("'<U1'")]),
            ("<M8[ns]", vec![0; 16], [Err("'<M8'"), Err("'<M8'"), Err("'<M8'")]),
            ("|O", vec![0; 16], [Err("'|O'"), Err("'|O'"), Err("'|O'")]),
        ];
        for (descr, bytes, expected) in cases {
            let (_folder, path) = file("a.npy", &array(descr, "(2, 1, 1)", &bytes));
            for (scale, expected) in [None, Some(Scale::Raw), Some(Scale::Unit)].into_iter().zip(expected) {
                let opened = open_with(&path, Options { scale, ..Options::default() });
                match (opened, expected) {
                    (Ok(mut movie), Ok(expected)) => {
                        let mut samples = Vec::new();
                        assert_eq!(movie.next_frames(9, &mut samples).ok(), Some(2), "{descr}");
                        assert_eq!(samples, expected, "{descr}, {scale:?}");
                    }
                    (Err(error), Err(word)) => {
                        let error = error.to_string();
                        assert!(error.contains("a.npy: ") && error.contains(word), "{descr}, {scale:?}: {error}");
                    }
                    (Ok(_), Err(word)) => panic!("{descr}, {scale:?} is read; expected an error with {word}"),
                    (Err(error), Ok(_)) => panic!("{descr}, {scale:?}: {error}"),
                }
            }
        }
    }

    #[test]
    fn halves() {
        for (bits, expected) in [
            (0x3C00, 1.0),
            (0xC180, -2.75),
            (0x7BFF, 65504.0),
            (0x0400, 6.103_515_625e-5),
            (0x8001, -5.960_464_477_539_063e-8),
            (0x7C00, f64::INFINITY),
            (0xFC00, f64::NEG_INFINITY),
        ] {
            assert_eq!(half(bits), expected, "{bits:x}");
        }
        assert!(half(0x7E00).is_nan() && half(0x8000).is_sign_negative(), "no number, and a zero below 0");
    }

    /// Frames with their samples, starting at frame `skip`.
    fn frames(mut movie: Reader, skip: u64) -> Vec<Array3<f32>> {
        movie.skip_frames(skip).expect("skipped");
        let mut frames = Vec::new();
        while let Some(frame) = movie.next_frame().expect("read") {
            frames.push(frame.to_owned());
        }
        frames
    }

    /// All shapes, in separate files, stored in an archive, and deflated in an archive.
    #[test]
    fn every_shape_is_read_frame_by_frame() {
        let movie = Array5::from_shape_fn((1, 2, 5, 3, 4), |(_, c, t, row, col)| {
            (100 * c + 20 * t + 4 * row + col) as f32 / 7.0
        });
        let by_time = movie.slice(s![0, .., .., .., ..]).permuted_axes([1, 0, 2, 3]).as_standard_layout().into_owned();
        let bytes =
            |samples: &mut dyn Iterator<Item = &f32>| -> Vec<u8> { samples.flat_map(|x| x.to_le_bytes()).collect() };
        let alone = movie.slice(s![0, 1, .., .., ..]);
        for (shape, bytes, channels) in [
            ("(5, 3, 4)", bytes(&mut alone.iter()), 1..2),
            ("(5, 2, 3, 4)", bytes(&mut by_time.iter()), 0..2),
            ("(1, 2, 5, 3, 4)", bytes(&mut movie.iter()), 0..2),
        ] {
            let npy = array("<f4", shape, &bytes);
            // Every second file of an archive is deflated.
            let note = || ("note", array("<f4", "(2,)", &[0; 8]));
            let stored = recording::archive(&[("frames", npy.clone()), note()]);
            let deflated = recording::archive(&[note(), ("frames", npy.clone())]);
            for (name, content) in [("a.npy", npy), ("stored.npz", stored), ("deflated.npz", deflated)] {
                let (_folder, path) = file(name, &content);
                assert_eq!(kind(&path).expect("there"), Some(super::super::Kind::Array), "{name}");
                for skip in [0, 1, 4, 5, 9] {
                    let found = frames(open(&path).expect(name), skip);
                    assert_eq!(found.len() as u64, 5_u64.saturating_sub(skip), "{name}, {shape}");
                    for (t, frame) in (skip as usize..).zip(&found) {
                        let expected = movie.slice(s![0, channels.clone(), t, .., ..]);
                        assert_eq!(frame, expected, "{name}, {shape}, frame {t}");
                    }
                }
            }
        }
        let (_folder, path) = file("a.npy", &array("<f4", "(1, 2, 5, 3, 4)", &bytes(&mut movie.iter())));
        assert_eq!(crate::movie::read(&path).expect("whole"), movie);
        let luminance = open(&path).expect("a movie").next().expect("a frame").expect("read");
        let expected = 0.5 * (&movie.slice(s![0, 0, 0, .., ..]) + &movie.slice(s![0, 1, 0, .., ..]));
        assert_eq!(luminance, expected, "the mean of the channels");
    }

    #[test]
    fn archives_without_one_array_of_frames_are_told() {
        let movie = || array("|u1", "(2, 1, 1)", &[1, 2]);
        let column = || array("<u2", "(1,)", &[0; 2]);
        let several = recording::archive(&[("left", movie()), ("right", movie())]);
        let (_folder, path) = file("a.npz", &several);
        let error = open(&path).expect_err("two").to_string();
        assert!(error.contains("2 arrays of frames: left, right; expected one"), "{error}");
        // A file with the columns of events is a recording.
        let events = [("t", column()), ("x", column()), ("y", column()), ("p", column()), ("frames", movie())];
        let (_folder, path) = file("a.npz", &recording::archive(&events));
        assert_eq!(kind(&path).expect("there"), None);
        let cut = recording::archive(&[("frames", array("|u1", "(20, 10, 10)", &[7; 1999]))]);
        let (_folder, path) = file("a.npz", &cut);
        let error = open(&path).expect("begins well").find_map(|frame| frame.err()).expect("cut").to_string();
        assert!(error.contains("a.npz: cut off"), "{error}");
        let (_folder, path) = file("a.npz", &cut[..cut.len() - 3]);
        assert!(open(&path).is_err(), "an archive without its end");
    }
}
