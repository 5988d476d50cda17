//! Filters of events between sensor and link: the recording of `retina` in, EVT 2.0 without its noise out.
//!
//! ```text
//! bytes -> Evt2 -> refractory -> hot pixels -> STCF, k = 2 -> rate limit -> Evt2Encoder -> bytes
//! ```
//! The bytes are those of a host with the same chain: `tests/firmware.rs`. Then each part is measured alone.

#![no_std]
#![no_main]

use core::hint::black_box;
use cortex_m::Peripherals;
use cortex_m_rt::entry;
use defmt::println;
use foveola_core::Checksum;
use foveola_core::events::{Decode, Event, EventFilter, Evt2, Evt2Encoder};
use foveola_qemu::denoise::{CHAIN, NAMES, SUPPORT};
use foveola_qemu::meter::Meter;
use foveola_qemu::retina::{BLOCK, RECORDING, blocks};
use foveola_qemu::{exit, stack};
use static_cell::ConstStaticCell;

static STATE: ConstStaticCell<[u32; CHAIN.state_len()]> = ConstStaticCell::new([0; CHAIN.state_len()]);
/// Events of a block of bytes at most.
const MANY: usize = BLOCK / 4;
const NOTHING: [Event; MANY] = [Event { t: 0, x: 0, y: 0, on: false }; MANY];

#[entry]
fn main() -> ! {
    let Some(peripherals) = Peripherals::take() else { exit(false) };
    let mut meter = Meter::new(peripherals.SYST);
    let state = STATE.take();

    let (mut decoder, mut encoder, mut buffer) = (Evt2::new(), Evt2Encoder::new(), NOTHING);
    let (mut sum, mut events, mut kept, mut words) = (Checksum::new(), 0, 0, 0);
    let mut passed = true;
    for mut bytes in RECORDING.chunks(BLOCK) {
        while let n @ 1.. = decoder.fill(&mut bytes, &mut buffer) {
            let Some(filled) = buffer.get_mut(..n) else { exit(false) };
            let Ok(left) = CHAIN.retain(state, filled) else { exit(false) };
            (events, kept) = (events + n, kept + left);
            for event in filled.iter().take(left) {
                let written = encoder.encode(*event, |word| {
                    sum = sum.word(u32::from_le_bytes(word));
                    words += 1;
                });
                passed &= written.is_ok();
            }
        }
    }
    println!("{} bytes of EVT2 in", RECORDING.len());
    println!("events\t{}", events);
    for (stage, name) in NAMES.iter().enumerate() {
        println!("  dropped by {}\t{}", name, CHAIN.dropped(state, stage));
    }
    println!("  kept\t{}", kept);
    println!("bytes of EVT2 out\t{}", 4 * words);
    println!("state\t{}\tbytes of RAM", size_of_val(state));
    println!("checksum of the words {=u32:08x}", sum.value());
    let dropped: u64 = (0..NAMES.len()).map(|stage| CHAIN.dropped(state, stage)).sum();
    passed &= dropped + kept as u64 == events as u64 && decoder.skipped().bytes() == 0;

    let decode = measure(&mut meter, state, |_, _| ());
    let support = measure(&mut meter, state, |state, events| {
        black_box(state.get_mut(..SUPPORT.state_len()).map(|state| SUPPORT.retain(state, events).ok()));
    });
    let chain = measure(&mut meter, state, |state, events| {
        black_box(CHAIN.retain(state, events).ok());
    });
    println!("measured: decode\t{}\tinstructions an event, into a buffer", decode);
    println!("measured: support\t{}\tinstructions an event of a buffer: STCF, k = 2", support.saturating_sub(decode));
    println!("measured: denoise\t{}\tinstructions an event of a buffer: the chain", chain.saturating_sub(decode));
    println!("measured: stack-denoise\t{}\tbytes at most", stack::high_water());
    println!("{}", if passed { "passed" } else { "FAILED" });
    exit(passed)
}

/// Instructions an event to decode the recording and to do this with each buffer.
fn measure(meter: &mut Meter, state: &mut [u32], mut work: impl FnMut(&mut [u32], &mut [Event])) -> u64 {
    state.fill(0);
    let (mut decoder, mut buffer, mut ticks, mut events) = (Evt2::new(), NOTHING, 0, 0);
    for mut bytes in blocks() {
        meter.lap();
        while let n @ 1.. = decoder.fill(&mut bytes, &mut buffer) {
            if let Some(filled) = buffer.get_mut(..n) {
                work(state, filled);
            }
            black_box(&mut buffer);
            events += n as u64;
        }
        ticks += meter.lap();
    }
    Meter::instructions(ticks * 1_000 / events.max(1)).div_ceil(1_000)
}
