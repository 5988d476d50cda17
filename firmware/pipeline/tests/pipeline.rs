//! The pipeline on a host: pieces, binning, a full queue, damage, quiet times.

use foveola_core::events::{Event, Evt2, Evt2Encoder, Geometry, Polarity};
use foveola_core::{Conv3d, ConvOptions, Decay, Error, Graph, Kernel, LowPass, Node, Shape, Source, Stage, constant};
use foveola_pipeline::{Application, ByteQueue, Counters, MemoryOf, Pipeline, Plan};

const SHAPE: Shape = Shape::new(1, 8, 16);
static NODES: [Node; 1] =
    [Node::Filter(Source::Input, Stage::LowPass(LowPass::new(SHAPE, constant!(Decay::new(0.002, 1000.0)))))];
const MODEL: Graph<'static> = constant!(Graph::new(SHAPE, &NODES));

/// A sensor of 16 x 8 pixels, pixel by pixel.
struct Plain;

impl Application for Plain {
    type Decoder = Evt2;
    type Sample = f32;
    const PLAN: Plan<'static> = constant!(Plan::new(MODEL, Geometry { cols: 16, rows: 8 }, 1, Polarity::Signed, 1_000));
    const RAM: usize = 3 * 4 * SHAPE.len();
}

/// One of 50 x 25 pixels in bins of 3 x 3, the last column and row left over.
struct Binned;

impl Application for Binned {
    type Decoder = Evt2;
    type Sample = f32;
    const PLAN: Plan<'static> =
        constant!(Plan::new(MODEL, Geometry { cols: 50, rows: 25 }, 3, Polarity::Signed, 1_000));
    const RAM: usize = 4_096;
}

/// Without padding, a frame for every second one from the third on.
struct Slow;

static TAPS: [Node; 1] = [Node::Filter(
    Source::Input,
    Stage::Conv3d(constant!(Conv3d::new(
        SHAPE,
        Kernel::new(&[1.0, 2.0, 3.0], [1, 1, 3, 1, 1]),
        ConvOptions { pad: None, stride: [2, 1, 1], ..ConvOptions::DEFAULT }
    ))),
)];

impl Application for Slow {
    type Decoder = Evt2;
    type Sample = f32;
    const PLAN: Plan<'static> = constant!(Plan::new(
        constant!(Graph::new(SHAPE, &TAPS)),
        Geometry { cols: 16, rows: 8 },
        1,
        Polarity::Signed,
        1_000
    ));
    const RAM: usize = 16_384;
}

/// `n` events, 50 us apart, all over `cols` x `rows` pixels.
fn events(n: u64, cols: u64, rows: u64) -> Vec<Event> {
    let event = |i: u64| Event {
        t: 7_000 + 50 * i,
        x: (i * 7_919 % cols) as u16,
        y: (i * 104_729 % rows) as u16,
        on: !i.is_multiple_of(3),
    };
    (0..n).map(event).collect()
}

fn encode(events: &[Event]) -> Vec<u8> {
    let (mut encoder, mut bytes) = (Evt2Encoder::new(), Vec::new());
    for event in events {
        encoder.encode(*event, |word| bytes.extend(word)).expect("small coordinates");
    }
    bytes
}

/// Starts and samples of all output frames, and the counters.
type Ran = (Vec<(u64, Vec<f32>)>, Counters);

fn run<'p>(pieces: impl Iterator<Item = &'p [u8]>) -> Ran {
    let mut memory = <MemoryOf!(Plain)>::new();
    let mut pipeline = Pipeline::<Plain, _, _, _, _>::new(&mut memory).expect("a whole model");
    let mut frames = Vec::new();
    for mut piece in pieces {
        while pipeline.feed(&mut piece, |frame| frames.push((frame.start, frame.samples.to_vec()))) {}
    }
    while pipeline.finish(|frame| frames.push((frame.start, frame.samples.to_vec()))) {}
    (frames, pipeline.counters())
}

#[test]
fn pieces_of_any_length_give_the_same() {
    let bytes = encode(&events(2_000, 16, 8));
    let (frames, counters) = run(std::iter::once(&bytes[..]));
    assert_eq!((frames.len(), counters.stored(), counters.outputs), (100, 2_000, 100));
    assert!(frames.windows(2).all(|pair| pair[0].0 + 1_000 == pair[1].0), "a frame every millisecond");
    for length in [1, 3, 4, 7, 64, 1_000] {
        assert!(run(bytes.chunks(length)) == (frames.clone(), counters), "pieces of {length} bytes");
    }
}

