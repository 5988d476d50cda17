//! Stimuli: sampled movies, and scenes in front of a simulated event sensor.

pub mod samples;
pub mod scene;
