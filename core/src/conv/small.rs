//! The convolution's inner loops where there are no vectors: kernels of 3 x 3 and of 5 x 5, spelled out.
//!
//! A microcontroller's load is as dear as its multiply-add, and it has 32 registers for floats. So a tile is two rows x eight
//! columns of output pixels: a row of the input is loaded once for all columns and both output rows that read it, a weight
//! once for eight pixels. The tiles of two rows take one plane (a channel of a frame) after the other, so that lines are looked
//! for and checked once for many tiles. 5 x 5 takes 1.5 instructions a multiply-add.
//!
//! The taps of a pixel are added in the order of [`tile`](super::tile), so that no bit differs; what has no form here is
//! done there.

use super::tile::{Band, Correlation};
use crate::Sample;

/// Output rows and columns of a tile.
pub(super) const ROWS: usize = 2;
const COLS: usize = 8;
/// Planes (channels of frames) that a tile takes without leaving its registers.
pub(super) const TOGETHER: usize = 4;
/// Most lines that a tile reads.
const LINES: usize = 5 + ROWS - 1;

impl<T: Sample> Correlation<'_, T> {
    /// Whether there are loops for the kernel here.
    #[inline(always)]
    pub(super) fn is_small(&self) -> bool {
        let [.., kh, kw] = self.kernel;
        let adjacent = self.pitch[1] == self.cols;
        kh == kw && (kh == 3 || kh == 5) && self.step == [1, 1] && self.dilation == [1, 1] && adjacent
    }

    /// Writes output rows `row` and `row + 1` of one channel, as far as whole tiles go, and returns the column behind them: the
    /// first one where the kernel reads a border of zeros. `planes` are the [first](Self::planes) ones.
    pub(super) fn two_rows(&self, row: usize, planes: &[&[T]; TOGETHER], band: &mut Band<'_, T>) -> usize {
        let written =
            if self.kernel[4] == 3 { self.tiles::<3>(row, planes, band) } else { self.tiles::<5>(row, planes, band) };
        band.cols.start + written.unwrap_or(0)
    }

    /// The samples of a channel's planes from the `k`-th on; empty ones behind the last.
    pub(super) fn planes(&self, channel: usize, k: usize) -> [&[T]; TOGETHER] {
        let [outs, ins, kt, ..] = self.kernel;
        let input = (channel * self.groups).checked_div(outs).unwrap_or(0) * ins;
        core::array::from_fn(|p| match (k + p).checked_div(kt) {
            Some(i) if i < ins => self.lines.samples(input + i, kt - 1 - (k + p) % kt),
            _ => &[],
        })
    }

    fn tiles<const K: usize>(&self, row: usize, planes: &[&[T]; TOGETHER], band: &mut Band<'_, T>) -> Option<usize> {
        let (first, tiles) = (band.cols.start, u16::try_from(band.cols.len() / COLS).ok()?);
        let cols = usize::from(tiles) * COLS;
        let starts: [usize; LINES] = self.lines.starts(row as isize - self.top, K + ROWS - 1)?;
        let bias = self.bias.get(band.channel).copied().unwrap_or_else(T::zero);
        let of_channel = self.kernel[1] * self.kernel[2] * K * K;
        let weights = self.weights.get(band.channel * of_channel..)?.get(..of_channel)?;
        let channel = band.channel;
        let (upper, lower) = self.place(band, 0, row, first)?.split_at_mut_checked(self.cols)?;
        let (upper, lower) = (upper.get_mut(..cols)?, lower.get_mut(..cols)?);
        for (group, kernels) in weights.chunks(TOGETHER * K * K).enumerate() {
            let further = if group == 0 { *planes } else { self.planes(channel, group * TOGETHER) };
            let mut lines = [[&[][..]; LINES]; TOGETHER];
            for (lines, plane) in lines.iter_mut().zip(further).take(kernels.len() / (K * K)) {
                for (line, start) in lines.iter_mut().zip(starts) {
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
}

/// Adds what one plane's taps give to a tile; `None` when a line is too short.
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
    // The first and the last line are read by one of the rows.
    for (e, w) in taps(0).iter().enumerate() {
        feed(upper, line(0)?, e, *w);
    }
    for b in 1..K {
        let x = line(b)?;
        // Column by column, so that no more than eight samples are held.
        for (e, (v, w)) in taps(b).iter().zip(taps(b - 1)).enumerate() {
            feed(upper, x, e, *v);
            feed(lower, x, e, *w);
        }
    }
    for (e, w) in taps(K - 1).iter().enumerate() {
        feed(lower, line(K)?, e, *w);
    }
    Some(())
}

/// Column `e` of the kernel, for eight pixels.
#[inline(always)]
fn feed<T: Sample>(acc: &mut [T; COLS], x: &[T], e: usize, w: T) {
    for (acc, x) in acc.iter_mut().zip(x.get(e..).unwrap_or(&[])) {
        *acc = *acc + *x * w;
    }
}
