#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_debug_implementations)]
//! From an event sensor's bytes to filtered frames, in memory whose size the compiler knows. Nothing here knows a board:
//! the board moves bytes into a [`ByteQueue`], or calls [`Pipeline::feed`], and takes frames.
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
//! No allocation, no panic on any input, and nothing is lost without being counted. A call makes at most
//! [`Plan::frames_per_call`] frames, so that a main loop stays in time whatever the sensor's clock does.
//!
//! ```
//! use foveola_core::events::{Evt2, Geometry, Polarity};
//! use foveola_core::{Decay, Graph, LowPass, Node, Shape, Source, Stage, constant};
//! use foveola_pipeline::{Application, MemoryOf, Pipeline, Plan};
//!
//! static NODES: [Node; 1] = [Node::Filter(
//!     Source::Input,
//!     Stage::LowPass(LowPass::new(Shape::new(1, 2, 4), constant!(Decay::new(0.01, 1000.0)))),
//! )];
//! struct Trace;
//! impl Application for Trace {
//!     type Decoder = Evt2; // what the sensor sends; Evt21 and Evt3 are others
//!     type Sample = f32; // what the model computes with; Q15, of 16 bits, is the other
//!     const PLAN: Plan<'static> = constant!(Plan::new(
//!         constant!(Graph::new(Shape::new(1, 2, 4), &NODES)),
//!         Geometry { cols: 8, rows: 4 }, // the sensor's
//!         2,                             // bins of 2 x 2 pixels
//!         Polarity::Signed,
//!         1_000, // us
//!     ));
//!     const RAM: usize = 512; // bytes: less than it needs does not compile
//! }
//!
//! let mut memory: MemoryOf!(Trace) = <MemoryOf!(Trace)>::new(); // on a board: a static
//! let mut pipeline = Pipeline::<Trace, _, _, _, _>::new(&mut memory)?; // the model's table is whole
//! let mut frames = 0;
//! let bytes = [0x8000_0001_u32, 0x1080_1802, 0x8000_0020, 0x1080_1802].map(u32::to_le_bytes);
//! for mut piece in bytes.as_flattened().chunks(5) {
//!     while pipeline.feed(&mut piece, |frame| frames += u32::from(frame.samples[5] > 0.0)) {} // row 1, column 1
//! }
//! while pipeline.finish(|_| frames += 1) {}
//! assert_eq!((frames, pipeline.counters().stored()), (3, 2));
//! # Ok::<(), foveola_pipeline::ModelDamaged>(())
//! ```

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
