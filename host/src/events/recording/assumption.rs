//! The assumptions that a reader makes about a recording.

/// A property that a recording does not state, the value that was used, and the reason.
///
/// ```
/// use foveola::{ReadOptions, Recording};
/// let text = b"5000,3,2,1\n5100,4,2,0\n".as_slice(); // no names, no unit
/// let recording = Recording::from_reader("text", text, ReadOptions::default())?;
/// let columns = recording.assumed().iter().find(|assumption| assumption.what == "columns");
/// assert_eq!(columns.map(|columns| &columns.value[..]), Some("t,x,y,p"));
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Assumption {
    /// The property in one word, such as `columns`, `unit` or `polarity`.
    pub what: &'static str,
    /// The value, in the notation of the command-line option where there is one.
    pub value: String,
    /// The reason, in a few words.
    pub reason: String,
}

impl Assumption {
    pub(super) fn new(what: &'static str, value: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { what, value: value.into(), reason: reason.into() }
    }
}
