//! Units of time: their names in files, and the detection of the unit from numbers.

use std::str::FromStr;

/// The unit of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Nanoseconds.
    Nanoseconds,
}

/// The names of the units in files.
const WORDS: [(TimeUnit, &[&str]); 4] = [
    (TimeUnit::Seconds, &["s", "sec", "secs", "second", "seconds"]),
    (TimeUnit::Milliseconds, &["ms", "msec", "msecs", "millis", "millisecond", "milliseconds"]),
    // The micro sign and the Greek letter.
    (TimeUnit::Microseconds, &["us", "\u{b5}s", "\u{3bc}s", "usec", "usecs", "micros", "microsecond", "microseconds"]),
    (TimeUnit::Nanoseconds, &["ns", "nsec", "nsecs", "nanosec", "nanosecs", "nanos", "nanosecond", "nanoseconds"]),
];

/// Larger times are not in seconds (nor, scaled, in milliseconds or microseconds): 3,170 years. Present times that count
/// from 1970 are below a fiftieth of it in their own unit, and above it in the next smaller one.
const MOST_SECONDS: f64 = 1e11;
const MOST_MILLISECONDS: f64 = 1e14;
const MOST_MICROSECONDS: f64 = 1e17;

/// The number of first times that are examined.
const FIRST: usize = 16;

impl TimeUnit {
    /// Units and their names on the command line.
    pub const NAMES: [(&'static str, Self); 4] =
        [("s", Self::Seconds), ("ms", Self::Milliseconds), ("us", Self::Microseconds), ("ns", Self::Nanoseconds)];

    /// The unit that a lower-case word in a file names.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        WORDS.iter().find(|(_, words)| words.contains(&word)).map(|(unit, _)| *unit)
    }

    /// The name on the command line.
    pub(super) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, unit)| *unit == self).map_or("", |(name, _)| name)
    }

    /// Detects the unit from the first times, some of which may be damaged. Also returns the reason.
    ///
    /// | a fraction | beyond | unit |
    /// |---|---|---|
    /// | in more than a quarter | | seconds |
    /// | in more than a quarter | 1e11 | milliseconds |
    /// | in more than a quarter | 1e14 | microseconds |
    /// | in a quarter or fewer | | microseconds |
    /// | in a quarter or fewer | 1e17 | nanoseconds |
    ///
    /// Times exceed a limit if more than half of the first 16 are greater: after lost bytes in an array, all numbers are
    /// large. Without times the unit is microseconds.
    pub(super) fn fitting(times: &[f64]) -> (Self, &'static str) {
        let fractions = times.iter().filter(|t| t.fract() != 0.0).count();
        let first = times.get(..FIRST).unwrap_or(times);
        let beyond = |limit: f64| 2 * first.iter().filter(|t| **t > limit).count() > first.len();
        if 4 * fractions > times.len() {
            match () {
                () if beyond(MOST_MILLISECONDS) => (Self::Microseconds, "fractions, too large for s or ms"),
                () if beyond(MOST_SECONDS) => (Self::Milliseconds, "fractions, too large for s"),
                () => (Self::Seconds, "more than a quarter have fractions"),
            }
        } else if beyond(MOST_MICROSECONDS) {
            (Self::Nanoseconds, "whole numbers, too large for us")
        } else if times.is_empty() {
            (Self::Microseconds, "the usual unit")
        } else {
            (Self::Microseconds, "whole numbers")
        }
    }

    /// The power of ten that converts the unit to microseconds.
    pub(in super::super) const fn exponent(self) -> i32 {
        match self {
            Self::Seconds => 6,
            Self::Milliseconds => 3,
            Self::Microseconds => 0,
            Self::Nanoseconds => -3,
        }
    }

    /// Microseconds as a number in this unit; none if it is too large.
    pub(in super::super) fn decimal(self, t: u64) -> Option<String> {
        Some(match self {
            Self::Seconds => format!("{}.{:06}", t / 1_000_000, t % 1_000_000),
            Self::Milliseconds => format!("{}.{:03}", t / 1_000, t % 1_000),
            Self::Microseconds => t.to_string(),
            Self::Nanoseconds => t.checked_mul(1000)?.to_string(),
        })
    }

    /// Converts a number to microseconds, rounded; none if it is negative, above 9e18 or NaN.
    pub(in super::super) fn microseconds(self, t: f64) -> Option<u64> {
        let t = (t * 10_f64.powi(self.exponent())).round();
        (0.0..=9e18).contains(&t).then_some(t as u64)
    }
}

