//! Convolution of a stream of frames in the frequency domain of space, tap by tap in time.
//!
//! ```text
//! out[o, r, c] = bias[o] + sum_i sum_a sum_b sum_e w[o, i, a, b, e] * x[i, a][r + dil_r b, c + dil_c e]
//! ```
//! `x[i, a]` is the frame that tap `a` meets, with its border: `out + k' - 1` rows and columns, `k' = dil (k - 1) + 1`.
//! A frame is transformed once, and its spectrum serves all taps and output channels. An output frame is the inverse
//! transform of a sum of products of spectra. Nothing is transformed along time: an output is there with its last frame,
//! and depends on no frame but those that its taps meet, so a recording may be cut anywhere and by any number of threads
//! without a bit of difference.
//!
//! **The transform.** Along rows (vertically) the frequencies `2 pi (2k + 1/2) / N` of `N` real samples are one complex
//! transform of half the length, of `z[n] = (x[n] - i x[n + N/2]) e^(-i pi n / N)`: the rest are conjugates, and none is
//! real, so no sample is wasted on the first or the middle frequency (right-angle convolution: Nussbaumer, 1981). The
//! convolution that belongs to it changes sign where it wraps around; nothing that is kept has wrapped around. Along
//! columns it is an ordinary complex transform. Both run on vectors whose lanes are transforms of their own
//! (`transform.rs`), with a transposition of tiles in between (`plane.rs`).
//!
//! **Spectra** are `[block][col][re, im][lane]`: as many vertical frequencies as a vector has lanes make a block, and the
//! frequencies along both axes come in the order that the transforms leave them in. They mean something only to the
//! kernel that made them, and to others of the same size.
//!
//! **Cost** of `N x M` samples: `5/2 N M log2(N M)` operations for the transform of a frame, as many for the inverse, and
//! `4 N M` for each product of spectra. **Error**: see [`ERROR`].

mod accumulate;
mod butterfly;
mod cost;
mod frame;
mod plane;
mod samples;
#[cfg(test)]
mod tests;
mod transform;

pub use samples::Samples;

use crate::Result;
use cost::Problem;
use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch};
use std::ops::Range;
use transform::{Transform, root};

/// A bound of the error, sample by sample, in units of `f32::EPSILON log2(rows cols) |w| |x|`, where `rows cols` is the size
/// of the transform and `|w| |x|` the root of the sum of all squared weights of an output channel times that of all
/// squared samples, border included, that its taps meet; one unit of the output itself comes on top, for the bias.
///
/// An error in one sample or frequency spreads over all of them, so it does not shrink with the samples nearby, as that
/// of a sum tap by tap does: a frame that is not finite anywhere is so everywhere. Of 20,000 random convolutions (noise,
/// constants and single points, frames of 1 x 1 to 40 x 40, kernels up to 40 x 40, all levels of vectors) the worst had
/// 0.15, by a kernel of one pixel; 0.33 was met since, in a transform of a few samples. Noise through larger ones has some
/// 0.01.
pub const ERROR: f64 = 0.5;

/// Samples of the second-level cache that sums of products may fill.
const CACHE: usize = 192 * 1024;

/// The kernels of a convolution as spectra, and the plan of its transforms.
#[derive(Debug)]
pub struct FftKernel {
    level: Level,
    /// Lanes of the level's vectors.
    width: usize,
    outs: usize,
    /// Input channels of a group.
    ins: usize,
    groups: usize,
    taps: usize,
    out_size: [usize; 2],
    in_size: [usize; 2],
    /// Half the rows, and `e^(-i pi n / rows)`.
    vertical: Transform,
    twist: Vec<[f32; 2]>,
    horizontal: Transform,
    /// Conjugate, and divided by the size of the transform: `[out][in][tap]`.
    spectra: Samples,
}

/// Buffers of one thread.
#[derive(Debug, Default)]
pub struct Work {
    /// Between the two directions: `[block of columns][vertical frequency]`, complex vectors.
    half: Samples,
    /// Sums of products of a few frames.
    sums: Samples,
    /// Columns of a block, after the last transform.
    columns: Samples,
    /// Where spectra begin.
    starts: Vec<usize>,
    /// A row of zeros.
    zeros: Vec<f32>,
}

