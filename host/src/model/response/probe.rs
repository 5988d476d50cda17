//! Where responses are read in a network, how long they last, and which layers are linear.

use crate::model::inputs::Join;
use crate::model::layer::Table;
use crate::model::network::Network;
use crate::{Model, Result};
use foveola_core::{Decay, Graph, Node, Shape, Source, Stage, StreamShape};

/// A place of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Probe {
    /// What a layer yields.
    Layer(usize),
    /// The sum that a layer reads.
    InputOf(usize),
}

/// What lies between the input of a network and a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reach {
    /// Frames of the input after which a response has fallen to a thousandth.
    pub(super) lasts: f64,
    pub(super) linear: bool,
    /// Whether a flash at another pixel has the same response there.
    pub(super) shifts: bool,
    /// Pixels of the input from one pixel to the next, and position of the first pixel.
    pub(super) pitch: [f64; 2],
    pub(super) origin: [f64; 2],
}

impl Reach {
    const INPUT: Self = Self { lasts: 0.0, linear: true, shifts: true, pitch: [1.0; 2], origin: [0.0; 2] };

    /// The reach of the node after the nodes before it.
    fn of(node: &Node<'_>, graph: &Graph<'_>, known: &[Self]) -> Self {
        let get = |source: Source| match source {
            Source::Input => Self::INPUT,
            Source::Node(node) => known.get(node).copied().unwrap_or(Self::INPUT),
        };
        let (first, second) = node.sources();
        let (from, other) = (get(first), second.map_or(get(first), get));
        let joined = Self {
            lasts: from.lasts.max(other.lasts),
            linear: from.linear && other.linear,
            shifts: from.shifts && other.shifts,
            ..from
        };
        match node {
            Node::Add(_) | Node::Concat(_) => joined,
            Node::Filter(source, stage) => from.through(stage, graph.stream(*source).rate.every as f64),
            _ => Self { linear: false, ..joined },
        }
    }

    /// After a filter that takes every `every`-th frame of the input.
    fn through(self, stage: &Stage<'_>, every: f64) -> Self {
        let longer = |frames: f64| Self { lasts: self.lasts + every * frames, ..self };
        match stage {
            Stage::Conv3d(conv) => {
                let ([frames, extents @ ..], borders) = (conv.extents(), conv.borders());
                let moved = [0, 1].map(|axis| {
                    // Without a border the first pixel is where the middle of the kernel fits first.
                    let middle = extents[axis] / 2 - borders[axis].0;
                    self.origin[axis] + self.pitch[axis] * middle as f64
                });
                let stride = conv.options().stride;
                let pitch = [self.pitch[0] * stride[1] as f64, self.pitch[1] * stride[2] as f64];
                // A stride takes some places and frames, and leaves others out.
                let shifts = self.shifts && stride == [1; 3];
                Self { pitch, origin: moved, shifts, ..longer((frames - 1) as f64) }
            }
            Stage::Rf(rf) => Self { shifts: false, ..longer((rf.kernel().shape[2] - 1) as f64) },
            Stage::Delay(delay) => longer(delay.frames().0 as f64),
            Stage::VariableDelay(delay) => {
                let longest = delay.delays().iter().copied().max().unwrap_or(0);
                Self { shifts: false, ..longer(f64::from(longest)) }
            }
            Stage::LowPass(filter) => longer(decay(filter.decay())),
            Stage::HighPass(filter) => longer(decay(filter.decay())),
            Stage::SmoothConv(conv) => longer(conv.decays().iter().copied().map(decay).sum()),
            Stage::Diff(_) => longer(1.0),
            Stage::Pointwise(_) => Self { linear: false, ..self },
            Stage::Sum(sum) => {
                let signature = sum.signature();
                let shifts = signature.input.pixels() == signature.output.pixels();
                Self { shifts: self.shifts && shifts, ..self }
            }
            Stage::TimePadding(_) | Stage::Finite(_) => self,
            // What it does is not known; its state has a bounded number of frames.
            Stage::Custom(_, signature) => {
                let frames = signature.state / signature.input.len().max(1);
                Self { linear: false, shifts: false, ..longer(frames as f64) }
            }
            _ => Self { linear: false, shifts: false, ..self },
        }
    }
}

