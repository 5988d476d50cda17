//! The generators of weights: one entry of a table for each.

use super::cut;
use super::error::Problem;
use super::keys::Default::{Else, Is, Needed};
use super::keys::Type::{Frames, Number, Positive, Quantity, Size, Values, Whole};
use super::keys::{Arguments, Key, key};
use super::readers::{frames, hertz, list, number, pixels, radians, seconds, size, whole, wholes};
use super::units::Dimension::{Angle, Frequency, Length, Time};
use crate::kernels::{self, Drift, ExponentialFilter, ExponentialKernel, Gabor, GaussFilter};
use ndarray::{Array1, ArrayD, Axis, IxDyn, concatenate, s};

/// A generator of weights.
pub(super) struct Generator {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) keys: &'static [&'static [Key]],
    /// The rank of the array; none if `size` tells it.
    pub(super) rank: Option<usize>,
    pub(super) build: fn(&Arguments<'_>) -> Result<ArrayD<f32>, Problem>,
}

const TAU: Key = key("tau", Quantity(Time), Needed, "time constant");
const AMPLIFICATION: Key = key("amplification", Number, Is("1"), "area under the curve");
const LENGTH: Key = key("length", Frames, Else("as long as filter_epsilon asks for"), "samples of the exponential");
const SIZE: Key = key("size", Size(&[2]), Needed, "rows and columns");
const SIGMA: Key = key("sigma", Quantity(Length), Needed, "standard deviation of the Gaussian");
const GABOR: [Key; 5] = [
    SIGMA,
    key("wavelength", Quantity(Length), Needed, "length of a cycle of the grating"),
    key(
        "orientation",
        Quantity(Angle),
        Is("0deg"),
        "direction in which the grating varies: 0deg to the right, 90deg down",
    ),
    key("phase", Quantity(Angle), Is("0deg"), "phase at the centre: 0deg is even, 90deg odd"),
    key("aspect", Positive, Is("1"), "sigma over the standard deviation along the bars"),
];
const FREE: &[usize] = &[1, 2, 3, 4, 5];

pub(super) const GENERATORS: [Generator; 10] = [
    Generator {
        name: "gaussian",
        about: "a Gaussian (row, col): of the given size with a sum of 1, else cut off at the resolution's filter_epsilon",
        keys: &[&[
            SIGMA,
            key(
                "sigma_col",
                Quantity(Length),
                Else("sigma"),
                "standard deviation along columns; sigma is then that along rows",
            ),
            key("size", Size(&[2]), Else("as large as filter_epsilon asks for"), "rows and columns"),
        ]],
        rank: Some(2),
        build: |args| {
            let row = args.get("sigma", pixels)?;
            let sigma = [row, args.optional("sigma_col", pixels)?.unwrap_or(row)];
            let kernel = match args.optional("size", wholes)? {
                Some(size) => kernels::gaussian(sigma, size),
                None => {
                    let [row, col] = sigma.map(|pixels| pixels / args.scope.resolution.pixel_per_degree);
                    let filter = GaussFilter::new(row, col);
                    cut::check_gaussian(&filter, args.scope.resolution)?;
                    kernels::gauss_filter_2d(&filter, args.scope.resolution)
                }
            };
            Ok(kernel?.into_dyn())
        },
    },
    Generator {
        name: "dog",
        about: "a difference of Gaussians (row, col), each with a sum of 1: centre minus ratio times surround",
        keys: &[&[
            SIGMA,
            key("surround", Quantity(Length), Needed, "standard deviation of the surround"),
            key("ratio", Number, Is("1"), "weight of the surround"),
            SIZE,
        ]],
        rank: Some(2),
        build: |args| {
            let (sigma, surround) = (args.get("sigma", pixels)?, args.get("surround", pixels)?);
            let (ratio, size) = (args.get("ratio", number)?, args.get("size", wholes)?);
            Ok(kernels::difference_of_gaussians(sigma, surround, ratio, size)?.into_dyn())
        },
    },
    Generator {
        name: "gabor",
        about: "a grating under a Gaussian (row, col)",
        keys: &[&GABOR, &[SIZE]],
        rank: Some(2),
        build: |args| Ok(gabor(args)?.write(args.get("size", wholes)?)?.into_dyn()),
    },
    Generator {
        name: "drifting_gabor",
        about: "a drifting grating under a Gaussian (time, row, col)",
        keys: &[
            &GABOR,
            &[
                key("frequency", Quantity(Frequency), Needed, "temporal frequency; negative for motion the other way"),
                key("duration", Quantity(Time), Needed, "standard deviation of the Gaussian in time"),
                key("size", Size(&[3]), Needed, "frames, rows and columns"),
            ],
        ],
        rank: Some(3),
        build: |args| {
            let steps_per_second = args.scope.layer_resolution().steps_per_second;
            let frequency = args.get("frequency", hertz)? / steps_per_second;
            let duration = args.get("duration", seconds)? * steps_per_second;
            let drift = Drift { frequency, duration };
            Ok(gabor(args)?.write_drifting(drift, args.get("size", wholes)?)?.into_dyn())
        },
    },
    Generator {
        name: "exponential",
        about: "an exponential (time)",
        keys: &[&[TAU, AMPLIFICATION, LENGTH]],
        rank: Some(1),
        build: |args| Ok(exponential(args, 0, "amplification")?.into_dyn()),
    },
    Generator {
        name: "cascade",
        about: "t^n exp(-n t / tau) over time, a chain of n + 1 exponentials of tau / n",
        keys: &[&[
            TAU,
            key("n", Whole(1), Needed, "power of t: one less than the number of exponentials"),
            AMPLIFICATION,
            LENGTH,
        ]],
        rank: Some(1),
        build: |args| {
            let n = args.get("n", whole)?;
            Ok(exponential(args, u32::try_from(n).unwrap_or(u32::MAX), "amplification")?.into_dyn())
        },
    },
    Generator {
        name: "highpass",
        about: "1, then minus an exponential (time)",
        keys: &[&[TAU, key("relative_weight", Number, Is("1"), "area of the exponential"), LENGTH]],
        rank: Some(1),
        build: |args| {
            let negative = exponential(args, 0, "relative_weight")?.mapv(|tap| 0.0 - tap);
            let first = Array1::ones(1);
            concatenate(Axis(0), &[first.view(), negative.view()])
                .map(Array1::into_dyn)
                .map_err(|error| Problem::new(args.at, error.to_string(), ""))
        },
    },
    Generator {
        name: "uniform",
        about: "the same value everywhere, with a sum of 1",
        keys: &[&[key("size", Size(FREE), Needed, "length of each axis")]],
        rank: None,
        build: |args| {
            let size = args.get("size", size)?;
            let samples: usize = size.iter().product();
            Ok(ArrayD::from_elem(IxDyn(&size), (1.0 / samples.max(1) as f64) as f32))
        },
    },
    Generator {
        name: "delta",
        about: "1 at one place, 0 elsewhere; by default it repeats its input",
        keys: &[&[
            key("size", Size(&[1, 2, 3]), Needed, "(time), (row, col) or (time, row, col)"),
            key("at", Values(&Whole(0)), Else("time 0 and the centre, which repeats the input"), "index of the 1"),
        ]],
        rank: None,
        build: delta,
    },
    Generator {
        name: "noise",
        about: "independent normal numbers with mean 0 from a seed, the same on every machine",
        keys: &[&[
            key("seed", Whole(0), Needed, "another seed gives other numbers"),
            key("std", Positive, Is("1"), "standard deviation"),
            key("size", Size(FREE), Needed, "length of each axis"),
        ]],
        rank: None,
        build: |args| {
            let (seed, std) = (args.get("seed", whole)?, args.get("std", number)?);
            Ok(kernels::noise(seed as u64, std, &args.get("size", size)?)?)
        },
    },
];

