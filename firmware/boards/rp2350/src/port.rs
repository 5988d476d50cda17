//! The sensor's eight data lines through programmable I/O, without a gap: a state machine samples them, DMA goes round a ring for
//! ever, and the main loop takes what is new every millisecond.
//!
//! `words written = COUNT - transfers left`, modulo `COUNT`, tells also when DMA has lapped the reader; no interrupt is used.

use core::cell::UnsafeCell;
use core::sync::atomic::{Ordering, compiler_fence};
use embassy_rp::Peri;
use embassy_rp::pac::{DMA, dma::vals};
use embassy_rp::peripherals::{DMA_CH0, PIO0};
use embassy_rp::pio::program::pio_asm;
use embassy_rp::pio::{Common, Config, FifoJoin, Pin, ShiftConfig, ShiftDirection, StateMachine};
use embassy_time::Timer;
use foveola_sensor::{Piece, Port};

/// Words of the ring: 32 kB, the most that DMA can wrap at; 1.4 ms of a port that never rests.
const WORDS: u32 = 8 * 1024;
/// Transfers until DMA starts itself again, where it is: a multiple of the ring.
const COUNT: u32 = 1 << 27;

#[repr(C, align(32768))]
struct Ring(UnsafeCell<[u32; WORDS as usize]>);

// SAFETY: DMA alone writes it, and only `PioPort` reads it, of which there is one: it owns DMA's channel 0.
unsafe impl Sync for Ring {}

static RING: Ring = Ring(UnsafeCell::new([0; WORDS as usize]));

/// A state machine, DMA's channel 0, and their ring.
pub(crate) struct PioPort {
    machine: StateMachine<'static, PIO0, 0>,
    _channel: Peri<'static, DMA_CH0>,
    /// Words taken, modulo `COUNT`.
    taken: u32,
    lost: bool,
}

impl PioPort {
    /// A port that is quiet until [`Port::restart`]. `pins` are ten in a row: D0 to D7, PCLK, HSYNC.
    pub(crate) fn new(
        common: &mut Common<'static, PIO0>,
        mut machine: StateMachine<'static, PIO0, 0>,
        channel: Peri<'static, DMA_CH0>,
        pins: &[&Pin<'static, PIO0>; 10],
    ) -> Self {
        // Data and HSYNC change when PCLK falls. Four cycles a byte, of the six that a byte takes at 24 MHz.
        let program = pio_asm!(
            ".wrap_target",
            "wait 0 pin 8", // PCLK
            "wait 1 pin 9", // HSYNC: a byte comes with the next rising edge
            "wait 1 pin 8",
            "in pins, 8",
            ".wrap",
        );
        let mut config = Config::default();
        config.use_program(&common.load_program(&program.program), &[]);
        config.set_in_pins(pins);
        config.fifo_join = FifoJoin::RxOnly;
        // From the top: the first byte ends up lowest.
        config.shift_in = ShiftConfig { threshold: 32, direction: ShiftDirection::Right, auto_fill: true };
        machine.set_config(&config);

        let dma = DMA.ch(0);
        dma.read_addr().write_value(machine.rx_fifo_ptr() as u32);
        dma.write_addr().write_value(RING.0.get() as u32);
        dma.trans_count().write(|w| {
            w.set_mode(vals::TransCountMode::TRIGGER_SELF);
            w.set_count(COUNT);
        });
        compiler_fence(Ordering::SeqCst);
        dma.ctrl_trig().write(|w| {
            w.set_treq_sel(machine.rx_treq());
            w.set_data_size(vals::DataSize::SIZE_WORD);
            w.set_incr_write(true);
            w.set_ring_sel(true); // the write address wraps
            w.set_ring_size(15); // at 2^15 bytes
            w.set_chain_to(0); // to itself: to none
            w.set_en(true);
        });
        Self { machine, _channel: channel, taken: 0, lost: false }
    }

    fn written() -> u32 {
        COUNT.wrapping_sub(DMA.ch(0).trans_count().read().count()) % COUNT
    }

    /// Words that wait, or that were overwritten where it is more than the ring has.
    fn waiting(&self) -> u32 {
        Self::written().wrapping_sub(self.taken) % COUNT
    }

    fn take(&mut self, buffer: &mut [u8]) -> Option<Piece> {
        self.lost |= self.machine.rx().stalled(); // a byte came while DMA was late
        let count = self.waiting().min(buffer.len() as u32 / 4);
        compiler_fence(Ordering::SeqCst);
        for (to, i) in buffer.chunks_exact_mut(4).zip(0..count) {
            let at = RING.0.get().cast::<u32>().wrapping_add(((self.taken + i) % WORDS) as usize);
            // SAFETY: `at` lies in the ring. DMA may write the word meanwhile: then any bits are read, by a volatile access of
            // one instruction, and below they are given up.
            to.copy_from_slice(&unsafe { at.read_volatile() }.to_le_bytes());
        }
        compiler_fence(Ordering::SeqCst);
        if self.waiting() > WORDS {
            self.taken = Self::written(); // lapped
            self.lost = true;
            return None;
        }
        self.taken = (self.taken + count) % COUNT;
        let follows_loss = count > 0 && core::mem::take(&mut self.lost);
        (count > 0).then_some(Piece { len: 4 * count as usize, follows_loss })
    }
}

impl Port for PioPort {
    fn restart(&mut self) {
        self.machine.set_enable(false);
        self.machine.clear_fifos();
        self.machine.restart(); // forgets the bytes of a word that has begun
        self.taken = Self::written();
        self.lost = false;
        self.machine.set_enable(true);
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
