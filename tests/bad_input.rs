//! Bad input to layers and models: each call gets a typed error whose message names the value and what was expected,
//! and leaves a running stream as it was. And `core` never panics, whatever slices, times and shapes it is handed.

use foveola::kernels::{self, ExponentialFilter, ExponentialKernel, GaussFilter};
use foveola::{
    Branches, Conv1d, Conv2d, Conv3d, Delay, Diff, Error, HighPass, Layer, LowPass, Model, NLExponential, NLLogistic,
    NLPiecewiseLinear, NLRectifyScale, NLRectifySquare, NLSoftplus, NLSquare, PadMode, RF, Resolution, SmoothConv, Sum,
    Table, TimePadding, VariableDelay, Weight,
};
use foveola_core::{
    Axis, Error as CoreError, Filter, Graph, Node, Nonlinearity, Pointwise, Shape, Signature, Source, Stage,
};
use foveola_tests::every::{Bank, SHAPE};
use foveola_tests::random::{check, noise};
use ndarray::{Array, Array2, Array3, Array5, ArrayD, IxDyn, arr2};
use proptest::collection::vec;
use proptest::prelude::*;

const RESOLUTION: Resolution = Resolution::DEFAULT;

/// Each call must fail with an error of the pattern, whose message holds all the words.
macro_rules! refused {
    ($($call:expr => $pattern:pat, $words:expr;)*) => { $({
        let call = stringify!($call);
        let error = $call.err().unwrap_or_else(|| panic!("{call}: taken"));
        let message = error.to_string();
        assert!(matches!(error, $pattern), "{call}: {error:?}");
        for word in $words {
            assert!(message.contains(word), "{call}: '{message}' does not say '{word}'");
        }
    })* };
}

/// A new layer that is given a weight.
fn conv3d(weight: impl Into<Weight>) -> foveola::Result<()> {
    Conv3d::new(2, 4, [3, 3, 3]).and_then(|mut conv| conv.set_weight(weight))
}

fn conv2d(weight: impl Into<Weight>) -> foveola::Result<()> {
    Conv2d::new(2, 4, [3, 3]).and_then(|mut conv| conv.set_weight(weight))
}

fn conv1d(weight: impl Into<Weight>) -> foveola::Result<()> {
    Conv1d::new(2, 4, 3).and_then(|mut conv| conv.set_weight(weight))
}

fn rf(weight: impl Into<Weight>) -> foveola::Result<()> {
    RF::new(2, 1, 3).and_then(|mut field| field.set_weight(weight))
}

fn ones(shape: &[usize]) -> ArrayD<f32> {
    ArrayD::ones(IxDyn(shape))
}

#[test]
fn weights_and_kernels() {
    use CoreError::{EmptyKernel, Groups, Length, Parameter};
    let with = |value| Array3::from_shape_fn((2, 2, 2), |index| if index == (1, 0, 1) { value } else { 1.0 });
    let balanced = || Weight::from(arr2(&[[1.0, -1.0]])).normalize();
    refused! {
        Conv3d::new(1, 1, [3, 0, 3])
            => Error::Layer { source: EmptyKernel { .. }, .. }, ["Conv3d", "3 x 0 x 3", "1 or more"];
        Conv3d::new(0, 1, [3, 3, 3]) => Error::Layer { source: EmptyKernel { .. }, .. }, ["1 x 0 x 3"];
        Conv2d::new(1, 0, [3, 3]) => Error::Layer { source: EmptyKernel { .. }, .. }, ["Conv2d", "0 x 1 x 1 x 3"];
        Conv1d::new(1, 1, 0) => Error::Layer { source: EmptyKernel { .. }, .. }, ["Conv1d", "1 x 1 x 0"];
        RF::new(1, 1, 0) => Error::Layer { source: EmptyKernel { .. }, .. }, ["RF", "1 x 1 x 0"];
        conv3d(ones(&[0])) => Error::Layer { source: EmptyKernel { .. }, .. }, ["Conv3d", "1 x 1 x 0"];
        rf(ones(&[2, 0, 3])) => Error::Layer { source: EmptyKernel { .. }, .. }, ["RF", "2 x 0 x 3"];
        conv3d(ones(&[1, 1, 3, 3]))
            => Error::WeightRank { rank: 4, .. }, ["Conv3d", "rank 4", "[1, 1, 3, 3]", "(time, row, col)"];
        conv3d(ones(&[1; 6])) => Error::WeightRank { rank: 6, .. }, ["rank 6", "0 (a number)"];
        conv2d(ones(&[3])) => Error::WeightRank { rank: 1, .. }, ["Conv2d", "rank 1", "2 (row, col)"];
        conv2d(ones(&[1; 5])) => Error::WeightRank { rank: 5, .. }, ["Conv2d", "rank 5"];
        conv1d(ones(&[3, 3])) => Error::WeightRank { rank: 2, .. }, ["Conv1d", "rank 2", "1 (time)"];
        rf(ones(&[1; 4])) => Error::WeightRank { rank: 4, .. }, ["RF", "rank 4"];
        conv3d(with(f32::NAN)) => Error::WeightNotFinite { .. }, ["Conv3d", "[1, 0, 1]", "NaN", "finite"];
        conv2d(with(f32::INFINITY)) => Error::WeightNotFinite { .. }, ["Conv2d", "[1, 0, 1]", "inf"];
        conv1d(with(f32::NEG_INFINITY)) => Error::WeightNotFinite { .. }, ["Conv1d", "-inf"];
        conv3d(f32::NAN) => Error::WeightNotFinite { .. }, ["Conv3d", "NaN"];
        rf(with(f32::NAN)) => Error::WeightNotFinite { .. }, ["RF", "NaN"];
        conv3d(balanced()) => Error::ZeroSum { .. }, ["Conv3d", "sum is 0", "not 0 within rounding"];
        conv2d(balanced()) => Error::ZeroSum { .. }, ["Conv2d", "sum is 0"];
        rf(balanced()) => Error::ZeroSum { .. }, ["RF", "sum is 0"];
        Conv3d::new(4, 6, [1; 3]).and_then(|conv| conv.with_groups(4))
            => Error::Layer { source: Groups { groups: 4, channels: 6 }, .. }, ["4 groups", "6"];
        Conv3d::new(3, 4, [1; 3]).and_then(|conv| conv.with_groups(2))
            => Error::Layer { source: Groups { groups: 2, channels: 3 }, .. }, ["2 groups", "3"];
        Conv3d::new(4, 4, [1; 3]).and_then(|conv| conv.with_groups(0))
            => Error::Layer { source: Groups { groups: 0, .. }, .. }, ["0 groups"];
        Conv3d::new(1, 2, [1; 3]).and_then(|mut conv| conv.set_bias(&[1.0]))
            => Error::Layer { source: Length { found: 1, expected: 2, .. }, .. }, ["the bias", "1", "2"];
        Conv3d::new(1, 1, [1; 3]).and_then(|mut conv| conv.set_bias(&[f32::NAN]))
            => Error::Layer { source: Parameter { name: "bias", .. }, .. }, ["bias is NaN", "finite"];
        Conv3d::new(1, 1, [usize::MAX; 3]) => Error::Memory { .. }, ["the weight", "samples"];
        Conv2d::new(usize::MAX, 2, [1; 2]) => Error::Memory { .. }, ["the weight"];
        RF::new(1 << 20, 1 << 20, 1 << 30) => Error::Memory { .. }, ["the weight"];
    }
}

