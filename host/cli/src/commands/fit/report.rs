//! The report of a fit, as text and as JSON.

use super::hints::{ended, hints};
use super::recordings::Recording;
use super::{Wrote, loss};
use crate::args::fit::FitArgs;
use crate::columns::{Column, side_by_side};
use crate::commands::models::title;
use crate::commands::stimulus::{Subject, neurons};
use crate::text::Lines;
use crate::units::{plural, seconds};
use clap::ValueEnum;
use foveola::fit::{Fitted, FittedParameter, Loss, Optimizer, Scores, Why};
use ndarray::ArrayD;
use serde_json::{Value, json};

/// A fit, and where it went.
pub(super) struct Report<'a> {
    pub(super) args: &'a FitArgs,
    pub(super) subject: &'a Subject,
    pub(super) recordings: &'a [Recording],
    pub(super) fitted: &'a Fitted,
    pub(super) wrote: &'a Wrote,
}

/// A score: its key in JSON, its name, and its value.
type ScoreRow = (&'static str, &'static str, fn(&Scores) -> Option<f64>);

const SCORES: [ScoreRow; 5] = [
    ("loss", "loss", |scores| Some(scores.loss)),
    ("loss_of_constant", "loss of a constant", |scores| scores.loss_of_mean),
    ("correlation", "correlation", |scores| scores.correlation),
    ("variance_explained", "variance explained", |scores| scores.variance_explained),
    ("bits_per_spike", "bits per spike", |scores| scores.bits_per_spike),
];

