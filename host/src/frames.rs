//! Events become frames: counts in bins of `dt`, in pieces for a model, in bounded memory.

use crate::{Error, Result};
use foveola_core::Shape;
use foveola_core::events::{Accumulator, Dropped, Event, Geometry, Polarity, Push};
use ndarray::{ArrayView4, ArrayView5, Axis};

/// The most pixels that a frame may have: 268 MB a channel, far beyond any event camera.
pub const MOST_PIXELS: usize = 1 << 26;

/// Time may jump by this much, in microseconds; a longer jump is a damaged time, and bins start anew behind it instead of
/// yielding frames of zeros for hours.
const GAP: u64 = 60_000_000;

/// Frames of events, in pieces.
///
/// ```
/// use foveola::{Frames, Geometry, Polarity};
/// use foveola_core::events::Event;
/// let events = (0..1000).map(|i| Ok(Event { t: i * 100, x: (i % 8) as u16, y: 3, on: true }));
/// let mut frames = Frames::new(events, Geometry { cols: 8, rows: 6 }, Polarity::Signed, 1_000)?;
/// let mut total = 0.0;
/// while let Some(piece) = frames.next_piece(32)? {
///     assert!(piece.dim().2 <= 32); // (batch, channel, time, row, col)
///     total += piece.sum();
/// }
/// assert_eq!(total, 1000.0);
/// # Ok::<(), foveola::Error>(())
/// ```
pub struct Frames<I> {
    events: I,
    /// An event that belongs to the frame after the last one made.
    waiting: Option<Event>,
    bins: Accumulator,
    geometry: Geometry,
    buffer: Vec<f32>,
    ended: bool,
    /// An error that comes behind the frames before it.
    failed: Option<Error>,
}

impl<I: Iterator<Item = Result<Event>>> Frames<I> {
    /// Frames of `geometry` pixels from bins of `dt` microseconds: two channels (ON, OFF) or one (signed).
    ///
    /// # Errors
    /// [`Error::Layer`] for a geometry without pixels or a `dt` of 0; [`Error::Parameter`] for one of more than
    /// [`MOST_PIXELS`], which only a damaged header asks for.
    pub fn new(events: I, geometry: Geometry, polarity: Polarity, dt: u64) -> Result<Self> {
        if geometry.rows.saturating_mul(geometry.cols) > MOST_PIXELS {
            let value = format!("{} x {} pixels (columns x rows)", geometry.cols, geometry.rows);
            return Err(Error::Parameter { item: "frames", name: "geometry", value, expected: "at most 2^26 pixels" });
        }
        let bins = Accumulator::new(geometry.rows, geometry.cols, polarity, dt)
            .map_err(|source| Error::layer("frames of events", source))?
            .restart_after(GAP);
        Ok(Self { events, waiting: None, bins, geometry, buffer: Vec::new(), ended: false, failed: None })
    }

    /// The events and what is left of them.
    pub fn events(&self) -> &I {
        &self.events
    }

    /// Shape of a frame.
    pub fn shape(&self) -> Shape {
        self.bins.shape()
    }

    /// Where the next frame starts in the recording's time, in microseconds; none before the first event.
    pub fn time(&self) -> Option<u64> {
        self.bins.start()
    }

    /// How often time jumped by more than a minute: those minutes are in no frame.
    pub fn jumps(&self) -> u32 {
        self.bins.restarts()
    }

    /// Events that are in no frame, and why.
    pub fn dropped(&self) -> Dropped {
        self.bins.dropped()
    }

    /// The next `frames` frames, fewer at the end, none behind it: `(batch, channel, time, row, col)`.
    ///
    /// # Errors
    /// What the events yield, behind the complete frames before it, and then no more; [`Error::Memory`].
    pub fn next_piece(&mut self, frames: usize) -> Result<Option<ArrayView5<'_, f32>>> {
        let (shape, len) = (self.bins.shape(), self.bins.shape().len());
        let samples = frames.max(1).saturating_mul(len);
        if self.buffer.len() < samples {
            let more = samples - self.buffer.len();
            self.buffer.try_reserve_exact(more).map_err(|_| Error::Memory { what: "a piece of frames", samples })?;
            self.buffer.resize(samples, 0.0);
        }
        let mut made = 0;
        for frame in self.buffer.chunks_exact_mut(len.max(1)).take(frames.max(1)) {
            if self.ended {
                break;
            }
            match fill(&mut self.events, &mut self.waiting, &mut self.bins, frame) {
                Ok(Filled::Complete) => made += 1,
                Ok(Filled::Last) => (made, self.ended) = (made + 1, true),
                Ok(Filled::Nothing) => self.ended = true,
                Err(error) => (self.failed, self.ended) = (Some(error), true),
            }
        }
        if let Some(error) = self.failed.take_if(|_| made == 0) {
            return Err(error);
        }
        if made == 0 {
            return Ok(None);
        }
        let Geometry { rows, cols } = self.geometry;
        let frames =
            ArrayView4::from_shape((made, shape.channels, rows, cols), self.buffer.get(..made * len).unwrap_or(&[]));
        let frames = frames.map_err(|_| Error::Memory { what: "a piece of frames", samples })?;
        Ok(Some(frames.permuted_axes([1, 0, 2, 3]).insert_axis(Axis(0))))
    }
}

/// What became of a frame.
enum Filled {
    Complete,
    /// The last one, with the bin that was open when the events ended.
    Last,
    Nothing,
}

/// Fills one frame.
fn fill<I: Iterator<Item = Result<Event>>>(
    events: &mut I,
    waiting: &mut Option<Event>,
    bins: &mut Accumulator,
    frame: &mut [f32],
) -> Result<Filled> {
    loop {
        let event = match waiting.take() {
            Some(event) => event,
            None => match events.next().transpose()? {
                Some(event) => event,
                None => return Ok(if bins.is_open() { Filled::Last } else { Filled::Nothing }),
            },
        };
        if let Push::FrameComplete { .. } = bins.push(event, frame) {
            *waiting = Some(event);
            return Ok(Filled::Complete);
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
        let first = frames.next_piece(8).expect("a frame first").expect("one").iter().copied().collect::<Vec<_>>();
        assert_eq!(first, [2.0, 0.0, 0.0]);
        assert!(frames.next_piece(8).is_err(), "then the error");
        assert!(frames.next_piece(8).expect("then nothing").is_none(), "the stream ended");
    }

    #[test]
    fn long_jumps_of_time_are_counted() {
        let events = [0, 120_000_000, 0].map(|t| Ok(Event { t, x: 0, y: 0, on: true }));
        let mut frames =
            Frames::new(events.into_iter(), Geometry { cols: 1, rows: 1 }, Polarity::Signed, 1_000).expect("good");
        assert_eq!(frames.next_piece(100).expect("frames").expect("some").dim().2, 3);
        assert_eq!((frames.jumps(), frames.dropped().events()), (2, 0));
    }
}
