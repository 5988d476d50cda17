//! The application of the boards, with a sensor that is not there, is another one, falls silent, and loses bytes, and an output
//! that is blocked for a while. What it reports is kept in `app.out`: the same on every machine.

#![no_std]
#![no_main]

use core::cell::Cell;
use cortex_m_rt::entry;
use embassy_futures::select::select;
use embassy_futures::{block_on, yield_now};
use embedded_io_async::{ErrorType, Write};
use foveola_app::{App, Outbox, Watchdog, packet, send};
use foveola_pipeline::MemoryOf;
use foveola_qemu::retina::{RECORDING, Retina};
use foveola_qemu::{exit, text};
use foveola_sensor::simulated::{Fault, SimulatedSensor};
use foveola_sensor::{Camera, GenX320, PixelClock};
use static_cell::ConstStaticCell;

/// The end of the recording's header, which no sensor sends.
const END: &[u8] = b"% end\n";

static FAULTS: [Fault; 4] =
    [Fault::Absent, Fault::WrongChip(0xA030_1002), Fault::StopsAfter(12_001), Fault::LosesAfter(4_000, 999)];

static MEMORY: ConstStaticCell<MemoryOf!(Retina)> = ConstStaticCell::new(<MemoryOf!(Retina)>::new());

/// An output that takes no byte of its 61st packet before it was asked 40 times.
struct Wire<'a> {
    packets: &'a Cell<u32>,
    blocked: u32,
}

impl ErrorType for Wire<'_> {
    type Error = core::convert::Infallible;
}

impl Write for Wire<'_> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        while self.packets.get() == 60 && self.blocked > 0 {
            self.blocked -= 1;
            yield_now().await;
        }
        Ok(bytes.len())
    }

    async fn flush(&mut self) -> Result<(), Self::Error> {
        self.packets.set(self.packets.get() + 1);
        Ok(())
    }
}

struct Meals<'a>(&'a Cell<u32>);

impl Watchdog for Meals<'_> {
    fn feed(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[entry]
fn main() -> ! {
    let header = RECORDING.windows(END.len()).position(|words| words == END).map_or(0, |at| at + END.len());
    let sensor = SimulatedSensor::new(&RECORDING[header..], &FAULTS);
    let camera = Camera::new(GenX320::new(&sensor, &sensor, PixelClock::Mhz48), &sensor, &sensor);
    let (outbox, meals, sent) = (Outbox::new(), Cell::new(0), Cell::new(0));
    let report = |notice| text!("{}", notice);
    let app =
        App::<Retina, _, _, _, _, _, _, _, _>::new(MEMORY.take(), camera, &sensor, Meals(&meals), &outbox, report);
    let Ok(mut app) = app.inspect_err(|damage| text!("{}", damage)) else { exit(false) };
    let mut turns = 0_u32;
    let play = async {
        while sensor.left() > 0 {
            app.turn().await;
            turns += 1;
        }
    };
    block_on(select(play, send(&outbox, Wire { packets: &sent, blocked: 40 })));

    let counters = app.counters();
    text!("at the end: {}", counters);
    text!("packets sent {}, waiting {}, of {} bytes at most", sent.get(), outbox.waiting(), packet::BYTES);
    text!("turns {}, watchdog fed {} times, {} ms waited", turns, meals.get(), sensor.elapsed_ms());
    let pipeline = counters.pipeline;
    let passed = counters.failures == 3
        && pipeline.losses == 2
        && pipeline.events == pipeline.stored() + pipeline.dropped.events()
        && pipeline.outputs > 190
        && counters.packets_dropped > 0
        && u64::from(counters.packets) == pipeline.outputs + pipeline.outputs / 100
        && counters.packets == sent.get() + outbox.waiting() as u32 + counters.packets_dropped
        && meals.get() >= turns;
    text!("{}", if passed { "passed" } else { "FAILED" });
    exit(passed)
}
