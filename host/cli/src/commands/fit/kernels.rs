//! The picture of a fitted kernel, before and after, in space and time.

use crate::commands::plot::weights::{Kernels, kernels};
use foveola::picture::{Curve, CurvePanel, ImagePanel, PlotPanel};
use foveola::{Model, Result, Shape};
use ndarray::{Array2, Array3, ArrayView3, Axis, s};

/// The most kernels of a layer that are drawn.
const MOST: usize = 3;
/// The most frames of a kernel side by side.
const FRAMES: usize = 12;
/// Height of a row of curves.
const CURVES: usize = 430;
/// Width of the axes of frames side by side, and height of what is around them.
const WIDTH: f64 = 1410.0;
const AROUND: f64 = 125.0;

/// A picture: rows of columns, height in pixels, and panels.
pub(super) struct Page {
    pub(super) layer: String,
    pub(super) rows: Vec<(usize, usize, Vec<PlotPanel>)>,
}

/// A page for each layer whose kernels the fit changed.
pub(super) fn pages(before: &Model, after: &Model, frame: Shape, dt: f64) -> Result<Vec<Page>> {
    let mut pages = Vec::new();
    for (index, layer) in after.summary(frame)?.iter().enumerate() {
        let of = |model: &Model| kernels(model, index, layer.rate.every);
        let (Some(before), Some(after)) = (of(before), of(after)) else { continue };
        if before.kernels == after.kernels || after.mixes() {
            continue;
        }
        let pairs = before.kernels.iter().zip(&after.kernels).take(MOST);
        let rows = pairs.flat_map(|((_, old), (name, new))| rows(&after, name, old.view(), new.view(), dt)).collect();
        pages.push(Page { layer: layer.name.clone(), rows });
    }
    Ok(pages)
}

/// Points of a curve.
type Points = Vec<(f64, f64)>;

/// The rows of one kernel.
fn rows(
    kernels: &Kernels,
    name: &str,
    before: ArrayView3<'_, f32>,
    after: ArrayView3<'_, f32>,
    dt: f64,
) -> Vec<(usize, usize, Vec<PlotPanel>)> {
    let (frames, rows, cols) = after.dim();
    let step = kernels.step(dt);
    let titled = |what: &str| if name.is_empty() { what.to_owned() } else { format!("{name}: {what}") };
    let (mut t, mut row, mut col) = (0, 0, 0);
    for (at, value) in after.indexed_iter() {
        if value.abs() > after[(t, row, col)].abs() {
            (t, row, col) = at;
        }
    }
    // The colours of all frames of a kernel are the same.
    let range = |kernel: ArrayView3<'_, f32>| {
        let most = kernel.iter().fold(f32::MIN_POSITIVE, |most, w| most.max(w.abs()));
        Some((-most, most))
    };
    // What was fitted lies in front.
    let both = |points: &dyn Fn(ArrayView3<'_, f32>) -> Points| {
        [Curve::new("after", points(after)).dots(), Curve::new("before", points(before)).dots()]
    };
    let in_time = |kernel: ArrayView3<'_, f32>| -> Points {
        let course = kernel.slice_move(s![.., row, col]);
        course.iter().enumerate().map(|(t, w)| (t as f64 * step, f64::from(*w))).collect()
    };
    if rows * cols == 1 {
        let title = titled("in time");
        return vec![(1, CURVES, vec![CurvePanel::new(title, TIME, "weight", both(&in_time)).into()])];
    }
    let (from_row, row_step) = kernels.steps(1, rows);
    let (from_col, col_step) = kernels.steps(2, cols);
    let place = [from_row + row_step * row as f64, from_col + col_step * col as f64];
    let profile = |kernel: ArrayView3<'_, f32>| -> Points {
        let line = kernel.slice_move(s![t, row, ..]);
        line.iter().enumerate().map(|(col, w)| (from_col + col_step * col as f64, f64::from(*w))).collect()
    };
    let image = |title: String, kernel: ArrayView3<'_, f32>| ImagePanel {
        square: true,
        columns: (from_col, col_step),
        rows: (from_row, row_step),
        range: range(kernel),
        ..ImagePanel::new(title, COLUMN, "row [px]", kernel.index_axis(Axis(0), t).to_owned())
    };
    let along = CurvePanel::new(titled(&format!("along row {}", place[0])), COLUMN, "weight", both(&profile));
    if frames == 1 {
        let images = [image(titled("before"), before), image(titled("after"), after)];
        let panels = images.map(PlotPanel::from).into_iter().chain([along.into()]);
        return vec![(3, CURVES, panels.collect())];
    }
    let shown: Vec<usize> = (0..frames.min(FRAMES)).map(|i| i * frames / frames.min(FRAMES)).collect();
    let height = WIDTH / (shown.len() * (cols + 1)) as f64 * rows as f64 + AROUND;
    let height = (height as usize).clamp(240, 700);
    let sheet = |title: &str, kernel: ArrayView3<'_, f32>| -> (usize, usize, Vec<PlotPanel>) {
        let distance = (shown.get(1).copied().unwrap_or(1) as f64 * step, cols + 1);
        let columns = (-distance.0 * ((cols - 1) as f64 / 2.0) / distance.1 as f64, distance.0 / distance.1 as f64);
        let values = side_by_side(&shown.iter().map(|t| kernel.index_axis(Axis(0), *t)).collect::<Vec<_>>());
        let image = ImagePanel::new(titled(title), TIME, "row [px]", values);
        (1, height, vec![ImagePanel { columns, rows: (from_row, row_step), range: range(kernel), ..image }.into()])
    };
    let at = format!("at row {}, column {}", place[0], place[1]);
    let course = CurvePanel::new(titled(&at), TIME, "weight", both(&in_time));
    let peak = image(titled(&format!("after the fit, {} ms", round(t as f64 * step))), after);
    let last = vec![peak.into(), course.into(), along.into()];
    vec![sheet("before the fit", before), sheet("after the fit", after), (3, CURVES, last)]
}

const TIME: &str = "time since the flash [ms]";
const COLUMN: &str = "column [px]";

fn round(ms: f64) -> f64 {
    (ms * 1e3).round() * 1e-3
}

/// Frames side by side, with a column of 0 between two of them.
fn side_by_side(frames: &[ndarray::ArrayView2<'_, f32>]) -> Array2<f32> {
    let (rows, cols) = frames.first().map_or((1, 1), ndarray::ArrayView2::dim);
    let mut sheet = Array3::zeros((rows, frames.len(), cols + 1));
    for (i, frame) in frames.iter().enumerate() {
        sheet.slice_mut(s![.., i, ..cols]).assign(frame);
    }
    let all = frames.len() * (cols + 1);
    let sheet = sheet.into_shape_with_order((rows, all)).unwrap_or_else(|_| Array2::zeros((rows, all)));
    // None behind the last one.
    sheet.slice_move(s![.., ..all - 1])
}
