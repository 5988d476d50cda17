//! A `.npy` array of frames, read one by one.

use super::{About, Source};
use crate::npy::header::{Element, Header, Kind, MAGIC, Scalar};
use crate::{Error, Result};
use foveola_core::Shape;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

pub(super) struct Npy {
    path: PathBuf,
    file: BufReader<File>,
    scalar: Scalar,
    /// Where the elements begin, in bytes.
    start: u64,
    /// From a frame to the next, and from a channel to the next, in samples.
    strides: (u64, u64),
    /// Samples of a channel of a frame.
    plane: usize,
    frames: u64,
    at: u64,
    bytes: Vec<u8>,
}

/// The first bytes of a file.
pub(super) fn head(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(1 << 16).read_to_end(&mut head)?;
    Ok(head)
}

/// Whether an array that begins so is a movie, or one in vain: its name ends so, and it is no table of events.
pub(super) fn is_movie(head: &[u8], named: bool) -> bool {
    match Header::read(head) {
        Ok(header) => matches!(header.element, Element::Scalar(_)) && !is_table(&header.shape),
        Err(_) => named || head.starts_with(MAGIC),
    }
}

/// Whether an array of this shape has a row for each event.
fn is_table(shape: &[u64]) -> bool {
    matches!(shape, [_, _])
}

pub(super) fn open(path: &Path) -> Result<(Npy, About)> {
    let data = |reason: String| Error::Data { path: path.into(), reason };
    let io = |source| Error::Io { path: path.into(), source };
    let mut file = BufReader::new(File::open(path).map_err(io)?);
    let bytes = file.get_ref().metadata().map_err(io)?.len();
    let header = Header::from_reader(&mut file).map_err(io)?.map_err(data)?;
    let Element::Scalar(scalar) = header.element else {
        return Err(data("a record for each element, as events have; expected samples of frames".into()));
    };
    let white = match (scalar.kind, scalar.size) {
        (Kind::Float, _) => 1.0,
        (Kind::Unsigned, 1) => 255.0,
        (Kind::Unsigned, 2) => 65535.0,
        _ => return Err(data(format!("samples of type {scalar}; expected f4, f8, u1 or u2"))),
    };
    let (samples, have) = (header.elements(), bytes.saturating_sub(header.len as u64));
    let declared = samples.saturating_mul(scalar.size as u64);
    if declared > have {
        return Err(data(format!("cut off: its header tells of {samples} samples, but the file has {bytes} bytes")));
    }
    if declared < have {
        return Err(data(format!("{} bytes more than its header tells of", have - declared)));
    }
    if samples == 0 {
        return Err(data(format!("a movie of shape {:?} has no samples; expected frames", header.shape)));
    }
    if header.fortran_order {
        return Err(data("in Fortran order; expected C order, as numpy.ascontiguousarray gives".into()));
    }
    let (frames, channels, rows, cols, by_channel) = match header.shape[..] {
        [frames, rows, cols] => (frames, 1, rows, cols, false),
        [frames, channels, rows, cols] => (frames, channels, rows, cols, false),
        [1, channels, frames, rows, cols] => (frames, channels, rows, cols, true),
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
    // No overflow: there are no more samples than bytes in the file, none of the sides is 0.
    let plane = rows * cols;
    let strides = if by_channel { (plane, plane * frames) } else { (plane * channels, plane) };
    let shape = Shape::new(channels as usize, rows as usize, cols as usize);
    let about = About { shape, rate: None, frames: Some(frames), white };
    let (start, plane) = (header.len as u64, plane as usize);
    Ok((Npy { path: path.into(), file, scalar, start, strides, plane, frames, at: 0, bytes: Vec::new() }, about))
}

impl Source for Npy {
    fn next(&mut self, frame: &mut [f32]) -> Result<bool> {
        if self.at == self.frames {
            return Ok(false);
        }
        let size = self.scalar.size;
        self.bytes.resize(self.plane * size, 0);
        for (channel, samples) in frame.chunks_exact_mut(self.plane).enumerate() {
            let sample = self.at * self.strides.0 + channel as u64 * self.strides.1;
            let place = SeekFrom::Start(self.start + sample * size as u64);
            let read = self.file.seek(place).and_then(|_| self.file.read_exact(&mut self.bytes));
            read.map_err(|source| Error::Io { path: self.path.clone(), source })?;
            for (to, from) in samples.iter_mut().zip(self.bytes.chunks_exact(size)) {
                *to = self.scalar.number(from).unwrap_or(0.0) as f32;
            }
        }
        self.at += 1;
        Ok(true)
    }
}
