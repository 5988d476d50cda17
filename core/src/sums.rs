//! Sums of many samples: chains of at most 64 additions, whose results are added in such chains again.
//!
//! One chain of `n` additions has an error of up to `n u sum |x|`, where `u` is half a unit in the last place of 1
//! (6e-8 in `f32`): 4 million times 0.1 gives a sum that is 4 % wrong. Here a sample takes part in at most
//! `64 (1 + log_64 n)` additions, so the error is at most `64 (1 + log_64 n) u sum |x|`: 2e-5 of `sum |x|` for 4
//! million samples. Up to 64 samples are one chain. The order depends only on `n`.

use crate::Sample;

/// Additions in a chain.
pub(crate) const CHAIN: usize = 64;

/// Chains of chains: enough for 2^36 samples; more make the last chain longer.
const LEVELS: usize = 5;

/// The sum of `blocks`, each the sum of a chain.
#[inline(always)]
pub(crate) fn of_blocks<A: Copy>(zero: A, blocks: impl Iterator<Item = A>, add: impl Fn(A, A) -> A) -> A {
    let (mut levels, mut last) = ([zero; LEVELS - 1], zero);
    'blocks: for (k, block) in blocks.enumerate() {
        let (mut sum, mut done) = (block, k + 1);
        for level in &mut levels {
            *level = add(*level, sum);
            if !done.is_multiple_of(CHAIN) {
                continue 'blocks;
            }
            (sum, done) = (*level, done / CHAIN);
            *level = zero;
        }
        last = add(last, sum);
    }
    add(last, levels.into_iter().rev().fold(zero, &add))
}

/// The sum of `samples`.
#[inline(always)]
pub(crate) fn sum<T: Sample>(samples: &[T]) -> T {
    let chain = |x: &[T]| x.iter().fold(T::zero(), |sum, x| sum + *x);
    if samples.len() <= CHAIN {
        return chain(samples);
    }
    of_blocks(T::zero(), samples.chunks(CHAIN).map(chain), |a, b| a + b)
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec::Vec;

    /// `64 (1 + log_64 n) u` of the sum of magnitudes, with a percent for what is of higher order.
    fn bound(n: usize) -> f64 {
        64.0 * (1.0 + (n.max(2) as f64).log(64.0)) * f64::from(f32::EPSILON) / 2.0 * 1.01
    }

    #[test]
    fn sums_stay_within_their_bound() {
        let tenth = 0.1_f32;
        for n in [0, 1, 63, 64, 65, 4095, 4096, 4097, 262_144, 262_145, 4_000_000] {
            let (found, expected) = (f64::from(sum(&std::vec![tenth; n])), f64::from(tenth) * n as f64);
            assert!((found - expected).abs() <= bound(n) * expected, "{n} times 0.1: {found}, expected {expected}");
        }
        // The order in which magnitudes come does not matter for the bound.
        for n in [100, 10_000, 1_000_000] {
            let mixed: Vec<f32> = (0..n).map(|i| if i % 3 == 0 { -1e3 } else { 0.37 * (i % 7) as f32 }).collect();
            let (exact, magnitudes) =
                mixed.iter().fold((0.0, 0.0), |(sum, all), x| (sum + f64::from(*x), all + f64::from(x.abs())));
            let found = f64::from(sum(&mixed));
            assert!((found - exact).abs() <= bound(n) * magnitudes, "{n}: {found}, expected {exact}");
        }
    }

    /// Every block counts once, wherever a chain ends.
    #[test]
    fn no_block_is_lost() {
        for n in (0..200).chain([4095, 4096, 4097, 8192, 262_143, 262_144, 262_145, 300_000]) {
            assert_eq!(of_blocks(0_u64, 1..=n, |a, b| a + b), n * (n + 1) / 2, "{n} blocks");
        }
        assert_eq!(of_blocks(0, core::iter::repeat_n(1_u32, 1 << 24), |a, b| a + b), 1 << 24, "more than four levels");
    }
}
