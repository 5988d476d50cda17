//! Exponential, softplus and logistic function of an `f32`, with the same bits on every machine.
//!
//! ```text
//! exp(x)      = 2^n exp(r),                 n = round(x / ln 2),  r = x - n ln 2
//! exp(r)      = 1 + r + r^2 P(r)            |r| <= ln 2 / 2
//! softplus(x) = max(x, 0) + ln(1 + z)       z = exp(-|x|), from 0 to 1
//! ln(1 + z)   = 2 artanh(v / 2)
//!             = v + v^3 Q(v^2)              v = 2 z / (2 + z), from 0 to 2/3
//! logistic(x) = 1 / (1 + z) for x >= 0,     z / (1 + z) below
//! ```
//! Additions, multiplications, one division where there is a fraction above, and selections: IEEE 754 rounds each of them in
//! one way. There is no branch, so that loops are vectorised. `n ln 2` is subtracted in two parts, the first of which has 15 bits:
//! its product with `n` is exact. `P` and `Q` are minimax polynomials of the relative error of `exp(r)` and `ln(1 + z)`, found
//! by Remez exchange; they add below 0.08 units in the last place. The method is that of W. J. Cody and W. Waite, Software
//! Manual for the Elementary Functions (1980).
//!
//! | function | largest error, units in the last place of an `f32` |
//! |---|---|
//! | `exp` | 1.0 |
//! | `softplus` | 2.9 |
//! | `logistic` | 2.5 |
//!
//! Measured over all floats. Where `exp(x)` exceeds the largest number it is infinite. Where it is below 2^-126 (x < -87.34), all
//! three are 0: no result is subnormal, nor depends on whether a machine makes subnormal numbers zero. NaN stays NaN.

/// `1 / ln 2`.
const PER_LN_2: f32 = core::f32::consts::LOG2_E;
/// `ln 2`: its first 15 bits, and the rest.
const LN_2: [f32; 2] = [0.693_145_75, 1.428_606_8e-6];
/// A float whose last bit is 1: what is added to it is rounded to a whole number, which then is in its last bits.
const WHOLE: f32 = 12_582_912.0; // 1.5 * 2^23
/// `P`, from the constant term on.
const P: [f32; 5] = [0.499_999_94, 0.166_665_21, 0.041_668_39, 0.008_368_717, 0.001_381_459_1];
/// `Q`, from the constant term on.
const Q: [f32; 4] = [0.083_333_02, 0.012_506_729, 0.002_187_631_3, 0.000_547_122_27];
/// The smallest `x` whose exponential is a normal number, and the largest whose exponential is finite.
const LEAST: f32 = -87.336_54;
const MOST: f32 = 88.722_83;

/// `exp(x)`. On a microcontroller without vectors it is a function of its own: unrolled into each loop that calls it, it would take
/// 5 kB of program memory in every model with a nonlinearity.
#[cfg_attr(all(target_os = "none", not(helium)), inline(never))]
#[cfg_attr(not(all(target_os = "none", not(helium))), inline(always))]
pub(crate) fn exp(x: f32) -> f32 {
    let shifted = x * PER_LN_2 + WHOLE;
    let n = shifted - WHOLE;
    let r = x - n * LN_2[0] - n * LN_2[1];
    let significand = 1.0 + (r + r * r * (P[0] + r * (P[1] + r * (P[2] + r * (P[3] + r * P[4])))));
    // Adds `n` to the exponent. Where that has no room, the result is replaced.
    let bits = significand.to_bits().wrapping_add(shifted.to_bits() << 23);
    let y = if x <= MOST { f32::from_bits(bits) } else { x + f32::INFINITY };
    if x < LEAST { 0.0 } else { y }
}

/// `ln(1 + exp(x))`.
#[inline(always)]
pub(crate) fn softplus(x: f32) -> f32 {
    let z = exp(-x.abs());
    let v = z / (1.0 + 0.5 * z);
    let s = v * v;
    let positive = if x > 0.0 { x } else { 0.0 };
    positive + (v + v * (s * (Q[0] + s * (Q[1] + s * (Q[2] + s * Q[3])))))
}

