//! Exponential low-pass: `y[t] = a y[t-1] + (1 - a) x[t]`, `a = exp(-1 / (tau fs))`, `y[-1] = 0`.
//!
//! Computed as `y += (1 - a) (x - y)`, compensated for long time constants. A constant input is an exact fixed point.
//! From another value, `y` settles within 1e-4 of the input, relative to it, in single precision. [`recursive`](super)
//! has the bounds and the treatment of small numbers. `tau = 0` copies.
//!
//! State: `y`, one frame; from `tau fs = 1680` on two frames, the second with remainders. Cost: 3 operations per
//! sample, or 8.
//! Reference: a first-order IIR filter, e.g. Oppenheim and Schafer, Discrete-Time Signal Processing, 2010.

use super::Decay;
use super::update::{flush_due, plain, scaled};
use crate::eights::in_eights;
use crate::engine::{Engine, WorkSplitter};
use crate::filter::copy;
use crate::fixed::check_shift;
use crate::lanes::Lanes;
use crate::sample::Scaled;
use crate::scan::scan;
use crate::{Error, Filter, Sample, Shape, Signature};

/// Exponential low-pass of every pixel; see the [equation](self).
///
/// ```
/// use foveola_core::{constant, Decay, Filter, LowPass, Shape};
/// const LOW_PASS: LowPass = LowPass::new(Shape::new(1, 1, 1), constant!(Decay::from_gain(0.5)));
/// let (mut state, mut out) = ([0.0_f32], [0.0; 3]);
/// LOW_PASS.run(0, &mut state, &mut [], &[1.0, 0.0, 0.0], &mut out).unwrap();
/// assert_eq!(out, [0.5, 0.25, 0.125]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LowPass {
    shape: Shape,
    decay: Decay,
    /// The output is `2^shift y`.
    shift: i8,
}

impl LowPass {
    /// A low-pass of frames of `shape`.
    pub const fn new(shape: Shape, decay: Decay) -> Self {
        Self { shape, decay, shift: 0 }
    }

    /// The same low-pass, whose output is `2^shift y`. Samples that are [integers](crate::fixed) are then as exact as the remainder
    /// of the state, so that the output may be much smaller than the input.
    ///
    /// ```
    /// use foveola_core::{Decay, Filter, LowPass, Q15, Shape};
    /// let low_pass = LowPass::new(Shape::new(1, 1, 1), Decay::from_gain(1.0 / 1024.0)?.with_remainder()).amplified(8)?;
    /// let (mut state, mut out) = ([Q15::default(); 2], [Q15::default()]);
    /// low_pass.run(0, &mut state, &mut [], &[Q15::from_bits(64)], &mut out)?;
    /// assert_eq!(out[0].to_bits(), 16); // 256 times 64 / 1024
    /// # Ok::<(), foveola_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] for a shift outside -15 to 15.
    pub const fn amplified(self, shift: i8) -> Result<Self, Error> {
        match check_shift(shift) {
            Ok(()) => Ok(Self { shift, ..self }),
            Err(error) => Err(error),
        }
    }

    /// The power of two by which the output is [amplified](Self::amplified).
    pub const fn shift(&self) -> i8 {
        self.shift
    }

    /// The decay.
    pub const fn decay(&self) -> Decay {
        self.decay
    }

    /// What the filter takes, yields and needs.
    pub const fn signature(&self) -> Signature {
        Signature::same(self.shape, self.shape.len().saturating_mul(self.decay.words()))
    }
}

