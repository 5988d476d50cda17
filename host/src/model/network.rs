//! The layers of a model, what each of them reads, and the table of nodes built from them for frames of a given shape.

use super::inputs::{INPUT, Inputs, Join, is_name};
use super::integers::{Samples, Tables, Wanted, exponent, only_cuts};
use crate::cpu::simd::Precision;
use crate::device::Device;
use crate::model::layer::{Compiled, Table, Target};
use crate::{Error, Layer, Result};
use foveola_core::{Graph, Node, Shape, Source, StreamShape};
use std::fmt;
use std::ops::Range;

/// The layers, the device and the settings of the computation.
#[derive(Clone, Default)]
pub(super) struct Network {
    entries: Vec<Entry>,
    /// The names of outputs, each with its layer; a name that no layer has is reported when the model is compiled.
    outputs: Vec<(String, Option<usize>)>,
    pub(super) precision: Precision,
    pub(super) samples: Samples,
    pub(super) device: Device,
    /// Increases when a layer may have changed.
    revision: u64,
}

/// A layer of the network.
#[derive(Clone)]
pub(super) struct Entry {
    /// Empty for a layer without a name.
    pub(super) name: String,
    pub(super) inputs: Inputs,
    pub(super) layer: Box<dyn Layer>,
    /// The exponent of the full scale of what it yields, for samples of 16 bits.
    pub(super) full_scale: Option<i32>,
    /// That of what is between its stages.
    pub(super) inner_scale: Option<i32>,
    /// For each term of the inputs, the entry of that name; [`None`] for the model's input. A name that there is not is
    /// reported when the model is compiled.
    reads: Vec<std::result::Result<Option<usize>, Unknown>>,
    /// Whether the name is free. One that is taken is reported when the model is compiled.
    unique: bool,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.name.is_empty() {
            write!(f, "{}: ", self.name)?;
        }
        self.layer.fmt(f)?;
        if !self.inputs.terms.is_empty() {
            write!(f, " of {:?} {}", self.inputs.join, self.inputs)?;
        }
        Ok(())
    }
}

impl Entry {
    /// For each term of the inputs, a layer, or none for the model's input; empty for the layer before.
    pub(super) fn sources(&self) -> Vec<Option<usize>> {
        self.reads.iter().flatten().copied().collect()
    }
}

/// The nodes of a layer.
#[derive(Clone, Debug)]
pub(super) struct Span {
    /// Those that join its inputs.
    pub(super) join: Range<usize>,
    /// Those of the layer itself.
    pub(super) own: Range<usize>,
    /// What these read.
    pub(super) reads: StreamShape,
}

impl Span {
    /// The node that the layer yields; none for one that yields what it reads.
    pub(super) fn last(&self) -> Option<usize> {
        // Those of the layer come after those that join.
        let nodes = self.join.start..self.own.end;
        nodes.last()
    }
}

/// A term that names no earlier layer.
#[derive(Clone, Copy)]
struct Unknown;

