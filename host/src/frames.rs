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
        Ok(Self { events, waiting: None, bins, geometry, buffer: Vec::new(), ended: false })
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

    /// Events that are in no frame, and why.
    pub fn dropped(&self) -> Dropped {
        self.bins.dropped()
    }

    /// The next `frames` frames, fewer at the end, none behind it: `(batch, channel, time, row, col)`.
    ///
    /// # Errors
    /// What the events yield; [`Error::Memory`].
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
            if self.ended || !fill(&mut self.events, &mut self.waiting, &mut self.bins, frame, &mut self.ended)? {
                break;
            }
            made += 1;
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

/// Fills one frame; false when there are no events left for it.
fn fill<I: Iterator<Item = Result<Event>>>(
    events: &mut I,
    waiting: &mut Option<Event>,
    bins: &mut Accumulator,
    frame: &mut [f32],
    ended: &mut bool,
) -> Result<bool> {
    loop {
        let event = match waiting.take() {
            Some(event) => event,
            None => match events.next().transpose()? {
                Some(event) => event,
                None => {
                    *ended = true;
                    return Ok(bins.is_open());
                }
            },
        };
        if let Push::FrameComplete { .. } = bins.push(event, frame) {
            *waiting = Some(event);
            return Ok(true);
        }
    }
}
