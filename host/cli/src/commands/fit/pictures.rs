//! The pictures of a fit: kernels, predictions beside data, the loss, the nonlinearity.

use super::recordings::Recording;
use super::report::significant;
use super::{Wrote, kernels, loss};
use crate::args::fit::{FitArgs, TargetKind};
use crate::commands::models::title;
use crate::commands::stimulus::{Subject, shape};
use foveola::fit::{Fitted, Loss, Prediction};
use foveola::picture::{Curve, CurvePanel, PlotPanel, panels};
use foveola::{Join, Model, ModelFile, Result, Shape};
use ndarray::{Array5, Axis};
use std::path::Path;

/// The most neurons whose time courses are drawn.
const NEURONS: usize = 3;
/// Frames that are drawn on each side of the begin of validation.
const BESIDE: usize = 150;
/// Samples in a bin of generator signals, and the fewest and most bins.
const IN_BIN: usize = 100;
const BINS: (usize, usize) = (5, 25);
/// Intervals of the histogram of generator signals.
const INTERVALS: usize = 50;
/// Points of the curve of a nonlinearity.
const POINTS: usize = 200;

/// What is drawn.
pub(super) struct Pictures<'a> {
    pub(super) folder: &'a Path,
    pub(super) args: &'a FitArgs,
    pub(super) subject: &'a Subject,
    /// The fitted file.
    pub(super) file: &'a ModelFile,
    pub(super) recordings: &'a [Recording],
    pub(super) fitted: &'a Fitted,
}

