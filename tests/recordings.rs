//! Recordings: real ones against their digests, and damaged ones of known content.
//!
//! Real recordings are looked for in the folder that `FOVEOLA_RECORDINGS` names, or in `shared/events` beside the
//! repository; `recordings/README.md` says where they come from. What cannot be checked is listed as ignored, with the
//! reason in its name.

use foveola::{Error, EventWriter, Format, Frames, Geometry, Polarity, ReadOptions, Recording, WriteOptions};
use foveola_core::events::{
    Aedat2, Aedat31, Dat, DatEncoder, Decode, Event, EventStream, EventStreamEncoder, Evt2, Evt2Encoder, Evt3,
    Evt3Encoder, Evt21, Evt21Encoder, NMnist, NMnistEncoder, Order, Skipped,
};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};
use sha3::{Digest, Sha3_224};
use std::io::{Read, Write};
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
    // Archives are put together in the tests beside their reader.
    for (name, format) in Format::NAMES.into_iter().filter(|(_, format)| *format != Format::Npz) {
        let mut add = |what: &str, test: fn(Format) -> Result<(), Failed>| {
            trials.push(Trial::test(format!("{name}: {what}"), move || test(format)));
        };
        add("cut anywhere", cut);
        add("flipped bits", flipped);
        add("bytes lost and put in", spliced);
        add("blocks swapped", swapped);
        add("two joined", joined);
        add("a clock that starts anew", reset);
        add("found by time", sought);
        add("found by time behind a header of any length", sought_behind_headers);
        add("mostly garbage", mostly_garbage);
        if Format::written().any(|written| written == format) {
            add("written and read", written);
            add("written without an event, and given up", unfinished);
        }
    }
    let others: [(&str, Test); 9] = [
        ("evt2 recordings joined", joined_evt2),
        ("nmnist recordings joined", joined_nmnist),
        ("packets of every compression", compressed),
        ("clocks that wrapped, found by time", wrapped),
        ("a clock that was reset, found by time", sought_behind_a_reset),
        ("headers that tell what is not so", lying_headers),
        ("words that other readers know", words_of_writers),
        ("files of other formats", foreign),
        ("what docs/events.md says", documented),
    ];
    trials.extend(others.map(|(name, test)| Trial::test(name, test)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// The table of formats in docs/events.md is that of the library.
fn documented() -> Result<(), Failed> {
    for (name, format) in Format::NAMES {
        let cell = format!("`{name}` |");
        let row = include_str!("../docs/events.md").lines().find(|line| line.contains(&cell)).ok_or("no row")?;
        let told: Vec<&str> = row.split('|').skip(2).map(str::trim).take(3).collect();
        let written = if Format::written().any(|written| written == format) { "yes" } else { "" };
        let expected = ["yes", written, if format.seeks() { "yes" } else { "reads" }];
        expect(told == expected, || format!("{name}: docs/events.md says {told:?}; expected {expected:?}"))?;
    }
    Ok(())
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
    let (format, other) = match path.extension().and_then(|ending| ending.to_str()) {
        Some("raw") => (Format::Evt2, 0),
        Some("bin") => (Format::NMnist, 0),
        // Frames, samples and triggers.
        _ => (Format::Aedat4, 161_988),
    };
    let mut trials: Vec<Trial> = PIECES
        .into_iter()
        .map(|piece| {
            let (path, expected) = (path.clone(), expected.clone());
            Trial::test(format!("{name}: pieces of {piece}"), move || {
                let bytes = std::fs::read(&path)?;
                if let Some(mut decoder) = core_decoder(format) {
                    let mut seen = Seen::default();
                    feed(&mut *decoder, &bytes, piece, |event| seen.add(&event));
                    seen.compare(&expected)?;
                }
                let recording = Recording::from_reader("pieces", Pieces { bytes, at: 0, piece }, format.into())?;
                let mut seen = Seen::default();
                let skipped = recording.scan(|event| seen.add(event))?.skipped;
                expect((skipped.bytes(), skipped.other) == (other, other as u32), || format!("{skipped:?}"))?;
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
        expect(summary.skipped.bytes() == other, || format!("{:?}", summary.skipped))?;
        let side = |name: &str| expected[name].as_u64().map_or(0, |largest| largest as usize + 1);
        let geometry = Geometry { cols: side("xmax"), rows: side("ymax") };
        expect(summary.extent == Some(geometry), || format!("{:?}", summary.extent))?;
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

/// The decoder of the core.
fn core_decoder(format: Format) -> Option<Box<dyn Decode>> {
    match format {
        Format::Evt2 => Some(Box::new(Evt2::new())),
        Format::Evt21 => Some(Box::new(Evt21::new())),
        Format::Evt3 => Some(Box::new(Evt3::new())),
        Format::Dat => Some(Box::new(Dat::new())),
        Format::NMnist => Some(Box::new(NMnist::new())),
        Format::Aedat2 => Some(Box::new(Aedat2::new())),
        Format::Aedat31 => Some(Box::new(Aedat31::new())),
        Format::EventStream => Some(Box::new(EventStream::new())),
        _ => None,
    }
}

/// Through a decoder, in pieces.
fn feed(decoder: &mut dyn Decode, bytes: &[u8], piece: usize, mut sink: impl FnMut(Event)) {
    let mut events = [Event { t: 0, x: 0, y: 0, on: false }; 64];
    for mut bytes in bytes.chunks(piece) {
        while let n @ 1.. = decoder.fill(&mut bytes, &mut events) {
            events[..n].iter().for_each(|event| sink(*event));
        }
    }
    decoder.finish();
}

/// A pipe that yields a few bytes at a time.
struct Pieces {
    bytes: Vec<u8>,
    at: usize,
    piece: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let n = rest.len().min(self.piece).min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        self.at += n;
        Ok(n)
    }
}

/// A recording of known content, and where each event ends in it.
struct Known {
    bytes: Vec<u8>,
    /// Where the header ends.
    start: usize,
    events: Vec<Event>,
    ends: Vec<usize>,
}

/// Events in a packet of the formats that have packets.
const PACKET: usize = 50;

impl Known {
    /// `n` events of a sensor of 34 x 34 pixels, every 71 us from `start` on.
    fn new(format: Format, start: u64, n: u64) -> Self {
        Self::with(format, start, n, 71)
    }

    fn with(format: Format, start: u64, n: u64, step: u64) -> Self {
        let pixel = |i: u64| ((i * 7919 % 34) as u16, (i * 104_729 % 34) as u16);
        let events: Vec<Event> =
            (0..n).map(|i| Event { t: start + step * i, x: pixel(i).0, y: pixel(i).1, on: i % 3 == 0 }).collect();
        let size = Geometry { cols: 34, rows: 34 };
        let mut bytes = Vec::new();
        let header = match format {
            Format::Evt2 => &b"% evt 2.0\n% geometry 34x34\n"[..],
            Format::Aedat2 => b"#!AER-DAT2.0\r\n# AEChip: ch.unizh.ini.jaer.chip.retina.DVS128\r\n",
            Format::Aedat31 => b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n",
            Format::Csv => b"t,x,y,p\n",
            _ => b"",
        };
        bytes.extend(header);
        let (mut evt2, mut evt21, mut evt3) =
            (Evt2Encoder::new(), Evt21Encoder::new(Order::Legacy), Evt3Encoder::new());
        let (mut dat, mut nmnist, mut es) = (DatEncoder::new(), NMnistEncoder::new(), EventStreamEncoder::new(34, 34));
        match format {
            Format::Evt21 => Evt21Encoder::header(Order::Legacy, size, |text| bytes.extend(text)),
            Format::Evt3 => Evt3Encoder::header(size, |text| bytes.extend(text)),
            Format::Dat => DatEncoder::header(size, |text| bytes.extend(text)),
            Format::EventStream => es.header(|text| bytes.extend(text)),
            Format::Aedat4 => bytes.extend(aedat4_header()),
            Format::Npy => bytes.extend(npy_header(n)),
            _ => {}
        }
        let begin = bytes.len();
        let mut ends = Vec::new();
        for (i, event) in events.iter().copied().enumerate() {
            let Event { t, x, y, on } = event;
            let fits = match format {
                Format::Evt2 => evt2.encode(event, |word| bytes.extend(word)),
                // Each event in a word of its own, so that it has an end.
                Format::Evt21 => {
                    evt21.encode(event, |word| bytes.extend(word)).map(|()| evt21.finish(|word| bytes.extend(word)))
                }
                Format::Evt3 => {
                    evt3.encode(event, |word| bytes.extend(word)).map(|()| evt3.finish(|word| bytes.extend(word)))
                }
                Format::Dat => dat.encode(event, |word| bytes.extend(word)),
                Format::NMnist => nmnist.encode(event, |word| bytes.extend(word)),
                Format::EventStream => es.encode(event, |words| bytes.extend(words)),
                Format::Aedat2 => {
                    let address = u32::from(127 - y) << 8 | u32::from(127 - x) << 1 | u32::from(!on);
                    bytes.extend([address.to_be_bytes(), (t as u32).to_be_bytes()].as_flattened());
                    Ok(())
                }
                Format::Aedat31 => {
                    if i % PACKET == 0 {
                        let here = PACKET.min(events.len() - i) as u32;
                        bytes.extend([1, 0, 1, 0]);
                        for field in [8, 4, (t >> 31) as u32, here, here, here] {
                            bytes.extend(field.to_le_bytes());
                        }
                    }
                    let address = u32::from(x) << 17 | u32::from(y) << 2 | u32::from(on) << 1 | 1;
                    bytes.extend([address.to_le_bytes(), ((t & 0x7FFF_FFFF) as u32).to_le_bytes()].as_flattened());
                    Ok(())
                }
                Format::Csv => {
                    bytes.extend(format!("{t},{x},{y},{}\n", u8::from(on)).bytes());
                    Ok(())
                }
                Format::Npy => {
                    bytes.extend(t.to_le_bytes());
                    bytes.extend([x.to_le_bytes(), y.to_le_bytes()].as_flattened());
                    bytes.push(on.into());
                    Ok(())
                }
                Format::Aedat4 => {
                    if i % PACKET == 0 {
                        let packet = events.get(i..).unwrap_or_default();
                        let packing = [Packing::None, Packing::Lz4, Packing::Zstd][i / PACKET % 3];
                        bytes.extend(aedat4_packet(&packet[..PACKET.min(packet.len())], packing));
                    }
                    Ok(())
                }
                _ => unreachable!("no recording of known content in {}", format.name()),
            };
            fits.expect("small coordinates, in order");
            ends.push(bytes.len());
        }
        Self { bytes, start: begin, events, ends }
    }

    /// Number of events that lie whole in front of byte `at`.
    fn before(&self, at: usize) -> usize {
        self.ends.partition_point(|end| *end <= at)
    }
}

fn npy_text(n: u64) -> String {
    format!(
        "{{'descr': [('t', '<u8'), ('x', '<u2'), ('y', '<u2'), ('on', '|b1')], 'fortran_order': False, 'shape': ({n},), }}"
    )
}

fn npy_header(n: u64) -> Vec<u8> {
    [b"\x93NUMPY\x01\x00\xb6\x00", format!("{:181}\n", npy_text(n)).as_bytes()].concat()
}

/// How a packet of AEDAT 4 is packed.
#[derive(Clone, Copy)]
enum Packing {
    None,
    Lz4,
    Zstd,
}

/// A `FlatBuffer` with a table of a single field, at `place` of `fields`, which refers to what follows.
fn flatbuffer(identifier: &[u8; 4], place: usize, fields: usize, vector: &[u8], count: usize) -> Vec<u8> {
    let vtable = 4 + 2 * fields;
    let padded = vtable.next_multiple_of(4);
    let mut bytes = ((8 + padded) as u32).to_le_bytes().to_vec();
    bytes.extend(identifier);
    bytes.extend((vtable as u16).to_le_bytes());
    bytes.extend(8_u16.to_le_bytes());
    (0..fields).for_each(|i| bytes.extend((if i == place { 4_u16 } else { 0 }).to_le_bytes()));
    bytes.resize(8 + padded, 0);
    bytes.extend((padded as u32).to_le_bytes()); // back to the vtable
    bytes.extend(4_u32.to_le_bytes());
    bytes.extend((count as u32).to_le_bytes());
    bytes.extend(vector);
    bytes
}

fn aedat4_header() -> Vec<u8> {
    aedat4_header_with("")
}

/// With this in front of its text.
fn aedat4_header_with(more: &str) -> Vec<u8> {
    let text = "<dv version=\"2.0\"><node name=\"outInfo\" path=\"/\"><node name=\"0\" path=\"/0/\">\
                <attr key=\"typeIdentifier\" type=\"string\">EVTS</attr><node name=\"info\" path=\"/0/info/\">\
                <attr key=\"sizeX\" type=\"int\">34</attr><attr key=\"sizeY\" type=\"int\">34</attr></node></node></node></dv>";
    let text = [more, text].concat();
    let header = flatbuffer(b"IOHE", 2, 3, text.as_bytes(), text.len());
    [b"#!AER-DAT4.0\r\n", &(header.len() as u32).to_le_bytes()[..], &header].concat()
}

fn aedat4_packet(events: &[Event], packing: Packing) -> Vec<u8> {
    let structs: Vec<u8> = events
        .iter()
        .flat_map(|event| {
            let mut bytes = event.t.to_le_bytes().to_vec();
            bytes.extend([event.x.to_le_bytes(), event.y.to_le_bytes()].as_flattened());
            bytes.extend([event.on.into(), 0, 0, 0]);
            bytes
        })
        .collect();
    let buffer = flatbuffer(b"EVTS", 0, 1, &structs, events.len());
    let bare = [&(buffer.len() as u32).to_le_bytes()[..], &buffer].concat();
    let packed = match packing {
        Packing::None => bare,
        Packing::Lz4 => {
            let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
            encoder.write_all(&bare).expect("memory");
            encoder.finish().expect("memory")
        }
        Packing::Zstd => ruzstd::encoding::compress_to_vec(&bare[..], ruzstd::encoding::CompressionLevel::Fastest),
    };
    [&0_i32.to_le_bytes()[..], &(packed.len() as i32).to_le_bytes(), &packed].concat()
}

/// A file that is written again and again.
struct Scratch(NamedTempFile);

/// What the host read.
struct Read2 {
    events: Vec<Event>,
    skipped: Skipped,
    damage: Option<u64>,
}

impl Scratch {
    fn new() -> Result<Self, Failed> {
        Ok(Self(NamedTempFile::new()?))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<&Path, Failed> {
        let file = self.0.as_file_mut();
        file.set_len(0)?;
        std::io::Seek::rewind(file)?;
        file.write_all(bytes)?;
        Ok(self.0.path())
    }

    /// The events of `bytes` and what was skipped, as the host reads them: the same from a file and from a pipe that yields
    /// a few bytes at a time, no others than the core's, and what was counted adds up.
    fn read(&mut self, format: Format, bytes: &[u8]) -> Result<Read2, Failed> {
        let options = ReadOptions { format: Some(format), damaged: true, ..ReadOptions::default() };
        let recording = Recording::open_with(self.write(bytes)?, options)?;
        let mut events = recording.events()?;
        let read = events.by_ref().collect::<foveola::Result<Vec<Event>>>()?;
        expect(events.position() == bytes.len() as u64, || format!("stopped at byte {}", events.position()))?;
        let (skipped, damage) = (events.skipped(), events.damage());
        if let Some(mut decoder) = core_decoder(format) {
            let mut core = Vec::new();
            feed(&mut *decoder, bytes, bytes.len().max(1), |event| core.push(event));
            expect(read == core, || format!("{} events, but {} in core", read.len(), core.len()))?;
            expect(skipped == decoder.skipped(), || format!("{skipped:?}, but {:?} in core", decoder.skipped()))?;
        }
        let pieces = Pieces { bytes: bytes.to_vec(), at: 0, piece: 1 + bytes.len() % 13 };
        let mut cut = Recording::from_reader("pieces", pieces, options)?.events()?;
        let pieces = cut.by_ref().collect::<foveola::Result<Vec<Event>>>()?;
        expect(pieces == read, || format!("{} events, but {} in pieces", read.len(), pieces.len()))?;
        let again = (cut.skipped(), cut.damage());
        expect(again == (skipped, damage), || format!("{skipped:?} at {damage:?}, but {again:?} in pieces"))?;
        expect(skipped.bytes() <= bytes.len() as u64, || format!("{skipped:?} of {} bytes", bytes.len()))?;
        expect(damage.is_none_or(|at| at <= bytes.len() as u64), || format!("damage at {damage:?}"))?;
        let harmed = skipped.garbage > 0 || skipped.tail > 0;
        expect(!harmed || damage.is_some(), || format!("{skipped:?}, but nowhere"))?;
        Ok(Read2 { events: read, skipped, damage })
    }
}

/// Whatever is cut off, all events in front of the cut are there, and the cut word is counted.
fn cut(format: Format) -> Result<(), Failed> {
    let (known, long) = (Known::new(format, 5_000, 40), Known::new(format, 5_000, 20_000));
    let mut scratch = Scratch::new()?;
    // An array without its header, and a stream without its signature, are refused.
    let first = if matches!(format, Format::Npy | Format::EventStream | Format::Csv) { known.start } else { 1 };
    let cuts = (first..known.bytes.len()).map(|at| (&known, at));
    // Around the ends of the reader's buffer.
    let cuts = cuts.chain((65_530..65_550).map(|at| (&long, at)));
    for (known, at) in cuts {
        let Read2 { events, skipped, damage } = scratch.read(format, &known.bytes[..at])?;
        // A line of text may be cut and still be one.
        let whole = known.before(at);
        let more = usize::from(format == Format::Csv && events.len() == whole + 1);
        expect(events[..events.len() - more] == known.events[..whole], || {
            format!("cut at {at}: {} events", events.len())
        })?;
        let part = at - whole.checked_sub(1).map_or(0, |last| known.ends[last]);
        let lost = skipped.bytes() as usize;
        expect(lost <= part, || format!("cut at {at}: {skipped:?} of {part} bytes"))?;
        expect(lost == 0 || damage.is_some_and(|damage| damage as usize + part >= at), || {
            format!("cut at {at}: {damage:?}")
        })?;
    }
    Ok(())
}

/// How much may be lost behind damage, in events.
const LOST: usize = 600;

/// Reads damaged bytes: all events in front of byte `at` are there, the damage is told to be there or behind, and, where
/// bytes have a place that can be found, the end is whole again.
fn check(
    scratch: &mut Scratch,
    format: Format,
    known: &Known,
    bytes: &[u8],
    at: usize,
    what: &str,
) -> Result<(), Failed> {
    let read = scratch.read(format, bytes);
    // Of an array, what follows may look like any number: more than a few that are no polarity end the reading.
    if format == Format::Npy
        && read.as_ref().is_err_and(|error| error.message().is_some_and(|m| m.contains("polarity has the values")))
    {
        return Ok(());
    }
    let Read2 { events, skipped, damage } = read?;
    let before = known.before(at);
    expect(events.get(..before) == Some(&known.events[..before]), || format!("{what}: front, {skipped:?}"))?;
    let front = before.checked_sub(1).map_or(0, |last| known.ends[last]);
    expect(damage.is_none_or(|damage| damage as usize >= front), || format!("{what}: told to be at {damage:?}"))?;
    if format == Format::Npy {
        return Ok(()); // its records have nothing by which their place could be found
    }
    let after = same_end(format, &known.events, &events);
    let far = before + after + LOST >= known.events.len();
    expect(far, || format!("{what}: {before} events, then {after} at the end, {skipped:?}"))
}

/// Events of a recording to be damaged: more where that is fast.
fn many(format: Format) -> u64 {
    if core_decoder(format).is_some() { 20_000 } else { 8_000 }
}

/// A flipped bit harms nothing in front of it, and the end is whole again.
fn flipped(format: Format) -> Result<(), Failed> {
    let known = Known::new(format, 5_000, many(format));
    let mut scratch = Scratch::new()?;
    let len = known.bytes.len();
    let places = (0..200).map(|i| (known.start + i * 6_151 % (len - known.start), i % 8));
    for (at, bit) in places.chain((65_530..65_545).map(|at| (at, at % 8))) {
        let mut bytes = known.bytes.clone();
        bytes[at] ^= 1 << bit;
        check(&mut scratch, format, &known, &bytes, at, &format!("bit {bit} of byte {at}"))?;
    }
    Ok(())
}

/// Lost and foreign bytes harm nothing in front of them, and the end is whole again.
fn spliced(format: Format) -> Result<(), Failed> {
    let known = Known::new(format, 5_000, many(format));
    let mut scratch = Scratch::new()?;
    for i in 0..150 {
        let at = known.start + i * 6_151 % (known.bytes.len() - known.start - 8);
        let foreign = (0..i % 29).map(|j| (i * 31 + j * 197) as u8);
        let mut bytes = known.bytes.clone();
        bytes.splice(at..at + i % 7, foreign);
        check(&mut scratch, format, &known, &bytes, at, &format!("bytes at {at}"))?;
    }
    Ok(())
}

/// Two blocks that changed places, as on a damaged disk, harm nothing in front of the first and behind the second.
fn swapped(format: Format) -> Result<(), Failed> {
    let known = Known::new(format, 5_000, many(format));
    let mut scratch = Scratch::new()?;
    for i in 0..60 {
        let block = 16 + i * 5;
        let at = known.start + i * 6_151 % (known.bytes.len() - known.start - 3 * block);
        let mut bytes = known.bytes.clone();
        let (first, second) = bytes[at..at + 3 * block].split_at_mut(2 * block);
        first[..block].swap_with_slice(second);
        check(&mut scratch, format, &known, &bytes, at, &format!("blocks of {block} at {at}"))?;
    }
    Ok(())
}

/// A second recording behind the first harms nothing of the first.
fn joined(format: Format) -> Result<(), Failed> {
    let (first, second) = (Known::new(format, 4_000_000, 3_000), Known::new(format, 4_500_000, 3_000));
    let Read2 { events, skipped, damage } =
        Scratch::new()?.read(format, &[&first.bytes[..], &second.bytes].concat())?;
    expect(events.starts_with(&first.events), || format!("{} events, {skipped:?}", events.len()))?;
    expect(damage.is_none_or(|at| at >= first.bytes.len() as u64), || format!("damage at {damage:?}"))?;
    if format == Format::Npy {
        let rest = u64::from(skipped.garbage);
        return expect(rest == second.bytes.len() as u64 && events.len() == 3_000, || format!("{skipped:?}"));
    }
    let (after, lost) = (same_end(format, &second.events, &events), 6_000_usize.saturating_sub(events.len()));
    expect(after + 40 >= 3_000 && lost < 40, || format!("{} events, {after} of the second, {skipped:?}", events.len()))
}

/// A recording whose clock starts anew, without a header between where the format can do without: nothing is lost, and the
/// segments are counted and follow each other as frames.
fn reset(format: Format) -> Result<(), Failed> {
    let (first, second) = (Known::new(format, 4_000_000, 3_000), Known::new(format, 1_000_000, 3_000));
    // Without its header an array does not go on, and a stream of differences has no time.
    let from = if format == Format::EventStream { 0 } else { second.start };
    let bytes = match format {
        Format::Npy => [&npy_header(6_000)[..], &first.bytes[first.start..], &second.bytes[from..]].concat(),
        _ => [&first.bytes[..], &second.bytes[from..]].concat(),
    };
    let options = ReadOptions { format: Some(format), ..ReadOptions::default() };
    let recording = Recording::from_reader("two segments", Pieces { bytes, at: 0, piece: 999 }, options)?;
    let mut events = Vec::new();
    let summary = recording.scan(|event| events.push(*event))?;
    // Words of N-MNIST look alike at other alignments, too: it may take 20 of them to tell.
    let lost = 6_000 - events.len();
    let counted = u64::from(summary.skipped.garbage) == 5 * lost as u64 && summary.skipped.backward == 1;
    let all_there = lost == 0 || format == Format::NMnist && lost <= 20;
    expect(all_there && counted && summary.resets == 1, || format!("{lost} events lost, {summary:?}"))?;
    // The second word with the new time confirms it: those of 64 us, or 4 ms, before it have the time before.
    let early = summary.skipped.early as usize;
    let most = match format {
        Format::Evt2 | Format::Evt21 => 1,
        Format::Evt3 => 4_096 / 71 + 1,
        _ => 0,
    };
    let last = first.events.last().map_or(0, |event| event.t);
    let are_early = events.iter().skip(3_000).take(early).all(|event| event.t.abs_diff(last) < 4_096);
    expect(early <= most && are_early, || format!("{early} events are early"))?;
    let whole = events.starts_with(&first.events) && events.ends_with(&second.events[lost + early..]);
    expect(whole, || "other events".into())?;
    let segment = 71e-6 * 2_999.0;
    let seconds = 2.0 * segment - 71e-6 * (lost + early) as f64;
    let unsure = if early > 0 { 4_096e-6 } else { 1e-9 };
    expect((summary.seconds() - seconds).abs() < unsure, || format!("{} s; expected {seconds}", summary.seconds()))?;
    let mut frames = Frames::new(events.into_iter().map(Ok), Geometry { cols: 34, rows: 34 }, Polarity::Split, 1_000)?;
    let (mut made, mut sum) = (0, 0.0);
    while let Some(chunk) = frames.next_chunk(17)? {
        (made, sum) = (made + chunk.dim().2, sum + chunk.sum());
    }
    let expected = 2 * (segment * 1e3).ceil() as usize;
    let told = (frames.resets(), frames.jumps(), frames.dropped().events());
    expect(told == (1, 0, 0) && sum as usize == 6_000 - lost, || format!("{told:?}, {sum} events in frames"))?;
    let most = if early > 1 { 6 } else { 2 };
    expect(made.abs_diff(expected) <= most, || format!("{made} frames; expected some {expected}"))
}

/// Text in front of the first word: as much as `len` bytes or a little more, which it returns.
fn padded(format: Format, n: u64, len: usize) -> Option<Vec<u8>> {
    let lines = |first: &str, begin: &str, last: &str| {
        let mut text = first.as_bytes().to_vec();
        while text.len() + 160 < len {
            text.extend(format!("{begin} {}\n", "x".repeat(76)).bytes());
        }
        let left = len.saturating_sub(text.len() + begin.len() + 2 + last.len());
        if left > 0 {
            text.extend(format!("{begin} {}\n", "y".repeat(left)).bytes());
        }
        text.extend(last.as_bytes());
        Some(text)
    };
    match format {
        Format::Evt2 => lines("% evt 2.0\n", "%", "% geometry 34x34\n"),
        Format::Evt21 => lines("% evt 2.1\n% endianness legacy\n", "%", "% geometry 34x34\n% end\n"),
        Format::Dat => {
            lines("% Data file containing CD events\n% Version 2\n", "%", "% Width 34\n% Height 34\n\x0C\x08")
        }
        Format::Aedat2 => lines("#!AER-DAT2.0\r\n#\r\n", "#", "# AEChip: ch.unizh.ini.jaer.chip.retina.DVS128\r\n"),
        Format::Npy => {
            let text = |len: usize| format!("{}{}\n", npy_text(n), " ".repeat(len - npy_text(n).len()));
            let short = len.saturating_sub(11).max(180);
            Some(match u16::try_from(short + 1) {
                Ok(size) => [b"\x93NUMPY\x01\x00", &size.to_le_bytes()[..], text(short).as_bytes()].concat(),
                Err(_) => {
                    let size = (len - 12) as u32;
                    [b"\x93NUMPY\x02\x00", &size.to_le_bytes()[..], text(len - 13).as_bytes()].concat()
                }
            })
        }
        Format::Aedat4 => Some(aedat4_header_with(&format!("<!--{}-->", "z".repeat(len)))),
        _ => None,
    }
}

/// A text in front of the words changes nothing of what is found by time: of any length, and of any remainder of a word's.
fn sought_behind_headers(format: Format) -> Result<(), Failed> {
    const KB: usize = 1_000;
    let known = Known::new(format, 5_000, 6_000);
    let mut scratch = Scratch::new()?;
    for len in [0, KB, 63 * KB, 64 * KB, (1 << 16) - 8, 65 * KB, 175 * KB] {
        for more in 0..8 {
            let Some(front) = padded(format, 6_000, len + more) else { return Ok(()) };
            let bytes = [&front[..], &known.bytes[known.start..]].concat();
            // Recognised, however far away its words are.
            let recording = Recording::open(scratch.write(&bytes)?)?;
            let front = front.len();
            expect(recording.format() == format, || format!("taken for {}", recording.format().name()))?;
            let mut events = recording.events()?;
            let whole: Vec<Event> = events.by_ref().collect::<foveola::Result<_>>()?;
            let told = (events.skipped(), events.damage());
            expect(whole == known.events, || format!("{front}: {} events", whole.len()))?;
            expect(told == (Skipped::default(), None), || format!("{front}: {told:?}"))?;
            for t in [5_000, 5_001, 105_000, 300_003, known.events[5_990].t, u64::MAX] {
                events.seek(t)?;
                let rest = &known.events[known.events.partition_point(|event| event.t < t)..];
                let found: Vec<Event> = events.by_ref().collect::<foveola::Result<_>>()?;
                expect(found == rest, || {
                    format!("{front}: {} events behind {t} us; expected {}", found.len(), rest.len())
                })?;
                let told = (events.skipped(), events.damage());
                expect(told == (Skipped::default(), None), || format!("{front}: {told:?} behind {t} us"))?;
            }
        }
    }
    Ok(())
}

/// A recording of which more than 1 % cannot be read is an error that says where it begins, unless that is asked for; one
/// with its damage in the first kilobytes is not.
fn mostly_garbage(format: Format) -> Result<(), Failed> {
    let known = Known::new(format, 5_000, 60_000);
    let damage = |every: usize, bytes: &mut Vec<u8>| {
        for i in (1..known.events.len() - 1).step_by(every) {
            let place = known.ends[i - 1]..known.ends[i];
            match format {
                Format::Csv => bytes[place.start] = b'x',
                // Packets are damaged as a whole.
                Format::Aedat4 => bytes[known.ends[i / PACKET * PACKET] - 60] ^= 0xFF,
                Format::Npy => {} // all of its records are events
                Format::NMnist => bytes[place].fill(0xFF),
                _ => bytes[place.start.max(place.end - 8)..place.end].fill(0x9B),
            }
        }
    };
    let mut scratch = Scratch::new()?;
    let mut bytes = known.bytes.clone();
    damage(if format == Format::Aedat4 { 10 * PACKET } else { 20 }, &mut bytes);
    if format == Format::Npy {
        bytes.extend([7; 20_000]); // behind the last record
    }
    let path = scratch.write(&bytes)?;
    let read = |damaged: bool| {
        let options = ReadOptions { format: Some(format), damaged, ..ReadOptions::default() };
        let mut count = 0;
        Recording::open_with(path, options)?.scan(|_| count += 1).map(|summary| (count, summary.damage))
    };
    match read(false) {
        Err(Error::Damaged { unreadable, read, at, place, .. }) => {
            expect(unreadable * 100 > read, || format!("{unreadable} of {read}"))?;
            let first = known.start as u64..bytes.len() as u64;
            expect(first.contains(&at) && place.contains(&at.to_string()), || format!("{at} in {place}"))?;
            expect(place.len() > 12, || format!("nothing shown: {place}"))?;
        }
        other => return Err(format!("{other:?}").into()),
    }
    let (count, at) = read(true)?;
    expect((500..=60_000).contains(&count) && at.is_some(), || format!("{count} events, damage at {at:?}"))?;

    // The same damage in the first 4 kB alone.
    let mut bytes = known.bytes.clone();
    let (front, rest) = (known.start + 400, known.start + 700);
    match format {
        Format::Csv => bytes[front..rest].fill(b'x'),
        Format::Npy => return Ok(()),
        Format::EventStream => bytes[front + 5 * 10..front + 5 * 20].fill(0x7F),
        Format::NMnist => bytes[front..rest].fill(0xFF),
        _ => bytes[front..rest].fill(0x9B),
    }
    let options = ReadOptions { format: Some(format), ..ReadOptions::default() };
    let summary = Recording::open_with(scratch.write(&bytes)?, options)?.scan(|_| ())?;
    let lost = 60_000 - summary.events;
    expect(summary.damage.is_some() && lost < 1_000, || format!("{lost} lost, {summary:?}"))
}

/// A recording without an event is one, and a file that is given up is none.
fn unfinished(format: Format) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let names = || std::fs::read_dir(folder.path()).map(|entries| entries.count());
    let path = folder.path().join("a");
    let size = Some(Geometry { cols: 34, rows: 34 });
    let mut writer = EventWriter::create(&path, format, size)?;
    writer.push(Event { t: 1, x: 2, y: 3, on: true })?;
    expect(!path.exists(), || "it is there before it is complete".into())?;
    drop(writer);
    expect(names()? == 0, || "something is left".into())?;
    std::fs::write(&path, "what was there")?;
    drop(EventWriter::create(&path, format, size)?);
    expect(std::fs::read(&path)? == b"what was there", || "what was there is lost".into())?;

    let written = EventWriter::create_with(&path, format, size, WriteOptions::default())?.finish()?;
    expect((written.events, names()?) == (0, 1), || format!("{written:?}"))?;
    if format == Format::NMnist {
        // No header, no event: no byte, which is refused as such.
        let error = Recording::open(&path).err().ok_or("nothing was opened")?;
        return expect(error.to_string().contains("empty"), || error.to_string());
    }
    let recording = Recording::open(&path)?;
    expect(recording.format() == format, || format!("taken for {}", recording.format().name()))?;
    let summary = recording.scan(|_| ())?;
    let is_empty = summary.events == 0 && summary.skipped == Skipped::default() && summary.damage.is_none();
    expect(is_empty && summary.geometry().is_none_or(|found| Some(found) == size), || format!("{summary:?}"))
}

/// Going to a time is reading from the start and leaving out what is before.
fn sought(format: Format) -> Result<(), Failed> {
    let known = Known::new(format, 5_000, 20_000);
    let mut scratch = Scratch::new()?;
    let path = scratch.write(&known.bytes)?;
    let mut events = Recording::open_as(path, format)?.events()?;
    let last = known.events[19_999].t;
    for t in [0, 5_000, 5_001, 70_000, 700_123, last - 1, last, last + 1, 100_000, u64::MAX] {
        events.seek(t)?;
        let rest = &known.events[known.events.partition_point(|event| event.t < t)..];
        for expected in rest.iter().take(5_000) {
            let found = events.next().transpose()?;
            expect(found == Some(*expected), || format!("{found:?} behind {t} us; expected {expected:?}"))?;
        }
        if rest.len() <= 5_000 {
            expect(events.next().is_none(), || format!("more behind {t} us"))?;
            expect(events.damage().is_none(), || format!("damage at {:?} behind {t} us", events.damage()))?;
        }
    }
    Ok(())
}

/// Clocks of 32 and 34 bits that wrapped.
fn wrapped() -> Result<(), Failed> {
    for (format, start) in [(Format::Evt2, (1 << 34) - 700_000), (Format::Dat, (1 << 32) - 700_000)] {
        let known = Known::new(format, start, 20_000);
        let mut scratch = Scratch::new()?;
        let mut events = Recording::open_as(scratch.write(&known.bytes)?, format)?.events()?;
        for t in [start, start + 600_000, start + 700_001, start + 1_000_000] {
            events.seek(t)?;
            let expected = known.events[known.events.partition_point(|event| event.t < t)..].first().copied();
            let found = events.next().transpose()?;
            expect(found == expected, || format!("{}: {found:?} behind {t} us; expected {expected:?}", format.name()))?;
        }
    }
    Ok(())
}

/// Times that go back from place to place are no wrap: then the recording is read from its start.
fn sought_behind_a_reset() -> Result<(), Failed> {
    for format in [Format::Evt2, Format::Evt21, Format::Dat, Format::Aedat2, Format::Npy, Format::Aedat4] {
        let (first, second) = (Known::new(format, 4_000_000, 5_000), Known::new(format, 1_000_000, 5_000));
        let bytes = match format {
            Format::Npy => {
                [&npy_header(10_000)[..], &first.bytes[first.start..], &second.bytes[second.start..]].concat()
            }
            _ => [&first.bytes[..], &second.bytes[second.start..]].concat(),
        };
        let mut scratch = Scratch::new()?;
        let mut events = Recording::open_as(scratch.write(&bytes)?, format)?.events()?;
        for (t, expected) in [(4_100_000, &first), (1_000_000, &first), (0, &first)] {
            events.seek(t)?;
            let expected = expected.events.iter().find(|event| event.t >= t);
            let found = events.next().transpose()?;
            expect(found.as_ref() == expected, || format!("{}: {found:?} behind {t} us", format.name()))?;
        }
    }
    Ok(())
}

/// A header that tells what the words do not bear out is refused, with the option that names it.
fn lying_headers() -> Result<(), Failed> {
    let (evt21, dat) = (Known::new(Format::Evt21, 5_000, 2_000), Known::new(Format::Dat, 5_000, 2_000));
    let aedat2 = Known::new(Format::Aedat2, 5_000, 2_000);
    let cases: [(&[u8], &[u8], &str); 4] = [
        (b"% evt 2.1\n% endianness little\n", &evt21.bytes[evt21.start..], "--order"),
        (b"% Data file containing CD events\n% Version 1\n\x0C\x08", &dat.bytes[dat.start..], "version 1"),
        (b"#!AER-DAT2.0\r\n# AEChip: Davis346\r\n", &aedat2.bytes[aedat2.start..], "--camera"),
        (b"#!AER-DAT2.0\r\n# AEChip: a.Cochlea\r\n", &aedat2.bytes[aedat2.start..], "--camera"),
    ];
    let mut scratch = Scratch::new()?;
    for (header, words, expected) in cases {
        let path = scratch.write(&[header, words].concat())?;
        let error = Recording::open(path).err().ok_or_else(|| format!("{}: opened", header.escape_ascii()))?;
        expect(error.to_string().contains(expected), || format!("{error}; expected {expected}"))?;
    }
    // A size that is too small is told by the events outside of it.
    let known = Known::new(Format::Evt2, 5_000, 1_000);
    let bytes = [b"% evt 2.0\n% geometry 20x20\n", &known.bytes[known.start..]].concat();
    let summary = Recording::open(scratch.write(&bytes)?)?.scan(|_| ())?;
    let outside = known.events.iter().filter(|event| event.x.max(event.y) >= 20).count() as u64;
    let told = (summary.outside, summary.extent);
    expect(told == (outside, Some(Geometry { cols: 34, rows: 34 })), || format!("{told:?} of {outside}"))
}

/// What the readers of Metavision (`OpenEB` 4 and 5) ask for, which are stricter than ours: a line that tells format and size;
/// vectors of EVT 3.0 in threes of 12, 12 and 8 pixels inside of the sensor; a wrap as the last time high followed by 0; and
/// no event outside.
fn words_of_writers() -> Result<(), Failed> {
    let sensor = Geometry { cols: 40, rows: 34 };
    let folder = tempfile::tempdir()?;
    // A row of events that vectors are made of, near the right edge, too; then the clocks of all formats wrap.
    let row = |t: u64| (0..40).filter(|x| x % 3 > 0).map(move |x| Event { t, x, y: 7, on: x < 30 });
    let wraps = [(1_u64 << 24) - 5_000_000, (1 << 24) + 5_000_000, (1 << 34) - 60_000_000, (1 << 34) + 60_000_000];
    let events: Vec<Event> = [5_000].into_iter().chain(wraps).flat_map(row).collect();
    for (format, name) in [(Format::Evt2, "EVT2"), (Format::Evt21, "EVT21"), (Format::Evt3, "EVT3")] {
        let path = folder.path().join(format.name());
        let mut writer = EventWriter::create(&path, format, Some(sensor))?;
        for event in &events {
            writer.push(*event)?;
        }
        let outside = writer.push(Event { t: 1 << 35, x: 40, y: 0, on: true });
        expect(matches!(outside, Err(Error::Event { .. })), || format!("{name}: {outside:?}"))?;
        writer.finish()?;
        let read: Vec<Event> = Recording::open(&path)?.events()?.collect::<foveola::Result<_>>()?;
        expect(read == events, || format!("{name}: {} events", read.len()))?;

        let bytes = std::fs::read(&path)?;
        let end = bytes.windows(6).position(|window| window == b"% end\n").ok_or("no end")? + 6;
        let (header, words) = (String::from_utf8_lossy(&bytes[..end]), &bytes[end..]);
        let fields: Vec<&str> = header
            .lines()
            .filter_map(|line| line.strip_prefix("% format "))
            .flat_map(|format| format.split(';'))
            .collect();
        let tells = fields.first() == Some(&name) && fields.contains(&"width=40") && fields.contains(&"height=34");
        expect(tells && header.contains("% geometry 40x34\n"), || header.to_string())?;

        // Times high, in their order.
        let (size, bits): (usize, u64) = match format {
            Format::Evt2 => (4, 28),
            Format::Evt21 => (8, 28),
            _ => (2, 12),
        };
        let value = |word: &[u8]| word.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        let values: Vec<u64> = words.chunks(size).map(|word| value(word) >> (8 * size as u64 - bits - 4)).collect();
        let highs: Vec<u64> =
            values.iter().filter(|value| *value >> bits == 8).map(|value| value & ((1 << bits) - 1)).collect();
        let odd = highs.windows(2).find(|pair| pair[1] < pair[0] && (pair[0], pair[1]) != ((1 << bits) - 1, 0));
        expect(odd.is_none() && highs.contains(&0), || format!("{name}: {odd:?} in {} times high", highs.len()))?;
        if format == Format::Evt3 {
            let kinds: Vec<u64> = values.iter().map(|value| value >> 12).collect();
            let firsts: Vec<usize> = (0..kinds.len()).filter(|i| kinds[*i] == 3).collect();
            for &i in &firsts {
                let base = values[i] & 0x7FF;
                let all = kinds.get(i + 1..i + 4) == Some(&[4, 4, 5]) && base + 32 <= 40;
                expect(all, || format!("a vector from {base} on: {:?}", kinds.get(i..i + 4)))?;
            }
            let vectors = kinds.iter().filter(|kind| matches!(kind, 4 | 5)).count();
            expect(vectors == 3 * firsts.len() && !firsts.is_empty(), || format!("{vectors} vectors"))?;
        }
    }
    Ok(())
}

/// What is written is read again, and recognised.
fn written(format: Format) -> Result<(), Failed> {
    let known = Known::with(format, 5_000, 20_000, 3);
    let mut scratch = Scratch::new()?;
    let path = scratch.write(b"")?;
    let mut writer = EventWriter::create(path, format, Some(Geometry { cols: 34, rows: 34 }))?;
    for event in &known.events {
        writer.push(*event)?;
    }
    let written = writer.finish()?;
    let bytes = std::fs::metadata(path)?.len();
    expect((written.events, written.bytes) == (20_000, bytes), || format!("{written:?} of {bytes} bytes"))?;
    let recording = Recording::open(path)?;
    expect(recording.format() == format, || format!("taken for {}", recording.format().name()))?;
    let mut events = Vec::new();
    let summary = recording.scan(|event| events.push(*event))?;
    expect(events == known.events, || format!("{} events, {:?}", events.len(), summary.skipped))?;
    expect(summary.skipped == Skipped::default() && summary.damage.is_none(), || format!("{summary:?}"))?;
    // What does not fit is refused with its name, and the others are written.
    let far = Event { t: 30_000, x: 60_000, y: 60_000, on: true };
    if !matches!(format, Format::Csv | Format::Npy) {
        let mut writer = EventWriter::create(path, format, Some(Geometry { cols: 34, rows: 34 }))?;
        let refused = writer.push(far);
        expect(matches!(&refused, Err(Error::Event { event, .. }) if *event == far), || format!("{refused:?}"))?;
        writer.push(known.events[0])?;
        expect(writer.finish()?.events == 1, || "the other one".into())?;
        let read: Vec<Event> = Recording::open_as(path, format)?.events()?.collect::<foveola::Result<_>>()?;
        expect(read == known.events[..1], || format!("{read:?}"))?;
    }
    Ok(())
}

/// A file with packets of every compression, other streams among them, and a table at the end.
fn compressed() -> Result<(), Failed> {
    let known = Known::new(Format::Aedat4, 1_643_243_628_737_093, 1_000);
    let table = flatbuffer(b"FTAB", 0, 1, &[7; 160], 10);
    let other =
        [&0_i32.to_le_bytes()[..], &20_i32.to_le_bytes(), &16_u32.to_le_bytes(), b"\x08\0\0\0IMUS\0\0\0\0\0\0\0\0"]
            .concat();
    let bytes = [&known.bytes[..], &other, &(table.len() as u32).to_le_bytes(), &table].concat();
    let mut scratch = Scratch::new()?;
    let Read2 { events, skipped, damage } = scratch.read(Format::Aedat4, &bytes)?;
    expect(events == known.events, || format!("{} events", events.len()))?;
    let more = (other.len() + 4 + table.len()) as u64;
    expect(skipped.bytes() == more && u64::from(skipped.other) == more, || format!("{skipped:?} of {more}"))?;
    expect(damage.is_none(), || format!("{damage:?}"))?;
    // The damaged packet is skipped as a whole, and told.
    let mut bytes = known.bytes.clone();
    let (packet, end) = (known.ends[PACKET - 1], known.ends[PACKET]);
    bytes[packet + 12] ^= 0xFF;
    let Read2 { events, skipped, damage } = scratch.read(Format::Aedat4, &bytes)?;
    let expected = [&known.events[..PACKET], &known.events[2 * PACKET..]].concat();
    expect(events == expected, || format!("{} events", events.len()))?;
    let counted = damage == Some(packet as u64) && skipped.garbage as usize == end - packet;
    expect(counted, || format!("{damage:?}, {skipped:?}; expected bytes {packet} to {end}"))
}

/// How many events at the end are the same. In N-MNIST, a foreign word that looks like an overflow shifts later times by a
/// multiple of 64 us; in Event Stream, lost times shift them by any.
fn same_end(format: Format, known: &[Event], events: &[Event]) -> usize {
    let time = |event: &Event| if format == Format::EventStream { 0 } else { event.t % 64 };
    let pairs = known.iter().rev().zip(events.iter().rev());
    pairs.take_while(|(a, b)| (time(a), a.x, a.y, a.on) == (time(b), b.x, b.y, b.on)).count()
}

fn joined_evt2() -> Result<(), Failed> {
    let (first, second) = (Known::new(Format::Evt2, 9_000_000, 3_000), Known::new(Format::Evt2, 5_000, 3_000));
    let Read2 { events, skipped, .. } = Scratch::new()?.read(Format::Evt2, &[first.bytes, second.bytes].concat())?;
    expect(events == [first.events, second.events].concat(), || format!("{} events", events.len()))?;
    expect(skipped.bytes() == 0 && skipped.backward == 1, || format!("{skipped:?}"))
}

/// Time that goes back by seconds looks like damage: some words are lost, and counted.
fn joined_nmnist() -> Result<(), Failed> {
    let (first, second) = (Known::new(Format::NMnist, 4_000_000, 3_000), Known::new(Format::NMnist, 5_000, 3_000));
    let Read2 { events, skipped, .. } = Scratch::new()?.read(Format::NMnist, &[first.bytes, second.bytes].concat())?;
    expect(events.starts_with(&first.events), || "the first recording is not whole".into())?;
    let lost = 6_000 - events.len();
    expect(events.ends_with(&second.events[lost..]), || "the second recording does not end it".into())?;
    let counted = lost < 40 && skipped.bytes() == 5 * lost as u64 && skipped.backward == 1;
    expect(counted, || format!("{lost} events lost, {skipped:?}"))
}

/// What is no recording is refused with a reason, whatever its name.
fn foreign() -> Result<(), Failed> {
    let noise: Vec<u8> = (0..1000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let cases: [(&[u8], &str); 11] = [
        (b"", "empty"),
        (b"#!AER-DAT1.0\r\n# comment\r\n", "a version that is not read"),
        (b"\x93NUMPY\x01\x00v\x00{'descr': '<f4'", ".npy"),
        (&npy_header(0)[..100], "ends before its header"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "a PNG picture"),
        (b"\x89HDF\r\n\x1a\n\x00\x00", "HDF5"),
        (b"t,x,y\n1,2,3\n", "text, but not read as events: columns named t, x, y without polarity"),
        (b"some words\n", "text, but not read as events: no line of numbers"),
        (b"% evt 9.9\n% geometry 1280x720\n", "text, but not read as events: no line of numbers"),
        (b"Event Stream\x09\x00\x00\x01\x22\x00\x22\x00", "Event Stream"),
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
