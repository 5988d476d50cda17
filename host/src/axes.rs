//! The input of a model: frames as an array of two to five axes.

use crate::{Error, Result, memory};
use ndarray::{Array, ArrayBase, ArrayView, Axis, CowArray, Data, Dimension, Ix2, Ix3, Ix4, Ix5, RawData};

/// The largest number of pixels in a frame: 268 MB per channel, far beyond any event camera.
pub const MOST_PIXELS: usize = 1 << 26;

/// Frames, as an array or a view of `f32` or `f64` samples.
///
/// | axes | meaning |
/// |--:|---|
/// | 2 | (row, col): one frame |
/// | 3 | (time, row, col) |
/// | 4 | (channel, time, row, col) |
/// | 5 | (batch, channel, time, row, col) |
///
/// The number of axes may also be known only at run time (`ArrayD`). Samples of `f32` are not copied.
///
/// ```
/// use foveola::{Diff, Model};
/// use ndarray::{Array2, Array3, ArrayD};
/// let mut model = Model::of(Diff);
/// model.process(&Array3::<f32>::zeros((4, 6, 8)))?;
/// model.process(Array2::<f64>::ones((6, 8)))?;
/// model.process(ArrayD::<f32>::ones(vec![1, 4, 6, 8]).view())?;
/// assert_eq!(model.time(), 9);
/// # Ok::<(), foveola::Error>(())
/// ```
pub trait Movie<'a>: private::Sealed {
    /// The frames `(batch, channel, time, row, col)`.
    ///
    /// # Errors
    /// [`Error::Axes`] for one axis, none, or more than five; [`Error::Memory`] when a copy does not fit into memory.
    fn movie(self) -> Result<CowArray<'a, f32, Ix5>>;
}

/// The sample type of an array of frames or weights: `f32` or `f64`.
pub trait Element: Copy + private::Sealed + 'static {
    /// The frames of a view with five axes.
    #[doc(hidden)]
    fn frames(view: ArrayView<'_, Self, Ix5>) -> Result<CowArray<'_, f32, Ix5>>;

    /// The frames of an array of five axes.
    #[doc(hidden)]
    fn owned<'a>(array: Array<Self, Ix5>) -> Result<CowArray<'a, f32, Ix5>>;

    /// The nearest `f32`.
    #[doc(hidden)]
    fn single(self) -> f32;
}

impl Element for f32 {
    fn frames(view: ArrayView<'_, Self, Ix5>) -> Result<CowArray<'_, f32, Ix5>> {
        Ok(view.into())
    }

    fn owned<'a>(array: Array<Self, Ix5>) -> Result<CowArray<'a, f32, Ix5>> {
        Ok(array.into())
    }

    fn single(self) -> f32 {
        self
    }
}

impl Element for f64 {
    fn frames(view: ArrayView<'_, Self, Ix5>) -> Result<CowArray<'_, f32, Ix5>> {
        let (what, samples) = ("the frames as f32", view.len());
        let values = memory::collect(what, samples, view.iter().map(|x| *x as f32))?;
        let array = Array::from_shape_vec(view.raw_dim(), values).map_err(|_| Error::Memory { what, samples })?;
        Ok(array.into())
    }

    fn owned<'a>(array: Array<Self, Ix5>) -> Result<CowArray<'a, f32, Ix5>> {
        Self::frames(array.view()).map(|frames| frames.into_owned().into())
    }

    fn single(self) -> f32 {
        self as f32
    }
}

/// The array, with the missing axes prepended.
fn five_axes<S: RawData, D: Dimension>(array: ArrayBase<S, D>) -> Result<ArrayBase<S, Ix5>> {
    // One of five axes whose number is known at run time only would be allocated.
    let (axes, front) = (array.ndim(), Axis(0));
    let five = match axes {
        2 => array.into_dimensionality::<Ix2>().map(|a| a.insert_axis(front).insert_axis(front).insert_axis(front)),
        3 => array.into_dimensionality::<Ix3>().map(|a| a.insert_axis(front).insert_axis(front)),
        4 => array.into_dimensionality::<Ix4>().map(|a| a.insert_axis(front)),
        _ => array.into_dimensionality::<Ix5>(),
    };
    five.map_err(|_| Error::Axes { found: axes })
}

impl<'a, A: Element, S: Data<Elem = A>, D: Dimension> Movie<'a> for &'a ArrayBase<S, D> {
    fn movie(self) -> Result<CowArray<'a, f32, Ix5>> {
        A::frames(five_axes(self.view())?)
    }
}

impl<'a, A: Element, D: Dimension> Movie<'a> for ArrayView<'a, A, D> {
    fn movie(self) -> Result<CowArray<'a, f32, Ix5>> {
        A::frames(five_axes(self)?)
    }
}

impl<'a, A: Element, D: Dimension> Movie<'a> for Array<A, D> {
    fn movie(self) -> Result<CowArray<'a, f32, Ix5>> {
        A::owned(five_axes(self)?)
    }
}

mod private {
    use ndarray::{ArrayBase, RawData};

    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
    impl<S: RawData, D> Sealed for ArrayBase<S, D> {}
    impl<S: RawData, D> Sealed for &ArrayBase<S, D> {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{ArrayD, arr1};

    #[test]
    fn missing_axes_are_in_front() {
        let shape = |axes: &[usize]| ArrayD::<f64>::zeros(axes).movie().map(|frames| frames.dim());
        assert_eq!(shape(&[6, 8]).ok(), Some((1, 1, 1, 6, 8)));
        assert_eq!(shape(&[5, 6, 8]).ok(), Some((1, 1, 5, 6, 8)));
        assert_eq!(shape(&[2, 5, 6, 8]).ok(), Some((1, 2, 5, 6, 8)));
        assert_eq!(shape(&[3, 2, 5, 6, 8]).ok(), Some((3, 2, 5, 6, 8)));
        for axes in [&[][..], &[4], &[1; 6]] {
            assert!(matches!(shape(axes), Err(Error::Axes { found }) if found == axes.len()), "{axes:?}");
        }
        assert!(arr1(&[1.0_f32]).view().movie().is_err(), "one axis");
    }

    #[test]
    fn f32_is_not_copied() {
        let array = Array::from_shape_fn((2, 3, 4), |(t, r, c)| (t * 12 + r * 4 + c) as f32);
        let frames = (&array).movie().expect("three axes");
        assert_eq!(frames.as_ptr(), array.as_ptr());
        let double = array.mapv(f64::from);
        assert_eq!((&double).movie().expect("three axes"), frames);
        let moved = array.clone();
        let samples = moved.as_ptr();
        assert_eq!(moved.movie().expect("three axes").as_ptr(), samples, "an array is moved");
    }
}
