//! Samples of 16 bits, for cores without a floating-point unit and for vectors of integers.
//!
//! ```text
//! x = n / 32768,   -32768 <= n <= 32767:   -1 up to 1 - 2^-15, in steps of 2^-15
//! ```
//! What is outside that range **saturates**: it becomes the nearest end. What lies between two samples is **rounded half up**,
//! to `floor(n + 1/2)`. Both happen in two places: when a number becomes a sample ([`Sample::from_f64`]), and when a sum of products
//! does ([`Sample::from_sum`]).
//!
//! - A product of two samples has 31 bits and is exact. Sums of products have 32 bits and are exact, too, in any order, as long
//!   as they fit: where the magnitudes of the weights of an output and of its bias are `2^16 - 1` steps together at most
//!   ([`fits`]). [`Conv3d::new_q15`] and its like refuse others, so no input overflows.
//! - The numbers of a filter (weights, coefficients) have a common power of two, its `shift` ([`Scaled`]), so they use all 16 bits.
//! - A recursion whose [decay has a remainder](crate::Decay::with_remainder) has a state of 31 bits: the sample and 15 more. It
//!   stops within `2^-30 / (1-a)` of a constant input, rounded to a sample. Without, it stops within `2^-16 / (1-a)`, so it suits
//!   gains above a quarter or so.
//! - Functions like `exp` are computed in `f64`, with the same bits everywhere, and slowly on a board.
//!
//! Every operation is one of integers that all machines have, so the output has the same bits on all of them. On Cortex-M4 and M7,
//! [`foveola_dsp`] has instructions for rows of sums and for recursions.

use crate::conv::{ConvOptions, Factors, Kernel};
use crate::lanes::Plain;
use crate::sample::{Sample, Scaled};
use crate::{Border, Conv3d, Decay, Error, PadMode, Rf, Shape, SmoothConv};
use core::ops::{Add, Mul, Sub};
use foveola_dsp::{Integer, Lines};
use num_traits::{One, Zero};

foveola_dsp::integers! {
    /// A number from -1 up to 1 in steps of 2^-15; see [above](self).
    ///
    /// ```
    /// use foveola_core::{Q15, Sample};
    /// assert_eq!(Q15::from_f64(0.25), Q15::from_bits(8192));
    /// assert_eq!(Q15::from_f64(3.0), Q15::MAX);
    /// assert_eq!((Q15::from_bits(3) * Q15::from_f64(0.5)).to_bits(), 2); // 1.5 is rounded up
    /// ```
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Q15(i16);
}

/// Binary digits after the point.
const DIGITS: i8 = 15;

/// Whether the core neither saturates nor multiplies to 64 bits in one instruction. Armv6-M, the instruction set of the
/// Cortex-M0+, is the one that lacks atomics, too, and the compiler tells only that.
const SMALL: bool = cfg!(all(target_arch = "arm", target_os = "none", not(target_has_atomic = "32")));

/// Whether a product is computed in halves: vectors of 64-bit products are slow.
const HALVES: bool = SMALL || cfg!(any(not(target_os = "none"), helium));

impl Q15 {
    /// -1.
    pub const MIN: Self = Self(i16::MIN);
    /// 1 - 2^-15.
    pub const MAX: Self = Self(i16::MAX);

    /// `bits / 32768`.
    pub const fn from_bits(bits: i16) -> Self {
        Self(bits)
    }

    /// The number, times 32768.
    pub const fn to_bits(self) -> i16 {
        self.0
    }

    /// `bits / 32768`, each.
    ///
    /// ```
    /// use foveola_core::{Q15, Sample};
    /// static WEIGHTS: [Q15; 2] = Q15::array([16384, -8192]);
    /// assert_eq!(WEIGHTS.map(Sample::to_f64), [0.5, -0.25]);
    /// ```
    pub const fn array<const N: usize>(bits: [i16; N]) -> [Self; N] {
        let (mut samples, mut i) = ([Self(0); N], 0);
        while i < N {
            samples[i] = Self(bits[i]);
            i += 1;
        }
        samples
    }

