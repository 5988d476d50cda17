//! Adjoint of a convolution: a convolution with the reversed kernel, whose border is folded back.
//!
//! ```text
//! z: the output's gradient, `stride` pixels apart, zeros between and around
//! p[i, t, R, C] = sum_o sum_a sum_b sum_e w[o, i, a, b, e] z[o, t + dil_t (kt-1-a), R - dil_r b, C - dil_c e]
//! gx[i, t, r, c] = sum of p[i, t, R, C] over all (R, C) of the frame and its border that read pixel (r, c)
//! ```
//! `p` is a [`Conv3d`] of its own: channels in and out exchanged, the kernel reversed in space, frames in reversed order, a
//! border of zeros. It has the vectors, threads, [blocks](ConvAdjoint::in_blocks) and
//! [factors](ConvAdjoint::separable) of any convolution. Frames that yield no output have a gradient of zero.
//!
//! - Its frames are larger than the input by the border, `k' - 1` rows and columns. With `Border::Zeros` nothing is folded, and
//!   they are as large as the input (one row or column more along an axis where `k'` is even); without a border too.
//! - State: that of the inner convolution. Scratch: two of its frames, and its own.
//! - Cost: that of the convolution, times the ratio of the frames' sizes, times the strides.
//! - [`Adjoint::finish`] runs the inner convolution on through the temporal padding: `dil_t (kt-1)` frames.
//! - Gradients of weights and bias: [`weights`](super::weights).

use super::weights::Weights;
use super::{Adjoint, Chunk, FirstGradient, Memory, Needs, add, reversed_slot};
use crate::engine::{Engine, WorkSplitter};
use crate::error::exact;
use crate::filter::{copy, piece, piece_mut};
use crate::lanes::Lanes;
use crate::{Border, Conv3d, ConvOptions, Error, Factors, Kernel, PadMode, Sample, Shape};

/// The adjoint of a [`Conv3d`]; see the [equation](self).
///
/// ```
/// use foveola_core::adjoint::{Adjoint, Chunk, ConvAdjoint, Gradient, Memory, Parameters};
/// use foveola_core::{Conv3d, ConvOptions, Kernel, Shape};
/// let weights = [1.0_f32, 2.0, 3.0];
/// let conv = Conv3d::new(Shape::new(1, 1, 4), Kernel::new(&weights, [1, 1, 1, 1, 3]), ConvOptions::DEFAULT)?;
/// let mut reversed = [0.0; 3];
/// ConvAdjoint::reverse(&conv, &mut reversed)?;
/// let adjoint = ConvAdjoint::new(conv, &reversed)?;
///
/// let mut scratch = vec![0.0; adjoint.needs().scratch.larger(adjoint.needs().scratch_of_parameters).len(1)];
/// let (mut grad_in, mut of_weights) = ([0.0; 4], [0.0; 3]);
/// let gradient = Gradient { weights: &mut of_weights, ..Gradient::default() };
/// let chunk = Chunk { t: 0, input: &[1.0, 2.0, 3.0, 4.0], grad_out: &[1.0, 0.0, 0.0, 0.0] };
/// let parameters = Parameters { state: &mut [], gradient };
/// adjoint.backward(chunk, Memory { state: &mut [], scratch: &mut scratch, grad_in: &mut grad_in, parameters })?;
/// assert_eq!(grad_in, [3.0, 3.0, 0.0, 0.0]); // output 0 reads pixel 0 twice, as its left border
/// assert_eq!(of_weights, [1.0, 1.0, 2.0]); // what output 0 reads
/// # Ok::<(), foveola_core::Error>(())
/// ```
#[must_use]
#[derive(Clone, Copy, Debug)]
pub struct ConvAdjoint<'w, T = f32> {
    conv: Conv3d<'w, T>,
    inner: Conv3d<'w, T>,
    rows: Axis,
    cols: Axis,
    /// Frames that are processed at a time.
    together: usize,
}

/// An axis of the inner convolution's frames.
#[derive(Clone, Copy, Debug)]
struct Axis {
    len: usize,
    /// Where the gradient of the first output pixel lies, and from there to the next.
    first: usize,
    step: usize,
    /// Where the first pixel of the input lies.
    pixel: usize,
}

