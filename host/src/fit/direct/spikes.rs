//! Spikes counted in the frames of a stimulus.
//!
//! ```text
//! counts[t, n] = number of spikes of neuron n from t / rate to (t + 1) / rate
//! ```
//! A spike at the edge of two frames belongs to the later one.

use crate::error::in_range;
use crate::{Error, Result, memory};
use foveola_core::events::{Event, Geometry};
use ndarray::Array2;

/// The share of a frame by which a spike's time may fall short of the frame's begin: more than the rounding of a time in
/// seconds, `0.29 s x 100 / s = 28.999999999999996`.
const ROUNDING: f64 = 1e-6;

/// Counts `(time, neuron)` from the times of each neuron's spikes.
///
/// Times are in seconds since the begin of frame 0, in any order; `rate` is in frames per second. A time less than a
/// millionth of a frame before the next frame is counted there.
///
/// ```
/// use foveola::fit::direct::counts_of_times;
/// let counts = counts_of_times(&[vec![0.01, 0.29, 0.295], vec![]], 30, 100.0)?;
/// assert_eq!((counts[(1, 0)], counts[(29, 0)], counts.sum()), (1.0, 2.0, 3.0));
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// A time before frame 0, at or after the end of the last frame, or not finite; a rate that is not a finite number above 0.
pub fn counts_of_times(neurons: &[impl AsRef<[f64]>], frames: usize, rate: f64) -> Result<Array2<f32>> {
    const ITEM: &str = "counts_of_times";
    in_range(ITEM, "rate", rate, rate > 0.0 && rate.is_finite(), "a finite number of frames per second above 0")?;
    let mut counts = counts(frames, neurons.len())?;
    for (n, times) in neurons.iter().enumerate() {
        for time in times.as_ref() {
            let place = (time * rate + ROUNDING).floor();
            // Also refuses NaN.
            if !(*time >= 0.0 && place < frames as f64) {
                let end = frames as f64 / rate;
                let value = format!("{time} s (neuron {n}) in a recording of {frames} frames, {end} s");
                let expected = "times from 0 to before the end of the recording";
                return Err(Error::Parameter { item: ITEM, name: "spike time", value, expected });
            }
            counts[(place as usize, n)] += 1.0;
        }
    }
    Ok(counts)
}

/// Counts `(time, neuron)` from events: a spike of neuron `y cols + x` at each event, of either polarity and in any order.
///
/// Frame `t` lasts from `start + t dt` to `start + (t + 1) dt`, in microseconds of the recording's time.
///
/// ```
/// use foveola::Geometry;
/// use foveola::fit::direct::counts_of_events;
/// use foveola_core::events::Event;
/// let spikes = [5_000, 5_900, 6_000].map(|t| Ok(Event { t, x: 2, y: 1, on: true }));
/// let counts = counts_of_events(spikes, Geometry { cols: 4, rows: 2 }, 5_000, 1_000, 3)?;
/// assert_eq!(counts.column(1 * 4 + 2).to_vec(), [2.0, 1.0, 0.0]);
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// An event before or after the frames, or outside the geometry; a `dt` of 0; the errors of `events`.
pub fn counts_of_events(
    events: impl IntoIterator<Item = Result<Event>>,
    geometry: Geometry,
    start: u64,
    dt: u64,
    frames: usize,
) -> Result<Array2<f32>> {
    const ITEM: &str = "counts_of_events";
    in_range(ITEM, "dt", dt, dt > 0, "1 us or more")?;
    let mut counts = counts(frames, geometry.rows.saturating_mul(geometry.cols))?;
    for event in events {
        let event = event?;
        check_place(ITEM, &event, geometry)?;
        let place = event.t.checked_sub(start).map(|t| t / dt).filter(|place| *place < frames as u64);
        let Some(place) = place else {
            let value = format!("{} us, beside {frames} frames of {dt} us from {start} us on", event.t);
            let expected = "times within the frames";
            return Err(Error::Parameter { item: ITEM, name: "event time", value, expected });
        };
        counts[(place as usize, usize::from(event.y) * geometry.cols + usize::from(event.x))] += 1.0;
    }
    Ok(counts)
}

/// Returns an error for an event outside the geometry.
pub(super) fn check_place(item: &'static str, event: &Event, geometry: Geometry) -> Result<()> {
    if geometry.contains(event) {
        return Ok(());
    }
    let (Event { t, x, y, .. }, Geometry { cols, rows }) = (event, geometry);
    let value = format!("column {x}, row {y} (at {t} us) in a geometry of {cols} columns and {rows} rows");
    Err(Error::Parameter { item, name: "event", value, expected: "events within the geometry" })
}

/// Zeros.
fn counts(frames: usize, neurons: usize) -> Result<Array2<f32>> {
    let (what, samples) = ("the counts", frames.saturating_mul(neurons));
    Array2::from_shape_vec((frames, neurons), memory::zeros(what, samples)?)
        .map_err(|_| Error::Memory { what, samples })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_fall_into_their_frames() {
        // Multiples of a frame, some of whose products with the rate are rounded down.
        let times: Vec<f64> = (0..100).map(|t| f64::from(t) / 100.0).collect();
        let counts = counts_of_times(&[times], 100, 100.0).expect("times");
        assert!(counts.iter().all(|count| *count == 1.0), "{counts}");
    }

    #[test]
    fn times_outside_are_refused() {
        for time in [-0.001, 0.3, 1e300, f64::NAN, f64::INFINITY] {
            let error = counts_of_times(&[vec![], vec![0.1, time]], 30, 100.0).expect_err("outside").to_string();
            assert!(error.contains(&format!("{time} s (neuron 1)")) && error.contains("30 frames"), "{error}");
        }
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(counts_of_times(&[[0.0]], 30, rate).is_err(), "{rate}");
        }
    }

    #[test]
    fn events_outside_are_refused() {
        let geometry = Geometry { cols: 4, rows: 2 };
        let count = |t, x, y, dt| counts_of_events([Ok(Event { t, x, y, on: false })], geometry, 50, dt, 3);
        assert_eq!(count(79, 3, 1, 10).expect("the last place")[(2, 7)], 1.0);
        for (t, x, y, dt, name) in [
            (49, 0, 0, 10, "49 us"),
            (80, 0, 0, 10, "80 us"),
            (60, 4, 0, 10, "column 4"),
            (60, 0, 2, 10, "row 2"),
            (60, 0, 0, 0, "dt is 0"),
        ] {
            let error = count(t, x, y, dt).expect_err("outside").to_string();
            assert!(error.contains(name), "{error}");
        }
        let failed = Error::NoSavedState;
        assert!(counts_of_events([Err(failed)], geometry, 0, 1, 1).is_err(), "an error of the recording");
    }
}
