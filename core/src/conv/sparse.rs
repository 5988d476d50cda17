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
//! Cost: a pass over the input, and a multiply-add with a load and a store for each tap of each sample that is not zero. Without
//! vectors, a kernel of one column adds whole blocks of a row, which contain such samples, to the rows that read them.

use super::lines::Lines;
use super::tile::{Band, Correlation};
use crate::Sample;
use crate::cases::Cases;
use crate::filter::fill;
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

/// For a kernel of one column, one block of so many may have samples that are not zero.
const SILENT: usize = 5;

/// Blocks that are noted when they are counted.
const NOTED: usize = 32;

/// Which parts of the input have samples that are not zero.
struct Active {
    /// Rows and first columns of blocks.
    blocks: [[u16; 2]; NOTED],
    noted: usize,
    /// The first row whose blocks are not noted.
    rest: usize,
}

impl Active {
    /// Notes a block; without room for it, none of its row, which began after `before` of them.
    #[inline(always)]
    fn note(&mut self, row: usize, col: usize, before: usize) {
        if self.rest <= row {
            return;
        }
        match (self.blocks.get_mut(self.noted), u16::try_from(row), u16::try_from(col)) {
            (Some(to), Ok(row), Ok(col)) => {
                *to = [row, col];
                self.noted += 1;
            }
            _ => (self.noted, self.rest) = (before, row),
        }
    }
}

