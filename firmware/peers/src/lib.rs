//! The bench of both programs: it measures a filter and its peers on the same samples and compares their outputs. A peer whose
//! output is further from foveola's than it may be counts for nothing, and the program fails.
//!
//! A filter is measured in the third of its frames, when nothing begins any more.

#![no_std]

use foveola_core::{Filter, Q15, Sample, Shape};
use foveola_qemu::meter::Meter;
use foveola_qemu::text;

/// The frame of all workloads but those of a signal.
pub const FRAME: Shape = Shape::new(1, 64, 64);
/// Samples of a frame.
pub const LEN: usize = FRAME.len();
/// One pixel, whose samples come [`BLOCK`] at a time.
pub const SIGNAL: Shape = Shape::new(1, 1, 1);
/// Samples of a signal in a call.
pub const BLOCK: usize = 64;
/// Taps of the filter of a signal.
pub const TAPS: usize = 32;
/// Taps of the filter of every pixel: so many frames that the state fits the smallest machine.
pub const TAPS_IN_TIME: usize = 16;
/// Frames fed; more than a filter's memory, but for [`TAPS_IN_TIME`].
const FRAMES: u32 = 3;
/// Frames that the state or ring of the longest filter takes.
const STORE: usize = TAPS_IN_TIME;

/// A function in C: samples, output, weights, memory, number of the frame.
pub type Peer<T> = unsafe extern "C" fn(*const T, *mut T, *const T, *mut T, u32);

/// Declares functions of `peers.c` or `peers_q15.c`.
#[macro_export]
macro_rules! peers {
    ($sample:ty: $($name:ident)*) => {
        // SAFETY: these are the types of the macro PEER there.
        unsafe extern "C" {
            $(fn $name(x: *const $sample, out: *mut $sample, weights: *const $sample, memory: *mut $sample, t: u32);)*
        }
    };
}

/// A sample whose outputs can be compared.
pub trait Compared: Sample {
    /// What a difference counts, where peers differ from each other; else empty.
    const UNIT: &str;

    /// Of 32 random bits.
    fn noise(bits: u32) -> Self;

    /// The least and the largest difference of ours from theirs.
    fn differences(ours: &[Self], theirs: &[Self]) -> [f32; 2];
}

/// The differences of pairs, at least from 0 to 0. One that is not a number stays.
fn range(differences: impl Iterator<Item = f32>) -> [f32; 2] {
    differences.fold([0.0, 0.0], |[least, most], x| {
        let keeps = |old: f32, inside| if inside || old.is_nan() { old } else { x };
        [keeps(least, x >= least), keeps(most, x <= most)]
    })
}

/// Differences are fractions of the largest output.
impl Compared for f32 {
    const UNIT: &str = "";

    fn noise(bits: u32) -> Self {
        (bits >> 8) as Self / (1 << 23) as Self - 1.0
    }

    fn differences(ours: &[Self], theirs: &[Self]) -> [f32; 2] {
        let largest = ours.iter().fold(0.0, |most: Self, x| most.max(x.abs()));
        range(ours.iter().zip(theirs).map(|(a, b)| a - b)).map(|difference| difference / largest)
    }
}

/// Differences are steps of 2^-15.
impl Compared for Q15 {
    const UNIT: &str = "steps";

    fn noise(bits: u32) -> Self {
        Self::from_bits((bits >> 16) as i16)
    }

    fn differences(ours: &[Self], theirs: &[Self]) -> [f32; 2] {
        range(ours.iter().zip(theirs).map(|(a, b)| f32::from(a.to_bits()) - f32::from(b.to_bits())))
    }
}

/// What is lent to whoever is measured. C reads words of it as integers of 32 and 64 bits.
#[derive(Debug)]
#[repr(C, align(8))]
pub struct Memory<T> {
    store: [T; STORE * LEN],
    scratch: [T; 72 * 72],
    input: [T; LEN],
    ours: [T; LEN],
    theirs: [T; LEN],
}

impl<T: Copy> Memory<T> {
    /// Filled with `zero`.
    pub const fn new(zero: T) -> Self {
        Self {
            store: [zero; STORE * LEN],
            scratch: [zero; 72 * 72],
            input: [zero; LEN],
            ours: [zero; LEN],
            theirs: [zero; LEN],
        }
    }
}

/// A peer: what it is, the function, and how far foveola's output may be from its, in the unit of [`Compared::differences`].
pub type Named<'a, T> = (&'a str, Peer<T>, [f32; 2]);