fn gabor(args: &Arguments<'_>) -> Result<Gabor, Problem> {
    Ok(Gabor {
        sigma: args.get("sigma", pixels)?,
        wavelength: args.get("wavelength", pixels)?,
        orientation: args.get("orientation", radians)?,
        phase: args.get("phase", radians)?,
        aspect: args.get("aspect", number)?,
    })
}

/// An `n`-fold exponential of the area that the key `area` has: of the given length, or cut off at `filter_epsilon`.
fn exponential(args: &Arguments<'_>, n: u32, area: &'static str) -> Result<Array1<f32>, Problem> {
    let (tau, amplification) = (args.get("tau", seconds)?, args.get(area, number)?);
    let resolution = args.scope.layer_resolution();
    let Some(length) = args.optional("length", frames)? else {
        let filter = ExponentialFilter { n, amplification, ..ExponentialFilter::new(tau) };
        cut::check_exponential(&filter, resolution)?;
        return Ok(kernels::exponential_filter_1d(&filter, resolution)?);
    };
    // A kernel has n times its length in samples.
    let steps = length.div_ceil(n.max(1) as usize);
    let steps_per_second = resolution.steps_per_second;
    let kernel = ExponentialKernel { tau, n, amplification, length: steps, steps_per_second };
    Ok(kernels::exponential_kernel(&kernel)?.slice_move(s![..length]))
}

fn delta(args: &Arguments<'_>) -> Result<ArrayD<f32>, Problem> {
    let size = args.get("size", size)?;
    // The index of a kernel that stands for no displacement: the first frame, and k - 1 - floor(k / 2) in space.
    let time = usize::from(size.len() != 2);
    let origin = |(axis, len): (usize, &usize)| if axis < time { 0 } else { len - 1 - len / 2 };
    let at = match args.optional("at", list(whole))? {
        Some(at) => at,
        None => size.iter().enumerate().map(origin).collect(),
    };
    let mut kernel = ArrayD::zeros(IxDyn(&size));
    match kernel.get_mut(&at[..]) {
        Some(weight) if at.len() == size.len() => *weight = 1.0,
        _ => {
            return Err(
                Problem::new(args.at, format!("the index {at:?}"), format!("one in an array of {size:?}")).in_key("at")
            );
        }
    }
    Ok(kernel)
}
