//! Mistakes, round trips, and the files of `models/`.

use super::generators::GENERATORS;
use super::keys::{Arguments, Default, Key, Scope, Type};
use super::kinds::KINDS;
use super::layer::COMMON;
use super::units::Dimension;
use super::value::{Entry, Item, Source, Table, Value, read_value};
use super::weights::{Axes, OPTIONS};
use super::{INPUT, ModelFile, schema};
use crate::model::inputs::Join;
use crate::{Model, Resolution, Result, Weight};
use ndarray::{Array3, Array5, ArrayD, Axis, concatenate};
use proptest::prelude::*;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models")
}

fn parse(text: &str) -> Result<ModelFile> {
    ModelFile::parse(text, "/nowhere")
}

/// The message of an error, or that there is none.
fn told<T>(result: Result<T>) -> String {
    result.map_or_else(|error| error.to_string(), |_| "no mistake".into())
}

/// A file of one layer.
fn layer(text: &str) -> String {
    format!("version = 1\n[[layer]]\nname = \"a\"\n{text}\n")
}

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
        (section("[input]\npolarity = \"split\"\nchannels = 1"), "1 channels with the polarity split; expected 2"),
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
            "9:8: layer \"b\": from: \"a b\"; expected the name of a layer or a finite number times one",
        ),
        (two("", "from = \"1e99 * a\""), "9:8: layer \"b\": from: \"1e99 * a\"; expected"),
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
            "2:1: layer \"a\": a weight of 1 input channels; expected in_channels = 2",
        ),
        (conv("groups = 2\nweight = [[1]]"), "layer \"a\": weight: Conv2d: "),
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
            "layer \"a\": SmoothConv: spatial kernels is 1 for 2 time constants",
        ),
        (layer("kind = \"LowPass\"\ntau = \"1e300s\""), "2:1: layer \"a\": LowPass: "),
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

/// All keys of all tables: each with its table's name.
fn all_keys() -> Vec<(&'static str, Key)> {
    let kinds =
        KINDS.iter().flat_map(|kind| kind.keys.iter().flat_map(move |keys| keys.iter().map(|key| (kind.name, *key))));
    let generators = GENERATORS
        .iter()
        .flat_map(|entry| entry.keys.iter().flat_map(move |keys| keys.iter().map(|key| (entry.name, *key))));
    let others = INPUT.iter().map(|key| ("input", *key)).chain(OPTIONS.iter().map(|key| ("weight", *key)));
    kinds.chain(generators).chain(others).chain(COMMON.iter().map(|key| ("layer", *key))).collect()
}

/// Defaults have their types, and no name is there twice.
#[test]
fn tables_are_consistent() {
    let (parameters, source) = (Table::new(), Source::default());
    let scope = Scope { parameters: &parameters, source: &source, resolution: Resolution::DEFAULT, every: 1 };
    let mut seen = std::collections::HashSet::new();
    for (table, key) in all_keys() {
        assert!(seen.insert((table, key.name)), "{table}.{} is there twice", key.name);
        assert!(!key.about.is_empty() && !key.about.ends_with('.'), "{table}.{}", key.name);
        if let Default::Is(text) = key.default {
            let entry = Entry::new(key.name, read_value(text).expect("TOML"));
            let args = Arguments { keys: &[&[key]], table: &vec![entry], scope, at: None };
            assert!(args.check().is_ok(), "{table}.{}: the default {text}", key.name);
        }
    }
    for kind in &KINDS {
        assert!(
            seen.insert((kind.name, "")) && !COMMON.iter().any(|key| seen.contains(&(kind.name, key.name))),
            "{}",
            kind.name
        );
    }
    for generator in &GENERATORS {
        assert!(OPTIONS.iter().all(|option| option.name != generator.name), "{} is an option, too", generator.name);
    }
}

