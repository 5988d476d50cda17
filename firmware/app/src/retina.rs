//! The retina of the host's default run: the centre, three 5 x 5 Gaussians of 0.8 pixels that forget in 6 ms, less the surround
//! of 3 pixels and 10 ms, and of that what lies above 0.

include!(concat!(env!("OUT_DIR"), "/kernels.rs"));

/// Names an [`Application`](foveola_pipeline::Application): the [retina](self) behind a sensor of `side` x `side` pixels in bins
/// of `binning` x `binning`, a frame every `dt` microseconds, in no more than `ram` bytes. Frames start anew after a jump of
/// time by more than `gap` microseconds: behind it the sensor was restarted, and its clock with it.
///
/// ```
/// use foveola_pipeline::Application;
/// foveola_app::retina!(Retina, side: 320, binning: 5, dt: 10_000, gap: 200_000, ram: 153_600);
/// assert_eq!(Retina::PLAN.output().len(), 64 * 64);
/// ```
#[macro_export]
macro_rules! retina {
    ($name:ident, side: $side:expr, binning: $binning:expr, dt: $dt:expr, gap: $gap:expr, ram: $ram:expr) => {
        #[doc = "The retina that runs here."]
        pub struct $name;

        const _: () = {
            use $crate::foveola_core::events::{Geometry, Polarity};
            use $crate::foveola_core::{
                Border, Decay, Node, Nonlinearity, PlacedGraph, Pointwise, Shape, SmoothConv, Source, Stage, constant,
            };
            use $crate::retina::{CENTRE, SURROUND};

            const SHAPE: Shape = Shape::new(1, $side / $binning, $side / $binning);
            const RATE: f64 = 1e6 / $dt as f64;
            static FAST: [Decay; 3] = [constant!(Decay::new(0.006, RATE)); 3];
            static SLOW: [Decay; 3] = [constant!(Decay::new(0.010, RATE)); 3];
            const CONV: (SmoothConv<'static>, SmoothConv<'static>) = (
                constant!(SmoothConv::new(SHAPE, &FAST, &CENTRE, [5, 5], Border::Replicate)),
                constant!(SmoothConv::new(SHAPE, &SLOW, &SURROUND, [5, 5], Border::Replicate)),
            );
            static NODES: [Node; 4] = [
                Node::Filter(Source::Input, Stage::SmoothConv(CONV.0)),
                Node::Filter(Source::Input, Stage::SmoothConv(CONV.1)),
                Node::Add([(Source::Node(0), 1.0), (Source::Node(1), -1.0)]),
                Node::Filter(
                    Source::Node(2),
                    Stage::Pointwise(constant!(Pointwise::new(SHAPE, Nonlinearity::Rectify))),
                ),
            ];

            static PLACED: PlacedGraph<4> = constant!(PlacedGraph::new(SHAPE, &NODES));

            impl $crate::foveola_pipeline::Application for $name {
                const PLAN: $crate::foveola_pipeline::Plan<'static> = constant!($crate::foveola_pipeline::Plan::new(
                    PLACED.graph(),
                    Geometry { cols: $side, rows: $side },
                    $binning,
                    Polarity::Signed,
                    $dt,
                ))
                .restart_after($gap);
                const RAM: usize = $ram;
            }
        };
    };
}
