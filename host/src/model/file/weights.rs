//! Weights in a model file: by value, by a generator, or from a file.
//!
//! | in the file | array |
//! |---|---|
//! | `0.5` | the same value everywhere |
//! | `[[1, 2], [3, 4]]` | the values |
//! | `{ gaussian = { sigma = "1px" } }` | that of the generator |
//! | `{ exponential = { .. }, gaussian = { .. } }` | the product of one over time and one over space: (time, row, col) |
//! | `[{ gabor = { .. } }, { gabor = { .. } }]` | one kernel for each output channel, or each stage of a `SmoothConv` |
//! | `{ file = "weights.npz", array = "name" }` | that of the file |

use super::arrays::open;
use super::error::Problem;
use super::generators::{GENERATORS, Generator};
use super::keys::Default::{Else, Is};
use super::keys::Type::{Array, Flag, Text};
use super::keys::{Arguments, Key, Scope, key};
use super::readers::{flag, text, whole};
use super::value::{Item, Table, Value, find, in_words};
use crate::{Weight, memory};
use ndarray::{ArrayD, Axis, Ix1, Ix2, IxDyn};

/// What the axes of a layer's weight are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axes {
    /// `Conv3d`.
    Spacetime,
    /// `Conv2d`.
    Space,
    /// `Conv1d`.
    Time,
    /// `RF`.
    Field,
    /// `SmoothConv`.
    Stages,
}

impl Axes {
    const fn ranks(self) -> (&'static [usize], &'static str) {
        match self {
            Self::Spacetime => (
                &[0, 1, 2, 3, 5],
                "a weight of rank 0 (a number), 1 (time), 2 (row, col), 3 (time, row, col) or 5 (out, in/groups, time, row, col)",
            ),
            Self::Space => (
                &[0, 2, 3, 4],
                "a weight of rank 0 (a number), 2 (row, col), 3 (out, row, col) or 4 (out, in/groups, row, col)",
            ),
            Self::Time => (&[0, 1, 3], "a weight of rank 0 (a number), 1 (time) or 3 (out, in/groups, time)"),
            Self::Field => (
                &[0, 2, 3, 5],
                "a weight of rank 0 (a number), 2 (row, col), 3 (time, row, col) or 5 (out, in, time, row, col)",
            ),
            Self::Stages => (&[2, 3], "a weight of rank 2 (row, col), the same for each stage, or 3 (stage, row, col)"),
        }
    }

    /// The ranks of one kernel in a list of them.
    const fn kernels(self) -> (&'static [usize], &'static str) {
        match self {
            Self::Spacetime => (&[1, 2, 3], "kernels of rank 1 (time), 2 (row, col) or 3 (time, row, col)"),
            Self::Field => (&[2, 3], "kernels of rank 2 (row, col) or 3 (time, row, col)"),
            Self::Space | Self::Stages => (&[2], "kernels of rank 2 (row, col)"),
            Self::Time => (&[1], "kernels of rank 1 (time)"),
        }
    }

    pub(super) fn in_words(self) -> String {
        self.ranks().1.into()
    }

    /// One kernel as an entry of a list of them: with all axes but the first, `out` or `stage`.
    fn entry(self, kernel: &ArrayD<f32>) -> Vec<usize> {
        let mut shape = kernel.shape().to_vec();
        match (self, shape.len()) {
            (Self::Spacetime | Self::Field, 1) => shape.extend([1, 1]),
            (Self::Spacetime | Self::Field, 2) => shape.insert(0, 1),
            _ => {}
        }
        if self != Self::Stages {
            shape.insert(0, 1); // the input channel
        }
        shape
    }
}

/// The keys of a weight that is a table, besides the generators.
pub(super) const OPTIONS: [Key; 6] = [
    key("values", Array, Else("a generator or a file"), "nested lists of numbers"),
    key("file", Text, Else("a generator or values"), "a .npy or .npz file beside the model"),
    key("array", Text, Else("the only one"), "the name of an array in a .npz file"),
    key("normalize", Flag, Is("false"), "divides by the sum of the whole weight"),
    key(
        "preserve_channels",
        Flag,
        Is("false"),
        "copies a kernel of rank 1 to 3 to every pair of output and input channels",
    ),
    key("no_flip", Flag, Is("false"), "a correlation kernel instead of an impulse response"),
];

