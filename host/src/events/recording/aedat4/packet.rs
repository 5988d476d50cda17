//! A packet of AEDAT 4: a `FlatBuffer` after its size, compressed or not.

use super::codecs::Codecs;
use super::flatbuffer::Table;

/// The largest packet in the file in bytes: two million events; cameras send a few thousand.
pub(super) const MOST_PACKED: usize = 32 << 20;
/// Bytes per event: `i64 t, i16 x, i16 y, u8 on`, and 3 unused.
pub(super) const EVENT: usize = 16;

const LZ4: [u8; 4] = [0x04, 0x22, 0x4D, 0x18];
const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// The content of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Events, in these bytes of [`Unpacker::bytes`].
    Events(std::ops::Range<usize>),
    /// Frames, samples of other sensors, triggers.
    Other,
}

/// The compression of a packet, by its first 12 bytes: each method has its own number, and a plain `FlatBuffer` has an
/// identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Lz4,
    Zstd,
}

impl Compression {
    /// The compression of a packet of `size` bytes that begins with `head`.
    pub(super) fn of(head: &[u8; 12], size: usize) -> Option<Self> {
        let [a, b, c, d, _, _, _, _, identifier @ ..] = *head;
        match [a, b, c, d] {
            LZ4 => Some(Self::Lz4),
            ZSTD => Some(Self::Zstd),
            len if u32::from_le_bytes(len) as usize + 4 == size && identifier.iter().all(u8::is_ascii_uppercase) => {
                Some(Self::None)
            }
            _ => None,
        }
    }
}

/// Unpacks packets one after another, with reused memory.
#[derive(Default)]
pub(super) struct Unpacker {
    codecs: Codecs,
    bytes: Vec<u8>,
}

impl Unpacker {
    /// Unpacked bytes of the last packet.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Unpacks a packet; none if it is damaged.
    pub(super) fn unpack(&mut self, packed: &[u8]) -> Option<Content> {
        self.bytes.clear();
        match Compression::of(packed.first_chunk()?, packed.len())? {
            Compression::None => self.bytes.extend_from_slice(packed),
            Compression::Lz4 => self.codecs.lz4(packed, &mut self.bytes)?,
            Compression::Zstd => self.codecs.zstd(packed, &mut self.bytes)?,
        }
        let (size, buffer) = self.bytes.split_first_chunk()?;
        if u32::from_le_bytes(*size) as usize != buffer.len() {
            return None;
        }
        if buffer.get(4..8)? != b"EVTS" {
            return Some(Content::Other);
        }
        // A packet without events may omit the vector.
        let events = Table::root(buffer, b"EVTS")?.vector(0, EVENT).unwrap_or_default();
        // Times and coordinates are signed, but must not be negative.
        let structs = buffer.get(events.clone())?.as_chunks::<EVENT>().0;
        let signs = structs.iter().fold(0, |signs, event| signs | event[7] | event[9] | event[11]);
        (signs & 0x80 == 0).then_some(Content::Events(4 + events.start..4 + events.end))
    }
}
