//! Instructions of each node of the model of a file, as `build.rs` exports it: what the predictions of `foveola model show` are
//! fitted to (`../layers.sh`).

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use cortex_m::Peripherals;
use cortex_m::peripheral::SYST;
use cortex_m_rt::entry;
use defmt::println;
use foveola_core::engine::{NodeChunk, Runner, SingleThread};
use foveola_core::{Error, Graph, Sample, Stage};
use foveola_qemu::meter::Meter;
use foveola_qemu::{exit, text};
use static_cell::ConstStaticCell;

/// The model of the file.
#[allow(unreachable_pub, dead_code, reason = "the generated source is a module for any program")]
mod model {
    include!(concat!(env!("OUT_DIR"), "/model.rs"));
}

const MODEL: Graph<'_, model::Sample> = model::MODEL;
const ZERO: model::Sample = model::Sample::ZERO;
/// Samples of a frame in and out, of the state and of the scratch.
const SAMPLES: [usize; 4] = model::PLAN.samples();
/// Frames that are measured: a multiple of the period in which recursions make small numbers zero.
const FRAMES: u64 = 32;
/// Frames before them, which are not.
const BEFORE: u64 = 4;
/// `SysTick` counts so many ticks.
const WRAP: u32 = 1 << 24;

static FRAME: ConstStaticCell<[model::Sample; SAMPLES[0]]> = ConstStaticCell::new([ZERO; SAMPLES[0]]);
static OUT: ConstStaticCell<[model::Sample; SAMPLES[1]]> = ConstStaticCell::new([ZERO; SAMPLES[1]]);
static MEMORY: ConstStaticCell<[model::Sample; SAMPLES[2]]> = ConstStaticCell::new([ZERO; SAMPLES[2]]);
static WORK: ConstStaticCell<[model::Sample; SAMPLES[3]]> = ConstStaticCell::new([ZERO; SAMPLES[3]]);

/// Ticks of each node so far, and the timer when the last node ended.
static TICKS: [AtomicU32; MODEL.nodes().len()] = [const { AtomicU32::new(0) }; MODEL.nodes().len()];
static LAST: AtomicU32 = AtomicU32::new(0);

/// Notes the time when a node has written its frame.
struct Timed;

impl Runner<model::Sample> for Timed {
    type Splitter = SingleThread;

    fn splitter(&self) -> SingleThread {
        SingleThread
    }

    fn advance(&self, stage: &Stage<'_, model::Sample>, chunk: NodeChunk<'_, model::Sample>) -> Result<usize, Error> {
        stage.as_filter().advance(chunk.t, chunk.state, chunk.scratch, chunk.input, chunk.output)
    }

    fn written(&self, node: usize, _: u64, _: &[model::Sample]) -> Result<(), Error> {
        let now = SYST::get_current();
        if let Some(ticks) = TICKS.get(node) {
            ticks.store(ticks.load(Relaxed).wrapping_add(LAST.load(Relaxed).wrapping_sub(now) % WRAP), Relaxed);
        }
        LAST.store(SYST::get_current(), Relaxed);
        Ok(())
    }
}

#[entry]
fn main() -> ! {
    let Some(peripherals) = Peripherals::take() else { exit(false) };
    let _meter = Meter::new(peripherals.SYST);
    let (input, output, state, scratch) = (FRAME.take(), OUT.take(), MEMORY.take(), WORK.take());
    for t in 0..BEFORE + FRAMES {
        for (i, x) in (0_u64..).zip(input.iter_mut()) {
            *x = Sample::from_f64((((i + t) * 0x9e37_79b9 % 1013) as f32 / 1013.0 - 0.4).into());
        }
        if t == BEFORE {
            TICKS.iter().for_each(|ticks| ticks.store(0, Relaxed));
        }
        LAST.store(SYST::get_current(), Relaxed);
        if let Err(error) = MODEL.run_batch_with(&Timed, t, 1, state, scratch, input, output) {
            text!("{}", error);
            exit(false);
        }
    }
    for (node, ticks) in TICKS.iter().enumerate() {
        println!("{}\t{}", node, Meter::instructions(u64::from(ticks.load(Relaxed))) / FRAMES);
    }
    exit(true)
}
