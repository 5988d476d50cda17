//! What is inside of a layer, as a layer: to see how large it becomes.

use crate::model::layer::named;
use crate::{Layer, Result, Table};
use foveola_core::{Conv3d, ConvOptions, Decay, Delay, Kernel, LowPass, Node, Source, Stage};

/// A layer that yields what is inside of another one.
#[derive(Clone, Debug)]
pub(super) enum Probe {
    /// What it reads: of a filter that computes in the full scale of that.
    Input,
    /// The first low-pass of a `SmoothConv`: the others yield less.
    LowPass(Decay),
    /// The columns of a separable convolution: kernels of one row, those of each input channel one after the other.
    Columns { kernels: Vec<f32>, taps: usize, options: ConvOptions },
}

/// The probe for the nodes of a layer, if what it yields does not tell enough.
pub(super) fn probe(nodes: &[Node<'_>]) -> Option<Probe> {
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
