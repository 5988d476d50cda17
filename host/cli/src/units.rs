//! Numbers with units: parsing and formatting.

use foveola::movie::Scale;
use foveola::{Camera, Columns, EventFilterSpec, Format, Geometry, MOST_PIXELS, Order, Polarity, TimeUnit};
use foveola_cli::bench::grouped;
use std::str::FromStr;

/// Parses `1ms`, `500us` or `0.02s` into microseconds, 1 or more.
pub(crate) fn microseconds(text: &str) -> Result<u64, String> {
    foveola::microseconds(text).map_err(|error| error.to_string())
}

/// The same, or 0, with or without a unit.
pub(crate) fn microseconds_or_zero(text: &str) -> Result<u64, String> {
    let number = ["us", "ms", "s"].into_iter().find_map(|unit| text.strip_suffix(unit)).unwrap_or(text);
    if number.trim().parse() == Ok(0.0) { Ok(0) } else { microseconds(text) }
}

/// Parses `20,31`: a row and a column.
pub(crate) fn pixel(text: &str) -> Result<(usize, usize), String> {
    let pixel = text.split_once(',').and_then(|(row, col)| Some((row.trim().parse().ok()?, col.trim().parse().ok()?)));
    pixel.ok_or_else(|| format!("'{text}' is no pixel; expected a row and a column, counted from 0, such as 20,31"))
}

/// Parses `unit` or `raw`.
pub(crate) fn scale(text: &str) -> Result<Scale, String> {
    match text {
        "unit" => Ok(Scale::Unit),
        "raw" => Ok(Scale::Raw),
        _ => Err(format!("'{text}' is unknown; expected unit or raw")),
    }
}

/// `key=value`.
pub(crate) fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() && !value.trim().is_empty() => {
            Ok((key.trim().into(), value.trim().into()))
        }
        _ => Err("expected a key and a value, such as centre.tau=8ms".into()),
    }
}

/// Parses `640x480`: columns and rows, 1 to 65536 each, with at most the largest number of pixels in a frame.
pub(crate) fn geometry(text: &str) -> Result<Geometry, String> {
    let expected = || format!("'{text}' is no size; expected columns and rows from 1 to 65536, such as 640x480");
    let (cols, rows) = text.split_once(['x', 'X']).ok_or_else(expected)?;
    let side = |text: &str| text.trim().parse().ok().filter(|side| (1..=65536).contains(side)).ok_or_else(expected);
    let geometry = Geometry { cols: side(cols)?, rows: side(rows)? };
    if geometry.cols.saturating_mul(geometry.rows) > MOST_PIXELS {
        return Err(format!("'{text}' has more than {} pixels", thousands(MOST_PIXELS as u64)));
    }
    Ok(geometry)
}

/// Parses `signed` or `split`.
pub(crate) fn polarity(text: &str) -> Result<Polarity, String> {
    text.parse().map_err(|_| format!("'{text}' is unknown; expected signed or split"))
}

/// An integer of 1 or more.
pub(crate) fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| format!("'{text}' is no whole number from 1 on"))
}

/// An integer of 0 or more.
pub(crate) fn whole<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("'{text}' is no whole number from 0 on"))
}

/// A number of seconds above 0, at most an hour.
pub(crate) fn duration(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0.0 && *seconds <= 3600.0);
    seconds.ok_or_else(|| format!("'{text}' is no number of seconds above 0, up to 3600"))
}

/// A number of threads, 0 or more, with an upper limit.
pub(crate) fn threads(text: &str) -> Result<usize, String> {
    let threads = text.parse().ok().filter(|threads| *threads <= 1024);
    threads.ok_or_else(|| format!("'{text}' is no whole number from 0 to 1024"))
}

/// A number of 0 or more.
pub(crate) fn number(text: &str) -> Result<f32, String> {
    let number = text.parse().ok().filter(|number: &f32| *number >= 0.0 && number.is_finite());
    number.ok_or_else(|| format!("'{text}' is no number from 0 on"))
}

