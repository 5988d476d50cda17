//! Movies, read frame by frame: a folder of PNGs, a GIF, an array in a `.npy` or `.npz` file.
//!
//! ```no_run
//! let mut movie = foveola::movie::open("frames/")?;
//! println!("{} x {} pixels", movie.shape().cols, movie.shape().rows);
//! while let Some(frame) = movie.next_frame()? {
//!     println!("{:?}", frame.dim()); // (channel, row, column)
//! }
//! for luminance in foveola::movie::open("a.gif")? {
//!     println!("{:.3}", luminance?.mean().unwrap_or(0.0)); // rows x columns, 0 to 1
//! }
//! # Ok::<(), foveola::Error>(())
//! ```
//! Only one frame is in memory at a time, of at most [`MOST_PIXELS`] pixels.
//!
//! # Samples
//! Samples of pictures are the stored brightness (without gamma conversion), from 0 (black) to 1 (white). Those of an array
//! depend on its type, in either byte order:
//!
//! | type | samples |
//! |---|---|
//! | `f2`, `f4`, `f8` | as stored |
//! | `u1`, `u2`, `bool` | divided by the largest value of the type, 0 to 1, like pictures; with [`Scale::Raw`]: as stored |
//! | `u4`, `u8` | an error, unless [`Scale::Raw`] or [`Scale::Unit`] is given |
//! | `i1`, `i2`, `i4`, `i8` | an error, unless [`Scale::Raw`] is given: as stored |
//!
//! # Time
//! A GIF has a delay for each picture, in hundredths of a second. Frames of a movie are evenly spaced, so the time of a
//! frame is the greatest common divisor of all delays, and a picture is repeated while it is shown: at 30 ms and 70 ms,
//! three and seven frames of 10 ms. Delays of 0 and 10 ms count as 100 ms, as in browsers ([`Reader::short_delays`]). With
//! [`Options::untimed`] every picture is one frame, whatever its delay. The other kinds of movies have no times.

mod array;
#[cfg(feature = "movies")]
mod gif;
#[cfg(feature = "movies")]
mod png;

use crate::{Error, MOST_PIXELS, Result};
use core::time::Duration;
use foveola_core::Shape;
use ndarray::{Array2, Array4, Array5, ArrayView3, Axis};
use std::path::{Path, PathBuf};

/// The source of the frames of a file.
trait Source {
    /// Fills in the samples of the next frame; false after the last.
    fn next(&mut self, frame: &mut [f32]) -> Result<bool>;

    /// Skips frames, and returns how many there were: fewer only at the end.
    fn skip(&mut self, frames: u64) -> Result<u64>;
}

/// The properties of a source that are known when it is opened.
struct About {
    shape: Shape,
    /// The meaning of the samples.
    scale: Scale,
    /// Time of a frame, if known.
    frame_time: Option<Duration>,
    /// Number of GIF delays that are too short to be intended.
    short_delays: u64,
    /// Number of frames, if known.
    frames: Option<u64>,
}

/// The kind of a movie file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A folder of PNGs, in the order of the numbers in their names.
    Pngs,
    /// A GIF.
    Gif,
    /// A `.npy` array, or the only array of frames in a `.npz` archive.
    Array,
}

impl Kind {
    /// The kind in words.
    pub fn about(self) -> &'static str {
        match self {
            Self::Pngs => "a folder of PNGs",
            Self::Gif => "a GIF",
            Self::Array => "an array of frames",
        }
    }
}

/// The conversion of the numbers in an array to samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// 0 to 1: unsigned integers are divided by the largest value of their type.
    Unit,
    /// As stored.
    Raw,
}

/// Options for reading a movie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// The conversion of the numbers in an array; by default the one in the [table](self#samples).
    pub scale: Option<Scale>,
    /// Takes every picture of a GIF once, regardless of its delay.
    pub untimed: bool,
}

/// A movie, read frame by frame.
///
/// As an iterator it yields luminance: rows x columns, the mean over the channels.
pub struct Reader {
    path: PathBuf,
    source: Box<dyn Source + Send>,
    about: About,
    frame: Vec<f32>,
    read: u64,
}

