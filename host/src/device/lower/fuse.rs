//! Nodes that process single pixels, fused into one pass where one feeds the other.
//!
//! A node joins the region of the nodes that read it if all of them are in one region, and if it is no output itself. So only the
//! last node of a region, its root, is read from outside, and the region can run at the position of the root.

use super::{Lowering, words};
use crate::device::kernels::Kernel;
use crate::device::kernels::{Operation, Scan};
use crate::device::pass::Operand;
use foveola_core::{Graph, Node, Nonlinearity, Source, Stage};

/// The largest number of inputs and nodes of a region: buffers and registers are limited.
const INPUTS: usize = 4;
const NODES: usize = 12;

/// For each node, the root of its region; a single node is its own root.
#[derive(Debug)]
pub(super) struct Regions(Vec<usize>);

/// The sources that a node reads.
fn sources(node: &Node<'_>) -> impl Iterator<Item = Source> {
    let (first, second) = node.sources();
    [Some(first), second].into_iter().flatten()
}

impl Regions {
    /// Whether the node processes single pixels.
    pub(super) fn elementwise(node: &Node<'_>) -> bool {
        use Stage::{Diff, HighPass, LowPass, Pointwise};
        matches!(
            node,
            Node::Add(_) | Node::Multiply(_) | Node::Filter(_, LowPass(_) | HighPass(_) | Diff(_) | Pointwise(_))
        )
    }

    /// The regions of a graph, `further` of whose nodes are outputs besides the last one.
    pub(super) fn of(graph: &Graph<'_>, further: &[usize]) -> Self {
        let nodes = graph.nodes();
        let mut regions = Self((0..nodes.len()).collect());
        for i in (0..nodes.len()).rev() {
            if !Self::elementwise(&nodes[i]) || further.contains(&i) {
                continue;
            }
            let mut readers = (0..nodes.len()).filter(|j| sources(&nodes[*j]).any(|source| source == Source::Node(i)));
            let Some(root) = readers.next().map(|first| regions.0[first]) else { continue };
            if readers.all(|reader| regions.0[reader] == root) && Self::elementwise(&nodes[root]) {
                regions.0[i] = root;
                let members = regions.members(root);
                if members.len() > NODES || Self::inputs(graph, &members).len() > INPUTS {
                    regions.0[i] = i;
                }
            }
        }
        regions
    }

    pub(super) fn root(&self, node: usize) -> usize {
        self.0[node]
    }

    /// The nodes of the region of `root`, in order.
    pub(super) fn members(&self, root: usize) -> Vec<usize> {
        (0..self.0.len()).filter(|node| self.0[*node] == root).collect()
    }

    /// The sources outside the region that its nodes read.
    fn inputs(graph: &Graph<'_>, members: &[usize]) -> Vec<Source> {
        let mut inputs = Vec::new();
        for source in members.iter().flat_map(|node| sources(&graph.nodes()[*node])) {
            let inside = matches!(source, Source::Node(node) if members.contains(&node));
            if !inside && !inputs.contains(&source) {
                inputs.push(source);
            }
        }
        inputs
    }

    /// For each node, the last root that reads it; none if no other region reads it.
    pub(super) fn last_uses(&self, graph: &Graph<'_>) -> Vec<usize> {
        let mut last = vec![usize::MAX; self.0.len()];
        for (reader, node) in graph.nodes().iter().enumerate() {
            for source in sources(node) {
                if let Source::Node(source) = source
                    && self.0[source] != self.0[reader]
                {
                    let root = self.0[reader];
                    last[source] = if last[source] == usize::MAX { root } else { last[source].max(root) };
                }
            }
        }
        last
    }
}

