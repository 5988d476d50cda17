//! A JSON Schema (draft 2020-12) of model files, with which editors complete and check them.

use super::generators::GENERATORS;
use super::input::INPUT;
use super::keys::{Default, Key, Type};
use super::kinds::KINDS;
use super::layer::COMMON;
use super::value::{Entry, Item, Value, read_value};
use super::weights::OPTIONS;
use super::{SAMPLES, TOP, VERSION};
use std::fmt::Write;

/// The schema as JSON, the content of `models/schema.json`.
///
/// ```
/// assert!(foveola::model_schema().contains("SmoothConv"));
/// ```
pub fn schema() -> String {
    let layers = KINDS.iter().map(|kind| {
        let [name, _, from, full_scale, inner_scale] = COMMON;
        let common = [name, from, full_scale, inner_scale];
        let what = ("kind", object(&[("const", text(kind.name))]));
        let groups: Vec<_> = [&common[..]].into_iter().chain(kind.keys.iter().copied()).collect();
        with_keys(&groups, vec![what], &["kind"], kind.about)
    });
    let input = with_keys(&[&INPUT], Vec::new(), &[], "the frames that the model reads");
    let any_of = |types: &[&str]| object(&[("type", list(types.iter().map(|name| text(name)).collect()))]);
    let parts = |name: &str| match name {
        "sample" => object(&[("enum", list(SAMPLES.iter().map(|name| text(name)).collect()))]),
        "version" => object(&[("const", Value::Number(VERSION as f64))]),
        "input" => input.clone(),
        "parameters" => map_of(any_of(&["number", "string", "boolean", "array"])),
        "outputs" => map_of(any_of(&["string"])),
        "layer" => object(&[
            ("type", text("array")),
            ("minItems", Value::Number(1.0)),
            ("items", object(&[("oneOf", list(layers.clone().collect()))])),
        ]),
        _ => any_of(&["string"]),
    };
    let described = |(name, about): &(&'static str, &str)| (*name, described(parts(name), about));
    let properties: Vec<_> = TOP.iter().map(described).collect();
    let document = object(&[
        ("$schema", text("https://json-schema.org/draft/2020-12/schema")),
        ("title", text("foveola model")),
        ("type", text("object")),
        ("properties", object(&properties)),
        ("required", list(vec![text("version"), text("layer")])),
        ("additionalProperties", Value::Flag(false)),
        ("$defs", definitions()),
    ]);
    json(&document, 0) + "\n"
}

/// What several keys share: parameters, weights and kernels.
fn definitions() -> Value {
    let generators: Vec<_> = GENERATORS
        .iter()
        .map(|generator| (generator.name, with_keys(generator.keys, Vec::new(), &[], generator.about)))
        .collect();
    let table = with_keys(&[&OPTIONS], generators, &[], "a generator, values or a file");
    object(&[
        (
            "parameter",
            object(&[
                ("type", text("string")),
                ("pattern", text("^\\$")),
                ("description", text("a value of [parameters]")),
            ]),
        ),
        ("kernel", object(&[("oneOf", list(vec![reference("array"), table]))])),
        (
            "array",
            object(&[
                ("type", list(vec![text("number"), text("array")])),
                ("items", reference("array")),
                ("minItems", Value::Number(1.0)),
            ]),
        ),
        (
            "weight",
            object(&[(
                "anyOf",
                list(vec![
                    reference("parameter"),
                    reference("kernel"),
                    object(&[
                        ("type", text("array")),
                        ("items", reference("kernel")),
                        ("minItems", Value::Number(1.0)),
                    ]),
                ]),
            )]),
        ),
    ])
}

/// An object with these keys, and properties besides.
fn with_keys(groups: &[&[Key]], more: Vec<(&'static str, Value)>, needed: &[&'static str], about: &str) -> Value {
    let keys = || groups.iter().copied().flatten();
    let property = |key: &Key| {
        let about = match key.default {
            Default::Else(otherwise) => format!("{}; otherwise {otherwise}", key.about),
            Default::Needed | Default::Is(_) => key.about.to_owned(),
        };
        let mut property = described(or_parameter(key.what), &about);
        if let (Value::Table(table), Default::Is(default)) = (&mut property, key.default)
            && let Ok(default) = read_value(default)
        {
            table.push(Entry::new("default", default));
        }
        (key.name, property)
    };
    let mut properties: Vec<_> = keys().map(property).collect();
    properties.extend(more);
    let given = keys().filter(|key| matches!(key.default, Default::Needed)).map(|key| key.name);
    let required = given.chain(needed.iter().copied()).map(text).collect();
    object(&[
        ("type", text("object")),
        ("description", text(about)),
        ("properties", object(&properties)),
        ("required", list(required)),
        ("additionalProperties", Value::Flag(false)),
    ])
}

/// A value of the type, or the name of a parameter.
fn or_parameter(what: Type) -> Value {
    match what {
        Type::Weight(_) => reference("weight"),
        Type::Text => of_type(what),
        _ => object(&[("anyOf", list(vec![of_type(what), reference("parameter")]))]),
    }
}

fn of_type(what: Type) -> Value {
    let array = |items: Value, len: Option<usize>| {
        let len = len.map(|len| Value::Number(len as f64));
        let mut entries = vec![("type", text("array")), ("items", items)];
        entries.extend(len.iter().flat_map(|len| [("minItems", len.clone()), ("maxItems", len.clone())]));
        object(&entries)
    };
    match what {
        Type::Flag => object(&[("type", text("boolean"))]),
        Type::Whole(least) => object(&[("type", text("integer")), ("minimum", Value::Number(least as f64))]),
        Type::Number => object(&[("type", text("number"))]),
        Type::PowerOfTwo => {
            let powers = (-15..=15).map(|exponent| Value::Number(2.0_f64.powi(exponent)));
            object(&[("enum", list(powers.collect()))])
        }
        Type::Positive => object(&[("type", text("number")), ("exclusiveMinimum", Value::Number(0.0))]),
        Type::Quantity(dimension) => with_unit(dimension),
        Type::Frames => with_unit(super::units::Dimension::Time),
        Type::Choice(names) => object(&[("enum", list(names.iter().map(|name| text(name)).collect()))]),
        Type::Text => object(&[("type", text("string"))]),
        Type::List(each, len) => array(or_parameter(*each), Some(len)),
        Type::Values(each) => array(or_parameter(*each), None),
        Type::OneOrMore(each) => object(&[("anyOf", list(vec![of_type(*each), array(or_parameter(*each), None)]))]),
        Type::OrAny(each) => object(&[("anyOf", list(vec![of_type(*each), object(&[("const", text("any"))])]))]),
        Type::Size(ranks) => {
            let axis = || or_parameter(Type::Whole(1));
            let arrays = ranks.iter().map(|rank| array(axis(), Some(*rank)));
            object(&[("anyOf", list(arrays.collect()))])
        }
        Type::Array => reference("array"),
        Type::Weight(_) | Type::Map => reference("kernel"),
    }
}

fn with_unit(dimension: super::units::Dimension) -> Value {
    let names: Vec<_> = dimension.names().collect();
    let pattern = format!("^ *[-+]?[0-9.]+([eE][-+]?[0-9]+)? *({}) *$", names.join("|"));
    object(&[("type", text("string")), ("pattern", text(&pattern))])
}

fn described(value: Value, about: &str) -> Value {
    match value {
        Value::Table(mut table) if !table.iter().any(|entry| entry.key == "description") => {
            table.insert(0, Entry::new("description", text(about)));
            Value::Table(table)
        }
        other => other,
    }
}

fn map_of(values: Value) -> Value {
    object(&[("type", text("object")), ("additionalProperties", values)])
}

fn reference(name: &str) -> Value {
    object(&[("$ref", text(&format!("#/$defs/{name}")))])
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn list(values: Vec<Value>) -> Value {
    Value::List(values.into_iter().map(|value| Item { value, at: None }).collect())
}

fn object(entries: &[(&str, Value)]) -> Value {
    Value::Table(entries.iter().map(|(key, value)| Entry::new(*key, value.clone())).collect())
}

/// A value as JSON, two spaces a level; what is short stays on one line.
fn json(value: &Value, level: usize) -> String {
    let block = |open: char, close: char, parts: Vec<String>| {
        let line = format!("{open}{}{close}", parts.join(", "));
        if line.len() + 2 * level <= 120 && !line.contains('\n') {
            return line;
        }
        let (inner, outer) = ("  ".repeat(level + 1), "  ".repeat(level));
        format!("{open}\n{inner}{}\n{outer}{close}", parts.join(&format!(",\n{inner}")))
    };
    match value {
        Value::Flag(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => quoted(text),
        Value::List(items) => block('[', ']', items.iter().map(|item| json(&item.value, level + 1)).collect()),
        Value::Table(table) => {
            let entry = |entry: &Entry| format!("{}: {}", quoted(&entry.key), json(&entry.item.value, level + 1));
            block('{', '}', table.iter().map(entry).collect())
        }
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            control if control.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            letter => out.push(letter),
        }
    }
    out + "\""
}
