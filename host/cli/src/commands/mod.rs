//! The implementation of each command.

pub(crate) mod applies;
pub(crate) mod bench;
mod boards;
pub(crate) mod chosen;
pub(crate) mod convert;
pub(crate) mod denoise;
pub(crate) mod devices;
mod export;
mod gallery;
pub(crate) mod info;
pub(crate) mod input;
pub(crate) mod model;
mod models;
mod probe;
pub(crate) mod record;
pub(crate) mod run;