impl Lowering<'_, '_, '_> {
    /// One pass for the nodes of a region, whose states start at `offsets`.
    pub(super) fn region(&mut self, members: &[usize], offsets: &[usize], output: Operand) {
        let inputs = Regions::inputs(self.graph, members);
        let reached: Vec<_> = inputs.iter().map(|source| self.reached(*source)).collect();
        let Some(first) = reached.first().filter(|reached| reached.frames > 0) else { return };
        let (mut operations, mut numbers, mut states) = (Vec::new(), Vec::new(), Vec::new());
        for node in members {
            let value = |source: Source| match source {
                Source::Node(node) if members.contains(&node) => {
                    inputs.len() + members.iter().position(|member| *member == node).unwrap_or(0)
                }
                source => inputs.iter().position(|input| *input == source).unwrap_or(0),
            };
            let (operation, own, state) = operation(&self.graph.nodes()[*node], value);
            operations.push(operation);
            numbers.push((own, state.then_some(offsets[*node])));
            states.extend(state.then_some(offsets[*node]));
        }
        let (streams, frames, len) = (self.chunk.streams, first.frames, first.shape.len());
        // Without state, all frames are processed as one.
        let (streams, frames, len) =
            if states.is_empty() { (1, 1, streams * frames * len) } else { (streams, frames, len) };
        let wide = len.is_multiple_of(4) && states.iter().all(|at| at.is_multiple_of(4));
        let each = if wide { 4 } else { 1 };
        let threads = streams * len / each;
        let mut params = words([threads, len / each, frames, (first.t == 0).into(), 0]);
        for (own, state) in numbers {
            params.extend(own.iter().map(|number| (*number as f32).to_bits()));
            params.extend(state.map(|at| (at / each) as u32));
        }
        let reads = reached.iter().map(|reached| reached.operand.clone()).collect();
        let writes = if states.is_empty() { vec![output] } else { vec![Operand::State, output] };
        let scan = Scan { inputs: inputs.len(), operations, wide };
        self.push(Kernel::Scan(scan), reads, writes, threads, params);
    }
}

/// The operation of a node on values, its parameters, and whether it has state.
fn operation(node: &Node<'_>, value: impl Fn(Source) -> usize) -> (Operation, Vec<f64>, bool) {
    match node {
        Node::Add([(a, wa), (b, wb)]) => (Operation::Add(value(*a), value(*b)), vec![*wa, *wb], false),
        Node::Multiply([a, b]) => (Operation::Multiply(value(*a), value(*b)), Vec::new(), false),
        // Not elementwise: not reached.
        Node::Concat([a, _]) => (Operation::Rectify(value(*a)), Vec::new(), false),
        Node::Filter(source, stage) => {
            let x = value(*source);
            match stage {
                Stage::LowPass(filter) => match filter.decay().gain() as f32 {
                    1.0 => (Operation::Hold(x), Vec::new(), true),
                    _ if filter.decay().is_compensated() => {
                        (Operation::Compensated(x), vec![filter.decay().gain()], true)
                    }
                    _ => (Operation::LowPass(x), vec![filter.decay().gain()], true),
                },
                Stage::HighPass(filter) => match filter.decay().gain() as f32 {
                    1.0 => (Operation::HighHold(x), vec![filter.k()], true),
                    _ if filter.decay().is_compensated() => {
                        (Operation::HighCompensated(x), vec![filter.decay().gain(), filter.k()], true)
                    }
                    _ => (Operation::HighPass(x), vec![filter.decay().gain(), filter.k()], true),
                },
                Stage::Diff(_) => (Operation::Diff(x), Vec::new(), true),
                Stage::Pointwise(filter) => match filter.function() {
                    Nonlinearity::Rectify => (Operation::Rectify(x), Vec::new(), false),
                    Nonlinearity::RectifyScale { scale, bias } => {
                        (Operation::RectifyScale(x), vec![scale, bias], false)
                    }
                    Nonlinearity::Square { scale, bias } => (Operation::Square(x), vec![scale, bias], false),
                    Nonlinearity::RectifySquare { scale, bias } => {
                        (Operation::RectifySquare(x), vec![scale, bias], false)
                    }
                    Nonlinearity::Exponential { scale, bias } => (Operation::Exponential(x), vec![scale, bias], false),
                    Nonlinearity::Softplus { scale, bias } => (Operation::Softplus(x), vec![scale, bias], false),
                    Nonlinearity::Logistic { scale, bias } => (Operation::Logistic(x), vec![scale, bias], false),
                    // Not supported: not reached.
                    _ => (Operation::Rectify(x), Vec::new(), false),
                },
                // Not elementwise: not reached.
                _ => (Operation::Rectify(x), Vec::new(), false),
            }
        }
        // Not supported: not reached.
        _ => (Operation::Rectify(value(Source::Input)), Vec::new(), false),
    }
}
