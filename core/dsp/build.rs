//! Tells the library whether the core has the DSP extension: no `cfg` of stable Rust does.

use std::env::var;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(dsp)");
    let target = var("TARGET").unwrap_or_default();
    // Every Armv7E-M core has it, and these of Armv8-M, or of any Arm target, when they are named.
    let flags = var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let named = flags.rsplit('\x1f').find_map(|flag| Some(flag.split_once("target-cpu=")?.1)).unwrap_or_default();
    let has = target.starts_with("thumbv7em-") || target.starts_with("thumbv8m.main-") && CORES.contains(&named);
    // Helium has vectors of eight, which loops are compiled to.
    if has && var("CARGO_CFG_HELIUM").is_err() {
        println!("cargo::rustc-cfg=dsp");
    }
}

/// Cores of Armv8-M for which the compiler assumes the extension.
const CORES: [&str; 5] = ["cortex-m33", "cortex-m35p", "cortex-m52", "cortex-m55", "cortex-m85"];
