//! Penalties on the weights of a kernel: terms of the value to minimise that state what is assumed about the kernel.
//!
//! | text | value of `strength = s` | assumes |
//! |---|---|---|
//! | `ridge=s` | `s sum w^2` | small weights |
//! | `lasso=s` or `lasso=s:delta` | `s sum (sqrt(w^2 + delta^2) - delta)` | few weights that are not 0 |
//! | `group-lasso=s` or `group-lasso=s:delta` | `s sum over pixels (sqrt(sum over time w^2 + delta^2) - delta)` | few pixels: a local field |
//! | `smooth-time=s` | `s sum (w[t-1] - 2 w[t] + w[t+1])^2` | a smooth time course |
//! | `smooth-space=s` | `s sum (second difference along rows + along columns)^2` | a smooth field: small Laplacian |
//! | `smooth=s` | `smooth-time=s` and `smooth-space=s` | both |
//!
//! A kernel is `(out, in, time, row, col)`, row by row. Every output and input channel is penalised on its own. Values
//! are sums, while losses are means: `s` does not depend on the length of the recording. At an edge a second difference
//! that lacks a neighbour counts as 0, so that constant kernels and ramps cost nothing; an axis of one or two samples has
//! none.
//!
//! `delta` rounds the corner of a lasso at 0, so that gradients exist; weights well below it count as 0. It is in units
//! of the weights, 1e-4 by default, and should be about 1e-3 of the largest weight. It is not taken from the weights
//! themselves, since the penalty would then depend on all of them and would have a corner at 0 again.
//!
//! Cost: a few operations per weight. Automatic determination of locality is left out: its evidence needs the covariance
//! of all weights, O(weights^3), and holds for Gaussian noise only; `group-lasso` covers locality.
//!
//! ```
//! use foveola::fit::Penalty;
//!
//! let penalty: Penalty = "smooth-time=0.5".parse()?;
//! let mut gradient = [0.0; 3];
//! let value = penalty.evaluate(&[0.0, 1.0, 0.0], [1, 1, 3, 1, 1], &mut gradient)?;
//! assert_eq!((value, gradient), (0.5 * 4.0, [-2.0, 4.0, -2.0]));
//!
//! let error = "rigde=1".parse::<Penalty>().unwrap_err();
//! assert!(error.to_string().starts_with("unknown penalty 'rigde'; expected one of: ridge (the nearest), "));
//! # Ok::<(), foveola::Error>(())
//! ```

use crate::error::in_range;
use crate::names::nearest;
use crate::{Error, Result};
use std::fmt;
use std::str::FromStr;

const ITEM: &str = "Penalty";

/// Where the corner of a lasso is rounded unless the text says it.
const DELTA: f64 = 1e-4;

/// The kinds by name. Whether one has a corner, that is a `delta`.
const KINDS: [(&str, Kind, bool); 6] = [
    ("ridge", Kind::Ridge, false),
    ("lasso", Kind::Lasso, true),
    ("group-lasso", Kind::GroupLasso, true),
    ("smooth", Kind::Smooth, false),
    ("smooth-time", Kind::SmoothTime, false),
    ("smooth-space", Kind::SmoothSpace, false),
];

/// What is penalised; see the [module](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Large weights.
    Ridge,
    /// Weights that are not 0.
    Lasso,
    /// Pixels that are not 0: all weights of a pixel over time are one group.
    GroupLasso,
    /// Changes of slope in time and in space.
    Smooth,
    /// Changes of slope in time.
    SmoothTime,
    /// Laplacians of frames.
    SmoothSpace,
}

/// A term of the value to minimise; see the [module](self).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Penalty {
    kind: Kind,
    strength: f64,
    delta: f64,
}

impl Penalty {
    /// A penalty of this strength, 0 or more.
    ///
    /// # Errors
    /// [`Error::Parameter`] for another strength.
    pub fn new(kind: Kind, strength: f64) -> Result<Self> {
        let good = strength.is_finite() && strength >= 0.0;
        in_range(ITEM, "the strength", strength, good, "a finite number, 0 or more")?;
        Ok(Self { kind, strength, delta: DELTA })
    }

