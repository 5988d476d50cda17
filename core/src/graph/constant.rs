//! Runs a model that is a constant, and links only the filters that it has.
//!
//! By itself a graph calls its filters through a table of all kinds, so that all of them lie in flash. Here each kind is asked
//! for by name, in a branch that the compiler drops when the model has none of it. Inside a filter, [`Lanes::asks`] names what few
//! models need, and the compiler drops that, too. No call through a pointer is left either
//! (but for [`Stage::Custom`]), so that the depth of the stack can be computed.

use super::runner::{concat, product, product_in_place, weighted_sum, weighted_sum_in_place};
use super::{Graph, Node, NodeChunk, Runner, Stage};
use crate::cases::Cases;
use crate::engine::{Engine, SingleThread};
use crate::lanes::Lanes;
use crate::sample::Scaled;
use crate::{Checksum, Error, Filter, First, Q15, Sample};
use core::marker::PhantomData;

/// A model that is a constant.
///
/// ```
/// use foveola_core::{
///     ConstantModel, Decay, Graph, LowPass, Node, Q15, Shape, Source, Stage, Stream, StreamOf, constant,
/// };
/// const SHAPE: Shape = Shape::new(1, 1, 2);
/// const HALF: Decay = constant!(Decay::from_gain(0.5)).with_remainder();
/// static NODES: [Node<Q15>; 1] = [Node::Filter(Source::Input, Stage::LowPass(LowPass::new(SHAPE, HALF)))];
/// struct Trace;
/// impl ConstantModel for Trace {
///     type Sample = Q15;
///     const GRAPH: Graph<'static, Q15> = constant!(Graph::new(SHAPE, &NODES));
/// }
/// let mut stream: StreamOf!(Trace) = Stream::new();
/// assert_eq!(stream.step(&Q15::array([3, -20_000])), Ok(Some(&Q15::array([2, -10_000])[..])));
/// ```
pub trait ConstantModel {
    /// What samples are: [`f32`], [`Q15`], or another type.
    type Sample: Sample;
    /// The model.
    const GRAPH: Graph<'static, Self::Sample>;
    /// Whether convolutions pass over [zeros](crate::conv::sparse), which makes frames of events fast. For frames of brightness, set it
    /// to `false`: a retina then takes 5 kB less flash on a Cortex-M4. The bits are the same.
    const SKIPS_ZEROS: bool = true;
}

/// A sample whose models have a [checksum](Graph::checksum): [`f32`] and [`Q15`]. It is that of the constant model `M`.
///
/// A constant cannot call the methods of a trait, so each type has the constant itself.
pub trait Checksummed<M>: Sample {
    /// The checksum of `M`'s graph, as the compiler read it.
    const CHECKSUM: Checksum;
}

impl<M: ConstantModel<Sample = Self>> Checksummed<M> for f32 {
    const CHECKSUM: Checksum = M::GRAPH.checksum(Checksum::new());
}

impl<M: ConstantModel<Sample = Self>> Checksummed<M> for Q15 {
    const CHECKSUM: Checksum = M::GRAPH.checksum(Checksum::new());
}

/// The runner with the kinds of filters of `M` alone; [`Stream`](super::Stream) uses it.
///
/// ```
/// use foveola_core::{ConstantModel, Decay, Error, Graph, LowPass, Node, Only, Shape, Source, Stage, constant};
/// const SHAPE: Shape = Shape::new(1, 1, 2);
/// static NODES: [Node; 1] =
///     [Node::Filter(Source::Input, Stage::LowPass(LowPass::new(SHAPE, constant!(Decay::from_gain(0.5)))))];
/// struct Trace;
/// impl ConstantModel for Trace {
///     type Sample = f32;
///     const GRAPH: Graph<'static> = constant!(Graph::new(SHAPE, &NODES));
/// }
/// let (mut state, mut scratch, mut out) = ([0.0; 2], [0.0; Trace::GRAPH.scratch_len(1, 1)], [0.0; 2]);
/// Trace::GRAPH.run_batch_with(&Only::<Trace>::new(), 0, 1, &mut state, &mut scratch, &[1.0, 4.0], &mut out)?;
/// assert_eq!(out, [0.5, 2.0]);
/// # Ok::<(), Error>(())
/// ```
pub struct Only<M>(PhantomData<fn() -> M>);