    /// The nearest sample to `n / 32768`.
    #[inline(always)]
    const fn saturate(n: i32) -> Self {
        if SMALL {
            // Without an instruction for it, one comparison is cheaper than two.
            let short = n as i16;
            return Self(if short as i32 == n { short } else { (n >> 31) as i16 ^ i16::MAX });
        }
        Self(if n > i16::MAX as i32 {
            i16::MAX
        } else if n < i16::MIN as i32 {
            i16::MIN
        } else {
            n as i16
        })
    }

    /// The nearest sample to `2^-shift value`, from the bits of the number: a core without a floating-point unit need not emulate
    /// one. NaN becomes 0.
    const fn nearest(value: f64, shift: i32) -> Self {
        let bits = value.to_bits();
        let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i32, (bits & ((1 << 52) - 1)) as i64);
        let magnitude = fraction | 1 << 52;
        let signed = if bits >> 63 == 0 { magnitude } else { -magnitude };
        // It counts 2^-down steps.
        let down = 1075 - DIGITS as i32 + shift - exponent;
        let steps = match down {
            _ if exponent == 0x7ff && fraction != 0 => 0,
            ..1 => signed, // out of range
            1..=62 => ((signed >> (down - 1)) + 1) >> 1,
            _ => 0,
        };
        Self(if steps > i16::MAX as i64 {
            i16::MAX
        } else if steps < i16::MIN as i64 {
            i16::MIN
        } else {
            steps as i16
        })
    }

    #[inline(always)]
    const fn wide(self) -> i32 {
        self.0 as i32
    }
}

/// Whether a sum of products with these weights fits 32 bits for any input.
///
/// ```
/// use foveola_core::{Q15, fixed::fits};
/// let half = Q15::from_bits(16384);
/// assert!(fits(&[half; 2], half) && !fits(&[half; 4], half)); // 1.5, 2.5
/// ```
pub const fn fits(weights: &[Q15], bias: Q15) -> bool {
    steps(weights, bias) <= MOST_STEPS
}

/// The largest sum of magnitudes that [`fits`].
const MOST_STEPS: u64 = (1 << 16) - 1;

const fn steps(weights: &[Q15], bias: Q15) -> u64 {
    let (mut steps, mut i) = (bias.0.unsigned_abs() as u64, 0);
    while i < weights.len() {
        steps = steps.saturating_add(weights[i].0.unsigned_abs() as u64);
        i += 1;
    }
    steps
}

/// Checks that the sums of `outputs` kernels of equal length fit, each with its bias, if there are any.
const fn check_sums(weights: &[Q15], outputs: usize, bias: &[Q15]) -> Result<(), Error> {
    let taps = match weights.len().checked_div(outputs) {
        Some(taps) => taps,
        None => 0,
    };
    let (mut rest, mut output) = (weights, 0);
    while output < outputs {
        let (kernel, others) = rest.split_at(taps);
        let most = steps(kernel, if output < bias.len() { bias[output] } else { Q15(0) });
        if most > MOST_STEPS {
            let name = "sum of the magnitudes of an output's weights and bias, in steps";
            let expected = "65535 at most, so that 32 bits hold the sum of products of any input";
            return Err(Error::Parameter { name, value: most as f64, expected });
        }
        (rest, output) = (others, output + 1);
    }
    Ok(())
}

/// Checks a power of two that the numbers or the output of a filter count.
pub(crate) const fn check_shift(shift: i8) -> Result<(), Error> {
    if shift >= -DIGITS && shift <= DIGITS {
        return Ok(());
    }
    Err(Error::Parameter { name: "shift", value: shift as f64, expected: "-15 to 15" })
}

/// The first error, if there is any.
macro_rules! all {
    ($($check:expr),+) => {
        $(if let Err(error) = $check {
            return Err(error);
        })+
    };
}

