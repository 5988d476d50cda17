//! Event-triggered average: the mean events of an event camera before a spike, without frames.
//!
//! ```text
//! average[i, k, p] = (events of i at p from (k+1) dt, excluded, to k dt before each spike) / spikes - mean
//! ```
//! `i` is the channel of the polarity; an OFF event of a signed channel counts -1. Delays are measured from each spike, not
//! from the edges of frames. `mean` is the number of events per `dt` at the pixel and channel over the whole recording.
//! Spikes in the first `taps dt` of the recording are not used, since their past is not known.
//!
//! Cost: for each spike, one addition per event in the `taps dt` before it. Memory: these events, 24 bytes each, and the
//! averages.

use super::spikes::check_place;
use crate::error::in_range;
use crate::{Error, Result, memory};
use foveola_core::events::{Event, Geometry, Polarity};
use ndarray::{Array5, Axis};
use std::collections::VecDeque;
use std::ops::Range;

const ITEM: &str = "event_triggered_average";

/// A recording of events, and the kernels that are estimated from it: see [`event_triggered_average`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventStudy {
    /// The sensor.
    pub geometry: Geometry,
    /// Two channels (ON, OFF) or one (signed).
    pub polarity: Polarity,
    /// The begin and the end of the recording in microseconds; the end is excluded.
    pub span: Range<u64>,
    /// The number of taps, 1 or more.
    pub taps: usize,
    /// Microseconds of a tap, 1 or more.
    pub dt: u64,
}

/// The event-triggered average of each neuron: impulse responses `(neuron, channel, time, row, col)` in events per tap,
/// for models whose input are [`Frames`](crate::Frames) of `dt`. The equation is given [above](self).
///
/// `events` are in the order of time. `neurons` are the times of each neuron's spikes in microseconds, in any order.
///
/// ```
/// use foveola::fit::direct::{EventStudy, event_triggered_average};
/// use foveola::{Geometry, Polarity};
/// use foveola_core::events::Event;
/// // An event every 10 ms, and a spike 2.5 ms after it.
/// let events = (0..100).map(|i| Ok(Event { t: i * 10_000, x: 1, y: 0, on: true }));
/// let spikes: Vec<u64> = (1..100).map(|i| i * 10_000 + 2_500).collect();
/// let study = EventStudy {
///     geometry: Geometry { cols: 4, rows: 3 },
///     polarity: Polarity::Signed,
///     span: 0..1_000_000,
///     taps: 5,
///     dt: 1_000,
/// };
/// let kernels = event_triggered_average(events, &[spikes], &study)?;
/// assert_eq!(kernels.dim(), (1, 1, 5, 3, 4));
/// let pixel = kernels.slice(ndarray::s![0, 0, .., 3 - 1 - 0, 4 - 1 - 1]); // rows and columns are mirrored
/// assert_eq!(pixel.to_vec(), [-0.1, -0.1, 0.9, -0.1, -0.1]); // the mean is 0.1 events per tap
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// A geometry without pixels; `taps` or `dt` of 0; an empty span; an event or a spike outside the span, or an event
/// outside the geometry; an event before the last one; a neuron without a spike after the first `taps dt`; the errors
/// of `events`.
pub fn event_triggered_average(
    events: impl IntoIterator<Item = Result<Event>>,
    neurons: &[impl AsRef<[u64]>],
    study: &EventStudy,
) -> Result<Array5<f32>> {
    let mut average = Average::new(neurons, study)?;
    let (pixels, mut last) = (study.geometry.rows * study.geometry.cols, study.span.start);
    for event in events {
        let event = event?;
        check_place(ITEM, &event, study.geometry)?;
        study.check_time("event time", event.t)?;
        if event.t < last {
            let value = format!("{} us after one of {last} us", event.t);
            return Err(Error::Parameter {
                item: ITEM,
                name: "event time",
                value,
                expected: "events in the order of time",
            });
        }
        last = event.t;
        // An event at the time of a spike has no delay.
        average.spikes_before(event.t);
        average.forget(event.t);
        let pixel = usize::from(event.y) * study.geometry.cols + usize::from(event.x);
        let (sample, sign) = match (study.polarity, event.on) {
            (Polarity::Split, false) => (pixels + pixel, 1.0),
            (_, false) => (pixel, -1.0),
            (_, true) => (pixel, 1.0),
        };
        average.totals[sample] += f64::from(sign);
        average.past.push_back(Past { t: event.t, sample, sign });
    }
    average.spikes_before(u64::MAX);
    Ok(average.finish())
}

impl EventStudy {
    fn check_time(&self, name: &'static str, t: u64) -> Result<()> {
        if self.span.contains(&t) {
            return Ok(());
        }
        let value = format!("{t} us in a recording from {} us to {} us", self.span.start, self.span.end);
        Err(Error::Parameter { item: ITEM, name, value, expected: "times within the recording" })
    }

