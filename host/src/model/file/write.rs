//! A model file as text: tables in the order of a reader, long lists of numbers one row a line.

use super::value::{Entry, LARGEST, Value};
use std::fmt::Write;

/// The width of a line before a list is broken.
const WIDTH: usize = 100;

/// A whole file. Tables and lists of tables at the top become sections.
pub(super) fn document(entries: &[Entry]) -> String {
    let mut text = String::new();
    let is_section = |entry: &&Entry| match &entry.item.value {
        Value::Table(_) => true,
        Value::List(items) => matches!(items.first().map(|item| &item.value), Some(Value::Table(_))),
        _ => false,
    };
    lines(&mut text, entries.iter().filter(|entry| !is_section(entry)));
    for entry in entries.iter().filter(is_section) {
        match &entry.item.value {
            Value::Table(table) => {
                let _ = write!(text, "\n[{}]\n", key(&entry.key));
                lines(&mut text, table);
            }
            Value::List(items) => {
                for item in items {
                    let _ = write!(text, "\n[[{}]]\n", key(&entry.key));
                    if let Value::Table(table) = &item.value {
                        lines(&mut text, table);
                    }
                }
            }
            _ => {}
        }
    }
    text
}

fn lines<'e>(text: &mut String, entries: impl IntoIterator<Item = &'e Entry>) {
    for entry in entries {
        let _ = writeln!(text, "{} = {}", key(&entry.key), value(&entry.item.value, 0));
    }
}

/// A key, in quotes where it needs them.
fn key(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if !name.is_empty() && name.chars().all(plain) { name.into() } else { quoted(name) }
}

/// Text in quotes, as TOML writes it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            control if control.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(control));
            }
            letter => out.push(letter),
        }
    }
    out + "\""
}

/// A value on one line, or a list over several, indented by four spaces a level.
fn value(value: &Value, level: usize) -> String {
    match value {
        Value::Flag(flag) => flag.to_string(),
        Value::Number(number) => number_in_toml(*number),
        Value::Text(text) => quoted(text),
        Value::List(items) => {
            let parts: Vec<_> = items.iter().map(|item| self::value(&item.value, level + 1)).collect();
            let line = format!("[{}]", parts.join(", "));
            let nested = items.iter().any(|item| !matches!(item.value, Value::Number(_)));
            if line.len() <= WIDTH || !nested {
                return line;
            }
            let (inner, outer) = ("    ".repeat(level + 1), "    ".repeat(level));
            format!("[\n{inner}{},\n{outer}]", parts.join(&format!(",\n{inner}")))
        }
        Value::Table(table) => {
            let entry = |entry: &Entry| format!("{} = {}", key(&entry.key), self::value(&entry.item.value, level));
            let parts: Vec<_> = table.iter().map(entry).collect();
            if parts.is_empty() { "{}".into() } else { format!("{{ {} }}", parts.join(", ")) }
        }
    }
}

/// The shortest number that reads back as the same 64-bit float.
pub(super) fn number_in_toml(number: f64) -> String {
    let whole = number.fract() == 0.0 && number.abs() <= LARGEST && !(number == 0.0 && number.is_sign_negative());
    if whole { format!("{}", number as i64) } else { format!("{number:?}") }
}
