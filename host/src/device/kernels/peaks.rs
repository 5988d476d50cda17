//! What a device can do at most, by two simple kernels: multiply-adds in registers, and a copy.

use crate::Result;
use crate::device::backend::{Backend, Buffers, Work};
use crate::device::pass::{Kernel, Operand, Pass};

/// Sixteen independent sums of four a thread, which no memory feeds.
pub(super) const PEAK: &str = "
struct Params {
    turns: u32,
    scale: f32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let w = vec4(p.scale);
    let x = vec4(f32(local) * 1e-3);
    var a = x; var b = x + 1.0; var c = x + 2.0; var d = x + 3.0;
    var e = x + 4.0; var f = x + 5.0; var g = x + 6.0; var h = x + 7.0;
    for (var i = 0u; i < p.turns; i++) {
        a = fma(a, w, x); b = fma(b, w, x); c = fma(c, w, x); d = fma(d, w, x);
        e = fma(e, w, x); f = fma(f, w, x); g = fma(g, w, x); h = fma(h, w, x);
        a = fma(a, w, x); b = fma(b, w, x); c = fma(c, w, x); d = fma(d, w, x);
        e = fma(e, w, x); f = fma(f, w, x); g = fma(g, w, x); h = fma(h, w, x);
    }
    let all = a + b + c + d + e + f + g + h;
    y[group(id) * 256u + local] = all.x + all.y + all.z + all.w;
}
";
/// Multiply-adds of a turn of a thread.
const TURN: f64 = 64.0;

/// Four samples a thread, read and written.
pub(super) const COPY: &str = "
struct Params {
    samples: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let n = group(id) * 256u + local;
    if (n < p.samples) {
        y[n] = x[n];
    }
}
";

/// Repetitions, of which the fastest counts: it is a limit that is measured.
const TIMES: usize = 10;

/// Operations a second (a multiply-add is two), and bytes a second read and written; none without a clock on the device.
pub(in crate::device) fn peaks(backend: &dyn Backend) -> Result<Option<(f64, f64)>> {
    let software = !backend.info().kind.is_hardware();
    // A few milliseconds on a large card; in software, where no speed is claimed, as much less.
    let (groups, turns, words) = if software { (64, 64, 1 << 20) } else { (1 << 14, 1 << 12, 1 << 28) };
    let words = words.min(backend.limits().buffer as usize / 4 / 1024 * 1024);
    let buffer = || backend.buffer("a copy", words);
    let (input, output, state) = (buffer()?, buffer()?, backend.buffer("sums", groups * 256)?);
    let buffers = Buffers { input, output, state, slots: Vec::new(), constants: Vec::new(), events: None };
    let peak = Pass {
        kernel: Kernel::Peak,
        reads: Vec::new(),
        writes: vec![Operand::State],
        params: vec![turns, 0.999_f32.to_bits()],
        groups,
    };
    let copy = Pass {
        kernel: Kernel::Copy,
        reads: vec![Operand::Input],
        writes: vec![Operand::Output],
        params: vec![words as u32 / 4],
        groups: words / 1024,
    };
    backend.seconds();
    let mut fastest = [f64::INFINITY; 2];
    for _ in 0..TIMES {
        for (fastest, pass) in fastest.iter_mut().zip([&peak, &copy]) {
            let work = Work { passes: std::slice::from_ref(pass), buffers: Some(&buffers), ..Work::NONE };
            backend.submit(&work)?.wait(&mut |_| {})?;
            match backend.seconds() {
                Some(seconds) if seconds > 0.0 => *fastest = fastest.min(seconds),
                _ => return Ok(None),
            }
        }
    }
    let operations = groups as f64 * 256.0 * f64::from(turns) * TURN * 2.0;
    Ok(Some((operations / fastest[0], words as f64 * 8.0 / fastest[1])))
}
