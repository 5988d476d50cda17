//! Prophesee EVT 2.0: a text [`Header`], then little-endian words of 32 bits.
//!
//! | bits 31..28 | 27..22 | 21..11 | 10..0 |
//! |---|---|---|---|
//! | `0x0` OFF, `0x1` ON | low 6 bits of t | x | y |
//! | `0x8` time high | bits 33..6 of t | | |
//! | `0xA` trigger, `0xE` others, `0xF` continued | skipped, counted as [`Skipped::other`] | | |
//! | others | impossible | | |
//!
//! **Time** `t = high << 6 | low`, in microseconds, wraps every 2^34 us (4.8 h). A time high within 8.4 s of the one
//! before, modulo 2^34 us, continues it over the wrap, so `t` keeps growing. A larger step is taken as it is: forwards
//! it is a gap; backwards (a sensor restarted, files joined) it is counted as [`Skipped::backward`]. Events are never
//! dropped or reordered because of their time.
//!
//! **A step of more than 1.05 s** ([`Evt2::largest_step`]) is believed only when the next time high is as close to it:
//! one flipped bit must not move the clock by hours. Until then events have the time before. Sensors send a time high
//! every 64 us or more often, so those are few, and their times are right if the step was damage
//! ([`Skipped::unconfirmed`]). If the clock did jump they are early, and counted ([`Skipped::early`]). The third such
//! step in a row is believed, so a sparse recording is read on. [`Evt2Encoder`](super::Evt2Encoder) writes the time
//! high twice where the step is larger: then no event is early. A step is believed at once where another recording
//! begins (after a header, or [`Decode::finish`]) and after the alignment was lost.
//!
//! **Damage** shows as an impossible word. A single one costs 4 bytes: decoding continues after it. A second one among
//! the next 16 words, or a time high there that is more than 1.05 s from the clock, shows that the alignment changed.
//! Then everything is skipped up to the next time high at the plausible byte alignment: the one that had 16 possible
//! words in a row and no fewer than any other. Recovered: alignment and time, after lost, repeated, foreign or flipped
//! bytes. Not recovered: events up to that time high (some 100 words). Words at a wrong alignment are decoded as what
//! they look like until the second impossible one, some 2 events. A flipped bit that leaves a possible word cannot be
//! detected. If the impossible word was a time high, events are early until the next. Coordinates are delivered
//! unchanged: the accumulator counts what lies outside the geometry.
//!
//! A header line is an impossible word too, so a second recording joined to the first is read on without loss.
//!
//! Cost: about 10 operations per event. State: 88 bytes, and the header's.
//! Reference: Prophesee, Metavision documentation, "EVT 2.0 format".

use super::align::Alignments;
use super::clock::{Suspect, is_far, steps};
use crate::events::decode::count;
use crate::events::{Decode, Event, Geometry, Header, Line, Lines, Live, NoHeader, OtherState, Skipped};
use crate::words::{put_longs, take_long};
use core::ops::Range;

pub(super) const OFF: u32 = 0x0;
pub(super) const ON: u32 = 0x1;
pub(super) const TIME_HIGH: u32 = 0x8;
pub(super) const TRIGGER: u32 = 0xA;
pub(super) const OTHERS: u32 = 0xE;
pub(super) const CONTINUED: u32 = 0xF;

/// Bytes of a word.
const WORD: usize = 4;
/// The 28 bits of a time high.
pub(super) const HIGH: u32 = 0x0FFF_FFFF;
/// The largest step of the time high, in its units of 64 us, that is continued over a wrap: 8.4 s. Sensors send a time
/// high every 16 us; a damaged one is near the wrap once in a thousand times.
pub(super) const NEAR: u32 = 1 << 17;
/// The largest step of a time high after damage, in its units: 1.05 s.
pub(super) const SURE: u32 = 1 << 14;
/// The smallest and the largest choice of the step that is believed at once, in its units: 1.02 ms and 8.4 s.
pub(super) const STEPS: [u32; 2] = [1 << 4, NEAR];
/// Words after an impossible one among which a second shows that the alignment changed: of words at a wrong alignment
/// 10 in 16 are impossible, and fewer where most bits are 0.
pub(super) const DOUBT: u8 = 16;

/// [`Place::Far`], as a number beside those of [`Place::Doubt`].
const FAR: u32 = 3 + DOUBT as u32;