impl FftKernel {
    /// Kernels `[out, in / groups, time, row, col]` in correlation order, for frames of `out_rows x out_cols` pixels.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory) when the spectra cannot be had.
    ///
    /// # Panics
    /// If there is no kernel or no pixel, or the lengths do not fit.
    pub fn new(
        level: Level,
        weights: &[f32],
        shape: [usize; 5],
        groups: usize,
        dilation: [usize; 2],
        out_size: [usize; 2],
    ) -> Result<Self> {
        let [outs, ins, taps, kernel @ ..] = shape;
        assert!(
            weights.len() == shape.iter().product::<usize>() && !weights.is_empty(),
            "the weight does not fit its shape"
        );
        assert!(groups > 0 && outs.is_multiple_of(groups), "the groups do not divide the channels");
        assert!(out_size.iter().all(|&len| len > 0), "no pixel");
        let width = dispatch!(level, simd => width(simd));
        let problem = Problem::new(shape, groups, dilation, out_size, width);
        let ([rows, cols], _) = problem.best();
        let mut plan = Self {
            level,
            width,
            outs,
            ins,
            groups,
            taps,
            out_size,
            in_size: problem.in_size(),
            vertical: Transform::new(rows / 2),
            twist: (0..rows / 2).map(|n| root(n as f64, 2.0 * rows as f64)).collect(),
            horizontal: Transform::new(cols),
            spectra: Samples::default(),
        };
        plan.transform_kernels(weights, kernel, dilation)?;
        Ok(plan)
    }

    /// Rows and columns of the transform that [`FftKernel::new`] would choose, and the nanoseconds that a frame is expected to
    /// take one thread when frames come in chunks (`cost.rs`); none for frames of over 131,072 rows or columns with their
    /// border.
    pub fn best(
        level: Level,
        shape: [usize; 5],
        groups: usize,
        dilation: [usize; 2],
        out_size: [usize; 2],
    ) -> Option<([usize; 2], f64)> {
        let width = dispatch!(level, simd => width(simd));
        let problem = Problem::new(shape, groups, dilation, out_size, width);
        problem.is_possible().then(|| problem.best())
    }

    /// Whether spectra of `other` mean the same to this kernel.
    pub fn shares_spectra(&self, other: &Self) -> bool {
        (self.width, self.size(), self.in_size) == (other.width, other.size(), other.in_size)
    }

    /// Fills `spectra`: a kernel is transformed like a frame that is black outside of it.
    fn transform_kernels(&mut self, weights: &[f32], [kh, kw]: [usize; 2], dilation: [usize; 2]) -> Result<()> {
        let len = self.spectrum_len();
        let mut spectra = Samples::zeros("the spectra of a kernel", len.saturating_mul(weights.len() / (kh * kw)))?;
        let mut work = [self.work()?];
        let mut rows = vec![0.0; kh * self.in_size[1]];
        let scale = 2.0 / (self.size()[0] as f32 * self.size()[1] as f32);
        for (kernel, spectrum) in weights.chunks_exact(kh * kw).zip(spectra.chunks_exact_mut(len)) {
            for (row, kernel) in rows.chunks_exact_mut(self.in_size[1]).zip(kernel.chunks_exact(kw)) {
                for (e, &w) in kernel.iter().enumerate() {
                    row[e * dilation[1]] = w;
                }
            }
            let row = |_: usize, r: usize| {
                let inside = r.is_multiple_of(dilation[0]) && r / dilation[0] < kh;
                inside.then(|| &rows[r / dilation[0] * self.in_size[1]..][..self.in_size[1]])
            };
            self.forward(&mut work, row, spectrum);
            for vector in spectrum.chunks_exact_mut(2 * self.width) {
                let (re, im) = vector.split_at_mut(self.width);
                re.iter_mut().for_each(|x| *x *= scale);
                im.iter_mut().for_each(|x| *x *= -scale);
            }
        }
        self.spectra = spectra;
        Ok(())
    }

    /// Rows and columns of the transform.
    pub fn size(&self) -> [usize; 2] {
        [2 * self.vertical.len(), self.horizontal.len()]
    }

    /// Rows and columns of the frames with their borders.
    pub fn in_size(&self) -> [usize; 2] {
        self.in_size
    }

    /// Samples of the spectrum of one channel of one frame.
    pub fn spectrum_len(&self) -> usize {
        // Spectra one after another must not begin at the same set of the first-level cache (4096 bytes apart), where
        // one bin of dozens of them would not fit.
        (self.blocks() * self.slab()).next_multiple_of(1024) + 160
    }

    /// Blocks of vertical frequencies.
    fn blocks(&self) -> usize {
        self.vertical.len().div_ceil(self.width)
    }

    /// Samples of all columns of a block, with room for whole tiles.
    fn slab(&self) -> usize {
        2 * self.width * self.horizontal.len().max(self.in_size[1].next_multiple_of(self.width))
    }

    /// Samples of all vertical frequencies of a block of columns; those beyond the last one stay zero.
    fn strip(&self) -> usize {
        2 * self.width * (self.blocks() * self.width + 1)
    }

    /// Frames whose products are summed in one go. Sums should fit into the second-level cache until they are
    /// transformed; but where there are many of them, it is worth more to load kernels and frames once for eight.
    fn frames(&self) -> usize {
        if self.ins * self.taps > 4 { 8 } else { (CACHE / (self.blocks() * self.slab())).clamp(1, 8) }
    }