/// What was refused has changed nothing.
#[test]
fn a_refused_weight_leaves_the_old_one() {
    let mut conv = Conv3d::new(1, 1, [2, 2, 2]).expect("a kernel");
    let before = conv.weight();
    let bad: [Weight; 4] = [
        ones(&[1; 4]).into(),
        f32::NAN.into(),
        Weight::from(arr2(&[[1.0, -1.0]])).normalize(),
        Weight::from(arr2(&[[1e-30, -0.9e-30]])).normalize().preserve_channels(),
    ];
    for weight in bad.into_iter().take(3) {
        conv.set_weight(weight).expect_err("a bad weight");
        assert_eq!(conv.weight(), before);
    }
    conv.set_bias(&[0.5]).expect("one bias");
    conv.set_weight(ones(&[2, 1, 1, 1, 1])).expect_err("one bias for two output channels");
    assert_eq!(conv.weight(), before);
}

#[test]
fn parameters() {
    use CoreError::{EmptyKernel, Length, Parameter};
    let spatial = |n: usize| Array3::<f32>::ones((n, 3, 3));
    let no_rate = Resolution { steps_per_second: 0.0, ..RESOLUTION };
    let exponential = |tau| kernels::exponential_filter_1d(&ExponentialFilter::new(tau), RESOLUTION);
    let kernel = ExponentialKernel { tau: 0.01, n: 0, amplification: 1.0, length: 10, steps_per_second: 1000.0 };
    let gauss = |sigma, border_factor| {
        kernels::gauss_filter_2d(&GaussFilter { border_factor, ..GaussFilter::new(sigma, 0.1) }, RESOLUTION)
    };
    let five = || Conv3d::new(1, 1, [2; 3]);
    refused! {
        LowPass::new(-0.01, RESOLUTION)
            => Error::Layer { source: Parameter { name: "tau", .. }, .. }, ["LowPass", "tau is -0.01", "0 s or more"];
        LowPass::new(f64::NAN, RESOLUTION)
            => Error::Layer { source: Parameter { name: "tau", .. }, .. }, ["tau is NaN"];
        LowPass::new(f64::INFINITY, RESOLUTION)
            => Error::Layer { source: Parameter { name: "tau", .. }, .. }, ["tau is inf"];
        LowPass::new(3e7, RESOLUTION)
            => Error::Layer { source: Parameter { name: "tau", .. }, .. },
            ["LowPass", "tau is 30000000", "2.8e10 / steps_per_second"];
        SmoothConv::new(&[0.01, 1e60], spatial(2), RESOLUTION)
            => Error::Layer { source: Parameter { name: "tau", .. }, .. }, ["SmoothConv", "0 s to 2.8e10"];
        LowPass::new(0.01, no_rate)
            => Error::Layer { source: Parameter { name: "steps_per_second", .. }, .. },
            ["steps_per_second is 0", "positive"];
        HighPass::new(-1.0, 0.5, RESOLUTION)
            => Error::Layer { source: Parameter { name: "tau", .. }, .. }, ["HighPass", "tau is -1"];
        HighPass::new(0.1, f64::NAN, RESOLUTION)
            => Error::Layer { source: Parameter { name: "k", .. }, .. }, ["HighPass", "k is NaN", "finite"];
        SmoothConv::new(&[0.01, -0.01], spatial(2), RESOLUTION)
            => Error::Layer { source: Parameter { name: "tau", .. }, .. }, ["SmoothConv", "tau is -0.01"];
        SmoothConv::new(&[0.01; 2], spatial(3), RESOLUTION)
            => _, ["SmoothConv", "spatial kernels is 3", "2 time constants"];
        SmoothConv::new(&[], spatial(0), RESOLUTION) => Error::Layer { source: EmptyKernel { .. }, .. }, ["SmoothConv"];
        SmoothConv::new(&[0.01], ones(&[3, 3]), RESOLUTION)
            => Error::WeightRank { rank: 2, .. }, ["SmoothConv", "rank 2", "(stage, row, col)"];
        SmoothConv::new(&[0.01], spatial(1) * f32::NAN, RESOLUTION)
            => Error::WeightNotFinite { .. }, ["SmoothConv", "[0, 0, 0]"];
        SmoothConv::gaussian(2, f64::NAN, 0.1, RESOLUTION)
            => Error::Layer { source: Parameter { name: "tau", .. }, .. }, ["tau is NaN"];
        SmoothConv::gaussian(2, 0.01, -0.1, RESOLUTION)
            => Error::Layer { source: Parameter { .. }, .. }, ["sig_row is -0.1", "0 or more"];
        SmoothConv::gaussian(0, 0.01, 0.1, RESOLUTION)
            => Error::Layer { source: EmptyKernel { .. }, .. }, ["SmoothConv"];
        NLRectifyScale::new(f64::NAN, 0.0)
            => Error::Parameter { name: "scale", .. }, ["NLRectifyScale", "scale is NaN", "finite"];
        NLSquare::new(1.0, f64::INFINITY) => Error::Parameter { name: "bias", .. }, ["NLSquare", "bias is inf"];
        NLRectifySquare::new(f64::NEG_INFINITY, 0.0)
            => Error::Parameter { name: "scale", .. }, ["NLRectifySquare", "-inf"];
        NLExponential::new(f64::NAN, 0.0) => Error::Parameter { name: "scale", .. }, ["NLExponential", "scale is NaN"];
        NLSoftplus::new(1.0, 1e39) => Error::Parameter { name: "bias", .. }, ["NLSoftplus", "bias is 1e39"];
        NLLogistic::new(f64::INFINITY, 0.0) => Error::Parameter { name: "scale", .. }, ["NLLogistic", "inf"];
        NLPiecewiseLinear::new(&[1.0, 0.0], &[0.0, 1.0])
            => Error::Parameter { name: "knots", .. }, ["NLPiecewiseLinear", "1.0 before 0.0", "ascend"];
        foveola::sum(&[], 0) => Error::Parameter { name: "inputs", .. }, ["sum", "empty", "one array or more"];
        foveola::sum(&[Array5::ones((1, 1, 1, 1, 1)).view()], 5)
            => Error::Parameter { name: "dim", .. }, ["dim is 5", "4 (column)"];
        foveola::sum(&[Array5::ones((1, 2, 3, 4, 5)).view(), Array5::ones((1, 1, 3, 3, 5)).view()], 1)
            => Error::ShapeMismatch { axis: 1, .. }, ["[1, 1, 3, 3, 5]", "[1, 2, 3, 4, 5]", "axes but 1"];
        exponential(f64::NAN)
            => Error::Layer { source: Parameter { name: "tau", .. }, .. }, ["exponential_filter_1d", "tau is NaN"];
        exponential(-1.0) => Error::Layer { source: Parameter { name: "tau", .. }, .. }, ["tau is -1"];
        kernels::exponential_kernel(&ExponentialKernel { length: 0, ..kernel })
            => Error::Layer { source: Parameter { name: "length", .. }, .. }, ["length is 0", "1 or more"];
        kernels::exponential_kernel(&ExponentialKernel { tau: 0.0, ..kernel })
            => Error::Layer { source: Parameter { name: "tau", .. }, .. }, ["tau is 0", "positive"];
        kernels::exponential_kernel(&ExponentialKernel { length: usize::MAX, ..kernel })
            => Error::Memory { .. }, ["a kernel"];
        kernels::exponential_kernel(&ExponentialKernel { amplification: 1e60, ..kernel })
            => Error::Layer { source: Parameter { .. }, .. }, ["amplification / (tau", "1e59", "finite numbers"];
        kernels::exponential_kernel(&ExponentialKernel { tau: 1e-320, n: 3, ..kernel })
            => Error::Layer { source: Parameter { .. }, .. }, ["is inf", "finite numbers"];
        kernels::highpass_exponential_filter_1d(0.01, f64::NAN, RESOLUTION)
            => Error::Layer { source: Parameter { .. }, .. }, ["is NaN"];
        gauss(f64::NAN, 1.0)
            => Error::Layer { source: Parameter { name: "sig_row", .. }, .. }, ["gauss_filter_2d", "sig_row is NaN"];
        gauss(0.1, 1e30) => Error::Memory { .. }, ["a kernel"];
        gauss(1e30, 1.0)
            => Error::Layer { source: Parameter { name: "sig_row", .. }, .. }, ["sig_row is 1e30", "filter_epsilon"];
        five().and_then(|mut conv| conv.set_exponential(-0.1, RESOLUTION))
            => Error::Layer { source: Parameter { name: "tau", .. }, .. }, ["tau is -0.1"];
        five().and_then(|mut conv| conv.set_highpass_exponential(0.1, f64::INFINITY, RESOLUTION))
            => Error::Layer { .. }, ["inf"];
        five().and_then(|mut conv| conv.set_gaussian(f64::NAN, RESOLUTION))
            => Error::Layer { source: Parameter { .. }, .. }, ["NaN"];
        foveola::models::build("cat", RESOLUTION)
            => Error::Unknown { what: "model", .. }, ["unknown model 'cat'", "retina"];
        "cat".parse::<PadMode>().map_err(Error::from) => Error::Unknown { .. }, ["unknown padding mode 'cat'", "mirror, full_copy"];
        "cat".parse::<foveola::Border>().map_err(Error::from) => Error::Unknown { .. }, ["unknown border mode 'cat'", "replicate, reflect"];
        "cat".parse::<foveola::Format>() => Error::Unknown { what: "format", .. }, ["unknown format 'cat'", "evt2"];
        Pointwise::new(SHAPE, Nonlinearity::Square { scale: f64::NAN, bias: 0.0 })
            => Parameter { name: "scale", .. }, ["NaN"];
        Pointwise::new(SHAPE, Nonlinearity::RectifyScale { scale: 1.0, bias: f64::INFINITY })
            => Parameter { name: "bias", .. }, ["bias is inf"];
        foveola_core::Decay::from_gain(0.0) => Parameter { name: "gain", .. }, ["gain is 0", "3.6e-11 to 1"];
        foveola_core::sum_axis(&[1.0_f32; 7], 2, 2, &mut [0.0; 9]) => Length { found: 7, expected: 4, .. }, ["7", "4"];
        foveola_core::sum_axis(&[1.0_f32; 8], 2, 2, &mut [0.0; 3]) => Length { found: 3, expected: 4, .. }, ["3", "4"];
    }
}

