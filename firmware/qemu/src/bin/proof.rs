//! The retina behind a noise filter over the recording, free of formatted text: the image of which things are proven.
//!
//! - It links with `panic-never`: no panic path is left in it.
//! - The depth of its stack through the call graph (`scripts/stack.py`) is at least what was ever painted over.
//!
//! It prints the digest, which must be that of the host (`model/digests.tsv`): nothing of the pipeline was optimised away. And how
//! deep the stack was, taken before it prints.

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use cortex_m_semihosting::hio::{self, HostStream};
use foveola_core::Digest;
use foveola_pipeline::{ByteQueue, MemoryOf, Pipeline};
use foveola_qemu::retina::{BLOCK, BLOCKS, Denoised, RECORDING};
use foveola_qemu::{exit, stack};
use static_cell::ConstStaticCell;

static MEMORY: ConstStaticCell<MemoryOf!(Denoised)> = ConstStaticCell::new(<MemoryOf!(Denoised)>::new());
static QUEUE: ConstStaticCell<ByteQueue<BLOCK, BLOCKS>> = ConstStaticCell::new(ByteQueue::new());

#[entry]
fn main() -> ! {
    let (Some(memory), Some(queue)) = (MEMORY.try_take(), QUEUE.try_take()) else { exit(false) };
    let Ok(mut pipeline) = Pipeline::<Denoised, _, _, _, _, _>::new(memory) else { exit(false) };
    let (mut interrupt, mut main_loop) = queue.split();
    let mut digest = Digest::new();
    for piece in RECORDING.chunks(BLOCK) {
        interrupt.send(piece);
        while let Some(block) = main_loop.receive() {
            let mut bytes = pipeline.open(&block);
            while pipeline.feed(&mut bytes, |frame| digest.add(frame.samples)) {}
        }
    }
    while pipeline.finish(|frame| digest.add(frame.samples)) {}
    #[cfg(feature = "all-filters")]
    {
        use foveola_core::Filter as _;
        use foveola_core::events::EventFilter as _;
        use foveola_pipeline::Application as _;
        // Refused when it runs; but the linker does not know.
        let (state, scratch, output) = core::hint::black_box((&mut [][..], &mut [][..], &mut [][..]));
        let input = core::hint::black_box(&[][..]);
        let _ = Denoised::PLAN.model().step(0, state, scratch, input, output);
        let (words, events) = core::hint::black_box((&mut [][..], &mut [][..]));
        let _ = Denoised::PLAN.events().retain(words, events);
    }
    let depth = stack::high_water();
    #[cfg(feature = "planted-panic")]
    digest.add(&[f32::from(RECORDING[depth])]); // as far as the compiler knows, beyond the end
    exit(report(digest, depth).is_ok())
}

#[inline(never)]
fn report(digest: Digest, depth: usize) -> Result<(), ()> {
    let mut out = hio::hstdout()?;
    out.write_all(b"digest of all bits ")?;
    hexadecimal(&mut out, digest.value())?;
    out.write_all(b"stack 0x")?;
    hexadecimal(&mut out, depth as u64)
}

/// 16 digits and the end of the line.
fn hexadecimal(out: &mut HostStream, number: u64) -> Result<(), ()> {
    let mut line = [b'\n'; 17];
    for (i, digit) in line.iter_mut().take(16).enumerate() {
        let value = (number >> (60 - 4 * i) & 15) as u8;
        *digit = if value < 10 { b'0' + value } else { b'a' - 10 + value };
    }
    out.write_all(&line)
}
