//! The picture of one response: in time, in space, in both, and the gains of linear stages.

use super::axes::{Axes, crop};
use super::gain::{Gain, short};
use foveola::picture::{Curve, CurvePanel, ImagePanel, PlotPanel};
use foveola::{Flash, Peak, Resolution, Response};
use ndarray::{Array2, Axis, s};
use serde_json::{Value, json};
use std::ops::Range;

/// A response and the linear stages in front of it.
pub(super) struct Page {
    pub(super) response: Response,
    /// The largest sample; none without a response.
    peak: Option<Peak>,
    /// Rows and columns that are drawn: around the flash, as far as there is 0.5 % of the peak.
    window: [Range<usize>; 2],
    gains: Vec<Gain>,
    flash: Flash,
    resolution: Resolution,
}

/// What follows the name of a layer that is also the name of an output, but of another layer.
pub(super) const A_LAYER: &str = " (layer)";
/// The most channels that are drawn.
const MOST: usize = 8;
/// Rows of a picture: columns, height in pixels, and what is in it.
type Rows = Vec<(usize, usize, Vec<PlotPanel>)>;

impl Page {
    pub(super) fn new(response: Response, stages: Vec<Response>, flash: Flash, resolution: Resolution) -> Self {
        let gains = stages.iter().flat_map(|stage| Gain::of(stage, flash.amplitude, MOST));
        let gains = gains.collect();
        let peak = response.peak();
        Self { peak, window: crop(&response, peak), gains, response, flash, resolution }
    }

    /// The name of the output or layer, with the channel of the input if it has several.
    pub(super) fn what(&self) -> String {
        match self.flash.frame.channels {
            1 => self.response.name.clone(),
            _ => format!("{} to channel {}", self.response.name, self.flash.channel),
        }
    }

    /// Its file, without an ending. What follows the name is behind a dot, which no name has: no two files have one name.
    pub(super) fn stem(&self) -> String {
        format!("response-{}", self.what().replace(A_LAYER, ".layer").replace(" to channel ", ".channel-"))
    }

    pub(super) fn title(&self) -> String {
        format!("Response of {} to a flash of one pixel", self.what())
    }

    pub(super) fn notes(&self) -> Vec<String> {
        let Flash { frame, amplitude, background, .. } = &self.flash;
        let [row, col] = self.flash.pixel;
        let (rows, cols, dt) = (frame.rows, frame.cols, self.ms(1.0));
        let mut notes = vec![format!(
            "A flash of {amplitude} on {background} for one frame of {dt} ms, at row {row}, column {col} of {rows} x {cols} pixels."
        )];
        notes.extend(self.caveats());
        notes
    }

    /// What the reader has to know about the curves.
    fn caveats(&self) -> Vec<String> {
        let Response { name, linear, decayed, .. } = &self.response;
        let mut notes = Vec::new();
        if self.peak.is_none() {
            notes.push(format!(
                "{name} does not respond to this flash: its field is elsewhere (--pixel), it has a threshold (--flash), or it \
                 needs a pattern or motion."
            ));
        }
        if !linear && !self.gains.is_empty() {
            notes.push(format!(
                "{name} is not linear: it has no impulse response. The gains are those of the linear stages in front of it."
            ));
        }
        if !decayed {
            notes.push(format!(
                "The response has not decayed after {} ms; a longer --duration would show more.",
                self.ms((self.response.bright.len_of(Axis(1)) * self.response.every) as f64)
            ));
        }
        if self.reaches_the_border() {
            notes.push("The response reaches the border of the frame; a larger --size would show all of it.".into());
        }
        if self.response.every > 1 {
            notes.push(
                "Behind a stride in time the response depends on the frame of the flash: no gain is drawn.".into(),
            );
        }
        if self.gains.iter().any(|gain| !gain.gratings) {
            notes
                .push("Gains over time are those for one flickering pixel: the response does not move with it.".into());
        }
        notes
    }