impl<'w> Conv3d<'w, Q15> {
    /// A convolution of integers, whose weights and biases count `2^shift` times.
    ///
    /// ```
    /// use foveola_core::{Conv3d, ConvOptions, Filter, Kernel, Q15, Shape};
    /// static WEIGHTS: [Q15; 3] = Q15::array([8192, 16384, 8192]); // a quarter, a half, a quarter
    /// let (shape, kernel) = (Shape::new(1, 1, 4), Kernel::new(&WEIGHTS, [1, 1, 1, 1, 3]));
    /// let options = ConvOptions { border: None, ..ConvOptions::DEFAULT };
    /// let twice = Conv3d::new_q15(shape, kernel, 1, options)?; // twice that
    /// let mut out = [Q15::default(); 2];
    /// twice.run(0, &mut [], &mut [], &Q15::array([0, 4, 8, 1]), &mut out)?;
    /// assert_eq!(out, Q15::array([8, 11])); // 10.5 is rounded up
    /// # Ok::<(), foveola_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Conv3d::new`], a shift outside -15 to 15, and weights of which some input would overflow a sum of 32 bits.
    pub const fn new_q15(
        input: Shape,
        kernel: Kernel<'w, Q15>,
        shift: i8,
        options: ConvOptions,
    ) -> Result<Self, Error> {
        let conv = match Self::from_checked(input, kernel, options) {
            Ok(conv) => conv.scaled(shift, [0; 3]),
            Err(error) => return Err(error),
        };
        let Kernel { weights, shape, bias } = *conv.kernel();
        all!(check_shift(shift), check_sums(weights, shape[0], bias));
        Ok(conv)
    }

    /// The same filter, computed by `factors` that count `2^shift` times: those in time, along rows (and then the biases, too)
    /// and along columns.
    ///
    /// # Errors
    /// Those of [`Conv3d::separable`], and those of [`Conv3d::new_q15`].
    pub const fn separable_q15(self, factors: Factors<'w, Q15>, shifts: [i8; 3]) -> Result<Self, Error> {
        let Kernel { shape: [outs, ins, ..], bias, .. } = *self.kernel();
        let lines = outs.saturating_mul(ins).saturating_mul(factors.terms);
        let (conv, shift) = match self.with_checked_factors(factors) {
            Ok(conv) => (conv, conv.shift()),
            Err(error) => return Err(error),
        };
        all!(check_shift(shifts[0]), check_shift(shifts[1]), check_shift(shifts[2]));
        all!(check_sums(factors.time, lines, &[]), check_sums(factors.cols, lines, &[]));
        all!(check_sums(factors.rows, outs, bias));
        Ok(conv.scaled(shift, shifts))
    }
}

impl<'w> Rf<'w, Q15> {
    /// A receptive field of integers, whose weights and biases count `2^shift` times.
    ///
    /// # Errors
    /// Those of [`Rf::new`], and those of [`Conv3d::new_q15`].
    pub const fn new_q15(
        input: Shape,
        kernel: Kernel<'w, Q15>,
        shift: i8,
        pad: Option<PadMode>,
    ) -> Result<Self, Error> {
        let field = match Self::from_checked(input, kernel, pad) {
            Ok(field) => field.scaled(shift),
            Err(error) => return Err(error),
        };
        let Kernel { weights, shape, bias } = *field.kernel();
        all!(check_shift(shift), check_sums(weights, shape[0], bias));
        Ok(field)
    }
}

impl<'w> SmoothConv<'w, Q15> {
    /// Low-passes and kernels of integers, which count `2^shift` times. The decays [have a remainder](Decay::with_remainder), or
    /// short time constants.
    ///
    /// # Errors
    /// Those of [`SmoothConv::new`], and those of [`Conv3d::new_q15`].
    pub const fn new_q15(
        shape: Shape,
        decays: &'w [Decay],
        spatial: &'w [Q15],
        size: [usize; 2],
        shift: i8,
        border: Border,
    ) -> Result<Self, Error> {
        let smooth = match Self::from_checked(shape, decays, spatial, size, border) {
            Ok(smooth) => smooth.scaled(shift, [0; 2]),
            Err(error) => return Err(error),
        };
        all!(check_shift(shift), check_sums(spatial, 1, &[]));
        Ok(smooth)
    }

