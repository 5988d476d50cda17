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

/// A number of a Poisson distribution with the mean `rate`, from a uniform number of 0 to 1: the inverse of the distribution function.
fn poisson(rate: f64, uniform: f64) -> f32 {
    let (mut count, mut probability) = (0_u32, (-rate).exp());
    let mut sum = probability;
    while uniform > sum && probability > 0.0 {
        count += 1;
        probability *= rate / f64::from(count);
        sum += probability;
    }
    count as f32
}

/// Poisson counts with these means.
pub(crate) fn counts(seed: u64, rates: impl ExactSizeIterator<Item = f32>) -> Vec<f32> {
    let uniform = noise(seed, rates.len());
    rates.zip(uniform).map(|(rate, uniform)| poisson(f64::from(rate), f64::from(uniform) + 0.5)).collect()
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
    fn counts_have_their_mean_and_variance() {
        for rate in [0.03_f32, 2.0] {
            let counts = counts(1, std::iter::repeat_n(rate, 100_000));
            let mean = counts.iter().sum::<f32>() / 1e5;
            let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f32>() / 1e5;
            let off = 5.0 * (rate / 1e5).sqrt();
            assert!((mean - rate).abs() < off && (variance / rate - 1.0).abs() < 0.1, "{rate}: {mean} {variance}");
        }
    }

    #[test]
    fn a_flicker_is_held() {
        let flicker = flicker(1, [10, 2, 3], 4, 0.5);
        assert!((0..10).all(|t| flicker[(t, 1, 2)] == flicker[(t / 4 * 4, 1, 2)]));
        assert!(flicker.iter().all(|x| x.abs() == 0.5) && flicker.iter().any(|x| *x < 0.0));
    }
}
