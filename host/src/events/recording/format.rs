//! The formats: one table with their names, detection, decoders and encoders.

use super::ReadOptions;
use super::aedat4::{self, Aedat4};
use super::assumption::Assumption;
use super::camera;
use super::csv::{self, Csv};
use super::decoder::{Decoder, Watched};
use super::encoders::{self, NewEncoder, WriteOptions};
use super::head::Head;
use super::npy::{self, Npy};
use super::npz;
use super::seek::Places;
use super::text_header;
use super::word_order;
use crate::{Error, Result};
use foveola_core::events::{Aedat2, Aedat31, Dat, Decode, Encoding, EventStream, Evt2, Evt3, Evt21, NMnist};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// A format of recordings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Prophesee EVT 2.0 (`.raw`): [`Evt2`].
    Evt2,
    /// Prophesee EVT 2.1 (`.raw`): [`Evt21`].
    Evt21,
    /// Prophesee EVT 3.0 (`.raw`): [`Evt3`].
    Evt3,
    /// Prophesee DAT 2 (`.dat`): [`Dat`].
    Dat,
    /// N-MNIST and N-Caltech101 (`.bin`): [`NMnist`].
    NMnist,
    /// jAER AEDAT 2 (`.aedat`): [`Aedat2`].
    Aedat2,
    /// cAER AEDAT 3.1 (`.aedat`): [`Aedat31`].
    Aedat31,
    /// Event Stream (`.es`): [`EventStream`].
    EventStream,
    /// iniVation AEDAT 4 (`.aedat4`).
    Aedat4,
    /// Text (`.csv`, `.txt`): one event per line.
    Csv,
    /// Events in a `NumPy` array (`.npy`).
    Npy,
    /// Events in an archive of `NumPy` arrays (`.npz`).
    Npz,
}

/// Builds a decoder of a recording that begins with these bytes.
type NewDecoder = fn(&[u8], &ReadOptions) -> Result<Box<dyn Decoder>, String>;

/// A row of the table.
pub(super) struct Row {
    pub(super) format: Format,
    name: &'static str,
    /// File name extensions, the usual one first.
    extensions: &'static [&'static str],
    /// Description in words.
    about: &'static str,
    /// Whether the header of a recording that begins with these bytes identifies the format.
    pub(super) says: fn(&[u8]) -> bool,
    /// Whether a recording without a header looks like this format. Rows are tried in order.
    pub(super) looks: fn(&Head<'_>) -> bool,
    /// Number of bytes before the first word of a recording that begins with these bytes; none if they are longer.
    pub(super) front: fn(&[u8]) -> Option<usize>,
    decoder: NewDecoder,
    /// The positions where a decoder that has only read the header may start.
    pub(super) places: Places,
    /// The encoder, if the format can be written.
    pub(super) encoder: Option<NewEncoder>,
}

/// All formats: first those with a header, then those that must be guessed, the most certain guess first.
pub(super) const TABLE: [Row; 12] = [
    Row {
        format: Format::Evt2,
        name: "evt2",
        extensions: &["raw"],
        about: "Prophesee EVT 2.0",
        says: |head| text_header::encoding(head) == Some(Encoding::Evt2),
        looks: |head| head.sensible(Evt2::new()),
        front: Evt2::front,
        decoder: |_, _| watched(Evt2::new()),
        places: Places::Words { size: 4, wrap: 1 << 34 },
        encoder: Some(encoders::evt2),
    },
    Row {
        format: Format::Evt21,
        name: "evt21",
        extensions: &["raw"],
        about: "Prophesee EVT 2.1",
        says: |head| text_header::encoding(head) == Some(Encoding::Evt21),
        looks: |_| false, // it looks like EVT 2.0 too often
        front: Evt21::front,
        decoder: |head, options| assuming(word_order::decoder(head, options)?),
        places: Places::Words { size: 8, wrap: 1 << 34 },
        encoder: Some(encoders::evt21),
    },
    Row {
        format: Format::Evt3,
        name: "evt3",
        extensions: &["raw"],
        about: "Prophesee EVT 3.0",
        says: |head| text_header::encoding(head) == Some(Encoding::Evt3),
        looks: |_| false, // nearly all bytes are valid words of this format
        front: Evt3::front,
        decoder: |_, _| watched(Evt3::new()),
        places: Places::Start,
        encoder: Some(encoders::evt3),
    },
    Row {
        format: Format::Dat,
        name: "dat",
        extensions: &["dat"],
        about: "Prophesee DAT 2",
        says: text_header::says_dat,
        looks: |head| head.ordered(Dat::new()),
        front: Dat::front,
        decoder: |head, _| text_header::refused_dat(head).map_or_else(|| watched(Dat::new()), Err),
        places: Places::Words { size: 8, wrap: 1 << 32 },
        encoder: Some(encoders::dat),
    },
    Row {
        format: Format::NMnist,
        name: "nmnist",
        extensions: &["bin"],
        about: "N-MNIST, N-Caltech101",
        says: |_| false,
        looks: |head| head.nmnist(),
        front: |_| Some(0),
        decoder: |_, _| watched(NMnist::new()),
        places: Places::Start,
        encoder: Some(encoders::nmnist),
    },
    Row {
        format: Format::Aedat2,
        name: "aedat2",
        extensions: &["aedat", "dat"],
        about: "jAER AEDAT 2",
        says: |head| head.starts_with(b"#!AER-DAT2"),
        looks: |_| false,
        front: Aedat2::front,
        decoder: |head, options| assuming(camera::decoder(head, options)?),
        places: Places::Words { size: 8, wrap: 1 << 32 },
        encoder: None,
    },
    Row {
        format: Format::Aedat31,
        name: "aedat31",
        extensions: &["aedat"],
        about: "cAER AEDAT 3.1",
        says: |head| head.starts_with(b"#!AER-DAT3"),
        looks: |_| false,
        front: Aedat31::front,
        decoder: |_, _| watched(Aedat31::new()),
        places: Places::Start,
        encoder: None,
    },
    Row {
        format: Format::EventStream,
        name: "es",
        extensions: &["es"],
        about: "Event Stream 2",
        says: |head| head.starts_with(b"Event Stream"),
        looks: |_| false,
        front: |_| Some(0),
        decoder: |head, _| {
            let mut decoder = EventStream::new();
            decoder.events(head).next();
            match decoder.refused() {
                Some(why) => Err(format!("an Event Stream that is not read: {why}")),
                None => watched(EventStream::new()),
            }
        },
        places: Places::Start,
        encoder: Some(encoders::event_stream),
    },
    Row {
        format: Format::Aedat4,
        name: "aedat4",
        extensions: &["aedat4"],
        about: "iniVation AEDAT 4",
        says: |head| head.starts_with(aedat4::MAGIC),
        looks: |_| false,
        front: aedat4::front,
        decoder: |head, _| match Aedat4::without_events(head) {
            _ if cfg!(not(feature = "compression")) => {
                Err("AEDAT 4, which this build does not read: it needs the feature `compression`".into())
            }
            Some(streams) => {
                Err(format!("AEDAT 4 without events: it holds {streams}; expected a recording with events"))
            }
            None => Ok(Box::new(Aedat4::new())),
        },
        places: Places::Packets,
        encoder: None,
    },
    Row {
        format: Format::Npy,
        name: "npy",
        extensions: &["npy"],
        about: "NumPy array of events",
        says: |head| head.starts_with(crate::npy::header::MAGIC),
        looks: |_| false,
        front: npy::front,
        decoder: |head, options| Ok(Box::new(Npy::new(head, options.columns, options.unit)?)),
        places: Places::Records,
        encoder: Some(encoders::npy),
    },
    Row {
        format: Format::Npz,
        name: "npz",
        extensions: &["npz"],
        about: "NumPy archive of events",
        says: |head| head.starts_with(npz::MAGIC),
        looks: |_| false,
        front: npy::front,
        decoder: |head, options| Ok(Box::new(Npy::new(head, options.columns, options.unit)?)),
        places: Places::Start,
        encoder: None,
    },
    Row {
        format: Format::Csv,
        name: "csv",
        extensions: &["csv", "txt"],
        about: "text, an event a line",
        says: |_| false,
        looks: |head| {
            head.is_text() && csv::Layout::detect(head.bytes, head.options.columns, head.options.unit).is_ok()
        },
        front: text_header::lines,
        decoder: |head, options| Ok(Box::new(Csv::new(csv::Layout::detect(head, options.columns, options.unit)?))),
        places: Places::Start,
        encoder: Some(encoders::csv),
    },
];

