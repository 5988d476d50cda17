//! Strategies: small frames (most kernels are larger), recordings and their cuts, and every layer with all its options.
//!
//! Sizes shrink; samples and weights come from a seed, since their values rarely matter for what goes wrong.

use crate::spec::{Axes, ConvSpec, Spec};
use foveola::{Border, PadMode};
use foveola_core::{Nonlinearity, Shape};
use ndarray::{Array, Array2, Array3, Array5, Dimension, IntoDimension, ShapeBuilder, s};
use proptest::array::uniform3;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Samples in -1 .. 1 with 24 significant bits, so that `f32` holds them exactly. (`SplitMix64`, Steele et al. 2014.)
pub fn noise(seed: u64, len: usize) -> Vec<f64> {
    let mut state = seed;
    let next = |_| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f64 / f64::from(1 << 23) - 1.0
    };
    (0..len).map(next).collect()
}

/// [`noise`] as an array.
pub fn array<D: Dimension>(seed: u64, shape: impl IntoDimension<Dim = D>) -> Array<f64, D> {
    let shape = shape.into_dimension();
    let values = noise(seed, shape.size());
    Array::from_shape_vec(shape.into_shape_with_order(), values).expect("as many samples as the shape has")
}

/// A recording and how it is cut.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Of what the samples are made.
    pub seed: u64,
    /// Streams side by side.
    pub batch: usize,
    /// Lengths of the pieces, 0 included; not all of them.
    pub cuts: Vec<usize>,
}

impl Recording {
    /// The samples, for frames of `shape`.
    pub fn movie(&self, shape: Shape) -> Array5<f32> {
        let frames = self.cuts.iter().sum::<usize>();
        array(self.seed, (self.batch, shape.channels, frames, shape.rows, shape.cols)).mapv(|x| x as f32)
    }

    /// Length of the first piece that has frames: it decides the initial history.
    pub fn first(&self) -> usize {
        self.cuts.iter().copied().find(|frames| *frames > 0).unwrap_or(0)
    }

    /// The same recording cut once, behind its first piece.
    pub fn cut_once(&self) -> [usize; 2] {
        [self.first(), self.cuts.iter().sum::<usize>() - self.first()]
    }
}

/// Recordings in one to eight pieces of 0 to 6 frames, many of a single frame.
pub fn recording() -> impl Strategy<Value = Recording> {
    let piece = prop_oneof![3 => Just(1_usize), 1 => Just(0_usize), 3 => 2..7_usize];
    (any::<u64>(), 1..4_usize, vec(piece, 1..9))
        .prop_map(|(seed, batch, cuts)| Recording { seed, batch, cuts })
        .prop_filter("a recording needs a frame", |recording| recording.first() > 0)
}

/// Recordings as [`recording`], with pieces of up to 40 frames among them: longer than any block that a filter works in
/// (16 frames in the frequency domain, 4 in time) twice over.
pub fn long_recording() -> impl Strategy<Value = Recording> {
    let piece = prop_oneof![2 => Just(1_usize), 1 => Just(0_usize), 2 => 2..7_usize, 2 => 15..41_usize];
    (any::<u64>(), 1..3_usize, vec(piece, 1..6))
        .prop_map(|(seed, batch, cuts)| Recording { seed, batch, cuts })
        .prop_filter("a recording needs a frame", |recording| recording.first() > 0)
}

/// Frames of 1 to 3 channels and few pixels, narrower than a vector (4 to 16 lanes) or as wide as several: up to a tile of
/// four vectors and what is left of it.
pub fn shape() -> impl Strategy<Value = Shape> {
    let size = prop_oneof![3 => (1..10_usize, 1..10_usize), 1 => (1..6_usize, 10..71_usize)];
    (1..4_usize, size).prop_map(|(channels, (rows, cols))| Shape::new(channels, rows, cols))
}

/// Every mode of an initial history.
pub fn pad_mode() -> impl Strategy<Value = PadMode> {
    prop::sample::select(PadMode::NAMES.map(|(_, mode)| mode).to_vec())
}

