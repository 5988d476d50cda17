//! What the program `foveola` measures machines with, for the benchmarks of the repository.

pub mod bench;
