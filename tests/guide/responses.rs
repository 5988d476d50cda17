//! Draws the pictures of the guide: responses of the layers, measured by running them.
//!
//! `cargo run -p foveola-tests --example responses` writes them into `docs/guide/pictures`; an argument names another
//! folder. The frequency response is the discrete-time Fourier transform of the impulse response, in `f64`.

mod measure;

use foveola::kernels::{self, ExponentialFilter, GaussFilter};
use foveola::picture::{Curve, CurvePanel, Plot, Sheet, Stage, Stages, contact_sheet, curves};
use foveola::samples::{MovingBar, Size, moving_bar};
use foveola::{
    Border, Branches, Conv1d, Conv2d, Delay, Diff, HighPass, Layer, LowPass, Model, NLExponential, NLLogistic,
    NLPiecewiseLinear, NLRectify, NLRectifyScale, NLRectifySquare, NLSoftplus, NLSquare, PadMode, RF, Resolution,
    Result, SmoothConv, TimePadding, VariableDelay, models,
};
use foveola_core::events::{Event, EventFilter, Geometry, Neighbours, Stcf};
use measure::{
    Points, RATE, across_columns, gain_in_space, gain_in_time, impulse, in_space, in_space_and_time, in_time,
    over_degrees, over_time, step,
};
use ndarray::{Array1, Array2, Array3, Array5, arr2};
use std::path::{Path, PathBuf};

const RESOLUTION: Resolution = Resolution::DEFAULT;
const TIME: &str = "time [ms]";
const FREQUENCY: &str = "frequency [Hz]";
const GAIN: &str = "gain [dB]";
const DEGREES: &str = "column [degrees]";
const CYCLES: &str = "spatial frequency [cycles/degree]";

fn main() -> Result<()> {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/pictures"), PathBuf::from);
    let file = |name: &str| folder.join(name).with_extension("png");
    padding(&file("padding"))?;
    delays(&file("delays"))?;
    convolution_in_time(&file("conv1d"))?;
    convolution_in_space(&file("conv2d"))?;
    borders(&file("borders"))?;
    receptive_field(&file("receptive-field"))?;
    low_pass(&file("low-pass"))?;
    high_pass(&file("high-pass"))?;
    smooth_conv(&file("smooth-conv"))?;
    retina(&file("retina-impulse"))?;
    nonlinearities(&file("nonlinearities"))?;
    branches(&file("branches"))?;
    kernels_in_time(&file("exponential-kernels"))?;
    kernels_in_space(&file("gaussian-kernels"))?;
    event_filters(&file("event-filters"))?;
    tutorial(&file("tutorial"))
}

/// Writes panels beside each other.
fn draw(path: &Path, panels: &[CurvePanel]) -> Result<()> {
    println!("{}", path.display());
    curves(path, panels, &Plot { title: None, width: 440 * panels.len().max(2), height: 420 })
}

/// A named curve of each response.
fn named(responses: &[(String, Vec<f64>)], points: impl Fn(&[f64]) -> Points) -> Vec<Curve> {
    responses.iter().map(|(name, values)| Curve::new(name, points(values))).collect()
}

/// Impulse response, step response and gain of temporal layers.
/// `shown` frames of the first two; `range` is that of the impulse response, in which a high-pass is cut.
fn temporal(
    path: &Path,
    layers: Vec<(String, impl Layer + Clone)>,
    shown: usize,
    range: Option<(f64, f64)>,
) -> Result<()> {
    let (mut impulses, mut steps) = (Vec::new(), Vec::new());
    for (name, layer) in layers {
        impulses.push((name.clone(), in_time(layer.clone(), 2000, impulse)?));
        steps.push((name, in_time(layer, shown, step)?));
    }
    let mut first = CurvePanel::new("impulse response", TIME, "output", named(&impulses, |h| over_time(&h[..shown])));
    first.range = range;
    draw(
        path,
        &[
            first,
            CurvePanel::new("step response", TIME, "output", named(&steps, over_time)),
            CurvePanel::new("frequency response", FREQUENCY, GAIN, named(&impulses, gain_in_time))
                .logarithmic()
                .range(-40.0, 6.0),
        ],
    )
}

