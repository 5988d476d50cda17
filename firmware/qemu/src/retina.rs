//! The retina of the host's default run at 64 x 64 pixels and 1000 frames/s, and a recording for it.
//!
//! ```text
//! out = max(centre - surround, 0)      each three exponentials in time, each through a Gaussian of 5 x 5 pixels
//! ```

use foveola_app::retina::{CENTRE, SURROUND};
use foveola_core::events::{Geometry, Polarity};
use foveola_core::{
    Border, Decay, Node, Nonlinearity, PlacedGraph, Pointwise, Shape, SmoothConv, Source, Stage, constant,
};
use foveola_pipeline::{Application, Plan};

/// Written by `foveola record retina.raw --geometry 64x64 --duration 200ms`.
pub static RECORDING: &[u8] = include_bytes!("bin/retina.raw");

/// Frames in and out.
pub const SHAPE: Shape = Shape::new(1, 64, 64);
/// Microseconds of a frame.
pub const DT: u64 = 1_000;
/// Frames a second.
pub const RATE: f64 = 1e6 / DT as f64;
static FAST: [Decay; 3] = [constant!(Decay::new(0.006, RATE)); 3];
static SLOW: [Decay; 3] = [constant!(Decay::new(0.010, RATE)); 3];
const SIZE: [usize; 2] = [5, 5];
static NODES: [Node; 4] = [
    Node::Filter(
        Source::Input,
        Stage::SmoothConv(constant!(SmoothConv::new(SHAPE, &FAST, &CENTRE, SIZE, Border::Replicate))),
    ),
    Node::Filter(
        Source::Input,
        Stage::SmoothConv(constant!(SmoothConv::new(SHAPE, &SLOW, &SURROUND, SIZE, Border::Replicate))),
    ),
    Node::Add([(Source::Node(0), 1.0), (Source::Node(1), -1.0)]),
    Node::Filter(Source::Node(2), Stage::Pointwise(constant!(Pointwise::new(SHAPE, Nonlinearity::Rectify)))),
];

static PLACED: PlacedGraph<4> = constant!(PlacedGraph::new(SHAPE, &NODES));

/// The retina; see [above](self).
pub struct Retina;

impl Application for Retina {
    const PLAN: Plan<'static> =
        constant!(Plan::new(PLACED.graph(), Geometry { cols: SHAPE.cols, rows: SHAPE.rows }, 1, Polarity::Signed, DT,));
    /// As much as the smallest machine here has beside its stack and program.
    const RAM: usize = 192 * 1024;
}

/// Bytes that an interrupt brings at once.
pub const BLOCK: usize = 256;
/// The recording in blocks of whole words, as a sensor sends them; in front of them what is left, with the header, that a
/// sensor's stream does not have.
pub fn blocks() -> impl Iterator<Item = &'static [u8]> {
    let (first, blocks) = RECORDING.split_at(RECORDING.len() % BLOCK);
    core::iter::once(first).chain(blocks.chunks(BLOCK))
}

/// Blocks in the queue between interrupt and main loop, of which one stays empty.
pub const BLOCKS: usize = 8;
