//! Fixtures shared by the tests.
//!
//! | module | what |
//! |---|---|
//! | [`spec`] | a layer as plain data, from which the host's layer and the naive twin are made |
//! | [`random`] | strategies: frames, recordings and their cuts, every layer |
//! | [`stream`] | the same recording through the host and through `core` alone |
//! | [`naive`] | the naive twin of every linear filter, and how far rounding may take the real one from it |
//! | [`every`] | every filter of `core`, over any sample type |
//! | [`fixed`] | a fixed-point sample |
//! | [`nodes`] | random tables of nodes and their naive twin |
//! | [`golden`] | cases with their expected output |
//! | [`guide`] | the examples of the guide, as doctests |
//! | [`device`] | the GPU under test, and how far it may be from the processor |

pub mod device;
pub mod every;
pub mod fixed;
pub mod golden;
pub mod guide;
pub mod naive;
pub mod nodes;
pub mod random;
pub mod spec;
pub mod stream;
