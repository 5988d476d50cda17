//! Products and concatenations of branches on a device: what the processor computes, for any chunking.

use crate::{close, same};
use foveola::{Device, Model};
use foveola_core::{
    Axis, Conv3d, ConvOptions, Decay, Diff, Kernel, LowPass, Node, Nonlinearity, Pointwise, Shape, Source, Stage, Sum,
    constant,
};
use foveola_tests::device::trial;
use foveola_tests::nodes::Nodes;
use foveola_tests::random::Recording;
use foveola_tests::stream::feed_all;
use libtest_mimic::Trial;

const DECAY: Decay = constant!(Decay::new(0.003, 1000.0));
static WEIGHTS: [f32; 12] = [0.5, -0.25, 0.75, 1.0, -0.5, 0.25, 0.125, -1.0, 0.5, 0.5, -0.75, 0.25];

pub(crate) fn trials() -> Vec<Trial> {
    type Case = (&'static str, fn(Shape) -> Vec<Node<'static>>);
    let cases: [Case; 5] = [
        ("a_square", |_| vec![Node::Multiply([Source::Input; 2])]),
        ("a_gate", |shape| {
            vec![low_pass(shape, Source::Input), diff(shape, Source::Node(0)), Node::Multiply([1, 0].map(Source::Node))]
        }),
        ("channels", |shape| vec![low_pass(shape, Source::Input), Node::Concat([Source::Node(0), Source::Input])]),
        ("channels_of_two_kinds", |shape| {
            let sum = Node::Filter(Source::Input, Stage::Sum(Sum::new(shape, Axis::Channel)));
            let both = Shape::new(shape.channels + 1, shape.rows, shape.cols);
            let nodes = [Node::Concat([Source::Node(0), Source::Input]), diff(both, Source::Node(1))];
            [sum].into_iter().chain(nodes).collect()
        }),
        ("products_of_strided_channels", |shape| {
            let options = ConvOptions { stride: [2, 1, 1], ..ConvOptions::DEFAULT };
            let (weights, _) = WEIGHTS.split_at(2 * shape.channels);
            let kernel = Kernel::new(weights, [1, shape.channels, 2, 1, 1]);
            let conv = Conv3d::new(shape, kernel, options).expect("a kernel");
            let (one, two) = (Shape { channels: 1, ..shape }, Shape { channels: 2, ..shape });
            let square = Pointwise::new(one, Nonlinearity::Square { scale: 0.5, bias: 0.25 }).expect("finite");
            vec![
                Node::Filter(Source::Input, Stage::Conv3d(conv)),
                Node::Filter(Source::Node(0), Stage::Pointwise(square)),
                Node::Concat([Source::Node(0), Source::Node(1)]),
                low_pass(two, Source::Node(2)),
                Node::Multiply([Source::Node(2), Source::Node(3)]),
            ]
        }),
    ];
    let trials = cases.into_iter().flat_map(|(name, nodes)| {
        [Shape::new(1, 4, 8), Shape::new(3, 3, 5)].map(|shape| {
            trial(format!("nodes::{name}::{}", shape.channels), move |device| law(device, shape, nodes(shape)))
        })
    });
    trials.collect()
}

fn low_pass(shape: Shape, from: Source) -> Node<'static> {
    Node::Filter(from, Stage::LowPass(LowPass::new(shape, DECAY)))
}

fn diff(shape: Shape, from: Source) -> Node<'static> {
    Node::Filter(from, Stage::Diff(Diff::new(shape)))
}

fn law(device: &Device, shape: Shape, nodes: Vec<Node<'static>>) -> Result<(), String> {
    let cuts = vec![3, 1, 0, 12, 1];
    let recording = Recording { seed: 7, batch: 2, cuts };
    let movie = recording.movie(shape);
    let layer = Nodes(nodes, Vec::new());
    let expected = feed_all(&mut Model::of(layer.clone()), &movie, &recording.cuts, 0)?;
    let mut model = Model::of(layer).to(device);
    let found = feed_all(&mut model, &movie, &recording.cuts, 0)?;
    // All values are below 10, and rounded a few times.
    close("the processor", &found, &expected, 1e-5)?;
    model.clear_state();
    let at_once = recording.cut_once();
    same("another chunking", &feed_all(&mut model, &movie, &at_once, 0)?, &found)
}
