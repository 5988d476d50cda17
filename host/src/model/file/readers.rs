//! From the values of a file to numbers, times and lists: one reader for each type of value.

use super::error::Problem;
use super::keys::Scope;
use super::units::{Dimension, Unit, quantity};
use super::value::{Item, LARGEST, Value, in_words};
use crate::model::integers::exponent;
use crate::taps::MAX_WEIGHTS;
use foveola_core::Decay;
use std::f64::consts::PI;

pub(super) const FLAG: &str = "true or false";
pub(super) const NUMBER: &str = "a number of 3.4e38 or less in magnitude";
pub(super) const TEXT: &str = "text in quotes";

/// True or false.
pub(super) fn flag(_: &Scope<'_>, item: &Item) -> Result<bool, Problem> {
    match item.value {
        Value::Flag(flag) => Ok(flag),
        ref other => Err(Problem::new(item.at, in_words(other), FLAG)),
    }
}

/// A whole number of 0 or more.
pub(super) fn whole(_: &Scope<'_>, item: &Item) -> Result<usize, Problem> {
    match item.value {
        Value::Number(number) if number.fract() == 0.0 && (0.0..=LARGEST).contains(&number) => Ok(number as usize),
        ref other => Err(Problem::new(item.at, in_words(other), "a whole number of 0 or more, up to 2^53")),
    }
}

/// A number in the range of 32-bit floats.
pub(super) fn number(_: &Scope<'_>, item: &Item) -> Result<f64, Problem> {
    match item.value {
        Value::Number(number) if (number as f32).is_finite() => Ok(number),
        ref other => Err(Problem::new(item.at, in_words(other), NUMBER)),
    }
}

/// A number as a 32-bit float.
pub(super) fn single(scope: &Scope<'_>, item: &Item) -> Result<f32, Problem> {
    number(scope, item).map(|number| number as f32)
}

/// Text.
pub(super) fn text(_: &Scope<'_>, item: &Item) -> Result<String, Problem> {
    match &item.value {
        Value::Text(text) => Ok(text.clone()),
        other => Err(Problem::new(item.at, in_words(other), TEXT)),
    }
}

/// Text that a terminal shows as it is, on one line.
pub(super) fn line(scope: &Scope<'_>, item: &Item) -> Result<String, Problem> {
    let text = text(scope, item)?;
    if text.contains(char::is_control) {
        return Err(Problem::new(item.at, in_words(&item.value), "one line of text, without control characters"));
    }
    Ok(text)
}

/// A time constant in seconds, for frames of the model's input rate.
pub(super) fn time_constant(scope: &Scope<'_>, item: &Item) -> Result<f64, Problem> {
    let (tau, rate) = (seconds(scope, item)?, scope.resolution.steps_per_second);
    Decay::new(tau, rate).map(|_| tau).map_err(|_| {
        let most = LONGEST_TAU / rate;
        let expected =
            format!("a time constant of up to {LONGEST_TAU:e} frames, {most:.3e}s at {rate} frames a second");
        Problem::new(item.at, in_words(&item.value), expected)
    })
}

/// The longest time constant of a recursive filter in frames: see [`Decay::new`].
const LONGEST_TAU: f64 = 2.8e10;

/// A time in seconds.
pub(super) fn seconds(scope: &Scope<'_>, item: &Item) -> Result<f64, Problem> {
    Ok(match quantity(item, Dimension::Time)? {
        (number, Unit::Frames) => number / scope.layer_resolution().steps_per_second,
        // Divided, so that 6ms is 0.006 to the last bit.
        (number, Unit::Milliseconds) => number / 1e3,
        (number, Unit::Microseconds) => number / 1e6,
        (number, _) => number,
    })
}

/// A time as a whole number of frames of the layer's input.
pub(super) fn frames(scope: &Scope<'_>, item: &Item) -> Result<usize, Problem> {
    let resolution = scope.layer_resolution();
    let frames = match quantity(item, Dimension::Time)? {
        (number, Unit::Frames) => number,
        _ => seconds(scope, item)? * resolution.steps_per_second,
    };
    let near = frames.round();
    if near > LARGEST || (frames - near).abs() > 1e-6 * frames.max(1.0) {
        let found =
            format!("{} is {frames} frames at {} frames a second", in_words(&item.value), resolution.steps_per_second);
        return Err(Problem::new(item.at, found, "a whole number of frames"));
    }
    Ok(near as usize)
}

/// A length in pixels.
pub(super) fn pixels(scope: &Scope<'_>, item: &Item) -> Result<f64, Problem> {
    Ok(match quantity(item, Dimension::Length)? {
        (number, Unit::Degrees) => number * scope.resolution.pixel_per_degree,
        (number, _) => number,
    })
}

/// A frequency in cycles per second.
pub(super) fn hertz(_: &Scope<'_>, item: &Item) -> Result<f64, Problem> {
    quantity(item, Dimension::Frequency).map(|(number, _)| number)
}

/// An angle in radians.
pub(super) fn radians(_: &Scope<'_>, item: &Item) -> Result<f64, Problem> {
    Ok(match quantity(item, Dimension::Angle)? {
        (number, Unit::Degrees) => number * (PI / 180.0),
        (number, _) => number,
    })
}

/// The entry of `names` that the text names.
pub(super) fn choice<T: Copy>(names: &[(&'static str, T)]) -> impl Fn(&Scope<'_>, &Item) -> Result<T, Problem> {
    |scope, item| {
        let name = text(scope, item)?;
        let found = names.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        found.ok_or_else(|| Problem::unknown(item.at, "name", &name, names.iter().map(|(name, _)| *name)))
    }
}

/// A list of values, or one value as a list of one.
pub(super) fn list<T>(
    each: impl Fn(&Scope<'_>, &Item) -> Result<T, Problem>,
) -> impl Fn(&Scope<'_>, &Item) -> Result<Vec<T>, Problem> {
    move |scope, item| match &item.value {
        Value::List(items) => items.iter().map(|item| scope.read(item, &each)).collect(),
        _ => Ok(vec![each(scope, item)?]),
    }
}

/// A list of `N` whole numbers.
pub(super) fn wholes<const N: usize>(scope: &Scope<'_>, item: &Item) -> Result<[usize; N], Problem> {
    let found = list(whole)(scope, item)?;
    let misfit = |found: Vec<_>| Problem::new(item.at, format!("a list of {}", found.len()), format!("a list of {N}"));
    found.try_into().map_err(misfit)
}

/// Lengths of axes, each 1 or more, of an array that fits into memory.
pub(super) fn size(scope: &Scope<'_>, item: &Item) -> Result<Vec<usize>, Problem> {
    let size = match &item.value {
        Value::List(_) => list(whole)(scope, item)?,
        other => return Err(Problem::new(item.at, in_words(other), "a list of lengths, each 1 or more")),
    };
    let samples = size.iter().fold(1, |all: usize, len| all.saturating_mul(*len));
    if samples == 0 || samples > MAX_WEIGHTS {
        let expected = format!("lengths of 1 or more, with {MAX_WEIGHTS} values at most");
        return Err(Problem::new(item.at, format!("the size {size:?}"), expected));
    }
    Ok(size)
}

/// A full scale.
pub(super) fn power_of_two(scope: &Scope<'_>, item: &Item) -> Result<f64, Problem> {
    let scale = number(scope, item)?;
    if exponent(scale).is_none() {
        return Err(Problem::new(item.at, format!("a full scale of {scale}"), "a power of two from 1/32768 to 32768"));
    }
    Ok(scale)
}
