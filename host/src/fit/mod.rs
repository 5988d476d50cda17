//! Fitting a model's parameters to recordings: [`Fit`].
//!
//! ```text
//! stimulus --> model(parameters) --> prediction --> loss, + penalties --> optimiser --> parameters
//!                                        measured ---^
//! ```
//!
//! | item | content |
//! |---|---|
//! | [`Fit`], [`Fitted`], [`Measured`] | a fit, its result, and what was measured |
//! | [`Loss`], [`Observed`] | how far a prediction is from what was measured, with its gradient |
//! | [`Penalty`] | what is assumed about a kernel: small, smooth, sparse, local |
//! | [`optimize`] | minimisers of a function with a gradient: L-BFGS, Adam, Levenberg-Marquardt |
//! | [`Transform`] | bounded parameters as free ones |
//! | [`Score`] | how good a prediction is, for each neuron |
//! | [`direct`] | receptive fields in closed form: spike-triggered average and covariance, ridge regression |
//! | [`Poisson`] | random counts of a known mean: spikes of a rate |
//! | [`matrix`] | Cholesky factor: steps of Levenberg-Marquardt, variances of estimates |
//!
//! Gradients are those of [`Model::gradient`](crate::Model::gradient). Delays are whole frames and cannot be fitted.

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
mod report;
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
