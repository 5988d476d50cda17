//! Instructions of foveola's filters, beside those of CMSIS-DSP and of plain C, which `peers.c` holds. Every peer gets the
//! same samples and must agree with foveola within [`TOLERANCE`]: else it counts for nothing, and the program fails.
//!
//! A filter is measured in the third of its frames, when nothing begins any more.

#![no_std]
#![no_main]

use cortex_m::Peripherals;
use cortex_m_rt::entry;
use foveola_core::{Border, Conv3d, ConvOptions, Decay, Filter, Kernel, LowPass, PadMode, Shape, constant};
use foveola_qemu::meter::Meter;
use foveola_qemu::{exit, text};
use static_cell::ConstStaticCell;

const FRAME: Shape = Shape::new(1, 64, 64);
/// One pixel, whose samples come 64 at a time.
const SIGNAL: Shape = Shape::new(1, 1, 1);
const BLOCK: usize = 64;
const TAPS: usize = 32;
/// So many frames that the state fits the smallest machine.
const TAPS_IN_TIME: usize = 16;
/// Of the largest output: sums are taken in another order, and fused or not.
const TOLERANCE: f32 = 1e-5;
/// Frames fed; more than a filter's memory, but for [`TAPS_IN_TIME`].
const FRAMES: u32 = 3;

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

/// State or ring of the longest filter: the first to be given up for another.
const MEMORY: usize = TAPS_IN_TIME * FRAME.len();
static STORE: ConstStaticCell<[f32; MEMORY]> = ConstStaticCell::new([0.0; MEMORY]);
static SCRATCH: ConstStaticCell<[f32; 72 * 72]> = ConstStaticCell::new([0.0; 72 * 72]);
static INPUT: ConstStaticCell<[f32; FRAME.len()]> = ConstStaticCell::new([0.0; FRAME.len()]);
static OURS: ConstStaticCell<[f32; FRAME.len()]> = ConstStaticCell::new([0.0; FRAME.len()]);
static THEIRS: ConstStaticCell<[f32; FRAME.len()]> = ConstStaticCell::new([0.0; FRAME.len()]);

/// A function of `peers.c`: samples, output, weights, memory, number of the frame.
type Peer = unsafe extern "C" fn(*const f32, *mut f32, *const f32, *mut f32, u32);

macro_rules! peers {
    ($($name:ident)*) => {
        // SAFETY: these are the types of the macro PEER in peers.c.
        unsafe extern "C" {
            $(fn $name(x: *const f32, out: *mut f32, weights: *const f32, memory: *mut f32, t: u32);)*
        }
    };
}
peers! {
    peer_fir_cmsis
    peer_in_time_by_taps peer_in_time_by_pixels peer_in_time_cmsis
    peer_conv3_plain peer_conv3_by_taps peer_conv3_blocked peer_conv3_sliding peer_conv3_fir peer_conv3_conv
    peer_conv5_plain peer_conv5_by_taps peer_conv5_blocked peer_conv5_sliding peer_conv5_fir peer_conv5_conv
    peer_low_pass_in_place peer_low_pass_apart peer_low_pass_cmsis
}

/// What is lent to whoever is measured.
struct Bench {
    meter: Meter,
    store: &'static mut [f32; MEMORY],
    scratch: &'static mut [f32],
    input: &'static mut [f32; FRAME.len()],
    ours: &'static mut [f32; FRAME.len()],
    theirs: &'static mut [f32; FRAME.len()],
}

impl Bench {
    /// One workload: ours, every peer, and the best of them beside ours. Whether all agreed.
    fn compare(
        &mut self,
        name: &str,
        filter: &impl Filter,
        chunk: usize,
        weights: &[f32],
        peers: &[(&str, Peer)],
    ) -> bool {
        let Some(ours) = self.measure_ours(filter, chunk) else {
            text!("{}: FAILED, foveola refused the samples", name);
            return false;
        };
        let (mut best, mut passed) = (("none", u64::MAX), true);
        for (peer, function) in peers {
            let theirs = self.measure_peer(*function, weights);
            let difference = self.difference();
            let agrees = difference <= TOLERANCE;
            passed &= agrees;
            text!("    {:<46} {:>8}  {}", peer, theirs, if agrees { "" } else { "FAILED: another output than ours" });
            if agrees && theirs < best.1 {
                best = (peer, theirs);
            }
        }
        let percent = (100 * ours + best.1 / 2) / best.1;
        text!(
            "{:<30} {:>8} {:>8} {:>4}.{:02}  {:<6}  {}",
            name,
            ours,
            best.1,
            percent / 100,
            percent % 100,
            if ours <= best.1 { "met" } else { "missed" },
            best.0
        );
        passed
    }

