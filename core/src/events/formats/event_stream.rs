//! Event Stream `.es`, version 2, type 1: a header of 20 bytes, then 5 bytes per event and 1 byte per long silence.
//!
//! | byte | 0..12 | 12..15 | 15 | 16..18 | 18..20 |
//! |---|---|---|---|---|---|
//! | header | `Event Stream` | version, 2 first | type: 1 events of a DVS | columns | rows |
//!
//! | byte 0 | 1..3 | 3..5 | |
//! |---|---|---|---|
//! | microseconds since the last event, times 2, plus 1 if ON | x | row from the bottom | an event |
//! | `0xFF` | | | 127 us passed |
//! | `0xFE` | | | reset: nothing passed |
//!
//! Numbers are little-endian. Time is a sum that starts at 0. Rows are counted from the bottom:
//! `y = rows - 1 - stored`, as in faery, by the format's authors; their description does not say.
//!
//! **Refused** are another signature, version or type (0 generic, 2 ATIS, 3 display, 4 colour, which have other events)
//! and a sensor without pixels. Then nothing is decoded, all bytes are counted as [`Skipped::other`], and
//! [`EventStream::refused`] says why.
//!
//! **Damage** shows as a pixel outside the sensor. A single such event costs its 5 bytes, and its time counts. After 5
//! in a row all five alignments are watched as events and silences move them. An alignment is believed when 16 events
//! in a row lie inside, and no fewer than at any other alignment; or after five resets in a row, which no event
//! contains. The times of skipped bytes are not known, so all later times are early by their sum. A second recording
//! joined to the first is read on from its signature, and its time starts at 0.
//!
//! Cost: about 10 operations per event. State: 56 bytes; there is no line buffer.
//! Reference: `neuromorphic-paris/event_stream`, README.

use super::align::Phases;
use super::burst::{self, Burst};
use crate::events::decode::count;
use crate::events::{Decode, Event, Geometry, Skipped};
use core::ops::Range;

/// What a recording begins with.
pub(super) const SIGNATURE: [u8; 12] = *b"Event Stream";
/// Bytes of a header.
pub(super) const HEADER: usize = 20;
/// The version and type that are read.
pub(super) const VERSION: u8 = 2;
pub(super) const DVS: u8 = 1;
/// Byte 0 of items that are not events.
pub(super) const SILENCE: u8 = 0xFF;
const RESET: u8 = 0xFE;
/// Microseconds of a silence.
pub(super) const SILENT: u64 = 127;
/// Bytes of an event.
const EVENT: usize = 5;
/// Events outside the sensor, after a first one, before the alignment is lost.
const DOUBT: u8 = 4;

/// Why a stream is not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// It does not begin with `Event Stream`.
    Signature,
    /// Its major version is not 2.
    Version(u8),
    /// Its type is not 1.
    Type(u8),
    /// Its sensor has no columns or no rows.
    Empty,
}

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Signature => write!(f, "it does not begin with \"Event Stream\""),
            Self::Version(version) => write!(f, "version {version} of Event Stream; expected version {VERSION}"),
            Self::Type(kind) => {
                let name = match kind {
                    0 => "generic events",
                    2 => "events of an ATIS",
                    3 => "events for a display",
                    4 => "events in colour",
                    _ => "unknown",
                };
                write!(f, "an Event Stream of type {kind} ({name}); expected type {DVS} (events of a DVS)")
            }
            Self::Empty => write!(f, "an Event Stream of a sensor without pixels; expected 1 column and row or more"),
        }
    }
}

impl core::error::Error for Refused {}

/// Where in the stream the next byte lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the header, after so many of its bytes.
    Header(u8),
    /// In an event, after so many of its bytes.
    Event(u8),
    /// The same after events outside the sensor: so many of the last bytes might begin a header, and after so many more
    /// such events the alignment is lost.
    Doubt(u8, u8, u8),
    /// Unknown, except for how many of the last bytes might begin a header.
    Lost(u8, Phases<EVENT>),
    /// After a header that was refused.
    Refused(Refused),
}

/// Streaming decoder of `.es`; see the [format](self).
///
/// ```
/// use foveola_core::events::{Decode, Event, EventStream, Geometry};
/// let mut decoder = EventStream::new();
/// let header = [&b"Event Stream"[..], &[2, 0, 0], &[1], &[64, 1, 240, 0]].concat();
/// let recording = [&header[..], &[0xFF, 3 << 1 | 1, 5, 0, 233, 0]].concat();
/// let events: Vec<_> = decoder.events(&recording).collect();
/// assert_eq!(events, [Event { t: 127 + 3, x: 5, y: 6, on: true }]);
/// assert_eq!(decoder.geometry(), Some(Geometry { cols: 320, rows: 240 }));
/// ```
#[derive(Clone, Debug)]
pub struct EventStream {
    place: Place,
    /// The last bytes, newest last.
    window: [u8; EVENT],
    cols: u16,
    rows: u16,
    t: u64,
    skipped: Skipped,
}

