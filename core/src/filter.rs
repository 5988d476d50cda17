//! A filter is a constant; its state is a slice; time is an argument.
//!
//! ```text
//!            t  (frames since the state was cleared)
//!            |
//! input -> filter -> output
//!           |   |
//!      state     scratch      both lent by the caller
//! ```
//! - The **filter** holds geometry, borrowed weights and coefficients. It never changes, so one filter serves many
//!   streams.
//! - The **state** is everything that a stream remembers: `signature().state` samples. A copy of the state, together
//!   with `t`, saves the stream; copying it back restores the stream.
//! - The **scratch** carries no information from one call to the next. Filters that run one after another share it.
//! - **`t`** determines ring positions and temporal stride. `t = 0` starts the stream and overwrites the state. There
//!   is no hidden counter.

use crate::error::{at_least, exact};
use crate::{Error, Sample, Shape};

/// When output frames come: after the input frames number `first`, `first + every`, `first + 2 every`, …
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Rate {
    /// Input frames before the one that yields the first output.
    pub first: u64,
    /// Input frames from one output to the next, at least 1: the temporal stride.
    pub every: u64,
}

impl Rate {
    /// One output frame per input frame.
    pub const EACH: Self = Self { first: 0, every: 1 };

    /// Number of output frames after `t` input frames.
    ///
    /// ```
    /// use foveola_core::Rate;
    /// let third = Rate { first: 0, every: 3 };
    /// assert_eq!((third.count(0), third.count(1), third.count(3), third.count(4)), (0, 1, 1, 2));
    /// ```
    pub const fn count(self, t: u64) -> u64 {
        if t <= self.first {
            return 0;
        }
        if self.every == 1 {
            return t - self.first; // 64-bit division is slow on CPUs without an instruction for it
        }
        match (t - self.first - 1).checked_div(self.every) {
            Some(more) => more + 1,
            None => 1, // no output after the first
        }
    }

    /// Number of output frames for `frames` input frames that start at time `t`.
    pub const fn frames(self, t: u64, frames: usize) -> usize {
        (self.count(t.saturating_add(frames as u64)) - self.count(t)) as usize
    }

    /// Whether input frame `t` yields an output.
    pub const fn yields(self, t: u64) -> bool {
        t >= self.first && (t - self.first).is_multiple_of(self.every)
    }

    /// The rate of `self` followed by `next`.
    pub const fn then(self, next: Self) -> Self {
        Self {
            first: self.first.saturating_add(self.every.saturating_mul(next.first)),
            every: self.every.saturating_mul(next.every),
        }
    }

    /// `==` as a `const fn`.
    pub const fn equals(self, other: Self) -> bool {
        self.first == other.first && self.every == other.every
    }
}

/// Working memory of a filter, in samples: `fixed + per_frame * frames` for a chunk of `frames` frames.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Scratch {
    /// Samples needed for any chunk.
    pub fixed: usize,
    /// Further samples for each frame of the chunk; 0 for most filters.
    pub per_frame: usize,
}

impl Scratch {
    /// No working memory.
    pub const NONE: Self = Self { fixed: 0, per_frame: 0 };

    /// Samples for a chunk of `frames` frames.
    pub const fn len(self, frames: usize) -> usize {
        self.fixed.saturating_add(self.per_frame.saturating_mul(frames))
    }

    /// Enough for either of two filters that run one after the other.
    pub const fn larger(self, other: Self) -> Self {
        Self {
            fixed: if self.fixed > other.fixed { self.fixed } else { other.fixed },
            per_frame: if self.per_frame > other.per_frame { self.per_frame } else { other.per_frame },
        }
    }

    /// This scratch plus `samples` samples for any chunk.
    pub const fn and(self, samples: usize) -> Self {
        Self { fixed: self.fixed.saturating_add(samples), ..self }
    }

    /// Room for this scratch followed by `other`.
    pub const fn plus(self, other: Self) -> Self {
        Self {
            fixed: self.fixed.saturating_add(other.fixed),
            per_frame: self.per_frame.saturating_add(other.per_frame),
        }
    }

    /// Where the scratch before `other` ends, if this one begins after it.
    pub(crate) const fn minus(self, other: Self) -> Self {
        Self {
            fixed: self.fixed.saturating_sub(other.fixed),
            per_frame: self.per_frame.saturating_sub(other.per_frame),
        }
    }

    /// Whether no working memory is needed.
    pub const fn is_empty(self) -> bool {
        self.fixed == 0 && self.per_frame == 0
    }
}

/// What a filter takes, yields and needs. Every filter has it as a `const fn`, so memory use is known at compile time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Signature {
    /// Shape of an input frame.
    pub input: Shape,
    /// Shape of an output frame.
    pub output: Shape,
    /// Samples of state.
    pub state: usize,
    /// Samples of working memory.
    pub scratch: Scratch,
    /// Which input frames yield output frames.
    pub rate: Rate,
    /// Earlier frames that precede the output of every chunk (`TimePadding`, `Delay` with a length); usually 0.
    pub lead: usize,
}

