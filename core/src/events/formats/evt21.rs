//! Prophesee EVT 2.1: a text [`Header`], then words of 64 bits, each a vector of up to 32 events.
//!
//! | bits 63..60 | 59..54 | 53..43 | 42..32 | 31..0 |
//! |---|---|---|---|---|
//! | `0x0` OFF, `0x1` ON | low 6 bits of t | x | y | bit i: pixel (x + i, y) has an event |
//! | `0x8` time high | bits 33..6 of t, down to bit 32 | | | not used |
//! | `0xA` trigger, `0xE` others, `0xF` continued | skipped, counted as [`Skipped::other`] | | | |
//! | others | impossible | | | |
//!
//! **Byte order**: two are in use ([`Order`]): a whole little-endian word (`GenX320`), or two little-endian halves,
//! upper first, "legacy" (`IMX636`). The caller's order has priority ([`Evt21::with_order`]), then the header's
//! (`endianness=`), then that of the first word that is a time high in one order and not in the other: sensors begin
//! with a time high, and nothing before it could be delivered anyway. For whole files, [`Order::detect`] looks at many
//! words and is more reliable.
//!
//! **Time** is that of [EVT 2.0](super::evt2): `high << 6 | low`, continued over the wrap every 2^34 us for steps of
//! 8.4 s or less; one of more than 1.05 s is believed only when the next time high confirms it.
//!
//! **Damage** shows as an impossible word. A single one costs 8 bytes where a time high within 1.05 s of the clock
//! follows among the next 128 words, as it does from all sensors. After a second one before that, a fourth with few
//! times high since the first, or 128 words without a time high, everything is skipped up to the next time high at the
//! byte alignment that was plausible for 16 words. At a wrong alignment, bits of masks and coordinates are taken for
//! kinds. Usually one of some ten words is then impossible, and those before are decoded as events. Where such bits are
//! 0 in all vectors (sensors begin them at multiples of 32) the first impossible word may take 0.8 s to come. A flipped
//! bit in a mask is an event more or less, and cannot be detected. A word with an empty mask is neither an event nor
//! damage.
//!
//! Cost: about 10 operations per event. State: 104 bytes, and the header's.
//! Reference: Prophesee, Metavision documentation, "EVT 2.1 format".

use super::align::Trouble;
use super::clock::{Clock, is_far, steps};
use super::evt2::{CONTINUED, HIGH, NEAR, OFF, ON, OTHERS, STEPS, SURE, TIME_HIGH, TRIGGER, is_possible};
use super::frame::{self, Frame, Words};
use crate::events::decode::count;
use crate::events::{Decode, Event, Geometry, Header, Lines, Live, NoHeader, OtherState, Skipped};

/// Bytes of a word.
const WORD: usize = 8;
/// Words after an impossible one among which a time high must come: at a wrong alignment most words look like vectors.
const UNSURE: u8 = 128;

/// Byte order in a word of EVT 2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// One little-endian number of 64 bits.
    Little,
    /// Two little-endian numbers of 32 bits, the upper half first.
    Legacy,
}

impl Order {
    /// The upper and the lower half of a word.
    #[inline]
    pub(super) const fn halves(self, word: [u8; WORD]) -> [u32; 2] {
        let [a, b, c, d, e, f, g, h] = word;
        let (first, second) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        match self {
            Self::Little => [second, first],
            Self::Legacy => [first, second],
        }
    }

    /// The bytes of a word of two halves, the upper one first.
    pub(super) const fn bytes(self, [upper, lower]: [u32; 2]) -> [u8; WORD] {
        match self {
            Self::Little => (((upper as u64) << 32) | lower as u64).to_le_bytes(),
            Self::Legacy => (((lower as u64) << 32) | upper as u64).to_le_bytes(),
        }
    }

