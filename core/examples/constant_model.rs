//! A model that is a constant, as firmware has it: shapes are checked and memory is sized when this is compiled.
//! `cargo run -p foveola-core --example constant_model`

use foveola_core::{
    Border, Conv3d, ConvOptions, Decay, Digest, Filter, Graph, Kernel, LowPass, Node, Nonlinearity, Pointwise, Shape,
    Source, Stage, constant,
};

const SHAPE: Shape = Shape::new(1, 24, 32);

/// An edge filter of 3 x 3 pixels, as a correlation kernel `(out, in, time, row, col)`.
static WEIGHTS: [f32; 9] = [-0.25, 0.0, 0.25, -0.5, 0.0, 0.5, -0.25, 0.0, 0.25];

const EDGES: Conv3d = constant!(Conv3d::new(
    SHAPE,
    Kernel::new(&WEIGHTS, [1, 1, 1, 3, 3]),
    ConvOptions { border: Some(Border::Replicate), ..ConvOptions::DEFAULT },
));
/// 5 ms at 1000 frames a second.
const SMOOTH: LowPass = LowPass::new(SHAPE, constant!(Decay::new(0.005, 1000.0)));
const RECTIFY: Pointwise = constant!(Pointwise::new(SHAPE, Nonlinearity::Rectify));

static NODES: [Node; 3] = [
    Node::Filter(Source::Input, Stage::Conv3d(EDGES)),
    Node::Filter(Source::Node(0), Stage::LowPass(SMOOTH)),
    Node::Filter(Source::Node(1), Stage::Pointwise(RECTIFY)),
];
const MODEL: Graph = constant!(Graph::new(SHAPE, &NODES));

fn main() {
    // On a board these are statics.
    let mut state = [0.0; MODEL.signature().state];
    let mut scratch = [0.0; MODEL.signature().scratch.len(1)];
    let (mut frame, mut output) = ([0.0; SHAPE.len()], [0.0; SHAPE.len()]);
    println!("{} samples of state, {} of scratch", state.len(), scratch.len());

    for t in 0..100 {
        // A dark half and a bright half; the edge between them moves.
        frame.iter_mut().enumerate().for_each(|(i, x)| *x = if (i % SHAPE.cols) as u64 > t / 4 { 1.0 } else { 0.0 });
        MODEL.step(t, &mut state, &mut scratch, &frame, &mut output).expect("slices of the sizes that the model names");
        if t % 20 == 19 {
            let middle = output.iter().skip(12 * SHAPE.cols).take(SHAPE.cols);
            let (col, most) =
                middle.enumerate().fold((0, 0.0), |best, (col, y)| if *y > best.1 { (col, *y) } else { best });
            println!("frame {t}: the response is largest at column {col}: {most:.3}");
        }
    }
    let mut digest = Digest::new();
    digest.add(&output);
    println!("the last frame's digest, the same on every machine: {digest}");
}
