//! Downsampling: cells of `factor x factor` pixels become one pixel, with each event or only every so many.
//!
//! ```text
//! col = x / factor,  row = y / factor                 rounded down; the last cells may be cut by the sensor's edge
//! counting:  n[row, col] += 1 (ON) or -1 (OFF);  when |n| = threshold: one event of that sign, and n = 0
//! ```
//! `factor` is 1 to 65535, `threshold` 1 to 127. A cell of alternating noise stays near 0 and gives no events; an edge
//! that crosses it gives `factor^2 / threshold` events. Events outside the sensor are dropped.
//!
//! Cost: two divisions of 32 bits per event, and 8 operations where events are counted.
//! State: none; with counting, one byte per cell.

use super::{EventFilter, bytes};
use crate::Error;
use crate::events::filters::stamps::sides;
use crate::events::{Event, Geometry, Window};

/// Merges several pixels into one; see the [equation](self).
///
/// ```
/// use foveola_core::events::filters::{Downsample, EventFilter};
/// use foveola_core::events::{Event, Geometry};
///
/// let sensor = Geometry { cols: 5, rows: 4 };
/// let event = |x, on| Event { t: 0, x, y: 2, on };
/// let half = Downsample::new(sensor, 2)?;
/// assert_eq!(half.output(sensor), Geometry { cols: 3, rows: 2 });
/// assert_eq!(half.step(&mut [], event(4, true))?, Some(Event { x: 2, y: 1, ..event(4, true) }));
///
/// let half = half.counting(2)?;
/// let mut state = [0; 2]; // 6 cells, a byte each
/// let mut events = [event(0, true), event(1, false), event(0, false), event(1, false), event(1, true)];
/// assert_eq!(half.retain(&mut state, &mut events)?, 1);
/// assert_eq!(events[0], Event { t: 0, x: 0, y: 1, on: false });
/// # Ok::<(), foveola_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Downsample {
    window: Window,
    cols: u32,
    rows: u32,
    threshold: u8,
}

impl Downsample {
    /// For a sensor of this size: `factor` x `factor` pixels per cell.
    ///
    /// # Errors
    /// [`Error::EmptyFrame`] without pixels; [`Error::Parameter`] for too many of them, and when `factor` is 0.
    pub const fn new(geometry: Geometry, factor: u16) -> Result<Self, Error> {
        match (sides(geometry), Window::new(0, 0, factor)) {
            (Ok([cols, rows]), Ok(window)) => Ok(Self { window, cols, rows, threshold: 0 }),
            (Err(error), _) => Err(error),
            (_, Err(_)) => Err(Error::Parameter { name: "factor", value: 0.0, expected: "1 pixel or more" }),
        }
    }

    /// Gives an event only when a cell's ON events outnumber its OFF events by `threshold`, or the other way round.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `threshold` is 1 to 127.
    pub const fn counting(self, threshold: u32) -> Result<Self, Error> {
        if threshold == 0 || threshold > 127 {
            return Err(Error::Parameter { name: "threshold", value: threshold as f64, expected: "1 to 127 events" });
        }
        Ok(Self { threshold: threshold as u8, ..self })
    }

    /// The sensor's size.
    pub const fn geometry(&self) -> Geometry {
        Geometry { cols: self.cols as usize, rows: self.rows as usize }
    }

    /// Size of the sensor after the filter: in cells.
    pub const fn cells(&self) -> Geometry {
        let factor = self.window.binning() as usize;
        Geometry { cols: (self.cols as usize).div_ceil(factor), rows: (self.rows as usize).div_ceil(factor) }
    }

    /// Words of state.
    pub const fn state_len(&self) -> usize {
        let Geometry { cols, rows } = self.cells();
        if self.threshold == 0 { 0 } else { bytes::words(cols * rows) }
    }

    /// Its numbers, for a checksum.
    pub(super) const fn numbers(&self) -> [u32; 5] {
        [self.cols, self.rows, self.window.binning() as u32, self.threshold as u32, 0]
    }
}

impl EventFilter for Downsample {
    fn state_len(&self) -> usize {
        Self::state_len(self)
    }

    fn output(&self, _: Geometry) -> Geometry {
        self.cells()
    }

    #[inline(always)]
    fn pass(&self, state: &mut [u32], event: &mut Event) -> bool {
        if u32::from(event.x) >= self.cols || u32::from(event.y) >= self.rows {
            return false;
        }
        let [row, col] = self.window.place(event.x, event.y);
        // Lossless: no larger than before.
        (event.x, event.y) = (col as u16, row as u16);
        if self.threshold == 0 {
            return true;
        }
        let cell = row as usize * self.cells().cols + col as usize;
        let Some(count) = bytes::get(state, cell) else { return false };
        // In range: it lies below the threshold, which is 127 at most.
        let count = (count as i8).wrapping_add(2 * i8::from(event.on) - 1);
        let full = count.unsigned_abs() >= self.threshold;
        bytes::set(state, cell, if full { 0 } else { count as u8 });
        full
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::events::filters::laws;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        #[test]
        fn equals_a_twin(
            (sensor, events) in laws::sensor_and_events(),
            factor in 1_u16..7,
            threshold in prop_oneof![Just(None), (1_u32..4).prop_map(Some), Just(Some(127))],
            cut in laws::cut(),
        ) {
            let filter = Downsample::new(sensor, factor).unwrap();
            let filter = threshold.map_or(filter, |threshold| filter.counting(threshold).unwrap());
            let mut counts = BTreeMap::<_, i32>::new();
            laws::hold(&filter, &events, cut, |event| {
                let event = Event { x: event.x / factor, y: event.y / factor, ..event };
                let count = counts.entry((event.x, event.y)).or_default();
                *count += if event.on { 1 } else { -1 };
                if count.abs() < threshold.unwrap_or(0) as i32 {
                    return None;
                }
                *count = 0;
                Some(event)
            }, sensor)?;
            let cells = filter.cells();
            let corner = Event { t: 0, x: sensor.cols as u16 - 1, y: sensor.rows as u16 - 1, on: true };
            let [row, col] = Window::new(0, 0, factor).unwrap().place(corner.x, corner.y);
            prop_assert_eq!((col as usize + 1, row as usize + 1), (cells.cols, cells.rows), "the corner is in the last cell");
        }
    }

    #[test]
    fn counts_reach_the_largest_threshold() {
        let filter = Downsample::new(Geometry { cols: 1, rows: 1 }, 1).unwrap().counting(127).unwrap();
        for on in [true, false] {
            let (mut state, mut events) = ([0], [Event { t: 0, x: 0, y: 0, on }; 127 * 3 + 126]);
            assert_eq!(filter.retain(&mut state, &mut events), Ok(3), "{on}");
        }
        assert!(filter.counting(128).is_err() && filter.counting(0).is_err(), "127 is the largest");
        assert!(Downsample::new(Geometry { cols: 1, rows: 1 }, 0).is_err(), "no factor");
    }
}
