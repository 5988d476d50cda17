//! Writes recordings. An event that the format cannot hold is an error that names the event.

use super::encoders::{Encoder, WriteOptions};
use super::format::Format;
use crate::draft::Draft;
use crate::{Error, Result};
use foveola_core::events::{Event, Geometry};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Writes events as a recording. The file is written under a temporary name beside the target and renamed when it is
/// [finished](EventWriter::finish). If the writer is dropped earlier, the target is unchanged.
///
/// ```
/// use foveola::{EventWriter, Format, Geometry, Recording};
/// use foveola_core::events::Event;
/// let path = std::env::temp_dir().join(format!("foveola-doc-{}.csv", std::process::id()));
/// let mut writer = EventWriter::create(&path, Format::Csv, Some(Geometry { cols: 640, rows: 480 }))?;
/// let event = Event { t: 1_000, x: 3, y: 2, on: true };
/// writer.push(event)?;
/// assert_eq!(writer.finish()?.events, 1);
/// assert_eq!(Recording::open(&path)?.events()?.next().transpose()?, Some(event));
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), foveola::Error>(())
/// ```
pub struct EventWriter {
    path: PathBuf,
    format: Format,
    sink: Sink,
    encoder: Box<dyn Encoder>,
    bytes: Vec<u8>,
    written: Written,
}

enum Sink {
    File(BufWriter<Draft>),
    Stream(Box<dyn Write + Send>),
}

impl Sink {
    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::File(file) => file,
            Self::Stream(stream) => stream,
        }
    }

    /// Writes `first` at the start of a file and gives it its final name.
    fn complete(self, first: Option<Vec<u8>>) -> std::io::Result<()> {
        match self {
            Self::File(mut file) => {
                if let Some(first) = first {
                    file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&first))?;
                }
                Draft::commit_buffered(file)
            }
            Self::Stream(mut stream) => stream.flush(),
        }
    }
}

/// The amount of data written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Number of events.
    pub events: u64,
    /// Number of bytes.
    pub bytes: u64,
}

/// Number of bytes that are buffered before they are written.
const BLOCK: usize = 1 << 14;

impl std::fmt::Debug for EventWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { path, format, .. } = self;
        f.debug_struct("EventWriter").field("path", path).field("format", format).finish_non_exhaustive()
    }
}

impl EventWriter {
    /// Starts a file. `geometry` is for the header, which some formats need.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] for a format that is only read, or whose header needs a geometry, or another one.
    pub fn create(path: impl AsRef<Path>, format: Format, geometry: Option<Geometry>) -> Result<Self> {
        Self::create_with(path, format, geometry, WriteOptions::default())
    }

    /// Starts a file with the given options.
    ///
    /// # Errors
    /// As for [`EventWriter::create`].
    pub fn create_with(
        path: impl AsRef<Path>,
        format: Format,
        geometry: Option<Geometry>,
        options: WriteOptions,
    ) -> Result<Self> {
        let path = path.as_ref();
        let (encoder, bytes) = start(path, format, geometry, &options)?;
        let file = Draft::create(path).map_err(|source| Error::Io { path: path.into(), source })?;
        Ok(Self::new(path, format, Sink::File(BufWriter::new(file)), encoder, bytes))
    }

    /// Starts a recording that is written to a pipe or a socket. `name` is for messages.
    ///
    /// # Errors
    /// As for [`EventWriter::create`]; [`Error::Data`] for `.npy`, whose header contains the number of events.
    pub fn to_writer(
        name: impl AsRef<Path>,
        writer: impl Write + Send + 'static,
        format: Format,
        geometry: Option<Geometry>,
        options: WriteOptions,
    ) -> Result<Self> {
        let name = name.as_ref();
        let (encoder, bytes) = start(name, format, geometry, &options)?;
        if encoder.patch(0).is_some() {
            let reason = format!("a pipe; {} begins with the number of events and needs a file", format.about());
            return Err(Error::Data { path: name.into(), reason });
        }
        Ok(Self::new(name, format, Sink::Stream(Box::new(writer)), encoder, bytes))
    }

    fn new(path: &Path, format: Format, sink: Sink, encoder: Box<dyn Encoder>, bytes: Vec<u8>) -> Self {
        Self { path: path.into(), format, sink, encoder, bytes, written: Written::default() }
    }

    /// Appends an event.
    ///
    /// # Errors
    /// [`Error::Event`] when the format cannot hold it: the event is omitted, and others may follow; [`Error::Io`].
    pub fn push(&mut self, event: Event) -> Result<()> {
        self.encoder.encode(event, &mut self.bytes).map_err(|expected| Error::Event {
            path: self.path.clone(),
            format: self.format.name(),
            event,
            expected,
        })?;
        self.written.events += 1;
        if self.bytes.len() >= BLOCK { self.write() } else { Ok(()) }
    }

    /// Completes the recording.
    ///
    /// # Errors
    /// [`Error::Io`]; then no file is written.
    pub fn finish(mut self) -> Result<Written> {
        self.encoder.finish(&mut self.bytes);
        self.write()?;
        let Self { path, sink, encoder, written, .. } = self;
        let completed = sink.complete(encoder.patch(written.events));
        completed.map_err(|source| Error::Io { path, source })?;
        Ok(written)
    }

    fn write(&mut self) -> Result<()> {
        let written = self.sink.writer().write_all(&self.bytes);
        written.map_err(|source| Error::Io { path: self.path.clone(), source })?;
        self.written.bytes += self.bytes.len() as u64;
        self.bytes.clear();
        Ok(())
    }
}

/// The encoder of a format, and its first bytes.
fn start(
    path: &Path,
    format: Format,
    geometry: Option<Geometry>,
    options: &WriteOptions,
) -> Result<(Box<dyn Encoder>, Vec<u8>)> {
    let data = |reason| Error::Data { path: path.into(), reason };
    let mut bytes = Vec::new();
    let encoder = format.row().encoder.ok_or_else(|| {
        let written: Vec<_> = Format::written().map(Format::name).collect();
        data(format!("{} is only read; expected one of: {}", format.about(), written.join(", ")))
    })?;
    Ok((encoder(geometry, options, &mut bytes).map_err(data)?, bytes))
}
