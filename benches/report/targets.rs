//! What the filters are meant to reach.

use foveola_cli::bench::Bound;

/// Shares of a limit that one thread should reach; one of them will do.
const FRACTIONS: [(&str, &[(Bound, f64)]); 11] = [
    ("conv3d_10x10x10", &[(Bound::MultiplyAdd, 0.80)]),
    ("conv3d_5x5x5", &[(Bound::MultiplyAdd, 0.75)]),
    ("conv3d_1x10x10_1to5", &[(Bound::MultiplyAdd, 0.75)]),
    ("conv3d_3x3x3_8to8", &[(Bound::MultiplyAdd, 0.80)]),
    ("conv2d_3x3", &[(Bound::MultiplyAdd, 0.45), (Bound::Copy, 0.80)]),
    ("conv2d_9x9", &[(Bound::MultiplyAdd, 0.75)]),
    ("low_pass", &[(Bound::Copy, 0.80)]),
    ("delay_100", &[(Bound::Copy, 0.80)]),
    ("diff", &[(Bound::Copy, 0.80)]),
    ("rectify", &[(Bound::Copy, 0.80)]),
    ("rf_128x128x10_5ch", &[(Bound::Read, 0.80)]),
];

/// Frames a second of the `PyTorch` implementation that foveola began from, with two threads on two cores of an AMD EPYC; how
/// many times as fast foveola should be with two threads, and how many times term by term where another plan is faster.
const SEED: [(&str, f64, f64, Option<f64>); 11] = [
    ("conv3d_10x10x10", 299.0, 50.0, Some(16.0)),
    ("conv3d_5x5x5", 1143.0, 30.0, None),
    ("conv3d_1x10x10_1to5", 1332.0, 7.5, None),
    ("conv3d_3x3x3_8to8", 650.0, 4.5, None),
    ("conv2d_9x9", 1328.0, 35.0, None),
    ("conv1d_100", 4429.0, 25.0, None),
    ("smooth_conv_n6_10x10", 195.0, 30.0, None),
    ("low_pass", 13249.0, 4.0, None),
    ("delay_100", 43689.0, 3.0, None),
    ("variable_delay", 1465.0, 80.0, None),
    ("cascade_conv_rf", 394.0, 15.0, None),
];

/// Threads of the seed.
pub(crate) const SEED_THREADS: usize = 2;
/// How many times as fast two threads should be where one takes longer for a frame than these seconds.
pub(crate) const SCALING: (f64, f64) = (1.8, 200e-6);

/// The shares of limits that the workload should reach with one thread, one of them at least.
pub(crate) fn fractions(workload: &str) -> &'static [(Bound, f64)] {
    FRACTIONS.iter().find(|(name, _)| *name == workload).map_or(&[], |(_, fractions)| fractions)
}

/// Frames a second of the seed.
pub(crate) fn seed(workload: &str) -> Option<f64> {
    SEED.iter().find(|(name, ..)| *name == workload).map(|(_, frames, ..)| *frames)
}

/// How many times as fast as the seed: term by term, or with the best plan.
pub(crate) fn multiple(workload: &str, direct: bool) -> Option<f64> {
    let (.., best, term_by_term) = SEED.iter().find(|(name, ..)| *name == workload)?;
    if direct { *term_by_term } else { Some(*best) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use foveola_cli::bench::table;

    #[test]
    fn targets_are_of_the_table() {
        let names = FRACTIONS.iter().map(|(name, _)| name).chain(SEED.iter().map(|(name, ..)| name));
        for name in names {
            assert!(table().iter().any(|workload| workload.name == *name), "no workload {name}");
        }
        assert_eq!((multiple("conv3d_10x10x10", true), multiple("conv3d_10x10x10", false)), (Some(16.0), Some(50.0)));
        assert_eq!((multiple("low_pass", true), multiple("diff", false)), (None, None));
    }
}
