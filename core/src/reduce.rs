//! Sums over an axis, which is kept with length 1.
//!
//! `sum(inputs, dim)` concatenates the inputs along an axis and sums over that axis. [`sum_axis`] sums over any axis of
//! any array; [`Sum`] is the filter, for an axis of a frame. No state. Cost: 1 operation per sample.
//!
//! A sum of `n` terms consists of chains of at most 64 additions. The results of the chains are added in such chains
//! again. The error is at most `64 (1 + log_64 n) u` of the sum of magnitudes, with `u` = 6e-8 in single precision. The
//! result is bit-identical on every machine.

use crate::error::at_least;
use crate::sums::{CHAIN, of_blocks, sum};
use crate::{Error, Filter, Sample, Shape, Signature};

/// Adds to `out[o, i]` the sum of `input[o, n, i]` over `n`, for an array of `outer x n x inner` samples, row-major.
///
/// ```
/// let mut out = [0.0; 2]; // over the rows of a 3 x 2 array: outer 1, n 3, inner 2
/// foveola_core::sum_axis(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3, 2, &mut out).unwrap();
/// assert_eq!(out, [9.0, 12.0]);
/// ```
///
/// # Errors
/// [`Error::Length`] when `out` has fewer than `outer x inner` samples, or when `input` does not consist of whole
/// blocks of `n x inner` samples.
pub fn sum_axis<T: Sample>(input: &[T], n: usize, inner: usize, out: &mut [T]) -> Result<(), Error> {
    let piece = n.saturating_mul(inner).max(1);
    let outer = input.len() / piece;
    crate::error::exact("the array to sum", input.len(), outer * piece)?;
    at_least("the sum", out.len(), outer.saturating_mul(inner))?;
    let pieces = input.chunks_exact(piece);
    match (inner, n <= CHAIN) {
        (0, _) => {}
        (1, true) => {
            pieces.zip(out).for_each(|(input, out)| *out = input.iter().fold(*out, |sum, x| sum + *x));
        }
        (1, false) => pieces.zip(out).for_each(|(input, out)| *out = *out + sum(input)),
        (_, true) => {
            for (input, out) in pieces.zip(out.chunks_exact_mut(inner)) {
                input.chunks_exact(inner).for_each(|row| add(out, row));
            }
        }
        (_, false) => {
            pieces.zip(out.chunks_exact_mut(inner)).for_each(|(input, out)| sum_columns(input, inner, out));
        }
    }
    Ok(())
}

#[inline(always)]
fn add<T: Sample>(to: &mut [T], x: &[T]) {
    for (to, x) in to.iter_mut().zip(x) {
        *to = *to + *x;
    }
}

/// Columns that are summed together in registers.
const TILE: usize = 32;

/// Adds to `out` the sums of the columns of an array of rows of `inner` samples.
fn sum_columns<T: Sample>(input: &[T], inner: usize, out: &mut [T]) {
    for (tile, out) in out.chunks_mut(TILE).enumerate() {
        let first = tile * TILE;
        let chain = |rows: &[T]| {
            let mut sums = [T::zero(); TILE];
            for row in rows.chunks_exact(inner.max(1)) {
                let row = row.get(first..).unwrap_or(&[]);
                match row.first_chunk::<TILE>() {
                    Some(row) => add(&mut sums, row),
                    None => add(&mut sums, row),
                }
            }
            sums
        };
        let sums = of_blocks([T::zero(); TILE], input.chunks((CHAIN * inner).max(1)).map(chain), |mut sums, more| {
            add(&mut sums, &more);
            sums
        });
        add(out, &sums);
    }
}

/// An axis of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Axis {
    /// Channels.
    Channel,
    /// Rows.
    Row,
    /// Columns.
    Col,
}

