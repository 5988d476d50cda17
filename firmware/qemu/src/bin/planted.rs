//! A program of which everything is proven, unless a fault is planted with a feature: a test of `proofs.sh`.

#![no_std]
#![no_main]

use core::hint::black_box;
use core::sync::atomic::{AtomicU32, Ordering};
use cortex_m_rt::entry;

static STATIC: AtomicU32 = AtomicU32::new(7);

#[entry]
fn main() -> ! {
    let depth = black_box(&STATIC).load(Ordering::Relaxed);
    let mut sum = depth;
    if cfg!(feature = "planted-recursion") {
        sum += descend(depth);
    }
    if cfg!(feature = "planted-pointer") {
        let twice: fn(u32) -> u32 = |x| 2 * x;
        sum += black_box(twice)(depth);
    }
    #[cfg(feature = "planted-heap")]
    {
        sum += u32::from(heap::refused());
    }
    STATIC.store(sum, Ordering::Relaxed);
    foveola_qemu::exit(black_box(sum) >= 7)
}

/// How deep it went: as deep as the data say.
fn descend(depth: u32) -> u32 {
    if depth == 0 { 0 } else { black_box(descend(black_box(depth - 1))) + 1 }
}

#[cfg(feature = "planted-heap")]
mod heap {
    extern crate alloc;
    use core::alloc::{GlobalAlloc, Layout};
    use core::hint::black_box;
    use core::ptr::null_mut;

    struct Empty;

    // SAFETY: it never gives memory out, so there is none to misuse.
    unsafe impl GlobalAlloc for Empty {
        unsafe fn alloc(&self, _: Layout) -> *mut u8 {
            black_box(null_mut())
        }
        unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
    }

    #[global_allocator]
    static HEAP: Empty = Empty;

    pub(super) fn refused() -> bool {
        // SAFETY: the layout is not empty.
        black_box(unsafe { alloc::alloc::alloc(Layout::new::<u32>()) }).is_null()
    }
}