impl LowPass {
    /// [`Filter::advance`] with given vectors and threads.
    #[inline(always)]
    pub fn advance_with<T: Sample, L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        t: u64,
        state: &mut [T],
        input: &[T],
        output: &mut [T],
    ) -> usize {
        let shift = self.shift;
        if T::HAS_WIDE_SUMS && shift != 0 {
            return self.each(
                engine,
                t,
                state,
                input,
                output,
                #[inline(always)]
                |_, y, c| T::amplified(y, c, shift),
            );
        }
        let frames = self.each(
            engine,
            t,
            state,
            input,
            output,
            #[inline(always)]
            |_, y, _| y,
        );
        if shift != 0 {
            output.iter_mut().for_each(|y| *y = T::amplified(*y, T::zero(), shift));
        }
        frames
    }

    /// Writes `write(x, y, c)` for each sample, `y` being the low-passed `x`, and `c` its remainder, if it has one.
    #[inline(always)]
    pub(super) fn each<T: Sample, L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        t: u64,
        state: &mut [T],
        input: &[T],
        output: &mut [T],
        write: impl Fn(T, T, T) -> T + Copy + Send + Sync,
    ) -> usize {
        let (decay, len) = (self.decay, self.shape.len());
        if let Some(gain) = plain(decay) {
            return scan(
                engine,
                len,
                [state],
                input,
                output,
                #[inline(always)]
                |place, x, [y], out| {
                    flush_due(decay, (t as usize).wrapping_add(place.frame), place.pixel, y);
                    in_eights(((x, y), out), |((x, y), out)| smooth_and_write(gain, x, y, out, write));
                },
            );
        }
        if !decay.is_compensated() {
            // A gain of 1: y + (x - y) would round.
            return scan(
                engine,
                len,
                [state],
                input,
                output,
                #[inline(always)]
                |_, x, [y], out| {
                    copy(y, x);
                    x.iter().zip(out).for_each(|(x, out)| *out = write(*x, *x, T::zero()));
                },
            );
        }
        let (gain, (y, c)) = (scaled(decay), state.split_at_mut_checked(len).unwrap_or_default());
        scan(
            engine,
            len,
            [y, c],
            input,
            output,
            #[inline(always)]
            |_, x, [y, c], out| {
                if T::HAS_WIDE_SUMS {
                    T::approach_samples(x, y, c, gain);
                    let state = x.iter().zip(&*y).zip(&*c);
                    state.zip(out).for_each(|(((x, y), c), out)| *out = write(*x, *y, *c));
                    return;
                }
                for (((x, y), c), out) in x.iter().zip(y).zip(c).zip(out) {
                    T::approach_closely(y, c, [*x, T::zero()], gain);
                    *out = write(*x, *y, *c);
                }
            },
        )
    }
}

#[inline(always)]
fn smooth_and_write<T: Sample>(gain: Scaled<T>, x: &[T], y: &mut [T], out: &mut [T], write: impl Fn(T, T, T) -> T) {
    for ((x, y), out) in x.iter().zip(y).zip(out) {
        *y = y.approach(*x, gain);
        *out = write(*x, *y, T::zero());
    }
}

impl<T: Sample> Filter<T> for LowPass {
    fn signature(&self) -> Signature {
        Self::signature(self)
    }

    fn advance(&self, t: u64, state: &mut [T], _: &mut [T], input: &[T], output: &mut [T]) -> Result<usize, Error> {
        Ok(self.advance_with(Engine::single_thread(T::LANES), t, state, input, output))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Q15;

    fn output<T: Sample>(low_pass: LowPass, x: T) -> f64 {
        let (mut state, mut out) = ([T::zero(); 2], [T::zero()]);
        let state = &mut state[..low_pass.signature().state];
        low_pass.run(0, state, &mut [], &[x], &mut out).unwrap();
        out[0].to_f64()
    }

    /// Floats and integers are amplified alike, with a remainder and without.
    #[test]
    fn outputs_are_amplified() {
        let plain = LowPass::new(Shape::new(1, 1, 1), Decay::from_gain(0.5).unwrap());
        let closely = LowPass::new(Shape::new(1, 1, 1), Decay::from_gain(0.5).unwrap().with_remainder());
        for shift in [-15, -3, 0, 1, 5, 15] {
            let expected = 0.5 * 2.0_f64.powi(-10 + i32::from(shift));
            for low_pass in [plain, closely] {
                let low_pass = low_pass.amplified(shift).unwrap();
                let x = 2.0_f64.powi(-10);
                assert_eq!(output(low_pass, x as f32), expected, "shift {shift}");
                assert_eq!(output(low_pass, x), expected, "shift {shift}");
                let found = output(low_pass, Q15::from_f64(x));
                assert!((found - expected.min(32767.0 / 32768.0)).abs() <= 0.5 / 32768.0, "shift {shift}: {found}");
            }
        }
        assert!(plain.amplified(16).is_err() && plain.amplified(-16).is_err());
    }
}
