//! The kinds of layers in a model file: one entry of a table for each.

use super::describe::{self, Described};
use super::error::Problem;
use super::keys::Default::{Else, Is, Needed};
use super::keys::Type::{Choice, Flag, Frames, List, Map, Number, OneOrMore, Quantity, Size, Values, Weight, Whole};
use super::keys::{Arguments, Key, first, key};
use super::readers::{choice, frames, list, number, time_constant, wholes};
use super::units::Dimension::Time;
use super::value::Value;
use super::weighted::{
    convolution, describe_convolution, describe_receptive_field, describe_smooth_conv, receptive_field, smooth_conv,
};
use super::weights::{Axes, map};
use crate::layers::{Space, Spacetime, Time as InTime};
use crate::model::inputs::Join;
use crate::{
    Algorithm, Axis, Border, Conv1d, Conv2d, Conv3d, Delay, Diff, HighPass, Layer, LowPass, Model, NLExponential,
    NLLogistic, NLPiecewiseLinear, NLRectify, NLRectifyScale, NLRectifySquare, NLSoftplus, NLSquare, PadMode, Sum,
    TimePadding, VariableDelay,
};

/// A kind of layer.
pub(super) struct Kind {
    /// The name in files.
    pub(super) name: &'static str,
    /// What a layer of this kind computes.
    pub(super) about: &'static str,
    /// How several inputs become one.
    pub(super) join: Join,
    /// Its keys besides `name`, `kind` and `from`.
    pub(super) keys: &'static [&'static [Key]],
    /// The layer of checked keys.
    pub(super) build: fn(&Arguments<'_>) -> Built,
    /// The keys of a layer, if it is of this kind. What is built of them has the same bits.
    pub(super) describe: fn(&dyn Layer) -> Option<Described>,
}

pub(super) type Built = Result<Box<dyn Layer>, Problem>;

const AXES: [(&str, Axis); 3] = [("channel", Axis::Channel), ("row", Axis::Row), ("col", Axis::Col)];

const TAU: Key = key("tau", Quantity(Time), Needed, "time constant");
const SCALE: [Key; 2] =
    [key("scale", Number, Is("1"), "factor of the input"), key("bias", Number, Is("0"), "added to the scaled input")];
const CHANNELS: [Key; 2] = [
    key("in_channels", Whole(1), Else("those of the weight, or the number of groups"), "channels of the input"),
    key("out_channels", Whole(1), Else("those of the weight, or the number of groups"), "channels of the output"),
];
const BIAS: Key = key("bias", Values(&Number), Else("none"), "one number for each output channel");
const TIME_PAD: [Key; 2] = [
    key("time_pad", Flag, Is("true"), "whether the stream starts with frames that stand for the past"),
    key("pad_mode", Choice(&first(PadMode::NAMES)), Is("mirror"), "what these frames are"),
];
const BORDER: Key =
    key("autopad_mode", Choice(&first(Border::NAMES)), Is("replicate"), "what the kernel reads outside the frame");
const CONV: [Key; 6] = [
    BIAS,
    key("stride", List(&Whole(1), 3), Is("[1, 1, 1]"), "steps [time, row, col] from one output to the next"),
    key("dilation", List(&Whole(1), 3), Is("[1, 1, 1]"), "distances [time, row, col] between the taps"),
    key("groups", Whole(1), Is("1"), "channels of different groups do not mix"),
    key(
        "autopad",
        Flag,
        Is("true"),
        "whether the output has the size of the input; else only pixels where the kernel fits",
    ),
    key(
        "algorithm",
        Choice(&first(Algorithm::NAMES)),
        Is("auto"),
        "the algorithm; auto takes the one predicted to be fastest",
    ),
];
/// The algorithms of a `SmoothConv`.
pub(super) const SMOOTH_ALGORITHMS: [(&str, Algorithm); 3] =
    [("auto", Algorithm::Auto), ("direct", Algorithm::Direct), ("separable", Algorithm::Separable)];
const AVERAGE: &str = "the average over size";

