//! Memory that cannot be had is `Error::Memory`, never the end of the process; and what a call takes is bounded.
//!
//! An allocator that grants a budget stands in for the system's. Each case runs in a process of its own, with budgets that rise
//! until it succeeds: every time before, it must say what it lacked. What is below 32 kB is granted always, as on a system that
//! overcommits: it is what messages and tables take.

use foveola::{Algorithm, Conv3d, Delay, Error, LowPass, Model, RF, Resolution, Result, SmoothConv, Sum};
use ndarray::{Array3, Array5, ArrayD, IxDyn};
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

struct Budget;

/// Bytes that are left, and the most that were taken of it at a time.
static LEFT: AtomicIsize = AtomicIsize::new(isize::MAX);
static TAKEN: AtomicIsize = AtomicIsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// Smaller allocations do not count.
const SMALL: usize = 32 << 10;

#[global_allocator]
static ALLOCATOR: Budget = Budget;

impl Budget {
    fn take(bytes: usize) -> bool {
        if bytes < SMALL {
            return true;
        }
        let bytes = bytes as isize;
        if LEFT.fetch_sub(bytes, Ordering::Relaxed) < bytes {
            LEFT.fetch_add(bytes, Ordering::Relaxed);
            return false;
        }
        let taken = TAKEN.fetch_add(bytes, Ordering::Relaxed) + bytes;
        MOST.fetch_max(taken.max(0) as usize, Ordering::Relaxed);
        true
    }

    fn give(bytes: usize) {
        if bytes >= SMALL {
            LEFT.fetch_add(bytes as isize, Ordering::Relaxed);
            TAKEN.fetch_sub(bytes as isize, Ordering::Relaxed);
        }
    }
}