fn watched(decoder: impl Decode + Clone + Send + 'static) -> Result<Box<dyn Decoder>, String> {
    assuming((decoder, Vec::new()))
}

fn assuming(
    (decoder, assumed): (impl Decode + Clone + Send + 'static, Vec<Assumption>),
) -> Result<Box<dyn Decoder>, String> {
    Ok(Box::new(Watched::new(decoder, assumed)))
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        crate::names::find("format", &Self::NAMES, name)
    }
}

impl Format {
    /// The formats and their names, as used by `Display` and `FromStr`.
    pub const NAMES: [(&'static str, Self); TABLE.len()] = {
        let mut names = [("", Self::Evt2); TABLE.len()];
        let mut i = 0;
        while i < names.len() {
            names[i] = (TABLE[i].name, TABLE[i].format);
            i += 1;
        }
        names
    };

    /// The name of the format.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The format in words.
    pub fn about(self) -> &'static str {
        self.row().about
    }

    /// File name extensions, the usual one first.
    pub fn extensions(self) -> &'static [&'static str] {
        self.row().extensions
    }

    /// Whether [`Events::seek`](crate::Events::seek) finds a time in a file by reading a few positions. Otherwise it reads
    /// from the start, since a word's time depends on the words before it.
    pub fn seeks(self) -> bool {
        !matches!(self.row().places, Places::Start)
    }

    /// The formats that [`EventWriter`](crate::EventWriter) writes.
    pub fn written() -> impl Iterator<Item = Self> {
        rows().iter().filter(|row| row.encoder.is_some()).map(|row| row.format)
    }

    /// Whether the header contains the sensor size, so that writing needs one.
    pub fn needs_geometry(self) -> bool {
        let written = |encoder: NewEncoder| encoder(None, &WriteOptions::default(), &mut Vec::new()).is_err();
        self.row().encoder.is_some_and(written)
    }

    /// The format for writing a file of this name, by its extension; if several have it, the first that can be written.
    ///
    /// ```
    /// assert_eq!(foveola::Format::by_name("events.csv"), Some(foveola::Format::Csv));
    /// ```
    pub fn by_name(path: impl AsRef<Path>) -> Option<Self> {
        let ending = path.as_ref().extension()?.to_str()?.to_ascii_lowercase();
        Self::written().find(|format| format.extensions().contains(&&ending[..]))
    }

    /// A decoder for a recording that begins with `head`.
    pub(super) fn decoder(self, head: &[u8], options: &ReadOptions) -> Result<Box<dyn Decoder>, String> {
        (self.row().decoder)(head, options)
    }

    pub(super) fn row(self) -> &'static Row {
        const FIRST: &Row = &TABLE[0];
        rows().iter().find(|row| row.format == self).unwrap_or(FIRST)
    }
}

/// The table.
pub(super) fn rows() -> &'static [Row] {
    const ROWS: &[Row] = &TABLE;
    ROWS
}
