//! Puts `memory.x` where cortex-m-rt's linker script finds it, and computes the kernels that programs have as constants:
//! `exp` is not `const`, so they are made here, by the very crate that runs on the target.

use foveola_core::kernels::{GaussFilter, Resolution};
use std::{env, fs, path::PathBuf};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("memory.x"), include_bytes!("memory.x")).expect("OUT_DIR is writable");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rerun-if-changed=memory.x");

    // A Gaussian of 0.07 degrees: 0.7 pixels.
    let gauss = GaussFilter::new(0.07, 0.07);
    let size = gauss.size(Resolution::DEFAULT).expect("a positive width");
    let mut weights = vec![0.0_f32; size[0] * size[1]];
    gauss.write(Resolution::DEFAULT, &mut weights).expect("a buffer of its size");
    let source = format!(
        "/// Rows and columns of the Gaussian.\npub const GAUSS_SIZE: [usize; 2] = {size:?};\n\
         /// A Gaussian of 0.7 pixels.\npub static GAUSS: [f32; {}] = {weights:?};\n",
        weights.len()
    );
    fs::write(out.join("kernels.rs"), source).expect("OUT_DIR is writable");
}
