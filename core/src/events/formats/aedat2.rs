//! AEDAT 2.0 of jAER: lines `# text`, then big-endian words of 64 bits: an address, and a time in microseconds.
//!
//! | camera | event | y | x | polarity | others |
//! |---|---|---|---|---|---|
//! | DVS128 | bit 15 = 0 | 14..8 | 7..1 | bit 0, **0 is ON** | bit 15: external |
//! | DAVIS | bits 31, 10 = 0 | 30..22 | 21..12 | bit 11, 1 is ON | bit 31: frames; bit 10: external, inertial |
//! | DVS640 | all | 20..11 | 10..1 | bit 0, 1 is ON | |
//!
//! DVS640 is what the simulator v2e writes for 640 x 480 pixels. The other words are skipped and counted as
//! [`Skipped::other`](crate::events::Skipped::other). A word is impossible if it sets bits that are 0 in all words of a
//! camera. An event outside the sensor of a DAVIS or a DVS640, at a time that continues from the last one, is counted
//! as [`Skipped::outside`](crate::events::Skipped::outside).
//!
//! **Camera**: the one that the caller names ([`Aedat2::with_camera`]), else that of the header's `AEChip`, else
//! DVS128. jAER wrote no such line for its recordings, but other programs leave it out, too: [`Camera::word`] tells
//! which cameras the words may come from. All words of an unknown camera are counted as other.
//!
//! **Conventions**: jAER's origin is at the lower left and it shows the sensor mirrored. Here row 0 is at the top and
//! column 0 at the left of the picture that jAER shows: `x = cols - 1 - x`, `y = rows - 1 - y`. The manufacturer's
//! table gives DVS128's ON as 1. jAER, which wrote the files, takes 0 for ON there, as its documentation says of the
//! predecessor Tmpdiff128; DAVIS has 1 for ON in both. These are decisions: no recording of known content was available
//! to verify them. v2e mirrors both axes and has 1 for ON.
//!
//! Lines come first; they end where seven bytes after a `#` are not text. `#!AER-DA` among the words begins another
//! recording.
//!
//! **Time, damage, cost**: as in [`stamped`](super::stamped).
//! Reference: iniVation, "AEDAT 2.0"; jAER, documentation of `Tmpdiff128.Extractor`; v2e, `v2ecore/output/aedat2_output.py`.

use super::frame::Start;
use super::stamped::{Address, Stamped, WORD};
use super::{Camera, CameraWord};
use crate::events::{Geometry, Header};

/// The beginning of a recording.
const MAGIC: [u8; WORD] = *b"#!AER-DA";

/// Streaming decoder of AEDAT 2; see the [format](self).
///
/// ```
/// use foveola_core::events::{Aedat2, Decode, Event, Geometry};
/// let mut decoder = Aedat2::new();
/// let text = b"#!AER-DAT2.0\r\n# AEChip: ch.unizh.ini.jaer.chip.retina.DVS128\r\n";
/// let recording = [&text[..], &[0, 0, 2, 6, 0, 0, 1, 0]].concat();
/// let events: Vec<_> = decoder.events(&recording).collect();
/// assert_eq!(events, [Event { t: 256, x: 127 - 3, y: 127 - 2, on: true }]);
/// assert_eq!(decoder.geometry(), Some(Geometry { cols: 128, rows: 128 }));
/// ```
pub type Aedat2 = Stamped<Aedat2Address>;

/// Addresses of AEDAT 2.
#[derive(Clone, Debug)]
pub struct Aedat2Address {
    /// Named by the caller.
    named: Option<Camera>,
    camera: Camera,
}

impl Aedat2 {
    /// At the start of a recording, whose header tells the camera, or else a DVS128.
    pub const fn new() -> Self {
        Self::of(Aedat2Address { named: None, camera: Camera::Dvs128 })
    }

    /// At the start of a recording by a known camera, whatever its header says.
    pub const fn with_camera(camera: Camera) -> Self {
        Self::of(Aedat2Address { named: Some(camera), camera })
    }
}

impl Default for Aedat2 {
    fn default() -> Self {
        Self::new()
    }
}

impl Default for Aedat2Address {
    fn default() -> Self {
        Self { named: None, camera: Camera::Dvs128 }
    }
}

impl Address for Aedat2Address {
    #[inline]
    fn split([a, b, c, d, e, f, g, h]: [u8; WORD]) -> (u32, u32) {
        (u32::from_be_bytes([e, f, g, h]), u32::from_be_bytes([a, b, c, d]))
    }

    fn start(&mut self, first: &[u8], header: &Header) -> Start {
        let is_text = |byte: &u8| matches!(byte, b'\t' | b'\r' | b'\n' | b' '..=b'~');
        let kind = match first {
            [b'#', .., b'\n'] => Start::Line,
            [b'#', text @ ..] if text.iter().all(is_text) && first.len() < WORD => Start::Open,
            [b'#', text @ ..] if text.iter().all(is_text) => Start::Line,
            _ => Start::Words(0),
        };
        self.camera = self.named.or(header.camera()).unwrap_or(Camera::Dvs128);
        kind
    }

