//! Movies in `.npy` files: read whole, written frame by frame.

use crate::{Error, Result};
use ndarray::{Array5, ArrayBase, ArrayD, ArrayView3, Axis, IxDyn, OwnedRepr};
use ndarray_npy::{ReadNpyError, ReadNpyExt, ReadableElement};
use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Reads a movie of `f32`, `f64` or `u8` samples: `(time, row, col)`, `(time, channel, row, col)` as [`NpyWriter`] writes it, or
/// `(batch, channel, time, row, col)`.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read, [`Error::Data`] when it holds something else.
pub fn read_movie(path: impl AsRef<Path>) -> Result<Array5<f32>> {
    let path = path.as_ref();
    let data = |reason: String| Error::Data { path: path.into(), reason };
    let (samples, bytes) = declared(path).map_err(|source| Error::Io { path: path.into(), source })?;
    if samples > bytes {
        // Before memory is reserved for them.
        return Err(data(format!("cut off: its header tells of {samples} samples, but the file has {bytes} bytes")));
    }
    let movie = match read(path, |x: f32| x) {
        Err(ReadNpyError::WrongDescriptor(_)) => match read(path, |x: f64| x as f32) {
            Err(ReadNpyError::WrongDescriptor(_)) => read(path, |x: u8| f32::from(x)),
            other => other,
        },
        other => other,
    };
    let movie = movie.map_err(|error| match error {
        ReadNpyError::Io(source) if source.kind() == ErrorKind::UnexpectedEof => {
            data("not a .npy array: it ends before its header does".into())
        }
        ReadNpyError::Io(source) => Error::Io { path: path.into(), source },
        ReadNpyError::WrongDescriptor(found) => data(format!("samples of type {found}; expected f4, f8 or u1")),
        ReadNpyError::MissingData => data("cut off: fewer samples than its header tells of".into()),
        ReadNpyError::ExtraBytes(more) => data(format!("{more} bytes more than its header tells of")),
        other => data(format!("not a .npy array: {other}")),
    })?;
    let axes = movie.ndim();
    let movie = match axes {
        3 => movie.insert_axis(Axis(0)).insert_axis(Axis(0)),
        4 => movie.permuted_axes(vec![1, 0, 2, 3]).insert_axis(Axis(0)),
        _ => movie,
    };
    movie.into_dimensionality().map_err(|_| {
        data(format!(
            "an array of {axes} axes; expected 3 (time, row, column), 4 (time, channel, row, column) or 5 (batch, channel, \
             time, row, column)"
        ))
    })
}

/// How many samples the header of a `.npy` file tells of, 0 when it cannot be read; and the length of the file.
fn declared(path: &Path) -> std::io::Result<(u64, u64)> {
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let mut head = Vec::new();
    file.take(4096).read_to_end(&mut head)?;
    let head = String::from_utf8_lossy(&head);
    let shape = head.split_once("shape").and_then(|(_, rest)| rest.split_once('(')?.1.split_once(')'));
    let samples = shape.map_or(0, |(shape, _)| {
        shape.split(',').filter_map(|side| side.trim().parse().ok()).fold(1, u64::saturating_mul)
    });
    Ok((samples, bytes))
}

fn read<T: ReadableElement + Copy>(path: &Path, convert: impl Fn(T) -> f32) -> Result<ArrayD<f32>, ReadNpyError> {
    let file = File::open(path).map(BufReader::new).map_err(ReadNpyError::Io)?;
    Ok(ArrayBase::<OwnedRepr<T>, IxDyn>::read_npy(file)?.mapv(convert))
}

/// Writes an array of frames as `.npy` while they come: the number of frames is filled in at the end, also when the
/// writer is dropped early, but then errors are lost.
///
/// ```
/// use foveola::npy::{NpyWriter, read_movie};
/// let path = std::env::temp_dir().join(format!("foveola-doc-{}.npy", std::process::id()));
/// let mut writer = NpyWriter::create(&path)?;
/// for t in 0..3 {
///     writer.push(ndarray::Array3::from_elem((1, 4, 5), t as f32).view())?;
/// }
/// assert_eq!(writer.finish()?, 3);
/// assert_eq!(read_movie(&path)?.dim(), (1, 1, 3, 4, 5));
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), foveola::Error>(())
/// ```
pub struct NpyWriter {
    path: PathBuf,
    file: BufWriter<File>,
    shape: Option<(usize, usize, usize)>,
    frames: usize,
}

impl NpyWriter {
    /// Length of the header: room for any shape, and a multiple of 64 as the format asks.
    const HEADER: usize = 128;

    /// Begins a file.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_path_buf();
        let file = File::create(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
        let mut writer = Self { path, file: BufWriter::new(file), shape: None, frames: 0 };
        writer.header()?;
        Ok(writer)
    }

    /// Appends a frame `(channel, row, col)`. A single channel is left out of the array's shape.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] when the frame differs in shape from the first.
    pub fn push(&mut self, frame: ArrayView3<'_, f32>) -> Result<()> {
        let shape = *self.shape.get_or_insert(frame.dim());
        if frame.dim() != shape {
            let reason = format!("a frame of {:?} (channel, row, column) after frames of {shape:?}", frame.dim());
            return Err(Error::Data { path: self.path.clone(), reason });
        }
        for sample in frame {
            self.file.write_all(&sample.to_le_bytes()).map_err(|source| self.io(source))?;
        }
        self.frames += 1;
        Ok(())
    }

    /// Fills in the number of frames and returns it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn finish(mut self) -> Result<usize> {
        self.complete()?;
        Ok(self.frames)
    }

    fn complete(&mut self) -> Result<()> {
        self.file.seek(SeekFrom::Start(0)).map_err(|source| self.io(source))?;
        self.header()?;
        self.file.flush().map_err(|source| self.io(source))
    }

    fn header(&mut self) -> Result<()> {
        let shape = match self.shape {
            Some((1, rows, cols)) => format!("({}, {rows}, {cols})", self.frames),
            Some((channels, rows, cols)) => format!("({}, {channels}, {rows}, {cols})", self.frames),
            None => "(0, 0, 0)".into(),
        };
        let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
        let mut header = b"\x93NUMPY\x01\x00".to_vec();
        header.extend(((Self::HEADER - 10) as u16).to_le_bytes());
        header.extend(text.bytes());
        header.resize(Self::HEADER - 1, b' ');
        header.push(b'\n');
        self.file.write_all(&header).map_err(|source| self.io(source))
    }

    fn io(&self, source: std::io::Error) -> Error {
        Error::Io { path: self.path.clone(), source }
    }
}

impl Drop for NpyWriter {
    fn drop(&mut self) {
        let _ = self.complete();
    }
}
