//! Convolution of single frames, a few output rows at a time.
//!
//! ```text
//! rows      0 1 2 3 4 5 6 7 | 8 9 ..        output, in bands
//! reads   0 1 2 3 4 5 6 7 8 9 |             input with the rows above and below, as the kernel reaches
//! holds   r mod held                        a ring of input rows in scratch
//! ```
//! A kernel of one frame keeps nothing from frame to frame, so its scratch need not hold a frame. It holds the input rows that a
//! band of output rows reads, with their left and right border: `held = step (band - 1) + k'h` rows of each channel, `k'h` being
//! the dilated size. Each input row is stored once. A convolution by [factors](super::separable) stores four rows at a time and
//! keeps a ring of `held` rows of each intermediate plane instead; it stores the rows again for each output channel.
//!
//! A kernel whose border is circular reads the last rows for the first output, so it holds whole frames. The taps of a pixel are
//! added in the same order as without bands, so the result is bit-identical.

use super::conv3d::Conv3d;
use super::lines::{Lines, place};
use super::separable::Spatial;
use super::tile::{self, Correlation};
use super::{Border, Factors};
use crate::cases::Cases;
use crate::engine::{Engine, WorkSplitter};
use crate::filter::piece_mut;
use crate::lanes::Lanes;
use crate::{Error, Sample};
use core::ops::Range;

/// Output rows of a band: a multiple of those of a tile. More take more scratch, fewer more calls.
pub(super) const BAND: usize = 16;
/// The same with factors, which keep a ring of rows for each product.
pub(super) const BAND_OF_FACTORS: usize = 8;

/// Input rows whose columns are filtered together: those of a tile.
pub const TOGETHER: usize = tile::ROWS;

/// Parts of `rows` that lie at consecutive places among `held` rows in memory, of `most` rows at most; each with its place.
fn parts(rows: Range<usize>, held: usize, most: usize) -> impl Iterator<Item = (Range<usize>, usize)> {
    let mut start = rows.start;
    core::iter::from_fn(move || {
        let (first, at) = (start, place(start, held));
        start = rows.end.min(first + most.min(held - at));
        (first < start).then_some((first..start, at))
    })
}

impl<T> Conv3d<'_, T> {
    /// Whether the scratch holds some rows of a frame, not all.
    pub const fn is_in_bands(&self) -> bool {
        self.extent(0) == 1
            && !(self.is_pointwise() || self.is_in_place())
            && self.block < 2
            && self.held() < self.input.rows
    }

    /// Input rows that a band reads.
    const fn held(&self) -> usize {
        if let Some(Border::Circular) = self.options.border {
            return self.input.rows;
        }
        self.options.stride[1].saturating_mul(self.band() - 1).saturating_add(self.extent(1))
    }

    pub(super) const fn scratch_of_bands(&self) -> usize {
        let (held, stride) = (self.held(), self.stride());
        if self.planes() == 0 {
            return self.input.channels.saturating_mul(held).saturating_mul(stride);
        }
        let rows = self.kernel().shape[1].saturating_mul(TOGETHER).saturating_mul(stride);
        let cols = self.output_shape().cols;
        rows.saturating_add(self.planes().saturating_mul(held).saturating_mul(cols))
    }

    /// Output rows of each band, and the input rows that no band before reads.
    fn bands(&self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        let (rows, top, mut stored) = (self.output_shape().rows, self.border(1).0, 0);
        (0..rows).step_by(self.band().max(1)).map(move |first| {
            let end = rows.min(first + self.band());
            // A reflected border reads down to row `top`.
            let reads = ((end - 1) * self.options.stride[1] + self.extent(1)).saturating_sub(top).max(top + 1);
            let before = stored;
            stored = reads.min(self.input.rows).max(before);
            (first..end, before..stored)
        })
    }
}

