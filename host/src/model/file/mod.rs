//! A model as a file: TOML that a person can read and a diff can show.
//!
//! ```
//! use foveola::{ModelFile, Resolution};
//! let file = ModelFile::parse(
//!     r#"
//!     version = 1
//!     name = "centre_surround"
//!
//!     [parameters]
//!     tau = "6ms"
//!
//!     [[layer]]
//!     name = "centre"
//!     kind = "SmoothConv"
//!     tau = "$tau"
//!     n = 3
//!     weight = { gaussian = { sigma = "0.8px", size = [5, 5] }, normalize = true }
//!
//!     [[layer]]
//!     name = "surround"
//!     kind = "SmoothConv"
//!     from = "input"
//!     tau = "10ms"
//!     n = 3
//!     weight = { gaussian = { sigma = "3px", size = [19, 19] }, normalize = true }
//!
//!     [[layer]]
//!     name = "difference"
//!     kind = "Identity"
//!     from = ["centre", "-surround"]
//!     "#,
//!     ".",
//! )?;
//! let layers = file.build(file.resolution())?;
//! assert_eq!(layers[2].inputs.to_string(), "centre, -surround");
//! assert_eq!(ModelFile::parse(&file.to_toml(), ".")?, file);
//! # Ok::<(), foveola::Error>(())
//! ```
//!
//! # The file
//! | key or table | content | if absent |
//! |---|---|---|
//! | `version` | 1 | an error |
//! | `name`, `about` | text | empty |
//! | `sample` | what the model computes with: `"f32"`, or `"q15"`, [integers of 16 bits](crate::integers) | `"f32"` |
//! | `[input]` | `rows`, `cols` (a number or `"any"`), `channels` or `polarity`, `dt`, `pixels_per_degree`, `filter_epsilon`, `events`, `full_scale` | any frames, 1 ms, 10 pixels per degree, 128 |
//! | `[parameters]` | values that layers use as `"$name"` | none |
//! | `[[layer]]` | `name`, `kind`, `from`, `full_scale`, `inner_scale` and the keys of the kind | an error |
//! | `[outputs]` | names of outputs, each with the name of a layer | the last layer, under its name |
//!
//! `from` is a name or a list of names, each possibly with a weight: `"-0.5 * surround"`. Without it a layer reads the layer
//! before, the first one the input. A layer may read one that is further down, as long as there is no cycle.
//!
//! Times have the unit `us`, `ms`, `s` or `frames`, lengths `px` or `deg`, frequencies `Hz`, angles `deg` or `rad`. After a
//! temporal stride a frame lasts longer; times in other units stay what they are.
//!
//! Everything that can be checked without computing a weight is checked by [`ModelFile::parse`], and each mistake is a
//! [`ModelFileError`] with line, column and key.

mod arrays;
mod brief;
mod cut;
mod describe;
mod error;
mod firmware;
mod free;
mod from_model;
mod generators;
mod input;
mod keys;
mod kinds;
mod layer;
mod open;
mod readers;
mod schema;
mod set;
mod source;
mod store;
#[cfg(test)]
mod tests;
mod units;
mod value;
mod weighted;
mod weights;
mod write;

pub use error::ModelFileError;
pub use free::FileNumber;
pub use input::Input;
pub use layer::{BuiltLayer, LayerEntry};
pub use schema::schema;

use crate::{Error, Resolution, Result, Samples};
use error::Problem;
use keys::Scope;
use readers::line;
use source::Source;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use value::{Entry, Item, Table, Value, find, in_words};

/// The version of the format that this crate writes, the newest that it reads.
pub const VERSION: usize = 1;

/// The most bytes of a file.
const LARGEST_FILE: u64 = 64 << 20;

/// A model file: what the model reads, its layers, and what it outputs. See the [module](self) for the format.
///
/// Two files are equal if they say the same, wherever and however it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFile {
    name: String,
    about: String,
    is_q15: bool,
    input: Input,
    parameters: Table,
    layers: Vec<LayerEntry>,
    /// Positions of the layers, each after those that it reads.
    order: Vec<usize>,
    outputs: Vec<(String, String)>,
    source: Source,
}