/// The kind of movie at `path`, by its first bytes; none for anything else, such as an event recording or a pipe.
///
/// # Errors
/// [`Error::Io`].
pub fn kind(path: impl AsRef<Path>) -> Result<Option<Kind>> {
    let path = path.as_ref();
    if path.as_os_str() == "-" {
        return Ok(None);
    }
    let io = |source| Error::Io { path: path.into(), source };
    let metadata = std::fs::metadata(path).map_err(io)?;
    if metadata.is_dir() {
        return Ok(Some(Kind::Pngs));
    }
    if !metadata.is_file() {
        return Ok(None); // a pipe is not read for this
    }
    let head = array::head(path).map_err(io)?;
    Ok(match () {
        () if head.starts_with(b"GIF8") => Some(Kind::Gif),
        () if array::is_movie(path, &head) => Some(Kind::Array),
        () => None,
    })
}

/// Opens a movie with the default options.
///
/// # Errors
/// As for [`open_with`].
pub fn open(path: impl AsRef<Path>) -> Result<Reader> {
    open_with(path, Options::default())
}

/// Opens a movie: a folder of PNGs in the order of the numbers in their names, a GIF, or an array in a `.npy` or `.npz`
/// file: `(time, row, column)`, `(time, channel, row, column)` or `(1, channel, time, row, column)`.
///
/// # Errors
/// [`Error::Io`] when it cannot be read; [`Error::Data`] when it is none of these, has no frames, or has samples of a type
/// that the scale does not allow; [`Error::Parameter`] for a scale of pictures, which are 0 to 1.
pub fn open_with(path: impl AsRef<Path>, options: Options) -> Result<Reader> {
    let path = path.as_ref();
    let data = |reason: String| Error::Data { path: path.into(), reason };
    let none = "no movie; expected a folder of PNGs (of a video: ffmpeg -i FILE frames/%06d.png), a GIF, or frames in a .npy \
                or .npz file";
    let kind = kind(path)?.ok_or_else(|| data(none.into()))?;
    if let (Kind::Pngs | Kind::Gif, Some(scale)) = (kind, options.scale) {
        let expected = "none: it is for arrays, and samples of pictures are 0 to 1";
        return Err(Error::Parameter { item: "movie", name: "scale", value: format!("{scale:?}"), expected });
    }
    let (source, about): (Box<dyn Source + Send>, _) = match kind {
        #[cfg(feature = "movies")]
        Kind::Pngs => {
            let (source, about) = png::open(path)?;
            (Box::new(source), about)
        }
        #[cfg(feature = "movies")]
        Kind::Gif => {
            let (source, about) = gif::open(path, options.untimed)?;
            (Box::new(source), about)
        }
        #[cfg(not(feature = "movies"))]
        Kind::Pngs | Kind::Gif => {
            return Err(data(format!(
                "{}, which this build does not read: it needs the feature `movies`",
                kind.about()
            )));
        }
        Kind::Array => {
            let (source, about) = array::open(path, options.scale)?;
            (Box::new(source), about)
        }
    };
    let Shape { channels, rows, cols } = about.shape;
    let samples = rows.checked_mul(cols).filter(|pixels| *pixels <= MOST_PIXELS).and_then(|n| n.checked_mul(channels));
    let samples = samples.ok_or_else(|| data(format!("frames of {cols} x {rows} pixels; expected at most 2^26")))?;
    let mut frame = Vec::new();
    frame.try_reserve_exact(samples).map_err(|_| Error::Memory { what: "a frame", samples })?;
    frame.resize(samples, 0.0);
    Ok(Reader { path: path.into(), source, about, frame, read: 0 })
}

