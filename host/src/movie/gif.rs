//! A GIF: frames are drawn over one another as the file tells.

use super::png::LUMA;
use super::{About, Source};
use crate::{Error, MOST_PIXELS, Result};
use ::gif::{ColorOutput, DecodeOptions, Decoder, DecodingError, DisposalMethod, MemoryLimit};
use foveola_core::Shape;
use std::fs::File;
use std::io::BufReader;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

pub(super) struct Gif {
    path: PathBuf,
    decoder: Decoder<BufReader<File>>,
    cols: usize,
    /// Brightness of the pixels drawn so far; none at first, which is black.
    canvas: Vec<f32>,
    /// What the last frame leaves behind: the canvas from before it, where it says so.
    restored: Option<Vec<f32>>,
}

pub(super) fn open(path: &Path) -> Result<(Gif, About)> {
    let decoder = start(path)?;
    let (rows, cols) = (usize::from(decoder.height()), usize::from(decoder.width()));
    let pixels = rows * cols;
    if pixels == 0 || pixels > MOST_PIXELS {
        return Err(Error::Data { path: path.into(), reason: format!("{cols} x {rows} pixels; expected 1 to 2^26") });
    }
    // The time of the first frame stands for all: a model's frames are evenly spaced.
    let mut peek = start(path)?;
    let delay = peek.next_frame_info().map_err(|error| failed(path, error))?.map_or(0, |frame| frame.delay);
    let rate = (delay > 0).then(|| 100.0 / f64::from(delay));
    let about = About { shape: Shape::new(1, rows, cols), rate, frames: None, white: 1.0 };
    Ok((Gif { path: path.into(), decoder, cols, canvas: vec![0.0; pixels], restored: None }, about))
}

fn start(path: &Path) -> Result<Decoder<BufReader<File>>> {
    let file = File::open(path).map_err(|source| Error::Io { path: path.into(), source })?;
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    options
        .set_memory_limit(NonZeroU64::new(4 * MOST_PIXELS as u64).map_or(MemoryLimit::Unlimited, MemoryLimit::Bytes));
    options.read_info(BufReader::new(file)).map_err(|error| failed(path, error))
}

impl Source for Gif {
    fn next(&mut self, samples: &mut [f32]) -> Result<bool> {
        if let Some(before) = self.restored.take() {
            self.canvas = before;
        }
        let frame = match self.decoder.read_next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(false),
            Err(error) => return Err(failed(&self.path, error)),
        };
        let kept = (frame.dispose == DisposalMethod::Previous).then(|| self.canvas.clone());
        let (left, width) = (usize::from(frame.left), usize::from(frame.width));
        let rows = self.canvas.chunks_exact_mut(self.cols).skip(frame.top.into());
        for (row, pixels) in rows.zip(frame.buffer.chunks_exact(4 * width.max(1))) {
            for (sample, pixel) in row.iter_mut().skip(left).zip(pixels.as_chunks::<4>().0) {
                if pixel[3] > 0 {
                    *sample = LUMA.iter().zip(pixel).map(|(weight, value)| weight * f32::from(*value) / 255.0).sum();
                }
            }
        }
        samples.copy_from_slice(&self.canvas);
        self.restored = kept;
        if frame.dispose == DisposalMethod::Background {
            for row in self.canvas.chunks_exact_mut(self.cols).skip(frame.top.into()).take(frame.height.into()) {
                row.iter_mut().skip(left).take(width).for_each(|sample| *sample = 0.0);
            }
        }
        Ok(true)
    }
}

fn failed(path: &Path, error: DecodingError) -> Error {
    match error {
        DecodingError::Io(source) if source.kind() != std::io::ErrorKind::UnexpectedEof => {
            Error::Io { path: path.into(), source }
        }
        other => Error::Data { path: path.into(), reason: format!("not a whole GIF: {other}") },
    }
}
