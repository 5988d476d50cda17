//! A stream of frames through a convolution in the frequency domain ([`fft`](crate::cpu::fft)).
//!
//! The state of the stream is that of the core's `Conv3d`: its past frames. Their spectra are kept as well, so that each
//! frame is transformed once. After the state was cleared, restored or advanced by another algorithm, the spectra are
//! recomputed from the frames, with the same bits. So a stream may change its algorithm at any frame, and be saved and
//! restored.

use crate::Result;
use crate::cpu::fft::{FftKernel, Samples, Work};
use crate::cpu::threads::Threads;
use foveola_core::Conv3d;
use foveola_core::engine::{NodeChunk, Ring};
use std::sync::Arc;

/// Frames that are processed together: their products share the kernels' spectra while those are in the first-level cache.
const BLOCK: usize = 16;

/// The largest number of samples in the frames of a block.
const SAMPLES: usize = 1 << 19;

/// The minimum number of multiply-adds per sample: two transforms and a product.
const WORK: usize = 60;

/// Data kept for a stream in addition to its state.
#[derive(Debug, Default)]
pub(crate) struct Spectral {
    kernel: Option<Arc<FftKernel>>,
    /// The next frame that the spectra are valid for.
    next: Option<u64>,
    /// A ring of spectra: frame `t` is in slot `t mod slots`, channel by channel.
    spectra: Samples,
    slots: usize,
    /// Frames of a block with their borders.
    frames: Samples,
    works: Vec<Work>,
}

impl Spectral {
    /// Invalidates the spectra: the state will be replaced.
    pub(crate) fn forget(&mut self) {
        self.next = None;
    }

    /// [`Filter::advance`](foveola_core::Filter::advance) of `conv` with the spectra of its kernel.
    pub(crate) fn advance(
        &mut self,
        conv: &Conv3d<'_>,
        kernel: &Arc<FftKernel>,
        splitter: Threads,
        chunk: NodeChunk<'_, f32>,
    ) -> Result<usize> {
        let NodeChunk { t, state, input, output, .. } = chunk;
        let (ring, signature) = (conv.ring(), conv.signature());
        let (len, channels) = (signature.input.len().max(1), signature.input.channels);
        let frame = ring.frame.max(1);
        let (block, threads) = self.prepare(conv, kernel, splitter, input.len() / len)?;
        if self.next != Some(t) {
            // The frames before this one, from the state.
            for back in (1..ring.slots as u64).rev() {
                // Before the first frame the ring holds the initial temporal padding.
                let past = t.wrapping_add(ring.slots as u64).wrapping_sub(back);
                let slot = (past % ring.slots as u64) as usize;
                let (works, spectra) = (&mut self.works[..threads], &mut self.spectra);
                let spectra = slot_of(spectra, self.slots, kernel.spectrum_len() * channels, t, back);
                let stored = &state[slot * frame..][..frame];
                kernel.forward(works, |channel, row| ring.line(stored, channel, row), spectra);
            }
        }
        let mut written = 0;
        for (i, chunk) in input.chunks(block * len).enumerate() {
            let t = t + (i * block) as u64;
            let frames = chunk.len() / len;
            self.transform(conv, kernel, ring, (splitter, threads), t, chunk);
            let rate = signature.rate;
            let (before, count) = (rate.count(t), rate.frames(t, frames));
            let out = &mut output[written * signature.output.len()..][..count * signature.output.len()];
            let slot = |f: usize, tap: usize, channel: usize| {
                let now = rate.first + (before + f as u64) * rate.every;
                let back = (ring.slots - 1 - tap * ring.dilation) as u64;
                index(self.slots, now, back) * channels + channel
            };
            kernel.output(&mut self.works[..threads], &self.spectra, count, slot, conv.kernel().bias, out);
            written += count;
            if ring.slots > 1 {
                // The last frames of the chunk.
                let kept = (input.len() / len).saturating_sub(ring.slots + i * block);
                for (i, stored) in self.frames.chunks_exact(frame).enumerate().take(frames).skip(kept) {
                    let slot = ((t + i as u64) % ring.slots as u64) as usize;
                    state[slot * frame..][..frame].copy_from_slice(stored);
                }
            }
        }
        self.next = Some(t + (input.len() / len) as u64);
        Ok(written)
    }

