//! A guard that passes finite frames on, and refuses a chunk with a NaN or an infinity.
//!
//! One such sample would stay in the state of a recursive filter for ever. Put the guard first in a model. It checks
//! the whole chunk before any other node runs, so all state is unchanged. No state. Cost: 1 comparison per sample.

use crate::filter::copy;
use crate::{Error, Filter, Sample, Shape, Signature};

/// Refuses samples that are not finite; see [above](self).
///
/// ```
/// use foveola_core::{Error, Filter, Finite, Shape};
/// const GUARD: Finite = Finite::new(Shape::new(1, 1, 2));
/// let mut out = [0.0_f32; 4];
/// let refused = GUARD.run(10, &mut [], &mut [], &[1.0, 2.0, f32::NAN, 4.0], &mut out);
/// assert_eq!(refused, Err(Error::NonFinite { frame: 11, index: 0 }));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Finite {
    shape: Shape,
}

impl Finite {
    /// A guard for frames of `shape`.
    pub const fn new(shape: Shape) -> Self {
        Self { shape }
    }

    /// Whether the frames of one stream are finite; the first has number `t`.
    ///
    /// # Errors
    /// [`Error::NonFinite`] for the first sample that is not.
    pub fn check<T: Sample>(&self, t: u64, frames: &[T]) -> Result<(), Error> {
        let len = self.shape.len().max(1);
        match frames.iter().position(|x| !x.is_finite()) {
            Some(at) => Err(Error::NonFinite { frame: t.saturating_add((at / len) as u64), index: at % len }),
            None => Ok(()),
        }
    }

    /// What the filter takes, yields and needs.
    pub const fn signature(&self) -> Signature {
        Signature::same(self.shape, 0)
    }
}

impl<T: Sample> Filter<T> for Finite {
    fn signature(&self) -> Signature {
        Self::signature(self)
    }

    fn advance(&self, t: u64, _: &mut [T], _: &mut [T], input: &[T], output: &mut [T]) -> Result<usize, Error> {
        self.check(t, input)?;
        copy(output, input);
        Ok(input.len() / self.shape.len().max(1))
    }
}
