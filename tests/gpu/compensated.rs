//! Long time constants on a device, whose compiler must keep the remainders of sums: a step beside `1 - a^n`. A plain recursion would
//! stop 1e-3 short of it.

use crate::text;
use foveola::{Device, HighPass, Layer, LowPass, Model, Resolution, SmoothConv};
use foveola_tests::device::trial;
use libtest_mimic::Trial;
use ndarray::Array5;

/// Frames of the time constant, and of the recording.
const TAU: f64 = 2e4;
const FRAMES: usize = 160_000;

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("compensated::a_step_at_a_long_time_constant", step)]
}

fn step(device: &Device) -> Result<(), String> {
    let resolution = Resolution { steps_per_second: 1.0, ..Resolution::DEFAULT };
    let ones = |n: usize| ndarray::Array3::<f32>::ones((n, 1, 1));
    // A pixel a thread, and four.
    for cols in [1, 4] {
        let layers: [(&str, Box<dyn Layer>); 3] = [
            ("low-pass", Box::new(LowPass::new(TAU, resolution).map_err(text)?)),
            ("high-pass", Box::new(HighPass::new(TAU, 1.0, resolution).map_err(text)?)),
            // Stages without memory around it.
            (
                "smooth conv",
                Box::new(SmoothConv::new(&[0.0, TAU, 0.0], ones(3), resolution).map_err(text)?.components()),
            ),
        ];
        for (name, layer) in layers {
            let mut model = Model::of(layer).to(device);
            let steps = Array5::from_shape_fn((2, 1, FRAMES, 1, cols), |(stream, .., col)| 1.0 + (stream + col) as f32);
            let found = model.run(&steps, 10_000).map_err(text)?;
            for ((stream, channel, t, _, col), y) in found.indexed_iter().filter(|((.., t, _, _), _)| t % 997 == 0) {
                let x = f64::from(steps[(stream, 0, t, 0, col)]);
                let low = -(-(t as f64 + 1.0) / TAU).exp_m1() * x;
                let expected = match (name, channel) {
                    ("high-pass", _) => x - low,
                    ("smooth conv", 0) => x,
                    _ => low,
                };
                if (f64::from(*y) - expected).abs() > 1e-6 * x {
                    return Err(format!("{name}, {cols} columns, frame {t}: {y}; expected {expected}"));
                }
            }
        }
    }
    Ok(())
}
