//! Recordings: what was shown, and what was measured meanwhile.

use crate::args::fit::{FitArgs, TargetKind};
use crate::commands::stimulus::{Subject, neurons, shape};
use crate::units::{plural, seconds};
use foveola::fit::Measured;
use foveola::fit::direct::counts_of_times;
use foveola::{Error, Result, Shape, npy};
use ndarray::{Array1, Array5, ArrayD, ArrayView5, Axis, IxDyn};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The first bytes of an array.
const NPY: &[u8] = b"\x93NUMPY";

/// One recording.
pub(super) struct Recording {
    pub(super) stimulus_path: PathBuf,
    pub(super) target_path: PathBuf,
    pub(super) stimulus: Array5<f32>,
    pub(super) measured: Measured,
    /// The frames of the output, and seconds of each.
    pub(super) output: Shape,
    pub(super) dt: f64,
}

impl Recording {
    /// Reads all pairs of files.
    pub(super) fn read_all(args: &FitArgs, subject: &Subject) -> Result<Vec<Self>> {
        args.stimulus
            .iter()
            .zip(&args.target)
            .map(|(stimulus, target)| Self::read(args, subject, stimulus, target))
            .collect()
    }

    fn read(args: &FitArgs, subject: &Subject, stimulus_path: &Path, target_path: &Path) -> Result<Self> {
        let stimulus = subject.movie(&args.model, stimulus_path)?;
        let signature = subject.signature(shape(&stimulus))?;
        let (frames, output) = (signature.frames_out(0, stimulus.len_of(Axis(2))), signature.output);
        let dt = subject.dt() * signature.rate.every as f64;
        let data = |reason: String| Error::Data { path: target_path.into(), reason };
        let numbers = numbers(target_path)?;
        let measured = match args.target_kind {
            TargetKind::Rate | TargetKind::Counts => Measured::new(&as_output(numbers)),
            TargetKind::Spikes if numbers.ndim() != 1 => {
                let found = format!("an array of shape {:?}", numbers.shape());
                return Err(data(format!(
                    "{found}; expected one of rank 1 for --target-kind spikes: times in seconds"
                )));
            }
            TargetKind::Spikes => {
                let times: Vec<f64> = numbers.into_iter().collect();
                counts_of_times(&[times], frames, 1.0 / dt).and_then(|counts| Measured::new(&counts))
            }
        };
        let measured = measured.map_err(|error| data(error.to_string()))?;
        if (measured.frames(), measured.neurons()) != (frames, output.len()) {
            let found = format!("{} of {} numbers", plural(measured.frames() as u64, "frame"), measured.neurons());
            let expected = format!("{} of {}", plural(frames as u64, "frame"), neurons(output));
            let of = format!("as the output {} has for {}", subject.output, stimulus_path.display());
            // Of another frame rate, perhaps.
            let other = frames as f64 / measured.frames() as f64;
            let rate = if measured.frames() == frames {
                String::new()
            } else {
                format!("; its frames are of {}, those of the target would be of {}", seconds(dt), seconds(dt * other))
            };
            return Err(data(format!("{found}; expected {expected}, {of}{rate}")));
        }
        Ok(Self {
            stimulus_path: stimulus_path.into(),
            target_path: target_path.into(),
            stimulus,
            measured,
            output,
            dt,
        })
    }

    /// What a fit takes.
    pub(super) fn pair(&self) -> (ArrayView5<'_, f32>, Measured) {
        (self.stimulus.view(), self.measured.clone())
    }
}

/// The numbers of a file: an array, or text with a number a line, of which those that begin with # are comments.
fn numbers(path: &Path) -> Result<ArrayD<f64>> {
    let io = |source| Error::Io { path: path.into(), source };
    let mut head = Vec::new();
    File::open(path).and_then(|file| file.take(NPY.len() as u64).read_to_end(&mut head)).map_err(io)?;
    if head == NPY {
        return npy::read(path);
    }
    let data = |reason: String| Error::Data { path: path.into(), reason };
    let bytes = std::fs::read(path).map_err(io)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| data("neither an array nor text; expected .npy, or text with a number a line".into()))?;
    let mut numbers = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let number = line.parse::<f64>().ok().filter(|number| number.is_finite());
        let number = number.ok_or_else(|| {
            let line: String = line.chars().take(40).collect();
            data(format!("line {} is '{line}'; expected one number a line", index + 1))
        })?;
        numbers.push(number);
    }
    if numbers.is_empty() {
        return Err(data("no numbers; expected one a line".into()));
    }
    Ok(Array1::from(numbers).into_dyn())
}

/// An array whose first of four axes is time in the order of an output: (channel, time, row, col).
fn as_output(numbers: ArrayD<f64>) -> ArrayD<f64> {
    if numbers.ndim() == 4 { numbers.permuted_axes(IxDyn(&[1, 0, 2, 3])) } else { numbers }
}
