#![no_std]
#![forbid(unsafe_code)]
//! What a board runs, without a board: it brings the sensor up, filters its events, and sends where the most happens.
//!
//! ```text
//! EventSource --bytes--> Pipeline --frames--> strongest locations --packets--> Outbox | send --> Write
//!      ^                                                                              |
//!      +-- start again, with back-off, when it fails      Watchdog <-- every turn    full: dropped, counted
//! ```
//! | module | what |
//! |---|---|
//! | [`app`] | the main loop, one turn at a time, and what it reports |
//! | [`outbox`] | packets between the main loop and the output, which may block |
//! | [`packet`] | how they look on the wire |
//! | [`mod@strongest`] | the largest samples of a frame |
//!
//! A board brings an [`EventSource`](foveola_sensor::EventSource), a clock, a [`Write`](embedded_io_async::Write) and a
//! [`Watchdog`], and polls two futures together: [`App::run`] and [`send`].

pub mod app;
pub mod outbox;
pub mod packet;
pub mod strongest;

pub use app::{App, Counters, Notice, Watchdog};
pub use outbox::{Outbox, send};
pub use packet::Packet;
pub use strongest::{Location, strongest};
