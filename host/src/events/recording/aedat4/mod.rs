//! AEDAT 4: packets of events, frames and other samples, each compressed separately.
//!
//! ```text
//! "#!AER-DAT4.0\r\n"
//! u32 size, header (`FlatBuffer` IOHE)
//! packets: i32 stream, i32 size, payload: u32 size, `FlatBuffer` EVTS, FRME, IMUS, TRIG; packed by LZ4, Zstandard or not
//! table:   positions of the packets, missing in truncated files; not read
//! ```
//! An event is `i64 t, i16 x, i16 y, u8 on` and 3 unused bytes, little-endian; `t` is in microseconds and usually counts
//! from 1970. The first event stream is read. Packets of other streams are counted as [`Skipped::other`], and so is the
//! table.
//!
//! **Damage**: a packet that cannot be unpacked, whose size is wrong, or with a time or coordinate below 0, is skipped
//! whole. The search for the next packet starts at its second byte. It looks for a stream that the header lists, a possible
//! size, and the first bytes of a compressed or plain `FlatBuffer`: 20 bytes that rarely occur elsewhere. A second file
//! appended to the first is also read. A flipped bit that leaves the structure of a packet intact is not detected if the
//! writer added no checksum. Without a readable header, packets identify themselves, and the geometry is unknown.
//!
//! Cost: unpacking, and a copy of 16 bytes per event. State: a compressed packet (32 MiB at most; larger ones count as
//! damaged) and an unpacked one (64 MiB at most). Both grow with the data received, not with the sizes that the file states.
//! Reference: iniVation, AEDAT file formats, "AEDAT 4.0".

#[cfg_attr(not(feature = "compression"), path = "no_codecs.rs")]
mod codecs;
mod flatbuffer;
mod header;
mod packet;

use super::decoder::Decoder;
use foveola_core::events::{Decode, Event, Geometry, Skipped};
use header::Header;
use packet::{Compression, Content, EVENT, MOST_PACKED, Unpacker};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;

/// The first bytes of a file; a digit and a line end follow.
pub(super) const MAGIC: &[u8] = b"#!AER-DAT4.";
const LINE: usize = 14;
/// The largest header in bytes: usual texts have a few thousand.
const MOST_HEADER: usize = 1 << 20;
/// Bytes of the stream number and size before a packet, and of these plus the bytes that identify a packet.
const HEAD: usize = 8;
const TELLING: usize = HEAD + 12;
/// Bytes that a search examines at a time.
const BLOCK: usize = 1 << 12;
/// Limit of failed unpacking per byte of the file, so that the time to read a file is proportional to its length.
const PATIENCE: u64 = 8;

/// Streaming decoder of AEDAT 4; see the [format](self).
#[derive(Default)]
pub(super) struct Aedat4 {
    /// Bytes of the stream that are not parsed yet, starting at `start`.
    held: Vec<u8>,
    start: usize,
    /// The number of bytes before them.
    position: u64,
    place: Place,
    header: Header,
    unpacker: Unpacker,
    /// Events not delivered yet, in the unpacked bytes.
    waiting: Range<usize>,
    last: Option<u64>,
    skipped: Skipped,
    damage: Option<u64>,
    /// Bytes unpacked without a result.
    vain: u64,
}

/// What is expected next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// The first line and the header, of this many bytes if that is known.
    #[default]
    Begin,
    Packets,
    /// Unknown data or the table, starting at this byte; the next packet or file is searched for.
    Search(Why, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Damage,
    Table,
}

/// The next step of the decoder.
enum Step {
    /// Parse again.
    Again,
    /// At least this many bytes are needed.
    Hold(usize),
}

impl Aedat4 {
    /// The state at the start of a file.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// The content of a file that begins with `head`, if its header shows that it has no events.
    pub(super) fn without_events(head: &[u8]) -> Option<String> {
        let mut decoder = Self { held: head.to_vec(), ..Self::default() };
        decoder.step();
        decoder.header.without_events()
    }

    /// The bytes that are not parsed yet.
    fn rest(&self) -> &[u8] {
        self.held.get(self.start..).unwrap_or_default()
    }

    /// Marks `n` held bytes as parsed.
    fn pass(&mut self, n: usize) {
        self.start += n;
        self.position += n as u64;
    }

    /// Marks `n` held bytes as garbage, or as the table.
    fn skip(&mut self, n: usize, why: Why) {
        let counter = match why {
            Why::Damage => {
                self.damage.get_or_insert(self.position);
                &mut self.skipped.garbage
            }
            Why::Table => &mut self.skipped.other,
        };
        *counter = counter.saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
        self.pass(n);
    }