/// A number.
pub(crate) fn finite(text: &str) -> Result<f32, String> {
    let number = text.parse().ok().filter(|number: &f32| number.is_finite());
    number.ok_or_else(|| format!("'{text}' is no number; expected one of 3.4e38 or less in magnitude, such as -0.5"))
}

/// A number above 0.
pub(crate) fn above_zero(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| *number > 0.0 && number.is_finite());
    number.ok_or_else(|| format!("'{text}' is no number above 0"))
}

/// A number from 1 on.
pub(crate) fn headroom(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| (1.0..=32768.0).contains(number));
    number.ok_or_else(|| format!("'{text}' is no number from 1 to 32768"))
}

/// The name of a format.
pub(crate) fn format(text: &str) -> Result<Format, String> {
    text.parse().map_err(|error: foveola::Error| error.to_string())
}

/// The name of a camera.
pub(crate) fn camera(text: &str) -> Result<Camera, String> {
    let names: Vec<_> = Camera::KNOWN.iter().map(|(name, _)| *name).collect();
    let known = Camera::KNOWN.into_iter().find(|(name, _)| *name == text).map(|(_, camera)| camera);
    known.ok_or_else(|| format!("unknown camera '{text}'; expected one of: {}", names.join(", ")))
}

/// An order of columns.
pub(crate) fn columns(text: &str) -> Result<Columns, String> {
    text.parse()
}

/// A unit of time.
pub(crate) fn time_unit(text: &str) -> Result<TimeUnit, String> {
    text.parse().map_err(|error: foveola::Error| error.to_string())
}

/// An order of bytes.
pub(crate) fn order(text: &str) -> Result<Order, String> {
    match text {
        "little" => Ok(Order::Little),
        "legacy" => Ok(Order::Legacy),
        _ => Err(format!("'{text}' is unknown; expected little or legacy")),
    }
}

/// An event filter.
pub(crate) fn filter(text: &str) -> Result<EventFilterSpec, String> {
    text.parse().map_err(|error: foveola::Error| error.to_string())
}

/// `1 frame`, `2,000 frames`.
pub(crate) fn plural(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(n), if n == 1 { "" } else { "s" })
}

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(n: u64) -> String {
    grouped(&n.to_string())
}

/// Seconds with a suitable unit.
pub(crate) fn seconds(s: f64) -> String {
    match s {
        s if s < 1e-3 => format!("{:.0} us", s * 1e6),
        s if s < 1.0 => format!("{:.3} ms", s * 1e3).replace(".000", ""),
        s if s < 600.0 => format!("{s:.2} s"),
        s => format!("{:.1} min", s / 60.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(geometry("640x480"), Ok(Geometry { cols: 640, rows: 480 }));
        for text in ["640", "0x480", "640x", "ax b", "70000x1", "65536x65536"] {
            assert!(geometry(text).is_err(), "{text} is no size");
        }
    }

    #[test]
    fn times_from_zero() {
        for text in ["0", "0s", "0us", "0.0 ms", "-0s"] {
            assert_eq!(microseconds_or_zero(text), Ok(0), "{text}");
        }
        assert_eq!(microseconds_or_zero("2ms"), Ok(2_000));
        for text in ["", "s", "1", "0h", "-1ms", "0ss"] {
            assert!(microseconds_or_zero(text).is_err(), "{text}");
        }
        assert!(microseconds("0s").is_err(), "no length of a frame");
    }

    #[test]
    fn pixels() {
        assert_eq!(pixel("20, 31"), Ok((20, 31)));
        for text in ["20", "20,", "-1,3", "1,2,3", "a,b", "1.5,2"] {
            assert!(pixel(text).is_err(), "{text} is no pixel");
        }
    }

    #[test]
    fn numbers() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0, 1, 2_000].map(|n| plural(n, "frame")), ["0 frames", "1 frame", "2,000 frames"]);
        assert_eq!(
            [2.5e-5, 0.0015, 0.02, 3.0, 1200.0].map(seconds),
            ["25 us", "1.500 ms", "20 ms", "3.00 s", "20.0 min"]
        );
    }
}