    /// Whether 1 % of the peak or more lies in the outermost pixels.
    fn reaches_the_border(&self) -> bool {
        let (_, _, rows, cols) = self.response.bright.dim();
        let Some(peak) = self.peak.filter(|_| self.response.shifts && rows > 2 && cols > 2) else {
            return false;
        };
        let edges = [(Axis(2), 0), (Axis(2), rows - 1), (Axis(3), 0), (Axis(3), cols - 1)];
        edges.into_iter().any(|(axis, at)| {
            let both = [&self.response.bright, &self.response.dark].map(|samples| samples.index_axis(axis, at));
            both.iter().flat_map(|edge| edge.iter()).any(|y| y.abs() >= 0.01 * peak.value.abs())
        })
    }

    /// Milliseconds of frames of the input.
    fn ms(&self, frames: f64) -> f64 {
        // To a microsecond: 1 ms is 1.
        (frames * 1e6 / self.resolution.steps_per_second).round() * 1e-3
    }

    fn time(&self, index: usize) -> f64 {
        self.ms((self.response.first + index * self.response.every) as f64)
    }

    pub(super) fn rows(&self) -> Rows {
        let peak = self.peak.unwrap_or_else(|| {
            let (_, _, rows, cols) = self.response.bright.dim();
            Peak { index: [0, 0, rows / 2, cols / 2], value: 0.0 }
        });
        let (_, _, height, width) = self.response.bright.dim();
        let responds = peak.value != 0.0;
        let in_space = height * width > 1 && responds;
        let mut rows: Rows = Vec::new();
        let mut first = Vec::new();
        if responds || self.gains.is_empty() {
            first.push(self.course(peak).into());
        }
        if in_space {
            first.push(self.profile(peak).into());
            first.push(self.in_space_and_time(peak).into());
        }
        let mut second: Vec<PlotPanel> = self.temporal_gain().into_iter().map(PlotPanel::from).collect();
        second.extend(self.spatial_gain().map(PlotPanel::from));
        if in_space {
            second.push(self.in_space(peak, String::new()).into());
        }
        for panels in [first, second] {
            if !panels.is_empty() {
                rows.push((if in_space { 3 } else { 2 }, 460, panels));
            }
        }
        let channels = self.response.bright.len_of(Axis(0));
        if channels > 1 && in_space {
            let peaks = (0..channels.min(MOST)).filter_map(|channel| self.response.peak_of(channel));
            let panels: Vec<PlotPanel> =
                peaks.map(|peak| self.in_space(peak, format!("Channel {}, ", peak.index[0])).into()).collect();
            rows.extend(panels.chunks(4).map(|panels| (4, 440, panels.to_vec())));
        }
        rows
    }

    /// The samples whose peak is the larger one, and their name.
    fn side(&self, [channel, time, row, col]: [usize; 4]) -> (&ndarray::Array4<f32>, &'static str) {
        let at = (channel, time, row, col);
        let bright = self.response.linear || self.response.bright[at].abs() >= self.response.dark[at].abs();
        if bright { (&self.response.bright, "bright") } else { (&self.response.dark, "dark") }
    }

    /// Over time, at the pixel with the peak of each channel.
    fn course(&self, peak: Peak) -> CurvePanel {
        let channels = self.response.bright.len_of(Axis(0));
        let flashes: &[_] = if self.response.linear {
            &[(&self.response.bright, "")]
        } else {
            &[(&self.response.bright, "bright flash"), (&self.response.dark, "dark flash")]
        };
        let end = (self.settled() + 1).min(self.response.bright.len_of(Axis(1)));
        let mut curves = Vec::new();
        for channel in 0..channels.min(MOST) {
            let [.., row, col] = self.response.peak_of(channel).unwrap_or(peak).index;
            for (samples, flash) in flashes {
                let points = (0..end).map(|t| (self.time(t), f64::from(samples[(channel, t, row, col)])));
                let channel = if channels > 1 { format!("channel {channel} ") } else { String::new() };
                let curve = Curve::new(format!("{channel}{flash}").trim_end(), points.collect::<Vec<_>>());
                curves.push(if end <= 40 { curve.dots() } else { curve });
            }
        }
        let title = match channels {
            1 => format!("In time, at {}", self.place(peak)),
            _ => "In time, where each channel peaks".into(),
        };
        CurvePanel::new(title, "time after the flash [ms]", "response", merged(curves))
    }

