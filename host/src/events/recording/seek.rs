//! Finding a time in a file.
//!
//! Where words tell the time by themselves, a decoder that has read the header may start at any of them: its first event
//! tells the time there, and bisection over the words needs as many looks as their number has binary digits. The packets of
//! AEDAT 4 are such places too; every search reads the heads of all packets first. Elsewhere the recording is read from the
//! start.

use super::events::Events;
use super::{Origin, RESET, Recording, aedat4, npy};
use crate::{Error, Result};
use foveola_core::events::Event;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// Where in a file a decoder may start that has read the header.
pub(super) enum Places {
    /// Nowhere but at the start.
    Start,
    /// At each word of `size` bytes behind the text in front. Clocks of words wrap after this many microseconds.
    Words { size: usize, wrap: u64 },
    /// At each record of an array.
    Records,
    /// At each packet of AEDAT 4.
    Packets,
}

/// The places of a file.
enum Found {
    Every { start: u64, size: u64, count: u64 },
    List(Vec<u64>),
}

impl Found {
    fn count(&self) -> u64 {
        match self {
            Self::Every { count, .. } => *count,
            Self::List(places) => places.len() as u64,
        }
    }

    /// Where place `i` lies, in bytes; at most [`Found::count`].
    fn get(&self, i: u64) -> u64 {
        match self {
            Self::Every { start, size, .. } => start + i * size,
            Self::List(places) => places.get(i as usize).copied().unwrap_or(u64::MAX),
        }
    }
}

impl Events {
    /// Goes to the first event at `t` microseconds or later, forwards or backwards, for a recording whose events are in order of
    /// time. From a pipe, and where [`Format::seeks`](super::Format::seeks) is false, or where the times that were looked at show
    /// that the clock was reset, the events before it are read and thrown away; a pipe is only read forwards. What was skipped
    /// is counted anew from there.
    ///
    /// Times beyond the wrap of a format's clock (EVT 2: 4.8 h, DAT and AEDAT 2: 71.6 min) are found in recordings that wrap
    /// once at most.
    ///
    /// ```no_run
    /// let mut events = foveola::Recording::open("recording.raw")?.events()?;
    /// events.seek(60_000_000)?; // a minute
    /// println!("{:?}", events.next());
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// # Errors
    /// As of [`Events::peek`].
    pub fn seek(&mut self, t: u64) -> Result<()> {
        if let Origin::File { bytes } = self.recording.origin {
            let recording = self.recording.clone();
            *self = match recording.places(bytes).map_err(|source| recording.io(source))? {
                Some((found, header, wrap)) => recording.bisect(&found, header, wrap, t)?,
                None => recording.events()?,
            };
        }
        while self.peek()?.is_some_and(|event| event.t < t) {
            self.decoded.start += 1;
        }
        Ok(())
    }
}

impl Recording {
    fn io(&self, source: std::io::Error) -> Error {
        Error::Io { path: self.name.clone(), source }
    }

    /// The places of this file of `bytes` bytes, the bytes of its header, and when its clock wraps.
    fn places(&self, bytes: u64) -> std::io::Result<Option<(Found, usize, Option<u64>)>> {
        let every = |start: usize, size: usize| {
            let (start, size) = (start as u64, size as u64);
            Found::Every { start, size, count: bytes.saturating_sub(start) / size.max(1) }
        };
        Ok(match self.format.row().places {
            Places::Start => None,
            Places::Words { size, wrap } => {
                let front = (self.format.row().front)(&self.head);
                front.map(|start| (every(start, size), start, Some(wrap)))
            }
            Places::Records => npy::Npy::new(&self.head, self.options.columns, self.options.unit)
                .ok()
                .map(|npy| (every(npy.header_len(), npy.record_len()), npy.header_len(), None)),
            Places::Packets => {
                let (places, header) = aedat4::places(&mut File::open(&self.name)?, &self.head)?;
                (!places.is_empty()).then_some((Found::List(places), header, None))
            }
        })
    }

