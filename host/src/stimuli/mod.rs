//! What a model is shown: sampled stimuli, and scenes before a simulated event sensor.

pub mod samples;
pub mod scene;
