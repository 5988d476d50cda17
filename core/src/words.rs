//! 64 bits as two words of 32, the lower one first, for state that is saved in words.

/// Passes both words of each of `longs` to `put`.
///
/// ```
/// use foveola_core::words::{put_longs, take_long};
/// let mut words = Vec::new();
/// put_longs(&[1 << 40 | 5], &mut |word| words.push(word));
/// assert_eq!(words, [5, 256]);
/// let mut words = words.into_iter();
/// assert_eq!(take_long(&mut || words.next().unwrap()), 1 << 40 | 5);
/// ```
pub fn put_longs(longs: &[u64], put: &mut impl FnMut(u32)) {
    longs.iter().flat_map(|long| halves(*long)).for_each(put);
}

/// Reads one number that [`put_longs`] wrote.
pub fn take_long(take: &mut impl FnMut() -> u32) -> u64 {
    long([take(), take()])
}

/// Both words.
#[inline(always)]
pub(crate) const fn halves(long: u64) -> [u32; 2] {
    [long as u32, (long >> 32) as u32]
}

/// The number from both words.
#[inline(always)]
pub(crate) const fn long([low, high]: [u32; 2]) -> u64 {
    low as u64 | (high as u64) << 32
}
