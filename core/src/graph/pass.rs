//! Runs one chunk through the table of a model, node by node.

use super::place::Home;
use super::{Graph, Node, NodeChunk, Place, Runner, Source, Stage, StreamShape};
use crate::engine::WorkSplitter;
use crate::error::at_least;
use crate::filter::{piece, piece_mut};
use crate::{Error, First, Sample, Scratch};
use core::ops::Range;

/// One pass of a chunk through the table.
pub(super) struct Pass<'g, 'a, T: Sample, R> {
    pub(super) graph: &'g Graph<'a, T>,
    pub(super) runner: &'g R,
    pub(super) t: u64,
    pub(super) batch: usize,
    pub(super) frames: usize,
}

impl<T: Sample, R: Runner<T>> Pass<'_, '_, T, R> {
    fn chunk(&self, stream: StreamShape) -> (u64, usize) {
        stream.chunk(self.t, self.frames)
    }

    /// Samples of `stream` for this chunk, over all streams.
    fn len(&self, stream: StreamShape) -> usize {
        self.batch * stream.shape.len() * self.chunk(stream).1
    }

    /// Samples of `scratch` for this chunk, over all streams.
    fn room(&self, scratch: Scratch) -> usize {
        self.batch * scratch.len(self.frames)
    }

    pub(super) fn run(
        &self,
        state: &mut [T],
        scratch: &mut [T],
        input: &[T],
        output: &mut [T],
    ) -> Result<usize, Error> {
        let (graph, mut place) = (self.graph, Place::first(self.graph.input()));
        let (frames, own) = scratch.split_at_mut_checked(self.room(graph.frames())).unwrap_or_default();
        for (i, node) in graph.nodes().iter().enumerate() {
            let before = i.checked_sub(1).and_then(|before| graph.nodes().get(before));
            place = graph.place(i, before.map(|node| (&place, node)));
            let (to, others) = self.split(&place, input, frames, output)?;
            match *node {
                Node::Filter(source, ref stage) => {
                    let (t, frames) = self.chunk(graph.stream(source));
                    if frames > 0 {
                        let from = place.state * self.batch;
                        let state = state.get_mut(from..from + node.state() * self.batch).unwrap_or(&mut []);
                        if place.replaces.is_some() {
                            self.replace(stage, t, state, own, to)?;
                        } else {
                            let input = self.read(source, &others);
                            let node = NodePass { pass: self, stage, node: i, source, t, frames, batch: input };
                            node.streams(self.runner.splitter(), 0..self.batch, state, own, input, to)?;
                        }
                    }
                }
                Node::Add(terms) => {
                    let [(a, weight_a), (b, weight_b)] = terms.map(|(source, weight)| (source, T::from_f64(weight)));
                    match place.replaces.map(Source::Node) {
                        Some(replaced) if replaced == a => {
                            self.runner.add_to(to, weight_a, (self.read(b, &others), weight_b));
                        }
                        Some(_) => self.runner.add_to(to, weight_b, (self.read(a, &others), weight_a)),
                        None => {
                            let (a, b) = (self.read(a, &others), self.read(b, &others));
                            self.runner.add([(a, weight_a), (b, weight_b)], to);
                        }
                    }
                }
                Node::Multiply([a, b]) => match place.replaces.map(Source::Node) {
                    Some(replaced) => {
                        let other = if replaced == a { b } else { a };
                        self.runner.multiply_to(to, self.read(other, &others));
                    }
                    None => self.runner.multiply([a, b].map(|source| self.read(source, &others)), to),
                },
                Node::Concat(branches) => {
                    let branch = |source| (self.read(source, &others), graph.stream(source).shape.len());
                    self.runner.concat(branches.map(branch), to);
                }
            }
            self.runner.written(i, self.chunk(place.stream).0, to)?;
        }
        Ok(self.chunk(place.stream).1)
    }

    /// Runs a filter in place over the frames of all streams.
    fn replace(
        &self,
        stage: &Stage<'_, T>,
        t: u64,
        state: &mut [T],
        scratch: &mut [T],
        frames: &mut [T],
    ) -> Result<(), Error> {
        // A function of a sample is the same in every stream; other filters have a state or count frames.
        let streams = if let Stage::Pointwise(_) = stage { 1 } else { self.batch.max(1) };
        let (of_stream, words) = (frames.len() / streams, state.len() / streams);
        for (i, frames) in frames.chunks_exact_mut(of_stream.max(1)).enumerate() {
            let state = piece_mut(state, i, words)?;
            if t == 0 {
                self.runner.start(stage, state, First::alone(frames));
            }
            self.runner.replace(stage, t, state, scratch, frames)?;
        }
        Ok(())
    }

