//! The gain of a linear stage for gratings: the curves, and the grating with the largest gain in words.

use foveola::{Best, Resolution, Response, Spectrum};
use ndarray::Axis;
use serde_json::{Value, json};

/// The gain of one channel of a linear stage.
pub(super) struct Gain {
    pub(super) name: String,
    spectrum: Spectrum,
    pub(super) best: Best,
    /// Whether it is one for gratings, not for a pixel alone.
    pub(super) gratings: bool,
}

impl Gain {
    /// The gains of the channels of a stage, `most` at most, without those that do not respond.
    pub(super) fn of(stage: &Response, amplitude: f32, most: usize) -> Vec<Self> {
        if stage.every > 1 {
            // The response to a flash in one frame does not tell that to a flicker.
            return Vec::new();
        }
        let channels = stage.bright.len_of(Axis(0));
        let gain = |channel: usize| {
            let spectrum = stage.spectrum(channel, amplitude);
            let name = if channels > 1 { format!("{} {channel}", stage.name) } else { stage.name.clone() };
            let best = if stage.shifts { spectrum.best() } else { best_flicker(&spectrum) };
            best.map(|best| Self { name, best, gratings: stage.shifts, spectrum })
        };
        (0..channels.min(most)).filter_map(gain).collect()
    }

    /// Frequencies in Hz and gains, for the grating that is best in space.
    pub(super) fn over_time(&self, resolution: &Resolution) -> Vec<(f64, f64)> {
        let times = self.spectrum.times();
        let gains = self.spectrum.gains(self.best.axis, self.best.space, &times);
        times.iter().map(|f| f * resolution.steps_per_second).zip(gains).collect()
    }

    /// Cycles per pixel and gains, for the best frequency in time and direction of motion.
    pub(super) fn over_space(&self) -> Vec<(f64, f64)> {
        let Best { axis, space, time, .. } = self.best;
        let towards = if space < 0.0 { -1.0 } else { 1.0 };
        let spaces = self.spectrum.spaces(axis);
        spaces.iter().map(|space| (*space, self.spectrum.at(axis, towards * space, time))).collect()
    }

    /// The name, the largest gain, and the grating that has it.
    pub(super) fn in_words(&self, resolution: &Resolution) -> String {
        format!("{}: largest gain {} {}", self.name, short(self.best.gain), self.grating(resolution))
    }

    fn grating(&self, resolution: &Resolution) -> String {
        let Best { axis, space, time, gain } = self.best;
        let hertz = short(time * resolution.steps_per_second);
        if space == 0.0 {
            let light = if self.gratings { "uniform light" } else { "a pixel" };
            return if time == 0.0 { format!("for constant {light}") } else { format!("for {light} at {hertz} Hz") };
        }
        let both = self.spectrum.at(axis, -space, time) > 0.99 * gain;
        let towards = match (axis, space > 0.0) {
            (1, _) if both => "right or left",
            (1, true) => "to the right",
            (1, false) => "to the left",
            (_, _) if both => "down or up",
            (_, true) => "down",
            (_, false) => "up",
        };
        let motion = if time == 0.0 {
            format!("a still grating along {}", if axis == 1 { "columns" } else { "rows" })
        } else {
            format!("a grating that drifts {towards} at {hertz} Hz")
        };
        let cycles = space.abs();
        format!(
            "for {motion}, {} cycles/px ({} cycles/degree)",
            short(cycles),
            short(cycles * resolution.pixel_per_degree)
        )
    }

    pub(super) fn as_json(&self, resolution: &Resolution) -> Value {
        let (hertz, over_time): (Vec<_>, Vec<_>) = self.over_time(resolution).into_iter().unzip();
        let over_space = self.gratings.then(|| self.over_space().into_iter().unzip::<_, _, Vec<_>, Vec<_>>());
        json!({
            "stage": self.name,
            "best": {
                "gain": self.best.gain,
                "hertz": self.best.time * resolution.steps_per_second,
                "cycles_per_pixel": self.best.space,
                "varies_along": if self.best.axis == 1 { "columns" } else { "rows" },
            },
            "over_time": { "hertz": hertz, "gain": over_time },
            "over_space": over_space.map(|(cycles, gain)| json!({ "cycles_per_pixel": cycles, "gain": gain })),
        })
    }
}

/// The frequency in time with the largest gain for one pixel.
fn best_flicker(spectrum: &Spectrum) -> Option<Best> {
    let times = spectrum.times();
    let gains = spectrum.gains(1, 0.0, &times);
    let best = times.iter().zip(gains).reduce(|a, b| if b.1 > a.1 * (1.0 + 1e-6) { b } else { a });
    best.filter(|(_, gain)| *gain > 0.0).map(|(time, gain)| Best { axis: 1, space: 0.0, time: *time, gain })
}

/// A number with three significant digits.
pub(super) fn short(value: f64) -> String {
    match value.abs() {
        size if size != 0.0 && !(1e-3..1e6).contains(&size) => format!("{value:.2e}"),
        size => format!("{value:.*}", (2 - size.max(1e-3).log10().floor() as i32).max(0) as usize),
    }
}
