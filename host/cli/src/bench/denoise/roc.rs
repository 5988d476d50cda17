//! How well a filter separates signal from noise: points, curve and area.
//!
//! ```text
//! TPR = signal events kept / signal events      FPR = noise events kept / noise events
//! AUC = sum (f[i+1] - f[i]) (r[i+1] + r[i]) / 2     over the points (f, r) = (FPR, TPR) in order of FPR, then of TPR,
//!                                                   with (0, 0) before them and (1, 1) behind
//! ```
//! The points are those of a filter at several settings. Straight lines connect them to the corners: this is the effect of
//! additionally keeping events at random. A filter that keeps or drops events at random has an area of 0.5, a perfect filter
//! has 1.

/// A filter at one setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The setting: microseconds, or the unit of the contestant.
    pub setting: u32,
    /// Signal retention, 0 to 1.
    pub tpr: f64,
    /// Noise retention, 0 to 1.
    pub fpr: f64,
}

impl Point {
    /// The distance above the diagonal, TPR - FPR (Youden's index): 0 for a random filter.
    pub fn gain(&self) -> f64 {
        self.tpr - self.fpr
    }
}

/// A filter at all its settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The name of the filter.
    pub name: String,
    /// In order of the settings.
    pub points: Vec<Point>,
}

impl Curve {
    /// The curve from corner to corner: `(FPR, TPR)`.
    pub fn line(&self) -> Vec<(f64, f64)> {
        let mut line: Vec<(f64, f64)> = self.points.iter().map(|point| (point.fpr, point.tpr)).collect();
        line.extend([(0.0, 0.0), (1.0, 1.0)]);
        line.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        line
    }

    /// Area under the curve, by trapezoids.
    ///
    /// ```
    /// use foveola_cli::bench::denoise::{Curve, Point};
    ///
    /// let points = vec![Point { setting: 1_000, tpr: 0.8, fpr: 0.2 }];
    /// let curve = Curve { name: "a filter".into(), points };
    /// assert!((curve.auc() - 0.8).abs() < 1e-12); // 0.2 0.8 / 2 + 0.8 (0.8 + 1) / 2
    /// ```
    pub fn auc(&self) -> f64 {
        self.line().windows(2).map(|pair| (pair[1].0 - pair[0].0) * (pair[1].1 + pair[0].1) / 2.0).sum()
    }

    /// The setting with the largest [`Point::gain`].
    pub fn best(&self) -> Option<Point> {
        self.points.iter().copied().max_by(|a, b| a.gain().total_cmp(&b.gain()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[(f64, f64)]) -> Curve {
        let points = points.iter().map(|&(fpr, tpr)| Point { setting: 0, tpr, fpr }).collect();
        Curve { name: String::new(), points }
    }

    #[test]
    fn areas_of_curves_that_are_known() {
        for (name, points, area) in [
            ("nothing measured", &[][..], 0.5),
            ("perfect", &[(0.0, 1.0)], 1.0),
            ("perfectly wrong", &[(1.0, 0.0)], 0.0),
            ("a coin", &[(0.3, 0.3)], 0.5),
            ("coins in any order", &[(0.9, 0.9), (0.1, 0.1), (0.5, 0.5)], 0.5),
            ("everything or nothing", &[(1.0, 1.0), (0.0, 0.0)], 0.5),
            ("one point", &[(0.2, 0.8)], 0.8),
            ("two points", &[(0.5, 0.9), (0.1, 0.6)], 0.03 + 0.3 + 0.475),
            ("two of the same FPR", &[(0.5, 0.8), (0.5, 0.4)], 0.1 + 0.45),
        ] {
            let found = curve(points).auc();
            assert!((found - area).abs() < 1e-12, "{name}: {found}, but {area} is known");
        }
    }

    /// A test whose scores are exponentially distributed has a curve, `TPR = FPR^r`, and an area of `1 / (1 + r)`.
    #[test]
    fn a_fine_curve_has_the_area_of_the_integral() {
        let power = 0.25;
        let points: Vec<(f64, f64)> =
            (0..=1000).map(|i| libm::pow(f64::from(i) / 1000.0, 2.0)).map(|fpr| (fpr, libm::pow(fpr, power))).collect();
        // Trapezoids are below a concave curve.
        let found = curve(&points).auc();
        assert!((0.0..1e-4).contains(&(1.0 / (1.0 + power) - found)), "{found}");
    }

    #[test]
    fn the_best_is_farthest_above_the_diagonal() {
        assert_eq!(curve(&[(0.1, 0.5), (0.2, 0.9), (0.9, 1.0)]).best().map(|best| best.tpr), Some(0.9));
        assert_eq!(curve(&[]).best(), None);
    }
}
