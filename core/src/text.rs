//! A message with numbers, which the compiler can make: for errors in constants.

use crate::Shape;
use core::fmt;

/// Bytes of the longest message. What does not fit is left out, word by word.
const LONGEST: usize = 256;

/// A message of words and numbers, made one after the other.
///
/// ```
/// use foveola_core::Text;
/// const NEEDED: usize = 4096;
/// const TEXT: Text = Text::new("the state needs ").number(NEEDED).words(" bytes, and a weight is ").value(-0.25);
/// assert_eq!(TEXT.as_str(), "the state needs 4096 bytes, and a weight is -0.25");
/// ```
#[derive(Clone, Copy)]
pub struct Text {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Text {
    /// Begins with `words`.
    pub const fn new(words: &str) -> Self {
        Self { bytes: [0; LONGEST], len: 0 }.words(words)
    }

    /// Words.
    #[must_use]
    pub const fn words(mut self, words: &str) -> Self {
        let (words, mut i) = (words.as_bytes(), 0);
        // As a whole or not at all: a part of a character would be no text.
        if words.len() > LONGEST - self.len {
            return self;
        }
        while i < words.len() {
            self.bytes[self.len + i] = words[i];
            i += 1;
        }
        self.len += words.len();
        self
    }

    /// A count.
    #[must_use]
    pub const fn number(self, n: usize) -> Self {
        self.long(n as u64)
    }

    /// Any number, to six decimals.
    #[must_use]
    pub const fn value(mut self, value: f64) -> Self {
        if value.is_nan() {
            return self.words("NaN");
        }
        if value < 0.0 {
            self = self.words("-");
        }
        let magnitude = value.abs();
        if magnitude.is_infinite() {
            return self.words("inf");
        }
        if magnitude >= 1e12 {
            return self.words("1e12 or more");
        }
        let millionths = (magnitude * 1e6 + 0.5) as u64;
        self = self.long(millionths / 1_000_000);
        let (mut rest, mut place) = (millionths % 1_000_000, 100_000);
        if rest > 0 {
            self = self.words(".");
        }
        while rest > 0 {
            self = self.long(rest / place);
            rest %= place;
            place /= 10;
        }
        self
    }

    /// A shape, as its `Display` has it.
    #[must_use]
    pub const fn shape(self, Shape { channels, rows, cols }: Shape) -> Self {
        self.product(&[channels, rows, cols])
    }

    /// Counts with ` x ` between them.
    #[must_use]
    pub const fn product(self, factors: &[usize]) -> Self {
        self.joined(factors, " x ")
    }

    /// Counts with commas between them.
    #[must_use]
    pub const fn list(self, counts: &[usize]) -> Self {
        self.joined(counts, ", ")
    }

    const fn joined(mut self, counts: &[usize], between: &str) -> Self {
        let mut i = 0;
        while i < counts.len() {
            self = self.words(if i == 0 { "" } else { between }).number(counts[i]);
            i += 1;
        }
        self
    }

    /// A count of 64 bits.
    #[must_use]
    pub const fn long(self, n: u64) -> Self {
        let text = if n >= 10 { self.long(n / 10) } else { self };
        let digit = [b'0' + (n % 10) as u8];
        match core::str::from_utf8(&digit) {
            Ok(digit) => text.words(digit),
            Err(_) => text,
        }
    }

    /// The message.
    pub const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::{String, ToString};

    #[test]
    fn values_are_written_to_six_decimals() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.02, "-0.02"),
            (1.5, "1.5"),
            (0.000_000_9, "0.000001"),
            (999.999_999_9, "1000"),
            (-20_480.062_5, "-20480.0625"),
            (0.010_203, "0.010203"),
            (1e12, "1e12 or more"),
            (f64::NEG_INFINITY, "-inf"),
            (-1e300, "-1e12 or more"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(Text::new("").value(value).as_str(), expected);
        }
        assert_eq!(Text::new("").number(usize::MAX).to_string(), usize::MAX.to_string());
        assert_eq!(Text::new("").shape(Shape::new(1, 20, 300)).to_string(), Shape::new(1, 20, 300).to_string());
    }

    /// A word that does not fit is left out, not cut in the middle of a character.
    #[test]
    fn a_text_has_an_end() {
        let long: String = "é".repeat(LONGEST / 2 - 1);
        let text = Text::new(&long).words("üü").words("ü").number(7).value(0.5);
        assert_eq!(text.as_str(), long + "ü");
    }
}
