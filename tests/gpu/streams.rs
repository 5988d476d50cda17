//! Streams on a device as its users meet them: what it refuses, what changes between two pieces, who shares it.

use crate::{close, same, text};
use foveola::{
    Algorithm, Conv2d, Conv3d, Device, Diff, Error, Layer, LowPass, Model, NLSquare, PadMode, Precision, RF,
    Resolution, Table, TimePadding,
};
use foveola_core::{ConvOptions, Factors, Filter, Finite, Kernel, Shape, Signature, Source, Stage};
use foveola_tests::device::{open, trial};
use foveola_tests::random::{Recording, array};
use foveola_tests::stream::Engine;
use libtest_mimic::Trial;
use ndarray::{Array5, ArrayView5, s};
use std::thread;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("streams::no_such_card", || no_such_card().map_err(Into::into)),
        trial("streams::found", found),
        trial("streams::filters_of_your_own", own),
        trial("streams::factors_of_your_own", factors),
        trial("streams::samples_that_may_leave_the_range", range),
        trial("streams::reproducible", reproducible),
        trial("streams::fft", fft),
        trial("streams::non_finite_and_other_sizes", non_finite),
        trial("streams::fields_that_change", fields),
        trial("streams::weights_that_change", weights),
        trial("streams::state_that_changes", state),
        trial("streams::another_size_after_clear_state", another_size),
        trial("streams::two_threads", two_threads),
        trial("streams::two_devices", two_devices),
        trial("streams::every_layout", layouts),
        trial("streams::no_layer_and_no_frame", nothing),
    ]
}

const SHAPE: Shape = Shape::new(2, 6, 9);

fn movie() -> Array5<f32> {
    Recording { seed: 6, batch: 2, cuts: vec![12] }.movie(SHAPE)
}

fn pieces(movie: &Array5<f32>) -> [ArrayView5<'_, f32>; 3] {
    [(0, 4), (4, 5), (5, 12)].map(|(from, to)| movie.slice(s![.., .., from..to, .., ..]))
}

/// A layer whose two outputs share their input, by factors: the planner never makes one.
#[derive(Clone, Debug)]
struct Shared;

/// A box of 3 x 3 pixels, and its factors.
static WEIGHTS: [f32; 18] = [1.0 / 9.0; 18];
static FACTORS: [f32; 6] = [1.0 / 3.0; 6];

impl Layer for Shared {
    fn name(&self) -> &'static str {
        "Shared"
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> foveola::Result<Source> {
        let named = |source| Error::Layer { layer: "Shared".into(), source };
        let kernel = Kernel::new(&WEIGHTS, [2, 1, 1, 3, 3]);
        let conv = foveola_core::Conv3d::new(table.shape(from), kernel, ConvOptions::DEFAULT).map_err(named)?;
        let factors = Factors { terms: 1, time: &[1.0, 1.0], rows: &FACTORS, cols: &FACTORS };
        Ok(table.push(from, Stage::Conv3d(conv.separable(factors).map_err(named)?)))
    }
}

fn factors(device: &Device) -> Result<(), String> {
    let movie = Recording { seed: 7, batch: 2, cuts: vec![5] }.movie(Shape::new(1, 6, 9));
    let expected = Model::of(Shared).run(&movie, 5).map_err(text)?;
    close("factors", &Model::of(Shared).to(device).run(&movie, 5).map_err(text)?, &expected, SUMS)
}

fn low_pass() -> Result<LowPass, String> {
    LowPass::new(0.005, Resolution::DEFAULT).map_err(text)
}

/// Bits of sums in another order: of a few hundred products of numbers below 1.
const SUMS: f64 = 3e-5;

fn no_such_card() -> Result<(), String> {
    let found: Vec<_> = Device::list().iter().map(ToString::to_string).collect();
    match Device::named("no such card") {
        Err(error @ Error::NoDevice { .. }) => {
            let message = error.to_string();
            let missing = found.iter().map(String::as_str).chain(["no such card"]).find(|name| !message.contains(name));
            missing.map_or(Ok(()), |name| Err(format!("'{message}' does not say {name}")))
        }
        other => Err(format!("{other:?}")),
    }
}

/// A device is found again by its name, in any case, and in the spelling of the command line.
fn found(device: &Device) -> Result<(), String> {
    let name = device.name();
    let listed = Device::list().iter().any(|info| Some(info) == device.info());
    let spelled: Device = format!("gpu:{name}").parse().map_err(text)?;
    let capitals = Device::named(&name.to_uppercase()).map_err(text)?;
    if listed && spelled.info() == device.info() && capitals.name() == name {
        return Ok(());
    }
    Err(format!("{device:?} is not found again"))
}

