//! Inner loops of the convolution without vectors: a tile of output columns in registers.
//!
//! ```text
//! out[c] = bias + sum over parts, their lines l and taps e, in this order, of w[l, e] x[l pitch + s c + e]
//! ```
//! On a microcontroller a load is as expensive as a multiply-add, and there are 32 registers for floats. A tile is sixteen
//! columns of one row, or eight. It stays in registers for up to [`TOGETHER`] parts; a part has up to [seven](most) neighbouring
//! taps of each of its lines. A sample of a line is loaded once for all taps of the part that read it. Longer rows of taps
//! have several parts. The last tile of a row overlaps the one before it, so rows of any length take the same loops.
//!
//! The taps of a pixel are added in the order of [`tile`](super::tile), so the result is bit-identical.

use crate::Sample;
use crate::cases::Cases;
use crate::lanes::Lanes;

/// Where sums start: at a bias, or at those that are there.
type Start<T> = Option<<T as Sample>::Sum>;

/// Columns of a tile, and of one where few remain.
const COLS: usize = 16;
const FEW: usize = 8;
/// The largest step between columns that has inner loops.
const MOST_STEP: usize = 4;
/// Taps of a part for each line, at most.
pub(super) const fn most(step: usize) -> usize {
    match step {
        1 => 7,
        2 => 5,
        _ => usize::MAX,
    }
}
/// The cases of rows of `taps` taps, each `dilation` samples after the one before, where each of `cols` outputs reads `step` samples
/// after the one before it.
pub(crate) const fn cases_of(taps: usize, step: usize, dilation: usize, cols: usize) -> Cases {
    let together =
        if dilation > 1 { 1 } else { taps.div_ceil(if taps > most(step) { taps.div_ceil(most(step)) } else { 1 }) };
    let rest = if together == 0 { 0 } else { taps % together };
    Cases::taps(together)
        .and(Cases::taps(rest).when(rest > 0))
        .and(Cases::STRIDE.when(step != 1))
        .and(Cases::DILATION.when(dilation != 1))
        .and(Cases::REST.when(!cols.is_multiple_of(COLS)))
}
/// Parts that a tile takes without leaving its registers.
pub(super) const TOGETHER: usize = 8;

/// Neighbouring columns of the kernel, over equidistant lines.
pub(super) type Part<'a, T> = foveola_dsp::Lines<'a, T>;

