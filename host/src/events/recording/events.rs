//! The events of a recording, decoded as they are asked for.

use super::damage::Judge;
use super::decoder::Decoder;
use super::{Format, Recording};
use crate::{Error, Result};
use foveola_core::events::{Event, Geometry, Skipped};
use std::io::Read;
use std::ops::Range;

/// Bytes read at a time, and events decoded at a time.
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
    /// Bytes in front of `position` that the decoder did not get.
    omitted: u64,
    /// Where reading began.
    begun: u64,
    /// Bytes of events before the first time where reading began between two times: nothing that is missing.
    pub(super) untimed: u32,
    judge: Judge,
    /// Whether there was an event.
    any: bool,
    /// Added to the times of events, in microseconds: wraps of the clock that the decoder did not see.
    pub(super) shift: u64,
    ended: bool,
}

impl Events {
    /// Events from byte `position` on, which `source` begins with; `decoder` got `fed` bytes of those before.
    pub(super) fn new(
        recording: Recording,
        source: Box<dyn Read + Send>,
        decoder: Box<dyn Decoder>,
        position: u64,
        fed: u64,
    ) -> Self {
        let whole = recording.bytes().filter(|_| recording.format() != Format::Npz);
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
            any: false,
            shift: 0,
            ended: false,
        }
    }

    /// Bytes of the recording read so far; of a `.npz` file, those of the records that its arrays are put together to.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// What was skipped so far, and why.
    pub fn skipped(&self) -> Skipped {
        let mut skipped = self.decoder.skipped();
        skipped.untimed = skipped.untimed.saturating_sub(self.untimed);
        skipped
    }

    /// Where damage began: the first byte that made no sense, or the first of an unfinished word at the end.
    pub fn damage(&self) -> Option<u64> {
        self.decoder.damage().map(|at| at + self.omitted)
    }

    /// Size of the sensor, when the header has told it: before the first event.
    pub fn geometry(&self) -> Option<Geometry> {
        self.decoder.geometry()
    }

    /// Reads on to the first event that was not taken yet, without taking it: whatever the header tells is known then.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] for a value that ends the reading, such as a third polarity; [`Error::Damaged`].
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

    /// The next events, a few thousand at a time, as they lie in memory: the fastest way to read them all. None are left when
    /// it is empty.
    ///
    /// # Errors
    /// As of [`Events::peek`].
    pub fn next_slice(&mut self) -> Result<&[Event]> {
        self.peek()?;
        let decoded = std::mem::replace(&mut self.decoded, 0..0);
        Ok(self.events.get(decoded).unwrap_or_default())
    }

    /// Moves the times of the events just decoded.
    pub(super) fn shift_decoded(&mut self) {
        if self.shift > 0 {
            let events = self.events.get_mut(self.decoded.clone()).unwrap_or_default();
            events.iter_mut().for_each(|event| event.t = event.t.saturating_add(self.shift));
        }
    }

    /// Whether enough of what was read could be read: for those who stop before the end, where it is judged in any case. A
    /// recording without any event is left to the caller.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it is more than 1 % that could not, unless [`ReadOptions::damaged`](crate::ReadOptions::damaged)
    /// is set.
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

    /// After bytes of the buffer were decoded.
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

    /// Decodes more events; false at the end of the recording.
    fn refill(&mut self) -> Result<bool> {
        loop {
            let mut rest = self.bytes.get(self.unread.clone()).unwrap_or(&[]);
            let decoded = self.decoder.fill(&mut rest, &mut self.events);
            self.unread.start = self.unread.end - rest.len();
            self.any |= decoded > 0;
            self.judge()?;
            self.decoded = 0..decoded;
            if decoded > 0 {
                self.shift_decoded();
                return Ok(true);
            }
            self.refused()?;
            let read = loop {
                match self.source.read(&mut self.bytes) {
                    Ok(read) => break read,
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(source) => return Err(Error::Io { path: self.recording.name.clone(), source }),
                }
            };
            if read == 0 {
                if let (Some(last), Some(event)) = (self.decoder.last_event(), self.events.first_mut()) {
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
