//! The place of a node in a model: its output stream, and the offsets of its state and its frames.
//!
//! Each place follows from the nodes before it. A table of [`Place`]s computes each of them once
//! ([`Graph::with_places`]). Without a table they are computed when needed: this takes time that grows with the
//! distance, but no memory for the table.

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
    pub(super) const fn span(&self) -> Scratch {
        Scratch { fixed: self.shape.len().saturating_mul(self.lead), per_frame: self.shape.len() }
    }
}

/// The channels of `first`, then those of `second`.
const fn stacked(first: Shape, second: Shape) -> Shape {
    Shape { channels: first.channels.saturating_add(second.channels), ..first }
}

/// The place of a node.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The output of the node.
    pub stream: StreamShape,
    /// Samples of a stream's state before that of the node.
    pub state: usize,
    /// Scratch before the frames of the node.
    pub scratch: Scratch,
}

impl Place {
    /// The place before the first node, which reads frames of `shape`.
    pub const fn first(shape: Shape) -> Self {
        Self { stream: StreamShape::input(shape), state: 0, scratch: Scratch::NONE }
    }
}

impl<'a, T: Sample> Graph<'a, T> {
    /// The output of `source`, relative to the model's input.
    pub const fn stream(&self, source: Source) -> StreamShape {
        if let Source::Node(node) = source
            && node < self.places.len()
        {
            return self.places[node].stream;
        }
        // Trace back to the input, filter by filter.
        let mut stream = StreamShape { shape: self.shape(source), rate: Rate::EACH, lead: 0 };
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

    /// Shape of the frames of `source`.
    const fn shape(&self, source: Source) -> Shape {
        let mut at = source;
        while let Source::Node(node) = at {
            if node >= self.nodes.len() {
                break;
            }
            match &self.nodes[node] {
                Node::Filter(_, stage) => return stage.signature().output,
                Node::Add([(source, _), _]) | Node::Multiply([source, _]) => at = *source,
                Node::Concat([first, second]) => return stacked(self.shape(*first), self.shape(*second)),
            }
        }
        self.input
    }

    /// The place of `node`, after the node `before`. Its stream follows from those of its inputs.
    pub(super) const fn place(&self, node: &Node<'a, T>, before: Option<(&Place, &Node<'a, T>)>) -> Place {
        let stream = match node {
            Node::Filter(source, stage) => self.stream(*source).through(&stage.signature()),
            Node::Add([(source, _), _]) | Node::Multiply([source, _]) => self.stream(*source),
            Node::Concat([first, second]) => self.stream(*first).concat(self.stream(*second).shape),
        };
        match before {
            None => Place { stream, state: 0, scratch: Scratch::NONE },
            Some((place, node)) => Place {
                stream,
                state: place.state.saturating_add(node.state()),
                scratch: place.scratch.plus(place.stream.span()),
            },
        }
    }

    /// The offset and the length of the frames of `node` in the scratch, over all streams, for a chunk of `frames` frames
    /// from time `t` on.
    pub(super) fn frames_of(&self, node: usize, t: u64, frames: usize, batch: usize) -> (usize, usize) {
        let stream = self.stream(Source::Node(node));
        let before = match self.places.get(node) {
            Some(place) => place.scratch,
            None => (0..node).fold(Scratch::NONE, |before, node| before.plus(self.stream(Source::Node(node)).span())),
        };
        let len = stream.shape.len().saturating_mul(stream.chunk(t, frames).1);
        (before.len(frames).saturating_mul(batch), len.saturating_mul(batch))
    }

    /// Scratch before the frames of `node`, computed from the later node `here` and its place.
    pub(super) fn scratch_of(&self, node: usize, (here, place): (usize, &Place)) -> Scratch {
        match self.places.get(node) {
            Some(place) => place.scratch,
            None => {
                (node..here).fold(place.scratch, |scratch, node| scratch.less(self.stream(Source::Node(node)).span()))
            }
        }
    }
}
