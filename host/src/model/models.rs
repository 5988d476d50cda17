//! Built-in models by name, for the command line and as starting points.
//!
//! | name | what it does |
//! |---|---|
//! | `retina` | centre minus surround, each a chain of three exponentials through 5 x 5 Gaussians, rectified |
//! | `centre_surround` | the same without the rectifier |
//! | `transient` | a fast low-pass minus a slow one: responds to change |
//! | `smooth` | a low-pass |
//!
//! ```
//! use foveola::{Resolution, models};
//! let mut retina = models::build("retina", Resolution::DEFAULT)?.model;
//! let response = retina.run(&ndarray::Array3::<f32>::ones((100, 48, 64)), 50)?;
//! assert!(response.iter().all(|y| *y >= 0.0));
//! # Ok::<(), foveola::Error>(())
//! ```

use crate::{Branches, LowPass, Model, NLRectify, Resolution, Result, SmoothConv, Weight};
use ndarray::Array3;

/// A model and its parts, for display.
pub struct Named {
    /// The whole model.
    pub model: Model,
    /// Parts of the model, each with a name. They receive the same frames.
    pub parts: Vec<(&'static str, Model)>,
}

type Build = fn(Resolution) -> Result<Named>;

/// Names, descriptions and constructors.
const MODELS: [(&str, &str, Build); 4] = [
    ("retina", "centre minus surround, rectified", retina),
    ("centre_surround", "centre minus surround", centre_surround),
    ("transient", "a fast low-pass minus a slow one", transient),
    ("smooth", "a low-pass", smooth),
];

/// The names of the models, each with a description.
pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    MODELS.iter().map(|(name, about, _)| (*name, *about))
}

/// The model called `name`, for frames of one channel.
///
/// # Errors
/// [`Error::Unknown`](crate::Error) for another name; [`Error::Layer`](crate::Error) for an impossible resolution.
pub fn build(name: &str, resolution: Resolution) -> Result<Named> {
    let builders = MODELS.map(|(name, _, build)| (name, build));
    crate::names::find("model", &builders, name)?(resolution)
}

/// Three exponentials of `tau` seconds, each through a 5 x 5 Gaussian of `sigma` pixels; gain 1 at DC.
fn blob(tau: f64, sigma: f64, resolution: Resolution) -> Result<SmoothConv> {
    let spatial = Array3::from_shape_fn((3, 5, 5), |(_, r, c)| {
        let square = |i: usize| (i as f64 - 2.0) * (i as f64 - 2.0);
        libm::exp(-(square(r) + square(c)) / (2.0 * sigma * sigma)) as f32
    });
    SmoothConv::new(&[tau; 3], Weight::from(spatial).normalize(), resolution)
}

fn centre(resolution: Resolution) -> Result<SmoothConv> {
    blob(0.006, 0.8, resolution)
}

fn surround(resolution: Resolution) -> Result<SmoothConv> {
    blob(0.010, 3.0, resolution)
}

fn centre_surround(resolution: Resolution) -> Result<Named> {
    let (centre, surround) = (centre(resolution)?, surround(resolution)?);
    let model = Model::new().then(Branches::new().plus(centre.clone()).minus(surround.clone()));
    Ok(Named { model, parts: vec![("centre", Model::of(centre)), ("surround", Model::of(surround))] })
}

fn retina(resolution: Resolution) -> Result<Named> {
    let named = centre_surround(resolution)?;
    Ok(Named { model: named.model.then(NLRectify), ..named })
}

fn transient(resolution: Resolution) -> Result<Named> {
    let (fast, slow) = (LowPass::new(0.005, resolution)?, LowPass::new(0.050, resolution)?);
    let model = Model::new().then(Branches::new().plus(fast).minus(slow));
    Ok(Named { model, parts: vec![("fast", Model::of(fast)), ("slow", Model::of(slow))] })
}

fn smooth(resolution: Resolution) -> Result<Named> {
    Ok(Named { model: Model::of(LowPass::new(0.020, resolution)?), parts: Vec::new() })
}
