//! An animation: the stages of a model side by side, as a GIF that repeats forever.
//!
//! A GIF has one palette of 256 colours: sixteen from background to text colour, one for samples that are not finite, one
//! that means "unchanged", and up to 63 for each of the colour maps in use.

use super::canvas::{Zoom, paint};
use super::color::{INK, Map, NOT_FINITE, PAGE, Rgb, Scale, blend};
use super::gif_file::GifFile;
use super::no_picture;
use super::shrink::Shrink;
use super::stage::{Stage, check_range};
use super::stages::{Row, Stages};
use super::text::{Align, Type, Weight};
use super::ticks::{TimeFormat, number};
use crate::Error;
use crate::error::in_range;
use ndarray::ArrayView2;
use std::path::{Path, PathBuf};

/// The layout of an animation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Animation {
    /// Frames per second, 1 to 50. Default 20. A GIF counts in hundredths of a second.
    pub rate: f32,
    /// Largest side of a panel in pixels, 64 to 2000. Default 288.
    pub side: usize,
    /// Panels per row, at least 1. Default 4.
    pub columns: usize,
    /// Seconds of the recording between two frames, which determine the precision of the times. Default 1 ms; [`animation`]
    /// uses the times of its frames.
    pub dt: f64,
}

impl Default for Animation {
    fn default() -> Self {
        Self { rate: 20.0, side: 288, columns: 4, dt: 1e-3 }
    }
}

/// One panel of an animation that is written frame by frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Its name.
    pub name: String,
    /// Rows of a frame, at least 1.
    pub rows: usize,
    /// Columns of a frame, at least 1.
    pub cols: usize,
    /// Values of the first and the last colour.
    pub range: (f32, f32),
    /// Colours; by default [`Map::Polar`] if the range includes values below 0, else [`Map::Ember`].
    pub map: Option<Map>,
    /// How frames that are larger than a panel are reduced.
    pub shrink: Shrink,
}

/// Writes the kept frames of a model's stages as an animation, with all channels of all stages side by side.
///
/// The colours cover the range of all kept frames, as in a contact sheet. To write frames as they arrive, see
/// [`AnimationWriter`].
///
/// # Errors
/// [`Error::Picture`] where there is no frame or the page would be too large; [`Error::Parameter`] where an option or the
/// range of a stage is invalid (then nothing is written); [`Error::Io`] where the file cannot be written.
pub fn animation(path: impl AsRef<Path>, stages: &Stages, options: &Animation) -> Result<(), Error> {
    let path = path.as_ref();
    if stages.is_empty() {
        return Err(no_picture(path, "no frames"));
    }
    let times = stages.times();
    let step = times.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
    let scales = stages.scales()?;
    let head = |(stage, row): (&Stage, &Row)| Head {
        name: row.name.clone(),
        ends: stage.end_names().clone(),
        size: row.frames.first().map_or((1, 1), |frame| frame.dim()),
        scale: scales[row.stage].clone(),
        shrink: stage.shrinking(),
    };
    let heads = stages.rows().map(head).collect();
    let options = Animation { dt: if step.is_finite() && step > 0.0 { step } else { options.dt }, ..*options };
    let mut writer = AnimationWriter::with_heads(path, heads, &options, times.last().copied().unwrap_or(0.0))?;
    for (index, time) in times.iter().enumerate() {
        let frames: Vec<_> = stages.rows().map(|(_, row)| row.frames[index].view()).collect();
        writer.push(*time, &frames)?;
    }
    writer.finish()
}

const NAME: Type = Type::new(Weight::Bold, 17.0);
const NUMBER: Type = Type::new(Weight::Regular, 14.0);
const TIME: Type = Type::new(Weight::Regular, 16.0);

const MARGIN: usize = 22;
const GAP: usize = 20;
/// Above a panel: its name; above the last panel of the first row, also the time.
const HEAD: usize = 30;
const CLOCK: usize = 80;
/// The smallest width of a panel.
const NARROW: usize = 160;
/// Below a panel: its colour bar and numbers.
const FOOT: usize = 38;
const BAR: usize = 7;

/// Text colours, from background to full.
const SHADES: usize = 16;
/// The largest number of colours of a map: an odd number, so that 0 has the middle colour. With fewer colours more pixels
/// stay unchanged, and a frame is written faster and in fewer bytes.
const COLORS: usize = 63;
const BROKEN: u8 = SHADES as u8;
const AS_BEFORE: u8 = SHADES as u8 + 1;
/// Strength of the text colour of notes.
const SOFT: f32 = 0.62;

