//! How a program on an emulated Cortex-M prints and ends: through semihosting, which QEMU turns into its own standard
//! output and exit code. A program that panics or faults ends with exit code 1, so that no failure looks like success.
//!
//! What is printed is numbers with the address of a text that stays on the host, where `defmt-print` puts both together
//! (`scripts/qemu-run.sh`). Tabs between name, number and remark make a row, which the host aligns.

#![no_std]

pub mod denoise;
pub mod meter;
// Armv6-M has no atomic swap; the programs that use this module do not build for it.
#[cfg(target_has_atomic = "8")]
pub mod retained;
pub mod retina;
pub mod stack;

use cortex_m_rt::{ExceptionFrame, exception};
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
#[cfg(all(target_os = "none", not(feature = "log-free")))]
use defmt_semihosting as _;

/// Ends the emulation: exit code 0 when `passed`, else 1.
pub fn exit(passed: bool) -> ! {
    debug::exit(if passed { EXIT_SUCCESS } else { EXIT_FAILURE });
    loop {
        // Only a debugger that ignores the request gets here.
        cortex_m::asm::wfi();
    }
}

#[cfg(not(feature = "log-free"))]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    text!("{info}");
    exit(false)
}

// The handler that does not link: see `src/bin/proof.rs`.
#[cfg(feature = "log-free")]
use panic_never as _;

// `unsafe` is what `exception` asks of this one handler: the fault may have broken anything, so it only reports.
#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    #[cfg(not(feature = "log-free"))]
    defmt::println!("hard fault at pc = {=u32:#010x}", frame.pc());
    let _ = frame;
    exit(false)
}

/// Prints text that is formatted here, for what the host cannot format.
#[macro_export]
macro_rules! text {
    ($($argument:tt)*) => {
        ::defmt::println!("{}", ::defmt::Display2Format(&::core::format_args!($($argument)*)))
    };
}

/// Kernels computed when the program is built.
pub mod kernels {
    include!(concat!(env!("OUT_DIR"), "/kernels.rs"));
}
