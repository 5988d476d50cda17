//! The same cases, by the same code, on a host: what it prints is what the microcontrollers print.

use foveola_golden::{CASES, Room, Subject, run};
use std::fmt::Write as _;

fn report(room: &mut Room) -> (String, bool) {
    let mut text = String::new();
    let passed = run(room, &mut |line| writeln!(text, "{line}").expect("a String grows"));
    (text, passed)
}

#[test]
fn every_case_passes_and_prints_what_microcontrollers_print() {
    let (text, passed) = report(&mut Room::new());
    assert!(passed, "{text}");
    assert_eq!(text + "passed\n", include_str!("../../qemu/src/bin/golden.out"));
}

/// The checks can fail: a tolerance that is too small, an expected sample more, a digest that is another one.
#[test]
fn what_is_wrong_is_told() {
    let mut room = Room::new();
    for case in &CASES {
        let outcome = case.run(&mut room).unwrap_or_else(|failure| panic!("{}: {failure}", case.name));
        assert_eq!(Some(outcome.digest.value()), case.digest, "{}", case.name);
        // A filter that is off by one part in a thousand is seen by every case with more than zeros.
        if let Subject::Stream { chunks, .. } = case.subject {
            assert!(chunks.iter().any(|chunk| chunk.output.iter().any(|y| *y != 0.0)), "{}: zeros", case.name);
        }
    }
}
