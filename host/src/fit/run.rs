//! A fit: what is free, the data, the settings, and the run.

use super::fitted::{Fitted, Progress};
use super::measured::Measured;
use super::problem::{Evaluation, Prepared, Problem};
use super::report::{parameters, prediction, scores, standard_errors};
use super::subject::Subject;
use super::{Loss, Objective, Optimizer, Outcome, Penalty, Step, Stop, Transform, minimize};
#[cfg(feature = "files")]
use crate::ModelFile;
use crate::axes::Element;
use crate::error::in_range;
use crate::model::gradient::check;
use crate::{Error, Model, Movie, Parameter, Result};
use foveola_core::Shape;
use ndarray::{ArrayBase, Data, Dimension};
use std::cell::RefCell;
use std::ops::{ControlFlow, RangeInclusive};
use std::time::Instant;

const ITEM: &str = "Fit";

/// What sees a running fit, and may end it.
type Watch<'m> = Box<dyn FnMut(&Progress) -> ControlFlow<()> + 'm>;

/// Where the fitted values go.
enum Owner<'m> {
    Model(&'m mut Model),
    #[cfg(feature = "files")]
    File(&'m mut ModelFile),
}

/// A fit of a model's parameters to recordings.
///
/// ```
/// use foveola::fit::Fit;
/// use foveola::{LowPass, Model, Resolution};
/// let movie = ndarray::Array3::from_shape_fn((200, 2, 2), |(t, r, c)| if t % 17 < 3 + r + c { 1.0_f32 } else { 0.0 });
/// let slow = |tau| Model::new().named("slow", LowPass::new(tau, Resolution::DEFAULT).unwrap());
/// let measured = slow(0.010).run(&movie, 200)?;
///
/// let mut model = slow(0.004);
/// let fitted = Fit::new(&mut model).free("slow.tau").run(&movie, &measured)?;
/// assert!((model.layer::<LowPass>("slow").unwrap().tau() - 0.010).abs() < 1e-6);
/// assert!(fitted.training.loss < 1e-9 * fitted.loss_before);
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// - Free parameters are those that [`Fit::free`] names; without any, all `weight` and `bias` of the model.
/// - Time constants, and numbers of a model file that measure a time or a length in pixels, stay positive: their logarithms are fitted.
///   [`Fit::bounds`] keeps any parameter between two numbers.
/// - Each recording begins a stream. Its first output frames depend on what came before it was recorded: [`Fit::warm_up`].
/// - The result does not depend on the number of threads.
///
/// Cost of an evaluation: that of [`Model::gradient`], for each recording.
#[must_use]
pub struct Fit<'m> {
    owner: Owner<'m>,
    free: Vec<(String, Option<Transform>)>,
    output: Option<String>,
    loss: Loss,
    penalties: Vec<(Option<String>, Penalty)>,
    optimizer: Optimizer,
    stop: Stop,
    warm_up: usize,
    validate: f64,
    threads: Option<usize>,
    watch: Watch<'m>,
}

impl std::fmt::Debug for Fit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { free, output, loss, penalties, optimizer, stop, .. } = self;
        f.debug_struct("Fit")
            .field("free", free)
            .field("output", output)
            .field("loss", loss)
            .field("penalties", penalties)
            .field("optimizer", optimizer)
            .field("stop", stop)
            .finish_non_exhaustive()
    }
}

impl<'m> Fit<'m> {
    /// The limits of the rounding of a model's 32-bit floats: two steps in a row that decrease the value by less than 1e-7 of itself,
    /// or a loss of 1e-12 of that at the start.
    pub const STOP: Stop = Stop { evaluations: 1000, gradient: 1e-6, progress: 1e-7, value: 1e-12 };

    /// A fit of `model`, which has the fitted values afterwards; its stream is not touched.
    pub fn new(model: &'m mut Model) -> Self {
        Self::of(Owner::Model(model))
    }

