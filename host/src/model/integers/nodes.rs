//! Nodes of integers that own their tables.

use foveola_core::conv::Factors;
use foveola_core::{
    Border, Conv3d, ConvOptions, Decay, Error, Kernel, Node, PadMode, Q15, Rf, Shape, SmoothConv, Source, Stage,
    VariableDelay,
};

/// A node and its tables.
#[derive(Debug)]
pub(super) enum OwnedNode {
    /// Without a table.
    Plain(Node<'static, Q15>),
    Conv3d {
        from: Source,
        of: Shape,
        kernel: OwnedKernel,
        options: ConvOptions,
        factors: Option<OwnedFactors>,
    },
    Rf {
        from: Source,
        of: Shape,
        kernel: OwnedKernel,
        pad: Option<PadMode>,
    },
    SmoothConv {
        from: Source,
        of: Shape,
        decays: Vec<Decay>,
        /// The power of two by which the input counts in the first stage.
        amplification: i8,
        /// `stage x row x col`.
        kernel: OwnedKernel,
        border: Border,
        components: bool,
        factors: Option<OwnedFactors>,
    },
    VariableDelay {
        from: Source,
        of: Shape,
        delays: Vec<u32>,
    },
}

/// A kernel with its biases; they count `2^shift` times.
#[derive(Debug)]
pub(super) struct OwnedKernel {
    pub(super) weights: Vec<Q15>,
    pub(super) bias: Vec<Q15>,
    pub(super) shape: [usize; 5],
    pub(super) shift: i8,
}

/// Factors in time, along rows and along columns, with their shifts.
#[derive(Debug)]
pub(super) struct OwnedFactors {
    pub(super) terms: usize,
    pub(super) parts: [Vec<Q15>; 3],
    pub(super) shifts: [i8; 3],
}

impl OwnedKernel {
    fn kernel(&self) -> Kernel<'_, Q15> {
        Kernel { weights: &self.weights, shape: self.shape, bias: &self.bias }
    }
}

impl OwnedFactors {
    fn factors(&self) -> Factors<'_, Q15> {
        let [time, rows, cols] = &self.parts;
        Factors { terms: self.terms, time, rows, cols }
    }
}

impl OwnedNode {
    /// The node for a graph.
    pub(super) fn node(&self) -> Result<Node<'_, Q15>, Error> {
        Ok(match self {
            Self::Plain(node) => *node,
            Self::Conv3d { from, of, kernel, options, factors } => {
                let conv = Conv3d::new_q15(*of, kernel.kernel(), kernel.shift, *options)?;
                let conv = match factors {
                    None => conv,
                    Some(factors) => conv.separable_q15(factors.factors(), factors.shifts)?,
                };
                Node::Filter(*from, Stage::Conv3d(conv))
            }
            Self::Rf { from, of, kernel, pad } => {
                Node::Filter(*from, Stage::Rf(Rf::new_q15(*of, kernel.kernel(), kernel.shift, *pad)?))
            }
            Self::SmoothConv { from, of, decays, amplification, kernel, border, components, factors } => {
                let [.., rows, cols] = kernel.shape;
                let smooth = SmoothConv::new_q15(*of, decays, &kernel.weights, [rows, cols], kernel.shift, *border)?;
                let smooth = smooth.amplified(*amplification)?;
                let smooth = if *components { smooth.components() } else { smooth };
                let smooth = match factors {
                    None => smooth,
                    Some(factors) => {
                        let [_, rows, cols] = factors.shifts;
                        smooth.separable_q15(factors.factors(), [rows, cols])?
                    }
                };
                Node::Filter(*from, Stage::SmoothConv(smooth))
            }
            Self::VariableDelay { from, of, delays } => {
                Node::Filter(*from, Stage::VariableDelay(VariableDelay::new(*of, delays)?))
            }
        })
    }
}
