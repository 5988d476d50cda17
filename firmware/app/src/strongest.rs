//! The `N` largest samples of a frame, the largest first: one pass, `N` comparisons for a sample that is among them, one for the
//! others.

use foveola_core::Sample;

/// Where a sample lies in a frame, and what it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Location {
    /// Its index: `(channel * rows + row) * cols + col`.
    pub index: u16,
    /// Its value.
    pub value: f32,
}

/// The largest samples above 0, and how many there are, `N` at most; of equal ones the first. Samples that are not numbers are
/// left out, and so is what lies beyond index 65535.
///
/// ```
/// use foveola_app::strongest;
/// use foveola_core::Q15;
/// let (largest, count) = strongest::<3>(&[0.0, 2.0, f32::NAN, 5.0, -9.0, 2.0, 1.0]);
/// assert_eq!(largest[..count].iter().map(|l| (l.index, l.value)).collect::<Vec<_>>(), [(3, 5.0), (1, 2.0), (5, 2.0)]);
/// assert_eq!(strongest::<3>(&[0.0, 1.0]).1, 1);
/// let (largest, count) = strongest::<3>(&Q15::array([0, 8_192, -1, 16_384]));
/// assert_eq!(largest[..count].iter().map(|l| (l.index, l.value)).collect::<Vec<_>>(), [(3, 0.5), (1, 0.25)]);
/// ```
pub fn strongest<const N: usize>(frame: &[impl Sample]) -> ([Location; N], usize) {
    let mut largest = [Location::default(); N];
    let mut count = 0;
    let mut least = Sample::ZERO; // what a sample must exceed
    for (index, &sample) in (0..=u16::MAX).zip(frame) {
        if sample > least {
            let value = sample.to_f64() as f32; // as it was, if it is a float
            // From the end to its place, others move back by one.
            let mut here = Location { index, value };
            let before = largest.iter().take(count).take_while(|l| l.value >= value).count();
            for place in largest.iter_mut().skip(before) {
                core::mem::swap(place, &mut here);
            }
            count = (count + 1).min(N);
            if count == N {
                least = Sample::from_f64(largest.last().map_or(f64::INFINITY, |l| l.value.into()));
            }
        }
    }
    (largest, count)
}
