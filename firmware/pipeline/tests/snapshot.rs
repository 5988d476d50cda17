//! Snapshots on a host: at every place of a stream, torn after every word, damaged, of another plan.

use foveola_core::events::{Event, Evt2, Evt2Encoder, Geometry, Polarity};
use foveola_core::{Checksum, Decay, Graph, LowPass, Node, Shape, Source, Stage, constant};
use foveola_pipeline::{
    Application, Counters, MemoryOf, Pipeline, Plan, Retained, RetainedBy, SnapshotError, Snapshots,
};

const SHAPE: Shape = Shape::new(1, 4, 6);
static NODES: [Node; 1] =
    [Node::Filter(Source::Input, Stage::LowPass(LowPass::new(SHAPE, constant!(Decay::new(0.002, 1000.0)))))];
static FASTER: [Node; 1] =
    [Node::Filter(Source::Input, Stage::LowPass(LowPass::new(SHAPE, constant!(Decay::new(0.001, 1000.0)))))];

const fn plan(nodes: &'static [Node<'static>; 1]) -> Plan<'static> {
    let geometry = Geometry { cols: 6, rows: 4 };
    constant!(Plan::new(constant!(Graph::new(SHAPE, nodes)), geometry, 1, Polarity::Signed, 1_000))
}

struct Trace;

impl Application for Trace {
    type Decoder = Evt2;
    type Sample = f32;
    const PLAN: Plan<'static> = plan(&NODES);
    const RAM: usize = 4_096;
}

/// Its state has the same size.
struct Other;

impl Application for Other {
    type Decoder = Evt2;
    type Sample = f32;
    const PLAN: Plan<'static> = plan(&FASTER);
    const RAM: usize = 4_096;
}

type Kept = RetainedBy!(Trace);

/// A header, events, bytes that are none, a jump of the clock, events.
fn stream() -> Vec<u8> {
    let mut bytes = b"% evt 2.0\n% geometry 6x4\n".to_vec();
    let mut encoder = Evt2Encoder::new();
    for i in 0..300_u64 {
        let t = if i < 200 { 7_000 + 90 * i } else { 90_000_000 + 90 * i };
        let event = Event { t, x: (i * 7 % 6) as u16, y: (i * 5 % 4) as u16, on: i % 3 != 0 };
        encoder.encode(event, |word| bytes.extend(word)).expect("small coordinates");
        if i == 100 {
            bytes.extend([0x5A; 7]);
        }
    }
    bytes
}

type Frames = Vec<(u64, Vec<u32>)>;

/// Feeds `bytes` to a pipeline that starts as `retained` says, in memory that holds nonsense, and saves it at the end.
fn go_on(retained: &mut Kept, mut bytes: &[u8]) -> (Frames, Counters) {
    let mut memory = <MemoryOf!(Trace)>::new();
    let mut pipeline = Pipeline::<Trace, _, _, _, _>::new(&mut memory).expect("a whole model");
    while pipeline.feed(&mut &[0x80; 999][..], |_| ()) {}
    let mut snapshots = Snapshots::new(retained);
    snapshots.restore(&mut pipeline).expect("a snapshot");
    let mut frames = Frames::new();
    let mut each = |frame: foveola_pipeline::Output<'_>| {
        frames.push((frame.start, frame.samples.iter().map(|y| y.to_bits()).collect()));
    };
    while pipeline.feed(&mut bytes, &mut each) {}
    snapshots.save(&pipeline);
    (frames, pipeline.counters())
}

fn start(retained: &mut Kept, mut bytes: &[u8]) -> (Frames, Counters) {
    let mut memory = <MemoryOf!(Trace)>::new();
    let mut pipeline = Pipeline::<Trace, _, _, _, _>::new(&mut memory).expect("a whole model");
    let mut frames = Frames::new();
    let mut each = |frame: foveola_pipeline::Output<'_>| {
        frames.push((frame.start, frame.samples.iter().map(|y| y.to_bits()).collect()));
    };
    while pipeline.feed(&mut bytes, &mut each) {}
    Snapshots::new(retained).save(&pipeline);
    (frames, pipeline.counters())
}

#[test]
fn at_every_byte_the_stream_goes_on_bit_for_bit() {
    let bytes = stream();
    let (clean, counters) = start(&mut Kept::new(), &bytes);
    assert!(counters.add_up() && counters.skipped.garbage > 0 && counters.restarts == 1, "{counters:?}");
    assert!(clean.len() > 20, "{} frames", clean.len());
    for at in 0..=bytes.len() {
        let mut retained = Kept::new();
        let (before, after) = bytes.split_at(at);
        let (mut frames, so_far) = start(&mut retained, before);
        assert!(so_far.add_up() && so_far.bytes == at as u64, "{so_far:?} after {at} bytes");
        let (rest, after) = go_on(&mut retained, after);
        frames.extend(rest);
        assert!(frames == clean && after == counters, "a reset after byte {at}");
    }
}

