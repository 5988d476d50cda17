//! The place of a node in a model: its output stream, and the offsets of its state and its frames.
//!
//! Each place follows from the nodes before it. A table of [`Place`]s computes each of them once
//! ([`PlacedGraph`](super::PlacedGraph) in a constant, [`Graph::with_places`] on a host), and lets nodes
//! [share](super::share) the memory of their frames. Without a table every node has its own, and places are computed when
//! needed: this takes time that grows with the number of nodes before, but no memory for the table.

use super::{Graph, Node, Source};
use crate::{Rate, Sample, Scratch, Shape, Signature};

/// What a node reads or yields, relative to the model's input.
#[must_use]
#[derive(Clone, Copy, Debug)]
pub struct StreamShape {
    /// Shape of its frames.
    pub shape: Shape,
    /// When the frames come.
    pub rate: Rate,
    /// Earlier frames before every chunk.
    pub lead: usize,
}

impl StreamShape {
    /// The model's input: frames of `shape`.
    pub const fn input(shape: Shape) -> Self {
        Self { shape, rate: Rate::EACH, lead: 0 }
    }

    /// This stream after a filter with that signature.
    pub const fn through(self, filter: &Signature) -> Self {
        Self { shape: filter.output, rate: self.rate.then(filter.rate), lead: self.lead.saturating_add(filter.lead) }
    }

    /// The number of the first frame and the frames per stream, for `frames` frames fed to the model from time `t` on.
    pub const fn chunk(&self, t: u64, frames: usize) -> (u64, usize) {
        let frames = self.rate.frames(t, frames);
        (self.rate.count(t), if frames == 0 { 0 } else { frames.saturating_add(self.lead) })
    }

    /// This stream with the channels of `other` after its own.
    pub const fn concat(self, other: Shape) -> Self {
        Self { shape: stacked(self.shape, other), ..self }
    }

    /// Scratch that holds these frames, for any chunk.
    pub(crate) const fn span(&self) -> Scratch {
        Scratch { fixed: self.shape.len().saturating_mul(self.lead), per_frame: self.shape.len() }
    }

    /// `==` as a `const fn`.
    pub(super) const fn equals(&self, other: &Self) -> bool {
        self.shape.equals(other.shape) && self.rate.equals(other.rate) && self.lead == other.lead
    }
}

/// The channels of `first`, then those of `second`.
const fn stacked(first: Shape, second: Shape) -> Shape {
    Shape { channels: first.channels.saturating_add(second.channels), ..first }
}

/// The most concatenations one after another, without a filter between them, in a graph without a table of places.
pub(super) const MOST_NESTED: u32 = u64::BITS;

/// The memory that holds the frames of a node.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Home {
    /// The caller's output.
    Output,
    /// The scratch, after this much of it.
    Scratch(Scratch),
}

/// A part of the scratch that holds the frames of one node at a time. Slot `k` is kept in row `k` of the table of places; it has
/// nothing to do with node `k`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// That of the largest frames that it holds.
    pub(super) size: Scratch,
    /// Scratch before it.
    pub(super) start: Scratch,
    /// The first node that may write to it.
    pub(super) free_from: usize,
}

impl Slot {
    const EMPTY: Self = Self { size: Scratch::NONE, start: Scratch::NONE, free_from: 0 };
}

/// The place of a node.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The output of the node.
    pub(crate) stream: StreamShape,
    /// Samples of a stream's state before that of the node, and of the node.
    pub(crate) state: usize,
    pub(crate) of_node: usize,
    /// The memory of its frames.
    pub(crate) home: Home,
    /// The node whose frames this one replaces by its own.
    pub(crate) replaces: Option<usize>,
    /// The last node that reads the frames.
    pub(super) last_reader: usize,
    /// The slot of its frames, if they are in the scratch.
    pub(super) slot: usize,
    /// The slot with the number of this row, if there are as many.
    pub(super) part: Slot,
}

/// What the place of a node has to do with that of the next one.
#[derive(Clone, Copy)]
pub(crate) struct Before {
    pub(super) stream: StreamShape,
    /// Samples of a stream's state up to the end of that of the node.
    state: usize,
    pub(super) home: Home,
}

impl Place {
    /// What the place of the next node follows from.
    pub(crate) const fn before(&self) -> Before {
        Before { stream: self.stream, state: self.state.saturating_add(self.of_node), home: self.home }
    }

    /// The place of a node whose frames of `shape` are at the beginning of the scratch, to fill a table with.
    pub const fn first(shape: Shape) -> Self {
        Self::new(StreamShape::input(shape), [0, 0], Home::Scratch(Scratch::NONE))
    }

    /// Size of the slot with the number of this row.
    pub(crate) const fn slot_size(&self) -> Scratch {
        self.part.size
    }

    const fn new(stream: StreamShape, [state, of_node]: [usize; 2], home: Home) -> Self {
        Self { stream, state, of_node, home, replaces: None, last_reader: 0, slot: 0, part: Slot::EMPTY }
    }
}

