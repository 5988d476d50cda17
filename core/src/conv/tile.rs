//! The convolution's inner loops: a tile of output pixels in registers.
//!
//! ```text
//! out[o, r, c] = bias[o] + sum over (i, a, b, e), in this order, of
//!                w[o, i, a, b, e] * x[i, t - dil_t (kt-1-a), sr r + dil_r b - top, sc c + dil_c e - left]
//! ```
//! A tile is `R` output rows x `V` vectors of columns, half as many vectors towards the end of a row, and half again. For
//! each input row the kernel's columns are walked once: each loads `V` vectors and feeds all `R` rows, with the weight
//! broadcast. Rows of `x` are stored with their left and right borders (`stride` samples each), so no column is ever
//! tested; rows above and below the frame are found by index.
//!
//! A pixel's taps are added unfused and in the order of the sum, whatever the tile and the width of the vectors: the
//! result has the same bits on every CPU. (Goto and van de Geijn, ACM TOMS 34(3), 2008, on register blocking.)

use super::Border;
use crate::lanes::{Lanes, Scalar};
use crate::{Error, Sample};

/// Frames with row borders, a kernel in correlation order, and how one slides over the other.
#[derive(Clone, Copy)]
pub(crate) struct Correlation<'a, T> {
    /// Slots x channels x rows x stride samples.
    pub(crate) frames: &'a [T],
    pub(crate) slots: usize,
    /// The slot of the present frame.
    pub(crate) now: usize,
    pub(crate) channels: usize,
    pub(crate) rows: usize,
    pub(crate) stride: usize,
    /// `(out, in / groups, time, row, col)`.
    pub(crate) weights: &'a [T],
    /// One for each output channel, or none.
    pub(crate) bias: &'a [T],
    pub(crate) kernel: [usize; 5],
    pub(crate) groups: usize,
    pub(crate) step: [usize; 3],
    pub(crate) dilation: [usize; 3],
    /// Rows of border above the frame.
    pub(crate) top: usize,
    pub(crate) border: Border,
    pub(crate) out_rows: usize,
    pub(crate) out_cols: usize,
}

