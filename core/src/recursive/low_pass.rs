//! Exponential low-pass: `y[t] = a y[t-1] + (1 - a) x[t]`, `a = exp(-1 / (tau fs))`, `y[-1] = 0`.
//!
//! Computed as `y += (1 - a) (x - y)`: the gain at DC is 1 exactly, since a constant input is a fixed point to the bit.
//! `tau = 0` copies. State: `y`, one frame. Cost: 3 operations a sample.
//! In single precision `y` comes to rest within `ulp(x) / (2 (1 - a))` of a constant input (3e-5 of it for
//! `tau fs = 1000`). Reference: a first-order IIR filter, e.g. Oppenheim and Schafer, Discrete-Time Signal Processing, 2010.

use super::Decay;
use crate::engine::{Engine, Fork};
use crate::filter::copy;
use crate::lanes::Lanes;
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
}

impl LowPass {
    /// A low-pass of frames of `shape`.
    pub const fn new(shape: Shape, decay: Decay) -> Self {
        Self { shape, decay }
    }

    /// The decay.
    pub const fn decay(&self) -> Decay {
        self.decay
    }

    /// What the filter takes, yields and needs.
    pub const fn signature(&self) -> Signature {
        Signature::same(self.shape, self.shape.len())
    }
}

impl LowPass {
    /// [`Filter::advance`] with given vectors and threads.
    #[inline(always)]
    pub fn advance_with<T: Sample, L: Lanes<T>, F: Fork>(
        &self,
        engine: Engine<L, F>,
        state: &mut [T],
        input: &[T],
        output: &mut [T],
    ) -> usize {
        self.each(
            engine,
            state,
            input,
            output,
            #[inline(always)]
            |_, y| y,
        )
    }

    /// Writes `write(x, y)` for each sample, `y` being the low-passed `x`.
    #[inline(always)]
    pub(super) fn each<T: Sample, L: Lanes<T>, F: Fork>(
        &self,
        engine: Engine<L, F>,
        state: &mut [T],
        input: &[T],
        output: &mut [T],
        write: impl Fn(T, T) -> T + Copy + Send + Sync,
    ) -> usize {
        let gain = T::from_f64(self.decay.gain());
        if gain == T::one() {
            // y + (x - y) would round.
            return scan(
                engine,
                self.shape.len(),
                state,
                input,
                output,
                #[inline(always)]
                |x, y, out| {
                    copy(y, x);
                    x.iter().zip(out).for_each(|(x, out)| *out = write(*x, *x));
                },
            );
        }
        scan(
            engine,
            self.shape.len(),
            state,
            input,
            output,
            #[inline(always)]
            |x, y, out| {
                if cfg!(any(not(target_os = "none"), helium)) {
                    return smooth_and_write(gain, x, y, out, write);
                }
                // Without vectors, eight samples a turn: to count the turns costs half a sample.
                let ((x, x_rest), (y, y_rest), (out, out_rest)) =
                    (x.as_chunks::<8>(), y.as_chunks_mut::<8>(), out.as_chunks_mut::<8>());
                for ((x, y), out) in x.iter().zip(y).zip(out) {
                    smooth_and_write(gain, x, y, out, write);
                }
                smooth_and_write(gain, x_rest, y_rest, out_rest, write);
            },
        )
    }
}

#[inline(always)]
fn smooth_and_write<T: Sample>(gain: T, x: &[T], y: &mut [T], out: &mut [T], write: impl Fn(T, T) -> T) {
    for ((x, y), out) in x.iter().zip(y).zip(out) {
        *y = *y + gain * (*x - *y);
        *out = write(*x, *y);
    }
}

/// One step of every sample: `y += gain (x - y)`.
#[inline(always)]
pub(super) fn smooth<T: Sample>(decay: Decay, x: &[T], y: &mut [T]) {
    let gain = T::from_f64(decay.gain());
    if gain == T::one() {
        // y + (x - y) would round.
        return copy(y, x);
    }
    for (x, y) in x.iter().zip(y) {
        *y = *y + gain * (*x - *y);
    }
}

/// [`smooth`] of `y`, then of `z` by what became of `y`: in one walk, so that no sample is loaded twice.
#[inline(always)]
pub(super) fn smooth_twice<T: Sample>(decays: [Decay; 2], x: &[T], [y, z]: [&mut [T]; 2]) {
    let [a, b] = decays.map(|decay| T::from_f64(decay.gain()));
    if a == T::one() || b == T::one() {
        smooth(decays[0], x, y);
        return smooth(decays[1], y, z);
    }
    for ((x, y), z) in x.iter().zip(y).zip(z) {
        *y = *y + a * (*x - *y);
        *z = *z + b * (*y - *z);
    }
}

/// [`smooth_twice`] with one more.
#[inline(always)]
pub(super) fn smooth_thrice<T: Sample>(decays: [Decay; 3], x: &[T], [u, y, z]: [&mut [T]; 3]) {
    let [a, b, c] = decays.map(|decay| T::from_f64(decay.gain()));
    if a == T::one() || b == T::one() || c == T::one() {
        smooth(decays[0], x, u);
        return smooth_twice([decays[1], decays[2]], u, [y, z]);
    }
    for (((x, u), y), z) in x.iter().zip(u).zip(y).zip(z) {
        *u = *u + a * (*x - *u);
        *y = *y + b * (*u - *y);
        *z = *z + c * (*y - *z);
    }
}

impl<T: Sample> Filter<T> for LowPass {
    fn signature(&self) -> Signature {
        Self::signature(self)
    }

    fn advance(&self, _: u64, state: &mut [T], _: &mut [T], input: &[T], output: &mut [T]) -> Result<usize, Error> {
        Ok(self.advance_with(Engine::alone(T::LANES), state, input, output))
    }
}
