//! Threads: one `rayon` pool for each number of threads in use. Models share the pools; a pool is freed with its last model.
//!
//! A filter states where its work can be split into halves ([`WorkSplitter`]). Halves are shared while a half is worth more than the
//! cost of handing it to another thread. The split changes no bit of the result.
//!
//! A caller that already runs in a `rayon` pool, its own or one of these, stays on its thread. A worker that waits for
//! another pool, or for half of a join in its own pool, executes other tasks in the meantime. Such a task may be the loop
//! around the model: it may request a lock that this call holds, or feed another model, and so on until the stack overflows.

use crate::{Error, Result};
#[cfg(feature = "gpu")]
use foveola_core::engine::MOVE;
use foveola_core::engine::WorkSplitter;
use foveola_core::{Graph, Node, Stage};
use rayon::ThreadPool;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The smallest number of multiply-adds worth a thread: about 8 us. A `rayon::join` whose other half is taken costs 1 to 3
/// us (measured on two cores of an x86-64).
const LEAST: usize = 1 << 18;

/// The smallest number of multiply-adds that are split.
const CUT: usize = 2 * LEAST;

/// The smallest number of shareable multiply-adds of a chunk for which the pool is used: about 130 us. Handing a chunk over
/// and back costs 10 to 20 us.
const ENTER: usize = 24 * LEAST;

/// The shareable work of a chunk of `frames` frames, in multiply-adds.
pub(crate) fn worth(graph: &Graph<'_>, batch: usize, frames: usize) -> usize {
    let works = graph.nodes().iter().map(|node| match node {
        Node::Filter(_, stage) => match (stage, stage.work()) {
            // Streams, and frames.
            (Stage::Conv3d(_) | Stage::SmoothConv(_) | Stage::Rf(_), work) => work,
            // Pixels, a few frames at a time: limited by the memory that the threads share, so that only large chunks gain.
            (Stage::LowPass(_) | Stage::HighPass(_) | Stage::Diff(_) | Stage::Pointwise(_), work) => work / 8,
            (_, work) if batch > 1 => work,
            _ => 0,
        },
        _ => 0,
    });
    works.fold(0, usize::saturating_add).saturating_mul(batch).saturating_mul(frames)
}

/// How the work of a chunk is shared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Threads {
    /// The smallest work that is split.
    cut: usize,
    /// The largest number of successive splits.
    depth: u32,
    /// The number of threads.
    count: usize,
}

impl Threads {
    /// The calling thread only.
    pub(crate) const SINGLE: Self = Self { cut: usize::MAX, depth: 0, count: 1 };

    /// Splits all work that can be split.
    #[cfg(test)]
    pub(crate) fn eager(count: usize) -> Self {
        Self { cut: 1, depth: count.next_power_of_two().ilog2() + 3, count }
    }

    /// The number of threads for `work` multiply-adds.
    pub(crate) fn count(self, work: usize) -> usize {
        if self.halve(work).is_some() { self.count } else { 1 }
    }
}

impl WorkSplitter for Threads {
    #[inline]
    fn halve(self, work: usize) -> Option<Self> {
        (work >= self.cut).then_some(())?;
        Some(Self { depth: self.depth.checked_sub(1)?, ..self })
    }

    fn join<A: Send, B: Send>(self, a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
        rayon::join(a, b)
    }
}

/// Copies as many samples as both slices hold, split into halves where the size justifies it.
#[cfg(feature = "gpu")]
pub(crate) fn copy(splitter: Threads, from: &[f32], to: &mut [f32]) {
    let len = from.len().min(to.len());
    if let Some(splitter) = splitter.halve(len.saturating_mul(MOVE)) {
        let (from, from_rest) = from.split_at(len / 2);
        let (to, to_rest) = to.split_at_mut(len / 2);
        splitter.join(|| copy(splitter, from, to), || copy(splitter, from_rest, to_rest));
        return;
    }
    to[..len].copy_from_slice(&from[..len]);
}

/// The number of threads of a model, and its pool once it was needed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workers {
    /// 0 for the number of threads of the machine.
    size: usize,
    pool: Option<Arc<ThreadPool>>,
    /// Splits all work that can be split, however small: for tests.
    eager: bool,
}

impl Workers {
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

    /// Prepares the pool if a chunk of that [`worth`] will be shared.
    ///
    /// # Errors
    /// [`Error::Threads`] when the system cannot create more threads.
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
                // Twice as many parts as threads, so that a delayed thread is relieved by others.
                let depth = self.size.next_power_of_two().ilog2() + 1;
                let cut = if self.eager { 1 } else { CUT };
                pool.install(|| f(Threads { cut, depth, count: self.size }))
            }
            _ => f(Threads::SINGLE),
        }
    }
}

/// Whether the caller runs in a `rayon` pool.
fn in_a_pool() -> bool {
    rayon::current_thread_index().is_some()
}

/// The pool of `size` threads: an existing one, or a new one.
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
