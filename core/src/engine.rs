//! With what a filter computes: vectors, and threads if there are any.
//!
//! A filter says where its work falls into halves that do not touch each other ([`Fork::join`]); whether they run side by
//! side is the caller's affair. Here they run one after the other ([`Alone`]); a host hands in a pool of threads. Where a
//! piece is cut changes no bit of the result.

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