/// What only shows when a layer meets its frames of 2 channels x 4 x 5.
#[test]
fn layers_and_their_frames() {
    use CoreError::{Channels, EmptyFrame, KernelTooLarge, NodeLead, NodeRate, NodeShape, Parameter};
    let meet = |layer: foveola::Result<Box<dyn Layer>>| Model::of(layer?).signature(Shape::new(2, 4, 5));
    let conv = |size| Conv3d::new(2, 1, size);
    fn boxed(layer: impl Layer) -> Box<dyn Layer> {
        Box::new(layer)
    }
    let padding = || TimePadding::new(2, PadMode::Mirror);
    refused! {
        meet(Conv3d::new(3, 1, [1; 3]).map(boxed))
            => Error::Layer { source: Channels { found: 3, expected: 2 }, .. }, ["Conv3d", "3 channels", "2"];
        meet(RF::new(1, 1, 1).map(boxed)) => Error::Layer { source: Channels { .. }, .. }, ["RF", "1 channels", "2"];
        meet(conv([1, 5, 1]).map(|conv| boxed(conv.with_autopad(false))))
            => Error::Layer { source: KernelTooLarge { .. }, .. }, ["5 x 1", "4 x 5"];
        meet(conv([1, 1, 3]).map(|conv| boxed(conv.with_dilation([1, 1, 3]).with_autopad(false))))
            => Error::Layer { source: KernelTooLarge { .. }, .. }, ["1 x 7", "4 x 5"];
        meet(conv([1; 3]).map(|conv| boxed(conv.with_stride([0, 1, 1]))))
            => Error::Layer { source: Parameter { name: "stride", .. }, .. }, ["stride is 0", "1 or more"];
        meet(conv([1; 3]).map(|conv| boxed(conv.with_stride([1, 1, 0]))))
            => Error::Layer { source: Parameter { name: "stride", .. }, .. }, ["stride is 0"];
        meet(conv([1; 3]).map(|conv| boxed(conv.with_dilation([1, 0, 1]))))
            => Error::Layer { source: Parameter { name: "dilation", .. }, .. }, ["dilation is 0"];
        meet(conv([2; 3]).map(|conv| boxed(conv.with_dilation([usize::MAX, 1, 1]))))
            => Error::Layer { source: Parameter { name: "size of the dilated kernel", .. }, .. }, ["2^20"];
        meet(conv([2; 3]).map(|conv| boxed(conv.with_dilation([1, 1, usize::MAX]))))
            => Error::Layer { source: Parameter { name: "size of the dilated kernel", .. }, .. }, ["2^20"];
        meet(Ok(boxed(VariableDelay::new(&Array2::zeros((4, 4))))))
            => Error::Parameter { name: "delay map", .. }, ["VariableDelay", "delay map", "4 x 4", "4 x 5"];
        // As many delays as pixels, but rows for columns.
        meet(Ok(boxed(VariableDelay::new(&Array2::zeros((5, 4))))))
            => Error::Parameter { .. }, ["VariableDelay", "5 x 4", "4 x 5"];
        meet(Ok(boxed(Branches::new()))) => Error::Parameter { .. }, ["Branches", "one branch or more"];
        meet(Ok(boxed(Branches::new().weighted(f64::NAN, Diff).plus(Diff))))
            => Error::Parameter { name: "branch weight", .. }, ["Branches", "branch weight is NaN", "3.4e38"];
        meet(Ok(boxed(Branches::new().plus(Diff).plus(Sum::new(Axis::Channel)))))
            => Error::Layer { source: NodeShape { .. }, .. }, ["1 x 4 x 5", "2 x 4 x 5"];
        meet(Ok(boxed(Branches::new().plus(Diff).plus(padding()))))
            => Error::Layer { source: NodeRate { .. }, .. }, ["the model", "rates"];
        meet(Ok(boxed(Model::new().then(padding()).then(Diff))))
            => Error::Layer { source: NodeLead { .. }, .. }, ["memory"];
        Model::of(Diff).signature(Shape::new(1, 0, 5))
            => Error::Layer { source: EmptyFrame { .. }, .. }, ["1 x 0 x 5", "1 or more"];
        meet(Ok(boxed(Model::new().then(Diff).then(RF::new(7, 1, 1).expect("a field")))))
            => Error::Layer { .. }, ["layer 1, RF", "7 channels"];
    }
}

