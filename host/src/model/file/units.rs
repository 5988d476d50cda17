//! Numbers with units, as model files write them: `"6ms"`, `"0.8px"`, `"10 Hz"`.

use super::error::Problem;
use super::value::{Item, Value, in_words};

/// What a number with a unit measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dimension {
    /// A time that needs no frame rate.
    Duration,
    /// A time, in seconds or frames.
    Time,
    /// A length in the image.
    Length,
    /// Cycles per second.
    Frequency,
    /// An angle.
    Angle,
}

/// A unit of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Microseconds,
    Milliseconds,
    Seconds,
    Frames,
    Pixels,
    /// Of visual angle for lengths, of a circle for angles.
    Degrees,
    Radians,
    Hertz,
}

/// All units.
const UNITS: [(&str, Unit); 9] = [
    ("us", Unit::Microseconds),
    ("ms", Unit::Milliseconds),
    ("s", Unit::Seconds),
    ("frames", Unit::Frames),
    ("frame", Unit::Frames),
    ("px", Unit::Pixels),
    ("deg", Unit::Degrees),
    ("rad", Unit::Radians),
    ("Hz", Unit::Hertz),
];

impl Dimension {
    /// The units that fit.
    const fn units(self) -> &'static [Unit] {
        match self {
            Self::Duration => &[Unit::Microseconds, Unit::Milliseconds, Unit::Seconds],
            Self::Time => &[Unit::Microseconds, Unit::Milliseconds, Unit::Seconds, Unit::Frames],
            Self::Length => &[Unit::Pixels, Unit::Degrees],
            Self::Frequency => &[Unit::Hertz],
            Self::Angle => &[Unit::Degrees, Unit::Radians],
        }
    }

    /// The units and an example, for messages.
    pub(super) const fn in_words(self) -> &'static str {
        match self {
            Self::Duration => "a time with us, ms or s, such as \"1ms\"",
            Self::Time => "a time of 0 or more with us, ms, s or frames, such as \"6ms\" or \"3 frames\"",
            Self::Length => "a length of 0 or more with px or deg, such as \"0.8px\" or \"0.05deg\"",
            Self::Frequency => "a frequency with Hz, such as \"10Hz\"",
            Self::Angle => "an angle with deg or rad, such as \"45deg\"",
        }
    }

    /// The names of the units that fit.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        UNITS.iter().filter(move |(_, unit)| self.units().contains(unit)).map(|(name, _)| *name)
    }

    /// Whether a negative number makes sense.
    const fn is_signed(self) -> bool {
        matches!(self, Self::Frequency | Self::Angle)
    }
}

/// A number with a unit that fits `dimension`.
pub(super) fn quantity(item: &Item, dimension: Dimension) -> Result<(f64, Unit), Problem> {
    let problem = |found: String| Problem::new(item.at, found, dimension.in_words());
    let text = match &item.value {
        Value::Text(text) => text.trim(),
        Value::Number(number) => return Err(problem(format!("{number}, without a unit"))),
        other => return Err(problem(in_words(other))),
    };
    let parsed = UNITS.iter().find_map(|(name, unit)| {
        let number: f64 = text.strip_suffix(name)?.trim_end().parse().ok()?;
        number.is_finite().then_some((number, *unit, *name))
    });
    match parsed {
        Some((number, unit, _)) if dimension.units().contains(&unit) => {
            if number < 0.0 && !dimension.is_signed() {
                return Err(problem(in_words(&item.value)));
            }
            Ok((number, unit))
        }
        Some((_, _, name)) => Err(problem(format!("{text:?} has the unit {name}"))),
        None => Err(problem(in_words(&item.value))),
    }
}

/// A number and its unit, as they are written; none for another text.
pub(super) fn split(text: &str) -> Option<(f64, &str)> {
    UNITS.iter().find_map(|(name, _)| {
        let number = text.strip_suffix(name)?.trim_end();
        let value: f64 = number.trim_start().parse().ok()?;
        value.is_finite().then(|| (value, &text[number.len()..]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, dimension: Dimension) -> Result<(f64, Unit), Problem> {
        quantity(&Item { value: Value::Text(text.into()), at: None }, dimension)
    }

    #[test]
    fn every_unit_fits_its_dimension() {
        use Dimension::{Angle, Duration, Frequency, Length, Time};
        let mut units = 0;
        for dimension in [Duration, Time, Length, Frequency, Angle] {
            for name in dimension.names() {
                units += 1;
                for text in [format!("1.5{name}"), format!(" 15e-1 {name} ")] {
                    assert_eq!(read(&text, dimension).map(|(number, _)| number).ok(), Some(1.5), "{text}");
                }
                assert_eq!(read(&format!("-1{name}"), dimension).is_ok(), dimension.is_signed(), "-1{name}");
            }
        }
        assert_eq!(units, 13);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["6", "ms", "nan ms", "inf s", "1e999s", "6 m s", "6Hz", "6px", "6 Ms", "", "0x6ms"] {
            assert!(read(text, Dimension::Time).is_err(), "{text} is no time");
        }
        assert!(read("3 frames", Dimension::Duration).is_err(), "needs a frame rate");
    }
}
