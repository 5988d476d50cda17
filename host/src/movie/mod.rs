//! Movies, read frame by frame: a folder of PNGs, a GIF, a `.npy` array.
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
//! One frame is in memory at a time, of no more than [`MOST_PIXELS`].

mod gif;
mod npy;
mod png;

use crate::{Error, MOST_PIXELS, Result};
use foveola_core::Shape;
use ndarray::{Array2, ArrayView3};
use std::path::{Path, PathBuf};

/// What a file's frames come from.
trait Source {
    /// Fills in the samples of the next frame; false behind the last.
    fn next(&mut self, frame: &mut [f32]) -> Result<bool>;
}

/// What a source tells when it is opened.
struct About {
    shape: Shape,
    /// Frames a second, if it tells.
    rate: Option<f64>,
    /// Number of frames, if it tells.
    frames: Option<u64>,
    /// The sample that is white.
    white: f32,
}

/// A movie, frame by frame.
///
/// As an iterator it yields luminance: rows x columns, from 0 (black) to 1 (white), the mean of several channels; whole
/// numbers of a `.npy` array are divided by the largest of their type.
pub struct Reader {
    path: PathBuf,
    source: Box<dyn Source + Send>,
    about: About,
    frame: Vec<f32>,
    read: u64,
}

/// Whether `path` is of a kind that [`open`] takes: a folder, a GIF, a `.npy` array of three axes or more.
///
/// # Errors
/// [`Error::Io`].
pub fn is_movie(path: impl AsRef<Path>) -> Result<bool> {
    let path = path.as_ref();
    Ok(path.as_os_str() != "-" && kind(path)?.is_some())
}

/// Opens a movie: a folder of PNGs in the order of the numbers in their names, a GIF, or a `.npy` array of `f4`, `f8`, `u1`
/// or `u2` samples: `(time, row, column)`, `(time, channel, row, column)` or `(1, channel, time, row, column)`.
///
/// Samples of pictures are brightness as it is stored (gamma is left as it is), 0 to 1; those of an array are as they stand.
///
/// # Errors
/// [`Error::Io`] when it cannot be read, [`Error::Data`] when it is none of these or has no frames.
pub fn open(path: impl AsRef<Path>) -> Result<Reader> {
    let path = path.as_ref();
    let data = |reason: String| Error::Data { path: path.into(), reason };
    let (source, about): (Box<dyn Source + Send>, _) = match kind(path)? {
        Some(Kind::Folder) => {
            let (source, about) = png::open(path)?;
            (Box::new(source), about)
        }
        Some(Kind::Gif) => {
            let (source, about) = gif::open(path)?;
            (Box::new(source), about)
        }
        Some(Kind::Npy) => {
            let (source, about) = npy::open(path)?;
            (Box::new(source), about)
        }
        None => return Err(data(
            "no movie; expected a folder of PNGs (of a video: ffmpeg -i FILE frames/%06d.png), a GIF or a .npy array"
                .into(),
        )),
    };
    let Shape { channels, rows, cols } = about.shape;
    let samples = rows.checked_mul(cols).filter(|pixels| *pixels <= MOST_PIXELS).and_then(|n| n.checked_mul(channels));
    let samples = samples.ok_or_else(|| data(format!("frames of {cols} x {rows} pixels; expected at most 2^26")))?;
    let mut frame = Vec::new();
    frame.try_reserve_exact(samples).map_err(|_| Error::Memory { what: "a frame", samples })?;
    frame.resize(samples, 0.0);
    Ok(Reader { path: path.into(), source, about, frame, read: 0 })
}

enum Kind {
    Folder,
    Gif,
    Npy,
}

/// What kind of movie lies there, by its first bytes.
fn kind(path: &Path) -> Result<Option<Kind>> {
    let io = |source| Error::Io { path: path.into(), source };
    let metadata = std::fs::metadata(path).map_err(io)?;
    if metadata.is_dir() {
        return Ok(Some(Kind::Folder));
    }
    if !metadata.is_file() {
        return Ok(None); // a pipe is not read for this
    }
    let named_npy = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy"));
    let head = npy::head(path).map_err(io)?;
    Ok(match () {
        () if head.starts_with(b"GIF8") => Some(Kind::Gif),
        () if npy::is_movie(&head, named_npy) => Some(Kind::Npy),
        () => None,
    })
}

