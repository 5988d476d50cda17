//! Kernels in pixels and frames for constants: weights in flash, without a build script.
//!
//! ```text
//! uniform                  1 / N
//! gaussian                 G(r, c; s) = exp(-r^2 / (2 s_row^2) - c^2 / (2 s_col^2)) / sum of the same over the array
//! difference of gaussians  G(r, c; s) - ratio G(r, c; s_surround)
//! gabor                    exp(-(x'^2 + aspect^2 y'^2) / (2 sigma^2)) cos(2 pi x' / wavelength + phase)
//!                          x' = c cos(orientation) + r sin(orientation),   y' = r cos(orientation) - c sin(orientation)
//! exponential              n = 0: exp(-(i + 0.4) / tau) / tau,   n > 0: (n t)^n exp(-n t / tau) / ((n-1)! tau^(n+1)),   t = i + 1
//! ```
//! `r`, `c` are the distances in pixels from the centre of the array, half a pixel for even sizes; `i` counts frames. All numbers
//! are computed in `f64` and rounded once. The exponential and the cosine are within a unit in the last place of `libm`'s, so a
//! sample has the bits that `libm` gives ([`ExponentialKernel`](super::ExponentialKernel), and the host's Gaussians and Gabors), but
//! for about one in 10^8, which is 1 unit in the last place of `f32` beside it, and zeros of a Gabor, which are within 3e-16 of 0.
//! Cost: nothing at run time; a kernel of 25 x 25 takes the compiler some milliseconds.
//!
//! ```
//! use foveola_core::kernels::pixels;
//! use foveola_core::{constant, Conv3d, ConvOptions, Graph, Kernel, Node, Shape, Source, Stage};
//!
//! static CENTRE_SURROUND: [f32; 25] = constant!(pixels::difference_of_gaussians([5, 5], 0.6, 1.2, 1.0));
//! const SHAPE: Shape = Shape::new(1, 8, 16);
//! static NODES: [Node; 1] = [Node::Filter(
//!     Source::Input,
//!     Stage::Conv3d(constant!(Conv3d::new(SHAPE, Kernel::new(&CENTRE_SURROUND, [1, 1, 1, 5, 5]), ConvOptions::DEFAULT))),
//! )];
//! const MODEL: Graph = constant!(Graph::new(SHAPE, &NODES));
//! assert_eq!(MODEL.signature().output, SHAPE);
//! assert!(CENTRE_SURROUND[12] > 0.0 && CENTRE_SURROUND[0] < 0.0);
//! ```
//! A mistake does not compile:
//!
//! ```compile_fail
//! use foveola_core::{constant, kernels::pixels};
//! const K: [f32; 25] = constant!(pixels::gaussian([5, 4], [1.0, 1.0])); // 25 samples where 20 are needed
//! ```

use super::elementary::{LARGEST, cos, exp, sin};
use super::{FACTORS, finite, positive};
use crate::Error;
use crate::error::exact;
use core::f64::consts::TAU;

/// A mean: `N` weights of `1 / N`.
///
/// ```
/// use foveola_core::kernels::pixels;
/// const MEAN: [f32; 9] = pixels::uniform();
/// assert_eq!(MEAN, [1.0 / 9.0; 9]);
/// ```
pub const fn uniform<const N: usize>() -> [f32; N] {
    [(1.0 / N as f64) as f32; N]
}

/// A Gaussian of `size` rows and columns, whose sum is 1, with standard deviations `sigma` `[row, col]` in pixels, above 0.
///
/// ```
/// use foveola_core::{constant, kernels::pixels};
/// const BLUR: [f32; 25] = constant!(pixels::gaussian([5, 5], [0.8, 0.8]));
/// assert!((BLUR.iter().sum::<f32>() - 1.0).abs() < 1e-6 && BLUR[12] > 4.0 * BLUR[10]);
/// ```
///
/// # Errors
/// [`Error::Length`] unless `N` is rows x columns; [`Error::Parameter`] for a standard deviation that is not above 0, or so small
/// that no sample of an even size is left.
pub const fn gaussian<const N: usize>(size: [usize; 2], sigma: [f64; 2]) -> Result<[f32; N], Error> {
    let [rows, cols] = size;
    if let Err(error) = has_size(N, size) {
        return Err(error);
    }
    let (row, col) = match (profile::<N>(rows, sigma[0]), profile::<N>(cols, sigma[1])) {
        (Ok(row), Ok(col)) => (row, col),
        (Err(error), _) | (_, Err(error)) => return Err(error),
    };
    let (mut weights, mut i) = ([0.0; N], 0);
    while i < N {
        weights[i] = (row[i / cols] * col[i % cols]) as f32;
        i += 1;
    }
    Ok(weights)
}

