//! What was measured, beside the output of a model.

use crate::axes::Element;
use crate::error::in_range;
use crate::{Error, Result};
use foveola_core::Shape;
use ndarray::{ArrayBase, Data, Dimension, IxDyn};

const ITEM: &str = "Measured";

/// What was measured while a stimulus was shown: numbers for each output frame of a model.
///
/// | axes | meaning |
/// |---|---|
/// | 1 | (time), of one neuron |
/// | 2 | (time, neuron): the channels, rows and columns of the output in this order |
/// | 3 | (time, row, col) |
/// | 4 | (channel, time, row, col), as an output |
/// | 5 | (batch, channel, time, row, col) with a batch of 1 |
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Frame after frame.
    pub(super) samples: Vec<f32>,
    /// The weight of each sample; empty if all are 1.
    pub(super) weights: Vec<f32>,
    pub(super) frames: usize,
    pub(super) neurons: usize,
    /// The axes given.
    shape: Vec<usize>,
}

impl Measured {
    /// The numbers of an array, in one of the forms of the [table](Self).
    ///
    /// # Errors
    /// [`Error::Parameter`] for other axes, or none.
    pub fn new<A: Element, S: Data<Elem = A>, D: Dimension>(array: &ArrayBase<S, D>) -> Result<Self> {
        let shape = array.shape().to_vec();
        let told = format!("an array of shape {shape:?}");
        let expected = "(time), (time, neuron), (time, row, col), (channel, time, row, col) or a batch of 1 of these";
        let view = array.view().into_dyn();
        // Time first, then as the output has them.
        let (time, view) = match (view.ndim(), &shape[..]) {
            (1..=3, _) => (0, view),
            (4, _) => (1, view),
            (5, [1, ..]) => (1, view.index_axis_move(ndarray::Axis(0), 0)),
            _ => return Err(Error::Parameter { item: ITEM, name: "array", value: told, expected }),
        };
        in_range(ITEM, "array", &told, !view.is_empty(), expected)?;
        let mut order: Vec<usize> = (0..view.ndim()).collect();
        order.swap(0, time);
        let frames = view.shape()[time];
        let view = view.permuted_axes(IxDyn(&order));
        let samples: Vec<f32> = view.iter().map(|x| x.single()).collect();
        let neurons = samples.len() / frames;
        Ok(Self { samples, weights: Vec::new(), frames, neurons, shape })
    }

    /// The same with a weight for each number, 0 or more; where it is 0 the number is not used, and may be NaN.
    ///
    /// # Errors
    /// [`Error::ValuesShape`] for weights of another shape.
    pub fn weighted<A: Element, S: Data<Elem = A>, D: Dimension>(self, weights: &ArrayBase<S, D>) -> Result<Self> {
        if weights.shape() != self.shape {
            return Err(Error::ValuesShape { found: weights.shape().to_vec(), expected: self.shape });
        }
        Ok(Self { weights: Self::new(weights)?.samples, ..self })
    }

    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Numbers in a frame.
    pub fn neurons(&self) -> usize {
        self.neurons
    }

    /// Refuses what does not fit `frames` output frames of `output`, and what is 0 everywhere.
    pub(super) fn fits(&self, frames: usize, output: Shape) -> Result<()> {
        if (self.frames, self.neurons) != (frames, output.len()) {
            let found = format!("{} frames of {}", self.frames, self.neurons);
            return Err(Error::Target { found, frames, output });
        }
        let any = self.samples.iter().any(|x| *x != 0.0);
        in_range(ITEM, "target", "0 in all samples", any, "numbers of which some are not 0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, Array2, Array4, Array5};

    #[test]
    fn numbers_are_in_the_order_of_the_output() {
        let of = |measured: Result<Measured>| measured.map(|m| (m.frames, m.neurons, m.samples)).expect("good axes");
        assert_eq!(of(Measured::new(&Array1::from(vec![1.0_f32, 2.0]))), (2, 1, vec![1.0, 2.0]));
        let table = ndarray::arr2(&[[1.0_f64, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        assert_eq!(of(Measured::new(&table)), (2, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        let output = Array4::from_shape_fn((2, 3, 1, 2), |(c, t, _, col)| (100 * t + 10 * c + col) as f32);
        let expected: Vec<f32> = [0, 1, 10, 11, 100, 101, 110, 111, 200, 201, 210, 211].map(|x| x as f32).into();
        assert_eq!(of(Measured::new(&output)), (3, 4, expected.clone()));
        assert_eq!(of(Measured::new(&output.insert_axis(ndarray::Axis(0)))), (3, 4, expected));
    }

    #[test]
    fn other_axes_are_refused() {
        for error in [
            Measured::new(&Array5::<f32>::zeros((2, 1, 3, 1, 1))).expect_err("a batch"),
            Measured::new(&Array2::<f32>::zeros((0, 3))).expect_err("no frames"),
            Measured::new(&ndarray::arr0(1.0_f32)).expect_err("a number"),
        ] {
            assert!(error.to_string().starts_with("Measured: array is an array of shape ["), "{error}");
        }
        let output = Shape::new(1, 2, 3);
        let measured = Measured::new(&Array2::<f32>::ones((10, 5))).expect("good axes");
        let expected = "the target has 10 frames of 5 numbers; expected 12 frames of 6, as the output has (channels x rows x columns: 1 x 2 x 3)";
        assert_eq!(measured.fits(12, output).expect_err("another size").to_string(), expected);
        let zeros = Measured::new(&Array2::<f32>::zeros((12, 6))).expect("good axes");
        assert!(zeros.fits(12, output).is_err(), "nothing but zeros");
        assert!(zeros.weighted(&Array1::<f32>::ones(12)).is_err(), "weights of another shape");
    }
}
