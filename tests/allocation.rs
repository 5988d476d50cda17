//! No allocation where none is promised: in `core` once a filter and its slices exist, and in the host once a stream
//! runs.
//!
//! A counting allocator stands in for the system's. It counts for each thread, since the test harness has its own.

use foveola::{
    Algorithm, Branches, Conv1d, Conv2d, Conv3d, LowPass, Model, NLRectify, PadMode, Plan, Precision, RF, Resolution,
    SmoothConv, TimePadding,
};
use foveola_core::{Filter, Graph, Node, Source};
use foveola_tests::every::{Bank, SHAPE};
use foveola_tests::random::array;
use ndarray::Array5;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

struct Counting;

thread_local! {
    /// Allocations and reallocations of this thread. Constant and without a destructor, so that it needs no memory
    /// itself.
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count() {
    COUNT.set(COUNT.get() + 1);
}

// SAFETY: every call goes to the system's allocator unchanged; counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Allocations that `work` makes.
fn allocations(work: impl FnOnce()) -> usize {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(black_box(Vec::<u8>::with_capacity(10)))), 1, "a new vector");
    assert_eq!(allocations(|| drop(black_box(vec![0_u64; 10]))), 1, "a zeroed vector");
    let mut grown = Vec::with_capacity(1);
    assert_eq!(allocations(|| grown.extend(black_box([1, 2, 3]))), 1, "a vector that grows");
    assert_eq!(allocations(|| grown.clear()), 0, "nothing");
}

/// The first chunk, single frames and a longer chunk through every filter, alone and all of them as nodes of a table.
#[test]
fn none_in_core() {
    let bank = Bank::<f32>::default();
    let run = |name: &str, filter: &dyn Filter| {
        let signature = filter.signature();
        let mut state = vec![f32::NAN; signature.state];
        let mut scratch = vec![f32::NAN; signature.scratch.len(5)];
        let input = vec![0.5; 5 * signature.input.len()];
        let mut output = vec![f32::NAN; (5 + signature.lead) * signature.output.len()];
        let made = allocations(|| {
            let mut t = 0;
            for frames in [3, 1, 1, 1, 5, 1] {
                let input = &input[..frames * signature.input.len()];
                filter.run(t, &mut state, &mut scratch, input, &mut output).expect("lengths that fit");
                t += frames as u64;
            }
            let frame = &input[..signature.input.len()];
            filter.step(t, &mut state, &mut scratch, frame, &mut output).expect("lengths that fit");
        });
        assert_eq!(made, 0, "{name}");
    };
    let stages = bank.stages(SHAPE);
    for (name, stage) in &stages {
        let nodes = [Node::Filter(Source::Input, *stage)];
        run(name, &Graph::new(SHAPE, &nodes).expect("a filter that takes the frames"));
    }
    // And a table that makes everything of one input; the last node is the output.
    let nodes: Vec<Node> = stages.iter().map(|(_, stage)| Node::Filter(Source::Input, *stage)).collect();
    run("a table of all", &Graph::new(SHAPE, &nodes).expect("filters that take the frames"));
}

/// Once the first frames have sized its buffers, a running model takes frame after frame without allocating.
#[test]
fn none_per_frame_in_the_host() {
    let resolution = Resolution::DEFAULT;
    let smooth = |tau, sigma| SmoothConv::gaussian(3, tau, sigma, resolution).expect("a time constant and a width");
    let retina = || {
        let mut edges = Conv3d::new(1, 1, [5, 3, 3]).expect("a kernel");
        edges.set_weight(array(1, (5, 3, 3)).mapv(|w| w as f32)).expect("a kernel of rank 3");
        let cells = Branches::new().plus(smooth(0.005, 0.05)).minus(smooth(0.010, 0.15));
        Model::new().then(cells).then(edges).then(NLRectify)
    };
    let mut colour = Conv3d::new(2, 2, [3, 3, 3]).expect("a kernel");
    colour.set_weight(array(2, (2, 2, 3, 3, 3)).mapv(|w| w as f32)).expect("a kernel of rank 5");
    let cases = [
        ("one channel", retina(), 1, 1),
        ("two channels", Model::new().then(smooth(0.005, 0.05)).then(colour).then(NLRectify), 2, 1),
        ("a lead", Model::new().then(TimePadding::new(4, PadMode::Mirror)), 1, 1),
        ("a batch of three", Model::new().then(smooth(0.005, 0.05)).then(NLRectify), 2, 3),
    ];
    for (name, mut model, channels, batch) in cases {
        let frame: Array5<f32> = array(3, (batch, channels, 1, 24, 32)).mapv(|x| x as f32);
        let mut feed = |frames: usize| {
            for _ in 0..frames {
                let out = model.process(&frame).expect("frames that fit");
                black_box(out.first());
            }
        };
        feed(5);
        assert_eq!(allocations(|| feed(100)), 0, "{name}");
    }
}

