//! Devices that give little memory in one piece, and more workgroups than fit along one axis: a piece goes through block by
//! block, a batch part by part, and what does not fit at all is refused with its size.

use crate::{same, text};
use foveola::{Conv1d, Conv3d, Delay, Device, Error, LowPass, Model, PadMode, RF, Resolution, TimePadding};
use foveola_core::Shape;
use foveola_tests::device::trial;
use foveola_tests::random::{self, Layers, Recording, check};
use foveola_tests::spec::Spec;
use foveola_tests::stream::Engine;
use libtest_mimic::Trial;
use ndarray::{Array5, s};
use std::cell::Cell;

/// Bytes of a buffer: a frame of most random shapes fits, a recording does not.
const SMALL: u64 = 8 << 10;

/// Random trials of each layer.
const CASES: u32 = 16;

pub(crate) fn trials() -> Vec<Trial> {
    let layers: [(&str, Layers); 8] = [
        ("low_pass", random::low_pass),
        ("diff", random::diff),
        ("variable_delay", random::variable_delay),
        ("rf", random::rf),
        ("conv3d", random::conv3d),
        ("smooth_conv", random::smooth_conv),
        ("model", random::model),
        ("behind_a_warm_up", random::behind_a_warm_up),
    ];
    let random = layers.into_iter().map(|(name, layers)| {
        trial(format!("limits::blocks_and_parts::{name}"), move |device| blocks_and_parts(device, layers))
    });
    let others = [
        trial("limits::parts_of_a_batch_that_change", parts_that_change),
        trial("limits::strides_in_time", strides),
        trial("limits::outputs_behind_a_warm_up", warm_up),
        trial("limits::state_that_does_not_fit", state),
        trial("limits::first_frames_that_do_not_fit", first_frames),
        trial("limits::a_mean_of_parts", mean),
        trial("limits::many_workgroups", many_workgroups),
    ];
    random.chain(others).collect()
}

fn small(device: &Device, bytes: u64) -> Result<Device, String> {
    Device::limited(device.name(), bytes).map_err(text)
}

/// No output at first, and then more than the frames that go in: blocks are cut for what comes later.
fn warm_up(device: &Device) -> Result<(), String> {
    let model = || -> Result<Model, String> {
        Ok(Model::of(Conv3d::new(1, 16, [21, 3, 3]).map_err(text)?.with_time_pad(false)))
    };
    let movie = Recording { seed: 8, batch: 1, cuts: vec![100] }.movie(Shape::new(1, 8, 8));
    let expected = model()?.to(device).run(&movie, 100).map_err(text)?;
    let found = model()?.to(small(device, 64 << 10)?).run(&movie, 100).map_err(text)?;
    same("in blocks", &found, &expected)
}

fn low_pass(tau: f64) -> Result<LowPass, String> {
    LowPass::new(tau, Resolution::DEFAULT).map_err(text)
}

/// The same bits as where there is room, or a refusal that leaves the state as it was: then the stream goes on elsewhere.
fn blocks_and_parts(device: &Device, layers: Layers) -> Result<(), String> {
    let small = small(device, SMALL)?;
    let (cut, refused) = (Cell::new(0), Cell::new(0));
    check(CASES, random::trial(layers), |(spec, shape, mut recording): (Spec, Shape, Recording)| {
        // Behind the first piece, one that does not fit at once.
        recording.cuts.push(SMALL as usize / 4 / shape.len() + 2);
        let movie = recording.movie(shape);
        let model = || spec.layer().map(Model::of).map_err(text);
        let (mut wide, mut narrow) = (model()?.to(device), model()?.to(&small));
        let mut from = 0;
        for frames in &recording.cuts {
            let piece = movie.slice(s![.., .., from..from + frames, .., ..]);
            let expected = wide.feed(piece)?;
            let found = match narrow.process(piece) {
                Ok(view) => {
                    cut.set(cut.get() + u32::from(piece.len() as u64 * 4 > SMALL));
                    view.to_owned()
                }
                Err(Error::DeviceMemory { bytes, most: SMALL, .. }) if bytes > SMALL => {
                    refused.set(refused.get() + 1);
                    if narrow.time() != from as u64 {
                        return Err(format!("time {} behind a refusal; expected {from}", narrow.time()));
                    }
                    narrow = narrow.to(device);
                    let found = narrow.feed(piece)?;
                    narrow = narrow.to(&small);
                    found
                }
                Err(other) => return Err(other.to_string()),
            };
            same("with little memory", &found, &expected)?;
            from += frames;
        }
        Ok(())
    });
    match (cut.get(), refused.get()) {
        (0, refused) => Err(format!("no piece was cut, {refused} were refused")),
        _ => Ok(()),
    }
}

/// Later pieces that need other parts than the first one did: frames in front make each piece as large as it is long.
fn parts_that_change(device: &Device) -> Result<(), String> {
    let small = small(device, 4096)?;
    let model = || Ok::<_, String>(Model::new().then(low_pass(0.003)?).then(TimePadding::new(4, PadMode::Mirror)));
    let (mut wide, mut narrow) = (model()?.to(device), model()?.to(&small));
    let movie = Recording { seed: 4, batch: 5, cuts: vec![60] }.movie(Shape::new(1, 4, 8));
    for (from, to) in [(0, 2), (2, 20), (20, 45), (45, 46), (46, 60)] {
        let piece = movie.slice(s![.., .., from..to, .., ..]);
        same(&format!("frames {from} to {to}"), &narrow.feed(piece)?, &wide.feed(piece)?)?;
    }
    Ok(())
}

