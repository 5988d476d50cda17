//! `Map`: a function of the program as a nonlinearity.

use crate::model::kept::Kept;
use crate::model::layer::Table;
use crate::{Filter, Layer, Result};
use foveola_core::{Error, Shape, Signature, Source, Stage};
use std::fmt;
use std::sync::Arc;

/// `y = f(x)` for every sample; no state. [`Model::map`](crate::Model::map) adds one.
///
/// `f` must return the same result for the same `x`; otherwise the output depends on more than the input. A result that is
/// NaN or infinite is [`Error::Overflow`](crate::Error::Overflow), unless the model
/// [allows it](crate::Model::allow_non_finite).
///
/// A function is a part of the program: a `Map` runs on the CPU alone, has no parameters, and can be neither exported
/// ([`Model::to_rust`](crate::Model::to_rust)) nor written to a model file. Both, and a device, refuse it. What a model with
/// a `Map` computes has the same bits on any CPU only if `f` does: `tanh` and `exp` of Rust depend on the platform.
///
/// ```
/// use foveola::{Map, Model};
/// let mut saturating = Model::new().named("response", Map::new(|x| x / (1.0 + x.abs())));
/// assert_eq!(saturating.run(&ndarray::arr3(&[[[3.0_f32, -1.0]]]), 1)?.as_slice(), Some(&[0.75, -0.5][..]));
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Clone)]
pub struct Map {
    function: Function,
    /// One for each shape of frames.
    filters: Kept<Shape, Pixelwise>,
}

type Function = Arc<dyn Fn(f32) -> f32 + Send + Sync>;

impl Map {
    /// A layer that computes `function` of every sample.
    pub fn new(function: impl Fn(f32) -> f32 + Send + Sync + 'static) -> Self {
        Self { function: Arc::new(function), filters: Kept::default() }
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Map")
    }
}

impl Layer for Map {
    fn name(&self) -> &'static str {
        "Map"
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        let shape = table.shape(from);
        let filter = self.filters.get(shape, || Ok(Pixelwise { shape, function: Arc::clone(&self.function) }))?;
        Ok(table.push(from, Stage::custom(filter)))
    }
}

/// The function for frames of a given shape.
struct Pixelwise {
    shape: Shape,
    function: Function,
}

impl Filter for Pixelwise {
    fn signature(&self) -> Signature {
        Signature::same(self.shape, 0)
    }

    fn advance(&self, _: u64, _: &mut [f32], _: &mut [f32], x: &[f32], y: &mut [f32]) -> Result<usize, Error> {
        x.iter().zip(y).for_each(|(x, y)| *y = (self.function)(*x));
        Ok(x.len() / self.shape.len().max(1))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Error, LowPass, Model, Precision, Resolution};
    use foveola_core::Shape;
    use ndarray::{Array3, s};

    fn model() -> Model {
        let slow = LowPass::new(0.005, Resolution::DEFAULT).expect("a time constant");
        Model::new().map(|x| x / (1.0 + x.abs())).then(slow).map(|x| 4.0 * x * x - 0.1)
    }

    fn movie() -> Array3<f32> {
        Array3::from_shape_fn((30, 3, 4), |(t, r, c)| ((7 * t + 3 * r + c) % 11) as f32 - 4.0)
    }

    /// Any chunks, threads and a saved state give the same bits; frames of another size are another stream.
    #[test]
    fn the_laws_hold() {
        for precision in [Precision::Fast, Precision::Reproducible] {
            let new = || model().with_precision(precision);
            let whole = new().run(movie(), 30).expect("good");
            assert!(whole.iter().any(|y| *y > 0.1) && whole.iter().any(|y| *y < -0.01), "it responds");
            for chunk in [1, 4, 29] {
                assert_eq!(new().run(movie(), chunk).expect("good"), whole, "{chunk}");
            }
            assert_eq!(new().with_threads(2).eager().run(movie(), 7).expect("good"), whole, "threads");
            let mut first = new();
            first.run(movie().slice(s![..11, .., ..]), 4).expect("good");
            let mut second = first.clone();
            let rest = second.run(movie().slice(s![11.., .., ..]), 5).expect("good");
            assert_eq!(rest, whole.slice(s![.., .., 11.., .., ..]));
            second.clear_state();
            assert_eq!(second.run(Array3::<f32>::ones((2, 5, 5)), 2).expect("good").dim(), (1, 1, 2, 5, 5));
        }
    }

    /// A result that is not finite is that of a layer which left the range, and changes nothing.
    #[test]
    fn results_that_are_not_finite_are_refused() {
        let mut model = Model::new().then(LowPass::new(0.005, Resolution::DEFAULT).expect("good")).map(|x| 1.0 / x);
        model.process(Array3::<f32>::ones((3, 2, 2))).expect("good");
        let mut other = Model::new().map(|x| (x - 2.0).ln());
        for error in [
            model.process(Array3::<f32>::zeros((3_000, 2, 2))).map(|_| ()).expect_err("1 / 0"),
            other.process(Array3::<f32>::ones((1, 2, 2))).map(|_| ()).expect_err("no number"),
        ] {
            assert!(matches!(&error, Error::Overflow { layer, .. } if layer.contains("Map")), "{error}");
        }
        assert_eq!((model.time(), other.time()), (3, 0));
        let mut allowed = other.allow_non_finite();
        assert!(allowed.process(Array3::<f32>::ones((1, 2, 2))).expect("allowed").iter().all(|y| y.is_nan()));
    }

    #[test]
    fn an_export_tells_that_a_function_is_the_programs() {
        let error = model().to_rust(Shape::new(1, 3, 4)).expect_err("it has no source");
        assert!(matches!(&error, Error::Export { layer } if layer == "layer 0, Map"), "{error}");
        assert!(error.to_string().contains("runs on the host alone"), "{error}");
    }
}
