//! One small error for the whole crate: every variant names the value and what was expected.

use crate::events::Geometry;
use crate::{Sample, Shape, Text};
use core::fmt;

/// Why a filter could not be made or a frame could not be processed. The state of the filter is then unchanged. In a
/// model, the nodes before one that refuses its frames ([`Finite`](crate::Finite), or a user's own filter) have already
/// advanced.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// A frame with an axis of length 0.
    EmptyFrame {
        /// The shape given.
        shape: Shape,
    },
    /// A kernel with an axis of length 0: `(out, in, time, row, col)`.
    EmptyKernel {
        /// The shape given.
        kernel: [usize; 5],
    },
    /// A slice of the wrong length.
    Length {
        /// What the slice holds.
        what: &'static str,
        /// Its length in samples.
        found: usize,
        /// The length that fits.
        expected: usize,
    },
    /// The kernel's input channels, times the groups, are not the frame's channels.
    Channels {
        /// Channels that the kernel takes, over all groups.
        found: usize,
        /// Channels of the frame.
        expected: usize,
    },
    /// The groups do not divide the output channels.
    Groups {
        /// The number of groups given.
        groups: usize,
        /// The channels to divide.
        channels: usize,
    },
    /// A number outside its range.
    Parameter {
        /// The parameter's name.
        name: &'static str,
        /// Its value.
        value: f64,
        /// Its range, in words.
        expected: &'static str,
    },
    /// Without spatial padding the (dilated) kernel must fit into the frame.
    KernelTooLarge {
        /// Dilated rows and columns of the kernel.
        kernel: [usize; 2],
        /// Rows and columns of the frame.
        frame: [usize; 2],
    },
    /// A sample that is NaN or infinite.
    NonFinite {
        /// The index of the frame since the state was cleared.
        frame: u64,
        /// The index of the sample in the frame.
        index: usize,
    },
    /// A weight, bias or factor that is NaN or infinite.
    NonFiniteWeight {
        /// What the slice with it holds.
        what: &'static str,
        /// Its index in the slice.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// A model without nodes.
    NoNodes,
    /// A node reads from a node that does not come before it.
    Order {
        /// The index of the node.
        node: usize,
        /// The index of the node it reads.
        source: usize,
    },
    /// A node receives frames of another shape than its own.
    NodeShape {
        /// The index of the node.
        node: usize,
        /// The shape it receives.
        found: Shape,
        /// The shape it takes.
        expected: Shape,
    },
    /// A model's further output is not a node before the last one.
    Output {
        /// The index of the node given.
        node: usize,
        /// The number of nodes.
        nodes: usize,
    },
    /// The branches that meet in a node do not run at the same frame rate.
    NodeRate {
        /// The index of the node.
        node: usize,
    },
    /// A stage of an event filter chain is made for another size of sensor than the stages before it yield.
    StageGeometry {
        /// The index of the stage.
        stage: usize,
        /// Size of the sensor after the stages before it.
        found: Geometry,
        /// Size of the sensor that the stage is made for.
        expected: Geometry,
    },
    /// A filter with memory receives chunks that repeat frames (from `TimePadding` or `Delay` with a length).
    NodeLead {
        /// The index of the node.
        node: usize,
    },
    /// A gradient passes through a filter from outside this crate, which has no adjoint.
    NodeAdjoint {
        /// The index of the node.
        node: usize,
    },
}

