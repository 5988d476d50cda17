//! Fourier transforms of a few points. Each point is a vector of complex numbers, with separate real and imaginary parts.
//!
//! ```text
//! y[k] = sum_n x[n] e^(-2 pi i n k / R)
//! ```
//! The lanes of the vectors are independent transforms, so nothing moves between lanes. `R = 2, 3, 4, 5` are written out.
//! `8 = 2 x 4`, `9 = 3 x 3` and `16 = 4 x 4` are composed with constant factors (Cooley and Tukey, 1965). `6, 10, 12` are
//! composed without factors, since their divisors are coprime (Good, 1958): `n = R2 n1 + R1 n2 mod R`, `k1 = k mod R1`,
//! `k2 = k mod R2`.

use fearless_simd::Simd;
use fearless_simd::prelude::*;

/// The available radices.
pub(super) const RADICES: [usize; 10] = [2, 3, 4, 5, 6, 8, 9, 10, 12, 16];

/// A vector of complex numbers.
#[derive(Clone, Copy)]
pub(super) struct Complex<S: Simd> {
    pub(super) re: S::f32s,
    pub(super) im: S::f32s,
}

impl<S: Simd> Complex<S> {
    /// Samples of a stored vector: its real parts, then its imaginary parts.
    pub(super) const LEN: usize = 2 * S::f32s::LEN;

    #[inline(always)]
    pub(super) fn zero(simd: S) -> Self {
        let zero = S::f32s::splat(simd, 0.0);
        Self { re: zero, im: zero }
    }

    /// The vector that starts at sample `at`.
    #[inline(always)]
    pub(super) fn load(simd: S, from: &[f32], at: usize) -> Self {
        let (re, im) = from[at..at + Self::LEN].split_at(S::f32s::LEN);
        Self { re: S::f32s::from_slice(simd, re), im: S::f32s::from_slice(simd, im) }
    }

    #[inline(always)]
    pub(super) fn store(self, to: &mut [f32], at: usize) {
        let (re, im) = to[at..at + Self::LEN].split_at_mut(S::f32s::LEN);
        self.re.store_slice(re);
        self.im.store_slice(im);
    }

    /// Real and imaginary parts exchanged: a forward transform between two exchanges is an inverse transform.
    #[inline(always)]
    pub(super) fn swapped(self) -> Self {
        Self { re: self.im, im: self.re }
    }

    #[inline(always)]
    fn plus(self, b: Self) -> Self {
        Self { re: self.re + b.re, im: self.im + b.im }
    }

    #[inline(always)]
    fn minus(self, b: Self) -> Self {
        Self { re: self.re - b.re, im: self.im - b.im }
    }

    /// `self - i b`
    #[inline(always)]
    fn minus_i(self, b: Self) -> Self {
        Self { re: self.re + b.im, im: self.im - b.re }
    }

    /// `self + i b`
    #[inline(always)]
    fn plus_i(self, b: Self) -> Self {
        Self { re: self.re - b.im, im: self.im + b.re }
    }

    /// Times the real `factor`, plus `b`.
    #[inline(always)]
    fn scaled_plus(self, simd: S, factor: f32, b: Self) -> Self {
        let factor = S::f32s::splat(simd, factor);
        Self { re: self.re.mul_add(factor, b.re), im: self.im.mul_add(factor, b.im) }
    }

    /// `self - i factor b`
    #[inline(always)]
    fn minus_i_scaled(self, simd: S, factor: f32, b: Self) -> Self {
        let (plus, minus) = (S::f32s::splat(simd, factor), S::f32s::splat(simd, -factor));
        Self { re: b.im.mul_add(plus, self.re), im: b.re.mul_add(minus, self.im) }
    }

    /// Times `factor`, the same in all lanes.
    #[inline(always)]
    pub(super) fn times(self, simd: S, [re, im]: [f32; 2]) -> Self {
        let (re, im) = (S::f32s::splat(simd, re), S::f32s::splat(simd, im));
        Self { re: self.re.mul_sub(re, self.im * im), im: self.re.mul_add(im, self.im * re) }
    }
}

#[inline(always)]
fn two<S: Simd>([a, b]: [Complex<S>; 2]) -> [Complex<S>; 2] {
    [a.plus(b), a.minus(b)]
}

