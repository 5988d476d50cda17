//! Functions to minimise.

use crate::Result;
use crate::fit::Objective;

/// The residuals at `x` and their Jacobian, row by row.
type Residuals = fn(&[f64]) -> (Vec<f64>, Vec<Vec<f64>>);

/// Half the sum of squared residuals, in a unit.
pub(super) struct Squares {
    residuals: Residuals,
    unit: f64,
    jacobian: Vec<Vec<f64>>,
}

fn squares(residuals: Residuals) -> Squares {
    Squares { residuals, unit: 1.0, jacobian: Vec::new() }
}

impl Squares {
    /// The same times `unit`.
    pub(super) fn in_unit(self, unit: f64) -> Self {
        Self { unit, ..self }
    }
}

impl Objective for Squares {
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64> {
        let (residuals, jacobian) = (self.residuals)(x);
        gradient.fill(0.0);
        for (r, row) in residuals.iter().zip(&jacobian) {
            gradient.iter_mut().zip(row).for_each(|(g, j)| *g += self.unit * r * j);
        }
        self.jacobian = jacobian;
        Ok(self.unit * residuals.iter().map(|r| r * r).sum::<f64>() / 2.0)
    }

    fn curvature(&mut self, matrix: &mut [f64]) -> Result<()> {
        let n = matrix.len().isqrt();
        for (at, a) in matrix.iter_mut().enumerate() {
            *a = self.unit * self.jacobian.iter().map(|row| row[at / n] * row[at % n]).sum::<f64>();
        }
        Ok(())
    }
}

/// A row of `n` zeros but for `entries`.
fn row(n: usize, entries: &[(usize, f64)]) -> Vec<f64> {
    let mut row = vec![0.0; n];
    entries.iter().for_each(|(i, value)| row[*i] = *value);
    row
}

/// Rosenbrock's valley, for each pair of variables. Minimum 0 at ones.
pub(super) fn rosenbrock() -> Squares {
    squares(|x| {
        let n = x.len();
        let pairs = (0..n).step_by(2);
        pairs
            .flat_map(|i| {
                let (a, b) = (x[i], x[i + 1]);
                let valley = (10.0 * (b - a * a), row(n, &[(i, -20.0 * a), (i + 1, 10.0)]));
                [valley, (1.0 - a, row(n, &[(i, -1.0)]))]
            })
            .unzip()
    })
}

/// Powell's function, whose Jacobian is singular at the minimum, 0 at zeros.
pub(super) fn powell() -> Squares {
    squares(|x| {
        let (five, ten) = (5_f64.sqrt(), 10_f64.sqrt());
        let (b, d) = (x[1] - 2.0 * x[2], x[0] - x[3]);
        let residuals = vec![x[0] + 10.0 * x[1], five * (x[2] - x[3]), b * b, ten * d * d];
        let jacobian = vec![
            vec![1.0, 10.0, 0.0, 0.0],
            vec![0.0, 0.0, five, -five],
            vec![0.0, 2.0 * b, -4.0 * b, 0.0],
            vec![2.0 * ten * d, 0.0, 0.0, -2.0 * ten * d],
        ];
        (residuals, jacobian)
    })
}

/// Beale's function. Minimum 0 at (3, 0.5).
pub(super) fn beale() -> Squares {
    squares(|x| {
        let (a, b) = (x[0], x[1]);
        let term = |(power, c): (i32, f64)| {
            let residual = c - a * (1.0 - b.powi(power));
            (residual, vec![b.powi(power) - 1.0, a * f64::from(power) * b.powi(power - 1)])
        };
        [(1, 1.5), (2, 2.25), (3, 2.625)].into_iter().map(term).unzip()
    })
}

/// Himmelblau's function. Four minima of 0, one at (3, 2).
pub(super) fn himmelblau() -> Squares {
    squares(|x| {
        let (a, b) = (x[0], x[1]);
        (vec![a * a + b - 11.0, a + b * b - 7.0], vec![vec![2.0 * a, 1.0], vec![1.0, 2.0 * b]])
    })
}

