//! The values of polarity that mean ON and OFF: one rule for text and arrays.
//!
//! ```text
//! OFF  ON
//!   0   1    also false and true
//!   0 255
//!  -1   1    -1 also as an unsigned number: 255, 65535, 2^32 - 1, 2^64 - 1
//!   1   2
//! ```
//! The first rows determine the pair. If they contain only one value, it has the meaning of the first pair that contains it
//! (1, 2 and 255 are ON, 0 and -1 are OFF). A later value may complete any pair that keeps this meaning; one that would
//! change it is an error. A value outside the pair is damage if it occurs in at most one row in 100, and an error otherwise.

use super::nearly_all;

/// Values of OFF and ON.
const PAIRS: [(f64, f64); 8] = [
    (0.0, 1.0),
    (0.0, 255.0),
    (-1.0, 1.0),
    (255.0, 1.0),
    (65_535.0, 1.0),
    (4_294_967_295.0, 1.0),
    (u64::MAX as f64, 1.0),
    (1.0, 2.0),
];
const EXPECTED: &str = "expected 0 and 1, -1 and 1, 1 and 2, 0 and 255, or false and true";
/// The largest number of other values that a message lists.
const MOST_LISTED: usize = 8;

/// The values of OFF and ON, if known.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in super::super) struct Polarity {
    off: Option<f64>,
    on: Option<f64>,
    /// Number of rows read, number of rows with another value, and the first of these values.
    rows: u64,
    strays: u64,
    others: Vec<f64>,
}

/// The meaning of a value that is neither ON nor OFF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Stray {
    /// Damage.
    Damage,
    /// The reason to stop reading.
    Refused(String),
}

impl Polarity {
    /// The pair that the values in the first rows determine.
    pub(super) fn of(values: &[f64]) -> Result<Self, String> {
        let fitting = |(off, on): (f64, f64)| values.iter().filter(|value| **value == off || **value == on).count();
        let Some((off, on)) = PAIRS.into_iter().rev().max_by_key(|pair| fitting(*pair)) else {
            return Ok(Self::default());
        };
        if !nearly_all(fitting((off, on)), values.len()) {
            let mut found = Vec::new();
            values.iter().for_each(|value| note(&mut found, *value));
            return Err(told(found));
        }
        let seen = |value: f64| values.contains(&value).then_some(value);
        Ok(Self { off: seen(off), on: seen(on), rows: values.len() as u64, ..Self::default() })
    }

    /// Whether nearly all of these values look like polarities: a pair, or only 0, 1 or -1.
    pub(super) fn fits(values: &[f64]) -> bool {
        let alone = |polarity: &Self| polarity.off.xor(polarity.on).is_none_or(|value| value.abs() <= 1.0);
        Self::of(values).is_ok_and(|polarity| alone(&polarity))
    }

    /// The polarity of the next row.
    #[inline]
    pub(in super::super) fn read(&mut self, value: f64) -> Result<bool, Stray> {
        self.rows += 1;
        let on = self.on == Some(value);
        if on || self.off == Some(value) { Ok(on) } else { self.other(value) }
    }

    /// The polarity of a value that is not known yet.
    #[cold]
    fn other(&mut self, value: f64) -> Result<bool, Stray> {
        let Self { off, on, .. } = *self;
        let has = |(a, b): &(f64, f64), value: f64| value == *a || value == *b;
        let same = |pair: &(f64, f64)| off.is_none_or(|off| off == pair.0) && on.is_none_or(|on| on == pair.1);
        if let Some((_, on)) = PAIRS.into_iter().find(|pair| same(pair) && has(pair, value)) {
            let known = if value == on { &mut self.on } else { &mut self.off };
            *known = Some(value);
            return Ok(value == on);
        }
        note(&mut self.others, value);
        self.strays += 1;
        let values = || off.into_iter().chain(on).chain(self.others.iter().copied()).collect();
        // The only value so far would have to change its meaning.
        if let (Some(known), None) | (None, Some(known)) = (off, on)
            && PAIRS.iter().any(|pair| has(pair, known) && has(pair, value))
        {
            let meaning = if on.is_some() { "ON" } else { "OFF" };
            return Err(Stray::Refused(format!("{}; {known} alone was read as {meaning} so far", told(values()))));
        }
        if self.strays <= self.rows / 100 { Err(Stray::Damage) } else { Err(Stray::Refused(told(values()))) }
    }

    /// The assumption and its reason; none without rows.
    pub(super) fn describe(&self) -> Option<(String, String)> {
        // The values that would complete the pair; -1 stands for its other widths.
        let partners = |place: fn(&(f64, f64)) -> (f64, f64), known: f64| {
            let pairs = PAIRS.iter().filter(|(off, _)| *off < 255.0 || *off == known).map(place);
            let values = pairs.filter(|(this, _)| *this == known).map(|(_, other)| other.to_string());
            values.collect::<Vec<_>>().join(" or ")
        };
        let minus_one = |off: f64| if off >= 255.0 { format!("{off} (-1)") } else { off.to_string() };
        match (self.off, self.on) {
            (Some(off), Some(on)) => {
                Some((format!("{} is OFF, {on} is ON", minus_one(off)), "by the values found".into()))
            }
            (Some(off), None) => {
                let partners = partners(|(off, on)| (*off, *on), off);
                Some((format!("{} is OFF", minus_one(off)), format!("the only value; ON may be {partners}")))
            }
            (None, Some(on)) => {
                let partners = partners(|(off, on)| (*on, *off), on);
                Some((format!("{on} is ON"), format!("the only value; OFF may be {partners}")))
            }
            (None, None) => None,
        }
    }
}

