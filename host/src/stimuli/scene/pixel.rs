//! One pixel: the times at which its photoreceptor signal, linear in time, crosses its thresholds.

use super::origin::Origin;

/// One pixel of a sensor. All levels are natural logarithms of luminance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pixel {
    /// Reference at time `wake`; it decreases from there by `leak`.
    pub(super) reference: f32,
    pub(super) threshold_on: f32,
    pub(super) threshold_off: f32,
    /// The photoreceptor signal at the last sample: luminance, or its low-passed logarithm.
    pub(super) before: f32,
    /// Level before the low-pass at the last sample.
    pub(super) unfiltered: f32,
    /// Decrease of the reference per microsecond.
    pub(super) leak: f32,
    /// Time in microseconds until which the pixel is blind.
    pub(super) wake: f64,
}

/// Two levels between which a pixel emits no events.
pub(super) type Bounds = (f32, f32);

/// Bounds of a pixel that must be processed in every sample.
pub(super) const LOOK: Bounds = (f32::INFINITY, f32::NEG_INFINITY);

impl Pixel {
    /// Levels between which the pixel emits no events from time `now` until `horizon`.
    pub(super) fn bounds(&self, now: f64, horizon: f64) -> Bounds {
        let reference = |t: f64| (f64::from(self.reference) - f64::from(self.leak) * (t - self.wake)) as f32;
        (reference(now) - self.threshold_off, reference(horizon) + self.threshold_on)
    }

    /// Whether the pixel is blind at time `t`.
    pub(super) fn is_blind(&self, t: f64) -> bool {
        self.wake > t
    }

    /// Follows the level on a straight line from `from` at time `start` to `to` at time `end`.
    ///
    /// A decreasing reference is equivalent to an increasing level: the line is compared with the reference at time `wake`.
    pub(super) fn follow(
        &mut self,
        (start, from): (f64, f32),
        (end, to): (f64, f32),
        refractory: f64,
        mut event: impl FnMut(u64, bool, Origin),
    ) {
        let slope = f64::from(to - from) / (end - start);
        let leak = f64::from(self.leak);
        loop {
            if self.wake > start {
                if self.wake > end {
                    return;
                }
                self.reference = (f64::from(from) + slope * (self.wake - start)) as f32;
            }
            let risen = |level: f32, t: f64| (f64::from(level) + leak * (t - self.wake)) as f32;
            let (first, last) = (risen(from, start), risen(to, end));
            let (level, on) = if last - self.reference >= self.threshold_on {
                (self.reference + self.threshold_on, true)
            } else if self.reference - last >= self.threshold_off {
                (self.reference - self.threshold_off, false)
            } else {
                return;
            };
            // Rounding may move the crossing slightly outside, but never before the end of the blind time.
            let t = (start + f64::from(level - first) / (slope + leak)).max(self.wake.max(start)).min(end);
            let t = if t.is_nan() { end } else { t };
            let drift = leak * (t - self.wake);
            let leaked = on && leak > slope;
            event(t as u64, on, if leaked { Origin::Leak } else { Origin::Signal });
            self.reference = (f64::from(level) - drift) as f32;
            self.wake = t + refractory;
        }
    }
}
