//! The model of a file, as `build.rs` exports it, over the recording of `foveola-qemu`'s `retina`: the digest of each output is
//! that of the host's model in reproducible precision over the same frames.
//!
//! Then the instructions of a frame are counted: what begins it, while the sensor is quiet, and the model, over frames without a
//! zero. A frame of events may take less, as convolutions skip what is zero, and never more.

#![no_std]
#![no_main]

use cortex_m::Peripherals;
use cortex_m_rt::entry;
use defmt::println;
use foveola_core::events::Evt2;
use foveola_core::{Digest, Sample, Shape};
use foveola_pipeline::{Application, MemoryOf, Output, Pipeline, Plan};
use foveola_qemu::meter::Meter;
use foveola_qemu::retina::RECORDING;
use foveola_qemu::{exit, stack, text};
use static_cell::ConstStaticCell;

/// The model of the file.
#[allow(unreachable_pub, reason = "the generated source is a module for any program")]
mod model {
    include!(concat!(env!("OUT_DIR"), "/model.rs"));
    include!(concat!(env!("OUT_DIR"), "/machine.rs"));
}

struct FromFile;

impl Application for FromFile {
    type Decoder = Evt2;
    type Sample = model::Sample;
    const PLAN: Plan<'static, model::Sample> = model::PLAN;
    const RAM: usize = model::RAM;
}

/// Frames that are measured: a multiple of the period in which recursions make small numbers zero.
const MEASURED: u64 = 64;

static MEMORY: ConstStaticCell<MemoryOf!(FromFile)> = ConstStaticCell::new(<MemoryOf!(FromFile)>::new());

#[entry]
fn main() -> ! {
    let Some(peripherals) = Peripherals::take() else { exit(false) };
    let memory = MEMORY.take();
    let pipeline = Pipeline::<FromFile, _, _, _, _, _>::new(memory);
    let Ok(mut pipeline) = pipeline.inspect_err(|damage| text!("{}", damage)) else { exit(false) };
    let mut digests = [const { Digest::new() }; model::OUTPUTS.len()];
    let (mut least, mut most, mut last) = (f32::INFINITY, f32::NEG_INFINITY, 0);
    let (mut meter, mut ticks) = (Meter::new(peripherals.SYST), 0);
    let mut each = |frame: Output<'_, model::Sample>| {
        ticks += meter.lap();
        last = frame.start;
        let outputs = core::iter::once(frame.samples).chain((0..).map(|further| frame.further(further)));
        digests.iter_mut().zip(outputs).for_each(|(digest, samples)| digest.add(samples));
        let values = frame.samples.iter().map(|y| y.to_f64() as f32);
        (least, most) = values.fold((least, most), |(least, most), y| (least.min(y), most.max(y)));
        meter.lap(); // what only this program does is not measured
    };
    let mut bytes = RECORDING;
    while pipeline.feed(&mut bytes, &mut each) {}
    while pipeline.finish(&mut each) {}

    let counters = pipeline.counters();
    let mean = ticks / counters.frames.max(1);
    let of = |Shape { channels, rows, cols }: Shape| [channels, rows, cols];
    let ([a, b, c], [d, e, f]) = (of(FromFile::PLAN.input()), of(FromFile::PLAN.output()));
    println!("{}: {} x {} x {} to {} x {} x {}, {} us", model::NAME, a, b, c, d, e, f, model::DT);
    println!("events\t{}", counters.events);
    println!("  filtered\t{}", counters.filtered);
    println!("  in no frame\t{}", counters.dropped.events());
    println!("frames\t{}\t{} out", counters.frames, counters.outputs);
    println!("frames and state\t{}\tbytes of RAM, with scratch", FromFile::PLAN.bytes());
    println!("weights\t{}\tbytes of flash, with other tables", model::TABLES);
    println!("output\t{}\tto {}", least, most);
    for (name, digest) in model::OUTPUTS.iter().zip(&digests) {
        println!("digest of all bits {=u64:016x} {}", digest.value(), name);
    }
    // The sensor's clock goes on, and nothing happens.
    let later = |t: u64| (0x8000_0000 | ((t + (MEASURED + 2) * model::DT) >> 6) as u32).to_le_bytes();
    let words = [later(last); 2]; // the second confirms a jump
    let mut bytes = words.as_flattened();
    while pipeline.feed(&mut bytes, |_| {}) {}
    let quiet = per_frame(&mut meter, &mut pipeline);
    // The same from the start of a stream, which an event outside of the sensor begins.
    let words = [[0, 0, 0, 0x80], [0xFF; 4].map(|byte| byte & 0x1F), later(0), later(0)];
    let Ok(mut pipeline) = Pipeline::<FromFile, _, _, _, _, _>::new(memory) else { exit(false) };
    let mut bytes = words.as_flattened();
    while pipeline.feed(&mut bytes, |_| {}) {}
    let silent = per_frame(&mut meter, &mut pipeline);
    // The model alone, without events and with.
    let [zeros, dense] = [false, true].map(|is_dense| {
        let Ok(mut pipeline) = Pipeline::<FromFile, _, _, _, _, _>::new(memory) else { exit(false) };
        let mut ticks = 0;
        for t in 0..MEASURED {
            let fill = |samples: &mut [model::Sample]| {
                for (i, x) in (t..).zip(samples) {
                    let value = if is_dense { (i * 0x9e37_79b9 % 1013) as f32 / 1013.0 - 0.4 } else { 0.0 };
                    *x = Sample::from_f64(value.into());
                }
                meter.lap();
            };
            let _ = pipeline.frame(t, fill, |_| {});
            ticks += meter.lap();
        }
        ticks / MEASURED
    });
    let frame = dense + silent.saturating_sub(zeros);
    println!("measured: frame\t{}\tinstructions, where no sample is zero", Meter::instructions(frame));
    println!("measured: mean\t{}\tinstructions, with the events of the recording", Meter::instructions(mean));
    println!("measured: quiet\t{}\tinstructions, without events", Meter::instructions(quiet));
    println!("measured: stack\t{}\tbytes at most", stack::high_water());
    // A constant output would be the same on every machine for no reason.
    let passed = counters.add_up() && counters.refused == 0 && counters.outputs > 0 && least < most;
    println!("{}", if passed { "passed" } else { "FAILED" });
    exit(passed)
}

/// Ticks of a frame without events, of those that the sensor's clock has passed.
fn per_frame<const INPUT: usize, const OUTPUT: usize, const STATE: usize, const SCRATCH: usize, const EVENTS: usize>(
    meter: &mut Meter,
    pipeline: &mut Pipeline<'_, FromFile, INPUT, OUTPUT, STATE, SCRATCH, EVENTS>,
) -> u64 {
    let (before, mut ticks) = (pipeline.counters().frames, 0);
    meter.lap();
    while pipeline.quiet(|_| ticks += meter.lap()) {}
    ticks += meter.lap();
    ticks / (pipeline.counters().frames - before).max(1)
}
