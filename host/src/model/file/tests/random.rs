//! Random files are written and read back; damaged ones are refused.

use super::parse;
use crate::model::file::generators::GENERATORS;
use crate::model::file::input::INPUT;
use crate::model::file::keys::{Default, Key, Type};
use crate::model::file::kinds::KINDS;
use crate::model::file::units::Dimension;
use crate::model::file::value::{Entry, Item, Table, Value};
use crate::model::file::weights::Axes;
use crate::model::file::write;
use crate::model::inputs::Join;
use proptest::prelude::*;

/// Numbers from a seed (`SplitMix64`).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % n as u64) as usize
    }

    pub(super) fn number(&mut self) -> f64 {
        let exponent = self.below(9) as i32 - 4;
        let number = (self.below(2_000_001) as f64 - 1e6) / 1e6 * 10_f64.powi(exponent);
        if self.below(3) == 0 { number.round() } else { number }
    }

    pub(super) fn pick<'t, T>(&mut self, items: &'t [T]) -> &'t T {
        &items[self.below(items.len())]
    }
}

/// A value of a type.
pub(super) fn plain(what: Type, random: &mut Random) -> Value {
    let quantity = |dimension: Dimension, random: &mut Random| {
        let units: Vec<_> = dimension.names().collect();
        Value::Text(format!("{:?}{}{}", random.number().abs() + 0.1, random.pick(&["", " "]), random.pick(&units)))
    };
    match what {
        Type::Flag => Value::Flag(random.below(2) == 0),
        Type::Whole(least) => Value::Number((least + random.below(4)) as f64),
        Type::Number => Value::Number(random.number()),
        Type::PowerOfTwo => Value::Number(2.0_f64.powi(random.below(31) as i32 - 15)),
        Type::Positive => Value::Number(random.number().abs() + 1e-3),
        Type::Quantity(dimension) => quantity(dimension, random),
        Type::Frames => Value::Text(format!("{} frames", 1 + random.below(4))),
        Type::Choice(names) => Value::Text((*random.pick(names)).into()),
        Type::Text => Value::Text((*random.pick(&["on", "off"])).into()),
        Type::List(each, len) => list((0..len).map(|_| plain(*each, random)).collect()),
        Type::Values(each) => list((0..random.below(3)).map(|_| plain(*each, random)).collect()),
        Type::OneOrMore(each) if random.below(2) == 0 => plain(*each, random),
        Type::OneOrMore(each) => list((0..1 + random.below(3)).map(|_| plain(*each, random)).collect()),
        Type::OrAny(_) if random.below(2) == 0 => Value::Text("any".into()),
        Type::OrAny(each) => plain(*each, random),
        Type::Size(ranks) => {
            let rank = *random.pick(ranks);
            list((0..rank).map(|_| Value::Number((1 + random.below(4)) as f64)).collect())
        }
        Type::Weight(axes) => weight(axes, random),
        Type::Array | Type::Map => nested(&[2, 3], &mut || 3.0),
    }
}

fn list(values: Vec<Value>) -> Value {
    Value::List(values.into_iter().map(|value| Item { value, at: None }).collect())
}

fn nested(shape: &[usize], number: &mut impl FnMut() -> f64) -> Value {
    match shape {
        [] => Value::Number(number()),
        [len, rest @ ..] => list((0..*len).map(|_| nested(rest, number)).collect()),
    }
}

/// By value, by a generator, or a list of kernels.
fn weight(axes: Axes, random: &mut Random) -> Value {
    let ranks: &[usize] = match axes {
        Axes::Spacetime => &[0, 1, 2, 3, 5],
        Axes::Space => &[0, 2, 3, 4],
        Axes::Time => &[0, 1, 3],
        Axes::Field => &[0, 2, 3, 5],
        Axes::Stages => &[2, 3],
    };
    let kernel = if axes == Axes::Time { 1 } else { 2 };
    let generated = |rank: usize, random: &mut Random| {
        let generators: Vec<_> = GENERATORS.iter().filter(|generator| generator.rank == Some(rank)).collect();
        let generator = random.pick(&generators);
        let table = table(generator.keys, random);
        let mut entries = vec![Entry::new(generator.name, Value::Table(table))];
        if random.below(2) == 0 {
            entries.push(Entry::new("normalize", Value::Flag(random.below(2) == 0)));
        }
        Value::Table(entries)
    };
    match random.below(4) {
        0 => generated(kernel, random),
        1 => list((0..1 + random.below(2)).map(|_| generated(kernel, random)).collect()),
        _ => {
            let shape: Vec<_> = (0..*random.pick(ranks)).map(|_| 1 + random.below(3)).collect();
            nested(&shape, &mut || random.number())
        }
    }
}

