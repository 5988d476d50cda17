#![forbid(unsafe_code)]
//! For build scripts of firmware: a model file becomes a module with the model's table and plan.
//!
//! ```no_run
//! // build.rs
//! foveola_build::run(|| {
//!     let mut retina = foveola_build::read("retina")?; // a ready model, or the path of a file
//!     retina.set("input.dt", "10ms")?;
//!     foveola_build::write("retina", &retina, [64, 64], 5)?; // 64 x 64 pixels, each of 5 x 5 of the sensor
//!     Ok(())
//! });
//! ```
//! The program includes it, and takes the plan:
//!
//! ```ignore
//! mod retina {
//!     include!(concat!(env!("OUT_DIR"), "/retina.rs"));
//! }
//! impl foveola_pipeline::Application for Retina {
//!     type Decoder = foveola_core::events::Evt2;
//!     type Sample = retina::Sample;
//!     const PLAN: Plan<'static, retina::Sample> = retina::PLAN;
//!     const RAM: usize = 155 * 1024;
//! }
//! ```

use foveola::{Exported, ModelFile, models};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// What a build script yields; any error is one of the package.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Runs a build script. Cargo shows its error as that of the package, without a backtrace.
pub fn run(script: impl FnOnce() -> Result<()>) {
    println!("cargo:rerun-if-changed=build.rs");
    if let Err(error) = script() {
        println!("cargo::error={error}");
    }
}

/// Reads a ready model by its name, or a file by its path ([`models::open`]); cargo runs the script again when the file or one
/// of its arrays changes.
///
/// # Errors
/// Those of [`models::open`].
pub fn read(model: impl AsRef<Path>) -> Result<ModelFile> {
    let model = model.as_ref();
    let file = models::open(model)?;
    if models::is_path(model) {
        println!("cargo:rerun-if-changed={}", model.display());
    }
    for array in file.arrays() {
        println!("cargo:rerun-if-changed={}", array.display());
    }
    Ok(file)
}

/// A model as the caller of cargo means it, for [`read`]: a relative path starts in the caller's folder, while a build script runs
/// in that of its package; a name stays as it is.
pub fn from_caller(model: &str) -> PathBuf {
    if models::is_path(model) {
        return Path::new(&env::var_os("PWD").unwrap_or_default()).join(model);
    }
    model.into()
}

/// Writes the source of a model ([`ModelFile::to_firmware`]) to `NAME.rs` in the folder `OUT_DIR`.
///
/// # Errors
/// Those of [`ModelFile::to_firmware`], with the name of the model; a folder that cannot be written to.
pub fn write(name: &str, file: &ModelFile, frame: [usize; 2], binning: u16) -> Result<Exported> {
    let exported = file.to_firmware(frame, binning).map_err(|error| format!("{}: {error}", file.name()))?;
    fs::write(out(&format!("{name}.rs"))?, &exported.source)?;
    Ok(exported)
}

/// A file in the folder `OUT_DIR`.
///
/// # Errors
/// Without `OUT_DIR`: outside of a build script.
pub fn out(file: &str) -> Result<PathBuf> {
    Ok(PathBuf::from(env::var_os("OUT_DIR").ok_or("no OUT_DIR")?).join(file))
}
