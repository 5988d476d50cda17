//! The two parts of a convolution's adjoint: the gradient of the weights, and that of the input.
//!
//! ```text
//! gradient of the weights    time of a gradient with the weights free, less that with nothing free: forward and loss
//! gradient of the input      with a layer before the convolution whose scale is free, less the same
//! ```
//! That layer and its adjoint count as part of the gradient of the input; they are a few percent of it.

use crate::Setting;
use crate::row::{Row, timed};
use foveola::{Algorithm, Model, NLSquare, Result};
use foveola_cli::bench::{Limits, Setting as Plain, find};
use std::hint::black_box;

/// With one thread; the shortest times of all calls, since differences of means would be mostly those of disturbances.
pub(crate) fn adjoint(setting: &Setting, name: &str) -> Result<Vec<Row>> {
    let workload = find(name)?;
    let input = workload.input()?;
    let mut conv = workload.model(&Plain { algorithm: Algorithm::Direct, threads: 1, ..Plain::default() })?;
    let mut before = Model::new().named("before", NLSquare::new(1.0, 0.5)?).named("conv", conv.clone()).with_threads(1);
    let weight: Vec<String> = conv.parameters().into_iter().map(|p| p.name).filter(|p| p.ends_with("weight")).collect();
    let (mut stream, input) = (conv.clone(), &input);
    let gradient = |model: &mut Model, free: &[String]| {
        timed(|| black_box(model.gradient(black_box(input), free, |output| Ok((0.0, output.to_owned()))))).1[0]
    };
    let scale = ["before.scale".to_owned()];
    let mut times = [(); 5].map(|()| Vec::new());
    for _ in 0..10 * setting.repeats {
        let (done, time) = timed(|| {
            stream.clear_state();
            stream.process(black_box(input)).map(|output| {
                black_box(output);
            })
        });
        done?;
        let all = [
            time[0],
            gradient(&mut conv, &[]),
            gradient(&mut conv, &weight),
            gradient(&mut before, &[]),
            gradient(&mut before, &scale),
        ];
        times.iter_mut().zip(all).for_each(|(times, time)| times.push(time));
    }
    let times = times.map(|times| times.into_iter().fold(f64::INFINITY, f64::min));
    let peak = Limits::measure(&[1], 0.5)?[0].peak();
    let (of_weights, of_input) = (times[2] - times[1], times[4] - times[3]);
    let operations = workload.operations() * workload.frames as f64;
    Ok(vec![
        Row::new("forward pass, direct", 1e3 * times[0], "ms"),
        Row::new("forward pass, of the FMA peak", 100.0 * operations / times[0] / peak, "%"),
        Row::new("gradient of the weights", 1e3 * of_weights, "ms"),
        Row::new("gradient of the weights, of the FMA peak", 100.0 * operations / of_weights / peak, "%")
            .at_least(60.0),
        Row::new("gradient of the input", 1e3 * of_input, "ms"),
        Row::new("gradient of the input, of the forward pass", of_input / times[0], "").at_most(1.2),
    ])
}
