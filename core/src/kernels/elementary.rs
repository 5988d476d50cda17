//! The exponential, sine and cosine for constants: `libm` is not `const`.
//!
//! ```text
//! exp(x) = 2^k exp(r),   k = round(x / ln 2),   |r| <= ln(2) / 2:   series of 14 terms
//! cos(x) = +-cos(r) or +-sin(r),   n = round(2 x / pi),   |r| <= pi/4:   series of 9 terms
//! ```
//! Error: `exp` is within 1 unit in the last place of `libm`'s over the whole range; where the result is subnormal, within 2 of
//! the smallest numbers. `sin` and `cos` are within 2.3e-16 of `libm`'s, absolutely, for arguments up to [`LARGEST`]. Tests show
//! both. Cost: about 40 operations, when the program is built.

/// The largest argument of [`sin`] and [`cos`], 10^5: whole turns are taken off exactly up to there.
pub(super) const LARGEST: f64 = 1e5;

/// ln 2 and pi/2 in parts, of which the first have so few digits that their products with whole numbers are exact.
const LN_2: [f64; 2] = [f64::from_bits(0x3FE6_2E42_FEE0_0000), f64::from_bits(0x3DEA_39EF_3579_3C76)];
const HALF_PI: [f64; 3] = [
    f64::from_bits(0x3FF9_21FB_5440_0000),
    f64::from_bits(0x3DD0_B461_1A60_0000),
    f64::from_bits(0x3BA3_198A_2E03_7073),
];

/// The nearest whole number.
const fn nearest(x: f64) -> i64 {
    (if x < 0.0 { x - 0.5 } else { x + 0.5 }) as i64
}

/// 2^k, for `k` from -1022 to 1023.
const fn power(k: i64) -> f64 {
    f64::from_bits(((k + 1023) as u64) << 52)
}

/// e to the power of `x`.
pub(super) const fn exp(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x > 709.8 {
        return f64::INFINITY;
    }
    if x < -745.2 {
        return 0.0;
    }
    let k = nearest(x * core::f64::consts::LOG2_E);
    let (high, low) = (x - k as f64 * LN_2[0], k as f64 * LN_2[1]);
    let r = high - low;
    // (exp(r) - 1 - r) / r^2, from the smallest term on.
    let (mut series, mut n) = (0.0, 15);
    while n > 2 {
        series = (series + 1.0) * r / n as f64;
        n -= 1;
    }
    let series = 0.5 * (series + 1.0);
    // What `r` lost in the subtraction, at first order.
    let lost = (high - r) - low;
    let value = 1.0 + (r + (r * r * series + lost));
    // In two steps, as 2^k alone may be no normal number.
    let half = k / 2;
    value * power(half) * power(k - half)
}

/// The sine of `x`; NaN above [`LARGEST`].
pub(super) const fn sin(x: f64) -> f64 {
    turned(x, 3)
}

/// The cosine of `x`; NaN above [`LARGEST`].
pub(super) const fn cos(x: f64) -> f64 {
    turned(x, 0)
}

/// The cosine of `x` and so many quarters of a turn.
const fn turned(x: f64, quarters: i64) -> f64 {
    if !(x >= -LARGEST && x <= LARGEST) {
        return f64::NAN;
    }
    let n = nearest(x * core::f64::consts::FRAC_2_PI);
    let [a, b, c] = HALF_PI;
    let (high, low) = ((x - n as f64 * a) - n as f64 * b, n as f64 * c);
    let r = high - low;
    let (z, odd) = (r * r, (n + quarters) & 1 == 1);
    // 1 - z/2! + z^2/4! ..  or  r (1 - z/3! + z^2/5! ..)
    let (mut series, mut i) = (0.0, 9);
    while i > 0 {
        let (first, second) = if odd { (2 * i, 2 * i + 1) } else { (2 * i - 1, 2 * i) };
        series = -(1.0 + series) * z / (first * second) as f64;
        i -= 1;
    }
    let value = if odd { r + r * series } else { 1.0 + series };
    // cos(r + n pi/2) is cos r, -sin r, -cos r, sin r for n = 0 .. 3.
    if (n + quarters) & 3 == 1 || (n + quarters) & 3 == 2 { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Units in the last place between two numbers of one sign.
    fn units(a: f64, b: f64) -> u64 {
        a.to_bits().abs_diff(b.to_bits())
    }

    #[test]
    fn the_exponential_is_that_of_libm() {
        for i in -746_000..=710_000 {
            let x = f64::from(i) * 1.000_01e-3;
            let (found, expected) = (exp(x), libm::exp(x));
            let most = if expected < f64::MIN_POSITIVE { 2 } else { 1 };
            assert!(units(found, expected) <= most, "{x}: {found:e}, {expected:e}");
        }
        let cases = [(0.0, 1.0), (-0.0, 1.0), (1e4, f64::INFINITY), (-1e4, 0.0), (f64::INFINITY, f64::INFINITY)];
        for (x, y) in cases {
            assert_eq!(exp(x), y, "{x}");
        }
        assert_eq!(exp(f64::NEG_INFINITY), 0.0);
        assert!(exp(f64::NAN).is_nan());
    }

    #[test]
    fn sine_and_cosine_are_those_of_libm() {
        for i in -1_000_000..=1_000_000 {
            let x = f64::from(i) * 0.1;
            for (found, expected) in [(sin(x), libm::sin(x)), (cos(x), libm::cos(x))] {
                assert!((found - expected).abs() <= 2.3e-16, "{x}: {found:e}, {expected:e}");
            }
        }
        assert!(cos(1.1e5).is_nan() && sin(f64::NAN).is_nan());
    }

    proptest! {
        #![proptest_config(foveola_seeds::config(4096, module_path!()))]

        #[test]
        fn anywhere(x in -700.0_f64..700.0, y in -LARGEST..LARGEST, z in -8.0_f64..8.0) {
            prop_assert!(units(exp(x), libm::exp(x)) <= 1, "exp {}", x);
            prop_assert!(units(exp(z), libm::exp(z)) <= 1, "exp {}", z);
            for y in [y, z] {
                prop_assert!((sin(y) - libm::sin(y)).abs() <= 2.3e-16, "sin {}", y);
                prop_assert!((cos(y) - libm::cos(y)).abs() <= 2.3e-16, "cos {}", y);
            }
        }
    }
}
