//! The direct convolution without vectors: one row of output after another.
//!
//! ```text
//! out[c] = bias + w_0 x_0[c] + w_1 x_1[c] + …        x_k: the line that tap k reads
//! ```
//! The lines of a row are collected in [parts](super::taps), which are added to tiles of columns in registers. With `Lanes::LOOPS`, whole
//! rows are added in loops that the compiler vectorises, and kernels of 3 x 3 and 5 x 5 take [two rows](super::small) at a time.
//!
//! The order of the taps is that of [`tile`](super::tile), so the result is bit-identical. The machine code is a fifth as long.

use super::taps::{Part, TOGETHER, add, add_sums, most};
use super::tile::{Band, Correlation};
use crate::Sample;
use crate::cases::Cases;
use crate::lanes::Lanes;
use core::ops::Range;

/// Taps per pass, in loops over whole rows.
const TAPS: usize = 4;

/// Columns whose sums are held together, where a sum is wider than a sample.
const WIDE: usize = 64;

/// What rows need, one after the other.
struct Memory<'a, T: Sample> {
    parts: [Part<'a, T>; TOGETHER],
    /// Of integers.
    sums: [T::Sum; WIDE],
}

impl<T: Sample> Correlation<'_, T> {
    /// Writes a band of one channel.
    pub(super) fn plain<L: Lanes<T>>(&self, band: &mut Band<'_, T>) {
        let planes = (L::LOOPS && self.is_small()).then(|| self.planes(band.channel, 0));
        let mut memory = Memory { parts: [Part::NONE; TOGETHER], sums: [T::zero().to_sum(); WIDE] };
        let Some(planes) = planes else {
            return self.block::<L>(band.rows.clone(), band.cols.start, &mut memory, band);
        };
        let mut row = band.rows.start;
        while row < band.rows.end {
            let (mut rows, mut col) = (1, band.cols.start);
            if row + 1 < band.rows.end {
                (rows, col) = (2, self.two_rows(row, &planes, band));
            }
            self.block::<L>(row..row + rows, col, &mut memory, band);
            row += rows;
        }
    }

    /// Writes some rows from column `first` on.
    fn block<'a, L: Lanes<T>>(
        &'a self,
        rows: Range<usize>,
        first: usize,
        memory: &mut Memory<'a, T>,
        band: &mut Band<'_, T>,
    ) {
        let width = if T::HAS_WIDE_SUMS { WIDE } else { band.cols.end };
        let mut col = first;
        while col < band.cols.end {
            let end = band.cols.end.min(col.saturating_add(width));
            self.block_of_columns::<L>(rows.clone(), col..end, memory, band);
            col = end;
        }
    }

    /// Writes some rows of neighbouring columns. Rows inside the frame read the lines of the row before, moved down.
    fn block_of_columns<'a, L: Lanes<T>>(
        &'a self,
        rows: Range<usize>,
        cols: Range<usize>,
        Memory { parts, sums }: &mut Memory<'a, T>,
        band: &mut Band<'_, T>,
    ) {
        let (channel, first_row) = (band.channel, band.rows.start);
        let down = self.lines.row_pitch() * self.step[0];
        let (mut held, mut more) = (0, 0_usize);
        for row in rows {
            let out = self.place(band, row - first_row, [first_row, cols.start]);
            let out = out.and_then(|out| out.get_mut(..cols.len())).unwrap_or_default();
            let (sums, out) = if T::HAS_WIDE_SUMS {
                (sums.get_mut(..out.len()).unwrap_or_default(), Some(out))
            } else {
                (T::as_sums(out).unwrap_or_default(), None)
            };
            let mut bias = Some(self.bias_of(channel).to_sum());
            if let Some(left) = more.checked_sub(1) {
                more = left;
                parts.iter_mut().take(held).for_each(|part| part.x = part.x.get(down..).unwrap_or(&[]));
            } else {
                (held, more) = self.collect::<L>(channel, [row, cols.start], parts, |parts| {
                    self.add::<L>(parts, bias.take(), sums, None);
                });
            }
            self.add::<L>(parts.get(..held).unwrap_or(&[]), bias, sums, out);
        }
    }

    /// Collects the taps of a row of a channel, from column `col` on; `add` takes those for which there is no room. Returns the
    /// number of parts, and for how many more rows they serve when they are moved down.
    #[inline(always)]
    fn collect<'a, L: Lanes<T>>(
        &'a self,
        channel: usize,
        [row, col]: [usize; 2],
        parts: &mut [Part<'a, T>; TOGETHER],
        mut add: impl FnMut(&[Part<'a, T>]),
    ) -> (usize, usize) {
        let [outs, ins, kt, kh, kw] = self.kernel;
        let [down, across] = self.dilation;
        let input = (channel * self.groups).checked_div(outs).unwrap_or(0) * ins;
        let (first, col_in) = ((row * self.step[0]) as isize - self.top, col * self.step[1]);
        let mut kernel = self.weights.get(channel * ins * kt * kh * kw..).unwrap_or(&[]);
        // Taps of a part for each line, about as many in each.
        let together = match self.step[1] {
            1 if L::LOOPS => kw,
            step => kw.div_ceil(kw.div_ceil(most(step)).max(1)),
        };
        let (mut held, mut all) = (0, true);
        let mut push = |part: Part<'a, T>| {
            if held == TOGETHER {
                add(parts);
                (held, all) = (0, false);
            }
            if let Some(to) = parts.get_mut(held) {
                *to = part;
                held += 1;
            }
        };
        for i in 0..ins {
            for a in 0..kt {
                let plane = self.lines.plane::<L>(input + i, kt - 1 - a);
                let mut b = 0;
                while b < kh {
                    let at = first + (b * down) as isize;
                    let (run, pitch, x) = self.lines.run::<L>(plane, at, down, kh - b, col_in);
                    b += run;
                    let (taps, rest) = kernel.split_at_checked(run * kw).unwrap_or_default();
                    kernel = rest;
                    // No samples where the border is zero.
                    let Some(x) = x else { continue };
                    if kw <= 1 || across == 1 && together == kw {
                        push(Part { x, pitch, taps, width: kw });
                        continue;
                    }
                    for (n, taps) in taps.chunks_exact(kw).enumerate() {
                        let x = x.get(n * pitch..).unwrap_or(&[]);
                        if L::asks(Cases::DILATION, across > 1) {
                            // As if each tap had a line of its own.
                            push(Part { x, pitch: across, taps, width: 1 });
                            continue;
                        }
                        if T::HAS_WIDE_SUMS && foveola_dsp::AVAILABLE && self.step[1] <= 2 && kw > most(1) {
                            // Lines of taps one after the other in the samples, too, and what is left.
                            let width = width_of_lines(kw);
                            let (lines, rest) = taps.split_at_checked(kw - kw % width).unwrap_or_default();
                            push(Part { x, pitch: width, taps: lines, width });
                            if !rest.is_empty() {
                                push(Part {
                                    x: x.get(lines.len()..).unwrap_or(&[]),
                                    pitch: 0,
                                    taps: rest,
                                    width: rest.len(),
                                });
                            }
                            continue;
                        }
                        for (e, taps) in (0..).step_by(together.max(1)).zip(taps.chunks(together.max(1))) {
                            push(Part { x: x.get(e..).unwrap_or(&[]), pitch: 0, taps, width: taps.len() });
                        }
                    }
                }
            }
        }
        (held, if all { self.lines.further(first, kh.saturating_sub(1) * down, self.step[0]) } else { 0 })
    }

    /// Adds the taps of some parts to a row of sums, or to `bias`. `out` receives what the sums become.
    #[inline(always)]
    fn add<L: Lanes<T>>(
        &self,
        parts: &[Part<'_, T>],
        bias: Option<T::Sum>,
        sums: &mut [T::Sum],
        out: Option<&mut [T]>,
    ) {
        if !L::LOOPS || self.step[1] != 1 {
            if T::HAS_WIDE_SUMS {
                return add_sums::<T, L>(parts, self.step[1], bias, sums, out.map(|out| (out, self.shift)));
            }
            return add::<T, L>(parts, self.step[1], bias, sums);
        }
        if let Some(bias) = bias {
            sums.fill(bias);
        }
        along(parts, sums);
        for (out, sum) in out.unwrap_or_default().iter_mut().zip(sums) {
            *out = T::from_sum(*sum, self.shift);
        }
    }
}

/// Into lines of how many taps a longer one is split: where what is left has fast loops as well, the longest that have.
const fn width_of_lines(taps: usize) -> usize {
    if matches!(taps % 7, 0 | 1 | 3 | 5) {
        7
    } else if matches!(taps % 5, 0 | 1 | 3) {
        5
    } else {
        3
    }
}

/// Adds the taps of some parts to a whole row, four at a time.
fn along<T: Sample>(parts: &[Part<'_, T>], out: &mut [T::Sum]) {
    let taps = parts.iter().flat_map(|part| {
        part.taps.chunks_exact(part.width.max(1)).enumerate().flat_map(move |(b, taps)| {
            let line = move |e: usize| part.x.get(b * part.pitch + e..).unwrap_or(&[]);
            taps.iter().enumerate().map(move |(e, w)| (line(e), *w))
        })
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
        out.iter_mut().zip(x).for_each(|(y, x)| *y = T::add_product(*y, *x, w));
    }
}

/// A separate function, so that the compiler knows that the rows do not overlap.
#[inline(never)]
fn along_four<T: Sample>([(x, p), (y, q), (z, r), (u, s)]: [(&[T], T); TAPS], out: &mut [T::Sum]) {
    for ((((out, x), y), z), u) in out.iter_mut().zip(x).zip(y).zip(z).zip(u) {
        *out = [(x, p), (y, q), (z, r), (u, s)].into_iter().fold(*out, |sum, (x, w)| T::add_product(sum, *x, w));
    }
}