impl Axis {
    const fn new<T>(conv: &Conv3d<'_, T>, axis: usize, len: usize) -> Self {
        let (extent, step) = (conv.extent(axis), conv.options().stride[axis]);
        let (before, after) = (extent / 2, extent - 1 - extent / 2);
        match conv.options().border {
            None => Self { len, first: after, step, pixel: 0 },
            Some(Border::Zeros) => Self { len: len + before - after, first: 0, step, pixel: before - after },
            Some(_) => Self { len: rounded(len.saturating_add(extent - 1)), first: after, step, pixel: before },
        }
    }
}

/// `len`, or up to seven more: two vectors of eight take no longer than the two that the rest of a row would need.
const fn rounded(len: usize) -> usize {
    if len % 16 > 8 { len.next_multiple_of(16) } else { len }
}

/// Samples that are processed at a time, if a frame has fewer.
const BLOCK: usize = 1 << 12;

impl<'w, T> ConvAdjoint<'w, T> {
    /// The adjoint of `conv`, with its kernel as [`ConvAdjoint::reverse`] writes it.
    ///
    /// # Errors
    /// [`Error::Length`] for a reversed kernel of the wrong length; frames that are too large.
    pub const fn new(conv: Conv3d<'w, T>, reversed: &'w [T]) -> Result<Self, Error> {
        let (options, input) = (*conv.options(), conv.signature().input);
        let [outs, _, kt, kh, kw] = conv.kernel().shape;
        let (rows, cols) = (Axis::new(&conv, 1, input.rows), Axis::new(&conv, 2, input.cols));
        let shape = [input.channels, outs / options.groups, kt, kh, kw];
        let inner = Conv3d::from_checked(
            Shape::new(outs, rows.len, cols.len),
            Kernel::new(reversed, shape),
            ConvOptions {
                border: Some(Border::Zeros),
                pad: Some(PadMode::Zeros),
                stride: [1; 3],
                dilation: options.dilation,
                groups: options.groups,
            },
        );
        match inner {
            Ok(inner) => {
                let frames = BLOCK / if input.len() < BLOCK { input.len() } else { BLOCK };
                // The inner loops of a kernel of one pixel share what they load.
                let together = if inner.is_pointwise() && frames < 8 { 8 } else { frames };
                Ok(Self { conv, inner, rows, cols, together })
            }
            Err(error) => Err(error),
        }
    }

    /// The convolution.
    pub const fn conv(&self) -> &Conv3d<'w, T> {
        &self.conv
    }

    /// The convolution of the gradients.
    pub const fn inner(&self) -> &Conv3d<'w, T> {
        &self.inner
    }

    /// The same adjoint, computed with factors of the reversed kernel: see [`Conv3d::separable`].
    ///
    /// # Errors
    /// As [`Conv3d::separable`].
    pub const fn separable(self, factors: Factors<'w, T>) -> Result<Self, Error> {
        match self.inner.with_checked_factors(factors) {
            Ok(inner) => Ok(Self { inner, ..self }),
            Err(error) => Err(error),
        }
    }

    /// Processes `frames` frames at a time, which threads share. More take more scratch, fewer more time for small frames. If this
    /// is not called, as many as have 4096 samples, at least one, or eight for a kernel of one pixel.
    pub const fn in_blocks(self, frames: usize) -> Self {
        let together = if frames == 0 { 1 } else { frames };
        Self { inner: self.inner.in_blocks(frames), together, ..self }
    }

    pub(super) const fn weights(&self) -> Weights<'_, 'w, T> {
        Weights::of(&self.conv, self.together)
    }

    /// What the adjoint takes and needs.
    pub const fn needs(&self) -> Needs {
        let inner = self.inner.signature();
        let of_frame = inner.input.len().saturating_add(inner.output.len());
        let mut needs = Needs { grad_in: false, ..Needs::of(self.conv.signature(), inner.state) };
        needs.scratch =
            inner.scratch.and(of_frame.saturating_mul(self.together)).and(self.conv.signature().input.len());
        needs.scratch_of_parameters = self.weights().scratch();
        needs.parameters = self.weights().lengths();
        needs
    }
}

