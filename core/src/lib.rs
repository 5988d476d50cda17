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
//! | [`engine`], [`lanes`], [`sample`], [`shape`], [`digest`], [`checksum`] | threads, vectors, sample types, frame shapes, digests of results and of models |

pub mod adjoint;
pub mod checksum;
pub mod conv;
pub mod delay;
pub mod diff;
pub mod digest;
pub mod engine;
mod error;
pub mod events;
mod exponentials;
pub mod filter;
pub mod finite;
pub mod graph;
mod history;
pub mod kernels;
pub mod lanes;
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
pub use engine::{Engine, SingleThread, WorkSplitter};
pub use error::Error;
pub use filter::{Filter, First, Rate, Scratch, Signature, Step};
pub use finite::Finite;
pub use graph::{
    Bound, ConstantModel, Graph, Layout, Node, NodeChunk, Only, Place, PlacedGraph, Reproducible, Runner, Source,
    Stage, Stream, StreamShape,
};
pub use kernels::Resolution;
pub use names::UnknownName;
pub use padding::{PadFrame, PadMode, TimePadding};
pub use pointwise::{Nonlinearity, Pointwise};
pub use recursive::{Decay, HighPass, LowPass, SmoothConv};
pub use reduce::{Axis, Sum, sum_axis};
pub use sample::Sample;
pub use shape::Shape;
pub use text::Text;
pub use variable_delay::VariableDelay;