impl Reader {
    /// Channels, rows and columns of a frame.
    pub fn shape(&self) -> Shape {
        self.about.shape
    }

    /// Frames a second, where the file tells (a GIF does).
    pub fn rate(&self) -> Option<f64> {
        self.about.rate
    }

    /// Number of frames, where it is known beforehand.
    pub fn frames(&self) -> Option<u64> {
        self.about.frames
    }

    /// Frames read so far.
    pub fn frames_read(&self) -> u64 {
        self.read
    }

    /// Appends up to `most` of the next frames to `samples`, one behind the other, and returns how many they were: fewer only
    /// at the end.
    ///
    /// # Errors
    /// As of [`Reader::next_frame`]; [`Error::Memory`].
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

    /// The next frame `(channel, row, column)`; none behind the last.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Data`] for a frame that is damaged or of another size than the first.
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
        let white = self.about.white;
        let frame = self.next_frame().transpose()?;
        Some(frame.map(|frame| {
            let channels = frame.len_of(ndarray::Axis(0)) as f32;
            frame.sum_axis(ndarray::Axis(0)).mapv_into(|sum| sum / channels / white)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::npy::NpyWriter;
    use ndarray::{Array3, Axis};

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
            // Names that are in order by their numbers only, and colours that are grey.
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
        for (path, rate, frames) in
            [(pngs.clone(), None, Some(6)), (path("a.gif"), Some(25.0), None), (path("a.npy"), None, Some(6))]
        {
            assert!(is_movie(&path).expect("it is there"), "{}", path.display());
            let movie = open(&path).expect("a movie");
            assert_eq!((movie.rate(), movie.frames(), movie.shape()), (rate, frames, Shape::new(1, 4, 6)));
            let frames: Vec<_> = movie.collect::<Result<_>>().expect("whole");
            assert_eq!(frames.len(), 6, "{}", path.display());
            for (t, frame) in frames.iter().enumerate() {
                for (found, expected) in frame.iter().zip(bar(t)) {
                    // Three roundings of weights that sum up to 1.
                    assert!((found - f32::from(expected) / 255.0).abs() < 1e-6, "{}, frame {t}", path.display());
                }
            }
        }
        // A frame of another size, and one that is none.
        write_png(&pngs.join("frame99.png"), ::png::ColorType::Rgb, &[0; 72]);
        std::fs::write(pngs.join("frame100.png"), b"none").expect("written");
        let mut movie = open(&pngs).expect("a movie").skip(7);
        assert!(movie.next().is_some_and(|frame| frame.is_err()), "frame100 is no PNG");
        assert!(open(folder.path()).is_err(), "no PNG in the folder");
    }

    #[test]
    fn whole_numbers_and_channels_of_an_array() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.npy");
        let samples = ndarray::Array5::from_shape_fn((1, 2, 3, 4, 5), |(_, c, t, row, col)| {
            (100 * c + 20 * t + 4 * row + col) as u8
        });
        ndarray_npy::write_npy(&path, &samples).expect("written");
        let mut movie = open(&path).expect("a movie");
        let frame = movie.next_frame().expect("read").expect("a frame").to_owned();
        assert_eq!(frame, samples.slice(ndarray::s![0, .., 0, .., ..]).mapv(f32::from));
        let luminance = movie.next().expect("the next").expect("read");
        let expected =
            samples.slice(ndarray::s![0, .., 1, .., ..]).mapv(f32::from).mean_axis(Axis(0)).expect("channels") / 255.0;
        assert!(luminance.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{luminance}");
        assert_eq!(crate::npy::read_movie(&path).expect("whole"), samples.mapv(f32::from));
    }
}