/// Every border.
pub fn border() -> impl Strategy<Value = Border> {
    prop::sample::select(Border::NAMES.map(|(_, border)| border).to_vec())
}

/// Time constants: none, 0.1 to 100 frames, and those for which a recursion is compensated, 2000 to 1e10 frames.
fn tau() -> impl Strategy<Value = f64> {
    let decade = prop_oneof![2 => -1.0..2.0, 1 => 3.3..10.0];
    prop_oneof![1 => Just(0.0), 3 => decade.prop_map(|decade: f64| 0.001 * 10.0_f64.powf(decade))]
}

/// A strategy for the layers that fit frames of a given shape.
pub type Layers = fn(Shape) -> BoxedStrategy<Spec>;

/// `TimePadding` with up to twelve frames: more than most first pieces have.
pub fn time_padding(_: Shape) -> BoxedStrategy<Spec> {
    (0..13_usize, pad_mode()).prop_map(|(length, mode)| Spec::TimePadding { length, mode }).boxed()
}

/// `Delay`, with and without a length.
pub fn delay(_: Shape) -> BoxedStrategy<Spec> {
    (0..9_usize, 0..6_usize).prop_map(|(delay, length)| Spec::Delay { delay, length }).boxed()
}

/// `VariableDelay`.
pub fn variable_delay(shape: Shape) -> BoxedStrategy<Spec> {
    let delays = vec(0..12_u32, shape.pixels());
    delays
        .prop_map(move |delays| Array::from_shape_vec((shape.rows, shape.cols), delays))
        .prop_map(|delays| Spec::VariableDelay(delays.expect("one delay for each pixel")))
        .boxed()
}

/// A convolution over frames of `shape` with kernels of up to `size`.
fn conv(shape: Shape, axes: Axes, size: [usize; 3]) -> BoxedStrategy<Spec> {
    let kernel = (1..=size[0], 1..=size[1], 1..=size[2]);
    // Half of all strides and dilations are 1: they take paths of their own.
    let steps = || uniform3(prop_oneof![Just(1_usize), 1..4_usize]);
    let padding = (prop::option::weighted(0.75, border()), prop::option::weighted(0.75, pad_mode()));
    (kernel, steps(), steps(), padding, any::<[bool; 3]>(), 1..3_usize, any::<u64>())
        .prop_map(move |((kt, kh, kw), stride, dilation, (border, pad), [flip, bias, grouped], outs, seed)| {
            let groups = if grouped { shape.channels } else { 1 };
            let out = outs * groups;
            let fit = |k: usize, pixels: usize, dilation: usize| match border {
                Some(_) => k,
                None => k.min((pixels - 1) / dilation + 1),
            };
            let (kh, kw) = (fit(kh, shape.rows, dilation[1]), fit(kw, shape.cols, dilation[2]));
            let weight = array(seed, (out, shape.channels / groups, kt, kh, kw));
            let bias = if bias { noise(!seed, out) } else { Vec::new() };
            Spec::Conv(ConvSpec { axes, weight, bias, flip, border, pad, stride, dilation, groups })
        })
        .boxed()
}

/// `Conv3d` with kernels of up to 4 x 7 x 7, larger than most frames.
pub fn conv3d(shape: Shape) -> BoxedStrategy<Spec> {
    conv(shape, Axes::Conv3d, [4, 7, 7])
}

/// `Conv3d` that may go through the frequency domain: steps of one pixel, and a kernel of more than one.
pub fn spectral(shape: Shape) -> BoxedStrategy<Spec> {
    let possible = |spec| match spec {
        Spec::Conv(conv) => {
            let [time, ..] = conv.stride;
            let (.., kh, kw) = conv.weight.dim();
            (kh * kw > 1).then_some(Spec::Conv(ConvSpec { stride: [time, 1, 1], ..conv }))
        }
        _ => None,
    };
    conv(shape, Axes::Conv3d, [4, 9, 9]).prop_filter_map("a kernel of one pixel", possible).boxed()
}