/// Frames in which an exponential falls to a thousandth.
fn decay(decay: Decay) -> f64 {
    if decay.gain() >= 1.0 { 0.0 } else { 1e-3_f64.ln() / (-decay.gain()).ln_1p() }
}

impl Network {
    /// The outputs by their names.
    pub(super) fn output_probes(&self) -> Vec<(String, Probe)> {
        self.output_layers().map(|(name, layer)| (name.to_owned(), Probe::Layer(layer))).collect()
    }

    /// The network on the CPU, with the probes as outputs. Its convolutions are direct: where there is no response they
    /// yield 0, and those in the frequency domain yield rounding.
    pub(super) fn probing(&self, probes: &[Probe]) -> Self {
        let mut network = self.reproducible();
        let layers: Vec<usize> = probes
            .iter()
            .map(|probe| match *probe {
                Probe::Layer(layer) => layer,
                Probe::InputOf(layer) => network.push_reading_like(layer, Box::new(Model::new())),
            })
            .collect();
        network.set_outputs(layers);
        network
    }

    /// What lies between the input and each output, and the frames there.
    pub(super) fn reaches<T>(&self, input: Shape, of: impl Fn(Reach, StreamShape) -> T) -> Result<Vec<T>> {
        self.compiled(input, &mut Table::default(), false, |compiled| {
            let graph = &compiled.graph;
            let mut known = Vec::with_capacity(graph.nodes().len());
            for node in graph.nodes() {
                known.push(Reach::of(node, graph, &known));
            }
            let last = known.len().saturating_sub(1);
            let nodes = [last].into_iter().chain(graph.outputs().iter().copied());
            Ok(nodes.map(|node| of(known[node], graph.stream(Source::Node(node)))).collect())
        })
    }

    /// The linear stages in front of a layer; see [`Model::linear_responses`].
    pub(super) fn linear_probes(&self, layer: usize, input: Shape) -> Result<Vec<Probe>> {
        let own = self.own_linear(input)?;
        // Whether all layers up to this one are linear.
        let mut linear: Vec<bool> = Vec::with_capacity(own.len());
        for (i, own) in own.iter().enumerate() {
            let reads = self.reads_of(i);
            linear.push(*own && reads.iter().flatten().all(|read| linear[*read]));
        }
        let mut probes = Vec::new();
        let mut seen = vec![false; own.len()];
        let mut open = vec![layer];
        while let Some(i) = open.pop() {
            if std::mem::replace(&mut seen[i], true) {
                continue;
            }
            let reads = self.reads_of(i);
            if linear[i] {
                probes.push(Probe::Layer(i));
                continue;
            }
            let sum = self.entries()[i].inputs.join == Join::Sum && reads.iter().flatten().all(|read| linear[*read]);
            match &reads[..] {
                [Some(read)] if sum && self.entries()[i].inputs.terms.iter().all(|(_, weight)| *weight == 1.0) => {
                    open.push(*read);
                }
                _ if sum => probes.push(Probe::InputOf(i)),
                // The last is taken first.
                _ => open.extend(reads.iter().rev().flatten()),
            }
        }
        Ok(probes)
    }

    /// What a layer reads: layers, and none for the input of the network.
    fn reads_of(&self, layer: usize) -> Vec<Option<usize>> {
        let sources = self.entries()[layer].sources();
        if sources.is_empty() { vec![layer.checked_sub(1)] } else { sources }
    }

    /// For each layer, whether its own nodes are linear.
    fn own_linear(&self, input: Shape) -> Result<Vec<bool>> {
        // The table that the ends are of.
        let network = self.reproducible();
        let ends = network.ends(input)?;
        network.compiled(input, &mut Table::default(), false, |compiled| {
            let (graph, mut begin) = (&compiled.graph, 0);
            let is_linear = |end: &usize| {
                let nodes = graph.nodes().get(begin..*end).unwrap_or(&[]);
                begin = *end;
                nodes.iter().all(|node| match node {
                    Node::Filter(_, stage) => Reach::INPUT.through(stage, 1.0).linear,
                    Node::Add(_) | Node::Concat(_) => true,
                    _ => false,
                })
            };
            Ok(ends.iter().map(is_linear).collect())
        })
    }
}
