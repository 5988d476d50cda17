//! Recursive smoothing in time, filtered in space: a spatio-temporal kernel at the price of a few spatial ones.
//!
//! ```text
//! y_0 = e_0(x),  y_i = e_i(y_{i-1})        e_i: exponential low-pass with its own time constant
//! out = g_0(y_0) + … + g_{n-1}(y_{n-1})    g_i: same-size 2-D convolution
//! ```
//! The components `g_i(y_i)` can be had as channels of their own (channel `c n + i` for input channel `c`).
//!
//! - `spatial` holds the `n` kernels, `n x kh x kw`, in correlation order.
//! - State: `y_0 … y_{n-1}` of every channel, rows stored with their borders: `channels x n x rows x (cols + kw - 1)`.
//! - Cost: `n (kh kw + 3)` operations a sample.

use super::Decay;
use super::low_pass::smooth;
use crate::conv::Border;
use crate::conv::conv3d::pad_row;
use crate::conv::tile::Correlation;
use crate::error::{exact, nonempty};
use crate::filter::{piece, piece_mut};
use crate::lanes::Lanes;
use crate::{Error, Filter, Sample, Shape, Signature};

/// A chain of exponentials, each through a kernel of its own; see the [equation](self).
///
/// ```
/// use foveola_core::{constant, Border, Decay, Filter, Shape, SmoothConv};
/// static DECAYS: [Decay; 2] = [constant!(Decay::new(0.01, 1000.0)), constant!(Decay::new(0.02, 1000.0))];
/// static SPATIAL: [f32; 18] = [1.0 / 18.0; 18];
/// const SMOOTH: SmoothConv =
///     constant!(SmoothConv::new(Shape::new(1, 4, 4), &DECAYS, &SPATIAL, [3, 3], Border::Replicate));
/// let mut state = [0.0; SMOOTH.signature().state];
/// let mut out = [0.0; 16];
/// for t in 0..1000 {
///     SMOOTH.step(t, &mut state, &mut [], &[1.0; 16], &mut out).unwrap();
/// }
/// assert!((out[0] - 1.0).abs() < 1e-4);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SmoothConv<'w, T = f32> {
    shape: Shape,
    decays: &'w [Decay],
    spatial: &'w [T],
    size: [usize; 2],
    border: Border,
    components: bool,
}

impl<'w, T> SmoothConv<'w, T> {
    /// A filter with one stage for each of `decays`, whose kernels of `size` (rows, columns) lie in `spatial`.
    ///
    /// # Errors
    /// An empty frame, no stages, an empty kernel, or kernels of the wrong length.
    pub const fn new(
        shape: Shape,
        decays: &'w [Decay],
        spatial: &'w [T],
        size: [usize; 2],
        border: Border,
    ) -> Result<Self, Error> {
        if let Err(error) = nonempty(shape) {
            return Err(error);
        }
        let len = decays.len().saturating_mul(size[0]).saturating_mul(size[1]);
        if len == 0 {
            return Err(Error::EmptyKernel { kernel: [decays.len(), 1, 1, size[0], size[1]] });
        }
        if let Err(error) = exact("the spatial filter", spatial.len(), len) {
            return Err(error);
        }
        Ok(Self { shape, decays, spatial, size, border, components: false })
    }

    /// The same filter, yielding every component as a channel instead of their sum.
    pub const fn components(self) -> Self {
        Self { components: true, ..self }
    }

    const fn stride(&self) -> usize {
        self.shape.cols.saturating_add(self.size[1] - 1)
    }

    const fn plane(&self) -> usize {
        self.shape.rows.saturating_mul(self.stride())
    }

    /// What the filter takes, yields and needs.
    pub const fn signature(&self) -> Signature {
        let stages = self.shape.channels.saturating_mul(self.decays.len());
        let mut signature = Signature::same(self.shape, stages.saturating_mul(self.plane()));
        if self.components {
            signature.output.channels = stages;
        }
        signature
    }
}

impl<T: Sample> SmoothConv<'_, T> {
    /// One channel's chain of exponentials; `stages` holds its `y_i`, each row with its borders.
    #[inline(always)]
    fn chain(&self, x: &[T], stages: &mut [T]) {
        let (cols, stride, left) = (self.shape.cols.max(1), self.stride().max(1), self.size[1] / 2);
        for (i, decay) in self.decays.iter().enumerate() {
            let (before, rest) = stages.split_at_mut_checked(i * self.plane()).unwrap_or_default();
            let rows = rest.chunks_exact_mut(stride).take(self.shape.rows);
            for (r, row) in rows.enumerate() {
                let from = if i == 0 {
                    piece(x, r, cols)
                } else {
                    let row = piece(before, (i - 1) * self.shape.rows + r, stride);
                    row.map(|row| row.get(left..).unwrap_or(&[]))
                };
                if let (Ok(from), Some(y)) = (from, row.get_mut(left..left + cols)) {
                    smooth(*decay, from, y);
                }
                pad_row(row, left, cols, self.border);
            }
        }
    }

    fn correlation<'a>(&'a self, stages: &'a [T]) -> Correlation<'a, T> {
        let (n, [kh, kw]) = (self.decays.len(), self.size);
        Correlation {
            frames: stages,
            slots: 1,
            now: 0,
            channels: n,
            rows: self.shape.rows,
            stride: self.stride(),
            weights: self.spatial,
            bias: &[],
            kernel: if self.components { [n, 1, 1, kh, kw] } else { [1, n, 1, kh, kw] },
            groups: if self.components { n } else { 1 },
            step: [1; 3],
            dilation: [1; 3],
            top: kh / 2,
            border: self.border,
            out_rows: self.shape.rows,
            out_cols: self.shape.cols,
        }
    }

    /// [`Filter::advance`] with vectors of a given family.
    ///
    /// # Errors
    /// [`Error::Length`] when called with wrong lengths.
    #[inline(always)]
    pub fn advance_with<L: Lanes<T>>(
        &self,
        lanes: L,
        state: &mut [T],
        input: &[T],
        output: &mut [T],
    ) -> Result<usize, Error> {
        let out = self.signature().output.len() / self.shape.channels.max(1);
        let stages = self.decays.len().saturating_mul(self.plane());
        // Frame by frame, channel by channel: the k-th plane of the chunk belongs to channel k mod channels.
        for (k, x) in input.chunks_exact(self.shape.pixels().max(1)).enumerate() {
            let stages = piece_mut(state, k % self.shape.channels.max(1), stages)?;
            self.chain(x, stages);
            self.correlation(stages).run(lanes, piece_mut(output, k, out)?)?;
        }
        Ok(input.len() / self.shape.len().max(1))
    }
}

impl<T: Sample> Filter<T> for SmoothConv<'_, T> {
    fn signature(&self) -> Signature {
        Self::signature(self)
    }

    fn advance(&self, _: u64, state: &mut [T], _: &mut [T], input: &[T], output: &mut [T]) -> Result<usize, Error> {
        self.advance_with(T::LANES, state, input, output)
    }
}