    /// The same with another `delta`, above 0, where the corner of a lasso is rounded. The other kinds have no corner.
    ///
    /// # Errors
    /// [`Error::Parameter`] for another `delta`.
    pub fn with_delta(self, delta: f64) -> Result<Self> {
        in_range(ITEM, "delta", delta, delta.is_finite() && delta > 0.0, "a finite number above 0")?;
        Ok(Self { delta, ..self })
    }

    /// What is penalised.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How much.
    pub fn strength(&self) -> f64 {
        self.strength
    }

    /// The value for the kernel `weights` of `shape` (out, in, time, row, col). Adds the derivatives to `gradient`,
    /// unless that is empty.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `weights` or `gradient` are not as many as `shape` says.
    pub fn evaluate(&self, weights: &[f64], shape: [usize; 5], gradient: &mut [f64]) -> Result<f64> {
        let len = shape.iter().fold(1_usize, |len, axis| len.saturating_mul(*axis));
        let told = |found: usize| format!("{found} numbers for a kernel of shape {shape:?}");
        in_range(ITEM, "weights", told(weights.len()), weights.len() == len, "one number for each weight")?;
        let fits = gradient.is_empty() || gradient.len() == len;
        in_range(ITEM, "gradient", told(gradient.len()), fits, "one number for each weight, or none")?;
        let [.., time, rows, cols] = shape;
        let pixels = rows * cols;
        let mut value = 0.0;
        // Kernel by kernel: the gradient is empty for all or for none.
        for (k, w) in weights.chunks_exact((time * pixels).max(1)).enumerate() {
            let g = gradient.get_mut(k * w.len()..(k + 1) * w.len()).unwrap_or(&mut []);
            value += match self.kind {
                Kind::Ridge => self.ridge(w, g),
                Kind::Lasso => (0..w.len()).map(|i| self.group(w, g, i, w.len())).sum(),
                Kind::GroupLasso => (0..pixels).map(|i| self.group(w, g, i, pixels)).sum(),
                Kind::Smooth => self.smooth_time(w, g, pixels) + self.smooth_space(w, g, [rows, cols]),
                Kind::SmoothTime => self.smooth_time(w, g, pixels),
                Kind::SmoothSpace => self.smooth_space(w, g, [rows, cols]),
            };
        }
        Ok(value)
    }

    fn ridge(&self, w: &[f64], g: &mut [f64]) -> f64 {
        g.iter_mut().zip(w).for_each(|(g, w)| *g += 2.0 * self.strength * w);
        self.strength * w.iter().map(|w| w * w).sum::<f64>()
    }

    /// The rounded length of every `step`-th weight from `first`.
    fn group(&self, w: &[f64], g: &mut [f64], first: usize, step: usize) -> f64 {
        let squares: f64 = w.iter().skip(first).step_by(step).map(|w| w * w).sum();
        let length = (squares + self.delta * self.delta).sqrt();
        let group = g.iter_mut().zip(w).skip(first).step_by(step);
        group.for_each(|(g, w)| *g += self.strength * w / length);
        // length - delta, without the loss of digits where they are near each other.
        self.strength * squares / (length + self.delta)
    }

    fn smooth_time(&self, w: &[f64], g: &mut [f64], pixels: usize) -> f64 {
        let mut value = 0.0;
        for i in pixels..w.len().saturating_sub(pixels) {
            let terms = [(i - pixels, 1.0), (i, -2.0), (i + pixels, 1.0)];
            value += self.square(w, g, &terms);
        }
        value
    }

