//! Framing for words of `N` bytes in a stream of chunks, with lines of text before the words and damage between them:
//! shared by the decoders of such formats.
//!
//! ```text
//!        text?          N bytes         impossible         another         the alignment that makes sense
//! Start ------> Line -> Words -----------> Doubt -----------> Lost -----------------> Words
//!                         ^------------------+ 16 words that are possible, or one that shows the place
//! ```
//! A decoder is a [`Words`]: it defines the meaning of a word, whether a word is possible, and where text ends.
//! [`next`] does the rest, byte by byte where a word is split between chunks; a decoder takes whole words itself while
//! it [is in step](Frame::in_step). A single impossible word costs its own bytes: the alignment is given up only when
//! more of them show that it is wrong. While a time waits to be confirmed ([`Suspect`]), words are taken one by one.
//! State: `W + N + 51` bytes, and the header's.

use super::align::Alignments;
use super::clock::Suspect;
use super::evt2::DOUBT;
use crate::events::decode::count;
use crate::events::{Event, Header, Line, Lines, Skipped};
use crate::words::{put_longs, take_long};

/// Where in the stream the next byte lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place<const N: usize> {
    /// Where text may begin: before a recording, and after each line.
    Start,
    /// In a line of text.
    Line,
    /// Among words.
    Words,
    /// Among words, after a time far from the clock.
    Far,
    /// Among words, after an impossible one: so many words before the alignment is certain again.
    Doubt(u8),
    /// After a word that is still to be decoded: the newest in the window.
    Again,
    /// Unknown.
    Lost(Alignments<N>),
}

/// [`Place::Doubt`] as a number, without the words that it counts.
const DOUBTS: u32 = 6;

/// The kind of the first bytes, where text may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// More of them are needed to tell.
    Open,
    /// A line.
    Line,
    /// So many bytes before the words, and words.
    Words(usize),
}

/// The last `W` bytes, how many belong to an unfinished word, and the place.
#[derive(Clone, Debug)]
pub(super) struct Frame<const N: usize, const W: usize, H = Header> {
    window: [u8; W],
    held: u8,
    place: Place<N>,
    pub(super) suspect: Suspect,
    pub(super) skipped: Skipped,
    /// Bytes of words and lines that were understood.
    pub(super) understood: u64,
    pub(super) header: H,
}

/// A decoder of words of `N` bytes, which are seen in a window of `W` bytes.
pub(super) trait Words<const N: usize, const W: usize> {
    /// The text before the words.
    type Lines: Lines;

    fn frame(&mut self) -> &mut Frame<N, W, Self::Lines>;

    /// The kind of `first`, the first bytes where text may begin. It must be decided from `W` bytes at the latest.
    fn start(&mut self, first: &[u8]) -> Start {
        match first {
            _ if !Self::Lines::READ => Start::Words(0),
            [b'%'] | [b'%', _] | [b'%', _, _] => Start::Open,
            [b'%', a, b, c, ..] if Self::Lines::begins([b'%', *a, *b, *c]) => Start::Line,
            _ => Start::Words(0),
        }
    }

    /// Takes a word where one is expected.
    fn word(&mut self, word: [u8; N]) -> Option<Event>;

    /// Whether the newest word in the window is possible, and plausible after what came before it.
    fn possible(&self, window: &[u8; W]) -> bool;

    /// Whether decoding may go on with `word`, the first that is believed after damage.
    fn resumes(&mut self, word: [u8; N]) -> bool;
}

impl<const N: usize, const W: usize, H: Lines> Frame<N, W, H> {
    pub(super) const fn new(header: H) -> Self {
        Self {
            window: [0; W],
            held: 0,
            place: Place::Start,
            suspect: Suspect::NONE,
            skipped: Skipped::NOTHING,
            understood: 0,
            header,
        }
    }

    /// Whether the next byte is the first of a word.
    #[inline]
    pub(super) fn in_step(&self) -> bool {
        matches!((self.held, &self.place), (0, Place::Words))
    }