/// Checks all that can be known without computing the weight.
pub(super) fn check(axes: Axes, scope: &Scope<'_>, item: &Item) -> Result<(), Problem> {
    let (ranks, expected) = match kernels(item) {
        Some(_) => axes.kernels(),
        None => axes.ranks(),
    };
    for item in kernels(item).unwrap_or(std::slice::from_ref(item)) {
        let rank = rank(scope, item)?;
        if !ranks.contains(&rank) {
            return Err(Problem::new(item.at, format!("a weight of rank {rank}"), expected));
        }
    }
    Ok(())
}

/// Checks one whole number for each pixel.
pub(super) fn check_map(scope: &Scope<'_>, item: &Item) -> Result<(), Problem> {
    map(scope, item).map(drop)
}

/// The items of a list of tables.
fn kernels(item: &Item) -> Option<&[Item]> {
    match &item.value {
        Value::List(items) if matches!(items.first().map(|item| &item.value), Some(Value::Table(_))) => Some(items),
        _ => None,
    }
}

/// A part of a weight that is a table.
enum Part<'t> {
    Generated(&'static Generator, Arguments<'t>),
    Values(&'t Item),
    File(String, Option<String>),
}

/// The parts of a weight that is a table: one, or one over time and one over space.
fn parts<'t>(scope: Scope<'t>, table: &'t Table, at: Option<usize>) -> Result<Vec<(Part<'t>, Option<usize>)>, Problem> {
    let mut parts = Vec::new();
    for entry in table {
        let item = &entry.item;
        if let Some(generator) = GENERATORS.iter().find(|generator| generator.name == entry.key) {
            let Value::Table(table) = &item.value else {
                let found = in_words(&item.value);
                return Err(
                    Problem::new(item.at, found, format!("a table: {}", generator.about)).in_key(generator.name)
                );
            };
            let args = Arguments { keys: generator.keys, table, scope, at: item.at };
            args.check().map_err(|problem| problem.in_key(generator.name))?;
            parts.push((Part::Generated(generator, args), item.at));
            continue;
        }
        match entry.key.as_str() {
            "values" => parts.push((Part::Values(item), item.at)),
            "file" => {
                let array = find(table, "array").map(|array| scope.read(array, text)).transpose()?;
                parts.push((Part::File(scope.read(item, text)?, array), item.at));
            }
            "normalize" | "preserve_channels" | "no_flip" => {
                scope.read(item, flag).map_err(|problem| problem.in_key(&entry.key))?;
            }
            "array" => {}
            other => {
                let known = GENERATORS.iter().map(|generator| generator.name);
                return Err(Problem::unknown(entry.at, "key", other, known.chain(OPTIONS.iter().map(|key| key.name))));
            }
        }
    }
    if find(table, "array").is_some() && find(table, "file").is_none() {
        return Err(Problem::new(at, "the key \"array\" without \"file\"", "both, or neither"));
    }
    match parts.len() {
        1 | 2 => Ok(parts),
        n => {
            let names: Vec<_> = GENERATORS.iter().map(|generator| generator.name).collect();
            let expected = format!("one, or one over time and one over space, of: values, file, {}", names.join(", "));
            Err(Problem::new(at, format!("a weight of {n} parts"), expected))
        }
    }
}

fn rank(scope: &Scope<'_>, item: &Item) -> Result<usize, Problem> {
    scope.read(item, |scope, item| {
        let table = match &item.value {
            Value::Table(table) => table,
            _ => return shape(item).map(|shape| shape.len()),
        };
        let parts = parts(*scope, table, item.at)?;
        let mut ranks = Vec::new();
        for (part, at) in &parts {
            ranks.push(match part {
                Part::Generated(generator, args) => match generator.rank {
                    Some(rank) => rank,
                    None => args.get("size", super::readers::size)?.len(),
                },
                Part::Values(item) => scope.read(item, |_, item| shape(item))?.len(),
                Part::File(name, array) => open(scope, *at, name, array.as_deref())?.shape.len(),
            });
        }
        match ranks[..] {
            [rank] => Ok(rank),
            [1, 2] | [2, 1] => Ok(3),
            _ => Err(Problem::new(
                item.at,
                format!("the product of arrays of ranks {ranks:?}"),
                "1 (time) and 2 (row, col)",
            )),
        }
    })
}

