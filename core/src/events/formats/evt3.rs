//! Prophesee EVT 3.0: a text [`Header`], then little-endian words of 16 bits that change a state.
//!
//! | bits 15..12 | 11 | 10..0 |
//! |---|---|---|
//! | `0x0` row | camera, not used | y of the events that follow |
//! | `0x2` event | 1 ON, 0 OFF | x of one event |
//! | `0x3` base | 1 ON, 0 OFF | x where the next vector begins |
//! | `0x4` vector of 12, `0x5` vector of 8 | bit i of 11..0, of 7..0: pixel (base + i, y) has an event | then base grows by 12, by 8 |
//! | `0x6` time low, `0x8` time high | bits 11..0, bits 23..12 of t, in 11..0 | |
//! | `0xA` trigger, `0xE` others, `0x7`, `0xF` continued | skipped, counted as [`Skipped::other`] | |
//! | `0x9999` padding of some cameras | the same | |
//! | others | impossible | |
//!
//! **Time** `t = high << 12 | low`, in microseconds, wraps every 2^24 us (16.8 s). A new time high sets low to 0,
//! because the previous low belongs to another 4096 us. A repeated time high changes nothing: if it set low to 0,
//! events between it and the next time low would come up to 4 ms too early. A time low that decreases is not an
//! overflow; sensors send a stale one after a repeated time high. It is taken as it is and counted as
//! [`Skipped::backward`]. A time high that decreases by 4095 - 10 units of 4096 us or more is a wrap, and `t` keeps
//! growing; any other decrease is counted as backwards. So no event drifts, but a gap of 16.7 s without a single time
//! high cannot be detected. A step of the time high of more than 1 s is believed only when the next one confirms it, as
//! in [EVT 2.0](super::evt2). Until then a time low that decreases is not taken: it belongs to the new time high.
//!
//! **Damage** can hardly be detected: 12 of 16 kinds are possible. What is detected is an impossible kind, which an odd
//! number of lost bytes leads to within a few words. A single one costs 2 bytes; if it gave a row, a base or a time,
//! events keep the previous ones until the next. After a second one among 16 words, or a time high there that is more
//! than 1 s from the clock, everything is skipped up to the next time high at the byte alignment that was plausible for
//! 16 words. The row and base are forgotten; events before the next row are counted as [`Skipped::untimed`], as are
//! those before the first time. Not recovered: lost whole words, foreign words and flipped ones are not detected, so
//! events have a wrong row, base or time until the next word that gives it. Lines of a second recording's header,
//! joined without [`Decode::finish`] between, are read as words, up to an event for each two characters. At the start,
//! two words of printable characters after a `%` are taken for a line; sensors begin with a time high, which is not
//! printable.
//!
//! Cost: about 10 operations per word. State: 96 bytes, and the header's.
//! Reference: Prophesee, Metavision documentation, "EVT 3.0 format".

use super::burst::{self, Burst};
use super::clock::{Clock, steps};
use super::evt2::DOUBT;
use super::frame::{self, Frame, Words};
use super::header::PIXEL;
use crate::events::decode::count;
use crate::events::{Decode, Event, Geometry, Header, Lines, Live, NoHeader, OtherState, Skipped};
use core::hint::select_unpredictable;
use core::ops::Range;

/// Kinds of words.
pub(super) const ROW: u16 = 0x0;
pub(super) const EVENT: u16 = 0x2;
pub(super) const BASE: u16 = 0x3;
pub(super) const VECTOR_12: u16 = 0x4;
pub(super) const VECTOR_8: u16 = 0x5;
pub(super) const TIME_LOW: u16 = 0x6;
const CONTINUED_4: u16 = 0x7;
pub(super) const TIME_HIGH: u16 = 0x8;
const TRIGGER: u16 = 0xA;
const OTHERS: u16 = 0xE;
const CONTINUED_12: u16 = 0xF;
/// The kinds that most words of single events have, a bit each.
const FREQUENT: u16 = 1 << EVENT | 1 << ROW | 1 << TIME_LOW;
/// Not a word of the format, but some cameras fill their packets with it.
const PADDING: u16 = 0x9999;

/// Bit of a word that tells ON.
pub(super) const POLARITY: u16 = 1 << 11;