    /// `word` is not possible: it is the beginning of a line, or damage.
    #[cold]
    pub(super) fn impossible(&mut self, word: [u8; N]) {
        match word.first_chunk() {
            Some(first) if H::begins(*first) => self.line(word),
            _ if matches!(self.place, Place::Words | Place::Far) => self.doubt(word, DOUBT),
            _ => self.lose(N, &word),
        }
    }

    /// `word` is damage, and the next `words` words show whether the alignment is wrong.
    #[cold]
    pub(super) fn doubt(&mut self, word: [u8; N], words: u8) {
        count(&mut self.skipped.garbage, N);
        word.iter().for_each(|byte| self.shift(*byte));
        self.place = Place::Doubt(words);
    }

    /// The next byte is the first of a word.
    pub(super) fn begin_words(&mut self) {
        if self.place == Place::Start {
            (self.held, self.place) = (0, Place::Words);
        }
    }

    /// Whether an impossible word came, and no words yet that show that the alignment is right.
    pub(super) const fn in_doubt(&self) -> bool {
        matches!(self.place, Place::Doubt(_))
    }

    /// Whether this is the last word before the alignment counts as right.
    pub(super) const fn doubt_ends(&self) -> bool {
        matches!(self.place, Place::Doubt(1))
    }

    /// The alignment is right.
    pub(super) const fn settle(&mut self) {
        self.place = if self.suspect.waits() { Place::Far } else { Place::Words };
    }

    /// The time that follows `now` when `BITS` bits of it are `told`, if that is believed: see [`Suspect::hear`]. The
    /// first one is.
    pub(super) fn hear<const BITS: u32>(&mut self, now: Option<u64>, told: u32, limits: [u32; 2]) -> Option<u64> {
        let Some(now) = now else {
            self.suspect = Suspect::NONE;
            return Some(told.into());
        };
        let next = self.suspect.hear::<BITS>(now, told, limits, &mut self.skipped);
        if matches!(self.place, Place::Words | Place::Far) {
            self.settle();
        }
        next
    }

    /// A line of text of so many bytes ended: the time of what follows may be any.
    fn begin(&mut self, line: usize) {
        self.understand(line);
        (self.place, self.suspect) = (Place::Start, Suspect::ANY);
    }

    /// Counts `bytes` bytes of words or text that were understood.
    #[inline]
    pub(super) const fn understand(&mut self, bytes: usize) {
        self.understood = self.understood.wrapping_add(bytes as u64);
    }

    /// Bytes that wait for the rest of their word or line.
    pub(super) fn held(&self) -> usize {
        match self.place {
            Place::Line => self.header.begun(),
            Place::Again => N.saturating_add(self.held as usize),
            _ => self.held as usize,
        }
    }

    /// Bytes are missing before those that come next.
    pub(super) fn lost(&mut self) {
        self.lose(self.held(), &[]);
    }

    /// Number of words that [`Frame::save`] writes.
    pub(super) const SAVED: usize = W / 4 + 12 + Suspect::SAVED + Alignments::<N>::SAVED + H::SAVED;

    /// All that is known, in words; `W` is a multiple of 4.
    pub(super) fn save(&self, put: &mut impl FnMut(u32)) {
        let Self { window, held, place, suspect, skipped, understood, header } = self;
        let Skipped { garbage, untimed, other, tail, backward, unconfirmed, early, outside } = *skipped;
        let (kind, alignments) = match place {
            Place::Start => (0, &Alignments::new()),
            Place::Line => (1, &Alignments::new()),
            Place::Words => (2, &Alignments::new()),
            Place::Far => (3, &Alignments::new()),
            Place::Again => (4, &Alignments::new()),
            Place::Lost(alignments) => (5, alignments),
            Place::Doubt(left) => (DOUBTS + u32::from(*left), &Alignments::new()),
        };
        window.as_chunks().0.iter().for_each(|bytes| put(u32::from_le_bytes(*bytes)));
        [(*held).into(), kind, garbage, untimed, other, tail, backward, unconfirmed, early, outside]
            .into_iter()
            .for_each(&mut *put);
        put_longs(&[*understood], put);
        suspect.save(put);
        alignments.save(put);
        header.save(put);
    }