fn padding(path: &Path) -> Result<()> {
    const HISTORY: usize = 12;
    let chunk = Array3::from_shape_fn((6, 1, 1), |(t, ..)| [2.0_f32, 3.0, 2.5, 4.0, 5.0, 3.5][t]);
    let modes = [
        [(PadMode::Mirror, "mirror"), (PadMode::FullCopy, "full_copy")],
        [(PadMode::FirstFrame, "first_frame"), (PadMode::Mean, "mean")],
        [(PadMode::Ones, "ones"), (PadMode::Zeros, "zeros")],
    ];
    let mut panels = Vec::new();
    for pair in modes {
        let mut lines = Vec::new();
        for (mode, name) in pair {
            let mut model = Model::of(TimePadding::new(HISTORY, mode));
            let padded: Vec<f64> = model.process(&chunk)?.iter().map(|y| f64::from(*y)).collect();
            let points: Points = padded.iter().enumerate().map(|(i, y)| (i as f64 - HISTORY as f64, *y)).collect();
            lines.push(Curve::new(name, points).dots());
        }
        let title = pair.map(|(_, name)| name).join(" and ");
        panels.push(CurvePanel::new(title, "frame", "sample", lines).range(-0.3, 5.5));
    }
    draw(path, &panels)
}

fn delays(path: &Path) -> Result<()> {
    let delayed = |d: usize| -> Result<(String, Vec<f64>)> {
        Ok((format!("Delay of {d} frames"), in_time(Delay::new(d), 16, impulse)?))
    };
    let fixed = [delayed(0)?, delayed(4)?, delayed(9)?];
    let map = arr2(&[[2_u32, 5, 11]]);
    let mut model = Model::of(VariableDelay::new(&map));
    let flash = Array3::from_shape_fn((16, 1, 3), |(t, ..)| if t == 0 { 1.0_f32 } else { 0.0 });
    let out = model.process(&flash)?.to_owned();
    let pixel = |c: usize| {
        let values: Vec<f64> = (0..16).map(|t| f64::from(out[(0, 0, t, 0, c)])).collect();
        Curve::new(format!("pixel {c}: {} frames", map[(0, c)]), over_time(&values)).dots()
    };
    let dotted = |line: Curve| line.dots();
    draw(
        path,
        &[
            CurvePanel::new("Delay: impulse response", TIME, "output", {
                named(&fixed, over_time).into_iter().map(dotted).collect::<Vec<_>>()
            }),
            CurvePanel::new("VariableDelay: each pixel its own", TIME, "output", [pixel(0), pixel(1), pixel(2)]),
        ],
    )
}

fn convolution_in_time(path: &Path) -> Result<()> {
    let exponential = |tau: f64| -> Result<(String, Conv1d)> {
        let mut conv = Conv1d::new(1, 1, 1)?;
        conv.set_exponential(tau, RESOLUTION)?;
        Ok((format!("{} ms", tau * 1e3), conv))
    };
    let mut high = Conv1d::new(1, 1, 1)?;
    high.set_highpass_exponential(0.010, 1.0, RESOLUTION)?;
    let layers = vec![exponential(0.005)?, exponential(0.020)?, ("high-pass".into(), high)];
    temporal(path, layers, 80, Some((-0.12, 0.22)))
}

/// Profile and gain of spatial responses.
fn spatial(path: &Path, frames: &[(String, Array2<f64>)], reach: usize, profile: &str) -> Result<()> {
    let lines = |points: &dyn Fn(&Array2<f64>) -> Points| -> Vec<Curve> {
        frames.iter().map(|(name, frame)| Curve::new(name, points(frame))).collect()
    };
    let row = |frame: &Array2<f64>| frame.row(frame.nrows() / 2).to_vec();
    let dotted: Vec<Curve> =
        lines(&|frame| over_degrees(&row(frame), frame.ncols() / 2, reach)).into_iter().map(Curve::dots).collect();
    draw(
        path,
        &[
            CurvePanel::new(profile, DEGREES, "output", dotted),
            CurvePanel::new(
                "frequency response",
                CYCLES,
                "gain",
                lines(&|frame| gain_in_space(&across_columns(frame))),
            ),
        ],
    )
}

