//! Size of a sensor, given by a header or inferred from the events.
//!
//! `cols = 1 + max x`, `rows = 1 + max y`. Cost: two comparisons per event. State: 6 bytes.

use super::Event;

/// Columns and rows of a sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Geometry {
    /// Number of columns, `x < cols`.
    pub cols: usize,
    /// Number of rows, `y < rows`.
    pub rows: usize,
}

impl Geometry {
    /// Whether the event lies inside.
    pub const fn contains(self, event: &Event) -> bool {
        (event.x as usize) < self.cols && (event.y as usize) < self.rows
    }
}

/// The smallest geometry that contains all events so far, for recordings whose header does not give it.
///
/// ```
/// use foveola_core::events::{Event, Extent, Geometry};
/// let mut extent = Extent::new();
/// assert_eq!(extent.geometry(), None);
/// for (x, y) in [(5, 0), (2, 3)] {
///     extent.include(&Event { t: 0, x, y, on: true });
/// }
/// assert_eq!(extent.geometry(), Some(Geometry { cols: 6, rows: 4 }));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Extent {
    largest: Option<(u16, u16)>,
}

impl Extent {
    /// The extent of no events.
    pub const fn new() -> Self {
        Self { largest: None }
    }

    /// Grows to include `event`.
    pub fn include(&mut self, event: &Event) {
        let (x, y) = self.largest.unwrap_or((0, 0));
        self.largest = Some((x.max(event.x), y.max(event.y)));
    }

    /// The geometry so far; `None` before the first event.
    pub const fn geometry(&self) -> Option<Geometry> {
        match self.largest {
            Some((x, y)) => Some(Geometry { cols: x as usize + 1, rows: y as usize + 1 }),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns and rows each have their largest value, whichever event comes last.
    #[test]
    fn the_largest_of_all_events_counts() {
        for places in [[(5, 1), (2, 7), (0, 0)], [(0, 7), (5, 0), (3, 3)], [(1, 1), (2, 2), (5, 7)]] {
            let mut extent = Extent::new();
            places.iter().for_each(|&(x, y)| extent.include(&Event { t: 0, x, y, on: true }));
            assert_eq!(extent.geometry(), Some(Geometry { cols: 6, rows: 8 }), "{places:?}");
        }
    }

    #[test]
    fn the_largest_coordinates_fit() {
        let corner = Event { t: u64::MAX, x: u16::MAX, y: u16::MAX, on: false };
        let mut extent = Extent::new();
        extent.include(&corner);
        let geometry = extent.geometry().unwrap();
        assert_eq!(geometry, Geometry { cols: 65536, rows: 65536 });
        assert!(geometry.contains(&corner), "an extent contains its events");
    }
}
