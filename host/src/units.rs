//! Numbers with units, as the command line and event filters write them.

use crate::{Error, Result};

/// Parses a time such as `1ms`, `500us` or `0.02s` into microseconds, 1 or more.
///
/// ```
/// assert_eq!(foveola::microseconds("0.02s")?, 20_000);
/// let error = foveola::microseconds("1h").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "'1h' is no time; expected a number with us, ms or s, such as 500us, 1ms or 0.02s, from 1us to 1e6s"
/// );
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// [`Error::Spelling`] for text that is not such a time.
pub fn microseconds(text: &str) -> Result<u64> {
    let units = [("us", 1.0), ("ms", 1e3), ("s", 1e6)];
    let number = units.iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, scale)));
    let value = number.and_then(|(number, scale)| Some(number.trim().parse::<f64>().ok()? * scale));
    value.filter(|us| (1.0..=1e12).contains(us)).map(|us| us.round() as u64).ok_or_else(|| Error::Spelling {
        what: "time",
        value: text.into(),
        expected: "a number with us, ms or s, such as 500us, 1ms or 0.02s, from 1us to 1e6s",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, expected) in [("1ms", 1_000), ("500us", 500), ("0.02s", 20_000), ("2 ms", 2_000)] {
            assert_eq!(microseconds(text).ok(), Some(expected), "{text}");
        }
        for text in ["1", "ms", "-1ms", "0us", "nan s", "1h", ""] {
            assert!(microseconds(text).is_err(), "{text} is no time");
        }
    }
}
