//! A queue from an interrupt to the main loop, in blocks that are queued whole or dropped whole.
//!
//! A thin layer over [`heapless::spsc::Queue`]: the sender never waits, never panics, and counts what did not fit.
//! Items are events or raw bytes. If each block of bytes consists of whole words, a dropped block leaves the decoder
//! aligned; the decoder finds the alignment again in any case.
//!
//! Cost: one copy per item; no locks, no disabled interrupts. State: `N` items, two positions and a counter; one of the
//! `N` places stays empty.

use core::sync::atomic::{AtomicU32, Ordering};
use heapless::spsc;

/// An unsplit queue: put it into a static, then [split](EventQueue::split) it once. `N` must be 2 or more; other values
/// do not compile.
///
/// ```
/// use foveola_core::events::{BlockRefused, Event, EventQueue};
///
/// // On a board: in a `static_cell::StaticCell`, or `cortex_m::singleton!`.
/// let mut queue: EventQueue<Event, 4> = EventQueue::new();
/// let (mut interrupt, mut main_loop) = queue.split();
///
/// let event = Event { t: 1, x: 2, y: 3, on: true };
/// assert_eq!(interrupt.send(&[event; 2]), Ok(()));
/// assert_eq!(interrupt.send(&[event; 2]), Err(BlockRefused { dropped: 2 })); // only one place is left
/// assert_eq!(interrupt.send(&[event]), Ok(()));
///
/// assert_eq!(core::iter::from_fn(|| main_loop.receive()).count(), 3);
/// assert_eq!(main_loop.dropped(), 2);
/// ```
#[derive(Debug)]
pub struct EventQueue<T, const N: usize> {
    queue: spsc::Queue<T, N>,
    /// Written by the sender alone: a load and a store suffice, which Cortex-M0 has.
    dropped: AtomicU32,
}

impl<T, const N: usize> Default for EventQueue<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const N: usize> EventQueue<T, N> {
    /// An empty queue for `N - 1` items.
    pub const fn new() -> Self {
        Self { queue: spsc::Queue::new(), dropped: AtomicU32::new(0) }
    }

    /// The two ends. Queued items and the counter are kept.
    pub fn split(&mut self) -> (Sender<'_, T>, Receiver<'_, T>) {
        let (producer, consumer) = self.queue.split();
        (Sender { producer, dropped: &self.dropped }, Receiver { consumer, dropped: &self.dropped })
    }
}

/// A block did not fit and was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BlockRefused {
    /// Items of the block.
    pub dropped: usize,
}

impl core::fmt::Display for BlockRefused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "the queue is full: a block of {} was dropped", self.dropped)
    }
}

impl core::error::Error for BlockRefused {}

/// The interrupt's end of an [`EventQueue`].
pub struct Sender<'a, T> {
    producer: spsc::Producer<'a, T>,
    dropped: &'a AtomicU32,
}

impl<T> core::fmt::Debug for Sender<'_, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Sender").field("dropped", self.dropped).finish_non_exhaustive()
    }
}

impl<T: Copy> Sender<'_, T> {
    /// Queues all of `block`.
    ///
    /// # Errors
    /// [`BlockRefused`] when there is no room for all of it: nothing was queued, and the receiver sees the loss.
    pub fn send(&mut self, block: &[T]) -> Result<(), BlockRefused> {
        let capacity = self.producer.capacity();
        // Always true; without this test, a division by zero in `heapless` is left for the linker to find.
        let possible = capacity != usize::MAX;
        // In the meantime the receiver can only make more room.
        if !(possible && block.len() <= capacity.saturating_sub(self.producer.len())) {
            let dropped = u32::try_from(block.len()).unwrap_or(u32::MAX);
            let before = self.dropped.load(Ordering::Relaxed);
            self.dropped.store(before.saturating_add(dropped), Ordering::Relaxed);
            return Err(BlockRefused { dropped: block.len() });
        }
        for item in block {
            // Never refused: there is room.
            let _ = self.producer.enqueue(*item);
        }
        Ok(())
    }
}

/// The main loop's end of an [`EventQueue`].
pub struct Receiver<'a, T> {
    consumer: spsc::Consumer<'a, T>,
    dropped: &'a AtomicU32,
}

impl<T> core::fmt::Debug for Receiver<'_, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Receiver").field("dropped", self.dropped).finish_non_exhaustive()
    }
}

impl<T> Receiver<'_, T> {
    /// The oldest item.
    pub fn receive(&mut self) -> Option<T> {
        self.consumer.dequeue()
    }

    /// Items waiting.
    pub fn len(&self) -> usize {
        self.consumer.len()
    }

    /// Whether no item waits.
    pub fn is_empty(&self) -> bool {
        self.consumer.is_empty()
    }

    /// Items that did not fit, since the queue was made. Stops at `u32::MAX`.
    pub fn dropped(&self) -> u32 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::thread;

    #[test]
    fn blocks_arrive_whole_or_not_at_all() {
        const BLOCKS: u32 = 20_000;
        let mut queue = EventQueue::<u32, 8>::new();
        let (mut sender, mut receiver) = queue.split();
        let sent = thread::scope(|scope| {
            let interrupt = scope.spawn(move || (0..BLOCKS).filter(|i| sender.send(&[*i; 3]).is_ok()).count());
            let mut received = 0;
            let mut last = None;
            while !interrupt.is_finished() || !receiver.is_empty() {
                let Some(item) = receiver.receive() else { continue };
                if received % 3 == 0 {
                    assert!(last < Some(item), "blocks come in order");
                } else {
                    assert_eq!(last, Some(item), "a block is whole");
                }
                last = Some(item);
                received += 1;
            }
            assert_eq!(received + receiver.dropped(), 3 * BLOCKS);
            interrupt.join().unwrap()
        });
        assert_eq!(3 * sent as u32 + receiver.dropped(), 3 * BLOCKS);
    }

    #[test]
    fn the_smallest_queue_holds_one() {
        let mut queue = EventQueue::<u8, 2>::new();
        let (mut sender, mut receiver) = queue.split();
        assert_eq!(sender.send(&[]), Ok(()));
        assert_eq!(sender.send(&[1, 2]), Err(BlockRefused { dropped: 2 }));
        assert_eq!(sender.send(&[3]), Ok(()));
        assert_eq!((receiver.receive(), receiver.receive(), receiver.dropped()), (Some(3), None, 2));
    }
}
