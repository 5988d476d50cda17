//! The hardware peak of the machine: multiply-adds per second in registers, and bytes per second of a copy or a sum within
//! the second-level cache, within the last-level cache, and in main memory.
//!
//! The first bounds convolutions; the second bounds filters that access each sample once.

use super::workload::Bound;
use super::{Contestant, Timing, measure_all};
use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch};
use foveola::{Error, Result, SimdLevel};
use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;
use std::time::Instant;

/// Rounds of multiply-adds per call.
const ROUNDS: usize = 10_000;
/// Independent chains: more than latency x units of any core.
const CHAINS: usize = 12;
/// Independent sums, for the same reason.
const SUMS: usize = 8;
/// Samples per thread within its second-level cache: 128 kB.
const NEAR: usize = 1 << 15;
/// Samples of all threads together within a last-level cache: 8 MB, the size of a workload's chunk.
const PIECE: usize = 1 << 21;
/// Samples of all threads together far larger than the last-level cache: 256 MB.
const FAR: usize = 1 << 26;
/// Approximate seconds per call: long compared with the start of a thread.
const CALL: f64 = 2e-3;

/// The memory that holds the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// 128 kB per thread: a second-level cache.
    Cache,
    /// 8 MB: a last-level cache.
    Piece,
    /// 256 MB: memory.
    Memory,
}

impl Place {
    /// All places.
    pub const ALL: [Self; 3] = [Self::Cache, Self::Piece, Self::Memory];

    /// The place of data of this many bytes that is processed repeatedly.
    pub fn of(bytes: f64) -> Self {
        if bytes <= 5e5 {
            Self::Cache
        } else if bytes <= 2.4e7 {
            Self::Piece
        } else {
            Self::Memory
        }
    }

    /// The size in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cache => "128 kB",
            Self::Piece => "8 MB",
            Self::Memory => "256 MB",
        }
    }
}

/// A measurement of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Multiply-adds in registers, with the vectors of a level; each counts as two operations.
    MultiplyAdd(SimdLevel),
    /// One half of the samples copied to the other; counts bytes read and written.
    Copy(Place),
    /// The sum of the samples; counts bytes read.
    Read(Place),
}

/// The hardware peak of the machine with a number of threads.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// The number of threads.
    pub threads: usize,
    /// Floating-point operations per second at each level of the CPU, the best one last.
    pub multiply_add: Vec<(SimdLevel, f64)>,
    /// Bytes per second of a copy, in each [`Place`].
    pub copy: [f64; 3],
    /// Bytes per second of a sum, in each [`Place`].
    pub read: [f64; 3],
}

impl Limits {
    /// Measures the limits for each number of threads, each for `seconds`, in turns.
    ///
    /// # Errors
    /// [`Error::Memory`] when the 256 MB cannot be allocated.
    pub fn measure(threads: &[usize], seconds: f64) -> Result<Vec<Self>> {
        let far = samples(FAR)?;
        let levels = SimdLevel::available();
        let places = Place::ALL;
        let probes: Vec<Probe> = (levels.iter().map(|level| Probe::MultiplyAdd(*level)))
            .chain(places.map(Probe::Copy))
            .chain(places.map(Probe::Read))
            .collect();
        let pairs = threads.iter().flat_map(|threads| probes.iter().map(|probe| (*probe, *threads)));
        let contestants: Result<Vec<_>> =
            pairs.map(|(probe, threads)| probe.contestant_in(threads, Some(&far))).collect();
        let timings = measure_all(&mut contestants?, seconds)?;
        let rates: Vec<f64> = timings.iter().map(Timing::limit).collect();
        let each = threads.iter().zip(rates.chunks_exact(probes.len()));
        Ok(each
            .map(|(threads, rates)| {
                let (registers, memory) = rates.split_at(levels.len());
                let multiply_add = levels.iter().copied().zip(registers.iter().copied()).collect();
                let (copy, read) = memory.split_at(places.len());
                let of = |rates: &[f64]| std::array::from_fn(|place| rates.get(place).copied().unwrap_or_default());
                Self { threads: *threads, multiply_add, copy: of(copy), read: of(read) }
            })
            .collect())
    }

    /// Floating-point operations per second at the best level.
    pub fn peak(&self) -> f64 {
        self.multiply_add.iter().fold(0.0, |most, (_, rate)| most.max(*rate))
    }

    /// Operations or bytes per second that `bound` allows, in a place.
    pub fn of(&self, bound: Bound, place: Place) -> f64 {
        match bound {
            Bound::MultiplyAdd => self.peak(),
            Bound::Copy => self.copy[place as usize],
            Bound::Read => self.read[place as usize],
        }
    }
}

type Samples = Rc<RefCell<Vec<f32>>>;

fn samples(len: usize) -> Result<Samples> {
    let mut samples = Vec::new();
    samples.try_reserve_exact(len).map_err(|_| Error::Memory { what: "the limits of the machine", samples: len })?;
    samples.resize(len, 1.0_f32);
    Ok(Rc::new(RefCell::new(samples)))
}

impl Probe {
    /// The probe that measures `bound` in a place.
    pub fn of(bound: Bound, place: Place) -> Self {
        match bound {
            Bound::MultiplyAdd => {
                Self::MultiplyAdd(SimdLevel::available().last().copied().unwrap_or(SimdLevel::Baseline))
            }
            Bound::Copy => Self::Copy(place),
            Bound::Read => Self::Read(place),
        }
    }

