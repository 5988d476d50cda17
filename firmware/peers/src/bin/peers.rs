//! Instructions of foveola's filters of floats, beside those of CMSIS-DSP and of plain C, which `peers.c` holds.

#![no_std]
#![no_main]

use cortex_m::Peripherals;
use cortex_m_rt::entry;
use foveola_core::{Border, Conv3d, ConvOptions, Decay, Kernel, LowPass, PadMode, constant};
use foveola_peers::{BLOCK, Bench, FRAME, LEN, Memory, SIGNAL, TAPS, TAPS_IN_TIME, peers};
use foveola_qemu::meter::Meter;
use foveola_qemu::{exit, text};
use static_cell::ConstStaticCell;

/// Of the largest output: sums are taken in another order, and fused or not.
const CLOSE: [f32; 2] = [-1e-5, 1e-5];

static FIR: [f32; TAPS] = weights();
static IN_TIME: [f32; TAPS_IN_TIME] = weights();
static CONV_3: [f32; 9] = weights();
static CONV_5: [f32; 25] = weights();
static GAIN: [f32; 1] = [0.1];

const OPTIONS: ConvOptions =
    ConvOptions { pad: Some(PadMode::Zeros), border: Some(Border::Replicate), ..ConvOptions::DEFAULT };
const SIGNAL_FIR: Conv3d = constant!(Conv3d::new(SIGNAL, Kernel::new(&FIR, [1, 1, TAPS, 1, 1]), OPTIONS));
const FRAME_FIR: Conv3d = constant!(Conv3d::new(FRAME, Kernel::new(&IN_TIME, [1, 1, TAPS_IN_TIME, 1, 1]), OPTIONS));
const BLUR_3: Conv3d = constant!(Conv3d::new(FRAME, Kernel::new(&CONV_3, [1, 1, 1, 3, 3]), OPTIONS));
const BLUR_5: Conv3d = constant!(Conv3d::new(FRAME, Kernel::new(&CONV_5, [1, 1, 1, 5, 5]), OPTIONS));
const LOW_PASS: LowPass = LowPass::new(FRAME, constant!(Decay::from_gain(GAIN[0] as f64)));

static MEMORY: ConstStaticCell<Memory<f32>> = ConstStaticCell::new(Memory::new(0.0));

peers! {
    f32:
    peer_fir_cmsis
    peer_in_time_by_taps peer_in_time_by_pixels peer_in_time_cmsis
    peer_conv3_plain peer_conv3_by_taps peer_conv3_blocked peer_conv3_sliding peer_conv3_fir peer_conv3_conv
    peer_conv5_plain peer_conv5_by_taps peer_conv5_blocked peer_conv5_sliding peer_conv5_fir peer_conv5_conv
    peer_low_pass_in_place peer_low_pass_apart peer_low_pass_cmsis
}

#[entry]
fn main() -> ! {
    let Some(peripherals) = Peripherals::take() else { exit(false) };
    let mut bench = Bench::new(Meter::new(peripherals.SYST), MEMORY.take());
    bench.compare(
        "FIR of 32 taps, a signal in blocks of 64",
        &SIGNAL_FIR,
        BLOCK,
        &FIR,
        &[("CMSIS-DSP arm_fir_f32", peer_fir_cmsis, CLOSE)],
    );
    bench.compare(
        "FIR of 16 taps in time, every pixel",
        &FRAME_FIR,
        LEN,
        &IN_TIME,
        &[
            ("C, tap by tap", peer_in_time_by_taps, CLOSE),
            ("C, a tile of pixels in registers", peer_in_time_by_pixels, CLOSE),
            ("CMSIS-DSP arm_scale_f32, arm_add_f32", peer_in_time_cmsis, CLOSE),
        ],
    );
    bench.compare(
        "convolution 3 x 3",
        &BLUR_3,
        LEN,
        &CONV_3,
        &[
            ("C, pixel by pixel", peer_conv3_plain, CLOSE),
            ("C, row by row", peer_conv3_by_taps, CLOSE),
            ("C, a tile of pixels in registers", peer_conv3_blocked, CLOSE),
            ("C, the same, and samples loaded once", peer_conv3_sliding, CLOSE),
            ("CMSIS-DSP arm_fir_f32, arm_add_f32", peer_conv3_fir, CLOSE),
            ("CMSIS-DSP arm_conv_partial_f32, arm_add_f32", peer_conv3_conv, CLOSE),
        ],
    );
    bench.compare(
        "convolution 5 x 5",
        &BLUR_5,
        LEN,
        &CONV_5,
        &[
            ("C, pixel by pixel", peer_conv5_plain, CLOSE),
            ("C, row by row", peer_conv5_by_taps, CLOSE),
            ("C, a tile of pixels in registers", peer_conv5_blocked, CLOSE),
            ("C, the same, and samples loaded once", peer_conv5_sliding, CLOSE),
            ("CMSIS-DSP arm_fir_f32, arm_add_f32", peer_conv5_fir, CLOSE),
            ("CMSIS-DSP arm_conv_partial_f32, arm_add_f32", peer_conv5_conv, CLOSE),
        ],
    );
    bench.compare(
        "low-pass",
        &LOW_PASS,
        LEN,
        &GAIN,
        &[
            ("C, the output is the state", peer_low_pass_in_place, CLOSE),
            ("C, output and state apart", peer_low_pass_apart, CLOSE),
            ("CMSIS-DSP arm_scale_f32 (2), arm_add_f32", peer_low_pass_cmsis, CLOSE),
        ],
    );
    text!("{}", if bench.passed() { "passed" } else { "FAILED" });
    exit(bench.passed())
}

/// Weights of both signs, none like another.
const fn weights<const N: usize>() -> [f32; N] {
    let mut weights = [0.0; N];
    let mut i = 0;
    while i < N {
        weights[i] = ((i * 7 % N) as f32 + 0.5) / N as f32 - 0.25;
        i += 1;
    }
    weights
}
