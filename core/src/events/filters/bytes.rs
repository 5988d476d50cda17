//! Four bytes per word of state, the first in the lowest bits: for filters for which a word per pixel is too large.

/// Words for this many bytes.
pub(super) const fn words(bytes: usize) -> usize {
    bytes.div_ceil(4)
}

/// The byte with this index.
#[inline(always)]
pub(super) fn get(words: &[u32], i: usize) -> Option<u8> {
    // Lossless: what is above the byte is cut off.
    words.get(i / 4).map(|word| (word >> shift(i)) as u8)
}

/// Changes the byte with this index.
#[inline(always)]
pub(super) fn set(words: &mut [u32], i: usize, byte: u8) {
    if let Some(word) = words.get_mut(i / 4) {
        *word = *word & !(0xFF << shift(i)) | u32::from(byte) << shift(i);
    }
}

/// Changes every byte.
pub(super) fn each(words: &mut [u32], change: impl Fn(u8) -> u8) {
    for word in words {
        *word = u32::from_le_bytes(word.to_le_bytes().map(&change));
    }
}

#[inline(always)]
const fn shift(i: usize) -> u32 {
    8 * (i as u32 & 3)
}
