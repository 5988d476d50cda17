//! The layers with weights: built from their keys, and described by them.

use super::describe::{self, Described};
use super::error::Problem;
use super::keys::Arguments;
use super::kinds::{Built, SMOOTH_ALGORITHMS, boxed};
use super::readers::{choice, flag, frames, list, single, time_constant, whole, wholes};
use super::value::Value;
use super::weights::{Axes, for_stages, weight};
use crate::layers::Kind as Convolution;
use crate::{Algorithm, Border, Layer, PadMode, Rf, SmoothConv, layers::Conv};
use ndarray::Array5;

/// A convolution of checked keys.
pub(super) fn convolution<K: Convolution>(
    args: &Arguments<'_>,
    axes: Axes,
    new: impl Fn([usize; 2]) -> Result<Conv<K>, Problem>,
) -> Built {
    let groups = args.get("groups", whole)?;
    let channels = [args.optional("in_channels", whole)?, args.optional("out_channels", whole)?];
    let mut conv = new(channels.map(|channels| channels.unwrap_or(groups)))?
        .with_groups(groups)
        .map_err(|error| args.problem("groups", error))?
        .with_stride(args.get("stride", wholes)?)
        .with_dilation(args.get("dilation", wholes)?)
        .with_autopad(args.get("autopad", flag)?)
        .with_algorithm(args.get("algorithm", choice(&Algorithm::NAMES))?);
    // A Conv1d has no border, a Conv2d no past.
    if let Some(border) = args.optional("autopad_mode", choice(&Border::NAMES))? {
        conv = conv.with_autopad_mode(border);
    }
    if let Some(mode) = args.optional("pad_mode", choice(&PadMode::NAMES))? {
        conv = conv.with_pad_mode(mode).with_time_pad(args.get("time_pad", flag)?);
    }
    if let Some(weight) = args.optional("weight", weight(axes))? {
        let (_, _, t, rows, cols) = conv.weight().dim();
        let stated = [t, rows, cols];
        conv.set_weight(weight).map_err(|error| args.problem("weight", error))?;
        let (out, ins, t, rows, cols) = conv.weight().dim();
        has_channels(args, channels, [ins * groups, out])?;
        has_size(args, axes, stated, [t, rows, cols])?;
    }
    if let Some(bias) = args.optional("bias", list(single))? {
        conv.set_bias(&bias).map_err(|error| args.problem("bias", error))?;
    }
    boxed(conv)
}

/// The keys of a convolution.
pub(super) fn describe_convolution<K: Convolution>(layer: &dyn Layer, axes: Axes) -> Option<Described> {
    describe::of(layer, |conv: &Conv<K>, described| {
        let weight = conv.weight();
        let (out, ins, t, rows, cols) = weight.dim();
        let lengths = [t, rows, cols];
        let (key, size) = size_of(axes, &lengths);
        let mut described = if conv.has_weight() {
            described.with("weight", impulse_response(weight, size))
        } else {
            let channels = described
                .with("in_channels", describe::whole(ins * conv.groups()))
                .with("out_channels", describe::whole(out));
            channels.with(key, if axes == Axes::Time { describe::frames(t) } else { wholes_of(size) })
        };
        if !conv.bias().is_empty() {
            described = described.with("bias", singles_of(conv.bias()));
        }
        described = described
            .with("stride", wholes_of(&conv.stride()))
            .with("dilation", wholes_of(&conv.dilation()))
            .with("groups", describe::whole(conv.groups()))
            .with("autopad", Value::Flag(conv.border().is_some()))
            .with("algorithm", describe::name(conv.algorithm()));
        // A kernel of one pixel reads no border, one of one frame no past.
        if axes != Axes::Space {
            described = with_past(described, conv.time_padding());
        }
        match axes {
            Axes::Time => described,
            _ => described.with("autopad_mode", describe::name(conv.border().unwrap_or_default())),
        }
    })
}

/// A weight `(out, in, time, row, col)` whose axes behind `in` have the lengths `size`; a single kernel has only these.
fn impulse_response(weight: Array5<f32>, size: &[usize]) -> Value {
    let (out, ins, ..) = weight.dim();
    let channels: &[usize] = if (out, ins) == (1, 1) { &[] } else { &[out, ins] };
    let values = weight.as_slice().unwrap_or_default();
    describe::array(&[channels, size].concat(), values)
}

fn with_past(described: Described, padding: Option<PadMode>) -> Described {
    described
        .with("time_pad", Value::Flag(padding.is_some()))
        .with("pad_mode", describe::name(padding.unwrap_or_default()))
}

fn wholes_of(numbers: &[usize]) -> Value {
    describe::list(numbers.iter().copied().map(describe::whole))
}

fn singles_of(numbers: &[f32]) -> Value {
    describe::list(numbers.iter().copied().map(describe::single))
}

/// The key for the size `[time, row, col]` of a kernel without a weight, and the lengths that it holds.
fn size_of(axes: Axes, lengths: &[usize; 3]) -> (&'static str, &[usize]) {
    match axes {
        Axes::Time | Axes::Field => ("frames", &lengths[..1]),
        Axes::Space => ("size", &lengths[1..]),
        _ => ("size", lengths),
    }
}

