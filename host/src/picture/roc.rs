//! ROC curves (receiver operating characteristic): signal retention of a filter over its noise retention.

use super::canvas::Canvas;
use super::color::{GRID, INK, MUTED};
use super::no_picture;
use super::text::{Align, Type, Weight};
use super::ticks::Ticks;
use super::traces::{THICK, draw_run, look};
use crate::Error;
use std::path::Path;

/// One set of axes of [`roc`].
#[derive(Debug, Clone, PartialEq)]
pub struct RocPanel {
    /// The title above the axes.
    pub title: String,
    /// A line per name: `(noise retention, signal retention)`, both 0 to 1.
    pub lines: Vec<Vec<(f64, f64)>>,
    /// The area under each line.
    pub areas: Vec<f64>,
}

const TITLE: Type = Type::new(Weight::Bold, 34.0);
const PANEL: Type = Type::new(Weight::Bold, 25.0);
const NAME: Type = Type::new(Weight::Regular, 24.0);
const NUMBER: Type = Type::new(Weight::Regular, 22.0);

const MARGIN: f32 = 44.0;
/// Side of a panel's axes.
const SIDE: f32 = 520.0;
/// Space to the left of the axes, for numbers; and between panels.
const LEFT: f32 = 58.0;
const GAP: f32 = 34.0;
/// Space above the axes, for the panel's title and the name of the vertical axis; and below them.
const ABOVE: f32 = 82.0;
const BELOW: f32 = 92.0;
/// Height of a line of the legend, and the length of its sample.
const LINE: f32 = 38.0;
const SWATCH: f32 = 44.0;
/// Width of a column of areas.
const AREA: f32 = 84.0;

/// Writes a PNG with rows of panels. Beside each row are the names of the lines and the area under each line in each panel.
///
/// The dotted diagonal is a filter that keeps events at random. From the ninth name on, the colours repeat with dashed
/// lines.
///
/// ```
/// use foveola::picture::{RocPanel, roc};
///
/// let line = vec![(0.0, 0.0), (0.1, 0.8), (1.0, 1.0)];
/// let panel = RocPanel { title: "a scene".into(), lines: vec![line], areas: vec![0.85] };
/// let path = std::env::temp_dir().join(format!("foveola-doc-roc-{}.png", std::process::id()));
/// roc(&path, "Filters", &["a filter"], &[vec![panel]])?;
/// # std::fs::remove_file(path).expect("written above");
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// [`Error::Picture`] without a panel, or where the page would be too large (then nothing is written); [`Error::Io`].
pub fn roc(path: impl AsRef<Path>, title: &str, names: &[&str], rows: &[Vec<RocPanel>]) -> Result<(), Error> {
    let path = path.as_ref();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    if columns == 0 {
        return Err(no_picture(path, "no panels"));
    }
    let pitch = LEFT + SIDE + GAP;
    let widest = names.iter().map(|name| NAME.width(name)).fold(0.0, f32::max);
    let legend = SWATCH + 14.0 + widest + 20.0 + AREA * columns as f32;
    let left = MARGIN + pitch * columns as f32 + 10.0;
    let height = (ABOVE + SIDE + BELOW).max(ABOVE + LINE * (names.len() as f32 + 1.0));
    let top = MARGIN + 60.0;
    let size = (left + legend + MARGIN, top + height * rows.len() as f32 + 10.0);
    let mut page = Canvas::new(path, size.0.ceil() as usize, size.1.ceil() as usize)?;
    let line = TITLE.fit(title, size.0 - 2.0 * MARGIN);
    page.text((MARGIN, MARGIN + 26.0), TITLE, Align::Left, INK, &line);
    for (row, panels) in rows.iter().enumerate() {
        let y = top + height * row as f32;
        for (column, panel) in panels.iter().enumerate() {
            draw_panel(&mut page, (MARGIN + pitch * column as f32 + LEFT, y + ABOVE), panel);
        }
        draw_legend(&mut page, (left, y + ABOVE), left + legend, names, panels);
    }
    page.save(path)
}

