//! What a convolution reads outside the frame.
//!
//! | mode        | left of `a b c d` | right of it | reference              |
//! |-------------|-------------------|-------------|------------------------|
//! | `Replicate` | `a a a`           | `d d d`     | the nearest pixel      |
//! | `Reflect`   | `d c b`           | `c b a`     | the border not doubled |
//! | `Zeros`     | `0 0 0`           | `0 0 0`     |                        |
//! | `Circular`  | `b c d`           | `a b c`     | the opposite side      |
//!
//! `Reflect` and `Circular` continue periodically where the kernel reaches further than the frame is wide. Every kernel
//! therefore fits every frame.

/// The border of a same-size convolution; see the [table](self).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Border {
    /// The nearest pixel. The default.
    #[default]
    Replicate,
    /// The frame mirrored at its outermost pixel.
    Reflect,
    /// Zero.
    Zeros,
    /// The opposite side of the frame.
    Circular,
}

impl Border {
    /// The modes and their names: those of `Display` and `FromStr`.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("replicate", Self::Replicate),
        ("reflect", Self::Reflect),
        ("zeros", Self::Zeros),
        ("circular", Self::Circular),
    ];

    /// The index inside `0 .. len` that stands for `index`; `None` where the border is zero. `len >= 1`.
    ///
    /// ```
    /// use foveola_core::Border;
    /// let left = |border: Border| [-3, -2, -1].map(|i| border.index(i, 4));
    /// assert_eq!(left(Border::Replicate), [Some(0), Some(0), Some(0)]);
    /// assert_eq!(left(Border::Reflect), [Some(3), Some(2), Some(1)]);
    /// assert_eq!(left(Border::Zeros), [None; 3]);
    /// assert_eq!(left(Border::Circular), [Some(1), Some(2), Some(3)]);
    /// ```
    #[inline]
    pub const fn index(self, index: isize, len: usize) -> Option<usize> {
        let n = len as isize;
        if 0 <= index && index < n {
            return Some(index as usize);
        }
        self.outside(index, n)
    }

    /// [`Border::index`] of an index outside, for an axis of length `n`. A separate function on a microcontroller, as program memory is
    /// expensive there.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline)]
    const fn outside(self, index: isize, n: isize) -> Option<usize> {
        if n < 1 {
            return None;
        }
        match self {
            Self::Replicate => Some(if index < 0 { 0 } else { n - 1 } as usize),
            Self::Zeros => None,
            Self::Circular => Some(index.rem_euclid(n) as usize),
            Self::Reflect if n == 1 => Some(0),
            Self::Reflect => {
                let folded = index.rem_euclid(2 * (n - 1));
                Some(if folded < n { folded } else { 2 * (n - 1) - folded } as usize)
            }
        }
    }
}
