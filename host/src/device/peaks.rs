//! Measures the peak of a device with two simple kernels: multiply-adds in registers, and a copy.

use super::backend::{Backend, Buffers, Work};
use super::kernels::Kernel;
use super::pass::{Operand, Pass};
use crate::Result;

/// Multiply-adds per turn of a thread.
const TURN: f64 = 64.0;

/// Repetitions. The fastest counts, since a limit is measured.
const TIMES: usize = 10;

/// Operations per second (a multiply-add counts as two), and bytes per second read and written; none if the device has no
/// clock.
pub(super) fn peaks(backend: &dyn Backend) -> Result<Option<(f64, f64)>> {
    let software = !backend.info().kind.is_hardware();
    // A few milliseconds on a large GPU; less work for software devices, whose speed is not reported.
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
