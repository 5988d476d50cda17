//! Colours: the palette of the pages, colour maps, and the scale from samples to colours.
//!
//! A map is a few evenly spaced sRGB colours, interpolated in Oklab, a space in which equal steps look equal. Lightness
//! changes monotonically on each side, so that brightness represents the value. Reference: Ottosson 2020, A perceptual color
//! space for image processing, <https://bottosson.github.io/posts/oklab/>.

use super::ticks::round_up;
use ndarray::ArrayView2;

/// Red, green and blue of sRGB.
pub(super) type Rgb = [u8; 3];

/// The page background.
pub(super) const PAGE: Rgb = [0x0f, 0x11, 0x16];
/// Unobtrusive lines.
pub(super) const GRID: Rgb = [0x27, 0x2b, 0x34];
/// Notes and numbers.
pub(super) const MUTED: Rgb = [0x9a, 0xa2, 0xb1];
/// Names.
pub(super) const INK: Rgb = [0xec, 0xee, 0xf2];
/// A sample that is NaN or infinite.
pub(super) const NOT_FINITE: Rgb = [0x2b, 0xff, 0x6a];

/// Colours that can be distinguished with any colour vision, ordered by contrast on a dark page. Reference: Okabe and Ito
/// 2008, Color universal design, <https://jfly.uni-koeln.de/color/>.
pub(super) const OKABE_ITO: [Rgb; 8] = [
    [0x56, 0xb4, 0xe9],
    [0xe6, 0x9f, 0x00],
    [0x00, 0x9e, 0x73],
    [0xcc, 0x79, 0xa7],
    [0xf0, 0xe4, 0x42],
    [0xd5, 0x5e, 0x00],
    [0x00, 0x72, 0xb2],
    [0xc8, 0xcc, 0xd4],
];

/// A map from values to colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Map {
    /// Black to white: luminance.
    Gray,
    /// Dark violet over orange to cream: values from 0 upwards. The default for such data.
    Ember,
    /// Pale blue over blue to dark at 0, then red to pale yellow: values of both signs. The default for such data.
    Polar,
}

impl Map {
    /// The evenly spaced colours.
    fn stops(self) -> &'static [Rgb] {
        match self {
            Self::Gray => &[[0x08, 0x09, 0x0b], [0xff, 0xff, 0xff]],
            Self::Ember => &[
                [0x16, 0x12, 0x24],
                [0x46, 0x1c, 0x58],
                [0x8f, 0x2a, 0x62],
                [0xd0, 0x48, 0x4a],
                [0xf2, 0x83, 0x3c],
                [0xfb, 0xc0, 0x62],
                [0xff, 0xf6, 0xd8],
            ],
            Self::Polar => &[
                [0xd4, 0xf1, 0xff],
                [0x6c, 0xb8, 0xf5],
                [0x23, 0x68, 0xbd],
                [0x1a, 0x1c, 0x24],
                [0xb8, 0x3b, 0x2b],
                [0xf5, 0x91, 0x49],
                [0xff, 0xea, 0xbf],
            ],
        }
    }

    /// `count` colours from the lowest to the highest value.
    pub(super) fn colors(self, count: usize) -> Vec<Rgb> {
        let stops: Vec<[f64; 3]> = self.stops().iter().map(|&color| oklab(color)).collect();
        (0..count)
            .map(|index| {
                let place = index as f64 / (count.max(2) - 1) as f64 * (stops.len() - 1) as f64;
                let left = (place as usize).min(stops.len() - 2);
                let share = place - left as f64;
                let mix = |axis: usize| {
                    let (a, b) = (stops[left][axis], stops[left + 1][axis]);
                    a + (b - a) * share
                };
                srgb([mix(0), mix(1), mix(2)])
            })
            .collect()
    }
}

/// The value range of a stage and its colours.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    /// Value of the first colour.
    pub(super) low: f64,
    /// Value of the last colour, above `low`.
    pub(super) high: f64,
    /// Whether there are values below and above the range.
    pub(super) outside: (bool, bool),
    pub(super) map: Map,
}

/// The share of the non-zero samples that the automatic range shows without clipping.
const QUANTILE: f64 = 0.995;
/// The largest number of samples that the automatic range uses.
const LOOK_AT: usize = 1 << 16;