fn convolution_in_space(path: &Path) -> Result<()> {
    let gaussian = |sigma: f64| -> Result<(String, Array2<f64>)> {
        let mut conv = Conv2d::new(1, 1, [1, 1])?;
        conv.set_gaussian(sigma, RESOLUTION)?;
        Ok((format!("{sigma} degrees"), in_space(conv, 41)?))
    };
    let kernel = |sigma| kernels::gauss_filter_2d(&GaussFilter::new(sigma, sigma), RESOLUTION);
    let (narrow, mut difference) = (kernel(0.1)?, -kernel(0.3)?);
    // The narrow one lies in the middle of the wide one.
    let corner = (difference.nrows() - narrow.nrows()) / 2;
    narrow.indexed_iter().for_each(|((r, c), w)| difference[(r + corner, c + corner)] += w);
    let difference = Conv2d::new(1, 1, [1, 1])?.with_weight(difference)?;
    let frames = [gaussian(0.1)?, gaussian(0.3)?, ("difference".into(), in_space(difference, 41)?)];
    spatial(path, &frames, 12, "impulse response, middle row")
}

/// A box of 9 pixels over a short row with a bright left end and a rise to the right.
fn borders(path: &Path) -> Result<()> {
    let row = [1.0_f32, 0.2, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1];
    let frame = Array3::from_shape_fn((1, 1, row.len()), |(_, _, c)| row[c]);
    let points = |values: &[f64]| -> Points { values.iter().enumerate().map(|(c, y)| (c as f64, *y)).collect() };
    let input: Vec<f64> = row.iter().map(|x| f64::from(*x)).collect();
    let mut lines = vec![Curve::new("input", points(&input)).dots()];
    for (border, name) in [
        (Border::Replicate, "replicate"),
        (Border::Reflect, "reflect"),
        (Border::Zeros, "zeros"),
        (Border::Circular, "circular"),
    ] {
        let mut mean = Conv2d::new(1, 1, [1, 9])?.with_autopad_mode(border);
        mean.set_weight(Array2::from_elem((1, 9), 1.0_f32 / 9.0))?;
        let out: Vec<f64> = Model::of(mean).process(&frame)?.iter().map(|y| f64::from(*y)).collect();
        lines.push(Curve::new(name, points(&out)).dots());
    }
    let mut panel = CurvePanel::new("mean of 9 pixels at the borders of a row", "column", "sample", lines);
    panel.range = Some((0.0, 1.15));
    println!("{}", path.display());
    curves(path, &[panel], &Plot { title: None, width: 900, height: 440 })
}

/// A field that prefers a grating of 1.5 cycles/degree, and forgets within some 10 ms.
fn receptive_field(path: &Path) -> Result<()> {
    const SIDE: usize = 21;
    let weight = Array3::from_shape_fn((40, SIDE, SIDE), |(t, r, c)| {
        let (y, x) = ((r as f64 - 10.0) / 10.0, (c as f64 - 10.0) / 10.0);
        let time = (-(t as f64) / 8.0).exp() / 8.0;
        (time * (-(x * x + y * y) / (2.0 * 0.3 * 0.3)).exp() * (std::f64::consts::TAU * 1.5 * x).cos()) as f32
    });
    let mut field = RF::new(1, 1, 40)?;
    field.set_weight(weight)?;
    // One pixel after the other gets an impulse; the field has one output pixel.
    let mut map = Array2::zeros((SIDE, SIDE));
    let mut course = Vec::new();
    for (r, c) in (0..SIDE).flat_map(|r| (0..SIDE).map(move |c| (r, c))) {
        let mut model = Model::of(field.clone());
        model.process(Array3::<f32>::zeros((40, SIDE, SIDE)))?;
        let flash = Array3::from_shape_fn((50, SIDE, SIDE), |at| if at == (0, r, c) { 1.0_f32 } else { 0.0 });
        let out: Vec<f64> = model.process(&flash)?.iter().map(|y| f64::from(*y)).collect();
        map[(r, c)] = out[0];
        if (r, c) == (10, 10) {
            course = out;
        }
    }
    let row: Vec<f64> = map.row(10).to_vec();
    draw(
        path,
        &[
            CurvePanel::new(
                "flash at each column",
                DEGREES,
                "output, same frame",
                [Curve::new("", over_degrees(&row, 10, 10)).dots()],
            ),
            CurvePanel::new("flash at the middle pixel", TIME, "output", [Curve::new("", over_time(&course))]),
            CurvePanel::new(
                "grating across the columns",
                CYCLES,
                "gain",
                [Curve::new("", gain_in_space(&across_columns(&map)))],
            ),
        ],
    )
}

