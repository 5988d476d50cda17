//! `TimePadding`, `Delay` and `VariableDelay`.

use crate::model::layer::{Table, named};
use crate::{Error, Layer, Parameter, Result, Values};
use foveola_core::{PadMode, Source, Stage};
use ndarray::{Array2, ArrayView2};

/// Prepends the last `length` frames to every chunk: `T` input frames yield `length + T`. See [`foveola_core::padding`].
///
/// The layers after it receive those frames again in every chunk, so they must have no state of their own.
///
/// ```
/// use foveola::{Model, PadMode, TimePadding};
/// let mut padding = Model::of(TimePadding::new(3, PadMode::FirstFrame));
/// assert_eq!(padding.run(&ndarray::Array3::<f32>::ones((4, 2, 2)), 4)?.dim(), (1, 1, 7, 2, 2));
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TimePadding {
    length: usize,
    mode: PadMode,
}

impl TimePadding {
    /// A padding of `length` frames whose initial frames follow from `mode`.
    pub fn new(length: usize, mode: PadMode) -> Self {
        Self { length, mode }
    }

    /// The number of frames prepended to every chunk.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The initial frames of the padding.
    pub fn mode(&self) -> PadMode {
        self.mode
    }
}

impl Layer for TimePadding {
    fn name(&self) -> &'static str {
        "TimePadding"
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        let padding = foveola_core::TimePadding::new(table.shape(from), self.length, self.mode);
        Ok(table.push(from, Stage::TimePadding(padding)))
    }
}

/// A delay of `delay` frames. Optionally prepends the `length` preceding frames to every chunk. See [`foveola_core::delay`].
///
/// ```
/// use foveola::{Delay, Model};
/// let mut delay = Model::of(Delay::new(2));
/// let out = delay.run(&ndarray::Array3::from_shape_fn((4, 1, 1), |(t, _, _)| t as f32 + 1.0), 4)?;
/// assert_eq!(out.iter().copied().collect::<Vec<_>>(), [0.0, 0.0, 1.0, 2.0]);
/// # Ok::<(), foveola::Error>(())
/// ```
#[must_use]
#[derive(Clone, Copy, Debug)]
pub struct Delay {
    delay: usize,
    length: usize,
}

impl Delay {
    /// A delay of `delay` frames.
    pub fn new(delay: usize) -> Self {
        Self { delay, length: 0 }
    }

    /// Prepends the `length` preceding frames to every chunk.
    pub fn with_length(self, length: usize) -> Self {
        Self { length, ..self }
    }

    /// The delay in frames.
    pub fn delay(&self) -> usize {
        self.delay
    }

    /// The number of preceding frames prepended to every chunk.
    pub fn length(&self) -> usize {
        self.length
    }
}

impl Layer for Delay {
    fn name(&self) -> &'static str {
        "Delay"
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        let delay = foveola_core::Delay::new(table.shape(from), self.delay, self.length);
        Ok(table.push(from, Stage::Delay(delay)))
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter::new("delay", self.delay as f64)]
    }

    fn set_parameter(&mut self, name: &str, values: &Values) -> Result<bool> {
        if name != "delay" {
            return Ok(false);
        }
        self.delay = frames("Delay", values.number()?)? as usize;
        Ok(true)
    }
}

/// A delay as a whole number.
fn frames(item: &'static str, delay: f64) -> Result<u32> {
    // A conversion to an integer truncates and saturates.
    let whole = delay as u32;
    if f64::from(whole) == delay {
        return Ok(whole);
    }
    let (value, expected) = (format!("{delay:?}"), "a whole number of frames, 0 to 2^32 - 1");
    Err(Error::Parameter { item, name: "delay", value, expected })
}

/// A delay for each pixel, in frames. See [`foveola_core::variable_delay`].
///
/// ```
/// use foveola::{Model, VariableDelay};
/// let mut delay = Model::of(VariableDelay::new(&ndarray::arr2(&[[0, 1], [2, 3]])));
/// let out = delay.run(&ndarray::Array3::<f32>::ones((3, 2, 2)), 3)?;
/// assert_eq!(out[(0, 0, 1, 1, 0)], 0.0);
/// assert_eq!(out[(0, 0, 2, 1, 0)], 1.0);
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct VariableDelay {
    delays: Array2<u32>,
}

impl VariableDelay {
    /// A delay map of rows x columns, in frames.
    pub fn new(delays: &Array2<u32>) -> Self {
        Self { delays: delays.as_standard_layout().into_owned() }
    }

    /// The delay map of rows x columns, in frames.
    pub fn delays(&self) -> ArrayView2<'_, u32> {
        self.delays.view()
    }
}

impl Layer for VariableDelay {
    fn name(&self) -> &'static str {
        "VariableDelay"
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        let frame = table.shape(from);
        if self.delays.dim() != (frame.rows, frame.cols) {
            let ((rows, cols), name) = (self.delays.dim(), "delay map");
            let value = format!("{rows} x {cols} for frames of {} x {}", frame.rows, frame.cols);
            let expected = "one delay for each pixel, rows x columns";
            return Err(Error::Parameter { item: self.name(), name, value, expected });
        }
        let delay = named(self, foveola_core::VariableDelay::new(frame, self.delays.as_slice().unwrap_or_default()))?;
        Ok(table.push(from, Stage::VariableDelay(delay)))
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter::new("delays", &self.delays)]
    }

    fn set_parameter(&mut self, name: &str, values: &Values) -> Result<bool> {
        if name != "delays" {
            return Ok(false);
        }
        let values = values.of_shape(self.delays.shape())?.iter();
        let delays = values.map(|delay| frames("VariableDelay", *delay)).collect::<Result<Vec<u32>>>()?;
        self.delays.iter_mut().zip(delays).for_each(|(to, delay)| *to = delay);
        Ok(true)
    }
}
