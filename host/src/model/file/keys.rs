//! Keys of a part of a model file: names, types, defaults and descriptions. Everything that reads, checks, describes or writes
//! keys does so by tables of [`Key`].

use super::error::Problem;
use super::readers::{FLAG, NUMBER, TEXT, flag, number, power_of_two, size, text, whole};
use super::source::Source;
use super::units::{Dimension, quantity};
use super::value::{Item, Table, Value, find, in_words, read_value};
use super::weights::{self, Axes};
use crate::Resolution;

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
    /// A power of two from 2^-15 to 2^15.
    PowerOfTwo,
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
            Self::PowerOfTwo => power_of_two(scope, item).map(drop),
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
            Self::PowerOfTwo => "a power of two from 1/32768 to 32768".into(),
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