/// The properties of a panel that are known beforehand.
struct Head {
    name: String,
    /// The names of the lowest and the highest colour.
    ends: [String; 2],
    /// Rows and columns of its frames.
    size: (usize, usize),
    scale: Scale,
    shrink: Shrink,
}

/// A panel and its position on the page.
struct Place {
    rows: usize,
    cols: usize,
    scale: Scale,
    zoom: Zoom,
    shrink: Shrink,
    corner: (usize, usize),
    /// First colour of its map in the palette.
    color: u8,
}

/// Writes an animation frame by frame. Memory use does not depend on the number of frames.
///
/// ```
/// use foveola::picture::{Animation, AnimationWriter, Panel, Shrink};
/// use ndarray::Array2;
///
/// let path = std::env::temp_dir().join(format!("foveola-doc-animation-{}.gif", std::process::id()));
/// let panel = Panel { name: "input".into(), rows: 9, cols: 9, range: (-1.0, 1.0), map: None, shrink: Shrink::Largest };
/// let mut gif = AnimationWriter::create(&path, &[panel], &Animation::default())?;
/// for t in 0..20 {
///     let frame = Array2::from_shape_fn((9, 9), |(row, col)| ((row + col + t) as f32).sin());
///     gif.push(t as f64 * 1e-3, &[frame.view()])?;
/// }
/// gif.finish()?;
/// # std::fs::remove_file(path).expect("written above");
/// # Ok::<(), foveola::Error>(())
/// ```
pub struct AnimationWriter {
    path: PathBuf,
    places: Vec<Place>,
    colors: usize,
    palette: Vec<u8>,
    width: usize,
    page: Vec<u8>,
    delay: u16,
    /// The right end of the time label, in columns of the page.
    clock: usize,
    dt: f64,
    end: f64,
    /// Created with the first frame.
    file: Option<GifFile>,
}

impl core::fmt::Debug for AnimationWriter {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("AnimationWriter").field("path", &self.path).finish_non_exhaustive()
    }
}

impl AnimationWriter {
    /// An animation with `panels`. The file is created with the first frame.
    ///
    /// # Errors
    /// [`Error::Picture`] where there is no panel or the page would be too large; [`Error::Parameter`] where an option or a
    /// panel is invalid.
    pub fn create(path: impl AsRef<Path>, panels: &[Panel], options: &Animation) -> Result<Self, Error> {
        let mut heads = Vec::new();
        for panel in panels {
            let size = (panel.rows, panel.cols);
            let good = (1..=1 << 20).contains(&size.0) && (1..=1 << 20).contains(&size.1);
            in_range("panel", "size", format!("{} x {}", size.0, size.1), good, "1 to 2^20 rows and columns")?;
            check_range(Some(panel.range))?;
            let scale = Scale::of(core::iter::empty(), panel.map, Some(panel.range), false);
            let scale = Scale { outside: (false, false), ..scale };
            let (name, ends) = (panel.name.clone(), Default::default());
            heads.push(Head { name, ends, size, scale, shrink: panel.shrink });
        }
        Self::with_heads(path.as_ref(), heads, options, 0.0)
    }

