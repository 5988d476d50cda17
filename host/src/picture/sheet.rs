//! A contact sheet: the stages of a model in rows, each at the same times.

use super::canvas::{Canvas, Zoom};
use super::color::{INK, MUTED, NOT_FINITE, Rgb, Scale};
use super::no_picture;
use super::stage::Stage;
use super::stages::{Column, Row, Stages};
use super::text::{Align, Type, Weight};
use super::ticks::{TimeFormat, number};
use crate::Error;
use crate::error::in_range;
use std::path::Path;

/// The layout of a [`contact_sheet`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Headline; none by default.
    pub title: Option<String>,
    /// Number of times (columns), at least 1; fewer if there are fewer frames, or if large frames then fill the width
    /// better. Default 6.
    pub times: usize,
    /// Largest width of the sheet in pixels, 600 to 20000. Default 2160.
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
/// Space between two stages.
const ROW_GAP: usize = 22;
/// Space between names, frames and colour bars.
const GUTTER: usize = 32;
const NAME_WIDTH: f32 = 300.0;
const BAR: usize = 18;
/// Largest side of a frame on the page, if the frame itself is smaller.
const CELL: usize = 300;
/// Height of a line of notes.
const LINE: usize = 30;

/// One row of the sheet.
struct Line<'a> {
    stage: &'a Stage,
    row: &'a Row,
    scale: &'a Scale,
    /// Rows and columns of its frames.
    size: (usize, usize),
    notes: Vec<String>,
    zoom: Zoom,
}

impl Line<'_> {
    /// The numbers at the ends of the colour bar, and their names.
    fn ends(&self) -> [String; 2] {
        let [low, high] = self.stage.end_names();
        let end = |value, name: &str| format!("{} {name}", number(value)).trim_end().to_owned();
        [end(self.scale.low, low), end(self.scale.high, high)]
    }

    fn height(&self) -> usize {
        self.zoom.size(self.size).0.max(LINE * (self.notes.len() + 1) + 4)
    }
}

/// Writes a PNG with a row for each channel of each stage, and a column for each of several times. The recording is divided
/// into equal parts; each column shows the most active frame of the last stage in one part.
///
/// Each row shows its name, the size of its frames in pixels (width x height), the meaning of its values, its own colours
/// and a colour bar with numbers. A pointed end of the bar means that there are values outside the range. Samples are
/// squares of whole pixels; frames that are too large for the width are reduced by an integer factor. The number of columns
/// is the one that fills the width best.
///
/// # Errors
/// [`Error::Picture`] where there is no frame or the page would be too large; [`Error::Parameter`] where `times`, `width` or
/// the range of a stage is invalid (then nothing is written); [`Error::Io`] where the file cannot be written.
pub fn contact_sheet(path: impl AsRef<Path>, stages: &Stages, sheet: &Sheet) -> Result<(), Error> {
    let path = path.as_ref();
    in_range("contact_sheet", "times", sheet.times, sheet.times > 0, "at least 1")?;
    let good = (600..=20_000).contains(&sheet.width);
    in_range("contact_sheet", "width", sheet.width, good, "600 to 20000 pixels")?;
    if stages.column_count() == 0 {
        return Err(no_picture(path, "no frames"));
    }

    let scales = stages.scales()?;
    let first = stages.columns(1);
    let sizes = first.iter().flat_map(|column| &column.frames).map(|frame| frame.dim());
    let mut lines: Vec<Line<'_>> =
        stages.rows().zip(sizes).map(|((stage, row), size)| line(stage, row, &scales, size)).collect();
    let names = lines
        .iter()
        .flat_map(|line| line.notes.iter().map(|note| NOTE.width(note)).chain([NAME.width(&line.row.name)]));
    let names = names.fold(0.0_f32, f32::max).min(NAME_WIDTH).ceil() as usize;
    let numbers = lines.iter().flat_map(Line::ends).map(|end| NOTE.width(&end)).fold(0.0_f32, f32::max).ceil() as usize;
    let around = 2 * MARGIN + names + 2 * GUTTER + BAR + 10 + numbers;
    let count = fit_columns(&mut lines, sheet.times.min(stages.column_count()), sheet.width.saturating_sub(around));
    let columns = stages.columns(count);

    let times: Vec<f64> = columns.iter().map(|column| column.time).collect();
    let cell = lines.iter().map(|line| line.zoom.size(line.size).1).max().unwrap_or(1);
    let step = times.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
    let format = TimeFormat::new(&times, step);
    let labels: Vec<String> = times.iter().map(|&time| format.write(time)).collect();
    let label = labels.iter().map(|label| TIME.width(label)).fold(0.0, f32::max).ceil() as usize;
    let pitch = cell.max(label + 6) + GAP;
    let left = MARGIN + names + GUTTER;
    let bars = left + columns.len() * pitch - GAP + GUTTER;
    let title = sheet.title.as_ref().map_or(0, |_| 68);
    let top = MARGIN + title + 36;
    let height: usize = lines.iter().map(|line| line.height() + ROW_GAP).sum();
    let broken = columns.iter().flat_map(|column| &column.frames).flatten().any(|sample| !sample.is_finite());
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
    for (index, line) in lines.iter().enumerate() {
        draw_names(&mut page, line, y + line.height() / 2, names as f32);
        draw_frames(&mut page, (line, index), &columns, (left, y), pitch);
        draw_bar(&mut page, line, (bars, y));
        y += line.height() + ROW_GAP;
    }
    if broken {
        let base = y - ROW_GAP + foot;
        page.area((left, base - 16), (BAR, BAR), NOT_FINITE);
        page.text(((left + BAR + 12) as f32, base as f32), NOTE, Align::Left, MUTED, "not finite");
    }
    page.save(path)
}

