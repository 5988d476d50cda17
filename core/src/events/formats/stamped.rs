//! Words of 64 bits, half of them a time and half a pixel's address: what [DAT](super::dat) and [AEDAT
//! 2](super::aedat2) share.
//!
//! **Time** in microseconds wraps every 2^32 us (71.6 min). A time up to 67 s ahead of the last one, modulo 2^32 us,
//! continues it over the wrap. Any decrease is counted as [`Skipped::backward`].
//!
//! **Damage** shows as an impossible address, or as a time 1 s or more before the last one, or more than 67 s after it.
//! Such a word is held back, and the next ones show what it was:
//!
//! - One that continues from the last event within 1.05 s shows that the alignment is right: the words between are
//!   garbage, and nothing else is lost.
//! - Two plausible events in a row, the second within 1.05 s of the first, are a **reset**: the clock restarted. The
//!   first was not damage, and time continues from there; the step back is counted as [`Skipped::backward`]. After a
//!   **jump** ahead of more than 67 s, the second may come up to 67 s after the first. An event with more than 67 s of
//!   silence on both sides is not told from damage, and lost.
//! - After 16 words of which none is plausible, and where words are implausible too often (more than 3 among some 16,
//!   or one among the 16 after a reset), the alignment is lost. Then everything is skipped up to the plausible byte
//!   alignment: the one that had 16 words in a row with likely addresses, each less than 1.05 s after the one before,
//!   and no fewer than any other.
//!
//! Bytes that are lost or inserted therefore cost some 32 events after them. Words at the wrong alignment are decoded
//! as events until one of them is impossible, usually the very next. A flipped bit of a coordinate, or of a time that
//! goes ahead by 67 s or less, cannot be detected; the next time goes back, so that no other event is wrong.
//!
//! Cost: about 10 operations per event. State: 96 bytes, and the header's.

use super::align::Trouble;
use super::burst::{self, Burst};
use super::clock::{Clock, continued};
use super::frame::{self, Frame, Start, Words};
use crate::events::decode::count;
use crate::events::{Decode, Event, Geometry, Header, Skipped};
use core::ops::Range;

/// Bytes of a word.
pub(super) const WORD: usize = 8;
/// Two words: the one that came before shows whether a time is plausible.
const WINDOW: usize = 2 * WORD;
/// Microseconds ahead that are continued over a wrap, and that are plausible.
pub(super) const NEAR: u64 = 1 << 26;
/// Microseconds back in time that no camera's recording has.
pub(super) const FAR_BACK: u64 = 1_000_000;
/// Microseconds between neighbouring words in a plausible sequence.
const STEP: u32 = 1 << 20;
/// Implausible words in a row before the alignment is lost.
const DOUBT: u8 = 16;

/// How a format writes a pixel's address, and the text before the words.
pub(super) trait Address: Default {
    /// The time and the address of a word.
    fn split(word: [u8; WORD]) -> (u32, u32);

    /// The kind of `first`, the first bytes where text may begin, with `header` as read so far.
    fn start(&mut self, first: &[u8], header: &Header) -> Start;

    /// Whether `word` is the beginning of another recording's text.
    fn is_text(&self, word: [u8; WORD]) -> bool;

    /// Whether a word has such an address.
    fn is_possible(&self, address: u32) -> bool;

    /// Whether an address is that of an event, but outside the camera's sensor.
    fn is_outside(&self, address: u32) -> bool {
        let _ = address;
        false
    }

    /// Whether a word whose alignment is not known may be believed to have such an address.
    fn is_likely(&self, address: u32, geometry: Option<Geometry>) -> bool;

    /// Whether a word whose alignment is not known is a pixel's event in all of its bits.
    fn is_certain(&self, address: u32, geometry: Option<Geometry>) -> bool {
        self.is_likely(address, geometry) && self.pixel(address).is_some()
    }

    /// Size of the sensor, with `header` as read so far.
    fn geometry(&self, header: &Header) -> Option<Geometry> {
        header.geometry()
    }

    /// Column, row and polarity, if the address is that of a pixel's event.
    fn pixel(&self, address: u32) -> Option<(u16, u16, bool)>;
}

/// Streaming decoder of [DAT](super::Dat) and [AEDAT 2](super::Aedat2), which differ in `A`.
#[derive(Clone, Debug)]
pub struct Stamped<A> {
    frame: Frame<WORD, WINDOW>,
    /// The last word's time.
    t: Clock,
    trouble: Trouble,
    pub(super) address: A,
}

impl<A> Stamped<A> {
    pub(super) const fn of(address: A) -> Self {
        Self { frame: Frame::new(Header::new()), t: Clock::NEVER, trouble: Trouble::NONE, address }
    }

    /// The header read so far.
    pub const fn header(&self) -> &Header {
        &self.frame.header
    }

    fn time_of(&self, told: u32) -> u64 {
        self.t.get().map_or(told.into(), |t| continued::<32>(t, told.into(), NEAR))
    }

    /// Whether a time follows the last one so closely that its alignment must be right: of other bytes one in 4096
    /// does.
    fn goes_on(&self, told: u32) -> bool {
        self.t.get().is_some_and(|last| told.wrapping_sub(last as u32) < STEP)
    }