impl Error {
    /// What is wrong, with its numbers: the error's `Display`, which a constant can make as well. Its numbers have at most six
    /// decimals.
    ///
    /// ```
    /// use foveola_core::{Error, Shape};
    /// let error = Error::NodeShape { node: 2, found: Shape::new(1, 60, 60), expected: Shape::new(1, 64, 64) };
    /// let text = error.text();
    /// assert_eq!(text.as_str(), "node 2 is fed frames of 1 x 60 x 60 (channels x rows x columns); expected 1 x 64 x 64");
    /// ```
    pub const fn text(&self) -> Text {
        match *self {
            Self::EmptyFrame { shape } => Text::new("a frame of ")
                .shape(shape)
                .words(" (channels x rows x columns) is empty; every axis needs a length of 1 or more"),
            Self::EmptyKernel { kernel } => Text::new("a kernel of ").product(&kernel).words(
                " (out, in, time, rows, columns) is empty; every axis needs a length of 1 or more",
            ),
            Self::Length { what, found, expected } => {
                Text::new(what).words(" has ").number(found).words(" samples where ").number(expected).words(" are needed")
            }
            Self::Channels { found, expected } => Text::new("the kernel takes ")
                .number(found)
                .words(" channels, but the frame has ")
                .number(expected),
            Self::Groups { groups, channels } => {
                Text::new("").number(groups).words(" groups do not divide ").number(channels).words(" output channels evenly")
            }
            Self::Parameter { name, value, expected } => {
                Text::new(name).words(" is ").value(value).words("; expected ").words(expected)
            }
            Self::KernelTooLarge { kernel, frame } => Text::new("a kernel of ")
                .product(&kernel)
                .words(" pixels does not fit into a frame of ")
                .product(&frame)
                .words(" without padding"),
            Self::NonFinite { frame, index } => Text::new("sample ")
                .number(index)
                .words(" of frame ")
                .long(frame)
                .words(" is NaN or infinite; expected a finite number"),
            Self::NonFiniteWeight { what, index, value } => Text::new("number ")
                .number(index)
                .words(" of ")
                .words(what)
                .words(" is ")
                .value(value)
                .words("; expected a finite number"),
            Self::NoNodes => Text::new("the model has no nodes; expected at least one"),
            Self::Order { node, source } => {
                Text::new("node ").number(node).words(" reads node ").number(source).words("; expected a node before it")
            }
            Self::NodeShape { node, found, expected } => Text::new("node ")
                .number(node)
                .words(" is fed frames of ")
                .shape(found)
                .words(" (channels x rows x columns); expected ")
                .shape(expected),
            Self::Output { node, nodes } => Text::new("node ")
                .number(node)
                .words(" is to be a further output of a model of ")
                .number(nodes)
                .words(" nodes; expected a node before the last one, which is the output"),
            Self::NodeRate { node } => Text::new("the branches that meet in node ").number(node).words(
                " run at different frame rates; expected equal temporal strides and warm-ups",
            ),
            Self::StageGeometry { stage, found, expected } => Text::new("stage ")
                .number(stage)
                .words(" is made for a sensor of ")
                .product(&[expected.cols, expected.rows])
                .words(" pixels (columns x rows), but behind the stages before it there are ")
                .product(&[found.cols, found.rows]),
            Self::NodeLead { node } => Text::new("node ").number(node).words(
                " keeps memory but is fed chunks that repeat frames (TimePadding, or Delay with a length); expected a filter \
                 without memory there",
            ),
            Self::NodeAdjoint { node } => Text::new("node ").number(node).words(
                " is a filter from outside this crate, which has no adjoint; expected one of this crate's filters between the \
                 output and what a gradient is wanted for",
            ),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            // With all of its digits, but not with hundreds of them.
            Self::Parameter { name, value, expected } if value.abs() >= 1e16 => {
                write!(f, "{name} is {value:e}; expected {expected}")
            }
            Self::Parameter { name, value, expected } => write!(f, "{name} is {value}; expected {expected}"),
            _ => f.write_str(self.text().as_str()),
        }
    }
}

impl core::error::Error for Error {}

/// Unwraps a `Result<_, Error>` in a constant: a mistake becomes a compile error that says what is wrong, with its
/// numbers ([`Error::text`]).
///
/// ```
/// use foveola_core::{constant, Decay, LowPass, Shape};
/// const LOW_PASS: LowPass = LowPass::new(Shape::new(1, 4, 4), constant!(Decay::new(0.02, 1000.0)));
/// ```
/// ```compile_fail
/// use foveola_core::{constant, Decay};
/// const WRONG: Decay = constant!(Decay::new(-0.02, 1000.0)); // tau is -0.02; expected ..
/// ```
#[macro_export]
macro_rules! constant {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => panic!("{}", $crate::Error::text(&error).as_str()),
        }
    };
}

/// `Ok` when a slice named `what` has the expected length.
pub(crate) const fn exact(what: &'static str, found: usize, expected: usize) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(Error::Length { what, found, expected }) }
}

/// `Ok` when a slice named `what` has at least the expected length.
pub(crate) const fn at_least(what: &'static str, found: usize, expected: usize) -> Result<(), Error> {
    if found >= expected { Ok(()) } else { Err(Error::Length { what, found, expected }) }
}

/// `Ok` when the slice named `what` has finite numbers only. By blocks and without calls, because the compiler limits the calls
/// and iterations of a constant (`long_running_const_eval`): here to about 8 million numbers.
pub(crate) const fn all_finite(what: &'static str, values: &[f32]) -> Result<(), Error> {
    let (blocks, _) = values.as_chunks::<8>();
    let mut block = 0;
    while block < blocks.len() {
        let [a, b, c, d, e, f, g, h] = blocks[block];
        // NaN, if one of them is not finite.
        if a * 0.0 + b * 0.0 + c * 0.0 + d * 0.0 + e * 0.0 + f * 0.0 + g * 0.0 + h * 0.0 != 0.0 {
            break;
        }
        block += 1;
    }
    let mut index = 8 * block;
    while index < values.len() {
        let value = values[index];
        if value * 0.0 != 0.0 {
            return Err(Error::NonFiniteWeight { what, index, value: value as f64 });
        }
        index += 1;
    }
    Ok(())
}

/// [`all_finite`] for samples of any type, outside constants.
pub(crate) fn all_finite_samples<T: Sample>(what: &'static str, values: &[T]) -> Result<(), Error> {
    match values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        Some((index, value)) => Err(Error::NonFiniteWeight { what, index, value: value.to_f64() }),
        None => Ok(()),
    }
}

/// `Ok` when a frame has no axis of length 0.
pub(crate) const fn nonempty(shape: Shape) -> Result<(), Error> {
    if shape.is_empty() { Err(Error::EmptyFrame { shape }) } else { Ok(()) }
}

/// `Ok` when a parameter named `name` is a finite `f32`: a filter computes with samples, and a larger number would be infinite
/// there.
pub(crate) const fn within_range(name: &'static str, value: f64) -> Result<(), Error> {
    if (value as f32).is_finite() {
        return Ok(());
    }
    Err(Error::Parameter { name, value, expected: "a finite number, up to 3.4e38 in magnitude" })
}
