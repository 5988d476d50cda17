//! A GIF: pictures are drawn over one another in the positions and for the times that the file gives.
//!
//! Each picture covers a rectangle of the canvas, which is black at first. Transparent pixels leave the canvas unchanged.
//! The disposal states what happens to the rectangle before the next picture: it stays, becomes black, or is restored.
//! Frames of a movie are evenly spaced: their time is the greatest common divisor of all delays, and a picture is repeated
//! while it is shown.

use super::png::LUMA;
use super::{About, Scale, Source};
use crate::{Error, MOST_PIXELS, Result};
use ::gif::{ColorOutput, DecodeOptions, Decoder, DecodingError, DisposalMethod, MemoryLimit};
use core::time::Duration;
use foveola_core::Shape;
use std::fs::File;
use std::io::BufReader;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

pub(super) struct Gif {
    path: PathBuf,
    decoder: Decoder<BufReader<File>>,
    cols: usize,
    /// Brightness of the pixels drawn so far.
    canvas: Vec<f32>,
    /// The change of the canvas before the next picture.
    disposal: Disposal,
    /// Hundredths of a second per frame; none if every picture is one frame.
    step: Option<u64>,
    /// How many more times the canvas is shown.
    repeats: u64,
}

/// The change of the canvas after a picture.
enum Disposal {
    Keep,
    /// The canvas from before the picture is restored.
    Previous(Vec<f32>),
    /// A rectangle becomes black: its left and top edge, width and height.
    Black([usize; 4]),
}

/// The effective delay in hundredths of a second: browsers show delays of 0 and 1 as 10, since such files are meant to be
/// shown at a usual speed.
fn shown(delay: u16) -> u64 {
    if is_short(delay) { 10 } else { delay.into() }
}

fn is_short(delay: u16) -> bool {
    delay < 2
}

/// The delays of a file.
#[derive(Default)]
struct Delays {
    /// Their greatest common divisor, and their sum, in hundredths of a second.
    step: u64,
    total: u64,
    pictures: u64,
    short: u64,
}

