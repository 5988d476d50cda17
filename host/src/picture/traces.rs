//! A plot of values over time: stacked charts, with one line per series.

use super::canvas::Canvas;
use super::color::{GRID, INK, MUTED, NOT_FINITE, OKABE_ITO, Rgb};
use super::no_picture;
use super::text::{Align, Type, Weight};
use super::ticks::{Ticks, time_unit};
use crate::Error;
use crate::error::in_range;
use std::path::Path;

/// A named series of evenly spaced values.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The name in the legend.
    pub name: String,
    /// Time of the first value in seconds.
    pub start: f64,
    /// Seconds from one value to the next, above 0.
    pub dt: f64,
    /// The values, in any unit; values that are not finite leave gaps.
    pub values: Vec<f32>,
}

impl Series {
    /// A series that starts at time 0.
    pub fn new(name: impl Into<String>, dt: f64, values: impl Into<Vec<f32>>) -> Self {
        Self { name: name.into(), start: 0.0, dt, values: values.into() }
    }

    /// Time of a value.
    fn time(&self, index: usize) -> f64 {
        self.start + index as f64 * self.dt
    }
}

/// A pair of axes with one or more series.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The meaning of the values, with their unit; none by default.
    pub label: Option<String>,
    /// The lines.
    pub series: Vec<Series>,
    /// Height of the axes relative to those of other charts, above 0. Default 1.
    pub share: f32,
}

impl Chart {
    /// A chart of some series.
    pub fn new(series: impl Into<Vec<Series>>) -> Self {
        Self { label: None, series: series.into(), share: 1.0 }
    }

    /// Sets the meaning of the values, with their unit.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Sets the height of the axes relative to those of other charts.
    #[must_use]
    pub fn share(mut self, share: f32) -> Self {
        self.share = share;
        self
    }
}

/// The layout of the plot of [`traces`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plot {
    /// Headline; none by default.
    pub title: Option<String>,
    /// Width in pixels, 400 to 10000. Default 1800.
    pub width: usize,
    /// Height in pixels, 300 to 10000. Default 900.
    pub height: usize,
}

impl Default for Plot {
    fn default() -> Self {
        Self { title: None, width: 1800, height: 900 }
    }
}

const TITLE: Type = Type::new(Weight::Bold, 34.0);
const NAME: Type = Type::new(Weight::Regular, 25.0);
const NUMBER: Type = Type::new(Weight::Regular, 22.0);

const MARGIN: f32 = 44.0;
/// Space between two charts.
const GAP: f32 = 26.0;
/// Height of a line of the legend.
const LINE: f32 = 40.0;
/// Length of a sample of a line in the legend.
const SWATCH: f32 = 40.0;
pub(super) const THICK: f32 = 3.0;

/// The position of the axes on the page, and their ranges.
struct Axes {
    left: f32,
    right: f32,
    top: f32,
    bottom: f32,
    time: (f64, f64),
    value: (f64, f64),
}

impl Axes {
    fn x(&self, time: f64) -> f32 {
        let share = (time - self.time.0) / (self.time.1 - self.time.0);
        self.left + (self.right - self.left) * share as f32
    }

    fn y(&self, value: f64) -> f32 {
        let share = (value - self.value.0) / (self.value.1 - self.value.0);
        self.bottom - (self.bottom - self.top) * share as f32
    }
}

