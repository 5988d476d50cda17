//! Pictures of what a model does: contact sheets, plots of traces, animations.
//!
//! | function | file | shows |
//! |---|---|---|
//! | [`contact_sheet`] | PNG | stages of a model (rows) at evenly chosen times (columns) |
//! | [`traces`] | PNG | values over time, with axes and legend |
//! | [`roc`] | PNG | signal kept over noise kept, for filters of events |
//! | [`animation`], [`AnimationWriter`] | GIF | stages side by side, in motion |
//!
//! A [`Stage`] collects the frames of one stage while a model runs and keeps an even selection of bounded size, so
//! the same few lines serve ten frames and an endless recording. Samples that are NaN or infinite are drawn in a green
//! that no colour map has; constant frames and frames of one pixel are fine.
//!
//! Everything is drawn here, with a bundled font: no system fonts, no C library, the same picture everywhere.
//!
//! ```
//! use foveola::picture::{Sheet, Stage, contact_sheet};
//! use ndarray::Array2;
//!
//! let mut input = Stage::new("input");
//! let mut output = Stage::new("output");
//! for t in 0..100 {
//!     let frame = Array2::from_shape_fn((12, 16), |(row, col)| ((row * col + t) % 20) as f32);
//!     input.push(t as f64 * 1e-3, frame.view())?;
//!     output.push(t as f64 * 1e-3, (frame - 10.0).view())?;
//! }
//! let path = std::env::temp_dir().join(format!("foveola-doc-sheet-{}.png", std::process::id()));
//! contact_sheet(&path, &[input, output], &Sheet::default())?;
//! # std::fs::remove_file(path).expect("written above");
//! # Ok::<(), foveola::Error>(())
//! ```

mod animation;
mod canvas;
mod color;
mod roc;
mod sheet;
mod stage;
mod text;
mod ticks;
mod traces;

pub use animation::{Animation, AnimationWriter, Panel, animation};
pub use color::Map;
pub use roc::{RocPanel, roc};
pub use sheet::{Sheet, contact_sheet};
pub use stage::Stage;
pub use traces::{Plot, Series, traces};

use crate::Error;
use std::path::Path;

/// An error about the picture at `path`.
fn no_picture(path: &Path, reason: impl Into<String>) -> Error {
    Error::Picture { path: path.to_owned(), reason: reason.into() }
}

/// An error of the file at `path`.
fn io_error(path: &Path, source: std::io::Error) -> Error {
    Error::Io { path: path.to_owned(), source }
}
