//! The events of a recording that the arguments choose.

use super::InputArgs;
use foveola::{Error, Events, Geometry, ReadOptions, Recording, Result};
use foveola_core::events::Event;
use std::path::Path;

/// Opens a recording as the arguments say.
pub(super) fn open(path: &Path, args: &InputArgs) -> Result<Recording> {
    let options = ReadOptions { format: args.format, columns: args.columns, unit: args.unit, order: args.order };
    Recording::open_with(path, options)
}

/// The events between the times asked for.
pub(super) struct Chosen {
    events: Events,
    /// The first time that is not wanted.
    end: Option<u64>,
}

impl Chosen {
    /// Reads on to the first event that is wanted. Times count from the first event of the recording.
    pub(super) fn new(recording: &Recording, args: &InputArgs) -> Result<Self> {
        let mut events = recording.events()?;
        let start = events.peek()?.map_or(0, |event| event.t);
        if let Some(from) = args.from {
            events.seek(start.saturating_add(from))?;
            events.peek()?;
        }
        Ok(Self { events, end: args.to.map(|to| start.saturating_add(to)) })
    }

    /// Where they come from.
    pub(super) fn events(&self) -> &Events {
        &self.events
    }

    /// The size given, or the header's, or else the smallest that holds all events: for that, a file is read once before.
    pub(super) fn geometry(&self, recording: &Recording, args: &InputArgs) -> Result<Geometry> {
        let data = |reason: String| Error::Data { path: recording.name().into(), reason };
        match args.geometry.or(self.events.geometry()) {
            Some(geometry) => Ok(geometry),
            None if recording.bytes().is_none() => {
                Err(data("a pipe whose header tells no size, and it is read once; give --geometry COLSxROWS".into()))
            }
            None => {
                let summary = recording.scan(|_| ())?;
                summary.geometry().ok_or_else(|| data(format!("no events in {} bytes", summary.bytes)))
            }
        }
    }
}

impl Iterator for Chosen {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Result<Event>> {
        let event = self.events.next()?;
        // The rest is not read: times that go back are a recording's exception.
        if let (Ok(event), Some(end)) = (&event, self.end)
            && event.t >= end
        {
            return None;
        }
        Some(event)
    }
}
