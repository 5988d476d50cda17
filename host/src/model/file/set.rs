//! Values that are changed by their paths, as `--set centre.tau=8ms` does.

use super::error::Problem;
use super::source::Source;
use super::value::{Entry, Item, Table, Value, find, read_value};
use crate::{ModelFile, Result};

impl ModelFile {
    /// Changes one value, as `--set` does: `centre.tau` is a key of the layer `centre`, `centre.weight.gaussian.sigma` one
    /// within it, `parameters.tau` or `tau` a parameter, `input.dt` a key of the input, `name`, `about` and `sample` those of the
    /// file if there is no such parameter. The value is in the notation of TOML, or text without quotes. Everything is checked anew;
    /// after an error the file is unchanged.
    ///
    /// ```
    /// # let text = "version = 1\n[[layer]]\nname = \"slow\"\nkind = \"LowPass\"\ntau = \"6ms\"\n";
    /// let mut file = foveola::ModelFile::parse(text, ".")?;
    /// file.set("slow.tau", "8ms")?;
    /// assert!(file.to_toml().contains("tau = \"8ms\""));
    /// let error = file.set("slow.tau", "8Hz").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "layer \"slow\": tau: \"8Hz\" has the unit Hz; expected a time of 0 or more with us, ms, s or frames, such as \"6ms\" \
    ///      or \"3 frames\""
    /// );
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ModelFile`](crate::Error::ModelFile) for a path that leads nowhere and for a value that does not fit.
    pub fn set(&mut self, path: &str, value: &str) -> Result<()> {
        let source = Source { text: String::new(), ..self.source.clone() };
        let changed = read_value(value).and_then(|value| {
            let mut table = self.table();
            *self.place(&mut table, path)? = Item { value, at: None };
            Self::from_table(&without_places(table), &source)
        });
        *self = changed.map_err(|problem| problem.error(&source))?;
        Ok(())
    }

    /// The place of `path` in the file, made where its last key is new.
    fn place<'t>(&self, table: &'t mut Table, path: &str) -> Result<&'t mut Item, Problem> {
        let mut names = path.split('.');
        let first = names.next().unwrap_or_default();
        let mut names: Vec<_> = names.collect();
        if names.is_empty() {
            if find(&self.parameters, first).is_none() {
                if matches!(first, "name" | "about" | "sample") {
                    return Ok(child(table, first));
                }
                let known = self.parameters.iter().map(|entry| entry.key.as_str());
                return Err(Problem::unknown(None, "parameter", first, known));
            }
            names.push(first);
        }
        if let ("parameters", [name]) = (first, &names[..])
            && find(&self.parameters, name).is_none()
        {
            let known = self.parameters.iter().map(|entry| entry.key.as_str());
            return Err(Problem::unknown(None, "parameter", name, known));
        }
        let mut inner = match (self.layers.iter().position(|layer| layer.name == first), first) {
            (Some(position), _) => {
                match table.iter_mut().find(|entry| entry.key == "layer").map(|entry| &mut entry.item.value) {
                    Some(Value::List(layers)) => layers.get_mut(position),
                    _ => None,
                }
            }
            (None, "input" | "outputs" | "parameters") => Some(child(table, first)),
            _ if find(&self.parameters, first).is_some() => Some(child(table, "parameters")),
            _ => None,
        };
        for name in names {
            inner = match inner.map(|item| &mut item.value) {
                Some(Value::Table(table)) => Some(child(table, name)),
                _ => None,
            };
        }
        inner.ok_or_else(|| {
            let layers = self.layers.iter().map(|layer| layer.name.as_str());
            Problem::unknown(None, "layer or table", first, layers.chain(["input", "parameters", "outputs"]))
        })
    }
}

/// The entry of `key`, made if it is new.
fn child<'t>(table: &'t mut Table, key: &str) -> &'t mut Item {
    let position = table.iter().position(|entry| entry.key == key).unwrap_or_else(|| {
        table.push(Entry::new(key, Value::Table(Table::new())));
        table.len() - 1
    });
    &mut table[position].item
}

/// The same values; their places are those of a file that they no longer are from.
pub(super) fn without_places(table: Table) -> Table {
    fn without_place(item: Item) -> Item {
        let value = match item.value {
            Value::List(items) => Value::List(items.into_iter().map(without_place).collect()),
            Value::Table(table) => Value::Table(without_places(table)),
            other => other,
        };
        Item { value, at: None }
    }
    table.into_iter().map(|entry| Entry { key: entry.key, at: None, item: without_place(entry.item) }).collect()
}
