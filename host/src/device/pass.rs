//! What a device runs: passes over buffers, one after another. No backend is named here.
//!
//! A chunk of a model becomes a list of [`Pass`]es. Each runs one [`Kernel`] in `groups` workgroups: it reads some
//! [`Operand`]s, writes others, and takes a few numbers. All operands are arrays of 32-bit words; frames lie as on the host,
//! `(stream, time, channel, row, col)`.

use super::kernels::Tile;
use super::scan::Scan;

/// A buffer, or a part of the words that come with a chunk.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    /// The frames of the chunk.
    Input,
    /// What the model makes of them.
    Output,
    /// The state of all streams, in the layout of the host.
    State,
    /// Events of the chunk, instead of its frames.
    Events,
    /// Frames between two passes.
    Slot(usize),
    /// Weights and other numbers that stay the same from chunk to chunk.
    Constant(usize),
    /// A few words for this chunk alone.
    Words(Vec<u32>),
}

/// What is computed; a backend has a program for each. The numbers inside are those that the program is made for, the others
/// come as [`Pass::params`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kernel {
    /// Frames copied by a list: into a ring, out of one, with borders or cropped.
    Move,
    /// The mean over all samples of a chunk, in two turns.
    Mean,
    /// A delay for each pixel.
    VariableDelay,
    /// Pointwise functions, recursive filters and sums of branches, fused: a thread takes a pixel through time.
    Scan(Scan),
    /// The chain of low-passes of a `SmoothConv`: whether each stage is compensated.
    Stages(Vec<bool>),
    /// The borders of rows in the state.
    Borders,
    /// A convolution, tap by tap, several outputs a thread.
    Direct(Tile),
    /// A convolution of any kind, an output a thread.
    Plain,
    /// A convolution in time alone, several frames a thread.
    InTime,
    /// A convolution of many channels as a product of matrices, with so many threads along output channels.
    Gemm(usize),
    /// A receptive field.
    Field,
    /// A sum over an axis.
    Sum,
    /// Events counted into frames.
    Count,
    /// Counts become samples.
    Counts,
    /// Multiply-adds in registers, to measure what the device can do.
    Peak,
    /// A copy, to measure the same.
    Copy,
}

/// A kernel, what it works on, and its numbers.
#[derive(Clone, Debug)]
pub(crate) struct Pass {
    pub(crate) kernel: Kernel,
    /// Bindings 1, 2, … of the kernel: what is read.
    pub(crate) reads: Vec<Operand>,
    /// The bindings behind them: what is written, or read and written.
    pub(crate) writes: Vec<Operand>,
    /// The words of the kernel's `Params` (binding 0), floats as their bits.
    pub(crate) params: Vec<u32>,
    /// Workgroups; a kernel numbers them by `group()`.
    pub(crate) groups: usize,
}