    /// A fit of a model file, which has the fitted values afterwards. Any number of the file may be free: also those of generators, by
    /// path, or by layer and key (`surround.sigma`), and those of `[parameters]`. The size of a generated kernel is fixed when a number
    /// of it is free.
    ///
    /// [`ModelFile::write`] writes the result, with large arrays in a file beside it.
    #[cfg(feature = "files")]
    pub fn of_file(file: &'m mut ModelFile) -> Self {
        Self::of(Owner::File(file))
    }

    fn of(owner: Owner<'m>) -> Self {
        Self {
            owner,
            free: Vec::new(),
            output: None,
            loss: Loss::MeanSquaredError,
            penalties: Vec::new(),
            optimizer: Optimizer::default(),
            stop: Self::STOP,
            warm_up: 0,
            validate: 0.0,
            threads: None,
            watch: Box::new(|_| ControlFlow::Continue(())),
        }
    }

    /// Frees a parameter, by its [name](Model::parameters).
    pub fn free(mut self, name: impl Into<String>) -> Self {
        self.free.push((name.into(), None));
        self
    }

    /// Frees a parameter whose values stay between two numbers.
    pub fn bounds(mut self, name: impl Into<String>, range: RangeInclusive<f64>) -> Self {
        let (low, high) = range.into_inner();
        let name = name.into();
        self.free.retain(|(free, _)| *free != name);
        self.free.push((name, Some(Transform::Logit { low, high })));
        self
    }

    /// The output that was measured, by name; the first one if this is not called.
    pub fn output(self, name: impl Into<String>) -> Self {
        Self { output: Some(name.into()), ..self }
    }

    /// The loss; the mean squared error if this is not called.
    pub fn loss(self, loss: Loss) -> Self {
        Self { loss, ..self }
    }

    /// Adds a penalty on all kernels that are free: every `weight`.
    pub fn penalty(mut self, penalty: Penalty) -> Self {
        self.penalties.push((None, penalty));
        self
    }

    /// Adds a penalty on one kernel, by the name of its parameter.
    pub fn penalty_on(mut self, name: impl Into<String>, penalty: Penalty) -> Self {
        self.penalties.push((Some(name.into()), penalty));
        self
    }

    /// How to minimise; by L-BFGS if this is not called.
    pub fn optimizer(self, optimizer: Optimizer) -> Self {
        Self { optimizer, ..self }
    }

    /// When to stop; as [`Fit::STOP`] says if this is not called.
    pub fn stop(self, stop: Stop) -> Self {
        Self { stop, ..self }
    }

    /// The number of output frames at the beginning of each recording that are not used.
    pub fn warm_up(self, frames: usize) -> Self {
        Self { warm_up: frames, ..self }
    }

    /// Leaves out the last share of each recording, 0 to 0.9, to score the fitted model on.
    pub fn validate(self, share: f64) -> Self {
        Self { validate: share, ..self }
    }

    /// The number of threads, 0 for one per core; otherwise that of the model, which is one per core for a model file.
    pub fn threads(self, threads: usize) -> Self {
        Self { threads: Some(threads), ..self }
    }

    /// Calls `watch` after each step; it may end the fit, which then has the best values so far.
    pub fn watch(self, watch: impl FnMut(&Progress) -> ControlFlow<()> + 'm) -> Self {
        Self { watch: Box::new(watch), ..self }
    }

