//! The generators of weights: one entry of a table for each.

use super::error::Problem;
use super::keys::Default::{Else, Is, Needed};
use super::keys::Type::{Number, Positive, Quantity, Size, Values, Whole};
use super::keys::{Arguments, Key, key};
use super::readers::{hertz, list, number, pixels, radians, seconds, size, whole, wholes};
use super::units::Dimension::{Angle, Frequency, Length, Time};
use crate::kernels::{self, Drift, ExponentialFilter, Gabor, GaussFilter};
use ndarray::{ArrayD, IxDyn};

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
                    kernels::gauss_filter_2d(&GaussFilter::new(row, col), args.scope.resolution)
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
        keys: &[&[TAU, AMPLIFICATION]],
        rank: Some(1),
        build: |args| exponential(args, 0),
    },
    Generator {
        name: "cascade",
        about: "t^n exp(-n t / tau) over time, a chain of n + 1 exponentials of tau / n",
        keys: &[&[
            TAU,
            key("n", Whole(1), Needed, "power of t: one less than the number of exponentials"),
            AMPLIFICATION,
        ]],
        rank: Some(1),
        build: |args| {
            let n = args.get("n", whole)?;
            exponential(args, u32::try_from(n).unwrap_or(u32::MAX))
        },
    },
    Generator {
        name: "highpass",
        about: "1, then minus an exponential (time)",
        keys: &[&[TAU, key("relative_weight", Number, Is("1"), "area of the exponential")]],
        rank: Some(1),
        build: |args| {
            let (tau, k) = (args.get("tau", seconds)?, args.get("relative_weight", number)?);
            Ok(kernels::highpass_exponential_filter_1d(tau, k, args.scope.layer_resolution())?.into_dyn())
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

fn exponential(args: &Arguments<'_>, n: u32) -> Result<ArrayD<f32>, Problem> {
    let (tau, amplification) = (args.get("tau", seconds)?, args.get("amplification", number)?);
    let filter = ExponentialFilter { n, amplification, ..ExponentialFilter::new(tau) };
    Ok(kernels::exponential_filter_1d(&filter, args.scope.layer_resolution())?.into_dyn())
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