/// A Gaussian of `sigma` pixels minus `ratio` times one of `surround` pixels: a centre and its surround. The sum is `1 - ratio`.
///
/// ```
/// use foveola_core::{constant, kernels::pixels};
/// const FIELD: [f32; 49] = constant!(pixels::difference_of_gaussians([7, 7], 0.8, 2.0, 1.0));
/// assert!(FIELD.iter().sum::<f32>().abs() < 1e-6); // 0 for uniform light
/// ```
///
/// # Errors
/// As [`gaussian`]; a `ratio` that is not a finite number.
pub const fn difference_of_gaussians<const N: usize>(
    size: [usize; 2],
    sigma: f64,
    surround: f64,
    ratio: f64,
) -> Result<[f32; N], Error> {
    if let Err(error) = finite("ratio", ratio) {
        return Err(error);
    }
    let (mut weights, around) = match (gaussian::<N>(size, [sigma, sigma]), gaussian::<N>(size, [surround, surround])) {
        (Ok(weights), Ok(around)) => (weights, around),
        (Err(error), _) | (_, Err(error)) => return Err(error),
    };
    let mut i = 0;
    while i < N {
        weights[i] = (weights[i] as f64 - ratio * around[i] as f64) as f32;
        i += 1;
    }
    Ok(weights)
}

/// A grating under a Gaussian; see the [equation](self).
///
/// ```
/// use foveola_core::{constant, kernels::pixels::Gabor};
/// const EDGE: [f32; 81] =
///     constant!(Gabor { phase: core::f64::consts::FRAC_PI_2, ..Gabor::new(2.0, 6.0) }.write([9, 9])); // odd
/// assert!(EDGE.iter().sum::<f32>().abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gabor {
    /// Standard deviation of the Gaussian along the grating, in pixels, above 0.
    pub sigma: f64,
    /// Length of a cycle in pixels, above 0.
    pub wavelength: f64,
    /// Direction in which the grating varies, in radians: 0 along the columns, towards the rows.
    pub orientation: f64,
    /// Phase of the grating at the centre, in radians: 0 is even, 90 degrees odd.
    pub phase: f64,
    /// `sigma` over the standard deviation along the bars, above 0.
    pub aspect: f64,
}

impl Gabor {
    /// Vertical bars, even, under a round Gaussian.
    pub const fn new(sigma: f64, wavelength: f64) -> Self {
        Self { sigma, wavelength, orientation: 0.0, phase: 0.0, aspect: 1.0 }
    }

    /// The kernel of `size` rows and columns.
    ///
    /// # Errors
    /// [`Error::Length`] unless `N` is rows x columns; [`Error::Parameter`] for a parameter outside its range, and for angles of
    /// more than 10^5 radians anywhere in the kernel.
    pub const fn write<const N: usize>(&self, size: [usize; 2]) -> Result<[f32; N], Error> {
        let Self { sigma, wavelength, orientation, phase, aspect } = *self;
        let [rows, cols] = size;
        if let Err(error) = has_size(N, size) {
            return Err(error);
        }
        let lengths = [("sigma", sigma), ("wavelength", wavelength), ("aspect", aspect)];
        let mut i = 0;
        while i < lengths.len() {
            if let Err(error) = positive(lengths[i].0, lengths[i].1) {
                return Err(error);
            }
            i += 1;
        }
        let angles = [
            ("orientation", orientation),
            ("phase", phase),
            (
                "rows and columns over the wavelength, in radians, with the phase",
                TAU * (rows + cols) as f64 / wavelength + phase.abs(),
            ),
        ];
        i = 0;
        while i < angles.len() {
            let (name, value) = angles[i];
            if value.is_nan() || value.abs() > LARGEST {
                return Err(Error::Parameter { name, value, expected: "at most 100,000 radians" });
            }
            i += 1;
        }
        let (sin, cosine) = (sin(orientation), cos(orientation));
        let mut weights = [0.0; N];
        i = 0;
        while i < N {
            let (r, c) = (from_centre(i / cols, rows), from_centre(i % cols, cols));
            let (x, y) = (c * cosine + r * sin, r * cosine - c * sin);
            let (u, v) = (x / sigma, aspect * y / sigma);
            weights[i] = (exp(-0.5 * (u * u + v * v)) * cos(TAU * (x / wavelength) + phase)) as f32;
            i += 1;
        }
        Ok(weights)
    }
}

