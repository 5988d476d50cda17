//! The layers of a model file: what each is, what it reads, and their order.

use super::error::Problem;
use super::keys::{Arguments, Default, Key, Scope, Type, key};
use super::kinds::{KINDS, Kind};
use super::readers::{number, power_of_two, text, wholes};
use super::value::{Entry, Item, Table, Value, find, in_words};
use super::{ModelFile, ModelFileError};
use crate::model::inputs::{Inputs, Join, is_name};
use crate::{Layer, Resolution, Result};
use std::collections::HashMap;
use std::fmt;

/// A layer of a model file.
#[derive(Clone)]
pub struct LayerEntry {
    pub(super) name: String,
    inputs: Inputs,
    /// The weights of the inputs that are parameters, as they are written: `$w` or `-$w`.
    named_weights: Vec<Option<String>>,
    kind: &'static Kind,
    /// The keys of its kind that were given.
    parameters: Table,
    /// Those of its full scales.
    scales: Table,
    /// The full scale of what it yields, and of what is between its stages.
    pub(super) full_scales: [Option<f64>; 2],
    /// Where it begins.
    at: Option<usize>,
}

/// A layer that was built, with what it reads.
#[derive(Clone, Debug)]
pub struct BuiltLayer {
    /// The name in the file.
    pub name: String,
    /// The layers that it reads, or `input`; one or more.
    pub inputs: Inputs,
    /// The layer. Joins of several inputs are layers that yield what they read.
    pub layer: Box<dyn Layer>,
}

/// The keys of every layer.
pub(super) const COMMON: [Key; 5] = [
    key("name", Type::Text, Default::Needed, "name of the layer: letters, digits, _ and -, a letter or _ first"),
    key("kind", Type::Text, Default::Needed, "kind of the layer"),
    key(
        "from",
        Type::OneOrMore(&Type::Text),
        Default::Else("the layer before, or input"),
        "what it reads: names of layers or input, each possibly times a number or a parameter",
    ),
    key(
        "full_scale",
        Type::PowerOfTwo,
        Default::Else("one that cannot saturate"),
        "for samples of 16 bits: the power of two that a sample of 1 of its output stands for",
    ),
    key(
        "inner_scale",
        Type::PowerOfTwo,
        Default::Else("one that cannot saturate"),
        "the same for what is between the low-passes of SmoothConv, or the columns and rows of a separable convolution",
    ),
];

/// The keys of full scales among them.
const SCALES: [&str; 2] = ["full_scale", "inner_scale"];

/// Names that layers must not have.
pub(super) const RESERVED: [&str; 3] = ["input", "parameters", "outputs"];

impl PartialEq for LayerEntry {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.inputs == other.inputs
            && self.named_weights == other.named_weights
            && self.kind.name == other.kind.name
            && self.parameters == other.parameters
            && self.scales == other.scales
    }
}

impl fmt::Debug for LayerEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut entry = f.debug_struct("LayerEntry");
        entry.field("name", &self.name).field("kind", &self.kind.name).field("inputs", &self.inputs);
        entry.field("parameters", &self.parameters).finish()
    }
}

impl LayerEntry {
    pub(super) fn new(name: String, inputs: Inputs, kind: &'static Kind, parameters: Table) -> Self {
        let named_weights = vec![None; inputs.terms.len()];
        Self { name, inputs, named_weights, kind, parameters, scales: Table::new(), full_scales: [None; 2], at: None }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the kind, such as `SmoothConv`.
    pub fn kind(&self) -> &'static str {
        self.kind.name
    }