/// Writes a PNG with the values of each series over time. The charts are stacked and share one time axis.
///
/// If there are more values than pixels, the line shows the smallest and the largest value of each column, so no peak is
/// lost. Values that are not finite leave a gap and a green mark on the time axis. From the ninth series on, the colours
/// repeat with dashed lines.
///
/// ```
/// use foveola::picture::{Chart, Plot, Series, traces};
///
/// let wave = |phase: f32| (0..500).map(|t| (t as f32 / 40.0 + phase).sin()).collect::<Vec<_>>();
/// let stimulus = Chart::new([Series::new("light", 1e-3, wave(1.0))]).share(0.5).label("luminance");
/// let response = Chart::new([Series::new("on", 1e-3, wave(0.0)), Series::new("off", 1e-3, wave(2.0))]);
/// let path = std::env::temp_dir().join(format!("foveola-doc-traces-{}.png", std::process::id()));
/// traces(&path, &[stimulus, response], &Plot::default())?;
/// # std::fs::remove_file(path).expect("written above");
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// [`Error::Picture`] where no series has a value; [`Error::Parameter`] where `dt`, `start`, `share`, `width` or `height` is
/// invalid (then nothing is written); [`Error::Io`] where the file cannot be written.
pub fn traces(path: impl AsRef<Path>, charts: &[Chart], plot: &Plot) -> Result<(), Error> {
    let path = path.as_ref();
    const ITEM: &str = "traces";
    in_range(ITEM, "width", plot.width, (400..=10_000).contains(&plot.width), "400 to 10000 pixels")?;
    in_range(ITEM, "height", plot.height, (300..=10_000).contains(&plot.height), "300 to 10000 pixels")?;
    for chart in charts {
        in_range(ITEM, "share", chart.share, chart.share.is_finite() && chart.share > 0.0, "a finite number above 0")?;
    }
    for one in charts.iter().flat_map(|chart| &chart.series) {
        in_range(ITEM, "dt", one.dt, one.dt.is_finite() && one.dt > 0.0, "a finite number of seconds above 0")?;
        in_range(ITEM, "start", one.start, one.start.is_finite(), "a finite number of seconds")?;
        let end = one.time(one.values.len());
        in_range(ITEM, "dt", one.dt, end.is_finite(), "steps that end at a finite number of seconds")?;
    }
    if charts.iter().flat_map(|chart| &chart.series).all(|one| one.values.is_empty()) {
        return Err(no_picture(path, "no series has a value"));
    }

    let mut page = Canvas::new(path, plot.width, plot.height)?;
    let (width, height) = (plot.width as f32, plot.height as f32);
    let mut top = MARGIN;
    if let Some(title) = &plot.title {
        let line = TITLE.fit(title, width - 2.0 * MARGIN);
        page.text((MARGIN, top + 26.0), TITLE, Align::Left, INK, &line);
        top += 62.0;
    }
    let bottom = height - MARGIN - 62.0;
    let mut first = 0;
    let heads: Vec<Legend> = charts
        .iter()
        .map(|chart| {
            let legend = Legend::new(chart, first, width);
            first += chart.series.len();
            legend
        })
        .collect();
    let heads_height: f32 = heads.iter().map(|legend| legend.height).sum();
    let between = GAP * (charts.len() - 1) as f32;
    let free = (bottom - top - heads_height - between).max(60.0 * charts.len() as f32);
    let shares: f32 = charts.iter().map(|chart| chart.share).sum();

    let time = times(charts);
    let values: Vec<(f64, f64)> = charts.iter().map(|chart| values(&chart.series)).collect();
    let ticks = charts.iter().zip(&values).map(|(chart, (low, high))| {
        let room = free * chart.share / shares;
        Ticks::new(*low, *high, (room / 85.0) as usize + 1)
    });
    let ticks: Vec<Ticks> = ticks.collect();
    let numbers = ticks.iter().flat_map(|ticks| ticks.at.iter().map(|&tick| NUMBER.width(&ticks.label(tick))));
    let (left, right) = (MARGIN + numbers.fold(0.0, f32::max) + 18.0, width - MARGIN);
    let mut first = 0;
    for (index, (chart, legend)) in charts.iter().zip(&heads).enumerate() {
        legend.draw(&mut page, chart, top);
        top += legend.height;
        let bottom = top + free * chart.share / shares;
        let axes = Axes { left, right, top, bottom, time, value: values[index] };
        draw_values(&mut page, &axes, &ticks[index]);
        draw_times(&mut page, &axes, index + 1 == charts.len());
        for (one, index) in chart.series.iter().zip(first..) {
            draw_series(&mut page, &axes, one, look(index));
        }
        first += chart.series.len();
        top = bottom + GAP;
    }
    page.save(path)
}

/// Colour and dash of a series.
pub(super) fn look(index: usize) -> (Rgb, bool) {
    (OKABE_ITO[index % OKABE_ITO.len()], index / OKABE_ITO.len() % 2 == 1)
}

/// The time range of the axes, which is never empty.
fn times(charts: &[Chart]) -> (f64, f64) {
    let full = charts.iter().flat_map(|chart| &chart.series).filter(|one| !one.values.is_empty());
    let start = full.clone().map(|one| one.start).fold(f64::INFINITY, f64::min);
    let end = full.clone().map(|one| one.time(one.values.len() - 1)).fold(f64::NEG_INFINITY, f64::max);
    let dt = full.map(|one| one.dt).fold(f64::INFINITY, f64::min);
    (start, if end > start { end } else { start + dt.max(start.abs() * 1e-9) })
}