impl Default for EventStream {
    fn default() -> Self {
        Self::new()
    }
}

impl EventStream {
    /// At the start of a recording.
    pub const fn new() -> Self {
        Self { place: Place::Header(0), window: [0; EVENT], cols: 0, rows: 0, t: 0, skipped: Skipped::NOTHING }
    }

    /// Why nothing is decoded, once the header was read and refused.
    ///
    /// ```
    /// use foveola_core::events::{Decode, EventStream};
    /// let mut decoder = EventStream::new();
    /// decoder.feed(b"Event Stream\x02\x00\x00\x02", |_| ());
    /// let refused = decoder.refused().unwrap().to_string();
    /// assert_eq!(refused, "an Event Stream of type 2 (events of an ATIS); expected type 1 (events of a DVS)");
    /// ```
    pub const fn refused(&self) -> Option<Refused> {
        match self.place {
            Place::Refused(why) => Some(why),
            _ => None,
        }
    }

    /// Column and row of these bytes, inside the sensor.
    #[inline]
    const fn place(&self, [a, b, c, d]: [u8; 4]) -> Option<(u16, u16)> {
        let (x, stored) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        match self.rows.checked_sub(stored) {
            Some(above @ 1..) if x < self.cols => Some((x, above - 1)),
            _ => None,
        }
    }

    /// The event in the window, if it is one.
    fn event(&self) -> Option<Event> {
        let [first, place @ ..] = self.window;
        let (x, y) = self.place(place)?;
        let t = self.t.saturating_add(u64::from(first >> 1));
        if first < RESET { Some(Event { t, x, y, on: first & 1 == 1 }) } else { None }
    }

    /// Byte `at` of the header.
    fn header(&mut self, at: u8, byte: u8) {
        let refused = match at {
            0..12 if SIGNATURE.get(usize::from(at)) != Some(&byte) => Some(Refused::Signature),
            12 if byte != VERSION => Some(Refused::Version(byte)),
            15 if byte != DVS => Some(Refused::Type(byte)),
            19 => {
                let [.., a, b, c, d] = self.window;
                (self.cols, self.rows) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
                if self.cols == 0 || self.rows == 0 { Some(Refused::Empty) } else { None }
            }
            _ => None,
        };
        self.place = match refused {
            Some(why) => {
                count(&mut self.skipped.other, usize::from(at) + 1);
                Place::Refused(why)
            }
            None if usize::from(at) + 1 == HEADER => {
                self.restart();
                Place::Event(0)
            }
            None => Place::Header(at + 1),
        };
    }

    /// The time of another recording begins.
    fn restart(&mut self) {
        if self.t > 0 {
            count(&mut self.skipped.backward, 1);
        }
        self.t = 0;
    }

    /// A byte while the alignment is lost.
    fn search(&mut self, matched: u8, mut phases: Phases<EVENT>, byte: u8) -> Option<Event> {
        count(&mut self.skipped.garbage, 1);
        let matched = matches(matched, byte);
        let event = self.event();
        let is_sure = phases.step(matches!(byte, SILENCE | RESET), event.is_some());
        if usize::from(matched) == SIGNATURE.len() {
            self.recover(SIGNATURE.len());
            self.place = Place::Header(matched);
        } else if self.window == [RESET; EVENT] {
            self.place = Place::Event(0);
        } else if is_sure && let Some(Event { t, .. }) = event {
            self.recover(EVENT);
            (self.place, self.t) = (Place::Event(0), t);
            return event;
        } else {
            self.place = Place::Lost(matched, phases);
        }
        None
    }

    /// A byte after an event outside the sensor, where it belongs if no byte was lost.
    fn doubted(&mut self, at: u8, matched: u8, left: u8, byte: u8) -> Option<Event> {
        count(&mut self.skipped.garbage, 1);
        let matched = matches(matched, byte);
        if usize::from(matched) == SIGNATURE.len() {
            self.recover(SIGNATURE.len());
            self.place = Place::Header(matched);
        } else if at == 0 && matches!(byte, SILENCE | RESET) {
            self.recover(1);
            self.t = self.t.saturating_add(if byte == SILENCE { SILENT } else { 0 });
        } else if usize::from(at) + 1 < EVENT {
            self.place = Place::Doubt(at + 1, matched, left);
        } else if let Some(event) = self.event() {
            self.recover(EVENT);
            (self.place, self.t) = (Place::Event(0), event.t);
            return Some(event);
        } else if left > 1 {
            self.pass();
            self.place = Place::Doubt(0, matched, left - 1);
        } else {
            self.place = Place::Lost(matched, Phases::new());
        }
        None
    }

