//! Recordings of event cameras, read in bounded memory.
//!
//! ```text
//! file or pipe -> text and 64 kB -> recognise (by the table of formats) -> decoder
//!              \-> all bytes, in chunks -> decoder (core's Decode) -> Events
//! ```

mod aedat4;
mod assumption;
mod camera;
mod csv;
mod damage;
mod decoder;
mod encoders;
mod events;
mod foreign;
mod format;
mod head;
mod lone;
mod npy;
mod npz;
mod recognise;
mod seek;
mod segments;
mod table;
mod text_header;
mod word_order;
mod writer;

pub use assumption::Assumption;
pub use encoders::WriteOptions;
pub use events::Events;
pub use format::Format;
#[cfg(test)]
pub(crate) use npz::tests::archive;
pub(crate) use npz::{MAGIC as ARCHIVE_MAGIC, Member, are_columns, members};
pub use segments::{RESET, Segmented};
pub use table::{Columns, TimeUnit};
pub use writer::{EventWriter, Written};

use crate::{Error, Result};
use decoder::Decoder;
use foveola_core::events::{Camera, Event, Geometry, Order, Skipped};
use head::Head;
use segments::Resets;
use std::fs::File;
use std::io::{Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A recording: a file or a pipe of events in a known format.
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
    options: ReadOptions,
    /// The first bytes.
    head: Arc<[u8]>,
    origin: Origin,
    assumed: Arc<[Assumption]>,
}

/// Options for reading a recording that does not state a property, or states it wrongly. By default all properties are
/// detected in the first 64 kB after its text header.
///
/// ```no_run
/// use foveola::{Format, ReadOptions, Recording, TimeUnit};
/// let options = ReadOptions { unit: Some(TimeUnit::Seconds), ..ReadOptions::default() };
/// let recording = Recording::open_with("events.txt", options)?;
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadOptions {
    /// The format.
    pub format: Option<Format>,
    /// Order of the columns of text and arrays.
    pub columns: Option<Columns>,
    /// Unit of the times of text and arrays.
    pub unit: Option<TimeUnit>,
    /// Byte order of words in EVT 2.1.
    pub order: Option<Order>,
    /// The camera of AEDAT 2. By default it is the one in the header, or the one whose addresses match the words of the
    /// first 64 kB; if these are ambiguous, the recording is rejected. Later words that do not fit are counted as
    /// [`Skipped::outside`] or [`Skipped::garbage`].
    pub camera: Option<Camera>,
    /// Continues reading if more than 1 % of the bytes or lines are unreadable. By default that is [`Error::Damaged`]: for a
    /// file when 1 % of its length is unreadable, for a pipe every 16 MB over all data read so far, and for both at the end.
    pub damaged: bool,
}

impl From<Format> for ReadOptions {
    fn from(format: Format) -> Self {
        Self { format: Some(format), ..Self::default() }
    }
}

/// The source of the bytes.
#[derive(Clone)]
enum Origin {
    File {
        bytes: u64,
    },
    /// A stream that is read once. Its first bytes were read already and are put back in front.
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

/// The content of a whole recording, or of those of its events that are [added](Summary::add).
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Number of events.
    pub events: u64,
    /// Number of ON events.
    pub on: u64,
    /// Earliest and latest time in microseconds; none without events.
    pub span: Option<(u64, u64)>,
    /// Sensor size in the header.
    pub header: Option<Geometry>,
    /// The smallest size that holds all events; none without events.
    pub extent: Option<Geometry>,
    /// Events outside the header's geometry.
    pub outside: u64,
    /// Bytes read.
    pub bytes: u64,
    /// The data that was skipped, by reason.
    pub skipped: Skipped,
    /// Position where damage began, in bytes from the start; none if there is no damage.
    pub damage: Option<u64>,
    /// Number of clock resets: time went back by [`RESET`] microseconds or more, and stayed there.
    pub resets: u64,
    clock: Resets,
}

impl Summary {
    /// Counts an event from a sensor of the size in [`Summary::header`], if that is known.
    pub fn add(&mut self, event: &Event) {
        self.outside += u64::from(self.header.is_some_and(|header| !header.contains(event)));
        let (cols, rows) = self.extent.map_or((0, 0), |extent| (extent.cols, extent.rows));
        self.extent =
            Some(Geometry { cols: cols.max(usize::from(event.x) + 1), rows: rows.max(usize::from(event.y) + 1) });
        self.events += 1;
        self.on += u64::from(event.on);
        let (first, last) = self.span.unwrap_or((event.t, event.t));
        self.span = Some((first.min(event.t), last.max(event.t)));
        self.clock.add(event.t);
        self.resets = self.clock.count();
    }

    /// Copies the information that `events` has so far: on the header and on skipped data.
    pub fn told(&mut self, events: &Events) {
        self.header = events.geometry();
        self.bytes = events.position();
        self.skipped = events.skipped();
        self.damage = events.damage();
    }

    /// The geometry in the header, or the smallest that holds all events.
    pub fn geometry(&self) -> Option<Geometry> {
        self.header.or(self.extent)
    }

    /// Duration in seconds; with clock resets, the sum over all segments.
    pub fn seconds(&self) -> f64 {
        self.clock.duration() as f64 * 1e-6
    }
}