/// On the device `change` makes `model` refuse, with these words, and `back` undoes it: the stream then goes on as if nothing
/// had happened.
fn refuses(
    device: &Device,
    model: impl Fn() -> Result<Model, String>,
    change: impl Fn(Model) -> Model,
    back: impl Fn(Model) -> Model,
    is_expected: impl Fn(&Error) -> bool,
    words: &[&str],
) -> Result<(), String> {
    let movie = movie();
    let (mut quiet, mut disturbed) = (back(model()?), back(model()?));
    for piece in pieces(&movie) {
        let time = disturbed.time();
        disturbed = change(disturbed.to(device));
        for run in [false, true] {
            let result = if run { disturbed.run(piece, 2).map(|_| ()) } else { disturbed.process(piece).map(|_| ()) };
            let error = result.err().ok_or("it was not refused")?;
            let message = error.to_string();
            if !is_expected(&error) {
                return Err(format!("{error:?}"));
            }
            if let Some(word) = words.iter().find(|word| !message.contains(**word)) {
                return Err(format!("'{message}' does not say {word}"));
            }
        }
        if disturbed.time() != time {
            return Err(format!("time {} behind a refusal; expected {time}", disturbed.time()));
        }
        disturbed = back(disturbed);
        same("behind a refusal", &disturbed.feed(piece)?, &quiet.feed(piece)?)?;
    }
    Ok(())
}

/// A filter of a user, or the guard for samples.
#[derive(Clone, Debug)]
struct Own {
    guard: bool,
}

struct Half(Shape);

impl Filter for Half {
    fn signature(&self) -> Signature {
        Signature::same(self.0, 0)
    }

    fn advance(
        &self,
        _: u64,
        _: &mut [f32],
        _: &mut [f32],
        x: &[f32],
        y: &mut [f32],
    ) -> Result<usize, foveola_core::Error> {
        x.iter().zip(y).for_each(|(x, y)| *y = 0.5 * x);
        Ok(x.len() / self.0.len())
    }
}

static HALF: Half = Half(SHAPE);

impl Layer for Own {
    fn name(&self) -> &'static str {
        "Own"
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> foveola::Result<Source> {
        let stage = if self.guard { Stage::Finite(Finite::new(table.shape(from))) } else { Stage::custom(&HALF) };
        Ok(table.push(from, stage))
    }
}

fn own(device: &Device) -> Result<(), String> {
    for (guard, word) in [(false, "a filter of your own"), (true, "a guard for finite samples")] {
        refuses(
            device,
            || Ok(Model::new().then(low_pass()?).then(Own { guard }).then(Diff)),
            |model| model,
            |model| model.to(Device::cpu()),
            |error| matches!(error, Error::Device { .. }),
            &[word, "node 1", device.name()],
        )?;
    }
    Ok(())
}

/// Weights with which a result could be infinite: only the processor looks. Without the check the frames go through.
fn range(device: &Device) -> Result<(), String> {
    let model = || {
        Ok(Model::new()
            .then(low_pass()?)
            .then(Conv2d::new(2, 1, [1, 1]).and_then(|conv| conv.with_weight(2e38)).map_err(text)?))
    };
    refuses(
        device,
        model,
        |model| model,
        |model| model.to(Device::cpu()),
        |error| matches!(error, Error::Device { .. }),
        &["the range of 32-bit floats", "allow_non_finite", device.name()],
    )?;
    let movie = movie();
    let expected = model()?.feed(movie.view())?;
    close("without the check", &model()?.allow_non_finite().to(device).feed(movie.view())?, &expected, SUMS * 2e38)
}

fn reproducible(device: &Device) -> Result<(), String> {
    refuses(
        device,
        || Ok(Model::new().then(low_pass()?).then(Diff).to(device)),
        |model| model.with_precision(Precision::Reproducible),
        |model| model.with_precision(Precision::Fast),
        |error| matches!(error, Error::Device { .. }),
        &["Precision::Reproducible", device.name()],
    )
}

fn fft(device: &Device) -> Result<(), String> {
    let wish = |mut model: Model, way| {
        if let Some(conv) = model.layer_mut::<Conv2d>(1) {
            *conv = conv.clone().with_algorithm(way);
        }
        model
    };
    let conv = || Conv2d::new(2, 2, [3, 5]).and_then(|conv| conv.with_weight(0.25)).map_err(text);
    refuses(
        device,
        || Ok(Model::new().then(low_pass()?).then(conv()?).to(device)),
        |model| wish(model, Algorithm::Fft),
        |model| wish(model, Algorithm::Direct),
        |error| matches!(error, Error::Parameter { name: "algorithm", .. }),
        &["Conv2d", "fft", "on a device"],
    )
}

