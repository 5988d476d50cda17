//! Poisson regression with an exponential nonlinearity: 200 weights and a bias, from 20,000 counts.

use crate::Setting;
use crate::data::{white, write, write_list};
use crate::row::{Row, median};
use foveola::fit::{Fit, Loss, Poisson, Stop};
use foveola::{Model, NLExponential, RF, Result};
use ndarray::Array3;
use std::time::Instant;

const TAPS: usize = 8;
const SIDE: usize = 5;
const FRAMES: usize = 20_000;

/// A field, and the exponential of its response.
pub(crate) fn neuron(weight: Array3<f32>, bias: f32) -> Result<Model> {
    let field = RF::new(1, 1, weight.dim().0)?.with_weight(weight)?.with_bias(&[bias])?;
    Ok(Model::new().named("field", field).named("rate", NLExponential::new(1.0, 0.0)?).with_threads(1))
}

pub(crate) fn fit(setting: &Setting) -> Result<Vec<Row>> {
    let stimulus = white(2, [FRAMES, SIDE, SIDE])?;
    let weight = Array3::from_shape_fn((TAPS, SIDE, SIDE), |(t, r, c)| {
        let (t, square) = (t as f64, (r as f64 - 2.0).powi(2) + (c as f64 - 1.5).powi(2));
        (0.5 * (1.2 * t).sin() * (-t / 2.5).exp() * (-square / 2.0).exp()) as f32
    });
    let rates = neuron(weight, -2.5)?.run(&stimulus, 1000)?;
    let spikes = Poisson::new(3).counts(&rates)?;
    let folder = setting.data.as_deref();
    write(folder, "poisson_glm_stimulus", stimulus.view())?;
    write_list(folder, "poisson_glm_counts", spikes.as_slice().unwrap_or_default())?;

    let once = |_| -> Result<_> {
        let mut model = neuron(Array3::zeros((TAPS, SIDE, SIDE)), spikes.mean().unwrap_or(1.0).ln())?;
        let begin = Instant::now();
        let fit = Fit::new(&mut model).free("field.weight").free("field.bias").loss(Loss::Poisson).warm_up(TAPS - 1);
        let stop = Stop { gradient: 1e-7, progress: 1e-12, ..Stop::default() };
        Ok((fit.stop(stop).run(&stimulus, &spikes)?, begin.elapsed().as_secs_f64()))
    };
    let fits = (0..setting.repeats).map(once).collect::<Result<Vec<_>>>()?;
    let seconds = median(fits.iter().map(|(_, seconds)| *seconds).collect());
    let (fitted, _) = &fits[0];
    Ok(vec![
        Row::new("time", seconds, "s"),
        Row::new("evaluations", fitted.evaluations as f64, ""),
        Row::new("loss", fitted.training.loss, ""),
        Row::new("bits per spike", fitted.training.bits_per_spike.unwrap_or(f64::NAN), ""),
    ])
}
