//! The formats: one table, from which come their names, how they are recognised, what reads and what writes them.

use super::aedat4::{self, Aedat4};
use super::decoder::{Decoder, Watched};
use super::recognise;
use crate::Result;
use foveola_core::events::{Encoding, Evt2, NMnist};

/// A format of recordings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Prophesee EVT2.0 (`.raw`): [`Evt2`].
    Evt2,
    /// N-MNIST and N-Caltech101 (`.bin`): [`NMnist`].
    NMnist,
    /// iniVation AEDAT 4 (`.aedat4`).
    Aedat4,
}

/// A row of the table.
pub(super) struct Row {
    format: Format,
    name: &'static str,
    /// Endings of file names, the usual one first.
    extensions: &'static [&'static str],
    /// In words.
    about: &'static str,
    /// Whether a recording that begins like this says that it is one.
    pub(super) says: fn(&[u8]) -> bool,
    /// Whether one without a header looks like it. Rows are tried in order.
    pub(super) looks: fn(&recognise::Head<'_>) -> bool,
    decoder: fn() -> Box<dyn Decoder>,
}

/// All formats, those that are hard to mistake first.
pub(super) const TABLE: [Row; 3] = [
    Row {
        format: Format::Aedat4,
        name: "aedat4",
        extensions: &["aedat4"],
        about: "iniVation AEDAT 4",
        says: |head| head.starts_with(aedat4::MAGIC),
        looks: |_| false,
        decoder: || Box::new(Aedat4::new()),
    },
    Row {
        format: Format::Evt2,
        name: "evt2",
        extensions: &["raw"],
        about: "Prophesee EVT 2.0",
        says: |head| recognise::encoding(head) == Some(Encoding::Evt2),
        looks: |head| head.sensible(Evt2::new()),
        decoder: || Box::new(Watched::new(Evt2::new())),
    },
    Row {
        format: Format::NMnist,
        name: "nmnist",
        extensions: &["bin"],
        about: "N-MNIST, N-Caltech101",
        says: |_| false,
        looks: |head| head.nmnist(),
        decoder: || Box::new(Watched::new(NMnist::new())),
    },
];

impl Format {
    /// The formats and their names on the command line.
    pub const NAMES: [(&'static str, Self); TABLE.len()] = {
        let mut names = [("", Self::Evt2); TABLE.len()];
        let mut i = 0;
        while i < names.len() {
            names[i] = (TABLE[i].name, TABLE[i].format);
            i += 1;
        }
        names
    };

    /// The format called `name`.
    ///
    /// # Errors
    /// [`Error::Unknown`](crate::Error::Unknown) for another name.
    pub fn named(name: &str) -> Result<Self> {
        crate::names::find("format", &Self::NAMES, name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What it is, in words.
    pub fn about(self) -> &'static str {
        self.row().about
    }

    /// Endings of the names of its files, the usual one first.
    pub fn extensions(self) -> &'static [&'static str] {
        self.row().extensions
    }

    pub(super) fn decoder(self) -> Box<dyn Decoder> {
        (self.row().decoder)()
    }

    pub(super) fn row(self) -> &'static Row {
        const { &TABLE }.iter().find(|row| row.format == self).unwrap_or(const { &TABLE[0] })
    }
}

impl Row {
    pub(super) fn format(&self) -> Format {
        self.format
    }
}
