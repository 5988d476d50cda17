//! The events of a recording, decoded on demand.

use super::damage::Judge;
use super::decoder::Decoder;
use super::lone::Lone;
use super::{Format, Recording};
use crate::{Error, Result};
use foveola_core::events::{Event, Geometry, Skipped};
use std::io::Read;
use std::ops::Range;

/// Number of bytes read at a time, and of events decoded at a time.
pub(super) const BYTES: usize = 1 << 16;
const EVENTS: usize = 1 << 12;

/// The events of a [`Recording`](super::Recording), in the order of the file.
pub struct Events {
    pub(super) recording: Recording,
    source: Box<dyn Read + Send>,
    decoder: Box<dyn Decoder>,
    bytes: Vec<u8>,
    unread: Range<usize>,
    events: Vec<Event>,
    pub(super) decoded: Range<usize>,
    position: u64,
    /// Bytes before `position` that were not passed to the decoder.
    omitted: u64,
    /// The position where reading began.
    begun: u64,
    /// Bytes of events before the first time, if reading began between two times: these are not damage.
    pub(super) untimed: u32,
    judge: Judge,
    /// In formats whose decoder believes every time.
    lone: Option<Lone>,
    /// Whether there was an event.
    any: bool,
    /// Offset added to the times of events, in microseconds: wraps of the clock that the decoder did not see.
    pub(super) shift: u64,
    ended: bool,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { recording, position, .. } = self;
        f.debug_struct("Events").field("recording", recording).field("position", position).finish_non_exhaustive()
    }
}

impl Events {
    /// Events from byte `position` on, where `source` begins; `decoder` received `fed` of the bytes before.
    pub(super) fn new(
        recording: Recording,
        source: Box<dyn Read + Send>,
        decoder: Box<dyn Decoder>,
        position: u64,
        fed: u64,
    ) -> Self {
        let whole = recording.bytes().filter(|_| recording.format() != Format::Npz);
        let believes = matches!(recording.format(), Format::Aedat4 | Format::Csv | Format::Npy | Format::Npz);
        Self {
            recording,
            source,
            decoder,
            bytes: vec![0; BYTES],
            unread: 0..0,
            events: vec![Event { t: 0, x: 0, y: 0, on: false }; EVENTS],
            decoded: 0..0,
            position,
            omitted: position.saturating_sub(fed),
            begun: position,
            untimed: 0,
            judge: Judge::new(whole),
            lone: believes.then(Lone::default),
            any: false,
            shift: 0,
            ended: false,
        }
    }

    /// Number of bytes read so far; for a `.npz` file, bytes of the records that are assembled from its arrays.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The data skipped so far, by reason.
    pub fn skipped(&self) -> Skipped {
        let mut skipped = self.decoder.skipped();
        skipped.untimed = skipped.untimed.saturating_sub(self.untimed);
        let lone = self.lone.as_ref().map_or(0, |lone| lone.count);
        skipped.unconfirmed = skipped.unconfirmed.saturating_add(lone);
        skipped
    }

    /// Position where damage began: the first invalid byte, or the first byte of an unfinished word at the end.
    pub fn damage(&self) -> Option<u64> {
        self.decoder.damage().map(|at| at + self.omitted)
    }

    /// The sensor size in the header, once it is read: before the first event.
    pub fn geometry(&self) -> Option<Geometry> {
        self.decoder.geometry()
    }

    /// Reads the next event without consuming it. Afterwards the content of the header is known.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] for a value that stops the reading, such as a third polarity value;
    /// [`Error::Damaged`].
    pub fn peek(&mut self) -> Result<Option<Event>> {
        if self.decoded.is_empty() && !self.ended {
            match self.refill() {
                Ok(more) => self.ended = !more,
                Err(error) => {
                    self.ended = true;
                    return Err(error);
                }
            }
        }
        Ok(self.events.get(self.decoded.clone()).and_then(|events| events.first()).copied())
    }

    /// The next events as a slice, a few thousand at a time: the fastest way to read all events. An empty slice means the
    /// end.
    ///
    /// # Errors
    /// As for [`Events::peek`].
    pub fn next_slice(&mut self) -> Result<&[Event]> {
        self.peek()?;
        let decoded = std::mem::replace(&mut self.decoded, 0..0);
        Ok(self.events.get(decoded).unwrap_or_default())
    }