/// Delays and kernels whose memory cannot be had.
#[test]
fn too_much_memory() {
    let frame = Array3::<f32>::ones((1, 64, 64));
    let frames = Array3::<f32>::ones((3, 2, 2));
    let huge = || TimePadding::new(usize::MAX, PadMode::Zeros);
    refused! {
        Model::of(VariableDelay::new(&Array2::from_elem((64, 64), u32::MAX))).run(&frame, 1)
            => Error::Memory { .. }, ["the state", "MB"];
        Model::of(Delay::new(usize::MAX)).run(&frame, 1) => Error::Memory { .. }, ["the state", "samples"];
        Model::of(Delay::new(0).with_length(usize::MAX)).run(&frame, 1) => Error::Memory { .. }, ["the output"];
        Model::of(Delay::new(1 << 50)).process(&frame) => Error::Memory { .. }, ["the state"];
        Model::of(huge()).process(&frame) => Error::Memory { .. }, ["the output"];
        Model::of(huge()).run(&frames, 1) => Error::Memory { .. }, ["the output"];
        Model::new().then(huge()).then(foveola::NLRectify).run(&frames, 2) => Error::Memory { .. }, ["the output"];
        SmoothConv::gaussian(usize::MAX, 0.01, 0.1, RESOLUTION) => Error::Memory { .. }, ["the spatial kernels"];
    }
}