/// Whether words have this kind.
pub(super) const fn is_possible(kind: u32) -> bool {
    matches!(kind, OFF | ON | TIME_HIGH | TRIGGER | OTHERS | CONTINUED)
}

/// Streaming decoder of EVT 2.0; see the [format](self).
///
/// ```
/// use foveola_core::events::{Decode, Event, Evt2};
/// let mut decoder = Evt2::new();
/// let bytes = [&b"% evt 2.0\n"[..], &0x8000_0001_u32.to_le_bytes(), &0x1080_1802_u32.to_le_bytes()].concat();
/// let events: Vec<_> = decoder.events(&bytes).collect();
/// assert_eq!(events, [Event { t: 64 + 2, x: 3, y: 2, on: true }]);
/// assert_eq!(decoder.geometry(), None); // the header does not tell it
/// ```
pub type Evt2 = Evt2Of<Header>;

/// [`Evt2`] for a sensor that sends no text: the program has no code for a header. Text is damage here.
///
/// ```
/// use foveola_core::events::{Decode, Evt2, LiveEvt2};
/// let words = [0x8000_0001_u32, 0x1080_1802].map(u32::to_le_bytes);
/// assert!(LiveEvt2::new().events(words.as_flattened()).eq(Evt2::new().events(words.as_flattened())));
/// ```
pub type LiveEvt2 = Evt2Of<NoHeader>;

/// [`Evt2`] or [`LiveEvt2`].
#[derive(Clone, Debug)]
pub struct Evt2Of<H> {
    /// The last bytes, newest on top.
    word: u32,
    /// How many of them belong to an unfinished word.
    held: u8,
    place: Place,
    /// Time in units of 64 us, continued over wraps.
    high: Option<u64>,
    suspect: Suspect,
    /// The largest step of the time high that is believed at once, in its units.
    largest: u32,
    skipped: Skipped,
    /// Bytes of time words and of header lines.
    silent: u64,
    header: H,
}

/// Where in the stream the next byte lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Among words, also before the header.
    #[default]
    Words,
    /// Among words, after a time far from the clock.
    Far,
    /// In a line of the header.
    Line,
    /// Among words, after an impossible one: so many words before the alignment is certain again.
    Doubt(u8),
    /// Unknown.
    Lost(Alignments<WORD>),
}

impl<H: Lines> Default for Evt2Of<H> {
    fn default() -> Self {
        Self::of(H::start())
    }
}

impl Evt2Of<Header> {
    /// At the start of a recording or of a sensor's stream.
    pub const fn new() -> Self {
        Self::of(Header::new())
    }
}

impl Evt2Of<NoHeader> {
    /// At the start of a recording or of a sensor's stream.
    pub const fn new() -> Self {
        Self::of(NoHeader)
    }
}

impl<H: Lines> Evt2Of<H> {
    const fn of(header: H) -> Self {
        Self {
            word: 0,
            held: 0,
            place: Place::Words,
            high: None,
            suspect: Suspect::NONE,
            largest: SURE,
            skipped: Skipped::NOTHING,
            silent: 0,
            header,
        }
    }

    /// Believes a step of the time high at once only up to `us` microseconds, between 1,024 (16 time words of a sensor)
    /// and 8.4 s. For a live sensor, which tells the time all along: the less, the less a flipped bit can do. Of a
    /// recording without time words in between, the events after a longer gap would come early.
    ///
    /// ```
    /// use foveola_core::events::{Decode, Evt2};
    /// let words = [0x8000_0010_u32, 0x1000_0000, 0x8000_0111, 0x1000_0000, 0x8000_0012, 0x1000_0000]; // bit 8 flipped
    /// let bytes = words.map(u32::to_le_bytes);
    /// let mut decoder = Evt2::new().largest_step(1_024);
    /// let times: Vec<u64> = decoder.events(bytes.as_flattened()).map(|event| event.t).collect();
    /// assert_eq!((times, decoder.skipped().unconfirmed), (vec![1_024, 1_024, 1_152], 1));
    /// ```
    #[must_use]
    pub const fn largest_step(mut self, us: u64) -> Self {
        self.largest = steps(us / 64, STEPS);
        self
    }

