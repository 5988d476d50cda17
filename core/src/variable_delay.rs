//! A delay for each pixel: `out[t, r, c] = in[t - D[r, c], r, c]`, 0 before the start.
//!
//! `D` is in frames, 0 or more, row-major over rows x columns; all channels share it.
//! State: `max(D) + 1` frames. Cost: one copy and one gather per sample.

use crate::error::exact;
use crate::filter::{copy, piece_mut};
use crate::{Error, Filter, Sample, Shape, Signature};

/// Delay by `delays[row * cols + col]` frames; see the [equation](self).
///
/// ```
/// use foveola_core::{constant, Filter, Shape, VariableDelay};
/// static DELAYS: [u32; 2] = [0, 2];
/// const DELAY: VariableDelay = constant!(VariableDelay::new(Shape::new(1, 1, 2), &DELAYS));
/// let mut state = [0.0_f32; DELAY.signature().state];
/// let mut out = [0.0; 6];
/// DELAY.run(0, &mut state, &mut [], &[1.0, 1.0, 2.0, 2.0, 3.0, 3.0], &mut out).unwrap();
/// assert_eq!(out, [1.0, 0.0, 2.0, 0.0, 3.0, 1.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct VariableDelay<'d> {
    shape: Shape,
    delays: &'d [u32],
    slots: usize,
}

impl<'d> VariableDelay<'d> {
    /// A delay map for frames of `shape`.
    ///
    /// # Errors
    /// [`Error::Length`] unless the map has one delay for each pixel.
    pub const fn new(shape: Shape, delays: &'d [u32]) -> Result<Self, Error> {
        if let Err(error) = exact("the delay map", delays.len(), shape.pixels()) {
            return Err(error);
        }
        let (mut max, mut i) = (0, 0);
        while i < delays.len() {
            if delays[i] > max {
                max = delays[i];
            }
            i += 1;
        }
        Ok(Self { shape, delays, slots: (max as usize).saturating_add(1) })
    }

    /// The delay map.
    pub const fn delays(&self) -> &'d [u32] {
        self.delays
    }

    /// What the filter takes, yields and needs.
    pub const fn signature(&self) -> Signature {
        Signature::same(self.shape, self.slots.saturating_mul(self.shape.len()))
    }
}

impl<T: Sample> Filter<T> for VariableDelay<'_> {
    fn signature(&self) -> Signature {
        Self::signature(self)
    }

    fn advance(&self, t: u64, state: &mut [T], _: &mut [T], input: &[T], output: &mut [T]) -> Result<usize, Error> {
        let len = self.shape.len().max(1);
        let pixels = self.shape.pixels().max(1);
        let mut now = t.checked_rem(self.slots as u64).unwrap_or(0) as usize;
        let mut frames = 0;
        for (x, y) in input.chunks_exact(len).zip(output.chunks_exact_mut(len)) {
            copy(piece_mut(state, now, len)?, x);
            for (channel, y) in y.chunks_exact_mut(pixels).enumerate() {
                let base = channel * pixels;
                for (pixel, (y, &delay)) in y.iter_mut().zip(self.delays).enumerate() {
                    let delay = delay as usize;
                    let slot = if now >= delay { now - delay } else { now + (self.slots - delay) };
                    *y = state.get(slot * len + base + pixel).copied().unwrap_or_else(T::zero);
                }
            }
            now = if now + 1 == self.slots { 0 } else { now + 1 };
            frames += 1;
        }
        Ok(frames)
    }
}
