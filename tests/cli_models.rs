//! Model files on the command line: what `run` saves and prints, what `model check` and `model show` say, and
//! what `model export` writes.

#[path = "shell.rs"]
#[allow(dead_code, reason = "shared with the other tests of the command line")]
mod shell;

use ndarray::{Array3, Array4, s};
use ndarray_npy::{read_npy, write_npy};
use shell::Shell;
use std::path::Path;

const TWO: &str = r#"
version = 1
name = "two"
about = "a fast low-pass minus a slow one, both signs"

[parameters]
tau = "5ms"

[[layer]]
name = "fast"
kind = "LowPass"
tau = "$tau"

[[layer]]
name = "slow"
kind = "LowPass"
from = "input"
tau = "50ms"

[[layer]]
name = "on"
kind = "NLRectify"
from = ["fast", "-slow"]

[[layer]]
name = "off"
kind = "NLRectify"
from = ["slow", "-fast"]

[outputs]
up = "on"
down = "off"
"#;

/// A folder with the model, and a movie in which every pixel steps up, and down again.
fn shell() -> Shell {
    let shell = Shell::new();
    shell.write("two.toml", TWO.as_bytes());
    let movie =
        Array3::from_shape_fn((60, 6, 5), |(t, r, c)| if (10..30).contains(&t) { (1 + r + c) as f32 } else { 0.0 });
    write_npy(shell.path("a.npy"), &movie).expect("written");
    shell
}

