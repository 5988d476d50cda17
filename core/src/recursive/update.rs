//! One frame of the recursions, over the samples of a row: `y += (1-a) (x - y)`, compensated where the [decay](super)
//! requires it.

use super::Decay;
use crate::eights::in_eights;
use crate::filter::copy;
use crate::sample::{Sample, Scaled};
use core::iter::successors;
use core::ops::Range;

/// `x`, or 0 below `least` in magnitude. NaN stays NaN.
#[inline(always)]
fn or_zero<T: Sample>(x: T, least: f64) -> T {
    let least = T::from_f64(least);
    // Without a branch, for vectors.
    if (x < least) & (x > T::zero() - least) { T::zero() } else { x }
}

/// Makes small state words zero: below 2^-72 in magnitude in `f32`.
#[inline(always)]
pub(super) fn flush<T: Sample>(y: &mut [T]) {
    for y in y {
        *y = or_zero(*y, T::SMALL);
    }
}

/// The elements of `places` that are due before frame `t`: those for which `t + place` is a multiple of `period`, a
/// power of two; none for 0. `t` is the frame's number as far as a `usize` holds it.
#[inline(always)]
pub(super) fn due(t: usize, period: u32, places: Range<usize>) -> impl Iterator<Item = usize> {
    let (period, end) = (period as usize, places.end);
    let since = t.wrapping_add(places.start);
    let first = places.start.saturating_add(since.wrapping_neg() & period.wrapping_sub(1));
    // A stepped range would divide.
    let next = move |place: &usize| place.checked_add(period);
    successors((period > 0).then_some(first), next).take_while(move |place| *place < end)
}

/// Samples of a frame that are due together.
const GROUP: usize = 64;

/// [`flush`] of what is due before frame `t` in `y`, the state of the samples from `from` on.
#[inline(always)]
pub(super) fn flush_due<T: Sample>(decay: Decay, t: usize, from: usize, y: &mut [T]) {
    let end = from + y.len();
    for group in due(t, decay.period, from / GROUP..end.div_ceil(GROUP)) {
        let (first, last) = (group * GROUP, (group + 1) * GROUP);
        flush(y.get_mut(first.max(from) - from..last.min(end) - from).unwrap_or_default());
    }
}

/// The increment of a compensated recursion that counts as zero, relative to [`Sample::SMALL`]: 2^-100 in `f32`.
const INCREMENT: f64 = 1.0 / (1 << 28) as f64;

/// A compensated step of a sample.
#[inline(always)]
pub(crate) fn compensated<T: Sample>(gain: T, x: T, y: &mut T, c: &mut T) {
    let increment = or_zero(gain * (x - *y) + *c, T::SMALL * INCREMENT);
    let sum = *y + increment;
    *c = increment - (sum - *y);
    *y = sum;
}

/// Whether the gain of a recursion is 1.
#[inline(always)]
pub(super) fn is_copy<T: Sample>(decay: Decay) -> bool {
    T::from_f64(decay.gain) == T::one()
}

/// The gain of a recursion.
#[inline(always)]
pub(super) fn scaled<T: Sample>(decay: Decay) -> Scaled<T> {
    let Scaled { value: [value], shift } = T::scaled([decay.gain]);
    Scaled { value, shift }
}

/// The gain of a recursion that computes `y += (1-a) (x - y)` directly.
#[inline(always)]
pub(super) fn plain<T: Sample>(decay: Decay) -> Option<Scaled<T>> {
    (!is_copy::<T>(decay) && !decay.is_compensated()).then(|| scaled(decay))
}

/// One step of every sample of any recursion; `c` are the remainders of a compensated one.
#[inline(always)]
pub(super) fn smooth<T: Sample>(decay: Decay, x: &[T], y: &mut [T], c: &mut [T]) {
    let gain = scaled(decay);
    if is_copy::<T>(decay) {
        // y + (x - y) would round.
        copy(y, x);
    } else if decay.is_compensated() {
        T::approach_samples(x, y, c, gain);
    } else {
        smooth_once(gain, x, y);
    }
}

