//! The emulated microcontroller and this machine compute the same bits: what `firmware/qemu/src/bin/blur.rs` printed under
//! QEMU (its `.out` file, which CI compares with a fresh run) carries the digest of the same run here.

use foveola_core::kernels::{GaussFilter, Resolution};
use foveola_core::{Conv3d, ConvOptions, Filter, Kernel, Shape};

#[test]
fn blur_has_the_digest_of_the_microcontroller() {
    let gauss = GaussFilter::new(0.07, 0.07);
    let [rows, cols] = gauss.size(Resolution::DEFAULT).expect("a positive width");
    let mut weights = vec![0.0_f32; rows * cols];
    gauss.write(Resolution::DEFAULT, &mut weights).expect("a buffer of its size");
    let shape = Shape::new(1, 12, 20);
    let blur = Conv3d::new(shape, Kernel::new(&weights, [1, 1, 1, rows, cols]), ConvOptions::DEFAULT)
        .expect("a kernel that fits");
    let mut scratch = vec![0.0; blur.signature().scratch.len(1)];
    let mut output = vec![0.0; shape.len()];
    let mut digest = 0xcbf2_9ce4_8422_2325_u64; // FNV-1a
    for t in 0..10 {
        let mut input = vec![0.0_f32; shape.len()];
        input[(t + 1) * shape.cols + 2 * t] = 1.0 / (t + 1) as f32;
        blur.step(t as u64, &mut [], &mut scratch, &input, &mut output).expect("lengths that fit");
        for byte in output.iter().flat_map(|y| y.to_bits().to_le_bytes()) {
            digest = (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    let printed = include_str!("../firmware/qemu/src/bin/blur.out");
    assert!(
        printed.contains(&format!("digest of all bits {digest:016x}")),
        "{digest:016x} here, but there:\n{printed}"
    );
}