/// Bytes of a word.
const WORD: usize = 2;
/// Bytes looked at for the beginning of a line.
const WINDOW: usize = 4;
/// Pixels of the largest vector.
const LONGEST: usize = 12;
/// Largest step of the time high, in its units of 4096 us, over a wrap: a decrease by 4095 - 10 is the smallest wrap.
pub(super) const NEAR: u32 = 4096 - (4095 - 10);
/// The largest step of a time high after damage, and that is believed at once, in its units: 1 s.
pub(super) const SURE: u32 = 244;

/// Streaming decoder of EVT 3.0; see the [format](self).
///
/// ```
/// use foveola_core::events::{Decode, Event, Evt3};
/// let mut decoder = Evt3::new();
/// let words = [0x8001_u16, 0x6002, 0x0007, 0x2803, 0x3010, 0x4005].map(u16::to_le_bytes);
/// let events: Vec<_> = decoder.events(words.as_flattened()).collect();
/// let event = Event { t: 4096 + 2, x: 3, y: 7, on: true };
/// let off = |x| Event { x, on: false, ..event };
/// assert_eq!(events, [event, off(16), off(18)]);
/// ```
pub type Evt3 = Evt3Of<Header>;

/// [`Evt3`] for a sensor that sends no text: the program has no code for a header. Text is damage here.
///
/// ```
/// use foveola_core::events::{Decode, Evt3, LiveEvt3};
/// let words = [0x8001_u16, 0x6002, 0x0007, 0x2803].map(u16::to_le_bytes);
/// assert!(LiveEvt3::new().events(words.as_flattened()).eq(Evt3::new().events(words.as_flattened())));
/// ```
pub type LiveEvt3 = Evt3Of<NoHeader>;

/// [`Evt3`] or [`LiveEvt3`].
#[derive(Clone, Debug)]
pub struct Evt3Of<H> {
    frame: Frame<WORD, WINDOW, H>,
    /// Continued over wraps.
    t: Clock,
    /// Row, once it is known.
    y: Option<u16>,
    /// Where the next vector begins, once it is known.
    base: Option<u16>,
    /// Polarity of vectors.
    on: bool,
    /// Events of the last vector that are still to be delivered, and the column of bit 0.
    mask: u16,
    left: u16,
    /// The largest step of the time high that is believed at once, in its units.
    largest: u32,
}

impl<H: Lines> Default for Evt3Of<H> {
    fn default() -> Self {
        Self::of(H::start())
    }
}

impl Evt3Of<Header> {
    /// At the start of a recording or of a sensor's stream.
    pub const fn new() -> Self {
        Self::of(Header::new())
    }
}

impl Evt3Of<NoHeader> {
    /// At the start of a recording or of a sensor's stream.
    pub const fn new() -> Self {
        Self::of(NoHeader)
    }
}

impl<H: Lines> Evt3Of<H> {
    const fn of(header: H) -> Self {
        Self {
            frame: Frame::new(header),
            t: Clock::NEVER,
            y: None,
            base: None,
            on: false,
            mask: 0,
            left: 0,
            largest: SURE,
        }
    }

    /// Believes a step of the time high at once only up to `us` microseconds, between 4,096 and 1 s, in whole units of 4,096: as
    /// [`Evt2::largest_step`](super::Evt2::largest_step).
    #[must_use]
    pub const fn largest_step(mut self, us: u64) -> Self {
        self.largest = steps(us >> 12, [1, SURE]);
        self
    }

    /// The header read so far.
    pub const fn header(&self) -> &H {
        &self.frame.header
    }

    /// The next event of the last vector.
    #[inline]
    fn pending(&mut self) -> Option<Event> {
        let (Some(t), Some(y)) = (self.t.get(), self.y) else { return None };
        if self.mask == 0 {
            return None;
        }
        let x = self.left.wrapping_add(self.mask.trailing_zeros() as u16);
        self.mask &= self.mask.wrapping_sub(1);
        Some(Event { t, x, y, on: self.on })
    }

    /// A vector of `len` pixels.
    fn vector(&mut self, mask: u16, len: u16) -> Option<Event> {
        let Some(base) = self.base else {
            count(&mut self.frame.skipped.untimed, WORD);
            return None;
        };
        // It stops beyond all sensors, so that a stream of nothing but vectors does not wrap.
        self.base = Some(base.saturating_add(len));
        if self.t.get().is_none() || self.y.is_none() {
            count(&mut self.frame.skipped.untimed, WORD);
            return None;
        }
        (self.mask, self.left) = (mask, base.min(u16::MAX - len));
        self.frame.understand(WORD);
        self.frame.suspect.add(mask.count_ones());
        self.pending()
    }

