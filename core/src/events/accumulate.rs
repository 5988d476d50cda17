//! Events to frames: counts per pixel in bins of `dt` microseconds.
//!
//! ```text
//! ON and OFF   frame[0, y, x] = events ON,   frame[1, y, x] = events OFF     in [start, start + dt)
//! signed       frame[0, y, x] = events ON - events OFF
//! ```
//! Bins lie at multiples of `dt` of the stream's clock, the first at the first event; or they start at a given origin.
//! A gap in time gives frames of zeros, one after another as the caller takes them, so memory is bounded. After a gap of
//! more than a minute or 65,536 bins the bins restart, so one wrong time cannot ask for millions of frames
//! ([`Accumulator::restart_after`]).
//!
//! Events before the current bin ([`Dropped::late`]) and events outside the frame ([`Dropped::outside`]) are counted,
//! not stored. Events pushed = stored + dropped.
//!
//! Cost: about 10 operations per event, and one frame of zeros written per bin. State: 80 bytes, and the frame that the
//! caller lends, which may be another one for each bin (double buffering).

use super::{Decode, Event, Window};
use crate::filter::fill;
use crate::words::{put_longs, take_long};
use crate::{Error, Sample, Shape};
use core::hint::select_unpredictable;
use core::num::NonZeroU64;

/// How ON and OFF events share a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Polarity {
    /// Channel 0 counts ON events, channel 1 OFF events.
    Split,
    /// One channel: +1 for ON, -1 for OFF.
    Signed,
}

impl Polarity {
    /// The modes and their names: those of `Display` and `FromStr`.
    pub const NAMES: [(&'static str, Self); 2] = [("split", Self::Split), ("signed", Self::Signed)];

    /// Shape of a frame of `rows` x `cols` pixels: two channels for [`Polarity::Split`], one for [`Polarity::Signed`].
    pub(super) const fn shape(self, rows: usize, cols: usize) -> Shape {
        match self {
            Self::Split => Shape::new(2, rows, cols),
            Self::Signed => Shape::new(1, rows, cols),
        }
    }
}

/// The place of an event, without a frame: see [`Accumulator::place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "an event that completes a frame must be placed again"]
pub enum Place {
    /// It adds `step` to the sample `sample` of the frame of the current bin.
    At {
        /// Index in the frame, channel after channel, row after row.
        sample: usize,
        /// 1, or -1 for an OFF event of [`Polarity::Signed`].
        step: i8,
    },
    /// It was counted in [`Dropped`].
    Dropped,
    /// The event lies after the current bin, whose frame is now complete: place the same event again.
    FrameComplete {
        /// When the bin of the frame started.
        start: u64,
    },
}

/// The result of a push of an event or a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "a complete frame is cleared by the next push, and its event must be pushed again"]
pub enum Push {
    /// It was taken: stored, or counted in [`Dropped`].
    Taken,
    /// It lies after the current bin, whose frame is now complete: use the frame, then push the same again.
    FrameComplete {
        /// When the bin of the frame started.
        start: u64,
    },
}

/// Events that were pushed but not stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Dropped {
    /// Events earlier than the current bin: time ran backwards.
    pub late: u64,
    /// Events outside the geometry or the window, or beyond the end of a frame that is shorter than the shape.
    pub outside: u64,
}

impl Dropped {
    /// Number of dropped events.
    pub const fn events(self) -> u64 {
        self.late.saturating_add(self.outside)
    }
}

/// Accumulates events into frames; see the [equation](self).
///
/// ```
/// use foveola_core::events::{Accumulator, Event, Polarity, Push};
///
/// let mut bins = Accumulator::new(1, 4, Polarity::Split, 1_000).unwrap();
/// let mut frame = [0.0_f32; 8];
/// let mut frames = Vec::new();
/// for (t, x, on) in [(2_100, 0, true), (2_900, 0, true), (2_950, 3, false), (4_000, 1, true)] {
///     while let Push::FrameComplete { .. } = bins.push(Event { t, x, y: 0, on }, &mut frame) {
///         frames.push(frame);
///     }
/// }
/// assert_eq!(frames[0], [2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]); // from 2 ms on
/// assert_eq!(frames[1], [0.0; 8]); // nothing happened from 3 to 4 ms
/// assert_eq!((bins.start(), frame[1]), (Some(4_000), 1.0)); // the bin that is still open
/// ```
#[derive(Clone, Debug)]
pub struct Accumulator {
    rows: usize,
    cols: usize,
    /// `rows * cols`, where channel 1 begins.
    pixels: usize,
    polarity: Polarity,
    window: Window,
    dt: NonZeroU64,
    gap: u64,
    /// Start of the current bin, once there is one.
    start: Option<u64>,
    /// Whether the frame is to be cleared before the next event.
    stale: bool,
    restarts: u32,
    dropped: Dropped,
    /// The sample 1 of integers stands for `2^exponent` events.
    exponent: u8,
}

impl Accumulator {
    /// For frames of `rows` x `cols` pixels, one every `dt` microseconds of the stream.
    ///
    /// # Errors
    /// [`Error::EmptyFrame`] without rows or columns, [`Error::Parameter`] when `dt` is 0.
    pub const fn new(rows: usize, cols: usize, polarity: Polarity, dt: u64) -> Result<Self, Error> {
        let Some(dt) = NonZeroU64::new(dt) else {
            return Err(Error::Parameter { name: "dt", value: 0.0, expected: "at least 1 us" });
        };
        let bins = Self {
            rows,
            cols,
            pixels: rows.saturating_mul(cols),
            polarity,
            window: Window::WHOLE,
            dt,
            gap: if dt.get() > Self::GAP / Self::GAP_BINS { Self::GAP } else { dt.get() * Self::GAP_BINS },
            start: None,
            stale: true,
            restarts: 0,
            dropped: Dropped { late: 0, outside: 0 },
            exponent: Self::COUNTING_TO,
        };
        if bins.shape().is_empty() {
            return Err(Error::EmptyFrame { shape: bins.shape() });
        }
        Ok(bins)
    }

