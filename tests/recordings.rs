//! Recordings: real ones against their digests, and damaged ones of known content.
//!
//! Real recordings are looked for in the folder that `FOVEOLA_RECORDINGS` names, or in `shared/events` beside the
//! repository; `recordings/README.md` says where they come from. What cannot be checked is listed as ignored, with the
//! reason in its name.

use foveola::{Error, Format, Geometry, Recording};
use foveola_core::events::{Decode, Event, Evt2, Evt2Encoder, NMnist, Skipped};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};
use sha3::{Digest, Sha3_224};
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A test without a file.
type Test = fn() -> Result<(), Failed>;

/// Lengths of the pieces in which a decoder gets a recording.
const PIECES: [usize; 5] = [1, 2, 3, 7, 4096];

fn main() {
    let expected: Value =
        serde_json::from_str(include_str!("recordings/expected.json")).expect("expected.json is JSON");
    let folder = std::env::var_os("FOVEOLA_RECORDINGS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/events"), PathBuf::from);
    let mut trials = Vec::new();
    for (name, expected) in expected.as_object().expect("expected.json has an entry for each file") {
        trials.extend(real(&folder.join(name), name, expected));
    }
    let damaged: [(&str, Test); 9] = [
        ("evt2 cut anywhere", || cut(Format::Evt2)),
        ("nmnist cut anywhere", || cut(Format::NMnist)),
        ("evt2 with flipped bits", || flipped(Format::Evt2)),
        ("nmnist with flipped bits", || flipped(Format::NMnist)),
        ("evt2 with bytes lost and put in", || spliced(Format::Evt2)),
        ("nmnist with bytes lost and put in", || spliced(Format::NMnist)),
        ("evt2 recordings joined", joined_evt2),
        ("nmnist recordings joined", joined_nmnist),
        ("files of other formats", foreign),
    ];
    trials.extend(damaged.map(|(name, test)| Trial::test(name, test)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// The tests of a real recording.
fn real(path: &Path, name: &str, expected: &Value) -> Vec<Trial> {
    let ignored = |why: &str| {
        let why = format!("{name}: skipped, {why}");
        let failure = why.clone();
        Trial::test(why, || Err(failure.into())).with_ignored_flag(true)
    };
    if !path.is_file() {
        return vec![ignored("not in the folder of FOVEOLA_RECORDINGS or ../shared/events")];
    }
    let path = path.to_path_buf();
    if name.ends_with(".aedat4") {
        let refused = Trial::test(format!("{name}: refused with its format's name"), move || {
            let error = Recording::open(&path).err().ok_or("it was opened")?;
            expect(matches!(&error, Error::Data { reason, .. } if reason.contains("AEDAT 4.0")), || error.to_string())
        });
        return vec![refused, ignored("AEDAT 4 is not read yet")];
    }
    let format = if name.ends_with(".raw") { Format::Evt2 } else { Format::NMnist };
    let mut trials: Vec<Trial> = PIECES
        .into_iter()
        .map(|piece| {
            let (path, expected) = (path.clone(), expected.clone());
            Trial::test(format!("{name}: core, pieces of {piece}"), move || {
                let bytes = std::fs::read(&path)?;
                let mut seen = Seen::default();
                let skipped = feed(format, &bytes, piece, |event| seen.add(&event));
                expect(skipped == Skipped::default(), || format!("{skipped:?}"))?;
                seen.compare(&expected)
            })
        })
        .collect();
    let expected = expected.clone();
    trials.push(Trial::test(format!("{name}: host"), move || {
        let recording = Recording::open(&path)?;
        expect(recording.format() == format, || format!("taken for {}", recording.format().name()))?;
        let mut seen = Seen::default();
        let summary = recording.scan(|event| seen.add(event))?;
        expect(summary.skipped == Skipped::default(), || format!("{:?}", summary.skipped))?;
        let side = |name: &str| expected[name].as_u64().map_or(0, |largest| largest as usize + 1);
        let geometry = Geometry { cols: side("xmax"), rows: side("ymax") };
        expect(summary.geometry() == Some(geometry), || format!("{:?}", summary.geometry()))?;
        let (first, last) = summary.span.ok_or("no times")?;
        let found = json!([summary.events, summary.on, first, last]);
        let known = json!([expected["n"], expected["on"], expected["t"][0], expected["t"][1]]);
        expect(found == known, || format!("{found}; expected {known}"))?;
        seen.compare(&expected)
    }));
    trials
}

/// What a recording held, in the form of `expected.json`.
#[derive(Default)]
struct Seen {
    events: u64,
    on: u64,
    t: Option<(u64, u64)>,
    corner: (u16, u16),
    columns: [Sha3_224; 4],
}

impl Seen {
    fn add(&mut self, event: &Event) {
        let &Event { t, x, y, on } = event;
        self.events += 1;
        self.on += u64::from(on);
        let (first, last) = self.t.unwrap_or((t, t));
        self.t = Some((first.min(t), last.max(t)));
        self.corner = (self.corner.0.max(x), self.corner.1.max(y));
        self.columns[0].update(t.to_le_bytes());
        self.columns[1].update(x.to_le_bytes());
        self.columns[2].update(y.to_le_bytes());
        self.columns[3].update([u8::from(on)]);
    }

    fn compare(self, expected: &Value) -> Result<(), Failed> {
        let (first, last) = self.t.unwrap_or_default();
        let [t, x, y, on] =
            self.columns.map(|column| column.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        let found = json!({
            "n": self.events, "on": self.on, "t": [first, last], "xmax": self.corner.0, "ymax": self.corner.1,
            "digest": { "t": t, "x": x, "y": y, "on": on }, "oracle": expected["oracle"],
        });
        expect(found == *expected, || format!("found {found:#}; expected {expected:#}"))
    }
}

fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(otherwise().into()) }
}

/// Through the decoder of the core, in pieces.
fn feed(format: Format, bytes: &[u8], piece: usize, mut sink: impl FnMut(Event)) -> Skipped {
    fn pieces(mut decoder: impl Decode, bytes: &[u8], piece: usize, sink: &mut dyn FnMut(Event)) -> Skipped {
        bytes.chunks(piece).for_each(|bytes| decoder.feed(bytes, &mut *sink));
        decoder.finish();
        decoder.skipped()
    }
    match format {
        Format::Evt2 => pieces(Evt2::new(), bytes, piece, &mut sink),
        Format::NMnist => pieces(NMnist::new(), bytes, piece, &mut sink),
    }
}

/// A recording of known content, and where each event ends in it.
struct Known {
    bytes: Vec<u8>,
    events: Vec<Event>,
    ends: Vec<usize>,
}

impl Known {
    /// `n` events of a sensor of 34 x 34 pixels, every 71 us from `start` on.
    fn new(format: Format, start: u64, n: u64) -> Self {
        let pixel = |i: u64| ((i * 7919 % 34) as u16, (i * 104_729 % 34) as u16);
        let events: Vec<Event> =
            (0..n).map(|i| Event { t: start + 71 * i, x: pixel(i).0, y: pixel(i).1, on: i % 3 == 0 }).collect();
        let (mut bytes, mut ends, mut encoder) = (Vec::new(), Vec::new(), Evt2Encoder::new());
        if format == Format::Evt2 {
            bytes.extend(b"% evt 2.0\n% geometry 34x34\n");
        }
        for event in &events {
            match format {
                Format::Evt2 => encoder.encode(*event, |word| bytes.extend(word)).expect("small coordinates"),
                Format::NMnist => {
                    let [.., a, b, c] = event.t.to_be_bytes();
                    bytes.extend([event.x as u8, event.y as u8, a | u8::from(event.on) << 7, b, c]);
                }
            }
            ends.push(bytes.len());
        }
        Self { bytes, events, ends }
    }

    /// Number of events that lie whole in front of byte `at`.
    fn before(&self, at: usize) -> usize {
        self.ends.partition_point(|end| *end <= at)
    }
}

/// A file that is written again and again.
struct Scratch(NamedTempFile);

impl Scratch {
    fn new() -> Result<Self, Failed> {
        Ok(Self(NamedTempFile::new()?))
    }

    /// The events of `bytes` and what was skipped, as the host reads them: no others than the core's, and what was
    /// counted adds up.
    fn read(&mut self, format: Format, bytes: &[u8]) -> Result<(Vec<Event>, Skipped), Failed> {
        let file = self.0.as_file_mut();
        file.set_len(0)?;
        std::io::Seek::rewind(file)?;
        file.write_all(bytes)?;
        let recording = Recording::open_as(self.0.path(), format)?;
        let mut events = recording.events()?;
        let read = events.by_ref().collect::<foveola::Result<Vec<Event>>>()?;
        expect(events.position() == bytes.len() as u64, || format!("stopped at byte {}", events.position()))?;
        let mut core = Vec::new();
        let skipped = feed(format, bytes, bytes.len().max(1), |event| core.push(event));
        expect(read == core, || format!("{} events, but {} in core", read.len(), core.len()))?;
        expect(events.skipped() == skipped, || format!("{:?}, but {skipped:?} in core", events.skipped()))?;
        let summary = recording.scan(|_| ())?;
        expect((summary.events, summary.skipped) == (read.len() as u64, skipped), || format!("{summary:?}"))?;
        let (words, rest) = match format {
            Format::Evt2 => (4, 0),
            Format::NMnist => (5, (bytes.len() as u64 - skipped.bytes()) % 5),
        };
        let counted = words * read.len() as u64 + skipped.bytes();
        expect(counted <= bytes.len() as u64 && rest == 0, || format!("{counted} of {} bytes", bytes.len()))?;
        Ok((read, skipped))
    }
}

/// Whatever is cut off, all events in front of the cut are there, and the cut word is counted.
fn cut(format: Format) -> Result<(), Failed> {
    let (known, long) = (Known::new(format, 5_000, 40), Known::new(format, 5_000, 20_000));
    let mut scratch = Scratch::new()?;
    let cuts = (1..known.bytes.len()).map(|at| (&known, at));
    // Around the ends of the reader's buffer.
    let cuts = cuts.chain((65_530..65_550).map(|at| (&long, at)));
    for (known, at) in cuts {
        let (events, skipped) = scratch.read(format, &known.bytes[..at])?;
        expect(events == known.events[..known.before(at)], || format!("cut at {at}: {} events", events.len()))?;
        // A cut in the header leaves part of a line.
        let most = if format == Format::Evt2 && events.is_empty() { 26 } else { 4 };
        let tail = u64::from(skipped.tail);
        expect(tail <= most && tail == skipped.bytes(), || format!("cut at {at}: {skipped:?}"))?;
    }
    Ok(())
}

/// A flipped bit harms nothing in front of it, and the end is whole again.
fn flipped(format: Format) -> Result<(), Failed> {
    let known = Known::new(format, 5_000, 20_000);
    let mut scratch = Scratch::new()?;
    let first = known.ends[0];
    let places = (0..300).map(|i| (first + i * 6_151 % (known.bytes.len() - first), i % 8));
    for (at, bit) in places.chain((65_530..65_545).map(|at| (at, at % 8))) {
        let mut bytes = known.bytes.clone();
        bytes[at] ^= 1 << bit;
        let (events, _) = scratch.read(format, &bytes)?;
        let before = known.before(at);
        expect(events.get(..before) == Some(&known.events[..before]), || format!("bit {bit} of byte {at}: front"))?;
        let after = same_end(&known.events, &events);
        let far = before + after + 600 >= known.events.len();
        expect(far, || format!("bit {bit} of byte {at}: {before} events, then {after} at the end"))?;
    }
    Ok(())
}

/// Lost and foreign bytes harm nothing in front of them, and the end is whole again.
fn spliced(format: Format) -> Result<(), Failed> {
    let known = Known::new(format, 5_000, 20_000);
    let mut scratch = Scratch::new()?;
    for i in 0..200 {
        let at = known.ends[0] + i * 6_151 % (known.bytes.len() - known.ends[0] - 8);
        let foreign = (0..i % 29).map(|j| (i * 31 + j * 197) as u8);
        let mut bytes = known.bytes.clone();
        bytes.splice(at..at + i % 7, foreign);
        let (events, _) = scratch.read(format, &bytes)?;
        let before = known.before(at);
        expect(events.get(..before) == Some(&known.events[..before]), || format!("bytes at {at}: front"))?;
        let after = same_end(&known.events, &events);
        let far = before + after + 600 >= known.events.len();
        expect(far, || format!("bytes at {at}: {before} events, then {after} at the end"))?;
    }
    Ok(())
}

/// How many events at the end are the same. In N-MNIST, a foreign word that looks like an overflow shifts later times.
fn same_end(known: &[Event], events: &[Event]) -> usize {
    let pairs = known.iter().rev().zip(events.iter().rev());
    pairs.take_while(|(a, b)| (a.t % 64, a.x, a.y, a.on) == (b.t % 64, b.x, b.y, b.on)).count()
}

fn joined_evt2() -> Result<(), Failed> {
    let (first, second) = (Known::new(Format::Evt2, 9_000_000, 3_000), Known::new(Format::Evt2, 5_000, 3_000));
    let (events, skipped) = Scratch::new()?.read(Format::Evt2, &[first.bytes, second.bytes].concat())?;
    expect(events == [first.events, second.events].concat(), || format!("{} events", events.len()))?;
    expect(skipped.bytes() == 0 && skipped.backward == 1, || format!("{skipped:?}"))
}

/// Time that goes back by seconds looks like damage: some words are lost, and counted.
fn joined_nmnist() -> Result<(), Failed> {
    let (first, second) = (Known::new(Format::NMnist, 4_000_000, 3_000), Known::new(Format::NMnist, 5_000, 3_000));
    let (events, skipped) = Scratch::new()?.read(Format::NMnist, &[first.bytes, second.bytes].concat())?;
    expect(events.starts_with(&first.events), || "the first recording is not whole".into())?;
    let lost = 6_000 - events.len();
    expect(events.ends_with(&second.events[lost..]), || "the second recording does not end it".into())?;
    let counted = lost < 40 && skipped.bytes() == 5 * lost as u64 && skipped.backward == 1;
    expect(counted, || format!("{lost} events lost, {skipped:?}"))
}

/// What is no recording is refused with a reason, whatever its name.
fn foreign() -> Result<(), Failed> {
    let noise: Vec<u8> = (0..1000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let cases: [(&[u8], &str); 8] = [
        (b"", "empty"),
        (b"#!AER-DAT4.0\r\n\x00\x01", "AEDAT 4.0"),
        (b"#!AER-DAT2.0\r\n# comment\r\n", "AEDAT 2.0"),
        (b"\x93NUMPY\x01\x00v\x00{'descr': '<f4'", ".npy"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "no format that is known"),
        (b"t,x,y,on\n1,2,3,1\n", "text"),
        (b"% evt 3.0\n% geometry 1280x720\n\x00\x80", "another format than EVT2"),
        (&noise, "no format that is known"),
    ];
    for (bytes, expected) in cases {
        let mut file = NamedTempFile::with_suffix(".raw")?;
        file.write_all(bytes)?;
        let error = Recording::open(file.path()).err().ok_or_else(|| format!("{}: opened", bytes.escape_ascii()))?;
        let told = matches!(&error, Error::Data { reason, .. } if reason.contains(expected));
        expect(told, || format!("{error}; expected '{expected}' in it"))?;
    }
    let folder = Recording::open(std::env::temp_dir()).err().ok_or("a folder was opened")?;
    expect(folder.to_string().contains("folder"), || folder.to_string())?;
    let missing = Recording::open("no/such.raw").err().ok_or("a missing file was opened")?;
    expect(matches!(missing, Error::Io { .. }), || missing.to_string())
}
