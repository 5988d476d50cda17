//! Fits models to recordings.

pub mod direct;
