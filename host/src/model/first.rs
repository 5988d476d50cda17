//! What of a stream's first chunk must be seen before its first frame can come out: what temporal padding begins with.

use foveola_core::{Graph, Node, PadMode, Rate, Stage};

/// The padding that a first chunk begins as a whole: how, of how many frames, and the rate of those that reach it.
fn histories<'g>(graph: &'g Graph<'_>) -> impl Iterator<Item = (PadMode, usize, Rate)> + 'g {
    let of_node = |node: &Node<'_>| {
        let Node::Filter(source, stage) = node else { return None };
        let (mode, length) = match stage {
            Stage::TimePadding(padding) => (padding.mode(), padding.length()),
            Stage::Conv3d(conv) => (conv.options().pad?, conv.extent(0) - 1),
            Stage::Rf(field) => (field.pad()?, field.kernel().shape[2] - 1),
            // A filter of which nothing is known may look at all of it.
            Stage::Own(..) => (PadMode::FullCopy, 1),
            _ => return None,
        };
        let rate = graph.flow(*source).rate;
        (length > 0 && rate.first == 0).then_some((mode, length, rate))
    };
    graph.nodes().iter().filter_map(of_node)
}

/// Frames of the first chunk, out of `frames`, that must go through the layers at once.
pub(crate) fn needed(graph: &Graph<'_>, frames: usize) -> usize {
    let of_history = |(mode, length, rate): (PadMode, usize, Rate)| {
        let frames = match mode {
            PadMode::Mirror => length.min(rate.frames(0, frames)),
            PadMode::FullCopy | PadMode::Mean => rate.frames(0, frames),
            PadMode::FirstFrame | PadMode::Ones | PadMode::Zeros => 1,
        };
        let every = usize::try_from(rate.every).unwrap_or(usize::MAX);
        frames.saturating_sub(1).saturating_mul(every).saturating_add(1)
    };
    histories(graph).map(of_history).fold(1, usize::max).min(frames)
}

/// Whether padding begins with the mean of all streams.
#[cfg(feature = "gpu")]
pub(crate) fn averages(graph: &Graph<'_>) -> bool {
    histories(graph).any(|(mode, ..)| mode == PadMode::Mean)
}
