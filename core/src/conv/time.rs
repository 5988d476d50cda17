//! The convolution in time alone, without vectors: a kernel that is 1 x 1 in space.
//!
//! Sixteen pixels are summed in registers, tap after tap, so a weight is loaded once for all of them. The frames of
//! sixteen taps are looked up once for all tiles. A signal of one pixel has no such neighbours. There, eight successive
//! outputs are summed, and a sample is loaded once for the eight taps that read it. Of integers only a signal is summed here.
//!
//! The taps of a pixel are added in the order of [`tile`](super::tile), so the result is bit-identical.

use super::lines::slot;
use crate::Sample;
use crate::filter::copy;
use foveola_dsp::Lines;

/// Pixels of a tile.
const COLS: usize = 16;
/// Taps that a tile takes without leaving its registers.
const TOGETHER: usize = 16;
/// Outputs of a signal that are summed at once, as many taps at a time, and the samples that these read.
const OUTPUTS: usize = 8;
const GROUP: usize = 8;
const WINDOW: usize = OUTPUTS + GROUP - 1;
/// Outputs of a signal of integers that are summed at once, and the taps of a line of them.
const SUMS: usize = 32;
const LINE: usize = 7;

/// A chunk, the frames before it, and a kernel `(out, in / groups, time)`.
#[derive(Clone, Copy)]
pub(super) struct InTime<'a, T> {
    /// Frames of [`Self::len`] samples.
    pub(super) chunk: &'a [T],
    /// The last frames before the chunk.
    pub(super) ring: &'a [T],
    /// How many of them the ring holds, and where the chunk's first one will lie.
    pub(super) slots: usize,
    pub(super) now: usize,
    pub(super) len: usize,
    pub(super) pixels: usize,
    pub(super) weights: &'a [T],
    pub(super) bias: &'a [T],
    pub(super) kernel: [usize; 3],
    pub(super) groups: usize,
    pub(super) dilation: usize,
    /// Weights and biases count `2^shift` times.
    pub(super) shift: i8,
}

impl<'a, T: Sample> InTime<'a, T> {
    /// Whether this is one pixel whose every frame, filtered by neighbouring taps, yields one.
    pub(super) fn is_signal(&self, every: usize) -> bool {
        let [outs, ..] = self.kernel;
        self.len == 1 && outs == 1 && every == 1 && self.dilation == 1
    }

    /// Writes the output that frame `start` of the chunk yields, and those of every `every`-th frame after it.
    pub(super) fn run(&self, start: usize, every: usize, output: &mut [T]) {
        let [outs, ..] = self.kernel;
        if self.is_signal(every) {
            return if T::HAS_WIDE_SUMS { self.signal_of_sums(start, output) } else { self.signal(start, output) };
        }
        for (n, output) in output.chunks_exact_mut(outs.saturating_mul(self.pixels).max(1)).enumerate() {
            self.frame(start + n * every, output);
        }
    }

    /// All output channels for frame `at`.
    fn frame(&self, at: usize, output: &mut [T]) {
        let [outs, ins, kt] = self.kernel;
        for (o, out) in output.chunks_exact_mut(self.pixels.max(1)).enumerate() {
            let first = (o * self.groups).checked_div(outs).unwrap_or(0) * ins;
            let bias = self.bias.get(o).copied().unwrap_or_else(T::zero);
            let weights = self.weights.get(o * ins * kt..(o + 1) * ins * kt).unwrap_or(&[]);
            for (group, taps) in weights.chunks(TOGETHER).enumerate() {
                let mut lines = [&[][..]; TOGETHER];
                for (k, line) in (group * TOGETHER..).zip(&mut lines).take(taps.len()) {
                    let Some(i) = k.checked_div(kt) else { return };
                    let back = self.dilation * (kt - 1 - (k - i * kt));
                    *line = self.plane(at as isize - back as isize, first + i);
                }
                let lines = lines.iter().zip(taps).map(|(line, w)| (*line, *w));
                sum(lines, (group == 0).then_some(bias), out);
            }
        }
    }

