//! A contact sheet: the stages of a model below each other, each at the same evenly chosen times.

use super::canvas::{Canvas, Zoom};
use super::color::{INK, MUTED, NOT_FINITE, Scale};
use super::no_picture;
use super::stage::{Stage, even_times};
use super::text::{Align, Type, Weight};
use super::ticks::{TimeFormat, number};
use crate::Error;
use crate::samples::in_range;
use ndarray::Array2;
use std::path::Path;

/// What a [`contact_sheet`] looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Headline; none by default.
    pub title: Option<String>,
    /// Columns: how many times are shown, at least 1, fewer where there are fewer frames. Default 6.
    pub times: usize,
    /// Width in pixels that the sheet should not exceed, 600 to 20000. Default 2160.
    pub width: usize,
}

impl Default for Sheet {
    fn default() -> Self {
        Self { title: None, times: 6, width: 2160 }
    }
}

const TITLE: Type = Type::new(Weight::Bold, 38.0);
const NAME: Type = Type::new(Weight::Bold, 27.0);
const NOTE: Type = Type::new(Weight::Regular, 22.0);
const TIME: Type = Type::new(Weight::Regular, 24.0);

const MARGIN: usize = 48;
const GAP: usize = 14;
/// Between two stages.
const ROW_GAP: usize = 22;
/// Between names, frames and colour bars.
const GUTTER: usize = 32;
const NAME_WIDTH: f32 = 300.0;
const BAR: usize = 18;
/// Side of a frame on the page, at most, where the frame itself is smaller.
const CELL: usize = 300;
/// Height of a row, at least: a name and a note.
const ROW: usize = 64;

/// One row of the sheet.
struct Row<'a> {
    stage: &'a Stage,
    frames: Vec<&'a Array2<f32>>,
    scale: Scale,
    note: String,
    zoom: Zoom,
}

