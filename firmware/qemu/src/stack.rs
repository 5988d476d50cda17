//! How deep the stack ever was: cortex-m-rt has painted it before `main`, and what is still painted was never used.

/// What the stack is painted with, and its ends, the lower one first.
const PAINT: u32 = cortex_m_rt::STACK_PAINT_VALUE;

unsafe extern "C" {
    static _stack_end: u32;
    static _stack_start: u32;
}

/// Bytes of the stack that were used so far, at most: a word that was written with the paint's own value counts as unused only
/// where nothing below it was used.
pub fn high_water() -> usize {
    let (end, start) = (&raw const _stack_end, &raw const _stack_start);
    let mut unused = end;
    // SAFETY: cortex-m-rt's linker script puts both symbols at the ends of the stack, at multiples of 4, and only whole words
    // between them are read. The part of the stack that is in use is not written through this pointer, and reads of it are
    // volatile, so that the compiler assumes nothing about what they find.
    while unused < start && unsafe { unused.read_volatile() } == PAINT {
        unused = unused.wrapping_add(1);
    }
    start.addr() - unused.addr()
}
