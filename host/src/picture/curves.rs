//! Plots of curves over any quantity, side by side: impulse responses, frequency responses.

use super::canvas::Canvas;
use super::color::{GRID, INK, MUTED};
use super::frame::{check_range, check_second, draw_head};
use super::no_picture;
use super::text::{Align, Type, Weight};
use super::ticks::{Ticks, number};
use super::traces::{Plot, draw_run, look};
use crate::Error;
use crate::error::in_range;
use std::path::Path;

/// A named curve through points `(x, y)`, drawn in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Its name in the legend.
    pub name: String,
    /// The points; the curve has gaps where a number is not finite.
    pub points: Vec<(f64, f64)>,
    /// Whether each point has a dot: for sequences of few samples.
    pub dots: bool,
}

impl Curve {
    /// A curve without dots.
    pub fn new(name: impl Into<String>, points: impl Into<Vec<(f64, f64)>>) -> Self {
        Self { name: name.into(), points: points.into(), dots: false }
    }

    /// A dot at each point.
    #[must_use]
    pub fn dots(mut self) -> Self {
        self.dots = true;
        self
    }
}

/// One set of axes of [`curves`].
#[derive(Debug, Clone, PartialEq)]
pub struct CurvePanel {
    /// What stands above it.
    pub title: String,
    /// What lies along the horizontal axis, with its unit.
    pub x: String,
    /// What lies along the vertical axis, with its unit.
    pub y: String,
    /// The curves, the first of them in front.
    pub curves: Vec<Curve>,
    /// Whether the horizontal axis is logarithmic.
    pub logarithmic: bool,
    /// Whether the vertical axis is.
    pub logarithmic_y: bool,
    /// The lowest and highest value of the vertical axis; curves are cut there. Without it, all values fit.
    pub range: Option<(f64, f64)>,
    /// A second unit of the horizontal axis, written above the axes: its name, and how many of it are one of the first.
    pub second: Option<(String, f64)>,
}

impl CurvePanel {
    /// Axes that are linear and as high as the values.
    pub fn new(
        title: impl Into<String>,
        x: impl Into<String>,
        y: impl Into<String>,
        curves: impl Into<Vec<Curve>>,
    ) -> Self {
        let (title, x, y) = (title.into(), x.into(), y.into());
        Self { title, x, y, curves: curves.into(), logarithmic: false, logarithmic_y: false, range: None, second: None }
    }

    /// A logarithmic horizontal axis.
    #[must_use]
    pub fn logarithmic(mut self) -> Self {
        self.logarithmic = true;
        self
    }

    /// A logarithmic vertical axis.
    #[must_use]
    pub fn logarithmic_y(mut self) -> Self {
        self.logarithmic_y = true;
        self
    }

    /// The lowest and highest value of the vertical axis.
    #[must_use]
    pub fn range(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }

    /// A second unit of the horizontal axis, of which `factor` are one of the first: 0.1 for degrees beside pixels.
    #[must_use]
    pub fn second(mut self, name: impl Into<String>, factor: f64) -> Self {
        self.second = Some((name.into(), factor));
        self
    }
}

const TITLE: Type = Type::new(Weight::Bold, 26.0);
pub(super) const PANEL: Type = Type::new(Weight::Bold, 20.0);
const NAME: Type = Type::new(Weight::Regular, 19.0);
pub(super) const NUMBER: Type = Type::new(Weight::Regular, 17.0);

const MARGIN: f32 = 26.0;
/// Between two panels.
pub(super) const GAP: f32 = 34.0;
/// Height of a line of text above the axes.
pub(super) const LINE: f32 = 30.0;
/// Length of a sample of a line in the legend.
const SWATCH: f32 = 30.0;
/// Below the axes: numbers, and what they are.
pub(super) const BELOW: f32 = 60.0;
/// Diameter of a dot.
const DOT: f32 = 9.0;

