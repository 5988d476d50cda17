//! Activity in a stage: mean and variance of every pixel, and the activity of each frame, in one pass.
//!
//! Frames come in chunks. For a chunk of `n` frames, sums of `d = x - s` and `d^2` are computed relative to `s`: the pixel's
//! mean `m` over the `N` frames so far, or that of the first chunk. They are merged with the previous mean and sum of
//! squares `q`: `d = mean(chunk) - m`, `m += d n / (N + n)`, `q += q(chunk) + d^2 N n / (N + n)`. The activity of a frame is
//! the sum of its `(x - s)^2` over all pixels: its distance from the mean. Samples that are not finite count as `s`. Memory:
//! two 64-bit numbers per pixel. Reference: Chan, Golub and `LeVeque` 1983, doi:10.1080/00031305.1983.10483115.

use ndarray::{ArrayView3, ArrayView4, Axis};

/// A pixel of a stage, with the statistics of its samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PixelActivity {
    /// Its channel.
    pub channel: usize,
    /// Its row, from the top.
    pub row: usize,
    /// Its column.
    pub col: usize,
    /// The mean of its samples over time.
    pub mean: f64,
    /// Their variance over time: the mean of the squared distance from the mean.
    pub variance: f64,
}

/// Means and variances of the pixels of a stage.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Activity {
    frames: u64,
    /// Channels, rows and columns.
    shape: (usize, usize, usize),
    means: Vec<f64>,
    squares: Vec<f64>,
}

/// Pixels whose sums fit into the first-level cache.
const TILE: usize = 512;
/// Independent sums, which become vectors.
const LANES: usize = 16;

impl Activity {
    /// Adds a chunk `(channel, time, row, column)`, always of the same shape, and returns the activity of each frame.
    pub(super) fn push(&mut self, chunk: &ArrayView4<'_, f32>) -> Vec<f64> {
        let (channels, frames, rows, cols) = chunk.dim();
        self.shape = (channels, rows, cols);
        self.means.resize(channels * rows * cols, 0.0);
        self.squares.resize(channels * rows * cols, 0.0);
        let mut activity = vec![0.0; frames];
        if frames > 0 && rows * cols > 0 {
            for (channel, movie) in chunk.outer_iter().enumerate() {
                self.push_channel(channel * rows * cols, movie, &mut activity);
            }
            self.frames += frames as u64;
        }
        activity
    }

    /// The same for a channel, whose pixels begin at `first`.
    fn push_channel(&mut self, first: usize, movie: ArrayView3<'_, f32>, activity: &mut [f64]) {
        let planes: Vec<_> = movie.axis_iter(Axis(0)).collect();
        let planes: Vec<_> = planes.iter().map(|plane| plane.as_standard_layout()).collect();
        let planes: Vec<&[f32]> = planes.iter().filter_map(|plane| plane.as_slice()).collect();
        let Some(pixels_of_plane) = planes.first().map(|plane| plane.len()) else { return };
        let (before, now) = (self.frames as f64, planes.len() as f64);
        let (mut about, mut sums, mut squares) = ([0.0_f32; TILE], [0.0_f32; TILE], [0.0_f32; TILE]);
        for start in (0..pixels_of_plane).step_by(TILE) {
            let len = TILE.min(pixels_of_plane - start);
            let pixels = first + start..first + start + len;
            about.iter_mut().zip(&self.means[pixels.clone()]).for_each(|(about, mean)| *about = *mean as f32);
            if self.frames == 0 {
                for (before, plane) in planes.iter().enumerate() {
                    for (about, sample) in about.iter_mut().zip(&plane[start..start + len]) {
                        let apart = sample - *about;
                        *about += if apart.is_finite() { apart / (before + 1) as f32 } else { 0.0 };
                    }
                }
            }
            sums.fill(0.0);
            squares.fill(0.0);
            for (plane, activity) in planes.iter().zip(activity.iter_mut()) {
                let mut lanes = [0.0_f32; LANES];
                let sums = sums.chunks_mut(LANES).zip(squares.chunks_mut(LANES));
                let samples = plane[start..start + len].chunks(LANES).zip(about.chunks(LANES));
                for ((sums, squares), (samples, about)) in sums.zip(samples) {
                    for ((((lane, sum), square), sample), about) in
                        lanes.iter_mut().zip(sums).zip(squares).zip(samples).zip(about)
                    {
                        let apart = sample - about;
                        let apart = if apart.is_finite() { apart } else { 0.0 };
                        *sum += apart;
                        *square += apart * apart;
                        *lane += apart * apart;
                    }
                }
                *activity += lanes.iter().map(|&lane| f64::from(lane)).sum::<f64>();
            }
            let places = self.means[pixels.clone()].iter_mut().zip(&mut self.squares[pixels]);
            for ((mean, all), ((about, sum), square)) in places.zip(about.iter().zip(&sums).zip(&squares)) {
                let (sum, square) = (f64::from(*sum), f64::from(*square));
                let apart = f64::from(*about) + sum / now - *mean;
                *mean += apart * now / (before + now);
                *all += (square - sum * sum / now).max(0.0) + apart * apart * before * now / (before + now);
            }
        }
    }

