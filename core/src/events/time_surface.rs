//! Exponential decay surface: each event raises its pixel, and time lowers all of them.
//!
//! ```text
//! s[j](t) = sum over events i of pixel j, t[i] <= t, of  p[i] exp(-(t - t[i]) / tau)      (the sum)
//! s[j](t) = p exp(-(t - t') / tau)         t', p: time and sign of the pixel's last event  (TimeSurface::last_only)
//! signed: p = +1 for ON, -1 for OFF, one channel;   split: p = 1, channel 0 for ON, channel 1 for OFF
//! ```
//! An event changes only its own pixel ([`TimeSurface::add`]), which stores its value and the time of that value.
//! [`TimeSurface::read`] computes the decay since then. The result is that of [`LowPass`](crate::LowPass) without the
//! frames: with times in steps of `dt` ([`TimeSurface::in_steps`]) the sum is `y / (1 - a)`, where `y` is the low-pass
//! of the frames of counts of an [`Accumulator`](super::Accumulator) with bins of `dt`, and `a = exp(-dt / tau)`.
//!
//! `tau` is in microseconds, 1 to 2^24 (16.8 s), `dt` 1 to 2^24. Rounding: a decay by `exp(-x)` is off by a factor of
//! `1 +- (2 + x) eps`, eps = 1.2e-7 (the exponent is rounded twice; its exponential, to one unit in the last place, and
//! the product are rounded, too). Each event is one such decay and one sum. After 40 `tau` the value is 0 instead of
//! exp(-40) = 4e-18, so a surface does not decay into subnormal numbers, whose bits and speed depend on the machine.
//!
//! A late event counts with what would be left of it at the time of the pixel's last event (the sum), or not at all
//! (last only). When the clock jumps back by 2^30 us or more, the surface becomes 0. Events outside the sensor are
//! ignored.
//!
//! Cost: about 90 instructions in total per event on a Cortex-M7, and about 70 per pixel that is read; each computes one
//! exponential. State: `2 + 2 channels cols rows` words: the clock and one stamp per sample as in
//! [`filters::stamps`](super::filters::stamps), without border, then the values, `f32` in 32 bits.
//! Reference: X. Lagorce, G. Orchard, F. Galluppi, B. Shi and R. Benosman, HOTS: a hierarchy of event-based
//! time-surfaces, IEEE Trans. PAMI 39(7), 2017, doi:10.1109/TPAMI.2016.2574707 (last only).

use super::filters::stamps::{BASE, CLOCK, now, sides};
use super::{Event, Geometry, Polarity};
use crate::error::exact;
use crate::words::long;
use crate::{Error, Sample, Shape};
use core::num::{NonZeroU32, NonZeroU64};

/// A decaying trace of every pixel's events; see the [equation](self).
///
/// ```
/// use foveola_core::constant;
/// use foveola_core::events::{Event, Geometry, Polarity, TimeSurface};
///
/// const SURFACE: TimeSurface = constant!(TimeSurface::new(Geometry { cols: 2, rows: 1 }, Polarity::Signed, 10_000));
/// let mut state = [0; SURFACE.state_len()];
/// let event = |t, x, on| Event { t, x, y: 0, on };
/// SURFACE.add(&mut state, &[event(0, 0, true), event(10_000, 0, true), event(10_000, 1, false)])?;
///
/// let mut frame = [0.0_f32; SURFACE.shape().len()];
/// SURFACE.read(&state, 20_000, &mut frame)?; // whenever it is needed
/// let e = (-1.0_f32).exp();
/// assert!((frame[0] - (e + e * e)).abs() < 1e-6 && (frame[1] + e).abs() < 1e-6);
/// # Ok::<(), foveola_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeSurface {
    cols: u32,
    rows: u32,
    polarity: Polarity,
    tau: NonZeroU32,
    dt: NonZeroU32,
    last_only: bool,
}

/// The longest `tau` and `dt`: what is older than stamps can express has decayed to less than the smallest float,
/// exp(-128).
const LONGEST: u32 = 1 << 24;

const fn checked(name: &'static str, us: u32) -> Result<NonZeroU32, Error> {
    if us <= LONGEST
        && let Some(us) = NonZeroU32::new(us)
    {
        return Ok(us);
    }
    Err(Error::Parameter { name, value: us as f64, expected: "1 to 2^24 us" })
}

