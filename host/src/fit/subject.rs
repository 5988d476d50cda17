//! What a fit changes: parameters of a model, or numbers of a model file.
//!
//! ```text
//! dL/dnumber = sum_k dL/dparameter_k dparameter_k/dnumber
//! ```
//! A number of a file, such as the standard deviation of a Gaussian, determines parameters of the model by a generator. Their
//! derivatives are differences of the fourth order over steps of 1 % of the number: `(8 (p(+h) - p(-h)) - (p(+2h) - p(-2h))) / 12 h`.
//! That leaves an error of about 1e-5, as weights are 32-bit floats.

use super::Transform;
use crate::{Error, Model, Parameter, Result};
#[cfg(feature = "files")]
use crate::{ModelFile, model_file::FileNumber};
use ndarray::{ArrayD, IxDyn};
use std::ops::Range;

const ITEM: &str = "Fit";

/// The size of a step, relative to the number.
#[cfg(feature = "files")]
const STEP: f64 = 0.01;

/// A free parameter of one number or several.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) transform: Transform,
    /// Where its numbers begin among those of all variables.
    first: usize,
    source: Source,
}

/// Where its values are.
#[derive(Clone, Debug)]
enum Source {
    /// A parameter of the model.
    Parameter,
    /// A number of the file, and the names of the parameters of the model that depend on it.
    #[cfg(feature = "files")]
    Number { number: FileNumber, parameters: Vec<String> },
}

impl Variable {
    pub(super) fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Where its numbers are among those of all variables.
    pub(super) fn range(&self) -> Range<usize> {
        self.first..self.first + self.len()
    }

    /// Its numbers among those of all variables, as an array.
    pub(super) fn array(&self, all: &[f64]) -> ArrayD<f64> {
        let own = all.get(self.range()).unwrap_or_default().to_vec();
        ArrayD::from_shape_vec(IxDyn(&self.shape), own).unwrap_or_default()
    }

    /// Whether it is a parameter of the model itself.
    pub(super) fn is_parameter(&self) -> bool {
        matches!(self.source, Source::Parameter)
    }

    /// Whether it is a kernel, which penalties apply to.
    pub(super) fn is_kernel(&self) -> bool {
        self.is_parameter() && self.name.ends_with(".weight")
    }

    /// The unit of a number of a file.
    pub(super) fn unit(&self) -> &str {
        match &self.source {
            Source::Parameter => "",
            #[cfg(feature = "files")]
            Source::Number { number, .. } => number.unit.trim(),
        }
    }
}

/// The model that is fitted, or its file.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) model: Model,
    #[cfg(feature = "files")]
    pub(super) file: Option<ModelFile>,
    pub(super) variables: Vec<Variable>,
}

impl Subject {
    /// A model, without free parameters.
    pub(super) fn of_model(model: &Model) -> Self {
        let model = model.clone();
        Self {
            model,
            #[cfg(feature = "files")]
            file: None,
            variables: Vec::new(),
        }
    }

    /// A file and its model.
    #[cfg(feature = "files")]
    pub(super) fn of_file(file: &ModelFile) -> Result<Self> {
        Ok(Self { model: file.model()?, file: Some(file.clone()), variables: Vec::new() })
    }

    /// Frees the parameter or number called `name`.
    pub(super) fn free(&mut self, name: &str, transform: Option<Transform>) -> Result<()> {
        if self.variables.iter().any(|variable| variable.name == name) {
            let (value, expected) = (name.to_owned(), "each free parameter once");
            return Err(Error::Parameter { item: ITEM, name: "free", value, expected });
        }
        #[cfg(feature = "files")]
        if let Some(number) = self.file.as_ref().and_then(|file| file.number(name)) {
            return self.free_number(name, number, transform);
        }
        let shape = match self.model.parameter(name) {
            Ok(parameter) => parameter.shape().to_vec(),
            #[cfg(feature = "files")]
            Err(_) if self.file.is_some() => return Err(self.unknown(name)),
            Err(error) => return Err(error),
        };
        let is_positive = name.ends_with(".tau");
        let transform = transform.unwrap_or(if is_positive { Transform::Log } else { Transform::Identity });
        self.push(name, shape, transform, Source::Parameter);
        Ok(())
    }

    fn push(&mut self, name: &str, shape: Vec<usize>, transform: Transform, source: Source) {
        let first = self.variables.last().map_or(0, |last| last.range().end);
        self.variables.push(Variable { name: name.into(), shape, transform, first, source });
    }

    #[cfg(feature = "files")]
    fn free_number(&mut self, name: &str, number: FileNumber, transform: Option<Transform>) -> Result<()> {
        if let Some(file) = &mut self.file
            && file.fix_size(&number)?
        {
            self.model = file.model()?;
        }
        let mut slopes = self.slopes(&number)?;
        slopes.retain(|slope| slope.value.iter().any(|slope| *slope != 0.0));
        let parameters: Vec<String> = slopes.into_iter().map(|slope| slope.name).collect();
        if parameters.is_empty() {
            let reason = "changes no parameter that has a gradient";
            return Err(Error::NotFitted { what: name.into(), reason });
        }
        let default = if number.is_positive() { Transform::Log } else { Transform::Identity };
        self.push(name, Vec::new(), transform.unwrap_or(default), Source::Number { number, parameters });
        Ok(())
    }

