//! A plot of values over time: one line per series.

use super::canvas::Canvas;
use super::color::{GRID, INK, MUTED, NOT_FINITE, OKABE_ITO, Rgb};
use super::no_picture;
use super::text::{Align, Type, Weight};
use super::ticks::{Ticks, time_unit};
use crate::Error;
use crate::samples::in_range;
use std::path::Path;

/// A named series of values at even distances in time.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Time of the first value in seconds.
    pub start: f64,
    /// Seconds from one value to the next, above 0.
    pub dt: f64,
    /// The values, without a unit; gaps where they are not finite.
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

/// What the plot of [`traces`] looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plot {
    /// Headline; none by default.
    pub title: Option<String>,
    /// What the values are, with their unit; none by default.
    pub label: Option<String>,
    /// Width in pixels, 400 to 10000. Default 1800.
    pub width: usize,
    /// Height in pixels, 300 to 10000. Default 800.
    pub height: usize,
}

impl Default for Plot {
    fn default() -> Self {
        Self { title: None, label: None, width: 1800, height: 800 }
    }
}

const TITLE: Type = Type::new(Weight::Bold, 34.0);
const NAME: Type = Type::new(Weight::Regular, 25.0);
const NUMBER: Type = Type::new(Weight::Regular, 22.0);

const MARGIN: f32 = 44.0;
/// Height of a line of the legend.
const LINE: f32 = 40.0;
/// Length of a sample of a line in the legend.
const SWATCH: f32 = 40.0;
pub(super) const THICK: f32 = 3.0;

/// The place of the axes on the page, and what they measure.
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

