//! The sensor's eight data lines through the camera interface, without a gap: DMA goes round a [ring](crate::memory) for ever,
//! over the ends of packets and frames, and the main loop takes what is new every millisecond.
//!
//! embassy's own driver of the camera interface takes one frame and stops; here it only sets up pins and clock. Bytes are lost,
//! and told as lost, when DMA laps the reader, and when the interface itself ran over because DMA came too late.

use crate::memory;
use embassy_stm32::Peri;
use embassy_stm32::dcmi::{Dcmi, FrameDma};
use embassy_stm32::dma::{Channel, ReadableRingBuffer, Request, TransferOptions};
use embassy_stm32::pac;
use embassy_stm32::peripherals::DCMI;
use embassy_time::Timer;
use foveola_sensor::{Piece, Port};

/// The camera interface and its ring.
pub struct CameraPort {
    /// Keeps pins and clock.
    _dcmi: Dcmi<'static, DCMI>,
    ring: ReadableRingBuffer<'static, u32>,
    lost: bool,
}

/// Which request of the DMA multiplexer the camera interface has.
pub fn request<D: FrameDma<DCMI>>(channel: &Peri<'static, D>) -> Request {
    channel.request()
}

impl CameraPort {
    /// A port that is quiet until [`Port::restart`]. `channel` and its `request` are another one than what `dcmi` was set
    /// up with; `None` when the ring is in use.
    pub fn new(dcmi: Dcmi<'static, DCMI>, channel: Channel<'static>, request: Request) -> Option<Self> {
        pac::RCC.ahb2enr().modify(|w| w.set_sram1en(true));
        let words = memory::ring()?;
        let from = pac::DCMI.dr().as_ptr().cast::<u32>();
        // SAFETY: `from` is the data register, which this request belongs to and which is read by words. The ring is in
        // SRAM1, which DMA reaches and which is not cached; it is lent for ever to this buffer alone.
        let mut ring = unsafe { ReadableRingBuffer::new(channel, request, from, words, TransferOptions::default()) };
        ring.start();
        Some(Self { _dcmi: dcmi, ring, lost: false })
    }

    /// What is new.
    fn take(&mut self, buffer: &mut [u8]) -> Option<Piece> {
        if pac::DCMI.ris().read().ovr_ris() {
            self.restart(); // it has stopped by itself
            self.lost = true;
        }
        let mut words = [0; 256];
        let room = words.len().min(buffer.len() / 4);
        let Ok((count, _)) = self.ring.read(words.get_mut(..room)?) else {
            self.lost = true; // lapped; the ring begins anew where DMA is
            return None;
        };
        for (to, from) in buffer.chunks_exact_mut(4).zip(words.iter().take(count)) {
            to.copy_from_slice(&from.to_le_bytes()); // the first byte on the lines is the lowest
        }
        let follows_loss = count > 0 && core::mem::take(&mut self.lost);
        (count > 0).then_some(Piece { len: 4 * count, follows_loss })
    }
}

impl Port for CameraPort {
    fn restart(&mut self) {
        // A reset empties the interface's own queue, so that the next byte is the first of a word.
        pac::RCC.ahb2rstr().modify(|w| w.set_dcmirst(true));
        pac::RCC.ahb2rstr().modify(|w| w.set_dcmirst(false));
        self.ring.clear();
        self.lost = false;
        pac::DCMI.cr().write(|w| {
            w.set_cm(false); // frame after frame
            w.set_pckpol(true); // sampled at the rising edge
            w.set_hspol(false); // HSYNC and VSYNC are low while there is no data
            w.set_vspol(false);
            w.set_edm(0); // 8 bits
            w.set_capture(true);
            w.set_enable(true);
        });
    }

    async fn read(&mut self, buffer: &mut [u8]) -> Piece {
        loop {
            if let Some(piece) = self.take(buffer) {
                return piece;
            }
            Timer::after_millis(1).await; // nothing is taken before: dropping this loses nothing
        }
    }
}
