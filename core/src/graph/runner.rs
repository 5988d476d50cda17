//! How the filters of a model are executed.

use super::Stage;
use crate::cases::Cases;
use crate::eights::in_eights;
use crate::engine::{SingleThread, WorkSplitter};
use crate::filter::copy;
use crate::sample::Scaled;
use crate::{Error, First, Sample};

/// The arguments of one filter of a graph: a chunk of one stream.
#[derive(Debug)]
pub struct NodeChunk<'c, T> {
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
    /// The input frames.
    pub input: &'c [T],
    /// The output frames.
    pub output: &'c mut [T],
}

/// Runs the filters of a graph. A host implements it to use vectors that it finds at run time, threads, and its own
/// algorithms.
pub trait Runner<T: Sample>: Sync {
    /// How the streams of a batch are shared among threads.
    type Splitter: WorkSplitter;

    /// As [`Lanes::asks`](crate::engine::Lanes::asks), of a model.
    #[inline(always)]
    fn asks(&self, cases: Cases, is: bool) -> bool {
        let _ = cases;
        is
    }

    /// The splitter for the streams.
    fn splitter(&self) -> Self::Splitter;

    /// [`Filter::start`](crate::Filter::start) of the filter in `stage`.
    fn start(&self, stage: &Stage<'_, T>, state: &mut [T], first: First<'_, T>) {
        stage.as_filter().start(state, first);
    }

    /// [`Filter::advance`](crate::Filter::advance) of the filter in `stage`.
    ///
    /// # Errors
    /// As [`Filter::advance`](crate::Filter::advance).
    fn advance(&self, stage: &Stage<'_, T>, chunk: NodeChunk<'_, T>) -> Result<usize, Error>;

    /// The weighted sum of two branches: `to = w0 a + w1 b`.
    fn add(&self, branches: [&[T]; 2], weights: Scaled<[T; 2]>, to: &mut [T]) {
        weighted_sum(branches, weights, to);
    }

    /// The product of two branches: `to = a b`.
    fn multiply(&self, branches: [&[T]; 2], to: &mut [T]) {
        product(branches, to);
    }

    /// Two branches as the channels of one: each frame of the first, followed by that of the second. With each branch
    /// comes the length of its frames.
    fn concat(&self, branches: [(&[T], usize); 2], to: &mut [T]) {
        concat(branches, to);
    }

    /// [`Runner::advance`] of a filter that is [in place](Stage::is_in_place), over its own input: the frames of one stream,
    /// or of several for a filter that maps every sample alike. `t` is the number of the first frame.
    ///
    /// # Errors
    /// As [`Stage::replace`].
    fn replace(
        &self,
        stage: &Stage<'_, T>,
        t: u64,
        state: &mut [T],
        scratch: &mut [T],
        frames: &mut [T],
    ) -> Result<(), Error> {
        stage.replace(t, state, scratch, frames)
    }

    /// [`Runner::add`] over the first branch: `to = w0 to + w1 b`.
    fn add_to(&self, to: &mut [T], b: &[T], weights: Scaled<[T; 2]>) {
        weighted_sum_in_place(to, b, weights);
    }

    /// [`Runner::multiply`] over one of the branches: `to = to b`.
    fn multiply_to(&self, to: &mut [T], b: &[T]) {
        product_in_place(to, b);
    }

    /// Receives what a node wrote, for all streams, before another node reads it. A host looks for overflow here. `t`
    /// is the number of the first frame. The default does nothing.
    ///
    /// # Errors
    /// Any error ends the chunk.
    #[inline(always)]
    fn written(&self, node: usize, t: u64, frames: &[T]) -> Result<(), Error> {
        let _ = (node, t, frames);
        Ok(())
    }
}

/// `to = w0 a + w1 b`.
#[inline(always)]
pub fn weighted_sum<T: Sample>([a, b]: [&[T]; 2], weights: Scaled<[T; 2]>, to: &mut [T]) {
    let Scaled { value: [wa, wb], shift } = weights;
    in_eights(((a, b), to), |((a, b), to)| {
        for (to, (a, b)) in to.iter_mut().zip(a.iter().zip(b)) {
            *to = T::from_sum(T::add_product(a.product(wa), *b, wb), shift);
        }
    });
}

/// `to = w0 to + w1 b`.
#[inline(always)]
pub fn weighted_sum_in_place<T: Sample>(to: &mut [T], b: &[T], weights: Scaled<[T; 2]>) {
    let Scaled { value: [weight, wb], shift } = weights;
    in_eights((b, to), |(b, to)| {
        for (to, b) in to.iter_mut().zip(b) {
            *to = T::from_sum(T::add_product(to.product(weight), *b, wb), shift);
        }
    });
}

/// `to = to b`.
#[inline(always)]
pub fn product_in_place<T: Sample>(to: &mut [T], b: &[T]) {
    for (to, b) in to.iter_mut().zip(b) {
        *to = *to * *b;
    }
}

/// `to = a b`.
#[inline(always)]
pub fn product<T: Sample>([a, b]: [&[T]; 2], to: &mut [T]) {
    for (to, (a, b)) in to.iter_mut().zip(a.iter().zip(b)) {
        *to = *a * *b;
    }
}

/// Two branches as the channels of one.
pub(super) fn concat<T: Sample>([(a, a_len), (b, b_len)]: [(&[T], usize); 2], to: &mut [T]) {
    let frames = a.chunks_exact(a_len.max(1)).zip(b.chunks_exact(b_len.max(1)));
    for (to, (a, b)) in to.chunks_exact_mut(a_len.saturating_add(b_len).max(1)).zip(frames) {
        let (first, second) = to.split_at_mut_checked(a_len).unwrap_or_default();
        copy(first, a);
        copy(second, b);
    }
}

/// The runner of [`Graph::run_batch`](super::Graph::run_batch): every filter's own implementation with
/// [`Sample::Lanes`]. Bit-identical on every CPU.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reproducible;

impl<T: Sample> Runner<T> for Reproducible {
    type Splitter = SingleThread;

    fn splitter(&self) -> SingleThread {
        SingleThread
    }

    fn advance(&self, stage: &Stage<'_, T>, chunk: NodeChunk<'_, T>) -> Result<usize, Error> {
        stage.as_filter().advance(chunk.t, chunk.state, chunk.scratch, chunk.input, chunk.output)
    }
}
