//! A digest of samples: two machines that print the same one computed the same bits.
//!
//! FNV-1a over the bytes of every sample ([`Sample::to_raw_bits`]), the least significant first: `h = (h ^ byte) * 0x100000001b3`
//! modulo 2^64, from `h = 0xcbf29ce484222325` on. It finds differences; it is no defence against an adversary. Cost: a multiplication
//! a byte. Reference: Fowler, Noll and Vo, RFC 9923.

use crate::Sample;

/// Digest of all samples added, in their order.
///
/// ```
/// use foveola_core::Digest;
/// let mut digest = Digest::new();
/// digest.add(&[1.0_f32, 2.0]);
/// let mut pieces = Digest::new();
/// pieces.add(&[1.0_f32]);
/// pieces.add(&[2.0_f32]);
/// assert_eq!(digest, pieces);
/// assert_eq!(digest.to_string(), "097a69ee2da301d8");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

impl Digest {
    /// The digest of no samples.
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds samples.
    pub fn add<T: Sample>(&mut self, samples: &[T]) {
        for sample in samples {
            for byte in sample.to_raw_bits().to_le_bytes().iter().take(size_of::<T>()) {
                self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
    }

    /// The digest so far.
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

/// 16 hexadecimal digits.
impl core::fmt::Display for Digest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::Q15;
    use crate::events::Count;

    fn digest<T: Sample>(sample: T) -> Digest {
        let mut digest = Digest::new();
        digest.add(&[sample]);
        digest
    }

    #[test]
    fn all_bits_count() {
        assert_ne!(digest(0.0), digest(-0.0));
        for bit in 0..32 {
            assert_ne!(
                digest(f32::from_bits(0x7FC0_0000)),
                digest(f32::from_bits(0x7FC0_0000 ^ 1 << bit)),
                "bit {bit}"
            );
        }
        for bit in 0..64 {
            assert_ne!(digest(1.5_f64), digest(f64::from_bits(1.5_f64.to_bits() ^ 1 << bit)), "bit {bit}");
        }
        for bit in 0..16 {
            assert_ne!(digest(Q15::from_bits(-3)), digest(Q15::from_bits(-3 ^ 1 << bit)), "bit {bit}");
        }
    }

    /// The bytes of a sample are all that counts.
    #[test]
    fn a_digest_is_that_of_the_bytes() {
        let bytes: [Count; 4] = [1, -2, 3, -4].map(|count| Count::from_count(count, 7));
        let mut expected = Digest::new();
        expected.add(&bytes);
        assert_eq!(digest(f32::from_le_bytes([1, 254, 3, 252])), expected);
        let mut found = Digest::new();
        found.add(&Q15::array([i16::from_le_bytes([1, 254]), i16::from_le_bytes([3, 252])]));
        assert_eq!(found, expected);
    }
}
