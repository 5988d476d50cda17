//! The numbers of a model file that a fit may change, and how it writes what it found.
//!
//! ```text
//! <layer>.<key>                    slow.tau, gain.scale
//! <layer>.<table>.….<key>          small.weight.gaussian.sigma, or small.sigma if the layer has no other sigma
//! parameters.<name>, <name>        parameters.tau, tau
//! ```

use super::ModelFile;
use super::describe::list;
use super::error::Problem;
use super::kinds::KINDS;
use super::source::Source;
use super::units;
use super::value::{Entry, Item, Table, Value, find};
use super::write::number_in_toml;
use crate::model::inputs::{Inputs, Join};
use crate::{Error, Model, Parameter, Result};

/// A number in a model file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileNumber {
    /// Where it is, as [`ModelFile::set`] takes it.
    pub path: String,
    /// The number.
    pub value: f64,
    /// Its unit, as it is written; empty for a number without one.
    pub unit: String,
}

impl FileNumber {
    /// Whether it measures a time or a length in pixels, which are positive.
    pub(crate) fn is_positive(&self) -> bool {
        matches!(self.unit.trim(), "us" | "ms" | "s" | "frame" | "frames" | "px")
    }

    /// Another number in the notation of the file.
    fn text(&self, value: f64) -> String {
        let number = number_in_toml(rounded(value));
        if self.unit.is_empty() { number } else { format!("\"{number}{}\"", self.unit) }
    }
}

impl ModelFile {
    /// The numbers of the layers and of `[parameters]`, except those in lists.
    ///
    /// ```
    /// let text = "version = 1\n[[layer]]\nname = \"blur\"\nkind = \"Conv2d\"\n\
    ///             weight = { gaussian = { sigma = \"0.8px\", size = [5, 5] } }\n";
    /// let file = foveola::ModelFile::parse(text, ".")?;
    /// let numbers = file.numbers();
    /// assert_eq!((numbers[0].path.as_str(), numbers[0].value), ("blur.weight.gaussian.sigma", 0.8));
    /// # Ok::<(), foveola::Error>(())
    /// ```
    pub fn numbers(&self) -> Vec<FileNumber> {
        fn collect(path: &str, table: &Table, all: &mut Vec<FileNumber>) {
            for Entry { key, item, .. } in table {
                let path = format!("{path}.{key}");
                match &item.value {
                    Value::Number(value) => all.push(FileNumber { path, value: *value, unit: String::new() }),
                    Value::Text(text) => {
                        if let Some((value, unit)) = units::split(text) {
                            all.push(FileNumber { path, value, unit: unit.into() });
                        }
                    }
                    Value::Table(table) => collect(&path, table, all),
                    Value::Flag(_) | Value::List(_) => {}
                }
            }
        }
        let mut all = Vec::new();
        for layer in &self.layers {
            collect(&layer.name, layer.given(), &mut all);
        }
        collect("parameters", &self.parameters, &mut all);
        all
    }

    /// The number called `name`: its path, or the layer and the last key if that is unique, or the name of a parameter.
    pub(crate) fn number(&self, name: &str) -> Option<FileNumber> {
        let all = self.numbers();
        if let Some(exact) =
            all.iter().find(|number| number.path == name || number.path == format!("parameters.{name}"))
        {
            return Some(exact.clone());
        }
        let (layer, key) = name.split_once('.')?;
        let ends = |path: &str| {
            path.split_once('.').is_some_and(|(first, rest)| first == layer && rest.rsplit('.').next() == Some(key))
        };
        let mut found = all.iter().filter(|number| ends(&number.path));
        found.next().filter(|_| found.next().is_none()).cloned()
    }

    /// Changes a number, to nine digits; its unit stays.
    ///
    /// # Errors
    /// As [`ModelFile::set`].
    pub(crate) fn set_number(&mut self, number: &FileNumber, value: f64) -> Result<()> {
        self.set(&number.path, &number.text(value))
    }

