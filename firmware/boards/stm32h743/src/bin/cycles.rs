//! Cycles of a frame and of an event on this board, from the core's own counter: the recording of the QEMU programs through the
//! same retina, 64 x 64 pixels and 1000 frames/s. Needs no sensor. **It has never run on silicon.**

#![no_std]
#![no_main]

use cortex_m::peripheral::DWT;
use defmt_rtt as _;
use embassy_executor::Spawner;
use foveola_core::events::Evt2;
use foveola_pipeline::{Application, Front, MemoryOf, Pipeline, Plan};
use foveola_stm32h743::{clocks, memory};
use panic_probe as _;
use static_cell::ConstStaticCell;

static RECORDING: &[u8] = include_bytes!("../../../../qemu/src/bin/retina.raw");

#[allow(unreachable_pub, reason = "the generated source is a module for any program")]
mod retina {
    include!(concat!(env!("OUT_DIR"), "/cycles.rs"));
}

struct Retina;

impl Application for Retina {
    type Decoder = Evt2;
    type Sample = f32;
    const PLAN: Plan<'static> = retina::PLAN;
    const RAM: usize = 150 * 1024;
}

static MEMORY: ConstStaticCell<MemoryOf!(Retina)> = ConstStaticCell::new(<MemoryOf!(Retina)>::new());
static FRAME: ConstStaticCell<[f32; 4096]> = ConstStaticCell::new([0.0; 4096]);

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let mut core = defmt::unwrap!(cortex_m::Peripherals::take());
    memory::prepare(&mut core.MPU, &mut core.SCB, &mut core.CPUID);
    let _ = embassy_stm32::init(clocks::config());
    core.DCB.enable_trace();
    DWT::unlock();
    core.DWT.enable_cycle_counter();

    // Bytes to frames alone, then with the model: the difference is the model's.
    let (frame, start) = (FRAME.take(), DWT::cycle_count());
    let (mut front, mut bytes) = (Front::<Evt2>::new(&Retina::PLAN), RECORDING);
    while front.next_frame(&mut bytes, frame).is_some() {
        core::hint::black_box(&mut *frame);
    }
    let decoding = u64::from(DWT::cycle_count().wrapping_sub(start));

    let Ok(mut pipeline) = Pipeline::<Retina, _, _, _, _>::new(MEMORY.take()) else {
        defmt::error!("the model's tables are damaged");
        return;
    };
    let mut total = 0_u64; // the counter has 32 bits: 9 s
    for mut piece in RECORDING.chunks(256) {
        let start = DWT::cycle_count();
        while pipeline.feed(&mut piece, |frame| {
            core::hint::black_box(frame.samples);
        }) {}
        total += u64::from(DWT::cycle_count().wrapping_sub(start));
    }
    let counters = pipeline.counters();
    defmt::info!("{} events, {} frames", counters.events, counters.frames);
    defmt::info!("{} cycles to decode and count an event", decoding / counters.events.max(1));
    defmt::info!("{} cycles for a frame", total.saturating_sub(decoding) / counters.frames.max(1));
}
