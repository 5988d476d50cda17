//! What a device runs: passes over buffers, one after another. No backend is named here.
//!
//! A chunk of a model becomes a list of [`Pass`]es. Each runs one [`Kernel`] in `groups` workgroups: it reads some
//! [`Operand`]s, writes others, and takes a few numbers. All operands are arrays of 32-bit words; frames lie as on the host,
//! `(stream, time, channel, row, col)`.

use super::kernels::Kernel;

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
