//! With what a filter computes: vectors, and threads if there are any.
//!
//! A filter says where its work falls into halves that do not touch each other ([`Fork::join`]); whether they run side by
//! side is the caller's affair. Here they run one after the other ([`Alone`]); a host hands in a pool of threads. Where a
//! piece is cut changes no bit of the result.

use core::ops::Range;

/// Two halves of a piece of work, side by side or one after the other.
///
/// ```
/// use foveola_core::{Alone, Fork};
/// let (mut a, mut b) = ([0; 2], [0; 2]);
/// Alone.join(|| a.fill(1), || b.fill(2));
/// assert_eq!((a, b), ([1; 2], [2; 2]));
/// ```
pub trait Fork: Copy + Send + Sync {
    /// Who shares each half further, if a piece of `work` multiply-adds is worth cutting.
    fn halve(self, work: usize) -> Option<Self>;

    /// Runs both.
    fn join<A: Send, B: Send>(self, a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B);
}

/// No threads: one half after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Fork for Alone {
    #[inline(always)]
    fn halve(self, _: usize) -> Option<Self> {
        None
    }

    #[inline(always)]
    fn join<A: Send, B: Send>(self, a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
        (a(), b())
    }
}

/// Cuts all work in two, a number of times, and does one half after the other.
#[cfg(test)]
#[derive(Clone, Copy)]
pub(crate) struct Halves(pub(crate) u32);

#[cfg(test)]
impl Fork for Halves {
    fn halve(self, _: usize) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }

    fn join<A: Send, B: Send>(self, a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
        // The later half first: neither may rest on the other.
        let b = b();
        (a(), b)
    }
}

/// Vectors and threads.
#[derive(Clone, Copy, Debug)]
pub struct Engine<L, F = Alone> {
    /// The family of vectors.
    pub lanes: L,
    /// Who shares the work.
    pub fork: F,
}

impl<L> Engine<L> {
    /// Vectors of `lanes`, on this thread alone.
    pub const fn alone(lanes: L) -> Self {
        Self { lanes, fork: Alone }
    }
}

impl<L: Copy, F: Fork> Engine<L, F> {
    /// The engine of each half, if a piece of `work` multiply-adds is worth cutting.
    pub(crate) fn halve(self, work: usize) -> Option<Self> {
        self.fork.halve(work).map(|fork| Self { fork, ..self })
    }
}

/// What pieces of work write, one behind the other, and what they write on the way.
pub(crate) struct Pieces<'o, T> {
    /// The numbers of the pieces.
    pub(crate) range: Range<usize>,
    /// Multiply-adds of each.
    pub(crate) work: usize,
    /// A part for each, or none.
    pub(crate) scratch: &'o mut [T],
    /// Samples of the output of each; the last one may have fewer.
    pub(crate) size: usize,
    pub(crate) output: &'o mut [T],
}

impl<T: Send> Pieces<'_, T> {
    /// Calls `each` with the engine that is left for a piece, its number, scratch and output; in halves where that is worth it.
    pub(crate) fn share<L, F>(
        self,
        engine: Engine<L, F>,
        each: &(impl Fn(Engine<L, F>, usize, &mut [T], &mut [T]) + Sync),
    ) where
        L: Copy + Send + Sync,
        F: Fork,
    {
        let Self { range, work, scratch, size, output } = self;
        let (count, half) = (range.len(), range.len().div_ceil(2));
        if let Some(engine) = engine.halve(work.saturating_mul(count)).filter(|_| count > 1) {
            let middle = range.start + half;
            let (s, s_rest) = scratch.split_at_mut(scratch.len() / count * half);
            let (y, y_rest) = output.split_at_mut(output.len().min(half.saturating_mul(size)));
            let first = Pieces { range: range.start..middle, work, scratch: s, size, output: y };
            let second = Pieces { range: middle..range.end, work, scratch: s_rest, size, output: y_rest };
            engine.fork.join(|| first.share(engine, each), || second.share(engine, each));
            return;
        }
        for (piece, output) in range.zip(output.chunks_mut(size.max(1))) {
            each(engine, piece, scratch, output);
        }
    }
}