/// Adds the taps of some parts to a row of output, or to `bias`. From one column to the next, the taps move by `step` samples.
#[inline(never)]
pub(super) fn add<T: Sample, L: Lanes<T>>(parts: &[Part<'_, T>], step: usize, bias: Start<T>, out: &mut [T::Sum]) {
    let step = if L::asks(Cases::STRIDE, step != 1) { step } else { 1 };
    let cols = if step > 2 { FEW } else { COLS };
    let len = out.len();
    let rest = if L::asks(Cases::REST, len % cols > 0) { len % cols } else { 0 };
    let wide = last::<T::Sum, COLS>(out).filter(|_| rest > FEW).copied();
    let few = last::<T::Sum, FEW>(out).filter(|_| rest > 0).copied();
    if step > MOST_STEP || few.is_none() && rest > 0 {
        return columns(parts, step, bias, out);
    }
    tiles::<T, L>(parts, [step, cols, 0], bias, out);
    // The last tile begins with the same sums again, which the one before has replaced.
    if let (Some(last), Some(sums)) = (last_mut::<T::Sum, COLS>(out), wide) {
        *last = sums;
        return tiles::<T, L>(parts, [step, COLS, len - COLS], bias, last);
    }
    if rest > FEW
        && let Some(first) = out.first_chunk_mut::<FEW>()
    {
        tiles::<T, L>(parts, [step, FEW, 0], bias, first);
    }
    if let (Some(last), Some(sums)) = (last_mut::<T::Sum, FEW>(out), few) {
        *last = sums;
        tiles::<T, L>(parts, [step, FEW, len - FEW], bias, last);
    }
}

/// [`add`] of integers, in any order, and what of it becomes output: `2^shift sum`.
pub(super) fn add_sums<T: Sample, L: Lanes<T>>(
    parts: &[Part<'_, T>],
    step: usize,
    bias: Start<T>,
    sums: &mut [T::Sum],
    out: Option<(&mut [T], i8)>,
) {
    let (mut start, mut out) = (bias, out);
    if foveola_dsp::AVAILABLE {
        for (i, part) in parts.iter().enumerate() {
            let end = out.as_mut().filter(|_| i + 1 == parts.len()).map(|(out, shift)| (&mut **out, *shift));
            let is_end = end.is_some();
            if T::add_lines(*part, step, start, sums, end) {
                if is_end {
                    return;
                }
            } else if !(is_end && T::add_lines(*part, step, start, sums, None)) {
                add::<T, L>(&[*part], step, start, sums);
            }
            start = None;
        }
    } else if !parts.is_empty() {
        add::<T, L>(parts, step, start.take(), sums);
    }
    if let Some(bias) = start {
        sums.fill(bias);
    }
    if let Some((out, shift)) = out {
        out.iter_mut().zip(sums).for_each(|(out, sum)| *out = T::from_sum(*sum, shift));
    }
}

/// `last_chunk`, in which the compiler does not always see that it cannot panic.
fn last<T, const N: usize>(x: &[T]) -> Option<&[T; N]> {
    x.get(x.len().checked_sub(N)?..)?.first_chunk()
}

fn last_mut<T, const N: usize>(x: &mut [T]) -> Option<&mut [T; N]> {
    let start = x.len().checked_sub(N)?;
    x.get_mut(start..)?.first_chunk_mut()
}

/// The whole tiles of `cols` columns in `out`, which begins with column `col`.
#[inline(never)]
fn tiles<T: Sample, L: Lanes<T>>(
    parts: &[Part<'_, T>],
    [step, cols, col]: [usize; 3],
    bias: Start<T>,
    out: &mut [T::Sum],
) {
    let (rest, strides) = (L::asks(Cases::REST, true), L::asks(Cases::STRIDE, true));
    match (step, cols) {
        (1, COLS) => tiles_of::<T, L, 1, COLS>(parts, col, bias, out),
        (1, _) if rest => tiles_of::<T, L, 1, FEW>(parts, col, bias, out),
        (2, COLS) if strides => tiles_of::<T, L, 2, COLS>(parts, col, bias, out),
        (2, _) if rest && strides => tiles_of::<T, L, 2, FEW>(parts, col, bias, out),
        (3, _) if strides => tiles_of::<T, L, 3, FEW>(parts, col, bias, out),
        (MOST_STEP, _) if strides => tiles_of::<T, L, MOST_STEP, FEW>(parts, col, bias, out),
        _ => {}
    }
}

/// [`tiles`], with inner loops for each step and width.
#[inline(never)]
fn tiles_of<T: Sample, L: Lanes<T>, const STEP: usize, const COLS: usize>(
    parts: &[Part<'_, T>],
    mut col: usize,
    bias: Start<T>,
    out: &mut [T::Sum],
) {
    for out in out.as_chunks_mut::<COLS>().0 {
        let mut acc = bias.map_or(*out, |bias| [bias; COLS]);
        for part in parts {
            match part.width {
                // Rare shapes: short loops, as program memory is expensive.
                _ if COLS == FEW && (STEP > 1 || part.width > 5) => tap_by_tap::<T, STEP, COLS>(part, col, &mut acc),
                1 if L::asks(Cases::taps(1), true) => tile::<T, STEP, COLS, 1>(part, col, &mut acc),
                2 if L::asks(Cases::taps(2), true) => tile::<T, STEP, COLS, 2>(part, col, &mut acc),
                3 if L::asks(Cases::taps(3), true) => tile::<T, STEP, COLS, 3>(part, col, &mut acc),
                4 if L::asks(Cases::taps(4), true) => tile::<T, STEP, COLS, 4>(part, col, &mut acc),
                5 if L::asks(Cases::taps(5), true) => tile::<T, STEP, COLS, 5>(part, col, &mut acc),
                6 if STEP == 1 && L::asks(Cases::taps(6), true) => tile::<T, STEP, COLS, 6>(part, col, &mut acc),
                7 if STEP == 1 && L::asks(Cases::taps(7), true) => tile::<T, STEP, COLS, 7>(part, col, &mut acc),
                _ => {}
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
    acc: &mut [T::Sum; COLS],
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

/// [`tile`] of any number of taps, whose samples are loaded for each tap.
#[inline(always)]
fn tap_by_tap<T: Sample, const STEP: usize, const COLS: usize>(
    part: &Part<'_, T>,
    col: usize,
    acc: &mut [T::Sum; COLS],
) {
    let mut line = part.x.get(col * STEP..).unwrap_or(&[]);
    for taps in part.taps.chunks_exact(part.width.max(1)) {
        let mut rest = line;
        for w in taps {
            let Some(x) = rest.get(..(COLS - 1) * STEP + 1) else { return };
            for (acc, x) in acc.iter_mut().zip(x.iter().step_by(STEP)) {
                *acc = T::add_product(*acc, *x, *w);
            }
            rest = rest.get(1..).unwrap_or(&[]);
        }
        let Some(next) = line.get(part.pitch..) else { return };
        line = next;
    }
}

/// Adds some taps to columns `at` to `at + 4`.
#[inline(always)]
fn four<T: Sample, const STEP: usize, const N: usize>(acc: &mut [T::Sum], x: &[T], at: usize, taps: [T; N]) {
    let Some(acc) = acc.get_mut(at..at + 4) else { return };
    for (e, w) in taps.into_iter().enumerate() {
        for (acc, x) in acc.iter_mut().zip(x.get(at * STEP + e..).unwrap_or(&[]).iter().step_by(STEP)) {
            *acc = T::add_product(*acc, *x, w);
        }
    }
}

/// Column by column.
#[inline(never)]
fn columns<T: Sample>(parts: &[Part<'_, T>], step: usize, bias: Start<T>, out: &mut [T::Sum]) {
    for (c, out) in out.iter_mut().enumerate() {
        let mut acc = bias.unwrap_or(*out);
        for part in parts {
            let mut line = part.x.get(c * step..).unwrap_or(&[]);
            for taps in part.taps.chunks_exact(part.width.max(1)) {
                for (x, w) in line.iter().zip(taps) {
                    acc = T::add_product(acc, *x, *w);
                }
                line = line.get(part.pitch..).unwrap_or(&[]);
            }
        }
        *out = acc;
    }
}