    /// Restricts the frame to a part of the sensor, in bins of several pixels.
    ///
    /// ```
    /// use foveola_core::events::{Accumulator, Event, Polarity, Push, Window};
    /// let mut bins = Accumulator::new(1, 2, Polarity::Signed, 1_000).unwrap().windowed(Window::new(10, 10, 5).unwrap());
    /// let mut frame = [0.0_f32; 2];
    /// for (x, y) in [(19, 14), (15, 10), (20, 10), (12, 9), (9, 12)] {
    ///     assert_eq!(bins.push(Event { t: 0, x, y, on: true }, &mut frame), Push::Taken);
    /// }
    /// assert_eq!((frame, bins.dropped().outside), ([0.0, 2.0], 3));
    /// ```
    #[must_use]
    pub const fn windowed(self, window: Window) -> Self {
        Self { window, ..self }
    }

    /// [`Accumulator::counting_to`] if it is not called: the sample 1 of integers stands for 128 events.
    pub const COUNTING_TO: u8 = 7;

    /// The same, for samples that are [integers](crate::fixed): the sample 1 stands for `2^exponent` events, 0 to 15. More events in
    /// a pixel of a frame saturate. Floats count events.
    ///
    /// ```
    /// use foveola_core::events::{Accumulator, Event, Polarity, Push};
    /// use foveola_core::{Q15, Sample};
    /// let mut bins = Accumulator::new(1, 1, Polarity::Signed, 1_000)?.counting_to(3);
    /// let mut frame = [Q15::default()];
    /// assert_eq!(bins.push(Event { t: 0, x: 0, y: 0, on: true }, &mut frame), Push::Taken);
    /// assert_eq!(frame[0].to_f64(), 1.0 / 8.0);
    /// # Ok::<(), foveola_core::Error>(())
    /// ```
    #[must_use]
    pub const fn counting_to(self, exponent: u8) -> Self {
        Self { exponent, ..self }
    }

    /// Starts the bins at `origin` (microseconds) instead of at the first event. Earlier events are late.
    #[must_use]
    pub const fn starting_at(self, origin: u64) -> Self {
        Self { start: Some(origin), ..self }
    }

    /// The gap that is filled with frames of zeros unless [`Accumulator::restart_after`] says otherwise, in microseconds:
    /// a minute.
    pub const GAP: u64 = 60_000_000;
    /// The same in bins: the shorter one counts.
    pub const GAP_BINS: u64 = 1 << 16;

