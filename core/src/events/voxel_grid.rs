//! Voxel grid: the events of a time window in `B` bins, each event shared between the two nearest.
//!
//! ```text
//! t* = (B - 1) (t - start) / duration            0 <= t* < B - 1
//! frame[b, y, x] = sum over events at (x, y) in [start, start + duration) of  p max(0, 1 - |t* - b|)
//! p = +1 for ON, -1 for OFF
//! ```
//! Bins are the frame's channels. Bin `b` is centred on `start + b duration / (B - 1)`, so the first and the last cover
//! half a bin. With one bin every event counts whole. The weights of an event add up to 1. Rounding is that of a weight
//! to a sample, half a unit in the last place, and of the sums.
//!
//! `bins` is 1 to 65536, `duration` in microseconds, 1 to 2^32 - 1. Events outside the window or the sensor are
//! ignored. Consecutive windows ([`VoxelGrid::starting_at`]) take each event once.
//!
//! Cost: one division of 64 bits per event. State: none but the frame, which the caller clears.
//! Reference: A. Zhu, L. Yuan, K. Chaney and K. Daniilidis, Unsupervised event-based learning of optical flow, depth,
//! and egomotion, CVPR 2019, doi:10.1109/CVPR.2019.00108.

use super::filters::stamps::sides;
use super::{Event, Geometry};
use crate::error::exact;
use crate::{Error, Sample, Shape};
use core::num::NonZeroU32;

/// Shares events between time bins; see the [equation](self).
///
/// ```
/// use foveola_core::events::{Event, Geometry, VoxelGrid};
/// let grid = VoxelGrid::new(Geometry { cols: 1, rows: 1 }, 3, 0, 20_000)?;
/// let mut frame = [0.0_f32; 3];
/// let event = |t, on| Event { t, x: 0, y: 0, on };
/// assert_eq!(grid.add(&[event(2_500, true), event(15_000, false), event(20_000, true)], &mut frame)?, 2);
/// assert_eq!(frame, [0.75, 0.25 - 0.5, -0.5]); // a quarter of the way to 10 ms; half way from there to 20 ms
/// # Ok::<(), foveola_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VoxelGrid {
    cols: u32,
    rows: u32,
    bins: u32,
    start: u64,
    duration: NonZeroU32,
}

impl VoxelGrid {
    /// `bins` from `start` on, over `duration` microseconds.
    ///
    /// # Errors
    /// [`Error::EmptyFrame`] without pixels or bins; [`Error::Parameter`] for too many of them, and when `duration` is
    /// 0.
    pub const fn new(geometry: Geometry, bins: usize, start: u64, duration: u32) -> Result<Self, Error> {
        let [cols, rows] = match sides(geometry) {
            Ok(sides) => sides,
            Err(error) => return Err(error),
        };
        let shape = Shape::new(bins, geometry.rows, geometry.cols);
        if shape.is_empty() {
            return Err(Error::EmptyFrame { shape });
        }
        if bins > 1 << 16 || bins.saturating_mul(geometry.rows * geometry.cols) > usize::MAX / 16 {
            return Err(Error::Parameter {
                name: "bins",
                value: bins as f64,
                expected: "65536 at most, and as many as memory can hold",
            });
        }
        let Some(duration) = NonZeroU32::new(duration) else {
            return Err(Error::Parameter { name: "duration", value: 0.0, expected: "1 us or more" });
        };
        Ok(Self { cols, rows, bins: bins as u32, start, duration })
    }

    /// The same grid for another time window.
    #[must_use]
    pub const fn starting_at(self, start: u64) -> Self {
        Self { start, ..self }
    }

    /// Shape of a frame: a channel for each bin.
    pub const fn shape(&self) -> Shape {
        Shape::new(self.bins as usize, self.rows as usize, self.cols as usize)
    }

