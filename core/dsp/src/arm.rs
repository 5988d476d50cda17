//! The instructions, and the loops in which the compiler would move sums and addresses between registers and the stack.

use super::COLS;
use core::arch::asm;
use core::ops::Range;

#[inline(always)]
pub(super) const fn word([low, high]: [i16; 2]) -> u32 {
    low.cast_unsigned() as u32 | (high.cast_unsigned() as u32) << 16
}

macro_rules! instruction {
    ($name:ident) => {
        #[inline(always)]
        pub(super) fn $name(x: u32, w: u32, sum: i32) -> i32 {
            let out;
            // Not `pure`: the order of the instructions would change, and sums would leave their registers.
            // SAFETY: the instruction reads and writes these registers alone, and the flag Q, which is not said to be kept.
            unsafe {
                asm!(
                    concat!(stringify!($name), " {}, {}, {}, {}"),
                    lateout(reg) out,
                    in(reg) x,
                    in(reg) w,
                    in(reg) sum,
                    options(nomem, nostack)
                );
            }
            out
        }
    };
}
instruction!(smlad);
instruction!(smlabb);
instruction!(smlabt);
instruction!(smlatb);
instruction!(smlatt);

/// Adds lines of `width` taps to the sums of four columns; whether there is a loop for that width.
///
/// # Safety
/// From `x` on, `width + 3` samples can be read, and as many for each further line of `taps`, `pitch` bytes after those of the
/// one before.
#[inline(always)]
pub(super) unsafe fn lines<L>(
    width: usize,
    sums: &mut [i32],
    x: *const i16,
    pitch: usize,
    taps: Range<*const L>,
) -> bool {
    let Ok([a, b, c, d]) = <&mut [i32; COLS]>::try_from(sums) else { return false };
    // `t` are two samples; `u` and `v` are two taps each, whose numbers stand beside the loads.
    macro_rules! each_line {
        ($($instruction:literal)*) => {
            // SAFETY: the caller's. The loads are those of a line of taps and its samples; nothing is written but registers.
            unsafe {
                asm!(
                    "2:",
                    $($instruction,)*
                    "add {x}, {x}, {pitch}",
                    "cmp {taps}, {end}",
                    "bne 2b",
                    x = inout(reg) x => _,
                    taps = inout(reg) taps.start => _,
                    end = in(reg) taps.end,
                    pitch = in(reg) pitch,
                    a = inout(reg) *a,
                    b = inout(reg) *b,
                    c = inout(reg) *c,
                    d = inout(reg) *d,
                    t = out(reg) _,
                    u = out(reg) _,
                    v = out(reg) _,
                    options(nostack, readonly)
                );
            }
        };
    }
    match width {
        3 => each_line!(
            "ldr {u}, [{taps}], #6" // 0 1
            "ldr {v}, [{taps}, #-4]" // 1 2
            "ldr {t}, [{x}]"
            "smlad {a}, {t}, {u}, {a}"
            "smlatb {b}, {t}, {u}, {b}"
            "ldr {t}, [{x}, #4]"
            "smlabt {a}, {t}, {v}, {a}"
            "smlad {b}, {t}, {v}, {b}"
            "smlad {c}, {t}, {u}, {c}"
            "smlatb {d}, {t}, {u}, {d}"
            "ldr {t}, [{x}, #8]"
            "smlabt {c}, {t}, {v}, {c}"
            "smlad {d}, {t}, {v}, {d}"
        ),
        5 => each_line!(
            "ldr {u}, [{taps}], #10" // 0 1
            "ldr {v}, [{taps}, #-8]" // 1 2
            "ldr {t}, [{x}]"
            "smlad {a}, {t}, {u}, {a}"
            "smlatb {b}, {t}, {u}, {b}"
            "ldr {t}, [{x}, #4]"
            "smlad {c}, {t}, {u}, {c}"
            "smlatb {d}, {t}, {u}, {d}"
            "smlad {b}, {t}, {v}, {b}"
            "ldr {u}, [{taps}, #-6]" // 2 3
            "smlad {a}, {t}, {u}, {a}"
            "ldr {t}, [{x}, #8]"
            "smlad {d}, {t}, {v}, {d}"
            "smlad {c}, {t}, {u}, {c}"
            "ldr {v}, [{taps}, #-4]" // 3 4
            "smlabt {a}, {t}, {v}, {a}"
            "smlad {b}, {t}, {v}, {b}"
            "ldr {t}, [{x}, #12]"
            "smlabt {c}, {t}, {v}, {c}"
            "smlad {d}, {t}, {v}, {d}"
        ),
        7 => each_line!(
            "ldr {u}, [{taps}], #14" // 0 1
            "ldr {v}, [{taps}, #-12]" // 1 2
            "ldr {t}, [{x}]"
            "smlad {a}, {t}, {u}, {a}"
            "smlatb {b}, {t}, {u}, {b}"
            "ldr {t}, [{x}, #4]"
            "smlad {c}, {t}, {u}, {c}"
            "smlatb {d}, {t}, {u}, {d}"
            "smlad {b}, {t}, {v}, {b}"
            "ldr {u}, [{taps}, #-10]" // 2 3
            "smlad {a}, {t}, {u}, {a}"
            "ldr {t}, [{x}, #8]"
            "smlad {d}, {t}, {v}, {d}"
            "smlad {c}, {t}, {u}, {c}"
            "ldr {v}, [{taps}, #-8]" // 3 4
            "smlad {b}, {t}, {v}, {b}"
            "ldr {u}, [{taps}, #-6]" // 4 5
            "smlad {a}, {t}, {u}, {a}"
            "ldr {t}, [{x}, #12]"
            "smlad {d}, {t}, {v}, {d}"
            "smlad {c}, {t}, {u}, {c}"
            "ldr {v}, [{taps}, #-4]" // 5 6
            "smlabt {a}, {t}, {v}, {a}"
            "smlad {b}, {t}, {v}, {b}"
            "ldr {t}, [{x}, #16]"
            "smlabt {c}, {t}, {v}, {c}"
            "smlad {d}, {t}, {v}, {d}"
        ),
        _ => return false,
    }
    true
}