    /// The error for a name that is neither a number of the file nor a parameter of its model.
    #[cfg(feature = "files")]
    fn unknown(&self, name: &str) -> Error {
        let mut known: Vec<String> = self.model.parameters().into_iter().map(|parameter| parameter.name).collect();
        let numbers = self.file.iter().flat_map(ModelFile::numbers).map(|number| number.path);
        known.extend(numbers.filter(|path| !known.contains(path)).collect::<Vec<_>>());
        let parameters: Vec<Parameter> = known.into_iter().map(|name| Parameter::new(name, 0.0)).collect();
        crate::model::parameters::unknown(name, &parameters)
    }

    /// The values of all variables, one after another.
    pub(super) fn values(&self) -> Result<Vec<f64>> {
        let mut values = Vec::new();
        for variable in &self.variables {
            match &variable.source {
                Source::Parameter => values.extend(self.model.parameter(&variable.name)?.value.iter()),
                #[cfg(feature = "files")]
                Source::Number { number, .. } => {
                    let present = self.file.as_ref().and_then(|file| file.number(&number.path));
                    values.push(present.map_or(number.value, |number| number.value));
                }
            }
        }
        Ok(values)
    }

    /// Sets all variables.
    ///
    /// # Errors
    /// For a value that the model or its file refuses.
    pub(super) fn set(&mut self, values: &[f64]) -> Result<()> {
        #[cfg(feature = "files")]
        self.set_numbers(values)?;
        for variable in self.variables.iter().filter(|variable| variable.is_parameter()) {
            self.model.set_parameter(&variable.name, variable.array(values))?;
        }
        Ok(())
    }

    /// Sets the numbers of the file, and builds its model anew.
    #[cfg(feature = "files")]
    fn set_numbers(&mut self, values: &[f64]) -> Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut any = false;
        for variable in &self.variables {
            if let Source::Number { number, .. } = &variable.source {
                file.set_number(number, values.get(variable.first).copied().unwrap_or(f64::NAN))?;
                any = true;
            }
        }
        if any {
            let built = file.model()?;
            self.model.take_layers(&built);
        }
        Ok(())
    }

    /// The parameters of the model whose gradients are needed.
    pub(super) fn needed(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for variable in &self.variables {
            match &variable.source {
                Source::Parameter => names.push(variable.name.clone()),
                #[cfg(feature = "files")]
                Source::Number { parameters, .. } => names.extend_from_slice(parameters),
            }
        }
        names.sort();
        names.dedup();
        names
    }

    /// The gradient with respect to the values of all variables, from that of [`Subject::needed`].
    pub(super) fn chain(&self, gradients: &[Parameter]) -> Result<Vec<f64>> {
        let of = |name: &str| gradients.iter().find(|gradient| gradient.name == name);
        let mut all = Vec::new();
        for variable in &self.variables {
            match &variable.source {
                Source::Parameter => {
                    all.extend(of(&variable.name).into_iter().flat_map(|gradient| gradient.value.iter()));
                }
                #[cfg(feature = "files")]
                Source::Number { number, parameters } => {
                    let product = |slope: &Parameter| {
                        let gradient = of(&slope.name).filter(|_| parameters.contains(&slope.name))?;
                        Some(slope.value.iter().zip(&gradient.value).map(|(slope, g)| slope * g).sum::<f64>())
                    };
                    all.push(self.slopes(number)?.iter().filter_map(product).sum());
                }
            }
        }
        Ok(all)
    }

    /// The derivatives of the model's parameters with respect to a number of the file.
    #[cfg(feature = "files")]
    fn slopes(&self, number: &FileNumber) -> Result<Vec<Parameter>> {
        let Some(file) = &self.file else { return Ok(Vec::new()) };
        let value = file.number(&number.path).map_or(number.value, |number| number.value);
        let step = STEP * if value == 0.0 { 1.0 } else { value.abs() };
        let at = |steps: f64| {
            let mut moved = file.clone();
            moved.set_number(number, value + steps * step)?;
            Ok::<_, Error>(moved.model()?.parameters())
        };
        let [before, after, far_before, far_after] = [at(-1.0)?, at(1.0)?, at(-2.0)?, at(2.0)?];
        let mut slopes = Vec::new();
        for (((b, a), fb), fa) in before.into_iter().zip(after).zip(far_before).zip(far_after) {
            if [&a, &fb, &fa].iter().any(|other| other.shape() != b.shape()) {
                let reason = "changes the size of a kernel";
                return Err(Error::NotFitted { what: number.path.clone(), reason });
            }
            let value = (8.0 * (a.value - b.value) - (fa.value - fb.value)) / (12.0 * step);
            slopes.push(Parameter { name: b.name, value });
        }
        Ok(slopes)
    }
}
