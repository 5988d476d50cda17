//! Decompression of packets, with reused memory.

use lz4_flex::frame::FrameDecoder;
use std::io::{BufRead, Cursor, Read};

/// The largest unpacked packet in bytes: four million events; cameras send a few thousand.
pub(super) const MOST_UNPACKED: usize = 64 << 20;

/// The decoders of LZ4 and Zstandard.
#[derive(Default)]
pub(super) struct Codecs {
    lz4: Option<FrameDecoder<Cursor<Vec<u8>>>>,
    zstd: Option<ruzstd::decoding::FrameDecoder>,
}

impl Codecs {
    /// Unpacks an LZ4 frame; none if it is damaged.
    pub(super) fn lz4(&mut self, packed: &[u8], bytes: &mut Vec<u8>) -> Option<()> {
        // A decoder is not reused after an error.
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
            if bytes.len() + block.len() > MOST_UNPACKED {
                return None;
            }
            bytes.extend_from_slice(block);
            let len = block.len();
            decoder.consume(len);
        }
        // Bytes after the end of the frame belong to another packet: the size is damaged.
        if decoder.get_ref().position() != packed.len() as u64 {
            return None;
        }
        self.lz4 = Some(decoder);
        Some(())
    }

    /// Unpacks a Zstandard frame; none if it is damaged.
    pub(super) fn zstd(&mut self, mut packed: &[u8], bytes: &mut Vec<u8>) -> Option<()> {
        let mut decoder = self.zstd.take().unwrap_or_else(|| {
            let mut decoder = ruzstd::decoding::FrameDecoder::new();
            decoder.set_max_window_size(MOST_UNPACKED as u64);
            decoder
        });
        let mut stream = ruzstd::decoding::StreamingDecoder::new_with_decoder(&mut packed, &mut decoder).ok()?;
        let read = stream.by_ref().take(MOST_UNPACKED as u64 + 1).read_to_end(bytes).ok()?;
        if read > MOST_UNPACKED || !packed.is_empty() {
            return None;
        }
        self.zstd = Some(decoder);
        Some(())
    }
}
