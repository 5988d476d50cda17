//! Puts the machine's memory map where cortex-m-rt's linker script finds it, and computes the kernels that programs have as
//! constants: `exp` is not `const`, so they are made here, by the very crate that runs on the target. The retina comes from its
//! model file.

use foveola_core::kernels::{GaussFilter, Resolution};
use std::fmt::Write as _;
use std::{env, fs, path::PathBuf};

fn main() {
    foveola_build::run(|| {
        foveola_build::write("retina", &foveola_build::read("retina")?, [64, 64], 1)?;
        foveola_build::write("denoised", &foveola_build::read("../model/retina_denoised.toml")?, [64, 64], 1)?;
        Ok(())
    });
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let target = env::var("TARGET").expect("cargo sets TARGET");
    println!("cargo:rustc-check-cfg=cfg(m55)");
    let memory = if target.starts_with("thumbv8m.main") {
        println!("cargo:rustc-cfg=m55");
        "memory-an547.x"
    } else {
        "memory-mps2.x"
    };
    let mut map = fs::read_to_string(memory).expect("the memory map lies beside this file");
    if env::var_os("CARGO_FEATURE_PLANTED_REGION").is_some() {
        // The stack goes where cortex-m-rt puts it by default: above the static variables.
        map = map.lines().filter(|line| !line.starts_with("_stack_")).map(|line| format!("{line}\n")).collect();
    }
    fs::write(out.join("memory.x"), map).expect("OUT_DIR is writable");
    println!("cargo:rustc-link-search={}", out.display());
    if env::var_os("CARGO_FEATURE_LOG_FREE").is_none() {
        println!("cargo:rustc-link-arg-bins=-Tdefmt.x");
    }
    println!("cargo:rerun-if-changed={memory}");

    // A Gaussian of 0.07 degrees: 0.7 pixels.
    let gauss = GaussFilter::new(0.07, 0.07);
    let size = gauss.size(Resolution::DEFAULT).expect("a positive width");
    let mut weights = vec![0.0_f32; size[0] * size[1]];
    gauss.write(Resolution::DEFAULT, &mut weights).expect("a buffer of its size");
    let mut source = format!("/// Rows and columns of the Gaussian.\npub const GAUSS_SIZE: [usize; 2] = {size:?};\n");
    constant(&mut source, "GAUSS", "A Gaussian of 0.7 pixels.", &weights);
    fs::write(out.join("kernels.rs"), source).expect("OUT_DIR is writable");
}

fn constant(source: &mut String, name: &str, about: &str, weights: &[f32]) {
    writeln!(source, "/// {about}\npub static {name}: [f32; {}] = {weights:?};", weights.len())
        .expect("a String grows");
}
