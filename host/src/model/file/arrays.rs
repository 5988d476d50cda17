//! Arrays of weights in `.npy` and `.npz` files beside the model.

use super::error::Problem;
use super::keys::Scope;
use crate::events::recording::{ARCHIVE_MAGIC, members};
use crate::npy::header::{Element, Header, NUMBERS, Scalar};
use crate::taps::MAX_WEIGHTS;
use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Component, Path, PathBuf};

/// An array in a file that was opened, up to its header.
pub(super) struct Stored {
    pub(super) shape: Vec<usize>,
    scalar: Scalar,
    fortran_order: bool,
    content: Box<dyn Read>,
    path: PathBuf,
}

/// Opens the array called `array` in the file `name` beside the model; without a name the file is `.npy`, or an archive of one
/// array.
pub(super) fn open(scope: &Scope<'_>, at: Option<usize>, name: &str, array: Option<&str>) -> Result<Stored, Problem> {
    let inside = |component: Component<'_>| matches!(component, Component::Normal(_) | Component::CurDir);
    if name.is_empty() || !Path::new(name).components().all(inside) {
        return Err(Problem::new(
            at,
            format!("{name:?}"),
            "a file beside the model or in a folder there, such as \"weights.npz\"",
        ));
    }
    let path = scope.source.folder.join(name);
    let problem = |found: String, expected: &str| Problem::new(at, format!("{}: {found}", path.display()), expected);
    let failed = |error: std::io::Error| problem(error.to_string(), "an array in a .npy or .npz file");
    let mut file = File::open(&path).map_err(failed)?;
    let mut magic = Vec::new();
    file.by_ref().take(ARCHIVE_MAGIC.len() as u64).read_to_end(&mut magic).map_err(failed)?;
    file.rewind().map_err(failed)?;
    let mut content: Box<dyn Read> = if magic == ARCHIVE_MAGIC {
        let members = members(&path).map_err(failed)?;
        let names: Vec<_> = members.iter().map(|member| member.name()).collect();
        let member = match array {
            Some(array) => members.iter().find(|member| member.name() == array),
            None if members.len() == 1 => members.first(),
            None => {
                let expected = format!("the key \"array\" with one of: {}", names.join(", "));
                return Err(problem(format!("an archive of {} arrays", names.len()), &expected));
            }
        };
        let Some(member) = member else {
            return Err(Problem::unknown(
                at,
                &format!("array in {}:", path.display()),
                array.unwrap_or_default(),
                names,
            ));
        };
        member.open(&path).map_err(failed)?
    } else if let Some(array) = array {
        return Err(problem(format!("one array, not an archive with {array:?}"), "a .npz file, or no key \"array\""));
    } else {
        Box::new(BufReader::new(file))
    };
    let header = Header::from_reader(&mut content).map_err(failed)?;
    let header = header.map_err(|reason| problem(reason, "a .npy or .npz file"))?;
    let Element::Scalar(scalar) = header.element else {
        return Err(problem("records".into(), NUMBERS));
    };
    // Of a type that is not supported no number can be read.
    if scalar.number(&[0; 8]).is_none() {
        return Err(problem("elements that are not numbers".into(), NUMBERS));
    }
    if header.elements() > MAX_WEIGHTS as u64 {
        let expected = format!("{MAX_WEIGHTS} values at most");
        return Err(problem(format!("an array of shape {:?}", header.shape), &expected));
    }
    let shape = header.shape.iter().map(|len| *len as usize).collect();
    Ok(Stored { shape, scalar, fortran_order: header.fortran_order, content, path })
}

impl Stored {
    /// The values.
    pub(super) fn read(self, at: Option<usize>) -> Result<ArrayD<f32>, Problem> {
        let Self { shape, scalar, fortran_order, content, path } = self;
        let samples: usize = shape.iter().product();
        let bytes = samples.saturating_mul(scalar.size);
        let mut values = Vec::new();
        content
            .take(bytes as u64)
            .read_to_end(&mut values)
            .map_err(|error| Problem::new(at, format!("{}: {error}", path.display()), ""))?;
        if values.len() < bytes {
            let found = format!("{}: cut off, {} of {bytes} bytes", path.display(), values.len());
            return Err(Problem::new(at, found, format!("an array of shape {shape:?}")));
        }
        let number = |bytes: &[u8]| scalar.number(bytes).unwrap_or(f64::NAN) as f32;
        let values: Vec<f32> = values.chunks_exact(scalar.size.max(1)).map(number).collect();
        let order = IxDyn(&shape).set_f(fortran_order);
        ArrayD::from_shape_vec(order, values)
            .map_err(|error| Problem::new(at, format!("{}: {error}", path.display()), ""))
    }
}
