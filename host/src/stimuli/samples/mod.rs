//! Synthetic input movies, as in visual physiology.
//!
//! Every function takes a [`Size`] and a parameter struct with defaults, and returns an array of shape
//! `(1, 1, time, row, col)`: one batch, one channel. Values are luminances without a unit; most are between 0 (dark) and 1
//! (bright). The same parameters give the same bits on every platform: sines come from `libm`, random numbers from a seeded
//! PCG generator.
//!
//! | function | stimulus |
//! |---|---|
//! | [`moving_grating`] | drifting sinusoid |
//! | [`moving_bar`] | bar that sweeps over the field |
//! | [`random_checkerboard`] | black and white checks, redrawn every few frames |
//! | [`sparse`] | a few single impulses in space and time |
//! | [`pulse`] | a step or a pulse of the whole field |
//! | [`chirp`] | step, frequency sweep and amplitude sweep of the whole field |
//!
//! Directions are in degrees on the screen: 0 moves to the right (towards higher columns), 90 moves up (towards lower rows).
//!
//! ```
//! use foveola::samples::{MovingBar, Size, moving_bar};
//!
//! let movie = moving_bar(Size::new(40, 24, 32), &MovingBar { direction: 45.0, ..MovingBar::default() })?;
//! assert_eq!(movie.shape(), [1, 1, 40, 24, 32]);
//! # Ok::<(), foveola::Error>(())
//! ```

mod bar;
mod checkerboard;
mod chirp;
mod grating;
mod pulse;
mod sparse;

pub use bar::{MovingBar, moving_bar};
pub use checkerboard::{RandomCheckerboard, random_checkerboard};
pub use chirp::{Chirp, chirp};
pub use grating::{MovingGrating, moving_grating};
pub use pulse::{Pulse, pulse};
pub use sparse::{Sparse, sparse};

use crate::Error;
use crate::error::in_range;
use ndarray::Array5;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// The size of a movie: frames, rows and columns, each at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    /// Number of frames.
    pub frames: usize,
    /// Height of a frame in pixels.
    pub rows: usize,
    /// Width of a frame in pixels.
    pub cols: usize,
}

impl Size {
    /// A movie of `frames` frames of `rows` x `cols` pixels.
    pub const fn new(frames: usize, rows: usize, cols: usize) -> Self {
        Self { frames, rows, cols }
    }

    /// Pixels of one frame.
    const fn pixels(self) -> usize {
        self.rows * self.cols
    }

    /// An array of zeros of this size; an error if it has no sample or does not fit into memory.
    fn zeros(self, item: &'static str) -> Result<Array5<f32>, Error> {
        let error = |expected| Error::Parameter {
            item,
            name: "size",
            value: format!("{} frames of {} x {}", self.frames, self.rows, self.cols),
            expected,
        };
        let len = self.rows.checked_mul(self.cols).and_then(|pixels| pixels.checked_mul(self.frames));
        let len = len.ok_or_else(|| error("a movie that fits into memory"))?;
        if len == 0 {
            return Err(error("at least one frame of 1 x 1"));
        }
        let mut samples = Vec::new();
        samples.try_reserve_exact(len).map_err(|_| error("a movie that fits into memory"))?;
        samples.resize(len, 0.0);
        Array5::from_shape_vec((1, 1, self.frames, self.rows, self.cols), samples)
            .map_err(|_| error("a movie that fits into memory"))
    }

    /// A movie made frame by frame: `draw` receives the index of the frame and its `rows * cols` samples.
    fn movie(self, item: &'static str, mut draw: impl FnMut(usize, &mut [f32])) -> Result<Array5<f32>, Error> {
        let mut movie = self.zeros(item)?;
        if let Some(samples) = movie.as_slice_mut() {
            samples.chunks_exact_mut(self.pixels()).enumerate().for_each(|(t, frame)| draw(t, frame));
        }
        Ok(movie)
    }
}

/// Returns an error for NaN and infinity.
pub(crate) fn finite(item: &'static str, name: &'static str, value: f32) -> Result<(), Error> {
    in_range(item, name, value, value.is_finite(), "a finite number")
}

/// Returns an error for everything but finite numbers above 0.
pub(crate) fn positive(item: &'static str, name: &'static str, value: f32) -> Result<(), Error> {
    in_range(item, name, value, value.is_finite() && value > 0.0, "a finite number above 0")
}

/// Cosine and sine of an angle in degrees.
pub(crate) fn unit_vector(degrees: f32) -> (f64, f64) {
    let (sin, cos) = libm::sincos(f64::from(degrees).to_radians());
    (cos, sin)
}

/// The random number generator for a seed, the same on every platform.
pub(crate) fn generator(seed: u64) -> Pcg64Mcg {
    Pcg64Mcg::seed_from_u64(seed)
}

/// A random index below `len`, which is not 0. The bias, `len / 2^64`, is not measurable.
pub(crate) fn index_below(random: &mut Pcg64Mcg, len: usize) -> usize {
    ((u128::from(random.next_u64()) * len as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FNV-1a over the bits of all samples.
    pub(super) fn hash(movie: &Array5<f32>) -> u64 {
        movie
            .iter()
            .flat_map(|v| v.to_bits().to_le_bytes())
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    type Sample = fn(Size) -> Result<Array5<f32>, Error>;

    const ALL: [(&str, Sample); 6] = [
        ("moving_grating", |size| moving_grating(size, &MovingGrating::default())),
        ("moving_bar", |size| moving_bar(size, &MovingBar::default())),
        ("random_checkerboard", |size| random_checkerboard(size, &RandomCheckerboard::default())),
        ("sparse", |size| sparse(size, &Sparse { impulses: 1, ..Sparse::default() })),
        ("pulse", |size| pulse(size, &Pulse { onset: size.frames / 2, ..Pulse::default() })),
        ("chirp", |size| chirp(size, &Chirp::lasting(size.frames))),
    ];

    #[test]
    fn shapes_and_ranges() {
        for (name, sample) in ALL {
            for (frames, rows, cols) in [(1, 1, 1), (3, 1, 7), (50, 9, 5)] {
                let movie = sample(Size::new(frames, rows, cols)).expect("default parameters are good");
                assert_eq!(movie.shape(), [1, 1, frames, rows, cols], "{name}");
                assert!(movie.iter().all(|v| (0.0..=1.0).contains(v)), "{name} between 0 and 1");
            }
        }
    }

    #[test]
    fn sizes_without_samples_or_beyond_memory_are_errors() {
        for (name, sample) in ALL {
            for size in [
                Size::new(0, 4, 4),
                Size::new(4, 0, 4),
                Size::new(4, 4, 0),
                Size::new(usize::MAX, 2, 2),
                Size::new(1 << 30, 1 << 20, 1 << 10),
            ] {
                let error = sample(size).expect_err("no such movie").to_string();
                assert!(error.contains(name) && error.contains("size"), "{error}");
            }
        }
    }

    #[test]
    fn directions_are_as_seen_on_the_screen() {
        let (right, up) = unit_vector(90.0);
        assert!(right.abs() < 1e-15 && up == 1.0, "90 degrees is up");
    }
}
