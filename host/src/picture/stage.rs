//! How a stage of a model is shown.

use super::color::{Map, Scale};
use super::shrink::Shrink;
use crate::Error;
use crate::error::in_range;
use ndarray::ArrayView2;

/// How a stage of a model is shown: its name, its colours, and what its values are.
///
/// ```
/// use foveola::picture::{Map, Stage};
///
/// let input = Stage::new("input").unit("events in 1 ms").ends("OFF", "ON").map(Map::Polar).counts();
/// let output = Stage::new("response");
/// assert_eq!([input.name(), output.name()], ["input", "response"]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    name: String,
    unit: Option<String>,
    ends: [String; 2],
    channels: Vec<String>,
    map: Option<Map>,
    range: Option<(f32, f32)>,
    counts: bool,
    shrink: Shrink,
}

impl Stage {
    /// A stage with the name that is to be shown.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            unit: None,
            ends: Default::default(),
            channels: Vec::new(),
            map: None,
            range: None,
            counts: false,
            shrink: Shrink::default(),
        }
    }

    /// What its values are, with their unit, such as `events in 1 ms`.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }

    /// What the lowest and the highest colour stand for, such as `OFF` and `ON`.
    #[must_use]
    pub fn ends(mut self, low: impl Into<String>, high: impl Into<String>) -> Self {
        self.ends = [low.into(), high.into()];
        self
    }

    /// Names of the channels, such as `ON` and `OFF`; without them, channels have numbers, and a single one has none.
    #[must_use]
    pub fn channels<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.channels = names.into_iter().map(Into::into).collect();
        self
    }

    /// Colours; without it, [`Map::Polar`] where the range goes below 0, else [`Map::Ember`].
    #[must_use]
    pub fn map(mut self, map: Map) -> Self {
        self.map = Some(map);
        self
    }

    /// Values of the first and the last colour; without it, a range that fits the frames: symmetric about 0 where
    /// there are negative values.
    #[must_use]
    pub fn range(mut self, low: f32, high: f32) -> Self {
        self.range = Some((low, high));
        self
    }

    /// Shows counts of events in the middle of the colours: twice the mean count of the pixels that have events fills them.
    #[must_use]
    pub fn counts(mut self) -> Self {
        self.counts = true;
        self
    }

    /// How large frames become smaller.
    #[must_use]
    pub fn shrink(mut self, shrink: Shrink) -> Self {
        self.shrink = shrink;
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How its large frames become smaller.
    pub(super) fn shrinking(&self) -> Shrink {
        self.shrink
    }

    /// The scale for its frames.
    pub(super) fn scale<'a>(&self, frames: impl Iterator<Item = ArrayView2<'a, f32>> + Clone) -> Result<Scale, Error> {
        check_range(self.range)?;
        Ok(Scale::of(frames, self.map, self.range, self.counts))
    }

    /// What its values are.
    pub(super) fn about(&self) -> Option<&str> {
        self.unit.as_deref()
    }

    /// What the lowest and the highest colour stand for.
    pub(super) fn end_names(&self) -> &[String; 2] {
        &self.ends
    }

    /// The name of one of its `count` channels; of many, where not all are `shown`, with their number.
    pub(super) fn channel(&self, channel: usize, count: usize, shown: usize) -> String {
        match self.channels.get(channel) {
            Some(channel) => format!("{} {channel}", self.name),
            None if count == 1 => self.name.clone(),
            None if count > shown => format!("{} {channel} of {count}", self.name),
            None => format!("{} {channel}", self.name),
        }
    }
}

/// Refuses a range that is empty, upside down or not finite.
pub(super) fn check_range(range: Option<(f32, f32)>) -> Result<(), Error> {
    let Some((low, high)) = range else { return Ok(()) };
    let good = low.is_finite() && high.is_finite() && low < high;
    in_range("stage", "range", format!("{low} to {high}"), good, "two finite numbers, the lower one first")
}
