//! Counts events into frames: bins of `dt`, in chunks for a model, in bounded memory.
//!
//! Where the clock is reset ([`RESET`](crate::RESET)), or time jumps ahead by more than a minute, the open frame is complete
//! and the next frame starts at the next event: frames follow each other without a gap, and no event is dropped.

#[cfg(feature = "gpu")]
use crate::device::counts::{Counted, Counts};
use crate::events::recording::Segmented;
use crate::{Error, MOST_PIXELS, Result};
use foveola_core::Shape;
#[cfg(feature = "gpu")]
use foveola_core::events::Place;
use foveola_core::events::{Accumulator, Dropped, Event, Geometry, Polarity, Push};
use ndarray::{ArrayView4, ArrayView5, Axis};

/// The largest jump ahead in time, in microseconds. A longer jump is a damaged time: [`Frames`] start anew after it, instead
/// of yielding frames of zeros for hours.
pub const JUMP: u64 = 60_000_000;

/// Frames of events, in chunks.
///
/// ```
/// use foveola::{Frames, Geometry, Polarity};
/// use foveola_core::events::Event;
/// let events = (0..1000).map(|i| Ok(Event { t: i * 100, x: (i % 8) as u16, y: 3, on: true }));
/// let mut frames = Frames::new(events, Geometry { cols: 8, rows: 6 }, Polarity::Signed, 1_000)?;
/// let mut total = 0.0;
/// while let Some(piece) = frames.next_chunk(32)? {
///     assert!(piece.dim().2 <= 32); // (batch, channel, time, row, col)
///     total += piece.sum();
/// }
/// assert_eq!(total, 1000.0);
/// # Ok::<(), foveola::Error>(())
/// ```
pub struct Frames<I: Iterator<Item = Result<Event>>> {
    source: Source<I>,
    geometry: Geometry,
    buffer: Vec<f32>,
    #[cfg(feature = "gpu")]
    counts: Counts,
}

/// The events and the bins that they are counted into.
struct Source<I: Iterator<Item = Result<Event>>> {
    events: Segmented<I>,
    /// An event that belongs to a later frame.
    waiting: Option<Event>,
    bins: Accumulator,
    /// The start of the first frame if it was given, until the first event.
    begin: Option<u64>,
    /// The end of the last frame if it was given.
    end: Option<u64>,
    /// Microseconds of a frame.
    dt: u64,
    /// Number of jumps ahead by more than [`JUMP`].
    jumps: u32,
    ended: bool,
    /// An error that is returned after the frames before it.
    failed: Option<Error>,
}

impl<I: Iterator<Item = Result<Event>>> std::fmt::Debug for Frames<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frames").field("geometry", &self.geometry).finish_non_exhaustive()
    }
}

impl<I: Iterator<Item = Result<Event>>> Frames<I> {
    /// Frames of `geometry` pixels from bins of `dt` microseconds, with two channels (ON, OFF) or one (signed).
    ///
    /// # Errors
    /// [`Error::Layer`] for a geometry without pixels or a `dt` of 0; [`Error::Parameter`] for more than [`MOST_PIXELS`]
    /// pixels, which indicates a damaged header.
    pub fn new(events: I, geometry: Geometry, polarity: Polarity, dt: u64) -> Result<Self> {
        if geometry.rows.saturating_mul(geometry.cols) > MOST_PIXELS {
            let value = format!("{} x {} pixels (columns x rows)", geometry.cols, geometry.rows);
            return Err(Error::Parameter { item: "frames", name: "geometry", value, expected: "at most 2^26 pixels" });
        }
        let bins = Accumulator::new(geometry.rows, geometry.cols, polarity, dt)
            .map_err(|source| Error::layer("frames of events", source))?
            .restart_after(u64::MAX); // jumps and resets are seen here
        let events = Segmented::new(events);
        Ok(Self {
            source: Source {
                events,
                waiting: None,
                bins,
                begin: None,
                end: None,
                dt,
                jumps: 0,
                ended: false,
                failed: None,
            },
            geometry,
            buffer: Vec::new(),
            #[cfg(feature = "gpu")]
            counts: Counts::default(),
        })
    }