    /// The header read so far.
    pub const fn header(&self) -> &H {
        &self.header
    }

    /// Bytes that were decoded and gave no event: time words, and header lines. With them, every byte is accounted for
    /// until a counter of [`Skipped`] stops at its largest number:
    ///
    /// ```text
    /// bytes fed = 4 x events + silent + skipped().bytes() + held
    /// ```
    pub const fn silent(&self) -> u64 {
        self.silent
    }

    /// The event in an `OFF` or `ON` word.
    #[inline]
    fn event(high: u64, word: u32) -> Event {
        Event {
            t: high << 6 | u64::from(word >> 22 & 0x3F),
            x: (word >> 11 & 0x7FF) as u16,
            y: (word & 0x7FF) as u16,
            on: word >> 28 == ON,
        }
    }

    /// Whether the next byte is the first of a word.
    #[inline]
    fn in_step(&self) -> bool {
        self.held == 0 && matches!(self.place, Place::Words)
    }

    #[inline(always)] // into the loop of `search`, where every second word tells the time
    fn word(&mut self, word: u32) -> Option<Event> {
        match word >> 28 {
            OFF | ON => match self.high {
                Some(high) => return Some(Self::event(high, word)),
                None => count(&mut self.skipped.untimed, WORD),
            },
            TIME_HIGH => self.set_time(word & HIGH),
            TRIGGER | OTHERS | CONTINUED => count(&mut self.skipped.other, WORD),
            _ => self.impossible(word),
        }
        None
    }

    /// Whether a time high is so close to the clock that its alignment must be right.
    fn is_sure(&self, new: u32) -> bool {
        self.high.is_some_and(|high| !is_far::<28>(high, new.into(), [NEAR, SURE]))
    }

    #[inline(always)]
    fn set_time(&mut self, new: u32) {
        self.silent = self.silent.saturating_add(WORD as u64);
        match self.high {
            Some(high) if self.suspect.is_clear() && new.wrapping_sub(high as u32) & HIGH <= STEPS[0] => {
                self.high = Some(high.wrapping_add((new.wrapping_sub(high as u32) & HIGH).into()));
            }
            _ => self.judge(new),
        }
    }

    /// [`Evt2::set_time`] for all but a small step forwards.
    #[cold]
    #[inline(never)]
    fn judge(&mut self, new: u32) {
        let Some(high) = self.high else {
            (self.high, self.suspect) = (Some(new.into()), Suspect::NONE);
            return;
        };
        let Some(next) = self.suspect.hear::<28>(high, new, [NEAR, self.largest], &mut self.skipped) else {
            self.settle();
            return;
        };
        if next < high {
            count(&mut self.skipped.backward, 1);
        }
        self.high = Some(next);
        self.settle();
    }

    /// The next word is taken as soon as it is there, unless a time waits to be confirmed.
    fn settle(&mut self) {
        if matches!(self.place, Place::Words | Place::Far) {
            self.place = if self.suspect.waits() { Place::Far } else { Place::Words };
        }
    }

    /// Takes the held word, one of the `left` words after an impossible one.
    #[cold]
    fn doubtful(&mut self, left: u8) -> Option<Event> {
        let word = self.word;
        if word >> 28 == TIME_HIGH && !self.is_sure(word & HIGH) {
            self.impossible(word);
            return None;
        }
        let event = self.word(word);
        if self.place == Place::Doubt(left) {
            self.place = if left > 1 { Place::Doubt(left - 1) } else { Place::Words };
            self.settle();
        }
        event
    }

    #[cold]
    fn impossible(&mut self, word: u32) {
        let bytes = word.to_le_bytes();
        if H::begins(bytes) {
            self.place = Place::Line;
            for byte in bytes {
                self.header.push(byte); // printable: the line stays open
            }
        } else if matches!(self.place, Place::Words | Place::Far) && self.high.is_some() {
            count(&mut self.skipped.garbage, WORD);
            self.place = Place::Doubt(DOUBT);
        } else {
            self.lose(WORD);
            self.word = word;
        }
    }

    /// `garbage` bytes were no words.
    fn lose(&mut self, garbage: usize) {
        count(&mut self.skipped.garbage, garbage);
        (self.place, self.suspect) = (Place::Lost(Alignments::new()), Suspect::ANY);
    }

