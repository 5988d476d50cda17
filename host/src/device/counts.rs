//! Event counts as a list, while it is shorter than the frames: sent to a device instead of mostly zeros.
//!
//! ```text
//! [sample in the chunk, what it adds], in order of the frames
//! ```
//! An entry takes as much memory as two samples. So a frame in which more than half of the samples are counted turns its
//! chunk into dense frames; entries of the same sample are summed first. Memory: at most that of the dense frames and one
//! more frame.

use crate::{Error, Result};

/// The counts of a chunk.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Samples of a frame.
    len: usize,
    list: Vec<[u32; 2]>,
    /// The current frame, and the start of its entries.
    frame: usize,
    begin: usize,
    /// The frames, once they are shorter than the list.
    dense: Option<Vec<f32>>,
    /// Samples for which there was no memory.
    missing: Option<usize>,
}

/// The counts of a chunk.
#[derive(Debug, PartialEq)]
pub(crate) enum Counted<'c> {
    /// For each event, or sum of several, its sample and the increment, an `i32`.
    List(&'c [[u32; 2]]),
    /// The frames, concatenated.
    Dense(&'c [f32]),
}

impl Counts {
    /// Begins a chunk with frames of `len` samples.
    pub(crate) fn begin(&mut self, len: usize) {
        let list = std::mem::take(&mut self.list);
        *self = Self { len, list, ..Self::default() };
        self.list.clear();
    }

    /// Adds `step` to a sample of a frame: the current or a later one. Samples of a chunk are numbered with 32 bits.
    pub(crate) fn add(&mut self, frame: usize, sample: usize, step: i8) {
        if self.dense.is_none() {
            if frame != self.frame {
                self.close();
                (self.frame, self.begin) = (frame, self.list.len());
            } else if self.list.len() - self.begin >= self.len {
                self.close();
            }
        }
        let at = frame * self.len + sample;
        if self.dense.is_some() {
            self.add_dense(at, f32::from(step));
        } else if self.list.try_reserve(1).is_ok() {
            self.list.push([at as u32, i32::from(step) as u32]);
        } else {
            self.missing = Some(self.list.len());
        }
    }

    fn add_dense(&mut self, at: usize, step: f32) {
        let Some(frames) = &mut self.dense else { return };
        if frames.len() <= at {
            let samples = (at / self.len + 1) * self.len;
            if frames.try_reserve(samples - frames.len()).is_err() {
                self.missing = Some(samples);
                return;
            }
            frames.resize(samples, 0.0);
        }
        frames[at] += step;
    }

    /// Sums the entries of the same samples in the frame, and switches to dense frames if they are shorter.
    fn close(&mut self) {
        let most = self.len / 2;
        if self.list.len() - self.begin <= most {
            return;
        }
        let entries = &mut self.list[self.begin..];
        entries.sort_unstable_by_key(|[sample, _]| *sample);
        let mut kept = 0;
        for i in 0..entries.len() {
            if kept > 0 && entries[kept - 1][0] == entries[i][0] {
                entries[kept - 1][1] = entries[kept - 1][1].wrapping_add(entries[i][1]);
            } else {
                entries[kept] = entries[i];
                kept += 1;
            }
        }
        self.list.truncate(self.begin + kept);
        if kept > most {
            self.dense = Some(Vec::new());
            for [sample, step] in std::mem::take(&mut self.list) {
                self.add_dense(sample as usize, step.cast_signed() as f32);
            }
        }
    }

    /// The first `frames` frames; counts after them are discarded.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub(crate) fn finish(&mut self, frames: usize) -> Result<Counted<'_>> {
        let samples = frames * self.len;
        if self.dense.is_none() {
            let whole = self.list.partition_point(|[sample, _]| (*sample as usize) < samples);
            self.list.truncate(whole);
            self.begin = self.begin.min(whole);
            self.close();
        }
        if let Some(dense) = &mut self.dense {
            match dense.try_reserve(samples.saturating_sub(dense.len())) {
                Ok(()) => dense.resize(samples, 0.0),
                Err(_) => self.missing = Some(samples),
            }
        }
        match (self.missing, &self.dense) {
            (Some(samples), _) => Err(Error::Memory { what: "a piece of events", samples }),
            (None, Some(dense)) => Ok(Counted::Dense(dense)),
            (None, None) => Ok(Counted::List(&self.list)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frames(counted: &Counted<'_>, samples: usize) -> Vec<f32> {
        match counted {
            Counted::Dense(frames) => frames.to_vec(),
            Counted::List(list) => {
                let mut frames = vec![0.0; samples];
                list.iter().for_each(|[sample, step]| frames[*sample as usize] += step.cast_signed() as f32);
                frames
            }
        }
    }

    #[test]
    fn the_shorter_way_is_gone() {
        let mut counts = Counts::default();
        counts.begin(8);
        (0..1000).for_each(|i| counts.add(i / 500, i % 4, 1));
        assert!(matches!(counts.finish(2), Ok(Counted::List(list)) if list.len() <= 16), "4 of 8 samples");
        counts.begin(8);
        (0..1000).for_each(|i| counts.add(i / 500, i % 5, 1));
        assert!(matches!(counts.finish(3), Ok(Counted::Dense(frames)) if frames.len() == 24), "5 of 8 samples");
        counts.begin(8);
        assert_eq!(counts.finish(3).expect("memory"), Counted::List(&[]), "nothing of the piece before");
    }

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        /// In either form, the frames are the counts, the list is in frame order, and it is not longer than the frames.
        #[test]
        fn counts_are_those_of_frames(
            len in 1_usize..12, most in 1_usize..12, made in 0_usize..5,
            mut events in prop::collection::vec((0_usize..5, 0_usize..12, any::<bool>()), 0..80),
        ) {
            events.sort_by_key(|(frame, ..)| *frame);
            let mut counts = Counts::default();
            counts.begin(len);
            let mut expected = vec![0.0_f32; 5 * len];
            for (frame, sample, on) in events {
                let (sample, step) = (sample % len.min(most), if on { 1 } else { -1 });
                counts.add(frame, sample, step);
                expected[frame * len + sample] += f32::from(step);
            }
            let counted = counts.finish(made).expect("memory");
            prop_assert_eq!(frames(&counted, made * len), &expected[..made * len]);
            if let Counted::List(list) = counted {
                prop_assert!(list.iter().is_sorted_by_key(|[sample, _]| *sample as usize / len));
                for frame in 0..made {
                    let of = list.iter().filter(|[sample, _]| *sample as usize / len == frame).count();
                    prop_assert!(2 * of <= len, "{} entries in a frame of {} samples", of, len);
                }
            }
        }
    }
}
