//! Which column of a table is what, and in which unit its times are: told, named, or found by what fits.

use std::fmt;
use std::str::FromStr;

/// The order of the columns of a text or an array.
///
/// ```
/// use foveola::Columns;
/// let columns: Columns = "x,y,-,t,p".parse()?; // the third is something else
/// assert_eq!(columns.to_string(), "x,y,-,t,p");
/// assert!("t,x,y".parse::<Columns>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Columns {
    /// Index of the time, the column, the row and the polarity of an event.
    pub(super) places: [u8; 4],
}

/// What the places of [`Columns`] are, as written on the command line.
pub(super) const LETTERS: [char; 4] = ['t', 'x', 'y', 'p'];
/// Columns of a table, at most.
pub(super) const MOST: usize = 32;
/// What the columns are called in files.
const NAMES: [&[&str]; 4] = [
    &["t", "ts", "time", "timestamp", "timestamps", "times", "microseconds"],
    &["x", "xs", "col", "column", "x_pos"],
    &["y", "ys", "row", "y_pos"],
    &["p", "pol", "polarity", "polarities", "on", "ps"],
];

impl Columns {
    /// Time, column, row, polarity.
    pub const TXYP: Self = Self { places: [0, 1, 2, 3] };

    /// By the names of columns; none when one is missing.
    pub(super) fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<(Self, Option<TimeUnit>)> {
        let (mut places, mut unit) = ([None; 4], None);
        for (i, name) in names.into_iter().enumerate().take(MOST) {
            // `timestamp [us]`, `t_us`, `time(s)`
            let name = name.trim().trim_matches('"').to_ascii_lowercase();
            let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
            let mut words = words.peekable();
            let first = words.peek().copied().unwrap_or_default();
            let found = NAMES.iter().position(|names| names.contains(&&name[..]) || names.contains(&first));
            let Some(place) = found.and_then(|found| places.get_mut(found)) else { continue };
            if place.is_none() {
                *place = Some(i as u8);
                if found == Some(0) {
                    unit = words.filter_map(|word| word.parse().ok()).next();
                }
            }
        }
        let [Some(t), Some(x), Some(y), Some(on)] = places else { return None };
        Some((Self { places: [t, x, y, on] }, unit))
    }

    /// Orders that are found without names, the usual first.
    const USUAL: [Self; 6] = [
        Self::TXYP,
        Self { places: [2, 0, 1, 3] }, // x,y,t,p
        Self { places: [3, 0, 1, 2] }, // x,y,p,t
        Self { places: [0, 2, 3, 1] }, // t,p,x,y
        Self { places: [1, 2, 3, 0] }, // p,t,x,y
        Self { places: [3, 1, 2, 0] }, // p,x,y,t
    ];

    /// By the numbers in the first rows, the first usual order in which times never decrease but grow, polarities are 0, 1 or
    /// -1, and the others are coordinates. A few rows may fit an order by chance; hundreds do not.
    pub(super) fn fitting(rows: &[Vec<f64>]) -> Result<Self, &'static str> {
        match rows.first().map_or(0, Vec::len) {
            4 => {}
            0..4 => return Err("expected 4 columns: time, column, row and polarity"),
            _ => return Err("more than 4 columns without names"),
        }
        let column = |i: u8| rows.iter().map(move |row| row.get(usize::from(i)).copied().unwrap_or(f64::NAN));
        let is_time = |i| {
            let grows = match rows {
                [row] => column(i).next() == row.iter().copied().reduce(f64::max), // nothing better is known
                _ => column(i).next_back() > column(i).next(),
            };
            grows && column(i).is_sorted() && column(i).all(|t| t >= 0.0)
        };
        let is_polarity = |i| column(i).all(|p| p == 0.0 || p == 1.0 || p == -1.0);
        let is_place = |i| column(i).all(|x| (0.0..65536.0).contains(&x) && x.fract() == 0.0);
        let fits = |columns: &Self| {
            let [t, x, y, on] = columns.places;
            is_time(t) && is_polarity(on) && is_place(x) && is_place(y)
        };
        Self::USUAL.into_iter().find(fits).ok_or("no usual order of columns fits, such as t,x,y,p or x,y,t,p")
    }
}

impl FromStr for Columns {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "'{text}' is no order of columns; expected each of t, x, y and p once, such as x,y,t,p; - is another column"
            )
        };
        let mut places = [None; 4];
        for (i, name) in text.split(',').enumerate() {
            let name = name.trim();
            let letter = LETTERS.iter().position(|letter| letter.to_string() == name);
            match letter.and_then(|letter| places.get_mut(letter)) {
                Some(place @ None) if i < MOST => *place = Some(i as u8),
                None if name == "-" => {}
                _ => return Err(expected()),
            }
        }
        let [Some(t), Some(x), Some(y), Some(on)] = places else { return Err(expected()) };
        Ok(Self { places: [t, x, y, on] })
    }
}

