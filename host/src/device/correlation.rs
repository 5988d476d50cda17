//! Convolutions on a device: the choice of kernel and tile.
//!
//! ```text
//! out[s, j, o, r, c] = bias[o] + sum_i sum_a sum_b sum_e w[o, i, a, b, e]
//!     x[s, first + every j - dil_t (kt-1-a), group(o) + i, step_r r + dil_r b - top, step_c c + dil_c e - left]
//! ```
//! Frames of the chunk have the numbers 0, 1, …; the frames before it, -1, -2, …, are in a ring in the state, whose rows
//! have borders.

mod choice;
#[cfg(test)]
mod tests;

use super::Limits;
use super::kernels::Kernel;
use super::kernels::{OUTPUTS, Tile};
use super::pass::{Operand, Pass};
use foveola_core::{Border, Shape};

/// The frames before a chunk: a ring in the state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Past {
    /// Words from the state of one stream to that of the next.
    pub(crate) stream: usize,
    /// Start of the ring in the state of a stream.
    pub(crate) offset: usize,
    /// Frames in the ring; frame -1 is in slot `now - 1`, -2 in `now - 2`, …, modulo `slots`.
    pub(crate) slots: usize,
    pub(crate) now: usize,
    /// Words from one row to the next, and the offset of the pixels in a row; rows are contiguous, and so are channels.
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
    /// The ring in [`Operand::State`] with the frames before the chunk; none if the kernel has one frame.
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
    /// How pixels outside the frame are read (unused if there are none).
    pub(crate) border: Border,
    /// The output: `streams x count` frames of `size` with `kernel[0]` channels; frame `j` belongs to frame
    /// `first + every j` of the chunk.
    pub(crate) output: Operand,
    pub(crate) size: [usize; 2],
    pub(crate) count: usize,
    pub(crate) first: usize,
    pub(crate) every: usize,
}

impl Correlation {
    /// The passes that compute it: one, or none if there is nothing to compute.
    pub(crate) fn passes(&self, limits: &Limits) -> Vec<Pass> {
        let [_, ins, kt, kh, kw] = self.kernel;
        let outs = self.outs();
        if self.streams * self.count * outs * self.size[0] * self.size[1] == 0 {
            return Vec::new();
        }
        // Steps that are never taken may have any length.
        if kt == 1 && self.dilation[0] != 1 || self.count == 1 && self.every != 1 {
            let [dil_t, dil_r, dil_c] = self.dilation;
            let dilation = [if kt == 1 { 1 } else { dil_t }, dil_r, dil_c];
            let every = if self.count == 1 { 1 } else { self.every };
            return Self { dilation, every, ..self.clone() }.passes(limits);
        }
        let steady = self.step == [1, 1] && (kh == 1 || self.dilation[1] == 1) && (kw == 1 || self.dilation[2] == 1);
        let whole_frame = self.size == [self.shape.rows, self.shape.cols] && (self.top, self.left) == (0, 0);
        let many = outs > 8 && ins * kt * kh * kw >= 32 && limits.workgroup >= GEMM_MEMORY && limits.parts;
        let pass = if steady && (kh, kw) == (1, 1) && whole_frame {
            if many { self.gemm() } else { self.in_time() }
        } else if let Some(tile) = steady.then(|| choice::choose(self, limits)).flatten() {
            self.direct(tile)
        } else if many {
            self.gemm()
        } else {
            self.plain()
        };
        vec![pass]
    }

    /// Output channels per group.
    fn outs(&self) -> usize {
        self.kernel[0] / self.groups
    }