    /// The order, if it is known, in a word.
    pub(super) const fn save(order: Option<Self>) -> u32 {
        match order {
            None => 0,
            Some(Self::Little) => 1,
            Some(Self::Legacy) => 2,
        }
    }

    /// Reads what [`Order::save`] wrote.
    pub(super) const fn restore(word: u32) -> Option<Self> {
        match word {
            1 => Some(Self::Little),
            2 => Some(Self::Legacy),
            _ => None,
        }
    }

    /// Whether the word has a kind that the format knows, in this order.
    pub const fn is_possible(self, word: [u8; WORD]) -> bool {
        let [upper, _] = self.halves(word);
        is_possible(upper >> 28)
    }

    /// The only order in which all of `bytes` are possible words with a time high among them; `None` when both are, or
    /// none. Pass it many words, and no header.
    ///
    /// ```
    /// use foveola_core::events::Order;
    /// let words = [[0, 0, 0, 0, 9, 0, 0, 0x80], [0, 0, 0, 0xC0, 2, 8, 0, 0x10]];
    /// assert_eq!(Order::detect(words.as_flattened()), Some(Order::Little));
    /// ```
    pub fn detect(bytes: &[u8]) -> Option<Self> {
        let fits = |order: Self| {
            let mut kinds = bytes.as_chunks().0.iter().map(|word| order.halves(*word)[0] >> 28);
            kinds.clone().all(is_possible) && kinds.any(|kind| kind == TIME_HIGH)
        };
        match (fits(Self::Little), fits(Self::Legacy)) {
            (true, false) => Some(Self::Little),
            (false, true) => Some(Self::Legacy),
            _ => None,
        }
    }
}

/// Streaming decoder of EVT 2.1; see the [format](self).
///
/// ```
/// use foveola_core::events::{Decode, Event, Evt21};
/// let mut decoder = Evt21::new();
/// let words = [[0, 0, 0, 0, 1, 0, 0, 0x80], [0b101, 0, 0, 0, 2, 0x18, 0x80, 0x10]];
/// let events: Vec<_> = decoder.events(words.as_flattened()).collect();
/// let event = Event { t: 64 + 2, x: 3, y: 2, on: true };
/// assert_eq!(events, [event, Event { x: 5, ..event }]);
/// ```
pub type Evt21 = Evt21Of<Header>;

/// [`Evt21`] for a sensor that sends no text: the program has no code for a header. Text is damage here.
///
/// ```
/// use foveola_core::events::{Decode, Evt21, LiveEvt21};
/// let words = [[0, 0, 0, 0, 1, 0, 0, 0x80], [0b101, 0, 0, 0, 2, 0x18, 0x80, 0x10]];
/// assert!(LiveEvt21::new().events(words.as_flattened()).eq(Evt21::new().events(words.as_flattened())));
/// ```
pub type LiveEvt21 = Evt21Of<NoHeader>;

/// [`Evt21`] or [`LiveEvt21`].
#[derive(Clone, Debug)]
pub struct Evt21Of<H> {
    frame: Frame<WORD, WORD, H>,
    order: Option<Order>,
    /// Time in units of 64 us, continued over wraps.
    high: Clock,
    /// The upper half of the last vector, and which of its events are still to be delivered.
    upper: u32,
    mask: u32,
    /// Impossible words, minus times high.
    trouble: Trouble,
    /// The largest step of the time high that is believed at once, in its units.
    largest: u32,
}

impl<H: Lines> Default for Evt21Of<H> {
    fn default() -> Self {
        Self::of(None, H::start())
    }
}

impl Evt21Of<Header> {
    /// At the start of a recording or of a sensor's stream, whose byte order is detected.
    pub const fn new() -> Self {
        Self::of(None, Header::new())
    }

    /// At the start of a recording or of a stream in a known byte order, whatever a header says.
    pub const fn with_order(order: Order) -> Self {
        Self::of(Some(order), Header::new())
    }
}

