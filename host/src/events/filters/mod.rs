//! Event filters for a stream: a chain that owns its state and counts the events that each filter drops.

mod spec;

pub use spec::EventFilterSpec;

use crate::events::recording::Segmented;
use crate::{Error, Geometry, Result};
use foveola_core::events::{Event, EventChain, EventFilter, EventStage};
use spec::failed;
use std::borrow::BorrowMut;

/// Number of events that are filtered at a time.
const BATCH: usize = 1 << 12;
/// Microseconds added to the filters' time at a clock reset: more than their longest time constant.
const REST: u64 = 1 << 30;

/// A chain of event filters; the filters are those of [`foveola_core::events::filters`].
///
/// ```
/// use foveola::{EventFilterSpec, EventFilters, Geometry};
/// use foveola_core::events::Event;
///
/// let mut filters = EventFilters::new(Geometry { cols: 640, rows: 480 })
///     .with(&"refractory:1ms".parse()?)?
///     .with(&"stcf:k=1,tau=5ms".parse()?)?;
/// let event = |t, x| Event { t, x, y: 100, on: true };
/// let mut events = vec![event(0, 10), event(300, 10), event(400, 11), event(450, 600)];
/// filters.retain(&mut events)?;
/// assert_eq!(events, [event(400, 11)]);
/// let dropped: Vec<_> = filters.dropped().collect();
/// assert_eq!(dropped, [("refractory:1ms", 1), ("stcf:k=1,tau=5ms", 2)]);
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// The chain filters the events of a recording on demand:
/// ```no_run
/// use foveola::{EventFilters, Frames, Polarity, Recording};
///
/// let recording = Recording::open("recording.raw")?;
/// let sensor = recording.scan(|_| ())?.geometry().expect("events");
/// let mut filters = EventFilters::new(sensor).with(&"stcf".parse()?)?.with(&"downsample:2".parse()?)?;
/// let output = filters.output();
/// let frames = Frames::new(filters.filter(recording.events()?), output, Polarity::Signed, 1_000)?;
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Clone)]
pub struct EventFilters {
    sensor: Geometry,
    output: Geometry,
    names: Vec<String>,
    stages: Vec<EventStage<'static>>,
    state: Vec<u32>,
}

impl std::fmt::Debug for EventFilters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { sensor, output, names, .. } = self;
        f.debug_struct("EventFilters")
            .field("sensor", sensor)
            .field("output", output)
            .field("names", names)
            .finish_non_exhaustive()
    }
}

impl EventFilters {
    /// An empty chain for a sensor of this size.
    pub fn new(sensor: Geometry) -> Self {
        Self { sensor, output: sensor, names: Vec::new(), stages: Vec::new(), state: Vec::new() }
    }

