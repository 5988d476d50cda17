//! Names of formats and models, as files and the command line write them.

use crate::{Error, Result};

/// The entry of `names` called `value`.
pub(crate) fn find<T: Copy>(what: &'static str, names: &[(&str, T)], value: &str) -> Result<T> {
    let found = names.iter().find(|(name, _)| *name == value);
    let unknown = || Error::unknown(what, value, names.iter().map(|(name, _)| *name));
    found.map(|(_, entry)| *entry).ok_or_else(unknown)
}