/// Refuses a weight of another size than the file states. A weight that is a number has the size stated.
fn has_size(args: &Arguments<'_>, axes: Axes, stated: [usize; 3], found: [usize; 3]) -> Result<(), Problem> {
    let ((key, stated), (_, found)) = (size_of(axes, &stated), size_of(axes, &found));
    if stated == found || !args.has(key) {
        return Ok(());
    }
    let problem = Problem::new(
        args.at(key),
        format!("{stated:?} beside a weight of {found:?}"),
        "the size of the weight, or no key",
    );
    Err(problem.in_key(key))
}

/// Refuses a weight of other channels than the file states.
fn has_channels(args: &Arguments<'_>, stated: [Option<usize>; 2], found: [usize; 2]) -> Result<(), Problem> {
    for ((stated, found), name) in stated.into_iter().zip(found).zip(["in_channels", "out_channels"]) {
        if let Some(stated) = stated.filter(|stated| *stated != found) {
            let side = if name == "in_channels" { "input" } else { "output" };
            let found = format!("a weight of {found} {side} channel{}", if found == 1 { "" } else { "s" });
            let expected = format!("{name} = {stated}, or a weight with preserve_channels");
            return Err(Problem::new(args.at("weight"), found, expected));
        }
    }
    Ok(())
}

/// A receptive field of checked keys.
pub(super) fn receptive_field(args: &Arguments<'_>) -> Built {
    let channels = [args.optional("in_channels", whole)?, args.optional("out_channels", whole)?];
    let [ins, out] = channels.map(|channels| channels.unwrap_or(1));
    let length = args.get("frames", frames)?;
    let mut field = Rf::new(ins, out, length)
        .map_err(|error| args.problem("frames", error))?
        .with_pad_mode(args.get("pad_mode", choice(&PadMode::NAMES))?)
        .with_time_pad(args.get("time_pad", flag)?);
    if let Some(weight) = args.optional("weight", weight(Axes::Field))? {
        field.set_weight(weight).map_err(|error| args.problem("weight", error))?;
        let (out, ins, t, rows, cols) = field.weight().dim();
        has_channels(args, channels, [ins, out])?;
        has_size(args, Axes::Field, [length, rows, cols], [t, rows, cols])?;
    }
    if let Some(bias) = args.optional("bias", list(single))? {
        field.set_bias(&bias).map_err(|error| args.problem("bias", error))?;
    }
    boxed(field)
}

/// The keys of a receptive field.
pub(super) fn describe_receptive_field(layer: &dyn Layer) -> Option<Described> {
    describe::of(layer, |field: &Rf, described| {
        let weight = field.weight();
        let (out, ins, t, rows, cols) = weight.dim();
        let mut described = if field.has_weight() {
            described.with("weight", impulse_response(weight, &[t, rows, cols]))
        } else {
            described
                .with("in_channels", describe::whole(ins))
                .with("out_channels", describe::whole(out))
                .with("frames", describe::frames(t))
        };
        if !field.bias().is_empty() {
            described = described.with("bias", singles_of(field.bias()));
        }
        with_past(described, field.time_padding())
    })
}

/// A `SmoothConv` of checked keys.
pub(super) fn smooth_conv(args: &Arguments<'_>) -> Built {
    let mut taus = args.get("tau", list(time_constant))?;
    let n = args.optional("n", whole)?.unwrap_or(taus.len());
    if taus.len() == 1 && n <= crate::taps::MAX_WEIGHTS {
        taus.resize(n, taus[0]);
    }
    if taus.len() != n {
        let found = format!("{} time constants for n = {n}", taus.len());
        return Err(Problem::new(args.at("tau"), found, "one for each stage, or one for all").in_key("tau"));
    }
    let of_weight = |error| args.problem("weight", error);
    let weight = for_stages(args.get("weight", weight(Axes::Stages))?, n).map_err(of_weight)?;
    let layer = SmoothConv::new(&taus, weight, args.scope.resolution)
        .map_err(of_weight)? // the time constants are good
        .with_autopad_mode(args.get("autopad_mode", choice(&Border::NAMES))?)
        .with_algorithm(args.get("algorithm", choice(&SMOOTH_ALGORITHMS))?);
    boxed(if args.get("components", flag)? { layer.components() } else { layer })
}

/// The keys of a `SmoothConv`.
pub(super) fn describe_smooth_conv(layer: &dyn Layer) -> Option<Described> {
    describe::of(layer, |conv: &SmoothConv, described| {
        let taus: Vec<f64> = conv.taus().collect();
        let same_tau = taus.iter().all(|tau| tau.to_bits() == taus[0].to_bits());
        let mut times: Vec<Value> = taus.iter().copied().map(describe::duration).collect();
        let weight = conv.weight();
        let (n, rows, cols) = weight.dim();
        let values = weight.as_slice().unwrap_or_default();
        let (first, _) = values.split_at(rows * cols);
        let bits = |kernel: &[f32]| kernel.iter().map(|w| w.to_bits()).collect::<Vec<_>>();
        let same_kernel = values.chunks_exact(rows * cols).all(|kernel| bits(kernel) == bits(first));
        described
            .with("tau", if same_tau { times.swap_remove(0) } else { describe::list(times) })
            .with("n", describe::whole(n))
            .with(
                "weight",
                if same_kernel {
                    describe::array(&[rows, cols], first)
                } else {
                    describe::array(&[n, rows, cols], values)
                },
            )
            .with("autopad_mode", describe::name(conv.border()))
            .with("components", Value::Flag(conv.yields_components()))
            .with("algorithm", describe::name(conv.algorithm()))
            .at_rate(conv.steps_per_second())
    })
}