impl Pictures<'_> {
    /// The names of all files that may be written.
    pub(super) fn names(file: &ModelFile) -> Vec<String> {
        let kernels = file.layers().iter().map(|layer| kernel(layer.name()));
        kernels.chain(["prediction.png", "loss.png", "nonlinearity.png"].map(str::to_owned)).collect()
    }

    /// Draws all that there is.
    pub(super) fn draw(&self, wrote: &mut Wrote) -> Result<()> {
        let (Some(recording), Some(prediction)) = (self.recordings.first(), self.fitted.predictions.first()) else {
            return Ok(());
        };
        let model = self.subject.model(self.file, self.args.model.threads)?;
        let before = self.subject.model(&self.subject.file, None)?;
        let title = title(self.file, &self.args.model.model);
        for page in kernels::pages(&before, &model, shape(&recording.stimulus), self.subject.dt())? {
            let path = self.folder.join(kernel(&page.layer));
            panels(&path, &format!("Kernel of {}", page.layer), &[], &page.rows)?;
            wrote.push((path, format!("the kernel of {}, before and after", page.layer)));
        }
        let path = self.folder.join("prediction.png");
        let rows = self.predictions(recording, prediction);
        panels(&path, &format!("Prediction of {title}"), &[self.scores()], &rows)?;
        wrote.push((path, "data and prediction".into()));
        let path = self.folder.join("loss.png");
        if let Some(row) = self.losses() {
            panels(&path, "Course of the fit", &[], &[row])?;
            wrote.push((path, "the loss over evaluations".into()));
        }
        if let Some(both) = self.nonlinearity(&model)? {
            let path = self.folder.join("nonlinearity.png");
            let row = both.map(PlotPanel::from).into();
            panels(&path, &format!("Nonlinearity of {}", self.subject.layer), &[], &[(2, 520, row)])?;
            wrote.push((path, "the nonlinearity, beside the data".into()));
        }
        Ok(())
    }

    /// What is measured, with its unit.
    fn unit(&self) -> &'static str {
        match self.args.target_kind {
            TargetKind::Rate => "response",
            TargetKind::Counts | TargetKind::Spikes => "events in a frame",
        }
    }

    /// The scores in a sentence.
    fn scores(&self) -> String {
        let of = |name: &str, correlation: Option<f64>| correlation.map(|r| format!("{} in {name}", significant(r, 3)));
        let validation = self.fitted.validation.as_ref().and_then(|scores| scores.correlation);
        let parts = [of("training", self.fitted.training.correlation), of("validation", validation)];
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        if text.is_empty() { text } else { format!("Correlation with the data: {text}.") }
    }

    /// Time courses of the neurons whose data vary most, where training meets validation.
    fn predictions(&self, recording: &Recording, prediction: &Prediction) -> Vec<(usize, usize, Vec<PlotPanel>)> {
        let Prediction { predicted, measured, neurons, training, validation, .. } = prediction;
        let used = training.start..training.end.max(validation.end);
        let middle = if validation.is_empty() { training.start + BESIDE } else { validation.start };
        // Where one side is short, the other is longer.
        let first = middle.saturating_sub(BESIDE).min(used.end.saturating_sub(2 * BESIDE)).max(used.start);
        let end = (first + 2 * BESIDE).min(used.end);
        let mut variances: Vec<(usize, f64)> = (0..*neurons)
            .map(|neuron| {
                let values =
                    || used.clone().map(|t| f64::from(measured[t * neurons + neuron])).filter(|x| x.is_finite());
                let mean = values().sum::<f64>() / values().count().max(1) as f64;
                (neuron, values().map(|x| (x - mean).powi(2)).sum())
            })
            .collect();
        variances.sort_by(|a, b| b.1.total_cmp(&a.1));
        variances.truncate(NEURONS);
        let panel = |(neuron, _): &(usize, f64)| -> (usize, usize, Vec<PlotPanel>) {
            let curve = |name: &str, samples: &[f32], frames: std::ops::Range<usize>| {
                let point = |t: usize| (t as f64 * recording.dt, f64::from(samples[t * neurons + neuron]));
                Curve::new(name, frames.map(point).collect::<Vec<_>>())
            };
            let own = first..training.end.clamp(first, end);
            // The lines meet.
            let new = validation.start.saturating_sub(1).max(first)..end;
            let mut curves = vec![curve("prediction, training", predicted, own)];
            if !validation.is_empty() {
                curves.insert(0, curve("prediction, validation", predicted, new));
            }
            curves.push(curve("data", measured, first..end));
            let title = match recording.output.len() {
                1 => self.subject.output.clone(),
                _ => place(*neuron, recording.output),
            };
            (
                1,
                if variances.len() > 1 { 340 } else { 460 },
                vec![CurvePanel::new(title, "time [s]", self.unit(), curves).into()],
            )
        };
        variances.iter().map(panel).collect()
    }

    /// The loss and the gradient over evaluations.
    fn losses(&self) -> Option<(usize, usize, Vec<PlotPanel>)> {
        let Fitted { history, loss_before, .. } = self.fitted;
        let at = |evaluations: usize| evaluations as f64;
        let good = |points: Vec<(f64, f64)>| -> Vec<(f64, f64)> {
            points.into_iter().filter(|(_, y)| y.is_finite() && *y > 0.0).collect()
        };
        let start = [(1.0, *loss_before)];
        let training = start.into_iter().chain(history.iter().map(|step| (at(step.evaluations), step.loss)));
        let validation = history.iter().filter_map(|step| Some((at(step.evaluations), step.validation?)));
        let gradient = history.iter().map(|step| (at(step.evaluations), step.gradient_norm));
        let mut curves = vec![Curve::new("training", good(training.collect()))];
        let validation = good(validation.collect());
        if !validation.is_empty() {
            curves.push(Curve::new("validation", validation));
        }
        let gradient = good(gradient.collect());
        if gradient.is_empty() {
            return None;
        }
        let name = match loss(self.args) {
            Loss::MeanSquaredError => "mean squared error",
            Loss::Poisson | Loss::Bernoulli => "negative log-likelihood [nats in a sample]",
            _ => "one minus the correlation",
        };
        let losses = CurvePanel::new("Loss", "evaluations", name, curves).logarithmic_y();
        let gradient = CurvePanel::new("Largest gradient", "evaluations", "gradient", [Curve::new("", gradient)]);
        Some((2, 460, vec![losses.into(), gradient.logarithmic_y().into()]))
    }

    /// Where the output is that of a nonlinearity: its curve and the mean of the data over what it reads, and how often that has
    /// each value.
    fn nonlinearity(&self, model: &Model) -> Result<Option<[CurvePanel; 2]>> {
        let layer = &self.subject.layer;
        let kind = self.file.layers().iter().find(|entry| entry.name() == layer).map_or("", |entry| entry.kind());
        if !kind.starts_with("NL") {
            return Ok(None);
        }
        let mut samples: Vec<[f64; 3]> = Vec::new();
        for (recording, prediction) in self.recordings.iter().zip(&self.fitted.predictions) {
            let Some(signal) = generator_signal(model, layer, &recording.stimulus)? else { return Ok(None) };
            let Prediction { predicted, measured, neurons, warm_up, .. } = prediction;
            if signal.len() != predicted.len() {
                return Ok(None);
            }
            let all = signal.iter().zip(predicted).zip(measured).skip(warm_up.end * neurons);
            samples.extend(all.map(|((g, p), m)| [*g, *p, *m].map(f64::from)).filter(|all| all[2].is_finite()));
        }
        samples.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let bins = (samples.len() / IN_BIN).clamp(BINS.0, BINS.1);
        let in_bin = samples.len().div_ceil(bins).max(1);
        let mean = |bin: &[[f64; 3]], index: usize| bin.iter().map(|all| all[index]).sum::<f64>() / bin.len() as f64;
        // Dots without a line between them.
        let data = samples.chunks(in_bin).flat_map(|bin| [(mean(bin, 0), mean(bin, 2)), (f64::NAN, f64::NAN)]);
        let curve = (0..=POINTS).filter_map(|i| samples.get(i * samples.len().saturating_sub(1) / POINTS));
        let curves = [
            Curve::new("data, mean of a bin", data.collect::<Vec<_>>()).dots(),
            Curve::new("fitted", curve.map(|all| (all[0], all[1])).collect::<Vec<_>>()),
        ];
        let title = format!("{kind}, {bins} bins of {in_bin} samples");
        let curves = CurvePanel::new(title, "generator signal", self.unit(), curves);
        let counts = CurvePanel::new("How often", "generator signal", "samples", [Curve::new("", histogram(&samples))]);
        Ok(Some([curves, counts]))
    }
}

