//! AEDAT 3.1 of cAER: lines `#text` up to `#!END-HEADER`, then packets of typed events, all little-endian.
//!
//! | bytes of a packet | 0..2 | 2..4 | 4..8 | 8..12 | 12..16 | 16..20 | 20..24 | 24..28 | then |
//! |---|---|---|---|---|---|---|---|---|---|
//! | | type | source | bytes per event | where its time lies | overflows | room | events | valid events | the events |
//!
//! | an event of type 1 | bits 31..17 | 16..2 | 1 | 0 | bytes 4..8 |
//! |---|---|---|---|---|---|
//! | | x | y | 1 ON, 0 OFF | 1 valid | t in microseconds |
//!
//! Packets of other types (0 special, 2 frames, 3 inertial ...) are skipped. They and events that are not valid are
//! counted as [`Skipped::other`]. The events of all sources are one stream. The origin is at the upper left. The
//! geometry is that of the camera named by the first line `#Source`.
//!
//! **Time** `t = overflows << 31 | t`: the format gives every wrap.
//!
//! **Resets**: noise looks like a packet's header less than once in 2^80 bytes, so the first event of a packet may have
//! any time: the clock restarted. More than 67 s ahead the next event of the packet must confirm it, if there is one.
//! Two events in a row inside a packet that are 1 s or more before the last one, the second within 1.05 s of the first,
//! are a reset, too.
//!
//! **Damage** shows as an impossible packet header, as a negative time, or as a time inside a packet that is 1 s or
//! more before the last one, or more than 67 s after it, and that is not a reset. A single such event costs its 8
//! bytes. After a second one in a row, one among the 16 events after a reset, more than 3 among some 16, or a damaged
//! header, everything is skipped up to the next bytes that are the header of a packet of type 1 in all of its fields.
//! So the packet with the damage is lost from there on, and the next one is read. After bytes lost inside a packet, the
//! following bytes are decoded as events until their times show the damage or the packet ends. After damage, and after
//! a line, an event may have any time, so joined recordings are read on.
//!
//! Cost: about 10 operations per event. State: 80 bytes, and the header's.
//! Reference: iniVation, "AEDAT 3.1".

use super::align::Trouble;
use super::burst::{self, Burst};
use super::clock::Clock;
use super::stamped::{FAR_BACK, NEAR};
use crate::events::decode::count;
use crate::events::{Decode, Event, Geometry, Header, Line, Skipped};
use core::ops::Range;

/// Bytes of a packet's header.
const PACKET: usize = 28;
/// Bytes of an event of type 1.
const EVENT: usize = 8;
/// The type of events of pixels.
const POLARITY: i16 = 1;
/// More types than the format has; a header at a wrong place usually has a larger one.
const TYPES: i16 = 16;
/// Microseconds between two events in a row that show a reset of the clock.
const STEP: u64 = 1 << 20;

/// Where in the stream the next byte lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before a line or a packet.
    Start,
    /// In a line.
    Line,
    /// In a packet's header.
    Packet,
    /// Among the events of a packet of type 1.
    Events,
    /// The same after an implausible event: [`Aedat31::held_back`].
    Doubt,
    /// The same after an event that is still to be decoded, held in the same place.
    Again,
    /// In the events of another packet.
    Others,
    /// Unknown.
    Lost,
}

/// A packet's header.
struct Packet {
    kind: i16,
    size: i32,
    time_at: i32,
    overflows: i32,
    room: i32,
    events: i32,
    valid: i32,
}

impl Packet {
    fn of(bytes: &[u8; PACKET]) -> Option<Self> {
        let ([a, b, _, _], fields) = bytes.split_first_chunk()?;
        let [size, time_at, overflows, room, events, valid] = *fields.as_chunks().0 else { return None };
        let [size, time_at, overflows, room, events, valid] =
            [size, time_at, overflows, room, events, valid].map(i32::from_le_bytes);
        Some(Self { kind: i16::from_le_bytes([*a, *b]), size, time_at, overflows, room, events, valid })
    }

