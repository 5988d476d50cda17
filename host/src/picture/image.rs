//! An array as an image with axes and a colour bar: receptive fields, kernels, responses in space and time.

use super::canvas::Canvas;
use super::color::{GRID, INK, MUTED, NOT_FINITE, PAGE, Rgb, Scale};
use super::curves::{BELOW, LINE, NUMBER};
use super::frame::{check_range, check_second, draw_head};
use super::text::Align;
use super::ticks::{Ticks, number};
use crate::Error;
use crate::error::in_range;
use ndarray::Array2;

/// An image with axes: one part of [`panels`](super::panels).
#[derive(Debug, Clone, PartialEq)]
pub struct ImagePanel {
    /// What stands above it.
    pub title: String,
    /// What lies along the horizontal axis, with its unit.
    pub x: String,
    /// What lies along the vertical axis, with its unit.
    pub y: String,
    /// The samples, `(row, col)`; row 0 is at the top.
    pub values: Array2<f32>,
    /// Position of the first column, and distance from one to the next; above 0.
    pub columns: (f64, f64),
    /// The same for rows.
    pub rows: (f64, f64),
    /// Whether a unit is as long on both axes: for two axes of space.
    pub square: bool,
    /// Whether row 0 is at the bottom.
    pub upwards: bool,
    /// Whether each sample stands in its cell as a number, if there is room for all of them.
    pub numbers: bool,
    /// The lowest and highest value of the colours. Without it, all values fit; signed ones symmetrically.
    pub range: Option<(f32, f32)>,
    /// A second unit of the horizontal axis, as that of [`CurvePanel`](super::CurvePanel).
    pub second: Option<(String, f64)>,
}

/// Width of the colour bar, with its distance from the axes.
const BAR: f32 = 14.0;
const BESIDE: f32 = 14.0;

impl ImagePanel {
    /// An image whose rows and columns are counted from 0.
    pub fn new(title: impl Into<String>, x: impl Into<String>, y: impl Into<String>, values: Array2<f32>) -> Self {
        let (title, x, y) = (title.into(), x.into(), y.into());
        let (columns, rows) = ((0.0, 1.0), (0.0, 1.0));
        let (square, upwards, numbers, range, second) = (false, false, false, None, None);
        Self { title, x, y, values, columns, rows, square, upwards, numbers, range, second }
    }

    /// Refuses what cannot be drawn.
    pub(super) fn check(&self) -> Result<(), Error> {
        const ITEM: &str = "image";
        let size = format!("{} x {}", self.values.nrows(), self.values.ncols());
        in_range(ITEM, "values", size, !self.values.is_empty(), "one row and column or more")?;
        for (name, (first, step)) in [("columns", self.columns), ("rows", self.rows)] {
            let good = first.is_finite() && step.is_finite() && step > 0.0;
            in_range(ITEM, name, format!("{first} and {step}"), good, "a finite first position and a step above 0")?;
        }
        check_range(ITEM, self.range)?;
        check_second(ITEM, self.second.as_ref())
    }

    /// Height above the axes: title, what the axis means, numbers of the second unit.
    pub(super) fn head(&self) -> f32 {
        LINE * (2 + usize::from(self.second.is_some())) as f32
    }

    fn scale(&self) -> Scale {
        let all = self.values.iter().filter(|value| value.is_finite());
        let (low, high) = all.fold((0.0_f32, 0.0_f32), |(low, high), &value| (low.min(value), high.max(value)));
        let most = high.max(-low);
        let range = match (self.range, most > 0.0) {
            (Some(range), _) => range,
            (None, false) => (0.0, 1.0),
            (None, true) if low < 0.0 => (-most, most),
            (None, true) => (0.0, most),
        };
        Scale::of([self.values.view()].into_iter(), None, Some(range), false)
    }

