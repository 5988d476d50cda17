//! Threads change no bit: every layer, every way of computing a convolution, batches, pieces of any lengths, with all work
//! cut that can be cut, however small it is.

use foveola::{Algorithm, Error, Model, Precision, SimdLevel};
use foveola_core::Shape;
use foveola_tests::random::{self, Layers, Recording, check, long_trial};
use foveola_tests::spec::Spec;
use foveola_tests::stream::{bits, feed_all, lead};
use ndarray::Array5;

/// Trials for each layer.
const CASES: u32 = 32;

/// Threads beside one: as many as most machines that the tests run on, an odd number, more than there are.
const THREADS: [usize; 3] = [2, 3, 8];

fn text(error: impl ToString) -> String {
    error.to_string()
}

/// The recording in its pieces by as many threads; none where the way is not possible.
fn outputs(
    way: Algorithm,
    precision: Precision,
    threads: usize,
    (spec, shape, recording): &(Spec, Shape, Recording),
) -> Result<Option<Array5<f32>>, String> {
    let movie = recording.movie(*shape);
    let lead = lead(spec, &movie)?;
    let model = Model::of(spec.layer_by(way).map_err(text)?).with_precision(precision);
    match model.signature(*shape) {
        Err(Error::Parameter { name: "algorithm", .. }) => return Ok(None),
        other => other.map_err(text)?,
    };
    // First the number, then the cuts: `threads` makes a new pool.
    feed_all(&mut model.with_threads(threads).eager(), &movie, &recording.cuts, lead).map(Some)
}

/// All numbers of threads against one.
fn any_number(way: Algorithm, trial: &(Spec, Shape, Recording)) -> Result<(), String> {
    for precision in [Precision::Fast, Precision::AtMost(SimdLevel::Baseline), Precision::Reproducible] {
        let Some(alone) = outputs(way, precision, 1, trial)? else { return Ok(()) };
        for threads in THREADS {
            let Some(shared) = outputs(way, precision, threads, trial)? else { return Err("refused".into()) };
            if bits(&shared.view()) != bits(&alone.view()) {
                return Err(format!("{way:?}, {precision:?}: {threads} threads have other bits than one"));
            }
        }
    }
    Ok(())
}

macro_rules! by {
    ($($way:ident: $($layer:ident)*;)*) => { $($(
        #[test]
        fn $layer() {
            check(CASES, long_trial(random::$layer as Layers), |trial| any_number(Algorithm::$way, &trial));
        }
    )*)* };
}

by! {
    Auto:
        time_padding delay variable_delay conv3d conv2d conv1d rf low_pass high_pass smooth_conv pointwise sum diff
        branches model behind_a_warm_up;
    Fft: spectral spectral_model;
    Separable: separable separable_model separable_smooth_conv;
}

/// Frames as large as they come, which are shared out without being told to.
#[test]
fn frames_that_are_worth_it() {
    let trial = |spec| (spec, Shape::new(2, 96, 200), Recording { seed: 1, batch: 2, cuts: vec![2, 1, 5] });
    let strategy = (random::spectral(Shape::new(2, 96, 200)), random::separable(Shape::new(2, 96, 200)));
    check(4, strategy, |(spectral, separable)| {
        for (way, spec) in
            [(Algorithm::Fft, &spectral), (Algorithm::Direct, &spectral), (Algorithm::Separable, &separable)]
        {
            any_number(way, &trial(spec.clone()))?;
            let (_, shape, recording) = trial(spec.clone());
            let run = |threads| {
                let mut model = Model::of(spec.layer_by(way).map_err(text)?).with_threads(threads);
                feed_all(&mut model, &recording.movie(shape), &recording.cuts, 0)
            };
            if way != Algorithm::Separable && bits(&run(1)?.view()) != bits(&run(2)?.view()) {
                return Err(format!("{way:?}: two threads have other bits than one"));
            }
        }
        Ok(())
    });
}

/// The number may change in the middle of a stream.
#[test]
fn a_stream_goes_on_with_more_threads() {
    for way in [Algorithm::Auto, Algorithm::Fft] {
        check(CASES, long_trial(random::spectral as Layers), |(spec, shape, recording)| {
            let movie = recording.movie(shape);
            let model = || spec.layer_by(way).map(Model::of).map_err(text);
            let expected = feed_all(&mut model()?.with_threads(1), &movie, &recording.cuts, 0)?;
            let (mut changing, mut from, mut outs) = (model()?, 0, Vec::new());
            for (i, frames) in recording.cuts.iter().enumerate() {
                changing = changing.with_threads([1, 3, 2, 0][i % 4]).eager();
                let piece = movie.slice(ndarray::s![.., .., from..from + frames, .., ..]);
                outs.push(changing.process(piece).map_err(text)?.to_owned());
                from += frames;
            }
            let views: Vec<_> = outs.iter().map(|out| out.view()).collect();
            let found = ndarray::concatenate(ndarray::Axis(2), &views).map_err(text)?;
            if bits(&found.view()) == bits(&expected.view()) { Ok(()) } else { Err("other bits".into()) }
        });
    }
}