impl Report<'_> {
    /// The report for a terminal of some columns.
    pub(super) fn as_text(&self, width: usize) -> String {
        let Self { args, subject, fitted, .. } = self;
        let mut lines = Lines::of_width(width);
        lines.push("model", title(&subject.file, &args.model.model));
        for (recording, prediction) in self.recordings.iter().zip(&fitted.predictions) {
            let Recording { stimulus_path, target_path, output, dt, .. } = recording;
            let parts = [("warm-up", &prediction.warm_up), ("training", &prediction.training)];
            let parts = parts.into_iter().chain([("validation", &prediction.validation)]);
            let parts = parts.filter(|(_, part)| !part.is_empty()).map(|(name, part)| format!("{} {name}", part.len()));
            let of = format!("{} of {}", plural(prediction.validation.end as u64, "frame"), seconds(*dt));
            lines.push("data", format!("{} -> {}", stimulus_path.display(), target_path.display()));
            lines.push("", format!("{of}: {}; {}", parts.collect::<Vec<_>>().join(", "), neurons(*output)));
        }
        lines.push("loss", format!("{}, by {}", self.loss(), self.optimizer()));
        let penalties: Vec<String> = args
            .penalty
            .iter()
            .map(|(name, penalty)| format!("{penalty} on {}", name.as_deref().unwrap_or("all free weights")))
            .collect();
        if !penalties.is_empty() {
            lines.push("penalty", penalties.join(", "));
        }
        lines.push("ended", format!("{} after {}", ended(fitted.why), plural(fitted.evaluations as u64, "evaluation")));
        lines.push("in all", seconds(fitted.seconds));
        let mut text = format!("{}\n{}\n{}", lines.0, self.parameters(width), self.scores(width));
        let mut lines = Lines::of_width(width);
        for hint in hints(args, fitted) {
            lines.push("hint", hint);
        }
        let paths = self.wrote.iter().map(|(path, _)| path.display().to_string());
        let longest = paths.map(|path| path.chars().count()).max().unwrap_or(0);
        let files = self.wrote.iter().map(|(path, what)| format!("{:longest$}  {what}", path.display()));
        lines.push_all("wrote", files);
        text.push('\n');
        text + &lines.0
    }

    /// A line for each parameter.
    fn parameters(&self, width: usize) -> String {
        let all = &self.fitted.parameters;
        let column = |title: &str, right, cell: &dyn Fn(&FittedParameter) -> String| Column {
            cells: [title.to_owned()].into_iter().chain(all.iter().map(cell)).collect(),
            right,
        };
        let is_number = |parameter: &FittedParameter| parameter.after.len() == 1;
        let value = |array: &ArrayD<f64>| {
            if array.len() == 1 { significant(array.sum(), 5) } else { format!("norm {}", significant(norm(array), 4)) }
        };
        let error = |parameter: &FittedParameter| match &parameter.errors {
            Some(errors) if is_number(parameter) => significant(errors.sum(), 2),
            // Of a kernel, that of each number, as their root mean square.
            Some(errors) => format!("{} each", significant(norm(errors) / (errors.len() as f64).sqrt(), 2)),
            None => "-".into(),
        };
        let mut columns = vec![
            column("parameter", false, &|parameter| parameter.name.clone()),
            column("before", true, &|parameter| value(&parameter.before)),
            column("after", true, &|parameter| value(&parameter.after)),
        ];
        if all.iter().any(|parameter| parameter.errors.is_some()) {
            columns.push(column("std. error", true, &error));
        }
        if all.iter().any(|parameter| !parameter.unit.is_empty()) {
            columns.push(column("unit", false, &|parameter| parameter.unit.clone()));
        }
        if !all.iter().all(is_number) {
            columns.push(column("shape", false, &|parameter| {
                if is_number(parameter) { String::new() } else { shape(parameter) }
            }));
        }
        side_by_side(&columns, width)
    }

    /// Scores of training and validation.
    fn scores(&self, width: usize) -> String {
        let Fitted { training, validation, loss_before, .. } = self.fitted;
        let any = |score: fn(&Scores) -> Option<f64>| {
            score(training).is_some() || validation.as_ref().is_some_and(|scores| score(scores).is_some())
        };
        let rows: Vec<&ScoreRow> = SCORES.iter().filter(|(.., score)| any(*score)).collect();
        let names = rows.iter().map(|(_, name, _)| (*name).to_owned());
        let text = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| significant(value, 4));
        let column = |title: &str, before: Option<f64>, scores: &Scores| {
            let own = rows.iter().map(|(.., score)| text(score(scores)));
            Column { cells: [title.to_owned(), text(before)].into_iter().chain(own).collect(), right: true }
        };
        let first = ["score".to_owned(), "loss before".into()].into_iter().chain(names);
        let mut columns =
            vec![Column { cells: first.collect(), right: false }, column("training", Some(*loss_before), training)];
        columns.extend(validation.as_ref().map(|scores| column("validation", None, scores)));
        side_by_side(&columns, width)
    }

    fn loss(&self) -> &'static str {
        match loss(self.args) {
            Loss::MeanSquaredError => "mean squared error",
            Loss::Poisson => "Poisson (negative log-likelihood of a count, in nats)",
            Loss::Bernoulli => "Bernoulli (negative log-likelihood of an event, in nats)",
            Loss::Correlation => "one minus the correlation",
            _ => "loss",
        }
    }

    fn optimizer(&self) -> String {
        match &self.args.optimizer {
            Optimizer::Adam { rate } => format!("Adam of rate {rate}"),
            Optimizer::LevenbergMarquardt => "Levenberg-Marquardt".into(),
            _ => "L-BFGS".into(),
        }
    }

    /// The same as JSON, with all numbers.
    pub(super) fn as_json(&self) -> Value {
        let Self { args, subject, recordings, fitted, wrote } = self;
        let path = |path: &std::path::Path| path.display().to_string();
        let recordings = recordings.iter().zip(&fitted.predictions).map(|(recording, prediction)| {
            let [warm_up, training, validation] =
                [&prediction.warm_up, &prediction.training, &prediction.validation].map(|part| [part.start, part.end]);
            json!({
                "stimulus": path(&recording.stimulus_path),
                "target": path(&recording.target_path),
                "dt_us": recording.dt * 1e6,
                "neurons": prediction.neurons,
                "warm_up": warm_up,
                "training": training,
                "validation": validation,
            })
        });
        let parameters = fitted.parameters.iter().map(|parameter| {
            json!({
                "name": parameter.name,
                "unit": parameter.unit,
                "shape": parameter.after.shape(),
                "before": nested(&parameter.before),
                "after": nested(&parameter.after),
                "standard_error": parameter.errors.as_ref().map(nested),
                "norm_before": norm(&parameter.before),
                "norm_after": norm(&parameter.after),
            })
        });
        let scores = |scores: &Scores| -> Value {
            SCORES.iter().map(|(key, _, score)| ((*key).to_owned(), json!(score(scores)))).collect()
        };
        let history = fitted.history.iter().map(|step| {
            json!({
                "evaluations": step.evaluations,
                "loss": step.loss,
                "value": step.value,
                "gradient_norm": step.gradient_norm,
                "validation": step.validation,
            })
        });
        let kind = args.target_kind.to_possible_value().map(|kind| kind.get_name().to_owned());
        json!({
            "model": subject.file.name(),
            "output": subject.output,
            "target_kind": kind,
            "loss": match loss(args) {
                Loss::MeanSquaredError => "mse",
                Loss::Poisson => "poisson",
                Loss::Bernoulli => "bernoulli",
                _ => "correlation",
            },
            "penalties": args.penalty.iter().map(|(name, penalty)| json!({ "on": name, "penalty": penalty.to_string() })).collect::<Vec<_>>(),
            "optimizer": self.optimizer(),
            "recordings": recordings.collect::<Vec<_>>(),
            "parameters": parameters.collect::<Vec<_>>(),
            "loss_before": fitted.loss_before,
            "training": scores(&fitted.training),
            "validation": fitted.validation.as_ref().map(scores),
            "history": history.collect::<Vec<_>>(),
            "evaluations": fitted.evaluations,
            "gradient_norm": fitted.gradient_norm,
            "converged": matches!(fitted.why, Why::Converged | Why::NoProgress),
            "why": ended(fitted.why),
            "seconds": fitted.seconds,
            "hints": hints(args, fitted),
            "wrote": wrote.iter().map(|(file, _)| path(file)).collect::<Vec<_>>(),
        })
    }
}

/// A number with some significant digits.
pub(super) fn significant(value: f64, digits: i32) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if !(1e-4..1e6).contains(&size) => format!("{value:.*e}", (digits - 1) as usize),
        size => format!("{value:.*}", (digits - 1 - size.log10().floor() as i32).max(0) as usize),
    }
}

/// The square root of the sum of squares.
fn norm(array: &ArrayD<f64>) -> f64 {
    array.iter().map(|value| value * value).sum::<f64>().sqrt()
}

fn shape(parameter: &FittedParameter) -> String {
    parameter.after.shape().iter().map(usize::to_string).collect::<Vec<_>>().join(" x ")
}

/// An array as nested lists; a number as itself.
fn nested(array: &ArrayD<f64>) -> Value {
    match array.ndim() {
        0 => array.first().copied().into(),
        _ => array.outer_iter().map(|inner| nested(&inner.to_owned())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_digits() {
        for (value, digits, text) in [
            (0.0, 4, "0"),
            (1.23456, 4, "1.235"),
            (-12.3456, 4, "-12.35"),
            (123_456.0, 4, "123456"),
            (0.000_123_456, 4, "0.0001235"),
            (0.000_012_345, 3, "1.23e-5"),
            (2.5e9, 2, "2.5e9"),
        ] {
            assert_eq!(significant(value, digits), text);
        }
    }
}
