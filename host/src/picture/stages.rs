//! The frames of a model's stages that are kept for pictures, in bounded memory.
//!
//! Two selections are kept, with the same times in all stages. For animations, every `2^k`-th frame: when there are too
//! many, every other one is discarded. For contact sheets, the most active frame of each of up to 16 sections of equal
//! length: when there are more, two neighbouring sections are merged and the more active frame is kept. The last stage
//! determines the activity of a frame: the squared distance of its samples from their means so far.

use super::activity::{Activity, PixelActivity};
use super::color::Scale;
use super::shrink::shrink;
use super::stage::Stage;
use crate::Error;
use crate::error::in_range;
use ndarray::{Array2, ArrayView3, ArrayView5, Axis, s};

/// The largest number of frames for an animation, and the largest number of rows and columns of each.
const KEEP: usize = 64;
const PANEL: usize = 288;
/// The largest number of frames for a contact sheet, and the largest number of rows and columns of each.
const COLUMNS: usize = 16;
const CELL: usize = 400;
/// The largest number of displayed channels per stage.
const CHANNELS: usize = 4;

/// The activity of a model's stages: some of their frames, and the most variable pixel of the last stage.
///
/// Frames arrive one by one or in chunks, from a recording of any length, and memory is bounded: 64 frames of each channel
/// for an animation, of up to 288 x 288 pixels, 16 for a contact sheet, of up to 400 x 400, and two numbers per pixel of the
/// last stage. Of more than four channels, the first four are kept.
///
/// ```
/// use foveola::picture::{Stage, Stages};
/// use ndarray::Array3;
///
/// let mut stages = Stages::new([Stage::new("input"), Stage::new("output")]);
/// for t in 0..1000 {
///     let input = Array3::from_shape_fn((1, 4, 4), |(_, row, col)| if (t, row, col) == (700, 2, 3) { 1.0 } else { 0.0 });
///     let output = 0.5 * &input;
///     stages.push(t as f64 * 1e-3, &[input.view(), output.view()])?;
/// }
/// assert_eq!(stages.len(), 63); // every 16th
/// let most = stages.most_variable().unwrap();
/// assert_eq!((most.row, most.col), (2, 3));
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Stages {
    stages: Vec<Stage>,
    /// One per channel of each stage, from the first frame on.
    rows: Vec<Row>,
    activity: Activity,
    keep: usize,
    /// Number of frames so far, and the step between frames kept for animations.
    seen: u64,
    stride: u64,
    times: Vec<f64>,
    columns: Vec<Column>,
    /// Frames per section, and those of the last section so far.
    stretch: u64,
    begun: u64,
}

/// A channel of a stage.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) stage: usize,
    channel: usize,
    /// Channels of the stage, some of which may not be displayed.
    channels: usize,
    pub(super) name: String,
    /// Rows and columns of the original frames.
    pub(super) size: (usize, usize),
    /// Frames for animations.
    pub(super) frames: Vec<Array2<f32>>,
}

/// A column of a contact sheet: the most active frame of a section.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) time: f64,
    activity: f64,
    /// One frame per row.
    pub(super) frames: Vec<Array2<f32>>,
}

const ITEM: &str = "stages";

impl Stages {
    /// The stages in display order; the last one determines which frames are shown.
    pub fn new(stages: impl IntoIterator<Item = Stage>) -> Self {
        Self {
            stages: stages.into_iter().collect(),
            rows: Vec::new(),
            activity: Activity::default(),
            keep: KEEP,
            seen: 0,
            stride: 1,
            times: Vec::new(),
            columns: Vec::new(),
            stretch: 1,
            begun: 0,
        }
    }

    /// Keeps at most `frames` frames for animations, at least 2, instead of 64.
    #[must_use]
    pub fn keep(mut self, frames: usize) -> Self {
        self.keep = frames.max(2);
        self
    }

