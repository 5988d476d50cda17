//! `1 - exp(-u)` in constants, where `libm` cannot be called.

/// `1 - exp(-u)` for `u >= 0`, to a few units in the last place: Taylor on `u / 2^k <= 1/4`, then `k` doublings
/// `p(2v) = p(v) (2 - p(v))`, which never cancel.
pub(crate) const fn one_minus_exp_neg(u: f64) -> f64 {
    if u > 64.0 {
        return 1.0; // exp(-64) is below half a unit in the last place
    }
    let (mut v, mut doublings) = (u, 0);
    while v > 0.25 {
        v *= 0.5;
        doublings += 1;
    }
    // v - v^2/2! + v^3/3! - …, by Horner; the first term left out is below 0.25^14 / 14! < 1e-19.
    let (mut sum, mut n) = (0.0, 13);
    while n > 0 {
        sum = v / n as f64 * (1.0 - sum);
        n -= 1;
    }
    while doublings > 0 {
        sum *= 2.0 - sum;
        doublings -= 1;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::one_minus_exp_neg;

    #[test]
    fn agrees_with_libm() {
        for i in 0..20_000 {
            let u = libm::exp(f64::from(i) * 0.0017 - 25.0); // 1e-11 .. 8000
            let (ours, theirs) = (one_minus_exp_neg(u), -libm::expm1(-u));
            // Two rounding steps per doubling, at most nine of them.
            assert!((ours - theirs).abs() <= 16.0 * f64::EPSILON * theirs, "u = {u}: {ours} and {theirs}");
        }
        assert_eq!(one_minus_exp_neg(0.0), 0.0);
        assert_eq!(one_minus_exp_neg(f64::INFINITY), 1.0);
    }
}