    /// The same filter, whose first low-pass reads `2^shift` times the input, and with it all others: to be exact where the
    /// low-passes yield much less than the input. They saturate as samples do; the input may be out of range.
    ///
    /// ```
    /// use foveola_core::{Border, Decay, Filter, Q15, Shape, SmoothConv};
    /// let decays = [Decay::from_gain(1.0 / 1024.0)?.with_remainder()];
    /// static ONE: [Q15; 1] = [Q15::MAX];
    /// let smooth = SmoothConv::new_q15(Shape::new(1, 1, 1), &decays, &ONE, [1, 1], 0, Border::Zeros)?.amplified(8)?;
    /// let (mut state, mut out) = ([Q15::default(); 2], [Q15::default()]);
    /// smooth.run(0, &mut state, &mut [], &[Q15::from_bits(1024)], &mut out)?;
    /// assert_eq!(out[0].to_bits(), 256); // although 256 times 1024 is no sample
    /// # Ok::<(), foveola_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] for a shift outside -15 to 15.
    pub const fn amplified(self, shift: i8) -> Result<Self, Error> {
        match check_shift(shift) {
            Ok(()) => Ok(self.amplify(shift)),
            Err(error) => Err(error),
        }
    }

    /// The same filter, computed by `factors` that count `2^shift` times: those along rows and along columns.
    ///
    /// # Errors
    /// Those of [`SmoothConv::separable`], and those of [`Conv3d::new_q15`].
    pub const fn separable_q15(self, factors: Factors<'w, Q15>, shifts: [i8; 2]) -> Result<Self, Error> {
        let lines = self.decays().len().saturating_mul(factors.terms);
        let (smooth, shift) = match self.with_checked_factors(factors) {
            Ok(smooth) => (smooth, smooth.shift()),
            Err(error) => return Err(error),
        };
        all!(check_shift(shifts[0]), check_shift(shifts[1]));
        all!(check_sums(factors.cols, lines, &[]), check_sums(factors.rows, 1, &[]));
        Ok(smooth.scaled(shift, shifts))
    }
}

/// `sum / 2^digits`, rounded half up.
#[inline(always)]
const fn round(sum: i32, digits: u32) -> i32 {
    // In two steps, as the half could overflow.
    match digits {
        0 => sum,
        1 => sum.saturating_add(1) >> 1,
        _ => ((sum >> (digits - 1)) + 1) >> 1,
    }
}

/// What a recursion holds: a sample and its remainder, 31 bits.
#[inline(always)]
fn held(y: Q15, c: Q15) -> i32 {
    y.to_sum().wrapping_add(c.wide())
}

/// The sample and the remainder of what a recursion holds.
#[inline(always)]
fn split(state: i32) -> [Q15; 2] {
    let y = Q15::saturate(round(state, DIGITS as u32));
    [y, Q15(state.wrapping_sub(y.to_sum()) as i16)]
}

/// What is left of a row from a place on.
#[inline(always)]
fn from<T>(row: &[T], start: usize) -> &[T] {
    row.get(start..).unwrap_or(&[])
}

#[inline(always)]
fn from_mut<T>(row: &mut [T], start: usize) -> &mut [T] {
    row.get_mut(start..).unwrap_or_default()
}

/// How far a state times a gain below 1/2, without the lowest 16 bits, is shifted down.
#[inline(always)]
fn down(gain: Scaled<Q15>) -> Option<u32> {
    u32::try_from(-1 - i32::from(gain.shift)).ok()
}

/// `gain state`, rounded down.
#[inline(always)]
fn share(state: i32, gain: Scaled<Q15>) -> i32 {
    let share = high_product(state, gain.value.0);
    if gain.shift > 0 { share << (gain.shift + 1) } else { share << 1 >> (-gain.shift).min(31) }
}

/// `state + gain (target - state)`, which lies between both.
#[inline(always)]
fn closer(state: i32, target: i32, gain: Scaled<Q15>) -> i32 {
    state.wrapping_add(share(target.wrapping_sub(state), gain))
}

/// `state + gain (2^shift x - state)`, as far as a sample and its remainder reach.
#[inline(always)]
fn amplified_step(state: i32, x: Q15, gain: Scaled<Q15>, shift: i8) -> i32 {
    // (1-a) 2^shift x, as far as 32 bits hold it.
    let (up, product) = (shift + gain.shift, x.product(gain.value));
    let pull = if up > 0 {
        let up = up.min(30);
        product.clamp(i32::MIN >> up, i32::MAX >> up) << up
    } else {
        product >> (-up).min(31)
    };
    state.wrapping_sub(share(state, gain)).saturating_add(pull).clamp(-(1 << 30), (1 << 30) - 1)
}

