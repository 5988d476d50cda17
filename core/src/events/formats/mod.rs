//! How cameras and archives write events: a decoder a file, and encoders where the format is simple.
//!
//! | format | decoder | encoder |
//! |---|---|---|
//! | Prophesee EVT 2.0 (`.raw`) | [`Evt2`] | [`Evt2Encoder`] |
//! | N-MNIST, N-Caltech101 (`.bin`) | [`NMnist`] | |
//!
//! Every decoder is a [`Decode`](crate::events::Decode): pieces of any length, no panic on any bytes, a fixed size.

mod align;
pub mod evt2;
pub mod evt2_encoder;
pub mod header;
pub mod nmnist;

pub use evt2::Evt2;
pub use evt2_encoder::Evt2Encoder;
pub use header::{Encoding, Header, Line};
pub use nmnist::NMnist;
