//! Reduces large frames: each block of samples becomes one sample.

use ndarray::{Array2, ArrayView2};

/// How a block of samples is reduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shrink {
    /// The sample with the largest magnitude, including its sign: single events and narrow edges stay visible.
    #[default]
    Largest,
    /// The mean, as for brightness seen from farther away.
    Mean,
}

/// The blocks of `factor` x `factor` samples of a frame, including partial blocks at the right and lower border. A block
/// with a NaN becomes NaN.
pub(super) fn shrink(frame: &ArrayView2<'_, f32>, factor: usize, how: Shrink) -> Array2<f32> {
    if factor <= 1 {
        return frame.to_owned();
    }
    let (rows, cols) = frame.dim();
    let mut small = Array2::zeros((rows.div_ceil(factor), cols.div_ceil(factor)));
    let (mut line, mut sums) = (vec![0.0_f32; cols], vec![0.0_f64; small.ncols()]);
    for (block, mut row) in frame.axis_chunks_iter(ndarray::Axis(0), factor).zip(small.outer_iter_mut()) {
        sums.fill(0.0);
        for samples in block.outer_iter() {
            line.iter_mut().zip(samples).for_each(|(to, from)| *to = *from);
            let cells = line.chunks(factor);
            match how {
                Shrink::Largest => row.iter_mut().zip(cells).for_each(|(to, cell)| *to = cell.iter().fold(*to, larger)),
                Shrink::Mean => sums.iter_mut().zip(cells).for_each(|(sum, cell)| {
                    *sum += cell.iter().map(|&sample| f64::from(sample)).sum::<f64>();
                }),
            }
        }
        if how == Shrink::Mean {
            for ((to, sum), cell) in row.iter_mut().zip(&sums).zip(line.chunks(factor)) {
                *to = (sum / (cell.len() * block.nrows()) as f64) as f32;
            }
        }
    }
    small
}

/// The number with the larger magnitude; NaN if one is NaN.
fn larger(a: f32, b: &f32) -> f32 {
    if a.abs() >= b.abs() || a.is_nan() { a } else { *b }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn blocks_become_their_means_or_their_largest_samples() {
        let frame = array![[1.0, 3.0, f32::NAN], [5.0, -7.0, 1.0], [10.0, 20.0, -30.0]];
        let mean = shrink(&frame.view(), 2, Shrink::Mean);
        assert_eq!((mean[[0, 0]], mean[[1, 0]], mean[[1, 1]]), (0.5, 15.0, -30.0));
        let largest = shrink(&frame.view(), 2, Shrink::Largest);
        assert_eq!((largest[[0, 0]], largest[[1, 0]], largest[[1, 1]]), (-7.0, 20.0, -30.0), "with its sign");
        for small in [mean, largest] {
            assert!(small[[0, 1]].is_nan(), "what is not a number stays visible: {small}");
        }
        for (how, expected) in [(Shrink::Mean, 2.0), (Shrink::Largest, 3.0)] {
            assert_eq!(shrink(&frame.slice(ndarray::s![..1, ..2]), 9, how), array![[expected]], "one block");
            // A column of a frame, whose samples are not contiguous.
            assert_eq!(shrink(&frame.slice(ndarray::s![..1, ..2]).t(), 2, how), array![[expected]], "{how:?}");
            assert_eq!(shrink(&frame.slice(ndarray::s![..2, ..2]), 1, how), frame.slice(ndarray::s![..2, ..2]));
        }
    }

    #[test]
    fn a_single_event_stays_visible() {
        let mut frame = Array2::zeros((480, 640));
        frame[[123, 457]] = -1.0;
        let small = shrink(&frame.view(), 4, Shrink::default());
        assert_eq!((small.dim(), small[[30, 114]], small.sum()), ((120, 160), -1.0, -1.0));
    }
}
