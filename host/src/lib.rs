//! foveola: the filters of early vision on event cameras and video, on the CPU and the GPU.
//!
//! A [`Model`] is a network of layers: convolutions in space and time, exponential filters, receptive fields, delays and
//! pointwise nonlinearities. Its input and output are `ndarray` arrays `(batch, channel, time, row, col)`. A recording is
//! processed whole or in chunks of any length; the model keeps the state between chunks.
//!
//! ```
//! use foveola::{HighPass, Model, NLRectify, Resolution};
//! use ndarray::Array3;
//!
//! let resolution = Resolution::DEFAULT; // 1000 frames per second
//! let mut onset = Model::new().then(HighPass::new(0.010, 1.0, resolution)?).then(NLRectify);
//!
//! // 200 frames of 32 x 32 pixels; the left half turns white at frame 100.
//! let movie = Array3::from_shape_fn((200, 32, 32), |(t, _, col)| if t >= 100 && col < 16 { 1.0_f32 } else { 0.0 });
//! let response = onset.run(&movie, 50)?; // in chunks of 50 frames
//!
//! assert_eq!(response.dim(), (1, 1, 200, 32, 32));
//! assert!(response[(0, 0, 100, 16, 8)] > 0.9); // responds to the onset
//! assert!(response[(0, 0, 199, 16, 8)] < 1e-3); // not to constant light
//! # Ok::<(), foveola::Error>(())
//! ```
//!
//! # Modules and types
//! | item | content |
//! |---|---|
//! | [`Model`], [`SavedState`], [`Movie`] | a network of layers with the state of a stream; the arrays that it accepts |
//! | [`StateFile`], [`StateFileError`] | states in files: [`Model::save_state`], [`Model::load_state`] |
//! | [`Parameter`], [`Values`] | the parameters of a model by name |
//! | [`Inputs`], [`Join`] | what a layer of a network reads |
//! | [`layers`], [`Weight`], [`kernels`] | the layers (re-exported here); their weights; impulse responses |
//! | [`Flash`], [`Response`], [`Spectrum`] | responses of a model to a flash; impulse responses and gains |
//! | `ModelFile`, `models` | a model as a TOML file; the ready ones, by name (feature `files`) |
//! | [`fit`], [`Gradient`] | parameters from recordings; the gradient alone: [`Model::gradient`] |
//! | [`Layer`], [`Table`], [`Source`] | what a custom layer implements and uses |
//! | [`Filter`], [`Stage`], [`Shape`], [`Signature`] | what a custom filter implements and uses |
//! | [`Algorithm`], [`Plan`] | the algorithm of a convolution |
//! | [`Precision`], [`SimdLevel`] | fast or reproducible computation; the instruction set |
//! | [`Device`], [`DeviceInfo`], [`DeviceKind`] | where a model runs: the CPU or a GPU |
//! | [`Recording`], [`Events`], [`EventWriter`] | event files: reading, decoding and writing |
//! | [`EventFilters`], [`EventFilterSpec`] | event filters: noise filters, refractory period and others |
//! | [`Frames`] | events counted into frames |
//! | [`movie`], [`npy`] | movies and arrays in files |
//! | `picture` | contact sheets, plots and animations (feature `pictures`) |
//! | [`scene`], [`samples`] | synthetic scenes seen by a simulated event camera; synthetic movies |
//! | [`Error`], [`Result`] | the error type of all functions |
//! | [`core`] | the crate [`foveola_core`], with the filters, kernels and event decoders for `no_std` targets |
//!
//! # Crate features
//! All features are off by default.
//!
//! | feature | adds |
//! |---|---|
//! | `files` | models described by TOML files: `ModelFile`; the ready ones, by name: `models` |
//! | `movies` | folders of PNGs and GIFs as input of [`movie`]; arrays in `.npy` and `.npz` are always read |
//! | `pictures` | the module `picture` |
//! | `compression` | recordings in AEDAT 4, and compressed `.npz` archives |
//! | `serde` | `Serialize` and `Deserialize` for [`SavedState`] and [`Weight`] |
//! | `gpu` | models on a GPU, through Vulkan or Metal: [`Device::gpu`] |
//!
//! # The core crate
//! Every filter is implemented in [`foveola_core`] (the folder `core` of the repository), a `no_std` crate without
//! allocation that also runs on microcontrollers. With [`Precision::Reproducible`] the output is bit-identical to that of a
//! microcontroller.

#![warn(missing_debug_implementations)]

mod axes;
mod cpu;
mod device;
mod draft;
mod error;
mod events;
pub mod fit;
mod lookahead;
mod memory;
mod model;
pub mod movie;
mod names;
pub mod npy;
#[cfg(feature = "pictures")]
pub mod picture;
mod shown;
mod stimuli;
mod taps;
mod units;

pub use axes::{MOST_PIXELS, Movie};
#[doc(hidden)]
pub use cpu::fft;
pub use cpu::plan::{Algorithm, Plan};
pub use cpu::simd::{Precision, SimdLevel};
pub use device::{Device, DeviceInfo, DeviceKind};
pub use draft::write_file;
pub use error::{Error, Result};
pub use events::filters::{EventFilterSpec, EventFilters, Filtered};
pub use events::frames::{Frames, JUMP};
pub use events::recording::{
    Assumption, Columns, EventWriter, Events, Format, RESET, ReadOptions, Recording, Segmented, Summary, TimeUnit,
    WriteOptions, Written,
};
pub use foveola_core::events::{Camera, Geometry, Order, Polarity};
pub use foveola_core::{
    self as core, Axis, Border, Filter, PadMode, Resolution, Shape, Signature, Source, Stage, UnknownName,
};
#[cfg(feature = "files")]
pub use model::file as model_file;
#[cfg(feature = "files")]
pub use model::file::{ModelFile, ModelFileError, schema as model_schema};
pub use model::layers::{
    Branches, Conv1d, Conv2d, Conv3d, Delay, Diff, HighPass, LowPass, Map, NLExponential, NLLogistic,
    NLPiecewiseLinear, NLRectify, NLRectifyScale, NLRectifySquare, NLSoftplus, NLSquare, Rf, Rf as RF, SmoothConv, Sum,
    TimePadding, VariableDelay, sum,
};
#[cfg(feature = "files")]
pub use model::models;
pub use model::{
    Best, Exported, ExportedLayer, Flash, Gradient, Inputs, Join, Layer, LayerId, LayerObject, LayerSummary, Model,
    NodeGradient, NodeGradients, Parameter, Peak, Program, Quantised, QuantisedLayer, Response, Samples, SavedState,
    Spectrum, StateFile, StateFileError, Table, Values, Weight, integers, kernels, layers,
};
pub use shown::shown;
pub use stimuli::{samples, scene};
pub use units::microseconds;

/// The examples of the README and of the pages under `docs` compile and run.
#[cfg(all(doctest, feature = "pictures", feature = "compression", feature = "files"))]
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
