//! Arrays in `.npy` files: reading them, and writing movies frame by frame.

pub(crate) mod archive;
pub(crate) mod header;
mod literal;

use crate::draft::Draft;
use crate::{Error, Result};
use header::Header;
use ndarray::{ArrayD, ArrayView3, IxDyn, ShapeBuilder};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The numbers of a `.npy` file, of any type and shape; integers from 2^53 on are rounded.
///
/// ```
/// use foveola::npy;
/// let path = std::env::temp_dir().join(format!("foveola-doc-read-{}.npy", std::process::id()));
/// let mut writer = npy::NpyWriter::create(&path)?;
/// writer.push(ndarray::Array3::from_elem((1, 4, 5), 0.5).view())?;
/// writer.finish()?;
/// assert_eq!(npy::read(&path)?, ndarray::Array3::from_elem((1, 4, 5), 0.5).into_dyn());
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// [`Error::Io`]; [`Error::Data`] for a file that is none, is cut off, or has other elements than numbers.
pub fn read(path: impl AsRef<Path>) -> Result<ArrayD<f64>> {
    let path = path.as_ref();
    let data = |reason: String| Error::Data { path: path.into(), reason };
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::UnexpectedEof => data("cut off".into()),
        _ => Error::Io { path: path.into(), source },
    };
    let mut content = BufReader::new(File::open(path).map_err(failed)?);
    let header = Header::from_reader(&mut content).map_err(failed)?.map_err(&data)?;
    let scalar = header.numbers().map_err(&data)?;
    let count = header.shape.iter().try_fold(1_u64, |all, side| all.checked_mul(*side));
    let count = count.ok_or_else(|| data(format!("an array of shape {:?}; expected one that fits", header.shape)))?;
    let numbers = scalar.read_numbers(count, &mut content).map_err(failed)?;
    let shape: Vec<usize> = header.shape.iter().map(|side| *side as usize).collect();
    let shape = IxDyn(&shape).set_f(header.fortran_order);
    ArrayD::from_shape_vec(shape, numbers).map_err(|error| data(error.to_string()))
}

/// Writes an array of frames as `.npy`, frame by frame. The file appears under its name with [`NpyWriter::finish`], when the number
/// of frames is known; if the writer is dropped before, there is none.
///
/// ```
/// use foveola::{movie, npy::NpyWriter};
/// let path = std::env::temp_dir().join(format!("foveola-doc-{}.npy", std::process::id()));
/// let mut writer = NpyWriter::create(&path)?;
/// for t in 0..3 {
///     writer.push(ndarray::Array3::from_elem((1, 4, 5), t as f32).view())?;
/// }
/// assert_eq!(writer.finish()?, 3);
/// assert_eq!(movie::read(&path)?.dim(), (1, 1, 3, 4, 5));
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), foveola::Error>(())
/// ```
pub struct NpyWriter {
    path: PathBuf,
    file: BufWriter<Draft>,
    shape: Option<(usize, usize, usize)>,
    frames: usize,
    /// The samples of a frame in the format of the file.
    bytes: Vec<u8>,
}

impl std::fmt::Debug for NpyWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { path, shape, frames, .. } = self;
        f.debug_struct("NpyWriter")
            .field("path", path)
            .field("shape", shape)
            .field("frames", frames)
            .finish_non_exhaustive()
    }
}

impl NpyWriter {
    /// Length of the header: enough for any shape, and a multiple of 64 as the format requires.
    const HEADER: usize = 128;

    /// Starts a file.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_path_buf();
        let file = Draft::buffered(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
        let mut writer = Self { path, file, shape: None, frames: 0, bytes: Vec::new() };
        writer.header()?;
        Ok(writer)
    }

    /// Appends a frame `(channel, row, col)`. A single channel is omitted from the shape of the array.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] when the frame differs in shape from the first.
    pub fn push(&mut self, frame: ArrayView3<'_, f32>) -> Result<()> {
        let shape = *self.shape.get_or_insert(frame.dim());
        if frame.dim() != shape {
            let reason = format!("a frame of {:?} (channel, row, column) after frames of {shape:?}", frame.dim());
            return Err(Error::Data { path: self.path.clone(), reason });
        }
        self.bytes.resize(4 * frame.len(), 0);
        for (to, sample) in self.bytes.as_chunks_mut().0.iter_mut().zip(frame) {
            *to = sample.to_le_bytes();
        }
        self.file.write_all(&self.bytes).map_err(|source| Error::Io { path: self.path.clone(), source })?;
        self.frames += 1;
        Ok(())
    }

    /// Fills in the number of frames and returns it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn finish(mut self) -> Result<usize> {
        self.file.seek(SeekFrom::Start(0)).map_err(|source| self.io(source))?;
        self.header()?;
        let Self { path, file, frames, .. } = self;
        Draft::commit_buffered(file).map_err(|source| Error::Io { path, source })?;
        Ok(frames)
    }

    fn header(&mut self) -> Result<()> {
        let shape = match self.shape {
            Some((1, rows, cols)) => format!("({}, {rows}, {cols})", self.frames),
            Some((channels, rows, cols)) => format!("({}, {channels}, {rows}, {cols})", self.frames),
            None => "(0, 0, 0)".into(),
        };
        let header = header::write("'<f4'", &shape, Self::HEADER);
        self.file.write_all(&header).map_err(|source| self.io(source))
    }

    fn io(&self, source: io::Error) -> Error {
        Error::Io { path: self.path.clone(), source }
    }
}
