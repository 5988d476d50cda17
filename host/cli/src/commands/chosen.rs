//! The events of a recording that the arguments select.

use super::applies::{self, Kind};
use super::resume::{Cut, Inside};
use crate::args::InputArgs;
use crate::text::{Reason, decoder_reasons, reasons_as_text};
use crate::units::seconds;
use foveola::{Error, EventFilters, Events, Filtered, Geometry, JUMP, ReadOptions, Recording, Result, Segmented};
use foveola_core::events::Event;
use std::path::{Path, PathBuf};

/// Opens a recording with the options of the arguments.
pub(crate) fn open(path: &Path, args: &InputArgs) -> Result<Recording> {
    let options = ReadOptions {
        format: args.format,
        columns: args.columns,
        unit: args.unit,
        order: args.order,
        camera: args.camera,
        damaged: args.damaged,
    };
    let recording = Recording::open_with(path, options)?;
    applies::to_input(args, Kind::Events(recording.format()), &path.display().to_string());
    Ok(recording)
}

/// The events of a recording in the selected time range, after the selected filters.
pub(crate) enum Chosen {
    All(Box<Window>),
    Filtered(Box<Filtered<Window>>),
}

impl Chosen {
    /// Reads up to the first selected event. Times count from the first event of the recording.
    pub(crate) fn new(recording: &Recording, args: &InputArgs) -> Result<Self> {
        Self::cut(recording, args, None)
    }

    /// [`Chosen::new`], cut at the ends of whole frames.
    pub(crate) fn cut(recording: &Recording, args: &InputArgs, cut: Option<Cut>) -> Result<Self> {
        let window = Window::new(recording, args, cut)?;
        if args.filter.is_empty() {
            return Ok(Self::All(Box::new(window)));
        }
        let filters = EventFilters::of(window.geometry(recording, args)?, &args.filter)?;
        Ok(Self::Filtered(Box::new(filters.filter(window))))
    }

    /// The filters; none without them.
    pub(crate) fn filters(&self) -> Option<&EventFilters> {
        match self {
            Self::All(_) => None,
            Self::Filtered(filtered) => Some(filtered.filters()),
        }
    }

    /// The times, in the clock of the recording, at which the first frame begins and the last one ends, where the events are
    /// cut at frames.
    pub(crate) fn frames(&self) -> (Option<u64>, Option<u64>) {
        let Window { start, cut, to, .. } = self.window();
        let Some(cut) = cut else { return (None, None) };
        let time = |since: u64| start.saturating_add(since);
        (cut.next.map(time), to.filter(|_| cut.saves).map(time))
    }

    /// Where the events end: inside the recording, or with it.
    pub(crate) fn place(&self) -> Option<Inside> {
        let Window { start, to, .. } = self.window();
        to.map(|next| Inside { next, first: Some(*start) })
    }

    /// The source of the events.
    pub(crate) fn events(&self) -> &Events {
        self.window().events.events()
    }

    fn window(&self) -> &Window {
        match self {
            Self::All(window) => window,
            Self::Filtered(filtered) => filtered.events(),
        }
    }

    /// Number of clock resets among the events read.
    pub(crate) fn resets(&self) -> u64 {
        self.window().events.resets()
    }

    /// The error for a recording without selected events.
    pub(crate) fn nothing(&self, recording: &Recording, args: &InputArgs) -> Error {
        let Window { latest, .. } = self.window();
        let time = |us: u64| seconds(us as f64 * 1e-6);
        let reason = match (latest, args.from) {
            (Some(latest), Some(from)) if *latest < from => {
                let last = time(*latest);
                format!("no events in what was asked for: --from {} lies behind the last one, at {last}", time(from))
            }
            (Some(_), _) if !args.filter.is_empty() => "no events behind the filters (--filter)".into(),
            (Some(_), _) => "no events in what was asked for (--from, --to)".into(),
            _ => {
                let bytes = recording.bytes().unwrap_or_else(|| self.events().position());
                let reasons: Vec<Reason> = decoder_reasons(&self.events().skipped()).collect();
                let skipped = match reasons.iter().any(|(.., count)| *count > 0) {
                    true => format!("; skipped {}", reasons_as_text(&reasons).join(", ")),
                    false => String::new(),
                };
                format!("no events in {bytes} bytes{skipped}")
            }
        };
        Error::Data { path: recording.name().into(), reason }
    }

    /// Sensor size after the filters; none without filters.
    pub(crate) fn filtered_geometry(&self) -> Option<Geometry> {
        self.filters().map(EventFilters::output)
    }

    /// Sensor size: after the filters, the given size, that in the header, or else the smallest that holds all events; for
    /// the last, a file is read once beforehand.
    pub(crate) fn geometry(&self, recording: &Recording, args: &InputArgs) -> Result<Geometry> {
        match self {
            Self::All(window) => window.geometry(recording, args),
            Self::Filtered(filtered) => Ok(filtered.filters().output()),
        }
    }