    /// What layers of this kind compute, in one line.
    pub fn about(&self) -> &'static str {
        self.kind.about
    }

    /// What the layer reads; no terms stand for the layer before.
    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// The layer alone, for frames of the model's input rate.
    ///
    /// # Errors
    /// [`Error::ModelFile`](crate::Error::ModelFile) with the place of the layer and what does not fit.
    pub fn build(&self, file: &ModelFile, resolution: Resolution) -> Result<Box<dyn Layer>> {
        let scope = Scope { parameters: &file.parameters, source: &file.source, resolution, every: 1 };
        Ok(self.built(scope).map_err(|problem| problem.error(&file.source))?)
    }

    /// The same layer with these full scales.
    pub(super) fn with_scales(&mut self, full_scales: [Option<f64>; 2]) {
        let entries = SCALES.iter().zip(full_scales);
        self.scales = entries.filter_map(|(key, scale)| Some(Entry::new(*key, Value::Number(scale?)))).collect();
        self.full_scales = full_scales;
    }

    /// The keys of its kind that the file states.
    pub(super) fn given(&self) -> &Table {
        &self.parameters
    }

    fn arguments<'a>(&'a self, scope: Scope<'a>) -> Arguments<'a> {
        Arguments { keys: self.kind.keys, table: &self.parameters, scope, at: self.at }
    }

    fn part(&self) -> String {
        format!("layer {:?}", self.name)
    }

    fn built(&self, scope: Scope<'_>) -> Result<Box<dyn Layer>, Problem> {
        let built = scope.resolution.check().map_err(|error| Problem::from(crate::Error::layer("resolution", error)));
        let built = built.and_then(|()| (self.kind.build)(&self.arguments(scope)));
        built.map_err(|problem| problem.in_part(|| self.part()).or_at(self.at))
    }

    /// The entry as it is written.
    pub(super) fn table(&self) -> Table {
        let text = |text: String| Value::Text(text);
        let mut table =
            vec![Entry::new("name", text(self.name.clone())), Entry::new("kind", text(self.kind.name.into()))];
        let term = |(term, weight): (&(String, f64), &Option<String>)| match weight {
            Some(weight) => format!("{weight} * {}", term.0),
            None => Inputs { join: Join::Sum, terms: vec![term.clone()] }.to_string(),
        };
        let mut terms: Vec<_> = self.inputs.terms.iter().zip(&self.named_weights).map(term).map(text).collect();
        match terms.len() {
            0 => {}
            1 => table.extend(terms.pop().map(|term| Entry::new("from", term))),
            _ => {
                let items = terms.into_iter().map(|value| Item { value, at: None });
                table.push(Entry::new("from", Value::List(items.collect())));
            }
        }
        table.extend(self.parameters.iter().chain(&self.scales).cloned());
        table
    }

    fn read(item: &Item, scope: Scope<'_>) -> Result<Self, Problem> {
        let Value::Table(table) = &item.value else {
            return Err(Problem::new(item.at, in_words(&item.value), "a table [[layer]]").in_key("layer"));
        };
        let common = Arguments { keys: &[&COMMON], table, scope, at: item.at };
        let name = common.get("name", text).map_err(|problem| problem.in_part(|| "a layer".into()))?;
        let part = || format!("layer {name:?}");
        let at = |key: &str| find(table, key).and_then(|item| item.at);
        if !is_name(&name) || RESERVED.contains(&name.as_str()) {
            let expected = format!(
                "a name of letters, digits, _ and -, a letter or _ first, and none of: {}",
                RESERVED.join(", ")
            );
            return Err(Problem::new(at("name"), format!("a layer called {name:?}"), expected));
        }
        let kind = common.get("kind", text).map_err(|problem| problem.in_part(part))?;
        let Some(kind) = KINDS.iter().find(|known| known.name == kind) else {
            let known = KINDS.iter().map(|kind| kind.name);
            return Err(Problem::unknown(at("kind"), "kind", &kind, known).in_part(part));
        };
        let given: Table =
            table.iter().filter(|entry| !COMMON.iter().any(|key| key.name == entry.key)).cloned().collect();
        Arguments { keys: kind.keys, table: &given, scope, at: item.at }
            .check()
            .map_err(|problem| problem.in_part(part))?;
        let mut full_scales = [None; 2];
        for (scale, key) in full_scales.iter_mut().zip(SCALES) {
            *scale = common.optional(key, power_of_two).map_err(|problem| problem.in_part(part))?;
        }
        let scales = table.iter().filter(|entry| SCALES.contains(&entry.key.as_str())).cloned().collect();
        let (inputs, named_weights) = match find(table, "from") {
            Some(from) => terms(from, kind, &scope).map_err(|problem| problem.in_key("from").in_part(part))?,
            None => (Inputs { join: kind.join, ..Inputs::BEFORE }, Vec::new()),
        };
        if kind.join != Join::Sum && inputs.terms.is_empty() {
            let problem = Problem::new(item.at, "no key \"from\"", format!("the inputs of a {}", kind.name));
            return Err(problem.in_part(part));
        }
        Ok(Self { name, inputs, named_weights, kind, parameters: given, scales, full_scales, at: item.at })
    }
}

