//! What panels of curves and of images have in common: ranges, a second unit, and the text above the axes.

use super::canvas::Canvas;
use super::color::{INK, MUTED};
use super::curves::{LINE, NUMBER, PANEL};
use super::text::Align;
use crate::Error;
use crate::error::in_range;
use std::fmt::Display;

/// Refuses a range without a width.
pub(super) fn check_range<N: Display + Copy + Into<f64>>(
    item: &'static str,
    range: Option<(N, N)>,
) -> Result<(), Error> {
    let Some((low, high)) = range else { return Ok(()) };
    let (from, to) = (low.into(), high.into());
    let good = from.is_finite() && to.is_finite() && from < to;
    in_range(item, "range", format!("{low} to {high}"), good, "two finite numbers, the lower one first")
}

/// Refuses a second unit of which there are none, or less, in one of the first.
pub(super) fn check_second(item: &'static str, second: Option<&(String, f64)>) -> Result<(), Error> {
    let Some((_, factor)) = second else { return Ok(()) };
    in_range(item, "second", factor, factor.is_finite() && *factor > 0.0, "a finite factor above 0")
}

/// The title; and above the axes, which begin `head` below `top`, the vertical axis and the second unit.
pub(super) fn draw_head(
    page: &mut Canvas,
    (title, y, second): (&str, &str, Option<&(String, f64)>),
    (left, top): (f32, f32),
    width: f32,
    head: f32,
) {
    page.text((left, top + 16.0), PANEL, Align::Left, INK, &PANEL.fit(title, width));
    let base = top + head - 14.0 - if second.is_some() { LINE } else { 0.0 };
    page.text((left, base), NUMBER, Align::Left, MUTED, &NUMBER.fit(y, width));
    if let Some((name, _)) = second {
        let room = width - NUMBER.width(y) - 20.0;
        page.text((left + width, base), NUMBER, Align::Right, MUTED, &NUMBER.fit(name, room));
    }
}
