//! Files that a command reads are not replaced by what it writes.

use foveola::{Error, ModelFile, Result};
use std::path::{Path, PathBuf};

/// The files that a command reads.
pub(super) struct Guard {
    item: &'static str,
    read: Vec<PathBuf>,
}

impl Guard {
    /// The model's file, its arrays, and `others`.
    pub(super) fn new<'p>(
        item: &'static str,
        file: Option<&ModelFile>,
        others: impl IntoIterator<Item = &'p PathBuf>,
    ) -> Self {
        let of_model = file.into_iter().flat_map(|file| file.arrays().into_iter().chain([file.path().to_owned()]));
        let read = of_model.chain(others.into_iter().cloned());
        Self { item, read: read.filter_map(|path| path.canonicalize().ok()).collect() }
    }

    /// Whether the path is one of the files.
    pub(super) fn reads(&self, path: &Path) -> bool {
        path.canonicalize().is_ok_and(|path| self.read.contains(&path))
    }

    /// Refuses to replace one of the files.
    pub(super) fn check(&self, option: &'static str, path: &Path, expected: &'static str) -> Result<()> {
        if self.reads(path) { Err(self.refused(option, path, expected)) } else { Ok(()) }
    }

    /// [`Guard::check`] of the files in a folder.
    pub(super) fn check_folder(&self, folder: &Path, names: impl IntoIterator<Item = String>) -> Result<()> {
        const EXPECTED: &str = "a folder in which no file that is read would be replaced";
        names.into_iter().try_for_each(|name| self.check("--out", &folder.join(name), EXPECTED))
    }

    pub(super) fn refused(&self, option: &'static str, path: &Path, expected: &'static str) -> Error {
        Error::Parameter { item: self.item, name: option, value: path.display().to_string(), expected }
    }
}
