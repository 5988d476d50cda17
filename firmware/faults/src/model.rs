//! A retina of 32 x 32 pixels, small and quick to forget, so that a case takes little time.
//!
//! Centre and surround are chains of two exponentials (1 and 2 ms at 1000 frames/s), each through a kernel of its own; their
//! difference is rectified.

use foveola_core::events::{Evt2, Geometry, Polarity};
use foveola_core::{
    Border, Decay, Error, Graph, Node, Nonlinearity, Pointwise, Shape, SmoothConv, Source, Stage, constant,
};
use foveola_pipeline::{Application, Plan};

/// The frames.
pub const SHAPE: Shape = Shape::new(1, 32, 32);
/// Microseconds of a frame.
pub const DT: u64 = 1_000;

const RATE: f64 = 1e6 / DT as f64;
const SLOW: Decay = constant!(Decay::new(0.002, RATE));
static CENTRE_DECAYS: [Decay; 2] = [constant!(Decay::new(0.001, RATE)); 2];
static SURROUND_DECAYS: [Decay; 2] = [SLOW; 2];

/// Two binomial kernels of 3 x 3, their sum 1.
pub static CENTRE: [f32; 18] = {
    let (binomial, mut weights, mut i) = ([1.0, 2.0, 1.0], [0.0; 18], 0);
    while i < 18 {
        weights[i] = binomial[i / 3 % 3] * binomial[i % 3] / 32.0;
        i += 1;
    }
    weights
};
/// Two uniform kernels of 5 x 5, their sum 1.
pub static SURROUND: [f32; 50] = [1.0 / 50.0; 50];

/// The retina with these weights, whose values are not read: the checksum of the model tells whether they are damaged.
///
/// # Errors
/// Weights of another number.
pub const fn nodes<'w>(centre: &'w [f32], surround: &'w [f32]) -> Result<[Node<'w>; 4], Error> {
    let centre = match SmoothConv::from_checked(SHAPE, &CENTRE_DECAYS, centre, [3, 3], Border::Replicate) {
        Ok(filter) => filter,
        Err(error) => return Err(error),
    };
    let surround = match SmoothConv::from_checked(SHAPE, &SURROUND_DECAYS, surround, [5, 5], Border::Replicate) {
        Ok(filter) => filter,
        Err(error) => return Err(error),
    };
    let rectify = match Pointwise::new(SHAPE, Nonlinearity::Rectify) {
        Ok(filter) => filter,
        Err(error) => return Err(error),
    };
    Ok([
        Node::Filter(Source::Input, Stage::SmoothConv(centre)),
        Node::Filter(Source::Input, Stage::SmoothConv(surround)),
        Node::Add([(Source::Node(0), 1.0), (Source::Node(1), -1.0)]),
        Node::Filter(Source::Node(2), Stage::Pointwise(rectify)),
    ])
}

/// The plan of a model.
///
/// # Errors
/// A model for frames of another shape.
pub const fn plan<'w>(nodes: &'w [Node<'w>]) -> Result<Plan<'w>, Error> {
    let graph = match Graph::new(SHAPE, nodes) {
        Ok(graph) => graph,
        Err(error) => return Err(error),
    };
    match Plan::new(graph, Geometry { cols: SHAPE.cols, rows: SHAPE.rows }, 1, Polarity::Signed, DT) {
        // As on a board: the sensor tells the time all along.
        Ok(plan) => Ok(plan.largest_step(1_024)),
        Err(error) => Err(error),
    }
}

static NODES: [Node; 4] = constant!(nodes(&CENTRE, &SURROUND));

/// The application that the faults are injected into.
pub struct Retina;

impl Application for Retina {
    type Decoder = Evt2;
    type Sample = f32;
    const PLAN: Plan<'static> = constant!(plan(&NODES));
    const RAM: usize = 64 * 1024;
}

/// Frames behind a fault after which nothing of it is seen beside an event, if a pixel counted no more than `LARGEST` of them in
/// a frame. Of a difference of `d` in both stages of the slower chain, `d (1 + n g) a^n` is left in the second one after `n`
/// frames, `g` its gain and `a = 1 - g`. An event makes a stage at least `g`, above 1/4, whose bits end at 2^-25: a difference
/// below half of that is rounded away there.
///
/// Not before: two runs a unit in the last place apart may stay so as long as nothing happens, whatever the filter forgets. So
/// the frames in which each pixel has an event come on top: [`SETTLED`](crate::sensor::SETTLED).
pub const MEMORY: usize = {
    let (gain, mut left, mut n) = (SLOW.gain(), LARGEST, 0);
    while (1.0 + n as f64 * gain) * left > 1.0 / (1 << 26) as f64 {
        left *= 1.0 - gain;
        n += 1;
    }
    n
};
/// Events of one pixel in a frame, at most.
const LARGEST: f64 = 128.0;
