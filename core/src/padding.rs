//! Temporal padding: the frames that are assumed before the first frame of a stream.
//!
//! `TimePadding(L, mode)` yields the last `L` frames, then the chunk: `L + T` output frames for a chunk of `T`. Before
//! the first chunk `x[0 .. T]`, the mode determines these frames (newest frame last):
//!
//! | mode          | frames before the first chunk                      |
//! |---------------|----------------------------------------------------|
//! | `Mirror`      | … x2 x1 x0 \| x0 x1 x2 … (reversed chunk, repeated) |
//! | `FullCopy`    | … xT-2 xT-1 \| x0 x1 … (the chunk, repeated)        |
//! | `FirstFrame`  | … x0 x0 x0 \| x0 x1 …                               |
//! | `Mean`        | the mean of the whole first chunk, over all axes (the batch too) |
//! | `Ones`, `Zeros` | 1, 0                                             |
//!
//! State: `L` frames. Cost: one copy in, `L + T` frames out.

use crate::history::History;
use crate::{Error, Filter, First, Sample, Shape, Signature};

/// The mode of temporal padding; see the [table](self).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PadMode {
    /// The first chunk, reversed in time and repeated. The default.
    #[default]
    Mirror,
    /// The first chunk, repeated.
    FullCopy,
    /// The first frame, repeated.
    FirstFrame,
    /// The mean of the first chunk, over all axes.
    Mean,
    /// One.
    Ones,
    /// Zero.
    Zeros,
}

/// The source of a padding frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PadFrame {
    /// The frame of the first chunk with this index.
    Frame(usize),
    /// The mean of the first chunk.
    Mean,
    /// One.
    One,
    /// Zero.
    Zero,
}

impl PadMode {
    /// The modes and their names: those of `Display` and `FromStr`.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("mirror", Self::Mirror),
        ("full_copy", Self::FullCopy),
        ("first_frame", Self::FirstFrame),
        ("mean", Self::Mean),
        ("ones", Self::Ones),
        ("zeros", Self::Zeros),
    ];

    /// The source of the frame `back >= 1` frames before a first chunk of `frames >= 1` frames.
    ///
    /// ```
    /// use foveola_core::{PadFrame, PadMode};
    /// assert_eq!(PadMode::Mirror.frame(2, 5), PadFrame::Frame(1));
    /// assert_eq!(PadMode::FullCopy.frame(2, 5), PadFrame::Frame(3));
    /// ```
    pub fn frame(self, back: usize, frames: usize) -> PadFrame {
        let last = frames.saturating_sub(1);
        let back = back.saturating_sub(1).checked_rem(frames).unwrap_or(0);
        match self {
            Self::Mirror => PadFrame::Frame(back),
            Self::FullCopy => PadFrame::Frame(last.saturating_sub(back)),
            Self::FirstFrame => PadFrame::Frame(0),
            Self::Mean => PadFrame::Mean,
            Self::Ones => PadFrame::One,
            Self::Zeros => PadFrame::Zero,
        }
    }

    /// Calls `write(back, Ok(frame) or Err(constant))` for each of the `length` frames before the first chunk.
    pub(crate) fn fill<T: Sample>(
        self,
        length: usize,
        frame_len: usize,
        first: First<'_, T>,
        mut write: impl FnMut(usize, Result<&[T], T>),
    ) {
        let frames = first.frames.len().checked_div(frame_len).unwrap_or(0);
        let mean = if self == Self::Mean && length > 0 { T::mean(first.batch) } else { T::zero() };
        // Frames without samples need no padding, whatever the length.
        for back in 1..=(if frame_len == 0 { 0 } else { length }) {
            write(
                back,
                match self.frame(back, frames) {
                    PadFrame::Frame(i) => crate::filter::piece(first.frames, i, frame_len).map_err(|_| T::zero()),
                    PadFrame::Mean => Err(mean),
                    PadFrame::One => Err(T::one()),
                    PadFrame::Zero => Err(T::zero()),
                },
            );
        }
    }
}

/// Prepends the last `length` frames to every chunk; see the [equation](self).
///
/// ```
/// use foveola_core::{Filter, PadMode, Shape, TimePadding};
/// const PADDING: TimePadding = TimePadding::new(Shape::new(1, 1, 1), 3, PadMode::Mirror);
/// let mut state = [0.0_f32; PADDING.signature().state];
/// let mut out = [0.0; 5];
/// PADDING.run(0, &mut state, &mut [], &[1.0, 2.0], &mut out).unwrap();
/// assert_eq!(out, [1.0, 2.0, 1.0, 1.0, 2.0]); // x0 x1 x0 | x0 x1
/// PADDING.run(2, &mut state, &mut [], &[7.0, 8.0], &mut out).unwrap();
/// assert_eq!(out, [1.0, 1.0, 2.0, 7.0, 8.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TimePadding {
    history: History,
}

impl TimePadding {
    /// Temporal padding of `length` frames (any number) of `shape`.
    pub const fn new(shape: Shape, length: usize, mode: PadMode) -> Self {
        Self { history: History { shape, delay: 0, length, mode } }
    }

    /// The mode.
    pub const fn mode(&self) -> PadMode {
        self.history.mode
    }

    /// The number of padding frames.
    pub const fn length(&self) -> usize {
        self.history.length
    }

    pub(crate) const fn history(&self) -> &History {
        &self.history
    }

    /// What the filter takes, yields and needs.
    pub const fn signature(&self) -> Signature {
        self.history.signature()
    }
}

impl<T: Sample> Filter<T> for TimePadding {
    fn signature(&self) -> Signature {
        self.history.signature()
    }

    fn start(&self, state: &mut [T], first: First<'_, T>) {
        self.history.start(state, first);
    }

    fn advance(&self, t: u64, state: &mut [T], _: &mut [T], input: &[T], output: &mut [T]) -> Result<usize, Error> {
        self.history.advance(t, state, input, output)
    }
}
