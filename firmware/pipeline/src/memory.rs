//! The memory of a pipeline: frames, state and scratch, all zeros at first, so that a static of it lies in `.bss` and takes
//! no flash.

/// Samples for an input frame, an output frame, the state of a model and its scratch. [`MemoryOf!`](crate::MemoryOf) names
/// the type that fits an application.
#[derive(Debug)]
pub struct Memory<const INPUT: usize, const OUTPUT: usize, const STATE: usize, const SCRATCH: usize> {
    pub(crate) input: [f32; INPUT],
    pub(crate) output: [f32; OUTPUT],
    pub(crate) state: [f32; STATE],
    pub(crate) scratch: [f32; SCRATCH],
}

impl<const INPUT: usize, const OUTPUT: usize, const STATE: usize, const SCRATCH: usize>
    Memory<INPUT, OUTPUT, STATE, SCRATCH>
{
    /// Zeros.
    pub const fn new() -> Self {
        Self { input: [0.0; INPUT], output: [0.0; OUTPUT], state: [0.0; STATE], scratch: [0.0; SCRATCH] }
    }
}

impl<const INPUT: usize, const OUTPUT: usize, const STATE: usize, const SCRATCH: usize> Default
    for Memory<INPUT, OUTPUT, STATE, SCRATCH>
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
        >
    };
}
