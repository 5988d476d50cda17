//! Runs in parts on the command line: `--save-state`, `--load-state` and `--weights`.

#[path = "shell.rs"]
#[allow(dead_code, reason = "shared with the other tests of the command line")]
mod shell;

use foveola_core::events::Event;
use ndarray::{Array3, Axis, concatenate};
use ndarray_npy::{read_npy, write_npy};
use shell::{HEADER, Shell, events, evt2};

/// A model with a temporal kernel, a slow state and a stride in time.
const MODEL: &str = r#"
version = 1

[[layer]]
name = "slow"
kind = "LowPass"
tau = "20ms"

[[layer]]
name = "late"
kind = "Delay"
delay = "3 frames"

[[layer]]
name = "change"
kind = "NLRectify"
from = ["late", "-0.5 * slow", "input"]
"#;

/// Events of a clock that does not begin at a frame, with pauses of several frames.
fn pauses() -> Vec<Event> {
    let busy = |event: &Event| !(40_000..57_300).contains(&event.t) && !(90_000..=93_100).contains(&event.t);
    events(1_500).into_iter().map(|event| Event { t: event.t + 311, ..event }).filter(busy).collect()
}

fn shell() -> Shell {
    let shell = Shell::new();
    shell.write("m.toml", MODEL.as_bytes());
    shell.write("a.raw", &evt2(HEADER, &pauses()));
    let movie = Array3::from_shape_fn((60, 6, 5), |(t, r, c)| ((7 * t + 3 * r + c * t) % 11) as f32);
    write_npy(shell.path("a.npy"), &movie).expect("written");
    shell
}

/// The output of a run with these arguments, and what it printed.
fn run(shell: &Shell, input: &str, more: &[&str]) -> (Array3<f32>, String) {
    let common = ["run", input, "--model", "m.toml", "--every", "1", "--no-pictures", "--quiet"];
    let text = shell.good(&[&common[..], more].concat());
    (
        read_npy(shell.path("foveola-out/change.npy"))
            .or_else(|_| read_npy(shell.path("foveola-out/output.npy")))
            .expect("saved"),
        text,
    )
}

fn bad(shell: &Shell, input: &str, more: &[&str], code: i32, words: &[&str]) {
    let common = ["run", input, "--model", "m.toml", "--no-pictures", "--quiet"];
    shell.bad(&[&common[..], more].concat(), code, words);
}

/// What a run prints of the next one: `--from Nus`.
fn next(text: &str) -> String {
    let from = text.split("goes on with --from ").nth(1).unwrap_or_else(|| panic!("no place in {text}"));
    from.split_whitespace().next().expect("a time").to_owned()
}

fn joined(parts: &[Array3<f32>]) -> Array3<f32> {
    concatenate(Axis(0), &parts.iter().map(|part| part.view()).collect::<Vec<_>>()).expect("one shape")
}

#[test]
fn a_movie_in_parts_is_the_whole() {
    let shell = shell();
    let (whole, _) = run(&shell, "a.npy", &[]);
    for [a, b] in [["1ms", "2ms"], ["20ms", "20500us"], ["33ms", "59ms"]] {
        let (first, text) = run(&shell, "a.npy", &["--to", a, "--save-state", "s"]);
        let from = next(&text);
        let (second, text) =
            run(&shell, "a.npy", &["--from", &from, "--to", b, "--load-state", "s", "--save-state", "s"]);
        assert!(text.contains("of s"), "{text}");
        let from = next(&text);
        let (third, text) = run(&shell, "a.npy", &["--from", &from, "--load-state", "s", "--save-state", "end"]);
        assert!(text.contains("goes on with the next input"), "{text}");
        assert_eq!(joined(&[first, second, third]), whole, "{a} {b}");
    }
    // Another movie after the first one.
    let (again, _) = run(&shell, "a.npy", &["--load-state", "end"]);
    let movie: Array3<f32> = read_npy(shell.path("a.npy")).expect("the movie");
    write_npy(shell.path("twice.npy"), &joined(&[movie.clone(), movie])).expect("written");
    let (twice, _) = run(&shell, "twice.npy", &[]);
    assert_eq!(joined(&[whole, again]), twice);
}