/// The keys at the top of a file.
const TOP: [(&str, &str); 8] = [
    ("version", "version of the format: 1"),
    ("name", "name of the model"),
    ("about", "one line on what it does"),
    ("sample", "what the model computes with: f32 or q15"),
    ("input", "the frames that the model reads"),
    ("parameters", "values that layers use as \"$name\""),
    ("layer", "a layer"),
    ("outputs", "outputs and their layers"),
];

/// The values of `sample`.
const SAMPLES: [&str; 2] = ["f32", "q15"];

impl ModelFile {
    /// Parses the text of a file whose arrays are in `folder`.
    ///
    /// # Errors
    /// [`Error::ModelFile`] with the first mistake.
    pub fn parse(text: &str, folder: impl AsRef<Path>) -> Result<Self> {
        Self::parse_as(Path::new(""), text, folder.as_ref())
    }

    /// Reads a file. The arrays that it names are beside it.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read, [`Error::Data`] for one of more than 64 MB, [`Error::ModelFile`] with the first
    /// mistake.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let io = |source| Error::Io { path: path.into(), source };
        let mut bytes = Vec::new();
        // A device or a pipe may never end.
        File::open(path).and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes)).map_err(io)?;
        if bytes.len() as u64 > LARGEST_FILE {
            let expected = "64 MB at most; large arrays belong in files of their own, as { file = \"weights.npy\" }";
            return Err(Error::Data {
                path: path.into(),
                reason: format!("more than 64 MB of text; expected {expected}"),
            });
        }
        let text = String::from_utf8(bytes).map_err(|error| io(io::Error::new(io::ErrorKind::InvalidData, error)))?;
        Self::parse_as(path, &text, path.parent().unwrap_or(Path::new("")))
    }

    fn parse_as(path: &Path, text: &str, folder: &Path) -> Result<Self> {
        let source = Source::new(path, text, folder);
        match value::read(text).and_then(|table| Self::from_table(&table, &source)) {
            Ok(file) => Ok(file),
            Err(problem) => Err(problem.error(&source).into()),
        }
    }

    /// The name of the model; empty if it has none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One line on what the model does; empty if there is none.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The frames that the model reads.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// What the model computes with.
    pub fn samples(&self) -> Samples {
        if self.is_q15 { Samples::Q15 { full_scale: self.input.full_scale } } else { Samples::F32 }
    }

    /// Frames per second and pixels per degree of the input.
    pub fn resolution(&self) -> Resolution {
        self.input.resolution()
    }

    /// The layers in the order of the file.
    pub fn layers(&self) -> &[LayerEntry] {
        &self.layers
    }

    /// The outputs: their names, each with the name of its layer.
    pub fn outputs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.outputs.iter().map(|(name, layer)| (name.as_str(), layer.as_str()))
    }

    /// The file as text that [`ModelFile::parse`] reads back to an equal one. Comments of the file that was read are not kept.
    pub fn to_toml(&self) -> String {
        write::document(&self.table())
    }

    fn table(&self) -> Table {
        let text = |key: &str, text: &str| Entry::new(key, Value::Text(text.into()));
        let mut table = vec![Entry::new("version", Value::Number(VERSION as f64))];
        let texts = [("name", &self.name), ("about", &self.about)];
        table.extend(texts.iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| text(key, value)));
        if self.is_q15 {
            table.push(text("sample", "q15"));
        }
        for (key, entries) in [("input", &self.input.table), ("parameters", &self.parameters)] {
            if !entries.is_empty() {
                table.push(Entry::new(key, Value::Table(entries.clone())));
            }
        }
        let layers = self.layers.iter().map(|layer| Item { value: Value::Table(layer.table()), at: None });
        table.push(Entry::new("layer", Value::List(layers.collect())));
        let outputs = self.outputs.iter().map(|(name, layer)| text(name, layer));
        table.push(Entry::new("outputs", Value::Table(outputs.collect())));
        table
    }

    fn from_table(table: &Table, source: &Source) -> Result<Self, Problem> {
        let version = find(table, "version");
        // First: whatever else is in a newer file may be right there.
        match version.map(|item| &item.value) {
            Some(Value::Number(number)) if *number == VERSION as f64 => {}
            Some(other) => {
                let expected = format!("{VERSION}, the newest version that this program reads");
                return Err(Problem::new(
                    version.and_then(|item| item.at),
                    format!("version {}", in_words(other)),
                    expected,
                ));
            }
            None => return Err(Problem::new(Some(0), "no version", format!("version = {VERSION}"))),
        }
        for entry in table {
            if !TOP.iter().any(|(name, _)| *name == entry.key) {
                return Err(Problem::unknown(entry.at, "key", &entry.key, TOP.iter().map(|(name, _)| *name)));
            }
        }
        let parameters = parameters(table)?;
        let scope = Scope { parameters: &parameters, source, resolution: Resolution::DEFAULT, every: 1 };
        let words = |key: &str| match find(table, key) {
            Some(item) => line(&scope, item).map_err(|problem| problem.in_key(key)),
            None => Ok(String::new()),
        };
        let (name, about) = (words("name")?, words("about")?);
        let is_q15 = match (words("sample")?.as_str(), find(table, "sample")) {
            ("q15", _) => true,
            ("f32", _) | (_, None) => false,
            (other, Some(item)) => {
                return Err(Problem::unknown(item.at, "kind of sample", other, SAMPLES).in_key("sample"));
            }
        };
        let input =
            Input::read(section(table, "input")?, scope).map_err(|problem| problem.in_part(|| "input".into()))?;
        let scope = Scope { resolution: input.resolution(), ..scope };
        let layers = layer::read_all(table, scope)?;
        let order = layer::order(&layers)?;
        let outputs = outputs(table, &layers)?;
        let source = source.clone();
        Ok(Self { name, about, is_q15, input, parameters, layers, order, outputs, source })
    }
}

