//! A file of the state of a model, to go on from after the program has ended.
//!
//! ```text
//! 0    8   magic        "\x8Ffoveola"
//! 8    u32 version      1
//! 12   u32 model        checksum of the layers, as nodes for these frames: kinds, shapes, parameters and weights
//! 16   u64 t            frames before the state
//! 24   4 x u64          batch; channels, rows and columns of a frame
//! 56   3 x u64          number of bounds (b), of samples (s), of bytes of the note (n)
//! 80   f64              the largest magnitude of the input so far, with headroom
//! 88   b x f64          the same for the output of each node
//!      s x f32          the samples of the state
//!      n bytes          a note of the program that wrote it, UTF-8
//!      u32              CRC-32 of all bytes before
//! ```
//! All numbers are little-endian. The checksum of the model depends on neither precision, algorithms, threads and device, nor
//! on names of layers. It covers everything that the layers of this crate compute with; of a custom filter and of a
//! [`Map`](crate::layers::Map) it covers the shapes alone.

use super::Model;
use super::bounds::Bounds;
use super::integers::IN_16_BITS;
use super::layer::{Compiled, Target};
use super::stream::Stream;
use crate::draft::Draft;
use crate::{Error, Result, memory};
use foveola_core::{Checksum, Layout, Shape};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

const MAGIC: [u8; 8] = *b"\x8Ffoveola";
const VERSION: u32 = 1;
/// Bytes before the bounds.
const HEAD: usize = 88;
/// Bytes of the checksum of the file.
const SUM: usize = 4;
/// The largest note in bytes.
const MOST_NOTE: usize = 1 << 16;

/// Why a file of a state is refused, or a state cannot be saved; see [`Model::load_state`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateFileError {
    /// The model was fed no frame.
    #[error("the model was fed no frame yet, so that there is no state; expected one frame or more before it")]
    NoFrames,
    /// A note that is too long.
    #[error("a note of {found} bytes; expected {expected} at most")]
    Note {
        /// Its length in bytes.
        found: usize,
        /// The largest length in bytes.
        expected: usize,
    },
    /// A file of another kind.
    #[error(
        "no saved state: it begins with \"{}\"; expected \"{}\", as save_state and foveola run --save-state write it",
        found.escape_ascii(), expected.escape_ascii()
    )]
    Magic {
        /// The first bytes.
        found: Vec<u8>,
        /// Those of a saved state.
        expected: [u8; 8],
    },
    /// A version of the format that is not known here.
    #[error("a saved state of version {found}; expected version {expected}")]
    Version {
        /// The version of the file.
        found: u32,
        /// The version that is read.
        expected: u32,
    },
    /// A file that was cut off, or has more bytes than it says.
    #[error("{found} bytes; expected {expected}, by its first bytes: it is cut off, or continues behind its end")]
    Length {
        /// Bytes of the file.
        found: u64,
        /// Bytes that its head tells of.
        expected: u64,
    },
    /// Damaged bytes.
    #[error("damaged: the checksum of its bytes is {found:08x}; expected {expected:08x}, as it was written")]
    Damaged {
        /// The checksum of the bytes.
        found: u32,
        /// The checksum in the file.
        expected: u32,
    },
    /// A head that no state has, although the bytes are as they were written.
    #[error("a saved state whose {what} is {found}; expected {expected}")]
    Head {
        /// The number.
        what: &'static str,
        /// Its value.
        found: u64,
        /// The values that there are, in words.
        expected: &'static str,
    },
    /// The state of another model.
    #[error(
        "the state of another model: its layers for frames of {frames} have the checksum {found:08x}; expected \
         {expected:08x}, that of the same layers, parameters and weights"
    )]
    Model {
        /// The shape of the frames.
        frames: Shape,
        /// The checksum in the file.
        found: u32,
        /// The checksum of the model.
        expected: u32,
    },
    /// The state of a model that takes other frames.
    #[error("a state for frames of {frames} (channels x rows x columns), which the model does not take: {reason}")]
    Frames {
        /// The shape of the frames.
        frames: Shape,
        /// Why the model does not take them.
        reason: String,
    },
    /// A number of samples that is not that of the model's state.
    #[error("a state of {found} samples; expected {expected}, as the model has")]
    Samples {
        /// Samples in the file.
        found: u64,
        /// Samples of the model's state.
        expected: u64,
    },
}

