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
