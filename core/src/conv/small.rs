//! Inner loops of the convolution without vectors, written out for kernels of 3 x 3 and of 5 x 5.
//!
//! On a microcontroller a load is as expensive as a multiply-add, and there are 32 registers for floats. A tile is
//! therefore two rows x eight columns of output pixels: a row of the input is loaded once for all columns and both
//! output rows that read it, a weight once for eight pixels. The tile stays in registers for four planes (channels of
//! frames), whose lines are looked up once for all tiles of two rows. 5 x 5 takes 1.5 instructions per multiply-add.
//!
//! The taps of a pixel are added in the order of [`tile`](super::tile), so the result is bit-identical. Other kernels
//! are processed [row by row](super::plain).

use super::plain::feed;
use super::tile::{Band, Correlation};
use crate::Sample;

/// Output rows and columns of a tile.
const ROWS: usize = 2;
const COLS: usize = 8;
/// Planes (channels of frames) that a tile takes without leaving its registers.
pub(super) const TOGETHER: usize = 4;
/// The largest number of lines that a tile reads.
const LINES: usize = 5 + ROWS - 1;

impl<T: Sample> Correlation<'_, T> {
    /// Whether this module has loops for the kernel.
    #[inline(always)]
    pub(super) fn is_small(&self) -> bool {
        let [.., kh, kw] = self.kernel;
        let adjacent = self.pitch[1] == self.cols;
        kh == kw && (kh == 3 || kh == 5) && self.step == [1, 1] && self.dilation == [1, 1] && adjacent
    }

    /// Writes output rows `row` and `row + 1` of one channel, as far as there are loops for it. Returns the column
    /// after that: the first one where the kernel reads a border of zeros. `planes` are the [first](Self::planes) ones.
    pub(super) fn two_rows<const LOOPS: bool>(
        &self,
        row: usize,
        planes: &[&[T]; TOGETHER],
        band: &mut Band<'_, T>,
    ) -> usize {
        let written = match (LOOPS, self.kernel[4]) {
            (false, 3) => self.tiles::<3>(row, planes, band),
            (false, _) => self.tiles::<5>(row, planes, band),
            (true, 3) => self.loops::<3>(row, planes, band),
            (true, _) => self.loops::<5>(row, planes, band),
        };
        band.cols.start + written.unwrap_or(0)
    }

    /// The samples of a channel's planes from the `k`-th on; empty ones after the last.
    pub(super) fn planes(&self, channel: usize, k: usize) -> [&[T]; TOGETHER] {
        let [outs, ins, kt, ..] = self.kernel;
        let input = (channel * self.groups).checked_div(outs).unwrap_or(0) * ins;
        core::array::from_fn(|p| match (k + p).checked_div(kt) {
            Some(i) if i < ins => self.lines.samples(input + i, kt - 1 - (k + p) % kt),
            _ => &[],
        })
    }

    /// Bias and weights of a channel, and the two rows of `cols` samples that it writes.
    fn rows_of_two<'b>(&'b self, row: usize, cols: usize, band: &'b mut Band<'_, T>) -> Option<Rows<'b, T>> {
        let bias = self.bias.get(band.channel).copied().unwrap_or_else(T::zero);
        let of_channel = self.kernel[1..].iter().product();
        let weights = self.weights.get(band.channel * of_channel..)?.get(..of_channel)?;
        let (first_row, first) = (band.rows.start, band.cols.start);
        let (upper, lower) = self.place(band, row - first_row, [first_row, first])?.split_at_mut_checked(self.cols)?;
        Some((bias, weights, [upper.get_mut(..cols)?, lower.get_mut(..cols)?]))
    }

    fn tiles<const K: usize>(&self, row: usize, planes: &[&[T]; TOGETHER], band: &mut Band<'_, T>) -> Option<usize> {
        let (channel, first) = (band.channel, band.cols.start);
        let tiles = u16::try_from(band.cols.len() / COLS).ok()?;
        let cols = usize::from(tiles) * COLS;
        let starts: [usize; LINES] = self.lines.starts(row as isize - self.top, K + ROWS - 1)?;
        let (bias, weights, [upper, lower]) = self.rows_of_two(row, cols, band)?;
        for (group, kernels) in weights.chunks(TOGETHER * K * K).enumerate() {
            let further = if group == 0 { *planes } else { self.planes(channel, group * TOGETHER) };
            let mut lines = [[&[][..]; LINES]; TOGETHER];
            for (lines, plane) in lines.iter_mut().zip(further).take(kernels.len() / (K * K)) {
                for (line, start) in lines.iter_mut().zip(starts).take(K + ROWS - 1) {
                    *line = plane.get(start + first..).unwrap_or(&[]);
                }
            }
            let outputs = upper.chunks_exact_mut(COLS).zip(lower.chunks_exact_mut(COLS));
            for (tile, (upper, lower)) in (0..tiles).zip(outputs) {
                let (upper, lower) = (upper.first_chunk_mut()?, lower.first_chunk_mut()?);
                let mut acc = if group == 0 { [[bias; COLS]; ROWS] } else { [*upper, *lower] };
                for (lines, kernel) in lines.iter().zip(kernels.chunks_exact(K * K)) {
                    plane::<T, K>(lines, tile, kernel, &mut acc)?;
                }
                [*upper, *lower] = acc;
            }
        }
        Some(cols)
    }

    /// Whole rows, in loops that the compiler vectorises.
    fn loops<const K: usize>(&self, row: usize, planes: &[&[T]; TOGETHER], band: &mut Band<'_, T>) -> Option<usize> {
        let (channel, first, cols) = (band.channel, band.cols.start, band.cols.len());
        let starts: [usize; LINES] = self.lines.starts(row as isize - self.top, K + ROWS - 1)?;
        let (bias, weights, [upper, lower]) = self.rows_of_two(row, cols, band)?;
        upper.fill(bias);
        lower.fill(bias);
        for (group, kernels) in weights.chunks(TOGETHER * K * K).enumerate() {
            let further = if group == 0 { *planes } else { self.planes(channel, group * TOGETHER) };
            for (plane, kernel) in further.into_iter().zip(kernels.chunks_exact(K * K)) {
                let line = |start: usize| plane.get(start + first..).and_then(|line| line.get(..cols + K - 1));
                let lines = starts.map(|start| line(start).unwrap_or(&[]));
                if lines.iter().take(K + ROWS - 1).any(|line| line.is_empty()) {
                    return None;
                }
                rows_of_plane::<T, K>(&lines, kernel, [&mut *upper, &mut *lower])?;
            }
        }
        Some(cols)
    }
}