    #[inline(never)]
    fn byte(&mut self, byte: u8) -> Option<Event> {
        self.word = self.word >> 8 | u32::from(byte) << 24;
        match &mut self.place {
            Place::Words | Place::Far | Place::Doubt(_) => {
                self.held += 1; // 4 at most
                if usize::from(self.held) < WORD {
                    return None;
                }
                self.held = 0;
                let event = match self.place {
                    Place::Doubt(left) => self.doubtful(left),
                    _ => self.word(self.word),
                };
                self.suspect.add(event.is_some().into());
                return event;
            }
            Place::Line => {
                let line = self.header.begun().saturating_add(1);
                match self.header.push(byte) {
                    Line::Open => {}
                    Line::Complete => {
                        self.silent = self.silent.saturating_add(line as u64);
                        (self.place, self.suspect) = (Place::Words, Suspect::ANY);
                    }
                    Line::Damaged => {
                        self.header.discard();
                        self.lose(line);
                    }
                }
                return None;
            }
            Place::Lost(alignments) => {
                let kind = self.word >> 28;
                if !alignments.believe(is_possible(kind)) || kind != TIME_HIGH {
                    count(&mut self.skipped.garbage, 1);
                    return None;
                }
                // The first bytes of this word were counted as garbage.
                self.skipped.garbage = self.skipped.garbage.saturating_sub(WORD as u32 - 1);
                self.place = Place::Words;
            }
        }
        self.word(self.word)
    }

