//! The keys of a layer in few words, for tables and drawings.

use super::ModelFile;
use super::value::{Table, Value, find};

impl ModelFile {
    /// The keys of a layer that the file states, besides `name`, `kind` and `from`, with their values in few words:
    /// parameters are replaced by their values, generators are named with their first key, and arrays are given by their
    /// sizes. None for a layer that the file does not have.
    ///
    /// ```
    /// use foveola::ModelFile;
    /// let text = r#"
    ///     version = 1
    ///     [parameters]
    ///     tau = "6ms"
    ///     [[layer]]
    ///     name = "centre"
    ///     kind = "SmoothConv"
    ///     n = 3
    ///     tau = "$tau"
    ///     weight = { gaussian = { sigma = "0.8px", size = [5, 5] }, normalize = true }
    /// "#;
    /// let file = ModelFile::parse(text, ".")?;
    /// let settings = file.settings("centre");
    /// let words: Vec<_> = settings.iter().map(|(key, value)| format!("{key} {value}")).collect();
    /// assert_eq!(words, ["n 3", "tau 6ms", "weight gaussian 0.8px"]);
    /// # Ok::<(), foveola::Error>(())
    /// ```
    pub fn settings(&self, layer: &str) -> Vec<(String, String)> {
        let layer = self.layers.iter().find(|known| known.name() == layer);
        let entries = layer.into_iter().flat_map(|layer| layer.given());
        entries.map(|entry| (entry.key.clone(), brief(&entry.item.value, &self.parameters))).collect()
    }
}

fn brief(value: &Value, parameters: &Table) -> String {
    match value {
        Value::Flag(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => match text.strip_prefix('$').and_then(|name| find(parameters, name)) {
            // A parameter holds no parameter.
            Some(item) => brief(&item.value, &Table::new()),
            None => text.clone(),
        },
        Value::List(items) => match items.first().map(|item| &item.value) {
            Some(Value::Table(_)) => format!("{} x {}", items.len(), brief(&items[0].value, parameters)),
            Some(Value::List(_)) => sizes(value).join(" x "),
            _ if items.len() <= 4 => {
                let parts: Vec<_> = items.iter().map(|item| brief(&item.value, parameters)).collect();
                parts.join(", ")
            }
            _ => format!("{} values", items.len()),
        },
        Value::Table(table) => {
            let mut parts = Vec::new();
            for entry in table {
                match &entry.item.value {
                    Value::Table(inner) => {
                        let first = inner.first().map(|first| format!(" {}", brief(&first.item.value, parameters)));
                        parts.push(format!("{}{}", entry.key, first.unwrap_or_default()));
                    }
                    Value::Flag(_) => {}
                    other => parts.push(brief(other, parameters)),
                }
            }
            parts.join(", ")
        }
    }
}

/// The lengths of nested lists.
fn sizes(value: &Value) -> Vec<String> {
    match value {
        Value::List(items) => {
            let inner = items.first().map(|item| sizes(&item.value)).unwrap_or_default();
            [vec![items.len().to_string()], inner].concat()
        }
        _ => Vec::new(),
    }
}