    /// Starts the first frame at `start` (microseconds of the recording's time) instead of at the first event: for going on
    /// in a recording. Frames without events are yielded too; events before `start` are late.
    ///
    /// ```
    /// use foveola::{Frames, Geometry, Polarity};
    /// use foveola_core::events::Event;
    /// let event = |t| Ok(Event { t, x: 0, y: 0, on: true });
    /// let geometry = Geometry { cols: 1, rows: 1 };
    /// let frames = Frames::new([event(7_500)].into_iter(), geometry, Polarity::Signed, 1_000)?;
    /// let mut frames = frames.starting_at(5_000).ending_at(10_000);
    /// assert_eq!(frames.next_chunk(9)?.unwrap().as_slice(), Some(&[0.0, 0.0, 1.0, 0.0, 0.0][..]));
    /// # Ok::<(), foveola::Error>(())
    /// ```
    #[must_use]
    pub fn starting_at(mut self, start: u64) -> Self {
        self.source.bins = self.source.bins.starting_at(start);
        self.source.begin = Some(start);
        self
    }

    /// Ends the last frame at `end` (microseconds of the recording's time) instead of with the last event: after the events,
    /// frames without events follow up to there. There are none before the first event, unless their start was given.
    #[must_use]
    pub fn ending_at(mut self, end: u64) -> Self {
        self.source.end = Some(end);
        self
    }

    /// The source of the events.
    pub fn events(&self) -> &I {
        self.source.events.events()
    }

    /// The shape of a frame.
    pub fn shape(&self) -> Shape {
        self.source.bins.shape()
    }

    /// The start of the next frame in the recording's time, in microseconds; after a reset, in the time of the new clock.
    /// None before the first event of a recording or segment.
    pub fn time(&self) -> Option<u64> {
        self.source.bins.start()
    }

    /// Number of jumps ahead by more than a minute. No frame covers those minutes.
    pub fn jumps(&self) -> u32 {
        self.source.jumps
    }

    /// Number of clock resets: time went back by [`RESET`](crate::RESET) microseconds or more, and the next event did not
    /// return. A new segment starts there; its frames follow the previous ones without a gap.
    pub fn resets(&self) -> u64 {
        self.source.events.resets()
    }

    /// Events that are in no frame, by reason.
    pub fn dropped(&self) -> Dropped {
        self.source.bins.dropped()
    }

    /// The next `frames` frames `(batch, channel, time, row, col)`, fewer at the end; none after the end.
    ///
    /// # Errors
    /// Errors of the event source, after the complete frames before them; then none. [`Error::Memory`].
    pub fn next_chunk(&mut self, frames: usize) -> Result<Option<ArrayView5<'_, f32>>> {
        let (shape, len) = (self.shape(), self.shape().len());
        let samples = frames.max(1).saturating_mul(len);
        if self.buffer.len() < samples {
            let more = samples - self.buffer.len();
            self.buffer.try_reserve_exact(more).map_err(|_| Error::Memory { what: "a piece of frames", samples })?;
            self.buffer.resize(samples, 0.0);
        }
        let buffer = &mut self.buffer;
        let made = self.source.make(frames.max(1), |bins, frame, event| {
            bins.push(event, buffer.get_mut(frame * len..(frame + 1) * len).unwrap_or(&mut []))
        })?;
        if made == 0 {
            return Ok(None);
        }
        let Geometry { rows, cols } = self.geometry;
        let frames =
            ArrayView4::from_shape((made, shape.channels, rows, cols), self.buffer.get(..made * len).unwrap_or(&[]));
        let frames = frames.map_err(|_| Error::Memory { what: "a piece of frames", samples })?;
        Ok(Some(frames.permuted_axes([1, 0, 2, 3]).insert_axis(Axis(0))))
    }

    /// Like [`Frames::next_chunk`], but returns the number of frames and their counts. Returns fewer frames if their samples
    /// would exceed a 32-bit index.
    #[cfg(feature = "gpu")]
    pub(crate) fn next_counts(&mut self, frames: usize) -> Result<Option<(usize, Counted<'_>)>> {
        let len = self.shape().len();
        let counts = &mut self.counts;
        counts.begin(len);
        let made = self.source.make(frames.clamp(1, u32::MAX as usize / len), |bins, frame, event| {
            match bins.place(event) {
                Place::At { sample, step } => counts.add(frame, sample, step),
                Place::Dropped => {}
                Place::FrameComplete { start } => return Push::FrameComplete { start },
            }
            Push::Taken
        })?;
        if made == 0 { Ok(None) } else { Ok(Some((made, counts.finish(made)?))) }
    }
}

