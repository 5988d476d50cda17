//! Convolutions and recursions of 16-bit integers by the DSP extension of Arm's Cortex-M: two products in an instruction.
//!
//! ```text
//! sums[c] += sum over lines l and taps e of w[l, e] x[l pitch + step c + e]
//! ```
//! Two neighbouring integers in memory are a word, which a core loads at once. `smlad` multiplies both by those of another word and
//! adds the products; `smlabb` and its like multiply one of each. An output in an even column begins with a whole word, one in an odd
//! column with the upper half of one, so the words of a line serve all columns:
//!
//! ```text
//! even   (x0 x1) (w0 w1)  (x2 x3) (w2 w3)  (x4 ..) (w4 ..)
//! odd    (.. x1) (.. w0)  (x2 x3) (w1 w2)  (x4 x5) (w3 w4)
//! ```
//! Recursions whose state has 31 bits, a sample and a remainder, take a step for a whole row:
//!
//! ```text
//! z += gain (target - z)
//! ```
//! Cortex-M4 and M7 have the extension, and M33, M55 and M85 where `-C target-cpu` names them. Rust has these instructions on nightly
//! alone, so they are assembly here, and pointers replace checks of every line: this crate has the `unsafe` that `foveola-core`
//! does without. On other machines [`add_lines`] is plain Rust, with the same sums, modulo 2^32; recursions are left to the caller,
//! who is told that none was done.

#![no_std]

#[cfg(dsp)]
mod arm;

/// Whether the instructions are there.
pub const AVAILABLE: bool = cfg!(dsp);

/// The largest number of taps of a line.
pub const MOST_TAPS: usize = 7;

/// Types that are 16-bit integers in memory: `i16`, and those of [`integers!`].
///
/// # Safety
/// The type has the representation of `i16`, and each of its values is one of the type.
pub unsafe trait Integer: Copy {
    /// The integers of a slice.
    #[inline(always)]
    fn integers(slice: &[Self]) -> &[i16] {
        // SAFETY: the same memory, of the same representation.
        unsafe { core::slice::from_raw_parts(slice.as_ptr().cast(), slice.len()) }
    }

    /// The same, to be written.
    #[inline(always)]
    fn integers_mut(slice: &mut [Self]) -> &mut [i16] {
        // SAFETY: the same memory, of the same representation, in which all values are valid.
        unsafe { core::slice::from_raw_parts_mut(slice.as_mut_ptr().cast(), slice.len()) }
    }
}

// SAFETY: it is the type itself.
unsafe impl Integer for i16 {}

/// Defines a type of one `i16` that is an [`Integer`].
///
/// ```
/// foveola_dsp::integers! {
///     /// A level.
///     #[derive(Clone, Copy)]
///     pub struct Level(i16);
/// }
/// let levels = [Level(3), Level(-4)];
/// assert_eq!(foveola_dsp::Integer::integers(&levels), [3, -4]);
/// ```
#[macro_export]
macro_rules! integers {
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident(i16);) => {
        $(#[$attribute])*
        #[repr(transparent)]
        $visibility struct $name(i16);

        // SAFETY: it is one integer, and transparent.
        unsafe impl $crate::Integer for $name {}
    };
}

/// Columns that are held in registers.
const COLS: usize = 4;

/// Equidistant lines of samples, and taps for each.
#[derive(Clone, Copy, Debug)]
pub struct Lines<'a, T = i16> {
    /// The samples, from the first one on that column 0 reads.
    pub x: &'a [T],
    /// Samples from one line to the next.
    pub pitch: usize,
    /// `width` for each line.
    pub taps: &'a [T],
    /// Taps of a line.
    pub width: usize,
}

impl<T> Lines<'_, T> {
    /// No lines.
    pub const NONE: Self = Self { x: &[], pitch: 0, taps: &[], width: 0 };
}