/// A layer has the name of its kind, and takes each default as it is.
#[test]
fn kinds_build_layers_of_their_names() {
    for kind in &KINDS {
        let mut random = Random(0);
        let keys = kind.keys.iter().copied().flatten().filter(|key| matches!(key.default, Default::Needed));
        let given: Vec<_> = keys.map(|key| Entry::new(key.name, plain(key.what, &mut random))).collect();
        let text = Entry::new("kind", Value::Text(kind.name.into()));
        let from = Entry::new("from", Value::Text("input".into()));
        let entries = [vec![Entry::new("name", Value::Text("a".into())), text, from], given].concat();
        let layer = Value::List(vec![Item { value: Value::Table(entries), at: None }]);
        let file = super::write::document(&[Entry::new("version", Value::Number(1.0)), Entry::new("layer", layer)]);
        let file = parse(&file).unwrap_or_else(|error| panic!("{file}\n{error}"));
        let layers = file.build(file.resolution()).unwrap_or_else(|error| panic!("{}\n{error}", file.to_toml()));
        let identity = matches!(kind.name, "Identity" | "Product" | "Concat");
        assert_eq!(layers[0].layer.name(), if identity { "Model" } else { kind.name });
        assert_eq!(layers[0].inputs.join, kind.join);
    }
}

#[test]
fn values_are_set_by_their_paths() {
    let mut file = ModelFile::read(models().join("motion_energy.toml")).expect("good");
    for (path, value, expected) in [
        ("squares.scale", "0.5", "scale = 0.5\n"),
        ("squares.bias", "-1", "bias = -1\n"),
        ("wavelength", "8px", "wavelength = \"8px\"\n"),
        ("parameters.sigma", "\"3px\"", "sigma = \"3px\"\n"),
        ("parameters.new", "true", "new = true\n"),
        ("input.dt", "2ms", "dt = \"2ms\"\n"),
        ("outputs.motion", "energy", "motion = \"energy\"\n"),
        ("energy.from", "[\"squares\", \"-0.5 * squares\"]", "from = [\"squares\", \"-0.5 * squares\"]\n"),
        (
            "gratings.weight",
            "{ noise = { seed = 4, size = [8, 1, 3, 3, 3] } }",
            "weight = { noise = { seed = 4, size = [8, 1, 3, 3, 3] } }",
        ),
        ("gratings.weight.noise.std", "2", "size = [8, 1, 3, 3, 3], std = 2 }"),
    ] {
        file.set(path, value).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(file.to_toml().contains(expected), "{path}: {}", file.to_toml());
    }
    let before = file.clone();
    for (path, value, expected) in [
        ("squares.scal", "1", "layer \"squares\": unknown key \"scal\" (did you mean \"scale\"?)"),
        ("square.scale", "1", "unknown layer or table \"square\" (did you mean \"squares\"?)"),
        ("wavelenght", "1px", "unknown parameter \"wavelenght\" (did you mean \"wavelength\"?)"),
        ("", "1", "unknown parameter \"\""),
        ("squares.scale.x", "1", "unknown layer or table \"squares\""),
        ("squares.scale", "1px", "layer \"squares\": scale: \"1px\"; expected a number"),
        ("squares.scale", "inf", "inf; expected a finite number"),
        ("squares.name", "energy", "a second layer called \"energy\""),
        ("squares.from", "energy", "a cycle: energy reads squares reads energy"),
    ] {
        let error = file.set(path, value).expect_err(path).to_string();
        assert!(error.contains(expected), "{path}: {error}");
        assert_eq!(file, before, "{path}");
    }
}

/// A later layer may be read; the layers come in an order in which they can be computed.
#[test]
fn layers_are_ordered_by_what_they_read() {
    let entry = |name: &str, from: &str| format!("[[layer]]\nname = \"{name}\"\nkind = \"Diff\"\n{from}\n");
    let text = [
        "version = 1\n".into(),
        entry("a", "from = [\"d\", \"c\"]"),
        entry("b", ""),
        entry("c", "from = \"input\""),
        entry("d", ""),
    ]
    .concat();
    let file = parse(&text).expect("good");
    let layers = file.build(file.resolution()).expect("good");
    let order: Vec<_> = layers.iter().map(|layer| format!("{}: {}", layer.name, layer.inputs)).collect();
    assert_eq!(order, ["c: input", "d: c", "a: d, c", "b: a"]);
    assert!(file.outputs().eq([("d", "d")]), "the last in the file");
}