/// A filter of a user's own that refuses the frame it is told to.
#[derive(Clone, Debug)]
struct Refuses(Shape, u64);

impl Filter for Refuses {
    fn signature(&self) -> Signature {
        Signature::same(self.0, 0)
    }
    fn advance(&self, t: u64, _: &mut [f32], _: &mut [f32], x: &[f32], y: &mut [f32]) -> Result<usize, CoreError> {
        let frames = x.len() / self.0.len();
        if (t..t + frames as u64).contains(&self.1) {
            return Err(CoreError::NonFinite { frame: self.1, index: 0 });
        }
        y[..x.len()].copy_from_slice(x);
        Ok(frames)
    }
}

impl Layer for Refuses {
    fn name(&self) -> &'static str {
        "Refuses"
    }
    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> foveola::Result<Source> {
        Ok(table.push(from, Stage::custom(self)))
    }
}

/// Samples that are not finite, other frames, empty frames, a changed model: refused with the place, and the stream
/// goes on as if nothing had been asked.
#[test]
fn a_running_stream_is_left_as_it_was() {
    let model = || {
        Model::new()
            .then(Conv3d::new(2, 2, [3, 3, 3]).expect("a kernel"))
            .then(LowPass::new(0.01, RESOLUTION).expect("a time constant"))
            .then(Delay::new(2))
    };
    let piece = |frames: usize| {
        let values = noise(frames as u64, 2 * 2 * frames * 4 * 5).into_iter().map(|x| x as f32).collect();
        Array5::from_shape_vec((2, 2, frames, 4, 5), values).expect("a piece")
    };
    let with = |value: f32| {
        let mut piece = piece(6);
        piece[(1, 0, 4, 2, 3)] = value;
        piece
    };
    let (mut disturbed, mut quiet) = (model(), model());
    for frames in [3, 1, 5] {
        let found = disturbed.process(piece(frames)).expect("a good piece").to_owned();
        assert_eq!(found, quiet.process(piece(frames)).expect("a good piece"), "{frames} frames");
        let t = disturbed.time();
        let (at, row) = (format!("frame {}", t + 4), "row 2, column 3");
        refused! {
            disturbed.process(with(f32::NAN))
                => Error::NonFinite { .. }, ["batch 1, channel 0", &at, row, "NaN", "finite"];
            disturbed.process(with(f32::INFINITY)) => Error::NonFinite { .. }, [at.as_str(), row, "inf"];
            disturbed.run(with(f32::NEG_INFINITY), 2) => Error::NonFinite { .. }, [at.as_str(), row, "-inf"];
            disturbed.process(Array5::<f32>::ones((2, 2, 1, 5, 4)))
                => Error::FrameSize { .. }, ["2 x 5 x 4", "2 x 4 x 5", "clear_state"];
            disturbed.process(Array5::<f32>::ones((3, 2, 1, 4, 5))) => Error::FrameSize { .. }, ["batch of 3", "batch of 2"];
            disturbed.run(Array3::<f32>::ones((6, 4, 5)), 2) => Error::FrameSize { .. }, ["1 x 4 x 5", "2 x 4 x 5"];
            disturbed.process(Array5::<f32>::ones((0, 2, 1, 4, 5)))
                => Error::EmptyInput { .. }, ["[0, 2, 1, 4, 5]", "1 or more"];
            disturbed.process(Array5::<f32>::ones((2, 2, 1, 0, 5))) => Error::EmptyInput { .. }, ["[2, 2, 1, 0, 5]"];
            disturbed.run(piece(3), 0)
                => Error::Parameter { name: "chunk", .. }, ["Model::run", "chunk is 0", "1 frame or more"];
            disturbed.pop_state() => Error::NoSavedState, ["pop_state", "push_state"];
        }
        // A layer that no longer fits its state.
        let delay = |model: &mut Model, by| *model.layer_mut::<Delay>(2).expect("a delay") = Delay::new(by);
        delay(&mut disturbed, 7);
        refused! {
            disturbed.process(piece(1)) => Error::StateChanged { .. }, ["layer 2, Delay", "clear_state"];
        }
        delay(&mut disturbed, 2);
        assert_eq!(disturbed.time(), t, "time");
    }
}

