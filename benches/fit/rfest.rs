//! A field of 7 x 8 x 6 from 1,000 Poisson counts: as many weights and samples as the example of `RFEst` has.
//!
//! The stimulus is white Gaussian noise, the neuron the exponential of its field's response. The field is a wave in time and a Gabor
//! function in space. Pairs of penalties, on roughness and on the number of pixels, are tried one by one; the loss of the last fifth of the samples chooses.

use crate::Setting;
use crate::data::{white, write, write_list};
use crate::glm::neuron;
use crate::hidden_kernel::correlation;
use crate::row::{Row, median};
use foveola::fit::{Fit, Loss, Penalty, Poisson, Stop};
use foveola::{Model, Result};
use ndarray::{Array3, s};
use std::time::Instant;

const SIZE: [usize; 3] = [7, 8, 6];
const SAMPLES: usize = 1000;
const SMOOTH: [f64; 4] = [0.03, 0.1, 0.3, 1.0];
const LOCAL: [f64; 3] = [0.01, 0.03, 0.1];

/// Frame 0 is the present one; rows and columns are those of the stimulus.
fn field() -> Array3<f32> {
    let field = Array3::from_shape_fn(SIZE, |(t, r, c)| {
        let (t, r, c) = (t as f32, r as f32 - 3.5, c as f32 - 2.5);
        (t * 0.9).sin() * (-t / 3.0).exp() * (-(r * r + c * c) / 5.0).exp() * (0.9 * (r + 0.5 * c)).cos()
    });
    let size = field.iter().map(|w| w * w).sum::<f32>().sqrt();
    field / size // a response of standard deviation 1
}

/// From the stimulus' rows and columns to those of an impulse response, and back.
fn mirrored(field: &Array3<f32>) -> Array3<f32> {
    field.slice(s![.., ..;-1, ..;-1]).to_owned()
}

pub(crate) fn fit(setting: &Setting) -> Result<Vec<Row>> {
    let stimulus = white(4, [SAMPLES, SIZE[1], SIZE[2]])?;
    let rates = neuron(mirrored(&field()), -0.5)?.run(&stimulus, SAMPLES)?;
    let spikes = Poisson::new(5).counts(&rates)?;
    let folder = setting.data.as_deref();
    write(folder, "rfest_stimulus", stimulus.view())?;
    write(folder, "rfest_field", field().view())?;
    write_list(folder, "rfest_counts", spikes.as_slice().unwrap_or_default())?;

    let once = |_| -> Result<(Model, usize, f64)> {
        let (begin, mut evaluations) = (Instant::now(), 0);
        let mut best: Option<(f64, Model)> = None;
        for (smooth, local) in SMOOTH.iter().flat_map(|smooth| LOCAL.map(|local| (*smooth, local))) {
            let mut model = neuron(Array3::zeros(SIZE), spikes.mean().unwrap_or(1.0).ln())?;
            let penalties: [Penalty; 2] =
                [format!("smooth={smooth}").parse()?, format!("group-lasso={local}").parse()?];
            let fit = Fit::new(&mut model).loss(Loss::Poisson).warm_up(SIZE[0] - 1).validate(0.2);
            let stop = Stop { gradient: 1e-3, progress: 1e-5, ..Stop::default() };
            let fitted = penalties.into_iter().fold(fit, Fit::penalty).stop(stop).run(&stimulus, &spikes)?;
            evaluations += fitted.evaluations;
            let loss = fitted.validation.map_or(f64::INFINITY, |scores| scores.loss);
            if best.as_ref().is_none_or(|(least, _)| loss < *least) {
                best = Some((loss, model));
            }
        }
        Ok((best.map(|(_, model)| model).unwrap_or_default(), evaluations, begin.elapsed().as_secs_f64()))
    };
    let fits = (0..setting.repeats).map(once).collect::<Result<Vec<_>>>()?;
    let (model, evaluations, _) = &fits[0];
    let seconds = median(fits.iter().map(|(.., seconds)| *seconds).collect());
    let found = model.parameter("field.weight")?.value.mapv(|w| w as f32);
    let found = mirrored(&found.into_shape_with_order(SIZE).unwrap_or_default());
    let pairs: Vec<(f64, f64)> = found.iter().zip(&field()).map(|(a, b)| (f64::from(*a), f64::from(*b))).collect();
    Ok(vec![
        Row::new("time", seconds, "s").at_most(0.5),
        Row::new("fits, each with another penalty", (SMOOTH.len() * LOCAL.len()) as f64, ""),
        Row::new("evaluations", *evaluations as f64, ""),
        Row::new("correlation with the field", correlation(pairs.iter().copied()), "").at_least(0.785),
    ])
}