/// `a b / 2^16`, rounded down.
#[inline(always)]
const fn high_product(a: i32, b: i16) -> i32 {
    if HALVES {
        let (high, low) = (a >> 16, a & 0xffff);
        return high.wrapping_mul(b as i32) + ((low * b as i32) >> 16);
    }
    ((a as i64 * b as i64) >> 16) as i32
}

impl Add for Q15 {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Q15 {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Mul for Q15 {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self::from_sum(self.product(other), 0)
    }
}

impl Zero for Q15 {
    fn zero() -> Self {
        Self(0)
    }
    fn is_zero(&self) -> bool {
        self.0 == 0
    }
}

/// The largest sample: 1 itself is outside the range.
impl One for Q15 {
    fn one() -> Self {
        Self::MAX
    }
}

impl Sample for Q15 {
    type Lanes = Plain<8, { cfg!(any(not(target_os = "none"), helium)) }>;
    const LANES: Self::Lanes = Plain;
    const ZERO: Self = Self(0);
    type Sum = i32;
    const HAS_WIDE_SUMS: bool = true;

    fn from_f64(value: f64) -> Self {
        Self::nearest(value, 0)
    }

    #[inline(always)]
    fn amplified(self, remainder: Self, shift: i8) -> Self {
        Self::from_sum(self.to_sum().wrapping_add(remainder.wide()), shift)
    }

    #[inline(always)]
    fn from_count(count: i32, exponent: u8) -> Self {
        Self::saturate(count.saturating_mul(1 << DIGITS as u8) >> exponent.min(15))
    }

    fn to_f64(self) -> f64 {
        f64::from(self.0) / 32768.0
    }

    #[inline(always)]
    fn to_raw_bits(self) -> u64 {
        self.0.cast_unsigned().into()
    }

    #[inline(always)]
    fn from_raw_bits(bits: u64) -> Self {
        Self(bits as i16)
    }

    #[inline(always)]
    fn is_finite(self) -> bool {
        true
    }

    #[inline(always)]
    fn is_negative_zero(self) -> bool {
        false
    }

    fn scaled<const N: usize>(values: [f64; N]) -> Scaled<[Self; N]> {
        // Without their signs, the bits of numbers are in the order of the numbers.
        let most = values.iter().map(|value| value.to_bits() << 1 >> 1).filter(|bits| *bits < 0x7ff << 52).max();
        // 2^shift is above all of them, and far enough for the largest one to stay below when it is rounded: its fraction is
        // below 1 - 2^-16.
        let most = most.unwrap_or(0);
        let shift = if most == 0 { 0 } else { ((most + (1 << 37)) >> 52) as i32 - 1022 };
        let shift = shift.clamp(-i32::from(DIGITS), DIGITS.into());
        Scaled { value: values.map(|value| Self::nearest(value, shift)), shift: shift as i8 }
    }

    #[inline(always)]
    fn to_sum(self) -> i32 {
        self.wide() << DIGITS
    }

    #[inline(always)]
    fn product(self, w: Self) -> i32 {
        self.wide() * w.wide()
    }

    #[inline(always)]
    fn add_product(sum: i32, x: Self, w: Self) -> i32 {
        sum.wrapping_add(x.product(w))
    }

    #[inline(always)]
    fn add_lines(
        lines: Lines<'_, Self>,
        step: usize,
        start: Option<i32>,
        sums: &mut [i32],
        out: Option<(&mut [Self], i8)>,
    ) -> bool {
        let out = out.map(|(out, shift)| (out, (DIGITS - shift).unsigned_abs().into()));
        foveola_dsp::AVAILABLE && foveola_dsp::add_lines(lines, step, start, sums, out)
    }

    #[inline(always)]
    fn from_sum(sum: i32, shift: i8) -> Self {
        Self::saturate(round(sum, (DIGITS - shift).clamp(0, 31) as u32))
    }

    #[inline(always)]
    fn as_sums(_: &mut [Self]) -> Option<&mut [i32]> {
        None
    }

