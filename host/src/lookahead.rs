//! How much of a stream's first chunk is needed before the first output frame: the frames that initialise temporal padding.

use foveola_core::{Graph, Node, PadMode, Rate, Stage};

/// The temporal paddings that the first chunk initialises: mode, length in frames, and the rate of the frames at that node.
fn histories<'g>(graph: &'g Graph<'_>) -> impl Iterator<Item = (PadMode, usize, Rate)> + 'g {
    let of_node = |node: &Node<'_>| {
        let Node::Filter(source, stage) = node else { return None };
        let (mode, length) = match stage {
            Stage::TimePadding(padding) => (padding.mode(), padding.length()),
            Stage::Conv3d(conv) => (conv.options().pad?, conv.extents()[0] - 1),
            Stage::Rf(field) => (field.pad()?, field.kernel().shape[2] - 1),
            // A custom filter may use the whole chunk.
            Stage::Custom(..) => (PadMode::FullCopy, 1),
            _ => return None,
        };
        let rate = graph.stream(*source).rate;
        (length > 0 && rate.first == 0).then_some((mode, length, rate))
    };
    graph.nodes().iter().filter_map(of_node)
}

/// The number of frames of the first chunk, out of `frames`, that must go through the layers together.
pub(crate) fn needed(graph: &Graph<'_>, frames: usize) -> usize {
    let of_history = |(mode, length, rate): (PadMode, usize, Rate)| {
        let frames = match mode {
            PadMode::Mirror => length.min(rate.frames(0, frames)),
            PadMode::FirstFrame | PadMode::Ones | PadMode::Zeros => 1,
            // The whole chunk is enough for any mode.
            _ => rate.frames(0, frames),
        };
        let every = usize::try_from(rate.every).unwrap_or(usize::MAX);
        frames.saturating_sub(1).saturating_mul(every).saturating_add(1)
    };
    histories(graph).map(of_history).fold(1, usize::max).min(frames)
}

/// Whether a padding starts from the mean of all streams.
#[cfg(feature = "gpu")]
pub(crate) fn averages(graph: &Graph<'_>) -> bool {
    histories(graph).any(|(mode, ..)| mode == PadMode::Mean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use foveola_core::{Conv3d, ConvOptions, Kernel, Shape, Source};

    /// Frames that a first block of 100 needs, for a kernel of 5 frames, alone and after one of 3 with a stride of 4.
    #[test]
    fn a_first_block_holds_what_begins_the_state() {
        let shape = Shape::new(1, 1, 1);
        let conv = |frames: usize, pad, stride| {
            let options = ConvOptions { pad: Some(pad), stride: [stride, 1, 1], ..ConvOptions::DEFAULT };
            let kernel = Kernel::new(&[1.0; 5][..frames], [1, 1, frames, 1, 1]);
            Stage::Conv3d(Conv3d::new(shape, kernel, options).expect("a kernel"))
        };
        for (pad, alone, behind) in [
            (PadMode::Mirror, 4, 13),
            (PadMode::FullCopy, 100, 97),
            (PadMode::Mean, 100, 97),
            (PadMode::FirstFrame, 1, 1),
            (PadMode::Zeros, 1, 1),
        ] {
            let nodes = [Node::Filter(Source::Input, conv(5, pad, 1))];
            let graph = Graph::new(shape, &nodes).expect("a graph");
            assert_eq!((needed(&graph, 100), needed(&graph, 3)), (alone, alone.min(3)), "{pad:?}");
            let slower = Node::Filter(Source::Input, conv(3, PadMode::Zeros, 4));
            let nodes = [slower, Node::Filter(Source::Node(0), conv(5, pad, 1))];
            let graph = Graph::new(shape, &nodes).expect("a graph");
            assert_eq!(needed(&graph, 100), behind, "{pad:?} behind a stride");
        }
    }
}