/// Writes a PNG with the values of each series over time.
///
/// Where there are more values than pixels, the line shows the smallest and the largest of each column, so no peak is
/// lost. Values that are not finite leave a gap and a green mark on the time axis. From the ninth series on, colours
/// come again, dashed.
///
/// ```
/// use foveola::picture::{Plot, Series, traces};
///
/// let wave = |phase: f32| (0..500).map(|t| (t as f32 / 40.0 + phase).sin()).collect::<Vec<_>>();
/// let path = std::env::temp_dir().join(format!("foveola-doc-traces-{}.png", std::process::id()));
/// traces(&path, &[Series::new("on", 1e-3, wave(0.0)), Series::new("off", 1e-3, wave(2.0))], &Plot::default())?;
/// # std::fs::remove_file(path).expect("written above");
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// [`Error::Picture`] where no series has a value, [`Error::Parameter`] where `dt`, `start`, `width` or `height` are
/// outside their range (nothing is written then), [`Error::Io`] where the file cannot be written.
pub fn traces(path: impl AsRef<Path>, series: &[Series], plot: &Plot) -> Result<(), Error> {
    let path = path.as_ref();
    const ITEM: &str = "traces";
    in_range(ITEM, "width", plot.width, (400..=10_000).contains(&plot.width), "400 to 10000 pixels")?;
    in_range(ITEM, "height", plot.height, (300..=10_000).contains(&plot.height), "300 to 10000 pixels")?;
    for one in series {
        in_range(ITEM, "dt", one.dt, one.dt.is_finite() && one.dt > 0.0, "a finite number of seconds above 0")?;
        in_range(ITEM, "start", one.start, one.start.is_finite(), "a finite number of seconds")?;
        let end = one.time(one.values.len());
        in_range(ITEM, "dt", one.dt, end.is_finite(), "steps that end at a finite number of seconds")?;
    }
    if series.iter().all(|one| one.values.is_empty()) {
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
    top = draw_legend(&mut page, series, width, top);
    if let Some(label) = &plot.label {
        page.text((MARGIN, top + 18.0), NUMBER, Align::Left, MUTED, &NUMBER.fit(label, width - 2.0 * MARGIN));
        top += LINE;
    }

    let bottom = height - MARGIN - 62.0;
    let top = top.min(bottom - 100.0) + 8.0;
    let (time, value) = ranges(series);
    let value_ticks = Ticks::new(value.0, value.1, ((bottom - top) / 85.0) as usize + 1);
    let labels: Vec<String> = value_ticks.at.iter().map(|&tick| value_ticks.label(tick)).collect();
    let numbers = labels.iter().map(|label| NUMBER.width(label)).fold(0.0, f32::max);
    let axes = Axes { left: MARGIN + numbers + 18.0, right: width - MARGIN, top, bottom, time, value };
    draw_axes(&mut page, &axes, &value_ticks, &labels);
    for (index, one) in series.iter().enumerate() {
        let (color, dash) = look(index);
        for run in runs(one, &axes) {
            match run[..] {
                [point] => page.line(&[point], 3.0 * THICK, color),
                _ => draw_run(&mut page, &run, color, dash),
            }
        }
        for (index, _) in one.values.iter().enumerate().filter(|(_, value)| !value.is_finite()) {
            let x = axes.x(one.time(index));
            page.area((x as usize, bottom as usize - 10), (2, 10), NOT_FINITE);
        }
    }
    page.save(path)
}

/// Colour and dash of a series.
pub(super) fn look(index: usize) -> (Rgb, bool) {
    (OKABE_ITO[index % OKABE_ITO.len()], index / OKABE_ITO.len() % 2 == 1)
}

/// What the axes have to show: times and values, neither of them an empty range.
fn ranges(series: &[Series]) -> ((f64, f64), (f64, f64)) {
    let full = series.iter().filter(|one| !one.values.is_empty());
    let start = full.clone().map(|one| one.start).fold(f64::INFINITY, f64::min);
    let end = full.clone().map(|one| one.time(one.values.len() - 1)).fold(f64::NEG_INFINITY, f64::max);
    let dt = full.map(|one| one.dt).fold(f64::INFINITY, f64::min);
    let end = if end > start { end } else { start + dt.max(start.abs() * 1e-9) };
    let finite = series.iter().flat_map(|one| &one.values).filter(|value| value.is_finite());
    let low = finite.clone().fold(f32::INFINITY, |low, &value| low.min(value));
    let high = finite.fold(f32::NEG_INFINITY, |high, &value| high.max(value));
    if low > high {
        return ((start, end), (0.0, 1.0));
    }
    let (low, high) = (f64::from(low), f64::from(high));
    let room = if high > low { 0.06 * (high - low) } else { (0.5 * high.abs()).max(1e-6) };
    ((start, end), (if low == 0.0 { 0.0 } else { low - room }, high + room))
}

/// Names and colours of the series, in as many lines as they need; gives the row of pixels below.
fn draw_legend(page: &mut Canvas, series: &[Series], width: f32, top: f32) -> f32 {
    let (mut x, mut y) = (MARGIN, top);
    for (index, one) in series.iter().enumerate() {
        let (color, dash) = look(index);
        let name = NAME.fit(&one.name, width - 2.0 * MARGIN - SWATCH - 14.0);
        let needed = SWATCH + 14.0 + NAME.width(&name);
        if x > MARGIN && x + needed > width - MARGIN {
            (x, y) = (MARGIN, y + LINE);
        }
        draw_run(page, &[(x, y + 12.0), (x + SWATCH, y + 12.0)], color, dash);
        page.text((x + SWATCH + 14.0, y + 20.0), NAME, Align::Left, INK, &name);
        x += needed + 44.0;
    }
    y + LINE + 6.0
}

fn draw_axes(page: &mut Canvas, axes: &Axes, ticks: &Ticks, labels: &[String]) {
    let (left, right) = (axes.left as usize, axes.right as usize);
    for (&tick, label) in ticks.at.iter().zip(labels) {
        let y = axes.y(tick).round();
        page.area((left, y as usize), (right - left, if tick == 0.0 { 2 } else { 1 }), GRID);
        page.text((axes.left - 14.0, y + 8.0), NUMBER, Align::Right, MUTED, label);
    }
    let (unit, per_second) = time_unit(axes.time.0.abs().max(axes.time.1.abs()));
    let count = ((axes.right - axes.left) / 170.0) as usize;
    let ticks = Ticks::new(axes.time.0 * per_second, axes.time.1 * per_second, count);
    for &tick in &ticks.at {
        let x = axes.x(tick / per_second).round();
        page.area((x as usize, axes.bottom as usize), (2, 10), MUTED);
        page.text((x, axes.bottom + 36.0), NUMBER, Align::Middle, MUTED, &ticks.label(tick));
    }
    page.area((left, axes.bottom as usize), (right - left + 2, 2), MUTED);
    let line = format!("time [{unit}]");
    page.text((axes.right, axes.bottom + 72.0), NUMBER, Align::Right, MUTED, &line);
}

/// The lines of a series: unbroken runs of finite values, at most a few points per column of the page.
fn runs(series: &Series, axes: &Axes) -> Vec<Vec<(f32, f32)>> {
    let mut runs = vec![Vec::new()];
    // First, lowest, highest and last value of the column of pixels that is being read.
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
    use crate::picture::stage::tests::Scratch;

    #[test]
    fn every_shape_of_input_becomes_a_picture() {
        let wave: Vec<f32> = (0..20_000).map(|t| (t as f32 / 900.0).sin()).collect();
        let many: Vec<Series> = (0..20).map(|i| Series::new(format!("series {i}"), 1.0, [i as f32; 9])).collect();
        for (case, series) in [
            ("one value", vec![Series::new("a", 1e-3, [3.0])]),
            ("late", vec![Series { start: 1e12, ..Series::new("a", 1e-9, [3.0, 4.0]) }]),
            ("one empty", vec![Series::new("a", 1e-3, []), Series::new("b", 1e-3, [1.0, 2.0])]),
            ("constant", vec![Series::new("a", 1e-3, [0.0; 50])]),
            ("extreme", vec![Series::new("a", 1e-3, [f32::MIN, f32::MAX, 0.0, f32::MIN_POSITIVE])]),
            ("long", vec![Series::new("a", 1e-3, wave)]),
            ("not finite", vec![Series::new("a", 1e-3, [1.0, f32::NAN, 2.0, f32::INFINITY])]),
            ("nothing finite", vec![Series::new("a", 1e-3, [f32::NAN; 5])]),
            ("many", many),
        ] {
            for (width, height) in [(1800, 800), (400, 300)] {
                let file = Scratch::new("png");
                let text = Some("text ".repeat(100));
                let plot = Plot { title: text.clone(), label: text, width, height };
                traces(file.path(), &series, &plot).expect(case);
                let (found_width, found_height, pixels) = file.png();
                assert_eq!((found_width, found_height), (width, height), "{case}");
                let broken = pixels.chunks(3).any(|pixel| pixel == NOT_FINITE);
                assert_eq!(broken, case.ends_with("finite"), "{case} in the colour of what is not finite");
            }
        }
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
        for (series, plot, word) in [
            (vec![], Plot::default(), "series"),
            (vec![Series::new("a", 1.0, [])], Plot::default(), "series"),
            (vec![Series { dt: 0.0, ..good.clone() }], Plot::default(), "dt"),
            (vec![Series { dt: 1e308, values: vec![0.0; 9], ..good.clone() }], Plot::default(), "dt"),
            (vec![Series { start: f64::NAN, ..good.clone() }], Plot::default(), "start"),
            (vec![good.clone()], Plot { width: 3, ..Plot::default() }, "width"),
            (vec![good.clone()], Plot { height: usize::MAX, ..Plot::default() }, "height"),
        ] {
            let error = traces(file.path(), &series, &plot).expect_err(word).to_string();
            assert!(error.contains(word), "{error} says {word}");
            assert!(!file.path().exists(), "no file for {word}");
        }
    }
}
