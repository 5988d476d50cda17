//! How models compute on the CPU: vector instructions detected at run time, threads, and the algorithms of convolutions.
//!
//! | file | what |
//! |---|---|
//! | `simd` | the filters of core on the vector instructions of this CPU |
//! | `integers` | the same in samples of 16 bits |
//! | `spectral` | a stream through a convolution in the frequency domain, with `fft` |
//! | `plan` | the choice of algorithm for a convolution, from its kernel's `factor`s and a cost model |
//! | `threads` | thread pools, shared by models |
//! | `magnitude` | the largest sample |

pub(crate) mod factor;
pub mod fft;
pub(crate) mod integers;
pub(crate) mod magnitude;
pub(crate) mod plan;
pub(crate) mod simd;
pub(crate) mod spectral;
pub(crate) mod threads;
