//! What `foveola model plot` draws: names of pictures, layers beside outputs, the length of responses.

#[path = "shell.rs"]
#[allow(dead_code, reason = "shared with the other tests of the command line")]
mod shell;

use ndarray::Array3;
use ndarray_npy::read_npy;
use shell::Shell;

/// Two rectified outputs, one of them with a name that could be that of a picture of the other; the third one has the name of a
/// layer that is another one.
const NAMES: &str = r#"
version = 1
[[layer]]
name = "slow"
kind = "LowPass"
tau = "5ms"
[[layer]]
name = "q"
kind = "NLRectify"
[[layer]]
name = "twice"
kind = "NLRectifyScale"
scale = 2
[outputs]
q = "q"
q-dark = "twice"
slow = "q"
"#;

fn plot<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&["model", "plot", "names.toml", "--size", "5x5", "--out", "plots"], args].concat()
}

/// Each response has files of its own, whatever outputs are called.
#[test]
fn no_two_pictures_have_one_name() {
    let shell = Shell::new();
    shell.write("names.toml", NAMES.as_bytes());
    let json = shell.json(&plot(&["--json"]));
    let wrote: Vec<&str> = json["wrote"].as_array().expect("files").iter().filter_map(|name| name.as_str()).collect();
    let mut names = wrote.clone();
    names.sort_unstable();
    names.dedup();
    assert_eq!((names.len(), wrote.len()), (9, 9), "{wrote:?}");
    let peak = |name: &str| {
        let samples: Array3<f32> = read_npy(shell.path("plots").join(name)).expect("samples");
        samples.fold(0.0, |peak: f32, y| peak.max(*y))
    };
    let [q, twice] = [peak("response-q.npy"), peak("response-q-dark.npy")];
    assert!((twice / q - 2.0).abs() < 1e-5, "{q} {twice}");
    assert_eq!(peak("response-q.dark.npy"), 0.0, "nothing after a dark flash");
}

/// A layer that was asked for is drawn, even where an output has its name.
#[test]
fn a_layer_is_drawn_beside_an_output_of_its_name() {
    let shell = Shell::new();
    shell.write("names.toml", NAMES.as_bytes());
    let text = shell.good(&plot(&["--layer", "slow", "--layer", "q", "--layer", "slow"]));
    assert!(text.contains("slow (layer)") && !text.contains("q (layer)"), "{text}");
    let [output, layer] = ["response-slow.npy", "response-slow.layer.npy"]
        .map(|name| -> Array3<f32> { read_npy(shell.path("plots").join(name)).expect("samples") });
    // The low-pass has a response to a dark flash in one array, the rectified one has not.
    assert_eq!(output, layer, "the same to a bright flash");
    assert!(!shell.path("plots/response-slow.layer.dark.npy").exists(), "linear");
    assert!(shell.path("plots/response-slow.dark.npy").exists(), "not linear");
}

/// `--weights` changes the model of `show`, `plot` and `export` as that of `run`.
#[test]
fn weights_are_those_of_an_archive() {
    let shell = Shell::new();
    let model = |weight: &str| {
        format!(
            "version = 1\nname = \"m\"\n[[layer]]\nname = \"blur\"\nkind = \"Conv2d\"\nweight = {weight}\n\
             [[layer]]\nname = \"slow\"\nkind = \"LowPass\"\ntau = \"5ms\"\n"
        )
    };
    shell.write("one.toml", model("[[0, 1, 0]]").as_bytes());
    shell.write("two.toml", model("[[0, 2, 0]]").replace("5ms", "20ms").as_bytes());
    shell.good(&["model", "weights", "two.toml", "--out", "two.npz"]);
    let weights = ["--weights", "two.npz"];
    let both = |args: &[&str]| {
        let with = [&["model", args[0], "one.toml"], &args[1..], &weights].concat();
        let [found, expected] =
            [with, [&["model", args[0], "two.toml"], &args[1..]].concat()].map(|args| shell.good(&args));
        (found, expected)
    };
    let (found, expected) = both(&["show", "--size", "6x6"]);
    assert_eq!(found, expected);
    assert!(expected.contains("19.4 ms"), "{expected}");
    let (found, expected) = both(&["plot", "--size", "6x6", "--json"]);
    assert_eq!(found, expected);
    both(&["export", "--to", "firmware", "out"]);
    let source = std::fs::read_to_string(shell.path("out/model.rs")).expect("written");
    shell.good(&["model", "export", "one.toml", "--to", "firmware", "out", "--weights", "two.npz"]);
    let found = std::fs::read_to_string(shell.path("out/model.rs")).expect("written");
    assert_eq!(found, source);

    for command in [&["show"][..], &["plot"], &["export", "--to", "firmware", "out"]] {
        let args = [&["model", command[0], "one.toml"], &command[1..], &["--weights", "none.npz"]].concat();
        shell.bad(&args, 1, &["none.npz"]);
    }
    shell.bad(&["model", "show", "one.toml", "--weights", "two.npz", "--toml"], 2, &["--toml"]);
    let response = "plots/response-slow.npy";
    shell.good(&["model", "plot", "one.toml", "--size", "6x6", "--out", "plots"]);
    std::fs::copy(shell.path("two.npz"), shell.path(response)).expect("copied");
    let args = ["model", "plot", "one.toml", "--out", "plots", "--weights", response];
    shell.bad(&args, 1, &["response-slow.npy", "replaced"]);
}

/// A response that would take for ever is refused with its length.
#[test]
fn a_response_has_an_end() {
    let shell = Shell::new();
    shell.write("names.toml", NAMES.as_bytes());
    let words = ["--duration 3600s has 3,600,000 frames of 1 ms; expected 131,072 at most, 131.07 s"];
    shell.bad(&plot(&["--duration", "3600s"]), 2, &words);
    shell.good(&plot(&["--duration", "3600s", "--set", "input.dt=1s"]));
    for (option, value, expected) in [
        ("--duration", "-5ms", "'-5ms' is no time; expected a number with us, ms or s"),
        ("--duration", "2e6s", "from 1us to 1e6s"),
        ("--pixel", "-1,2", "'-1,2' is no pixel; expected a row and a column"),
        ("--flash", "bright", "'bright' is no number; expected one of 3.4e38 or less"),
        ("--background", "-inf", "'-inf' is no number; expected"),
    ] {
        shell.bad(&plot(&[option, value]), 2, &[option, expected]);
    }
    shell.bad(&plot(&["--pixel", "2,7"]), 1, &["pixel is 2, 7 of 5 rows and 5 columns; expected a row and a column"]);
}