impl Delays {
    /// The delays up to the end, or to the first damage, which is reported during reading.
    fn of(path: &Path) -> Result<Self> {
        let mut options = options();
        options.skip_frame_decoding(true);
        let mut decoder = start(path, &options)?;
        let mut delays = Self::default();
        while let Ok(Some(frame)) = decoder.next_frame_info() {
            delays.step = greatest_common_divisor(delays.step, shown(frame.delay));
            delays.total += shown(frame.delay);
            delays.pictures += 1;
            delays.short += u64::from(is_short(frame.delay));
        }
        Ok(delays)
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

pub(super) fn open(path: &Path, untimed: bool) -> Result<(Gif, About)> {
    let decoder = start(path, &options())?;
    let (rows, cols) = (usize::from(decoder.height()), usize::from(decoder.width()));
    let pixels = rows * cols;
    if pixels == 0 || pixels > MOST_PIXELS {
        return Err(Error::Data { path: path.into(), reason: format!("{cols} x {rows} pixels; expected 1 to 2^26") });
    }
    let delays = Delays::of(path)?;
    let step = (!untimed && delays.pictures > 0).then_some(delays.step);
    let frames = step.map_or(delays.pictures, |step| delays.total / step);
    let about = About {
        shape: Shape::new(1, rows, cols),
        scale: Scale::Unit,
        frame_time: step.map(|step| Duration::from_millis(10 * step)),
        short_delays: if untimed { 0 } else { delays.short },
        frames: Some(frames),
    };
    let (canvas, disposal) = (vec![0.0; pixels], Disposal::Keep);
    Ok((Gif { path: path.into(), decoder, cols, canvas, disposal, step, repeats: 0 }, about))
}

fn options() -> DecodeOptions {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    options
        .set_memory_limit(NonZeroU64::new(4 * MOST_PIXELS as u64).map_or(MemoryLimit::Unlimited, MemoryLimit::Bytes));
    options
}

fn start(path: &Path, options: &DecodeOptions) -> Result<Decoder<BufReader<File>>> {
    let file = File::open(path).map_err(|source| Error::Io { path: path.into(), source })?;
    options.clone().read_info(BufReader::new(file)).map_err(|error| failed(path, error))
}

impl Gif {
    /// Draws the next picture; false after the last.
    fn draw(&mut self) -> Result<bool> {
        match std::mem::replace(&mut self.disposal, Disposal::Keep) {
            Disposal::Keep => {}
            Disposal::Previous(before) => self.canvas = before,
            Disposal::Black([left, top, width, height]) => {
                for row in self.canvas.chunks_exact_mut(self.cols).skip(top).take(height) {
                    row.iter_mut().skip(left).take(width).for_each(|sample| *sample = 0.0);
                }
            }
        }
        let picture = match self.decoder.read_next_frame() {
            Ok(Some(picture)) => picture,
            Ok(None) => return Ok(false),
            Err(error) => return Err(failed(&self.path, error)),
        };
        let [left, top, width, height] = [picture.left, picture.top, picture.width, picture.height].map(usize::from);
        self.disposal = match picture.dispose {
            DisposalMethod::Previous => Disposal::Previous(self.canvas.clone()),
            DisposalMethod::Background => Disposal::Black([left, top, width, height]),
            DisposalMethod::Any | DisposalMethod::Keep => Disposal::Keep,
        };
        let rows = self.canvas.chunks_exact_mut(self.cols).skip(top);
        for (row, pixels) in rows.zip(picture.buffer.chunks_exact(4 * width.max(1))) {
            for (sample, pixel) in row.iter_mut().skip(left).zip(pixels.as_chunks::<4>().0) {
                if pixel[3] > 0 {
                    *sample = LUMA.iter().zip(pixel).map(|(weight, value)| weight * f32::from(*value) / 255.0).sum();
                }
            }
        }
        self.repeats = self.step.map_or(1, |step| shown(picture.delay) / step);
        Ok(true)
    }
}

impl Source for Gif {
    fn next(&mut self, frame: &mut [f32]) -> Result<bool> {
        if self.repeats == 0 && !self.draw()? {
            return Ok(false);
        }
        self.repeats = self.repeats.saturating_sub(1);
        frame.copy_from_slice(&self.canvas);
        Ok(true)
    }

    fn skip(&mut self, frames: u64) -> Result<u64> {
        let mut left = frames;
        loop {
            let now = left.min(self.repeats);
            (left, self.repeats) = (left - now, self.repeats - now);
            if left == 0 || !self.draw()? {
                return Ok(frames - left);
            }
        }
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

#[cfg(test)]
mod tests {
    use super::super::{Options, Reader, open_with};
    use super::*;
    use ::gif::{Encoder, Frame};

    /// A GIF of 4 x 3 pixels in black, grey (51) and white; colour 3 is transparent.
    fn write(path: &Path, pictures: &[Frame<'static>]) {
        let palette = [0, 0, 0, 51, 51, 51, 255, 255, 255, 7, 7, 7];
        let mut encoder = Encoder::new(File::create(path).expect("a file"), 4, 3, &palette).expect("a GIF");
        pictures.iter().for_each(|picture| encoder.write_frame(picture).expect("written"));
    }

    /// A picture of one colour in a rectangle.
    fn picture(color: u8, [left, top, width, height]: [u16; 4], delay: u16, dispose: DisposalMethod) -> Frame<'static> {
        let pixels = vec![color; usize::from(width * height)];
        Frame { left, top, delay, dispose, ..Frame::from_indexed_pixels(width, height, pixels, Some(3)) }
    }

    const WHOLE: [u16; 4] = [0, 0, 4, 3];

    fn movie(path: &Path, untimed: bool) -> Reader {
        open_with(path, Options { untimed, ..Options::default() }).expect("a movie")
    }

    /// The first sample of each frame, in units of 51.
    fn levels(movie: Reader) -> Vec<u8> {
        movie.map(|frame| (frame.expect("read")[[0, 0]] * 5.0).round() as u8).collect()
    }

    #[test]
    fn pictures_are_repeated_while_they_are_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.gif");
        let cases: [(&[u16], u64, u64, &[u8]); 6] = [
            (&[4, 4, 4], 40, 0, &[0, 1, 5]),
            (&[3, 7, 5], 10, 0, &[0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 5, 5, 5, 5, 5]),
            (&[4, 100, 8], 40, 0, &[[0; 1].as_slice(), &[1; 25], &[5; 2]].concat()),
            (&[0, 1, 10], 100, 2, &[0, 1, 5]),
            (&[0, 4, 2], 20, 1, &[0, 0, 0, 0, 0, 1, 1, 5]),
            (&[65535], 655_350, 0, &[0]),
        ];
        for (delays, millis, short, expected) in cases {
            let pictures = delays.iter().zip([0, 1, 2]);
            let pictures: Vec<_> =
                pictures.map(|(delay, color)| picture(color, WHOLE, *delay, DisposalMethod::Keep)).collect();
            write(&path, &pictures);
            let timed = movie(&path, false);
            assert_eq!(timed.frame_time(), Some(Duration::from_millis(millis)), "{delays:?}");
            assert_eq!((timed.frames(), timed.short_delays()), (Some(expected.len() as u64), short), "{delays:?}");
            assert_eq!(levels(timed), expected, "{delays:?}");
            for skipped in 0..=expected.len() + 1 {
                let mut rest = movie(&path, false);
                let there = skipped.min(expected.len());
                assert_eq!(rest.skip_frames(skipped as u64).ok(), Some(there as u64), "{delays:?}");
                assert_eq!(levels(rest), expected[there..], "{delays:?} without {skipped}");
            }
            let untimed = movie(&path, true);
            assert_eq!((untimed.frame_time(), untimed.short_delays()), (None, 0), "{delays:?}");
            assert_eq!(untimed.frames(), Some(delays.len() as u64), "{delays:?}");
            assert_eq!(levels(untimed), [0, 1, 5][..delays.len()], "{delays:?}");
        }
    }

    #[test]
    fn pictures_are_disposed_of_as_they_say() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.gif");
        let left = [0, 0, 2, 3];
        let dash = [1, 1, 2, 1];
        for (dispose, last) in [
            // The two columns at the left before the dash, and after its disposal.
            (DisposalMethod::Keep, ["5500", "5110", "5500"]),
            (DisposalMethod::Any, ["5500", "5110", "5500"]),
            (DisposalMethod::Background, ["5500", "5000", "5500"]),
            (DisposalMethod::Previous, ["5500", "5500", "5500"]),
        ] {
            let clear = picture(3, WHOLE, 5, DisposalMethod::Keep); // nothing but transparent pixels
            let pictures = [picture(2, left, 5, DisposalMethod::Keep), picture(1, dash, 5, dispose), clear];
            write(&path, &pictures);
            let frames: Vec<Vec<String>> = movie(&path, false)
                .map(|frame| {
                    let rows = frame.expect("read");
                    rows.outer_iter().map(|row| row.iter().map(|x| format!("{:.0}", x * 5.0)).collect()).collect()
                })
                .collect();
            assert_eq!(frames[0], ["5500"; 3], "{dispose:?}: the canvas is black at first");
            assert_eq!(frames[1], ["5500", "5110", "5500"], "{dispose:?}");
            assert_eq!(frames[2], last, "{dispose:?}");
        }
    }

    #[test]
    fn what_lies_before_damage_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.gif");
        let pictures: Vec<_> = (0..3).map(|color| picture(color, WHOLE, 5, DisposalMethod::Keep)).collect();
        write(&path, &pictures);
        let whole = std::fs::read(&path).expect("written");
        std::fs::write(&path, &whole[..whole.len() - 8]).expect("written");
        let frames: Vec<_> = movie(&path, false).take(9).collect();
        assert!(frames.len() > 2 && frames[..2].iter().all(|frame| frame.is_ok()), "{} frames", frames.len());
        let error = frames[2].as_ref().expect_err("cut").to_string();
        assert!(error.contains("a.gif: not a whole GIF"), "{error}");
        std::fs::write(&path, &whole[..5]).expect("written");
        assert!(open(&path, false).is_err(), "not even a header");
    }
}