/// Writes a PNG with panels side by side, each with curves over labelled axes and a legend where there are several curves.
///
/// From the ninth curve of a panel on, colours come again, dashed.
///
/// ```
/// use foveola::picture::{Curve, CurvePanel, Plot, curves};
///
/// let gain = |tau: f64| move |f: f64| (f, -10.0 * (1.0 + (6.283 * f * tau).powi(2)).log10());
/// let frequencies = || (1..500).map(f64::from);
/// let lines = [
///     Curve::new("5 ms", frequencies().map(gain(0.005)).collect::<Vec<_>>()),
///     Curve::new("20 ms", frequencies().map(gain(0.020)).collect::<Vec<_>>()),
/// ];
/// let panel = CurvePanel::new("RC low-pass", "frequency [Hz]", "gain [dB]", lines).logarithmic().range(-40.0, 5.0);
/// let path = std::env::temp_dir().join(format!("foveola-doc-curves-{}.png", std::process::id()));
/// curves(&path, &[panel], &Plot { width: 600, height: 400, ..Plot::default() })?;
/// # std::fs::remove_file(path).expect("written above");
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// [`Error::Picture`] where no curve has a point, [`Error::Parameter`] where `width` or `height`, the ends of a range, or an x on a
/// logarithmic axis are outside their range (nothing is written then), [`Error::Io`] where the file cannot be written.
pub fn curves(path: impl AsRef<Path>, panels: &[CurvePanel], plot: &Plot) -> Result<(), Error> {
    let path = path.as_ref();
    const ITEM: &str = "curves";
    in_range(ITEM, "width", plot.width, (400..=10_000).contains(&plot.width), "400 to 10000 pixels")?;
    in_range(ITEM, "height", plot.height, (300..=10_000).contains(&plot.height), "300 to 10000 pixels")?;
    panels.iter().try_for_each(CurvePanel::check)?;
    if panels.iter().flat_map(|panel| &panel.curves).all(|curve| curve.points.is_empty()) {
        return Err(no_picture(path, "no curve has a point"));
    }

    let mut page = Canvas::new(path, plot.width, plot.height)?;
    let mut top = MARGIN;
    if let Some(title) = &plot.title {
        let line = TITLE.fit(title, plot.width as f32 - 2.0 * MARGIN);
        page.text((MARGIN, top + 20.0), TITLE, Align::Left, INK, &line);
        top += 46.0;
    }
    let width = (plot.width as f32 - 2.0 * MARGIN - GAP * (panels.len() - 1) as f32) / panels.len() as f32;
    // The axes of all panels begin at the same height.
    let head = panels.iter().map(|panel| panel.head(width)).fold(0.0, f32::max);
    for (index, panel) in panels.iter().enumerate() {
        let left = MARGIN + (width + GAP) * index as f32;
        let bottom = (plot.height as f32 - MARGIN).max(top + head + 40.0 + BELOW);
        panel.draw(&mut page, (left, top), (width, bottom - top), head);
    }
    page.save_small(path)
}

impl CurvePanel {
    /// Refuses what cannot be drawn.
    pub(super) fn check(&self) -> Result<(), Error> {
        const ITEM: &str = "curves";
        check_range(ITEM, self.range)?;
        check_second(ITEM, self.second.as_ref())?;
        for (x, _) in self.curves.iter().filter(|_| self.logarithmic).flat_map(|curve| &curve.points) {
            in_range(ITEM, "x", x, !x.is_finite() || *x > 0.0, "a number above 0 on a logarithmic axis")?;
        }
        let lowest = self.range.map(|(low, _)| low);
        let heights = self.curves.iter().flat_map(|curve| &curve.points).map(|(_, y)| *y).chain(lowest);
        for y in heights.filter(|_| self.logarithmic_y) {
            in_range(ITEM, "y", y, !y.is_finite() || y > 0.0, "a number above 0 on a logarithmic axis")?;
        }
        Ok(())
    }

    /// Height above the axes: title, legend, what the axis means, numbers of the second unit.
    pub(super) fn head(&self, width: f32) -> f32 {
        LINE * (2 + Legend::new(self, width).lines + usize::from(self.second.is_some())) as f32
    }

    /// Draws the panel with its axes `head` below `top`.
    pub(super) fn draw(&self, page: &mut Canvas, (left, top): (f32, f32), (width, height): (f32, f32), head: f32) {
        draw_head(page, (&self.title, &self.y, self.second.as_ref()), (left, top), width, head);
        Legend::new(self, width).draw(page, self, (left, top + LINE));
        draw_panel(page, self, (left, left + width), (top + head, top + height - BELOW));
    }
}

/// Names and colours of the curves of a panel, in as many lines as they need; none for a single curve without a name.
struct Legend {
    /// The place of each name, from the left of the panel, its line, and the name as far as there is room.
    names: Vec<(f32, usize, String)>,
    lines: usize,
}

