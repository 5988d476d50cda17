//! A kernel of 12 x 7 x 7 fitted to the output of a hidden one of 10 x 5 x 5, and the spike-triggered average of one pixel.

use crate::Setting;
use crate::data::{white, write, write_list};
use crate::row::{Row, median, timed};
use foveola::fit::direct::{Field, spike_triggered_average};
use foveola::fit::{Fit, Fitted};
use foveola::{Conv3d, Model, Result};
use ndarray::{Array2, Array3, Array5, s};
use std::time::Instant;

const FRAMES: usize = 2000;
const SIDE: usize = 20;
const HIDDEN: [usize; 3] = [10, 5, 5];
const FITTED: [usize; 3] = [12, 7, 7];

/// A wave in time and a centre with a surround in space.
fn hidden() -> Array3<f64> {
    Array3::from_shape_fn(HIDDEN, |(t, r, c)| {
        let (t, square) = (t as f64, (r as f64 - 2.0).powi(2) + (c as f64 - 2.0).powi(2));
        (t / 2.0).sin() * (-t / 3.0).exp() * ((-square / 1.5).exp() - 0.2 * (-square / 6.0).exp())
    })
}

fn model(size: [usize; 3], weight: Array3<f64>, border: bool, threads: usize) -> Result<Model> {
    let conv = Conv3d::new(1, 1, size)?.with_autopad(border).with_weight(weight)?;
    Ok(Model::new().named("filter", conv).with_threads(threads))
}

/// The stimulus, and the output of the hidden kernel.
fn recording(border: bool) -> Result<(Array3<f32>, Array5<f32>)> {
    let stimulus = white(1, [FRAMES, SIDE, SIDE])?;
    let output = model(HIDDEN, hidden(), border, 1)?.run(&stimulus, 64)?;
    // Without a border, the output of the larger kernel has a pixel less on each side.
    let output =
        if border { output } else { output.slice(s![.., .., .., 1..SIDE - HIDDEN[1], 1..SIDE - HIDDEN[1]]).to_owned() };
    Ok((stimulus, output))
}

/// The largest error of the fitted kernel.
fn error(model: &Model) -> Result<f64> {
    let (weight, hidden) = (model.parameter("filter.weight")?.value, hidden());
    let weight = weight.into_dimensionality::<ndarray::Ix5>().unwrap_or_default();
    Ok(weight.indexed_iter().fold(0.0, |most: f64, ((_, _, t, r, c), found)| {
        let inside = t < HIDDEN[0] && (1..=HIDDEN[1]).contains(&r) && (1..=HIDDEN[2]).contains(&c);
        let expected = if inside { hidden[(t, r - 1, c - 1)] } else { 0.0 };
        most.max((found - expected).abs())
    }))
}

/// The fit of all weights from small ones.
pub(crate) fn fit(setting: &Setting, border: bool, threads: usize) -> Result<Vec<Row>> {
    let (stimulus, measured) = recording(border)?;
    if border && threads == 1 {
        let folder = setting.data.as_deref();
        write(folder, "hidden_kernel_stimulus", stimulus.view())?;
        write(folder, "hidden_kernel_measured", measured.slice(s![0, 0, .., .., ..]))?;
        write(folder, "hidden_kernel", hidden().mapv(|w| w as f32).view())?;
    }
    let start = model(FITTED, Array3::from_elem(FITTED, 0.01), border, threads)?;
    let once = |_| -> Result<(Model, Fitted, [f64; 2])> {
        let mut model = start.clone();
        let (fitted, times) = timed(|| Fit::new(&mut model).run(&stimulus, &measured));
        Ok((model, fitted?, times))
    };
    let fits = (0..setting.repeats).map(once).collect::<Result<Vec<_>>>()?;
    let [wall, cpu] = [0, 1].map(|clock| median(fits.iter().map(|(.., times)| times[clock]).collect()));
    let (model, fitted, _) = &fits[0];
    let mut rows = vec![Row::new("time", wall, "s").at_most(2.0)];
    if threads == 1 {
        rows.push(Row::new("processor time", cpu, "s"));
        rows.push(Row::new("processor time of an evaluation", 1e3 * cpu / fitted.evaluations as f64, "ms"));
    }
    let reached = fitted.history.iter().find(|step| step.loss <= 1e-9 * fitted.loss_before);
    rows.extend([
        Row::new("evaluations", fitted.evaluations as f64, ""),
        Row::new("evaluations until 1e-9 of the loss", reached.map_or(f64::NAN, |step| step.evaluations as f64), ""),
        Row::new("loss, of that at the start", fitted.training.loss / fitted.loss_before, "").at_most(1e-9),
        Row::new("largest error of the kernel", error(model)?, "").at_most(1e-5),
    ]);
    Ok(rows)
}

/// The average before the output of the pixel in the middle, rectified, over the whole frame.
pub(crate) fn average(setting: &Setting) -> Result<Vec<Row>> {
    let (stimulus, output) = recording(true)?;
    let spikes = Array2::from_shape_fn((FRAMES, 1), |(t, _)| output[(0, 0, t, SIDE / 2, SIDE / 2)].max(0.0));
    write_list(setting.data.as_deref(), "sta_spikes", spikes.as_slice().unwrap_or_default())?;
    let mut rows = Vec::new();
    let fields = [
        ("whole frame", Field::frame(FITTED[0])),
        ("window of 7 x 7", Field::around(FITTED[0], [SIDE / 2; 2], [7; 2])),
    ];
    for (name, field) in fields {
        let once = |_| {
            let begin = Instant::now();
            std::hint::black_box(spike_triggered_average(&stimulus, spikes.view(), field)?);
            Ok(begin.elapsed().as_secs_f64())
        };
        let times = (0..10 * setting.repeats).map(once).collect::<Result<Vec<_>>>()?;
        rows.push(Row::new(format!("time, {name}"), 1e3 * median(times), "ms").at_most(20.0));
    }
    let average = spike_triggered_average(&stimulus, spikes.view(), Field::around(FITTED[0], [SIDE / 2; 2], [7; 2]))?;
    let hidden = hidden();
    let pairs = average.indexed_iter().map(|((_, _, t, r, c), found)| {
        let inside = t < HIDDEN[0] && (1..=HIDDEN[1]).contains(&r) && (1..=HIDDEN[2]).contains(&c);
        (f64::from(*found), if inside { hidden[(t, r - 1, c - 1)] } else { 0.0 })
    });
    rows.push(Row::new("correlation with the hidden kernel", correlation(pairs), ""));
    Ok(rows)
}

/// Pearson's correlation coefficient.
pub(crate) fn correlation(pairs: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    let n = pairs.clone().count() as f64;
    let (sa, sb) = pairs.clone().fold((0.0, 0.0), |(sa, sb), (a, b)| (sa + a, sb + b));
    let (aa, bb, ab) = pairs.fold((0.0, 0.0, 0.0), |(aa, bb, ab), (a, b)| {
        let (a, b) = (a - sa / n, b - sb / n);
        (aa + a * a, bb + b * b, ab + a * b)
    });
    ab / (aa * bb).sqrt()
}
