//! The meaning of the columns of a table: given, or by the names of the columns.

use super::unit::TimeUnit;
use std::fmt;
use std::str::FromStr;

/// The order of the columns of a text or an array.
///
/// On the command line and in [`str::parse`] it is a comma-separated list of these:
///
/// | column | content |
/// |---|---|
/// | `t` | the time, in the unit of the options or a detected one |
/// | `s`, `ms`, `us`, `ns` | a part of the time, in this unit; the time is the sum of the parts; not together with `t` |
/// | `x`, `y` | column and row of the pixel |
/// | `p` | the polarity |
/// | `-` | another column, which is ignored |
///
/// ```
/// use foveola::Columns;
/// let columns: Columns = "x,y,-,t,p".parse()?;
/// assert_eq!(columns.to_string(), "x,y,-,t,p");
/// assert!("p,s,ms,us,x,y".parse::<Columns>().is_ok()); // seconds, milliseconds and microseconds
/// assert!("t,x,y".parse::<Columns>().is_err()); // no polarity
/// assert!("t,ns,x,y,p".parse::<Columns>().is_err()); // a time, and a part of it
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Columns {
    /// The column of each of [`ROLES`], or [`NONE`].
    places: [u8; ROLES.len()],
}

/// The meaning of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Role {
    /// The time, or a part of it in this unit.
    Time(Option<TimeUnit>),
    X,
    Y,
    Polarity,
}

/// The meanings of columns, and their symbols in a column order.
pub(in super::super) const ROLES: [(&str, Role); 8] = [
    ("t", Role::Time(None)),
    ("s", Role::Time(Some(TimeUnit::Seconds))),
    ("ms", Role::Time(Some(TimeUnit::Milliseconds))),
    ("us", Role::Time(Some(TimeUnit::Microseconds))),
    ("ns", Role::Time(Some(TimeUnit::Nanoseconds))),
    ("x", Role::X),
    ("y", Role::Y),
    ("p", Role::Polarity),
];
const NONE: u8 = u8::MAX;
/// The largest number of columns in a table.
pub(in super::super) const MOST: usize = 32;

/// The names of columns in files; parts of a time are named like units.
const NAMES: [(Role, &[&str]); 4] = [
    (Role::Time(None), &["t", "ts", "time", "timestamp", "timestamps", "times"]),
    (Role::X, &["x", "xs", "col", "column", "x_pos"]),
    (Role::Y, &["y", "ys", "row", "y_pos"]),
    (Role::Polarity, &["p", "pol", "polarity", "polarities", "on", "ps"]),
];

impl Columns {
    /// Time, column, row, polarity.
    pub const TXYP: Self = Self::of([0, 1, 2, 3]);

    /// The order with these columns for time, column, row and polarity.
    pub(super) const fn of([t, x, y, p]: [u8; 4]) -> Self {
        Self { places: [t, NONE, NONE, NONE, NONE, x, y, p] }
    }

    /// The columns that belong to an event, and their meanings.
    pub(in super::super) fn roles(self) -> impl Iterator<Item = (usize, Role)> {
        let places = self.places.into_iter().zip(ROLES);
        places.filter(|(place, _)| *place != NONE).map(|(place, (_, role))| (place.into(), role))
    }

    /// The columns up to the last one that is read: the index of each in [`ROLES`], none for another column.
    pub(in super::super) fn indices(self) -> impl Iterator<Item = Option<usize>> {
        let width = self.roles().map(|(place, _)| place + 1).max().unwrap_or(0);
        (0..width).map(move |column| self.places.iter().position(|place| usize::from(*place) == column))
    }

    /// The columns with these roles; the first missing role in words.
    fn complete(places: [u8; ROLES.len()]) -> Result<Self, &'static str> {
        let columns = Self { places };
        let has = |of: fn(Role) -> bool| columns.roles().any(|(_, role)| of(role));
        match () {
            () if !has(|role| matches!(role, Role::Time(_))) => Err("time (t)"),
            () if !has(|role| role == Role::X) => Err("column (x)"),
            () if !has(|role| role == Role::Y) => Err("row (y)"),
            () if !has(|role| role == Role::Polarity) => Err("polarity (p)"),
            () => Ok(columns),
        }
    }
}