    /// Adds events to `frame`, and returns how many of them lie in the window and on the sensor.
    ///
    /// # Errors
    /// [`Error::Length`] when `frame` does not fit; nothing is changed then.
    pub fn add<T: Sample>(&self, events: &[Event], frame: &mut [T]) -> Result<usize, Error> {
        exact("the frame of a voxel grid", frame.len(), self.shape().len())?;
        let (channel, duration) = (self.rows as usize * self.cols as usize, u64::from(self.duration.get()));
        let mut added = 0;
        for event in events {
            let (x, y) = (u32::from(event.x), u32::from(event.y));
            let since = event.t.checked_sub(self.start).filter(|since| *since < duration);
            let Some(since) = since.filter(|_| x < self.cols && y < self.rows) else { continue };
            // Below 2^48; and the bin below the last one, or the only one.
            let at = since * u64::from(self.bins - 1);
            let (bin, within) = (at / duration, at % duration);
            let share = within as f64 / duration as f64;
            let sign = if event.on { 1.0 } else { -1.0 };
            let place = bin as usize * channel + y as usize * self.cols as usize + x as usize;
            for (place, weight) in [(place, 1.0 - share), (place + channel, share)] {
                if let Some(sample) = frame.get_mut(place) {
                    *sample = *sample + T::from_f64(sign * weight);
                }
            }
            added += 1;
        }
        Ok(added)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use proptest::prelude::*;
    use std::{vec, vec::Vec};

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        #[test]
        fn equals_the_equation(
            raw in prop::collection::vec((0_u64..3_000, 0_u16..4, 0_u16..3, any::<bool>()), 0..60),
            (cols, rows, bins) in (1_usize..4, 1_usize..3, 1_usize..7),
            start in 0_u64..1_000,
            duration in prop_oneof![1_u32..2_500, Just(u32::MAX)],
        ) {
            let grid = VoxelGrid::new(Geometry { cols, rows }, bins, start, duration).unwrap();
            let events: Vec<_> = raw.into_iter().map(|(t, x, y, on)| Event { t, x, y, on }).collect();
            let mut frame = vec![0.0_f64; grid.shape().len()];
            let added = grid.add(&events, &mut frame).unwrap();

            let inside = |event: &&Event| {
                Geometry { cols, rows }.contains(event) && event.t >= start && event.t < start + u64::from(duration)
            };
            prop_assert_eq!(added, events.iter().filter(inside).count());
            for (i, found) in frame.iter().enumerate() {
                let (b, y, x) = (i / cols / rows, i / cols % rows, i % cols);
                let here = events.iter().filter(inside).filter(|e| (usize::from(e.x), usize::from(e.y)) == (x, y));
                let weight = |event: &Event| {
                    let at = (bins - 1) as f64 * (event.t - start) as f64 / f64::from(duration);
                    let sign = if event.on { 1.0 } else { -1.0 };
                    sign * (1.0 - (at - b as f64).abs()).max(0.0)
                };
                let expected: f64 = here.map(weight).sum();
                // The twin subtracts numbers up to 6, the grid does not: 60 events, 6 eps each.
                prop_assert!((found - expected).abs() < 60.0 * 6.0 * f64::EPSILON, "{i}: {found}, expected {expected}");
            }
        }

        /// Windows one after another take each event once, and whole.
        #[test]
        fn no_event_is_lost_between_windows(times in prop::collection::vec(0_u64..1_000, 0..50), duration in 1_u32..300, bins in 1_usize..5) {
            let grid = VoxelGrid::new(Geometry { cols: 1, rows: 1 }, bins, 0, duration).unwrap();
            let events: Vec<_> = times.iter().map(|t| Event { t: *t, x: 0, y: 0, on: true }).collect();
            let mut frame = vec![0.0_f32; bins];
            let mut added = 0;
            for start in (0..1_000).step_by(duration as usize) {
                added += grid.starting_at(start).add(&events, &mut frame).unwrap();
            }
            prop_assert_eq!(added, events.len());
            let total: f32 = frame.iter().sum();
            // 50 events of weight 1, each rounded twice and added to sums up to 50.
            prop_assert!((total - events.len() as f32).abs() <= 100.0 * 50.0 * f32::EPSILON, "{total} of {added}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let one = Geometry { cols: 1, rows: 1 };
        assert!(VoxelGrid::new(one, 0, 0, 1).is_err() && VoxelGrid::new(one, 65537, 0, 1).is_err());
        assert!(
            VoxelGrid::new(one, 1, 0, 0).is_err() && VoxelGrid::new(Geometry { cols: 0, rows: 1 }, 1, 0, 1).is_err()
        );
        let grid = VoxelGrid::new(one, 2, 0, 1).unwrap();
        assert!(grid.add(&[], &mut [0.0_f32; 1]).is_err(), "a frame of one bin");
    }
}
