//! How a stage of a model is displayed.

use super::color::{Map, Scale};
use super::shrink::Shrink;
use crate::Error;
use crate::error::in_range;
use ndarray::ArrayView2;

/// How a stage of a model is displayed: its name, its colours, and the meaning of its values.
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
    /// A stage with the displayed name `name`.
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

    /// The meaning of the values, with their unit, such as `events in 1 ms`.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }

    /// The names of the lowest and the highest colour, such as `OFF` and `ON`.
    #[must_use]
    pub fn ends(mut self, low: impl Into<String>, high: impl Into<String>) -> Self {
        self.ends = [low.into(), high.into()];
        self
    }

    /// Names of the channels, such as `ON` and `OFF`; by default they are numbered, and a single channel has no name.
    #[must_use]
    pub fn channels<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.channels = names.into_iter().map(Into::into).collect();
        self
    }

    /// Colours; by default [`Map::Polar`] if the range includes values below 0, else [`Map::Ember`].
    #[must_use]
    pub fn map(mut self, map: Map) -> Self {
        self.map = Some(map);
        self
    }

    /// Values of the first and the last colour; by default a range that fits the frames, symmetric about 0 if there are
    /// negative values.
    #[must_use]
    pub fn range(mut self, low: f32, high: f32) -> Self {
        self.range = Some((low, high));
        self
    }

    /// Scales event counts to the middle of the colours: twice the mean count of the active pixels has the last colour.
    #[must_use]
    pub fn counts(mut self) -> Self {
        self.counts = true;
        self
    }

    /// How large frames are reduced.
    #[must_use]
    pub fn shrink(mut self, shrink: Shrink) -> Self {
        self.shrink = shrink;
        self
    }

    /// The name of the stage.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How its large frames are reduced.
    pub(super) fn shrinking(&self) -> Shrink {
        self.shrink
    }

    /// The scale for its frames.
    pub(super) fn scale<'a>(&self, frames: impl Iterator<Item = ArrayView2<'a, f32>> + Clone) -> Result<Scale, Error> {
        check_range(self.range)?;
        Ok(Scale::of(frames, self.map, self.range, self.counts))
    }

    /// The meaning of the values.
    pub(super) fn about(&self) -> Option<&str> {
        self.unit.as_deref()
    }

    /// The names of the lowest and the highest colour.
    pub(super) fn end_names(&self) -> &[String; 2] {
        &self.ends
    }

    /// The name of one of its `count` channels; if not all are `shown`, with their number.
    pub(super) fn channel(&self, channel: usize, count: usize, shown: usize) -> String {
        match self.channels.get(channel) {
            Some(channel) => format!("{} {channel}", self.name),
            None if count == 1 => self.name.clone(),
            None if count > shown => format!("{} {channel} of {count}", self.name),
            None => format!("{} {channel}", self.name),
        }
    }
}

/// Checks that a range is not empty, reversed or not finite.
pub(super) fn check_range(range: Option<(f32, f32)>) -> Result<(), Error> {
    let Some((low, high)) = range else { return Ok(()) };
    let good = low.is_finite() && high.is_finite() && low < high;
    in_range("stage", "range", format!("{low} to {high}"), good, "two finite numbers, the lower one first")
}
