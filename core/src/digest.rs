//! A digest of samples: two machines that print the same one computed the same bits.
//!
//! FNV-1a over the bytes of every sample, the least significant first: `h = (h ^ byte) * 0x100000001b3` modulo 2^64, from
//! `h = 0xcbf29ce484222325` on. It finds differences; it is no defence against an adversary. Cost: 4 multiplications a
//! sample. Reference: Fowler, Noll and Vo, RFC 9923.

/// Digest of all samples added, in their order.
///
/// ```
/// use foveola_core::Digest;
/// let mut digest = Digest::new();
/// digest.add(&[1.0, 2.0]);
/// let mut pieces = Digest::new();
/// pieces.add(&[1.0]);
/// pieces.add(&[2.0]);
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
    pub fn add(&mut self, samples: &[f32]) {
        for byte in samples.iter().flat_map(|sample| sample.to_bits().to_le_bytes()) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
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

    #[test]
    fn all_bits_count() {
        let digest = |sample: f32| {
            let mut digest = Digest::new();
            digest.add(&[sample]);
            digest
        };
        assert_ne!(digest(0.0), digest(-0.0));
        for bit in 0..32 {
            assert_ne!(
                digest(f32::from_bits(0x7FC0_0000)),
                digest(f32::from_bits(0x7FC0_0000 ^ 1 << bit)),
                "bit {bit}"
            );
        }
    }
}
