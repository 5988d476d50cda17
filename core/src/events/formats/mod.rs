//! How cameras and archives write events: a decoder a file, and encoders where the format is simple.
//!
//! | format | decoder | encoder |
//! |---|---|---|
//! | Prophesee EVT 2.0 (`.raw`) | [`Evt2`] | [`Evt2Encoder`] |
//! | Prophesee EVT 2.1 (`.raw`), both orders of bytes | [`Evt21`] | |
//! | Prophesee EVT 3.0 (`.raw`) | [`Evt3`] | |
//! | Prophesee DAT 2 (`.dat`) | [`Dat`] | |
//! | jAER AEDAT 2 (`.aedat`), DVS128 and DAVIS | [`Aedat2`] | |
//! | N-MNIST, N-Caltech101 (`.bin`) | [`NMnist`] | |
//!
//! Every decoder is a [`Decode`](crate::events::Decode): pieces of any length, no panic on any bytes, a fixed size of at
//! most 64 bytes and the line buffer of its [`Header`].

pub mod aedat2;
mod align;
mod burst;
pub mod camera;
mod clock;
pub mod dat;
pub mod evt2;
pub mod evt21;
pub mod evt2_encoder;
pub mod evt3;
mod frame;
pub mod header;
#[cfg(test)]
mod laws;
pub mod nmnist;
pub mod stamped;

pub use aedat2::Aedat2;
pub use camera::Camera;
pub use dat::Dat;
pub use evt2::Evt2;
pub use evt2_encoder::Evt2Encoder;
pub use evt3::Evt3;
pub use evt21::{Evt21, Order};
pub use header::{Encoding, Header, Line};
pub use nmnist::NMnist;