    #[inline(always)]
    fn approach(self, x: Self, gain: Scaled<Self>) -> Self {
        // 17 bits times 15.
        let step = (x.wide() - self.wide()).wrapping_mul(gain.value.wide());
        // Between both samples, so in range.
        Self((self.wide() + round(step, (DIGITS - gain.shift).clamp(0, 31) as u32)) as i16)
    }

    #[inline(always)]
    fn approach_closely(y: &mut Self, c: &mut Self, [x, r]: [Self; 2], gain: Scaled<Self>) {
        let state = closer(held(*y, *c), held(x, r), gain);
        // Between both samples, so in range.
        [*y, *c] = split(state);
    }

    #[inline(always)]
    fn approach_amplified(y: &mut Self, c: &mut Self, x: Self, gain: Scaled<Self>, shift: i8) {
        [*y, *c] = split(amplified_step(held(*y, *c), x, gain, shift));
    }

    fn approach_samples(x: &[Self], y: &mut [Self], c: &mut [Self], gain: Scaled<Self>) {
        let done = match down(gain) {
            Some(down) => {
                let (y, c) = (Self::integers_mut(y), Self::integers_mut(c));
                foveola_dsp::approach_samples(Self::integers(x), y, c, gain.value.0, down)
            }
            None => 0,
        };
        for ((x, y), c) in from(x, done).iter().zip(from_mut(y, done)).zip(from_mut(c, done)) {
            // Between both samples, so in range.
            let state = closer(held(*y, *c), x.to_sum(), gain);
            *y = Self(round(state, DIGITS as u32) as i16);
            *c = Self(state.wrapping_sub(y.to_sum()) as i16);
        }
    }

    fn approach_row(sums: &mut [i32], y: &mut [Self], c: &mut [Self], gain: Scaled<Self>) {
        let done = match down(gain) {
            Some(down) => {
                let (y, c) = (Self::integers_mut(y), Self::integers_mut(c));
                foveola_dsp::approach(sums, y, c, gain.value.0, down)
            }
            None => 0,
        };
        for ((sum, y), c) in from_mut(sums, done).iter_mut().zip(from_mut(y, done)).zip(from_mut(c, done)) {
            *sum = closer(held(*y, *c), *sum, gain);
            [*y, *c] = split(*sum);
        }
    }

    fn approach_amplified_row(x: &[Self], sums: &mut [i32], [y, c]: [&mut [Self]; 2], gain: Scaled<Self>, shift: i8) {
        let of_x = u32::try_from(-i32::from(shift + gain.shift)).ok();
        let done = match (down(gain), of_x) {
            (Some(down), Some(of_x)) => {
                let state = [Self::integers_mut(y), Self::integers_mut(c)];
                foveola_dsp::approach_amplified(Self::integers(x), sums, state, gain.value.0, [down, of_x])
            }
            _ => 0,
        };
        let states = from_mut(sums, done).iter_mut().zip(from_mut(y, done)).zip(from_mut(c, done));
        for (x, ((sum, y), c)) in from(x, done).iter().zip(states) {
            *sum = amplified_step(held(*y, *c), *x, gain, shift);
            [*y, *c] = split(*sum);
        }
    }