/// A convolution whose kernels are sums of a few products of vectors over time, rows and columns.
#[derive(Clone, Debug)]
pub struct LowRank {
    /// The sums, rounded to `f32`.
    pub conv: ConvSpec,
    /// For each pair of channels `(out, in / groups)` the products' norms in all.
    pub norms: Array2<f64>,
}

/// Sums of one to three products, as [`spectral`] in everything else.
pub fn low_rank(shape: Shape) -> BoxedStrategy<LowRank> {
    (spectral(shape), 1..4_usize, any::<u64>())
        .prop_filter_map("a convolution", |(spec, terms, seed)| match spec {
            Spec::Conv(conv) => Some((conv, terms, seed)),
            _ => None,
        })
        .prop_map(|(mut conv, terms, seed)| {
            let (out, ins, kt, kh, kw) = conv.weight.dim();
            let mut norms = Array2::zeros((out, ins));
            conv.weight.fill(0.0);
            for (n, ((o, i), norm)) in norms.indexed_iter_mut().enumerate() {
                for term in 0..terms {
                    let vector = |axis: u64, len| noise(seed ^ ((n * 3 + term) as u64 * 3 + axis), len);
                    let (u, v, h) = (vector(0, kt), vector(1, kh), vector(2, kw));
                    let product = Array3::from_shape_fn((kt, kh, kw), |(a, b, e)| u[a] * v[b] * h[e]);
                    *norm += product.iter().map(|w| w * w).sum::<f64>().sqrt();
                    let mut kernel = conv.weight.slice_mut(s![o, i, .., .., ..]);
                    kernel += &product;
                }
            }
            conv.weight.mapv_inplace(|w| f64::from(w as f32));
            LowRank { conv, norms }
        })
        .boxed()
}

/// [`low_rank`] as a layer.
pub fn separable(shape: Shape) -> BoxedStrategy<Spec> {
    low_rank(shape).prop_map(|low_rank| Spec::Conv(low_rank.conv)).boxed()
}

/// `SmoothConv` whose kernels are products of a column and a row.
pub fn separable_smooth_conv(_: Shape) -> BoxedStrategy<Spec> {
    (vec(tau(), 1..4), 1..6_usize, 2..8_usize, border(), any::<bool>(), any::<u64>())
        .prop_map(|(taus, rows, cols, border, components, seed)| {
            let (v, h) = (noise(seed, taus.len() * rows), noise(!seed, taus.len() * cols));
            let product = |(n, r, c): (usize, usize, usize)| f64::from((v[n * rows + r] * h[n * cols + c]) as f32);
            let spatial = Array3::from_shape_fn((taus.len(), rows, cols), product);
            Spec::SmoothConv { taus, spatial, border, components }
        })
        .boxed()
}

/// [`separable`] between layers that have a state of their own.
pub fn separable_model(shape: Shape) -> BoxedStrategy<Spec> {
    amid(shape, separable(shape))
}

/// [`spectral`] between layers that have a state of their own.
pub fn spectral_model(shape: Shape) -> BoxedStrategy<Spec> {
    amid(shape, spectral(shape))
}

/// A layer between others that have a state of their own.
fn amid(shape: Shape, layer: BoxedStrategy<Spec>) -> BoxedStrategy<Spec> {
    let before = prop_oneof![low_pass(shape), diff(shape), delay_of_frames()];
    let behind = prop_oneof![Just(Spec::Diff), Just(Spec::LowPass { tau: 0.003 })];
    (before, layer, behind).prop_map(|(before, layer, behind)| Spec::Cascade(vec![before, layer, behind])).boxed()
}

/// `Delay` without frames in front.
fn delay_of_frames() -> BoxedStrategy<Spec> {
    (0..5_usize).prop_map(|delay| Spec::Delay { delay, length: 0 }).boxed()
}