/// Adds lines of taps to a row of sums. Column `c` reads `width` samples of each line from sample `step c` on. `start` replaces the
/// sums, which then need not be there before. Returns whether it did: `width` is from 1 to [`MOST_TAPS`], `step` 1 or 2, and all
/// samples that are read are there. Otherwise the sums stay as they were.
///
/// With `out`, as long as `sums`, the sums are rounded and not kept: an output is `sum / 2^digits`, rounded half up, or the nearest
/// end of the range; `digits` are 1 to 31.
///
/// Cost on a Cortex-M4: 1.15 instructions a multiply-add of lines of 5, and 11 for each column, rounded.
///
/// ```
/// use foveola_dsp::{Lines, add_lines};
/// let lines = Lines { x: &[1, 2, 3, 4, 5, 6, 7], pitch: 0, taps: &[10, 20, -30], width: 3 };
/// let (mut sums, mut out) = ([0; 5], [0; 5]);
/// assert!(add_lines(lines, 1, Some(100), &mut sums, None));
/// assert_eq!(sums, [60, 60, 60, 60, 60]);
/// assert!(add_lines(lines, 1, None, &mut sums, Some((&mut out, 3))));
/// assert_eq!(out, [3, 3, 3, 3, 3]); // (60 - 40) / 8, rounded
/// assert!(!add_lines(lines, 1, None, &mut [0; 6], None), "a sample is missing");
/// ```
pub fn add_lines<T: Integer>(
    lines: Lines<'_, T>,
    step: usize,
    start: Option<i32>,
    sums: &mut [i32],
    out: Option<(&mut [T], u32)>,
) -> bool {
    let Lines { x, pitch, taps, width } = lines;
    let lines = Lines { x: T::integers(x), pitch, taps: T::integers(taps), width };
    let out = out.map(|(out, digits)| (T::integers_mut(out), digits));
    if out.as_ref().is_some_and(|(out, digits)| out.len() != sums.len() || !(1..=31).contains(digits)) {
        return false;
    }
    match (step, width) {
        (1, 1) => row::<1, 1>(lines, start, sums, out),
        (1, 2) => row::<1, 2>(lines, start, sums, out),
        (1, 3) => row::<1, 3>(lines, start, sums, out),
        (1, 4) => row::<1, 4>(lines, start, sums, out),
        (1, 5) => row::<1, 5>(lines, start, sums, out),
        (1, 6) => row::<1, 6>(lines, start, sums, out),
        (1, 7) => row::<1, 7>(lines, start, sums, out),
        (2, 1) => row::<2, 1>(lines, start, sums, out),
        (2, 2) => row::<2, 2>(lines, start, sums, out),
        (2, 3) => row::<2, 3>(lines, start, sums, out),
        (2, 4) => row::<2, 4>(lines, start, sums, out),
        (2, 5) => row::<2, 5>(lines, start, sums, out),
        (2, 6) => row::<2, 6>(lines, start, sums, out),
        (2, 7) => row::<2, 7>(lines, start, sums, out),
        _ => false,
    }
}

/// A step of recursions with remainders, for as many states as there are instructions for, from the first one on; returns how many:
/// 0 where there are none. A state is `z = 2^15 y + c`, and becomes `z + (target - z) gain 2^(-16 - down)`, whose product is rounded
/// down. It lies between -2^30 and 2^30 - 1, and so does its target. `y` becomes `z / 2^15`, rounded half up, 32767 at most. Each
/// state replaces its target.
///
/// Cost on a Cortex-M4: 14.5 instructions a state.
#[inline]
pub fn approach(targets: &mut [i32], y: &mut [i16], c: &mut [i16], gain: i16, down: u32) -> usize {
    let count = whole(targets.len().min(y.len()).min(c.len()));
    if count == 0 || down > 31 {
        return 0;
    }
    #[cfg(dsp)]
    // SAFETY: each slice has that many.
    unsafe {
        arm::approach(targets.as_mut_ptr(), y.as_mut_ptr(), c.as_mut_ptr(), count, gain, down);
    }
    let _ = gain;
    count
}

/// [`approach`] with samples as targets, `2^15 x`.
///
/// Cost on a Cortex-M4: 13.5 instructions a state.
#[inline]
pub fn approach_samples(x: &[i16], y: &mut [i16], c: &mut [i16], gain: i16, down: u32) -> usize {
    let count = whole(x.len().min(y.len()).min(c.len()));
    if count == 0 || down > 31 {
        return 0;
    }
    #[cfg(dsp)]
    // SAFETY: each slice has that many.
    unsafe {
        arm::approach_samples(x.as_ptr(), y.as_mut_ptr(), c.as_mut_ptr(), count, gain, down);
    }
    let _ = gain;
    count
}

/// [`approach`] with amplified targets, which may be out of range: `z` becomes `z - z gain 2^(-16 - down) + x gain 2^-of_x`, each
/// product rounded down, or the nearest end of its range. `states` receives `z`.
///
/// Cost on a Cortex-M4: 17.5 instructions a state.
#[inline]
pub fn approach_amplified(
    x: &[i16],
    states: &mut [i32],
    [y, c]: [&mut [i16]; 2],
    gain: i16,
    [down, of_x]: [u32; 2],
) -> usize {
    let count = whole(x.len().min(states.len()).min(y.len()).min(c.len()));
    if count == 0 || down > 31 || of_x > 31 {
        return 0;
    }
    #[cfg(dsp)]
    // SAFETY: each slice has that many.
    unsafe {
        let state = [y.as_mut_ptr(), c.as_mut_ptr()];
        arm::approach_amplified(x.as_ptr(), states.as_mut_ptr(), state, count, gain, [down, of_x]);
    }
    let _ = gain;
    count
}

