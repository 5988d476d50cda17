//! A clock of few bits, continued over its wraps.
//!
//! ```text
//! step = (told - now) mod 2^BITS, the one nearest to 0;   |step| <= near: now + step, else told as it stands
//! ```
//! A step that is too large to be believed is a gap, a restart or damage: then the bits told replace those of the last time.
//! Cost: about 10 operations.

/// A time, once there is one; smaller than an `Option`, which would not fit in a decoder's 64 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(u64);

impl Clock {
    pub(super) const NEVER: Self = Self(u64::MAX);

    #[inline]
    pub(super) const fn get(self) -> Option<u64> {
        if self.0 == u64::MAX { None } else { Some(self.0) }
    }

    /// Goes to `t`; returns whether that is back in time.
    #[inline]
    pub(super) fn set(&mut self, t: u64) -> bool {
        let back = self.get() > Some(t);
        self.0 = t;
        back
    }
}

/// The time that follows `now` when `BITS` bits of it are `told`.
#[inline]
pub(super) const fn continued<const BITS: u32>(now: u64, told: u64, near: u64) -> u64 {
    let mask = (1 << BITS) - 1;
    let ahead = told.wrapping_sub(now) & mask;
    let back = now.wrapping_sub(told) & mask;
    if ahead <= near {
        now.saturating_add(ahead)
    } else if back <= near && back <= now {
        now - back
    } else {
        now & !mask | told & mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_of_eight_bits() {
        // now, told, then
        let cases = [
            (0, 5, 5),
            (250, 255, 255),
            (250, 3, 259),         // over the wrap
            (259, 250, 250),       // and back
            (3, 250, 250),         // there was no time before 0: a gap
            (300, 200, 256 + 200), // too far: a gap
            (500, 300, 256 + 44),  // too far: backwards
            (u64::MAX, 2, u64::MAX),
        ];
        for (now, told, then) in cases {
            assert_eq!(continued::<8>(now, told, 16), then, "{now}, {told}");
        }
    }
}
