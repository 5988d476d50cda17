//! Spike-triggered covariance: the axes along which the variance of the stimulus changes before a spike.
//!
//! ```text
//! change = sum_t y[t] s[t] s[t]' / sum_t y[t]  -  sum_t s[t] s[t]' / T            t = taps-1 .. T-1
//! s[t] = (x[t], x[t-1], ...) without its mean and without its component along the spike-triggered average
//! ```
//! An eigenvector whose eigenvalue is above 0 is an excitatory axis (the neuron spikes at large values of either sign); one
//! below 0 is a suppressive axis. The eigenvalues have the unit of the stimulus' variance. The stimulus should be white and
//! Gaussian: then a neuron that reads a few axes changes the variance within these alone. Where the average is only
//! noise, as for a neuron that responds to both contrasts alike, its projection removes a random part of the axes as
//! well.
//!
//! Which eigenvalues are more than chance is told by shifting the responses: the frames after the first `taps - 1` are
//! rotated by a random number of frames, `taps` at least in both directions, and everything is computed anew. The
//! p-value of an eigenvalue above 0 is `(1 + n) / (1 + shifts)`, with `n` shifts whose largest eigenvalue reaches it;
//! below 0 the same with the smallest ones. These p-values hold for all axes together (each is compared with the
//! extreme of all), and are conservative for all but the first.
//!
//! - Cost for `width = channels x taps x rows x cols`, in multiply-adds: `width^2 T / taps` once, about `5 width^3` once,
//!   and for each shift `width^2 / 2` per frame with a spike and `width^3`. Memory: five times `width^2` numbers of 8
//!   bytes.
//! - The same seed gives the same p-values.
//! - References: O. Schwartz and others 2006, Spike-triggered neural characterization, doi:10.1167/6.4.13; N. C. Rust
//!   and others 2005, doi:10.1016/j.neuron.2005.05.021.

use super::Field;
use super::design::{Design, Responses};
use super::linear::{self, Eigen, reflect, reflector};
use super::normal::{check_width, gram, weighted_gram};
use crate::fit::matrix::dot;
use crate::stimuli::samples::{generator, index_below};
use crate::{Error, Movie, Result};
use ndarray::{Array4, Array5, ArrayView1, Axis};

const ITEM: &str = "spike_triggered_covariance";

/// The axes of one neuron: see [`spike_triggered_covariance`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SpikeTriggeredCovariance {
    /// The spike-triggered average `(channel, time, row, col)`, which is not part of the axes.
    pub average: Array4<f32>,
    /// The changes of the variance, the largest first: one fewer than weights.
    pub values: Vec<f64>,
    /// The axes `(axis, channel, time, row, col)` in the same order: impulse responses of unit length, at right angles to
    /// each other and to the average. The largest weight of each is positive.
    pub axes: Array5<f32>,
    /// The p-value of each axis; 1 without shifts.
    pub p_values: Vec<f64>,
}

impl SpikeTriggeredCovariance {
    /// The indices of the axes whose p-value is at most `level`, such as 0.05.
    #[must_use]
    pub fn significant(&self, level: f64) -> Vec<usize> {
        (0..self.values.len()).filter(|axis| self.p_values[*axis] <= level).collect()
    }
}

