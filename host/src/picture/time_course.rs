//! The samples of a pixel over time, in bounded memory: of neighbouring samples, the lowest and the highest are kept.
//!
//! Up to 4096 samples are kept individually. After that, four neighbours are reduced to two, their lowest and highest in the
//! original order, and each value covers twice the time; and so on. No peak is lost.

use super::traces::Series;

/// The largest number of values kept.
const MOST: usize = 4096;

/// A time course that grows sample by sample.
///
/// ```
/// use foveola::picture::TimeCourse;
///
/// let mut course = TimeCourse::default();
/// for t in 0..100_000 {
///     course.push(if t == 54_321 { 1.0 } else { 0.0 });
/// }
/// let series = course.series("output", 0.0, 1e-3);
/// assert!(series.values.len() <= 4096 && series.values.contains(&1.0));
/// assert_eq!((series.dt, series.values.len()), (0.032, 3126)); // 32 frames for each value
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TimeCourse {
    values: Vec<f32>,
    /// Frames per value.
    span: usize,
    /// The next pair of values so far: the number of samples, and the lowest and the highest in order.
    begun: usize,
    pair: [f32; 2],
}

impl Default for TimeCourse {
    fn default() -> Self {
        Self { values: Vec::new(), span: 1, begun: 0, pair: [0.0; 2] }
    }
}

impl TimeCourse {
    /// Adds a sample.
    pub fn push(&mut self, sample: f32) {
        if self.values.len() == MOST {
            self.values = self.values.as_chunks::<4>().0.iter().flat_map(|four| extremes(four)).collect();
            self.span *= 2;
        }
        if self.span == 1 {
            return self.values.push(sample);
        }
        let [first, second] = self.pair;
        self.pair = if self.begun == 0 { [sample; 2] } else { extremes(&[first, second, sample]) };
        self.begun += 1;
        if self.begun == 2 * self.span {
            self.values.extend(self.pair);
            self.begun = 0;
        }
    }

    /// The samples so far. The first one is at `start` seconds; successive samples are `dt` seconds apart.
    pub fn series(&self, name: impl Into<String>, start: f64, dt: f64) -> Series {
        let open = if self.begun > 0 { &self.pair[..] } else { &[] };
        Series { start, ..Series::new(name, dt * self.span as f64, [&self.values, open].concat()) }
    }
}

/// The lowest and the highest of some values, in their order; a NaN is one of them.
fn extremes(values: &[f32]) -> [f32; 2] {
    let place = |better: fn(&f32, &f32) -> bool| {
        (0..values.len()).fold(0, |best, i| if better(&values[i], &values[best]) { i } else { best })
    };
    let low = place(|a, b| a.total_cmp(b).is_lt());
    let high = place(|a, b| a.total_cmp(b).is_gt());
    [values[low.min(high)], values[low.max(high)]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(samples: impl IntoIterator<Item = f32>) -> Series {
        let mut course = TimeCourse::default();
        samples.into_iter().for_each(|sample| course.push(sample));
        course.series("s", 1.0, 0.5)
    }

    #[test]
    fn few_samples_stand_for_themselves() {
        let samples: Vec<f32> = (0..MOST).map(|t| t as f32).collect();
        let found = course(samples.clone());
        assert_eq!((found.start, found.dt, found.values), (1.0, 0.5, samples));
        assert!(course([]).values.is_empty(), "no sample");
    }

    #[test]
    fn peaks_stay_where_they_are() {
        for count in [5_000, 8_192, 50_001, 1_000_000] {
            for peak in [0, 1, 4_095, 4_096, count / 3, count - 1] {
                for sign in [1.0, -1.0] {
                    let found = course((0..count).map(|t| if t == peak { sign } else { 0.0 }));
                    assert!(found.values.len() <= MOST + 2, "{count} samples: {} values", found.values.len());
                    let at = found.values.iter().position(|value| *value == sign).expect("the peak");
                    let apart = (at as f64 * found.dt - 0.5 * peak as f64).abs();
                    assert!(apart <= 2.0 * found.dt, "{peak} of {count}: off by {apart} s");
                    assert_eq!(found.values.iter().filter(|value| **value != 0.0).count(), 1, "{peak} of {count}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_a_number_leaves_its_mark() {
        let found = course((0..20_000).map(|t| if t == 7_000 { f32::NAN } else { 1.0 }));
        assert_eq!(found.values.iter().filter(|value| value.is_nan()).count(), 1);
    }
}
