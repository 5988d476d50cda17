//! How models compute on the CPU: vectors found at run time, threads, and the algorithms of convolutions.
//!
//! | file | what |
//! |---|---|
//! | `simd` | the filters of core on the vectors of this CPU |
//! | `spectral` | a stream through a convolution in the frequency domain, by `fft` |
//! | `plan` | which algorithm a convolution uses, by its kernel's `factor`s and a cost model |
//! | `threads` | thread pools, shared by models |
//! | `magnitude` | the largest sample |

pub(crate) mod factor;
pub mod fft;
pub(crate) mod magnitude;
pub(crate) mod plan;
pub(crate) mod simd;
pub(crate) mod spectral;
pub(crate) mod threads;