    /// Parses one element from the held bytes.
    fn step(&mut self) -> Step {
        match self.place {
            Place::Begin => self.begin(),
            Place::Packets => self.packet(),
            Place::Search(why, from) => self.search(why, from),
        }
    }

    /// Parses the first line and the header after it.
    fn begin(&mut self) -> Step {
        let Some((line, rest)) = self.rest().split_first_chunk::<LINE>() else { return Step::Hold(LINE + 4) };
        let Some((size, rest)) = rest.split_first_chunk() else { return Step::Hold(LINE + 4) };
        let size = u32::from_le_bytes(*size) as usize;
        if !is_first_line(line) || size > MOST_HEADER {
            return self.lose();
        }
        let Some(bytes) = rest.get(..size) else { return Step::Hold(LINE + 4 + size) };
        match Header::read(bytes) {
            Some(header) => self.header = header,
            None => return self.lose(),
        }
        self.pass(LINE + 4 + size);
        self.place = Place::Packets;
        Step::Again
    }

    /// The next bytes are unknown.
    fn lose(&mut self) -> Step {
        self.skip(1, Why::Damage);
        self.place = Place::Search(Why::Damage, self.position);
        Step::Again
    }

    /// Parses a packet, another file, or the table.
    fn packet(&mut self) -> Step {
        let rest = self.rest();
        let Some(head) = rest.first_chunk() else { return Step::Hold(TELLING) };
        let Some((stream, size)) = self.head(head) else {
            if is_first_line(head) {
                self.place = Place::Begin;
                return Step::Again;
            }
            // A table has no packet head: it is compressed, or its identifier follows its size and root offset.
            let bare = rest.get(8..12) == Some(b"FTAB");
            if bare || rest.first_chunk().is_some_and(|head| Compression::of(head, 0).is_some()) {
                self.place = Place::Search(Why::Table, self.position);
                return Step::Again;
            }
            return self.lose();
        };
        let payload = self.start + HEAD..self.start + HEAD + size;
        let Some(packed) = self.held.get(payload) else { return Step::Hold(HEAD + size) };
        match self.unpacker.unpack(packed) {
            Some(Content::Events(events)) if *self.header.events.get_or_insert(stream) == stream => {
                self.waiting = events;
                self.pass(HEAD + size);
            }
            Some(_) => {
                let counter = &mut self.skipped.other;
                *counter = counter.saturating_add((HEAD + size) as u32);
                self.pass(HEAD + size);
            }
            None => {
                self.vain += (size + self.unpacker.bytes().len()) as u64;
                if self.vain <= PATIENCE * self.position.saturating_add(MOST_PACKED as u64) {
                    return self.lose();
                }
                self.skip(HEAD + size, Why::Damage);
            }
        }
        Step::Again
    }

    /// Stream and size of the packet that begins here.
    fn head(&self, bytes: &[u8; TELLING]) -> Option<(i32, usize)> {
        let (head, payload) = bytes.split_first_chunk::<HEAD>()?;
        let [a, b, c, d, e, f, g, h] = *head;
        let (stream, size) = (i32::from_le_bytes([a, b, c, d]), i32::from_le_bytes([e, f, g, h]));
        let size = usize::try_from(size).ok().filter(|size| (TELLING - HEAD..=MOST_PACKED).contains(size))?;
        let streams = &self.header.streams;
        let known = if streams.is_empty() { (0..256).contains(&stream) } else { streams.contains(&stream) };
        (known && Compression::of(payload.first_chunk()?, size).is_some()).then_some((stream, size))
    }

    /// Searches for the next packet or file.
    fn search(&mut self, why: Why, from: u64) -> Step {
        let mut windows = self.rest().windows(TELLING).filter_map(<[u8]>::first_chunk);
        let places = windows.clone().count();
        if places == 0 {
            return Step::Hold(BLOCK);
        }
        let found = windows.position(|window| self.head(window).is_some() || is_first_line(window));
        self.skip(found.unwrap_or(places), why);
        if found.is_some() {
            self.place = Place::Packets;
            if why == Why::Table && !is_first_line(self.rest()) {
                // A packet follows: this was a packet too, with a lost head.
                let table = u32::try_from(self.position - from).unwrap_or(u32::MAX);
                self.skipped.other = self.skipped.other.saturating_sub(table);
                self.skipped.garbage = self.skipped.garbage.saturating_add(table);
                self.damage.get_or_insert(from);
            }
        }
        Step::Again
    }

