//! Cameras of jAER and cAER, by the names that AEDAT headers give them.

use crate::events::Geometry;

/// A camera with jAER's addresses: all that an AEDAT header tells of the geometry.
///
/// ```
/// use foveola_core::events::{Camera, Geometry};
/// let camera = Camera::named(b"eu.seebetter.ini.chips.davis.Davis346blue");
/// assert_eq!(camera.geometry(), Some(Geometry { cols: 346, rows: 260 }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Camera {
    /// DVS128 and its forerunner Tmpdiff128.
    Dvs128,
    /// DAVIS128.
    Davis128,
    /// DAVIS208.
    Davis208,
    /// DAVIS240 A, B, C.
    Davis240,
    /// DAVIS346.
    Davis346,
    /// DAVIS640.
    Davis640,
    /// Any other: its addresses are not known.
    Unknown,
}

impl Camera {
    /// The names that headers have inside theirs, in small letters.
    const NAMES: [(&'static [u8], Self); 7] = [
        (b"dvs128", Self::Dvs128),
        (b"tmpdiff128", Self::Dvs128),
        (b"davis128", Self::Davis128),
        (b"davis208", Self::Davis208),
        (b"davis240", Self::Davis240),
        (b"davis346", Self::Davis346),
        (b"davis640", Self::Davis640),
    ];

    /// The camera whose name is in `text`, in letters of either case.
    pub fn named(text: &[u8]) -> Self {
        let has = |name: &[u8]| text.windows(name.len()).any(|part| part.eq_ignore_ascii_case(name));
        Self::NAMES.into_iter().find(|(name, _)| has(name)).map_or(Self::Unknown, |(_, camera)| camera)
    }

    /// Size of its sensor.
    pub const fn geometry(self) -> Option<Geometry> {
        let (cols, rows) = match self {
            Self::Dvs128 | Self::Davis128 => (128, 128),
            Self::Davis208 => (208, 192),
            Self::Davis240 => (240, 180),
            Self::Davis346 => (346, 260),
            Self::Davis640 => (640, 480),
            Self::Unknown => return None,
        };
        Some(Geometry { cols, rows })
    }
}
