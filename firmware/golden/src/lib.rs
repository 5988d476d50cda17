#![no_std]
#![forbid(unsafe_code)]
//! The golden cases of `tests/golden` as constants, run by `foveola-core` alone: on a microcontroller, and on a host.
//!
//! A case passes when the largest difference from the expected output, relative to its largest magnitude, is within the
//! tolerance in its file, and when all bits of the output are those that the host's own layers compute. The latter come as digests
//! in `digests.tsv`, which a test of the host compares with `Model` at every change, and not from the build script: that would
//! compare this crate's reading of a case with itself.
//!
//! As in the host's tests, the first chunk of a stream goes in as a whole, since it decides the history; the others frame by
//! frame, with slices of exactly the lengths that the filter asks for, full of NaN where they mean nothing.
//!
//! ```
//! let mut room = foveola_golden::Room::new();
//! assert!(foveola_golden::run(&mut room, &mut |line| println!("{line}")));
//! ```

use core::fmt;
use foveola_core::kernels::{ExponentialFilter, ExponentialKernel, GaussFilter, Resolution, highpass_exponential};
use foveola_core::{
    Border, Conv3d, ConvOptions, Decay, Delay, Diff, Digest, Error, Filter, Graph, HighPass, Kernel, LowPass, Node,
    Nonlinearity, PadMode, Pointwise, Rf, Shape, SmoothConv, Source, Stage, Step, TimePadding, VariableDelay, constant,
    sum_axis,
};

include!(concat!(env!("OUT_DIR"), "/cases.rs"));

/// A case.
#[derive(Clone, Copy)]
pub struct Case {
    /// Name of its file.
    pub name: &'static str,
    /// Largest allowed relative error.
    pub tolerance: f64,
    /// Digest of the host's output; none where `digests.tsv` does not know the case.
    pub digest: Option<u64>,
    /// What is computed.
    pub subject: Subject,
}

/// What a case computes.
#[derive(Clone, Copy)]
#[allow(clippy::large_enum_variant, reason = "there is no heap to put the larger one into, and it is the usual one")]
pub enum Subject {
    /// A filter over the chunks of some streams.
    Stream {
        /// Shape of an input frame.
        shape: Shape,
        /// The filter.
        stage: Stage<'static>,
        /// Number of streams.
        streams: usize,
        /// Their chunks.
        chunks: &'static [Chunk],
    },
    /// A kernel.
    Kernel {
        /// Writes it and returns its length.
        write: fn(&mut [f32]) -> Result<usize, Error>,
        /// Its samples.
        expected: &'static [f32],
    },
    /// A sum over an axis.
    Sum {
        /// Arrays, each with its length along the axis.
        inputs: &'static [(&'static [f32], usize)],
        /// Samples from one index along the axis to the next.
        inner: usize,
        /// The sum.
        expected: &'static [f32],
    },
}

/// A chunk of all streams: stream, frame, channel, row, column.
#[derive(Clone, Copy)]
pub struct Chunk {
    /// What goes in.
    pub input: &'static [f32],
    /// What should come out.
    pub output: &'static [f32],
}

/// The memory of any case.
#[derive(Debug)]
pub struct Room {
    state: [f32; NEEDED[0]],
    scratch: [f32; NEEDED[1]],
    output: [f32; NEEDED[2]],
}

impl Room {
    /// Zeros.
    pub const fn new() -> Self {
        Self { state: [0.0; NEEDED[0]], scratch: [0.0; NEEDED[1]], output: [0.0; NEEDED[2]] }
    }
}

impl Default for Room {
    fn default() -> Self {
        Self::new()
    }
}

/// The largest state, scratch and output of all cases.
const NEEDED: [usize; 3] = {
    const fn larger(a: usize, b: usize) -> usize {
        if a > b { a } else { b }
    }
    let (mut needed, mut i) = ([0; 3], 0);
    while i < CASES.len() {
        match &CASES[i].subject {
            Subject::Stream { shape, stage, streams, chunks } => {
                let signature = stage.signature();
                let frames = chunks[0].input.len() / *streams / shape.len();
                needed[0] = larger(needed[0], signature.state);
                needed[1] = larger(needed[1], signature.scratch.len(frames));
                needed[2] = larger(needed[2], signature.frames_out(0, frames) * signature.output.len());
            }
            Subject::Kernel { expected, .. } | Subject::Sum { expected, .. } => {
                needed[2] = larger(needed[2], expected.len());
            }
        }
        i += 1;
    }
    needed
};

/// Why a case gave no numbers to compare.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Failure {
    /// The filter refused.
    Filter(Error),
    /// More or fewer samples than expected, in a chunk.
    Length {
        /// As many as came.
        found: usize,
        /// As many as should.
        expected: usize,
    },
    /// A sample is NaN or infinite.
    NotFinite,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Filter(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filter(error) => write!(f, "{error}"),
            Self::Length { found, expected } => write!(f, "{found} samples, expected {expected}"),
            Self::NotFinite => write!(f, "a sample is not finite"),
        }
    }
}

/// What a case came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The largest difference, relative to the largest expected magnitude of its chunk.
    pub error: f64,
    /// All bits that came out.
    pub digest: Digest,
}

impl Outcome {
    const fn new() -> Self {
        Self { error: 0.0, digest: Digest::new() }
    }

    fn compare(&mut self, found: &[f32], difference: &mut Difference<'_>) -> Result<(), Failure> {
        self.digest.add(found);
        difference.add(found)
    }
}

