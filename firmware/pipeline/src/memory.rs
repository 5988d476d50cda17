//! The memory of a pipeline: frames, state and scratch, all zeros at first, so that a static of it lies in `.bss` and takes
//! no flash.

use foveola_core::Sample;

/// Samples for an input frame, an output frame, the state of a model and its scratch, and words for the state of event filters.
/// [`MemoryOf!`](crate::MemoryOf) names the type that fits an application.
#[derive(Debug)]
pub struct Memory<
    const INPUT: usize,
    const OUTPUT: usize,
    const STATE: usize,
    const SCRATCH: usize,
    const EVENTS: usize = 0,
    T = f32,
> {
    pub(crate) input: [T; INPUT],
    pub(crate) output: [T; OUTPUT],
    pub(crate) state: [T; STATE],
    pub(crate) scratch: [T; SCRATCH],
    pub(crate) events: [u32; EVENTS],
}

impl<const INPUT: usize, const OUTPUT: usize, const STATE: usize, const SCRATCH: usize, const EVENTS: usize, T: Sample>
    Memory<INPUT, OUTPUT, STATE, SCRATCH, EVENTS, T>
{
    /// Zeros.
    pub const fn new() -> Self {
        Self {
            input: [T::ZERO; INPUT],
            output: [T::ZERO; OUTPUT],
            state: [T::ZERO; STATE],
            scratch: [T::ZERO; SCRATCH],
            events: [0; EVENTS],
        }
    }
}

impl<const INPUT: usize, const OUTPUT: usize, const STATE: usize, const SCRATCH: usize, const EVENTS: usize, T: Sample>
    Default for Memory<INPUT, OUTPUT, STATE, SCRATCH, EVENTS, T>
{
    fn default() -> Self {
        Self::new()
    }
}

/// The type of the [`Memory`] that fits an [`Application`](crate::Application).
#[macro_export]
macro_rules! MemoryOf {
    ($application:ty) => {
        $crate::Memory<
            { <$application as $crate::Application>::PLAN.samples()[0] },
            { <$application as $crate::Application>::PLAN.samples()[1] },
            { <$application as $crate::Application>::PLAN.samples()[2] },
            { <$application as $crate::Application>::PLAN.samples()[3] },
            { <$application as $crate::Application>::PLAN.events().state_len() },
            <$application as $crate::Application>::Sample,
        >
    };
}
