//! `foveola fit` and `foveola simulate` on the command line.

#[path = "shell.rs"]
#[allow(dead_code, reason = "shared with the other tests of the command line")]
mod shell;

use ndarray::{Array1, Array3};
use ndarray_npy::{read_npy, write_npy};
use serde_json::Value;
use shell::Shell;

const CELL: &str = r#"
version = 1
name = "cell"
[input]
dt = "5ms"
rows = 5
cols = 5
[[layer]]
name = "field"
kind = "RF"
weight = { exponential = { tau = "10ms", length = "4 frames" }, gaussian = { sigma = "1px", size = [5, 5] } }
[[layer]]
name = "rate"
kind = "NLRectifyScale"
scale = 2
bias = 0.5
"#;

/// A blob to begin with.
const START: &str = "field.weight={ exponential = { tau = \"20ms\", length = \"4 frames\" }, gaussian = { sigma = \"2px\", size = [5, 5] } }";

fn shell() -> Shell {
    let shell = Shell::new();
    shell.write("cell.toml", CELL.as_bytes());
    shell.good(&["simulate", "cell.toml", "--frames", "1500", "--stimulus-out", "noise.npy", "--out", "rates.npy"]);
    shell
}

fn pair<'a>(target: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let common = ["fit", "cell.toml", "--stimulus", "noise.npy", "--target", target, "--out", "fitted.toml"];
    [&common[..], more].concat()
}

fn bad(shell: &Shell, target: &str, more: &[&str], code: i32, words: &[&str]) {
    shell.bad(&pair(target, more), code, words);
    assert!(!shell.path("fitted.toml").exists(), "{more:?}");
}

/// Counts of a cell, and a fit to them that predicts its rate.
#[test]
fn a_cell_is_found_from_its_spikes() {
    let shell = shell();
    let simulate = ["simulate", "cell.toml", "--stimulus", "noise.npy", "--spikes", "poisson", "--seed", "3"];
    shell.good(&[&simulate[..], &["--out", "counts.npy"]].concat());
    shell.good(&[&simulate[..], &["--out", "again.npy"]].concat());
    let counts: Array3<f32> = read_npy(shell.path("counts.npy")).expect("counts");
    assert_eq!(counts, read_npy::<_, Array3<f32>>(shell.path("again.npy")).expect("counts"));
    let rates: Array3<f32> = read_npy(shell.path("rates.npy")).expect("rates");
    assert_eq!(counts.dim(), (1500, 1, 1));
    assert!(counts.iter().all(|count| count.fract() == 0.0), "whole numbers");
    let (sum, expected) = (counts.sum(), rates.sum());
    assert!((sum - expected).abs() < 4.0 * expected.sqrt(), "{sum} {expected}");

    let options = ["--target-kind", "counts", "--set", START, "--free", "field.weight", "--penalty", "smooth=0.1"];
    let options =
        [&options[..], &["--validate", "20%", "--warm-up", "15ms", "--report", "r.json", "--pictures", "p"]].concat();
    let report = shell.json(&pair("counts.npy", &[&options[..], &["--json"]].concat()));
    let written = std::fs::read_to_string(shell.path("r.json")).expect("a report");
    assert_eq!(serde_json::from_str::<Value>(&written).expect("JSON"), report);
    for name in ["kernel-field", "prediction", "loss", "nonlinearity"] {
        assert!(shell.path(&format!("p/{name}.png")).exists(), "{name}");
    }
    assert_eq!(report["recordings"][0]["training"], serde_json::json!([3, 1201]));
    let loss = |part: &str, key: &str| report[part][key].as_f64().expect("a number");
    assert!(loss("validation", "loss") < loss("validation", "loss_of_constant"), "{report}");
    assert!(
        loss("training", "bits_per_spike") > 0.0
            && loss("training", "loss") < report["loss_before"].as_f64().expect("a number")
    );

    // The fitted file and its arrays predict the rate of the cell, wherever they are.
    std::fs::create_dir(shell.path("elsewhere")).expect("a folder");
    for name in ["fitted.toml", "fitted.npz"] {
        std::fs::rename(shell.path(name), shell.path("elsewhere").join(name)).expect("moved");
    }
    shell.good(&["simulate", "elsewhere/fitted.toml", "--stimulus", "noise.npy", "--out", "found.npy"]);
    let found: Array3<f32> = read_npy(shell.path("found.npy")).expect("rates");
    let error = (&found - &rates).mapv(|x| x * x).sum() / rates.mapv(|x| x - expected / 1500.0).mapv(|x| x * x).sum();
    // Of a rate that is constant it is 1.
    assert!(error < 0.5, "{error}");
}

/// Numbers of the file from noiseless rates, by every optimiser; and the keys of the report.
#[test]
fn numbers_of_a_file_are_found() {
    let shell = shell();
    let options = ["--set", "field.weight.exponential.tau=16ms", "--free", "field.tau", "--bounds", "rate.bias=-1..1"];
    for optimizer in ["lbfgs", "lm"] {
        let report = shell.json(&pair("rates.npy", &[&options[..], &["--optimizer", optimizer, "--json"]].concat()));
        let tau = &report["parameters"][0];
        assert_eq!((tau["name"].as_str(), tau["unit"].as_str()), (Some("field.tau"), Some("ms")));
        assert!((tau["after"].as_f64().expect("a number") - 10.0).abs() < 0.01, "{optimizer}: {tau}");
        assert!(tau["standard_error"].as_f64().is_some_and(|error| error < 0.01), "{tau}");
        let mut keys: Vec<&str> = report.as_object().expect("an object").keys().map(String::as_str).collect();
        keys.sort_unstable();
        let expected = "converged evaluations gradient_norm hints history loss loss_before model optimizer output parameters \
                        penalties recordings seconds target_kind training validation why wrote";
        assert_eq!(keys, expected.split_whitespace().collect::<Vec<_>>());
    }
    let text = std::fs::read_to_string(shell.path("fitted.toml")).expect("a file");
    let tau =
        text.split("exponential = { tau = \"").nth(1).and_then(|rest| rest.split_once("ms\", length = \"4 frames\" }"));
    let tau: f64 = tau.and_then(|(tau, _)| tau.parse().ok()).unwrap_or_else(|| panic!("{text}"));
    assert!((tau - 10.0).abs() < 0.01, "{tau}");
    let report = shell.good(&pair("rates.npy", &options));
    for words in ["field.tau", "std. error", "mean squared error, by L-BFGS", "--validate 20%", "fitted.toml"] {
        assert!(report.contains(words), "no {words} in\n{report}");
    }
}

