//! Recursive smoothing with spatial kernels: sums and components, plain and compensated stages.

use super::*;
use crate::adjoint::SmoothConvAdjoint;
use crate::{Border, SmoothConv};

#[test]
fn smoothing_with_kernels() {
    let mut random = Random::new("smoothing_with_kernels");
    for trial in 0..cases(60) {
        let (shape, n) = (random.shape(9), random.whole(1, 4));
        let size = [random.whole(1, 5), random.whole(1, 5)];
        let border = random.one_of(&Border::NAMES).1;
        let components = random.whole(0, 2) == 0;
        let gains: Vec<f64> = (0..n).map(|_| random.one_of(&[1.0, 0.7, 0.2, 0.01, 1e-4])).collect();
        let decays: Vec<Decay> = gains.iter().map(|gain| Decay::from_gain(*gain).unwrap()).collect();
        let weights = random.samples(n * size[0] * size[1]);
        fn filter<'w, T>(
            (shape, size, border, components): (Shape, [usize; 2], Border, bool),
            decays: &'w [Decay],
            weights: &'w [T],
        ) -> SmoothConv<'w, T> {
            let smooth = SmoothConv::from_checked(shape, decays, weights, size, border).unwrap();
            if components { smooth.components() } else { smooth }
        }
        fn reversed<T: Sample>(smooth: &SmoothConv<'_, T>) -> Vec<T> {
            let mut reversed = vec![T::zero(); smooth.weights().0.len()];
            SmoothConvAdjoint::reverse(smooth, &mut reversed).unwrap();
            reversed
        }
        let form = (shape, size, border, components);
        let double = filter(form, &decays, &weights);
        let of_double = reversed(&double);
        let of_single: Vec<f32> = cast(&weights);
        let single = filter(form, &decays, &of_single);
        let reversed_single = reversed(&single);
        let double_adjoint = SmoothConvAdjoint::new(double, &of_double).unwrap();
        let double_adjoint = if random.whole(0, 1) == 0 { double_adjoint.in_blocks(2) } else { double_adjoint };
        let single_adjoint = SmoothConvAdjoint::new(single, &reversed_single).unwrap();
        let frames = random.whole(1, 10);
        let case = Case { double: (&double, &double_adjoint), single: (&single, &single_adjoint) };
        let about = format!("trial {trial}, {form:?}, gains {gains:?}, {frames} frames");
        assert_eq!(case.check(&mut random, frames, true), Ok(()), "{about}");

        let cuts = random.cuts(1, frames);
        let x = random.samples(frames * shape.len());
        let y = random.samples(forward::<f64>(&double, &cuts, &x).0.len());
        let data = (&cuts[..], &x[..], &y[..]);
        let [found, _, of_gains, _] = backward::<f64>(&double, &double_adjoint, &cuts, &x, &y).parameters;
        for _ in 0..6 {
            let k = random.whole(0, found.len() - 1);
            let result = check_parameter((found[k], 1.0), data, |h, value| {
                let mut moved = weights.clone();
                moved[k] += h;
                value(&filter(form, &decays, &moved));
            });
            assert_eq!(result, Ok(()), "{about}, weight {k}");
        }
        for (i, found) in of_gains.iter().enumerate().filter(|(i, _)| gains[*i] < 1.0) {
            let step = gains[i].min(1e-3) * 1e-2;
            let result = check_parameter((*found, step), data, |h, value| {
                let mut moved = decays.clone();
                moved[i] = Decay::from_gain(gains[i] + h).unwrap();
                value(&filter(form, &moved, &weights));
            });
            assert_eq!(result, Ok(()), "{about}, gain {i}");
        }
    }
}