    /// Reads what [`Frame::save`] wrote.
    pub(super) fn restore(take: &mut impl FnMut() -> u32) -> Self {
        let mut window = [0; W];
        window.as_chunks_mut().0.iter_mut().for_each(|bytes| *bytes = take().to_le_bytes());
        let [held, kind, garbage, untimed, other, tail, backward, unconfirmed, early, outside] =
            core::array::from_fn(|_| take());
        let (understood, suspect) = (take_long(take), Suspect::restore(take));
        let alignments = Alignments::restore(take);
        Self {
            window,
            held: held.min(W as u32 - 1) as u8,
            place: match kind {
                0 => Place::Start,
                1 => Place::Line,
                2 => Place::Words,
                3 => Place::Far,
                4 => Place::Again,
                5 => Place::Lost(alignments),
                left => Place::Doubt((left - DOUBTS).min(u8::MAX.into()) as u8),
            },
            suspect,
            skipped: Skipped { garbage, untimed, other, tail, backward, unconfirmed, early, outside },
            understood,
            header: H::restore(take),
        }
    }

    /// The word before the newest in the window was not damage: it is decoded now, and the newest next.
    pub(super) const fn settle_before(&mut self) {
        self.skipped.garbage = self.skipped.garbage.saturating_sub(N as u32);
        self.place = Place::Again;
    }

    /// The window: `W` bytes, the newest last.
    pub(super) const fn window(&self) -> &[u8; W] {
        &self.window
    }

    /// `word` is the beginning of a line.
    pub(super) fn line(&mut self, word: [u8; N]) {
        self.place = Place::Line;
        for byte in word {
            // What follows a line feed is shorter than a word, and may belong to another line.
            if self.place == Place::Start {
                self.hold(byte);
                continue;
            }
            let line = self.header.begun().saturating_add(1);
            match self.header.push(byte) {
                Line::Open => {}
                Line::Complete => self.begin(line),
                Line::Damaged => return self.lose(N, &word),
            }
        }
    }

    /// `bytes` bytes were not words; those in `last` are the newest of them.
    pub(super) fn lose(&mut self, bytes: usize, last: &[u8]) {
        count(&mut self.skipped.garbage, bytes);
        self.header.discard();
        (self.window, self.held, self.place) = ([0; W], 0, Place::Lost(Alignments::new()));
        self.suspect = Suspect::ANY;
        last.iter().for_each(|byte| self.shift(*byte));
    }

    pub(super) fn finish(&mut self) {
        count(&mut self.skipped.tail, usize::from(self.held));
        count(&mut self.skipped.tail, self.header.discard());
        (self.held, self.suspect) = (0, Suspect::ANY);
        if !matches!(self.place, Place::Lost(_)) {
            self.place = Place::Start;
        }
    }

    /// The newest word in the window is implausible, too; after as many as are examined, the alignment is lost.
    pub(super) fn doubt_more(&mut self) {
        match self.place {
            Place::Doubt(left) if left > 1 => {
                count(&mut self.skipped.garbage, N);
                self.place = Place::Doubt(left - 1);
            }
            _ => {
                let window = self.window;
                self.lose(N, &window);
            }
        }
    }

    /// A possible word was taken after damage.
    fn doubt_less(&mut self) {
        match self.place {
            Place::Doubt(left) if left > 1 => self.place = Place::Doubt(left - 1),
            _ => self.settle(),
        }
    }

    fn shift(&mut self, byte: u8) {
        self.window.rotate_left(1);
        if let Some(last) = self.window.last_mut() {
            *last = byte;
        }
    }

    fn hold(&mut self, byte: u8) {
        self.shift(byte);
        self.held += 1; // W at most
    }

    /// A byte of a line.
    fn text(&mut self, byte: u8) {
        let line = self.header.begun().saturating_add(1);
        match self.header.push(byte) {
            Line::Open => {}
            Line::Complete => self.begin(line),
            Line::Damaged => self.lose(line, &[byte]),
        }
    }
}

