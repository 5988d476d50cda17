//! Full scales from a recording: each the least power of two above the largest sample, with headroom. The same recording tells what
//! the model in integers is off by, layer by layer.
//!
//! ```text
//! signal-to-noise ratio = 10 log10(sum y^2 / sum (y - q)^2)   dB,  y in floats, q in integers
//! ```

use super::probe::{Largest, Probed};
use super::table::{Choice, choice};
use super::{MOST, SLACK, Samples, Tables, exponent, exponent_for, refused};
use crate::model::network::Span;
use crate::{Error, Model, Movie, Result};
use foveola_core::{Node, Shape};
use ndarray::{ArrayView5, s};

/// Frames of a chunk.
const CHUNK: usize = 32;

/// A model in samples of 16 bits, next to the one in floats: what [`Model::quantise`] found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Quantised {
    /// What a sample of 1 of the input stands for.
    pub full_scale: f64,
    /// The largest magnitude of the input.
    pub largest_input: f64,
    /// Samples of the input beyond its full scale.
    pub saturated_input: u64,
    /// The largest magnitude of inputs of which none makes any sample between the layers saturate, whatever their order; 0 where
    /// there is no such bound.
    pub safe_input: f64,
    /// The layers.
    pub layers: Vec<QuantisedLayer>,
}

/// One layer of [`Quantised`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct QuantisedLayer {
    /// Its name; that of its kind if it has none.
    pub name: String,
    /// The largest magnitude that it yielded in floats.
    pub largest: f64,
    /// What a sample of 1 stands for.
    pub full_scale: f64,
    /// Signal-to-noise ratio in dB; infinite where the numbers are equal, not a number where all are 0.
    pub snr: f64,
    /// Samples at an end of the range.
    pub saturated: u64,
}