/// `Conv2d` with kernels of up to 7 x 7.
pub fn conv2d(shape: Shape) -> BoxedStrategy<Spec> {
    conv(shape, Axes::Conv2d, [1, 7, 7])
}

/// `Conv1d` with kernels of up to 7 frames.
pub fn conv1d(shape: Shape) -> BoxedStrategy<Spec> {
    conv(shape, Axes::Conv1d, [7, 1, 1])
}

/// `RF` with a weight that is cropped, extended, or empty (1 x 1).
pub fn rf(shape: Shape) -> BoxedStrategy<Spec> {
    let size = prop_oneof![1 => Just((1_usize, 1_usize)), 3 => (1..10_usize, 1..12_usize)];
    (1..3_usize, 1..5_usize, size, any::<bool>(), prop::option::weighted(0.75, pad_mode()), any::<u64>())
        .prop_map(move |(out, kt, (kh, kw), flip, pad, seed)| {
            let weight = array(seed, (out, shape.channels, kt, kh, kw));
            Spec::Rf { weight, flip, pad }
        })
        .boxed()
}

/// `LowPass`.
pub fn low_pass(_: Shape) -> BoxedStrategy<Spec> {
    tau().prop_map(|tau| Spec::LowPass { tau }).boxed()
}

/// `HighPass`.
pub fn high_pass(_: Shape) -> BoxedStrategy<Spec> {
    (tau(), -2.0..2.0).prop_map(|(tau, k)| Spec::HighPass { tau, k }).boxed()
}

/// `SmoothConv` of one to four stages, and its components.
pub fn smooth_conv(_: Shape) -> BoxedStrategy<Spec> {
    (vec(tau(), 1..5), 1..6_usize, 1..8_usize, border(), any::<bool>(), any::<u64>())
        .prop_map(|(taus, rows, cols, border, components, seed)| {
            let spatial = array(seed, (taus.len(), rows, cols));
            Spec::SmoothConv { taus, spatial, border, components }
        })
        .boxed()
}

/// The seven nonlinearities.
pub fn pointwise(_: Shape) -> BoxedStrategy<Spec> {
    (0..7, -2.0..2.0, -1.0..1.0)
        .prop_map(|(which, scale, bias)| match which {
            0 => Nonlinearity::Rectify,
            1 => Nonlinearity::RectifyScale { scale, bias },
            2 => Nonlinearity::Square { scale, bias },
            3 => Nonlinearity::RectifySquare { scale, bias },
            4 => Nonlinearity::Exponential { scale, bias },
            5 => Nonlinearity::Softplus { scale, bias },
            _ => Nonlinearity::Logistic { scale, bias },
        })
        .prop_map(Spec::Pointwise)
        .boxed()
}

/// `Sum` over channels, rows and columns.
pub fn sum(_: Shape) -> BoxedStrategy<Spec> {
    prop::sample::select(vec![1, 3, 4]).prop_map(Spec::Sum).boxed()
}

/// `Diff`.
pub fn diff(_: Shape) -> BoxedStrategy<Spec> {
    Just(Spec::Diff).boxed()
}

/// Convolutions in space and time from as many channels to as many, of the same size and frame rate.
fn same_conv(shape: Shape) -> BoxedStrategy<Spec> {
    (1..4_usize, 1..5_usize, 1..5_usize, border(), pad_mode(), any::<u64>())
        .prop_map(move |(kt, kh, kw, border, pad, seed)| {
            let weight = array(seed, (shape.channels, shape.channels, kt, kh, kw));
            let (border, pad) = (Some(border), Some(pad));
            let (axes, bias, flip, groups) = (Axes::Conv3d, Vec::new(), true, 1);
            Spec::Conv(ConvSpec { axes, weight, bias, flip, border, pad, stride: [1; 3], dilation: [1; 3], groups })
        })
        .boxed()
}

/// A layer that leaves shape and frame rate as they are.
fn same(shape: Shape) -> BoxedStrategy<Spec> {
    prop_oneof![
        2 => same_conv(shape),
        1 => delay_of_frames(),
        1 => variable_delay(shape),
        1 => low_pass(shape),
        1 => high_pass(shape),
        1 => pointwise(shape),
        1 => diff(shape),
    ]
    .boxed()
}

