//! Stimuli and counts from seeds, and their files.

use foveola::npy::NpyWriter;
use foveola::{Result, kernels};
use foveola_cli::bench::noise;
use ndarray::{Array3, ArrayView3};
use std::path::Path;

/// White Gaussian noise `(time, row, col)` of variance 1.
pub(crate) fn white(seed: u64, shape: [usize; 3]) -> Result<Array3<f32>> {
    let [frames, rows, cols] = shape;
    let noise = kernels::noise(seed, 1.0, &shape)?;
    Ok(noise.into_shape_with_order((frames, rows, cols)).unwrap_or_default())
}

/// A flicker of -`contrast` and `contrast`, `(time, row, col)`, in which each frame stays for `hold` frames.
pub(crate) fn flicker(seed: u64, [frames, rows, cols]: [usize; 3], hold: usize, contrast: f32) -> Array3<f32> {
    let signs = noise(seed, frames.div_ceil(hold) * rows * cols);
    Array3::from_shape_fn((frames, rows, cols), |(t, r, c)| {
        contrast.copysign(signs[((t / hold) * rows + r) * cols + c])
    })
}

/// Writes an array into the folder, if there is one.
pub(crate) fn write(folder: Option<&Path>, name: &str, array: ArrayView3<'_, f32>) -> Result<()> {
    let Some(folder) = folder else { return Ok(()) };
    let mut writer = NpyWriter::create(folder.join(name).with_extension("npy"))?;
    for frame in array.outer_iter() {
        writer.push(frame.insert_axis(ndarray::Axis(0)))?;
    }
    writer.finish().map(drop)
}

/// Writes numbers one below the other.
pub(crate) fn write_list(folder: Option<&Path>, name: &str, list: &[f32]) -> Result<()> {
    write(
        folder,
        name,
        ArrayView3::from_shape((list.len(), 1, 1), list)
            .unwrap_or_else(|_| ArrayView3::from_shape((0, 1, 1), &[]).expect("no numbers")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flicker_is_held() {
        let flicker = flicker(1, [10, 2, 3], 4, 0.5);
        assert!((0..10).all(|t| flicker[(t, 1, 2)] == flicker[(t / 4 * 4, 1, 2)]));
        assert!(flicker.iter().all(|x| x.abs() == 0.5) && flicker.iter().any(|x| *x < 0.0));
    }
}
