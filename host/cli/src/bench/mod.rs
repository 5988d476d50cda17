//! Speed: the workloads that are measured, what the machine can do at most, and a stopwatch for both.
//!
//! The command `foveola bench`, the benchmarks and the report of the repository measure this table, so their numbers
//! mean the same:
//!
//! | number | what it is |
//! |---|---|
//! | time a frame | the median over slices of a few milliseconds; contestants take turns, so that a disturbance hits all alike |
//! | direct FLOP/s | operations of the definition, term by term, a multiply-add as two; a plan that saves some can go beyond the peak |
//! | B/s | the bytes that every way to compute it has to move: input, output, and history that outlasts a piece |
//! | limit | multiply-adds in registers, or a copy or a sum of about as many bytes as a piece: the best quarter of the same run |
//!
//! ```
//! use foveola_cli::bench::{self, Limits, Setting};
//!
//! let setting = Setting { threads: 1, ..Setting::default() };
//! let workload = bench::find("low_pass")?.sized(16, 16);
//! let limits = Limits::measure(&[1], 0.001)?;
//! let [timing] = bench::measure([workload.contestant(&setting)?], 0.001)?;
//! let rates = workload.rates(timing.median, &limits[0]);
//! assert!(rates.frames > 0.0 && rates.fraction > 0.0);
//! # Ok::<(), foveola::Error>(())
//! ```

pub mod denoise;
mod limits;
mod machine;
mod measure;
mod operation;
mod table;
mod workload;

pub use limits::{Limits, Place, Probe};
pub use machine::{Machine, cores};
pub use measure::{Contestant, Timing, measure, measure_all};
pub use operation::{Operation, gaussian, noise};
pub use table::{find, table};
pub use workload::{Bound, Rates, Setting, Workload};