    /// The number of events that each filter has dropped so far.
    pub(crate) fn filtered(&self) -> Vec<(String, u64)> {
        match self {
            Self::All(_) => Vec::new(),
            Self::Filtered(filtered) => dropped(filtered.filters()),
        }
    }
}

/// The number of events that each filter has dropped so far.
pub(crate) fn dropped(filters: &EventFilters) -> Vec<(String, u64)> {
    filters.dropped().map(|(name, count)| (name.into(), count)).collect()
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

/// The events in the selected time range. Times count from the first event of the recording and continue over clock resets:
/// a segment follows the one before without a gap.
pub(crate) struct Window {
    events: Segmented<Events>,
    /// The recording, for messages.
    name: PathBuf,
    /// The time of the recording's first event.
    start: u64,
    /// How frames are cut, if a state is saved or loaded.
    cut: Option<Cut>,
    /// Time from the recording's first event to the first of `events`.
    offset: u64,
    /// Time of the latest event read, counted from the first event.
    latest: Option<u64>,
    /// The first selected time, until an event reaches it, and the first time after the range.
    from: Option<u64>,
    to: Option<u64>,
    ended: bool,
}

impl Window {
    fn new(recording: &Recording, args: &InputArgs, cut: Option<Cut>) -> Result<Self> {
        let mut events = recording.events()?;
        let start = events.peek()?.map_or(0, |event| event.t);
        let (from, to) = bounds(recording, args, start, cut.as_ref())?;
        let window = |events, offset| Self {
            events: Segmented::new(events),
            name: recording.name().into(),
            start,
            cut,
            offset,
            latest: None,
            from,
            to,
            ended: false,
        };
        let Some(from) = from.filter(|_| recording.format().seeks() && recording.bytes().is_some()) else {
            return Ok(window(events, 0));
        };
        events.seek(start.saturating_add(from))?;
        if let Some(event) = events.peek()? {
            return Ok(window(events, event.t - start)); // found at `from` or later
        }
        // After the end, or in a segment whose clock does not reach that time.
        let mut events = recording.events()?;
        events.peek()?;
        Ok(window(events, 0))
    }

    /// Why a state cannot be saved behind the events: the next one, at `t` after the recording's first event, or none.
    fn uncut(&self, t: Option<u64>) -> Option<Error> {
        let (to, _) = self.to.zip(self.cut.as_ref().filter(|cut| cut.saves))?;
        let latest = self.latest.or(self.from).unwrap_or(0);
        let reason = match t {
            None => format!("it ends at {latest} us, before the state at {to} us; expected an earlier --to, or none"),
            Some(_) if self.events.resets() > 0 => {
                let place = "its clock is reset before --to, so that no later run could find the place of the state";
                format!("{place}; expected an earlier --to, or none")
            }
            Some(t) if t > latest.saturating_add(JUMP) => {
                format!(
                    "no event between {latest} and {t} us, where no frame is; expected --to outside of them, or none"
                )
            }
            Some(_) => return None,
        };
        Some(Error::Data { path: self.name.clone(), reason })
    }

    fn geometry(&self, recording: &Recording, args: &InputArgs) -> Result<Geometry> {
        let data = |reason: String| Error::Data { path: recording.name().into(), reason };
        match args.geometry.or(self.events.events().geometry()) {
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

/// The first selected time, and the first after the range, since the first event, which is at `start`. If a state is saved
/// or loaded, they are the starts of frames, which are multiples of the time of a frame.
fn bounds(
    recording: &Recording,
    args: &InputArgs,
    start: u64,
    cut: Option<&Cut>,
) -> Result<(Option<u64>, Option<u64>)> {
    let Some(cut) = cut else { return Ok((args.from, args.to)) };
    if let Some(position) = &cut.position {
        position.check_first(start)?;
    }
    let from = cut.next.or(args.from);
    let Some(to) = args.to.filter(|_| cut.saves) else { return Ok((from, args.to)) };
    let end = start.saturating_add(to) / cut.dt * cut.dt;
    match end.checked_sub(start).filter(|end| *end > from.unwrap_or(0)) {
        Some(end) => Ok((from, Some(end))),
        None => {
            let reason = format!("no whole frame of {} us ends before --to; expected a later one", cut.dt);
            Err(Error::Data { path: recording.name().into(), reason })
        }
    }
}

impl Iterator for Window {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Result<Event>> {
        while !self.ended {
            let event = match self.events.next() {
                Some(Ok((event, _))) => event,
                Some(Err(error)) => return Some(Err(error)),
                None => {
                    self.ended = true;
                    return self.uncut(None).map(Err);
                }
            };
            let t = self.events.elapsed(event.t).saturating_add(self.offset);
            let uncut = if self.to.is_some_and(|to| t >= to) { self.uncut(Some(t)) } else { None };
            self.latest = self.latest.max(Some(t));
            if self.from.is_some_and(|from| t < from) {
                continue;
            }
            self.from = None;
            if self.to.is_some_and(|to| t >= to) {
                // The rest is not read: times that go back are an exception.
                self.ended = true;
                return self.events.events().check().err().or(uncut).map(Err);
            }
            return Some(Ok(event));
        }
        None
    }
}
