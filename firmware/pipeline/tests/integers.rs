//! Samples of 16 bits: the pipeline has the bits of its graph, half the memory, and a checksum of every number.

use foveola_core::events::{Count, Event, Evt2, Evt2Encoder, Geometry, Polarity};
use foveola_core::{
    Border, Conv3d, ConvOptions, Decay, Filter, Graph, Kernel, LowPass, Node, Nonlinearity, Pointwise, Q15, Sample,
    Shape, Source, Stage, Step, constant,
};
use foveola_pipeline::{
    Application, BandMemory, Bands, MemoryOf, ModelDamaged, Output, Pipeline, Plan, RetainedBy, SnapshotError,
    Snapshots,
};

const SHAPE: Shape = Shape::new(1, 4, 6);
const SENSOR: Geometry = Geometry { cols: 6, rows: 4 };
const DT: u64 = 1_000;
static WEIGHTS: [Q15; 9] = Q15::array([-1_500, 3_000, -1_500, 3_000, 28_000, 3_000, -1_500, 3_000, -1_500]);
static OTHER_WEIGHTS: [Q15; 9] = Q15::array([-1_500, 3_000, -1_500, 3_000, 28_000, 3_000, -1_500, 3_000, -1_499]);
const SLOW: Decay = constant!(Decay::new(0.05, 1000.0)).with_remainder();

/// A kernel that counts `2^shift` times, a slow low-pass, a rectifier.
const fn nodes(weights: &'static [Q15], shift: i8, decay: Decay) -> [Node<'static, Q15>; 3] {
    let kernel = Kernel::new(weights, [1, 1, 1, 3, 3]);
    let options = ConvOptions { border: Some(Border::Replicate), ..ConvOptions::DEFAULT };
    [
        Node::Filter(Source::Input, Stage::Conv3d(constant!(Conv3d::new_q15(SHAPE, kernel, shift, options)))),
        Node::Filter(Source::Node(0), Stage::LowPass(LowPass::new(SHAPE, decay))),
        Node::Filter(Source::Node(1), Stage::Pointwise(constant!(Pointwise::new(SHAPE, Nonlinearity::Rectify)))),
    ]
}

const fn plan(nodes: &'static [Node<'static, Q15>]) -> Plan<'static, Q15> {
    constant!(Plan::new(constant!(Graph::new(SHAPE, nodes)), SENSOR, 1, Polarity::Signed, DT))
}

static NODES: [Node<Q15>; 3] = nodes(&WEIGHTS, 5, SLOW);
static OTHER_NODES: [Node<Q15>; 3] = nodes(&WEIGHTS, 4, SLOW);

struct Integers;

impl Application for Integers {
    type Decoder = Evt2;
    type Sample = Q15;
    const PLAN: Plan<'static, Q15> = plan(&NODES);
    // Input, output, two words of state for a pixel, and the scratch.
    const RAM: usize = 2 * (4 * SHAPE.len() + Self::PLAN.samples()[3]);
}

/// A state of the same size.
struct Other;

impl Application for Other {
    type Decoder = Evt2;
    type Sample = Q15;
    const PLAN: Plan<'static, Q15> = plan(&OTHER_NODES);
    const RAM: usize = Integers::RAM;
}

fn events() -> Vec<Event> {
    let event = |i: u64| Event { t: 7_000 + 37 * i, x: (i * 7 % 6) as u16, y: (i * i % 4) as u16, on: i % 3 != 0 };
    (0..2_000).map(event).collect()
}

fn bytes() -> Vec<u8> {
    let (mut encoder, mut bytes) = (Evt2Encoder::new(), Vec::new());
    for event in events() {
        encoder.encode(event, |word| bytes.extend(word)).expect("small coordinates");
    }
    bytes
}

/// When each frame began, and its samples.
type Frames = Vec<(u64, Vec<Q15>)>;

