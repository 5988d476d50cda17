//! One filter on a microcontroller: a bar crosses 4 x 4 pixels, and the low-pass leaves its fading trace.
//!
//! Exit code 0 when the trace is the one that the equation `y[t] = a y[t-1] + (1 - a) x[t]` gives, 1 otherwise.
//! What it prints is kept in `hello.out`.

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use defmt::println;
use foveola_core::{Decay, Digest, Filter, LowPass, Shape, Step, constant};
use foveola_qemu::text;

const COLS: usize = 4;
const SHAPE: Shape = Shape::new(1, 4, COLS);
/// Time constant 10 ms at 1000 frames per second: `a = exp(-1/10)`.
const LOW_PASS: LowPass = LowPass::new(SHAPE, constant!(Decay::new(0.01, 1000.0)));
const FRAMES: u64 = 8;

/// The first row after frames 3 and 7, one and two passes of the bar: `(1 - a) (a^(7-c) + a^(3-c))` in column `c` after
/// the second, the latter term alone after the first. Computed apart from this project, in double precision.
const EXPECTED: [(u64, [f32; COLS]); 2] = [
    (3, [0.070_498_175, 0.077_912_53, 0.086_106_665, 0.095_162_58]),
    (7, [0.117_754_51, 0.130_138_86, 0.143_825_7, 0.158_951_97]),
];
/// Two units in the last place of 0.16: the roundings of eight frames.
const TOLERANCE: f32 = 3e-8;

#[entry]
fn main() -> ! {
    let mut state = [0.0_f32; LOW_PASS.signature().state];
    let mut output = [0.0_f32; SHAPE.len()];
    let mut digest = Digest::new();
    let mut passed = true;

    text!("a bar crosses {SHAPE} pixels, low-pass 10 ms at 1000 frames/s");
    for t in 0..FRAMES {
        let mut input = [0.0_f32; SHAPE.len()];
        for row in input.chunks_exact_mut(COLS) {
            row[t as usize % COLS] = 1.0;
        }
        passed &= LOW_PASS.step(t, &mut state, &mut [], &input, &mut output) == Ok(Step::Frame);
        digest.add(&output);

        let row = &output[..COLS];
        text!("frame {t}: {row:.4?}");
        for (_, expected) in EXPECTED.iter().filter(|(frame, _)| *frame == t) {
            // All rows see the same bar.
            let close = output.iter().zip(expected.iter().cycle()).all(|(y, e)| (y - e).abs() <= TOLERANCE);
            if !close {
                println!("frame {} is {}, each row should be {}", t, output, expected);
            }
            passed &= close;
        }
    }
    println!("digest of all bits {=u64:016x}", digest.value());
    println!("{}", if passed { "passed" } else { "FAILED" });
    foveola_qemu::exit(passed)
}
