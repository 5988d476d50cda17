//! Inner loops of the convolution without vectors: a tile of output columns in registers.
//!
//! ```text
//! out[c] = bias + sum over parts, their lines l and taps e, in this order, of w[l, e] x[l pitch + s c + e]
//! ```
//! On a microcontroller a load is as expensive as a multiply-add, and there are 32 registers for floats. A tile is sixteen
//! columns of one row, or eight. It stays in registers for up to [`TOGETHER`] parts; a part has up to [`MOST`] neighbouring
//! taps of each of its lines. A sample of a line is loaded once for all taps of the part that read it. Longer rows of taps
//! have several parts. The last tile of a row overlaps the one before it, so rows of any length take the same loops.
//!
//! The taps of a pixel are added in the order of [`tile`](super::tile), so the result is bit-identical.

use crate::Sample;

/// Columns of a tile, and of one where few remain.
const COLS: usize = 16;
const FEW: usize = 8;
/// Taps of a part for each line.
pub(super) const MOST: usize = 7;
/// Parts that a tile takes without leaving its registers.
pub(super) const TOGETHER: usize = 8;

/// Neighbouring columns of the kernel, over equidistant lines.
#[derive(Clone, Copy)]
pub(super) struct Part<'a, T> {
    /// The samples from the first one on that output column 0 reads.
    pub(super) x: &'a [T],
    /// Samples from one line to the next.
    pub(super) pitch: usize,
    /// `width` for each line.
    pub(super) taps: &'a [T],
    pub(super) width: usize,
}

impl<T> Part<'_, T> {
    pub(super) const NONE: Self = Self { x: &[], pitch: 0, taps: &[], width: 0 };
}

/// Adds the taps of some parts to a row of output, or to `bias`. From one column to the next, the taps move by `step` samples.
#[inline(never)]
pub(super) fn add<T: Sample>(parts: &[Part<'_, T>], step: usize, bias: Option<T>, out: &mut [T]) {
    match step {
        1 => row::<T, 1, COLS>(parts, bias, out),
        2 => row::<T, 2, COLS>(parts, bias, out),
        3 => row::<T, 3, FEW>(parts, bias, out),
        4 => row::<T, 4, FEW>(parts, bias, out),
        _ => columns(parts, step, bias, out),
    }
}

/// All tiles of a row.
#[inline(always)]
fn row<T: Sample, const STEP: usize, const COLS: usize>(parts: &[Part<'_, T>], bias: Option<T>, out: &mut [T]) {
    let (len, rest) = (out.len(), out.len() % COLS);
    // The last tile begins with these sums again, which the one before replaces.
    let (wide, few) = (out.last_chunk::<COLS>().copied(), out.last_chunk::<FEW>().copied());
    if few.is_none() && rest > 0 {
        return columns(parts, STEP, bias, out);
    }
    tiles::<T, STEP, COLS>(parts, 0, bias, out);
    if rest > FEW
        && let (Some(last), Some(sums)) = (out.last_chunk_mut::<COLS>(), wide)
    {
        *last = sums;
        return tiles::<T, STEP, COLS>(parts, len - COLS, bias, last);
    }
    if rest > FEW
        && let Some(first) = out.first_chunk_mut::<FEW>()
    {
        tiles::<T, STEP, FEW>(parts, 0, bias, first);
    }
    if rest > 0
        && let (Some(last), Some(sums)) = (out.last_chunk_mut::<FEW>(), few)
    {
        *last = sums;
        tiles::<T, STEP, FEW>(parts, len - FEW, bias, last);
    }
}

/// The whole tiles of `out`, which begins with column `col`.
#[inline(never)]
fn tiles<T: Sample, const STEP: usize, const COLS: usize>(
    parts: &[Part<'_, T>],
    mut col: usize,
    bias: Option<T>,
    out: &mut [T],
) {
    for out in out.as_chunks_mut::<COLS>().0 {
        let mut acc = bias.map_or(*out, |bias| [bias; COLS]);
        for part in parts {
            match part.width {
                1 => tile::<T, STEP, COLS, 1>(part, col, &mut acc),
                2 => tile::<T, STEP, COLS, 2>(part, col, &mut acc),
                3 => tile::<T, STEP, COLS, 3>(part, col, &mut acc),
                4 => tile::<T, STEP, COLS, 4>(part, col, &mut acc),
                5 => tile::<T, STEP, COLS, 5>(part, col, &mut acc),
                6 => tile::<T, STEP, COLS, 6>(part, col, &mut acc),
                _ => tile::<T, STEP, COLS, MOST>(part, col, &mut acc),
            }
        }
        *out = acc;
        col += COLS;
    }
}

/// Adds a part of `N` taps for each line to the tile at column `col`.
#[inline(always)]
fn tile<T: Sample, const STEP: usize, const COLS: usize, const N: usize>(
    part: &Part<'_, T>,
    col: usize,
    acc: &mut [T; COLS],
) {
    let mut line = part.x.get(col * STEP..).unwrap_or(&[]);
    for taps in part.taps.as_chunks::<N>().0 {
        let Some(x) = line.get(..(COLS - 1) * STEP + N) else { return };
        let taps = *taps;
        four::<T, STEP, N>(acc, x, 0, taps);
        four::<T, STEP, N>(acc, x, 4, taps);
        four::<T, STEP, N>(acc, x, 8, taps);
        four::<T, STEP, N>(acc, x, 12, taps);
        let Some(next) = line.get(part.pitch..) else { return };
        line = next;
    }
}

/// Adds some taps to columns `at` to `at + 4`.
#[inline(always)]
fn four<T: Sample, const STEP: usize, const N: usize>(acc: &mut [T], x: &[T], at: usize, taps: [T; N]) {
    let Some(acc) = acc.get_mut(at..at + 4) else { return };
    for (e, w) in taps.into_iter().enumerate() {
        for (acc, x) in acc.iter_mut().zip(x.get(at * STEP + e..).unwrap_or(&[]).iter().step_by(STEP)) {
            *acc = *acc + *x * w;
        }
    }
}

/// Column by column.
#[inline(never)]
fn columns<T: Sample>(parts: &[Part<'_, T>], step: usize, bias: Option<T>, out: &mut [T]) {
    for (c, out) in out.iter_mut().enumerate() {
        let mut acc = bias.unwrap_or(*out);
        for part in parts {
            let mut line = part.x.get(c * step..).unwrap_or(&[]);
            for taps in part.taps.chunks_exact(part.width.max(1)) {
                for (x, w) in line.iter().zip(taps) {
                    acc = acc + *x * *w;
                }
                line = line.get(part.pitch..).unwrap_or(&[]);
            }
        }
        *out = acc;
    }
}
