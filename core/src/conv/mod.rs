//! Convolutions in space and time: [`Conv3d`] (and its special cases in space or time alone), and [`Rf`].

pub mod bands;
pub mod block;
pub mod border;
pub mod conv3d;
pub(crate) mod lines;
mod plain;
pub mod rf;
pub mod separable;
mod small;
pub mod sparse;
pub(crate) mod taps;
#[cfg(test)]
mod tests;
pub(crate) mod tile;
mod time;

pub use border::Border;
pub use conv3d::{Conv3d, ConvOptions, Kernel, flip_kernels};
pub use rf::Rf;
pub use separable::Factors;