/// After a temporal stride a kernel of 20 ms has half as many frames, and a delay, too.
#[test]
fn times_are_those_of_the_layer() {
    let text = "version = 1\n[[layer]]\nname = \"a\"\nkind = \"Conv3d\"\nstride = [2, 1, 1]\n\
        [[layer]]\nname = \"b\"\nkind = \"Conv1d\"\nweight = { exponential = { tau = \"20ms\" } }\n\
        [[layer]]\nname = \"c\"\nkind = \"Delay\"\ndelay = \"10ms\"\n";
    let file = parse(text).expect("good");
    let layers = file.build(file.resolution()).expect("good");
    let half = Resolution { steps_per_second: 500.0, ..Resolution::DEFAULT };
    let kernel =
        crate::kernels::exponential_filter_1d(&crate::kernels::ExponentialFilter::new(0.02), half).expect("good");
    let conv = layers[1].layer.as_any().downcast_ref::<crate::Conv1d>().expect("a Conv1d");
    assert_eq!(conv.weight().iter().copied().collect::<Vec<_>>(), kernel.to_vec());
    assert_eq!(layers[2].layer.as_any().downcast_ref::<crate::Delay>().map(|delay| delay.delay()), Some(5));
}

/// A weight in a file is that of the same call in Rust.
#[test]
fn weights_are_those_of_rust() {
    let conv3d = |weight: &str| {
        let file =
            parse(&layer(&format!("kind = \"Conv3d\"\nweight = {weight}"))).unwrap_or_else(|error| panic!("{error}"));
        let layers = file.build(file.resolution()).unwrap_or_else(|error| panic!("{error}"));
        layers[0].layer.as_any().downcast_ref::<crate::Conv3d>().expect("a Conv3d").weight()
    };
    let expected = |weight: Weight| {
        crate::Conv3d::new(1, 1, [1; 3]).and_then(|conv| conv.with_weight(weight)).expect("good").weight()
    };
    let gauss = crate::kernels::gauss_filter_2d(&crate::kernels::GaussFilter::new(0.05, 0.05), Resolution::DEFAULT)
        .expect("good");
    assert_eq!(conv3d("{ gaussian = { sigma = \"0.05deg\" } }"), expected(gauss.clone().into()));
    assert_eq!(conv3d("{ gaussian = { sigma = \"0.5px\" } }"), expected(gauss.into()));
    let values = Array3::from_shape_fn((1, 2, 3), |(_, r, c)| (3 * r + c) as f32);
    let text = "{ values = [[[0, 1, 2], [3, 4, 5]]], no_flip = true, normalize = true }";
    assert_eq!(conv3d(text), expected(Weight::from(values).no_flip().normalize()));
    assert_eq!(conv3d("0.5"), expected(0.5.into()));
    // The product of time and space.
    let product = conv3d("{ delta = { size = [2, 2] }, values = [1, 2, 4] }");
    assert_eq!(product.shape(), [1, 1, 3, 2, 2]);
    let mut nonzero: Vec<f32> = product.iter().copied().filter(|weight| *weight != 0.0).collect();
    nonzero.sort_by(f32::total_cmp);
    assert_eq!(nonzero, [1.0, 2.0, 4.0]);
    // One kernel for each output channel.
    let stack = conv3d("[{ uniform = { size = [2, 3] } }, { delta = { size = [2, 3], at = [0, 0] } }]");
    assert_eq!(stack.shape(), [2, 1, 1, 2, 3]);
    assert_eq!(stack.index_axis(Axis(0), 1).iter().copied().collect::<Vec<_>>(), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert!((stack.index_axis(Axis(0), 0).sum() - 1.0).abs() < 1e-6, "uniform");
}

/// A delta repeats the input, for all sizes.
#[test]
fn a_delta_is_the_identity() {
    let movie = Array3::from_shape_fn((6, 5, 7), |(t, r, c)| ((t * 35 + r * 7 + c) as f32).sin());
    for (kind, size) in [
        ("Conv3d", "[4]"),
        ("Conv3d", "[3, 4]"),
        ("Conv3d", "[2, 3, 2]"),
        ("Conv2d", "[1, 2]"),
        ("Conv2d", "[5, 4]"),
        ("Conv1d", "[3]"),
    ] {
        let file =
            parse(&layer(&format!("kind = \"{kind}\"\nweight = {{ delta = {{ size = {size} }} }}"))).expect("good");
        let out = outputs(&file, &movie).remove("a").expect("an output");
        let off = out.iter().zip(&movie).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off < 1e-6, "{kind} {size}: {off}");
    }
}

