//! Events counted on a device: the frames of the processor, to the bit, for every device that is found, software too.

use foveola::{Device, DeviceInfo, Error, Frames, Geometry, Model, Polarity, Recording, Resolution, Result, models};
use foveola_core::events::Event;
use ndarray::{Array5, Axis, concatenate};
use proptest::prelude::*;
use std::path::{Path, PathBuf};

/// Microseconds of a frame.
const DT: u64 = 1_000;

/// Every device; none where `FOVEOLA_GPU` is `none`.
fn listed() -> Vec<DeviceInfo> {
    if std::env::var("FOVEOLA_GPU").is_ok_and(|name| name == "none") { Vec::new() } else { Device::list() }
}

/// Every device, and again with buffers so small that pieces are cut into many blocks.
fn devices() -> Vec<Device> {
    let all = listed().into_iter();
    all.flat_map(|info| [Device::named(&info.name), Device::limited(&info.name, 8_192)])
        .map(|device| device.expect("a device that is listed opens"))
        .collect()
}

fn frames<'e>(
    events: &'e [Event],
    (cols, rows): (usize, usize),
    polarity: Polarity,
) -> Frames<impl Iterator<Item = Result<Event>> + use<'e>> {
    Frames::new(events.iter().map(|event| Ok(*event)), Geometry { cols, rows }, polarity, DT).expect("good")
}

/// Everything that a model makes of events, in pieces of `n` frames.
fn all<I: Iterator<Item = Result<Event>>>(mut model: Model, frames: &mut Frames<I>, n: usize) -> Result<Array5<f32>> {
    let mut pieces = Vec::new();
    while let Some(piece) = model.process_events(frames, n)? {
        assert!(piece.dim().2 <= n, "{n} frames at most");
        pieces.push(piece.to_owned());
    }
    let views: Vec<_> = pieces.iter().map(|piece| piece.view()).collect();
    Ok(concatenate(Axis(2), &views).expect("pieces of one shape"))
}

/// As the device counts, through no layer at all; and how many events are in no frame.
fn counted(
    device: &Device,
    events: &[Event],
    size: (usize, usize),
    polarity: Polarity,
    n: usize,
) -> (Vec<u32>, Vec<usize>, u64) {
    let mut frames = frames(events, size, polarity);
    let frames_of_model = all(Model::new().to(device), &mut frames, n).expect("frames");
    let bits = frames_of_model.iter().map(|sample| sample.to_bits()).collect();
    (bits, frames_of_model.shape().to_vec(), frames.dropped().events())
}

