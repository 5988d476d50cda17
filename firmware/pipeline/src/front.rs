//! A sensor's bytes to frames: decoder, binning, accumulation.
//!
//! ```text
//! frame[(y - top) / b, (x - left) / b] += 1 or -1      for the events (x, y) of dt microseconds; b the binning
//! ```
//! Events in = events stored + events filtered + events dropped ([`Dropped`]); bytes in = understood + skipped + held.
//! A program links the decoder that it names and no other. State: about 250 bytes, and the frame lent by the caller.

use crate::Plan;
use foveola_core::Sample;
use foveola_core::events::{Accumulator, Dropped, Event, Evt2, Live, OtherState, Push, Skipped};
use foveola_core::words::{put_longs, take_long};

/// Bytes in the format of `D` to frames of counts; see the [equation](self).
#[derive(Clone, Debug)]
pub struct Front<D = Evt2> {
    decoder: D,
    bins: Accumulator,
    /// An event behind the frame that was completed last.
    waiting: Option<Event>,
    events: u64,
    filtered: u64,
    bytes: u64,
}

impl<D: Live> Front<D> {
    /// At the start of a sensor's stream or of a recording.
    pub fn new<T: Sample>(plan: &Plan<'_, T>) -> Self {
        let decoder = D::start().largest_step(plan.largest_step);
        Self { decoder, ..Self::of(plan.bins.clone()) }
    }

    /// Without a plan: for frames that something else takes, as [`Bands`](crate::Bands) do.
    pub fn of(bins: Accumulator) -> Self {
        Self { decoder: D::start(), bins, waiting: None, events: 0, filtered: 0, bytes: 0 }
    }

    /// Takes bytes from the front of `bytes` until `frame` is complete, and returns when it began, in microseconds; `None` when
    /// all bytes were taken before. Until then the same `frame` is to be lent.
    pub fn next_frame<T: Sample>(&mut self, bytes: &mut &[u8], frame: &mut [T]) -> Option<u64> {
        self.go_on(bytes, frame, Self::fill)
    }

    /// [`Front::next_frame`] of the events that `keeps`, which may change them.
    pub fn next_frame_of<T: Sample>(
        &mut self,
        bytes: &mut &[u8],
        frame: &mut [T],
        keeps: impl FnMut(&mut Event) -> bool,
    ) -> Option<u64> {
        self.go_on(bytes, frame, |front, bytes, frame| front.fill_with(bytes, frame, keeps))
    }

    #[inline(always)]
    fn go_on<T: Sample>(
        &mut self,
        bytes: &mut &[u8],
        frame: &mut [T],
        fill: impl FnOnce(&mut Self, &mut &[u8], &mut [T]) -> Option<u64>,
    ) -> Option<u64> {
        if let complete @ Some(_) = self.due(frame) {
            return complete;
        }
        let before = bytes.len();
        let complete = fill(self, bytes, frame);
        self.bytes += before.saturating_sub(bytes.len()) as u64;
        complete
    }

    /// Completes a frame before the event that waits, or takes that event.
    #[inline(always)]
    fn due<T: Sample>(&mut self, frame: &mut [T]) -> Option<u64> {
        if let Some(event) = self.waiting
            && let Push::FrameComplete { start } = self.bins.push(event, frame)
        {
            return Some(start);
        }
        self.waiting = None;
        None
    }

    /// Whether an event waits until the frames before it are taken: [`Front::next_frame`] is to be called again, though all
    /// bytes may be taken.
    pub const fn is_behind(&self) -> bool {
        self.waiting.is_some()
    }

    fn fill<T: Sample>(&mut self, bytes: &mut &[u8], frame: &mut [T]) -> Option<u64> {
        loop {
            self.events += self.bins.take(&mut self.decoder, bytes, frame) as u64;
            if !D::VECTORS && bytes.is_empty() {
                return None;
            }
            let event = self.decoder.next_event(bytes)?;
            self.events += 1;
            if let Push::FrameComplete { start } = self.bins.push(event, frame) {
                self.waiting = Some(event);
                return Some(start);
            }
        }
    }