    /// Advances time by that of the event in the window, which lies outside.
    fn pass(&mut self) {
        let [first, ..] = self.window;
        self.t = self.t.saturating_add(u64::from(first >> 1));
    }

    /// The last bytes were counted as garbage, but are valid.
    fn recover(&mut self, bytes: usize) {
        self.skipped.garbage = self.skipped.garbage.saturating_sub(bytes as u32);
    }

    fn byte(&mut self, byte: u8) -> Option<Event> {
        self.window.rotate_left(1);
        let [.., last] = &mut self.window;
        *last = byte;
        match self.place {
            Place::Header(at) => self.header(at, byte),
            Place::Refused(_) => count(&mut self.skipped.other, 1),
            Place::Event(0) if byte == SILENCE => self.t = self.t.saturating_add(SILENT),
            Place::Event(0) if byte == RESET => {}
            Place::Event(at) if usize::from(at) + 1 < EVENT => self.place = Place::Event(at + 1),
            Place::Event(_) => {
                let event = self.event();
                if let Some(event) = event {
                    (self.place, self.t) = (Place::Event(0), event.t);
                    return Some(event);
                }
                count(&mut self.skipped.garbage, EVENT);
                self.pass();
                // Any of these bytes may begin another recording.
                let matched = self.window.into_iter().fold(0, matches);
                self.place = Place::Doubt(0, matched, DOUBT);
            }
            Place::Doubt(at, matched, left) => return self.doubted(at, matched, left, byte),
            Place::Lost(matched, phases) => return self.search(matched, phases, byte),
        }
        None
    }
}

impl Burst for EventStream {
    #[inline]
    fn burst(&mut self, bytes: &mut &[u8], times: Range<u64>, room: usize, mut sink: impl FnMut(Event, bool)) -> usize {
        if self.place != Place::Event(0) {
            return 0;
        }
        let (mut t, len) = (self.t, times.end.saturating_sub(times.start));
        let (mut left, mut events) = (*bytes, 0);
        while events < room
            && let Some((&[first, a, b, c, d], rest)) = left.split_first_chunk()
            && first < RESET
            && let Some((x, y)) = self.place([a, b, c, d])
            && let now = t.saturating_add(u64::from(first >> 1))
            && now.wrapping_sub(times.start) < len
        {
            t = now;
            sink(Event { t, x, y, on: first & 1 == 1 }, true);
            events += 1;
            left = rest;
        }
        *bytes = left;
        self.t = t;
        events
    }
}

