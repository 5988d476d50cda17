//! Sums of products of two planes at every tap of a kernel: a tile of taps in registers.
//!
//! ```text
//! to[b, e] += sum over pairs of planes, r and c of g[r, c] x[r + dil_r b, c + dil_c e]
//! ```
//! A tile is up to five rows x five, two or one columns of taps, each a vector of partial sums. Rows that lie one after another
//! are traversed as one, once for all taps: a vector of `x` for each column of the tile, a vector of `g` for each row, then a
//! multiply-add for each tap. `x` is stored with its borders; rows of `g` at the same distances, with zeros between, above and below.
//!
//! Chains of at most 1024 multiply-adds run through each lane; their results are added in `f64`. The error is at most
//! `1024 u` of the sum of magnitudes, with `u` = 6e-8 in single precision.

use crate::Sample;
use crate::lanes::{Lanes, MOST_LANES, load_part};

/// Multiply-adds of a lane until its sum is added in `f64`.
const CHAIN: usize = 1 << 10;

/// Rows of taps in a tile.
const ROWS: usize = 5;

/// A kernel, and how its taps lie.
#[derive(Clone, Copy)]
pub(super) struct Taps {
    pub(super) size: [usize; 2],
    pub(super) dilation: [usize; 2],
    /// Rows and columns of `g`, without the zeros.
    pub(super) shape: [usize; 2],
    /// Samples from one row of `x` or `g` to the next.
    pub(super) pitch: usize,
}

impl Taps {
    /// Rows of zeros above `g`, and as many below.
    pub(super) const fn above(rows: usize, dilation: usize) -> usize {
        dilation * if rows < ROWS { rows - 1 } else { ROWS - 1 }
    }

    /// Adds the sums for pairs `(x, g)` of planes to `to`, row-major.
    #[inline(always)]
    pub(super) fn add<'a, T: Sample, L: Lanes<T>>(
        &self,
        lanes: L,
        pairs: impl Iterator<Item = (&'a [T], &'a [T])> + Clone,
        to: &mut [f64],
    ) {
        let [kh, kw] = self.size;
        // Vectors of a tile must fit the registers.
        let widest = if L::COLUMNS > 2 { 5 } else { 2 };
        let mut b = 0;
        while b < kh {
            let rows = (kh - b).div_ceil((kh - b).div_ceil(ROWS));
            let mut e = 0;
            while e < kw {
                let cols = match kw - e {
                    5.. if widest == 5 => 5,
                    2.. => 2,
                    _ => 1,
                };
                macro_rules! tiles {
                    ($($rows:literal $cols:literal),*) => {
                        match (rows, cols) {
                            $(($rows, $cols) => self.tile::<T, L, $rows, $cols>(lanes, [b, e], pairs.clone(), to),)*
                            _ => {}
                        }
                    };
                }
                if L::COLUMNS > 2 {
                    tiles!(1 5, 2 5, 3 5, 4 5, 5 5, 1 2, 2 2, 3 2, 4 2, 5 2, 1 1, 2 1, 3 1, 4 1, 5 1);
                } else {
                    tiles!(1 2, 2 2, 3 2, 4 2, 5 2, 1 1, 2 1, 3 1, 4 1, 5 1);
                }
                e += cols;
            }
            b += rows;
        }
    }

    /// `B` x `E` taps from `[first row, first column]` on. A separate function, so that its sums stay in registers.
    #[inline(never)]
    fn tile<'a, T: Sample, L: Lanes<T>, const B: usize, const E: usize>(
        &self,
        lanes: L,
        [row, col]: [usize; 2],
        pairs: impl Iterator<Item = (&'a [T], &'a [T])>,
        to: &mut [f64],
    ) {
        lanes.vectorize(
            #[inline(always)]
            || {
                let ([down, along], [rows, cols], pitch) = (self.dilation, self.shape, self.pitch);
                let (above, end, most) =
                    (Self::above(self.size[0], down), rows + down * (B - 1), (CHAIN * L::WIDTH / pitch).max(1));
                let ends = core::array::from_fn(|i| if i < MOST_LANES { T::zero() } else { T::one() });
                let (mut acc, mut room) = ([[lanes.splat(T::zero()); E]; B], CHAIN);
                for (x, g) in pairs {
                    let mut at = 0;
                    while at < end {
                        let (line, run) = (at + down * row, (end - at).min(most));
                        let len = (run - 1) * pitch + cols;
                        if room < len.div_ceil(L::WIDTH) {
                            self.store(lanes, [row, col], &acc, to);
                            (acc, room) = ([[lanes.splat(T::zero()); E]; B], CHAIN);
                        }
                        room = room.saturating_sub(len.div_ceil(L::WIDTH));
                        let x: [&[T]; E] = core::array::from_fn(|e| {
                            x.get(line * pitch + along * (col + e)..).and_then(|x| x.get(..len)).unwrap_or(&[])
                        });
                        // Row `at` of x meets row `at - down q` of g at row q of the tile.
                        let g: [&[T]; B] = core::array::from_fn(|q| {
                            g.get((above + at - down * q) * pitch..).and_then(|g| g.get(..len)).unwrap_or(&[])
                        });
                        add_products(lanes, len, x, g, &ends, &mut acc);
                        at += run;
                    }
                }
                self.store(lanes, [row, col], &acc, to);
            },
        );
    }

    /// Adds the lanes of a tile.
    #[inline(always)]
    fn store<T: Sample, L: Lanes<T>, const B: usize, const E: usize>(
        &self,
        lanes: L,
        [row, col]: [usize; 2],
        acc: &[[L::Vector; E]; B],
        to: &mut [f64],
    ) {
        for (b, acc) in acc.iter().enumerate() {
            for (e, acc) in acc.iter().enumerate() {
                let mut samples = [T::zero(); MOST_LANES];
                lanes.store(*acc, &mut samples);
                if let Some(to) = to.get_mut((row + b) * self.size[1] + col + e) {
                    *to += samples.iter().take(L::WIDTH).map(|x| x.to_f64()).sum::<f64>();
                }
            }
        }
    }
}

