//! Feeding a chunk to a device. The state stays on the device and is copied back when the stream continues elsewhere.

use super::Model;
use super::feed::{Fed, Memory, stage};
use super::stream::State;
use crate::cpu::magnitude;
use crate::cpu::simd::Precision;
use crate::cpu::threads::{Threads, copy};
use crate::device::Backend;
use crate::device::counts::Counted;
use crate::device::stream::{Before, Frames, Piece, Working, supported};
use crate::memory::resize;
use crate::model::layer::Compiled;
use crate::{Error, Result};
use foveola_core::engine::MOVE;
use foveola_core::{Graph, Shape, Source};
use ndarray::{Array5, ArrayView5, s};
use std::sync::Arc;

/// The output of a whole recording, and the frame at which the output of a chunk begins.
pub(super) type Whole<'o> = (&'o mut Array5<f32>, usize);

impl Model {
    /// Runs a checked recording: first the chunk that starts the stream, then all other chunks as one, whose blocks overlap.
    pub(super) fn run_on_device(
        &mut self,
        input: ArrayView5<'_, f32>,
        dt: usize,
        largest: f32,
        output: &mut Array5<f32>,
    ) -> Result<()> {
        let frames = input.dim().2;
        let first = if self.time() == 0 { dt.min(frames) } else { 0 };
        let mut at = 0;
        for (from, to) in [(0, first), (first, frames)] {
            if from < to {
                let chunk = input.slice(s![.., .., from..to, .., ..]);
                at += self.feed_on_device(chunk, largest, dt, Some((&mut *output, at)), false)?.frames;
            }
        }
        Ok(())
    }

    /// [`Model::feed`] in blocks of at most `block` frames, to the model's own output or into `whole`; the further outputs go to the
    /// model's own if `all` are asked for.
    pub(super) fn feed_on_device(
        &mut self,
        input: ArrayView5<'_, f32>,
        largest: f32,
        block: usize,
        whole: Option<Whole<'_>>,
        all: bool,
    ) -> Result<Fed> {
        let (batch, channels, frames, rows, cols) = input.dim();
        let mut staged = std::mem::take(&mut self.memory.staged);
        let result = stage(input, Threads::SINGLE, &mut staged).and_then(|samples| {
            let input = Frames::Samples(samples);
            let (revision, splitter) = (self.network.revision(), Threads::SINGLE);
            let piece = Piece { t: self.time(), batch, frames, input, block, all, revision, splitter };
            self.piece_on_device(Shape::new(channels, rows, cols), &piece, largest, whole)
        });
        self.memory.staged = staged;
        result
    }

    /// Runs the counted events of some frames of a single stream through the model on its device.
    pub(super) fn feed_counts(
        &mut self,
        shape: Shape,
        frames: usize,
        counted: &Counted<'_>,
    ) -> Result<ArrayView5<'_, f32>> {
        self.memory.stream.takes(1, frames, shape)?;
        let (input, largest) = match *counted {
            // Each event adds 1 at most.
            Counted::List(events) => (Frames::Events(events), events.len() as f32),
            Counted::Dense(frames) => (Frames::Samples(frames), magnitude::largest(frames)),
        };
        let (t, revision, splitter) = (self.time(), self.network.revision(), Threads::SINGLE);
        let piece = Piece { t, batch: 1, frames, input, block: usize::MAX, all: false, revision, splitter };
        let fed = self.piece_on_device(shape, &piece, largest, None)?;
        self.memory.output(fed)
    }

    fn piece_on_device(
        &mut self,
        shape: Shape,
        piece: &Piece<'_>,
        largest: f32,
        whole: Option<Whole<'_>>,
    ) -> Result<Fed> {
        let Self { network, memory, table, workers, unchecked, .. } = self;
        let device = &network.device;
        if network.precision == Precision::Reproducible {
            let reason = "Precision::Reproducible has the bits of the processor alone".into();
            return Err(Error::Device { device: device.name().into(), reason });
        }
        if network.samples != crate::Samples::F32 {
            let reason = "samples of 16 bits are those of the processor alone".into();
            return Err(Error::Device { device: device.name().into(), reason });
        }
        let Some(backend) = device.backend().cloned() else {
            return Err(Error::NoDevice { wanted: "a device".into(), found: "cpu".into() });
        };
        let revision = network.revision();
        network.compiled(shape, &mut table.0, false, |compiled| {
            // This check comes first: a custom filter has no bounds, so the check of bounds would report another reason.
            supported(&compiled.graph, backend.info())?;
            let raised = memory.admit(revision, compiled, largest, |node| network.layer_of(node, shape))?;
            let bounds = raised.as_ref().unwrap_or(&memory.stream.bounds);
            if !*unchecked && !bounds.are_safe() {
                let reason = format!(
                    "with samples up to {largest:e} a layer may leave the range of 32-bit floats, which is found on the \
                     processor alone; expected smaller samples, or allow_non_finite"
                );
                return Err(Error::Device { device: device.name().into(), reason });
            }
            // The host copies the input and the outputs.
            let returned = frame_lens(&compiled.graph, piece).into_iter().fold(0, usize::saturating_add);
            let moved = shape.len().max(returned);
            let work = moved.saturating_mul(piece.frames * piece.batch).saturating_mul(MOVE);
            workers.prepare(work)?;
            let result = workers.run(work, |splitter| {
                let piece = Piece { splitter, ..*piece };
                memory.run_on_device(&backend, compiled, &piece, whole)
            });
            // The state differs from the one that the CPU's buffers belong to.
            memory.forget();
            let fed = result?;
            if piece.frames > 0 {
                if let Some(raised) = raised {
                    memory.stream.bounds = raised;
                }
                memory.stream.keep_layouts(revision, compiled);
                compiled.fed();
            }
            Ok(fed)
        })
    }
}

