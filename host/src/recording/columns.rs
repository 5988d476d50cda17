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
const LETTERS: [char; 4] = ['t', 'x', 'y', 'p'];
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

    /// By the numbers in the first rows: times never decrease and are large, polarities are 0, 1 or -1, the others are
    /// coordinates, the column before the row.
    pub(super) fn fitting(rows: &[Vec<f64>]) -> Result<Self, &'static str> {
        let count = rows.first().map_or(0, Vec::len);
        if !(4..=MOST).contains(&count) {
            return Err("expected 4 columns: time, column, row and polarity");
        }
        let column = |i: usize| rows.iter().map(move |row| row.get(i).copied().unwrap_or(f64::NAN));
        let largest = |i: usize| column(i).fold(0.0, f64::max);
        let is_time = |i: &usize| column(*i).all(|t| t >= 0.0) && column(*i).is_sorted();
        let is_polarity = |i: &usize| column(*i).all(|p| p == 0.0 || p == 1.0 || p == -1.0);
        let is_place = |i: &usize| column(*i).all(|x| (0.0..65536.0).contains(&x) && x.fract() == 0.0);
        // Of columns that would do, the usual one: time in front, polarity behind.
        let moves = |i: &usize| column(*i).last() > column(*i).next();
        let times = (0..count).filter(is_time).filter(|i| moves(i) || rows.len() == 1);
        let t = times.rev().max_by(|a, b| largest(*a).total_cmp(&largest(*b))).ok_or("no column of times in order")?;
        let on = (0..count).rev().filter(|i| *i != t).find(is_polarity).ok_or("no column of polarities 0, 1 or -1")?;
        let others: Vec<usize> = (0..count).filter(|i| *i != t && *i != on).collect();
        let [x, y] = others[..] else { return Err("more than 4 columns without names") };
        if !is_place(&x) || !is_place(&y) {
            return Err("no two columns of coordinates");
        }
        Ok(Self { places: [t, x, y, on].map(|i| i as u8) })
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

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.places.iter().max().copied().unwrap_or(0);
        for i in 0..=last {
            let letter = self.places.iter().position(|place| *place == i).and_then(|letter| LETTERS.get(letter));
            write!(f, "{}{}", if i > 0 { "," } else { "" }, letter.copied().unwrap_or('-'))?;
        }
        Ok(())
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

    /// By the first times, where a few may be damaged: seconds if a quarter has a fraction; nanoseconds if most are whole
    /// numbers beyond 3,000 years in microseconds, since such count from 1970; else microseconds.
    pub(super) fn fitting(times: impl Iterator<Item = f64> + Clone) -> Self {
        let all = times.clone().count();
        if 4 * times.clone().filter(|t| t.fract() != 0.0).count() > all {
            Self::Seconds
        } else if 2 * times.filter(|t| *t > 1e17).count() > all {
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
        let bad = [vec![1.0, 2.0, 3.0], vec![1.0, 2.0, 3.0, 0.0, 5.0], vec![1.0, 2.0, 3.0, 7.0], vec![]];
        for row in bad {
            assert!(Columns::fitting(&[row.clone()]).is_err(), "{row:?}");
        }
        assert!(Columns::fitting(&[]).is_err(), "nothing");
    }
}
