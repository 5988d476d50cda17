//! Allocations whose size depends on frames and kernels. A failure is an [`Error::Memory`] that names the purpose.

use crate::{Error, Result};
use ndarray::Array5;

/// Resizes to `len` samples; new samples are zero.
pub(crate) fn resize<T: Clone + Default>(buffer: &mut Vec<T>, what: &'static str, len: usize) -> Result<()> {
    reserve(buffer, what, len)?;
    buffer.resize(len, T::default());
    Ok(())
}

/// `len` zeros.
pub(crate) fn zeros(what: &'static str, len: usize) -> Result<Vec<f32>> {
    let mut buffer = Vec::new();
    resize(&mut buffer, what, len)?;
    Ok(buffer)
}

/// Zeros of shape `shape`.
pub(crate) fn array(what: &'static str, shape: [usize; 5]) -> Result<Array5<f32>> {
    let samples = shape.into_iter().fold(1, usize::saturating_mul);
    Array5::from_shape_vec(shape, zeros(what, samples)?).map_err(|_| Error::Memory { what, samples })
}

/// The samples of an iterator that yields `len` of them.
pub(crate) fn collect(what: &'static str, len: usize, samples: impl Iterator<Item = f32>) -> Result<Vec<f32>> {
    let mut buffer = Vec::new();
    reserve(&mut buffer, what, len)?;
    buffer.extend(samples);
    Ok(buffer)
}

/// Makes `buffer` a copy of `samples`.
pub(crate) fn copy(buffer: &mut Vec<f32>, what: &'static str, samples: &[f32]) -> Result<()> {
    buffer.clear();
    reserve(buffer, what, samples.len())?;
    buffer.extend_from_slice(samples);
    Ok(())
}

fn reserve<T>(buffer: &mut Vec<T>, what: &'static str, samples: usize) -> Result<()> {
    let more = samples.saturating_sub(buffer.len());
    buffer.try_reserve_exact(more).map_err(|_| Error::Memory { what, samples })
}