impl Memory {
    /// Releases the working memory that the model has on a device in addition to the state.
    pub(super) fn leave_device(&mut self) {
        self.working = Working::default();
    }

    /// Runs a chunk. The output goes to the model's own output, or into `whole` from one of its frames on; the further outputs go to
    /// the model's own.
    fn run_on_device(
        &mut self,
        backend: &Arc<dyn Backend>,
        Compiled { graph, .. }: Compiled<'_>,
        piece: &Piece<'_>,
        mut whole: Option<Whole<'_>>,
    ) -> Result<Fed> {
        let signature = graph.signature();
        self.prepare_outputs(&graph, piece.further(&graph), piece.batch, piece.frames)?;
        let Self { stream, output, outputs, working, .. } = self;
        let (batch, shape) = (piece.batch, signature.output);
        let (frames, len) = (signature.frames_out(stream.t, piece.frames), shape.len());
        let fed = Fed { batch, frames, shape };
        if whole.is_none() {
            resize(output, "the output", batch.saturating_mul(frames).saturating_mul(len))?;
        }
        if piece.frames == 0 {
            return Ok(fed);
        }
        let before = match &stream.state {
            _ if stream.t == 0 => Before::New,
            State::Host(state) => Before::Host(state),
            State::Device(state) => Before::Device(state),
        };
        let lens = frame_lens(&graph, piece);
        let state =
            working.run(backend, &graph, piece, before, &mut |index, stream, frame, samples| match &mut whole {
                Some((whole, first)) if index == 0 => {
                    for (i, samples) in samples.chunks_exact(len.max(1)).enumerate() {
                        let mut to = whole.slice_mut(s![stream, .., *first + frame + i, .., ..]);
                        let planes = samples.chunks_exact(shape.pixels().max(1));
                        for (to, samples) in to.outer_iter_mut().zip(planes) {
                            copy(piece.splitter, samples, to.into_slice().unwrap_or(&mut []));
                        }
                    }
                }
                _ => {
                    let to = match index.checked_sub(1) {
                        None => &mut *output,
                        Some(further) => &mut outputs[further],
                    };
                    let at = to.len() / batch.max(1) * stream + frame * lens[index];
                    copy(piece.splitter, samples, to.get_mut(at..).unwrap_or(&mut []));
                }
            })?;
        stream.state = State::Device(state);
        stream.t += piece.frames as u64;
        stream.frames = Some((batch, signature.input));
        Ok(fed)
    }
}

/// Samples of a frame of each output of a chunk.
fn frame_lens(graph: &Graph<'_>, piece: &Piece<'_>) -> Vec<usize> {
    let further = piece.further(graph).iter().map(|node| graph.stream(Source::Node(*node)).shape.len());
    [graph.signature().output.len()].into_iter().chain(further).collect()
}