    fn smooth_space(&self, w: &[f64], g: &mut [f64], [rows, cols]: [usize; 2]) -> f64 {
        let mut value = 0.0;
        for i in 0..w.len() {
            let (row, col) = (i / cols % rows, i % cols);
            let mut terms = [(i, 0.0); 5];
            if row > 0 && row + 1 < rows {
                terms[0].1 -= 2.0;
                (terms[1], terms[2]) = ((i - cols, 1.0), (i + cols, 1.0));
            }
            if col > 0 && col + 1 < cols {
                terms[0].1 -= 2.0;
                (terms[3], terms[4]) = ((i - 1, 1.0), (i + 1, 1.0));
            }
            value += self.square(w, g, &terms);
        }
        value
    }

    /// The square of a sum of weights with factors.
    fn square(&self, w: &[f64], g: &mut [f64], terms: &[(usize, f64)]) -> f64 {
        let sum: f64 = terms.iter().map(|(i, factor)| factor * w[*i]).sum();
        for (i, factor) in terms {
            if let Some(g) = g.get_mut(*i) {
                *g += 2.0 * self.strength * sum * factor;
            }
        }
        self.strength * sum * sum
    }
}

impl fmt::Display for Penalty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, corner) = KINDS.iter().find(|kind| kind.1 == self.kind).map_or(("", false), |kind| (kind.0, kind.2));
        write!(f, "{name}={}", self.strength)?;
        if corner { write!(f, ":{}", self.delta) } else { Ok(()) }
    }
}

impl FromStr for Penalty {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, settings) = text.split_once('=').map_or((text, None), |(name, settings)| (name, Some(settings)));
        let name = name.trim();
        let Some((_, kind, corner)) = KINDS.iter().find(|kind| kind.0 == name) else { return Err(unknown(name)) };
        let spelling = || Error::Spelling {
            what: "penalty",
            value: text.into(),
            expected: "a name and a strength, such as ridge=0.01; for lasso and group-lasso also a delta: lasso=0.01:1e-4",
        };
        let number = |text: &str| text.trim().parse::<f64>().map_err(|_| spelling());
        let settings = settings.ok_or_else(spelling)?;
        match settings.split_once(':') {
            None => Self::new(*kind, number(settings)?),
            Some((strength, delta)) if *corner => Self::new(*kind, number(strength)?)?.with_delta(number(delta)?),
            Some(_) => Err(spelling()),
        }
    }
}

