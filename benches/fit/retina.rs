//! Five numbers of the project's retina, `models/retina.toml`, from its ON cells in a flickering field: two time constants, two
//! standard deviations, and the weight of the surround.
//!
//! The flicker is binary: each of 9 x 9 pixels is brighter or darker than the mean, anew every 4 ms. A layer behind the ON cells adds
//! their spontaneous rate, 5 spikes a second. The contrast is such that the mean rate is 0.03: 30 spikes a second. Without a
//! spontaneous rate the likelihood of a rectified rate has no standard errors: a single spike in a frame with a rate of 0 is
//! impossible, so that the estimates depend on the few spikes at the lowest rates.

use crate::Setting;
use crate::data::flicker;
use crate::row::Row;
use foveola::fit::{Fit, Fitted, Loss, Optimizer, Poisson, Stop};
use foveola::{ModelFile, Result};
use ndarray::{Array, Array3, Array5, Dimension};

const TEXT: &str = include_str!("../../models/retina.toml");
/// Of 1 ms.
const FRAMES: usize = 20_000;
const SIDE: usize = 9;
const HOLD: usize = 4;
/// Spikes in a frame, of which so many are spontaneous.
const MEAN: f32 = 0.03;
const SPONTANEOUS: f32 = 0.005;
/// Frames until the cell has forgotten what came before.
const WARM_UP: usize = 200;

/// What is free: its name, its value in the file, and where the fit starts.
const FREE: [(&str, f64, &str); 5] = [
    ("centre.tau", 6.0, "4ms"),
    ("surround.tau", 10.0, "16ms"),
    ("small.sigma", 0.8, "1.2px"),
    ("large.sigma", 2.0, "3px"),
    ("w", 1.0, "0.6"),
];

/// The retina with a parameter `w`, and the rates of its ON cells as its output.
fn retina() -> Result<ModelFile> {
    let (layers, _) = TEXT.split_once("[outputs]").unwrap_or((TEXT, ""));
    let layers = layers.replace("\"-surround\"", "\"-$w * surround\"");
    let rate = format!(
        "[[layer]]\nname = \"rate\"\nkind = \"Conv2d\"\nfrom = \"on\"\nweight = [[1]]\nbias = [{SPONTANEOUS}]\n\n\
         [outputs]\nrate = \"rate\"\n\n[parameters]\nw = 1\n"
    );
    ModelFile::parse(&(layers + &rate), ".")
}

/// The flicker, and the rates in each frame.
fn recording(seed: u64) -> Result<(Array3<f32>, Array5<f32>)> {
    let rates = |stimulus: &Array3<f32>| retina()?.model()?.run(stimulus, 512);
    let mut stimulus = flicker(seed, [FRAMES, SIDE, SIDE], HOLD, 1.0);
    let mean = rates(&stimulus)?.mean().unwrap_or(f32::NAN);
    let contrast = (MEAN - SPONTANEOUS) / (mean - SPONTANEOUS); // the model is linear up to the rectifier
    stimulus.mapv_inplace(|x| x * contrast);
    let rates = rates(&stimulus)?;
    Ok((stimulus, rates))
}

/// A fit that starts `"afar"`, or the loss of the `"truth"`.
fn fit<D: Dimension>(
    stimulus: &Array3<f32>,
    measured: &Array<f32, D>,
    loss: Loss,
    optimizer: Optimizer,
    from: &str,
) -> Result<Fitted> {
    let mut file = retina()?;
    if from == "afar" {
        for (name, _, start) in FREE {
            file.set(&path(name), start)?;
        }
    }
    let evaluations = if from == "truth" { 1 } else { 200 };
    let stop = Stop { evaluations, ..Fit::STOP };
    let fit = Fit::of_file(&mut file).loss(loss).optimizer(optimizer).stop(stop).warm_up(WARM_UP);
    FREE.iter().fold(fit, |fit, (name, ..)| fit.free(*name)).run(stimulus, measured)
}

/// The key in the file.
fn path(name: &str) -> String {
    name.replace(".sigma", ".weight.gaussian.sigma")
}

/// The fitted value of a parameter and its standard error.
fn estimate(fitted: &Fitted, name: &str) -> (f64, f64) {
    let parameter = fitted.parameter(name);
    let error = parameter.and_then(|parameter| parameter.errors.as_ref()).map_or(f64::NAN, |errors| errors.sum());
    (parameter.map_or(f64::NAN, |parameter| parameter.after.sum()), error)
}

