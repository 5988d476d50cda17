//! foveola
