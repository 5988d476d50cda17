//! One workload: the device by its own clock, with transfers, and the processor, one after the other.
//!
//! They do not take turns as the contestants of `foveola bench` do: a card lowers its clocks within milliseconds of rest, and
//! needs a tenth of a second of work to raise them again. So it works for a while first, and by its own clock the passes of each
//! block run again and again, so that transfers are no rest.

use crate::cases::Case;
use foveola::{Device, Result};
use foveola_cli::bench::Contestant;
use std::time::Instant;

/// Calls that are measured, at least and at most.
const CALLS: (usize, usize) = (5, 30);
/// Seconds of work before the first of them, where a speed is claimed.
const WARM: f64 = 0.2;
/// Seconds of passes in a call, about: long beside its transfers.
const BUSY: f64 = 0.03;
/// A block's passes run so often at most.
const OFTEN: f64 = 1000.0;
/// The output of a device may be this far from the processor's, beside the largest sample: far more than rounding, and far less
/// than any mistake.
const APART: f32 = 1e-3;

/// Seconds a frame: the median, and the best.
pub(crate) type Time = (f64, f64);

/// What was measured.
pub(crate) struct Row {
    pub(crate) case: Case,
    /// On the device alone; none without a clock.
    pub(crate) device: Option<Time>,
    /// With transfers.
    pub(crate) wall: Time,
    /// The processor, with all threads.
    pub(crate) processor: Time,
}

/// Measures for `seconds`, about.
pub(crate) fn measured(
    case: Case,
    clocked: &Device,
    plain: &Device,
    quick: bool,
    seconds: f64,
) -> std::result::Result<Row, String> {
    let said = |error: foveola::Error| error.to_string();
    let apart = case.apart(plain).map_err(said)?;
    if apart.is_nan() || apart > APART {
        return Err(format!("the output is {apart:e} of the largest sample away from the processor's"));
    }
    let [on_device, on_processor] = case.frames;
    let processor = Device::cpu();
    let all = [(clocked, on_device), (plain, on_device), (&processor, on_processor)];
    let [mut device, mut wall, mut processor] = case.contestants(all).map_err(said)?;
    let (warm, share) = if quick { (0.0, seconds / 3.0) } else { (WARM, (seconds - 2.0 * WARM) / 3.0) };
    let device = by_its_clock(&mut device, clocked, quick, warm, share).map_err(said)?;
    let wall = timed(&mut wall, warm, share).map_err(said)?;
    let processor = timed(&mut processor, 0.0, share).map_err(said)?;
    Ok(Row { case, device, wall, processor })
}

/// Seconds a frame of passes alone.
fn by_its_clock(
    contestant: &mut Contestant<'_>,
    device: &Device,
    quick: bool,
    warm: f64,
    share: f64,
) -> Result<Option<Time>> {
    // The first piece begins the stream, and programs are made for it.
    device.repeat(1);
    (contestant.call)()?;
    device.seconds();
    (contestant.call)()?;
    let Some(once) = device.seconds() else { return Ok(None) };
    if !quick {
        device.repeat((BUSY / once.max(1e-9)).clamp(1.0, OFTEN).ceil() as usize);
    }
    let mut call = || {
        (contestant.call)()?;
        Ok(device.seconds().unwrap_or(f64::INFINITY) / contestant.work)
    };
    let times = calls(&mut call, warm, share);
    device.repeat(1);
    Ok(Some(times?))
}

/// Seconds a frame of calls.
fn timed(contestant: &mut Contestant<'_>, warm: f64, share: f64) -> Result<Time> {
    // The first piece begins the stream.
    (contestant.call)()?;
    let mut call = || {
        let begin = Instant::now();
        (contestant.call)()?;
        Ok(begin.elapsed().as_secs_f64() / contestant.work)
    };
    calls(&mut call, warm, share)
}

/// What `call` says of itself, for `share` seconds, once it was called for `warm` seconds.
fn calls(call: &mut dyn FnMut() -> Result<f64>, warm: f64, share: f64) -> Result<Time> {
    let (began, mut times) = (Instant::now(), Vec::new());
    while began.elapsed().as_secs_f64() < warm {
        call()?;
    }
    let began = Instant::now();
    while times.len() < CALLS.0 || times.len() < CALLS.1 && began.elapsed().as_secs_f64() < share {
        times.push(call()?);
    }
    times.sort_by(f64::total_cmp);
    Ok((times[times.len() / 2], times[0]))
}