fn output(shell: &Shell, name: &str) -> Array3<f32> {
    read_npy(shell.path("out").join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn outputs_are_saved_and_drawn_by_name() {
    let shell = shell();
    let run = ["run", "a.npy", "--model", "two.toml", "--out", "out", "--every", "1", "--digest", "--reproducible"];
    let text = shell.good(&run);
    for words in
        ["two: a fast low-pass minus a slow one", "bits of output up", "bits of output down", "fast, slow, off, up"]
    {
        assert!(text.contains(words), "no '{words}' in {text}");
    }
    // The library computes the same from the same file.
    let mut model = foveola::Model::open(shell.path("two.toml")).expect("a model");
    model.set_precision(foveola::Precision::Reproducible);
    let movie: Array3<f32> = read_npy(shell.path("a.npy")).expect("the movie");
    let expected = model.process_all(&movie).expect("a good chunk");
    for (name, expected) in ["up.npy", "down.npy"].into_iter().zip(expected) {
        let found = output(&shell, name);
        assert!(found.iter().any(|y| *y > 0.1), "{name} responds");
        assert_eq!(found, expected.slice(s![0, 0, .., .., ..]), "{name}");
    }
    let json = shell.json(&[&run[..], &["--json", "--no-pictures", "--quiet"]].concat());
    assert!(json["digest"]["up"].is_string() && json["digest"]["down"].is_string(), "{json}");
}

#[test]
fn values_are_set() {
    let shell = shell();
    let run = |set: &str| {
        shell.good(&[
            "run",
            "a.npy",
            "--model",
            "./two.toml",
            "--set",
            set,
            "--out",
            "out",
            "--every",
            "1",
            "--no-pictures",
        ]);
        output(&shell, "up.npy")
    };
    let (before, same, parameter) = (run("tau=5ms"), run("fast.tau=5ms"), run("tau=20ms"));
    assert_eq!(before, same);
    assert!(parameter.sum() < 0.8 * before.sum(), "a slower rise");
    assert_eq!(parameter, run("parameters.tau=20ms"));
    shell.bad(&["run", "a.npy", "--model", "two.toml", "--set", "fast.taus=1ms"], 1, &["taus", "did you mean \"tau\""]);
    shell.bad(&["run", "a.npy", "--model", "two.toml", "--set", "quick.tau=1ms"], 1, &["quick", "fast"]);
    shell.bad(
        &["run", "a.npy", "--model", "two.toml", "--set", "parameters.tua=1ms"],
        1,
        &["parameter", "did you mean \"tau\""],
    );
    shell.bad(&["run", "a.npy", "--model", "two.toml", "--set", "tau=1px"], 1, &["px", "ms"]);
    // Ready models have keys, too; a name means the same wherever a file of that name lies.
    std::fs::write(shell.path("smooth"), "no model").expect("written");
    let [given, changed] = [&["--set", "smooth.tau=20ms"], &["--set", "smooth.tau=2ms"]].map(|set| {
        let run = ["run", "a.npy", "--model", "smooth", "--digest", "--no-pictures"];
        shell.json(&[&run[..], &set[..], &["--json"]].concat())["digest"].clone()
    });
    assert_ne!(given, changed);
    shell.bad(&["run", "a.npy", "--model", "./smooth"], 1, &["smooth"]);
    shell.bad(&["model", "show", "mine"], 2, &["unknown model 'mine'", "retina", "./mine"]);
    let text = shell.good(&["model", "check", "retina", "two.toml"]);
    assert!(text.contains("retina: 7 layers, 2 outputs") && text.contains("two.toml"), "{text}");
    let shown = shell.good(&["model", "show", "two.toml", "--set", "tau=20ms", "--toml"]);
    assert!(shown.contains("tau = \"20ms\""), "{shown}");
}

/// An output never replaces what is read.
#[test]
fn the_input_is_not_overwritten() {
    let shell = shell();
    for name in ["up.npy", "down.npy"] {
        std::fs::copy(shell.path("a.npy"), shell.path(name)).expect("copied");
        let before = std::fs::read(shell.path(name)).expect("the input");
        shell.bad(&["run", name, "--model", "two.toml", "--out", "."], 1, &["--out", name, "replaced"]);
        assert_eq!(std::fs::read(shell.path(name)).expect("the input"), before);
    }
    let weight = "version = 1\n[[layer]]\nname = \"a\"\nkind = \"Conv2d\"\nweight = { file = \"output.npy\" }\n";
    shell.write("weight.toml", weight.as_bytes());
    write_npy(shell.path("output.npy"), &ndarray::Array2::<f32>::ones((3, 3))).expect("written");
    shell.bad(&["run", "a.npy", "--model", "weight.toml", "--out", "."], 1, &["output.npy", "replaced"]);
    shell.good(&["run", "a.npy", "--model", "weight.toml", "--out", "there"]);
    let before = std::fs::read(shell.path("weight.toml")).expect("the model");
    for replaced in ["weight.toml", "output.npy"] {
        shell.bad(&["model", "show", "weight.toml", "--svg", replaced], 1, &["--svg", replaced]);
        shell.bad(&["model", "weights", "weight.toml", "--out", replaced], 1, &["--out", replaced]);
        let run = ["run", "a.npy", "--model", "weight.toml", "--no-pictures", "--save-state", replaced];
        shell.bad(&run, 1, &["--save-state", replaced]);
    }
    assert_eq!(std::fs::read(shell.path("weight.toml")).expect("the model"), before);
}

/// `[input]` says how events become frames; the arguments may say otherwise.
#[test]
fn the_input_is_that_of_the_file() {
    let shell = Shell::new();
    shell.write("a.raw", &shell::evt2(shell::HEADER, &shell::events(500)));
    let model = "version = 1\n[input]\ndt = \"5ms\"\npolarity = \"split\"\nevents = [\"refractory:1ms\"]\n\
                 [[layer]]\nname = \"change\"\nkind = \"Diff\"\n";
    shell.write("split.toml", model.as_bytes());
    let text = shell.good(&["run", "a.raw", "--model", "split.toml", "--out", "out", "--every", "1"]);
    assert!(text.contains("5 ms (the model's)") && text.contains("by refractory"), "{text}");
    let split: Array4<f32> = read_npy(shell.path("out/output.npy")).expect("two channels");
    assert_eq!(split.dim(), (10, 2, 16, 24));
    let text = shell.good(&["run", "a.raw", "--model", "split.toml", "--out", "out", "--every", "1", "--dt", "10ms"]);
    assert!(text.contains("10 ms (given)"), "{text}");
    shell.bad(&["run", "a.raw", "--model", "split.toml", "--polarity", "signed"], 1, &["channels", "[input]"]);
    // Event filters of the file are for events.
    write_npy(shell.path("a.npy"), &Array4::<f32>::ones((3, 2, 4, 4))).expect("written");
    shell.good(&["run", "a.npy", "--model", "split.toml", "--no-pictures"]);
}

#[test]
fn files_are_checked_and_shown() {
    let shell = shell();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let mut count = 0;
    for entry in std::fs::read_dir(models).expect("the models") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        count += 1;
        let path = path.to_str().expect("UTF-8");
        let checked = shell.good(&["model", "check", path]);
        assert!(checked.contains("layer") && !checked.contains("no output needs"), "{checked}");
        let shown = shell.good(&["model", "show", path, "--size", "16x16"]);
        for words in
            ["mult-adds", "input", "outputs", "RAM", "of stack", "tables", "instructions", "on an M4 of 168 MHz"]
        {
            assert!(shown.contains(words), "{path}: no '{words}' in {shown}");
        }
    }
    assert!(count >= 9, "{count} models");

    let shown = shell.json(&["model", "show", "two.toml", "--json", "--size", "32x16"]);
    assert_eq!((&shown["input"], &shown["layers"][1]["name"]), (&[1, 16, 32].into(), &"slow".into()));
    assert_eq!(shown["layers"][1]["state"], 16 * 32);
    let boards = &shown["boards"];
    assert!(
        boards["instructions"].as_u64().is_some_and(|n| n > 16 * 32) && boards["layers"][1]["state"] == 4 * 16 * 32,
        "{boards}"
    );
    for (bad, words) in [
        (TWO.replace("tau = \"50ms\"", "tua = \"50ms\""), ["bad.toml:18:1", "did you mean \"tau\""]),
        (TWO.replace("\"50ms\"", "\"50px\""), ["bad.toml:18:7", "px"]),
        (TWO.replace("\"LowPass\"", "\"LowPas\""), ["bad.toml:11:8", "did you mean \"LowPass\""]),
        (TWO.replace("from = \"input\"", "from = \"off\""), ["bad.toml", "cycle"]),
        (TWO.replace("[[layer]]", "[[layer]"), ["bad.toml:9", ""]),
        (TWO.replace("version = 1", "version = 7"), ["bad.toml:2", "7"]),
    ] {
        shell.write("bad.toml", bad.as_bytes());
        shell.bad(&["model", "check", "bad.toml"], 1, &words);
    }
    shell.write("unused.toml", TWO.replace("down = \"off\"\n", "").as_bytes());
    assert_eq!(
        shell.good(&["model", "check", "unused.toml"]),
        "unused.toml: 4 layers, 1 output; no output needs off\n"
    );
    shell.write("unused.toml", TWO.replace("[parameters]", "[parameters]\nslow = \"50ms\"").as_bytes());
    assert_eq!(
        shell.good(&["model", "check", "unused.toml"]),
        "unused.toml: 4 layers, 2 outputs; no layer uses the parameter slow\n"
    );
    // Mistakes that show only when the shapes are known.
    let pooled = TWO.replace(
        "kind = \"LowPass\"\nfrom = \"input\"\ntau = \"50ms\"",
        "kind = \"Sum\"\nfrom = \"input\"\naxis = \"row\"",
    );
    shell.write("bad.toml", pooled.as_bytes());
    let words = ["bad.toml", "layer \"off\"", "fast has frames of 1 x 64 x 64", "slow of 1 x 1 x 64"];
    shell.bad(&["model", "check", "bad.toml"], 1, &words);
    shell.bad(&["model", "check", "bad.toml", "--size", "8x9"], 1, &["slow of 1 x 1 x 8"]);
    shell.bad(&["model", "check", "none.toml"], 1, &["none.toml"]);
    shell.bad(&["run", "a.npy", "--model", "none.toml"], 1, &["none.toml"]);
}

/// Every ready model, by its name, has the digests of `firmware/model/digests.tsv`, as on the emulated microcontrollers; and so have
/// the file beside that table and that of the guide.
#[test]
fn model_files_have_the_digests_of_a_microcontroller() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let recording = root.join("firmware/qemu/src/bin/retina.raw");
    let shell = Shell::new();
    let table = std::fs::read_to_string(root.join("firmware/model/digests.tsv")).expect("committed");
    for row in table.lines().skip(1) {
        let [name, binning, digests] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let files = ["firmware/model", "docs/guide/your-own-model"]
            .map(|folder| root.join(folder).join(format!("{name}.toml")));
        let model = files.into_iter().find(|file| file.exists()).unwrap_or_else(|| name.into());
        let cells = format!("downsample:{binning}");
        let mut args = vec!["run", recording.to_str().expect("text"), "--model", model.to_str().expect("text")];
        args.extend(["--reproducible", "--digest", "--no-pictures", "--chunk", "1"]);
        if binning != "1" {
            args.extend(["--filter", &cells]);
        }
        let text = shell.good(&args);
        let printed: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("digest    ")?.get(..16)).collect();
        assert_eq!(printed.join(" "), digests, "{name}: {text}");
    }
}