impl Recording {
    /// Opens a recording and recognises its format by its content. `-` is the standard input. Standard input and other pipes
    /// are read once.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] when it is a folder, empty, or of an unknown format.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, ReadOptions::default())
    }

    /// Opens a recording in a given format, regardless of its content.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] when it is a folder, empty, or cannot be of this format.
    pub fn open_as(path: impl AsRef<Path>, format: Format) -> Result<Self> {
        Self::open_with(path, format.into())
    }

    /// Opens a recording with the given options.
    ///
    /// # Errors
    /// As for [`Recording::open`].
    pub fn open_with(path: impl AsRef<Path>, options: ReadOptions) -> Result<Self> {
        let path = path.as_ref();
        if path.as_os_str() == "-" {
            return Self::from_reader("standard input", std::io::stdin(), options);
        }
        let io = |source| Error::Io { path: path.into(), source };
        let metadata = std::fs::metadata(path).map_err(io)?;
        if metadata.is_dir() {
            let reason = "a folder; expected a file of events (foveola run takes a folder of PNGs as a movie)".into();
            return Err(Error::Data { path: path.into(), reason });
        }
        let mut file = File::open(path).map_err(io)?;
        if !metadata.is_file() {
            return Self::from_reader(path, file, options);
        }
        let head = recognise::read(path, &mut file, options.format)?;
        Self::new(path, options, &head, Origin::File { bytes: metadata.len() })
    }

    /// A recording from `reader`, such as a pipe or a socket; it is read once. `name` is for messages.
    ///
    /// ```
    /// use foveola::{ReadOptions, Recording};
    /// let bytes = b"% evt 2.0\n\x01\x00\x00\x80\x01\x08\x80\x10\x00\x08\x00\x05".as_slice();
    /// let recording = Recording::from_reader("socket", bytes, ReadOptions::default())?;
    /// assert_eq!(recording.events()?.count(), 2);
    /// assert!(recording.events().is_err()); // it was read
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`Recording::open`].
    pub fn from_reader(
        name: impl AsRef<Path>,
        mut reader: impl Read + Send + 'static,
        options: ReadOptions,
    ) -> Result<Self> {
        let name = name.as_ref();
        let head = recognise::read(name, &mut reader, options.format)?;
        let whole = Cursor::new(head.clone()).chain(reader);
        Self::new(name, options, &head, Origin::Pipe(Arc::new(Mutex::new(Some(Box::new(whole))))))
    }

    fn new(name: &Path, options: ReadOptions, head: &[u8], origin: Origin) -> Result<Self> {
        let whole = if let Origin::File { bytes } = origin { Some(bytes) } else { None };
        let recognised = options.format.map_or_else(|| recognise::recognise(&Head { bytes: head, whole, options }), Ok);
        let data = |reason: String| Error::Data { path: name.into(), reason };
        let format = recognised.map_err(data)?;
        let mut recording =
            Self { name: name.into(), format, options, head: head.into(), origin, assumed: Arc::default() };
        if format == Format::Npz {
            if recording.bytes().is_none() {
                return Err(data("a pipe; an archive is read from several places and needs a file".into()));
            }
            // The head of the array that is assembled from the arrays of the archive.
            let mut array = recording.archive()?;
            recording.head = recognise::read(name, &mut array, Some(format))?.into();
        }
        recording.assumed = recording.decoder()?.assumed().into(); // reports errors of the decoder now
        Ok(recording)
    }

    /// The events of a `.npz` file.
    fn archive(&self) -> Result<Box<dyn Read + Send>> {
        npz::open(&self.name, self.options.columns).map_err(|error| match error.kind() {
            ErrorKind::InvalidData => Error::Data { path: self.name.clone(), reason: error.to_string() },
            _ => Error::Io { path: self.name.clone(), source: error },
        })
    }

    fn decoder(&self) -> Result<Box<dyn Decoder>> {
        let decoder = self.format.decoder(&self.head, &self.options);
        decoder.map_err(|reason| Error::Data { path: self.name.clone(), reason })
    }

    /// The file, or the name given to a pipe.
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// The format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Properties that the recording does not state, or that the options override, detected in the 64 kB after its text
    /// header.
    pub fn assumed(&self) -> &[Assumption] {
        &self.assumed
    }

    /// Its size in bytes; none for a pipe.
    pub fn bytes(&self) -> Option<u64> {
        match self.origin {
            Origin::File { bytes } => Some(bytes),
            Origin::Pipe(_) => None,
        }
    }

    /// The events, from the start.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] for a pipe that was read before.
    pub fn events(&self) -> Result<Events> {
        let path = &self.name;
        let source: Box<dyn Read + Send> = match &self.origin {
            Origin::File { .. } if self.format == Format::Npz => self.archive()?,
            Origin::File { .. } => {
                Box::new(File::open(path).map_err(|source| Error::Io { path: path.clone(), source })?)
            }
            Origin::Pipe(pipe) => {
                let reason = "a pipe is read once, and this needs it twice; expected a file";
                let source = pipe.lock().unwrap_or_else(PoisonError::into_inner).take();
                source.ok_or_else(|| Error::Data { path: path.clone(), reason: reason.into() })?
            }
        };
        Ok(Events::new(self.clone(), source, self.decoder()?, 0, 0))
    }

    /// Reads the whole recording once and calls `look` with each event.
    ///
    /// # Errors
    /// As for [`Recording::events`], and [`Events::peek`].
    pub fn scan(&self, mut look: impl FnMut(&Event)) -> Result<Summary> {
        let mut events = self.events()?;
        let mut summary = Summary::default();
        while events.peek()?.is_some() {
            summary.told(&events);
            for event in events.next_slice()? {
                look(event);
                summary.add(event);
            }
        }
        summary.told(&events);
        Ok(summary)
    }
}