impl<M> Only<M> {
    /// The runner.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<M> Default for Only<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M> core::fmt::Debug for Only<M> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Only")
    }
}

impl<M> Clone for Only<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Only<M> {}

/// The sample's own lanes, for the cases of `M` alone.
impl<M: ConstantModel> Lanes<M::Sample> for Only<M> {
    type Vector = Vector<M>;
    const WIDTH: usize = Own::<M>::WIDTH;
    const COLUMNS: usize = Own::<M>::COLUMNS;
    const SPREAD: usize = if M::SKIPS_ZEROS { Own::<M>::SPREAD } else { 0 };
    const PLAIN: bool = Own::<M>::PLAIN;
    const LOOPS: bool = Own::<M>::LOOPS;

    #[inline(always)]
    fn splat(self, value: M::Sample) -> Vector<M> {
        M::Sample::LANES.splat(value)
    }

    #[inline(always)]
    fn load(self, from: &[M::Sample]) -> Vector<M> {
        M::Sample::LANES.load(from)
    }

    #[inline(always)]
    fn store(self, vector: Vector<M>, to: &mut [M::Sample]) {
        M::Sample::LANES.store(vector, to);
    }

    #[inline(always)]
    fn multiply_add(self, acc: Vector<M>, x: Vector<M>, w: Vector<M>) -> Vector<M> {
        M::Sample::LANES.multiply_add(acc, x, w)
    }

    #[inline(always)]
    fn asks(cases: Cases, is: bool) -> bool {
        const { M::GRAPH.cases() }.has(cases) && is
    }

    #[inline(always)]
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        M::Sample::LANES.vectorize(f)
    }
}

type Own<M> = <<M as ConstantModel>::Sample as Sample>::Lanes;
type Vector<M> = <Own<M> as Lanes<<M as ConstantModel>::Sample>>::Vector;

/// What is done with a node.
#[derive(Clone, Copy)]
enum Use {
    /// Its state is filled before the first frame.
    Start,
    /// It writes frames of its own.
    Advance,
    /// It replaces frames that it reads.
    Replace,
}

/// Whether node `i` of the graph is used so.
const fn is_used<T: Sample>(graph: &Graph<'_, T>, i: usize, how: Use) -> bool {
    let replaces = i < graph.places().len() && graph.places()[i].replaces.is_some();
    match how {
        Use::Start => graph.nodes()[i].state() > 0,
        Use::Advance => !replaces,
        Use::Replace => replaces,
    }
}

/// Defines `has`, which tells whether a graph has nodes of a kind, and `with`, which calls `run` with the filter in a stage.
macro_rules! kinds {
    ($($kind:ident)*) => {
        /// Which of the kinds the graph has that are used so.
        const fn has<T: Sample>(graph: &Graph<'_, T>, how: Use) -> Kinds {
            let mut kinds = Kinds { $($kind: false,)* Custom: false, Add: false, Multiply: false, Concat: false };
            let (nodes, mut i) = (graph.nodes(), 0);
            while i < nodes.len() {
                match &nodes[i] {
                    _ if !is_used(graph, i, how) => {}
                    $(Node::Filter(_, Stage::$kind(_)) => kinds.$kind = true,)*
                    Node::Filter(_, Stage::Custom(..)) => kinds.Custom = true,
                    Node::Add(_) => kinds.Add = true,
                    Node::Multiply(_) => kinds.Multiply = true,
                    Node::Concat(_) => kinds.Concat = true,
                }
                i += 1;
            }
            kinds
        }

        #[allow(non_snake_case, reason = "the names of the kinds")]
        struct Kinds { $($kind: bool,)* Custom: bool, Add: bool, Multiply: bool, Concat: bool }

        /// `$run` of the filter in a stage of a model whose kinds are `$kinds`. Other stages do not come here.
        macro_rules! with {
            ($kinds:expr, $stage:expr, $filter:ident => $run:expr, else $none:expr) => {
                match $stage {
                    $(Stage::$kind($filter) if $kinds.$kind => $run,)*
                    Stage::Custom($filter, _) if $kinds.Custom => $run,
                    _ => $none,
                }
            };
        }
    };
}
kinds!(TimePadding Delay VariableDelay Conv3d Rf LowPass HighPass SmoothConv Pointwise Sum Diff Finite);