/// Outputs that come with one frame of a stride and are larger than all its inputs.
fn strides(device: &Device) -> Result<(), String> {
    let small = small(device, 4096)?;
    let model = || {
        let conv = Conv1d::new(1, 12, 2).map_err(text)?.with_stride([5, 1, 1]);
        let conv = conv.with_weight(random::array(3, (12, 1, 2)).mapv(|w| w as f32)).map_err(text)?;
        Ok::<_, String>(Model::new().then(conv).then(low_pass(0.002)?))
    };
    let (mut wide, mut narrow) = (model()?.to(device), model()?.to(&small));
    let movie = Recording { seed: 5, batch: 2, cuts: vec![80] }.movie(Shape::new(1, 5, 8));
    for (from, to) in [(0, 1), (1, 7), (7, 40), (40, 80)] {
        let piece = movie.slice(s![.., .., from..to, .., ..]);
        same(&format!("frames {from} to {to}"), &narrow.feed(piece)?, &wide.feed(piece)?)?;
    }
    Ok(())
}

/// Whether `model` refuses `piece` with the words and sizes of a device's memory, and its time stays.
fn refuses(model: &mut Model, piece: &Array5<f32>, what: &str, bytes: u64) -> Result<(), String> {
    let time = model.time();
    for run in [false, true] {
        let result = if run { model.run(piece, 3).map(|_| ()) } else { model.process(piece).map(|_| ()) };
        match result {
            Err(error @ Error::DeviceMemory { .. }) => {
                let message = error.to_string();
                for word in [what, &bytes.to_string(), &SMALL.to_string()] {
                    if !message.contains(word) {
                        return Err(format!("'{message}' does not say {word}"));
                    }
                }
            }
            other => return Err(format!("{what}: {other:?}")),
        }
    }
    if model.time() == time { Ok(()) } else { Err(format!("time {} behind a refusal", model.time())) }
}

fn state(device: &Device) -> Result<(), String> {
    let small = small(device, SMALL)?;
    let movie = Recording { seed: 1, batch: 1, cuts: vec![6] }.movie(Shape::new(1, 50, 60));
    let piece = |from: usize, to: usize| movie.slice(s![.., .., from..to, .., ..]).to_owned();
    let (mut quiet, mut model) = (Model::of(low_pass(0.01)?), Model::of(low_pass(0.01)?).to(&small));
    refuses(&mut model, &piece(0, 3), "the state of a stream", 50 * 60 * 4)?;
    for (from, to) in [(0, 3), (3, 6)] {
        model = model.to(Device::cpu());
        same("on the processor", &model.feed(piece(from, to).view())?, &quiet.feed(piece(from, to).view())?)?;
        model = model.to(&small);
        refuses(&mut model, &piece(3, 6), "the state of a stream", 50 * 60 * 4)?;
    }
    Ok(())
}

/// A history that begins with the whole first piece.
fn first_frames(device: &Device) -> Result<(), String> {
    let mut model =
        Model::of(Conv1d::new(1, 1, 3).map_err(text)?.with_pad_mode(PadMode::FullCopy)).to(&small(device, SMALL)?);
    let movie = Recording { seed: 1, batch: 1, cuts: vec![50] }.movie(Shape::new(1, 10, 10));
    match model.process(&movie) {
        Err(Error::DeviceMemory { what: "the first frames of a piece", bytes, most: SMALL, .. }) if bytes >= 20_000 => {
        }
        other => return Err(format!("{:?}", other.map(|view| view.dim()))),
    }
    // A first piece that fits is followed by any.
    let feed = |model: &mut Model| -> Result<Array5<f32>, String> {
        model.feed(movie.slice(s![.., .., ..15, .., ..]))?;
        model.feed(movie.slice(s![.., .., 15.., .., ..]))
    };
    let found = feed(&mut model)?;
    let wide = Model::of(Conv1d::new(1, 1, 3).map_err(text)?.with_pad_mode(PadMode::FullCopy));
    same("after a first piece that fits", &found, &feed(&mut wide.to(device))?)
}

/// The mean that a batch begins with is one of all its streams.
fn mean(device: &Device) -> Result<(), String> {
    let movie = Recording { seed: 1, batch: 4, cuts: vec![10] }.movie(Shape::new(1, 10, 10));
    let model = || Model::of(TimePadding::new(2, PadMode::Mean));
    let mut narrow = model().to(&small(device, SMALL)?);
    match narrow.process(&movie) {
        Err(Error::DeviceMemory { what: "a batch whose mean begins it", most: SMALL, .. }) => (),
        other => return Err(format!("{:?}", other.map(|view| view.dim()))),
    }
    let piece = movie.slice(s![.., .., ..2, .., ..]);
    same("a batch that fits", &narrow.feed(piece)?, &model().to(device).feed(piece)?)
}

/// More workgroups than 65,535, and a number that fills no whole row of them.
fn many_workgroups(device: &Device) -> Result<(), String> {
    let movie = Recording { seed: 1, batch: 1, cuts: vec![6000] }.movie(Shape::new(1, 1, 1));
    let field = || {
        let field = RF::new(1, 11, 1).map_err(text)?;
        field.with_weight(random::array(2, (11, 1, 1, 1, 2)).mapv(|w| w as f32)).map_err(text)
    };
    // A product, rounded once on both sides.
    let expected = Model::of(field()?).feed(movie.view())?;
    same("66,000 groups of a field", &Model::of(field()?).to(device).feed(movie.view())?, &expected)?;
    let frame = Recording { seed: 3, batch: 1, cuts: vec![2] }.movie(Shape::new(1, 2100, 2048));
    let expected = Model::of(Delay::new(1)).feed(frame.view())?;
    same("33,600 groups of copies", &Model::of(Delay::new(1)).to(device).feed(frame.view())?, &expected)
}