/// Reads a whole movie as `(batch, channel, time, row, col)`; accepts the same files as [`open`]. The meaning of the samples
/// depends on their type: see [above](self#samples).
///
/// # Errors
/// [`Error::Io`] when the file cannot be read; [`Error::Data`] when it is not a movie.
pub fn read(path: impl AsRef<Path>) -> Result<Array5<f32>> {
    let mut movie = open(path)?;
    let shape = movie.shape();
    let mut samples = Vec::new();
    let frames = movie.next_frames(usize::MAX, &mut samples)?;
    let count = samples.len();
    let frames = Array4::from_shape_vec((frames, shape.channels, shape.rows, shape.cols), samples);
    let frames = frames.map_err(|_| Error::Memory { what: "a movie", samples: count })?;
    Ok(frames.permuted_axes([1, 0, 2, 3]).insert_axis(Axis(0)))
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { path, read, .. } = self;
        f.debug_struct("Reader").field("path", path).field("read", read).finish_non_exhaustive()
    }
}

impl Reader {
    /// Channels, rows and columns of a frame.
    pub fn shape(&self) -> Shape {
        self.about.shape
    }

    /// The meaning of the samples: 0 to 1, or as stored in an array.
    pub fn scale(&self) -> Scale {
        self.about.scale
    }

    /// Time of a frame, if the file contains it (a GIF does).
    pub fn frame_time(&self) -> Option<Duration> {
        self.about.frame_time
    }

    /// Frames per second, if the file contains the time of a frame (a GIF does).
    pub fn rate(&self) -> Option<f64> {
        self.about.frame_time.map(|time| 1.0 / time.as_secs_f64())
    }

    /// Number of pictures in a GIF whose delay is 0 or 10 ms, which count as 100 ms, as in browsers.
    pub fn short_delays(&self) -> u64 {
        self.about.short_delays
    }

    /// Number of frames, if it is known beforehand.
    pub fn frames(&self) -> Option<u64> {
        self.about.frames
    }

    /// Number of frames read or skipped so far.
    pub fn frames_read(&self) -> u64 {
        self.read
    }

    /// Skips the next `frames` frames, and returns how many there were: fewer only at the end.
    ///
    /// # Errors
    /// As for [`Reader::next_frame`].
    pub fn skip_frames(&mut self, frames: u64) -> Result<u64> {
        let skipped = self.source.skip(frames)?;
        self.read += skipped;
        Ok(skipped)
    }

    /// Appends up to `most` of the next frames to `samples`, and returns the number of frames: fewer only at the end.
    ///
    /// # Errors
    /// As for [`Reader::next_frame`]; [`Error::Memory`].
    pub fn next_frames(&mut self, most: usize, samples: &mut Vec<f32>) -> Result<usize> {
        let len = self.shape().len();
        let mut read = 0;
        while read < most
            && let Some(frame) = self.next_frame()?
        {
            let needed = samples.len().saturating_add(len);
            samples.try_reserve(len).map_err(|_| Error::Memory { what: "frames of a movie", samples: needed })?;
            samples.extend(frame);
            read += 1;
        }
        Ok(read)
    }

    /// The next frame `(channel, row, column)`; none after the last.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] for a damaged frame, or one whose size differs from that of the first.
    pub fn next_frame(&mut self) -> Result<Option<ArrayView3<'_, f32>>> {
        if !self.source.next(&mut self.frame)? {
            return Ok(None);
        }
        self.read += 1;
        let Shape { channels, rows, cols } = self.about.shape;
        let frame = ArrayView3::from_shape((channels, rows, cols), &self.frame);
        let other = || Error::Data { path: self.path.clone(), reason: "a frame of another size".into() };
        Ok(Some(frame.map_err(|_| other())?))
    }
}

impl Iterator for Reader {
    type Item = Result<Array2<f32>>;

    fn next(&mut self) -> Option<Result<Array2<f32>>> {
        let frame = self.next_frame().transpose()?;
        Some(frame.map(|frame| {
            let channels = frame.len_of(Axis(0)) as f32;
            frame.sum_axis(Axis(0)).mapv_into(|sum| sum / channels)
        }))
    }
}

#[cfg(all(test, feature = "movies"))]
mod tests {
    use super::*;
    use crate::npy::NpyWriter;
    use ndarray::Array3;

    /// A bar of one column that moves over 6 columns.
    fn bar(t: usize) -> [u8; 24] {
        std::array::from_fn(|i| if i % 6 == t { 255 } else { 51 })
    }