    /// Whether a time high is at most `most` units ahead of the clock, or [`NEAR`] behind it.
    fn is_near(&self, told: u16, most: u32) -> bool {
        self.t.get().is_some_and(|t| {
            let ahead = u64::from(told).wrapping_sub(t >> 12) & 0xFFF;
            ahead <= most.into() || ahead > u64::from(0xFFF - NEAR)
        })
    }

    fn set_time(&mut self, t: u64) {
        if self.t.set(t) {
            count(&mut self.frame.skipped.backward, 1);
        }
    }
}

impl<H: Lines> Words<WORD, WINDOW> for Evt3Of<H> {
    type Lines = H;

    fn frame(&mut self) -> &mut Frame<WORD, WINDOW, H> {
        &mut self.frame
    }

    fn word(&mut self, word: [u8; WORD]) -> Option<Event> {
        let bytes = word;
        let word = u16::from_le_bytes(bytes);
        let low = word & 0xFFF;
        match word >> 12 {
            EVENT => match (self.t.get(), self.y) {
                (Some(t), Some(y)) => {
                    self.frame.suspect.add(1);
                    self.frame.understand(WORD);
                    return Some(Event { t, x: word & PIXEL, y, on: word & POLARITY != 0 });
                }
                _ => count(&mut self.frame.skipped.untimed, WORD),
            },
            ROW => {
                self.frame.understand(WORD);
                self.y = Some(word & PIXEL);
            }
            BASE => {
                self.frame.understand(WORD);
                (self.base, self.on) = (Some(word & PIXEL), word & POLARITY != 0);
            }
            VECTOR_12 => return self.vector(low, 12),
            VECTOR_8 => return self.vector(low & 0xFF, 8),
            TIME_LOW => {
                self.frame.understand(WORD);
                if let Some(t) = self.t.get()
                    && !(self.frame.suspect.waits() && u64::from(low) < t & 0xFFF)
                {
                    self.set_time(t & !0xFFF | u64::from(low));
                }
            }
            TIME_HIGH if self.frame.in_doubt() && !self.is_near(low, SURE) => self.frame.lose(WORD, &bytes),
            TIME_HIGH => {
                self.frame.understand(WORD);
                let now = self.t.get().map(|t| t >> 12);
                match self.frame.hear::<12>(now, low.into(), [NEAR, self.largest]) {
                    Some(high) if now != Some(high) => self.set_time(high << 12),
                    _ => {}
                }
            }
            TRIGGER | OTHERS | CONTINUED_4 | CONTINUED_12 => count(&mut self.frame.skipped.other, WORD),
            _ if word == PADDING => count(&mut self.frame.skipped.other, WORD),
            _ if self.frame.in_doubt() => self.frame.lose(WORD, &bytes),
            _ => self.frame.doubt(bytes, DOUBT),
        }
        None
    }

    fn possible(&self, &[.., a, b]: &[u8; WINDOW]) -> bool {
        let word = u16::from_le_bytes([a, b]);
        !matches!(word >> 12, 0x1 | 0x9 | 0xB | 0xC | 0xD) || word == PADDING
    }

    fn resumes(&mut self, word: [u8; WORD]) -> bool {
        let resumes = u16::from_le_bytes(word) >> 12 == TIME_HIGH;
        if resumes {
            // They may have changed in the lost bytes.
            (self.y, self.base) = (None, None);
        }
        resumes
    }
}

