//! A decoder takes bytes in chunks of any length and gives events: the same events for any chunking.
//!
//! The primitive is to pull one event: [`Decode::next_event`] takes the bytes that it needs from the front of a slice.
//! The other forms are loops around it: an iterator ([`Decode::events`]), a callback ([`Decode::feed`]) and a buffer to
//! fill ([`Decode::fill`]). Where many events share a time bin, [`Decode::run`] is faster. The trait is dyn-compatible;
//! through a `&mut dyn Decode` use `fill`, which costs one virtual call per buffer.

use super::{Event, Geometry};
use core::ops::Range;

/// A streaming decoder of events.
///
/// ```
/// use foveola_core::events::{Decode, Evt2};
///
/// let bytes = b"\x01\x00\x00\x80\x01\x08\x80\x10\x00\x08\x00\x05";
/// let mut decoder = Evt2::new();
/// let whole: Vec<_> = decoder.events(bytes).collect();
///
/// let mut decoder = Evt2::new();
/// let mut pieces = Vec::new();
/// for piece in bytes.chunks(5) {
///     decoder.feed(piece, |event| pieces.push(event));
/// }
/// decoder.finish();
/// assert_eq!(pieces, whole);
/// assert_eq!(decoder.skipped().bytes(), 0);
/// ```
pub trait Decode {
    /// Takes bytes from the front of `bytes` up to the next event, or all of them when there is none.
    fn next_event(&mut self, bytes: &mut &[u8]) -> Option<Event>;

    /// Ends the stream: the bytes of an unfinished word are counted as [`Skipped::tail`] and discarded. Bytes fed
    /// afterwards start with a new word, under the same clock.
    fn finish(&mut self);

    /// What was skipped so far, and why.
    fn skipped(&self) -> Skipped;

    /// The stream's time so far in microseconds. It advances without events in formats with words for it. `None` before
    /// the first time.
    fn time(&self) -> Option<u64>;

    /// Size of the sensor, once the stream has given it.
    fn geometry(&self) -> Option<Geometry> {
        None
    }

    /// Bytes of text before the first word of a recording that begins with `bytes`; `None` when the text continues
    /// after them. For callers that start in the middle of a file: words lie at multiples of their size from there on.
    ///
    /// ```
    /// use foveola_core::events::{Decode, Evt2};
    /// assert_eq!(Evt2::front(b"% evt 2.0\n% end\n\x01\x00\x00\x80"), Some(16));
    /// assert_eq!(Evt2::front(b"% evt 2.0\n% en"), None);
    /// ```
    fn front(bytes: &[u8]) -> Option<usize>
    where
        Self: Sized,
    {
        let _ = bytes;
        Some(0)
    }

    /// Whether words are first counted as [`Skipped::garbage`] and taken back if the next words show that they were
    /// valid.
    fn holds_back(&self) -> bool {
        false
    }

    /// Declares the next byte the first of a word: for callers that start in the middle of a file, after the text of
    /// [`Decode::front`]. Without this call, a word that looks like text is taken for more of it.
    fn begin_words(&mut self) {}

    /// Decodes into `events` until it is full or `bytes` is empty, and returns how many were written. A word may hold
    /// several events, so some may be left when all bytes are taken: only a result of 0 means that there are no more.
    ///
    /// ```
    /// use foveola_core::events::{Decode, Event, NMnist};
    /// let mut decoder: Box<dyn Decode> = Box::new(NMnist::new());
    /// let mut bytes = &[7, 15, 128, 2, 142, 19, 18, 0, 11, 183][..];
    /// let mut events = [Event { t: 0, x: 0, y: 0, on: false }; 1];
    /// assert_eq!(decoder.fill(&mut bytes, &mut events), 1);
    /// assert_eq!((events[0], bytes.len()), (Event { t: 654, x: 7, y: 15, on: true }, 5));
    /// ```
    fn fill(&mut self, bytes: &mut &[u8], events: &mut [Event]) -> usize {
        let mut rest = *bytes; // kept in a register
        let mut written = 0;
        for slot in events {
            let Some(event) = self.next_event(&mut rest) else { break };
            // Field by field: copied as a whole, an event goes through memory, at a third of the speed.
            let Event { t, x, y, on } = event;
            (slot.t, slot.x, slot.y, slot.on) = (t, x, y, on);
            written += 1;
        }
        *bytes = rest;
        written
    }

    /// Decodes all of `bytes` and calls `sink` with each event.
    fn feed(&mut self, mut bytes: &[u8], mut sink: impl FnMut(Event))
    where
        Self: Sized,
    {
        while let Some(event) = self.next_event(&mut bytes) {
            sink(event);
        }
    }

