//! `NLPiecewiseLinear`: straight lines between given points.
//!
//! ```text
//! f(x) = c + m_0 x + sum_i (m_i - m_{i-1}) max(x - k_i, 0)       over the inner knots k_1 .. k_{n-2}
//! m_i  = (v_{i+1} - v_i) / (k_{i+1} - k_i),  c = v_0 - m_0 k_0
//! ```
//! It is compiled into filters and sums that exist: a constant 1 (a rectifier with the scale 0), its sum with the input, and for
//! each inner knot a rectifier and a sum. The weights of the sums are linear in the values.

use crate::model::gradient::NodeGradients;
use crate::model::layer::{Table, named};
use crate::{Error, Layer, Parameter, Result, Values};
use foveola_core::{Nonlinearity, Pointwise, Source, Stage};

const NAME: &str = "NLPiecewiseLinear";

/// Straight lines between the points `(knots[i], values[i])`; before the first knot and after the last one the outer lines go on.
///
/// With values as parameters it is a nonlinearity of any shape, such as one measured in bins. No state. Cost: 6 (n - 1)
/// operations a sample for n knots. It is off by a few units in the last place of the largest term, `|m x|`
/// of its steepest lines. A NaN stays NaN.
///
/// ```
/// use foveola::{Model, NLPiecewiseLinear};
/// let saturating = NLPiecewiseLinear::new(&[0.0, 1.0, 3.0], &[0.0, 2.0, 3.0])?;
/// let out = Model::of(saturating).run(&ndarray::arr3(&[[[-1.0_f32, 0.5, 2.0, 5.0]]]), 1)?;
/// assert_eq!(out.as_slice(), Some(&[-2.0, 1.0, 2.5, 4.0][..]));
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct NLPiecewiseLinear {
    knots: Vec<f64>,
    values: Vec<f64>,
}

impl NLPiecewiseLinear {
    /// Lines through the points of these coordinates.
    ///
    /// # Errors
    /// [`Error::Parameter`]: fewer than two knots; knots that are not finite or do not ascend, as `f32` too; not one value for each
    /// knot; values that are not finite, or lines whose slopes or whose values at 0 exceed an `f32`.
    pub fn new(knots: &[f64], values: &[f64]) -> Result<Self> {
        let refused = |value: String, expected| Err(Error::Parameter { item: NAME, name: "knots", value, expected });
        if let Some(knot) = knots.iter().find(|knot| !(**knot as f32).is_finite()) {
            return refused(format!("{knot:?}"), "finite numbers, up to 3.4e38 in magnitude");
        }
        if knots.len() < 2 {
            return refused(format!("{knots:?}"), "two or more numbers");
        }
        // A layer computes in `f32`, where knots must differ as well.
        if let Some([a, b]) = knots.array_windows().find(|[a, b]| a >= b || *a as f32 >= *b as f32) {
            return refused(format!("{a:?} before {b:?}"), "numbers that ascend, as 32-bit floats too");
        }
        let mut layer = Self { knots: knots.to_vec(), values: Vec::new() };
        layer.set_values(values)?;
        Ok(layer)
    }

    /// The inputs at which the lines meet; fixed.
    pub fn knots(&self) -> &[f64] {
        &self.knots
    }

    /// The outputs there.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Sets the outputs at the knots.
    ///
    /// # Errors
    /// As for [`NLPiecewiseLinear::new`]; the layer is then unchanged.
    pub fn set_values(&mut self, values: &[f64]) -> Result<()> {
        let refused = |value: String, expected| Err(Error::Parameter { item: NAME, name: "values", value, expected });
        if values.len() != self.knots.len() {
            let value = format!("{} for {} knots", values.len(), self.knots.len());
            return refused(value, "one for each knot");
        }
        let finite = |numbers: &[f64]| numbers.iter().all(|number| (*number as f32).is_finite());
        if !finite(values) {
            return refused(format!("{values:?}"), "finite numbers, up to 3.4e38 in magnitude");
        }
        if !finite(&weights(&self.knots, values)) {
            return refused(
                format!("{values:?}"),
                "lines whose slopes and values at 0 are at most 3.4e38 in magnitude",
            );
        }
        self.values = values.to_vec();
        Ok(())
    }

    fn rectifier<'a>(&'a self, table: &mut Table<'a>, from: Source, scale: f64, bias: f64) -> Result<Source> {
        let function = Nonlinearity::RectifyScale { scale, bias };
        let rectifier = named(self, Pointwise::new(table.shape(from), function))?;
        Ok(table.push(from, Stage::Pointwise(rectifier)))
    }
}

/// The weights of the sums: of the constant 1, of the input, and of the rectifier at each inner knot.
fn weights(knots: &[f64], values: &[f64]) -> Vec<f64> {
    // The rectifiers have their knots as 32-bit floats.
    let points = knots.iter().map(|knot| f64::from(*knot as f32)).zip(values);
    let slopes: Vec<f64> =
        points.clone().zip(points.clone().skip(1)).map(|((k, v), (l, w))| (w - v) / (l - k)).collect();
    let first = slopes.first().copied().unwrap_or(0.0);
    let at_0 = points.take(1).map(|(k, v)| v - first * k).sum();
    [at_0, first].into_iter().chain(slopes.array_windows().map(|[a, b]| b - a)).collect()
}

