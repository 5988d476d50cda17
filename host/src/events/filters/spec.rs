//! Event filters as text, as on the command line.

use crate::names::find;
use crate::{Error, Geometry, Result, microseconds, shown};
use foveola_core::events::{
    DoubleWindow, Downsample, EventStage, HotPixels, Learning, Neighbours, PolarityOnly, RateLimit, Refractory, Region,
    Restart, RowColumn, Stcf,
};
use std::fmt;
use std::str::FromStr;

/// An event filter as text, for a sensor of any size.
///
/// A name and settings: `stcf:k=2,tau=5ms`. Settings without a name are in the order of the table: `refractory:1ms`. Omitted
/// settings have the values that the table shows.
///
/// | text | keeps |
/// |---|---|
/// | `stcf:k=2,tau=5ms,neighbours=8` | events supported by `k` of 4 or 8 neighbours within `tau` ([`Stcf`]) |
/// | `rowcol:tau=5ms` | events supported by the last event of a nearby row or column ([`RowColumn`]) |
/// | `dwf:length=36,distance=9,k=1` | events supported by `k` of twice `length` events within `distance` pixels ([`DoubleWindow`]) |
/// | `refractory:dead=1ms,restart=kept` | events `dead` or more after a pixel's last event, `kept` or `all` ([`Refractory`]) |
/// | `hot:most=100,window=1s,learn=always` | pixels with up to `most` events in every `window`, or `once` in the first ([`HotPixels`]) |
/// | `on`, `off` | one polarity ([`PolarityOnly`]) |
/// | `region:x,y,cols,rows,origin=corner` | a rectangle, which becomes the sensor; or with `origin=sensor` stays where it is ([`Region`]) |
/// | `downsample:factor=2,count=1` | cells of `factor` x `factor` pixels; every `count`-th event of a sign ([`Downsample`]) |
/// | `limit:budget=1000,window=1ms` | `budget` events per `window`, thinned evenly ([`RateLimit`]) |
///
/// ```
/// use foveola::{EventFilterSpec, Geometry};
/// let spec: EventFilterSpec = "stcf:k=3,tau=2ms".parse()?;
/// assert_eq!(spec.to_string(), "stcf:k=3,tau=2ms");
/// assert!(spec.stage(Geometry { cols: 640, rows: 480 })?.state_len() > 640 * 480);
///
/// let error = "stcf:k=9".parse::<EventFilterSpec>().unwrap_err();
/// assert_eq!(error.to_string(), "filter 'stcf:k=9': k is 9; expected 1 to the number of neighbours");
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFilterSpec {
    text: String,
    kind: Kind,
}

/// The filter and its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Stcf { k: u32, tau: u32, neighbours: Neighbours },
    RowColumn { tau: u32 },
    DoubleWindow { length: u16, distance: u16, k: u32 },
    Refractory { dead: u32, restart: Restart },
    HotPixels(Learning),
    PolarityOnly(PolarityOnly),
    Region { corner: [u16; 2], size: [u32; 2], moved: bool },
    Downsample { factor: u16, count: u32 },
    RateLimit { budget: u32, window: u32 },
}

/// A name, the names of its settings in order, and the function that builds it.
type Entry = (&'static str, &'static [&'static str], fn(&Settings<'_>) -> Result<Kind, String>);