    /// The pixel with the largest variance (the first of several); none before the first frame.
    pub(super) fn most_variable(&self) -> Option<PixelActivity> {
        let (_, rows, cols) = self.shape;
        let mut best = None;
        for (index, square) in self.squares.iter().enumerate() {
            if best.is_none_or(|(_, most)| *square > most) {
                best = Some((index, *square));
            }
        }
        let (index, square) = best?;
        let (channel, pixel) = (index / (rows * cols), index % (rows * cols));
        let (mean, variance) = (self.means.get(index).copied()?, square / self.frames.max(1) as f64);
        Some(PixelActivity { channel, row: pixel / cols, col: pixel % cols, mean, variance })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array4, s};

    /// A movie in which every pixel has a different mean and variance.
    fn movie() -> Array4<f32> {
        Array4::from_shape_fn((2, 60, 7, 90), |(channel, t, row, col)| {
            let noise = ((t * 7919 + row * 104_729 + col * 1_299_709 + channel * 31) % 1009) as f32 / 1009.0;
            100.0 + row as f32 + noise * (1.0 + (col % 13) as f32)
        })
    }

    #[test]
    fn chunks_of_any_length_give_the_variance_of_the_whole() {
        let movie = movie();
        for cuts in [&[60][..], &[1; 60], &[7, 1, 0, 30, 22]] {
            let mut activity = Activity::default();
            let mut start = 0;
            for len in cuts {
                assert_eq!(activity.push(&movie.slice(s![.., start..start + len, .., ..])).len(), *len);
                start += len;
            }
            for ((channel, row), col) in [((0, 0), 0), ((1, 6), 89), ((0, 3), 12), ((1, 2), 64)] {
                let samples = movie.slice(s![channel, .., row, col]).mapv(f64::from);
                let mean = samples.mean().expect("frames");
                let variance = samples.mapv(|x| (x - mean) * (x - mean)).mean().expect("frames");
                let index = (channel * 7 + row) * 90 + col;
                let found = (activity.means[index], activity.squares[index] / 60.0);
                assert!((found.0 - mean).abs() < 1e-5 && (found.1 / variance - 1.0).abs() < 1e-4, "{found:?}");
            }
        }
    }

    #[test]
    fn one_pixel_that_flickers_is_found_wherever_it_is() {
        for (channel, row, col) in [(0, 0, 0), (1, 6, 89), (0, 5, 41)] {
            let mut movie = Array4::from_elem((2, 40, 7, 90), 5.0_f32);
            movie.slice_mut(s![channel, 33.., row, col]).fill(5.01);
            movie[[0, 3, 2, 2]] = f32::NAN; // must not be found
            let mut activity = Activity::default();
            assert_eq!(activity.most_variable(), None, "nothing yet");
            let frames = activity.push(&movie.view());
            let most = frames.iter().copied().fold(0.0, f64::max);
            assert!(frames[..33].iter().all(|frame| 9.0 * frame < most) && frames[33] == most, "{frames:?}");
            let found = activity.most_variable().expect("frames");
            assert_eq!((found.channel, found.row, found.col), (channel, row, col));
            let expected = 0.01_f64.powi(2) * (7.0 / 40.0) * (33.0 / 40.0);
            assert!((found.variance / expected - 1.0).abs() < 1e-3, "{} is not {expected}", found.variance);
        }
    }
}