/// The spike-triggered covariance of one neuron; the equation is given [above](self), the axes
/// of the arrays in [`direct`](super).
///
/// `spikes` are counts or rates per frame. `shifts` is the number of shifts for the p-values, of which the smallest is
/// `1 / (1 + shifts)`; `seed` chooses them.
///
/// ```
/// use foveola::fit::direct::{Field, spike_triggered_covariance};
/// use foveola::kernels;
/// use ndarray::Array1;
/// let stimulus = kernels::noise(1, 1.0, &[2000, 1, 4])?;
/// // A neuron that spikes at either contrast of the pixel in column 1.
/// let spikes = Array1::from_shape_fn(2000, |t| f32::from(u8::from(stimulus[[t, 0, 1]].abs() > 1.5)));
/// let found = spike_triggered_covariance(&stimulus, spikes.view(), Field::frame(2), 50, 1)?;
/// assert_eq!(found.significant(0.05), [0]);
/// assert!(found.axes[(0, 0, 0, 0, 4 - 1 - 1)] > 0.95); // columns are mirrored
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// Those of [`spike_triggered_average`](super::spike_triggered_average); a constant response; a field of one weight, or of
/// more than 4096; with shifts, a recording of fewer than `3 taps - 1` frames.
pub fn spike_triggered_covariance<'a>(
    stimulus: impl Movie<'a>,
    spikes: ArrayView1<'_, f32>,
    field: Field,
    shifts: usize,
    seed: u64,
) -> Result<SpikeTriggeredCovariance> {
    let design = Design::new(ITEM, stimulus, field)?;
    check_width(ITEM, &design)?;
    let error = |name, value: String, expected| Err(Error::Parameter { item: ITEM, name, value, expected });
    if design.width() == 1 {
        return error("field", "a single weight".into(), "two or more: the average takes one");
    }
    let spikes = design.spikes(spikes.insert_axis(Axis(1)))?.swap_remove(0);
    if spikes.values.iter().all(|y| *y == spikes.values[0]) {
        let value = format!("{} in all frames from {} on", spikes.values[0], design.taps() - 1);
        return error("responses", value, "responses that change");
    }
    let (rows, taps) = (design.rows(), design.taps());
    if shifts > 0 && rows < 2 * taps {
        let value = format!("{shifts} in a recording of {} frames", rows + taps - 1);
        return error("shifts", value, "0, or a recording of 3 taps - 1 frames or more");
    }

    let means = design.means();
    let mut prior = gram(&design, &means)?;
    prior.iter_mut().for_each(|x| *x /= rows as f64);
    let study = Study { design, means, prior };
    let Axes { average, values, vectors } = study.axes(&spikes, true)?;

    let mut extremes = Vec::new();
    let mut random = generator(seed);
    for _ in 0..shifts {
        let mut shifted = spikes.values.clone();
        shifted.rotate_right(taps + index_below(&mut random, rows - 2 * taps + 1));
        let values = study.axes(&Responses::new(shifted), false)?.values;
        extremes.push((values[0], values[values.len() - 1]));
    }
    let p_value = |value: &f64| {
        let reached = |(largest, smallest): &&(f64, f64)| {
            if *value >= 0.0 { largest >= value } else { smallest <= value }
        };
        (1 + extremes.iter().filter(reached).count()) as f64 / (1 + shifts) as f64
    };
    let p_values = values.iter().map(p_value).collect();
    let axes = study.design.kernels(vectors.chunks_exact(study.means.len()))?;
    let average = study.design.kernels([&average[..]].into_iter())?.index_axis_move(Axis(0), 0);
    Ok(SpikeTriggeredCovariance { average, values, axes, p_values })
}

/// A stimulus, and what does not depend on the responses.
struct Study<'a> {
    design: Design<'a>,
    means: Vec<f64>,
    /// The covariance of the stimulus.
    prior: Vec<f64>,
}

/// The axes of one set of responses.
struct Axes {
    average: Vec<f64>,
    values: Vec<f64>,
    /// One row for each value; empty if not asked for.
    vectors: Vec<f64>,
}

