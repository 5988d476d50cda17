//! The full-field chirp of the retina literature: a step, a frequency sweep, an amplitude sweep.
//!
//! One movie tests a cell's polarity and transience (step on, step off), its preferred frequency (sweep at constant
//! amplitude, from slow to fast) and its gain control (amplitude sweep at constant frequency).
//!
//! ```text
//!            ______                /\   /\  /\ /\/\/\/\            /\    /\    /\
//!           |      |         _____/  \  /  \/  V        \____-~-_,/  \  /  \  /  \ ______
//! __________|      |________|         \/                           \/    \/    \/        |____
//!    dark      on     off    gray   frequency_sweep      gray   amplitude_sweep    gray
//! ```
//! In the frequency sweep, the phase is `from * t + (to - from) * t^2 / (2 * duration)` cycles; in the amplitude sweep, the
//! amplitude increases linearly from 0 to full.
//!
//! Reference: Baden et al. 2016, The functional diversity of retinal ganglion cells in the mouse,
//! doi:10.1038/nature16468 (durations and frequencies of the default at 1000 frames per second).

use super::{Size, finite};
use crate::Error;
use crate::error::in_range;
use core::f64::consts::TAU;
use ndarray::Array5;

/// The parameters of a [`chirp`]; durations in frames, frequencies in cycles per frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chirp {
    /// Duration of the initial darkness. Default 2000 frames.
    pub dark: usize,
    /// Duration of the step. Default 3000 frames.
    pub on: usize,
    /// Duration of the darkness after the step. Default 3000 frames.
    pub off: usize,
    /// Duration of mean luminance before each sweep and after the last one. Default 2000 frames.
    pub gray: usize,
    /// Duration of the frequency sweep. Default 8000 frames.
    pub frequency_sweep: usize,
    /// Frequency at its start, at least 0. Default 0.0005 (0.5 Hz at 1000 frames per second).
    pub from: f32,
    /// Frequency at its end, at least 0. Default 0.008 (8 Hz at 1000 frames per second).
    pub to: f32,
    /// Duration of the amplitude sweep. Default 8000 frames.
    pub amplitude_sweep: usize,
    /// Frequency of the amplitude sweep, at least 0. Default 0.0004 (0.4 Hz at 1000 frames per second).
    pub frequency: f32,
    /// Luminance of darkness. Default 0.
    pub low: f32,
    /// Luminance of brightness; the mean is halfway between the two. Default 1.
    pub high: f32,
}

impl Default for Chirp {
    fn default() -> Self {
        Self {
            dark: 2000,
            on: 3000,
            off: 3000,
            gray: 2000,
            frequency_sweep: 8000,
            from: 0.0005,
            to: 0.008,
            amplitude_sweep: 8000,
            frequency: 0.0004,
            low: 0.0,
            high: 1.0,
        }
    }
}

impl Chirp {
    /// The default chirp for a frame rate other than 1000 per second: the same seconds and hertz. Below 16 frames per
    /// second, 8 Hz would alias, and [`chirp`] returns an error. If the rate is not a finite number above 0, the default is
    /// returned.
    ///
    /// ```
    /// use foveola::samples::Chirp;
    ///
    /// assert_eq!(Chirp::at_rate(60.0).on, 180);
    /// ```
    pub fn at_rate(frames_per_second: f32) -> Self {
        Self::default().stretched(f64::from(frames_per_second) / 1000.0)
    }

    /// The same stimulus slowed down by `factor`: durations are multiplied and frequencies divided by it. A factor that is
    /// not a finite number above 0 changes nothing.
    #[must_use]
    pub fn stretched(self, factor: f64) -> Self {
        if !(factor.is_finite() && factor > 0.0) {
            return self;
        }
        let frames = |n: usize| (n as f64 * factor).round() as usize;
        let cycles = |f: f32| (f64::from(f) / factor) as f32;
        Self {
            dark: frames(self.dark),
            on: frames(self.on),
            off: frames(self.off),
            gray: frames(self.gray),
            frequency_sweep: frames(self.frequency_sweep),
            from: cycles(self.from),
            to: cycles(self.to),
            amplitude_sweep: frames(self.amplitude_sweep),
            frequency: cycles(self.frequency),
            ..self
        }
    }