    /// Fits the model to one recording: a stimulus, and what was measured, in a form of [`Measured`].
    ///
    /// # Errors
    /// As [`Fit::run_all`].
    pub fn run<'a, A: Element, S: Data<Elem = A>, D: Dimension>(
        self,
        stimulus: impl Movie<'a>,
        measured: &ArrayBase<S, D>,
    ) -> Result<Fitted> {
        self.run_all([(stimulus, Measured::new(measured)?)])
    }

    /// Fits the model to several recordings.
    ///
    /// # Errors
    /// [`Error::Unknown`] and [`Error::NotFitted`] for a name that cannot be free, [`Error::Target`] for a target that does not fit the
    /// output, [`Error::NonFinite`], [`Error::Parameter`] for a constant stimulus, a target that is 0 everywhere or out of the range of
    /// the loss, and settings out of range; [`Error::ModelParameter`] for a value beyond its bounds at the start. The model is then as
    /// it was.
    pub fn run_all<'a, M: Movie<'a>>(self, recordings: impl IntoIterator<Item = (M, Measured)>) -> Result<Fitted> {
        let began = Instant::now();
        in_range(ITEM, "validate", self.validate, (0.0..=0.9).contains(&self.validate), "a share of 0 to 0.9")?;
        let mut subject = match &self.owner {
            Owner::Model(model) => Subject::of_model(model),
            #[cfg(feature = "files")]
            Owner::File(file) => Subject::of_file(file)?,
        };
        self.threads.into_iter().for_each(|threads| subject.model.set_threads(threads));
        subject.model.keep_output(self.output.as_deref())?;
        self.free_all(&mut subject)?;
        let penalties = self.penalties(&subject)?;
        let (data, shapes) = self.prepare(&subject, recordings)?;
        let problem = Problem::new(subject, data, self.loss, penalties, shapes)?;
        let Self { mut owner, optimizer, stop, mut watch, .. } = self;

        let (start, before) = (problem.start()?, problem.subject.values()?);
        let problem = RefCell::new(problem);
        let (outcome, history) = search(&problem, &optimizer, &start, &stop, &mut watch)?;
        let mut problem = problem.into_inner();
        let after = problem.values(&outcome.x);
        // The last evaluation may have been elsewhere.
        problem.evaluate(&outcome.x, &mut vec![0.0; outcome.x.len()])?;
        let (errors, without_errors) = match standard_errors(&mut problem) {
            Ok(errors) => (Some(errors), String::new()),
            Err(reason) => (None, reason),
        };
        problem.subject.set(&after)?;

        let fitted = Fitted {
            parameters: parameters(&problem, &before, &after, errors.as_deref()),
            loss_before: problem.loss_before.unwrap_or(f64::NAN),
            training: scores(&problem, |data| &data.training),
            validation: problem.latest.validation.map(|_| scores(&problem, |data| &data.validation)),
            history,
            evaluations: outcome.evaluations,
            gradient_norm: outcome.gradient_norm,
            why: outcome.why,
            without_errors,
            predictions: problem.data.iter().map(|data| prediction(data, problem.neurons)).collect(),
            seconds: began.elapsed().as_secs_f64(),
        };
        owner.take(&problem.subject)?;
        Ok(fitted)
    }

    /// Frees what was named, or all weights and biases.
    fn free_all(&self, subject: &mut Subject) -> Result<()> {
        if !self.free.is_empty() {
            return self.free.iter().try_for_each(|(name, transform)| subject.free(name, *transform));
        }
        let names = subject.model.parameters().into_iter().map(|parameter| parameter.name);
        let names: Vec<String> = names.filter(|name| name.ends_with(".weight") || name.ends_with(".bias")).collect();
        let expected = "parameters to free, for a model without weights";
        in_range(ITEM, "free", "nothing", !names.is_empty(), expected)?;
        names.iter().try_for_each(|name| subject.free(name, None))
    }

    /// Each penalty with the variable that it is for.
    fn penalties(&self, subject: &Subject) -> Result<Vec<(usize, Penalty)>> {
        let mut all = Vec::new();
        for (name, penalty) in &self.penalties {
            let kernels = subject.variables.iter().enumerate().filter(|(_, variable)| variable.is_kernel());
            let found: Vec<_> =
                kernels.filter(|(_, variable)| name.as_ref().is_none_or(|name| variable.name == *name)).collect();
            if found.is_empty() {
                let names = subject
                    .variables
                    .iter()
                    .filter(|variable| variable.is_kernel())
                    .map(|variable| variable.name.as_str());
                let names: Vec<&str> = names.collect();
                let what = "free kernel for a penalty";
                let known = if names.is_empty() { vec!["none, as no weight is free"] } else { names };
                return Err(Error::unknown(what, name.as_deref().unwrap_or("*"), known));
            }
            all.extend(found.into_iter().map(|(index, _)| (index, *penalty)));
        }
        Ok(all)
    }

    /// Checks the recordings. Returns them with the shapes of input and output.
    fn prepare<'a, M: Movie<'a>>(
        &self,
        subject: &Subject,
        recordings: impl IntoIterator<Item = (M, Measured)>,
    ) -> Result<(Vec<Prepared>, [Shape; 2])> {
        let (mut data, mut shapes) = (Vec::new(), None);
        for (stimulus, measured) in recordings {
            let stimulus = stimulus.movie()?;
            let (batch, channels, frames, rows, cols) = stimulus.dim();
            check(&stimulus.view())?;
            in_range(ITEM, "batch of the stimulus", batch, batch == 1, "1: several recordings are given one by one")?;
            let input = Shape::new(channels, rows, cols);
            let signature = subject.model.signature(input)?;
            let [first, _] = *shapes.get_or_insert([input, signature.output]);
            let same = format!("{input}, after one of {first}");
            in_range(ITEM, "stimulus", same, input == first, "recordings of one size")?;
            measured.fits(signature.frames_out(0, frames), signature.output)?;
            let samples: Vec<f32> = stimulus.view().permuted_axes([0, 2, 1, 3, 4]).iter().copied().collect();
            let value = samples.first().copied().unwrap_or_default();
            let varies = samples.iter().any(|sample| *sample != value);
            in_range(ITEM, "stimulus", format!("{value} in all samples"), varies, "one that varies")?;
            data.push(Prepared::new(samples, frames, measured, self.warm_up, self.validate)?);
        }
        match shapes {
            Some(shapes) => Ok((data, shapes)),
            None => {
                Err(Error::Parameter { item: ITEM, name: "recordings", value: "none".into(), expected: "one or more" })
            }
        }
    }
}