/// Bytes before the words of a recording that begins with `bytes`, for [`Decode::front`](crate::events::Decode::front);
/// `decoder` is a new one.
pub(super) fn front<const N: usize, const W: usize>(mut decoder: impl Words<N, W>, bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..)?;
        let kinds = (1..=W.min(rest.len())).map(|n| decoder.start(rest.get(..n).unwrap_or(rest)));
        match kinds.into_iter().find(|kind| *kind != Start::Open) {
            Some(Start::Line) => at += rest.iter().position(|byte| *byte == b'\n')? + 1,
            Some(Start::Words(front)) => return Some(at + front),
            Some(Start::Open) | None => return None,
        }
    }
}

/// Takes bytes up to the next event: all but what a decoder does itself.
#[inline(never)]
pub(super) fn next<const N: usize, const W: usize>(decoder: &mut impl Words<N, W>, bytes: &mut &[u8]) -> Option<Event> {
    loop {
        let event = match bytes.split_first_chunk() {
            _ if decoder.frame().place == Place::Again => {
                let frame = decoder.frame();
                frame.settle();
                let word = *frame.window.last_chunk()?;
                decoder.word(word)
            }
            Some((word, rest)) if decoder.frame().in_step() => {
                *bytes = rest;
                decoder.word(*word)
            }
            _ => {
                let (byte, rest) = bytes.split_first()?;
                *bytes = rest;
                byte_of(decoder, *byte)
            }
        };
        if event.is_some() {
            return event;
        }
    }
}

fn byte_of<const N: usize, const W: usize>(decoder: &mut impl Words<N, W>, byte: u8) -> Option<Event> {
    let frame = decoder.frame();
    match frame.place {
        Place::Start => {
            frame.hold(byte);
            return started(decoder);
        }
        Place::Line => {
            frame.text(byte);
            return None;
        }
        Place::Words | Place::Far | Place::Doubt(_) => {
            frame.hold(byte);
            if usize::from(frame.held) < N {
                return None;
            }
            frame.held = 0;
            if frame.in_doubt() {
                let before = frame.place;
                let word = *frame.window.last_chunk()?;
                let event = decoder.word(word);
                if decoder.frame().place == before {
                    decoder.frame().doubt_less();
                }
                return event;
            }
        }
        Place::Again => return None, // `next` decodes that word first
        Place::Lost(_) => {
            frame.shift(byte);
            let (window, word) = (frame.window, *frame.window.last_chunk()?);
            let possible = decoder.possible(&window);
            let Place::Lost(alignments) = &mut decoder.frame().place else { return None };
            if !alignments.believe(possible) || !decoder.resumes(word) {
                count(&mut decoder.frame().skipped.garbage, 1);
                return None;
            }
            let frame = decoder.frame();
            // The first bytes of this word were counted as garbage.
            frame.skipped.garbage = frame.skipped.garbage.saturating_sub(N as u32 - 1);
            frame.place = Place::Words;
        }
    }
    let word = *decoder.frame().window.last_chunk()?;
    decoder.word(word)
}

/// Another byte is held where text may begin.
fn started<const N: usize, const W: usize>(decoder: &mut impl Words<N, W>) -> Option<Event> {
    let frame = decoder.frame();
    let (window, held) = (frame.window, usize::from(frame.held));
    let first = window.get(W.saturating_sub(held)..).unwrap_or_default();
    let front = match decoder.start(first) {
        Start::Open if held < W => return None,
        Start::Open => 0,
        Start::Line => {
            let frame = decoder.frame();
            frame.held = 0;
            frame.place = Place::Line;
            first.iter().for_each(|byte| frame.text(*byte)); // a line feed is the last at most
            return None;
        }
        Start::Words(front) => front,
    };
    let frame = decoder.frame();
    frame.held = 0;
    frame.place = Place::Words;
    frame.understand(front);
    // No event comes before the first time, so that no more than one can come from these few bytes.
    let mut event = None;
    for byte in first.iter().skip(front) {
        event = byte_of(decoder, *byte).or(event);
    }
    event
}
