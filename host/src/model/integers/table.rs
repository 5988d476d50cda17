//! A graph of floats as a graph of integers, whose streams have full scales: see the [table](super).

use super::nodes::{OwnedFactors, OwnedKernel, OwnedNode};
use super::steps::{Steps, steps};
use super::{MOST, exponent_for};
use crate::{Error, Result};
use foveola_core::conv::Factors;
use foveola_core::{
    Checksum, Decay, Graph, HighPass, Layout, LowPass, Node, Nonlinearity, PadMode, Place, Pointwise, Q15, Rf, Shape,
    Source, Stage,
};

/// The nodes of a model in integers, with their tables.
#[derive(Debug, Default)]
pub(in crate::model) struct Tables {
    nodes: Vec<OwnedNode>,
    outputs: Vec<usize>,
    /// For each node of the graph of floats, the node that yields the same, with the exponent of its full scale.
    streams: Vec<(Source, i32)>,
    /// For each node, the node of the graph of floats that it belongs to.
    origins: Vec<usize>,
    /// Of the full scales.
    mark: Checksum,
}

/// Memory for the nodes and places of a graph.
#[derive(Default)]
pub(in crate::model) struct SpareGraph {
    nodes: Vec<Node<'static, Q15>>,
    places: Vec<Place>,
}

/// The exponents of the full scales of a node, where they were set.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::model) struct Wanted {
    /// Of what it yields.
    pub(in crate::model) output: Option<i32>,
    /// Of what is between its stages; see [`Model::set_inner_scale`](crate::Model::set_inner_scale).
    pub(in crate::model) inner: Option<i32>,
}

/// Why a filter has no integers: what was found and what was expected.
type Unfit = (String, &'static str);

/// Whether a filter yields no sample that is larger than those it reads, in their full scale: what reads a sum may cut it there.
pub(in crate::model) fn only_cuts(stage: &Stage<'_>) -> bool {
    match stage {
        Stage::Pointwise(pointwise) => pointwise.function() == Nonlinearity::Rectify,
        Stage::TimePadding(_) | Stage::Delay(_) | Stage::VariableDelay(_) | Stage::Finite(_) => true,
        _ => false,
    }
}

/// How the full scale of what a filter yields is chosen, so that no node has to multiply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Choice {
    /// Any power of two.
    Any,
    /// That of its input.
    Kept,
    /// An even power.
    Even,
    /// 1.
    One,
}

/// The choice that `stage` leaves.
pub(in crate::model) fn choice(stage: &Stage<'_>) -> Choice {
    let function = if let Stage::Pointwise(pointwise) = stage { Some(pointwise.function()) } else { None };
    match function {
        Some(Nonlinearity::Square { .. } | Nonlinearity::RectifySquare { .. }) => Choice::Even,
        Some(Nonlinearity::Logistic { .. }) => Choice::One,
        _ if keeps_scale(stage) => Choice::Kept,
        _ => Choice::Any,
    }
}

/// Whether a filter yields samples of the full scale of its input.
fn keeps_scale(stage: &Stage<'_>) -> bool {
    match stage {
        Stage::Conv3d(_) | Stage::SmoothConv(_) | Stage::LowPass(_) | Stage::Custom(..) => false,
        Stage::Rf(field) => field.is_empty(),
        Stage::Pointwise(pointwise) => pointwise.function() == Nonlinearity::Rectify,
        _ => true,
    }
}

impl Tables {
    /// The tables of `graph`, whose input has the full scale `2^input`, and its nodes those that are `wanted`. `layer_of` names the
    /// layer of a node.
    pub(in crate::model) fn new(
        graph: &Graph<'_>,
        input: i32,
        wanted: &[Wanted],
        layer_of: impl Fn(usize) -> String,
    ) -> Result<Self> {
        let mut tables = Self { mark: Checksum::new().word(input.cast_unsigned()), ..Self::default() };
        for (i, node) in graph.nodes().iter().enumerate() {
            let wanted = wanted.get(i).copied().unwrap_or_default();
            let begin = tables.nodes.len();
            let stream = tables.push(node, graph, input, wanted).map_err(|(found, expected)| Error::Integers {
                layer: layer_of(i),
                found,
                expected,
            })?;
            tables.streams.push(stream);
            tables.mark = tables.mark.word(stream.1.cast_unsigned());
            tables.mark = tables.mark.word(wanted.inner.unwrap_or(i32::MAX).cast_unsigned());
            tables.origins.resize(tables.nodes.len(), i);
            // Checked here, where an error names the layer.
            for owned in &tables.nodes[begin..] {
                owned.node().map_err(|source| Error::layer(layer_of(i), source))?;
            }
        }
        let yields = |node: &usize| match tables.streams[*node] {
            (Source::Node(node), _) => node,
            (Source::Input, _) => 0,
        };
        tables.outputs = graph.outputs().iter().map(yields).collect();
        Ok(tables)
    }

