//! The ready model `retina` without a pipeline around it: frames of a program's own, one stream.
//!
//! A dot moves over 64 x 64 pixels, with as many events a frame as a `Signed` frame would count. What it prints is kept in
//! `stream.out`; `budget.tsv` bounds the flash of this image, which is the model and little else.

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use defmt::println;
use foveola_core::{ConstantModel, Digest, Graph, StreamOf};
use foveola_pipeline::Application;
use foveola_qemu::retina::{Retina, SHAPE};
use static_cell::ConstStaticCell;

struct Model;
impl ConstantModel for Model {
    type Sample = f32;
    const GRAPH: Graph<'static> = *<Retina as Application>::PLAN.model();
    const SKIPS_ZEROS: bool = false; // as for frames of brightness
}

static STREAM: ConstStaticCell<StreamOf!(Model)> = ConstStaticCell::new(<StreamOf!(Model)>::new());
static FRAME: ConstStaticCell<[f32; SHAPE.len()]> = ConstStaticCell::new([0.0; SHAPE.len()]);
const FRAMES: usize = 20;

#[entry]
fn main() -> ! {
    let (stream, frame) = (STREAM.take(), FRAME.take());
    let mut digests = [Digest::new(), Digest::new()];
    let mut passed = true;
    for t in 0..FRAMES {
        let dot = (20 + t) * SHAPE.cols + 30 + t % 3;
        frame.iter_mut().enumerate().for_each(|(i, x)| *x = f32::from(i == dot) - f32::from(i + SHAPE.cols == dot));
        match stream.step(frame) {
            Ok(Some(on)) => digests[0].add(on),
            Ok(None) | Err(_) => passed = false,
        }
        digests[1].add(stream.further(0));
    }
    println!("frames {}, digests {=u64:016x} {=u64:016x}", stream.t(), digests[0].value(), digests[1].value());
    println!("{}", if passed { "passed" } else { "FAILED" });
    foveola_qemu::exit(passed)
}
