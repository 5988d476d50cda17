//! Hot pixels: masks pixels with more events than any scene gives. The mask is learned, or given, or both.
//!
//! ```text
//! n[j]     events of pixel j in the current window, masked or not
//! mask j   at once when n[j] > most, until a window has passed in which n[j] <= most   (Learning::Always)
//!          at once when n[j] > most in the first window, permanently                   (Learning::Once)
//! ```
//! A window begins with the first event, or with the first event after the previous window, and lasts `window`
//! microseconds, 1 to 2^32 - 1. `most` is 0 to 125 events. For `r` events per second, use a window of 100 / r seconds
//! and a `most` of 100. A pixel that is given as hot ([`HotPixels::mask`]) is neither counted nor unmasked.
//!
//! Late events are counted in the current window. When time jumps back by more than `window`, the window ends. Events
//! outside the sensor are dropped.
//!
//! ```text
//! word   0       0: no event yet, 1: learning, 2: learned
//!        1, 2    when the window began, the lower half first
//!        3 …     a byte per pixel, row by row: 255 given as hot; else bit 7: masked, bits 6..0: events, 126 at most
//! ```
//! Cost: about 50 operations per event, and a pass over the bytes for each window that has events (one word for 4
//! pixels). State: `3 + cols rows / 4` words, rounded up.

use super::{EventFilter, bytes};
use crate::Error;
use crate::events::filters::stamps::sides;
use crate::events::{Event, Geometry};
use crate::words::{halves, long};

/// When to learn which pixels are hot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Learning {
    /// Never: the mask is given.
    Never,
    /// In the first window, while nothing moves in front of the sensor.
    Once {
        /// Microseconds.
        window: u32,
        /// Events of a good pixel in a window, at most.
        most: u32,
    },
    /// In every window.
    Always {
        /// Microseconds.
        window: u32,
        /// Events of a good pixel in a window, at most.
        most: u32,
    },
}

/// Masks hot pixels; see the [definition](self).
///
/// ```
/// use foveola_core::events::filters::{EventFilter, HotPixels, Learning};
/// use foveola_core::events::{Event, Geometry};
///
/// let sensor = Geometry { cols: 4, rows: 1 };
/// let filter = HotPixels::new(sensor, Learning::Always { window: 1_000_000, most: 100 })?;
/// let mut state = [0; 4];
/// filter.mask(&mut state, 3, 0)?; // known from the factory
///
/// let mut events: Vec<_> = (0..500).map(|i| Event { t: i * 1_000, x: i as u16 % 2 * 3, y: 0, on: true }).collect();
/// assert_eq!(filter.retain(&mut state, &mut events)?, 100); // of pixel 0, which is masked then
/// assert_eq!(filter.masked(&state).collect::<Vec<_>>(), [(0, 0), (3, 0)]);
/// # Ok::<(), foveola_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HotPixels {
    cols: u32,
    rows: u32,
    learning: Learning,
}

/// Of a byte: given as hot; masked; the events.
const GIVEN: u8 = 255;
const MASKED: u8 = 128;
const EVENTS: u8 = 127;

/// The largest `most`: one more is not yet [`GIVEN`].
const MOST: u32 = EVENTS as u32 - 2;

/// Words in front of the bytes.
const HEAD: usize = 3;

const LEARNING: u32 = 1;
const LEARNED: u32 = 2;

impl HotPixels {
    /// For a sensor of this size.
    ///
    /// # Errors
    /// [`Error::EmptyFrame`] without pixels; [`Error::Parameter`] for too many of them, and for a window or a number
    /// out of range.
    pub const fn new(geometry: Geometry, learning: Learning) -> Result<Self, Error> {
        if let Learning::Once { window, most } | Learning::Always { window, most } = learning {
            if window == 0 {
                return Err(Error::Parameter { name: "window", value: 0.0, expected: "1 us or more" });
            }
            if most > MOST {
                return Err(Error::Parameter {
                    name: "most",
                    value: most as f64,
                    expected: "0 to 125 events a window",
                });
            }
        }
        match sides(geometry) {
            Ok([cols, rows]) => Ok(Self { cols, rows, learning }),
            Err(error) => Err(error),
        }
    }

    /// The sensor's size.
    pub const fn geometry(&self) -> Geometry {
        Geometry { cols: self.cols as usize, rows: self.rows as usize }
    }

