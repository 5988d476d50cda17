//! A chunk through a model in integers. What goes in is rounded to samples, what comes out are numbers again; the stream's state
//! holds the samples as numbers from -1 to 1.

use super::table::{SpareGraph, Tables};
use crate::cpu::integers::Integers as Engine;
use crate::cpu::simd::SimdLevel;
use crate::cpu::threads::Threads;
use crate::memory::resize;
use crate::model::feed::{Blocks, Fed, Memory, scatter, stage};
use crate::model::layer::Compiled;
use crate::{Error, Result};
use foveola_core::{Layout, Q15, Sample, Shape, Source};
use ndarray::{ArrayView5, Axis, s};

/// The tables of a model in integers, and working memory.
#[derive(Default)]
pub(in crate::model) struct Integers {
    /// The layers and the frames that the tables are for.
    key: Option<(u64, Shape)>,
    tables: Tables,
    layouts: Vec<Layout>,
    graph: SpareGraph,
    state: Vec<Q15>,
    scratch: Vec<Q15>,
    input: Vec<Q15>,
    output: Vec<Q15>,
    /// A block of a further output.
    further: Vec<f32>,
}

/// Samples for numbers in units of the full scale.
fn to_samples(numbers: &[f32], per_unit: f64, samples: &mut [Q15]) {
    for (sample, number) in samples.iter_mut().zip(numbers) {
        *sample = Q15::from_f64(f64::from(*number) * per_unit);
    }
}

/// Numbers for samples; exact.
fn to_numbers(samples: &[Q15], full_scale: f64, numbers: &mut [f32]) {
    let step = (full_scale / 32768.0) as f32;
    for (number, sample) in numbers.iter_mut().zip(samples) {
        *number = f32::from(sample.to_bits()) * step;
    }
}

impl Integers {
    /// Makes the tables, unless they are those of these layers and frames.
    pub(in crate::model) fn prepare(
        &mut self,
        key: (u64, Shape),
        tables: impl FnOnce() -> Result<Tables>,
    ) -> Result<()> {
        if self.key != Some(key) {
            self.key = None;
            self.tables = tables()?;
            self.layouts = self.tables.state_for(key.1, &mut self.graph)?.1;
            self.key = Some(key);
        }
        Ok(())
    }

    /// The layouts of the state of each node with memory.
    pub(in crate::model) fn layouts(&self) -> &[Layout] {
        &self.layouts
    }
}

impl Memory {
    /// Runs checked frames through the tables of `self.integers`; `compiled` is the model in floats, whose input has a full scale.
    pub(in crate::model) fn run_integers(
        &mut self,
        compiled: Compiled<'_>,
        full_scale: f64,
        (level, splitter): (Option<SimdLevel>, Threads),
        input: ArrayView5<'_, f32>,
        all: bool,
    ) -> Result<Fed> {
        let (floats, batch, frames) = (&compiled.graph, input.len_of(Axis(0)), input.len_of(Axis(2)));
        let signature = floats.signature();
        let shape = signature.output;
        let fed = Fed { batch, frames: signature.frames_out(self.stream.t, frames), shape };
        let samples = batch.saturating_mul(fed.frames).saturating_mul(shape.len());
        resize(&mut self.output, "the output", samples)?;
        self.prepare_outputs(floats, if all { floats.outputs() } else { &[] }, batch, frames)?;
        if frames == 0 {
            return Ok(fed);
        }
        let blocks = match batch {
            1 => Blocks::of(floats, &self.stream, batch, frames, splitter),
            _ => Blocks { first: frames, others: frames },
        };
        let Self { stream, staged, output, outputs, integers, .. } = self;
        let Integers { tables, graph: spare, state, scratch, input: taken, output: yielded, further, .. } = integers;
        let most = blocks.first.max(blocks.others);
        let (began, engine) = (stream.t, Engine { level, splitter });
        let run = tables.with_graph(floats.input(), spare, |graph| {
            let refused = |source| Error::layer("the model", source);
            let own = graph.signature();
            // All memory is allocated before a layer processes the chunk.
            resize(scratch, "the layers' outputs", graph.scratch_len(most, batch))?;
            let len = batch.saturating_mul(most).saturating_mul(signature.input.len());
            resize(taken, "a block of the input", len)?;
            let len = batch.saturating_mul(signature.frames_out(0, most).max(fed.frames)).saturating_mul(shape.len());
            resize(yielded, "the output of a block", len)?;
            let samples = |output: &Vec<f32>| output.len();
            resize(further, "a block of a further output", outputs.iter().map(samples).max().unwrap_or(0))?;
            let len = own.state.saturating_mul(batch);
            if began == 0 {
                stream.state.begin(len)?;
            }
            resize(state, "the state", len)?;
            to_samples(stream.state.writable()?, 1.0, state);
            stream.poison();
            let (mut from, mut written) = (0, 0);
            while from < frames {
                let to = frames.min(from + if from == 0 { blocks.first } else { blocks.others });
                let t = began + from as u64;
                let numbers = stage(input.slice(s![.., .., from..to, .., ..]), splitter, staged)?;
                let samples = taken.get_mut(..numbers.len()).unwrap_or_default();
                to_samples(numbers, 1.0 / full_scale, samples);
                let n = graph.run_batch_with(&engine, t, batch, state, scratch, samples, yielded).map_err(refused)?;
                let len = batch * n * shape.len();
                let last = floats.nodes().len().saturating_sub(1);
                let at = written * shape.len();
                // A batch is one block.
                if let (Some(samples), Some(numbers)) = (yielded.get(..len), output.get_mut(at..at + len)) {
                    to_numbers(samples, tables.full_scale(last), numbers);
                }
                for (k, (numbers, node)) in outputs.iter_mut().zip(floats.outputs()).enumerate() {
                    let samples = graph.output(k, t, to - from, batch, scratch).map_err(refused)?;
                    let of_node = floats.stream(Source::Node(*node));
                    let at = (of_node.rate.count(t) - of_node.rate.count(began)) as usize * of_node.shape.len();
                    to_numbers(samples, tables.full_scale(*node), further);
                    scatter(further.get(..samples.len()).unwrap_or(&[]), batch, at, numbers);
                }
                (from, written) = (to, written + n);
            }
            Ok(())
        });
        self.stream.heal();
        run?;
        to_numbers(&self.integers.state, 1.0, self.stream.state.writable()?);
        self.stream.t = began + frames as u64;
        self.stream.frames = Some((batch, signature.input));
        Ok(fed)
    }
}
