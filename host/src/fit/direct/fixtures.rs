//! Stimuli and neurons of the tests.

use crate::kernels::noise;
use crate::{Model, Movie, RF};
use ndarray::{Array2, Array4, Array5, ArrayD};

/// White Gaussian noise `(channel, time, row, col)` of variance 1.
pub(super) fn white(seed: u64, [channels, frames, rows, cols]: [usize; 4]) -> Array4<f32> {
    let noise = noise(seed, 1.0, &[channels, frames, rows, cols]).expect("noise");
    noise.into_dimensionality().expect("four axes")
}

/// A kernel `(neuron, channel, time, row, col)` of random weights.
pub(super) fn random_kernel(seed: u64, shape: [usize; 5]) -> Array5<f32> {
    noise(seed, 0.5, &shape).expect("noise").into_dimensionality().expect("five axes")
}

/// The responses `(time, neuron)` of a model with these receptive fields.
pub(super) fn respond<'a>(kernel: &Array5<f32>, stimulus: impl Movie<'a>) -> Array2<f32> {
    let (neurons, channels, taps, ..) = kernel.dim();
    let field = RF::new(channels, neurons, taps).expect("a field").with_weight(kernel).expect("weights");
    let out = Model::of(field).run(stimulus, 1000).expect("responses");
    let frames = out.dim().2;
    Array2::from_shape_fn((frames, neurons), |(t, n)| out[(0, n, t, 0, 0)])
}

/// The largest difference of two arrays of one shape.
pub(super) fn distance<D: ndarray::Dimension>(a: &ndarray::Array<f32, D>, b: &ndarray::Array<f32, D>) -> f32 {
    assert_eq!(a.shape(), b.shape(), "equal shapes");
    a.iter().zip(b).fold(0.0, |most, (a, b)| if (a - b).abs() <= most { most } else { (a - b).abs() })
}

/// `noise` as an array with its shape known at run time, so that `Movie` is also tested with those.
pub(super) fn dynamic(array: &Array4<f32>) -> ArrayD<f32> {
    array.clone().into_dyn()
}
