//! The implementation of each command.

pub(crate) mod applies;
pub(crate) mod bench;
mod boards;
pub(crate) mod chosen;
pub(crate) mod convert;
pub(crate) mod denoise;
pub(crate) mod devices;
mod export;
pub(crate) mod fit;
mod gallery;
mod guard;
pub(crate) mod info;
pub(crate) mod input;
mod layers;
mod layers_svg;
pub(crate) mod model;
mod models;
mod plot;
mod probe;
mod quantise;
pub(crate) mod record;
pub(crate) mod resume;
pub(crate) mod run;
pub(crate) mod simulate;
mod stimulus;
mod weights;
