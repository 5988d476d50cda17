//! A region of the sensor: events inside a rectangle.
//!
//! ```text
//! keep  when  left <= x < left + cols  and  top <= y < top + rows
//! ```
//! Kept events get the rectangle's corner as their origin, `(x - left, y - top)`, or keep their coordinates.
//! Cost: about 6 operations per event. No state.

use super::EventFilter;
use crate::Error;
use crate::events::{Event, Geometry};

/// Keeps the events of a rectangle; see the [equation](self).
///
/// ```
/// use foveola_core::events::filters::{EventFilter, Region};
/// use foveola_core::events::{Event, Geometry};
///
/// let event = |x, y| Event { t: 0, x, y, on: true };
/// let region = Region::new(8, 4, 16, 2)?; // 16 columns from column 8 on, 2 rows from row 4 on
/// assert_eq!(region.step(&mut [], event(23, 5))?, Some(event(15, 1)));
/// assert_eq!(region.step(&mut [], event(24, 5))?, None);
/// assert_eq!(region.output(Geometry { cols: 640, rows: 480 }), Geometry { cols: 16, rows: 2 });
/// assert_eq!(region.in_place().step(&mut [], event(23, 5))?, Some(event(23, 5)));
/// # Ok::<(), foveola_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    left: u16,
    top: u16,
    cols: u32,
    rows: u32,
    moved: bool,
}

impl Region {
    /// `cols` columns from column `left` on, and `rows` rows from row `top` on.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no columns or rows, or when the rectangle reaches beyond column or row 65535.
    pub const fn new(left: u16, top: u16, cols: u32, rows: u32) -> Result<Self, Error> {
        const EXPECTED: &str = "1 or more, and an end at 65536 at most";
        if cols == 0 || cols > 65536 - left as u32 {
            return Err(Error::Parameter { name: "columns", value: cols as f64, expected: EXPECTED });
        }
        if rows == 0 || rows > 65536 - top as u32 {
            return Err(Error::Parameter { name: "rows", value: rows as f64, expected: EXPECTED });
        }
        Ok(Self { left, top, cols, rows, moved: true })
    }

    /// Keeps the coordinates of the events, and the size of the sensor.
    #[must_use]
    pub const fn in_place(self) -> Self {
        Self { moved: false, ..self }
    }

    /// Size of the sensor after the filter.
    pub const fn output(&self, input: Geometry) -> Geometry {
        if self.moved { Geometry { cols: self.cols as usize, rows: self.rows as usize } } else { input }
    }

    /// Its numbers, for a checksum.
    pub(super) const fn numbers(&self) -> [u32; 5] {
        [self.left as u32, self.top as u32, self.cols, self.rows, self.moved as u32]
    }
}

impl EventFilter for Region {
    fn state_len(&self) -> usize {
        0
    }

    fn output(&self, input: Geometry) -> Geometry {
        Self::output(self, input)
    }

    #[inline(always)]
    fn pass(&self, _: &mut [u32], event: &mut Event) -> bool {
        // To the left of the region or above it, the difference wraps to values that the region does not reach.
        let (x, y) = (event.x.wrapping_sub(self.left), event.y.wrapping_sub(self.top));
        let inside = (u32::from(x) < self.cols) & (u32::from(y) < self.rows);
        if self.moved {
            (event.x, event.y) = (x, y);
        }
        inside
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        #[test]
        fn equals_comparisons(left: u16, top: u16, [cols, rows] in any::<[u16; 2]>(), x: u16, y: u16) {
            let Ok(region) = Region::new(left, top, cols.into(), rows.into()) else {
                let fits = |from: u16, n: u16| n > 0 && u32::from(from) + u32::from(n) <= 65536;
                prop_assert!(!(fits(left, cols) && fits(top, rows)), "{left} + {cols}, {top} + {rows}");
                return Ok(());
            };
            let event = Event { t: 1, x, y, on: true };
            let inside = |at: u16, from: u16, n: u16| at >= from && u32::from(at) < u32::from(from) + u32::from(n);
            let inside = inside(x, left, cols) && inside(y, top, rows);
            let moved = inside.then(|| Event { x: x - left, y: y - top, ..event });
            prop_assert_eq!(region.step(&mut [], event), Ok(moved));
            prop_assert_eq!(region.in_place().step(&mut [], event), Ok(inside.then_some(event)));
        }
    }

    #[test]
    fn the_largest_region_is_everything() {
        let all = Region::new(0, 0, 65536, 65536).unwrap();
        let corner = Event { t: 0, x: 65535, y: 65535, on: false };
        assert_eq!(all.step(&mut [], corner), Ok(Some(corner)));
        let error = Region::new(1, 0, 65536, 1).unwrap_err();
        assert_eq!(std::format!("{error}"), "columns is 65536; expected 1 or more, and an end at 65536 at most");
        assert!(Region::new(0, 0, 1, 0).is_err(), "no rows");
    }
}