// SAFETY: memory is the system's allocator's, unchanged, or none at all; counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for Budget {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !Self::take(layout.size()) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !Self::take(layout.size()) {
            return std::ptr::null_mut();
        }
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !Self::take(size) {
            return std::ptr::null_mut();
        }
        // SAFETY: as above.
        let moved = unsafe { System.realloc(pointer, layout, size) };
        Self::give(if moved.is_null() { size } else { layout.size() });
        moved
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        Self::give(layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

const RESOLUTION: Resolution = Resolution::DEFAULT;

fn movie(frames: usize, rows: usize, cols: usize) -> Array3<f32> {
    Array3::from_shape_fn((frames, rows, cols), |(t, r, c)| ((t * 7 + r * 3 + c) % 11) as f32)
}

fn conv(size: [usize; 3], way: Algorithm) -> Result<Conv3d> {
    let weights = |(t, r, c)| ((t * 5 + r * r + c * 3) % 7) as f32 / 100.0;
    let kernel = Array3::from_shape_fn((size[0], size[1], size[2]), weights);
    Conv3d::new(1, 1, [1, 1, 1])?.with_algorithm(way).with_weight(kernel)
}

fn low_pass() -> Result<LowPass> {
    LowPass::new(0.01, RESOLUTION)
}

/// Feeds a stream, with states saved and restored on the way, and says how far it came.
fn stream(mut model: Model, input: &Array3<f32>) -> Result<()> {
    let half = input.dim().0 / 2;
    let (first, second) = input.view().split_at(ndarray::Axis(0), half);
    model.process(first)?;
    model.push_state();
    model.process(second)?;
    model.pop_state()?;
    model.run(second, 3)?;
    Ok(())
}

/// What is tried: everything before the budget is armed, and what then runs within it.
type Case = (&'static str, fn() -> Box<dyn FnOnce() -> Result<()>>);

const CASES: [Case; 12] = [
    ("a direct convolution", || {
        let input = movie(8, 128, 128);
        Box::new(move || stream(Model::of(conv([5, 5, 5], Algorithm::Direct)?), &input))
    }),
    ("the frequency domain", || {
        let input = movie(8, 200, 200);
        Box::new(move || stream(Model::of(conv([3, 31, 31], Algorithm::Fft)?), &input))
    }),
    ("the frequency domain behind a recursion, two threads", || {
        let input = movie(8, 200, 200);
        let model = || {
            Ok::<_, Error>(
                Model::new().then(low_pass()?).then(conv([2, 31, 31], Algorithm::Fft)?).with_threads(2).eager(),
            )
        };
        Box::new(move || stream(model()?, &input))
    }),
    ("a separable kernel", || {
        let input = movie(8, 128, 128);
        let mut blur = foveola::Conv2d::new(1, 1, [1, 1]).expect("a kernel").with_algorithm(Algorithm::Separable);
        blur.set_gaussian(0.5, RESOLUTION).expect("a sigma");
        Box::new(move || stream(Model::of(blur), &input))
    }),
    ("SmoothConv", || {
        let input = movie(8, 128, 128);
        Box::new(move || stream(Model::of(SmoothConv::gaussian(4, 0.01, 0.2, RESOLUTION)?), &input))
    }),
    ("a delay", || {
        let input = movie(8, 128, 128);
        Box::new(move || stream(Model::of(Delay::new(100)), &input))
    }),
    ("a receptive field", || {
        let input = movie(8, 128, 128);
        Box::new(move || stream(Model::of(RF::new(1, 1, 20)?), &input))
    }),
    ("a receptive field that is shown larger frames", || {
        let mut model = Model::of(RF::new(1, 2, 8).expect("a field"));
        model.process(movie(2, 64, 64)).expect("memory");
        model.clear_state();
        let input = movie(8, 128, 128);
        Box::new(move || stream(model, &input))
    }),
    ("many layers", || {
        let input = movie(40, 128, 128);
        let model = || {
            let mut model = Model::new();
            for _ in 0..10 {
                model.push(low_pass()?);
            }
            Ok::<_, Error>(model)
        };
        Box::new(move || stream(model()?, &input))
    }),
    ("a batch out of order", || {
        let input = Array5::<f32>::ones((3, 2, 20, 64, 64));
        let model =
            || Ok::<_, Error>(Model::new().then(low_pass()?).then(low_pass()?).then(Sum::new(foveola::Axis::Channel)));
        Box::new(move || model()?.run(&input, 7).map(|_| ()))
    }),
    ("a weight", || {
        let weight = ArrayD::<f32>::ones(IxDyn(&[64, 64, 3, 3, 3]));
        Box::new(move || {
            let mut conv = Conv3d::new(64, 64, [3, 3, 3])?;
            conv.set_weight(foveola::Weight::from(weight))?;
            Conv3d::new(64, 64, [3, 3, 3])?.set_weight(0.5)
        })
    }),
    ("a sum", || {
        let input = Array5::<f32>::ones((2, 2, 4, 64, 64));
        Box::new(move || foveola::sum(&[input.view(), input.view()], 0).map(|_| ()))
    }),
];

/// A process of its own: the exit code tells what became of the case.
const SUCCEEDED: u8 = 10;
const SAID_SO: u8 = 11;
const SAID_ELSE: u8 = 12;

fn child(case: usize, budget: isize) -> ExitCode {
    let work = CASES[case].1();
    LEFT.store(budget, Ordering::Relaxed);
    let result = work();
    LEFT.store(isize::MAX, Ordering::Relaxed);
    match result {
        Ok(()) => ExitCode::from(SUCCEEDED),
        Err(Error::Memory { what, samples }) => {
            println!("{what}: {samples} samples");
            ExitCode::from(SAID_SO)
        }
        Err(error) => {
            println!("{error}");
            ExitCode::from(SAID_ELSE)
        }
    }
}

/// Runs a case with ever larger budgets.
fn budgets(index: usize) -> std::result::Result<usize, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let (mut budget, mut refused) = (0.0_f64, 0);
    loop {
        let child =
            Command::new(&program).args(["--child", &index.to_string(), &(budget as isize).to_string()]).output();
        let child = child.map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&child.stdout).trim().to_string();
        match child.status.code().and_then(|code| u8::try_from(code).ok()) {
            Some(SUCCEEDED) => break,
            Some(SAID_SO) => refused += 1,
            _ => {
                let complaint = String::from_utf8_lossy(&child.stderr).trim().to_string();
                return Err(format!("with {budget} bytes: {} {said} {complaint}", child.status));
            }
        }
        budget = (budget * 1.25).max(SMALL as f64);
    }
    if refused == 0 { Err("it took no memory at all".into()) } else { Ok(refused) }
}