impl<'a, T: Sample> Graph<'a, T> {
    /// The output of `source`, relative to the model's input.
    pub const fn stream(&self, source: Source) -> StreamShape {
        if let Source::Node(node) = source
            && !self.places.is_empty()
        {
            return if node < self.places.len() { self.places[node].stream } else { StreamShape::input(self.input) };
        }
        // Trace back to the input, filter by filter.
        let mut stream = StreamShape { shape: self.traced_shape(source).0, rate: Rate::EACH, lead: 0 };
        let mut at = source;
        while let Source::Node(node) = at {
            if self.even || node >= self.nodes.len() {
                break;
            }
            match &self.nodes[node] {
                Node::Filter(source, stage) => {
                    let signature = stage.signature();
                    stream.rate = signature.rate.then(stream.rate);
                    stream.lead = stream.lead.saturating_add(signature.lead);
                    at = *source;
                }
                Node::Add([(source, _), _]) | Node::Multiply([source, _]) | Node::Concat([source, _]) => at = *source,
            }
        }
        stream
    }

    /// Shape of the frames of `source`, and the number of concatenations one after another behind it. Their channels are
    /// those of all filters that they join. The loop visits each of these by its path: bit `d` is the branch taken at the
    /// concatenation of depth `d`. A recursive function would do the same, but its stack could not be bounded.
    pub(super) const fn traced_shape(&self, source: Source) -> (Shape, u32) {
        let (mut channels, mut path, mut deepest) = (0_usize, 0_u64, 0);
        loop {
            let (mut at, mut depth) = (source, 0);
            let joined = loop {
                let node = match at {
                    Source::Node(node) if node < self.nodes.len() => node,
                    _ => break self.input,
                };
                match &self.nodes[node] {
                    Node::Filter(_, stage) => break stage.signature().output,
                    Node::Add([(first, _), _]) | Node::Multiply([first, _]) => at = *first,
                    Node::Concat([first, second]) => {
                        at = if path.wrapping_shr(depth) & 1 == 0 { *first } else { *second };
                        depth += 1;
                    }
                }
            };
            channels = channels.saturating_add(joined.channels);
            if depth > deepest {
                deepest = depth;
            }
            // The next path turns at the deepest concatenation whose first branch was taken.
            while depth > 0 && path.wrapping_shr(depth - 1) & 1 == 1 {
                depth -= 1;
            }
            // Deeper ones are refused.
            if depth == 0 || deepest > MOST_NESTED {
                return (Shape { channels, ..joined }, deepest);
            }
            let turn = 1_u64.wrapping_shl(depth - 1);
            path = path & (turn - 1) | turn;
        }
    }

    /// The place of `node`, which has number `index`, after that of the node before. Its stream follows from those of its
    /// inputs.
    pub(crate) const fn place(&self, index: usize, node: &Node<'a, T>, before: Option<Before>) -> Place {
        if index < self.places.len() {
            return self.places[index];
        }
        let (stream, of_node) = match node {
            Node::Filter(source, stage) => {
                let signature = stage.signature();
                (self.stream_at(*source, index, before).through(&signature), signature.state)
            }
            Node::Add([(source, _), _]) | Node::Multiply([source, _]) => (self.stream_at(*source, index, before), 0),
            Node::Concat([first, second]) => {
                let second = self.stream_at(*second, index, before).shape;
                (self.stream_at(*first, index, before).concat(second), 0)
            }
        };
        let (state, start) = match before {
            None => (0, Scratch::NONE),
            Some(before) => (
                before.state,
                match before.home {
                    Home::Scratch(start) => start.plus(before.stream.span()),
                    Home::Output => Scratch::NONE,
                },
            ),
        };
        let state = [state, of_node];
        Place::new(stream, state, if index + 1 == self.nodes.len() { Home::Output } else { Home::Scratch(start) })
    }

    /// [`Graph::stream`], known where it is that of the node `before` number `index`.
    pub(super) const fn stream_at(&self, source: Source, index: usize, before: Option<Before>) -> StreamShape {
        match (source, before) {
            (Source::Node(node), Some(before)) if node + 1 == index => before.stream,
            _ => self.stream(source),
        }
    }

    /// The memory of the frames of all nodes.
    pub(super) const fn span_of_frames(&self) -> Scratch {
        let (mut frames, mut node) = (Scratch::NONE, 0);
        while node < self.places.len() {
            frames = frames.plus(self.places[node].slot_size());
            node += 1;
        }
        if self.places.is_empty() {
            while node + 1 < self.nodes.len() {
                frames = frames.plus(self.stream(Source::Node(node)).span());
                node += 1;
            }
        }
        frames
    }

    /// The memory of the frames of `node`.
    pub(super) fn home(&self, node: usize) -> Home {
        match self.places.get(node) {
            Some(place) => place.home,
            None => {
                let span = |node| self.stream(Source::Node(node)).span();
                Home::Scratch((0..node).fold(Scratch::NONE, |before, node| before.plus(span(node))))
            }
        }
    }
}