    /// A chain of the given filters, in order.
    ///
    /// # Errors
    /// As for [`EventFilters::with`].
    pub fn of<'s>(sensor: Geometry, specs: impl IntoIterator<Item = &'s EventFilterSpec>) -> Result<Self> {
        specs.into_iter().try_fold(Self::new(sensor), Self::with)
    }

    /// Appends the filter `spec`, for the sensor size after the previous filters.
    ///
    /// # Errors
    /// [`Error::Filter`] when it does not fit that sensor size; [`Error::Memory`].
    pub fn with(self, spec: &EventFilterSpec) -> Result<Self> {
        let stage = spec.stage(self.output)?;
        self.then(spec.to_string(), stage)
    }

    /// Appends a filter of [`foveola_core`], called `name` in reports.
    ///
    /// ```
    /// use foveola::{EventFilters, Geometry};
    /// use foveola_core::events::{PolarityOnly, Region};
    /// let region = Region::new(10, 20, 64, 64).expect("inside");
    /// let filters = EventFilters::new(Geometry { cols: 640, rows: 480 });
    /// let filters = filters.then("face", region)?.then("on", PolarityOnly::On)?;
    /// assert_eq!(filters.output(), Geometry { cols: 64, rows: 64 });
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Filter`] when it is made for another sensor size than the previous filters yield; [`Error::Memory`].
    pub fn then(mut self, name: impl Into<String>, stage: impl Into<EventStage<'static>>) -> Result<Self> {
        let name = name.into();
        self.stages.push(stage.into());
        let chain = EventChain::new(self.sensor, &self.stages).map_err(|error| failed(&name, &error))?;
        let words = chain.state_len();
        self.output = chain.output();
        let memory = |_| Error::Memory { what: "the state of the filters", samples: words };
        // The state of the previous filters stays in front.
        self.state.try_reserve_exact(words - self.state.len()).map_err(memory)?;
        self.state.resize(words, 0);
        self.names.push(name);
        Ok(self)
    }

    /// Whether the chain is empty: then it passes all events.
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// Whether what a filter does with an event depends on earlier events. Those that select by place or polarity have no state.
    pub fn has_state(&self) -> bool {
        let chain = EventChain::new(self.sensor, &self.stages).ok();
        chain.is_some_and(|chain| (0..self.stages.len()).any(|stage| !chain.state_range(stage).is_empty()))
    }

    /// The sensor size after the filters.
    pub fn output(&self) -> Geometry {
        self.output
    }

    /// Filters events in place: keeps those that pass, with their new coordinates.
    ///
    /// # Errors
    /// [`Error::Filter`] only if a custom filter changes the length of its state.
    pub fn retain(&mut self, events: &mut Vec<Event>) -> Result<()> {
        let Self { sensor, stages, state, names, .. } = self;
        let kept = EventChain::new(*sensor, stages).and_then(|chain| chain.retain(state, events));
        let kept = kept.map_err(|error| failed(&names.join(" "), &error))?;
        events.truncate(kept);
        Ok(())
    }

    /// The names of the filters, and the number of events that each has dropped so far.
    pub fn dropped(&self) -> impl Iterator<Item = (&str, u64)> {
        let chain = EventChain::new(self.sensor, &self.stages).ok();
        let dropped = move |stage| chain.map_or(0, |chain| chain.dropped(&self.state, stage));
        self.names.iter().enumerate().map(move |(stage, name)| (name.as_str(), dropped(stage)))
    }

    /// Columns and rows of the pixels that hot-pixel filters currently mask: their events are dropped.
    pub fn hot_pixels(&self) -> Vec<(u16, u16)> {
        let chain = EventChain::new(self.sensor, &self.stages).ok();
        let own = |stage| self.state.get(chain?.state_range(stage));
        let masks = self.stages.iter().enumerate().filter_map(|(stage, filter)| match filter {
            EventStage::HotPixels(hot) => Some(hot.masked(own(stage)?)),
            _ => None,
        });
        masks.flatten().collect()
    }

    /// Clears the state and the counts of dropped events.
    pub fn clear(&mut self) {
        self.state.fill(0);
    }

    /// Filters the events of the iterator `events`; see the [example](EventFilters).
    ///
    /// Events are read in batches of 4096, so a live source must deliver that many first, or end. Use [`Filtered::filters`]
    /// to inspect the filters in the meantime. To get them back afterwards, pass `&mut` filters:
    /// `Filtered::new(events, &mut filters)`.
    pub fn filter<I: Iterator<Item = Result<Event>>>(self, events: I) -> Filtered<I> {
        Filtered::new(events, self)
    }
}

/// The events of `I` that pass the filters; returned by [`EventFilters::filter`].
///
/// An error follows the events before it. At a clock reset ([`RESET`](crate::RESET)) the time of the filters advances by 18
/// minutes, more than any of their time constants: no event before the reset affects one after it. The events themselves
/// keep their times.
pub struct Filtered<I: Iterator<Item = Result<Event>>, F = EventFilters> {
    events: Segmented<I>,
    filters: F,
    /// Offset from the times of this segment to the time of the filters.
    shift: u64,
    /// The first event of the next segment, held back until the batch before it is complete, and the new offset.
    first: Option<(Event, u64)>,
    /// The filtered batch; events before `next` have been returned.
    batch: Vec<Event>,
    next: usize,
    error: Option<Error>,
}

impl<I: Iterator<Item = Result<Event>>, F: std::fmt::Debug> std::fmt::Debug for Filtered<I, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { events, filters, .. } = self;
        f.debug_struct("Filtered").field("events", events).field("filters", filters).finish_non_exhaustive()
    }
}

impl<I: Iterator<Item = Result<Event>>, F: BorrowMut<EventFilters>> Filtered<I, F> {
    /// Filters `events` with `filters`, which are owned or borrowed.
    pub fn new(events: I, filters: F) -> Self {
        let events = Segmented::new(events);
        Self { events, filters, shift: 0, first: None, batch: Vec::with_capacity(BATCH), next: 0, error: None }
    }

    /// The source of the events.
    pub fn events(&self) -> &I {
        self.events.events()
    }

    /// The filters.
    pub fn filters(&self) -> &EventFilters {
        self.filters.borrow()
    }

    /// Reads a batch; false at the end of the events.
    fn refill(&mut self) -> bool {
        self.batch.clear();
        self.next = 0;
        if let Some((event, shift)) = self.first.take() {
            self.shift = shift;
            self.batch.push(event);
        }
        while self.batch.len() < BATCH && self.error.is_none() {
            let latest = self.events.latest();
            match self.events.next() {
                Some(Ok((event, true))) => {
                    // A batch belongs to one segment.
                    let shift = latest.wrapping_add(self.shift).wrapping_add(REST).wrapping_sub(event.t);
                    self.first = Some((event, shift));
                    break;
                }
                Some(Ok((event, false))) => self.batch.push(event),
                Some(Err(error)) => self.error = Some(error),
                None => break,
            }
        }
        let ended = self.batch.is_empty() && self.error.is_none() && self.first.is_none();
        let shift = self.shift;
        self.batch.iter_mut().for_each(|event| event.t = event.t.wrapping_add(shift));
        if let Err(error) = self.filters.borrow_mut().retain(&mut self.batch) {
            self.error = Some(error);
        }
        self.batch.iter_mut().for_each(|event| event.t = event.t.wrapping_sub(shift));
        !ended
    }
}

impl<I: Iterator<Item = Result<Event>>, F: BorrowMut<EventFilters>> Iterator for Filtered<I, F> {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Result<Event>> {
        loop {
            if let Some(event) = self.batch.get(self.next) {
                self.next += 1;
                return Some(Ok(*event));
            }
            if let Some(error) = self.error.take() {
                return Some(Err(error));
            }
            if !self.refill() {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use foveola_core::events::{Downsample, Neighbours, PolarityOnly, Stcf};

    const SENSOR: Geometry = Geometry { cols: 16, rows: 12 };

    /// Three moving columns, with flicker inside them.
    fn event(i: u64) -> Event {
        let random = i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        Event {
            t: i * 3,
            x: ((i / 20 + random % 3) % 16) as u16,
            y: (random / 3 % 12) as u16,
            on: !i.is_multiple_of(3),
        }
    }

    fn filters() -> EventFilters {
        let specs = ["on", "refractory:100us", "stcf:k=2,tau=60us", "downsample:2"];
        let specs = specs.map(|text| text.parse().expect("a filter"));
        EventFilters::of(SENSOR, &specs).expect("they fit")
    }

    /// Over several batches, whole or one by one, owned or borrowed: the same events, and every dropped event is counted.
    #[test]
    fn a_stream_goes_through_as_a_buffer_does() {
        let events: Vec<_> = (0..10_000).map(event).collect();
        let (mut whole, mut kept) = (filters(), events.clone());
        whole.retain(&mut kept).expect("good");
        assert!((100..9_000).contains(&kept.len()), "{} of {}", kept.len(), events.len());
        let dropped: Vec<_> = whole.dropped().collect();
        assert_eq!(dropped.iter().map(|(_, n)| n).sum::<u64>(), (events.len() - kept.len()) as u64);
        assert!(dropped[..3].iter().all(|(_, n)| *n > 0) && dropped[3] == ("downsample:2", 0), "{dropped:?}");
        assert_eq!(whole.output(), Geometry { cols: 8, rows: 6 });
        assert!(kept.iter().all(|event| whole.output().contains(event)), "inside of what is left");

        let stream = || events.iter().copied().map(Ok);
        let owned: Result<Vec<_>> = filters().filter(stream()).collect();
        assert_eq!(owned.expect("good"), kept);
        let mut lent = filters();
        assert_eq!(Filtered::new(stream(), &mut lent).count(), kept.len());
        assert!(lent.dropped().eq(whole.dropped()), "borrowed filters count, too");
        lent.clear();
        assert!(lent.dropped().all(|(_, n)| n == 0), "nothing is left");
    }

    #[test]
    fn an_error_comes_behind_the_events_before_it() {
        let events = (0..100).map(|i| if i == 50 { Err(Error::NoSavedState) } else { Ok(event(i)) });
        let items: Vec<_> = EventFilters::new(SENSOR).filter(events).collect();
        assert_eq!(items.iter().position(Result::is_err), Some(50));
        assert_eq!(items.iter().filter(|item| item.is_ok()).count(), 99);
    }

    /// After a reset no filter uses earlier events, and the output keeps the times of the recording.
    #[test]
    fn a_reset_separates_what_filters_know() {
        let event = |t, x| Event { t, x, y: 5, on: true };
        // The second segment repeats the pixels and times of the first, 5 s earlier.
        let segment: Vec<_> = (0..40).map(|i| event(7_000_000 + i * 500, (i % 4) as u16)).collect();
        let early = segment.iter().map(|e| Event { t: e.t - 5_000_000, ..*e });
        let both: Vec<_> = segment.iter().copied().chain(early).collect();
        for spec in ["refractory:1ms", "stcf:k=1,tau=1ms", "rowcol:tau=1ms", "hot:most=5,window=10ms"] {
            let pass = |events: &[Event]| -> Vec<Event> {
                let filters = EventFilters::new(SENSOR).with(&spec.parse().expect("a filter")).expect("it fits");
                filters.filter(events.iter().copied().map(Ok)).collect::<Result<_>>().expect("good")
            };
            let (alone, kept) = (pass(&segment), pass(&both));
            let early: Vec<_> = alone.iter().map(|e| Event { t: e.t - 5_000_000, ..*e }).collect();
            if spec.starts_with("hot") {
                // Learned hot pixels stay.
                assert!(kept.starts_with(&alone), "{spec}");
            } else {
                assert_eq!(kept, [alone, early].concat(), "{spec}");
            }
        }
    }

    #[test]
    fn filters_by_place_have_no_state() {
        let has_state = |specs: &[&str]| {
            let specs: Vec<_> = specs.iter().map(|text| text.parse().expect("a filter")).collect();
            EventFilters::of(SENSOR, &specs).expect("they fit").has_state()
        };
        assert!(!has_state(&[]) && !has_state(&["on", "region:0,0,8,8", "downsample:2"]));
        for spec in ["refractory:1ms", "stcf", "rowcol", "hot", "limit:100"] {
            assert!(has_state(&["on", spec]), "{spec}");
        }
    }

    #[test]
    fn hot_pixels_can_be_read() {
        let spec = "hot:most=3".parse().expect("a filter");
        let mut filters =
            EventFilters::new(SENSOR).then("off", PolarityOnly::Off).and_then(|f| f.with(&spec)).expect("good");
        assert!(filters.hot_pixels().is_empty());
        filters.retain(&mut vec![Event { t: 0, x: 5, y: 6, on: false }; 5]).expect("good");
        assert_eq!(filters.hot_pixels(), [(5, 6)]);
    }

    /// A filter after one that changes the sensor size uses the new size; one made for another size is an error.
    #[test]
    fn filters_fit_what_is_left_of_the_sensor() {
        let half = Downsample::new(SENSOR, 2).expect("good");
        let filters = EventFilters::new(SENSOR).then("half", half).expect("good");
        assert!(filters.clone().with(&"stcf".parse().expect("a filter")).is_ok());
        let stcf = Stcf::new(SENSOR, Neighbours::Four, 1, 1).expect("good");
        let error = filters.then("late", stcf).expect_err("refused").to_string();
        assert!(error.starts_with("filter 'late': stage 1 is made for a sensor of 16 x 12 pixels"), "{error}");
    }
}
