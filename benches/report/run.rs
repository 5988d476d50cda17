//! One workload: everyone who takes part, and the limits that bound it, in turns.

use crate::targets;
use foveola::{Plan, Result};
use foveola_benches::{Who, entrants};
use foveola_cli::bench::{Bound, Probe, Timing, Workload, measure_all};

/// What was measured of one who took part.
pub(crate) struct Entry {
    /// Who.
    pub(crate) who: Who,
    /// With how many threads.
    pub(crate) threads: usize,
    /// Which way its convolution goes, where foveola plans one.
    pub(crate) plan: Option<Plan>,
    /// How long a frame took.
    pub(crate) timing: Timing,
}

/// A workload with all that was measured of it.
pub(crate) struct Measured {
    /// What.
    pub(crate) workload: Workload,
    /// Everyone.
    pub(crate) entries: Vec<Entry>,
    /// Operations or bytes a second that the machine could do, by what bounds and the number of threads.
    pub(crate) limits: Vec<(Bound, usize, f64)>,
}

impl Measured {
    /// The entry of foveola or a competitor.
    pub(crate) fn entry(&self, who: Who, threads: usize) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.who == who && entry.threads == threads)
    }

    /// The share of a limit that an entry reaches.
    pub(crate) fn fraction(&self, entry: &Entry, bound: Bound) -> Option<f64> {
        let of = |(of, threads, _): &&(Bound, usize, f64)| *of == bound && *threads == entry.threads;
        let (.., limit) = self.limits.iter().find(of)?;
        Some(self.workload.demand(bound) / entry.timing.median / limit)
    }
}

/// Measures a workload for `seconds` each.
pub(crate) fn run(workload: Workload, threads: &[usize], seconds: f64) -> Result<Measured> {
    let first = workload.operation.bound();
    let others = targets::fractions(&workload.name).iter().map(|(bound, _)| *bound).filter(|bound| *bound != first);
    let bounds: Vec<Bound> = [first].into_iter().chain(others).collect();
    let mut entries = Vec::new();
    let mut contestants = Vec::new();
    let pairs: Vec<(Bound, usize)> =
        bounds.iter().flat_map(|bound| threads.iter().map(|threads| (*bound, *threads))).collect();
    for (bound, threads) in &pairs {
        contestants.push(Probe::of(*bound, workload.place()).contestant(*threads)?);
    }
    for entrant in entrants(&workload, threads)? {
        entries.push((entrant.who, entrant.threads, entrant.plan));
        contestants.push(entrant.contestant);
    }
    let timings = measure_all(&mut contestants, seconds)?;
    let (limits, timings) = timings.split_at(pairs.len());
    let limits = pairs.iter().zip(limits).map(|((bound, threads), timing)| (*bound, *threads, timing.limit()));
    let entries = entries.into_iter().zip(timings);
    let entries = entries.map(|((who, threads, plan), timing)| Entry { who, threads, plan, timing: *timing });
    Ok(Measured { entries: entries.collect(), limits: limits.collect(), workload })
}
