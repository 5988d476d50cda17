//! 64 bits as two words of 32, the lower one first, and samples in words, for state that is saved in words.

use crate::Sample;

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

/// Words that [`put_samples`] gives for so many samples of `T`: two for one of 64 bits, one for one of 32, one for two of 16.
pub const fn words_of<T: Sample>(samples: usize) -> usize {
    if size_of::<T>() > 4 { samples.saturating_mul(2) } else { samples.div_ceil(in_a_word::<T>()) }
}

/// Samples in a word, of those that are no longer than one.
const fn in_a_word<T: Sample>() -> usize {
    match size_of::<T>() {
        1 => 4,
        2 => 2,
        _ => 1,
    }
}

/// Passes the [bits](Sample::to_raw_bits) of `samples` to `put`, in [`words_of`] words. Samples that share a word begin with its
/// least significant byte.
///
/// ```
/// use foveola_core::Q15;
/// use foveola_core::words::{put_samples, take_samples, words_of};
/// let (samples, mut words) = (Q15::array([1, -1, 2]), Vec::new());
/// put_samples(&samples, &mut |word| words.push(word));
/// assert_eq!(words, [0xFFFF_0001, 2]);
/// assert_eq!(words.len(), words_of::<Q15>(3));
/// let (mut words, mut read) = (words.into_iter(), Q15::array([0; 3]));
/// take_samples(&mut read, &mut || words.next().unwrap());
/// assert_eq!(read, samples);
/// ```
pub fn put_samples<T: Sample>(samples: &[T], put: &mut impl FnMut(u32)) {
    if size_of::<T>() > 4 {
        return samples.iter().for_each(|sample| put_longs(&[sample.to_raw_bits()], put));
    }
    for group in samples.chunks(const { in_a_word::<T>() }) {
        let join = |word: u64, sample: &T| word << (8 * size_of::<T>()) | sample.to_raw_bits();
        put(group.iter().rev().fold(0, join) as u32);
    }
}

/// Reads samples that [`put_samples`] wrote.
pub fn take_samples<T: Sample>(samples: &mut [T], take: &mut impl FnMut() -> u32) {
    if size_of::<T>() > 4 {
        return samples.iter_mut().for_each(|sample| *sample = T::from_raw_bits(take_long(take)));
    }
    for group in samples.chunks_mut(const { in_a_word::<T>() }) {
        let mut word = u64::from(take());
        for sample in group {
            *sample = T::from_raw_bits(word);
            word >>= 8 * size_of::<T>();
        }
    }
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

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::Q15;
    use crate::events::Count;
    use std::vec::Vec;

    fn round_trip<T: Sample>(samples: &[T], expected: &[u32]) {
        let mut words = Vec::new();
        put_samples(samples, &mut |word| words.push(word));
        assert_eq!(words, expected, "{samples:?}");
        assert_eq!(words.len(), words_of::<T>(samples.len()));
        let (mut words, mut read) = (words.into_iter(), std::vec![T::ZERO; samples.len()]);
        take_samples(&mut read, &mut || words.next().unwrap());
        assert!(read == samples && words.next().is_none(), "{samples:?}");
    }

    #[test]
    fn samples_of_any_size_come_back() {
        round_trip::<f32>(&[], &[]);
        round_trip(&[1.0_f32, -0.0], &[0x3F80_0000, 0x8000_0000]);
        round_trip(&[1.0_f64, -2.0], &[0, 0x3FF0_0000, 0, 0xC000_0000]);
        round_trip(&Q15::array([1, -2, 3, -4]), &[0xFFFE_0001, 0xFFFC_0003]);
        round_trip(&Q15::array([-1]), &[0xFFFF]);
        round_trip(&[1, -1, 2, -2, 3].map(|count| Count::from_count(count, 7)), &[0xFE02_FF01, 3]);
    }
}
