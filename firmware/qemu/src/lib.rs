//! How a program on an emulated Cortex-M prints and ends: through semihosting, which QEMU turns into its own standard
//! output and exit code. A program that panics or faults ends with exit code 1, so that no failure looks like success.

#![no_std]

pub mod meter;
pub mod retained;
pub mod stack;

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