    /// Microseconds of all taps.
    fn length(&self) -> u64 {
        self.dt.saturating_mul(self.taps as u64)
    }

    fn channels(&self) -> usize {
        match self.polarity {
            Polarity::Split => 2,
            _ => 1,
        }
    }
}

/// An event that spikes may still follow.
struct Past {
    t: u64,
    /// Channel, row and column as one index.
    sample: usize,
    sign: f32,
}

struct Average<'s> {
    study: &'s EventStudy,
    /// Times and neurons of the spikes that are to come, the next one last.
    spikes: Vec<(u64, usize)>,
    /// Number of spikes of each neuron.
    used: Vec<f64>,
    past: VecDeque<Past>,
    /// Events of each sample.
    totals: Vec<f64>,
    sums: Array5<f32>,
}

impl<'s> Average<'s> {
    fn new(neurons: &[impl AsRef<[u64]>], study: &'s EventStudy) -> Result<Self> {
        let EventStudy { geometry: Geometry { cols, rows }, taps, dt, ref span, .. } = *study;
        let pixels = rows.saturating_mul(cols);
        let size = || format!("{cols} x {rows} pixels (columns x rows)");
        in_range(ITEM, "geometry", size(), (1..=crate::MOST_PIXELS).contains(&pixels), "from 1 to 2^26 pixels")?;
        in_range(ITEM, "taps", taps, taps > 0, "1 or more")?;
        in_range(ITEM, "dt", dt, dt > 0, "1 us or more")?;
        in_range(ITEM, "span", format!("{span:?}"), !span.is_empty(), "an end after the begin")?;
        let (mut spikes, mut used) = (Vec::new(), Vec::new());
        let first = span.start.saturating_add(study.length());
        for (n, times) in neurons.iter().enumerate() {
            times.as_ref().iter().try_for_each(|t| study.check_time("spike time", *t))?;
            let before = spikes.len();
            spikes.extend(times.as_ref().iter().filter(|t| **t >= first).map(|t| (*t, n)));
            if spikes.len() == before {
                let value = format!("{} of neuron {n}, none at {first} us or later", times.as_ref().len());
                let expected = "at least one spike after the first taps x dt of the recording";
                return Err(Error::Parameter { item: ITEM, name: "spikes", value, expected });
            }
            used.push((spikes.len() - before) as f64);
        }
        spikes.sort_unstable_by(|a, b| b.cmp(a));
        let channels = study.channels();
        let sums = memory::array("the event-triggered averages", [neurons.len(), channels, taps, rows, cols])?;
        Ok(Self { study, spikes, used, past: VecDeque::new(), totals: vec![0.0; channels * pixels], sums })
    }

    /// Adds the events before each spike that comes before `t`.
    fn spikes_before(&mut self, t: u64) {
        let (_, _, taps, rows, cols) = self.sums.dim();
        while let Some((spike, n)) = self.spikes.pop_if(|(spike, _)| *spike < t) {
            self.forget(spike);
            for past in &self.past {
                let tap = ((spike - past.t) / self.study.dt) as usize;
                debug_assert!(tap < taps, "longer delays are forgotten");
                let (channel, pixel) = (past.sample / (rows * cols), past.sample % (rows * cols));
                let (row, col) = (rows - 1 - pixel / cols, cols - 1 - pixel % cols);
                self.sums[(n, channel, tap, row, col)] += past.sign;
            }
        }
    }

    /// Removes the events that are too old for a spike at `t`.
    fn forget(&mut self, t: u64) {
        let length = self.study.length();
        while self.past.pop_front_if(|past| t - past.t >= length).is_some() {}
    }

    fn finish(mut self) -> Array5<f32> {
        let span = (self.study.span.end - self.study.span.start) as f64;
        let (_, _, _, rows, cols) = self.sums.dim();
        for (mut kernel, used) in self.sums.axis_iter_mut(Axis(0)).zip(&self.used) {
            for ((channel, _, row, col), sum) in kernel.indexed_iter_mut() {
                let sample = (channel * rows + rows - 1 - row) * cols + cols - 1 - col;
                let mean = self.totals[sample] / span * self.study.dt as f64;
                *sum = (f64::from(*sum) / used - mean) as f32;
            }
        }
        self.sums
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Field, spike_triggered_average};
    use super::*;
    use crate::stimuli::samples::{generator, index_below};
    use ndarray::{Array2, Array4};

    const GEOMETRY: Geometry = Geometry { cols: 4, rows: 3 };

    fn events(seed: u64, count: usize, end: u64) -> Vec<Event> {
        let mut random = generator(seed);
        let mut below = |len: usize| index_below(&mut random, len);
        let mut events: Vec<Event> = (0..count)
            .map(|_| Event { t: below(end as usize) as u64, x: below(4) as u16, y: below(3) as u16, on: below(2) == 0 })
            .collect();
        events.sort_by_key(|event| event.t);
        events
    }