    /// Adds the next frame of each stage, `(channel, row, column)`, at `time` in seconds.
    ///
    /// # Errors
    /// As for [`Stages::extend`].
    pub fn push(&mut self, time: f64, frames: &[ArrayView3<'_, f32>]) -> Result<(), Error> {
        let movies: Vec<_> =
            frames.iter().map(|frame| frame.view().insert_axis(Axis(1)).insert_axis(Axis(0))).collect();
        self.extend(time, 0.0, &movies)
    }

    /// Adds the next frames of each stage, `(batch, channel, time, row, column)`; only the first batch is used. The first
    /// frame is at `start` seconds, and successive frames are `dt` seconds apart.
    ///
    /// # Errors
    /// [`Error::Parameter`] where there is not one movie per stage, they have different numbers of frames, a frame is empty
    /// or differs in shape from the first, or a time is not a finite number. The stages are then unchanged.
    pub fn extend(&mut self, start: f64, dt: f64, movies: &[ArrayView5<'_, f32>]) -> Result<(), Error> {
        in_range(ITEM, "movies", movies.len(), movies.len() == self.stages.len(), "one for each stage")?;
        let Some(last) = movies.last() else { return Ok(()) };
        let count = last.dim().2;
        let end = start + dt * count as f64;
        in_range(ITEM, "time", end, start.is_finite() && end.is_finite(), "a finite number of seconds")?;
        for (stage, movie) in movies.iter().enumerate() {
            let (batch, channels, frames, rows, cols) = movie.dim();
            in_range(ITEM, "frames", frames, frames == count, "as many of each stage")?;
            let shape = format!("{channels} x {rows} x {cols}");
            let whole = batch * channels * rows * cols > 0;
            in_range(ITEM, "frame", &shape, whole, "at least 1 channel of 1 x 1 pixel")?;
            let first = self.rows.iter().find(|row| row.stage == stage);
            let same = first.is_none_or(|row| (row.channels, row.size) == (channels, (rows, cols)));
            in_range(ITEM, "frame", &shape, same, "channels, rows and columns of the first frame")?;
        }
        if self.rows.is_empty() {
            for (index, (stage, movie)) in self.stages.iter().zip(movies).enumerate() {
                let (_, channels, _, rows, cols) = movie.dim();
                self.rows.extend((0..channels.min(CHANNELS)).map(|channel| Row {
                    stage: index,
                    channel,
                    channels,
                    name: stage.channel(channel, channels, CHANNELS),
                    size: (rows, cols),
                    frames: Vec::new(),
                }));
            }
        }

        let time = |t: usize| start + t as f64 * dt;
        for t in 0..count {
            if (self.seen + t as u64).is_multiple_of(self.stride) {
                self.keep_frame(t, time(t), movies);
            }
        }
        let activity = self.activity.push(&last.index_axis(Axis(0), 0));
        self.choose_columns(&activity, time, movies);
        self.seen += count as u64;
        Ok(())
    }

    /// Keeps a frame for animations, if it is due.
    fn keep_frame(&mut self, t: usize, time: f64, movies: &[ArrayView5<'_, f32>]) {
        let number = self.seen + t as u64;
        while self.times.len() >= self.keep && number.is_multiple_of(self.stride) {
            self.times = self.times.iter().copied().step_by(2).collect();
            for row in &mut self.rows {
                row.frames = std::mem::take(&mut row.frames).into_iter().step_by(2).collect();
            }
            self.stride = self.stride.saturating_mul(2);
        }
        if number.is_multiple_of(self.stride) {
            self.times.push(time);
            for index in 0..self.rows.len() {
                let frame = self.frame(index, t, movies, PANEL);
                self.rows[index].frames.push(frame);
            }
        }
    }

    /// Keeps the most active frames of the sections for contact sheets.
    fn choose_columns(&mut self, activity: &[f64], time: impl Fn(usize) -> f64, movies: &[ArrayView5<'_, f32>]) {
        let mut from = 0;
        while from < activity.len() {
            if self.begun == 0 && self.columns.len() == COLUMNS {
                let mut rest = std::mem::take(&mut self.columns).into_iter();
                while let Some(first) = rest.next() {
                    let second = rest.next().filter(|second| second.activity > first.activity);
                    self.columns.push(second.unwrap_or(first));
                }
                self.stretch = self.stretch.saturating_mul(2);
            }
            let left = usize::try_from(self.stretch - self.begun).unwrap_or(usize::MAX);
            let to = from.saturating_add(left).min(activity.len());
            let most = (from..to).fold(from, |most, t| if activity[t] > activity[most] { t } else { most });
            let open = (self.begun > 0).then(|| self.columns.pop()).flatten();
            self.columns.push(match open {
                Some(column) if activity[most] <= column.activity => column,
                _ => Column {
                    time: time(most),
                    activity: activity[most],
                    frames: (0..self.rows.len()).map(|row| self.frame(row, most, movies, CELL)).collect(),
                },
            });
            self.begun = (self.begun + (to - from) as u64) % self.stretch;
            from = to;
        }
    }

    /// A frame of a row, of up to `side` rows and columns.
    fn frame(&self, row: usize, t: usize, movies: &[ArrayView5<'_, f32>], side: usize) -> Array2<f32> {
        let row = &self.rows[row];
        let frame = movies[row.stage].slice(s![0, row.channel, t, .., ..]);
        shrink(&frame, row.size.0.max(row.size.1).div_ceil(side), self.stages[row.stage].shrinking())
    }

    /// Number of frames kept for animations.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is no frame.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The pixel of the last stage whose samples vary most over time (the first of several); none before the first frame.
    pub fn most_variable(&self) -> Option<PixelActivity> {
        self.activity.most_variable()
    }

    /// The stages and their channels.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&Stage, &Row)> + Clone {
        self.rows.iter().map(|row| (&self.stages[row.stage], row))
    }

    /// Times of the frames kept for animations.
    pub(super) fn times(&self) -> &[f64] {
        &self.times
    }

    /// At most `count` columns of a contact sheet: the recording is divided into `count` parts, and the most active column
    /// of each is used. A part whose activity is below a tenth of the largest is replaced by the most active remaining
    /// column.
    pub(super) fn columns(&self, count: usize) -> Vec<&Column> {
        let all = self.columns.len();
        let count = count.min(all);
        let more = |a: &usize, b: &usize| self.columns[*b].activity.total_cmp(&self.columns[*a].activity);
        let mut parts: Vec<Vec<usize>> =
            (0..count).map(|part| (part * all / count..(part + 1) * all / count).collect()).collect();
        parts.iter_mut().for_each(|part| part.sort_by(more));
        let most = self.columns.iter().map(|column| column.activity).fold(0.0, f64::max);
        let is_lively = |column: &usize| 10.0 * self.columns[*column].activity >= most;
        let mut chosen: Vec<usize> = parts.iter().map(|part| part[0]).filter(is_lively).collect();
        let mut rest: Vec<usize> = (0..all).filter(|column| !chosen.contains(column)).collect();
        rest.sort_by(more);
        chosen.extend(rest.into_iter().take(count - chosen.len()));
        chosen.sort_unstable();
        chosen.into_iter().map(|column| &self.columns[column]).collect()
    }

    /// The largest possible number of columns.
    pub(super) fn column_count(&self) -> usize {
        self.columns.len()
    }

    /// The scale of each stage, over all its kept frames.
    pub(super) fn scales(&self) -> Result<Vec<Scale>, Error> {
        let scale = |(index, stage): (usize, &Stage)| {
            let of_stage = |row: &usize| self.rows[*row].stage == index;
            let rows = (0..self.rows.len()).filter(of_stage);
            let kept = rows.clone().flat_map(|row| &self.rows[row].frames);
            let columns = self.columns.iter().flat_map(|column| rows.clone().map(|row| &column.frames[row]));
            let frames = kept.chain(columns).map(|frame| frame.view());
            stage.scale(frames)
        };
        self.stages.iter().enumerate().map(scale).collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::picture::shrink::Shrink;
    use ndarray::Array5;
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A unique file name. The file is deleted on drop.
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

    /// Stages of `frames` x `rows` x `cols` each, at a millisecond per frame.
    pub(in crate::picture) fn stages_of<F: Fn(usize, usize, usize) -> f32>(
        frames: usize,
        stages: impl IntoIterator<Item = (Stage, (usize, usize), F)>,
    ) -> Stages {
        let (stages, movies): (Vec<_>, Vec<_>) = stages
            .into_iter()
            .map(|(stage, (rows, cols), value)| {
                let sample = |(_, _, t, row, col): (usize, usize, usize, usize, usize)| value(t, row, col);
                (stage, Array5::from_shape_fn((1, 1, frames, rows, cols), sample))
            })
            .unzip();
        let mut stages = Stages::new(stages);
        let movies: Vec<_> = movies.iter().map(|movie| movie.view()).collect();
        stages.extend(0.0, 1e-3, &movies).expect("good");
        stages
    }

    /// One of them.
    pub(in crate::picture) fn stage_of(
        stage: Stage,
        (frames, rows, cols): (usize, usize, usize),
        value: impl Fn(usize, usize, usize) -> f32,
    ) -> Stages {
        stages_of(frames, [(stage, (rows, cols), value)])
    }

    #[test]
    fn the_selection_of_animations_stays_even() {
        for keep in [2, 3, 8, 96] {
            for (count, chunk) in [(1, 1), (2, 1), (3, 2), (7, 7), (100, 30), (1000, 1), (1000, 999)] {
                let mut stages = Stages::new([Stage::new("s")]).keep(keep);
                for start in (0..count).step_by(chunk) {
                    let movie = Array5::zeros((1, 1, chunk.min(count - start), 1, 1));
                    stages.extend(start as f64, 1.0, &[movie.view()]).expect("good");
                }
                let times = stages.times();
                assert!(times.len() <= keep && times.len() * 2 + 1 >= keep.min(count), "{times:?}");
                assert_eq!((times[0], stages.rows[0].frames.len()), (0.0, times.len()), "from the beginning");
                let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
                assert!(gaps.windows(2).all(|pair| pair[0] == pair[1]), "evenly: {times:?}");
            }
        }
    }

    /// Flashes of one frame each, far apart: each is the column of its part of the recording, for any chunking.
    #[test]
    fn columns_show_where_something_happens() {
        let flashes = [37, 950, 1500, 2345, 2990, 3700];
        let value = |t: usize| if flashes.contains(&t) { 1.0 } else { 0.0 };
        for chunk in [1, 64, 100, 4000] {
            let mut stages = Stages::new([Stage::new("input"), Stage::new("output")]);
            for start in (0..4000).step_by(chunk) {
                let frames = chunk.min(4000 - start);
                let movie =
                    Array5::from_shape_fn((1, 1, frames, 3, 2), |(_, _, t, row, _)| value(start + t) * row as f32);
                stages.extend(start as f64, 1.0, &[(&movie + 5.0).view(), movie.view()]).expect("good");
            }
            let columns = stages.columns(6);
            let times: Vec<f64> = columns.iter().map(|column| column.time).collect();
            assert_eq!(times, flashes.map(|t| t as f64), "in chunks of {chunk}");
            assert!(columns.iter().all(|column| column.frames[0][[2, 1]] == 7.0), "the same time in all stages");
            assert!(stages.columns.len() <= COLUMNS && stages.columns(99).len() == stages.columns.len());
        }
        let still = stage_of(Stage::new("s"), (12, 2, 2), |_, _, _| 1.0);
        let times: Vec<f64> = still.columns(3).iter().map(|column| column.time).collect();
        assert_eq!(times, [0.0, 0.004, 0.008], "where nothing happens, evenly");
        let late = stage_of(Stage::new("s"), (160, 2, 2), |t, _, _| if t >= 140 { t as f32 } else { 0.0 });
        let times: Vec<f64> = late.columns(4).iter().map(|column| (1e3 * column.time).round()).collect();
        assert_eq!(times[2..], [143.0, 159.0], "both of the lively stretches, though they are in one of four parts");
    }

    #[test]
    fn large_frames_become_smaller_and_events_stay() {
        let event = |_: usize, row: usize, col: usize| if (row, col) == (300, 600) { -3.0 } else { 0.0 };
        let stages = stage_of(Stage::new("s"), (2, 480, 640), event);
        let (_, row) = stages.rows().next().expect("a row");
        let (panel, cell) = (&row.frames[0], &stages.columns(1)[0].frames[0]);
        assert_eq!((panel.dim(), cell.dim(), row.size), ((160, 214), (240, 320), (480, 640)));
        assert_eq!((panel[[100, 200]], cell[[150, 300]]), (-3.0, -3.0));
        let mean = stage_of(Stage::new("s").shrink(Shrink::Mean), (2, 480, 640), event);
        assert_eq!(mean.columns(1)[0].frames[0][[150, 300]], -0.75);
    }

    #[test]
    fn channels_are_rows_with_names() {
        let movie = Array5::from_shape_fn((1, 6, 3, 2, 2), |(_, channel, ..)| channel as f32);
        let split = movie.slice(s![.., ..2, .., .., ..]);
        let mut stages = Stages::new([Stage::new("input").channels(["ON", "OFF"]), Stage::new("out")]);
        stages.extend(0.0, 1.0, &[split, movie.view()]).expect("good");
        let names: Vec<_> = stages.rows().map(|(_, row)| &row.name[..]).collect();
        assert_eq!(
            names,
            ["input ON", "input OFF", "out 0 of 6", "out 1 of 6", "out 2 of 6", "out 3 of 6"],
            "four at most"
        );
        let ends = |stage: usize| stages.scales().expect("good")[stage].high;
        assert_eq!((ends(0), ends(1)), (1.0, 3.0), "one scale for the channels of a stage");
    }

    #[test]
    fn bad_frames_leave_the_stages_unchanged() {
        let movie = |shape| Array5::<f32>::zeros(shape);
        let good = movie((1, 1, 2, 3, 3));
        let mut stages = Stages::new([Stage::new("a"), Stage::new("b")]);
        stages.extend(0.0, 1.0, &[good.view(), good.view()]).expect("good");
        let empty = movie((1, 1, 2, 0, 3));
        let longer = movie((1, 1, 3, 3, 3));
        let wider = movie((1, 1, 2, 3, 4));
        let split = movie((1, 2, 2, 3, 3));
        for (movies, start, word) in [
            (vec![good.view()], 0.0, "one for each stage"),
            (vec![good.view(), empty.view()], 0.0, "at least 1 channel of 1 x 1 pixel"),
            (vec![longer.view(), good.view()], 0.0, "as many of each stage"),
            (vec![wider.view(), good.view()], 0.0, "of the first frame"),
            (vec![good.view(), split.view()], 0.0, "of the first frame"),
            (vec![good.view(), good.view()], f64::NAN, "a finite number of seconds"),
        ] {
            let error = stages.extend(start, 1.0, &movies).expect_err(word).to_string();
            assert!(error.contains(word), "{error}");
            assert_eq!((stages.len(), stages.seen, stages.column_count()), (2, 2, 2), "unchanged");
        }
        for (low, high) in [(1.0, 1.0), (2.0, 1.0), (f32::NAN, 1.0), (0.0, f32::INFINITY)] {
            let stages = stage_of(Stage::new("s").range(low, high), (1, 1, 1), |_, _, _| 0.0);
            assert!(stages.scales().is_err(), "{low} to {high}");
        }
    }
}
