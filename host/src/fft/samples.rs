//! Samples whose first one lies on a cache line, so that no vector straddles two.

use std::ops::{Deref, DerefMut};

/// Samples of a cache line.
const LINE: usize = 16;

/// Zeros on a cache line: a slice for spectra and buffers. A vector of AVX-512 that straddles two lines costs two loads.
#[derive(Debug, Default)]
pub struct Samples {
    data: Vec<f32>,
    start: usize,
    len: usize,
}

impl Samples {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        let data = vec![0.0; len + LINE];
        let start = data.as_ptr().align_offset(4 * LINE).min(LINE);
        Self { data, start, len }
    }
}

impl Clone for Samples {
    fn clone(&self) -> Self {
        let mut copy = Self::zeros(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

impl Deref for Samples {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.data[self.start..][..self.len]
    }
}

impl DerefMut for Samples {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.data[self.start..][..self.len]
    }
}