/// The outcome of filling a frame.
enum Filled {
    Complete,
    /// The last frame: the bin that was open when the events ended.
    Last,
    Nothing,
}

impl<I: Iterator<Item = Result<Event>>> Source<I> {
    /// Makes at most `most` frames; `take` processes the events of each. Returns their number.
    fn make(&mut self, most: usize, mut take: impl FnMut(&mut Accumulator, usize, Event) -> Push) -> Result<usize> {
        let mut made = 0;
        while made < most && !self.ended {
            match self.fill(|bins, event| take(bins, made, event)) {
                Ok(Filled::Complete) => made += 1,
                Ok(Filled::Last) => (made, self.ended) = (made + 1, true),
                Ok(Filled::Nothing) => self.ended = true,
                Err(error) => (self.failed, self.ended) = (Some(error), true),
            }
        }
        match self.failed.take_if(|_| made == 0) {
            Some(error) => Err(error),
            None => Ok(made),
        }
    }

    /// The next frame after the last event.
    fn finish(&mut self, mut take: impl FnMut(&mut Accumulator, Event) -> Push) -> Filled {
        let next = self.bins.start().and_then(|start| start.checked_add(self.dt));
        if let Some(next) = next.filter(|next| self.end.is_some_and(|end| *next <= end)) {
            // An event after the frame completes it, and is not taken.
            if let Push::FrameComplete { .. } = take(&mut self.bins, Event { t: next, x: 0, y: 0, on: true }) {
                return Filled::Complete;
            }
        }
        if self.bins.is_open() { Filled::Last } else { Filled::Nothing }
    }