/// Axes with their corner at the upper left, and the lines.
fn draw_panel(page: &mut Canvas, (left, top): (f32, f32), panel: &RocPanel) {
    let (right, bottom) = (left + SIDE, top + SIDE);
    let place = |(noise, signal): (f64, f64)| (left + SIDE * noise as f32, bottom - SIDE * signal as f32);
    page.text((left, top - 52.0), PANEL, Align::Left, INK, &PANEL.fit(&panel.title, SIDE));
    page.text((left, top - 18.0), NUMBER, Align::Left, MUTED, "signal kept (TPR)");
    let ticks = Ticks::new(0.0, 1.0, 5);
    for &tick in &ticks.at {
        let (x, y) = place((tick, tick));
        page.area((left as usize, y as usize), (SIDE as usize, 1), GRID);
        page.area((x as usize, top as usize), (1, SIDE as usize), GRID);
        page.text((left - 12.0, y + 8.0), NUMBER, Align::Right, MUTED, &ticks.label(tick));
        page.text((x, bottom + 32.0), NUMBER, Align::Middle, MUTED, &ticks.label(tick));
    }
    page.text((right, bottom + 66.0), NUMBER, Align::Right, MUTED, "noise kept (FPR)");
    const DOTS: usize = 44;
    for dot in 0..=DOTS {
        let share = dot as f64 / DOTS as f64;
        page.line(&[place((share, share))], THICK, MUTED);
    }
    // The first lines are drawn above the later ones.
    for (index, line) in panel.lines.iter().enumerate().rev() {
        let (color, dash) = look(index);
        let points: Vec<_> = line.iter().map(|&point| place(point)).collect();
        draw_run(page, &points, color, dash);
    }
}

/// A line per name, with the areas in columns below the titles of the panels.
fn draw_legend(page: &mut Canvas, (left, top): (f32, f32), right: f32, names: &[&str], panels: &[RocPanel]) {
    let column = |index: usize| right - AREA * (panels.len() - 1 - index) as f32;
    page.text((right, top - 52.0), PANEL, Align::Right, INK, "area under the curve");
    for (index, panel) in panels.iter().enumerate() {
        let last = panel.title.rsplit(", ").next().unwrap_or_default();
        page.text((column(index), top - 18.0), NUMBER, Align::Right, MUTED, &NUMBER.fit(last, AREA - 8.0));
    }
    for (index, name) in names.iter().enumerate() {
        let y = top + LINE * (index as f32 + 0.5);
        let (color, dash) = look(index);
        draw_run(page, &[(left, y), (left + SWATCH, y)], color, dash);
        page.text((left + SWATCH + 14.0, y + 8.0), NAME, Align::Left, INK, name);
        for (at, panel) in panels.iter().enumerate() {
            let area = panel.areas.get(index).map(|area| format!("{area:.3}")).unwrap_or_default();
            page.text((column(at), y + 8.0), NUMBER, Align::Right, INK, &area);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::color::{OKABE_ITO, PAGE};
    use crate::picture::stages::tests::Scratch;

    #[test]
    fn a_curve_lies_where_its_points_are() {
        let file = Scratch::new("png");
        let line = vec![(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)];
        let panel = RocPanel { title: "a, 1 Hz".into(), lines: vec![line], areas: vec![1.0] };
        roc(file.path(), "title", &["perfect"], &[vec![panel.clone()], vec![panel]]).expect("drawn");
        let (width, height, pixels) = file.png();
        assert!((700..1200).contains(&width) && (1300..1700).contains(&height), "{width} x {height}");
        let at = |x: f32, y: f32| {
            let index = y as usize * width + x as usize;
            [pixels[3 * index], pixels[3 * index + 1], pixels[3 * index + 2]]
        };
        let (left, top) = (MARGIN + LEFT, MARGIN + 60.0 + ABOVE);
        assert_eq!(at(left, top + SIDE / 3.0), OKABE_ITO[0], "up at the left");
        assert_eq!(at(left + SIDE / 3.0, top), OKABE_ITO[0], "and along the top");
        assert_eq!(at(left + SIDE / 3.0 + 5.0, top + SIDE / 3.0 + 3.0), PAGE, "and nowhere else");
    }

    #[test]
    fn odd_panels_are_no_trouble() {
        let file = Scratch::new("png");
        let empty = RocPanel { title: "long ".repeat(50), lines: vec![vec![], vec![(0.5, 0.5)]], areas: vec![] };
        let names = ["name"; 40];
        roc(file.path(), &"title ".repeat(99), &names, &[vec![], vec![empty]]).expect("drawn");
        assert!(file.png().1 > 40 * LINE as usize, "room for all names");
        let file = Scratch::new("png");
        assert!(roc(file.path(), "", &[], &[vec![], vec![]]).is_err(), "no panels");
        assert!(!file.path().exists(), "and no file");
    }
}
