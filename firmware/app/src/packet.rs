//! How results look on the wire. A reader that lost its place looks for the two first bytes and believes a packet whose checksum
//! is right.
//!
//! | bytes | what |
//! |---|---|
//! | 0, 1 | `0xF0 0x5E` |
//! | 2 | kind: 1 strongest locations, 2 status |
//! | 3 | n, bytes of the payload |
//! | 4 to 3 + n | payload |
//! | the last 2 | checksum of bytes 2 to 3 + n: CRC-16, polynomial 0x1021, from 0xFFFF on |
//!
//! Payload of **strongest locations**: number of the frame, start of the frame in microseconds, both modulo 2^32; then for each
//! location, the largest first: index `(channel * rows + row) * cols + col` (u16), value (f32). A number that is missing
//! is a frame that was dropped because the output was blocked. Payload of **status**: nine u32, in the order of
//! [`Counters::words`](crate::Counters::words). All numbers are little-endian.

use crate::Location;

/// Locations in a packet, at most.
pub const LOCATIONS: usize = 16;
/// Bytes of a packet, at most.
pub const BYTES: usize = HEAD + 8 + 6 * LOCATIONS + 2;
const HEAD: usize = 4;
const MARK: [u8; 2] = [0xF0, 0x5E];

/// What a packet holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The strongest locations of a frame.
    Strongest = 1,
    /// What was counted so far.
    Status = 2,
}

/// Bytes that are sent together.
///
/// ```
/// use foveola_app::{Location, Packet};
/// let packet = Packet::strongest(7, 3_000, &[Location { index: 65, value: 1.0 }]);
/// assert_eq!(packet.bytes()[..14], [0xF0, 0x5E, 1, 14, 7, 0, 0, 0, 0xB8, 0x0B, 0, 0, 65, 0]);
/// assert_eq!(packet.bytes().len(), 4 + 14 + 2);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    bytes: [u8; BYTES],
    len: u8,
}

impl Packet {
    /// The strongest locations of frame `number`, which began at `start` microseconds; no more than [`LOCATIONS`] of them.
    pub fn strongest(number: u32, start: u64, locations: &[Location]) -> Self {
        let mut packet = Self::begin(Kind::Strongest);
        packet.put(&number.to_le_bytes());
        packet.put(&(start as u32).to_le_bytes());
        for location in locations.iter().take(LOCATIONS) {
            packet.put(&location.index.to_le_bytes());
            packet.put(&location.value.to_le_bytes());
        }
        packet.end()
    }

    /// Counters.
    pub fn status(words: [u32; 9]) -> Self {
        let mut packet = Self::begin(Kind::Status);
        for word in words {
            packet.put(&word.to_le_bytes());
        }
        packet.end()
    }

    /// What goes over the wire.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&self.bytes)
    }

    fn begin(kind: Kind) -> Self {
        let mut packet = Self { bytes: [0; BYTES], len: 0 };
        packet.put(&MARK);
        packet.put(&[kind as u8, 0]);
        packet
    }

    fn end(mut self) -> Self {
        let payload = self.len.saturating_sub(HEAD as u8);
        if let Some(length) = self.bytes.get_mut(3) {
            *length = payload;
        }
        let sum = checksum(self.bytes().get(MARK.len()..).unwrap_or(&[]));
        self.put(&sum.to_le_bytes());
        self
    }

    fn put(&mut self, bytes: &[u8]) {
        for (to, from) in self.bytes.iter_mut().skip(usize::from(self.len)).zip(bytes) {
            *to = *from;
            self.len += 1; // `BYTES` at most, which is less than 256
        }
    }
}

/// CRC-16 with polynomial 0x1021 from 0xFFFF on, highest bit first.
///
/// ```
/// assert_eq!(foveola_app::packet::checksum(b"123456789"), 0x29B1);
/// ```
pub fn checksum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc: u16, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| crc << 1 ^ if crc >> 15 == 1 { 0x1021 } else { 0 })
    })
}
