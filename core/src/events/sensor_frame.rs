//! Frames that the sensor made itself: counts of ON and OFF events, or their difference, to the samples of an
//! [`Accumulator`].
//!
//! | layout | bytes of a pixel | bits |
//! |---|---|---|
//! | [`PixelLayout::Histogram`], Prophesee's `Histo3D`, packed | 1 | `off` bits of OFF from bit 0 on, above them `on` bits of ON |
//! | [`PixelLayout::Padded`], `Histo3D`, padded | 2 | OFF, then ON, 8 bits each |
//! | [`PixelLayout::Difference`], `Diff3D` | 1 | ON - OFF as a two's complement of so many bits from bit 0 on, at most 8 |
//!
//! Pixels come row by row, without a header or padding of rows. A counter of a histogram stops at its largest number, so further
//! events are lost in the sensor. A difference wraps there by default, which cannot be seen in the frame: choose the
//! period of the frames so that it does not come to that.
//!
//! **Certainty.** The manufacturer documents bits of counters, packing and sign; the order of ON and OFF in a byte is that of its
//! open software (`OpenEB`), which writes both formats. Not confirmed by a public source: that the `GenX320` sends exactly these bytes
//! on its parallel port. In frames of `OpenMV`'s firmware 128 is no event: subtract it first.
//!
//! Cost: about 10 operations a pixel, two divisions more in a window. State: none.
//! Reference: Prophesee, Metavision documentation, "`Histo3D` format" and "`Diff3D` format".

use super::{Accumulator, Geometry, Polarity, Window};
use crate::error::exact;
use crate::{Error, Sample, Shape};

/// What the bytes of a pixel mean; see the [table](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PixelLayout {
    /// A byte: counts of ON and OFF events in so many bits, 8 together at most; 4 and 4 are usual.
    Histogram {
        /// Bits of the count of ON events.
        on: u8,
        /// Bits of the count of OFF events.
        off: u8,
    },
    /// Two bytes: the count of OFF events, then that of ON events.
    Padded,
    /// A byte: ON events minus OFF events.
    Difference {
        /// Bits of the number, 2 to 8.
        bits: u8,
    },
}

impl PixelLayout {
    /// Bytes of a pixel.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Padded => 2,
            Self::Histogram { .. } | Self::Difference { .. } => 1,
        }
    }
}

/// Reads frames of a sensor; see [above](self).
///
/// ```
/// use foveola_core::events::{Geometry, PixelLayout, Polarity, SensorFrame};
/// const SENSOR: Geometry = Geometry { cols: 3, rows: 1 };
/// let bytes = [0x21, 0x00, 0x0F]; // 2 ON and 1 OFF; nothing; 15 OFF or more
/// let histogram = SensorFrame::new(PixelLayout::Histogram { on: 4, off: 4 }, SENSOR, Polarity::Split)?;
/// let mut samples = [0.0_f32; 6];
/// histogram.read(&bytes, &mut samples)?;
/// assert_eq!(samples, [2.0, 0.0, 0.0, 1.0, 0.0, 15.0]); // the channel of ON, then that of OFF
///
/// let difference = SensorFrame::new(PixelLayout::Difference { bits: 8 }, SENSOR, Polarity::Signed)?;
/// let mut samples = [0.0_f32; 3];
/// difference.read(&[1, 0, 0xFE], &mut samples)?;
/// assert_eq!(samples, [1.0, 0.0, -2.0]);
/// assert!(difference.read(&[1, 0], &mut samples).is_err()); // a byte is missing
/// # Ok::<(), foveola_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SensorFrame {
    layout: PixelLayout,
    sensor: Geometry,
    polarity: Polarity,
    window: Window,
    rows: usize,
    cols: usize,
    exponent: u8,
}