impl Scale {
    /// The scale for the samples of `frames`; map and range are automatic unless given.
    ///
    /// The range of signed data is symmetric about 0; that of other data starts at 0 (or at its minimum, if that is above
    /// half of its maximum). A few extreme samples do not darken the rest: the range ends at the 0.995 quantile of the
    /// non-zero samples, unless the maximum is hardly larger. The range of counts is twice the mean of the non-zero counts,
    /// so that typical counts have the middle colours.
    pub(super) fn of<'a>(
        frames: impl Iterator<Item = ArrayView2<'a, f32>> + Clone,
        map: Option<Map>,
        range: Option<(f32, f32)>,
        counts: bool,
    ) -> Self {
        let (mut min, mut max, mut count) = (f32::INFINITY, f32::NEG_INFINITY, 0);
        for frame in frames.clone() {
            count += frame.len();
            (min, max) = frame.iter().filter(|value| value.is_finite()).fold((min, max), |(min, max), &value| {
                (if value < min { value } else { min }, if value > max { value } else { max })
            });
        }
        let (min, max) = if min > max { (0.0, 0.0) } else { (f64::from(min), f64::from(max)) };
        let stride = count / LOOK_AT + 1;
        let sizes = || -> Vec<f32> {
            let some = frames.clone().flat_map(|frame| frame.into_iter().step_by(stride));
            some.map(|value| value.abs()).filter(|&value| value > 0.0 && value.is_finite()).collect()
        };
        let (low, high) = match range {
            Some((low, high)) => (f64::from(low), f64::from(high)),
            None if counts => {
                let sizes = sizes();
                let sum: f64 = sizes.iter().map(|&size| f64::from(size)).sum();
                let limit = (2.0 * sum / sizes.len().max(1) as f64).ceil().max(1.0);
                (if min < 0.0 || map == Some(Map::Polar) { -limit } else { 0.0 }, limit)
            }
            None => automatic(min, max, sizes()),
        };
        let map = map.unwrap_or(if low < 0.0 { Map::Polar } else { Map::Ember });
        let rounding = 1e-5 * (high - low);
        Self { low, high, outside: (min < low - rounding, max > high + rounding), map }
    }

    /// The index of a value's colour among `count` colours; none if the value is not finite.
    pub(super) fn index(&self, value: f32, count: usize) -> Option<usize> {
        if !value.is_finite() {
            return None;
        }
        let share = (f64::from(value) - self.low) / (self.high - self.low);
        // The conversion from float saturates at the range of the integer.
        Some(((share * count as f64).max(0.0) as usize).min(count - 1))
    }
}

/// The range of samples between `min` and `max`; `sizes` are the magnitudes of some non-zero samples.
fn automatic(min: f64, max: f64, mut sizes: Vec<f32>) -> (f64, f64) {
    let largest = max.max(-min);
    let mut limit = largest;
    if !sizes.is_empty() {
        let at = ((sizes.len() - 1) as f64 * QUANTILE).ceil() as usize;
        let (_, &mut quantile, _) = sizes.select_nth_unstable_by(at, f32::total_cmp);
        let quantile = f64::from(quantile);
        if largest > 1.25 * quantile {
            limit = quantile;
        }
    }
    let limit = if limit > 0.0 { round_up(limit) } else { 1.0 };
    if min < 0.0 {
        (-limit, limit)
    } else if min > 0.5 * max && min < max {
        (min, max)
    } else {
        (0.0, limit)
    }
}

/// Mixes `share` (0 to 1) of `over` into `under`.
pub(super) fn blend(under: Rgb, over: Rgb, share: f32) -> Rgb {
    let mix = |u: u8, o: u8| (f32::from(u) + (f32::from(o) - f32::from(u)) * share + 0.5) as u8;
    [mix(under[0], over[0]), mix(under[1], over[1]), mix(under[2], over[2])]
}

fn oklab(color: Rgb) -> [f64; 3] {
    let linear = color.map(|channel| {
        let value = f64::from(channel) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { libm::pow((value + 0.055) / 1.055, 2.4) }
    });
    let [r, g, b] = linear;
    let l = libm::cbrt(0.412_221_470_8 * r + 0.536_332_536_3 * g + 0.051_445_992_9 * b);
    let m = libm::cbrt(0.211_903_498_2 * r + 0.680_699_545_1 * g + 0.107_396_956_6 * b);
    let s = libm::cbrt(0.088_302_461_9 * r + 0.281_718_837_6 * g + 0.629_978_700_5 * b);
    [
        0.210_454_255_3 * l + 0.793_617_785_0 * m - 0.004_072_046_8 * s,
        1.977_998_495_1 * l - 2.428_592_205_0 * m + 0.450_593_709_9 * s,
        0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766_0 * s,
    ]
}