impl TimeSurface {
    /// For a sensor of this size: time constant `tau` in microseconds.
    ///
    /// # Errors
    /// [`Error::EmptyFrame`] without pixels; [`Error::Parameter`] for too many of them, and when `tau` is out of range.
    pub const fn new(geometry: Geometry, polarity: Polarity, tau: u32) -> Result<Self, Error> {
        match (sides(geometry), checked("tau", tau)) {
            (Ok([cols, rows]), Ok(tau)) => {
                Ok(Self { cols, rows, polarity, tau, dt: NonZeroU32::MIN, last_only: false })
            }
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }

    /// Rounds all times down to steps of `dt` microseconds, as frames of counts in bins of `dt` do.
    ///
    /// # Errors
    /// [`Error::Parameter`] when `dt` is out of range.
    pub const fn in_steps(self, dt: u32) -> Result<Self, Error> {
        match checked("dt", dt) {
            Ok(dt) => Ok(Self { dt, ..self }),
            Err(error) => Err(error),
        }
    }

    /// Lets each event replace the value of its pixel: values are 1 and -1 at most.
    #[must_use]
    pub const fn last_only(self) -> Self {
        Self { last_only: true, ..self }
    }

    /// Shape of a frame: two channels for [`Polarity::Split`], one for [`Polarity::Signed`].
    pub const fn shape(&self) -> Shape {
        self.polarity.shape(self.rows as usize, self.cols as usize)
    }

    /// Words of state. Cleared state is zeros: no events yet.
    pub const fn state_len(&self) -> usize {
        CLOCK + 2 * self.shape().len()
    }

    /// Adds events to the surface, and returns how many of them lie on the sensor.
    ///
    /// # Errors
    /// [`Error::Length`] when `state` has another length than [`TimeSurface::state_len`]; nothing is changed then.
    pub fn add(&self, state: &mut [u32], events: &[Event]) -> Result<usize, Error> {
        exact(STATE, state.len(), self.state_len())?;
        let Some((clock, samples)) = state.split_first_chunk_mut() else { return Ok(0) };
        let (stamps, values) = samples.split_at_mut_checked(self.shape().len()).unwrap_or_default();
        let mut added = 0;
        for event in events {
            let (x, y) = (u32::from(event.x), u32::from(event.y));
            if x >= self.cols || y >= self.rows {
                continue;
            }
            let now = now(clock, stamps, self.step_of(event.t));
            let off_channel = if event.on || self.polarity == Polarity::Signed { 0 } else { self.rows as usize };
            let place = (off_channel + y as usize) * self.cols as usize + x as usize;
            let (Some(stamp), Some(value)) = (stamps.get_mut(place), values.get_mut(place)) else { continue };
            let sign = if event.on || self.polarity == Polarity::Split { 1.0 } else { -1.0 };
            let old = if *stamp == 0 { 0.0 } else { f32::from_bits(*value) };
            let (sum, late) = match now.checked_sub(*stamp) {
                Some(age) => (old * self.left(age) + sign, false),
                None => (old + sign * self.left(*stamp - now), true),
            };
            if !self.last_only {
                *value = sum.to_bits();
            } else if !late {
                *value = sign.to_bits();
            }
            *stamp = now.max(*stamp);
            added += 1;
        }
        Ok(added)
    }

    /// The surface at time `t` (microseconds). A pixel with an event after `t` has its value at that event.
    ///
    /// # Errors
    /// [`Error::Length`] when `state` or `frame` does not fit.
    pub fn read<T: Sample>(&self, state: &[u32], t: u64, frame: &mut [T]) -> Result<(), Error> {
        exact(STATE, state.len(), self.state_len())?;
        exact("the frame of a time surface", frame.len(), self.shape().len())?;
        let Some((clock, samples)) = state.split_first_chunk() else { return Ok(()) };
        let (stamps, values) = samples.split_at_checked(frame.len()).unwrap_or_default();
        let now = self.step_of(t).wrapping_sub(long(*clock)).cast_signed().saturating_add(BASE.into());
        for ((stamp, value), sample) in stamps.iter().zip(values).zip(frame) {
            let age = now.saturating_sub((*stamp).into()).clamp(0, u32::MAX.into()) as u32;
            let value = if *stamp == 0 { 0.0 } else { f32::from_bits(*value) * self.left(age) };
            *sample = T::from_f64(value.into());
        }
        Ok(())
    }

    /// What is left of 1 after `age` microseconds.
    #[inline(always)]
    fn left(&self, age: u32) -> f32 {
        let faded = age as f32 / self.tau.get() as f32;
        if faded > FADED { 0.0 } else { libm::expf(-faded) }
    }

    /// The start of the step of `t`.
    #[inline(always)]
    fn step_of(&self, t: u64) -> u64 {
        // 64-bit division is slow on a microcontroller.
        if self.dt == NonZeroU32::MIN { t } else { t - t % NonZeroU64::from(self.dt) }
    }
}

/// Time constants after which the value is 0. What is left of a late event, and then of the sum with it, is a normal
/// number: exp(-80).
const FADED: f32 = 40.0;

const STATE: &str = "the state of a time surface";

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::events::filters::laws::{self, Past};
    use crate::{Decay, Filter, LowPass};
    use proptest::prelude::*;
    use std::{vec, vec::Vec};