/// The checksum of the bytes so far: that of `foveola_core`, over bytes.
struct Summed<W> {
    inner: W,
    sum: Checksum,
}

impl<W: Write> Summed<W> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum = self.sum.bytes(bytes);
        self.inner.write_all(bytes)
    }
}

/// The head of a file, after the magic and the version.
#[derive(Clone, Debug)]
struct Head {
    model: u32,
    t: u64,
    batch: u64,
    frame: [u64; 3],
    bounds: u64,
    samples: u64,
    note: u64,
    input: f64,
}

impl Head {
    fn read(bytes: &[u8; HEAD]) -> Self {
        let long = |at: usize| bytes[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let word = |at: usize| bytes[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        Self {
            model: word(12),
            t: long(16),
            batch: long(24),
            frame: [long(32), long(40), long(48)],
            bounds: long(56),
            samples: long(64),
            note: long(72),
            input: f64::from_bits(long(80)),
        }
    }

    fn bytes(&self) -> [u8; HEAD] {
        let Self { model, t, batch, frame: [channels, rows, cols], bounds, samples, note, input } = *self;
        let mut bytes = [0; HEAD];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&model.to_le_bytes());
        let longs = [t, batch, channels, rows, cols, bounds, samples, note, input.to_bits()];
        bytes[16..].as_chunks_mut().0.iter_mut().zip(longs).for_each(|(to, long)| *to = long.to_le_bytes());
        bytes
    }

    /// Bytes of the whole file.
    fn len(&self) -> u64 {
        let sizes = [self.bounds.saturating_mul(8), self.samples.saturating_mul(4), self.note, SUM as u64];
        sizes.into_iter().fold(HEAD as u64, u64::saturating_add)
    }

    /// The batch and the shape of the frames.
    fn frames(&self) -> Result<(usize, Shape), StateFileError> {
        let size = |what, found: u64| match usize::try_from(found) {
            Ok(size) if size > 0 => Ok(size),
            _ => Err(StateFileError::Head { what, found, expected: "1 or more, within the memory" }),
        };
        let [channels, rows, cols] = self.frame;
        let shape = Shape::new(size("channels", channels)?, size("rows", rows)?, size("columns", cols)?);
        Ok((size("batch", self.batch)?, shape))
    }
}

impl Model {
    /// Writes the state after the frames so far to a file, from which [`Model::load_state`] goes on, in this program or
    /// another one, on any device.
    ///
    /// ```
    /// use foveola::{LowPass, Model, Resolution};
    /// let path = std::env::temp_dir().join(format!("foveola-doc-{}.state", std::process::id()));
    /// let movie = ndarray::Array3::<f32>::ones((10, 4, 4));
    /// let smooth = || Ok::<_, foveola::Error>(Model::of(LowPass::new(0.01, Resolution::DEFAULT)?));
    ///
    /// let mut model = smooth()?;
    /// model.process(&movie)?;
    /// model.save_state(&path)?;
    ///
    /// let mut later = smooth()?;
    /// later.load_state(&path)?;
    /// assert_eq!((later.time(), later.process(&movie)?), (10, model.process(&movie)?));
    /// # std::fs::remove_file(path).unwrap();
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// The file appears under its name when it is complete; after an error a file that was there is unchanged. The state of
    /// a device is copied to the host.
    ///
    /// # Errors
    /// [`Error::StateFile`] before the first frame; [`Error::Poisoned`] after a panic; [`Error::StateChanged`] when a layer was
    /// changed since then so that the state became invalid; [`Error::Io`].
    pub fn save_state(&self, path: impl AsRef<Path>) -> Result<()> {
        self.save_state_with(path, "")
    }

