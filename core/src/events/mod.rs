//! From a sensor's bytes to frames.
