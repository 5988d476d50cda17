//! Receptive fields smaller and larger than the frame, and uniform ones.

use super::*;
use crate::{Kernel, Rf};

type Form = (Shape, [usize; 5], Option<PadMode>);

fn field<'w, T: Sample>((input, shape, pad): Form, weights: &'w [T], bias: &'w [T]) -> Rf<'w, T> {
    Rf::from_checked(input, Kernel { weights, shape, bias }, pad).unwrap()
}

#[test]
fn receptive_fields() {
    let mut random = Random::new("receptive_fields");
    for trial in 0..cases(80) {
        let most = random.one_of(&[3, 12, 50]);
        let (input, outs, kt) = (random.shape(most), random.whole(1, 3), random.whole(1, 5));
        let (kh, kw) = if random.whole(0, 3) == 0 { (1, 1) } else { (random.whole(1, most), random.whole(1, most)) };
        let mode = random.one_of(&PadMode::NAMES).1;
        let pad = random.one_of(&[None, Some(mode), Some(PadMode::Mean)]);
        let shape = [outs, input.channels, kt, kh, kw];
        let uniform = kh == 1 && kw == 1;
        let weights = if uniform { Vec::new() } else { random.samples(shape.iter().product()) };
        let bias = if random.whole(0, 1) == 0 { Vec::new() } else { random.samples(outs) };
        let form = (input, shape, pad);
        let double = field(form, &weights, &bias);
        let (of_single, bias_of_single): (Vec<f32>, Vec<f32>) = (cast(&weights), cast(&bias));
        let single = field(form, &of_single, &bias_of_single);
        let frames = random.whole(1, 14);
        let case = Case { double: (&double, &double), single: (&single, &single) };
        let about = format!("trial {trial}, {input}, {shape:?}, {pad:?}, {frames} frames");
        assert_eq!(case.check(&mut random, frames, true), Ok(()), "{about}");

        let first = random.whole(1, frames);
        let cuts = random.cuts(first, frames);
        let x = random.samples(frames * input.len());
        let y = random.samples(forward::<f64>(&double, &cuts, &x).0.len());
        let data = (&cuts[..], &x[..], &y[..]);
        let [found, of_bias, ..] = backward::<f64>(&double, &double, &cuts, &x, &y).parameters;
        for _ in 0..(if uniform { 0 } else { 6 }) {
            let k = random.whole(0, found.len() - 1);
            let result = check_parameter((found[k], 1.0), data, |h, value| {
                let mut moved = weights.clone();
                moved[k] += h;
                value(&field(form, &moved, &bias));
            });
            assert_eq!(result, Ok(()), "{about}, weight {k}");
        }
        for (o, found) in of_bias.iter().enumerate() {
            let result = check_parameter((*found, 1.0), data, |h, value| {
                let mut moved = bias.clone();
                moved[o] += h;
                value(&field(form, &weights, &moved));
            });
            assert_eq!(result, Ok(()), "{about}, bias {o}");
        }
    }
}
