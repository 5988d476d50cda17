#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_debug_implementations)]
#![doc = include_str!("../README.md")]
//!
//! # Layers, top down
//! | module | what |
//! |---|---|
//! | [`graph`] | models: tables of nodes that can be checked at compile time |
//! | [`conv`], [`recursive`], [`padding`], [`delay`], [`variable_delay`], [`pointwise`], [`reduce`], [`diff`], [`finite`] | the filters |
//! | [`filter`] | the filter interface: constant filters, state in slices, time as an argument |
//! | [`adjoint`] | gradients of the filters, for fitting |
//! | [`kernels`] | kernel weights: exponentials and Gaussians; [`kernels::pixels`] for constants |
//! | [`events`] | event cameras: from the sensor's bytes to frames |
//! | [`sample`], [`shape`], [`digest`], [`checksum`] | sample types, frame shapes, digests of results and of models |
//! | [`engine`] | threads and vectors, for hosts that bring their own |
//!
//! # Stability
//! The crate follows semantic versioning, except for the module [`engine`]. An item that has a type of that module in its
//! signature is exempt, too: the methods `..._with` that take an engine or a runner, [`Sample::Lanes`], [`Conv3d::ring`]. Programs
//! that use [`Filter`], [`Graph`], [`Stream`] and [`events`] need none of it. Other promises:
//! - A patch release changes neither the bits of a filter's output nor the layout of its state; a minor release may.
//! - Enums that may grow are `#[non_exhaustive]`.

pub mod adjoint;
mod cases;
pub mod checksum;
pub mod conv;
pub mod delay;
pub mod diff;
pub mod digest;
mod eights;
pub mod engine;
mod error;
pub mod events;
mod exponentials;
pub mod filter;
pub mod finite;
pub mod fixed;
pub mod graph;
mod history;
pub mod kernels;
mod lanes;
mod math;
mod names;
pub mod padding;
pub mod pointwise;
pub mod recursive;
pub mod reduce;
pub mod sample;
mod scan;
pub mod shape;
mod sums;
mod text;
pub mod variable_delay;
pub mod words;

pub use adjoint::Adjoint;
pub use checksum::Checksum;
pub use conv::{Border, Conv3d, ConvOptions, Factors, Kernel, Rf};
pub use delay::Delay;
pub use diff::Diff;
pub use digest::Digest;
pub use error::Error;
pub use filter::{Filter, First, Rate, Scratch, Signature, Step};
pub use finite::Finite;
pub use fixed::Q15;
pub use graph::{
    Bound, Checksummed, ConstantModel, Graph, Layout, Node, Only, Place, PlacedGraph, Source, Stage, Stream,
    StreamShape,
};
pub use kernels::Resolution;
pub use names::UnknownName;
pub use padding::{PadFrame, PadMode, TimePadding};
pub use pointwise::{Nonlinearity, Pointwise};
pub use recursive::{Decay, HighPass, LowPass, SmoothConv};
pub use reduce::{Axis, Sum, sum_axis};
pub use sample::{Sample, Scaled};
pub use shape::Shape;
pub use text::Text;
pub use variable_delay::VariableDelay;