    /// [`Decode::next_event`] for all but a contiguous event where one is expected.
    #[inline(never)]
    fn search(&mut self, bytes: &mut &[u8]) -> Option<Event> {
        loop {
            let event = match bytes.split_first_chunk() {
                Some((word, rest)) if self.in_step() => {
                    *bytes = rest;
                    self.word(u32::from_le_bytes(*word))
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
}

impl<H: Lines> Decode for Evt2Of<H> {
    // The path of nearly all events is short enough to be inlined into the caller's loop; that doubles the speed.
    #[inline]
    fn next_event(&mut self, bytes: &mut &[u8]) -> Option<Event> {
        if self.in_step()
            && let Some(high) = self.high
            && let Some((&word, rest)) = bytes.split_first_chunk()
            && u32::from_le_bytes(word) >> 28 <= ON
        {
            *bytes = rest;
            return Some(Self::event(high, u32::from_le_bytes(word)));
        }
        self.search(bytes)
    }

    fn run(&mut self, bytes: &mut &[u8], times: Range<u64>, mut sink: impl FnMut(u16, u16, bool)) -> usize {
        let (0, Place::Words, Some(high)) = (self.held, &self.place, self.high) else { return 0 };
        // The time high, seen from the start of `times`: 32 bits suffice up to their end, where the loop stops.
        let len = times.end.saturating_sub(times.start).min(1 << 30) as i32;
        let ahead = i32::try_from((high << 6).wrapping_sub(times.start).cast_signed());
        let Ok(mut ahead) = ahead else { return 0 };
        // Steps of the time high, and the words that gave them.
        let (mut steps, mut clocks, mut left) = (0_u32, 0_usize, *bytes);
        while let Some((&word, rest)) = left.split_first_chunk() {
            let word = u32::from_le_bytes(word);
            if word >> 28 <= ON {
                let t = ahead.wrapping_add((word >> 22 & 0x3F) as i32);
                if t.cast_unsigned() >= len.cast_unsigned() {
                    break; // early ones too
                }
                sink((word >> 11 & 0x7FF) as u16, (word & 0x7FF) as u16, word >> 28 == ON);
            } else {
                let step = word.wrapping_sub(high as u32).wrapping_sub(steps) & HIGH;
                if word >> 28 != TIME_HIGH || step > STEPS[0] || ahead >= len {
                    break;
                }
                ahead = ahead.wrapping_add((step << 6) as i32);
                (steps, clocks) = (steps.wrapping_add(step), clocks.wrapping_add(1));
            }
            left = rest;
        }
        let words = (bytes.len() - left.len()) / WORD;
        *bytes = left;
        self.high = Some(high.saturating_add(steps.into()));
        self.silent = self.silent.saturating_add((clocks * WORD) as u64);
        words - clocks
    }

    fn finish(&mut self) {
        count(&mut self.skipped.tail, usize::from(self.held));
        (self.held, self.suspect) = (0, Suspect::ANY);
        match self.place {
            Place::Line => {
                count(&mut self.skipped.tail, self.header.discard());
                self.place = Place::Words;
            }
            Place::Doubt(_) | Place::Far => self.place = Place::Words,
            Place::Words | Place::Lost(_) => {}
        }
    }

    fn front(bytes: &[u8]) -> Option<usize> {
        H::front(bytes)
    }

    fn skipped(&self) -> Skipped {
        self.skipped
    }

    fn time(&self) -> Option<u64> {
        self.high.map(|high| high << 6)
    }

    fn geometry(&self) -> Option<Geometry> {
        self.header.geometry()
    }
}

impl<H: Lines> Live for Evt2Of<H> {
    const FORM: u32 = 0x0200_0001 | H::FORM;
    const VECTORS: bool = false;
    const SAVED: usize = 15 + Suspect::SAVED + Alignments::<WORD>::SAVED + H::SAVED;

    fn start() -> Self {
        Self::of(H::start())
    }

    fn largest_step(self, us: u64) -> Self {
        Self::largest_step(self, us)
    }

    fn lost(&mut self) {
        let held = usize::from(core::mem::take(&mut self.held));
        let line = if self.place == Place::Line { self.header.discard() } else { 0 };
        self.lose(held.saturating_add(line));
    }

    fn understood(&self, events: u64) -> u64 {
        events.wrapping_mul(WORD as u64).wrapping_add(self.silent)
    }

    fn held(&self) -> usize {
        match self.place {
            Place::Line => self.header.begun(),
            _ => self.held.into(),
        }
    }

    fn save(&self, put: &mut impl FnMut(u32)) {
        let Self { word, held, place, high, suspect, largest: _, skipped, silent, header } = self;
        // No event of this format can be outside the camera's sensor: its coordinates are delivered unchanged.
        let Skipped { garbage, untimed, other, tail, backward, unconfirmed, early, outside: _ } = skipped;
        let (kind, alignments) = match place {
            Place::Words => (0, &Alignments::new()),
            Place::Line => (1, &Alignments::new()),
            Place::Lost(alignments) => (2, alignments),
            Place::Doubt(left) => (2 + u32::from(*left), &Alignments::new()),
            Place::Far => (FAR, &Alignments::new()),
        };
        let high = high.unwrap_or(u64::MAX); // a time takes 58 bits
        put(Self::FORM);
        put_longs(&[high, *silent], put);
        for word in [*word, (*held).into(), kind, *garbage, *untimed, *other, *tail, *backward, *unconfirmed, *early] {
            put(word);
        }
        suspect.save(put);
        alignments.save(put);
        header.save(put);
    }

    fn restore(take: &mut impl FnMut() -> u32) -> Result<Self, OtherState> {
        OtherState::check(take(), Self::FORM)?;
        let (high, silent) = (take_long(take), take_long(take));
        let [word, held, kind, garbage, untimed, other, tail, backward, unconfirmed, early] =
            core::array::from_fn(|_| take());
        let suspect = Suspect::restore(take);
        let alignments = Alignments::restore(take);
        Ok(Self {
            word,
            held: (held % WORD as u32) as u8,
            place: match kind {
                0 => Place::Words,
                1 => Place::Line,
                2 => Place::Lost(alignments),
                FAR => Place::Far,
                left => Place::Doubt((left - 2).min(DOUBT.into()) as u8),
            },
            high: if high == u64::MAX { None } else { Some(high) },
            suspect,
            largest: SURE,
            skipped: Skipped { garbage, untimed, other, tail, backward, unconfirmed, early, outside: 0 },
            silent,
            header: H::restore(take),
        })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::events::Evt2Encoder;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// A time high and an event at pixel (5, 6).
    const PAIR: [u8; 8] = [1, 0, 0, 0x80, 6, 0x28, 0, 0x10];
    const EVENT: Event = Event { t: 64, x: 5, y: 6, on: true };

    fn decode(bytes: &[u8]) -> (Vec<Event>, Evt2) {
        let mut decoder = Evt2::new();
        let events = decoder.events(bytes).collect();
        decoder.finish();
        (events, decoder)
    }

    fn encode(events: &[Event]) -> Vec<u8> {
        let (mut encoder, mut bytes) = (Evt2Encoder::new(), Vec::new());
        for event in events {
            encoder.encode(*event, |word| bytes.extend(word)).unwrap();
        }
        bytes
    }

    /// `n` events, 10 us apart, over all of a sensor.
    fn stream(start: u64, n: u64) -> Vec<Event> {
        let pixel = |i: u64| ((i * 7919 % 640) as u16, (i * 104_729 % 480) as u16);
        (0..n).map(|i| Event { t: start + 10 * i, x: pixel(i).0, y: pixel(i).1, on: i % 3 == 0 }).collect()
    }

    #[test]
    fn headers_end_where_data_begins() {
        let percent = [b'%', 0x20, 0, 0x80]; // a time high whose first byte is a %
        type Case<'a> = (&'a str, &'a [u8], Option<(usize, usize)>);
        let cases: [Case<'_>; 8] = [
            ("none", b"", None),
            ("no end, no geometry", b"% Date 2020-09-25 07:48:31\n% evt 2.0\n", None),
            ("end", b"% evt 2.0\n% geometry 640x480\n% end\n", Some((640, 480))),
            ("format", b"% format EVT2;height=720;width=1280\n% end\n", Some((1280, 720))),
            ("Windows", b"% evt 2.0\r\n% geometry 320x320\r\n", Some((320, 320))),
            ("tight", b"%geometry 640x480\n", Some((640, 480))),
            ("long", &[&b"% note "[..], &[b'%'; 5000], b"\n"].concat(), None),
            ("end alone", b"% end\n", None),
        ];
        for (name, header, geometry) in cases {
            let (events, decoder) = decode(&[header, &percent, &PAIR].concat());
            assert_eq!(events, [EVENT], "{name}");
            assert_eq!(decoder.geometry().map(|size| (size.cols, size.rows)), geometry, "{name}");
            assert_eq!(decoder.skipped(), Skipped { backward: 1, ..Skipped::default() }, "{name}");
        }
    }

    /// 2^32 us of clocks without an event: 32 bits of time wrap, and the event after them is not an early one.
    #[test]
    fn a_run_ends_where_its_times_end() {
        let clocks = (1..=1 << 12).map(|step| 0x8000_0000 | (step * SURE));
        let words: Vec<u8> = clocks.chain([0x1000_0000 | (5 << 22)]).flat_map(u32::to_le_bytes).collect();
        let mut decoder = Evt2::new();
        decoder.feed(&0x8000_0000_u32.to_le_bytes(), |_| ());
        let mut left = &words[..];
        assert_eq!(decoder.run(&mut left, 0..100, |_, _, _| ()), 0);
        assert_eq!(decoder.next_event(&mut left).map(|event| event.t), Some((1 << 32) + 5));
    }

    #[test]
    fn a_damaged_header_costs_some_events_only() {
        let events = stream(1000, 200);
        let (decoded, decoder) = decode(&[&b"% evt 2.0\n% geome"[..], &encode(&events)].concat());
        assert!(events.ends_with(&decoded) && decoded.len() > 150, "{} events", decoded.len());
        assert!(decoder.skipped().garbage > 0, "the line is counted");
    }

    #[test]
    fn every_word_has_its_counter() {
        let word = |kind: u32| (kind << 28).to_le_bytes();
        let bytes = [&word(ON)[..], &PAIR, &word(TRIGGER), &word(OTHERS), &word(CONTINUED), &[1, 2, 3]].concat();
        let (events, decoder) = decode(&bytes);
        assert_eq!(events, [EVENT]);
        let expected = Skipped { untimed: 4, other: 12, tail: 3, ..Skipped::default() };
        assert_eq!(decoder.skipped(), expected);
        assert_eq!(decoder.time(), Some(64));
    }

    #[test]
    fn time_goes_on_over_the_wrap_and_back_as_told() {
        let high = |high: u32| (TIME_HIGH << 28 | high).to_le_bytes();
        let event = (ON << 28).to_le_bytes();
        const WRAP: u64 = 1 << 34;
        let cases: [(&[u32], u64, u32); 8] = [
            (&[HIGH, 0], WRAP, 0),
            (&[HIGH - 1, 2, HIGH, 0], WRAP, 1),
            (&[HIGH - NEAR, 0, HIGH, 1, 100_000_000, 200_000_000, HIGH, 0], 2 * WRAP, 1),
            // The farthest step over the wrap, and one more, which is none.
            (&[HIGH - NEAR + 1, 0], WRAP, 0),
            (&[HIGH - NEAR, 0], 0, 1),
            (&[1000, 999], 999 * 64, 1),
            (&[200_000_000, 5], 5 * 64, 1), // no wrap: a restart, or damage
            (&[0, HIGH], u64::from(HIGH) * 64, 0),
        ];
        for (highs, t, backward) in cases {
            // Twice: the second confirms a jump.
            let bytes: Vec<u8> = highs.iter().flat_map(|&new| [high(new), high(new), event]).flatten().collect();
            let (events, decoder) = decode(&bytes);
            assert_eq!((events.len(), events.last().unwrap().t), (highs.len(), t), "{highs:?}");
            assert_eq!(decoder.skipped(), Skipped { backward, ..Skipped::default() }, "{highs:?}");
        }
    }

    /// A sensor's stream: a time high every 64 us, an event after each, and the words in `damaged` XOR a mask.
    fn sensor(damaged: &[(usize, u32)]) -> Vec<u8> {
        let mut words: Vec<u32> = (0..1000).flat_map(|i| [0x8123_4560 + i, 0x1000_0000 + ((i % 64) << 22)]).collect();
        damaged.iter().for_each(|(i, mask)| words[2 * i] ^= mask);
        words.into_iter().flat_map(u32::to_le_bytes).collect()
    }

    /// One flipped bit of a time high, in each of its 32 places, moves the events up to the next time high but one by no
    /// more than the largest step, or by 64 us where it is seen; and no others. Nor do two in a row, unless the same bit
    /// is flipped: that is a jump.
    #[test]
    fn a_flipped_bit_does_not_move_time() {
        for (largest, sure) in [(1_048_576, 1 << 14), (1_024, 1 << 4)] {
            let decode = |damaged: &[(usize, u32)]| {
                let mut decoder = Evt2::new().largest_step(largest);
                (decoder.events(&sensor(damaged)).collect::<Vec<_>>(), decoder.skipped())
            };
            let (whole, none) = decode(&[]);
            assert_eq!((whole.len(), none), (1000, Skipped::default()));
            let furthest = |events: &[Event]| events.iter().zip(&whole).map(|(a, b)| a.t.abs_diff(b.t)).max();
            for place in 0..32 {
                let (events, skipped) = decode(&[(500, 1 << place)]);
                assert!(events[..500] == whole[..500], "bit {place}: before");
                assert!(events[events.len() - 498..] == whole[502..], "bit {place}: after");
                let is_far = (2 * sure..1 << 28).contains(&(1 << place));
                assert_eq!(skipped.unconfirmed, is_far.into(), "bit {place}: {skipped:?}");
                if place < 28 {
                    let most = if is_far { 64 } else { (64 << place) + 64 };
                    assert!(furthest(&events) <= Some(most), "bit {place}: {:?} us", furthest(&events));
                }
            }
            for (a, b) in (0..28 * 28).map(|i| (1 << (i / 28), 1 << (i % 28))) {
                let (events, skipped) = decode(&[(500, a), (501, b)]);
                assert!(events[..500] == whole[..500], "{a:X}, {b:X}: before");
                assert!(events[503..] == whole[503..], "{a:X}, {b:X}: after");
                if a >= 2 * sure && b >= 2 * sure && a != b {
                    assert_eq!(skipped, Skipped { unconfirmed: 2, ..Skipped::default() }, "{a:X}, {b:X}");
                    assert_eq!(furthest(&events), Some(128), "{a:X}, {b:X}");
                }
            }
        }
    }

    /// A jump is believed when the next time high confirms it; the events in between are early and counted.
    #[test]
    fn a_jump_is_confirmed_by_the_next_time() {
        let word = |high: u32| (TIME_HIGH << 28 | high).to_le_bytes();
        let event = (ON << 28).to_le_bytes();
        let minute = 60_000_000 / 64;
        let cases: [(&[u32], &[u64], Skipped); 6] = [
            // High, its events' high, what is counted.
            (&[5, minute, minute + 1], &[5, 5, minute as u64 + 1], Skipped { early: 1, ..Skipped::default() }),
            (
                &[minute, 5, 6],
                &[minute as u64, minute as u64, 6],
                Skipped { early: 1, backward: 1, ..Skipped::default() },
            ),
            (&[5, minute, 6], &[5, 5, 6], Skipped { unconfirmed: 1, ..Skipped::default() }),
            (&[5, minute, HIGH, 6], &[5, 5, 5, 6], Skipped { unconfirmed: 2, ..Skipped::default() }),
            // The third in a row is believed: a clock never stands for long.
            (
                &[5, minute, 2 * minute, 3 * minute],
                &[5, 5, 5, 3 * minute as u64],
                Skipped { unconfirmed: 2, early: 2, ..Skipped::default() },
            ),
            // The first time may be any, also a damaged one.
            (
                &[minute, 5, 6, 7],
                &[minute as u64, minute as u64, 6, 7],
                Skipped { early: 1, backward: 1, ..Skipped::default() },
            ),
        ];
        for (highs, expected, counted) in cases {
            let bytes: Vec<u8> = highs.iter().flat_map(|&high| [word(high), event]).flatten().collect();
            let (events, decoder) = decode(&bytes);
            let times: Vec<u64> = events.iter().map(|event| event.t / 64).collect();
            assert_eq!((&times[..], decoder.skipped()), (expected, counted), "{highs:?}");
        }
        // The encoder confirms its jumps: a minute of silence, and nothing is early.
        let events = [stream(0, 5), stream(60_000_000, 5)].concat();
        let (decoded, decoder) = decode(&encode(&events));
        assert_eq!((decoded, decoder.skipped()), (events, Skipped::default()));
    }

    #[test]
    fn joined_recordings_are_read_on() {
        let (first, second) = (stream(5000, 50), stream(700, 50));
        let header = b"% evt 2.0\n% geometry 640x480\n";
        let (events, decoder) = decode(&[header, &encode(&first)[..], header, &encode(&second)].concat());
        assert_eq!(events, [first, second].concat());
        assert_eq!(decoder.skipped(), Skipped { backward: 1, ..Skipped::default() });
    }

    #[test]
    fn a_foreign_stream_is_garbage() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8 | 0x40).collect();
        let (events, decoder) = decode(&bytes);
        assert_eq!((events.len(), decoder.skipped().bytes()), (0, 100_000));
    }

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        #[test]
        fn decoding_inverts_encoding(
            start in (1_u64 << 34) - 2_000_000..1 << 34,
            raw in prop::collection::vec((0_u64..100_000, 0_u16..2048, 0_u16..2048, any::<bool>()), 0..60),
        ) {
            let mut t = start;
            let events: Vec<_> = raw.iter().map(|&(dt, x, y, on)| {
                t += dt;
                Event { t, x, y, on }
            }).collect();
            let (decoded, decoder) = decode(&encode(&events));
            // A stream that starts after the wrap cannot know of it.
            let unseen = events.first().map_or(0, |event| event.t >> 34 << 34);
            let expected: Vec<_> = events.iter().map(|event| Event { t: event.t - unseen, ..*event }).collect();
            prop_assert_eq!(decoded, expected);
            prop_assert_eq!(decoder.skipped(), Skipped::default());
        }

        /// Bytes lost and foreign bytes inserted: what came before is whole, and the alignment is found again.
        #[test]
        fn the_place_is_found_again(cut in 0_usize..2000, lost in 0_usize..9, foreign in prop::collection::vec(any::<u8>(), 0..40)) {
            let events = stream(1 << 33, 1000);
            let mut bytes = encode(&events);
            let at = cut + 4;
            let foreign_len = foreign.len();
            bytes.splice(at..at + lost, foreign);
            let (decoded, decoder) = decode(&bytes);
            let before = events.iter().zip(&decoded).take_while(|(a, b)| a == b).count();
            prop_assert!(encode(&events[..before]).len() + 16 > cut, "{before} events before byte {cut}");
            let after = events.iter().rev().zip(decoded.iter().rev()).take_while(|(a, b)| a == b).count();
            prop_assert!(before + after + 100 > events.len(), "{before} + {after} events");
            prop_assert!(decoder.skipped().bytes() as usize <= foreign_len + 500, "{:?}", decoder.skipped());
        }
    }
}