/// `foveola model quantise` writes a file that runs, and is exported, in 16 bits.
#[test]
fn a_model_is_quantised() {
    let shell = Shell::new();
    let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../firmware/qemu/src/bin/retina.raw");
    let recording = recording.to_str().expect("text");
    let quantise = ["model", "quantise", "retina", "--on", recording];
    let text = shell.good(&[&quantise[..], &["--out", "q15.toml"]].concat());
    for word in ["full scale", "71.", "200 frames up to 2, full scale 128", "no sample saturates", "q15.toml"] {
        assert!(text.contains(word), "no '{word}' in: {text}");
    }
    let text = shell.good(&["model", "show", "q15.toml"]);
    assert!(text.contains("bytes of tables, and the code, which is not predicted in 16 bits"), "{text}");
    assert!(shell.good(&["model", "check", "q15.toml"]).contains("7 layers"));
    let text = shell.good(&["model", "export", "q15.toml", "--to", "firmware", "src"]);
    assert!(text.contains("8,192 for an input frame"), "{text}");
    let source = std::fs::read_to_string(shell.path("src/model.rs")).expect("written");
    assert!(source.contains("pub type Sample = Q15;"), "{source}");
    // The input of a movie has a full scale of its own.
    let movie = Array3::from_shape_fn((30, 12, 12), |(t, r, _)| if t > 9 && r > 5 { 100.0_f32 } else { 20.0 });
    write_npy(shell.path("a.npy"), &movie).expect("written");
    let movie = ["model", "quantise", "smooth", "--on", "a.npy"];
    assert!(shell.good(&movie).contains("30 frames up to 100, full scale 128"));
    assert!(shell.good(&[&movie[..], &["--full-scale", "64"]].concat()).contains("samples of it saturate"));
    let text = shell.good(&[&movie[..], &["--json"]].concat());
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert!(value["layers"][0]["snr_db"].as_f64().is_some_and(|snr| snr > 70.0), "{text}");
    for (args, words) in [
        (&["--headroom", "0.5"][..], "no number from 1 to 32768"),
        (&["--range", "0"], "no number above 0"),
        (&["--full-scale", "3"], "expected a power of two"),
        (&["--frames", "0"], "whole number from 1 on"),
        (&["--set", "centre.full_scale=3"], "expected a power of two from 1/32768 to 32768"),
        (&["--out", recording], "expected a file that is not read"),
    ] {
        let code = if args[0] == "--set" || args[0] == "--out" || args[0] == "--full-scale" { 1 } else { 2 };
        shell.bad(&[&quantise[..], args].concat(), code, &[words]);
    }
    let softplus = "version = 1\n[[layer]]\nname = \"rate\"\nkind = \"NLSoftplus\"\nscale = 9\n";
    shell.write("softplus.toml", softplus.as_bytes());
    shell.bad(&["model", "quantise", "softplus.toml", "--on", recording], 1, &["\"rate\"", "a softplus of up to"]);
}