fn unknown(name: &str) -> Error {
    let names = KINDS.map(|kind| kind.0);
    let near = nearest(name, &names);
    let mut told: Vec<String> = near.iter().map(|near| format!("{near} (the nearest)")).collect();
    told.extend(names.iter().filter(|name| Some(**name) != near).map(|name| (*name).to_owned()));
    Error::unknown("penalty", name, told.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: [usize; 5] = [2, 1, 4, 3, 5];

    fn all() -> Vec<Penalty> {
        KINDS.map(|(_, kind, _)| Penalty::new(kind, 0.7).and_then(|p| p.with_delta(0.05)).expect("in range")).into()
    }

    fn value(penalty: Penalty, w: &[f64], shape: [usize; 5]) -> f64 {
        penalty.evaluate(w, shape, &mut []).expect("of this shape")
    }

    /// Weights of no pattern; a tenth are 0.
    fn weights(shape: [usize; 5]) -> Vec<f64> {
        (0..shape.iter().product())
            .map(|i: usize| if i % 10 == 3 { 0.0 } else { ((i * i * 31 + i * 7) % 41) as f64 / 20.0 - 1.0 })
            .collect()
    }

    #[test]
    fn gradients_are_central_differences() {
        for shape in [SHAPE, [1, 2, 3, 1, 4], [1, 1, 5, 1, 1], [1, 1, 1, 4, 4], [3, 1, 2, 2, 2], [1; 5]] {
            let w = weights(shape);
            for penalty in all() {
                let mut gradient = vec![10.0; w.len()]; // to which it is added
                penalty.evaluate(&w, shape, &mut gradient).expect("of this shape");
                for (i, g) in gradient.iter().enumerate() {
                    let at = |step: f64| {
                        let mut w = w.clone();
                        w[i] += step;
                        value(penalty, &w, shape)
                    };
                    let expected = 10.0 + (at(1e-5) - at(-1e-5)) / 2e-5;
                    assert!((g - expected).abs() < 1e-6, "{penalty} {shape:?} {i}: {g} {expected}");
                }
            }
        }
    }

    #[test]
    fn nothing_at_zero_and_more_elsewhere() {
        for penalty in all() {
            let mut gradient = [0.0; 120];
            assert_eq!(penalty.evaluate(&[0.0; 120], SHAPE, &mut gradient).ok(), Some(0.0), "{penalty}");
            assert_eq!(gradient, [0.0; 120], "{penalty}");
            assert!(value(penalty, &weights(SHAPE), SHAPE) > 0.1, "{penalty}");
        }
    }

    #[test]
    fn hand_calculated_values() {
        let shape = [1, 1, 2, 1, 2]; // two pixels, two times
        let w = [3.0, 0.0, 4.0, 0.0];
        for (text, expected) in [
            ("ridge=2", 50.0),
            ("lasso=2:1e-9", 14.0),
            ("group-lasso=2:1e-9", 10.0), // one pixel of length 5
            ("smooth=2", 0.0),
        ] {
            let found = value(text.parse().expect("a penalty"), &w, shape);
            assert!((found - expected).abs() < 1e-7, "{text}: {found}");
        }
        // A single pixel in the middle has a Laplacian of -4; at the edges no difference crosses it.
        let dot = [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(value("smooth-space=1".parse().expect("a penalty"), &dot, [1, 1, 1, 3, 3]), 16.0);
    }

    /// A smooth kernel may have any mean and slope; the sign of a kernel never matters, nor the order of its channels.
    #[test]
    fn invariances() {
        let w = weights(SHAPE);
        for penalty in all() {
            let expected = value(penalty, &w, SHAPE);
            let same = |w: Vec<f64>| (value(penalty, &w, SHAPE) / expected - 1.0).abs() < 1e-12;
            assert!(same(w.iter().map(|w| -w).collect()), "{penalty}: sign");
            assert!(same([&w[60..], &w[..60]].concat()), "{penalty}: channels");
            let ramp = |i: usize| 0.5 + (i / 15 % 4) as f64 - 2.0 * (i / 5 % 3) as f64 + 3.0 * (i % 5) as f64;
            let smooth = matches!(penalty.kind(), Kind::Smooth | Kind::SmoothTime | Kind::SmoothSpace);
            assert_eq!(same((0..w.len()).map(|i| w[i] + ramp(i)).collect()), smooth, "{penalty}: ramp");
        }
    }

    #[test]
    fn text_and_back() {
        for text in
            ["ridge=0.01", "smooth=0.1", "smooth-time=2", "smooth-space=0", "lasso=1:0.0001", "group-lasso=1:0.5"]
        {
            assert_eq!(text.parse::<Penalty>().map(|penalty| penalty.to_string()).ok().as_deref(), Some(text));
        }
        assert_eq!("lasso = 1".parse::<Penalty>().ok(), Penalty::new(Kind::Lasso, 1.0).ok());
        for text in
            ["", "ridge", "ridge=", "ridge=x", "ridge=-1", "ridge=nan", "ridge=1:1", "lasso=1:0", "lasso=1:", "rigde=1"]
        {
            assert!(text.parse::<Penalty>().is_err(), "'{text}'");
        }
        let error = "smoth-time=1".parse::<Penalty>().expect_err("misspelt").to_string();
        assert!(error.contains("smooth-time (the nearest)"), "{error}");
    }

    #[test]
    fn other_lengths_are_refused() {
        let penalty = all()[0];
        assert!(penalty.evaluate(&[0.0; 3], [1, 1, 2, 1, 2], &mut []).is_err(), "weights");
        assert!(penalty.evaluate(&[0.0; 4], [1, 1, 2, 1, 2], &mut [0.0; 3]).is_err(), "gradient");
        assert_eq!(penalty.evaluate(&[], [1, 1, 0, 1, 2], &mut []).ok(), Some(0.0));
    }
}