    /// Instructions for the last frame, fed in chunks of `chunk` samples.
    fn measure_ours(&mut self, filter: &impl Filter, chunk: usize) -> Option<u64> {
        let signature = filter.signature();
        let state = self.store.get_mut(..signature.state)?;
        let (mut ticks, mut t) = (0, 0);
        for frame in 0..FRAMES {
            noise(frame, self.input);
            ticks = 0;
            for (x, out) in self.input.chunks_exact(chunk).zip(self.ours.chunks_exact_mut(chunk)) {
                self.meter.lap();
                let frames = filter.run(t, state, self.scratch, x, out);
                ticks += self.meter.lap(); // each chunk alone: the meter goes round after 8 million instructions
                t += frames.ok().filter(|frames| *frames * signature.output.len() == chunk)? as u64;
            }
        }
        Some(Meter::instructions(ticks))
    }

    /// Instructions of a peer for the last frame.
    fn measure_peer(&mut self, function: Peer, weights: &[f32]) -> u64 {
        self.store.fill(0.0);
        self.theirs.fill(0.0);
        let mut ticks = 0;
        for frame in 0..FRAMES {
            noise(frame, self.input);
            let (x, out, memory) = (self.input.as_ptr(), self.theirs.as_mut_ptr(), self.store.as_mut_ptr());
            self.meter.lap();
            // SAFETY: the frames have 64 x 64 samples, the memory has room for 16 of them, the weights are those of the
            // filter that this peer computes; it reads and writes no further, and keeps no pointer but to memory and weights,
            // which it forgets at t = 0.
            unsafe { function(x, out, weights.as_ptr(), memory, frame) };
            ticks = self.meter.lap();
        }
        Meter::instructions(ticks)
    }

    /// Largest difference between both outputs, of the largest output.
    fn difference(&self) -> f32 {
        let (mut most, mut largest) = (0.0_f32, 0.0_f32);
        for (a, b) in self.ours.iter().zip(self.theirs.iter()) {
            largest = largest.max(a.abs());
            // Not a number counts as a difference.
            most = if (a - b).abs() <= most { most } else { (a - b).abs() };
        }
        most / largest
    }
}

#[entry]
fn main() -> ! {
    let Some(peripherals) = Peripherals::take() else { exit(false) };
    let mut bench = Bench {
        meter: Meter::new(peripherals.SYST),
        store: STORE.take(),
        scratch: SCRATCH.take(),
        input: INPUT.take(),
        ours: OURS.take(),
        theirs: THEIRS.take(),
    };
    text!("{:<30} {:>8} {:>8} {:>7}  {:<6}  the best peer", "instructions", "ours", "peer", "ratio", "<= 1.0");
    let whole = FRAME.len();
    let mut passed = bench.compare(
        "FIR 32, 64 blocks of 64",
        &SIGNAL_FIR,
        BLOCK,
        &FIR,
        &[("CMSIS-DSP arm_fir_f32", peer_fir_cmsis)],
    );
    passed &= bench.compare(
        "FIR 16 in time, 64 x 64",
        &FRAME_FIR,
        whole,
        &IN_TIME,
        &[
            ("C, tap by tap", peer_in_time_by_taps),
            ("C, a tile of pixels in registers", peer_in_time_by_pixels),
            ("CMSIS-DSP arm_scale_f32, arm_add_f32", peer_in_time_cmsis),
        ],
    );
    passed &= bench.compare(
        "convolution 3 x 3, 64 x 64",
        &BLUR_3,
        whole,
        &CONV_3,
        &[
            ("C, pixel by pixel", peer_conv3_plain),
            ("C, row by row", peer_conv3_by_taps),
            ("C, a tile of pixels in registers", peer_conv3_blocked),
            ("C, the same, and samples loaded once", peer_conv3_sliding),
            ("CMSIS-DSP arm_fir_f32, arm_add_f32", peer_conv3_fir),
            ("CMSIS-DSP arm_conv_partial_f32, arm_add_f32", peer_conv3_conv),
        ],
    );
    passed &= bench.compare(
        "convolution 5 x 5, 64 x 64",
        &BLUR_5,
        whole,
        &CONV_5,
        &[
            ("C, pixel by pixel", peer_conv5_plain),
            ("C, row by row", peer_conv5_by_taps),
            ("C, a tile of pixels in registers", peer_conv5_blocked),
            ("C, the same, and samples loaded once", peer_conv5_sliding),
            ("CMSIS-DSP arm_fir_f32, arm_add_f32", peer_conv5_fir),
            ("CMSIS-DSP arm_conv_partial_f32, arm_add_f32", peer_conv5_conv),
        ],
    );
    passed &= bench.compare(
        "low-pass, 64 x 64",
        &LOW_PASS,
        whole,
        &GAIN,
        &[
            ("C, the output is the state", peer_low_pass_in_place),
            ("C, output and state apart", peer_low_pass_apart),
            ("CMSIS-DSP arm_scale_f32 (2), arm_add_f32", peer_low_pass_cmsis),
        ],
    );
    text!("{}", if passed { "passed" } else { "FAILED" });
    exit(passed)
}

/// Samples from -1 to 1, others for each frame: a linear congruential generator.
fn noise(frame: u32, samples: &mut [f32]) {
    let mut state = frame.wrapping_mul(0x9e37_79b9).wrapping_add(1);
    for sample in samples {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *sample = (state >> 8) as f32 / (1 << 23) as f32 - 1.0;
    }
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