/// One to three branches, some of them cascades.
pub fn branches(shape: Shape) -> BoxedStrategy<Spec> {
    let branch = prop_oneof![2 => same(shape), 1 => vec(same(shape), 1..3).prop_map(Spec::Cascade)];
    vec((prop_oneof![Just(1.0), Just(-1.0), -2.0..2.0], branch), 1..4).prop_map(Spec::Branches).boxed()
}

/// A model of several layers: cascades and branches inside a cascade, a layer that changes shape or frame rate at the
/// end.
///
/// A first piece must reach every layer, or it could not decide that layer's history: so only the last one may be
/// without temporal padding.
pub fn model(shape: Shape) -> BoxedStrategy<Spec> {
    let node = prop_oneof![2 => same(shape), 1 => branches(shape)];
    let tail =
        prop_oneof![conv3d(shape), conv1d(shape), rf(shape), smooth_conv(shape), sum(shape), time_padding(shape)];
    (vec(node, 1..4), of(tail)).prop_map(|(nodes, tail)| Spec::Cascade(nodes.into_iter().chain(tail).collect())).boxed()
}

/// Layers behind a convolution in time without padding: their stream begins when its kernel is filled, pieces later
/// than the model's. No layer here takes its history from a whole first piece.
pub fn behind_a_warm_up(shape: Shape) -> BoxedStrategy<Spec> {
    let kernel = (2..7_usize, any::<u64>()).prop_map(move |(kt, seed)| {
        let weight = array(seed, (shape.channels, shape.channels, kt, 1, 1));
        let (axes, bias, flip, border, groups) = (Axes::Conv1d, Vec::new(), true, Some(Border::Zeros), 1);
        let (stride, dilation) = ([1 + kt / 4, 1, 1], [1; 3]);
        Spec::Conv(ConvSpec { axes, weight, bias, flip, border, pad: None, stride, dilation, groups })
    });
    let behind = prop_oneof![low_pass(shape), smooth_conv(shape), diff(shape), delay(shape), variable_delay(shape)];
    (kernel, behind).prop_map(|(kernel, behind)| Spec::Cascade(vec![kernel, behind])).boxed()
}

/// [`trial`] with long pieces among others.
pub fn long_trial(layers: Layers) -> impl Strategy<Value = (Spec, Shape, Recording)> {
    (shape().prop_flat_map(move |shape| (layers(shape), Just(shape))), long_recording())
        .prop_map(|((spec, shape), recording)| (spec, shape, recording))
}

/// A layer, frames that fit it, and a recording of them.
pub fn trial(layers: Layers) -> impl Strategy<Value = (Spec, Shape, Recording)> {
    (shape().prop_flat_map(move |shape| (layers(shape), Just(shape))), recording())
        .prop_map(|((spec, shape), recording)| (spec, shape, recording))
}

/// Holds `law` against `cases` random trials, or `FOVEOLA_TRIALS` times as many; panics with the smallest one that breaks
/// it. The seed is that of the law's name; tests that share a law have names of their own with [`check_as`].
///
/// # Panics
/// When the law is broken.
pub fn check<S: Strategy, L: Fn(S::Value) -> Result<(), String>>(cases: u32, strategy: S, law: L) {
    check_as(std::any::type_name::<L>(), cases, strategy, law);
}

/// [`check`] with the seed of `name`.
///
/// # Panics
/// When the law is broken.
pub fn check_as<S: Strategy>(name: &str, cases: u32, strategy: S, law: impl Fn(S::Value) -> Result<(), String>) {
    let mut runner = TestRunner::new(foveola_seeds::config(cases, name));
    let result = runner.run(&strategy, |trial| law(trial).map_err(TestCaseError::fail));
    if let Err(broken) = result {
        panic!("{broken}");
    }
}
