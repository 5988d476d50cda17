//! The same cases, by the same code, on a host: what it prints is what the microcontrollers print.

use foveola_golden::{CASES, Case, Chunk, Failure, Room, Subject, run};
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

/// The checks can fail: at a tolerance that is too small, at other bits, at a sample too many or too few, at one that is wrong.
#[test]
fn what_is_wrong_is_told() {
    let mut room = Room::new();
    let case = CASES.iter().find(|case| case.name == "conv3d-5").expect("a case");
    let Subject::Stream { chunks: [first, second, ..], shape, stage, streams } = case.subject else {
        panic!("a stream")
    };
    let outcome = case.run(&mut room).expect("a case that runs");
    assert!(outcome.error > 0.0 && case.verdict(outcome) == [true, true], "{outcome:?}");
    assert_eq!(Case { tolerance: 0.0, ..*case }.verdict(outcome), [false, true]);
    assert_eq!(Case { digest: Some(1), ..*case }.verdict(outcome), [true, false]);
    assert_eq!(Case { digest: None, ..*case }.verdict(outcome), [true, false]);

    let mut expecting = |output: Vec<f32>| {
        let chunks = Vec::leak(vec![*first, Chunk { output: Vec::leak(output), ..*second }]);
        Case { subject: Subject::Stream { shape, stage, streams, chunks }, ..*case }.run(&mut room)
    };
    let (right, n) = (second.output.to_vec(), second.output.len());
    assert!(expecting(right.clone()).is_ok_and(|outcome| outcome.error <= case.tolerance), "the first two chunks");
    let longer = expecting([&right[..], &[0.0]].concat());
    assert!(
        matches!(longer, Err(Failure::Length { found, expected }) if (found, expected) == (n, n + 1)),
        "{longer:?}"
    );
    assert!(matches!(expecting(right[1..].to_vec()), Err(Failure::Length { .. })), "one too few");
    let mut wrong = right;
    wrong[n / 2] += 0.01;
    assert!(expecting(wrong).is_ok_and(|outcome| outcome.error > case.tolerance), "one that is wrong");
}
