//! The memory of a pipeline: frames, state and scratch, all zeros at first, so that a static of it lies in `.bss` and takes
//! no flash.

/// Samples for an input frame, an output frame, the state of a model and its scratch, and words for the state of event filters.
/// [`MemoryOf!`](crate::MemoryOf) names the type that fits an application.
#[derive(Debug)]
pub struct Memory<
    const INPUT: usize,
    const OUTPUT: usize,
    const STATE: usize,
    const SCRATCH: usize,
    const EVENTS: usize = 0,
> {
    pub(crate) input: [f32; INPUT],
    pub(crate) output: [f32; OUTPUT],
    pub(crate) state: [f32; STATE],
    pub(crate) scratch: [f32; SCRATCH],
    pub(crate) events: [u32; EVENTS],
}

impl<const INPUT: usize, const OUTPUT: usize, const STATE: usize, const SCRATCH: usize, const EVENTS: usize>
    Memory<INPUT, OUTPUT, STATE, SCRATCH, EVENTS>
{
    /// Zeros.
    pub const fn new() -> Self {
        Self {
            input: [0.0; INPUT],
            output: [0.0; OUTPUT],
            state: [0.0; STATE],
            scratch: [0.0; SCRATCH],
            events: [0; EVENTS],
        }
    }
}

impl<const INPUT: usize, const OUTPUT: usize, const STATE: usize, const SCRATCH: usize, const EVENTS: usize> Default
    for Memory<INPUT, OUTPUT, STATE, SCRATCH, EVENTS>
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
        >
    };
}
