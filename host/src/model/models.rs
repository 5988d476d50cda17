//! The ready models, by name: the files of the folder `models/`, which are part of the program.
//!
//! | name | what it does |
//! |---|---|
//! | `retina` | centre minus surround, ON and OFF |
//! | `centre_surround` | centre minus surround |
//! | `transient` | a fast low-pass minus a slow one |
//! | `smooth` | a low-pass |
//! | `edges` | energy of the horizontal and the vertical gradient |
//! | `ln` | a filter in time and space, then a nonlinearity |
//! | `ln_cascade` | rectified subunits, pooled and rectified again |
//! | `direction_selective` | motion along a row, right positive and left negative |
//! | `motion_energy` | motion energy in four directions |
//! | `mcintosh` | a convolutional network of the retina |
//!
//! ```
//! use foveola::{Resolution, models};
//! let mut retina = models::build("retina", Resolution::DEFAULT)?;
//! assert!(retina.outputs().eq(["on", "off"]));
//! let response = retina.run(&ndarray::Array3::<f32>::ones((100, 48, 64)), 50)?; // ON
//! assert!(response.iter().all(|y| *y >= 0.0));
//!
//! let mut file = models::file("retina")?; // the file itself
//! file.set("surround.tau", "20ms")?;
//! let slower = file.model()?;
//! # Ok::<(), foveola::Error>(())
//! ```

use crate::{Error, Model, ModelFile, Resolution, Result};
use std::path::Path;

/// The names, and the text of each file.
macro_rules! ready {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("../../models/", $name, ".toml")))),*]
    };
}
const MODELS: [(&str, &str); 10] = ready!(
    "retina" "centre_surround" "transient" "smooth" "edges" "ln" "ln_cascade" "direction_selective" "motion_energy" "mcintosh"
);

/// The names of the models.
pub fn names() -> impl Iterator<Item = &'static str> {
    MODELS.iter().map(|(name, _)| *name)
}

/// The file of the model called `name`.
///
/// # Errors
/// [`Error::Unknown`] for another name.
pub fn file(name: &str) -> Result<ModelFile> {
    ModelFile::parse(crate::names::find("model", &MODELS, name)?, "")
}

/// Whether [`open`] takes this for the path of a file: it has a `/` (or `\`) or ends with `.toml`.
pub fn is_path(model: impl AsRef<Path>) -> bool {
    let text = model.as_ref().to_string_lossy();
    text.contains(['/', '\\']) || text.ends_with(".toml")
}

/// A model by its name, or a file: what has a `/` (or `\`) or ends with `.toml` is the path of a file. Anything else is a name,
/// whatever lies in the folder, so that a name means the same model everywhere.
///
/// # Errors
/// [`Error::Unknown`] for a name that no model has; those of [`ModelFile::read`].
pub fn open(model: impl AsRef<Path>) -> Result<ModelFile> {
    let path = model.as_ref();
    if is_path(path) {
        return ModelFile::read(path);
    }
    file(&path.to_string_lossy()).map_err(|error| match error {
        Error::Unknown { what, value, expected } => {
            Error::Unknown { what, expected: format!("{expected}, or a file such as ./{value}"), value }
        }
        other => other,
    })
}

/// The model called `name`, for frames of this resolution instead of the file's.
///
/// # Errors
/// [`Error::Unknown`] for another name; [`Error::ModelFile`] for a resolution that a layer does not allow.
pub fn build(name: &str, resolution: Resolution) -> Result<Model> {
    file(name)?.model_at(resolution)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every file of the folder is a model of its name, needs no other file, and is in the table of the documentation.
    #[test]
    fn all_files_are_models() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/models");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder")
            .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(".toml")?.to_owned()))
            .collect();
        let mut known: Vec<&str> = names().collect();
        files.sort();
        known.sort_unstable();
        assert_eq!(files, known);
        for name in known {
            let file = file(name).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!((file.name(), file.arrays()), (name, Vec::new()));
            assert!(include_str!("models.rs").contains(&format!("//! | `{name}` |")), "{name} is in the table");
        }
    }

    #[test]
    fn another_resolution_is_that_of_its_frames() {
        let tau = |resolution| {
            let mut model = build("smooth", resolution).expect("a model");
            let step = ndarray::Array3::<f32>::ones((1, 1, 1));
            model.process(&step).expect("a frame")[[0, 0, 0, 0, 0]]
        };
        let slow = Resolution { steps_per_second: 100.0, ..Resolution::DEFAULT };
        assert!(tau(slow) > 5.0 * tau(Resolution::DEFAULT), "a frame of 10 ms, not of 1 ms");
        let wrong = Resolution { steps_per_second: f64::NAN, ..Resolution::DEFAULT };
        assert!(build("smooth", wrong).is_err());
    }
}