impl From<ModelFileError> for Error {
    fn from(error: ModelFileError) -> Self {
        Self::ModelFile(Box::new(error))
    }
}

/// A table at the top; empty if it is absent.
fn section<'t>(table: &'t Table, key: &str) -> Result<Option<(&'t Table, Option<usize>)>, Problem> {
    match find(table, key) {
        Some(Item { value: Value::Table(section), at }) => Ok(Some((section, *at))),
        Some(other) => Err(Problem::new(other.at, in_words(&other.value), format!("a table [{key}]")).in_key(key)),
        None => Ok(None),
    }
}

fn parameters(table: &Table) -> Result<Table, Problem> {
    let Some((parameters, _)) = section(table, "parameters")? else { return Ok(Table::new()) };
    for entry in parameters {
        let problem = |found: String, expected: &str| {
            Err(Problem::new(entry.at, found, expected).in_part(|| "parameters".into()).in_key(&entry.key))
        };
        if !crate::model::inputs::is_name(&entry.key) {
            return problem("no name".into(), "letters, digits, _ and -, a letter or _ first");
        }
        match &entry.item.value {
            Value::Table(_) => return problem("a table".into(), "a number, text, true, false or a list"),
            Value::Text(text) if text.starts_with('$') => return problem(in_words(&entry.item.value), "a value"),
            _ => {}
        }
    }
    Ok(parameters.clone())
}

fn outputs(table: &Table, layers: &[LayerEntry]) -> Result<Vec<(String, String)>, Problem> {
    let part = || "outputs".into();
    match section(table, "outputs")? {
        Some((outputs, at)) if outputs.is_empty() => {
            Err(Problem::new(at, "no output", "one or more, or no table [outputs]").in_part(part))
        }
        Some((outputs, _)) => {
            let output = |entry: &Entry| {
                let Value::Text(layer) = &entry.item.value else {
                    return Err(Problem::new(entry.item.at, in_words(&entry.item.value), "the name of a layer"));
                };
                if !crate::model::inputs::is_name(&entry.key) {
                    let expected = "a name of letters, digits, _ and -, a letter or _ first";
                    return Err(Problem::new(entry.at, format!("an output called {:?}", entry.key), expected));
                }
                if !layers.iter().any(|known| known.name == *layer) {
                    let known = layers.iter().map(|layer| layer.name.as_str());
                    return Err(Problem::unknown(entry.item.at, "layer", layer, known));
                }
                Ok((entry.key.clone(), layer.clone()))
            };
            let output = |entry: &Entry| output(entry).map_err(|problem| problem.in_key(&entry.key).in_part(part));
            outputs.iter().map(output).collect()
        }
        None => Ok(layers.last().map(|last| (last.name.clone(), last.name.clone())).into_iter().collect()),
    }
}