/// The meaning of the names of columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Named {
    /// All columns were identified.
    All(Columns),
    /// Some columns are missing or occur twice; the problem in words.
    Some(String),
    /// No column was identified.
    Nothing,
}

impl Named {
    /// Identifies columns by their names. A name that only begins with a known word, such as `timestamp [us]`, is used if no
    /// name is such a word as a whole.
    pub(in super::super) fn read<S: AsRef<str>>(names: &[S]) -> Self {
        let names: Vec<Name> = names.iter().take(MOST).map(|name| Name::read(name.as_ref())).collect();
        let mut places = [NONE; ROLES.len()];
        let mut place = |role: Role, column: usize| {
            let index = ROLES.iter().position(|(_, other)| *other == role);
            if let Some(place) = index.and_then(|index| places.get_mut(index)) {
                *place = column as u8; // less than MOST
            }
        };
        let mut kinds = 0;
        for (role, _) in NAMES {
            let mut found = columns(&names, |name| name.whole == Some(role));
            if found.is_empty() {
                found = columns(&names, |name| name.begins == Some(role));
            }
            if role == Role::Time(None) {
                found.extend(columns(&names, |name| name.part.is_some()));
            }
            let units: Vec<_> = found.iter().filter_map(|column| names.get(*column)?.unit()).collect();
            let different = units.iter().enumerate().all(|(i, unit)| units.iter().take(i).all(|other| other != unit));
            match &found[..] {
                [] => continue,
                [column] if names.get(*column).is_some_and(|name| name.part.is_none()) => place(role, *column),
                // Parts of a time, each with a different unit.
                _ if units.len() == found.len() && different => {
                    found.iter().zip(units).for_each(|(column, unit)| place(Role::Time(Some(unit)), *column));
                }
                _ => {
                    let twice: Vec<_> = found.iter().filter_map(|column| Some(names.get(*column)?.text)).collect();
                    return Self::Some(format!("columns named {}, which mean the same", twice.join(" and ")));
                }
            }
            kinds += 1;
        }
        match Columns::complete(places) {
            Ok(columns) => Self::All(columns),
            // A single word may be a coincidence.
            Err(_) if kinds < 2 => Self::Nothing,
            Err(missing) => {
                let names: Vec<_> = names.iter().map(|name| name.text).collect();
                Self::Some(format!("columns named {} without {missing}", names.join(", ")))
            }
        }
    }
}

/// The columns whose names satisfy `such`.
fn columns(names: &[Name], such: impl Fn(&Name) -> bool) -> Vec<usize> {
    names.iter().enumerate().filter(|(_, name)| such(name)).map(|(column, _)| column).collect()
}

/// The name of a column.
struct Name<'a> {
    text: &'a str,
    /// The role of the name, and that of its first word.
    whole: Option<Role>,
    begins: Option<Role>,
    /// The unit, if the whole name is one.
    part: Option<TimeUnit>,
    /// The unit in a later word.
    word: Option<TimeUnit>,
}

impl<'a> Name<'a> {
    fn read(text: &'a str) -> Self {
        let text = text.trim();
        // `header.stamp.secs`, `timestamp [us]`, `t_us`, `time(s)`
        let name = text.rsplit('.').next().unwrap_or(text).to_lowercase();
        let mut words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let role = |name: &str| NAMES.iter().find(|(_, names)| names.contains(&name)).map(|(role, _)| *role);
        let first = words.next().unwrap_or_default();
        Self {
            text,
            whole: role(&name),
            begins: role(first),
            part: TimeUnit::of_word(&name),
            word: words.find_map(TimeUnit::of_word),
        }
    }

    fn unit(&self) -> Option<TimeUnit> {
        self.word.or(self.part)
    }
}

/// The unit in the name of a column.
pub(super) fn unit_of_name(name: &str) -> Option<TimeUnit> {
    Name::read(name).unit()
}

