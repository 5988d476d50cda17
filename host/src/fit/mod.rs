//! Fitting: optimisers of functions with a gradient. Nothing here depends on a model.
//!
//! | item | content |
//! |---|---|
//! | [`optimize`] | minimisers of a function with a gradient: L-BFGS, Adam, Levenberg-Marquardt |
//! | [`Transform`] | bounded parameters as free ones |
//! | [`matrix`] | Cholesky factor: steps of Levenberg-Marquardt, variances of estimates |

pub mod bounds;
pub mod matrix;
pub mod optimize;

pub use bounds::Transform;
pub use optimize::{Objective, Optimizer, Outcome, Step, Stop, Why, minimize};