impl Evt21Of<NoHeader> {
    /// At the start of a recording or of a sensor's stream, whose byte order is detected.
    pub const fn new() -> Self {
        Self::of(None, NoHeader)
    }

    /// At the start of a recording or of a stream in a known byte order, whatever a header says.
    pub const fn with_order(order: Order) -> Self {
        Self::of(Some(order), NoHeader)
    }
}

impl<H: Lines> Evt21Of<H> {
    const fn of(order: Option<Order>, header: H) -> Self {
        Self {
            frame: Frame::new(header),
            order,
            high: Clock::NEVER,
            upper: 0,
            mask: 0,
            trouble: Trouble::NONE,
            largest: SURE,
        }
    }

    /// Believes a step of the time high at once only up to `us` microseconds, as
    /// [`Evt2::largest_step`](super::Evt2::largest_step).
    #[must_use]
    pub const fn largest_step(mut self, us: u64) -> Self {
        self.largest = steps(us / 64, STEPS);
        self
    }

    /// The header read so far.
    pub const fn header(&self) -> &H {
        &self.frame.header
    }

    /// The byte order, once it is known.
    pub const fn order(&self) -> Option<Order> {
        self.order
    }

    /// The next event of the last vector, whose time high is `high`.
    #[inline]
    fn pending(&mut self, high: u64) -> Event {
        let (upper, i) = (self.upper, self.mask.trailing_zeros());
        self.mask &= self.mask.wrapping_sub(1);
        Event {
            t: high << 6 | u64::from(upper >> 22 & 0x3F),
            x: (upper >> 11 & 0x7FF).wrapping_add(i) as u16, // 2047 + 31 at most
            y: (upper & 0x7FF) as u16,
            on: upper >> 28 == ON,
        }
    }

    /// Whether a time high is so close to the clock that its alignment must be right.
    fn is_sure(&self, upper: u32) -> bool {
        self.high.get().is_some_and(|high| !is_far::<28>(high, (upper & HIGH).into(), [NEAR, SURE]))
    }

    /// The order, as far as the header or the kind of a word in each order shows it.
    fn find_order(&self, word: [u8; WORD]) -> Option<Order> {
        let is_time = |order: Order| order.halves(word)[0] >> 28 == TIME_HIGH;
        self.order.or(self.header().order()).or(match (is_time(Order::Little), is_time(Order::Legacy)) {
            (true, false) => Some(Order::Little),
            (false, true) => Some(Order::Legacy),
            _ => None,
        })
    }
}

/// Whether a line of a header begins with these bytes.
fn is_line<H: Lines>(word: &[u8; WORD]) -> bool {
    word.first_chunk().is_some_and(|first| H::begins(*first))
}

impl<H: Lines> Words<WORD, WORD> for Evt21Of<H> {
    type Lines = H;

    fn frame(&mut self) -> &mut Frame<WORD, WORD, H> {
        &mut self.frame
    }

    fn word(&mut self, word: [u8; WORD]) -> Option<Event> {
        self.order = self.find_order(word);
        let Some(order) = self.order else {
            if self.possible(&word) {
                count(&mut self.frame.skipped.untimed, WORD);
            } else {
                self.frame.impossible(word);
            }
            return None;
        };
        let [upper, lower] = order.halves(word);
        match upper >> 28 {
            OFF | ON if self.frame.doubt_ends() => self.frame.lose(WORD, &word),
            OFF | ON => match self.high.get() {
                Some(high) => {
                    (self.upper, self.mask) = (upper, lower);
                    self.frame.suspect.add(lower.count_ones());
                    self.frame.understand(WORD);
                    return if lower == 0 { None } else { Some(self.pending(high)) };
                }
                None => count(&mut self.frame.skipped.untimed, WORD),
            },
            TIME_HIGH if self.frame.in_doubt() && !self.is_sure(upper) => self.frame.lose(WORD, &word),
            TIME_HIGH => {
                self.frame.understand(WORD);
                if self.is_sure(upper) {
                    self.trouble.less(1);
                    self.frame.settle();
                }
                let next = self.frame.hear::<28>(self.high.get(), upper & HIGH, [NEAR, self.largest]);
                if next.is_some_and(|next| self.high.set(next)) {
                    count(&mut self.frame.skipped.backward, 1);
                }
            }
            TRIGGER | OTHERS | CONTINUED => count(&mut self.frame.skipped.other, WORD),
            _ if is_line::<H>(&word) || self.frame.in_doubt() => self.frame.impossible(word),
            _ if self.trouble.add() => self.frame.lose(WORD, &word),
            _ => self.frame.doubt(word, UNSURE),
        }
        None
    }