/// Adds a value to a list, once.
fn note(values: &mut Vec<f64>, value: f64) {
    let known = values.iter().any(|other| other.total_cmp(&value).is_eq());
    if !known && values.len() < MOST_LISTED {
        values.push(value);
    }
}

/// The error message that lists these values.
fn told(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let more = if values.len() >= MOST_LISTED { " and others" } else { "" };
    let list = values.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
    format!("polarity has the values {list}{more}; {EXPECTED}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_and_single_values() {
        type Case = (&'static [f64], (Option<f64>, Option<f64>));
        let all = |off: f64, on: f64| (Some(off), Some(on));
        let cases: [Case; 15] = [
            (&[], (None, None)),
            (&[1.0, 0.0], all(0.0, 1.0)),
            (&[-1.0, 1.0], all(-1.0, 1.0)),
            (&[1.0, 255.0], all(255.0, 1.0)),
            (&[1.0, 65_535.0], all(65_535.0, 1.0)),
            (&[1.0, 4_294_967_295.0], all(4_294_967_295.0, 1.0)),
            (&[1.0, u64::MAX as f64], all(u64::MAX as f64, 1.0)),
            (&[2.0, 1.0], all(1.0, 2.0)),
            (&[0.0, 255.0], all(0.0, 255.0)),
            (&[-0.0, 1.0], all(0.0, 1.0)),
            (&[1.0, 1.0], (None, Some(1.0))),
            (&[0.0], (Some(0.0), None)),
            (&[2.0], (None, Some(2.0))),
            (&[-1.0], (Some(-1.0), None)),
            (&[255.0], (None, Some(255.0))),
        ];
        for (values, expected) in cases {
            let polarity = Polarity::of(values).unwrap_or_else(|error| panic!("{values:?}: {error}"));
            assert_eq!((polarity.off, polarity.on), expected, "{values:?}");
        }
        let refused: [(&[f64], &str); 5] = [
            (&[0.0, 1.0, 2.0], "values 0, 1, 2; expected"),
            (&[-1.0, 0.0, 1.0], "values -1, 0, 1; expected"),
            (&[0.5], "values 0.5; expected"),
            (&[f64::NAN, 1.0], "values 1, NaN; expected"),
            (&[3.0, 4.0, 3.0], "values 3, 4; expected"),
        ];
        for (values, words) in refused {
            let error = Polarity::of(values).expect_err("no pair");
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn one_in_a_hundred_is_damage() {
        let mut values = vec![0.0; 150];
        values.extend([1.0; 49]);
        values.push(7.0);
        values.push(8.0);
        let mut polarity = Polarity::of(&values).expect("2 of 201");
        assert_eq!(polarity.read(7.0), Err(Stray::Damage));
        assert_eq!(polarity.read(1.0), Ok(true));
        assert_eq!(polarity.read(-1.0), Err(Stray::Damage));
        let Err(Stray::Refused(reason)) = polarity.read(9.0) else { panic!("3 of 205") };
        assert!(reason.contains("values -1, 0, 1, 7, 9; expected"), "{reason}");
        values.push(9.0);
        assert!(Polarity::of(&values).is_err(), "3 of 202");
    }

    #[test]
    fn a_single_value_keeps_its_meaning() {
        let (on, off) = (Ok(true), Ok(false));
        for (first, later, expected) in [
            (1.0, 0.0, off.clone()),
            (1.0, -1.0, off.clone()),
            (1.0, 65_535.0, off.clone()),
            (0.0, 255.0, on.clone()),
            (0.0, 1.0, on.clone()),
            (-1.0, 1.0, on.clone()),
            (2.0, 1.0, off.clone()),
            (255.0, 0.0, off.clone()),
        ] {
            let mut polarity = Polarity::of(&[first; 200]).expect("one value");
            assert_eq!(polarity.read(later), expected, "{later} behind {first}");
            assert_eq!(polarity.read(later), expected, "{later} again");
            assert_eq!(polarity.read(9.0), Err(Stray::Damage), "the pair is known");
        }
        for (first, later, word) in [(1.0, 2.0, "1 alone was read as ON"), (255.0, 1.0, "255 alone was read as ON")] {
            let mut polarity = Polarity::of(&[first; 2000]).expect("one value");
            let Err(Stray::Refused(reason)) = polarity.read(later) else { panic!("{later} behind {first}") };
            assert!(reason.contains(word), "{reason}");
        }
    }
}
