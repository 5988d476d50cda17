//! The benchmark code of the program `foveola`, for the benchmarks of the repository.

pub mod bench;
