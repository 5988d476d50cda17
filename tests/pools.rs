//! Models among the threads of others: behind locks, in pools of `rayon`, in tasks of `tokio`. No call waits for a lock that its
//! own thread holds, no stack overflows, the output is the same, and threads end with the last model that uses them.
//!
//! One test after another, in one: they count the threads of the process.

use foveola::{Conv3d, Model, SmoothConv};
use ndarray::{Array3, Array5, ArrayD, IxDyn};
use rayon::prelude::*;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than any of these takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// A model that shares out all its work, down to the smallest piece.
fn model(threads: usize) -> Model {
    let spatial = ArrayD::from_elem(IxDyn(&[3, 3, 3]), 1.0_f32 / 27.0);
    let smooth = SmoothConv::new(&[0.01; 3], spatial, foveola::Resolution::DEFAULT).expect("three stages");
    let conv = Conv3d::new(1, 2, [2, 3, 3]).expect("a kernel");
    Model::new().then(smooth).then(conv).with_threads(threads).eager()
}

fn movie() -> Array3<f32> {
    Array3::from_shape_fn((6, 16, 24), |(t, r, c)| ((t * 7 + r * 3 + c) % 11) as f32)
}

/// Runs `work` on a thread of its own, and fails where it does not end.
fn ends(what: &str, work: impl FnOnce() + Send + 'static) {
    let (done, ended) = channel();
    let worker = thread::Builder::new().name(what.into()).spawn(move || {
        work();
        let _ = done.send(());
    });
    let worker = worker.expect("a thread");
    match ended.recv_timeout(PATIENCE) {
        Ok(()) => worker.join().expect("it ended"),
        // Dropped without a word: it panicked.
        Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => match worker.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => panic!("{what}: no word"),
        },
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("{what}: still waiting after {PATIENCE:?}"),
    }
}

/// Threads of foveola's pools; none where the system does not tell.
fn pooled() -> Option<usize> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    Some(names.filter(|name| name.starts_with("foveola ")).count())
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool")
}

/// 400 tasks that want one model, in the pool of the caller.
fn behind_a_mutex(threads: usize, of_model: usize) {
    ends(&format!("a Mutex in a pool of {threads}, a model of {of_model}"), move || {
        let model = Mutex::new(model(of_model));
        // Entered from outside first, so that it has a pool.
        model.lock().expect("no panic").process(movie()).expect("a good chunk");
        pool(threads).install(|| {
            (0..400).into_par_iter().for_each(|_| {
                let mut model = model.lock().expect("no panic");
                model.process(movie()).expect("a good chunk");
            });
        });
        assert_eq!(model.lock().expect("no panic").time(), 401 * 6, "all chunks were fed");
    });
}

/// 1,000 models, each in a task.
fn many_models(threads: usize, expected: &Arc<Array5<f32>>) {
    let expected = Arc::clone(expected);
    ends(&format!("1,000 models in a pool of {threads}"), move || {
        let mut models: Vec<Model> = (0..1000).map(|i| model(i % 3)).collect();
        pool(threads).install(|| {
            models.par_iter_mut().for_each(|model| {
                assert_eq!(model.process(movie()).expect("a good chunk"), *expected, "the output");
            });
        });
    });
}

fn nested_loops(expected: &Arc<Array5<f32>>) {
    let expected = Arc::clone(expected);
    ends("nested loops", move || {
        let shared = Mutex::new(model(2));
        (0..20).into_par_iter().for_each(|_| {
            (0..20).into_par_iter().for_each(|_| {
                assert_eq!(model(2).process(movie()).expect("a good chunk"), *expected, "the output");
                let mut shared = shared.lock().expect("no panic");
                shared.process(movie()).expect("a good chunk");
            });
        });
    });
}

fn threads_of_std(expected: &Arc<Array5<f32>>) {
    let expected = Arc::clone(expected);
    ends("threads of std", move || {
        let shared = Mutex::new(model(2));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        assert_eq!(model(2).process(movie()).expect("a good chunk"), *expected, "the output");
                        shared.lock().expect("no panic").process(movie()).expect("a good chunk");
                    }
                });
            }
        });
        assert_eq!(shared.into_inner().expect("no panic").time(), 8 * 20 * 6, "all chunks were fed");
    });
}

fn blocking_tasks(expected: &Arc<Array5<f32>>) {
    let expected = Arc::clone(expected);
    ends("tasks of tokio", move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).max_blocking_threads(8).build();
        let runtime = runtime.expect("a runtime");
        let shared = Arc::new(Mutex::new(model(2)));
        runtime.block_on(async {
            let tasks: Vec<_> = (0..100)
                .map(|_| {
                    let (shared, expected) = (Arc::clone(&shared), Arc::clone(&expected));
                    tokio::task::spawn_blocking(move || {
                        assert_eq!(model(2).process(movie()).expect("a good chunk"), *expected, "the output");
                        shared.lock().expect("no panic").process(movie()).expect("a good chunk");
                    })
                })
                .collect();
            for task in tasks {
                task.await.expect("no panic");
            }
        });
    });
}

/// Pools are shared while they are used, and end with the last model.
fn pools_end() {
    if pooled().is_none() {
        println!("left out: this system does not tell which threads a process has");
        return;
    }
    let settle = |expected: usize| {
        let from = Instant::now();
        while pooled() != Some(expected) {
            assert!(from.elapsed() < PATIENCE, "{:?} threads; expected {expected}", pooled());
            thread::sleep(Duration::from_millis(5));
        }
    };
    settle(0);
    let mut models: Vec<Model> = (2..=6).chain(2..=6).map(model).collect();
    for model in &mut models {
        model.process(movie()).expect("a good chunk");
    }
    settle(2 + 3 + 4 + 5 + 6);
    models.truncate(5);
    settle(2 + 3 + 4 + 5 + 6);
    models.truncate(1);
    settle(2);
    models.clear();
    settle(0);
}

#[test]
fn models_among_other_threads() {
    let expected = Arc::new(model(1).process(movie()).expect("a good chunk").to_owned());
    for threads in [1, 2, 4] {
        for of_model in [0, 1, 2, 3] {
            behind_a_mutex(threads, of_model);
        }
        many_models(threads, &expected);
    }
    nested_loops(&expected);
    threads_of_std(&expected);
    blocking_tasks(&expected);
    pools_end();
}