    /// A pass of `kernel` in tiles along columns, rows and output channels, with the `table` of its taps if it uses one.
    fn pass(
        &self,
        kernel: Kernel,
        [tiles_x, tiles_y, blocks]: [usize; 3],
        groups: usize,
        table: Option<Operand>,
    ) -> Pass {
        let [_, ins, kt, kh, kw] = self.kernel;
        let none = Past { stream: 0, offset: 0, slots: 1, now: 0, row: 0, left: 0 };
        let past = self.past.unwrap_or(none);
        // In the order of `Params` in kernels/conv/params.wgsl.
        let params = [
            groups,
            tiles_x,
            tiles_y,
            blocks,
            self.groups,
            ins,
            self.outs(),
            kt,
            kh,
            kw,
            self.dilation[0],
            self.dilation[1],
            self.dilation[2],
            self.step[0],
            self.step[1],
            self.top,
            self.left,
            self.border as usize,
            usize::from(self.bias.is_some()),
            self.frames,
            self.shape.rows,
            self.shape.cols,
            past.stream,
            past.offset,
            past.slots,
            past.now,
            past.row,
            past.left,
            self.streams,
            self.count,
            self.size[0],
            self.size[1],
            self.first,
            self.every,
        ];
        let state = if self.past.is_some() { Operand::State } else { self.input.clone() };
        let bias = self.bias.clone().unwrap_or_else(|| self.weights.clone());
        let mut reads = vec![self.input.clone(), state, self.weights.clone(), bias];
        reads.extend(table);
        let params = params.map(|number| number as u32).to_vec();
        Pass { kernel, reads, writes: vec![self.output.clone()], params, groups }
    }

    /// Direct, for step 1 and spatial dilation 1.
    pub(super) fn direct(&self, tile: Tile) -> Pass {
        let ([rows, cols], blocks) = (tile.size(), self.outs().div_ceil(tile.channels()));
        let tiles = [self.size[1].div_ceil(cols), self.size[0].div_ceil(rows), blocks];
        let groups = choice::workgroups(self, &tile);
        self.pass(Kernel::Direct(tile), tiles, groups, None)
    }

    /// For any parameters.
    pub(super) fn plain(&self) -> Pass {
        let tiles = [(self.size[0] * self.size[1]).div_ceil(THREADS), 1, self.outs().div_ceil(4)];
        let groups = tiles.iter().product::<usize>() * self.groups * self.streams * self.count;
        self.pass(Kernel::Plain, tiles, groups, None)
    }

    /// For a kernel of one row and column, over the whole frame.
    pub(super) fn in_time(&self) -> Pass {
        // The frames of a thread are spaced so that they need the same input.
        let apart = self.dilation[0] / gcd(self.dilation[0], self.every);
        let sets = if self.count <= apart { self.count } else { self.count.div_ceil(apart * OUTPUTS) * apart };
        let tiles = [(self.shape.rows * self.shape.cols).div_ceil(4 * 64), sets, 1];
        self.pass(Kernel::InTime, tiles, tiles[0] * sets * self.kernel[0] * self.streams, None)
    }

    /// For any parameters, as a matrix product.
    pub(super) fn gemm(&self) -> Pass {
        let [_, ins, kt, kh, kw] = self.kernel;
        let outs = self.outs();
        let across = match outs {
            ..=16 => 4,
            17..=32 => 8,
            _ => 16,
        };
        let pixels = self.streams * self.count * self.size[0] * self.size[1];
        let tiles = [pixels.div_ceil(4 * THREADS / across), 1, outs.div_ceil(4 * across)];
        let [dt, dr, dc] = self.dilation;
        let taps = (0..ins * kt * kh * kw).flat_map(|tap| {
            let (e, b, a, i) = (tap % kw, tap / kw % kh, tap / (kw * kh) % kt, tap / (kw * kh * kt));
            [i, dt * (kt - 1 - a), dr * b, dc * e].map(|number| number as u32)
        });
        let table = Operand::Words(taps.collect());
        self.pass(Kernel::Gemm(across), tiles, tiles[0] * tiles[2] * self.groups, Some(table))
    }
}

/// Threads per workgroup of the kernels with a fixed tile.
const THREADS: usize = 256;
/// Bytes of workgroup memory of a matrix product.
const GEMM_MEMORY: usize = 16 * (16 * 5 + 16 * 64);

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
