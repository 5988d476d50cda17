//! foveola: the filters of early vision on event cameras and video.
//!
//! A [`Model`] is a cascade of layers; frames are `ndarray` arrays `(batch, channel, time, row, col)`. Every filter is the
//! one of [`foveola_core`], which also runs on a microcontroller.

mod axes;
pub mod bench;
#[cfg(feature = "gpu")]
mod counts;
mod device;
mod draft;
mod error;
mod event_filters;
mod factor;
mod fast;
#[doc(hidden)]
pub mod fft;
mod frames;
mod kept;
pub mod kernels;
mod layer;
pub mod layers;
mod memory;
mod model;
pub mod models;
pub mod movie;
mod names;
pub mod npy;
pub mod picture;
mod plan;
mod recording;
pub mod samples;
pub mod scene;
mod spectral;
mod threads;
mod units;
mod weight;

pub use axes::Movie;
pub use device::{Device, DeviceInfo, DeviceKind};
pub use error::{Error, Result};
pub use event_filters::{EventFilterSpec, EventFilters, Filtered};
pub use fast::{Precision, SimdLevel};
pub use foveola_core::events::{Camera, Geometry, Order, Polarity};
pub use foveola_core::{Border, PadMode, Resolution};
pub use frames::{Frames, MOST_PIXELS};
pub use layer::{Layer, Table};
pub use layers::{
    Branches, Conv1d, Conv2d, Conv3d, Delay, Diff, HighPass, LowPass, NLRectify, NLRectifyScale, NLRectifySquare,
    NLSquare, Rf, Rf as RF, SmoothConv, Sum, TimePadding, VariableDelay, sum,
};
pub use model::Model;
pub use names::{border, pad_mode};
pub use plan::{Algorithm, Plan};
pub use recording::{
    Assumption, Columns, EventWriter, Events, Format, RESET, ReadOptions, Recording, Segmented, Summary, TimeUnit,
    WriteOptions, Written,
};
pub use units::microseconds;
pub use weight::Weight;

/// The examples of the README compile and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
