//! A part of a sensor, in bins of several pixels: for a frame that is smaller than the sensor.
//!
//! ```text
//! row = (y - top) / binning,   col = (x - left) / binning        rounded down
//! ```
//! Cost: two divisions of 32 bits per event. State: 6 bytes.

use crate::Error;
use core::num::NonZeroU16;

/// Maps a sensor's pixels to those of a frame; see the [equation](self).
///
/// ```
/// use foveola_core::events::Window;
/// let window = Window::new(8, 4, 2)?; // from column 8 and row 4 on, 2 x 2 pixels per bin
/// assert_eq!(window.place(8, 4), [0, 0]);
/// assert_eq!(window.place(13, 7), [1, 2]); // row 1, column 2
/// let [row, col] = window.place(7, 4);
/// assert!(row == 0 && col >= Window::MOST);
/// # Ok::<(), foveola_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Window {
    left: u16,
    top: u16,
    binning: NonZeroU16,
}

impl Window {
    /// The whole sensor, without binning.
    pub const WHOLE: Self = Self { left: 0, top: 0, binning: NonZeroU16::MIN };

    /// From column `left` and row `top` on, `binning` x `binning` pixels per bin.
    ///
    /// # Errors
    /// [`Error::Parameter`] when `binning` is 0.
    pub const fn new(left: u16, top: u16, binning: u16) -> Result<Self, Error> {
        match NonZeroU16::new(binning) {
            Some(binning) => Ok(Self { left, top, binning }),
            None => Err(Error::Parameter { name: "binning", value: 0.0, expected: "1 pixel or more" }),
        }
    }

    /// Pixels along each side of a bin.
    pub const fn binning(self) -> u16 {
        self.binning.get()
    }

    /// Column and row of the sensor's pixel where the window begins.
    pub const fn corner(self) -> (u16, u16) {
        (self.left, self.top)
    }

    /// Row and column of the bin of pixel (`x`, `y`): beyond [`Window::MOST`] to the left of the window or above it.
    #[inline(always)]
    pub const fn place(self, x: u16, y: u16) -> [u32; 2] {
        // Below 0 a difference wraps to 2^32 - 65535 or more: so much that its bin is beyond every frame, too.
        let [row, col] = [(y as u32).wrapping_sub(self.top as u32), (x as u32).wrapping_sub(self.left as u32)];
        [row / self.binning.get() as u32, col / self.binning.get() as u32]
    }

    /// More rows or columns than any sensor has: 65536.
    pub const MOST: u32 = 1 << 16;
}