    /// The probe with a number of threads; its work is counted in operations or bytes.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn contestant(self, threads: usize) -> Result<Contestant<'static>> {
        self.contestant_in(threads, None)
    }

    /// [`Probe::contestant`], in memory that is shared with others.
    fn contestant_in(self, threads: usize, far: Option<&Samples>) -> Result<Contestant<'static>> {
        let threads = threads.max(1);
        let best = Level::new();
        let room = |place| match (place, far) {
            (Place::Cache, _) => samples(NEAR * threads),
            (Place::Piece, _) => samples(PIECE),
            (Place::Memory, Some(far)) => Ok(far.clone()),
            (Place::Memory, None) => samples(FAR),
        };
        // The work of a round, and a function that runs a number of rounds.
        let (work, mut rounds): (f64, Box<dyn FnMut(usize)>) = match self {
            Self::MultiplyAdd(level) => {
                let level = level.level().unwrap_or(best);
                let lanes = dispatch!(level, simd => lanes(simd));
                let rounds = move |n| {
                    share((0..threads).map(|_| ()), |()| {
                        for _ in 0..n {
                            black_box(dispatch!(level, simd => multiply_adds(simd)));
                        }
                    });
                };
                ((2 * lanes * CHAINS * ROUNDS * threads) as f64, Box::new(rounds))
            }
            Self::Copy(place) => {
                let samples = room(place)?;
                let work = 4 * samples.borrow().len() / threads * threads;
                let rounds = move |n| {
                    let mut samples = samples.borrow_mut();
                    let len = samples.len() / threads;
                    share(samples.chunks_exact_mut(len), |samples| {
                        let (to, from) = samples.split_at_mut(len / 2);
                        (0..n).for_each(|_| black_box(&mut *to).copy_from_slice(black_box(&from[..len / 2])));
                    });
                };
                (work as f64, Box::new(rounds))
            }
            Self::Read(place) => {
                let samples = room(place)?;
                let work = 4 * samples.borrow().len();
                let rounds = move |n| {
                    let samples = samples.borrow();
                    share(samples.chunks(samples.len().div_ceil(threads)), |samples| {
                        for _ in 0..n {
                            black_box(dispatch!(best, simd => sum(simd, black_box(samples))));
                        }
                    });
                };
                (work as f64, Box::new(rounds))
            }
        };
        rounds(1);
        let begin = Instant::now();
        rounds(1);
        let n = (CALL / begin.elapsed().as_secs_f64().max(1e-9)).clamp(1.0, 1e5) as usize;
        Ok(Contestant::new(self.name(threads), work * n as f64, move || {
            rounds(n);
            Ok(())
        }))
    }

    fn name(self, threads: usize) -> String {
        let threads = if threads == 1 { "1 thread".into() } else { format!("{threads} threads") };
        match self {
            Self::MultiplyAdd(level) => format!("multiply-add, {level:?}, {threads}"),
            Self::Copy(place) => format!("copy, {place:?}, {threads}"),
            Self::Read(place) => format!("read, {place:?}, {threads}"),
        }
    }
}

/// Processes the first part on this thread, and each of the others on its own thread.
fn share<P: Send>(mut parts: impl Iterator<Item = P>, work: impl Fn(P) + Sync) {
    std::thread::scope(|scope| {
        let work = &work;
        let own = parts.next();
        for part in parts {
            scope.spawn(move || work(part));
        }
        own.map(work);
    });
}

#[inline(always)]
fn lanes<S: Simd>(_: S) -> usize {
    S::f32s::LEN
}

/// `ROUNDS` multiply-adds in each of `CHAINS` vectors; returns their sum.
#[inline(always)]
fn multiply_adds<S: Simd>(simd: S) -> f32 {
    let (factor, term) = (S::f32s::splat(simd, 0.999), S::f32s::splat(simd, 1e-3));
    let mut chains = [S::f32s::splat(simd, black_box(1.0)); CHAINS];
    for _ in 0..ROUNDS {
        for chain in &mut chains {
            *chain = chain.mul_add(factor, term);
        }
    }
    chains.iter().map(|chain| chain.as_slice().iter().sum::<f32>()).sum()
}

/// The sum of the samples.
#[inline(always)]
fn sum<S: Simd>(simd: S, samples: &[f32]) -> f32 {
    let mut sums = [S::f32s::splat(simd, 0.0); SUMS];
    for samples in samples.chunks_exact(SUMS * S::f32s::LEN) {
        for (sum, samples) in sums.iter_mut().zip(samples.chunks_exact(S::f32s::LEN)) {
            *sum += S::f32s::from_slice(simd, samples);
        }
    }
    sums.iter().map(|sum| sum.as_slice().iter().sum::<f32>()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_read_and_copied() {
        for threads in 1..=3 {
            for bound in [Bound::Copy, Bound::Read, Bound::MultiplyAdd] {
                let probe = Probe::of(bound, Place::Cache);
                let mut contestant = probe.contestant(threads).expect("memory");
                assert!(contestant.work > 0.0, "{}", contestant.name);
                (contestant.call)().expect("no error");
            }
        }
        assert_eq!(dispatch!(Level::new(), simd => sum(simd, &[1.0; 1024])), 1024.0);
    }
}
