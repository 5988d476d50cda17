//! Pictures of the weights of layers.

use foveola::layers::{Conv1d, Conv2d, Conv3d, Rf, SmoothConv};
use foveola::picture::{Curve, CurvePanel, ImagePanel, PlotPanel};
use foveola::{Model, Result};
use foveola_core::Shape;
use ndarray::{Array2, Array3, Array5, ArrayView3, Axis, s};

/// The picture of the weights of one layer.
pub(super) struct Page {
    /// The file, without an ending.
    pub(super) stem: String,
    pub(super) title: String,
    pub(super) notes: Vec<String>,
    pub(super) rows: Vec<(usize, usize, Vec<PlotPanel>)>,
}

/// The kernels of a layer: each with a name, as an impulse response (time, row, col).
pub(in crate::commands) struct Kernels {
    pub(in crate::commands) kernels: Vec<(String, Array3<f32>)>,
    /// How many there are, with those that are not drawn.
    count: usize,
    /// The weights (out, in) of a layer that mixes channels of one pixel.
    mixing: Option<Array2<f32>>,
    /// Distance between taps in time, rows and columns.
    dilation: [usize; 3],
    /// Whether the weight lies on the frame as it is, instead of around a pixel.
    fixed: bool,
    /// Frames of the input for each step of time.
    every: u64,
}

/// The most kernels that are drawn.
const MOST: usize = 8;

/// A page for each layer with weights.
pub(super) fn pages(model: &Model, frame: Shape, dt: f64) -> Result<Vec<Page>> {
    let mut pages = Vec::new();
    let layers = model.summary(frame)?;
    for (index, layer) in layers.iter().enumerate() {
        if let Some(kernels) = kernels(model, index, layer.rate.every) {
            pages.push(kernels.page(&layer.name, layer.kind, dt));
        }
    }
    Ok(pages)
}

/// The kernels of a layer, which has a frame of output for `every` frames of the model's input.
pub(in crate::commands) fn kernels(model: &Model, index: usize, every: u64) -> Option<Kernels> {
    let all = |weight: Array5<f32>, stride: usize, dilation: [usize; 3], fixed: bool| {
        let (out, ins, ..) = weight.dim();
        let pairs = (0..out).flat_map(|o| (0..ins).map(move |i| (o, i)));
        let kernels = pairs.take(MOST).map(|(o, i)| {
            let name = match (out, ins) {
                (1, 1) => String::new(),
                (_, 1) => format!("output {o}"),
                _ => format!("output {o}, input {i}"),
            };
            (name, weight.slice(s![o, i, .., .., ..]).to_owned())
        });
        let every = every / stride.max(1) as u64;
        let one = weight.len() == out * ins && out * ins > 1;
        let mixing = one.then(|| weight.slice(s![.., .., 0, 0, 0]).to_owned());
        Kernels { kernels: kernels.collect(), mixing, count: out * ins, dilation, fixed, every }
    };
    if let Some(conv) = model.layer::<Conv3d>(index) {
        return Some(all(conv.weight(), conv.stride()[0], conv.dilation(), false));
    }
    if let Some(conv) = model.layer::<Conv2d>(index) {
        return Some(all(conv.weight(), conv.stride()[0], conv.dilation(), false));
    }
    if let Some(conv) = model.layer::<Conv1d>(index) {
        return Some(all(conv.weight(), conv.stride()[0], conv.dilation(), false));
    }
    if let Some(field) = model.layer::<Rf>(index) {
        // As it lies on the frame.
        let weight = field.weight().slice_move(s![.., .., .., ..;-1, ..;-1]);
        let uniform = weight.dim().3 * weight.dim().4 == 1;
        return (!uniform).then(|| all(weight, 1, [1; 3], true));
    }
    let chain = model.layer::<SmoothConv>(index)?;
    let weight = chain.weight();
    let stages = weight.axis_iter(Axis(0)).zip(chain.taus()).enumerate().take(MOST).map(|(stage, (kernel, tau))| {
        let name = format!("stage {}, {} ms", stage + 1, (tau * 1e6).round() * 1e-3);
        (name, kernel.insert_axis(Axis(0)).to_owned())
    });
    let count = weight.len_of(Axis(0));
    Some(Kernels { kernels: stages.collect(), mixing: None, count, dilation: [1; 3], fixed: false, every })
}

impl Kernels {
    /// Whether it mixes channels of one pixel.
    pub(in crate::commands) fn mixes(&self) -> bool {
        self.mixing.is_some()
    }

    /// Milliseconds from one tap to the next, with frames of `dt` seconds.
    pub(in crate::commands) fn step(&self, dt: f64) -> f64 {
        dt * 1e3 * self.every as f64 * self.dilation[0] as f64
    }

