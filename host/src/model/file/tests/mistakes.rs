//! Each mistake that a file can have, and its message.

use super::{layer, parse, told};
use crate::ModelFile;

#[test]
fn each_mistake_is_named_with_its_place() {
    let two = |a: &str, b: &str| {
        format!(
            "version = 1\n[[layer]]\nname = \"a\"\nkind = \"Diff\"\n{a}\n[[layer]]\nname = \"b\"\nkind = \"Diff\"\n{b}\n"
        )
    };
    let conv = |keys: &str| layer(&format!("kind = \"Conv2d\"\n{keys}"));
    let low = |keys: &str| layer(&format!("kind = \"LowPass\"\n{keys}"));
    let top = |text: &str| format!("{text}{}", layer("kind = \"Diff\""));
    let section = |text: &str| format!("{}{text}", layer("kind = \"Diff\""));
    let time = "expected a time of 0 or more with us, ms, s or frames, such as \"6ms\" or \"3 frames\"";
    let cases = [
        // The file as a whole.
        ("version = ".into(), "1:11: "),
        ("version = 1\nversion = 1".into(), "2:1: duplicate key"),
        (String::new(), "1:1: no version; expected version = 1"),
        ("version = 2".into(), "1:11: version 2; expected 1, the newest version that this program reads"),
        ("version = \"1\"".into(), "1:11: version \"1\"; expected 1,"),
        ("version = 1".into(), "1:1: no layer; expected one table [[layer]] or more"),
        ("version = 1\nlayer = 3".into(), "2:9: layer: 3; expected tables [[layer]]"),
        ("version = 1\nlayer = [3]".into(), "2:10: layer: 3; expected a table [[layer]]"),
        (section("[output]\n"), "5:2: unknown key \"output\" (did you mean \"outputs\"?)"),
        (section("[zebra]\n"), "5:2: unknown key \"zebra\"; expected one of: version, name, about,"),
        ("name = 3\nversion = 1".into(), "1:8: name: 3; expected text in quotes"),
        ("version = 1\nabout = 1979-05-27".into(), "2:9: about: the date 1979-05-27; expected a number"),
        (
            top("about = \"a\\u001B[31m\"\nversion = 1\n").replace("\nversion = 1\n[", "\n["),
            "1:9: about: \"a\\u{1b}[31m\"; expected one line of text, without control characters",
        ),
        (section("[parameters]\n\"\\u001Bx\" = 1"), "6:1: parameters: \\u{1b}x: no name; expected letters"),
        (top("version = 1 #\u{e9}\nx = 1\n").replace("\nversion = 1", "\n"), "2:1: unknown key \"x\""),
        // Input, parameters, outputs.
        (section("[input]\nrows = 0"), "6:8: input: rows: 0; expected a whole number, 1 or more"),
        (section("[input]\nrows = \"all\""), "input: rows: \"all\"; expected a whole number, 1 or more, or \"any\""),
        (section("[input]\nrows = 1.5"), "input: rows: 1.5; expected a whole number"),
        (section("[input]\nrows = 100000\ncols = 100000"), "frames of 10000000000 pixels; expected 67108864 at most"),
        (
            section("[input]\ndt = \"3 frames\""),
            "6:6: input: dt: \"3 frames\" has the unit frames; expected a time with us, ms or s",
        ),
        (section("[input]\ndt = \"0ms\""), "6:6: input: dt: 0 s; expected a time above 0"),
        (section("[input]\npolarity = \"sign\""), "input: polarity: unknown name \"sign\" (did you mean \"signed\"?)"),
        (section("[input]\npolarity = \"split\"\nchannels = 1"), "1 channel with the polarity split; expected 2"),
        (
            section("[input]\nevents = [\"on\", \"stfc\"]"),
            "6:17: input: events: unknown filter 'stfc'; expected one of: stcf",
        ),
        (section("[parameters]\nt = { a = 1 }"), "6:1: parameters: t: a table; expected a number"),
        (section("[parameters]\n\"a b\" = 1"), "6:1: parameters: a b: no name; expected letters"),
        (section("[parameters]\nt = \"$u\""), "6:1: parameters: t: \"$u\"; expected a value"),
        (section("[outputs]\n"), "outputs: no output; expected one or more"),
        (section("[outputs]\non = \"aa\""), "6:6: outputs: on: unknown layer \"aa\"; expected one of: a"),
        (section("[outputs]\non = 3"), "6:6: outputs: on: 3; expected the name of a layer"),
        // Names, kinds and what layers read.
        (
            "version = 1\n[[layer]]\nkind = \"Diff\"".into(),
            "2:1: a layer: no key \"name\"; expected text in quotes: name of the layer",
        ),
        (layer(""), "2:1: layer \"a\": no key \"kind\""),
        (layer("kind = \"lowpass\""), "4:8: layer \"a\": unknown kind \"lowpass\" (did you mean \"LowPass\"?)"),
        (layer("kind = \"Retina\""), "4:8: layer \"a\": unknown kind \"Retina\"; expected one of: Conv3d, Conv2d,"),
        (
            layer("kind = \"Diff\"").replace("\"a\"", "\"input\""),
            "3:8: a layer called \"input\"; expected a name of letters",
        ),
        (layer("kind = \"Diff\"").replace("\"a\"", "\"a b\""), "3:8: a layer called \"a b\"; expected"),
        (
            two("", "").replace("\"b\"", "\"a\""),
            "6:1: a second layer called \"a\", the first is number 1; expected a name of its own",
        ),
        (two("", "from = \"c\""), "9:8: layer \"b\": from: unknown layer \"c\"; expected one of: a, b, input"),
        (
            two("", "from = [\"a\", \"2 * imput\"]"),
            "9:14: layer \"b\": from: unknown layer \"imput\" (did you mean \"input\"?)",
        ),
        (
            two("", "from = \"a b\""),
            "9:8: layer \"b\": from: \"a b\"; expected the name of a layer, or a finite number or parameter times one",
        ),
        (two("", "from = \"1e99 * a\""), "9:8: layer \"b\": from: \"1e99 * a\"; expected"),
        (two("", "from = \"$w * a\""), "9:8: layer \"b\": from: unknown parameter \"w\"; expected none"),
        (two("", "from = \"$w * 2 * a\""), "9:8: layer \"b\": from: \"$w * 2 * a\"; expected the name"),
        (
            two("", "from = \"-$w * a\"").replace("version = 1", "version = 1\n[parameters]\nw = \"6ms\""),
            "11:8: layer \"b\": from: \"6ms\" (parameter \"w\"); expected a number",
        ),
        (two("", "from = []"), "9:8: layer \"b\": from: an empty list; expected one name or more"),
        (two("", "from = \"a, -input\""), "9:8: layer \"b\": from: \"a, -input\"; expected the name"),
        (two("", "from = 3"), "9:8: layer \"b\": from: 3; expected the name"),
        (two("from = \"b\"", ""), "2:1: layer \"a\": a cycle: a reads b reads a; expected"),
        (two("", "from = \"b\""), "6:1: layer \"b\": a cycle: b reads b; expected"),
        (
            two("", "from = [\"a\", \"-a\"]").replace("kind = \"Diff\"\nfrom", "kind = \"Product\"\nfrom"),
            "9:14: layer \"b\": from: \"-a\"; expected a name without a number",
        ),
        (layer("kind = \"Concat\""), "2:1: layer \"a\": no key \"from\"; expected the inputs of a Concat"),
        // Keys and units.
        (low("taus = \"6ms\""), "5:1: layer \"a\": unknown key \"taus\" (did you mean \"tau\"?)"),
        (low("weight = 3"), "5:1: layer \"a\": unknown key \"weight\"; expected one of: tau"),
        (layer("kind = \"Diff\"\ntau = 3"), "5:1: layer \"a\": unknown key \"tau\"; expected none"),
        (low(""), "2:1: layer \"a\": no key \"tau\"; expected a time of 0 or more with us, ms, s or frames"),
        (low("tau = 6"), &format!("5:7: layer \"a\": tau: 6, without a unit; {time}")),
        (low("tau = \"6\""), &format!("5:7: layer \"a\": tau: \"6\"; {time}")),
        (low("tau = \"6Hz\""), &format!("5:7: layer \"a\": tau: \"6Hz\" has the unit Hz; {time}")),
        (low("tau = \"-6ms\""), &format!("5:7: layer \"a\": tau: \"-6ms\"; {time}")),
        (low("tau = nan"), "5:7: layer.tau: nan; expected a finite number"),
        (
            low("tau = 99999999999999999999"),
            "5:7: layer.tau: 99999999999999999999; expected a finite number; whole numbers up to 2^53",
        ),
        (low("tau = \"$tau\""), "5:7: layer \"a\": tau: unknown parameter \"tau\"; expected none"),
        (
            low("tau = \"$t\"\n[parameters]\nt = \"6px\""),
            "5:7: layer \"a\": tau: \"6px\" has the unit px (parameter \"t\"); expected a time",
        ),
        (
            conv("stride = [1, 2]"),
            "5:10: layer \"a\": stride: a list of 2; expected a list of 3, each a whole number, 1 or more",
        ),
        (conv("stride = [1, 2, 0]"), "5:17: layer \"a\": stride: 0; expected a whole number, 1 or more"),
        (conv("autopad = 1"), "5:11: layer \"a\": autopad: 1; expected true or false"),
        (conv("autopad_mode = \"reflekt\""), "autopad_mode: unknown name \"reflekt\" (did you mean \"reflect\"?)"),
        (conv("autopad_mode = 3"), "autopad_mode: 3; expected one of: replicate, reflect, zeros, circular"),
        (conv("time_pad = true"), "unknown key \"time_pad\""),
        (conv("size = [3]"), "5:8: layer \"a\": size: a list of 1; expected a list of 2 lengths, each 1 or more"),
        (conv("size = [0, 3]"), "5:8: layer \"a\": size: the size [0, 3]; expected lengths of 1 or more"),
        (
            conv("size = [9007199254740992, 9007199254740992]"),
            "size: the size [9007199254740992, 9007199254740992]; expected lengths of 1 or more, with 268435456 values at most",
        ),
        (
            layer("kind = \"SmoothConv\"\ntau = \"1ms\"\nweight = [[1]]\nalgorithm = \"fft\""),
            "7:13: layer \"a\": algorithm: unknown name \"fft\"; expected one of: auto, direct, separable",
        ),
        // Weights.
        (
            conv("weight = [1, 2]"),
            "5:10: layer \"a\": weight: a weight of rank 1; expected a weight of rank 0 (a number), 2 (row, col), 3",
        ),
        (
            conv("weight = [[1, 2], [3]]"),
            "5:19: layer \"a\": weight: an entry of shape [1] after one of [2]; expected entries of one shape",
        ),
        (conv("weight = []"), "5:10: layer \"a\": weight: an empty list; expected a number, or nested lists"),
        (conv("weight = [[1e39]]"), "5:12: layer \"a\": weight: 1"),
        (conv("weight = \"big\""), "5:10: layer \"a\": weight: \"big\"; expected a number, or nested lists of numbers"),
        (
            conv("weight = { gausian = { sigma = \"1px\" } }"),
            "5:12: layer \"a\": weight: unknown key \"gausian\" (did you mean \"gaussian\"?)",
        ),
        (
            conv("weight = { gaussian = { sigma = \"1ms\" } }"),
            "5:33: layer \"a\": weight.gaussian.sigma: \"1ms\" has the unit ms; expected a length",
        ),
        (conv("weight = { gaussian = {} }"), "5:23: layer \"a\": weight.gaussian: no key \"sigma\"; expected a length"),
        (conv("weight = { gaussian = 3 }"), "5:23: layer \"a\": weight.gaussian: 3; expected a table: a Gaussian"),
        (conv("weight = { exponential = { tau = \"1ms\" } }"), "weight: a weight of rank 1; expected"),
        (
            conv("weight = {}"),
            "weight: a weight of 0 parts; expected one, or one over time and one over space, of: values, file, gaussian",
        ),
        (
            conv("weight = { values = [[1]], delta = { size = [3, 3] } }"),
            "the product of arrays of ranks [2, 2]; expected 1 (time) and 2 (row, col)",
        ),
        (conv("weight = { array = \"w\", values = [[1]] }"), "the key \"array\" without \"file\""),
        (conv("weight = { values = [[1]], normalize = 1 }"), "weight.normalize: 1; expected true or false"),
        (
            conv("weight = [{ exponential = { tau = \"1ms\" } }]"),
            "5:11: layer \"a\": weight: a weight of rank 1; expected kernels of rank 2 (row, col)",
        ),
        (conv("weight = { file = \"none.npy\" }"), "5:19: layer \"a\": weight: /nowhere/none.npy: No such file"),
        (conv("weight = { file = \"../none.npy\" }"), "\"../none.npy\"; expected a file beside the model"),
        (conv("weight = { file = \"/none.npy\" }"), "\"/none.npy\"; expected a file beside the model"),
        (layer("kind = \"VariableDelay\"\ndelays = [[1, 0.5]]"), "layer \"a\": delays: 0.5; expected a whole number"),
        (
            layer("kind = \"VariableDelay\"\ndelays = [1, 2]"),
            "delays: an array of shape [2]; expected one whole number for each pixel",
        ),
    ];
    let mut wrong = Vec::new();
    for (text, expected) in cases {
        match parse(&text) {
            Err(error) if error.to_string().contains(expected) => {}
            other => wrong.push(format!("{text}\nexpected {expected}\nfound    {}", told(other))),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What only the arrays themselves tell is found when the layer is built, with the same places.
#[test]
fn what_does_not_build_is_named_with_its_place() {
    let conv = |keys: &str| layer(&format!("kind = \"Conv2d\"\n{keys}"));
    let cases = [
        (
            conv("weight = { values = [[1, -1]], normalize = true }"),
            "5:10: layer \"a\": weight: Conv2d: the weight's sum is 0",
        ),
        (conv("bias = [1, 2]"), "5:8: layer \"a\": bias: Conv2d: "),
        (
            conv("in_channels = 2\nweight = [[1]]"),
            "6:10: layer \"a\": a weight of 1 input channel; expected in_channels = 2",
        ),
        (conv("groups = 2\nweight = [[1]]"), "6:10: layer \"a\": weight: Conv2d: "),
        (conv("in_channels = 3\ngroups = 2"), "6:10: layer \"a\": groups: Conv2d: "),
        (
            conv("size = [3, 3]\nweight = [[1, 2]]"),
            "5:8: layer \"a\": size: [3, 3] beside a weight of [1, 2]; expected the size of the weight, or no key",
        ),
        (
            layer("kind = \"RF\"\nframes = \"3 frames\"\nweight = [[1, 2]]"),
            "5:10: layer \"a\": frames: [3] beside a weight of [1]; expected the size of the weight",
        ),
        (
            conv("in_channels = 4096\nout_channels = 4096\nsize = [8, 8]"),
            "7:8: layer \"a\": size: the weight needs 1073741824 samples",
        ),
        (
            conv("weight = { gaussian = { sigma = \"0px\", size = [3, 3] } }"),
            "5:23: layer \"a\": weight.gaussian: gaussian: sigma is 0; expected",
        ),
        (
            conv("weight = { delta = { size = [3, 3], at = [3, 0] } }"),
            "5:20: layer \"a\": weight.delta.at: the index [3, 0]; expected",
        ),
        (
            conv("weight = [{ delta = { size = [3, 3] } }, { delta = { size = [1, 3] } }]"),
            "5:42: layer \"a\": weight: a kernel of [1, 3] after one of [1, 3, 3]; expected kernels of one size",
        ),
        (
            conv("weight = [{ delta = { size = [3, 3] }, no_flip = true }]"),
            "no_flip or preserve_channels in a list of kernels",
        ),
        (
            layer("kind = \"Delay\"\ndelay = \"2.5ms\""),
            "5:9: layer \"a\": delay: \"2.5ms\" is 2.5 frames at 1000 frames a second; expected a whole number of frames",
        ),
        (
            layer("kind = \"SmoothConv\"\ntau = [\"1ms\", \"2ms\"]\nn = 3\nweight = [[1]]"),
            "layer \"a\": tau: 2 time constants for n = 3",
        ),
        (
            layer("kind = \"SmoothConv\"\ntau = [\"1ms\", \"2ms\"]\nweight = [[[1]]]"),
            "6:10: layer \"a\": weight: SmoothConv: spatial kernels is 1 for 2 time constants",
        ),
        (
            layer("kind = \"LowPass\"\ntau = \"1e300s\""),
            "5:7: layer \"a\": tau: \"1e300s\"; expected a time constant of up to 2.8e10 frames, 2.800e7s at 1000 frames a second",
        ),
        (
            layer("kind = \"SmoothConv\"\ntau = [\"1ms\", \"3e10 frames\"]\nweight = [[1]]"),
            "5:15: layer \"a\": tau: \"3e10 frames\"; expected a time constant of up to",
        ),
    ];
    let mut wrong = Vec::new();
    for (text, expected) in cases {
        let file = parse(&text).unwrap_or_else(|error| panic!("{text}\n{error}"));
        match file.build(file.resolution()) {
            Err(error) if error.to_string().contains(expected) => {}
            other => wrong.push(format!("{text}\nexpected {expected}\nfound    {}", told(other))),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// A path comes before the place; columns count characters, not bytes.
#[test]
fn messages_begin_with_the_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("retina.toml");
    std::fs::write(&path, "version = 1\nlayer = [{ name = \"a\", kind = \"\u{e9}\u{e9}\", x = 1 }]").expect("written");
    let error = ModelFile::read(&path).expect_err("no kind").to_string();
    assert!(
        error.starts_with(&format!("{}:2:31: layer \"a\": unknown kind \"\u{e9}\u{e9}\"", path.display())),
        "{error}"
    );
    assert!(matches!(ModelFile::read(folder.path().join("none.toml")), Err(crate::Error::Io { .. })), "no file");
}

/// What is nested takes no longer than what is long, and no stack beyond the bound.
#[test]
fn deep_nesting_is_refused() {
    for depth in [50, 5_000, 200_000] {
        let weight = "[".repeat(depth) + "1" + &"]".repeat(depth);
        let error = parse(&layer(&format!("kind = \"Conv2d\"\nweight = {weight}"))).expect_err("no rank").to_string();
        assert!(error.contains(if depth < 80 { "a weight of rank 50" } else { "5:" }), "{depth}: {error}");
    }
}