fn low_pass(path: &Path) -> Result<()> {
    let layer =
        |tau: f64| -> Result<(String, LowPass)> { Ok((format!("{} ms", tau * 1e3), LowPass::new(tau, RESOLUTION)?)) };
    temporal(path, vec![layer(0.005)?, layer(0.020)?, layer(0.050)?], 120, None)
}

fn high_pass(path: &Path) -> Result<()> {
    let layer = |tau: f64, k: f64| -> Result<(String, HighPass)> {
        Ok((format!("{} ms, {k}", tau * 1e3), HighPass::new(tau, k, RESOLUTION)?))
    };
    temporal(path, vec![layer(0.020, 1.0)?, layer(0.020, 0.5)?, layer(0.050, 1.0)?], 120, Some((-0.06, 0.02)))
}

fn smooth_conv(path: &Path) -> Result<()> {
    let layer = |n: usize| -> Result<(String, SmoothConv)> {
        Ok((format!("n = {n}"), SmoothConv::gaussian(n, 0.005, 0.1, RESOLUTION)?))
    };
    temporal(path, vec![layer(1)?, layer(3)?, layer(8)?], 80, None)
}

/// An impulse at one pixel, through the parts of the retina: profiles along a row at some times.
fn retina(path: &Path) -> Result<()> {
    const SIDE: usize = 13;
    let model = models::build("centre_surround", RESOLUTION)?;
    let part = |name: &str| model.part(name).unwrap_or_default();
    let parts = [("centre", part("centre")), ("surround", part("surround")), ("centre minus surround", model.clone())];
    let mut panels = Vec::new();
    for (name, part) in parts {
        let response = in_space_and_time(part, SIDE, 40)?;
        let lines = [0, 15, 30].map(|t| {
            let row: Points =
                (0..SIDE).map(|c| (c as f64 - 6.0, f64::from(response[(0, 0, t, SIDE / 2, c)]))).collect();
            Curve::new(format!("{t} ms"), row).dots()
        });
        panels.push(CurvePanel::new(name, "column [pixels]", "output", lines));
    }
    draw(path, &panels)
}

fn frame_of(movie: &Array5<f32>, t: usize) -> Array3<f32> {
    movie.index_axis(ndarray::Axis(0), 0).index_axis(ndarray::Axis(1), t).to_owned()
}