impl SensorFrame {
    /// For frames of `sensor` pixels, to samples as those of an accumulator with this polarity: [`Polarity::Split`] needs counts of
    /// both, and is not possible for a difference.
    ///
    /// # Errors
    /// [`Error::EmptyFrame`] without rows or columns; [`Error::Parameter`] for more than 65536 of them, for bits outside their
    /// range, and for the channels of a difference.
    pub const fn new(layout: PixelLayout, sensor: Geometry, polarity: Polarity) -> Result<Self, Error> {
        let Geometry { rows, cols } = sensor;
        let reader =
            Self { layout, sensor, polarity, window: Window::WHOLE, rows, cols, exponent: Accumulator::COUNTING_TO };
        if reader.shape().is_empty() {
            return Err(Error::EmptyFrame { shape: reader.shape() });
        }
        let largest = if rows > cols { rows } else { cols };
        if largest > Window::MOST as usize {
            let expected = "at most 65536";
            return Err(Error::Parameter { name: "rows or columns of the sensor", value: largest as f64, expected });
        }
        match layout {
            PixelLayout::Histogram { on, off } => {
                let bits = on as u32 + off as u32;
                if bits == 0 || bits > 8 {
                    let expected = "1 to 8 bits of ON and OFF together";
                    return Err(Error::Parameter { name: "bits of the histogram", value: bits as f64, expected });
                }
            }
            PixelLayout::Padded => {}
            PixelLayout::Difference { bits } => {
                if bits < 2 || bits > 8 {
                    let expected = "2 to 8";
                    return Err(Error::Parameter { name: "bits of the difference", value: bits as f64, expected });
                }
                if matches!(polarity, Polarity::Split) {
                    let expected = "1: a difference does not tell ON from OFF";
                    return Err(Error::Parameter { name: "channels", value: 2.0, expected });
                }
            }
        }
        Ok(reader)
    }

    /// The same for samples of `rows` x `cols` bins of the sensor's pixels, from the corner of `window` on, in which the counts are
    /// added. Pixels outside are left out, as events are.
    ///
    /// ```
    /// use foveola_core::events::{Geometry, PixelLayout, Polarity, SensorFrame, Window};
    /// let sensor = Geometry { cols: 5, rows: 2 };
    /// let reader = SensorFrame::new(PixelLayout::Difference { bits: 8 }, sensor, Polarity::Signed)?
    ///     .windowed(Window::new(1, 0, 2)?, 1, 2)?;
    /// let mut samples = [0.0_f32; 2];
    /// reader.read(&[9, 1, 1, 1, 0, 9, 1, 1, 0, 0], &mut samples)?;
    /// assert_eq!(samples, [4.0, 1.0]);
    /// # Ok::<(), foveola_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::EmptyFrame`] without rows or columns.
    pub const fn windowed(self, window: Window, rows: usize, cols: usize) -> Result<Self, Error> {
        let reader = Self { window, rows, cols, ..self };
        if reader.shape().is_empty() {
            return Err(Error::EmptyFrame { shape: reader.shape() });
        }
        Ok(reader)
    }

    /// The same, for samples that are integers: as [`Accumulator::counting_to`].
    #[must_use]
    pub const fn counting_to(self, exponent: u8) -> Self {
        Self { exponent, ..self }
    }

    /// Shape of the samples.
    pub const fn shape(&self) -> Shape {
        let channels = match self.polarity {
            Polarity::Split => 2,
            Polarity::Signed => 1,
        };
        Shape::new(channels, self.rows, self.cols)
    }

    /// Bytes of a frame.
    pub const fn bytes(&self) -> usize {
        self.sensor.rows.saturating_mul(self.sensor.cols).saturating_mul(self.layout.bytes())
    }

    /// Writes the samples of a frame over what is in `samples`.
    ///
    /// # Errors
    /// [`Error::Length`] for other numbers of bytes or samples; nothing is written then.
    pub fn read<T: Sample>(&self, bytes: &[u8], samples: &mut [T]) -> Result<(), Error> {
        exact("the sensor's frame of bytes", bytes.len(), self.bytes())?;
        exact("the frame", samples.len(), self.shape().len())?;
        samples.fill(T::zero());
        // A loop for each layout. Sizes are above 0, which the compiler does not know.
        match self.layout {
            PixelLayout::Histogram { on, off } => {
                let [on, off] = [on, off].map(|bits| (1_u32 << bits.min(8)) - 1);
                let shift = off.count_ones();
                self.add(
                    bytes.iter().map(|byte| {
                        let byte = u32::from(*byte);
                        [(byte >> shift & on) as i32, (byte & off) as i32]
                    }),
                    samples,
                );
            }
            PixelLayout::Padded => {
                let pixels = bytes.as_chunks().0.iter();
                self.add(pixels.map(|&[off, on]| [i32::from(on), i32::from(off)]), samples);
            }
            PixelLayout::Difference { bits } => {
                let unused = 32 - u32::from(bits.clamp(1, 8));
                self.add(bytes.iter().map(|byte| [(i32::from(*byte) << unused) >> unused, 0]), samples);
            }
        }
        Ok(())
    }