/// Frames lie at multiples of their time in the clock of the recording; a pause at the cut is in one of the parts.
#[test]
fn a_recording_in_parts_is_the_whole() {
    let shell = shell();
    for (dt, filters) in [("1ms", &[][..]), ("3ms", &["--filter", "on", "--filter", "region:2,2,16,12"][..])] {
        let with = |more: &[&str]| [&["--dt", dt], filters, more].concat().iter().map(|x| (*x).to_owned()).collect();
        let run = |more: &[&str]| {
            let more: Vec<String> = with(more);
            run(&shell, "a.raw", &more.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let (whole, _) = run(&[]);
        for to in ["10ms", "20300us", "43ms", "50ms", "52500us", "86ms", "120ms"] {
            let (first, text) = run(&["--to", to, "--save-state", "s", "--chunk", "7"]);
            let from = next(&text);
            let (second, _) = run(&["--from", &from, "--load-state", "s"]);
            assert_eq!(joined(&[first, second]), whole, "--dt {dt} --to {to}, then --from {from}");
        }
    }
}

#[test]
fn a_part_that_would_be_another_one_is_refused() {
    let shell = shell();
    let (_, text) = run(&shell, "a.raw", &["--to", "50ms", "--save-state", "s"]);
    let from = next(&text);
    assert_eq!(from, "49689us", "the start of the frame at 55 ms, after the first event");
    bad(&shell, "a.raw", &["--load-state", "s"], 1, &["s: ", "expected --from 49689us"]);
    bad(&shell, "a.raw", &["--load-state", "s", "--from", "49ms"], 1, &["expected --from 49689us"]);
    bad(&shell, "a.raw", &["--load-state", "s", "--from", "51ms"], 1, &["expected --from 49689us"]);
    run(&shell, "a.raw", &["--load-state", "s", "--from", "50ms"]); // in the frame that begins there
    bad(&shell, "a.raw", &["--load-state", "s", "--from", &from, "--dt", "2ms"], 1, &["expected --dt 1000us"]);
    bad(&shell, "a.npy", &["--load-state", "s", "--from", &from], 1, &["s: ", "frames of 1 x 16 x 24"]);
    shell.write("b.raw", &evt2(HEADER, &events(1_500)));
    bad(&shell, "b.raw", &["--load-state", "s", "--from", &from], 1, &["another recording", "5311 us", "5000 us"]);
    for option in ["--save-state", "--load-state"] {
        let more = ["--filter", "refractory:1ms", option, "s"];
        let from = if option == "--load-state" { &["--from", &from[..]][..] } else { &[] };
        bad(&shell, "a.raw", &[&more[..], from].concat(), 1, &["--filter", "refractory:1ms", "by place or polarity"]);
    }
    bad(&shell, "a.raw", &["--to", "10s", "--save-state", "t"], 1, &["a.raw: ", "expected an earlier --to"]);
    bad(&shell, "a.raw", &["--to", "500us", "--save-state", "t"], 1, &["no whole frame"]);
    bad(&shell, "a.npy", &["--to", "10s", "--save-state", "t"], 1, &["60 frames", "expected an earlier --to"]);
    bad(&shell, "a.npy", &["--save-state", "no/t"], 1, &["--save-state", "no/t"]);
    bad(&shell, "a.npy", &["--save-state", "a.npy"], 1, &["--save-state", "a.npy"]);
    assert!(!shell.path("t").exists(), "nothing was written");
    shell.bad(&["run", "a.raw", "--load-state", "s"], 2, &["--no-pictures"]);
    // The end of an input is no place in it.
    run(&shell, "a.raw", &["--save-state", "end"]);
    bad(&shell, "a.raw", &["--load-state", "end", "--from", "1ms"], 1, &["expected no --from"]);
    // Another model, a damaged file, and none.
    bad(&shell, "a.raw", &["--load-state", "s", "--from", &from, "--set", "slow.tau=21ms"], 1, &["another model"]);
    let mut bytes = std::fs::read(shell.path("s")).expect("the state");
    bytes[200] ^= 1;
    shell.write("s", &bytes);
    bad(&shell, "a.raw", &["--load-state", "s", "--from", &from], 1, &["s: damaged"]);
    bad(&shell, "a.raw", &["--load-state", "a.npy", "--from", &from], 1, &["a.npy: no saved state"]);
    bad(&shell, "a.raw", &["--load-state", "none", "--from", &from], 1, &["none"]);
}

/// Where the clock of the recording is reset, or jumps, before the cut, no time since the first event tells the place.
#[test]
fn a_cut_behind_a_reset_is_refused() {
    let shell = shell();
    let shifted = |by: u64| events(500).into_iter().map(move |event| Event { t: event.t + by, ..event });
    let reset: Vec<Event> = shifted(1_000_000).chain(shifted(0)).collect();
    shell.write("reset.raw", &evt2(HEADER, &reset));
    bad(&shell, "reset.raw", &["--to", "70ms", "--save-state", "t"], 1, &["clock is reset before --to"]);
    let (whole, _) = run(&shell, "reset.raw", &[]);
    let (first, text) = run(&shell, "reset.raw", &["--to", "30ms", "--save-state", "s"]);
    let (second, _) = run(&shell, "reset.raw", &["--from", &next(&text), "--load-state", "s"]);
    assert_eq!(joined(&[first, second]), whole, "before the reset");
    let jump: Vec<Event> = shifted(0).chain(shifted(120_000_000)).collect();
    shell.write("jump.raw", &evt2(HEADER, &jump));
    bad(&shell, "jump.raw", &["--to", "60s", "--save-state", "t"], 1, &["no event between", "expected --to outside"]);
    assert!(!shell.path("t").exists());
}

#[test]
fn weights_are_listed_written_and_read() {
    let shell = shell();
    let text = shell.good(&["model", "weights", "m.toml", "--out", "w.npz", "--set", "slow.tau=5ms"]);
    for words in ["slow.tau       0.005", "late.delay     3", "change.inputs  3", "wrote w.npz: 3 arrays"] {
        assert!(text.contains(words), "no '{words}' in {text}");
    }
    let (set, _) = run(&shell, "a.npy", &["--set", "slow.tau=5ms"]);
    let (read, _) = run(&shell, "a.npy", &["--weights", "w.npz"]);
    let (own, _) = run(&shell, "a.npy", &[]);
    assert!(read == set && read != own, "the weights of the file");
    shell.bad(&["run", "a.npy", "--weights", "w.npz"], 1, &["w.npz", "unknown parameter 'slow.tau'", "centre.tau"]);
    bad(&shell, "a.npy", &["--weights", "a.npy"], 1, &["a.npy"]);
    let other = MODEL.replace("\"slow\"", "\"fast\"").replace("* slow", "* fast");
    shell.write("m.toml", other.as_bytes());
    bad(&shell, "a.npy", &["--weights", "w.npz"], 1, &["unknown parameter 'slow.tau'", "fast.tau"]);
}
