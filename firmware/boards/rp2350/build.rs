//! Puts the board's memory map where cortex-m-rt's linker script finds it, and exports the ready model `retina` for the board's
//! sensor.

use std::{env, fs, path::PathBuf};

fn main() {
    // A third of the reference board's clock: a quarter of its pixels, half as many frames.
    foveola_build::run(|| {
        let mut retina = foveola_build::read("retina")?;
        retina.set("input.dt", "20ms")?;
        foveola_build::write("retina", &retina, [32, 32], 10)?;
        Ok(())
    });
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::copy("memory.x", out.join("memory.x")).expect("OUT_DIR is writable");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rerun-if-changed=memory.x");
}
