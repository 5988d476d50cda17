//! What is wrong with a model file, and where.

use super::source::Source;
use crate::shown;
use std::fmt;
use std::path::PathBuf;

/// A mistake in a model file.
///
/// ```
/// let text = "version = 1\n[[layer]]\nname = \"slow\"\nkind = \"LowPass\"\ntaus = \"6ms\"\n";
/// let error = foveola::ModelFile::parse(text, ".").unwrap_err();
/// assert_eq!(error.to_string(), "5:1: layer \"slow\": unknown key \"taus\" (did you mean \"tau\"?)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelFileError {
    /// The file; empty for text that is not from a file.
    pub path: PathBuf,
    /// Line and column, from 1 on; none for values that are not from a file.
    pub place: Option<(usize, usize)>,
    /// The part of the model, such as `layer "centre"`; may be empty.
    pub part: String,
    /// The key; may be empty.
    pub key: String,
    /// What was found.
    pub found: String,
    /// What was expected; may be empty.
    pub expected: String,
    /// The known name nearest to an unknown one.
    pub nearest: Option<String>,
}

impl fmt::Display for ModelFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.as_os_str().is_empty() {
            write!(f, "{}:", shown(&self.path))?;
        }
        match self.place {
            Some((line, column)) => write!(f, "{line}:{column}: ")?,
            None if !self.path.as_os_str().is_empty() => f.write_str(" ")?,
            None => {}
        }
        for part in [&self.part, &self.key] {
            if !part.is_empty() {
                write!(f, "{}: ", shown(part))?;
            }
        }
        f.write_str(&shown(&self.found))?;
        match &self.nearest {
            Some(nearest) => write!(f, " (did you mean {nearest:?}?)"),
            None if self.expected.is_empty() => Ok(()),
            None => write!(f, "; expected {}", shown(&self.expected)),
        }
    }
}

impl std::error::Error for ModelFileError {}

/// A mistake at a byte of the file. Boxed: results are small.
#[derive(Clone, Debug)]
pub(super) struct Problem(Box<Report>);

#[derive(Clone, Debug, Default)]
struct Report {
    at: Option<usize>,
    part: String,
    key: String,
    found: String,
    expected: String,
    nearest: Option<String>,
}

impl Problem {
    pub(super) fn new(at: Option<usize>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self(Box::new(Report { at, found: found.into(), expected: expected.into(), ..Report::default() }))
    }

    /// `name` is not among `known`.
    pub(super) fn unknown<'n>(
        at: Option<usize>,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) -> Self {
        let known: Vec<_> = known.into_iter().collect();
        let expected = if known.is_empty() { "none".into() } else { format!("one of: {}", known.join(", ")) };
        let mut problem = Self::new(at, format!("unknown {what} {name:?}"), expected);
        problem.0.nearest = crate::names::nearest(name, &known).map(Into::into);
        problem
    }

    /// The part of the model, unless a part within it is named already.
    pub(super) fn in_part(mut self, part: impl FnOnce() -> String) -> Self {
        if self.0.part.is_empty() {
            self.0.part = part();
        }
        self
    }

    /// The key, outermost last.
    pub(super) fn in_key(mut self, key: &str) -> Self {
        self.0.key = if self.0.key.is_empty() { key.into() } else { format!("{key}.{}", self.0.key) };
        self
    }

    /// The place of a value, for a mistake that has none.
    pub(super) fn or_at(mut self, at: Option<usize>) -> Self {
        self.0.at = self.0.at.or(at);
        self
    }

    /// For a value that is not in the file.
    pub(super) fn without_place(mut self) -> Self {
        self.0.at = None;
        self
    }

    /// The value is that of a parameter: the place is where it is used.
    pub(super) fn of_parameter(mut self, name: &str, at: Option<usize>) -> Self {
        self.0.at = at;
        self.0.found += &format!(" (parameter {name:?})");
        self
    }

    pub(super) fn error(self, source: &Source) -> ModelFileError {
        let Report { at, part, key, found, expected, nearest } = *self.0;
        let place = at.map(|at| source.place(at));
        ModelFileError { path: source.path.clone(), place, part, key, found, expected, nearest }
    }
}

/// A layer that cannot be built: its own message says what was expected.
impl From<crate::Error> for Problem {
    fn from(error: crate::Error) -> Self {
        Self::new(None, error.to_string(), "")
    }
}
