//! Detects the meaning of the columns of a text or an array, the unit of its times, and its polarity values: as given, by
//! names, or by the numbers in the first rows. The rules are the same for text and arrays.

mod columns;
mod order;
mod polarity;
mod unit;

pub use columns::Columns;
pub(super) use columns::{MOST, Named, ROLES, Role};
pub(super) use polarity::{Polarity, Stray};
pub use unit::TimeUnit;
pub(super) use unit::scaled;

use super::assumption::Assumption;
use columns::unit_of_name;

/// The largest number of rows examined.
pub(super) const LOOK: usize = 1000;
/// The hint when columns are not found.
pub(super) const HINT: &str = "name the order of the columns (--columns)";

/// The front of a table.
#[derive(Default)]
pub(super) struct Table {
    /// Names of the columns, if there are any.
    pub(super) names: Option<Vec<String>>,
    /// The first rows, with a number for each column, or NaN if there is none.
    pub(super) rows: Vec<Vec<f64>>,
    /// Columns without usable numbers, and the reason.
    pub(super) others: Vec<(usize, String)>,
}

/// The columns and meanings of the numbers of an event.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) columns: Columns,
    /// The unit of the time, if it is not in parts.
    pub(super) unit: TimeUnit,
    pub(super) polarity: Polarity,
    pub(super) assumed: Vec<Assumption>,
}

impl Layout {
    /// The layout of a table; `columns` and `unit` are detected unless they are given.
    pub(super) fn find(table: &Table, columns: Option<Columns>, unit: Option<TimeUnit>) -> Result<Self, String> {
        let named = table.names.as_deref().map_or(Named::Nothing, Named::read);
        let by_name = columns.is_none() && matches!(named, Named::All(_));
        let (columns, reason) = match (columns, named) {
            (Some(columns), _) => (columns, "given".into()),
            (None, Named::All(columns)) => (columns, "by their names".into()),
            (None, Named::Some(reason)) => return Err(format!("{reason}; {HINT}")),
            (None, Named::Nothing) => order::fitting(&table.rows).map_err(|reason| format!("{reason}; {HINT}"))?,
        };
        let mut assumed = vec![Assumption::new("columns", columns.to_string(), reason)];
        table.check(columns)?;
        let parts = columns.parts();
        if by_name {
            table.check_parts(&parts)?;
        }
        let unit = match (columns.time(), unit) {
            (None, Some(_)) => {
                return Err(format!("the columns {columns} tell the units of the time; expected no other (--unit)"));
            }
            (None, None) => TimeUnit::Microseconds,
            (Some(t), unit) => {
                let named = || unit_of_name(table.names.as_ref()?.get(t)?);
                let (unit, reason) = match unit {
                    Some(unit) => (unit, "given"),
                    None => named().map_or_else(|| TimeUnit::fitting(&table.column(t)), |unit| (unit, "by the name")),
                };
                assumed.push(Assumption::new("unit", unit.name(), reason));
                unit
            }
        };
        let polarity = Polarity::of(&table.column(columns.polarity()))?;
        assumed.extend(polarity.describe().map(|(value, reason)| Assumption::new("polarity", value, reason)));
        Ok(Self { columns, unit, polarity, assumed })
    }
}

impl Columns {
    /// The column of the time, if it is not in parts.
    fn time(self) -> Option<usize> {
        self.roles().find(|(_, role)| *role == Role::Time(None)).map(|(column, _)| column)
    }

    fn polarity(self) -> usize {
        self.roles().find(|(_, role)| *role == Role::Polarity).map_or(0, |(column, _)| column)
    }

    /// The columns of parts of the time, the largest unit first.
    fn parts(self) -> Vec<(usize, TimeUnit)> {
        let part = |(column, role)| if let Role::Time(Some(unit)) = role { Some((column, unit)) } else { None };
        self.roles().filter_map(part).collect()
    }
}

impl Table {
    /// The numbers of a column.
    fn column(&self, column: usize) -> Vec<f64> {
        let numbers = self.rows.iter().filter_map(|row| row.get(column).copied());
        numbers.filter(|number| !number.is_nan()).collect()
    }

    /// The largest number of a column; 0 without rows.
    pub(super) fn largest(&self, column: usize) -> f64 {
        self.column(column).into_iter().filter(|number| number.is_finite()).fold(0.0, f64::max)
    }

    /// The name of a column in messages.
    fn name(&self, column: usize) -> String {
        match self.names.as_ref().and_then(|names| names.get(column)) {
            Some(name) => format!("column {} ('{}')", column + 1, name.trim()),
            None => format!("column {}", column + 1),
        }
    }

    /// Checks that the columns exist and hold valid values in most of the rows.
    fn check(&self, columns: Columns) -> Result<(), String> {
        let width = self.rows.first().map(Vec::len).or(self.names.as_ref().map(Vec::len));
        for (column, role) in columns.roles() {
            if let Some(width) = width.filter(|width| column >= *width) {
                return Err(format!("rows of {width} columns; expected those of {columns}"));
            }
            let name = || self.name(column);
            if let Some((_, what)) = self.others.iter().find(|(other, _)| *other == column) {
                return Err(format!("{} {what}", name()));
            }
            let (fits, expected): (fn(f64) -> bool, _) = match role {
                Role::Time(_) => (|t| t >= 0.0 && t.is_finite(), "times from 0 on"),
                Role::X | Role::Y => {
                    (|x| (0.0..65536.0).contains(&x) && x.fract() == 0.0, "whole coordinates from 0 to 65535")
                }
                Role::Polarity => (|p| !p.is_nan(), "polarities"),
            };
            let bad = |row: &&Vec<f64>| row.get(column).is_none_or(|number| !fits(*number));
            let count = self.rows.iter().filter(bad).count();
            if 2 * count > self.rows.len() {
                let first = self.rows.iter().find(bad).and_then(|row| row.get(column));
                let what = match first {
                    Some(first) if !first.is_nan() => format!("holds {first}"),
                    _ => "holds no number".into(),
                };
                return Err(format!(
                    "{} {what}, and {count} of the first {} rows have no {expected}; {HINT}",
                    name(),
                    self.rows.len()
                ));
            }
        }
        Ok(())
    }

    /// Checks that each part of the time is less than one of the next larger unit, as the names of the columns imply.
    fn check_parts(&self, parts: &[(usize, TimeUnit)]) -> Result<(), String> {
        for pair in parts.windows(2) {
            let [(_, larger), (column, smaller)] = *pair else { continue };
            let limit = 10_f64.powi(larger.exponent() - smaller.exponent());
            let numbers = self.column(column);
            let beyond = numbers.iter().filter(|number| **number >= limit);
            if 2 * beyond.clone().count() > numbers.len() {
                let first = beyond.copied().next().unwrap_or(limit);
                let (name, smaller, larger) = (self.name(column), smaller.name(), larger.name());
                return Err(format!("{name} holds {first} {smaller}, which is no part of 1 {larger}; {HINT}"));
            }
        }
        Ok(())
    }
}

/// Whether `count` is at least 99 of 100 of `all`; the rest may be damaged.
fn nearly_all(count: usize, all: usize) -> bool {
    all - count.min(all) <= all / 100
}
