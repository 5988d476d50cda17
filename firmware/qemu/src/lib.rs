//! How a program on an emulated Cortex-M prints and ends: through semihosting, which QEMU turns into its own standard
//! output and exit code. A program that panics or faults ends with exit code 1, so that no failure looks like success.

#![no_std]

use core::panic::PanicInfo;
use cortex_m_rt::{ExceptionFrame, exception};
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use cortex_m_semihosting::hprintln;

/// Ends the emulation: exit code 0 when `passed`, else 1.
pub fn exit(passed: bool) -> ! {
    debug::exit(if passed { EXIT_SUCCESS } else { EXIT_FAILURE });
    loop {
        // Only a debugger that ignores the request gets here.
        cortex_m::asm::wfi();
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    hprintln!("{}", info);
    exit(false)
}

// `unsafe` is what `exception` asks of this one handler: the fault may have broken anything, so it only reports.
#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    hprintln!("hard fault at pc = {:#010x}", frame.pc());
    exit(false)
}

/// Kernels computed when the program is built.
pub mod kernels {
    include!(concat!(env!("OUT_DIR"), "/kernels.rs"));
}

/// FNV-1a over the bits of every sample: two machines that print the same digest computed the same numbers.
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    /// Takes a sample.
    pub fn add(&mut self, sample: f32) {
        for byte in sample.to_bits().to_le_bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// The digest of all samples so far.
    pub fn value(&self) -> u64 {
        self.0
    }
}
