//! The layers: descriptions of filters that a [`Model`](crate::Model) runs, under the names of the toolbox `convis`.

mod branches;
mod conv;
mod delay;
mod map;
mod piecewise;
mod pointwise;
mod recursive;
mod reduce;
mod rf;
mod smooth_conv;

pub use branches::Branches;
pub use conv::{Conv, Conv1d, Conv2d, Conv3d, Kind, Space, Spacetime, Spatial, Temporal, Time};
pub use delay::{Delay, TimePadding, VariableDelay};
pub use map::Map;
pub use piecewise::NLPiecewiseLinear;
pub use pointwise::{NLExponential, NLLogistic, NLRectify, NLRectifyScale, NLRectifySquare, NLSoftplus, NLSquare};
pub use recursive::{HighPass, LowPass};
pub use reduce::{Diff, Sum, sum};
pub use rf::Rf;
pub use smooth_conv::SmoothConv;
