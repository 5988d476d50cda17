//! Speed: the measured workloads, the hardware peak of the machine, and the time measurement of both.
//!
//! The command `foveola bench`, the benchmarks and the report of the repository measure the same workloads, so their numbers
//! are comparable:
//!
//! | number | meaning |
//! |---|---|
//! | time per frame | the median over slices of a few milliseconds; contestants take turns, so a disturbance affects all |
//! | direct FLOP/s | operations of direct evaluation, two per multiply-add; other algorithms can exceed the peak |
//! | B/s | the bytes that every algorithm has to move: input, output, and state kept between chunks |
//! | limit | multiply-adds in registers, or a copy or a sum of about a chunk's bytes: the best quarter of the same run |
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

/// The digits of a whole number in groups of three.
///
/// ```
/// assert_eq!(foveola_cli::bench::grouped("1234567"), "1,234,567");
/// ```
pub fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