impl Legend {
    fn new(panel: &CurvePanel, width: f32) -> Self {
        if panel.curves.iter().all(|curve| curve.name.is_empty()) {
            return Self { names: Vec::new(), lines: 0 };
        }
        let (mut x, mut line) = (0.0, 0);
        let mut names = Vec::new();
        for curve in &panel.curves {
            let name = NAME.fit(&curve.name, width - SWATCH - 10.0);
            let needed = SWATCH + 10.0 + NAME.width(&name);
            if x > 0.0 && x + needed > width {
                (x, line) = (0.0, line + 1);
            }
            names.push((x, line, name));
            x += needed + 28.0;
        }
        Self { names, lines: line + 1 }
    }

    fn draw(&self, page: &mut Canvas, panel: &CurvePanel, (left, top): (f32, f32)) {
        for (index, ((x, line, name), curve)) in self.names.iter().zip(&panel.curves).enumerate() {
            let (color, dash) = look(index);
            let (x, y) = (left + x, top + LINE * *line as f32);
            draw_run(page, &[(x, y + 9.0), (x + SWATCH, y + 9.0)], color, dash);
            if curve.dots {
                page.line(&[(x + SWATCH / 2.0, y + 9.0)], DOT, color);
            }
            page.text((x + SWATCH + 10.0, y + 16.0), NAME, Align::Left, INK, name);
        }
    }
}

/// From numbers to places on the page.
#[derive(Clone, Copy)]
struct Axes {
    left: f32,
    right: f32,
    top: f32,
    bottom: f32,
    x: (f64, f64),
    y: (f64, f64),
    logarithmic: bool,
    logarithmic_y: bool,
}

impl Axes {
    fn place(&self, (x, y): (f64, f64)) -> (f32, f32) {
        let share = |value: f64, (low, high): (f64, f64), logarithmic: bool| {
            // What is proportional to the distance.
            let scaled = |value: f64| if logarithmic { value.log10() } else { value };
            (scaled(value) - scaled(low)) / (scaled(high) - scaled(low))
        };
        let (right, up) = (share(x, self.x, self.logarithmic), share(y, self.y, self.logarithmic_y));
        (self.left + (self.right - self.left) * right as f32, self.bottom - (self.bottom - self.top) * up as f32)
    }

    /// Numbers of the horizontal axis, and places without a number between them.
    fn columns(&self) -> (Vec<(f64, String)>, Vec<f64>) {
        numbers(self.x, self.logarithmic, ((self.right - self.left) / 90.0) as usize)
    }
}

/// About `count` numbers of an axis, and places without a number between them.
fn numbers((low, high): (f64, f64), logarithmic: bool, count: usize) -> (Vec<(f64, String)>, Vec<f64>) {
    let inside = |x: &f64| (low * (1.0 - 1e-9)..=high * (1.0 + 1e-9)).contains(x);
    if logarithmic && (high / low).log10() >= 1.0 {
        let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
        let decade = |exponent: i32| (2..10).map(move |i| f64::from(i) * 10_f64.powi(exponent));
        let numbers = decades.clone().map(|exponent| 10_f64.powi(exponent)).filter(inside);
        return (numbers.map(|x| (x, number(x))).collect(), decades.flat_map(decade).filter(inside).collect());
    }
    let ticks = Ticks::new(low, high, count);
    (ticks.at.iter().map(|&x| (x, ticks.label(x))).collect(), Vec::new())
}