    /// Events from the last place on whose first event is before `t`; from the start where the file's times do not grow from
    /// place to place, as behind a reset of the clock.
    fn bisect(&self, found: &Found, header: usize, wrap: Option<u64>, t: u64) -> Result<Events> {
        let time = |i: u64| self.time_at(found, i, header);
        let count = found.count();
        let Some(first) = (if count > 0 { time(0)? } else { None }) else { return self.events() };
        // Near the end, where a first event may still come.
        let end = time(count - 1 - (count / 64).max(64).min(count - 1))?;
        let shift = match end {
            Some(end) if end < first => match wrap {
                Some(wrap) if self.wraps(found, header, first, wrap)? => wrap,
                _ => return self.events(),
            },
            _ => 0,
        };
        let shifted = |t: u64| if t < first { t.saturating_add(shift) } else { t };
        let (mut before, mut after, mut latest) = (0, count, u64::MAX);
        while before + 1 < after {
            let middle = before + (after - before) / 2;
            match time(middle)?.map(shifted) {
                Some(found) if found < first || found > latest.saturating_add(RESET) => return self.events(),
                Some(found) if found < t => before = middle,
                found => (after, latest) = (middle, found.unwrap_or(latest)),
            }
        }
        if before == 0 {
            return self.events(); // with all that is in front of the first event
        }
        let mut events = self.from(found, before, header)?;
        events.shift = events.peek()?.map_or(0, |event| shifted(event.t) - event.t);
        events.shift_decoded();
        events.untimed = events.skipped().untimed;
        Ok(events)
    }

    /// Whether the clock of a file that begins at `first` and ends before that wrapped: its times grow to near its largest, and
    /// go on from near 0.
    fn wraps(&self, found: &Found, header: usize, first: u64, wrap: u64) -> Result<bool> {
        let time = |i: u64| self.time_at(found, i, header);
        let (mut before, mut after) = (0, found.count());
        while before + 1 < after {
            let middle = before + (after - before) / 2;
            match time(middle)? {
                Some(t) if t >= first => before = middle,
                _ => after = middle,
            }
        }
        let edges = (time(before)?, if after < found.count() { time(after)? } else { None });
        Ok(matches!(edges, (Some(last), Some(next)) if last >= wrap - wrap / 64 && next <= wrap / 64))
    }

    /// The time of the first event from place `i` on, whatever damage lies before it.
    fn time_at(&self, found: &Found, i: u64, header: usize) -> Result<Option<u64>> {
        let mut events = self.from(found, i, header)?;
        events.recording.options.damaged = true;
        Ok(events.peek()?.map(|event| event.t))
    }

    /// Events from place `i` on, read by a decoder that has read the header.
    fn from(&self, found: &Found, i: u64, header: usize) -> Result<Events> {
        let at = found.get(i);
        let mut file = File::open(&self.name).map_err(|source| self.io(source))?;
        file.seek(SeekFrom::Start(at)).map_err(|source| self.io(source))?;
        let mut decoder = self.decoder()?;
        let mut head = self.head.get(..header).unwrap_or_default();
        decoder.fill(&mut head, &mut [Event { t: 0, x: 0, y: 0, on: false }]);
        decoder.begin_words();
        decoder.omit(i);
        Ok(Events::new(self.clone(), Box::new(file) as Box<dyn Read + Send>, decoder, at, header as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever asks for the first event or an earlier one is told all that lies in front of it.
    #[test]
    fn what_lies_in_front_of_the_first_event_is_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.raw");
        // Two events before any time; then time high k and an event, 64 us apart.
        let words = [0x1000_0000_u32; 2].into_iter().chain((1..500).flat_map(|k| [0x8000_0000 | k, 0x1000_0000]));
        let words: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        std::fs::write(&path, [&b"% evt 2.0\n"[..], &words].concat()).expect("written");
        for (t, left, untimed) in [(0, 499, 8), (64, 499, 8), (64 * 250, 250, 0)] {
            let mut events = Recording::open(&path).expect("a recording").events().expect("open");
            events.seek(t).expect("found");
            let times: Vec<u64> = events.by_ref().map(|event| event.expect("read").t).collect();
            assert_eq!((times.len(), times.first()), (left, Some(&t.max(64))), "from {t} us");
            assert_eq!(events.skipped().untimed, untimed, "from {t} us");
        }
    }
}
