//! The tables of kinds, generators and keys, and the schema.

use super::random::{Random, plain};
use super::{models, parse};
use crate::Resolution;
use crate::model::file::generators::GENERATORS;
use crate::model::file::input::INPUT;
use crate::model::file::keys::{Arguments, Default, Key, Scope};
use crate::model::file::kinds::KINDS;
use crate::model::file::layer::COMMON;
use crate::model::file::source::Source;
use crate::model::file::value::{Entry, Item, Table, Value, read_value};
use crate::model::file::weights::OPTIONS;
use crate::model::file::{schema, write};

/// All keys of all tables: each with its table's name.
fn all_keys() -> Vec<(&'static str, Key)> {
    let kinds =
        KINDS.iter().flat_map(|kind| kind.keys.iter().flat_map(move |keys| keys.iter().map(|key| (kind.name, *key))));
    let generators = GENERATORS
        .iter()
        .flat_map(|entry| entry.keys.iter().flat_map(move |keys| keys.iter().map(|key| (entry.name, *key))));
    let others = INPUT.iter().map(|key| ("input", *key)).chain(OPTIONS.iter().map(|key| ("weight", *key)));
    kinds.chain(generators).chain(others).chain(COMMON.iter().map(|key| ("layer", *key))).collect()
}

/// Defaults have their types, and no name is there twice.
#[test]
fn tables_are_consistent() {
    let (parameters, source) = (Table::new(), Source::default());
    let scope = Scope { parameters: &parameters, source: &source, resolution: Resolution::DEFAULT, every: 1 };
    let mut seen = std::collections::HashSet::new();
    for (table, key) in all_keys() {
        assert!(seen.insert((table, key.name)), "{table}.{} is there twice", key.name);
        assert!(!key.about.is_empty() && !key.about.ends_with('.'), "{table}.{}", key.name);
        if let Default::Is(text) = key.default {
            let entry = Entry::new(key.name, read_value(text).expect("TOML"));
            let args = Arguments { keys: &[&[key]], table: &vec![entry], scope, at: None };
            assert!(args.check().is_ok(), "{table}.{}: the default {text}", key.name);
        }
    }
    for kind in &KINDS {
        assert!(
            seen.insert((kind.name, "")) && !COMMON.iter().any(|key| seen.contains(&(kind.name, key.name))),
            "{}",
            kind.name
        );
    }
    for generator in &GENERATORS {
        assert!(OPTIONS.iter().all(|option| option.name != generator.name), "{} is an option, too", generator.name);
    }
}

/// A layer has the name of its kind, and takes each default as it is.
#[test]
fn kinds_build_layers_of_their_names() {
    for kind in &KINDS {
        let mut random = Random(0);
        let keys = kind.keys.iter().copied().flatten().filter(|key| matches!(key.default, Default::Needed));
        // Only here do the values of two keys depend on each other.
        let given: Vec<_> = match kind.name {
            "NLPiecewiseLinear" => {
                let numbers = || read_value("[-1, 0, 2.5]").expect("TOML");
                keys.map(|key| Entry::new(key.name, numbers())).collect()
            }
            _ => keys.map(|key| Entry::new(key.name, plain(key.what, &mut random))).collect(),
        };
        let text = Entry::new("kind", Value::Text(kind.name.into()));
        let from = Entry::new("from", Value::Text("input".into()));
        let entries = [vec![Entry::new("name", Value::Text("a".into())), text, from], given].concat();
        let layer = Value::List(vec![Item { value: Value::Table(entries), at: None }]);
        let file = write::document(&[Entry::new("version", Value::Number(1.0)), Entry::new("layer", layer)]);
        let file = parse(&file).unwrap_or_else(|error| panic!("{file}\n{error}"));
        let layers = file.build(file.resolution()).unwrap_or_else(|error| panic!("{}\n{error}", file.to_toml()));
        let identity = matches!(kind.name, "Identity" | "Product" | "Concat");
        assert_eq!(layers[0].layer.name(), if identity { "Identity" } else { kind.name });
        assert_eq!(layers[0].inputs.join, kind.join);
    }
}

/// `REGENERATE=1 cargo test -p foveola schema` writes it anew.
#[test]
fn the_schema_is_current() {
    let (path, schema) = (models().join("schema.json"), schema());
    if std::env::var_os("REGENERATE").is_some() {
        std::fs::write(&path, &schema).expect("written");
    }
    let stored = std::fs::read_to_string(&path).expect("models/schema.json");
    assert_eq!(stored, schema, "REGENERATE=1 cargo test -p foveola schema");
    let json: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    let kinds = json["properties"]["layer"]["items"]["oneOf"].as_array().expect("kinds");
    assert_eq!(kinds.len(), KINDS.len());
}
