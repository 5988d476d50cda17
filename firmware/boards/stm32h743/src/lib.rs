#![no_std]
//! What the programs for this board share: clocks, memory, and the port at the sensor's data lines.

pub mod clocks;
pub mod memory;
pub mod port;

use foveola_app::{Watchdog, retina};

retina!(Retina, side: 320, binning: 5, dt: 10_000, gap: 200_000, ram: 150 * 1024);

/// The independent watchdog: it has a clock of its own.
pub struct Iwdg(pub embassy_stm32::wdg::IndependentWatchdog<'static, embassy_stm32::peripherals::IWDG1>);

impl Watchdog for Iwdg {
    fn feed(&mut self) {
        self.0.pet();
    }
}
