//! Who runs the filters of a model.

use super::Stage;
use crate::engine::{Alone, Fork};
use crate::{Error, First, Sample};

/// What a filter of a graph is fed: a chunk of one stream.
#[derive(Debug)]
pub struct Feed<'c, T> {
    /// The node's index in the table.
    pub node: usize,
    /// The stream's index in the batch.
    pub stream: usize,
    /// Number of the chunk's first frame.
    pub t: u64,
    /// The node's state for this stream.
    pub state: &'c mut [T],
    /// Working memory.
    pub scratch: &'c mut [T],
    /// The frames.
    pub input: &'c [T],
    /// Where the output goes.
    pub output: &'c mut [T],
}

/// Runs the filters of a graph: where a host puts in vectors that it found at run time, threads, and plans of its own.
pub trait Runner<T: Sample>: Sync {
    /// Who shares the streams of a batch.
    type Fork: Fork;

    /// The streams' fork.
    fn fork(&self) -> Self::Fork;

    /// [`Filter::start`](crate::Filter::start) of the filter in `stage`.
    fn start(&self, stage: &Stage<'_, T>, state: &mut [T], first: First<'_, T>) {
        stage.as_filter().start(state, first);
    }

    /// [`Filter::advance`](crate::Filter::advance) of the filter in `stage`.
    ///
    /// # Errors
    /// As [`Filter::advance`](crate::Filter::advance).
    fn advance(&self, stage: &Stage<'_, T>, feed: Feed<'_, T>) -> Result<usize, Error>;

    /// The weighted sum of two branches: `to = wa a + wb b`.
    fn add(&self, [(a, wa), (b, wb)]: [(&[T], T); 2], to: &mut [T]) {
        weighted_sum([(a, wa), (b, wb)], to);
    }

    /// Sees what a node wrote, for all streams, before another node reads it: where a host looks for overflow. `t` is the
    /// number of the first frame. Nothing, unless overridden.
    ///
    /// # Errors
    /// Whatever shall end the chunk.
    #[inline(always)]
    fn written(&self, node: usize, t: u64, frames: &[T]) -> Result<(), Error> {
        let _ = (node, t, frames);
        Ok(())
    }
}

/// `to = wa a + wb b`.
#[inline(always)]
pub fn weighted_sum<T: Sample>([(a, wa), (b, wb)]: [(&[T], T); 2], to: &mut [T]) {
    for (to, (a, b)) in to.iter_mut().zip(a.iter().zip(b)) {
        *to = wa * *a + wb * *b;
    }
}

/// The runner of [`Graph::run_batch`](super::Graph::run_batch): every filter's own, with [`Sample::Lanes`]; the same bits on every CPU.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reproducible;

impl<T: Sample> Runner<T> for Reproducible {
    type Fork = Alone;

    fn fork(&self) -> Alone {
        Alone
    }

    fn advance(&self, stage: &Stage<'_, T>, feed: Feed<'_, T>) -> Result<usize, Error> {
        stage.as_filter().advance(feed.t, feed.state, feed.scratch, feed.input, feed.output)
    }
}