/// The outline of a histogram of the first numbers, which are sorted.
fn histogram(sorted: &[[f64; 3]]) -> Vec<(f64, f64)> {
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else { return Vec::new() };
    let width = ((last[0] - first[0]) / INTERVALS as f64).max(f64::MIN_POSITIVE);
    let mut counts = [0_u32; INTERVALS];
    for all in sorted {
        counts[(((all[0] - first[0]) / width) as usize).min(INTERVALS - 1)] += 1;
    }
    let steps = counts.iter().enumerate().flat_map(|(i, count)| {
        let (left, count) = (first[0] + i as f64 * width, f64::from(*count));
        [(left, count), (left + width, count)]
    });
    [(first[0], 0.0)].into_iter().chain(steps).chain([(last[0], 0.0)]).collect()
}

/// The file of a kernel.
fn kernel(layer: &str) -> String {
    format!("kernel-{layer}.png")
}

/// A neuron's place in the output.
fn place(neuron: usize, Shape { channels, rows, cols }: Shape) -> String {
    let (channel, row, col) = (neuron / (rows * cols), neuron / cols % rows, neuron % cols);
    let channel = if channels > 1 { format!("Channel {channel}, row") } else { "Row".into() };
    format!("{channel} {row}, column {col}")
}

/// The weighted sum that a layer reads, frame after frame; none for what is no sum.
fn generator_signal(model: &Model, layer: &str, stimulus: &Array5<f32>) -> Result<Option<Vec<f32>>> {
    let names: Vec<&str> = model.names().collect();
    let Some(index) = names.iter().position(|name| *name == layer) else { return Ok(None) };
    let Some(inputs) = model.inputs().nth(index).filter(|inputs| inputs.join == Join::Sum) else { return Ok(None) };
    let before = index.checked_sub(1).map_or("input", |before| names[before]);
    let terms = if inputs.terms.is_empty() { vec![(before.to_owned(), 1.0)] } else { inputs.terms.clone() };
    let mut sum: Option<Array5<f32>> = None;
    for (name, weight) in terms {
        let term = if name == "input" {
            stimulus.clone()
        } else {
            let Some(mut part) = model.part(name.as_str()) else { return Ok(None) };
            part.run(stimulus, stimulus.len_of(Axis(2)))?
        };
        let term = term * weight as f32;
        sum = match sum {
            None => Some(term),
            Some(sum) if sum.dim() == term.dim() => Some(sum + term),
            // Broadcast channels or pixels.
            Some(_) => return Ok(None),
        };
    }
    Ok(sum.map(|sum| sum.permuted_axes([0, 2, 1, 3, 4]).iter().copied().collect()))
}