const KINDS: [Entry; 10] = [
    ("stcf", &["k", "tau", "neighbours"], |settings| {
        Ok(Kind::Stcf {
            k: settings.number("k", 2)?,
            tau: settings.time("tau", 5_000)?,
            neighbours: settings.choice("neighbours", &[("8", Neighbours::Eight), ("4", Neighbours::Four)])?,
        })
    }),
    ("rowcol", &["tau"], |settings| Ok(Kind::RowColumn { tau: settings.time("tau", 5_000)? })),
    ("dwf", &["length", "distance", "k"], |settings| {
        Ok(Kind::DoubleWindow {
            length: settings.number("length", 36)?,
            distance: settings.number("distance", 9)?,
            k: settings.number("k", 1)?,
        })
    }),
    ("refractory", &["dead", "restart"], |settings| {
        Ok(Kind::Refractory {
            dead: settings.time("dead", 1_000)?,
            restart: settings.choice("restart", &[("kept", Restart::Kept), ("all", Restart::All)])?,
        })
    }),
    ("hot", &["most", "window", "learn"], |settings| {
        let (most, window) = (settings.number("most", 100)?, settings.time("window", 1_000_000)?);
        let learning = [("always", Learning::Always { window, most }), ("once", Learning::Once { window, most })];
        Ok(Kind::HotPixels(settings.choice("learn", &learning)?))
    }),
    ("on", &[], |_| Ok(Kind::PolarityOnly(PolarityOnly::On))),
    ("off", &[], |_| Ok(Kind::PolarityOnly(PolarityOnly::Off))),
    ("region", &["x", "y", "cols", "rows", "origin"], |settings| {
        Ok(Kind::Region {
            corner: [settings.needed("x")?, settings.needed("y")?],
            size: [settings.needed("cols")?, settings.needed("rows")?],
            moved: settings.choice("origin", &[("corner", true), ("sensor", false)])?,
        })
    }),
    ("downsample", &["factor", "count"], |settings| {
        Ok(Kind::Downsample { factor: settings.number("factor", 2)?, count: settings.number("count", 1)? })
    }),
    ("limit", &["budget", "window"], |settings| {
        Ok(Kind::RateLimit { budget: settings.number("budget", 1_000)?, window: settings.time("window", 1_000)? })
    }),
];

/// Names and values, as written.
struct Settings<'a>(Vec<(&'static str, &'a str)>);

impl<'a> Settings<'a> {
    /// Parses `text`, with settings named `keys`.
    fn new(text: Option<&'a str>, keys: &'static [&'static str]) -> Result<Self, String> {
        let named: Vec<_> = keys.iter().map(|key| (*key, *key)).collect();
        let known = |key: &str| find("setting", &named, key.trim()).map_err(|error| error.to_string());
        let mut settings = Self(Vec::new());
        for (place, item) in text.into_iter().flat_map(|text| text.split(',')).enumerate() {
            let (key, value) = match (item.split_once('='), keys.get(place)) {
                (Some((key, value)), _) => (known(key)?, value),
                (None, Some(key)) => (*key, item),
                (None, None) => (known(item)?, item),
            };
            if settings.get(key).is_some() {
                return Err(format!("{key} is there twice; expected once"));
            }
            settings.0.push((key, value.trim()));
        }
        Ok(settings)
    }

    fn get(&self, key: &str) -> Option<&'a str> {
        self.0.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }

    fn number<N: FromStr>(&self, key: &str, otherwise: N) -> Result<N, String> {
        if self.get(key).is_some() { self.needed(key) } else { Ok(otherwise) }
    }

    /// A number that must be given.
    fn needed<N: FromStr>(&self, key: &str) -> Result<N, String> {
        let value = self.get(key).unwrap_or_default();
        value.parse().map_err(|_| format!("{key} is '{value}'; expected a whole number that is not too large"))
    }

    fn time(&self, key: &str, otherwise: u32) -> Result<u32, String> {
        let Some(value) = self.get(key) else { return Ok(otherwise) };
        let us = microseconds(value).map_err(|error| error.to_string())?;
        u32::try_from(us).map_err(|_| format!("{key} is {value}; expected less than 2^32 us (71.6 minutes)"))
    }

    /// One of several names; the first by default.
    fn choice<T: Copy>(&self, key: &'static str, names: &[(&str, T)]) -> Result<T, String> {
        let first = names.first().map_or("", |(name, _)| *name);
        find(key, names, self.get(key).unwrap_or(first)).map_err(|error| error.to_string())
    }
}

impl EventFilterSpec {
    /// The filter for a sensor of this size.
    ///
    /// # Errors
    /// [`Error::Filter`] when the filter does not fit the sensor.
    pub fn stage(&self, sensor: Geometry) -> Result<EventStage<'static>> {
        self.kind.stage(sensor).map_err(|error| failed(&self.text, &error))
    }
}

/// The error for `filter`.
pub(super) fn failed(filter: &str, reason: &dyn fmt::Display) -> Error {
    Error::Filter { filter: filter.into(), reason: reason.to_string() }
}

