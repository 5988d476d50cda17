//! 64 bits as two words of 32, for what is saved in words: the lower one first.

/// Puts both words of each of `longs`.
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
    for long in longs {
        put(*long as u32);
        put((*long >> 32) as u32);
    }
}

/// What [`put_longs`] put for one.
pub fn take_long(take: &mut impl FnMut() -> u32) -> u64 {
    u64::from(take()) | u64::from(take()) << 32
}
