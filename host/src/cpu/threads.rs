//! Threads: pools of `rayon`, one for each number of threads that is in use, shared by the models that use it and freed with
//! the last of them.
//!
//! A filter says where its work falls into halves ([`Fork`]); they are shared out while a half is worth more than handing it
//! to another thread costs. Where the work is cut changes no bit of the result.
//!
//! A caller that already runs in a pool of `rayon`, its own or one of these, stays on its thread. A worker that waits for
//! another pool, or for half of a join in its own, takes up other work meanwhile: the loop around the model, say, which may
//! want the lock that this very call holds, or feed another model, and another, until the stack is full.

use crate::{Error, Result};
#[cfg(feature = "gpu")]
use foveola_core::graph::MOVE;
use foveola_core::{Fork, Graph, Node, Stage};
use rayon::ThreadPool;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Multiply-adds that are worth a thread's while: about 8 us, where a `rayon::join` whose other half is taken costs 1 to 3 us
/// (measured on two cores of an x86-64).
const LEAST: usize = 1 << 18;

/// Multiply-adds that are cut in two.
const CUT: usize = 2 * LEAST;

/// Multiply-adds of a chunk that can be shared for which the pool is entered at all: about 130 us. Handing a chunk over and
/// back costs 10 to 20 us.
const ENTER: usize = 24 * LEAST;

/// What a chunk of `frames` frames is worth to a team: the multiply-adds that can be shared.
pub(crate) fn worth(graph: &Graph<'_>, batch: usize, frames: usize) -> usize {
    let works = graph.nodes().iter().map(|node| match node {
        Node::Filter(_, stage) => match (stage, stage.work()) {
            // Streams, and frames.
            (Stage::Conv3d(_) | Stage::SmoothConv(_) | Stage::Rf(_), work) => work,
            // Pixels, a few frames at a time: bound by the memory that the threads share, so that only large chunks gain.
            (Stage::LowPass(_) | Stage::HighPass(_) | Stage::Diff(_) | Stage::Pointwise(_), work) => work / 8,
            (_, work) if batch > 1 => work,
            _ => 0,
        },
        Node::Add(_) => 0,
    });
    works.fold(0, usize::saturating_add).saturating_mul(batch).saturating_mul(frames)
}

/// Who shares the work of a chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Threads {
    /// Work that is cut.
    cut: usize,
    /// How often it may be cut in two.
    depth: u32,
    /// Threads in all.
    count: usize,
}

impl Threads {
    /// The calling thread.
    pub(crate) const ALONE: Self = Self { cut: usize::MAX, depth: 0, count: 1 };

    /// All work that can be cut is.
    #[cfg(test)]
    pub(crate) fn eager(count: usize) -> Self {
        Self { cut: 1, depth: count.next_power_of_two().ilog2() + 3, count }
    }

    /// How many threads to share a piece of `work` multiply-adds among.
    pub(crate) fn count(self, work: usize) -> usize {
        if self.halve(work).is_some() { self.count } else { 1 }
    }
}

impl Fork for Threads {
    #[inline]
    fn halve(self, work: usize) -> Option<Self> {
        (work >= self.cut).then_some(())?;
        Some(Self { depth: self.depth.checked_sub(1)?, ..self })
    }

    fn join<A: Send, B: Send>(self, a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
        rayon::join(a, b)
    }
}

/// Copies as much as both hold, in halves where that is worth it.
#[cfg(feature = "gpu")]
pub(crate) fn copy(fork: Threads, from: &[f32], to: &mut [f32]) {
    let len = from.len().min(to.len());
    if let Some(fork) = fork.halve(len.saturating_mul(MOVE)) {
        let (from, from_rest) = from.split_at(len / 2);
        let (to, to_rest) = to.split_at_mut(len / 2);
        fork.join(|| copy(fork, from, to), || copy(fork, from_rest, to_rest));
        return;
    }
    to[..len].copy_from_slice(&from[..len]);
}

/// How many threads a model uses, and its pool once it was needed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Team {
    /// 0 for as many as the machine has.
    size: usize,
    pool: Option<Arc<ThreadPool>>,
    /// Cuts all work that can be cut, however small: for tests.
    eager: bool,
}

impl Team {
    pub(crate) fn of(size: usize) -> Self {
        Self { size, ..Self::default() }
    }

    pub(crate) fn eager(self) -> Self {
        Self { eager: true, ..self }
    }

    /// Whether there is more than one thread.
    pub(crate) fn shares(&self) -> bool {
        self.size != 1
    }

    /// Gets the pool ready if a chunk of that [`worth`] is to be shared.
    ///
    /// # Errors
    /// [`Error::Threads`] when the system has no more threads.
    pub(crate) fn prepare(&mut self, work: usize) -> Result<()> {
        if self.size == 0 {
            self.size = std::thread::available_parallelism().map_or(1, usize::from);
        }
        if self.pool.is_none() && self.size > 1 && (self.eager || work >= ENTER) && !in_a_pool() {
            self.pool = Some(pool(self.size)?);
        }
        Ok(())
    }

    /// Runs `f` where its halves may be shared, if a chunk of that [`worth`] is.
    pub(crate) fn run<R: Send>(&self, work: usize, f: impl FnOnce(Threads) -> R + Send) -> R {
        match &self.pool {
            Some(pool) if (self.eager || work >= ENTER) && !in_a_pool() => {
                // Twice as many pieces as threads, so that one that is held up is helped out.
                let depth = self.size.next_power_of_two().ilog2() + 1;
                let cut = if self.eager { 1 } else { CUT };
                pool.install(|| f(Threads { cut, depth, count: self.size }))
            }
            _ => f(Threads::ALONE),
        }
    }
}

/// Whether the caller runs in a pool of `rayon`.
fn in_a_pool() -> bool {
    rayon::current_thread_index().is_some()
}

/// The pool of `size` threads: that of other models, or a new one.
fn pool(size: usize) -> Result<Arc<ThreadPool>> {
    static POOLS: Mutex<BTreeMap<usize, Weak<ThreadPool>>> = Mutex::new(BTreeMap::new());
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    pools.retain(|_, pool| pool.strong_count() > 0);
    if let Some(pool) = pools.get(&size).and_then(Weak::upgrade) {
        return Ok(pool);
    }
    let name = |i| format!("foveola {i}");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(size).thread_name(name).build();
    let pool = Arc::new(pool.map_err(|error| Error::Threads { threads: size, reason: error.to_string() })?);
    pools.insert(size, Arc::downgrade(&pool));
    Ok(pool)
}