/// The array of an item, normalised if it says so.
fn array(scope: &Scope<'_>, item: &Item) -> Result<ArrayD<f32>, Problem> {
    let Value::Table(table) = &item.value else { return values(item) };
    let mut arrays = Vec::new();
    for (part, at) in parts(*scope, table, item.at)? {
        arrays.push(match part {
            Part::Generated(generator, args) => {
                (generator.build)(&args).map_err(|problem| problem.in_key(generator.name).or_at(at))?
            }
            Part::Values(item) => scope.read(item, |_, item| values(item))?,
            Part::File(name, array) => open(scope, at, &name, array.as_deref())?.read(at)?,
        });
    }
    if arrays.len() == 2 {
        arrays.sort_by_key(ArrayD::ndim);
        let space = arrays.pop().and_then(|array| array.into_dimensionality::<Ix2>().ok());
        let time = arrays.pop().and_then(|array| array.into_dimensionality::<Ix1>().ok());
        let (Some(time), Some(space)) = (time, space) else {
            return Err(Problem::new(item.at, "a product of arrays of other ranks", "1 (time) and 2 (row, col)"));
        };
        let shape = [time.len(), space.nrows(), space.ncols()];
        let products = time.iter().flat_map(|t| space.iter().map(move |s| t * s));
        let samples = shape.iter().fold(1, |all: usize, len| all.saturating_mul(*len));
        if samples > crate::taps::MAX_WEIGHTS {
            return Err(crate::Error::Memory { what: "the weight", samples }.into());
        }
        let products = memory::collect("the weight", samples, products)?;
        return ArrayD::from_shape_vec(IxDyn(&shape), products)
            .map_err(|error| Problem::new(item.at, error.to_string(), ""));
    }
    arrays.pop().ok_or_else(|| Problem::new(item.at, "no weight", "one"))
}

/// The weight of a layer.
pub(super) fn weight(axes: Axes) -> impl Fn(&Scope<'_>, &Item) -> Result<Weight, Problem> {
    move |scope, item| {
        let option = |item: &Item, key: &str| match &item.value {
            Value::Table(table) => find(table, key).map_or(Ok(false), |item| scope.read(item, flag)),
            _ => Ok(false),
        };
        let Some(items) = kernels(item) else {
            let mut weight = Weight::from(array(scope, item)?);
            weight.normalize = option(item, "normalize")?;
            weight.preserve_channels = option(item, "preserve_channels")?;
            weight.flip = !option(item, "no_flip")?;
            return Ok(weight);
        };
        let mut all = Vec::new();
        let mut first: Option<Vec<usize>> = None;
        for item in items {
            let mut kernel = scope.read(item, array)?;
            if option(item, "no_flip")? || option(item, "preserve_channels")? {
                return Err(Problem::new(
                    item.at,
                    "no_flip or preserve_channels in a list of kernels",
                    "normalize, or no option",
                ));
            }
            if option(item, "normalize")? {
                kernel = normalized(kernel, item.at)?;
            }
            let shape = axes.entry(&kernel);
            if let Some(first) = first.as_ref().filter(|first| **first != shape) {
                let found = format!("a kernel of {:?} after one of {:?}", kernel.shape(), first);
                return Err(Problem::new(item.at, found, "kernels of one size: give each the same \"size\""));
            }
            first = Some(shape);
            all.extend(kernel);
        }
        let mut shape = vec![items.len()];
        shape.extend(first.unwrap_or_default());
        let all = ArrayD::from_shape_vec(IxDyn(&shape), all);
        all.map(Weight::from).map_err(|error| Problem::new(item.at, error.to_string(), ""))
    }
}

