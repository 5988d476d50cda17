//! The parameters of a model in a `.npz` archive, one array of `f64` for each, under its name.

use super::Model;
use super::parameters::unknown;
use crate::draft::Draft;
use crate::events::recording::{Member, members};
use crate::npy::archive::ArchiveWriter;
use crate::npy::header::Header;
use crate::{Error, Parameter, Result};
use ndarray::{ArrayD, IxDyn};
use std::io::{self, Read};
use std::path::Path;

impl Model {
    /// Writes all [parameters](Model::parameters) to a `.npz` archive, which `numpy.load` reads: an array of `f64` for each,
    /// under its name. Weights of `f32` are exact.
    ///
    /// ```
    /// use foveola::{Conv2d, Model};
    /// let path = std::env::temp_dir().join(format!("foveola-doc-{}-weights.npz", std::process::id()));
    /// let blur = Model::new().named("blur", Conv2d::new(1, 1, [3, 3])?);
    /// blur.save_weights(&path)?; // np.load(path)["blur.weight"].shape == (1, 1, 3, 3)
    ///
    /// let mut other = Model::new().named("blur", Conv2d::new(1, 1, [3, 3])?.with_weight(0.5)?);
    /// other.load_weights(&path)?;
    /// assert_eq!(other.parameters(), blur.parameters());
    /// # std::fs::remove_file(path).unwrap();
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// The file appears under its name when it is complete.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Unknown`] for a model without parameters, which would be an archive without arrays.
    pub fn save_weights(&self, path: impl AsRef<Path>) -> Result<()> {
        let (path, all) = (path.as_ref(), self.parameters());
        if all.is_empty() {
            return Err(unknown("*", &all));
        }
        let write = || {
            let mut archive = ArchiveWriter::new(Draft::buffered(path)?);
            all.iter().try_for_each(|Parameter { name, value }| archive.push(name, value))?;
            Draft::commit_buffered(archive.finish()?)
        };
        write().map_err(|source| Error::Io { path: path.into(), source })
    }

    /// Sets all [parameters](Model::parameters) from a `.npz` archive: one array of numbers for each, with its name and
    /// shape, in any order. A running stream continues, as with [`Model::set_parameter`].
    ///
    /// # Errors
    /// [`Error::Data`] for a file that is no such archive, a missing array, one of another shape, type or with damaged bytes, one
    /// that is no parameter, and values that a layer refuses; [`Error::Io`]. The model is then unchanged.
    pub fn load_weights(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let data = |reason: String| Error::Data { path: path.into(), reason };
        let members = members(path).map_err(|error| failed(path, error))?;
        let all = self.parameters();
        if let Some(strange) = members.iter().find(|member| all.iter().all(|parameter| parameter.name != member.name()))
        {
            return Err(data(unknown(strange.name(), &all).to_string()));
        }
        let mut arrays = Vec::with_capacity(all.len());
        for parameter in &all {
            let name = &parameter.name;
            let mut of_name = members.iter().filter(|member| member.name() == name);
            let member = of_name
                .next()
                .ok_or_else(|| data(format!("there is no array {name}; expected one for each parameter")))?;
            if of_name.next().is_some() {
                return Err(data(format!("there are several arrays {name}; expected one")));
            }
            let array = read(member, path, parameter.shape()).map_err(|error| failed(path, error))?;
            arrays.push((name, array.map_err(|reason| data(format!("{name}: {reason}")))?));
        }
        // All values, or none of them: a layer may refuse some.
        let mut changed = Self { network: self.network.clone(), ..Self::default() };
        for (name, array) in arrays {
            changed.set_parameter(name, array).map_err(|error| data(error.to_string()))?;
        }
        self.network = changed.network;
        Ok(())
    }
}

/// An archive that is none, or is damaged, or cannot be read.
fn failed(path: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::InvalidData => Error::Data { path: path.into(), reason: error.to_string() },
        io::ErrorKind::UnexpectedEof => Error::Data { path: path.into(), reason: "cut off".into() },
        _ => Error::Io { path: path.into(), source: error },
    }
}

/// The array in an archive, if it has this shape; otherwise the reason.
fn read(member: &Member, path: &Path, expected: &[usize]) -> io::Result<Result<ArrayD<f64>, String>> {
    let mut bytes = member.checked(path)?;
    let header = match Header::from_reader(&mut bytes)? {
        Ok(header) => header,
        Err(reason) => return Ok(Err(reason)),
    };
    let scalar = match header.numbers() {
        Ok(scalar) => scalar,
        Err(reason) => return Ok(Err(reason)),
    };
    if header.fortran_order && header.shape.len() > 1 {
        return Ok(Err("in Fortran order; expected C order, as numpy.ascontiguousarray gives".into()));
    }
    if !header.shape.iter().copied().eq(expected.iter().map(|side| *side as u64)) {
        return Ok(Err(format!("an array of shape {:?}; expected {expected:?}", header.shape)));
    }
    let numbers = scalar.read_numbers(expected.iter().product::<usize>() as u64, &mut bytes)?;
    if bytes.read(&mut [0])? > 0 {
        return Ok(Err("more bytes than its header tells of".into()));
    }
    Ok(ArrayD::from_shape_vec(IxDyn(expected), numbers).map_err(|error| error.to_string()))
}

#[cfg(test)]
mod tests;