#[test]
fn arrays_come_from_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let array = ndarray::arr2(&[[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    ndarray_npy::write_npy(folder.path().join("w.npy"), &array).expect("written");
    ndarray_npy::write_npy(folder.path().join("f.npy"), &array.t().to_owned().reversed_axes()).expect("written");
    ndarray_npy::write_npy(folder.path().join("d.npy"), &array.mapv(f64::from)).expect("written");
    ndarray_npy::write_npy(folder.path().join("cube.npy"), &ndarray::Array4::<f32>::zeros((1, 1, 1, 1)))
        .expect("written");
    let npy = std::fs::read(folder.path().join("w.npy")).expect("read");
    std::fs::write(folder.path().join("cut.npy"), &npy[..npy.len() - 1]).expect("written");
    std::fs::write(folder.path().join("text.npy"), "weights").expect("written");
    std::fs::write(folder.path().join("one.npz"), crate::events::recording::archive(&[("w.npy", npy.clone())]))
        .expect("written");
    let two = crate::events::recording::archive(&[("v.npy", npy.clone()), ("weights.npy", npy)]);
    std::fs::write(folder.path().join("two.npz"), two).expect("written");
    let built = |weight: &str| {
        let file = ModelFile::parse(&layer(&format!("kind = \"Conv2d\"\nweight = {weight}")), folder.path())?;
        let layers = file.build(file.resolution())?;
        Ok::<_, crate::Error>(layers[0].layer.as_any().downcast_ref::<crate::Conv2d>().expect("a Conv2d").weight())
    };
    for weight in [
        "file = \"w.npy\"",
        "file = \"f.npy\"",
        "file = \"d.npy\"",
        "file = \"./one.npz\"",
        "file = \"two.npz\", array = \"weights\"",
    ] {
        let found = built(&format!("{{ {weight} }}")).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(found.iter().copied().collect::<Vec<_>>(), array.iter().copied().collect::<Vec<_>>(), "{weight}");
    }
    for (weight, expected) in [
        ("file = \"two.npz\"", "an archive of 2 arrays; expected the key \"array\" with one of: v, weights"),
        ("file = \"two.npz\", array = \"weight\"", "(did you mean \"weights\"?)"),
        ("file = \"w.npy\", array = \"w\"", "one array, not an archive with \"w\"; expected"),
        ("file = \"cube.npy\", normalize = true", "the weight's sum is 0"),
        ("file = \"cut.npy\"", "cut off, 23 of 24 bytes; expected an array of shape [2, 3]"),
        ("file = \"text.npy\"", "not a .npy array"),
    ] {
        let error = built(&format!("{{ {weight} }}")).expect_err(weight).to_string();
        assert!(error.contains(expected), "{weight}: {error}");
    }
    let error = ModelFile::parse(&layer("kind = \"Conv1d\"\nweight = { file = \"w.npy\" }"), folder.path())
        .expect_err("rank 2");
    assert!(
        error.to_string().contains("5:10: layer \"a\": weight: a weight of rank 2; expected a weight of rank 0"),
        "{error}"
    );
}

/// Computes each layer alone: the naive twin of a network.
fn outputs(file: &ModelFile, movie: &Array3<f32>) -> HashMap<String, ArrayD<f32>> {
    let input = movie.clone().insert_axis(Axis(0)).insert_axis(Axis(0));
    let mut frames: HashMap<String, Array5<f32>> = HashMap::from([("input".into(), input)]);
    for built in file.build(file.resolution()).unwrap_or_else(|error| panic!("{error}")) {
        let terms: Vec<_> = built.inputs.terms.iter().map(|(name, weight)| &frames[name] * *weight as f32).collect();
        let views: Vec<_> = terms.iter().map(|term| term.view()).collect();
        let joined = match built.inputs.join {
            Join::Sum => terms.iter().skip(1).fold(terms[0].clone(), |sum, term| sum + term),
            Join::Product => terms.iter().skip(1).fold(terms[0].clone(), |product, term| product * term),
            Join::Concat => concatenate(Axis(1), &views).expect("frames of one size"),
        };
        let out =
            Model::new().then(built.layer).run(&joined, 50).unwrap_or_else(|error| panic!("{}: {error}", built.name));
        frames.insert(built.name, out);
    }
    file.outputs().map(|(name, layer)| (name.into(), frames[layer].clone().into_dyn())).collect()
}

/// Each file of `models/` is read, written, read back and run.
#[test]
fn ready_files_run() {
    let movie =
        Array3::from_shape_fn((60, 24, 28), |(t, r, c)| ((t + 2 * c) as f32 / 5.0).sin() + (r as f32 / 3.0).cos());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(models()).expect("models/") {
        let path = entry.expect("a file").path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let file = ModelFile::read(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(Some(file.name()), path.file_stem().and_then(|stem| stem.to_str()), "named as its file");
        assert!(!file.about().is_empty(), "{}", file.name());
        let again =
            ModelFile::parse(&file.to_toml(), models()).unwrap_or_else(|error| panic!("{error}\n{}", file.to_toml()));
        assert_eq!(again, file);
        for (name, out) in outputs(&file, &movie) {
            let (least, most) = out.iter().fold((f32::MAX, f32::MIN), |(least, most), x| (least.min(*x), most.max(*x)));
            assert!(most - least > 1e-3, "{}: {name} is constant", file.name());
        }
        names.push(file.name().to_owned());
    }
    names.sort();
    let expected = [
        "centre_surround",
        "direction_selective",
        "edges",
        "ln",
        "ln_cascade",
        "mcintosh",
        "motion_energy",
        "retina",
        "smooth",
        "transient",
    ];
    assert_eq!(names, expected);
}

/// The ready files do what their comments say.
#[test]
fn ready_files_do_what_they_say() {
    let run = |name: &str, movie: &Array3<f32>| outputs(&ModelFile::read(models().join(name)).expect("good"), movie);
    // A bright spot on grey: ON in its place, OFF beside it; uniform light: nothing.
    let spot = Array3::from_shape_fn((200, 31, 31), |(_, r, c)| if (r, c) == (15, 15) { 1.0 } else { 0.2 });
    let retina = run("retina.toml", &spot);
    let at = |name: &str, r, c| retina[name][[0, 0, 199, r, c]];
    assert!(at("on", 15, 15) > 0.05 && at("off", 15, 15) == 0.0, "{}", at("on", 15, 15));
    assert!(at("off", 15, 19) > 1e-3 && at("on", 15, 19) == 0.0, "{}", at("off", 15, 19));
    assert!(at("on", 2, 2).abs() < 1e-4, "far away");
    let grey = Array3::from_elem((300, 12, 12), 1.0_f32);
    for name in ["retina", "centre_surround", "transient", "edges"] {
        for (_, out) in run(&format!("{name}.toml"), &grey) {
            assert!(out.index_axis(Axis(2), 299).iter().all(|y| y.abs() < 3e-3), "{name}");
        }
    }
    // A grating of 6 pixels at 20 Hz moves right, left, down, up.
    let moving = |dx: f64, dy: f64| {
        Array3::from_shape_fn((150, 25, 25), |(t, r, c)| {
            let x = dx * c as f64 + dy * r as f64;
            (std::f64::consts::TAU * (x / 6.0 - 0.02 * t as f64)).cos() as f32
        })
    };
    for (channel, (dx, dy)) in [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)].into_iter().enumerate() {
        let energy = &run("motion_energy.toml", &moving(dx, dy))["energy"];
        let times: Vec<f32> = (100..150).map(|t| energy[[0, channel, t, 12, 12]]).collect();
        let (least, most) = times.iter().fold((f32::MAX, 0.0_f32), |(least, most), x| (least.min(*x), most.max(*x)));
        assert!(least > 0.5 && most < 1.5 * least, "direction {channel}: {least} to {most}, whatever the phase");
        let others = (0..4).filter(|other| *other != channel).map(|other| energy[[0, other, 120, 12, 12]]);
        assert!(others.fold(0.0, f32::max) < 0.1 * least, "direction {channel}");
        let motion = &run("direction_selective.toml", &moving(dx, dy))["motion"];
        let mean = (100..150).map(|t| motion[[0, 0, t, 12, 12]]).sum::<f32>() / 50.0;
        assert!(if dx == 0.0 { mean.abs() < 1e-3 } else { mean * dx as f32 > 0.02 }, "direction {channel}: {mean}");
    }
    // Twice as steep an edge has four times the energy.
    let ramp = |slope: f32| Array3::from_shape_fn((3, 9, 9), |(_, r, c)| slope * (c as f32 + 2.0 * r as f32));
    let energy = |slope| run("edges.toml", &ramp(slope))["energy"][[0, 0, 2, 4, 4]];
    assert!((energy(1.0) - 5.0).abs() < 1e-4 && (energy(2.0) / energy(1.0) - 4.0).abs() < 1e-4, "{}", energy(1.0));
}

/// `REGENERATE=1 cargo test -p foveola schema` writes it anew.
#[test]
fn the_schema_is_current() {
    let (path, schema) = (models().join("schema.json"), schema());
    if std::env::var_os("REGENERATE").is_some() {
        std::fs::write(&path, &schema).expect("written");
    }
    let stored = std::fs::read_to_string(&path).expect("models/schema.json");
    assert_eq!(stored, schema, "REGENERATE=1 cargo test -p foveola schema");
    let json: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    let kinds = json["properties"]["layer"]["items"]["oneOf"].as_array().expect("kinds");
    assert_eq!(kinds.len(), KINDS.len());
}

/// Numbers from a seed (`SplitMix64`).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % n as u64) as usize
    }

    fn number(&mut self) -> f64 {
        let exponent = self.below(9) as i32 - 4;
        let number = (self.below(2_000_001) as f64 - 1e6) / 1e6 * 10_f64.powi(exponent);
        if self.below(3) == 0 { number.round() } else { number }
    }

    fn pick<'t, T>(&mut self, items: &'t [T]) -> &'t T {
        &items[self.below(items.len())]
    }
}

