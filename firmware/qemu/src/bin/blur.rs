//! A Gaussian over a moving dot, the kernel a constant that the build script computed. The digest of all outputs is that of
//! the same program on a host, bit for bit: `tests/firmware.rs` compares them.

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use defmt::println;
use foveola_core::{Conv3d, ConvOptions, Digest, Filter, Kernel, Shape, Step, constant};
use foveola_qemu::kernels::{GAUSS, GAUSS_SIZE};

const SHAPE: Shape = Shape::new(1, 12, 20);
const BLUR: Conv3d =
    constant!(Conv3d::new(SHAPE, Kernel::new(&GAUSS, [1, 1, 1, GAUSS_SIZE[0], GAUSS_SIZE[1]]), ConvOptions::DEFAULT,));
const FRAMES: usize = 10;

#[entry]
fn main() -> ! {
    let mut scratch = [0.0_f32; BLUR.signature().scratch.len(1)];
    let mut output = [0.0_f32; SHAPE.len()];
    let mut digest = Digest::new();
    let mut passed = true;
    for t in 0..FRAMES {
        let mut input = [0.0_f32; SHAPE.len()];
        input[(t + 1) * SHAPE.cols + 2 * t] = 1.0 / (t + 1) as f32;
        passed &= BLUR.step(t as u64, &mut [], &mut scratch, &input, &mut output) == Ok(Step::Frame);
        digest.add(&output);
    }
    let ([kh, kw], Shape { channels, rows, cols }) = (GAUSS_SIZE, SHAPE);
    println!("{} x {} Gaussian over {} frames of {} x {} x {}", kh, kw, FRAMES, channels, rows, cols);
    println!("digest of all bits {=u64:016x}", digest.value());
    println!("{}", if passed { "passed" } else { "FAILED" });
    foveola_qemu::exit(passed)
}