/// Minimises. Returns the state after each step, too.
fn search(
    problem: &RefCell<Problem>,
    optimizer: &Optimizer,
    start: &[f64],
    stop: &Stop,
    watch: &mut Watch<'_>,
) -> Result<(Outcome, Vec<Progress>)> {
    let mut history = Vec::new();
    let mut observe = |step: &Step<'_>| {
        let Evaluation { x, loss, validation } = &problem.borrow().latest;
        let is_here = x == step.x;
        let progress = Progress {
            evaluations: step.evaluations,
            iteration: step.iteration,
            loss: if is_here { *loss } else { step.value },
            value: step.value,
            gradient_norm: step.gradient_norm,
            validation: validation.filter(|_| is_here),
        };
        history.push(progress);
        watch(&progress)
    };
    let outcome = minimize(optimizer, &mut &*problem, start, stop, &mut observe)?;
    Ok((outcome, history))
}

/// The parameters of the model that may have changed.
fn changed(subject: &Subject) -> Result<Vec<Parameter>> {
    let own = subject.variables.iter().filter(|variable| variable.is_parameter());
    own.map(|variable| subject.model.parameter(&variable.name)).collect()
}

impl Owner<'_> {
    /// Takes the fitted values.
    fn take(&mut self, subject: &Subject) -> Result<()> {
        let changed = changed(subject)?;
        match self {
            Self::Model(model) => {
                changed.iter().try_for_each(|Parameter { name, value }| model.set_parameter(name, value))
            }
            #[cfg(feature = "files")]
            Self::File(file) => {
                let mut fitted = subject.file.clone().unwrap_or_else(|| file.clone());
                for parameter in &changed {
                    fitted.adopt(parameter, &subject.model)?;
                }
                **file = fitted;
                Ok(())
            }
        }
    }
}
