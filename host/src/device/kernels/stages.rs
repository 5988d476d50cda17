//! The chain of a `SmoothConv`: `y_0 += g_0 (x - y_0)`, `y_i += g_i (y_{i-1} - y_i)`; a thread computes one pixel over time.
//!
//! The output of each stage for a frame is written to `(stream, time, channel, stage, row, col)`. The state has the host's
//! layout, `(stream, channel, row, stage, col)`, rows with their borders, which another kernel fills; the remainders of
//! compensated stages follow the stages of a row. A gain of 1 copies, since `y + (x - y)` would round. Cost: three
//! operations and one written sample per stage, eight operations where it is compensated.

use super::scan::COMPENSATED;
use std::fmt::Write as _;

/// The program for stages that are `compensated` or not.
pub(super) fn wgsl(compensated: &[bool]) -> String {
    let stages = compensated.len();
    // The row of the remainders of a stage.
    let remainders = |k: usize| stages + compensated[..k].iter().filter(|compensated| **compensated).count();
    let each = |line: &dyn Fn(usize) -> String| (0..stages).fold(String::new(), |text, k| text + &line(k));
    let mut text = String::from(
        "alias T = f32;
alias U = u32;
struct Params {
    threads: u32,
    frames: u32,
    channels: u32,
    rows: u32,
    cols: u32,
    // Samples per stored row, and its border before the pixels.
    row: u32,
    left: u32,
    at: u32,
    zero: u32,
",
    );
    text += &each(&|k| format!("    g{k}: f32,\n"));
    text += "}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> state: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
fn smoothed(gain: f32, x: f32, y: f32) -> f32 {
    return select(fma(gain, x - y, y), x, gain == 1.0);
}
";
    if compensated.contains(&true) {
        text += COMPENSATED;
    }
    text += "@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let n = group(id) * 256u + local;
    if (n >= p.threads) {
        return;
    }
    let pixels = p.rows * p.cols;
    let pixel = n % pixels;
    let channel = (n / pixels) % p.channels;
    let stream = n / (pixels * p.channels);
";
    let _ = writeln!(text, "    const stages = {stages}u;\n    const stored = {}u;", remainders(stages));
    text += "    let len = p.channels * pixels;
    let own = p.at + ((stream * p.channels + channel) * p.rows + pixel / p.cols) * stored * p.row + p.left + pixel % p.cols;
    var at = stream * p.frames * len + channel * pixels + pixel;
    var to = stream * p.frames * len * stages + channel * pixels * stages + pixel;
    var f = 0u;
";
    let words = |line: &dyn Fn(&str, usize, usize) -> String| {
        each(&|k| line("s", k, k) + &if compensated[k] { line("c", k, remainders(k)) } else { String::new() })
    };
    text += &words(&|name, k, row| format!("    var {name}{k} = state[own + {row}u * p.row];\n"));
    for (ahead, condition) in [(8, "f + 8u <= p.frames"), (1, "f < p.frames")] {
        let _ = writeln!(text, "    for (; {condition}; f += {ahead}u) {{");
        for frame in 0..ahead {
            let _ = writeln!(text, "        let x{frame} = x[at + {frame}u * len];");
        }
        for frame in 0..ahead {
            text += &each(&|k| {
                let from = if k == 0 { format!("x{frame}") } else { format!("s{}", k - 1) };
                let step = match compensated[k] {
                    true => format!("compensated(p.g{k}, {from}, &s{k}, &c{k})"),
                    false => format!("s{k} = smoothed(p.g{k}, {from}, s{k})"),
                };
                format!("        {step};\n        y[to + {frame}u * len * stages + {k}u * pixels] = s{k};\n")
            });
        }
        let _ = writeln!(text, "        at += {ahead}u * len;\n        to += {ahead}u * len * stages;\n    }}");
    }
    text += &words(&|name, k, row| format!("    state[own + {row}u * p.row] = {name}{k};\n"));
    text + "}\n"
}
