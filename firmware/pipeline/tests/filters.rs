//! Event filters before the frames, and further outputs: what the parts give alone.

use foveola_core::events::{
    Downsample, Event, EventChain, EventFilter, EventStage, Evt2, Evt2Encoder, Geometry, HotPixels, Learning,
    Neighbours, Polarity, RateLimit, Refractory, Restart, RowColumn, Stcf,
};
use foveola_core::{Decay, Diff, Error, LowPass, Node, PlacedGraph, Shape, Source, Stage, constant};
use foveola_pipeline::{Application, Counters, MemoryOf, Pipeline, Plan, RetainedBy, Snapshots};

const SENSOR: Geometry = Geometry { cols: 16, rows: 8 };
const SHAPE: Shape = Shape::new(1, 8, 16);
/// The change of the low-pass, and the low-pass.
static NODES: [Node; 2] = [
    Node::Filter(Source::Input, Stage::LowPass(LowPass::new(SHAPE, constant!(Decay::new(0.002, 1000.0))))),
    Node::Filter(Source::Node(0), Stage::Diff(Diff::new(SHAPE))),
];
static PLACED: PlacedGraph<2> = constant!(PlacedGraph::with_outputs(SHAPE, &NODES, &[0]));
const PLAN: Plan<'static> = constant!(Plan::new(PLACED.graph(), SENSOR, 1, Polarity::Signed, 1_000));

static STAGES: [EventStage<'static>; 5] = [
    EventStage::Refractory(constant!(Refractory::new(SENSOR, 300, Restart::Kept))),
    EventStage::HotPixels(constant!(HotPixels::new(SENSOR, Learning::Always { window: 10_000, most: 20 }))),
    EventStage::Stcf(constant!(Stcf::new(SENSOR, Neighbours::Eight, 1, 2_000))),
    EventStage::RowColumn(constant!(RowColumn::new(SENSOR, 5_000))),
    EventStage::RateLimit(constant!(RateLimit::new(15, 1_000))),
];
const CHAIN: EventChain<'static> = constant!(EventChain::new(SENSOR, &STAGES));

struct Plain;
impl Application for Plain {
    type Decoder = Evt2;
    type Sample = f32;
    const PLAN: Plan<'static> = PLAN;
    const RAM: usize = 8_192;
}

struct Filtered;
impl Application for Filtered {
    type Decoder = Evt2;
    type Sample = f32;
    const PLAN: Plan<'static> = constant!(PLAN.filtered(CHAIN));
    const RAM: usize = 8_192;
}

/// 40 events a millisecond, half of them in a bar that moves, the others anywhere; every twentieth of one pixel.
fn events() -> Vec<Event> {
    let event = |i: u64| {
        let random = i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let (x, y) = match i % 20 {
            0 => (3, 3),
            n if n % 2 == 0 => (random % 16, random / 16 % 8),
            _ => (i / 200 % 16, random % 8),
        };
        Event { t: 7_000 + 25 * i, x: x as u16, y: y as u16, on: random % 3 != 0 }
    };
    (0..4_000).map(event).collect()
}

fn encode(events: &[Event]) -> Vec<u8> {
    let (mut encoder, mut bytes) = (Evt2Encoder::new(), Vec::new());
    for event in events {
        encoder.encode(*event, |word| bytes.extend(word)).expect("small coordinates");
    }
    bytes
}

type Frames = Vec<(u64, Vec<f32>, Vec<f32>)>;

macro_rules! run {
    ($application:ty, $pieces:expr) => {{
        let mut memory = <MemoryOf!($application)>::new();
        let mut pipeline = Pipeline::<$application, _, _, _, _, _>::new(&mut memory).expect("a whole model");
        let mut frames = Frames::new();
        let mut each = |frame: foveola_pipeline::Output<'_>| {
            assert!(frame.further(1).is_empty(), "there is one further output");
            frames.push((frame.start, frame.samples.to_vec(), frame.further(0).to_vec()));
        };
        for mut piece in $pieces {
            while pipeline.feed(&mut piece, &mut each) {}
        }
        while pipeline.finish(&mut each) {}
        (frames, pipeline.counters())
    }};
}