impl Signature {
    /// One output frame of the same shape per input frame, with `state` samples of state.
    pub const fn same(shape: Shape, state: usize) -> Self {
        Self { input: shape, output: shape, state, scratch: Scratch::NONE, rate: Rate::EACH, lead: 0 }
    }

    /// Number of output frames for a chunk of `frames` frames that starts at time `t`. A chunk without output frames
    /// has no lead either.
    pub const fn frames_out(&self, t: u64, frames: usize) -> usize {
        match self.rate.frames(t, frames) {
            0 => 0,
            frames => frames.saturating_add(self.lead),
        }
    }

    /// Whether the filter's output depends on the present frame alone.
    pub const fn is_memoryless(&self) -> bool {
        self.state == 0 && self.rate.equals(Rate::EACH) && self.lead == 0
    }
}

/// The first chunk of a stream. It determines the temporal padding in the modes `mirror`, `full_copy`, `first_frame`
/// and `mean`.
#[derive(Clone, Copy, Debug)]
pub struct First<'a, T> {
    /// The frames of this stream, one after another; at least one.
    pub frames: &'a [T],
    /// The frames of all streams of the batch, over which `mean` averages. The same slice for a single stream.
    pub batch: &'a [T],
}

impl<'a, T> First<'a, T> {
    /// The first chunk of a single stream.
    pub const fn alone(frames: &'a [T]) -> Self {
        Self { frames, batch: frames }
    }
}

/// Whether an input frame yielded an output frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Step {
    /// The output frame was written.
    Frame,
    /// There is no output frame (temporal stride, or warm-up without temporal padding). The output slice is unchanged.
    Nothing,
}

/// A filter over a stream of frames.
///
/// Implementations provide [`Filter::signature`] and [`Filter::advance`]; callers use [`Filter::step`] and
/// [`Filter::run`].
///
/// ```
/// use foveola_core::{constant, Decay, Filter, LowPass, Shape, Step};
///
/// const LOW_PASS: LowPass = LowPass::new(Shape::new(1, 2, 2), constant!(Decay::new(0.01, 1000.0)));
/// let mut state = [0.0_f32; LOW_PASS.signature().state]; // memory known at compile time
/// let mut out = [0.0; 4];
/// for t in 0..100 {
///     assert_eq!(LOW_PASS.step(t, &mut state, &mut [], &[1.0; 4], &mut out), Ok(Step::Frame));
/// }
/// assert!((out[0] - 1.0).abs() < 1e-4); // unit gain at DC
/// ```
pub trait Filter<T: Sample = f32> {
    /// What the filter takes, yields and needs.
    fn signature(&self) -> Signature;

    /// Sets `state` to its value before the first frame. `first` is the chunk with this frame. The default sets zeros.
    fn start(&self, state: &mut [T], first: First<'_, T>) {
        let _ = first;
        state.fill(T::zero());
    }

    /// Feeds the frames of `input` to a stream that was started, and returns how many frames were written to `output`.
    /// `t` is the number of the first frame. [`Filter::run`] has checked every length. An implementation that finds a
    /// slice too short returns an error; it never panics.
    ///
    /// # Errors
    /// [`Error::NonFinite`] from a [`Finite`](crate::Finite) guard; [`Error::Length`] when called with wrong lengths.
    fn advance(
        &self,
        t: u64,
        state: &mut [T],
        scratch: &mut [T],
        input: &[T],
        output: &mut [T],
    ) -> Result<usize, Error>;

    /// Feeds a chunk: the frames `t`, `t + 1`, … of a stream, one after another in `input`. Starts the stream at
    /// `t = 0`. Returns how many frames were written to `output` ([`Signature::frames_out`]). An empty chunk does
    /// nothing.
    ///
    /// # Errors
    /// [`Error::Length`] when a slice does not fit the [`Signature`]; the state is then unchanged.
    fn run(&self, t: u64, state: &mut [T], scratch: &mut [T], input: &[T], output: &mut [T]) -> Result<usize, Error> {
        check(&self.signature(), t, state.len(), scratch.len(), input.len(), output.len())?;
        if input.is_empty() {
            return Ok(0);
        }
        if t == 0 {
            self.start(state, First::alone(input));
        }
        self.advance(t, state, scratch, input, output)
    }

    /// Feeds one frame: [`Filter::run`] with a chunk of one.
    ///
    /// # Errors
    /// As [`Filter::run`], and [`Error::Length`] when `input` is not exactly one frame.
    fn step(&self, t: u64, state: &mut [T], scratch: &mut [T], input: &[T], output: &mut [T]) -> Result<Step, Error> {
        exact("the input", input.len(), self.signature().input.len())?;
        self.run(t, state, scratch, input, output).map(|frames| if frames == 0 { Step::Nothing } else { Step::Frame })
    }
}

/// So that a [`Stage`](crate::Stage) can be printed: nothing is known of the filter.
impl<T: Sample> core::fmt::Debug for dyn Filter<T> + Sync + '_ {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("dyn Filter")
    }
}