    fn is_possible(&self) -> bool {
        let Self { kind, size, time_at, overflows, room, events, valid } = *self;
        let counts = 0 <= valid && valid <= events && events <= room && overflows >= 0;
        let is_pixels = size == EVENT as i32 && time_at == 4;
        let is_other = (0..TYPES).contains(&kind) && (0..size).contains(&time_at);
        let shape = if kind == POLARITY { is_pixels } else { is_other };
        counts && shape && self.bytes().is_some()
    }

    /// Bytes of its events.
    fn bytes(&self) -> Option<u32> {
        self.size.checked_mul(self.events)?.try_into().ok()
    }
}

/// Streaming decoder of AEDAT 3.1; see the [format](self).
///
/// ```
/// use foveola_core::events::{Aedat31, Decode, Event, Geometry};
/// let mut decoder = Aedat31::new();
/// let text = b"#!AER-DAT3.1\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n";
/// let packet = [1 | 1 << 16, 8, 4, 0, 1, 1, 1].map(i32::to_le_bytes);
/// let event = [1 | 1 << 1 | 6 << 2 | 5 << 17, 100].map(i32::to_le_bytes);
/// let recording = [text, packet.as_flattened(), event.as_flattened()].concat();
/// let events: Vec<_> = decoder.events(&recording).collect();
/// assert_eq!(events, [Event { t: 100, x: 5, y: 6, on: true }]);
/// assert_eq!(decoder.geometry(), Some(Geometry { cols: 128, rows: 128 }));
/// ```
#[derive(Clone, Debug)]
pub struct Aedat31 {
    /// The packet's header, of which a partial event uses the first bytes, and an event that is held back the last
    /// ones; or the last bytes of the stream, newest last.
    window: [u8; PACKET],
    held: u8,
    place: Place,
    /// Bytes of the packet's events that are still to come.
    remaining: u32,
    t: Clock,
    /// Whether the next event is the first of a packet, and may have any time.
    fresh: bool,
    trouble: Trouble,
    skipped: Skipped,
    header: Header,
}

impl Default for Aedat31 {
    fn default() -> Self {
        Self::new()
    }
}

impl Aedat31 {
    /// At the start of a recording.
    pub const fn new() -> Self {
        Self {
            window: [0; PACKET],
            held: 0,
            place: Place::Start,
            remaining: 0,
            t: Clock::NEVER,
            fresh: true,
            trouble: Trouble::NONE,
            skipped: Skipped::NOTHING,
            header: Header::new(),
        }
    }

    /// The header read so far.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The overflows of the time, in microseconds.
    fn overflowed(&self) -> u64 {
        let [.., a, b, c, d, _, _, _, _, _, _, _, _, _, _, _, _] = self.window;
        u64::from(u32::from_le_bytes([a, b, c, d])) << 31
    }

    /// `bytes` bytes did not fit the format.
    fn lose(&mut self, bytes: usize) {
        count(&mut self.skipped.garbage, bytes);
        (self.window, self.held, self.place) = ([0; PACKET], 0, Place::Lost);
    }

    /// The window holds a packet's header.
    fn packet(&mut self) {
        self.held = 0;
        match Packet::of(&self.window) {
            Some(packet) if packet.is_possible() => {
                self.remaining = packet.bytes().unwrap_or(0);
                self.place = if self.remaining == 0 { Place::Start } else { Place::Others };
                if packet.kind != POLARITY {
                    count(&mut self.skipped.other, PACKET);
                } else if self.remaining > 0 {
                    (self.place, self.fresh) = (Place::Events, true);
                }
            }
            _ => self.lose(PACKET),
        }
    }

    /// `bytes` bytes of the packet's events were taken.
    fn take(&mut self, bytes: usize) {
        self.remaining = self.remaining.saturating_sub(bytes as u32);
        if self.remaining == 0 {
            self.place = Place::Start;
        }
    }

