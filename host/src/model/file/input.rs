//! `[input]`: the frames that a model reads.

use super::error::Problem;
use super::keys::Default::{Else, Is};
use super::keys::Type::{Choice, OrAny, Positive, PowerOfTwo, Quantity, Text, Values, Whole};
use super::keys::{Arguments, Key, Scope, first, key};
use super::readers::{choice, list, number, power_of_two, seconds, text, whole};
use super::units::Dimension;
use super::value::{Item, Table, Value, find};
use crate::{Error, EventFilterSpec, MOST_PIXELS, Polarity, Resolution};

/// The frames that a model reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Rows of a frame; none for any number.
    pub rows: Option<usize>,
    /// Columns of a frame; none for any number.
    pub cols: Option<usize>,
    /// Channels of a frame; none for any number.
    pub channels: Option<usize>,
    /// How events become frames; none if the file does not say.
    pub polarity: Option<Polarity>,
    /// Duration of a frame in seconds.
    pub dt: f64,
    /// Pixels per degree of visual angle.
    pub pixels_per_degree: f64,
    /// The value below which a kernel is cut off.
    pub filter_epsilon: f64,
    /// Filters of the events before they become frames.
    pub events: Vec<EventFilterSpec>,
    /// For samples of 16 bits: what a sample of 1 stands for.
    pub full_scale: f64,
    /// As it was given.
    pub(super) table: Table,
}

/// The keys of `[input]`.
pub(super) const INPUT: [Key; 9] = [
    key("rows", OrAny(&Whole(1)), Is("\"any\""), "rows of a frame"),
    key("cols", OrAny(&Whole(1)), Is("\"any\""), "columns of a frame"),
    key("channels", Whole(1), Else("those of polarity, or any number"), "channels of a frame"),
    key(
        "polarity",
        Choice(&first(Polarity::NAMES)),
        Else("that of the caller"),
        "ON and OFF events: two channels, or +1 and -1",
    ),
    key("dt", Quantity(Dimension::Duration), Is("\"1ms\""), "duration of a frame"),
    key("pixels_per_degree", Positive, Is("10"), "pixels per degree of visual angle"),
    key("filter_epsilon", Positive, Is("0.001"), "the value below which a kernel without a size is cut off"),
    key("events", Values(&Text), Else("none"), "event filters, as on the command line: \"stcf:k=2,tau=5ms\""),
    key("full_scale", PowerOfTwo, Is("128"), "for samples of 16 bits: the power of two that a sample of 1 stands for"),
];

/// Frames per second of frames of `dt` seconds: `1 / dt`, or the number of 15 digits, if there is one, whose inverse is `dt`.
/// Frame rates of up to 15 digits, such as 49 or 29.97, are so the same after they were written as a duration.
pub(super) fn frame_rate(dt: f64) -> f64 {
    let rate = 1.0 / dt;
    let short = format!("{rate:.14e}").parse().unwrap_or(rate);
    if 1.0 / short == dt { short } else { rate }
}

impl Input {
    /// Duration of a frame of events in microseconds, the unit of their times.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a duration that is not whole.
    pub fn microseconds(&self) -> crate::Result<u64> {
        let exact = self.dt * 1e6;
        let whole = exact.round();
        if !(1.0..1e15).contains(&whole) || (exact - whole).abs() > 1e-6 * exact {
            let (item, name, value) = ("the model file", "input.dt", format!("{exact} us"));
            return Err(Error::Parameter { item, name, value, expected: "whole microseconds, 1 or more" });
        }
        Ok(whole as u64)
    }

    /// Frames per second and pixels per degree.
    pub fn resolution(&self) -> Resolution {
        Resolution {
            steps_per_second: frame_rate(self.dt),
            pixel_per_degree: self.pixels_per_degree,
            filter_epsilon: self.filter_epsilon,
        }
    }

    pub(super) fn read(section: Option<(&Table, Option<usize>)>, scope: Scope<'_>) -> Result<Self, Problem> {
        let none = Table::new();
        let (table, at) = section.unwrap_or((&none, None));
        let args = Arguments { keys: &[&INPUT], table, scope, at };
        args.check()?;
        let any = |scope: &Scope<'_>, item: &Item| match item.value {
            Value::Text(_) => Ok(None),
            _ => whole(scope, item).map(Some),
        };
        let (rows, cols) = (args.get("rows", any)?, args.get("cols", any)?);
        let pixels = rows.unwrap_or(1).saturating_mul(cols.unwrap_or(1));
        if pixels > MOST_PIXELS {
            return Err(Problem::new(at, format!("frames of {pixels} pixels"), format!("{MOST_PIXELS} at most")));
        }
        let polarity = args.optional("polarity", choice(&Polarity::NAMES))?;
        let channels = match (args.optional("channels", whole)?, polarity) {
            (stated, Some(polarity)) => {
                let channels = if matches!(polarity, Polarity::Split) { 2 } else { 1 };
                if stated.is_some_and(|stated| stated != channels) {
                    let found = match stated {
                        Some(1) => format!("1 channel with the polarity {polarity}"),
                        _ => format!("{} channels with the polarity {polarity}", stated.unwrap_or_default()),
                    };
                    return Err(
                        Problem::new(at, found, format!("{channels}, or one of the two keys")).in_key("channels")
                    );
                }
                Some(channels)
            }
            (stated, None) => stated,
        };
        let dt = args.get("dt", seconds)?;
        if !(dt > 0.0 && (1.0 / dt).is_finite()) {
            return Err(Problem::new(find(table, "dt").and_then(|item| item.at), format!("{dt} s"), "a time above 0")
                .in_key("dt"));
        }
        let filter = |scope: &Scope<'_>, item: &Item| {
            let spec = text(scope, item)?.parse::<EventFilterSpec>();
            spec.map_err(|error| Problem::new(item.at, error.to_string(), ""))
        };
        let events = args.optional("events", list(filter))?.unwrap_or_default();
        let pixels_per_degree = args.get("pixels_per_degree", number)?;
        let filter_epsilon = args.get("filter_epsilon", number)?;
        let full_scale = args.get("full_scale", power_of_two)?;
        let table = table.clone();
        Ok(Self { rows, cols, channels, polarity, dt, pixels_per_degree, filter_epsilon, events, full_scale, table })
    }
}
