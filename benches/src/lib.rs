//! Competitors: the same filters as plain loops, the way one writes them first.

/// `out[r, c] = sum over (a, b, e) of w[a, b, e] * x[a][r + b, c + e]`: correlation of `kt` frames that already have
/// their borders, `cols + kw - 1` samples a row, without tiles or vectors.
pub fn plain_conv3d(
    frames: &[f32],
    weights: &[f32],
    [kt, kh, kw]: [usize; 3],
    [rows, cols]: [usize; 2],
    out: &mut [f32],
) {
    let stride = cols + kw - 1;
    let plane = (rows + kh - 1) * stride;
    for r in 0..rows {
        for c in 0..cols {
            let mut sum = 0.0;
            for a in 0..kt {
                for b in 0..kh {
                    for e in 0..kw {
                        sum += weights[(a * kh + b) * kw + e] * frames[a * plane + (r + b) * stride + c + e];
                    }
                }
            }
            out[r * cols + c] = sum;
        }
    }
}

/// `y = a y + (1 - a) x`, `out = y`.
pub fn plain_low_pass(a: f32, x: &[f32], y: &mut [f32], out: &mut [f32]) {
    for i in 0..x.len() {
        y[i] = a * y[i] + (1.0 - a) * x[i];
        out[i] = y[i];
    }
}
