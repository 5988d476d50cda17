//! The stimulus and the output of `foveola fit` and `foveola simulate`.

use super::models::read;
use crate::args::fit::ModelOfArgs;
use crate::units::seconds;
use foveola::{Error, Model, ModelFile, Result, Shape, Signature, movie};
use ndarray::{Array4, Array5, Axis};
use std::path::Path;

/// A model file, and the output of its model that is asked for.
pub(super) struct Subject {
    pub(super) file: ModelFile,
    /// The name of the output, and its layer.
    pub(super) output: String,
    pub(super) layer: String,
}

impl Subject {
    /// Reads the model that the arguments name, with their changes.
    ///
    /// # Errors
    /// [`Error::Unknown`] for the name of an output that there is not.
    pub(super) fn read(args: &ModelOfArgs) -> Result<Self> {
        let mut file = read(&args.model, &args.set)?;
        if let Some(dt) = args.dt {
            file.set("input.dt", &format!("{dt}us"))?;
        }
        args.weights.as_deref().map_or(Ok(()), |path| file.load_weights(path))?;
        let wanted = |name: &str| args.output.as_deref().is_none_or(|wanted| name == wanted);
        let found = file.outputs().find(|(name, _)| wanted(name));
        let found = found.map(|(name, layer)| (name.to_owned(), layer.to_owned()));
        let (output, layer) = match found {
            Some(found) => found,
            None => {
                let names = file.outputs().map(|(name, _)| name);
                return Err(Error::unknown("output", args.output.as_deref().unwrap_or_default(), names));
            }
        };
        Ok(Self { file, output, layer })
    }

    /// The model of a file like this one, up to the output.
    pub(super) fn model(&self, file: &ModelFile, threads: Option<usize>) -> Result<Model> {
        let mut model = file.model()?;
        if let Some(layer) = model.part(self.layer.as_str()) {
            model = layer;
        }
        threads.into_iter().for_each(|threads| model.set_threads(threads));
        Ok(model)
    }

    /// What the output is for frames of `shape`.
    pub(super) fn signature(&self, shape: Shape) -> Result<Signature> {
        self.model(&self.file, None)?.signature(self.file.frames(shape)?)
    }

    /// Seconds of a frame of the input.
    pub(super) fn dt(&self) -> f64 {
        self.file.input().dt
    }

    /// Reads a movie (batch, channel, time, row, col) of frames as long as those of the model.
    ///
    /// # Errors
    /// [`Error::Data`] for a GIF of another frame time, unless `--dt` is given; those of the movie.
    pub(super) fn movie(&self, args: &ModelOfArgs, path: &Path) -> Result<Array5<f32>> {
        let mut movie = movie::open_with(path, movie::Options { scale: args.scale, untimed: args.dt.is_some() })?;
        if let (Some(own), None) = (movie.frame_time(), args.dt)
            && (own.as_secs_f64() / self.dt() - 1.0).abs() > 1e-6
        {
            let [own, dt] = [own.as_secs_f64(), self.dt()].map(seconds);
            let reason = format!("frames of {own}, and those of the model are of {dt}; expected the same, or --dt");
            return Err(Error::Data { path: path.into(), reason });
        }
        let Shape { channels, rows, cols } = movie.shape();
        let mut samples = Vec::new();
        let frames = movie.next_frames(usize::MAX, &mut samples)?;
        let count = samples.len();
        let frames = Array4::from_shape_vec((frames, channels, rows, cols), samples);
        let frames = frames.map_err(|_| Error::Memory { what: "a movie", samples: count })?;
        Ok(frames.permuted_axes([1, 0, 2, 3]).insert_axis(Axis(0)))
    }
}

/// The shape of the frames of a movie.
pub(super) fn shape(movie: &Array5<f32>) -> Shape {
    let (_, channels, _, rows, cols) = movie.dim();
    Shape::new(channels, rows, cols)
}

/// A neuron is a sample of an output frame: `1 neuron`, `12 neurons (1 x 3 x 4)`.
pub(super) fn neurons(output: Shape) -> String {
    let Shape { channels, rows, cols } = output;
    match output.len() {
        1 => "1 neuron".into(),
        n => format!("{n} neurons ({channels} x {rows} x {cols})"),
    }
}
