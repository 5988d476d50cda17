//! Every fault of `foveola-faults` on an emulated microcontroller, and a true reset in the middle of a snapshot: a timer resets
//! the core while the snapshot is written, and the program starts a second time, with nothing but what it retained.
//!
//! What it prints is kept in `faults.out`; on a host, the tests of `foveola-faults` print the same.

#![no_std]
#![no_main]

use core::fmt::Display;
use cortex_m::Peripherals;
use cortex_m::peripheral::SCB;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::{entry, exception};
use foveola_faults::{Bench, Retina, SEED, after_reset, before_reset, damaged_model, run};
use foveola_pipeline::{RetainedBy, Snapshots};
use foveola_qemu::{exit, retained, text};
use static_cell::ConstStaticCell;

static BENCH: ConstStaticCell<Bench> = ConstStaticCell::new(Bench::new());

/// Ticks until the reset: 50,000 to 65,000 instructions, a fraction of what a snapshot takes.
const TICKS: u32 = 100_000;

fn print(line: &dyn Display) {
    text!("{}", line);
}

/// Whether all passed. An error is printed.
fn told(passed: Result<bool, impl Display>) -> bool {
    passed.inspect_err(|error| print(error)).unwrap_or(false)
}

#[entry]
fn main() -> ! {
    let (Some(peripherals), Some(retained)) = (Peripherals::take(), retained::take()) else { exit(false) };
    let retained: &mut RetainedBy!(Retina) = retained;
    let bench = BENCH.take();
    if Snapshots::new(retained).number().is_some() {
        let passed = told(after_reset(bench, SEED, retained, &mut print));
        print(&if passed { "passed" } else { "FAILED" });
        exit(passed);
    }

    let survived = told(run(bench, SEED, &mut print));
    let refused = told(damaged_model(SEED, &mut print));
    if !(survived && refused) {
        print(&"FAILED");
        exit(false);
    }
    let mut timer = peripherals.SYST;
    let set_timer = || {
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(TICKS);
        timer.clear_current();
        timer.enable_interrupt();
        timer.enable_counter();
    };
    told(before_reset(bench, SEED, retained, set_timer).map(|()| true));
    print(&"FAILED: the reset did not come");
    exit(false)
}

#[exception]
fn SysTick() {
    SCB::sys_reset();
}
