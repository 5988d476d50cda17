//! The main loop on a host: a sensor that fails, an output that blocks, a watchdog that watches.

use embassy_futures::select::select;
use embassy_futures::{block_on, poll_once, yield_now};
use embedded_io_async::{ErrorKind, ErrorType, Write};
use foveola_app::packet::{LOCATIONS, checksum};
use foveola_app::{App, Counters, Notice, Outbox, Watchdog, send, strongest};
use foveola_core::events::{Event, Evt2, Evt2Encoder, Geometry, Polarity};
use foveola_core::{Decay, Graph, LowPass, Node, Shape, Source, Stage, constant};
use foveola_pipeline::{Application, MemoryOf, Pipeline, Plan};
use foveola_sensor::simulated::{Fault, SimulatedSensor};
use foveola_sensor::{Camera, EventSource, GenX320, Piece, PixelClock, SensorError};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::pin;

const SHAPE: Shape = Shape::new(1, 16, 16);
static NODES: [Node; 1] =
    [Node::Filter(Source::Input, Stage::LowPass(LowPass::new(SHAPE, constant!(Decay::new(0.006, 1_000.0)))))];

/// A low-pass, behind a sensor of 32 x 32 pixels.
struct Trace;

impl Application for Trace {
    type Decoder = Evt2;
    type Sample = f32;
    const PLAN: Plan<'static> = constant!(Plan::new(
        constant!(Graph::new(SHAPE, &NODES)),
        Geometry { cols: 32, rows: 32 },
        2,
        Polarity::Signed,
        1_000,
    ));
    const RAM: usize = 4 * 1024;
}

/// Events of `ms` milliseconds, 40 us apart.
fn recording(ms: u64) -> Vec<u8> {
    let (mut encoder, mut bytes) = (Evt2Encoder::new(), Vec::new());
    for i in 0..25 * ms {
        let event = Event { t: 5_000 + 40 * i, x: (i * 7 % 32) as u16, y: (i * 13 % 32) as u16, on: i % 3 != 0 };
        encoder.encode(event, |word| bytes.extend(word)).expect("small coordinates");
    }
    bytes
}

/// Takes what comes, but for `blocked` polls in a row after `after` bytes.
struct Wire<'a> {
    bytes: &'a RefCell<Vec<u8>>,
    after: usize,
    blocked: usize,
}

impl ErrorType for Wire<'_> {
    type Error = ErrorKind;
}

impl Write for Wire<'_> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        while self.blocked > 0 && self.bytes.borrow().len() >= self.after {
            self.blocked -= 1;
            yield_now().await;
        }
        self.bytes.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

/// Notes when it was fed, in the sensor's milliseconds.
struct Noted<'a>(&'a RefCell<Vec<u64>>, &'a SimulatedSensor<'a>);

impl Watchdog for Noted<'_> {
    fn feed(&mut self) {
        self.0.borrow_mut().push(self.1.elapsed_ms());
    }
}

/// More than any recording here has; a source that never sends would take turns for ever.
const TURNS: usize = 1_000;

struct Ran {
    counters: Counters,
    notices: Vec<Notice>,
    wire: Vec<u8>,
    fed: Vec<u64>,
    waiting: usize,
}

/// Plays a recording to its end, or for `turns` turns.
fn run(recording: &[u8], faults: &[Fault], blocked: usize, turns: usize) -> Ran {
    let sensor = SimulatedSensor::new(recording, faults);
    let camera = Camera::new(GenX320::new(&sensor, &sensor, PixelClock::Mhz48), &sensor, &sensor);
    let (bytes, fed, notices) = (RefCell::default(), RefCell::default(), RefCell::<Vec<Notice>>::default());
    let (outbox, mut memory) = (Outbox::new(), <MemoryOf!(Trace)>::new());
    let mut app = App::<Trace, _, _, _, _, _, _, _, _>::new(
        &mut memory,
        camera,
        &sensor,
        Noted(&fed, &sensor),
        &outbox,
        |notice| notices.borrow_mut().push(notice),
    )
    .expect("a whole model");
    let play = async {
        for _ in 0..turns {
            if sensor.left() == 0 {
                break;
            }
            app.turn().await;
        }
    };
    block_on(select(play, send(&outbox, Wire { bytes: &bytes, after: 3_000, blocked })));
    let counters = app.counters();
    drop(app);
    Ran {
        counters,
        notices: notices.into_inner(),
        wire: bytes.into_inner(),
        fed: fed.into_inner(),
        waiting: outbox.waiting(),
    }
}