impl Model {
    /// Makes this a model in [samples of 16 bits](Samples::Q15), whose full scales are chosen from a recording: `headroom` times
    /// the largest magnitude of each layer, or more, as powers of two. With a `range` each full scale also holds what inputs of up to
    /// that magnitude can give at most, in any order: then none of them makes a sample saturate.
    ///
    /// Full scales that were set before stay as they are.
    ///
    /// Returns what the integers are off by on the recording. The state of the model is cleared.
    ///
    /// ```
    /// use foveola::{LowPass, Model, NLRectify, Resolution, Samples};
    /// let movie = ndarray::Array3::from_shape_fn((50, 4, 4), |(t, r, _)| if t % 20 < 10 { r as f32 } else { -1.0 });
    /// let mut model = Model::of(LowPass::new(0.003, Resolution::DEFAULT)?).then(NLRectify);
    /// let found = model.quantise(&movie, Samples::Q15 { full_scale: 4.0 }, 1.05, None)?;
    /// assert!(found.layers[1].snr > 80.0 && found.layers[1].saturated == 0);
    /// assert_eq!(model.full_scale(1), Some(4.0));
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Model::process`]; [`Error::Integers`] for a layer that cannot be computed in 16 bits, [`Error::Parameter`] for a
    /// headroom below 1, and a range beyond the full scale of the input. The model is then as it was.
    pub fn quantise<'a>(
        &mut self,
        recording: impl Movie<'a>,
        samples: Samples,
        headroom: f64,
        range: Option<f64>,
    ) -> Result<Quantised> {
        let recording = recording.movie()?;
        let input = recording.view();
        let parameter = |name, value: f64, expected| {
            Err(Error::Parameter { item: "Model::quantise", name, value: value.to_string(), expected })
        };
        if !(1.0..=32768.0).contains(&headroom) {
            return parameter("headroom", headroom, "1 to 32768");
        }
        if let Some(range) = range.filter(|range| !(*range > 0.0 && range.is_finite())) {
            return parameter("range", range, "a number above 0");
        }
        let Samples::Q15 { full_scale } = samples else {
            return Err(Error::Parameter {
                item: "Model::quantise",
                name: "samples",
                value: "F32".into(),
                expected: "Samples::Q15 with the full scale of the input",
            });
        };
        let of_input = exponent(full_scale).ok_or_else(|| refused("full scale of the input", full_scale))?;
        if let Some(range) = range.filter(|range| *range > full_scale) {
            return parameter("range", range, "at most the full scale of the input, where it saturates");
        }

        let mut floats = self.every_layer();
        floats.set_samples(Samples::F32)?;
        let (_, channels, _, rows, cols) = input.dim();
        let shape = Shape::new(channels, rows, cols);
        let mut probed = Probed::new(&floats, shape)?;
        let seen = probed.in_chunks(chunks(input))?;
        let at_most = match range {
            None => None,
            Some(range) => Some(probed.of_layers(&probed.bounds(shape, range)?)),
        };
        let mut integers = self.every_layer();
        integers.set_samples(samples)?;
        integers.choose(shape, of_input, &probed, &seen, headroom, at_most.as_ref())?;

        let tables = integers.tables_with(shape, |tables, _| Ok(tables))?;
        let mut layers = Vec::with_capacity(self.len());
        for ((name, largest), span) in self.names().zip(&seen.layers).zip(&probed.spans) {
            let full_scale = span.last().map_or(f64::NAN, |node| tables.full_scale(node));
            layers.push(QuantisedLayer { name: name.into(), largest: *largest, full_scale, snr: 0.0, saturated: 0 });
        }
        let mut sums = vec![[0.0_f64; 2]; layers.len()];
        for chunk in chunks(input) {
            let outputs = floats.process_all(chunk)?.into_iter().zip(integers.process_all(chunk)?);
            for ((layer, sums), (exact, found)) in layers.iter_mut().zip(&mut sums).zip(outputs) {
                compare(layer, sums, &exact, &found);
            }
        }
        for (layer, [signal, noise]) in layers.iter_mut().zip(sums) {
            layer.snr = 10.0 * (signal / noise).log10();
        }
        let largest_input = input.iter().fold(0.0, |most: f64, x| most.max(f64::from(x.abs())));
        let saturated_input = input.iter().filter(|x| f64::from(x.abs()) > full_scale).count() as u64;
        let safe_input = integers.safe_input(shape, full_scale, &tables, &probed)?;

        self.set_samples(samples)?;
        for layer in 0..self.len() {
            self.set_full_scale(layer, integers.full_scale(layer))?;
            self.set_inner_scale(layer, integers.inner_scale(layer))?;
        }
        self.clear_state();
        Ok(Quantised { full_scale, largest_input, saturated_input, safe_input, layers })
    }

    /// A model of these layers, each of which is an output, without a state.
    fn every_layer(&self) -> Self {
        let mut model = self.clone();
        model.clear_state();
        model.network.device = crate::Device::cpu();
        model.network.set_outputs(0..self.len());
        model
    }

    /// Sets the full scales of the layers: for what was `seen`, with `headroom`, and for what any input can give `at_most`.
    fn choose(
        &mut self,
        shape: Shape,
        of_input: i32,
        probed: &Probed,
        seen: &Largest,
        headroom: f64,
        at_most: Option<&Largest>,
    ) -> Result<()> {
        let choices: Vec<Choice> = self.nodes_with(shape, |nodes| {
            let of = |span: &Span| match nodes.get(span.own.clone()) {
                Some([Node::Filter(_, stage)]) => choice(stage),
                _ => Choice::Any,
            };
            probed.spans.iter().take(self.len()).map(of).collect()
        })?;
        let mut exponents: Vec<i32> = Vec::new();
        for (i, (span, choice)) in probed.spans.iter().zip(choices).enumerate() {
            let entry = &self.network.entries()[i];
            let read = match entry.sources()[..] {
                [] => i.checked_sub(1),
                [source, ..] => source,
            };
            let from = read.and_then(|read| exponents.get(read).copied()).unwrap_or(of_input);
            let largest = |of: fn(&Largest, usize) -> Option<f64>| {
                let bound = at_most.and_then(|at_most| of(at_most, i)).unwrap_or(0.0);
                of(seen, i).map(|most| (most * headroom).max(bound))
            };
            let reads = largest(|seen, i| seen.reads[i]).unwrap_or(0.0);
            let most = largest(|seen, i| Some(seen.layers[i])).unwrap_or(0.0).max(reads);
            let needed = exponent_for(most).max(-MOST);
            let exponent = match choice {
                _ if span.last().is_none() => None,
                _ if entry.full_scale.is_some() => entry.full_scale,
                Choice::Even => Some(needed + needed.rem_euclid(2)),
                Choice::One => Some(0),
                // Silent, or without a node that multiplies, unless it is worth two bits.
                _ if most == 0.0 => Some(from),
                Choice::Kept if span.join.is_empty() && (from - 1..=from).contains(&needed) => Some(from),
                Choice::Kept | Choice::Any => Some(needed),
            };
            if exponent.is_some_and(|exponent| exponent > MOST) {
                let (layer, found) = (self.network.title(i), format!("samples of up to {most:e}"));
                return Err(Error::Integers { layer, found, expected: "32768 at most" });
            }
            exponents.push(exponent.unwrap_or(from));
            let inner = largest(|seen, i| seen.inner[i]).map(|most| exponent_for(most).clamp(-MOST, MOST));
            let inner = entry.inner_scale.or(inner);
            if let Some(entry) = self.network.entry_mut(i) {
                (entry.full_scale, entry.inner_scale) = (exponent, inner);
            }
        }
        Ok(())
    }

    /// Calls `run` with the nodes of the model in floats.
    fn nodes_with<R>(&self, shape: Shape, run: impl FnOnce(&[Node<'_>]) -> R) -> Result<R> {
        let network = self.network.reproducible();
        network.compiled(shape, &mut crate::Table::default(), false, |compiled| Ok(run(compiled.graph.nodes())))
    }

    /// The largest input, up to the full scale of the input, for which no bound of a node is beyond its full scale.
    fn safe_input(&self, shape: Shape, full_scale: f64, tables: &Tables, probed: &Probed) -> Result<f64> {
        let nodes = probed.spans.iter().take(self.len()).map(|span| span.own.end).max().unwrap_or(0);
        let is_safe = |input: f64| -> Result<bool> {
            let fits = |bound: f64, scale: f64| bound <= scale * SLACK;
            let bounds = probed.bounds(shape, input)?;
            let mut inner = probed.of_layers(&bounds).inner.into_iter().enumerate();
            let mut of_nodes = bounds.iter().take(nodes).enumerate();
            Ok(of_nodes.all(|(node, bound)| fits(*bound, tables.full_scale(node)))
                && inner.all(|(i, bound)| match (bound, self.inner_scale(i)) {
                    (Some(bound), Some(scale)) => fits(bound, scale),
                    _ => true,
                }))
        };
        if is_safe(full_scale)? {
            return Ok(full_scale);
        }
        let (mut safe, mut unsafe_from) = (0.0, full_scale);
        for _ in 0..40 {
            let middle = (safe + unsafe_from) / 2.0;
            if is_safe(middle)? { safe = middle } else { unsafe_from = middle }
        }
        Ok(safe)
    }
}

/// The chunks of a recording; the first one, which initialises paddings, is the same for all.
fn chunks(input: ArrayView5<'_, f32>) -> impl Iterator<Item = ArrayView5<'_, f32>> {
    let frames = input.dim().2;
    (0..frames).step_by(CHUNK).map(move |from| {
        let to = frames.min(from + CHUNK);
        input.slice_move(s![.., .., from..to, .., ..])
    })
}

fn compare(
    layer: &mut QuantisedLayer,
    [signal, noise]: &mut [f64; 2],
    exact: &ArrayView5<'_, f32>,
    found: &ArrayView5<'_, f32>,
) {
    for (y, q) in exact.iter().zip(found) {
        let (y, q) = (f64::from(*y), f64::from(*q));
        *signal += y * y;
        *noise += (y - q) * (y - q);
        layer.saturated += u64::from(q <= -layer.full_scale || q >= layer.full_scale * (1.0 - 1.0 / 32768.0));
    }
}