    /// Fixes the size of the generated kernel that a number belongs to, so that it does not change with the number. Returns whether
    /// it was not fixed before.
    ///
    /// # Errors
    /// When the model cannot be built.
    pub(crate) fn fix_size(&mut self, number: &FileNumber) -> Result<bool> {
        let Some((generator, _)) = number.path.rsplit_once('.') else { return Ok(false) };
        let Some((layer, kind)) = generator.split_once(".weight.") else { return Ok(false) };
        let position = self.layers.iter().position(|entry| entry.name == layer);
        let given = position.and_then(|at| match find(self.layers[at].given(), "weight").map(|item| &item.value) {
            Some(Value::Table(weight)) => find(weight, kind).map(|item| &item.value),
            _ => None,
        });
        let Some(Value::Table(given)) = given else { return Ok(false) };
        let shape = self.model()?.parameter(&format!("{layer}.weight"))?.shape().to_vec();
        let (key, value) = match (kind, &shape[..]) {
            ("gaussian", [.., rows, cols]) if find(given, "size").is_none() => ("size", format!("[{rows}, {cols}]")),
            ("exponential" | "cascade", [_, _, frames, ..]) if find(given, "length").is_none() => {
                ("length", format!("\"{frames} frames\""))
            }
            // Without the 1 that it begins with.
            ("highpass", [_, _, frames, ..]) if find(given, "length").is_none() => {
                ("length", format!("\"{} frames\"", frames.saturating_sub(1)))
            }
            _ => return Ok(false),
        };
        self.set(&format!("{generator}.{key}"), &value).map(|()| true)
    }

    /// Sets all parameters from an archive of arrays, as [`Model::load_weights`] does, and writes those that change into the file by
    /// value, in place of what computed them.
    ///
    /// # Errors
    /// As [`Model::load_weights`]; the file is then as it was.
    pub fn load_weights(&mut self, path: impl AsRef<std::path::Path>) -> Result<()> {
        let own = self.model()?;
        let mut model = own.clone();
        model.load_weights(path)?;
        let mut changed = self.clone();
        for (parameter, before) in model.parameters().iter().zip(own.parameters()) {
            if *parameter != before {
                changed.adopt(parameter, &model)?;
            }
        }
        *self = changed;
        Ok(())
    }

    /// Writes the values that a parameter has in `model`, a model of this file in which it was changed.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a parameter that is not in a file, [`Error::ModelFile`].
    pub(crate) fn adopt(&mut self, parameter: &Parameter, model: &Model) -> Result<()> {
        let unknown = || Error::unknown("parameter of a model file", &parameter.name, ["<layer>.<key>"]);
        let (name, key) = parameter.name.split_once('.').ok_or_else(unknown)?;
        let layer = self.layers.iter().position(|layer| layer.name == name).ok_or_else(unknown)?;
        let value = if key == "inputs" {
            let entries = model.names().zip(model.inputs());
            let (_, inputs) = entries.into_iter().find(|(entry, _)| *entry == name).ok_or_else(unknown)?;
            let term = |(term, weight): &(String, f64)| {
                let terms = vec![(term.clone(), rounded(*weight))];
                Value::Text(Inputs { join: Join::Sum, terms }.to_string())
            };
            list(inputs.terms.iter().map(term))
        } else {
            let built = model.names().zip(model.layers()).find(|(entry, _)| *entry == name);
            let (_, built) = built.ok_or_else(unknown)?;
            let described = KINDS.iter().find_map(|kind| (kind.describe)(built)).ok_or_else(unknown)?;
            let table = described.without_defaults(&[]);
            find(&table, key).map(|item| item.value.clone()).ok_or_else(unknown)?
        };
        let key = if key == "inputs" { "from" } else { key };
        self.change(layer, key, value)
    }

    /// Sets a key of a layer.
    fn change(&mut self, layer: usize, key: &str, value: Value) -> Result<()> {
        let source = Source { text: String::new(), ..self.source.clone() };
        let mut table = self.table();
        let layers = table.iter_mut().find(|entry| entry.key == "layer").map(|entry| &mut entry.item.value);
        if let Some(Value::List(layers)) = layers
            && let Some(Item { value: Value::Table(keys), .. }) = layers.get_mut(layer)
        {
            match keys.iter_mut().find(|entry| entry.key == key) {
                Some(entry) => entry.item = Item { value, at: None },
                None => keys.push(Entry::new(key, value)),
            }
        }
        let changed = Self::from_table(&super::set::without_places(table), &source);
        *self = changed.map_err(|problem: Problem| problem.error(&source))?;
        Ok(())
    }
}

/// To nine digits, which is more than the 32-bit floats of a model tell apart.
fn rounded(value: f64) -> f64 {
    format!("{value:.8e}").parse().unwrap_or(value)
}
