//! What a filter computes with: vectors, and threads if there are any. For hosts that bring their own.
//!
//! **Exempt from [semantic versioning](crate#stability)**: everything here may change in any release.
//!
//! A filter splits its work into independent halves ([`WorkSplitter::join`]). The caller decides whether they run in parallel.
//! Here they run one after the other ([`SingleThread`]); a host provides a pool of threads. The result is bit-identical for
//! any split.

#[doc(inline)]
pub use crate::cases::Cases;
#[doc(inline)]
pub use crate::conv::conv3d::Ring;
#[doc(inline)]
pub use crate::graph::runner::{
    NodeChunk, Reproducible, Runner, product, product_in_place, weighted_sum, weighted_sum_in_place,
};
#[doc(inline)]
pub use crate::graph::stage::MOVE;
#[doc(inline)]
pub use crate::lanes::*;

use core::ops::Range;

/// Runs two halves of a piece of work, in parallel or one after the other.
///
/// ```
/// use foveola_core::engine::{SingleThread, WorkSplitter};
/// let (mut a, mut b) = ([0; 2], [0; 2]);
/// SingleThread.join(|| a.fill(1), || b.fill(2));
/// assert_eq!((a, b), ([1; 2], [2; 2]));
/// ```
pub trait WorkSplitter: Copy + Send + Sync {
    /// The splitter of each half, if a piece of `work` multiply-adds is worth splitting.
    fn halve(self, work: usize) -> Option<Self>;

    /// Runs both.
    fn join<A: Send, B: Send>(self, a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B);
}

/// No threads: one half after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct SingleThread;

impl WorkSplitter for SingleThread {
    #[inline(always)]
    fn halve(self, _: usize) -> Option<Self> {
        None
    }

    #[inline(always)]
    fn join<A: Send, B: Send>(self, a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
        (a(), b())
    }
}

/// Splits all work in two, a number of times, and runs one half after the other.
#[cfg(test)]
#[derive(Clone, Copy)]
pub(crate) struct Halves(pub(crate) u32);

#[cfg(test)]
impl WorkSplitter for Halves {
    fn halve(self, _: usize) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }

    fn join<A: Send, B: Send>(self, a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
        // The later half first: neither may depend on the other.
        let b = b();
        (a(), b)
    }
}

/// Vectors and threads.
#[derive(Clone, Copy, Debug)]
pub struct Engine<L, F = SingleThread> {
    /// The family of vectors.
    pub lanes: L,
    /// How work is shared among threads.
    pub splitter: F,
}

impl<L> Engine<L> {
    /// Vectors of `lanes`, on this thread alone.
    pub const fn single_thread(lanes: L) -> Self {
        Self { lanes, splitter: SingleThread }
    }
}

impl<L: Copy, F: WorkSplitter> Engine<L, F> {
    /// The engine of each half, if a piece of `work` multiply-adds is worth splitting.
    pub(crate) fn halve(self, work: usize) -> Option<Self> {
        self.splitter.halve(work).map(|splitter| Self { splitter, ..self })
    }
}

/// The outputs of pieces of work, one after another, and their scratch.
pub(crate) struct Pieces<'o, T> {
    /// The numbers of the pieces.
    pub(crate) range: Range<usize>,
    /// Multiply-adds of each.
    pub(crate) work: usize,
    /// One part for each piece, or empty.
    pub(crate) scratch: &'o mut [T],
    /// Output samples of each piece; the last one may have fewer.
    pub(crate) size: usize,
    pub(crate) output: &'o mut [T],
}

impl<T: Send> Pieces<'_, T> {
    /// Calls `each` with the remaining engine for a piece, its number, scratch and output; split in halves when that is
    /// worthwhile.
    pub(crate) fn share<L, F>(
        self,
        engine: Engine<L, F>,
        each: &(impl Fn(Engine<L, F>, usize, &mut [T], &mut [T]) + Sync),
    ) where
        L: Copy + Send + Sync,
        F: WorkSplitter,
    {
        let Self { range, work, scratch, size, output } = self;
        let (count, half) = (range.len(), range.len().div_ceil(2));
        if let Some(engine) = engine.halve(work.saturating_mul(count)).filter(|_| count > 1) {
            let middle = range.start + half;
            let (s, s_rest) = scratch.split_at_mut(scratch.len() / count * half);
            let (y, y_rest) = output.split_at_mut(output.len().min(half.saturating_mul(size)));
            let first = Pieces { range: range.start..middle, work, scratch: s, size, output: y };
            let second = Pieces { range: middle..range.end, work, scratch: s_rest, size, output: y_rest };
            engine.splitter.join(|| first.share(engine, each), || second.share(engine, each));
            return;
        }
        for (piece, output) in range.zip(output.chunks_mut(size.max(1))) {
            each(engine, piece, scratch, output);
        }
    }
}
