//! Sums of products of two planes at every tap of a kernel: a tile of taps in registers.
//!
//! ```text
//! to[b, e] += sum over pairs of planes, r and c of g[r, c] x[r + dil_r b - top, c + dil_c e]
//! ```
//! A tile is up to five rows x five, two or one columns of taps, each a vector of partial sums. A row of `x` is traversed once
//! for all of them: a vector of `x` for each column of the tile, a vector of `g` for each row, then a multiply-add for each tap.
//! Rows of `x` are stored with their left and right border; rows above and below are found by index. Rows of `g` end in zeros up
//! to a whole vector.
//!
//! Chains of at most [`CHAIN`] multiply-adds run through each lane; their results are added in `f64`. The error is at most
//! `CHAIN u` of the sum of magnitudes, with `u` = 6e-8 in single precision.

use crate::lanes::{Lanes, MOST_LANES, load_part};
use crate::{Border, Sample};

/// Multiply-adds of a lane until its sum is added in `f64`.
const CHAIN: usize = 1 << 10;

/// Rows of taps in a tile.
const ROWS: usize = 5;

/// A plane of `x`.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a, T> {
    pub(super) samples: &'a [T],
    pub(super) rows: usize,
    /// Samples from one row to the next.
    pub(super) pitch: usize,
}

/// A kernel, and how its taps lie.
#[derive(Clone, Copy)]
pub(super) struct Taps<'a, T> {
    pub(super) size: [usize; 2],
    pub(super) dilation: [usize; 2],
    /// Rows of `g`.
    pub(super) rows: usize,
    /// Samples from one row of `g` to the next: whole vectors.
    pub(super) pitch: usize,
    /// A row of zeros.
    pub(super) none: &'a [T],
    /// Rows between the first row that the kernel reads and row 0.
    pub(super) top: usize,
    pub(super) border: Border,
}

impl<'a, T: Sample> Taps<'a, T> {
    /// Adds the sums for pairs `(x, g)` of planes to `to`, row-major.
    #[inline(always)]
    pub(super) fn add<L: Lanes<T>>(
        &self,
        lanes: L,
        pairs: impl Iterator<Item = (Frame<'a, T>, &'a [T])> + Clone,
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
                            $(($rows, $cols) => self.tile::<L, $rows, $cols>(lanes, [b, e], pairs.clone(), to),)*
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

    /// `B` x `E` taps from `[first row, first column]` on.
    fn tile<L: Lanes<T>, const B: usize, const E: usize>(
        &self,
        lanes: L,
        [row, col]: [usize; 2],
        pairs: impl Iterator<Item = (Frame<'a, T>, &'a [T])>,
        to: &mut [f64],
    ) {
        lanes.vectorize(
            #[inline(always)]
            || {
                let ([down, along], steps) = (self.dilation, self.pitch / L::WIDTH);
                let (mut acc, mut room) = ([[lanes.splat(T::zero()); E]; B], CHAIN);
                for (x, g) in pairs {
                    for at in 0..self.rows + down * (B - 1) {
                        let place = (at + down * row) as isize - self.top as isize;
                        let Some(line) = self.border.index(place, x.rows) else { continue };
                        let line = x.samples.get(line * x.pitch + along * col..).unwrap_or(&[]);
                        // Row `at` of x meets row `at - down q` of g at row q of the tile.
                        let g: [&[T]; B] = core::array::from_fn(|q| {
                            let r = at.wrapping_sub(down * q);
                            let g = if r < self.rows { g.get(r * self.pitch..) } else { Some(self.none) };
                            g.unwrap_or(&[])
                        });
                        if room < steps {
                            self.store(lanes, [row, col], &acc, to);
                            (acc, room) = ([[lanes.splat(T::zero()); E]; B], CHAIN);
                        }
                        room = room.saturating_sub(steps);
                        self.row(lanes, line, g, &mut acc);
                    }
                }
                self.store(lanes, [row, col], &acc, to);
            },
        );
    }

    /// One row of `x` and those of `g` that meet it.
    #[inline(always)]
    fn row<L: Lanes<T>, const B: usize, const E: usize>(
        &self,
        lanes: L,
        line: &[T],
        g: [&[T]; B],
        acc: &mut [[L::Vector; E]; B],
    ) {
        let (along, pitch) = (self.dilation[1], self.pitch);
        // All have one length, so that it is compared once.
        let whole = pitch.min(line.len().saturating_sub((E - 1) * along) / L::WIDTH * L::WIDTH);
        let g_all = g;
        let g = g.map(|g| g.get(..whole).unwrap_or(&[]));
        let x: [&[T]; E] = core::array::from_fn(|e| line.get(e * along..).and_then(|x| x.get(..whole)).unwrap_or(&[]));
        if g.iter().any(|g| g.len() != whole) || x.iter().any(|x| x.len() != whole) {
            return;
        }
        let (mut sums, mut at) = (*acc, 0);
        while at < whole {
            let load = |from: &[T]| from.get(at..at + L::WIDTH).map_or(lanes.splat(T::zero()), |x| lanes.load(x));
            let x: [L::Vector; E] = core::array::from_fn(|e| load(x[e]));
            for b in 0..B {
                let g = load(g[b]);
                for e in 0..E {
                    sums[b][e] = lanes.multiply_add(sums[b][e], x[e], g);
                }
            }
            at += L::WIDTH;
        }
        *acc = sums;
        // The end of the last row in memory.
        while at < pitch {
            for (e, x) in (0..E).map(|e| (e, load_part(lanes, line.get(at + e * along..).unwrap_or(&[])))) {
                for (acc, g) in acc.iter_mut().zip(&g_all) {
                    acc[e] = lanes.multiply_add(acc[e], x, lanes.load(g.get(at..).unwrap_or(&[])));
                }
            }
            at += L::WIDTH;
        }
    }

    /// Adds the lanes of a tile.
    #[inline(always)]
    fn store<L: Lanes<T>, const B: usize, const E: usize>(
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
