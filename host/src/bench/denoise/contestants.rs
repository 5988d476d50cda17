//! The filters that are compared, and the settings that make a curve of each.

use crate::{Geometry, Result};
use foveola_core::Error;
use foveola_core::events::EventFilter;
use foveola_core::events::filters::{Neighbours, Refractory, Restart, Stcf};

/// Filters one behind the other.
pub type Chain = Vec<Box<dyn EventFilter + Send + Sync>>;

/// A filter, or a chain of them, with one setting that is varied.
#[derive(Clone, Copy)]
pub struct Contestant {
    /// Its name.
    pub name: &'static str,
    /// What is varied.
    pub varied: Varied,
    build: fn(Geometry, u32) -> Result<Chain, Error>,
}

/// What is varied in a [`Contestant`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Varied {
    /// A time in microseconds.
    Time,
    /// A distance in pixels.
    Distance,
}

impl Varied {
    /// The settings, in order: three times a decade from 100 us to 1 s, or distances up to that of a small sensor's side.
    pub fn settings(self) -> &'static [u32] {
        match self {
            Self::Time => {
                &[100, 215, 464, 1_000, 2_154, 4_642, 10_000, 21_544, 46_416, 100_000, 215_443, 464_159, 1_000_000]
            }
            Self::Distance => &[1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128],
        }
    }
}

impl Contestant {
    /// The filters at one setting.
    ///
    /// # Errors
    /// [`Error`](crate::Error) of the filters.
    pub fn chain(&self, geometry: Geometry, setting: u32) -> Result<Chain> {
        (self.build)(geometry, setting).map_err(|source| crate::Error::Layer { layer: self.name.into(), source })
    }
}

/// `k` of 4 or 8 neighbours.
fn stcf<const K: u32, const OF: u32>(geometry: Geometry, tau: u32) -> Result<Chain, Error> {
    let neighbours = if OF == 4 { Neighbours::Four } else { Neighbours::Eight };
    Ok(vec![Box::new(Stcf::new(geometry, neighbours, K, tau)?)])
}

/// The filters that are compared: of spatio-temporal correlation with 1 to 4 of 4 and of 8 neighbours, and others.
pub fn contestants() -> Vec<Contestant> {
    let time = |name, build| Contestant { name, varied: Varied::Time, build };
    vec![
        time("STCF k=1 of 8", stcf::<1, 8>),
        time("STCF k=2 of 8", stcf::<2, 8>),
        time("STCF k=3 of 8", stcf::<3, 8>),
        time("STCF k=4 of 8", stcf::<4, 8>),
        time("STCF k=1 of 4", stcf::<1, 4>),
        time("STCF k=2 of 4", stcf::<2, 4>),
        time("STCF k=3 of 4", stcf::<3, 4>),
        time("STCF k=4 of 4", stcf::<4, 4>),
        time("refractory", |geometry, dead| Ok(vec![Box::new(Refractory::new(geometry, dead, Restart::Kept)?)])),
        time("refractory, STCF k=2", |geometry, tau| {
            let rest = Refractory::new(geometry, 1_000, Restart::Kept)?;
            Ok(vec![Box::new(rest), Box::new(Stcf::new(geometry, Neighbours::Eight, 2, tau)?)])
        }),
        time("STCF k=1, STCF k=1", |geometry, tau| {
            let filter = Stcf::new(geometry, Neighbours::Eight, 1, tau)?;
            Ok(vec![Box::new(filter), Box::new(filter)])
        }),
    ]
}