impl Columns {
    /// The columns up to the last that is read: which of [`LETTERS`] each is, none for another column.
    pub(super) fn letters(self) -> impl Iterator<Item = Option<usize>> {
        let last = self.places.iter().max().copied().unwrap_or(0);
        (0..=last).map(move |column| self.places.iter().position(|place| *place == column))
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, letter) in self.letters().enumerate() {
            let letter = letter.and_then(|letter| LETTERS.get(letter)).unwrap_or(&'-');
            write!(f, "{}{letter}", if i > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

/// `digits` times `10^power` as a whole number, rounded; none when it is too large.
pub(super) fn scaled(digits: u64, power: i32) -> Option<u64> {
    match 10_u64.checked_pow(power.unsigned_abs()) {
        _ if digits == 0 => Some(0),
        Some(scale) if power >= 0 => digits.checked_mul(scale),
        Some(scale) => Some(digits / scale + u64::from(digits % scale >= scale.div_ceil(2))),
        None if power < 0 => Some(0),
        None => None,
    }
}

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

impl TimeUnit {
    /// Units and their names on the command line.
    pub const NAMES: [(&'static str, Self); 4] =
        [("s", Self::Seconds), ("ms", Self::Milliseconds), ("us", Self::Microseconds), ("ns", Self::Nanoseconds)];

    /// By the first times, where some may be damaged: seconds if a quarter has a fraction; nanoseconds if most of the first 16
    /// are whole numbers beyond 3,000 years in microseconds, since such count from 1970; else microseconds.
    pub(super) fn fitting(times: impl Iterator<Item = f64> + Clone) -> Self {
        let all = times.clone().count();
        if 4 * times.clone().filter(|t| t.fract() != 0.0).count() > all {
            Self::Seconds
        } else if 2 * times.take(16).filter(|t| *t > 1e17).count() > all.min(16) {
            Self::Nanoseconds
        } else {
            Self::Microseconds
        }
    }

    /// The power of ten that makes microseconds of it.
    pub(super) const fn exponent(self) -> i32 {
        match self {
            Self::Seconds => 6,
            Self::Milliseconds => 3,
            Self::Microseconds => 0,
            Self::Nanoseconds => -3,
        }
    }

    /// Microseconds of a number, rounded.
    pub(super) fn microseconds(self, t: f64) -> Option<u64> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_and_written() {
        for text in ["t,x,y,p", "x,y,p,t", "-,t,-,p,y,x"] {
            assert_eq!(text.parse::<Columns>().map(|columns| columns.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "t,x,y", "t,x,y,p,t", "t,x,y,q", "txyp"] {
            assert!(text.parse::<Columns>().is_err(), "{text}");
        }
    }

    #[test]
    fn names_tell() {
        let cases = [
            ("t,x,y,on", "t,x,y,p", None),
            ("x y polarity Timestamp", "x,y,p,t", None),
            ("id;timestamp [ns];x [px];y [px];polarity", "-,t,x,y,p", Some(TimeUnit::Nanoseconds)),
            ("\"t_us\",\"x\",\"y\",\"p\"", "t,x,y,p", Some(TimeUnit::Microseconds)),
            ("time(s),col,row,pol", "t,x,y,p", Some(TimeUnit::Seconds)),
        ];
        for (names, expected, unit) in cases {
            let split = names.split(|c| if names.contains([',', ';']) { c == ',' || c == ';' } else { c == ' ' });
            let (columns, found) = Columns::named(split).unwrap_or_else(|| panic!("{names}"));
            assert_eq!((&columns.to_string()[..], found), (expected, unit), "{names}");
        }
        assert_eq!(Columns::named(["t", "x", "y", "z"]), None);
    }

    #[test]
    fn numbers_tell() {
        let cases = [
            ("t,x,y,p", vec![[0.5, 3.0, 2.0, 0.0], [0.6, 1.0, 9.0, 1.0]]),
            ("x,y,t,p", vec![[7.0, 3.0, 20.0, -1.0], [2.0, 8.0, 20.0, 1.0], [2.0, 8.0, 21.0, 1.0]]),
            ("x,y,p,t", vec![[1.0, 0.0, 1.0, 100.0], [0.0, 1.0, 0.0, 101.0]]),
            ("t,x,y,p", vec![[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]]),
            ("t,x,y,p", vec![[700.0, 5.0, 6.0, 1.0]]),
        ];
        for (expected, rows) in cases {
            let rows: Vec<Vec<f64>> = rows.iter().map(|row| row.to_vec()).collect();
            assert_eq!(Columns::fitting(&rows).map(|columns| columns.to_string()), Ok(expected.into()), "{rows:?}");
        }
        let bad = [vec![1.0, 2.0, 3.0], vec![1.0, 2.0, 3.0, 0.0, 5.0], vec![2.0, 3.0, 4.0, 7.0], vec![]];
        for row in bad {
            assert!(Columns::fitting(std::slice::from_ref(&row)).is_err(), "{row:?}");
        }
        assert!(Columns::fitting(&[]).is_err(), "nothing");
    }
}