fn nonlinearities(path: &Path) -> Result<()> {
    let inputs: Vec<f64> = (0..=80).map(|i| f64::from(i) / 20.0 - 2.0).collect();
    let function = |name: &str, layer: Box<dyn Layer>| -> Result<Curve> {
        let movie = Array3::from_shape_fn((inputs.len(), 1, 1), |(t, ..)| inputs[t] as f32);
        let outputs: Vec<f64> = Model::of(layer).process(&movie)?.iter().map(|y| f64::from(*y)).collect();
        Ok(Curve::new(name, inputs.iter().copied().zip(outputs).collect::<Vec<_>>()))
    };
    let lines = [
        function("NLRectify", Box::new(NLRectify))?,
        function("NLRectifyScale(2, 1)", Box::new(NLRectifyScale::new(2.0, 1.0)?))?,
        function("NLSquare(1, 0)", Box::new(NLSquare::new(1.0, 0.0)?))?,
        function("NLRectifySquare(1, 0.5)", Box::new(NLRectifySquare::new(1.0, 0.5)?))?,
    ];
    let smooth = [
        function("NLExponential(1, 0)", Box::new(NLExponential::new(1.0, 0.0)?))?,
        function("NLSoftplus(2, 0)", Box::new(NLSoftplus::new(2.0, 0.0)?))?,
        function("NLLogistic(4, 0)", Box::new(NLLogistic::new(4.0, 0.0)?))?,
        function(
            "NLPiecewiseLinear",
            Box::new(NLPiecewiseLinear::new(&[-1.0, 0.0, 0.5, 1.5], &[2.0, 2.0, 3.5, 4.0])?),
        )?,
    ];
    let difference = in_time(Diff, 12, impulse)?;
    let gains = gain_in_time(&in_time(Diff, 12, impulse)?);
    draw(
        path,
        &[
            CurvePanel::new("static nonlinearities", "input", "output", lines).range(-0.3, 5.0),
            CurvePanel::new("smooth ones, and lines", "input", "output", smooth).range(-0.3, 5.0),
            CurvePanel::new("Diff: impulse response", TIME, "output", [Curve::new("", over_time(&difference)).dots()]),
            CurvePanel::new("Diff: frequency response", FREQUENCY, GAIN, [Curve::new("", gains)])
                .logarithmic()
                .range(-50.0, 10.0),
        ],
    )
}

fn branches(path: &Path) -> Result<()> {
    let low = |tau: f64| LowPass::new(tau, RESOLUTION);
    let difference =
        |weight: f64| -> Result<Branches> { Ok(Branches::new().plus(low(0.005)?).weighted(-weight, low(0.050)?)) };
    let (mut impulses, mut steps) = (Vec::new(), Vec::new());
    for weight in [1.0, 0.5] {
        let name = format!("weight {weight}");
        impulses.push((name.clone(), in_time(difference(weight)?, 2000, impulse)?));
        steps.push((name, in_time(difference(weight)?, 200, step)?));
    }
    draw(
        path,
        &[
            CurvePanel::new("impulse response", TIME, "output", named(&impulses, |h| over_time(&h[..60]))),
            CurvePanel::new("step response", TIME, "output", named(&steps, over_time)),
            CurvePanel::new("frequency response", FREQUENCY, GAIN, named(&impulses, gain_in_time))
                .logarithmic()
                .range(-30.0, 6.0),
        ],
    )
}

/// A kernel through `Conv1d`.
fn through_conv(kernel: Array1<f32>, shown: usize) -> Result<Vec<f64>> {
    let conv = Conv1d::new(1, 1, 1)?.with_weight(kernel)?;
    in_time(conv, shown, impulse)
}

fn kernels_in_time(path: &Path) -> Result<()> {
    let mut responses = Vec::new();
    for n in [0, 1, 3, 10] {
        let filter = ExponentialFilter { n, ..ExponentialFilter::new(0.020) };
        responses.push((format!("n = {n}"), through_conv(kernels::exponential_filter_1d(&filter, RESOLUTION)?, 120)?));
    }
    draw(
        path,
        &[
            CurvePanel::new("exponential_filter_1d, tau = 20 ms", TIME, "output", named(&responses, over_time)),
            CurvePanel::new("frequency response", FREQUENCY, GAIN, named(&responses, gain_in_time))
                .logarithmic()
                .range(-60.0, 6.0),
        ],
    )
}