    /// [`Model::save_state`] with a note of up to 64 kB, for what the stream has besides the model, such as the time of the
    /// next frame. [`StateFile::note`] returns it.
    ///
    /// # Errors
    /// As [`Model::save_state`], and [`Error::StateFile`] for a longer note.
    pub fn save_state_with(&self, path: impl AsRef<Path>, note: &str) -> Result<()> {
        let path = path.as_ref();
        let refused = |problem| Err(Error::StateFile { path: path.into(), problem });
        let stream = &self.memory.stream;
        let Some((batch, shape)) = stream.frames.filter(|_| stream.t > 0) else {
            return refused(StateFileError::NoFrames);
        };
        if note.len() > MOST_NOTE {
            return refused(StateFileError::Note { found: note.len(), expected: MOST_NOTE });
        }
        stream.takes(batch, 0, shape)?;
        let revision = self.network.revision();
        let (model, _) = self.identity(shape, |compiled, integers| match integers {
            Some(layouts) if stream.continues(&layouts) => Ok(()),
            Some(_) => Err(Error::StateChanged { layer: IN_16_BITS.into() }),
            None => stream
                .fits(revision, compiled)
                .map_err(|node| Error::StateChanged { layer: self.network.layer_of(node, shape) }),
        })?;
        let samples = stream.state.read()?;
        let (input, bounds) = stream.bounds.parts();
        let head = Head {
            model,
            t: stream.t,
            batch: batch as u64,
            frame: [shape.channels, shape.rows, shape.cols].map(|size| size as u64),
            bounds: bounds.len() as u64,
            samples: samples.len() as u64,
            note: note.len() as u64,
            input,
        };
        let write = || {
            let mut file = Summed { inner: Draft::buffered(path)?, sum: Checksum::new() };
            file.put(&head.bytes())?;
            bounds.iter().try_for_each(|bound| file.put(&bound.to_le_bytes()))?;
            samples.iter().try_for_each(|sample| file.put(&sample.to_le_bytes()))?;
            file.put(note.as_bytes())?;
            let sum = file.sum.value();
            file.put(&sum.to_le_bytes())?;
            Draft::commit_buffered(file.inner)
        };
        write().map_err(|source| Error::Io { path: path.into(), source })
    }

    /// Goes on from the state in a file that [`Model::save_state`] wrote, of a model with the same layers, parameters and
    /// weights. The next chunk has frames of the same shape. Precision, algorithms, threads and device may be others.
    ///
    /// Of a custom filter and of [`Model::map`] the file knows the shapes alone: whether they compute the same is for the
    /// caller to know.
    ///
    /// # Errors
    /// [`Error::StateFile`] with a [`StateFileError`] for a file that is no saved state, is damaged or cut off, has another
    /// version, or belongs to another model; [`Error::Io`]; [`Error::Memory`]. The state is then unchanged.
    pub fn load_state(&mut self, path: impl AsRef<Path>) -> Result<()> {
        self.set_state_from(StateFile::read(path)?)
    }

    /// [`Model::load_state`] from a file that was read.
    ///
    /// # Errors
    /// [`Error::StateFile`] for the state of another model. The state is then unchanged.
    pub fn set_state_from(&mut self, file: StateFile) -> Result<()> {
        let StateFile { path, head, bounds, samples, note: _, frames: (batch, shape) } = file;
        let refused = |problem| Error::StateFile { path: path.clone(), problem };
        let found = samples.len() as u64;
        let mut stream = Stream::restored(head.t, (batch, shape), samples);
        stream.bounds = Bounds::of_parts(head.input, bounds);
        let revision = self.network.revision();
        let keep_layouts = |compiled: Compiled<'_>, integers: Option<Vec<Layout>>| {
            match integers {
                Some(layouts) => stream.set_layouts(&layouts),
                None => stream.keep_layouts(revision, compiled),
            }
            Ok(())
        };
        let (model, len) = self
            .identity(shape, keep_layouts)
            .map_err(|error| refused(StateFileError::Frames { frames: shape, reason: error.to_string() }))?;
        if model != head.model {
            return Err(refused(StateFileError::Model { frames: shape, found: head.model, expected: model }));
        }
        let expected = (len as u64).saturating_mul(batch as u64);
        if expected != found {
            return Err(refused(StateFileError::Samples { found, expected }));
        }
        self.memory.stream = stream;
        self.memory.forget();
        Ok(())
    }

