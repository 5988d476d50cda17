//! Puts the board's memory map where cortex-m-rt's linker script finds it, and exports the ready model `retina` for 64 x 64 pixels:
//! behind the board's sensor, at 100 frames/s, and for the recording of `cycles`.

use std::{env, fs, path::PathBuf};

fn main() {
    foveola_build::run(|| {
        let mut retina = foveola_build::read("retina")?;
        foveola_build::write("cycles", &retina, [64, 64], 1)?;
        retina.set("input.dt", "10ms")?;
        foveola_build::write("retina", &retina, [64, 64], 5)?;
        Ok(())
    });
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::copy("memory.x", out.join("memory.x")).expect("OUT_DIR is writable");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rerun-if-changed=memory.x");
}