    /// An event of a packet of type 1.
    fn event(&mut self, word: [u8; EVENT]) -> Option<Event> {
        let was_in_doubt = self.place == Place::Doubt;
        self.place = Place::Events;
        self.take(EVENT);
        let (data, t) = self.split(word);
        if data & 1 == 0 {
            count(&mut self.skipped.other, EVENT);
            return None;
        }
        let since = self.t.get().zip(t);
        let is_back = since.is_some_and(|(last, t)| last.saturating_sub(t) >= FAR_BACK);
        let is_ahead = since.is_some_and(|(last, t)| t.saturating_sub(last) > NEAR);
        // The next one can confirm a jump.
        let is_free = self.fresh && !(is_ahead && self.remaining > 0);
        self.fresh &= t.is_none();
        match t {
            Some(t) if !(is_back || is_ahead) || is_free => {
                self.trouble.less(1);
                Some(self.deliver(data, t))
            }
            _ if was_in_doubt => self.doubted(word, t),
            _ if self.trouble.add() => {
                self.lose(EVENT);
                None
            }
            _ => {
                count(&mut self.skipped.garbage, EVENT);
                self.hold_back(word);
                if self.remaining > 0 {
                    self.place = Place::Doubt;
                }
                None
            }
        }
    }

    /// An implausible event after another one: both are a reset, or damage.
    fn doubted(&mut self, word: [u8; EVENT], t: Option<u64>) -> Option<Event> {
        let before = self.held_back();
        if let ((data, Some(first)), Some(t)) = (self.split(before), t)
            && let is_ahead = self.t.get() < Some(first)
            && t.checked_sub(first).is_some_and(|step| step < if is_ahead { NEAR } else { STEP })
        {
            self.skipped.garbage = self.skipped.garbage.saturating_sub(EVENT as u32);
            self.hold_back(word);
            self.place = Place::Again;
            self.trouble.fill();
            return Some(self.deliver(data, first));
        }
        self.lose(EVENT);
        None
    }

    /// The event held back is decoded.
    fn again(&mut self) -> Option<Event> {
        self.place = if self.remaining > 0 { Place::Events } else { Place::Start };
        let (data, t) = self.split(self.held_back());
        Some(self.deliver(data, t?))
    }

    /// The data and the time of an event; `None` for a time below 0.
    fn split(&self, word: [u8; EVENT]) -> (u32, Option<u64>) {
        let [a, b, c, d, e, f, g, h] = word;
        let (data, told) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        (data, (told >> 31 == 0).then(|| self.overflowed() | u64::from(told)))
    }

    fn deliver(&mut self, data: u32, t: u64) -> Event {
        self.fresh = false;
        if self.t.set(t) {
            count(&mut self.skipped.backward, 1);
        }
        pixel(data, t)
    }

    /// The event held back.
    const fn held_back(&self) -> [u8; EVENT] {
        let [.., a, b, c, d, e, f, g, h] = self.window;
        [a, b, c, d, e, f, g, h]
    }

    /// Holds an event back, after the overflows in the window.
    const fn hold_back(&mut self, word: [u8; EVENT]) {
        if let Some(bytes) = self.window.last_chunk_mut() {
            *bytes = word;
        }
    }

    fn hold(&mut self, byte: u8) {
        if let Some(place) = self.window.get_mut(usize::from(self.held)) {
            *place = byte;
        }
        self.held += 1; // 28 at most
    }

    fn byte(&mut self, byte: u8) -> Option<Event> {
        match self.place {
            Place::Start if byte == b'#' => {
                self.place = Place::Line;
                self.header.push(byte); // printable: the line stays open
            }
            Place::Start => {
                self.place = Place::Packet;
                self.hold(byte);
            }
            Place::Line => {
                let line = self.header.begun().saturating_add(1);
                match self.header.push(byte) {
                    Line::Open => {}
                    Line::Complete => self.place = Place::Start,
                    Line::Damaged => {
                        self.header.discard();
                        self.lose(line);
                    }
                }
            }
            Place::Packet => {
                self.hold(byte);
                if usize::from(self.held) == PACKET {
                    self.packet();
                }
            }
            Place::Events | Place::Doubt => {
                self.hold(byte);
                if usize::from(self.held) == EVENT {
                    self.held = 0;
                    let word = *self.window.first_chunk()?;
                    return self.event(word);
                }
            }
            Place::Again => {} // `next_event` decodes that event first
            Place::Others => {
                count(&mut self.skipped.other, 1);
                self.take(1);
            }
            Place::Lost => {
                self.window.rotate_left(1);
                let [.., last] = &mut self.window;
                *last = byte;
                count(&mut self.skipped.garbage, 1);
                if Packet::of(&self.window)
                    .is_some_and(|packet| packet.kind == POLARITY && packet.events > 0 && packet.is_possible())
                {
                    // They were counted as garbage.
                    self.skipped.garbage = self.skipped.garbage.saturating_sub(PACKET as u32);
                    self.packet();
                }
            }
        }
        None
    }
}