    /// Prepares buffers for chunks of `frames` frames; spectra that stay valid are kept. Returns the number of frames that
    /// are processed together, and the number of threads.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory) when they do not fit into memory.
    pub(crate) fn prepare(
        &mut self,
        conv: &Conv3d<'_>,
        kernel: &Arc<FftKernel>,
        splitter: Threads,
        frames: usize,
    ) -> Result<(usize, usize)> {
        let (ring, input) = (conv.ring(), conv.signature().input);
        let channels = input.channels;
        let block = (SAMPLES / ring.frame.max(1)).clamp(2, BLOCK).min(frames).max(1);
        let threads = splitter.count(WORK * input.len() * block);
        let same = self.kernel.as_ref().is_some_and(|old| old.shares_spectra(kernel));
        let slots = ring.slots - 1 + block.max(self.slots.saturating_sub(ring.slots - 1) * usize::from(same));
        let samples = [slots, channels, kernel.spectrum_len()].into_iter().fold(1, usize::saturating_mul);
        if !same || slots != self.slots || self.spectra.len() != samples {
            // Free the old ones first: there may not be room for both.
            (self.spectra, self.slots, self.next) = (Samples::default(), 0, None);
            (self.spectra, self.slots) = (Samples::zeros("the spectra of past frames", samples)?, slots);
            self.works.clear();
        }
        if self.frames.len() < block * ring.frame {
            self.frames = Samples::default();
            self.frames = Samples::zeros("frames with their borders", block * ring.frame)?;
        }
        if !self.kernel.as_ref().is_some_and(|old| Arc::ptr_eq(old, kernel)) {
            self.works.clear();
            self.kernel = Some(Arc::clone(kernel));
        }
        while self.works.len() < threads {
            self.works.push(kernel.work()?);
        }
        Ok((block, threads))
    }

    /// Stores the frames of a block with their borders, and transforms them.
    fn transform(
        &mut self,
        conv: &Conv3d<'_>,
        kernel: &FftKernel,
        ring: Ring,
        (splitter, threads): (Threads, usize),
        t: u64,
        chunk: &[f32],
    ) {
        let input = conv.signature().input;
        let (len, channels, frame) = (input.len().max(1), input.channels.max(1), ring.frame);
        let spectrum = kernel.spectrum_len() * channels;
        conv.store(splitter, chunk, &mut self.frames);
        // Up to the end of the ring, and from its start.
        let frames = chunk.len() / len;
        let first = (t % self.slots as u64) as usize;
        let here = frames.min(self.slots - first);
        let (stored, rest) = self.frames[..frames * frame].split_at(here * frame);
        let (begin, end) = self.spectra.split_at_mut(first * spectrum);
        for (stored, spectra) in [(stored, end), (rest, begin)] {
            let count = stored.len() / frame.max(1);
            let line = |n: usize, row: usize| ring.line(&stored[n / channels * frame..][..frame], n % channels, row);
            if count > 0 {
                kernel.forward(&mut self.works[..threads], line, &mut spectra[..count * spectrum]);
            }
        }
    }
}

/// The slot of the frame `back` frames before frame `t`; `back` is less than `slots`.
fn index(slots: usize, t: u64, back: u64) -> usize {
    let slots = slots as u64;
    ((t % slots + slots - back) % slots) as usize
}

/// The spectra of that frame.
fn slot_of(spectra: &mut [f32], slots: usize, len: usize, t: u64, back: u64) -> &mut [f32] {
    &mut spectra[index(slots, t, back) * len..][..len]
}