/// Kinds and payloads of the packets on the wire; what is none of them is an error.
fn packets(mut wire: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut all = Vec::new();
    while let [0xF0, 0x5E, kind, n, rest @ ..] = wire {
        let (payload, rest) = rest.split_at(usize::from(*n));
        let (sum, rest) = rest.split_first_chunk().expect("a checksum");
        assert_eq!(u16::from_le_bytes(*sum), checksum(&wire[2..4 + payload.len()]), "checksum");
        all.push((*kind, payload.to_vec()));
        wire = rest;
    }
    assert_eq!(wire, [], "only packets");
    all
}

#[test]
fn packets_are_the_strongest_locations_of_each_frame() {
    let recording = recording(100);
    let ran = run(&recording, &[], 0, TURNS);
    let mut memory = <MemoryOf!(Trace)>::new();
    let (mut pipeline, mut expected) =
        (Pipeline::<Trace, _, _, _, _>::new(&mut memory).expect("a whole model"), Vec::new());
    let mut each = |frame: foveola_pipeline::Output<'_>| {
        let (locations, count) = strongest::<LOCATIONS>(frame.samples);
        let head = [expected.len() as u32, frame.start as u32].map(u32::to_le_bytes).concat();
        let each =
            locations[..count].iter().flat_map(|l| [&l.index.to_le_bytes()[..], &l.value.to_le_bytes()].concat());
        expected.push((1, [head, each.collect()].concat()));
    };
    let mut bytes = &recording[..];
    while pipeline.feed(&mut bytes, &mut each) {}
    let sent = packets(&ran.wire);
    assert!(expected.len() == 99 && expected[50].1.len() == 8 + 6 * LOCATIONS, "frames with something in them");
    assert!(expected.starts_with(&sent) && sent.len() + ran.waiting == expected.len(), "{} packets", sent.len());
    assert_eq!((ran.counters.packets, ran.counters.packets_dropped, ran.counters.failures), (99, 0, 0));
    assert_eq!(ran.notices, [Notice::Sending { failures: 0 }]);
}

#[test]
fn a_failing_sensor_is_reported_and_started_again() {
    let faults = [Fault::Absent, Fault::WrongChip(0xA030_1002), Fault::StopsAfter(8_000), Fault::Absent];
    let ran = run(&recording(200), &faults, 0, TURNS);
    let failed = |notice: &Notice| match notice {
        Notice::Failed { error, attempt, retry_ms } => Some((*error, *attempt, *retry_ms)),
        _ => None,
    };
    let failures: Vec<_> = ran.notices.iter().filter_map(failed).collect();
    assert!(
        matches!(
            failures[..],
            [
                (SensorError::NoAnswer { .. }, 1, 100),
                (SensorError::WrongChip { found: 0xA030_1002 }, 2, 200),
                (SensorError::Stopped { silence_ms: 100 }, 1, 100), // it had sent: the first failure again
                (SensorError::NoAnswer { .. }, 2, 200),
            ]
        ),
        "{failures:?}"
    );
    let counters = ran.counters.pipeline;
    assert_eq!((ran.counters.failures, counters.losses, counters.events), (4, 1, counters.stored()));
    assert!((195..200).contains(&counters.outputs), "{counters:?}");
    // What was not decoded was skipped while the decoder looked for its place.
    assert!((4_800..5_000).contains(&counters.events), "{counters:?}");
    let Some(Notice::Status(status)) = ran.notices.last() else { unreachable!("{:?}", ran.notices) };
    assert!(status.to_string().contains("4 failures of the sensor"), "{status}");
    let (kind, payload) = packets(&ran.wire).into_iter().find(|(kind, _)| *kind == 2).expect("a status");
    assert_eq!((kind, payload.len(), &payload[24..28]), (2, 36, &4_u32.to_le_bytes()[..]));
}

