//! A GIF of pages: only the rectangle that changed is written for each page, and only the changed pixels in it.
//!
//! Pages are collected and then encoded on all threads of the machine. The bytes do not depend on the number of threads.
//! Memory: the last page, and up to 16 rectangles.

use super::{io_error, no_picture};
use crate::Error;
use crate::draft::Draft;
use gif::{DisposalMethod, Encoder, EncodingError, Frame, Repeat};
use std::borrow::Cow;
use std::io::BufWriter;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;

/// The largest number of rectangles that wait.
const WAITING: usize = 16;

/// A file that is written page by page.
pub(super) struct GifFile {
    path: PathBuf,
    encoder: Encoder<BufWriter<Draft>>,
    width: usize,
    /// Hundredths of a second per page.
    delay: u16,
    /// The colour index of an unchanged pixel.
    as_before: u8,
    /// The last page; empty before the first.
    page: Vec<u8>,
    waiting: Vec<Frame<'static>>,
}

impl GifFile {
    /// Starts a file that repeats forever, with pages of `width` x `height` pixels.
    pub(super) fn create(
        path: &Path,
        (width, height): (usize, usize),
        palette: &[u8],
        as_before: u8,
        delay: u16,
    ) -> Result<Self, Error> {
        let encoding = |error| encoding_error(path, error);
        let file = Draft::buffered(path).map_err(|source| io_error(path, source))?;
        let mut encoder = Encoder::new(file, width as u16, height as u16, palette).map_err(encoding)?;
        encoder.set_repeat(Repeat::Infinite).map_err(encoding)?;
        Ok(Self { path: path.to_owned(), encoder, width, delay, as_before, page: Vec::new(), waiting: Vec::new() })
    }

    /// Adds a page.
    pub(super) fn push(&mut self, page: &[u8]) -> Result<(), Error> {
        let [left, top, right, bottom] = self.changed(page);
        let mut buffer = Vec::with_capacity((right - left + 1) * (bottom - top + 1));
        for y in top..=bottom {
            let place = y * self.width + left..=y * self.width + right;
            let row = &page[place.clone()];
            match self.page.get(place) {
                Some(old) => {
                    buffer.extend(row.iter().zip(old).map(|(new, old)| if new == old { self.as_before } else { *new }));
                }
                None => buffer.extend_from_slice(row),
            }
        }
        self.waiting.push(Frame {
            delay: self.delay,
            dispose: DisposalMethod::Keep,
            transparent: Some(self.as_before),
            left: left as u16,
            top: top as u16,
            width: (right - left + 1) as u16,
            height: (bottom - top + 1) as u16,
            buffer: Cow::Owned(buffer),
            ..Frame::default()
        });
        self.page.clear();
        self.page.extend_from_slice(page);
        if self.waiting.len() == WAITING { self.write() } else { Ok(()) }
    }

    /// The rectangle that changed: its first column and row, and its last ones. If nothing changed it is one pixel, since
    /// the page still takes time.
    fn changed(&self, page: &[u8]) -> [usize; 4] {
        let (width, height) = (self.width, page.len() / self.width);
        if self.page.is_empty() {
            return [0, 0, width - 1, height - 1];
        }
        let (mut left, mut right, mut top, mut bottom) = (width, 0, height, 0);
        for (y, (row, old)) in page.chunks(width).zip(self.page.chunks(width)).enumerate() {
            if row != old {
                let changed = |&x: &usize| row[x] != old[x];
                left = left.min((0..width).find(changed).unwrap_or(0));
                right = right.max((0..width).rfind(changed).unwrap_or(0));
                (top, bottom) = (top.min(y), bottom.max(y));
            }
        }
        if left > right { [0; 4] } else { [left, top, right, bottom] }
    }

    /// Encodes and writes the waiting rectangles.
    fn write(&mut self) -> Result<(), Error> {
        let threads = thread::available_parallelism().map_or(1, NonZero::get).min(self.waiting.len()).max(1);
        let share = self.waiting.len().div_ceil(threads).max(1);
        thread::scope(|scope| {
            let mut shares = self.waiting.chunks_mut(share);
            let own = shares.next();
            for share in shares {
                scope.spawn(|| share.iter_mut().for_each(Frame::make_lzw_pre_encoded));
            }
            own.into_iter().flatten().for_each(Frame::make_lzw_pre_encoded);
        });
        for frame in self.waiting.drain(..) {
            self.encoder.write_lzw_pre_encoded_frame(&frame).map_err(|error| encoding_error(&self.path, error))?;
        }
        Ok(())
    }

    /// Ends the file.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        self.write()?;
        let file = self.encoder.into_inner().map_err(|error| encoding_error(&self.path, error))?;
        Draft::commit_buffered(file).map_err(|source| io_error(&self.path, source))
    }
}

fn encoding_error(path: &Path, error: EncodingError) -> Error {
    match error {
        EncodingError::Io(source) => io_error(path, source),
        other => no_picture(path, other.to_string()),
    }
}
