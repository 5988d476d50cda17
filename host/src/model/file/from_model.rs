//! From a model to a file: the inverse of [`ModelFile::model`](super::ModelFile::model).
//!
//! `Branches` and models inside of models have no kind in a file: their layers are written beside the others, and the layer
//! behind them reads the weighted sum. The sums are the same in the same order, and so are the bits.

use super::describe::{Described, duration};
use super::input::{INPUT, frame_rate};
use super::kinds::{KINDS, Kind};
use super::layer::{LayerEntry, RESERVED};
use super::source::Source;
use super::value::{Entry, Item, Table, Value};
use super::{ModelFile, VERSION};
use crate::model::inputs::{INPUT as MODEL_INPUT, Inputs, Join};
use crate::model::network::Network;
use crate::{Branches, Error, Layer, Model, Resolution, Result, Samples};
use std::collections::HashSet;

impl ModelFile {
    /// The file of a model for input frames of `resolution`. [`ModelFile::model`] makes the same model of it: the same names,
    /// and the same bits of the output.
    ///
    /// Weights and parameters are written by value, weights as impulse responses. A layer without a name has that of its
    /// kind. The layers of [`Branches`] and of models inside of models stand beside the others, with names of their own. The
    /// file has neither the state of a stream nor settings such as the precision, and allows frames of any size:
    /// [`ModelFile::set`] changes that.
    ///
    /// ```
    /// use foveola::{Branches, LowPass, Model, ModelFile, NLRectify, Resolution};
    /// let resolution = Resolution::DEFAULT; // 1000 frames per second
    /// let (fast, slow) = (LowPass::new(0.005, resolution)?, LowPass::new(0.050, resolution)?);
    /// let model = Model::new().then(Branches::new().plus(fast).minus(slow)).named("on", NLRectify);
    /// let mut file = ModelFile::from_model(&model, resolution)?;
    /// file.set("name", "change")?;
    /// file.set("input.rows", "64")?;
    /// assert_eq!(
    ///     file.to_toml(),
    ///     r#"version = 1
    /// name = "change"
    ///
    /// [input]
    /// dt = "1ms"
    /// rows = 64
    ///
    /// [[layer]]
    /// name = "LowPass"
    /// kind = "LowPass"
    /// tau = "5ms"
    ///
    /// [[layer]]
    /// name = "LowPass_2"
    /// kind = "LowPass"
    /// from = "input"
    /// tau = "50ms"
    ///
    /// [[layer]]
    /// name = "on"
    /// kind = "NLRectify"
    /// from = ["LowPass", "-LowPass_2"]
    ///
    /// [outputs]
    /// on = "on"
    /// "#
    /// );
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Export`] with the name of a custom layer, [`Error::Layer`] with that of a layer for another frame rate,
    /// [`Error::Parameter`] for a frame rate of more than 15 digits that is not `1 / dt` of a 64-bit float,
    /// [`Error::ModelFile`] for a name or number that a file cannot have; otherwise the error of a model that cannot run.
    pub fn from_model(model: &Model, resolution: Resolution) -> Result<Self> {
        resolution.check().map_err(|error| Error::layer("resolution", error))?;
        let network = &model.network;
        let names = network.entries().iter().map(|entry| entry.name.clone()).filter(|name| !name.is_empty());
        let taken = names.chain(RESERVED.map(Into::into)).collect();
        let mut writer = Writer { layers: Vec::new(), taken, steps_per_second: resolution.steps_per_second };
        let yields = writer.network(network, MODEL_INPUT, "")?;
        let mut outputs = Vec::new();
        for (i, name) in network.outputs().enumerate() {
            let layer = writer.layer_of(yields[network.layer_of_output(i)?].clone())?;
            if outputs.iter().any(|(other, _)| other == name) {
                let (item, value, expected) = ("Model", format!("{name:?}"), "a name of its own for each output");
                return Err(Error::Parameter { item, name: "name of an output", value, expected });
            }
            outputs.push((name.to_owned(), layer));
        }
        if outputs.is_empty() {
            let mut layer = writer.layer_of(yields.last().cloned().unwrap_or_else(|| sum_of(MODEL_INPUT)))?;
            if layer == MODEL_INPUT {
                layer = writer.identity("Identity", sum_of(MODEL_INPUT))?;
            }
            outputs.push((layer.clone(), layer));
        }
        let text = |(name, layer): (String, String)| Entry::new(name, Value::Text(layer));
        let layers = writer.layers.iter().map(|layer| Item { value: Value::Table(layer.table()), at: None });
        let mut input = input(resolution)?;
        let mut table = Vec::new();
        if let Samples::Q15 { full_scale } = model.samples() {
            table.push(Entry::new("sample", Value::Text("q15".into())));
            input.push(Entry::new("full_scale", Value::Number(full_scale)));
        }
        table.extend([
            Entry::new("version", Value::Number(VERSION as f64)),
            Entry::new("input", Value::Table(input)),
            Entry::new("layer", Value::List(layers.collect())),
            Entry::new("outputs", Value::Table(outputs.into_iter().map(text).collect())),
        ]);
        // Read as if it came from a text: what is not allowed there is refused here.
        let source = Source::default();
        Ok(Self::from_table(&table, &source).map_err(|problem| problem.error(&source))?)
    }
}

/// `[input]` of a resolution.
fn input(resolution: Resolution) -> Result<Table> {
    let steps_per_second = resolution.steps_per_second;
    let near = 1.0 / steps_per_second;
    let mut durations = [near, near.next_down(), near.next_up()].into_iter();
    let Some(dt) = durations.find(|dt| frame_rate(*dt) == steps_per_second) else {
        let (value, expected) =
            (format!("{steps_per_second:?}"), "a number of up to 15 digits, or 1 / dt with dt a 64-bit float");
        return Err(Error::Parameter { item: "resolution", name: "steps_per_second", value, expected });
    };
    let rest = Described::default()
        .with("pixels_per_degree", Value::Number(resolution.pixel_per_degree))
        .with("filter_epsilon", Value::Number(resolution.filter_epsilon));
    let mut table = vec![Entry::new("dt", duration(dt))];
    table.extend(rest.without_defaults(&[&INPUT]));
    Ok(table)
}

/// A weighted sum of layers and `input`.
type Terms = Vec<(String, f64)>;

fn sum_of(name: &str) -> Terms {
    vec![(name.into(), 1.0)]
}

/// The layers written so far.
struct Writer {
    layers: Vec<LayerEntry>,
    taken: HashSet<String>,
    steps_per_second: f64,
}

impl Writer {
    /// Writes the layers of a network whose input is `input`, and returns what each of them yields. A layer with a name
    /// yields a layer of the file; what another one yields has one reader at most.
    fn network(&mut self, network: &Network, input: &str, path: &str) -> Result<Vec<Terms>> {
        let mut yields: Vec<Terms> = Vec::new();
        for (i, entry) in network.entries().iter().enumerate() {
            network.check_name(i)?;
            let mut terms = Terms::new();
            for (term, (_, weight)) in entry.inputs.terms.iter().enumerate() {
                let name = match network.layer_read(i, term)? {
                    Some(layer) => self.layer_of(yields[layer].clone())?,
                    None => input.into(),
                };
                terms.push((name, *weight));
            }
            if terms.is_empty() {
                terms = yields.last().cloned().unwrap_or_else(|| sum_of(input));
                if entry.inputs.join != Join::Sum {
                    terms = sum_of(&self.layer_of(terms)?);
                }
            }
            let name = match entry.name.as_str() {
                "" => None,
                name if path.is_empty() => Some(name.into()),
                inner => Some(self.free(inner)),
            };
            let title = format!("{path}{}", network.title(i));
            let yielded = self.layer(name, Inputs { join: entry.inputs.join, terms }, &*entry.layer, &title)?;
            let scales = [entry.full_scale, entry.inner_scale].map(|exponent| Some(2.0_f64.powi(exponent?)));
            if let ([(name, 1.0)], true) = (&yielded[..], path.is_empty())
                && let Some(written) = self.layers.iter_mut().rev().find(|layer| layer.name() == name)
            {
                written.with_scales(scales);
            }
            yields.push(yielded);
        }
        Ok(yields)
    }

    /// Writes a layer and returns what it yields.
    fn layer(&mut self, name: Option<String>, inputs: Inputs, layer: &dyn Layer, title: &str) -> Result<Terms> {
        let model = layer.as_any().downcast_ref::<Model>();
        let is_identity = model.is_some_and(Model::is_empty);
        let inputs = if inputs.join == Join::Sum || is_identity {
            inputs
        } else {
            Inputs::sum(self.of_a_kind(None, inputs, &Model::new(), title)?)
        };
        let yielded = if let Some(branches) = layer.as_any().downcast_ref::<Branches>() {
            branches.check()?;
            let input = self.layer_of(inputs.terms)?;
            let mut sum = Terms::new();
            for (i, (weight, branch)) in branches.branches().enumerate() {
                let terms = self.layer(None, Inputs::from(&*input), branch, &format!("{title}, branch {i}"))?;
                sum.push((self.layer_of(terms)?, weight));
            }
            sum
        } else if let Some(model) = model.filter(|_| !is_identity) {
            let input = self.layer_of(inputs.terms)?;
            let network = &model.network;
            let mut yields = self.network(network, &input, &format!("{title}, "))?;
            for output in 1..network.outputs().count() {
                network.layer_of_output(output)?;
            }
            match network.outputs().next() {
                Some(_) => yields.swap_remove(network.layer_of_output(0)?),
                None => yields.pop().unwrap_or_else(|| sum_of(&input)),
            }
        } else if is_identity && name.is_none() && inputs.join == Join::Sum {
            return Ok(inputs.terms);
        } else {
            return self.of_a_kind(name, inputs, layer, title);
        };
        match name {
            Some(name) => self.of_a_kind(Some(name), Inputs::sum(yielded), &Model::new(), title),
            None => Ok(yielded),
        }
    }

    /// Writes a layer of a kind that files have.
    fn of_a_kind(&mut self, name: Option<String>, inputs: Inputs, layer: &dyn Layer, title: &str) -> Result<Terms> {
        let full_title = || format!("{title}, {}", layer.name());
        let described =
            KINDS.iter().filter(|kind| kind.join == inputs.join).find_map(|kind| Some((kind, (kind.describe)(layer)?)));
        let (kind, described) = described.ok_or_else(|| Error::Export { layer: full_title() })?;
        if let Some(value) = described.steps_per_second.filter(|steps| *steps != self.steps_per_second) {
            let expected = "the frame rate of the file, the same for all layers";
            let error = foveola_core::Error::Parameter { name: "steps_per_second", value, expected };
            return Err(Error::layer(full_title(), error));
        }
        let name = name.unwrap_or_else(|| self.free(kind.name));
        Ok(self.push(name, inputs, kind, described.without_defaults(kind.keys)))
    }

    fn push(&mut self, name: String, inputs: Inputs, kind: &'static Kind, parameters: Table) -> Terms {
        let before = self.layers.last().map_or(MODEL_INPUT, LayerEntry::name);
        let reads_before = kind.join == Join::Sum && inputs.terms == sum_of(before);
        let inputs = if reads_before { Inputs::BEFORE } else { inputs };
        let yielded = sum_of(&name);
        self.layers.push(LayerEntry::new(name, inputs, kind, parameters));
        yielded
    }

    /// The layer, or `input`, that yields `terms`: an `Identity` of their sum unless there is one.
    fn layer_of(&mut self, terms: Terms) -> Result<String> {
        match &terms[..] {
            [(name, 1.0)] => Ok(name.clone()),
            _ => self.identity("sum", terms),
        }
    }

    /// An `Identity` called `name` if this is free.
    fn identity(&mut self, name: &str, terms: Terms) -> Result<String> {
        let name = self.free(name);
        self.of_a_kind(Some(name.clone()), Inputs::sum(terms), &Model::new(), "")?;
        Ok(name)
    }

    /// `name`, or with a number if it is taken.
    fn free(&mut self, name: &str) -> String {
        let numbered = (2..).map(|n| format!("{name}_{n}"));
        let free = std::iter::once(name.to_owned()).chain(numbered).find(|name| !self.taken.contains(name));
        let free = free.unwrap_or_default();
        self.taken.insert(free.clone());
        free
    }
}