/// Bias, weights, and two rows of output.
type Rows<'b, T> = (T, &'b [T], [&'b mut [T]; ROWS]);

/// Adds the taps of one plane to two rows of output.
#[inline(always)]
fn rows_of_plane<T: Sample, const K: usize>(
    lines: &[&[T]; LINES],
    kernel: &[T],
    [upper, lower]: [&mut [T]; ROWS],
) -> Option<()> {
    let taps = |b: usize| kernel.get(b * K..)?.first_chunk::<K>();
    let lines = |b: usize| Some([*lines.get(b)?, *lines.get(b + 1)?]);
    let last = K - 1;
    two_lines::<T, K, true, false>(lines(0)?, [taps(0)?, taps(0)?, taps(1)?], upper, lower);
    if K == 5 {
        two_lines::<T, K, false, false>(lines(2)?, [taps(1)?, taps(2)?, taps(3)?], upper, lower);
    }
    two_lines::<T, K, false, true>(lines(last)?, [taps(last - 1)?, taps(last)?, taps(last)?], upper, lower);
    Some(())
}

/// Lines `b` and `b + 1`, with the kernel's rows `b - 1` to `b + 1`. The lower row of the output does not read the
/// first line, the upper row not the last. A separate function, so that the compiler knows that the rows do not
/// overlap.
#[inline(never)]
fn two_lines<T: Sample, const K: usize, const FIRST: bool, const LAST: bool>(
    [x, y]: [&[T]; 2],
    [before, taps, behind]: [&[T; K]; 3],
    upper: &mut [T],
    lower: &mut [T],
) {
    let (before, taps, behind) = (*before, *taps, *behind);
    for (((x, y), u), l) in x.windows(K).zip(y.windows(K)).zip(upper).zip(lower) {
        let (mut p, mut q) = (*u, *l);
        for (x, (w, v)) in x.iter().zip(taps.iter().zip(&before)) {
            p = p + *x * *w;
            if !FIRST {
                q = q + *x * *v;
            }
        }
        for (y, (w, v)) in y.iter().zip(taps.iter().zip(&behind)) {
            if !LAST {
                p = p + *y * *v;
            }
            q = q + *y * *w;
        }
        (*u, *l) = (p, q);
    }
}

/// Adds the taps of one plane to a tile; `None` when a line is too short.
#[inline(always)]
fn plane<T: Sample, const K: usize>(
    lines: &[&[T]; LINES],
    tile: u16,
    kernel: &[T],
    [upper, lower]: &mut [[T; COLS]; ROWS],
) -> Option<()> {
    let at = usize::from(tile) * COLS;
    let line = |b: usize| lines.get(b)?.get(at..at + COLS + K - 1);
    let taps = |b: usize| kernel.get(b * K..(b + 1) * K).unwrap_or(&[]);
    let row = |acc: &mut [T; COLS], x: &[T], b: usize| {
        for (e, w) in taps(b).iter().enumerate() {
            feed(acc, x.get(e..).unwrap_or(&[]), *w);
        }
    };
    // Only one of the rows reads the first line, and only one the last.
    row(upper, line(0)?, 0);
    for b in 1..K {
        let x = line(b)?;
        row(upper, x, b);
        row(lower, x, b - 1);
    }
    row(lower, line(K)?, K - 1);
    Some(())
}