    fn mean(samples: &[Self]) -> Self {
        let sum: i64 = samples.iter().map(|x| i64::from(x.0)).sum();
        let count = samples.len() as i64;
        // Rounded half up, as everywhere.
        Self((2 * sum + count).checked_div_euclid(2 * count).unwrap_or(0) as i16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Filter;
    extern crate std;

    /// A number in steps, rounded and kept in range as the module says.
    fn nearest(steps: f64) -> i16 {
        (steps + 0.5).floor().clamp(-32768.0, 32767.0) as i16
    }

    #[test]
    fn numbers_become_the_nearest_sample() {
        for (value, bits) in [
            (0.0, 0),
            (0.5, 16384),
            (1.0, 32767),
            (-1.0, -32768),
            (-7.0, -32768),
            (1.5 / 32768.0, 2),
            (-1.5 / 32768.0, -1),
            (0.49 / 32768.0, 0),
            (f64::INFINITY, 32767),
            (f64::NEG_INFINITY, -32768),
            (f64::NAN, 0),
        ] {
            assert_eq!(Q15::from_f64(value).to_bits(), bits, "{value}");
        }
        for bits in i16::MIN..=i16::MAX {
            assert_eq!(Q15::from_f64(Q15::from_bits(bits).to_f64()).to_bits(), bits);
        }
        assert_eq!(
            [-128, -1, 0, 1, 127].map(|count| Q15::from_count(count, 7).to_f64()),
            [-1.0, -0.0078125, 0.0, 0.0078125, 0.9921875]
        );
        assert_eq!([-2, 1, 3].map(|count| Q15::from_count(count, 1).to_f64()), [-1.0, 0.5, 32767.0 / 32768.0]);
    }

    #[test]
    fn a_sum_is_rounded_once() {
        let sums = [0, 1, -1, 16383, 16384, -16384, -16385, 1 << 29, i32::MAX, i32::MIN, i32::MAX - 16383, 123_456_789];
        for sum in sums {
            for shift in -15..=15 {
                let expected = nearest(f64::from(sum) * 2.0_f64.powi(i32::from(shift) - 15));
                assert_eq!(Q15::from_sum(sum, shift).to_bits(), expected, "{sum}, shift {shift}");
            }
        }
    }

    #[test]
    fn products_and_sums_of_samples() {
        let some = || (i16::MIN..=i16::MAX).step_by(523).chain([i16::MAX, -1, 0, 1]);
        for a in some() {
            for b in some() {
                let [x, y] = [a, b].map(Q15::from_bits);
                let (u, v) = (f64::from(a), f64::from(b));
                assert_eq!((x * y).to_bits(), nearest(u * v / 32768.0), "{a} times {b}");
                assert_eq!((x + y).to_bits(), nearest(u + v));
                assert_eq!((x - y).to_bits(), nearest(u - v));
            }
        }
    }

    #[test]
    fn numbers_of_a_filter_share_the_smallest_power_that_holds_them() {
        for values in
            [[0.5, -0.25], [1.0, -0.3], [3.0, 1e-3], [-100.0, 7.0], [1e-4, 2e-5], [0.99999, 0.0], [32767.0, 1.0]]
        {
            let Scaled { value, shift } = Q15::scaled(values);
            let unit = 2.0_f64.powi(i32::from(shift));
            for (value, sample) in values.iter().zip(value) {
                assert!(
                    (value - sample.to_f64() * unit).abs() <= unit / 65536.0,
                    "{values:?}: {sample:?} times {unit}"
                );
            }
            let most = value.iter().map(|x| x.to_bits().unsigned_abs()).max();
            assert!(shift == -15 || most >= Some(16384), "{values:?}: {value:?}, shift {shift}: a bit is unused");
        }
        assert_eq!(Q15::scaled([0.0]), Scaled { value: [Q15(0)], shift: 0 });
        assert_eq!(Q15::scaled([1e9]), Scaled { value: [Q15::MAX], shift: 15 }, "the largest that there is");
    }

    /// What is far out of range pulls as far as it should, and a state stops at the ends of the range.
    #[test]
    fn amplified_recursions_follow_the_exact_one() {
        for gain in [1.0, 0.7, 0.25, 0.01, 1e-3] {
            for shift in [-3, 0, 2, 7] {
                let Scaled { value: [value], shift: of_gain } = Q15::scaled([gain]);
                let (scaled, gain) =
                    (Scaled { value, shift: of_gain }, value.to_f64() * 2.0_f64.powi(i32::from(of_gain)));
                let (mut y, mut c, mut exact) = (Q15(0), Q15(0), 0.0_f64);
                for t in 0..4000 {
                    // Half of the range in the mean, from peaks that are far beyond it.
                    let on = t % 40 == 0 && shift > 0;
                    let x = if on || shift <= 0 && t % 90 < 45 { 20_000 } else { 0 };
                    let x = if gain > 0.02 && shift > 0 { Q15(x >> shift) } else { Q15(x) };
                    Q15::approach_amplified(&mut y, &mut c, x, scaled, shift);
                    exact += gain * (x.to_f64() * 2.0_f64.powi(shift.into()) - exact);
                    exact = exact.clamp(-1.0, 1.0);
                    let bound = 1.0 / 32768.0 + 4.0 * 2.0_f64.powi(-30) / gain;
                    let off = (y.to_f64() - exact).abs();
                    assert!(off <= bound, "gain {gain}, shift {shift}, {t}: {y:?}, exactly {exact}");
                }
            }
        }
        let (mut y, mut c) = (Q15(0), Q15(0));
        for (level, end) in [(Q15::MAX, Q15::MAX), (Q15::MIN, Q15::MIN)] {
            (0..100).for_each(|_| {
                Q15::approach_amplified(&mut y, &mut c, level, Scaled { value: Q15(16384), shift: 0 }, 9);
            });
            assert_eq!(y, end);
        }
    }

    /// What an amplified stage holds at its end of the range is above any sample, and the stages after it stay at the last one.
    #[test]
    fn stages_after_a_saturated_one_do_not_wrap_around() -> Result<(), Error> {
        let decays = [Decay::from_gain(0.3)?.with_remainder(); 3];
        let last = [Q15(0), Q15(0), Q15::MAX];
        for (input, end) in [(Q15::MAX, 32_766), (Q15::MIN, -32_767)] {
            let shape = Shape::new(1, 1, 5); // four columns may have loops of their own
            let smooth = SmoothConv::new_q15(shape, &decays, &last, [1, 1], 0, Border::Zeros)?.amplified(2)?;
            let (mut state, mut out) = ([Q15(0); 30], [Q15(0); 5]);
            for t in 0..200 {
                smooth.run(t, &mut state, &mut [], &[input; 5], &mut out)?;
                assert!(out.iter().all(|y| (y.0 < 0) == (end < 0) || y.0 == 0), "frame {t}: {out:?}");
            }
            assert_eq!(out, [Q15(end); 5]);
        }
        Ok(())
    }

    /// With a remainder, a recursion follows the exact one within a step and settles at a constant input, from either side.
    #[test]
    fn recursions_follow_the_exact_one() {
        for gain in [1.0, 0.999, 0.7, 0.25, 0.01, 1e-3, 1e-4] {
            let Scaled { value: [value], shift } = Q15::scaled([gain]);
            // The gain as it is stored.
            let (scaled, gain) = (Scaled { value, shift }, value.to_f64() * 2.0_f64.powi(i32::from(shift)));
            let (mut y, mut c, mut exact) = (Q15(0), Q15(0), 0.0_f64);
            let (mut plain, settles) = (Q15(0), (12.0 / gain) as usize + 2);
            let levels = [20_000, -32_768, 32_767, 0, 3];
            for level in levels.map(Q15::from_bits) {
                for _ in 0..settles {
                    Q15::approach_closely(&mut y, &mut c, [level, Q15(0)], scaled);
                    exact += gain * (level.to_f64() - exact);
                    // A step is lost in 2^-30 per frame: below 2^-30 / gain together.
                    let bound = 0.5 / 32768.0 + 4.0 * 2.0_f64.powi(-30) / gain;
                    assert!((y.to_f64() - exact).abs() <= bound, "gain {gain}: {y:?}, exactly {exact}");
                    plain = plain.approach(level, scaled);
                }
                let off = i32::from(y.to_bits()) - i32::from(level.to_bits());
                assert!(off.abs() <= 1, "gain {gain}: {y:?} for {level:?}");
                let off = f64::from(plain.to_bits()) - f64::from(level.to_bits());
                assert!(off.abs() <= 0.5 / gain + 1.0, "gain {gain}, without a remainder: {plain:?} for {level:?}");
            }
        }
    }

    #[test]
    fn means_are_rounded_once() {
        for (samples, mean) in
            [(&[1, 2][..], 2), (&[-1, -2], -1), (&[], 0), (&[-32768; 5], -32768), (&[32767, 32767, 32766], 32767)]
        {
            let samples: std::vec::Vec<Q15> = samples.iter().map(|bits| Q15(*bits)).collect();
            assert_eq!(Q15::mean(&samples), Q15(mean), "{samples:?}");
        }
    }
}