/// A piece that a layer refuses half way is refused as a whole, also when it is long enough to go through in blocks:
/// layers before it have then seen frames that are taken back.
#[test]
fn a_piece_refused_half_way() {
    let shape = Shape::new(1, 64, 64);
    let low_pass = || LowPass::new(0.01, RESOLUTION).expect("a time constant");
    for at in [5, 150] {
        let mut model = Model::new().then(low_pass()).then(Refuses(shape, at)).then(Diff);
        let piece = |value: f32, frames: usize| Array3::from_elem((frames, 64, 64), value);
        model.process(piece(1.0, 2)).expect("two good frames");
        refused! {
            model.process(piece(2.0, 200)) => Error::Layer { .. }, ["NaN"];
        }
        assert_eq!(model.time(), 2, "refused at frame {at}");
        let mut quiet = Model::new().then(low_pass()).then(Diff);
        quiet.process(piece(1.0, 2)).expect("two good frames");
        let (found, expected) = (model.feed(&piece(3.0, 1)), quiet.feed(&piece(3.0, 1)));
        assert!(found == expected, "refused at frame {at}: the next frame differs");
    }
}

/// `process`, owned.
trait Feed {
    fn feed(&mut self, piece: &Array3<f32>) -> Array5<f32>;
}

impl Feed for Model {
    fn feed(&mut self, piece: &Array3<f32>) -> Array5<f32> {
        self.process(piece).expect("a good piece").to_owned()
    }
}

/// NaN goes through when asked for, and a guard in `core` refuses it before any state is touched.
#[test]
fn non_finite_samples_on_request_and_behind_a_guard() {
    let nan = Array3::from_elem((1, 1, 1), f32::NAN);
    assert!(Model::of(Diff).allow_non_finite().feed(&nan)[(0, 0, 0, 0, 0)].is_nan(), "allowed");
    let shape = Shape::new(1, 1, 2);
    let nodes = [
        Node::Filter(Source::Input, Stage::Finite(foveola_core::Finite::new(shape))),
        Node::Filter(Source::Node(0), Stage::Diff(foveola_core::Diff::new(shape))),
    ];
    let guarded: Graph = Graph::new(shape, &nodes).expect("a guard before a filter");
    let (mut state, mut scratch, mut out) = ([0.0; 2], [0.0; 4], [0.0; 4]);
    guarded.run(0, &mut state, &mut scratch, &[1.0, 2.0], &mut out).expect("good samples");
    let refused = guarded.run(1, &mut state, &mut scratch, &[5.0, 5.0, 5.0, f32::INFINITY], &mut out);
    assert_eq!(refused, Err(CoreError::NonFinite { frame: 2, index: 1 }));
    assert_eq!(state, [1.0, 2.0], "state behind the guard");
}

