//! What must hold for any bytes: no panic, no hang, no memory beyond the bound (libFuzzer watches these three), and the same
//! events for any cutting. The last bytes of an input say how it is cut, so that its first ones are a file's.

use foveola::{Format, ModelFile, ReadOptions, Recording};
use foveola_core::events::{
    Decode, DoubleWindow, Downsample, Event, EventChain, EventFilter, EventStage, Geometry, HotPixels, Learning,
    Neighbours, RateLimit, Refractory, Restart, RowColumn, Skipped, Stcf,
};
use std::io::Read;

/// Bytes that say how to cut.
const CUTS: usize = 4;

/// An input, and lengths of pieces: short ones, mostly.
fn split(input: &[u8]) -> (&[u8], Vec<usize>) {
    let (bytes, cuts) = input.split_at(input.len() - input.len().min(CUTS));
    let length = |byte: &u8| match byte {
        0..=223 => usize::from(byte % 32) + 1,
        _ => usize::from(byte - 223) * 100,
    };
    (bytes, cuts.iter().map(length).collect())
}

/// All of `items`, in pieces of these lengths, in turn; in one where there are none.
fn pieces<'a, T>(mut items: &'a [T], lengths: &'a [usize]) -> impl Iterator<Item = &'a [T]> {
    let mut lengths = lengths.iter().cycle();
    std::iter::from_fn(move || {
        let length = lengths.next().copied().unwrap_or(items.len()).min(items.len());
        let (piece, rest) = items.split_at(length);
        items = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// A reader that gives pieces of these lengths, in turn; all at once where there are none.
struct Pieces {
    bytes: Vec<u8>,
    at: usize,
    lengths: Vec<usize>,
    turn: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let rest = &self.bytes[self.at..];
        let length = self.lengths.get(self.turn % self.lengths.len().max(1)).copied().unwrap_or(rest.len());
        let length = length.min(rest.len()).min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.at += length;
        self.turn += 1;
        Ok(length)
    }
}

/// The property of every decoder of the core.
///
/// # Panics
/// Where it does not hold.
pub fn decoder<D: Decode>(new: impl Fn() -> D, input: &[u8]) {
    fn told(mut decoder: impl Decode, bytes: &[u8], lengths: &[usize]) -> (Vec<Event>, Skipped, Option<u64>) {
        let mut events = Vec::new();
        for piece in pieces(bytes, lengths) {
            decoder.feed(piece, |event| events.push(event));
        }
        decoder.finish();
        (events, decoder.skipped(), decoder.time())
    }
    let (bytes, lengths) = split(input);
    let whole = told(new(), bytes, &[]);
    assert_eq!(told(new(), bytes, &lengths), whole, "in pieces of {lengths:?}");
    let skipped = whole.1.bytes();
    assert!(skipped <= bytes.len() as u64, "{skipped} of {} bytes skipped", bytes.len());
}

/// The property of a recording from a pipe, of a given format or recognised.
///
/// # Panics
/// Where it does not hold.
pub fn recording(format: Option<Format>, input: &[u8]) {
    let (bytes, lengths) = split(input);
    let told = |lengths: Vec<usize>| {
        let pieces = Pieces { bytes: bytes.to_vec(), at: 0, lengths, turn: 0 };
        // All of it: whether too much is damaged is told of a whole recording.
        let options = ReadOptions { format, damaged: true, ..ReadOptions::default() };
        let mut events = Recording::from_reader("input", pieces, options)?.events()?;
        let read: foveola::Result<Vec<Event>> = events.by_ref().collect();
        Ok::<_, foveola::Error>((read?, events.skipped(), events.damage(), events.geometry()))
    };
    // Errors have no equality; their words have.
    let told = |lengths| told(lengths).map_err(|error| error.to_string());
    let whole = told(Vec::new());
    assert_eq!(told(lengths.clone()), whole, "in pieces of {lengths:?}");
    if let Ok((_, skipped, ..)) = whole {
        assert!(skipped.bytes() <= bytes.len() as u64, "{skipped:?} of {} bytes", bytes.len());
    }
}

/// The property of filters of events: one by one or buffers of any length, it is the same; and what is dropped is counted.
///
/// # Panics
/// Where it does not hold.
pub fn filters(input: &[u8]) {
    const SENSOR: Geometry = Geometry { cols: 5, rows: 3 };
    const CELLS: Geometry = Geometry { cols: 3, rows: 2 };
    let (bytes, lengths) = split(input);
    let mut t = 0_u64;
    let event = |&[step, place, a, b]: &[u8; 4]| {
        // From microseconds to ages, forwards and backwards.
        let size = u64::from(u16::from_le_bytes([a, b])) << (step % 50);
        t = if step >= 240 { t.wrapping_sub(size) } else { t.wrapping_add(size) };
        Event { t, x: (place % 7).into(), y: (place / 7 % 4).into(), on: place >= 128 }
    };
    let events: Vec<Event> = bytes.as_chunks().0.iter().map(event).collect();
    let stages = || -> Result<[EventStage<'static>; 7], foveola_core::Error> {
        Ok([
            EventStage::RateLimit(RateLimit::new(3, 1_000)?),
            EventStage::HotPixels(HotPixels::new(SENSOR, Learning::Always { window: 10_000, most: 20 })?),
            EventStage::Refractory(Refractory::new(SENSOR, 50, Restart::All)?),
            EventStage::RowColumn(RowColumn::new(SENSOR, 100_000)?),
            EventStage::DoubleWindow(DoubleWindow::new(6, 3, 1)?),
            EventStage::Stcf(Stcf::new(SENSOR, Neighbours::Eight, 1, 1_000_000)?),
            EventStage::Downsample(Downsample::new(SENSOR, 2)?),
        ])
    };
    let stages = stages().expect("parameters in their ranges");
    let chain = EventChain::new(SENSOR, &stages).expect("stages that fit");
    assert_eq!(chain.output(), CELLS);
    let (mut one, mut many) = (vec![0; chain.state_len()], vec![0; chain.state_len()]);
    let single: Vec<Event> =
        events.iter().filter_map(|event| chain.step(&mut one, *event).expect("a state of its length")).collect();
    let mut buffered = Vec::new();
    for piece in pieces(&events, &lengths) {
        let mut piece = piece.to_vec();
        let kept = chain.retain(&mut many, &mut piece).expect("a state of its length");
        buffered.extend_from_slice(&piece[..kept]);
    }
    assert_eq!((&buffered, &one), (&single, &many), "in pieces of {lengths:?}");
    assert!(buffered.iter().all(|event| CELLS.contains(event)), "an event lies outside");
    let dropped: u64 = (0..stages.len()).map(|stage| chain.dropped(&one, stage)).sum();
    assert_eq!(dropped + single.len() as u64, events.len() as u64, "every event is counted");
}

/// The property of model files: one that is read is written so that it reads as the same model. None of its arrays exist.
///
/// # Panics
/// Where it does not hold.
pub fn model_file(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(file) = ModelFile::parse(text, "/nowhere") {
        let written = file.to_toml();
        let again = ModelFile::parse(&written, "/nowhere").unwrap_or_else(|error| panic!("{error}\n{written}"));
        assert_eq!(again, file, "{written}");
    }
}
