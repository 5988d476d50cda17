//! Keys of a part of a model file: names, types, defaults and descriptions. Everything that reads, checks, describes or writes
//! keys does so by tables of [`Key`].

use super::error::Problem;
use super::source::Source;
use super::units::{Dimension, Unit, quantity};
use super::value::{Item, LARGEST, Table, Value, find, in_words, read_value};
use super::weights::{self, Axes};
use crate::Resolution;
use crate::taps::MAX_WEIGHTS;
use foveola_core::Decay;
use std::f64::consts::PI;

/// A key of a table.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) what: Type,
    pub(super) default: Default,
    /// One line of description.
    pub(super) about: &'static str,
}

/// What a key means that is not given.
#[derive(Clone, Copy)]
pub(super) enum Default {
    /// The key must be given.
    Needed,
    /// This value, in the notation of TOML.
    Is(&'static str),
    /// What follows otherwise, in words.
    Else(&'static str),
}

/// The type of a value.
#[derive(Clone, Copy)]
pub(super) enum Type {
    Flag,
    /// A whole number, this or more.
    Whole(usize),
    /// A number in the range of 32-bit floats.
    Number,
    /// A number above 0 in the range of 32-bit floats.
    Positive,
    Quantity(Dimension),
    /// A time that is a whole number of frames.
    Frames,
    /// One of several names.
    Choice(&'static [&'static str]),
    Text,
    /// A list of so many values.
    List(&'static Self, usize),
    /// A list of any number of values.
    Values(&'static Self),
    /// One value, or a list.
    OneOrMore(&'static Self),
    /// The value, or `"any"`.
    OrAny(&'static Self),
    /// The lengths of the axes of an array, of one of these ranks.
    Size(&'static [usize]),
    Weight(Axes),
    /// A number, or nested lists of numbers.
    Array,
    /// One whole number for each pixel.
    Map,
}

pub(super) const fn key(name: &'static str, what: Type, default: Default, about: &'static str) -> Key {
    Key { name, what, default, about }
}

/// The first of each pair.
pub(super) const fn first<const N: usize, T: Copy>(pairs: [(&'static str, T); N]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut i = 0;
    while i < N {
        names[i] = pairs[i].0;
        i += 1;
    }
    names
}

/// What values of a file refer to.
#[derive(Clone, Copy)]
pub(super) struct Scope<'f> {
    pub(super) parameters: &'f Table,
    pub(super) source: &'f Source,
    pub(super) resolution: Resolution,
    /// Frames of the model's input for one frame of the layer's input.
    pub(super) every: u64,
}

impl Scope<'_> {
    /// The resolution of the frames that the layer reads: after a temporal stride of 2 there are half as many a second.
    pub(super) fn layer_resolution(&self) -> Resolution {
        let steps_per_second = self.resolution.steps_per_second / self.every as f64;
        Resolution { steps_per_second, ..self.resolution }
    }

    /// The result of `reader` for the item, or for the parameter that it names with `$`.
    pub(super) fn read<T>(
        &self,
        item: &Item,
        reader: impl Fn(&Self, &Item) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let Value::Text(text) = &item.value else { return reader(self, item) };
        let Some(name) = text.strip_prefix('$') else { return reader(self, item) };
        let Some(parameter) = find(self.parameters, name) else {
            let known = self.parameters.iter().map(|entry| entry.key.as_str());
            return Err(Problem::unknown(item.at, "parameter", name, known));
        };
        reader(self, parameter).map_err(|problem| problem.of_parameter(name, item.at))
    }
}

/// The values of a table with these keys.
#[derive(Clone, Copy)]
pub(super) struct Arguments<'a> {
    pub(super) keys: &'a [&'a [Key]],
    pub(super) table: &'a Table,
    pub(super) scope: Scope<'a>,
    /// Where the table begins.
    pub(super) at: Option<usize>,
}

impl Arguments<'_> {
    /// Checks that all keys are known, those needed are there, and all values have their types.
    pub(super) fn check(&self) -> Result<(), Problem> {
        for entry in self.table {
            let known = || self.keys.iter().copied().flatten();
            let Some(key) = known().find(|key| key.name == entry.key) else {
                return Err(Problem::unknown(entry.at, "key", &entry.key, known().map(|key| key.name)));
            };
            key.what.check(&self.scope, &entry.item).map_err(|problem| problem.in_key(key.name))?;
        }
        let absent = |key: &&Key| matches!(key.default, Default::Needed) && find(self.table, key.name).is_none();
        match self.keys.iter().copied().flatten().find(absent) {
            Some(key) => Err(missing(self.at, key)),
            None => Ok(()),
        }
    }

    /// The value of `key` or its default; none if there is neither.
    pub(super) fn optional<T>(
        &self,
        key: &str,
        reader: impl Fn(&Scope<'_>, &Item) -> Result<T, Problem>,
    ) -> Result<Option<T>, Problem> {
        let default;
        let item = match find(self.table, key) {
            Some(item) => item,
            None => match self.keys.iter().copied().flatten().find(|known| known.name == key).map(|key| key.default) {
                Some(Default::Is(text)) => {
                    default = Item { value: read_value(text)?, at: self.at };
                    &default
                }
                _ => return Ok(None),
            },
        };
        self.scope.read(item, reader).map(Some).map_err(|problem| problem.in_key(key).or_at(item.at))
    }

    /// The value of `key`, or its default.
    pub(super) fn get<T>(
        &self,
        key: &'static str,
        reader: impl Fn(&Scope<'_>, &Item) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        self.optional(key, reader)?.ok_or_else(|| {
            let known = self.keys.iter().copied().flatten().find(|known| known.name == key);
            known.map_or_else(|| Problem::new(self.at, format!("no {key}"), ""), |key| missing(self.at, key))
        })
    }

    /// Whether the file has `key`.
    pub(super) fn has(&self, key: &str) -> bool {
        find(self.table, key).is_some()
    }

    /// Where the value of `key` is, or the table without one.
    pub(super) fn at(&self, key: &str) -> Option<usize> {
        find(self.table, key).and_then(|item| item.at).or(self.at)
    }

    /// An error that the value of `key` causes.
    pub(super) fn problem(&self, key: &str, error: crate::Error) -> Problem {
        Problem::from(error).in_key(key).or_at(self.at(key))
    }
}

fn missing(at: Option<usize>, key: &Key) -> Problem {
    Problem::new(at, format!("no key {:?}", key.name), format!("{}: {}", key.what.in_words(), key.about))
}

impl Type {
    fn check(self, scope: &Scope<'_>, item: &Item) -> Result<(), Problem> {
        scope.read(item, |scope, item| match self {
            Self::Flag => flag(scope, item).map(drop),
            Self::Whole(least) => {
                let value = whole(scope, item)?;
                if value >= least { Ok(()) } else { Err(self.misfit(item)) }
            }
            Self::Number => number(scope, item).map(drop),
            Self::Positive => match number(scope, item)? {
                value if value > 0.0 => Ok(()),
                _ => Err(self.misfit(item)),
            },
            Self::Quantity(dimension) => quantity(item, dimension).map(drop),
            Self::Frames => quantity(item, Dimension::Time).map(drop),
            Self::Choice(names) => match &item.value {
                Value::Text(text) if names.contains(&text.as_str()) => Ok(()),
                Value::Text(text) => Err(Problem::unknown(item.at, "name", text, names.iter().copied())),
                _ => Err(self.misfit(item)),
            },
            Self::Text => text(scope, item).map(drop),
            Self::List(each, len) => match &item.value {
                Value::List(items) if items.len() == len => items.iter().try_for_each(|item| each.check(scope, item)),
                _ => Err(self.misfit(item)),
            },
            Self::Values(each) => match &item.value {
                Value::List(items) => items.iter().try_for_each(|item| each.check(scope, item)),
                _ => Err(self.misfit(item)),
            },
            Self::OneOrMore(each) => match &item.value {
                Value::List(items) if items.is_empty() => Err(self.misfit(item)),
                Value::List(items) => items.iter().try_for_each(|item| each.check(scope, item)),
                _ => each.check(scope, item),
            },
            Self::OrAny(each) => match &item.value {
                Value::Text(text) if text == "any" => Ok(()),
                Value::Text(_) => Err(self.misfit(item)),
                _ => each.check(scope, item),
            },
            Self::Size(ranks) => {
                let size = size(scope, item)?;
                if ranks.contains(&size.len()) { Ok(()) } else { Err(self.misfit(item)) }
            }
            Self::Weight(axes) => weights::check(axes, scope, item),
            Self::Array => weights::shape(item).map(drop),
            Self::Map => weights::check_map(scope, item),
        })
    }

    fn misfit(self, item: &Item) -> Problem {
        Problem::new(item.at, in_words(&item.value), self.in_words())
    }

    /// The type, for messages.
    pub(super) fn in_words(self) -> String {
        match self {
            Self::Flag => FLAG.into(),
            Self::Whole(least) => format!("a whole number, {least} or more"),
            Self::Number => NUMBER.into(),
            Self::Positive => "a number above 0".into(),
            Self::Quantity(dimension) => dimension.in_words().into(),
            Self::Frames => {
                "a whole number of frames, such as \"3 frames\", or a time that is one, such as \"5ms\"".into()
            }
            Self::Choice(names) => format!("one of: {}", names.join(", ")),
            Self::Text => TEXT.into(),
            Self::List(each, len) => format!("a list of {len}, each {}", each.in_words()),
            Self::Values(each) => format!("a list, each {}", each.in_words()),
            Self::OneOrMore(each) => format!("{}, or a list of these", each.in_words()),
            Self::OrAny(each) => format!("{}, or \"any\"", each.in_words()),
            Self::Size(ranks) => {
                let ranks: Vec<_> = ranks.iter().map(usize::to_string).collect();
                format!("a list of {} lengths, each 1 or more", ranks.join(" or "))
            }
            Self::Weight(axes) => axes.in_words(),
            Self::Array => weights::ARRAY.into(),
            Self::Map => "a list of lists, one whole number for each pixel, or { file = \"…\" }".into(),
        }
    }
}

const FLAG: &str = "true or false";
const NUMBER: &str = "a number of 3.4e38 or less in magnitude";
const TEXT: &str = "text in quotes";

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