/// `L` frames of an exponential with a time constant of `tau` frames and an area of 1, or of `n` of them in a cascade: the samples
/// of [`ExponentialKernel`](super::ExponentialKernel).
///
/// ```
/// use foveola_core::{constant, kernels::pixels};
/// const RECENT: [f32; 40] = constant!(pixels::exponential(0, 8.0));
/// const LATER: [f32; 40] = constant!(pixels::exponential(3, 8.0)); // rises first
/// assert!(RECENT[0] > RECENT[1] && LATER[0] < LATER[5]);
/// ```
///
/// # Errors
/// [`Error::Parameter`] for a `tau` that is not above 0, no frames, or more than 1024 exponentials.
pub const fn exponential<const L: usize>(n: u32, tau: f64) -> Result<[f32; L], Error> {
    if let Err(error) = positive("tau", tau) {
        return Err(error);
    }
    if L == 0 {
        return Err(Error::Parameter { name: "length", value: 0.0, expected: "1 or more" });
    }
    if n > FACTORS {
        return Err(Error::Parameter { name: "n", value: n as f64, expected: "1024 exponentials or fewer" });
    }
    let (mut taps, mut i) = ([0.0; L], 0);
    while i < L {
        let value = if n == 0 {
            1.0 / tau * exp(-(i as f64 + 0.4) / tau)
        } else {
            // As `cascade`: a root of the exponential in each factor, so that no part overflows.
            let (count, mut k) = (n as f64, 1);
            let n_t = count * (i as f64 + 1.0) / tau;
            let root = exp(-n_t / count);
            let mut value = 1.0 / tau * n_t * root;
            while k < n {
                value *= n_t / k as f64 * root;
                k += 1;
            }
            value
        };
        taps[i] = value as f32;
        if !taps[i].is_finite() {
            let expected = "a time constant for which the samples are finite numbers";
            return Err(Error::Parameter { name: "tau", value: tau, expected });
        }
        i += 1;
    }
    Ok(taps)
}

/// Whether `n` samples are an array of `size`.
const fn has_size(n: usize, size: [usize; 2]) -> Result<(), Error> {
    let [rows, cols] = size;
    if rows == 0 || cols == 0 {
        return Err(Error::EmptyKernel { kernel: [1, 1, 1, rows, cols] });
    }
    exact("the kernel", n, rows.saturating_mul(cols))
}

const fn from_centre(i: usize, len: usize) -> f64 {
    i as f64 - (len as f64 - 1.0) / 2.0
}

