//! The convolution's inner loops: a tile of output pixels in registers.
//!
//! ```text
//! out[o, r, c] = bias[o] + sum over (i, a, b, e), in this order, of
//!                w[o, i, a, b, e] * x[i, t - dil_t (kt-1-a), sr r + dil_r b - top, sc c + dil_c e - left]
//! ```
//! A tile is four output rows x up to four vectors of columns. The rows are neighbours in one channel, or lie in four
//! channels. The kernel's columns are traversed once for each input row: each loads its vectors once and adds them,
//! times the broadcast weight, to every output row that reads them. Rows of `x` are stored with their left and right
//! borders, so no column is ever tested; rows above and below the frame are found by index. At the end of a row, the
//! lanes beyond it compute values that are not stored.
//!
//! A kernel that is 1 x 1 in space reads the frames of a chunk in the same loops: time takes the place of the rows
//! ([`Lines::Time`]), so each frame is loaded once for the four output frames that read it.
//!
//! The taps of a pixel are added in the order of the sum, for any tile, width of the vectors and number of threads:
//! unfused lanes are bit-identical on every CPU. Where few samples are not zero, they are [spread](super::sparse) over the outputs
//! instead; without vectors, the convolution uses [another
//! algorithm](super::plain) with the same bits. (Goto and van de Geijn, ACM TOMS 34(3), 2008, on register blocking.)

use super::lines::Lines;
use crate::Sample;
use crate::cases::Cases;
use crate::engine::{Engine, WorkSplitter};
use crate::filter::halves;
use crate::lanes::{Lanes, Scalar, load_part, store_part};
use core::ops::Range;

/// Output rows in a tile.
pub(super) const ROWS: usize = 4;

/// Samples of a frame above which its rows are far from those of the next.
const FAR: usize = 1 << 17;

/// Forms of a kernel, each with its own inner loops.
const BLOCK: u8 = 0;
/// One column.
const COLUMN: u8 = 1;
/// One row.
const ROW: u8 = 2;

/// Rows of input, a kernel in correlation order, and how one slides over the other.
#[derive(Clone, Copy)]
pub(crate) struct Correlation<'a, T> {
    pub(crate) lines: Lines<'a, T>,
    /// Whether the input may be zero nearly everywhere, as that of a model.
    pub(crate) may_be_sparse: bool,
    /// `(out, in / groups, time, row, col)`.
    pub(crate) weights: &'a [T],
    /// One for each output channel, or none.
    pub(crate) bias: &'a [T],
    /// Weights and biases count `2^shift` times.
    pub(crate) shift: i8,
    pub(crate) kernel: [usize; 5],
    pub(crate) groups: usize,
    /// Steps from one output row and column to the next.
    pub(crate) step: [usize; 2],
    /// Rows and columns between the kernel's taps.
    pub(crate) dilation: [usize; 2],
    /// Rows between the first row that the kernel reads and row 0.
    pub(crate) top: isize,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    /// Samples from one channel and one row of the output to the next.
    pub(crate) pitch: [usize; 2],
}

/// Part of the output: rows and columns of one or four channels.
pub(super) struct Band<'o, T> {
    /// The first channel.
    pub(super) channel: usize,
    /// How many: 1 or 4.
    pub(super) channels: usize,
    pub(super) rows: Range<usize>,
    pub(super) cols: Range<usize>,
    /// The output: where rows are adjacent a slice for each channel, else one for each row of each channel.
    pub(super) out: [&'o mut [T]; ROWS],
}