    fn fill_with<T: Sample>(
        &mut self,
        bytes: &mut &[u8],
        frame: &mut [T],
        mut keeps: impl FnMut(&mut Event) -> bool,
    ) -> Option<u64> {
        loop {
            let mut event = self.decoder.next_event(bytes)?;
            self.events += 1;
            if !keeps(&mut event) {
                self.filtered += 1;
            } else if let Push::FrameComplete { start } = self.bins.push(event, frame) {
                self.waiting = Some(event);
                return Some(start);
            }
        }
    }

    /// Completes a frame that the sensor's clock has passed, though no event came since: call it until it returns `None` when
    /// all bytes that have arrived were taken.
    pub fn quiet_frame<T: Sample>(&mut self, frame: &mut [T]) -> Option<u64> {
        self.bins.start()?; // bins begin with an event
        if let complete @ Some(_) = self.due(frame) {
            return complete;
        }
        match self.bins.push_time(self.decoder.time()?, frame) {
            Push::FrameComplete { start } => Some(start),
            Push::Taken => None,
        }
    }

    /// The stream ends here: whether `frame` holds a last frame, and when it began.
    pub fn finish(&mut self) -> Option<u64> {
        self.decoder.finish();
        self.bins.start().filter(|_| self.bins.is_open())
    }

    /// Bytes are missing before those that come next: the decoder looks for its place and for the time.
    pub fn lost(&mut self) {
        self.decoder.lost();
    }

    /// The sensor's time so far, in microseconds; `None` before the first.
    pub fn time(&self) -> Option<u64> {
        self.decoder.time()
    }

    /// Events decoded so far.
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// Events that were not kept so far.
    pub const fn filtered(&self) -> u64 {
        self.filtered
    }

    /// Bytes taken so far.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes of events, times and lines of a header: see [`Live::understood`].
    pub fn understood(&self) -> u64 {
        self.decoder.understood(self.events)
    }

    /// Bytes that wait for the rest of their word or line.
    pub fn held(&self) -> usize {
        self.decoder.held()
    }

    /// Events that are in no frame.
    pub const fn dropped(&self) -> Dropped {
        self.bins.dropped()
    }

    /// How often time jumped, and frames started anew.
    pub const fn restarts(&self) -> u32 {
        self.bins.restarts()
    }

    /// Bytes that were no events.
    pub fn skipped(&self) -> Skipped {
        self.decoder.skipped()
    }

    /// Words that [`Front::save`] gives.
    pub(crate) const SAVED: usize = D::SAVED + Accumulator::SAVED + 10;

    /// All that it remembers, but the frame, in words.
    pub(crate) fn save(&self, put: &mut impl FnMut(u32)) {
        let Self { decoder, bins, waiting, events, filtered, bytes } = self;
        decoder.save(put);
        bins.save(put);
        put_longs(&[*events, *filtered, *bytes], put);
        let waits = waiting.is_some();
        let Event { t, x, y, on } = waiting.unwrap_or(Event { t: 0, x: 0, y: 0, on: false });
        put_longs(&[t], put);
        put(u32::from(y) << 16 | u32::from(x));
        put(u32::from(waits) << 1 | u32::from(on));
    }

    /// What [`Front::save`] gave.
    pub(crate) fn restore<T: Sample>(plan: &Plan<'_, T>, take: &mut impl FnMut() -> u32) -> Result<Self, OtherState> {
        let decoder = D::restore(take)?.largest_step(plan.largest_step);
        let bins = plan.bins.clone().restore(take);
        let [events, filtered, bytes] = core::array::from_fn(|_| take_long(take));
        let (t, place, flags) = (take_long(take), take(), take());
        let event = Event { t, x: place as u16, y: (place >> 16) as u16, on: flags & 1 != 0 };
        let waiting = if flags & 2 != 0 { Some(event) } else { None };
        Ok(Self { decoder, bins, waiting, events, filtered, bytes })
    }
}
