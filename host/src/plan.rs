//! How a convolution is computed: term by term, through separable kernels, or in the frequency domain.

use std::fmt::{Display, Formatter};

/// Which way a convolution is asked to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// The one that a measured cost model expects to be the fastest. The default.
    #[default]
    Auto,
    /// Tap by tap.
    Direct,
    /// A sum of separable kernels.
    Separable,
    /// In the frequency domain of space; tap by tap in time.
    Fft,
}

impl Algorithm {
    /// The names of the algorithms, as the command line spells them.
    pub const NAMES: [(&'static str, Self); 4] =
        [("auto", Self::Auto), ("direct", Self::Direct), ("separable", Self::Separable), ("fft", Self::Fft)];
}

/// Which way a convolution goes, for frames of a given size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Plan {
    /// Tap by tap.
    Direct,
    /// A sum of separable kernels.
    Separable {
        /// Kernels in the sum.
        terms: usize,
        /// Root of the sum of squared differences to the weight, relative to that of the weight.
        error: f64,
    },
    /// In the frequency domain of space.
    Fft {
        /// Rows of the transform.
        rows: usize,
        /// Columns of the transform.
        cols: usize,
    },
}

impl Display for Plan {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Direct => write!(f, "direct"),
            Self::Separable { terms: 1, .. } => write!(f, "separable"),
            Self::Separable { terms, .. } => write!(f, "separable in {terms} terms"),
            Self::Fft { rows, cols } => write!(f, "FFT of {rows} x {cols}"),
        }
    }
}
