//! No cliffs: instructions of convolutions of many shapes beside a smooth law, and those of a node of a model.
//!
//! ```text
//! law = 1000 + 400 rows + in + 5 out + 1.6 multiply-adds        rows, in, out: rows of the output, samples in and out
//! ```
//! Kernels of 1 x 1 to 9 x 9, frames of 8 to 96 columns, steps of 1 to 4 and all borders. A shape that falls off a fast path takes
//! a multiple of the law, while its neighbours keep to it: the largest ratio of all shapes is the number that `measure.sh` checks.
//!
//! A node is a low-pass of one pixel in a chain, with and without a table of places: the instructions that a chain of 12 takes
//! more than one of 4, for each node.
//!
//! `SWEEP=1 cargo run --release --bin sweep` prints the instructions of each shape, too.

#![no_std]
#![no_main]

use cortex_m::Peripherals;
use cortex_m_rt::entry;
use defmt::println;
use foveola_core::{
    Border, Conv3d, ConvOptions, Decay, Digest, Filter, Graph, Kernel, LowPass, Node, PlacedGraph, Shape, Source,
    Stage, constant,
};
use foveola_qemu::exit;
use foveola_qemu::meter::Meter;
use static_cell::ConstStaticCell;

/// Rows of a frame, and the most columns.
const ROWS: usize = 64;
const COLS: usize = 96;
/// Rows and columns of the largest kernel.
const KERNEL: usize = 9;
const SAME: ConvOptions = ConvOptions::DEFAULT;

static WEIGHTS: [f32; KERNEL * KERNEL] = weights();
static INPUT: ConstStaticCell<[f32; ROWS * COLS]> = ConstStaticCell::new([0.0; ROWS * COLS]);
static OUTPUT: ConstStaticCell<[f32; ROWS * COLS]> = ConstStaticCell::new([0.0; ROWS * COLS]);
/// State of a kernel of three frames.
static STATE: ConstStaticCell<[f32; 3 * ROWS * (ROWS + 2)]> = ConstStaticCell::new([0.0; 3 * ROWS * (ROWS + 2)]);
static SCRATCH: ConstStaticCell<[f32; ROWS * COLS]> = ConstStaticCell::new([0.0; ROWS * COLS]);

