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
use defmt::println;
use foveola_core::{Digest, Shape};
use foveola_pipeline::{Application, ByteQueue, Front, MemoryOf, Pipeline};
use foveola_qemu::meter::Meter;
use foveola_qemu::retina::{BLOCK, BLOCKS, DT, RATE, RECORDING, Retina, SHAPE, blocks};
use foveola_qemu::{exit, stack, text};
use static_cell::ConstStaticCell;

static MEMORY: ConstStaticCell<MemoryOf!(Retina)> = ConstStaticCell::new(<MemoryOf!(Retina)>::new());
static QUEUE: ConstStaticCell<ByteQueue<BLOCK, BLOCKS>> = ConstStaticCell::new(ByteQueue::new());
static FRAME: ConstStaticCell<[f32; SHAPE.len()]> = ConstStaticCell::new([0.0; SHAPE.len()]);
/// Events are so short that the ticks of a thousand are told.
const MANY: u64 = 1_000;

#[entry]
fn main() -> ! {
    let Some(peripherals) = Peripherals::take() else { exit(false) };
    let mut meter = Meter::new(peripherals.SYST);

    let Ok(mut pipeline) = Pipeline::<Retina, _, _, _, _>::new(MEMORY.take()).inspect_err(|damage| text!("{}", damage))
    else {
        exit(false)
    };
    let (mut interrupt, mut main_loop) = QUEUE.take().split();
    let (mut digest, mut active, mut ticks) = (Digest::new(), 0, 0);
    for piece in RECORDING.chunks(BLOCK) {
        interrupt.send(piece);
        while let Some(block) = main_loop.receive() {
            meter.lap();
            let mut bytes = pipeline.open(&block);
            while pipeline.feed(&mut bytes, |frame| {
                ticks += meter.lap();
                digest.add(frame.samples);
                active += frame.samples.iter().filter(|y| **y > 0.0).count();
                meter.lap(); // what only this program does is not measured
            }) {}
            ticks += meter.lap();
        }
    }
    while pipeline.finish(|frame| {
        ticks += meter.lap();
        digest.add(frame.samples);
        active += frame.samples.iter().filter(|y| **y > 0.0).count();
    }) {}
    let counters = pipeline.counters();

    let Shape { channels, rows, cols } = SHAPE;
    println!(
        "retina of {} x {} x {} pixels, {} frames/s, {} bytes of EVT2",
        channels,
        rows,
        cols,
        RATE as u32,
        RECORDING.len()
    );
    println!("events\t{}", counters.events);
    println!("  in no frame\t{}", counters.dropped.events());
    println!("bytes skipped\t{}", counters.skipped.bytes());
    println!("bytes dropped\t{}\twhere the queue was full", main_loop.dropped());
    println!("frames\t{}", counters.outputs);
    println!("pixels above 0\t{}\tover all frames", active);
    println!("frames and state\t{}\tbytes of RAM, with scratch", Retina::PLAN.bytes());
    println!("digest of all bits {=u64:016x}", digest.value());
    let (event, quiet) = measure_front(&mut meter, FRAME.take());
    let frame = ticks.saturating_sub(event * counters.events / MANY) / counters.frames.max(1);
    println!(
        "measured: frame\t{}\tinstructions, {} of them to begin it",
        Meter::instructions(frame),
        Meter::instructions(quiet)
    );
    println!("measured: event\t{}\tinstructions to decode and count it", Meter::instructions(event).div_ceil(MANY));
    println!("measured: stack\t{}\tbytes at most", stack::high_water());
    let whole = counters.events == counters.stored() && counters.skipped.bytes() == 0 && main_loop.dropped() == 0;
    let passed = whole && counters.outputs > 0 && counters.outputs == counters.frames;
    println!("{}", if passed { "passed" } else { "FAILED" });
    exit(passed)
}

/// Bytes to frames alone: ticks of [`MANY`] events, and of a frame without events.
fn measure_front(meter: &mut Meter, frame: &mut [f32]) -> (u64, u64) {
    let mut front = Front::<<Retina as Application>::Decoder>::new(&Retina::PLAN);
    let (mut ticks, mut frames) = (0, 0);
    for mut piece in blocks() {
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