/// Times of spikes, as text and as an array, are the counts of their frames.
#[test]
fn times_are_counted() {
    let shell = shell();
    let counts: Vec<u32> = (0..1500).map(|t| u32::from(t % 7 == 0) + u32::from(t % 11 == 0)).collect();
    let times: Vec<f64> = (0..1500)
        .flat_map(|t| std::iter::repeat_n(f64::from(t) * 0.005 + 0.001, counts[t as usize] as usize))
        .collect();
    write_npy(shell.path("counts.npy"), &Array1::from(counts)).expect("written");
    write_npy(shell.path("times.npy"), &Array1::from(times.clone())).expect("written");
    let text: String = times.iter().map(|time| format!("{time}\n")).collect();
    shell.write("times.txt", format!("# seconds\n{text}").as_bytes());
    let loss = |target: &str, kind: &str| {
        let options = ["--target-kind", kind, "--free", "rate.bias", "--evaluations", "3", "--json"];
        shell.json(&pair(target, &options))["loss_before"].as_f64().expect("a loss")
    };
    let expected = loss("counts.npy", "counts");
    assert_eq!([loss("times.npy", "spikes"), loss("times.txt", "spikes")], [expected; 2]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let shell = shell();
    write_npy(shell.path("short.npy"), &Array1::<f32>::ones(750)).expect("written");
    shell.write("late.txt", b"0.1\n7.6\n");
    shell.write("words.txt", b"0.1\nx\n");
    bad(&shell, "short.npy", &[], 1, &["short.npy", "750 frames", "1,500 frames", "noise.npy", "5 ms", "10 ms"]);
    bad(&shell, "late.txt", &["--target-kind", "spikes"], 1, &["late.txt", "7.6 s", "1500 frames"]);
    bad(&shell, "words.txt", &[], 1, &["words.txt", "line 2 is 'x'"]);
    bad(&shell, "noise.npy", &["--target-kind", "spikes"], 1, &["noise.npy", "rank 1"]);
    bad(&shell, "rates.npy", &["--free", "field.wieght"], 2, &["'field.wieght'", "field.weight (the nearest)"]);
    bad(&shell, "rates.npy", &["--output", "on"], 2, &["unknown output 'on'", "rate"]);
    bad(&shell, "rates.npy", &["--penalty", "rigde=1"], 2, &["ridge (the nearest)"]);
    bad(&shell, "rates.npy", &["--bounds", "rate.bias=2..1"], 2, &["rate.bias=2..1"]);
    bad(&shell, "rates.npy", &["--target", "rates.npy"], 2, &["--stimulus is given 1 times", "2 times"]);
    bad(&shell, "missing.npy", &[], 1, &["missing.npy"]);
}

#[test]
fn no_file_that_is_read_is_replaced() {
    let shell = shell();
    let cell = std::fs::read(shell.path("cell.toml")).expect("a file");
    let fit = |more: &[&str], words: &[&str]| {
        let common = ["fit", "cell.toml", "--stimulus", "noise.npy", "--target", "rates.npy", "--free", "rate.bias"];
        shell.bad(&[&common[..], more].concat(), 1, words);
    };
    fit(&["--out", "cell.toml"], &["--out is cell.toml", "none that is read"]);
    fit(&["--out", "missing/x.toml"], &["missing/x.toml", "a folder that there is"]);
    fit(&["--out", "x.toml", "--report", "rates.npy"], &["--report is rates.npy"]);
    fit(&["--out", "x.toml", "--report", "x.toml"], &["another file"]);
    fit(&["--out", "x.npz"], &["x.npz", "fitted.toml"]);
    let simulate = ["simulate", "cell.toml", "--stimulus", "noise.npy"];
    shell.bad(&[&simulate[..], &["--out", "noise.npy"]].concat(), 1, &["--out is noise.npy"]);
    let negative = ["--set", "field.weight=-1", "--spikes", "poisson", "--output", "field", "--out", "y.npy"];
    shell.bad(&[&simulate[..], &negative].concat(), 2, &["unknown output 'field'"]);
    assert_eq!(std::fs::read(shell.path("cell.toml")).expect("a file"), cell);
    assert!(!shell.path("x.toml").exists() && !shell.path("y.npy").exists());
}

/// Rates below 0 are no expected counts.
#[test]
fn negative_rates_have_no_spikes() {
    let shell = shell();
    let (linear, _) = CELL.split_once("[[layer]]\nname = \"rate\"").expect("two layers");
    shell.write("linear.toml", linear.as_bytes());
    let args = ["simulate", "linear.toml", "--stimulus", "noise.npy", "--spikes", "poisson", "--out", "y.npy"];
    shell.bad(&args, 1, &["the output is -", "in frame", "--spikes poisson"]);
    shell.bad(&["simulate", "cell.toml", "--out", "y.npy"], 2, &["--stimulus MOVIE", "--frames"]);
    assert!(!shell.path("y.npy").exists());
}
