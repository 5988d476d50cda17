//! Recordings of event cameras, read in bounded memory.
//!
//! ```text
//! file or pipe -> first 64 kB -> recognise (by the table of formats) -> decoder
//!              \-> all bytes, in pieces -> decoder (core's Decode) -> Events
//! ```

mod aedat4;
mod decoder;
mod events;
mod format;
mod recognise;

pub use events::Events;
pub use format::Format;

use crate::{Error, Result};
use events::BYTES;
use foveola_core::events::{Event, Extent, Geometry, Skipped};
use recognise::Head;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A recording: a file or a pipe of events of a known format.
///
/// ```no_run
/// use foveola::Recording;
/// let recording = Recording::open("recording.raw")?; // recognised by its content
/// for event in recording.events()? {
///     let event = event?;
///     println!("{} us: ({}, {}) {}", event.t, event.x, event.y, if event.on { "ON" } else { "OFF" });
/// }
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Recording {
    name: PathBuf,
    format: Format,
    origin: Origin,
}

/// Where the bytes come from.
#[derive(Clone)]
enum Origin {
    File {
        bytes: u64,
    },
    /// What is read once; its first bytes were, and are put in front again.
    Pipe(Arc<Mutex<Option<Box<dyn Read + Send>>>>),
}

impl std::fmt::Debug for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File { bytes } => write!(f, "a file of {bytes} bytes"),
            Self::Pipe(_) => f.write_str("a pipe"),
        }
    }
}

/// What a whole recording holds.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Number of events.
    pub events: u64,
    /// Number of ON events.
    pub on: u64,
    /// Earliest and latest time in microseconds; none without events.
    pub span: Option<(u64, u64)>,
    /// Size of the sensor as the header tells it.
    pub header: Option<Geometry>,
    /// The smallest size that holds all events; none without events.
    pub extent: Option<Geometry>,
    /// Events outside the header's geometry.
    pub outside: u64,
    /// Bytes read.
    pub bytes: u64,
    /// What was skipped, and why.
    pub skipped: Skipped,
    /// Where damage began, in bytes from the start; none without.
    pub damage: Option<u64>,
}

impl Summary {
    /// The header's geometry, or else the smallest that holds all events.
    pub fn geometry(&self) -> Option<Geometry> {
        self.header.or(self.extent)
    }

    /// Duration in seconds.
    pub fn seconds(&self) -> f64 {
        self.span.map_or(0.0, |(first, last)| (last - first) as f64 * 1e-6)
    }
}

impl Recording {
    /// Opens a recording and recognises its format by its content. `-` is the standard input; it and other pipes are read
    /// once.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] when it is a folder, empty, or of no format that is known.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::with(path.as_ref(), None)
    }

    /// Opens a recording of a given format, whatever its content looks like.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] when it is a folder, or empty.
    pub fn open_as(path: impl AsRef<Path>, format: Format) -> Result<Self> {
        Self::with(path.as_ref(), Some(format))
    }

    /// A recording that comes from `reader`, as from a pipe or a socket, and is read once. `name` is for messages.
    ///
    /// ```
    /// use foveola::Recording;
    /// let bytes = b"% evt 2.0\n\x01\x00\x00\x80\x01\x08\x80\x10\x00\x08\x00\x05".as_slice();
    /// let recording = Recording::from_reader("socket", bytes, None)?;
    /// assert_eq!(recording.events()?.count(), 1);
    /// assert!(recording.events().is_err()); // a pipe is read once
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] when it is empty, or of no format that is known.
    pub fn from_reader(
        name: impl AsRef<Path>,
        mut reader: impl Read + Send + 'static,
        format: Option<Format>,
    ) -> Result<Self> {
        let name = name.as_ref();
        let head = head(name, &mut reader)?;
        let format = choose(name, format, &Head { bytes: &head, whole: None })?;
        let origin = Origin::Pipe(Arc::new(Mutex::new(Some(Box::new(Cursor::new(head).chain(reader))))));
        Ok(Self { name: name.into(), format, origin })
    }

    fn with(path: &Path, format: Option<Format>) -> Result<Self> {
        if path.as_os_str() == "-" {
            return Self::from_reader("standard input", std::io::stdin(), format);
        }
        let io = |source| Error::Io { path: path.into(), source };
        let metadata = std::fs::metadata(path).map_err(io)?;
        if metadata.is_dir() {
            let reason = "a folder; expected a file of events".into();
            return Err(Error::Data { path: path.into(), reason });
        }
        let mut file = File::open(path).map_err(io)?;
        if !metadata.is_file() {
            return Self::from_reader(path, file, format);
        }
        let bytes = metadata.len();
        let head = head(path, &mut file)?;
        let format = choose(path, format, &Head { bytes: &head, whole: Some(bytes) })?;
        Ok(Self { name: path.into(), format, origin: Origin::File { bytes } })
    }

    /// Its format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Its size in bytes; of a pipe nobody knows.
    pub fn bytes(&self) -> Option<u64> {
        match self.origin {
            Origin::File { bytes } => Some(bytes),
            Origin::Pipe(_) => None,
        }
    }

    /// Its events, from the start.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] for a pipe that was read before.
    pub fn events(&self) -> Result<Events> {
        let path = &self.name;
        let source: Box<dyn Read + Send> = match &self.origin {
            Origin::File { .. } => {
                Box::new(File::open(path).map_err(|source| Error::Io { path: path.clone(), source })?)
            }
            Origin::Pipe(pipe) => {
                let reason = "a pipe is read once, and this needs it twice; expected a file";
                let source = pipe.lock().unwrap_or_else(PoisonError::into_inner).take();
                source.ok_or_else(|| Error::Data { path: path.clone(), reason: reason.into() })?
            }
        };
        Ok(Events::new(path.clone(), source, self.format.decoder()))
    }

    /// Reads the whole recording once and calls `look` with each event.
    ///
    /// # Errors
    /// As of [`Recording::events`].
    pub fn scan(&self, mut look: impl FnMut(&Event)) -> Result<Summary> {
        let mut events = self.events()?;
        let (mut extent, mut count, mut on, mut outside) = (Extent::new(), 0, 0, 0);
        let mut span: Option<(u64, u64)> = None;
        while let Some(event) = events.next().transpose()? {
            look(&event);
            outside += u64::from(events.geometry().is_some_and(|header| !header.contains(&event)));
            extent.include(&event);
            count += 1;
            on += u64::from(event.on);
            let (first, last) = span.unwrap_or((event.t, event.t));
            span = Some((first.min(event.t), last.max(event.t)));
        }
        Ok(Summary {
            events: count,
            on,
            span,
            header: events.geometry(),
            extent: extent.geometry(),
            outside,
            bytes: events.position(),
            skipped: events.skipped(),
            damage: events.damage(),
        })
    }
}

/// The first bytes of a recording that is not empty.
fn head(name: &Path, reader: &mut impl Read) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    let read = reader.take(BYTES as u64).read_to_end(&mut head);
    read.map_err(|source| Error::Io { path: name.into(), source })?;
    if head.is_empty() {
        let reason = "it is empty; expected events".into();
        return Err(Error::Data { path: name.into(), reason });
    }
    Ok(head)
}

/// The format asked for, or the one that it looks like.
fn choose(name: &Path, format: Option<Format>, head: &Head<'_>) -> Result<Format> {
    let recognised = format.map_or_else(|| recognise::recognise(head), Ok);
    recognised.map_err(|reason| Error::Data { path: name.into(), reason })
}
