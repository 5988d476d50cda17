//! The cases on a host, from many seeds; with the first one the report is what the microcontrollers print.

use foveola_faults::model::{CENTRE, Retina, SURROUND, nodes, plan};
use foveola_faults::{Bench, SEED, after_reset, before_reset, damaged_model, run};
use foveola_pipeline::{Application, RetainedBy};
use std::fmt::Write as _;

type Kept = RetainedBy!(Retina);

/// Everything, as `qemu/src/bin/faults.rs` does it, with a copy in place of the reset.
fn report(seed: u64) -> (String, bool) {
    let mut bench = Box::new(Bench::new());
    let mut text = String::new();
    let mut print = |line: &dyn std::fmt::Display| writeln!(text, "{line}").expect("a String grows");
    let mut passed = run(&mut bench, seed, &mut print).expect("a whole model");
    passed &= damaged_model(seed, &mut print).expect("a model");
    let mut retained = Kept::new();
    before_reset(&mut bench, seed, &mut retained, || ()).expect("a whole model");
    // The reset came when a third of the second snapshot was written.
    let [_, second] = retained.words_mut();
    let third = second.len() / 3;
    second[third..].fill(0);
    passed &= after_reset(&mut bench, seed, &mut retained, &mut print).expect("a whole model");
    (text, passed)
}

#[test]
fn every_fault_is_survived_from_every_seed() {
    let first = std::env::var("FOVEOLA_SEED").map_or(2, |seed| seed.parse::<u64>().expect("FOVEOLA_SEED is a number"));
    for seed in (0..38).map(|i| first.wrapping_add(i)) {
        let (text, passed) = report(seed);
        assert!(passed, "seed {seed}:\n{text}");
    }
}

/// The same bits, the same counters, the same words on a microcontroller and here.
#[test]
fn the_report_is_that_of_the_microcontrollers() {
    let (text, passed) = report(SEED);
    assert!(passed, "{text}");
    assert_eq!(text + "passed\n", include_str!("../../qemu/src/bin/faults.out"));
}

#[test]
fn no_flipped_bit_of_a_weight_passes() {
    let check = |centre: &[f32], surround: &[f32]| {
        let nodes = nodes(centre, surround).expect("as many weights");
        plan(&nodes).expect("frames that fit").check(Retina::CHECKSUM)
    };
    assert_eq!(check(&CENTRE, &SURROUND), Ok(()));
    let flipped = |weight: f32, bit: usize| f32::from_bits(weight.to_bits() ^ 1 << bit);
    for bit in 0..32 {
        for i in 0..CENTRE.len() {
            let mut centre = CENTRE;
            centre[i] = flipped(centre[i], bit);
            assert!(check(&centre, &SURROUND).is_err(), "bit {bit} of the centre's weight {i}");
        }
        for i in 0..SURROUND.len() {
            let mut surround = SURROUND;
            surround[i] = flipped(surround[i], bit);
            assert!(check(&CENTRE, &surround).is_err(), "bit {bit} of the surround's weight {i}");
        }
    }
}