    /// Restarts the bins when time jumps by more than `gap` microseconds, forwards or backwards: for sensors that
    /// restart and links that damage times. Otherwise one wrong time far ahead makes all later events late. A shorter
    /// gap is filled with frames of zeros, `gap / dt` at most. Without this call it is [`Accumulator::GAP`], or
    /// [`Accumulator::GAP_BINS`] bins where those are shorter; `u64::MAX` fills every gap.
    ///
    /// ```
    /// use foveola_core::events::{Accumulator, Event, Polarity, Push};
    /// let mut bins = Accumulator::new(1, 1, Polarity::Signed, 1_000).unwrap().restart_after(1_000_000);
    /// let (mut frame, mut frames) = ([0.0_f32], 0);
    /// for t in [5_000, 17_000_000_000, 5_100] {
    ///     while let Push::FrameComplete { .. } = bins.push(Event { t, x: 0, y: 0, on: true }, &mut frame) {
    ///         frames += 1;
    ///     }
    /// }
    /// assert_eq!((frames, bins.dropped().events(), bins.restarts()), (2, 0, 2));
    /// ```
    #[must_use]
    pub const fn restart_after(self, gap: u64) -> Self {
        Self { gap, ..self }
    }

    /// Ends the current bin. The next event restarts the bins, whatever its time, as the first event did. For a clock
    /// that is known to have been reset. Returns whether the frame lent last holds that bin, as
    /// [`Accumulator::is_open`] does: it is now complete.
    ///
    /// ```
    /// use foveola_core::events::{Accumulator, Event, Polarity, Push};
    /// let mut bins = Accumulator::new(1, 1, Polarity::Signed, 1_000).unwrap();
    /// let (mut frame, event) = ([0.0_f32], Event { t: 9_100, x: 0, y: 0, on: true });
    /// assert_eq!(bins.push(event, &mut frame), Push::Taken);
    /// assert!(bins.restart() && frame == [1.0]); // the frame from 9 ms on
    /// assert_eq!(bins.push(Event { t: 2_300, ..event }, &mut frame), Push::Taken);
    /// assert_eq!((bins.start(), frame), (Some(2_000), [1.0])); // not late
    /// ```
    pub const fn restart(&mut self) -> bool {
        let was_open = self.is_open();
        (self.start, self.stale) = (None, true);
        was_open
    }

    /// Shape of a frame: two channels for [`Polarity::Split`], one for [`Polarity::Signed`].
    pub const fn shape(&self) -> Shape {
        self.polarity.shape(self.rows, self.cols)
    }

    /// Start of the current bin in microseconds; `None` before the first event.
    pub const fn start(&self) -> Option<u64> {
        self.start
    }

    /// Whether the frame lent last holds the current, unfinished bin: at the end of a recording, its last frame.
    pub const fn is_open(&self) -> bool {
        !self.stale
    }

    /// How often the bins restarted ([`Accumulator::restart_after`]). The time in between is in no frame.
    pub const fn restarts(&self) -> u32 {
        self.restarts
    }

    /// Events that were not stored so far.
    pub const fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// Number of words that [`Accumulator::save`] writes.
    pub const SAVED: usize = 8;

    /// Passes everything that changes with the events to `put`, in [`Accumulator::SAVED`] words: for memory that
    /// survives a reset. The caller saves the open frame.
    ///
    /// ```
    /// use foveola_core::events::{Accumulator, Event, Polarity, Push};
    /// let new = Accumulator::new(1, 1, Polarity::Signed, 1_000).unwrap();
    /// let (mut bins, mut frame) = (new.clone(), [0.0_f32]);
    /// let event = Event { t: 5_100, x: 0, y: 0, on: true };
    /// assert_eq!(bins.push(event, &mut frame), Push::Taken);
    /// let mut words = Vec::new();
    /// bins.save(&mut |word| words.push(word));
    /// let mut words = words.into_iter();
    /// let mut restored = new.restore(&mut || words.next().unwrap());
    /// assert_eq!((restored.push(event, &mut frame), restored.start(), frame), (Push::Taken, Some(5_000), [2.0]));
    /// ```
    pub fn save(&self, put: &mut impl FnMut(u32)) {
        let Self { start, stale, restarts, dropped: Dropped { late, outside }, .. } = self;
        put_longs(&[start.unwrap_or(u64::MAX), *late, *outside], put);
        put((*stale).into());
        put(*restarts);
    }