    /// Whether no camera's recording has such a step from the last time to `t`.
    fn is_far(&self, t: u64) -> bool {
        self.t.get().is_some_and(|last| last.saturating_sub(t) >= FAR_BACK || t.saturating_sub(last) > NEAR)
    }

    fn set_time(&mut self, t: u64) {
        if self.t.set(t) {
            count(&mut self.frame.skipped.backward, 1);
        }
    }
}

impl<A: Address> Words<WORD, WINDOW> for Stamped<A> {
    type Lines = Header;

    fn frame(&mut self) -> &mut Frame<WORD, WINDOW> {
        &mut self.frame
    }

    fn start(&mut self, first: &[u8]) -> Start {
        self.address.start(first, &self.frame.header)
    }

    fn word(&mut self, word: [u8; WORD]) -> Option<Event> {
        let (told, address) = A::split(word);
        if self.address.is_text(word) {
            self.frame.line(word);
            return None;
        }
        if self.frame.in_doubt() {
            return doubted(self, told, address);
        }
        let t = self.time_of(told);
        let is_possible = self.address.is_possible(address) && !self.is_far(t);
        if !is_possible {
            if self.trouble.add() {
                self.frame.lose(WORD, &word);
                return None;
            }
            if !self.address.is_outside(address) || !self.goes_on(told) {
                self.frame.doubt(word, DOUBT);
                return None;
            }
        }
        self.trouble.less(is_possible.into());
        event(self, t, address)
    }

    fn possible(&self, window: &[u8; WINDOW]) -> bool {
        let [before, word] = window.as_chunks().0 else { return false };
        let ((before, _), (told, address)) = (A::split(*before), A::split(*word));
        self.address.is_likely(address, self.header().geometry()) && told.wrapping_sub(before) < STEP
    }

    fn resumes(&mut self, word: [u8; WORD]) -> bool {
        self.set_time(self.time_of(A::split(word).0));
        true
    }
}

/// The event of a plausible word.
fn event<A: Address>(decoder: &mut Stamped<A>, t: u64, address: u32) -> Option<Event> {
    decoder.set_time(t);
    let event = decoder.address.pixel(address).map(|(x, y, on)| Event { t, x, y, on });
    let skipped = &mut decoder.frame.skipped;
    match event {
        Some(_) => {}
        None if decoder.address.is_outside(address) => count(&mut skipped.outside, 1),
        None => count(&mut skipped.other, WORD),
    }
    event
}

/// A word after an implausible one: the newest in the window.
fn doubted<A: Address>(decoder: &mut Stamped<A>, told: u32, address: u32) -> Option<Event> {
    let makes_sense = decoder.address.is_possible(address) || decoder.address.is_outside(address);
    if makes_sense && decoder.goes_on(told) {
        decoder.frame.settle();
        return event(decoder, decoder.time_of(told), address);
    }
    let (window, geometry) = (*decoder.frame.window(), decoder.header().geometry());
    if let Some(before) = window.first_chunk()
        && let (first, held) = A::split(*before)
        && decoder.address.is_certain(held, geometry)
        && decoder.address.is_certain(address, geometry)
        && let is_ahead = decoder.t.get().is_some_and(|last| decoder.time_of(first) > last)
        && u64::from(told.wrapping_sub(first)) < if is_ahead { NEAR } else { STEP.into() }
    {
        decoder.frame.settle_before();
        decoder.trouble.fill();
        return event(decoder, decoder.time_of(first), held);
    }
    decoder.frame.doubt_more();
    None
}

impl<A: Address> Burst for Stamped<A> {
    #[inline]
    fn burst(&mut self, bytes: &mut &[u8], times: Range<u64>, room: usize, mut sink: impl FnMut(Event, bool)) -> usize {
        let (true, Some(mut t)) = (self.frame.in_step(), self.t.get()) else { return 0 };
        let len = times.end.saturating_sub(times.start);
        let (mut left, mut events) = (*bytes, 0);
        while events < room
            && let Some((&word, rest)) = left.split_first_chunk()
            && let (told, address) = A::split(word)
            && let Some((x, y, on)) = self.address.pixel(address)
            && let ahead = told.wrapping_sub(t as u32)
            && u64::from(ahead) < NEAR
            && let now = t.wrapping_add(ahead.into())
            && now.wrapping_sub(times.start) < len
            && !self.address.is_text(word)
        {
            t = now;
            sink(Event { t, x, y, on }, true);
            events += 1;
            left = rest;
        }
        *bytes = left;
        self.t.set(t);
        self.trouble.less(events);
        events
    }
}

impl<A: Address> Decode for Stamped<A> {
    fn next_event(&mut self, bytes: &mut &[u8]) -> Option<Event> {
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
    }

    fn begin_words(&mut self) {
        // Takes over what the last line gave.
        self.start(&[]);
        self.frame.begin_words();
    }

    fn front(bytes: &[u8]) -> Option<usize> {
        frame::front(Self::of(A::default()), bytes)
    }

    fn holds_back(&self) -> bool {
        self.frame.in_doubt()
    }

    fn skipped(&self) -> Skipped {
        self.frame.skipped
    }

    fn time(&self) -> Option<u64> {
        self.t.get()
    }

    fn geometry(&self) -> Option<Geometry> {
        self.address.geometry(self.header())
    }
}
