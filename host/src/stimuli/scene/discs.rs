//! A sparse scene: a few small discs that move in circles on an empty background.

use super::Scene;
use core::f64::consts::TAU;

/// One of [`Discs`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Disc {
    /// Centre of the disc's path: column and row in pixels.
    pub centre: (f64, f64),
    /// Radius of the path in pixels.
    pub way: f64,
    /// Radius of the disc in pixels, above 0.
    pub radius: f64,
    /// Revolutions per second; negative reverses the direction.
    pub frequency: f64,
    /// Position on the path at time 0, in revolutions.
    pub phase: f64,
    /// Luminance of the disc, above 0.
    pub luminance: f32,
}

/// Discs that move in circles; a later one covers an earlier one. Their edges are two pixels wide.
#[derive(Debug, Clone, PartialEq)]
pub struct Discs {
    /// The discs.
    pub discs: Vec<Disc>,
    /// Luminance of the background, above 0.
    pub ground: f32,
}

impl Discs {
    /// Three discs, darker and brighter than the background, in a field of `rows` x `cols` pixels: they cover half a percent
    /// of it.
    pub fn filling(rows: usize, cols: usize) -> Self {
        let (rows, cols) = (rows as f64, cols as f64);
        let side = rows.min(cols);
        let disc = |place: (f64, f64), way, radius, frequency, luminance| Disc {
            centre: (place.0 * cols, place.1 * rows),
            way: way * side,
            radius: radius * side,
            frequency,
            phase: place.0,
            luminance,
        };
        let discs = vec![
            disc((0.3, 0.4), 0.25, 0.018, 0.4, 0.1),
            disc((0.7, 0.6), 0.3, 0.024, -0.25, 0.15),
            disc((0.55, 0.35), 0.18, 0.015, 0.7, 1.0),
        ];
        Self { discs, ground: 0.4 }
    }
}

impl Disc {
    fn place(&self, t: f64) -> (f64, f64) {
        let (sin, cos) = libm::sincos(TAU * (self.frequency * t + self.phase));
        (self.centre.0 + self.way * cos, self.centre.1 + self.way * sin)
    }

    /// The luminance at column `x` and row `y` after a disc at `place` is drawn over the luminance `below`.
    fn over(&self, place: (f64, f64), x: f64, y: f64, below: f32) -> f32 {
        let (dx, dy) = (x - place.0, y - place.1);
        let inside = ((self.radius - libm::sqrt(dx * dx + dy * dy)) * 0.5 + 0.5).clamp(0.0, 1.0) as f32;
        below + inside * (self.luminance - below)
    }
}

impl Scene for Discs {
    fn luminance(&self, x: f64, y: f64, t: f64) -> f32 {
        self.discs.iter().fold(self.ground, |below, disc| disc.over(disc.place(t), x, y, below))
    }

    /// Only the pixels around a disc are computed.
    fn frame(&self, cols: usize, t: f64, luminance: &mut [f32]) {
        let cols = cols.max(1);
        luminance.fill(self.ground);
        let around = |place: f64, reach: f64, len: usize| {
            // The conversion from float saturates at the range of the integer.
            (libm::floor(place - reach) as usize).min(len)
                ..(libm::ceil(place + reach) as usize).saturating_add(1).min(len)
        };
        let rows = luminance.len() / cols;
        for disc in &self.discs {
            let place = disc.place(t);
            let reach = disc.radius + 1.0;
            for y in around(place.1, reach, rows) {
                for x in around(place.0, reach, cols) {
                    let sample = &mut luminance[y * cols + x];
                    *sample = disc.over(place, x as f64, y as f64, *sample);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_frame_is_the_luminance_of_its_pixels() {
        let mut scene = Discs::filling(60, 80);
        scene.discs[0].centre = (-1.0, 61.0); // partly outside
        let mut frame = vec![0.0; 60 * 80];
        for t in [0.0, 0.4, 1.3, 77.7] {
            scene.frame(80, t, &mut frame);
            for (index, &fast) in frame.iter().enumerate() {
                assert_eq!(fast, scene.luminance((index % 80) as f64, (index / 80) as f64, t), "pixel {index} at {t}");
            }
            let covered = frame.iter().filter(|&&luminance| luminance != scene.ground).count();
            assert!((1..400).contains(&covered), "{covered} pixels are covered at {t}");
        }
    }
}