    /// These bins, in the state that [`Accumulator::save`] wrote to these words.
    #[must_use]
    pub fn restore(self, take: &mut impl FnMut() -> u32) -> Self {
        let [start, late, outside] = core::array::from_fn(|_| take_long(take));
        let start = if start == u64::MAX { None } else { Some(start) };
        Self { start, stale: take() != 0, restarts: take(), dropped: Dropped { late, outside }, ..self }
    }

    /// Adds `event` to `frame`, unless `frame` is complete first. Whatever `frame` held before its bin is overwritten.
    #[inline]
    pub fn push<T: Sample>(&mut self, event: Event, frame: &mut [T]) -> Push {
        match self.reach(event.t, frame) {
            Reach::Here => {
                let (channel, step) = match self.polarity {
                    Polarity::Split => (self.channel(event.on), T::from_count(1, self.exponent)),
                    Polarity::Signed => (0, step(event.on, self.exponent)),
                };
                self.add(self.window.place(event.x, event.y), channel, step, frame);
            }
            Reach::Before => self.dropped.late = self.dropped.late.saturating_add(1),
            Reach::After(start) => return Push::FrameComplete { start },
        }
        Push::Taken
    }

    /// The place of `event`, without a frame: for counting elsewhere. The event is taken or counted as by
    /// [`Accumulator::push`].
    ///
    /// ```
    /// use foveola_core::events::{Accumulator, Event, Place, Polarity};
    /// let mut bins = Accumulator::new(2, 3, Polarity::Signed, 1_000).unwrap();
    /// let event = Event { t: 1_700, x: 1, y: 1, on: false };
    /// assert_eq!(bins.place(event), Place::At { sample: 4, step: -1 });
    /// assert_eq!(bins.place(Event { y: 2, ..event }), Place::Dropped);
    /// let later = Event { t: 2_000, ..event };
    /// assert_eq!(bins.place(later), Place::FrameComplete { start: 1_000 });
    /// assert_eq!(bins.place(later), Place::At { sample: 4, step: -1 });
    /// ```
    #[inline]
    pub fn place(&mut self, event: Event) -> Place {
        match self.reach::<f32>(event.t, &mut []) {
            Reach::Here => {
                let (channel, step) = match self.polarity {
                    Polarity::Split => (self.channel(event.on), 1),
                    Polarity::Signed => (0, 2 * i8::from(event.on) - 1),
                };
                let [row, col] = self.window.place(event.x, event.y).map(|at| at as usize);
                let most = Window::MOST as usize;
                if row < self.rows.min(most) && col < self.cols.min(most) {
                    // Inside of the shape, whose length is a usize.
                    return Place::At {
                        sample: channel.wrapping_add(row.wrapping_mul(self.cols).wrapping_add(col)),
                        step,
                    };
                }
                self.dropped.outside = self.dropped.outside.saturating_add(1);
                Place::Dropped
            }
            Reach::Before => {
                self.dropped.late = self.dropped.late.saturating_add(1);
                Place::Dropped
            }
            Reach::After(start) => Place::FrameComplete { start },
        }
    }

    /// Takes events from the front of `bytes` while they lie in the current bin, adds them to `frame`, and returns
    /// their number. This is the fast path ([`Decode::run`]), for the events that it covers. Pass the next event to
    /// [`Accumulator::push`].
    ///
    /// ```
    /// use foveola_core::events::{Accumulator, Decode, Evt2, Polarity, Push};
    /// let words = [0x8000_0001_u32, 0x1000_0800, 0x0100_0800, 0x1200_0000, 0x8000_0002, 0x1000_0000];
    /// let bytes = words.map(u32::to_le_bytes); // at 64, 68, 72 and 128 us
    /// let (mut decoder, mut bytes) = (Evt2::new(), bytes.as_flattened());
    /// let mut bins = Accumulator::new(1, 2, Polarity::Signed, 100).unwrap();
    /// let (mut frame, mut frames, mut taken) = ([0.0_f32; 2], Vec::new(), 0);
    /// loop {
    ///     taken += bins.take(&mut decoder, &mut bytes, &mut frame);
    ///     let Some(event) = decoder.next_event(&mut bytes) else { break };
    ///     taken += 1;
    ///     while let Push::FrameComplete { .. } = bins.push(event, &mut frame) {
    ///         frames.push(frame);
    ///     }
    /// }
    /// assert_eq!((frames, frame, taken), (vec![[1.0, 0.0]], [1.0, 0.0], 4));
    /// ```
    pub fn take<D: Decode, T: Sample>(&mut self, decoder: &mut D, bytes: &mut &[u8], frame: &mut [T]) -> usize {
        match self.window {
            Window::WHOLE => self.take_at(decoder, bytes, frame, |x, y| [y.into(), x.into()]),
            window => self.take_at(decoder, bytes, frame, |x, y| window.place(x, y)),
        }
    }