/// A value of a type.
fn plain(what: Type, random: &mut Random) -> Value {
    let quantity = |dimension: Dimension, random: &mut Random| {
        let units: Vec<_> = dimension.names().collect();
        Value::Text(format!("{:?}{}{}", random.number().abs() + 0.1, random.pick(&["", " "]), random.pick(&units)))
    };
    match what {
        Type::Flag => Value::Flag(random.below(2) == 0),
        Type::Whole(least) => Value::Number((least + random.below(4)) as f64),
        Type::Number => Value::Number(random.number()),
        Type::Positive => Value::Number(random.number().abs() + 1e-3),
        Type::Quantity(dimension) => quantity(dimension, random),
        Type::Frames => Value::Text(format!("{} frames", 1 + random.below(4))),
        Type::Choice(names) => Value::Text((*random.pick(names)).into()),
        Type::Text => Value::Text((*random.pick(&["on", "off"])).into()),
        Type::List(each, len) => list((0..len).map(|_| plain(*each, random)).collect()),
        Type::Values(each) => list((0..random.below(3)).map(|_| plain(*each, random)).collect()),
        Type::OneOrMore(each) if random.below(2) == 0 => plain(*each, random),
        Type::OneOrMore(each) => list((0..1 + random.below(3)).map(|_| plain(*each, random)).collect()),
        Type::OrAny(_) if random.below(2) == 0 => Value::Text("any".into()),
        Type::OrAny(each) => plain(*each, random),
        Type::Size(ranks) => {
            let rank = *random.pick(ranks);
            list((0..rank).map(|_| Value::Number((1 + random.below(4)) as f64)).collect())
        }
        Type::Weight(axes) => weight(axes, random),
        Type::Array | Type::Map => nested(&[2, 3], &mut || 3.0),
    }
}

