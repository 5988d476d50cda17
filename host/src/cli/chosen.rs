//! The events of a recording that the arguments choose.

use super::InputArgs;
use super::applies::{self, Kind};
use super::units::plural;
use foveola::{Error, EventFilters, Events, Filtered, Geometry, ReadOptions, Recording, Result};
use foveola_core::events::Event;
use serde_json::{Value, json};
use std::path::Path;

/// Opens a recording as the arguments say.
pub(super) fn open(path: &Path, args: &InputArgs) -> Result<Recording> {
    let options = ReadOptions { format: args.format, columns: args.columns, unit: args.unit, order: args.order };
    let recording = Recording::open_with(path, options)?;
    applies::to_input(args, Kind::Events(recording.format()), &path.display().to_string());
    Ok(recording)
}

/// The events of a recording between the times asked for, through the filters asked for.
pub(super) enum Chosen {
    All(Box<Window>),
    Filtered(Box<Filtered<Window>>),
}

impl Chosen {
    /// Reads on to the first event that is wanted. Times count from the first event of the recording.
    pub(super) fn new(recording: &Recording, args: &InputArgs) -> Result<Self> {
        let window = Window::new(recording, args)?;
        if args.filter.is_empty() {
            return Ok(Self::All(Box::new(window)));
        }
        let filters = EventFilters::of(window.geometry(recording, args)?, &args.filter)?;
        Ok(Self::Filtered(Box::new(filters.filter(window))))
    }

    /// Where they come from.
    pub(super) fn events(&self) -> &Events {
        match self {
            Self::All(window) => &window.events,
            Self::Filtered(filtered) => &filtered.events().events,
        }
    }

    /// Size of the sensor that they seem to come from behind the filters; none without filters.
    pub(super) fn filtered_geometry(&self) -> Option<Geometry> {
        match self {
            Self::All(_) => None,
            Self::Filtered(filtered) => Some(filtered.filters().output()),
        }
    }

    /// Size of the sensor: behind the filters, the size given, the header's, or else the smallest that holds all events: for
    /// that, a file is read once before.
    pub(super) fn geometry(&self, recording: &Recording, args: &InputArgs) -> Result<Geometry> {
        match self {
            Self::All(window) => window.geometry(recording, args),
            Self::Filtered(filtered) => Ok(filtered.filters().output()),
        }
    }

    /// What each filter dropped so far.
    pub(super) fn filtered(&self) -> Vec<(String, u64)> {
        match self {
            Self::All(_) => Vec::new(),
            Self::Filtered(filtered) => dropped(filtered.filters()),
        }
    }
}

/// What each filter dropped so far.
pub(super) fn dropped(filters: &EventFilters) -> Vec<(String, u64)> {
    filters.dropped().map(|(name, count)| (name.into(), count)).collect()
}

/// What filters dropped, as lines.
pub(super) fn filtered_as_text(filtered: &[(String, u64)]) -> Vec<String> {
    filtered.iter().map(|(name, count)| format!("{} by {name}", plural(*count, "event"))).collect()
}

/// What filters dropped, as JSON: a list, since a filter may be there twice.
pub(super) fn filtered_as_json(filtered: &[(String, u64)]) -> Value {
    filtered.iter().map(|(name, count)| json!({ "filter": name, "dropped": count })).collect()
}

impl Iterator for Chosen {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Result<Event>> {
        match self {
            Self::All(window) => window.next(),
            Self::Filtered(filtered) => filtered.next(),
        }
    }
}

/// The events between the times asked for.
pub(super) struct Window {
    events: Events,
    /// The first time that is not wanted.
    end: Option<u64>,
}

impl Window {
    fn new(recording: &Recording, args: &InputArgs) -> Result<Self> {
        let mut events = recording.events()?;
        let start = events.peek()?.map_or(0, |event| event.t);
        if let Some(from) = args.from {
            events.seek(start.saturating_add(from))?;
            events.peek()?;
        }
        Ok(Self { events, end: args.to.map(|to| start.saturating_add(to)) })
    }

    fn geometry(&self, recording: &Recording, args: &InputArgs) -> Result<Geometry> {
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

impl Iterator for Window {
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
