//! Fitting a model's parameters to recordings: [`Fit`].
//!
//! | item | content |
//! |---|---|
//! | [`optimize`] | minimisers of a function with a gradient: L-BFGS, Adam, Levenberg-Marquardt |
//! | [`Transform`] | bounded parameters as free ones |
//! | [`Loss`], [`Observed`] | how far a prediction is from what was measured, with its gradient |
//! | [`Score`] | how good a prediction is, for each neuron |
//! | [`Penalty`] | what is assumed about a kernel: small, smooth, sparse, local |
//! | [`Poisson`] | random counts of a known mean: spikes of a rate |
//! | [`matrix`] | Cholesky factor: steps of Levenberg-Marquardt, variances of estimates |

pub mod bounds;
pub mod direct;
mod fitted;
pub mod loss;
pub mod matrix;
mod measured;
pub mod optimize;
pub mod penalty;
pub mod poisson;
mod problem;
mod run;
pub mod score;
mod subject;
#[cfg(test)]
mod tests;

pub use bounds::Transform;
pub use fitted::{Fitted, FittedParameter, Prediction, Progress, Scores};
pub use loss::{Loss, Observed};
pub use measured::Measured;
pub use optimize::{Objective, Optimizer, Outcome, Step, Stop, Why, minimize};
pub use penalty::Penalty;
pub use poisson::Poisson;
pub use run::Fit;
pub use score::Score;
