//! Pictures of a model's activity: contact sheets, plots of traces, animations.
//!
//! | function | file | shows |
//! |---|---|---|
//! | [`contact_sheet`] | PNG | stages of a model (rows) at the times of high activity (columns) |
//! | [`traces`] | PNG | values over time, in stacked charts with axes and legends |
//! | [`curves`] | PNG | curves over any quantity, such as a frequency, in panels side by side |
//! | [`panels`] | PNG | rows of curves and of images with axes and colour bars |
//! | [`roc`] | PNG | signal retention over noise retention of event filters |
//! | [`animation`], [`AnimationWriter`] | GIF | animated stages side by side |
//!
//! [`Stages`] collects frames of the stages while a model runs, and a [`TimeCourse`] the samples of a pixel, both in bounded
//! memory: the same code handles ten frames and an endless recording. NaN and infinite samples are drawn in a green that no
//! colour map contains. Constant frames and frames of one pixel are allowed.
//!
//! Everything is drawn by this module with a bundled font: no system fonts, no C library, the same picture on every
//! platform.
//!
//! ```
//! use foveola::picture::{Sheet, Stage, Stages, contact_sheet};
//! use ndarray::Array3;
//!
//! let mut stages = Stages::new([Stage::new("input"), Stage::new("output")]);
//! for t in 0..100 {
//!     let frame = Array3::from_shape_fn((1, 12, 16), |(_, row, col)| ((row * col + t) % 20) as f32);
//!     stages.push(t as f64 * 1e-3, &[frame.view(), (&frame - 10.0).view()])?;
//! }
//! let path = std::env::temp_dir().join(format!("foveola-doc-sheet-{}.png", std::process::id()));
//! contact_sheet(&path, &stages, &Sheet::default())?;
//! # std::fs::remove_file(path).expect("written above");
//! # Ok::<(), foveola::Error>(())
//! ```

mod activity;
mod animation;
mod canvas;
mod color;
mod curves;
mod frame;
mod gif_file;
mod image;
mod panels;
mod roc;
mod sheet;
mod shrink;
mod stage;
mod stages;
mod text;
mod ticks;
mod time_course;
mod traces;

pub use activity::PixelActivity;
pub use animation::{Animation, AnimationWriter, Panel, animation};
pub use color::Map;
pub use curves::{Curve, CurvePanel, curves};
pub use image::ImagePanel;
pub use panels::{PlotPanel, panels};
pub use roc::{RocPanel, roc};
pub use sheet::{Sheet, contact_sheet};
pub use shrink::Shrink;
pub use stage::Stage;
pub use stages::Stages;
pub use time_course::TimeCourse;
pub use traces::{Chart, Plot, Series, traces};

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