impl<H: Lines> Burst for Evt3Of<H> {
    #[inline]
    fn burst(&mut self, bytes: &mut &[u8], times: Range<u64>, room: usize, mut sink: impl FnMut(Event, bool)) -> usize {
        let (true, 0, Some(mut t), Some(mut y)) = (self.frame.in_step(), self.mask, self.t.get(), self.y) else {
            return 0;
        };
        let len = times.end.saturating_sub(times.start);
        let (mut base, mut on) = (self.base, self.on);
        let (mut left, mut events) = (*bytes, 0);
        while room.saturating_sub(events) >= LONGEST
            && let Some((&word, rest)) = left.split_first_chunk()
        {
            let word = u16::from_le_bytes(word);
            let (kind, low) = (word >> 12, word & 0xFFF);
            // Three kinds in one branch, in an unpredictable order: selections cost less than branches.
            if FREQUENT >> kind & 1 == 1 {
                let told = select_unpredictable(kind == TIME_LOW, t & !0xFFF | u64::from(low), t);
                if told < t || told.wrapping_sub(times.start) >= len {
                    break;
                }
                t = told;
                y = select_unpredictable(kind == ROW, word & PIXEL, y);
                sink(Event { t, x: word & PIXEL, y, on: word & POLARITY != 0 }, kind == EVENT);
                events += usize::from(kind == EVENT);
                left = rest;
                continue;
            }
            match kind {
                BASE => (base, on) = (Some(word & PIXEL), word & POLARITY != 0),
                VECTOR_12 | VECTOR_8 => {
                    let len = if kind == VECTOR_12 { 12 } else { 8 };
                    let Some(x) = base.filter(|x| *x <= PIXEL && times.contains(&t)) else { break };
                    base = Some(x + len);
                    let mut mask = low & (0xFFF >> (12 - len));
                    while mask != 0 {
                        sink(Event { t, x: x + mask.trailing_zeros() as u16, y, on }, true);
                        events += 1;
                        mask &= mask - 1;
                    }
                }
                TIME_HIGH if t >> 12 & 0xFFF == low.into() && self.frame.suspect.is_clear() => {}
                _ => break,
            }
            left = rest;
        }
        self.frame.understand(bytes.len() - left.len());
        *bytes = left;
        self.t.set(t);
        (self.y, self.base, self.on) = (Some(y), base, on);
        events
    }
}

impl<H: Lines> Decode for Evt3Of<H> {
    #[inline]
    fn next_event(&mut self, bytes: &mut &[u8]) -> Option<Event> {
        if let event @ Some(_) = self.pending() {
            return event;
        }
        frame::next(self, bytes)
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
        self.frame.finish();
        // The next recording has its own.
        (self.y, self.base) = (None, None);
    }

    fn begin_words(&mut self) {
        self.frame.begin_words();
    }

    fn front(bytes: &[u8]) -> Option<usize> {
        H::front(bytes)
    }

    fn skipped(&self) -> Skipped {
        self.frame.skipped
    }

    fn time(&self) -> Option<u64> {
        self.t.get()
    }

    fn geometry(&self) -> Option<Geometry> {
        self.header().geometry()
    }
}

impl<H: Lines> Live for Evt3Of<H> {
    const FORM: u32 = 0x0300_0001 | H::FORM;
    const VECTORS: bool = true;
    const SAVED: usize = 5 + Frame::<WORD, WINDOW, H>::SAVED + Clock::SAVED;

    fn start() -> Self {
        Self::of(H::start())
    }

    fn largest_step(self, us: u64) -> Self {
        Self::largest_step(self, us)
    }

    fn lost(&mut self) {
        self.frame.lost();
    }

    fn understood(&self, _: u64) -> u64 {
        self.frame.understood
    }

    fn held(&self) -> usize {
        self.frame.held()
    }

    fn save(&self, put: &mut impl FnMut(u32)) {
        let Self { frame, t, y, base, on, mask, left, largest: _ } = self;
        put(Self::FORM);
        frame.save(put);
        t.save(put);
        put(y.map_or(u32::MAX, u32::from));
        put(base.map_or(u32::MAX, u32::from));
        put((*on).into());
        put(u32::from(*left) << 16 | u32::from(*mask));
    }

