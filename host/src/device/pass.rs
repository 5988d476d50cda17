//! The input of a backend: passes over buffers, in sequence. No backend is named here.
//!
//! A chunk of a model becomes a list of [`Pass`]es. Each runs one [`Kernel`] in `groups` workgroups: it reads some
//! [`Operand`]s, writes others, and takes a few parameters. All operands are arrays of 32-bit words; frames have the host's
//! layout, `(stream, time, channel, row, col)`.

use super::kernels::Kernel;

/// A buffer, or a part of the words that come with a chunk.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    /// The frames of the chunk.
    Input,
    /// The output of the model.
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

/// A kernel, its operands, and its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Pass {
    pub(crate) kernel: Kernel,
    /// Bindings 1, 2, … of the kernel: the operands that are read.
    pub(crate) reads: Vec<Operand>,
    /// The bindings after them: operands that are written, or read and written.
    pub(crate) writes: Vec<Operand>,
    /// The words of the kernel's `Params` (binding 0), floats as their bits.
    pub(crate) params: Vec<u32>,
    /// Workgroups; a kernel numbers them with `group()`.
    pub(crate) groups: usize,
}
