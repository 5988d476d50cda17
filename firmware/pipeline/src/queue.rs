//! Bytes from an interrupt to the main loop, in blocks that arrive whole or not at all.
//!
//! An [`EventQueue`] of blocks: the sender never waits and counts what did not fit; the first block behind a gap says so,
//! so that the decoder looks for its place there and not somewhere later.
//!
//! Bytes sent = bytes received + bytes waiting + [`ByteReceiver::dropped`]. State: `BLOCKS` blocks of `BYTES` and 4 bytes
//! more each; one of them stays empty.

use core::sync::atomic::{AtomicU32, Ordering};
use foveola_core::events::{EventQueue, Receiver, Sender};

/// Up to `BYTES` bytes that arrived together.
#[derive(Clone, Copy, Debug)]
pub struct Block<const BYTES: usize> {
    bytes: [u8; BYTES],
    len: u16,
    follows_loss: bool,
}

impl<const BYTES: usize> Block<BYTES> {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&self.bytes)
    }

    /// Whether bytes before this block were dropped.
    pub const fn follows_loss(&self) -> bool {
        self.follows_loss
    }
}

/// The queue at rest: a constant to put into a static, then to [split](ByteQueue::split) once. `BYTES` is 1 to 65535, `BLOCKS` 2
/// or more: else it does not compile.
///
/// ```
/// use foveola_pipeline::ByteQueue;
/// let mut queue: ByteQueue<64, 3> = ByteQueue::new();
/// let (mut interrupt, mut main_loop) = queue.split();
/// assert_eq!(interrupt.send(&[1; 200]), 72); // two blocks fit; two, of 64 and 8 bytes, are dropped
/// assert_eq!(main_loop.receive().map(|block| (block.bytes().len(), block.follows_loss())), Some((64, false)));
/// assert_eq!(interrupt.send(&[2; 10]), 0);
/// assert_eq!(main_loop.receive().map(|block| block.follows_loss()), Some(false));
/// assert_eq!(main_loop.receive().map(|block| (block.bytes()[0], block.follows_loss())), Some((2, true)));
/// assert_eq!((main_loop.dropped(), main_loop.dropped_blocks()), (72, 2));
/// ```
#[derive(Debug)]
pub struct ByteQueue<const BYTES: usize, const BLOCKS: usize> {
    queue: EventQueue<Block<BYTES>, BLOCKS>,
    /// Written by the sender alone: a load and a store suffice.
    dropped: AtomicU32,
}

impl<const BYTES: usize, const BLOCKS: usize> Default for ByteQueue<BYTES, BLOCKS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const BYTES: usize, const BLOCKS: usize> ByteQueue<BYTES, BLOCKS> {
    /// An empty queue for `BLOCKS - 1` blocks.
    pub const fn new() -> Self {
        const { assert!(BYTES > 0 && BYTES <= u16::MAX as usize, "a block has 1 to 65535 bytes") };
        Self { queue: EventQueue::new(), dropped: AtomicU32::new(0) }
    }

    /// The two ends.
    pub fn split(&mut self) -> (ByteSender<'_, BYTES>, ByteReceiver<'_, BYTES>) {
        let (sender, receiver) = self.queue.split();
        let dropped = &self.dropped;
        (ByteSender { sender, dropped, lost: false }, ByteReceiver { receiver, dropped })
    }
}

/// The interrupt's end of a [`ByteQueue`].
#[derive(Debug)]
pub struct ByteSender<'a, const BYTES: usize> {
    sender: Sender<'a, Block<BYTES>>,
    dropped: &'a AtomicU32,
    /// Whether the block before the next one was dropped.
    lost: bool,
}

impl<const BYTES: usize> ByteSender<'_, BYTES> {
    /// Queues `bytes` in blocks and returns how many bytes were dropped, 0 when all fitted. Never waits.
    pub fn send(&mut self, bytes: &[u8]) -> usize {
        let mut dropped = 0;
        for piece in bytes.chunks(BYTES) {
            let mut block = Block { bytes: [0; BYTES], len: piece.len() as u16, follows_loss: self.lost };
            for (to, from) in block.bytes.iter_mut().zip(piece) {
                *to = *from;
            }
            self.lost = self.sender.send(&[block]).is_err();
            dropped += if self.lost { piece.len() } else { 0 };
        }
        let before = self.dropped.load(Ordering::Relaxed);
        self.dropped.store(before.saturating_add(u32::try_from(dropped).unwrap_or(u32::MAX)), Ordering::Relaxed);
        dropped
    }
}

/// The main loop's end of a [`ByteQueue`].
#[derive(Debug)]
pub struct ByteReceiver<'a, const BYTES: usize> {
    receiver: Receiver<'a, Block<BYTES>>,
    dropped: &'a AtomicU32,
}

impl<const BYTES: usize> ByteReceiver<'_, BYTES> {
    /// The oldest block.
    pub fn receive(&mut self) -> Option<Block<BYTES>> {
        self.receiver.receive()
    }

    /// Bytes that did not fit, since the queue was made. Stops at `u32::MAX`.
    pub fn dropped(&self) -> u32 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Blocks that did not fit. Stops at `u32::MAX`.
    pub fn dropped_blocks(&self) -> u32 {
        self.receiver.dropped()
    }
}