/// `y = b1 (1 - exp(-b2 x))` at 14 points from 77 to 760, with b1 = 240, b2 = 5.5e-4 and small errors, as in NIST's Misra1a.
pub(super) fn exponential() -> Squares {
    squares(|b| {
        let point = |i: usize| {
            let x = 77.0 + 52.5 * i as f64;
            let y = 240.0 * (1.0 - (-5.5e-4 * x).exp()) + 0.05 * (i as f64 * 2.4).sin();
            let decay = (-b[1] * x).exp();
            (b[0] * (1.0 - decay) - y, vec![1.0 - decay, b[0] * x * decay])
        };
        (0..14).map(point).unzip()
    })
}

/// Two variables of which only the sum matters; it is 1 at the minimum.
pub(super) fn singular() -> Squares {
    squares(|x| {
        let sum = x[0] + x[1];
        (vec![sum - 1.0, 0.1 * (sum * sum - 1.0)], vec![vec![1.0; 2], vec![0.2 * sum; 2]])
    })
}

/// Half of `sum c x^2` with `c` from 1 to 1e6 in equal ratios. Minimum 0 at zeros.
pub(super) struct Quadratic;

impl Objective for Quadratic {
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64> {
        let c = |i: usize| 1e6_f64.powf(i as f64 / (x.len() - 1) as f64);
        gradient.iter_mut().zip(x).enumerate().for_each(|(i, (g, x))| *g = c(i) * x);
        Ok(0.5 * x.iter().zip(gradient).map(|(x, g)| x * *g).sum::<f64>())
    }
}

/// `(x - 1)^2 + (y - x)^2`, and NaN where `x` is beyond a wall.
pub(super) struct Wall(pub(super) f64);

impl Objective for Wall {
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64> {
        if x[0] > self.0 {
            gradient.fill(f64::NAN);
            return Ok(f64::NAN);
        }
        let (a, b) = (x[0] - 1.0, x[1] - x[0]);
        gradient.copy_from_slice(&[2.0 * a - 2.0 * b, 2.0 * b]);
        Ok(a * a + b * b)
    }

    fn curvature(&mut self, matrix: &mut [f64]) -> Result<()> {
        matrix.copy_from_slice(&[4.0, -2.0, -2.0, 2.0]);
        Ok(())
    }
}

/// `-x`, or `-exp(x)`, which overflows.
pub(super) struct Unbounded(pub(super) bool);

impl Objective for Unbounded {
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64> {
        let value = if self.0 { -x[0].exp() } else { -x[0] };
        gradient[0] = if self.0 { value } else { -1.0 };
        Ok(value)
    }

    fn curvature(&mut self, matrix: &mut [f64]) -> Result<()> {
        matrix[0] = 1.0;
        Ok(())
    }
}

/// `(x - 1)^2`, with a curvature that is NaN where `x` is beyond a wall. If the wall is NaN, the gradient is.
pub(super) struct NoCurvature {
    wall: f64,
    x: f64,
}

pub(super) fn no_curvature(wall: f64) -> NoCurvature {
    NoCurvature { wall, x: 0.0 }
}

impl Objective for NoCurvature {
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64> {
        gradient[0] = if self.wall.is_nan() { f64::NAN } else { 2.0 * (x[0] - 1.0) };
        self.x = x[0];
        Ok((x[0] - 1.0).powi(2))
    }

    fn curvature(&mut self, matrix: &mut [f64]) -> Result<()> {
        matrix[0] = if self.x > self.wall { f64::NAN } else { 2.0 };
        Ok(())
    }
}

/// `x . x`, with a gradient of the wrong sign.
pub(super) struct Uphill;

impl Objective for Uphill {
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64> {
        gradient.iter_mut().zip(x).for_each(|(g, x)| *g = -2.0 * x);
        Ok(x.iter().map(|x| x * x).sum())
    }

    fn curvature(&mut self, matrix: &mut [f64]) -> Result<()> {
        matrix.copy_from_slice(&[2.0, 0.0, 0.0, 2.0]);
        Ok(())
    }
}

/// One more than a function, with the value and the gradient in single precision.
pub(super) struct Rounded(pub(super) Squares);

impl Objective for Rounded {
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64> {
        let value = self.0.evaluate(x, gradient)?;
        gradient.iter_mut().for_each(|g| *g = f64::from(*g as f32));
        Ok(f64::from((1.0 + value) as f32))
    }

    fn curvature(&mut self, matrix: &mut [f64]) -> Result<()> {
        self.0.curvature(matrix)
    }
}