impl<T: Sample> ConvAdjoint<'_, T> {
    /// Writes the kernel of the inner convolution, `(in, out / groups, time, row, col)`: channels exchanged, reversed in space.
    ///
    /// # Errors
    /// [`Error::Length`] when `to` is not as long as the kernel.
    pub fn reverse(conv: &Conv3d<'_, T>, to: &mut [T]) -> Result<(), Error> {
        let Kernel { weights, shape: [outs, ins, kt, kh, kw], .. } = *conv.kernel();
        exact("the reversed kernel", to.len(), weights.len())?;
        let (taps, of_group) = (kh * kw, outs / conv.options().groups);
        for (k, kernel) in weights.chunks_exact(taps.max(1)).enumerate() {
            let (o, i, a) = (k / (ins * kt), k / kt % ins, k % kt);
            let (group, o) = (o / of_group, o % of_group);
            let to = piece_mut(to, ((group * ins + i) * of_group + o) * kt + a, taps)?;
            to.iter_mut().zip(kernel.iter().rev()).for_each(|(to, w)| *to = *w);
        }
        Ok(())
    }

    /// [`Adjoint::retreat`] with given vectors and threads.
    ///
    /// # Errors
    /// [`Error::Length`] when called with wrong lengths.
    #[inline(always)]
    pub fn retreat_with<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        chunk: Chunk<'_, T>,
        memory: Memory<'_, T>,
    ) -> Result<(), Error> {
        let Memory { state, scratch, grad_in, parameters } = memory;
        if !grad_in.is_empty() {
            self.input(engine, (chunk.t, chunk.grad_out), state, scratch, grad_in)?;
        }
        self.weights().add(engine, chunk, scratch, parameters)
    }

    /// The gradient of the input.
    #[inline(always)]
    fn input<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        (t, grad_out): (u64, &[T]),
        state: &mut [T],
        scratch: &mut [T],
        grad_in: &mut [T],
    ) -> Result<(), Error> {
        let (filter, inner) = (self.conv.signature(), self.inner.signature());
        let (len, of_z) = (filter.input.len().max(1), inner.input.len());
        let (z, scratch) = scratch.split_at_mut_checked(of_z.saturating_mul(self.together)).unwrap_or_default();
        let of_p = inner.output.len();
        let (p, scratch) = scratch.split_at_mut_checked(of_p.saturating_mul(self.together)).unwrap_or_default();
        // The zeros between and around stay.
        z.fill(T::zero());
        let mut left = grad_in.len() / len;
        let mut yields = filter.rate.frames(t, left);
        while left > 0 {
            let count = self.together.min(left);
            let (z, p) = (piece_mut(z, 0, count * of_z)?, piece_mut(p, 0, count * of_p)?);
            let latest = t.wrapping_add(left as u64 - 1);
            for (back, z) in z.chunks_exact_mut(of_z.max(1)).enumerate() {
                if filter.rate.yields(latest - back as u64) {
                    yields -= 1;
                    self.spread(piece(grad_out, yields, filter.output.len())?, z);
                } else {
                    z.fill(T::zero());
                }
            }
            let t = reversed_slot(latest, self.inner.extent(0));
            self.advance_inner(engine, t, (&mut *state, &mut *scratch), z, p)?;
            for p in p.chunks_exact(of_p.max(1)) {
                left -= 1;
                self.fold(p, piece_mut(grad_in, left, len)?);
            }
        }
        Ok(())
    }

    /// The gradient of a frame whose kernel has one frame: without state.
    #[inline(always)]
    pub(super) fn frame<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        grad_out: &[T],
        scratch: &mut [T],
        grad_in: &mut [T],
    ) -> Result<(), Error> {
        self.input(engine, (0, grad_out), &mut [], scratch, grad_in)
    }

    /// Runs the inner convolution. A function of its own, with the vectors of the lanes: inlined, the convolution is compiled anew.
    #[inline(never)]
    fn advance_inner<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        t: u64,
        (state, scratch): (&mut [T], &mut [T]),
        z: &[T],
        p: &mut [T],
    ) -> Result<usize, Error> {
        engine.lanes.vectorize(
            #[inline(always)]
            || self.inner.advance_with(engine, t, state, scratch, z, p),
        )
    }

    /// [`Adjoint::finish`] with given vectors and threads.
    ///
    /// # Errors
    /// [`Error::Length`] when called with wrong lengths.
    pub fn finish_with<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        state: &mut [T],
        scratch: &mut [T],
        mut first: FirstGradient<'_, T>,
    ) -> Result<(), Error> {
        let (Some(mode), slots) = (self.conv.options().pad, self.inner.extent(0)) else { return Ok(()) };
        let inner = self.inner.signature();
        let (frame, scratch) = scratch.split_at_mut_checked(self.conv.signature().input.len()).unwrap_or_default();
        let (z, scratch) = scratch.split_at_mut_checked(inner.input.len()).unwrap_or_default();
        let (p, scratch) = scratch.split_at_mut_checked(inner.output.len()).unwrap_or_default();
        z.fill(T::zero());
        for back in 1..slots {
            self.advance_inner(engine, back as u64, (state, scratch), z, p)?;
            self.fold(p, frame);
            first.add(mode, back, frame);
        }
        first.spread();
        Ok(())
    }

    /// Copies the gradient of an output frame to where the inner convolution reads it, among zeros.
    #[inline(always)]
    fn spread(&self, from: &[T], z: &mut [T]) {
        let size = self.conv.signature().output;
        let planes = from.chunks_exact(size.pixels().max(1)).zip(z.chunks_exact_mut(self.rows.len * self.cols.len));
        for (from, z) in planes {
            let rows = z.chunks_exact_mut(self.cols.len).skip(self.rows.first).step_by(self.rows.step);
            for (from, z) in from.chunks_exact(size.cols).zip(rows) {
                let z = z.get_mut(self.cols.first..).unwrap_or_default();
                if self.cols.step == 1 {
                    copy(z, from);
                } else {
                    z.iter_mut().step_by(self.cols.step).zip(from).for_each(|(z, g)| *z = *g);
                }
            }
        }
    }

    /// Adds each pixel of the frame and its border to the pixel that it was read from.
    #[inline(always)]
    fn fold(&self, p: &[T], grad_in: &mut [T]) {
        let Shape { rows, cols, .. } = self.conv.signature().input;
        let border = self.conv.options().border.unwrap_or(Border::Zeros);
        let (above, left) = (self.rows.pixel, self.cols.pixel);
        let planes = p.chunks_exact(self.rows.len * self.cols.len).zip(grad_in.chunks_exact_mut(rows * cols));
        for (p, to) in planes {
            // The rows of the frame first, which are copied.
            for r in (above..above + rows).chain(0..above).chain(above + rows..self.rows.len) {
                let (Ok(p), Some(row)) = (piece(p, r, self.cols.len), border.index(r as isize - above as isize, rows))
                else {
                    continue;
                };
                let to = piece_mut(to, row, cols).unwrap_or_default();
                let pixels = p.get(left..).unwrap_or(&[]);
                if (above..above + rows).contains(&r) {
                    copy(to, pixels);
                } else {
                    add(to, pixels);
                }
                for c in (0..left).chain(left + cols..self.cols.len) {
                    if let Some(col) = border.index(c as isize - left as isize, cols)
                        && let (Some(to), Some(p)) = (to.get_mut(col), p.get(c))
                    {
                        *to = *to + *p;
                    }
                }
            }
        }
    }
}

impl<T: Sample> Adjoint<T> for ConvAdjoint<'_, T> {
    fn needs(&self) -> Needs {
        Self::needs(self)
    }

    fn retreat(&self, chunk: Chunk<'_, T>, memory: Memory<'_, T>) -> Result<(), Error> {
        self.retreat_with(Engine::single_thread(T::LANES), chunk, memory)
    }

    fn finish(&self, state: &mut [T], scratch: &mut [T], first: FirstGradient<'_, T>) -> Result<(), Error> {
        self.finish_with(Engine::single_thread(T::LANES), state, scratch, first)
    }
}