    /// Calls `run` with the graph, for frames of `input`.
    pub(in crate::model) fn with_graph<R>(
        &self,
        input: Shape,
        spare: &mut SpareGraph,
        run: impl FnOnce(&Graph<'_, Q15>) -> Result<R>,
    ) -> Result<R> {
        let fits = |error| Error::layer("the model", error);
        // Collecting in place keeps the allocation; the vector is empty.
        let mut nodes: Vec<Node<'_, Q15>> = std::mem::take(&mut spare.nodes).into_iter().map_while(|_| None).collect();
        for owned in &self.nodes {
            nodes.push(owned.node().map_err(fits)?);
        }
        spare.places.resize(nodes.len(), Place::first(input));
        let result = Graph::with_outputs_and_places(input, &nodes, &self.outputs, &mut spare.places)
            .map_err(fits)
            .and_then(|graph| run(&graph));
        nodes.clear();
        spare.nodes = nodes.into_iter().map_while(|_| None).collect();
        result
    }

    /// The full scale of a node of the graph of floats.
    pub(in crate::model) fn full_scale(&self, node: usize) -> f64 {
        2.0_f64.powi(self.streams.get(node).map_or(0, |(_, exponent)| *exponent))
    }

    /// A number that is another for other full scales.
    pub(in crate::model) const fn mark(&self) -> u32 {
        self.mark.value()
    }

    /// The full scale of each output of `graph`, the first one being that of its last node.
    pub(in crate::model) fn output_scales(&self, graph: &Graph<'_>) -> Vec<f64> {
        let last = graph.nodes().len().saturating_sub(1);
        std::iter::once(last).chain(graph.outputs().iter().copied()).map(|node| self.full_scale(node)).collect()
    }

    /// The number of nodes up to the last one for `node` of the graph of floats.
    pub(in crate::model) fn end(&self, node: usize) -> usize {
        self.origins.partition_point(|origin| *origin <= node)
    }

    /// The node of the graph of floats that a node belongs to.
    pub(in crate::model) fn origin(&self, node: usize) -> usize {
        self.origins.get(node).copied().unwrap_or(self.streams.len())
    }

    /// Samples of state for one stream, and the layouts of the nodes with memory, which belong to the full scales, too.
    pub(in crate::model) fn state_for(&self, input: Shape, spare: &mut SpareGraph) -> Result<(usize, Vec<Layout>)> {
        self.with_graph(input, spare, |graph| {
            let layouts = graph.nodes().iter().filter_map(Node::layout);
            let layouts = layouts.map(|layout| Layout::from(u64::from(layout) ^ u64::from(self.mark())));
            Ok((graph.signature().state, layouts.collect()))
        })
    }

    /// Samples of state of the nodes for `node` of the graph of floats.
    pub(in crate::model) fn state(&self, node: usize) -> usize {
        let nodes = self.nodes.iter().zip(&self.origins).filter(|(_, origin)| **origin == node);
        nodes.filter_map(|(owned, _)| owned.node().ok()).map(|node| node.state()).sum()
    }

    fn stream(&self, source: Source, input: i32) -> (Source, i32) {
        match source {
            Source::Input => (Source::Input, input),
            Source::Node(node) => self.streams.get(node).copied().unwrap_or((Source::Input, input)),
        }
    }

    fn add(&mut self, node: OwnedNode) -> Source {
        self.nodes.push(node);
        Source::Node(self.nodes.len() - 1)
    }

    /// `source` with the full scale `2^to`.
    fn rescaled(&mut self, (source, from): (Source, i32), to: i32) -> Result<(Source, i32), Unfit> {
        if from == to {
            return Ok((source, from));
        }
        if (from - to).abs() > MOST {
            let found = format!("a full scale of 2^{from} that has to become 2^{to}");
            return Err((found, "full scales at most 2^15 apart"));
        }
        // The sum of two exact halves.
        let half = 2.0_f64.powi(from - to - 1);
        Ok((self.add(OwnedNode::Plain(Node::Add([(source, half); 2]))), to))
    }

    /// Adds the nodes for one of the graph of floats.
    fn push(&mut self, node: &Node<'_>, graph: &Graph<'_>, input: i32, wanted: Wanted) -> Result<(Source, i32), Unfit> {
        let stream = |tables: &Self, source| tables.stream(source, input);
        let (natural, scale) = match *node {
            Node::Filter(source, ref stage) => {
                let from = stream(self, source);
                return self.filter(from, graph.stream(source).shape, stage, wanted);
            }
            _ if wanted.inner.is_some() => return Err(no_stages()),
            Node::Add(terms) => {
                let terms = terms.map(|(source, weight)| (stream(self, source), weight));
                let most: f64 = terms.iter().map(|((_, e), weight)| weight.abs() * 2.0_f64.powi(*e)).sum();
                let to = wanted.output.unwrap_or_else(|| exponent_for(most));
                let terms = terms.map(|((source, e), weight)| (source, weight * 2.0_f64.powi(e - to)));
                if let Some((_, weight)) = terms.iter().find(|(_, weight)| weight.abs() >= f64::from(1 << MOST)) {
                    let found = format!("a weight of {weight:e} between full scales");
                    return Err((found, "less than 32768"));
                }
                (self.add(OwnedNode::Plain(Node::Add(terms))), to)
            }
            Node::Multiply(factors) => {
                let [(a, e), (b, f)] = factors.map(|source| stream(self, source));
                (self.add(OwnedNode::Plain(Node::Multiply([a, b]))), e + f)
            }
            Node::Concat(parts) => {
                let [a, b] = parts.map(|source| stream(self, source));
                let to = wanted.output.unwrap_or_else(|| a.1.max(b.1));
                let parts = [self.rescaled(a, to)?.0, self.rescaled(b, to)?.0];
                (self.add(OwnedNode::Plain(Node::Concat(parts))), to)
            }
            _ => return Err(("a node of an unknown kind".into(), "one that integers have")),
        };
        self.rescaled((natural, scale), wanted.output.unwrap_or(scale))
    }

    /// Adds the nodes for a filter.
    fn filter(
        &mut self,
        from: (Source, i32),
        of: Shape,
        stage: &Stage<'_>,
        Wanted { output: wanted, inner }: Wanted,
    ) -> Result<(Source, i32), Unfit> {
        if inner.is_some() && !has_stages(stage) {
            return Err(no_stages());
        }
        // What it yields at most for any input.
        let bound = |e: i32| stage.bound(2.0_f64.powi(e)).map_or(e, |bound| exponent_for(bound.output));
        if keeps_scale(stage) {
            let (source, e) = self.rescaled(from, wanted.unwrap_or_else(|| bound(from.1)))?;
            return Ok((self.alike(source, e, stage)?, e));
        }
        let (source, e) = from;
        let to = wanted.unwrap_or_else(|| bound(e));
        let gain = 2.0_f64.powi(e - to);
        let below = 2.0_f64.powi(-to);
        let node = match stage {
            Stage::Conv3d(conv) => {
                check_padding(conv.options().pad, e)?;
                let (kernel, options) = (conv.kernel(), *conv.options());
                let [outs, ins, ..] = kernel.shape;
                let bias = scaled(kernel.bias, below);
                let factors = conv.factors().map(|factors| {
                    let lines = outs * ins * factors.terms;
                    self::factors(factors, [e, to], inner, &bias, [lines, outs])
                });
                let (factors, bias) = match factors.transpose()? {
                    None => (None, bias),
                    // Weights that nothing is computed with; the biases are those of the factors.
                    Some((factors, bias)) => (Some((factors, bias)), Vec::new()),
                };
                let mut kernel = kernel_of(kernel.weights, gain, &bias, kernel.shape, outs)?;
                let factors = factors.map(|(factors, bias)| {
                    // Halved, so that they fit whatever the biases of the factors are.
                    kernel.weights.iter_mut().for_each(|w| *w = Q15::from_bits(w.to_bits() / 2));
                    kernel.bias = bias;
                    factors
                });
                OwnedNode::Conv3d { from: source, of, kernel, options, factors }
            }
            Stage::Rf(field) => {
                check_padding(field.pad(), e)?;
                let kernel = field.kernel();
                let bias = scaled(kernel.bias, below);
                let kernel = kernel_of(kernel.weights, gain, &bias, kernel.shape, kernel.shape[0])?;
                OwnedNode::Rf { from: source, of, kernel, pad: field.pad() }
            }
            Stage::SmoothConv(smooth) => {
                let (weights, [rows, cols]) = smooth.weights();
                let shape = [smooth.decays().len(), 1, 1, rows, cols];
                // The stages have a full scale of their own.
                let amplification = (e - inner.unwrap_or(e)).clamp(-MOST, MOST);
                let e = e - amplification;
                let gain = 2.0_f64.powi(e - to);
                let factors = smooth.factors().map(|factors| {
                    let lines = shape[0] * factors.terms;
                    self::factors(factors, [e, to], None, &[], [lines, 1]).map(|(factors, _)| factors)
                });
                OwnedNode::SmoothConv {
                    from: source,
                    of,
                    decays: smooth.decays().iter().map(|decay| decay.with_remainder()).collect(),
                    amplification: amplification as i8,
                    kernel: kernel_of(weights, gain, &[], shape, 1)?,
                    border: smooth.border(),
                    components: smooth.yields_components(),
                    factors: factors.transpose()?,
                }
            }
            Stage::LowPass(low) => {
                let shift = (e - to).clamp(-MOST, MOST); // what is beyond is rescaled
                let filter = LowPass::new(of, low.decay().with_remainder()).amplified(shift as i8);
                let filter = filter.map_err(|error| (error.to_string(), "full scales at most 2^15 apart"))?;
                let node = self.add(OwnedNode::Plain(Node::Filter(source, Stage::LowPass(filter))));
                return self.rescaled((node, e - shift), to);
            }
            Stage::Pointwise(pointwise) => {
                let (function, natural) = nonlinearity(pointwise.function(), e, to)?;
                let filter = Pointwise::new(of, function).map_err(|error| (error.to_string(), "a finite number"))?;
                let node = self.add(OwnedNode::Plain(Node::Filter(source, Stage::Pointwise(filter))));
                return self.rescaled((node, natural), wanted.unwrap_or(natural));
            }
            _ => return Err(("a filter of the program itself".into(), "a filter of this crate")),
        };
        Ok((self.add(node), to))
    }

    /// A filter that computes the same at any full scale.
    fn alike(&mut self, from: Source, e: i32, stage: &Stage<'_>) -> Result<Source, Unfit> {
        let of = stage.signature().input;
        let plain = |stage| OwnedNode::Plain(Node::Filter(from, stage));
        let fits = |error: foveola_core::Error| (error.to_string(), "what it takes in floats");
        let node = match stage {
            Stage::TimePadding(padding) => {
                check_padding(Some(padding.mode()), e)?;
                plain(Stage::TimePadding(*padding))
            }
            Stage::Delay(delay) => plain(Stage::Delay(*delay)),
            Stage::VariableDelay(delay) => OwnedNode::VariableDelay { from, of, delays: delay.delays().to_vec() },
            Stage::HighPass(high) => {
                let decay: Decay = high.decay().with_remainder();
                plain(Stage::HighPass(HighPass::new(of, decay, high.k()).map_err(fits)?))
            }
            Stage::Rf(field) => {
                check_padding(field.pad(), e)?;
                let [out, _, frames, ..] = field.kernel().shape;
                plain(Stage::Rf(Rf::uniform(of, out, frames, field.pad()).map_err(fits)?))
            }
            Stage::Pointwise(pointwise) => plain(Stage::Pointwise(*pointwise)),
            Stage::Sum(sum) => plain(Stage::Sum(*sum)),
            Stage::Diff(diff) => plain(Stage::Diff(*diff)),
            Stage::Finite(finite) => plain(Stage::Finite(*finite)),
            _ => return Err(("a filter of the program itself".into(), "a filter of this crate")),
        };
        Ok(self.add(node))
    }
}

fn scaled(numbers: &[f32], gain: f64) -> Vec<f64> {
    numbers.iter().map(|number| f64::from(*number) * gain).collect()
}

fn in_steps(weights: &[f64], bias: &[f64], sums: usize) -> Result<Steps, Unfit> {
    steps(weights, bias, sums).ok_or_else(|| {
        let most = weights.iter().chain(bias).fold(0.0, |most: f64, w| most.max(w.abs()));
        (format!("weights of up to {most:e} between full scales"), "sums of weights below 65536: a larger full scale")
    })
}

fn kernel_of(weights: &[f32], gain: f64, bias: &[f64], shape: [usize; 5], sums: usize) -> Result<OwnedKernel, Unfit> {
    let Steps { weights, bias, shift } = in_steps(&scaled(weights, gain), bias, sums)?;
    Ok(OwnedKernel { weights, bias, shape, shift })
}

/// Whether a filter has something between its stages with a full scale of its own: low-passes, or the columns before the rows.
fn has_stages(stage: &Stage<'_>) -> bool {
    match stage {
        Stage::SmoothConv(_) => true,
        Stage::Conv3d(conv) => conv.factors().is_some(),
        _ => false,
    }
}

fn no_stages() -> Unfit {
    ("an inner full scale".into(), "one of SmoothConv and separable convolutions alone")
}

/// Factors from the full scale `2^from` to `2^to`, and the biases that go with those along rows. What is between them has the full
/// scale `2^inner`, or one from which it cannot saturate.
fn factors(
    of: &Factors<'_>,
    [from, to]: [i32; 2],
    inner: Option<i32>,
    bias: &[f64],
    [lines, outs]: [usize; 2],
) -> Result<(OwnedFactors, Vec<Q15>), Unfit> {
    // The largest gain of a line: a power of two, which the full scale of its results has in addition.
    let growth = |numbers: &[f32]| {
        let lines = numbers.chunks((numbers.len() / lines.max(1)).max(1));
        let most = lines.map(|line| line.iter().map(|w| f64::from(w.abs())).sum()).fold(0.0, f64::max);
        if numbers.is_empty() { 0 } else { exponent_for(most) }
    };
    let in_time = growth(of.time);
    let inner = inner.unwrap_or_else(|| from + in_time + growth(of.cols));
    let power = |e: i32| 2.0_f64.powi(e);
    let part = |numbers: &[f32], gain: f64, bias: &[f64], sums: usize| in_steps(&scaled(numbers, gain), bias, sums);
    let time = part(of.time, power(-in_time), &[], lines)?;
    let cols = part(of.cols, power(from + in_time - inner), &[], lines)?;
    let rows = part(of.rows, power(inner - to), bias, outs)?;
    let shifts = [time.shift, rows.shift, cols.shift];
    let parts = [time.weights, rows.weights, cols.weights];
    Ok((OwnedFactors { terms: of.terms, parts, shifts }, rows.bias))
}

/// The ones of a padding are samples only where they are in range.
fn check_padding(pad: Option<PadMode>, exponent: i32) -> Result<(), Unfit> {
    if pad == Some(PadMode::Ones) && exponent != 0 {
        return Err((format!("a padding of ones at a full scale of 2^{exponent}"), "a full scale of 1"));
    }
    Ok(())
}

/// The function for an input of `2^from` and an output of about `2^to`, and the exponent of what it yields.
fn nonlinearity(function: Nonlinearity, from: i32, to: i32) -> Result<(Nonlinearity, i32), Unfit> {
    let power = |e: i32| 2.0_f64.powi(e);
    Ok(match function {
        Nonlinearity::RectifyScale { scale, bias } => {
            let (scale, bias) = (scale * power(from - to), bias * power(-to));
            (Nonlinearity::RectifyScale { scale, bias }, to)
        }
        Nonlinearity::Square { scale, bias } | Nonlinearity::RectifySquare { scale, bias } => {
            // Half of an exponent that is odd is rounded up.
            let root = (to + 1).div_euclid(2);
            let (scale, bias) = (scale * power(from - root), bias * power(-root));
            let square = match function {
                Nonlinearity::Square { .. } => Nonlinearity::Square { scale, bias },
                _ => Nonlinearity::RectifySquare { scale, bias },
            };
            (square, 2 * root)
        }
        Nonlinearity::Exponential { scale, bias } => {
            let (scale, bias) = (scale * power(from), bias - f64::from(to) * std::f64::consts::LN_2);
            (Nonlinearity::Exponential { scale, bias }, to)
        }
        Nonlinearity::Logistic { scale, bias } => (Nonlinearity::Logistic { scale: scale * power(from), bias }, 0),
        Nonlinearity::Softplus { scale, bias } if to <= 0 => {
            (Nonlinearity::Softplus { scale: scale * power(from), bias }, 0)
        }
        Nonlinearity::Softplus { .. } => {
            return Err((format!("a softplus of up to 2^{to}"), "a full scale of 1 or less, or another nonlinearity"));
        }
        other => (other, from),
    })
}
