//! Round numbers on axes, and the formatting of numbers and times.

/// The smallest number of two significant digits that is not below `value` (above 0) by more than rounding.
pub(super) fn round_up(value: f64) -> f64 {
    let exponent = value.log10().floor() as i32 - 1;
    let digits = (value / 10_f64.powi(exponent) - 1e-4).ceil();
    // Dividing by a power of ten is exact to the last digit, multiplying by its inverse is not.
    if exponent < 0 { digits / 10_f64.powi(-exponent) } else { digits * 10_f64.powi(exponent) }
}

/// Positions of ticks on an axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ticks {
    /// Positions, a multiple of `step` each.
    pub(super) at: Vec<f64>,
    /// 1, 2 or 5 times a power of ten.
    step: f64,
}

impl Ticks {
    /// About `count` ticks from `low` to `high`.
    pub(super) fn new(low: f64, high: f64, count: usize) -> Self {
        let rough = (high - low) / count.max(1) as f64;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|&s| s >= rough * 0.999);
        let step = step.unwrap_or(rough);
        let first = (low / step - 1e-6).ceil();
        let last = (high / step + 1e-6).floor();
        let steps = if (last - first).is_finite() { (last - first).clamp(0.0, 100.0) as usize } else { 0 };
        Self { at: (0..=steps).map(|index| (first + index as f64) * step).collect(), step }
    }

    /// The label of a tick, with as many decimals as all ticks need.
    pub(super) fn label(&self, value: f64) -> String {
        let largest = self.at.iter().fold(0.0_f64, |largest, tick| largest.max(tick.abs()));
        let decimals = (-self.step.log10() + 1e-9).floor().max(-1.0) as i32 + 1;
        let decimals = (decimals - i32::from((self.step.log10().round() - self.step.log10()).abs() < 1e-9)).max(0);
        if largest >= 1e5 || decimals > 4 {
            return number(value);
        }
        minus(format!("{:.*}", decimals as usize, if value == 0.0 { 0.0 } else { value }))
    }
}

/// A number with at most three significant digits.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    let text = if size == 0.0 {
        "0".to_owned()
    } else if !(1e-3..1e5).contains(&size) {
        let text = format!("{value:.2e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        format!("{}e{exponent}", trimmed(digits))
    } else {
        let decimals = (2 - size.log10().floor() as i32).max(0) as usize;
        trimmed(&format!("{value:.decimals$}")).to_owned()
    };
    minus(text)
}

/// Removes zeros after the decimal point.
fn trimmed(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// Uses the typographic minus sign.
fn minus(text: String) -> String {
    text.replace('-', "\u{2212}")
}

/// The unit for a span of time in seconds: its name, and the number of units per second.
pub(super) fn time_unit(span: f64) -> (&'static str, f64) {
    match span {
        _ if span >= 2.0 => ("s", 1.0),
        _ if span >= 2e-3 => ("ms", 1e3),
        _ if span > 0.0 => ("\u{b5}s", 1e6),
        _ => ("s", 1.0),
    }
}

/// The format of the times in one picture: one unit, and enough decimals to distinguish them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TimeFormat {
    unit: &'static str,
    per_second: f64,
    decimals: usize,
}

impl TimeFormat {
    /// The format for `times` in seconds that are at least `step` apart: each is written to a twentieth of the step.
    pub(super) fn new(times: &[f64], step: f64) -> Self {
        let end = times.iter().fold(0.0_f64, |end, time| end.max(time.abs()));
        let (unit, per_second) = time_unit(end);
        let tolerance = 0.05 * per_second * if step > 0.0 && step.is_finite() { step } else { end };
        let precise = |decimals: &usize| {
            let power = 10_f64.powi(*decimals as i32);
            times.iter().map(|time| time * per_second).all(|v| ((v * power).round() / power - v).abs() <= tolerance)
        };
        Self { unit, per_second, decimals: (0..6).find(precise).unwrap_or(6) }
    }

    /// A time in seconds.
    pub(super) fn write(self, seconds: f64) -> String {
        let value = seconds * self.per_second;
        minus(format!("{:.*} {}", self.decimals, if value == 0.0 { 0.0 } else { value }, self.unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_digits_upwards() {
        for (value, rounded) in [
            (0.0347, 0.035),
            (1.0, 1.0),
            (0.2, 0.2),
            (f64::from(0.3_f32), 0.3),
            (7.0, 7.0),
            (1234.0, 1300.0),
            (1e-30, 1e-30),
        ] {
            assert_eq!(round_up(value), rounded, "{value}");
        }
    }

    #[test]
    fn ticks_are_round() {
        for (low, high, count, labels) in [
            (0.0, 1.0, 5, "0.0 0.2 0.4 0.6 0.8 1.0"),
            (-3.0, 3.0, 6, "−3 −2 −1 0 1 2 3"),
            (0.0, 2000.0, 4, "0 500 1000 1500 2000"),
            (0.0, 0.03, 3, "0.00 0.01 0.02 0.03"),
            (0.1, 0.104, 4, "0.100 0.101 0.102 0.103 0.104"),
            (0.0, 4e-7, 2, "0 2e−7 4e−7"),
            (0.0, 4e7, 2, "0 2e7 4e7"),
        ] {
            let ticks = Ticks::new(low, high, count);
            let found: Vec<String> = ticks.at.iter().map(|&tick| ticks.label(tick)).collect();
            assert_eq!(found.join(" "), labels, "{low}..{high}");
        }
        for (low, high) in [(0.0, 0.0), (f64::NAN, 1.0), (0.0, f64::INFINITY), (1.0, 0.0)] {
            assert!(Ticks::new(low, high, 5).at.len() <= 101, "bounded for {low}..{high}");
        }
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (0.035, "0.035"),
            (-2.0, "−2"),
            (1234.0, "1234"),
            (0.12345, "0.123"),
            (1.5e-7, "1.5e−7"),
            (-3.4e38, "−3.4e38"),
        ] {
            assert_eq!(number(value), text, "{value}");
        }
    }

    #[test]
    fn times_share_a_unit() {
        for (times, step, last) in [
            (&[0.5, 1.5, 2.5][..], 1.0, "2.5 s"),
            (&[0.0, 1.0, 2.0], 1.0, "2 s"),
            (&[0.16, 0.48, 1.8], 0.32, "1800 ms"),
            (&[0.02504, 0.12508], 0.1, "125 ms"),
            (&[1e-4, 2e-4], 1e-4, "200 \u{b5}s"),
            (&[0.0], f64::INFINITY, "0 s"),
            (&[1.0 / 3.0], f64::INFINITY, "333 ms"),
            (&[-1.5], f64::NAN, "\u{2212}1500 ms"),
        ] {
            let format = TimeFormat::new(times, step);
            assert_eq!(format.write(times[times.len() - 1]), last, "{times:?}");
        }
    }
}
