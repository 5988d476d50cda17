//! The direct convolution without vectors: one row of output after another.
//!
//! ```text
//! out[c] = bias + w_0 x_0[c] + w_1 x_1[c] + …        x_k: the line that tap k reads
//! ```
//! The lines of a row are collected in [parts](super::taps), which are added to tiles of columns in registers. With `Lanes::LOOPS`, whole
//! rows are added in loops that the compiler vectorises, and kernels of 3 x 3 and 5 x 5 take [two rows](super::small) at a time.
//!
//! The order of the taps is that of [`tile`](super::tile), so the result is bit-identical. The machine code is a fifth as long.

use super::taps::{Part, TOGETHER, add, most};
use super::tile::{Band, Correlation};
use crate::Sample;
use crate::cases::Cases;
use crate::lanes::Lanes;

/// Taps per pass, in loops over whole rows.
const TAPS: usize = 4;

/// Columns whose sums are held together, where a sum is wider than a sample.
const WIDE: usize = 64;

impl<T: Sample> Correlation<'_, T> {
    /// Writes a band of one channel.
    pub(super) fn plain<L: Lanes<T>>(&self, band: &mut Band<'_, T>) {
        let planes = (L::LOOPS && self.is_small()).then(|| self.planes(band.channel, 0));
        let mut parts = [Part::NONE; TOGETHER];
        let mut row = band.rows.start;
        while row < band.rows.end {
            let (mut rows, mut col) = (1, band.cols.start);
            if let Some(planes) = planes.filter(|_| row + 1 < band.rows.end) {
                (rows, col) = (2, self.two_rows(row, &planes, band));
            }
            if col < band.cols.end {
                (row..row + rows).for_each(|row| self.outputs_of_row::<L>([row, col], &mut parts, band));
            }
            row += rows;
        }
    }

    /// Writes a row from column `col` on. `parts` is memory.
    fn outputs_of_row<'a, L: Lanes<T>>(
        &'a self,
        [row, col]: [usize; 2],
        parts: &mut [Part<'a, T>; TOGETHER],
        band: &mut Band<'_, T>,
    ) {
        let (channel, first_row, len) = (band.channel, band.rows.start, band.cols.end - col);
        let out = self.place(band, row - first_row, [first_row, col]).and_then(|out| out.get_mut(..len));
        let out = out.unwrap_or_default();
        if !T::HAS_WIDE_SUMS {
            let sums = T::as_sums(out).unwrap_or_default();
            return self.row_of_taps::<L>(channel, [row, col], parts, sums);
        }
        let mut sums = [T::zero().to_sum(); WIDE];
        for (col, out) in (col..).step_by(WIDE).zip(out.chunks_mut(WIDE)) {
            let sums = sums.get_mut(..out.len()).unwrap_or_default();
            self.row_of_taps::<L>(channel, [row, col], parts, sums);
            for (y, sum) in out.iter_mut().zip(sums) {
                *y = T::from_sum(*sum, self.shift);
            }
        }
    }

    /// The sums of a row of a channel, from column `col` on.
    fn row_of_taps<'a, L: Lanes<T>>(
        &'a self,
        channel: usize,
        [row, col]: [usize; 2],
        parts: &mut [Part<'a, T>; TOGETHER],
        out: &mut [T::Sum],
    ) {
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
        let (mut bias, mut held) = (Some(self.bias_of(channel).to_sum()), 0);
        let mut push = |part: Part<'a, T>| {
            if held == TOGETHER {
                self.add::<L>(parts, bias.take(), out);
                held = 0;
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
                        for (e, taps) in (0..).step_by(together.max(1)).zip(taps.chunks(together.max(1))) {
                            push(Part { x: x.get(e..).unwrap_or(&[]), pitch: 0, taps, width: taps.len() });
                        }
                    }
                }
            }
        }
        self.add::<L>(parts.get(..held).unwrap_or(&[]), bias, out);
    }

    /// Adds the taps of some parts to a row of output, or to `bias`.
    #[inline(always)]
    fn add<L: Lanes<T>>(&self, parts: &[Part<'_, T>], bias: Option<T::Sum>, out: &mut [T::Sum]) {
        if !L::LOOPS || self.step[1] != 1 {
            return add::<T, L>(parts, self.step[1], bias, out);
        }
        if let Some(bias) = bias {
            out.fill(bias);
        }
        along(parts, out);
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
