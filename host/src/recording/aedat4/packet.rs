//! A packet of AEDAT 4: compressed, or not, a `FlatBuffer` behind its size.

use super::flatbuffer::Table;
use lz4_flex::frame::FrameDecoder;
use std::io::{BufRead, Cursor, Read};

/// Bytes of a packet in the file, and unpacked, at most: two and four million events, where cameras send some thousand.
pub(super) const MOST_PACKED: usize = 32 << 20;
pub(super) const MOST_UNPACKED: usize = 64 << 20;
/// Bytes of an event: `i64 t, i16 x, i16 y, u8 on`, and 3 unused.
pub(super) const EVENT: usize = 16;

const LZ4: [u8; 4] = [0x04, 0x22, 0x4D, 0x18];
const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// What a packet holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Events, in these bytes of [`Unpacker::bytes`].
    Events(std::ops::Range<usize>),
    /// Frames, samples of other sensors, triggers.
    Other,
}

/// How a packet is compressed, as far as its first 12 bytes tell: each method has a number of its own, and a bare
/// `FlatBuffer` has an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Lz4,
    Zstd,
}

impl Compression {
    /// Of a packet of `size` bytes that begins with `head`.
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

/// Unpacks packets, one after another, in the same memory.
#[derive(Default)]
pub(super) struct Unpacker {
    lz4: Option<FrameDecoder<Cursor<Vec<u8>>>>,
    zstd: Option<ruzstd::decoding::FrameDecoder>,
    bytes: Vec<u8>,
}

impl Unpacker {
    /// Unpacked bytes of the last packet.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Unpacks a packet; none when it is damaged.
    pub(super) fn unpack(&mut self, packed: &[u8]) -> Option<Content> {
        self.bytes.clear();
        match Compression::of(packed.first_chunk()?, packed.len())? {
            Compression::None => self.bytes.extend_from_slice(packed),
            Compression::Lz4 => self.lz4(packed)?,
            Compression::Zstd => self.zstd(packed)?,
        }
        let (size, buffer) = self.bytes.split_first_chunk()?;
        if u32::from_le_bytes(*size) as usize != buffer.len() {
            return None;
        }
        if buffer.get(4..8)? != b"EVTS" {
            return Some(Content::Other);
        }
        // A packet without events may leave them out.
        let events = Table::root(buffer, b"EVTS")?.vector(0, EVENT).unwrap_or_default();
        // Times and coordinates have a sign that none makes use of.
        let structs = buffer.get(events.clone())?.as_chunks::<EVENT>().0;
        let signs = structs.iter().fold(0, |signs, event| signs | event[7] | event[9] | event[11]);
        (signs & 0x80 == 0).then_some(Content::Events(4 + events.start..4 + events.end))
    }

    fn lz4(&mut self, packed: &[u8]) -> Option<()> {
        // A decoder that failed is not used again.
        let mut decoder = self.lz4.take().unwrap_or_else(|| FrameDecoder::new(Cursor::new(Vec::new())));
        let source = decoder.get_mut();
        source.set_position(0);
        source.get_mut().clear();
        source.get_mut().extend_from_slice(packed);
        loop {
            let block = decoder.fill_buf().ok()?;
            if block.is_empty() {
                break;
            }
            if self.bytes.len() + block.len() > MOST_UNPACKED {
                return None;
            }
            self.bytes.extend_from_slice(block);
            let len = block.len();
            decoder.consume(len);
        }
        // Bytes behind the frame's end belong to another packet: the size is damaged.
        if decoder.get_ref().position() != packed.len() as u64 {
            return None;
        }
        self.lz4 = Some(decoder);
        Some(())
    }

    fn zstd(&mut self, mut packed: &[u8]) -> Option<()> {
        let mut decoder = self.zstd.take().unwrap_or_else(|| {
            let mut decoder = ruzstd::decoding::FrameDecoder::new();
            decoder.set_max_window_size(MOST_UNPACKED as u64);
            decoder
        });
        let mut stream = ruzstd::decoding::StreamingDecoder::new_with_decoder(&mut packed, &mut decoder).ok()?;
        let read = stream.by_ref().take(MOST_UNPACKED as u64 + 1).read_to_end(&mut self.bytes).ok()?;
        if read > MOST_UNPACKED || !packed.is_empty() {
            return None;
        }
        self.zstd = Some(decoder);
        Some(())
    }
}
