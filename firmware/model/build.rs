//! A model file as constants: weights, table and plan for the 64 x 64 pixels of the recording.
//!
//! | variable | meaning | if absent |
//! |---|---|---|
//! | `MODEL` | the name of a ready model, or a file; a relative path starts in the folder of cargo's caller | `retina` |
//! | `BINNING` | a pixel of a frame counts the events of so many pixels, squared | the most with which frames of the file's size fit, else 1 |

use foveola_build::Result;
use std::{env, fs};

/// Rows and columns of the recording.
const SIDE: usize = 64;
/// Bytes that the program needs beside the model, without its stack, which has a region of its own.
const PROGRAM_RAM: usize = 32 << 10;
const PROGRAM_FLASH: usize = 128 << 10;

fn main() {
    println!("cargo:rustc-link-arg-bins=-Tdefmt.x"); // foveola-qemu prints with it
    foveola_build::run(generate);
}

fn generate() -> Result<()> {
    for variable in ["MODEL", "BINNING"] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    let model = env::var("MODEL").unwrap_or_else(|_| "retina".into());
    let file = foveola_build::read(foveola_build::from_caller(&model))?;

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
        return Err(format!("{model}: {found}; the recording has {SIDE} x {SIDE} pixels").into());
    }

    let exported = foveola_build::write("model", &file, [rows, cols], binning)?;
    let [ram, flash] = memory()?;
    let fits = exported.must_fit(ram - PROGRAM_RAM, flash - PROGRAM_FLASH);
    fits.map_err(|error| format!("{model}: {error}"))?;
    let (name, tables) = (file.name(), exported.tables);
    let source = format!(
        "/// Name of the model.\npub const NAME: &str = {name:?};\n\
         /// Bytes of RAM that frames, state and scratch may take.\npub const RAM: usize = {};\n\
         /// Bytes of flash for its tables.\npub const TABLES: usize = {tables};\n",
        ram - PROGRAM_RAM,
    );
    Ok(fs::write(foveola_build::out("machine.rs")?, source)?)
}

/// Bytes of RAM and flash of the machine: those in the memory map of `foveola-qemu`.
fn memory() -> Result<[usize; 2]> {
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