/// The value range of the axes, which is never empty.
fn values(series: &[Series]) -> (f64, f64) {
    let finite = series.iter().flat_map(|one| &one.values).filter(|value| value.is_finite());
    let low = finite.clone().fold(f32::INFINITY, |low, &value| low.min(value));
    let high = finite.fold(f32::NEG_INFINITY, |high, &value| high.max(value));
    if low > high {
        return (0.0, 1.0);
    }
    let (low, high) = (f64::from(low), f64::from(high));
    let room = if high > low { 0.06 * (high - low) } else { (0.5 * high.abs()).max(1e-6) };
    (if low == 0.0 { 0.0 } else { low - room }, high + room)
}

/// Names and colours of the series in a chart, in as many lines as needed, and the meaning of the values.
struct Legend {
    /// The horizontal position of each name, its line, and the name, truncated to the available space.
    names: Vec<(f32, usize, String)>,
    /// Number of the first series.
    first: usize,
    /// The position of the value label: its right end, and its line.
    label: (f32, usize),
    height: f32,
}

impl Legend {
    fn new(chart: &Chart, first: usize, width: f32) -> Self {
        let (mut x, mut line) = (MARGIN, 0);
        let mut names = Vec::new();
        for one in &chart.series {
            let name = NAME.fit(&one.name, width - 2.0 * MARGIN - SWATCH - 14.0);
            let needed = SWATCH + 14.0 + NAME.width(&name);
            if x > MARGIN && x + needed > width - MARGIN {
                (x, line) = (MARGIN, line + 1);
            }
            names.push((x, line, name));
            x += needed + 44.0;
        }
        let label = chart.label.as_deref().map_or(0.0, |label| NUMBER.width(label));
        if label > 0.0 && x > MARGIN && x + label > width - MARGIN {
            line += 1;
        }
        Self { names, first, label: (width - MARGIN, line), height: LINE * (line + 1) as f32 + 6.0 }
    }

    fn draw(&self, page: &mut Canvas, chart: &Chart, top: f32) {
        for ((x, line, name), index) in self.names.iter().zip(self.first..) {
            let (color, dash) = look(index);
            let y = top + LINE * *line as f32;
            draw_run(page, &[(*x, y + 12.0), (x + SWATCH, y + 12.0)], color, dash);
            page.text((x + SWATCH + 14.0, y + 20.0), NAME, Align::Left, INK, name);
        }
        if let Some(label) = &chart.label {
            let (right, line) = self.label;
            let y = top + LINE * line as f32 + 20.0;
            page.text((right, y), NUMBER, Align::Right, MUTED, &NUMBER.fit(label, right - MARGIN));
        }
    }
}

/// Grid lines and numbers of the values.
fn draw_values(page: &mut Canvas, axes: &Axes, ticks: &Ticks) {
    let (left, right) = (axes.left as usize, axes.right as usize);
    for &tick in &ticks.at {
        let y = axes.y(tick).round();
        page.area((left, y as usize), (right - left, if tick == 0.0 { 2 } else { 1 }), GRID);
        page.text((axes.left - 14.0, y + 8.0), NUMBER, Align::Right, MUTED, &ticks.label(tick));
    }
}

/// The time axis; with its numbers below the last chart.
fn draw_times(page: &mut Canvas, axes: &Axes, last: bool) {
    let (unit, per_second) = time_unit(axes.time.0.abs().max(axes.time.1.abs()));
    let count = ((axes.right - axes.left) / 170.0) as usize;
    let ticks = Ticks::new(axes.time.0 * per_second, axes.time.1 * per_second, count);
    for &tick in &ticks.at {
        let x = axes.x(tick / per_second).round();
        if last {
            page.area((x as usize, axes.bottom as usize), (2, 10), MUTED);
            page.text((x, axes.bottom + 36.0), NUMBER, Align::Middle, MUTED, &ticks.label(tick));
        } else {
            page.area((x as usize, axes.bottom as usize), (2, 6), MUTED);
        }
    }
    let (left, right) = (axes.left as usize, axes.right as usize);
    page.area((left, axes.bottom as usize), (right - left + 2, 2), MUTED);
    if last {
        let line = format!("time [{unit}]");
        page.text((axes.right, axes.bottom + 72.0), NUMBER, Align::Right, MUTED, &line);
    }
}

