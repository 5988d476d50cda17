#![no_std]
//! What the programs for this board share: clocks, memory, and the port at the sensor's data lines.

pub mod clocks;
pub mod memory;
pub mod port;

use foveola_app::Watchdog;
use foveola_core::events::LiveEvt2;
use foveola_pipeline::{Application, Plan};

#[allow(unreachable_pub, reason = "the generated source is a module for any program")]
mod retina {
    include!(concat!(env!("OUT_DIR"), "/retina.rs"));
}

/// The model that runs here.
pub struct Retina;

impl Application for Retina {
    type Decoder = LiveEvt2;
    type Sample = f32;
    /// A live sensor tells the time all along; behind a gap of more than 200 frames it was restarted, and its clock with it.
    const PLAN: Plan<'static> = retina::PLAN.largest_step(1_024);
    const RAM: usize = 150 * 1024;
}

/// The independent watchdog: it has a clock of its own.
pub struct Iwdg(pub embassy_stm32::wdg::IndependentWatchdog<'static, embassy_stm32::peripherals::IWDG1>);

impl Watchdog for Iwdg {
    fn feed(&mut self) {
        self.0.pet();
    }
}
