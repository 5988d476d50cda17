#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_debug_implementations)]
#![doc = include_str!("../README.md")]
//!
//! # How it is built
//! The board moves bytes into a [`ByteQueue`], or calls [`Pipeline::feed`], and takes frames.
//!
//! ```text
//! interrupt: bytes -> ByteQueue -+
//!                                v
//! main loop:         decoder -> binning -> frames of dt -> model -> a callback
//!                    \_____________ Front _____________/
//! ```
//! | module | what |
//! |---|---|
//! | [`plan`] | the constants of an application: sensor, binning, frame rate, model; what memory it needs |
//! | [`memory`] | that memory, all zeros, so that a static of it takes no flash |
//! | [`pipeline`] | all of it together, and what it counts |
//! | [`front`] | bytes to frames, without the model |
//! | [`queue`] | bytes from an interrupt to the main loop |
//! | [`snapshot`] | its state in memory that survives a reset |
//!
//! Nothing is lost without being counted. A call makes at most [`Plan::frames_per_call`] frames, so that a main loop stays in time
//! whatever the sensor's clock does.

pub mod bands;
pub mod front;
pub mod memory;
pub mod pipeline;
pub mod plan;
pub mod queue;
mod runner;
pub mod snapshot;

pub use bands::{BandMemory, Bands};
pub use front::Front;
pub use memory::Memory;
pub use pipeline::{Counters, Output, Pipeline};
pub use plan::{Application, ModelDamaged, Plan, PlanSample};
pub use queue::{Block, ByteQueue, ByteReceiver, ByteSender};
pub use snapshot::{Retained, SnapshotError, Snapshots};