/// `foveola model export` writes what a pipeline takes.
#[test]
fn a_model_is_exported_for_a_microcontroller() {
    let shell = Shell::new();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let retina = models.join("retina.toml");
    let retina = retina.to_str().expect("text");
    let text = shell.good(&["model", "export", retina, "--to", "firmware", "board/src", "--binning", "5"]);
    for word in
        ["layer \"surround\", SmoothConv", "bytes of weights", "16,384 for an input frame", "model.rs", "instructions"]
    {
        assert!(text.contains(word), "no '{word}' in: {text}");
    }
    let source = std::fs::read_to_string(shell.path("board/src/model.rs")).expect("written");
    for word in ["// retina: Centre minus surround", "pub const MODEL: Graph", "cols: 320", "pub const PLAN"] {
        assert!(source.contains(word), "no '{word}' in: {source}");
    }
    shell.bad(&["model", "export", retina, "--to", "firmware", "board", "--binning", "0"], 1, &["binning is 0"]);
    shell.bad(&["model", "export", retina, "--to", "python", "board"], 2, &["python", "firmware"]);
    let with = |filters: &'static str| {
        ["model", "export", "retina", "--to", "firmware", "denoised", "--set", filters].map(str::to_owned)
    };
    let good = with("input.events=[\"stcf:k=2\", \"limit:24\"]");
    let text = shell.good(&good.each_ref().map(String::as_str));
    for word in ["event filters", "17,224 for event filters", "170,472 bytes"] {
        assert!(text.contains(word), "no '{word}' in: {text}");
    }
    let source = std::fs::read_to_string(shell.path("denoised/model.rs")).expect("written");
    for word in ["Stcf::new(", "RateLimit::new(24, 1000)", ".filtered(EVENT_FILTERS)", "[\"on\", \"off\"]"] {
        assert!(source.contains(word), "no '{word}' in: {source}");
    }
    // What no board has the memory for.
    let large = shell.good(&["model", "show", retina, "--size", "200x200"]);
    let words =
        "too much for every board of firmware/boards: STM32H743 with 512 kB of RAM and 2048 kB of flash, RP2350";
    assert!(large.contains(words), "{large}");
    assert!(!shell.good(&["model", "show", retina]).contains("too much"), "64 x 64 pixels fit");
    let json = shell.json(&["model", "show", retina, "--json", "--size", "200x200"]);
    assert_eq!(json["boards"]["boards_with_room"], serde_json::json!([]));
    let bad = with("input.events=[\"downsample:2\"]");
    shell.bad(&bad.each_ref().map(String::as_str), 1, &["input.events is downsample:2", "keep the size"]);
}