#[test]
fn bins_are_sums_of_pixels() {
    let all = events(3_000, 50, 25);
    let inside = |event: &&Event| event.x < 48 && event.y < 24;
    let coarse: Vec<Event> =
        all.iter().filter(inside).map(|event| Event { x: event.x / 3, y: event.y / 3, ..*event }).collect();
    let (expected, _) = run(std::iter::once(&encode(&coarse)[..]));

    let mut memory = <MemoryOf!(Binned)>::new();
    let mut pipeline = Pipeline::<Binned, _, _, _, _>::new(&mut memory).expect("a whole model");
    let mut frames = Vec::new();
    let bytes = encode(&all);
    let mut bytes = &bytes[..];
    while pipeline.feed(&mut bytes, |frame| frames.push((frame.start, frame.samples.to_vec()))) {}
    while pipeline.finish(|frame| frames.push((frame.start, frame.samples.to_vec()))) {}
    assert!(frames == expected, "the frames of events that were binned before");
    let counters = pipeline.counters();
    assert_eq!((counters.events, counters.stored()), (3_000, coarse.len() as u64));
    assert_eq!(counters.dropped.outside, 3_000 - coarse.len() as u64);
}

/// Frames that a sensor made go through the model as those of the same events do. A stream of bytes does not take any.
#[test]
fn frames_of_a_sensor_take_the_place_of_bytes() {
    let events = events(2_000, 16, 8);
    let (expected, _) = run(std::iter::once(&encode(&events)[..]));
    let mut memory = <MemoryOf!(Plain)>::new();
    let mut pipeline = Pipeline::<Plain, _, _, _, _>::new(&mut memory).expect("a whole model");
    let mut frames = Vec::new();
    for (start, _) in &expected {
        let fill = |samples: &mut [f32]| {
            samples.fill(0.0);
            for event in events.iter().filter(|event| (*start..start + 1_000).contains(&event.t)) {
                samples[usize::from(event.y) * 16 + usize::from(event.x)] += if event.on { 1.0 } else { -1.0 };
            }
        };
        assert!(pipeline.frame(*start, fill, |frame| frames.push((frame.start, frame.samples.to_vec()))));
    }
    assert!(frames == expected);
    assert_eq!((pipeline.counters().frames, pipeline.counters().outputs, pipeline.counters().bytes), (100, 100, 0));

    let mut bytes = &encode(&events[..1])[..];
    while pipeline.feed(&mut bytes, |_| {}) {}
    assert!(!pipeline.frame(0, |_| panic!("a frame of a stream of bytes"), |_| panic!("an output")));
    assert_eq!(pipeline.counters().frames, 100);
}

/// The main loop stands still while the interrupt goes on; then the stream is read on, and what was seen before the gap is
/// forgotten.
#[test]
fn a_full_queue_loses_whole_blocks_and_no_count() {
    const BLOCK: usize = 64;
    let bytes = encode(&events(20_000, 16, 8));
    let (clean, _) = run(std::iter::once(&bytes[..]));

    let mut queue = ByteQueue::<BLOCK, 16>::new();
    let (mut interrupt, mut main_loop) = queue.split();
    let mut memory = <MemoryOf!(Plain)>::new();
    let mut pipeline = Pipeline::<Plain, _, _, _, _>::new(&mut memory).expect("a whole model");
    let (mut frames, mut received, mut refused) = (Vec::new(), 0, 0);
    for (i, piece) in bytes.chunks(BLOCK).enumerate() {
        refused += interrupt.send(piece);
        if (200..400).contains(&i) {
            continue; // busy elsewhere: 15 blocks wait, 186 of 201 are dropped
        }
        while let Some(block) = main_loop.receive() {
            received += block.bytes().len();
            let mut bytes = pipeline.open(&block);
            while pipeline.feed(&mut bytes, |frame| frames.push((frame.start, frame.samples.to_vec()))) {}
        }
    }
    while pipeline.finish(|frame| frames.push((frame.start, frame.samples.to_vec()))) {}

    let counters = pipeline.counters();
    assert_eq!(received + refused, bytes.len());
    assert_eq!((refused, main_loop.dropped(), main_loop.dropped_blocks()), (186 * BLOCK, 186 * BLOCK as u32, 186));
    assert_eq!((counters.losses, counters.skipped.backward), (1, 0));
    // The decoder believes in its place after 16 words, and goes on at the next word that tells the time.
    assert!((48..160).contains(&counters.skipped.bytes()), "{:?}", counters.skipped);
    assert_eq!(counters.events, counters.stored(), "no event got a wrong time");
    assert_eq!(frames.len(), clean.len());
    assert!(frames[..90] == clean[..90], "the same before the gap");
    // The low-pass forgets by a factor e in 2 frames: 120 frames behind the gap the same to the last bits.
    let (last, expected) = (frames.last().expect("frames"), clean.last().expect("frames"));
    assert_eq!(last.0, expected.0);
    let apart = last.1.iter().zip(&expected.1).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart <= 1e-6, "{apart}");
}