/// The most memory that `work` holds at a time, in bytes.
fn most(work: impl FnOnce()) -> usize {
    let before = TAKEN.load(Ordering::Relaxed);
    MOST.store(before.max(0) as usize, Ordering::Relaxed);
    work();
    MOST.load(Ordering::Relaxed) - before.max(0) as usize
}

/// What is held between the layers does not grow with the chunk or the batch.
fn bounded() {
    let input = movie(200, 128, 128); // 13 MB
    let bytes = input.len() * 4;
    let layers = |count: usize| {
        let mut model = Model::new().with_threads(1);
        for _ in 0..count {
            model.push(LowPass::new(0.01, RESOLUTION).expect("a time constant"));
        }
        model.then(conv([10, 1, 1], Algorithm::Direct).expect("a kernel"))
    };
    for count in [1, 20] {
        let mut model = layers(count);
        let first = most(|| assert!(!black_box(model.process(&input).expect("memory")).is_empty(), "an output"));
        println!("{count} layers, a first chunk of {bytes} bytes: {first}");
        // The output, the nine frames of each layer that padding begins with, and a few MB.
        let most = bytes + 9 * count * (4 * 128 * 128) + (4 << 20);
        assert!(
            first < most,
            "{count} layers took {first} bytes for a first chunk of {bytes}; expected less than {most}"
        );
    }
    // Two streams of 100 frames.
    let batch = input.clone().into_shape_with_order((2, 1, 100, 128, 128)).expect("as many samples");
    let mut model = layers(20);
    let first = most(|| assert!(!black_box(model.process(&batch).expect("memory")).is_empty(), "an output"));
    println!("20 layers, a batch of {bytes} bytes: {first}");
    let most_of_batch = bytes + 9 * 2 * 20 * (4 * 128 * 128) + (24 << 20);
    assert!(
        first < most_of_batch,
        "20 layers took {first} bytes for a batch of {bytes}; expected less than {most_of_batch}"
    );

    // A whole recording does not copy the state, which is 66 MB here.
    let mut delay = Model::of(Delay::new(1000)).with_threads(1);
    delay.process(movie(1, 128, 128)).expect("memory");
    let recording = movie(10, 128, 128);
    let taken = most(|| drop(black_box(delay.run(&recording, 1).expect("memory"))));
    println!("a recording of {} bytes through a delay of 1000 frames: {taken}", recording.len() * 4);
    assert!(taken < recording.len() * 4 + (2 << 20), "{taken} bytes for a recording of {}", recording.len() * 4);
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--child") {
        let number = |i: usize| arguments.get(at + i).and_then(|number| number.parse::<isize>().ok()).unwrap_or(0);
        return child(number(1) as usize, number(2));
    }
    if arguments.iter().any(|argument| argument == "--list") {
        println!("memory: test");
        return ExitCode::SUCCESS;
    }
    println!("running {} tests", CASES.len() + 1);
    let mut failed = 0;
    for (i, (name, _)) in CASES.iter().enumerate() {
        match budgets(i) {
            Ok(refused) => println!("test {name} ... ok ({refused} budgets were too small, and it said so)"),
            Err(error) => {
                println!("test {name} ... FAILED: {error}");
                failed += 1;
            }
        }
    }
    match std::panic::catch_unwind(bounded) {
        Ok(()) => println!("test bounded ... ok"),
        Err(_) => failed += 1,
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    let passed = CASES.len() + 1 - failed;
    println!("\ntest result: {verdict}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out");
    ExitCode::from(u8::from(failed > 0))
}
