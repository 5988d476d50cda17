//! A clock of few bits, continued over its wraps, whose damaged times are not believed.
//!
//! ```text
//! step = (told - now) mod 2^BITS, the one nearest to 0;   |step| <= near: now + step, else told as it stands
//! far    |next - now| > largest      believed if the time told before was far, too, and is within `largest` of it,
//!                                    or as the third far time in a row
//! ```
//! A step that is too large to be plausible is a gap, a restart or damage: then the bits told replace those of the last
//! time, once the next time confirms them ([`Suspect`]). Until then the clock stands: events in between have its time.
//! A flipped bit in a time therefore costs nothing but that time, and so do two such times in a row. After three, the
//! last is believed: a sparse recording goes on, and a clock never stands for long.
//! Cost: about 10 operations for each time.

use crate::events::Skipped;
use crate::events::decode::count;
use crate::words::{put_longs, take_long};

/// The step that a decoder believes at once, in units of its time high: `units`, in a range.
pub(super) const fn steps(units: u64, [least, most]: [u32; 2]) -> u32 {
    if units >= most as u64 {
        most
    } else if units <= least as u64 {
        least
    } else {
        units as u32
    }
}

/// An optional time, in half the bytes of an `Option`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(u64);

impl Clock {
    pub(super) const NEVER: Self = Self(u64::MAX);

    #[inline]
    pub(super) const fn get(self) -> Option<u64> {
        if self.0 == u64::MAX { None } else { Some(self.0) }
    }

    /// Number of words that [`Clock::save`] writes.
    pub(super) const SAVED: usize = 2;

    /// The time, in words.
    pub(super) fn save(self, put: &mut impl FnMut(u32)) {
        put_longs(&[self.0], put);
    }

    /// Reads what [`Clock::save`] wrote.
    pub(super) fn restore(take: &mut impl FnMut() -> u32) -> Self {
        Self(take_long(take))
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
    let step = step::<BITS>(now as u32, told as u32); // in 32 bits, which a small processor has
    let next = if step.unsigned_abs() as u64 <= near { now.checked_add_signed(step as i64) } else { None };
    match next {
        Some(next) => next,
        None => now & !mask | told & mask,
    }
}

/// Far times in a row that are not believed.
const REFUSED: u8 = 2;

/// The last time that was told, if it was far from the clock and is not confirmed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Suspect {
    /// Its bits, or [`Suspect::NOBODY`].
    told: u32,
    /// Events since.
    events: u16,
    /// How many more far times are not believed.
    left: u8,
}

impl Suspect {
    const NOBODY: u32 = u32::MAX;

    /// Every time so far was believed.
    pub(super) const NONE: Self = Self { told: Self::NOBODY, events: 0, left: REFUSED };

    /// The next time is believed, whatever it is: another recording begins, or bytes were lost.
    pub(super) const ANY: Self = Self { left: 0, ..Self::NONE };

    /// Whether a time waits to be confirmed.
    #[inline]
    pub(super) const fn waits(&self) -> bool {
        self.told != Self::NOBODY
    }

    /// Whether the next time counts as any other does: none waits, and not every one is believed.
    #[inline]
    pub(super) const fn is_clear(&self) -> bool {
        self.left == REFUSED
    }

    /// `n` events have the clock's time.
    pub(super) fn add(&mut self, n: u32) {
        if self.waits() {
            self.events = self.events.saturating_add(n as u16); // a vector's
        }
    }

    /// The time that follows `now` when `BITS` bits of it are `told`, if that is believed: a step of at most `largest`,
    /// or confirmed. A time that is not believed counts as unconfirmed until the next one confirms it.
    pub(super) fn hear<const BITS: u32>(
        &mut self,
        now: u64,
        told: u32,
        [near, largest]: [u32; 2],
        skipped: &mut Skipped,
    ) -> Option<u64> {
        let next = continued::<BITS>(now, told.into(), near.into());
        if next.abs_diff(now) > largest.into() {
            let is_confirmed = self.waits() && step::<BITS>(self.told, told).unsigned_abs() <= largest;
            if !is_confirmed && self.left > 0 {
                count(&mut skipped.unconfirmed, 1);
                (self.told, self.left) = (told, self.left - 1);
                return None;
            }
            skipped.unconfirmed = skipped.unconfirmed.saturating_sub(is_confirmed.into());
            count(&mut skipped.early, self.events.into());
        }
        *self = Self::NONE;
        Some(next)
    }

