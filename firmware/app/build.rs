//! The retina's kernels, which are constants: `exp` is not `const`, so they are computed when the crate is built.

use std::fmt::Write as _;
use std::{env, fs, path::PathBuf};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut source = String::new();
    for (name, sigma) in [("CENTRE", 0.8), ("SURROUND", 3.0)] {
        let weights = blob(sigma);
        writeln!(source, "/// Three Gaussians of {sigma} pixels.\npub static {name}: [f32; 75] = {weights:?};")
            .expect("a String grows");
    }
    fs::write(out.join("kernels.rs"), source).expect("OUT_DIR is writable");
    println!("cargo:rerun-if-changed=build.rs");
}

/// Three 5 x 5 Gaussians of `sigma` pixels whose sum is 1: to the bit those of the host's `retina`.
fn blob(sigma: f64) -> Vec<f32> {
    let square = |i: usize| (i as f64 - 2.0) * (i as f64 - 2.0);
    let gauss = |i: usize| libm::exp(-(square(i / 5 % 5) + square(i % 5)) / (2.0 * sigma * sigma)) as f32;
    let weights: Vec<f32> = (0..75).map(gauss).collect();
    let sum: f64 = weights.iter().map(|w| f64::from(*w)).sum();
    weights.iter().map(|w| (f64::from(*w) / sum) as f32).collect()
}