#[test]
fn the_frames_are_those_of_the_events_that_pass() {
    let bytes = encode(&events());
    let (mut state, mut kept) = ([0; CHAIN.state_len()], events());
    let n = CHAIN.retain(&mut state, &mut kept).expect("its state");
    kept.truncate(n);
    let dropped: Vec<u64> = (0..STAGES.len()).map(|stage| CHAIN.dropped(&state, stage)).collect();
    assert!(dropped.iter().all(|n| *n > 10) && n > 500, "each filter has something to do: {dropped:?} of 4000");
    let clean = encode(&kept);
    let (expected, _) = run!(Plain, [&clean[..]]);
    for length in [3, 64, 100_000] {
        let (frames, counters): (Frames, Counters) = run!(Filtered, bytes.chunks(length));
        assert_eq!((counters.events, counters.filtered, counters.stored()), (4_000, 4_000 - n as u64, n as u64));
        assert!(counters.add_up(), "{counters:?}");
        assert!(frames == expected, "pieces of {length} bytes");
    }
    let (all, _) = run!(Plain, [&bytes[..]]);
    assert!(all != expected, "the filters change something");
}

/// The first output is the change of the further one.
#[test]
fn further_outputs_are_those_of_the_same_frame() {
    let (frames, _) = run!(Plain, [&encode(&events())[..]]);
    assert_eq!(frames.len(), 100);
    for pair in frames.windows(2) {
        let change: Vec<f32> = pair[1].2.iter().zip(&pair[0].2).map(|(now, before)| now - before).collect();
        assert_eq!(pair[1].1, change);
        assert!(change.iter().any(|y| *y != 0.0));
    }
}

/// The filters' state is a part of a snapshot.
#[test]
fn a_restored_pipeline_filters_as_before() {
    let bytes = encode(&events());
    let (expected, all) = run!(Filtered, [&bytes[..]]);
    let (mut before, mut after) = bytes.split_at(5_003);
    let mut retained = <RetainedBy!(Filtered)>::new();
    let mut memory = <MemoryOf!(Filtered)>::new();
    let mut pipeline = Pipeline::<Filtered, _, _, _, _, _>::new(&mut memory).expect("a whole model");
    let mut frames = Frames::new();
    // Wherever it stops: what is due is in the snapshot.
    let _ = pipeline.feed(&mut before, |frame| {
        frames.push((frame.start, frame.samples.to_vec(), frame.further(0).to_vec()));
    });
    Snapshots::new(&mut retained).save(&pipeline);

    let mut memory = <MemoryOf!(Filtered)>::new();
    let mut pipeline = Pipeline::<Filtered, _, _, _, _, _>::new(&mut memory).expect("a whole model");
    Snapshots::new(&mut retained).restore(&mut pipeline).expect("whole");
    let mut each = |frame: foveola_pipeline::Output<'_>| {
        frames.push((frame.start, frame.samples.to_vec(), frame.further(0).to_vec()));
    };
    while pipeline.feed(&mut before, &mut each) {}
    while pipeline.feed(&mut after, &mut each) {}
    while pipeline.finish(&mut each) {}
    assert_eq!(pipeline.counters(), all);
    assert!(frames == expected);
}

/// A plan counts the filters' memory and numbers, and refuses those of another sensor.
#[test]
fn a_plan_knows_its_filters() {
    assert_eq!(Filtered::PLAN.bytes(), PLAN.bytes() + 4 * CHAIN.state_len());
    let of = |most| {
        let plan = PLAN;
        let stages =
            [EventStage::HotPixels(HotPixels::new(SENSOR, Learning::Always { window: 9, most }).expect("good"))];
        plan.filtered(EventChain::new(SENSOR, &stages).expect("good")).expect("the same sensor").checksum()
    };
    assert!(of(3) != of(4) && of(3) != PLAN.checksum(), "every number is in the checksum");
    let stages = [EventStage::Downsample(Downsample::new(SENSOR, 2).expect("good"))];
    let halved = PLAN.filtered(EventChain::new(SENSOR, &stages).expect("good")).err();
    assert!(matches!(halved, Some(Error::StageGeometry { stage: 1, .. })), "{halved:?}");
}
