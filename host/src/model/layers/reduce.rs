//! `sum`, `Sum` and `Diff`.

use crate::model::layer::Table;
use crate::{Error, Layer, Result, memory};
use foveola_core::{Axis, Source, Stage, sum_axis};
use ndarray::{Array5, ArrayView5};

/// Concatenates the inputs along axis `dim` and sums over that axis, which keeps length 1.
///
/// The axes are `(batch, channel, time, row, col)`, 0 to 4. The inputs may differ in length only along `dim`. The error of a
/// sum of `n` terms is at most `64 (1 + log_64 n) u` of the sum of magnitudes, with `u` = 6e-8: see
/// [`foveola_core::reduce`].
///
/// ```
/// use ndarray::Array5;
/// let (a, b) = (Array5::<f32>::ones((2, 3, 4, 5, 6)), Array5::<f32>::ones((2, 1, 4, 5, 6)));
/// let sum = foveola::sum(&[a.view(), b.view()], 1)?;
/// assert_eq!(sum, Array5::from_elem((2, 1, 4, 5, 6), 4.0));
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// No inputs, an axis above 4, or inputs that differ along another axis.
pub fn sum(inputs: &[ArrayView5<'_, f32>], dim: usize) -> Result<Array5<f32>> {
    let bad = |name, value: String, expected| Error::Parameter { item: "sum", name, value, expected };
    let Some(first) = inputs.first() else {
        return Err(bad("inputs", "empty".into(), "one array or more"));
    };
    if dim > 4 {
        return Err(bad("dim", dim.to_string(), "0 (batch), 1 (channel), 2 (time), 3 (row) or 4 (column)"));
    }
    let shape = |input: &ArrayView5<'_, f32>| <[usize; 5]>::from(input.dim());
    let mut expected = shape(first);
    for input in inputs {
        let mut found = shape(input);
        found[dim] = expected[dim];
        if found != expected {
            let (found, expected) = (input.shape().to_vec(), first.shape().to_vec());
            return Err(Error::ShapeMismatch { item: "sum", found, expected, axis: dim });
        }
    }
    expected[dim] = 1;
    sum_of(inputs, dim, expected)
}

/// The number of terms added sequentially, over all inputs.
const CHAIN: usize = 64;

/// The sum, of shape `shape`, of inputs with compatible shapes; a sum of many terms is split into two halves.
fn sum_of(inputs: &[ArrayView5<'_, f32>], dim: usize, shape: [usize; 5]) -> Result<Array5<f32>> {
    let terms = |input: &ArrayView5<'_, f32>| input.len_of(ndarray::Axis(dim));
    if inputs.len() > 1 && inputs.iter().map(terms).fold(0, usize::saturating_add) > CHAIN {
        let (first, second) = inputs.split_at(inputs.len() / 2);
        return Ok(sum_of(first, dim, shape)? + sum_of(second, dim, shape)?);
    }
    let mut output = memory::array("the sum", shape)?;
    let inner = shape[dim + 1..].iter().product();
    for input in inputs.iter().filter(|input| !input.is_empty()) {
        let copy;
        let samples = match input.as_slice() {
            Some(samples) => samples,
            None => {
                copy = memory::collect("an input in order", input.len(), input.iter().copied())?;
                &copy
            }
        };
        let out = output.as_slice_mut().unwrap_or(&mut []);
        sum_axis(samples, terms(input), inner, out).map_err(|source| Error::layer("sum", source))?;
    }
    Ok(output)
}

/// Sums every frame over its channels, rows or columns. The axis keeps length 1. Rounding is that of [`sum`].
///
/// A model processes frames one by one and batches separately; to sum over time or the batch, apply [`sum`] to its output.
///
/// ```
/// use foveola::{Axis, Model, Sum};
/// let mut model = Model::of(Sum::new(Axis::Row));
/// assert_eq!(model.run(&ndarray::Array3::<f32>::ones((2, 5, 6)), 2)?.dim(), (1, 1, 2, 1, 6));
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sum {
    axis: Axis,
}

impl Sum {
    /// A sum over an axis of the frame.
    pub fn new(axis: Axis) -> Self {
        Self { axis }
    }

    /// The axis.
    pub fn axis(&self) -> Axis {
        self.axis
    }
}

impl Layer for Sum {
    fn name(&self) -> &'static str {
        "Sum"
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        let sum = foveola_core::Sum::new(table.shape(from), self.axis);
        Ok(table.push(from, Stage::Sum(sum)))
    }
}

/// `x[t] - x[t-1]`, 0 for the first frame. See [`foveola_core::Diff`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Diff;

impl Layer for Diff {
    fn name(&self) -> &'static str {
        "Diff"
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        let diff = foveola_core::Diff::new(table.shape(from));
        Ok(table.push(from, Stage::Diff(diff)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error is at most `64 (1 + log_64 n) u`; that of a sequential sum is ten times as large.
    #[test]
    fn many_inputs_are_summed_exactly_enough() {
        let input = Array5::from_elem((1, 1, 1, 1, 1), 0.1_f32);
        for n in [64, 65, 20_000] {
            let found = sum(&vec![input.view(); n], 1).expect("inputs that fit")[[0; 5]];
            let (exact, u) = (n as f64 * f64::from(0.1_f32), 6e-8);
            let bound = 64.0 * (1.0 + (n as f64).ln() / 64_f64.ln()) * u * exact;
            assert!((f64::from(found) - exact).abs() <= bound, "{n}: {found}, not {exact}");
        }
    }
}