impl FromStr for TimeUnit {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        crate::names::find("unit of time", &Self::NAMES, text)
    }
}

/// `digits` times `10^power`, rounded to a whole number; none if it is too large.
pub(in super::super) fn scaled(digits: u64, power: i32) -> Option<u64> {
    match 10_u64.checked_pow(power.unsigned_abs()) {
        _ if digits == 0 => Some(0),
        Some(scale) if power >= 0 => digits.checked_mul(scale),
        Some(scale) => Some(digits / scale + u64::from(digits % scale >= scale.div_ceil(2))),
        None if power < 0 => Some(0),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At each threshold, and on both sides of it.
    #[test]
    fn units_that_fit() {
        use TimeUnit::{Microseconds, Milliseconds, Nanoseconds, Seconds};
        let then = |small: usize, large: usize| [vec![1.0; small], vec![2e17; large]].concat();
        let cases: [(&[f64], TimeUnit); 26] = [
            (&[], Microseconds),
            (&[0.0], Microseconds),
            (&[5000.0, 5000.0], Microseconds),
            // A quarter with fractions, and one time more or less.
            (&[0.5], Seconds),
            (&[0.5, 1.0, 2.0], Seconds),
            (&[0.5, 1.0, 2.0, 3.0], Microseconds),
            (&[0.5, 1.0, 2.0, 3.0, 4.0], Microseconds),
            (&[0.5, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0], Seconds),
            (&[0.5, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], Microseconds),
            // Whole numbers around 1e17.
            (&[1e17_f64.next_down()], Microseconds),
            (&[1e17], Microseconds),
            (&[1e17_f64.next_up()], Nanoseconds),
            (&[1.7e18], Nanoseconds),
            (&[1.7e15], Microseconds),
            // Half of them above the limit, and one more.
            (&[1.0, 2e17], Microseconds),
            (&[1.0, 2e17, 2e17], Nanoseconds),
            (&then(8, 100), Microseconds),
            (&then(7, 100), Nanoseconds),
            (&[then(0, 9), then(100, 0)].concat(), Nanoseconds),
            // Fractions around 1e11 and 1e14.
            (&[1.7e9 + 0.5], Seconds),
            (&[1e11 - 0.5], Seconds),
            (&[1e11 + 0.5], Milliseconds),
            (&[1.7e12 + 0.5], Milliseconds),
            (&[1e14 - 0.5], Milliseconds),
            (&[1e14 + 0.5], Microseconds),
            (&[1.7e15 + 0.5], Microseconds),
        ];
        for (times, expected) in cases {
            assert_eq!(TimeUnit::fitting(times).0, expected, "{times:?}");
        }
    }

    #[test]
    fn microseconds_of_numbers() {
        let cases = [
            (TimeUnit::Seconds, 0.5, Some(500_000)),
            (TimeUnit::Nanoseconds, 1_499.0, Some(1)),
            (TimeUnit::Microseconds, 9e18, Some(9_000_000_000_000_000_000)),
            (TimeUnit::Microseconds, 9.1e18, None),
            (TimeUnit::Seconds, 1e300, None),
            (TimeUnit::Microseconds, -1.0, None),
            (TimeUnit::Microseconds, -0.0, Some(0)),
            (TimeUnit::Microseconds, f64::NAN, None),
            (TimeUnit::Microseconds, f64::INFINITY, None),
        ];
        for (unit, t, expected) in cases {
            assert_eq!(unit.microseconds(t), expected, "{t} in {unit:?}");
        }
    }
}