impl<T: Sample> Conv3d<'_, T> {
    #[inline(always)]
    pub(super) fn advance_in_bands<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        t: u64,
        scratch: &mut [T],
        input: &[T],
        output: &mut [T],
    ) -> Result<usize, Error> {
        let (rate, size, mut written) = (self.signature().rate, self.output_shape().len(), 0);
        for (i, x) in input.chunks_exact(self.input.len().max(1)).enumerate() {
            if !L::asks(Cases::RATE, !rate.yields(t.saturating_add(i as u64))) {
                let output = piece_mut(output, written, size)?;
                match self.factors() {
                    Some(factors) if L::asks(Cases::IN_BANDS_BY_FACTORS, true) => {
                        self.bands_by(factors, engine, x, scratch, output);
                    }
                    _ if L::asks(Cases::IN_BANDS, true) => self.bands_of_frame(engine, x, scratch, output),
                    _ => {}
                }
                written += 1;
            }
        }
        Ok(written)
    }

    /// All output channels of a frame, one band after another.
    #[cfg_attr(target_os = "none", inline(never))]
    fn bands_of_frame<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        x: &[T],
        ring: &mut [T],
        output: &mut [T],
    ) {
        let (held, stride, border) = (self.held(), self.stride(), self.options.border.unwrap_or_default());
        let (pitch, rows) = ([held * stride, stride], [self.input.rows, held]);
        let whole = self.correlation(Lines::of_part(&[], pitch, rows, border));
        for (band, new) in self.bands() {
            for (new, at) in parts(new, held, held) {
                self.store_rows(engine.splitter, x, 0..self.input.channels, new, (held, at), ring);
            }
            let lines = Lines::of_part(ring, pitch, rows, border);
            let top = whole.top - (band.start * whole.step[0]) as isize;
            let output = output.get_mut(band.start * whole.cols..).unwrap_or_default();
            Correlation { lines, top, rows: band.len(), ..whole }.run(engine, output);
        }
    }

    /// The same with factors.
    #[cfg_attr(target_os = "none", inline(never))]
    fn bands_by<L: Lanes<T>, F: WorkSplitter>(
        &self,
        factors: &Factors<'_, T>,
        engine: Engine<L, F>,
        x: &[T],
        scratch: &mut [T],
        output: &mut [T],
    ) {
        let (held, stride, size) = (self.held(), self.stride(), self.output_shape());
        let [outs, ins, ..] = self.kernel().shape;
        let border = self.options.border.unwrap_or_default();
        let (stored, planes) = scratch.split_at_mut_checked(ins * TOGETHER * stride).unwrap_or_default();
        for (o, output) in output.chunks_exact_mut(size.pixels().max(1)).enumerate() {
            let first = (o * self.options.groups).checked_div(outs).unwrap_or(0) * ins;
            let spatial = self.spatial(factors, o, Lines::of_frame(&[], [0; 2], 0, border), ins);
            for (rows, new) in self.bands() {
                for (new, at) in parts(new, held, TOGETHER) {
                    self.store_rows(engine.splitter, x, first..first + ins, new.clone(), (TOGETHER, 0), stored);
                    let lines = Lines::of_frame(stored, [TOGETHER * stride, stride], new.len(), border);
                    let planes = planes.get_mut(at * size.cols..).unwrap_or_default();
                    Spatial { lines, ..spatial }.columns(engine, new.len(), held, planes);
                }
                let output = output.get_mut(rows.start * size.cols..).unwrap_or_default();
                spatial.along_rows(engine, planes, held, rows, output);
            }
        }
    }

    /// Copies rows `new` of some channels, with their borders, to place `at` of the `held` rows that each channel has in `to`.
    #[cfg_attr(target_os = "none", inline(never))]
    fn store_rows<F: WorkSplitter>(
        &self,
        splitter: F,
        x: &[T],
        channels: Range<usize>,
        new: Range<usize>,
        (held, at): (usize, usize),
        to: &mut [T],
    ) {
        let (cols, stride) = (self.input.cols, self.stride());
        let planes = x.chunks_exact(self.input.pixels().max(1)).skip(channels.start).take(channels.len());
        for (x, to) in planes.zip(to.chunks_mut((held * stride).max(1))) {
            if let Some(x) = x.get(new.start * cols..new.end * cols)
                && let Some(to) = to.get_mut(at * stride..(at + new.len()) * stride)
            {
                self.store(splitter, x, to);
            }
        }
    }
}