/// Writes a PNG with a row for each stage and a column for each of a few evenly chosen times.
///
/// Each row has its name, the size of its frames in pixels (width x height), its own colours and a colour bar with
/// numbers; a pointed end of the bar says that there are values beyond. Samples are squares of whole pixels; frames
/// that are too large for the width are averaged by a whole factor.
///
/// # Errors
/// [`Error::Picture`] where no stage has a frame or the page would be too large, [`Error::Parameter`] where `times`,
/// `width` or the range of a stage are outside their range (nothing is written then), [`Error::Io`] where the file
/// cannot be written.
pub fn contact_sheet(path: impl AsRef<Path>, stages: &[Stage], sheet: &Sheet) -> Result<(), Error> {
    let path = path.as_ref();
    in_range("contact_sheet", "times", sheet.times, sheet.times > 0, "at least 1")?;
    let good = (600..=20_000).contains(&sheet.width);
    in_range("contact_sheet", "width", sheet.width, good, "600 to 20000 pixels")?;
    if let Some(empty) = stages.iter().find(|stage| stage.is_empty()) {
        return Err(no_picture(path, format!("stage \"{}\" has no frames", empty.name())));
    }
    if stages.is_empty() {
        return Err(no_picture(path, "no stages"));
    }

    let times = even_times(stages, sheet.times);
    let mut rows = Vec::new();
    for stage in stages {
        let frames: Vec<&Array2<f32>> =
            times.iter().filter_map(|&time| stage.at(time)).map(|(_, frame)| frame).collect();
        let scale = stage.scale(frames.iter().map(|frame| frame.view()))?;
        let (height, width) = stage.geometry();
        let note = format!("{width} \u{d7} {height}");
        rows.push(Row { stage, frames, scale, note, zoom: Zoom::fit((1, 1), (1, 1)) });
    }

    let names = rows.iter().map(|row| NAME.width(row.stage.name()).max(NOTE.width(&row.note)));
    let names = names.fold(0.0_f32, f32::max).min(NAME_WIDTH).ceil() as usize;
    let limits = rows.iter().flat_map(|row| [row.scale.low, row.scale.high]);
    let numbers = limits.map(|limit| NOTE.width(&number(limit))).fold(0.0_f32, f32::max).ceil() as usize;
    let around = 2 * MARGIN + names + 2 * GUTTER + BAR + 10 + numbers;
    let columns = times.len();
    let room = (sheet.width.saturating_sub(around) / columns).saturating_sub(GAP);
    // Stages of about the same size are drawn at the same zoom, so that one sees the same place in all of them.
    let largest = rows.iter().map(|row| row.stage.size()).fold((0, 0), |a, b| (a.0.max(b.0), a.1.max(b.1)));
    for row in &mut rows {
        let size = row.stage.size();
        let alike = 2 * size.0 >= largest.0 && 2 * size.1 >= largest.1;
        let size = if alike { largest } else { size };
        let side = CELL.max(size.0).max(size.1).min(room.max(16));
        row.zoom = Zoom::fit(size, (side, side));
    }

    let cell = rows.iter().map(|row| row.zoom.size(row.stage.size()).1).max().unwrap_or(1);
    let step = times.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
    let format = TimeFormat::new(&times, step);
    let labels: Vec<String> = times.iter().map(|&time| format.write(time)).collect();
    let label = labels.iter().map(|label| TIME.width(label)).fold(0.0, f32::max).ceil() as usize;
    let pitch = cell.max(label + 6) + GAP;
    let left = MARGIN + names + GUTTER;
    let bars = left + columns * pitch - GAP + GUTTER;
    let title = sheet.title.as_ref().map_or(0, |_| 68);
    let top = MARGIN + title + 36;
    let height_of = |row: &Row<'_>| row.zoom.size(row.stage.size()).0.max(ROW);
    let height: usize = rows.iter().map(|row| height_of(row) + ROW_GAP).sum();
    let broken = rows.iter().any(|row| row.frames.iter().any(|frame| frame.iter().any(|v| !v.is_finite())));
    let foot = if broken { 52 } else { 0 };
    let mut width = bars + BAR + 10 + numbers + MARGIN;
    if let Some(title) = &sheet.title {
        width = width.max((TITLE.width(title).ceil() as usize + 2 * MARGIN).min(sheet.width));
    }
    let mut page = Canvas::new(path, width, top + height - ROW_GAP + foot + MARGIN)?;

    if let Some(title) = &sheet.title {
        let line = TITLE.fit(title, (width - 2 * MARGIN) as f32);
        page.text((MARGIN as f32, (MARGIN + 32) as f32), TITLE, Align::Left, INK, &line);
    }
    for (column, label) in labels.iter().enumerate() {
        let middle = left + column * pitch + (pitch - GAP) / 2;
        page.text((middle as f32, (top - 16) as f32), TIME, Align::Middle, MUTED, label);
    }
    let mut y = top;
    for row in &rows {
        let height = height_of(row);
        draw_names(&mut page, row, y + height / 2, names as f32);
        let colors = row.scale.map.colors(256);
        for (column, frame) in row.frames.iter().enumerate() {
            let (rows, cols) = row.zoom.size(frame.dim());
            let corner = (left + column * pitch + (pitch - GAP - cols) / 2, y + (height - rows) / 2);
            page.frame(corner, &frame.view(), row.zoom, &row.scale, &colors);
        }
        draw_bar(&mut page, &row.scale, (bars, y), height);
        y += height + ROW_GAP;
    }
    if broken {
        let base = y - ROW_GAP + foot;
        page.area((left, base - 16), (BAR, BAR), NOT_FINITE);
        page.text(((left + BAR + 12) as f32, base as f32), NOTE, Align::Left, MUTED, "not finite");
    }
    page.save(path)
}

/// Name and size of a stage, about the row of pixels `middle`.
fn draw_names(page: &mut Canvas, row: &Row<'_>, middle: usize, width: f32) {
    let name = NAME.fit(row.stage.name(), width);
    page.text((MARGIN as f32, middle as f32 - 4.0), NAME, Align::Left, INK, &name);
    page.text((MARGIN as f32, middle as f32 + 26.0), NOTE, Align::Left, MUTED, &row.note);
}

