//! The convolution of frames that are zero nearly everywhere, as frames of events are: every sample is spread over the outputs that
//! read it.
//!
//! ```text
//! out[o, r, c] = bias[o], then for each x[i, t, v, j] that is not 0, in this order:
//! out[o, (v + top - dil_r b) / sr, (j - dil_c e) / sc] += w[o, i, a, b, e] x[i, t, v, j]
//! ```
//! The columns `j` are those of a row with its left border; rows and columns of outputs that are no whole numbers do not exist. An
//! output takes its taps in the order of `tile.rs`: channels, frames, rows, columns. The taps that it does not take are
//! products with zero, which leave a sum as it is. The result is therefore bit-identical, and only the speed tells which way was
//! taken.
//!
//! The samples that are not zero are counted first, up to as many as cost what all taps do ([`Lanes::SPREAD`]): a dense frame costs
//! little more than it would without. Kernels with a weight that is not finite are left alone, as zero times infinity is not zero.
//! Cost: two passes over the input, and a multiply-add with a load and a store for each tap of each sample that is not zero.

use super::lines::Lines;
use super::tile::{Band, Correlation};
use crate::Sample;
use crate::cases::Cases;
use crate::lanes::{Lanes, add_product};
use core::ops::Range;

/// Samples that are tested together.
const BLOCK: usize = 8;

/// Taps of a frame below which a pass over the input costs as much as they do.
const FEW: usize = 3;

/// Columns and taps of a band below which the count costs as much as it may save.
const NARROW: usize = 32;
const LEAST: usize = 2048;

/// Taps that cost as much as to begin a row of them.
const ROW: usize = 8;

/// Which rows of input have samples that are not zero: a bit for each, by its number modulo 32.
#[derive(Clone, Copy)]
struct ActiveRows(u32);

impl<T: Sample> Correlation<'_, T> {
    /// Writes a band by spreading, if that costs less than to add all taps; returns whether it did.
    #[inline(always)]
    pub(super) fn is_spread<L: Lanes<T>>(&self, lanes: L, band: &mut Band<'_, T>) -> bool {
        let rows = self.sparse::<L>(band);
        if let Some(rows) = rows {
            self.spread(lanes, rows, band);
        }
        rows.is_some()
    }

    /// The rows to spread, if that costs less than to add all taps of a band.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn sparse<L: Lanes<T>>(&self, band: &Band<'_, T>) -> Option<ActiveRows> {
        let ([.., kh, kw], read) = (self.kernel, self.reads(band));
        let taps = band.rows.len() * band.cols.len() * band.channels * self.taps();
        let is_small = kh * kw < FEW || band.cols.len() < NARROW || taps < LEAST;
        let samples: usize = read.size.iter().product();
        // A quarter at once and the others row by row, so that a dense frame is known by its first rows.
        let (mut left, each) = match L::SPREAD {
            _ if matches!(self.lines, Lines::Time { .. }) => return None,
            1 => (samples, 0),
            spread if !is_small => {
                let quarter = (samples * kw).checked_div(4 * spread * (kw + ROW))?;
                (quarter, (3 * quarter).checked_div(read.rows())?)
            }
            _ => return None,
        };
        let mut rows = 0;
        for number in 0..read.rows() {
            left += each;
            for (_, block) in blocks(self.line::<L>(&read, number)) {
                let active = block.iter().filter(|x| !x.is_zero()).count();
                left = left.checked_sub(active)?;
                rows |= u32::from(active > 0) << (number % 32);
            }
        }
        let mut channels = band.outs::<L>();
        channels
            // A sum that starts with -0 keeps its sign until a product is not -0.
            .all(|o| !self.bias_of(o).is_negative_zero() && are_finite(self.kernel_of(o)))
            .then_some(ActiveRows(rows))
    }

    /// Writes a band.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn spread<L: Lanes<T>>(&self, lanes: L, ActiveRows(rows): ActiveRows, band: &mut Band<'_, T>) {
        for channel in band.outs::<L>() {
            let bias = self.bias_of(channel);
            (0..band.rows.len()).for_each(|row| fill(self.row_of(band, channel, row), bias));
        }
        let read = self.reads(band);
        for number in (0..read.rows()).filter(|number| rows >> (number % 32) & 1 == 1) {
            for (start, block) in blocks(self.line::<L>(&read, number)) {
                for (j, x) in (start..).zip(block).filter(|(_, x)| !x.is_zero()) {
                    self.spread_sample(lanes, *x, read.place(number), j, band);
                }
            }
        }
    }

    /// Adds the products of a sample in column `col` of a row that the band reads, and the taps that read it.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn spread_sample<L: Lanes<T>>(&self, lanes: L, x: T, [plane, row]: [usize; 2], col: usize, band: &mut Band<'_, T>) {
        let ([.., kh, kw], [down, right], [by, across]) = (self.kernel, self.step, self.dilation);
        let (rows, cols) = (band.rows.len(), band.cols.len());
        for channel in band.outs::<L>() {
            let kernel = self.kernel_of(channel).get(plane * kh * kw..).unwrap_or(&[]);
            // Output row r takes row row - r of the kernel.
            let first = if by == 1 { (row + 1).saturating_sub(rows * down) } else { 0 };
            for (b, taps) in kernel.chunks_exact(kw.max(1)).enumerate().take(kh.min(row + 1)).skip(first) {
                let out = row.checked_sub(b * by).and_then(|at| whole(at, down)).filter(|out| *out < rows);
                let Some(out) = out.map(|out| self.row_of(band, channel, out)) else { continue };
                if !L::asks(Cases::STRIDE.and(Cases::DILATION), right != 1 || across != 1) {
                    // Output column c takes tap col - c.
                    let (left, end) = ((col + 1).saturating_sub(kw), cols.min(col + 1));
                    let (Some(out), Some(taps)) = (out.get_mut(left..end), taps.get(col + 1 - end..=col - left)) else {
                        continue;
                    };
                    for (y, w) in out.iter_mut().zip(taps.iter().rev()) {
                        *y = add_product(lanes, *y, x, *w);
                    }
                    continue;
                }
                for (e, w) in taps.iter().enumerate() {
                    let at = col.checked_sub(e * across).and_then(|at| whole(at, right));
                    if let Some(y) = at.and_then(|at| out.get_mut(at)) {
                        *y = add_product(lanes, *y, x, *w);
                    }
                }
            }
        }
    }

    /// The weights of an output channel.
    #[cfg_attr(target_os = "none", inline(never))]
    fn kernel_of(&self, channel: usize) -> &[T] {
        let taps = self.taps();
        self.weights.get(channel * taps..(channel + 1) * taps).unwrap_or(&[])
    }

    /// The outputs of a band in row `row` of its own.
    #[inline(always)]
    fn row_of<'b>(&self, band: &'b mut Band<'_, T>, channel: usize, row: usize) -> &'b mut [T] {
        let len = band.cols.len();
        // Where rows are adjacent, a piece is a channel; else, a row or a channel.
        let (piece, start) = match self.pitch[1] == self.cols {
            true => (channel - band.channel, row * self.cols),
            false if band.channels == 1 => (row, 0),
            false => (channel - band.channel, 0),
        };
        band.out.get_mut(piece).and_then(|out| out.get_mut(start..start + len)).unwrap_or_default()
    }

    /// What the outputs of a band read.
    #[cfg_attr(target_os = "none", inline(never))]
    fn reads(&self, band: &Band<'_, T>) -> Read {
        let [outs, ins, kt, kh, kw] = self.kernel;
        let read = |len: usize, axis: usize, taps: usize| {
            len.saturating_sub(1) * self.step[axis] + taps.saturating_sub(1) * self.dilation[axis] + 1
        };
        Read {
            input: (band.channel * self.groups).checked_div(outs).unwrap_or(0) * ins,
            row: (band.rows.start * self.step[0]) as isize - self.top,
            col: band.cols.start * self.step[1],
            size: [ins * kt, read(band.rows.len(), 0, kh), read(band.cols.len(), 1, kw)],
        }
    }

    /// One of these rows; no samples where the border is zero.
    #[cfg_attr(target_os = "none", inline(never))]
    fn line<L: Lanes<T>>(&self, read: &Read, number: usize) -> &[T] {
        let ([plane, row], kt) = (read.place(number), self.kernel[2]);
        let (i, a) = (plane.checked_div(kt).unwrap_or(0), plane.checked_rem(kt).unwrap_or(0));
        let plane = self.lines.plane::<L>(read.input + i, kt - 1 - a);
        let (.., line) = self.lines.run::<L>(plane, read.row + row as isize, 1, 1, read.col);
        line.and_then(|line| line.get(..read.size[2])).unwrap_or(&[])
    }
}

