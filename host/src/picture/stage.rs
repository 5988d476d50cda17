//! An even selection, of bounded size, of the frames of one stage of a model.

use super::canvas::shrink;
use super::color::{Map, Scale};
use crate::Error;
use crate::samples::in_range;
use ndarray::{Array2, ArrayView2, ArrayView5, s};

/// What one stage of a model did: some of its frames, evenly chosen, with a name and colours.
///
/// Frames come one by one, from however long a recording; when [`keep`](Self::keep) of them are there, every other
/// one is forgotten and from then on every other one is taken, and so on. Large frames are averaged down to
/// [`side`](Self::side) pixels first. So a stage holds at most `keep * side * side` samples.
///
/// ```
/// use foveola::picture::Stage;
///
/// let mut stage = Stage::new("output").keep(8);
/// for t in 0..1000 {
///     stage.push(t as f64 * 1e-3, ndarray::Array2::zeros((4, 4)).view())?;
/// }
/// assert_eq!(stage.len(), 8); // every 128th
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    name: String,
    keep: usize,
    side: usize,
    map: Option<Map>,
    range: Option<(f32, f32)>,
    stride: u64,
    seen: u64,
    /// Rows and columns of the last frame, before it was averaged.
    geometry: (usize, usize),
    frames: Vec<(f64, Array2<f32>)>,
}

impl Stage {
    /// A stage without frames, of which 96 are kept, of up to 320 x 320 pixels.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            keep: 96,
            side: 320,
            map: None,
            range: None,
            stride: 1,
            seen: 0,
            geometry: (0, 0),
            frames: Vec::new(),
        }
    }

    /// Keeps at most `frames` frames, at least 2. Takes effect with the next frame.
    #[must_use]
    pub fn keep(mut self, frames: usize) -> Self {
        self.keep = frames.max(2);
        self
    }

    /// Averages frames that have more than `pixels` rows or columns. Takes effect with the next frame.
    #[must_use]
    pub fn side(mut self, pixels: usize) -> Self {
        self.side = pixels.max(1);
        self
    }

    /// Colours; without it, [`Map::Polar`] where the range goes below 0, else [`Map::Ember`].
    #[must_use]
    pub fn map(mut self, map: Map) -> Self {
        self.map = Some(map);
        self
    }

    /// Values of the first and the last colour; without it, a range that fits the frames: symmetric about 0 where
    /// there are negative values.
    #[must_use]
    pub fn range(mut self, low: f32, high: f32) -> Self {
        self.range = Some((low, high));
        self
    }

    /// All frames of the first batch and channel of an array of shape `(batch, channel, time, row, col)`, `dt` seconds
    /// apart.
    ///
    /// # Errors
    /// [`Error::Parameter`] where the frames are empty or `dt` is not a finite number.
    pub fn extend(&mut self, movie: &ArrayView5<'_, f32>, dt: f64) -> Result<(), Error> {
        if movie.shape()[0] > 0 && movie.shape()[1] > 0 {
            let frames = movie.slice(s![0, 0, .., .., ..]);
            let start = self.seen;
            for (t, frame) in frames.outer_iter().enumerate() {
                self.push((start + t as u64) as f64 * dt, frame)?;
            }
        }
        Ok(())
    }

    /// The next frame, at `time` in seconds, rows x columns.
    ///
    /// # Errors
    /// [`Error::Parameter`] where the frame has no pixel or the time is not finite; the stage is then unchanged.
    pub fn push(&mut self, time: f64, frame: ArrayView2<'_, f32>) -> Result<(), Error> {
        let (rows, cols) = frame.dim();
        in_range("stage", "frame", format!("{rows} x {cols}"), !frame.is_empty(), "at least 1 x 1 pixel")?;
        in_range("stage", "time", time, time.is_finite(), "a finite number of seconds")?;
        while self.frames.len() >= self.keep && self.seen.is_multiple_of(self.stride) {
            let mut index = 0;
            self.frames.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.stride = self.stride.saturating_mul(2);
        }
        if self.seen.is_multiple_of(self.stride) {
            self.geometry = (rows, cols);
            self.frames.push((time, shrink(&frame, rows.max(cols).div_ceil(self.side))));
        }
        self.seen += 1;
        Ok(())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of frames that are kept.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there is no frame.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Rows and columns of a frame as it came.
    pub(super) fn geometry(&self) -> (usize, usize) {
        self.geometry
    }

    /// Rows and columns of the largest kept frame.
    pub(super) fn size(&self) -> (usize, usize) {
        self.frames.iter().fold((0, 0), |(rows, cols), (_, frame)| (rows.max(frame.nrows()), cols.max(frame.ncols())))
    }

    /// The kept frames with their times.
    pub(super) fn frames(&self) -> &[(f64, Array2<f32>)] {
        &self.frames
    }

    /// The kept frame next to a time.
    pub(super) fn at(&self, time: f64) -> Option<&(f64, Array2<f32>)> {
        self.frames.iter().min_by(|a, b| (a.0 - time).abs().total_cmp(&(b.0 - time).abs()))
    }

    /// The scale for some of its frames.
    pub(super) fn scale<'a>(&self, frames: impl Iterator<Item = ArrayView2<'a, f32>> + Clone) -> Result<Scale, Error> {
        check_range(self.range)?;
        Ok(Scale::of(frames, self.map, self.range))
    }
}

