//! Sums of 16-bit products by the DSP extension of Arm's Cortex-M, two products in an instruction.
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
//! Cortex-M4 and M7 have the extension, and M33, M55 and M85 where `-C target-cpu` names them. Rust has these instructions on nightly
//! alone, so they are assembly here, and pointers replace checks of every line: this crate has the `unsafe` that `foveola-core`
//! does without. On other machines the same functions are plain Rust, with the same sums, modulo 2^32.

#![no_std]

#[cfg(dsp)]
mod arm;

/// Whether the instructions are there.
pub const AVAILABLE: bool = cfg!(dsp);

/// The largest number of taps of a line.
pub const MOST_TAPS: usize = 7;

/// Types that are 16-bit integers in memory: those of [`integers!`].
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

/// Adds equidistant lines of taps to a row of sums. Column `c` reads `width` samples of each line from sample `step c` on; `taps` are
/// those of all lines, `width` for each, and `pitch` is the distance from a line to the next. Returns whether it did: `width` is
/// from 1 to [`MOST_TAPS`], `step` 1 or 2, and `x` has all samples that are read. Otherwise the sums stay as they were.
///
/// Cost on a Cortex-M4: about 1.4 instructions a multiply-add of lines of five.
///
/// ```
/// let (x, mut sums) = ([1, 2, 3, 4, 5, 6, 7], [100; 5]);
/// assert!(foveola_dsp::add_taps(&mut sums, &x, 0, &[10, 20, -30], [3, 1]));
/// assert_eq!(sums, [60, 60, 60, 60, 60]);
/// assert!(!foveola_dsp::add_taps(&mut sums, &x[1..], 0, &[10, 20, -30], [3, 1]), "a sample is missing");
/// ```
pub fn add_taps(sums: &mut [i32], x: &[i16], pitch: usize, taps: &[i16], [width, step]: [usize; 2]) -> bool {
    match (step, width) {
        (1, 1) => row::<1, 1>(sums, x, pitch, taps),
        (1, 2) => row::<1, 2>(sums, x, pitch, taps),
        (1, 3) => row::<1, 3>(sums, x, pitch, taps),
        (1, 4) => row::<1, 4>(sums, x, pitch, taps),
        (1, 5) => row::<1, 5>(sums, x, pitch, taps),
        (1, 6) => row::<1, 6>(sums, x, pitch, taps),
        (1, 7) => row::<1, 7>(sums, x, pitch, taps),
        (2, 1) => row::<2, 1>(sums, x, pitch, taps),
        (2, 2) => row::<2, 2>(sums, x, pitch, taps),
        (2, 3) => row::<2, 3>(sums, x, pitch, taps),
        (2, 4) => row::<2, 4>(sums, x, pitch, taps),
        (2, 5) => row::<2, 5>(sums, x, pitch, taps),
        (2, 6) => row::<2, 6>(sums, x, pitch, taps),
        (2, 7) => row::<2, 7>(sums, x, pitch, taps),
        _ => false,
    }
}

/// A step of recursions with remainders, for as many states as there are instructions for, from the first one on; returns how many:
/// 0 where there are none. A state is `z = 2^15 y + c`, and becomes `z + (target - z) gain 2^(-16 - down)`, whose product is rounded
/// down. It lies between -2^30 and 2^30 - 1, and so does its target. `y` becomes `z / 2^15`, rounded half up, 32767 at most. Each
/// state replaces its target.
///
/// Cost on a Cortex-M4: 14.5 instructions a state.
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

/// [`approach`] with amplified targets, which may be out of range: `z` becomes `z - z gain 2^(-16 - down) + x gain 2^-of_x`, each
/// product rounded down, or the nearest end of its range. `states` receives `z`.
///
/// Cost on a Cortex-M4: 17.5 instructions a state.
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