    fn restore(take: &mut impl FnMut() -> u32) -> Result<Self, OtherState> {
        OtherState::check(take(), Self::FORM)?;
        let (frame, t) = (Frame::restore(take), Clock::restore(take));
        let [y, base, on, vector] = core::array::from_fn(|_| take());
        let known = |word| u16::try_from(word).ok();
        let (mask, left) = (vector as u16, (vector >> 16) as u16);
        Ok(Self { frame, t, y: known(y), base: known(base), on: on != 0, mask, left, largest: SURE })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::{vec, vec::Vec};

    fn decode(bytes: &[u8]) -> (Vec<Event>, Evt3) {
        let mut decoder = Evt3::new();
        let events = decoder.events(bytes).collect();
        decoder.finish();
        (events, decoder)
    }

    fn bytes(words: &[u16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// The times of events at a pixel, for words between which such an event lies.
    fn times(words: &[u16]) -> (Vec<u64>, u32) {
        let words: Vec<u16> = [0x0005].into_iter().chain(words.iter().flat_map(|word| [*word, 0x2007])).collect();
        let (events, decoder) = decode(&bytes(&words));
        assert!(events.iter().all(|event| (event.x, event.y, event.on) == (7, 5, false)), "{events:?}");
        (events.iter().map(|event| event.t).collect(), decoder.skipped().backward)
    }

    #[test]
    fn every_word_does_what_the_table_says() {
        let recording = [
            0x08, 0x20, // an event before the time
            0x02, 0x80, 0x03, 0x60, // time high 2, time low 3
            0x08, 0x20, // an event before the row
            0x05, 0x48, // a vector before its base
            0x09, 0x08, // row 9, of the other camera
            0x0A, 0x2C, // ON at 0x40A
            0x14, 0x30, // base 20, OFF
            0x01, 0x48, // a vector of 12: pixels 20 and 31
            0x81, 0x5F, // a vector of 8, whose upper bits are not used: pixels 32 and 39
            0x01, 0x40, // a vector of 12: pixel 40
            0x00, 0x40, // and one without events
            0x00, 0xA0, 0x00, 0xE0, 0x00, 0x70, 0x00, 0xF0, 0x99, 0x99, // trigger, others, continued, padding
            0x77, // half a word
        ];
        let (events, decoder) = decode(&recording);
        let at = |x, on| Event { t: 2 * 4096 + 3, x, y: 9, on };
        let off = [20, 31, 32, 39, 40].map(|x| at(x, false));
        assert_eq!(events, [&[at(0x40A, true)][..], &off].concat());
        assert_eq!(decoder.skipped(), Skipped { untimed: 6, other: 10, tail: 1, ..Skipped::default() });
        assert_eq!(decoder.time(), Some(2 * 4096 + 3));
    }

    /// Row and base of a finished recording are not those of the next one.
    #[test]
    fn what_a_recording_left_is_not_read_on() {
        let mut decoder = Evt3::new();
        let first = bytes(&[0x8001, 0x6001, 0x0005, 0x3007, 0x2007]);
        assert_eq!(decoder.events(&first).count(), 1);
        decoder.finish();
        let second = bytes(&[0x8001, 0x6002, 0x2007, 0x4001, 0x0006, 0x4001, 0x2008]);
        let events: Vec<_> = decoder.events(&second).collect();
        assert_eq!(events, [Event { t: 4098, x: 8, y: 6, on: false }]);
        assert_eq!(decoder.skipped(), Skipped { untimed: 6, ..Skipped::default() });
    }

    /// A time high told again shows that the clock is right, in a burst of events as word by word.
    #[test]
    fn after_a_time_told_again_not_every_time_is_believed() {
        let words = bytes(&[0xE000, 0x0005, 0x2007, 0x8001, 0x2007, 0x2007, 0x8801, 0x2007]);
        for piece in [1, 2, words.len()] {
            let mut decoder = Evt3::new();
            assert_eq!(decoder.events(&bytes(&[0xE000, 0x8001, 0x0005, 0x2007])).count(), 1);
            decoder.finish();
            let mut times = Vec::new();
            words.chunks(piece).for_each(|piece| decoder.feed(piece, |event| times.push(event.t)));
            assert_eq!(times, [4096; 4], "in pieces of {piece}");
            assert_eq!(decoder.skipped(), Skipped { other: 4, unconfirmed: 1, ..Skipped::default() });
        }
    }

    #[test]
    fn a_time_high_starts_a_new_low_and_one_told_again_does_not() {
        assert_eq!(times(&[0x8001, 0x6FF0, 0x8001, 0x6FF1]), (vec![4096, 8176, 8176, 8177], 0));
        assert_eq!(times(&[0x8001, 0x6FF0, 0x8002, 0x6001]), (vec![4096, 8176, 8192, 8193], 0));
    }

    /// A stale time low after a repeated time high does not cause a drift of 4096 us, as it does in some libraries.
    #[test]
    fn a_stale_low_is_no_overflow() {
        let stale = [0x8001, 0x6064, 0x8001, 0x605A, 0x6065, 0x8002, 0x6001];
        assert_eq!(times(&stale), (vec![4096, 4196, 4196, 4186, 4197, 8192, 8193], 1));
        let many: Vec<u16> = [0x8001].into_iter().chain([0x6064, 0x8001, 0x605A].repeat(1000)).collect();
        let (times, backward) = times(&many);
        assert_eq!((times.iter().max(), backward), (Some(&4196), 1000));
    }

    #[test]
    fn a_wrap_is_a_decrease_of_nearly_all() {
        const WRAP: u64 = 1 << 24;
        let cases: [(&[u16], u64, u32); 7] = [
            (&[0x8FFF, 0x6FFF, 0x8000, 0x6000], WRAP, 0),
            (&[0x8FFF, 0x8000, 0x8FFF, 0x8000], WRAP, 1), // back over the wrap, and over it again
            (&[0x8FF5, 0x6FFF, 0x8000], WRAP, 0),         // a decrease of 4085 units
            (&[0x8FF4, 0x6FFF, 0x8000, 0x8000], 0, 1),    // of 4084: a restart, once it is confirmed
            (&[0x8000, 0x8FFF, 0x8FFF], 4095 * 4096, 0),
            (&[0x8800, 0x8000, 0x8000], 0, 1),
            (&[0x8FFF, 0x8000, 0x8800, 0x8800, 0x8FFF, 0x8FFF, 0x8000], 2 * WRAP, 0),
        ];
        for (words, last, backward) in cases {
            let (times, found) = times(words);
            assert_eq!((times.last(), found), (Some(&last), backward), "{words:04X?}");
        }
    }

    /// A flipped bit of a time high, and what a jump does: a time low that decreases belongs to the time high before it.
    #[test]
    fn a_time_high_far_from_the_clock_is_confirmed_first() {
        let cases: [(&[u16], &[u64], Skipped); 4] = [
            (
                &[0x8001, 0x6FF0, 0x8802, 0x6003, 0x8002, 0x6004],
                &[4096, 8176, 8176, 8176, 8192, 8196],
                Skipped { unconfirmed: 1, ..Skipped::default() },
            ),
            (
                &[0x8001, 0x6010, 0x8801, 0x6020, 0x8001, 0x6030],
                &[4096, 4112, 4112, 4128, 4128, 4144],
                Skipped { unconfirmed: 1, ..Skipped::default() },
            ),
            (
                &[0x8001, 0x6010, 0x8801, 0x8201, 0x8001],
                &[4096, 4112, 4112, 4112, 4112],
                Skipped { unconfirmed: 2, ..Skipped::default() },
            ),
            (
                &[0x8001, 0x6010, 0x8801, 0x6020, 0x8802],
                &[4096, 4112, 4112, 4128, 0x802 << 12],
                Skipped { early: 2, ..Skipped::default() },
            ),
        ];
        for (words, expected, counted) in cases {
            let words: Vec<u16> = [0x0005].into_iter().chain(words.iter().flat_map(|word| [*word, 0x2007])).collect();
            let (events, decoder) = decode(&bytes(&words));
            let times: Vec<u64> = events.iter().map(|event| event.t).collect();
            assert_eq!((&times[..], decoder.skipped()), (expected, counted), "{words:04X?}");
        }
    }

    #[test]
    fn a_lost_byte_costs_the_events_up_to_the_next_time_high() {
        let words: Vec<u16> = (0..2000_u16)
            .flat_map(|i| [0x8000 + i / 100, 0x6000 + i % 100 * 37, i % 480, 0x2000 + i * 7 % 640])
            .collect();
        let whole = bytes(&words);
        let (events, _) = decode(&whole);
        let mut damaged = whole.clone();
        damaged.remove(4001);
        let (decoded, decoder) = decode(&damaged);
        assert_eq!(decoded[..500], events[..500], "before the damage");
        assert_eq!(decoded[decoded.len() - 1450..], events[550..], "after it");
        assert!(decoder.skipped().garbage > 30 && decoder.skipped().garbage < 400, "{:?}", decoder.skipped());
    }

    #[test]
    fn headers_end_where_data_begins() {
        type Case<'a> = (&'a [u8], Option<(usize, usize)>);
        let cases: [Case<'_>; 5] = [
            (b"", None),
            (b"% evt 3.0\n% end\n", None),
            (b"% format EVT3;height=720;width=1280\n% geometry 1280x720\r\n% end\n", Some((1280, 720))),
            (b"% Date 2020-09-25 07:48:31\n", None),
            (b"% end\n", None),
        ];
        // The first byte of the data is a %: the low one of a time high, and of words that nothing comes of.
        for data in [&[0x8125, 0x6001][..], &[0x2025, 0x8125, 0x6001], &[0x6125, 0x8125, 0x6001]] {
            for (header, geometry) in cases {
                let (events, decoder) = decode(&[header, &bytes(data), &bytes(&[3, 0x2804])].concat());
                assert_eq!(events, [Event { t: (0x125 << 12) + 1, x: 4, y: 3, on: true }], "{}", header.escape_ascii());
                assert_eq!(decoder.geometry().map(|size| (size.cols, size.rows)), geometry);
                assert_eq!(decoder.skipped().garbage, 0);
            }
        }
    }

    /// The table and the text above it, word by word.
    fn naive(words: &[u16]) -> (Vec<Event>, Skipped) {
        let (mut t, mut y, mut base, mut on) = (None::<u64>, None, None::<u16>, false);
        // Times high that are not believed, and the events since.
        let (mut far, mut early): (Vec<u64>, u32) = (Vec::new(), 0);
        let (mut events, mut skipped) = (Vec::new(), Skipped::default());
        for word in words {
            let before = events.len();
            let (low, pixel) = (word & 0xFFF, word & 0x7FF);
            match word >> 12 {
                0 => y = Some(pixel),
                2 if t.is_some() && y.is_some() => {
                    events.push(Event { t: t.unwrap(), x: pixel, y: y.unwrap(), on: word >> 11 & 1 == 1 });
                }
                2 => skipped.untimed += 2,
                3 => (base, on) = (Some(pixel), word >> 11 & 1 == 1),
                4 | 5 => {
                    let len = if word >> 12 == 4 { 12 } else { 8 };
                    match (t, y, base) {
                        (Some(t), Some(y), Some(base)) => events
                            .extend((0..len).filter(|i| low >> i & 1 == 1).map(|i| Event { t, x: base + i, y, on })),
                        _ => skipped.untimed += 2,
                    }
                    base = base.map(|base| base + len);
                }
                6 if !far.is_empty() && t.is_some_and(|t| u64::from(low) < t % 4096) => {}
                6 => {
                    let told = t.map(|t| t / 4096 * 4096 + u64::from(low));
                    skipped.backward += u32::from(told < t);
                    t = told;
                }
                8 => {
                    let low = u64::from(low) * 4096;
                    let wrap = 1 << 24;
                    t = Some(t.map_or(low, |t| {
                        if t % wrap / 4096 * 4096 == low {
                            (far, early) = (Vec::new(), 0);
                            return t;
                        }
                        let same = t / wrap * wrap + low;
                        let limit = (4095 - 10) * 4096;
                        let told = match same {
                            same if t / 4096 * 4096 >= same + limit => same + wrap,
                            same if same >= t / 4096 * 4096 + limit && same >= wrap => same - wrap,
                            same => same,
                        };
                        let near = |a: u64, b: u64| a.abs_diff(b) <= 244 * 4096;
                        if !near(told, t / 4096 * 4096) {
                            let around =
                                |last: u64| near(last, low) || near(last, low + wrap) || near(last + wrap, low);
                            let confirmed = far.last().is_some_and(|last| around(*last));
                            if !confirmed && far.len() < 2 {
                                skipped.unconfirmed += 1;
                                far.push(low);
                                return t;
                            }
                            skipped.unconfirmed -= u32::from(confirmed);
                            skipped.early += early;
                        }
                        (far, early) = (Vec::new(), 0);
                        skipped.backward += u32::from(told < t);
                        told
                    }));
                }
                _ => skipped.other += 2,
            }
            if !far.is_empty() {
                early += (events.len() - before) as u32;
            }
        }
        (events, skipped)
    }

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        #[test]
        fn as_the_naive_decoder(raw in prop::collection::vec(
            (prop::sample::select(vec![0_u16, 2, 2, 3, 4, 5, 6, 6, 7, 8, 8, 0xA, 0xE, 0xF]), 0_u16..0x1000, any::<bool>()),
            0..400,
        )) {
            // Times high at both ends of the clock.
            let word = |(kind, low, end)| kind << 12 | match kind {
                8 if end => 0xFFF - low % 20,
                8 => low % 20,
                _ => low,
            };
            // No line begins like that.
            let words: Vec<u16> = [0xE000].into_iter().chain(raw.into_iter().map(word)).collect();
            let (events, decoder) = decode(&bytes(&words));
            prop_assert_eq!((events, decoder.skipped()), naive(&words));
        }
    }
}