fn kernels_in_space(path: &Path) -> Result<()> {
    let mut frames = Vec::new();
    for sigma in [0.1, 0.2, 0.3] {
        let kernel = kernels::gauss_filter_2d(&GaussFilter::new(sigma, sigma), RESOLUTION)?;
        let name = format!("{sigma} degrees, {} x {}", kernel.nrows(), kernel.ncols());
        frames.push((name, in_space(Conv2d::new(1, 1, [1, 1])?.with_weight(kernel)?, 31)?));
    }
    spatial(path, &frames, 10, "gauss_filter_2d, middle row")
}

/// Which part of the events STCF keeps: of an edge that moves, and of noise.
fn event_filters(path: &Path) -> Result<()> {
    const SENSOR: Geometry = Geometry { cols: 64, rows: 64 };
    // Numerical Recipes' linear congruential generator: repeatable, and good enough for noise.
    let mut seed = 1_u32;
    let mut random = |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((u64::from(seed) * u64::from(below)) >> 32) as u32
    };
    let by_time = |mut events: Vec<Event>| {
        events.sort_by_key(|event| event.t);
        events
    };
    // An edge takes 4 ms a column; a pixel fires within 3 ms of it.
    let mut edge = Vec::new();
    for (pass, y, x) in (0..4_u64).flat_map(|pass| (0..64).flat_map(move |y| (0..64_u16).map(move |x| (pass, y, x)))) {
        let t = (pass * 64 + u64::from(x)) * 4_000 + u64::from(random(3_000));
        edge.push(Event { t, x, y, on: true });
    }
    // 5 Hz at each of 64 x 64 pixels for a second.
    let noise = (0..5 * 64 * 64).map(|_| Event {
        t: u64::from(random(1_000_000)),
        x: random(64) as u16,
        y: random(64) as u16,
        on: random(2) == 0,
    });
    let (edge, noise) = (by_time(edge), by_time(noise.collect()));
    let kept = |events: &[Event], k: u32, tau: u32| -> f64 {
        let filter = Stcf::new(SENSOR, Neighbours::Eight, k, tau).expect("a filter that is possible");
        let mut state = vec![0; filter.state_len()];
        let kept = events.iter().filter(|event| filter.step(&mut state, **event).expect("a state").is_some());
        kept.count() as f64 / events.len() as f64
    };
    let times: Vec<u32> = (0..=40).map(|i| (100.0 * 1000_f64.powf(f64::from(i) / 40.0)) as u32).collect();
    let lines = |events: &[Event]| -> Vec<Curve> {
        let points =
            |k: u32| times.iter().map(|tau| (f64::from(*tau) / 1e3, kept(events, k, *tau))).collect::<Vec<_>>();
        [1, 2, 3].map(|k| Curve::new(format!("k = {k}"), points(k))).into()
    };
    let panel = |title: &str, events: &[Event]| {
        CurvePanel::new(title, "tau [ms]", "part that is kept", lines(events)).logarithmic().range(0.0, 1.05)
    };
    draw(path, &[panel("edge that moves a column in 4 ms", &edge), panel("noise, 5 Hz a pixel", &noise)])
}

/// What the tutorial's own model makes of a bar.
fn tutorial(path: &Path) -> Result<()> {
    println!("{}", path.display());
    let movie = moving_bar(Size::new(120, 48, 64), &MovingBar::default())?;
    let linear = || -> Result<Model> {
        let fast = SmoothConv::gaussian(2, 0.004, 0.1, RESOLUTION)?;
        let slow = SmoothConv::gaussian(2, 0.012, 0.3, RESOLUTION)?;
        Ok(Model::new().then(Branches::new().plus(fast).minus(slow)))
    };
    let filtered = linear()?.run(&movie, 40)?;
    let response = linear()?.then(NLRectify).run(&movie, 40)?;
    let mut stages = Stages::new([Stage::new("bar"), Stage::new("linear"), Stage::new("rectified")]);
    for t in [50, 80] {
        let frames = [&movie, &filtered, &response].map(|movie| frame_of(movie, t));
        stages.push(t as f64 / RATE, &frames.each_ref().map(|frame| frame.view()))?;
    }
    contact_sheet(path, &stages, &Sheet { times: 2, width: 1000, ..Sheet::default() })
}
