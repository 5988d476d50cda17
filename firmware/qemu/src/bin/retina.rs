//! A recorded stream of an event camera through the retina of the host's default run, at 64 x 64 pixels and 1000 frames/s:
//! the digest is that of `foveola run --reproducible --digest` on the same recording.
//!
//! The recording arrives as from an interrupt, in blocks through a queue. Then its parts are measured alone: bytes to
//! frames, and the model. What it prints is kept in `retina.out`, but for the lines with measurements, which are compared
//! with `instructions.tsv`.

#![no_std]
#![no_main]

use cortex_m::Peripherals;
use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;
use foveola_core::events::{Geometry, Polarity};
use foveola_core::{
    Border, Decay, Digest, Graph, Node, Nonlinearity, Pointwise, Shape, SmoothConv, Source, Stage, constant,
};
use foveola_pipeline::{Application, ByteQueue, Front, MemoryOf, Pipeline, Plan};
use foveola_qemu::kernels::{CENTRE, SURROUND};
use foveola_qemu::meter::Meter;
use foveola_qemu::{exit, stack};
use static_cell::ConstStaticCell;

/// Written by `foveola record retina.raw --geometry 64x64 --duration 200ms`.
static RECORDING: &[u8] = include_bytes!("retina.raw");

const SHAPE: Shape = Shape::new(1, 64, 64);
/// Microseconds of a frame.
const DT: u64 = 1_000;
const RATE: f64 = 1e6 / DT as f64;
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

struct Retina;

impl Application for Retina {
    const PLAN: Plan<'static> = constant!(Plan::new(
        constant!(Graph::new(SHAPE, &NODES)),
        Geometry { cols: SHAPE.cols, rows: SHAPE.rows },
        1,
        Polarity::Signed,
        DT,
    ));
    /// As much as the smallest machine here has beside its stack and program.
    const RAM: usize = 192 * 1024;
}

static MEMORY: ConstStaticCell<MemoryOf!(Retina)> = ConstStaticCell::new(<MemoryOf!(Retina)>::new());
/// Bytes that an interrupt brings at once, and how many of these blocks may wait.
const BLOCK: usize = 256;
static QUEUE: ConstStaticCell<ByteQueue<BLOCK, 8>> = ConstStaticCell::new(ByteQueue::new());
static FRAME: ConstStaticCell<[f32; SHAPE.len()]> = ConstStaticCell::new([0.0; SHAPE.len()]);
/// Events are so short that the ticks of a thousand are told.
const MANY: u64 = 1_000;

#[entry]
fn main() -> ! {
    let Some(peripherals) = Peripherals::take() else { exit(false) };
    let mut meter = Meter::new(peripherals.SYST);

    let Ok(mut pipeline) =
        Pipeline::<Retina, _, _, _, _>::new(MEMORY.take()).inspect_err(|damage| hprintln!("{}", damage))
    else {
        exit(false)
    };
    let (mut interrupt, mut main_loop) = QUEUE.take().split();
    let (mut digest, mut active, mut ticks) = (Digest::new(), 0, 0);
    for piece in RECORDING.chunks(BLOCK) {
        interrupt.send(piece);
        while let Some(block) = main_loop.receive() {
            meter.lap();
            pipeline.feed_block(&block, |frame| {
                ticks += meter.lap();
                digest.add(frame.samples);
                active += frame.samples.iter().filter(|y| **y > 0.0).count();
                meter.lap(); // what only this program does is not measured
            });
            ticks += meter.lap();
        }
    }
    pipeline.finish(|frame| {
        ticks += meter.lap();
        digest.add(frame.samples);
        active += frame.samples.iter().filter(|y| **y > 0.0).count();
    });
    let counters = pipeline.counters();

    hprintln!("retina of {} pixels, {} frames/s, {} bytes of EVT2", SHAPE, RATE as u32, RECORDING.len());
    hprintln!("events            {:>8}", counters.events);
    hprintln!("  in no frame     {:>8}", counters.dropped.events());
    hprintln!("bytes skipped     {:>8}", counters.skipped.bytes());
    hprintln!("bytes dropped     {:>8}  where the queue was full", main_loop.dropped());
    hprintln!("frames            {:>8}", counters.outputs);
    hprintln!("pixels above 0    {:>8}  over all frames", active);
    hprintln!("frames and state  {:>8}  bytes of RAM, with scratch", Retina::PLAN.bytes());
    hprintln!("digest of all bits {}", digest);
    let (event, quiet) = measure_front(&mut meter, FRAME.take());
    let frame = ticks.saturating_sub(event * counters.events / MANY) / counters.frames.max(1);
    hprintln!(
        "measured: frame   {:>8}  instructions, {} of them to begin it",
        Meter::instructions(frame),
        Meter::instructions(quiet)
    );
    hprintln!(
        "measured: event   {:>8}  instructions to decode and count it",
        Meter::instructions(event).div_ceil(MANY)
    );
    hprintln!("measured: stack   {:>8}  bytes at most", stack::high_water());
    let whole = counters.events == counters.stored() && counters.skipped.bytes() == 0 && main_loop.dropped() == 0;
    let passed = whole && counters.outputs > 0 && counters.outputs == counters.frames;
    hprintln!("{}", if passed { "passed" } else { "FAILED" });
    exit(passed)
}

/// Bytes to frames alone: ticks of [`MANY`] events, and of a frame without events.
fn measure_front(meter: &mut Meter, frame: &mut [f32]) -> (u64, u64) {
    let mut front = Front::new(&Retina::PLAN);
    let (mut ticks, mut frames) = (0, 0);
    for mut piece in RECORDING.chunks(BLOCK) {
        meter.lap();
        while front.next_frame(&mut piece, frame).is_some() {
            frames += 1;
        }
        ticks += meter.lap();
    }
    // The sensor's clock goes on by 100 frames, and nothing happens.
    let later = front.time().unwrap_or(0) + 100 * DT;
    let mut word = &(0x8000_0000 | (later >> 6) as u32).to_le_bytes()[..];
    let _ = front.next_frame(&mut word, frame);
    let mut empty = 0;
    meter.lap();
    while front.quiet_frame(frame).is_some() {
        empty += 1;
        core::hint::black_box(&mut *frame); // else only the last one would be cleared
    }
    let quiet = meter.lap() / empty.max(1);
    (ticks.saturating_sub(frames * quiet) * MANY / front.events().max(1), quiet)
}