    #[inline(always)]
    fn take_at<D: Decode, T: Sample>(
        &mut self,
        decoder: &mut D,
        bytes: &mut &[u8],
        frame: &mut [T],
        place: impl Fn(u16, u16) -> [u32; 2],
    ) -> usize {
        let Some(start) = self.start.filter(|_| !self.stale) else { return 0 };
        let times = start..start.saturating_add(self.dt.get());
        // A separate loop for each kind of frame.
        match self.polarity {
            Polarity::Split => decoder.run(bytes, times, |x, y, on| {
                self.add(place(x, y), self.channel(on), T::from_count(1, self.exponent), frame);
            }),
            Polarity::Signed => decoder.run(bytes, times, |x, y, on| {
                self.add(place(x, y), 0, step(on, self.exponent), frame);
            }),
        }
    }

    /// Where the channel of a polarity begins, in [`Polarity::Split`].
    #[inline(always)]
    fn channel(&self, on: bool) -> usize {
        select_unpredictable(on, 0, self.pixels)
    }

    /// Adds `step` to a pixel of the current bin, `channel` samples after that of the first channel.
    #[inline(always)]
    fn add<T: Sample>(&mut self, [row, col]: [u32; 2], channel: usize, step: T, frame: &mut [T]) {
        let [row, col] = [row as usize, col as usize];
        if row < self.rows.min(Window::MOST as usize)
            && col < self.cols.min(Window::MOST as usize)
            // Inside of the shape, whose length is a usize.
            && let Some(sample) = frame.get_mut(channel.wrapping_add(row.wrapping_mul(self.cols).wrapping_add(col)))
        {
            *sample = *sample + step;
        } else {
            self.dropped.outside = self.dropped.outside.saturating_add(1);
        }
    }