    fn possible(&self, word: &[u8; WORD]) -> bool {
        let possible = |order: Order| is_possible(order.halves(*word)[0] >> 28);
        match self.order.or(self.header().order()) {
            Some(order) => possible(order),
            None => possible(Order::Little) || possible(Order::Legacy),
        }
    }

    fn resumes(&mut self, word: [u8; WORD]) -> bool {
        self.find_order(word).is_some_and(|order| order.halves(word)[0] >> 28 == TIME_HIGH)
    }
}

impl<H: Lines> Decode for Evt21Of<H> {
    #[inline]
    fn next_event(&mut self, bytes: &mut &[u8]) -> Option<Event> {
        if let Some(high) = self.high.get() {
            if self.mask != 0 {
                return Some(self.pending(high));
            }
            if self.frame.in_step()
                && let Some(order) = self.order
                && let Some((&word, rest)) = bytes.split_first_chunk()
                && let [upper, lower] = order.halves(word)
                && upper >> 28 <= ON
                && lower != 0
            {
                *bytes = rest;
                self.frame.understand(WORD);
                (self.upper, self.mask) = (upper, lower);
                return Some(self.pending(high));
            }
        }
        frame::next(self, bytes)
    }

    fn finish(&mut self) {
        self.frame.finish();
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
        self.high.get().map(|high| high << 6)
    }

    fn geometry(&self) -> Option<Geometry> {
        self.header().geometry()
    }
}

impl<H: Lines> Live for Evt21Of<H> {
    const FORM: u32 = 0x0201_0001 | H::FORM;
    const VECTORS: bool = true;
    const SAVED: usize = 4 + Frame::<WORD, WORD, H>::SAVED + Clock::SAVED + Trouble::SAVED;

    fn start() -> Self {
        Self::of(None, H::start())
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
        let Self { frame, order, high, upper, mask, trouble, largest: _ } = self;
        put(Self::FORM);
        frame.save(put);
        high.save(put);
        trouble.save(put);
        put(Order::save(*order));
        put(*upper);
        put(*mask);
    }

