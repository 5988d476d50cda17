//! foveola: the filters of early vision on event cameras and video.
//!
//! A [`Model`] is a cascade of layers; frames are `ndarray` arrays `(batch, channel, time, row, col)`. Every filter is the
//! one of [`foveola_core`], which also runs on a microcontroller.

mod axes;
mod cpu;
mod device;
mod draft;
mod error;
mod events;
mod lookahead;
mod memory;
mod model;
pub mod movie;
mod names;
pub mod npy;
#[cfg(feature = "pictures")]
pub mod picture;
mod stimuli;
mod taps;
mod units;

pub use axes::{MOST_PIXELS, Movie};
#[doc(hidden)]
pub use cpu::fft;
pub use cpu::plan::{Algorithm, Plan};
pub use cpu::simd::{Precision, SimdLevel};
pub use device::{Device, DeviceInfo, DeviceKind};
pub use error::{Error, Result};
pub use events::filters::{EventFilterSpec, EventFilters, Filtered};
pub use events::frames::Frames;
pub use events::recording::{
    Assumption, Columns, EventWriter, Events, Format, RESET, ReadOptions, Recording, Segmented, Summary, TimeUnit,
    WriteOptions, Written,
};
pub use foveola_core::events::{Camera, Geometry, Order, Polarity};
pub use foveola_core::{
    self as core, Axis, Border, Filter, PadMode, Resolution, Shape, Signature, Source, Stage, UnknownName,
};
pub use model::layers::{
    Branches, Conv1d, Conv2d, Conv3d, Delay, Diff, HighPass, LowPass, NLRectify, NLRectifyScale, NLRectifySquare,
    NLSquare, Rf, Rf as RF, SmoothConv, Sum, TimePadding, VariableDelay, sum,
};
pub use model::{Layer, LayerObject, Model, SavedState, Table, Weight, kernels, layers, models};
pub use stimuli::{samples, scene};
pub use units::microseconds;

/// The examples of the README and of the pages under `docs` compile and run.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../docs/events.md")]
    struct Events;
    #[doc = include_str!("../../docs/gpu.md")]
    struct Gpu;
    #[doc = include_str!("../../docs/laws.md")]
    struct Laws;
    #[doc = include_str!("../../docs/microcontrollers.md")]
    struct Microcontrollers;
}