#[test]
fn noise_is_survived_and_counted() {
    let noise: Vec<u8> = (0..50_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    let good = encode(&events(2_000, 16, 8));
    let (frames, counters) = run([&good[..], &noise, &good].into_iter());
    assert!(counters.skipped.garbage > 10_000, "{:?}", counters.skipped);
    assert!(
        counters.events >= 2_000 && counters.events == counters.stored() + counters.dropped.events(),
        "{counters:?}"
    );
    assert!(frames.iter().all(|(_, samples)| samples.iter().all(|y| y.is_finite())), "numbers");
}

#[test]
fn frames_come_while_nothing_moves() {
    let mut memory = <MemoryOf!(Plain)>::new();
    let mut pipeline = Pipeline::<Plain, _, _, _, _>::new(&mut memory).expect("a whole model");
    let mut starts = Vec::new();
    assert!(!pipeline.quiet(|_| unreachable!("no frame before the first event")));
    assert!(!pipeline.feed(&mut &encode(&events(1, 16, 8))[..], |_| unreachable!("the first bin is open")));
    assert!(!pipeline.feed(&mut &(0x8000_0000_u32 | 10_100 >> 6).to_le_bytes()[..], |_| unreachable!("no event")));
    assert!(!pipeline.quiet(|frame| starts.push(frame.start)));
    assert_eq!(starts, [7_000, 8_000, 9_000]);
}

/// A jump of the clock, here by the most that is filled: no call makes more than 32 frames, whichever comes next, and they are
/// those of a stream that was read at leisure.
#[test]
fn a_call_makes_so_many_frames_at_most() {
    let event = |t| Event { t, x: 3, y: 2, on: true };
    let bytes = encode(&[event(7_000), event(206_999), event(207_000)]);
    for (cut, quiet) in [(0, false), (8, false), (8, true), (bytes.len(), true), (bytes.len(), false)] {
        let mut memory = <MemoryOf!(Plain)>::new();
        let mut pipeline = Pipeline::<Plain, _, _, _, _>::new(&mut memory).expect("a whole model");
        let (mut starts, mut calls) = (Vec::new(), Vec::new());
        let (mut before, mut after) = bytes.split_at(cut);
        let mut call = |more: bool, starts: &Vec<u64>| {
            calls.push(starts.len() - calls.iter().sum::<usize>());
            more
        };
        // Not called again, or only later: what is due comes with the next call.
        let _ = pipeline.feed(&mut before, |frame| starts.push(frame.start));
        call(true, &starts);
        while quiet && call(pipeline.quiet(|frame| starts.push(frame.start)), &starts) {}
        while call(pipeline.feed(&mut before, |frame| starts.push(frame.start)), &starts) {}
        while call(pipeline.feed(&mut after, |frame| starts.push(frame.start)), &starts) {}
        while call(pipeline.finish(|frame| starts.push(frame.start)), &starts) {}
        assert!(starts.iter().copied().eq((7..=207).map(|frame| frame * 1_000)), "{starts:?}");
        assert!(calls.iter().all(|frames| *frames <= Plan::FRAMES_PER_CALL), "{calls:?}");
        assert!(pipeline.counters().add_up() && pipeline.counters().stored() == 3, "{:?}", pipeline.counters());
    }
}

/// The case: one flipped bit in a time word. With a plan's defaults it makes no frame and no event late.
#[test]
fn a_flipped_bit_makes_no_frames() {
    let clean = encode(&events(2_000, 16, 8));
    let (expected, _) = run(std::iter::once(&clean[..]));
    let time = (2_000..).step_by(4).find(|at| clean[at + 3] >> 4 == 8).expect("a time word");
    for place in 14..28 {
        let mut bytes = clean.clone();
        bytes[time + place / 8] ^= 1 << (place % 8);
        let (frames, counters) = run(std::iter::once(&bytes[..]));
        assert_eq!((frames.len(), counters.dropped.late, counters.restarts), (expected.len(), 0, 0), "bit {place}");
        assert_eq!(counters.skipped.unconfirmed, 1, "bit {place}");
    }
}

/// Frames that the model holds back, before its kernel is filled and between its outputs.
#[test]
fn frames_without_an_output_are_counted() {
    let mut memory = <MemoryOf!(Slow)>::new();
    let mut pipeline = Pipeline::<Slow, _, _, _, _>::new(&mut memory).expect("a whole model");
    let mut starts = Vec::new();
    assert!(!pipeline.feed(&mut &encode(&events(200, 16, 8))[..], |frame| starts.push(frame.start)));
    assert!(!pipeline.finish(|frame| starts.push(frame.start)));
    assert_eq!(starts, [9_000, 11_000, 13_000, 15_000]);
    let counters = pipeline.counters();
    assert_eq!((counters.frames, counters.outputs, counters.held_back), (10, 4, 6), "{counters:?}");
    assert!(counters.add_up(), "{counters:?}");
}

#[test]
fn plans_that_cannot_be_are_refused() {
    let plan = |cols, rows, binning, dt| {
        Plan::new(MODEL, Geometry { cols, rows }, binning, Polarity::Signed, dt).map(|plan| plan.bytes())
    };
    assert_eq!(plan(16, 8, 1, 1_000), Ok(3 * 4 * SHAPE.len()));
    assert!(matches!(plan(16, 8, 0, 1_000), Err(Error::Parameter { name: "binning", .. })), "no binning");
    assert!(matches!(plan(16, 8, 1, 0), Err(Error::Parameter { name: "dt", .. })), "no time");
    assert!(matches!(plan(16, 8, 20, 1_000), Err(Error::EmptyFrame { .. })), "no whole bin");
    assert!(matches!(plan(16, 16, 1, 1_000), Err(Error::NodeShape { .. })), "another shape");
}
