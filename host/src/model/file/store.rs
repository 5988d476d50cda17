//! A model file that is written to a place of its own, with its arrays.

use super::ModelFile;
use super::arrays::open;
use super::error::Problem;
use super::keys::Scope;
use super::value::{Entry, Item, Table, Value, find};
use super::write;
use crate::draft::Draft;
use crate::npy::archive::ArchiveWriter;
use crate::{Error, Result};
use ndarray::ArrayD;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Lists of more numbers than these are arrays in a file of their own.
const MOST_INSIDE: usize = 64;

/// What becomes of the arrays of a file.
struct Arrays<'f> {
    scope: Scope<'f>,
    /// The name of the archive.
    file: &'f str,
    arrays: Vec<(String, ArrayD<f64>)>,
}

impl ModelFile {
    /// Writes the file to `path`, and its arrays beside it to an archive of the same name: `cell.npz` for `cell.toml`. Those are the
    /// weights by value of more than 64 numbers, and copies of the arrays of all files that this one names, so that it can be moved
    /// anywhere. Returns the path of the archive; none if there are no arrays. Comments of the file that was read are not kept.
    ///
    /// ```
    /// use foveola::ModelFile;
    /// let row = "[0, 1, 2, 3, 4, 5, 6, 7, 8]";
    /// let rows = [row; 9].join(", ");
    /// let text = format!("version = 1\n[[layer]]\nname = \"blur\"\nkind = \"Conv2d\"\nweight = [{rows}]\n");
    /// let path = std::env::temp_dir().join(format!("foveola-doc-{}.toml", std::process::id()));
    /// let file = ModelFile::parse(&text, ".")?;
    /// let arrays = file.write(&path)?.expect("81 weights");
    /// assert_eq!(ModelFile::read(&path)?.model()?.parameters(), file.model()?.parameters());
    /// # std::fs::remove_file(path).unwrap();
    /// # std::fs::remove_file(arrays).unwrap();
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ModelFile`] for an array that cannot be read, [`Error::Data`] for a path without the name of a file in UTF-8,
    /// [`Error::Io`]. Neither file is there then, or both are as they were.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<Option<PathBuf>> {
        let path = path.as_ref();
        let archive = Self::archive_of(path)?;
        let name = archive.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let scope =
            Scope { parameters: &self.parameters, source: &self.source, resolution: self.resolution(), every: 1 };
        let mut arrays = Arrays { scope, file: name, arrays: Vec::new() };
        let mut table = self.table();
        for entry in table.iter_mut().filter(|entry| entry.key == "layer") {
            if let Value::List(layers) = &mut entry.item.value {
                let moved = layers.iter_mut().try_for_each(|layer| arrays.move_all(layer));
                moved.map_err(|problem| problem.error(&self.source))?;
            }
        }
        // Both are complete before either appears.
        let stored = match &arrays.arrays[..] {
            [] => None,
            all => Some(draft(&archive, all).map_err(|source| Error::Io { path: archive.clone(), source })?),
        };
        let text = || {
            let mut draft = Draft::create(path)?;
            draft.write_all(write::document(&table).as_bytes())?;
            Ok(draft)
        };
        let text = text().map_err(|source| Error::Io { path: path.into(), source })?;
        if let Some(stored) = stored {
            Draft::commit_buffered(stored).map_err(|source| Error::Io { path: archive.clone(), source })?;
        }
        text.commit().map_err(|source| Error::Io { path: path.into(), source })?;
        Ok((!arrays.arrays.is_empty()).then_some(archive))
    }

    /// Where [`ModelFile::write`] puts the arrays of a file at `path`.
    ///
    /// # Errors
    /// [`Error::Data`] for a path without the name of a file in UTF-8.
    pub fn archive_of(path: impl AsRef<Path>) -> Result<PathBuf> {
        let path = path.as_ref();
        let archive = path.with_extension("npz");
        if path.file_name().and_then(|name| name.to_str()).is_none() || archive == path {
            let reason = "no name for a model file; expected one such as fitted.toml".into();
            return Err(Error::Data { path: path.into(), reason });
        }
        Ok(archive)
    }
}

fn draft(path: &Path, arrays: &[(String, ArrayD<f64>)]) -> std::io::Result<std::io::BufWriter<Draft>> {
    let mut archive = ArchiveWriter::new(Draft::buffered(path)?);
    arrays.iter().try_for_each(|(name, array)| archive.push(name, array))?;
    archive.finish()
}

impl Arrays<'_> {
    /// Moves the arrays of a layer.
    fn move_all(&mut self, layer: &mut Item) -> std::result::Result<(), Problem> {
        let Value::Table(keys) = &mut layer.value else { return Ok(()) };
        let name = match find(keys, "name").map(|item| &item.value) {
            Some(Value::Text(name)) => name.clone(),
            _ => String::new(),
        };
        for entry in keys {
            let path = format!("{name}.{}", entry.key);
            match &mut entry.item.value {
                Value::List(_) if entry.key == "weight" => self.list(&path, &mut entry.item)?,
                Value::Table(table) => self.table(&path, table)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// A weight that is a list: of numbers, or of kernels.
    fn list(&mut self, path: &str, item: &mut Item) -> std::result::Result<(), Problem> {
        if let Some(array) = large(&item.value) {
            item.value = Value::Table(self.named(path, array));
        } else if let Value::List(items) = &mut item.value {
            for (index, item) in items.iter_mut().enumerate() {
                if let Value::Table(table) = &mut item.value {
                    self.table(&format!("{path}.{index}"), table)?;
                }
            }
        }
        Ok(())
    }

    /// A table with the key `file` or `values`.
    fn table(&mut self, path: &str, table: &mut Table) -> std::result::Result<(), Problem> {
        let text = |key: &str| match find(table, key).map(|item| &item.value) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let array = match (text("file"), find(table, "values")) {
            (Some(file), _) => {
                let array = text("array");
                let read = open(&self.scope, None, &file, array.as_deref())?.read(None)?;
                Some(read.mapv(f64::from))
            }
            (None, values) => values.and_then(|item| large(&item.value)),
        };
        if let Some(array) = array {
            table.retain(|entry| !matches!(entry.key.as_str(), "file" | "array" | "values"));
            let named = self.named(path, array);
            table.splice(..0, named);
        }
        Ok(())
    }

    /// Takes an array, and returns what stands for it.
    fn named(&mut self, path: &str, array: ArrayD<f64>) -> Table {
        self.arrays.push((path.into(), array));
        let text = |text: &str| Value::Text(text.into());
        vec![Entry::new("file", text(self.file)), Entry::new("array", text(path))]
    }
}

/// Nested lists of more than [`MOST_INSIDE`] numbers, as an array.
fn large(value: &Value) -> Option<ArrayD<f64>> {
    fn collect(value: &Value, depth: usize, shape: &mut Vec<usize>, numbers: &mut Vec<f64>) -> bool {
        match value {
            Value::Number(number) => {
                numbers.push(*number);
                depth == shape.len()
            }
            Value::List(items) => {
                if depth == shape.len() {
                    shape.push(items.len());
                }
                shape[depth] == items.len() && items.iter().all(|item| collect(&item.value, depth + 1, shape, numbers))
            }
            _ => false,
        }
    }
    let (mut shape, mut numbers) = (Vec::new(), Vec::new());
    let good = collect(value, 0, &mut shape, &mut numbers) && numbers.len() > MOST_INSIDE;
    if good { ArrayD::from_shape_vec(shape, numbers).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    const TEXT: &str = r#"
        version = 1
        [[layer]]
        name = "stored"
        kind = "Conv2d"
        weight = { file = "arrays/w.npz", array = "blur.weight", normalize = true }
        [[layer]]
        name = "small"
        kind = "Conv1d"
        weight = [0.1, 0.2]
        [[layer]]
        name = "large"
        kind = "Conv1d"
        weight = WEIGHT
        [[layer]]
        name = "made"
        kind = "Conv2d"
        weight = { gaussian = { sigma = "1px", size = [11, 11] } }
    "#;

    fn folder() -> (TempDir, ModelFile) {
        let folder = TempDir::new().expect("a folder");
        std::fs::create_dir(folder.path().join("arrays")).expect("a folder");
        let weight = ArrayD::from_shape_fn(vec![1, 1, 3, 3], |at| 0.25 + at[2] as f64 - at[3] as f64 / 3.0);
        let conv = crate::Conv2d::new(1, 1, [3, 3]).and_then(|conv| conv.with_weight(&weight)).expect("a kernel");
        let path = folder.path().join("arrays/w.npz");
        crate::Model::new().named("blur", conv).save_weights(path).expect("written");
        let numbers: Vec<String> = (0..65).map(|i| format!("{}", f64::from(i) * 0.1)).collect();
        let text = TEXT.replace("WEIGHT", &format!("[{}]", numbers.join(", ")));
        let file = ModelFile::parse(&text, folder.path()).expect("a good file");
        (folder, file)
    }

    #[test]
    fn a_file_takes_its_arrays_along() {
        let ((_old, file), new) = (folder(), TempDir::new().expect("a folder"));
        let path = new.path().join("fitted.toml");
        assert_eq!(file.write(&path).expect("written"), Some(new.path().join("fitted.npz")));
        let text = std::fs::read_to_string(&path).expect("a file");
        for line in [
            "weight = { file = \"fitted.npz\", array = \"stored.weight\", normalize = true }",
            "weight = [0.1, 0.2]",
            "weight = { file = \"fitted.npz\", array = \"large.weight\" }",
            "weight = { gaussian = { sigma = \"1px\", size = [11, 11] } }",
        ] {
            assert!(text.contains(line), "no {line} in\n{text}");
        }
        let found = ModelFile::read(&path).and_then(|file| file.model()).expect("a good file");
        assert_eq!(found.parameters(), file.model().expect("a model").parameters());
    }

    #[test]
    fn nothing_is_written_where_something_fails() {
        let (old, file) = folder();
        std::fs::remove_file(old.path().join("arrays/w.npz")).expect("removed");
        let path = old.path().join("fitted.toml");
        assert!(file.write(&path).expect_err("no array").to_string().contains("w.npz"));
        let (old, file) = folder();
        let path = old.path().join("missing/fitted.toml");
        assert!(matches!(file.write(&path), Err(Error::Io { .. })));
        for name in ["", "..", "fitted.npz"] {
            assert!(matches!(file.write(Path::new(name)), Err(Error::Data { .. })), "{name}");
        }
        let names: Vec<_> =
            std::fs::read_dir(old.path()).expect("a folder").map(|entry| entry.expect("a name")).collect();
        assert_eq!(names.len(), 1, "{names:?}");
    }
}