/// The line of a series, and marks where a value is not finite.
fn draw_series(page: &mut Canvas, axes: &Axes, one: &Series, (color, dash): (Rgb, bool)) {
    for run in runs(one, axes) {
        match run[..] {
            [point] => page.line(&[point], 3.0 * THICK, color),
            _ => draw_run(page, &run, color, dash),
        }
    }
    for (index, _) in one.values.iter().enumerate().filter(|(_, value)| !value.is_finite()) {
        let x = axes.x(one.time(index));
        page.area((x as usize, axes.bottom as usize - 10), (2, 10), NOT_FINITE);
    }
}

/// The lines of a series: unbroken runs of finite values, at most a few points per column of the page.
fn runs(series: &Series, axes: &Axes) -> Vec<Vec<(f32, f32)>> {
    let mut runs = vec![Vec::new()];
    // First, lowest, highest and last value of the current column of pixels.
    let mut column: Option<(i32, f32, [f32; 4])> = None;
    let flush = |column: &mut Option<(i32, f32, [f32; 4])>, run: &mut Vec<(f32, f32)>| {
        if let Some((_, x, [first, low, high, last])) = column.take() {
            run.push((x, first));
            if low != high {
                run.extend([(x, low), (x, high), (x, last)]);
            }
        }
    };
    for (index, &value) in series.values.iter().enumerate() {
        let run = runs.last_mut();
        let Some(run) = run else { break };
        if !value.is_finite() {
            flush(&mut column, run);
            if !run.is_empty() {
                runs.push(Vec::new());
            }
            continue;
        }
        let (x, y) = (axes.x(series.time(index)), axes.y(f64::from(value)));
        match &mut column {
            Some((at, _, [_, low, high, last])) if *at == x as i32 => {
                (*low, *high, *last) = (low.min(y), high.max(y), y);
            }
            _ => {
                flush(&mut column, run);
                column = Some((x as i32, x, [y; 4]));
            }
        }
    }
    if let Some(run) = runs.last_mut() {
        flush(&mut column, run);
    }
    runs.retain(|run| !run.is_empty());
    runs
}