    /// Adds the offset to the times of the events just decoded.
    pub(super) fn shift_decoded(&mut self) {
        if self.shift > 0 {
            let events = self.events.get_mut(self.decoded.clone()).unwrap_or_default();
            events.iter_mut().for_each(|event| event.t = event.t.saturating_add(self.shift));
        }
    }

    /// Checks that enough of the data read so far was readable, for callers that stop before the end; at the end this is
    /// always checked. A recording without events is not an error here.
    ///
    /// # Errors
    /// [`Error::Damaged`] when more than 1 % is unreadable, unless [`ReadOptions::damaged`](crate::ReadOptions::damaged) is
    /// set.
    pub fn check(&self) -> Result<()> {
        match self.damaged() {
            Some(error) if self.any => Err(error),
            _ => Ok(()),
        }
    }

    fn damaged(&self) -> Option<Error> {
        let Recording { name, options, assumed, .. } = &self.recording;
        let read = self.position - self.begun;
        let error = || self.judge.error(name, &*self.decoder, read, self.damage(), assumed);
        if options.damaged { None } else { error() }
    }

    /// Checks for damage after bytes of the buffer were decoded.
    fn judge(&mut self) -> Result<()> {
        if self.recording.options.damaged {
            return Ok(());
        }
        if let Some(at) = self.damage() {
            let bytes = self.bytes.get(..self.unread.end).unwrap_or_default();
            let start = self.position.saturating_sub(bytes.len() as u64);
            self.judge.see(at, start, bytes, self.recording.format == Format::Csv);
        }
        // A file without events ends; a pipe may not.
        let is_due = self.judge.is_due(&*self.decoder, self.position - self.begun);
        if is_due && (self.any || self.recording.bytes().is_none()) {
            return self.damaged().map_or(Ok(()), Err);
        }
        Ok(())
    }

    /// The error of a decoder that stopped.
    fn refused(&self) -> Result<()> {
        match self.decoder.refused() {
            Some(reason) => Err(Error::Data { path: self.recording.name.clone(), reason: reason.into() }),
            None => Ok(()),
        }
    }

    /// Corrects the times of the first `n` events of the buffer; returns how many of them to deliver.
    fn checked(&mut self, n: usize) -> usize {
        match (&mut self.lone, self.events.get_mut(..n)) {
            (Some(lone), Some(events)) => lone.check(events),
            _ => n,
        }
    }

    /// Decodes more events; false at the end of the recording.
    fn refill(&mut self) -> Result<bool> {
        loop {
            let mut rest = self.bytes.get(self.unread.clone()).unwrap_or(&[]);
            let room = self.lone.as_ref().map_or(0, Lone::room);
            let decoded = self.decoder.fill(&mut rest, self.events.get_mut(room..).unwrap_or_default());
            self.unread.start = self.unread.end - rest.len();
            self.any |= decoded > 0;
            self.judge()?;
            if decoded > 0 {
                self.decoded = 0..self.checked(room + decoded);
                if self.decoded.is_empty() {
                    continue; // one event waits
                }
                self.shift_decoded();
                return Ok(true);
            }
            self.decoded = 0..0;
            self.refused()?;
            let read = loop {
                match self.source.read(&mut self.bytes) {
                    Ok(read) => break read,
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(source) => return Err(Error::Io { path: self.recording.name.clone(), source }),
                }
            };
            if read == 0 {
                if let (Some(last), Some(event)) = (self.decoder.last_event(), self.events.get_mut(room)) {
                    *event = last;
                    self.decoded = 0..self.checked(room + 1);
                    if !self.decoded.is_empty() {
                        return Ok(true);
                    }
                }
                let waits = self.lone.as_mut().and_then(Lone::finish);
                if let (Some(last), Some(event)) = (waits, self.events.first_mut()) {
                    *event = last;
                    self.decoded = 0..1;
                    return Ok(true);
                }
                self.refused()?;
                self.decoder.finish();
                self.check()?;
                return Ok(false);
            }
            self.position += read as u64;
            self.unread = 0..read;
        }
    }
}

impl Iterator for Events {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Result<Event>> {
        if self.decoded.is_empty()
            && let Err(error) = self.peek()
        {
            return Some(Err(error));
        }
        let event = self.decoded.next().and_then(|i| self.events.get(i).copied());
        event.map(Ok)
    }
}
