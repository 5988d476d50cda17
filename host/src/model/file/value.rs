//! The values of a model file, each with the byte where it was written.

use super::error::Problem;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The largest whole number that 64-bit floats hold with all smaller ones: 2^53.
pub(super) const LARGEST: f64 = 9_007_199_254_740_992.0;

/// A value of TOML. Numbers are finite; whole ones are at most 2^53 in magnitude.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Flag(bool),
    Number(f64),
    Text(String),
    List(Vec<Item>),
    Table(Table),
}

/// A value and where it begins; none for a value that is not from a file. Items are equal if their values are.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) value: Value,
    pub(super) at: Option<usize>,
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// Keys and values in the order of the file.
pub(super) type Table = Vec<Entry>;

/// A key and its value. Entries are equal if these are.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) at: Option<usize>,
    pub(super) item: Item,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.item == other.item
    }
}

impl Entry {
    pub(super) fn new(key: impl Into<String>, value: Value) -> Self {
        Self { key: key.into(), at: None, item: Item { value, at: None } }
    }
}

/// The value of `key`.
pub(super) fn find<'t>(table: &'t [Entry], key: &str) -> Option<&'t Item> {
    table.iter().find(|entry| entry.key == key).map(|entry| &entry.item)
}

/// The entries of a file.
pub(super) fn read(text: &str) -> Result<Table, Problem> {
    let table = DeTable::parse(text).map_err(|error| syntax(&error))?;
    entries(table.get_ref())
}

/// A value on its own, as after `--set`: in the notation of TOML, or else text without quotes.
pub(super) fn read_value(text: &str) -> Result<Value, Problem> {
    match DeValue::parse(text.trim()) {
        Ok(value) => item(&value).map(|item| item.value).map_err(Problem::without_place),
        Err(_) => Ok(Value::Text(text.trim().into())),
    }
}

fn syntax(error: &toml::de::Error) -> Problem {
    let at = error.span().map(|span| span.start);
    Problem::new(at, error.message().replace('\n', ", "), "")
}

fn entries(table: &DeTable<'_>) -> Result<Table, Problem> {
    let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let name: &std::borrow::Cow<'_, str> = key.get_ref();
        let item = item(value).map_err(|problem| problem.in_key(name))?;
        Ok(Entry { key: name.to_string(), at: Some(key.span().start), item })
    };
    let mut entries = table.iter().map(entry).collect::<Result<Table, Problem>>()?;
    // The parser sorts by name.
    entries.sort_by_key(|entry| entry.at);
    Ok(entries)
}

fn item(value: &Spanned<DeValue<'_>>) -> Result<Item, Problem> {
    let at = Some(value.span().start);
    let number = |number: Option<f64>, text: &str| match number {
        Some(number) if number.is_finite() => Ok(Value::Number(number)),
        _ => Err(Problem::new(at, text, "a finite number; whole numbers up to 2^53")),
    };
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(whole) => {
            let exact = i64::from_str_radix(whole.as_str(), whole.radix()).ok();
            let exact = exact.filter(|whole| whole.unsigned_abs() <= LARGEST as u64);
            number(exact.map(|whole| whole as f64), whole.as_str())?
        }
        DeValue::Float(float) => number(float.as_str().parse().ok(), float.as_str())?,
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(date) => {
            return Err(Problem::new(at, format!("the date {date}"), "a number, text, true, false, a list or a table"));
        }
        DeValue::Array(items) => Value::List(items.iter().map(item).collect::<Result<_, _>>()?),
        DeValue::Table(table) => Value::Table(entries(table)?),
    };
    Ok(Item { value, at })
}

/// A value in the words of a message, shortened.
pub(super) fn in_words(value: &Value) -> String {
    match value {
        Value::Flag(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) if text.chars().count() > 60 => {
            format!("{:?}", text.chars().take(60).collect::<String>() + "…")
        }
        Value::Text(text) => format!("{text:?}"),
        Value::List(items) => format!("a list of {}", items.len()),
        Value::Table(_) => "a table".into(),
    }
}