fn list(values: Vec<Value>) -> Value {
    Value::List(values.into_iter().map(|value| Item { value, at: None }).collect())
}

fn nested(shape: &[usize], number: &mut impl FnMut() -> f64) -> Value {
    match shape {
        [] => Value::Number(number()),
        [len, rest @ ..] => list((0..*len).map(|_| nested(rest, number)).collect()),
    }
}

/// By value, by a generator, or a list of kernels.
fn weight(axes: Axes, random: &mut Random) -> Value {
    let ranks: &[usize] = match axes {
        Axes::Spacetime => &[0, 1, 2, 3, 5],
        Axes::Space => &[0, 2, 3, 4],
        Axes::Time => &[0, 1, 3],
        Axes::Field => &[0, 2, 3, 5],
        Axes::Stages => &[2, 3],
    };
    let kernel = if axes == Axes::Time { 1 } else { 2 };
    let generated = |rank: usize, random: &mut Random| {
        let generators: Vec<_> = GENERATORS.iter().filter(|generator| generator.rank == Some(rank)).collect();
        let generator = random.pick(&generators);
        let table = table(generator.keys, random);
        let mut entries = vec![Entry::new(generator.name, Value::Table(table))];
        if random.below(2) == 0 {
            entries.push(Entry::new("normalize", Value::Flag(random.below(2) == 0)));
        }
        Value::Table(entries)
    };
    match random.below(4) {
        0 => generated(kernel, random),
        1 => list((0..1 + random.below(2)).map(|_| generated(kernel, random)).collect()),
        _ => {
            let shape: Vec<_> = (0..*random.pick(ranks)).map(|_| 1 + random.below(3)).collect();
            nested(&shape, &mut || random.number())
        }
    }
}