    /// The default chirp scaled to a movie of `frames` frames, as far as whole frames allow. If the fastest flicker would
    /// have fewer than four frames per cycle (below 960 frames), all frequencies are lowered by the same factor: the
    /// stimulus then has fewer cycles, but the same parts.
    ///
    /// ```
    /// use foveola::samples::{Chirp, Size, chirp};
    ///
    /// let movie = chirp(Size::new(100, 1, 1), &Chirp::lasting(100))?;
    /// assert!(movie.iter().any(|&x| x == 0.0) && movie.iter().any(|&x| x == 1.0) && movie.iter().any(|&x| x == 0.5));
    /// # Ok::<(), foveola::Error>(())
    /// ```
    pub fn lasting(frames: usize) -> Self {
        let default = Self::default();
        let factor = frames as f64 / default.frames() as f64;
        let chirp = default.stretched(factor);
        // Rounding may have added a frame or two; they are removed from the longest part.
        let over = chirp.frames().saturating_sub(frames);
        let slower = (f64::from(chirp.to) / 0.25).max(1.0);
        let cycles = |f: f32| (f64::from(f) / slower) as f32;
        Self {
            from: cycles(chirp.from),
            to: cycles(chirp.to),
            frequency: cycles(chirp.frequency),
            amplitude_sweep: chirp.amplitude_sweep.saturating_sub(over),
            ..chirp
        }
    }

    /// Number of frames until the stimulus ends; later frames of a movie stay dark.
    ///
    /// ```
    /// use foveola::samples::{Chirp, Size, chirp};
    ///
    /// let stimulus = Chirp::at_rate(60.0);
    /// let movie = chirp(Size::new(stimulus.frames(), 1, 1), &stimulus)?;
    /// assert_eq!(movie.len(), 30 * 60);
    /// # Ok::<(), foveola::Error>(())
    /// ```
    pub fn frames(&self) -> usize {
        let parts = [self.dark, self.on, self.off, self.frequency_sweep, self.amplitude_sweep];
        parts.into_iter().fold(self.gray.saturating_mul(3), usize::saturating_add)
    }

    /// Luminance of frame `t`, between -1 (dark) and 1 (bright).
    fn value(&self, t: usize) -> f64 {
        let mut left = t;
        let mut within = |duration: usize| match left.checked_sub(duration) {
            None => Some((left as f64, duration as f64)),
            Some(rest) => {
                left = rest;
                None
            }
        };
        let sine = |cycles: f64| libm::sin(TAU * (cycles - libm::floor(cycles)));
        let (from, to, frequency) = (f64::from(self.from), f64::from(self.to), f64::from(self.frequency));
        if within(self.dark).is_some() {
            -1.0
        } else if within(self.on).is_some() {
            1.0
        } else if within(self.off).is_some() {
            -1.0
        } else if within(self.gray).is_some() {
            0.0
        } else if let Some((t, duration)) = within(self.frequency_sweep) {
            sine(from * t + (to - from) * t * t / (2.0 * duration))
        } else if within(self.gray).is_some() {
            0.0
        } else if let Some((t, duration)) = within(self.amplitude_sweep) {
            t / duration * sine(frequency * t)
        } else if within(self.gray).is_some() {
            0.0
        } else {
            -1.0
        }
    }
}

