//! Nodes share the memory of their frames: a linear scan, as compilers assign registers (Poletto and Sarkar 1999).
//!
//! The frames of a node are needed until their last reader is done; those of a further output, and of the last node, until
//! the end. The scratch consists of slots, one after another; each holds the frames of one node at a time, and is as large
//! as the largest of them.
//! - A node that is [in place](super::Stage::is_in_place), a sum or a product writes over a source whose last reader it is.
//! - The caller's output is a slot as well, for frames of the same shape and rate. The last node writes to it, and so do the
//!   nodes that are replaced on the way to the last one.
//! - Every other node takes a free slot: the smallest one that is large enough, else the largest one.
//!
//! Time: the number of nodes times that of the slots. The table of places is the only memory.

use super::place::{Home, Place};
use super::{Node, Source};
use crate::{Sample, Scratch};

/// The last reader of frames that are never replaced.
const FOREVER: usize = usize::MAX;

/// Gives every node of a checked table the memory of its frames. The places have streams and states already.
pub(super) const fn share<T: Sample>(nodes: &[Node<'_, T>], outputs: &[usize], places: &mut [Place]) {
    find_last_readers(nodes, outputs, places);
    // The nodes that replace each other up to the last one; `head` is the first of them.
    let (last, mut head) = (nodes.len() - 1, nodes.len() - 1);
    places[head].home = Home::Output;
    while let Some(source) = replaceable(&nodes[head], head, places) {
        places[head].replaces = Some(source);
        head = source;
        places[head].home = Home::Output;
    }
    let (mut node, mut slots, mut output_free_from) = (0, 0, 0);
    while node < nodes.len() {
        let Place { stream, home, last_reader, .. } = places[node];
        let free_from = last_reader.saturating_add(1);
        // The output is free again when `head` writes to it.
        let is_early = last_reader < head;
        if matches!(home, Home::Output) {
            // One of those up to the last node.
        } else if let Some(source) = replaceable(&nodes[node], node, places)
            && (matches!(places[source].home, Home::Scratch(_)) || is_early)
        {
            let Place { home, slot, .. } = places[source];
            (places[node].replaces, places[node].home, places[node].slot) = (Some(source), home, slot);
            match home {
                Home::Output => output_free_from = free_from,
                Home::Scratch(_) => places[slot].part.free_from = free_from,
            }
        } else if is_early && output_free_from <= node && stream.equals(&places[last].stream) {
            places[node].home = Home::Output;
            output_free_from = free_from;
        } else {
            let slot = free_slot(places, slots, node, stream.span());
            if slot == slots {
                slots += 1;
            }
            let part = &mut places[slot].part;
            (part.size, part.free_from) = (part.size.larger(stream.span()), free_from);
            places[node].slot = slot;
        }
        node += 1;
    }
    find_starts(places, slots);
}

/// Each node's last reader, or the node itself.
const fn find_last_readers<T: Sample>(nodes: &[Node<'_, T>], outputs: &[usize], places: &mut [Place]) {
    let mut node = 0;
    while node < nodes.len() {
        places[node].last_reader = node;
        let (first, second) = nodes[node].sources();
        if let Source::Node(source) = first {
            places[source].last_reader = node;
        }
        if let Some(Source::Node(source)) = second {
            places[source].last_reader = node;
        }
        node += 1;
    }
    places[nodes.len() - 1].last_reader = FOREVER;
    let mut output = 0;
    while output < outputs.len() {
        places[outputs[output]].last_reader = FOREVER;
        output += 1;
    }
}

/// The source whose frames `node` may replace by its own.
const fn replaceable<T: Sample>(node: &Node<'_, T>, index: usize, places: &[Place]) -> Option<usize> {
    let (first, second) = match node {
        Node::Filter(_, stage) if !stage.is_in_place() => return None,
        Node::Concat(_) => return None,
        Node::Filter(..) | Node::Add(_) | Node::Multiply(_) => node.sources(),
    };
    match (first, second) {
        // Of one source twice, the first sample would be replaced before it is read again.
        (Source::Node(first), Some(Source::Node(second))) if first == second => None,
        (Source::Node(first), _) if places[first].last_reader == index => Some(first),
        (_, Some(Source::Node(second))) if places[second].last_reader == index => Some(second),
        _ => None,
    }
}

/// Of the first `slots` slots one that `node` may write `size` to: the smallest that is large enough, else the largest. A new
/// one if none is free.
const fn free_slot(places: &[Place], slots: usize, node: usize, size: Scratch) -> usize {
    let (mut best, mut slot) = (slots, 0);
    while slot < slots {
        let part = &places[slot].part;
        if part.free_from <= node {
            let (found, known) = (part.size.per_frame, places[best].part.size.per_frame);
            let is_better = match (found >= size.per_frame, known >= size.per_frame) {
                (true, true) => found < known,
                (fits, other_fits) => fits || !other_fits && found > known,
            };
            if best == slots || is_better {
                best = slot;
            }
        }
        slot += 1;
    }
    best
}

/// Puts the slots one after another.
const fn find_starts(places: &mut [Place], slots: usize) {
    let (mut slot, mut start) = (0, Scratch::NONE);
    while slot < slots {
        places[slot].part.start = start;
        start = start.plus(places[slot].part.size);
        slot += 1;
    }
    let mut node = 0;
    while node < places.len() {
        if let Home::Scratch(_) = places[node].home {
            places[node].home = Home::Scratch(places[places[node].slot].part.start);
        }
        node += 1;
    }
}
