//! One workload: the device with a clock, the device with transfers, and the processor, in turns.

use crate::cases::Case;
use foveola::bench::Contestant;
use foveola::{Device, Result};
use std::time::Instant;

/// Turns, at least and at most.
const TURNS: (usize, usize) = (3, 15);
/// The output of a device may be this far from the processor's, beside the largest sample: far more than rounding, and far less
/// than any mistake.
const APART: f32 = 1e-3;

/// What was measured, in seconds a frame.
pub(crate) struct Row {
    pub(crate) case: Case,
    /// On the device alone; none without a clock.
    pub(crate) device: Option<f64>,
    /// With transfers.
    pub(crate) wall: f64,
    /// The processor, with all threads.
    pub(crate) processor: f64,
    pub(crate) turns: usize,
}

/// Measures for `seconds`, about.
pub(crate) fn measured(case: Case, clocked: &Device, plain: &Device, seconds: f64) -> std::result::Result<Row, String> {
    let began = Instant::now();
    let said = |error: foveola::Error| error.to_string();
    let apart = case.apart(plain).map_err(said)?;
    if apart.is_nan() || apart > APART {
        return Err(format!("the output is {apart:e} of the largest sample away from the processor's"));
    }
    let [on_device, on_processor] = case.frames;
    let processor = Device::cpu();
    let all = [(clocked, on_device), (plain, on_device), (&processor, on_processor)];
    let [mut device, mut wall, mut processor] = case.contestants(all).map_err(said)?;
    let mut times: [Vec<f64>; 3] = Default::default();
    // The first piece begins the stream, and programs are made for it.
    for contestant in [&mut device, &mut wall, &mut processor] {
        (contestant.call)().map_err(said)?;
    }
    let done = |turns: usize| turns >= TURNS.1 || turns >= TURNS.0 && began.elapsed().as_secs_f64() > seconds;
    while !done(times[1].len()) {
        // A call that does not count: the device has rested, and the caches hold what the processor did.
        (device.call)().map_err(said)?;
        clocked.seconds();
        (device.call)().map_err(said)?;
        times[0].extend(clocked.seconds().map(|seconds| seconds / device.work));
        (wall.call)().map_err(said)?;
        times[1].push(timed(&mut wall).map_err(said)?);
        // Where the processor takes long, it has fewer turns.
        if times[2].len() < TURNS.0 || began.elapsed().as_secs_f64() < 0.8 * seconds {
            times[2].push(timed(&mut processor).map_err(said)?);
        }
    }
    let turns = times[1].len();
    let [device, wall, processor] = times.map(median);
    let seconds = |time: Option<f64>| time.unwrap_or(f64::INFINITY);
    Ok(Row { case, device, wall: seconds(wall), processor: seconds(processor), turns })
}

/// Seconds a frame of one call.
fn timed(contestant: &mut Contestant<'_>) -> Result<f64> {
    let begin = Instant::now();
    (contestant.call)()?;
    Ok(begin.elapsed().as_secs_f64() / contestant.work)
}

fn median(mut times: Vec<f64>) -> Option<f64> {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}
