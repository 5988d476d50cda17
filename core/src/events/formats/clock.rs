//! A clock of few bits, continued over its wraps.
//!
//! ```text
//! step = (told - now) mod 2^BITS, the one nearest to 0;   |step| <= near: now + step, else told as it stands
//! ```
//! A step that is too large to be plausible is a gap, a restart or damage: then the bits told replace those of the last
//! time.
//! Cost: about 10 operations.

/// An optional time, in half the bytes of an `Option`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(u64);

impl Clock {
    pub(super) const NEVER: Self = Self(u64::MAX);

    #[inline]
    pub(super) const fn get(self) -> Option<u64> {
        if self.0 == u64::MAX { None } else { Some(self.0) }
    }

    /// Sets the time to `t`; returns whether that is back in time.
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
    // Sign extended from BITS bits: in 32 bits, which a small processor has.
    let step = ((told.wrapping_sub(now) as u32) << (32 - BITS)).cast_signed() >> (32 - BITS);
    let next = if step.unsigned_abs() as u64 <= near { now.checked_add_signed(step as i64) } else { None };
    match next {
        Some(next) => next,
        None => now & !mask | told & mask,
    }
}

/// Wraps that [`lead`] crosses at once: more are not a gap in a recording.
const MOST: u64 = 1 << 17;

/// For an encoder: gives to `tell` the times that a sensor would send for a decoder's clock to go from `now` to
/// `target`. Crossing a wrap takes three times more: the middle, the last one, and 0, because some decoders see a wrap
/// only where the last time is followed by 0. Returns false, and gives nothing, if `target` is too far ahead, or too
/// far back.
pub(super) fn lead<const BITS: u32>(mut now: Option<u64>, target: u64, near: u64, mut tell: impl FnMut(u64)) -> bool {
    let (last, half) = ((1 << BITS) - 1, 1 << (BITS - 1));
    let reaches = |now: u64| target >> BITS <= now >> BITS && continued::<BITS>(now, target & last, near) == target;
    let is_back = now.is_some_and(|now| target < now && !reaches(now));
    if is_back || target.saturating_sub(now.unwrap_or(0)) >> BITS > MOST {
        return false;
    }
    while now != Some(target) {
        let told = match now {
            // Some decoders see no wrap where the first time is the last.
            None if target <= last => target,
            None => half,
            Some(now) if reaches(now) => target & last,
            Some(now) if now & last == last => 0,
            Some(now) if now & last >= half => last,
            Some(_) => half,
        };
        tell(told);
        now = Some(now.map_or(told, |now| continued::<BITS>(now, told, near)));
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_clock_of_eight_bits() {
        // now, told, then
        let cases = [
            (0, 5, 5),
            (250, 255, 255),
            (250, 3, 259),                     // over the wrap
            (259, 250, 250),                   // and back
            (3, 250, 250),                     // there was no time before 0: a gap
            (300, 200, 256 + 200),             // too far: a gap
            (500, 300, 256 + 44),              // too far: backwards
            (u64::MAX, 2, u64::MAX - 255 + 2), // no time is larger
        ];
        for (now, told, then) in cases {
            assert_eq!(continued::<8>(now, told, 16), then, "{now}, {told}");
        }
    }

    /// The farthest time that is told, and one of the next wrap, which is refused before anything is.
    #[test]
    fn a_clock_is_led_over_so_many_wraps() {
        let count = |target: u64| {
            let mut told = 0_u64;
            lead::<8>(None, target, 16, |_| told += 1).then_some(told)
        };
        let farthest = (MOST << 8) + 255;
        assert!(count(farthest).is_some_and(|told| (MOST..4 * MOST).contains(&told)), "{:?}", count(farthest));
        assert_eq!(count(farthest + 1), None);
        assert!(!lead::<8>(None, farthest + 1, 16, |_| unreachable!("nothing is told")));
    }

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        #[test]
        fn a_clock_is_led_to_its_target(start in prop::option::of(0_u64..2000), target in 0_u64..4000) {
            let mut now = start;
            let mut told = 0;
            let led = lead::<8>(start, target, 16, |bits| {
                now = Some(now.map_or(bits, |now| continued::<8>(now, bits, 16)));
                told += 1;
            });
            if led {
                prop_assert_eq!(now, Some(target));
                prop_assert!(told <= 3 * (target / 256 + 2), "{} times for {:?} to {}", told, start, target);
            } else {
                prop_assert!(start > Some(target) && told == 0, "{:?} to {}", start, target);
            }
        }
    }
}
