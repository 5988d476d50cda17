//! Runs one chunk through the table of a model, node by node.

use super::place::{Before, Home};
use super::{Graph, Node, NodeChunk, Place, Runner, Source, Stage, StreamShape};
use crate::cases::Cases;
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

impl<'a, T: Sample, R: Runner<T>> Pass<'_, 'a, T, R> {
    fn chunk(&self, stream: &StreamShape) -> (u64, usize) {
        // Without rates and leads, every stream has the frames of the input.
        let is_uneven = self.runner.asks(Cases::UNEVEN, !self.graph.even);
        if is_uneven { stream.chunk(self.t, self.frames) } else { (self.t, self.frames) }
    }

    /// Samples of `stream` for this chunk, over all streams.
    fn len(&self, stream: &StreamShape) -> usize {
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
        let (graph, mut frames_out) = (self.graph, 0);
        let (frames, own) = scratch.split_at_mut_checked(self.room(graph.frames)).unwrap_or_default();
        // Without a table, what the next place follows from.
        let mut known = None;
        for (i, node) in graph.nodes().iter().enumerate() {
            let computed;
            let place = match graph.places.get(i) {
                Some(place) => place,
                None if !self.runner.asks(Cases::UNPLACED, true) => return Ok(0),
                None => {
                    computed = graph.place(i, node, known);
                    &computed
                }
            };
            let (to, others) = self.split(place, (i, known), input, frames, output)?;
            let (t, len) = self.chunk(&place.stream);
            match *node {
                Node::Filter(source, ref stage) => {
                    let stream = self.stream(&others, source);
                    let (t, frames) = self.chunk(&stream);
                    if frames > 0 {
                        let from = place.state * self.batch;
                        let state = state.get_mut(from..from + place.of_node * self.batch).unwrap_or(&mut []);
                        if place.replaces.is_some() {
                            self.replace(stage, t, state, own, to)?;
                        } else {
                            // After a warm-up, the number of frames that arrive first depends on the chunk size. Only
                            // the very first frame is always the same, so it alone starts the stream.
                            let warm_up = stream.rate.first > 0;
                            let batch = self.read(source, &others);
                            let lens = [stream.shape.len(), place.of_node];
                            let node = NodePass { pass: self, stage, lens, node: i, warm_up, t, frames, batch };
                            node.streams(self.runner.splitter(), 0..self.batch, state, own, batch, to)?;
                        }
                    }
                }
                Node::Add(terms) => {
                    let ([a, b], [weight_a, weight_b]) =
                        (terms.map(|(source, _)| source), terms.map(|(_, weight)| weight));
                    match place.replaces.map(Source::Node) {
                        Some(replaced) if replaced == a => {
                            self.runner.add_to(to, self.read(b, &others), T::scaled([weight_a, weight_b]));
                        }
                        Some(_) => self.runner.add_to(to, self.read(a, &others), T::scaled([weight_b, weight_a])),
                        None => {
                            let branches = [a, b].map(|source| self.read(source, &others));
                            self.runner.add(branches, T::scaled([weight_a, weight_b]), to);
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
                    let branch = |source| (self.read(source, &others), self.stream(&others, source).shape.len());
                    self.runner.concat(branches.map(branch), to);
                }
            }
            self.runner.written(i, t, to)?;
            frames_out = len;
            if self.runner.asks(Cases::UNPLACED, graph.places.is_empty()) {
                known = Some(place.before());
            }
        }
        Ok(frames_out)
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

    /// The memory that a node writes its frames to, and the memory of all others. `last` is the number of the node, and what
    /// is known of the one before.
    fn split<'m>(
        &self,
        place: &Place,
        last: (usize, Option<Before>),
        input: &'m [T],
        frames: &'m mut [T],
        output: &'m mut [T],
    ) -> Result<(&'m mut [T], Others<'m, T>), Error> {
        let len = self.len(&place.stream);
        let (to, others) = match place.home {
            Home::Output => {
                (output, Others { last, input, output: &[], before: frames, after: &[], after_at: usize::MAX })
            }
            Home::Scratch(start) => {
                let start = self.room(start);
                let (before, rest) = frames.split_at_mut_checked(start).unwrap_or_default();
                let (to, after) = rest.split_at_mut_checked(len).unwrap_or_default();
                (to, Others { last, input, output, before, after, after_at: start + len })
            }
        };
        at_least("the scratch or the output", to.len(), len)?;
        Ok((to.get_mut(..len).unwrap_or(&mut []), others))
    }

    /// The frames of `source` for this chunk.
    #[cfg_attr(target_os = "none", inline(never))]
    fn read<'m>(&self, source: Source, others: &Others<'m, T>) -> &'m [T] {
        let Source::Node(node) = source else { return others.input };
        let len = self.len(&self.stream(others, source));
        let (memory, start) = match self.home(others, node) {
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

    /// [`Graph::stream`].
    fn stream(&self, others: &Others<'_, T>, source: Source) -> StreamShape {
        let Source::Node(node) = source else { return StreamShape::input(self.graph.input) };
        match self.graph.places.get(node) {
            Some(place) => place.stream,
            None if !self.runner.asks(Cases::UNPLACED, true) => StreamShape::input(self.graph.input),
            None => self.graph.stream_at(source, others.last.0, others.last.1),
        }
    }

    /// The memory of the frames of `node`. Without a table of places, it is found from the place before, node by node.
    fn home(&self, others: &Others<'_, T>, node: usize) -> Home {
        match (self.graph.places.get(node), others.last) {
            (Some(place), _) => place.home,
            (None, (index, Some(before))) if self.runner.asks(Cases::UNPLACED, true) => match before.home {
                Home::Scratch(start) => {
                    let span = |node| self.graph.stream(Source::Node(node)).span();
                    Home::Scratch((node..index - 1).fold(start, |start, node| start.minus(span(node))))
                }
                Home::Output => Home::Output,
            },
            (None, _) => Home::Scratch(Scratch::NONE),
        }
    }
}

/// The frames that a node may read.
struct Others<'m, T> {
    /// The number of the node, and what is known of the one before.
    last: (usize, Option<Before>),
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
    /// Samples of an input frame, and of a stream's state.
    lens: [usize; 2],
    node: usize,
    /// Whether the first frame alone starts the stream.
    warm_up: bool,
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
        let work = || self.stage.work().saturating_mul(count).saturating_mul(self.frames);
        if half > 0
            && let Some(splitter) = splitter.halve(work())
        {
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
        let [frame, of_stream] = self.lens;
        let (in_len, out_len) = (self.frames * frame, output.len() / count.max(1));
        for (i, stream) in streams.enumerate() {
            let input = piece(input, i, in_len)?;
            let state = piece_mut(state, i, of_stream)?;
            if self.t == 0 {
                let first = input.get(..frame).unwrap_or(input);
                let whole = First { frames: input, batch: self.batch };
                self.pass.runner.start(self.stage, state, if self.warm_up { First::alone(first) } else { whole });
            }
            let (node, t, output) = (self.node, self.t, piece_mut(output, i, out_len)?);
            self.pass.runner.advance(self.stage, NodeChunk { node, stream, t, state, scratch, input, output })?;
        }
        Ok(())
    }
}