/// The numbers of nodes that are measured.
const FEW: usize = 4;
const MANY: usize = 12;
const PIXEL: Shape = Shape::new(1, 1, 1);
static CHAIN: [Node<'_>; MANY] = chain();
static HEAD: [Node<'_>; FEW] = chain();
static PLACED_CHAIN: PlacedGraph<'_, MANY> = constant!(PlacedGraph::new(PIXEL, &CHAIN));
static PLACED_HEAD: PlacedGraph<'_, FEW> = constant!(PlacedGraph::new(PIXEL, &HEAD));
const BARE_CHAIN: Graph<'_> = constant!(Graph::new(PIXEL, &CHAIN));
const BARE_HEAD: Graph<'_> = constant!(Graph::new(PIXEL, &HEAD));

struct Bench {
    meter: Meter,
    input: &'static mut [f32],
    output: &'static mut [f32],
    state: &'static mut [f32],
    scratch: &'static mut [f32],
    digest: Digest,
    /// The largest ratio to the law so far, in thousandths.
    worst: u64,
    passed: bool,
}

impl Bench {
    /// Instructions of the last of some frames.
    fn measure(&mut self, filter: &dyn Filter, frames: u64) -> u64 {
        let signature = filter.signature();
        let (state, x) = (self.state.get_mut(..signature.state), self.input.get(..signature.input.len()));
        let (Some(state), Some(x)) = (state, x) else {
            self.passed = false;
            return 0;
        };
        let mut ticks = 0;
        for t in 0..frames {
            self.meter.lap();
            let done = filter.run(t, state, self.scratch, x, self.output);
            ticks = self.meter.lap();
            self.passed &= done.is_ok();
        }
        self.digest.add(self.output.get(..signature.output.len()).unwrap_or_default());
        Meter::instructions(ticks)
    }

    /// A convolution beside the law.
    fn check(&mut self, [rows, cols]: [usize; 2], kernel: [usize; 5], options: ConvOptions) {
        let weights = WEIGHTS.get(..kernel.iter().product()).unwrap_or_default();
        let Ok(conv) = Conv3d::new(Shape::new(1, rows, cols), Kernel::new(weights, kernel), options) else {
            self.passed = false;
            return;
        };
        let found = self.measure(&conv, kernel[2] as u64);
        let output = conv.signature().output;
        let [lines, x, y, macs] = [output.rows, rows * cols, output.len(), conv.work()].map(|n| n as u64);
        let law = 1000 + 400 * lines + x + 5 * y + 16 * macs / 10;
        let ratio = (1000 * found + law / 2) / law;
        self.worst = self.worst.max(ratio);
        if option_env!("SWEEP").is_some() {
            let [outs, _, kt, kh, kw] = kernel;
            let (step, border) = (options.stride[1], options.border.is_some());
            println!(
                "{} x {}: {} of {} x {} x {}, step {}, border {}: {} instructions, {} multiply-adds, {} of 1000",
                rows, cols, outs, kt, kh, kw, step, border, found, macs, ratio
            );
        }
    }
}

#[entry]
fn main() -> ! {
    let Some(peripherals) = Peripherals::take() else { exit(false) };
    let mut bench = Bench {
        meter: Meter::new(peripherals.SYST),
        input: INPUT.take(),
        output: OUTPUT.take(),
        state: STATE.take(),
        scratch: SCRATCH.take(),
        digest: Digest::new(),
        worst: 0,
        passed: true,
    };
    for (i, x) in bench.input.iter_mut().enumerate() {
        *x = (i * 7919 % 1013) as f32 / 1013.0 - 0.4;
    }
    for kh in 1..=KERNEL {
        for kw in 1..=KERNEL {
            if kh * kw > 1 {
                bench.check([ROWS, 64], [1, 1, 1, kh, kw], SAME);
            }
        }
    }
    for cols in 8..=COLS {
        bench.check([ROWS, cols], [1, 1, 1, 5, 5], SAME);
    }
    for kernel in [[1, 1, 1, 5, 5], [1, 1, 1, 3, 3]] {
        for step in 2..=4 {
            bench.check([ROWS, 64], kernel, ConvOptions { stride: [1, step, step], ..SAME });
        }
        for border in [None, Some(Border::Reflect), Some(Border::Zeros), Some(Border::Circular)] {
            bench.check([ROWS, 64], kernel, ConvOptions { border, ..SAME });
        }
    }
    for outs in 1..=2 {
        bench.check([ROWS / 2, 64], [outs, 1, 3, 3, 3], SAME);
    }
    let nodes = |bench: &mut Bench, chain: Graph<'_>, head: Graph<'_>| {
        (bench.measure(&chain, 2).saturating_sub(bench.measure(&head, 2))) / (MANY - FEW) as u64
    };
    let placed = nodes(&mut bench, PLACED_CHAIN.graph(), PLACED_HEAD.graph());
    let bare = nodes(&mut bench, BARE_CHAIN, BARE_HEAD);
    println!("digest of all bits {=u64:016x}", bench.digest.value());
    println!("measured: law\t{}\tthousandths of the law at most", bench.worst);
    println!("measured: node\t{}\tinstructions of a node of one pixel", placed);
    println!("measured: node-bare\t{}\tthe same without a table of places", bare);
    println!("{}", if bench.passed { "passed" } else { "FAILED" });
    exit(bench.passed)
}

/// A chain of low-passes.
const fn chain<const N: usize>() -> [Node<'static>; N] {
    let low_pass = Stage::LowPass(LowPass::new(PIXEL, constant!(Decay::from_gain(0.5))));
    let mut nodes = [Node::Filter(Source::Input, low_pass); N];
    let mut i = 1;
    while i < N {
        nodes[i] = Node::Filter(Source::Node(i - 1), low_pass);
        i += 1;
    }
    nodes
}

/// Weights of both signs.
const fn weights<const N: usize>() -> [f32; N] {
    let mut weights = [0.0; N];
    let mut i = 0;
    while i < N {
        weights[i] = ((i * 7 % N) as f32 + 0.5) / N as f32 - 0.25;
        i += 1;
    }
    weights
}
