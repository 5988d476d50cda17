//! The filters that are compared, and the settings of each curve.

use foveola::{Geometry, Result};
use foveola_core::Error;
use foveola_core::events::filters::{DoubleWindow, EventStage, Neighbours, Refractory, Restart, RowColumn, Stcf};

/// Filters in series.
pub type Chain = Vec<EventStage<'static>>;

/// A filter, or a chain of filters, with one varied setting.
#[derive(Clone, Copy)]
pub struct Contestant {
    /// The name.
    pub name: &'static str,
    /// The varied setting.
    pub varied: Varied,
    build: fn(Geometry, u32) -> Result<Chain, Error>,
}

/// The varied setting of a [`Contestant`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Varied {
    /// A time in microseconds.
    Time,
    /// A distance in pixels.
    Distance,
}

impl Varied {
    /// The name, with the unit of the settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Time => "time in us",
            Self::Distance => "distance in pixels",
        }
    }

    /// The settings, in order: four per decade from 100 us to 1 s, or distances up to a third of a small sensor's side.
    pub fn settings(self) -> &'static [u32] {
        match self {
            Self::Time => &[
                100, 178, 316, 562, 1_000, 1_778, 3_162, 5_623, 10_000, 17_783, 31_623, 56_234, 100_000, 177_828,
                316_228, 562_341, 1_000_000,
            ],
            Self::Distance => &[1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 96],
        }
    }
}

impl Contestant {
    /// The filters at one setting.
    ///
    /// # Errors
    /// [`Error`](foveola::Error) of the filters.
    pub fn chain(&self, geometry: Geometry, setting: u32) -> Result<Chain> {
        (self.build)(geometry, setting).map_err(|source| foveola::Error::Layer { layer: self.name.into(), source })
    }
}

/// Support by `K` of `OF` (4 or 8) neighbours.
fn stcf<const K: u32, const OF: u32>(geometry: Geometry, tau: u32) -> Result<Chain, Error> {
    let neighbours = if OF == 4 { Neighbours::Four } else { Neighbours::Eight };
    Ok(vec![EventStage::Stcf(Stcf::new(geometry, neighbours, K, tau)?)])
}

/// Support by `K` nearby events in two windows of `LENGTH` events.
fn double_window<const LENGTH: u16, const K: u32>(_: Geometry, distance: u32) -> Result<Chain, Error> {
    let distance = u16::try_from(distance).unwrap_or(u16::MAX);
    Ok(vec![EventStage::DoubleWindow(DoubleWindow::new(LENGTH, distance, K)?)])
}

fn row_column(geometry: Geometry, tau: u32) -> Result<Chain, Error> {
    Ok(vec![EventStage::RowColumn(RowColumn::new(geometry, tau)?)])
}

fn refractory(geometry: Geometry, dead: u32) -> Result<Chain, Error> {
    Ok(vec![EventStage::Refractory(Refractory::new(geometry, dead, Restart::Kept)?)])
}

/// Support by an event that was itself supported.
fn twice(geometry: Geometry, tau: u32) -> Result<Chain, Error> {
    Ok([stcf::<1, 8>(geometry, tau)?, stcf::<1, 8>(geometry, tau)?].concat())
}

/// Correlation after a refractory period of 1 ms.
fn rested(geometry: Geometry, tau: u32) -> Result<Chain, Error> {
    Ok([refractory(geometry, 1_000)?, stcf::<2, 8>(geometry, tau)?].concat())
}

/// The filters that are compared: spatio-temporal correlation with 1 to 4 of 8 and of 4 neighbours, filters for boards with
/// little memory, a refractory period, and two chains.
pub fn contestants() -> Vec<Contestant> {
    let time = |name, build| Contestant { name, varied: Varied::Time, build };
    let distance = |name, build| Contestant { name, varied: Varied::Distance, build };
    vec![
        time("STCF k=1 of 8", stcf::<1, 8>),
        time("STCF k=2 of 8", stcf::<2, 8>),
        time("STCF k=3 of 8", stcf::<3, 8>),
        time("STCF k=4 of 8", stcf::<4, 8>),
        time("row-column", row_column),
        distance("double window of 36", double_window::<36, 1>),
        distance("double window of 200", double_window::<200, 2>),
        time("refractory", refractory),
        time("STCF k=1 of 4", stcf::<1, 4>),
        time("STCF k=2 of 4", stcf::<2, 4>),
        time("STCF k=3 of 4", stcf::<3, 4>),
        time("STCF k=4 of 4", stcf::<4, 4>),
        time("STCF k=1 twice", twice),
        time("1 ms rest, STCF k=2", rested),
    ]
}
