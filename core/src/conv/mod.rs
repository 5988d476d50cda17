//! Convolutions in space and time: [`Conv3d`] (and its special cases in space or time alone), and [`Rf`].

mod border;
mod conv3d;
mod rf;
pub(crate) mod tile;

pub use border::Border;
pub(crate) use conv3d::pad_row;
pub use conv3d::{Conv3d, ConvOptions, Kernel, flip_kernels};
pub use rf::Rf;