    /// A channel of frame `at`, which is negative before the chunk.
    fn plane(&self, at: isize, channel: usize) -> &'a [T] {
        let (frames, frame) = if at < 0 { (self.ring, self.slot(at)) } else { (self.chunk, at as usize) };
        let plane = frames.get(frame * self.len + channel * self.pixels..).and_then(|plane| plane.get(..self.pixels));
        plane.unwrap_or(&[])
    }

    /// Where frame `at`, before the chunk, lies in the ring.
    fn slot(&self, at: isize) -> usize {
        slot(self.now, at.unsigned_abs(), self.slots)
    }

    /// One pixel, and a frame out for each one in, from frame `start` on.
    fn signal(&self, start: usize, output: &mut [T]) {
        let bias = self.bias.first().copied().unwrap_or_else(T::zero);
        let (groups, rest) = self.weights.as_chunks::<GROUP>();
        let mut first = start as isize + 1 - self.weights.len() as isize;
        let mut room = Room { at: isize::MIN, samples: [T::zero(); WINDOW] };
        for out in output.chunks_mut(OUTPUTS) {
            let (mut acc, mut at) = ([bias; OUTPUTS], first);
            for taps in groups {
                // By value, so that they are in registers.
                let (x, taps) = (*self.window(at, &mut room), *taps);
                for (e, w) in taps.into_iter().enumerate() {
                    feed(&mut acc, x.get(e..).unwrap_or(&[]), w);
                }
                at += GROUP as isize;
            }
            if !rest.is_empty() {
                let x = self.window(at, &mut room);
                for (e, w) in rest.iter().enumerate() {
                    feed(&mut acc, x.get(e..).unwrap_or(&[]), *w);
                }
            }
            match out.first_chunk_mut() {
                Some(out) => *out = acc,
                None => copy(out, &{ acc }), // a separate copy, so that the sums stay in registers
            }
            first += OUTPUTS as isize;
        }
    }

    /// [`Self::signal`] of integers. The taps are lines, one after the other in the samples, too.
    fn signal_of_sums(&self, start: usize, output: &mut [T]) {
        let bias = self.bias.first().copied().unwrap_or_else(T::zero);
        let mut first = start as isize + 1 - self.weights.len() as isize;
        let mut room = [T::zero(); SUMS + LINE - 1];
        for out in output.chunks_mut(SUMS) {
            let mut sums = [bias.to_sum(); SUMS];
            let (sums, more) = (sums.get_mut(..out.len()).unwrap_or_default(), out.len().saturating_sub(1));
            let (mut taps, mut at) = (self.weights, first);
            while !taps.is_empty() {
                // As many lines as there are samples for, or one, of samples that lie in several places.
                let (mut x, width) = (self.neighbours(at), LINE.min(taps.len()));
                let lines = (x.len().saturating_sub(more) / width).min(taps.len() / width);
                let (these, rest) = taps.split_at_checked(width * lines.max(1)).unwrap_or_default();
                if lines == 0 {
                    self.gather(at, &mut room);
                    x = &room;
                }
                if !T::add_lines(Lines { x, pitch: width, taps: these, width }, 1, None, sums, None) {
                    for (e, w) in these.iter().enumerate() {
                        let x = x.get(e..).unwrap_or(&[]);
                        sums.iter_mut().zip(x).for_each(|(sum, x)| *sum = T::add_product(*sum, *x, *w));
                    }
                }
                (taps, at) = (rest, at + these.len() as isize);
            }
            out.iter_mut().zip(&*sums).for_each(|(out, sum)| *out = T::from_sum(*sum, self.shift));
            first += SUMS as isize;
        }
    }

    /// The samples of a signal from number `at` on, as far as they lie side by side.
    fn neighbours(&self, at: isize) -> &'a [T] {
        if at >= 0 {
            return self.chunk.get(at as usize..).unwrap_or(&[]);
        }
        let before = self.ring.get(self.slot(at)..).unwrap_or(&[]);
        before.get(..at.unsigned_abs().min(before.len())).unwrap_or(&[])
    }

    /// Writes the samples of a signal from number `at` on; zeros after the end of the chunk.
    fn gather(&self, at: isize, to: &mut [T]) {
        for (at, sample) in (at..).zip(to) {
            let x = if at < 0 { self.ring.get(self.slot(at)) } else { self.chunk.get(at as usize) };
            *sample = x.copied().unwrap_or_else(T::zero);
        }
    }

    /// The samples of a signal from number `at` on; zeros after the end of the chunk, which no output reads. They are
    /// collected in `room` where they are not contiguous.
    #[inline(always)]
    fn window<'r>(&self, at: isize, room: &'r mut Room<T>) -> &'r [T; WINDOW]
    where
        'a: 'r,
    {
        let side_by_side = if at >= 0 {
            self.chunk.get(at as usize..)
        } else if at + WINDOW as isize <= 0 {
            self.ring.get(self.slot(at)..)
        } else {
            None
        };
        match side_by_side.and_then(<[T]>::first_chunk) {
            Some(window) => window,
            None => {
                if room.at != at {
                    self.collect(at, room);
                }
                &room.samples
            }
        }
    }

    /// [`Self::window`] of samples that lie in two or three places.
    #[inline(never)]
    fn collect(&self, at: isize, room: &mut Room<T>) {
        room.at = at;
        self.gather(at, &mut room.samples);
    }
}

/// Collected samples of a signal, from number `at` on; neighbouring outputs read them with other taps.
struct Room<T> {
    at: isize,
    samples: [T; WINDOW],
}

/// Adds some lines, each times a weight, to a row of output, or starts it with `bias`.
#[inline(always)]
fn sum<'x, T: Sample>(lines: impl Iterator<Item = (&'x [T], T)> + Clone, bias: Option<T>, out: &mut [T]) {
    let (tiles, rest) = out.as_chunks_mut::<COLS>();
    let mut col = 0;
    for out in tiles {
        let mut acc = bias.map_or(*out, |bias| [bias; COLS]);
        for (line, w) in lines.clone() {
            let Some(x) = line.get(col..).and_then(<[T]>::first_chunk::<COLS>) else { return };
            feed(&mut acc, x, w);
        }
        *out = acc;
        col += COLS;
    }
    for out in rest {
        let mut acc = bias.unwrap_or(*out);
        for (line, w) in lines.clone() {
            acc = acc + line.get(col).copied().unwrap_or_else(T::zero) * w;
        }
        *out = acc;
        col += 1;
    }
}

/// Adds one tap to neighbouring pixels; the first pixel reads the first sample of `x`.
#[inline(always)]
fn feed<T: Sample, const N: usize>(acc: &mut [T; N], x: &[T], w: T) {
    for (acc, x) in acc.iter_mut().zip(x) {
        *acc = *acc + *x * w;
    }
}