/// A table of weights that is damaged, on a board or on disk, says where.
#[test]
fn damaged_weights_are_found() {
    use foveola_core::{Conv3d, ConvOptions, Kernel};
    let (damaged, good) = ([1.0, 2.0, f32::NAN, 4.0], [0.0; 2]);
    let kernel = |weights, bias| Kernel { weights, shape: [2, 1, 1, 1, 2], bias };
    let conv = |weights, bias| {
        let shape = Shape::new(1, 2, 2);
        Conv3d::new(shape, kernel(weights, bias), ConvOptions::DEFAULT).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(conv(&damaged, &good).expect_err("NaN"), "number 2 of the weight is NaN; expected a finite number");
    let infinite = conv(&[1.0; 4], &[0.0, f32::INFINITY]);
    assert_eq!(infinite.expect_err("infinite"), "number 1 of the bias is inf; expected a finite number");
    assert_eq!(conv(&[1.0; 4], &good), Ok(()));
}

/// Empty recordings and pieces are no error: nothing goes in, nothing comes out.
#[test]
fn no_frames_are_no_error() {
    let mut model = Model::of(TimePadding::new(2, PadMode::Mirror));
    let none = Array5::<f32>::zeros((1, 1, 0, 3, 3));
    assert_eq!(model.process(&none).expect("no frames").dim(), (1, 1, 0, 3, 3));
    assert_eq!(model.run(&none, 5).expect("no frames").dim(), (1, 1, 0, 3, 3));
    assert_eq!(model.time(), 0);
}

/// Every filter of `core` with one slice that does not fit: an error that says which, and a state that is as it was.
#[test]
fn slices_that_do_not_fit() {
    let bank = Bank::<f32>::default();
    for (name, stage) in bank.stages(SHAPE) {
        let nodes = [Node::Filter(Source::Input, stage)];
        let graph = Graph::new(SHAPE, &nodes).expect("a filter that takes the frames");
        let signature = graph.signature();
        let t = 12; // every rate yields a frame here
        let lens = [
            signature.state,
            signature.scratch.len(1),
            SHAPE.len(),
            signature.frames_out(t, 1) * signature.output.len(),
        ];
        let cases =
            [("the state", 0, true), ("the scratch", 1, false), ("the input", 2, true), ("the output", 3, false)];
        for (what, slice, longer) in cases {
            let mut wrong = Vec::new();
            wrong.extend(lens[slice].checked_sub(1));
            wrong.extend(longer.then_some(lens[slice] + 1));
            for len in wrong {
                let mut lens = lens;
                lens[slice] = len;
                let [mut state, mut scratch, input, mut output] = lens.map(|len| vec![0.5_f32; len]);
                let error = graph.step(t, &mut state, &mut scratch, &input, &mut output).expect_err(name);
                assert!(matches!(error, CoreError::Length { found, .. } if found == len), "{name}, {what}: {error}");
                assert!(error.to_string().contains(what), "{name}: '{error}' does not name {what}");
                assert!(state.iter().all(|x| *x == 0.5), "{name}, {what}: the state was touched");
            }
        }
    }
}

/// `run`, `step`, `advance` and `run_batch` of `filter`, whatever it is handed: results do not matter, panics do.
fn prod(filter: &dyn Filter, t: u64, lens: [usize; 4]) {
    let [mut state, mut scratch, input, mut output] = lens.map(|len| vec![0.5_f32; len]);
    let _ = filter.run(t, &mut state, &mut scratch, &input, &mut output);
    let _ = filter.step(t, &mut state, &mut scratch, &input, &mut output);
    let _ = filter.advance(t, &mut state, &mut scratch, &input, &mut output);
}

/// Lengths, times and shapes from nothing to the largest.
#[test]
fn nothing_makes_core_panic() {
    let axis = || prop_oneof![4 => 0..6_usize, 1 => Just(usize::MAX), 1 => Just(1_usize << 33)];
    let shapes = prop_oneof![2 => Just(SHAPE), 1 => (axis(), axis(), axis()).prop_map(|(c, r, w)| Shape::new(c, r, w))];
    let times = prop_oneof![Just(0), 0..10_u64, Just(u64::MAX), Just(u64::MAX - 1), any::<u64>()];
    // Right lengths, now and then, let a call go on to where the next one is wrong.
    let lens = vec(prop_oneof![Just(None), (0..400_usize).prop_map(Some)], 4);
    let batches = prop_oneof![0..4_usize, Just(usize::MAX)];
    let bank = Bank::<f32>::default();
    check(400, (shapes, times, lens, 0..4_usize, batches), |(shape, t, lens, frames, batch)| {
        for (_, stage) in bank.stages(shape) {
            let signature = stage.signature();
            let right = [
                signature.state,
                signature.scratch.len(frames),
                frames.saturating_mul(shape.len()),
                signature.frames_out(t, frames).saturating_mul(signature.output.len()),
            ];
            let lens: [usize; 4] = std::array::from_fn(|i| lens[i].unwrap_or(right[i]).min(20_000));
            let own = &Alone(stage);
            prod(own, t, lens);
            let nodes =
                [Node::Filter(Source::Input, stage), Node::Add([(Source::Node(0), 1.0), (Source::Node(0), 0.5)])];
            if let Ok(graph) = Graph::new(shape, &nodes) {
                let scratch = lens[1].max(graph.signature().scratch.len(frames).min(20_000));
                let lens = [lens[0], scratch, lens[2], lens[3]];
                prod(&graph, t, lens);
                let [mut state, mut scratch, input, mut output] = lens.map(|len| vec![0.5_f32; len]);
                let _ = graph.run_batch(t, batch, &mut state, &mut scratch, &input, &mut output);
            }
        }
        Ok(())
    });
}

/// The filter in a stage, for calls that no table has checked.
struct Alone<'a>(Stage<'a>);