    /// The frames up to the last one with 0.5 % of the peak, at least 8.
    fn settled(&self) -> usize {
        let most = self.peak.map_or(0.0, |peak| 0.005 * peak.value.abs());
        let frames = self.response.bright.axis_iter(Axis(1)).zip(self.response.dark.axis_iter(Axis(1)));
        let last = frames.enumerate().filter(|(_, (bright, dark))| bright.iter().chain(dark).any(|y| y.abs() > most));
        last.last().map_or(0, |(last, _)| last + 2).max(8).min(self.response.bright.len_of(Axis(1)))
    }

    /// A pixel of the response, relative to the flash.
    fn place(&self, peak: Peak) -> String {
        let [_, _, row, col] = peak.index;
        let axes = self.axes();
        let (row, col) = (axes.at(0, row), axes.at(1, col));
        if !self.response.shifts {
            "the pixel of the largest response".into()
        } else if (row, col) == (0.0, 0.0) {
            "the pixel of the flash".into()
        } else {
            format!("row {row:+}, column {col:+} px")
        }
    }

    fn axes(&self) -> Axes<'_> {
        Axes { response: &self.response, degrees: 1.0 / self.resolution.pixel_per_degree }
    }

    /// Over space in the frame of the peak.
    fn profile(&self, peak: Peak) -> CurvePanel {
        let [channel, time, row, col] = peak.index;
        let (samples, flash) = self.side(peak.index);
        let [rows, cols] = self.window.clone();
        let axes = self.axes();
        let along = |axis: usize, range: Range<usize>, name: &str| {
            let value = |i: usize| samples[if axis == 1 { (channel, time, row, i) } else { (channel, time, i, col) }];
            Curve::new(name, range.map(|i| (axes.at(axis, i), f64::from(value(i)))).collect::<Vec<_>>()).dots()
        };
        let curves = [along(1, cols, "along columns"), along(0, rows, "along rows")];
        let title = format!("In space, {} ms after a {flash} flash", self.time(time));
        CurvePanel::new(title, "distance from the flash [px]", "response", merged(curves))
            .second("[degrees]", axes.degrees)
    }

    fn in_space(&self, peak: Peak, name: String) -> ImagePanel {
        let [channel, time, ..] = peak.index;
        let (samples, flash) = self.side(peak.index);
        let [rows, cols] = self.window.clone();
        let values = samples.slice(s![channel, time, rows.clone(), cols.clone()]).to_owned();
        let title = match name.as_str() {
            "" => format!("In space, {} ms after a {flash} flash", self.time(time)),
            name => format!("{name}{} ms, {flash}", self.time(time)),
        };
        let axes = self.axes();
        let panel = ImagePanel {
            square: true,
            columns: axes.steps(1, &cols),
            rows: axes.steps(0, &rows),
            ..ImagePanel::new(title, "column [px]", "row [px]", values)
        };
        ImagePanel { second: Some(("[degrees]".into(), axes.degrees)), ..panel }
    }

    fn in_space_and_time(&self, peak: Peak) -> ImagePanel {
        let [channel, _, row, col] = peak.index;
        let (samples, flash) = self.side(peak.index);
        let window = self.window.clone();
        // The axis along which the best grating varies.
        let axis = self.gains.first().map_or(1, |gain| gain.best.axis);
        let (end, range) = (self.settled(), window[axis].clone());
        let values: Array2<f32> = if axis == 1 {
            samples.slice(s![channel, ..end, row, range.clone()]).to_owned()
        } else {
            samples.slice(s![channel, ..end, range.clone(), col]).to_owned()
        };
        let axes = self.axes();
        let title = format!("In space and time, {flash} flash");
        let x = if axis == 1 { "column [px]" } else { "row [px]" };
        ImagePanel {
            columns: axes.steps(axis, &range),
            rows: (self.time(0), self.time(1) - self.time(0)),
            second: Some(("[degrees]".into(), axes.degrees)),
            ..ImagePanel::new(title, x, "time after the flash [ms]", values)
        }
    }

    fn temporal_gain(&self) -> Option<CurvePanel> {
        let curve = |gain: &Gain| {
            let points = gain.over_time(&self.resolution);
            // Without 0, which a logarithmic axis does not have.
            Curve::new(self.name_of(gain), points.into_iter().skip(1).collect::<Vec<_>>())
        };
        let curves: Vec<Curve> = self.gains.iter().take(MOST).map(curve).collect();
        if curves.is_empty() {
            return None;
        }
        let y = if self.gains.iter().all(|gain| gain.gratings) { "gain for the best grating" } else { "gain" };
        Some(
            from_zero(CurvePanel::new("Gain over temporal frequency", "frequency [Hz]", y, merged(curves)))
                .logarithmic(),
        )
    }

    fn spatial_gain(&self) -> Option<CurvePanel> {
        let gains = self.gains.iter().filter(|gain| gain.gratings).take(MOST);
        let curves: Vec<Curve> = gains.map(|gain| Curve::new(self.name_of(gain), gain.over_space())).collect();
        if curves.is_empty() {
            return None;
        }
        let panel = CurvePanel::new(
            "Gain over spatial frequency",
            "spatial frequency [cycles/px]",
            "gain at the best temporal frequency",
            merged(curves),
        );
        Some(from_zero(panel).second("[cycles/degree]", self.resolution.pixel_per_degree))
    }

    /// The name of a curve of gains; none where there is one that says the same as the title.
    fn name_of(&self, gain: &Gain) -> String {
        if self.gains.len() == 1 && gain.name == self.response.name { String::new() } else { gain.name.clone() }
    }

    /// Lines about the response.
    pub(super) fn report(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(peak) = self.peak {
            let (samples, flash) = self.side(peak.index);
            let [channel, time, row, col] = peak.index;
            let size = if self.response.linear { String::new() } else { format!(" after a {flash} flash") };
            lines.push(format!(
                "peak {} at {} ms{size}, at {}",
                short(peak.value.into()),
                self.time(time),
                self.place(peak)
            ));
            if let Some(delay) = self.response.delay() {
                lines.push(format!("delay {} ms: mean time of the response", short(self.ms(delay))));
            }
            let course = samples.slice(s![channel, .., row, col]);
            let back = course.iter().fold(0.0_f32, |back, y| back.max(-y * peak.value.signum())) / peak.value.abs();
            if back >= 0.005 {
                lines.push(format!("biphasic index {back:.2}: largest response of the other sign over the peak"));
            }
        }
        lines.extend(self.caveats());
        for gain in &self.gains {
            lines.push(gain.in_words(&self.resolution));
        }
        lines
    }

    pub(super) fn as_json(&self) -> Value {
        let peak = self.peak;
        let course = peak.map(|peak| {
            let [channel, _, row, col] = peak.index;
            let at = |samples: &ndarray::Array4<f32>| samples.slice(s![channel, .., row, col]).to_vec();
            let frames = 0..self.response.bright.len_of(Axis(1));
            json!({
                "ms": frames.map(|t| self.time(t)).collect::<Vec<_>>(),
                "bright": at(&self.response.bright),
                "dark": at(&self.response.dark),
            })
        });
        let gains = self.gains.iter().map(|gain| gain.as_json(&self.resolution));
        json!({
            "name": self.response.name,
            "channel": self.flash.channel,
            "linear": self.response.linear,
            "decayed": self.response.decayed,
            "delay_ms": self.response.delay().map(|frames| self.ms(frames)),
            "peak": peak.map(|peak| json!({ "value": peak.value, "index": peak.index })),
            "course": course,
            "gains": gains.collect::<Vec<_>>(),
        })
    }
}

/// Curves that cover each other as one with all of their names.
fn merged(curves: impl IntoIterator<Item = Curve>) -> Vec<Curve> {
    let mut merged: Vec<Curve> = Vec::new();
    for curve in curves {
        let most = curve.points.iter().fold(0.0_f64, |most, (_, y)| most.max(y.abs()));
        let covers = |known: &&mut Curve| {
            let pairs = known.points.iter().zip(&curve.points);
            known.points.len() == curve.points.len()
                && pairs.into_iter().all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() <= 2e-3 * most)
        };
        match merged.iter_mut().find(covers) {
            Some(known) => known.name = format!("{}, {}", known.name, curve.name),
            None => merged.push(curve),
        }
    }
    merged
}

/// A panel of gains: its axis begins at 0.
fn from_zero(panel: CurvePanel) -> CurvePanel {
    let points = panel.curves.iter().flat_map(|curve| &curve.points);
    let most = points.fold(0.0_f64, |most, (_, gain)| most.max(*gain));
    if most > 0.0 { panel.range(0.0, 1.06 * most) } else { panel }
}
