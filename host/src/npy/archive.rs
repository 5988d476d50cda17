//! Writing arrays to a `.npz` archive: a ZIP archive of `.npy` files, stored as they are.
//!
//! ```text
//! per array   "PK\3\4", versions, sizes, CRC-32, name ".npy"; the .npy file
//! at the end  "PK\1\2" for each array, with its position; "PK\5\6", their number and position
//! ```
//! Reference: PKWARE, APPNOTE 6.3.10; `NumPy` documentation, `numpy.savez`. An archive of 4 GB or more would need another
//! form and is refused.

use super::header;
use foveola_core::Checksum;
use ndarray::ArrayD;
use std::io::{Error, ErrorKind, Result, Write};

/// An archive, written array by array.
pub(crate) struct ArchiveWriter<W> {
    out: W,
    at: u64,
    directory: Vec<u8>,
    count: u16,
}

impl<W: Write> ArchiveWriter<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, at: 0, directory: Vec::new(), count: 0 }
    }

    /// Adds an array of `f64` in C order.
    pub(crate) fn push(&mut self, name: &str, array: &ArrayD<f64>) -> Result<()> {
        let sides: Vec<String> = array.shape().iter().map(|side| format!("{side},")).collect();
        let shape = format!("({})", sides.join(" "));
        let mut bytes = header::write("'<f8'", &shape, (shape.len() + 128).next_multiple_of(64));
        array.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        let name = format!("{name}.npy");
        let sum = Checksum::new().bytes(&bytes).value();
        let (at, len) = (small(self.at)?, small(bytes.len() as u64)?);
        let name_len = u16::try_from(name.len()).map_err(|_| too_large())?;
        // No compression, and the first date that there is: the same arrays give the same bytes.
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        common.extend([sum, len, len].iter().flat_map(|number| number.to_le_bytes()));
        common.extend(name_len.to_le_bytes());
        common.extend([0, 0]);
        let local = [b"PK\x03\x04", &common[..], name.as_bytes(), &bytes].concat();
        self.out.write_all(&local)?;
        self.at += local.len() as u64;
        // Neither a comment nor attributes.
        let entry = [b"PK\x01\x02\x14\0", &common[..], &[0; 10], &at.to_le_bytes(), name.as_bytes()].concat();
        self.directory.extend(entry);
        self.count = self.count.checked_add(1).ok_or_else(too_large)?;
        Ok(())
    }

    /// Writes the end of the archive.
    pub(crate) fn finish(mut self) -> Result<W> {
        let (size, at) = (small(self.directory.len() as u64)?, small(self.at)?);
        let count = self.count.to_le_bytes();
        let end = [b"PK\x05\x06\0\0\0\0", &count[..], &count, &size.to_le_bytes(), &at.to_le_bytes(), &[0, 0]].concat();
        self.out.write_all(&self.directory)?;
        self.out.write_all(&end)?;
        Ok(self.out)
    }
}

fn small(number: u64) -> Result<u32> {
    u32::try_from(number).ok().filter(|number| *number < u32::MAX).ok_or_else(too_large)
}

fn too_large() -> Error {
    Error::new(ErrorKind::InvalidInput, "an archive of 4 GB or 65,536 arrays; expected less")
}