impl Filter for Alone<'_> {
    fn signature(&self) -> Signature {
        self.0.signature()
    }

    fn advance(
        &self,
        t: u64,
        state: &mut [f32],
        scratch: &mut [f32],
        input: &[f32],
        output: &mut [f32],
    ) -> Result<usize, CoreError> {
        match &self.0 {
            Stage::TimePadding(filter) => filter.advance(t, state, scratch, input, output),
            Stage::Delay(filter) => filter.advance(t, state, scratch, input, output),
            Stage::VariableDelay(filter) => filter.advance(t, state, scratch, input, output),
            Stage::Conv3d(filter) => filter.advance(t, state, scratch, input, output),
            Stage::Rf(filter) => filter.advance(t, state, scratch, input, output),
            Stage::LowPass(filter) => filter.advance(t, state, scratch, input, output),
            Stage::HighPass(filter) => filter.advance(t, state, scratch, input, output),
            Stage::SmoothConv(filter) => filter.advance(t, state, scratch, input, output),
            Stage::Pointwise(filter) => filter.advance(t, state, scratch, input, output),
            Stage::Sum(filter) => filter.advance(t, state, scratch, input, output),
            Stage::Diff(filter) => filter.advance(t, state, scratch, input, output),
            Stage::Finite(filter) => filter.advance(t, state, scratch, input, output),
            Stage::Custom(filter, _) => filter.advance(t, state, scratch, input, output),
            _ => unreachable!("all filters are above"),
        }
    }
}

/// Extremes that no table of weights holds: the longest delays and histories, the largest steps.
#[test]
fn extreme_parameters() {
    use foveola_core::{Conv3d, ConvOptions, Delay, Kernel, Rate, Rf, TimePadding};
    const MAX: usize = usize::MAX;
    let shape = Shape::new(1, 2, 2);
    let (ones, many) = ([1.0_f32; 2], ConvOptions { stride: [MAX; 3], ..ConvOptions::DEFAULT });
    let conv = |options| Conv3d::new(shape, Kernel::new(&ones, [1, 1, 2, 1, 1]), options).expect("a kernel that fits");
    let filters: Vec<(&str, Box<dyn Filter + '_>)> = vec![
        ("Delay", Box::new(Delay::new(shape, MAX, 0))),
        ("Delay with a length", Box::new(Delay::new(shape, MAX, MAX))),
        ("Delay with a length", Box::new(Delay::new(shape, 3, MAX))),
        ("TimePadding", Box::new(TimePadding::new(shape, MAX, PadMode::Mirror))),
        ("TimePadding of nothing", Box::new(TimePadding::new(Shape::new(0, 2, 2), MAX, PadMode::Mean))),
        ("Conv3d", Box::new(conv(many))),
        ("Conv3d", Box::new(conv(ConvOptions { pad: None, ..many }))),
        ("Rf", Box::new(Rf::uniform(shape, MAX, MAX, None).expect("a field"))),
        ("Rf", Box::new(Rf::uniform(shape, 2, MAX, Some(PadMode::Ones)).expect("a field"))),
        ("Sum", Box::new(foveola_core::Sum::new(Shape::new(MAX, MAX, MAX), Axis::Row))),
    ];
    for (name, filter) in &filters {
        for t in [0, 1, 2, 7, u64::MAX - 1, u64::MAX] {
            for lens in [[0, 0, 4, 4], [8, 8, 4, 4], [4, 4, 8, 8], [0, 0, 0, 0], [1, 1, 1, 1]] {
                let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| prod(filter.as_ref(), t, lens)));
                assert!(result.is_ok(), "{name} panics at time {t} with slices of {lens:?}");
            }
        }
    }
    // Whatever a user's own signature says; a rate that never repeats yields one frame.
    for (first, every, count) in [(0, 0, 1), (0, u64::MAX, 1), (u64::MAX, u64::MAX, 0), (u64::MAX - 1, 1, 1)] {
        let rate = Rate { first, every };
        assert_eq!(rate.count(u64::MAX), count, "{rate:?}");
        assert!(rate.then(rate).count(u64::MAX) <= 1, "{rate:?} twice");
    }
}

/// Recordings are any array of 3 or 5 axes, in any layout.
#[test]
fn layouts() {
    let movie = Array::from_iter(noise(1, 60)).mapv(|x| x as f32).into_shape_with_order((5, 3, 4)).expect("60 samples");
    let expected = Model::of(Diff).feed(&movie);
    let turned = movie.t().as_standard_layout().into_owned(); // columns, rows, time; in that order in memory
    assert_eq!(Model::of(Diff).feed(&turned.reversed_axes()), expected);
    assert!(expected.iter().take(12).all(|y| *y == 0.0), "the first frame");
}