impl<T: Sample> Correlation<'_, T> {
    /// Writes all output channels of the present frame.
    #[inline(always)]
    pub(crate) fn run<L: Lanes<T>>(&self, lanes: L, output: &mut [T]) -> Result<(), Error> {
        match L::TILE {
            (2, 8) => self.channels::<L, 2, 8>(lanes, output),
            (2, 4) => self.channels::<L, 2, 4>(lanes, output),
            (2, 2) => self.channels::<L, 2, 2>(lanes, output),
            _ => self.channels::<L, 1, 1>(lanes, output),
        }
    }

    #[inline(always)]
    fn channels<L: Lanes<T>, const R: usize, const V: usize>(&self, lanes: L, output: &mut [T]) -> Result<(), Error> {
        let plane = self.out_rows.saturating_mul(self.out_cols).max(1);
        // Rows can share loads only where neighbouring output rows read neighbouring input rows.
        let shared = self.step[1] == 1 && self.dilation[1] == 1;
        for (o, out) in output.chunks_exact_mut(plane).take(self.kernel[0]).enumerate() {
            let mut row = 0;
            while shared && row + R <= self.out_rows {
                self.band::<L, R, V>(lanes, o, row, out)?;
                row += R;
            }
            while row < self.out_rows {
                self.band::<L, 1, V>(lanes, o, row, out)?;
                row += 1;
            }
        }
        Ok(())
    }

    /// `R` rows of one output channel, from the left to the right.
    #[inline(always)]
    fn band<L: Lanes<T>, const R: usize, const V: usize>(
        &self,
        lanes: L,
        o: usize,
        row: usize,
        out: &mut [T],
    ) -> Result<(), Error> {
        let (width, mut col) = (L::WIDTH, 0);
        if self.step[2] == 1 {
            while col + V * width <= self.out_cols {
                self.tile::<L, R, V>(lanes, o, row, col, out)?;
                col += V * width;
            }
            if V > 4 && col + 4 * width <= self.out_cols {
                self.tile::<L, R, 4>(lanes, o, row, col, out)?;
                col += 4 * width;
            }
            if V > 2 && col + 2 * width <= self.out_cols {
                self.tile::<L, R, 2>(lanes, o, row, col, out)?;
                col += 2 * width;
            }
            if V > 1 && col + width <= self.out_cols {
                self.tile::<L, R, 1>(lanes, o, row, col, out)?;
                col += width;
            }
            // The rest: the last full vector again, shifted to end with the row.
            if col < self.out_cols && self.out_cols >= width {
                self.tile::<L, R, 1>(lanes, o, row, self.out_cols - width, out)?;
                col = self.out_cols;
            }
        }
        while col < self.out_cols {
            self.tile::<Scalar, R, 1>(Scalar, o, row, col, out)?;
            col += 1;
        }
        Ok(())
    }

    /// `R` rows x `V` vectors of output pixels.
    #[inline(always)]
    fn tile<L: Lanes<T>, const R: usize, const V: usize>(
        &self,
        lanes: L,
        o: usize,
        row: usize,
        col: usize,
        out: &mut [T],
    ) -> Result<(), Error> {
        let [outs, ins, kt, kh, kw] = self.kernel;
        let bias = self.bias.get(o).copied().unwrap_or_else(T::zero);
        let mut acc = [[lanes.splat(bias); V]; R];
        let group = (o * self.groups).checked_div(outs).unwrap_or(0);
        let plane_len = self.rows * self.stride;
        for i in 0..ins {
            for a in 0..kt {
                let back = (kt - 1 - a) * self.dilation[0];
                let slot = if self.now >= back { self.now - back } else { self.now + self.slots - back };
                let plane = piece(self.frames, slot * self.channels + group * ins + i, plane_len)?;
                let kernel = piece(self.weights, (o * ins + i) * kt + a, kh * kw)?;
                // Output row q meets input row b with the kernel's row b - q.
                for b in 0..kh + R - 1 {
                    let at = (row * self.step[1] + b * self.dilation[1]) as isize - self.top as isize;
                    let Some(at) = self.border.index(at, self.rows) else { continue };
                    let line = piece(plane, at, self.stride)?.get(col * self.step[2]..).unwrap_or(&[]);
                    let taps: [&[T]; R] = core::array::from_fn(|q| {
                        if q <= b && b - q < kh { piece(kernel, b - q, kw).unwrap_or(&[]) } else { &[] }
                    });
                    if R <= b + 1 && b < kh {
                        self.row::<L, R, V>(lanes, line, taps, &mut acc);
                    } else {
                        // The first and the last input rows feed only some of the output rows.
                        for (taps, acc) in taps.into_iter().zip(&mut acc) {
                            self.row::<L, 1, V>(lanes, line, [taps], core::array::from_mut(acc));
                        }
                    }
                }
            }
        }
        for (q, acc) in acc.into_iter().enumerate() {
            let out = out.get_mut((row + q) * self.out_cols + col..).unwrap_or(&mut []);
            for (vector, out) in acc.into_iter().zip(out.chunks_exact_mut(L::WIDTH)) {
                lanes.store(vector, out);
            }
        }
        Ok(())
    }

    /// One input row through one kernel row for each of `R` output rows.
    #[inline(always)]
    fn row<L: Lanes<T>, const R: usize, const V: usize>(
        &self,
        lanes: L,
        line: &[T],
        taps: [&[T]; R],
        acc: &mut [[L::Vector; V]; R],
    ) {
        let kw = self.kernel[4];
        if taps.iter().any(|taps| taps.len() != kw) {
            return;
        }
        for (e, x) in line.windows(V * L::WIDTH).step_by(self.dilation[2].max(1)).take(kw).enumerate() {
            let x: [L::Vector; V] = core::array::from_fn(|v| lanes.load(x.get(v * L::WIDTH..).unwrap_or(&[])));
            for (acc, taps) in acc.iter_mut().zip(&taps) {
                if let Some(&w) = taps.get(e) {
                    let w = lanes.splat(w);
                    for (acc, x) in acc.iter_mut().zip(x) {
                        *acc = lanes.multiply_add(*acc, x, w);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn piece<T>(slice: &[T], index: usize, len: usize) -> Result<&[T], Error> {
    crate::filter::piece(slice, index, len)
}