/// The event of a pixel.
#[inline]
fn pixel(data: u32, t: u64) -> Event {
    Event { t, x: (data >> 17) as u16, y: (data >> 2 & 0x7FFF) as u16, on: data >> 1 & 1 == 1 }
}

impl Burst for Aedat31 {
    #[inline]
    fn burst(&mut self, bytes: &mut &[u8], times: Range<u64>, room: usize, mut sink: impl FnMut(Event, bool)) -> usize {
        let (Place::Events, 0, false, Some(mut t)) = (self.place, self.held, self.fresh, self.t.get()) else {
            return 0;
        };
        let (before, len) = (self.overflowed(), times.end.saturating_sub(times.start));
        let room = room.min(self.remaining as usize / EVENT);
        let (mut left, mut events) = (*bytes, 0);
        while events < room
            && let Some((&[a, b, c, d, e, f, g, h], rest)) = left.split_first_chunk()
            && let (data, told) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
            && let now = before | u64::from(told)
            && data & 1 == 1
            && told >> 31 == 0
            && now.wrapping_sub(t) <= NEAR
            && now.wrapping_sub(times.start) < len
        {
            t = now;
            sink(pixel(data, t), true);
            events += 1;
            left = rest;
        }
        *bytes = left;
        self.t.set(t);
        if events > 0 {
            self.take(events * EVENT);
            self.trouble.less(events);
        }
        events
    }
}

impl Decode for Aedat31 {
    #[inline(never)]
    fn next_event(&mut self, bytes: &mut &[u8]) -> Option<Event> {
        loop {
            let event = match bytes.split_first_chunk() {
                _ if self.place == Place::Again => self.again(),
                Some((word, rest)) if matches!(self.place, Place::Events | Place::Doubt) && self.held == 0 => {
                    *bytes = rest;
                    self.event(*word)
                }
                _ => {
                    let (byte, rest) = bytes.split_first()?;
                    *bytes = rest;
                    self.byte(*byte)
                }
            };
            if event.is_some() {
                return event;
            }
        }
    }

    fn fill(&mut self, bytes: &mut &[u8], events: &mut [Event]) -> usize {
        burst::fill(self, bytes, events)
    }

    fn feed(&mut self, bytes: &[u8], sink: impl FnMut(Event)) {
        burst::feed(self, bytes, sink);
    }

    fn run(&mut self, bytes: &mut &[u8], times: Range<u64>, sink: impl FnMut(u16, u16, bool)) -> usize {
        burst::run(self, bytes, times, sink)
    }

    fn finish(&mut self) {
        count(&mut self.skipped.tail, usize::from(self.held));
        count(&mut self.skipped.tail, self.header.discard());
        self.held = 0;
        if self.place != Place::Lost {
            self.place = Place::Start;
        }
    }

    fn front(bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while *bytes.get(at)? == b'#' {
            at += bytes.get(at..)?.iter().position(|byte| *byte == b'\n')? + 1;
        }
        Some(at)
    }

    fn holds_back(&self) -> bool {
        self.place == Place::Doubt
    }

    fn skipped(&self) -> Skipped {
        self.skipped
    }

    fn time(&self) -> Option<u64> {
        self.t.get()
    }