/// Axes with their numbers, and the curves.
fn draw_panel(page: &mut Canvas, panel: &CurvePanel, (left, right): (f32, f32), (top, bottom): (f32, f32)) {
    let points = || panel.curves.iter().flat_map(|curve| &curve.points).filter(|(x, y)| x.is_finite() && y.is_finite());
    let x = extent(points().map(|(x, _)| *x));
    let y = panel.range.unwrap_or_else(|| {
        let (low, high) = extent(points().map(|(_, y)| *y));
        if panel.logarithmic_y {
            let room = (high / low).powf(0.06);
            return (low / room, high * room);
        }
        let room = 0.06 * (high - low);
        (if low == 0.0 { 0.0 } else { low - room }, high + room)
    });
    let (heights, others) = numbers(y, panel.logarithmic_y, ((bottom - top) / 60.0) as usize + 1);
    let left = left + heights.iter().map(|(_, label)| NUMBER.width(label)).fold(0.0, f32::max) + 12.0;
    let (logarithmic, logarithmic_y) = (panel.logarithmic, panel.logarithmic_y);
    let axes = Axes { left, right, top, bottom, x, y, logarithmic, logarithmic_y };

    let width = (right - left) as usize;
    for tick in heights.iter().map(|(tick, _)| *tick).chain(others) {
        let (_, y) = axes.place((x.0, tick));
        page.area((left as usize, y.round() as usize), (width, if tick == 0.0 { 2 } else { 1 }), GRID);
    }
    for (tick, label) in &heights {
        let (_, y) = axes.place((x.0, *tick));
        page.text((left - 10.0, y.round() + 6.0), NUMBER, Align::Right, MUTED, label);
    }
    let (numbers, between) = axes.columns();
    let lines = numbers.iter().map(|(x, _)| x).chain(&between);
    for &tick in lines {
        let (x, _) = axes.place((tick, y.0));
        page.area((x.round() as usize, top as usize), (1, (bottom - top) as usize), GRID);
    }
    for (tick, label) in &numbers {
        let (x, _) = axes.place((*tick, y.0));
        page.area((x.round() as usize, bottom as usize), (2, 7), MUTED);
        page.text((x, bottom + 27.0), NUMBER, Align::Middle, MUTED, label);
    }
    if let Some((_, factor)) = &panel.second {
        let scaled = Axes { x: (x.0 * factor, x.1 * factor), ..axes };
        let (numbers, _) = scaled.columns();
        for (tick, label) in &numbers {
            let (x, _) = scaled.place((*tick, y.0));
            page.area((x.round() as usize, top as usize - 7), (2, 7), MUTED);
            page.text((x, top - 12.0), NUMBER, Align::Middle, MUTED, label);
        }
        page.area((left as usize, top as usize), (width + 2, 1), MUTED);
    }
    page.area((left as usize, bottom as usize), (width + 2, 2), MUTED);
    page.text((right, bottom + 54.0), NUMBER, Align::Right, MUTED, &NUMBER.fit(&panel.x, right - left));

    for (index, curve) in panel.curves.iter().enumerate().rev() {
        let (color, dash) = look(index);
        for run in runs(&curve.points, y) {
            let places: Vec<_> = run.iter().map(|&point| axes.place(point)).collect();
            draw_run(page, &places, color, dash);
        }
        let inside = |point: &&(f64, f64)| point.0.is_finite() && (y.0..=y.1).contains(&point.1);
        for &point in curve.points.iter().filter(inside).filter(|_| curve.dots) {
            page.line(&[axes.place(point)], DOT, color);
        }
    }
}

/// The lowest and highest of some numbers, which are no empty range.
fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    match () {
        () if low < high => (low, high),
        () if low == high => (low, low + low.abs().max(1.0)),
        () => (0.0, 1.0),
    }
}

