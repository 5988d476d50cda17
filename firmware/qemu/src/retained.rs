//! Memory that a reset leaves as it is: it lies apart from the RAM that the start-up code fills, and QEMU, like a core, clears
//! nothing on a reset.

use core::sync::atomic::{AtomicBool, Ordering};
use foveola_pipeline::Retained;

/// The end of the RAM of the MPS2 boards; of the MPS3 board, of the 2 MB beside its RAM.
const ADDRESS: usize = if cfg!(m55) { 0x311C_0000 } else { 0x203C_0000 };
const BYTES: usize = 256 * 1024;

/// The memory, to whoever asks first.
pub fn take<const WORDS: usize>() -> Option<&'static mut Retained<WORDS>> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    const { assert!(size_of::<Retained<WORDS>>() <= BYTES, "the board retains 256 kB") };
    if TAKEN.swap(true, Ordering::Relaxed) {
        return None;
    }
    // SAFETY: the machines have memory at `ADDRESS`, at a multiple of 4, that no linker script gives to anything else, and it is
    // handed out once. It holds words only, so that whatever a reset left there is a valid value.
    Some(unsafe { &mut *core::ptr::with_exposed_provenance_mut(ADDRESS) })
}