impl Kind {
    fn stage(self, sensor: Geometry) -> Result<EventStage<'static>, foveola_core::Error> {
        Ok(match self {
            Self::Stcf { k, tau, neighbours } => Stcf::new(sensor, neighbours, k, tau)?.into(),
            Self::RowColumn { tau } => RowColumn::new(sensor, tau)?.into(),
            Self::DoubleWindow { length, distance, k } => DoubleWindow::new(length, distance, k)?.into(),
            Self::Refractory { dead, restart } => Refractory::new(sensor, dead, restart)?.into(),
            Self::HotPixels(learning) => HotPixels::new(sensor, learning)?.into(),
            Self::PolarityOnly(polarity) => polarity.into(),
            Self::Region { corner: [left, top], size: [cols, rows], moved } => {
                let region = Region::new(left, top, cols, rows)?;
                if moved { region } else { region.in_place() }.into()
            }
            Self::Downsample { factor, count } => {
                let cells = Downsample::new(sensor, factor)?;
                // Counting to 1 changes nothing.
                if count == 1 { cells } else { cells.counting(count)? }.into()
            }
            Self::RateLimit { budget, window } => RateLimit::new(budget, window)?.into(),
        })
    }
}

#[cfg(feature = "files")]
impl EventFilterSpec {
    /// The expression that makes the filter on a microcontroller, an `EventStage` for the sensor `SENSOR`, and the types of
    /// `foveola_core::events` that it names.
    pub(crate) fn source(&self) -> (String, Vec<&'static str>) {
        let (kind, other, filter) = match self.kind {
            Kind::Stcf { k, tau, neighbours } => {
                let filter = format!("constant!(Stcf::new(SENSOR, Neighbours::{neighbours:?}, {k}, {tau}))");
                ("Stcf", Some("Neighbours"), filter)
            }
            Kind::RowColumn { tau } => ("RowColumn", None, format!("constant!(RowColumn::new(SENSOR, {tau}))")),
            Kind::DoubleWindow { length, distance, k } => {
                ("DoubleWindow", None, format!("constant!(DoubleWindow::new({length}, {distance}, {k}))"))
            }
            Kind::Refractory { dead, restart } => {
                let filter = format!("constant!(Refractory::new(SENSOR, {dead}, Restart::{restart:?}))");
                ("Refractory", Some("Restart"), filter)
            }
            Kind::HotPixels(learning) => {
                let filter = format!("constant!(HotPixels::new(SENSOR, Learning::{learning:?}))");
                ("HotPixels", Some("Learning"), filter)
            }
            Kind::PolarityOnly(polarity) => ("PolarityOnly", None, format!("PolarityOnly::{polarity:?}")),
            Kind::Region { corner: [left, top], size: [cols, rows], moved } => {
                let in_place = if moved { "" } else { ".in_place()" };
                ("Region", None, format!("constant!(Region::new({left}, {top}, {cols}, {rows})){in_place}"))
            }
            Kind::Downsample { factor, count } => {
                let cells = format!("constant!(Downsample::new(SENSOR, {factor}))");
                // As in `Kind::stage`.
                let filter = if count == 1 { cells } else { format!("constant!({cells}.counting({count}))") };
                ("Downsample", None, filter)
            }
            Kind::RateLimit { budget, window } => {
                ("RateLimit", None, format!("constant!(RateLimit::new({budget}, {window}))"))
            }
        };
        (format!("EventStage::{kind}({filter})"), ["EventStage", kind].into_iter().chain(other).collect())
    }
}

impl FromStr for EventFilterSpec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if shown(text) != text {
            return Err(failed(text, &"a control character; expected one line of text"));
        }
        let (name, settings) = match text.split_once(':') {
            Some((name, settings)) => (name, Some(settings)),
            None => (text, None),
        };
        let kinds: Vec<_> = KINDS.iter().map(|kind| (kind.0, kind)).collect();
        let (_, keys, make) = find("filter", &kinds, name.trim())?;
        let kind = Settings::new(settings, keys).and_then(|settings| make(&settings));
        let spec = Self { text: text.into(), kind: kind.map_err(|error| failed(text, &error))? };
        // Out-of-range settings are out of range for any sensor size.
        spec.stage(Geometry { cols: 1, rows: 1 })?;
        Ok(spec)
    }
}

