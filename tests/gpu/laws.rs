//! Random layers, frames and cuts: the device computes what the processor does, and keeps both laws to the bit.

use crate::{close, same, text};
use foveola::{Algorithm, Device, Error, Model, PadMode};
use foveola_core::Shape;
use foveola_tests::device::{expected, mean_steps, trial};
use foveola_tests::naive;
use foveola_tests::random::{self, Layers, LowRank, Recording, check, check_as};
use foveola_tests::spec::Spec;
use foveola_tests::stream::{Engine, feed_all, lead};
use libtest_mimic::Trial;
use ndarray::{Array5, ArrayView5, Axis, concatenate, s};
use proptest::prelude::*;
use std::cell::Cell;

/// Random trials of each layer.
const CASES: u32 = 16;

type Verdict = Result<(), String>;
type Random = (Spec, Shape, Recording);

macro_rules! layers {
    ($($name:ident)*) => { [$((stringify!($name), random::$name as Layers)),*] };
}

pub(crate) fn trials() -> Vec<Trial> {
    let all = layers! {
        time_padding delay variable_delay conv3d conv2d conv1d rf low_pass high_pass smooth_conv pointwise sum diff
        branches model behind_a_warm_up
    };
    let linear = layers! {
        time_padding delay variable_delay conv3d conv2d conv1d rf low_pass high_pass smooth_conv
    };
    type Law = fn(&Device, Algorithm, Random) -> Verdict;
    let laws: [(&str, Law); 4] =
        [("any_pieces", pieces), ("saved_and_cleared", saved), ("a_batch", batch), ("moved", moved)];
    let mut trials = Vec::new();
    for (law, hold) in laws {
        for (name, layers) in all {
            let name = format!("{law}::{name}");
            trials.push(trial(name.clone(), move |device| {
                check_as(&name, CASES, random::trial(layers), |trial| hold(device, Algorithm::Direct, trial));
                Ok(())
            }));
        }
        for (name, layers) in layers! { separable separable_smooth_conv } {
            let name = format!("{law}::by_separable::{name}");
            trials.push(trial(name.clone(), move |device| {
                let trials = random::trial(layers).prop_filter("an output a group", one_output_a_group);
                check_as(&name, CASES, trials, |trial| hold(device, Algorithm::Separable, trial));
                Ok(())
            }));
        }
    }
    for (name, layers) in linear {
        trials.push(trial(format!("twin::{name}"), move |device| {
            check(2 * CASES, random::trial(layers), |trial| twin(device, trial));
            Ok(())
        }));
    }
    trials.push(trial("twin::separable", separable));
    trials
}

/// Where a device takes separable kernels.
fn one_output_a_group((spec, ..): &Random) -> bool {
    match spec {
        Spec::Conv(conv) => conv.weight.len_of(Axis(0)) == conv.groups,
        _ => true,
    }
}

fn model(spec: &Spec, way: Algorithm, device: &Device) -> Result<Model, String> {
    Ok(Model::of(spec.layer_by(way).map_err(text)?).to(device))
}

/// The pieces of a recording.
fn cut<'m>(movie: &'m Array5<f32>, cuts: &[usize]) -> Vec<ArrayView5<'m, f32>> {
    let mut from = 0;
    let pieces = cuts.iter().map(|frames| {
        from += frames;
        movie.slice(s![.., .., from - frames..from, .., ..])
    });
    pieces.collect()
}

/// What the processor makes of the pieces, and how far the device may be from it.
fn on_the_processor(
    spec: &Spec,
    way: Algorithm,
    movie: &Array5<f32>,
    cuts: &[usize],
) -> Result<(Vec<Array5<f32>>, f64), String> {
    expected(spec, way, cut(movie, cuts).into_iter().map(|piece| piece.to_owned()).collect(), 0.0)
}

/// Whether the device does not go that `way` for this layer: separable kernels are too small for their terms.
fn refused(spec: &Spec, way: Algorithm, device: &Device, shape: Shape) -> Result<bool, String> {
    match model(spec, way, device)?.signature(shape) {
        Err(Error::Parameter { name: "algorithm", .. }) if way == Algorithm::Separable => Ok(true),
        other => other.map(|_| false).map_err(text),
    }
}

/// Law 1, and the same as the processor.
fn pieces(device: &Device, way: Algorithm, (spec, shape, recording): Random) -> Verdict {
    if refused(&spec, way, device, shape)? {
        return Ok(());
    }
    let movie = recording.movie(shape);
    let (expected, tolerance) = on_the_processor(&spec, way, &movie, &recording.cuts)?;
    let mut in_pieces = model(&spec, way, device)?;
    for (piece, expected) in cut(&movie, &recording.cuts).into_iter().zip(&expected) {
        close("a piece", &in_pieces.feed(piece)?, expected, tolerance)?;
    }
    in_pieces.clear_state();
    let lead = lead(&spec, &movie)?;
    let whole = feed_all(&mut model(&spec, way, device)?, &movie, &recording.cut_once(), lead)?;
    same("any pieces", &feed_all(&mut in_pieces, &movie, &recording.cuts, lead)?, &whole)?;
    // `run` cuts as it likes behind its first piece.
    if lead == 0 {
        in_pieces.clear_state();
        let first = recording.first();
        let run = in_pieces.run(movie.slice(s![.., .., ..first, .., ..]), first).map_err(text)?;
        let rest = in_pieces.run(movie.slice(s![.., .., first.., .., ..]), 2).map_err(text)?;
        same("run", &concatenate(Axis(2), &[run.view(), rest.view()]).map_err(text)?, &whole)?;
    }
    Ok(())
}