    /// `end` is the largest expected time, or 0 if it is unknown; it determines the unit.
    fn with_heads(path: &Path, panels: Vec<Head>, options: &Animation, end: f64) -> Result<Self, Error> {
        const ITEM: &str = "animation";
        let &Animation { rate, side, columns, dt } = options;
        in_range(ITEM, "rate", rate, (1.0..=50.0).contains(&rate), "1 to 50 frames per second")?;
        in_range(ITEM, "side", side, (64..=2000).contains(&side), "64 to 2000 pixels")?;
        in_range(ITEM, "columns", columns, columns > 0, "at least 1")?;
        in_range(ITEM, "dt", dt, dt.is_finite() && dt > 0.0, "a finite number of seconds above 0")?;
        if panels.is_empty() {
            return Err(no_picture(path, "no stages"));
        }

        let columns = columns.min(panels.len());
        let zooms: Vec<Zoom> = panels.iter().map(|panel| Zoom::fit(panel.size, (side, side))).collect();
        let sizes: Vec<(usize, usize)> = panels.iter().zip(&zooms).map(|(panel, zoom)| zoom.size(panel.size)).collect();
        let cell = sizes.iter().map(|size| size.1).max().unwrap_or(1).max(NARROW);
        let height = sizes.iter().map(|size| size.0).max().unwrap_or(1).max(16);
        let lines = panels.len().div_ceil(columns);
        let page_width = 2 * MARGIN + columns * (cell + GAP) - GAP;
        let page_height = 2 * MARGIN + lines * (HEAD + height + FOOT + GAP) - GAP;
        if page_width.max(page_height) > 16_000 || page_width * page_height > 1 << 26 {
            return Err(no_picture(path, format!("{page_width} x {page_height} pixels are too many")));
        }

        let mut maps: Vec<Map> = Vec::new();
        for panel in &panels {
            if !maps.contains(&panel.scale.map) {
                maps.push(panel.scale.map);
            }
        }
        let colors = ((256 - SHADES - 2) / maps.len()).min(COLORS);
        let mut palette: Vec<Rgb> =
            (0..SHADES).map(|shade| blend(PAGE, INK, shade as f32 / (SHADES - 1) as f32)).collect();
        palette.extend([NOT_FINITE, PAGE]);
        palette.extend(maps.iter().flat_map(|map| map.colors(colors)));

        let mut writer = Self {
            path: path.to_owned(),
            places: Vec::new(),
            colors,
            palette: palette.into_iter().flatten().collect(),
            width: page_width,
            page: vec![0; page_width * page_height],
            delay: (100.0 / rate).round() as u16,
            clock: page_width - MARGIN,
            dt,
            end,
            file: None,
        };
        for (index, ((panel, zoom), size)) in panels.into_iter().zip(zooms).zip(sizes).enumerate() {
            let x = MARGIN + index % columns * (cell + GAP);
            let y = MARGIN + index / columns * (HEAD + height + FOOT + GAP);
            let map = maps.iter().position(|&map| map == panel.scale.map).unwrap_or(0);
            let color = (SHADES + 2 + map * colors) as u8;
            let clock = if index + 1 == columns { CLOCK } else { 0 };
            writer.chrome((x, y), &panel, (cell, height), cell - clock, color);
            let corner = (x + (cell - size.1) / 2, y + HEAD + (height - size.0) / 2);
            let Head { size: (rows, cols), scale, shrink, .. } = panel;
            writer.places.push(Place { rows, cols, scale, zoom, shrink, corner, color });
        }
        Ok(writer)
    }

    /// The fixed parts around a panel: its name, of up to `width` pixels, colour bar and numbers.
    fn chrome(
        &mut self,
        (x, y): (usize, usize),
        panel: &Head,
        (cell, height): (usize, usize),
        width: usize,
        color: u8,
    ) {
        let name = NAME.fit(&panel.name, width as f32);
        self.text((x as f32, (y + 17) as f32), NAME, Align::Left, 1.0, &name);
        let bar = y + HEAD + height + 10;
        for column in 0..cell {
            let index = color + (column * self.colors / cell) as u8;
            self.area((x + column, bar), (1, BAR), index);
        }
        let base = (bar + BAR + 17) as f32;
        let at = |share: f32| x as f32 + share * cell as f32;
        let (scale, [low, high]) = (&panel.scale, &panel.ends);
        let middle = number((scale.low + scale.high) / 2.0);
        self.text((at(0.0), base), NUMBER, Align::Left, SOFT, &format!("{} {low}", number(scale.low)));
        self.text((at(0.5), base), NUMBER, Align::Middle, SOFT, &middle);
        let high = format!("{} {high}", number(scale.high));
        self.text((at(1.0), base), NUMBER, Align::Right, SOFT, high.trim_end());
    }

