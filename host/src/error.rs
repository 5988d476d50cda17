//! One error type for the whole crate. Each variant names the layer or item, the value, and what was expected.

use crate::shown;
use foveola_core::Shape;
use std::path::PathBuf;

/// Why an operation failed. The state is as it was before the call.
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
    #[error("{item}: {name} is {}; expected {expected}", shown(value))]
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
    /// A name that is not in a list of known names.
    #[error("unknown {what} '{}'; expected one of: {}", shown(value), shown(expected))]
    Unknown {
        /// What the name stands for.
        what: &'static str,
        /// The name given.
        value: String,
        /// The known names.
        expected: String,
    },
    /// Branches that meet in a layer and do not fit together.
    #[error(
        "{layer}: {} has frames of {} (channels x rows x columns), {} of {}; expected {fit}",
        reads[1].0, reads[1].1, reads[0].0, reads[0].1
    )]
    Inputs {
        /// The layer.
        layer: String,
        /// What it reads first, and what does not fit, each with the shape of its frames.
        reads: Box<[(String, Shape); 2]>,
        /// What would fit, in words.
        fit: &'static str,
    },
    /// A parameter or layer that has no gradient.
    #[error("{what} {reason}: it cannot be fitted")]
    NotFitted {
        /// The parameter or the layer.
        what: String,
        /// Why it has none.
        reason: &'static str,
    },
    /// What was measured does not fit the output of the model.
    #[error(
        "the target has {found} numbers; expected {frames} frames of {}, as the output has (channels x rows x columns: {output})",
        output.len()
    )]
    Target {
        /// The frames of the target, and numbers in each.
        found: String,
        /// The output frames.
        frames: usize,
        /// Their shape.
        output: Shape,
    },
    /// A layer that cannot be written as source or as a file.
    #[error(
        "{layer}: a custom filter or a function (Map) is a part of its program, which runs on the host alone, and cannot be \
         exported; only the other layers of this crate can"
    )]
    Export {
        /// The layer.
        layer: String,
    },
    /// A layer that cannot be computed in samples of 16 bits.
    #[error("{layer}, in 16 bits: {found}; expected {expected}")]
    Integers {
        /// The layer.
        layer: String,
        /// What does not fit.
        found: String,
        /// What would.
        expected: &'static str,
    },
    /// A model that needs more memory than a microcontroller has.
    #[error("the model needs {needed} bytes of {memory}, but there are {limit}; {layer} takes the most, {share} bytes")]
    DoesNotFit {
        /// RAM or flash.
        memory: &'static str,
        /// Bytes that the model needs.
        needed: usize,
        /// Bytes that there are.
        limit: usize,
        /// The layer that needs the most.
        layer: String,
        /// Its bytes.
        share: usize,
    },
    /// A value that a parameter of a model cannot have.
    #[error("parameter {name}: {source}")]
    ModelParameter {
        /// The name of the parameter, such as `centre.tau`.
        name: String,
        /// What is wrong with the value.
        source: Box<Self>,
    },
    /// Values whose shape is not that of their parameter.
    #[error("values of shape {found:?}; expected {expected:?}, as it has (empty for a single number)")]
    ValuesShape {
        /// The shape given.
        found: Vec<usize>,
        /// The shape of the parameter.
        expected: Vec<usize>,
    },
    /// A value in the wrong notation.
    #[error("'{}' is no {what}; expected {expected}", shown(value))]
    Spelling {
        /// The kind of value.
        what: &'static str,
        /// The text given.
        value: String,
        /// The expected notation, in words.
        expected: &'static str,
    },
    /// An event filter that cannot be built, or does not fit the sensor.
    #[error("filter '{}': {}", shown(filter), shown(reason))]
    Filter {
        /// The filter, as it was written or named.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A weight whose rank the layer does not accept.
    #[error("{layer}: a weight of rank {rank} (shape {shape:?}); expected rank {expected}")]
    WeightRank {
        /// The layer.
        layer: &'static str,
        /// The rank given.
        rank: usize,
        /// The shape given.
        shape: Vec<usize>,
        /// The accepted ranks and the meaning of their axes.
        expected: &'static str,
    },
    /// A weight that contains NaN or an infinity.
    #[error("{layer}: the weight at {index:?} is {value}; expected a finite number")]
    WeightNotFinite {
        /// The layer.
        layer: &'static str,
        /// Index within the weight.
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
    /// Frames whose size or batch differs from that of the running stream.
    #[error(
        "frames of {found} in a batch of {found_batch}, but the stream began with frames of {expected} in a batch of \
         {expected_batch} (channels x rows x columns); call clear_state to begin another"
    )]
    FrameSize {
        /// The frames given.
        found: Shape,
        /// The batch given.
        found_batch: usize,
        /// The frames of the stream.
        expected: Shape,
        /// The batch of the stream.
        expected_batch: usize,
    },
    /// A layer changed during a stream in a way that makes its stored state invalid.
    #[error(
        "{layer} changed in the middle of a stream: its state was kept for another size of kernel, border, stride, delay, \
         number of channels or kind of layer; call clear_state to begin another stream"
    )]
    StateChanged {
        /// The layer, with its place in the model.
        layer: String,
    },
    /// A stream whose last chunk was not completed: a layer panicked, or memory ran out during a recording.
    #[error(
        "the stream ended in the middle of a chunk, by a panic or for want of memory, so that its state is lost; call \
         clear_state or pop_state"
    )]
    Poisoned,
    /// A layer's output is not finite although its input was. Such a value would never leave recursive state.
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
        /// Frame of the layer's output, counted since the state was cleared.
        frame: u64,
        /// Row.
        row: usize,
        /// Column.
        col: usize,
        /// The value there.
        value: f32,
        /// An additional hint, or an empty string.
        hint: &'static str,
    },
    /// `pop_state` without a `push_state`.
    #[error("pop_state without a saved state; expected a push_state before it")]
    NoSavedState,
    /// An input sample that is NaN or infinite. Such a value would never leave recursive state.
    #[error(
        "input sample at batch {batch}, channel {channel}, frame {frame}, row {row}, column {col} is {value}; expected a \
         finite number"
    )]
    NonFinite {
        /// Index in the batch.
        batch: usize,
        /// Channel.
        channel: usize,
        /// Frame, counted since the state was cleared.
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
    /// Arrays whose shapes differ on an axis other than the one along which they are joined.
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
        /// The axis on which the shapes may differ.
        axis: usize,
    },
    /// An allocation that failed.
    #[error("{what} needs {samples} samples ({} MB), which cannot be had", samples.saturating_mul(4) / 1_000_000)]
    Memory {
        /// What the memory was for.
        what: &'static str,
        /// Its size in samples of 4 bytes.
        samples: usize,
    },
    /// The system could not create the threads.
    #[error("{threads} threads cannot be had: {reason}; expected fewer, or Model::threads(1)")]
    Threads {
        /// The number of threads requested.
        threads: usize,
        /// The system's message.
        reason: String,
    },
    /// A device that was not found.
    #[error("{wanted} was not found; found: {found}")]
    NoDevice {
        /// The requested device.
        wanted: String,
        /// The devices that were found.
        found: String,
    },
    /// An operation that a device does not support, or that failed on it.
    #[error("device {device}: {reason}")]
    Device {
        /// The device.
        device: String,
        /// What is wrong.
        reason: String,
    },
    /// A device was lost, with the data on it. State that was saved before, or that is on the host, is still available.
    #[error(
        "device {device} was lost: {reason}; go on from a saved state (pop_state), or clear_state, on another device"
    )]
    DeviceLost {
        /// The device.
        device: String,
        /// The device's message.
        reason: String,
    },
    /// A single buffer larger than the device allows.
    #[error("device {device}: {what} needs {bytes} bytes in one piece; expected {most} at most")]
    DeviceMemory {
        /// The device.
        device: String,
        /// What the buffer was for.
        what: &'static str,
        /// Its size in bytes.
        bytes: u64,
        /// The largest buffer that the device allows.
        most: u64,
    },
    /// A file that could not be opened, read or written.
    #[error("{}: {source}", shown(path))]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's message.
        source: std::io::Error,
    },
    /// A mistake in a model file.
    #[cfg(feature = "files")]
    #[error(transparent)]
    ModelFile(Box<crate::ModelFileError>),
    /// A file of a model's state that is refused, or could not be written.
    #[error("{}: {problem}", shown(path))]
    StateFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: crate::StateFileError,
    },
    /// A file with invalid content.
    #[error("{}: {}", shown(path), shown(reason))]
    Data {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        reason: String,
    },
    /// A recording of which more than 1 % is unreadable: see [`ReadOptions::damaged`](crate::ReadOptions::damaged).
    #[error(
        "{}: {unreadable} of {read} {unit} cannot be read, more than 1 %; the first bad place is {}{hint}; to go on \
         anyway: --damaged (ReadOptions::damaged)",
        shown(path),
        shown(place)
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The unreadable amount, in `unit`.
        unreadable: u64,
        /// The amount read so far, in `unit`.
        read: u64,
        /// `bytes` or `lines`.
        unit: &'static str,
        /// The position of the first unreadable byte.
        at: u64,
        /// The same position in words, with the content found there.
        place: String,
        /// Another possible cause; empty if there is none.
        hint: String,
    },
    /// An array of frames whose number of axes is not two to five.
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
        shown(path), event.t, event.x, event.y
    )]
    Event {
        /// The file.
        path: PathBuf,
        /// The name of the format.
        format: &'static str,
        /// The event.
        event: foveola_core::events::Event,
        /// The events that the format can hold.
        expected: String,
    },
    /// A picture that could not be drawn.
    #[error("{}: cannot draw: {}", shown(path), shown(reason))]
    Picture {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
}

/// The result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<foveola_core::UnknownName> for Error {
    fn from(unknown: foveola_core::UnknownName) -> Self {
        Self::unknown(unknown.what(), unknown.value(), unknown.expected().iter().copied())
    }
}

impl Error {
    /// An [`Error::Unknown`]: `value` is not a known `what`; expected one of `names`.
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