    /// Position of the first row (axis 1) or column (2) of `len`, and distance from one to the next, in pixels.
    pub(in crate::commands) fn steps(&self, axis: usize, len: usize) -> (f64, f64) {
        // The middle of the dilated kernel, as in convolutions.
        let dilation = self.dilation[axis];
        let extent = dilation * (len - 1) + 1;
        let middle = if self.fixed { 0 } else { extent - 1 - extent / 2 };
        (-(middle as f64), dilation as f64)
    }

    fn page(self, name: &str, kind: &str, dt: f64) -> Page {
        let (_, first) = &self.kernels[0];
        let (t, r, c) = first.dim();
        let frames = if t > 1 { format!("{t} frames of ") } else { String::new() };
        let mut title = format!("Weights of {name} ({kind}): {frames}{r} x {c} pixels");
        if self.mixing.is_none() && self.kernels.len() < self.count {
            title += &format!(", the first {} of {} kernels", self.kernels.len(), self.count);
        }
        let about = if self.fixed {
            "The weight of each pixel of the frame, and the time since that frame."
        } else {
            "What a flash of one pixel becomes: distance from that pixel, and time since the flash."
        };
        let (mut rows, step) = (Vec::new(), self.step(dt));
        if let Some(mixing) = self.mixing {
            let image = ImagePanel::new("Between channels", "input of its group", "output", mixing);
            rows.push((2, 500, vec![ImagePanel { numbers: true, square: true, ..image }.into()]));
        } else if r * c == 1 {
            let curve = |(name, kernel): &(String, Array3<f32>)| {
                let points = kernel.iter().enumerate().map(|(t, w)| (t as f64 * step, f64::from(*w)));
                Curve::new(name.clone(), points.collect::<Vec<_>>()).dots()
            };
            let curves: Vec<Curve> = self.kernels.iter().map(curve).collect();
            rows.push((1, 500, vec![CurvePanel::new("In time", "time since the flash [ms]", "weight", curves).into()]));
        } else {
            let panels: Vec<PlotPanel> =
                self.kernels.iter().flat_map(|(name, kernel)| self.panels(name, kernel.view(), step)).collect();
            let height = if panels.len() > 2 || 2 * r < c { 460 } else { 640 };
            let columns = if panels.len() < 3 { 2 } else { panels.len().min(4) };
            rows.extend(panels.chunks(columns).map(|panels| (columns, height, panels.to_vec())));
        }
        Page { stem: format!("weights-{name}"), title, notes: vec![about.into()], rows }
    }

    /// A kernel in space, in the frame with the largest weights; and in space and time, if it has several frames.
    fn panels(&self, name: &str, kernel: ArrayView3<'_, f32>, step: f64) -> Vec<PlotPanel> {
        let (frames, rows, cols) = kernel.dim();
        let power = |values: &mut dyn Iterator<Item = &f32>| values.map(|w| f64::from(*w).powi(2)).sum::<f64>();
        let strongest = |axis: Axis| {
            let all = kernel.axis_iter(axis).enumerate().map(|(i, part)| (i, power(&mut part.iter())));
            all.reduce(|a, b| if b.1 > a.1 { b } else { a }).map_or(0, |(i, _)| i)
        };
        let frame = strongest(Axis(0));
        let time = if frames > 1 { format!("after {} ms", frame as f64 * step) } else { String::new() };
        let title = [name, &time].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        let image = |title: String, x: &str, y: &str, values: Array2<f32>| ImagePanel::new(title, x, y, values);
        let in_space = ImagePanel {
            square: true,
            numbers: true,
            columns: self.steps(2, cols),
            rows: self.steps(1, rows),
            ..image(title, "column [px]", "row [px]", kernel.index_axis(Axis(0), frame).to_owned())
        };
        if frames == 1 {
            return vec![in_space.into()];
        }
        // Through the middle of the axis along which the kernel varies more.
        let plane = kernel.index_axis(Axis(0), frame);
        let varies = |axis: usize| -> f64 {
            let pairs = plane.axis_windows(Axis(axis), 2).into_iter();
            pairs
                .flat_map(|pair| {
                    pair.lanes(Axis(axis))
                        .into_iter()
                        .map(|lane| f64::from(lane[1] - lane[0]).powi(2))
                        .collect::<Vec<_>>()
                })
                .sum()
        };
        let along_rows = rows > 1 && (cols == 1 || varies(0) > varies(1));
        let (values, x, columns) = if along_rows {
            (kernel.index_axis(Axis(2), strongest(Axis(2))).to_owned(), "row [px]", self.steps(1, rows))
        } else {
            (kernel.index_axis(Axis(1), strongest(Axis(1))).to_owned(), "column [px]", self.steps(2, cols))
        };
        let title = if name.is_empty() { "In space and time".to_owned() } else { format!("{name}, space and time") };
        let in_time = ImagePanel { columns, rows: (0.0, step), ..image(title, x, "time since the flash [ms]", values) };
        vec![in_space.into(), in_time.into()]
    }
}