impl fmt::Display for EventFilterSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENSOR: Geometry = Geometry { cols: 20, rows: 10 };

    fn kind(text: &str) -> Kind {
        text.parse::<EventFilterSpec>().unwrap_or_else(|error| panic!("{error}")).kind
    }

    /// The table in the documentation shows the defaults.
    #[test]
    fn the_table_tells_the_defaults() {
        let mut rows = 0;
        for line in include_str!("spec.rs").lines().filter_map(|line| line.strip_prefix("/// | `")) {
            let spelling = line.split('`').next().expect("a spelling");
            let name = spelling.split(':').next().expect("a name");
            if spelling.starts_with("region") {
                assert_eq!(kind("region:1,2,3,4"), kind("region:1,2,3,4,origin=corner"));
            } else {
                assert_eq!(kind(name), kind(spelling), "{spelling}");
            }
            rows += 1;
        }
        assert_eq!(rows, KINDS.len() - 1, "'on' and 'off' share a row");
    }

    #[test]
    fn settings_come_in_order_or_by_name() {
        let two = Kind::Stcf { k: 3, tau: 250, neighbours: Neighbours::Four };
        for text in ["stcf:3,250us,4", "stcf:tau=250us, neighbours=4, k=3", " stcf :3,neighbours=4,tau = 0.25ms"] {
            assert_eq!(kind(text), two, "{text}");
        }
        assert_eq!(kind("refractory:2ms,restart=all"), Kind::Refractory { dead: 2_000, restart: Restart::All });
        assert_eq!(kind("hot:5,learn=once"), Kind::HotPixels(Learning::Once { window: 1_000_000, most: 5 }));
        assert_eq!(kind("downsample:2,count=4"), Kind::Downsample { factor: 2, count: 4 });
        assert_eq!(kind("limit:500"), Kind::RateLimit { budget: 500, window: 1_000 });
        let region = Kind::Region { corner: [8, 4], size: [16, 2], moved: false };
        assert_eq!(kind("region:8,4,16,2,sensor"), region);
    }

    #[test]
    fn every_filter_is_made_for_its_sensor() {
        for (name, ..) in KINDS {
            let text = if name == "region" { "region:1,2,3,4".into() } else { name.to_owned() };
            let stage = text.parse::<EventFilterSpec>().and_then(|spec| spec.stage(SENSOR)).expect("good");
            assert!(stage.input().is_none_or(|input| input == SENSOR), "{name}");
        }
    }

    /// Counting needs state, one byte per cell; counting to 1 does not.
    #[test]
    fn cells_count_from_two_events_on() {
        for (count, words) in [(1, 0), (2, 13), (127, 13)] {
            let spec: EventFilterSpec = format!("downsample:2,count={count}").parse().expect("good");
            assert_eq!(spec.stage(SENSOR).map(|stage| stage.state_len()).ok(), Some(words), "{count}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            (
                "cat",
                "unknown filter 'cat'; expected one of: stcf, rowcol, dwf, refractory, hot, on, off, region, downsample, limit",
            ),
            ("", "unknown filter ''; expected one of: stcf,"),
            ("stcf:tua=5ms", "filter 'stcf:tua=5ms': unknown setting 'tua'; expected one of: k, tau, neighbours"),
            ("on:1", "filter 'on:1': unknown setting '1'; expected one of: "),
            ("stcf:k=two", "k is 'two'; expected a whole number that is not too large"),
            ("stcf:k=-1", "k is '-1'; expected a whole number"),
            ("stcf:k=", "k is ''; expected a whole number"),
            ("stcf:", "k is ''; expected a whole number"),
            ("stcf:2,k=2", "k is there twice; expected once"),
            ("stcf:2,5", "'5' is no time; expected a number with us, ms or s"),
            ("stcf:5,1ms,4", "k is 5; expected 1 to the number of neighbours"),
            ("stcf:neighbours=6", "unknown neighbours '6'; expected one of: 8, 4"),
            ("stcf:tau=20min", "'20min' is no time"),
            ("stcf:tau=7200s", "tau is 7200s; expected less than 2^32 us (71.6 minutes)"),
            ("stcf:tau=1800s", "tau is 1800000000; expected 1 us or more, and less than 2^30 us"),
            ("hot:most=200", "most is 200; expected 0 to 125 events a window"),
            ("region:1,2,3", "rows is ''; expected a whole number"),
            ("region:1,2,0,3", "columns is 0; expected 1 or more"),
            ("region:70000,2,1,3", "x is '70000'; expected a whole number"),
            ("downsample:0", "factor is 0; expected 1 pixel or more"),
            ("downsample:2,count=0", "threshold is 0; expected 1 to 127 events"),
            ("limit:0", "budget is 0; expected 1 to 2^30 events a window"),
        ];
        for (text, expected) in cases {
            let error = text.parse::<EventFilterSpec>().expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
