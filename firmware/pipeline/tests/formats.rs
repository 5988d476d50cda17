//! The same events in every format of a live sensor: the same frames, and every byte accounted for.

use foveola_core::events::{
    Event, Evt2, Evt2Encoder, Evt3, Evt3Encoder, Evt21, Evt21Encoder, Geometry, Live, Order, OtherState, PixelLayout,
    Polarity, SensorFrame,
};
use foveola_core::{Checksum, Decay, Digest, Graph, LowPass, Node, Shape, Source, Stage, constant};
use foveola_pipeline::{Application, Counters, MemoryOf, Output, Pipeline, Plan, RetainedBy, SnapshotError, Snapshots};

const SHAPE: Shape = Shape::new(1, 8, 16);
static NODES: [Node; 1] =
    [Node::Filter(Source::Input, Stage::LowPass(LowPass::new(SHAPE, constant!(Decay::new(0.002, 1000.0)))))];
const PLAN: Plan<'static> = constant!(Plan::new(
    constant!(Graph::new(SHAPE, &NODES)),
    Geometry { cols: 16, rows: 8 },
    1,
    Polarity::Signed,
    1_000
));

struct In2;
struct In21;
struct In3;

impl Application for In2 {
    type Decoder = Evt2;
    type Sample = f32;
    const PLAN: Plan<'static> = PLAN;
    const RAM: usize = 3 * 4 * SHAPE.len();
}

impl Application for In21 {
    type Decoder = Evt21;
    type Sample = f32;
    const PLAN: Plan<'static> = PLAN;
    const RAM: usize = 3 * 4 * SHAPE.len();
}

impl Application for In3 {
    type Decoder = Evt3;
    type Sample = f32;
    const PLAN: Plan<'static> = PLAN;
    const RAM: usize = 3 * 4 * SHAPE.len();
}

/// Bursts of neighbours at one time, which vectors hold together; a gap of some frames and, with a `jump`, one that is not filled;
/// beyond the frame here and there.
fn events(jump: bool) -> Vec<Event> {
    let mut events = Vec::new();
    for i in 0..400_u64 {
        let gap = if i < 200 { 0 } else { 30_000 } + if jump && i >= 300 { 900_000 } else { 0 };
        let (t, y) = (100_000 + 150 * i + gap, (i * 5 % 9) as u16);
        for x in 0..i % 5 {
            events.push(Event { t, x: (i * 3 % 12 + x) as u16, y, on: !i.is_multiple_of(3) });
        }
    }
    events
}

fn in_2(events: &[Event]) -> Vec<u8> {
    let (mut encoder, mut bytes) = (Evt2Encoder::new(), Vec::new());
    events.iter().for_each(|event| encoder.encode(*event, |word| bytes.extend(word)).expect("small coordinates"));
    bytes
}

fn in_21(events: &[Event], order: Order) -> Vec<u8> {
    let (mut encoder, mut bytes) = (Evt21Encoder::new(order), Vec::new());
    events.iter().for_each(|event| encoder.encode(*event, |word| bytes.extend(word)).expect("small coordinates"));
    encoder.finish(|word| bytes.extend(word));
    bytes
}

fn in_3(events: &[Event]) -> Vec<u8> {
    let (mut encoder, mut bytes) = (Evt3Encoder::new(), Vec::new());
    events.iter().for_each(|event| encoder.encode(*event, |word| bytes.extend(word)).expect("small coordinates"));
    encoder.finish(|word| bytes.extend(word));
    bytes
}

/// Starts of all frames, the digest of their samples, and the counters.
type Ran = (Vec<u64>, u64, Counters);

/// Feeds pieces of `length` bytes, with a look at the clock between them if `quiet`; before byte `lost` bytes are missing.
macro_rules! run {
    ($application:ident, $bytes:expr, $length:expr, $quiet:expr, $lost:expr) => {{
        let mut memory = <MemoryOf!($application)>::new();
        let mut pipeline = Pipeline::<$application, _, _, _, _>::new(&mut memory).expect("a whole model");
        let (mut starts, mut digest) = (Vec::new(), Digest::new());
        let mut each = |frame: Output<'_>| {
            starts.push(frame.start);
            digest.add(frame.samples);
        };
        let lost: Option<usize> = $lost;
        for (i, mut piece) in $bytes.chunks($length).enumerate() {
            if lost.is_some_and(|at| at / $length == i) {
                pipeline.lost();
            }
            while pipeline.feed(&mut piece, &mut each) {}
            while $quiet && pipeline.quiet(&mut each) {}
        }
        while pipeline.finish(&mut each) {}
        let ran: Ran = (starts, digest.value(), pipeline.counters());
        assert!(ran.2.add_up(), "{:?}", ran.2);
        ran
    }};
}

