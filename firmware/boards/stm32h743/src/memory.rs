//! Caches, and the memory that DMA shares with the core.
//!
//! The model's memory is 153 kB, in the AXI SRAM behind the data cache. DMA does not see the cache: what it writes must lie in
//! memory that is not cached, or the core would read old bytes. So [`RING`] has SRAM1 for itself, and the MPU takes it out
//! of the cache. Nothing else here uses DMA: the bus of the sensor and the output move their bytes by interrupt or by hand.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};
use cortex_m::peripheral::{CPUID, MPU, SCB};

/// Words of the ring: 64 kB, 1.4 ms of a port that never rests, 29 ms of half a million events a second.
pub const WORDS: usize = 16 * 1024;

#[repr(C, align(32))]
struct Ring(UnsafeCell<[u32; WORDS]>);

// SAFETY: `ring` lends the words once, to one owner.
unsafe impl Sync for Ring {}

#[unsafe(link_section = ".sram1")]
static RING: Ring = Ring(UnsafeCell::new([0; WORDS]));
static LENT: AtomicBool = AtomicBool::new(false);

/// The ring that DMA fills; `None` for all but the first call.
pub fn ring() -> Option<&'static mut [u32; WORDS]> {
    let lent = LENT.swap(true, Ordering::AcqRel);
    // SAFETY: nobody else has this reference, because `LENT` was false only once. Any bits are a word, so that it does not
    // matter that the section is not initialised.
    (!lent).then(|| unsafe { &mut *RING.0.get() })
}

/// Takes SRAM1 out of the cache and turns the caches on. To be called first, before any DMA.
pub fn prepare(mpu: &mut MPU, scb: &mut SCB, cpuid: &mut CPUID) {
    const SRAM1: u32 = 0x3000_0000;
    const SIZE: u32 = 16; // 2^(16 + 1) bytes = 128 kB
    const READ_WRITE: u32 = 0b011 << 24;
    const NEVER_EXECUTED: u32 = 1 << 28;
    const NORMAL_NOT_CACHED: u32 = 0b001 << 19;
    // SAFETY: the region holds `RING` alone, and nothing has read or written it yet. With the default map behind it
    // (PRIVDEFENA) nothing changes for the rest of memory. The barriers let the map hold before the next access.
    unsafe {
        mpu.ctrl.write(0);
        mpu.rnr.write(0);
        mpu.rbar.write(SRAM1);
        mpu.rasr.write(NEVER_EXECUTED | READ_WRITE | NORMAL_NOT_CACHED | SIZE << 1 | 1);
        mpu.ctrl.write(0b101); // on, with the default map behind
    }
    cortex_m::asm::dsb();
    cortex_m::asm::isb();
    scb.enable_icache();
    scb.enable_dcache(cpuid);
}