impl FromStr for Columns {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "'{text}' is no order of columns; expected each of t, x, y and p once, such as x,y,t,p, with - for another \
                 column; or for t the parts of the time, as in s,ns,x,y,p, of s, ms, us and ns"
            )
        };
        let mut places = [NONE; ROLES.len()];
        for (i, name) in text.split(',').enumerate() {
            let name = name.trim();
            let index = ROLES.iter().position(|(letter, _)| *letter == name);
            match index.and_then(|index| places.get_mut(index)) {
                Some(place) if *place == NONE && i < MOST => *place = i as u8,
                None if name == "-" => {}
                _ => return Err(expected()),
            }
        }
        let columns = Self::complete(places).map_err(|_| expected())?;
        let times: Vec<_> = columns.roles().filter(|(_, role)| matches!(role, Role::Time(_))).collect();
        let whole = times.iter().any(|(_, role)| *role == Role::Time(None));
        if whole && times.len() > 1 { Err(expected()) } else { Ok(columns) }
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, index) in self.indices().enumerate() {
            let letter = index.and_then(|index| ROLES.get(index)).map_or("-", |(letter, _)| letter);
            write!(f, "{}{letter}", if i > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_and_written() {
        for text in ["t,x,y,p", "x,y,p,t", "-,t,-,p,y,x", "p,s,ms,us,x,y", "s,ns,x,y,p", "x,y,p,us"] {
            assert_eq!(text.parse::<Columns>().map(|columns| columns.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "t,x,y", "t,x,y,p,t", "t,x,y,q", "txyp", "t,ns,x,y,p", "s,s,x,y,p", "x,y,p", "T,x,y,p"] {
            assert!(text.parse::<Columns>().is_err(), "{text}");
        }
    }

    #[test]
    fn names_tell() {
        let cases = [
            ("t,x,y,on", "t,x,y,p"),
            (",t,x,y,p", "-,t,x,y,p"),
            ("polarity,x,y,Timestamp", "p,x,y,t"),
            ("id,timestamp [ns],x [px],y [px],polarity", "-,t,x,y,p"),
            ("time(s),col,row,pol", "t,x,y,p"),
            ("secs,nsecs,x,y,polarity", "s,ns,x,y,p"),
            ("x,y,ts.secs,ts.nsecs,polarity", "x,y,s,ns,p"),
            ("time_s,time_us,x,y,p", "s,us,x,y,p"),
            ("t_s,nsecs,x,y,p", "s,ns,x,y,p"),
            ("microseconds,x,y,p", "us,x,y,p"),
            // Whole names before those that only begin like one.
            ("x_undistorted,y_undistorted,t,x,y,p", "-,-,t,x,y,p"),
            ("timestamp,time_of_day,x,y,p", "t,-,x,y,p"),
        ];
        for (names, expected) in cases {
            let names: Vec<_> = names.split(',').collect();
            let Named::All(columns) = Named::read(&names) else { panic!("{names:?}") };
            assert_eq!(columns.to_string(), expected, "{names:?}");
        }
        for names in [&["t", "a", "b", "c"][..], &[], &["3", "4"], &["the", "events"]] {
            assert_eq!(Named::read(names), Named::Nothing, "{names:?}");
        }
        for (names, words) in [
            (&["t", "x", "y", "z"][..], "named t, x, y, z without polarity"),
            (&["x", "y", "p"], "without time (t)"),
            (&["t", "time", "x", "y", "p"], "named t and time, which mean the same"),
            (&["t", "x", "x", "y", "p"], "named x and x, which mean the same"),
            (&["t", "nsecs", "x", "y", "p"], "named t and nsecs, which mean the same"),
            (&["t_us", "time_us", "x", "y", "p"], "named t_us and time_us, which mean the same"),
            (&["t", "x", "y", "pol", "on"], "named pol and on, which mean the same"),
        ] {
            let Named::Some(reason) = Named::read(names) else { panic!("{names:?}") };
            assert!(reason.contains(words), "{reason}");
        }
    }

    #[test]
    fn names_tell_units() {
        use TimeUnit::{Microseconds, Milliseconds, Nanoseconds, Seconds};
        let cases = [
            ("timestamp [ns]", Some(Nanoseconds)),
            ("t_us", Some(Microseconds)),
            ("Time (\u{b5}s)", Some(Microseconds)),
            ("time(s)", Some(Seconds)),
            ("timestamp_msec", Some(Milliseconds)),
            ("microseconds", Some(Microseconds)),
            ("t", None),
            ("timestamps", None),
        ];
        for (name, expected) in cases {
            assert_eq!(unit_of_name(name), expected, "{name}");
        }
    }
}
