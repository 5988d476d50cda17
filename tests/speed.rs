//! The vectors that the CPU turns out to have are used, and pay off: in one run, turn by turn, against those that the
//! compilation assumes. A ratio of times says so on any machine; times themselves do not.

use foveola::{Algorithm, Conv3d, Model, Precision, SimdLevel};
use foveola_tests::random::array;
use ndarray::Array5;
use std::hint::black_box;
use std::time::Instant;

/// By how much wider vectors must be faster. Twice as wide with fused multiply-adds they do up to four times as much in an
/// instruction; a build in which a function of the inner loops is not inlined loses a factor of ten.
const LEAST: f64 = 1.5;

/// Comparisons; the best one counts. A neighbour on the same core can spoil any of them, but can hardly make one.
const ROUNDS: usize = 10;

/// Frames of each model in a round, one by one and in turns, of which the medians are compared.
const TURNS: usize = 7;

/// Median of the times of a frame of each model.
fn medians(models: &mut [Model], frame: &Array5<f32>) -> Vec<f64> {
    let mut times = vec![Vec::new(); models.len()];
    for _ in 0..TURNS {
        for (model, times) in models.iter_mut().zip(&mut times) {
            let start = Instant::now();
            black_box(model.process(frame).expect("a frame").first());
            times.push(start.elapsed().as_secs_f64());
        }
    }
    times.iter_mut().for_each(|times| times.sort_by(f64::total_cmp));
    times.iter().map(|times| times[TURNS / 2]).collect()
}

#[test]
fn the_vectors_of_this_cpu_pay_off() {
    let best = SimdLevel::available().last().copied().unwrap_or(SimdLevel::Baseline);
    if best < SimdLevel::Avx2 {
        println!("skipped: the best vectors of this CPU are those of {best:?}, no wider than the baseline's");
        return;
    }
    let conv = || {
        let weight = array(1, (10, 10, 10)).mapv(|w| w as f32);
        let conv = Conv3d::new(1, 1, [10; 3]).and_then(|conv| conv.with_weight(weight));
        conv.expect("a kernel").with_algorithm(Algorithm::Direct)
    };
    let precisions = [Precision::Fast, Precision::AtMost(SimdLevel::Baseline), Precision::Reproducible];
    let mut models = precisions.map(|precision| Model::of(conv()).with_precision(precision).with_threads(1));
    let frame: Array5<f32> = array(2, (1, 1, 1, 128, 128)).mapv(|x| x as f32);
    medians(&mut models, &frame);
    let mut ratios = [0.0_f64; 2];
    for round in 0..ROUNDS {
        let times = medians(&mut models, &frame);
        for (ratio, slow) in ratios.iter_mut().zip(&times[1..]) {
            *ratio = ratio.max(slow / times[0]);
        }
        println!(
            "round {round}: {:.0} us with {best:?}; others {:.2} and {:.2} times",
            times[0] * 1e6,
            times[1] / times[0],
            times[2] / times[0]
        );
    }
    println!("best ratios {ratios:?}");
    for (ratio, than) in ratios.iter().zip(&precisions[1..]) {
        assert!(*ratio > LEAST, "{best:?} is {ratio:.2} times as fast as {than:?} at best; expected more than {LEAST}");
    }
}
