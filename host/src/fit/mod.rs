//! Fitting: optimisers, losses, penalties and scores. Nothing here depends on a model.
//!
//! | item | content |
//! |---|---|
//! | [`optimize`] | minimisers of a function with a gradient: L-BFGS, Adam, Levenberg-Marquardt |
//! | [`Transform`] | bounded parameters as free ones |
//! | [`Loss`], [`Observed`] | how far a prediction is from what was measured, with its gradient |
//! | [`Score`] | how good a prediction is, for each neuron |
//! | [`Penalty`] | what is assumed about a kernel: small, smooth, sparse, local |
//! | [`matrix`] | Cholesky factor: steps of Levenberg-Marquardt, variances of estimates |

pub mod bounds;
pub mod loss;
pub mod matrix;
pub mod optimize;
pub mod penalty;
pub mod score;

pub use bounds::Transform;
pub use loss::{Loss, Observed};
pub use optimize::{Objective, Optimizer, Outcome, Step, Stop, Why, minimize};
pub use penalty::Penalty;
pub use score::Score;