/// [`add_taps`] for lines of `N` taps.
#[inline(never)]
fn row<const STEP: usize, const N: usize>(sums: &mut [i32], x: &[i16], pitch: usize, taps: &[i16]) -> bool {
    let (lines, rest) = taps.as_chunks::<N>();
    let Some(last_column) = sums.len().checked_sub(1) else { return rest.is_empty() };
    let Some(last_line) = lines.len().checked_sub(1) else { return rest.is_empty() };
    // Samples from the first one that is read to the last.
    let of_a_line = last_column.checked_mul(STEP).and_then(|first| first.checked_add(N));
    let read = last_line.checked_mul(pitch).zip(of_a_line).and_then(|(first, line)| first.checked_add(line));
    if !rest.is_empty() || read.is_none_or(|read| read > x.len()) {
        return false;
    }
    if STEP == 1 && N == 1 && last_line == 0 {
        add_scaled(sums, x, lines[0][0]);
        return true;
    }
    let mut from = x.as_ptr();
    let (tiles, others) = sums.as_chunks_mut::<COLS>();
    for sums in tiles {
        // SAFETY: these columns are among those whose samples are in `x`.
        unsafe { tile::<STEP, N, COLS>(sums, from, pitch, lines) };
        from = from.wrapping_add(COLS * STEP);
    }
    for sum in others {
        // SAFETY: as above.
        unsafe { tile::<STEP, N, 1>(core::array::from_mut(sum), from, pitch, lines) };
        from = from.wrapping_add(STEP);
    }
    true
}

/// `sums[c] += w x[c]`.
#[inline(always)]
fn add_scaled(sums: &mut [i32], x: &[i16], w: i16) {
    let (tiles, others) = sums.as_chunks_mut::<COLS>();
    let (groups, _) = x.as_chunks::<COLS>();
    let done = COLS * tiles.len();
    for ([a, b, c, d], [p, q, r, s]) in tiles.iter_mut().zip(groups) {
        *a = product::<0, 0>([*p, *q], [w, 0], *a);
        *b = product::<1, 0>([*p, *q], [w, 0], *b);
        *c = product::<0, 0>([*r, *s], [w, 0], *c);
        *d = product::<1, 0>([*r, *s], [w, 0], *d);
    }
    for (sum, x) in others.iter_mut().zip(x.iter().skip(done)) {
        *sum = product::<0, 0>([*x, 0], [w, 0], *sum);
    }
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
        for step in [1, 2] {
            for width in 1..=MOST_TAPS {
                for (lines, pitch) in [(1, 0), (1, 50), (2, 41), (3, 3), (5, 33)] {
                    for len in 0..14 {
                        let taps = &taps[..lines * width];
                        let start: [i32; 14] = core::array::from_fn(|c| number(c).into());
                        let mut sums = start;
                        let sums = &mut sums[..len];
                        let read = if len == 0 { 0 } else { (lines - 1) * pitch + (len - 1) * step + width };
                        assert!(add_taps(sums, &x[..read], pitch, taps, [width, step]));
                        for (c, (sum, start)) in sums.iter().zip(start).enumerate() {
                            let product = |k: usize| {
                                i32::from(taps[k]) * i32::from(x[k / width * pitch + step * c + k % width])
                            };
                            let expected = (0..taps.len()).fold(start, |sum, k| sum.wrapping_add(product(k)));
                            assert_eq!(*sum, expected, "{lines} lines of {width}, step {step}, column {c} of {len}");
                        }
                        if len > 0 {
                            let before: [i32; 14] = core::array::from_fn(|c| sums.get(c).copied().unwrap_or(0));
                            assert!(!add_taps(sums, &x[..read - 1], pitch, taps, [width, step]));
                            assert_eq!(sums, &before[..len], "a refused call changes nothing");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn other_lines_are_refused() {
        let x = [1; 40];
        for (taps, width, step) in [(&[1; 8][..], 8, 1), (&[1; 2], 0, 1), (&[1; 3], 2, 1), (&[1; 3], 3, 3), (&[1; 3], 3, 0)] {
            assert!(!add_taps(&mut [0; 4], &x, 1, taps, [width, step]), "{taps:?}, {width}, {step}");
        }
        assert!(!add_taps(&mut [0; 4], &x, usize::MAX, &[1; 3], [1, 1]), "no overflow");
        assert!(add_taps(&mut [0; 4], &x, usize::MAX, &[], [1, 1]), "no lines");
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
