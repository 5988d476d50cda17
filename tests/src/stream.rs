//! One recording through the host's [`Model`] and through `core` alone, with slices of exactly the lengths it asks for.

use crate::spec::Spec;
use foveola::{Layer, Model, Precision, Table};
use foveola_core::{Filter, Graph, Shape, Source, Step};
use ndarray::{Array5, ArrayView5, Axis, concatenate, s};

/// Something that takes a recording in pieces `(batch, channel, time, row, col)`.
pub trait Engine {
    /// Feeds a piece and returns what comes out.
    ///
    /// # Errors
    /// The engine's, as text.
    fn feed(&mut self, piece: ArrayView5<'_, f32>) -> Result<Array5<f32>, String>;

    /// Returns to the state before the first frame.
    fn clear(&mut self);
}

impl Engine for Model {
    fn feed(&mut self, piece: ArrayView5<'_, f32>) -> Result<Array5<f32>, String> {
        self.process(piece).map(|view| view.to_owned()).map_err(|error| error.to_string())
    }

    fn clear(&mut self) {
        self.clear_state();
    }
}

/// `core` alone: a layer's table, and a state that is full of NaN whenever it means nothing.
pub struct Core {
    layer: Box<dyn Layer>,
    t: u64,
    state: Vec<f32>,
}

impl Core {
    /// A stream through `layer`.
    pub fn new(layer: Box<dyn Layer>) -> Self {
        Self { layer, t: 0, state: Vec::new() }
    }
}

impl Engine for Core {
    fn feed(&mut self, piece: ArrayView5<'_, f32>) -> Result<Array5<f32>, String> {
        let text = |error: foveola_core::Error| error.to_string();
        let (batch, channels, frames, rows, cols) = piece.dim();
        let shape = Shape::new(channels, rows, cols);
        let mut table = Table::new(shape);
        self.layer.compile(&mut table, Source::Input).map_err(|error| error.to_string())?;
        let graph = Graph::new(shape, table.nodes()).map_err(text)?;
        let signature = graph.signature();
        if self.t == 0 {
            self.state = vec![f32::NAN; signature.state * batch];
        }
        let input: Vec<f32> = piece.permuted_axes([0, 2, 1, 3, 4]).iter().copied().collect();
        let announced = signature.frames_out(self.t, frames);
        let mut scratch = vec![f32::NAN; graph.scratch_len(frames, batch)];
        let mut output = vec![f32::NAN; batch * announced * signature.output.len()];
        let (t, state) = (self.t, self.state.as_mut_slice());
        let written = match (batch, frames) {
            (1, 1) => match graph.step(t, state, &mut scratch, &input, &mut output).map_err(text)? {
                Step::Nothing => 0,
                Step::Frame => announced,
            },
            (1, _) => graph.run(t, state, &mut scratch, &input, &mut output).map_err(text)?,
            _ => graph.run_batch(t, batch, state, &mut scratch, &input, &mut output).map_err(text)?,
        };
        if written != announced {
            return Err(format!("{written} frames at time {t}; {announced} were announced"));
        }
        self.t += frames as u64;
        let Shape { channels, rows, cols } = signature.output;
        Array5::from_shape_vec((batch, announced, channels, rows, cols), output)
            .map(|output| output.permuted_axes([0, 2, 1, 3, 4]).as_standard_layout().into_owned())
            .map_err(|error| error.to_string())
    }

    fn clear(&mut self) {
        self.t = 0;
    }
}

/// Engines and their names.
pub type Engines = [(&'static str, Box<dyn Engine>); 2];

/// The host, asked for reproducible bits, and `core`, each with a fresh stream through `spec`.
///
/// # Errors
/// Those of the layer.
pub fn engines(spec: &Spec) -> Result<Engines, String> {
    let layer = || spec.layer().map_err(|error| error.to_string());
    let host = Model::of(layer()?).with_precision(Precision::Reproducible);
    Ok([("host", Box::new(host)), ("core", Box::new(Core::new(layer()?)))])
}

/// Frames that `spec` puts in front of every piece's output.
///
/// # Errors
/// Those of the layer.
pub fn lead(spec: &Spec, movie: &Array5<f32>) -> Result<usize, String> {
    let (_, channels, _, rows, cols) = movie.dim();
    let model = Model::of(spec.layer().map_err(|error| error.to_string())?);
    Ok(model.signature(Shape::new(channels, rows, cols)).map_err(|error| error.to_string())?.lead)
}

/// Feeds `movie` in pieces of `cuts` frames and joins what comes out: the first piece whole, of the others what follows
/// their `lead` frames.
///
/// # Errors
/// The engine's, or a lead that is not the stream's last frames.
pub fn feed_all(
    engine: &mut dyn Engine,
    movie: &Array5<f32>,
    cuts: &[usize],
    lead: usize,
) -> Result<Array5<f32>, String> {
    let mut joined: Option<Array5<f32>> = None;
    let mut from = 0;
    for frames in cuts {
        let out = engine.feed(movie.slice(s![.., .., from..from + frames, .., ..]))?;
        from += frames;
        joined = Some(match joined {
            Some(so_far) if so_far.len_of(Axis(2)) == 0 => out,
            Some(so_far) if out.len_of(Axis(2)) > 0 => {
                let n = so_far.len_of(Axis(2));
                let expected = so_far.slice(s![.., .., n - lead.., .., ..]);
                if bits(&out.slice(s![.., .., ..lead, .., ..])) != bits(&expected) {
                    return Err(format!("the {lead} frames in front of a piece are not the stream's last ones"));
                }
                let new = out.slice(s![.., .., lead.., .., ..]);
                concatenate(Axis(2), &[so_far.view(), new]).map_err(|error| error.to_string())?
            }
            Some(so_far) => so_far,
            None => out,
        });
    }
    joined.ok_or_else(|| "no pieces".into())
}

/// Shape and bits of an array: what must be equal where "the same bits" are promised.
pub fn bits(array: &ArrayView5<'_, f32>) -> (Vec<usize>, Vec<u32>) {
    (array.shape().to_vec(), array.iter().map(|x| x.to_bits()).collect())
}