    fn geometry(&self) -> Option<Geometry> {
        self.header.geometry()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    fn decode(bytes: &[u8]) -> (Vec<Event>, Skipped) {
        let mut decoder = Aedat31::new();
        let events = decoder.events(bytes).collect();
        decoder.finish();
        (events, decoder.skipped())
    }

    fn header(kind: i32, size: i32, time_at: i32, overflows: i32, n: i32) -> Vec<u8> {
        [kind, size, time_at, overflows, n, n, n].map(i32::to_le_bytes).concat()
    }

    /// A packet of events, 10 us apart.
    fn packet(start: i32, n: i32) -> Vec<u8> {
        let event = |i: i32| [1 | 1 << 1 | (i % 100) << 2 | (i % 200) << 17, start + 10 * i].map(i32::to_le_bytes);
        [header(1, 8, 4, 0, n), (0..n).flat_map(event).flatten().collect()].concat()
    }

    #[test]
    fn bits_are_where_the_table_says() {
        let packet = [
            &[1, 0, 7, 0, 8, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0][..],
            &[0x0B, 0, 0x0A, 0, 0x10, 0, 0, 0], // valid, ON, y = 2, x = 5, t = 16
            &[0x0A, 0, 0x0A, 0, 0x11, 0, 0, 0], // not valid
            &[0xFD, 0xFF, 0xFF, 0xFF, 0x12, 0, 0, 0],
        ];
        let (events, skipped) = decode(&packet.concat());
        let at = |t| (2_u64 << 31) + t;
        let last = Event { t: at(18), x: 0x7FFF, y: 0x7FFF, on: false };
        assert_eq!(events, [Event { t: at(16), x: 5, y: 2, on: true }, last]);
        assert_eq!(skipped, Skipped { other: 8, ..Skipped::default() });
    }

    /// `0 <= valid <= events <= room`: a header with other counts is invalid.
    #[test]
    fn a_header_has_possible_counts() {
        for (room, events, valid, possible) in [(2, 2, 2, true), (3, 2, 0, true), (2, 3, 2, false), (3, 2, 3, false)] {
            let head = [1, 8, 4, 0, room, events, valid].map(i32::to_le_bytes).concat();
            let found = Packet::of(head.first_chunk().unwrap()).is_some_and(|packet| packet.is_possible());
            assert_eq!(found, possible, "room {room}, events {events}, valid {valid}");
        }
        assert!(!Packet::of(&[0xFF; PACKET]).unwrap().is_possible(), "negative");
    }

    #[test]
    fn other_packets_are_read_over() {
        let text = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DAVIS346\r\n#!END-HEADER\r\n";
        let frame = [header(2, 50, 8, 0, 2), [0xFF; 100].into()].concat();
        let empty = header(3, 36, 4, 0, 0);
        let recording = [text, &frame[..], &packet(5, 3), &empty, &packet(100, 2)].concat();
        let (events, skipped) = decode(&recording);
        assert_eq!((events.len(), skipped), (5, Skipped { other: 128 + 28, ..Skipped::default() }));
        let (events, skipped) = decode(&recording.repeat(2));
        assert_eq!((events.len(), skipped.garbage, skipped.backward), (10, 0, 1), "joined recordings");
        let (events, skipped) = decode(&recording[..recording.len() - 20]);
        assert_eq!((events.len(), skipped.tail), (3, 24), "a packet's header that is cut");
    }

    #[test]
    fn damage_costs_a_packet() {
        let packets: Vec<u8> = (0..20).flat_map(|i| packet(1000 * i, 50)).collect();
        let (whole, _) = decode(&packets);
        let length = packets.len() / 20;
        for (name, at, lost) in
            [("event", 5 * length + 100, 3), ("header", 5 * length + 2, 1), ("all of one", 5 * length, length)]
        {
            let mut damaged = packets.clone();
            damaged.drain(at..at + lost);
            let (events, skipped) = decode(&damaged);
            let kept = whole.len() - events.iter().filter(|event| whole.contains(event)).count();
            assert!(events.starts_with(&whole[..250]) && events.ends_with(&whole[350..]), "{name}");
            assert!(kept <= 100 && skipped.bytes() as usize <= 2 * length, "{name}: {kept} lost, {skipped:?}");
        }
    }
}
