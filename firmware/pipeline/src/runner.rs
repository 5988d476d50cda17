//! Runs the filters that an application's model and its chain of event filters have, and links no other.
//!
//! By itself a graph calls its filters through a table of all kinds, so that all of them lie in flash. Here each kind is asked
//! for by name, in a branch that the compiler drops when the model, a constant, has none of it: the retina takes 226 kB instead
//! of 276. No call through a pointer is left either (but for [`Stage::Custom`]), so the depth of the stack can be computed.

use crate::Application;
use core::marker::PhantomData;
use foveola_core::events::{Event, EventChain, EventFilter, EventStage};
use foveola_core::{Engine, Error, Filter, First, Graph, Node, NodeChunk, Runner, Sample, SingleThread, Stage};

/// The filters of `A`.
pub(crate) struct Only<A>(PhantomData<fn() -> A>);

impl<A> Only<A> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

/// Defines `has`, which tells whether a graph has filters of a kind, and `with`, which calls `run` with the filter in a stage.
macro_rules! kinds {
    ($($kind:ident)*) => {
        /// Which of the kinds the graph has.
        const fn has(graph: &Graph<'_>) -> Kinds {
            let mut kinds = Kinds { $($kind: false,)* Custom: false };
            let (nodes, mut i) = (graph.nodes(), 0);
            while i < nodes.len() {
                match &nodes[i] {
                    $(Node::Filter(_, Stage::$kind(_)) => kinds.$kind = true,)*
                    Node::Filter(_, Stage::Custom(..)) => kinds.Custom = true,
                    Node::Add(_) | Node::Multiply(_) | Node::Concat(_) => {}
                }
                i += 1;
            }
            kinds
        }

        #[allow(non_snake_case, reason = "the names of the kinds")]
        struct Kinds { $($kind: bool,)* Custom: bool }

        /// `$run` of the filter in a stage of `A`'s model. Other stages do not come here.
        macro_rules! with {
            ($stage:expr, $filter:ident => $run:expr, else $none:expr) => {
                match $stage {
                    $(Stage::$kind($filter) if const { has(&A::PLAN.model).$kind } => $run,)*
                    Stage::Custom($filter, _) if const { has(&A::PLAN.model).Custom } => $run,
                    _ => $none,
                }
            };
        }
    };
}
kinds!(TimePadding Delay VariableDelay Conv3d Rf LowPass HighPass SmoothConv Pointwise Sum Diff Finite);

impl<A: Application> Runner<f32> for Only<A> {
    type Splitter = SingleThread;

    fn splitter(&self) -> SingleThread {
        SingleThread
    }

    fn start(&self, stage: &Stage<'_>, state: &mut [f32], first: First<'_, f32>) {
        with!(stage, filter => filter.start(state, first), else ());
    }

    fn advance(&self, stage: &Stage<'_>, chunk: NodeChunk<'_, f32>) -> Result<usize, Error> {
        let NodeChunk { t, state, scratch, input, output, .. } = chunk;
        with!(stage, filter => filter.advance(t, state, scratch, input, output), else Ok(0))
    }

    fn replace(
        &self,
        stage: &Stage<'_>,
        t: u64,
        state: &mut [f32],
        scratch: &mut [f32],
        frames: &mut [f32],
    ) -> Result<(), Error> {
        let kinds = const { has(&A::PLAN.model) };
        let engine = Engine::single_thread(f32::LANES);
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
}

/// The same for filters of events.
macro_rules! event_kinds {
    ($($kind:ident)*) => {
        const fn has_event_filters(chain: &EventChain<'_>) -> EventKinds {
            let mut kinds = EventKinds { $($kind: false,)* Custom: false };
            let (stages, mut i) = (chain.stages(), 0);
            while i < stages.len() {
                match &stages[i] {
                    $(EventStage::$kind(_) => kinds.$kind = true,)*
                    EventStage::Custom(_) => kinds.Custom = true,
                }
                i += 1;
            }
            kinds
        }

        #[allow(non_snake_case, reason = "the names of the kinds")]
        struct EventKinds { $($kind: bool,)* Custom: bool }

        impl<A: Application> Only<A> {
            /// Whether the event filters of `A` keep an event.
            #[inline(always)]
            pub(crate) fn keeps(state: &mut [u32], event: &mut Event) -> bool {
                let chain = const { &A::PLAN.events };
                chain.pass_with(state, event, |stage, own, event| match stage {
                    $(EventStage::$kind(filter) if const { has_event_filters(&A::PLAN.events).$kind } => {
                        filter.pass(own, event)
                    })*
                    EventStage::Custom(custom) if const { has_event_filters(&A::PLAN.events).Custom } => {
                        custom.filter().pass(own, event)
                    }
                    _ => true,
                })
            }
        }
    };
}
event_kinds!(Stcf RowColumn DoubleWindow Refractory HotPixels PolarityOnly Region Downsample RateLimit);
