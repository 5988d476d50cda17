//! Rings of past frames: initialisation, reading frames, and storing the frames of a chunk.

use super::{Lowering, Reached, border_mode, words};
use crate::device::kernels::Kernel;
use crate::device::pass::Operand;
use foveola_core::{Border, PadFrame, PadMode, Shape};

/// A ring in the state: frame `t` is in slot `t mod slots`; rows include their borders.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ring {
    pub(super) at: usize,
    pub(super) slots: usize,
    /// The part of a frame that is stored: its top left part.
    pub(super) shape: Shape,
    /// Samples per row with its borders, and those before its pixels.
    pub(super) row: usize,
    pub(super) left: usize,
    pub(super) border: Option<Border>,
}

impl Ring {
    /// A ring of whole frames, without borders.
    pub(super) fn whole(at: usize, slots: usize, shape: Shape) -> Self {
        Self { at, slots, shape, row: shape.cols, left: 0, border: None }
    }

    /// Words of a frame.
    fn frame(&self) -> usize {
        self.shape.channels * self.shape.rows * self.row
    }
}

/// The source of a frame in a list; the numbers are those of `move.wgsl`.
#[derive(Clone, Copy)]
enum From {
    Chunk(usize),
    Ring(usize),
    Number(f32),
    Mean,
}

impl From {
    fn words(self) -> [u32; 2] {
        match self {
            Self::Chunk(frame) => [0, frame as u32],
            Self::Ring(slot) => [1, slot as u32],
            Self::Number(value) => [2, value.to_bits()],
            Self::Mean => [3, 0],
        }
    }
}

/// The slot in a ring of `slots` for the frame `back` frames before frame `t`; `back <= slots`.
fn slot(t: u64, slots: usize, back: usize) -> usize {
    let slots = slots.max(1);
    ((t % slots as u64) as usize + slots - back) % slots
}

impl Lowering<'_, '_, '_> {
    /// `TimePadding` and `Delay`: outputs the frames `t - delay - length ..` of the stream, then updates the ring.
    pub(super) fn history(
        &mut self,
        at: usize,
        delay: usize,
        length: usize,
        mode: PadMode,
        from: &Reached,
        output: Operand,
    ) {
        let slots = delay + length;
        // Frames without structure: one long row.
        let shape = Shape::new(1, 1, from.shape.len());
        let from = &Reached { shape, ..from.clone() };
        let ring = Ring::whole(at, slots, shape);
        if from.t == 0 {
            self.start(ring, slots, mode, from);
        }
        let list = (0..length + from.frames).map(|i| match i.checked_sub(slots) {
            Some(frame) => (i, From::Chunk(frame)),
            None => (i, From::Ring(slot(from.t, slots, slots - i))),
        });
        let list: Vec<_> = list.collect();
        self.move_frames(ring, from, &list, None, Some((output, 0, list.len() * shape.len())));
        self.store(ring, slots, from);
    }

    /// Fills the ring with the `length` frames before the first frame; `from` is the chunk.
    pub(super) fn start(&mut self, ring: Ring, length: usize, mode: PadMode, from: &Reached) {
        // The state of a new stream is zero already.
        if length == 0 || mode == PadMode::Zeros {
            return;
        }
        let frames = if from.warm_up { 1 } else { from.frames };
        let list = (1..=length).map(|back| {
            let source = match mode.frame(back, frames) {
                PadFrame::Frame(frame) => From::Chunk(frame),
                PadFrame::Mean => From::Mean,
                PadFrame::One => From::Number(1.0),
                PadFrame::Zero => From::Number(0.0),
            };
            (slot(0, ring.slots, back), source)
        });
        let list: Vec<_> = list.collect();
        let mean = (mode == PadMode::Mean).then(|| self.mean(from));
        self.move_frames(ring, from, &list, mean.clone(), None);
        if let Some((mean, _)) = mean {
            self.release(&mean);
        }
    }

    /// Stores the last `count` frames of the chunk in the ring, for the next chunk.
    pub(super) fn store(&mut self, ring: Ring, count: usize, from: &Reached) {
        let list = (from.frames.saturating_sub(count)..from.frames).map(|frame| {
            let to = slot(from.t.wrapping_add(frame as u64), ring.slots, 0);
            (to, From::Chunk(frame))
        });
        let list: Vec<_> = list.collect();
        self.move_frames(ring, from, &list, None, None);
    }

    /// Copies frames by a `list` into the ring, or to an output with the same number of words per stream.
    fn move_frames(
        &mut self,
        ring: Ring,
        from: &Reached,
        list: &[(usize, From)],
        mean: Option<(Operand, usize)>,
        output: Option<(Operand, usize, usize)>,
    ) {
        let frame = ring.frame();
        let of_ring = (Operand::State, ring.at, ring.slots * frame);
        let past = if output.is_some() { Operand::State } else { from.operand.clone() };
        let (to, to_at, to_stream) = output.unwrap_or(of_ring);
        let samples = self.chunk.streams * list.len() * frame;
        let (mean, mean_stream) = match mean {
            Some(mean) => mean,
            None => (self.constants.nothing(), 0),
        };
        let params = words([
            samples,
            list.len(),
            ring.shape.channels,
            ring.shape.rows,
            list.len() * frame,
            frame,
            ring.shape.rows * ring.row,
            ring.row,
            to_at,
            to_stream,
            ring.left,
            ring.shape.cols,
            border_mode(ring.border.unwrap_or_default()).unwrap_or(0),
            from.frames * from.shape.len(),
            from.shape.len(),
            from.shape.pixels(),
            from.shape.cols,
            ring.at,
            ring.slots * frame,
            mean_stream,
        ]);
        if samples > 0 {
            let list = list.iter().flat_map(|(to, from)| {
                let [kind, index] = from.words();
                [*to as u32, kind, index]
            });
            let reads = vec![from.operand.clone(), past, mean, Operand::Words(list.collect())];
            self.push(Kernel::Move, reads, vec![to], samples.div_ceil(4), params);
        }
    }

    /// The mean of the whole chunk, or, after a warm-up, of each stream's first frame; and the number of words between the
    /// means of two streams.
    fn mean(&mut self, from: &Reached) -> (Operand, usize) {
        let (streams, len) = (self.chunk.streams, from.shape.len());
        let (means, samples) = if from.warm_up { (streams, len) } else { (1, streams * from.frames * len) };
        let parts = samples.div_ceil(1 << 14).clamp(1, 256);
        let (sums, mean) = (self.slot(means * parts), self.slot(means));
        let pass = |samples: usize, apart: usize, parts: usize, scale: f64| {
            let mut params = words([means * parts, samples, apart, parts]);
            params.push((scale as f32).to_bits());
            params
        };
        let first = pass(samples, from.frames * len, parts, 1.0);
        self.push(Kernel::Mean, vec![from.operand.clone()], vec![sums.clone()], means * parts * super::THREADS, first);
        let second = pass(parts, parts, 1, 1.0 / samples as f64);
        self.push(Kernel::Mean, vec![sums.clone()], vec![mean.clone()], means * super::THREADS, second);
        self.release(&sums);
        (mean, usize::from(from.warm_up))
    }
}
