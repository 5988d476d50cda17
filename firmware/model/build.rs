//! A model file as constants: weights, table and plan for the 64 x 64 pixels of the recording.
//!
//! | variable | meaning | if absent |
//! |---|---|---|
//! | `MODEL` | the model file; a relative path starts in the folder of cargo's caller | `models/retina.toml` |
//! | `BINNING` | a pixel of a frame counts the events of so many pixels, squared | the most with which frames of the file's size fit, else 1 |

use foveola::ModelFile;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Rows and columns of the recording.
const SIDE: usize = 64;
/// Bytes that the program needs beside the model, without its stack, which has a region of its own.
const PROGRAM_RAM: usize = 32 << 10;
const PROGRAM_FLASH: usize = 128 << 10;

fn main() {
    println!("cargo:rustc-link-arg-bins=-Tdefmt.x"); // foveola-qemu prints with it
    println!("cargo:rerun-if-changed=build.rs");
    // Cargo shows it as the error of this package.
    if let Err(error) = generate() {
        println!("cargo::error={error}");
    }
}

fn generate() -> Result<(), Box<dyn Error>> {
    for variable in ["MODEL", "BINNING"] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    let path = env::var_os("MODEL").map_or_else(|| PathBuf::from("../../models/retina.toml"), from_caller);
    println!("cargo:rerun-if-changed={}", path.display());
    let file = ModelFile::read(&path)?;
    for array in file.arrays() {
        println!("cargo:rerun-if-changed={}", array.display());
    }

    let [rows, cols] = [file.input().rows, file.input().cols].map(|side| side.unwrap_or(SIDE));
    let binning = match (env::var("BINNING"), file.input().rows.or(file.input().cols)) {
        (Ok(binning), _) => {
            binning.parse().map_err(|_| format!("BINNING is {binning:?}; expected a number of pixels"))?
        }
        (Err(_), Some(_)) => (SIDE / rows.max(cols)) as u16,
        (Err(_), None) => 1,
    };
    let whole = SIDE / usize::from(binning).max(1);
    let [rows, cols] = [file.input().rows, file.input().cols].map(|side| side.unwrap_or(whole));
    let side = rows.max(cols) * usize::from(binning);
    if binning == 0 || side == 0 || side > SIDE {
        let found = format!("frames of {rows} x {cols} pixels in bins of {binning} x {binning}");
        return Err(format!("{}: {found}; the recording has {SIDE} x {SIDE} pixels", path.display()).into());
    }

    let exported = file.to_firmware([rows, cols], binning).map_err(|error| format!("{}: {error}", path.display()))?;
    let [ram, flash] = memory()?;
    let fits = exported.must_fit(ram - PROGRAM_RAM, flash - PROGRAM_FLASH);
    fits.map_err(|error| format!("{}: {error}", path.display()))?;

    let (name, tables) = (file.name(), exported.tables);
    let source = format!(
        "/// Name of the model.\npub const NAME: &str = {name:?};\n\
         /// Bytes of RAM that frames, state and scratch may take.\npub const RAM: usize = {};\n\
         /// Bytes of flash for its tables.\npub const TABLES: usize = {tables};\n\n{}",
        ram - PROGRAM_RAM,
        exported.source
    );
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("no OUT_DIR")?);
    Ok(fs::write(out.join("model.rs"), source)?)
}

/// A path as the caller of cargo means it: a build script runs in the folder of its package.
fn from_caller(path: impl AsRef<Path>) -> PathBuf {
    let folder = env::var_os("PWD").unwrap_or_default();
    Path::new(&folder).join(path)
}

/// Bytes of RAM and flash of the machine: those in the memory map of `foveola-qemu`.
fn memory() -> Result<[usize; 2], Box<dyn Error>> {
    let m55 = env::var("TARGET")?.starts_with("thumbv8m.main");
    let map = if m55 { "../qemu/memory-an547.x" } else { "../qemu/memory-mps2.x" };
    println!("cargo:rerun-if-changed={map}");
    let text = fs::read_to_string(map)?;
    let length = |region: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(region))?;
        // Such as 4M - 256K - 48K.
        let mut terms = line.split("LENGTH =").nth(1)?.split('-').map(|term| {
            let term = term.trim();
            let (number, unit) = term.split_at(term.len().checked_sub(1)?);
            Some(number.parse::<usize>().ok()? << if unit == "M" { 20 } else { 10 })
        });
        let first = terms.next()??;
        terms.try_fold(first, |length, term| length.checked_sub(term?))
    };
    let read = |region: &str| length(region).ok_or_else(|| format!("{map}: no length of {region}"));
    Ok([read("RAM")?, read("FLASH")?])
}