/// The terms of `from`, and which of their weights are parameters.
fn terms(from: &Item, kind: &Kind, scope: &Scope<'_>) -> Result<(Inputs, Vec<Option<String>>), Problem> {
    let (mut terms, mut named_weights) = (Vec::new(), Vec::new());
    let items = if let Value::List(items) = &from.value { &items[..] } else { std::slice::from_ref(from) };
    for item in items {
        let problem = |found: String, expected: &str| Err(Problem::new(item.at, found, expected));
        let expected = "the name of a layer, or a finite number or parameter times one, such as \"centre\", \"-0.5 * surround\" \
                        or \"-$w * surround\"";
        let Value::Text(text) = &item.value else { return problem(in_words(&item.value), expected) };
        let (name, weight, written) = match named_weight(text) {
            Some((written, name)) if is_name(name) => {
                let (sign, parameter) = written.strip_prefix('-').map_or((1.0, written), |parameter| (-1.0, parameter));
                let weight = scope.read(&Item { value: Value::Text(parameter.into()), at: item.at }, number)?;
                (name.to_owned(), sign * weight, Some(written.to_owned()))
            }
            Some(_) => return problem(in_words(&item.value), expected),
            None => {
                // Of several in one text the places would be lost.
                let inputs = text.parse::<Inputs>().ok().filter(|inputs| inputs.terms.len() == 1);
                let term = inputs.and_then(|mut inputs| inputs.terms.pop());
                let Some((name, weight)) = term else { return problem(in_words(&item.value), expected) };
                (name, weight, None)
            }
        };
        if kind.join != Join::Sum && (weight != 1.0 || written.is_some()) {
            return problem(in_words(&item.value), &format!("a name without a number: {} takes no weights", kind.name));
        }
        terms.push((name, weight));
        named_weights.push(written);
    }
    if terms.is_empty() {
        return Err(Problem::new(from.at, "an empty list", "one name or more"));
    }
    Ok((Inputs { join: kind.join, terms }, named_weights))
}

/// A weight that is a parameter, `$w` or `-$w`, and what follows the `*` after it.
pub(super) fn named_weight(term: &str) -> Option<(&str, &str)> {
    let (weight, name) = term.split_once('*')?;
    let weight = weight.trim();
    weight.strip_prefix('-').unwrap_or(weight).starts_with('$').then_some((weight, name.trim()))
}

/// The layers of a file. What they read exists.
pub(super) fn read_all(table: &Table, scope: Scope<'_>) -> Result<Vec<LayerEntry>, Problem> {
    let items = match find(table, "layer") {
        Some(Item { value: Value::List(items), .. }) if !items.is_empty() => &items[..],
        Some(other) => {
            return Err(Problem::new(other.at, in_words(&other.value), "tables [[layer]]").in_key("layer"));
        }
        None => return Err(Problem::new(Some(0), "no layer", "one table [[layer]] or more")),
    };
    let layers = items.iter().map(|item| LayerEntry::read(item, scope)).collect::<Result<Vec<_>, _>>()?;
    let mut first = HashMap::new();
    for (position, layer) in layers.iter().enumerate() {
        if let Some(before) = first.insert(layer.name.as_str(), position) {
            let found = format!("a second layer called {:?}, the first is number {}", layer.name, before + 1);
            return Err(Problem::new(layer.at, found, "a name of its own for each layer"));
        }
    }
    for (layer, item) in layers.iter().zip(items) {
        for (i, (name, _)) in layer.inputs.terms.iter().enumerate() {
            if name != "input" && !first.contains_key(name.as_str()) {
                let known = layers.iter().map(|layer| layer.name.as_str()).chain(["input"]);
                let at = from_at(item, i).or(layer.at);
                return Err(Problem::unknown(at, "layer", name, known).in_key("from").in_part(|| layer.part()));
            }
        }
    }
    Ok(layers)
}

/// Where the term `i` of a layer is written.
fn from_at(layer: &Item, i: usize) -> Option<usize> {
    let Value::Table(table) = &layer.value else { return None };
    let from = find(table, "from")?;
    match &from.value {
        Value::List(items) => items.get(i)?.at,
        _ => from.at,
    }
}