impl Layer for NLPiecewiseLinear {
    fn name(&self) -> &'static str {
        NAME
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        let weights = weights(&self.knots, &self.values);
        let mut weights = weights.into_iter();
        let mut weight = || weights.next().unwrap_or(0.0);
        let one = self.rectifier(table, from, 0.0, 1.0)?;
        let mut sum = table.add([(one, weight()), (from, weight())]);
        for knot in self.knots.iter().skip(1).take(self.knots.len().saturating_sub(2)) {
            let bend = self.rectifier(table, from, 1.0, -knot)?;
            sum = table.add([(sum, 1.0), (bend, weight())]);
        }
        Ok(sum)
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter::new("values", self.values.clone())]
    }

    fn gradients(&self, nodes: &NodeGradients<'_>) -> Vec<Parameter> {
        // The second node is the first sum; after it a rectifier and a sum for each inner knot.
        let first = nodes.node(1).weights.iter();
        let others = (1..self.knots.len() - 1).filter_map(|inner| nodes.node(2 * inner + 1).weights.get(1));
        let of_weights: Vec<f64> = first.chain(others).copied().collect();
        // The weights are linear in the values: those of a value alone are its row of the Jacobian.
        let of_value = |i: usize| {
            let mut alone = vec![0.0; self.values.len()];
            alone[i] = 1.0;
            weights(&self.knots, &alone).iter().zip(&of_weights).map(|(slope, g)| slope * g).sum()
        };
        vec![Parameter::new("values", (0..self.values.len()).map(of_value).collect::<Vec<f64>>())]
    }

    fn set_parameter(&mut self, name: &str, values: &Values) -> Result<bool> {
        if name != "values" {
            return Ok(false);
        }
        let values: Vec<f64> = values.of_shape(&[self.values.len()])?.iter().copied().collect();
        self.set_values(&values).map(|()| true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Model;
    use ndarray::Array3;

    /// By interpolation in the line that the input lies on.
    fn exact(knots: &[f64], values: &[f64], x: f64) -> f64 {
        let line = knots[1..knots.len() - 1].iter().filter(|knot| x > **knot).count();
        let along = (x - knots[line]) / (knots[line + 1] - knots[line]);
        values[line] + along * (values[line + 1] - values[line])
    }

    #[test]
    fn lines_go_through_their_points() {
        let cases: [(&[f64], &[f64]); 4] = [
            (&[-1.0, 2.0], &[3.0, -1.0]),
            (&[0.5, 1.0, 4.0], &[0.0, 0.0, 1.0]),
            (&[-3.0, -1.0, 0.0, 0.25, 2.0], &[0.1, 0.2, -1.0, 5.0, 5.0]),
            (&[10.0, 11.0, 13.0, 20.0], &[1.0, 2.0, -2.0, 0.0]),
        ];
        for (knots, values) in cases {
            let mut layer = NLPiecewiseLinear::new(knots, values).expect("points");
            let xs: Vec<f64> = (-120..=120).map(|i| f64::from(i) / 5.0).chain(knots.iter().copied()).collect();
            let movie = Array3::from_shape_fn((xs.len(), 1, 1), |(t, ..)| xs[t] as f32);
            let largest = weights(knots, values).iter().fold(0.0, |most: f64, weight| most.max(weight.abs())) * 34.0;
            for shift in [0.0, 1.5] {
                let values: Vec<f64> = values.iter().map(|value| value + shift).collect();
                let set = layer.set_parameter("values", &values.clone().into());
                assert!(set.is_ok_and(|known| known), "values are a parameter");
                let out = Model::of(layer.clone()).run(&movie, 7).expect("a good movie");
                for (x, found) in xs.iter().zip(&out) {
                    let expected = exact(knots, &values, (*x as f32).into());
                    let error = (f64::from(*found) - expected).abs();
                    assert!(error <= 4.0 * 6e-8 * largest, "{knots:?} {values:?}: {found} of {x}, not {expected}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_function_is_refused() {
        let close = [1.0, 1.0 + 1e-12];
        let cases: [(&[f64], &[f64], &str); 9] = [
            (&[], &[], "knots is []; expected two or more numbers"),
            (&[1.0], &[1.0], "knots is [1.0]; expected two or more numbers"),
            (&[1.0, 1.0], &[0.0, 1.0], "knots is 1.0 before 1.0; expected numbers that ascend"),
            (&[1.0, 2.0, 0.0], &[0.0; 3], "knots is 2.0 before 0.0"),
            (&close, &[0.0, 1.0], "as 32-bit floats too"),
            (&[0.0, f64::NAN], &[0.0, 1.0], "knots is NaN; expected finite numbers"),
            (&[0.0, 1.0], &[0.0], "values is 1 for 2 knots; expected one for each knot"),
            (&[0.0, 1.0], &[0.0, f64::INFINITY], "values is [0.0, inf]; expected finite numbers"),
            (&[0.0, 1e-30], &[0.0, 1e20], "values is [0.0, 1e20]; expected lines whose slopes"),
        ];
        for (knots, values, expected) in cases {
            let error = NLPiecewiseLinear::new(knots, values).expect_err(expected).to_string();
            assert!(error.contains(expected) && error.contains(NAME), "{error}");
        }
        let mut layer = NLPiecewiseLinear::new(&[0.0, 1.0], &[2.0, 3.0]).expect("points");
        assert!(layer.set_parameter("values", &vec![1.0, 2.0, 3.0].into()).is_err(), "another shape");
        assert!(layer.set_parameter("knots", &vec![1.0, 2.0].into()).is_ok_and(|known| !known), "knots are fixed");
        assert_eq!(layer.values(), [2.0, 3.0]);
    }
}