/// A part of the input: some planes (frames of a channel, channel by channel), and rows and columns of each.
struct Read {
    /// The first channel, row and column.
    input: usize,
    row: isize,
    col: usize,
    /// Planes, rows, columns.
    size: [usize; 3],
}

impl Read {
    /// Rows over all planes: the order of the taps.
    fn rows(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Plane and row of row `number`.
    fn place(&self, number: usize) -> [usize; 2] {
        let rows = self.size[1];
        [number.checked_div(rows).unwrap_or(0), number.checked_rem(rows).unwrap_or(0)]
    }
}

impl<T> Band<'_, T> {
    /// Its output channels.
    fn outs<L: Lanes<T>>(&self) -> Range<usize> {
        self.channel..self.channel + if L::PLAIN { 1 } else { self.channels }
    }
}

#[cfg_attr(target_os = "none", inline(never))]
fn are_finite<T: Sample>(weights: &[T]) -> bool {
    weights.iter().all(|w| w.is_finite())
}

/// Several at a time, which takes a third of the instructions of a microcontroller.
#[cfg_attr(target_os = "none", inline(never))]
fn fill<T: Sample>(row: &mut [T], value: T) {
    let (blocks, rest) = row.as_chunks_mut();
    blocks.iter_mut().for_each(|block| *block = [value; BLOCK]);
    rest.fill(value);
}

/// Parts of a row that may not be all zero, each with its first column.
#[inline(always)]
fn blocks<T: Sample>(line: &[T]) -> impl Iterator<Item = (usize, &[T])> {
    let is_active = |block: &&[T]| !block.as_array().is_some_and(T::are_zero);
    (0..).step_by(BLOCK).zip(line.chunks(BLOCK)).filter(move |(_, block)| is_active(block))
}

/// `at / step`, if that is a whole number.
#[inline(always)]
fn whole(at: usize, step: usize) -> Option<usize> {
    if step == 1 {
        return Some(at);
    }
    at.checked_div(step).filter(|whole| whole * step == at)
}