impl Network {
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry called `name`.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.entries.iter().position(|entry| !name.is_empty() && entry.name == name)
    }

    pub(super) fn push(&mut self, name: String, layer: Box<dyn Layer>) {
        self.changing();
        let unique = name.is_empty() || name != INPUT && is_name(&name) && self.find(&name).is_none();
        self.entries.push(Entry {
            name,
            inputs: Inputs::default(),
            layer,
            full_scale: None,
            inner_scale: None,
            reads: Vec::new(),
            unique,
        });
    }

    /// Sets what the last layer reads.
    pub(super) fn read(&mut self, inputs: Inputs) {
        self.changing();
        let Some((last, before)) = self.entries.split_last_mut() else { return };
        let find = |name: &String| match name.as_str() {
            INPUT => Ok(None),
            "" => Err(Unknown), // as layers without a name have it
            name => before.iter().position(|entry| entry.name == name).map(Some).ok_or(Unknown),
        };
        last.reads = inputs.terms.iter().map(|(name, _)| find(name)).collect();
        last.inputs = inputs;
    }

    /// The layers that `layer` depends on, and `layer` as the output.
    pub(super) fn part(&self, layer: usize) -> Self {
        let mut needed = vec![false; self.entries.len()];
        needed[layer] = true;
        for i in (0..=layer).rev() {
            if !needed[i] {
                continue;
            }
            match (&self.entries[i].reads[..], i.checked_sub(1)) {
                ([], Some(before)) => needed[before] = true,
                (reads, _) => reads.iter().flatten().flatten().for_each(|read| needed[*read] = true),
            }
        }
        let mut part = Self { entries: Vec::new(), outputs: Vec::new(), ..self.clone() };
        // Their places among the layers of the part.
        let mut places = vec![0; self.entries.len()];
        for i in (0..=layer).filter(|i| needed[*i]) {
            places[i] = part.entries.len();
            let mut entry = self.entries[i].clone();
            entry.reads.iter_mut().flatten().flatten().for_each(|read| *read = places[*read]);
            part.entries.push(entry);
        }
        part
    }

    /// The names of the outputs; none if only the last layer's is one.
    pub(super) fn outputs(&self) -> impl Iterator<Item = &str> {
        self.outputs.iter().map(|(name, _)| name.as_str())
    }

    /// The outputs with their layers.
    pub(super) fn output_layers(&self) -> impl Iterator<Item = (&str, usize)> {
        self.outputs.iter().filter_map(|(name, layer)| Some((name.as_str(), (*layer)?)))
    }

    /// Makes layers the outputs, instead of those that are named.
    pub(super) fn set_outputs(&mut self, layers: impl IntoIterator<Item = usize>) {
        self.changing();
        self.outputs = layers.into_iter().map(|layer| (String::new(), Some(layer))).collect();
    }

    /// Appends a layer that reads what layer `like` reads. Returns its index.
    pub(super) fn push_reading_like(&mut self, like: usize, layer: Box<dyn Layer>) -> usize {
        let Entry { mut inputs, mut reads, .. } = self.entries[like].clone();
        if reads.is_empty() {
            let before = like.checked_sub(1);
            inputs.terms = vec![(INPUT.into(), 1.0)];
            reads = vec![Ok(before)];
        }
        self.push(String::new(), layer);
        let last = self.entries.len() - 1;
        (self.entries[last].inputs, self.entries[last].reads) = (inputs, reads);
        last
    }

    /// Names an output: what `layer` yields.
    pub(super) fn add_output(&mut self, name: String, layer: &str) {
        self.changing();
        let layer = self.find(layer);
        self.outputs.push((name, layer));
    }

    /// The same layers, with the table that a microcontroller has.
    pub(super) fn reproducible(&self) -> Self {
        Self { precision: Precision::Reproducible, device: Device::cpu(), ..self.clone() }
    }

    /// The layer at `index`, for modification.
    pub(super) fn layer_mut(&mut self, index: usize) -> Option<&mut Box<dyn Layer>> {
        self.entry_mut(index).map(|entry| &mut entry.layer)
    }

    /// The entry at `index`, for modification.
    pub(super) fn entry_mut(&mut self, index: usize) -> Option<&mut Entry> {
        self.changing();
        self.entries.get_mut(index)
    }

    /// A layer or a setting is about to change.
    pub(super) fn changing(&mut self) {
        self.revision += 1;
    }

    /// A number that differs whenever the layers may differ.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// The nodes of all layers; the first one reads `input`.
    pub(super) fn compile<'a>(&'a self, table: &mut Table<'a>, input: Source) -> Result<Source> {
        let begun = table.begin_network();
        let result = self.compile_outputs(table, input);
        table.end_network(begun);
        result
    }

    /// The nodes of all layers. Returns the first output, that of the last layer if none is named.
    fn compile_outputs<'a>(&'a self, table: &mut Table<'a>, input: Source) -> Result<Source> {
        let mut last = input;
        for i in 0..self.entries.len() {
            last = self.compile_layer(i, table, (input, last))?;
        }
        for output in 0..self.outputs.len() {
            self.layer_of_output(output)?;
        }
        Ok(self.outputs.first().and_then(|(_, layer)| *layer).map_or(last, |layer| table.of_layer(layer)))
    }

    /// The nodes of layer `i`, which reads `last` unless it names its inputs.
    fn compile_layer<'a>(&'a self, i: usize, table: &mut Table<'a>, sources: (Source, Source)) -> Result<Source> {
        let from = self.join(i, table, sources)?;
        self.compile_own(i, table, from)
    }

    /// The nodes of layer `i` itself, which reads `from`.
    fn compile_own<'a>(&'a self, i: usize, table: &mut Table<'a>, from: Source) -> Result<Source> {
        let source = self.entries[i].layer.compile(table, from).map_err(|error| match error {
            Error::Layer { layer, source } => Error::layer(format!("{}, {layer}", self.title(i)), source),
            other => other,
        })?;
        table.layer_yields(source);
        Ok(source)
    }

    /// The nodes that join the inputs of layer `i`. Returns what it reads.
    fn join<'a>(&'a self, i: usize, table: &mut Table<'a>, (input, last): (Source, Source)) -> Result<Source> {
        let entry = &self.entries[i];
        self.check_name(i)?;
        let mut joined = None;
        for (term, (name, weight)) in entry.inputs.terms.iter().enumerate() {
            let source = self.layer_read(i, term)?.map_or(input, |layer| table.of_layer(layer));
            if let Some((first, _)) = joined {
                self.check_join(i, table, (first, source), name)?;
            }
            joined = Some(match (joined, entry.inputs.join) {
                (None, _) => (source, *weight),
                (Some(sum), Join::Sum) => (table.add([sum, (source, *weight)]), 1.0),
                (Some((product, _)), Join::Product) => (table.multiply([product, source]), 1.0),
                (Some((first, _)), Join::Concat) => (table.concat([first, source]), 1.0),
            });
        }
        Ok(joined.map_or(last, |(source, weight)| table.weighted(source, weight)))
    }

    /// Refuses a name of layer `i` that is taken, or none.
    pub(super) fn check_name(&self, i: usize) -> Result<()> {
        let entry = &self.entries[i];
        if entry.unique {
            return Ok(());
        }
        let (item, name, value) = ("Model", "name of a layer", format!("{:?}", entry.name));
        let expected = "letters, digits, _ and -, and neither `input` nor the name of another layer";
        Err(Error::Parameter { item, name, value, expected })
    }

    /// The layer that a term of the inputs of layer `i` names; [`None`] for the model's input.
    pub(super) fn layer_read(&self, i: usize, term: usize) -> Result<Option<usize>> {
        let entry = &self.entries[i];
        entry.reads[term].map_err(|Unknown| {
            let names = self.entries[..i].iter().map(|entry| entry.name.as_str());
            let names = names.filter(|name| !name.is_empty()).chain([INPUT]);
            Error::unknown("layer to read", &entry.inputs.terms[term].0, names)
        })
    }

    /// The layer of the output at `output` among [`Network::outputs`].
    pub(super) fn layer_of_output(&self, output: usize) -> Result<usize> {
        let (name, layer) = &self.outputs[output];
        layer.ok_or_else(|| {
            let names = self.entries.iter().map(|entry| entry.name.as_str()).filter(|name| !name.is_empty());
            Error::unknown("layer of the output", name, names)
        })
    }

    /// Refuses `source`, called `name`, beside `first` among the inputs of layer `i`.
    fn check_join(&self, i: usize, table: &Table<'_>, (first, source): (Source, Source), name: &str) -> Result<()> {
        let inputs = &self.entries[i].inputs;
        let (expected, found) = (table.shape(first), table.shape(source));
        let pixels = (expected.rows, expected.cols) == (found.rows, found.cols);
        let fit = match inputs.join {
            Join::Concat if !pixels => "the same rows and columns",
            Join::Sum | Join::Product if expected != found => "the same shape",
            _ if table.rate(first) != table.rate(source) => "the same frame rate, after the same temporal strides",
            _ => return Ok(()),
        };
        let reads = Box::new([(inputs.terms[0].0.clone(), expected), (name.to_owned(), found)]);
        Err(Error::Inputs { layer: self.title(i), reads, fit })
    }

    /// The layer at `i`, as the names of its parameters begin.
    pub(super) fn prefix(&self, i: usize) -> String {
        let name = &self.entries[i].name;
        if name.is_empty() { i.to_string() } else { name.clone() }
    }

    /// The layer at `i`, for messages.
    pub(super) fn title(&self, i: usize) -> String {
        match self.entries[i].name.as_str() {
            "" => format!("layer {i}"),
            name => format!("layer {name:?}"),
        }
    }

    /// Calls `run` with the core's table of this model, for frames of `input`. `shared` tells whether several threads are
    /// used.
    pub(super) fn compiled<T>(
        &self,
        input: Shape,
        table: &mut Table<'static>,
        shared: bool,
        run: impl FnOnce(Compiled<'_>) -> Result<T>,
    ) -> Result<T> {
        let target = match self.precision.level() {
            _ if self.device.is_device() => Target::Device,
            Some(level) => Target::Vectors(level),
            None => Target::Taps,
        };
        self.compiled_for(target, input, table, shared, run)
    }

    /// [`Network::compiled`] for another target than that of the settings.
    pub(super) fn compiled_for<T>(
        &self,
        target: Target,
        input: Shape,
        table: &mut Table<'static>,
        shared: bool,
        run: impl FnOnce(Compiled<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut borrowed: Table<'_> = std::mem::take(table).recycle();
        borrowed.begin(input, target, shared);
        let result = self.fill(&mut borrowed).and_then(|()| run(borrowed.compiled()?));
        *table = borrowed.recycle();
        result
    }

    fn fill<'a>(&'a self, table: &mut Table<'a>) -> Result<()> {
        let begun = table.begin_network();
        let output = self.compile_outputs(table, Source::Input)?;
        for (_, layer) in self.outputs.iter().skip(1) {
            table.mark_output(layer.map_or(output, |layer| table.of_layer(layer)));
        }
        table.end_network(begun);
        table.end(output);
        Ok(())
    }

    /// For each layer, the number of nodes up to its last one, for frames of `input`.
    pub(super) fn ends(&self, input: Shape) -> Result<Vec<usize>> {
        Ok(self.spans(StreamShape::input(input))?.into_iter().map(|span| span.own.end).collect())
    }

    /// The nodes of each layer, for frames of `input`.
    pub(super) fn spans(&self, input: StreamShape) -> Result<Vec<Span>> {
        let mut table = Table::new(input.shape);
        let (mut last, mut spans) = (Source::Input, Vec::with_capacity(self.entries.len()));
        for i in 0..self.entries.len() {
            let begin = table.nodes().len();
            let from = self.join(i, &mut table, (Source::Input, last))?;
            let (own, mut reads) = (table.nodes().len(), table.stream(from));
            reads.rate.every *= input.rate.every;
            last = self.compile_own(i, &mut table, from)?;
            spans.push(Span { join: begin..own, own: own..table.nodes().len(), reads });
        }
        Ok(spans)
    }

    /// The tables of `graph`, which these layers were compiled into, in samples of 16 bits.
    pub(super) fn integers(&self, graph: &Graph<'_>) -> Result<Tables> {
        let Samples::Q15 { full_scale } = self.samples else { return Ok(Tables::default()) };
        let spans = self.spans(StreamShape::input(graph.input()))?;
        let mut wanted = vec![Wanted::default(); graph.nodes().len()];
        for (i, (entry, span)) in self.entries.iter().zip(&spans).enumerate() {
            if entry.full_scale.is_none() && entry.inner_scale.is_none() {
                continue;
            }
            let Some(last) = span.last() else {
                let (layer, found) = (self.title(i), "a full scale of its own".into());
                return Err(Error::Integers { layer, found, expected: "none, as it yields what it reads" });
            };
            wanted[last] = Wanted { output: entry.full_scale, inner: entry.inner_scale };
            // A sum that is read by a rectifier, or only delayed, has its full scale at once.
            let cuts = |node: &Node<'_>| matches!(node, Node::Filter(_, stage) if only_cuts(stage));
            if let (Some(join), 1) = (span.join.clone().last(), span.own.len())
                && graph.nodes().get(last).is_some_and(cuts)
            {
                wanted[join].output = entry.full_scale;
            }
        }
        let ends: Vec<usize> = spans.into_iter().map(|span| span.own.end).collect();
        Tables::new(graph, exponent(full_scale).unwrap_or(0), &wanted, |node| self.layer_at(node, &ends))
    }

    /// The layer that a node of the table belongs to, for messages: its number or name, its kind, and the position of the
    /// node if the layer has several.
    pub(super) fn layer_of(&self, node: usize, input: Shape) -> String {
        self.layer_at(node, &self.ends(input).unwrap_or_default())
    }

    /// [`Network::layer_of`] with the [`Network::ends`] of the layers.
    pub(super) fn layer_at(&self, node: usize, ends: &[usize]) -> String {
        let Some(i) = ends.iter().position(|end| node < *end) else { return format!("node {node}") };
        let begin = i.checked_sub(1).map_or(0, |before| ends[before]);
        let (title, kind) = (self.title(i), self.entries[i].layer.name());
        match ends[i] - begin {
            1 => format!("{title}, {kind}"),
            count => format!("{title}, {kind} (step {} of {count})", node - begin + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Axis, Branches, Delay, Diff, LowPass, Model, NLRectify, NLSquare, Resolution, Sum};
    use ndarray::{Array3, concatenate};

    #[test]
    fn nodes_are_steps_of_their_layers() {
        let mut network = Network::default();
        network.push(String::new(), Box::new(Diff));
        let square = NLSquare::new(1.0, 0.0).expect("finite");
        network.push(String::new(), Box::new(Branches::new().plus(NLRectify).minus(square)));
        let names = [0, 1, 2, 3, 4].map(|node| network.layer_of(node, Shape::new(1, 2, 3)));
        let step = |n: usize| format!("layer 1, Branches (step {n} of 3)");
        assert_eq!(names, ["layer 0, Diff".into(), step(1), step(2), step(3), "node 4".into()]);
    }

    fn low_pass(tau: f64) -> LowPass {
        LowPass::new(tau, Resolution::DEFAULT).expect("a good time constant")
    }

    fn movie() -> Array3<f32> {
        Array3::from_shape_fn((20, 3, 4), |(t, r, c)| ((7 * t + 3 * r + c) % 5) as f32)
    }

    /// Layers by name compute what branches compute.
    #[test]
    fn sums_are_those_of_branches() {
        let named =
            Model::new().then(Diff).named("fast", low_pass(0.005)).named("slow", low_pass(0.050)).reading("input");
        let mut named = named.named("out", NLRectify).reading([("fast", 1.0), ("slow", -0.5), ("input", 2.0)]);
        let fast = Model::new().then(Diff).then(low_pass(0.005));
        let sum = Branches::new().plus(fast).weighted(-0.5, low_pass(0.050)).weighted(2.0, Model::new());
        let mut branches = Model::of(sum).then(NLRectify);
        assert_eq!(named.run(movie(), 7).expect("a good model"), branches.run(movie(), 20).expect("a good model"));
        assert_eq!(named.names().collect::<Vec<_>>(), ["Diff", "fast", "slow", "out"]);
        assert_eq!(named.layer::<LowPass>("slow").expect("the layer").tau(), 0.050);
        assert!(named.layer::<LowPass>("out").is_none() && named.layer::<Diff>("Diff").is_none(), "neither is there");
    }

    /// A model that is a layer has names and an input of its own.
    #[test]
    fn names_are_those_of_one_model() {
        let inner = Model::new().named("a", low_pass(0.005)).named("b", Diff).reading([("input", 1.0), ("a", -1.0)]);
        let expected = {
            let parts = Branches::new().plus(Model::new()).minus(low_pass(0.005));
            Model::new().then(NLRectify).then(parts).then(Diff).run(movie(), 20).expect("a good model")
        };
        let mut outer =
            Model::new().named("a", NLRectify).named("inner", inner).named("b", Delay::new(0)).reading("inner");
        assert_eq!(outer.run(movie(), 3).expect("a good model"), expected);
    }

    #[test]
    fn layers_are_multiplied_and_concatenated() {
        let parts = || Model::new().named("a", low_pass(0.005)).named("b", Diff).reading("input");
        let run = |mut model: Model| model.run(movie(), 7).expect("a good model");
        let (a, b) = (run(Model::of(low_pass(0.005))), run(Model::of(Diff)));
        let product = run(parts().named("c", Delay::new(0)).reading(Inputs::product(["a", "b", "a"])));
        assert_eq!(product, &a * &b * &a);
        let channels = run(parts().named("c", Delay::new(0)).reading(Inputs::concat(["b", "a", "b"])));
        assert_eq!(channels, concatenate(ndarray::Axis(1), &[b.view(), a.view(), b.view()]).expect("one shape"));
    }

    /// A part computes what its layer computes in the whole model.
    #[test]
    fn parts_are_those_of_the_model() {
        let model = Model::new()
            .named("a", low_pass(0.005))
            .named("unused", NLRectify)
            .named("b", low_pass(0.050))
            .reading([("input", 2.0), ("a", -1.0)])
            .then(Diff)
            .named("c", Delay::new(1))
            .named("d", NLRectify)
            .reading(Inputs::product(["c", "b"]));
        let lengths = [("a", 1), ("unused", 2), ("b", 2), ("c", 4), ("d", 5)];
        for (name, layers) in lengths {
            let mut part = model.part(name).expect("the layer");
            let whole = model.clone().with_output("it", name).run(movie(), 6).expect("a good model");
            assert_eq!((part.len(), part.run(movie(), 20).expect("a good model")), (layers, whole), "{name}");
        }
        assert!(model.part("e").is_none() && model.part(6).is_none(), "neither is there");
    }

    #[test]
    fn names_that_do_not_fit_are_refused() {
        let refused = |mut model: Model, words: [&str; 2]| {
            let error = model.run(movie(), 5).expect_err("a bad model").to_string();
            assert!(words.iter().all(|word| error.contains(word)), "{error}");
            assert_eq!(model.time(), 0);
        };
        let good = || Model::new().named("a", Diff);
        refused(good().named("a", Diff), ["a", "another layer"]);
        refused(good().named("input", Diff), ["input", "another layer"]);
        refused(good().named("b", Diff).reading("c"), ["'c'", "a, input"]);
        refused(good().then(Diff).named("b", Diff).reading(""), ["''", "a, input"]);
        refused(good().named("b", Diff).reading("b"), ["'b'", "a, input"]);
        let one_row =
            Model::new().named("a", Sum::new(Axis::Row)).named("b", Diff).reading([("input", 1.0), ("a", 1.0)]);
        refused(one_row, ["a has frames of 1 x 1 x 4", "input of 1 x 3 x 4"]);
    }
}