/// How many of `count` states have instructions.
const fn whole(count: usize) -> usize {
    if AVAILABLE { count / COLS * COLS } else { 0 }
}

/// [`add_lines`] of `N` taps.
#[inline(never)]
fn row<const STEP: usize, const N: usize>(
    lines: Lines<'_>,
    start: Option<i32>,
    sums: &mut [i32],
    out: Option<(&mut [i16], u32)>,
) -> bool {
    let Lines { x, pitch, taps, .. } = lines;
    let (lines, rest) = taps.as_chunks::<N>();
    // Samples from the first one that is read to the last.
    let read = match (sums.len().checked_sub(1), lines.len().checked_sub(1)) {
        (Some(column), Some(line)) => {
            let of_a_line = column.checked_mul(STEP).and_then(|first| first.checked_add(N));
            line.checked_mul(pitch).zip(of_a_line).and_then(|(first, line)| first.checked_add(line))
        }
        _ => Some(0),
    };
    if !rest.is_empty() || read.is_none_or(|read| read > x.len()) {
        return false;
    }
    if let (1, &[tap]) = (STEP, taps) {
        one_tap(x, tap, start, sums, out);
        return true;
    }
    let mut from = x.as_ptr();
    let (tiles, others) = sums.as_chunks_mut::<COLS>();
    let (out, digits) = out.unwrap_or((&mut [], 0));
    let (outputs, more) = out.as_chunks_mut::<COLS>();
    let mut outputs = outputs.iter_mut();
    for sums in tiles {
        let mut acc = start.map_or(*sums, |start| [start; COLS]);
        // SAFETY: these columns are among those whose samples are in `x`.
        unsafe { tile::<STEP, N, COLS>(&mut acc, from, pitch, lines) };
        match outputs.next() {
            Some(out) => *out = acc.map(|sum| rounded(sum, digits)),
            None => *sums = acc,
        }
        from = from.wrapping_add(COLS * STEP);
    }
    let mut outputs = more.iter_mut();
    for sum in others {
        let mut acc = [start.unwrap_or(*sum)];
        // SAFETY: as above.
        unsafe { tile::<STEP, N, 1>(&mut acc, from, pitch, lines) };
        match outputs.next() {
            Some(out) => *out = rounded(acc[0], digits),
            None => *sum = acc[0],
        }
        from = from.wrapping_add(STEP);
    }
    true
}

/// [`add_lines`] of one tap.
#[inline(always)]
fn one_tap(x: &[i16], w: i16, start: Option<i32>, sums: &mut [i32], out: Option<(&mut [i16], u32)>) {
    let (groups, _) = x.as_chunks::<COLS>();
    let (tiles, last) = sums.as_chunks_mut::<COLS>();
    let x_left = x.iter().skip(COLS * tiles.len());
    let started = |sums: &[i32; COLS]| start.map_or(*sums, |start| [start; COLS]);
    let one = |x: i16, sum: i32| product::<0, 0>([x, 0], [w, 0], start.unwrap_or(sum));
    if let Some((out, digits)) = out {
        let (outputs, others) = out.as_chunks_mut::<COLS>();
        for ((sums, x), out) in tiles.iter().zip(groups).zip(outputs) {
            *out = times(x, w, started(sums)).map(|sum| rounded(sum, digits));
        }
        for ((sum, x), out) in last.iter().zip(x_left).zip(others) {
            *out = rounded(one(*x, *sum), digits);
        }
        return;
    }
    for (sums, x) in tiles.iter_mut().zip(groups) {
        *sums = times(x, w, started(sums));
    }
    for (sum, x) in last.iter_mut().zip(x_left) {
        *sum = one(*x, *sum);
    }
}

/// `sums + w x`.
#[inline(always)]
fn times([p, q, r, s]: &[i16; COLS], w: i16, [a, b, c, d]: [i32; COLS]) -> [i32; COLS] {
    [
        product::<0, 0>([*p, *q], [w, 0], a),
        product::<1, 0>([*p, *q], [w, 0], b),
        product::<0, 0>([*r, *s], [w, 0], c),
        product::<1, 0>([*r, *s], [w, 0], d),
    ]
}