/// The number of an axis of `(batch, channel, time, row, col)`.
///
/// ```
/// use foveola_core::Axis;
/// assert_eq!(Axis::try_from(3), Ok(Axis::Row));
/// assert!(Axis::try_from(2).is_err()); // time is no axis of a frame
/// ```
impl TryFrom<usize> for Axis {
    type Error = Error;

    fn try_from(number: usize) -> Result<Self, Error> {
        match number {
            1 => Ok(Self::Channel),
            3 => Ok(Self::Row),
            4 => Ok(Self::Col),
            _ => {
                let expected = "1 (channel), 3 (row) or 4 (column): those of a frame";
                Err(Error::Parameter { name: "axis", value: number as f64, expected })
            }
        }
    }
}

/// The sum of every frame over one of its axes.
///
/// ```
/// use foveola_core::{Axis, Filter, Shape, Sum};
/// const SUM: Sum = Sum::new(Shape::new(2, 1, 3), Axis::Channel);
/// let mut out = [0.0_f32; 3];
/// SUM.step(0, &mut [], &mut [], &[1.0, 2.0, 3.0, 10.0, 20.0, 30.0], &mut out).unwrap();
/// assert_eq!(out, [11.0, 22.0, 33.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sum {
    shape: Shape,
    axis: Axis,
}

impl Sum {
    /// The sum of frames of `shape` over `axis`.
    pub const fn new(shape: Shape, axis: Axis) -> Self {
        Self { shape, axis }
    }

    /// The axis that is summed over.
    pub const fn over(&self) -> Axis {
        self.axis
    }

    /// The length of the axis, and its stride in samples.
    pub const fn axis(&self) -> (usize, usize) {
        match self.axis {
            Axis::Channel => (self.shape.channels, self.shape.pixels()),
            Axis::Row => (self.shape.rows, self.shape.cols),
            Axis::Col => (self.shape.cols, 1),
        }
    }

    /// What the filter takes, yields and needs.
    pub const fn signature(&self) -> Signature {
        let mut signature = Signature::same(self.shape, 0);
        match self.axis {
            Axis::Channel => signature.output.channels = 1,
            Axis::Row => signature.output.rows = 1,
            Axis::Col => signature.output.cols = 1,
        }
        signature
    }
}

impl<T: Sample> Filter<T> for Sum {
    fn signature(&self) -> Signature {
        Self::signature(self)
    }

    fn advance(&self, _: u64, _: &mut [T], _: &mut [T], input: &[T], output: &mut [T]) -> Result<usize, Error> {
        let frames = input.len() / self.shape.len().max(1);
        let len = frames.saturating_mul(self.signature().output.len());
        at_least("the output", output.len(), len)?;
        let (n, inner) = self.axis();
        if let Some(output) = output.get_mut(..len) {
            output.fill(T::zero());
            sum_axis(input, n, inner, output)?;
        }
        Ok(frames)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    /// Short and long sums, along the last axis and other axes, for fewer and more columns than a tile.
    #[test]
    fn sums_are_added_to_what_is_there() {
        for (outer, inner) in [(1, 1), (3, 1), (2, 5), (2, TILE), (1, TILE + 3)] {
            for n in [0, 1, CHAIN, CHAIN + 1, 3 * CHAIN + 7] {
                // Small whole numbers: exact in any order.
                let input: Vec<f32> = (0..outer * n * inner).map(|i| (i * 37 % 23) as f32 - 11.0).collect();
                let before: Vec<f32> = (0..outer * inner).map(|i| i as f32 + 100.0).collect();
                let mut found = before.clone();
                sum_axis(&input, n, inner, &mut found).unwrap();
                let mut expected = before;
                for (i, x) in input.iter().enumerate() {
                    expected[i / (n * inner) * inner + i % inner] += x;
                }
                assert_eq!(found, expected, "{outer} x {n} x {inner}");
            }
        }
        assert!(sum_axis(&[1.0_f32; 5], 2, 1, &mut [0.0; 3]).is_err(), "no whole pieces");
    }
}