fn srgb([lightness, a, b]: [f64; 3]) -> Rgb {
    let cube = |value: f64| value * value * value;
    let l = cube(lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b);
    let m = cube(lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b);
    let s = cube(lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b);
    let linear = [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
    ];
    linear.map(|value| {
        let value = if value <= 0.003_130_8 { 12.92 * value } else { 1.055 * libm::pow(value, 1.0 / 2.4) - 0.055 };
        (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    fn scale(frame: &Array2<f32>) -> Scale {
        Scale::of(core::iter::once(frame.view()), None, None, false)
    }

    #[test]
    fn maps_hit_their_ends_and_brighten_steadily() {
        for map in [Map::Gray, Map::Ember, Map::Polar] {
            let colors = map.colors(255);
            assert_eq!(colors.first(), map.stops().first(), "{map:?} starts");
            assert_eq!(colors.last(), map.stops().last(), "{map:?} ends");
            let lightness: Vec<f64> = colors.iter().map(|&color| oklab(color)[0]).collect();
            let upper = if map == Map::Polar { &lightness[127..] } else { &lightness };
            assert!(upper.windows(2).all(|pair| pair[1] > pair[0] - 0.004), "{map:?} brightens");
            assert!(!colors.contains(&NOT_FINITE), "{map:?} keeps the colour of what is not finite free");
        }
        let polar = Map::Polar.colors(255);
        for step in 0..128 {
            let (a, b) = (oklab(polar[127 - step])[0], oklab(polar[127 + step])[0]);
            assert!((a - b).abs() < 0.05, "both signs are as bright: {a} {b} at {step}");
        }
    }

    #[test]
    fn signed_data_is_symmetric() {
        let found = scale(&array![[-0.5, 2.0, 0.0]]);
        assert_eq!((found.low, found.high, found.map), (-2.0, 2.0, Map::Polar), "about 0");
        assert_eq!(found.index(0.0, 255), Some(127), "0 is the middle");
        assert_eq!(found.index(-9.0, 255), Some(0), "cut");
        assert_eq!(found.index(9.0, 255), Some(254), "cut");
    }

    #[test]
    fn ranges_of_awkward_data() {
        let cases: [(Array2<f32>, (f64, f64)); 8] = [
            (Array2::zeros((3, 3)), (0.0, 1.0)),
            (Array2::from_elem((3, 3), 7.0), (0.0, 7.0)),
            (Array2::from_elem((3, 3), -7.0), (-7.0, 7.0)),
            (Array2::from_elem((3, 3), f32::NAN), (0.0, 1.0)),
            (array![[f32::INFINITY, 3.0, f32::NEG_INFINITY]], (0.0, 3.0)),
            (array![[100.0, 101.0]], (100.0, 101.0)),
            (array![[0.0, 0.0347]], (0.0, 0.035)),
            (Array2::zeros((0, 3)), (0.0, 1.0)),
        ];
        for (frame, range) in cases {
            let found = scale(&frame);
            assert_eq!((found.low, found.high), range, "{frame}");
            assert!(frame.iter().all(|&value| found.index(value, 9).is_some() == value.is_finite()), "{frame}");
        }
        let extreme = scale(&array![[f32::MIN, f32::MAX, f32::MIN_POSITIVE]]);
        assert!(extreme.high >= f64::from(f32::MAX), "no overflow");
    }

    #[test]
    fn usual_counts_are_in_the_middle() {
        let counts = |frame: Array2<f32>, map| {
            let found = Scale::of(core::iter::once(frame.view()), map, None, true);
            (found.low, found.high, found.map)
        };
        assert_eq!(counts(array![[0.0, 1.0, -1.0, 40.0]], None), (-28.0, 28.0, Map::Polar));
        assert_eq!(counts(array![[0.0, 1.0, 1.0, 1.0]], None), (0.0, 2.0, Map::Ember));
        assert_eq!(counts(array![[0.0, 1.0, 1.0, 1.0]], Some(Map::Polar)), (-2.0, 2.0, Map::Polar), "only ON");
        assert_eq!(counts(array![[0.0]], None), (0.0, 1.0, Map::Ember), "no event");
    }

    #[test]
    fn an_outlier_does_not_dim_the_rest() {
        let mut frame = Array2::from_elem((100, 100), 0.2_f32);
        frame[[5, 5]] = 50.0;
        let found = scale(&frame);
        assert_eq!((found.high, found.outside), (0.2, (false, true)), "clipped and said so");
    }
}