/// The parts of a curve whose points are finite and lie between `low` and `high`, cut where it crosses them.
fn runs(points: &[(f64, f64)], (low, high): (f64, f64)) -> Vec<Vec<(f64, f64)>> {
    let mut runs: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut open = false;
    for pair in points.windows(2) {
        let [a, b] = [pair[0], pair[1]];
        let finite = [a.0, a.1, b.0, b.1].iter().all(|value| value.is_finite());
        let outside = a.1.max(b.1) < low || a.1.min(b.1) > high;
        if !finite || outside {
            open = false;
            continue;
        }
        let cut = |y: f64| (a.0 + (b.0 - a.0) * (y - a.1) / (b.1 - a.1), y);
        let inside = |point: (f64, f64)| match point.1 {
            y if y < low => cut(low),
            y if y > high => cut(high),
            _ => point,
        };
        if !open {
            runs.push(vec![inside(a)]);
        }
        if let Some(run) = runs.last_mut() {
            run.push(inside(b));
        }
        open = (low..=high).contains(&b.1);
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::color::OKABE_ITO;
    use crate::picture::stages::tests::Scratch;

    fn panel(points: impl Into<Vec<(f64, f64)>>) -> CurvePanel {
        CurvePanel::new("title", "x [s]", "y [m]", [Curve::new("", points)])
    }

    const SMALL: Plot = Plot { title: None, width: 600, height: 400 };

    /// Rows of the page, in each column, that have the colour of the first curve.
    fn rows_of(file: &Scratch) -> Vec<Vec<usize>> {
        let (width, height, pixels) = file.png();
        let is = |x: usize, y: usize| pixels[3 * (y * width + x)..][..3] == OKABE_ITO[0];
        (0..width).map(|x| (0..height).filter(|y| is(x, *y)).collect()).collect()
    }

    #[test]
    fn a_curve_goes_from_corner_to_corner() {
        let file = Scratch::new("png");
        curves(file.path(), &[panel([(0.0, 0.0), (1.0, 1.0)]).range(0.0, 1.0)], &SMALL).expect("drawn");
        let rows = rows_of(&file);
        let first = rows.iter().position(|rows| !rows.is_empty()).expect("a curve");
        let last = rows.iter().rposition(|rows| !rows.is_empty()).expect("a curve");
        assert!(rows[first].iter().all(|y| y.abs_diff(400 - 86) < 4), "begins at the bottom: {:?}", rows[first]);
        assert!(rows[last].iter().all(|y| y.abs_diff(86) < 4), "ends at the top: {:?}", rows[last]);
        assert!(last.abs_diff(600 - 26) < 4, "and at the right: {last}");
    }

    /// A step at x = 10 lies in the middle between 1 and 100.
    #[test]
    fn decades_are_equally_wide() {
        let file = Scratch::new("png");
        let step = [(1.0, 0.0), (10.0, 0.0), (10.0, 1.0), (100.0, 1.0)];
        curves(file.path(), &[panel(step).logarithmic()], &SMALL).expect("drawn");
        let rows = rows_of(&file);
        let first = rows.iter().position(|rows| !rows.is_empty()).expect("a curve");
        let last = rows.iter().rposition(|rows| !rows.is_empty()).expect("a curve");
        let at = (0..rows.len()).max_by_key(|x| rows[*x].len()).expect("columns");
        assert!(at.abs_diff((first + last) / 2) < 3, "{at} between {first} and {last}");
    }

    #[test]
    fn curves_are_cut_at_the_range_and_where_they_are_not_finite() {
        let found = runs(&[(0.0, 0.0), (1.0, 2.0), (2.0, 2.0), (3.0, 0.0)], (-1.0, 1.0));
        assert_eq!(found, [[(0.0, 0.0), (0.5, 1.0)], [(2.5, 1.0), (3.0, 0.0)]]);
        let found = runs(&[(0.0, -9.0), (1.0, 9.0)], (-1.0, 1.0));
        assert_eq!(found.len(), 1, "crosses both ends");
        assert!(found[0].iter().all(|(x, _)| (x - 0.5).abs() < 0.06), "{found:?}");
        let gap = [(0.0, 0.0), (1.0, 0.0), (2.0, f64::NEG_INFINITY), (3.0, 0.0), (4.0, 0.0)];
        assert_eq!(runs(&gap, (-1.0, 1.0)), [[(0.0, 0.0), (1.0, 0.0)], [(3.0, 0.0), (4.0, 0.0)]]);
    }

    #[test]
    fn odd_curves_are_no_trouble() {
        let many: Vec<Curve> = (0..20).map(|i| Curve::new("name ".repeat(i), [(0.0, i as f64)]).dots()).collect();
        let panels = [
            CurvePanel::new("title ".repeat(50), "", "", many),
            panel([(f64::NAN, 1.0)]),
            panel([(5.0, 3.0), (5.0, 3.0)]).logarithmic(),
            panel([]),
            panel([(-1e300, -1e300), (1e300, 1e300)]),
        ];
        for (width, height) in [(1200, 900), (400, 300)] {
            let file = Scratch::new("png");
            let plot = Plot { title: Some("text ".repeat(99)), width, height };
            curves(file.path(), &panels, &plot).expect("drawn");
            assert_eq!((file.png().0, file.png().1), (width, height));
        }
    }

    #[test]
    fn nothing_to_draw_is_an_error_and_no_file() {
        let file = Scratch::new("png");
        let good = panel([(1.0, 2.0), (2.0, 3.0)]);
        for (panels, plot, word) in [
            (vec![], SMALL, "point"),
            (vec![panel([])], SMALL, "point"),
            (vec![panel([(0.0, 1.0)]).logarithmic()], SMALL, "logarithmic"),
            (vec![panel([(1.0, 0.0)]).logarithmic_y()], SMALL, "logarithmic"),
            (vec![good.clone().range(1.0, 1.0)], SMALL, "range"),
            (vec![good.clone().range(f64::NAN, 1.0)], SMALL, "range"),
            (vec![good.clone()], Plot { width: 3, ..SMALL }, "width"),
            (vec![good], Plot { height: 20_000, ..SMALL }, "height"),
        ] {
            let error = curves(file.path(), &panels, &plot).expect_err(word).to_string();
            assert!(error.contains(word), "{error} says {word}");
            assert!(!file.path().exists(), "no file for {word}");
        }
    }
}