    fn write_png(path: &Path, color: ::png::ColorType, pixels: &[u8]) {
        let mut encoder = ::png::Encoder::new(std::fs::File::create(path).expect("a file"), 6, 4);
        encoder.set_color(color);
        encoder.write_header().and_then(|mut writer| writer.write_image_data(pixels)).expect("a PNG");
    }

    #[test]
    fn every_kind_yields_the_same_luminance() {
        let folder = tempfile::tempdir().expect("a folder");
        let (pngs, path) = (folder.path().join("pngs"), |name: &str| folder.path().join(name));
        std::fs::create_dir(&pngs).expect("made");
        let mut animation =
            ::gif::Encoder::new(std::fs::File::create(path("a.gif")).expect("a file"), 6, 4, &[]).expect("a GIF");
        let mut npy = NpyWriter::create(path("a.npy")).expect("a file");
        for t in 0..6 {
            let grey = bar(t);
            // Names whose order is that of their numbers only, and grey pixels in colour.
            let rgb: Vec<u8> = grey.iter().flat_map(|value| [*value; 3]).collect();
            let (color, pixels) =
                if t % 2 == 0 { (::png::ColorType::Grayscale, &grey[..]) } else { (::png::ColorType::Rgb, &rgb[..]) };
            write_png(&pngs.join(format!("frame{}.png", 5 * t + 2)), color, pixels);
            let mut frame = ::gif::Frame::from_palette_pixels(
                6,
                4,
                grey.map(|value| value / 255),
                [51, 51, 51, 255, 255, 255],
                None,
            );
            frame.delay = 4;
            animation.write_frame(&frame).expect("written");
            let samples = Array3::from_shape_fn((1, 4, 6), |(_, row, col)| f32::from(grey[6 * row + col]) / 255.0);
            npy.push(samples.view()).expect("written");
        }
        npy.finish().expect("written");
        drop(animation);
        std::fs::write(pngs.join("notes.txt"), "no frame").expect("written");
        for (path, kind, rate) in [
            (pngs.clone(), Kind::Pngs, None),
            (path("a.gif"), Kind::Gif, Some(25.0)),
            (path("a.npy"), Kind::Array, None),
        ] {
            assert_eq!(super::kind(&path).expect("it is there"), Some(kind), "{}", path.display());
            let movie = open(&path).expect("a movie");
            assert_eq!((movie.rate(), movie.frames(), movie.shape()), (rate, Some(6), Shape::new(1, 4, 6)));
            let mut part = open(&path).expect("a movie");
            assert_eq!((part.skip_frames(2).ok(), part.frames_read()), (Some(2), 2), "{}", path.display());
            let third = part.next_frame().expect("read").expect("a frame").index_axis(Axis(0), 0).to_owned();
            assert_eq!((part.skip_frames(99).ok(), part.frames_read()), (Some(3), 6), "{}", path.display());
            assert!(part.next_frame().is_ok_and(|frame| frame.is_none()), "{}: the end", path.display());
            let frames: Vec<_> = movie.collect::<Result<_>>().expect("whole");
            assert_eq!((frames.len(), &frames[2]), (6, &third), "{}", path.display());
            for (t, frame) in frames.iter().enumerate() {
                for (found, expected) in frame.iter().zip(bar(t)) {
                    // Three roundings of weights that sum to 1.
                    assert!((found - f32::from(expected) / 255.0).abs() < 1e-6, "{}, frame {t}", path.display());
                }
            }
        }
        // A frame of another size, and a file that is not a frame.
        write_png(&pngs.join("frame99.png"), ::png::ColorType::Rgb, &[0; 72]);
        std::fs::write(pngs.join("frame100.png"), b"none").expect("written");
        let mut movie = open(&pngs).expect("a movie").skip(7);
        assert!(movie.next().is_some_and(|frame| frame.is_err()), "frame100 is no PNG");
        assert!(open(folder.path()).is_err(), "no PNG in the folder");
        for path in [pngs, path("a.gif")] {
            let options = Options { scale: Some(Scale::Raw), ..Options::default() };
            let error = open_with(path, options).expect_err("no scale").to_string();
            assert!(error.contains("scale is Raw") && error.contains("for arrays"), "{error}");
        }
    }
}
