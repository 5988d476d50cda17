//! A step or a pulse of the whole field, to measure the step response of a model.

use super::{Size, finite};
use crate::Error;
use crate::error::in_range;
use ndarray::Array5;

/// The parameters of a [`pulse`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pulse {
    /// First frame of the pulse. Default 10.
    pub onset: usize,
    /// Duration in frames; `None` is a step that stays. Default 20 frames.
    pub duration: Option<usize>,
    /// Luminance added to the baseline during the pulse. Default 1.
    pub amplitude: f32,
    /// Luminance before and after the pulse. Default 0.
    pub baseline: f32,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { onset: 10, duration: Some(20), amplitude: 1.0, baseline: 0.0 }
    }
}

/// A pulse of the whole field: `baseline + amplitude` in the frames `onset .. onset + duration`, else `baseline`.
///
/// ```
/// use foveola::samples::{Pulse, Size, pulse};
///
/// let step = Pulse { onset: 2, duration: None, ..Pulse::default() };
/// let movie = pulse(Size::new(4, 1, 1), &step)?;
/// assert_eq!(movie.into_raw_vec_and_offset().0, [0.0, 0.0, 1.0, 1.0]);
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] where the movie ends before the onset, the duration is 0, a luminance is not finite, or the movie is
/// empty or larger than memory.
pub fn pulse(size: Size, pulse: &Pulse) -> Result<Array5<f32>, Error> {
    const ITEM: &str = "pulse";
    let &Pulse { onset, duration, amplitude, baseline } = pulse;
    finite(ITEM, "amplitude", amplitude)?;
    finite(ITEM, "baseline", baseline)?;
    finite(ITEM, "amplitude", baseline + amplitude)?;
    let value = format!("{onset} in a movie of {} frames", size.frames);
    in_range(ITEM, "onset", value, size.frames == 0 || onset < size.frames, "a frame of the movie")?;
    in_range(ITEM, "duration", 0, duration != Some(0), "at least 1 frame")?;
    let end = duration.map_or(usize::MAX, |frames| onset.saturating_add(frames));
    size.movie(ITEM, |t, frame| {
        frame.fill(if (onset..end).contains(&t) { baseline + amplitude } else { baseline });
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_and_ends_on_the_frame() {
        let parameters = Pulse { onset: 3, duration: Some(2), amplitude: -0.5, baseline: 2.0 };
        let movie = pulse(Size::new(7, 2, 3), &parameters).expect("good");
        let values: Vec<f32> = (0..7).map(|t| movie[[0, 0, t, 1, 2]]).collect();
        assert_eq!(values, [2.0, 2.0, 2.0, 1.5, 1.5, 2.0, 2.0], "a dip of two frames");
        let long = Pulse { onset: 6, duration: Some(usize::MAX), ..Pulse::default() };
        assert_eq!(pulse(Size::new(7, 1, 1), &long).expect("good").sum(), 1.0, "to the end");
    }

    #[test]
    fn bad_parameters_are_named() {
        let good = Pulse::default();
        for (name, bad) in [
            ("amplitude", Pulse { amplitude: f32::NAN, ..good }),
            ("amplitude", Pulse { amplitude: f32::MAX, baseline: f32::MAX, ..good }),
            ("baseline", Pulse { baseline: f32::INFINITY, ..good }),
            ("onset is 10 in a movie of 2 frames", good),
            ("onset is 2 in a movie of 2 frames", Pulse { onset: 2, ..good }),
            ("duration", Pulse { onset: 0, duration: Some(0), ..good }),
        ] {
            let error = pulse(Size::new(2, 2, 2), &bad).expect_err(name).to_string();
            assert!(error.contains(name), "{error} names {name}");
        }
    }
}