#[test]
fn a_blocked_output_drops_packets_and_stalls_nothing() {
    let recording = recording(300);
    let (free, blocked) = (run(&recording, &[], 0, TURNS), run(&recording, &[], 40, TURNS));
    assert_eq!(blocked.counters.pipeline, free.counters.pipeline);
    assert!((50..200).contains(&blocked.counters.packets_dropped), "{:?}", blocked.counters);
    let sent = packets(&blocked.wire);
    assert_eq!(
        sent.len() + blocked.waiting + blocked.counters.packets_dropped as usize,
        blocked.counters.packets as usize
    );
    let numbers: Vec<u32> =
        sent.iter().filter(|(kind, _)| *kind == 1).map(|(_, p)| u32::from_le_bytes([p[0], p[1], p[2], p[3]])).collect();
    assert!(
        numbers.windows(2).all(|pair| pair[0] < pair[1]) && numbers.last() > Some(&280),
        "the last ones came again"
    );
}

#[test]
fn the_watchdog_is_fed_while_a_sensor_is_missing() {
    let ran = run(&recording(1), &[Fault::Absent; 20], 0, 12);
    assert!(
        matches!(ran.notices.last(), Some(Notice::Failed { attempt: 12, retry_ms: 10_000, .. })),
        "{:?}",
        ran.notices
    );
    let longest = ran.fed.windows(2).map(|pair| pair[1] - pair[0]).max();
    assert!(longest <= Some(300), "{longest:?} ms without a meal");
}

#[test]
fn lost_bytes_make_the_decoder_look_for_its_place() {
    let ran = run(&recording(200), &[Fault::LosesAfter(4_096, 1_111)], 0, TURNS);
    let counters = ran.counters.pipeline;
    assert_eq!((counters.losses, counters.events, counters.dropped.late), (1, counters.stored(), 0));
    // Skipped are some of the bytes behind the gap, and nothing later.
    assert!((3..500).contains(&counters.skipped.bytes()) && counters.outputs > 190, "{counters:?}");
}

/// Its bus hangs.
struct Hangs;

impl EventSource for Hangs {
    async fn start(&mut self) -> Result<(), SensorError> {
        std::future::pending().await
    }

    async fn read(&mut self, _: &mut [u8]) -> Result<Piece, SensorError> {
        std::future::pending().await
    }
}

struct Counted<'a>(&'a Cell<u32>);

impl Watchdog for Counted<'_> {
    fn feed(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn the_watchdog_starves_when_a_turn_does_not_end() {
    let (outbox, mut memory, fed) = (Outbox::new(), <MemoryOf!(Trace)>::new(), Cell::new(0));
    let sensor = SimulatedSensor::new(&[], &[]);
    let mut app =
        App::<Trace, _, _, _, _, _, _, _, _>::new(&mut memory, Hangs, &sensor, Counted(&fed), &outbox, |_| ())
            .expect("a whole model");
    let mut run = pin!(app.run());
    for _ in 0..1_000 {
        assert!(poll_once(run.as_mut()).is_pending(), "it never ends");
    }
    assert_eq!(fed.get(), 0);
}

/// Refuses everything.
struct Broken(VecDeque<ErrorKind>);

impl ErrorType for Broken {
    type Error = ErrorKind;
}

impl Write for Broken {
    async fn write(&mut self, _: &[u8]) -> Result<usize, ErrorKind> {
        self.0.pop_front().map_or(Ok(1), Err)
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

#[test]
fn an_output_that_fails_costs_the_packet() {
    let outbox = Outbox::new();
    for _ in 0..10 {
        outbox.offer(foveola_app::Packet::status([0; 9]));
    }
    assert_eq!((outbox.offered(), outbox.dropped(), outbox.waiting()), (10, 2, 8));
    let mut send = pin!(send(&outbox, Broken([ErrorKind::BrokenPipe, ErrorKind::Other].into())));
    assert!(poll_once(send.as_mut()).is_pending(), "it waits for more");
    assert_eq!((outbox.failed(), outbox.waiting()), (2, 0));
}