/// Numbers of snapshots go round: behind the largest comes 0, and it is the newer one, whichever place it has.
#[test]
fn the_newer_snapshot_is_told_over_the_end_of_the_numbers() {
    let bytes = stream();
    let mut retained = Kept::new();
    start(&mut retained, &bytes[..500]);
    go_on(&mut retained, &bytes[500..1_000]);
    let expected = go_on(&mut retained.clone(), &bytes[1_000..]);
    for (older, newer) in [(1, 2), (u32::MAX, 0), (u32::MAX - 1, u32::MAX), (i32::MAX as u32, i32::MAX as u32 + 1)] {
        for swapped in [false, true] {
            let mut retained = retained.clone();
            let slots = retained.words_mut();
            for (slot, to) in slots.iter_mut().zip([older, newer]) {
                let [_, plan, number, check, body @ ..] = slot.as_mut_slice() else { unreachable!("a head") };
                *number = to;
                let sum = Checksum::new().word(*plan).word(to);
                *check = body.iter().fold(sum, |sum, word| sum.word(*word)).value();
            }
            if swapped {
                slots.swap(0, 1);
            }
            assert_eq!(Snapshots::new(&mut retained).number(), Some(newer), "{older}, then {newer}");
            assert!(go_on(&mut retained, &bytes[1_000..]) == expected, "{older}, then {newer}");
            assert_eq!(Snapshots::new(&mut retained).number(), Some(newer.wrapping_add(1)));
        }
    }
}

/// However much of a snapshot was written when the power went, in whatever order: the one before it is whole.
#[test]
fn a_torn_snapshot_leaves_the_one_before() {
    let bytes = stream();
    let rest = &bytes[1_000..];
    let mut before = Kept::new();
    start(&mut before, &bytes[..500]);
    go_on(&mut before, &bytes[500..1_000]); // number 2: both slots are in use
    let expected = go_on(&mut before.clone(), &rest[..100]);
    let mut after = before.clone();
    go_on(&mut after, &rest[..100]); // number 3
    let (old, new) = (before.clone().words_mut().concat(), after.words_mut().concat());

    let torn = |is_new: &dyn Fn(usize) -> bool| {
        let mut retained = before.clone();
        let words = retained.words_mut().as_flattened_mut();
        for (i, word) in words.iter_mut().enumerate() {
            *word = if is_new(i) { new[i] } else { old[i] };
        }
        retained
    };
    let changed: Vec<usize> = (0..old.len()).filter(|i| old[*i] != new[*i]).collect();
    assert!(changed.len() > 30, "{} words differ", changed.len());
    // The marks of a finished snapshot are equal in both, so these slots are whole for their mark: the CRC tells.
    let mut seed = 1_u64;
    for n in 0..changed.len() {
        let prefix = torn(&|i| changed[..n].contains(&i));
        let suffix = torn(&|i| n > 0 && changed[n..].contains(&i));
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let some = torn(&|i| i != changed[n] && changed.contains(&i) && (seed >> (i % 64)) & 1 == 1);
        for (form, mut retained) in [("first words", prefix), ("last words", suffix), ("some words", some)] {
            let snapshots = Snapshots::new(&mut retained);
            assert_eq!(snapshots.number(), Some(2), "{form} of {n}");
            assert!(go_on(&mut retained, &rest[..100]) == expected, "{form} of {n}");
        }
    }
    assert_eq!(Snapshots::new(&mut after).number(), Some(3));
}

#[test]
fn numbers_go_round() {
    let bytes = stream();
    let mut retained = Kept::new();
    start(&mut retained, &bytes[..400]);
    for n in 1..6_u64 {
        let (from, to) = (400 + 50 * n as usize, 450 + 50 * n as usize);
        let (_, counters) = go_on(&mut retained, &bytes[from..to]);
        assert_eq!((counters.bytes, Snapshots::new(&mut retained).number()), (400 + 50 * n, Some(n as u32 + 1)));
    }
}

#[test]
fn what_cannot_be_restored_is_told() {
    let mut memory = <MemoryOf!(Trace)>::new();
    let mut pipeline = Pipeline::<Trace, _, _, _, _>::new(&mut memory).expect("a whole model");
    assert!(!pipeline.feed(&mut &stream()[..300], |_| ()));
    let before = pipeline.counters();

    let mut noise = Kept::new();
    for (i, word) in noise.words_mut().as_flattened_mut().iter_mut().enumerate() {
        *word = (i as u32).wrapping_mul(2_654_435_761);
    }
    assert_eq!(Snapshots::new(&mut noise).restore(&mut pipeline), Err(SnapshotError::None));

    let mut retained = Kept::new();
    Snapshots::new(&mut retained).save(&pipeline);
    for i in 0..words_of(&retained) {
        for bit in [0, 13, 31] {
            let mut damaged = retained.clone();
            damaged.words_mut()[0][i] ^= 1 << bit;
            let error = Snapshots::new(&mut damaged).restore(&mut pipeline).expect_err("a flipped bit");
            let told = matches!(error, SnapshotError::Damaged { found, expected } if found != expected);
            assert!(told || i == 0 && error == SnapshotError::None, "bit {bit} of word {i}: {error}");
        }
    }
    assert_eq!(pipeline.counters(), before, "nothing was restored");

    let mut memory = <MemoryOf!(Other)>::new();
    let mut other = Pipeline::<Other, _, _, _, _>::new(&mut memory).expect("a whole model");
    let (found, expected) = (Trace::CHECKSUM, Other::CHECKSUM);
    assert_ne!(found, expected);
    let snapshots = Snapshots::new(&mut retained);
    assert_eq!(snapshots.restore(&mut other), Err(SnapshotError::OtherPlan { found, expected }));
}

const fn words_of<const WORDS: usize>(_: &Retained<WORDS>) -> usize {
    WORDS
}