    /// Buffers for one thread.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory) when they cannot be had.
    pub fn work(&self) -> Result<Work> {
        let buffer = |samples| Samples::zeros("the transforms of a frame", samples);
        Ok(Work {
            half: buffer(self.in_size[1].div_ceil(self.width) * self.strip())?,
            sums: buffer(self.frames() * self.blocks() * self.slab())?,
            columns: buffer(self.strip())?,
            starts: vec![0; self.frames() * self.ins * self.taps],
            zeros: vec![0.0; self.in_size[1]],
        })
    }

    /// Spectra, as many as fit into `spectra`, shared among as many threads as there are buffers. `line(n, r)` is row `r`
    /// of what becomes spectrum `n` (one channel of one frame, with its border), for `r` in `0 .. in_size()[0]`:
    /// `in_size()[1]` samples, or none for a row of zeros.
    ///
    /// # Panics
    /// If a row is too short, there are no buffers, or they are another kernel's.
    pub fn forward<'a>(
        &self,
        works: &mut [Work],
        line: impl Fn(usize, usize) -> Option<&'a [f32]> + Sync,
        spectra: &mut [f32],
    ) {
        self.forward_from(0, works, &line, spectra);
    }

    fn forward_from<'a>(
        &self,
        first: usize,
        works: &mut [Work],
        line: &(impl Fn(usize, usize) -> Option<&'a [f32]> + Sync),
        spectra: &mut [f32],
    ) {
        let (len, threads) = (self.spectrum_len(), works.len());
        let count = spectra.len() / len;
        if threads < 2 || count < 2 {
            for (n, spectrum) in spectra.chunks_exact_mut(len).enumerate() {
                let line = |r: usize| line(first + n, r);
                dispatch!(self.level, simd => self.transform(simd, &mut works[0], &line, spectrum));
            }
            return;
        }
        let here = count.div_ceil(2);
        let (works, others) = works.split_at_mut(threads / 2);
        let (spectra, rest) = spectra.split_at_mut(here * len);
        rayon::join(
            || self.forward_from(first, works, line, spectra),
            || self.forward_from(first + here, others, line, rest),
        );
    }

    /// All output channels of `frames` frames, `[frame][out][row][col]`, shared among as many threads as there are
    /// buffers, from spectra that lie one after another: `slot(frame, tap, channel)` is the number of the one that tap
    /// `tap` of that frame meets. `bias` is one for each output channel, or none. No bit depends on how many frames or
    /// threads there are.
    ///
    /// # Panics
    /// If `out` or `spectra` is too short, there are no buffers, or they are another kernel's.
    pub fn output(
        &self,
        works: &mut [Work],
        spectra: &[f32],
        frames: usize,
        slot: impl Fn(usize, usize, usize) -> usize + Sync,
        bias: &[f32],
        out: &mut [f32],
    ) {
        let products = Inputs { spectra, slot: &slot, bias };
        self.output_of(&products, works, 0..frames, 0..self.outs, out);
    }

    fn output_of<F: Fn(usize, usize, usize) -> usize + Sync>(
        &self,
        inputs: &Inputs<'_, F>,
        works: &mut [Work],
        frames: Range<usize>,
        outs: Range<usize>,
        out: &mut [f32],
    ) {
        let (threads, plane) = (works.len(), self.out_size[0] * self.out_size[1]);
        // One of them in two: frames, or the channels of a single one.
        let [frames, outs] = match (frames.len(), outs.len()) {
            (2.., _) if threads > 1 => [halves(frames), [outs.clone(), outs]],
            (1, 2..) if threads > 1 => [[frames.clone(), frames], halves(outs)],
            _ => {
                dispatch!(self.level, simd => self.invert(simd, inputs, &mut works[0], frames, outs, out));
                return;
            }
        };
        let (works, others) = works.split_at_mut(threads / 2);
        let (out, rest) = out.split_at_mut(frames[0].len() * outs[0].len() * plane);
        let [(f, o), (g, p)] = [0, 1].map(|half| (frames[half].clone(), outs[half].clone()));
        rayon::join(|| self.output_of(inputs, works, f, o, out), || self.output_of(inputs, others, g, p, rest));
    }
}

/// What the output is made of.
struct Inputs<'a, F> {
    spectra: &'a [f32],
    slot: &'a F,
    bias: &'a [f32],
}

fn halves(range: Range<usize>) -> [Range<usize>; 2] {
    let middle = range.start + range.len().div_ceil(2);
    [range.start..middle, middle..range.end]
}

/// Lanes of the level's vectors.
#[inline(always)]
fn width<S: Simd>(_: S) -> usize {
    S::f32s::LEN
}