/// The keys that are needed, and some of the others.
fn table(keys: &[&[Key]], random: &mut Random) -> Table {
    let mut table = Table::new();
    for key in keys.iter().copied().flatten() {
        if matches!(key.default, Default::Needed) || random.below(3) == 0 {
            table.push(Entry::new(key.name, plain(key.what, random)));
        }
    }
    table
}

/// A model that is right as far as a file tells: keys in any order, units, weights, parameters, any graph without cycles.
fn model(seed: u64) -> Table {
    let mut random = Random(seed);
    let text = |text: &str| Value::Text(text.into());
    let parameters = vec![Entry::new("time", text("7ms")), Entry::new("factor", Value::Number(random.number()))];
    let names: Vec<_> = (0..1 + random.below(6)).map(|i| format!("layer-{i}")).collect();
    let mut layers = Vec::new();
    for (i, name) in names.iter().enumerate() {
        let kind = random.pick(&KINDS);
        let mut entries = vec![Entry::new("name", text(name)), Entry::new("kind", text(kind.name))];
        if kind.join != Join::Sum || random.below(2) == 0 {
            let terms: Vec<_> = (0..1 + random.below(3))
                .map(|_| {
                    let source = if i == 0 { "input" } else { random.pick(&names[..i]) };
                    let weight = if kind.join == Join::Sum { random.pick(&["", "-", "0.5 * ", "-1e-7 *"]) } else { "" };
                    Value::Text(format!("{weight}{source}"))
                })
                .collect();
            entries.push(Entry::new("from", list(terms)));
        }
        for mut entry in table(kind.keys, &mut random) {
            let parameter =
                match kind.keys.iter().copied().flatten().find(|key| key.name == entry.key).map(|key| key.what) {
                    Some(Type::Quantity(Dimension::Time)) => "$time",
                    Some(Type::Number) => "$factor",
                    _ => "",
                };
            if !parameter.is_empty() && random.below(3) == 0 {
                entry.item.value = text(parameter);
            }
            entries.push(entry);
        }
        layers.push(Value::Table(entries));
    }
    let about = "\"quotes\", \\ \n\t \u{7f} \u{e9} and [brackets]";
    let mut input = table(&[&INPUT], &mut random);
    // Both at once have to agree.
    input.retain(|entry| entry.key != "channels");
    vec![
        Entry::new("version", Value::Number(1.0)),
        Entry::new("about", text(about)),
        Entry::new("input", Value::Table(input)),
        Entry::new("parameters", Value::Table(parameters)),
        Entry::new("layer", list(layers)),
        Entry::new("outputs", Value::Table(vec![Entry::new("out", text(random.pick(&names).as_str()))])),
    ]
}

proptest! {
    #![proptest_config(foveola_seeds::config(300, module_path!()))]

    /// What is written is read back, and reads as what was meant.
    #[test]
    fn files_come_back(seed in any::<u64>()) {
        let text = super::write::document(&model(seed));
        let file = parse(&text).map_err(|error| TestCaseError::fail(format!("{text}\n{error}")))?;
        let written = file.to_toml();
        prop_assert_eq!(&parse(&written).map_err(|error| TestCaseError::fail(format!("{written}\n{error}")))?, &file);
        prop_assert_eq!(parse(&written).map(|file| file.to_toml()).ok(), Some(written));
        // Whether it can be built depends on its numbers; that it says so, does not.
        let _ = file.build(file.resolution());
    }

    /// A file in which letters were changed is read or refused.
    #[test]
    fn damaged_files_are_refused(seed in any::<u64>(), damage in prop::collection::vec((any::<prop::sample::Index>(), any::<char>(), 0..3), 1..4)) {
        let mut letters: Vec<char> = super::write::document(&model(seed)).chars().collect();
        for (place, letter, how) in damage {
            let i = place.index(letters.len());
            match how {
                0 => letters[i] = letter,
                1 => drop(letters.remove(i)),
                _ => letters.insert(i, letter),
            }
        }
        if let Ok(file) = parse(&letters.iter().collect::<String>()) {
            prop_assert_eq!(parse(&file.to_toml()).ok(), Some(file));
        }
    }
}