pub(super) const KINDS: [Kind; 23] = [
    Kind {
        name: "Conv3d",
        about: "convolution in space and time",
        join: Join::Sum,
        keys: &[
            &CHANNELS,
            &[
                key("size", Size(&[3]), Is("[1, 1, 1]"), "frames, rows and columns of a kernel without a weight"),
                key("weight", Weight(Axes::Spacetime), Else(AVERAGE), "impulse response"),
            ],
            &CONV,
            &TIME_PAD,
            &[BORDER],
        ],
        build: |args| {
            convolution(args, Axes::Spacetime, |[i, o]| {
                Conv3d::new(i, o, args.get("size", wholes)?).map_err(|error| args.problem("size", error))
            })
        },
        describe: |layer| describe_convolution::<Spacetime>(layer, Axes::Spacetime),
    },
    Kind {
        name: "Conv2d",
        about: "convolution of each frame",
        join: Join::Sum,
        keys: &[
            &CHANNELS,
            &[
                key("size", Size(&[2]), Is("[1, 1]"), "rows and columns of a kernel without a weight"),
                key("weight", Weight(Axes::Space), Else(AVERAGE), "impulse response"),
            ],
            &CONV,
            &[BORDER],
        ],
        build: |args| {
            convolution(args, Axes::Space, |[i, o]| {
                Conv2d::new(i, o, args.get("size", wholes)?).map_err(|error| args.problem("size", error))
            })
        },
        describe: |layer| describe_convolution::<Space>(layer, Axes::Space),
    },
    Kind {
        name: "Conv1d",
        about: "convolution of each pixel in time",
        join: Join::Sum,
        keys: &[
            &CHANNELS,
            &[
                key("frames", Frames, Is("1 frame"), "length of a kernel without a weight"),
                key("weight", Weight(Axes::Time), Else("the average over frames"), "impulse response"),
            ],
            &CONV,
            &TIME_PAD,
        ],
        build: |args| {
            convolution(args, Axes::Time, |[i, o]| {
                Conv1d::new(i, o, args.get("frames", frames)?).map_err(|error| args.problem("frames", error))
            })
        },
        describe: |layer| describe_convolution::<InTime>(layer, Axes::Time),
    },
    Kind {
        name: "RF",
        about: "receptive field: a weighted sum over the frame and its past, one output pixel",
        join: Join::Sum,
        keys: &[
            &CHANNELS,
            &[
                key("frames", Frames, Is("1 frame"), "length of a field without a weight"),
                key("weight", Weight(Axes::Field), Else("the mean over all pixels and frames"), "impulse response"),
                BIAS,
            ],
            &TIME_PAD,
        ],
        build: receptive_field,
        describe: describe_receptive_field,
    },
    Kind {
        name: "SmoothConv",
        about: "a chain of low-passes in time, y_i = e_i(y_{i-1}); the sum of all y_i, each through its own kernel in space",
        join: Join::Sum,
        keys: &[&[
            key("tau", OneOrMore(&Quantity(Time)), Needed, "time constant of each stage, or of all n stages"),
            key("n", Whole(1), Else("the number of time constants"), "number of stages"),
            key("weight", Weight(Axes::Stages), Needed, "kernel of each stage, or of all stages"),
            BORDER,
            key("components", Flag, Is("false"), "whether each stage is a channel, instead of their sum"),
            key("algorithm", Choice(&first(SMOOTH_ALGORITHMS)), Is("auto"), "the algorithm of the kernels in space"),
        ]],
        build: smooth_conv,
        describe: describe_smooth_conv,
    },
    Kind {
        name: "LowPass",
        about: "y[t] = a y[t-1] + (1 - a) x[t], a = exp(-1 / (tau fs))",
        join: Join::Sum,
        keys: &[&[TAU]],
        build: |args| boxed(LowPass::new(args.get("tau", time_constant)?, args.scope.resolution)?),
        describe: |layer| {
            describe::of(layer, |low: &LowPass, to| {
                to.with("tau", describe::duration(low.tau())).at_rate(low.steps_per_second())
            })
        },
    },
    Kind {
        name: "HighPass",
        about: "x - k lowpass(x)",
        join: Join::Sum,
        keys: &[&[TAU, key("k", Number, Is("1"), "weight of the low-pass")]],
        build: |args| {
            boxed(HighPass::new(args.get("tau", time_constant)?, args.get("k", number)?, args.scope.resolution)?)
        },
        describe: |layer| {
            describe::of(layer, |high: &HighPass, to| {
                let to = to.with("tau", describe::duration(high.tau())).at_rate(high.steps_per_second());
                to.with("k", Value::Number(high.k()))
            })
        },
    },
    Kind {
        name: "TimePadding",
        about: "the last frames seen, then the chunk",
        join: Join::Sum,
        keys: &[&[
            key("length", Frames, Needed, "frames in front of each chunk"),
            key("mode", Choice(&first(PadMode::NAMES)), Is("mirror"), "the frames before the first"),
        ]],
        build: |args| boxed(TimePadding::new(args.get("length", frames)?, args.get("mode", choice(&PadMode::NAMES))?)),
        describe: |layer| {
            describe::of(layer, |padding: &TimePadding, to| {
                to.with("length", describe::frames(padding.length())).with("mode", describe::name(padding.mode()))
            })
        },
    },
    Kind {
        name: "Delay",
        about: "the frames of some time ago, 0 before the start",
        join: Join::Sum,
        keys: &[&[
            key("delay", Frames, Needed, "how long ago"),
            key("length", Frames, Is("0 frames"), "earlier frames in front of each chunk"),
        ]],
        build: |args| boxed(Delay::new(args.get("delay", frames)?).with_length(args.get("length", frames)?)),
        describe: |layer| {
            describe::of(layer, |delay: &Delay, to| {
                to.with("delay", describe::frames(delay.delay())).with("length", describe::frames(delay.length()))
            })
        },
    },
    Kind {
        name: "VariableDelay",
        about: "a delay of its own for each pixel",
        join: Join::Sum,
        keys: &[&[key("delays", Map, Needed, "frames, (row, col)")]],
        build: |args| boxed(VariableDelay::new(&args.get("delays", map)?)),
        describe: |layer| {
            describe::of(layer, |delay: &VariableDelay, to| {
                let cell = |delay: &u32| Value::Number(f64::from(*delay));
                let rows = delay
                    .delays()
                    .rows()
                    .into_iter()
                    .map(|row| describe::list(row.iter().map(cell)))
                    .collect::<Vec<_>>();
                to.with("delays", describe::list(rows))
            })
        },
    },
    Kind {
        name: "NLRectify",
        about: "max(x, 0)",
        join: Join::Sum,
        keys: &[],
        build: |_| boxed(NLRectify),
        describe: describe::plain::<NLRectify>,
    },
    Kind {
        name: "NLRectifyScale",
        about: "max(bias + scale x, 0)",
        join: Join::Sum,
        keys: &[&SCALE],
        build: |args| boxed(NLRectifyScale::new(args.get("scale", number)?, args.get("bias", number)?)?),
        describe: |layer| {
            describe::of(layer, |nonlinear: &NLRectifyScale, to| scaled(to, nonlinear.scale(), nonlinear.bias()))
        },
    },
    Kind {
        name: "NLSquare",
        about: "(bias + scale x)^2",
        join: Join::Sum,
        keys: &[&SCALE],
        build: |args| boxed(NLSquare::new(args.get("scale", number)?, args.get("bias", number)?)?),
        describe: |layer| {
            describe::of(layer, |nonlinear: &NLSquare, to| scaled(to, nonlinear.scale(), nonlinear.bias()))
        },
    },
    Kind {
        name: "NLRectifySquare",
        about: "max(bias + scale x, 0)^2",
        join: Join::Sum,
        keys: &[&SCALE],
        build: |args| boxed(NLRectifySquare::new(args.get("scale", number)?, args.get("bias", number)?)?),
        describe: |layer| {
            describe::of(layer, |nonlinear: &NLRectifySquare, to| scaled(to, nonlinear.scale(), nonlinear.bias()))
        },
    },
    Kind {
        name: "NLExponential",
        about: "the exponential, exp(bias + scale x)",
        join: Join::Sum,
        keys: &[&SCALE],
        build: |args| boxed(NLExponential::new(args.get("scale", number)?, args.get("bias", number)?)?),
        describe: |layer| {
            describe::of(layer, |nonlinear: &NLExponential, to| scaled(to, nonlinear.scale(), nonlinear.bias()))
        },
    },
    Kind {
        name: "NLSoftplus",
        about: "a smooth rectifier, ln(1 + exp(bias + scale x))",
        join: Join::Sum,
        keys: &[&SCALE],
        build: |args| boxed(NLSoftplus::new(args.get("scale", number)?, args.get("bias", number)?)?),
        describe: |layer| {
            describe::of(layer, |nonlinear: &NLSoftplus, to| scaled(to, nonlinear.scale(), nonlinear.bias()))
        },
    },
    Kind {
        name: "NLLogistic",
        about: "the logistic function, 1 / (1 + exp(-(bias + scale x)))",
        join: Join::Sum,
        keys: &[&SCALE],
        build: |args| boxed(NLLogistic::new(args.get("scale", number)?, args.get("bias", number)?)?),
        describe: |layer| {
            describe::of(layer, |nonlinear: &NLLogistic, to| scaled(to, nonlinear.scale(), nonlinear.bias()))
        },
    },
    Kind {
        name: "NLPiecewiseLinear",
        about: "straight lines between points; the outer ones go on",
        join: Join::Sum,
        keys: &[&[
            key("knots", Values(&Number), Needed, "inputs at which the lines meet, ascending, two or more"),
            key("values", Values(&Number), Needed, "outputs there"),
        ]],
        build: |args| {
            boxed(NLPiecewiseLinear::new(&args.get("knots", list(number))?, &args.get("values", list(number))?)?)
        },
        describe: |layer| {
            describe::of(layer, |lines: &NLPiecewiseLinear, to| {
                let numbers = |numbers: &[f64]| describe::list(numbers.iter().map(|number| Value::Number(*number)));
                to.with("knots", numbers(lines.knots())).with("values", numbers(lines.values()))
            })
        },
    },
    Kind {
        name: "Sum",
        about: "the sum over an axis, which keeps the length 1",
        join: Join::Sum,
        keys: &[&[key("axis", Choice(&first(AXES)), Is("channel"), "the axis")]],
        build: |args| boxed(Sum::new(args.get("axis", choice(&AXES))?)),
        describe: |layer| {
            describe::of(layer, |sum: &Sum, to| {
                let name = AXES.iter().find(|(_, axis)| *axis == sum.axis()).map_or("", |(name, _)| name);
                to.with("axis", describe::name(name))
            })
        },
    },
    Kind {
        name: "Diff",
        about: "the difference from the frame before, 0 for the first frame",
        join: Join::Sum,
        keys: &[],
        build: |_| boxed(Diff),
        describe: describe::plain::<Diff>,
    },
    Kind {
        name: "Identity",
        about: "its input: gives a name to a sum",
        join: Join::Sum,
        keys: &[],
        build: identity,
        describe: describe_identity,
    },
    Kind {
        name: "Product",
        about: "the product of its inputs, sample by sample",
        join: Join::Product,
        keys: &[],
        build: identity,
        describe: describe_identity,
    },
    Kind {
        name: "Concat",
        about: "the channels of its inputs, one input after the other",
        join: Join::Concat,
        keys: &[],
        build: identity,
        describe: describe_identity,
    },
];

pub(super) fn boxed(layer: impl Layer) -> Built {
    Ok(Box::new(layer))
}

/// A model without layers yields its input.
fn identity(_: &Arguments<'_>) -> Built {
    boxed(Model::new())
}

fn describe_identity(layer: &dyn Layer) -> Option<Described> {
    layer.as_any().downcast_ref::<Model>()?.is_empty().then(Described::default)
}

fn scaled(to: Described, scale: f64, bias: f64) -> Described {
    to.with("scale", Value::Number(scale)).with("bias", Value::Number(bias))
}