impl<'a, T: Sample> Correlation<'a, T> {
    /// Writes all output channels.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn run<L: Lanes<T>, F: WorkSplitter>(&self, engine: Engine<L, F>, output: &mut [T]) {
        let outs = self.kernel[0];
        // Channels of a tile read the same input.
        let per_group = outs.checked_div(self.groups).unwrap_or(0).max(1);
        let mut channel = 0;
        while channel < outs {
            let four = !L::PLAIN && per_group - channel % per_group >= ROWS;
            let channels = if four { ROWS } else { 1 };
            self.group(engine, channel, channels, output);
            channel += channels;
        }
    }

    #[inline(always)]
    fn group<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        channel: usize,
        channels: usize,
        output: &mut [T],
    ) {
        let [of_channel, of_row] = self.pitch;
        let (rows, cols) = (self.rows, self.cols);
        if !L::asks(Cases::IN_TIME, of_row != cols) {
            let planes = output.chunks_mut(of_channel.max(1)).skip(channel).take(channels);
            let mut out: [&mut [T]; ROWS] = Default::default();
            out.iter_mut().zip(planes).for_each(|(out, plane)| *out = plane);
            return self.share(engine, Band { channel, channels, rows: 0..rows, cols: 0..cols, out });
        }
        // Rows far apart: as many at a time as a tile has.
        let per = if self.shares_rows() && channels == 1 { ROWS } else { 1 };
        for (i, chunk) in output.chunks_mut(of_row.saturating_mul(per).max(1)).enumerate() {
            let row = i * per;
            let mut planes = chunk.chunks_mut(of_channel.max(1));
            // Row q of channel o is plane q outs + o of the chunk.
            let mut out: [&mut [T]; ROWS] = Default::default();
            for (m, out) in out.iter_mut().enumerate() {
                let skip = if m == 0 {
                    channel
                } else if channels == 1 {
                    self.kernel[0] - 1
                } else {
                    0
                };
                *out = planes.nth(skip).unwrap_or(&mut []);
            }
            self.share(engine, Band { channel, channels, rows: row..(row + per).min(rows), cols: 0..cols, out });
        }
    }

    /// Whether neighbouring output rows read neighbouring input rows.
    #[inline(always)]
    fn shares_rows(&self) -> bool {
        self.step[0] == 1 && self.dilation[0] == 1
    }

    /// What the sums of an output channel start with.
    #[inline(always)]
    pub(super) fn bias_of(&self, channel: usize) -> T {
        self.bias.get(channel).copied().unwrap_or_else(T::zero)
    }

    /// Multiply-adds of one output pixel of one channel.
    #[inline(always)]
    pub(super) fn taps(&self) -> usize {
        self.kernel.iter().skip(1).fold(1, |taps, len| taps.saturating_mul(*len))
    }

    /// One band, split in halves when that is worthwhile.
    fn share<L: Lanes<T>, F: WorkSplitter>(&self, engine: Engine<L, F>, band: Band<'_, T>) {
        let (rows, cols) = (band.rows.len(), band.cols.len());
        let work = rows.saturating_mul(cols).saturating_mul(band.channels).saturating_mul(self.taps());
        let by_rows = if rows > ROWS { (rows / 2).next_multiple_of(ROWS) } else { rows / 2 };
        let by_cols = (cols / 2).next_multiple_of((L::WIDTH * L::COLUMNS).max(1));
        let adjacent = self.pitch[1] == self.cols;
        if let Some(half) = engine.halve(work).filter(|_| adjacent && by_rows > 0) {
            let (first, second) = halves(band.out, by_rows * cols);
            let row = band.rows.start + by_rows;
            let a = Band { rows: band.rows.start..row, cols: band.cols.clone(), out: first, ..band };
            let b = Band { rows: row..band.rows.end, cols: band.cols, out: second, ..band };
            half.splitter.join(|| self.share(half, a), || self.share(half, b));
        } else if let Some(half) =
            engine.halve(work).filter(|_| !(adjacent && rows > 1) && (1..cols).contains(&by_cols))
        {
            let (first, second) = halves(band.out, by_cols);
            let col = band.cols.start + by_cols;
            let a = Band { rows: band.rows.clone(), cols: band.cols.start..col, out: first, ..band };
            let b = Band { rows: band.rows, cols: col..band.cols.end, out: second, ..band };
            half.splitter.join(|| self.share(half, a), || self.share(half, b));
        } else {
            self.band(engine.lanes, band);
        }
    }

    /// A band, with separate inner loops for each form. They are separate functions, which compile to better loops.
    fn band<L: Lanes<T>>(&self, lanes: L, mut band: Band<'_, T>) {
        if L::SPREAD > 0 && self.may_be_sparse && !T::HAS_WIDE_SUMS {
            let is_written = lanes.vectorize(
                #[inline(always)]
                || self.is_spread(lanes, &mut band),
            );
            if is_written {
                return;
            }
        }
        macro_rules! rows {
            ($channels:tt, $form:tt) => {
                lanes.vectorize(
                    #[inline(always)]
                    || self.rows::<L, $channels, $form>(lanes, &mut band),
                )
            };
        }
        if L::PLAIN {
            // Another algorithm: the program then contains nothing of this file.
            self.plain::<L>(&mut band);
        } else if band.channels == ROWS {
            rows!(ROWS, BLOCK);
        } else if self.kernel[4] == 1 {
            rows!(1, COLUMN);
        } else if self.kernel[3] == 1 {
            rows!(1, ROW);
        } else {
            rows!(1, BLOCK);
        }
    }

    #[inline(always)]
    fn rows<L: Lanes<T>, const C: usize, const FORM: u8>(&self, lanes: L, band: &mut Band<'_, T>) {
        let mut row = band.rows.start;
        while row < band.rows.end {
            let rows = if self.shares_rows() && C == 1 { ROWS.min(band.rows.end - row) } else { 1 };
            self.fetch_ahead::<L>(band, row, rows);
            if self.step[1] == 1 {
                match L::COLUMNS {
                    4 => self.columns::<L, C, FORM, 4>(lanes, row, rows, band),
                    2 => self.columns::<L, C, FORM, 2>(lanes, row, rows, band),
                    _ => self.columns::<L, C, FORM, 1>(lanes, row, rows, band),
                }
            } else {
                self.columns::<Scalar, C, FORM, 1>(Scalar, row, rows, band);
            }
            row += rows;
        }
    }

    /// Reads the new lines of some rows from end to end, where they lie far apart in memory. A tile reads a few vectors
    /// of many lines, which no prefetcher follows.
    #[inline(always)]
    fn fetch_ahead<L: Lanes<T>>(&self, band: &Band<'_, T>, row: usize, rows: usize) {
        let Lines::Space { pitch, .. } = self.lines else { return };
        let [outs, ins, kt, kh, _] = self.kernel;
        if pitch[0] < FAR || ins * kt < 2 {
            return;
        }
        let input = (band.channel * self.groups).checked_div(outs).unwrap_or(0) * ins;
        let mut seen = T::zero();
        for i in 0..ins {
            for a in 0..kt {
                let plane = self.lines.plane::<L>(input + i, kt - 1 - a);
                for q in 0..rows {
                    let at = ((row + q) * self.step[0] + (kh - 1) * self.dilation[0]) as isize - self.top;
                    if let (_, pitch, Some(line)) = self.lines.run::<L>(plane, at, 1, 1, 0) {
                        let line = line.get(..pitch).unwrap_or(&[]);
                        seen = line.iter().step_by(16).fold(seen, |seen, x| if *x > seen { *x } else { seen });
                    }
                }
            }
        }
        core::hint::black_box(seen);
    }

    /// The tiles of some rows, from the left to the right.
    #[inline(always)]
    fn columns<L: Lanes<T>, const C: usize, const FORM: u8, const V: usize>(
        &self,
        lanes: L,
        row: usize,
        rows: usize,
        band: &mut Band<'_, T>,
    ) {
        let (mut col, end) = (band.cols.start, band.cols.end);
        while col + V * L::WIDTH <= end {
            self.tile::<L, C, FORM, V>(lanes, [row, rows, col], band);
            col += V * L::WIDTH;
        }
        if V > 2 && col + 2 * L::WIDTH <= end {
            self.tile::<L, C, FORM, 2>(lanes, [row, rows, col], band);
            col += 2 * L::WIDTH;
        }
        while col < end {
            self.tile::<L, C, FORM, 1>(lanes, [row, rows, col], band);
            col += L::WIDTH;
        }
    }

    /// `rows` rows of one channel, or a row of each of `C` channels, x `V` vectors of output pixels.
    #[inline(always)]
    fn tile<L: Lanes<T>, const C: usize, const FORM: u8, const V: usize>(
        &self,
        lanes: L,
        [row, rows, col]: [usize; 3],
        band: &mut Band<'_, T>,
    ) {
        let [outs, ins, kt, kh, kw] = self.kernel;
        let bias = |m: usize| self.bias_of(band.channel + m);
        let mut acc: [[L::Vector; V]; ROWS] =
            core::array::from_fn(|m| [lanes.splat(bias(if C == 1 { 0 } else { m })); V]);
        let input = (band.channel * self.groups).checked_div(outs).unwrap_or(0) * ins;
        let first = (row * self.step[0]) as isize - self.top;
        let (taps, col_in, dilation) = (kh * kw, col * self.step[1], self.dilation[0].max(1));
        let of_channel = ins * kt * taps;
        for i in 0..ins {
            for a in 0..kt {
                let plane = self.lines.plane::<L>(input + i, kt - 1 - a);
                let at = band.channel * of_channel + (i * kt + a) * taps;
                let kernel =
                    |m: usize| self.weights.get(at + m * of_channel..at + m * of_channel + taps).unwrap_or(&[]);
                let kernels: [&[T]; C] = core::array::from_fn(kernel);
                if FORM == ROW && rows == ROWS {
                    let (of_line, pitch, samples) = self.lines.run::<L>(plane, first, dilation, ROWS, col_in);
                    if let Some(samples) = samples.filter(|_| of_line == ROWS) {
                        self.rows_of_taps::<L, V>(lanes, (samples, pitch), kernels[0], &mut acc);
                        continue;
                    }
                }
                let (mut b, end) = (0, kh + rows - 1);
                while b < end {
                    let at = first + (b * dilation) as isize;
                    let (run, pitch, samples) = self.lines.run::<L>(plane, at, dilation, end - b, col_in);
                    let Some(samples) = samples else {
                        b += run;
                        continue;
                    };
                    let line = |b: usize| samples.get(b * pitch..).unwrap_or(&[]);
                    let until = b + run;
                    if FORM == COLUMN {
                        self.column::<L, V>(lanes, (samples, pitch), kernels[0], b..until, rows, &mut acc);
                    } else if C == 1 {
                        // Output row q reads input row b with the kernel's row b - q.
                        for at in b..until {
                            self.row::<L, V>(lanes, line(at - b), kernels[0], at, rows, &mut acc);
                        }
                    } else {
                        for at in b..until {
                            let taps = |m: usize| kernels[m % C].get(at * kw..(at + 1) * kw).unwrap_or(&[]);
                            self.walk::<L, V, 0b1111>(lanes, line(at - b), core::array::from_fn(taps), &mut acc);
                        }
                    }
                    b = until;
                }
            }
        }
        // Written out, as in `step`.
        let [row_0, row_1, row_2, row_3] = acc;
        let rows = if C == 1 { rows } else { ROWS };
        self.put::<L, V>(lanes, row_0, 0, [row, rows, col], band);
        self.put::<L, V>(lanes, row_1, 1, [row, rows, col], band);
        self.put::<L, V>(lanes, row_2, 2, [row, rows, col], band);
        self.put::<L, V>(lanes, row_3, 3, [row, rows, col], band);
    }

    /// Stores row `m` of a tile.
    #[inline(always)]
    fn put<L: Lanes<T>, const V: usize>(
        &self,
        lanes: L,
        acc: [L::Vector; V],
        m: usize,
        [row, rows, col]: [usize; 3],
        band: &mut Band<'_, T>,
    ) {
        if m >= rows {
            return;
        }
        let end = (band.cols.end - col).min(V * L::WIDTH);
        let Some(out) = self.place(band, m, [row, col]) else { return };
        if let Some(out) = out.get_mut(..V * L::WIDTH).filter(|_| end == V * L::WIDTH) {
            for (acc, out) in acc.into_iter().zip(out.chunks_exact_mut(L::WIDTH)) {
                lanes.store(acc, out);
            }
        } else if let Some(out) = out.get_mut(..end) {
            // The vector reaches beyond the end of the row. Only tiles of one vector come here.
            store_part(lanes, acc[0], out);
        }
    }

    /// Where row `m` of a tile at (`row`, `col`) is written.
    #[inline(always)]
    pub(super) fn place<'b>(&self, band: &'b mut Band<'_, T>, m: usize, [row, col]: [usize; 2]) -> Option<&'b mut [T]> {
        let (piece, from) = match self.pitch[1] == self.cols {
            true if band.channels == 1 => (0, (row - band.rows.start + m) * self.cols),
            true => (m, (row - band.rows.start) * self.cols),
            false => (m, 0),
        };
        band.out.get_mut(piece)?.get_mut(from + col - band.cols.start..)
    }

    /// A kernel of one row: each output row reads its own line.
    #[inline(always)]
    fn rows_of_taps<L: Lanes<T>, const V: usize>(
        &self,
        lanes: L,
        (samples, pitch): (&[T], usize),
        taps: &[T],
        acc: &mut [[L::Vector; V]; ROWS],
    ) {
        for (e, w) in taps.iter().enumerate() {
            let x = samples.get(e * self.dilation[1]..).unwrap_or(&[]);
            let [row_0, row_1, row_2, row_3] = &mut *acc;
            feed::<T, L, V>(lanes, row_0, fetch::<T, L, V>(lanes, x), *w, true);
            feed::<T, L, V>(lanes, row_1, fetch::<T, L, V>(lanes, x.get(pitch..).unwrap_or(&[])), *w, true);
            feed::<T, L, V>(lanes, row_2, fetch::<T, L, V>(lanes, x.get(2 * pitch..).unwrap_or(&[])), *w, true);
            feed::<T, L, V>(lanes, row_3, fetch::<T, L, V>(lanes, x.get(3 * pitch..).unwrap_or(&[])), *w, true);
        }
    }

    /// [`Correlation::row`] for some rows of a kernel of one column. Between the kernel's ends every output row reads
    /// every line, so no test is needed.
    #[inline(always)]
    fn column<L: Lanes<T>, const V: usize>(
        &self,
        lanes: L,
        (samples, pitch): (&[T], usize),
        kernel: &[T],
        lines: Range<usize>,
        rows: usize,
        acc: &mut [[L::Vector; V]; ROWS],
    ) {
        let load = |b: usize| fetch::<T, L, V>(lanes, samples.get((b - lines.start) * pitch..).unwrap_or(&[]));
        let mut b = lines.start;
        while b < lines.end {
            let tap = |m: usize| if m < rows { kernel.get(b.wrapping_sub(m)).copied() } else { None };
            if let (Some(row_0), Some(row_3)) = (tap(0), tap(3)) {
                let [row_1, row_2] = [1, 2].map(|m| tap(m).unwrap_or_else(T::zero));
                step::<T, L, V, 0b1111>(lanes, load(b), [row_0, row_1, row_2, row_3], acc);
            } else {
                let x = load(b);
                let [row_0, row_1, row_2, row_3] = acc;
                feed::<T, L, V>(lanes, row_0, x, tap(0).unwrap_or_else(T::zero), tap(0).is_some());
                feed::<T, L, V>(lanes, row_1, x, tap(1).unwrap_or_else(T::zero), tap(1).is_some());
                feed::<T, L, V>(lanes, row_2, x, tap(2).unwrap_or_else(T::zero), tap(2).is_some());
                feed::<T, L, V>(lanes, row_3, x, tap(3).unwrap_or_else(T::zero), tap(3).is_some());
            }
            b += 1;
        }
    }

    /// Input row `b` of the kernel's first output row, for `rows` neighbouring output rows, each with its own kernel
    /// row.
    #[inline(always)]
    fn row<L: Lanes<T>, const V: usize>(
        &self,
        lanes: L,
        line: &[T],
        kernel: &[T],
        b: usize,
        rows: usize,
        acc: &mut [[L::Vector; V]; ROWS],
    ) {
        let [.., kh, kw] = self.kernel;
        // The first and the last input rows feed only some of the output rows: from..to.
        let (from, to) = ((b + 1).saturating_sub(kh), rows.min(b + 1));
        if from == 0 && to == ROWS {
            // The kernel's rows b - 3 to b.
            let taps = kernel.get((b + 1 - ROWS) * kw..(b + 1) * kw).unwrap_or(&[]);
            let Some((row_3, taps)) = taps.split_at_checked(kw) else { return };
            let Some((row_2, taps)) = taps.split_at_checked(kw) else { return };
            let Some((row_1, row_0)) = taps.split_at_checked(kw) else { return };
            return self.walk::<L, V, 0b1111>(lanes, line, [row_0, row_1, row_2, row_3], acc);
        }
        let taps = [b, b.wrapping_sub(1), b.wrapping_sub(2), b.wrapping_sub(3)];
        let taps = taps.map(|row| kernel.get(row.wrapping_mul(kw)..).unwrap_or(&[]));
        match (from, to) {
            (0, 1) => self.walk::<L, V, 0b0001>(lanes, line, taps, acc),
            (0, 2) => self.walk::<L, V, 0b0011>(lanes, line, taps, acc),
            (0, 3) => self.walk::<L, V, 0b0111>(lanes, line, taps, acc),
            (1, 2) => self.walk::<L, V, 0b0010>(lanes, line, taps, acc),
            (1, 3) => self.walk::<L, V, 0b0110>(lanes, line, taps, acc),
            (1, 4) => self.walk::<L, V, 0b1110>(lanes, line, taps, acc),
            (2, 3) => self.walk::<L, V, 0b0100>(lanes, line, taps, acc),
            (2, 4) => self.walk::<L, V, 0b1100>(lanes, line, taps, acc),
            _ => self.walk::<L, V, 0b1000>(lanes, line, taps, acc),
        }
    }

    /// The kernel's columns: each loads `V` vectors of `line` and feeds the rows whose bits are set in `READS`.
    #[inline(always)]
    fn walk<L: Lanes<T>, const V: usize, const READS: u8>(
        &self,
        lanes: L,
        line: &[T],
        [a, b, c, d]: [&[T]; ROWS],
        acc: &mut [[L::Vector; V]; ROWS],
    ) {
        let (kw, dilation) = (self.kernel[4], self.dilation[1]);
        // All have one length, so that it is compared once. Rows that do not read get the taps of another row and do
        // not use them.
        let all = [a, b, c, d];
        let [a, b, c, d] = [0, 1, 2, 3].map(|m| if READS & 1 << m == 0 { READS.trailing_zeros() as usize } else { m });
        let (Some(a), Some(b)) = (part(all[a], kw), part(all[b], kw)) else { return };
        let (Some(c), Some(d)) = (part(all[c], kw), part(all[d], kw)) else { return };
        let columns = line.windows(V * L::WIDTH);
        if V == 1 && line.len() < (kw - 1) * dilation + L::WIDTH {
            // At the end of the buffer, where only the first lanes count.
            let columns = (0..kw).map(|e| line.get(e * dilation..).unwrap_or(&[]));
            walk::<T, L, V, READS>(lanes, columns, [a, b, c, d], acc);
        } else if dilation == 1 {
            walk::<T, L, V, READS>(lanes, columns, [a, b, c, d], acc);
        } else {
            walk::<T, L, V, READS>(lanes, columns.step_by(dilation.max(1)), [a, b, c, d], acc);
        }
    }
}