impl Decode for EventStream {
    #[inline(never)]
    fn next_event(&mut self, bytes: &mut &[u8]) -> Option<Event> {
        loop {
            let (byte, rest) = bytes.split_first()?;
            *bytes = rest;
            if let event @ Some(_) = self.byte(*byte) {
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
        let (Place::Header(held) | Place::Event(held) | Place::Doubt(held, ..)) = self.place else { return };
        if matches!(self.place, Place::Doubt(..)) {
            self.recover(held.into());
        }
        count(&mut self.skipped.tail, held.into());
        self.place = match self.place {
            Place::Header(_) => Place::Header(0),
            _ => Place::Event(0),
        };
    }

    fn skipped(&self) -> Skipped {
        self.skipped
    }

    fn time(&self) -> Option<u64> {
        self.geometry().map(|_| self.t)
    }

    fn geometry(&self) -> Option<Geometry> {
        if self.cols == 0 || self.rows == 0 || self.refused().is_some() {
            return None;
        }
        Some(Geometry { cols: self.cols.into(), rows: self.rows.into() })
    }
}

/// How many of the last bytes begin a signature, when `matched` did and `byte` follows.
fn matches(matched: u8, byte: u8) -> u8 {
    match SIGNATURE.get(usize::from(matched)) {
        Some(expected) if *expected == byte => matched + 1,
        _ => u8::from(SIGNATURE.first() == Some(&byte)), // its first letter occurs only there
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::{string::ToString, vec::Vec};

    /// 320 x 240 pixels.
    const FRONT: [u8; HEADER] = *b"Event Stream\x02\0\0\x01\x40\x01\xF0\0";

    fn decode(bytes: &[u8]) -> (Vec<Event>, EventStream) {
        let mut decoder = EventStream::new();
        let events = decoder.events(bytes).collect();
        decoder.finish();
        (events, decoder)
    }

    #[test]
    fn bytes_are_where_the_table_says() {
        let recording = [
            &FRONT[..],
            &[0xFD, 0x3F, 0x01, 0xEF, 0x00],       // 126 us, ON
            &[0xFF, 0xFF, 0xFE, 0x00, 0, 0, 0, 0], // 254 us, OFF
            &[0x03, 1],
        ];
        let (events, decoder) = decode(&recording.concat());
        assert_eq!(events, [Event { t: 126, x: 319, y: 0, on: true }, Event { t: 380, x: 0, y: 239, on: false }]);
        assert_eq!(decoder.skipped(), Skipped { tail: 2, ..Skipped::default() });
        assert_eq!((decoder.time(), decoder.geometry()), (Some(380), Some(Geometry { cols: 320, rows: 240 })));
    }

    /// An end while the decoder is in doubt: each byte is counted once.
    #[test]
    fn the_tail_behind_garbage_is_counted_once() {
        for tail in 0..5 {
            let bytes = [&FRONT[..], &[3, 0xFF, 0xFF, 0xFF, 0xFF], &[5, 1, 0, 1][..tail]].concat();
            let (events, decoder) = decode(&bytes);
            let expected = Skipped { garbage: 5, tail: tail as u32, ..Skipped::default() };
            assert_eq!((events.len(), decoder.skipped()), (0, expected), "{tail} bytes of the next event");
        }
    }

    #[test]
    fn what_is_not_read_says_why() {
        let header = |at: usize, byte: u8| {
            let mut header = FRONT;
            header[at] = byte;
            header
        };
        let mut empty = FRONT;
        empty[16..18].fill(0);
        let cases = [
            (header(3, b'E'), Refused::Signature),
            (header(12, 1), Refused::Version(1)),
            (header(15, 2), Refused::Type(2)),
            (empty, Refused::Empty),
        ];
        for (header, why) in cases {
            let (events, decoder) = decode(&[&header[..], &[0; 10]].concat());
            assert_eq!((events.len(), decoder.refused(), decoder.geometry()), (0, Some(why), None));
            assert_eq!(decoder.skipped(), Skipped { other: 30, ..Skipped::default() }, "{why}");
            assert!(why.to_string().contains("Event Stream"), "{why}");
        }
    }

    #[test]
    fn joined_recordings_are_read_on() {
        let recording = [&FRONT[..], &[2, 5, 0, 6, 0, 4, 7, 0, 8, 0]].concat();
        let (events, decoder) = decode(&recording.repeat(3));
        assert_eq!(events.iter().map(|event| event.t).collect::<Vec<_>>(), [1, 3, 1, 3, 1, 3]);
        assert_eq!(decoder.skipped(), Skipped { backward: 2, ..Skipped::default() });
        // The first one is cut in its last event.
        let (events, decoder) = decode(&[&recording[..recording.len() - 2], &recording].concat());
        assert_eq!((events.len(), decoder.skipped().garbage), (3, 3));
    }

    #[test]
    fn five_resets_find_the_place() {
        let event = [2, 5, 0, 6, 0];
        let (events, decoder) = decode(&[&FRONT[..], &event, &event[..3], &[RESET; 6], &event, &event].concat());
        assert_eq!(events.len(), 3);
        assert_eq!(decoder.skipped().bytes(), 3 + 2, "two of them were taken for the rest of the event");
    }

    /// An event outside the sensor costs 5 bytes, and its time counts.
    #[test]
    fn an_event_outside_costs_itself() {
        let event = |i: u16, x: u16| {
            let [a, b] = x.to_le_bytes();
            [(i % 3 * 2) as u8, a, b, i as u8 % 240, 0]
        };
        for (first, n) in [(0, 1), (20, 1), (20, 2), (20, 4), (48, 2)] {
            let is_outside = |i: u16| (first..first + n).contains(&i);
            let words: Vec<u8> =
                (0..50).flat_map(|i| event(i, if is_outside(i) { 320 + 1000 * i } else { i })).collect();
            let (events, decoder) = decode(&[&FRONT[..], &words].concat());
            let whole: Vec<u8> = (0..50).flat_map(|i| event(i, i)).collect();
            let expected: Vec<Event> = decode(&[&FRONT[..], &whole].concat()).0;
            let expected: Vec<Event> =
                expected.into_iter().zip(0..).filter(|(_, i)| !is_outside(*i)).map(|(event, _)| event).collect();
            assert_eq!(events, expected, "{n} from {first} on");
            let garbage = 5 * u32::from(n);
            assert_eq!(decoder.skipped(), Skipped { garbage, ..Skipped::default() }, "{n} from {first} on");
        }
    }
}
