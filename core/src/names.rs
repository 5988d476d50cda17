//! Modes and their names in files and on command lines: `Display` and `FromStr`.

use crate::events::Polarity;
use crate::{Border, PadMode};
use core::fmt;
use core::str::FromStr;

/// Bytes of an unknown name that are kept for the message.
const KEPT: usize = 24;

/// A name that no mode has.
///
/// ```
/// use foveola_core::Border;
/// let error = "mirror".parse::<Border>().unwrap_err();
/// assert_eq!(error.to_string(), "unknown border mode 'mirror'; expected one of: replicate, reflect, zeros, circular");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownName {
    what: &'static str,
    value: [u8; KEPT],
    len: usize,
    expected: &'static [&'static str],
}

impl UnknownName {
    fn new(what: &'static str, value: &str, expected: &'static [&'static str]) -> Self {
        let mut end = value.len().min(KEPT);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        let mut kept = [0; KEPT];
        kept.iter_mut().zip(value.as_bytes().iter().take(end)).for_each(|(to, byte)| *to = *byte);
        Self { what, value: kept, len: end, expected }
    }

    /// The kind of name that was expected, for example `border mode`.
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// The unknown name; of a longer one the first 24 bytes.
    pub fn value(&self) -> &str {
        self.value.get(..self.len).and_then(|value| core::str::from_utf8(value).ok()).unwrap_or_default()
    }

    /// The known names.
    pub fn expected(&self) -> &'static [&'static str] {
        self.expected
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown {} '{}'; expected one of: ", self.what, self.value())?;
        for (i, name) in self.expected.iter().enumerate() {
            write!(f, "{}{name}", if i > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

impl core::error::Error for UnknownName {}

/// The first of each pair.
const fn names<const N: usize, T: Copy>(all: [(&'static str, T); N]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut i = 0;
    while i < N {
        names[i] = all[i].0;
        i += 1;
    }
    names
}

/// `Display` and `FromStr` by the table `NAMES` of a type.
macro_rules! named {
    ($($mode:ty: $what:literal;)*) => {$(
        impl fmt::Display for $mode {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(Self::NAMES.iter().find(|(_, mode)| mode == self).map_or("", |(name, _)| name))
            }
        }

        impl FromStr for $mode {
            type Err = UnknownName;

            fn from_str(value: &str) -> Result<Self, UnknownName> {
                let found = Self::NAMES.iter().find(|(name, _)| *name == value).map(|(_, mode)| *mode);
                found.ok_or_else(|| UnknownName::new($what, value, const { &names(Self::NAMES) }))
            }
        }
    )*};
}

named! {
    Border: "border mode";
    PadMode: "padding mode";
    Polarity: "polarity";
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    #[test]
    fn names_come_back() {
        for (name, border) in Border::NAMES {
            assert_eq!((border.to_string(), name.parse()), (name.to_string(), Ok(border)));
        }
        for (name, mode) in PadMode::NAMES {
            assert_eq!((mode.to_string(), name.parse()), (name.to_string(), Ok(mode)));
        }
        for (name, polarity) in Polarity::NAMES {
            assert_eq!((polarity.to_string(), name.parse()), (name.to_string(), Ok(polarity)));
        }
    }

    #[test]
    fn an_unknown_name_is_told_and_a_long_one_is_cut_at_a_character() {
        let error = "cat".parse::<PadMode>().unwrap_err();
        assert_eq!((error.what(), error.value(), error.expected().len()), ("padding mode", "cat", 6));
        let long = "\u{e4}".repeat(20) + "b"; // of two bytes each
        assert_eq!(long.parse::<Border>().unwrap_err().value(), "\u{e4}".repeat(12));
        let odd = std::string::String::from("x") + &long;
        assert_eq!(odd.parse::<Border>().unwrap_err().value().len(), 23);
        assert_eq!(
            "".parse::<Polarity>().unwrap_err().to_string(),
            "unknown polarity ''; expected one of: split, signed"
        );
    }
}