    /// Number of words that [`Suspect::save`] writes.
    pub(super) const SAVED: usize = 2;

    /// All that is known, in words.
    pub(super) fn save(&self, put: &mut impl FnMut(u32)) {
        let Self { told, events, left } = *self;
        put(told);
        put(u32::from(events) << 8 | u32::from(left));
    }

    /// Reads what [`Suspect::save`] wrote.
    pub(super) fn restore(take: &mut impl FnMut() -> u32) -> Self {
        let (told, rest) = (take(), take());
        Self { told, events: (rest >> 8) as u16, left: (rest as u8).min(REFUSED) }
    }
}

/// The step from one time to another modulo `2^BITS`, the one nearest to 0.
#[inline]
const fn step<const BITS: u32>(from: u32, to: u32) -> i32 {
    // Sign extended from BITS bits.
    (to.wrapping_sub(from) << (32 - BITS)).cast_signed() >> (32 - BITS)
}

/// Wraps that [`lead`] crosses at once: more are not a gap in a recording.
const MOST: u64 = 1 << 17;

/// Whether a decoder's clock at `now` needs the time `told` twice to believe it.
pub(super) const fn is_far<const BITS: u32>(now: u64, told: u64, [near, largest]: [u32; 2]) -> bool {
    continued::<BITS>(now, told, near as u64).abs_diff(now) > largest as u64
}

/// For an encoder: gives to `tell` the times that a sensor would send for a decoder's clock to go from `now` to
/// `target`. Crossing a wrap takes three times more: the middle, the last one, and 0, because some decoders see a wrap
/// only where the last time is followed by 0. A time that is far from the one before is told twice, which confirms it.
/// Returns false, and gives nothing, if `target` is too far ahead, or too far back.
pub(super) fn lead<const BITS: u32>(
    mut now: Option<u64>,
    target: u64,
    limits: [u32; 2],
    mut tell: impl FnMut(u64),
) -> bool {
    let near = u64::from(limits[0]);
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
        if now.is_some_and(|now| is_far::<BITS>(now, told, limits)) {
            tell(told);
        }
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
            lead::<8>(None, target, [16, 255], |_| told += 1).then_some(told)
        };
        let farthest = (MOST << 8) + 255;
        assert!(count(farthest).is_some_and(|told| (MOST..4 * MOST).contains(&told)), "{:?}", count(farthest));
        assert_eq!(count(farthest + 1), None);
        assert!(!lead::<8>(None, farthest + 1, [16, 255], |_| unreachable!("nothing is told")));
    }

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        #[test]
        fn a_clock_is_led_to_its_target(
            start in prop::option::of(0_u64..2000), target in 0_u64..4000, largest in 1_u32..60,
        ) {
            let (mut now, mut suspect, mut skipped) = (start, Suspect::NONE, Skipped::NOTHING);
            let mut told = 0;
            let led = lead::<8>(start, target, [16, largest], |bits| {
                match now {
                    None => now = Some(bits),
                    Some(t) => now = suspect.hear::<8>(t, bits as u32, [16, largest], &mut skipped).or(now),
                }
                told += 1;
            });
            if led {
                prop_assert_eq!((now, suspect, skipped.unconfirmed), (Some(target), Suspect::NONE, 0));
                prop_assert!(told <= 6 * (target / 256 + 2), "{} times for {:?} to {}", told, start, target);
            } else {
                prop_assert!(start > Some(target) && told == 0, "{:?} to {}", start, target);
            }
        }
    }
}
