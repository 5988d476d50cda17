//! Runs the event filters that an application has, and links no other: as [`foveola_core::Only`] does for the filters of a model.
//!
//! Each kind is asked for by name, in a branch that the compiler drops when the chain, a constant, has none of it.

use crate::Application;
use core::marker::PhantomData;
use foveola_core::events::{Event, EventChain, EventFilter, EventStage};
use foveola_core::{ConstantModel, Graph};

/// The model of an application.
pub(crate) struct ModelOf<A>(PhantomData<fn() -> A>);

impl<A: Application> ConstantModel for ModelOf<A> {
    type Sample = A::Sample;
    const GRAPH: Graph<'static, A::Sample> = A::PLAN.model;
}

macro_rules! event_kinds {
    ($($kind:ident)*) => {
        const fn has_event_filters(chain: &EventChain<'_>) -> EventKinds {
            let mut kinds = EventKinds { $($kind: false,)* Custom: false };
            let (stages, mut i) = (chain.stages(), 0);
            while i < stages.len() {
                match &stages[i] {
                    $(EventStage::$kind(_) => kinds.$kind = true,)*
                    EventStage::Custom(_) => kinds.Custom = true,
                    _ => panic!("an event filter that this version of foveola-pipeline does not know"),
                }
                i += 1;
            }
            kinds
        }

        #[allow(non_snake_case, reason = "the names of the kinds")]
        struct EventKinds { $($kind: bool,)* Custom: bool }

        impl<A: Application> ModelOf<A> {
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