/// The same for each way of computing a convolution, whether it was asked for or chosen; receptive fields; convolutions in
/// time; in single frames and in pieces. On one thread: what several take is in `allocation_threads.rs`.
#[test]
fn none_per_frame_by_any_way() {
    let gauss = |c: usize| (-0.5 * ((c as f32 - 7.0) / 2.0).powi(2)).exp();
    let blur = || {
        let weight = ndarray::Array2::from_shape_fn((15, 15), |(r, c)| gauss(r) * gauss(c));
        Conv2d::new(1, 1, [15, 15]).and_then(|conv| conv.with_weight(weight)).expect("a kernel")
    };
    let noise = |kt: usize, k: usize| {
        let weight = array(1, (kt, k, k)).mapv(|w| w as f32);
        Conv3d::new(1, 1, [kt, k, k]).and_then(|conv| conv.with_weight(weight)).expect("a kernel")
    };
    let plan = noise(1, 31).plan(24, 32).expect("a plan");
    assert!(matches!(plan, Plan::Fft { .. }), "{plan}");
    let plan = blur().plan(24, 32).expect("a plan");
    assert!(matches!(plan, Plan::Separable { .. }), "{plan}");
    let mut exponential = Conv1d::new(1, 1, 1).expect("a length");
    exponential.set_exponential(0.01, Resolution::DEFAULT).expect("a time constant");
    let uniform = RF::new(1, 2, 3).expect("a field").with_pad_mode(PadMode::Zeros);
    let smooth = |way| SmoothConv::gaussian(3, 0.01, 0.1, Resolution::DEFAULT).expect("a width").with_algorithm(way);
    let low_pass = || LowPass::new(0.01, Resolution::DEFAULT).expect("a time constant");
    let cases = [
        ("FFT, chosen", Model::of(noise(1, 31))),
        ("FFT in time and space", Model::of(noise(10, 10).with_algorithm(Algorithm::Fft))),
        (
            "FFT and others",
            Model::new().then(low_pass()).then(noise(3, 9).with_algorithm(Algorithm::Fft)).then(NLRectify),
        ),
        ("FFT with a stride", Model::of(noise(3, 5).with_stride([2, 1, 1]).with_algorithm(Algorithm::Fft))),
        ("separable, chosen", Model::of(blur())),
        ("separable", Model::of(blur().with_algorithm(Algorithm::Separable))),
        (
            "separable, reproducible",
            Model::of(blur().with_algorithm(Algorithm::Separable)).with_precision(Precision::Reproducible),
        ),
        ("separable smoothing", Model::of(smooth(Algorithm::Separable))),
        ("smoothing tap by tap", Model::of(smooth(Algorithm::Direct))),
        ("tap by tap", Model::of(noise(10, 10).with_algorithm(Algorithm::Direct))),
        ("a receptive field", Model::of(uniform)),
        ("a convolution in time", Model::of(exponential)),
    ];
    for (name, model) in cases {
        let mut model = model.with_threads(1);
        let pieces = [1, 5, 1, 20].map(|frames| array(3, (1, 1, frames, 24, 32)).mapv(|x| x as f32));
        let mut feed = |times: usize| {
            for _ in 0..times {
                for piece in &pieces {
                    let out = model.process(piece).expect("frames that fit");
                    black_box(out.first());
                }
            }
        };
        feed(2);
        assert_eq!(allocations(|| feed(10)), 0, "{name}");
    }
}
