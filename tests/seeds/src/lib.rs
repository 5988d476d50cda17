//! Seeds of the random tests: fixed, so that every run of a test tries the same cases.
//!
//! | variable | what |
//! |---|---|
//! | `FOVEOLA_SEED` | another number gives every test other cases; 0 unless set |
//! | `FOVEOLA_TRIALS` | how many times as many cases; 1 unless set |
//! | `FOVEOLA_SHARE` | one of how many cases, but one at least: for emulated machines; 1 unless set |
//!
//! `./ci.sh soak` sets both and prints them beside what fails. A case that was found becomes a test with a name of its own.

use proptest::test_runner::{Config, RngSeed};
use std::num::NonZeroU32;

/// The seed of a test: of its name, so that each test has its own stream of random numbers, and of `FOVEOLA_SEED`.
///
/// # Panics
/// When `FOVEOLA_SEED` is no number.
pub fn seed(test: &str) -> u64 {
    derive(variable("FOVEOLA_SEED", 0), test)
}

/// FNV-1a over the bytes of the name (Fowler, Noll, Vo 1991), which begins at `seed`.
fn derive(seed: u64, test: &str) -> u64 {
    test.bytes()
        .fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// How many cases a test tries that has `count` of them unless a variable says otherwise.
///
/// # Panics
/// When one of the variables is no number.
pub fn cases(count: u32) -> u32 {
    let share = variable("FOVEOLA_SHARE", NonZeroU32::MIN);
    (count.saturating_mul(variable("FOVEOLA_TRIALS", 1)) / share).max(1)
}

/// [`cases`] of the stream of `test`, which is `module_path!()` in a `proptest!`. Nothing is kept in files.
///
/// # Panics
/// When one of the variables is no number.
pub fn config(count: u32, test: &str) -> Config {
    Config { cases: cases(count), rng_seed: RngSeed::Fixed(seed(test)), failure_persistence: None, ..Config::default() }
}

fn variable<T: std::str::FromStr>(name: &str, otherwise: T) -> T {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| {
            panic!("{name} must be a whole number that fits {}, not '{text}'", std::any::type_name::<T>())
        }),
        Err(std::env::VarError::NotPresent) => otherwise,
        Err(error) => panic!("{name}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::strategy::{Strategy, ValueTree};
    use proptest::test_runner::TestRunner;

    #[test]
    fn each_test_and_each_seed_has_a_stream_of_its_own() {
        let first = |seed, test| {
            let config = Config { rng_seed: RngSeed::Fixed(derive(seed, test)), ..config(1, test) };
            (0..u64::MAX).new_tree(&mut TestRunner::new(config)).expect("a number").current()
        };
        let all = [first(0, "one"), first(0, "two"), first(1, "one"), first(1, "two")];
        assert_eq!(all, [first(0, "one"), first(0, "two"), first(1, "one"), first(1, "two")], "the same again");
        for (i, number) in all.iter().enumerate() {
            assert!(!all[..i].contains(number), "{all:?}");
        }
    }
}
