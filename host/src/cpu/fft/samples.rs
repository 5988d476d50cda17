//! Samples aligned to a cache line, so that no vector straddles two lines.

use crate::{Result, memory};
use std::ops::{Deref, DerefMut};

/// Samples per cache line.
const LINE: usize = 16;

/// Zeros aligned to a cache line: storage for spectra and buffers. An AVX-512 vector that straddles two lines costs two
/// loads.
#[derive(Debug, Default)]
pub struct Samples {
    data: Vec<f32>,
    start: usize,
    len: usize,
}

impl Samples {
    /// `len` zeros, for the purpose `what`.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory) when they do not fit into memory.
    pub fn zeros(what: &'static str, len: usize) -> Result<Self> {
        let data = memory::zeros(what, len.saturating_add(LINE))?;
        let start = data.as_ptr().align_offset(4 * LINE).min(LINE);
        Ok(Self { data, start, len })
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