    /// Takes events from the front of `bytes` while they lie in `times` (microseconds), calls `sink` with the column,
    /// row and polarity of each, and returns their number. It may stop earlier; [`Decode::next_event`] gives what comes
    /// next. Most events of a bin therefore take a short loop that keeps nothing in memory.
    ///
    /// ```
    /// use foveola_core::events::{Decode, Evt2};
    /// let mut decoder = Evt2::new();
    /// decoder.feed(&0x8000_0001_u32.to_le_bytes(), |_| ()); // 64 us
    /// let words = [0x1080_1802_u32, 0x0100_0803, 0x1200_0000].map(u32::to_le_bytes); // at 66, 68 and 72 us
    /// let (mut bytes, mut pixels) = (words.as_flattened(), Vec::new());
    /// assert_eq!(decoder.run(&mut bytes, 60..70, |x, y, on| pixels.push((x, y, on))), 2);
    /// assert_eq!((pixels, bytes.len()), (vec![(3, 2, true), (1, 3, false)], 4));
    /// ```
    fn run(&mut self, bytes: &mut &[u8], times: Range<u64>, sink: impl FnMut(u16, u16, bool)) -> usize
    where
        Self: Sized,
    {
        let _ = (bytes, times, sink);
        0
    }

    /// The events of `bytes`, decoded as they are asked for.
    fn events<'a>(&'a mut self, bytes: &'a [u8]) -> Events<'a, Self>
    where
        Self: Sized,
    {
        Events { decoder: self, bytes }
    }
}

impl<D: Decode + ?Sized> Decode for &mut D {
    fn next_event(&mut self, bytes: &mut &[u8]) -> Option<Event> {
        (**self).next_event(bytes)
    }

    fn finish(&mut self) {
        (**self).finish();
    }

    fn skipped(&self) -> Skipped {
        (**self).skipped()
    }

    fn time(&self) -> Option<u64> {
        (**self).time()
    }

    fn geometry(&self) -> Option<Geometry> {
        (**self).geometry()
    }

    fn holds_back(&self) -> bool {
        (**self).holds_back()
    }

    fn begin_words(&mut self) {
        (**self).begin_words();
    }

    fn fill(&mut self, bytes: &mut &[u8], events: &mut [Event]) -> usize {
        (**self).fill(bytes, events)
    }
}

/// Iterator over the events of a slice of bytes, made by [`Decode::events`].
#[derive(Debug)]
pub struct Events<'a, D> {
    decoder: &'a mut D,
    bytes: &'a [u8],
}

impl<'a, D> Events<'a, D> {
    /// The bytes that were not decoded yet: not empty when the iterator is left early.
    pub const fn rest(&self) -> &'a [u8] {
        self.bytes
    }
}

impl<D: Decode> Iterator for Events<'_, D> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.decoder.next_event(&mut self.bytes)
    }
}

/// What a decoder skipped, by reason, in bytes of the stream. The counters stop at `u32::MAX`.
///
/// Bytes in = bytes of headers, time words and events (those outside the camera's sensor included) +
/// [`Skipped::bytes`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Skipped {
    /// Bytes from an impossible word until the decoder has found the alignment again.
    pub garbage: u32,
    /// Bytes of events before the first word with the time or, in EVT 3.0, the row or a vector's base.
    pub untimed: u32,
    /// Bytes of well-formed words that are not pixel events: external triggers, vendors' words.
    pub other: u32,
    /// Bytes of the unfinished word at the end.
    pub tail: u32,
    /// How often (not bytes) the clock ran backwards without wrapping. Nothing is skipped: the events are delivered
    /// with the time that the stream gives them.
    pub backward: u32,
    /// How many times (not bytes) were so far from the clock that the next one had to confirm them, which it did not:
    /// damage. Events up to the next time have the clock's time before.
    pub unconfirmed: u32,
    /// How many events (not bytes) came between a time far from the clock and the one that confirmed it. They are
    /// delivered with the clock's time before.
    pub early: u32,
    /// How many events (not bytes) have an address outside the camera's sensor, in formats whose addresses count from
    /// another corner than [`Event`] does. Such an event cannot be delivered.
    pub outside: u32,
}

impl Skipped {
    /// Nothing yet.
    pub(super) const NOTHING: Self =
        Self { garbage: 0, untimed: 0, other: 0, tail: 0, backward: 0, unconfirmed: 0, early: 0, outside: 0 };

    /// Bytes skipped for any reason.
    pub const fn bytes(&self) -> u64 {
        self.garbage as u64 + self.untimed as u64 + self.other as u64 + self.tail as u64
    }

    /// Every counter with its name in words, for a report.
    ///
    /// ```
    /// use foveola_core::events::{Decode, Evt2};
    /// let mut decoder = Evt2::new();
    /// decoder.feed(b"no recording", |_| ());
    /// assert_eq!(decoder.skipped().reasons()[0], ("bytes of garbage", 12));
    /// ```
    pub const fn reasons(&self) -> [(&'static str, u32); 8] {
        [
            ("bytes of garbage", self.garbage),
            ("bytes of events before the first time", self.untimed),
            ("bytes of triggers and other words", self.other),
            ("bytes of an unfinished last word", self.tail),
            ("times the clock ran backwards", self.backward),
            ("times far from the clock that the next did not confirm", self.unconfirmed),
            ("events before the time that confirmed a jump of the clock", self.early),
            ("events outside of the camera's sensor", self.outside),
        ]
    }
}

/// `*counter += n`, stopping at the largest number.
pub(super) const fn count(counter: &mut u32, n: usize) {
    // Lossless: `n` is the length of a word or of a header line.
    *counter = counter.saturating_add(n as u32);
}