/// `sum / 2^digits`, rounded half up, or the nearest end of the range.
#[inline(always)]
fn rounded(sum: i32, digits: u32) -> i16 {
    // In two steps, as the half could overflow.
    let sum = (sum >> (digits.wrapping_sub(1) & 31)).saturating_add(1) >> 1;
    sum.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

/// Adds lines of taps to the sums of `C` columns.
///
/// # Safety
/// From `from + l pitch` on, `(C - 1) STEP + N` samples can be read, for each of `lines`.
#[inline(always)]
unsafe fn tile<const STEP: usize, const N: usize, const C: usize>(
    sums: &mut [i32; C],
    from: *const i16,
    pitch: usize,
    lines: &[[i16; N]],
) {
    #[cfg(dsp)]
    if STEP == 1 && C == COLS {
        // SAFETY: the caller's.
        if unsafe { arm::lines(N, sums.as_mut_slice(), from, 2 * pitch, lines.as_ptr_range()) } {
            return;
        }
    }
    let (mut acc, mut from) = (*sums, from);
    for taps in lines {
        // With a number for each word, so that what it is multiplied by is known when this is compiled.
        macro_rules! words {
            ($($word:literal)*) => {
                $(
                    let first = 2 * $word;
                    if first < (C - 1) * STEP + N {
                        // SAFETY: the caller's. The upper half of the last word may not be there, and is not needed then.
                        let word = unsafe {
                            let has_upper = first + 1 < (C - 1) * STEP + N;
                            [*from.add(first), if has_upper { *from.add(first + 1) } else { 0 }]
                        };
                        add_word::<STEP, N, C>(&mut acc, word, first, taps);
                    }
                )*
            };
        }
        words!(0 1 2 3 4 5 6);
        from = from.wrapping_add(pitch);
    }
    *sums = acc;
}

/// Adds what the columns take of samples `first` and `first + 1` of a line.
#[inline(always)]
fn add_word<const STEP: usize, const N: usize, const C: usize>(
    acc: &mut [i32; C],
    word: [i16; 2],
    first: usize,
    taps: &[i16; N],
) {
    let tap = |e: usize| taps.get(e).copied().unwrap_or(0);
    for (c, acc) in acc.iter_mut().enumerate() {
        // The tap that meets the lower half; -1 where the column begins with the upper half.
        let e = first.wrapping_sub(c * STEP);
        *acc = if e == usize::MAX {
            product::<1, 0>(word, [tap(0), tap(1)], *acc)
        } else if e >= N {
            *acc
        } else if e + 1 < N {
            dot(word, [tap(e), tap(e + 1)], *acc)
        } else if e > 0 {
            product::<0, 1>(word, [tap(e - 1), tap(e)], *acc)
        } else {
            product::<0, 0>(word, [tap(0), 0], *acc)
        };
    }
}

/// `sum + x[0] w[0] + x[1] w[1]`, modulo 2^32.
#[inline(always)]
fn dot(x: [i16; 2], w: [i16; 2], sum: i32) -> i32 {
    #[cfg(dsp)]
    {
        arm::smlad(arm::word(x), arm::word(w), sum)
    }
    #[cfg(not(dsp))]
    {
        product::<1, 1>(x, w, product::<0, 0>(x, w, sum))
    }
}

/// `sum + x[X] w[W]`, modulo 2^32; `X` and `W` are 0 or 1. It takes a word of each, which is loaded once for all of its products.
#[inline(always)]
fn product<const X: usize, const W: usize>(x: [i16; 2], w: [i16; 2], sum: i32) -> i32 {
    const { assert!(X < 2 && W < 2, "an index of a pair") };
    #[cfg(dsp)]
    {
        let (x, w) = (arm::word(x), arm::word(w));
        match (X, W) {
            (0, 0) => arm::smlabb(x, w, sum),
            (0, _) => arm::smlabt(x, w, sum),
            (_, 0) => arm::smlatb(x, w, sum),
            _ => arm::smlatt(x, w, sum),
        }
    }
    #[cfg(not(dsp))]
    {
        sum.wrapping_add(i32::from(x[X]) * i32::from(w[W]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of all widths over rows of all lengths, beside the equation.
    #[test]
    fn sums_are_those_of_the_equation() {
        let number = |i: usize| ((i * 7919 + 13) % 65_521) as i16;
        let x: [i16; 200] = core::array::from_fn(number);
        let taps: [i16; 5 * MOST_TAPS] = core::array::from_fn(|i| number(3 * i + 1000));
        for (step, width) in [1, 2].into_iter().flat_map(|step| (1..=MOST_TAPS).map(move |width| (step, width))) {
            for (count, pitch) in [(1, 0), (1, 50), (2, 41), (3, 3), (5, 33)] {
                for len in 0..14 {
                    let read = if len == 0 { 0 } else { (count - 1) * pitch + (len - 1) * step + width };
                    let lines = Lines { x: &x[..read], pitch, taps: &taps[..count * width], width };
                    let before: [i32; 14] = core::array::from_fn(|c| number(c).into());
                    let (mut sums, mut out) = ([before; 4], [0; 14]);
                    let [added, started, kept, refused] = &mut sums;
                    assert!(add_lines(lines, step, None, &mut added[..len], None));
                    assert!(add_lines(lines, step, Some(77), &mut started[..len], None));
                    assert!(add_lines(lines, step, Some(77), &mut kept[..len], Some((&mut out[..len], 16))));
                    assert_eq!(*kept, before, "sums that are rounded are not kept");
                    for c in 0..14 {
                        let product =
                            |k: usize| i32::from(taps[k]) * i32::from(x[k / width * pitch + step * c + k % width]);
                        let sum = |start| (0..count * width).fold(start, |sum: i32, k| sum.wrapping_add(product(k)));
                        let of = |start| if c < len { sum(start) } else { before[c] };
                        let message = (count, width, step, c, len);
                        assert_eq!(added[c], of(before[c]), "{message:?}");
                        assert_eq!(started[c], of(77), "{message:?}");
                        let rounded = (i64::from(of(77)) + (1 << 15)) >> 16;
                        assert_eq!(i64::from(out[c]), if c < len { rounded.min(32767) } else { 0 }, "{message:?}");
                    }
                    if len > 0 {
                        let short = Lines { x: &x[..read - 1], ..lines };
                        assert!(!add_lines(short, step, Some(1), &mut refused[..len], None));
                        assert_eq!(*refused, before, "a refused call changes nothing");
                    }
                }
            }
        }
    }

    #[test]
    fn other_lines_are_refused() {
        let x = [1; 40];
        let mut sums = [0; 4];
        for (taps, width, step) in
            [(&[1; 8][..], 8, 1), (&[1; 2], 0, 1), (&[1; 3], 2, 1), (&[1; 3], 3, 3), (&[1; 3], 3, 0)]
        {
            let lines = Lines { x: &x, pitch: 1, taps, width };
            assert!(!add_lines(lines, step, None, &mut sums, None), "{lines:?}, {step}");
        }
        let lines = Lines { x: &x, pitch: usize::MAX, taps: &[1; 3], width: 1 };
        assert!(!add_lines(lines, 1, None, &mut sums, None), "no overflow");
        assert!(add_lines(Lines { taps: &[], ..lines }, 1, Some(5), &mut sums, None) && sums == [5; 4], "no lines");
        let lines = Lines { pitch: 0, taps: &[1], ..lines };
        for (len, digits) in [(4, 0), (4, 32), (3, 1), (5, 1)] {
            assert!(!add_lines(lines, 1, None, &mut sums, Some((&mut [0; 5][..len], digits))), "{len}, {digits}");
        }
    }

    #[test]
    fn outputs_are_rounded_once() {
        for sum in [0, 1, -1, 16383, 16384, -16384, -16385, i32::MAX, i32::MIN, 123_456_789] {
            for digits in 1..=31 {
                let exact = (i64::from(sum) + (1 << (digits - 1))) >> digits;
                let expected = exact.clamp(-32768, 32767);
                assert_eq!(i64::from(rounded(sum, digits)), expected, "{sum}, {digits}");
            }
        }
    }

    #[test]
    fn sums_wrap_around() {
        for (x, w) in [([i16::MIN; 2], [i16::MIN; 2]), ([i16::MAX, -1], [2, i16::MIN]), ([0, 1], [1, 0])] {
            for sum in [0, -1, i32::MAX, i32::MIN] {
                let [a, b, c, d] = [x[0], x[1], w[0], w[1]].map(i64::from);
                assert_eq!(dot(x, w, sum), (i64::from(sum) + a * c + b * d) as i32);
                assert_eq!(product::<0, 0>(x, w, sum), (i64::from(sum) + a * c) as i32);
                assert_eq!(product::<0, 1>(x, w, sum), (i64::from(sum) + a * d) as i32);
                assert_eq!(product::<1, 0>(x, w, sum), (i64::from(sum) + b * c) as i32);
                assert_eq!(product::<1, 1>(x, w, sum), (i64::from(sum) + b * d) as i32);
            }
        }
    }
}