/// Measures and compares.
pub struct Bench<T: 'static> {
    meter: Meter,
    memory: &'static mut Memory<T>,
    passed: bool,
}

impl<T> core::fmt::Debug for Bench<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Bench").field("passed", &self.passed).finish_non_exhaustive()
    }
}

impl<T: Compared> Bench<T> {
    /// Prints the head of the table.
    pub fn new(meter: Meter, memory: &'static mut Memory<T>) -> Self {
        text!("{:<54} {:>8} {:>8} {:>7}  {:<6}  the best peer", "instructions", "ours", "peer", "ratio", "<= 1.0");
        Self { meter, memory, passed: true }
    }

    /// Whether all agreed so far.
    pub fn passed(&self) -> bool {
        self.passed
    }

    /// One workload: every peer, then ours beside the best of them. `table.awk` reads these lines.
    pub fn compare(
        &mut self,
        name: &str,
        filter: &impl Filter<T>,
        chunk: usize,
        weights: &[T],
        peers: &[Named<'_, T>],
    ) {
        let Some(ours) = self.measure_ours(filter, chunk) else {
            text!("{}: FAILED, foveola refused the samples", name);
            self.passed = false;
            return;
        };
        let mut best = ("none", u64::MAX);
        for (peer, function, [lowest, highest]) in peers {
            let theirs = self.measure_peer(*function, weights);
            let [least, most] = T::differences(&self.memory.ours, &self.memory.theirs);
            let agrees = least >= *lowest && most <= *highest;
            self.passed &= agrees;
            if !agrees {
                text!("    {:<50} {:>8}  FAILED: ours is {} to {} {} above", peer, theirs, least, most, T::UNIT);
                continue;
            }
            if T::UNIT.is_empty() || least == most {
                text!("    {:<50} {:>8}", peer, theirs);
            } else {
                text!("    {:<50} {:>8}  ours is {} to {} {} above", peer, theirs, least, most, T::UNIT);
            }
            if theirs < best.1 {
                best = (peer, theirs);
            }
        }
        let percent = (100 * ours + best.1 / 2) / best.1;
        text!(
            "{:<54} {:>8} {:>8} {:>4}.{:02}  {:<6}  {}",
            name,
            ours,
            best.1,
            percent / 100,
            percent % 100,
            if ours <= best.1 { "met" } else { "missed" },
            best.0
        );
    }

    /// Instructions for the last frame, fed in chunks of `chunk` samples.
    fn measure_ours(&mut self, filter: &impl Filter<T>, chunk: usize) -> Option<u64> {
        let Memory { store, scratch, input, ours, .. } = &mut *self.memory;
        let signature = filter.signature();
        let state = store.get_mut(..signature.state)?;
        let (mut ticks, mut t) = (0, 0);
        for frame in 0..FRAMES {
            noise(frame, input);
            ticks = 0;
            for (x, out) in input.chunks_exact(chunk).zip(ours.chunks_exact_mut(chunk)) {
                self.meter.lap();
                let frames = filter.run(t, state, scratch, x, out);
                ticks += self.meter.lap(); // each chunk alone: the meter goes round after 8 million instructions
                t += frames.ok().filter(|frames| *frames * signature.output.len() == chunk)? as u64;
            }
        }
        Some(Meter::instructions(ticks))
    }

    /// Instructions of a peer for the last frame.
    fn measure_peer(&mut self, function: Peer<T>, weights: &[T]) -> u64 {
        let Memory { store, input, theirs, .. } = &mut *self.memory;
        store.fill(T::ZERO);
        theirs.fill(T::ZERO);
        let mut ticks = 0;
        for frame in 0..FRAMES {
            noise(frame, input);
            let (x, out, memory) = (input.as_ptr(), theirs.as_mut_ptr(), store.as_mut_ptr());
            self.meter.lap();
            // SAFETY: the frames have 64 x 64 samples, the memory has room for 16 of them and begins `Memory`, the weights are
            // those of the filter that this peer computes; it writes no further, reads a few samples further at most, which lie
            // in `Memory`, too, and keeps no pointer but to memory and weights, which it forgets at t = 0.
            unsafe { function(x, out, weights.as_ptr(), memory, frame) };
            ticks = self.meter.lap();
        }
        Meter::instructions(ticks)
    }
}

/// Samples from -1 to 1, others for each frame: a linear congruential generator.
fn noise<T: Compared>(frame: u32, samples: &mut [T]) {
    let mut state = frame.wrapping_mul(0x9e37_79b9).wrapping_add(1);
    for sample in samples {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *sample = T::noise(state);
    }
}
