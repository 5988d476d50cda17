//! Finite bandwidth: a first-order low-pass of the logarithm of luminance.
//!
//! `tau y' = l - y` with `tau = 1 / (2 pi cutoff)`. For a line `l(t) = l0 + s t` the solution is
//! `y(t) = l(t) - s tau + c exp(-t / tau)`, `c = y(0) - l0 + s tau`: exact for samples at any distance.
//! Between two samples the curve is approximated by lines between points whose spacing grows as the exponential decays, so
//! the cost of a long step is bounded; the error of a line is less than 1.2 % of `c`.
//!
//! Cost: a multiplication per pixel and sample if no threshold is near, plus an exponential if the cutoff depends on
//! luminance; up to 11 lines if a threshold is near.

use core::f64::consts::TAU;

/// The times, in units of tau, between which the curve is approximated by lines.
const NODES: [f64; 10] = [0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0];

/// The low-pass of a sensor's pixels.
#[derive(Debug, Clone)]
pub(super) struct LowPass {
    /// Time constant in microseconds where luminance is 1 or more.
    tau: f64,
    /// Share of the cutoff that remains in the dark.
    dark: f64,
    /// Remaining share of the transient at each of [`NODES`].
    left: [f64; NODES.len()],
    /// The last interval in microseconds, and the remaining share of the transient after it.
    last: (f64, f64),
}

/// The response of a pixel to a line: the output of [`LowPass`] between two samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer<'a> {
    nodes: &'a [f64; NODES.len()],
    tau: f64,
    dt: f64,
    start: f64,
    slope: f64,
    transient: f64,
    /// Level at the end of the interval.
    pub(super) end: f32,
}

impl LowPass {
    /// A low-pass; none if the cutoff in Hz is infinite.
    pub(super) fn new(cutoff: f32, dark: f32) -> Option<Self> {
        let tau = 1e6 / (TAU * f64::from(cutoff));
        let left = NODES.map(|node| libm::exp(-node));
        cutoff.is_finite().then_some(Self { tau, dark: f64::from(dark), left, last: (0.0, 1.0) })
    }

    /// Prepares for an interval of `dt` microseconds.
    pub(super) fn prepare(&mut self, dt: f64) {
        if self.last.0 != dt {
            self.last = (dt, libm::exp(-dt / self.tau));
        }
    }

    /// The response, starting at `filtered`, to a line from level `from` to `to` in the prepared interval, at whose end the
    /// pixel sees `luminance`.
    #[inline]
    pub(super) fn answer(&self, filtered: f32, from: f32, to: f32, luminance: f32) -> Answer<'_> {
        let (dt, mut left) = self.last;
        let mut tau = self.tau;
        if self.dark < 1.0 {
            tau /= self.dark + (1.0 - self.dark) * f64::from(luminance.clamp(0.0, 1.0));
            left = libm::exp(-dt / tau);
        }
        let slope = f64::from(to - from) / dt;
        let transient = f64::from(filtered) - f64::from(from) + slope * tau;
        let end = (f64::from(to) - slope * tau + transient * left) as f32;
        Answer { nodes: &self.left, tau, dt, start: f64::from(from), slope, transient, end }
    }
}

impl Answer<'_> {
    /// Points `(microseconds from the start, level)` connected by lines, without the first.
    pub(super) fn points(&self) -> impl Iterator<Item = (f64, f32)> {
        let inner = NODES.iter().zip(self.nodes).map(|(node, left)| (node * self.tau, left));
        let inner = inner.take_while(|(t, _)| *t < self.dt);
        let level =
            |(t, left): (f64, &f64)| (t, (self.start + self.slope * (t - self.tau) + self.transient * left) as f32);
        inner.map(level).chain([(self.dt, self.end)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The points are on the solution for any sampling; the lines between them are close to it.
    #[test]
    fn a_step_is_answered_as_the_equation_says() {
        let cutoff = 100.0_f32;
        let tau = 1e6 / (TAU * f64::from(cutoff));
        for dt in [50.0, 700.0, 5_000.0, 100_000.0] {
            let mut filter = LowPass::new(cutoff, 1.0).expect("finite");
            filter.prepare(dt);
            // With a line from 1 to 1, the rest of a step from 0.
            let (mut filtered, mut now) = (0.0_f32, 0.0);
            for _ in 0..20 {
                let answer = filter.answer(filtered, 1.0, 1.0, 1.0);
                let (mut t, mut y) = (0.0, filtered);
                for (next, level) in answer.points() {
                    let exact = |t: f64| 1.0 - libm::exp(-(now + t) / tau);
                    assert!((f64::from(level) - exact(next)).abs() < 1e-6, "{level} at {next} of {dt}");
                    let middle = 0.5 * (f64::from(y) + f64::from(level));
                    let off = (middle - exact(0.5 * (t + next))).abs();
                    // After the last node the curve is almost straight.
                    assert!(off < 0.012 * (1.0 - exact(0.0)) + 4e-4 + 1e-6, "a line of {dt} is off by {off}");
                    (t, y) = (next, level);
                }
                assert_eq!((t, y), (dt, answer.end), "the end of the interval");
                (filtered, now) = (y, now + dt);
            }
        }
    }

    /// The response to a long line follows it at a distance of `tau` times its slope.
    #[test]
    fn a_ramp_is_followed_late() {
        let mut filter = LowPass::new(10.0, 1.0).expect("finite");
        filter.prepare(1_000.0);
        let tau_ms = 1e3 / (TAU * 10.0);
        let mut filtered = 0.0;
        for ms in 0..500 {
            filtered = filter.answer(filtered, ms as f32 * 1e-3, (ms + 1) as f32 * 1e-3, 1.0).end;
        }
        assert!((f64::from(filtered) - (0.5 - tau_ms * 1e-3)).abs() < 1e-5, "{filtered}");
    }

    #[test]
    fn the_dark_is_slow() {
        let mut filter = LowPass::new(100.0, 0.1).expect("finite");
        filter.prepare(1_000.0);
        let end = |luminance| f64::from(filter.answer(0.0, 1.0, 1.0, luminance).end);
        for (luminance, cutoff) in [(0.0, 10.0), (0.5, 55.0), (1.0, 100.0), (9.0, 100.0)] {
            let exact = 1.0 - libm::exp(-TAU * cutoff * 1e-3);
            assert!((end(luminance) - exact).abs() < 1e-6, "luminance {luminance}");
        }
        assert!(LowPass::new(f32::INFINITY, 1.0).is_none(), "no limit");
    }
}