/// Whether the lengths of all slices fit `signature` for the chunk in `input`.
pub(crate) fn check(
    signature: &Signature,
    t: u64,
    state: usize,
    scratch: usize,
    input: usize,
    output: usize,
) -> Result<(), Error> {
    let frame = signature.input.len().max(1);
    let frames = input / frame;
    exact("the input", input, frames.saturating_mul(frame))?;
    exact("the state", state, signature.state)?;
    at_least("the scratch", scratch, signature.scratch.len(frames))?;
    at_least("the output", output, signature.frames_out(t, frames).saturating_mul(signature.output.len()))
}

/// Block `index` of `slice`, in blocks of `len` samples.
pub(crate) fn piece<T>(slice: &[T], index: usize, len: usize) -> Result<&[T], Error> {
    let (from, to) = bounds(index, len);
    slice.get(from..to).ok_or(Error::Length { what: "a buffer", found: slice.len(), expected: to })
}

/// Mutable [`piece`].
pub(crate) fn piece_mut<T>(slice: &mut [T], index: usize, len: usize) -> Result<&mut [T], Error> {
    let (from, to) = bounds(index, len);
    let found = slice.len();
    slice.get_mut(from..to).ok_or(Error::Length { what: "a buffer", found, expected: to })
}

const fn bounds(index: usize, len: usize) -> (usize, usize) {
    let from = index.saturating_mul(len);
    (from, from.saturating_add(len))
}

/// Copies `from` to `to` up to the shorter length: `copy_from_slice` without its panic.
#[cfg_attr(target_os = "none", inline(never))]
pub(crate) fn copy<T: Copy>(to: &mut [T], from: &[T]) {
    let (mut to, mut from) = (to, from);
    if cfg!(target_os = "none") {
        // Blocks of words take a quarter of the instructions of a microcontroller's `memcpy`.
        let len = to.len().min(from.len());
        let (Some(all), Some(source)) = (to.get_mut(..len), from.get(..len)) else { return };
        let ((blocks, rest), (sources, source)) = (all.as_chunks_mut::<16>(), source.as_chunks::<16>());
        for (to, from) in blocks.iter_mut().zip(sources) {
            // Two parts, as one would be made a `memcpy` again.
            let (to, from) = (to.as_chunks_mut::<8>().0, from.as_chunks::<8>().0);
            if let ([a, b], [x, y]) = (to, from) {
                (*a, *b) = (*x, *y);
            }
        }
        (to, from) = (rest, source);
        // What remains: a loop would be a `memcpy`, too.
        macro_rules! copy_one {
            ($count:literal) => {
                let ((chunk, rest), (source, behind)) = (to.as_chunks_mut::<$count>(), from.as_chunks::<$count>());
                if let ([to], [from]) = (chunk, source) {
                    *to = *from;
                }
                (to, from) = (rest, behind);
            };
        }
        copy_one!(8);
        copy_one!(4);
        copy_one!(2);
        if let ([to], [from]) = (to, from) {
            *to = *from;
        }
        return;
    }
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// Makes all of `to` the same: `fill` in a third of its instructions on a microcontroller.
#[cfg_attr(target_os = "none", inline(never))]
pub(crate) fn fill<T: Copy>(to: &mut [T], value: T) {
    if cfg!(target_os = "none") {
        let (blocks, rest) = to.as_chunks_mut();
        blocks.iter_mut().for_each(|block| *block = [value; 16]);
        rest.iter_mut().for_each(|to| *to = value);
        return;
    }
    to.fill(value);
}

/// Splits every slice at `at`.
pub(crate) fn halves<T, const N: usize>(slices: [&mut [T]; N], at: usize) -> ([&mut [T]; N], [&mut [T]; N]) {
    let mut first: [&mut [T]; N] = core::array::from_fn(|_| Default::default());
    let mut second: [&mut [T]; N] = core::array::from_fn(|_| Default::default());
    for ((slice, first), second) in slices.into_iter().zip(&mut first).zip(&mut second) {
        let at = at.min(slice.len());
        (*first, *second) = slice.split_at_mut(at);
    }
    (first, second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Diff, Shape};

    /// A partial frame is refused, alone or after whole frames, and so are buffers that do not fit. The state is
    /// unchanged.
    #[test]
    fn parts_of_frames_are_refused() {
        let (filter, mut out) = (Diff::new(Shape::new(1, 1, 2)), [0.0_f32; 4]);
        let mut state = [5.0_f32, 6.0];
        for input in [&[1.0_f32][..], &[1.0, 2.0, 3.0]] {
            let found = filter.run(1, &mut state, &mut [], input, &mut out);
            assert!(matches!(found, Err(Error::Length { what: "the input", .. })), "{found:?}");
        }
        assert!(filter.run(1, &mut state[..1], &mut [], &[1.0, 2.0], &mut out).is_err(), "a short state");
        assert!(filter.run(1, &mut state, &mut [], &[1.0; 4], &mut out[..3]).is_err(), "a short output");
        assert_eq!((state, out), ([5.0, 6.0], [0.0; 4]), "nothing was written");
        assert_eq!(filter.run(1, &mut state, &mut [], &[1.0; 4], &mut out), Ok(2));
    }
}
