#![no_std]
#![forbid(unsafe_code)]
//! Faults of sensor, link, clock, flash and power, injected into a pipeline at work: the same cases on a microcontroller and on
//! a host, from one seed, with one report.
//!
//! ```text
//! Sensor -> injected fault -> ByteQueue -> Pipeline -> outbox -> Watch: which frames have the bits of a clean run
//!                             (interrupt)              (consumer)
//! ```
//! Each case runs until long after its fault. It passes when
//! - the pipeline went on: every frame came that should,
//! - bytes in = bytes dropped where the queue was full + bytes taken, and [`Counters::add_up`]: bytes taken = understood + skipped +
//!   held, with 4 bytes understood for each event,
//! - events in = used + late + outside + lost, the lost ones being those in dropped blocks and among skipped words (known where all
//!   bytes are the sensor's words),
//! - the frames have the clean run's bits again at most [`model::MEMORY`] frames behind the fault, and until the end,
//! - and the fault was seen: its own counter is not 0.
//!
//! | module | what |
//! |---|---|
//! | [`model`] | a small retina, and how long it remembers |
//! | [`sensor`] | events from a seed, as EVT 2.0 |
//! | [`rig`] | sensor, queues, pipeline, and the watch over what comes out |
//! | [`cases`] | the faults of sensor, link, clock and load |
//! | [`reset`] | the faults of flash and power |

pub mod cases;
pub mod model;
pub mod reset;
pub mod rig;
pub mod sensor;

pub use cases::run;
#[cfg(doc)]
use foveola_pipeline::Counters;
pub use model::Retina;
pub use reset::{after_reset, before_reset, damaged_model};
pub use rig::Bench;

/// The seed of the report that CI compares.
pub const SEED: u64 = 1;

/// Who prints a line of the report.
pub type Print<'p> = &'p mut dyn FnMut(&dyn core::fmt::Display);