    /// Adds the counts of ON and OFF of each pixel.
    #[inline(always)]
    fn add<T: Sample>(&self, counts: impl Iterator<Item = [i32; 2]>, samples: &mut [T]) {
        let channel = self.rows.saturating_mul(self.cols);
        let [mut x, mut y] = [0_u16; 2];
        for [on, off] in counts {
            if on != 0 || off != 0 {
                let [row, col] = self.window.place(x, y).map(|place| place as usize);
                if row < self.rows && col < self.cols {
                    // Inside of the shape, whose length is a usize.
                    let at = row.wrapping_mul(self.cols).wrapping_add(col);
                    match self.polarity {
                        Polarity::Split => {
                            put(samples, at, T::from_count(on, self.exponent));
                            put(samples, at.wrapping_add(channel), T::from_count(off, self.exponent));
                        }
                        Polarity::Signed => put(samples, at, T::from_count(on - off, self.exponent)),
                    }
                }
            }
            x = x.wrapping_add(1);
            if usize::from(x) == self.sensor.cols & 0xFFFF {
                (x, y) = (0, y.wrapping_add(1));
            }
        }
    }
}

/// Adds `n` to the sample at `at`.
#[inline(always)]
fn put<T: Sample>(samples: &mut [T], at: usize, n: T) {
    if let Some(sample) = samples.get_mut(at) {
        *sample = *sample + n;
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::events::{Accumulator, Count, Event, Push};
    use proptest::prelude::*;
    use std::{vec, vec::Vec};

    /// The bytes of a sensor that counts `events`, within the range of its counters.
    fn sensor(events: &[(u16, u16, bool)], Geometry { cols, rows }: Geometry, layout: PixelLayout) -> Vec<u8> {
        let mut counts = vec![[0_i32; 2]; rows * cols];
        for (x, y, on) in events {
            counts[usize::from(*y) * cols + usize::from(*x)][usize::from(!on)] += 1;
        }
        let byte = |[on, off]: [i32; 2]| match layout {
            PixelLayout::Histogram { off: bits, .. } => vec![(on << bits | off) as u8],
            PixelLayout::Padded => vec![off as u8, on as u8],
            PixelLayout::Difference { .. } => vec![(on - off) as i8 as u8],
        };
        counts.into_iter().flat_map(byte).collect()
    }

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        /// The samples are those of an accumulator that takes the events.
        #[test]
        fn as_an_accumulator(
            events in prop::collection::vec((0_u16..7, 0_u16..5, any::<bool>()), 0..30),
            left in 0_u16..9, top in 0_u16..6, binning in 1_u16..4, rows in 1_usize..6, cols in 1_usize..6, whole in any::<bool>(),
        ) {
            let geometry = Geometry { cols: 7, rows: 5 };
            let (rows, cols) = if whole { (5, 7) } else { (rows, cols) };
            let window = if whole { Window::WHOLE } else { Window::new(left, top, binning).expect("a binning") };
            let layouts = [
                PixelLayout::Histogram { on: 4, off: 4 },
                PixelLayout::Histogram { on: 3, off: 5 },
                PixelLayout::Padded,
                PixelLayout::Difference { bits: 8 },
                PixelLayout::Difference { bits: 5 },
            ];
            // Few enough for 3 bits.
            let mut seen = [[0; 2]; 35];
            let events: Vec<_> = events.into_iter().filter(|(x, y, on)| {
                let count = &mut seen[usize::from(*y) * 7 + usize::from(*x)][usize::from(*on)];
                *count += 1;
                *count <= 7
            }).collect();
            for layout in layouts {
                for polarity in [Polarity::Signed, Polarity::Split] {
                    if matches!(layout, PixelLayout::Difference { .. }) && polarity == Polarity::Split {
                        continue;
                    }
                    let mut bins = Accumulator::new(rows, cols, polarity, 1_000).expect("a shape").windowed(window);
                    let mut expected = vec![0.0_f32; bins.shape().len()];
                    for &(x, y, on) in &events {
                        prop_assert_eq!(bins.push(Event { t: 0, x, y, on }, &mut expected), Push::Taken);
                    }
                    let reader = SensorFrame::new(layout, geometry, polarity).expect("a layout");
                    let reader = reader.windowed(window, rows, cols).expect("a shape");
                    prop_assert_eq!(reader.shape(), bins.shape());
                    let bytes = sensor(&events, geometry, layout);
                    let mut samples = vec![9.0_f32; expected.len()];
                    reader.read(&bytes, &mut samples).expect("the right lengths");
                    prop_assert_eq!(&samples, &expected, "{:?}", layout);
                    let mut counts = vec![Count::ZERO; expected.len()];
                    reader.read(&bytes, &mut counts).expect("the right lengths");
                    prop_assert!(counts.iter().zip(&expected).all(|(a, b)| f32::from(a.get()) == *b), "{:?}", layout);
                }
            }
        }

        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 35)) {
            let geometry = Geometry { cols: 7, rows: 5 };
            let reader = SensorFrame::new(PixelLayout::Difference { bits: 4 }, geometry, Polarity::Signed).expect("a layout");
            let mut samples = [0.0_f32; 35];
            reader.read(&bytes, &mut samples).expect("the right lengths");
            prop_assert!(samples.iter().all(|sample| (-8.0..=7.0).contains(sample)));
        }
    }

    #[test]
    fn mistakes_are_errors() {
        let geometry = Geometry { cols: 3, rows: 2 };
        let new = |layout, polarity| SensorFrame::new(layout, geometry, polarity);
        let histogram = |on, off| PixelLayout::Histogram { on, off };
        for (layout, polarity) in [
            (histogram(0, 0), Polarity::Split),
            (histogram(5, 4), Polarity::Split),
            (histogram(255, 255), Polarity::Split),
            (PixelLayout::Difference { bits: 1 }, Polarity::Signed),
            (PixelLayout::Difference { bits: 9 }, Polarity::Signed),
            (PixelLayout::Difference { bits: 8 }, Polarity::Split),
        ] {
            assert!(matches!(new(layout, polarity), Err(Error::Parameter { .. })), "{layout:?}");
        }
        for (on, off) in [(6, 0), (0, 8), (8, 0), (1, 7)] {
            let mut samples = [0.0_f32; 12];
            new(histogram(on, off), Polarity::Split).expect("bits").read(&[0xFF; 6], &mut samples).expect("lengths");
            assert_eq!(
                (samples[0], samples[6]),
                (((1_u32 << on) - 1) as f32, ((1_u32 << off) - 1) as f32),
                "{on} {off}"
            );
        }
        assert!(SensorFrame::new(PixelLayout::Padded, Geometry { cols: 0, rows: 2 }, Polarity::Split).is_err());
        assert!(SensorFrame::new(PixelLayout::Padded, Geometry { cols: 70_000, rows: 2 }, Polarity::Split).is_err());

        let reader = new(PixelLayout::Padded, Polarity::Split).expect("a layout");
        assert!(reader.windowed(Window::WHOLE, 0, 3).is_err());
        let mut samples = [7.0_f32; 12];
        for bytes in [0, 11, 13, 24] {
            let expected = Error::Length { what: "the sensor's frame of bytes", found: bytes, expected: 12 };
            assert_eq!(reader.read(&vec![1; bytes], &mut samples), Err(expected));
        }
        assert!(reader.read(&[1; 12], &mut samples[..11]).is_err());
        assert_eq!(samples, [7.0; 12], "nothing was written");
    }
}
