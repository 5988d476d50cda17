//! Seeks to a time in a file.
//!
//! If each word contains its full time, a decoder that has read the header may start at any word: its first event gives the
//! time there. Bisection over the words then needs as many reads as the binary logarithm of their number. The packets of
//! AEDAT 4 are such positions too; each search first reads the heads of all packets. Other formats are read from the start.

use super::events::Events;
use super::{Origin, RESET, Recording, aedat4, npy};
use crate::{Error, Result};
use foveola_core::events::Event;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// The positions in a file where a decoder that has read the header may start.
pub(super) enum Places {
    /// Only at the start.
    Start,
    /// At each word of `size` bytes after the text header. The clock of words wraps after `wrap` microseconds.
    Words { size: usize, wrap: u64 },
    /// At each record of an array.
    Records,
    /// At each packet of AEDAT 4.
    Packets,
}

/// The positions in a file.
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

    /// The byte offset of position `i`, which is at most [`Found::count`].
    fn get(&self, i: u64) -> u64 {
        match self {
            Self::Every { start, size, .. } => start + i * size,
            Self::List(places) => places.get(i as usize).copied().unwrap_or(u64::MAX),
        }
    }
}

impl Events {
    /// Moves to the first event at `t` microseconds or later, forwards or backwards, for a recording whose events are in
    /// order of time. In three cases the events before it are read and discarded: from a pipe, if
    /// [`Format::seeks`](super::Format::seeks) is false, or if the times show that the clock was reset. A pipe is only read
    /// forwards. The counts of skipped data restart there.
    ///
    /// Times after a wrap of the format's clock (EVT 2: 4.8 h, DAT and AEDAT 2: 71.6 min) are found in recordings that wrap
    /// at most once.
    ///
    /// ```no_run
    /// let mut events = foveola::Recording::open("recording.raw")?.events()?;
    /// events.seek(60_000_000)?; // a minute
    /// println!("{:?}", events.next());
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`Events::peek`].
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

    /// The positions of this file of `bytes` bytes, the length of its header, and the wrap of its clock.
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

    /// Events from the last position whose first event is before `t`; from the start if the times in the file do not
    /// increase, as after a clock reset.
    fn bisect(&self, found: &Found, header: usize, wrap: Option<u64>, t: u64) -> Result<Events> {
        let time = |i: u64| self.time_at(found, i, header);
        let count = found.count();
        let Some(first) = (if count > 0 { time(0)? } else { None }) else { return self.events() };
        // Near the end, but early enough that an event follows.
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
            return self.events(); // includes all data before the first event
        }
        let mut events = self.from(found, before, header)?;
        events.shift = events.peek()?.map_or(0, |event| shifted(event.t) - event.t);
        events.shift_decoded();
        events.untimed = events.skipped().untimed;
        Ok(events)
    }

    /// Whether the clock of a file that begins at `first` and ends before that time wrapped: its times increase to near the
    /// maximum, and continue near 0.
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

    /// The time of the first event at or after position `i`, regardless of damage before it.
    fn time_at(&self, found: &Found, i: u64, header: usize) -> Result<Option<u64>> {
        let mut events = self.from(found, i, header)?;
        events.recording.options.damaged = true;
        Ok(events.peek()?.map(|event| event.t))
    }

    /// Events from position `i` on, from a decoder that has read the header.
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

    /// A seek to the first event or earlier counts all data before it.
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