    /// The memory that a node writes its frames to, and the memory of all others.
    fn split<'m>(
        &self,
        place: &Place,
        input: &'m [T],
        frames: &'m mut [T],
        output: &'m mut [T],
    ) -> Result<(&'m mut [T], Others<'m, T>), Error> {
        let len = self.len(place.stream);
        let (to, others) = match place.home {
            Home::Output => (output, Others { input, output: &[], before: frames, after: &[], after_at: usize::MAX }),
            Home::Scratch(start) => {
                let start = self.room(start);
                let (before, rest) = frames.split_at_mut_checked(start).unwrap_or_default();
                let (to, after) = rest.split_at_mut_checked(len).unwrap_or_default();
                (to, Others { input, output, before, after, after_at: start + len })
            }
        };
        at_least("the scratch or the output", to.len(), len)?;
        Ok((to.get_mut(..len).unwrap_or(&mut []), others))
    }

    /// The frames of `source` for this chunk.
    fn read<'m>(&self, source: Source, others: &Others<'m, T>) -> &'m [T] {
        let Source::Node(node) = source else { return others.input };
        let len = self.len(self.graph.stream(source));
        let (memory, start) = match self.graph.home(node) {
            Home::Output => (others.output, 0),
            Home::Scratch(start) => {
                let start = self.room(start);
                match start.checked_sub(others.after_at) {
                    Some(start) => (others.after, start),
                    None => (others.before, start),
                }
            }
        };
        memory.get(start..start + len).unwrap_or(&[])
    }
}

/// The frames that a node may read.
struct Others<'m, T> {
    input: &'m [T],
    output: &'m [T],
    /// The scratch before the frames of the node.
    before: &'m [T],
    /// The scratch after them, and its offset.
    after: &'m [T],
    after_at: usize,
}

/// One filter and its input frames.
struct NodePass<'p, 'g, 'a, T: Sample, R> {
    pass: &'p Pass<'g, 'a, T, R>,
    stage: &'p Stage<'a, T>,
    node: usize,
    source: Source,
    t: u64,
    frames: usize,
    /// The frames of all streams.
    batch: &'p [T],
}

impl<T: Sample, R: Runner<T>> NodePass<'_, '_, '_, T, R> {
    /// Runs the filter over some streams of the batch, split in halves when that is worthwhile.
    fn streams(
        &self,
        splitter: R::Splitter,
        streams: Range<usize>,
        state: &mut [T],
        scratch: &mut [T],
        input: &[T],
        output: &mut [T],
    ) -> Result<(), Error> {
        let count = streams.len();
        let half = count / 2;
        let work = self.stage.work().saturating_mul(count).saturating_mul(self.frames);
        if let Some(splitter) = splitter.halve(work).filter(|_| half > 0) {
            let (x, x_rest) = input.split_at_checked(input.len() / count * half).unwrap_or_default();
            let (s, s_rest) = state.split_at_mut_checked(state.len() / count * half).unwrap_or_default();
            let (w, w_rest) = scratch.split_at_mut_checked(scratch.len() / count * half).unwrap_or_default();
            let (y, y_rest) = output.split_at_mut_checked(output.len() / count * half).unwrap_or_default();
            let middle = streams.start + half;
            let (a, b) = splitter.join(
                || self.streams(splitter, streams.start..middle, s, w, x, y),
                || self.streams(splitter, middle..streams.end, s_rest, w_rest, x_rest, y_rest),
            );
            return a.and(b);
        }
        let signature = self.stage.signature();
        let (in_len, out_len) = (self.frames * signature.input.len(), output.len() / count.max(1));
        // After a warm-up, the number of frames that arrive first depends on the chunk size. Only the very first frame
        // is always the same, so it alone starts the stream.
        let warm_up = self.pass.graph.stream(self.source).rate.first > 0;
        for (i, stream) in streams.enumerate() {
            let input = piece(input, i, in_len)?;
            let state = piece_mut(state, i, signature.state)?;
            if self.t == 0 {
                let first = input.get(..signature.input.len()).unwrap_or(input);
                let whole = First { frames: input, batch: self.batch };
                self.pass.runner.start(self.stage, state, if warm_up { First::alone(first) } else { whole });
            }
            let (node, t, output) = (self.node, self.t, piece_mut(output, i, out_len)?);
            self.pass.runner.advance(self.stage, NodeChunk { node, stream, t, state, scratch, input, output })?;
        }
        Ok(())
    }
}