/// Law 2.
fn saved(device: &Device, way: Algorithm, (spec, shape, recording): Random) -> Verdict {
    if refused(&spec, way, device, shape)? {
        return Ok(());
    }
    let movie = recording.movie(shape);
    let mut model = model(&spec, way, device)?;
    let mut stack = Vec::new();
    for piece in cut(&movie, &recording.cuts) {
        model.push_state();
        stack.push((piece, model.feed(piece)?));
    }
    model.clear_state(); // which keeps what is saved
    let other = Recording { seed: !recording.seed, batch: 2, cuts: vec![2, 1] };
    feed_all(&mut model, &other.movie(shape), &other.cuts, lead(&spec, &movie)?)?;
    model.clear_state();
    for (piece, expected) in cut(&movie, &recording.cuts).into_iter().zip(&stack) {
        same("cleared", &model.feed(piece)?, &expected.1)?;
    }
    while let Some((piece, expected)) = stack.pop() {
        model.pop_state().map_err(text)?;
        model.push_state();
        model.feed(piece)?;
        model.pop_state().map_err(text)?;
        same("restored", &model.feed(piece)?, &expected)?;
    }
    match model.pop_state() {
        Err(Error::NoSavedState) => Ok(()),
        other => Err(format!("nothing is saved, but pop_state returned {other:?}")),
    }
}

/// A batch of streams gives what each of them gives alone (a mean over the batch apart).
fn batch(device: &Device, way: Algorithm, (spec, shape, recording): Random) -> Verdict {
    if spec.any_pad(|mode| mode == PadMode::Mean) || refused(&spec, way, device, shape)? {
        return Ok(());
    }
    let movie = recording.movie(shape);
    let lead = lead(&spec, &movie)?;
    let mut model = model(&spec, way, device)?;
    let together = feed_all(&mut model, &movie, &recording.cuts, lead)?;
    for stream in 0..recording.batch {
        model.clear_state();
        let alone = movie.slice(s![stream..=stream, .., .., .., ..]).to_owned();
        let alone = feed_all(&mut model, &alone, &recording.cuts, lead)?;
        same("alone", &together.slice(s![stream..=stream, .., .., .., ..]).to_owned(), &alone)?;
    }
    Ok(())
}

/// A stream that changes sides with every piece, whose state is saved on one side and restored on the other, is one that never
/// moved.
fn moved(device: &Device, way: Algorithm, (spec, shape, recording): Random) -> Verdict {
    if refused(&spec, way, device, shape)? {
        return Ok(());
    }
    let movie = recording.movie(shape);
    let (expected, tolerance) = on_the_processor(&spec, way, &movie, &recording.cuts)?;
    let other = Recording { seed: !recording.seed, batch: recording.batch, cuts: vec![2] }.movie(shape);
    for begin in [0, 1] {
        let mut model = model(&spec, way, device)?;
        for (k, (piece, expected)) in cut(&movie, &recording.cuts).into_iter().zip(&expected).enumerate() {
            let there = if (k + begin) % 2 == 0 { device.clone() } else { Device::cpu() };
            let name = there.name().to_owned();
            // Saved here; something else passes there.
            model.push_state();
            model = model.to(there);
            model.feed(other.view())?;
            model.pop_state().map_err(text)?;
            close(&format!("piece {k}, moved to {name}"), &model.feed(piece)?, expected, tolerance)?;
        }
    }
    Ok(())
}

/// Linear layers beside their naive twin, sample by sample.
fn twin(device: &Device, (spec, shape, recording): Random) -> Verdict {
    let movie = recording.movie(shape);
    let (x, first) = (movie.mapv(f64::from), recording.first());
    let mut tolerance = naive::tolerance(&spec, &x, first);
    if spec.any_pad(|mode| mode == PadMode::Mean) {
        // Which the twin's bound takes for exact.
        tolerance *= 1.0 + mean_steps(movie.len());
    }
    let mut model = model(&spec, Algorithm::Direct, device)?;
    let found = feed_all(&mut model, &movie, &recording.cut_once(), lead(&spec, &movie)?)?;
    naive::close(&found, &naive::run(&spec, &x, first), &tolerance)
}

/// The same for sums of separable kernels.
fn separable(device: &Device) -> Verdict {
    let strategy = random::shape().prop_flat_map(|shape| {
        let fits = |low_rank: &LowRank| low_rank.conv.weight.len_of(Axis(0)) == low_rank.conv.groups;
        (random::low_rank(shape).prop_filter("an output a group", fits), Just(shape))
    });
    let refusals = Cell::new(0);
    check(2 * CASES, (strategy, random::recording()), |((low_rank, shape), recording)| {
        let spec = Spec::Conv(low_rank.conv.clone());
        if refused(&spec, Algorithm::Separable, device, shape)? {
            refusals.set(refusals.get() + 1);
            return Ok(());
        }
        let movie = recording.movie(shape);
        let (x, first) = (movie.mapv(f64::from), recording.first());
        let mut tolerance = naive::separable_tolerance(&low_rank, 3, &x, first);
        if spec.any_pad(|mode| mode == PadMode::Mean) {
            tolerance *= 1.0 + mean_steps(movie.len());
        }
        let found = feed_all(&mut model(&spec, Algorithm::Separable, device)?, &movie, &recording.cut_once(), 0)?;
        naive::close(&found, &naive::run(&spec, &x, first), &tolerance)
    });
    let refusals = refusals.get();
    if refusals < 2 * CASES { Ok(()) } else { Err("all kernels were refused".into()) }
}
