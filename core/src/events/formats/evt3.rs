//! Prophesee EVT 3.0: a text [`Header`], then little-endian words of 16 bits that change a state.
//!
//! | bits 15..12 | 11 | 10..0 |
//! |---|---|---|
//! | `0x0` row | camera, not used | y of the events that follow |
//! | `0x2` event | 1 ON, 0 OFF | x of one event |
//! | `0x3` base | 1 ON, 0 OFF | x where the next vector begins |
//! | `0x4` vector of 12, `0x5` vector of 8 | bit i of 11..0, of 7..0: pixel (base + i, y) has an event | then base grows by 12, by 8 |
//! | `0x6` time low, `0x8` time high | bits 11..0, bits 23..12 of t, in 11..0 | |
//! | `0xA` trigger, `0xE` others, `0x7`, `0xF` continued | read over, counted as [`Skipped::other`] | |
//! | `0x9999` padding of some cameras | the same | |
//! | others | impossible | |
//!
//! **Time** `t = high << 12 | low`, in microseconds, wraps every 2^24 us (16.8 s). A new time high sets low to 0, since the
//! low of before belongs to another 4096 us. One that is told again changes nothing: were low set to 0, events between it and
//! the next time low would come up to 4 ms too early. A time low that decreases is not an overflow; sensors send a stale
//! one behind a repeated time high. It is taken as told and counted as [`Skipped::backward`]. A time high whose
//! decrease is 4095 - 10 units of 4096 us or more is a wrap, and `t` goes on growing; any other decrease is counted as
//! backwards. So no event drifts, but a gap of 16.7 s without a single time high cannot be seen.
//!
//! **Damage** can hardly be seen: 12 of 16 kinds are possible. What is seen is an impossible kind, which an odd number of lost
//! bytes leads to within a few words. Then everything is skipped up to the next time high at the byte alignment that made
//! sense for 16 words, and the row and base are forgotten; events before the next row are counted as [`Skipped::untimed`], as
//! are those before the first time. Not recovered: whole words that are lost, foreign or flipped go unseen, so that
//! events have a wrong row, base or time up to the next word that tells it; and lines of a second recording's header,
//! joined without [`Decode::finish`] between, are read as words, up to an event for each two characters.
//!
//! Cost: about 10 operations a word. State: 56 bytes, and the header's.
//! Reference: Prophesee, Metavision documentation, "EVT 3.0 format".

use super::burst::{self, Burst};
use super::clock::{Clock, continued};
use super::frame::{self, Frame, Words};
use crate::events::decode::count;
use crate::events::{Decode, Event, Geometry, Header, Skipped};
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
/// Not a word of the format, but some cameras fill their packets with it.
const PADDING: u16 = 0x9999;

/// Bit of a word that tells ON.
pub(super) const POLARITY: u16 = 1 << 11;
/// Bits of a coordinate.
pub(super) const PIXEL: u16 = 0x7FF;

/// Bytes of a word.
const WORD: usize = 2;
/// Bytes looked at for the beginning of a line.
const WINDOW: usize = 4;
/// Pixels of the largest vector.
const LONGEST: usize = 12;
/// Largest step of the time high, in its units of 4096 us, over a wrap: a decrease by 4095 - 10 is the smallest wrap.
pub(super) const NEAR: u64 = 4096 - (4095 - 10);

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
#[derive(Clone, Debug)]
pub struct Evt3 {
    frame: Frame<WORD, WINDOW>,
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
}

impl Default for Evt3 {
    fn default() -> Self {
        Self::new()
    }
}

impl Evt3 {
    /// At the start of a recording or of a sensor's stream.
    pub const fn new() -> Self {
        Self { frame: Frame::new(), t: Clock::NEVER, y: None, base: None, on: false, mask: 0, left: 0 }
    }

    /// What the header told so far.
    pub const fn header(&self) -> &Header {
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
        // Beyond all sensors it stops, so that a stream of nothing but vectors does not come round.
        self.base = Some(base.saturating_add(len));
        if self.t.get().is_none() || self.y.is_none() {
            count(&mut self.frame.skipped.untimed, WORD);
            return None;
        }
        (self.mask, self.left) = (mask, base.min(u16::MAX - len));
        self.pending()
    }

    fn set_time(&mut self, t: u64) {
        if self.t.set(t) {
            count(&mut self.frame.skipped.backward, 1);
        }
    }
}

impl Words<WORD, WINDOW> for Evt3 {
    fn frame(&mut self) -> &mut Frame<WORD, WINDOW> {
        &mut self.frame
    }

    fn word(&mut self, word: [u8; WORD]) -> Option<Event> {
        let bytes = word;
        let word = u16::from_le_bytes(bytes);
        let low = word & 0xFFF;
        match word >> 12 {
            EVENT => match (self.t.get(), self.y) {
                (Some(t), Some(y)) => return Some(Event { t, x: word & PIXEL, y, on: word & POLARITY != 0 }),
                _ => count(&mut self.frame.skipped.untimed, WORD),
            },
            ROW => self.y = Some(word & PIXEL),
            BASE => (self.base, self.on) = (Some(word & PIXEL), word & POLARITY != 0),
            VECTOR_12 => return self.vector(low, 12),
            VECTOR_8 => return self.vector(low & 0xFF, 8),
            TIME_LOW => {
                if let Some(t) = self.t.get() {
                    self.set_time(t & !0xFFF | u64::from(low));
                }
            }
            TIME_HIGH => match self.t.get() {
                None => self.set_time(u64::from(low) << 12),
                Some(t) if t >> 12 & 0xFFF == low.into() => {}
                Some(t) => self.set_time(continued::<12>(t >> 12, low.into(), NEAR) << 12),
            },
            TRIGGER | OTHERS | CONTINUED_4 | CONTINUED_12 => count(&mut self.frame.skipped.other, WORD),
            _ if word == PADDING => count(&mut self.frame.skipped.other, WORD),
            _ => self.frame.lose(WORD, &bytes),
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
            // They may have changed in what was lost.
            (self.y, self.base) = (None, None);
        }
        resumes
    }
}

impl Burst for Evt3 {
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
            match kind {
                // Three in one, in an order that nobody can foresee: choices cost less than branches.
                EVENT | ROW | TIME_LOW => {
                    let told = if kind == TIME_LOW { t & !0xFFF | u64::from(low) } else { t };
                    if told < t || told.wrapping_sub(times.start) >= len {
                        break;
                    }
                    t = told;
                    y = if kind == ROW { word & PIXEL } else { y };
                    sink(Event { t, x: word & PIXEL, y, on: word & POLARITY != 0 }, kind == EVENT);
                    events += usize::from(kind == EVENT);
                }
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
                TIME_HIGH if t >> 12 & 0xFFF == low.into() => {}
                _ => break,
            }
            left = rest;
        }
        *bytes = left;
        self.t.set(t);
        (self.y, self.base, self.on) = (Some(y), base, on);
        events
    }
}

impl Decode for Evt3 {
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