#[test]
fn every_format_gives_the_same_frames() {
    // Behind a jump, frames start with the clock, whose steps differ, if the pipeline looks at it before the first event comes.
    for (jump, quiet) in [(true, false), (false, false), (false, true)] {
        let events = events(jump);
        let (frames, digest, counters) = run!(In2, in_2(&events), 1_000_000, false, None);
        assert!(frames.len() > 80 && counters.restarts == jump.into(), "{} frames, {counters:?}", frames.len());
        assert_eq!((counters.events, counters.skipped.bytes()), (events.len() as u64, 0));
        for length in [1, 3, 8, 64, 1_000_000] {
            let others = [
                ("EVT 2", run!(In2, in_2(&events), length, quiet, None)),
                ("EVT 2.1", run!(In21, in_21(&events, Order::Little), length, quiet, None)),
                ("EVT 2.1 legacy", run!(In21, in_21(&events, Order::Legacy), length, quiet, None)),
                ("EVT 3", run!(In3, in_3(&events), length, quiet, None)),
            ];
            for (name, (starts, bits, found)) in others {
                assert_eq!((starts, bits), (frames.clone(), digest), "{name}, pieces of {length}, {jump}, {quiet}");
                let same = Counters { bytes: counters.bytes, understood: counters.understood, ..found };
                assert_eq!(same, counters, "{name}, pieces of {length}, {jump}, {quiet}");
            }
        }
    }
}

/// Behind lost bytes frames go on, and every byte is accounted for.
#[test]
fn lost_bytes_are_counted_in_every_format() {
    let events = events(true);
    let (_, _, two) = run!(In2, in_2(&events), 50, true, Some(1_000));
    let (_, _, two_one) = run!(In21, in_21(&events, Order::Little), 50, true, Some(1_000));
    let (_, _, three) = run!(In3, in_3(&events), 50, true, Some(1_000));
    for (name, counters) in [("EVT 2", two), ("EVT 2.1", two_one), ("EVT 3", three)] {
        assert_eq!(counters.losses, 1, "{name}");
        assert!(counters.skipped.garbage > 0 && counters.events * 10 > events.len() as u64 * 6, "{name}: {counters:?}");
    }
}

/// A snapshot in the middle of a vector, whose events wait behind a frame; another decoder refuses it.
#[test]
fn a_snapshot_is_for_one_decoder() {
    let events = events(true);
    let bytes = in_3(&events);
    let (frames, _, counters) = run!(In3, bytes, 1_000_000, false, None);
    for at in (0..bytes.len()).step_by(31) {
        let mut retained = <RetainedBy!(In3)>::new();
        let (mut before, mut after) = bytes.split_at(at);
        let mut starts = Vec::new();
        {
            let mut memory = <MemoryOf!(In3)>::new();
            let mut pipeline = Pipeline::<In3, _, _, _, _>::new(&mut memory).expect("a whole model");
            while pipeline.feed(&mut before, |frame| starts.push(frame.start)) {}
            Snapshots::new(&mut retained).save(&pipeline);
        }
        let mut memory = <MemoryOf!(In3)>::new();
        let mut pipeline = Pipeline::<In3, _, _, _, _>::new(&mut memory).expect("a whole model");
        assert_eq!(Snapshots::new(&mut retained).restore(&mut pipeline), Ok(()));
        while pipeline.feed(&mut after, |frame| starts.push(frame.start)) {}
        while pipeline.finish(|frame| starts.push(frame.start)) {}
        assert_eq!((&starts, pipeline.counters()), (&frames, counters), "saved after {at} bytes");
    }

    // The form of EVT 3 in an intact snapshot of EVT 2, as of another program with the same plan.
    let mut retained = <RetainedBy!(In2)>::new();
    let mut memory = <MemoryOf!(In2)>::new();
    let mut pipeline = Pipeline::<In2, _, _, _, _>::new(&mut memory).expect("a whole model");
    Snapshots::new(&mut retained).save(&pipeline);
    for slot in retained.words_mut() {
        let [_, plan, number, check, body @ ..] = slot.as_mut_slice() else { panic!("a head and a body") };
        body[0] = Evt3::FORM;
        *check = body.iter().fold(Checksum::new().word(*plan).word(*number), |sum, word| sum.word(*word)).value();
    }
    while pipeline.feed(&mut &[0x80; 99][..], |_| ()) {}
    let before = pipeline.counters();
    let refused = Snapshots::new(&mut retained).restore(&mut pipeline);
    let other = OtherState { found: Evt3::FORM, expected: Evt2::FORM };
    assert_eq!((refused, pipeline.counters()), (Err(SnapshotError::OtherDecoder(other)), before));
}

/// Differences that the sensor made itself go through the model as its events do.
#[test]
fn frames_of_the_sensor_are_those_of_its_events() {
    const READER: SensorFrame = constant!(SensorFrame::new(
        PixelLayout::Difference { bits: 8 },
        Geometry { cols: 16, rows: 8 },
        Polarity::Signed
    ));
    let events: Vec<Event> = events(false).into_iter().filter(|event| event.y < 8 && event.x < 16).collect();
    let (starts, digest, _) = run!(In2, in_2(&events), 1_000_000, false, None);
    let mut memory = <MemoryOf!(In2)>::new();
    let mut pipeline = Pipeline::<In2, _, _, _, _>::new(&mut memory).expect("a whole model");
    let mut bits = Digest::new();
    for start in starts {
        let mut bytes = [0_u8; READER.bytes()];
        for event in events.iter().filter(|event| (start..start + 1_000).contains(&event.t)) {
            let byte = &mut bytes[usize::from(event.y) * 16 + usize::from(event.x)];
            *byte = byte.wrapping_add(if event.on { 1 } else { 255 });
        }
        let read = |samples: &mut [f32]| READER.read(&bytes, samples).expect("the lengths of the plan");
        assert!(pipeline.frame(start, read, |frame| bits.add(frame.samples)));
    }
    assert_eq!(bits.value(), digest);
}