/// A row, before the size of its frames on the page is known.
fn line<'a>(stage: &'a Stage, row: &'a Row, scales: &'a [Scale], size: (usize, usize)) -> Line<'a> {
    let (height, width) = row.size;
    let noun = if height * width == 1 { "pixel" } else { "pixels" };
    let mut notes = vec![format!("{width} \u{d7} {height} {noun}")];
    notes.extend(stage.about().map(str::to_owned));
    Line { stage, row, scale: &scales[row.stage], size, notes, zoom: Zoom::fit((1, 1), (1, 1)) }
}

/// Chooses the number of columns, `most` at most, that fills the space best, and the zoom of the frames.
fn fit_columns(lines: &mut [Line<'_>], most: usize, room: usize) -> usize {
    // Stages of about the same size have the same zoom, so that positions match.
    let largest = lines.iter().map(|line| line.size).fold((0, 0), |a, b| (a.0.max(b.0), a.1.max(b.1)));
    let zoom = |size: (usize, usize), columns: usize| {
        let cell = (room / columns).saturating_sub(GAP);
        let alike = 2 * size.0 >= largest.0 && 2 * size.1 >= largest.1;
        let size = if alike { largest } else { size };
        let side = CELL.max(size.0).max(size.1).min(cell.max(16));
        Zoom::fit(size, (side, side))
    };
    let used = |columns: usize| columns * zoom(largest, columns).size(largest).1;
    // The largest number of columns among those that fill as much.
    let count = (1..=most).rev().fold(most, |best, columns| if used(columns) > used(best) { columns } else { best });
    for line in lines {
        line.zoom = zoom(line.size, count);
    }
    count
}

/// Name and notes of a row, centred on the pixel row `middle`.
fn draw_names(page: &mut Canvas, line: &Line<'_>, middle: usize, width: f32) {
    let mut base = middle as f32 - 4.0 - (LINE * (line.notes.len() - 1)) as f32 / 2.0;
    let name = NAME.fit(&line.row.name, width);
    page.text((MARGIN as f32, base), NAME, Align::Left, INK, &name);
    for note in &line.notes {
        base += LINE as f32;
        page.text((MARGIN as f32, base), NOTE, Align::Left, MUTED, &NOTE.fit(note, width));
    }
}

/// The frames of row `index`, with their upper left corner at `(x, y)`.
fn draw_frames(
    page: &mut Canvas,
    (line, index): (&Line<'_>, usize),
    columns: &[&Column],
    (x, y): (usize, usize),
    pitch: usize,
) {
    let colors: Vec<Rgb> = line.scale.map.colors(256);
    for (column, shown) in columns.iter().enumerate() {
        let frame = &shown.frames[index];
        let (rows, cols) = line.zoom.size(frame.dim());
        let corner = (x + column * pitch + (pitch - GAP - cols) / 2, y + (line.height() - rows) / 2);
        let small = line.zoom.shrink(&frame.view(), line.stage.shrinking());
        page.frame(corner, &small.view(), line.zoom, line.scale, &colors);
    }
}

/// The vertical colour bar of a row, with numbers; an end with values outside is pointed.
fn draw_bar(page: &mut Canvas, line: &Line<'_>, (x, y): (usize, usize)) {
    let (scale, height) = (line.scale, line.height());
    let colors = scale.map.colors(height);
    for (row, &color) in colors.iter().rev().enumerate() {
        let from_end = |outside: bool, distance: usize| if outside { (2 * distance + 1).min(BAR) } else { BAR };
        let width = from_end(scale.outside.1, row).min(from_end(scale.outside.0, height - 1 - row));
        page.area((x + (BAR - width) / 2, y + row), (width, 1), color);
    }
    let mut label = |row: f32, text: &str| {
        page.text(((x + BAR + 10) as f32, y as f32 + row), NOTE, Align::Left, MUTED, text);
    };
    let [low, high] = line.ends();
    label(17.0, &high);
    label(height as f32 - 1.0, &low);
    if height >= 3 * 28 {
        label(height as f32 / 2.0 + 8.0, &number((scale.low + scale.high) / 2.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::stages::tests::{Scratch, stage_of, stages_of};

    #[test]
    fn every_shape_of_input_becomes_a_picture() {
        let ramp: fn(usize, usize, usize) -> f32 = |t, row, col| (t + row) as f32 - col as f32;
        let one = |size, value: fn(usize, usize, usize) -> f32| stage_of(Stage::new("a"), size, value);
        let two =
            |frames, sizes: [(usize, usize); 2]| stages_of(frames, sizes.map(|size| (Stage::new("a"), size, ramp)));
        for (case, stages) in [
            ("one pixel", one((1, 1, 1), |_, _, _| 1.0)),
            ("one frame", one((1, 24, 32), ramp)),
            ("wide", one((9, 1, 700), ramp)),
            ("tall", one((9, 300, 1), ramp)),
            ("large", two(3, [(480, 640), (471, 631)])),
            ("a pixel of many", two(9, [(96, 128), (1, 1)])),
            ("zeros", one((9, 5, 5), |_, _, _| 0.0)),
            ("not finite", one((9, 5, 5), |t, _, _| [f32::NAN, f32::INFINITY][t % 2])),
            ("unnamed", stage_of(Stage::new(""), (9, 5, 5), ramp)),
            ("long name", stage_of(Stage::new("name ".repeat(50)).unit("unit ".repeat(50)), (9, 5, 5), ramp)),
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
        let gray = Stage::new("a").map(crate::picture::Map::Gray);
        let stages = stage_of(gray, (1, 2, 2), |_, row, col| if row == col { 1.0 } else { 0.0 });
        contact_sheet(file.path(), &stages, &Sheet::default()).expect("good");
        let (_, _, pixels) = file.png();
        let white = pixels.chunks(3).filter(|&pixel| pixel == [255; 3]).count();
        // Two squares of 150 x 150, and the end of the colour bar.
        assert!((45_000..45_100).contains(&white), "{white} white pixels");
    }

    #[test]
    fn nothing_to_draw_is_an_error_and_no_file() {
        let file = Scratch::new("png");
        let full = || stage_of(Stage::new("full"), (2, 3, 3), |_, _, _| 1.0);
        for (stages, sheet, word) in [
            (Stages::new([]), Sheet::default(), "frames"),
            (Stages::new([Stage::new("void")]), Sheet::default(), "frames"),
            (full(), Sheet { times: 0, ..Sheet::default() }, "times"),
            (full(), Sheet { width: 10, ..Sheet::default() }, "width"),
            (stage_of(Stage::new("a").range(2.0, 1.0), (1, 1, 1), |_, _, _| 1.0), Sheet::default(), "range"),
        ] {
            let error = contact_sheet(file.path(), &stages, &sheet).expect_err(word).to_string();
            assert!(error.contains(word), "{error} says {word}");
            assert!(!file.path().exists(), "no file for {word}");
        }
        let nowhere = file.path().join("no/such/folder.png");
        let error = contact_sheet(nowhere, &full(), &Sheet::default()).expect_err("no folder");
        assert!(matches!(error, Error::Io { .. }), "{error}");
    }

    /// Frames of common sensors fill most of the allowed width.
    #[test]
    fn large_frames_use_the_width() {
        for (size, columns) in [((96, 128), 6), ((240, 320), 5), ((260, 346), 4), ((180, 320), 5), ((8, 8), 6)] {
            let stages = stage_of(Stage::new("a"), (16, size.0, size.1), |t, row, _| (t + row) as f32);
            let (scales, first) = (stages.scales().expect("good"), stages.columns(1));
            let frames = first.iter().flat_map(|column| &column.frames).map(|frame| frame.dim());
            let mut lines: Vec<_> =
                stages.rows().zip(frames).map(|((stage, row), size)| line(stage, row, &scales, size)).collect();
            let count = fit_columns(&mut lines, 6, 1700);
            let used = count * (lines[0].zoom.size(size).1 + GAP);
            assert!(count == columns && (1400..=1714).contains(&used), "{size:?}: {count} columns, {used} pixels");
        }
    }
}
