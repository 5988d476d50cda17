//! A loss and its gradient against the forward pass of the same model.

use crate::Setting;
use crate::row::{Row, mean, median, timed};
use foveola::{Model, Result};
use foveola_cli::bench::{Setting as Threads, find};
use ndarray::{Array5, ArrayView5, Axis};
use std::hint::black_box;

/// Calls of each, in turns, for each repetition.
const CALLS: usize = 10;

/// Half the sum of squares, and its derivative: the output.
fn half_square(output: ArrayView5<'_, f32>) -> Result<(f64, Array5<f32>)> {
    let sum: f32 = output.iter().map(|y| y * y).sum();
    Ok((f64::from(sum) / 2.0, output.to_owned()))
}

/// All parameters that have a gradient.
fn free(model: &Model) -> Vec<String> {
    model.parameters().into_iter().map(|parameter| parameter.name).collect()
}

/// With one thread, in processor time, and with two: a forward pass as it comes, and the gradients of all parameters.
pub(crate) fn of_workload(setting: &Setting, name: &str) -> Result<Vec<Row>> {
    let workload = find(name)?;
    let input = workload.input()?;
    let movie = input.index_axis(Axis(0), 0);
    crate::data::write(setting.data.as_deref(), &format!("gradient_{name}"), movie.index_axis(Axis(0), 0))?;
    let mut rows = Vec::new();
    for threads in [1, 2] {
        let mut model = workload.model(&Threads { threads, ..Threads::default() })?;
        let free = free(&model);
        let mut stream = model.clone();
        let mut times = [(); 2].map(|()| Vec::new());
        for _ in 0..CALLS * setting.repeats {
            let (done, time) = timed(|| {
                stream.clear_state();
                stream.process(black_box(&input)).map(|output| {
                    black_box(output);
                })
            });
            times[0].push(done.map(|()| time)?);
            let (done, time) = timed(|| black_box(model.gradient(black_box(&input), &free, half_square)));
            times[1].push(done.map(|_| time)?);
        }
        // With threads, the processor time of this one says nothing.
        let of = |times: Vec<[f64; 2]>| {
            let clock = |clock: usize| times.iter().map(|time| time[clock]).collect();
            if threads == 1 { mean(clock(1)) } else { median(clock(0)) }
        };
        let [forward, gradient] = times.map(of);
        let told = if threads == 1 { "1 thread" } else { "2 threads" };
        rows.extend([
            Row::new(format!("forward pass, {told}"), 1e3 * forward, "ms"),
            Row::new(format!("value and gradient, {told}"), 1e3 * gradient, "ms"),
            Row::new(format!("ratio, {told}"), gradient / forward, "").at_most(3.5),
        ]);
    }
    Ok(rows)
}