    /// Appends a frame: one array of rows x columns per panel, and the time in seconds. An array that is smaller than its
    /// panel is drawn in the upper left corner.
    ///
    /// # Errors
    /// [`Error::Parameter`] where the number of arrays is not that of the panels, an array is empty or larger than its
    /// panel, or the time is not finite (the animation is then unchanged); [`Error::Io`] where the file cannot be written.
    pub fn push(&mut self, time: f64, frames: &[ArrayView2<'_, f32>]) -> Result<(), Error> {
        const ITEM: &str = "animation";
        let count = frames.len();
        in_range(ITEM, "frames", count, count == self.places.len(), "one array for each panel")?;
        in_range(ITEM, "time", time, time.is_finite(), "a finite number of seconds")?;
        for (place, frame) in self.places.iter().zip(frames) {
            let (rows, cols) = frame.dim();
            let good = rows > 0 && cols > 0 && rows <= place.rows && cols <= place.cols;
            in_range(ITEM, "frame", format!("{rows} x {cols}"), good, "at most the rows and columns of its panel")?;
        }

        let places = core::mem::take(&mut self.places);
        for (place, frame) in places.iter().zip(frames) {
            if frame.dim() != (place.rows, place.cols) {
                let (height, width) = place.zoom.size((place.rows, place.cols));
                self.area(place.corner, (width, height), 0);
            }
            let color = |value| {
                let index = place.scale.index(value, self.colors);
                index.map_or(BROKEN, |index| place.color + index as u8)
            };
            let small = place.zoom.shrink(frame, place.shrink);
            paint(&mut self.page, self.width, place.corner, &small.view(), place.zoom.grow(), color);
        }
        self.places = places;
        self.area((self.clock - CLOCK, MARGIN), (CLOCK, HEAD - 4), 0);
        let label = TimeFormat::new(&[self.end, self.dt, 2.0 * self.dt], self.dt).write(time);
        self.text((self.clock as f32, (MARGIN + 17) as f32), TIME, Align::Right, 0.85, &label);
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let size = (self.width, self.page.len() / self.width);
                none.insert(GifFile::create(&self.path, size, &self.palette, AS_BEFORE, self.delay)?)
            }
        };
        file.push(&self.page)
    }

    /// Completes the file, which is not there before.
    ///
    /// # Errors
    /// [`Error::Picture`] where no frame was pushed (then there is no file); [`Error::Io`] where the file cannot be written.
    pub fn finish(self) -> Result<(), Error> {
        self.file.ok_or_else(|| no_picture(&self.path, "no frames"))?.finish()
    }

    /// Fills an area with a colour of the palette.
    fn area(&mut self, (x, y): (usize, usize), (width, height): (usize, usize), color: u8) {
        for row in self.page.chunks_mut(self.width).skip(y).take(height) {
            let end = (x + width).min(row.len());
            if let Some(pixels) = row.get_mut(x..end) {
                pixels.fill(color);
            }
        }
    }

    /// A line of text on the page, with a strength from 0 to 1.
    fn text(&mut self, at: (f32, f32), face: Type, align: Align, strength: f32, line: &str) {
        let width = self.width;
        let page = &mut self.page;
        face.draw(at, align, line, |x, y, coverage| {
            let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
            let pixel = page.get_mut(y * width + x).filter(|pixel| x < width && usize::from(**pixel) < SHADES);
            if let Some(pixel) = pixel {
                let shade = (coverage * strength * (SHADES - 1) as f32).round() as u8;
                *pixel = (*pixel).max(shade);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::stages::tests::{Scratch, stage_of, stages_of};
    use ndarray::Array2;
    use std::fs::File;

    /// Size and whole frames of a GIF, as colours.
    fn decode(file: &Scratch) -> (usize, usize, Vec<Vec<Rgb>>) {
        let mut decoder = gif::DecodeOptions::new().read_info(File::open(file.path()).expect("a file")).expect("a GIF");
        let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
        assert_eq!(decoder.repeat(), gif::Repeat::Infinite, "repeats");
        let palette = decoder.global_palette().expect("a palette").to_vec();
        let mut page = vec![PAGE; width * height];
        let mut pages = Vec::new();
        while let Some(frame) = decoder.read_next_frame().expect("a frame") {
            for (index, &color) in frame.buffer.iter().enumerate() {
                let (x, y) = (index % usize::from(frame.width), index / usize::from(frame.width));
                if Some(color) != frame.transparent {
                    let at = (y + usize::from(frame.top)) * width + x + usize::from(frame.left);
                    let color = usize::from(color) * 3;
                    page[at] = [palette[color], palette[color + 1], palette[color + 2]];
                }
            }
            pages.push(page.clone());
        }
        (width, height, pages)
    }

    #[test]
    fn every_shape_of_input_becomes_an_animation() {
        let ramp = |t: usize, row: usize, col: usize| (t + row) as f32 - col as f32;
        let of = |frames: usize, sizes: &[(usize, usize)]| {
            stages_of(frames, sizes.iter().map(|size| (Stage::new("a"), *size, ramp)))
        };
        let long = Stage::new("name ".repeat(50));
        for (case, stages, frames) in [
            ("one pixel", stage_of(Stage::new("a"), (1, 1, 1), |_, _, _| 1.0), 1),
            ("still", stage_of(Stage::new("a"), (4, 24, 32), |_, row, _| row as f32), 4),
            ("large", of(3, &[(480, 640), (471, 631)]), 3),
            ("seven", of(3, &[(9, 9), (10, 9), (11, 9), (12, 9), (13, 9), (14, 9), (15, 9)]), 3),
            ("not finite", stage_of(Stage::new("a"), (5, 5, 5), |_, _, _| f32::NAN), 5),
            ("long name", stage_of(long.ends("least of all", "most of all"), (9, 1, 500), ramp), 9),
        ] {
            let file = Scratch::new("gif");
            animation(file.path(), &stages, &Animation::default()).expect(case);
            let (width, height, pages) = decode(&file);
            assert_eq!(pages.len(), frames, "{case}");
            assert!((100..1400).contains(&width) && (100..1000).contains(&height), "{case}: {width} x {height}");
            let broken = pages.iter().flatten().any(|&color| color == NOT_FINITE);
            assert_eq!(broken, case == "not finite", "{case} in the colour of what is not finite");
        }
    }

    #[test]
    fn differences_add_up_to_whole_frames() {
        let value = |t: usize, row: usize, col: usize| if (row + t) % 7 == col % 7 { 1.0 } else { 0.0 };
        let file = Scratch::new("gif");
        animation(file.path(), &stage_of(Stage::new("a"), (9, 20, 20), value), &Animation::default()).expect("good");
        let (width, _, pages) = decode(&file);
        let colors = Map::Ember.colors(COLORS);
        for (t, page) in pages.iter().enumerate() {
            for (row, col) in [(0, 0), (3, 5), (19, 19), (10, 2)] {
                let (x, y) = (MARGIN + col * 14 + 5, MARGIN + HEAD + row * 14 + 5);
                let expected = if value(t, row, col) > 0.0 { colors[COLORS - 1] } else { colors[0] };
                assert_eq!(page[y * width + x], expected, "frame {t}, sample ({row}, {col})");
            }
        }
    }

    #[test]
    fn nothing_to_draw_is_an_error_and_no_file() {
        let file = Scratch::new("gif");
        let full = || stage_of(Stage::new("full"), (2, 3, 3), |_, _, _| 1.0);
        let many = stages_of(2, (0..300).map(|_| (Stage::new("full"), (3, 3), |_, _, _| 1.0)));
        let good = Animation::default();
        for (stages, options, word) in [
            (Stages::new([]), good, "frames"),
            (Stages::new([Stage::new("void")]), good, "frames"),
            (full(), Animation { rate: 0.0, ..good }, "rate"),
            (full(), Animation { rate: f32::NAN, ..good }, "rate"),
            (full(), Animation { side: 0, ..good }, "side"),
            (full(), Animation { columns: 0, ..good }, "columns"),
            (stage_of(Stage::new("a").range(2.0, 1.0), (1, 1, 1), |_, _, _| 1.0), good, "range"),
            (many, Animation { columns: 300, ..good }, "pixels"),
        ] {
            let error = animation(file.path(), &stages, &options).expect_err(word).to_string();
            assert!(error.contains(word), "{error} says {word}");
            assert!(!file.path().exists(), "no file for {word}");
        }
    }

    #[test]
    fn the_writer_checks_its_frames() {
        let file = Scratch::new("gif");
        let panel = Panel { name: "a".into(), rows: 2, cols: 3, range: (0.0, 1.0), map: None, shrink: Shrink::Mean };
        let bad = Panel { rows: 0, ..panel.clone() };
        assert!(AnimationWriter::create(file.path(), &[bad], &Animation::default()).is_err(), "no rows");
        let mut writer =
            AnimationWriter::create(file.path(), core::slice::from_ref(&panel), &Animation::default()).expect("good");
        let frame = Array2::zeros((2, 3));
        assert!(writer.push(0.0, &[]).is_err(), "no array");
        assert!(writer.push(f64::NAN, &[frame.view()]).is_err(), "no time");
        assert!(writer.push(0.0, &[Array2::zeros((3, 3)).view()]).is_err(), "another shape");
        assert!(!file.path().exists(), "no file yet");
        writer.push(0.0, &[frame.view()]).expect("good");
        writer.finish().expect("good");
        assert_eq!(decode(&file).2.len(), 1, "one frame");
        let empty = AnimationWriter::create(file.path(), &[panel], &Animation::default()).expect("good");
        assert!(empty.finish().is_err(), "no frames");
    }
}