#[inline(always)]
fn three<S: Simd>(simd: S, [a, b, c]: [Complex<S>; 3]) -> [Complex<S>; 3] {
    const SIN: f32 = 0.866_025_4; // sin(2 pi / 3)
    let (sum, difference) = (b.plus(c), b.minus(c));
    let middle = sum.scaled_plus(simd, -0.5, a);
    [a.plus(sum), middle.minus_i_scaled(simd, SIN, difference), middle.minus_i_scaled(simd, -SIN, difference)]
}

#[inline(always)]
fn four<S: Simd>([a, b, c, d]: [Complex<S>; 4]) -> [Complex<S>; 4] {
    let (even, odd) = (two([a, c]), two([b, d]));
    [even[0].plus(odd[0]), even[1].minus_i(odd[1]), even[0].minus(odd[0]), even[1].plus_i(odd[1])]
}

#[inline(always)]
fn five<S: Simd>(simd: S, [a, b, c, d, e]: [Complex<S>; 5]) -> [Complex<S>; 5] {
    // Cosines and sines of 2 pi / 5 and 4 pi / 5.
    const COS: [f32; 2] = [0.309_017, -0.809_017];
    const SIN: [f32; 2] = [0.951_056_5, 0.587_785_25];
    let (sums, [p, q]) = ([b.plus(e), c.plus(d)], [b.minus(e), c.minus(d)]);
    let near = sums[1].scaled_plus(simd, COS[1], sums[0].scaled_plus(simd, COS[0], a));
    let far = sums[1].scaled_plus(simd, COS[0], sums[0].scaled_plus(simd, COS[1], a));
    // The sine terms of y[1] and y[2], each divided by sin(2 pi / 5).
    let one = q.scaled_plus(simd, SIN[1] / SIN[0], p);
    let two = p.scaled_plus(simd, SIN[1] / SIN[0], Complex::zero(simd).minus(q));
    [
        a.plus(sums[0].plus(sums[1])),
        near.minus_i_scaled(simd, SIN[0], one),
        far.minus_i_scaled(simd, SIN[0], two),
        far.minus_i_scaled(simd, -SIN[0], two),
        near.minus_i_scaled(simd, -SIN[0], one),
    ]
}

/// The points of one butterfly, wherever they are stored.
pub(super) trait Points<S: Simd> {
    fn get<const N: usize>(&self, points: [usize; N]) -> [Complex<S>; N];
    fn put<const N: usize>(&mut self, points: [usize; N], values: [Complex<S>; N]);
}

/// Transforms `R` points in place. Every radix is written out: the compiler does not unroll loops over so many vectors, and
/// keeping them in memory costs a factor of five.
#[inline(always)]
pub(super) fn butterfly<S: Simd, const R: usize>(simd: S, x: &mut impl Points<S>) {
    match R {
        2 => x.put([0, 1], two(x.get([0, 1]))),
        3 => x.put([0, 1, 2], three(simd, x.get([0, 1, 2]))),
        4 => x.put([0, 1, 2, 3], four(x.get([0, 1, 2, 3]))),
        5 => x.put([0, 1, 2, 3, 4], five(simd, x.get([0, 1, 2, 3, 4]))),
        6 => six(simd, x),
        8 => eight(simd, x),
        9 => nine(simd, x),
        10 => ten(simd, x),
        12 => twelve(simd, x),
        16 => sixteen(simd, x),
        _ => {}
    }
}

#[inline(always)]
fn six<S: Simd>(simd: S, x: &mut impl Points<S>) {
    let (a, b, c) = (two(x.get([0, 3])), two(x.get([2, 5])), two(x.get([4, 1])));
    x.put([0, 4, 2], three(simd, [a[0], b[0], c[0]]));
    x.put([3, 1, 5], three(simd, [a[1], b[1], c[1]]));
}