    /// Moves bytes from the front of `bytes` until `n` are held; false if there are too few.
    fn hold(&mut self, n: usize, bytes: &mut &[u8]) -> bool {
        if self.start > 0 && (self.start == self.held.len() || self.start >= BLOCK.max(self.held.len() / 2)) {
            self.held.drain(..self.start);
            self.start = 0;
        }
        let missing = n.saturating_sub(self.rest().len());
        let (taken, rest) = bytes.split_at(missing.min(bytes.len()));
        self.held.extend_from_slice(taken);
        *bytes = rest;
        // A search continues with the bytes available.
        taken.len() == missing || (matches!(self.place, Place::Search(..)) && self.rest().len() >= TELLING)
    }

    /// Delivers waiting events, as many as there is room for.
    fn deliver(&mut self, events: &mut [Event]) -> usize {
        let (structs, _) = self.unpacker.bytes().get(self.waiting.clone()).unwrap_or_default().as_chunks::<EVENT>();
        let (mut last, mut backward) = (self.last.unwrap_or(0), 0);
        for (event, bytes) in events.iter_mut().zip(structs) {
            let [t0, t1, t2, t3, t4, t5, t6, t7, x0, x1, y0, y1, on, ..] = *bytes;
            event.t = u64::from_le_bytes([t0, t1, t2, t3, t4, t5, t6, t7]);
            (event.x, event.y) = (u16::from_le_bytes([x0, x1]), u16::from_le_bytes([y0, y1]));
            event.on = on != 0;
            backward += u32::from(event.t < last);
            last = event.t;
        }
        let written = events.len().min(structs.len());
        if written > 0 {
            self.last = Some(last);
            self.skipped.backward = self.skipped.backward.saturating_add(backward);
            self.waiting.start += written * EVENT;
        }
        written
    }
}

/// Whether a file begins here.
fn is_first_line(bytes: &[u8]) -> bool {
    bytes.strip_prefix(MAGIC).is_some_and(|rest| matches!(rest, [b'0'..=b'9', b'\r', b'\n', ..]))
}

impl Decode for Aedat4 {
    fn next_event(&mut self, bytes: &mut &[u8]) -> Option<Event> {
        let mut one = [Event { t: 0, x: 0, y: 0, on: false }];
        (self.fill(bytes, &mut one) == 1).then_some(one[0])
    }

    fn fill(&mut self, bytes: &mut &[u8], events: &mut [Event]) -> usize {
        let mut written = 0;
        while written < events.len() {
            if !self.waiting.is_empty() {
                written += self.deliver(events.get_mut(written..).unwrap_or_default());
            } else if let Step::Hold(n) = self.step()
                && !self.hold(n, bytes)
            {
                break;
            }
        }
        written
    }

    fn finish(&mut self) {
        let held = self.rest().len();
        if held > 0 {
            match self.place {
                Place::Search(why, _) => self.skip(held, why),
                Place::Begin | Place::Packets => {
                    self.damage.get_or_insert(self.position);
                    self.skipped.tail = self.skipped.tail.saturating_add(u32::try_from(held).unwrap_or(u32::MAX));
                    self.pass(held);
                }
            }
        }
        if self.place != Place::Begin {
            self.place = Place::Packets;
        }
    }

    fn skipped(&self) -> Skipped {
        self.skipped
    }

    fn time(&self) -> Option<u64> {
        self.last
    }

    fn geometry(&self) -> Option<Geometry> {
        self.header.geometry
    }
}

impl Decoder for Aedat4 {
    fn damage(&self) -> Option<u64> {
        self.damage
    }
}

/// Length of the first line and the header of a file that begins with `head`; none if they are longer than `head`.
pub(super) fn front(head: &[u8]) -> Option<usize> {
    let size = u32::from_le_bytes(*head.get(LINE..)?.first_chunk()?) as usize;
    let len = LINE + 4 + size;
    (len <= head.len() || size > MOST_HEADER).then_some(len.min(head.len()))
}

/// The positions of the event stream's packets, up to the first damaged head, and the length of the header.
pub(super) fn places(file: &mut (impl Read + Seek), head: &[u8]) -> std::io::Result<(Vec<u64>, usize)> {
    let mut places = Vec::new();
    let mut decoder = Aedat4::new();
    decoder.held = head.to_vec();
    decoder.step();
    if decoder.place != Place::Packets {
        return Ok((places, 0));
    }
    let start = decoder.position;
    let mut at = file.seek(SeekFrom::Start(start))?;
    loop {
        let mut bytes = [0; TELLING];
        match file.read_exact(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
            result => result?,
        }
        let Some((stream, size)) = decoder.head(&bytes) else { break };
        if decoder.header.events == Some(stream) {
            places.push(at);
        }
        at += (HEAD + size) as u64;
        file.seek(SeekFrom::Start(at))?;
    }
    Ok((places, start as usize))
}
