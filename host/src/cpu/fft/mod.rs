//! Convolution of a stream of frames: in the frequency domain in space, direct in time.
//!
//! ```text
//! out[o, r, c] = bias[o] + sum_i sum_a sum_b sum_e w[o, i, a, b, e] * x[i, a][r + dil_r b, c + dil_c e]
//! ```
//! `x[i, a]` is the frame at tap `a`, with its border: `out + k' - 1` rows and columns, `k' = dil (k - 1) + 1`. A frame is
//! transformed once, and its spectrum serves all taps and output channels. An output frame is the inverse transform of a sum
//! of products of spectra. Nothing is transformed along time: an output is available with its last frame, and depends only
//! on the frames at its taps. So the output is bit-identical for any chunking and any number of threads.
//!
//! **The transform.** Along rows (vertically) the frequencies `2 pi (2k + 1/2) / N` of `N` real samples are one complex
//! transform of half the length, of `z[n] = (x[n] - i x[n + N/2]) e^(-i pi n / N)`. The other frequencies are conjugates and
//! none is real, so no sample is wasted on the first or the middle frequency (right-angle convolution: Nussbaumer, 1981).
//! The corresponding convolution changes sign where it wraps around; no sample that is kept has wrapped around. Along
//! columns it is an ordinary complex transform. Both run on vectors whose lanes are independent transforms (`transform.rs`),
//! with a transposition of tiles in between (`plane.rs`).
//!
//! **Spectra** are `[block][col][re, im][lane]`: a block has as many vertical frequencies as a vector has lanes. The
//! frequencies along both axes are in the output order of the transforms. Spectra are valid only for the kernel that made
//! them, and for others of the same size.
//!
//! **Cost** for `N x M` samples: `5/2 N M log2(N M)` operations for the transform of a frame, the same for the inverse, and
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

/// A bound of the error of each sample, in units of `f32::EPSILON log2(rows cols) |w| |x|`. `rows cols` is the size of the
/// transform. `|w| |x|` is the root of the sum of all squared weights of an output channel, times that of all squared
/// samples at its taps, border included. Add one unit of the output itself for the bias.
///
/// An error in one sample or frequency spreads over all of them, so it does not shrink with the samples nearby, as in a
/// direct sum: a frame with a value that is not finite becomes not finite everywhere. Of 20,000 random convolutions (noise,
/// constants and single points, frames of 1 x 1 to 40 x 40, kernels up to 40 x 40, all vector levels) the worst had 0.15,
/// with a kernel of one pixel; 0.33 was found later, in a transform of a few samples. Noise in larger transforms has about
/// 0.01.
pub const ERROR: f64 = 0.5;

/// Samples of the second-level cache that sums of products may fill.
const CACHE: usize = 192 * 1024;

/// The kernels of a convolution as spectra, and the plan of its transforms.
#[derive(Debug)]
pub struct FftKernel {
    level: Level,
    /// Lanes of a vector at this level.
    width: usize,
    outs: usize,
    /// Input channels per group.
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
    /// Intermediate result between the two axes: `[block of columns][vertical frequency]`, complex vectors.
    half: Samples,
    /// Sums of products of a few frames.
    sums: Samples,
    /// Columns of a block, after the last transform.
    columns: Samples,
    /// The starts of spectra.
    starts: Vec<usize>,
    /// A row of zeros.
    zeros: Vec<f32>,
}

impl FftKernel {
    /// Kernels `[out, in / groups, time, row, col]` in correlation order, for frames of `out_rows x out_cols` pixels.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory) when the spectra do not fit into memory.
    ///
    /// # Panics
    /// If there is no kernel or no pixel, or the lengths do not match.
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

    /// The transform size (rows and columns) that [`FftKernel::new`] would choose, and the predicted nanoseconds per frame
    /// on one thread for frames in chunks (`cost.rs`); none for frames of over 131,072 rows or columns, border included.
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

    /// Whether this kernel can use the spectra of `other`.
    pub fn shares_spectra(&self, other: &Self) -> bool {
        (self.width, self.size(), self.in_size) == (other.width, other.size(), other.in_size)
    }

    /// Fills `spectra`: a kernel is transformed like a frame that is zero outside of it.
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
        // The starts of consecutive spectra must differ modulo the sets of the first-level cache (4096 bytes apart);
        // otherwise one bin of dozens of spectra would not fit into the cache.
        (self.blocks() * self.slab()).next_multiple_of(1024) + 160
    }

    /// Blocks of vertical frequencies.
    fn blocks(&self) -> usize {
        self.vertical.len().div_ceil(self.width)
    }

    /// Samples of all columns of a block, rounded up to whole tiles.
    fn slab(&self) -> usize {
        2 * self.width * self.horizontal.len().max(self.in_size[1].next_multiple_of(self.width))
    }

    /// Samples of all vertical frequencies of a block of columns; those after the last frequency stay zero.
    fn strip(&self) -> usize {
        2 * self.width * (self.blocks() * self.width + 1)
    }

    /// Frames whose products are summed together. The sums should fit into the second-level cache until they are
    /// transformed. If there are many of them, loading kernels and frames once for eight is more important.
    fn frames(&self) -> usize {
        if self.ins * self.taps > 4 { 8 } else { (CACHE / (self.blocks() * self.slab())).clamp(1, 8) }
    }

    /// Buffers for one thread.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory) when they do not fit into memory.
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

    /// Computes as many spectra as fit into `spectra`, on as many threads as there are buffers. `line(n, r)` is row `r` of
    /// the samples of spectrum `n` (one channel of one frame, with its border), for `r` in `0 .. in_size()[0]`:
    /// `in_size()[1]` samples, or none for a row of zeros.
    ///
    /// # Panics
    /// If a row is too short, there are no buffers, or the buffers belong to another kernel.
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

    /// Computes all output channels of `frames` frames, `[frame][out][row][col]`, on as many threads as there are buffers,
    /// from consecutive spectra. `slot(frame, tap, channel)` is the number of the spectrum at tap `tap` of that frame.
    /// `bias` has one value per output channel, or is empty. The bits do not depend on the number of frames or threads.
    ///
    /// # Panics
    /// If `out` or `spectra` is too short, there are no buffers, or the buffers belong to another kernel.
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
        // Splits either the frames, or the channels of a single frame.
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

/// The inputs of the output frames.
struct Inputs<'a, F> {
    spectra: &'a [f32],
    slot: &'a F,
    bias: &'a [f32],
}

fn halves(range: Range<usize>) -> [Range<usize>; 2] {
    let middle = range.start + range.len().div_ceil(2);
    [range.start..middle, middle..range.end]
}

/// Lanes of a vector at this level.
#[inline(always)]
fn width<S: Simd>(_: S) -> usize {
    S::f32s::LEN
}
