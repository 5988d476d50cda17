//! The text of a model file, and the lines and columns of its bytes.

use std::path::{Path, PathBuf};

/// The text of a file, to find the line of a byte. All sources are equal: a model is the same wherever it was written.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// The folder of arrays that the file names.
    pub(super) folder: PathBuf,
}

impl PartialEq for Source {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Source {
    pub(super) fn new(path: &Path, text: &str, folder: &Path) -> Self {
        Self { path: path.into(), text: text.into(), folder: folder.into() }
    }

    /// Line and column of a byte, from 1 on; columns count characters.
    pub(super) fn place(&self, at: usize) -> (usize, usize) {
        let before: String = self.text.char_indices().take_while(|(i, _)| *i < at).map(|(_, letter)| letter).collect();
        let line = before.rsplit('\n').next().unwrap_or_default();
        (before.matches('\n').count() + 1, line.chars().count() + 1)
    }
}
