//! Decimal numbers in text, read without loss.

use super::super::table::scaled;

/// A decimal number: `digits * 10^exponent`.
#[derive(Clone, Copy)]
pub(super) struct Number {
    negative: bool,
    digits: u64,
    exponent: i32,
}

impl Number {
    /// Reads a number with the decimal mark `mark`; `true` and `on` are 1, `false` and `off` are 0.
    pub(super) fn read(text: &[u8], mark: u8) -> Option<Self> {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let mut number = Self { negative, digits: 0, exponent: 0 };
        let (mut fraction, mut any) = (false, false);
        for (i, byte) in text.iter().enumerate() {
            match byte {
                b'0'..=b'9' => {
                    any = true;
                    let digit = u64::from(byte - b'0');
                    match number.digits.checked_mul(10).and_then(|digits| digits.checked_add(digit)) {
                        Some(digits) => {
                            number.digits = digits;
                            number.exponent -= i32::from(fraction);
                        }
                        // Digits of a fraction that do not fit are dropped.
                        None if fraction => {}
                        None => return None,
                    }
                }
                byte if *byte == mark && !fraction => fraction = true,
                b'e' | b'E' if any => {
                    let exponent = std::str::from_utf8(text.get(i + 1..)?).ok()?.parse::<i16>().ok()?;
                    number.exponent += i32::from(exponent);
                    return Some(number);
                }
                _ => {
                    let word = [
                        text.eq_ignore_ascii_case(b"true") || text.eq_ignore_ascii_case(b"on"),
                        text.eq_ignore_ascii_case(b"false") || text.eq_ignore_ascii_case(b"off"),
                    ];
                    return (word[0] || word[1]).then_some(Self {
                        negative: false,
                        digits: word[0].into(),
                        exponent: 0,
                    });
                }
            }
        }
        any.then_some(number)
    }

    pub(super) fn value(self) -> f64 {
        let Self { mut digits, mut exponent, .. } = self;
        if exponent == 0 && !self.negative {
            return digits as f64; // nearly all polarities
        }
        // A whole number written as a fraction is exact.
        while exponent < 0 && digits > 0 && digits % 10 == 0 {
            (digits, exponent) = (digits / 10, exponent + 1);
        }
        let scale = 10_f64.powi(exponent.saturating_abs());
        let value = if exponent < 0 { digits as f64 / scale } else { digits as f64 * scale };
        if self.negative { -value } else { value }
    }

    /// The number times `10^exponent`, rounded to a whole number; none if it is negative or too large.
    pub(super) fn scaled(self, exponent: i32) -> Option<u64> {
        if self.negative && self.digits > 0 {
            return None;
        }
        scaled(self.digits, self.exponent.saturating_add(exponent))
    }

    /// The number, if it is whole and not negative.
    pub(super) fn whole(self) -> Option<u64> {
        let whole = self.exponent >= 0 || self.digits == 0 || {
            let scale = 10_u64.checked_pow(self.exponent.unsigned_abs());
            scale.is_some_and(|scale| self.digits.is_multiple_of(scale))
        };
        if whole { self.scaled(0) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_exact() {
        let cases = [
            ("1643243628.737093", 6, Some(1_643_243_628_737_093)),
            ("0.0000005", 6, Some(1)),
            ("0.00000049999999999999999999", 6, Some(0)),
            ("1e3", 0, Some(1000)),
            ("1.5E3", 0, Some(1500)),
            ("18446744073709551615", 0, Some(u64::MAX)),
            ("18446744073709551616", 0, None),
            ("18446744073709551615", -3, Some(18_446_744_073_709_552)),
            ("18446744073709551615", 6, None),
            ("-9223372036854775808", 0, None),
            ("-0.0", 0, Some(0)),
            ("-1", 0, None),
            ("1499", -3, Some(1)),
            ("1e-400", 6, Some(0)),
            ("1e30000", 0, None),
        ];
        for (text, exponent, expected) in cases {
            let number = Number::read(text.as_bytes(), b'.');
            assert_eq!(number.and_then(|number| number.scaled(exponent)), expected, "{text}");
        }
        for text in ["", ".", "-", "1-", "1.2.3", "1,2", "e5", "1e", "0x1", "nan", "inf", "1 2"] {
            assert!(Number::read(text.as_bytes(), b'.').is_none(), "{text}");
        }
    }

    #[test]
    fn decimal_commas() {
        let value = |text: &str| Number::read(text.as_bytes(), b',').map(Number::value);
        assert_eq!([value("0,5"), value("-1,25"), value("7"), value("0.5")], [Some(0.5), Some(-1.25), Some(7.0), None]);
    }

    #[test]
    fn coordinates_are_whole() {
        let cases = [
            ("96", Some(96)),
            ("9.6e+01", Some(96)),
            ("96.00", Some(96)),
            ("0.0", Some(0)),
            ("96.5", None),
            ("-1", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Number::read(text.as_bytes(), b'.').and_then(Number::whole), expected, "{text}");
        }
    }
}
