//! Names of modes and formats, as files and command lines spell them.

use crate::{Error, Result};
use foveola_core::{Border, PadMode};

/// The entry of `names` called `value`.
pub(crate) fn find<T: Copy>(what: &'static str, names: &[(&str, T)], value: &str) -> Result<T> {
    let found = names.iter().find(|(name, _)| *name == value);
    let unknown = || Error::unknown(what, value, names.iter().map(|(name, _)| *name));
    found.map(|(_, entry)| *entry).ok_or_else(unknown)
}

/// The temporal padding called `mirror`, `full_copy`, `first_frame`, `mean`, `ones` or `zeros`.
///
/// ```
/// assert_eq!(foveola::pad_mode("mirror")?, foveola::PadMode::Mirror);
/// assert!(foveola::pad_mode("mirrors").is_err());
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// [`Error::Unknown`] for another name.
pub fn pad_mode(name: &str) -> Result<PadMode> {
    find("padding mode", &PadMode::NAMES, name)
}

/// The spatial border called `replicate`, `reflect`, `zeros` or `circular`.
///
/// # Errors
/// [`Error::Unknown`] for another name.
pub fn border(name: &str) -> Result<Border> {
    find("border mode", &Border::NAMES, name)
}