/// What a layer reads: the terms of `from`, or the layer before.
pub(super) fn sources(layers: &[LayerEntry], position: usize) -> impl Iterator<Item = (&str, f64)> {
    let terms = &layers[position].inputs.terms;
    let before = || (position.checked_sub(1).map_or("input", |before| &layers[before].name), 1.0);
    let before = terms.is_empty().then(before);
    terms.iter().map(|(name, weight)| (name.as_str(), *weight)).chain(before)
}

/// The positions of the layers, each after those that it reads, else in the order of the file (Kahn's algorithm).
pub(super) fn order(layers: &[LayerEntry]) -> Result<Vec<usize>, Problem> {
    let positions: HashMap<&str, usize> =
        layers.iter().enumerate().map(|(i, layer)| (layer.name.as_str(), i)).collect();
    let mut readers = vec![Vec::new(); layers.len()];
    let mut waits = vec![0_usize; layers.len()];
    for (position, waits) in waits.iter_mut().enumerate() {
        for (name, _) in sources(layers, position) {
            if let Some(source) = positions.get(name) {
                readers[*source].push(position);
                *waits += 1;
            }
        }
    }
    let mut ready: std::collections::BTreeSet<usize> = (0..layers.len()).filter(|i| waits[*i] == 0).collect();
    let mut order = Vec::with_capacity(layers.len());
    while let Some(position) = ready.pop_first() {
        order.push(position);
        for reader in &readers[position] {
            waits[*reader] -= 1;
            if waits[*reader] == 0 {
                ready.insert(*reader);
            }
        }
    }
    if order.len() == layers.len() { Ok(order) } else { Err(cycle(layers, &positions, &waits)) }
}

/// Names the layers of a cycle among those that still wait.
fn cycle(layers: &[LayerEntry], positions: &HashMap<&str, usize>, waits: &[usize]) -> Problem {
    // Each waits for another one that waits: going back from one to the next ends in a circle.
    let back = |position: usize| {
        let waiting = |(name, _)| positions.get(name).copied().filter(|i| waits[*i] > 0);
        sources(layers, position).find_map(waiting).unwrap_or(position)
    };
    let start = waits.iter().position(|waits| *waits > 0).unwrap_or_default();
    let inside = (0..layers.len()).fold(start, |position, _| back(position));
    let mut names = vec![layers[inside].name.as_str()];
    let mut position = back(inside);
    while position != inside {
        names.push(&layers[position].name);
        position = back(position);
    }
    names.push(&layers[inside].name);
    let found = format!("a cycle: {}", names.join(" reads "));
    Problem::new(layers[inside].at, found, "layers that read only others that do not read them")
        .in_part(|| layers[inside].part())
}

impl ModelFile {
    /// The layers, each after those that it reads.
    ///
    /// # Errors
    /// [`Error::ModelFile`](crate::Error::ModelFile) with the place of a layer that cannot be built, and what does not fit.
    pub fn build(&self, resolution: Resolution) -> Result<Vec<BuiltLayer>> {
        let built = self.build_all(resolution);
        Ok(built.map_err(|problem| -> ModelFileError { problem.error(&self.source) })?)
    }

    fn build_all(&self, resolution: Resolution) -> Result<Vec<BuiltLayer>, Problem> {
        // Frames of the model's input for one of each layer's output.
        let mut rates: HashMap<&str, u64> = HashMap::new();
        let mut built = Vec::new();
        for position in &self.order {
            let entry = &self.layers[*position];
            let terms = sources(&self.layers, *position);
            let terms: Vec<_> = terms.map(|(name, weight)| (name.to_owned(), weight)).collect();
            let every = terms.first().and_then(|(name, _)| rates.get(name.as_str())).copied().unwrap_or(1);
            let scope = Scope { parameters: &self.parameters, source: &self.source, resolution, every };
            let stride = entry.arguments(scope).optional("stride", wholes::<3>)?.map_or(1, |[time, ..]| time);
            rates.insert(&entry.name, every.saturating_mul(stride as u64));
            let inputs = Inputs { join: entry.inputs.join, terms };
            built.push(BuiltLayer { name: entry.name.clone(), inputs, layer: entry.built(scope)? });
        }
        Ok(built)
    }
}