    fn study(polarity: Polarity) -> EventStudy {
        EventStudy { geometry: GEOMETRY, polarity, span: 1_000..21_000, taps: 5, dt: 100 }
    }

    /// Spikes at the end of a frame: the average of the frames of counts, but for their mean, which is that of all frames.
    #[test]
    fn averages_equal_those_of_frames() {
        let events: Vec<Event> = events(1, 3_000, 20_000).into_iter().map(|e| Event { t: e.t + 1_000, ..e }).collect();
        let frames = [7, 3, 12, 40, 41, 120, 199]; // 3: too early
        let spikes: Vec<u64> = frames.iter().map(|t| 1_000 + t * 100 + 99).collect();
        let others = vec![20_999];
        for (polarity, channels) in [(Polarity::Split, 2), (Polarity::Signed, 1)] {
            let mut movie = Array4::<f32>::zeros((channels, 200, 3, 4));
            for event in &events {
                let (channel, sign) = match (polarity, event.on) {
                    (Polarity::Split, on) => (usize::from(!on), 1.0),
                    (_, on) => (0, if on { 1.0 } else { -1.0 }),
                };
                movie[(channel, (event.t as usize - 1_000) / 100, usize::from(event.y), usize::from(event.x))] += sign;
            }
            let counts = Array2::from_shape_fn((200, 2), |(t, n)| match n {
                0 => f32::from(u8::from(frames.contains(&(t as u64)))),
                _ => f32::from(u8::from(t == 199)),
            });
            let expected = spike_triggered_average(&movie, counts.view(), Field::frame(5)).expect("an average");
            let found = event_triggered_average(
                events.iter().map(|e| Ok(*e)),
                &[spikes.clone(), others.clone()],
                &study(polarity),
            )
            .expect("an average");
            for (n, i, k, r, c) in ndarray::indices_of(&found) {
                let pixel = movie.slice(ndarray::s![i, .., 2 - r, 3 - c]);
                let shift =
                    pixel.slice(ndarray::s![4 - k..200 - k]).mean().expect("a mean") - pixel.mean().expect("a mean");
                let difference = found[(n, i, k, r, c)] - expected[(n, i, k, r, c)] - shift;
                assert!(difference.abs() < 1e-5, "{difference} at {n} {i} {k} {r} {c}");
            }
        }
    }

    #[test]
    fn delays_begin_at_the_spike() {
        let event = |t, on| Ok(Event { t, x: 0, y: 0, on });
        // Delays of 500 (too old), 499, 100, 99 and 0, and one after the spike.
        let all = [1_500, 1_501, 1_900, 1_901, 2_000, 2_001].map(|t| event(t, true));
        let kernel = event_triggered_average(all, &[[2_000]], &study(Polarity::Signed)).expect("an average");
        let mean = 6.0 / 200.0;
        let found: Vec<f32> = kernel.slice(ndarray::s![0, 0, .., 2, 3]).iter().map(|w| w + mean).collect();
        let expected = [2.0, 1.0, 0.0, 0.0, 1.0];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
    }

    #[test]
    fn bad_input_is_named() {
        let event = |t, x| Ok(Event { t, x, y: 0, on: true });
        let study = study(Polarity::Split);
        let error = |events: Vec<Result<Event>>, spikes: Vec<u64>, study: &EventStudy| {
            event_triggered_average(events, &[vec![5_000], spikes], study).expect_err("bad input").to_string()
        };
        let good = || vec![event(2_000, 0)];
        for (events, spikes, name) in [
            (vec![event(999, 0)], vec![5_000], "event time is 999 us"),
            (vec![event(21_000, 0)], vec![5_000], "event time is 21000 us"),
            (vec![event(3_000, 0), event(2_999, 0)], vec![5_000], "2999 us after one of 3000 us"),
            (vec![event(3_000, 4)], vec![5_000], "column 4"),
            (good(), vec![999], "spike time is 999 us"),
            (good(), vec![21_000], "spike time is 21000 us"),
            (good(), vec![], "0 of neuron 1"),
            (good(), vec![1_499], "1 of neuron 1, none at 1500 us"),
            (vec![Err(Error::NoSavedState)], vec![5_000], "pop_state"),
        ] {
            let error = error(events, spikes, &study);
            assert!(error.contains(name), "{error}");
        }
        for (changed, name) in [
            (EventStudy { taps: 0, ..study.clone() }, "taps"),
            (EventStudy { dt: 0, ..study.clone() }, "dt"),
            (EventStudy { span: 5..5, ..study.clone() }, "span"),
            (EventStudy { geometry: Geometry { cols: 0, rows: 3 }, ..study.clone() }, "geometry"),
            (EventStudy { taps: usize::MAX, ..study.clone() }, "spikes"),
        ] {
            assert!(error(good(), vec![5_000], &changed).contains(name), "{name}");
        }
    }
}
