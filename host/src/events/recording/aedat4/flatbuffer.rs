//! The part of `FlatBuffers` that AEDAT 4 needs: a vector or a string in a table. Every offset is checked.
//!
//! ```text
//! u32 offset of the root table, 4 bytes identifier, ...
//! table:  i32 distance back to its vtable, fields
//! vtable: u16 its bytes, u16 bytes of the table, u16 offset of each field in the table (0: absent)
//! vector: u32 number of elements, elements
//! ```
//! Numbers are little-endian; an offset is relative to its own position. Only two fields of two tables are read, so this is
//! shorter than the output of a schema compiler, and free of `unsafe`.
//! Reference: Google, `FlatBuffers` documentation, "Internals".

use std::ops::Range;

/// A table in a buffer.
pub(super) struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
    vtable: &'a [u8],
}

impl<'a> Table<'a> {
    /// The root of a buffer with this identifier.
    pub(super) fn root(bytes: &'a [u8], identifier: &[u8; 4]) -> Option<Self> {
        if bytes.get(4..8)? != identifier {
            return None;
        }
        let at = offset(bytes, 0)?;
        let vtable = usize::try_from(at as i64 - i64::from(i32::from_le_bytes(array(bytes, at)?))).ok()?;
        let len = u16::from_le_bytes(array(bytes, vtable)?);
        Some(Self { bytes, at, vtable: bytes.get(vtable..vtable.checked_add(len.into())?)? })
    }

    /// The range in the buffer of a vector with elements of `size` bytes, or of a string with a size of 1.
    pub(super) fn vector(&self, index: usize, size: usize) -> Option<Range<usize>> {
        let place = self.place(index)?;
        let at = place.checked_add(offset(self.bytes, place)?)?;
        let start = at.checked_add(4)?;
        let end = start.checked_add(offset(self.bytes, at)?.checked_mul(size)?)?;
        (end <= self.bytes.len()).then_some(start..end)
    }

    fn place(&self, index: usize) -> Option<usize> {
        let offset = u16::from_le_bytes(array(self.vtable, 4 + 2 * index)?);
        (offset > 0).then(|| self.at.checked_add(offset.into()))?
    }
}

/// `N` bytes, starting at `at`.
fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn offset(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(array(bytes, at)?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_damage_gives_nothing_or_something_inside() {
        let mut good = vec![16, 0, 0, 0];
        good.extend(b"TEST\x00\x00\x08\x00\x08\x00\x04\x00\x06\x00\x00\x00\x04\x00\x00\x00\x03\x00\x00\x00abc");
        let table = Table::root(&good, b"TEST").expect("a table");
        assert_eq!(table.vector(0, 1).and_then(|range| good.get(range)), Some(&b"abc"[..]));
        assert_eq!((table.vector(0, 2), table.vector(1, 1), table.vector(9, 1)), (None, None, None));
        assert!(Table::root(&good, b"FTAB").is_none(), "another table");
        for at in 0..good.len() {
            for byte in 0..=255 {
                let mut bad = good.clone();
                bad[at] = byte;
                let Some(table) = Table::root(&bad, b"TEST") else { continue };
                for index in 0..4 {
                    assert!(table.vector(index, 16).is_none_or(|range| range.end <= bad.len()), "byte {at} is {byte}");
                }
            }
        }
    }
}