/// Adds the products of `len` samples of each of `x` and `g` to the sums of their tap. `ends`: zeros, then ones, as many of each
/// as a vector has lanes at most.
#[inline(always)]
fn add_products<T: Sample, L: Lanes<T>, const B: usize, const E: usize>(
    lanes: L,
    len: usize,
    x: [&[T]; E],
    g: [&[T]; B],
    ends: &[T; 2 * MOST_LANES],
    acc: &mut [[L::Vector; E]; B],
) {
    // All have one length, so that it is compared once.
    if x.iter().any(|x| x.len() != len) || g.iter().any(|g| g.len() != len) {
        return;
    }
    let (mut sums, mut at) = (*acc, 0); // a copy, which stays in registers
    while at + L::WIDTH <= len {
        let load = |from: &[T]| from.get(at..at + L::WIDTH).map_or(lanes.splat(T::zero()), |x| lanes.load(x));
        let x = x.map(load);
        for (sums, g) in sums.iter_mut().zip(g) {
            let g = load(g);
            for (sum, x) in sums.iter_mut().zip(x) {
                *sum = lanes.multiply_add(*sum, x, g);
            }
        }
        at += L::WIDTH;
    }
    if at < len {
        // The last vector without what was added before; all there is of a row that is shorter than a vector.
        let start = len.saturating_sub(L::WIDTH);
        let load = |from: &[T]| load_part(lanes, from.get(start..).unwrap_or(&[]));
        let ones = lanes.load(ends.get(MOST_LANES - (at - start)..).unwrap_or(&[]));
        let x = x.map(load);
        for (sums, g) in sums.iter_mut().zip(g) {
            let g = lanes.multiply_add(lanes.splat(T::zero()), load(g), ones);
            for (sum, x) in sums.iter_mut().zip(x) {
                *sum = lanes.multiply_add(*sum, x, g);
            }
        }
    }
    *acc = sums;
}