/// The frames of the graph alone, over the counts of each millisecond in 128ths.
fn expected() -> Frames {
    let model = Integers::PLAN.model();
    let [input, output, state, scratch] = Integers::PLAN.samples();
    let [mut state, mut scratch, mut output] = [state, scratch, output].map(|len| vec![Q15::ZERO; len]);
    let (events, mut frames) = (events(), Frames::new());
    for t in 0.. {
        let start = 7_000 + DT * t;
        let mut counts = vec![0_i16; input];
        for event in events.iter().filter(|event| (start..start + DT).contains(&event.t)) {
            counts[usize::from(event.y) * SHAPE.cols + usize::from(event.x)] += if event.on { 1 } else { -1 };
        }
        if events.iter().all(|event| event.t < start) {
            return frames;
        }
        let frame: Vec<Q15> = counts.iter().map(|count| Q15::from_bits(256 * count)).collect();
        let step = model.step(t, &mut state, &mut scratch, &frame, &mut output);
        assert_eq!(step, Ok(Step::Frame));
        frames.push((start, output.clone()));
    }
    frames
}

#[test]
fn outputs_have_the_bits_of_the_graph() {
    let (bytes, expected) = (bytes(), expected());
    assert_eq!(expected.len(), 74);
    let (_, last) = expected.last().expect("frames");
    assert!(last.iter().any(|y| *y > Q15::from_f64(0.01)) && last.contains(&Q15::ZERO), "{last:?}");
    for length in [1, 3, 64, bytes.len()] {
        let mut memory = <MemoryOf!(Integers)>::new();
        let mut pipeline = Pipeline::<Integers, _, _, _, _>::new(&mut memory).expect("a whole model");
        let mut frames = Frames::new();
        let mut each = |frame: Output<'_, Q15>| frames.push((frame.start, frame.samples.to_vec()));
        for mut piece in bytes.chunks(length) {
            while pipeline.feed(&mut piece, &mut each) {}
        }
        while pipeline.finish(&mut each) {}
        assert!(frames == expected, "pieces of {length} bytes");
        let counters = pipeline.counters();
        assert!(counters.add_up() && counters.stored() == 2_000, "{counters:?}");
    }
}

#[test]
fn a_sample_takes_two_bytes() {
    let samples: usize = Integers::PLAN.samples().iter().sum();
    assert_eq!(Integers::PLAN.bytes(), 2 * samples);
    assert_eq!(size_of::<MemoryOf!(Integers)>(), 2 * samples);
}

#[test]
fn a_snapshot_goes_on_bit_for_bit() {
    let (bytes, expected) = (bytes(), expected());
    for at in [0, 1, 1_001, 4_002, bytes.len()] {
        let (mut before, mut after) = bytes.split_at(at);
        let mut retained = <RetainedBy!(Integers)>::new();
        let mut frames = Frames::new();
        let mut each = |frame: Output<'_, Q15>| frames.push((frame.start, frame.samples.to_vec()));
        let mut memory = <MemoryOf!(Integers)>::new();
        let mut pipeline = Pipeline::<Integers, _, _, _, _>::new(&mut memory).expect("a whole model");
        while pipeline.feed(&mut before, &mut each) {}
        Snapshots::new(&mut retained).save(&pipeline);

        let mut memory = <MemoryOf!(Integers)>::new();
        let mut pipeline = Pipeline::<Integers, _, _, _, _>::new(&mut memory).expect("a whole model");
        assert_eq!(Snapshots::new(&mut retained).restore(&mut pipeline), Ok(()));
        while pipeline.feed(&mut after, &mut each) {}
        while pipeline.finish(&mut each) {}
        assert!(frames == expected, "a reset after {at} bytes");

        let mut memory = <MemoryOf!(Other)>::new();
        let mut other = Pipeline::<Other, _, _, _, _>::new(&mut memory).expect("a whole model");
        let (found, expected) = (Integers::CHECKSUM, Other::CHECKSUM);
        assert_ne!(found, expected, "another shift");
        let result = Snapshots::new(&mut retained).restore(&mut other);
        assert_eq!(result, Err(SnapshotError::OtherPlan { found, expected }));
    }
}