/// `1 / (1 + exp(-x))`.
#[inline(always)]
pub(crate) fn logistic(x: f32) -> f32 {
    let z = exp(-x.abs());
    (if x >= 0.0 { 1.0 } else { z }) / (1.0 + z)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    /// The functions, their values in double precision, and the largest error in units in the last place.
    type Function = (&'static str, fn(f32) -> f32, fn(f64) -> f64, f64);
    const FUNCTIONS: [Function; 3] = [
        ("exp", exp, libm::exp, 1.0),
        ("softplus", softplus, |x| x.max(0.0) + libm::log1p(libm::exp(-x.abs())), 2.9),
        ("logistic", logistic, |x| libm::exp(x.min(0.0)) / (1.0 + libm::exp(-x.abs())), 2.5),
    ];

    /// The distance of normal floats at `value`.
    fn last_place(value: f64) -> f64 {
        let value = (value as f32).max(f32::MIN_POSITIVE);
        f64::from(f32::from_bits(value.to_bits() & 0xff80_0000)) * f64::from(f32::EPSILON)
    }

    /// One float in 397, of all magnitudes and signs; STEP=1 for all of them. The largest error found is at least 85 % of the bound, which
    /// a wrong bit in a coefficient would exceed.
    #[test]
    fn errors_are_bounded_and_the_bounds_are_tight() {
        let step = std::env::var("STEP").map_or(397, |step| step.parse().expect("a whole number"));
        for (name, f, exact, bound) in FUNCTIONS {
            let (mut worst, mut at) = (0.0, 0.0);
            for bits in (0..=u32::MAX).step_by(step) {
                let x = f32::from_bits(bits);
                let (found, expected) = (f(x), exact(x.into()));
                if x.is_nan() {
                    assert!(found.is_nan(), "{name}(NaN) = {found}");
                } else if x < LEAST {
                    assert_eq!(found.to_bits(), 0, "{name}({x})");
                } else if expected > f32::MAX.into() {
                    assert_eq!(found, f32::INFINITY, "{name}({x})");
                } else {
                    assert!(found.is_normal() || x == 0.0 && found > 0.0, "{name}({x}) = {found}");
                    let error = (f64::from(found) - expected).abs() / last_place(expected);
                    if error > worst {
                        (worst, at) = (error, x);
                    }
                }
            }
            std::println!("{name}: {worst} units in the last place at {at}");
            assert!((0.85 * bound..=bound).contains(&worst), "{name}: {worst} units in the last place at {at}");
        }
    }

    #[test]
    fn ends_of_the_range() {
        let least = f32::from_bits(LEAST.to_bits() + 1);
        assert!(
            libm::exp(LEAST.into()) >= f32::MIN_POSITIVE.into() && libm::exp(least.into()) < f32::MIN_POSITIVE.into()
        );
        assert!(
            exp(LEAST) >= f32::MIN_POSITIVE && exp(least) == 0.0 && logistic(least) == 0.0 && softplus(least) == 0.0
        );
        let more = f32::from_bits(MOST.to_bits() + 1);
        assert!(libm::exp(MOST.into()) <= f32::MAX.into() && libm::exp(more.into()) > f32::MAX.into());
        assert!(exp(MOST) < f32::INFINITY && exp(more) == f32::INFINITY);
        assert_eq!([f32::NEG_INFINITY, f32::INFINITY].map(exp), [0.0, f32::INFINITY]);
        assert_eq!([f32::NEG_INFINITY, f32::INFINITY].map(softplus), [0.0, f32::INFINITY]);
        assert_eq!([f32::NEG_INFINITY, f32::INFINITY].map(logistic), [0.0, 1.0]);
        let small = [0.0, -0.0, f32::from_bits(1), -f32::from_bits(1), f32::MIN_POSITIVE, -f32::MIN_POSITIVE];
        assert_eq!(small.map(exp), [1.0; 6]);
        assert_eq!(small.map(softplus), [core::f32::consts::LN_2; 6]);
        assert_eq!(small.map(logistic), [0.5; 6]);
        assert_eq!([f32::MAX, f32::MIN].map(softplus), [f32::MAX, 0.0]);
        assert_eq!([f32::MAX, f32::MIN].map(logistic), [1.0, 0.0]);
    }
}