    /// Words of state.
    pub const fn state_len(&self) -> usize {
        HEAD + bytes::words(self.cols as usize * self.rows as usize)
    }

    /// Its numbers, for a checksum.
    pub(super) const fn numbers(&self) -> [u32; 5] {
        let (kind, window, most) = match self.learning {
            Learning::Never => (0, 0, 0),
            Learning::Once { window, most } => (1, window, most),
            Learning::Always { window, most } => (2, window, most),
        };
        [self.cols, self.rows, kind, window, most]
    }

    /// Masks a pixel as hot, until the state is cleared.
    ///
    /// # Errors
    /// [`Error::Parameter`] when there is no such pixel.
    pub fn mask(&self, state: &mut [u32], x: u16, y: u16) -> Result<(), Error> {
        if u32::from(x) >= self.cols {
            return Err(Error::Parameter { name: "column", value: x.into(), expected: "a column of the sensor" });
        }
        if u32::from(y) >= self.rows {
            return Err(Error::Parameter { name: "row", value: y.into(), expected: "a row of the sensor" });
        }
        bytes::set(state.get_mut(HEAD..).unwrap_or_default(), self.place(x, y), GIVEN);
        Ok(())
    }

    /// Columns and rows of the pixels that are masked now, row by row.
    pub fn masked<'s>(&self, state: &'s [u32]) -> impl Iterator<Item = (u16, u16)> + use<'s> {
        let bytes = state.get(HEAD..).unwrap_or_default();
        let (cols, rows) = (self.cols, self.rows);
        let pixels = (0..rows).flat_map(move |y| (0..cols).map(move |x| (x as u16, y as u16)));
        pixels.enumerate().filter(|(i, _)| bytes::get(bytes, *i).is_some_and(|byte| byte >= MASKED)).map(|(_, at)| at)
    }

    #[inline(always)]
    const fn place(&self, x: u16, y: u16) -> usize {
        y as usize * self.cols as usize + x as usize
    }
}

/// The new value of a byte at the end of a window.
const fn over(byte: u8, most: u32) -> u8 {
    match byte {
        GIVEN => GIVEN,
        byte if (byte & EVENTS) as u32 > most => MASKED,
        _ => 0,
    }
}

/// Whether to count the event. Advances time to `t`, past the end of the window if necessary.
#[inline(always)]
fn reach([phase, low, high]: &mut [u32; HEAD], pixels: &mut [u32], t: u64, window: u32, most: u32, once: bool) -> bool {
    let ahead = t.wrapping_sub(long([*low, *high])).cast_signed();
    match *phase {
        LEARNED => return false,
        LEARNING if ahead < window.into() && ahead >= -i64::from(window) => return true,
        LEARNING => {
            bytes::each(pixels, |byte| over(byte, most));
            *phase = if once { LEARNED } else { LEARNING };
        }
        _ => *phase = LEARNING,
    }
    [*low, *high] = halves(t);
    *phase == LEARNING
}

impl EventFilter for HotPixels {
    fn state_len(&self) -> usize {
        Self::state_len(self)
    }

    #[inline(always)]
    fn pass(&self, state: &mut [u32], event: &mut Event) -> bool {
        if u32::from(event.x) >= self.cols || u32::from(event.y) >= self.rows {
            return false;
        }
        let Some((head, pixels)) = state.split_first_chunk_mut() else { return false };
        let (counts, most) = match self.learning {
            Learning::Never => (false, 0),
            Learning::Once { window, most } => (reach(head, pixels, event.t, window, most, true), most),
            Learning::Always { window, most } => (reach(head, pixels, event.t, window, most, false), most),
        };
        let place = self.place(event.x, event.y);
        let Some(byte) = bytes::get(pixels, place) else { return false };
        if !counts || byte == GIVEN {
            return byte < MASKED;
        }
        // Up to 126: with the mask bit it is not yet GIVEN.
        let events = u32::from(byte & EVENTS).min(MOST) + 1;
        let masked = if events > most { MASKED } else { byte & MASKED };
        bytes::set(pixels, place, masked | events as u8);
        masked == 0
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::events::filters::laws;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};
    use std::{vec, vec::Vec};

