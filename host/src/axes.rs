//! What a model takes: frames as an array of five axes, or of three.

use ndarray::{ArrayBase, ArrayView5, Axis, Data, Ix3, Ix5};

/// Frames as a view `(batch, channel, time, row, col)`; three axes `(time, row, col)` are one batch and one channel.
pub trait Movie<'a> {
    /// The view.
    fn movie(self) -> ArrayView5<'a, f32>;
}

impl<'a, S: Data<Elem = f32>> Movie<'a> for &'a ArrayBase<S, Ix5> {
    fn movie(self) -> ArrayView5<'a, f32> {
        self.view()
    }
}

impl<'a, S: Data<Elem = f32>> Movie<'a> for &'a ArrayBase<S, Ix3> {
    fn movie(self) -> ArrayView5<'a, f32> {
        self.view().insert_axis(Axis(0)).insert_axis(Axis(0))
    }
}

impl<'a> Movie<'a> for ArrayView5<'a, f32> {
    fn movie(self) -> Self {
        self
    }
}

/// The most pixels that a frame may have: 268 MB a channel, far beyond any event camera.
pub const MOST_PIXELS: usize = 1 << 26;