    fn restore(take: &mut impl FnMut() -> u32) -> Result<Self, OtherState> {
        OtherState::check(take(), Self::FORM)?;
        let frame = Frame::restore(take);
        let (high, trouble) = (Clock::restore(take), Trouble::restore(take));
        let [order, upper, mask] = core::array::from_fn(|_| take());
        Ok(Self { frame, order: Order::restore(order), high, upper, mask, trouble, largest: SURE })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::events::Evt21Encoder;
    use std::{vec, vec::Vec};

    fn decode(mut decoder: Evt21, bytes: &[u8]) -> (Vec<Event>, Evt21) {
        let events = decoder.events(bytes).collect();
        decoder.finish();
        (events, decoder)
    }

    /// The bytes on the wire of the manufacturer's example.
    #[test]
    fn two_orders_of_bytes() {
        let word = [0x0102_0304, 0x0506_0708];
        assert_eq!(Order::Little.bytes(word), [8, 7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(Order::Legacy.bytes(word), [4, 3, 2, 1, 8, 7, 6, 5]);
        for order in [Order::Little, Order::Legacy] {
            assert_eq!(order.halves(order.bytes(word)), word);
        }
    }

    #[test]
    fn every_word_has_its_counter() {
        let recording = [
            [0xFF, 0, 0, 0, 0, 0, 0, 0x10],             // ON before the time
            [0, 0, 0, 0, 2, 0, 0, 0x80],                // time high 2
            [0x01, 0, 0, 0x80, 0x05, 0x28, 0xC0, 0x10], // ON, low 3, x = 5, y = 5: pixels 5 and 36
            [0, 0, 0, 0, 0, 0, 0, 0],                   // OFF without pixels
            [0, 0, 0, 0, 0, 0, 0, 0xA0],                // trigger
            [0, 0, 0, 0, 0, 0, 0, 0xE0],                // others
            [0, 0, 0, 0, 0, 0, 0, 0xF0],                // continued
        ];
        let (events, decoder) = decode(Evt21::with_order(Order::Little), &[recording.as_flattened(), &[1, 2]].concat());
        let event = Event { t: 2 * 64 + 3, x: 5, y: 5, on: true };
        assert_eq!(events, [event, Event { x: 36, ..event }]);
        assert_eq!(decoder.skipped(), Skipped { untimed: 8, other: 24, tail: 2, ..Skipped::default() });
        assert_eq!(decoder.time(), Some(128));
    }

    #[test]
    fn the_order_is_told_or_found() {
        let event = Event { t: 1 << 20, x: 640, y: 480, on: true };
        let geometry = Geometry { cols: 1280, rows: 720 };
        for order in [Order::Little, Order::Legacy] {
            let other = if order == Order::Little { Order::Legacy } else { Order::Little };
            let (mut words, mut encoder) = (Vec::new(), Evt21Encoder::new(order));
            encoder.encode(event, |word| words.extend(word)).unwrap();
            encoder.finish(|word| words.extend(word));
            let mut header = Vec::new();
            Evt21Encoder::header(order, geometry, |bytes| header.extend_from_slice(bytes));
            assert_eq!(Order::detect(&words), Some(order));

            let (events, decoder) = decode(Evt21::new(), &words);
            assert_eq!((events, decoder.order()), (vec![event], Some(order)), "found");
            let (events, decoder) = decode(Evt21::new(), &[&header[..], &words].concat());
            assert_eq!(
                (events, decoder.order(), decoder.geometry()),
                (vec![event], Some(order), Some(geometry)),
                "told"
            );
            let (events, decoder) = decode(Evt21::with_order(other), &[&header[..], &words].concat());
            assert_eq!((events.len(), decoder.order()), (0, Some(other)), "the caller's word counts first");
        }
        // A time high in both orders tells neither; the next one may.
        let both = [0, 0, 0, 0x80, 0, 0, 0, 0x80];
        assert_eq!(Order::detect(&both), None);
        let little = [[0, 0, 0, 0, 1, 0, 0, 0x80], [1, 0, 0, 0, 2, 0x18, 0x80, 0x10]];
        let (events, decoder) = decode(Evt21::new(), &[&both[..], little.as_flattened()].concat());
        assert_eq!((events.len(), decoder.skipped().untimed), (1, 8));
    }

    #[test]
    fn joined_recordings_are_read_on() {
        let event = Event { t: 5000, x: 31, y: 7, on: false };
        let mut recording = Vec::new();
        Evt21Encoder::header(Order::Legacy, Geometry { cols: 64, rows: 64 }, |bytes| {
            recording.extend_from_slice(bytes);
        });
        let mut encoder = Evt21Encoder::new(Order::Legacy);
        encoder.encode(event, |word| recording.extend(word)).unwrap();
        encoder.finish(|word| recording.extend(word));
        let (events, decoder) = decode(Evt21::new(), &recording.repeat(3));
        assert_eq!((events, decoder.skipped()), (vec![event; 3], Skipped::default()));
    }
}