    /// A jump back by one window is still a late event; a larger one ends the window.
    #[test]
    fn a_window_ends_behind_more_than_a_window_back() {
        const SENSOR: Geometry = Geometry { cols: 1, rows: 1 };
        let filter = HotPixels::new(SENSOR, Learning::Always { window: 100, most: 1 }).unwrap();
        for (t, kept) in [(1_099, false), (1_100, true), (900, false), (899, true)] {
            let mut state = vec![0; filter.state_len()];
            let mut event = Event { t: 1_000, x: 0, y: 0, on: true };
            assert!(filter.pass(&mut state, &mut event), "the first");
            event.t = t;
            assert_eq!(filter.pass(&mut state, &mut event), kept, "a second one at {t}");
        }
    }

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        #[test]
        fn equals_a_twin(
            (sensor, events) in laws::sensor_and_events(),
            window in prop_oneof![8 => 1_u32..300, 1 => Just(u32::MAX)],
            most in 0_u32..4,
            kind in 0_usize..3,
            cut in laws::cut(),
        ) {
            let learning = [Learning::Never, Learning::Once { window, most }, Learning::Always { window, most }][kind];
            let (mut began, mut counts, mut hot, mut learned) = (None, BTreeMap::<_, u32>::new(), BTreeSet::new(), kind == 0);
            laws::hold(&HotPixels::new(sensor, learning).unwrap(), &events, cut, |event| {
                let at = (event.x, event.y);
                let start = *began.get_or_insert(event.t as i64);
                let ahead = event.t as i64 - start;
                if !learned && !(-i64::from(window)..window.into()).contains(&ahead) {
                    hot = counts.iter().filter(|(_, n)| **n > most).map(|(at, _)| *at).collect();
                    counts.clear();
                    began = Some(event.t as i64);
                    learned = kind == 1;
                }
                if !learned {
                    let n = counts.entry(at).or_default();
                    *n += 1;
                    if *n > most {
                        hot.insert(at);
                    }
                }
                (!hot.contains(&at)).then_some(event)
            }, sensor)?;
        }

        /// A mask that was given reads as it was written, drops its pixels, and stays.
        #[test]
        fn what_is_given_stays((sensor, events) in laws::sensor_and_events(), pixels in prop::collection::vec((0_u16..6, 0_u16..5), 0..9)) {
            let filter = HotPixels::new(sensor, Learning::Always { window: 20, most: 125 }).unwrap();
            let (mut state, mut given) = (vec![0; filter.state_len()], BTreeSet::new());
            for (x, y) in pixels {
                if filter.mask(&mut state, x, y).is_ok() {
                    given.insert((y, x));
                }
                prop_assert_eq!(given.contains(&(y, x)), sensor.contains(&Event { t: 0, x, y, on: true }));
            }
            let mut kept = events.clone();
            let n = filter.retain(&mut state, &mut kept).unwrap();
            let expected: Vec<_> = events.into_iter().filter(|e| sensor.contains(e) && !given.contains(&(e.y, e.x))).collect();
            prop_assert_eq!(&kept[..n], &expected);
            let masked: Vec<_> = filter.masked(&state).map(|(x, y)| (y, x)).collect();
            prop_assert_eq!(masked, given.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_largest_count_is_no_given_mask() {
        let filter =
            HotPixels::new(Geometry { cols: 1, rows: 1 }, Learning::Always { window: 1_000, most: 125 }).unwrap();
        let (mut state, event) = ([0; 4], |t| Event { t, x: 0, y: 0, on: true });
        assert_eq!(filter.retain(&mut state, &mut [event(0); 1_000]), Ok(125));
        assert_eq!(filter.step(&mut state, event(1_000)), Ok(None), "masked while the next window lasts");
        assert_eq!(filter.step(&mut state, event(2_000)), Ok(Some(event(2_000))), "it was quiet");
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let one = Geometry { cols: 1, rows: 1 };
        let new = |window, most| HotPixels::new(one, Learning::Once { window, most }).unwrap_err();
        assert_eq!(std::format!("{}", new(0, 5)), "window is 0; expected 1 us or more");
        assert_eq!(std::format!("{}", new(1, 126)), "most is 126; expected 0 to 125 events a window");
        let filter = HotPixels::new(one, Learning::Never).unwrap();
        assert!(filter.mask(&mut [0; 4], 1, 0).is_err() && filter.mask(&mut [0; 4], 0, 1).is_err(), "no such pixel");
    }
}
