//! Instructions, counted through `SysTick`.
//!
//! With `-icount shift=6`, as `scripts/qemu-run.sh` always asks, QEMU lets 64 ns pass with every instruction, so that `SysTick`, which counts the core's clock,
//! counts instructions: 1.6 ticks each at 25 MHz (Cortex-M4 and M7), 2.048 at 32 MHz (Cortex-M55). The same run gives the
//! same number. These are **instructions, never cycles**: QEMU has no model of a pipeline, of flash or of caches.

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;

/// Ticks of 1000 instructions.
const TICKS: u64 = if cfg!(m55) { 2_048 } else { 1_600 };
/// `SysTick` has 24 bits: 10 or 8 million instructions.
const WRAP: u32 = 1 << 24;

/// Counts what runs between two of its calls; they must come before `SysTick` has gone round.
pub struct Meter {
    last: u32,
}

impl Meter {
    /// Starts `SysTick`.
    pub fn new(mut syst: SYST) -> Self {
        syst.set_clock_source(SystClkSource::Core);
        syst.set_reload(WRAP - 1);
        syst.clear_current();
        syst.enable_counter();
        while SYST::get_current() == 0 {} // it starts with its first tick
        Self { last: SYST::get_current() }
    }

    /// Ticks since the last call.
    pub fn lap(&mut self) -> u64 {
        let now = SYST::get_current();
        let ticks = self.last.wrapping_sub(now) % WRAP; // it counts down
        self.last = now;
        u64::from(ticks)
    }

    /// Instructions of `ticks`, rounded.
    pub const fn instructions(ticks: u64) -> u64 {
        (1_000 * ticks + TICKS / 2) / TICKS
    }
}