/// Refuses a range that is empty, upside down or not finite.
pub(super) fn check_range(range: Option<(f32, f32)>) -> Result<(), Error> {
    let Some((low, high)) = range else { return Ok(()) };
    let good = low.is_finite() && high.is_finite() && low < high;
    in_range("stage", "range", format!("{low} to {high}"), good, "two finite numbers, the lower one first")
}

/// Times in the middle of `count` equal parts of what the fullest stage has seen.
pub(super) fn even_times(stages: &[Stage], count: usize) -> Vec<f64> {
    let Some(fullest) = stages.iter().max_by_key(|stage| stage.len()) else { return Vec::new() };
    let frames = fullest.frames();
    let count = count.min(frames.len());
    (0..count).map(|index| frames[(2 * index + 1) * frames.len() / (2 * count)].0).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A file name of its own, whose file goes with it.
    pub(in crate::picture) struct Scratch(PathBuf);

    impl Scratch {
        pub(in crate::picture) fn new(extension: &str) -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            Self(std::env::temp_dir().join(format!("foveola-{}-{count}.{extension}", std::process::id())))
        }

        pub(in crate::picture) fn path(&self) -> &Path {
            &self.0
        }

        /// Width, height and pixels of a PNG.
        pub(in crate::picture) fn png(&self) -> (usize, usize, Vec<u8>) {
            let file = std::fs::File::open(&self.0).expect("a file");
            let mut reader = png::Decoder::new(std::io::BufReader::new(file)).read_info().expect("a PNG");
            let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
            let info = reader.next_frame(&mut pixels).expect("pixels");
            (info.width as usize, info.height as usize, pixels)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            drop(std::fs::remove_file(&self.0));
        }
    }

    /// A stage of `frames` x `rows` x `cols`, a millisecond a frame.
    pub(in crate::picture) fn stage_of(
        name: &str,
        (frames, rows, cols): (usize, usize, usize),
        value: impl Fn(usize, usize, usize) -> f32,
    ) -> Stage {
        let mut stage = Stage::new(name);
        for t in 0..frames {
            let frame = Array2::from_shape_fn((rows, cols), |(row, col)| value(t, row, col));
            stage.push(t as f64 * 1e-3, frame.view()).expect("good");
        }
        stage
    }

    #[test]
    fn the_selection_stays_even() {
        for keep in [2, 3, 8, 96] {
            for count in [1, 2, 3, 7, 100, 1000] {
                let mut stage = Stage::new("s").keep(keep);
                for t in 0..count {
                    stage.push(f64::from(t), Array2::zeros((1, 1)).view()).expect("good");
                }
                let times: Vec<f64> = stage.frames().iter().map(|(time, _)| *time).collect();
                assert!(times.len() <= keep && times.len() * 2 + 1 >= keep.min(count as usize), "{times:?}");
                assert_eq!(times[0], 0.0, "from the beginning");
                let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
                assert!(gaps.windows(2).all(|pair| pair[0] == pair[1]), "evenly: {times:?}");
            }
        }
    }

    #[test]
    fn large_frames_are_averaged() {
        let mut stage = Stage::new("s").side(100);
        stage.push(0.0, Array2::from_elem((480, 640), 2.0).view()).expect("good");
        assert_eq!((stage.size(), stage.geometry()), ((69, 92), (480, 640)), "by 7");
        assert!(stage.frames()[0].1.iter().all(|&value| value == 2.0), "the mean");
    }

    #[test]
    fn times_lie_inside() {
        let mut stage = Stage::new("s");
        stage.extend(&ndarray::Array5::zeros((1, 1, 12, 2, 2)).view(), 1.0).expect("good");
        assert_eq!(even_times(&[stage.clone()], 3), [2.0, 6.0, 10.0], "middles of thirds");
        assert_eq!(even_times(&[stage.clone()], 99).len(), 12, "no frame twice");
        assert_eq!(stage.at(3.4).map(|(time, _)| *time), Some(3.0), "the nearest");
        assert!(even_times(&[], 3).is_empty(), "no stage, no time");
    }

    #[test]
    fn bad_frames_leave_the_stage_unchanged() {
        let mut stage = Stage::new("s");
        assert!(stage.push(0.0, Array2::zeros((0, 3)).view()).is_err(), "no pixel");
        assert!(stage.push(f64::NAN, Array2::zeros((1, 3)).view()).is_err(), "no time");
        assert!(stage.is_empty(), "unchanged");
        for (low, high) in [(1.0, 1.0), (2.0, 1.0), (f32::NAN, 1.0), (0.0, f32::INFINITY)] {
            let stage = Stage::new("s").range(low, high);
            assert!(stage.scale(core::iter::empty()).is_err(), "{low} to {high}");
        }
    }
}