/// A plain recursion.
#[inline(always)]
pub(super) fn smooth_once<T: Sample>(gain: Scaled<T>, x: &[T], y: &mut [T]) {
    for (x, y) in x.iter().zip(y) {
        *y = y.approach(*x, gain);
    }
}

/// [`smooth`] of `2^shift x` without a remainder, for integers.
pub(super) fn smooth_amplified<T: Sample>(decay: Decay, shift: i8, x: &[T], y: &mut [T]) {
    if is_copy::<T>(decay) {
        x.iter().zip(y).for_each(|(x, y)| *y = x.amplified(T::zero(), shift));
        return;
    }
    let gain = scaled(decay);
    for (x, y) in x.iter().zip(y) {
        T::approach_amplified(y, &mut T::zero(), *x, gain, shift);
    }
}

/// Two plain recursions in one pass, so that no sample is loaded twice.
#[inline(always)]
pub(super) fn smooth_twice<T: Sample>([a, b]: [Scaled<T>; 2], x: &[T], [y, z]: [&mut [T]; 2]) {
    in_eights(((x, y), z), |((x, y), z)| {
        for ((x, y), z) in x.iter().zip(y).zip(z) {
            *y = y.approach(*x, a);
            *z = z.approach(*y, b);
        }
    });
}

/// Three plain recursions in one pass.
#[inline(always)]
pub(super) fn smooth_thrice<T: Sample>([a, b, c]: [Scaled<T>; 3], x: &[T], [u, y, z]: [&mut [T]; 3]) {
    in_eights((((x, u), y), z), |(((x, u), y), z)| {
        for (((x, u), y), z) in x.iter().zip(u).zip(y).zip(z) {
            *u = u.approach(*x, a);
            *y = y.approach(*u, b);
            *z = z.approach(*y, c);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec::Vec;

    /// Every place is due once in a period, wherever its range begins, and also where `t` begins anew.
    #[test]
    fn every_place_is_due_once_in_a_period() {
        for period in [1, 2, 16, 64] {
            for first in [0, 5, 63, 64, 100] {
                for start in [0, 1, 77, usize::MAX - 20] {
                    let mut seen = [0; 30];
                    for t in (0..period as usize).map(|t| t.wrapping_add(start)) {
                        for place in due(t, period, first..first + seen.len()) {
                            assert_eq!(t.wrapping_add(place) % period as usize, 0, "place {place} at {t}");
                            seen[place - first] += 1;
                        }
                    }
                    assert_eq!(seen, [1; 30], "period {period}, from {first}, {start}");
                }
            }
        }
        assert_eq!(due(0, 0, 0..10).count(), 0, "none");
    }

    /// For any split of the state, each sample becomes zero before the same frame.
    #[test]
    fn a_cut_of_the_state_does_not_matter() {
        let decay = Decay::new(1.5, 1.0).unwrap();
        for t in 0..40 {
            let whole = &mut [1e-30_f32; 300][..];
            flush_due(decay, t, 0, whole);
            assert!(t % 16 == 0 || whole[0] != 0.0, "the first sample is due every 16 frames");
            for cut in [1, 63, 64, 65, 130, 299] {
                let mut pieces = [1e-30_f32; 300];
                let (a, b) = pieces.split_at_mut(cut);
                flush_due(decay, t, 0, a);
                flush_due(decay, t, cut, b);
                assert_eq!(pieces, *whole, "cut at {cut}, frame {t}");
            }
        }
        let mut mixed: Vec<f32> = std::vec![1e-21, -1e-21, 2.2e-22, -2.1e-22, 1e-40, 0.0, f32::NAN, f32::INFINITY];
        flush(&mut mixed);
        assert_eq!(mixed[..6], [1e-21, -1e-21, 2.2e-22, 0.0, 0.0, 0.0]);
        assert!(mixed[6].is_nan() && mixed[7] == f32::INFINITY, "what is not finite stays");
    }
}