/// The keys that are needed, and some of the others.
fn table(keys: &[&[Key]], random: &mut Random) -> Table {
    let mut table = Table::new();
    for key in keys.iter().copied().flatten() {
        if matches!(key.default, Default::Needed) || random.below(3) == 0 {
            table.push(Entry::new(key.name, plain(key.what, random)));
        }
    }
    table
}

/// A model that is right as far as a file tells: keys in any order, units, weights, parameters, any graph without cycles.
pub(super) fn model(seed: u64) -> Table {
    let mut random = Random(seed);
    let text = |text: &str| Value::Text(text.into());
    let odd = "\"quotes\", \\ \n\t \u{7f} \u{e9} and [brackets]";
    let parameters = vec![
        Entry::new("time", text("7ms")),
        Entry::new("factor", Value::Number(random.number())),
        Entry::new("odd", text(odd)),
    ];
    let names: Vec<_> = (0..1 + random.below(6)).map(|i| format!("layer-{i}")).collect();
    let mut layers = Vec::new();
    for (i, name) in names.iter().enumerate() {
        let kind = random.pick(&KINDS);
        let mut entries = vec![Entry::new("name", text(name)), Entry::new("kind", text(kind.name))];
        if kind.join != Join::Sum || random.below(2) == 0 {
            let terms: Vec<_> = (0..1 + random.below(3))
                .map(|_| {
                    let source = if i == 0 { "input" } else { random.pick(&names[..i]) };
                    let weight = if kind.join == Join::Sum { random.pick(&["", "-", "0.5 * ", "-1e-7 *"]) } else { "" };
                    Value::Text(format!("{weight}{source}"))
                })
                .collect();
            entries.push(Entry::new("from", list(terms)));
        }
        for mut entry in table(kind.keys, &mut random) {
            let parameter =
                match kind.keys.iter().copied().flatten().find(|key| key.name == entry.key).map(|key| key.what) {
                    Some(Type::Quantity(Dimension::Time)) => "$time",
                    Some(Type::Number) => "$factor",
                    _ => "",
                };
            if !parameter.is_empty() && random.below(3) == 0 {
                entry.item.value = text(parameter);
            }
            entries.push(entry);
        }
        layers.push(Value::Table(entries));
    }
    let mut input = table(&[&INPUT], &mut random);
    // Both at once have to agree.
    input.retain(|entry| entry.key != "channels");
    vec![
        Entry::new("version", Value::Number(1.0)),
        Entry::new("about", text("\"quotes\", \\ \u{e9} and [brackets]")),
        Entry::new("input", Value::Table(input)),
        Entry::new("parameters", Value::Table(parameters)),
        Entry::new("layer", list(layers)),
        Entry::new("outputs", Value::Table(vec![Entry::new("out", text(random.pick(&names).as_str()))])),
    ]
}

proptest! {
    #![proptest_config(foveola_seeds::config(300, module_path!()))]

    /// What is written is read back, and reads as what was meant.
    #[test]
    fn files_come_back(seed in any::<u64>()) {
        let text = write::document(&model(seed));
        let file = parse(&text).map_err(|error| TestCaseError::fail(format!("{text}\n{error}")))?;
        let written = file.to_toml();
        prop_assert_eq!(&parse(&written).map_err(|error| TestCaseError::fail(format!("{written}\n{error}")))?, &file);
        prop_assert_eq!(parse(&written).map(|file| file.to_toml()).ok(), Some(written));
        // Whether it can be built depends on its numbers; that it says so, does not.
        let _ = file.build(file.resolution());
    }

    /// A file in which letters were changed is read or refused.
    #[test]
    fn damaged_files_are_refused(seed in any::<u64>(), damage in prop::collection::vec((any::<prop::sample::Index>(), any::<char>(), 0..3), 1..4)) {
        let mut letters: Vec<char> = write::document(&model(seed)).chars().collect();
        for (place, letter, how) in damage {
            let i = place.index(letters.len());
            match how {
                0 => letters[i] = letter,
                1 => drop(letters.remove(i)),
                _ => letters.insert(i, letter),
            }
        }
        if let Ok(file) = parse(&letters.iter().collect::<String>()) {
            prop_assert_eq!(parse(&file.to_toml()).ok(), Some(file));
        }
    }
}