#[inline(always)]
fn walk<'x, T: Sample, L: Lanes<T>, const V: usize, const READS: u8>(
    lanes: L,
    columns: impl Iterator<Item = &'x [T]>,
    [a, b, c, d]: [&[T]; ROWS],
    acc: &mut [[L::Vector; V]; ROWS],
) {
    for ((((x, a), b), c), d) in columns.zip(a).zip(b).zip(c).zip(d) {
        step::<T, L, V, READS>(lanes, fetch::<T, L, V>(lanes, x), [*a, *b, *c, *d], acc);
    }
}

#[inline(always)]
fn part<T>(taps: &[T], len: usize) -> Option<&[T]> {
    taps.get(..len)
}

/// The first `V` vectors of a line. At the end of the buffer, where only the first lanes of one vector count, the others are 0.
#[inline(always)]
fn fetch<T: Sample, L: Lanes<T>, const V: usize>(lanes: L, line: &[T]) -> [L::Vector; V] {
    if let Some(line) = line.get(..V * L::WIDTH) {
        return core::array::from_fn(|v| lanes.load(line.get(v * L::WIDTH..).unwrap_or(&[])));
    }
    // Only tiles of one vector come here.
    [if V == 1 { load_part(lanes, line) } else { lanes.splat(T::zero()) }; V]
}

/// One column of the kernel.
#[inline(always)]
fn step<T: Sample, L: Lanes<T>, const V: usize, const READS: u8>(
    lanes: L,
    x: [L::Vector; V],
    [a, b, c, d]: [T; ROWS],
    acc: &mut [[L::Vector; V]; ROWS],
) {
    // Written out, so that the accumulators stay in registers.
    let [row_0, row_1, row_2, row_3] = acc;
    feed::<T, L, V>(lanes, row_0, x, a, READS & 1 != 0);
    feed::<T, L, V>(lanes, row_1, x, b, READS & 2 != 0);
    feed::<T, L, V>(lanes, row_2, x, c, READS & 4 != 0);
    feed::<T, L, V>(lanes, row_3, x, d, READS & 8 != 0);
}

#[inline(always)]
fn feed<T: Sample, L: Lanes<T>, const V: usize>(
    lanes: L,
    acc: &mut [L::Vector; V],
    x: [L::Vector; V],
    w: T,
    reads: bool,
) {
    if reads {
        let w = lanes.splat(w);
        *acc = core::array::from_fn(|v| lanes.multiply_add(acc[v], x[v], w));
    }
}
