//! The built-in scene: a grating in a soft window, and a sweeping bar.

use super::Scene;
use crate::stimuli::samples::unit_vector;
use core::f64::consts::TAU;

/// A grating that drifts in a soft round window, and a bright bar that sweeps over it, back and forth.
///
/// `L = (1 - c) B + c bar` with the bar's coverage `c(x, y, t)` (edges two pixels wide) and the background
/// `B = mean (1 + contrast w sin(2 pi (u / wavelength - frequency t)))`, where `w` is a Gaussian window and `u` the
/// distance along the grating's direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BarAndGrating {
    /// Centre of the window: column and row in pixels.
    pub centre: (f64, f64),
    /// Radius (standard deviation) of the window in pixels, above 0.
    pub radius: f64,
    /// Direction of the grating in degrees: 0 drifts to the right, 90 up.
    pub direction: f32,
    /// Distance between two crests in pixels, not 0.
    pub wavelength: f64,
    /// Cycles per second.
    pub frequency: f64,
    /// Contrast of the grating in the centre of its window, 0 to less than 1.
    pub contrast: f64,
    /// Mean luminance, above 0.
    pub mean: f64,
    /// Luminance of the bar, above 0.
    pub bar: f64,
    /// Direction of the bar's motion in degrees.
    pub bar_direction: f32,
    /// Extent of the bar in the direction of motion, in pixels.
    pub bar_width: f64,
    /// Centre and half length of the bar's path, in pixels along its direction.
    pub bar_way: (f64, f64),
    /// Seconds from one end of the path to the other and back, above 0.
    pub bar_period: f64,
}

impl BarAndGrating {
    /// A scene that fills a field of `rows` x `cols` pixels.
    pub fn filling(rows: usize, cols: usize) -> Self {
        let (rows, cols) = (rows as f64, cols as f64);
        let side = rows.min(cols);
        let bar_direction = -25.0;
        let (right, up) = unit_vector(bar_direction);
        let bar_width = 0.09 * side;
        Self {
            centre: (0.36 * cols, 0.52 * rows),
            radius: 0.19 * side,
            direction: 40.0,
            wavelength: 0.15 * side,
            frequency: 2.5,
            contrast: 0.8,
            mean: 0.3,
            bar: 1.0,
            bar_direction,
            bar_width,
            bar_way: (
                right * (cols - 1.0) / 2.0 - up * (rows - 1.0) / 2.0,
                (cols * right.abs() + rows * up.abs() + bar_width) / 2.0 + 2.0,
            ),
            bar_period: 2.0,
        }
    }

    /// Position of the centre of the bar at time `t`: back and forth at constant speed.
    fn bar_position(&self, t: f64) -> f64 {
        let turns = t / self.bar_period;
        let phase = turns - libm::floor(turns);
        let (middle, half) = self.bar_way;
        middle + half * (1.0 - 4.0 * libm::fabs(phase - 0.5))
    }

    /// The part of a pixel that the bar covers, by its distance from the centre of the bar.
    #[inline(always)]
    fn coverage(distance: f32, width: f32) -> f32 {
        let inside = ((0.5 * width - distance.abs()) * 0.5 + 0.5).clamp(0.0, 1.0);
        inside * inside * (3.0 - 2.0 * inside)
    }
}

impl Scene for BarAndGrating {
    fn luminance(&self, x: f64, y: f64, t: f64) -> f32 {
        let (dx, dy) = (x - self.centre.0, y - self.centre.1);
        let window = libm::exp(-(dx * dx + dy * dy) / (2.0 * self.radius * self.radius));
        let (right, up) = unit_vector(self.direction);
        let phase = TAU * ((dx * right - dy * up) / self.wavelength - self.frequency * t);
        let background = self.mean * (1.0 + self.contrast * window * libm::sin(phase));
        let (right, up) = unit_vector(self.bar_direction);
        let distance = x * right - y * up - self.bar_position(t);
        let covered = f64::from(Self::coverage(distance as f32, self.bar_width as f32));
        (background + covered * (self.bar - background)) as f32
    }

    /// Window and grating are products of a function of the column and one of the row, so a pixel costs a few
    /// multiplications and no sine: `sin(a + b) = sin a cos b + cos a sin b`.
    fn frame(&self, cols: usize, t: f64, luminance: &mut [f32]) {
        let cols = cols.max(1);
        let (right, up) = unit_vector(self.direction);
        let window = |d: f64| libm::exp(-d * d / (2.0 * self.radius * self.radius));
        let wave: Vec<(f32, f32)> = (0..cols)
            .map(|x| {
                let dx = x as f64 - self.centre.0;
                let (sin, cos) = libm::sincos(TAU * (dx * right / self.wavelength - self.frequency * t));
                ((sin * window(dx)) as f32, (cos * window(dx)) as f32)
            })
            .collect();
        let (bar_right, bar_up) = unit_vector(self.bar_direction);
        let (position, width) = (self.bar_position(t), self.bar_width as f32);
        let (mean, bar, bar_right) = (self.mean as f32, self.bar as f32, bar_right as f32);
        for (y, row) in luminance.chunks_mut(cols).enumerate() {
            let dy = y as f64 - self.centre.1;
            let (sin, cos) = libm::sincos(-TAU * dy * up / self.wavelength);
            let scale = self.mean * self.contrast * window(dy);
            let (sin, cos) = ((sin * scale) as f32, (cos * scale) as f32);
            let start = (-(y as f64) * bar_up - position) as f32;
            for (x, (sample, &(wave_sin, wave_cos))) in row.iter_mut().zip(&wave).enumerate() {
                let background = mean + wave_sin * cos + wave_cos * sin;
                let covered = Self::coverage(x as f32 * bar_right + start, width);
                *sample = background + covered * (bar - background);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_frame_is_the_luminance_of_its_pixels() {
        let scene = BarAndGrating::filling(30, 40);
        let mut frame = vec![0.0; 30 * 40];
        for t in [0.0, 0.123, 0.5, 1.7, 33.3] {
            scene.frame(40, t, &mut frame);
            for (index, &fast) in frame.iter().enumerate() {
                let slow = scene.luminance((index % 40) as f64, (index / 40) as f64, t);
                assert!((fast - slow).abs() < 1e-4, "pixel {index} at {t}: {fast}, {slow}");
                assert!(fast > 0.0, "luminance above 0");
            }
        }
    }
}