/// The colour bar of a scale, upright, with numbers; ends beyond which there are values are pointed.
fn draw_bar(page: &mut Canvas, scale: &Scale, (x, y): (usize, usize), height: usize) {
    let colors = scale.map.colors(height);
    for (row, &color) in colors.iter().rev().enumerate() {
        let from_end = |outside: bool, distance: usize| if outside { (2 * distance + 1).min(BAR) } else { BAR };
        let width = from_end(scale.outside.1, row).min(from_end(scale.outside.0, height - 1 - row));
        page.area((x + (BAR - width) / 2, y + row), (width, 1), color);
    }
    let mut label = |row: f32, value: f64| {
        page.text(((x + BAR + 10) as f32, y as f32 + row), NOTE, Align::Left, MUTED, &number(value));
    };
    label(17.0, scale.high);
    label(height as f32 - 1.0, scale.low);
    if height >= 3 * 28 {
        label(height as f32 / 2.0 + 8.0, (scale.low + scale.high) / 2.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::stage::tests::{Scratch, stage_of};

    #[test]
    fn every_shape_of_input_becomes_a_picture() {
        let ramp = |t: usize, row: usize, col: usize| (t + row) as f32 - col as f32;
        for (case, stages) in [
            ("one pixel", vec![stage_of("a", (1, 1, 1), |_, _, _| 1.0)]),
            ("one frame", vec![stage_of("a", (1, 24, 32), ramp)]),
            ("wide", vec![stage_of("a", (9, 1, 700), ramp)]),
            ("tall", vec![stage_of("a", (9, 300, 1), ramp)]),
            ("large", vec![stage_of("a", (3, 480, 640), ramp), stage_of("b", (3, 471, 631), ramp)]),
            ("zeros", vec![stage_of("a", (9, 5, 5), |_, _, _| 0.0), stage_of("b", (2, 9, 3), ramp)]),
            ("not finite", vec![stage_of("a", (9, 5, 5), |t, _, _| [f32::NAN, f32::INFINITY][t % 2])]),
            ("unnamed", vec![stage_of("", (9, 5, 5), ramp)]),
            ("long name", vec![stage_of(&"name ".repeat(50), (9, 5, 5), ramp)]),
        ] {
            let file = Scratch::new("png");
            let sheet = Sheet { title: Some("t".repeat(300)), ..Sheet::default() };
            contact_sheet(file.path(), &stages, &sheet).expect(case);
            let (width, height, pixels) = file.png();
            assert!(width <= 2160 && (100..2000).contains(&height), "{case}: {width} x {height}");
            let broken = pixels.chunks(3).any(|pixel| pixel == NOT_FINITE);
            assert_eq!(broken, case == "not finite", "{case} in the colour of what is not finite");
        }
    }

    #[test]
    fn pixels_are_crisp() {
        let file = Scratch::new("png");
        let stage = stage_of("a", (1, 2, 2), |_, row, col| if row == col { 1.0 } else { 0.0 });
        contact_sheet(file.path(), &[stage.map(crate::picture::Map::Gray)], &Sheet::default()).expect("good");
        let (_, _, pixels) = file.png();
        let white = pixels.chunks(3).filter(|&pixel| pixel == [255; 3]).count();
        // Two squares of 150 x 150, and the end of the colour bar.
        assert!((45_000..45_100).contains(&white), "{white} white pixels");
    }

    #[test]
    fn nothing_to_draw_is_an_error_and_no_file() {
        let file = Scratch::new("png");
        let full = stage_of("full", (2, 3, 3), |_, _, _| 1.0);
        for (stages, sheet, word) in [
            (vec![], Sheet::default(), "stages"),
            (vec![full.clone(), Stage::new("void")], Sheet::default(), "void"),
            (vec![full.clone()], Sheet { times: 0, ..Sheet::default() }, "times"),
            (vec![full.clone()], Sheet { width: 10, ..Sheet::default() }, "width"),
            (vec![full.clone().range(2.0, 1.0)], Sheet::default(), "range"),
        ] {
            let error = contact_sheet(file.path(), &stages, &sheet).expect_err(word).to_string();
            assert!(error.contains(word), "{error} says {word}");
            assert!(!file.path().exists(), "no file for {word}");
        }
        let nowhere = file.path().join("no/such/folder.png");
        let error = contact_sheet(nowhere, &[full], &Sheet::default()).expect_err("no folder");
        assert!(matches!(error, Error::Io { .. }), "{error}");
    }
}