impl Study<'_> {
    fn axes(&self, spikes: &Responses, with_vectors: bool) -> Result<Axes> {
        let width = self.means.len();
        let mut average = self.design.weighted_sum(spikes, &self.means);
        average.iter_mut().for_each(|x| *x /= spikes.sum);
        let mut change = weighted_gram(&self.design, &self.means, spikes)?;
        change.iter_mut().zip(&self.prior).for_each(|(c, prior)| *c = *c / spikes.sum - prior);

        // The reflection that turns the average into the first coordinate, which is then left out.
        let mut mirror = average.clone();
        reflector(&mut mirror);
        if !mirror.is_empty() {
            let mut q = linear::times(&change, &mirror);
            let along = dot(&mirror, &q);
            q.iter_mut().zip(&mirror).for_each(|(q, v)| *q = 2.0 * (*q - along * v));
            for ((row, vi), qi) in change.chunks_exact_mut(width).zip(&mirror).zip(&q) {
                for ((c, v), q) in row.iter_mut().zip(&mirror).zip(&q) {
                    *c -= vi * q + qi * v;
                }
            }
        }
        let rest: Vec<f64> = change.chunks_exact(width).skip(1).flat_map(|row| &row[1..]).copied().collect();
        drop(change);
        let found = linear::eigen(rest, width - 1, with_vectors).ok_or_else(|| Error::Parameter {
            item: ITEM,
            name: "stimulus",
            value: "so large that its squares overflow".into(),
            expected: "smaller samples",
        })?;
        let Eigen { values, vectors } = found;
        let full = vectors.chunks_exact(width - 1).flat_map(|vector| {
            let mut full = [&[0.0], vector].concat();
            if !mirror.is_empty() {
                reflect(&mut full, &mirror);
            }
            let largest = full.iter().fold(0.0_f64, |most, x| if x.abs() > most.abs() { *x } else { most });
            full.iter_mut().for_each(|x| *x *= 1.0_f64.copysign(largest));
            full
        });
        Ok(Axes { average, vectors: full.collect(), values })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::white;
    use super::*;
    use ndarray::{Array1, ArrayView4};

    /// Two spatial patterns at right angles, in quadrature, one frame ago.
    fn quadrature() -> [[f64; 6]; 2] {
        let pattern = |phase: f64| {
            let values: [f64; 6] =
                std::array::from_fn(|c| (std::f64::consts::TAU * c as f64 / 6.0 + phase).cos() / 3.0_f64.sqrt());
            values
        };
        [pattern(0.0), pattern(-std::f64::consts::FRAC_PI_2)]
    }

    /// `x[t]` along a pattern, one frame ago.
    fn along(stimulus: &Array4<f32>, t: usize, pattern: &[f64; 6]) -> f64 {
        (0..6).map(|c| pattern[c] * f64::from(stimulus[(0, t.saturating_sub(1), 0, c)])).sum()
    }

    /// A pattern as an impulse response of two taps.
    fn response(axis: ArrayView4<'_, f32>, pattern: &[f64; 6]) -> f64 {
        (0..6).map(|c| pattern[c] * f64::from(axis[(0, 1, 0, 5 - c)])).sum()
    }

    #[test]
    fn the_two_axes_of_an_energy_model_are_found() {
        let stimulus = white(1, [1, 20_000, 1, 6]);
        let [even, odd] = quadrature();
        let energy = |t: usize| along(&stimulus, t, &even).powi(2) + along(&stimulus, t, &odd).powi(2);
        let spikes = Array1::from_shape_fn(20_000, |t| f32::from(u8::from(energy(t) > 4.0)));
        let found = spike_triggered_covariance(&stimulus, spikes.view(), Field::frame(2), 40, 7).expect("axes");
        assert_eq!((found.values.len(), found.axes.dim()), (11, (11, 1, 2, 1, 6)));
        assert_eq!(found.significant(0.05), [0, 1], "{:?} {:?}", found.values, found.p_values);
        assert!(found.values[2..].iter().all(|value| value.abs() < 0.2), "{:?}", found.values);
        // The average is noise, of which a part lies in the plane of the patterns and is projected out.
        let average = found.average.view();
        let length = average.iter().map(|w| f64::from(w * w)).sum::<f64>().sqrt();
        let lost = (response(average, &even).hypot(response(average, &odd)) / length).powi(2);
        assert!(lost < 0.5, "{lost}");
        // E[r^2 | r^2 > 4] = 6 for two dimensions: 3 for each, 2 more than in the stimulus. 2,700 spikes: an error of 0.05 for
        // a value; noise of 1 / sqrt(2,700) in 9 other dimensions turns an axis by 0.04, whose cosine is 0.999.
        for (axis, left) in found.axes.outer_iter().zip([1.0, 1.0 - lost]) {
            let value = found.values[usize::from(left < 1.0)];
            assert!((value - 2.0 * left).abs() < 0.2, "{value} {left}");
            let share = response(axis, &even).hypot(response(axis, &odd));
            assert!((share - left.sqrt()).abs() < 0.01, "{share} {left}");
        }
    }

    #[test]
    fn the_average_is_projected_out_and_suppression_is_found() {
        let stimulus = white(2, [1, 20_000, 1, 6]);
        let [even, odd] = quadrature();
        // Spikes at bright even patterns without an odd one.
        let spikes = |t| along(&stimulus, t, &even) > 0.5 && along(&stimulus, t, &odd).abs() < 1.0;
        let spikes = Array1::from_shape_fn(20_000, |t| f32::from(u8::from(spikes(t))));
        let found = spike_triggered_covariance(&stimulus, spikes.view(), Field::frame(2), 20, 7).expect("axes");
        assert_eq!(found.significant(0.05), [10], "{:?}", found.p_values);
        assert!(response(found.average.view(), &even) > 1.0, "{}", response(found.average.view(), &even));
        assert!(response(found.axes.index_axis(Axis(0), 10), &odd).abs() > 0.98, "the odd pattern");
        // Unit vectors at right angles to each other and to the average.
        let size = found.average.iter().map(|w| w * w).sum::<f32>().sqrt();
        for (k, axis) in found.axes.outer_iter().enumerate() {
            assert!((&axis * &found.average).sum().abs() < 1e-5 * size, "axis {k} and the average");
            for (l, other) in found.axes.outer_iter().enumerate() {
                assert!(((&axis * &other).sum() - f32::from(u8::from(k == l))).abs() < 1e-5, "axes {k} and {l}");
            }
        }
    }

    /// The values are those of the matrix with the average projected out on both sides, along the axes.
    #[test]
    fn values_equal_the_equation() {
        let stimulus = white(3, [2, 60, 1, 2]);
        let spikes = Array1::from_shape_fn(60, |t| (t * t % 5) as f32);
        let found = spike_triggered_covariance(&stimulus, spikes.view(), Field::frame(3), 0, 0).expect("axes");
        let rows: Vec<Vec<f64>> = (2..60)
            .map(|t| {
                let row = found.average.indexed_iter();
                row.map(|((i, k, _, c), _)| f64::from(stimulus[(i, t - k, 0, 1 - c)])).collect()
            })
            .collect();
        let mean: Vec<f64> = (0..12).map(|j| rows.iter().map(|row| row[j]).sum::<f64>() / 58.0).collect();
        let total: f64 = spikes.iter().skip(2).map(|y| f64::from(*y)).sum();
        for (axis, value) in found.axes.outer_iter().zip(&found.values) {
            let squares: Vec<f64> = rows
                .iter()
                .map(|row| {
                    row.iter().zip(&mean).zip(axis).map(|((x, m), w)| (x - m) * f64::from(*w)).sum::<f64>().powi(2)
                })
                .collect();
            let spiked: f64 = squares.iter().zip(spikes.iter().skip(2)).map(|(s, y)| s * f64::from(*y)).sum();
            let change = spiked / total - squares.iter().sum::<f64>() / 58.0;
            assert!((change - value).abs() < 1e-5, "{change} {value}");
        }
        assert!(found.p_values.iter().all(|p| *p == 1.0), "no shifts");
    }

    /// Spikes that do not depend on the stimulus have no significant axis, with the same p-values for the same seed.
    #[test]
    fn independent_spikes_have_no_axes() {
        let stimulus = white(4, [1, 3000, 1, 4]);
        let spikes = white(5, [1, 3000, 1, 1]).mapv(|x| f32::from(u8::from(x > 1.0)));
        let spikes = Array1::from_iter(spikes);
        let find =
            |seed| spike_triggered_covariance(&stimulus, spikes.view(), Field::frame(3), 30, seed).expect("axes");
        let found = find(1);
        assert!(found.significant(0.04).is_empty(), "{:?}", found.p_values);
        assert_eq!(found.p_values, find(1).p_values);
        assert_ne!(found.p_values, find(2).p_values);
    }

    #[test]
    fn bad_input_is_named() {
        let stimulus = white(1, [1, 20, 1, 2]);
        let error = |spikes: &Array1<f32>, field, shifts| {
            spike_triggered_covariance(&stimulus, spikes.view(), field, shifts, 0).expect_err("bad input").to_string()
        };
        let spikes = Array1::from_shape_fn(20, |t| (t % 2) as f32);
        assert!(error(&Array1::ones(20), Field::frame(2), 1).contains("1 in all frames from 1 on"), "constant");
        assert!(error(&Array1::zeros(20), Field::frame(2), 1).contains("0 in all frames"), "silent");
        assert!(error(&spikes, Field::around(1, [0, 0], [1, 1]), 1).contains("a single weight"), "one weight");
        assert!(error(&spikes, Field::frame(8), 1).contains("shifts is 1 in a recording of 20 frames"), "shifts");
        assert!(error(&Array1::ones(19), Field::frame(2), 1).contains("19 frames"), "length");
    }
}