/// The pictures of `foveola model plot`, their numbers, and what it prints.
#[test]
fn responses_are_plotted() {
    let shell = shell();
    let text = shell.good(&["model", "plot", "two.toml", "--out", "plots", "--size", "9x9", "--layer", "fast"]);
    for words in ["up ", "down ", "fast ", "up is not linear", "input of on: largest gain", "response-up.png", "delay "]
    {
        assert!(text.contains(words), "no '{words}' in {text}");
    }
    for name in ["response-up", "response-down", "response-fast"] {
        let file = std::fs::File::open(shell.path("plots").join(name).with_extension("png")).expect("a picture");
        let reader = png::Decoder::new(std::io::BufReader::new(file)).read_info().expect("a PNG");
        assert!(reader.info().width == 1600 && reader.info().height > 800, "{name}");
    }
    // A low-pass of 5 ms: an exponential at one pixel.
    let fast: Array3<f32> = read_npy(shell.path("plots/response-fast.npy")).expect("samples");
    assert!((fast[(5, 4, 4)] / fast[(0, 4, 4)] - (-1.0_f32).exp()).abs() < 1e-4, "{fast}");
    assert!(fast.indexed_iter().all(|((_, r, c), y)| *y == 0.0 || (r, c) == (4, 4)), "at one pixel");
    // ON responds to a bright flash, OFF to a dark one.
    let [up, down] = ["response-up.npy", "response-down.dark.npy"]
        .map(|name| -> Array3<f32> { read_npy(shell.path("plots").join(name)).expect("samples") });
    assert!(up == down && up.sum() > 0.5, "mirrored");

    let json = shell.json(&["model", "plot", "two.toml", "--out", "plots", "--size", "9x9", "--json"]);
    let up = &json["responses"][0];
    assert_eq!((&up["name"], &up["linear"], &up["decayed"]), (&"up".into(), &false.into(), &true.into()));
    let gain = &up["gains"][0];
    assert_eq!((&gain["stage"], &gain["best"]["cycles_per_pixel"]), (&"input of on".into(), &0.0.into()));
    let best = gain["best"]["hertz"].as_f64().expect("a number");
    // Between the corners of 5 ms and 50 ms: 1 / (2 pi sqrt(tau_1 tau_2)).
    assert!((8.5..12.0).contains(&best), "{best}");
    let lengths = ["hertz", "gain"].map(|key| gain["over_time"][key].as_array().expect("numbers").len());
    assert!(lengths[0] == lengths[1] && lengths[0] > 40, "{lengths:?}");

    fn plot<'a>(args: &[&'a str]) -> Vec<&'a str> {
        [&["model", "plot", "two.toml", "--size", "9x9", "--out", "plots"], args].concat()
    }
    shell.bad(&plot(&["--layer", "quick"]), 2, &["quick", "fast"]);
    shell.bad(&plot(&["--flash", "0"]), 1, &["amplitude is 0"]);
    shell.bad(&plot(&["--pixel", "9,0"]), 1, &["pixel is 9, 0"]);
    shell.bad(&plot(&["--duration", "1h"]), 2, &["1h"]);
    assert!(shell.good(&plot(&["--duration", "20ms"])).contains("not decayed after 20 ms"), "and says so");
    // A weight is never replaced.
    let weight = "version = 1\n[[layer]]\nname = \"a\"\nkind = \"Conv2d\"\nweight = { file = \"response-a.npy\" }\n";
    shell.write("weight.toml", weight.as_bytes());
    write_npy(shell.path("response-a.npy"), &ndarray::Array2::<f32>::ones((3, 3))).expect("written");
    shell.bad(&["model", "plot", "weight.toml", "--out", "."], 1, &["response-a.npy", "replaced"]);
    assert!(shell.good(&["model", "plot", "weight.toml", "--out", "there"]).contains("weights-a.png"), "its weights");
}