    /// Advances time to `t` without an event, so that frames are completed while nothing moves: push [`Decode::time`]
    /// or a clock's time. A time before the current bin has no effect.
    ///
    /// ```
    /// use foveola_core::events::{Accumulator, Polarity, Push};
    /// let mut bins = Accumulator::new(1, 1, Polarity::Signed, 1_000).unwrap().starting_at(0);
    /// let mut frame = [0.0_f32];
    /// assert_eq!(bins.push_time(999, &mut frame), Push::Taken);
    /// assert_eq!(bins.push_time(1_000, &mut frame), Push::FrameComplete { start: 0 });
    /// assert_eq!(bins.push_time(1_000, &mut frame), Push::Taken);
    /// ```
    pub fn push_time<T: Sample>(&mut self, t: u64, frame: &mut [T]) -> Push {
        match self.reach(t, frame) {
            Reach::Here | Reach::Before => Push::Taken,
            Reach::After(start) => Push::FrameComplete { start },
        }
    }
}

/// +1 for ON, -1 for OFF, as an integer first: a choice between two floats becomes a branch, and no CPU predicts a
/// polarity. With the branch an event took three times as long.
#[inline(always)]
fn step<T: Sample>(on: bool, exponent: u8) -> T {
    T::from_count(2 * i32::from(on) - 1, exponent)
}

/// Where a time lies, relative to the current bin.
enum Reach {
    Before,
    Here,
    /// After the bin that started at this time.
    After(u64),
}

impl Accumulator {
    /// Advances towards the bin of `t`, one bin per call, so that the caller sees every frame.
    #[inline]
    fn reach<T: Sample>(&mut self, t: u64, frame: &mut [T]) -> Reach {
        let start = self.start.unwrap_or_else(|| t - t % self.dt); // 64-bit division is slow on a microcontroller
        self.start = Some(start);
        if self.stale {
            self.stale = false;
            fill(frame, T::zero());
        }
        let ahead = t.checked_sub(start);
        match ahead {
            Some(ahead) if ahead < self.dt.get() => return Reach::Here,
            None if start - t <= self.gap => return Reach::Before,
            _ => {}
        }
        let follows = ahead.is_some_and(|ahead| ahead <= self.gap);
        // No overflow: a time that follows is at least `start + dt`.
        self.start = Some(if follows { start + self.dt.get() } else { t - t % self.dt });
        self.restarts = self.restarts.saturating_add(u32::from(!follows));
        self.stale = true;
        Reach::After(start)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::events::{Evt2, Live};
    use proptest::prelude::*;
    use std::{vec, vec::Vec};

    const DT: u64 = 100;

    fn event(t: u64, x: u16, on: bool) -> Event {
        Event { t, x, y: 0, on }
    }

    /// All frames with their starts, the open one included.
    fn run(mut bins: Accumulator, events: &[Event]) -> (Vec<(u64, Vec<f64>)>, Dropped) {
        let mut frame = vec![7.0; bins.shape().len()];
        let mut frames = Vec::new();
        for event in events {
            while let Push::FrameComplete { start } = bins.push(*event, &mut frame) {
                frames.push((start, frame.clone()));
            }
        }
        if bins.is_open() {
            frames.push((bins.start().unwrap(), frame));
        }
        (frames, bins.dropped())
    }

    fn bins(polarity: Polarity) -> Accumulator {
        Accumulator::new(1, 2, polarity, DT).unwrap()
    }

    #[test]
    fn gaps_are_frames_of_zeros() {
        let (frames, dropped) = run(bins(Polarity::Signed), &[event(250, 1, false), event(500, 0, true)]);
        let expected = [(200, [0.0, -1.0]), (300, [0.0; 2]), (400, [0.0; 2]), (500, [1.0, 0.0])];
        assert_eq!(frames, expected.map(|(start, frame)| (start, frame.to_vec())));
        assert_eq!(dropped.events(), 0);
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let events = [event(250, 0, true), event(199, 0, true), event(250, 2, true), event(299, 1, true)];
        let (frames, dropped) = run(bins(Polarity::Split), &events);
        assert_eq!(frames, [(200, vec![1.0, 1.0, 0.0, 0.0])]);
        assert_eq!(dropped, Dropped { late: 1, outside: 1 });
        let mut short = [0.0_f32; 1];
        let mut bins = bins(Polarity::Split);
        assert_eq!(bins.push(event(0, 0, false), &mut short), Push::Taken);
        assert_eq!(bins.dropped().outside, 1);
    }

    /// A jump of `gap` microseconds, forwards or backwards, does not restart the bins.
    #[test]
    fn bins_start_anew_behind_more_than_the_gap() {
        for (t, restarts, late) in [(2_000, 0, 0), (2_001, 1, 0), (500, 0, 1), (499, 1, 0)] {
            let mut bins = bins(Polarity::Signed).restart_after(500);
            let mut frame = [0.0_f32; 2];
            // The bin from 1000 or 1500 on is open.
            let first = if t > 1_000 { 1_500 } else { 1_000 };
            assert_eq!(bins.push(event(first, 0, true), &mut frame), Push::Taken);
            while let Push::FrameComplete { .. } = bins.push(event(t, 0, true), &mut frame) {}
            assert_eq!((bins.restarts(), bins.dropped().late), (restarts, late), "an event at {t}");
        }
    }

    /// One wrong time, hours ahead: two restarts and no frames in between. A gap that is filled gives 65,536 at most.
    #[test]
    fn a_wrong_time_gives_no_millions_of_frames() {
        for (dt, filled) in [(1_000, 60_000), (10, 65_536), (10_000_000, 6)] {
            let new = || Accumulator::new(1, 2, Polarity::Signed, dt).unwrap();
            let (frames, dropped) = run(new(), &[event(0, 0, true), event((1 << 28) * 64, 0, true), event(0, 1, true)]);
            assert_eq!((frames.len(), dropped.events()), (3, 0), "bins of {dt} us");
            let (frames, _) = run(new(), &[event(0, 0, true), event(filled * dt, 0, true)]);
            assert_eq!(frames.len() as u64, filled + 1, "bins of {dt} us");
            let (frames, _) = run(new(), &[event(0, 0, true), event(filled * dt + 1, 0, true)]);
            assert_eq!(frames.len() as u64, 2, "bins of {dt} us: a longer gap");
        }
    }

    #[test]
    fn a_given_origin_makes_earlier_events_late() {
        let (frames, dropped) =
            run(bins(Polarity::Signed).starting_at(150), &[event(149, 0, true), event(249, 0, true)]);
        assert_eq!((frames, dropped.late), (vec![(150, vec![1.0, 0.0])], 1));
    }

    #[test]
    fn the_ends_of_time_are_bins() {
        for t in [0, u64::MAX] {
            let (frames, dropped) = run(bins(Polarity::Signed), &[event(t, 0, true)]);
            assert_eq!((frames.len(), frames[0].0, dropped.events()), (1, t - t % DT, 0));
        }
        let both = [event(0, 0, true), event(u64::MAX, 0, true), event(0, 0, true)];
        let (frames, _) = run(bins(Polarity::Signed).restart_after(1_000), &both);
        assert_eq!(frames.iter().map(|frame| frame.0).collect::<Vec<_>>(), [0, u64::MAX - u64::MAX % DT, 0]);
        let wide = Accumulator::new(1, 1, Polarity::Signed, u64::MAX).unwrap();
        assert_eq!(run(wide, &both[..2]).0.len(), 2);
    }

    #[test]
    fn wrong_parameters_are_refused() {
        assert!(matches!(Accumulator::new(0, 2, Polarity::Split, 1), Err(Error::EmptyFrame { .. })), "no rows");
        assert!(matches!(Accumulator::new(1, 1, Polarity::Split, 0), Err(Error::Parameter { .. })), "no time");
        let absurd = Accumulator::new(usize::MAX, usize::MAX, Polarity::Split, 1).unwrap();
        assert_eq!(run_short(absurd).outside, 1);
    }

    fn run_short(mut bins: Accumulator) -> Dropped {
        let corner = Event { t: 1, x: u16::MAX, y: u16::MAX, on: false };
        assert_eq!(bins.push(corner, &mut [0.0_f32; 4]), Push::Taken);
        bins.dropped()
    }

    /// Words of EVT 2.0: events on a small sensor, clocks that advance, jump, go back and wrap, and invalid words.
    fn words() -> impl Strategy<Value = Vec<u8>> {
        let word = prop_oneof![
            12 => (0_u32..2, 0_u32..64, 0_u32..9, 0_u32..7).prop_map(|(on, t, x, y)| (on << 28 | t << 22 | x << 11 | y, 0)),
            6 => (0_u32..4).prop_map(|step| (0x8000_0000, step)),
            1 => (0_u32..1 << 28).prop_map(|step| (0x8000_0000, step)),
            1 => any::<u32>().prop_map(|word| (word, 0)),
        ];
        let first = prop_oneof![0_u32..100, Just((1 << 28) - 5)];
        (first, prop::collection::vec(word, 0..150)).prop_map(|(mut high, words)| {
            let word = |(word, step): (u32, u32)| {
                high = (high + step) % (1 << 28);
                if word == 0x8000_0000 { word | high } else { word }
            };
            words.into_iter().map(word).flat_map(u32::to_le_bytes).collect()
        })
    }

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        /// The fast path gives the same frames as one event after the other.
        #[test]
        fn the_short_way_is_the_same_way(
            words in words(), split in any::<bool>(), (left, top, binning) in (0_u16..4, 0_u16..4, 1_u16..4),
            dt in prop_oneof![1_u64..300, Just(1 << 40)], gap in prop_oneof![Just(u64::MAX), 1000_u64..100_000],
            piece in 1_usize..70,
        ) {
            let polarity = if split { Polarity::Split } else { Polarity::Signed };
            let bins = Accumulator::new(3, 4, polarity, dt).unwrap().restart_after(gap);
            let bins = bins.windowed(Window::new(left, top, binning).unwrap());
            let [mut a, mut b] = [bins.clone(), bins];
            let (mut decoder, mut short) = (Evt2::new(), Evt2::new());
            let [mut frame, mut other] = [[0.0_f32; 24]; 2];
            let [mut frames, mut others] = [vec![], vec![]];
            let mut events = [0; 2];
            for mut bytes in words.chunks(piece) {
                for event in decoder.events(bytes) {
                    events[0] += 1;
                    while let Push::FrameComplete { start } = a.push(event, &mut frame) {
                        frames.push((start, frame));
                        prop_assume!(frames.len() < 3000);
                    }
                }
                loop {
                    events[1] += b.take(&mut short, &mut bytes, &mut other);
                    let Some(event) = short.next_event(&mut bytes) else { break };
                    events[1] += 1;
                    while let Push::FrameComplete { start } = b.push(event, &mut other) {
                        others.push((start, other));
                    }
                }
            }
            prop_assert_eq!((frames, frame, events[0], a.dropped()), (others, other, events[1], b.dropped()));
            let counted = |decoder: &Evt2| (decoder.time(), decoder.skipped(), decoder.silent(), decoder.held());
            prop_assert_eq!(counted(&decoder), counted(&short));
        }
    }

