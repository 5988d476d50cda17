//! Convolutions on a device: which kernel, over which tile.
//!
//! ```text
//! out[s, j, o, r, c] = bias[o] + sum_i sum_a sum_b sum_e w[o, i, a, b, e]
//!     x[s, first + every j - dil_t (kt-1-a), group(o) + i, step_r r + dil_r b - top, step_c c + dil_c e - left]
//! ```
//! Frames of the chunk are number 0, 1, …; those before it, -1, -2, …, lie in a ring in the state, whose rows have borders.

use super::Limits;
use super::pass::{Operand, Pass};
use foveola_core::{Border, Shape};

/// The frames before a chunk: a ring in the state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Past {
    /// Words from the state of one stream to that of the next.
    pub(crate) stream: usize,
    /// Where the ring begins in a stream's state.
    pub(crate) offset: usize,
    /// Frames in the ring; frame -1 lies in slot `now - 1`, -2 in `now - 2`, …, modulo `slots`.
    pub(crate) slots: usize,
    pub(crate) now: usize,
    /// Words from one row to the next, and where the pixels begin in it; rows follow each other, channels follow each other.
    pub(crate) row: usize,
    pub(crate) left: usize,
}

/// A correlation of the frames of a chunk; see the [equation](self).
#[derive(Clone, Debug)]
pub(crate) struct Correlation {
    /// The chunk: `streams x frames` frames of `shape`.
    pub(crate) input: Operand,
    pub(crate) shape: Shape,
    pub(crate) streams: usize,
    pub(crate) frames: usize,
    /// The ring in [`Operand::State`] that holds the frames before it; none where the kernel has one frame.
    pub(crate) past: Option<Past>,
    /// `(out, in / groups, time, row, col)`, in correlation order.
    pub(crate) weights: Operand,
    /// One for each output channel.
    pub(crate) bias: Option<Operand>,
    pub(crate) kernel: [usize; 5],
    pub(crate) groups: usize,
    /// Along time, rows, columns.
    pub(crate) dilation: [usize; 3],
    /// Along rows and columns.
    pub(crate) step: [usize; 2],
    /// Rows above and columns left of the first output.
    pub(crate) top: usize,
    pub(crate) left: usize,
    /// What is read outside the frame (for none, nothing is).
    pub(crate) border: Border,
    /// The output: `streams x count` frames of `size`, whose channels are `kernel[0]`; frame `j` belongs to frame
    /// `first + every j` of the chunk.
    pub(crate) output: Operand,
    pub(crate) size: [usize; 2],
    pub(crate) count: usize,
    pub(crate) first: usize,
    pub(crate) every: usize,
}

/// What a thread of [`Kernel::Direct`](super::pass::Kernel) takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Tile {
    pub(crate) rows: usize,
}

impl Correlation {
    /// The passes that compute it.
    pub(crate) fn passes(&self, limits: &Limits) -> Vec<Pass> {
        let _ = limits;
        Vec::new()
    }
}
