//! A correlation filter with memory for rows and columns: each stores only its last event.
//!
//! ```text
//! keep  when  an event of another pixel is stored, for a row y-1..y+1 or for a column x-1..x+1, with
//!             |x' - x| <= 1,  |y' - y| <= 1,  0 <= t - t' <= tau
//! ```
//! It is [`Stcf`](super::Stcf) with 8 neighbours and `k = 1`, but forgets a neighbour when its row and its column had
//! later events elsewhere: in busy scenes it drops more. `tau` is in microseconds, 1 to 2^30 - 1.
//!
//! Late events, events outside the sensor, long pauses and clocks that restart: as for [`Stcf`](super::Stcf).
//!
//! ```text
//! word   0, 1    the clock (see super::stamps)
//!        2 …     a stamp for each row, then for each column, with an empty one before and after
//!        …       in the same order, the column of a row's last event, and the row of a column's
//! ```
//! Cost: six events are examined, about 80 operations. State: `2 + 2 (rows + cols + 4)` words: 9 kB for 640 x 480
//! pixels, where one word per pixel is 1.2 MB. Reference: A. Khodamoradi and R. Kastner, O(N)-space spatiotemporal
//! filter for reducing noise in neuromorphic vision sensors, IEEE Trans. Emerging Topics in Computing 9(1), 2021,
//! doi:10.1109/TETC.2017.2788865; it also compares polarities.

use super::EventFilter;
use super::stamps::{self, CLOCK, now, sides};
use crate::Error;
use crate::events::{Event, Geometry};

/// Keeps events that the last event of a nearby row or column supports; see the [equation](self).
///
/// ```
/// use foveola_core::events::filters::{EventFilter, RowColumn};
/// use foveola_core::events::{Event, Geometry};
///
/// let filter = RowColumn::new(Geometry { cols: 8, rows: 8 }, 5_000)?;
/// let mut state = [0; 42];
/// let event = |x, y| Event { t: 0, x, y, on: true };
/// assert_eq!(filter.step(&mut state, event(3, 3))?, None); // alone
/// assert_eq!(filter.step(&mut state, event(4, 4))?, Some(event(4, 4))); // row 3 remembers
/// filter.retain(&mut state, &mut [event(0, 3), event(3, 0)])?;
/// assert_eq!(filter.step(&mut state, event(2, 2))?, None); // neither row 3 nor column 3 remembers (3, 3)
/// # Ok::<(), foveola_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowColumn {
    cols: u32,
    rows: u32,
    tau: u32,
}

impl RowColumn {
    /// For a sensor of this size: support within `tau` microseconds.
    ///
    /// # Errors
    /// [`Error::EmptyFrame`] without pixels; [`Error::Parameter`] for too many of them, and when `tau` is out of range.
    pub const fn new(geometry: Geometry, tau: u32) -> Result<Self, Error> {
        match (sides(geometry), stamps::checked("tau", tau)) {
            (Ok([cols, rows]), Ok(tau)) => Ok(Self { cols, rows, tau }),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }

    /// The sensor's size.
    pub const fn geometry(&self) -> Geometry {
        Geometry { cols: self.cols as usize, rows: self.rows as usize }
    }

    /// Words of state.
    pub const fn state_len(&self) -> usize {
        CLOCK + 2 * self.lines()
    }

    /// Its numbers, for a checksum.
    pub(super) const fn numbers(&self) -> [u32; 5] {
        [self.cols, self.rows, self.tau, 0, 0]
    }

    /// Rows and columns, with the empty ones.
    const fn lines(&self) -> usize {
        self.rows as usize + self.cols as usize + 4
    }

    /// Whether the event is supported; `None` outside of the sensor.
    #[inline(always)]
    fn supported(&self, state: &mut [u32], event: &Event) -> Option<bool> {
        let (x, y) = (u32::from(event.x), u32::from(event.y));
        if x >= self.cols || y >= self.rows {
            return None;
        }
        let (clock, lines) = state.split_first_chunk_mut()?;
        let (stamps, places) = lines.split_at_mut_checked(self.lines())?;
        let now = now(clock, stamps, event.t);
        // Each line's last event, `off` to the left or above by 1, or 0, or -1; in the middle 0 is the pixel itself.
        let mut look = |first: usize, at: u32| -> Option<bool> {
            let [before, stamp, after] = stamps.get_mut(first..)?.first_chunk_mut()?;
            let [above, place, below] = places.get_mut(first..)?.first_chunk_mut()?;
            let recent = |stamp: u32| now.wrapping_sub(stamp) <= self.tau;
            let off = |place: u32| at.wrapping_sub(place).wrapping_add(1);
            let supported = recent(*before) & (off(*above) <= 2)
                | recent(*after) & (off(*below) <= 2)
                | recent(*stamp) & (off(*place) <= 2) & (off(*place) != 1);
            (*stamp, *place) = (now, at);
            Some(supported)
        };
        let of_rows = look(event.y.into(), x)?;
        let of_cols = look(self.rows as usize + 2 + usize::from(event.x), y)?;
        Some(of_rows | of_cols)
    }
}

impl EventFilter for RowColumn {
    fn state_len(&self) -> usize {
        Self::state_len(self)
    }

    #[inline(always)]
    fn pass(&self, state: &mut [u32], event: &mut Event) -> bool {
        self.supported(state, event) == Some(true)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::events::filters::laws::{self, Past};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        #[test]
        fn equals_a_twin_with_64_bit_times(
            (sensor, events) in laws::sensor_and_events(),
            tau in laws::time_constant(),
            cut in laws::cut(),
        ) {
            // `past` forgets when the clock restarts; what a row or a column stores is a pixel in it.
            let (mut past, mut of_row, mut of_col) = (Past::default(), BTreeMap::new(), BTreeMap::new());
            laws::hold(&RowColumn::new(sensor, tau).unwrap(), &events, cut, |event| {
                let (t, x, y) = (event.t, i64::from(event.x), i64::from(event.y));
                let _ = past.reach(t);
                let rows = (y - 1..=y + 1).filter_map(|row| of_row.get(&row));
                let cols = (x - 1..=x + 1).filter_map(|col| of_col.get(&col));
                let supported = rows.chain(cols).any(|&(a, b): &(i64, i64)| {
                    (a, b) != (x, y)
                        && (a - x).abs() <= 1
                        && (b - y).abs() <= 1
                        && past.age(a, b, t).is_some_and(|age| age <= tau.into())
                });
                past.remember(x, y, t);
                of_row.insert(y, (x, y));
                of_col.insert(x, (x, y));
                supported.then_some(event)
            }, sensor)?;
        }
    }

    #[test]
    fn state_is_of_rows_and_columns() {
        let filter = RowColumn::new(Geometry { cols: 640, rows: 480 }, 1).unwrap();
        assert_eq!(4 * filter.state_len(), 9_000, "bytes, where the docs say 9 kB");
        assert!(RowColumn::new(Geometry { cols: 640, rows: 480 }, 0).is_err(), "no time");
    }
}