    const EPS: f64 = f32::EPSILON as f64;

    /// An event as an accumulator sees it: the number of its step, its index in a frame, and its sign.
    fn samples(surface: &TimeSurface, dt: u32, event: &Event) -> (u64, usize, f64) {
        let Shape { rows, cols, .. } = surface.shape();
        let channel = usize::from(surface.polarity == Polarity::Split && !event.on);
        let sign = if surface.polarity == Polarity::Signed && !event.on { -1.0 } else { 1.0 };
        (event.t / u64::from(dt), (channel * rows + usize::from(event.y)) * cols + usize::from(event.x), sign)
    }

    /// The bound on rounding for events of one pixel, by their ages in units of tau, the oldest first: from event to
    /// event and to the reading each decays once more, and is summed; 5e-18 counts as nothing.
    fn rounding(ages: impl DoubleEndedIterator<Item = f64>) -> f64 {
        let fadings = (1..).map(f64::from);
        let each = ages.rev().zip(fadings).map(|(age, fadings)| EPS * (-age).exp() * (2.5 * fadings + age) + 5e-18);
        each.sum()
    }

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        /// The dense recursive filter of frames of counts, in double precision, gives the same result as the events
        /// alone.
        #[test]
        fn equals_the_low_pass_of_counts(
            raw in prop::collection::vec((0_u64..400, 0_u16..3, 0_u16..2, any::<bool>()), 1..80),
            start in prop_oneof![Just(0_u64), 0_u64..1 << 40],
            polarity in prop_oneof![Just(Polarity::Signed), Just(Polarity::Split)],
            dt in 1_u32..300,
            steps in 0.3_f64..200.0,
        ) {
            let sensor = Geometry { cols: 3, rows: 2 };
            let tau = ((steps * f64::from(dt)) as u32).max(1);
            let surface = TimeSurface::new(sensor, polarity, tau).unwrap().in_steps(dt).unwrap();
            let shape = surface.shape();
            let mut t = start;
            let events: Vec<_> = raw.into_iter().map(|(step, x, y, on)| { t += step; Event { t, x, y, on } }).collect();

            let decay = Decay::new(f64::from(tau) * 1e-6, 1e6 / f64::from(dt)).unwrap();
            let low_pass = LowPass::new(shape, decay);
            let (mut dense, mut y) = (vec![0.0_f64; shape.len()], vec![0.0_f64; shape.len()]);
            let (mut seen, mut state) = (Vec::new(), vec![0; surface.state_len()]);
            let (first, last) = (start / u64::from(dt), t / u64::from(dt));
            let mut rest = &events[..];
            for n in first..=last + 3 {
                let mut counts = vec![0.0; shape.len()];
                while let Some((event, others)) = rest.split_first() && samples(&surface, dt, event).0 == n {
                    let (_, place, sign) = samples(&surface, dt, event);
                    counts[place] += sign;
                    seen.push((n, place));
                    rest = others;
                    prop_assert_eq!(surface.add(&mut state, &[*event]), Ok(1));
                }
                low_pass.advance(0, &mut y, &mut [], &counts, &mut dense).unwrap();
                let mut lazy = vec![0.0_f64; shape.len()];
                surface.read(&state, n * u64::from(dt) + u64::from(dt) - 1, &mut lazy).unwrap();
                for (place, (lazy, dense)) in lazy.iter().zip(&dense).enumerate() {
                    let dense = dense / decay.gain();
                    let age = |then: u64| (n - then) as f64 * f64::from(dt) / f64::from(tau);
                    let bound = rounding(seen.iter().filter(|(_, at)| *at == place).map(|(then, _)| age(*then)));
                    prop_assert!((lazy - dense).abs() <= bound, "step {n}: {lazy} where the low-pass gives {dense} (+- {bound:e})");
                }
            }
        }

