//! One error for the whole crate: each variant names the layer or item, the value, and what was expected.

use foveola_core::Shape;
use std::path::PathBuf;

/// Why something could not be done. State is as it was before the call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A layer does not fit its input, or one of its parameters is out of range.
    #[error("{layer}: {source}")]
    Layer {
        /// The layer, with its place in the model.
        layer: String,
        /// What is wrong.
        source: foveola_core::Error,
    },
    /// An argument outside its range.
    #[error("{item}: {name} is {value}; expected {expected}")]
    Parameter {
        /// The layer or function.
        item: &'static str,
        /// The argument.
        name: &'static str,
        /// Its value.
        value: String,
        /// Its range, in words.
        expected: &'static str,
    },
    /// A name that is not one of a list.
    #[error("unknown {what} '{value}'; expected one of: {expected}")]
    Unknown {
        /// What the name stands for.
        what: &'static str,
        /// The name given.
        value: String,
        /// The names there are.
        expected: String,
    },
    /// A value that is not spelled as it should be.
    #[error("'{value}' is no {what}; expected {expected}")]
    Spelling {
        /// What it should be.
        what: &'static str,
        /// The text given.
        value: String,
        /// How it is spelled, in words.
        expected: &'static str,
    },
    /// A filter of events that cannot be made, or does not fit the sensor.
    #[error("filter '{filter}': {reason}")]
    Filter {
        /// The filter, as it was spelled or named.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A weight of a rank that the layer does not take.
    #[error("{layer}: a weight of rank {rank} (shape {shape:?}); expected rank {expected}")]
    WeightRank {
        /// The layer.
        layer: &'static str,
        /// The rank given.
        rank: usize,
        /// The shape given.
        shape: Vec<usize>,
        /// The ranks it takes and what their axes mean.
        expected: &'static str,
    },
    /// A weight with a NaN or an infinity.
    #[error("{layer}: the weight at {index:?} is {value}; expected a finite number")]
    WeightNotFinite {
        /// The layer.
        layer: &'static str,
        /// Where in the weight.
        index: Vec<usize>,
        /// The value there.
        value: f32,
    },
    /// A weight that cannot be normalised.
    #[error(
        "{layer}: the weight's sum is {sum}, and that of its magnitudes {magnitudes}; to normalise by a sum, expected one that is \
         not 0 within rounding"
    )]
    ZeroSum {
        /// The layer.
        layer: &'static str,
        /// The sum.
        sum: f64,
        /// The sum of the magnitudes.
        magnitudes: f64,
    },
    /// Frames of another size, or another batch, than the stream began with.
    #[error(
        "frames of {found} in a batch of {found_batch}, but the stream began with frames of {expected} in a batch of \
         {expected_batch} (channels x rows x columns); call clear_state to begin another"
    )]
    FrameSize {
        /// The frames given.
        found: Shape,
        /// Their batch.
        found_batch: usize,
        /// The frames of the stream.
        expected: Shape,
        /// Their batch.
        expected_batch: usize,
    },
    /// A layer changed in the middle of a stream so that its state, the frames that it keeps, means nothing to it any more.
    #[error(
        "{layer} changed in the middle of a stream: its state was kept for another size of kernel, border, stride, delay, \
         number of channels or kind of layer; call clear_state to begin another stream"
    )]
    StateChanged {
        /// The layer, with its place in the model.
        layer: String,
    },
    /// A stream whose last chunk was never finished: a layer panicked, or memory ran out in the middle of a recording.
    #[error(
        "the stream ended in the middle of a chunk, by a panic or for want of memory, so that its state is lost; call \
         clear_state or pop_state"
    )]
    Poisoned,
    /// A layer's result that is not finite, though its input was: it would stay in recursive state for ever.
    #[error(
        "{layer}: the result at batch {batch}, channel {channel}, frame {frame}, row {row}, column {col} is {value}, out of \
         the range of 32-bit floats; expected smaller samples or weights, or allow_non_finite{hint}"
    )]
    Overflow {
        /// The layer, with its place in the model.
        layer: String,
        /// Index in the batch.
        batch: usize,
        /// Channel of the layer's output.
        channel: usize,
        /// Frame of the layer's output since the state was cleared.
        frame: u64,
        /// Row.
        row: usize,
        /// Column.
        col: usize,
        /// The value there.
        value: f32,
        /// What else helps, or nothing.
        hint: &'static str,
    },
    /// `pop_state` without a `push_state`.
    #[error("pop_state without a saved state; expected a push_state before it")]
    NoSavedState,
    /// A sample that is NaN or infinite: it would stay in recursive state for ever.
    #[error(
        "input sample at batch {batch}, channel {channel}, frame {frame}, row {row}, column {col} is {value}; expected a \
         finite number"
    )]
    NonFinite {
        /// Index in the batch.
        batch: usize,
        /// Channel.
        channel: usize,
        /// Frame since the state was cleared.
        frame: u64,
        /// Row.
        row: usize,
        /// Column.
        col: usize,
        /// The value there.
        value: f32,
    },
    /// An input with an axis of length 0 (other than time).
    #[error(
        "an input of shape {shape:?} (batch, channel, time, row, column) is empty; every axis but time needs a length of 1 or more"
    )]
    EmptyInput {
        /// The shape given.
        shape: Vec<usize>,
    },
    /// Arrays that do not agree beside the axis along which they are joined.
    #[error(
        "{item}: an array of shape {found:?} beside one of shape {expected:?}; expected equal lengths on all axes but {axis}"
    )]
    ShapeMismatch {
        /// The function.
        item: &'static str,
        /// The shape that differs.
        found: Vec<usize>,
        /// The first shape.
        expected: Vec<usize>,
        /// The axis on which they may differ.
        axis: usize,
    },
    /// More memory than there is.
    #[error("{what} needs {samples} samples ({} MB), which cannot be had", samples.saturating_mul(4) / 1_000_000)]
    Memory {
        /// What it is for.
        what: &'static str,
        /// Its size in samples of 4 bytes.
        samples: usize,
    },
    /// Threads that the system does not give.
    #[error("{threads} threads cannot be had: {reason}; expected fewer, or Model::threads(1)")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// What the system says.
        reason: String,
    },
    /// A device that is not there.
    #[error("{wanted} was not found; found: {found}")]
    NoDevice {
        /// What was asked for.
        wanted: String,
        /// The devices that there are.
        found: String,
    },
    /// Something that a device cannot do.
    #[error("device {device}: {reason}")]
    Device {
        /// The device.
        device: String,
        /// What is wrong.
        reason: String,
    },
    /// A device that went away, with what was on it: state that was saved before, or is on the host, is still there.
    #[error(
        "device {device} was lost: {reason}; go on from a saved state (pop_state), or clear_state, on another device"
    )]
    DeviceLost {
        /// The device.
        device: String,
        /// What it says.
        reason: String,
    },
    /// More memory in one piece than a device gives.
    #[error("device {device}: {what} needs {bytes} bytes in one piece; expected {most} at most")]
    DeviceMemory {
        /// The device.
        device: String,
        /// What it is for.
        what: &'static str,
        /// Its size in bytes.
        bytes: u64,
        /// The most that the device gives.
        most: u64,
    },
    /// A file that could not be opened, read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file whose content is not what it should be.
    #[error("{}: {reason}", path.display())]
    Data {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        reason: String,
    },
    /// A recording of which more than 1 % cannot be read: see [`ReadOptions::damaged`](crate::ReadOptions::damaged).
    #[error(
        "{}: {unreadable} of {read} {unit} cannot be read, more than 1 %; the first bad place is {place}{hint}; to go on \
         anyway: --damaged (ReadOptions::damaged)",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How much could not be read,
        unreadable: u64,
        /// of how much that was read so far,
        read: u64,
        /// in `bytes` or `lines`.
        unit: &'static str,
        /// The first bad byte.
        at: u64,
        /// The same in words, with what lies there.
        place: String,
        /// What else may be the reason; empty if nothing.
        hint: String,
    },
    /// An array of frames with another number of axes than two to five.
    #[error(
        "an array of {found} axes; expected (row, col), (time, row, col), (channel, time, row, col) or (batch, channel, time, row, col)"
    )]
    Axes {
        /// The number of axes.
        found: usize,
    },
    /// An event that a format cannot hold.
    #[error(
        "{}: the event at {} us, column {}, row {} does not fit {format}; expected {expected}",
        path.display(), event.t, event.x, event.y
    )]
    Event {
        /// The file.
        path: PathBuf,
        /// The format's name.
        format: &'static str,
        /// The event.
        event: foveola_core::events::Event,
        /// What the format could have held.
        expected: String,
    },
    /// A picture that could not be drawn.
    #[error("{}: cannot draw: {reason}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<foveola_core::UnknownName> for Error {
    fn from(unknown: foveola_core::UnknownName) -> Self {
        Self::unknown(unknown.what(), unknown.value(), unknown.expected().iter().copied())
    }
}

impl Error {
    /// An [`Error::Unknown`]: `value` is no `what`; expected one of `names`.
    pub fn unknown<'n>(what: &'static str, value: &str, names: impl IntoIterator<Item = &'n str>) -> Self {
        let expected = names.into_iter().collect::<Vec<_>>().join(", ");
        Self::Unknown { what, value: value.into(), expected }
    }

    pub(crate) fn layer(layer: impl Into<String>, source: foveola_core::Error) -> Self {
        Self::Layer { layer: layer.into(), source }
    }
}

/// Refuses `value` unless `good`.
pub(crate) fn in_range(
    item: &'static str,
    name: &'static str,
    value: impl ToString,
    good: bool,
    expected: &'static str,
) -> Result<(), Error> {
    if good { Ok(()) } else { Err(Error::Parameter { item, name, value: value.to_string(), expected }) }
}
