//! How large the samples of a model become, and those inside of its layers: in a recording, or for any input.

use crate::model::layer::named;
use crate::model::network::Span;
use crate::{Layer, Model, Result, Table};
use foveola_core::{Conv3d, ConvOptions, Decay, Delay, Kernel, LowPass, Node, Shape, Source, Stage, StreamShape};
use ndarray::ArrayView5;

/// A model, each of whose layers is an output, with further layers behind all others, which yield what is inside of them.
pub(super) struct Probed {
    model: Model,
    /// The nodes of all layers.
    pub(super) spans: Vec<Span>,
    /// For each further layer, the one that it looks into, and whether it yields what that one reads.
    places: Vec<(usize, bool)>,
}

/// Largest magnitudes.
pub(super) struct Largest {
    /// Of what each layer yields.
    pub(super) layers: Vec<f64>,
    /// Of what is between its stages.
    pub(super) inner: Vec<Option<f64>>,
    /// Of what it reads, where it computes in the full scale of that.
    pub(super) reads: Vec<Option<f64>>,
}

impl Probed {
    /// `model` for frames of `shape`.
    pub(super) fn new(model: &Model, shape: Shape) -> Result<Self> {
        let spans = model.network.spans(StreamShape::input(shape))?;
        let network = model.network.reproducible();
        let probes: Vec<Option<Probe>> = network.compiled(shape, &mut Table::default(), false, |compiled| {
            Ok(spans.iter().map(|span| probe(compiled.graph.nodes().get(span.own.clone())?)).collect())
        })?;
        let (mut model, mut places) = (model.clone(), Vec::new());
        for (i, probe) in probes.into_iter().enumerate() {
            let Some(probe) = probe else { continue };
            places.push((i, matches!(probe, Probe::Input)));
            model.network.push_reading_like(i, Box::new(probe));
        }
        model.network.set_outputs(0..model.len());
        let spans = model.network.spans(StreamShape::input(shape))?;
        Ok(Self { model, spans, places })
    }

    /// The largest magnitudes in a recording.
    pub(super) fn in_chunks<'a>(&mut self, chunks: impl Iterator<Item = ArrayView5<'a, f32>>) -> Result<Largest> {
        let mut most = vec![0.0_f64; self.model.len()];
        for chunk in chunks {
            for (most, output) in most.iter_mut().zip(self.model.process_all(chunk)?) {
                *most = output.iter().fold(*most, |most, y| most.max(f64::from(y.abs())));
            }
        }
        Ok(self.largest(most))
    }

    /// What each node of the model in floats can yield at most, for inputs of up to `range` in any order.
    pub(super) fn bounds(&self, shape: Shape, range: f64) -> Result<Vec<f64>> {
        self.model.network.reproducible().compiled(shape, &mut Table::default(), false, |compiled| {
            let mut bounds: Vec<f64> = Vec::new();
            for node in compiled.graph.nodes() {
                let bound = node.bound(|source| match source {
                    Source::Input => range,
                    Source::Node(node) => bounds.get(node).copied().unwrap_or(f64::INFINITY),
                });
                bounds.push(bound.map_or(f64::INFINITY, |bound| bound.output));
            }
            Ok(bounds)
        })
    }

    /// [`Probed::bounds`] of the layers.
    pub(super) fn of_layers(&self, bounds: &[f64]) -> Largest {
        let of = |span: &Span| span.last().and_then(|node| bounds.get(node)).copied().unwrap_or(0.0);
        self.largest(self.spans.iter().map(of).collect())
    }

    fn largest(&self, mut layers: Vec<f64>) -> Largest {
        let of_probes = layers.split_off(layers.len() - self.places.len());
        let none = vec![None; layers.len()];
        let mut largest = Largest { layers, inner: none.clone(), reads: none };
        for ((layer, reads), most) in self.places.iter().zip(of_probes) {
            let of = if *reads { &mut largest.reads } else { &mut largest.inner };
            of[*layer] = Some(most);
        }
        largest
    }
}

/// A layer that yields what is inside of another one.
#[derive(Clone, Debug)]
enum Probe {
    /// What it reads: of a filter that computes in the full scale of that.
    Input,
    /// The first low-pass of a `SmoothConv`: the others yield less.
    LowPass(Decay),
    /// The columns of a separable convolution: kernels of one row, those of each input channel one after the other.
    Columns { kernels: Vec<f32>, taps: usize, options: ConvOptions },
}

/// The probe for the nodes of a layer, if what it yields does not tell enough.
fn probe(nodes: &[Node<'_>]) -> Option<Probe> {
    match nodes {
        [Node::Filter(_, Stage::HighPass(_) | Stage::Sum(_) | Stage::Diff(_))] => Some(Probe::Input),
        [Node::Filter(_, Stage::Rf(field))] if field.is_empty() => Some(Probe::Input),
        [Node::Filter(_, Stage::SmoothConv(smooth))] => smooth.decays().first().map(|decay| Probe::LowPass(*decay)),
        [Node::Filter(_, Stage::Conv3d(conv))] => {
            let (factors, [outs, ins, kt, _, taps]) = (conv.factors()?, conv.kernel().shape);
            let groups = conv.options().groups;
            if kt > 1 {
                return None;
            }
            let mut kernels = Vec::with_capacity(factors.cols.len());
            let channels = ins * groups;
            for channel in 0..channels {
                let (group, i) = (channel / ins, channel % ins);
                for out in group * outs / groups..(group + 1) * outs / groups {
                    let first = (out * ins + i) * factors.terms * taps;
                    kernels.extend_from_slice(factors.cols.get(first..first + factors.terms * taps)?);
                }
            }
            let [.., dilation] = conv.options().dilation;
            let border = conv.options().border;
            let options = ConvOptions { border, dilation: [1, 1, dilation], groups: channels, ..ConvOptions::DEFAULT };
            Some(Probe::Columns { kernels, taps, options })
        }
        _ => None,
    }
}

impl Layer for Probe {
    fn name(&self) -> &'static str {
        "inside"
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        let shape = table.shape(from);
        let stage = match self {
            Self::Input => Stage::Delay(Delay::new(shape, 0, 0)),
            Self::LowPass(decay) => Stage::LowPass(LowPass::new(shape, *decay)),
            Self::Columns { kernels, taps, options } => {
                let kernel = Kernel::new(kernels, [kernels.len() / taps, 1, 1, 1, *taps]);
                Stage::Conv3d(named(self, Conv3d::new(shape, kernel, *options))?)
            }
        };
        Ok(table.push(from, stage))
    }
}