/// The full-field chirp; a movie longer than [`Chirp::frames`] stays dark at the end.
///
/// # Errors
/// [`Error::Parameter`] where the movie is shorter than [`Chirp::frames`] ([`Chirp::lasting`] gives a chirp of any length),
/// a frequency is negative or above 0.5 (it would alias), a number is not finite, or the movie is empty or larger than
/// memory.
pub fn chirp(size: Size, chirp: &Chirp) -> Result<Array5<f32>, Error> {
    const ITEM: &str = "chirp";
    for (name, value) in [("from", chirp.from), ("to", chirp.to), ("frequency", chirp.frequency)] {
        let good = (0.0..=0.5).contains(&value);
        in_range(ITEM, name, value, good, "a number from 0 to 0.5 cycles per frame")?;
    }
    finite(ITEM, "low", chirp.low)?;
    finite(ITEM, "high", chirp.high)?;
    let (low, high) = (f64::from(chirp.low), f64::from(chirp.high));
    let (mean, amplitude) = ((low + high) / 2.0, (high - low) / 2.0);
    let frames = chirp.frames();
    let value = format!("{} frames for a chirp of {frames}", size.frames);
    in_range(ITEM, "size", value, size.frames == 0 || size.frames >= frames, "as many or more, or Chirp::lasting")?;
    size.movie(ITEM, |t, frame| frame.fill((mean + amplitude * chirp.value(t)) as f32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stimuli::samples::tests::hash;

    fn values(parameters: &Chirp, frames: usize) -> Vec<f32> {
        chirp(Size::new(frames, 1, 1), parameters).expect("good").into_raw_vec_and_offset().0
    }

    #[test]
    fn parts_follow_each_other() {
        let parameters = Chirp::default();
        assert_eq!(parameters.frames(), 30_000, "30 s");
        let values = values(&parameters, 31_000);
        for (range, expected) in [
            (0..2000, 0.0),
            (2000..5000, 1.0),
            (5000..8000, 0.0),
            (8000..10_000, 0.5),
            (18_000..20_000, 0.5),
            (28_000..30_000, 0.5),
            (30_000..31_000, 0.0),
        ] {
            assert!(values[range.clone()].iter().all(|&v| v == expected), "{range:?} is {expected}");
        }
    }

    /// Rising crossings of the mean.
    fn cycles(values: &[f32]) -> usize {
        values.windows(2).filter(|pair| pair[0] < 0.5 && pair[1] >= 0.5).count()
    }

    #[test]
    fn frequencies_sweep() {
        let values = values(&Chirp::default(), 30_000);
        // Mean frequency of the first and of the last two seconds: 0.5 + 7.5 / 8 and 8 - 7.5 / 8 Hz.
        assert_eq!(cycles(&values[10_100..12_100]), 3, "about 1.4 Hz");
        assert_eq!(cycles(&values[16_000..18_000]), 14, "about 7.1 Hz");
        assert_eq!(cycles(&values[10_000..18_000]), 33, "4.25 Hz on average, the first crest starts at the mean");
    }

    #[test]
    fn amplitude_grows() {
        let values = values(&Chirp::default(), 30_000);
        let peak = |range: core::ops::Range<usize>| values[range].iter().copied().fold(0.0, f32::max);
        assert!((peak(20_000..22_500) - 0.54).abs() < 0.02, "first cycle");
        assert!((peak(25_000..27_500) - 0.85).abs() < 0.02, "third cycle");
    }

    #[test]
    fn other_rates_keep_the_seconds() {
        let fast = Chirp::at_rate(100.0);
        assert_eq!(fast.frames(), 3000, "30 s");
        assert!((fast.to - 0.08).abs() < 1e-6, "8 Hz");
        for nonsense in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert_eq!(Chirp::at_rate(nonsense), Chirp::default(), "{nonsense}");
        }
    }

    #[test]
    fn the_same_bits_everywhere() {
        let movie = chirp(Size::new(1900, 1, 2), &Chirp::at_rate(60.0)).expect("good");
        assert_eq!(hash(&movie), 0xa9f0_9a95_490a_222d, "digest");
    }

    #[test]
    fn bad_parameters_are_named() {
        let good = Chirp::default();
        for (name, bad) in [
            ("from", Chirp { from: -0.1, ..good }),
            ("to", Chirp { to: 0.6, ..good }),
            ("frequency", Chirp { frequency: f32::NAN, ..good }),
            ("low", Chirp { low: f32::NAN, ..good }),
            ("high", Chirp { high: f32::INFINITY, ..good }),
        ] {
            let error = chirp(Size::new(2, 2, 2), &bad).expect_err(name).to_string();
            assert!(error.contains(name), "{error} names {name}");
        }
        let endless = Chirp { dark: usize::MAX, gray: usize::MAX, ..good };
        assert_eq!(endless.frames(), usize::MAX, "saturates");
    }

    /// A movie that is too short would be dark, or end before the sweeps.
    #[test]
    fn a_movie_too_short_for_its_chirp_is_refused() {
        for (frames, parameters) in [(1000, Chirp::default()), (29_999, Chirp::default()), (1799, Chirp::at_rate(60.0))]
        {
            let error = chirp(Size::new(frames, 2, 2), &parameters).expect_err("too short").to_string();
            let words = format!("size is {frames} frames for a chirp of {}", parameters.frames());
            assert!(error.contains(&words) && error.contains("Chirp::lasting"), "{error}");
        }
    }

    #[test]
    fn a_chirp_fits_any_length() {
        for frames in (1..200).chain([500, 959, 960, 1000, 30_000, 100_001]) {
            let parameters = Chirp::lasting(frames);
            assert!(frames < 20 || parameters.frames() * 10 >= frames * 9, "{frames}: {} used", parameters.frames());
            let values = values(&parameters, frames);
            assert!(values.iter().all(|v| (0.0..=1.0).contains(v)), "{frames}: between dark and bright");
            if frames >= 20 {
                for (level, name) in [(0.0, "dark"), (1.0, "bright"), (0.5, "grey")] {
                    assert!(values.contains(&level), "{frames}: {name}");
                }
                let sweep = parameters.dark + parameters.on + parameters.off + parameters.gray;
                let sweep = &values[sweep..sweep + parameters.frequency_sweep];
                let (low, high) = sweep.iter().fold((1.0_f32, 0.0_f32), |(low, high), v| (low.min(*v), high.max(*v)));
                assert!(frames < 60 || high - low > 0.8, "{frames}: a sweep from {low} to {high}");
            }
        }
        assert_eq!(Chirp::lasting(30_000), Chirp::default());
    }
}
