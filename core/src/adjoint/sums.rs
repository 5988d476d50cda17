//! Sums of products for gradients of parameters.
//!
//! Eight chains of at most 64 additions in the samples' own type, whose results are added in `f64`: the error is at most `64 u`
//! of the sum of magnitudes, with `u` = 6e-8 in single precision.

use crate::Sample;
use crate::lanes::Lanes;
use crate::sums::CHAIN;

/// Chains side by side.
const CHAINS: usize = 8;

/// The sum of `f` of the samples at the same place in each of `slices`, up to the shortest.
#[inline(always)]
pub(super) fn sum_of<T: Sample, L: Lanes<T>, const N: usize>(
    lanes: L,
    slices: [&[T]; N],
    f: impl Fn([T; N]) -> T + Copy,
) -> f64 {
    lanes.vectorize(
        #[inline(always)]
        || {
            let groups = slices.map(|x| x.as_chunks::<CHAINS>().0);
            let count = groups.iter().map(|x| x.len()).min().unwrap_or(0);
            let mut total = 0.0;
            for block in (0..count).step_by(CHAIN) {
                let groups = groups.map(|x| x.get(block..count.min(block + CHAIN)).unwrap_or(&[]));
                let mut sums = [T::zero(); CHAINS];
                for i in 0..CHAIN.min(count - block) {
                    let x = groups.map(|x| x.get(i).copied().unwrap_or([T::zero(); CHAINS]));
                    for (k, sum) in sums.iter_mut().enumerate() {
                        *sum = *sum + f(x.map(|x| x[k]));
                    }
                }
                total += sums.iter().map(|x| x.to_f64()).sum::<f64>();
            }
            let rest = slices.map(|x| x.get(count * CHAINS..).unwrap_or(&[]));
            for i in 0..rest.iter().map(|x| x.len()).min().unwrap_or(0) {
                total += f(rest.map(|x| x.get(i).copied().unwrap_or_else(T::zero))).to_f64();
            }
            total
        },
    )
}

/// The sum of `x y`: the gradient of the weight of a branch is that of its frames and the gradient of the sum.
///
/// ```
/// assert_eq!(foveola_core::adjoint::inner_product(&[1.0_f32, 2.0], &[3.0, 4.0]), 11.0);
/// ```
pub fn inner_product<T: Sample>(x: &[T], y: &[T]) -> f64 {
    sum_of(T::LANES, [x, y], |[x, y]| x * y)
}