    /// Draws the panel with its axes `head` below `top`.
    pub(super) fn draw(&self, page: &mut Canvas, (left, top): (f32, f32), (width, height): (f32, f32), head: f32) {
        let (rows, cols) = self.values.dim();
        draw_head(page, (&self.title, &self.y, self.second.as_ref()), (left, top), width, head);
        let scale = self.scale();
        let ends = [scale.low, (scale.low + scale.high) / 2.0, scale.high].map(number);
        let beside = ends.iter().map(|end| NUMBER.width(end)).fold(0.0, f32::max) + BESIDE + BAR + 8.0;

        let (top, bottom) = (top + head, top + height - BELOW);
        let extent = |(first, step): (f64, f64), len: usize| (first - step / 2.0, first + step * (len as f64 - 0.5));
        let (x, y) = (extent(self.columns, cols), extent(self.rows, rows));
        // No finer than the samples.
        let ticks = |(low, high): (f64, f64), room: f32, each: f32, len: usize| {
            Ticks::new(low, high, ((room / each) as usize + 1).min(len))
        };
        let row_ticks = ticks(y, bottom - top, 60.0, rows);
        let numbers = row_ticks.at.iter().map(|&tick| NUMBER.width(&row_ticks.label(tick))).fold(0.0, f32::max) + 12.0;
        let (left, mut right, mut bottom) = (left + numbers, left + width - beside, bottom);
        if self.square {
            let unit = ((right - left) / (x.1 - x.0) as f32).min((bottom - top) / (y.1 - y.0) as f32);
            (right, bottom) = (left + unit * (x.1 - x.0) as f32, top + unit * (y.1 - y.0) as f32);
        }
        let (right, bottom) = (right.max(left + 20.0), bottom.max(top + 20.0));

        let at_x = |value: f64| left + (right - left) * ((value - x.0) / (x.1 - x.0)) as f32;
        let at_y = |value: f64| {
            let share = ((value - y.0) / (y.1 - y.0)) as f32;
            if self.upwards { bottom - (bottom - top) * share } else { top + (bottom - top) * share }
        };
        self.draw_samples(page, &scale, (left, top), (right - left, bottom - top));
        for &tick in &row_ticks.at {
            let y = at_y(tick).round();
            page.area(((left - 6.0) as usize, y as usize), (6, 1), MUTED);
            page.text((left - 10.0, y + 6.0), NUMBER, Align::Right, MUTED, &row_ticks.label(tick));
        }
        let column_ticks = ticks(x, right - left, 60.0, cols);
        for &tick in &column_ticks.at {
            let x = at_x(tick).round();
            page.area((x as usize, bottom as usize), (1, 7), MUTED);
            page.text((x, bottom + 27.0), NUMBER, Align::Middle, MUTED, &column_ticks.label(tick));
        }
        if let Some((_, factor)) = &self.second {
            let ticks = ticks((x.0 * factor, x.1 * factor), right - left, 80.0, cols);
            for &tick in &ticks.at {
                let x = at_x(tick / factor).round();
                page.area((x as usize, top as usize - 7), (1, 7), MUTED);
                page.text((x, top - 12.0), NUMBER, Align::Middle, MUTED, &ticks.label(tick));
            }
        }
        page.text((right, bottom + 54.0), NUMBER, Align::Right, MUTED, &self.x);
        draw_bar(page, &scale, &ends, (right + BESIDE, top), bottom - top);
    }

    /// Each pixel of the page has the colour of the largest sample under it, so that no peak is lost.
    fn draw_samples(&self, page: &mut Canvas, scale: &Scale, (left, top): (f32, f32), (width, height): (f32, f32)) {
        let (rows, cols) = self.values.dim();
        let colors: Vec<Rgb> = scale.map.colors(256);
        let (width, height) = (width as usize, height as usize);
        let under = |pixel: usize, pixels: usize, len: usize| {
            let first = pixel * len / pixels;
            first..((pixel + 1) * len).div_ceil(pixels).min(first + 1 + len / pixels).max(first + 1).min(len)
        };
        for py in 0..height {
            let place = if self.upwards { height - 1 - py } else { py };
            for px in 0..width {
                let samples =
                    under(place, height, rows).flat_map(|row| under(px, width, cols).map(move |col| (row, col)));
                let largest = samples.map(|at| self.values[at]).reduce(|a, b| if b.abs() > a.abs() { b } else { a });
                let index = largest.and_then(|value| scale.index(value, colors.len()));
                let color = index.map_or(NOT_FINITE, |index| colors[index]);
                page.area((left as usize + px, top as usize + py), (1, 1), color);
            }
        }
        if !self.numbers {
            return;
        }
        let cell = (width as f32 / cols as f32, height as f32 / rows as f32);
        let widest = self.values.iter().map(|value| NUMBER.width(&number(f64::from(*value)))).fold(0.0, f32::max);
        if widest + 6.0 > cell.0 || cell.1 < 24.0 {
            return;
        }
        for ((row, col), value) in self.values.indexed_iter() {
            let row = if self.upwards { rows - 1 - row } else { row };
            let middle = (left + (col as f32 + 0.5) * cell.0, top + (row as f32 + 0.5) * cell.1 + 6.0);
            let color = scale.index(*value, colors.len()).map_or(NOT_FINITE, |index| colors[index]);
            // Dark on bright cells.
            let bright = color.iter().map(|&part| u32::from(part)).sum::<u32>() > 380;
            page.text(middle, NUMBER, Align::Middle, if bright { PAGE } else { INK }, &number(f64::from(*value)));
        }
    }
}

/// The vertical colour bar with the numbers at its ends and in its middle.
fn draw_bar(page: &mut Canvas, scale: &Scale, ends: &[String; 3], (left, top): (f32, f32), height: f32) {
    let rows = (height as usize).max(1);
    for (row, &color) in scale.map.colors(rows).iter().rev().enumerate() {
        page.area((left as usize, top as usize + row), (BAR as usize, 1), color);
    }
    page.area((left as usize, top as usize + rows), (BAR as usize, 1), GRID);
    let [low, middle, high] = ends;
    let mut label = |y: f32, text: &str| page.text((left + BAR + 8.0, y), NUMBER, Align::Left, MUTED, text);
    label(top + 13.0, high);
    label(top + height, low);
    if height >= 70.0 {
        label(top + height / 2.0 + 6.0, middle);
    }
}
