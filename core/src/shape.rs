//! The shape of one frame: channels x rows x columns, row-major.

/// Channels x rows x columns of one frame; columns are adjacent in memory.
///
/// ```
/// use foveola_core::Shape;
/// const SHAPE: Shape = Shape::new(2, 48, 64);
/// assert_eq!(SHAPE.len(), 2 * 48 * 64);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Shape {
    /// Number of channels.
    pub channels: usize,
    /// Number of rows of a channel.
    pub rows: usize,
    /// Number of columns of a row.
    pub cols: usize,
}

impl Shape {
    /// A shape of `channels` x `rows` x `cols`.
    pub const fn new(channels: usize, rows: usize, cols: usize) -> Self {
        Self { channels, rows, cols }
    }

    /// Pixels of one channel. Saturates, so that an absurd shape never matches a real buffer.
    pub const fn pixels(self) -> usize {
        self.rows.saturating_mul(self.cols)
    }

    /// Samples of one frame over all channels. Saturates like [`Shape::pixels`].
    pub const fn len(self) -> usize {
        self.channels.saturating_mul(self.pixels())
    }

    /// Whether an axis has length 0.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether both shapes agree on every axis (`==` as a `const fn`).
    pub const fn equals(self, other: Self) -> bool {
        self.channels == other.channels && self.rows == other.rows && self.cols == other.cols
    }
}

impl core::fmt::Display for Shape {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} x {} x {}", self.channels, self.rows, self.cols)
    }
}
