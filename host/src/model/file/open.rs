//! From a file to a model: its layers under their names, each after those that it reads, and its outputs.

use super::layer::{named_weight, sources};
use super::value::{Entry, Table, Value, find};
use super::{BuiltLayer, ModelFile};
use crate::{Error, Model, Resolution, Result, Samples};
use foveola_core::Shape;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

impl ModelFile {
    /// The model. Its layers have the names of the file, in an order in which each comes after those that it reads.
    ///
    /// # Errors
    /// [`Error::ModelFile`] with the place of a layer that cannot be built, such as one whose weights are not there.
    pub fn model(&self) -> Result<Model> {
        self.model_at(self.resolution())
    }

    /// The model for frames of another resolution than the file's.
    ///
    /// # Errors
    /// As [`ModelFile::model`], and for a resolution that a layer does not allow.
    pub fn model_at(&self, resolution: Resolution) -> Result<Model> {
        let mut layers = self.build(resolution)?;
        let read = |name: &str| layers.iter().flat_map(|layer| &layer.inputs.terms).any(|(term, _)| term == name);
        // The first output comes last where it can: only there it needs no copy.
        if let Some((_, first)) = self.outputs.first().filter(|(_, layer)| !read(layer)) {
            layers.sort_by_key(|layer| layer.name == *first);
        }
        let mut model = Model::new();
        for BuiltLayer { name, inputs, layer } in layers {
            model.push_named(name, layer);
            model.set_reading(inputs);
        }
        for (name, layer) in &self.outputs {
            model.add_output(name, layer);
        }
        model.set_samples(self.samples())?;
        for layer in &self.layers {
            let [output, inner] = layer.full_scales;
            model.set_full_scale(layer.name(), output)?;
            model.set_inner_scale(layer.name(), inner)?;
        }
        Ok(model)
    }

    /// The layers that no output depends on: most likely a mistake.
    pub fn unused(&self) -> Vec<&str> {
        let mut needed = HashSet::new();
        let mut open: Vec<&str> = self.outputs.iter().map(|(_, layer)| layer.as_str()).collect();
        while let Some(name) = open.pop() {
            if needed.insert(name) {
                open.extend(self.reads(name));
            }
        }
        self.layers.iter().map(|layer| layer.name()).filter(|name| !needed.contains(name)).collect()
    }

    /// The parameters that no layer uses: most likely a mistake.
    ///
    /// ```
    /// let text = "version = 1\n[parameters]\ntua = \"5ms\"\n[[layer]]\nname = \"slow\"\nkind = \"LowPass\"\ntau = \"6ms\"\n";
    /// let file = foveola::ModelFile::parse(text, ".")?;
    /// assert_eq!(file.unused_parameters(), ["tua"]);
    /// # Ok::<(), foveola::Error>(())
    /// ```
    pub fn unused_parameters(&self) -> Vec<&str> {
        fn uses(value: &Value, name: &str) -> bool {
            match value {
                Value::Text(text) => {
                    // In `from` a parameter may be a weight.
                    let weight = named_weight(text).map_or(&text[..], |(weight, _)| weight.trim_start_matches('-'));
                    weight.strip_prefix('$') == Some(name)
                }
                Value::List(items) => items.iter().any(|item| uses(&item.value, name)),
                Value::Table(table) => table.iter().any(|entry| uses(&entry.item.value, name)),
                _ => false,
            }
        }
        let mut tables: Vec<_> = self.layers.iter().map(|layer| Value::Table(layer.table())).collect();
        tables.push(Value::Table(self.input.table.clone()));
        let names = self.parameters.iter().map(|entry| entry.key.as_str());
        names.filter(|name| !tables.iter().any(|table| uses(table, name))).collect()
    }

    /// The names of what a layer reads, layers or `input`; none for a layer that the file does not have.
    pub fn reads(&self, layer: &str) -> impl Iterator<Item = &str> {
        let position = self.layers.iter().position(|known| known.name() == layer);
        position.into_iter().flat_map(|position| sources(&self.layers, position)).map(|(name, _)| name)
    }

    /// The file that this was read from; empty for a text.
    pub fn path(&self) -> &Path {
        &self.source.path
    }

    /// The files of arrays that the layers read, each once.
    pub fn arrays(&self) -> Vec<PathBuf> {
        fn collect(value: &Value, parameters: &Table, names: &mut Vec<String>) {
            match value {
                Value::List(items) => items.iter().for_each(|item| collect(&item.value, parameters, names)),
                Value::Table(table) => {
                    for Entry { key, item, .. } in table {
                        let named = match &item.value {
                            Value::Text(text) => text.strip_prefix('$').and_then(|name| find(parameters, name)),
                            _ => None,
                        };
                        match &named.unwrap_or(item).value {
                            Value::Text(name) if key == "file" => names.push(name.clone()),
                            inner => collect(inner, parameters, names),
                        }
                    }
                }
                _ => {}
            }
        }
        let mut names = Vec::new();
        for layer in &self.layers {
            collect(&Value::Table(layer.table()), &self.parameters, &mut names);
        }
        names.sort();
        names.dedup();
        names.iter().map(|name| self.source.folder.join(name)).collect()
    }

    /// The frames that the model is for, with `rows`, `cols` and `channels` where the file allows any.
    ///
    /// # Errors
    /// [`Error::Data`] when the file states another number.
    pub fn frames(&self, Shape { channels, rows, cols }: Shape) -> Result<Shape> {
        let stated = [
            ("channels", channels, self.input.channels),
            ("rows", rows, self.input.rows),
            ("cols", cols, self.input.cols),
        ];
        for (name, found, stated) in stated {
            if let Some(stated) = stated.filter(|stated| *stated != found) {
                let reason = format!("[input] says {stated} {name}; the frames have {found}");
                // A file that was parsed from text has no path.
                let path = &self.source.path;
                let path = if path.as_os_str().is_empty() { "the model file".into() } else { path.clone() };
                return Err(Error::Data { path, reason });
            }
        }
        Ok(Shape { channels, rows, cols })
    }
}

impl ModelFile {
    /// Takes over what `model`, one of this file's layers, computes with, and its full scales: after [`Model::quantise`].
    ///
    /// # Errors
    /// [`Error::ModelFile`] for full scales that a file cannot have; it is then unchanged.
    pub fn set_samples(&mut self, model: &Model) -> Result<()> {
        match model.samples() {
            Samples::F32 => self.is_q15 = false,
            Samples::Q15 { full_scale } => {
                self.set("input.full_scale", &full_scale.to_string())?;
                self.is_q15 = true;
            }
        }
        for layer in &mut self.layers {
            let name = layer.name.as_str();
            layer.with_scales([model.full_scale(name), model.inner_scale(name)]);
        }
        Ok(())
    }
}

impl Model {
    /// Reads a model from a [file](super).
    ///
    /// ```
    /// use foveola::{LowPass, Model};
    /// # let folder = std::env::temp_dir().join("foveola-open"); std::fs::create_dir_all(&folder)?;
    /// # let path = folder.join("slow.toml");
    /// std::fs::write(&path, "version = 1\n[[layer]]\nname = \"slow\"\nkind = \"LowPass\"\ntau = \"50ms\"\n")?;
    /// let mut model = Model::open(&path)?;
    /// assert_eq!(model.layer::<LowPass>("slow").unwrap().tau(), 0.05);
    /// let smooth = model.run(&ndarray::Array3::<f32>::ones((100, 8, 8)), 100)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read, [`Error::ModelFile`] with the place of the first mistake.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        ModelFile::read(path)?.model()
    }
}