/// Steps in time, columns, rows and polarities; some are late, some outside.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let one = (0_u64..700, 0_u64..400, 0_u16..9, 0_u16..7, any::<bool>());
    prop::collection::vec(one, 1..300).prop_map(|steps| {
        let mut now = 5_000;
        steps
            .into_iter()
            .map(|(step, late, x, y, on)| {
                now += if step > 690 { 10 * step } else { step };
                Event { t: now - if late > 390 { 2 * late } else { 0 }, x, y, on }
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(foveola_seeds::config(12, module_path!()))]

    #[test]
    fn counts_have_the_bits_of_the_processor(
        events in events(), cols in 1_usize..9, rows in 1_usize..8, split in any::<bool>(), n in 1_usize..90,
    ) {
        let polarity = if split { Polarity::Split } else { Polarity::Signed };
        let expected = counted(&Device::cpu(), &events, (cols, rows), polarity, n);
        for device in devices() {
            let found = counted(&device, &events, (cols, rows), polarity, n);
            prop_assert!(found == expected, "{}: {:?} beside {:?}", device.name(), found.1, expected.1);
        }
    }
}

/// Few events in many frames, many in few, and both in one piece.
#[test]
fn bursts_and_silence_have_the_bits_of_the_processor() {
    let burst = |t: u64, n: u64| {
        (0..n).map(move |i| Event { t: t + i % DT, x: (i % 31) as u16, y: (i % 17) as u16, on: i % 3 > 0 })
    };
    let mut events: Vec<Event> =
        burst(0, 40).chain(burst(50_000, 30_000)).chain(burst(51_000, 3)).chain(burst(90_000, 9)).collect();
    events.sort_by_key(|event| event.t);
    for polarity in [Polarity::Signed, Polarity::Split] {
        for n in [1, 7, 1_000] {
            let expected = counted(&Device::cpu(), &events, (31, 17), polarity, n);
            assert_eq!(expected.1[2], 91, "a frame a millisecond");
            for device in devices() {
                assert!(counted(&device, &events, (31, 17), polarity, n) == expected, "{}, {n}", device.name());
            }
        }
    }
}

/// Frames of both kinds may follow each other, and a stream may go from a device to the processor.
#[test]
fn frames_follow_events() {
    let events: Vec<Event> = (0..4_000)
        .map(|i| Event { t: i * 25, x: (i * 7 % 24) as u16, y: (i * 5 % 16) as u16, on: i % 5 > 1 })
        .collect();
    let of = |device: &Device| -> Result<Vec<f32>> {
        let mut frames = frames(&events, (24, 16), Polarity::Signed);
        let mut model = models::build("transient", Resolution::DEFAULT)?.to(device);
        let mut output: Vec<f32> = model.process_events(&mut frames, 13)?.expect("frames").iter().copied().collect();
        output.extend(model.process(frames.next_chunk(20)?.expect("frames"))?.iter());
        output.extend(model.process_events(&mut frames, 29)?.expect("frames").iter());
        let mut model = model.to(Device::cpu());
        output.extend(model.process_events(&mut frames, 100)?.expect("frames").iter());
        assert!(model.process_events(&mut frames, 100)?.is_none(), "the end");
        assert_eq!(model.time(), 100);
        Ok(output)
    };
    let expected = of(&Device::cpu()).expect("output");
    let largest = expected.iter().fold(0.0_f32, |max, y| max.max(y.abs()));
    for device in devices() {
        let found = of(&device).expect("output");
        assert_eq!(found.len(), expected.len());
        let apart = expected.iter().zip(&found).fold(0.0_f32, |max, (a, b)| max.max((a - b).abs()));
        assert!(apart <= 64.0 * f32::EPSILON * largest, "{}: {apart} apart, of {largest}", device.name());
    }
}

/// Events that break off, and frames of another size, leave the stream as it was.
#[test]
fn errors_leave_the_stream_as_it_was() {
    for device in devices().into_iter().chain([Device::cpu()]) {
        let mut model = Model::new().to(&device);
        let event = |t| Ok(Event { t, x: 1, y: 1, on: true });
        let broken = [event(0), event(1_500), Err(Error::NoSavedState), event(1_700)];
        let mut frames =
            Frames::new(broken.into_iter(), Geometry { cols: 4, rows: 4 }, Polarity::Signed, DT).expect("good");
        let first = model.process_events(&mut frames, 8).expect("the frame before it").expect("one");
        assert_eq!((first.dim().2, first.sum()), (1, 1.0));
        assert!(matches!(model.process_events(&mut frames, 8), Err(Error::NoSavedState)), "then the error");
        assert!(model.process_events(&mut frames, 8).expect("then nothing").is_none());
        assert_eq!(model.time(), 1);
        let mut wide =
            Frames::new([event(0)].into_iter(), Geometry { cols: 5, rows: 4 }, Polarity::Signed, DT).expect("good");
        assert!(matches!(model.process_events(&mut wide, 8), Err(Error::FrameSize { .. })), "another size");
        let split = Frames::new([event(9_000)].into_iter(), Geometry { cols: 4, rows: 4 }, Polarity::Signed, DT);
        assert_eq!(model.process_events(&mut split.expect("good"), 8).expect("frames").expect("one").sum(), 1.0);
        assert_eq!(model.time(), 2);
    }
}

/// Real recordings, where they are: those of the folder that `FOVEOLA_RECORDINGS` names, or of `shared/events` beside the
/// repository.
#[test]
fn recordings_have_the_bits_of_the_processor() {
    let folder = std::env::var_os("FOVEOLA_RECORDINGS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/events"), PathBuf::from);
    let Ok(files) = std::fs::read_dir(&folder) else { return };
    for path in files.flatten().map(|file| file.path()) {
        let Ok(recording) = Recording::open(&path) else { continue };
        let Some(geometry) = recording.scan(|_| {}).ok().and_then(|summary| summary.geometry()) else { continue };
        let of = |device: &Device, polarity| {
            let events = recording.events().expect("events").take(100_000);
            let mut frames = Frames::new(events, geometry, polarity, 20_000).expect("frames");
            let mut model = Model::new().to(device);
            let mut bits: Vec<u32> = Vec::new();
            while bits.len() < 1 << 24
                && let Some(piece) = model.process_events(&mut frames, 16).expect("frames")
            {
                bits.extend(piece.iter().map(|sample| sample.to_bits()));
            }
            assert!(bits.iter().any(|bits| *bits != 0), "{}: events", path.display());
            bits
        };
        for info in listed() {
            let device = Device::named(&info.name).expect("listed");
            for polarity in [Polarity::Signed, Polarity::Split] {
                assert!(of(&device, polarity) == of(&Device::cpu(), polarity), "{}: {info}", path.display());
            }
        }
    }
}
