//! Loops over two rows of output at a time, for kernels of 3 x 3 and of 5 x 5, which the compiler vectorises.
//!
//! A line of the input is loaded once for the two output rows that read it. The samples of four planes (channels of frames) are
//! looked up at once. Sums that are wider than a sample lie in two rows on the stack, and are rounded once.
//!
//! The taps of a pixel are added in the order of [`tile`](super::tile), so the result is bit-identical. Other kernels are
//! processed [row by row](super::plain).

use super::tile::{Band, Correlation};
use crate::Sample;

/// Output rows of a pass.
const ROWS: usize = 2;
/// Planes (channels of frames) that are looked up at once.
pub(super) const TOGETHER: usize = 4;
/// Columns whose sums are held together, where a sum is wider than a sample.
const WIDE: usize = 64;
/// The largest number of lines that two rows read.
const LINES: usize = 5 + ROWS - 1;

impl<T: Sample> Correlation<'_, T> {
    /// Whether this module has loops for the kernel.
    #[inline(always)]
    pub(super) fn is_small(&self) -> bool {
        let [.., kh, kw] = self.kernel;
        let adjacent = self.pitch[1] == self.cols;
        kh == kw && (kh == 3 || kh == 5) && self.step == [1, 1] && self.dilation == [1, 1] && adjacent
    }

    /// Writes output rows `row` and `row + 1` of one channel, unless the kernel reads a border of zeros. Returns the column
    /// after that. `planes` are the [first](Self::planes) ones.
    pub(super) fn two_rows(&self, row: usize, planes: &[&[T]; TOGETHER], band: &mut Band<'_, T>) -> usize {
        let written = match self.kernel[4] {
            3 => self.loops::<3>(row, planes, band),
            _ => self.loops::<5>(row, planes, band),
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
        let bias = self.bias_of(band.channel);
        let of_channel = self.kernel[1..].iter().product();
        let weights = self.weights.get(band.channel * of_channel..)?.get(..of_channel)?;
        let (first_row, first) = (band.rows.start, band.cols.start);
        let (upper, lower) = self.place(band, row - first_row, [first_row, first])?.split_at_mut_checked(self.cols)?;
        Some((bias, weights, [upper.get_mut(..cols)?, lower.get_mut(..cols)?]))
    }

    /// Whole rows, in loops that the compiler vectorises.
    fn loops<const K: usize>(&self, row: usize, planes: &[&[T]; TOGETHER], band: &mut Band<'_, T>) -> Option<usize> {
        let (channel, first, cols) = (band.channel, band.cols.start, band.cols.len());
        let starts: [usize; LINES] = self.lines.starts(row as isize - self.top, K + ROWS - 1)?;
        let (bias, weights, [upper, lower]) = self.rows_of_two(row, cols, band)?;
        let (bias, of_lines) = (bias.to_sum(), |first, rows: [&mut [T::Sum]; ROWS]| {
            self.lines::<K>(channel, [first, rows[0].len()], &starts, planes, weights, rows)
        });
        if !T::HAS_WIDE_SUMS {
            let (upper, lower) = (T::as_sums(upper)?, T::as_sums(lower)?);
            upper.fill(bias);
            lower.fill(bias);
            of_lines(first, [upper, lower])?;
            return Some(cols);
        }
        let mut sums = [[bias; WIDE]; ROWS];
        for (first, (upper, lower)) in (first..).step_by(WIDE).zip(upper.chunks_mut(WIDE).zip(lower.chunks_mut(WIDE))) {
            let mut rows = sums.each_mut().map(|sums| sums.get_mut(..upper.len()).unwrap_or_default());
            rows.each_mut().into_iter().for_each(|sums| sums.fill(bias));
            of_lines(first, rows.each_mut().map(|sums| &mut **sums))?;
            for (out, sums) in [upper, lower].into_iter().zip(rows) {
                for (y, sum) in out.iter_mut().zip(sums) {
                    *y = T::from_sum(*sum, self.shift);
                }
            }
        }
        Some(cols)
    }

    /// Adds the taps of all planes to two rows of sums, from column `first` on.
    #[inline(always)]
    fn lines<const K: usize>(
        &self,
        channel: usize,
        [first, cols]: [usize; 2],
        starts: &[usize; LINES],
        planes: &[&[T]; TOGETHER],
        weights: &[T],
        [upper, lower]: [&mut [T::Sum]; ROWS],
    ) -> Option<()> {
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
        Some(())
    }
}

/// Bias, weights, and two rows of output.
type Rows<'b, T> = (T, &'b [T], [&'b mut [T]; ROWS]);

/// Adds the taps of one plane to two rows of output.
#[inline(always)]
fn rows_of_plane<T: Sample, const K: usize>(
    lines: &[&[T]; LINES],
    kernel: &[T],
    [upper, lower]: [&mut [T::Sum]; ROWS],
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
    upper: &mut [T::Sum],
    lower: &mut [T::Sum],
) {
    let (before, taps, behind) = (*before, *taps, *behind);
    for (((x, y), u), l) in x.windows(K).zip(y.windows(K)).zip(upper).zip(lower) {
        let (mut p, mut q) = (*u, *l);
        for (x, (w, v)) in x.iter().zip(taps.iter().zip(&before)) {
            p = T::add_product(p, *x, *w);
            if !FIRST {
                q = T::add_product(q, *x, *v);
            }
        }
        for (y, (w, v)) in y.iter().zip(taps.iter().zip(&behind)) {
            if !LAST {
                p = T::add_product(p, *y, *v);
            }
            q = T::add_product(q, *y, *w);
        }
        (*u, *l) = (p, q);
    }
}