impl<M: ConstantModel> Runner<M::Sample> for Only<M> {
    type Splitter = SingleThread;

    fn splitter(&self) -> SingleThread {
        SingleThread
    }

    #[inline(always)]
    fn asks(&self, cases: Cases, is: bool) -> bool {
        <Self as Lanes<M::Sample>>::asks(cases, is)
    }

    fn start(&self, stage: &Stage<'_, M::Sample>, state: &mut [M::Sample], first: First<'_, M::Sample>) {
        let kinds = const { has(&M::GRAPH, Use::Start) };
        with!(kinds, stage, filter => filter.start(state, first), else ());
    }

    fn advance(&self, stage: &Stage<'_, M::Sample>, chunk: NodeChunk<'_, M::Sample>) -> Result<usize, Error> {
        let kinds = const { has(&M::GRAPH, Use::Advance) };
        let engine = Engine::single_thread(*self);
        let NodeChunk { t, state, scratch, input, output, .. } = chunk;
        match stage {
            Stage::Conv3d(filter) if kinds.Conv3d => filter.advance_with(engine, t, state, scratch, input, output),
            Stage::SmoothConv(filter) if kinds.SmoothConv => {
                filter.advance_with(engine, t, state, scratch, input, output)
            }
            Stage::Pointwise(filter) if kinds.Pointwise => Ok(filter.advance_with(engine, input, output)),
            Stage::Conv3d(_) | Stage::SmoothConv(_) | Stage::Pointwise(_) => Ok(0),
            other => with!(kinds, other, filter => filter.advance(t, state, scratch, input, output), else Ok(0)),
        }
    }

    fn replace(
        &self,
        stage: &Stage<'_, M::Sample>,
        t: u64,
        state: &mut [M::Sample],
        scratch: &mut [M::Sample],
        frames: &mut [M::Sample],
    ) -> Result<(), Error> {
        let kinds = const { has(&M::GRAPH, Use::Replace) };
        let engine = Engine::single_thread(*self);
        match stage {
            Stage::Pointwise(filter) if kinds.Pointwise => filter.replace_with(engine, frames),
            Stage::SmoothConv(filter) if kinds.SmoothConv => {
                return filter.replace_with(engine, t, state, scratch, frames);
            }
            Stage::Finite(filter) if kinds.Finite => return filter.check(t, frames),
            _ => {}
        }
        Ok(())
    }

    fn add(&self, branches: [&[M::Sample]; 2], weights: Scaled<[M::Sample; 2]>, to: &mut [M::Sample]) {
        if const { has(&M::GRAPH, Use::Advance).Add } {
            weighted_sum(branches, weights, to);
        }
    }

    fn add_to(&self, to: &mut [M::Sample], b: &[M::Sample], weights: Scaled<[M::Sample; 2]>) {
        if const { has(&M::GRAPH, Use::Replace).Add } {
            weighted_sum_in_place(to, b, weights);
        }
    }

    fn multiply(&self, branches: [&[M::Sample]; 2], to: &mut [M::Sample]) {
        if const { has(&M::GRAPH, Use::Advance).Multiply } {
            product(branches, to);
        }
    }

    fn multiply_to(&self, to: &mut [M::Sample], b: &[M::Sample]) {
        if const { has(&M::GRAPH, Use::Replace).Multiply } {
            product_in_place(to, b);
        }
    }

    fn concat(&self, branches: [(&[M::Sample], usize); 2], to: &mut [M::Sample]) {
        if const { has(&M::GRAPH, Use::Advance).Concat } {
            concat(branches, to);
        }
    }
}