    #[inline]
    fn is_text(&self, word: [u8; WORD]) -> bool {
        word == MAGIC
    }

    #[inline]
    fn is_possible(&self, address: u32) -> bool {
        matches!(self.camera.word(address), CameraWord::Pixel { .. } | CameraWord::Other)
    }

    fn is_outside(&self, address: u32) -> bool {
        self.camera.word(address) == CameraWord::Outside
    }

    fn is_likely(&self, address: u32, _: Option<Geometry>) -> bool {
        self.is_possible(address)
    }

    fn is_certain(&self, address: u32, _: Option<Geometry>) -> bool {
        self.pixel(address).is_some() && address & self.camera.spare_bits() == 0
    }

    fn geometry(&self, header: &Header) -> Option<Geometry> {
        self.named.map_or(header.geometry(), Camera::geometry)
    }

    #[inline]
    fn pixel(&self, address: u32) -> Option<(u16, u16, bool)> {
        match self.camera.word(address) {
            CameraWord::Pixel { x, y, on } => Some((x, y, on)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::events::{Decode, Event, Skipped};
    use std::vec::Vec;

    fn decode(mut decoder: Aedat2, bytes: &[u8]) -> (Vec<Event>, Skipped) {
        let events = decoder.events(bytes).collect();
        decoder.finish();
        (events, decoder.skipped())
    }

    #[test]
    fn bits_are_where_the_table_says() {
        // Bit 0 is 1: OFF. Column 127 and row 1 of the sensor.
        let dvs = [0, 0, 0x01, 0xFF, 0x00, 0x00, 0x01, 0x02, 0, 0, 0x80, 0x00, 0x00, 0x00, 0x01, 0x03];
        let (events, skipped) = decode(Aedat2::new(), &dvs);
        assert_eq!(events, [Event { t: 258, x: 0, y: 126, on: false }]);
        assert_eq!(skipped, Skipped { other: 8, ..Skipped::default() }, "an external event");

        // Row 2, column 3, ON of a DAVIS346; a frame's sample; an external event.
        let davis = [
            [0x00, 0x80, 0x38, 0x00, 0, 0, 0, 9],
            [0x80, 0x80, 0x38, 0x00, 0, 0, 0, 9],
            [0x00, 0x80, 0x3C, 0x00, 0, 0, 0, 9],
        ];
        let (events, skipped) = decode(Aedat2::with_camera(Camera::Davis346), davis.as_flattened());
        assert_eq!(events, [Event { t: 9, x: 346 - 1 - 3, y: 260 - 1 - 2, on: true }]);
        assert_eq!(skipped, Skipped { other: 16, ..Skipped::default() });
    }

    #[test]
    fn the_header_ends_where_data_begins() {
        let lines = &b"#!AER-DAT2.0\r\n#\r\n# x\r\n# AEChip: eu.seebetter.ini.chips.davis.Davis240C\r\n"[..];
        // Row 141, whose first byte is a #; the next two are text as well.
        let data = [0x23, 0x40, 0x20, 0x00, 0, 0, 0, 1];
        let (events, skipped) = decode(Aedat2::new(), &[lines, &data].concat());
        assert_eq!(events, [Event { t: 1, x: 240 - 1 - 2, y: 180 - 1 - 141, on: false }]);
        assert_eq!(skipped, Skipped::default());
        let (events, skipped) = decode(Aedat2::new(), &[lines, &data, lines, &data].concat());
        assert_eq!((events.len(), skipped), (2, Skipped::default()), "joined recordings");
    }

    /// The camera that is given determines the size, whatever the header says.
    #[test]
    fn the_size_is_that_of_the_camera() {
        let text = b"#!AER-DAT2.0\r\n# AEChip: eu.seebetter.ini.chips.davis.Davis240C\r\n\0\0\0\x01\0\0\0\x02";
        let size = |mut decoder: Aedat2, bytes: &[u8]| {
            decoder.events(bytes).for_each(drop);
            decoder.geometry().map(|size| (size.cols, size.rows))
        };
        assert_eq!(size(Aedat2::new(), text), Some((240, 180)));
        assert_eq!(size(Aedat2::with_camera(Camera::Davis346), text), Some((346, 260)));
        assert_eq!(size(Aedat2::with_camera(Camera::Dvs640), &[]), Some((640, 480)));
        assert_eq!(size(Aedat2::new(), &[]), None);
    }

    #[test]
    fn an_unknown_camera_gives_no_events() {
        let (events, skipped) = decode(Aedat2::new(), b"#!AER-DAT2.0\r\n# AEChip: a.Cochlea\r\n\0\0\0\x01\0\0\0\x02");
        assert_eq!((events.len(), skipped), (0, Skipped { other: 8, ..Skipped::default() }));
    }
}