/// From the rates themselves.
pub(crate) fn rates(_: &Setting) -> Result<Vec<Row>> {
    let (stimulus, rates) = recording(1)?;
    let mut rows = Vec::new();
    for (told, optimizer) in [("Levenberg-Marquardt", Optimizer::LevenbergMarquardt), ("L-BFGS", Optimizer::default())]
    {
        let fitted = fit(&stimulus, &rates, Loss::MeanSquaredError, optimizer, "afar")?;
        let off = |(name, truth, _): &(&str, f64, &str)| 100.0 * (estimate(&fitted, name).0 / truth - 1.0).abs();
        let within = fitted.evaluations;
        rows.extend([
            Row::new(format!("evaluations, {told}"), within as f64, "").at_most(60.0),
            Row::new(format!("time, {told}"), fitted.seconds, "s"),
            Row::new(format!("largest error, {told}"), FREE.iter().map(off).fold(0.0, f64::max), "%").at_most(1.0),
            Row::new(format!("loss, of that at the start, {told}"), fitted.training.loss / fitted.loss_before, ""),
        ]);
    }
    Ok(rows)
}

/// From Poisson spikes, for several seeds: how often the file's value is within so many standard errors of the estimate.
pub(crate) fn spikes(setting: &Setting) -> Result<Vec<Row>> {
    let (stimulus, rates) = recording(1)?;
    let (mut close, mut normal, mut all) = ([0_u32; 5], [0_u32; 5], 0_u32);
    let (mut seconds, mut evaluations) = (Vec::new(), Vec::new());
    let (mut failed, mut without, mut above) = (0, 0, 0);
    let mut spread = [(); 5].map(|()| (Vec::new(), Vec::new()));
    for seed in 0..setting.seeds {
        let spikes = Poisson::new(seed).counts(&rates)?;
        let fitted = match fit(&stimulus, &spikes, Loss::Poisson, Optimizer::LevenbergMarquardt, "afar") {
            Ok(fitted) => fitted,
            Err(error) => {
                eprintln!("seed {seed}: {error}");
                failed += 1;
                continue;
            }
        };
        // A maximum of the likelihood is no less likely than the truth.
        let truth = fit(&stimulus, &spikes, Loss::Poisson, Optimizer::default(), "truth")?.loss_before;
        above += u32::from(fitted.training.loss > truth);
        seconds.push(fitted.seconds);
        evaluations.push(fitted.evaluations as f64);
        without += u32::from(!fitted.without_errors.is_empty());
        all += 1;
        let mut line = format!(
            "seed {seed}, {} evaluations, {:?}, loss {:.7}, of the truth {truth:.7}:",
            fitted.evaluations, fitted.why, fitted.training.loss
        );
        for (i, (name, truth, _)) in FREE.iter().enumerate() {
            let (value, error) = estimate(&fitted, name);
            line += &format!(" {name} {value:.3} +- {error:.3}");
            // Where there is no standard error, neither holds.
            close[i] += u32::from((value - truth).abs() <= 3.0 * error);
            normal[i] += u32::from((value - truth).abs() <= 1.96 * error);
            spread[i].0.push(value);
            spread[i].1.push(error);
        }
        eprintln!("{line} {}", fitted.without_errors);
    }
    let share = |count: u32| 100.0 * f64::from(count) / f64::from(all.max(1));
    let mut rows = vec![
        Row::new("seeds", f64::from(all), ""),
        Row::new("fits without a result", f64::from(failed), ""),
        Row::new("fits without standard errors", f64::from(without), ""),
        Row::new("fits less likely than the truth", f64::from(above), ""),
        Row::new("evaluations, median", crate::row::median(evaluations), "").at_most(60.0),
        Row::new("time, median", crate::row::median(seconds), "s"),
    ];
    for (i, (name, ..)) in FREE.iter().enumerate() {
        let (values, errors) = std::mem::take(&mut spread[i]);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let deviation = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt();
        rows.extend([
            Row::new(format!("{name}: within 3 standard errors"), share(close[i]), "%").at_least(95.0),
            Row::new(format!("{name}: within 1.96 standard errors"), share(normal[i]), "%"),
            Row::new(format!("{name}: mean"), mean, ""),
            Row::new(format!("{name}: standard deviation of the estimates"), deviation, ""),
            Row::new(format!("{name}: standard error, median"), crate::row::median(errors), ""),
        ]);
    }
    Ok(rows)
}
