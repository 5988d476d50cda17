//! The time of each pixel's last event, in 32 bits per pixel, unambiguous for 64-bit times and streams of any length.
//!
//! ```text
//! stamp = t - base + 2^31        base: a time of the stream, kept in 64 bits
//! 0     = long ago, or never     so that cleared state is zeros
//! ```
//! Times from `base - 2^30` on and before `base + 2^31` fit into a stamp. When time leaves this range forwards, `base`
//! becomes the present time and every stamp is lowered by the same amount, those of long ago to 0. Ages up to 2^30 us
//! stay exact, and stale stamps are never taken for recent, neither after 71.6 minutes (2^32 us) nor after days. When
//! time leaves the range backwards, the clock has restarted, and all stamps become 0. Smaller steps backwards change
//! nothing: a stamp in the future is not a past event.
//!
//! ```text
//! word   0, 1    base, the lower half first
//!        2 …     stamps, row by row, with an empty pixel before each row, and an empty row above and below
//! ```
//! Every pixel therefore has eight neighbours, and none is a special case. Cost: 5 operations per event, and one pass
//! over the stamps when time advances by 2^31 us (35.8 minutes), or jumps back by 2^30 us or more. A recording whose
//! clock jumps to and fro with every event costs a pass per event. State: `3 + (cols + 1) (rows + 2)` words.

use crate::error::nonempty;
use crate::events::{Event, Geometry};
use crate::words::{halves, long};
use crate::{Error, Shape};

/// The stamp of the present after a pass, `base` itself; and the longest age that must stay exact, plus one.
pub(crate) const BASE: u32 = 1 << 31;
const LONG: u32 = 1 << 30;

/// The longest time constant of a filter with stamps, in microseconds: 17.9 minutes.
pub const LONGEST: u32 = LONG - 1;

/// Words of the clock in front of the stamps.
pub(crate) const CLOCK: usize = 2;

/// `Ok` for a time constant that stamps can express.
pub(super) const fn checked(name: &'static str, us: u32) -> Result<u32, Error> {
    if us >= 1 && us <= LONGEST {
        return Ok(us);
    }
    Err(Error::Parameter { name, value: us as f64, expected: "1 us or more, and less than 2^30 us" })
}

/// The present as a stamp. A stamp `s` of the past is `now - s` microseconds old. For a stamp in the future this wraps
/// to more than [`LONGEST`]; for 0 it is larger in any case.
#[inline(always)]
pub(crate) fn now(clock: &mut [u32; CLOCK], stamps: &mut [u32], t: u64) -> u32 {
    let base = long(*clock);
    let now = t.wrapping_sub(base).wrapping_add(BASE.into());
    if now >> 32 == 0 && now as u32 >= LONG {
        return now as u32;
    }
    *clock = halves(t);
    rebase(stamps, base, t);
    BASE
}

/// The present, and the stamps after the clock.
#[inline(always)]
pub(super) fn split(state: &mut [u32], t: u64) -> Option<(u32, &mut [u32])> {
    let (clock, stamps) = state.split_first_chunk_mut()?;
    Some((now(clock, stamps, t), stamps))
}

/// The pass: rare, so it is not inlined.
#[cold]
#[inline(never)]
fn rebase(stamps: &mut [u32], base: u64, t: u64) {
    match t.checked_sub(base).map(u32::try_from) {
        Some(Ok(shift)) => stamps.iter_mut().for_each(|stamp| *stamp = stamp.saturating_sub(shift)),
        Some(Err(_)) | None => stamps.fill(0),
    }
}

/// Where the pixels of a sensor have their stamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamps {
    cols: u32,
    rows: u32,
}

impl Stamps {
    /// For a sensor of this size.
    pub(crate) const fn new(geometry: Geometry) -> Result<Self, Error> {
        match sides(geometry) {
            Ok([cols, rows]) => Ok(Self { cols, rows }),
            Err(error) => Err(error),
        }
    }

    pub(crate) const fn geometry(self) -> Geometry {
        Geometry { cols: self.cols as usize, rows: self.rows as usize }
    }

    /// Words of state, the clock's included.
    pub(crate) const fn len(self) -> usize {
        CLOCK + 1 + self.stride() * (self.rows as usize + 2)
    }

    /// Words from a pixel to the one below.
    #[inline(always)]
    pub(crate) const fn stride(self) -> usize {
        self.cols as usize + 1
    }

    /// Index of the stamp of the event's upper left neighbour, after the clock; `None` outside the sensor.
    #[inline(always)]
    pub(crate) const fn corner(self, event: &Event) -> Option<usize> {
        if event.x as u32 >= self.cols || event.y as u32 >= self.rows {
            return None;
        }
        Some(event.y as usize * self.stride() + event.x as usize)
    }

    /// Index of the stamp of the event's pixel, after the clock; `None` outside the sensor.
    #[inline(always)]
    pub(crate) const fn place(self, event: &Event) -> Option<usize> {
        match self.corner(event) {
            Some(corner) => Some(corner + self.stride() + 1),
            None => None,
        }
    }
}

/// Columns and rows, if there are any and words for all pixels can be addressed.
pub(crate) const fn sides(Geometry { cols, rows }: Geometry) -> Result<[u32; 2], Error> {
    if let Err(error) = nonempty(Shape::new(1, rows, cols)) {
        return Err(error);
    }
    if cols > 1 << 16 || rows > 1 << 16 || (cols + 1).saturating_mul(rows + 2) > usize::MAX / 16 {
        let value = (cols as f64) * (rows as f64);
        return Err(Error::Parameter {
            name: "pixels",
            value,
            expected: "as many as memory can hold, and 65536 a side",
        });
    }
    Ok([cols as u32, rows as u32])
}