impl<T: Sample> Correlation<'_, T> {
    /// Writes a band by spreading, if that costs less than to add all taps; returns whether it did.
    #[inline(always)]
    pub(super) fn is_spread<L: Lanes<T>>(&self, lanes: L, band: &mut Band<'_, T>) -> bool {
        let mut active = Active { blocks: [[0; 2]; NOTED], noted: 0, rest: usize::MAX };
        let is_sparse = self.find::<L>(band, &mut active).is_some();
        if is_sparse {
            self.spread(lanes, &active, band);
        }
        is_sparse
    }

    /// Finds what to spread, if that costs less than to add all taps of a band.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn find<L: Lanes<T>>(&self, band: &Band<'_, T>, active: &mut Active) -> Option<()> {
        let ([.., kh, kw], read) = (self.kernel, self.reads(band));
        let taps = band.rows.len() * band.cols.len() * band.channels * self.taps();
        let is_small = kh * kw < FEW || band.cols.len() < NARROW || taps < LEAST;
        let samples: usize = read.size.iter().product();
        let by_blocks = self.is_by_blocks::<L>();
        // A quarter at once and the others row by row, so that a dense frame is known by its first rows.
        let (mut left, each) = match L::SPREAD {
            _ if matches!(self.lines, Lines::Time { .. }) || self.pitch[1] != self.cols => return None,
            1 => (samples, 0),
            spread if !is_small => {
                let most = if by_blocks {
                    samples.div_ceil(SILENT * BLOCK)
                } else {
                    (samples * kw).checked_div(spread * (kw + ROW))?
                };
                (most / 4, (most - most / 4).checked_div(read.rows())?)
            }
            _ => return None,
        };
        for number in 0..read.rows() {
            left += each;
            let before = active.noted;
            blocks(self.line::<L>(&read, number), |start, block| {
                let samples = if by_blocks { 1 } else { block.iter().filter(|x| !x.is_zero()).count() };
                left = left.checked_sub(samples)?;
                active.note(number, start, before);
                Some(())
            })?;
        }
        let mut channels = band.outs::<L>();
        channels
            // A sum that starts with -0 keeps its sign until a product is not -0.
            .all(|o| !self.bias_of(o).is_negative_zero() && are_finite(self.kernel_of(o)))
            .then_some(())
    }

    /// Whether whole blocks are added to rows.
    #[inline(always)]
    fn is_by_blocks<L: Lanes<T>>(&self) -> bool {
        L::PLAIN && self.kernel[4] == 1 && self.step == [1, 1]
    }

    /// Writes a band.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn spread<L: Lanes<T>>(&self, lanes: L, active: &Active, band: &mut Band<'_, T>) {
        for channel in band.outs::<L>() {
            let bias = self.bias_of(channel);
            let (rows, cols) = (band.rows.len(), band.cols.len());
            // Whole rows at once.
            let (count, len) = if cols == self.cols { (1, rows * cols) } else { (rows, cols) };
            for row in plane_of(band, channel).chunks_mut(len.max(self.cols).max(1)).take(count) {
                fill(row.get_mut(..len).unwrap_or_default(), bias);
            }
        }
        let read = self.reads(band);
        for noted in active.blocks.iter().take(active.noted) {
            let [number, start] = noted.map(usize::from);
            let block = self.line::<L>(&read, number).get(start..).unwrap_or(&[]);
            let block = block.get(..block.len().min(BLOCK)).unwrap_or(&[]);
            self.spread_block(lanes, block, read.place(number), start, band);
        }
        for number in active.rest..read.rows() {
            blocks(self.line::<L>(&read, number), |start, block| {
                self.spread_block(lanes, block, read.place(number), start, band);
                Some(())
            });
        }
    }

    /// Adds the products of the samples from column `col` of a row that the band reads.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn spread_block<L: Lanes<T>>(
        &self,
        lanes: L,
        block: &[T],
        [plane, row]: [usize; 2],
        col: usize,
        band: &mut Band<'_, T>,
    ) {
        if L::asks(Cases::taps(1), self.is_by_blocks::<L>()) {
            let kernel = |channel| self.kernel_of(channel).get(plane * self.kernel[3]..).unwrap_or(&[]);
            for channel in band.outs::<L>() {
                let kernel = kernel(channel);
                self.rows_that_read(row, channel, col..col + block.len(), band, |out, b| {
                    kernel.get(b).into_iter().for_each(|w| add_row(lanes, out, block, *w));
                });
            }
            return;
        }
        for (j, x) in (col..).zip(block).filter(|(_, x)| !x.is_zero()) {
            self.spread_sample(lanes, *x, [plane, row], j, band);
        }
    }

    /// Adds the products of a sample in column `col` of a row that the band reads, and the taps that read it.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn spread_sample<L: Lanes<T>>(&self, lanes: L, x: T, [plane, row]: [usize; 2], col: usize, band: &mut Band<'_, T>) {
        let ([.., kh, kw], [_, right], [_, across], cols) = (self.kernel, self.step, self.dilation, band.cols.len());
        for channel in band.outs::<L>() {
            let kernel = self.kernel_of(channel).get(plane * kh * kw..).unwrap_or(&[]);
            if L::asks(Cases::STRIDE.and(Cases::DILATION), right != 1 || across != 1) {
                self.rows_that_read(row, channel, 0..cols, band, |out, b| {
                    for (e, w) in kernel.get(b * kw..(b + 1) * kw).unwrap_or(&[]).iter().enumerate() {
                        let at = col.checked_sub(e * across).and_then(|at| whole(at, right));
                        if let Some(y) = at.and_then(|at| out.get_mut(at)) {
                            *y = add_product(lanes, *y, x, *w);
                        }
                    }
                });
                continue;
            }
            // Output column c takes tap col - c.
            let (left, end) = ((col + 1).saturating_sub(kw), cols.min(col + 1));
            self.rows_that_read(row, channel, left..end, band, |out, b| {
                let first = b * kw + (col + 1 - end);
                let taps = kernel.get(first..first + out.len());
                add_taps(lanes, out, taps.unwrap_or(&[]), x);
            });
        }
    }

    /// Calls `add` with columns `cols` of each output row of a band that reads row `row`, and with the row of the kernel by which it
    /// does.
    #[inline(always)]
    fn rows_that_read(
        &self,
        row: usize,
        channel: usize,
        cols: Range<usize>,
        band: &mut Band<'_, T>,
        mut add: impl FnMut(&mut [T], usize),
    ) {
        let (kh, rows, step, dilation) = (self.kernel[3], band.rows.len(), self.step[0], self.dilation[0]);
        let out = plane_of(band, channel);
        let mut add_to = |at: usize, b: usize| {
            let first = at * self.cols + cols.start;
            if let Some(out) = out.get_mut(first..first + cols.len()) {
                add(out, b);
            }
        };
        if step != 1 || dilation != 1 {
            for b in 0..kh.min(row + 1) {
                let at = row.checked_sub(b * dilation).and_then(|at| whole(at, step));
                at.filter(|at| *at < rows).into_iter().for_each(|at| add_to(at, b));
            }
            return;
        }
        // Output row r takes row row - r of the kernel.
        for b in (row + 1).saturating_sub(rows)..kh.min(row + 1) {
            add_to(row - b, b);
        }
    }

    /// The weights of an output channel.
    #[cfg_attr(target_os = "none", inline(never))]
    fn kernel_of(&self, channel: usize) -> &[T] {
        let taps = self.taps();
        self.weights.get(channel * taps..(channel + 1) * taps).unwrap_or(&[])
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

/// The outputs of a band in one channel, rows one after another.
#[inline(always)]
fn plane_of<'b, T>(band: &'b mut Band<'_, T>, channel: usize) -> &'b mut [T] {
    band.out.get_mut(channel - band.channel).map(|out| &mut **out).unwrap_or_default()
}

#[cfg_attr(target_os = "none", inline(never))]
fn are_finite<T: Sample>(weights: &[T]) -> bool {
    weights.iter().all(|w| w.is_finite())
}

/// Calls `found` with the parts of a row that are not all zero, each with its first column, until it returns `None`.
#[inline(always)]
fn blocks<T: Sample>(line: &[T], mut found: impl FnMut(usize, &[T]) -> Option<()>) -> Option<()> {
    let (blocks, rest) = line.as_chunks::<BLOCK>();
    let mut start = 0;
    for block in blocks {
        if !T::are_zero(block) {
            found(start, block)?;
        }
        start += BLOCK;
    }
    if rest.iter().any(|x| !x.is_zero()) { found(start, rest) } else { Some(()) }
}

/// Adds `w` times a row.
#[inline(always)]
fn add_row<T: Sample, L: Lanes<T>>(lanes: L, out: &mut [T], x: &[T], w: T) {
    let ((blocks, rest), (of_blocks, x)) = (out.as_chunks_mut::<BLOCK>(), x.as_chunks::<BLOCK>());
    for (block, x) in blocks.iter_mut().zip(of_blocks) {
        block.iter_mut().zip(x).for_each(|(y, x)| *y = add_product(lanes, *y, *x, w));
    }
    rest.iter_mut().zip(x).for_each(|(y, x)| *y = add_product(lanes, *y, *x, w));
}

/// Adds `x` times each of `taps`, the last of them first.
#[inline(always)]
fn add_taps<T: Sample, L: Lanes<T>>(lanes: L, out: &mut [T], taps: &[T], x: T) {
    macro_rules! add {
        ($out:expr, $taps:expr) => {
            for (y, w) in $out.iter_mut().zip($taps.iter().rev()) {
                *y = add_product(lanes, *y, x, *w);
            }
        };
    }
    // Without loops where the number is known.
    macro_rules! or {
        ($($count:literal)*) => {
            $(if L::asks(Cases::taps($count), true)
                && let (Some(out), Some(taps)) = (out.as_mut_array::<$count>(), taps.as_array::<$count>())
            {
                add!(out, taps);
            } else)* {
                add!(out, taps);
            }
        };
    }
    or!(3 5 7);
}

/// `at / step`, if that is a whole number.
#[inline(always)]
fn whole(at: usize, step: usize) -> Option<usize> {
    if step == 1 {
        return Some(at);
    }
    at.checked_div(step).filter(|whole| whole * step == at)
}
