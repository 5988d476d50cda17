//! Kernels as arrays: impulse responses for `set_weight`. The equations of those of `convis` are in
//! [`foveola_core::kernels`].
//!
//! ```
//! use foveola::{Resolution, kernels};
//! use foveola::kernels::{ExponentialFilter, GaussFilter};
//! let taps = kernels::exponential_filter_1d(&ExponentialFilter::new(0.01), Resolution::DEFAULT)?;
//! assert_eq!(taps.len(), 47);
//! let blur = kernels::gauss_filter_2d(&GaussFilter::new(0.2, 0.2), Resolution::DEFAULT)?;
//! assert_eq!(blur.dim(), (13, 13));
//! # Ok::<(), foveola::Error>(())
//! ```

mod gabor;
mod gaussian;
mod noise;

pub use gabor::{Drift, Gabor};
pub use gaussian::{difference_of_gaussians, gaussian};
pub use noise::noise;

use crate::error::in_range;
use crate::taps::MAX_WEIGHTS;
use crate::{Error, Resolution, Result};
pub use foveola_core::kernels::{ExponentialFilter, ExponentialKernel, GaussFilter};
use ndarray::{Array1, Array2};

fn room(samples: usize) -> Result<Vec<f32>> {
    if samples > MAX_WEIGHTS {
        return Err(Error::Memory { what: "a kernel", samples });
    }
    Ok(vec![0.0; samples])
}

fn positive(item: &'static str, name: &'static str, value: f64) -> Result<()> {
    in_range(item, name, value, value > 0.0 && value.is_finite(), "a positive finite number")
}

/// A temporal kernel of a given length.
///
/// # Errors
/// A parameter outside its range.
pub fn exponential_kernel(kernel: &ExponentialKernel) -> Result<Array1<f32>> {
    let mut taps = room(kernel.len())?;
    kernel.write(&mut taps).map_err(|source| Error::layer("ExponentialKernel", source))?;
    Ok(taps.into())
}

/// A temporal kernel whose length follows from its time constant.
///
/// # Errors
/// A parameter outside its range.
pub fn exponential_filter_1d(filter: &ExponentialFilter, resolution: Resolution) -> Result<Array1<f32>> {
    let name = |source| Error::layer("exponential_filter_1d", source);
    let mut taps = room(filter.len(resolution).map_err(name)?)?;
    filter.write(resolution, &mut taps).map_err(name)?;
    Ok(taps.into())
}

/// `[1, -exponential_filter_1d]` with an area of `relative_weight`.
///
/// # Errors
/// A parameter outside its range.
pub fn highpass_exponential_filter_1d(tau: f64, relative_weight: f64, resolution: Resolution) -> Result<Array1<f32>> {
    let name = |source| Error::layer("highpass_exponential_filter_1d", source);
    let filter = ExponentialFilter { amplification: relative_weight, ..ExponentialFilter::new(tau) };
    let mut taps = room(filter.len(resolution).map_err(name)?.saturating_add(1))?;
    foveola_core::kernels::highpass_exponential(tau, relative_weight, resolution, &mut taps).map_err(name)?;
    Ok(taps.into())
}

/// A Gaussian kernel `(row, col)`.
///
/// # Errors
/// A parameter outside its range.
pub fn gauss_filter_2d(filter: &GaussFilter, resolution: Resolution) -> Result<Array2<f32>> {
    let name = |source| Error::layer("gauss_filter_2d", source);
    let [rows, cols] = filter.size(resolution).map_err(name)?;
    let mut weights = room(rows.saturating_mul(cols))?;
    filter.write(resolution, &mut weights).map_err(name)?;
    Array2::from_shape_vec((rows, cols), weights)
        .map_err(|_| Error::Memory { what: "a kernel", samples: rows.saturating_mul(cols) })
}
