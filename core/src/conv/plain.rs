//! The direct convolution without vectors: one row of output after another.
//!
//! ```text
//! out[c] = bias + w_0 x_0[c] + w_1 x_1[c] + …        x_k: the line that tap k reads
//! ```
//! Eight output pixels stay in registers for sixteen lines. When several columns of the kernel read a line, four taps
//! share the samples that are loaded. A kernel of one column sums [sixteen pixels](super::time) at a time. Kernels of 3 x 3 and
//! 5 x 5 use [two rows](super::small). The order of the taps is
//! that of [`tile`](super::tile), so the result is bit-identical. The machine code is a tenth as long.
//!
//! With `LOOPS`, everything is done in loops over whole rows, which the compiler vectorises.

use super::tile::{Band, Correlation};
use super::time::sum;
use crate::Sample;

/// Output pixels in registers.
const COLS: usize = 8;
/// Lines per pass over these pixels.
const TOGETHER: usize = 16;
/// Taps that share the loaded samples of a line.
const TAPS: usize = 4;

/// A line from the first column on that output column 0 reads, and the kernel's row for it.
type Line<'a, T> = (&'a [T], &'a [T]);

impl<T: Sample> Correlation<'_, T> {
    /// Writes a band of one channel.
    pub(super) fn plain<const LOOPS: bool>(&self, band: &mut Band<'_, T>) {
        let planes = self.is_small().then(|| self.planes(band.channel, 0));
        let mut row = band.rows.start;
        while row < band.rows.end {
            let (mut rows, mut col) = (1, band.cols.start);
            if let Some(planes) = planes.filter(|_| row + 1 < band.rows.end) {
                (rows, col) = (2, self.two_rows::<LOOPS>(row, &planes, band));
            }
            if col < band.cols.end {
                (row..row + rows).for_each(|row| self.row_of_taps::<LOOPS>(row, col, band));
            }
            row += rows;
        }
    }

    /// Writes a row from column `col` on.
    fn row_of_taps<const LOOPS: bool>(&self, row: usize, col: usize, band: &mut Band<'_, T>) {
        let [outs, ins, kt, kh, kw] = self.kernel;
        let (channel, first_row, len) = (band.channel, band.rows.start, band.cols.end - col);
        let input = (channel * self.groups).checked_div(outs).unwrap_or(0) * ins;
        let mut kernel = self.weights.get(channel * ins * kt * kh * kw..).unwrap_or(&[]).chunks_exact(kw.max(1));
        let first = (row * self.step[0]) as isize - self.top;
        let Some(out) = self.place(band, row - first_row, [first_row, col]).and_then(|out| out.get_mut(..len)) else {
            return;
        };
        out.fill(self.bias.get(channel).copied().unwrap_or_else(T::zero));
        let (mut lines, mut held): ([Line<'_, T>; TOGETHER], _) = ([(&[], &[]); TOGETHER], 0);
        for i in 0..ins {
            for a in 0..kt {
                let plane = self.lines.plane(input + i, kt - 1 - a);
                for b in 0..kh {
                    let at = first + (b * self.dilation[0]) as isize;
                    let taps = kernel.next().unwrap_or(&[]);
                    // No line where the border is zero.
                    let (_, _, Some(line)) = self.lines.run(plane, at, 1, 1, col * self.step[1]) else { continue };
                    if held == TOGETHER {
                        self.add::<LOOPS>(&lines, out);
                        held = 0;
                    }
                    if let Some(to) = lines.get_mut(held) {
                        *to = (line, taps);
                        held += 1;
                    }
                }
            }
        }
        self.add::<LOOPS>(lines.get(..held).unwrap_or(&[]), out);
    }

    /// Adds the taps of some lines to a row of output.
    fn add<const LOOPS: bool>(&self, lines: &[Line<'_, T>], out: &mut [T]) {
        let [step, dilation] = [self.step[1], self.dilation[1]];
        if step == 1 && LOOPS {
            return along(lines, dilation, out);
        }
        if step == 1 && self.kernel[4] == 1 {
            return sum(lines.iter().filter_map(|(line, taps)| Some((*line, *taps.first()?))), None, out);
        }
        let whole = if step == 1 { out.len() / COLS * COLS } else { 0 };
        let (tiles, rest) = out.split_at_mut_checked(whole).unwrap_or_default();
        for (at, tile) in (0..).step_by(COLS).zip(tiles.chunks_exact_mut(COLS)) {
            if let Some(tile) = tile.first_chunk_mut() {
                for (line, taps) in lines {
                    eight(line.get(at..).unwrap_or(&[]), taps, dilation, tile);
                }
            }
        }
        for (c, y) in (whole..).zip(rest) {
            for (line, taps) in lines {
                for (e, w) in taps.iter().enumerate() {
                    *y = *y + line.get(c * step + e * dilation).copied().unwrap_or_else(T::zero) * *w;
                }
            }
        }
    }
}

/// Adds the taps of a line to eight pixels.
#[inline(always)]
fn eight<T: Sample>(line: &[T], taps: &[T], dilation: usize, tile: &mut [T; COLS]) {
    let mut acc = *tile;
    let (fours, singles) = if dilation == 1 { taps.as_chunks::<TAPS>() } else { (&[][..], taps) };
    let mut rest = line;
    for taps in fours {
        let Some(x) = rest.get(..COLS + TAPS - 1) else { break };
        for (e, w) in taps.iter().enumerate() {
            feed(&mut acc, x.get(e..).unwrap_or(&[]), *w);
        }
        rest = rest.get(TAPS..).unwrap_or(&[]);
    }
    for w in singles {
        feed(&mut acc, rest.get(..COLS).unwrap_or(&[]), *w);
        rest = rest.get(dilation..).unwrap_or(&[]);
    }
    *tile = acc;
}

/// Adds one tap to neighbouring pixels; the first pixel reads the first sample of `x`.
#[inline(always)]
pub(super) fn feed<T: Sample, const N: usize>(acc: &mut [T; N], x: &[T], w: T) {
    for (acc, x) in acc.iter_mut().zip(x) {
        *acc = *acc + *x * w;
    }
}

/// Adds the taps of some lines to a whole row, four at a time.
fn along<T: Sample>(lines: &[Line<'_, T>], dilation: usize, out: &mut [T]) {
    let taps = lines.iter().flat_map(|(line, taps)| {
        let line = move |e: usize| line.get(e * dilation..).unwrap_or(&[]);
        taps.iter().enumerate().map(move |(e, w)| (line(e), *w))
    });
    let (mut four, mut held): ([(&[T], T); TAPS], _) = ([(&[], T::zero()); TAPS], 0);
    for tap in taps {
        if held == TAPS {
            along_four(four, out);
            held = 0;
        }
        if let Some(to) = four.get_mut(held) {
            *to = tap;
            held += 1;
        }
    }
    if held == TAPS {
        return along_four(four, out);
    }
    for (x, w) in four.into_iter().take(held) {
        out.iter_mut().zip(x).for_each(|(y, x)| *y = *y + *x * w);
    }
}

/// A separate function, so that the compiler knows that the rows do not overlap.
#[inline(never)]
fn along_four<T: Sample>([(x, p), (y, q), (z, r), (u, s)]: [(&[T], T); TAPS], out: &mut [T]) {
    for ((((out, x), y), z), u) in out.iter_mut().zip(x).zip(y).zip(z).zip(u) {
        *out = *out + *x * p + *y * q + *z * r + *u * s;
    }
}
