//! A sensor of 320 x 320 pixels, of whose frames no board here holds many: counts of a byte a pixel, and a Gaussian of 5 x 5 with
//! a rectifier over bands of eight rows.
//!
//! A dense frame of floats is 410 kB, and input, padded copy and output would be three. What it prints is kept in `bands.out`,
//! but for the lines with measurements.

#![no_std]
#![no_main]

use cortex_m::Peripherals;
use cortex_m_rt::entry;
use foveola_core::events::{Accumulator, Count, Event, Evt2, Evt2Encoder, Polarity};
use foveola_core::{
    Border, Conv3d, ConvOptions, Digest, Graph, Kernel, Node, Nonlinearity, Pointwise, Shape, Source, Stage, constant,
};
use foveola_pipeline::{BandMemory, Bands, Front};
use foveola_qemu::kernels::{GAUSS, GAUSS_SIZE};
use foveola_qemu::meter::Meter;
use foveola_qemu::{exit, stack, text};
use static_cell::ConstStaticCell;

const SIZE: usize = 320;
/// Rows of a band's output.
const ROWS: usize = 8;
const INPUT: Shape = Shape::new(1, ROWS + GAUSS_SIZE[0] - 1, SIZE + GAUSS_SIZE[1] - 1);
const OUTPUT: Shape = Shape::new(1, ROWS, SIZE);
const VALID: ConvOptions = ConvOptions { border: None, ..ConvOptions::DEFAULT };
static NODES: [Node; 2] = [
    Node::Filter(
        Source::Input,
        Stage::Conv3d(constant!(Conv3d::new(
            INPUT,
            Kernel::new(&GAUSS, [1, 1, 1, GAUSS_SIZE[0], GAUSS_SIZE[1]]),
            VALID
        ))),
    ),
    Node::Filter(Source::Node(0), Stage::Pointwise(constant!(Pointwise::new(OUTPUT, Nonlinearity::Rectify)))),
];
const BANDS: Bands<'static> = constant!(Bands::new(constant!(Graph::new(INPUT, &NODES)), SIZE, Border::Replicate));
const SAMPLES: [usize; 3] = BANDS.samples();

static COUNTS: ConstStaticCell<[Count; SIZE * SIZE]> = ConstStaticCell::new([Count::ZERO; SIZE * SIZE]);
static MEMORY: ConstStaticCell<BandMemory<{ SAMPLES[0] }, { SAMPLES[1] }, { SAMPLES[2] }>> =
    ConstStaticCell::new(BandMemory::new());
/// Events of a frame, and frames.
const EVENTS: u32 = 2_000;
const FRAMES: u32 = 5;

#[entry]
fn main() -> ! {
    let Some(peripherals) = Peripherals::take() else { exit(false) };
    let mut meter = Meter::new(peripherals.SYST);
    let (counts, memory) = (COUNTS.take(), MEMORY.take());
    let bins = constant!(Accumulator::new(SIZE, SIZE, Polarity::Signed, 1_000));
    let (mut front, mut encoder) = (Front::<Evt2>::of(bins), Evt2Encoder::new());
    let (mut digest, mut active, mut ticks, mut frames) = (Digest::new(), 0_u32, 0, 0_u32);
    let mut random = 1_u32;
    let mut passed = true;
    for i in 0..=FRAMES * EVENTS {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [x, y] = [random >> 20, random >> 8].map(|bits| (((bits & 0xFFF) * SIZE as u32) >> 12) as u16);
        let event = Event { t: u64::from(i) * 1_000 / u64::from(EVENTS), x, y, on: random >> 7 & 1 == 1 };
        passed &= encoder
            .encode(event, |word| {
                let mut word = &word[..];
                while front.next_frame(&mut word, counts).is_some() {
                    frames += 1;
                    meter.lap();
                    let run = BANDS.run(counts, memory, |_, row| {
                        ticks += meter.lap();
                        digest.add(row);
                        active += row.iter().filter(|y| **y > 0.0).count() as u32;
                        meter.lap(); // what only this program does is not measured
                    });
                    ticks += meter.lap();
                    passed &= run.is_ok();
                }
            })
            .is_ok();
    }
    text!(
        "{} x {} Gaussian and rectifier over {}, {} rows at a time",
        GAUSS_SIZE[0],
        GAUSS_SIZE[1],
        BANDS.shape(),
        ROWS
    );
    defmt::println!("events\t{=u64}", front.events());
    defmt::println!("frames\t{=u32}", frames);
    defmt::println!("pixels above 0\t{=u32}\tover all frames", active);
    defmt::println!("counts and band\t{=usize}\tbytes of RAM, with scratch", BANDS.bytes());
    text!("digest of all bits {}", digest);
    let frame = Meter::instructions(ticks / u64::from(frames.max(1)));
    defmt::println!("measured: frame\t{=u64}\tinstructions", frame);
    defmt::println!("measured: stack\t{=usize}\tbytes at most", stack::high_water());
    passed &= frames == FRAMES && front.events() == u64::from(FRAMES * EVENTS + 1) && front.dropped().events() == 0;
    text!("{}", if passed { "passed" } else { "FAILED" });
    exit(passed)
}
