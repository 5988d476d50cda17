#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_debug_implementations)]
#![doc = include_str!("../README.md")]
//!
//! # How it is built
//! ```text
//! I2c, reset pin -> GenX320 -+
//!                            +-> Camera: EventSource -> bytes, and whether some were lost before them
//! parallel port  -> Port ----+
//! ```
//! | module | what |
//! |---|---|
//! | [`source`] | [`EventSource`], and [`Camera`]: a driver and a port that together are one |
//! | [`genx320`] | the driver of Prophesee's GenX320 |
//! | [`registers`] | its registers and their values, with the sources of both |
//! | [`error`] | what can be wrong with a sensor |
//! | [`backoff`] | how long to wait before the next attempt |
//! | [`simulated`] | a sensor that answers, lies, and falls silent as told, for tests and emulators |
//!
//! A board brings an [`I2c`](embedded_hal_async::i2c::I2c), a pin, a clock, and a [`Port`] that moves bytes.

pub mod backoff;
pub mod error;
pub mod genx320;
pub mod registers;
pub mod simulated;
pub mod source;

pub use backoff::Backoff;
pub use error::SensorError;
pub use genx320::{Chip, GenX320, PixelClock};
pub use source::{Camera, EventSource, Piece, Port};
