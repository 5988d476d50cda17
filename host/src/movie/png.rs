//! A folder of PNGs, in the order of the numbers in their names.

use super::{About, Scale, Source};
use crate::{Error, MOST_PIXELS, Result};
use ::png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Transformations};
use foveola_core::Shape;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Brightness of red, green and blue (ITU-R BT.709).
pub(super) const LUMA: [f32; 3] = [0.2126, 0.7152, 0.0722];

pub(super) struct Folder {
    files: std::vec::IntoIter<PathBuf>,
    shape: Shape,
    /// The bytes of one picture.
    bytes: Vec<u8>,
}

pub(super) fn open(folder: &Path) -> Result<(Folder, About)> {
    let io = |source| Error::Io { path: folder.into(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png")) {
            files.push(path);
        }
    }
    files.sort_by_cached_key(|path| numbered(&path.file_name().unwrap_or_default().to_string_lossy()));
    let Some(first) = files.first() else {
        let reason = "a folder; expected a file of events, or PNGs in it, the frames of a movie".into();
        return Err(Error::Data { path: folder.into(), reason });
    };
    let reader = decoder(first)?.read_info().map_err(|error| failed(first, error))?;
    let shape = Shape::new(1, reader.info().height as usize, reader.info().width as usize);
    let about =
        About { shape, scale: Scale::Unit, frame_time: None, short_delays: 0, frames: Some(files.len() as u64) };
    Ok((Folder { files: files.into_iter(), shape, bytes: Vec::new() }, about))
}

impl Source for Folder {
    fn next(&mut self, frame: &mut [f32]) -> Result<bool> {
        let Some(path) = self.files.next() else { return Ok(false) };
        let data = |reason: String| Error::Data { path: path.clone(), reason };
        let mut reader = decoder(&path)?.read_info().map_err(|error| failed(&path, error))?;
        let (cols, rows) = (reader.info().width as usize, reader.info().height as usize);
        if (rows, cols) != (self.shape.rows, self.shape.cols) {
            let Shape { rows: first_rows, cols: first_cols, .. } = self.shape;
            return Err(data(format!(
                "{cols} x {rows} pixels; expected {first_cols} x {first_rows} as the first frame has"
            )));
        }
        let size = reader.output_buffer_size().unwrap_or(0);
        self.bytes.resize(size, 0);
        let info = reader.next_frame(&mut self.bytes).map_err(|error| failed(&path, error))?;
        let wide = info.bit_depth == BitDepth::Sixteen;
        let (colors, all) = match info.color_type {
            ColorType::Grayscale => (1, 1),
            ColorType::GrayscaleAlpha => (1, 2),
            ColorType::Rgba => (3, 4),
            ColorType::Rgb | ColorType::Indexed => (3, 3),
        };
        let width = if wide { 2 } else { 1 };
        for (sample, pixel) in frame.iter_mut().zip(self.bytes.chunks_exact(all * width)) {
            let mut values = pixel.chunks_exact(width).map(|value| match *value {
                [high, low] => f32::from(u16::from_be_bytes([high, low])) / 65535.0,
                [value] => f32::from(value) / 255.0,
                _ => 0.0,
            });
            *sample = if colors == 1 {
                values.next().unwrap_or(0.0)
            } else {
                LUMA.iter().zip(values).map(|(weight, value)| weight * value).sum()
            };
        }
        Ok(true)
    }

    fn skip(&mut self, frames: u64) -> Result<u64> {
        let skipped = self.files.by_ref().take(usize::try_from(frames).unwrap_or(usize::MAX)).count();
        Ok(skipped as u64)
    }
}

fn decoder(path: &Path) -> Result<Decoder<BufReader<File>>> {
    let file = File::open(path).map_err(|source| Error::Io { path: path.into(), source })?;
    // Memory for a picture with the largest number of pixels in a frame, in the widest samples.
    let mut decoder = Decoder::new_with_limits(BufReader::new(file), Limits { bytes: 8 * MOST_PIXELS });
    decoder.set_transformations(Transformations::EXPAND);
    Ok(decoder)
}

fn failed(path: &Path, error: DecodingError) -> Error {
    match error {
        DecodingError::IoError(source) => Error::Io { path: path.into(), source },
        other => Error::Data { path: path.into(), reason: format!("not a whole PNG: {other}") },
    }
}

/// A name as its letters and the values of its numbers: `b2` comes before `b10`.
fn numbered(name: &str) -> Vec<(String, u128)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (letters, from) = rest.split_at(digits);
        let (number, after) = from.split_at(from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len()));
        parts.push((letters.to_owned(), number.parse().unwrap_or(u128::MAX)));
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ordered_by_their_numbers() {
        let mut names =
            ["f10.png", "f9.png", "f009b.png", "e11.png", "f1e30000000000000000000000000000000000000000.png", "F1.PNG"];
        names.sort_by_cached_key(|name| numbered(name));
        let expected =
            ["F1.PNG", "e11.png", "f1e30000000000000000000000000000000000000000.png", "f9.png", "f009b.png", "f10.png"];
        assert_eq!(names, expected);
    }
}
