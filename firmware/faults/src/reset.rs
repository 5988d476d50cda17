//! Faults of flash and power: a damaged table of weights, a reset in the middle of a snapshot.

use crate::Print;
use crate::cases::{AFTER, AT, record};
use crate::model::{CENTRE, MEMORY, Retina, SHAPE, SURROUND, nodes, plan};
use crate::rig::{Bench, FRAMES, Outcome, Rig};
use crate::sensor::{MOST, SETTLED, random};
use foveola_core::{Error, Filter};
use foveola_pipeline::{Application, ModelDamaged, RetainedBy, SnapshotError, Snapshots};

/// The frame in whose middle the second snapshot begins, and does not end.
const TORN: usize = AT + 10;
/// Frames that the sensor sends while the board starts again.
const MISSED: usize = 20;

/// A weight becomes NaN, in a copy of the table; the check that [`Pipeline::new`](foveola_pipeline::Pipeline::new) makes at boot
/// tells, and a frame shows what it prevents.
///
/// # Errors
/// The model's.
pub fn damaged_model(seed: u64, print: Print<'_>) -> Result<bool, Error> {
    let mut centre = CENTRE;
    let sound = {
        let nodes = nodes(&centre, &SURROUND)?;
        plan(&nodes)?.check(Retina::CHECKSUM)
    };
    let at = (random(seed, 0) % centre.len() as u64) as usize;
    if let Some(weight) = centre.get_mut(at) {
        *weight = f32::from_bits(weight.to_bits() | 0x7FC0_0000);
    }
    let nodes = nodes(&centre, &SURROUND)?;
    let plan = plan(&nodes)?;
    let damaged = plan.check(Retina::CHECKSUM);

    let (mut state, mut scratch) = ([0.0; SAMPLES[2]], [0.0; SAMPLES[3]]);
    let mut output = [0.0; SHAPE.len()];
    plan.model().step(0, &mut state, &mut scratch, &[1.0; SHAPE.len()], &mut output)?;
    let lost = output.iter().filter(|y| y.is_nan()).count();
    match damaged {
        Err(damage) => {
            print(&format_args!("weight {at} is NaN: refused at boot, {damage}; else {lost} pixels were NaN"));
        }
        Ok(()) => print(&format_args!("FAILED: weight {at} is NaN, and nothing was told")),
    }
    Ok(sound.is_ok() && lost > 0 && damaged.is_err_and(|ModelDamaged { found, expected }| found != expected))
}

const SAMPLES: [usize; 4] = Retina::PLAN.samples();

/// Takes a snapshot in the middle of a word in the middle of a frame, goes on, and begins a second one, of which `reset` is told
/// before; it is to come while that one is written, or to damage it afterwards.
///
/// # Errors
/// A model whose tables are damaged.
pub fn before_reset(
    bench: &mut Bench,
    seed: u64,
    retained: &mut RetainedBy!(Retina),
    reset: impl FnOnce(),
) -> Result<(), ModelDamaged> {
    let mut rig = Rig::new(bench, seed, false)?;
    let mut snapshots = Snapshots::new(retained);
    let (mut reset, mut buffer) = (Some(reset), [0; MOST]);
    for frame in 0..=TORN {
        let events = rig.sensor.frame(frame);
        let words = rig.sensor.encode(events, &mut buffer);
        let (before, after) = words.split_at_checked(words.len() / 2 + 2).unwrap_or_default();
        rig.bytes(before);
        if frame == AT {
            snapshots.save(&rig.pipeline);
        } else if frame == TORN {
            if let Some(reset) = reset.take() {
                reset();
            }
            snapshots.save(&rig.pipeline);
        }
        rig.bytes(after);
    }
    Ok(())
}

/// Starts again: from the snapshot that is whole, the stream goes on where it was, and then with what was sent meanwhile missing.
///
/// # Errors
/// A model whose tables are damaged.
pub fn after_reset(
    bench: &mut Bench,
    seed: u64,
    retained: &mut RetainedBy!(Retina),
    print: Print<'_>,
) -> Result<bool, ModelDamaged> {
    let clean = record(bench, seed)?;
    let snapshots = Snapshots::new(retained);
    print(&format_args!(
        "reset inside snapshot 2: {}, number {} is whole",
        if snapshots.torn() { "it is torn" } else { "it is NOT torn" },
        snapshots.number().unwrap_or(0)
    ));
    let mut passed = snapshots.torn() && snapshots.number() == Some(1);

    let waited = go_on(bench, seed, &snapshots, false)?;
    let missed = go_on(bench, seed, &snapshots, true)?;
    for (what, (outcome, place), end, last) in [
        ("the sensor waits", waited, AT, FRAMES),
        ("20 ms are missed", missed, AT + MISSED + 1, AT + MISSED + 1 + AFTER),
    ] {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                print(&format_args!("FAILED: {error}"));
                passed = false;
                continue;
            }
        };
        let lag = outcome.same[0].saturating_sub(end);
        let exact = end != AT || lag == 0 && outcome.counters == clean.counters;
        let ok = exact && outcome.bytes_add_up() && outcome.same[1] == last && lag <= MEMORY + SETTLED;
        passed &= ok;
        print(&format_args!(
            "restored at byte {place} of frame {AT}, {what}: {lag} frames until the bits of a clean run{}",
            if ok { "" } else { "  FAILED" }
        ));
    }
    Ok(passed)
}

/// Restores, and sends the rest of the stream, or what comes later.
#[allow(clippy::type_complexity, reason = "a result, and the place")]
fn go_on<const WORDS: usize>(
    bench: &mut Bench,
    seed: u64,
    snapshots: &Snapshots<'_, WORDS>,
    miss: bool,
) -> Result<(Result<Outcome, SnapshotError>, u64), ModelDamaged> {
    let mut rig = Rig::new(bench, seed, false)?;
    if let Err(error) = snapshots.restore(&mut rig.pipeline) {
        return Ok((Err(error), 0));
    }
    let place = rig.pipeline.counters().bytes;
    rig.restored();
    if miss {
        rig.skip = u64::MAX;
        rig.frames(0..AT + MISSED);
        rig.pipeline.lost();
        let mut buffer = [0; MOST];
        let events = rig.sensor.frame(AT + MISSED);
        let words = rig.sensor.encode(events, &mut buffer);
        rig.bytes(words.get(7..).unwrap_or_default());
        rig.skip = 0;
        rig.frames(AT + MISSED + 1..AT + MISSED + 1 + AFTER);
    } else {
        rig.skip = place;
        rig.frames(0..FRAMES);
    }
    Ok((Ok(rig.finish()), place))
}