/// Steps of recursions: of four states and again of four, until none is left. `z` is the state, in `$step` too, and `t` is free there.
macro_rules! each_state {
    ([$($step:literal)*], [$count:ident, $y:ident, $c:ident, $gain:ident, $down:ident], $($operand:tt)*) => {
        asm!(
            "2:",
            ".rept 4",
            "ldrsh {z}, [{y}]",
            "ldrsh {t}, [{c}]",
            "add {z}, {t}, {z}, lsl #15",
            $($step,)*
            "add {t}, {z}, #0x4000",
            "ssat {t}, #16, {t}, asr #15",
            "strh {t}, [{y}], #2",
            "sub {z}, {z}, {t}, lsl #15",
            "strh {z}, [{c}], #2",
            ".endr",
            "subs {count}, {count}, #4",
            "bne 2b",
            y = inout(reg) $y => _,
            c = inout(reg) $c => _,
            count = inout(reg) $count => _,
            gain = in(reg) i32::from($gain),
            down = in(reg) $down,
            z = out(reg) _,
            t = out(reg) _,
            $($operand)*
            options(nostack)
        )
    };
}

/// [`approach`](super::approach) for a multiple of four states, at least four.
///
/// # Safety
/// `count` integers can be read and written at each address.
#[inline(always)]
pub(super) unsafe fn approach(targets: *mut i32, y: *mut i16, c: *mut i16, count: usize, gain: i16, down: u32) {
    // SAFETY: the caller's; nothing else is read or written.
    unsafe {
        each_state!(
            [
                "ldr {t}, [{targets}]"
                "sub {t}, {t}, {z}"
                "smulwb {t}, {t}, {gain}"
                "asr {t}, {t}, {down}"
                "add {z}, {z}, {t}"
                "str {z}, [{targets}], #4"
            ],
            [count, y, c, gain, down],
            targets = inout(reg) targets => _,
        );
    }
}

/// [`approach_samples`](super::approach_samples) for a multiple of four states, at least four.
///
/// # Safety
/// `count` integers can be read at `x`, and written at each other address.
#[inline(always)]
pub(super) unsafe fn approach_samples(x: *const i16, y: *mut i16, c: *mut i16, count: usize, gain: i16, down: u32) {
    // SAFETY: the caller's; nothing else is read or written.
    unsafe {
        each_state!(
            [
                "ldrsh {t}, [{x}], #2"
                "rsb {t}, {z}, {t}, lsl #15"
                "smulwb {t}, {t}, {gain}"
                "asr {t}, {t}, {down}"
                "add {z}, {z}, {t}"
            ],
            [count, y, c, gain, down],
            x = inout(reg) x => _,
        );
    }
}

/// [`approach_amplified`](super::approach_amplified) for a multiple of four states, at least four.
///
/// # Safety
/// `count` integers can be read at `x`, and written at each other address.
#[inline(always)]
pub(super) unsafe fn approach_amplified(
    x: *const i16,
    states: *mut i32,
    [y, c]: [*mut i16; 2],
    count: usize,
    gain: i16,
    [down, of_x]: [u32; 2],
) {
    // SAFETY: the caller's; nothing else is read or written.
    unsafe {
        each_state!(
            [
                "smulwb {t}, {z}, {gain}"
                "asr {t}, {t}, {down}"
                "sub {z}, {z}, {t}"
                "ldrsh {t}, [{x}], #2"
                "smulbb {t}, {t}, {gain}"
                "asr {t}, {t}, {of_x}"
                "add {z}, {z}, {t}"
                "ssat {z}, #31, {z}"
                "str {z}, [{states}], #4"
            ],
            [count, y, c, gain, down],
            x = inout(reg) x => _,
            states = inout(reg) states => _,
            of_x = in(reg) of_x,
        );
    }
}