/// What is refused everywhere is refused on a device.
fn non_finite(device: &Device) -> Result<(), String> {
    let movie = movie();
    let model = || Ok::<_, String>(Model::new().then(low_pass()?).then(TimePadding::new(2, PadMode::Ones)).to(device));
    let (mut quiet, mut disturbed) = (model()?, model()?);
    for piece in pieces(&movie) {
        let mut bad = piece.to_owned();
        bad[(1, 0, piece.dim().2 - 1, 3, 4)] = f32::NAN;
        let expected = disturbed.time() + piece.dim().2 as u64 - 1;
        match disturbed.process(&bad) {
            Err(Error::NonFinite { batch: 1, channel: 0, frame, row: 3, col: 4, .. }) if frame == expected => (),
            other => return Err(format!("{:?}", other.map(|view| view.dim()))),
        }
        if disturbed.time() > 0 {
            match disturbed.process(bad.slice(s![..1, .., .., .., ..])) {
                Err(Error::FrameSize { .. }) => (),
                other => return Err(format!("{:?}", other.map(|view| view.dim()))),
            }
        }
        same("behind a refusal", &disturbed.feed(piece)?, &quiet.feed(piece)?)?;
    }
    // They go through where that is asked for.
    let mut bad = movie.clone();
    bad[(0, 0, 3, 0, 0)] = f32::INFINITY;
    let out = Model::of(Diff).allow_non_finite().to(device).feed(bad.view())?;
    if out[(0, 0, 3, 0, 0)] == f32::INFINITY && out[(0, 1, 3, 0, 0)].is_finite() {
        return Ok(());
    }
    Err("an infinity was lost".into())
}

/// `change` is called before every piece but the first, on the device and on the processor.
fn changing(
    device: &Device,
    model: impl Fn() -> Result<Model, String>,
    change: impl Fn(&mut Model, u64) -> foveola::Result<()>,
) -> Result<(), String> {
    let movie = movie();
    let (mut here, mut there) = (model()?, model()?.to(device));
    for (k, piece) in pieces(&movie).into_iter().enumerate() {
        if k > 0 {
            change(&mut here, k as u64).map_err(text)?;
            change(&mut there, k as u64).map_err(text)?;
        }
        close(&format!("piece {k}"), &there.feed(piece)?, &here.feed(piece)?, SUMS)?;
    }
    Ok(())
}

fn fields(device: &Device) -> Result<(), String> {
    changing(
        device,
        || Ok(Model::new().then(RF::new(2, 3, 3).map_err(text)?).then(NLSquare::new(1.0, 0.0).map_err(text)?)),
        |model, k| {
            let weight = array(k, (3, 2, 3, 6, 9)).mapv(|w| w as f32 / 8.0);
            model.layer_mut::<RF>(0).map_or(Ok(()), |field| field.set_weight(weight))?;
            *model.layer_mut::<NLSquare>(1).ok_or(Error::NoSavedState)? = NLSquare::new(0.5, k as f64)?;
            Ok(())
        },
    )
}

fn weights(device: &Device) -> Result<(), String> {
    changing(
        device,
        || Ok(Model::new().then(low_pass()?).then(Conv3d::new(2, 3, [3, 3, 3]).map_err(text)?)),
        |model, k| {
            let conv = model.layer_mut::<Conv3d>(1).ok_or(Error::NoSavedState)?;
            conv.set_weight(array(k, (3, 2, 3, 3, 3)).mapv(|w| w as f32))?;
            conv.set_bias(&[0.5, k as f32, -1.0])?;
            *model.layer_mut::<LowPass>(0).ok_or(Error::NoSavedState)? = LowPass::new(0.001, Resolution::DEFAULT)?;
            Ok(())
        },
    )
}

/// A layer that needs more state in the middle of a stream is refused, and the old one goes on.
fn state(device: &Device) -> Result<(), String> {
    let movie = movie();
    let model = || Ok::<_, String>(Model::new().then(low_pass()?).then(TimePadding::new(2, PadMode::Zeros)).to(device));
    let (mut quiet, mut model) = (model()?, model()?);
    for piece in pieces(&movie) {
        if model.time() > 0 {
            let padding = |length| TimePadding::new(length, PadMode::Zeros);
            *model.layer_mut::<TimePadding>(1).ok_or("no such layer")? = padding(3);
            match model.process(piece) {
                Err(Error::StateChanged { layer }) if layer == "layer 1, TimePadding" => {}
                other => return Err(format!("{:?}", other.map(|view| view.dim()))),
            }
            *model.layer_mut::<TimePadding>(1).ok_or("no such layer")? = padding(2);
        }
        same("with the old layer", &model.feed(piece)?, &quiet.feed(piece)?)?;
    }
    Ok(())
}

