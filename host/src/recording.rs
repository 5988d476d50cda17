//! Recordings of event cameras, read in bounded memory.

use crate::{Error, Result};
use foveola_core::events::{Decode, Encoding, Event, Evt2, Extent, Geometry, NMnist, Skipped};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes read at a time, and events decoded at a time.
const BYTES: usize = 1 << 16;
const EVENTS: usize = 1 << 12;

/// A format of recordings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Prophesee EVT2.0 (`.raw`): [`Evt2`].
    Evt2,
    /// N-MNIST and N-Caltech101 (`.bin`): [`NMnist`].
    NMnist,
}

impl Format {
    /// The formats and their names on the command line.
    pub const NAMES: [(&'static str, Self); 2] = [("evt2", Self::Evt2), ("nmnist", Self::NMnist)];

    /// The format called `name`.
    ///
    /// # Errors
    /// [`Error::Unknown`] for another name.
    pub fn named(name: &str) -> Result<Self> {
        crate::names::find("format", &Self::NAMES, name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }

    fn decoder(self) -> Box<dyn Decode> {
        match self {
            Self::Evt2 => Box::new(Evt2::new()),
            Self::NMnist => Box::new(NMnist::new()),
        }
    }
}

/// A recording: a file of events of a known format.
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
    path: PathBuf,
    format: Format,
    bytes: u64,
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
    /// What was skipped, and why.
    pub skipped: Skipped,
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
    /// Opens a recording and recognises its format by its content.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] when it is no file, empty, or of no format that is known.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let (head, bytes) = head(path)?;
        let format = recognise(&head, bytes).map_err(|reason| Error::Data { path: path.into(), reason })?;
        Ok(Self { path: path.into(), format, bytes })
    }

    /// Opens a recording of a given format, whatever its content looks like.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] when it is no file, or empty.
    pub fn open_as(path: impl AsRef<Path>, format: Format) -> Result<Self> {
        let path = path.as_ref();
        let (_, bytes) = head(path)?;
        Ok(Self { path: path.into(), format, bytes })
    }

    /// Its format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Size of the file in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Its events, from the start.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn events(&self) -> Result<Events> {
        let file = File::open(&self.path).map_err(|source| Error::Io { path: self.path.clone(), source })?;
        Ok(Events {
            path: self.path.clone(),
            file,
            decoder: self.format.decoder(),
            bytes: vec![0; BYTES],
            unread: 0..0,
            events: vec![Event { t: 0, x: 0, y: 0, on: false }; EVENTS],
            decoded: 0..0,
            position: 0,
            ended: false,
        })
    }

    /// Reads the whole recording once and calls `look` with each event.
    ///
    /// # Errors
    /// [`Error::Io`].
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
        let (header, skipped) = (events.geometry(), events.skipped());
        Ok(Summary { events: count, on, span, header, extent: extent.geometry(), outside, skipped })
    }
}

/// The first bytes of a file that is not empty, and its length.
fn head(path: &Path) -> Result<(Vec<u8>, u64)> {
    let io = |source| Error::Io { path: path.into(), source };
    let data = |reason: &str| Error::Data { path: path.into(), reason: reason.into() };
    // Before it is opened, which waits for the other end of a pipe.
    let metadata = std::fs::metadata(path).map_err(io)?;
    if metadata.is_dir() {
        return Err(data("a folder; expected a file of events"));
    }
    if !metadata.is_file() {
        return Err(data("a pipe or a device; expected a file, since a recording is read more than once"));
    }
    let mut head = Vec::new();
    File::open(path).map_err(io)?.take(BYTES as u64).read_to_end(&mut head).map_err(io)?;
    if head.is_empty() {
        return Err(data("the file is empty; expected events"));
    }
    Ok((head, metadata.len()))
}

/// The format of a recording of `bytes` bytes that begins with `head`.
fn recognise(head: &[u8], bytes: u64) -> Result<Format, String> {
    const KNOWN: &str = "expected Prophesee EVT2 (.raw) or N-MNIST (.bin)";
    if head.starts_with(b"\x93NUMPY") {
        return Err(format!("a .npy array, not events; {KNOWN}"));
    }
    if head.starts_with(b"#!AER-DAT") {
        let version: String = head[9..].iter().take_while(|b| **b > b' ').map(|b| char::from(*b)).collect();
        return Err(format!("an AEDAT {} recording, which is not read; {KNOWN}", version.trim_start_matches('-')));
    }
    let mut evt2 = Evt2::new();
    let events = evt2.events(head).count();
    match evt2.header().encoding() {
        Some(Encoding::Evt2) => return Ok(Format::Evt2),
        Some(_) => return Err(format!("its header names another format than EVT2; {KNOWN}")),
        None => {}
    }
    if head.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) {
        return Err(format!("text, not events; {KNOWN}"));
    }
    // Without a header that says so: nearly all of it must make sense.
    let sensible = |skipped: Skipped| skipped.bytes() * 16 < head.len() as u64;
    if events > 0 && sensible(evt2.skipped()) {
        return Ok(Format::Evt2);
    }
    let (mut nmnist, mut events, mut last) = (NMnist::new(), 0, 0);
    let ordered = nmnist.events(head).all(|event| {
        events += 1;
        std::mem::replace(&mut last, event.t) <= event.t
    });
    // Many in order are no chance, even where the last word is cut.
    if ordered && last > 0 && sensible(nmnist.skipped()) && (bytes.is_multiple_of(5) || events >= 32) {
        return Ok(Format::NMnist);
    }
    Err(format!("of no format that is known; {KNOWN}; of a damaged one, name the format (--format)"))
}

/// The events of a [`Recording`], in the order of the file.
pub struct Events {
    path: PathBuf,
    file: File,
    decoder: Box<dyn Decode>,
    bytes: Vec<u8>,
    unread: std::ops::Range<usize>,
    events: Vec<Event>,
    decoded: std::ops::Range<usize>,
    position: u64,
    ended: bool,
}

impl Events {
    /// Bytes of the file read so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// What was skipped so far, and why.
    pub fn skipped(&self) -> Skipped {
        self.decoder.skipped()
    }

    /// Size of the sensor, when the header has told it: before the first event.
    pub fn geometry(&self) -> Option<Geometry> {
        self.decoder.geometry()
    }

    /// Decodes more events; false at the end of the file.
    fn refill(&mut self) -> Result<bool> {
        loop {
            let mut rest = self.bytes.get(self.unread.clone()).unwrap_or(&[]);
            let decoded = self.decoder.fill(&mut rest, &mut self.events);
            self.unread.start = self.unread.end - rest.len();
            self.decoded = 0..decoded;
            if decoded > 0 {
                return Ok(true);
            }
            let read = loop {
                match self.file.read(&mut self.bytes) {
                    Ok(read) => break read,
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(source) => return Err(Error::Io { path: self.path.clone(), source }),
                }
            };
            if read == 0 {
                self.decoder.finish();
                return Ok(false);
            }
            self.position += read as u64;
            self.unread = 0..read;
        }
    }
}

impl Iterator for Events {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Result<Event>> {
        if self.decoded.is_empty() {
            if self.ended {
                return None;
            }
            match self.refill() {
                Ok(true) => {}
                Ok(false) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        let event = self.decoded.next().and_then(|i| self.events.get(i).copied());
        event.map(Ok)
    }
}
