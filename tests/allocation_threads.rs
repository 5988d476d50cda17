//! What several threads allocate while a stream runs: nothing of their own, but `rayon` queues each piece that is handed to
//! its pool, in blocks of 63. Counted over all threads of the process, so there is no test harness with threads of its own.

use foveola::{Algorithm, Conv1d, Conv2d, Conv3d, LowPass, Model, Precision, Resolution, SmoothConv};
use foveola_tests::random::array;
use ndarray::Array5;
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

/// Allocations and reallocations of all threads.
static COUNT: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to the system's allocator unchanged; counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Pieces in a block of the queue by which `rayon` takes work from outside its pool (`crossbeam_deque::Injector`).
const QUEUE: usize = 63;

const PIECES: usize = 1000;

fn main() {
    let noise = |kt: usize, k: usize, way| {
        let weight = array(1, (kt, k, k)).mapv(|w| w as f32);
        let conv = Conv3d::new(1, 1, [kt, k, k]).and_then(|conv| conv.with_weight(weight));
        Model::of(conv.expect("a kernel").with_algorithm(way))
    };
    let ones = Conv2d::new(1, 1, [9, 9]).expect("a kernel").with_algorithm(Algorithm::Separable);
    let smooth = SmoothConv::gaussian(3, 0.01, 0.1, Resolution::DEFAULT).expect("a width");
    let low_pass = LowPass::new(0.01, Resolution::DEFAULT).expect("a time constant");
    let cases = [
        ("tap by tap", noise(3, 5, Algorithm::Direct)),
        ("FFT", noise(3, 9, Algorithm::Fft)),
        ("separable", Model::of(ones)),
        ("SmoothConv", Model::of(smooth)),
        ("LowPass", Model::of(low_pass)),
        ("Conv1d", Model::of(Conv1d::new(1, 1, 8).expect("a length"))),
        ("reproducible", noise(3, 5, Algorithm::Direct).with_precision(Precision::Reproducible)),
    ];
    for (name, model) in cases {
        let mut model = model;
        for threads in [1, 2, 4] {
            model = model.with_threads(threads).eager();
            let frame: Array5<f32> = array(3, (2, 1, 1, 24, 32)).mapv(|x| x as f32);
            let mut feed = |times: usize| {
                for _ in 0..times {
                    black_box(model.process(&frame).expect("frames that fit").first());
                }
            };
            feed(2 * QUEUE);
            // The least of three: threads of a pool that nobody uses any more allocate while they end.
            let mut count = || {
                let before = COUNT.load(Ordering::Relaxed);
                feed(PIECES);
                COUNT.load(Ordering::Relaxed) - before
            };
            let made = count().min(count()).min(count());
            let most = if threads == 1 { 0 } else { PIECES / QUEUE + 4 };
            assert!(made <= most, "{name}, {threads} threads: {made} for {PIECES} pieces; expected {most} at most");
        }
    }
    println!("test what_threads_allocate ... ok");
    println!("test result: ok. 1 passed; 0 failed; 0 ignored");
}
