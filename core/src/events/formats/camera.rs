//! Cameras of jAER and cAER, by the names that AEDAT headers give them, and the addresses of their pixels in AEDAT 2.

use crate::events::Geometry;

/// A camera with jAER's addresses: the only information about the geometry in an AEDAT header.
///
/// ```
/// use foveola_core::events::{Camera, Geometry};
/// let camera = Camera::named(b"eu.seebetter.ini.chips.davis.Davis346blue");
/// assert_eq!(camera.geometry(), Some(Geometry { cols: 346, rows: 260 }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Camera {
    /// DVS128 and its predecessor Tmpdiff128.
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
    /// jAER's DVS640, which the simulator v2e writes for 640 x 480 pixels.
    Dvs640,
    /// Any other: its addresses are not known.
    Unknown,
}

/// The meaning of an AEDAT 2 address for a camera: see [`Camera::word`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CameraWord {
    /// An event of the pixel in this column and row, counted from the upper left as in [`Event`](crate::events::Event).
    Pixel {
        /// Column.
        x: u16,
        /// Row.
        y: u16,
        /// Polarity.
        on: bool,
    },
    /// An event outside the sensor.
    Outside,
    /// Not a pixel event: a sample of a frame, an external or an inertial event.
    Other,
    /// It has bits that no word of this camera has.
    Impossible,
}

impl Camera {
    /// The known cameras and their short names.
    pub const KNOWN: [(&'static str, Self); 7] = [
        ("dvs128", Self::Dvs128),
        ("davis128", Self::Davis128),
        ("davis208", Self::Davis208),
        ("davis240", Self::Davis240),
        ("davis346", Self::Davis346),
        ("davis640", Self::Davis640),
        ("dvs640", Self::Dvs640),
    ];

    /// The camera whose name is in `text`, in upper or lower case.
    pub fn named(text: &[u8]) -> Self {
        let has = |name: &[u8]| text.windows(name.len()).any(|part| part.eq_ignore_ascii_case(name));
        let known = Self::KNOWN.into_iter().find(|(name, _)| has(name.as_bytes()));
        match known {
            Some((_, camera)) => camera,
            None if has(b"tmpdiff128") => Self::Dvs128,
            None => Self::Unknown,
        }
    }

    /// The short name.
    pub fn name(self) -> &'static str {
        Self::KNOWN.into_iter().find(|(_, camera)| *camera == self).map_or("unknown", |(name, _)| name)
    }

    /// Size of the sensor.
    pub const fn geometry(self) -> Option<Geometry> {
        let (cols, rows) = match self {
            Self::Dvs128 | Self::Davis128 => (128, 128),
            Self::Davis208 => (208, 192),
            Self::Davis240 => (240, 180),
            Self::Davis346 => (346, 260),
            Self::Davis640 | Self::Dvs640 => (640, 480),
            Self::Unknown => return None,
        };
        Some(Geometry { cols, rows })
    }

    /// Bits that are 0 in the address of a pixel, though they may be set in other words of this camera. A decoder
    /// ignores them; they help to distinguish cameras.
    pub const fn spare_bits(self) -> u32 {
        match self {
            Self::Dvs128 | Self::Dvs640 | Self::Unknown => 0,
            _ => 0x3FF, // a frame's sample
        }
    }

    /// The meaning of an AEDAT 2 address for this camera; see the [format](super::aedat2).
    ///
    /// ```
    /// use foveola_core::events::{Camera, CameraWord};
    /// let address = 2 << 22 | 3 << 12 | 1 << 11;
    /// assert_eq!(Camera::Davis240.word(address), CameraWord::Pixel { x: 236, y: 177, on: true });
    /// assert_eq!(Camera::Davis240.word(address | 1 << 31), CameraWord::Other);
    /// assert_eq!(Camera::Dvs128.word(address), CameraWord::Impossible);
    /// ```
    #[inline]
    pub const fn word(self, address: u32) -> CameraWord {
        let Some(Geometry { cols, rows }) = self.geometry() else { return CameraWord::Other };
        let (x, y, on) = match self {
            Self::Dvs128 => {
                if address >> 15 != 0 {
                    return if address >> 16 == 0 { CameraWord::Other } else { CameraWord::Impossible };
                }
                (address >> 1 & 0x7F, address >> 8 & 0x7F, address & 1 == 0)
            }
            Self::Dvs640 => {
                if address >> 21 != 0 {
                    return CameraWord::Impossible;
                }
                (address >> 1 & 0x3FF, address >> 11 & 0x3FF, address & 1 == 1)
            }
            _ => {
                if address & (1 << 31 | 1 << 10) != 0 {
                    return CameraWord::Other;
                }
                (address >> 12 & 0x3FF, address >> 22 & 0x1FF, address >> 11 & 1 == 1)
            }
        };
        // Counted from the lower right.
        match ((cols as u32).checked_sub(x + 1), (rows as u32).checked_sub(y + 1)) {
            (Some(x), Some(y)) => CameraWord::Pixel { x: x as u16, y: y as u16, on },
            _ => CameraWord::Outside,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_find_their_camera() {
        for (text, camera) in [
            (&b"ch.unizh.ini.jaer.chip.retina.DVS128"[..], Camera::Dvs128),
            (b"Tmpdiff128", Camera::Dvs128),
            (b"DAVIS240C", Camera::Davis240),
            (b"ch.unizh.ini.jaer.chip.retina.DVS640", Camera::Dvs640),
            (b"Davis640", Camera::Davis640),
            (b"Cochlea", Camera::Unknown),
        ] {
            assert_eq!(Camera::named(text), camera, "{}", text.escape_ascii());
        }
        for (name, camera) in Camera::KNOWN {
            assert_eq!((Camera::named(name.as_bytes()), camera.name()), (camera, name));
        }
    }

    #[test]
    fn addresses_are_where_the_table_says() {
        use CameraWord::{Impossible, Other, Outside};
        let corner = |on| CameraWord::Pixel { x: 0, y: 0, on };
        let cases = [
            (Camera::Dvs128, 127 << 8 | 127 << 1, corner(true)),
            (Camera::Dvs128, 1 << 15, Other),
            (Camera::Dvs128, 1 << 16, Impossible),
            (Camera::Davis240, 179 << 22 | 239 << 12 | 1 << 11, corner(true)),
            (Camera::Davis240, 179 << 22 | 239 << 12, corner(false)),
            (Camera::Davis240, 180 << 22, Outside),
            (Camera::Davis240, 240 << 12, Outside),
            (Camera::Davis240, 1 << 10, Other),
            (Camera::Dvs640, 479 << 11 | 639 << 1 | 1, corner(true)),
            (Camera::Dvs640, 480 << 11, Outside),
            (Camera::Dvs640, 640 << 1, Outside),
            (Camera::Dvs640, 1 << 21, Impossible),
            (Camera::Unknown, 7, Other),
        ];
        for (camera, address, expected) in cases {
            assert_eq!(camera.word(address), expected, "{camera:?}, {address:#x}");
        }
    }
}