        /// The definition, for any stream: late events, days, and times that wrap at 32 bits.
        #[test]
        fn equals_a_twin_with_64_bit_times(
            (sensor, events) in laws::sensor_and_events(),
            polarity in prop_oneof![Just(Polarity::Signed), Just(Polarity::Split)],
            tau in prop_oneof![4 => 1_u32..100, 1 => Just(LONGEST)],
            last_only: bool,
            later in prop_oneof![0_u64..200, Just(1 << 24), Just(1 << 31), Just((1 << 32) + 3), Just(1 << 40)],
            cut in laws::cut(),
        ) {
            let surface = TimeSurface::new(sensor, polarity, tau).unwrap();
            let surface = if last_only { surface.last_only() } else { surface };
            let (mut past, mut seen) = (Past::default(), Vec::<(i64, usize, f64)>::new());
            for event in events.iter().filter(|event| sensor.contains(event)) {
                if past.reach(event.t) {
                    seen.clear();
                }
                let (_, place, sign) = samples(&surface, 1, event);
                seen.push((event.t as i64, place, sign));
            }
            let now = seen.iter().map(|(t, ..)| *t).max().unwrap_or(0) + later as i64;
            let mut expected = vec![0.0; surface.shape().len()];
            let mut bounds = vec![0.0; surface.shape().len()];
            for (place, (sample, bound)) in expected.iter_mut().zip(&mut bounds).enumerate() {
                let mut here: Vec<_> = seen.iter().filter(|(_, at, _)| *at == place).collect();
                if last_only {
                    let newest = here.iter().map(|(t, ..)| *t).max();
                    here = here.into_iter().rev().find(|(t, ..)| Some(*t) == newest).into_iter().collect();
                }
                let age = |t: i64| (now - t) as f64 / f64::from(tau);
                *sample = here.iter().map(|(t, _, sign)| sign * (-age(*t)).exp()).sum();
                *bound = rounding(here.iter().map(|(t, ..)| age(*t)));
            }

            let (mut whole, mut pieces) = (vec![0; surface.state_len()], vec![0; surface.state_len()]);
            let inside = events.iter().filter(|event| sensor.contains(event)).count();
            prop_assert_eq!(surface.add(&mut whole, &events), Ok(inside));
            for piece in events.chunks(cut.0) {
                surface.add(&mut pieces, piece).unwrap();
            }
            prop_assert!(whole == pieces, "cut into pieces of {}", cut.0);
            let mut frame = vec![0.0_f32; expected.len()];
            surface.read(&whole, now as u64, &mut frame).unwrap();
            for ((found, expected), bound) in frame.iter().zip(&expected).zip(&bounds) {
                prop_assert!((f64::from(*found) - expected).abs() <= *bound, "{found}, expected {expected} +- {bound:e}");
            }
        }
    }

    /// What is left of an event that is late by up to 150 time constants, and of that after some more, is a normal number or 0.
    #[test]
    fn no_subnormal_number_arises() {
        let surface = TimeSurface::new(Geometry { cols: 1, rows: 1 }, Polarity::Signed, 100).unwrap();
        for later in (0..15_000).step_by(7) {
            let mut state = [0; 4];
            let event = |t, on| Event { t, x: 0, y: 0, on };
            // The first two cancel at 15 ms, the last one is late.
            surface.add(&mut state, &[event(15_000, true), event(15_000, false), event(later, true)]).unwrap();
            for t in [15_000, 15_090, 18_900, 19_100, 25_000] {
                let mut frame = [0.0_f32];
                surface.read(&state, t, &mut frame).unwrap();
                assert!(frame[0] == 0.0 || frame[0].is_normal(), "{frame:?} at {t}, an event of {later}");
            }
            let left = f32::from_bits(state[3]);
            assert_eq!(left != 0.0, later >= 11_000, "{left} of an event that is {} us late", 15_000 - later);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let one = Geometry { cols: 1, rows: 1 };
        let surface = TimeSurface::new(one, Polarity::Split, 1_000).unwrap();
        assert_eq!(surface.state_len(), 6);
        assert!(surface.add(&mut [0; 5], &[]).is_err() && surface.read(&[0; 7], 0, &mut [0.0_f32; 2]).is_err());
        assert!(surface.read(&[0; 6], 0, &mut [0.0_f32; 1]).is_err() && surface.in_steps(0).is_err());
        assert!(TimeSurface::new(one, Polarity::Split, (1 << 24) + 1).is_err(), "longer than stamps can tell");
    }
}