    /// The checksum of the layers for frames of `shape`, and the samples of their state for one stream. `also` gets the layouts of a
    /// model in integers, whose full scales count, too.
    fn identity(
        &self,
        shape: Shape,
        also: impl FnOnce(Compiled<'_>, Option<Vec<Layout>>) -> Result<()>,
    ) -> Result<(u32, usize)> {
        let integers = self.integers_for(shape)?;
        self.network.compiled_for(Target::Weights, shape, &mut crate::Table::default(), false, |compiled| {
            let graph = &compiled.graph;
            let (sum, len) = (graph.node_checksum(Checksum::new()), graph.signature().state);
            let (sum, len) = match &integers {
                None => (sum, len),
                Some(integers) => (sum.word(integers.mark), integers.state),
            };
            also(compiled, integers.map(|integers| integers.layouts))?;
            Ok((sum.value(), len))
        })
    }
}

/// A file of the state of some model: its bytes are as they were written. [`Model::set_state_from`] goes on from it.
#[derive(Clone, Debug)]
pub struct StateFile {
    path: PathBuf,
    head: Head,
    bounds: Vec<f64>,
    samples: Vec<f32>,
    note: String,
    /// Batch and shape of the frames.
    frames: (usize, Shape),
}

impl StateFile {
    /// Reads a file. No more memory is allocated than it has bytes.
    ///
    /// # Errors
    /// [`Error::StateFile`] for a file that is no saved state, is damaged or cut off, or has another version; [`Error::Io`];
    /// [`Error::Memory`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let io = |source| Error::Io { path: path.into(), source };
        let refused = |problem| Error::StateFile { path: path.into(), problem };
        let mut file = io::BufReader::new(fs::File::open(path).map_err(io)?);
        let bytes = file.get_ref().metadata().map_err(io)?.len();
        let mut first = Vec::new();
        file.by_ref().take(HEAD as u64).read_to_end(&mut first).map_err(io)?;
        let magic = first.get(..MAGIC.len()).unwrap_or(&first);
        if magic != MAGIC {
            return Err(refused(StateFileError::Magic { found: magic.into(), expected: MAGIC }));
        }
        let version = first.get(8..12).and_then(|bytes| bytes.first_chunk()).map(|bytes| u32::from_le_bytes(*bytes));
        if let Some(found) = version.filter(|version| *version != VERSION) {
            return Err(refused(StateFileError::Version { found, expected: VERSION }));
        }
        let Some(head) = first.first_chunk() else {
            return Err(refused(StateFileError::Length { found: bytes, expected: (HEAD + SUM) as u64 }));
        };
        let (sum, head) = (Checksum::new().bytes(head), Head::read(head));
        if head.len() != bytes {
            return Err(refused(StateFileError::Length { found: bytes, expected: head.len() }));
        }
        let mut rest = Rest { file, sum, path };
        let mut bounds = Vec::new();
        rest.numbers(head.bounds, |bytes: &[u8; 8]| bounds.push(f64::from_le_bytes(*bytes)))?;
        let mut samples = memory::zeros("the state", usize::try_from(head.samples).unwrap_or(usize::MAX))?;
        let mut to = samples.iter_mut();
        rest.numbers(head.samples, |bytes: &[u8; 4]| {
            if let Some(to) = to.next() {
                *to = f32::from_le_bytes(*bytes);
            }
        })?;
        let mut note = Vec::new();
        rest.numbers(head.note, |[byte]: &[u8; 1]| note.push(*byte))?;
        let found = rest.sum.value();
        let mut sum = [0; SUM];
        rest.file.read_exact(&mut sum).map_err(io)?;
        let expected = u32::from_le_bytes(sum);
        if found != expected {
            return Err(refused(StateFileError::Damaged { found, expected }));
        }
        let frames = head.frames().map_err(refused)?;
        let problem = |what, found, expected| refused(StateFileError::Head { what, found, expected });
        if head.t == 0 {
            return Err(problem("number of frames", 0, "1 or more"));
        }
        let note = String::from_utf8(note).map_err(|error| {
            let at = error.utf8_error().valid_up_to() as u64;
            problem("first byte of the note that is no UTF-8", at, "UTF-8 alone")
        })?;
        Ok(Self { path: path.into(), head, bounds, samples, note, frames })
    }

    /// The note of [`Model::save_state_with`].
    pub fn note(&self) -> &str {
        &self.note
    }

    /// Frames before the state.
    pub fn time(&self) -> u64 {
        self.head.t
    }

    /// The shape of the frames.
    pub fn shape(&self) -> Shape {
        self.frames.1
    }
}

/// The bytes of a file after its head.
struct Rest<'p> {
    file: io::BufReader<fs::File>,
    sum: Checksum,
    path: &'p Path,
}

impl Rest<'_> {
    /// Reads `count` numbers of `N` bytes each.
    fn numbers<const N: usize>(&mut self, count: u64, mut take: impl FnMut(&[u8; N])) -> Result<()> {
        let mut bytes = [0; N];
        for _ in 0..count {
            self.file.read_exact(&mut bytes).map_err(|source| Error::Io { path: self.path.into(), source })?;
            self.sum = self.sum.bytes(&bytes);
            take(&bytes);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
