//! Weights as integers: `w = 2^(shift - 15) n`, with the smallest shift for which all of them have 16 bits and no sum of products
//! overflows 32 bits, whatever the input.
//!
//! ```text
//! |n| <= 32767,   sum |n| over the weights of an output and its bias <= 65535
//! ```

use foveola_core::Q15;
use foveola_core::fixed::fits;

/// Weights and biases of one filter.
pub(super) struct Steps {
    pub(super) weights: Vec<Q15>,
    pub(super) bias: Vec<Q15>,
    pub(super) shift: i8,
}

/// `weights` of `sums` outputs and their biases, if there are any; none where no shift is large enough.
pub(super) fn steps(weights: &[f64], bias: &[f64], sums: usize) -> Option<Steps> {
    let most = weights.iter().chain(bias).fold(0.0, |most: f64, w| most.max(w.abs()));
    let least = if most > 0.0 { most.log2().floor() as i32 } else { 0 };
    (least.max(-15)..=15).find_map(|shift| {
        let unit = 2.0_f64.powi(15 - shift);
        let steps = |w: &f64| {
            let n = (w * unit + 0.5).floor();
            (n.abs() <= 32767.0).then(|| Q15::from_bits(n as i16))
        };
        let weights: Vec<Q15> = weights.iter().map(steps).collect::<Option<_>>()?;
        let bias: Vec<Q15> = bias.iter().map(steps).collect::<Option<_>>()?;
        let taps = weights.len() / sums.max(1);
        let of = |sum: usize| bias.get(sum).copied().unwrap_or_default();
        let fit = (0..sums).all(|sum| fits(weights.get(sum * taps..(sum + 1) * taps).unwrap_or(&[]), of(sum)));
        fit.then_some(Steps { weights, bias, shift: shift as i8 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use foveola_core::Sample;

    #[test]
    fn the_smallest_shift_is_taken() {
        let of = |weights: &[f64], bias: &[f64], sums: usize| {
            let Steps { weights: found, bias: of_bias, shift } = steps(weights, bias, sums).expect("a shift");
            let unit = 2.0_f64.powi(shift.into());
            for (n, w) in found.iter().chain(&of_bias).zip(weights.iter().chain(bias)) {
                assert!((n.to_f64() * unit - w).abs() <= unit / 65536.0, "{n:?} times {unit} for {w}");
            }
            shift
        };
        assert_eq!(of(&[0.5, 0.25], &[], 1), 0);
        assert_eq!(of(&[1.0, 0.5], &[], 1), 1, "1 itself is no sample");
        assert_eq!(of(&[0.9, 0.9, 0.9], &[], 1), 1, "a sum of 2.7 of the 2 that 32 bits hold");
        assert_eq!(of(&[0.9, 0.9, 0.9, 0.9], &[], 2), 0, "two sums of 1.8");
        assert_eq!(of(&[0.9, 0.9], &[0.9], 1), 1, "with its bias");
        assert_eq!(of(&[0.0; 3], &[], 1), 0);
        assert_eq!(of(&[1e-9], &[], 1), -15, "and all is 0");
        assert!(steps(&[4e4], &[], 1).is_none());
    }
}