/// A weight, a shift or a remainder that is not the compiler's: the model does not start.
#[test]
fn a_damaged_model_is_told() {
    let expected = Integers::CHECKSUM;
    assert_eq!(Integers::PLAN.checksum(), expected);
    assert_eq!(Integers::PLAN.check(expected), Ok(()));
    static WEIGHT: [Node<Q15>; 3] = nodes(&OTHER_WEIGHTS, 5, SLOW);
    static SHIFT: [Node<Q15>; 3] = nodes(&WEIGHTS, 6, SLOW);
    static REMAINDER: [Node<Q15>; 3] = nodes(&WEIGHTS, 5, constant!(Decay::new(0.05, 1000.0)));
    for (what, nodes) in [("weight", &WEIGHT), ("shift", &SHIFT), ("remainder", &REMAINDER)] {
        let plan = plan(nodes);
        let found = plan.checksum();
        assert_ne!(found, expected, "{what}");
        assert_eq!(plan.check(expected), Err(ModelDamaged { found, expected }), "{what}");
    }
    /// What a board finds whose flash changed after the compiler saw it.
    struct Damaged;
    impl Application for Damaged {
        type Decoder = Evt2;
        type Sample = Q15;
        const PLAN: Plan<'static, Q15> = plan(&WEIGHT);
        const RAM: usize = Integers::RAM;
        const CHECKSUM: u32 = Integers::CHECKSUM;
    }
    let mut memory = <MemoryOf!(Damaged)>::new();
    let error = Pipeline::<Damaged, _, _, _, _>::new(&mut memory).expect_err("another weight");
    assert_eq!(error, ModelDamaged { found: plan(&WEIGHT).checksum(), expected });
}

/// In bands, and in one piece: the border of one kernel is that of the counts.
#[test]
fn bands_have_the_bits_of_the_whole_frame() {
    const BAND: Shape = Shape::new(1, 4, 8);
    static BAND_NODES: [Node<Q15>; 1] = [Node::Filter(
        Source::Input,
        Stage::Conv3d(constant!(Conv3d::new_q15(
            BAND,
            Kernel::new(&WEIGHTS, [1, 1, 1, 3, 3]),
            5,
            ConvOptions { border: None, ..ConvOptions::DEFAULT }
        ))),
    )];
    const BANDS: Bands<'static, Q15> =
        constant!(Bands::new(constant!(Graph::new(BAND, &BAND_NODES)), SHAPE.rows, Border::Replicate));
    const SAMPLES: [usize; 3] = BANDS.samples();
    assert_eq!(BANDS.bytes(), SHAPE.len() + 2 * SAMPLES.iter().sum::<usize>());

    let counts: Vec<i8> = (0..SHAPE.len() as i8).map(|i| i * 5 % 7 - 3).collect();
    let frame: Vec<Q15> = counts.iter().map(|count| Q15::from_count((*count).into(), 7)).collect();
    let Node::Filter(_, Stage::Conv3d(whole)) = &NODES[0] else { unreachable!("the first node") };
    let mut expected = vec![Q15::ZERO; SHAPE.len()];
    let mut scratch = vec![Q15::ZERO; whole.signature().scratch.len(1)];
    whole.step(0, &mut [], &mut scratch, &frame, &mut expected).expect("a frame");

    let counts: Vec<Count> = counts.iter().map(|count| Count::from_count((*count).into(), 7)).collect();
    let mut memory = BandMemory::<{ SAMPLES[0] }, { SAMPLES[1] }, { SAMPLES[2] }, Q15>::new();
    let mut found: Vec<Q15> = Vec::new();
    BANDS.run(&counts, &mut memory, |_, row| found.extend(row)).expect("a frame");
    assert_eq!(found, expected);
}
