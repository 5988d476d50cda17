//! Packets between the main loop, which never waits, and the output, which may block for as long as it likes.
//!
//! Packets offered = sent + waiting + [`Outbox::dropped`] + [`Outbox::failed`].

use crate::Packet;
use core::cell::Cell;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::channel::Channel;
use embedded_io_async::Write;

/// Packets that may wait.
pub const WAITING: usize = 8;

/// Both ends lie in one task, so that nothing has to be locked.
pub struct Outbox {
    packets: Channel<NoopRawMutex, Packet, WAITING>,
    offered: Cell<u32>,
    dropped: Cell<u32>,
    failed: Cell<u32>,
}

impl Default for Outbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Outbox {
    /// Empty.
    pub const fn new() -> Self {
        Self { packets: Channel::new(), offered: Cell::new(0), dropped: Cell::new(0), failed: Cell::new(0) }
    }

    /// Takes a packet, or drops and counts it where [`WAITING`] others wait.
    pub fn offer(&self, packet: Packet) {
        count(&self.offered);
        if self.packets.try_send(packet).is_err() {
            count(&self.dropped);
        }
    }

    /// Packets offered so far.
    pub fn offered(&self) -> u32 {
        self.offered.get()
    }

    /// Packets for which there was no room.
    pub fn dropped(&self) -> u32 {
        self.dropped.get()
    }

    /// Packets that the output refused.
    pub fn failed(&self) -> u32 {
        self.failed.get()
    }

    /// Packets that wait.
    pub fn waiting(&self) -> usize {
        self.packets.len()
    }
}

/// Writes packets to `output` as they come, for ever. An output that fails costs that packet.
pub async fn send(outbox: &Outbox, mut output: impl Write) -> ! {
    loop {
        let packet = outbox.packets.receive().await;
        if output.write_all(packet.bytes()).await.is_err() || output.flush().await.is_err() {
            count(&outbox.failed);
        }
    }
}

fn count(counter: &Cell<u32>) {
    counter.set(counter.get().saturating_add(1));
}