/// `model show`: delays, a drawing, and a table that fits into a terminal.
#[test]
fn layers_have_delays_and_a_drawing() {
    let shell = shell();
    let shown = shell.json(&["model", "show", "two.toml", "--json", "--size", "8x8"]);
    let delay = |layer: usize| shown["layers"][layer]["delay_ms"].as_f64().expect("a number");
    // a / (1 - a) frames: 4.5 and 49.5.
    assert!((delay(0) - 4.52).abs() < 0.1 && (delay(1) - 49.5).abs() < 0.6, "{shown}");
    let shown = shell.good(&["model", "show", "two.toml", "--size", "8x8"]);
    assert!(shown.contains("delay") && shown.contains("4.5 ms"), "{shown}");
    let text = shell.good(&["model", "show", "two.toml", "--svg", "two.svg"]);
    assert!(text.contains("two.svg"), "{text}");
    let svg = std::fs::read_to_string(shell.path("two.svg")).expect("written");
    assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"), "{svg}");
    for words in [">fast<", ">LowPass<", ">tau 5ms<", ">1 x 64 x 64<", ">up<", ">down<"] {
        assert!(svg.contains(words), "no {words} in {svg}");
    }
    shell.bad(&["model", "show", "two.toml", "--svg", "no/folder/two.svg"], 1, &["two.svg"]);
    shell.bad(&["model", "show", "two.toml", "--svg", "two.svg", "--json"], 2, &["--json"]);
}