    /// Fills one frame.
    fn fill(&mut self, mut take: impl FnMut(&mut Accumulator, Event) -> Push) -> Result<Filled> {
        loop {
            let event = match self.waiting.take() {
                Some(event) => event,
                None => {
                    let latest = self.events.latest();
                    let Some((event, begins)) = self.events.next().transpose()? else {
                        return Ok(self.finish(take));
                    };
                    let latest = self.begin.take().unwrap_or(latest);
                    let jumps = self.bins.start().is_some() && event.t > latest.saturating_add(JUMP);
                    self.jumps = self.jumps.saturating_add(jumps.into());
                    if (begins || jumps) && self.bins.restart() {
                        self.waiting = Some(event);
                        return Ok(Filled::Complete);
                    }
                    event
                }
            };
            if let Push::FrameComplete { .. } = take(&mut self.bins, event) {
                self.waiting = Some(event);
                return Ok(Filled::Complete);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_comes_behind_the_frames_before_it() {
        let event = |t, x| Ok(Event { t, x, y: 0, on: true });
        let lost = || Err(Error::NoSavedState);
        let events = [event(0, 0), event(1, 0), event(1_000, 1), lost(), event(1_200, 2)];
        let mut frames =
            Frames::new(events.into_iter(), Geometry { cols: 3, rows: 1 }, Polarity::Signed, 1_000).expect("good");
        let first = frames.next_chunk(8).expect("a frame first").expect("one").iter().copied().collect::<Vec<_>>();
        assert_eq!(first, [2.0, 0.0, 0.0]);
        assert!(frames.next_chunk(8).is_err(), "then the error");
        assert!(frames.next_chunk(8).expect("then nothing").is_none(), "the stream ended");
    }

    /// The start times of all frames, and their content.
    fn frames(times: &[u64], chunk: usize) -> (Vec<f32>, Frames<impl Iterator<Item = Result<Event>>>) {
        let events: Vec<_> = times.iter().map(|t| Ok(Event { t: *t, x: 0, y: 0, on: true })).collect();
        let mut frames =
            Frames::new(events.into_iter(), Geometry { cols: 1, rows: 1 }, Polarity::Signed, 1_000).expect("good");
        let mut all = Vec::new();
        while let Some(piece) = frames.next_chunk(chunk).expect("frames") {
            all.extend(piece.iter());
        }
        (all, frames)
    }

    #[test]
    fn long_jumps_of_time_are_counted() {
        let (all, frames) = frames(&[0, 120_000_000, 120_002_000, 0, 1], 100);
        assert_eq!(all, [1.0, 1.0, 0.0, 1.0, 2.0]);
        assert_eq!((frames.jumps(), frames.resets(), frames.dropped().events()), (1, 1, 0));
    }

    /// The segments follow each other frame by frame, for any chunking, whether or not the open frame was full.
    #[test]
    fn a_reset_begins_a_segment() {
        for chunk in 1..6 {
            let times = [900_000, 900_100, 903_500, 5_200, 5_300, 6_000, 300, 400];
            let (all, frames) = frames(&times, chunk);
            assert_eq!(all, [2.0, 0.0, 0.0, 1.0, 2.0, 1.0], "{chunk}");
            assert_eq!((frames.resets(), frames.dropped().late, frames.jumps()), (1, 2, 0), "{chunk}");
            assert_eq!(frames.time(), Some(6_000), "the clock of the new segment");
        }
    }

    /// Frames of a part are those of the whole: from and to the end of any frame, whether it has events or not.
    #[test]
    fn parts_are_those_of_the_whole() {
        let times = [5_100, 5_900, 9_000, 9_001, 12_999, 13_000];
        let part = |from: Option<u64>, to: Option<u64>| {
            let inside = |t: &u64| from.is_none_or(|from| *t >= from) && to.is_none_or(|to| *t < to);
            let events: Vec<_> =
                times.iter().filter(|t| inside(t)).map(|t| Ok(Event { t: *t, x: 0, y: 0, on: true })).collect();
            let geometry = Geometry { cols: 1, rows: 1 };
            let mut frames = Frames::new(events.into_iter(), geometry, Polarity::Signed, 1_000).expect("good");
            frames = from.into_iter().fold(frames, Frames::starting_at);
            frames = to.into_iter().fold(frames, Frames::ending_at);
            let mut all: Vec<f32> = Vec::new();
            while let Some(piece) = frames.next_chunk(2).expect("frames") {
                all.extend(piece.iter());
            }
            assert_eq!(frames.dropped().events(), 0);
            all
        };
        let whole = part(None, None);
        assert_eq!(whole, [2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 1.0, 1.0]);
        for cut in (6_000..=13_000).step_by(1_000) {
            assert_eq!([part(None, Some(cut)), part(Some(cut), None)].concat(), whole, "{cut}");
        }
        assert_eq!(part(None, Some(4_000)), [0.0; 0], "before the first event");
        assert_eq!(part(Some(20_000), Some(22_000)), [0.0; 2], "after the last one");
    }

    /// A first event far behind the given start is a jump, one of any time near it is none.
    #[test]
    fn a_given_start_is_the_latest_time() {
        let start = 90_000_000;
        for (first, count, jumps) in [(start + 3_000, 4, 0), (start + JUMP + 1_000, 1, 1)] {
            let events = [Ok(Event { t: first, x: 0, y: 0, on: true })].into_iter();
            let frames = Frames::new(events, Geometry { cols: 1, rows: 1 }, Polarity::Signed, 1_000).expect("good");
            let mut frames = frames.starting_at(start);
            let made = frames.next_chunk(100).expect("frames").map_or(0, |frames| frames.len());
            assert_eq!((made, frames.jumps()), (count, jumps));
        }
    }

    /// A single late event is dropped and counted, however late it is.
    #[test]
    fn an_event_that_is_late_alone_is_no_reset() {
        let (all, frames) = frames(&[90_000_000, 90_001_000, 7, 90_001_100, 90_002_000], 3);
        assert_eq!(all, [1.0, 2.0, 1.0]);
        assert_eq!((frames.resets(), frames.dropped().late, frames.jumps()), (0, 1, 0));
    }
}
