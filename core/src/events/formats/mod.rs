//! Event formats of cameras and archives: one module per decoder, and encoders where the format is simple.
//!
//! | format | decoder | encoder |
//! |---|---|---|
//! | Prophesee EVT 2.0 (`.raw`) | [`Evt2`] | [`Evt2Encoder`] |
//! | Prophesee EVT 2.1 (`.raw`), both byte orders | [`Evt21`] | [`Evt21Encoder`] |
//! | Prophesee EVT 3.0 (`.raw`) | [`Evt3`] | [`Evt3Encoder`] |
//! | Prophesee DAT 2 (`.dat`) | [`Dat`] | [`DatEncoder`] |
//! | Event Stream 2 (`.es`), DVS events | [`EventStream`] | [`EventStreamEncoder`] |
//! | jAER AEDAT 2 (`.aedat`), DVS128, DAVIS and DVS640 | [`Aedat2`] | |
//! | cAER AEDAT 3.1 (`.aedat`), polarity events | [`Aedat31`] | |
//! | N-MNIST, N-Caltech101 (`.bin`) | [`NMnist`] | [`NMnistEncoder`] |
//! | `GenX320` AER, 19 bits without a time | [`Aer`] | [`Aer`] |
//!
//! Every decoder but [`Aer`] is a [`Decode`](crate::events::Decode): chunks of any length, no panic on any bytes, a
//! fixed size of at most 104 bytes and the line buffer of its [`Header`].

pub mod aedat2;
pub mod aedat31;
pub mod aer;
mod align;
mod burst;
pub mod camera;
mod clock;
pub mod dat;
pub mod dat_encoder;
pub mod event_stream;
pub mod event_stream_encoder;
pub mod evt2;
pub mod evt21;
pub mod evt21_encoder;
pub mod evt2_encoder;
pub mod evt3;
pub mod evt3_encoder;
mod frame;
pub mod header;
#[cfg(test)]
mod laws;
pub mod nmnist;
pub mod nmnist_encoder;
pub mod stamped;

pub use aedat2::Aedat2;
pub use aedat31::Aedat31;
pub use aer::Aer;
pub use camera::{Camera, CameraWord};
pub use dat::Dat;
pub use dat_encoder::DatEncoder;
pub use event_stream::{EventStream, Refused};
pub use event_stream_encoder::EventStreamEncoder;
pub use evt2::{Evt2, Evt2Of, LiveEvt2};
pub use evt2_encoder::Evt2Encoder;
pub use evt3::{Evt3, Evt3Of, LiveEvt3};
pub use evt3_encoder::Evt3Encoder;
pub use evt21::{Evt21, Evt21Of, LiveEvt21, Order};
pub use evt21_encoder::Evt21Encoder;
pub use header::{Encoding, Header, Line, Lines, NoHeader};
pub use nmnist::NMnist;
pub use nmnist_encoder::NMnistEncoder;