/// Divides a kernel by its sum.
fn normalized(kernel: ArrayD<f32>, at: Option<usize>) -> Result<ArrayD<f32>, Problem> {
    let taps = crate::taps::Taps { shape: [1, 1, 1, 1, kernel.len()], values: kernel.iter().copied().collect() };
    let taps = taps.normalized("weight").map_err(|error| Problem::from(error).or_at(at))?;
    let shape = kernel.raw_dim();
    ArrayD::from_shape_vec(shape, taps.values).map_err(|error| Problem::new(at, error.to_string(), ""))
}

/// Kernels `(stage, row, col)` for `n` stages: a kernel of rank 2 serves all of them.
pub(super) fn for_stages(mut weight: Weight, n: usize) -> crate::Result<Weight> {
    if let [rows, cols] = *weight.array.shape() {
        let samples = weight.array.len().saturating_mul(n);
        if samples > crate::taps::MAX_WEIGHTS {
            return Err(crate::Error::Memory { what: "the spatial kernels", samples });
        }
        let copies = weight.array.insert_axis(Axis(0));
        weight.array = copies.broadcast(IxDyn(&[n, rows, cols])).map(|view| view.to_owned()).unwrap_or_default();
    }
    Ok(weight)
}

pub(super) const ARRAY: &str = "a number, or nested lists of numbers";

/// The shape of nested lists of numbers.
pub(super) fn shape(item: &Item) -> Result<Vec<usize>, Problem> {
    match &item.value {
        Value::Number(number) if (*number as f32).is_finite() => Ok(Vec::new()),
        Value::List(items) => {
            let Some((first, rest)) = items.split_first() else {
                return Err(Problem::new(item.at, "an empty list", ARRAY));
            };
            let inner = shape(first)?;
            for item in rest {
                let other = shape(item)?;
                if other != inner {
                    let found = format!("an entry of shape {other:?} after one of {inner:?}");
                    return Err(Problem::new(item.at, found, "entries of one shape"));
                }
            }
            Ok([vec![items.len()], inner].concat())
        }
        other => Err(Problem::new(item.at, in_words(other), ARRAY)),
    }
}

/// Nested lists of numbers as an array.
fn values(item: &Item) -> Result<ArrayD<f32>, Problem> {
    fn flatten(item: &Item, into: &mut Vec<f32>) {
        match &item.value {
            Value::Number(number) => into.push(*number as f32),
            Value::List(items) => items.iter().for_each(|item| flatten(item, into)),
            _ => {}
        }
    }
    let shape = shape(item)?;
    let mut all = Vec::new();
    flatten(item, &mut all);
    ArrayD::from_shape_vec(IxDyn(&shape), all).map_err(|error| Problem::new(item.at, error.to_string(), ""))
}

/// The largest delay of a pixel: up to here 32-bit floats hold all whole numbers.
const LONGEST_DELAY: usize = 1 << 24;

/// One whole number for each pixel, by value or from a file.
pub(super) fn map(scope: &Scope<'_>, item: &Item) -> Result<ndarray::Array2<u32>, Problem> {
    let misfit = |found: String| Problem::new(item.at, found, "one whole number for each pixel: (row, col)");
    if let Value::List(rows) = &item.value {
        let cells = rows.iter().flat_map(|row| if let Value::List(cells) = &row.value { &cells[..] } else { &[] });
        for cell in cells {
            let frames = scope.read(cell, whole)?;
            if frames > LONGEST_DELAY {
                return Err(Problem::new(cell.at, frames.to_string(), format!("{LONGEST_DELAY} frames at most")));
            }
        }
    }
    let array = match &item.value {
        Value::Table(_) => array(scope, item)?,
        _ => values(item)?,
    };
    if let Some(value) =
        array.iter().find(|value| **value < 0.0 || value.fract() != 0.0 || **value > LONGEST_DELAY as f32)
    {
        return Err(misfit(format!("the value {value}")));
    }
    let shape = array.shape().to_vec();
    let array = array.into_dimensionality::<Ix2>().map_err(|_| misfit(format!("an array of shape {shape:?}")))?;
    Ok(array.mapv(|value| value as u32))
}