fn another_size(device: &Device) -> Result<(), String> {
    let model = || {
        let field = RF::new(1, 2, 2).map_err(text)?;
        Ok::<_, String>(Model::new().then(low_pass()?).then(Diff).then(field))
    };
    let (mut here, mut there) = (model()?, model()?.to(device));
    for (rows, cols) in [(3, 5), (8, 7), (1, 1), (3, 5)] {
        let movie = Recording { seed: 2, batch: 1, cuts: vec![5] }.movie(Shape::new(1, rows, cols));
        close(&format!("{rows} x {cols}"), &there.feed(movie.view())?, &here.feed(movie.view())?, SUMS)?;
        here.clear_state();
        there.clear_state();
    }
    Ok(())
}

/// Models that share a device, in threads of their own.
fn two_threads(device: &Device) -> Result<(), String> {
    let run = |seed: u64| -> Result<Vec<Array5<f32>>, String> {
        let mut model = Model::new().then(low_pass()?).then(Diff).then(TimePadding::new(3, PadMode::Mirror)).to(device);
        let movie = Recording { seed, batch: 1, cuts: vec![60] }.movie(SHAPE);
        let pieces = (0..60).step_by(3).map(|from| movie.slice(s![.., .., from..from + 3, .., ..]));
        pieces.map(|piece| model.feed(piece)).collect()
    };
    let alone = [run(1)?, run(2)?];
    for _ in 0..5 {
        let results = thread::scope(|scope| {
            let threads = [1, 2].map(|seed| scope.spawn(move || run(seed)));
            threads.map(|thread| thread.join().unwrap_or_else(|_| Err("a panic".into())))
        });
        for (found, alone) in results.into_iter().zip(&alone) {
            for (found, alone) in found?.iter().zip(alone) {
                same("beside another", found, alone)?;
            }
        }
    }
    Ok(())
}

/// A stream that goes from one device to another and back, and its saved states with it.
fn two_devices(device: &Device) -> Result<(), String> {
    let movie = movie();
    let model = || Ok::<_, String>(Model::new().then(low_pass()?).then(TimePadding::new(3, PadMode::Mirror)));
    let (mut quiet, mut model) = (model()?.to(device), model()?);
    for (piece, there) in pieces(&movie).into_iter().zip([open()?, device.clone(), open()?]) {
        model.push_state();
        model = model.to(there);
        model.feed(movie.view())?;
        model.pop_state().map_err(text)?;
        same("on another device", &model.feed(piece)?, &quiet.feed(piece)?)?;
    }
    Ok(())
}

/// Frames that lie in memory in another order.
fn layouts(device: &Device) -> Result<(), String> {
    let movie = movie();
    let expected = Model::of(low_pass()?).to(device).feed(movie.view())?;
    let columns_first = movie.view().reversed_axes().as_standard_layout().into_owned();
    let mut model = Model::of(low_pass()?).to(device);
    same("columns first", &model.feed(columns_first.view().reversed_axes())?, &expected)?;
    model.clear_state();
    let backwards = movie.slice(s![.., .., .., ..;-1, ..;-1]).to_owned();
    same("backwards", &model.feed(backwards.slice(s![.., .., .., ..;-1, ..;-1]))?, &expected)?;
    model.clear_state();
    let one = movie.slice(s![0, 0, .., .., ..]).to_owned();
    let out = model.process(&one).map_err(text)?.to_owned();
    same("three axes", &out, &expected.slice(s![..1, ..1, .., .., ..]).to_owned())
}

/// A model without layers copies, and a piece without frames is one.
fn nothing(device: &Device) -> Result<(), String> {
    let movie = movie();
    let mut model = Model::new().to(device);
    let none = movie.slice(s![.., .., ..0, .., ..]);
    for piece in [none, movie.view(), none, movie.view()] {
        same("a copy", &model.feed(piece)?, &piece.to_owned())?;
    }
    same("a copy", &model.run(&movie, 5).map_err(text)?, &movie)?;
    same("no frame", &model.run(none, 5).map_err(text)?, &none.to_owned())
}