/// The first `len` samples are a Gaussian with a sum of 1; `len` is at most `N`.
const fn profile<const N: usize>(len: usize, sigma: f64) -> Result<[f64; N], Error> {
    if let Err(error) = positive("sigma", sigma) {
        return Err(error);
    }
    let (mut samples, mut sum, mut i) = ([0.0; N], 0.0, 0);
    while i < len {
        let x = from_centre(i, len) / sigma;
        samples[i] = exp(-0.5 * x * x);
        sum += samples[i];
        i += 1;
    }
    if sum <= 0.0 {
        let expected = "a width of which a sample is left";
        return Err(Error::Parameter { name: "sigma", value: sigma, expected });
    }
    i = 0;
    while i < len {
        samples[i] /= sum;
        i += 1;
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::ExponentialKernel;
    use proptest::prelude::*;

    /// The samples that `libm` gives, in the same order of operations.
    fn gaussian_of_libm<const N: usize>(size: [usize; 2], sigma: [f64; 2]) -> [f32; N] {
        let value = |axis: usize, i: usize| {
            let x = from_centre(i, size[axis]) / sigma[axis];
            libm::exp(-0.5 * x * x)
        };
        let sums = [0, 1].map(|axis| (0..size[axis]).map(|i| value(axis, i)).sum::<f64>());
        core::array::from_fn(|i| (value(0, i / size[1]) / sums[0] * (value(1, i % size[1]) / sums[1])) as f32)
    }

    fn gabor_of_libm<const N: usize>(gabor: Gabor, [rows, cols]: [usize; 2]) -> [f32; N] {
        let (sin, cos) = (libm::sin(gabor.orientation), libm::cos(gabor.orientation));
        core::array::from_fn(|i| {
            let (r, c) = (from_centre(i / cols, rows), from_centre(i % cols, cols));
            let (x, y) = (c * cos + r * sin, r * cos - c * sin);
            let (u, v) = (x / gabor.sigma, gabor.aspect * y / gabor.sigma);
            (libm::exp(-0.5 * (u * u + v * v)) * libm::cos(TAU * (x / gabor.wavelength) + gabor.phase)) as f32
        })
    }

    /// The same bits, or neighbours: how many differ.
    fn differ(found: &[f32], expected: &[f32], zero: f32) -> usize {
        let pairs = found.iter().zip(expected);
        pairs
            .filter(|(a, b)| {
                let near = a.to_bits().abs_diff(b.to_bits()) <= 1 || (**a - **b).abs() <= zero;
                assert!(near, "{a:e} and {b:e}");
                a.to_bits() != b.to_bits() && (**a - **b).abs() > zero
            })
            .count()
    }

    /// 200,000 samples: none differs, where one in 10^8 may.
    #[test]
    fn samples_have_the_bits_of_libm() {
        let mut differing = 0;
        for i in 1..=500 {
            let (a, b) = (0.2 + f64::from(i) * 0.013_1, 7.0 - f64::from(i) * 0.011_3);
            let found = gaussian::<77>([7, 11], [a, b]).expect("a kernel");
            differing += differ(&found, &gaussian_of_libm::<77>([7, 11], [a, b]), 0.0);
            let gabor = Gabor { orientation: a, phase: -2.0 * b, aspect: 0.5 + 0.1 * a, ..Gabor::new(a, b + 1.0) };
            let found = gabor.write::<81>([9, 9]).expect("a kernel");
            differing += differ(&found, &gabor_of_libm::<81>(gabor, [9, 9]), 1e-15);
            for n in [0, 1, 2, 5] {
                let (mut taps, length) = ([0.0_f32; 60], 60 / n.max(1));
                let kernel =
                    ExponentialKernel { tau: a, n, amplification: 1.0, length: length as usize, steps_per_second: 1.0 };
                kernel.write(&mut taps).expect("room");
                differing += differ(&exponential::<60>(n, a).expect("a kernel"), &taps, 0.0);
            }
        }
        assert_eq!(differing, 0);
    }

    #[test]
    fn mistakes_are_errors() {
        assert!(gaussian::<25>([5, 5], [0.0, 1.0]).is_err(), "a width of 0");
        assert!(gaussian::<4>([2, 2], [1e-3, 1.0]).is_err(), "no sample is left");
        assert_eq!(
            gaussian::<25>([5, 4], [1.0; 2]),
            Err(Error::Length { what: "the kernel", found: 25, expected: 20 })
        );
        assert!(gaussian::<0>([0, 5], [1.0; 2]).is_err(), "no rows");
        assert!(difference_of_gaussians::<9>([3, 3], 1.0, 2.0, f64::NAN).is_err(), "a ratio that is no number");
        for gabor in [
            Gabor::new(0.0, 1.0),
            Gabor::new(1.0, -1.0),
            Gabor::new(1.0, 1e-5),
            Gabor { phase: f64::NAN, ..Gabor::new(1.0, 1.0) },
            Gabor { orientation: 2e5, ..Gabor::new(1.0, 1.0) },
            Gabor { aspect: f64::INFINITY, ..Gabor::new(1.0, 1.0) },
        ] {
            assert!(gabor.write::<9>([3, 3]).is_err(), "{gabor:?}");
        }
        assert!(exponential::<9>(0, 0.0).is_err() && exponential::<9>(1025, 1.0).is_err(), "outside their ranges");
        assert!(exponential::<0>(0, 1.0).is_err(), "no frames");
    }

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        #[test]
        fn sums_are_what_they_should_be(a in 0.3_f64..9.0, b in 0.3_f64..9.0, ratio in 0.0_f64..2.0) {
            let sum = |weights: &[f32]| weights.iter().map(|w| f64::from(*w)).sum::<f64>();
            prop_assert!((sum(&gaussian::<63>([7, 9], [a, b]).expect("a kernel")) - 1.0).abs() < 1e-6);
            let field = difference_of_gaussians::<63>([7, 9], a, b, ratio).expect("a kernel");
            prop_assert!((sum(&field) - 1.0 + ratio).abs() < 1e-6);
        }
    }
}
