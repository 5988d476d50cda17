//! What a layer of a network reads: `sum_i w_i x_i`, `prod_i x_i`, or the `x_i` one after the other along channels.

use crate::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// The frames that a layer reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs {
    /// How several terms become one.
    pub join: Join,
    /// Names of layers, or `input`, each with a weight. An empty list stands for the layer before. [`Join::Product`] and
    /// [`Join::Concat`] take weights of 1 only.
    pub terms: Vec<(String, f64)>,
}

/// How several inputs of a layer become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Join {
    /// The weighted sum, sample by sample.
    #[default]
    Sum,
    /// The product, sample by sample.
    Product,
    /// One after the other along the channels.
    Concat,
}

impl Inputs {
    /// The frames of the layer before.
    pub const BEFORE: Self = Self { join: Join::Sum, terms: Vec::new() };
}

/// Parses one term: `centre`, `-surround` or `-0.5 * surround`.
///
/// ```
/// use foveola::Inputs;
/// let inputs: Inputs = "-0.5 * surround".parse()?;
/// assert_eq!(inputs.terms, [("surround".into(), -0.5)]);
/// assert_eq!(inputs.to_string(), "-0.5 * surround");
/// # Ok::<(), foveola::Error>(())
/// ```
impl FromStr for Inputs {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (weight, name) = match text.split_once('*') {
            Some((weight, name)) => (weight.trim().parse().ok(), name.trim()),
            None => match text.trim().strip_prefix('-') {
                Some(name) => (Some(-1.0), name.trim()),
                None => (Some(1.0), text.trim()),
            },
        };
        match weight.filter(|weight: &f64| (*weight as f32).is_finite()) {
            Some(weight) if is_name(name) => Ok(Self { join: Join::Sum, terms: vec![(name.into(), weight)] }),
            _ => Err(Error::Spelling {
                what: "input of a layer",
                value: text.into(),
                expected: "the name of a layer or a finite number times one, such as centre or -0.5 * surround",
            }),
        }
    }
}

/// The terms, separated by commas.
impl fmt::Display for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, weight)) in self.terms.iter().enumerate() {
            let comma = if place > 0 { ", " } else { "" };
            match weight {
                1.0 => write!(f, "{comma}{name}")?,
                -1.0 => write!(f, "{comma}-{name}")?,
                _ => write!(f, "{comma}{weight:?} * {name}")?,
            }
        }
        Ok(())
    }
}

/// Whether a layer may be called `name`: letters of ASCII, digits, `_` and `-`, a letter or `_` first.
pub(crate) fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_come_back() {
        for (text, weight) in
            [("on-1", 1.0), ("-on", -1.0), ("0.5 * on", 0.5), ("-2.0 * on", -2.0), ("1e-7 * on", 1e-7)]
        {
            let inputs: Inputs = text.parse().expect(text);
            assert_eq!((inputs.terms[0].1, inputs.to_string()), (weight, text.to_owned()));
        }
        for text in ["", "-", "* on", "2 *", "nan * on", "1e39 * on", "2 on", "on * 2", "a b", "3d", "-0.5 surround"] {
            assert!(text.parse::<Inputs>().is_err(), "{text} is no input");
        }
    }
}