/// A line through `points`, dashed or not.
pub(super) fn draw_run(page: &mut Canvas, points: &[(f32, f32)], color: Rgb, dash: bool) {
    if !dash {
        return page.line(points, THICK, color);
    }
    const DASH: f32 = 11.0;
    let mut walked = 0.0_f32;
    for pair in points.windows(2) {
        let ((ax, ay), (bx, by)) = (pair[0], pair[1]);
        let length = (bx - ax).hypot(by - ay);
        let mut from = 0.0;
        while from < length {
            let left = DASH - walked % DASH;
            let to = (from + left.max(0.5)).min(length);
            if ((walked / DASH) as u64).is_multiple_of(2) {
                let at = |way: f32| (ax + (bx - ax) * way / length, ay + (by - ay) * way / length);
                page.line(&[at(from), at(to)], THICK, color);
            }
            walked += to - from;
            from = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::stages::tests::Scratch;

    #[test]
    fn every_shape_of_input_becomes_a_picture() {
        let wave: Vec<f32> = (0..20_000).map(|t| (t as f32 / 900.0).sin()).collect();
        let many: Vec<Series> = (0..20).map(|i| Series::new(format!("series {i}"), 1.0, [i as f32; 9])).collect();
        let one = |series: Series| vec![Chart::new([series])];
        for (case, charts) in [
            ("one value", one(Series::new("a", 1e-3, [3.0]))),
            ("late", one(Series { start: 1e12, ..Series::new("a", 1e-9, [3.0, 4.0]) })),
            (
                "one empty",
                vec![Chart::new([Series::new("a", 1e-3, [])]), Chart::new([Series::new("b", 1e-3, [1.0, 2.0])])],
            ),
            ("no series", vec![Chart::new([]), Chart::new([Series::new("b", 1e-3, [1.0, 2.0])])]),
            ("constant", one(Series::new("a", 1e-3, [0.0; 50]))),
            ("extreme", one(Series::new("a", 1e-3, [f32::MIN, f32::MAX, 0.0, f32::MIN_POSITIVE]))),
            ("long", one(Series::new("a", 1e-3, wave))),
            ("not finite", one(Series::new("a", 1e-3, [1.0, f32::NAN, 2.0, f32::INFINITY]))),
            ("nothing finite", one(Series::new("a", 1e-3, [f32::NAN; 5]))),
            ("many", vec![Chart::new(many.clone()).share(0.1), Chart::new(many)]),
        ] {
            for (width, height) in [(1800, 800), (400, 300)] {
                let file = Scratch::new("png");
                let text = "text ".repeat(100);
                let plot = Plot { title: Some(text.clone()), width, height };
                let charts: Vec<Chart> = charts.iter().map(|chart| chart.clone().label(&text)).collect();
                traces(file.path(), &charts, &plot).expect(case);
                let (found_width, found_height, pixels) = file.png();
                assert_eq!((found_width, found_height), (width, height), "{case}");
                let broken = pixels.chunks(3).any(|pixel| pixel == NOT_FINITE);
                assert_eq!(broken, case.ends_with("finite"), "{case} in the colour of what is not finite");
            }
        }
    }

    /// Two charts share one time axis: simultaneous values are aligned vertically.
    #[test]
    fn time_ends_with_the_last_value() {
        let three = |start| Series { start, ..Series::new("a", 0.25, [1.0, 2.0, 3.0]) };
        assert_eq!(times(&[Chart::new([three(1.0)])]), (1.0, 1.5));
        assert_eq!(
            times(&[Chart::new([three(1.0), Series::new("b", 0.25, [])]), Chart::new([three(4.0)])]),
            (1.0, 4.5)
        );
        assert_eq!(times(&[Chart::new([Series::new("a", 0.25, [1.0])])]), (0.0, 0.25), "one value has its step");
    }

    #[test]
    fn charts_share_the_time() {
        let file = Scratch::new("png");
        let step = |start, at: usize| {
            let values: Vec<f32> = (0..100).map(|t| if t < at { 0.0 } else { 1.0 }).collect();
            Series { start, ..Series::new("s", 1e-3, values) }
        };
        let charts = [Chart::new([step(0.0, 60)]).share(0.5), Chart::new([step(0.05, 10)])];
        traces(file.path(), &charts, &Plot::default()).expect("good");
        let (width, height, pixels) = file.png();
        let column = |color: Rgb| {
            let is = |x: usize, y: usize| pixels[3 * (y * width + x)..][..3] == color;
            // A step is the column with the most pixels in its colour.
            (0..width).max_by_key(|x| (0..height).filter(|y| is(*x, *y)).count())
        };
        let (above, below) = (column(OKABE_ITO[0]).expect("a line"), column(OKABE_ITO[1]).expect("a line"));
        assert!(above.abs_diff(below) <= 1, "columns {above} and {below}");
    }

    #[test]
    fn no_peak_is_lost() {
        let mut values = vec![0.0; 100_000];
        values[54_321] = 1.0;
        values[54_322] = f32::NAN;
        let axes = Axes { left: 0.0, right: 500.0, top: 0.0, bottom: 100.0, time: (0.0, 1e5), value: (0.0, 1.0) };
        let runs = runs(&Series::new("a", 1.0, values), &axes);
        assert_eq!(runs.len(), 2, "a gap");
        assert!(runs.iter().flatten().any(|&(_, y)| y == 0.0), "the peak reaches the top");
        assert!(runs.iter().flatten().count() < 510, "one point per column");
    }

    #[test]
    fn nothing_to_draw_is_an_error_and_no_file() {
        let file = Scratch::new("png");
        let good = Series::new("a", 1.0, [1.0]);
        let chart = |series: Series| vec![Chart::new([series])];
        for (charts, plot, word) in [
            (vec![], Plot::default(), "series"),
            (vec![Chart::new([])], Plot::default(), "series"),
            (chart(Series::new("a", 1.0, [])), Plot::default(), "series"),
            (chart(Series { dt: 0.0, ..good.clone() }), Plot::default(), "dt"),
            (chart(Series { dt: 1e308, values: vec![0.0; 9], ..good.clone() }), Plot::default(), "dt"),
            (chart(Series { start: f64::NAN, ..good.clone() }), Plot::default(), "start"),
            (vec![Chart::new([good.clone()]).share(0.0)], Plot::default(), "share"),
            (chart(good.clone()), Plot { width: 3, ..Plot::default() }, "width"),
            (chart(good.clone()), Plot { height: usize::MAX, ..Plot::default() }, "height"),
        ] {
            let error = traces(file.path(), &charts, &plot).expect_err(word).to_string();
            assert!(error.contains(word), "{error} says {word}");
            assert!(!file.path().exists(), "no file for {word}");
        }
    }
}