#[inline(always)]
fn eight<S: Simd>(simd: S, x: &mut impl Points<S>) {
    const HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;
    let (even, odd) = (four(x.get([0, 2, 4, 6])), four(x.get([1, 3, 5, 7])));
    // (1 - i) d and (1 + i) d of the eighth turns, not yet multiplied by sqrt(1/2).
    let (one, three) = (odd[1].minus_i(odd[1]), odd[3].plus_i(odd[3]));
    x.put([0, 4], two([even[0], odd[0]]));
    x.put([1, 5], [one.scaled_plus(simd, HALF, even[1]), one.scaled_plus(simd, -HALF, even[1])]);
    x.put([2, 6], [even[2].minus_i(odd[2]), even[2].plus_i(odd[2])]);
    x.put([3, 7], [three.scaled_plus(simd, -HALF, even[3]), three.scaled_plus(simd, HALF, even[3])]);
}

#[inline(always)]
fn nine<S: Simd>(simd: S, x: &mut impl Points<S>) {
    // e^(-2 pi i n / 9) for n = 1, 2, 4.
    const ONE: [f32; 2] = [0.766_044_44, -0.642_787_6];
    const TWO: [f32; 2] = [0.173_648_18, -0.984_807_7];
    const FOUR: [f32; 2] = [-0.939_692_6, -0.342_020_15];
    let a = three(simd, x.get([0, 3, 6]));
    let b = three(simd, x.get([1, 4, 7]));
    let c = three(simd, x.get([2, 5, 8]));
    x.put([0, 3, 6], three(simd, [a[0], b[0], c[0]]));
    x.put([1, 4, 7], three(simd, [a[1], b[1].times(simd, ONE), c[1].times(simd, TWO)]));
    x.put([2, 5, 8], three(simd, [a[2], b[2].times(simd, TWO), c[2].times(simd, FOUR)]));
}

#[inline(always)]
fn ten<S: Simd>(simd: S, x: &mut impl Points<S>) {
    let (a, b, c) = (two(x.get([0, 5])), two(x.get([2, 7])), two(x.get([4, 9])));
    let (d, e) = (two(x.get([6, 1])), two(x.get([8, 3])));
    x.put([0, 6, 2, 8, 4], five(simd, [a[0], b[0], c[0], d[0], e[0]]));
    x.put([5, 1, 7, 3, 9], five(simd, [a[1], b[1], c[1], d[1], e[1]]));
}

#[inline(always)]
fn twelve<S: Simd>(simd: S, x: &mut impl Points<S>) {
    let (a, b) = (three(simd, x.get([0, 4, 8])), three(simd, x.get([3, 7, 11])));
    let (c, d) = (three(simd, x.get([6, 10, 2])), three(simd, x.get([9, 1, 5])));
    x.put([0, 9, 6, 3], four([a[0], b[0], c[0], d[0]]));
    x.put([4, 1, 10, 7], four([a[1], b[1], c[1], d[1]]));
    x.put([8, 5, 2, 11], four([a[2], b[2], c[2], d[2]]));
}

#[inline(always)]
fn sixteen<S: Simd>(simd: S, x: &mut impl Points<S>) {
    const HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;
    const COS: f32 = 0.923_879_5; // cos(pi / 8)
    const SIN: f32 = 0.382_683_43; // sin(pi / 8)
    let (a, b) = (four(x.get([0, 4, 8, 12])), four(x.get([1, 5, 9, 13])));
    let (c, d) = (four(x.get([2, 6, 10, 14])), four(x.get([3, 7, 11, 15])));
    x.put([0, 4, 8, 12], four([a[0], b[0], c[0], d[0]]));
    let b1 = b[1].times(simd, [COS, -SIN]);
    let c1 = c[1].times(simd, [HALF, -HALF]);
    let d1 = d[1].times(simd, [SIN, -COS]);
    x.put([1, 5, 9, 13], four([a[1], b1, c1, d1]));
    let b2 = b[2].times(simd, [HALF, -HALF]);
    let c2 = Complex::zero(simd).minus_i(c[2]);
    let d2 = d[2].times(simd, [-HALF, -HALF]);
    x.put([2, 6, 10, 14], four([a[2], b2, c2, d2]));
    let b3 = b[3].times(simd, [SIN, -COS]);
    let c3 = c[3].times(simd, [-HALF, -HALF]);
    let d3 = d[3].times(simd, [-COS, SIN]);
    x.put([3, 7, 11, 15], four([a[3], b3, c3, d3]));
}