/// Between what is expected of a chunk and what comes, piece by piece.
struct Difference<'e> {
    expected: &'e [f32],
    at: usize,
    worst: f64,
}

impl<'e> Difference<'e> {
    const fn new(expected: &'e [f32]) -> Self {
        Self { expected, at: 0, worst: 0.0 }
    }

    fn add(&mut self, found: &[f32]) -> Result<(), Failure> {
        let end = self.at + found.len();
        let expected = self.expected.get(self.at..end);
        let expected = expected.ok_or(Failure::Length { found: end, expected: self.expected.len() })?;
        self.at = end;
        for (found, expected) in found.iter().zip(expected) {
            if !found.is_finite() {
                return Err(Failure::NotFinite);
            }
            self.worst = self.worst.max((f64::from(*found) - f64::from(*expected)).abs());
        }
        Ok(())
    }

    fn relative(self) -> Result<f64, Failure> {
        if self.at != self.expected.len() {
            return Err(Failure::Length { found: self.at, expected: self.expected.len() });
        }
        let scale = self.expected.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
        Ok(if scale > 0.0 { self.worst / f64::from(scale) } else { self.worst })
    }
}

impl Case {
    /// Whether an outcome is close enough, and whether it has the host's bits.
    pub fn verdict(&self, Outcome { error, digest }: Outcome) -> [bool; 2] {
        [error <= self.tolerance, self.digest == Some(digest.value())]
    }

    /// Computes it.
    ///
    /// # Errors
    /// As [`Failure`].
    pub fn run(&self, room: &mut Room) -> Result<Outcome, Failure> {
        let mut outcome = Outcome::new();
        match &self.subject {
            Subject::Stream { shape, stage, streams, chunks } => {
                let nodes = [Node::Filter(Source::Input, *stage)];
                let graph = Graph::new(*shape, &nodes)?;
                for stream in 0..*streams {
                    run_stream(&graph, chunks, stream, *streams, room, &mut outcome)?;
                }
            }
            Subject::Kernel { write, expected } => {
                room.output.fill(f32::NAN);
                let len = write(&mut room.output)?;
                let mut difference = Difference::new(expected);
                outcome.compare(room.output.get(..len).unwrap_or_default(), &mut difference)?;
                outcome.error = difference.relative()?;
            }
            Subject::Sum { inputs, inner, expected } => {
                let output = room.output.get_mut(..expected.len()).unwrap_or_default();
                output.fill(0.0);
                for (input, n) in *inputs {
                    sum_axis(input, *n, *inner, output)?;
                }
                let mut difference = Difference::new(expected);
                outcome.compare(output, &mut difference)?;
                outcome.error = difference.relative()?;
            }
        }
        Ok(outcome)
    }
}

/// One stream of a case.
fn run_stream(
    graph: &Graph<'_>,
    chunks: &[Chunk],
    stream: usize,
    streams: usize,
    room: &mut Room,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let signature = graph.signature();
    let (frame, out) = (signature.input.len(), signature.output.len());
    let state = room.state.get_mut(..signature.state).unwrap_or_default();
    state.fill(f32::NAN); // whatever is there is overwritten at t = 0
    let mut t = 0;
    for (k, chunk) in chunks.iter().enumerate() {
        let part = |samples: &'static [f32]| {
            let len = samples.len() / streams;
            samples.get(stream * len..(stream + 1) * len).unwrap_or_default()
        };
        let (input, expected) = (part(chunk.input), part(chunk.output));
        // The frames in front of a later chunk came with the one before.
        let lead = if k == 0 { 0 } else { signature.lead * out };
        let mut difference = Difference::new(expected.get(lead..).unwrap_or_default());
        for piece in input.chunks(if k == 0 { input.len() } else { frame }) {
            let frames = piece.len() / frame;
            let scratch = room.scratch.get_mut(..signature.scratch.len(frames)).unwrap_or_default();
            let output = room.output.get_mut(..signature.frames_out(t, frames) * out).unwrap_or_default();
            scratch.fill(f32::NAN);
            output.fill(f32::NAN);
            if k == 0 {
                graph.run(t, state, scratch, piece, output)?;
            } else if graph.step(t, state, scratch, piece, output)? == Step::Nothing && !output.is_empty() {
                return Err(Failure::Length { found: 0, expected: output.len() });
            }
            outcome.compare(output.get(lead..).unwrap_or_default(), &mut difference)?;
            t += frames as u64;
        }
        outcome.error = outcome.error.max(difference.relative()?);
    }
    Ok(())
}

/// Runs all cases, prints a line for each, and returns whether all passed.
pub fn run(room: &mut Room, print: &mut dyn FnMut(&dyn fmt::Display)) -> bool {
    let (mut passed, mut worst) = (0, 0.0_f64);
    for case in &CASES {
        let name = case.name;
        match case.run(room) {
            Ok(outcome) => {
                let ([close, same], Outcome { error, digest }) = (case.verdict(outcome), outcome);
                let bits = if same { "the host's bits" } else { "NOT the host's bits" };
                let verdict = if close { "" } else { "  FAILED: too far" };
                print(&format_args!(
                    "{name:34} error {error:8.1e} of {:.0e}, {bits} {digest}{verdict}",
                    case.tolerance
                ));
                passed += usize::from(close && same);
                worst = worst.max(error);
            }
            Err(failure) => print(&format_args!("{name:34} FAILED: {failure}")),
        }
    }
    print(&format_args!("{passed} of {} golden cases passed, worst relative error {worst:.1e}", CASES.len()));
    passed == CASES.len()
}
