//! A device that goes away in the middle of a stream: a typed error, and everything that was not on it goes on.

use crate::{same, text};
use foveola::{Device, Diff, Error, LowPass, Model, PadMode, Resolution, TimePadding};
use foveola_core::Shape;
use foveola_tests::device::{open, trial};
use foveola_tests::random::Recording;
use foveola_tests::stream::Engine;
use libtest_mimic::Trial;
use ndarray::{Array5, s};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("lost::between_pieces", |device| in_time(device, between_pieces)),
        trial("lost::while_it_works", |device| in_time(device, while_it_works)),
        trial("lost::before_the_first_piece", |device| in_time(device, before)),
    ]
}

/// Nothing may wait for a device that is gone.
fn in_time(device: &'static Device, test: fn(&Device) -> Result<(), String>) -> Result<(), String> {
    let (done, result) = channel();
    thread::spawn(move || done.send(test(device)));
    result.recv_timeout(Duration::from_secs(60)).map_err(|error| format!("it hangs or panicked: {error}"))?
}

fn model() -> Result<Model, String> {
    let low_pass = LowPass::new(0.01, Resolution::DEFAULT).map_err(text)?;
    Ok(Model::new().then(low_pass).then(Diff).then(TimePadding::new(2, PadMode::Mirror)))
}

fn movie(frames: usize) -> Array5<f32> {
    Recording { seed: 8, batch: 2, cuts: vec![frames] }.movie(Shape::new(2, 7, 9))
}

fn is_lost(result: foveola::Result<Vec<usize>>, device: &str) -> Result<(), String> {
    match result {
        Err(Error::DeviceLost { device: found, .. }) if found == device => Ok(()),
        other => Err(format!("expected a lost device; found {other:?}")),
    }
}

fn between_pieces(shared: &Device) -> Result<(), String> {
    let device = open()?;
    let name = device.name().to_owned();
    let movie = movie(12);
    let piece = |k: usize| movie.slice(s![.., .., 3 * k..3 * k + 3, .., ..]);
    let (mut quiet, mut model) = (model()?, model()?);
    let mut expected = Vec::new();
    for k in 0..4 {
        expected.push(quiet.feed(piece(k))?);
    }
    same("on the processor", &model.feed(piece(0))?, &expected[0])?;
    model.push_state(); // on the host
    model = model.to(&device);
    let there = model.feed(piece(1))?;
    model.push_state(); // on the device
    model.feed(piece(2))?;
    device.lose();
    for _ in 0..2 {
        is_lost(model.process(piece(3)).map(|view| view.shape().to_vec()), &name)?;
        is_lost(model.run(&movie, 2).map(|out| out.shape().to_vec()), &name)?;
        if model.time() != 9 {
            return Err(format!("time {} when the device was lost; expected 9", model.time()));
        }
    }
    // What was on it is gone, wherever the model goes.
    for elsewhere in [Device::cpu(), shared.clone()] {
        model = model.to(elsewhere);
        is_lost(model.process(piece(3)).map(|view| view.shape().to_vec()), &name)?;
    }
    model.pop_state().map_err(text)?;
    is_lost(model.process(piece(2)).map(|view| view.shape().to_vec()), &name)?;
    // What was saved on the host goes on: on the processor to the bit, on another device as there before.
    model.pop_state().map_err(text)?;
    model.push_state();
    model = model.to(Device::cpu());
    for (k, expected) in expected.iter().enumerate().skip(1) {
        same("from the saved state", &model.feed(piece(k))?, expected)?;
    }
    model.pop_state().map_err(text)?;
    model.push_state();
    model = model.to(open()?);
    same("on a device opened anew", &model.feed(piece(1))?, &there)?;
    // And a new stream begins.
    model.clear_state();
    model.feed(movie.view())?;
    model = model.to(&device);
    model.clear_state();
    is_lost(model.process(&movie).map(|view| view.shape().to_vec()), &name)?;
    model = model.to(shared);
    model.feed(movie.view())?;
    Ok(())
}

/// Lost by another thread, between any two steps of a piece.
fn while_it_works(shared: &Device) -> Result<(), String> {
    let movie = movie(4000);
    for delay in [1, 3, 9, 27] {
        let device = open()?;
        let name = device.name().to_owned();
        let mut model = model()?.to(&device);
        model.feed(movie.slice(s![.., .., ..3, .., ..]))?;
        let lost = thread::spawn(move || {
            thread::sleep(Duration::from_millis(delay));
            device.lose();
        });
        let mut last = Ok(Vec::new());
        for _ in 0..10_000 {
            let time = model.time();
            last = model.process(movie.slice(s![.., .., ..50, .., ..])).map(|view| view.shape().to_vec());
            if last.is_err() {
                if model.time() != time {
                    return Err(format!("time {}; expected {time}", model.time()));
                }
                break;
            }
        }
        lost.join().map_err(|_| "the other thread panicked")?;
        is_lost(last, &name).map_err(|error| format!("after {delay} ms: {error}"))?;
    }
    // Others of the same kind know nothing of it.
    model()?.to(shared).feed(movie.view()).map(|_| ())
}

fn before(_: &Device) -> Result<(), String> {
    let device = open()?;
    device.lose();
    let name = device.name().to_owned();
    is_lost(model()?.to(&device).process(movie(3)).map(|view| view.shape().to_vec()), &name)
}