    /// Saved after any push, also one that completed a frame or found times out of order, bins continue as if they had
    /// not been saved.
    #[test]
    fn saved_bins_go_on() {
        let new = Accumulator::new(1, 2, Polarity::Signed, DT).unwrap().restart_after(5 * DT);
        let times = [950, 1_010, 1_190, 990, 1_420, 90_000, 90_050, 3, 260].into_iter().cycle().take(40);
        let events: Vec<_> = times.enumerate().map(|(i, t)| event(t, i as u16 % 3, i % 4 > 0)).collect();
        let run = |saved_at: usize| {
            let (mut bins, mut frame, mut seen, mut pushes) = (new.clone(), [0.0_f32; 2], Vec::new(), 0);
            for event in &events {
                loop {
                    let push = bins.push(*event, &mut frame);
                    if pushes == saved_at {
                        let mut words = Vec::new();
                        bins.save(&mut |word| words.push(word));
                        assert_eq!(words.len(), Accumulator::SAVED);
                        let mut words = words.into_iter();
                        bins = new.clone().restore(&mut || words.next().unwrap());
                    }
                    pushes += 1;
                    seen.push((push, frame));
                    if push == Push::Taken {
                        break;
                    }
                }
            }
            (seen, bins.dropped(), bins.restarts(), bins.start(), bins.is_open())
        };
        let whole = run(usize::MAX);
        assert!(whole.1.late > 0 && whole.1.outside > 0 && whole.2 > 0, "{:?}, {} restarts", whole.1, whole.2);
        for at in 0..whole.0.len() {
            assert_eq!(run(at), whole, "saved behind push {at}");
        }
    }

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        /// The frames equal a histogram, every event is stored or counted, and frames follow each other by `dt`.
        #[test]
        fn counts_equal_a_histogram(raw in prop::collection::vec((0_u64..2_000, 0_u16..3, any::<bool>()), 1..60)) {
            let events: Vec<_> = raw.iter().map(|&(t, x, on)| event(t, x, on)).collect();
            let (frames, dropped) = run(bins(Polarity::Split), &events);
            let stored: f64 = frames.iter().flat_map(|frame| &frame.1).sum();
            prop_assert_eq!(stored as u64 + dropped.events(), events.len() as u64);
            prop_assert!(frames.windows(2).all(|pair| pair[0].0 + DT == pair[1].0), "bins follow each other");

            let mut latest = 0;
            for (start, frame) in &frames {
                for (i, count) in frame.iter().enumerate() {
                    latest = 0;
                    let expected = events.iter().filter(|event| {
                        latest = latest.max(event.t / DT * DT);
                        (latest, event.t / DT * DT) == (*start, *start)
                            && (usize::from(event.x), event.on) == (i % 2, i < 2)
                    });
                    prop_assert_eq!(*count, expected.count() as f64);
                }
            }
            prop_assert_eq!(frames.last().unwrap().0, latest);
        }
    }
}
